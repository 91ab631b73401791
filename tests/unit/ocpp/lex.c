/* Reading JSON where it stands. */
#include "tests/unit/unit.h"

#include <math.h>

#include "ocpp/lex.h"

static struct lex lex_of(const char *text)
{
	return (struct lex){ .p = text, .end = text + strlen(text) };
}

static void test_numbers_by_their_digits(void **state)
{
	static const struct {
		const char *text;
		double value;
		bool integer, tenths;
	} cases[] = {
		{ "0", 0, true, true },           { "-0.0", 0, true, true },
		{ "1.50", 1.5, false, true },     { "1.50e1", 15, true, true },
		{ "100e-2", 1, true, true },      { "100e-3", 0.1, false, true },
		{ "0.001e3", 1, true, true },     { "16.15", 16.15, false, false },
		{ "0e999999999999", 0, true, true }, { "123456789012345678901234567890", 123456789012345678901234567890.0, true, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lex s = lex_of(cases[i].text);
		struct lex_number n;
		assert_true(lex_number(&s, &n));
		assert_ptr_equal(s.p, s.end);
		if (fabs(lex_value(&n) - cases[i].value) > 1e-12 * fabs(cases[i].value) || lex_is_integer(&n) != cases[i].integer ||
		    lex_is_tenths(&n, 1e-6) != cases[i].tenths)
			fail_msg("case %zu: %s gave %.17g", i, cases[i].text, lex_value(&n));
	}
}

static void test_numbers_beyond_a_double(void **state)
{
	struct lex s = lex_of("-1e400"), t = lex_of("1e-400"), u = lex_of("1e99999999999999999999");
	struct lex_number n;
	(void)state;
	assert_true(lex_number(&s, &n) && isinf(lex_value(&n)) && lex_value(&n) < 0);
	assert_true(lex_number(&t, &n) && lex_value(&n) == 0 && !lex_is_integer(&n));
	assert_true(lex_number(&u, &n) && isinf(lex_value(&n)) && lex_is_integer(&n));
}

static void test_what_is_no_number(void **state)
{
	static const char *const cases[] = { "-", "01", "1.", "1.e1", "1e", "1e+", "0x10", "1a", "--1", "1\"" };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lex s = lex_of(cases[i]);
		struct lex_number n;
		if (lex_number(&s, &n))
			fail_msg("%s passed", cases[i]);
	}
}

static void test_strings_are_windows(void **state)
{
	struct lex s = lex_of("\"a\\u0042\\ud83d\\udd0c\xc3\xa9\" x");
	struct lex_text t;
	char room[LEX_PLAIN];
	(void)state;
	assert_true(lex_text(&s, &t));
	assert_slice(t.raw, "a\\u0042\\ud83d\\udd0c\xc3\xa9");
	assert_int_equal(t.points, 4);
	assert_true(t.escaped && !t.garbled);
	assert_slice(lex_plain(&t, room), "aB\x7f\xc3\xa9");
	assert_int_equal(lex_peek(&s), 'x');
}

static void test_no_unicode_is_noted_and_read_over(void **state)
{
	static const char *const cases[] = { "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud800\\u0041\"", "\"\xff\"", "[\"a\",{\"\\ud800\":1}]" };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lex s = lex_of(cases[i]);
		assert_true(lex_skip(&s) && s.garbled && s.p == s.end);
	}
}

static void test_any_value_is_skipped_whole(void **state)
{
	static const char *const good[] = { "null", "true", "false", "-1.5e3", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "[]", "{}", "[ 1 , [ ] , { \"a\" : { } } ]",
		                            "{\"a\":[{\"b\":null}],\"\":0}" };
	static const char *const bad[] = { "", "nul", "tru", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1]", "[", "\"a", "\"\\", "\"\\u12\"",
		                           "\"\\q\"", "\"a\nb\"", "'a'", "/**/1" };
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct lex s = lex_of(good[i]);
		if (!lex_skip(&s) || s.p != s.end || s.depth)
			fail_msg("%s was refused", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lex s = lex_of(bad[i]);
		if (lex_skip(&s))
			fail_msg("%s passed", bad[i]);
	}
}

static void test_nesting_has_an_end(void **state)
{
	char text[2 * LEX_DEPTH + 3];
	(void)state;
	for (int levels = LEX_DEPTH; levels <= LEX_DEPTH + 1; levels++) {
		memset(text, '[', (size_t)levels);
		memset(text + levels, ']', (size_t)levels);
		text[2 * levels] = 0;
		struct lex s = lex_of(text);
		assert_int_equal(lex_skip(&s), levels == LEX_DEPTH);
		assert_int_equal(s.too_deep, levels > LEX_DEPTH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_by_their_digits),
		cmocka_unit_test(test_numbers_beyond_a_double),
		cmocka_unit_test(test_what_is_no_number),
		cmocka_unit_test(test_strings_are_windows),
		cmocka_unit_test(test_no_unicode_is_noted_and_read_over),
		cmocka_unit_test(test_any_value_is_skipped_whole),
		cmocka_unit_test(test_nesting_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
