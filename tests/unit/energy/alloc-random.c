/* Random trees and snapshots against what must hold for every answer, checked by brute force: no sum above any room; shares between minimum
 * and maximum or nothing; who waits would not have fitted; and nobody could have more without somebody who has as little (by weight) having
 * less. The division rounds a level down to whole milliamperes, so a share may miss by as many as there are EVSEs times their weight.
 * The seed is printed; AMPGATE_SEED runs one again. */
#include <stdio.h>

#include "energy/alloc.h"
#include "energy/site.h"
#include "tests/unit/unit.h"

#define NODES 24
#define EVSES 40
#define CASES 4000

static struct alloc_node nodes[NODES];
static struct alloc_evse evses[EVSES];
static struct alloc_share got[EVSES];
static int32_t order[EVSES];
static size_t n_nodes, n_evses;
static int allocations;
static bool counting;

/* The division asks nobody for memory: every allocation while it runs is counted here. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n)
{
	allocations += counting;
	return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
	allocations += counting;
	return __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
	allocations += counting;
	return __real_realloc(p, n);
}

static uint64_t seed, case_seed;
static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static void make_evse(size_t i, bool weighted)
{
	static const int32_t tops[] = { 6000, 10000, 13000, 16000, 20000, 32000, 63000 };
	struct alloc_evse *e = &evses[i];
	*e = (struct alloc_evse){ .node = (int)below((uint32_t)n_nodes), .weight = weighted ? 1 + (int32_t)below(20) : 1 };
	e->lines = below(3) ? (uint8_t)(1u << below(3)) : below(4) ? 7 : (uint8_t)(1 + below(7));
	e->min_ma = below(5) ? 6000 : (int32_t)below(9000);
	e->max_ma = below(8) ? tops[below(7)] : (int32_t)below(40000);
	e->on_off = !below(10);
	if (!below(12))
		e->max_ma = 0;
}

static void make_site(bool weighted)
{
	case_seed = seed;
	n_nodes = 1 + below(NODES);
	n_evses = 1 + below(EVSES);
	for (size_t i = 0; i < n_nodes; i++) {
		nodes[i].parent = i ? (int)below((uint32_t)i) : -1;
		for (int l = 0; l < 3; l++)
			nodes[i].room[l] = !below(6) ? MA_NONE : (int32_t)below((uint32_t)n_evses * 14000) - 3000;
		nodes[i].more = below(3) ? 0 : (uint8_t)(below(16) << ALLOC_SUM);
		for (int r = ALLOC_SUM; r < ALLOC_ROOMS; r++)
			nodes[i].room[r] = (int32_t)below((uint32_t)n_evses * (r == ALLOC_SUM ? 30000 : 8000));
	}
	for (size_t i = 0; i < n_evses; i++)
		make_evse(i, weighted);
	for (size_t i = 0; i < n_evses; i++)
		order[i] = (int32_t)i;
	for (size_t i = n_evses; i-- > 1;) {
		size_t k = below((uint32_t)i + 1);
		int32_t was = order[i];
		order[i] = order[k];
		order[k] = was;
	}
}

static bool hangs_below(int node, int top)
{
	while (node > top)
		node = nodes[node].parent;
	return node == top;
}

/* What an EVSE's current counts for in a room of a node: 0, 1, or once per line in the room for the sum. */
static int counts(const struct alloc_evse *e, int n, int r)
{
	int lines = !!(e->lines & 1) + !!(e->lines & 2) + !!(e->lines & 4);
	if (r < ALLOC_SUM)
		return !!(e->lines & (1 << r));
	if (!(nodes[n].more & (1 << r)))
		return 0;
	return r == ALLOC_SUM ? lines : lines < 3 && e->lines & (1 << (r - ALLOC_UNEVEN));
}

static int64_t left_at(int n, int l)
{
	int64_t left = nodes[n].room[l] == MA_NONE ? INT64_MAX / 2 : nodes[n].room[l] > 0 ? nodes[n].room[l] : 0;
	for (size_t i = 0; i < n_evses; i++)
		if (hangs_below(evses[i].node, n))
			left -= (int64_t)got[i].ma * counts(&evses[i], n, l);
	return left;
}

static void check_rooms(void)
{
	for (size_t n = 0; n < n_nodes; n++)
		for (int l = 0; l < ALLOC_ROOMS; l++)
			if ((l < ALLOC_SUM || nodes[n].more & (1 << l)) && left_at((int)n, l) < 0)
				fail_msg("case seed %llu: node %zu room %d is filled %lld mA above its room", (unsigned long long)case_seed, n, l, (long long)-left_at((int)n, l));
}

static void check_bounds(size_t i)
{
	const struct alloc_evse *e = &evses[i];
	int32_t least = e->on_off ? e->max_ma : e->min_ma;
	if (got[i].ma && (got[i].ma < least || got[i].ma > e->max_ma))
		fail_msg("case seed %llu: evse %zu has %d mA, outside %d to %d", (unsigned long long)case_seed, i, got[i].ma, least, e->max_ma);
	if (e->max_ma > 0 && e->max_ma >= least && e->lines && !got[i].ma && got[i].bound != ALLOC_WAITS && least)
		fail_msg("case seed %llu: evse %zu has nothing and does not wait", (unsigned long long)case_seed, i);
}

/* Somebody at a full constraint who has more, by weight, than `i` and is above its minimum could give: then `i` has too little. */
static void check_share(size_t i)
{
	const struct alloc_evse *e = &evses[i];
	int64_t slack = 0;
	bool held = false;
	if (!got[i].ma || e->on_off || got[i].ma >= e->max_ma)
		return;
	for (size_t k = 0; k < n_evses; k++)
		slack += 3 * evses[k].weight;
	for (int n = e->node; n >= 0 && !held; n = nodes[n].parent) {
		for (int l = 0; l < ALLOC_ROOMS && !held; l++) {
			if (!counts(e, n, l) || left_at(n, l) > slack * counts(e, n, l))
				continue;
			held = true;
			for (size_t k = 0; k < n_evses; k++) {
				const struct alloc_evse *o = &evses[k];
				if (!counts(o, n, l) || !hangs_below(o->node, n) || o->on_off || got[k].ma <= o->min_ma + slack)
					continue;
				if ((int64_t)got[k].ma * e->weight > ((int64_t)got[i].ma + slack) * o->weight)
					held = false;
			}
		}
	}
	if (!held)
		fail_msg("case seed %llu: evse %zu with %d mA could have more without anybody who has as little losing", (unsigned long long)case_seed, i, got[i].ma);
}

static void run(bool in_turn, void *scratch)
{
	struct alloc_site s = { nodes, n_nodes, evses, n_evses, order, in_turn };
	counting = true;
	alloc_run(&s, scratch, got);
	counting = false;
}

static void test_random_sites(void **state)
{
	void *scratch = malloc(alloc_scratch(NODES, EVSES));
	(void)state;
	for (int i = 0; i < CASES; i++) {
		bool in_turn = i % 7 == 3;
		make_site(i % 2);
		run(in_turn, scratch);
		check_rooms();
		for (size_t k = 0; k < n_evses; k++) {
			check_bounds(k);
			if (!in_turn)
				check_share(k);
		}
		assert_int_equal(allocations, 0);
	}
	free(scratch);
}

static void test_steps_stay_within_rooms(void **state)
{
	static const int32_t steps[] = { 0, 100, 500, 1000, 4000 };
	void *scratch = malloc(alloc_scratch(NODES, EVSES));
	(void)state;
	for (int i = 0; i < CASES; i++) {
		make_site(i % 2);
		for (size_t k = 0; k < n_evses; k++)
			evses[k].step_ma = steps[below(5)];
		run(i % 3 == 0, scratch);
		check_rooms();
		for (size_t k = 0; k < n_evses; k++)
			if (evses[k].step_ma)
				assert_int_equal(got[k].ma % evses[k].step_ma, 0);
	}
	free(scratch);
}

static void test_the_same_snapshot_has_the_same_answer(void **state)
{
	struct alloc_share before[EVSES];
	void *scratch = malloc(alloc_scratch(NODES, EVSES));
	(void)state;
	make_site(true);
	run(false, scratch);
	memcpy(before, got, sizeof(got));
	memset(scratch, 0xa5, alloc_scratch(NODES, EVSES));
	run(false, scratch);
	for (size_t k = 0; k < n_evses; k++)
		assert_int_equal(before[k].ma, got[k].ma);
	free(scratch);
}

int main(void)
{
	const char *given = getenv("AMPGATE_SEED");
	seed = given ? strtoull(given, NULL, 10) : 20260302;
	printf("# seed %llu\n", (unsigned long long)seed);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_sites),
		cmocka_unit_test(test_steps_stay_within_rooms),
		cmocka_unit_test(test_the_same_snapshot_has_the_same_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
