/* The balancer by looks, every five seconds: what a newcomer is counted with, what a socket is told that was alone, what a priority is worth, and
 * when somebody who waits begins. */
#include "energy/period.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

#define SOCKETS 16
#define PERIOD_S 5
#define CAR_A 16.0
#define POINT_A_PER_KW 1.54

static struct period *p;
static double t, set[SOCKETS], base, meter_age;
static int unread;          /* line of the meter that is not known; -1: all are */
static double said[SOCKETS]; /* what is told of a car's draw; 1: as it is */
static bool car[SOCKETS], full[SOCKETS], asleep[SOCKETS], on[SOCKETS];
static int points;          /* the first so many are points of direct current: 5 to 50 kW */
static int prio[SOCKETS], session[SOCKETS], told[SOCKETS], wakes[SOCKETS];

static void make_point(struct evse_conf *e, struct period_evse *own)
{
	e->n_lines = 3;
	for (int l = 0; l < 3; l++)
		e->lines[l] = (uint8_t)l;
	e->min_ma = (int32_t)(5 * POINT_A_PER_KW * 1000);
	e->max_ma = (int32_t)(50 * POINT_A_PER_KW * 1000);
	*own = (struct period_evse){ POINT_A_PER_KW, 5, 50 };
}

/* Sockets of one phase, all on L1; the first are points. */
static void stage_with(int n, int n_points, double limit_a, int64_t power_w)
{
	static struct node_conf node;
	static const struct meter_conf meter = { "grid", 10 * US_PER_S };
	static struct evse_conf evses[SOCKETS];
	static struct period_evse own[SOCKETS];
	static char ids[SOCKETS][24];
	int32_t ma = (int32_t)(limit_a * 1000);
	points = n_points;
	node = (struct node_conf){ .id = "grid", .parent = -1, .limit = { { ma, ma, ma } }, .meter = 0, .power_w = power_w };
	for (int i = 0; i < n; i++) {
		snprintf(ids[i], sizeof(ids[i]), "G-%02d", i);
		evses[i] = (struct evse_conf){ .id = ids[i], .station = ids[i], .evse = 1, .n_lines = 1, .min_ma = 6000, .max_ma = 32000,
					       .fallback_ma = 6000, .fallback_after_us = 60 * US_PER_S };
		own[i] = (struct period_evse){ 1, 6, 32 };
		if (i < points)
			make_point(&evses[i], &own[i]);
		set[i] = 0;
		car[i] = full[i] = asleep[i] = false;
		on[i] = true;
		prio[i] = told[i] = wakes[i] = 0;
		said[i] = 1;
	}
	struct control_conf conf = { .nodes = &node, .n_nodes = 1, .meters = &meter, .n_meters = 1, .evses = evses, .n_evses = (size_t)n };
	period_preset(&conf, PERIOD_S);
	p = period_open(&conf, own);
	t = base = 0;
	meter_age = 1;
	unread = -1;
}

static void stage(int n, double limit_a)
{
	stage_with(n, 0, limit_a, 0);
}

/* In kW at a point, else in A. */
static double draw(int i)
{
	if (i < points)
		return car[i] ? set[i] : 0;
	return !car[i] || full[i] || asleep[i] || set[i] < 6 ? 0 : set[i] < CAR_A ? set[i] : CAR_A;
}

static void show(int i)
{
	char name[16];
	snprintf(name, sizeof(name), "s%d", session[i]);
	struct period_seen look = { .on = on[i], .set = set[i], .age_s = 1, .state = !car[i] ? 'A' : full[i] ? 'S' : draw(i) > 0 ? 'C' : 'B', .session = slice_of(name),
				    .priority = prio[i], .wh = 0, .need_wh = NAN, .leave_s = NAN, .draw = { said[i] * draw(i), 0, 0 } };
	period_evse(p, i, &look);
}

static void look(int n)
{
	double sum = base;
	t += PERIOD_S;
	period_begin(p, t);
	for (int i = 0; i < n; i++)
		sum += draw(i) * (i < points ? POINT_A_PER_KW : 1);
	for (int i = 0; i < n; i++)
		if (car[i] || !on[i])
			show(i);
	double amps[3] = { sum, 0, 0 };
	if (unread >= 0)
		amps[unread] = NAN;
	period_meter(p, 0, amps, meter_age, true);
	const struct period_order *orders = period_end(p);
	for (int i = 0; i < n; i++) {
		told[i] += orders[i].given;
		wakes[i] += orders[i].given && orders[i].wake;
		if (orders[i].given && on[i])
			set[i] = orders[i].set;
	}
}

static void looks(int n, int times)
{
	while (times--)
		look(n);
}

static int served(int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += car[i] && set[i] >= 6;
	return sum;
}

/* Each of them was once counted twice: with what its socket does when it is left alone, and with what it needs to begin. */
static void test_newcomers_do_not_keep_each_other_from_beginning(void **state)
{
	(void)state;
	stage(4, 28);
	for (int i = 0; i < 4; i++)
		car[i] = true;
	looks(4, 2);
	assert_int_equal(served(4), 4);
	period_close(p);
}

static void test_a_free_socket_that_was_alone_is_told_to_offer_nothing(void **state)
{
	(void)state;
	stage(2, 28);
	looks(2, 3);
	on[1] = false;
	looks(2, 30);
	int before = told[1];
	set[1] = 6; /* by itself */
	on[1] = true;
	look(2);
	assert_int_equal(told[1], before + 1);
	assert_true(set[1] == 0);
	assert_int_equal(told[0], 0);
	period_close(p);
}

/* Nobody says what he needs or when he leaves. The same need is a smaller part of the time at a point of 50 kW, and it had its minimum alone. */
static void test_a_point_of_direct_current_has_its_part_beside_sockets(void **state)
{
	(void)state;
	stage_with(5, 1, 80, 0);
	for (int i = 0; i < 5; i++)
		car[i] = true;
	looks(5, 120);
	double share = set[0] * POINT_A_PER_KW;
	for (int i = 1; i < 5; i++)
		assert_true(set[i] >= 6 && set[i] < share);
	assert_true(share > 16);
	period_close(p);
}

static void test_a_priority_is_worth_current(void **state)
{
	(void)state;
	stage(2, 24);
	car[0] = car[1] = true;
	prio[1] = 1;
	looks(2, 400);
	assert_true(set[1] > set[0] + 3);
	assert_true(set[0] >= 6);
	period_close(p);
}

/* A building that switches a small load every minute moves the limits of a few, and theirs seldom. */
static void test_limits_do_not_breathe_with_the_building(void **state)
{
	int before = 0, after = 0;
	(void)state;
	stage(SOCKETS, 120);
	for (int i = 0; i < SOCKETS; i++)
		car[i] = i < 10;
	looks(SOCKETS, 200);
	for (int i = 0; i < SOCKETS; i++)
		before += told[i];
	for (int minute = 0; minute < 60; minute++) {
		base = minute % 2 ? 3 : 0;
		looks(SOCKETS, 12);
	}
	for (int i = 0; i < SOCKETS; i++)
		after += told[i];
	print_message("%d orders in an hour\n", after - before);
	assert_in_range(after - before, 0, 30);
	period_close(p);
}

/* Its minimum does not fit any more, by less than is worth a pause: it waits, and keeps its offer until that is needed. */
static void test_who_waits_with_an_offer_is_told_that_offer(void **state)
{
	struct cap chain[40];
	int waiting = 0;
	(void)state;
	stage(SOCKETS, 97.2);
	for (int i = 0; i < SOCKETS; i++)
		car[i] = true;
	looks(SOCKETS, 20);
	assert_int_equal(served(SOCKETS), SOCKETS);
	base = 0.6;
	looks(SOCKETS, 4);
	assert_int_equal(served(SOCKETS), SOCKETS);
	for (int i = 0; i < SOCKETS; i++) {
		size_t n = control_why(period_control(p), i, chain, 40);
		waiting += !strcmp(chain[0].reason, "waiting");
		assert_int_equal(chain[0].value_ma, set[i] * 1000);
		for (size_t k = 1; k < n; k++)
			assert_true(chain[k].value_ma >= chain[k - 1].value_ma);
	}
	assert_int_equal(waiting, 1);
	period_close(p);
}

static void into_the_last_ampere(void)
{
	base = 7;
	for (int i = 0; i < SOCKETS; i++)
		car[i] = true;
	looks(SOCKETS, 60);
	assert_int_equal(served(SOCKETS), SOCKETS - 1);
	base = 1;
	looks(SOCKETS, 60);
	assert_int_equal(served(SOCKETS), SOCKETS - 1); /* its minimum is free, but nobody would have anything to give */
	base = 7;
	looks(SOCKETS, 60);
	assert_int_equal(served(SOCKETS), SOCKETS - 1); /* so nobody had to be paused */
	for (int i = 0, left = 5; i < SOCKETS && left; i++)
		if (set[i] >= 6) {
			car[i] = false;
			left--;
		}
	looks(SOCKETS, 60);
	assert_int_equal(served(SOCKETS), SOCKETS - 5);
	period_close(p);
}

static void test_who_waits_does_not_begin_into_the_last_ampere(void **state)
{
	(void)state;
	stage(SOCKETS, 100);
	into_the_last_ampere();
}

static void test_who_waits_does_not_begin_into_the_last_kilowatt(void **state)
{
	(void)state;
	stage_with(SOCKETS, 0, 500, 100 * 230);
	into_the_last_ampere();
}

static void test_who_is_full_is_not_woken(void **state)
{
	(void)state;
	for (int k = 0; k < 2; k++) {
		stage(1, 28);
		car[0] = true;
		looks(1, 10);
		base = 25;
		looks(1, 20);
		assert_true(set[0] == 0);
		base = 0;
		full[0] = k;
		looks(1, 200);
		assert_true(set[0] >= 6);
		assert_int_equal(wakes[0] > 0, !k && draw(0) <= 0);
		car[0] = false;
		look(1);
		period_close(p);
	}
}

static void test_there_is_room_for_who_is_woken_before_it_begins(void **state)
{
	(void)state;
	stage(2, 20);
	car[0] = car[1] = true;
	looks(2, 40);
	base = 10;
	looks(2, 4);
	int paused = set[0] == 0 ? 0 : 1;
	assert_true(set[paused] == 0 && set[!paused] >= 6);
	asleep[paused] = true;
	base = 0;
	for (int most = 400; most && wakes[paused] < 2; most--) /* once in vain */
		look(2);
	assert_int_equal(wakes[paused], 2);
	assert_true(draw(!paused) > 20 - 6); /* what it does not take is not kept for it until then */
	looks(2, 2);
	asleep[paused] = false;
	assert_true(draw(paused) >= 6);
	assert_true(draw(0) + draw(1) <= 20);
	period_close(p);
}

/* Ten alike, and current for five: each gets some in a working day, and nobody is switched on and off for that. */
static void test_nobody_waits_all_day(void **state)
{
	int on_for[10] = { 0 }, pauses = 0;
	(void)state;
	stage(10, 32);
	for (int i = 0; i < 10; i++)
		car[i] = true;
	for (int k = 0; k < 8 * 3600 / PERIOD_S; k++) {
		double was[10];
		memcpy(was, set, sizeof(was));
		look(10);
		for (int i = 0; i < 10; i++) {
			on_for[i] += draw(i) > 0;
			pauses += was[i] > 0 && set[i] == 0;
		}
	}
	for (int i = 0; i < 10; i++)
		assert_true(on_for[i] * PERIOD_S > 900);
	assert_in_range(pauses, 5, 15);
	period_close(p);
}

static void test_a_clock_that_is_set_back_stops_nothing(void **state)
{
	(void)state;
	stage(2, 40);
	car[0] = car[1] = true;
	looks(2, 60);
	assert_true(set[0] + set[1] > 30);
	t -= 20000;
	look(2);
	base = 20;
	looks(2, 3);
	assert_true(draw(0) + draw(1) + base <= 40);
	period_close(p);
}

static double drawn(int n)
{
	double sum = base;
	for (int i = 0; i < n; i++)
		sum += draw(i);
	return sum;
}

static int told_all(int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += told[i];
	return sum;
}

/* The building's current is not forgotten, whichever line it is. */
static void test_a_current_of_the_meter_that_is_not_known_is_not_nought(void **state)
{
	(void)state;
	for (int line = 0; line < 3; line++) {
		stage(2, 50);
		base = 30;
		car[0] = car[1] = true;
		looks(2, 100);
		assert_int_equal(served(2), 2);
		unread = line;
		for (int k = 0; k < 100; k++) {
			look(2);
			assert_true(drawn(2) <= 50);
		}
		period_close(p);
	}
}

static void test_a_car_that_says_nothing_of_its_current_goes_on(void **state)
{
	(void)state;
	stage(2, 60);
	car[0] = car[1] = true;
	looks(2, 100);
	int before = told_all(2);
	said[0] = NAN;
	looks(2, 12);
	said[0] = 1;
	looks(2, 12);
	assert_int_equal(told_all(2), before);
	assert_true(set[0] >= CAR_A && set[1] >= CAR_A);
	period_close(p);
}

static void test_a_sample_from_the_future_is_of_now(void **state)
{
	(void)state;
	stage(2, 50);
	car[0] = car[1] = true;
	looks(2, 60);
	meter_age = -100;
	look(2);
	meter_age = 1;
	base = 30;
	looks(2, 2);
	assert_true(drawn(2) <= 50);
	period_close(p);
}

/* What nobody means is no reason to stop. */
static void test_absurd_times_and_currents_stop_nothing(void **state)
{
	(void)state;
	stage(2, 50);
	car[0] = car[1] = true;
	looks(2, 60);
	meter_age = 1e300;
	look(2);
	meter_age = 1;
	base = 1e300;
	look(2);
	base = -1e300;
	look(2);
	base = 0;
	t = 1e300;
	look(2);
	t = -1e300;
	look(2);
	t = 100;
	looks(2, 60);
	assert_int_equal(served(2), 2);
	base = 30;
	looks(2, 2);
	assert_true(drawn(2) <= 50);
	period_close(p);
}

static void test_who_is_told_something_by_somebody_else_is_told_again(void **state)
{
	(void)state;
	stage(2, 28);
	for (int k = 0; k < 2; k++) {
		car[0] = car[1] = true;
		looks(2, 100);
		double ours = set[0];
		int before = told[0], other = told[1];
		set[0] = k ? 28 : 6; /* more than there is, or less */
		look(2);
		assert_int_equal(told[0], before + 1);
		assert_true(fabs(set[0] - ours) < 0.01);
		looks(2, 4);
		assert_true(drawn(2) <= 28);
		assert_true(set[0] >= 6 && (k || told[1] == other));
	}
	period_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newcomers_do_not_keep_each_other_from_beginning),
		cmocka_unit_test(test_a_free_socket_that_was_alone_is_told_to_offer_nothing),
		cmocka_unit_test(test_a_point_of_direct_current_has_its_part_beside_sockets),
		cmocka_unit_test(test_a_priority_is_worth_current),
		cmocka_unit_test(test_limits_do_not_breathe_with_the_building),
		cmocka_unit_test(test_who_waits_with_an_offer_is_told_that_offer),
		cmocka_unit_test(test_who_waits_does_not_begin_into_the_last_ampere),
		cmocka_unit_test(test_who_waits_does_not_begin_into_the_last_kilowatt),
		cmocka_unit_test(test_who_is_full_is_not_woken),
		cmocka_unit_test(test_there_is_room_for_who_is_woken_before_it_begins),
		cmocka_unit_test(test_nobody_waits_all_day),
		cmocka_unit_test(test_a_clock_that_is_set_back_stops_nothing),
		cmocka_unit_test(test_a_current_of_the_meter_that_is_not_known_is_not_nought),
		cmocka_unit_test(test_a_car_that_says_nothing_of_its_current_goes_on),
		cmocka_unit_test(test_a_sample_from_the_future_is_of_now),
		cmocka_unit_test(test_absurd_times_and_currents_stop_nothing),
		cmocka_unit_test(test_who_is_told_something_by_somebody_else_is_told_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
