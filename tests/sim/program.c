/* Columns are (session, slot), rows are (node, line, slot) where the cars' maxima together could be too much, and one row per session for its
 * need. Solved by Clp. */
#include "tests/sim/program.h"

#include <stdlib.h>
#include <string.h>

static double *room_at(const struct slots *s, const struct world_conf *c, int slot, int node, int line)
{
	return &s->room[((size_t)slot * (size_t)c->n_nodes + (size_t)node) * 3 + (size_t)line];
}

void program_weather(const struct world_conf *c, struct slots *s)
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

double program_share(const struct world_conf *c, const struct world_session *s, int slot)
{
	double from = (double)c->begin_s + slot * (double)SLOT_S, to = from + SLOT_S;
	double a = fmax(from, (double)s->arrive_s), b = fmin(to, (double)s->leave_s);
	return b > a ? (b - a) / SLOT_S : 0;
}

double program_top_a(const struct world_conf *c, const struct world_session *s)
{
	const struct world_evse *e = &c->evses[s->evse];
	return fmin(s->own_a, e->dc ? e->max * c->amps_per_kw : e->max);
}

double program_wh_per_amp(const struct world_conf *c, const struct world_session *s)
{
	double watt = c->evses[s->evse].dc ? 1000 / c->amps_per_kw : s->phases * WORLD_VOLTS;
	return watt * SLOT_S / 3600;
}

int program_lines(const struct world_conf *c, const struct world_session *s)
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
			double share = program_share(c, s, k);
			if (share <= 0)
				continue;
			p->columns++;
			for (int q = 0; q < program_lines(c, s); q++)
				for (int node = c->evses[s->evse].node; node >= 0; node = c->nodes[node].parent, p->elements++)
					most[(k * c->n_nodes + node) * 3 + c->evses[s->evse].lines[q]] += share * program_top_a(c, s);
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
			double share = program_share(c, s, k);
			if (share <= 0)
				continue;
			p->start[column] = element;
			p->upper[column] = share * program_top_a(c, s);
			p->cost[column] = -program_wh_per_amp(c, s) * (1 - k * p->later);
			p->session_of[column] = i;
			p->slot_of[column] = k;
			p->index[element] = i;
			p->value[element++] = program_wh_per_amp(c, s);
			for (int q = 0; q < program_lines(c, s); q++)
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

bool program_solve(struct program *p, double *x_out)
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

void program_make(struct program *p, const struct world_conf *c, const struct slots *t, double later)
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

void program_free(struct program *p)
{
	void *all[] = { p->start, p->upper, p->cost, p->session_of, p->slot_of, p->index, p->value, p->row, p->row_upper };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
}
