/* Rules as they are found in products and textbooks, on the same observations as our balancer, each with the same simple care: the building's
 * load is what the meter shows less what the cars report, its highest value of the last minute; a margin of 3 %; a lost meter freezes the
 * building at its highest value of the hour; a socket without link counts with its fail-safe; a car that takes clearly less than offered for a
 * minute counts with what it takes; phases without current for a minute do not count. They differ in who gets how much:
 *
 *   equal      everybody the same, in steps of one ampere, as far as the tree allows
 *   robin      full current in turns of fifteen minutes
 *   first      who came first gets all it can take
 *   edf        who leaves first gets all it can take
 *   llf        who has least slack gets all it can take
 *   one        equal shares, but one car is looked at per half minute, and phases are not told apart */
#include "tests/sim/rules.h"

#include <stdlib.h>
#include <string.h>

#define MARGIN 0.03
#define WINDOW 60
#define TURN_S 900

enum rule { EQUAL, ROBIN, FIRST, EDF, LLF, ONE };

struct guest {                    /* what a rule remembers of a car */
	int session;
	double top;               /* line amperes it can use, by observation */
	int64_t low_since;
	bool lines[3], drew;
	int64_t since;
	double got;
};

struct rules {
	const struct world_conf *conf;
	enum rule rule;
	double base[WINDOW][3], hour[3];
	int at;
	struct guest guests[WORLD_EVSES];
	double room[WORLD_NODES][3];
	int turn;
};

static void *open_rule(const struct world_conf *conf, enum rule rule)
{
	struct rules *r = calloc(1, sizeof(*r));
	r->conf = conf;
	r->rule = rule;
	for (int i = 0; i < WORLD_EVSES; i++)
		r->guests[i].session = -1;
	return r;
}

static double factor(const struct rules *r, int i)
{
	return r->conf->evses[i].dc ? r->conf->amps_per_kw : 1;
}

static double drawn(const struct rules *r, const struct seen *s, int i, int p)
{
	return r->conf->evses[i].dc ? s->evses[i].i[0] * r->conf->amps_per_kw : s->evses[i].i[p];
}

static void watch_base(struct rules *r, const struct seen *s)
{
	double sum[3] = { 0 };
	r->at = (r->at + 1) % (int)(WINDOW / r->conf->period_s);
	for (int i = 0; i < r->conf->n_evses; i++)
		for (int p = 0; p < r->conf->evses[i].n_lines && s->evses[i].listed; p++)
			sum[r->conf->evses[i].lines[p]] += drawn(r, s, i, p);
	for (int l = 0; l < 3; l++) {
		double base = fmax(0, s->meters[0].i[l] - sum[l]);
		bool lost = !s->meters[0].ok || s->meters[0].age > 10;
		r->base[r->at][l] = lost ? r->hour[l] : base;
		r->hour[l] = fmax(r->hour[l] * 0.9999, r->base[r->at][l]);
	}
}

static void rooms(struct rules *r, const struct seen *s)
{
	for (int n = 0; n < r->conf->n_nodes; n++)
		for (int l = 0; l < 3; l++) {
			double base = 0;
			for (int k = 0; k < (int)(WINDOW / r->conf->period_s) && n == 0; k++)
				base = fmax(base, r->base[k][l]);
			r->room[n][l] = (s->capped[n] ? s->cap_a[n][l] : r->conf->nodes[n].limit_a[l]) * (1 - MARGIN) - base;
		}
}

static void watch_guest(struct rules *r, const struct seen *s, int i)
{
	struct guest *g = &r->guests[i];
	const struct seen_evse *e = &s->evses[i];
	double most = 0;
	if (g->session != e->session) {
		memset(g, 0, sizeof(*g));
		g->session = e->session;
		g->top = r->conf->evses[i].max * factor(r, i);
		g->since = s->t;
		for (int p = 0; p < r->conf->evses[i].n_lines; p++)
			g->lines[p] = true;
	}
	for (int p = 0; p < r->conf->evses[i].n_lines; p++)
		most = fmax(most, drawn(r, s, i, p));
	bool low = e->set > 0 && most < 0.9 * e->set * factor(r, i) - 0.5;
	g->low_since = !low ? 0 : g->low_since ? g->low_since : s->t;
	if (low && s->t - g->low_since > WINDOW)
		g->top = fmax(most + 0.2, r->conf->evses[i].min * factor(r, i));
	if (most > g->top + 0.3)
		g->top = r->conf->evses[i].max * factor(r, i);
	if (most > 1 && !g->drew && e->set > 0) {
		g->drew = true;
		g->since = s->t;
	}
	if (g->drew && s->t - g->since == WINDOW)
		for (int p = 0; p < r->conf->evses[i].n_lines; p++)
			g->lines[p] = drawn(r, s, i, p) > 1 || most < 1;
}

static bool fits(const struct rules *r, int i, double amps)
{
	const struct world_evse *e = &r->conf->evses[i];
	for (int p = 0; p < e->n_lines; p++)
		for (int n = e->node; n >= 0; n = r->conf->nodes[n].parent)
			if (r->guests[i].lines[p] && r->room[n][e->lines[p]] < amps)
				return false;
	return true;
}

static void take(struct rules *r, int i, double amps)
{
	const struct world_evse *e = &r->conf->evses[i];
	for (int p = 0; p < e->n_lines; p++)
		for (int n = e->node; n >= 0; n = r->conf->nodes[n].parent)
			if (r->guests[i].lines[p])
				r->room[n][e->lines[p]] -= amps;
}

static double key_of(const struct rules *r, const struct seen *s, int i)
{
	const struct seen_evse *e = &s->evses[i];
	double leave = isnan(e->t_dep) ? (double)e->t_arr + 6 * 3600 : e->t_dep, need = isnan(e->need_wh) ? 20000 : e->need_wh;
	double power = r->guests[i].top * WORLD_VOLTS * 2.2;
	switch (r->rule) {
	case ROBIN:
		return (double)((i * 37 + r->turn * 11) % r->conf->n_evses);
	case EDF:
		return leave;
	case LLF:
		return leave - (double)s->t - fmax(0, need - e->wh) / power * 3600;
	default:
		return (double)e->t_arr;
	}
}

struct keyed {
	double key;
	int i;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	return x->key > y->key ? 1 : x->key < y->key ? -1 : x->i - y->i;
}

static void share_together(struct rules *r, const struct keyed *q, int n, double *got)
{
	bool more = true;
	for (int k = 0; k < n; k++) {
		double min = r->conf->evses[q[k].i].min * factor(r, q[k].i);
		if (!fits(r, q[k].i, min))
			continue;
		take(r, q[k].i, min);
		got[q[k].i] = min;
	}
	while (more) {
		more = false;
		for (int k = 0; k < n; k++) {
			int i = q[k].i;
			if (got[i] <= 0 || got[i] + 1 > r->guests[i].top || !fits(r, i, 1))
				continue;
			take(r, i, 1);
			got[i] += 1;
			more = true;
		}
	}
}

static void share_in_turn(struct rules *r, const struct keyed *q, int n, double *got)
{
	for (int k = 0; k < n; k++) {
		int i = q[k].i;
		double min = r->conf->evses[i].min * factor(r, i);
		for (double a = r->guests[i].top; a >= min; a -= 1)
			if (fits(r, i, a)) {
				take(r, i, a);
				got[i] = a;
				break;
			}
	}
}

static void one_at_a_time(struct rules *r, const struct seen *s, const struct keyed *q, int n, struct order *orders)
{
	if (!n || s->t % 30 >= r->conf->period_s)
		return;
	int i = q[r->turn++ % n].i;
	double worst = 0, limit = INFINITY;
	for (int l = 0; l < 3; l++) {
		worst = fmax(worst, s->meters[0].i[l]);
		limit = fmin(limit, s->capped[0] ? s->cap_a[0][l] : r->conf->nodes[0].limit_a[l]);
	}
	double set = fmax(0, s->evses[i].set) + (limit * (1 - MARGIN) - worst) / factor(r, i);
	set = fmin(floor(set), r->conf->evses[i].max);
	orders[i] = (struct order){ true, true, set < r->conf->evses[i].min ? 0 : set, 0, 0 };
}

static void step(void *state, const struct seen *s, struct order *orders)
{
	struct rules *r = state;
	struct keyed queue[WORLD_EVSES];
	double got[WORLD_EVSES] = { 0 };
	int n = 0;
	watch_base(r, s);
	rooms(r, s);
	if (r->rule == ROBIN)
		r->turn = (int)(s->t / TURN_S);
	for (int i = 0; i < r->conf->n_evses; i++) {
		const struct seen_evse *e = &s->evses[i];
		if (!e->listed || (e->on && e->st == 'S'))
			continue;
		watch_guest(r, s, i);
		if (!e->on)
			take(r, i, r->conf->evses[i].failsafe * factor(r, i));
		else
			queue[n++] = (struct keyed){ key_of(r, s, i), i };
	}
	qsort(queue, (size_t)n, sizeof(*queue), by_key);
	if (r->rule == ONE) {
		one_at_a_time(r, s, queue, n, orders);
		return;
	}
	if (r->rule == EQUAL)
		share_together(r, queue, n, got);
	else
		share_in_turn(r, queue, n, got);
	for (int k = 0; k < n; k++) {
		int i = queue[k].i;
		double set = got[i] / factor(r, i);
		if (fabs(set - s->evses[i].set) >= 1 || (set <= 0) != (s->evses[i].set <= 0))
			orders[i] = (struct order){ true, true, set, 0, 0 };
	}
}

#define RULE(lower, NAME, text)                                                                                                              \
	static void *open_##lower(const struct world_conf *conf)                                                                             \
	{                                                                                                                                    \
		return open_rule(conf, NAME);                                                                                                \
	}                                                                                                                                    \
	const struct driver rule_##lower = { text, open_##lower, step, free };

RULE(equal, EQUAL, "equal share")
RULE(robin, ROBIN, "round robin")
RULE(first, FIRST, "first come")
RULE(edf, EDF, "earliest deadline")
RULE(llf, LLF, "least laxity")
RULE(one, ONE, "one at a time")
