/* The two ends of the in-process link behave as a WebSocket would: later, in order, what was sent before what ended it, and never into
 * an owner that has let go. */
#include "station/link-local.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/loop.h"
#include "tests/unit/unit.h"

struct owner {
	struct link *link;
	char seen[4096];
	int ups, rooms, downs, code;
	bool by_us;
	void (*on_text)(struct owner *o, struct slice text);
};

static void on_up(void *arg, struct link *l)
{
	struct owner *o = arg;
	(void)l;
	o->ups++;
}

static void on_text(void *arg, struct link *l, struct slice text)
{
	struct owner *o = arg;
	(void)l;
	if (strlen(o->seen) + text.n + 2 < sizeof(o->seen))
		snprintf(o->seen + strlen(o->seen), sizeof(o->seen) - strlen(o->seen), "%.*s ", SLICE_ARG(text));
	if (o->on_text)
		o->on_text(o, text);
}

static void on_room(void *arg, struct link *l)
{
	struct owner *o = arg;
	(void)l;
	o->rooms++;
}

static void on_down(void *arg, struct link *l, const struct link_end *why)
{
	struct owner *o = arg;
	o->downs++;
	o->code = why->code;
	o->by_us = why->by_us;
	o->link = NULL;
	link_release(l);
}

static const struct link_events events = { .up = on_up, .text = on_text, .room = on_room, .down = on_down };

static void pair(struct owner *a, struct owner *b)
{
	clock_freeze(0, 0);
	memset(a, 0, sizeof(*a));
	memset(b, 0, sizeof(*b));
	link_local_pair(OCPP16, "R-01", &a->link, &b->link);
	a->link->events = b->link->events = &events;
	a->link->owner = a;
	b->link->owner = b;
}

static void end_both(struct owner *a, struct owner *b)
{
	if (a->link)
		link_release(a->link);
	if (b->link)
		link_release(b->link);
	a->link = b->link = NULL;
	loop_run_later();
}

static void test_nothing_arrives_before_the_turn_and_all_of_it_in_order_after(void **state)
{
	struct owner a, b;
	(void)state;
	pair(&a, &b);
	assert_int_equal(link_send(a.link, SLICE("one")), 0);
	assert_int_equal(link_send(a.link, SLICE("two")), 0);
	assert_int_equal(link_send(b.link, SLICE("down")), 0);
	assert_string_equal(b.seen, "");
	assert_int_equal(a.ups, 0);
	loop_run_later();
	assert_int_equal(a.ups, 1);
	assert_int_equal(b.ups, 0);
	assert_string_equal(b.seen, "one two ");
	assert_string_equal(a.seen, "down ");
	assert_int_equal(a.link->messages_out, 2);
	assert_int_equal(b.link->messages_in, 2);
	end_both(&a, &b);
}

static void test_text_sent_before_a_close_still_arrives(void **state)
{
	struct owner a, b;
	(void)state;
	pair(&a, &b);
	loop_run_later();
	assert_int_equal(link_send(a.link, SLICE("last")), 0);
	assert_int_equal(link_send(b.link, SLICE("unheard")), 0);
	link_close(a.link, 1000, "done");
	assert_int_equal(a.downs + b.downs, 0);
	assert_int_equal(link_send(b.link, SLICE("late")), ERR_CLOSED);
	loop_run_later();
	assert_string_equal(b.seen, "last ");
	assert_string_equal(a.seen, "");
	assert_true(a.downs == 1 && a.by_us && a.code == 1000);
	assert_true(b.downs == 1 && !b.by_us && b.code == 1000);
}

static void answer(struct owner *o, struct slice text)
{
	if (slice_is(text, "ping"))
		assert_int_equal(link_send(o->link, SLICE("pong")), 0);
}

static void test_an_answer_from_inside_the_callback_comes_back(void **state)
{
	struct owner a, b;
	(void)state;
	pair(&a, &b);
	b.on_text = answer;
	assert_int_equal(link_send(a.link, SLICE("ping")), 0);
	loop_run_later();
	assert_string_equal(a.seen, "pong ");
	end_both(&a, &b);
}

static void let_go(struct owner *o, struct slice text)
{
	(void)text;
	link_release(o->link);
	o->link = NULL;
}

static void test_release_inside_a_callback_is_the_last_one(void **state)
{
	struct owner a, b;
	(void)state;
	pair(&a, &b);
	b.on_text = let_go;
	assert_int_equal(link_send(a.link, SLICE("one")), 0);
	assert_int_equal(link_send(a.link, SLICE("two")), 0);
	loop_run_later();
	assert_string_equal(b.seen, "one ");
	assert_int_equal(b.downs, 0);
	assert_int_equal(a.downs, 1);
	assert_false(a.by_us);
}

static struct owner *other;

static void let_both_go(struct owner *o, struct slice text)
{
	let_go(o, text);
	let_go(other, text);
}

static void test_both_ends_may_go_inside_one_callback(void **state)
{
	struct owner a, b;
	(void)state;
	pair(&a, &b);
	other = &a;
	b.on_text = let_both_go;
	assert_int_equal(link_send(a.link, SLICE("one")), 0);
	loop_run_later();
	assert_int_equal(a.downs + b.downs, 0);
	assert_string_equal(b.seen, "one ");
}

static void close_it(struct owner *o, struct slice text)
{
	(void)text;
	link_close(o->link, 4000, "enough");
}

static void test_close_inside_a_callback_drops_what_follows(void **state)
{
	struct owner a, b;
	(void)state;
	pair(&a, &b);
	b.on_text = close_it;
	assert_int_equal(link_send(a.link, SLICE("one")), 0);
	assert_int_equal(link_send(a.link, SLICE("two")), 0);
	loop_run_later();
	assert_string_equal(b.seen, "one ");
	assert_true(b.downs == 1 && b.by_us);
	assert_true(a.downs == 1 && !a.by_us && a.code == 4000);
}

static void test_a_full_link_takes_nothing_and_says_when_there_is_room(void **state)
{
	static char big[600 * 1024];
	struct owner a, b;
	(void)state;
	pair(&a, &b);
	loop_run_later();
	memset(big, 'x', sizeof(big));
	assert_int_equal(link_send(a.link, (struct slice){ big, sizeof(big) }), 0);
	assert_int_equal(link_send(a.link, (struct slice){ big, sizeof(big) }), ERR_FULL);
	assert_int_equal(a.rooms, 0);
	loop_run_later();
	assert_int_equal(a.rooms, 1);
	assert_int_equal(b.link->messages_in, 1);
	assert_int_equal(link_send(a.link, (struct slice){ big, sizeof(big) }), 0);
	end_both(&a, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_arrives_before_the_turn_and_all_of_it_in_order_after),
		cmocka_unit_test(test_text_sent_before_a_close_still_arrives),
		cmocka_unit_test(test_an_answer_from_inside_the_callback_comes_back),
		cmocka_unit_test(test_release_inside_a_callback_is_the_last_one),
		cmocka_unit_test(test_both_ends_may_go_inside_one_callback),
		cmocka_unit_test(test_close_inside_a_callback_drops_what_follows),
		cmocka_unit_test(test_a_full_link_takes_nothing_and_says_when_there_is_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
