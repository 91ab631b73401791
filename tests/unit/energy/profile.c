/* Which profile counts when, and what all of them together allow. Time zero of the tests is T0; periods are written as {second, amperes}. */
#include "energy/profile.h"

#include <math.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

#define T0 (INT64_C(1780000000) * US_PER_S)
#define S US_PER_S

static struct profiles installed;
static const struct profile_tx no_tx, running = { .running = true, .start_us = T0 };

static int stage(void **state)
{
	(void)state;
	profiles_open(&installed, 3);
	return 0;
}

static int strike(void **state)
{
	(void)state;
	profiles_close(&installed);
	return 0;
}

static struct charging_profile make(int64_t id, enum profile_purpose purpose, int level, int64_t duration_s, const double (*periods)[2], size_t n)
{
	static struct charging_period room[8];
	for (size_t i = 0; i < n; i++)
		room[i] = (struct charging_period){ .start_s = (int64_t)periods[i][0], .limit = periods[i][1] };
	return (struct charging_profile){ .id = id, .purpose = purpose, .stack_level = level, .kind = PROFILE_ABSOLUTE, .start_us = T0,
		                          .duration_s = duration_s, .periods = room, .n_periods = n };
}
#define PERIODS(...) (const double[][2]){ __VA_ARGS__ }, sizeof((const double[][2]){ __VA_ARGS__ }) / sizeof(double[2])

static void put(int evse, struct charging_profile p)
{
	assert_int_equal(profiles_set(&installed, evse, &p, &running, T0), 0);
}

static double limit_at(int64_t second, const struct profile_tx *tx)
{
	int64_t until = INT64_MAX;
	return profiles_evse_limit(&installed, 1, tx, T0 + second * S, &until).amps;
}

static void expect_composite(const struct profile_tx *tx, int64_t duration_s, const double (*want)[2], size_t n)
{
	struct charging_period got[16];
	struct schedule_ask ask = { .evse = 1, .duration_s = duration_s };
	assert_int_equal(profiles_composite(&installed, &ask, tx, 1, 32, T0, got, 16), n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(got[i].start_s, want[i][0]);
		assert_true(fabs(got[i].limit - want[i][1]) < 1e-9);
	}
}

static void test_the_highest_level_counts_while_its_schedule_lasts(void **state)
{
	(void)state;
	put(1, make(1, PURPOSE_TX_DEFAULT, 0, 400, PERIODS({ 0, 6 }, { 100, 8 }, { 200, 10 })));
	put(1, make(2, PURPOSE_TX_DEFAULT, 1, 150, PERIODS({ 0, 7 }, { 100, 9 })));
	expect_composite(&no_tx, 350, PERIODS({ 0, 7 }, { 100, 9 }, { 150, 8 }, { 200, 10 }));
}

static void test_purposes_combine_by_minimum_and_a_finished_tx_profile_gives_way(void **state)
{
	(void)state;
	put(0, make(1, PURPOSE_STATION_MAX, 0, 86400, PERIODS({ 0, 10 })));
	put(1, make(2, PURPOSE_TX_DEFAULT, 0, 300, PERIODS({ 0, 6 }, { 60, 10 }, { 120, 8 }, { 180, 15 }, { 260, 8 })));
	put(1, make(3, PURPOSE_TX, 0, 260, PERIODS({ 0, 8 }, { 50, 11 }, { 140, 16 }, { 200, 6 }, { 240, 12 })));
	expect_composite(&running, 400, PERIODS({ 0, 8 }, { 50, 10 }, { 200, 6 }, { 240, 10 }, { 260, 8 }, { 300, 10 })); /* K02.FR.08 */
	expect_composite(&no_tx, 400, PERIODS({ 0, 6 }, { 60, 10 }, { 120, 8 }, { 180, 10 }, { 260, 8 }, { 300, 10 }));   /* K08.FR.06 */
}

/* A profile without a start begins within the second that the answer starts with. */
static void test_no_two_periods_of_an_answer_start_in_one_second(void **state)
{
	(void)state;
	struct charging_profile p = make(1, PURPOSE_TX_DEFAULT, 0, 60, PERIODS({ 0, 10 }));
	p.start_us = T0 + S / 5;
	put(1, p);
	expect_composite(&no_tx, 400, PERIODS({ 0, 10 }, { 60, 32 }));
}

static void test_a_tx_profile_replaces_the_default_even_upwards(void **state)
{
	(void)state;
	put(0, make(1, PURPOSE_TX_DEFAULT, 3, 0, PERIODS({ 0, 6 })));
	put(1, make(2, PURPOSE_TX, 0, 0, PERIODS({ 0, 20 })));
	assert_true(limit_at(0, &running) == 20);
	assert_true(limit_at(0, &no_tx) == 6);
}

static void test_an_evse_with_defaults_of_its_own_does_not_look_at_the_stations(void **state)
{
	(void)state;
	put(0, make(1, PURPOSE_TX_DEFAULT, 5, 0, PERIODS({ 0, 6 })));
	put(1, make(2, PURPOSE_TX_DEFAULT, 0, 0, PERIODS({ 0, 13 })));
	assert_true(limit_at(0, &no_tx) == 13);
}

static void test_validity_and_a_start_in_the_future(void **state)
{
	(void)state;
	struct charging_profile p = make(1, PURPOSE_TX_DEFAULT, 0, 0, PERIODS({ 0, 6 }));
	p.start_us = T0 + 60 * S;
	p.valid_to_us = T0 + 300 * S;
	put(1, p);
	expect_composite(&no_tx, 400, PERIODS({ 0, 32 }, { 60, 6 }, { 300, 32 }));
}

static void test_a_daily_schedule_comes_back_every_day(void **state)
{
	(void)state;
	struct charging_profile p = make(1, PURPOSE_TX_DEFAULT, 0, 7200, PERIODS({ 0, 6 }, { 3600, 10 }));
	p.kind = PROFILE_RECURRING;
	p.cycle_s = 86400;
	put(1, p);
	for (int day = 0; day < 3; day++) {
		assert_true(limit_at(day * 86400, &no_tx) == 6);
		assert_true(limit_at(day * 86400 + 3600, &no_tx) == 10);
		assert_true(isinf(limit_at(day * 86400 + 7200, &no_tx)));
	}
	assert_true(isinf(limit_at(-1, &no_tx)));
}

static void test_a_relative_schedule_counts_from_the_transaction(void **state)
{
	(void)state;
	struct profile_tx late = { .running = true, .start_us = T0 + 1000 * S };
	struct charging_profile p = make(1, PURPOSE_TX_DEFAULT, 0, 0, PERIODS({ 0, 16 }, { 600, 8 }));
	p.kind = PROFILE_RELATIVE;
	p.start_us = 0;
	put(1, p);
	assert_true(limit_at(1599, &late) == 16);
	assert_true(limit_at(1600, &late) == 8);
}

static void test_watts_are_divided_by_the_phases_that_can_carry_them(void **state)
{
	(void)state;
	struct charging_profile p = make(1, PURPOSE_TX_DEFAULT, 0, 0, PERIODS({ 0, 11040 }));
	p.watts = true;
	put(1, p);
	assert_true(fabs(limit_at(0, &no_tx) - 16) < 1e-9);
	installed.phases = 1;
	p.periods[0].limit = 3680;
	put(1, p);
	assert_true(fabs(limit_at(0, &no_tx) - 16) < 1e-9);
}

static void test_what_is_said_to_hold_until_then_does(void **state)
{
	int64_t until = INT64_MAX;
	(void)state;
	put(1, make(1, PURPOSE_TX_DEFAULT, 0, 400, PERIODS({ 0, 6 }, { 100, 8 })));
	assert_true(profiles_evse_limit(&installed, 1, &no_tx, T0 + 30 * S, &until).amps == 6);
	assert_true(until == T0 + 100 * S);
	until = INT64_MAX;
	assert_true(profiles_evse_limit(&installed, 1, &no_tx, T0 + 130 * S, &until).amps == 8);
	assert_true(until == T0 + 400 * S);
}

static void test_replacing_clearing_and_the_end_of_a_transaction(void **state)
{
	(void)state;
	put(1, make(1, PURPOSE_TX_DEFAULT, 0, 0, PERIODS({ 0, 6 })));
	put(1, make(7, PURPOSE_TX_DEFAULT, 0, 0, PERIODS({ 0, 7 }))); /* same level and EVSE */
	put(2, make(7, PURPOSE_TX_DEFAULT, 1, 0, PERIODS({ 0, 9 }))); /* same id */
	assert_int_equal(installed.count, 1);
	put(1, make(8, PURPOSE_TX, 0, 0, PERIODS({ 0, 10 })));
	put(2, make(9, PURPOSE_TX, 0, 0, PERIODS({ 0, 11 })));
	profiles_end_tx(&installed, 1);
	assert_int_equal(installed.count, 2);
	struct profile_filter levels = { .id = -1, .evse = -1, .stack_level = 1, .purpose = PURPOSE_TX_DEFAULT };
	assert_int_equal(profiles_clear(&installed, &levels), 1);
	assert_int_equal(profiles_clear(&installed, &levels), 0);
	struct profile_filter all = { .id = -1, .evse = -1, .stack_level = -1 };
	assert_int_equal(profiles_clear(&installed, &all), 1);
}

static void test_what_does_not_belong_is_refused(void **state)
{
	(void)state;
	struct profile_tx named = { .running = true, .start_us = T0, .id = SLICE("17") };
	struct charging_profile p = make(1, PURPOSE_STATION_MAX, 0, 0, PERIODS({ 0, 6 }));
	assert_int_equal(profiles_set(&installed, 1, &p, &running, T0), ERR_INVALID);
	p.purpose = PURPOSE_TX;
	assert_int_equal(profiles_set(&installed, 0, &p, &running, T0), ERR_INVALID);
	assert_int_equal(profiles_set(&installed, 1, &p, &no_tx, T0), ERR_NOT_FOUND);
	p.tx = SLICE("18");
	assert_int_equal(profiles_set(&installed, 1, &p, &named, T0), ERR_NOT_FOUND);
	p.tx = SLICE("17");
	assert_int_equal(profiles_set(&installed, 1, &p, &named, T0), 0);
	p.stack_level = PROFILES_STACK_MOST + 1;
	assert_int_equal(profiles_set(&installed, 1, &p, &named, T0), ERR_INVALID);
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, stage, strike)
static uint32_t seven(void)
{
	return 7;
}

static void test_of_several_schedules_the_least_counts_until_the_car_has_chosen(void **state)
{
	(void)state;
	struct charging_period some[] = { { .start_s = 0, .limit = 10 }, { .start_s = 200, .limit = 16 } };
	struct charging_profile p = make(1, PURPOSE_TX, 0, 300, PERIODS({ 0, 14 }, { 100, 8 })), other = p;
	p.schedule_id = 1;
	other.schedule_id = 2;
	other.duration_s = 0;
	other.periods = some;
	other.n_periods = 2;
	p.more = &other;
	put(1, p);
	expect_composite(&running, 400, PERIODS({ 0, 10 }, { 100, 8 }, { 300, 16 }));
	assert_false(profiles_choose(&installed, 1, 3)); /* there is no such schedule */
	assert_false(profiles_choose(&installed, 2, 2)); /* nor one on that EVSE */
	assert_true(profiles_choose(&installed, 1, 1));
	assert_false(profiles_choose(&installed, 1, 1));
	expect_composite(&running, 400, PERIODS({ 0, 14 }, { 100, 8 }, { 300, 32 }));
	assert_true(profiles_choose(&installed, 1, 2));
	expect_composite(&running, 400, PERIODS({ 0, 10 }, { 200, 16 }));
}

static void test_a_random_delay_moves_each_period(void **state)
{
	struct charging_profile p = make(1, PURPOSE_TX_DEFAULT, 0, 0, PERIODS({ 0, 6 }, { 60, 10 }));
	(void)state;
	p.random_delay_s = 20;
	installed.random = seven;
	put(1, p);
	assert_true(isinf(limit_at(6, &no_tx)));
	assert_true(limit_at(7, &no_tx) == 6);
	assert_true(limit_at(66, &no_tx) == 6);
	assert_true(limit_at(67, &no_tx) == 10);
}

static void test_what_absence_ended_does_not_come_back(void **state)
{
	struct charging_profile p = make(1, PURPOSE_TX_DEFAULT, 0, 0, PERIODS({ 0, 6 }));
	(void)state;
	p.offline_most_s = 30;
	put(1, p);
	p.id = 2;
	p.stack_level = 1;
	p.offline_ends_it = true;
	put(1, p);
	profiles_offline(&installed, T0);
	assert_true(limit_at(29, &no_tx) == 6);
	assert_true(isinf(limit_at(30, &no_tx)));
	profiles_online(&installed, T0 + 40 * S);
	assert_true(limit_at(40, &no_tx) == 6);
	assert_null(profiles_find(&installed, 2, NULL));
	assert_non_null(profiles_find(&installed, 1, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_the_highest_level_counts_while_its_schedule_lasts),
		CASE(test_purposes_combine_by_minimum_and_a_finished_tx_profile_gives_way),
		CASE(test_no_two_periods_of_an_answer_start_in_one_second),
		CASE(test_a_tx_profile_replaces_the_default_even_upwards),
		CASE(test_an_evse_with_defaults_of_its_own_does_not_look_at_the_stations),
		CASE(test_validity_and_a_start_in_the_future),
		CASE(test_a_daily_schedule_comes_back_every_day),
		CASE(test_a_relative_schedule_counts_from_the_transaction),
		CASE(test_watts_are_divided_by_the_phases_that_can_carry_them),
		CASE(test_what_is_said_to_hold_until_then_does),
		CASE(test_replacing_clearing_and_the_end_of_a_transaction),
		CASE(test_what_does_not_belong_is_refused),
		CASE(test_of_several_schedules_the_least_counts_until_the_car_has_chosen),
		CASE(test_a_random_delay_moves_each_period),
		CASE(test_what_absence_ended_does_not_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
