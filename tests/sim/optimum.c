/* Columns are (session, slot), rows are (node, line, slot) where the cars' maxima together could be too much, and one row per session for its
 * need. Solved by Clp. */
#include "tests/sim/optimum.h"

#include <coin/Clp_C_Interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_S 300
#define KEPT "optima.kept"

struct slots {
	int n;
	double *room;             /* [slot][node][line], mean over the slot */
};

static double *room_at(const struct slots *s, const struct world_conf *c, int slot, int node, int line)
{
	return &s->room[((size_t)slot * (size_t)c->n_nodes + (size_t)node) * 3 + (size_t)line];
}

static void watch_weather(const struct world_conf *c, struct slots *s)
{
	struct world *w = world_open(c);
	s->n = (int)((c->length_s + SLOT_S - 1) / SLOT_S);
	s->room = calloc((size_t)s->n * (size_t)c->n_nodes * 3, sizeof(*s->room));
	for (int64_t t = 0; t < c->length_s; t++) {
		world_second(w);
		for (int n = 0; n < c->n_nodes; n++)
			for (int l = 0; l < 3; l++)
				*room_at(s, c, (int)(t / SLOT_S), n, l) += fmax(0, world_limit(w, n, l, true) - (n ? 0 : world_base(w, l))) / SLOT_S;
	}
	world_close(w);
}

struct program {
	int columns, rows, elements;
	CoinBigIndex *start;
	int *index;
	double *value, *upper, *cost, *row_upper;
	int *session_of;
	int *row;                 /* of (slot, node, line); -1: cannot bind */
};

static double share_of_slot(const struct world_conf *c, const struct world_session *s, int slot)
{
	double from = (double)c->begin_s + slot * (double)SLOT_S, to = from + SLOT_S;
	double a = fmax(from, (double)s->arrive_s), b = fmin(to, (double)s->leave_s);
	return b > a ? (b - a) / SLOT_S : 0;
}

static double top_of(const struct world_conf *c, const struct world_session *s)
{
	const struct world_evse *e = &c->evses[s->evse];
	return fmin(s->own_a, e->dc ? e->max * c->amps_per_kw : e->max);
}

static double wh_per_amp(const struct world_conf *c, const struct world_session *s)
{
	double watt = c->evses[s->evse].dc ? 1000 / c->amps_per_kw : s->phases * WORLD_VOLTS;
	return watt * SLOT_S / 3600;
}

static int lines_of(const struct world_conf *c, const struct world_session *s)
{
	const struct world_evse *e = &c->evses[s->evse];
	return e->dc || s->phases > e->n_lines ? e->n_lines : s->phases;
}

static void find_rows(const struct world_conf *c, const struct slots *t, struct program *p)
{
	size_t n = (size_t)t->n * (size_t)c->n_nodes * 3;
	double *most = calloc(n, sizeof(*most));
	p->row = malloc(n * sizeof(*p->row));
	for (int i = 0; i < c->n_sessions; i++) {
		const struct world_session *s = &c->sessions[i];
		for (int k = 0; k < t->n; k++) {
			double share = share_of_slot(c, s, k);
			if (share <= 0)
				continue;
			p->columns++;
			for (int q = 0; q < lines_of(c, s); q++)
				for (int node = c->evses[s->evse].node; node >= 0; node = c->nodes[node].parent, p->elements++)
					most[(k * c->n_nodes + node) * 3 + c->evses[s->evse].lines[q]] += share * top_of(c, s);
			p->elements++;
		}
	}
	p->rows = c->n_sessions;
	p->row_upper = malloc((n + (size_t)c->n_sessions) * sizeof(*p->row_upper));
	for (int i = 0; i < c->n_sessions; i++)
		p->row_upper[i] = c->sessions[i].need_wh;
	for (size_t i = 0; i < n; i++) {
		p->row[i] = most[i] > t->room[i] ? p->rows : -1;
		if (p->row[i] >= 0)
			p->row_upper[p->rows++] = t->room[i];
	}
	free(most);
}

static void fill_columns(const struct world_conf *c, const struct slots *t, struct program *p)
{
	int column = 0, element = 0;
	for (int i = 0; i < c->n_sessions; i++) {
		const struct world_session *s = &c->sessions[i];
		for (int k = 0; k < t->n; k++) {
			double share = share_of_slot(c, s, k);
			if (share <= 0)
				continue;
			p->start[column] = element;
			p->upper[column] = share * top_of(c, s);
			p->cost[column] = -wh_per_amp(c, s);
			p->session_of[column] = i;
			p->index[element] = i;
			p->value[element++] = wh_per_amp(c, s);
			for (int q = 0; q < lines_of(c, s); q++)
				for (int node = c->evses[s->evse].node; node >= 0; node = c->nodes[node].parent) {
					int row = p->row[(k * c->n_nodes + node) * 3 + c->evses[s->evse].lines[q]];
					if (row < 0)
						continue;
					p->index[element] = row;
					p->value[element++] = 1;
				}
			column++;
		}
	}
	p->start[column] = element;
}

static double solve(struct program *p, const struct world_conf *c, int *ready_out)
{
	double *zero = calloc((size_t)p->columns + 1, sizeof(*zero)), *low = malloc((size_t)p->rows * sizeof(*low)), best = NAN;
	for (int i = 0; i < p->rows; i++)
		low[i] = -1e30;
	Clp_Simplex *m = Clp_newModel();
	Clp_setLogLevel(m, 0);
	Clp_loadProblem(m, p->columns, p->rows, p->start, p->index, p->value, zero, p->upper, p->cost, low, p->row_upper);
	if (!Clp_initialSolve(m))
		best = -Clp_objectiveValue(m);
	if (ready_out) {
		const double *x = Clp_primalColumnSolution(m);
		double *got = calloc((size_t)c->n_sessions + 1, sizeof(*got));
		for (int k = 0; k < p->columns; k++)
			got[p->session_of[k]] -= x[k] * p->cost[k];
		*ready_out = 0;
		for (int i = 0; i < c->n_sessions; i++)
			*ready_out += got[i] >= 0.95 * c->sessions[i].need_wh;
		free(got);
	}
	Clp_deleteModel(m);
	free(zero);
	free(low);
	return best;
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
	struct program p = { 0 };
	watch_weather(c, &t);
	find_rows(c, &t, &p);
	size_t columns = (size_t)p.columns + 1, elements = (size_t)p.elements + 1;
	p.start = malloc(columns * sizeof(*p.start));
	p.upper = malloc(columns * sizeof(*p.upper));
	p.cost = malloc(columns * sizeof(*p.cost));
	p.session_of = malloc(columns * sizeof(*p.session_of));
	p.index = malloc(elements * sizeof(*p.index));
	p.value = malloc(elements * sizeof(*p.value));
	fill_columns(c, &t, &p);
	uint64_t name = name_of(&p);
	double best;
	int ready;
	if (!recall(name, &best, &ready)) {
		best = solve(&p, c, &ready);
		keep(name, best, ready);
	}
	if (ready_out)
		*ready_out = ready;
	void *all[] = { t.room, p.start, p.upper, p.cost, p.session_of, p.index, p.value, p.row, p.row_upper };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
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
		cost[i] = s ? -wh_per_amp(c, s) * 3600 / SLOT_S : 0;
		for (int q = 0; s && q < lines_of(c, s); q++)
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
