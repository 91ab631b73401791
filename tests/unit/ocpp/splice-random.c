/* 10 000 random frames whose transaction id is exchanged: every other byte stays what it was. Names and texts with escapes and any
 * Unicode, nesting, integers of 19 digits, decimals with zeros at their end. The seed is printed; SEED=n plays one again. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "ocpp/codec.h"
#include "ocpp/lex.h"
#include "ocpp/splice.h"

#define FRAMES 10000

static uint64_t seed;

static unsigned roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static void add_space(struct buf *b)
{
	static const char *const spaces[] = { "", "", "", " ", "\t", "\r\n", "  " };
	buf_puts(b, spaces[roll(7)]);
}

static void add_text(struct buf *b)
{
	static const char *const pieces[] = { "a", "Z9", "\\\"", "\\\\", "\\/", "\\n", "\\u0041", "\\u00e9", "\\ud83d\\ude00", "é", "漢", "😀", "transactionId",
		"\\\"transactionId\\\":1", "{", "]", ",", ":", " " };
	buf_puts(b, "\"");
	for (unsigned i = roll(6); i; i--)
		buf_puts(b, pieces[roll(sizeof(pieces) / sizeof(pieces[0]))]);
	buf_puts(b, "\"");
}

static void add_number(struct buf *b)
{
	static const char *const numbers[] = { "0.10", "-0.0", "1e-7", "9223372036854775807", "-9223372036854775808", "1234567890123456789", "16.099999999999998", "100",
		"0", "2.50E+3", "1.0" };
	buf_puts(b, numbers[roll(sizeof(numbers) / sizeof(numbers[0]))]);
}

static void add_value(struct buf *b, unsigned depth);

static void add_members(struct buf *b, unsigned depth)
{
	for (unsigned i = roll(4); i; i--) {
		buf_printf(b, "\"x%u\"", roll(1000000));
		add_space(b);
		buf_puts(b, ":");
		add_value(b, depth);
		add_space(b);
		buf_puts(b, ",");
		add_space(b);
	}
}

static void add_object(struct buf *b, unsigned depth)
{
	buf_puts(b, "{");
	add_space(b);
	add_members(b, depth);
	add_text(b); /* the last name may be anything */
	buf_puts(b, ":");
	add_number(b);
	buf_puts(b, "}");
}

static void add_list(struct buf *b, unsigned depth)
{
	buf_puts(b, "[");
	for (unsigned i = roll(4); i; i--) {
		add_value(b, depth);
		add_space(b);
		if (i > 1)
			buf_puts(b, ",");
	}
	buf_puts(b, "]");
}

static void add_value(struct buf *b, unsigned depth)
{
	static const char *const words[] = { "true", "false", "null" };
	add_space(b);
	switch (roll(depth ? 6 : 4)) {
	case 0:
		buf_puts(b, words[roll(3)]);
		break;
	case 1:
		add_text(b);
		break;
	case 4:
		add_object(b, depth - 1);
		break;
	case 5:
		add_list(b, depth - 1);
		break;
	default:
		add_number(b);
	}
}

static void add_id(struct buf *b, enum ocpp_version v)
{
	if (v == OCPP16)
		buf_printf(b, "%lld", (long long)(INT64_C(1000000000000000000) + roll(1u << 30)));
	else
		buf_printf(b, "tx-%u", roll(1u << 30));
}

struct made {
	struct buf front, behind; /* of the id's value */
	struct buf id;
	enum ocpp_version version;
};

/* A message that names a transaction, its id somewhere among members that mean nothing. customData goes deep, within what readers allow. */
static void make(struct made *m)
{
	static const char *const actions[] = { "StopTransaction", "MeterValues", "RemoteStopTransaction" };
	bool old = roll(2);
	m->version = old ? OCPP16 : roll(2) ? OCPP201 : OCPP21;
	buf_puts(&m->front, "[2,");
	add_space(&m->front);
	buf_printf(&m->front, "\"%u-\\u0041\"", roll(1u << 30));
	add_space(&m->front);
	buf_printf(&m->front, ",\"%s\",", old ? actions[roll(3)] : "TransactionEvent");
	add_space(&m->front);
	buf_puts(&m->front, "{");
	add_members(&m->front, 4);
	buf_puts(&m->front, "\"customData\":");
	unsigned deep = roll(LEX_DEPTH - 8);
	for (unsigned i = 0; i < deep; i++)
		buf_puts(&m->front, "{\"vendorId\":");
	add_text(&m->front);
	for (unsigned i = 0; i < deep; i++)
		buf_puts(&m->front, "}");
	buf_puts(&m->front, old ? ",\"transactionId\"" : ",\"transactionInfo\":{\"transactionId\"");
	add_space(&m->front);
	buf_puts(&m->front, ":");
	add_space(&m->front);
	buf_puts(&m->front, old ? "" : "\"");
	add_id(&m->id, m->version);
	buf_puts(&m->behind, old ? "" : "\"}");
	add_space(&m->behind);
	if (roll(2)) {
		buf_puts(&m->behind, ",\"y\":");
		add_value(&m->behind, 4);
	}
	buf_puts(&m->behind, "}");
	add_space(&m->behind);
	buf_puts(&m->behind, "]");
}

static void join(struct buf *out, const struct made *m, struct slice id)
{
	buf_slice(out, buf_view(&m->front));
	buf_slice(out, id);
	buf_slice(out, buf_view(&m->behind));
}

static void check_one(int number)
{
	struct made m = { 0 };
	struct buf text = { 0 }, want = { 0 }, got = { 0 }, back = { 0 };
	struct frame f;
	struct frame_fault fault;
	make(&m);
	join(&text, &m, buf_view(&m.id));
	join(&want, &m, SLICE("77"));
	if (frame_parse(&f, m.version, buf_view(&text), &fault) != 0)
		fail_msg("frame %d: %s\n%s", number, fault.reason, text.p);
	struct slice window = codec_tx_window(&f);
	if (!slice_eq(window, buf_view(&m.id)))
		fail_msg("frame %d: the id is \"%.*s\" in\n%s", number, SLICE_ARG(window), text.p);
	splice_write(&got, buf_view(&text), window, SLICE("77"));
	if (!slice_eq(buf_view(&got), buf_view(&want)))
		fail_msg("frame %d:\n%s\nbecame\n%s", number, text.p, got.p);
	/* And back again, to the first byte. */
	assert_int_equal(frame_parse(&f, m.version, buf_view(&got), &fault), 0);
	splice_write(&back, buf_view(&got), codec_tx_window(&f), buf_view(&m.id));
	assert_true(slice_eq(buf_view(&back), buf_view(&text)));
	buf_free(&m.front);
	buf_free(&m.behind);
	buf_free(&m.id);
	buf_free(&text);
	buf_free(&want);
	buf_free(&got);
	buf_free(&back);
}

static void every_other_byte_stays(void **state)
{
	const char *given = getenv("SEED");
	(void)state;
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	printf("# SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < FRAMES; i++)
		check_one(i);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(every_other_byte_stays) };
	return cmocka_run_group_tests_name("ocpp/splice-random", tests, NULL, NULL);
}
