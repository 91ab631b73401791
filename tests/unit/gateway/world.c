/* The imagined site: currents add up the tree on the phases they are wired to, cars follow what they are offered, and the guard measures
 * what it says it measures. */
#include <math.h>

#include "base/clock.h"
#include "gateway/sim/world.h"
#include "tests/unit/unit.h"

static const uint8_t rst[] = { 0, 1, 2 }, str[] = { 1, 2, 0 };

static const struct car_conf quick = { .phases = 3, .max_ma = 16000, .min_ma = 6000, .need_wh = 1e6, .volts = WORLD_VOLTS };

static void assert_amps(const struct world *w, int node, double l1, double l2, double l3)
{
	double i_a[3];
	world_currents(w, node, i_a);
	assert_float_equal(i_a[0], l1, 1e-3);
	assert_float_equal(i_a[1], l2, 1e-3);
	assert_float_equal(i_a[2], l3, 1e-3);
}

static void test_currents_add_up(void **state)
{
	(void)state;
	struct car_conf one = quick;
	struct world *w = world_open();
	int grid = world_node(w, -1), feeder = world_node(w, grid);
	int a = world_point(w, feeder, rst, 3), b = world_point(w, feeder, str, 3), c = world_point(w, grid, str, 1);
	one.phases = 1;
	world_load(w, grid, (double[]){ 60, 70, 50 });
	world_load(w, feeder, (double[]){ 1, 0, 0 });
	assert_amps(w, grid, 61, 70, 50);
	world_plug(w, a, &quick);
	world_plug(w, b, &one);
	world_plug(w, c, &one);
	world_offer(w, a, true, 10000);
	world_offer(w, b, true, 8000);
	world_offer(w, c, true, 20000);
	world_step(w, US_PER_S);
	world_step(w, US_PER_S);
	assert_amps(w, feeder, 11, 18, 10);
	assert_amps(w, grid, 71, 104, 60);
	world_unplug(w, b);
	assert_amps(w, feeder, 11, 10, 10);
	world_close(w);
}

static void test_station_reads(void **state)
{
	(void)state;
	struct evse_input in;
	struct car_conf small = quick;
	struct world *w = world_open();
	int p = world_point(w, world_node(w, -1), rst, 3);
	small.phases = 1;
	small.need_wh = 100;
	world_input(w, p, &in);
	assert_false(in.plugged || in.wants_energy);
	assert_float_equal(in.i_a[0], 0, 1e-3);
	world_plug(w, p, &small);
	world_offer(w, p, true, 16000);
	for (int i = 0; i < 3600 && !world_is_full(w, p); i++)
		world_step(w, US_PER_S);
	assert_true(world_is_full(w, p));
	world_input(w, p, &in);
	assert_true(in.plugged);
	assert_float_equal(in.energy_wh, 100, 1e-3);
	world_unplug(w, p);
	assert_false(world_is_full(w, p));
	world_plug(w, p, &small);
	world_step(w, 60 * US_PER_S);
	world_input(w, p, &in);
	assert_true(in.energy_wh > 100); /* a register never goes back */
	world_close(w);
}

/* A car that is offered nothing draws nothing, one whose contactor opens stops at once. */
static void test_car_obeys(void **state)
{
	(void)state;
	struct world *w = world_open();
	int node = world_node(w, -1), p = world_point(w, node, rst, 3);
	world_plug(w, p, &quick);
	world_offer(w, p, true, 5000);
	world_step(w, 10 * US_PER_S);
	assert_amps(w, node, 0, 0, 0);
	world_offer(w, p, true, 6000);
	world_step(w, 10 * US_PER_S);
	world_step(w, US_PER_S);
	assert_amps(w, node, 6, 6, 6);
	world_offer(w, p, false, 6000);
	world_step(w, US_PER_S / 10);
	assert_amps(w, node, 0, 0, 0);
	world_close(w);
}

static void feed(struct world_guard *g, double l2, int64_t *now)
{
	*now += US_PER_S / 10;
	world_guard_feed(g, (double[]){ 10, l2, 20 }, *now, US_PER_S / 10);
}

static void test_guard(void **state)
{
	(void)state;
	struct world_guard g = { .limit_a = 250, .goal_a = 230 };
	int64_t now = 1000 * US_PER_S;
	feed(&g, 229, &now);
	world_guard_jump(&g, now); /* stays below the goal: nothing had to react */
	feed(&g, 230, &now);
	assert_int_equal(g.n_reactions, 0);
	assert_int_equal(world_guard_p95_us(&g), 0);
	for (int jump = 0; jump < 20; jump++) {
		world_guard_jump(&g, now);
		for (int i = 0; i < (jump == 7 ? 14 : jump == 9 ? 30 : 5); i++)
			feed(&g, 245, &now);
		feed(&g, 230, &now);
	}
	assert_int_equal(g.n_reactions, 20);
	assert_int_equal(world_guard_p95_us(&g), 15 * US_PER_S / 10);
	assert_int_equal(g.over_us, 0);
	feed(&g, 251, &now);
	feed(&g, 250, &now);
	assert_int_equal(g.over_us, US_PER_S / 10);
	assert_int_equal(world_guard_worst(&g), 1);
	assert_float_equal(g.peak_a[1], 251, 1e-3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_currents_add_up),
		cmocka_unit_test(test_station_reads),
		cmocka_unit_test(test_car_obeys),
		cmocka_unit_test(test_guard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
