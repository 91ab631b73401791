/* From looks to events, and from grants to set-points.
 *
 * A socket that its car has left is told to offer nothing: whether it starts the next car by itself with what it was told last is not known,
 * and the newcomer's limit follows within a period.
 *
 * Time is seconds from any start; one second is added, because time zero means "never" inside. */
#include "energy/period.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define SAME 0.051 /* set-points have one decimal */
#define MOST_S 1e11
#define MOST_A 1e6 /* no line carries more: a number above it is no current */

struct point {
	struct period_evse conf;
	char *session;
	bool running, seen, away;  /* away: without a link at the last look */
	bool full;                 /* its car wants no more: nothing wakes it */
	bool woken;                /* by the last orders */
	bool heard;                /* it was seen to go by our last command */
	int32_t sent_ma;           /* last command; -1: none */
	int32_t alone_ma;          /* its fail-safe */
};

struct period {
	struct control *control;
	size_t n_nodes, n_evses;
	struct point *points;
	struct period_order *orders;
	int64_t *meter_at;         /* of the last sample passed on */
	int *caps;
	size_t n_caps;
	int64_t now_us;
	int64_t ahead_us;          /* of the time that comes in, since that was set back or on */
};

static int64_t us(double s)
{
	return (int64_t)llrint((s > MOST_S ? MOST_S : s < -MOST_S ? -MOST_S : s) * US_PER_S);
}

/* What is said to come from the future comes from now. */
static int64_t seen_at(const struct period *p, double age_s)
{
	return p->now_us - us(age_s > 0 ? age_s : 0);
}

static bool currents(const double amps[], int n)
{
	for (int l = 0; l < n; l++)
		if (!(fabs(amps[l]) <= MOST_A))
			return false;
	return true;
}

static int32_t to_ma(double amps)
{
	return amps > MOST_A ? MA_NONE : amps < -MOST_A ? -MA_NONE : (int32_t)lrint(amps * 1000);
}

void period_preset(struct control_conf *conf, double period_s)
{
	conf->strategy = STRATEGY_DEADLINE;
	conf->interval_us = us(period_s);
	conf->increase_after_us = -1;
	conf->rotate_every_us = 1800 * US_PER_S;
	conf->rebalance_us = 600 * US_PER_S;
	conf->margin = true;
	conf->on_meter_lost = LOST_HIGHEST;
	conf->meter_lost_after_us = 3 * US_PER_S;
}

/* The unit's rounding is ours, downwards, but never below the minimum, and never above the maximum: what has one power only gets that. */
static double own_unit(const struct point *p, int32_t ma)
{
	double value = p->conf.amps_per_unit == 1 ? ma / 1000.0 : floor(ma / 1000.0 / p->conf.amps_per_unit * 10 + 1e-6) / 10;
	if (p->conf.max > 0 && value > p->conf.max)
		value = p->conf.max;
	return ma > 0 && value < p->conf.min ? p->conf.min : value;
}

static void on_send(void *arg, int evse, const struct grant *g)
{
	struct period *p = arg;
	struct point *at = &p->points[evse];
	bool wakes = g->wake && !at->full;
	if (g->wake && !wakes && g->ma == at->sent_ma)
		return;
	at->sent_ma = g->ma;
	at->heard = false;
	at->woken = wakes;
	p->orders[evse] = (struct period_order){ true, wakes, own_unit(at, g->ma), g->phases, g->phase, g->binding };
}

struct period *period_open(const struct control_conf *conf, const struct period_evse *evses)
{
	static const struct control_events events = { on_send };
	struct period *p = NEW(struct period);
	p->n_nodes = conf->n_nodes;
	p->n_evses = conf->n_evses;
	p->points = mem_new((conf->n_evses + 1) * sizeof(*p->points));
	p->orders = mem_new((conf->n_evses + 1) * sizeof(*p->orders));
	p->meter_at = mem_new((conf->n_meters + 1) * sizeof(*p->meter_at));
	p->caps = mem_new((conf->n_nodes + 1) * sizeof(*p->caps));
	for (size_t i = 0; i < conf->n_evses; i++)
		p->points[i] = (struct point){ .conf = evses[i], .alone_ma = conf->evses[i].fallback_ma, .sent_ma = -1 };
	p->control = control_open(conf, &events, p);
	return p;
}

void period_close(struct period *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_evses; i++)
		mem_free(p->points[i].session);
	control_close(p->control);
	mem_free(p->points);
	mem_free(p->orders);
	mem_free(p->meter_at);
	mem_free(p->caps);
	mem_free(p);
}

struct control *period_control(struct period *p)
{
	return p->control;
}

#define SET_BACK_US US_PER_S /* what goes by while a clock is set back */
#define SET_ON_US (7 * 86400 * US_PER_S) /* the most that goes by while it is set on */

/* Time only goes on, and by no more than a week at once: where the one that comes in does not, the difference is kept. */
static void go_on(struct period *p, double t_s)
{
	int64_t said_us = us(t_s + 1) + p->ahead_us, now_us = said_us;
	if (said_us < p->now_us)
		now_us = p->now_us + SET_BACK_US;
	else if (p->now_us && said_us > p->now_us + SET_ON_US)
		now_us = p->now_us + SET_ON_US;
	p->ahead_us += now_us - said_us;
	p->now_us = now_us;
}

/* Caps in force now replace those of the look before. */
void period_begin(struct period *p, double t_s)
{
	go_on(p, t_s);
	for (size_t i = 0; i < p->n_caps; i++)
		control_cap_clear(p->control, p->caps[i]);
	p->n_caps = 0;
	for (size_t i = 0; i < p->n_evses; i++) {
		p->points[i].seen = false;
		p->orders[i] = (struct period_order){ 0 };
	}
}

void period_meter(struct period *p, int meter, const double amps[3], double age_s, bool ok)
{
	struct meter_sample s = { .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
	if (!ok || isnan(age_s) || !currents(amps, 3)) {
		control_meter_failed(p->control, meter, "lost");
		return;
	}
	s.at_us = seen_at(p, age_s);
	if (s.at_us <= p->meter_at[meter])
		return; /* the one from last time */
	p->meter_at[meter] = s.at_us;
	for (int l = 0; l < 3; l++)
		s.ma.l[l] = to_ma(amps[l]);
	control_meter(p->control, meter, &s);
}

void period_cap(struct period *p, int node, const struct milliamps *limit)
{
	struct cap_conf cap = { .node = node, .evse = -1, .line = *limit, .power_w = -1, .reason = "grid_operator", .until_us = INT64_MAX };
	int id = p->n_caps < p->n_nodes ? control_cap_put(p->control, 0, &cap) : 0;
	if (id > 0)
		p->caps[p->n_caps++] = id;
}

static void leave(struct period *p, int evse)
{
	struct point *at = &p->points[evse];
	control_evse_tx(p->control, evse, false, p->now_us);
	if (at->sent_ma != 0)
		p->orders[evse] = (struct period_order){ .given = true, .why = { .reason = "ev" } };
	at->sent_ma = 0;
	at->heard = at->running = false;
}

/* Until it hears from us it goes by what its socket is known to have been told, not by what that does when it is left alone. */
static void come(struct period *p, int evse, struct slice session, double set)
{
	struct point *at = &p->points[evse];
	if (set >= 0)
		control_evse_alone(p->control, evse, to_ma(set * at->conf.amps_per_unit));
	control_evse_tx(p->control, evse, true, p->now_us);
	control_evse_alone(p->control, evse, at->alone_ma);
	at->sent_ma = -1;
	at->heard = false;
	at->running = true;
	mem_free(at->session);
	at->session = session.p ? mem_text(session) : NULL;
}

static void run(struct period *p, int evse, bool running, struct slice session, double set)
{
	struct point *at = &p->points[evse];
	bool other = running && at->running && at->session && session.p && !slice_is(session, at->session);
	if (at->running && (!running || other))
		leave(p, evse);
	if (running && !at->running)
		come(p, evse, session, set);
}

static void read_draw(struct period *p, int evse, const struct period_seen *seen)
{
	const struct point *at = &p->points[evse];
	int64_t when = seen_at(p, seen->age_s);
	bool direct = at->conf.amps_per_unit != 1;
	int32_t own[3] = { 0 };
	struct evse_view v;
	control_evse_view(p->control, evse, &v);
	if (isnan(seen->age_s) || !currents(seen->draw, direct ? 1 : v.n_lines) || when <= v.drawn_at_us)
		return;
	for (int l = 0; l < v.n_lines; l++)
		own[l] = to_ma(seen->draw[direct ? 0 : l] * at->conf.amps_per_unit);
	control_evse_draw(p->control, evse, own, seen->wh, when);
}

/* Somebody else has told it something: as if it had been away, it counts with the higher of both until it is seen to go by ours, which is given
 * again. While ours has not been seen yet, another one is only what went before. */
static void overruled(struct period *p, int evse, double set)
{
	struct point *at = &p->points[evse];
	control_evse_link(p->control, evse, false, p->now_us);
	control_evse_link(p->control, evse, true, p->now_us);
	control_evse_before(p->control, evse, to_ma(set * at->conf.amps_per_unit));
	at->heard = false;
}

static void read_set(struct period *p, int evse, double set)
{
	struct point *at = &p->points[evse];
	if (at->sent_ma < 0 || !(set >= 0))
		return;
	if (fabs(set - own_unit(at, at->sent_ma)) < SAME) {
		control_evse_answered(p->control, evse, at->sent_ma, true, p->now_us);
		at->heard = true;
	} else if (at->heard && at->running) {
		overruled(p, evse, set);
	}
}

/* Priorities inside are finer: ten of them double a share. */
static int32_t favour(int steps)
{
	return steps > 100 ? 1000 : steps < -100 ? -1000 : steps * 10;
}

void period_evse(struct period *p, int evse, const struct period_seen *seen)
{
	struct point *at = &p->points[evse];
	at->seen = true;
	control_evse_link(p->control, evse, seen->on, p->now_us);
	double set = at->away ? -1 : seen->set; /* who was alone goes by its fail-safe, whatever its last command was */
	at->away = !seen->on;
	at->heard = at->heard && seen->on;
	if (!seen->on)
		return;
	run(p, evse, seen->state != 'A', seen->session, set);
	at->full = seen->state == 'S';
	read_set(p, evse, seen->set);
	if (at->running) {
		control_evse_state(p->control, evse, seen->state == 'C' ? EVSE_CHARGING : EVSE_SUSPENDED_EV, p->now_us);
		control_evse_favour(p->control, evse, favour(seen->priority));
		control_evse_need(p->control, evse, seen->need_wh, isnan(seen->leave_s) ? 0 : p->now_us + us(seen->leave_s));
	}
	read_draw(p, evse, seen);
	if (at->woken)
		control_evse_woken(p->control, evse, p->now_us);
	at->woken = false;
}

/* A free socket that was alone may still go by its fail-safe, and would start the next car with it. */
static void back(struct period *p, int evse)
{
	if (p->points[evse].away)
		p->orders[evse] = (struct period_order){ .given = true, .why = { .reason = "ev" } };
	p->points[evse].away = false;
}

const struct period_order *period_end(struct period *p)
{
	for (size_t i = 0; i < p->n_evses; i++) {
		if (p->points[i].seen)
			continue;
		control_evse_link(p->control, (int)i, true, p->now_us);
		control_evse_state(p->control, (int)i, EVSE_AVAILABLE, p->now_us);
		run(p, (int)i, false, SLICE(""), -1);
		back(p, (int)i);
	}
	control_tick(p->control, p->now_us);
	return p->orders;
}
