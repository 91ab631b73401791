/* What the trace keeps, when the ring has gone round many times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/session/session.h"
#include "gateway/session/trace.h"
#include "tests/unit/unit.h"

#define FRAMES 30000

static struct session station = { .id = "CP1", .version = OCPP16 };

/* The text of frame i: its number, then a length of its own of one letter. */
static struct slice text_of(unsigned i, char *out)
{
	size_t n = (size_t)sprintf(out, "[2,\"%u\",\"Heartbeat\",", i), more = (i * 2654435761u >> 20) % 600;
	memset(out + n, 'a' + (int)(i % 26), more);
	return (struct slice){ out, n + more };
}

static struct frame frame_of(struct slice raw)
{
	const char *quote = memchr(raw.p + 4, '"', raw.n - 4);
	return (struct frame){ .kind = FRAME_CALL, .raw = raw, .id = { raw.p + 4, (size_t)(quote - raw.p) - 4 }, .action = { quote + 3, 9 } };
}

struct seen {
	unsigned count;
	int64_t last_seq;
};

static bool check(void *arg, const struct trace_rec *r)
{
	struct seen *seen = arg;
	char text[1024];
	struct slice expected = text_of((unsigned)(r->seq - 1) / 2, text);
	assert_true(slice_eq(r->raw, expected));
	assert_true(slice_eq(r->id, frame_of(expected).id));
	assert_true(slice_is(r->action, "Heartbeat"));
	assert_string_equal(r->station, "CP1");
	assert_int_equal(r->way, r->seq % 2 ? TRACE_RX : TRACE_TX);
	assert_true(!seen->count || r->seq == seen->last_seq + 1);
	seen->last_seq = r->seq;
	seen->count++;
	return true;
}

static void newest_frames_are_whole(void **state)
{
	struct seen seen = { 0 };
	char text[1024];
	(void)state;
	for (unsigned i = 0; i < FRAMES; i++) {
		struct slice raw = text_of(i, text);
		struct frame f = frame_of(raw);
		trace_frame(&station, TRACE_STATION, TRACE_RX, raw, &f, TRACE_FORWARDED);
		trace_frame(&station, TRACE_CSMS, TRACE_TX, raw, &f, TRACE_FORWARDED);
		if (i % 1000 == 0) {
			seen = (struct seen){ 0 };
			trace_each(0, check, &seen);
			assert_int_equal(seen.last_seq, 2 * (i + 1));
		}
	}
	assert_true(seen.count > 5000);
	trace_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_frames_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
