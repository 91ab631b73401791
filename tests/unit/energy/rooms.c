/* Power windows, phase differences, power caps, and what is not ours: the balancer with cars that follow at once, one second per step. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "energy/control.h"
#include "energy/net.h"
#include "energy/window.h"
#include "tests/unit/unit.h"

#define A(amps) ((amps) * 1000)
#define S US_PER_S
#define MIN (60 * S)
#define CARS 6

static struct node_conf nodes[2];
static struct meter_conf meters[3];
static struct fixture_conf fixtures[2];
static struct evse_conf evses[CARS];
static struct control_conf conf;
static struct control *c;
static int64_t now;
static double volts;
static int32_t base[3], own[3][3]; /* the building with all in it; what the fixtures' meters say */
static int32_t offer[CARS], takes[CARS];
static bool main_lives;

static void on_send(void *arg, int evse, const struct grant *g)
{
	(void)arg;
	offer[evse] = g->ma;
	control_evse_answered(c, evse, g->ma, true, now);
}

static void stage(size_t n, uint8_t n_lines)
{
	static const char *const ids[CARS] = { "G-1", "G-2", "G-3", "G-4", "G-5", "G-6" };
	memset(nodes, 0, sizeof(nodes));
	memset(fixtures, 0, sizeof(fixtures));
	memset(base, 0, sizeof(base));
	memset(own, 0, sizeof(own));
	nodes[0] = (struct node_conf){ .id = "grid", .parent = -1, .limit = { { A(250), A(250), A(250) } }, .meter = 0 };
	nodes[1] = (struct node_conf){ .id = "row-a", .parent = 0, .limit = { { A(200), A(200), A(200) } }, .meter = -1 };
	for (int i = 0; i < 3; i++)
		meters[i] = (struct meter_conf){ i ? i == 1 ? "pv" : "bat" : "main", 3 * S };
	for (size_t i = 0; i < n; i++) {
		evses[i] = (struct evse_conf){ .id = ids[i], .station = ids[i], .evse = 1, .node = 1, .lines = { 0, 1, 2 }, .n_lines = n_lines,
					       .min_ma = A(6), .max_ma = A(32), .fallback_ma = A(6), .fallback_after_us = 60 * S };
		if (n_lines == 1)
			evses[i].lines[0] = (uint8_t)(i % 3);
		offer[i] = -1;
		takes[i] = A(32);
	}
	conf = (struct control_conf){ .strategy = STRATEGY_FAIR, .interval_us = S, .increase_after_us = 15 * S, .increase_step_ma = A(32),
				      .rotate_every_us = 900 * S, .resend_us = 300 * S, .on_meter_lost = LOST_FALLBACK,
				      .meter_lost_after_us = 3 * S, .nodes = nodes, .n_nodes = 2, .meters = meters, .n_meters = 3,
				      .evses = evses, .n_evses = n, .fixtures = fixtures };
	now = 4000 * S;
	volts = NAN;
	main_lives = true;
}

static void begin(void)
{
	static const struct control_events events = { on_send };
	c = control_open(&conf, &events, NULL);
	for (size_t i = 0; i < conf.n_evses; i++)
		control_evse_link(c, (int)i, true, now);
}

static int drop(void **state)
{
	(void)state;
	control_close(c);
	c = NULL;
	return 0;
}

static int32_t draw_of(size_t i)
{
	return offer[i] < A(6) ? 0 : offer[i] < takes[i] ? offer[i] : takes[i];
}

static void sums(int32_t out[3])
{
	memcpy(out, base, sizeof(base));
	for (size_t i = 0; i < conf.n_evses; i++)
		for (int p = 0; p < evses[i].n_lines; p++)
			out[evses[i].lines[p]] += draw_of(i);
}

static void feed(int meter, const int32_t ma[3])
{
	struct meter_sample s = { .at_us = now, .power_w = NAN, .voltage_v = { volts, volts, volts }, .import_wh = NAN, .export_wh = NAN };
	memcpy(s.ma.l, ma, sizeof(s.ma.l));
	control_meter(c, meter, &s);
}

static void seconds(int n)
{
	for (; n > 0; n--) {
		int32_t ma[3];
		now += S;
		sums(ma);
		if (main_lives)
			feed(0, ma);
		feed(1, own[1]);
		feed(2, own[2]);
		for (size_t i = 0; i < conf.n_evses; i++) {
			int32_t draw[3] = { draw_of(i), draw_of(i), draw_of(i) };
			control_evse_draw(c, (int)i, draw, NAN, now);
		}
		control_tick(c, now);
	}
}

static void start_all(void)
{
	for (size_t i = 0; i < conf.n_evses; i++) {
		control_evse_tx(c, (int)i, true, now);
		control_evse_state(c, (int)i, EVSE_CHARGING, now);
	}
}

static const char *reason(int evse)
{
	struct cap chain[8];
	control_why(c, evse, chain, 8);
	return chain[0].reason;
}

static int64_t power(void)
{
	int32_t ma[3];
	sums(ma);
	return ((int64_t)ma[0] + ma[1] + ma[2]) * 230 / 1000;
}

static void test_a_power_limit_is_shared_over_all_lines(void **state)
{
	(void)state;
	stage(3, 3);
	nodes[0].power_w = 20700; /* 30 A on each of three lines */
	base[0] = A(9);
	begin();
	start_all();
	seconds(120);
	assert_true(power() <= 20700 && power() > 20000);
	assert_int_equal(offer[0], A(9));
	assert_string_equal(reason(0), "grid_power");
}

static void test_a_quiet_window_allows_more_and_keeps_its_mean(void **state)
{
	int64_t used = 0, most = 0;
	(void)state;
	stage(6, 3);
	nodes[0].power_w = 50000;
	nodes[0].window_us = 15 * MIN;
	now = 900 * S;
	begin();
	control_wall(c, 0, true);
	/* A first window to begin with, then five quiet minutes; the cars come, and may use what was saved. */
	seconds(900);
	for (int i = 0; i < 900; i++) {
		if (i == 300)
			start_all();
		seconds(1);
		used += power();
		most = power() > most ? power() : most;
	}
	assert_true(most > 60000);
	assert_true(used <= (int64_t)50000 * 900);
	assert_true(used > (int64_t)46000 * 900);
	struct node_view v;
	seconds(5);
	control_node_view(c, 0, &v);
	assert_true(v.window_mean_w > 30000 && v.window_mean_w <= 75000);
	/* The next window is not wasted by its first minute. */
	used = 0;
	for (int i = 0; i < 895; i++) {
		seconds(1);
		used += power();
	}
	assert_true(used <= (int64_t)50000 * 900);
}

static void test_without_the_time_of_day_the_limit_holds_at_every_moment(void **state)
{
	(void)state;
	stage(6, 3);
	nodes[0].power_w = 50000;
	nodes[0].window_us = 15 * MIN;
	begin();
	seconds(600);
	start_all();
	for (int i = 0; i < 600; i++) {
		seconds(1);
		assert_true(power() <= 50000);
	}
	assert_true(power() > 48000);
}

static void test_generation_counts_for_power_and_not_for_fuses(void **state)
{
	(void)state;
	stage(3, 3);
	nodes[0].power_w = 6900;
	fixtures[0] = (struct fixture_conf){ .id = "roof", .node = 0, .kind = FIXTURE_PV, .meter = 1 };
	conf.n_fixtures = 1;
	for (int l = 0; l < 3; l++) {
		own[1][l] = -A(20);
		base[l] = -A(5); /* a building of 15 A under a roof that gives 20 A */
	}
	begin();
	start_all();
	seconds(120);
	/* 10 A per line of the contract and 5 A of surplus. */
	assert_true(offer[0] + offer[1] <= A(15) && offer[0] + offer[1] + offer[2] >= A(12));
	struct node_view v;
	control_node_view(c, 0, &v);
	assert_true(v.planned.l[0] >= A(15)); /* the fuse is planned with the building's 15 A */
}

static void test_single_phase_cars_keep_the_difference(void **state)
{
	(void)state;
	stage(2, 1);
	nodes[0].imbalance_ma = A(20);
	begin();
	start_all();
	seconds(60);
	/* L3 carries nothing, so nobody has more than 20 A. */
	assert_int_equal(offer[0], A(20));
	assert_int_equal(offer[1], A(20));
	assert_string_equal(reason(0), "imbalance");
	base[2] = A(8);
	seconds(120);
	assert_true(offer[0] >= A(24) && offer[0] <= A(28));
}

static void test_three_phase_cars_add_no_difference(void **state)
{
	(void)state;
	stage(2, 3);
	nodes[0].imbalance_ma = A(10);
	base[0] = A(18); /* the building is out of balance by itself */
	begin();
	start_all();
	seconds(60);
	assert_int_equal(offer[0], A(32));
}

static void test_a_cap_on_devices_leaves_the_building_out(void **state)
{
	(void)state;
	stage(3, 3);
	for (int l = 0; l < 3; l++)
		base[l] = A(40);
	begin();
	start_all();
	seconds(60);
	struct cap_conf cap = { .node = 0, .evse = -1, .line = { { MA_NONE, MA_NONE, MA_NONE } }, .power_w = 10920, .devices = true,
				.reason = "grid_operator", .owner = "p14a", .until_us = INT64_MAX };
	int id = control_cap_put(c, 0, &cap);
	assert_true(id > 0);
	seconds(2);
	int64_t cars = power() - 3 * 40 * 230;
	assert_true(cars <= 10920 && cars > 3 * 6 * 230);
	assert_string_equal(reason(0), strcmp(reason(0), "waiting") ? "grid_operator" : "waiting");
	cap.power_w = 20000;
	assert_int_equal(control_cap_put(c, id, &cap), id);
	seconds(60);
	assert_true(power() - 3 * 40 * 230 > 19000);
	assert_int_equal(control_cap_clear(c, id), 0);
	seconds(60);
	assert_int_equal(offer[0], A(32));
}

static void test_surplus_follows_generation_and_batteries_have_rights(void **state)
{
	(void)state;
	stage(1, 3);
	fixtures[0] = (struct fixture_conf){ .id = "store", .node = 0, .kind = FIXTURE_BATTERY, .meter = 2 };
	conf.n_fixtures = 1;
	for (int l = 0; l < 3; l++) {
		base[l] = -A(10);  /* surplus after the battery has taken 4 A per line */
		own[2][l] = A(4);
	}
	begin();
	start_all();
	struct cap_conf cap = { .node = 0, .evse = -1, .line = { { MA_NONE, MA_NONE, MA_NONE } }, .power_w = 0, .surplus = true,
				.reason = "tariff", .owner = "sun", .until_us = INT64_MAX };
	control_cap_put(c, 0, &cap);
	seconds(60);
	assert_int_equal(offer[0], A(10));
	assert_string_equal(reason(0), "tariff");
	drop(NULL);
	fixtures[0].yields = true;
	begin();
	offer[0] = -1;
	start_all();
	control_cap_put(c, 0, &cap);
	seconds(60);
	assert_int_equal(offer[0], A(14));
	/* What the battery discharges is not for cars unless it may. */
	for (int l = 0; l < 3; l++)
		own[2][l] = -A(4);
	seconds(60);
	assert_int_equal(offer[0], A(6));
}

static void test_estimates_stand_in_where_no_meter_is(void **state)
{
	(void)state;
	stage(3, 3);
	nodes[0].meter = -1;
	nodes[0].limit = (struct milliamps){ { A(50), A(50), A(50) } };
	fixtures[0] = (struct fixture_conf){ .id = "pumps", .node = 0, .kind = FIXTURE_LOAD, .meter = -1, .estimate = { { A(20), A(20), A(20) } } };
	conf.n_fixtures = 1;
	begin();
	start_all();
	seconds(60);
	assert_int_equal(offer[0] + offer[1] + offer[2], A(30));
}

static void test_the_window_by_itself(void **state)
{
	struct wall wall = { 0, true };
	struct window w;
	(void)state;
	window_init(&w, 10000, 900 * S);
	window_feed(&w, 5000, 1800 * S, &wall);
	assert_int_equal(window_allowed(&w, 1800 * S, &wall, false), 10000);
	for (int64_t t = 1801; t <= 2250; t++)
		window_feed(&w, 5000, t * S, &wall);
	/* Half the window at half the power: one and a half times the limit from now on, but for a small part that is kept. */
	assert_in_range(window_allowed(&w, 2250 * S, &wall, false), 14800, 14900);
	assert_int_equal(window_mean(&w, 2250 * S, &wall), 5000);
	assert_int_equal(window_allowed(&w, 2250 * S, &wall, true), 10000);
	/* Began to look in the middle: what came before counts as drawn at the limit. */
	window_init(&w, 10000, 900 * S);
	window_feed(&w, 0, 2250 * S, &wall);
	assert_int_equal(window_allowed(&w, 2250 * S, &wall, false), 10000);
	/* More than the limit has been drawn: less is left. */
	for (int64_t t = 2251; t <= 2475; t++)
		window_feed(&w, 16000, t * S, &wall);
	assert_in_range(window_allowed(&w, 2475 * S, &wall, false), 4000, 4100);
}

/* A site that is full keeps a little below its limit: that is for what comes by itself, not for a jump of everybody at the end. */
static void test_what_little_is_saved_changes_no_plan_and_bears_a_kettle(void **state)
{
	struct wall wall = { 0, true };
	struct window w;
	int64_t used = 0;
	(void)state;
	window_init(&w, 10000, 900 * S);
	for (int64_t t = 900; t < 4 * 900; t++) {
		bool kettle = t % 900 >= 600 && t % 900 < 640;
		int64_t watts = kettle ? 10400 : 9920;
		if (t % 900 == 0)
			used = 0;
		window_feed(&w, watts, t * S, &wall);
		used += watts;
		assert_int_equal(window_allowed(&w, t * S, &wall, false), 10000);
		if (t > 900 && t % 900)
			assert_true(watts <= 10000 + window_bears(&w, t * S, &wall, false));
		assert_true(used <= 10000 * 900);
	}
	/* Shortly before the end there is nothing to lend, and while nobody can see there is nothing at all. */
	window_init(&w, 10000, 900 * S);
	for (int64_t t = 900; t < 1799; t++)
		window_feed(&w, 10000, t * S, &wall);
	assert_in_range(window_bears(&w, 1798 * S, &wall, false), 0, 10);
	assert_int_equal(window_bears(&w, 1798 * S, &wall, true), 0);
}

/* Eight kilowatts come and go within every five minutes on a site that is full. */
static void test_a_full_window_of_power_is_calm_and_kept(void **state)
{
	int changes = 0, pauses = 0;
	int64_t used = 0, drawn = 0;
	int32_t had[CARS];
	(void)state;
	stage(6, 3);
	conf.rebalance_us = 600 * S;
	conf.increase_after_us = -1;
	nodes[0].power_w = 33000;
	nodes[0].window_us = 15 * MIN;
	now = 900 * S;
	begin();
	control_wall(c, 0, true);
	start_all();
	seconds(1800);
	for (int i = 0; i < 8 * 900; i++) {
		memcpy(had, offer, sizeof(had));
		for (int l = 0; l < 3; l++)
			base[l] = i % 300 < 30 ? A(5) : A(3) + (i * 7 % 13) * 10;
		seconds(1);
		for (size_t k = 0; k < 6; k++) {
			changes += offer[k] != had[k];
			pauses += !offer[k] && had[k];
		}
		used = i % 900 ? used + power() : power();
		drawn += power();
		assert_true(used <= (int64_t)33000 * 900);
	}
	assert_in_range(drawn / (8 * 900), 33000 * 94 / 100, 33000);
	assert_in_range(changes, 0, 6 * 2 * 3); /* three an hour of each */
	assert_in_range(pauses, 0, 6);
}

/* A quiet window has much to give at its end. Who is there has more; nobody begins who would be sent away when it turns. */
static void test_nobody_begins_on_what_ends_with_the_window(void **state)
{
	(void)state;
	stage(6, 3);
	conf.rebalance_us = 600 * S;
	conf.increase_after_us = -1;
	nodes[0].power_w = 22000; /* five times six amperes on three lines are 20.7 kW */
	nodes[0].window_us = 15 * MIN;
	now = 900 * S;
	begin();
	control_wall(c, 0, true);
	seconds(900 + 500);
	start_all();
	int before = 0, most = 0;
	seconds(120);
	for (size_t i = 0; i < 6; i++)
		before += offer[i] > 0;
	assert_int_equal(before, 5);
	for (int i = 0; i < 270; i++) {
		seconds(1);
		most = power() > most ? (int)power() : most;
	}
	assert_true(most > 26000);
	for (int i = 0; i < 60; i++) {
		int on = 0;
		seconds(1);
		for (size_t k = 0; k < 6; k++)
			on += offer[k] > 0;
		assert_int_equal(on, 5);
	}
}

static void test_net_load_may_be_negative_and_is_held_at_its_peak(void **state)
{
	struct net n;
	(void)state;
	net_init(&n);
	assert_int_equal(net_held(&n), 0);
	for (int t = 0; t < 60; t++)
		net_feed(&n, -A(30), 0, 0, t * S);
	assert_int_equal(net_held(&n), -A(30));
	net_feed(&n, A(5), 0, 0, 61 * S);
	net_feed(&n, -A(30), 0, 0, 62 * S);
	assert_int_equal(net_held(&n), A(5));
	for (int t = 63; t < 120; t++)
		net_feed(&n, -A(30), 0, 0, t * S);
	assert_int_equal(net_held(&n), -A(30));
	/* A car between 0 and 16 A explains a rise of 10: the net load has not changed. */
	net_feed(&n, -A(20), 0, A(16), 121 * S);
	assert_int_equal(net_held(&n), -A(30));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_a_power_limit_is_shared_over_all_lines, drop),
		cmocka_unit_test_teardown(test_a_quiet_window_allows_more_and_keeps_its_mean, drop),
		cmocka_unit_test_teardown(test_without_the_time_of_day_the_limit_holds_at_every_moment, drop),
		cmocka_unit_test_teardown(test_generation_counts_for_power_and_not_for_fuses, drop),
		cmocka_unit_test_teardown(test_single_phase_cars_keep_the_difference, drop),
		cmocka_unit_test_teardown(test_three_phase_cars_add_no_difference, drop),
		cmocka_unit_test_teardown(test_a_cap_on_devices_leaves_the_building_out, drop),
		cmocka_unit_test_teardown(test_surplus_follows_generation_and_batteries_have_rights, drop),
		cmocka_unit_test_teardown(test_estimates_stand_in_where_no_meter_is, drop),
		cmocka_unit_test(test_the_window_by_itself),
		cmocka_unit_test(test_what_little_is_saved_changes_no_plan_and_bears_a_kettle),
		cmocka_unit_test_teardown(test_a_full_window_of_power_is_calm_and_kept, drop),
		cmocka_unit_test_teardown(test_nobody_begins_on_what_ends_with_the_window, drop),
		cmocka_unit_test(test_net_load_may_be_negative_and_is_held_at_its_peak),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
