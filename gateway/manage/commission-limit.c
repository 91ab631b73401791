/* The check of the limit: a circuit is lowered, and the time is stopped until everybody draws no more than was granted.
 *
 * Easy to get wrong: the cap has an end, and is taken back whichever way the check ends. */
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/manage/commission-local.h"
#include "gateway/power/below.h"
#include "gateway/session/session.h"

#define PASS_US (5 * US_PER_S)

struct limited {
	int evse;
	int32_t granted_ma;
	int64_t told_us, below_us; /* since the cap; 0: not yet */
	bool drew_more;
};

struct limiting {
	struct gateway *g;
	struct task *task;
	char *user;
	struct timer timer;
	int node, cap;
	int32_t ma;
	int64_t begun_us, most_us, below_us; /* below: of the circuit */
	struct limited *evses;
	size_t n;
};

static void limiting_free(struct limiting *l)
{
	timer_cancel(&l->timer);
	control_cap_clear(l->g->control, l->cap);
	control_tick(l->g->control, clock_mono_us());
	mem_free(l->evses);
	mem_free(l->user);
	mem_free(l);
}

static void stop_limiting(void *arg)
{
	struct limiting *l = arg;
	task_end(l->task, TASK_STOPPED, (struct slice){ 0 });
	limiting_free(l);
}

static int32_t most_drawn(const struct evse_view *v)
{
	int32_t most = 0;
	for (int p = 0; p < v->n_lines; p++)
		most = v->drawn_ma[p] > most ? v->drawn_ma[p] : most;
	return most;
}

static void end_limiting(struct limiting *l)
{
	struct buf json = { 0 };
	struct json_writer w;
	bool ok = l->below_us && l->below_us <= PASS_US;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_string(&w, "circuit", l->g->conf->circuits[l->node].id);
	jw_number(&w, "limit_a", l->ma / 1000.0, 1);
	jw_number(&w, "below_s", l->below_us ? (double)l->below_us / US_PER_S : NAN, 1);
	jw_array(&w, "stations");
	for (size_t i = 0; i < l->n; i++) {
		struct evse_view v;
		control_evse_view(l->g->control, l->evses[i].evse, &v);
		jw_object(&w, NULL);
		jw_string(&w, "station", v.station);
		jw_int(&w, "evse", v.evse);
		jw_bool(&w, "drew_more", l->evses[i].drew_more);
		jw_number(&w, "told_s", l->evses[i].told_us ? (double)l->evses[i].told_us / US_PER_S : NAN, 1);
		jw_number(&w, "below_s", l->evses[i].below_us ? (double)l->evses[i].below_us / US_PER_S : NAN, 1);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	jw_bool(&w, "ok", ok);
	jw_end(&w, '}');
	commission_conclude(l->g, l->task, "limit", l->user, ok, &json);
	limiting_free(l);
}

static void on_limiting(void *arg)
{
	struct limiting *l = arg;
	int64_t now = clock_mono_us(), passed = now - l->begun_us;
	struct node_view node;
	bool all = true, within = true;
	control_node_view(l->g->control, l->node, &node);
	for (int p = 0; p < 3; p++)
		within &= node.measured.l[p] == MA_NONE || !node.limit.l[p] || node.measured.l[p] <= l->ma + 500;
	if (within && !l->below_us)
		l->below_us = passed;
	for (size_t i = 0; i < l->n; i++) {
		struct limited *e = &l->evses[i];
		struct evse_view v;
		control_evse_view(l->g->control, e->evse, &v);
		if (v.confirmed_ma >= 0 && v.confirmed_ma <= v.grant.ma && !e->told_us)
			e->told_us = passed;
		if (most_drawn(&v) <= v.grant.ma + 500 && !e->below_us)
			e->below_us = passed;
		all &= e->below_us != 0;
	}
	task_tell(l->task, within ? "below" : "lowered", (double)passed / (double)l->most_us);
	if ((all && l->below_us) || passed >= l->most_us)
		end_limiting(l);
	else
		timer_set(&l->timer, LOOK_US / 2, on_limiting, l);
}

struct task *commission_limit(struct gateway *g, const char *user, int node, int32_t ma, int64_t most_us)
{
	struct limiting *l = NEW(struct limiting);
	size_t n = control_evses(g->control);
	*l = (struct limiting){ .g = g, .user = mem_strdup(user), .node = node, .ma = ma, .most_us = most_us, .begun_us = clock_mono_us() };
	l->evses = mem_new((n + 1) * sizeof(*l->evses));
	l->cap = control_cap_set(g->control, node, -1, ma, "operator", "commissioning", clock_mono_us() + most_us + 10 * US_PER_S);
	control_tick(g->control, clock_mono_us());
	for (size_t i = 0; i < n; i++) {
		struct evse_view v;
		control_evse_view(g->control, (int)i, &v);
		if (below_is(&g->conf->circuits[v.node], &g->conf->circuits[node]) && v.running)
			l->evses[l->n++] = (struct limited){ .evse = (int)i, .granted_ma = v.grant.ma, .drew_more = most_drawn(&v) > v.grant.ma + 500 };
	}
	l->task = task_new("limit", user, stop_limiting, l);
	timer_set(&l->timer, LOOK_US / 2, on_limiting, l);
	return l->task;
}
