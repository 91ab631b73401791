/* Time goes on in the copy from the last tick, second by second. Each second every metered node's meter shows its base load of that moment
 * plus what the cars in the copy take, so that the copy learns of its own orders as the real one does. A meter that is lost stays lost. */
#include "energy/plan.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "energy/control-local.h"
#include "energy/record.h"

struct imagined {
	struct control *c;
	int32_t *told;           /* per EVSE; -1: nothing yet */
	int32_t (*base)[3];      /* per node */
	bool *alive;             /* its meter */
	int64_t now_us;
};

static void on_send(void *arg, int evse, const struct grant *g)
{
	struct imagined *im = arg;
	im->told[evse] = g->ma;
}

/* --- the changes --- */

/* Another limit of a node is another configuration. */
static void change_limit(struct control *c, int node, int32_t ma)
{
	struct node_conf *nodes = mem_new(c->conf.n_nodes * sizeof(*nodes));
	struct control_conf conf = c->conf;
	memcpy(nodes, conf.nodes, conf.n_nodes * sizeof(*nodes));
	for (int l = 0; l < 3; l++) {
		if (nodes[node].limit.l[l])
			nodes[node].limit.l[l] = ma;
		if (nodes[node].reserve.l[l] > ma)
			nodes[node].reserve.l[l] = ma;
	}
	conf.nodes = nodes;
	control_change(c, &conf);
	mem_free(nodes);
}

static void apply(struct imagined *im, const struct plan_change *p)
{
	struct cap_conf cap = { .node = p->node, .evse = p->evse, .line = { { MA_NONE, MA_NONE, MA_NONE } }, .power_w = -1, .reason = "operator",
				.owner = "plan", .until_us = INT64_MAX };
	switch (p->kind) {
	case PLAN_LIMIT:
		if (p->node >= 0) {
			change_limit(im->c, p->node, p->ma);
			return;
		}
		cap.line.l[0] = p->ma;
		control_cap_put(im->c, 0, &cap);
		return;
	case PLAN_POWER:
		cap.power_w = p->power_w;
		control_cap_put(im->c, 0, &cap);
		return;
	case PLAN_ARRIVE:
		control_evse_link(im->c, p->evse, true, im->now_us);
		control_evse_tx(im->c, p->evse, true, im->now_us);
		control_evse_state(im->c, p->evse, EVSE_CHARGING, im->now_us);
		return;
	case PLAN_LEAVE:
		control_evse_state(im->c, p->evse, EVSE_AVAILABLE, im->now_us);
		control_evse_tx(im->c, p->evse, false, im->now_us);
		return;
	}
}

/* --- a second --- */

static int32_t draw_of(const struct imagined *im, size_t i)
{
	const struct seat *s = &im->c->seats[i];
	int32_t may = im->told[i], most = s->car.want_ma < s->conf->max_ma ? s->car.want_ma : s->conf->max_ma;
	if (!control_runs(s) || !s->online || may < s->conf->min_ma)
		return 0;
	return may < most ? may : most;
}

static void feed_meters(struct imagined *im)
{
	struct control *c = im->c;
	for (size_t n = 0; n < c->site.parts.n_nodes; n++) {
		struct meter_sample s = { .at_us = im->now_us, .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
		if (!im->alive[n])
			continue;
		memcpy(s.ma.l, im->base[n], sizeof(s.ma.l));
		for (size_t i = 0; i < c->site.parts.n_evses; i++) {
			const struct seat *seat = &c->seats[i];
			uint8_t own = car_phases(&seat->car);
			for (int p = 0; site_below(&c->site.parts, seat->conf->node, (int)n) && p < seat->conf->n_lines; p++)
				if (own & (1u << p))
					s.ma.l[seat->conf->lines[p]] += draw_of(im, i);
		}
		s.ma.l[2] += (im->now_us / US_PER_S) & 1; /* a living meter's last digit moves */
		control_meter(c, c->site.nodes[n].meter, &s);
	}
}

static void report_draws(struct imagined *im)
{
	for (size_t i = 0; i < im->c->site.parts.n_evses; i++) {
		const struct seat *s = &im->c->seats[i];
		uint8_t own = car_phases(&s->car);
		int32_t ma = draw_of(im, i), draws[3];
		if (!s->online || !control_runs(s))
			continue;
		for (int p = 0; p < 3; p++)
			draws[p] = own & (1u << p) ? ma : 0;
		if (im->told[i] >= 0)
			control_evse_answered(im->c, (int)i, im->told[i], true, im->now_us);
		control_evse_draw(im->c, (int)i, draws, NAN, im->now_us);
	}
}

static void second(struct imagined *im)
{
	im->now_us += US_PER_S;
	report_draws(im);
	feed_meters(im);
	control_tick(im->c, im->now_us);
}

static void imagine(struct imagined *im, const struct control *c)
{
	static const struct control_events events = { on_send };
	size_t evses = c->site.parts.n_evses, nodes = c->site.parts.n_nodes;
	im->told = mem_new((evses + 1) * sizeof(*im->told));
	im->base = mem_new((nodes + 1) * sizeof(*im->base));
	im->alive = mem_new(nodes + 1);
	im->now_us = c->now_us;
	for (size_t i = 0; i < evses; i++)
		im->told[i] = c->seats[i].car.told_ma;
	for (size_t n = 0; n < nodes; n++) {
		im->alive[n] = c->nodes[n].meter && c->nodes[n].guard == METER_FRESH;
		memcpy(im->base[n], c->nodes[n].load.now, sizeof(im->base[n]));
	}
	im->c = control_copy(c, &events, im);
}

void plan_run(const struct control *c, const struct plan_change *changes, size_t n, int seconds, void (*look)(void *arg, const struct control *then),
	      void *arg)
{
	struct imagined im;
	imagine(&im, c);
	for (size_t i = 0; i < n; i++)
		apply(&im, &changes[i]);
	for (int s = 0; s < seconds; s++)
		second(&im);
	look(arg, im.c);
	control_close(im.c);
	mem_free(im.told);
	mem_free(im.base);
	mem_free(im.alive);
}
