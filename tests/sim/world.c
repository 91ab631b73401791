/* The simulated second: people come and go, the building switches, links and meters fail and return, commands arrive, cars follow.
 *
 * The weather (building, caps, faults) has its own dice and does not depend on what cars are offered: an optimum with foresight and every
 * driver see the same. */
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

struct outlet {                   /* a socket */
	int session;              /* -1: free */
	double late[WORLD_LATE];  /* the command that takes effect in a second; -1: none */
	bool late_wake[WORLD_LATE];
	int late_phases[WORLD_LATE], phases; /* 0: all */
	int late_phase[WORLD_LATE], alone;   /* with one: which, from 0 */
	int to_phases, to_alone;             /* where it changes over to */
	int64_t changes_s;                   /* when; 0: does not */
	double offer;             /* in force */
	double set;               /* last command; -1: none yet */
	bool linked, asleep, deaf, was_paused;
	int64_t unlinked_s, relink_s, deaf_until_s;
	int64_t reported_s;
	struct seen_evse last;    /* as reported */
};

struct gauge {                    /* a meter */
	int64_t lost_until_s, frozen_until_s;
	int64_t stiff_until_s, dead_until_s;
	double stiff[3];          /* what it said when it became so */
	int dead;                 /* line */
	int64_t bad_s;            /* last second with a fault */
	double last[3];
	int64_t last_s;
};

struct world {
	struct world_conf conf;
	struct world_session *sessions;
	struct dice weather, cars, lies;
	int64_t now;
	int next;                 /* session that arrives next */
	struct outlet outlets[WORLD_EVSES];
	struct gauge gauges[WORLD_NODES];
	double amps[WORLD_NODES][3], told[WORLD_NODES][3];
	double base[3], wander[3], step[3];
	int64_t step_until_s[3], next_step_s[3];
	int64_t cap_from_s, cap_until_s;
	double cap_share;
	int cap_node;
	struct world_changes changes;
	struct seen seen;
};

struct world *world_open(const struct world_conf *conf)
{
	struct world *w = calloc(1, sizeof(*w));
	w->conf = *conf;
	w->sessions = calloc((size_t)conf->n_sessions + 1, sizeof(*w->sessions));
	memcpy(w->sessions, conf->sessions, (size_t)conf->n_sessions * sizeof(*w->sessions));
	w->weather.state = conf->seed * 2654435761u + 1;
	w->cars.state = conf->seed * 40503u + 2;
	w->lies.state = conf->seed * 69069u + 3;
	w->now = conf->begin_s - 1;
	for (int i = 0; i < conf->n_sessions; i++)
		w->sessions[i].last_set = -1;
	for (int i = 0; i < conf->n_evses; i++) {
		struct outlet *o = &w->outlets[i];
		o->session = -1;
		o->set = -1;
		o->linked = true;
		o->offer = conf->evses[i].failsafe;
		o->relink_s = INT64_MAX;
		for (int k = 0; k < WORLD_LATE; k++)
			o->late[k] = -1;
	}
	for (int l = 0; l < 3; l++)
		w->next_step_s[l] = conf->begin_s + (int64_t)dice_wait(&w->weather, 3600 / (conf->rules.steps_per_hour + 1e-9));
	w->cap_from_s = conf->rules.caps_per_day > 0 ? conf->begin_s + (int64_t)dice_wait(&w->weather, 86400 / conf->rules.caps_per_day) : INT64_MAX;
	w->cap_until_s = -1;
	return w;
}

void world_close(struct world *w)
{
	free(w->sessions);
	free(w);
}

/* The building: a daily curve, a wander, loads that are switched. */

static void building(struct world *w)
{
	const struct world_rules *r = &w->conf.rules;
	double day = -cos((double)(w->now % 86400 - 4 * 3600) / 86400 * 2 * M_PI);
	for (int l = 0; l < 3; l++) {
		double limit = w->conf.nodes[0].limit_a[l], mean = r->base_share * limit * (1 + r->base_swing * day);
		w->wander[l] += -w->wander[l] / 600 + dice_normal(&w->weather) * r->wander * limit;
		if (w->now >= w->step_until_s[l])
			w->step[l] = 0;
		if (w->now >= w->next_step_s[l]) {
			w->step[l] = limit * r->step_share * dice_between(&w->weather, 0.2, 1);
			w->step_until_s[l] = w->now + 20 + (int64_t)dice_wait(&w->weather, r->step_mean_s > 0 ? r->step_mean_s : 400);
			w->next_step_s[l] = w->now + 1 + (int64_t)dice_wait(&w->weather, 3600 / (r->steps_per_hour + 1e-9));
		}
		w->base[l] = fmax(0, mean + w->wander[l] + w->step[l]);
	}
}

static void operator(struct world *w)
{
	const struct world_rules *r = &w->conf.rules;
	if (w->now < w->cap_from_s)
		return;
	w->cap_share = dice_between(&w->weather, r->cap_least, r->cap_most);
	w->cap_node = r->caps_anywhere ? (int)dice_below(&w->weather, (uint32_t)w->conf.n_nodes) : 0;
	w->cap_until_s = w->cap_from_s + 900 + dice_below(&w->weather, 6300);
	w->cap_from_s = w->cap_until_s + (int64_t)dice_wait(&w->weather, 86400 / r->caps_per_day);
}

/* Cars. */

static void take_in(struct world *w, int i)
{
	struct world_session *s = &w->sessions[i];
	struct outlet *o = &w->outlets[s->evse];
	const struct world_evse *e = &w->conf.evses[s->evse];
	o->session = i;
	o->asleep = o->deaf = o->was_paused = false;
	o->phases = o->alone = 0;
	o->changes_s = 0;
	o->deaf_until_s = 0;
	if (w->conf.rules.start_set == 0)
		o->offer = o->set = 0;
	else if (w->conf.rules.start_set == 1)
		o->offer = o->set = e->failsafe;
	if (o->set < 0)
		o->offer = o->set = 0;
	if (!o->linked && w->now - o->unlinked_s >= e->failsafe_after_s)
		o->offer = e->failsafe;
	o->reported_s = -1000;
}

static void people(struct world *w)
{
	for (int i = 0; i < w->conf.n_evses; i++) {
		struct outlet *o = &w->outlets[i];
		if (o->session >= 0 && w->now >= w->sessions[o->session].leave_s)
			o->session = -1;
	}
	while (w->next < w->conf.n_sessions && w->sessions[w->next].arrive_s <= w->now)
		take_in(w, w->next++);
}

static void lose_link(struct world *w, struct outlet *o, struct dice *d)
{
	o->linked = false;
	o->unlinked_s = w->now;
	o->relink_s = w->now + 20 + dice_below(d, 880);
}

static void links(struct world *w)
{
	double p = w->conf.rules.link_losses_per_day / 86400;
	for (int i = 0; i < w->conf.n_evses; i++) {
		struct outlet *o = &w->outlets[i];
		bool lost = p > 0 && dice_chance(&w->weather, p);
		if (o->linked && lost) {
			lose_link(w, o, &w->weather);
		} else if (!o->linked && w->now >= o->relink_s) {
			o->linked = true;
			if (w->conf.rules.returns_set && o->set >= 0)
				o->offer = o->set;
		}
		if (!o->linked && w->now - o->unlinked_s == w->conf.evses[i].failsafe_after_s)
			o->offer = w->conf.evses[i].failsafe;
	}
}

static void change_over(struct world *w, struct outlet *o)
{
	o->phases = o->to_phases;
	o->alone = o->to_alone;
	o->changes_s = 0;
	w->changes.made += o->session >= 0;
}

/* True: it has heard for how many phases its new limit is. */
static bool hears_phases(struct world *w, int i, int phases, int alone)
{
	struct outlet *o = &w->outlets[i];
	const struct world_evse *e = &w->conf.evses[i];
	double amid = w->conf.rules.lost_amid;
	o->to_phases = phases == 1 && e->switch_after_s ? 1 : 0;
	o->to_alone = alone && e->any_phase ? alone - 1 : 0;
	if (o->to_phases == o->phases && (!o->phases || o->to_alone == o->alone)) {
		o->changes_s = 0;
		return true;
	}
	bool lost = o->linked && o->session >= 0 && amid > 0 && dice_chance(&w->cars, amid), before = lost && dice_chance(&w->cars, 0.5);
	if (lost) {
		lose_link(w, o, &w->cars);
		w->changes.unlinked++;
	}
	if (before)
		return false;
	if (e->switch_deaf > 0 && dice_chance(&w->cars, e->switch_deaf)) {
		w->changes.ignored++;
	} else if (e->switch_slow_s) {
		w->changes.late += !o->changes_s;
		o->changes_s = o->changes_s ? o->changes_s : w->now + e->switch_slow_s;
	} else {
		change_over(w, o);
	}
	return true;
}

static void arrive(struct world *w, int i)
{
	struct outlet *o = &w->outlets[i];
	int k = (int)(w->now % WORLD_LATE);
	double to = o->late[k];
	bool wake = o->late_wake[k];
	o->late[k] = -1;
	o->late_wake[k] = false;
	if (o->changes_s && w->now >= o->changes_s)
		change_over(w, o);
	if (to < 0 || !hears_phases(w, i, o->late_phases[k], o->late_phase[k]))
		return;
	struct world_session *s = o->session >= 0 ? &w->sessions[o->session] : NULL;
	if (s && s->ignores && !o->deaf && to < o->offer && to > 0) {
		o->deaf = true; /* this one it does not follow; the next it does */
		return;
	}
	if (s && to <= 0 && o->offer > 0 && s->got_wh > 0)
		o->was_paused = true;
	if (s && s->sleeper && o->was_paused && to > 0 && o->offer <= 0)
		o->asleep = true;
	if (wake)
		o->asleep = o->was_paused = false;
	o->offer = to;
}

static double line_amps(const struct world *w, int evse, double set)
{
	return w->conf.evses[evse].dc ? set * w->conf.amps_per_kw : set;
}

/* A socket alone falls back to all of its phases. */
static bool by_itself(const struct world *w, const struct world_session *s)
{
	const struct outlet *o = &w->outlets[s->evse];
	return !o->linked && w->now - o->unlinked_s >= w->conf.evses[s->evse].failsafe_after_s;
}

static int phases_of(const struct world *w, const struct world_session *s)
{
	const struct outlet *o = &w->outlets[s->evse];
	return o->phases && !by_itself(w, s) && o->phases < s->phases ? o->phases : s->phases;
}

static bool draws_on(const struct world *w, const struct world_session *s, int own)
{
	const struct outlet *o = &w->outlets[s->evse];
	if (w->conf.evses[s->evse].dc)
		return true;
	return o->phases == 1 && !by_itself(w, s) ? own == o->alone : own < phases_of(w, s);
}

static double watts(const struct world *w, const struct world_session *s)
{
	return w->conf.evses[s->evse].dc ? s->had_a / w->conf.amps_per_kw * 1000 : s->had_a * phases_of(w, s) * WORLD_VOLTS;
}

/* What is the most it can take by itself: its charger's maximum, near the end less. */
static double top_of(const struct world_session *s)
{
	double left = s->need_wh - s->got_wh;
	if (left <= 0)
		return 0;
	return s->tail > 0 && left < s->tail * s->need_wh ? s->own_a * (0.12 + 0.88 * left / (s->tail * s->need_wh)) : s->own_a;
}

static void charge(struct world *w, int i)
{
	struct outlet *o = &w->outlets[i];
	if (o->session < 0)
		return;
	struct world_session *s = &w->sessions[o->session];
	const struct world_evse *e = &w->conf.evses[i];
	double top = top_of(s), to = o->offer < e->min - 1e-9 || o->asleep || w->now < s->begins_s ? 0 : fmin(line_amps(w, i, o->offer) * s->gain, top);
	if (to > 0 && !e->dc && s->own_a < e->min)
		to = fmin(to, s->own_a);
	s->had_a = to > s->had_a + s->ramp_a ? s->had_a + s->ramp_a : to;
	s->got_wh += watts(w, s) / 3600;
}

static void flow(struct world *w)
{
	memset(w->amps, 0, sizeof(w->amps));
	memset(w->told, 0, sizeof(w->told));
	for (int l = 0; l < 3; l++)
		w->amps[0][l] = w->base[l];
	for (int i = 0; i < w->conf.n_evses; i++) {
		const struct outlet *o = &w->outlets[i];
		const struct world_evse *e = &w->conf.evses[i];
		if (o->session < 0)
			continue;
		const struct world_session *s = &w->sessions[o->session];
		for (int p = 0; p < e->n_lines; p++)
			for (int n = draws_on(w, s, p) ? e->node : -1; n >= 0; n = w->conf.nodes[n].parent) {
				w->amps[n][e->lines[p]] += s->had_a;
				w->told[n][e->lines[p]] += o->linked ? s->had_a : 0;
			}
	}
}

/* What can be seen. */

static void report(struct world *w, int i)
{
	struct outlet *o = &w->outlets[i];
	struct seen_evse *r = &o->last;
	memset(r, 0, sizeof(*r));
	r->st = 'A';
	r->session = o->session;
	o->reported_s = w->now;
	if (o->session < 0)
		return;
	const struct world_session *s = &w->sessions[o->session];
	const struct world_evse *e = &w->conf.evses[i];
	r->st = s->got_wh >= s->need_wh ? 'S' : s->had_a > 0.5 ? 'C' : 'B';
	r->t_arr = s->arrive_s;
	r->wh = floor(s->got_wh);
	r->need_wh = s->told_need_wh;
	r->t_dep = s->told_leave_s;
	for (int p = 0; p < e->n_lines; p++)
		r->i[p] = draws_on(w, s, p) ? round(s->had_a * 10) / 10 : 0;
	if (e->dc)
		r->i[0] = round(s->had_a / w->conf.amps_per_kw * 10) / 10;
}

static void sockets(struct world *w)
{
	for (int i = 0; i < w->conf.n_evses; i++) {
		struct outlet *o = &w->outlets[i];
		bool changed = (o->session >= 0) != (o->last.st != 'A' && o->last.st) || (o->session >= 0 && o->last.session != o->session);
		if (o->linked && (changed || (w->now + i) % w->conf.rules.report_s == 0))
			report(w, i);
	}
}

static void start_fault(struct world *w, int64_t *until, double per_day)
{
	if (per_day > 0 && w->now >= *until && dice_chance(&w->weather, per_day / 86400))
		*until = w->now + 20 + dice_below(&w->weather, 880);
}

static void start_lie(struct world *w, struct gauge *g, int64_t *until, double per_day)
{
	if (per_day <= 0 || w->now < *until || !dice_chance(&w->lies, per_day / 86400))
		return;
	*until = w->now + 20 + dice_below(&w->lies, 7180);
	memcpy(g->stiff, g->last, sizeof(g->stiff));
	g->dead = (int)dice_below(&w->lies, 3);
}

/* What no driver can see: the samples keep coming, and differ. */
static void lie(struct world *w, struct gauge *g)
{
	start_lie(w, g, &g->stiff_until_s, w->conf.rules.meter_stiffs_per_day);
	start_lie(w, g, &g->dead_until_s, w->conf.rules.meter_dead_lines_per_day);
	for (int l = 0; l < 3 && w->now < g->stiff_until_s; l++)
		g->last[l] = g->stiff[l] + (double)dice_below(&w->lies, 3) / 10 - 0.1;
	if (w->now < g->dead_until_s)
		g->last[g->dead] = 0;
}

static void meters(struct world *w)
{
	const struct world_rules *r = &w->conf.rules;
	for (int n = 0; n < w->conf.n_nodes; n++) {
		struct gauge *g = &w->gauges[n];
		if (!w->conf.nodes[n].metered)
			continue;
		start_fault(w, &g->lost_until_s, r->meter_losses_per_day);
		start_fault(w, &g->frozen_until_s, r->meter_freezes_per_day);
		bool gap = dice_chance(&w->weather, r->meter_gaps);
		double noise[3] = { dice_normal(&w->weather), dice_normal(&w->weather), dice_normal(&w->weather) };
		if (w->now < g->lost_until_s || w->now < g->frozen_until_s || w->now < g->stiff_until_s || w->now < g->dead_until_s)
			g->bad_s = w->now;
		if (gap || w->now < g->lost_until_s || w->now < g->frozen_until_s)
			continue;
		g->last_s = w->now;
		for (int l = 0; l < 3; l++)
			g->last[l] = round(w->amps[n][l] * (1 + noise[l] * r->meter_noise) * 10) / 10;
		lie(w, g);
	}
}

bool world_second(struct world *w)
{
	w->now++;
	building(w);
	operator(w);
	links(w);
	people(w);
	for (int i = 0; i < w->conf.n_evses; i++) {
		arrive(w, i);
		charge(w, i);
	}
	flow(w);
	meters(w);
	sockets(w);
	return (w->now - w->conf.begin_s) % (int64_t)w->conf.period_s == 0;
}

static void look_at_meters(struct world *w)
{
	for (int n = 0; n < w->conf.n_nodes; n++) {
		const struct gauge *g = &w->gauges[n];
		struct seen_meter *m = &w->seen.meters[n];
		m->there = w->conf.nodes[n].metered;
		if (!m->there)
			continue;
		bool frozen = w->now < g->frozen_until_s;
		m->ok = g->last_s > 0 && w->now >= g->lost_until_s;
		m->age = frozen ? 1 : (int)(w->now - g->last_s) + 1;
		memcpy(m->i, g->last, sizeof(m->i));
	}
}

const struct seen *world_look(struct world *w)
{
	w->seen.t = w->now;
	w->seen.seq = (w->now - w->conf.begin_s) / (int64_t)w->conf.period_s;
	look_at_meters(w);
	for (int n = 0; n < w->conf.n_nodes; n++) {
		w->seen.capped[n] = n == world_capped(w);
		for (int l = 0; l < 3; l++)
			w->seen.cap_a[n][l] = world_limit(w, n, l, true);
	}
	for (int i = 0; i < w->conf.n_evses; i++) {
		const struct outlet *o = &w->outlets[i];
		struct seen_evse *e = &w->seen.evses[i];
		*e = o->last;
		e->on = o->linked;
		e->set = o->set;
		e->age = (int)(w->now - o->reported_s);
		e->listed = !o->linked || (e->st && e->st != 'A');
	}
	return &w->seen;
}

static void count(struct world_session *s, double set, int64_t now)
{
	if (s->last_set >= 0 && fabs(set - s->last_set) > 1e-6) {
		int direction = set > s->last_set ? 1 : -1;
		s->changes++;
		s->reversals += s->direction && direction != s->direction;
		s->hasty += s->direction && direction != s->direction && now - s->changed_s < 300;
		s->changed_s = now;
		s->pauses += set <= 0 && s->last_set > 0 && s->got_wh < s->need_wh;
		s->direction = direction;
	} else if (s->last_set < 0) {
		s->changes++;
		s->changed_s = now;
	}
	s->last_set = set;
}

void world_order(struct world *w, const struct order *orders)
{
	for (int i = 0; i < w->conf.n_evses; i++) {
		struct outlet *o = &w->outlets[i];
		if (!orders[i].given)
			continue;
		if (o->session >= 0)
			count(&w->sessions[o->session], orders[i].set, w->now);
		if (!o->linked)
			continue;
		int delay = o->session >= 0 ? w->sessions[o->session].delay_s : 1;
		for (int k = 0; k < WORLD_LATE; k++)
			o->late[k] = -1; /* a newer command overtakes */
		o->late[(w->now + delay) % WORLD_LATE] = orders[i].set;
		o->late_wake[(w->now + delay) % WORLD_LATE] = orders[i].wake;
		o->late_phases[(w->now + delay) % WORLD_LATE] = orders[i].phases;
		o->late_phase[(w->now + delay) % WORLD_LATE] = orders[i].phase;
		o->set = orders[i].set;
	}
}

double world_amps(const struct world *w, int node, int line)
{
	return w->amps[node][line];
}

int64_t world_meter_well_s(const struct world *w, int node)
{
	return w->now - w->gauges[node].bad_s;
}

double world_told_amps(const struct world *w, int node, int line)
{
	return w->told[node][line];
}

double world_limit(const struct world *w, int node, int line, bool caps)
{
	double limit = w->conf.nodes[node].limit_a[line];
	return caps && node == world_capped(w) ? limit * w->cap_share : limit;
}

int world_capped(const struct world *w)
{
	return w->now < w->cap_until_s ? w->cap_node : -1;
}

double world_base(const struct world *w, int line)
{
	return w->base[line];
}

int64_t world_now(const struct world *w)
{
	return w->now;
}

const struct world_session *world_session(const struct world *w, int i)
{
	return &w->sessions[i];
}

double world_offer(const struct world *w, int evse)
{
	return w->outlets[evse].offer;
}

bool world_plugged(const struct world *w, int evse)
{
	return w->outlets[evse].session >= 0;
}

int world_session_at(const struct world *w, int evse)
{
	return w->outlets[evse].session;
}

bool world_online(const struct world *w, int evse)
{
	return w->outlets[evse].linked;
}

double world_draws(const struct world *w, int evse, int own)
{
	int i = w->outlets[evse].session;
	return i >= 0 && draws_on(w, &w->sessions[i], own) ? w->sessions[i].had_a : 0;
}

struct world_changes world_changes(const struct world *w)
{
	return w->changes;
}

int64_t world_silent_s(const struct world *w, int evse)
{
	return w->outlets[evse].unlinked_s;
}

double world_could_a(const struct world *w, int evse)
{
	const struct world_evse *e = &w->conf.evses[evse];
	int i = w->outlets[evse].session;
	return i < 0 ? 0 : fmin(top_of(&w->sessions[i]), line_amps(w, evse, e->max) * w->sessions[i].gain);
}
