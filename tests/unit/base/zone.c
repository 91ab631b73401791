/* Local time of places with and without summer time. Moments are UTC, written out by hand from the calendar. */
#include "base/zone.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static int64_t at(const char *text)
{
	int64_t us;
	assert_int_equal(time_parse(slice_of(text), &us), 0);
	return us;
}

static void a_day_has_23_24_or_25_hours(void **state)
{
	struct zone *z = zone_open("Europe/Berlin");
	(void)state;
	if (!z)
		skip(); /* no zone files on this machine */
	assert_int_equal(zone_offset_us(z, at("2026-01-15T12:00:00Z")), 3600 * US_PER_S);
	assert_int_equal(zone_offset_us(z, at("2026-03-29T00:59:59Z")), 3600 * US_PER_S);
	assert_int_equal(zone_offset_us(z, at("2026-03-29T01:00:00Z")), 7200 * US_PER_S);
	assert_int_equal(zone_offset_us(z, at("2026-10-25T00:59:59Z")), 7200 * US_PER_S);
	assert_int_equal(zone_offset_us(z, at("2026-10-25T01:00:00Z")), 3600 * US_PER_S);
	/* Far behind what the file lists: its rule. */
	assert_int_equal(zone_offset_us(z, at("2075-07-01T00:00:00Z")), 7200 * US_PER_S);
	assert_int_equal(zone_offset_us(z, at("2075-12-01T00:00:00Z")), 3600 * US_PER_S);
	zone_close(&z);
}

static void a_local_time_is_one_moment(void **state)
{
	struct zone *z = zone_open("Europe/Berlin");
	(void)state;
	if (!z)
		skip();
	assert_int_equal(zone_utc_us(z, at("2026-01-15T22:00:00Z")), at("2026-01-15T21:00:00Z"));
	assert_int_equal(zone_utc_us(z, at("2026-07-15T22:00:00Z")), at("2026-07-15T20:00:00Z"));
	assert_int_equal(zone_utc_us(z, at("2026-03-29T02:30:00Z")), at("2026-03-29T01:30:00Z")); /* left out: 03:30 is shown then */
	assert_int_equal(zone_utc_us(z, at("2026-10-25T02:30:00Z")), at("2026-10-25T00:30:00Z")); /* shown twice: the first */
	assert_int_equal(zone_utc_us(z, at("2026-10-25T03:00:00Z")), at("2026-10-25T02:00:00Z"));
	zone_close(&z);
}

static void the_south_has_its_summer_over_new_year(void **state)
{
	struct zone *z = zone_open("Australia/Sydney");
	(void)state;
	if (!z)
		skip();
	assert_int_equal(zone_offset_us(z, at("2060-01-01T00:00:00Z")), 11 * 3600 * US_PER_S);
	assert_int_equal(zone_offset_us(z, at("2060-06-01T00:00:00Z")), 10 * 3600 * US_PER_S);
	zone_close(&z);
}

static void what_is_no_zone_is_none(void **state)
{
	(void)state;
	assert_null(zone_open("Europe/Nowhere"));
	assert_null(zone_open("../../etc/passwd"));
	assert_null(zone_open("/etc/localtime"));
	assert_null(zone_open(""));
	assert_int_equal(zone_offset_us(NULL, 0), 0);
	assert_int_equal(zone_utc_us(NULL, 42), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_has_23_24_or_25_hours),
		cmocka_unit_test(a_local_time_is_one_moment),
		cmocka_unit_test(the_south_has_its_summer_over_new_year),
		cmocka_unit_test(what_is_no_zone_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
