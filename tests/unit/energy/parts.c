/* The parts around the division, one by one: the checks of a site, the estimate of the base load, what is known about a car, the order of a
 * policy, the worst case of the silent. */
#include "base/clock.h"
#include "energy/car.h"
#include "energy/guard.h"
#include "energy/load.h"
#include "energy/policy.h"
#include "energy/site.h"
#include "tests/unit/unit.h"

#define A(amps) ((amps) * 1000)
#define S US_PER_S

static const struct evse_conf socket = { .id = "G-1", .station = "G-1", .evse = 1, .lines = { 1, 2, 0 }, .n_lines = 3, .min_ma = A(6),
					 .max_ma = A(32), .fallback_ma = A(6), .fallback_after_us = 60 * S };

static void test_a_site_is_checked(void **state)
{
	struct node_conf nodes[2] = { { .id = "grid", .parent = -1, .limit = { { A(63), A(63), A(63) } }, .meter = -1 },
				      { .id = "row-a", .parent = 0, .limit = { { A(32), A(32), A(32) } }, .meter = -1 } };
	struct evse_conf evses[2] = { socket, socket };
	struct site_parts s = { .nodes = nodes, .n_nodes = 2, .evses = evses, .n_evses = 2 };
	char why[128] = "";
	(void)state;
	evses[1].node = 1;
	assert_int_equal(site_check(&s, why, sizeof(why)), 0);
	assert_int_equal(site_fallback_ma(&s, 0, 2), A(12));
	assert_int_equal(site_fallback_ma(&s, 1, 2), A(6));
	evses[1].lines[1] = 1;
	assert_int_equal(site_check(&s, why, sizeof(why)), ERR_INVALID);
	assert_string_equal(why, "evse G-1: its phases are not on different lines");
	evses[1].lines[1] = 2;
	evses[1].n_lines = 2;
	assert_int_equal(site_check(&s, why, sizeof(why)), 0);
	assert_int_equal(site_fallback_ma(&s, 1, 0), 0);
	evses[1].n_lines = 4;
	assert_int_equal(site_check(&s, why, sizeof(why)), ERR_INVALID);
	assert_string_equal(why, "evse G-1: has one to three phases");
	evses[1].n_lines = 3;
	nodes[1].parent = 1;
	assert_int_equal(site_check(&s, why, sizeof(why)), ERR_INVALID);
	assert_string_equal(why, "node row-a: its parent does not come before it");
}

static void feed(struct load *l, int32_t measured, int64_t low, int64_t high, int64_t t)
{
	load_feed(l, (int32_t[3]){ measured, 0, 0 }, (int64_t[3]){ low, 0, 0 }, (int64_t[3]){ high, 0, 0 }, t * S);
}

static void test_a_small_peak_of_the_base_load_is_seen_twice(void **state)
{
	struct load l;
	(void)state;
	load_init(&l);
	feed(&l, A(30), 0, 0, 100);
	feed(&l, A(30) + 700, 0, 0, 101);
	feed(&l, A(30), 0, 0, 102);
	assert_int_equal(load_held(&l, 0), A(30)); /* once: the meter's last digits */
	feed(&l, A(30) + 700, 0, 0, 103);
	feed(&l, A(30) + 700, 0, 0, 104);
	assert_int_equal(load_held(&l, 0), A(30) + 800); /* twice, rounded up */
	feed(&l, A(34), 0, 0, 105);
	assert_int_equal(load_held(&l, 0), A(34)); /* a large one counts at once */
}

static void test_the_base_load_rises_at_once_and_falls_late(void **state)
{
	struct load l;
	(void)state;
	load_init(&l);
	feed(&l, A(30), A(10), A(10), 100);
	assert_int_equal(load_held(&l, 0), A(20));
	feed(&l, A(45), A(10), A(10), 101);
	assert_int_equal(load_held(&l, 0), A(35));
	for (int t = 102; t < 140; t++)
		feed(&l, A(30), A(10), A(10), t);
	assert_int_equal(load_held(&l, 0), A(35));
	for (int t = 140; t < 150; t++)
		feed(&l, A(30), A(10), A(10), t);
	assert_int_equal(load_held(&l, 0), A(20));
	assert_int_equal(load_highest(&l, 0), A(35));
}

static void test_moving_cars_do_not_move_the_base_load(void **state)
{
	struct load l;
	(void)state;
	load_init(&l);
	feed(&l, A(30), A(10), A(10), 100);
	/* A car was told 16 A instead of 10 and is somewhere between. */
	feed(&l, A(34), A(10), A(16), 101);
	assert_int_equal(load_held(&l, 0), A(20));
	/* More than it can explain. */
	feed(&l, A(40), A(10), A(16), 102);
	assert_int_equal(load_held(&l, 0), A(24));
}

static void test_a_peak_that_a_report_explains_is_forgotten(void **state)
{
	struct load l;
	(void)state;
	load_init(&l);
	feed(&l, A(20), 0, 0, 100);
	feed(&l, A(36), 0, 0, 101); /* a car went on by itself */
	assert_int_equal(load_held(&l, 0), A(36));
	feed(&l, A(36), A(16), A(16), 105); /* and says so */
	assert_int_equal(load_held(&l, 0), A(20));
}

static void test_solar_power_is_not_planned_with(void **state)
{
	struct load l;
	(void)state;
	load_init(&l);
	feed(&l, -A(12), 0, 0, 100);
	assert_int_equal(load_held(&l, 0), 0);
}

static void test_an_order_counts_until_it_is_followed(void **state)
{
	struct car car;
	(void)state;
	car_init(&car, &socket);
	assert_int_equal(car_held(&car, 0, 100 * S), A(6)); /* told nothing: its default profile */
	car_told(&car, A(16), 100 * S);
	assert_int_equal(car_held(&car, 0, 100 * S), A(16)); /* up counts at once */
	car_answered(&car, A(16), true, 101 * S);
	car_draws(&car, (int32_t[3]){ A(15), A(15), A(15) }, 110 * S);
	car_told(&car, A(8), 120 * S);
	assert_int_equal(car_held(&car, 0, 120 * S), A(15)); /* down only when seen */
	car_answered(&car, A(8), true, 121 * S);
	assert_int_equal(car_held(&car, 0, 122 * S), A(15));
	car_draws(&car, (int32_t[3]){ 7700, 7700, 7700 }, 124 * S);
	assert_int_equal(car_held(&car, 0, 124 * S), A(8));
	car_relinked(&car); /* it was alone at a fallback of 6 A, and what it had been told before may be in force again */
	car_draws(&car, (int32_t[3]){ A(6), A(6), A(6) }, 200 * S);
	car_told(&car, A(7), 200 * S);
	car_answered(&car, A(7), true, 200 * S);
	car_draws(&car, (int32_t[3]){ A(6), A(6), A(6) }, 202 * S);
	assert_int_equal(car_held(&car, 0, 203 * S), A(8));
	car_draws(&car, (int32_t[3]){ A(6), A(6), A(6) }, 209 * S);
	assert_int_equal(car_held(&car, 0, 209 * S), A(7));
}

static void test_who_refuses_or_keeps_silent_is_counted_with_the_old_limit(void **state)
{
	struct car car;
	(void)state;
	car_init(&car, &socket);
	car_told(&car, A(16), 100 * S);
	car_answered(&car, A(16), true, 101 * S);
	car_draws(&car, (int32_t[3]){ A(5), A(5), A(5) }, 110 * S);
	car_told(&car, A(8), 120 * S);
	car_answered(&car, A(8), false, 121 * S);
	assert_int_equal(car_follows(&car, 121 * S), CAR_UNCONFIRMED);
	assert_int_equal(car_held(&car, 0, 121 * S), A(16));
	car_told(&car, A(8), 130 * S); /* asked again, and now it agrees */
	assert_int_equal(car_follows(&car, 130 * S), CAR_UNCONFIRMED);
	car_answered(&car, A(8), true, 131 * S);
	car_draws(&car, (int32_t[3]){ A(5), A(5), A(5) }, 140 * S);
	assert_int_equal(car_follows(&car, 140 * S), CAR_STEADY);
	assert_int_equal(car_held(&car, 0, 140 * S), A(8));
	car_told(&car, A(6), 150 * S);
	assert_int_equal(car_follows(&car, 159 * S), CAR_MOVING);
	assert_int_equal(car_follows(&car, 160 * S), CAR_UNCONFIRMED);
}

static void test_the_phases_are_learnt_from_the_draw(void **state)
{
	struct car car;
	(void)state;
	car_init(&car, &socket);
	car_told(&car, A(16), 100 * S);
	car_answered(&car, A(16), true, 100 * S);
	car_draws(&car, (int32_t[3]){ A(15), 300, 0 }, 110 * S);
	assert_int_equal(car_phases(&car), 7);
	car_draws(&car, (int32_t[3]){ A(15), 300, 0 }, 136 * S);
	assert_int_equal(car_phases(&car), 1);
	car_draws(&car, (int32_t[3]){ A(15), A(15), 0 }, 146 * S);
	assert_int_equal(car_phases(&car), 3); /* seen at once, whenever it appears */
}

static void test_what_it_drew_on_one_phase_says_nothing_about_three(void **state)
{
	struct car car;
	(void)state;
	car_init(&car, &socket);
	car_may(&car, 1);
	car_told(&car, A(11), 100 * S);
	car_answered(&car, A(11), true, 100 * S);
	for (int64_t t = 110; t < 300; t += 10)
		car_draws(&car, (int32_t[3]){ A(11), 0, 0 }, t * S);
	assert_int_equal(car_phases(&car), 1);
	car_relinked(&car);
	car_may(&car, 0);
	car_draws(&car, (int32_t[3]){ A(11), 0, 0 }, 300 * S); /* kept by its station while it had no link */
	car_draws(&car, (int32_t[3]){ 0, 0, 0 }, 310 * S);
	car_draws(&car, (int32_t[3]){ 0, 0, 0 }, 340 * S);
	assert_int_equal(car_phases(&car), 7);
	car_told(&car, A(11), 350 * S);
	car_answered(&car, A(11), true, 351 * S);
	car_draws(&car, (int32_t[3]){ A(11), A(11), 0 }, 352 * S); /* on its way */
	for (int64_t t = 360; t < 400; t += 10)
		car_draws(&car, (int32_t[3]){ A(11), 0, 0 }, t * S);
	assert_int_equal(car_phases(&car), 7); /* its station may be slow */
	for (int64_t t = 400; t < 500; t += 10)
		car_draws(&car, (int32_t[3]){ A(11), 0, 0 }, t * S);
	assert_int_equal(car_phases(&car), 1); /* a limit for three, and one is all it uses */
}

static void test_a_car_that_stops_drawing_has_not_drawn_meanwhile(void **state)
{
	struct car car;
	(void)state;
	car_init(&car, &socket);
	car_told(&car, A(16), 100 * S);
	car_answered(&car, A(16), true, 100 * S);
	car_draws(&car, (int32_t[3]){ A(15), 0, 0 }, 110 * S); /* begins with one phase, as many do */
	car_draws(&car, (int32_t[3]){ 0, 0, 0 }, 115 * S);
	car_draws(&car, (int32_t[3]){ A(15), 0, 0 }, 140 * S);
	assert_int_equal(car_phases(&car), 7);
	car_draws(&car, (int32_t[3]){ A(15), 0, 0 }, 165 * S);
	assert_int_equal(car_phases(&car), 1);
}

static void test_a_car_near_its_offer_is_not_said_to_want_less(void **state)
{
	struct car car;
	(void)state;
	car_init(&car, &socket);
	car_told(&car, A(32), 100 * S);
	car_answered(&car, A(32), true, 100 * S);
	for (int t = 110; t < 200; t += 10) {
		car_draws(&car, (int32_t[3]){ 29800, 29800, 29800 }, t * S); /* a gain of 0.93 */
		car_step(&car, t * S);
	}
	assert_int_equal(car.want_ma, A(32));
	for (int t = 200; t < 240; t += 10) {
		car_draws(&car, (int32_t[3]){ A(16), A(16), A(16) }, t * S);
		car_step(&car, t * S);
	}
	assert_int_equal(car.want_ma, 18500);
}

static void order_of(enum strategy s, const struct policy_evse *evses, size_t n, int32_t *order)
{
	struct ranked work[8];
	policy_order(policy_find(s), evses, n, 900 * S, 10000 * S, work, order);
}

static void test_who_waits_longest_passes_who_has_had_its_turn(void **state)
{
	const struct policy_evse evses[] = {
		{ .served_us = 9000 * S },                               /* its turn is over */
		{ .served_us = 9500 * S },                               /* in its turn */
		{ .waits_us = 9800 * S },
		{ .waits_us = 9400 * S },
		{ .waits_us = 9900 * S, .left = true },                  /* was sent away only now */
		{ .served_us = 9950 * S, .idle = true },
	};
	static const int32_t fair[] = { 1, 3, 2, 0, 4, 5 };
	int32_t order[6];
	(void)state;
	order_of(STRATEGY_FAIR, evses, 6, order);
	assert_memory_equal(order, fair, sizeof(fair));
}

static void test_priority_makes_a_wait_count_for_more(void **state)
{
	const struct policy_evse evses[] = { { .waits_us = 9400 * S }, { .waits_us = 9650 * S, .priority = 10 }, { .waits_us = 9900 * S, .priority = 10 } };
	static const int32_t want[] = { 1, 0, 2 };
	int32_t order[3];
	(void)state;
	order_of(STRATEGY_PRIORITY, evses, 3, order);
	assert_memory_equal(order, want, sizeof(want));
	assert_int_equal(policy_find(STRATEGY_PRIORITY)->weight(10), 2 * policy_find(STRATEGY_PRIORITY)->weight(0));
}

static void test_first_come_is_by_arrival(void **state)
{
	const struct policy_evse evses[] = { { .arrived_us = 300 * S }, { .arrived_us = 100 * S, .served_us = 100 * S }, { .arrived_us = 200 * S } };
	static const int32_t want[] = { 1, 2, 0 };
	int32_t order[3];
	(void)state;
	order_of(STRATEGY_FIRST_COME, evses, 3, order);
	assert_memory_equal(order, want, sizeof(want));
}

static void test_by_energy_who_has_got_least_is_first(void **state)
{
	const struct policy_evse evses[] = {
		{ .got_wh = 9300, .served_us = 100 * S, .arrived_us = 100 * S },
		{ .got_wh = 2900, .served_us = 200 * S, .arrived_us = 200 * S },
		{ .got_wh = 2100, .waits_us = 300 * S, .arrived_us = 150 * S }, /* the same step: who is served stays */
		{ .got_wh = 0, .waits_us = 9990 * S, .arrived_us = 9990 * S },
		{ .got_wh = 0, .served_us = 400 * S, .arrived_us = 400 * S, .idle = true },
	};
	static const int32_t want[] = { 3, 1, 2, 0, 4 };
	int32_t order[5];
	(void)state;
	order_of(STRATEGY_FAIR_ENERGY, evses, 5, order);
	assert_memory_equal(order, want, sizeof(want));
}

static void test_for_readiness_who_needs_least_more_is_first(void **state)
{
	const struct policy_evse evses[] = {
		{ .left_wh = 30000, .served_us = 100 * S, .arrived_us = 100 * S },
		{ .left_wh = 25000, .waits_us = 200 * S, .arrived_us = 200 * S }, /* not clearly less than who is served */
		{ .left_wh = 8000, .waits_us = 300 * S, .arrived_us = 150 * S },
		{ .left_wh = 5000, .waits_us = 300 * S, .arrived_us = 150 * S, .hopeless = true },
		{ .left_wh = 25000, .waits_us = 200 * S, .arrived_us = 300 * S, .priority = 20 },
	};
	static const int32_t want[] = { 2, 4, 0, 1, 3 };
	int32_t order[5];
	(void)state;
	order_of(STRATEGY_READY, evses, 5, order);
	assert_memory_equal(order, want, sizeof(want));
}

static void test_a_silent_station_counts_with_the_larger_until_its_timer_has_run_out(void **state)
{
	struct car car;
	(void)state;
	car_init(&car, &socket);
	car_told(&car, A(20), 100 * S);
	assert_int_equal(guard_offline_ma(&car, 200 * S, 259 * S), A(20));
	assert_int_equal(guard_offline_ma(&car, 200 * S, 260 * S), A(6));
	assert_int_equal(guard_meter(METER_FRESH, 0, 0, 3 * S, 100 * S), METER_FRESH);
	assert_int_equal(guard_meter(METER_FRESH, 0, 1, 3 * S, 100 * S), METER_STALE);
	assert_int_equal(guard_meter(METER_FRESH, 0, 4 * S, 3 * S, 100 * S), METER_LOST);
	assert_int_equal(guard_meter(METER_STALE, 97 * S, 1, 3 * S, 100 * S), METER_STALE);
	assert_int_equal(guard_meter(METER_STALE, 97 * S, 1, 3 * S, 100 * S + 1), METER_LOST); /* always a little late is no way to stay */
	assert_int_equal(guard_meter(METER_LOST, 100 * S, 1, 3 * S, 100 * S), METER_LOST);
	assert_int_equal(guard_meter(METER_LOST, 100 * S, 0, 3 * S, 100 * S), METER_FRESH);
	assert_int_equal(guard_meter_cap(LOST_STOP, &socket, A(10), true), 0);
	assert_int_equal(guard_meter_cap(LOST_AMPS, &socket, A(10), true), A(10));
	assert_int_equal(guard_meter_cap(LOST_FALLBACK, &socket, A(10), true), A(6));
	assert_int_equal(guard_meter_cap(LOST_HIGHEST, &socket, A(10), true), MA_NONE);
	assert_int_equal(guard_meter_cap(LOST_HIGHEST, &socket, A(10), false), A(6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_site_is_checked),
		cmocka_unit_test(test_a_small_peak_of_the_base_load_is_seen_twice),
		cmocka_unit_test(test_the_base_load_rises_at_once_and_falls_late),
		cmocka_unit_test(test_moving_cars_do_not_move_the_base_load),
		cmocka_unit_test(test_a_peak_that_a_report_explains_is_forgotten),
		cmocka_unit_test(test_solar_power_is_not_planned_with),
		cmocka_unit_test(test_an_order_counts_until_it_is_followed),
		cmocka_unit_test(test_who_refuses_or_keeps_silent_is_counted_with_the_old_limit),
		cmocka_unit_test(test_the_phases_are_learnt_from_the_draw),
		cmocka_unit_test(test_what_it_drew_on_one_phase_says_nothing_about_three),
		cmocka_unit_test(test_a_car_that_stops_drawing_has_not_drawn_meanwhile),
		cmocka_unit_test(test_a_car_near_its_offer_is_not_said_to_want_less),
		cmocka_unit_test(test_who_waits_longest_passes_who_has_had_its_turn),
		cmocka_unit_test(test_priority_makes_a_wait_count_for_more),
		cmocka_unit_test(test_first_come_is_by_arrival),
		cmocka_unit_test(test_by_energy_who_has_got_least_is_first),
		cmocka_unit_test(test_for_readiness_who_needs_least_more_is_first),
		cmocka_unit_test(test_a_silent_station_counts_with_the_larger_until_its_timer_has_run_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
