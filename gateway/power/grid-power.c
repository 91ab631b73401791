/* The power that a limit of the grid operator is about. */
#include <math.h>

#include "gateway/power/grid-local.h"

static bool is_below(const struct grid_site *g, int node)
{
	const struct settings *c = g->gw->conf;
	const struct circuit_settings *k = &c->circuits[node];
	while (k && k - c->circuits != g->node)
		k = k->parent;
	return k;
}

int64_t grid_charging_w(const struct grid_site *g, int64_t since_us)
{
	int64_t ma = 0; /* what one feeds back is no answer to a limit of all */
	for (size_t i = 0; i < control_evses(g->gw->control); i++) {
		struct evse_view v;
		control_evse_view(g->gw->control, (int)i, &v);
		bool told = v.drawn_at_us && v.drawn_at_us >= since_us;
		for (int p = 0; is_below(g, v.node) && p < v.n_lines; p++) {
			int32_t drawn = v.drawn_at_us && v.drawn_ma[p] > 0 ? v.drawn_ma[p] : 0;
			ma += told || !v.running || drawn > v.grant.ma ? drawn : v.grant.ma;
		}
	}
	return ma * g->gw->conf->site.voltage_v / 1000;
}

int64_t grid_circuit_w(const struct grid_site *g)
{
	struct node_view v;
	control_node_view(g->gw->control, g->node, &v);
	return isnan(v.power_w) ? -1 : (int64_t)v.power_w;
}
