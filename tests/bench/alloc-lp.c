/* A column per EVSE, a row per node and line. */
#include "tests/bench/alloc-lp.h"

#include <coin/Clp_C_Interface.h>
#include <math.h>
#include <stdlib.h>

#define DEPTH_MOST 16

double alloc_lp(const struct alloc_site *s)
{
	int columns = (int)s->n_evses, rows = 3 * (int)s->n_nodes, elements = 0;
	size_t most = s->n_evses * 3 * DEPTH_MOST;
	CoinBigIndex *start = malloc((s->n_evses + 1) * sizeof(*start));
	int *index = malloc(most * sizeof(*index));
	double *value = malloc(most * sizeof(*value)), *low = calloc(s->n_evses, sizeof(*low)), *high = malloc(s->n_evses * sizeof(*high)),
	       *cost = malloc(s->n_evses * sizeof(*cost)), *row_low = malloc((size_t)rows * sizeof(*row_low)),
	       *row_high = malloc((size_t)rows * sizeof(*row_high)), best = NAN;
	for (int r = 0; r < rows; r++) {
		row_low[r] = -1e30;
		row_high[r] = s->nodes[r / 3].room[r % 3];
	}
	for (int i = 0; i < columns; i++) {
		const struct alloc_evse *e = &s->evses[i];
		start[i] = elements;
		high[i] = e->max_ma;
		cost[i] = -1;
		for (int n = e->node; n >= 0; n = s->nodes[n].parent)
			for (int l = 0; l < 3; l++)
				if (e->lines & (1u << l)) {
					index[elements] = 3 * n + l;
					value[elements++] = 1;
				}
	}
	start[columns] = elements;
	Clp_Simplex *m = Clp_newModel();
	Clp_setLogLevel(m, 0);
	Clp_loadProblem(m, columns, rows, start, index, value, low, high, cost, row_low, row_high);
	if (!Clp_initialSolve(m))
		best = -Clp_objectiveValue(m);
	Clp_deleteModel(m);
	void *all[] = { start, index, value, low, high, cost, row_low, row_high };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	return best;
}
