/* The power that a limit of the grid operator is about. */
#include <math.h>

#include "base/clock.h"
#include "gateway/power/grid-conf.h"
#include "gateway/power/grid-local.h"

static bool is_below(const struct grid_site *g, int node)
{
	const struct settings *c = g->gw->conf;
	const struct circuit_settings *k = &c->circuits[node];
	while (k && k - c->circuits != g->node)
		k = k->parent;
	return k;
}

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

/* A station that is away, as all are after a restart, has not stopped charging because nothing is heard of it. */
static int32_t unseen_ma(const struct evse_view *v, int phase)
{
	int32_t may = larger(v->counted_ma[phase], v->running ? v->grant.ma : 0);
	return v->drawn_at_us ? larger(may, v->drawn_ma[phase]) : may;
}

int64_t grid_charging_w(const struct grid_site *g, int64_t since_us)
{
	int64_t ma = 0; /* what one feeds back is no answer to a limit of all */
	for (size_t i = 0; i < control_evses(g->gw->control); i++) {
		struct evse_view v;
		control_evse_view(g->gw->control, (int)i, &v);
		for (int p = 0; is_below(g, v.node) && p < v.n_lines; p++)
			ma += v.drawn_at_us && v.drawn_at_us >= since_us ? larger(v.drawn_ma[p], 0) : unseen_ma(&v, p);
	}
	return ma * g->gw->conf->site.voltage_v / 1000;
}

int64_t grid_circuit_w(const struct grid_site *g)
{
	struct node_view v;
	control_node_view(g->gw->control, g->node, &v);
	return isnan(v.power_w) ? -1 : v.power_w > 0 ? (int64_t)v.power_w : 0;
}

static bool look_at_meter(const struct grid_site *g, const char *id, struct meter_view *out)
{
	int meter = control_find_meter(g->gw->control, id);
	if (meter < 0)
		return false;
	control_meter_view(g->gw->control, meter, clock_mono_us(), out);
	return out->last.at_us && !out->stale;
}

/* What storage feeds is no reason to take more elsewhere. */
static int64_t other_w(const struct grid_site *g, const struct grid_other_settings *o)
{
	struct meter_view v;
	if (!o->meter || !look_at_meter(g, o->meter->id, &v) || isnan(v.last.power_w))
		return grid_conf_other_w(o);
	return v.last.power_w > 0 ? (int64_t)v.last.power_w : 0;
}

int64_t grid_others_w(const struct grid_site *g)
{
	const struct grid_settings *conf = g->gw->conf->grid;
	int64_t watts = 0;
	for (size_t i = 0; conf->counts == GRID_DEVICES && i < conf->n_others; i++)
		watts += other_w(g, &conf->others[i]);
	return watts;
}
