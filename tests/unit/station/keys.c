/* One table, two device models. */
#include "station/keys.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static void test_a_value_set_by_one_name_is_shown_by_the_other(void **state)
{
	struct keys k;
	(void)state;
	keys_open(&k, 0);
	int by_key = keys_find(0, SLICE("metervaluesampleinterval"));
	int by_variable = keys_find(1, SLICE("SampledDataCtrlr.TxUpdatedInterval"));
	assert_true(by_key >= 0 && by_key == by_variable);
	assert_int_equal(keys_set(&k, (size_t)by_key, SLICE("15")), 0);
	assert_string_equal(keys_text(&k, (size_t)by_variable), "15");
	assert_int_equal(keys_int(&k, KEY_SAMPLE_INTERVAL), 15);
	keys_close(&k);
}

static void test_bad_values_and_read_only_rows_stay_as_they_were(void **state)
{
	struct keys k;
	(void)state;
	keys_open(&k, 0);
	assert_int_equal(keys_set(&k, KEY_HEARTBEAT, SLICE("-1")), ERR_INVALID);
	assert_int_equal(keys_set(&k, KEY_HEARTBEAT, SLICE("soon")), ERR_INVALID);
	assert_int_equal(keys_set(&k, KEY_SAMPLED_DATA, SLICE("Voltage,Smell")), ERR_INVALID);
	assert_int_equal(keys_set(&k, KEY_LOCAL_OFFLINE, SLICE("yes")), ERR_INVALID);
	assert_int_equal(keys_set(&k, KEY_CONNECTORS, SLICE("9")), ERR_REFUSED);
	assert_int_equal(keys_int(&k, KEY_HEARTBEAT), 300);
	assert_int_equal(keys_set(&k, KEY_OFFLINE_UNKNOWN, SLICE("True")), 0);
	assert_true(keys_bool(&k, KEY_OFFLINE_UNKNOWN));
	keys_close(&k);
}

static void test_unknown_variables_and_unknown_components_differ(void **state)
{
	(void)state;
	assert_int_equal(keys_find(1, SLICE("TxCtrlr.Nothing")), ERR_NOT_FOUND);
	assert_true(keys_has_component(1, SLICE("TxCtrlr.Nothing")));
	assert_false(keys_has_component(1, SLICE("Nothing.TxStartPoint")));
	assert_int_equal(keys_find(1, SLICE("NumberOfConnectors")), ERR_NOT_FOUND);
}

static void test_every_preset_of_a_writable_row_is_a_value_for_it(void **state)
{
	struct keys k;
	(void)state;
	keys_open(&k, 0);
	for (size_t row = 0; row < keys_count(); row++) {
		char value[128];
		assert_true(keys_name(row, 0) || keys_name(row, 1));
		snprintf(value, sizeof(value), "%s", keys_text(&k, row));
		if (keys_kind(row)->access == ACCESS_BOTH && keys_set(&k, row, slice_of(value)) != 0)
			fail_msg("row %zu", row);
	}
	keys_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_set_by_one_name_is_shown_by_the_other),
		cmocka_unit_test(test_bad_values_and_read_only_rows_stay_as_they_were),
		cmocka_unit_test(test_unknown_variables_and_unknown_components_differ),
		cmocka_unit_test(test_every_preset_of_a_writable_row_is_a_value_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
