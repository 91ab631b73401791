/* Levels of the pilot and resistors of the proximity contact, at the windows of IEC 61851-1 and at their borders. */
#include "station/pilot.h"

#include "tests/unit/unit.h"

static void test_letters(void **state)
{
	static const struct {
		int32_t mv;
		char letter;
	} table[] = {
		{ 12600, 'A' }, { 12000, 'A' }, { 11400, 'A' }, { 9560, 'B' }, { 9000, 'B' }, { 8360, 'B' }, { 6490, 'C' }, { 6000, 'C' }, { 5480, 'C' },
		{ 3250, 'D' }, { 3000, 'D' }, { 2620, 'D' }, { 600, 'E' }, { 0, 'E' }, { -600, 'E' }, { -11400, 'F' }, { -12600, 'F' },
	};
	static const char before[] = { 0, 'A', 'B', 'C', 'D', 'E', 'F' };
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (size_t b = 0; b < sizeof(before); b++) {
			char got = pilot_letter(table[i].mv, before[b]);
			if (got != table[i].letter)
				fail_msg("%d mV after %c: %c, want %c", (int)table[i].mv, before[b] ? before[b] : '-', got, table[i].letter);
		}
	}
}

static void test_a_level_at_a_border_stays_what_it_was(void **state)
{
	(void)state;
	assert_int_equal(pilot_letter(10400, 'A'), 'A');
	assert_int_equal(pilot_letter(10600, 'B'), 'B');
	assert_int_equal(pilot_letter(10100, 'A'), 'B');
	assert_int_equal(pilot_letter(10900, 'B'), 'A');
	assert_int_equal(pilot_letter(7300, 'B'), 'B');
	assert_int_equal(pilot_letter(7700, 'C'), 'C');
	assert_int_equal(pilot_letter(4300, 'C'), 'C');
	assert_int_equal(pilot_letter(4700, 'D'), 'D');
}

static void test_a_diode(void **state)
{
	(void)state;
	assert_true(pilot_sees_diode(-12000));
	assert_true(pilot_sees_diode(-11400));
	assert_false(pilot_sees_diode(-8790)); /* loaded with 2.7 kohm: B without a diode */
	assert_false(pilot_sees_diode(-5610)); /* 880 ohm: C */
	assert_false(pilot_sees_diode(12000));
}

static void test_cables(void **state)
{
	static const struct {
		int32_t ohm, ma;
	} table[] = {
		{ PROXIMITY_OPEN, 0 }, { 2201, 0 }, { 2200, 13000 }, { 1500, 13000 }, { 1000, 13000 }, { 999, 20000 }, { 680, 20000 }, { 330, 20000 },
		{ 329, 32000 }, { 220, 32000 }, { 150, 32000 }, { 149, 63000 }, { 100, 63000 }, { 75, 63000 }, { 74, 0 }, { 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (proximity_ma(table[i].ohm) != table[i].ma)
			fail_msg("%d ohm: %d mA, want %d", (int)table[i].ohm, (int)proximity_ma(table[i].ohm), (int)table[i].ma);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_a_level_at_a_border_stays_what_it_was),
		cmocka_unit_test(test_a_diode),
		cmocka_unit_test(test_cables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
