/* The balancer in simulated time. A stage with one metered grid connection and cars that follow; each test does one thing to it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "energy/control.h"
#include "tests/unit/unit.h"

#define A(amps) ((amps) * 1000)
#define S US_PER_S
#define CARS 30

static struct node_conf nodes[3];
static struct meter_conf meters[1];
static struct evse_conf evses[CARS];
static struct control_conf conf;
static struct control *c;
static int64_t now;
static int32_t base[3];      /* of the building */
static int32_t offer[CARS];  /* last sent; -1: none */
static int32_t takes[CARS];  /* what the car can use */
static int phases[CARS];     /* it charges on */
static int alone[CARS];      /* of its own from 0, where it is one */
static bool deaf[CARS], mute[CARS], on[CARS]; /* ignores limits; does not answer; charges */
static bool meter_on, fixed_reading, zero_reading, silent; /* silent: no station reports a current */
static int64_t late;         /* samples come so old */
static int sends[CARS];
static int wobble;

static void on_send(void *arg, int evse, const struct grant *g)
{
	(void)arg;
	sends[evse]++;
	if (!deaf[evse])
		offer[evse] = g->ma;
	if (!mute[evse])
		control_evse_answered(c, evse, g->ma, true, now);
}

static void stage(size_t n, int32_t limit)
{
	static const struct control_events events = { on_send };
	static char ids[CARS][24];
	memset(nodes, 0, sizeof(nodes));
	nodes[0] = (struct node_conf){ .id = "grid", .parent = -1, .limit = { { limit, limit, limit } }, .reserve = { { 0, 0, 0 } }, .meter = 0 };
	nodes[1] = (struct node_conf){ .id = "row-a", .parent = 0, .limit = { { A(100), A(100), A(100) } }, .reserve = { { 0, 0, 0 } }, .meter = -1 };
	meters[0] = (struct meter_conf){ "main", 3 * S };
	for (size_t i = 0; i < n; i++) {
		snprintf(ids[i], sizeof(ids[i]), "G-%zu", i + 1);
		evses[i] = (struct evse_conf){ .id = ids[i], .station = ids[i], .evse = 1, .node = 1, .lines = { 0, 1, 2 }, .n_lines = 3,
					       .min_ma = A(6), .max_ma = A(32), .fallback_ma = A(6), .fallback_after_us = 60 * S };
		offer[i] = -1;
		takes[i] = A(32);
		phases[i] = 3;
		alone[i] = 0;
		deaf[i] = mute[i] = on[i] = false;
		sends[i] = 0;
	}
	conf = (struct control_conf){ .strategy = STRATEGY_FAIR, .interval_us = S, .increase_after_us = 15 * S, .increase_step_ma = A(4),
				      .rotate_every_us = 900 * S, .resend_us = 300 * S, .on_meter_lost = LOST_FALLBACK,
				      .meter_lost_after_us = 3 * S, .nodes = nodes, .n_nodes = 2, .meters = meters, .n_meters = 1,
				      .evses = evses, .n_evses = n };
	memset(base, 0, sizeof(base));
	now = 1000 * S;
	meter_on = true;
	fixed_reading = zero_reading = silent = false;
	late = 0;
	c = control_open(&conf, &events, NULL);
	for (size_t i = 0; i < n; i++)
		control_evse_link(c, (int)i, true, now);
}

/* With a configuration that a test has changed. */
static void reopen(void)
{
	static const struct control_events events = { on_send };
	control_close(c);
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

static void start(int i)
{
	on[i] = true;
	offer[i] = -1;
	control_evse_tx(c, i, true, now);
	control_evse_state(c, i, EVSE_CHARGING, now);
}

static void stop(int i)
{
	on[i] = false;
	control_evse_state(c, i, EVSE_FINISHING, now);
	control_evse_tx(c, i, false, now);
}

static int32_t draw_of(int i, int phase)
{
	int32_t may = offer[i] < 0 ? A(6) : offer[i];
	if (!on[i] || (phases[i] == 1 ? phase != alone[i] : phase >= phases[i]) || may < A(6))
		return 0;
	return may < takes[i] ? may : takes[i];
}

static struct meter_sample reading(void)
{
	static struct meter_sample last;
	if (fixed_reading) {
		last.at_us = now;
		return last;
	}
	struct meter_sample s = { .at_us = now, .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
	for (int l = 0; l < 3; l++) {
		s.ma.l[l] = base[l];
		for (size_t i = 0; i < conf.n_evses; i++)
			for (int p = 0; p < evses[i].n_lines; p++)
				if (evses[i].lines[p] == l)
					s.ma.l[l] += draw_of((int)i, p);
	}
	s.ma.l[2] += wobble = !wobble;
	if (zero_reading)
		memset(&s.ma, 0, sizeof(s.ma));
	last = s;
	return s;
}

static bool measure(void)
{
	struct meter_sample s = reading();
	s.at_us -= late;
	return control_meter(c, 0, &s);
}

static void report(void)
{
	for (size_t i = 0; i < conf.n_evses && !silent; i++) {
		int32_t own[3] = { draw_of((int)i, 0), draw_of((int)i, 1), draw_of((int)i, 2) };
		control_evse_draw(c, (int)i, own, NAN, now);
	}
}

/* One second: cars have followed, the meter is read, stations report every ten. */
static void second(void)
{
	now += S;
	if (now / S % 10 == 0)
		report();
	if (meter_on)
		measure();
	control_tick(c, now);
}

static void seconds(int n)
{
	while (n-- > 0)
		second();
}

static struct cap why(int i)
{
	struct cap cap;
	assert_int_equal(control_why(c, i, &cap, 1), 1);
	return cap;
}

static int32_t granted(int i)
{
	struct evse_view v;
	control_evse_view(c, i, &v);
	return v.grant.ma;
}

static int told_phases(int i)
{
	struct evse_view v;
	control_evse_view(c, i, &v);
	return v.grant.phases;
}

static void check_plan(void)
{
	for (size_t n = 0; n < control_nodes(c); n++) {
		struct node_view v;
		control_node_view(c, (int)n, &v);
		for (int l = 0; l < 3; l++)
			if (v.planned.l[l] > v.limit.l[l])
				fail_msg("%s L%d is planned with %d mA of %d", v.id, l + 1, v.planned.l[l], v.limit.l[l]);
	}
}

static void test_a_car_gets_its_limit_in_the_tick_after_it_starts(void **state)
{
	(void)state;
	stage(2, A(63));
	seconds(5);
	assert_int_equal(sends[0], 0);
	start(0);
	second();
	assert_int_equal(offer[0], A(32));
	assert_int_equal(sends[0], 1);
	assert_int_equal(sends[1], 0);
	assert_string_equal(why(0).reason, "evse_max");
}

static void test_a_base_jump_is_answered_in_the_same_tick(void **state)
{
	(void)state;
	stage(2, A(63));
	start(0);
	start(1);
	seconds(60);
	assert_int_equal(granted(0), A(31) + 400); /* 63 A by two; a little is kept for the noise of the meter on L3 */
	base[1] = A(23);
	now += S / 2;
	assert_true(measure());
	control_tick(c, now);
	assert_int_equal(granted(0), A(20));
	assert_int_equal(offer[0], A(20));
	check_plan();
	assert_string_equal(why(0).reason, "circuit");
	assert_string_equal(why(0).ref, "grid");
	assert_int_equal(why(0).phase, 2);
	now += S / 2;
	assert_false(measure());
}

static bool lowered_pressed;

static void on_send_pressed(void *arg, int evse, const struct grant *g)
{
	if (evse == 0 && g->ma < offer[0])
		lowered_pressed = g->pressed;
	on_send(arg, evse, g);
}

static void test_a_lower_limit_is_pressing_where_there_is_less_than_was_ordered(void **state)
{
	static const struct control_events events = { on_send_pressed };
	(void)state;
	stage(2, A(46));
	control_close(c);
	c = control_open(&conf, &events, NULL);
	for (int i = 0; i < 2; i++)
		control_evse_link(c, i, true, now);
	start(0);
	seconds(90);
	assert_int_equal(granted(0), A(32));
	start(1); /* there is room for its minimum: the other one only shares */
	lowered_pressed = true;
	seconds(20);
	assert_in_range(granted(0), A(22), A(23));
	assert_false(lowered_pressed);
	base[1] = A(23);
	second();
	assert_in_range(granted(0), A(11), A(12));
	assert_true(lowered_pressed);
}

static void test_raises_wait_for_calm_and_go_by_steps(void **state)
{
	(void)state;
	stage(1, A(32));
	start(0);
	seconds(60);
	base[0] = A(22);
	second();
	assert_int_equal(granted(0), A(10));
	base[0] = 0;
	seconds(39); /* the peak is still held */
	assert_int_equal(granted(0), A(10));
	seconds(7);
	assert_int_equal(granted(0), A(14));
	assert_string_equal(why(0).reason, "ramp");
	seconds(5);
	assert_int_equal(granted(0), A(18));
	seconds(30);
	assert_true(granted(0) >= A(30));
}

static void test_a_reduction_on_its_way_is_not_cut_twice(void **state)
{
	(void)state;
	stage(1, A(32));
	start(0);
	seconds(60);
	deaf[0] = true; /* for three seconds the car does not move */
	base[0] = A(12);
	second();
	assert_int_equal(granted(0), A(20));
	seconds(3);
	assert_int_equal(granted(0), A(20));
	deaf[0] = false;
	offer[0] = A(20);
	seconds(10);
	assert_int_equal(granted(0), A(20));
}

static void test_a_car_that_ignores_its_limit_is_counted_with_what_it_takes(void **state)
{
	(void)state;
	stage(2, A(50));
	start(0);
	start(1);
	seconds(60);
	deaf[0] = true;
	base[0] = A(20);
	seconds(30);
	/* 50 - 20 - 24.5 that the deaf one goes on taking leaves less than a minimum */
	assert_int_equal(granted(1), 0);
	assert_string_equal(why(0).reason, "unconfirmed");
	check_plan();
}

/* The meter shows that somebody has not followed; that need not wait for reports, which come every ten seconds. */
static void test_where_a_meter_stays_over_its_limit_orders_are_repeated_early(void **state)
{
	(void)state;
	stage(1, A(32));
	start(0);
	while (seconds(1), now / S % 10 != 1 || now < 1060 * S)
		;
	deaf[0] = true;
	base[0] = A(12);
	second();
	int before = sends[0];
	seconds(4);
	assert_int_equal(sends[0], before);
	deaf[0] = false;
	seconds(2);
	assert_int_equal(sends[0], before + 1);
	assert_int_equal(offer[0], A(20));
}

/* A site whose limits are kept while they fit, as the configuration has them when it says nothing. */
static void stage_kept(size_t n, int32_t limit)
{
	stage(n, limit);
	conf.rebalance_us = 600 * S;
	conf.increase_after_us = -1;
	conf.increase_step_ma = 0;
	conf.margin = true;
	reopen();
}

/* With limits that are kept while they fit: what cars take counts, and a car that sleeps takes nothing of its offer. Still it might wake. */
static void test_where_nothing_is_left_nobody_is_offered_anything(void **state)
{
	(void)state;
	stage_kept(2, A(40));
	takes[1] = 0;
	start(0);
	start(1);
	seconds(120);
	assert_true(granted(0) >= A(30));
	assert_true(granted(1) >= A(6));
	deaf[0] = true;
	base[0] = A(20);
	seconds(30);
	assert_string_equal(why(0).reason, "unconfirmed");
	assert_int_equal(granted(1), 0);
	assert_int_equal(granted(0), 0); /* the next word may be heard */
	deaf[0] = false;
	offer[0] = A(0);
	seconds(150);
	assert_true(granted(0) >= A(6));
	assert_true(granted(1) >= A(6));
	check_plan();
}

static void test_fair_shares_are_there_as_soon_as_somebody_comes_or_leaves(void **state)
{
	(void)state;
	stage_kept(3, A(48));
	start(0);
	start(1);
	seconds(100);
	assert_in_range(granted(0), A(23), A(24));
	assert_in_range(granted(1), A(23), A(24));
	start(2);
	seconds(12);
	assert_in_range(granted(2), A(11), A(16)); /* the rest when its first current is seen */
	seconds(20);
	for (int i = 0; i < 3; i++)
		assert_in_range(granted(i), A(15), A(16));
	seconds(600);
	stop(0);
	seconds(15);
	assert_in_range(granted(1), A(23), A(24));
	assert_in_range(granted(2), A(23), A(24));
	check_plan();
}

/* The building wanders by some amperes: nobody is sent a word about it. */
static void test_shares_that_fit_are_left_alone(void **state)
{
	(void)state;
	stage_kept(3, A(48));
	for (int i = 0; i < 3; i++)
		start(i);
	seconds(300);
	int before = sends[0] + sends[1] + sends[2];
	for (int i = 0; i < 240; i++) {
		base[0] = A(1) * (i / 20 % 2);
		seconds(1);
	}
	assert_in_range(sends[0] + sends[1] + sends[2] - before, 0, 4); /* one cut at most, and each limit once more in five minutes */
	check_plan();
}

/* Three lines have too little at once, each by more than the one before: one car is lowered three times, not paused. */
static void test_one_car_makes_room_on_every_line(void **state)
{
	(void)state;
	stage_kept(1, A(40));
	start(0);
	seconds(100);
	base[0] = A(18);
	base[1] = A(21);
	base[2] = A(24);
	for (int i = 0; i < 200; i++) {
		seconds(1);
		assert_true(granted(0) >= A(6));
	}
	assert_in_range(granted(0), A(13), A(16));
	check_plan();
}

/* A car takes a quarter of a minute to come to what it may take, and its station reports in the middle of that. What is missing in the report
 * is the car's on its way up, not the building's. */
static void test_who_is_on_its_way_up_is_not_switched_off_for_it(void **state)
{
	(void)state;
	stage_kept(1, A(18));
	evses[0].on_off = true;
	evses[0].n_lines = 1;
	evses[0].min_ma = evses[0].max_ma = A(16);
	reopen();
	takes[0] = 0;
	start(0);
	for (int i = 0; i < 600; i++) {
		if (offer[0] <= 0)
			takes[0] = 0;
		else if (takes[0] < A(16) && now / S % 10 != 9)
			takes[0] += 1100;
		seconds(1);
		if (i > 70)
			assert_int_equal(granted(0), A(16));
	}
}

/* A car takes less than it is offered, and a load is switched on before that is known. What the car might take still is no reason to wait for its
 * next report. */
static void test_what_is_over_after_an_order_is_the_buildings(void **state)
{
	int over = 0;
	(void)state;
	stage_kept(1, A(20));
	evses[0].n_lines = 1;
	takes[0] = 14400;
	reopen();
	start(0);
	seconds(30);
	control_evse_profile(c, 0, A(8), "TxProfile/0/5", INT64_MAX);
	seconds(40);
	while (now / S % 10 != 9)
		second();
	control_evse_profile(c, 0, MA_NONE, NULL, 0);
	seconds(2);
	base[0] = A(10);
	silent = true; /* until the minute is over */
	for (int i = 0; i < 40; i++) {
		second();
		over += base[0] + draw_of(0, 0) > A(21);
	}
	assert_in_range(over, 1, 7); /* a sample, and five seconds in which cars follow; the next report comes later */
}

static void test_who_never_reports_a_current_is_raised_again(void **state)
{
	(void)state;
	stage_kept(1, A(80)); /* what it draws may be the building's: nobody can tell */
	silent = true;
	control_evse_proved(c, 0, false);
	start(0);
	seconds(100);
	assert_int_equal(granted(0), A(32));
	base[0] = base[1] = base[2] = A(55);
	seconds(60);
	assert_in_range(granted(0), A(0), A(28));
	base[0] = base[1] = base[2] = 0;
	seconds(900);
	assert_int_equal(granted(0), A(32));
}

static void test_an_order_that_lets_go_is_followed_to_the_tenth(void **state)
{
	static const int32_t said[] = { 12000, 8000, 8300, 14000, 14500 };
	(void)state;
	stage_kept(2, A(60));
	start(0);
	start(1);
	seconds(100);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		control_evse_profile(c, 0, said[i], "TxProfile/0/5", INT64_MAX);
		seconds(12);
		assert_int_equal(granted(0), said[i]);
	}
	int cap = control_cap_set(c, 0, -1, A(20), "operator", "test", INT64_MAX);
	seconds(30);
	assert_true(granted(0) + granted(1) <= A(20));
	control_cap_clear(c, cap);
	seconds(20);
	assert_int_equal(granted(0), 14500);
	assert_int_equal(granted(1), A(32));
}

/* Many cars need a quarter of a minute to begin, and stations report every ten seconds. What they begin to take is theirs, not the building's. */
static void test_who_begins_late_is_not_sent_away_for_it(void **state)
{
	(void)state;
	stage(2, A(20));
	conf.strategy = STRATEGY_FIRST_COME;
	reopen();
	base[0] = base[1] = base[2] = A(5);
	takes[1] = 0;
	start(0);
	seconds(60);
	start(1);
	for (int i = 0; i < 120 && offer[1] < A(6); i++)
		second();
	assert_int_equal(offer[1], A(6));
	seconds(9);
	while (now / S % 10)
		second();
	takes[1] = A(32); /* right after it said that it takes nothing */
	for (int i = 0; i < 60; i++) {
		second();
		assert_true(offer[1] >= A(6));
		assert_true(reading().ma.l[0] <= A(20));
	}
}

static void test_who_does_not_listen_is_asked_for_nothing_where_nothing_is_left(void **state)
{
	(void)state;
	stage(1, A(32));
	start(0);
	seconds(60);
	deaf[0] = true;
	base[0] = A(10);
	seconds(20);
	assert_string_equal(why(0).reason, "unconfirmed");
	assert_int_equal(granted(0), 0);
	assert_true(sends[0] > 3);
}

static void test_a_refused_reduction_keeps_the_old_value_in_the_plan(void **state)
{
	(void)state;
	stage(2, A(50));
	start(0);
	start(1);
	seconds(60);
	mute[0] = true;
	takes[0] = A(20);
	base[0] = A(10);
	second();
	int32_t asked = granted(0);
	control_evse_answered(c, 0, asked, false, now);
	second();
	assert_string_equal(why(0).reason, "unconfirmed");
	int before = sends[0];
	seconds(11);
	assert_true(sends[0] > before); /* asked again */
	assert_true(granted(1) <= A(50) - A(10) - A(24));
	check_plan();
}

static void test_a_silent_meter_stops_raises_then_leaves_the_fallback(void **state)
{
	(void)state;
	stage(2, A(63));
	start(0);
	seconds(60);
	base[0] = base[1] = base[2] = A(20);
	seconds(60);
	meter_on = false;
	seconds(4);
	start(1);
	second();
	struct node_view grid;
	control_node_view(c, 0, &grid);
	assert_true(grid.stale);
	assert_int_equal(granted(1), 0);
	assert_string_equal(why(1).reason, "meter_lost");
	seconds(4);
	assert_int_equal(granted(0), A(6));
	assert_int_equal(granted(1), A(6));
	assert_string_equal(why(0).reason, "meter_lost");
	assert_string_equal(why(0).ref, "main");
	meter_on = true;
	seconds(30);
	assert_true(granted(0) >= A(20) && granted(1) >= A(20)); /* back without calm and steps */
	check_plan();
}

/* Its samples keep coming, each a second older than they may be. */
static void test_a_meter_that_is_a_little_late_is_planned_with(void **state)
{
	(void)state;
	struct node_view grid;
	stage(2, A(63));
	base[0] = base[1] = base[2] = A(20);
	late = 4 * S;
	start(0);
	seconds(120);
	assert_int_equal(granted(0), A(32));
	start(1);
	seconds(300);
	assert_true(granted(0) + granted(1) >= A(42) && granted(0) + granted(1) <= A(43));
	base[1] = A(35);
	seconds(20);
	assert_true(granted(0) + granted(1) <= A(28));
	check_plan();
	meter_on = false; /* and silent it is lost all the same */
	seconds(12);
	control_node_view(c, 0, &grid);
	assert_true(grid.stale);
	assert_int_equal(granted(0), A(6));
}

/* With more than that it is no better than none, and no worse. */
static void test_a_meter_that_is_always_late_is_a_lost_one(void **state)
{
	(void)state;
	stage(1, A(63));
	conf.on_meter_lost = LOST_HIGHEST;
	reopen();
	base[0] = base[1] = base[2] = A(40);
	late = 15 * S;
	start(0);
	seconds(100);
	assert_int_equal(granted(0), A(6));
	seconds(2000);
	assert_true(granted(0) > A(20) && granted(0) <= A(23)); /* beside the highest that was seen */
	base[0] = base[1] = base[2] = A(20);
	seconds(300);
	assert_true(granted(0) <= A(23));
	late = 0;
	seconds(120);
	assert_int_equal(granted(0), A(32));
}

static void test_a_failed_read_is_unknown_and_not_zero(void **state)
{
	(void)state;
	struct meter_view v;
	stage(1, A(63));
	base[0] = A(40);
	start(0);
	seconds(60);
	int32_t before = granted(0);
	control_meter_failed(c, 0, "timeout");
	meter_on = false;
	seconds(2);
	control_meter_view(c, 0, now, &v);
	assert_string_equal(v.fault, "timeout");
	assert_int_equal(v.last.ma.l[0] / 1000, 40 + before / 1000);
	assert_int_equal(granted(0), before);
}

static void test_a_frozen_meter_is_a_lost_one(void **state)
{
	(void)state;
	struct meter_view v;
	stage(2, A(63));
	start(0);
	seconds(60);
	fixed_reading = true;
	start(1); /* a second car, which the meter does not show */
	seconds(140);
	control_meter_view(c, 0, now, &v);
	assert_true(v.stale);
	assert_true(v.age_us >= 60 * S);
	assert_int_equal(granted(0), A(6));
	fixed_reading = false;
	seconds(10);
	control_meter_view(c, 0, now, &v);
	assert_false(v.stale);
}

static void test_a_steady_reading_is_believed_while_the_cars_are_steady(void **state)
{
	(void)state;
	struct meter_view v;
	stage(1, A(63));
	start(0);
	seconds(60);
	fixed_reading = true;
	seconds(600);
	control_meter_view(c, 0, now, &v);
	assert_false(v.stale);
}

/* Its last digits have never stood still; now they do, although nobody is known to draw anything else. */
static void test_a_restless_meter_that_stands_still_is_a_lost_one(void **state)
{
	(void)state;
	struct meter_view v;
	stage(1, A(63));
	base[0] = A(20);
	start(0);
	seconds(1000);
	fixed_reading = true;
	seconds(9);
	control_meter_view(c, 0, now, &v);
	assert_false(v.stale);
	seconds(10);
	control_meter_view(c, 0, now, &v);
	assert_true(v.stale);
	assert_int_equal(granted(0), A(6));
	seconds(600);
	fixed_reading = false;
	seconds(10);
	control_meter_view(c, 0, now, &v);
	assert_false(v.stale);
	assert_true(granted(0) > A(6));
	fixed_reading = true; /* that it was still for ten minutes does not make it one that is slow of speech */
	seconds(25);
	control_meter_view(c, 0, now, &v);
	assert_true(v.stale);
}

/* Its last digits stand still for half a minute again and again: that alone says nothing. */
static void test_a_meter_that_often_stands_still_is_believed(void **state)
{
	(void)state;
	struct meter_view v;
	stage(1, A(63));
	base[0] = A(20);
	start(0);
	for (int i = 0; i < 40; i++) {
		fixed_reading = false;
		seconds(1);
		fixed_reading = true;
		seconds(30);
	}
	control_meter_view(c, 0, now, &v);
	assert_false(v.stale);
	seconds(60);
	control_meter_view(c, 0, now, &v);
	assert_false(v.stale);
}

/* Who plans with the highest base load has to have seen one. */
static void test_a_meter_that_is_lost_at_the_start_leaves_the_fallback(void **state)
{
	(void)state;
	stage(1, A(63));
	conf.on_meter_lost = LOST_HIGHEST;
	reopen();
	meter_on = false;
	start(0);
	seconds(300);
	assert_int_equal(granted(0), A(6));
	meter_on = true;
	seconds(1900);
	assert_int_equal(granted(0), A(32));
	meter_on = false;
	seconds(300);
	assert_int_equal(granted(0), A(32));
}

static void test_an_unchanging_zero_is_believed_while_nothing_draws(void **state)
{
	(void)state;
	struct meter_view v;
	stage(1, A(63));
	wobble = 1;
	seconds(1);
	fixed_reading = true;
	seconds(300);
	control_meter_view(c, 0, now, &v);
	assert_false(v.stale);
}

/* A meter is the first to see that a car has stopped; what its station says of it later is no contradiction. */
static void test_an_unchanging_zero_is_believed_after_the_last_car_stopped(void **state)
{
	(void)state;
	struct meter_view v;
	stage(1, A(63));
	start(0);
	seconds(60);
	takes[0] = 0;
	wobble = 1;
	seconds(1);
	fixed_reading = true;
	seconds(300);
	control_meter_view(c, 0, now, &v);
	assert_int_equal(v.last.ma.l[0], 0);
	assert_false(v.stale);
}

/* Its transformers are not plugged in, or a gateway fills in zeros. */
static void test_a_meter_that_says_nothing_while_cars_charge_is_a_lost_one(void **state)
{
	(void)state;
	struct meter_view v;
	stage(2, A(63));
	base[0] = base[1] = base[2] = A(30);
	start(0);
	start(1);
	seconds(120);
	int32_t both = granted(0) + granted(1);
	assert_true(both > A(30) && both <= A(33));
	zero_reading = true;
	for (int i = 0; i < 30; i++) {
		second();
		assert_true(granted(0) + granted(1) <= both); /* the building is not believed to be gone */
	}
	control_meter_view(c, 0, now, &v);
	assert_true(v.stale && v.fault);
	assert_string_equal(why(0).reason, "meter_lost");
	seconds(300);
	assert_int_equal(granted(0), A(6));
	assert_int_equal(granted(1), A(6));
	zero_reading = false;
	seconds(60);
	control_meter_view(c, 0, now, &v);
	assert_false(v.stale);
	assert_null(v.fault);
	assert_int_equal(granted(0) + granted(1), both);
}

static void test_a_meter_that_never_said_anything_is_not_planned_with(void **state)
{
	(void)state;
	stage(2, A(63));
	conf.on_meter_lost = LOST_HIGHEST;
	reopen();
	base[0] = base[1] = base[2] = A(30);
	zero_reading = true;
	seconds(3000);
	start(0);
	start(1);
	seconds(60);
	for (int i = 0; i < 5000; i++) {
		second();
		assert_int_equal(granted(0), A(6));
	}
	zero_reading = false;
	seconds(300);
	assert_true(granted(0) + granted(1) > A(30) && granted(0) + granted(1) <= A(33));
}

static struct node_view grid_view(void)
{
	struct node_view v;
	control_node_view(c, 0, &v);
	return v;
}

/* A solar plant feeds the cars: the meter shows what is left, which may be nothing now and then. */
static void test_less_than_the_cars_take_is_believed(void **state)
{
	static const int32_t plant[] = { -A(30), -A(32), -A(45) };
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		stage(1, A(63));
		start(0);
		seconds(60);
		base[0] = base[1] = base[2] = plant[k];
		for (int i = 0; i < 600; i++) {
			second();
			assert_false(grid_view().stale);
		}
		assert_int_equal(granted(0), A(32));
		if (k < 2)
			control_close(c);
	}
}

/* A battery may be regulated until the meter shows nothing at all. */
static void test_nothing_beside_a_battery_is_believed(void **state)
{
	static const struct fixture_conf battery = { .id = "store", .node = 0, .kind = FIXTURE_BATTERY, .meter = -1 };
	(void)state;
	stage(1, A(63));
	conf.fixtures = &battery;
	conf.n_fixtures = 1;
	reopen();
	start(0);
	seconds(60);
	zero_reading = true;
	for (int i = 0; i < 600; i++) {
		second();
		assert_false(grid_view().stale);
	}
}

/* Below a meter of cars alone nothing flows when they pause for it: it is asked again after a while. */
static void test_a_meter_that_said_nothing_is_believed_again(void **state)
{
	(void)state;
	stage(1, A(63));
	conf.on_meter_lost = LOST_STOP;
	reopen();
	start(0);
	seconds(60);
	zero_reading = true;
	seconds(60);
	assert_int_equal(granted(0), 0);
	zero_reading = false;
	wobble = 1;
	second();
	fixed_reading = true; /* the truth now, as no car draws */
	seconds(800);
	assert_int_equal(granted(0), 0);
	seconds(200);
	fixed_reading = false;
	seconds(60);
	assert_int_equal(granted(0), A(32));
}

static void test_a_station_without_link_is_counted_with_the_worst(void **state)
{
	(void)state;
	stage(2, A(40));
	start(0);
	seconds(60);
	assert_int_equal(granted(0), A(32));
	control_evse_link(c, 0, false, now);
	start(1);
	second();
	assert_int_equal(granted(1), A(8)); /* 40 less the 32 of the last order; the meter's noise is no load */
	assert_string_equal(why(0).reason, "offline_fallback");
	check_plan();
	offer[0] = A(6); /* its own timer has run out */
	seconds(200);
	assert_true(granted(1) >= A(30)); /* 6 A fallback counts */
	control_evse_link(c, 0, true, now);
	int before = sends[0];
	second();
	assert_int_equal(sends[0], before + 1); /* what it was told may be forgotten */
	check_plan();
}

/* A car that was not using its offer is counted with nothing; then what the meter shows is the building. */
static void test_what_is_not_counted_for_the_silent_is_part_of_the_base_load(void **state)
{
	(void)state;
	stage(2, A(45));
	evses[1].fallback_ma = 0;
	reopen();
	takes[1] = 0;
	start(0);
	start(1);
	seconds(120);
	assert_true(granted(1) >= A(6));
	control_evse_link(c, 1, false, now);
	base[0] = A(20);
	seconds(20);
	assert_true(draw_of(0, 0) + base[0] <= A(45));
	check_plan();
}

static void test_a_newcomers_minimum_is_free_before_it_starts(void **state)
{
	(void)state;
	stage(3, A(33));
	start(0);
	start(1);
	seconds(60);
	deaf[0] = deaf[1] = true; /* for a moment */
	start(2);
	second();
	assert_int_equal(granted(0), A(11));
	assert_true(granted(2) <= A(6)); /* no more than it may take by itself, until the others are seen to be down */
	deaf[0] = deaf[1] = false;
	offer[0] = offer[1] = granted(0);
	seconds(30);
	assert_true(granted(2) >= A(10));
	check_plan();
}

static void test_who_waits_gets_its_turn(void **state)
{
	(void)state;
	int served[4] = { 0 }, most_waiting = 0;
	stage(4, A(20));
	conf.rotate_every_us = 600 * S;
	control_close(c);
	c = control_open(&conf, &(struct control_events){ on_send }, NULL);
	for (int i = 0; i < 4; i++) {
		control_evse_link(c, i, true, now);
		start(i);
	}
	for (int t = 0; t < 4 * 3600; t++) {
		int waiting = 0;
		second();
		for (int i = 0; i < 4; i++) {
			served[i] += granted(i) > 0;
			waiting += !granted(i);
		}
		if (waiting > most_waiting && t > 120)
			most_waiting = waiting;
		if (waiting == 1) {
			for (int i = 0; i < 4; i++)
				if (!granted(i) && t % 600 == 300)
					assert_string_equal(why(i).reason, "waiting");
		}
		if (t > 60) /* at the start they had begun by themselves, all at once */
			check_plan();
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(served[i], 10000, 11500); /* three quarters of the time each, less the time of changing over */
	assert_true(most_waiting <= 2);
}

static void test_what_a_car_does_not_use_goes_to_others(void **state)
{
	(void)state;
	stage(2, A(40));
	takes[0] = A(10);
	start(0);
	start(1);
	seconds(120);
	assert_in_range(granted(0), A(11), A(12) + 500);
	assert_true(granted(1) >= A(26));
	assert_string_equal(why(0).reason, "ev");
	takes[0] = A(32);
	seconds(60);
	assert_true(granted(0) >= A(18));
	check_plan();
}

static void test_only_the_phases_in_use_are_counted_once_learnt(void **state)
{
	(void)state;
	stage(2, A(32));
	phases[0] = 1;
	evses[1] = evses[0];
	start(0);
	seconds(20);
	control_close(c);
	/* The second socket has one phase, on L2: it does not meet the first one, whose car uses L1 alone. */
	evses[1] = (struct evse_conf){ .id = "G-2", .station = "G-2", .evse = 1, .node = 1, .lines = { 1 }, .n_lines = 1,
				       .min_ma = A(6), .max_ma = A(32), .fallback_ma = A(6), .fallback_after_us = 60 * S };
	phases[1] = 1;
	c = control_open(&conf, &(struct control_events){ on_send }, NULL);
	for (int i = 0; i < 2; i++) {
		control_evse_link(c, i, true, now);
		start(i);
	}
	seconds(5);
	assert_true(granted(0) <= A(17));
	seconds(100);
	assert_true(granted(0) >= A(31));
	assert_true(granted(1) >= A(31));
}

static void test_sockets_of_one_phase_or_two_are_limited_by_their_own_lines(void **state)
{
	static const uint8_t lines[][3] = { { 1 }, { 2 }, { 2, 1 } };
	(void)state;
	stage(3, A(40));
	for (int i = 0; i < 3; i++) {
		memcpy(evses[i].lines, lines[i], 3);
		phases[i] = evses[i].n_lines = i < 2 ? 1 : 2;
	}
	reopen();
	base[0] = A(40); /* nothing is left of L1, which none of them has */
	base[1] = A(18);
	base[2] = A(26);
	second();
	start(0);
	start(1);
	seconds(100);
	assert_in_range(granted(0), A(21), A(22));
	assert_in_range(granted(1), A(13), A(14));
	stop(0);
	stop(1);
	start(2);
	seconds(100);
	assert_in_range(granted(2), A(13), A(14)); /* the fuller one of its two */
}

static void test_an_unchanged_limit_is_sent_again_in_time(void **state)
{
	(void)state;
	stage(1, A(63));
	start(0);
	seconds(2);
	assert_int_equal(sends[0], 1);
	seconds(298);
	assert_int_equal(sends[0], 1);
	seconds(4);
	assert_int_equal(sends[0], 2);
}

static void test_an_operators_cap_holds_until_its_end(void **state)
{
	(void)state;
	stage(1, A(63));
	start(0);
	seconds(30);
	int id = control_cap_set(c, -1, 0, A(10), "operator", "anna", now + 60 * S);
	assert_true(id > 0);
	second();
	assert_int_equal(offer[0], A(10));
	struct cap chain[8];
	size_t n = control_why(c, 0, chain, 8);
	assert_string_equal(chain[0].reason, "operator");
	assert_string_equal(chain[0].ref, "anna");
	assert_int_equal(chain[0].until_us, now + 59 * S);
	for (size_t i = 1; i < n; i++)
		assert_true(chain[i].value_ma >= chain[i - 1].value_ma);
	seconds(100);
	assert_int_equal(offer[0], A(32));
	assert_int_equal(control_cap_clear(c, id), ERR_NOT_FOUND);
}

static void test_what_the_csms_allows_is_a_cap_and_what_it_leaves_goes_to_others(void **state)
{
	(void)state;
	stage(2, A(32));
	start(0);
	start(1);
	control_evse_profile(c, 0, A(9), "TxProfile/0/771", now + 600 * S);
	seconds(60);
	assert_int_equal(granted(0), A(9));
	assert_in_range(granted(1), A(22), A(23));
	assert_string_equal(why(0).reason, "csms_profile");
	assert_string_equal(why(0).ref, "TxProfile/0/771");
	control_evse_profile(c, 0, A(60), "TxProfile/0/771", 0); /* more than there is lifts nothing */
	seconds(120);
	assert_in_range(granted(0), A(15), A(16));
	assert_string_not_equal(why(0).reason, "csms_profile");
	control_evse_profile(c, 0, 0, "TxProfile/0/772", 0);
	second();
	assert_int_equal(granted(0), 0);
	control_evse_profile(c, 0, MA_NONE, NULL, 0);
	seconds(120);
	assert_in_range(granted(0), A(15), A(16));
}

static void test_what_is_not_worth_while_is_not_offered(void **state)
{
	(void)state;
	stage(3, A(30));
	for (int i = 0; i < 3; i++)
		start(i);
	control_evse_least(c, 0, A(12)); /* three times 10 A would fit */
	seconds(120);
	assert_true(granted(0) == 0 || granted(0) >= A(12));
	assert_true(granted(1) >= A(6) && granted(2) >= A(6));
	check_plan();
	control_evse_profile(c, 0, A(9), "TxProfile/0/7", 0); /* the same CSMS allows less than it calls worth while: then that */
	seconds(120);
	assert_in_range(granted(0), A(8), A(9));
}

static void test_what_a_car_feeds_back_is_not_planned_with(void **state)
{
	(void)state;
	stage(2, A(40));
	for (int l = 0; l < 3; l++)
		base[l] = A(20);
	start(0);
	start(1);
	takes[1] = -A(10); /* the meter shows 10 A less than the building takes */
	seconds(180);
	assert_true(granted(0) >= A(6));
	assert_true(granted(0) + granted(1) <= A(20));
	assert_int_equal(sends[1] > 0, 1);
	check_plan();
}

static void test_a_lower_limit_of_the_grid_operator_is_obeyed_at_once(void **state)
{
	(void)state;
	stage(3, A(100));
	for (int i = 0; i < 3; i++)
		start(i);
	seconds(60);
	assert_true(control_cap_set(c, 0, -1, A(30), "grid_operator", "dimming", now + 600 * S) > 0);
	second();
	for (int i = 0; i < 3; i++)
		assert_in_range(granted(i), A(9), A(10));
	assert_string_equal(why(1).reason, "grid_operator");
	check_plan();
}

static void test_relays_wait_their_turn(void **state)
{
	(void)state;
	stage(2, A(20));
	for (int i = 0; i < 2; i++) {
		evses[i].on_off = true;
		evses[i].n_lines = 1;
		evses[i].min_ma = evses[i].max_ma = A(16);
		evses[i].fallback_ma = 0;
	}
	control_close(c);
	c = control_open(&conf, &(struct control_events){ on_send }, NULL);
	for (int i = 0; i < 2; i++) {
		control_evse_link(c, i, true, now);
		start(i);
		offer[i] = 0;
	}
	seconds(5);
	assert_int_equal(granted(0), A(16));
	assert_int_equal(granted(1), 0);
	assert_string_equal(why(1).reason, "waiting");
	assert_string_equal(why(1).ref, "1");
	assert_true(why(1).until_us > now);
	stop(0);
	seconds(60);
	assert_int_equal(granted(1), A(16));
}

/* The building has all but a little of two phases. */
static void test_one_phase_is_better_than_waiting_with_three(void **state)
{
	(void)state;
	stage(1, A(32));
	evses[0].switch_after_us = 300 * S;
	reopen();
	base[1] = base[2] = A(28);
	start(0);
	seconds(10);
	assert_int_equal(granted(0), 0);
	assert_string_equal(why(0).reason, "waiting");
	phases[0] = 3;
	for (int i = 0; i < 120 && !granted(0); i++) {
		second();
		phases[0] = told_phases(0);
	}
	assert_int_equal(granted(0), A(6)); /* until it has shown that it uses one alone */
	assert_int_equal(told_phases(0), 1);
	assert_string_equal(why(0).reason, "phases");
	seconds(60);
	assert_true(granted(0) >= A(20));
	seconds(60); /* what it drew before it heard anything is not taken for the building any more */
	check_plan();
	base[1] = base[2] = A(2);
	seconds(60);
	assert_int_equal(told_phases(0), 1); /* not for a moment's plenty, and not so soon */
	for (int i = 0; i < 600 && told_phases(0) == 1; i++)
		second();
	assert_int_equal(granted(0), 0); /* it changes over while nothing flows */
	assert_int_equal(told_phases(0), 3);
	phases[0] = 3;
	seconds(90);
	assert_true(granted(0) >= A(25));
	check_plan();
}

static void test_a_station_that_goes_on_with_three_phases_is_not_asked_again(void **state)
{
	(void)state;
	stage(1, A(32));
	evses[0].switch_after_us = 60 * S;
	reopen();
	base[1] = base[2] = A(28);
	start(0);
	seconds(200);
	assert_int_equal(granted(0), 0);
	assert_int_equal(told_phases(0), 3);
	int before = sends[0];
	seconds(600);
	assert_true(sends[0] - before <= 3); /* repetitions */
	check_plan();
}

static void one_car_on_one_phase_line(void)
{
	stage(1, A(32));
	evses[0].switch_after_us = 60 * S;
	reopen();
	base[1] = base[2] = A(28);
	start(0);
}

/* Seconds in which every car charges on as many phases as its station was told. */
static void obedient_seconds(int n)
{
	while (n-- > 0) {
		second();
		for (int i = 0; i < (int)conf.n_evses; i++)
			phases[i] = told_phases(i);
	}
}

/* It was slow, or has been repaired; else the car would wait for three phases all day. */
static void test_such_a_station_is_asked_again_after_an_hour(void **state)
{
	(void)state;
	one_car_on_one_phase_line();
	seconds(200);
	assert_int_equal(told_phases(0), 3);
	obedient_seconds(3800);
	assert_int_equal(told_phases(0), 1);
	assert_true(granted(0) >= A(20));
	check_plan();
}

/* Whoever charges can give what it has above its minimum, but that is not enough for three phases more. */
static void test_one_phase_is_what_others_can_give(void **state)
{
	(void)state;
	stage(2, A(63));
	nodes[0].power_w = 8000;
	for (int i = 0; i < 2; i++)
		evses[i].switch_after_us = 300 * S;
	reopen();
	start(0);
	seconds(60);
	assert_true(granted(0) >= A(9));
	start(1);
	obedient_seconds(300);
	assert_true(granted(0) >= A(6) && granted(1) >= A(6));
	assert_int_equal(told_phases(0) + told_phases(1), 4);
	check_plan();
}

static int32_t counted_on(int i, int phase)
{
	struct evse_view v;
	control_evse_view(c, i, &v);
	return v.counted_ma[phase];
}

static void test_a_station_that_is_lost_before_it_has_shown_one_phase_counts_on_all(void **state)
{
	(void)state;
	one_car_on_one_phase_line();
	for (int i = 0; i < 120 && !granted(0); i++)
		second();
	assert_int_equal(told_phases(0), 1);
	control_evse_link(c, 0, false, now);
	second();
	assert_true(counted_on(0, 0) >= A(6) && counted_on(0, 1) >= A(6) && counted_on(0, 2) >= A(6));
}

static void test_who_has_shown_one_phase_counts_on_it_when_it_is_lost(void **state)
{
	(void)state;
	one_car_on_one_phase_line();
	obedient_seconds(200);
	assert_true(granted(0) >= A(20));
	control_evse_link(c, 0, false, now);
	second();
	assert_true(counted_on(0, 0) >= A(20));
	assert_int_equal(counted_on(0, 1), A(6)); /* its fallback */
}

/* Its car has no more, or its station may yet change over with the next word, for which there would be no room. */
static void test_who_goes_on_with_one_phase_when_it_may_use_all_is_told_that_one(void **state)
{
	(void)state;
	one_car_on_one_phase_line();
	obedient_seconds(200);
	base[1] = base[2] = A(20);
	for (int i = 0; i < 600 && (told_phases(0) == 1 || !granted(0)); i++)
		second();
	seconds(60);
	assert_true(granted(0) >= A(6) && granted(0) <= A(12)); /* for three: it is not known yet */
	for (int i = 0; i < 200 && told_phases(0) == 3; i++)
		second();
	assert_int_equal(told_phases(0), 1);
	seconds(60);
	assert_true(granted(0) >= A(20));
	int before = sends[0];
	seconds(1200);
	assert_int_equal(told_phases(0), 1);
	assert_true(sends[0] - before <= 4); /* repetitions */
}

/* An order that a station did not hear, because its link went just then: nothing has shown yet that it went down. */
static void test_the_last_word_before_a_silence_may_not_have_been_heard(void **state)
{
	(void)state;
	stage(1, A(63));
	start(0);
	seconds(60);
	assert_int_equal(granted(0), A(32));
	deaf[0] = true;
	base[0] = A(50);
	second();
	assert_true(granted(0) < A(14));
	control_evse_link(c, 0, false, now);
	seconds(30);
	assert_int_equal(counted_on(0, 0), A(32));
	seconds(60); /* it falls back by itself */
	assert_int_equal(counted_on(0, 0), A(6));
}

static void test_whose_hardware_cannot_open_two_phases_waits_with_three(void **state)
{
	static const struct control_events events = { on_send };
	(void)state;
	stage(1, A(32));
	control_close(c);
	evses[0].switch_after_us = 60 * S;
	c = control_open(&conf, &events, NULL);
	control_evse_single(c, 0, SINGLE_NEVER);
	control_evse_link(c, 0, true, now);
	base[1] = base[2] = A(28);
	start(0);
	seconds(200);
	assert_int_equal(told_phases(0), 3);
	assert_string_equal(why(0).reason, "waiting");
	control_evse_single(c, 0, SINGLE_FIRST); /* another board */
	for (int i = 0; i < 120 && told_phases(0) == 3; i++)
		second();
	assert_int_equal(told_phases(0), 1);
	phases[0] = 1;
	seconds(20);
	control_evse_single(c, 0, SINGLE_NEVER); /* and the first one again */
	second();
	assert_int_equal(told_phases(0), 3);
	check_plan();
}

static void test_a_station_that_can_choose_uses_the_phase_with_most_room(void **state)
{
	static const struct control_events events = { on_send };
	struct evse_view v;
	(void)state;
	stage(1, A(32));
	control_close(c);
	evses[0].switch_after_us = 60 * S;
	evses[0].lines[0] = 1; /* turned: its own L1 is L2 of the grid, */
	evses[0].lines[1] = 2; /* L2 is L3, */
	evses[0].lines[2] = 0; /* and L3 is L1 */
	c = control_open(&conf, &events, NULL);
	control_evse_single(c, 0, SINGLE_ANY);
	control_evse_link(c, 0, true, now);
	base[0] = A(20);
	base[1] = A(28);
	base[2] = A(4);
	start(0);
	seconds(5);
	for (int i = 0; i < 120 && told_phases(0) == 3; i++)
		second();
	control_evse_view(c, 0, &v);
	assert_int_equal(v.grant.phases, 1);
	assert_int_equal(v.grant.phase, 2);
	phases[0] = 1;
	alone[0] = 1;
	seconds(90);
	assert_true(granted(0) >= A(24));
	check_plan();
	base[2] = A(20); /* what flows there is counted there */
	seconds(5);
	assert_true(granted(0) <= A(12) && granted(0) >= A(10));
	check_plan();
	base[0] = A(4);
	base[2] = A(30); /* no room there any more, and much elsewhere */
	for (int i = 0; i < 200 && v.grant.phase == 2; i++) {
		second();
		control_evse_view(c, 0, &v);
	}
	assert_int_equal(v.grant.phases, 1);
	assert_int_equal(v.grant.phase, 3);
	alone[0] = 2;
	seconds(60);
	assert_true(granted(0) >= A(24));
	check_plan();
	alone[0] = 1; /* it takes another one: so it cannot choose */
	seconds(15);
	assert_int_equal(told_phases(0), 3);
	seconds(60); /* until then its current is taken for the building's */
	check_plan();
	base[0] = base[1] = base[2] = A(2);
	seconds(120);
	base[1] = A(28);
	seconds(300);
	assert_int_equal(told_phases(0), 3);
}

static int32_t all_draw(void)
{
	int32_t sum = 0;
	for (int i = 0; i < (int)conf.n_evses; i++)
		sum += draw_of(i, 0);
	return sum;
}

/* As if all who sleep began at once. */
static int32_t all_could_draw(void)
{
	int32_t sum = 0;
	for (int i = 0; i < (int)conf.n_evses; i++)
		sum += takes[i] ? draw_of(i, 0) : granted(i);
	return sum;
}

static void test_sleepers_are_offered_what_is_borne_if_all_begin_at_once(void **state)
{
	bool had[CARS] = { false };
	(void)state;
	stage(30, A(63));
	for (int i = 0; i < 27; i++) {
		start(i);
		takes[i] = 0;
		seconds(5);
	}
	seconds(90);
	for (int i = 27; i < 30; i++)
		start(i);
	seconds(60);
	assert_true(all_draw() > A(60)); /* nobody who is awake has less for it */
	for (int k = 0; k < 180; k++) {
		seconds(60);
		assert_true(all_could_draw() <= A(63) * 9 / 5);
		for (int i = 0; i < 27; i++)
			had[i] = had[i] || granted(i) >= A(6);
	}
	for (int i = 0; i < 27; i++)
		assert_true(had[i]); /* in turns */
	for (int i = 0; i < 27; i++)
		takes[i] = A(32);
	assert_true(all_draw() > A(63)); /* a cheap hour begins */
	second();
	assert_true(all_draw() <= A(64));
	seconds(10);
	assert_true(all_draw() <= A(63));
}

/* Nothing shows that it goes by what it was told. */
static void test_who_is_lowered_in_its_sleep_is_told_twice(void **state)
{
	(void)state;
	stage(1, A(32));
	start(0);
	seconds(60);
	takes[0] = 0;
	int before = sends[0];
	for (int i = 0; i < 120 && granted(0) > A(6); i++) {
		before = sends[0];
		second();
	}
	assert_int_equal(granted(0), A(6));
	assert_int_equal(sends[0], before + 1);
	seconds(30);
	assert_int_equal(sends[0], before + 2);
	seconds(120);
	assert_int_equal(sends[0], before + 2);
}

static void test_an_evse_without_transaction_is_left_alone(void **state)
{
	(void)state;
	stage(1, A(63));
	start(0);
	seconds(10);
	stop(0);
	int before = sends[0];
	seconds(400);
	assert_int_equal(sends[0], before);
	assert_int_equal(granted(0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, drop)
	const struct CMUnitTest tests[] = {
		TEST(test_a_car_gets_its_limit_in_the_tick_after_it_starts),
		TEST(test_a_base_jump_is_answered_in_the_same_tick),
		TEST(test_raises_wait_for_calm_and_go_by_steps),
		TEST(test_a_reduction_on_its_way_is_not_cut_twice),
		TEST(test_a_car_that_ignores_its_limit_is_counted_with_what_it_takes),
		TEST(test_where_a_meter_stays_over_its_limit_orders_are_repeated_early),
		TEST(test_who_begins_late_is_not_sent_away_for_it),
		TEST(test_where_nothing_is_left_nobody_is_offered_anything),
		TEST(test_fair_shares_are_there_as_soon_as_somebody_comes_or_leaves),
		TEST(test_shares_that_fit_are_left_alone),
		TEST(test_one_car_makes_room_on_every_line),
		TEST(test_who_is_on_its_way_up_is_not_switched_off_for_it),
		TEST(test_what_is_over_after_an_order_is_the_buildings),
		TEST(test_who_never_reports_a_current_is_raised_again),
		TEST(test_an_order_that_lets_go_is_followed_to_the_tenth),
		TEST(test_who_does_not_listen_is_asked_for_nothing_where_nothing_is_left),
		TEST(test_a_refused_reduction_keeps_the_old_value_in_the_plan),
		TEST(test_a_silent_meter_stops_raises_then_leaves_the_fallback),
		TEST(test_a_meter_that_is_a_little_late_is_planned_with),
		TEST(test_a_meter_that_is_always_late_is_a_lost_one),
		TEST(test_a_failed_read_is_unknown_and_not_zero),
		TEST(test_a_frozen_meter_is_a_lost_one),
		TEST(test_a_steady_reading_is_believed_while_the_cars_are_steady),
		TEST(test_a_restless_meter_that_stands_still_is_a_lost_one),
		TEST(test_a_meter_that_often_stands_still_is_believed),
		TEST(test_a_meter_that_is_lost_at_the_start_leaves_the_fallback),
		TEST(test_an_unchanging_zero_is_believed_after_the_last_car_stopped),
		TEST(test_an_unchanging_zero_is_believed_while_nothing_draws),
		TEST(test_a_meter_that_says_nothing_while_cars_charge_is_a_lost_one),
		TEST(test_a_meter_that_never_said_anything_is_not_planned_with),
		TEST(test_less_than_the_cars_take_is_believed),
		TEST(test_nothing_beside_a_battery_is_believed),
		TEST(test_a_meter_that_said_nothing_is_believed_again),
		TEST(test_a_station_without_link_is_counted_with_the_worst),
		TEST(test_what_is_not_counted_for_the_silent_is_part_of_the_base_load),
		TEST(test_a_newcomers_minimum_is_free_before_it_starts),
		TEST(test_who_waits_gets_its_turn),
		TEST(test_what_a_car_does_not_use_goes_to_others),
		TEST(test_only_the_phases_in_use_are_counted_once_learnt),
		TEST(test_sockets_of_one_phase_or_two_are_limited_by_their_own_lines),
		TEST(test_an_unchanged_limit_is_sent_again_in_time),
		TEST(test_an_operators_cap_holds_until_its_end),
		TEST(test_what_the_csms_allows_is_a_cap_and_what_it_leaves_goes_to_others),
		TEST(test_a_lower_limit_of_the_grid_operator_is_obeyed_at_once),
		TEST(test_relays_wait_their_turn),
		TEST(test_one_phase_is_better_than_waiting_with_three),
		TEST(test_a_station_that_goes_on_with_three_phases_is_not_asked_again),
		TEST(test_such_a_station_is_asked_again_after_an_hour),
		TEST(test_one_phase_is_what_others_can_give),
		TEST(test_a_station_that_is_lost_before_it_has_shown_one_phase_counts_on_all),
		TEST(test_who_has_shown_one_phase_counts_on_it_when_it_is_lost),
		TEST(test_who_goes_on_with_one_phase_when_it_may_use_all_is_told_that_one),
		TEST(test_the_last_word_before_a_silence_may_not_have_been_heard),
		TEST(test_whose_hardware_cannot_open_two_phases_waits_with_three),
		TEST(test_a_station_that_can_choose_uses_the_phase_with_most_room),
		TEST(test_an_evse_without_transaction_is_left_alone),
		TEST(test_a_lower_limit_is_pressing_where_there_is_less_than_was_ordered),
		TEST(test_what_is_not_worth_while_is_not_offered),
		TEST(test_who_is_lowered_in_its_sleep_is_told_twice),
		TEST(test_sleepers_are_offered_what_is_borne_if_all_begin_at_once),
		TEST(test_what_a_car_feeds_back_is_not_planned_with),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
