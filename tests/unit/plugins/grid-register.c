/* A register of the grid operator: what is a limit, what lifts it, and what is neither. */
#include "plugins/grid-register.h"

#include <math.h>

#include "base/json.h"
#include "tests/unit/unit.h"

#define FAULT (-1.0)

static void test_what_a_register_says(void **state)
{
	static const struct {
		const char *config;
		uint16_t words[2];
		double watts;   /* FAULT: it says nothing */
	} cases[] = {
		{ "{\"type\":\"u16\",\"scale\":100}", { 42 }, 4200 },
		{ "{\"type\":\"u16\"}", { 0 }, 0 },
		{ "{\"type\":\"u16\"}", { 0x8000 }, 32768 },
		{ "{\"type\":\"u16\"}", { 0xFFFF }, FAULT },
		{ "{\"type\":\"u16\",\"no_limit\":65535}", { 0xFFFF }, INFINITY },
		{ "{\"type\":\"u16\",\"no_limit\":0}", { 0 }, INFINITY },
		{ "{}", { 1, 0 }, 65536 },
		{ "{}", { 0xFFFF, 0xFFFF }, FAULT },
		{ "{}", { 0xFFFF, 0xFFFE }, 4294967294.0 },
		{ "{\"no_limit\":4294967295}", { 0xFFFF, 0xFFFF }, INFINITY },
		{ "{\"no_limit\":100000}", { 0xFFFF, 0xFFFF }, FAULT },
		{ "{\"no_limit\":100000,\"scale\":10}", { 1, 0x86A0 }, INFINITY },
		{ "{\"scale\":1000}", { 0xFFFF, 0xFFFE }, FAULT }, /* more than there is */
		{ "{\"type\":\"s32\"}", { 0, 4200 }, 4200 },
		{ "{\"type\":\"s32\"}", { 0x8000, 0 }, FAULT },
		{ "{\"type\":\"s32\"}", { 0xFFFF, 0xFFFF }, FAULT },
		{ "{\"type\":\"s32\",\"no_limit\":\"negative\"}", { 0x8000, 0 }, INFINITY },
		{ "{\"type\":\"s32\",\"no_limit\":-1}", { 0xFFFF, 0xFFFF }, INFINITY },
		{ "{\"type\":\"s32\",\"no_limit\":-1}", { 0xFFFF, 0xFFFE }, FAULT },
		{ "{\"type\":\"f32\"}", { 0x4583, 0x4000 }, 4200 },
		{ "{\"type\":\"f32\"}", { 0x7FC0, 0 }, FAULT }, /* NaN */
		{ "{\"type\":\"f32\"}", { 0xFFFF, 0xFFFF }, FAULT },
		{ "{\"type\":\"f32\"}", { 0x7F80, 0 }, FAULT }, /* infinity */
		{ "{\"type\":\"f32\"}", { 0xBF80, 0 }, FAULT }, /* -1 */
		{ "{\"type\":\"f32\",\"no_limit\":\"nan\"}", { 0x7FC0, 0 }, INFINITY },
		{ "{\"type\":\"f32\",\"no_limit\":\"nan\"}", { 0x7F80, 0 }, FAULT },
		{ "{\"type\":\"f32\",\"no_limit\":\"negative\"}", { 0xBF80, 0 }, INFINITY },
		{ "{\"type\":\"f32\",\"no_limit\":\"negative\"}", { 0x7FC0, 0 }, FAULT },
		{ "{\"type\":\"f32\",\"no_limit\":0.1}", { 0x3DCC, 0xCCCD }, INFINITY },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct grid_register r;
		char why[100] = "";
		double watts;
		cJSON *config = json_parse(slice_of(cases[i].config));
		assert_int_equal(grid_register_configure(&r, config, why, sizeof(why)), 0);
		cJSON_Delete(config);
		int rc = grid_register_read(&r, cases[i].words, &watts, why, sizeof(why));
		if (cases[i].watts == FAULT ? rc == 0 : rc != 0 || watts != cases[i].watts)
			fail_msg("case %zu: %d, %g W, %s", i, rc, watts, why);
		if (rc != 0 && !strstr(why, "which is no limit"))
			fail_msg("case %zu does not say what is wrong: %s", i, why);
	}
}

static void test_what_a_fault_says(void **state)
{
	struct grid_register r = { .type = 'u', .scale = 1 };
	uint16_t words[] = { 0xFFFF, 0xFFFF };
	char why[100];
	double watts;
	(void)state;
	assert_int_equal(grid_register_read(&r, words, &watts, why, sizeof(why)), ERR_INVALID);
	assert_string_equal(why, "the register holds 0xFFFFFFFF, which is no limit");
}

static void test_no_limit_has_to_be_a_value(void **state)
{
	struct grid_register r;
	char why[100];
	cJSON *config = json_parse(slice_of("{\"no_limit\":\"never\"}"));
	(void)state;
	assert_int_equal(grid_register_configure(&r, config, why, sizeof(why)), ERR_INVALID);
	cJSON_Delete(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_register_says),
		cmocka_unit_test(test_what_a_fault_says),
		cmocka_unit_test(test_no_limit_has_to_be_a_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
