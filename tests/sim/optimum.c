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
	double later;             /* an ampere hour in a later slot counts for less by this part, per slot */
	int columns, rows, elements;
	CoinBigIndex *start;
	int *index;
	double *value, *upper, *cost, *row_upper;
	int *session_of, *slot_of;
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
			p->cost[column] = -wh_per_amp(c, s) * (1 - k * p->later);
			p->session_of[column] = i;
			p->slot_of[column] = k;
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

/* x_out: amperes of each column. */
static bool solve(struct program *p, double *x_out)
{
	double *zero = calloc((size_t)p->columns + 1, sizeof(*zero)), *low = malloc((size_t)p->rows * sizeof(*low));
	for (int i = 0; i < p->rows; i++)
		low[i] = -1e30;
	Clp_Simplex *m = Clp_newModel();
	Clp_setLogLevel(m, 0);
	Clp_loadProblem(m, p->columns, p->rows, p->start, p->index, p->value, zero, p->upper, p->cost, low, p->row_upper);
	bool solved = !Clp_initialSolve(m);
	memcpy(x_out, Clp_primalColumnSolution(m), (size_t)p->columns * sizeof(*x_out));
	Clp_deleteModel(m);
	free(zero);
	free(low);
	return solved;
}

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

static void program_make(struct program *p, const struct world_conf *c, const struct slots *t, double later)
{
	*p = (struct program){ .later = later };
	find_rows(c, t, p);
	size_t columns = (size_t)p->columns + 1, elements = (size_t)p->elements + 1;
	p->start = malloc(columns * sizeof(*p->start));
	p->upper = malloc(columns * sizeof(*p->upper));
	p->cost = malloc(columns * sizeof(*p->cost));
	p->session_of = malloc(columns * sizeof(*p->session_of));
	p->slot_of = malloc(columns * sizeof(*p->slot_of));
	p->index = malloc(elements * sizeof(*p->index));
	p->value = malloc(elements * sizeof(*p->value));
	fill_columns(c, t, p);
}

static void program_free(struct program *p)
{
	void *all[] = { p->start, p->upper, p->cost, p->session_of, p->slot_of, p->index, p->value, p->row, p->row_upper };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
}

double optimum_wh(const struct world_conf *c, int *ready_out)
{
	struct slots t;
	struct program p;
	watch_weather(c, &t);
	program_make(&p, c, &t, 0);
	uint64_t name = name_of(&p);
	double best = NAN;
	int ready = 0;
	if (!recall(name, &best, &ready)) {
		double *x = calloc((size_t)p.columns + 1, sizeof(*x));
		if (solve(&p, x)) {
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

/* --- planned by hearsay --- */

/* A tenth of it would do; an hour's delay must cost more than rounding. */
#define LATER_PER_SLOT (0.01 * SLOT_S / 3600)
#define SOON_S 1800.0

static double usual_wh(const struct world_conf *c)
{
	double sum = 0;
	for (int i = 0; i < c->n_sessions; i++)
		sum += c->sessions[i].need_wh / c->n_sessions;
	return sum;
}

/* Who has been here for an hour is taken to stay another. */
static double believed_end_s(const struct world_session *s, double now)
{
	double end = isnan(s->told_leave_s) ? now + fmax(2 * SOON_S, now - (double)s->arrive_s) : s->told_leave_s;
	return fmax(end, now + SOON_S);
}

static double believed_wh(const struct world_session *s, double usual)
{
	double left = (isnan(s->told_need_wh) ? usual : s->told_need_wh) - s->got_wh;
	return fmax(left, usual / 10);
}

/* The cars that are there, as they are believed to be. */
static void believe(const struct world_conf *c, double now, double usual, struct world_conf *out, int *who)
{
	out->n_sessions = 0;
	for (int i = 0; i < c->n_sessions; i++) {
		const struct world_session *s = &c->sessions[i];
		if ((double)s->arrive_s >= now + SLOT_S || (double)s->leave_s <= now || s->got_wh >= s->need_wh)
			continue;
		struct world_session *b = &out->sessions[out->n_sessions];
		who[out->n_sessions++] = i;
		*b = *s;
		b->arrive_s = (int64_t)fmax(now, (double)s->arrive_s);
		b->leave_s = (int64_t)believed_end_s(s, now);
		b->need_wh = believed_wh(s, usual);
	}
}

/* What of the plan's first slot comes true. */
static void take(const struct world_conf *c, const struct program *p, const double *x, int slot, const int *who)
{
	for (int k = 0; k < p->columns; k++) {
		struct world_session *s = &c->sessions[who[p->session_of[k]]];
		double share = share_of_slot(c, s, slot);
		if (p->slot_of[k] == slot)
			s->got_wh = fmin(s->need_wh, s->got_wh + fmin(x[k], share * top_of(c, s)) * wh_per_amp(c, s));
	}
}

double optimum_planned_wh(const struct world_conf *conf, double *jain_out)
{
	struct world_conf c = *conf, now = *conf;
	size_t size = ((size_t)c.n_sessions + 1) * sizeof(*c.sessions);
	struct slots t;
	double sum = 0, shares = 0, squares = 0, usual = usual_wh(conf);
	int *who = calloc((size_t)c.n_sessions + 1, sizeof(*who));
	watch_weather(conf, &t);
	c.sessions = memcpy(malloc(size), conf->sessions, size);
	now.sessions = malloc(size);
	for (int k = 0; k < t.n; k++) {
		struct program p;
		believe(&c, (double)c.begin_s + k * (double)SLOT_S, usual, &now, who);
		program_make(&p, &now, &t, LATER_PER_SLOT);
		double *x = calloc((size_t)p.columns + 1, sizeof(*x));
		if (p.columns && solve(&p, x))
			take(&c, &p, x, k, who);
		free(x);
		program_free(&p);
	}
	for (int i = 0; i < c.n_sessions; i++) {
		double share = c.sessions[i].got_wh / c.sessions[i].need_wh;
		sum += c.sessions[i].got_wh;
		shares += share;
		squares += share * share;
	}
	*jain_out = squares > 0 ? shares * shares / squares / c.n_sessions : NAN;
	void *all[] = { c.sessions, now.sessions, who, t.room };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	return sum;
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
