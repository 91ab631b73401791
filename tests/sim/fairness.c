/* The division against a linear program that does the same slowly: raise the lowest share (by weight) as far as it goes, find out who cannot be
 * raised any more, hold those, and go on with the rest. Who gets its minimum is settled before and taken over: minimums make the question
 * whole-numbered, and the order, not fairness, answers it.
 *
 *   fairness [SNAPSHOTS [SEED]] */
#include <coin/Clp_C_Interface.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "energy/alloc.h"
#include "energy/site.h"
#include "tests/sim/dice.h"

#define NODES 8
#define EVSES 10
#define NEAR_MA 1.0001 /* the division works in whole milliamperes */

static struct alloc_node nodes[NODES];
static struct alloc_evse evses[EVSES];
static struct alloc_share got[EVSES];
static int32_t order[EVSES];
static int n_nodes, n_evses;

static void make_snapshot(struct dice *d)
{
	n_nodes = 1 + (int)dice_below(d, NODES);
	n_evses = 2 + (int)dice_below(d, EVSES - 1);
	for (int i = 0; i < n_nodes; i++) {
		nodes[i] = (struct alloc_node){ .parent = i ? (int)dice_below(d, (uint32_t)i) : -1 };
		for (int r = 0; r < ALLOC_ROOMS; r++)
			nodes[i].room[r] = dice_chance(d, 0.1) ? MA_NONE : 5000 + (int32_t)dice_below(d, (uint32_t)n_evses * 12000);
		if (dice_chance(d, 0.3))
			nodes[i].more = 1u << ALLOC_SUM;
		nodes[i].room[ALLOC_SUM] = 15000 + (int32_t)dice_below(d, (uint32_t)n_evses * 30000);
	}
	for (int i = 0; i < n_evses; i++) {
		evses[i] = (struct alloc_evse){ .node = (int)dice_below(d, (uint32_t)n_nodes), .min_ma = 6000, .weight = 1 + (int32_t)dice_below(d, 20),
						.max_ma = 6000 + (int32_t)dice_below(d, 26001) };
		evses[i].lines = dice_chance(d, 0.5) ? 7 : (uint8_t)(1 + dice_below(d, 7));
		order[i] = i;
	}
}

/* The program: one column per EVSE and one for the level, a row per room and one per EVSE that rises with the level. */
struct program {
	double low[EVSES], high[EVSES];
	bool held[EVSES];
};

static bool below(int node, int top)
{
	while (node > top)
		node = nodes[node].parent;
	return node == top;
}

/* Maximizes column `goal` (n_evses: the level); NaN when it cannot be solved. `x` NULL: only the value matters. */
static double best(const struct program *p, int goal, double level, double *x)
{
	int rows = 0, elements = 0, columns = n_evses + 1;
	static int index[(EVSES + 1) * (NODES * ALLOC_ROOMS + EVSES + 1)];
	static double value[sizeof(index) / sizeof(index[0])], row_low[NODES * ALLOC_ROOMS + EVSES], row_high[NODES * ALLOC_ROOMS + EVSES];
	CoinBigIndex start[EVSES + 2];
	double cost[EVSES + 1] = { 0 }, low[EVSES + 1], high[EVSES + 1], answer = NAN;
	int room_row[NODES][ALLOC_ROOMS], level_row[EVSES];
	for (int n = 0; n < n_nodes; n++)
		for (int r = 0; r < ALLOC_ROOMS; r++) {
			bool counts = (r < ALLOC_SUM || nodes[n].more & (1u << r)) && nodes[n].room[r] != MA_NONE;
			room_row[n][r] = counts ? rows : -1;
			if (!counts)
				continue;
			row_low[rows] = -1e30;
			row_high[rows++] = nodes[n].room[r];
		}
	for (int i = 0; i < n_evses; i++) {
		level_row[i] = p->held[i] ? -1 : rows;
		if (p->held[i])
			continue;
		row_low[rows] = 0; /* x - weight * level >= 0 */
		row_high[rows++] = 1e30;
	}
	for (int i = 0; i < n_evses; i++) {
		start[i] = elements;
		low[i] = p->low[i];
		high[i] = p->high[i];
		for (int n = 0; n < n_nodes; n++)
			for (int r = 0; r < ALLOC_ROOMS; r++)
				if (room_row[n][r] >= 0 && below(evses[i].node, n) && alloc_rooms(evses[i].lines) & (1u << r)) {
					index[elements] = room_row[n][r];
					value[elements++] = alloc_times(evses[i].lines, r);
				}
		if (level_row[i] >= 0) {
			index[elements] = level_row[i];
			value[elements++] = 1;
		}
	}
	start[n_evses] = elements;
	low[n_evses] = level;
	high[n_evses] = goal == n_evses ? 1e9 : level;
	for (int i = 0; i < n_evses; i++)
		if (level_row[i] >= 0) {
			index[elements] = level_row[i];
			value[elements++] = -evses[i].weight;
		}
	start[columns] = elements;
	cost[goal] = -1;
	Clp_Simplex *m = Clp_newModel();
	Clp_setLogLevel(m, 0);
	Clp_loadProblem(m, columns, rows, start, index, value, low, high, cost, row_low, row_high);
	Clp_setPrimalTolerance(m, 1e-9);
	Clp_primal(m, 0);
	if (Clp_status(m) == 0) {
		answer = -Clp_objectiveValue(m);
		if (x)
			memcpy(x, Clp_primalColumnSolution(m), (size_t)n_evses * sizeof(*x));
	}
	Clp_deleteModel(m);
	return answer;
}

/* Everybody's share by raising the lowest as far as it goes, level by level. */
static void by_programs(double *share)
{
	struct program p = { 0 };
	double level = 0;
	int rising = 0;
	for (int i = 0; i < n_evses; i++) {
		p.held[i] = got[i].ma <= 0;
		p.low[i] = p.held[i] ? 0 : evses[i].min_ma;
		p.high[i] = p.held[i] ? 0 : evses[i].max_ma;
		rising += !p.held[i];
	}
	while (rising > 0) {
		/* Those whose maximum the level reaches stop there and must not hold the others. */
		double next = best(&p, n_evses, level, NULL);
		if (isnan(next))
			next = level;
		level = next;
		int before = rising;
		for (int i = 0; i < n_evses; i++) {
			if (p.held[i])
				continue;
			double most = best(&p, i, level - 1e-7, NULL), has = fmax(p.low[i], evses[i].weight * level);
			if (most > has + 1e-3)
				continue;
			p.held[i] = true;
			p.low[i] = p.high[i] = fmin(fmax(p.low[i], most), p.high[i]);
			rising--;
		}
		if (rising == before)
			break;
	}
	for (int i = 0; i < n_evses; i++)
		share[i] = p.held[i] ? p.low[i] : NAN;
}

int main(int argc, char **argv)
{
	int snapshots = argc > 1 ? atoi(argv[1]) : 1000, wrong = 0, held = 0, waiting = 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	double worst = 0;
	for (int k = 0; k < snapshots; k++) {
		struct dice d = { seed + (uint64_t)k };
		double share[EVSES];
		make_snapshot(&d);
		void *scratch = malloc(alloc_scratch((size_t)n_nodes, (size_t)n_evses));
		alloc_run(&(struct alloc_site){ nodes, (size_t)n_nodes, evses, (size_t)n_evses, order, false }, scratch, got);
		free(scratch);
		by_programs(share);
		for (int i = 0; i < n_evses; i++) {
			double off = fabs(share[i] - got[i].ma);
			held += got[i].bound == ALLOC_NODE;
			waiting += got[i].bound == ALLOC_WAITS;
			if (off <= NEAR_MA) {
				worst = fmax(worst, off);
				continue;
			}
			wrong++;
			printf("snapshot seed %llu: EVSE %d has %d mA, the program says %.3f\n", (unsigned long long)(seed + (uint64_t)k), i, got[i].ma,
			       share[i]);
		}
	}
	printf("%d snapshots from seed %llu, %d shares held by a node, %d waiting for a minimum: %d differ by more than 1 mA, most %.3f mA\n", snapshots,
	       (unsigned long long)seed, held, waiting, wrong, worst);
	return wrong > 0;
}
