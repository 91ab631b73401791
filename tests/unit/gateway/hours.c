/* Times of day, also past midnight. */
#include "gateway/power/hours.h"

#include "base/clock.h"
#include "tests/unit/unit.h"

#define AT(h, m) (((h)*60 + (m)) * 60 * US_PER_S)

static void test_what_is_a_time_of_day(void **state)
{
	int from, to;
	(void)state;
	assert_true(hours_read("22:00-06:30", &from, &to) && from == 1320 && to == 390);
	assert_true(hours_read("0:00-24:00", &from, &to) && from == 0 && to == 1440);
	assert_false(hours_read("22:00", &from, &to));
	assert_false(hours_read("25:00-06:00", &from, &to));
	assert_false(hours_read("22:60-06:00", &from, &to));
	assert_false(hours_read("24:01-06:00", &from, &to));
	assert_false(hours_read("22:00-06:00 daily", &from, &to));
}

static void test_inside_and_outside(void **state)
{
	const char *const night[] = { "22:00-06:00", "12:00-13:00", NULL }, *const none[] = { NULL }, *const always[] = { "00:00-24:00", NULL };
	int64_t day = 20000 * AT(24, 0);
	(void)state;
	assert_true(hours_include(night, day + AT(22, 0)));
	assert_true(hours_include(night, day + AT(23, 59)));
	assert_true(hours_include(night, day));
	assert_true(hours_include(night, day + AT(5, 59)));
	assert_false(hours_include(night, day + AT(6, 0)));
	assert_true(hours_include(night, day + AT(12, 30)));
	assert_false(hours_include(night, day + AT(13, 0)));
	assert_false(hours_include(night, day + AT(21, 59)));
	assert_false(hours_include(none, day));
	assert_true(hours_include(always, day + AT(23, 59)));
	assert_true(hours_include(night, -AT(1, 0))); /* before 1970, 23:00 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_a_time_of_day),
		cmocka_unit_test(test_inside_and_outside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
