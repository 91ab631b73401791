/* The duty tables of IEC 61851-1 (A.7 for the station, A.8 for the car), and that the two never promise more than was permitted. */
#include "station/duty.h"

#include "tests/unit/unit.h"

static void test_the_duty_of_a_current(void **state)
{
	static const struct {
		int32_t ma;
		uint16_t duty;
	} table[] = {
		{ 0, DUTY_STEADY }, { 5999, DUTY_STEADY }, { 6000, 1000 }, { 9600, 1600 }, { 10000, 1666 }, { 12000, 2000 }, { 13000, 2166 },
		{ 16000, 2666 }, { 18000, 3000 }, { 20000, 3333 }, { 24000, 4000 }, { 30000, 5000 }, { 32000, 5333 }, { 36000, 6000 }, { 42000, 7000 },
		{ 48000, 8000 }, { 50999, 8499 }, { 51000, 8500 }, { 52000, 8500 }, { 52499, 8500 }, { 52500, 8500 }, { 55000, 8600 }, { 60000, 8800 },
		{ 63000, 8920 }, { 70000, 9200 }, { 80000, 9600 }, { 125000, 9600 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (duty_of_ma(table[i].ma) != table[i].duty)
			fail_msg("%d mA: duty %u, want %u", (int)table[i].ma, duty_of_ma(table[i].ma), table[i].duty);
	}
}

static void test_the_current_of_a_duty(void **state)
{
	static const struct {
		uint16_t duty;
		int32_t ma;
	} table[] = {
		{ 0, 0 }, { 299, 0 }, { 300, 0 }, { 500, 0 }, { 700, 0 }, { 701, 0 }, { 799, 0 }, { 800, 6000 }, { 900, 6000 }, { 999, 6000 },
		{ 1000, 6000 }, { 1600, 9600 }, { 2000, 12000 }, { 2500, 15000 }, { 3000, 18000 }, { 4000, 24000 }, { 5000, 30000 }, { 6000, 36000 },
		{ 8000, 48000 }, { 8500, 51000 }, { 8600, 55000 }, { 8800, 60000 }, { 9000, 65000 }, { 9600, 80000 }, { 9601, 80000 }, { 9700, 80000 },
		{ 9701, 0 }, { 10000, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (duty_to_ma(table[i].duty) != table[i].ma)
			fail_msg("duty %u: %d mA, want %d", table[i].duty, (int)duty_to_ma(table[i].duty), (int)table[i].ma);
	}
	assert_false(duty_is_digital(299));
	assert_true(duty_is_digital(DUTY_DIGITAL));
	assert_false(duty_is_digital(701));
}

static void test_no_offer_is_read_as_more_than_was_meant(void **state)
{
	(void)state;
	for (int32_t ma = 0; ma <= 90000; ma++) {
		int32_t read = duty_to_ma(duty_of_ma(ma));
		int32_t lost = ma - read;
		int most_lost = ma > 51000 && ma < 52525 ? 1525 : ma <= 51000 ? 6 : 25;
		if (read > ma || (ma >= DUTY_LEAST_MA && ma <= DUTY_MOST_MA && lost >= most_lost))
			fail_msg("%d mA is read as %d", (int)ma, (int)read);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_duty_of_a_current),
		cmocka_unit_test(test_the_current_of_a_duty),
		cmocka_unit_test(test_no_offer_is_read_as_more_than_was_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
