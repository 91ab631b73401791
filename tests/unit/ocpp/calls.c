/* Calls over a scripted link, with time moved by hand. What happens is written down as words and compared. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "ocpp/calls.h"

static struct {
	struct link link;
	struct calls calls;
	int send_result;
	char story[512];
} t;

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
	va_list ap;
	size_t n = strlen(t.story);
	va_start(ap, fmt);
	vsnprintf(t.story + n, sizeof(t.story) - n, fmt, ap);
	va_end(ap);
}

static void assert_story(const char *want)
{
	assert_string_equal(t.story, want);
	t.story[0] = 0;
}

static int script_send(struct link *l, struct slice text)
{
	(void)l;
	if (t.send_result == 0)
		tell("sent %.*s; ", SLICE_ARG(text));
	return t.send_result;
}
static void script_close(struct link *l, int code, const char *reason)
{
	(void)l, (void)code, (void)reason;
}
static void script_release(struct link *l)
{
	(void)l;
}
static const struct link_ops script = { "script", script_send, script_close, script_release };

static const char *outcome(int err)
{
	return err == 0 ? "answered" : err == ERR_TIMEOUT ? "timed out" : err == ERR_CLOSED ? "closed" : err == ERR_REFUSED ? "cancelled" : "?";
}

static void on_done(void *arg, struct call *c, int err, struct frame *answer)
{
	tell("%.*s %s%s; ", SLICE_ARG(c->id), outcome(err), c->sent ? "" : " unsent");
	assert_true((answer != NULL) == (err == 0));
	if (arg)
		((void (*)(void))arg)();
}

static struct call *ask(const char *id, bool urgent, void (*then)(void))
{
	struct call *c = NULL;
	char text[16];
	snprintf(text, sizeof(text), "<%s>", id);
	struct ask a = { .text = slice_of(text), .id = slice_of(id), .timeout_us = 10 * US_PER_S, .urgent = urgent, .done = on_done, .arg = then };
	assert_int_equal(calls_ask(&t.calls, &a, &c), 0);
	return c;
}

static bool answer(const char *id)
{
	struct frame f = { .kind = FRAME_RESULT, .id = slice_of(id) };
	return calls_answer(&t.calls, &f);
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.link.ops = &script;
	clock_freeze(US_PER_S, US_PER_S);
	calls_open(&t.calls, 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	t.story[0] = 0;
	calls_close(&t.calls);
	assert_int_equal(t.calls.count, 0);
	return 0;
}

static void sends_one_at_a_time_in_order(void **state)
{
	(void)state;
	calls_link_up(&t.calls, &t.link);
	ask("a", false, NULL);
	ask("b", false, NULL);
	ask("c", false, NULL);
	assert_story("sent <a>; ");
	assert_false(answer("b"));
	assert_true(answer("a"));
	assert_false(answer("a"));
	assert_story("a answered; sent <b>; ");
	assert_true(answer("b"));
	assert_true(answer("c"));
	assert_story("b answered; sent <c>; c answered; ");
	assert_false(answer("c"));
}

static void urgent_ones_go_first_in_their_own_order(void **state)
{
	(void)state;
	ask("a", false, NULL);
	ask("u", true, NULL);
	ask("b", false, NULL);
	ask("v", true, NULL);
	calls_link_up(&t.calls, &t.link);
	answer("u"), answer("v"), answer("a"), answer("b");
	assert_story("sent <u>; u answered; sent <v>; v answered; sent <a>; a answered; sent <b>; b answered; ");
}

static void a_deadline_counts_from_the_sending(void **state)
{
	(void)state;
	ask("a", false, NULL);
	clock_advance(60 * US_PER_S);
	timers_run();
	assert_story("");
	calls_link_up(&t.calls, &t.link);
	ask("b", false, NULL);
	clock_advance(10 * US_PER_S - 1);
	timers_run();
	assert_story("sent <a>; ");
	clock_advance(1);
	timers_run();
	assert_story("a timed out; sent <b>; ");
	assert_false(answer("a"));
	assert_true(answer("b"));
	clock_advance(60 * US_PER_S);
	timers_run();
	assert_story("b answered; ");
}

static void a_full_link_is_waited_for(void **state)
{
	(void)state;
	calls_link_up(&t.calls, &t.link);
	t.send_result = ERR_FULL;
	ask("a", false, NULL);
	ask("u", true, NULL);
	calls_room(&t.calls);
	assert_story("");
	t.send_result = 0;
	calls_room(&t.calls);
	assert_story("sent <u>; ");
	answer("u");
	assert_story("u answered; sent <a>; ");
}

static void the_number_is_bounded(void **state)
{
	(void)state;
	struct ask a = { .text = SLICE("x"), .id = SLICE("x"), .timeout_us = 1 };
	calls_link_up(&t.calls, &t.link);
	for (int i = 0; i < 5; i++)
		assert_int_equal(calls_ask(&t.calls, &a, NULL), 0);
	assert_int_equal(calls_ask(&t.calls, &a, NULL), ERR_FULL);
	assert_true(answer("x"));
	assert_int_equal(calls_ask(&t.calls, &a, NULL), 0);
}

static void those_that_wait_survive_a_lost_link(void **state)
{
	(void)state;
	calls_link_up(&t.calls, &t.link);
	ask("a", false, NULL);
	ask("b", false, NULL);
	calls_link_down(&t.calls, false);
	assert_story("sent <a>; a closed; ");
	assert_false(answer("a"));
	calls_link_up(&t.calls, &t.link);
	assert_story("sent <b>; ");
	ask("c", false, NULL);
	calls_link_down(&t.calls, true);
	assert_story("b closed; c closed unsent; ");
	assert_int_equal(t.calls.count, 0);
}

static void a_cancelled_call_in_flight_keeps_its_turn(void **state)
{
	(void)state;
	calls_link_up(&t.calls, &t.link);
	struct call *a = ask("a", false, NULL);
	struct call *b = ask("b", false, NULL);
	ask("c", false, NULL);
	calls_cancel(&t.calls, b);
	calls_cancel(&t.calls, a);
	assert_story("sent <a>; b cancelled unsent; a cancelled; ");
	assert_true(answer("a"));
	assert_story("sent <c>; ");
	calls_cancel(&t.calls, t.calls.in_flight);
	ask("d", false, NULL);
	clock_advance(10 * US_PER_S);
	timers_run();
	assert_story("c cancelled; sent <d>; ");
}

static void ask_more(void)
{
	ask("more", false, NULL);
	ask("now", true, NULL);
}

static void a_callback_may_ask(void **state)
{
	(void)state;
	calls_link_up(&t.calls, &t.link);
	ask("a", false, ask_more);
	ask("b", false, NULL);
	answer("a");
	assert_story("sent <a>; a answered; sent <now>; ");
	answer("now"), answer("b"), answer("more");
	assert_story("now answered; sent <b>; b answered; sent <more>; more answered; ");
	ask("c", false, ask_more);
	calls_link_down(&t.calls, true); /* what was asked because of it stays */
	assert_story("sent <c>; c closed; ");
	assert_int_equal(t.calls.count, 2);
}

static struct call *victim;
static void cancel_victim(void)
{
	calls_cancel(&t.calls, victim);
}
static void close_all(void)
{
	calls_close(&t.calls);
}

static void a_callback_may_cancel_others(void **state)
{
	(void)state;
	calls_link_up(&t.calls, &t.link);
	ask("a", false, cancel_victim);
	victim = ask("b", false, NULL);
	ask("c", false, NULL);
	answer("a");
	assert_story("sent <a>; a answered; b cancelled unsent; sent <c>; ");
	ask("d", false, cancel_victim);
	victim = ask("e", false, NULL);
	ask("f", false, NULL);
	calls_link_down(&t.calls, true);
	assert_story("c closed; d closed unsent; e cancelled unsent; f closed unsent; ");
}

static void a_callback_may_close_everything(void **state)
{
	(void)state;
	struct ask a = { .text = SLICE("x"), .id = SLICE("x"), .timeout_us = 1 };
	calls_link_up(&t.calls, &t.link);
	ask("a", false, close_all);
	ask("b", false, NULL);
	answer("a");
	assert_story("sent <a>; a answered; b closed unsent; ");
	assert_int_equal(calls_ask(&t.calls, &a, NULL), ERR_CLOSED);
	calls_open(&t.calls, 5);
	calls_link_up(&t.calls, &t.link);
	ask("c", false, close_all);
	ask("d", false, close_all);
	ask("e", false, NULL);
	clock_advance(10 * US_PER_S);
	timers_run();
	assert_story("sent <c>; c timed out; d closed unsent; e closed unsent; ");
	calls_open(&t.calls, 5);
	calls_link_up(&t.calls, &t.link);
	ask("f", false, close_all);
	ask("g", false, NULL);
	calls_link_down(&t.calls, true);
	assert_story("sent <f>; f closed; g closed unsent; ");
	assert_int_equal(t.calls.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(sends_one_at_a_time_in_order),
		TEST(urgent_ones_go_first_in_their_own_order),
		TEST(a_deadline_counts_from_the_sending),
		TEST(a_full_link_is_waited_for),
		TEST(the_number_is_bounded),
		TEST(those_that_wait_survive_a_lost_link),
		TEST(a_cancelled_call_in_flight_keeps_its_turn),
		TEST(a_callback_may_ask),
		TEST(a_callback_may_cancel_others),
		TEST(a_callback_may_close_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
