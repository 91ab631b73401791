/* The number of devices may change while we run, so what they keep is added up each time it is asked for. */
#include "gateway/power/grid-conf.h"

#include "gateway/power/below.h"

static const struct circuit_settings *circuit(const struct settings *s)
{
	return s->grid->circuit ? s->grid->circuit : s->circuits;
}

int grid_conf_node(const struct settings *s)
{
	return (int)(circuit(s) - s->circuits);
}

static int64_t sum_of(const struct grid_settings *g, enum grid_other_kind kind)
{
	int64_t watts = 0;
	for (size_t i = 0; i < g->n_others; i++)
		if (g->others[i].kind == kind)
			watts += g->others[i].rated_w;
	return watts;
}

/* Heat pumps together are one device, and so is cooling; whatever else there is is one by itself. What is small is none (2.4.1, 2.4.2). */
static int others(const struct grid_settings *g)
{
	int n = (sum_of(g, GRID_HEAT_PUMP) > GRID_SMALL_W) + (sum_of(g, GRID_COOLING) > GRID_SMALL_W);
	for (size_t i = 0; i < g->n_others; i++)
		n += g->others[i].kind != GRID_HEAT_PUMP && g->others[i].kind != GRID_COOLING && g->others[i].rated_w > GRID_SMALL_W;
	return n;
}

/* Where all are small there is nothing that the rule is about, and nobody may be dimmed to nothing by it. */
int grid_conf_devices(const struct settings *s)
{
	int n = below_above(s, circuit(s), GRID_SMALL_W) + others(s->grid);
	return s->grid->devices ? s->grid->devices : n ? n : below_look(s, circuit(s)).evses;
}

/* Of heat pumps and of cooling, which are not both scaled: the larger, where it is large. */
static int64_t large_w(const struct grid_settings *g)
{
	int64_t heat_w = sum_of(g, GRID_HEAT_PUMP), cool_w = sum_of(g, GRID_COOLING), watts = heat_w > cool_w ? heat_w : cool_w;
	return watts > GRID_LARGE_W ? watts : 0;
}

int64_t grid_conf_keeps_w(const struct settings *s)
{
	return grid_dimmed_w(grid_conf_devices(s), s->grid->dim_to_w, large_w(s->grid));
}

int64_t grid_conf_other_w(const struct grid_other_settings *o)
{
	return o->dimmed_w >= 0 ? o->dimmed_w : o->rated_w;
}

int64_t grid_conf_others_w(const struct settings *s)
{
	int64_t watts = 0;
	for (size_t i = 0; s->grid->counts == GRID_DEVICES && i < s->grid->n_others; i++)
		watts += grid_conf_other_w(&s->grid->others[i]);
	return watts;
}

int64_t grid_conf_rated_w(const struct settings *s)
{
	int64_t watts = below_look(s, circuit(s)).max_w;
	for (size_t i = 0; i < s->grid->n_others; i++)
		watts += s->grid->others[i].rated_w;
	return s->grid->rated_w ? s->grid->rated_w : watts;
}

struct grid_input_conf grid_conf_input(const struct settings *s, const struct grid_input_settings *in)
{
	bool bounces = in->kind == GRID_CONTACT || in->kind == GRID_RIPPLE;
	return (struct grid_input_conf){ in->id, in->priority, in->fail_safe_w >= 0 ? in->fail_safe_w : grid_conf_keeps_w(s),
		bounces ? in->debounce_us : 0, in->stale_after_us, in->hold_us };
}

int64_t grid_conf_contact_w(const struct settings *s, const struct grid_input_settings *in)
{
	return in->limit_w >= 0 ? in->limit_w : grid_conf_keeps_w(s);
}

/* A limit of the CSMS is not told back to it as somebody else's; its fail-safe is the site's own. */
struct cap_conf grid_conf_cap(const struct settings *s, const struct grid_now *now, int64_t others_w)
{
	const struct grid_input_settings *in = &s->grid->inputs[now->input];
	bool csms = now->state == GRID_LIMITED && in->kind == GRID_CSMS;
	int64_t left_w = now->limit_w - others_w;
	return (struct cap_conf){ .node = grid_conf_node(s), .evse = -1, .line = { { MA_NONE, MA_NONE, MA_NONE } }, .power_w = left_w > 0 ? left_w : 0,
		.devices = s->grid->counts == GRID_DEVICES, .reason = csms ? "csms_group" : "grid_operator", .owner = in->id,
		.until_us = INT64_MAX };
}
