/* The comparison behind the demo's verdict finds what it is there to find: whatever is lost, doubled, changed or made up. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "gateway/sim/sim-ledger.h"
#include "tests/unit/unit.h"

static struct sim_ledger truth, told;

static struct sim_tx *row(struct sim_ledger *l, const char *station, int64_t start_s, double start_wh, int64_t stop_s, double stop_wh)
{
	struct sim_tx *t = sim_ledger_add(l, slice_of(station), 1);
	snprintf(t->tx, sizeof(t->tx), "%zu", l->count);
	t->start_us = start_s * US_PER_S;
	t->start_wh = start_wh;
	t->starts = 1;
	t->stop_us = stop_s * US_PER_S;
	t->stop_wh = stop_s ? stop_wh : NAN;
	t->stops = stop_s != 0;
	return t;
}

static int setup(void **state)
{
	(void)state;
	row(&truth, "A", 1000, 0, 2000, 500.7);
	row(&truth, "A", 3000, 500.7, 0, 0);
	row(&truth, "B", 1000, 10, 1500, 60);
	row(&told, "A", 1000, 0, 2000, 500);
	row(&told, "A", 3000, 500, 0, 0);
	row(&told, "B", 1000, 10, 1500, 60);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_ledger_free(&truth);
	sim_ledger_free(&told);
	return 0;
}

static void expect(unsigned lost_starts, unsigned lost_stops, unsigned duplicates)
{
	struct sim_verdict v;
	sim_ledger_compare(&truth, &told, &v);
	assert_int_equal(v.starts, 3);
	assert_int_equal(v.stops, 2);
	assert_int_equal(v.lost_starts, lost_starts);
	assert_int_equal(v.lost_stops, lost_stops);
	assert_int_equal(v.duplicates, duplicates);
	assert_int_equal(v.first[0] != 0, lost_starts + lost_stops + duplicates != 0);
}

static void test_all_well(void **state)
{
	(void)state;
	row(&told, "someone else's", 1, 2, 3, 4);
	expect(0, 0, 0);
}

static void test_lost_start(void **state)
{
	(void)state;
	told.rows[1].starts = 0;
	expect(1, 0, 1); /* and what is there belongs to nothing */
}

static void test_lost_end(void **state)
{
	(void)state;
	told.rows[0].stops = 0;
	expect(0, 1, 0);
}

static void test_changed_register(void **state)
{
	(void)state;
	told.rows[2].stop_wh = 62;
	expect(0, 1, 0);
}

static void test_told_twice(void **state)
{
	(void)state;
	row(&told, "A", 3000, 500, 0, 0);
	told.rows[2].stops = 3;
	expect(0, 0, 3);
}

static void test_made_up(void **state)
{
	(void)state;
	row(&told, "B", 7000, 60, 0, 0);
	expect(0, 0, 1);
}

static void test_text_and_back(void **state)
{
	(void)state;
	struct buf text = { 0 };
	sim_ledger_print(&told, &text);
	sim_ledger_free(&told);
	for (char *at = text.p, *end; (end = strchr(at, '\n')); at = end + 1)
		assert_int_equal(sim_ledger_read(&told, (struct slice){ at, (size_t)(end - at) }), 0);
	assert_int_equal(told.count, 3);
	assert_true(isnan(told.rows[1].stop_wh));
	expect(0, 0, 0);
	assert_int_equal(sim_ledger_read(&told, SLICE("[1]")), ERR_SYNTAX);
	assert_ptr_equal(sim_ledger_find(&told, SLICE("A"), SLICE("2")), &told.rows[1]);
	assert_null(sim_ledger_find(&told, SLICE("B"), SLICE("2")));
	buf_free(&text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_well),  TEST(test_lost_start), TEST(test_lost_end),      TEST(test_changed_register),
		TEST(test_told_twice), TEST(test_made_up),   TEST(test_text_and_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
