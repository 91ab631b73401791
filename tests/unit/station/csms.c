#include "tests/unit/station/csms.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/timer.h"
#include "ocpp/frame.h"
#include "station/link-local.h"

#define WALL (INT64_C(1780000000) * SECOND)

static void add_text(char *out, size_t room, const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(out + n, room - n, fmt, ap);
	va_end(ap);
}

static void on_output(void *arg, int evse, bool close, int32_t offered_ma)
{
	struct stage *st = arg;
	if (evse == 1)
		add_text(st->output, sizeof(st->output), "%s%d ", close ? "close" : "open", offered_ma);
}

static void on_tx(void *arg, int evse, enum tx_phase phase, const char *tx, const char *token, int64_t wall_us, double wh, const char *reason)
{
	static const char *const words[] = { "?", "start", "named", "end" };
	struct stage *st = arg;
	(void)evse, (void)wall_us, (void)tx;
	add_text(st->ledger, sizeof(st->ledger), "%s %s %.0f %s; ", words[phase], token, wh, reason ? reason : "-");
}

static int on_unlock(void *arg, int evse)
{
	struct stage *st = arg;
	if (st->lock == LOCK_NONE)
		return ERR_UNSUPPORTED;
	station_unlocked(st->s, evse, st->lock == LOCK_GOOD);
	return 0;
}

static const struct station_events station_events = { .output = on_output, .tx = on_tx, .unlock = on_unlock };

/* The station's end */

static void near_up(void *arg, struct link *l)
{
	struct stage *st = arg;
	station_link_up(st->s, l);
}

static void near_text(void *arg, struct link *l, struct slice text)
{
	struct stage *st = arg;
	(void)l;
	station_text(st->s, text);
}

static void near_down(void *arg, struct link *l, const struct link_end *why)
{
	struct stage *st = arg;
	(void)why;
	st->near = NULL;
	station_link_down(st->s);
	link_release(l);
}

static const struct link_events near_events = { .up = near_up, .text = near_text, .down = near_down };

/* The CSMS */

static const char *scripted(const struct stage *st, struct slice action)
{
	for (int i = st->n_script - 1; i >= 0; i--) {
		if (slice_is(action, st->script[i].action))
			return st->script[i].payload;
	}
	return "{}";
}

static void reply_to(struct stage *st, const struct frame *f)
{
	const char *payload = scripted(st, f->action);
	struct buf out = { 0 };
	if (st->mute || !payload)
		return;
	if (payload[0] == '!')
		frame_write_error(&out, f->id, payload + 1, "");
	else
		frame_write_result(&out, f->id, slice_of(payload));
	assert_int_equal(link_send(st->far, buf_view(&out)), 0);
	buf_free(&out);
}

static void write_down(struct stage *st, const struct frame *f)
{
	assert_true(st->n_seen < SEEN_MOST);
	snprintf(st->seen[st->n_seen].id, sizeof(st->seen[0].id), "%.*s", SLICE_ARG(f->id));
	snprintf(st->seen[st->n_seen].action, sizeof(st->seen[0].action), "%.*s", SLICE_ARG(f->action));
	snprintf(st->seen[st->n_seen].payload, sizeof(st->seen[0].payload), "%.*s", SLICE_ARG(f->payload));
	st->n_seen++;
}

static void far_text(void *arg, struct link *l, struct slice text)
{
	struct stage *st = arg;
	struct frame f;
	struct frame_fault fault;
	(void)l;
	assert_int_equal(frame_parse(&f, st->conf.version, text, &fault), 0);
	if (f.kind == FRAME_CALL) {
		write_down(st, &f);
		reply_to(st, &f);
	} else if (f.kind == FRAME_RESULT) {
		snprintf(st->answer, sizeof(st->answer), "%.*s", SLICE_ARG(f.payload));
	} else {
		snprintf(st->answer, sizeof(st->answer), "error %.*s", SLICE_ARG(f.code));
	}
	frame_done(&f);
}

static void far_down(void *arg, struct link *l, const struct link_end *why)
{
	struct stage *st = arg;
	(void)why;
	st->far = NULL;
	link_release(l);
}

static const struct link_events far_events = { .text = far_text, .down = far_down };

/* The stage */

static const struct station_conf usual = {
	.id = "T-01", .vendor = "Maker", .model = "Box", .serial = "S1", .firmware = "1.0",
	.n_evses = 1, .phases = 3, .max_ma = 16000, .min_ma = 6000,
	.sample_us = 60 * SECOND, .heartbeat_us = 3600 * SECOND, .call_timeout_us = 30 * SECOND, .seed = 7,
};

void stage_open(struct stage *st, enum ocpp_version v)
{
	static const struct {
		const char *action, *payload;
	} answers[] = {
		{ "BootNotification", "{\"status\":\"Accepted\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":7200}" },
		{ "Heartbeat", "{\"currentTime\":\"2026-05-28T20:26:40Z\"}" },
		{ "StartTransaction", "{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Accepted\"}}" },
	};
	clock_freeze(1000 * SECOND, WALL);
	memset(st, 0, sizeof(*st));
	st->conf = usual;
	st->conf.version = v;
	st->in = (struct evse_input){ .i_a = { 10, 10, 10 }, .v = { 230, 230, 230 }, .energy_wh = 1000 };
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		stage_script(st, answers[i].action, answers[i].payload);
	stage_script(st, "Authorize", v == OCPP16 ? "{\"idTagInfo\":{\"status\":\"Accepted\"}}" : "{\"idTokenInfo\":{\"status\":\"Accepted\"}}");
}

void stage_make(struct stage *st)
{
	st->s = station_open(&st->conf, &station_events, st);
}

void stage_close(struct stage *st)
{
	if (st->near)
		link_release(st->near);
	if (st->far)
		link_release(st->far);
	station_close(st->s);
	loop_run_later();
	assert_true(timers_next_us() == INT64_MAX);
}

struct link *stage_far(struct stage *st)
{
	struct link *near;
	link_local_pair(st->conf.version, "T-01", &near, &st->far);
	st->far->events = &far_events;
	st->far->owner = st;
	return near;
}

void stage_connect(struct stage *st)
{
	st->near = stage_far(st);
	st->near->events = &near_events;
	st->near->owner = st;
	loop_run_later();
}

void stage_drop(struct stage *st)
{
	link_close(st->far, 1001, "test");
	loop_run_later();
	assert_null(st->near);
}

void stage_boot(struct stage *st)
{
	stage_make(st);
	stage_connect(st);
	st->at = st->n_seen;
}

void stage_script(struct stage *st, const char *action, const char *payload)
{
	assert_true(st->n_script < (int)(sizeof(st->script) / sizeof(st->script[0])));
	st->script[st->n_script].action = action;
	st->script[st->n_script++].payload = payload;
}

void pass(struct stage *st, int64_t us)
{
	(void)st;
	while (us > 0) {
		int64_t step = us < SECOND ? us : SECOND;
		clock_advance(step);
		us -= step;
		timers_run();
		loop_run_later();
	}
}

void plug(struct stage *st, bool plugged, bool wants)
{
	st->in.plugged = plugged;
	st->in.wants_energy = wants;
	station_input(st->s, 1, &st->in);
	loop_run_later();
}

void meter(struct stage *st, double wh)
{
	st->in.energy_wh = wh;
	station_input(st->s, 1, &st->in);
	loop_run_later();
}

const char *ask(struct stage *st, const char *action, const char *payload)
{
	static int number;
	char id[16];
	struct buf out = { 0 };
	snprintf(id, sizeof(id), "c%d", ++number);
	frame_write_call(&out, slice_of(id), action, slice_of(payload));
	st->answer[0] = 0;
	assert_int_equal(link_send(st->far, buf_view(&out)), 0);
	buf_free(&out);
	loop_run_later();
	return st->answer;
}

const char *expect(struct stage *st, const char *action, ...)
{
	va_list ap;
	const char *fragment;
	if (st->at >= st->n_seen) {
		for (int i = st->n_seen > 8 ? st->n_seen - 8 : 0; i < st->n_seen; i++)
			print_message("seen: %s %.120s\n", st->seen[i].action, st->seen[i].payload);
		fail_msg("%s was not sent", action);
	}
	if (strcmp(st->seen[st->at].action, action) != 0)
		fail_msg("%s %s, want %s", st->seen[st->at].action, st->seen[st->at].payload, action);
	va_start(ap, action);
	while ((fragment = va_arg(ap, const char *))) {
		if (!strstr(st->seen[st->at].payload, fragment))
			fail_msg("%s %s lacks %s", action, st->seen[st->at].payload, fragment);
	}
	va_end(ap);
	return st->seen[st->at++].id;
}

void expect_nothing(struct stage *st)
{
	if (st->at < st->n_seen)
		fail_msg("unexpected %s %s", st->seen[st->at].action, st->seen[st->at].payload);
}

void expect_output(struct stage *st, const char *want)
{
	assert_string_equal(st->output, want);
	st->output[0] = 0;
}

const char *last_payload(const struct stage *st)
{
	return st->seen[st->at - 1].payload;
}
