/* The day as its end knows it, and one moment of it, which is a program of its own: a column per EVSE and a row per node and line. */
#include "tests/sim/optimum.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/program.h"

#define KEPT "optima.kept"

static double delivered(const struct program *p, const struct world_conf *c, const double *x, int *ready_out)
{
	double *got = calloc((size_t)c->n_sessions + 1, sizeof(*got)), sum = 0;
	for (int k = 0; k < p->columns; k++)
		got[p->session_of[k]] -= x[k] * p->cost[k];
	*ready_out = 0;
	for (int i = 0; i < c->n_sessions; i++) {
		*ready_out += got[i] >= 0.95 * c->sessions[i].need_wh;
		sum += got[i];
	}
	free(got);
	return sum;
}

/* An optimum takes longer than a day: it is kept in a file, under a name made of all that goes into it. */

static uint64_t fold(uint64_t h, const void *bytes, size_t n)
{
	for (const unsigned char *at = bytes; n--; at++)
		h = (h ^ *at) * 0x100000001b3u;
	return h;
}

static uint64_t name_of(const struct program *p)
{
	uint64_t h = 0xcbf29ce484222325u;
	h = fold(h, p->start, (size_t)(p->columns + 1) * sizeof(*p->start));
	h = fold(h, p->upper, (size_t)p->columns * sizeof(*p->upper));
	h = fold(h, p->cost, (size_t)p->columns * sizeof(*p->cost));
	return fold(h, p->row_upper, (size_t)p->rows * sizeof(*p->row_upper));
}

static bool recall(uint64_t name, double *wh, int *ready)
{
	FILE *f = fopen(KEPT, "r");
	unsigned long long at;
	bool found = false;
	while (f && !found && fscanf(f, "%llx %lf %d", &at, wh, ready) == 3)
		found = at == name;
	if (f)
		fclose(f);
	return found;
}

static void keep(uint64_t name, double wh, int ready)
{
	FILE *f = fopen(KEPT, "a");
	if (!f)
		return;
	fprintf(f, "%016llx %.3f %d\n", (unsigned long long)name, wh, ready);
	fclose(f);
}

double optimum_wh(const struct world_conf *c, int *ready_out)
{
	struct slots t;
	struct program p;
	program_weather(c, &t);
	program_make(&p, c, &t, 0);
	uint64_t name = name_of(&p);
	double best = NAN;
	int ready = 0;
	if (!recall(name, &best, &ready)) {
		double *x = calloc((size_t)p.columns + 1, sizeof(*x));
		if (program_solve(&p, x)) {
			best = delivered(&p, c, x, &ready);
			keep(name, best, ready);
		}
		free(x);
	}
	if (ready_out)
		*ready_out = ready;
	free(t.room);
	program_free(&p);
	return best;
}

/* --- one moment --- */

double optimum_now_w(const struct world_conf *c, const struct world *w)
{
	struct program p = { .columns = c->n_evses, .rows = 3 * c->n_nodes };
	size_t columns = (size_t)c->n_evses + 1;
	double *none = calloc(columns, sizeof(*none)), low[3 * WORLD_NODES], high[3 * WORLD_NODES], best = 0;
	CoinBigIndex *start = calloc(columns, sizeof(*start));
	int *index = calloc(columns * 3 * WORLD_NODES, sizeof(*index));
	double *value = calloc(columns * 3 * WORLD_NODES, sizeof(*value)), *upper = calloc(columns, sizeof(*upper)), *cost = calloc(columns, sizeof(*cost));
	for (int r = 0; r < p.rows; r++) {
		low[r] = -1e30;
		high[r] = fmax(0, world_limit(w, r / 3, r % 3, true) - (r < 3 ? world_base(w, r % 3) : 0));
	}
	for (int i = 0; i < c->n_evses; i++) {
		int session = world_session_at(w, i);
		const struct world_session *s = session >= 0 ? world_session(w, session) : NULL;
		upper[i] = s && world_online(w, i) ? world_could_a(w, i) : 0;
		cost[i] = s ? -program_wh_per_amp(c, s) * 3600 / SLOT_S : 0;
		for (int q = 0; s && q < program_lines(c, s); q++)
			for (int node = c->evses[i].node; node >= 0; node = c->nodes[node].parent) {
				index[p.elements] = node * 3 + c->evses[i].lines[q];
				value[p.elements++] = 1;
			}
		start[i + 1] = p.elements;
	}
	Clp_Simplex *m = Clp_newModel();
	Clp_setLogLevel(m, 0);
	Clp_loadProblem(m, p.columns, p.rows, start, index, value, none, upper, cost, low, high);
	if (!Clp_initialSolve(m))
		best = -Clp_objectiveValue(m);
	Clp_deleteModel(m);
	void *all[] = { none, start, index, value, upper, cost };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	return best;
}
