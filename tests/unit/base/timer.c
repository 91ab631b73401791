/* Timers fire in the order of their deadlines, when the clock has passed them, and not when cancelled. */
#include "base/clock.h"
#include "base/timer.h"
#include "tests/unit/unit.h"

static char order[2048];

static void note(void *arg)
{
	strcat(order, arg);
}

static void test_deadlines_decide_the_order(void **state)
{
	struct timer a = { 0 }, b = { 0 }, c = { 0 };
	(void)state;
	clock_freeze(1000, 0);
	order[0] = 0;
	timer_set(&a, 300, note, &(char[]){ "a" });
	timer_set(&b, 100, note, &(char[]){ "b" });
	timer_set(&c, 200, note, &(char[]){ "c" });
	timer_cancel(&c);
	timers_run();
	assert_string_equal(order, "");
	clock_advance(300);
	timers_run();
	assert_string_equal(order, "ba");
	assert_true(timers_next_us() == INT64_MAX);
}

static void test_a_thousand_random_deadlines(void **state)
{
	static struct timer many[1000];
	int64_t last = 0;
	(void)state;
	clock_freeze(0, 0);
	srand(7);
	for (size_t i = 0; i < 1000; i++)
		timer_set(&many[i], rand() % 100000, note, &(char[]){ "" });
	for (size_t i = 0; i < 1000; i += 3)
		timer_cancel(&many[i]);
	for (int left = 666; left > 0; left--) {
		int64_t next = timers_next_us();
		assert_true(next >= last && next != INT64_MAX);
		last = next;
		for (size_t i = 0; i < 1000; i++) {
			if (timer_is_set(&many[i]) && many[i].due_us == next) {
				timer_cancel(&many[i]);
				break;
			}
		}
	}
	assert_true(timers_next_us() == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadlines_decide_the_order),
		cmocka_unit_test(test_a_thousand_random_deadlines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
