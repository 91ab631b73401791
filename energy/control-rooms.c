/* How much every node leaves for EVSEs, before any of them is looked at: per line by fuse and caps, for all lines together by the contract's
 * power and by power caps, and for uneven loads by the phase difference that is allowed.
 *
 *   line     limit - reserve - base load, the highest of the last 45 s; generation never makes it larger
 *   sum      power allowed by the window, or by a cap - net base load, generation counted
 *   uneven   what the least loaded line carries + the difference allowed - what this line carries, cars on three lines not counted, because
 *            they add the same to all of them
 *
 * Everything is milliamperes, power at the node's voltage: cars draw with the current in phase, and where a building does not, watts of its
 * meter are taken for a limit in watts and currents for one in volt-amperes.
 *
 * Easy to get wrong: the room for uneven loads rises when the least loaded line does, and that is measured, never planned: two single-phase
 * cars on two lines each wait for a third one that may never come otherwise. So a site climbs in steps of the difference allowed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "energy/control-local.h"


int32_t rooms_voltage(const struct control *c, const struct junction *n)
{
	double sum = 0;
	int known = 0;
	for (int l = 0; n->meter && n->guard != METER_LOST && l < 3; l++) {
		double v = n->meter->last.voltage_v[l];
		if (v > 50 && v < 600) {
			sum += v;
			known++;
		}
	}
	return known ? (int32_t)lrint(sum * 1000 / known) : c->conf.voltage_mv ? c->conf.voltage_mv : 230000;
}

static int64_t to_ma(int64_t watts, int32_t millivolts)
{
	return watts * 1000000 / millivolts;
}

static int64_t to_watts(int64_t ma, int32_t millivolts)
{
	return ma * millivolts / 1000000;
}

static bool living(const struct control *c, const struct meter *m)
{
	return m->last.at_us && meter_lost_for(m, 0, c->now_us) == 0;
}

void rooms_feed(struct control *c, struct junction *n, const struct meter_sample *s, const int64_t low[3], const int64_t high[3])
{
	int32_t mv = rooms_voltage(c, n);
	int64_t sum = (int64_t)s->ma.l[0] + s->ma.l[1] + s->ma.l[2];
	if (!n->conf->apparent && !isnan(s->power_w) && fabs(s->power_w) < 1e9)
		sum = to_ma((int64_t)s->power_w, mv);
	net_feed(&n->net, sum, low[0] + low[1] + low[2], high[0] + high[1] + high[2], s->at_us);
	window_feed(&n->window, to_watts(sum, mv), s->at_us, &c->wall);
}

/* Base loads. */

/* What is not ours at a node without a meter. */
static void add_fixture(const struct control *c, struct junction *n, const struct fixture_conf *f)
{
	const struct meter *own = f->meter >= 0 ? &c->meters[f->meter] : NULL;
	bool known = own && living(c, own);
	for (int l = 0; l < 3; l++) {
		int32_t ma = known ? own->last.ma.l[l] : f->estimate.l[l];
		n->base[l] += ma < 0 && !f->firm ? 0 : ma;
		n->base_sum += ma;
	}
}

/* At a node whose meter sees it: what is fed in is planned without, and while that meter is lost the estimate counts. */
static void correct_for(const struct control *c, struct junction *n, const struct fixture_conf *f)
{
	const struct meter *own = f->meter >= 0 ? &c->meters[f->meter] : NULL;
	for (int l = 0; l < 3; l++) {
		if (own && !f->firm && living(c, own) && own->last.ma.l[l] < 0)
			n->base[l] -= own->last.ma.l[l];
		if (n->guard == METER_LOST && n->base[l] < f->estimate.l[l])
			n->base[l] = f->estimate.l[l];
	}
}

static void take_meter(struct junction *n)
{
	for (int l = 0; l < 3; l++)
		n->base[l] = n->guard == METER_LOST ? load_highest(&n->load, l) : load_held(&n->load, l);
	n->base_sum = n->guard == METER_LOST ? n->base[0] + n->base[1] + n->base[2] : net_held(&n->net);
}

void rooms_base(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_nodes; i++) {
		memset(c->nodes[i].base, 0, sizeof(c->nodes[i].base));
		c->nodes[i].base_sum = 0;
	}
	for (size_t i = c->site.parts.n_nodes; i-- > 0;) {
		struct junction *n = &c->nodes[i];
		if (n->meter)
			take_meter(n);
		for (size_t k = 0; k < c->site.parts.n_fixtures; k++)
			if (n->meter && site_below(&c->site.parts, c->site.fixtures[k].node, (int)i))
				correct_for(c, n, &c->site.fixtures[k]);
			else if (!n->meter && c->site.fixtures[k].node == (int)i)
				add_fixture(c, n, &c->site.fixtures[k]);
		if (n->conf->parent < 0)
			continue;
		struct junction *above = &c->nodes[n->conf->parent];
		for (int l = 0; l < 3; l++)
			above->base[l] += n->base[l];
		above->base_sum += n->base_sum;
	}
}

/* Rooms. */

int32_t rooms_margin(const struct control *c, const struct junction *n, int l)
{
	return c->conf.margin && n->meter && n->limit[l] != MA_NONE ? margin_ma(&n->margin, l, n->limit[l]) : 0;
}

static void make_lines(const struct control *c, struct junction *n)
{
	for (int l = 0; l < 3; l++)
		n->room[l] = n->limit[l] == MA_NONE ? NO_BOUND : (int64_t)n->limit[l] - n->conf->reserve.l[l] - n->base[l] - rooms_margin(c, n, l);
}

/* What the EVSEs below draw by what is known, per line; `uneven`: only those that do not load all three. */
static void drawn_below(const struct control *c, const struct junction *n, bool uneven, int64_t out[3])
{
	int node = (int)(n - c->nodes);
	memset(out, 0, 3 * sizeof(*out));
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (!site_below(&c->site.parts, s->conf->node, node) || (uneven && control_lines(s) == 7))
			continue;
		for (int p = 0; p < s->conf->n_lines; p++) {
			int32_t low, high;
			control_range(s, p, c->now_us, &low, &high);
			out[s->conf->lines[p]] += uneven ? low : high;
		}
	}
}

/* A node without a meter is believed to draw what its parts do at most. */
static void make_power(struct control *c, struct junction *n)
{
	int32_t mv = rooms_voltage(c, n);
	int64_t drawn[3];
	if (!n->conf->power_w)
		return;
	if (!n->meter) {
		drawn_below(c, n, false, drawn);
		window_feed(&n->window, to_watts(n->base_sum + drawn[0] + drawn[1] + drawn[2], mv), c->now_us, &c->wall);
	}
	bool lost = n->meter && n->guard == METER_LOST;
	int64_t allowed = window_allowed(&n->window, c->now_us, &c->wall, lost);
	n->room[ALLOC_SUM] = to_ma(allowed, mv) - n->base_sum;
	n->bears = to_ma(window_bears(&n->window, c->now_us, &c->wall, lost), mv);
	n->passes = allowed > n->window.limit_w ? to_ma(allowed - n->window.limit_w, mv) : 0;
}

/* Where a battery at or below the node charges and yields, that is free for cars; where it discharges and may not feed cars, it is not. */
static int64_t battery_share(const struct control *c, const struct junction *n)
{
	int64_t ma = 0;
	for (size_t i = 0; i < c->site.parts.n_fixtures; i++) {
		const struct fixture_conf *f = &c->site.fixtures[i];
		if (f->kind != FIXTURE_BATTERY || f->meter < 0 || !site_below(&c->site.parts, f->node, (int)(n - c->nodes)) ||
		    !living(c, &c->meters[f->meter]))
			continue;
		const int32_t *l = c->meters[f->meter].last.ma.l;
		int64_t sum = (int64_t)l[0] + l[1] + l[2];
		if (sum > 0 ? f->yields : !f->feeds_cars)
			ma += sum;
	}
	return ma;
}

static void apply_power_cap(struct control *c, const struct told_cap *cap)
{
	struct junction *n = &c->nodes[cap->node];
	int64_t ma = to_ma(cap->power_w, rooms_voltage(c, n));
	if (cap->devices)
		ma += n->base_sum < 0 ? -n->base_sum : 0; /* own generation comes on top */
	else
		ma -= n->base_sum;
	if (cap->surplus)
		ma += battery_share(c, n);
	if (ma >= n->room[ALLOC_SUM])
		return;
	n->passes = n->passes > n->room[ALLOC_SUM] - ma ? n->passes - (n->room[ALLOC_SUM] - ma) : 0;
	n->bears = 0;
	n->room[ALLOC_SUM] = ma;
	n->cap[ALLOC_SUM] = cap;
}

static void apply_line_cap(struct control *c, const struct told_cap *cap)
{
	struct junction *n = &c->nodes[cap->node];
	for (int l = 0; l < 3; l++) {
		if (cap->line[l] == MA_NONE || cap->line[l] >= n->room[l])
			continue;
		n->room[l] = cap->line[l];
		n->cap[l] = cap;
	}
}

/* A phase difference is a matter of minutes, and a meter's last digits must not move cars each second: the room falls when it has to, then a
 * little below, and rises when there is clearly more. */
#define UNEVEN_BELOW_MA 1500
#define UNEVEN_MORE_MA 4000

static int64_t steady(int64_t *held, int64_t exact)
{
	if (exact > *held + UNEVEN_MORE_MA)
		*held = exact;
	else if (exact < *held)
		*held = exact - UNEVEN_BELOW_MA;
	return *held < exact ? *held : exact;
}

static void make_uneven(const struct control *c, struct junction *n)
{
	int64_t drawn[3], least = INT64_MAX;
	if (!n->conf->imbalance_ma)
		return;
	drawn_below(c, n, true, drawn);
	for (int l = 0; l < 3; l++) {
		int64_t base = n->meter && n->guard != METER_LOST ? n->load.now[l] : n->base[l];
		if (n->limit[l] && base + drawn[l] < least)
			least = base + drawn[l];
	}
	for (int l = 0; l < 3; l++)
		n->room[ALLOC_UNEVEN + l] = steady(&n->uneven[l], least + n->conf->imbalance_ma - n->base[l]);
}

#define ORDER_MA 1000
#define ORDER_W 230

static void ease_below(struct control *c, const struct junction *n)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		if (site_below(&c->site.parts, c->seats[i].conf->node, (int)(n - c->nodes)))
			c->seats[i].eased_us = c->now_us;
}

/* Somebody limits the site otherwise: shares are made even at once, not when it would be time to. */
static void note_orders(struct control *c, struct junction *n)
{
	for (int r = 0; r <= ALLOC_SUM; r++) {
		const struct told_cap *cap = n->cap[r];
		int64_t order = !cap ? NO_BOUND : r == ALLOC_SUM ? cap->power_w : cap->line[r];
		if (llabs(order - n->order[r]) >= (r == ALLOC_SUM ? ORDER_W : ORDER_MA)) {
			c->pace.changed_us = c->now_us;
			c->pace.ordered = true;
			c->pace.uneven = c->pace.uneven || !c->policy->by_need;
			if (order > n->order[r])
				ease_below(c, n);
		}
		n->order[r] = order;
	}
}

void rooms_make(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_nodes; i++) {
		struct junction *n = &c->nodes[i];
		for (int r = ALLOC_SUM; r < ALLOC_ROOMS; r++)
			n->room[r] = NO_BOUND;
		n->bears = n->passes = 0;
		make_lines(c, n);
		make_power(c, n);
		make_uneven(c, n);
	}
	for (size_t i = 0; i < c->caps_end; i++)
		if (c->caps[i].id && c->caps[i].node >= 0 && c->caps[i].power_w >= 0)
			apply_power_cap(c, &c->caps[i]);
	for (size_t i = 0; i < c->caps_end; i++)
		if (c->caps[i].id && c->caps[i].node >= 0 && c->caps[i].devices)
			apply_line_cap(c, &c->caps[i]);
	c->pace.ordered = false;
	for (size_t i = 0; i < c->site.parts.n_nodes; i++)
		note_orders(c, &c->nodes[i]);
}
