/* What binds is shared when it is a circuit's: its fuse, its power, its phase difference, or a limit somebody has put on it. Then those below
 * it that take current where it binds compete for it: on the phase that is full, or on any, where all lines count together. Of them the one
 * with the most is named, since it is whom one would look at; and those who charge on one phase, since they are why a phase is full while
 * others are not. */
#include "gateway/power/explain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/conf/settings.h"
#include "gateway/manage/view.h"

#define NAMED_MOST 8

struct sharing {
	struct gateway *g;
	int node, phase;              /* phase 0: all */
	int evses, three, waiting;
	int single[NAMED_MOST], n_single;
	int largest;                  /* -1: none */
	int32_t largest_ma;
};

static bool is_below(const struct gateway *g, int node, int top)
{
	const struct circuit_settings *k = &g->conf->circuits[node];
	while (k && k - g->conf->circuits != top)
		k = k->parent;
	return k;
}

/* The circuit of a cap; -1: it is not a circuit's. A limit somebody has put on one names him instead, so the circuit is found by its view. */
static int node_of(const struct gateway *g, const struct cap *cap)
{
	static const char *const shared[] = { "circuit", "grid_power", "imbalance" };
	for (size_t i = 0; i < 3; i++)
		if (strcmp(cap->reason, shared[i]) == 0 && cap->ref)
			return control_find_node(g->control, cap->ref);
	if (strcmp(cap->reason, "grid_operator") == 0 && g->conf->grid)
		return g->conf->grid->circuit ? (int)(g->conf->grid->circuit - g->conf->circuits) : 0;
	for (size_t i = 0; strcmp(cap->reason, "schedule") == 0 && i < g->conf->n_schedules; i++)
		if (cap->ref && strcmp(cap->ref, g->conf->schedules[i].id) == 0)
			return (int)(g->conf->schedules[i].circuit - g->conf->circuits);
	for (size_t i = 0; strcmp(cap->reason, "tariff") == 0 && i < g->conf->n_tariffs; i++)
		if (cap->ref && strcmp(cap->ref, g->conf->tariffs[i].id) == 0)
			return (int)(g->conf->tariffs[i].circuit - g->conf->circuits);
	return -1;
}

/* Who waits is held by the circuit behind it in the chain. */
static const struct cap *what_binds(const struct cap *chain, size_t n)
{
	size_t i = 0;
	while (i + 1 < n && (strcmp(chain[i].reason, "waiting") == 0 || strcmp(chain[i].reason, "ramp") == 0))
		i++;
	return &chain[i];
}

/* How many phases its car uses, as far as it shows, and whether the one asked for is among them. */
static int phases_of(const struct evse_view *v, int phase, bool *on_out)
{
	int used = 0;
	bool draws = false;
	*on_out = false;
	for (int p = 0; p < v->n_lines; p++)
		draws = draws || v->drawn_ma[p] > 1000;
	for (int p = 0; p < v->n_lines; p++) {
		if (draws && v->drawn_ma[p] <= 1000)
			continue;
		used++;
		*on_out = *on_out || !phase || v->lines[p] == phase - 1;
	}
	return used;
}

static void count(struct sharing *s, int evse)
{
	struct evse_view v;
	bool on;
	control_evse_view(s->g->control, evse, &v);
	int used = phases_of(&v, s->phase, &on);
	if (!v.running || !on || !is_below(s->g, v.node, s->node))
		return;
	s->evses++;
	s->waiting += v.waiting;
	s->three += used == 3;
	if (used == 1 && s->n_single < NAMED_MOST)
		s->single[s->n_single++] = evse;
	if (v.grant.ma > s->largest_ma) {
		s->largest_ma = v.grant.ma;
		s->largest = evse;
	}
}

static void write_name(struct gateway *g, struct json_writer *w, const char *key, int evse)
{
	struct evse_view v;
	char name[72];
	control_evse_view(g->control, evse, &v);
	snprintf(name, sizeof(name), v.evse == 1 ? "%s" : "%s/%d", v.station, v.evse);
	jw_string(w, key, name);
}

/* What the circuit carries, and what it still has per phase: for the note that another phase has room. */
static void write_room(struct gateway *g, int node, struct json_writer *w)
{
	struct node_view v;
	control_node_view(g->control, node, &v);
	view_amps(w, "limit_a", v.limit.l);
	jw_array(w, "left_a");
	for (int l = 0; l < 3; l++)
		jw_number(w, NULL, v.limit.l[l] == MA_NONE ? NAN : fmax(0, (v.limit.l[l] - v.planned.l[l]) / 1000.0), 1);
	jw_end(w, ']');
}

static void write_sharing(const struct sharing *s, int evse, struct json_writer *w)
{
	static const char phases[][3] = { "", "L1", "L2", "L3" };
	static const char *const policies[] = { [STRATEGY_FAIR] = "fair", [STRATEGY_PRIORITY] = "priority", [STRATEGY_FIRST_COME] = "first-come",
						[STRATEGY_DEADLINE] = "deadline", [STRATEGY_FAIR_ENERGY] = "fair-energy", [STRATEGY_READY] = "ready" };
	jw_object(w, "sharing");
	jw_string(w, "circuit", s->g->conf->circuits[s->node].id);
	jw_string(w, "phase", s->phase ? phases[s->phase] : NULL);
	jw_string(w, "policy", policies[s->g->conf->balancing.strategy]);
	jw_int(w, "evses", s->evses);
	jw_int(w, "waiting", s->waiting);
	jw_int(w, "three_phase", s->three);
	jw_array(w, "single_phase");
	for (int i = 0; i < s->n_single; i++)
		write_name(s->g, w, NULL, s->single[i]);
	jw_end(w, ']');
	if (s->largest >= 0 && s->largest != evse) {
		write_name(s->g, w, "competitor", s->largest);
		jw_number(w, "competitor_a", s->largest_ma / 1000.0, 1);
	} else {
		jw_null(w, "competitor");
	}
	write_room(s->g, s->node, w);
	jw_end(w, '}');
}

void explain_sharing(struct gateway *g, int evse, struct json_writer *w)
{
	struct cap chain[24];
	size_t n = control_why(g->control, evse, chain, 24);
	const struct cap *binds = n ? what_binds(chain, n) : NULL;
	int node = binds ? node_of(g, binds) : -1;
	if (node < 0) {
		jw_null(w, "sharing");
		return;
	}
	struct sharing s = { .g = g, .node = node, .phase = binds->phase, .largest = -1 };
	for (size_t i = 0; i < control_evses(g->control); i++)
		count(&s, (int)i);
	write_sharing(&s, evse, w);
}
