/* Meter values tell what is known, and nothing that is not. */
#include "station/sampling.h"

#include <math.h>

#include "tests/unit/unit.h"

static const struct evse_input full = { .i_a = { 10, 9, 8 }, .v = { 230, 231, 229 }, .energy_wh = 1234 };

static measurands parse(const char *list)
{
	measurands m = 0;
	assert_int_equal(sampling_parse(slice_of(list), &m), 0);
	return m;
}

static void test_all_phases_of_what_is_wanted(void **state)
{
	struct sample s[SAMPLES_MOST];
	(void)state;
	assert_int_equal(sampling_take(&full, 3, 16000, parse(MEASURANDS_DEFAULT), SAMPLE_PERIODIC, 5, s), 8);
	assert_true(s[0].measurand == MEAS_ENERGY_IMPORT && s[0].phase == 0 && s[0].value == 1234 && s[0].time_us == 5);
	assert_true(s[3].measurand == MEAS_CURRENT_IMPORT && s[3].phase == 3 && s[3].value == 8);
	assert_true(s[5].measurand == MEAS_VOLTAGE && s[5].phase == 2 && s[5].value == 231);
	assert_true(s[7].measurand == MEAS_POWER_IMPORT && s[7].value == 10 * 230 + 9 * 231 + 8 * 229);
	assert_int_equal(sampling_take(&full, 1, 16000, parse("Current.Import, Current.Offered"), SAMPLE_BEGIN, 5, s), 2);
	assert_true(s[0].begin && !s[0].end && s[1].measurand == MEAS_CURRENT_OFFERED && s[1].value == 16);
}

static void test_what_is_not_known_is_left_out(void **state)
{
	struct sample s[SAMPLES_MOST];
	struct evse_input in = full;
	(void)state;
	in.v[1] = NAN;
	assert_int_equal(sampling_take(&in, 3, 0, parse("Voltage,Power.Active.Import"), SAMPLE_END, 5, s), 2);
	assert_true(s[0].phase == 1 && s[1].phase == 3 && s[0].end);
}

static void test_an_unknown_measurand_spoils_the_list(void **state)
{
	measurands m = 77;
	(void)state;
	assert_int_equal(sampling_parse(SLICE("Voltage,Smell"), &m), ERR_INVALID);
	assert_int_equal(m, 77);
	assert_int_equal(parse(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_phases_of_what_is_wanted),
		cmocka_unit_test(test_what_is_not_known_is_left_out),
		cmocka_unit_test(test_an_unknown_measurand_spoils_the_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
