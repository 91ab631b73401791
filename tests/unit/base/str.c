/* Text helpers: times as stations in the field write them, encodings, and the nearest word. */
#include "tests/unit/unit.h"

static void test_times_of_the_field_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
		{ "2026-03-02T17:04:05.123Z", INT64_C(1772471045123000) },
		{ "2026-03-02T17:04:05Z", INT64_C(1772471045000000) },
		{ "2026-03-02T17:04:05.123456Z", INT64_C(1772471045123456) },
		{ "2026-03-02T18:04:05+01:00", INT64_C(1772471045000000) },
		{ "2026-03-02T19:04:05+02", INT64_C(1772471045000000) },   /* seen on chargers: offset without minutes */
		{ "2026-03-02T19:04:05+0200", INT64_C(1772471045000000) },
		{ "2026-03-02T17:04:05", INT64_C(1772471045000000) },      /* seen on chargers: no zone */
		{ "2026-03-02 17:04:05Z", INT64_C(1772471045000000) },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2024-02-29T00:00:00Z", INT64_C(1709164800000000) },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t us = -1;
		if (time_parse(slice_of(cases[i].text), &us) != 0 || us != cases[i].us)
			fail_msg("case %zu: %s gave %lld", i, cases[i].text, (long long)us);
	}
}

static void test_what_is_no_time_is_refused(void **state)
{
	static const char *const cases[] = { "", "2026", "2026-13-01T00:00:00Z", "2026-03-02T17:04", "2026-03-02T17:04:05.Z", "2026-03-02T17:04:05Zx", "x" };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t us;
		/* A time without seconds is read: 2.x forbids it, 1.6 stations send it. */
		int want = strcmp(cases[i], "2026-03-02T17:04") == 0 ? 0 : ERR_SYNTAX;
		if (time_parse(slice_of(cases[i]), &us) != want)
			fail_msg("case %zu: %s", i, cases[i]);
	}
}

static void test_time_text_is_what_was_read(void **state)
{
	char text[TIME_TEXT];
	(void)state;
	assert_string_equal(time_text(INT64_C(1772471045123999), text), "2026-03-02T17:04:05.123Z");
	assert_string_equal(time_text(-1, text), "1969-12-31T23:59:59.999Z");
}

static void test_integers_keep_all_64_bits(void **state)
{
	int64_t v;
	(void)state;
	assert_int_equal(int_parse(SLICE("9223372036854775807"), &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(int_parse(SLICE("-9223372036854775808"), &v), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(int_parse(SLICE("9223372036854775808"), &v), ERR_TOO_LARGE);
	assert_int_equal(int_parse(SLICE("1e3"), &v), ERR_SYNTAX);
	assert_int_equal(int_parse(SLICE(""), &v), ERR_SYNTAX);
}

static void test_base64_of_the_standards_example(void **state)
{
	/* 1.6-J 6.2.2: identity AL1000 with key 0001020304050607FFFF...FF */
	unsigned char bytes[64];
	char text[64];
	int n = base64_parse(SLICE("QUwxMDAwOgABAgMEBQYH////////////////"), bytes, sizeof(bytes));
	(void)state;
	assert_int_equal(n, 27);
	assert_memory_equal(bytes, "AL1000:\0\1\2\3\4\5\6\7\xff", 16);
	base64_text(bytes, (size_t)n, text);
	assert_string_equal(text, "QUwxMDAwOgABAgMEBQYH////////////////");
	assert_int_equal(base64_parse(SLICE("a!b="), bytes, sizeof(bytes)), ERR_SYNTAX);
}

static void test_identities_are_decoded_once(void **state)
{
	char out[64];
	(void)state;
	assert_int_equal(percent_decode(SLICE("RDAM%20123"), out), 8);
	assert_string_equal(out, "RDAM 123");
	assert_int_equal(percent_decode(SLICE("a%2"), out), ERR_SYNTAX);
	percent_encode(SLICE("RDAM|123"), out);
	assert_string_equal(out, "RDAM%7C123");
}

static void test_bad_utf8_is_seen(void **state)
{
	(void)state;
	assert_true(utf8_valid(SLICE("Stra\xc3\x9f" "e \xf0\x9f\x94\x8c")));
	assert_false(utf8_valid(SLICE("\xc0\x80")));
	assert_false(utf8_valid(SLICE("\xed\xa0\x80")));
	assert_false(utf8_valid(SLICE("\xf4\x90\x80\x80")));
	assert_false(utf8_valid(SLICE("\xe2\x82")));
}

static void test_the_nearest_word(void **state)
{
	static const char *const words[] = { "row-a", "row-b", "username", "password", NULL };
	(void)state;
	assert_string_equal(str_nearest("row-c", words), "row-a");
	assert_string_equal(str_nearest("user", words), "username");
	assert_string_equal(str_nearest("pasword", words), "password");
	assert_null(str_nearest("transformer", words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_of_the_field_are_read),
		cmocka_unit_test(test_what_is_no_time_is_refused),
		cmocka_unit_test(test_time_text_is_what_was_read),
		cmocka_unit_test(test_integers_keep_all_64_bits),
		cmocka_unit_test(test_base64_of_the_standards_example),
		cmocka_unit_test(test_identities_are_decoded_once),
		cmocka_unit_test(test_bad_utf8_is_seen),
		cmocka_unit_test(test_the_nearest_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
