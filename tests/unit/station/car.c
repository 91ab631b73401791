/* An imagined car keeps to its limits, and the same steps give the same charge. */
#include "station/car.h"

#include <math.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static const struct car_conf three_phase = { .phases = 3, .max_ma = 16000, .min_ma = 6000, .need_wh = 100, .volts = 230 };

static void test_it_asks_only_when_offered_enough_and_draws_only_when_closed(void **state)
{
	struct car c;
	(void)state;
	car_plug(&c, &three_phase);
	car_elapse(&c, 5999, false, US_PER_S);
	assert_false(c.wants);
	car_elapse(&c, 6000, false, US_PER_S);
	assert_true(c.wants);
	assert_true(c.i_a[0] == 0);
	car_elapse(&c, 32000, true, US_PER_S);
	assert_true(c.i_a[0] == 16 && c.i_a[2] == 16);
	car_elapse(&c, 10000, true, US_PER_S);
	assert_true(c.i_a[1] == 10);
	car_elapse(&c, 10000, false, US_PER_S);
	assert_true(c.i_a[1] == 0);
}

static void test_it_ends_exactly_full(void **state)
{
	struct car c;
	int steps = 0;
	(void)state;
	car_plug(&c, &three_phase);
	for (; !car_is_full(&c) && steps < 1000; steps++)
		car_elapse(&c, 16000, true, US_PER_S);
	assert_true(c.energy_wh == 100);
	assert_int_equal(steps, 33); /* 11040 W: 100 Wh in 32.6 s */
	car_elapse(&c, 16000, true, US_PER_S);
	assert_false(c.wants);
	assert_true(c.i_a[0] == 0);
}

static void test_delay_reaction_and_ramp(void **state)
{
	struct car_conf slow = three_phase;
	struct car c;
	(void)state;
	slow.need_wh = 10000;
	slow.delay_us = 3 * US_PER_S;
	slow.reaction_us = 2 * US_PER_S;
	slow.ramp_ma_per_s = 4000;
	car_plug(&c, &slow);
	for (int i = 0; i < 3; i++) {
		assert_false(c.wants);
		car_elapse(&c, 16000, true, US_PER_S);
	}
	assert_true(c.wants);
	assert_true(c.i_a[0] == 4);
	for (int i = 0; i < 10; i++)
		car_elapse(&c, 16000, true, US_PER_S);
	assert_true(c.i_a[0] == 16);
	car_elapse(&c, 8000, true, US_PER_S);
	car_elapse(&c, 8000, true, US_PER_S);
	assert_true(c.i_a[0] == 16);
	car_elapse(&c, 8000, true, US_PER_S);
	assert_true(c.i_a[0] == 8);
}

static void test_current_falls_towards_the_end(void **state)
{
	struct car_conf conf = three_phase;
	struct car c;
	(void)state;
	conf.phases = 1;
	conf.taper_wh = 50;
	car_plug(&c, &conf);
	c.energy_wh = 50;
	car_elapse(&c, 16000, true, US_PER_S);
	assert_true(c.i_a[0] == 16);
	assert_true(c.i_a[1] == 0);
	c.energy_wh = 75;
	car_elapse(&c, 16000, true, US_PER_S);
	assert_true(fabs(c.i_a[0] - 11) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_asks_only_when_offered_enough_and_draws_only_when_closed),
		cmocka_unit_test(test_it_ends_exactly_full),
		cmocka_unit_test(test_delay_reaction_and_ramp),
		cmocka_unit_test(test_current_falls_towards_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
