/* The division on small sites, with the answers worked out by hand. */
#include "energy/alloc.h"
#include "energy/site.h"
#include "tests/unit/unit.h"

#define MOST 16
#define ALL 7
#define A(amps) ((amps) * 1000)

static struct alloc_node nodes[MOST];
static struct alloc_evse evses[MOST];
static struct alloc_share got[MOST];
static size_t n_nodes, n_evses;

static int node(int parent, int32_t l1, int32_t l2, int32_t l3)
{
	nodes[n_nodes] = (struct alloc_node){ .parent = parent, .room = { l1, l2, l3 } };
	return (int)n_nodes++;
}

/* From 6 A to `max`, on these lines. */
static struct alloc_evse *evse(int at, uint8_t lines, int32_t max)
{
	evses[n_evses] = (struct alloc_evse){ .node = at, .lines = lines, .min_ma = A(6), .max_ma = max, .weight = 1 };
	return &evses[n_evses++];
}

static void run(bool in_turn)
{
	int32_t order[MOST];
	void *scratch = malloc(alloc_scratch(n_nodes, n_evses));
	struct alloc_site s = { nodes, n_nodes, evses, n_evses, order, in_turn };
	for (size_t i = 0; i < n_evses; i++)
		order[i] = (int32_t)i;
	alloc_run(&s, scratch, got);
	free(scratch);
}

static int fresh(void **state)
{
	(void)state;
	n_nodes = n_evses = 0;
	return 0;
}

static void test_room_for_all_is_given_to_all(void **state)
{
	(void)state;
	int grid = node(-1, A(100), A(100), A(100));
	evse(grid, ALL, A(32));
	evse(grid, 1, A(16));
	run(false);
	assert_int_equal(got[0].ma, A(32));
	assert_int_equal(got[1].ma, A(16));
	assert_int_equal(got[0].bound, ALLOC_OWN);
}

static void test_equal_shares_and_the_phase_that_binds(void **state)
{
	(void)state;
	/* L1 carries both three-phase cars and the single-phase one: 48 / 3. L2 and L3 keep 16 A each. */
	int grid = node(-1, A(48), A(48), A(48));
	evse(grid, ALL, A(32));
	evse(grid, ALL, A(32));
	evse(grid, 1, A(32));
	run(false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(got[i].ma, A(16));
		assert_int_equal(got[i].bound, ALLOC_NODE);
		assert_int_equal(got[i].node, grid);
		assert_int_equal(got[i].line, 0);
	}
}

static void test_rotated_single_phase_cars_do_not_meet(void **state)
{
	(void)state;
	int grid = node(-1, A(20), A(20), A(20));
	evse(grid, 1, A(16));
	evse(grid, 2, A(16));
	evse(grid, 4, A(16));
	run(false);
	for (int i = 0; i < 3; i++)
		assert_int_equal(got[i].ma, A(16));
}

static void test_what_a_small_car_leaves_goes_to_the_others(void **state)
{
	(void)state;
	int grid = node(-1, A(50), A(50), A(50));
	evse(grid, ALL, A(10));
	evse(grid, ALL, A(32));
	evse(grid, ALL, A(32));
	run(false);
	assert_int_equal(got[0].ma, A(10));
	assert_int_equal(got[1].ma, A(20));
	assert_int_equal(got[2].ma, A(20));
}

static void test_a_tight_row_frees_room_for_the_other(void **state)
{
	(void)state;
	int grid = node(-1, A(60), A(60), A(60));
	int a = node(grid, A(20), A(20), A(20)), b = node(grid, MA_NONE, MA_NONE, MA_NONE);
	evse(a, ALL, A(32));
	evse(a, ALL, A(32));
	evse(b, ALL, A(32));
	evse(b, 2, A(32));
	run(false);
	assert_int_equal(got[0].ma, A(10));
	assert_int_equal(got[1].ma, A(10));
	assert_int_equal(got[0].node, a);
	assert_int_equal(got[2].ma, A(20));
	assert_int_equal(got[3].ma, A(20));
	assert_int_equal(got[2].node, grid);
	assert_int_equal(got[2].line, 1);
}

static void test_three_levels(void **state)
{
	(void)state;
	int grid = node(-1, A(90), A(90), A(90)), feeder = node(grid, A(50), A(50), A(50)), row = node(feeder, A(16), A(16), A(16));
	evse(row, ALL, A(32));
	evse(row, ALL, A(32));
	evse(feeder, ALL, A(32));
	evse(feeder, 1, A(32));
	evse(grid, ALL, A(63));
	run(false);
	assert_int_equal(got[0].ma, A(8));
	assert_int_equal(got[1].ma, A(8));
	assert_int_equal(got[2].ma, A(17));
	assert_int_equal(got[3].ma, A(17));
	assert_int_equal(got[4].ma, A(40));
}

static void test_who_does_not_get_its_minimum_waits(void **state)
{
	(void)state;
	/* 20 A carry three cars of 6 A, not four; the third car is not lowered for the fourth. */
	int grid = node(-1, A(20), A(20), A(20));
	for (int i = 0; i < 4; i++)
		evse(grid, ALL, A(32));
	run(false);
	assert_int_equal(got[0].ma, 6666); /* less than a milliampere each is left over */
	assert_int_equal(got[1].ma, 6666);
	assert_int_equal(got[2].ma, 6666);
	assert_int_equal(got[3].ma, 0);
	assert_int_equal(got[3].bound, ALLOC_WAITS);
	assert_int_equal(got[3].node, grid);
}

static void test_a_smaller_one_behind_a_waiting_one_still_fits(void **state)
{
	(void)state;
	int grid = node(-1, A(4), A(10), A(10));
	evse(grid, ALL, A(32));
	evse(grid, 2, A(32));
	run(false);
	assert_int_equal(got[0].ma, 0);
	assert_int_equal(got[0].line, 0);
	assert_int_equal(got[1].ma, A(10));
}

static void test_spare_keeps_somebody_out_until_there_is_plenty(void **state)
{
	(void)state;
	int grid = node(-1, A(19), A(19), A(19));
	evse(grid, ALL, A(8));
	evse(grid, ALL, A(8));
	evse(grid, ALL, A(32))->spare_ma = A(2);
	run(false);
	assert_int_equal(got[2].ma, 0);
	assert_int_equal(got[2].bound, ALLOC_WAITS);
	nodes[grid] = (struct alloc_node){ .parent = -1, .room = { A(20), A(20), A(20) } };
	run(false);
	assert_int_equal(got[2].ma, 6667 - 1);
}

static void test_what_a_node_keeps_is_for_those_who_are_served(void **state)
{
	(void)state;
	int grid = node(-1, A(20), A(20), A(20));
	nodes[grid].spare_ma = A(8);
	evse(grid, ALL, A(32));
	evse(grid, ALL, A(32))->patience_pm = 1000;
	evse(grid, ALL, A(32))->patience_pm = 500;
	run(false);
	assert_int_equal(got[1].ma, A(10)); /* 8 A were free beside its minimum */
	assert_int_equal(got[2].bound, ALLOC_WAITS);
	assert_int_equal(got[2].node, grid);
	nodes[grid].spare_ma = A(9);
	run(false);
	assert_int_equal(got[1].bound, ALLOC_WAITS);
	assert_int_equal(got[2].ma, A(10)); /* has half the patience */
}

static void test_what_a_node_keeps_of_its_power_is_for_those_who_are_served(void **state)
{
	(void)state;
	int grid = node(-1, A(100), A(100), A(100));
	nodes[grid].more = 1 << ALLOC_SUM;
	nodes[grid].room[ALLOC_SUM] = A(60);
	nodes[grid].spare_sum_ma = A(24);
	evse(grid, ALL, A(32));
	evse(grid, ALL, A(32))->patience_pm = 1000;
	run(false);
	assert_int_equal(got[1].ma, A(10)); /* 24 A of three lines were free beside its minimum */
	nodes[grid].spare_sum_ma = A(27);
	run(false);
	assert_int_equal(got[1].bound, ALLOC_WAITS);
	assert_int_equal(got[1].line, ALLOC_SUM);
	evses[1].patience_pm = 500;
	run(false);
	assert_int_equal(got[1].ma, A(10));
}

static void test_relays_are_on_or_off(void **state)
{
	(void)state;
	int grid = node(-1, A(40), A(40), A(40)), relays = node(grid, A(20), 0, 0);
	evse(relays, 1, A(16))->on_off = true;
	evse(relays, 1, A(16))->on_off = true;
	evse(grid, ALL, A(32));
	run(false);
	assert_int_equal(got[0].ma, A(16));
	assert_int_equal(got[1].ma, 0);
	assert_int_equal(got[1].bound, ALLOC_WAITS);
	assert_int_equal(got[1].node, relays);
	assert_int_equal(got[2].ma, A(24));
}

static void test_weights_divide_what_is_above_the_minimums(void **state)
{
	(void)state;
	/* 2 to 1 of 48 A; with 15 A the light one is held up by its minimum. */
	int grid = node(-1, A(48), A(48), A(48));
	evse(grid, ALL, A(32))->weight = 2;
	evse(grid, ALL, A(32));
	run(false);
	assert_int_equal(got[0].ma, A(32));
	assert_int_equal(got[1].ma, A(16));
	nodes[grid] = (struct alloc_node){ .parent = -1, .room = { A(15), A(15), A(15) } };
	run(false);
	assert_int_equal(got[0].ma, A(9));
	assert_int_equal(got[1].ma, A(6));
}

static void test_a_room_for_the_sum_counts_every_line(void **state)
{
	(void)state;
	/* 70 A over all lines: the level at which 3 + 3 + 1 lines are full is 10 A. The other single-phase car is elsewhere and does not count. */
	int grid = node(-1, A(100), A(100), A(100)), row = node(grid, A(100), A(100), A(100));
	nodes[row].more = 1 << ALLOC_SUM;
	nodes[row].room[ALLOC_SUM] = A(70);
	evse(row, ALL, A(32));
	evse(row, ALL, A(32));
	evse(row, 2, A(32));
	evse(grid, 2, A(32));
	run(false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(got[i].ma, A(10));
		assert_int_equal(got[i].bound, ALLOC_NODE);
		assert_int_equal(got[i].node, row);
		assert_int_equal(got[i].line, ALLOC_SUM);
	}
	assert_int_equal(got[3].ma, A(32));
}

static void test_uneven_room_is_for_those_who_load_lines_unevenly(void **state)
{
	(void)state;
	/* The two on L1 share 20 A; three-phase cars do not add to the difference, and the one on L2 has its line to itself. */
	int grid = node(-1, A(100), A(100), A(100));
	nodes[grid].more = 7 << ALLOC_UNEVEN;
	for (int l = 0; l < 3; l++)
		nodes[grid].room[ALLOC_UNEVEN + l] = A(20);
	evse(grid, 1, A(32));
	evse(grid, 1, A(32));
	evse(grid, 2, A(32));
	evse(grid, ALL, A(32));
	run(false);
	assert_int_equal(got[0].ma, A(10));
	assert_int_equal(got[1].ma, A(10));
	assert_int_equal(got[1].line, ALLOC_UNEVEN);
	assert_int_equal(got[2].ma, A(20));
	assert_int_equal(got[3].ma, A(32));
}

static void test_who_does_not_fit_the_sum_waits_for_it(void **state)
{
	(void)state;
	int grid = node(-1, A(100), A(100), A(100));
	nodes[grid].more = 1 << ALLOC_SUM;
	nodes[grid].room[ALLOC_SUM] = A(24);
	evse(grid, ALL, A(32));
	evse(grid, ALL, A(32));
	evse(grid, 1, A(32));
	run(false);
	assert_int_equal(got[0].ma, A(6));
	assert_int_equal(got[1].bound, ALLOC_WAITS);
	assert_int_equal(got[1].line, ALLOC_SUM);
	assert_int_equal(got[2].ma, A(6));
}

static void test_who_begins_does_without_what_passes(void **state)
{
	(void)state;
	int grid = node(-1, A(100), A(100), A(100));
	nodes[grid].more = 1 << ALLOC_SUM;
	nodes[grid].room[ALLOC_SUM] = A(42);
	nodes[grid].passing_ma = A(10);
	evse(grid, ALL, A(32));
	evse(grid, ALL, A(32));
	evses[1].begins = true;
	run(false);
	assert_int_equal(got[0].ma, A(14));
	assert_int_equal(got[1].bound, ALLOC_WAITS);
	evses[1].begins = false;
	run(false);
	assert_int_equal(got[0].ma, A(7));
	assert_int_equal(got[1].ma, A(7));
}

static void test_in_turn_the_first_has_all_it_can_take(void **state)
{
	(void)state;
	int grid = node(-1, A(45), A(45), A(45));
	evse(grid, ALL, A(32));
	evse(grid, ALL, A(32));
	evse(grid, ALL, A(32));
	run(true);
	assert_int_equal(got[0].ma, A(32));
	assert_int_equal(got[1].ma, A(7));
	assert_int_equal(got[2].ma, A(6));
}

static void test_steps_use_the_crumbs(void **state)
{
	(void)state;
	int grid = node(-1, A(50), A(50), A(50));
	for (int i = 0; i < 3; i++)
		evse(grid, ALL, A(32))->step_ma = A(1);
	run(false);
	assert_int_equal(got[0].ma, A(17));
	assert_int_equal(got[1].ma, A(17));
	assert_int_equal(got[2].ma, A(16));
}

static void test_an_overloaded_node_gives_nothing(void **state)
{
	(void)state;
	int grid = node(-1, A(50), -A(3), A(50));
	evse(grid, ALL, A(32));
	evse(grid, 1, A(32));
	run(false);
	assert_int_equal(got[0].ma, 0);
	assert_int_equal(got[1].ma, A(32));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_room_for_all_is_given_to_all, fresh),
		cmocka_unit_test_setup(test_equal_shares_and_the_phase_that_binds, fresh),
		cmocka_unit_test_setup(test_rotated_single_phase_cars_do_not_meet, fresh),
		cmocka_unit_test_setup(test_what_a_small_car_leaves_goes_to_the_others, fresh),
		cmocka_unit_test_setup(test_a_tight_row_frees_room_for_the_other, fresh),
		cmocka_unit_test_setup(test_three_levels, fresh),
		cmocka_unit_test_setup(test_who_does_not_get_its_minimum_waits, fresh),
		cmocka_unit_test_setup(test_a_smaller_one_behind_a_waiting_one_still_fits, fresh),
		cmocka_unit_test_setup(test_spare_keeps_somebody_out_until_there_is_plenty, fresh),
		cmocka_unit_test_setup(test_what_a_node_keeps_is_for_those_who_are_served, fresh),
		cmocka_unit_test_setup(test_what_a_node_keeps_of_its_power_is_for_those_who_are_served, fresh),
		cmocka_unit_test_setup(test_relays_are_on_or_off, fresh),
		cmocka_unit_test_setup(test_weights_divide_what_is_above_the_minimums, fresh),
		cmocka_unit_test_setup(test_who_begins_does_without_what_passes, fresh),
		cmocka_unit_test_setup(test_in_turn_the_first_has_all_it_can_take, fresh),
		cmocka_unit_test_setup(test_who_does_not_fit_the_sum_waits_for_it, fresh),
		cmocka_unit_test_setup(test_uneven_room_is_for_those_who_load_lines_unevenly, fresh),
		cmocka_unit_test_setup(test_a_room_for_the_sum_counts_every_line, fresh),
		cmocka_unit_test_setup(test_steps_use_the_crumbs, fresh),
		cmocka_unit_test_setup(test_an_overloaded_node_gives_nothing, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
