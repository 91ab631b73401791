/* Where cars on one phase fill their line, those on three get on as well: what they carry on the other two lines is worth it. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "energy/period.h"
#include "tests/unit/unit.h"

#define CARS 12
#define SINGLE 7 /* of them use their first phase alone */
#define PERIOD_S 5
#define HOUR (3600 / PERIOD_S)

static struct period *p;
static double set[CARS], got_wh[CARS], carried[3];
static int begun;

static double draw(int i, int phase)
{
	return set[i] < 6 || (phase && i < SINGLE) ? 0 : set[i] < 16 ? set[i] : 16;
}

static void look(int64_t at)
{
	period_begin(p, (double)at * PERIOD_S);
	memset(carried, 0, sizeof(carried));
	for (int i = 0; i < CARS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "s%d", i);
		/* those on three phases come an hour after the others have filled the line */
		struct period_seen seen = { .on = true, .set = set[i], .age_s = 1, .state = i >= SINGLE && at < HOUR ? 'A' : draw(i, 0) > 0 ? 'C' : 'B',
					    .session = slice_of(name), .wh = got_wh[i], .need_wh = 30000, .leave_s = 10 * 3600 - (double)at * PERIOD_S,
					    .draw = { draw(i, 0), draw(i, 1), draw(i, 2) } };
		period_evse(p, i, &seen);
		for (int l = 0; l < 3; l++) {
			carried[l] += draw(i, l);
			got_wh[i] += draw(i, l) * 230 * PERIOD_S / 3600;
		}
	}
	period_meter(p, 0, carried, 1, true);
	const struct period_order *orders = period_end(p);
	for (int i = 0; i < CARS; i++)
		if (orders[i].given)
			set[i] = orders[i].set;
}

static void test_a_full_line_does_not_leave_two_empty(void **state)
{
	static struct node_conf node = { .id = "grid", .parent = -1, .limit = { { 44000, 44000, 44000 } }, .meter = 0 };
	static const struct meter_conf meter = { "grid", 10 * US_PER_S };
	static struct evse_conf evses[CARS];
	static struct period_evse own[CARS];
	static char ids[CARS][24];
	double first = 0, second = 0;
	(void)state;
	for (int i = 0; i < CARS; i++) {
		snprintf(ids[i], sizeof(ids[i]), "G-%02d", i);
		evses[i] = (struct evse_conf){ .id = ids[i], .station = ids[i], .evse = 1, .n_lines = 3, .lines = { 0, 1, 2 }, .min_ma = 6000,
					       .max_ma = 32000, .fallback_ma = 6000, .fallback_after_us = 60 * US_PER_S };
		own[i] = (struct period_evse){ 1, 6, 32 };
	}
	struct control_conf conf = { .nodes = &node, .n_nodes = 1, .meters = &meter, .n_meters = 1, .evses = evses, .n_evses = CARS };
	period_preset(&conf, PERIOD_S);
	p = period_open(&conf, own);
	for (int64_t at = 1; at < 5 * HOUR; at++) {
		look(at);
		for (int i = SINGLE; i < CARS; i++)
			begun |= set[i] >= 6 ? 1 << i : 0;
		first += at >= 2 * HOUR ? carried[0] / (3 * HOUR) : 0;
		second += at >= 2 * HOUR ? carried[1] / (3 * HOUR) : 0;
	}
	period_close(p);
	print_message("%.1f A on the first line, %.1f A on the second\n", first, second);
	assert_true(first > 30);
	assert_true(second > 20);
	assert_int_equal(__builtin_popcount((unsigned)begun), CARS - SINGLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_full_line_does_not_leave_two_empty) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
