/* How near the end of a certificate is, and for whom that is no news. */
#include "gateway/pki/expiry.h"

#include "base/clock.h"
#include "tests/unit/unit.h"

#define DAY (24 * 3600 * US_PER_S)
#define NOW (20000 * DAY)

static enum expiry_level level(int64_t whole, int64_t left)
{
	struct cert_facts f = { .starts_us = NOW + left - whole, .ends_us = NOW + left };
	return expiry_level(&f, NOW);
}

static void test_each_distance_begins_at_its_day(void **state)
{
	(void)state;
	assert_int_equal(level(365 * DAY, 90 * DAY + 1), EXPIRY_FAR);
	assert_int_equal(level(365 * DAY, 90 * DAY), EXPIRY_90);
	assert_int_equal(level(365 * DAY, 30 * DAY + 1), EXPIRY_90);
	assert_int_equal(level(365 * DAY, 30 * DAY), EXPIRY_30);
	assert_int_equal(level(365 * DAY, 7 * DAY + 1), EXPIRY_30);
	assert_int_equal(level(365 * DAY, 7 * DAY), EXPIRY_7);
	assert_int_equal(level(365 * DAY, 1), EXPIRY_7);
	assert_int_equal(level(365 * DAY, 0), EXPIRY_OVER);
	assert_int_equal(level(365 * DAY, -900 * DAY), EXPIRY_OVER);
}

/* The standard recommends less than a day for a CSMS; a common authority gives ninety days. */
static void test_a_distance_that_it_never_had_is_none(void **state)
{
	(void)state;
	assert_int_equal(level(DAY, DAY / 2), EXPIRY_FAR);
	assert_int_equal(level(DAY, 0), EXPIRY_OVER);
	assert_int_equal(level(90 * DAY, 89 * DAY), EXPIRY_FAR);
	assert_int_equal(level(90 * DAY, 30 * DAY), EXPIRY_30);
	assert_int_equal(level(7 * DAY, DAY), EXPIRY_FAR);
	assert_int_equal(level(30 * DAY, 7 * DAY), EXPIRY_7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_distance_begins_at_its_day),
		cmocka_unit_test(test_a_distance_that_it_never_had_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
