/* A station's conduct as its numbers show it. Time is in seconds from the start of the transaction; limits and draws in amperes. */
#include "energy/follow.h"

#include <string.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static struct follow f;
static struct follow_facts n;

static int stage(void **state)
{
	(void)state;
	follow_init(&f);
	n = (struct follow_facts){ .now_us = 1000 * US_PER_S, .online = true, .running = true, .answer = ANSWER_ACCEPTED, .told_ma = -1, .n_lines = 3,
		.min_ma = 6000, .max_ma = 32000, .response_us = 15 * US_PER_S, .silent_us = 75 * US_PER_S };
	return 0;
}

static void tell(int amps)
{
	n.told_ma = amps * 1000;
	n.accepted_us = n.now_us;
	follow_step(&f, &n);
}

/* Time passes while the car reports this on all three phases. How many seconds until the conduct was this; -1: never. */
static int draw(double amps, int seconds, enum conduct wanted)
{
	int found = -1;
	for (int i = 1; i <= seconds; i++) {
		n.now_us += US_PER_S;
		n.drawn_us = n.now_us;
		for (int p = 0; p < 3; p++)
			n.drawn_ma[p] = (int32_t)(amps * 1000);
		follow_step(&f, &n);
		if (found < 0 && f.conduct == wanted)
			found = i;
	}
	return found;
}

static void close_to_a_limit_below_its_maximum_it_follows(void **state)
{
	(void)state;
	tell(16);
	draw(0, 5, CONDUCT_FOLLOWS);
	assert_false(f.proved);
	assert_true(draw(15.5, 5, CONDUCT_FOLLOWS) > 0);
	assert_true(f.proved);
}

static void a_car_that_feeds_back_does_not_sleep(void **state)
{
	(void)state;
	tell(16);
	draw(15.5, 30, CONDUCT_FOLLOWS);
	tell(0);
	draw(0, 30, CONDUCT_FOLLOWS);
	tell(16);
	assert_int_equal(draw(-8, 300, CONDUCT_ASLEEP), -1);
	assert_true(draw(0, 300, CONDUCT_ASLEEP) > 0);
}

static void a_small_car_proves_nothing(void **state)
{
	(void)state;
	tell(32);
	assert_int_equal(draw(10, 200, CONDUCT_FOLLOWS), -1);
	assert_false(f.proved);
	assert_int_equal(f.conduct, CONDUCT_UNKNOWN);
}

static void who_draws_on_is_stubborn(void **state)
{
	(void)state;
	tell(32);
	draw(31, 20, CONDUCT_FOLLOWS);
	tell(10);
	assert_int_equal(draw(31, 60, CONDUCT_STUBBORN), 30);
}

static void who_comes_late_is_slow(void **state)
{
	(void)state;
	tell(32);
	draw(31, 20, CONDUCT_FOLLOWS);
	tell(10);
	assert_int_equal(draw(31, 19, CONDUCT_LATE), 15);
	assert_int_equal(draw(9.8, 1, CONDUCT_SLOW), 1);
	assert_true(f.response_us >= 19 * US_PER_S && f.response_us <= 21 * US_PER_S);
}

static void a_tenth_too_much_is_overshoot(void **state)
{
	(void)state;
	tell(16);
	assert_true(draw(17.6, 60, CONDUCT_OVERSHOOT) > 0);
	assert_in_range(f.over_permille, 95, 105);
	tell(14); /* it is told less, and stays known for it */
	draw(15.4, 60, CONDUCT_OVERSHOOT);
	assert_int_equal(f.conduct, CONDUCT_OVERSHOOT);
}

static void half_an_ampere_is_the_meter(void **state)
{
	(void)state;
	tell(6);
	assert_int_equal(draw(6.4, 120, CONDUCT_OVERSHOOT), -1);
}

static void after_a_pause_no_current_is_sleep(void **state)
{
	(void)state;
	tell(16);
	draw(15, 30, CONDUCT_FOLLOWS);
	tell(0);
	draw(0, 60, CONDUCT_FOLLOWS);
	tell(10);
	assert_int_equal(draw(0, 100, CONDUCT_ASLEEP), 61);
	assert_true(draw(9.5, 5, CONDUCT_FOLLOWS) > 0);
}

static void a_full_car_does_not_sleep(void **state)
{
	(void)state;
	tell(16);
	draw(15, 30, CONDUCT_FOLLOWS);
	n.ended_itself = true;
	assert_int_equal(draw(0, 600, CONDUCT_ASLEEP), -1);
}

static void refusals_and_silence_have_their_names(void **state)
{
	(void)state;
	tell(16);
	n.answer = ANSWER_REFUSED;
	assert_int_equal(draw(15, 3, CONDUCT_REFUSED), 1);
	n.answer = ANSWER_ACCEPTED;
	draw(15, 3, CONDUCT_FOLLOWS);
	int64_t heard = n.drawn_us;
	while (f.conduct != CONDUCT_SILENT && n.now_us < heard + 200 * US_PER_S) {
		n.now_us += US_PER_S;
		follow_step(&f, &n);
	}
	assert_int_equal(n.now_us - heard, 75 * US_PER_S);
}

static void one_phase_of_three_is_seen(void **state)
{
	(void)state;
	tell(16);
	for (int i = 0; i < 40; i++) {
		n.now_us += US_PER_S;
		n.drawn_us = n.now_us;
		n.drawn_ma[0] = 15500;
		follow_step(&f, &n);
	}
	assert_int_equal(f.phases, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(close_to_a_limit_below_its_maximum_it_follows, stage),
		cmocka_unit_test_setup(a_car_that_feeds_back_does_not_sleep, stage),
		cmocka_unit_test_setup(a_small_car_proves_nothing, stage),
		cmocka_unit_test_setup(who_draws_on_is_stubborn, stage),
		cmocka_unit_test_setup(who_comes_late_is_slow, stage),
		cmocka_unit_test_setup(a_tenth_too_much_is_overshoot, stage),
		cmocka_unit_test_setup(half_an_ampere_is_the_meter, stage),
		cmocka_unit_test_setup(after_a_pause_no_current_is_sleep, stage),
		cmocka_unit_test_setup(a_full_car_does_not_sleep, stage),
		cmocka_unit_test_setup(refusals_and_silence_have_their_names, stage),
		cmocka_unit_test_setup(one_phase_of_three_is_seen, stage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
