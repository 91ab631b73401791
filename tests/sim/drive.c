/* Two ways into the same balancer. The direct one is for speed: thousands of days. */
#include "tests/sim/drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "energy/period.h"

/* By calls. */

#define US_OF_START INT64_C(1000000) /* inside, time begins at one second */

struct direct {
	const struct world_conf *conf;
	struct period *period;
	int meter[WORLD_NODES];
};

static struct milliamps milli(const double a[3])
{
	return (struct milliamps){ { (int32_t)(a[0] * 1000), (int32_t)(a[1] * 1000), (int32_t)(a[2] * 1000) } };
}

static void describe_evse(const struct world_conf *c, int i, struct evse_conf *e, struct period_evse *own)
{
	const struct world_evse *from = &c->evses[i];
	double unit = from->dc ? c->amps_per_kw : 1;
	*own = (struct period_evse){ unit, from->min, from->max };
	*e = (struct evse_conf){ .id = from->id, .station = from->id, .evse = 1, .node = from->node, .n_lines = (uint8_t)from->n_lines,
				 .min_ma = (int32_t)ceil(from->min * unit * 10) * 100, .max_ma = (int32_t)(from->max * unit * 1000),
				 .fallback_ma = (int32_t)(from->failsafe * unit * 1000), .fallback_after_us = from->failsafe_after_s * INT64_C(1000000),
				 .switch_after_us = from->switch_after_s * INT64_C(1000000) };
	for (int p = 0; p < from->n_lines; p++)
		e->lines[p] = (uint8_t)from->lines[p];
}

void *drive_open(const struct world_conf *c, const struct control_conf *like)
{
	static struct node_conf nodes[WORLD_NODES];
	static struct meter_conf meters[WORLD_NODES];
	static struct evse_conf evses[WORLD_EVSES];
	static struct period_evse own[WORLD_EVSES];
	struct direct *d = calloc(1, sizeof(*d));
	struct control_conf conf = *like;
	conf.nodes = nodes;
	conf.n_nodes = (size_t)c->n_nodes;
	conf.meters = meters;
	conf.n_meters = 0;
	conf.evses = evses;
	conf.n_evses = (size_t)c->n_evses;
	d->conf = c;
	for (int n = 0; n < c->n_nodes; n++) {
		const struct world_node *from = &c->nodes[n];
		nodes[n] = (struct node_conf){ .id = from->id, .parent = from->parent, .limit = milli(from->limit_a), .meter = -1,
					       .power_w = (int64_t)from->power_w, .window_us = from->window_s * INT64_C(1000000), .imbalance_ma = (int32_t)(from->imbalance_a * 1000) };
		if (!from->metered)
			continue;
		d->meter[n] = nodes[n].meter = (int)conf.n_meters;
		meters[conf.n_meters++] = (struct meter_conf){ from->id, (int64_t)(fmax(3, 2 * c->period_s) * 1e6) };
	}
	for (int i = 0; i < c->n_evses; i++)
		describe_evse(c, i, &evses[i], &own[i]);
	d->period = period_open(&conf, own);
	control_wall(period_control(d->period), -US_OF_START, true); /* where a window begins */
	for (int i = 0; i < c->n_evses; i++)
		if (c->evses[i].any_phase)
			control_evse_single(period_control(d->period), i, SINGLE_ANY);
	return d;
}

static void *open_by(const struct world_conf *c, enum strategy strategy)
{
	struct control_conf conf = { 0 };
	period_preset(&conf, c->period_s);
	conf.strategy = strategy;
	return drive_open(c, &conf);
}

static void *open_direct(const struct world_conf *c)
{
	return open_by(c, STRATEGY_DEADLINE);
}

static void *open_energy(const struct world_conf *c)
{
	return open_by(c, STRATEGY_FAIR_ENERGY);
}

static void *open_ready(const struct world_conf *c)
{
	return open_by(c, STRATEGY_READY);
}

static void show(struct direct *d, const struct seen *s, int i)
{
	char name[24];
	const struct seen_evse *e = &s->evses[i];
	snprintf(name, sizeof(name), "s%d", e->session);
	struct period_seen look = { .on = e->on, .set = e->set, .age_s = e->age, .state = e->st ? e->st : 'A', .session = slice_of(name), .wh = e->wh,
				    .need_wh = e->need_wh, .leave_s = e->t_dep - (double)s->t, .draw = { e->i[0], e->i[1], e->i[2] } };
	period_evse(d->period, i, &look);
}

static void step_direct(void *state, const struct seen *s, struct order *orders)
{
	struct direct *d = state;
	period_begin(d->period, (double)s->t);
	for (int n = 0; n < d->conf->n_nodes; n++)
		if (s->capped[n]) {
			struct milliamps cap = milli(s->cap_a[n]);
			period_cap(d->period, n, &cap);
		}
	for (int i = 0; i < d->conf->n_evses; i++)
		if (s->evses[i].listed)
			show(d, s, i);
	for (int n = 0; n < d->conf->n_nodes; n++)
		if (s->meters[n].there)
			period_meter(d->period, d->meter[n], s->meters[n].i, s->meters[n].age, s->meters[n].ok);
	const struct period_order *got = period_end(d->period);
	for (int i = 0; i < d->conf->n_evses; i++)
		orders[i] = (struct order){ got[i].given, got[i].wake, got[i].set, got[i].phases, got[i].phase };
}

static void close_direct(void *state)
{
	struct direct *d = state;
	period_close(d->period);
	free(d);
}

struct control *drive_control(void *state)
{
	return period_control(((struct direct *)state)->period);
}

const struct driver drive_direct = { "ampgate", open_direct, step_direct, close_direct };
const struct driver drive_ready = { "ampgate ready", open_ready, step_direct, close_direct };
const struct driver drive_energy = { "ampgate fair-energy", open_energy, step_direct, close_direct };
