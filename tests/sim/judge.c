/* The checker shares no code with the balancer.
 *
 * A breaker's trip curve is given as times at multiples of its rating; heat adds up as time spent over time allowed, and goes away with a
 * time constant, so that many short overloads count as well. Points: IEC 60898-1 gives 1.13 (never within the hour) and 1.45 (within it); what
 * lies between is the earliest opening, interpolated. */
#include "tests/sim/judge.h"

#include <stdlib.h>
#include <string.h>

#define COOLING_S 900.0
#define CAP_SLACK 1.05

void judge_init(struct judge *j)
{
	memset(j, 0, sizeof(*j));
	j->capped = -1;
	j->cap_obeyed = true;
}

/* Seconds until the fast edge of the curve at r times the rating. */
static double trips_after(double r)
{
	static const double at[] = { 1.13, 1.25, 1.3, 1.45, 1.6, 2, 2.55, 3, 5 }, after[] = { 3600, 900, 540, 120, 52, 7.9, 1, 0.3, 0.01 };
	size_t n = sizeof(at) / sizeof(at[0]), i = 1;
	if (r <= at[0])
		return INFINITY;
	if (r >= at[n - 1])
		return after[n - 1];
	while (r > at[i])
		i++;
	double x = (log(r) - log(at[i - 1])) / (log(at[i]) - log(at[i - 1]));
	return exp(log(after[i - 1]) + x * (log(after[i]) - log(after[i - 1])));
}

static void one(struct judge *j, int node, int line, double amps, double limit)
{
	struct judge_node *n = &j->nodes[node][line];
	double r = limit > 0 ? amps / limit : amps > 0.1 ? 9 : 0, over = amps > limit ? amps - limit : 0;
	double t = trips_after(r);
	n->heat = isinf(t) ? n->heat * (1 - 1 / COOLING_S) : n->heat + 1 / t;
	if (n->heat > n->most_heat)
		n->most_heat = n->heat;
	if (n->most_heat > j->most_heat) {
		j->most_heat = n->most_heat;
		j->worst_node = node;
		j->worst_line = line;
	}
	n->over_as += over;
	j->over_as += over;
	n->most = fmax(n->most, r);
	j->most = fmax(j->most, r);
	n->over_5_s = r > 1.05 ? n->over_5_s + 1 : 0;
	n->over_10_s = r > 1.10 ? n->over_10_s + 1 : 0;
	n->longest_5_s = n->over_5_s > n->longest_5_s ? n->over_5_s : n->longest_5_s;
	n->longest_10_s = n->over_10_s > n->longest_10_s ? n->over_10_s : n->longest_10_s;
	j->longest_5_s = n->longest_5_s > j->longest_5_s ? n->longest_5_s : j->longest_5_s;
	j->longest_10_s = n->longest_10_s > j->longest_10_s ? n->longest_10_s : j->longest_10_s;
}

static bool above_cap(const struct world *w, int node)
{
	for (int l = 0; l < 3 && node >= 0; l++)
		if (world_amps(w, node, l) > world_limit(w, node, l, true) * CAP_SLACK && world_told_amps(w, node, l) > 1)
			return true;
	return false;
}

/* A cap is a message of the next look. */
static void cap_comes(struct judge *j, const struct world_conf *c, const struct world *w)
{
	int64_t period = (int64_t)c->period_s, since = (world_now(w) - c->begin_s) % period;
	j->capped = world_capped(w);
	j->cap_at_s = world_now(w) + (since ? period - since : 0);
	j->cap_obeyed = j->capped < 0;
	j->above_cap_s = 0;
}

static void caps(struct judge *j, const struct world_conf *c, const struct world *w)
{
	if (world_capped(w) != j->capped)
		cap_comes(j, c, w);
	bool above = above_cap(w, j->capped);
	if (!j->cap_obeyed) {
		j->cap_obeyed_s = fmax(j->cap_obeyed_s, (double)(world_now(w) - j->cap_at_s));
		j->cap_obeyed = !above;
		return;
	}
	j->above_cap_s = above ? j->above_cap_s + 1 : 0;
	j->cap_above_s = fmax(j->cap_above_s, j->above_cap_s);
}

static void window(struct judge *j, const struct world_conf *c, const struct world *w)
{
	const struct world_node *n = &c->nodes[0];
	if (!n->window_s)
		return;
	for (int l = 0; l < 3; l++)
		j->window_ws += world_amps(w, 0, l) * WORLD_VOLTS;
	if ((world_now(w) + 1) % n->window_s)
		return;
	j->window_most = fmax(j->window_most, j->window_ws / n->window_s / n->power_w);
	j->window_ws = 0;
}

void judge_second(struct judge *j, const struct world_conf *c, const struct world *w)
{
	window(j, c, w);
	for (int n = 0; n < c->n_nodes; n++)
		for (int l = 0; l < 3; l++)
			one(j, n, l, world_amps(w, n, l), c->nodes[n].limit_a[l]);
	caps(j, c, w);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x > y ? 1 : x < y ? -1 : 0;
}

static void kind(struct judge *j, const struct world_conf *c, const struct world *w, bool dc)
{
	double got = 0, needed = 0, sum = 0, squares = 0;
	int n = 0;
	for (int i = 0; i < c->n_sessions; i++) {
		const struct world_session *s = world_session(w, i);
		if (c->evses[s->evse].dc != dc)
			continue;
		double f = fmin(1, s->got_wh / s->need_wh);
		got += s->got_wh;
		needed += s->need_wh;
		sum += f;
		squares += f * f;
		n++;
	}
	j->share_of[dc] = got / needed;
	j->jain_of[dc] = sum * sum / (n * squares);
}

void judge_end(struct judge *j, const struct world_conf *c, const struct world *w)
{
	double *fill = calloc((size_t)c->n_sessions + 1, sizeof(*fill)), sum = 0, squares = 0;
	for (int i = 0; i < c->n_sessions; i++) {
		const struct world_session *s = world_session(w, i);
		double f = fmin(1, s->got_wh / s->need_wh);
		j->sessions++;
		j->ready += f >= 0.95;
		j->delivered_wh += s->got_wh;
		j->needed_wh += s->need_wh;
		j->hours += (double)(s->leave_s - s->arrive_s) / 3600;
		j->changes_per_hour += s->changes;
		j->reversals_per_session += s->reversals;
		j->hasty_per_session += s->hasty;
		j->pauses_per_session += s->pauses;
		fill[i] = f;
		sum += f;
		squares += f * f;
	}
	if (j->sessions) {
		qsort(fill, (size_t)c->n_sessions, sizeof(*fill), ascending);
		j->tenth = fill[c->n_sessions / 10];
		j->jain = sum * sum / (j->sessions * squares);
		j->changes_per_hour /= j->hours;
		j->reversals_per_session /= j->sessions;
		j->hasty_per_session /= j->sessions;
		j->pauses_per_session /= j->sessions;
	}
	free(fill);
	kind(j, c, w, false);
	kind(j, c, w, true);
}
