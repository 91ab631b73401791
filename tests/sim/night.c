/* A night in the garage, second by second: what must hold for the fuses, and what the cars get. The figures are printed, so that a change of
 * the control can be judged by them; the bounds are those of a site that is run well, with some room. */
#include <stdio.h>

#include "base/clock.h"
#include "tests/sim/site.h"
#include "tests/unit/unit.h"

#define HOURS 12
#define A(amps) ((amps) * 1000)

static struct sim site;

static void tell(const char *name)
{
	int sends = 0, pauses = 0;
	for (size_t i = 0; i < site.conf.n_evses; i++) {
		sends += site.seats[i].sends;
		pauses += site.seats[i].pauses;
	}
	printf("# %s: %d cars, %.0f of %.0f kWh, %d limits sent, %d pauses, plans above a limit %d\n", name, site.cars, site.got_wh / 1000,
	       site.needed_wh / 1000, sends, pauses, site.plan_over);
	for (size_t n = 0; n < site.conf.n_nodes; n++)
		for (int l = 0; l < 3; l++)
			if (site.fuses[n][l].excess_as > 0)
				printf("#   %s L%d: longest above 1.05 %d s, above 1.10 %d s, %.0f A s, heat %.2f\n", site.nodes[n].id, l + 1,
				       site.fuses[n][l].longest_5, site.fuses[n][l].longest_10, site.fuses[n][l].excess_as,
				       site.fuses[n][l].most_heat);
}

static void night(const char *name, const struct sim_rules *rules, double least_share)
{
	sim_garage(&site, rules);
	for (int t = 0; t < HOURS * 3600; t++)
		sim_second(&site);
	tell(name);
	for (size_t n = 0; n < site.conf.n_nodes; n++) {
		for (int l = 0; l < 3; l++) {
			const struct sim_fuse *f = &site.fuses[n][l];
			if (f->longest_5 > 10 || f->longest_10 > 8 || f->most_heat > 1.13 * 1.13 || f->excess_as > 1000)
				fail_msg("%s L%d: above 1.05 for %d s, above 1.10 for %d s, %.0f A s, heat %.2f", site.nodes[n].id, l + 1, f->longest_5,
					 f->longest_10, f->excess_as, f->most_heat);
		}
	}
	assert_int_equal(site.plan_over, 0);
	assert_true(site.got_wh >= least_share * site.needed_wh);
	sim_close(&site);
}

static void test_a_quiet_night(void **state)
{
	(void)state;
	night("quiet", &(struct sim_rules){ .seed = 1, .grid_ma = A(250), .jump_ma = A(20), .jumps_per_hour = 2, .noise = 0.002 }, 0.8);
}

static void test_a_rough_night(void **state)
{
	(void)state;
	night("rough", &(struct sim_rules){ .seed = 2, .grid_ma = A(250), .jump_ma = A(60), .jumps_per_hour = 6, .meter_gap_every_s = 3600,
					    .link_gap_every_s = 7200, .noise = 0.005 }, 0.6);
}

static void test_a_scarce_night_by_priority(void **state)
{
	(void)state;
	night("scarce", &(struct sim_rules){ .seed = 3, .strategy = STRATEGY_PRIORITY, .grid_ma = A(125), .jump_ma = A(20), .jumps_per_hour = 3,
					     .meter_gap_every_s = 7200, .noise = 0.005 }, 0.3);
}

static void test_first_come_in_a_scarce_night(void **state)
{
	(void)state;
	night("first come", &(struct sim_rules){ .seed = 4, .strategy = STRATEGY_FIRST_COME, .grid_ma = A(125), .jump_ma = A(20), .jumps_per_hour = 3,
						 .noise = 0.005 }, 0.3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_quiet_night),
		cmocka_unit_test(test_a_rough_night),
		cmocka_unit_test(test_a_scarce_night_by_priority),
		cmocka_unit_test(test_first_come_in_a_scarce_night),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
