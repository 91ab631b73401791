/* Reading: trees in blocks beside lasting ones. */
#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

static void test_both_readers_agree(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "{}", true }, { " [1,\"a\",{\"b\":null}] \n", true }, { "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"", true },
		{ "{\"a\":\"\\\\\\\"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{\"}", true },
		{ "", false }, { "{", false }, { "{} x", false }, { "{\"a\":}", false }, { "[1,2", false }, { "\"open", false }, { "\"\\", false },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", false }, /* one deeper than JSON_DEPTH */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cJSON *lasting = json_parse(slice_of(cases[i].text)), *passing = json_read(slice_of(cases[i].text));
		if (!lasting == cases[i].good || !passing == cases[i].good)
			fail_msg("case %zu: %s", i, cases[i].text);
		cJSON_Delete(lasting);
		json_free(passing);
	}
}

static void test_trees_do_not_disturb_each_other(void **state)
{
	struct buf large = { 0 };
	(void)state;
	buf_puts(&large, "[");
	for (int i = 0; i < 3000; i++)
		buf_printf(&large, "%s\"member %d\"", i ? "," : "", i);
	buf_puts(&large, "]");
	cJSON *lasting = json_parse(SLICE("{\"a\":\"stays\"}"));
	cJSON *many = json_read(buf_view(&large)), *few = json_read(SLICE("{\"a\":[1,2]}"));
	assert_true(slice_is(json_text(many, "0"), "member 0"));
	assert_true(slice_is(json_text(many, "2999"), "member 2999"));
	assert_int_equal(json_int(few, "a.1", 0), 2);
	json_free(many);
	cJSON *next = json_read(SLICE("[\"other\"]"));
	assert_int_equal(json_int(few, "a.0", 0), 1);
	assert_true(slice_is(json_text(next, "0"), "other"));
	json_free(few);
	json_free(next);
	cJSON_AddStringToObject(lasting, "b", "grows");
	assert_true(slice_is(json_text(lasting, "a"), "stays"));
	assert_true(slice_is(json_text(lasting, "b"), "grows"));
	cJSON_Delete(lasting);
	buf_free(&large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_readers_agree),
		cmocka_unit_test(test_trees_do_not_disturb_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
