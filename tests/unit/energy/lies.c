/* Meters that go on talking and do not tell the truth, and honest ones that look like it. A building of its own will, four cars, a meter. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "energy/control.h"
#include "tests/unit/unit.h"

#define A(amps) ((amps) * 1000)
#define S US_PER_S
#define CARS 4

enum telling { TRUTH, STIFF, DEAD_LINE, STUCK_LINE, NOTHING };

static struct node_conf nodes[1];
static struct meter_conf meters[1];
static struct evse_conf evses[CARS];
static struct control_conf conf;
static struct control *c;
static int64_t now;
static int32_t building[3], takes[CARS]; /* what a car takes, whatever it is offered */
static int phases[CARS];
static enum telling telling;
static struct milliamps froze;           /* when it began to lie */
static int32_t grain;                    /* the meter tells multiples of this */
static int every;                        /* seconds between reports of a car */
static bool total;                       /* cars tell one current for all their phases */

static void on_send(void *arg, int evse, const struct grant *g)
{
	(void)arg;
	control_evse_answered(c, evse, g->ma, true, now);
}

static void open_stage(const struct fixture_conf *fixture)
{
	static const struct control_events events = { on_send };
	static char ids[CARS][16];
	nodes[0] = (struct node_conf){ .id = "grid", .parent = -1, .limit = { { A(250), A(250), A(250) } }, .meter = 0 };
	meters[0] = (struct meter_conf){ "main", 5 * S };
	for (int i = 0; i < CARS; i++) {
		snprintf(ids[i], sizeof(ids[i]), "G-%d", i + 1);
		evses[i] = (struct evse_conf){ .id = ids[i], .station = ids[i], .evse = 1, .node = 0, .lines = { 0, 1, 2 }, .n_lines = 3, .min_ma = A(6),
					       .max_ma = A(32), .fallback_ma = A(6), .fallback_after_us = 60 * S };
		takes[i] = 0;
		phases[i] = 3;
	}
	conf = (struct control_conf){ .strategy = STRATEGY_FAIR, .interval_us = S, .increase_after_us = 15 * S, .rotate_every_us = 900 * S,
				      .meter_lost_after_us = 3 * S, .nodes = nodes, .n_nodes = 1, .meters = meters, .n_meters = 1, .evses = evses,
				      .n_evses = CARS, .fixtures = fixture, .n_fixtures = fixture ? 1 : 0 };
	now = 10000 * S;
	telling = TRUTH;
	grain = 100;
	every = 10;
	total = false;
	building[0] = building[1] = building[2] = A(20);
	c = control_open(&conf, &events, NULL);
	for (int i = 0; i < CARS; i++) {
		control_evse_link(c, i, true, now);
		control_evse_tx(c, i, true, now);
		control_evse_state(c, i, EVSE_CHARGING, now);
	}
}

static int stage(void **state)
{
	(void)state;
	open_stage(NULL);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	control_close(c);
	c = NULL;
	return 0;
}

static int32_t draws(int i, int phase)
{
	return phase < phases[i] ? takes[i] : 0;
}

/* A little noise, the same in every run. */
static int32_t noise(int line)
{
	static const int32_t steps[] = { 0, 100, -100, 100, 0, -100, 0 };
	return steps[(now / S + line * 3) % 7];
}

static struct milliamps real(void)
{
	struct milliamps ma;
	for (int l = 0; l < 3; l++) {
		ma.l[l] = building[l] + noise(l);
		for (int i = 0; i < CARS; i++)
			ma.l[l] += draws(i, l);
		ma.l[l] = ma.l[l] / grain * grain;
	}
	return ma;
}

static struct milliamps told(void)
{
	struct milliamps ma = real();
	for (int l = 0; l < 3 && telling == STIFF; l++)
		ma.l[l] = froze.l[l] + noise(l);
	if (telling == DEAD_LINE)
		ma.l[1] = 0;
	else if (telling == STUCK_LINE)
		ma.l[1] = froze.l[1];
	else if (telling == NOTHING)
		memset(&ma, 0, sizeof(ma));
	return ma;
}

static void report(int i)
{
	int32_t own[3];
	for (int p = 0; p < 3; p++)
		own[p] = total ? takes[i] : draws(i, p);
	control_evse_draw(c, i, own, NAN, now);
}

static void second(void)
{
	now += S;
	for (int i = 0; i < CARS; i++)
		if ((now / S + i) % every == 0)
			report(i);
	struct meter_sample s = { .at_us = now, .ma = told(), .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
	control_meter(c, 0, &s);
	control_tick(c, now);
}

static void seconds(int n)
{
	while (n-- > 0)
		second();
}

static struct meter_view look(void)
{
	struct meter_view v;
	control_meter_view(c, 0, now, &v);
	return v;
}

/* So many seconds in which it is believed all the time. */
static void believed(int n)
{
	while (n-- > 0) {
		second();
		if (look().stale)
			fail_msg("not believed after %d s: %s", (int)(now / S) - 10000, look().fault);
	}
}

static void begin_to(enum telling how)
{
	froze = real();
	telling = how;
}

/* Everything is as it was for a while, with cars that take so much on so many phases. */
static void settle(int32_t ma, int n_phases)
{
	for (int i = 0; i < CARS; i++) {
		takes[i] = ma;
		phases[i] = n_phases;
	}
	believed(150);
}

static void test_a_frozen_meter_with_noise_on_it_is_found_out(void **state)
{
	(void)state;
	settle(A(10), 2);
	begin_to(STIFF);
	believed(60);
	takes[0] = takes[1] = A(30);
	seconds(70);
	assert_true(look().stale);
	assert_string_equal(look().fault, "line 1 stays at 60.0 A, while cars there went from 40 A to 80 A");
	telling = TRUTH;
	seconds(15);
	assert_false(look().stale);
	assert_null(look().fault);
}

/* Cars are raised by an ampere every twenty seconds, which nobody would notice. */
static void test_it_is_found_out_when_the_cars_are_slow(void **state)
{
	(void)state;
	settle(A(10), 2);
	begin_to(STIFF);
	for (int i = 0; i < 12; i++) {
		takes[0] += A(1);
		seconds(20);
	}
	assert_true(look().stale);
	assert_string_equal(look().fault, "line 1 stays at 60.1 A, while cars there went from 40 A to 48 A");
}

static void test_it_is_found_out_where_cars_tell_one_current_for_all_phases(void **state)
{
	(void)state;
	total = true;
	settle(A(10), 3);
	begin_to(STIFF);
	believed(60);
	takes[0] = takes[1] = A(30);
	seconds(70);
	assert_string_equal(look().fault, "all lines together stay at 179.9 A, while cars there went from 120 A to 240 A");
}

/* While it has time to follow, what the cars take more is not taken from what the building is planned with. */
static void test_the_building_is_not_thought_to_be_smaller_meanwhile(void **state)
{
	(void)state;
	struct node_view before, after;
	settle(A(10), 3);
	control_node_view(c, 0, &before);
	begin_to(STIFF);
	believed(60);
	takes[0] = takes[1] = A(30);
	for (int i = 0; i < 20; i++) {
		second();
		control_node_view(c, 0, &after);
		assert_true(after.planned.l[0] >= A(20) + A(40));
	}
}

/* The building makes up for the cars to the ampere, a second later. */
static void test_a_building_that_moves_against_the_cars_is_believed(void **state)
{
	(void)state;
	settle(A(6), 3);
	for (int round = 0; round < 20; round++) {
		int32_t by = round % 2 ? -A(20) : A(20);
		for (int l = 0; l < 3; l++)
			building[l] -= by;
		believed(1);
		takes[0] += by;
		believed(89);
	}
}

/* Cars are steered by a plant: every five seconds, and they follow three seconds later; the meter stays near zero. */
static void test_cars_that_follow_a_plant_are_no_contradiction(void **state)
{
	int32_t had[4] = { 0 };
	(void)state;
	settle(0, 3);
	for (int t = 0; t < 3600; t++) {
		int32_t plant = (int32_t)(A(40) + A(30) * sin(t / 120.0));
		for (int k = 3; k > 0; k--)
			had[k] = had[k - 1];
		had[0] = t % 5 ? had[0] : plant / 2;
		for (int l = 0; l < 3; l++)
			building[l] = -plant;
		takes[0] = takes[1] = had[3];
		believed(1);
	}
}

/* A car stops; its station says so when the meter has long been quiet again. */
static void test_a_report_that_is_late_is_no_contradiction(void **state)
{
	(void)state;
	every = 60;
	settle(A(20), 3);
	for (int i = 0; i < CARS; i++) {
		takes[i] = 0;
		believed(200);
	}
}

static void test_an_error_that_is_taken_back_is_no_contradiction(void **state)
{
	(void)state;
	settle(A(10), 3);
	int32_t wrong[3] = { A(32), A(32), A(32) };
	control_evse_draw(c, 0, wrong, NAN, now);
	believed(300);
}

static void test_a_line_that_is_dead_is_found_out(void **state)
{
	(void)state;
	settle(A(11), 1);
	phases[0] = phases[1] = phases[2] = phases[3] = 2; /* L1 and L2 */
	believed(120);
	begin_to(DEAD_LINE);
	seconds(80);
	assert_true(look().stale);
	assert_string_equal(look().fault, "line 2 reads 0 A, while cars there report 44 A");
	seconds(600);
	assert_true(look().stale);
	telling = TRUTH;
	seconds(20);
	assert_false(look().stale);
}

static void test_a_line_that_is_stuck_is_found_out(void **state)
{
	(void)state;
	settle(A(11), 2);
	begin_to(STUCK_LINE);
	believed(60);
	building[0] = A(30);
	believed(5);
	takes[0] = takes[1] = takes[2] = A(25);
	seconds(70);
	assert_string_equal(look().fault, "line 2 stays at 64.1 A, while cars there went from 44 A to 86 A");
}

/* One car on L1 whose station tells one current: nobody knows that it is not on L2, where only cars are. */
static void test_a_line_without_a_car_is_believed(void **state)
{
	(void)state;
	memset(building, 0, sizeof(building));
	total = true;
	settle(A(11), 1);
	telling = DEAD_LINE; /* which is the truth */
	believed(600);
}

static void test_a_meter_of_whole_amperes_may_say_zero_for_long(void **state)
{
	(void)state;
	grain = 1000;
	settle(A(11), 2);
	building[1] = -A(43); /* a plant on L2 */
	believed(600);
}

/* A battery is regulated to what the meter shows, so nothing may be the truth; but not while cars come and go. */
static void test_zeros_beside_a_battery_are_found_out(void **state)
{
	static const struct fixture_conf battery = { .id = "store", .node = 0, .kind = FIXTURE_BATTERY, .meter = -1 };
	(void)state;
	open_stage(&battery);
	settle(A(10), 1);
	telling = NOTHING;
	believed(120);
	for (int i = 0; i < 4; i++) {
		takes[i] = A(26);
		seconds(100);
	}
	assert_true(look().stale);
	assert_string_equal(look().fault, "line 1 stays at 0.0 A, while cars there went from 40 A to 104 A");
}

/* It makes up for them at once, but not to the last digit. */
static void test_a_battery_that_is_quick_is_believed(void **state)
{
	static const struct fixture_conf battery = { .id = "store", .node = 0, .kind = FIXTURE_BATTERY, .meter = -1 };
	(void)state;
	open_stage(&battery);
	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < CARS; i++)
			takes[i] = round % 2 ? A(10) : A(20);
		for (int l = 0; l < 3; l++)
			building[l] = -CARS * takes[0];
		believed(100);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, stage, drop)
#define OWN(t) cmocka_unit_test_teardown(t, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_frozen_meter_with_noise_on_it_is_found_out),
		TEST(test_it_is_found_out_when_the_cars_are_slow),
		TEST(test_it_is_found_out_where_cars_tell_one_current_for_all_phases),
		TEST(test_the_building_is_not_thought_to_be_smaller_meanwhile),
		TEST(test_a_building_that_moves_against_the_cars_is_believed),
		TEST(test_cars_that_follow_a_plant_are_no_contradiction),
		TEST(test_a_report_that_is_late_is_no_contradiction),
		TEST(test_an_error_that_is_taken_back_is_no_contradiction),
		TEST(test_a_line_that_is_dead_is_found_out),
		TEST(test_a_line_that_is_stuck_is_found_out),
		TEST(test_a_line_without_a_car_is_believed),
		TEST(test_a_meter_of_whole_amperes_may_say_zero_for_long),
		OWN(test_zeros_beside_a_battery_are_found_out),
		OWN(test_a_battery_that_is_quick_is_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
