/* Windows by path, and texts with one window replaced; the choice of a version stands here as well, being as small. */
#include "tests/unit/unit.h"

#include "ocpp/splice.h"
#include "ocpp/version.h"

static void finds_values_by_path(void **state)
{
	(void)state;
	static const struct {
		const char *json, *path, *want; /* NULL: absent */
	} cases[] = {
		{ "{\"transactionId\":9223372036854775807}", "transactionId", "9223372036854775807" },
		{ " { \"a\" : \"x\\\"}\" , \"b\":{\"c\" :\t-0.10e1 } } ", "b.c", "-0.10e1" },
		{ "{\"a\":\"t\"}", "a", "\"t\"" },
		{ "{\"a\":[10,{\"b\":null},[]]}", "a.1.b", "null" },
		{ "{\"a\":[10,20]}", "a.2", NULL },
		{ "{\"a\":[]}", "a.0", NULL },
		{ "{\"a\":[10]}", "a.x", NULL },
		{ "{}", "a", NULL },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "a", NULL },
		{ "{\"a\":1,\"\\u0061\":3}", "a", NULL },
		{ "{\"x\\u0041\\/\":1}", "xA/", "1" },
		{ "{\"b\":{\"a\":1}}", "a", NULL },
		{ "{\"ab\":1}", "a", NULL },
		{ "{\"a\":1", "a", NULL },
		{ "{\"a\" 1}", "a", NULL },
		{ "{\"a\":}", "a", NULL },
		{ "{\"\\u00\":1,\"a\":2}", "a", "2" },
		{ "[1]", "a", NULL },
		{ "7", "a", NULL },
		{ "", "a", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice got = splice_find(slice_of(cases[i].json), cases[i].path);
		if (cases[i].want ? !slice_is(got, cases[i].want) : got.p != NULL)
			fail_msg("case %zu: %s in %s is \"%.*s\"", i, cases[i].path, cases[i].json, SLICE_ARG(got));
	}
}

static void replaces_one_window_only(void **state)
{
	(void)state;
	struct slice text = SLICE("[2,\"1\",\"StopTransaction\", {\"meterStop\":0.10,\"transactionId\" : -4 ,\"x\":1.0}]");
	struct slice window = splice_find((struct slice){ text.p + 26, text.n - 27 }, "transactionId");
	assert_slice(window, "-4");
	struct buf out = { 0 };
	splice_write(&out, text, window, SLICE("1234"));
	assert_slice(buf_view(&out), "[2,\"1\",\"StopTransaction\", {\"meterStop\":0.10,\"transactionId\" : 1234 ,\"x\":1.0}]");
	buf_free(&out);
}

static void puts_a_member_at_the_front(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "[2, {\"a\":1}]", "[2, {\"offline\":true,\"a\":1}]" },
		{ "[2, { }]", "[2, {\"offline\":true }]" },
		{ "[2, {}]", "[2, {\"offline\":true}]" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = slice_of(cases[i][0]);
		struct buf out = { 0 };
		splice_insert_member(&out, text, (struct slice){ text.p + 4, text.n - 5 }, SLICE("\"offline\":true"));
		assert_slice(buf_view(&out), cases[i][1]);
		buf_free(&out);
	}
}

static void chooses_our_preference_among_the_offered(void **state)
{
	(void)state;
	static const enum ocpp_version ours[] = { OCPP201, OCPP16 };
	assert_int_equal(version_choose(SLICE("ocpp1.6, ocpp2.0.1"), ours, 2), OCPP201);
	assert_int_equal(version_choose(SLICE("ocpp2.1,\tocpp1.6 "), ours, 2), OCPP16);
	assert_int_equal(version_choose(SLICE("ocpp2.1,ocpp1.5"), ours, 2), ERR_UNSUPPORTED);
	assert_int_equal(version_choose(SLICE("ocpp1.6x,xocpp2.0.1,"), ours, 2), ERR_UNSUPPORTED);
	assert_int_equal(version_choose((struct slice){ NULL, 0 }, ours, 2), ERR_UNSUPPORTED);
	for (int v = OCPP16; v < OCPP_VERSIONS; v++)
		assert_int_equal(version_parse(slice_of(version_subprotocol(v))), v);
	assert_int_equal(version_parse(SLICE("OCPP1.6")), ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_values_by_path),
		cmocka_unit_test(replaces_one_window_only),
		cmocka_unit_test(puts_a_member_at_the_front),
		cmocka_unit_test(chooses_our_preference_among_the_offered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
