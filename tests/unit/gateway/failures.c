/* How long who guesses has to wait. */
#include "gateway/http/failures.h"

#include <stdio.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static int setup(void **state)
{
	(void)state;
	failures_clear();
	clock_freeze(1000 * US_PER_S, 0);
	return 0;
}

static void test_five_are_free_then_each_doubles_the_wait(void **state)
{
	static const int waits[] = { 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900 };
	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		failures_count("user", "anna");
		assert_int_equal(failures_wait("user", "anna"), waits[i]);
	}
	clock_advance(899 * US_PER_S);
	assert_int_equal(failures_wait("user", "anna"), 1);
	clock_advance(US_PER_S);
	assert_int_equal(failures_wait("user", "anna"), 0);
	for (int i = 0; i < 1000; i++)
		failures_count("user", "anna");
	assert_int_equal(failures_wait("user", "anna"), 900);
}

static void fail_often(const char *kind, const char *name)
{
	for (int i = 0; i < 6; i++)
		failures_count(kind, name);
}

static void test_the_right_one_ends_it_for_that_name_alone(void **state)
{
	(void)state;
	fail_often("user", "anna");
	fail_often("peer", "anna");
	failures_forget("user", "anna");
	failures_forget("user", "nobody");
	assert_int_equal(failures_wait("user", "anna"), 0);
	assert_int_equal(failures_wait("peer", "anna"), 2);
}

static void test_strangers_push_out_the_oldest_and_not_the_latest(void **state)
{
	char name[24];
	(void)state;
	fail_often("peer", "first");
	for (int i = 0; i < 127; i++) {
		clock_advance(1);
		snprintf(name, sizeof(name), "stranger-%d", i);
		fail_often("peer", name);
	}
	assert_int_equal(failures_wait("peer", "first"), 2);
	clock_advance(1);
	fail_often("peer", "one more");
	assert_int_equal(failures_wait("peer", "first"), 0);
	assert_int_equal(failures_wait("peer", "stranger-0"), 2);
	assert_int_equal(failures_wait("peer", "one more"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_five_are_free_then_each_doubles_the_wait, setup),
		cmocka_unit_test_setup(test_the_right_one_ends_it_for_that_name_alone, setup),
		cmocka_unit_test_setup(test_strangers_push_out_the_oldest_and_not_the_latest, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
