/* permessage-deflate: what is agreed, and that messages come back from any sender's way of ending a block, within a bound. */
#include <stdio.h>

#include "gateway/net/deflate.h"
#include "tests/unit/unit.h"

static void head_with(struct http_head *h, const char *value)
{
	*h = (struct http_head){ .n_fields = value ? 1 : 0 };
	h->fields[0] = (struct http_field){ SLICE("Sec-WebSocket-Extensions"), slice_of(value) };
}

#define OURS "permessage-deflate; client_no_context_takeover; server_no_context_takeover"

static void test_offers(void **state)
{
	static const struct {
		const char *offer, *answer;
		int window_bits;
	} rows[] = {
		{ NULL, "", 0 },
		{ "permessage-deflate", OURS, 13 },
		{ "permessage-deflate; client_max_window_bits", OURS, 13 },
		{ "permessage-deflate;client_max_window_bits=10 ; server_no_context_takeover", OURS, 13 },
		{ "permessage-deflate; server_max_window_bits=10", OURS "; server_max_window_bits=10", 10 },
		{ "permessage-deflate; server_max_window_bits=\"15\"", OURS "; server_max_window_bits=15", 13 },
		{ "permessage-deflate; server_max_window_bits=8", "", 0 },
		{ "permessage-deflate; server_max_window_bits=8, permessage-deflate", OURS, 13 },
		{ "permessage-deflate; server_max_window_bits", "", 0 },
		{ "permessage-deflate; server_max_window_bits=16", "", 0 },
		{ "permessage-deflate; server_max_window_bits=09", "", 0 },
		{ "permessage-deflate; client_no_context_takeover=1", "", 0 },
		{ "permessage-deflate; something_new", "", 0 },
		{ "permessage-deflate; server_no_context_takeover; server_no_context_takeover", "", 0 },
		{ "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits", OURS, 13 },
		{ "permessage-bzip2", "", 0 },
	};
	static struct http_head h;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct deflate_terms terms;
		struct buf answer = { 0 };
		head_with(&h, rows[i].offer);
		deflate_accept(&h, &terms, &answer);
		if (!slice_is(buf_view(&answer), rows[i].answer) || terms.window_bits != rows[i].window_bits || terms.on != (rows[i].window_bits > 0))
			fail_msg("row %zu: \"%s\", %d", i, buf_view(&answer).p, terms.window_bits);
		buf_free(&answer);
	}
}

static void test_answers(void **state)
{
	static const struct {
		const char *answer;
		bool offered;
		int err;
		bool on;
	} rows[] = {
		{ NULL, true, 0, false },
		{ NULL, false, 0, false },
		{ OURS, true, 0, true },
		{ OURS "; server_max_window_bits=11", true, 0, true },
		{ OURS, false, ERR_PROTOCOL, false },
		{ "permessage-deflate", true, ERR_PROTOCOL, false }, /* keeps its context, against the offer */
		{ OURS "; client_max_window_bits=10", true, ERR_PROTOCOL, false },
		{ OURS ", " OURS, true, ERR_PROTOCOL, false },
		{ "permessage-foo", true, ERR_PROTOCOL, false },
	};
	static struct http_head h;
	const char *why;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct deflate_terms terms;
		head_with(&h, rows[i].answer);
		int err = deflate_agreed(&h, rows[i].offered, &terms, &why);
		if (err != rows[i].err || (!err && terms.on != rows[i].on) || (err && !why))
			fail_msg("row %zu: %d, on %d", i, err, terms.on);
	}
}

static void test_messages_come_back(void **state)
{
	static char text[100000];
	(void)state;
	srand(3);
	for (int round = 0; round < 300; round++) {
		struct deflate_terms terms = { true, (uint8_t)(9 + rand() % 7) };
		struct buf small = { 0 }, back = { 0 };
		size_t n = (size_t)rand() % (round % 10 ? 2000 : sizeof(text));
		int letters = 1 + rand() % 40;
		for (size_t i = 0; i < n; i++)
			text[i] = (char)(' ' + rand() % letters);
		if (deflate_message(&terms, (struct slice){ text, n }, &small)) {
			assert_true(small.n < n);
			assert_int_equal(deflate_expand(buf_view(&small), n, &back), 0);
			assert_int_equal(back.n, n);
			assert_memory_equal(back.p, text, n);
		}
		buf_free(&small);
		buf_free(&back);
	}
}

static void test_what_does_not_shrink_is_left_alone(void **state)
{
	static char noise[1000];
	struct deflate_terms terms = { true, 13 };
	struct buf out = { 0 };
	(void)state;
	srand(9);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)rand();
	assert_false(deflate_message(&terms, (struct slice){ noise, sizeof(noise) }, &out));
	assert_false(deflate_message(&terms, SLICE("[2,\"1\",\"Heartbeat\",{}]"), &out));
	assert_int_equal(out.n, 0);
	buf_free(&out);
}

static void test_forms_of_other_senders(void **state)
{
	/* RFC 7692 7.2.3: "Hello" in one block, without compression, with BFINAL set, and in two blocks. */
	static const struct slice forms[] = {
		{ "\xf2\x48\xcd\xc9\xc9\x07\x00", 7 },
		{ "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11 },
		{ "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8 },
		{ "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct buf back = { 0 };
		int err = deflate_expand(forms[i], 100, &back);
		if (err || !slice_is(buf_view(&back), "Hello"))
			fail_msg("form %zu: %d, \"%s\"", i, err, buf_view(&back).p);
		buf_free(&back);
	}
}

static void test_a_bomb_stops_at_the_bound(void **state)
{
	static char zeros[4 * 1024 * 1024];
	struct deflate_terms terms = { true, 15 };
	struct buf small = { 0 }, back = { 0 };
	(void)state;
	assert_true(deflate_message(&terms, (struct slice){ zeros, sizeof(zeros) }, &small));
	assert_int_equal(deflate_expand(buf_view(&small), 100000, &back), ERR_TOO_LARGE);
	assert_true(back.n < 200000);
	buf_free(&small);
	buf_free(&back);
}

static void test_garbage_is_refused_and_forgotten(void **state)
{
	struct buf back = { 0 };
	(void)state;
	assert_int_equal(deflate_expand(SLICE("\xff\xff\xff\xff"), 1000, &back), ERR_PROTOCOL);
	buf_reset(&back);
	assert_int_equal(deflate_expand(SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"), 1000, &back), 0);
	assert_slice(buf_view(&back), "Hello");
	buf_free(&back);
}

static int finish(void **state)
{
	(void)state;
	deflate_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_messages_come_back),
		cmocka_unit_test(test_what_does_not_shrink_is_left_alone),
		cmocka_unit_test(test_forms_of_other_senders),
		cmocka_unit_test(test_a_bomb_stops_at_the_bound),
		cmocka_unit_test(test_garbage_is_refused_and_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
