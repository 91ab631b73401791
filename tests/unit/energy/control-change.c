/* A running balancer gets another configuration: nobody is paused for it, a lower limit holds at once, a new EVSE takes part, and what was
 * learnt of the building stays. */
#include <math.h>

#include "base/clock.h"
#include "energy/control.h"
#include "tests/unit/unit.h"

#define A(amps) ((amps) * 1000)
#define S US_PER_S

static struct node_conf node;
static struct meter_conf meter;
static struct evse_conf evses[3];
static struct control_conf conf;
static struct control *c;
static int64_t now;
static int32_t offer[3];
static size_t n_cars;

static void on_send(void *arg, int evse, const struct grant *g)
{
	(void)arg;
	offer[evse] = g->ma;
	control_evse_answered(c, evse, g->ma, true, now);
}

static void describe(size_t n, int32_t limit)
{
	static const char *const ids[] = { "G-1", "G-2", "G-3" };
	node = (struct node_conf){ .id = "grid", .parent = -1, .limit = { { limit, limit, limit } }, .meter = 0 };
	meter = (struct meter_conf){ "main", 3 * S };
	for (size_t i = 0; i < 3; i++)
		evses[i] = (struct evse_conf){ .id = ids[i], .station = ids[i], .evse = 1, .lines = { 0, 1, 2 }, .n_lines = 3, .min_ma = A(6),
					       .max_ma = A(32), .fallback_ma = A(6), .fallback_after_us = 60 * S };
	conf = (struct control_conf){ .strategy = STRATEGY_FAIR, .interval_us = S, .increase_after_us = 15 * S, .increase_step_ma = A(4),
				      .rotate_every_us = 900 * S, .resend_us = 300 * S, .meter_lost_after_us = 3 * S, .nodes = &node,
				      .n_nodes = 1, .meters = &meter, .n_meters = 1, .evses = evses, .n_evses = n };
}

static void arrive(size_t i)
{
	control_evse_link(c, (int)i, true, now);
	control_evse_tx(c, (int)i, true, now);
	control_evse_state(c, (int)i, EVSE_CHARGING, now);
	n_cars = i + 1;
}

/* The building takes 10 A, the cars what they are offered. */
static void run_for(int seconds)
{
	for (; seconds; seconds--, now += S) {
		struct meter_sample s = { .at_us = now, .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
		int32_t sum = A(10) + (int32_t)(now / S % 2);
		for (size_t i = 0; i < n_cars; i++) {
			int32_t own[3] = { offer[i], offer[i], offer[i] };
			control_evse_draw(c, (int)i, own, NAN, now);
			sum += offer[i];
		}
		s.ma = (struct milliamps){ { sum, sum, sum } };
		control_meter(c, 0, &s);
		control_tick(c, now);
	}
}

static int open_stage(void **state)
{
	static const struct control_events events = { on_send };
	(void)state;
	now = 1000 * S;
	n_cars = 0;
	memset(offer, 0, sizeof(offer));
	describe(2, A(63));
	c = control_open(&conf, &events, NULL);
	arrive(0);
	arrive(1);
	run_for(180);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	control_close(c);
	return 0;
}

static int32_t offers(void)
{
	return offer[0] + offer[1] + offer[2];
}

static void test_nobody_is_paused_by_a_change_that_changes_nothing(void **state)
{
	int32_t before = offers();
	(void)state;
	assert_true(before > A(45));
	control_change(c, &conf);
	run_for(1);
	assert_int_equal(offers(), before);
	run_for(30);
	assert_true(offers() >= before);
}

static void test_a_lower_limit_holds_in_the_next_tick(void **state)
{
	(void)state;
	describe(2, A(40));
	control_change(c, &conf);
	run_for(1);
	assert_true(offers() + A(10) <= A(40));
	assert_true(offer[0] >= A(6) && offer[1] >= A(6));
}

static void test_a_new_evse_takes_part(void **state)
{
	(void)state;
	describe(3, A(63));
	control_change(c, &conf);
	control_tick(c, now);
	arrive(2);
	run_for(120);
	assert_true(offer[2] >= A(10));
	assert_true(offers() + A(10) <= A(63));
	assert_int_equal(control_find_evse(c, "G-3", 1), 2);
}

static void test_caps_stay_with_their_ids(void **state)
{
	int id = control_cap_set(c, 0, -1, A(30), "operator", "installer", now + 3600 * S);
	struct cap chain[40];
	(void)state;
	run_for(1);
	control_change(c, &conf);
	run_for(1);
	assert_true(offers() + A(10) <= A(30));
	assert_true(control_why(c, 0, chain, 40) > 0);
	assert_int_equal(control_cap_clear(c, id), 0);
	run_for(120);
	assert_true(offers() > A(40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody_is_paused_by_a_change_that_changes_nothing, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_a_lower_limit_holds_in_the_next_tick, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_a_new_evse_takes_part, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_caps_stay_with_their_ids, open_stage, close_stage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
