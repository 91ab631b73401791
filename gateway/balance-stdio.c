/* Lines of JSON around the balancer of energy/.
 *
 * in    hello   the site, once          out   ready
 *       state   each period                   set    what changed
 *       bye
 *
 * A state names only EVSEs with a car or without a link; one that is not named is free. There is no message for an answer: a command counts as
 * accepted when the next state shows it as the EVSE's own. A DC socket speaks kilowatt; inside everything is current, by the factor the
 * site gives. Time in messages is seconds from any start; one second is added, because time zero means "never" inside. */
#include "gateway/balance-stdio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "energy/control.h"

#define LINE_MOST (8 * 1024 * 1024)
#define STALE_LEAST_S 3

struct point {                     /* an EVSE as the other side sees it */
	const char *id;
	double amps_per_unit;      /* 1 for AC; line amperes per kilowatt for DC */
	double min;                /* in its own unit */
	char *session;
	bool running, named;
	int32_t sent_ma;           /* last command; -1: none */
	bool changed;
	struct cap why;
};

struct talk {
	FILE *out;
	struct arena mem;
	struct control *control;
	struct control_conf conf;
	struct node_conf *nodes;
	struct meter_conf *meters;
	struct evse_conf *evses;
	struct point *points;
	struct map node_by_id, evse_by_id; /* index + 1 */
	int64_t *meter_at;         /* of the last sample passed on */
	int *caps, n_caps;
	int64_t now_us;
	double period_s;
	char *why;
	size_t room;
};

static int bad(struct talk *t, int code, const char *what, struct slice name)
{
	if (t->why)
		snprintf(t->why, t->room, "%s %.*s", what, (int)name.n, name.p ? name.p : "");
	return code;
}

static int32_t to_ma(double amps)
{
	return amps > 1e6 ? MA_NONE : (int32_t)lrint(amps * 1000);
}

static int index_of(const struct map *m, struct slice id)
{
	return (int)(intptr_t)map_get(m, id) - 1;
}

static struct milliamps limits_of(const cJSON *list)
{
	struct milliamps ma = { { MA_NONE, MA_NONE, MA_NONE } };
	for (int l = 0; l < 3; l++) {
		const cJSON *item = cJSON_GetArrayItem(list, l);
		if (cJSON_IsNumber(item))
			ma.l[l] = to_ma(item->valuedouble);
	}
	return ma;
}

/* The site. */

static int read_node(struct talk *t, const cJSON *item, size_t i)
{
	struct slice id = json_text(item, "id"), parent = json_text(item, "parent");
	struct node_conf *n = &t->nodes[i];
	*n = (struct node_conf){ .id = arena_text(&t->mem, id), .parent = -1, .meter = -1, .limit = limits_of(json_at(item, "limit_a")) };
	if (!id.p)
		return bad(t, ERR_INVALID, "a node without id", id);
	if (parent.p && (n->parent = index_of(&t->node_by_id, parent)) < 0)
		return bad(t, ERR_INVALID, "no node", parent);
	if (json_bool(item, "metered", false)) {
		n->meter = (int)t->conf.n_meters++;
		t->meters[n->meter] = (struct meter_conf){ n->id, (int64_t)(fmax(STALE_LEAST_S, 2 * t->period_s) * US_PER_S) };
	}
	map_put(&t->node_by_id, id, (void *)(intptr_t)(i + 1));
	return 0;
}

static int read_evse(struct talk *t, const cJSON *item, size_t i, double amps_per_kw)
{
	struct slice id = json_text(item, "id");
	bool dc = slice_is(json_text(item, "kind"), "dc");
	double unit = dc ? amps_per_kw : 1;
	const cJSON *lines = json_at(item, "lines");
	struct evse_conf *e = &t->evses[i];
	*e = (struct evse_conf){ .id = arena_text(&t->mem, id), .evse = 1, .node = index_of(&t->node_by_id, json_text(item, "node")),
				 .n_lines = (uint8_t)cJSON_GetArraySize(lines) };
	if (!id.p || e->node < 0)
		return bad(t, ERR_INVALID, "an EVSE without id or node:", id);
	for (int p = 0; p < 3 && p < e->n_lines; p++)
		e->lines[p] = (uint8_t)cJSON_GetArrayItem(lines, p)->valueint;
	e->station = e->id;
	e->min_ma = (int32_t)ceil(json_number(item, "min", 6) * unit * 1000 / 100) * 100;
	e->max_ma = to_ma(json_number(item, "max", 32) * unit);
	e->fallback_ma = to_ma(json_number(item, "failsafe", 0) * unit);
	e->fallback_after_us = (int64_t)(json_number(item, "failsafe_after_s", 60) * US_PER_S);
	if (e->min_ma > e->max_ma)
		e->min_ma = e->max_ma;
	t->points[i] = (struct point){ .id = e->id, .amps_per_unit = unit, .min = json_number(item, "min", 6), .sent_ma = -1 };
	map_put(&t->evse_by_id, id, (void *)(intptr_t)(i + 1));
	return 0;
}

static void on_send(void *arg, int evse, const struct grant *g)
{
	struct talk *t = arg;
	struct point *p = &t->points[evse];
	p->changed = p->changed || g->ma != p->sent_ma;
	p->sent_ma = g->ma;
	p->why = g->binding;
}

static void take_room(struct talk *t, size_t nodes, size_t evses)
{
	t->nodes = arena_new(&t->mem, (nodes + 1) * sizeof(*t->nodes));
	t->meters = arena_new(&t->mem, (nodes + 1) * sizeof(*t->meters));
	t->meter_at = arena_new(&t->mem, (nodes + 1) * sizeof(*t->meter_at));
	t->caps = arena_new(&t->mem, (nodes + 1) * sizeof(*t->caps));
	t->evses = arena_new(&t->mem, (evses + 1) * sizeof(*t->evses));
	t->points = arena_new(&t->mem, (evses + 1) * sizeof(*t->points));
}

static int open_site(struct talk *t)
{
	static const struct control_events events = { on_send };
	struct site_parts parts = { t->nodes, t->conf.n_nodes, t->meters, t->conf.n_meters, t->evses, t->conf.n_evses, NULL, 0 };
	char why[160];
	if (site_check(&parts, why, sizeof(why)))
		return bad(t, ERR_INVALID, "the site:", slice_of(why));
	t->conf.nodes = t->nodes;
	t->conf.meters = t->meters;
	t->conf.evses = t->evses;
	t->control = control_open(&t->conf, &events, t);
	return 0;
}

static int on_hello(struct talk *t, const cJSON *m)
{
	const cJSON *nodes = json_at(m, "nodes"), *evses = json_at(m, "evses"), *item;
	size_t i = 0;
	int rc = 0;
	if (t->control)
		return bad(t, ERR_INVALID, "a second hello", SLICE(""));
	t->period_s = json_number(m, "period_s", 1);
	t->conf = (struct control_conf){ .interval_us = (int64_t)(t->period_s * US_PER_S), .increase_after_us = 15 * US_PER_S,
					 .increase_step_ma = 4000, .rotate_every_us = 900 * US_PER_S, .meter_lost_after_us = 3 * US_PER_S };
	take_room(t, (size_t)cJSON_GetArraySize(nodes), (size_t)cJSON_GetArraySize(evses));
	cJSON_ArrayForEach(item, nodes)
	{
		rc = rc ? rc : read_node(t, item, i++);
	}
	t->conf.n_nodes = i;
	i = 0;
	cJSON_ArrayForEach(item, evses)
	{
		rc = rc ? rc : read_evse(t, item, i++, json_number(m, "dc_amps_per_kw", 1.54));
	}
	t->conf.n_evses = i;
	rc = rc ? rc : open_site(t);
	if (!rc)
		fputs("{\"type\":\"ready\",\"name\":\"ampgate\"}\n", t->out);
	return rc;
}

/* A state. */

static void read_meter(struct talk *t, const cJSON *item)
{
	int node = index_of(&t->node_by_id, json_text(item, "node")), meter = node < 0 ? -1 : t->nodes[node].meter;
	const cJSON *amps = json_at(item, "i");
	struct meter_sample s = { .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
	if (meter < 0)
		return;
	if (!json_bool(item, "ok", true) || cJSON_GetArraySize(amps) < 3) {
		control_meter_failed(t->control, meter, "lost");
		return;
	}
	s.at_us = t->now_us - (int64_t)(json_number(item, "age", 0) * US_PER_S);
	if (s.at_us <= t->meter_at[meter])
		return; /* the one from last time */
	t->meter_at[meter] = s.at_us;
	for (int l = 0; l < 3; l++)
		s.ma.l[l] = to_ma(cJSON_GetArrayItem(amps, l)->valuedouble);
	control_meter(t->control, meter, &s);
}

/* Limits in force now replace those of the state before. The lowest of the three phases holds for all. */
static void read_caps(struct talk *t, const cJSON *list)
{
	const cJSON *item;
	for (int i = 0; i < t->n_caps; i++)
		control_cap_clear(t->control, t->caps[i]);
	t->n_caps = 0;
	cJSON_ArrayForEach(item, list)
	{
		int node = index_of(&t->node_by_id, json_text(item, "node"));
		struct milliamps ma = limits_of(json_at(item, "limit_a"));
		int32_t least = ma.l[0] < ma.l[1] ? ma.l[0] : ma.l[1];
		least = ma.l[2] < least ? ma.l[2] : least;
		if (node < 0 || least == MA_NONE || t->n_caps >= (int)t->conf.n_nodes)
			continue;
		int id = control_cap_set(t->control, node, -1, least, "grid_operator", t->nodes[node].id, INT64_MAX);
		if (id > 0)
			t->caps[t->n_caps++] = id;
	}
}

static void run(struct talk *t, int i, bool running, struct slice session)
{
	struct point *p = &t->points[i];
	bool other = running && p->running && p->session && session.p && !slice_is(session, p->session);
	if (p->running && (!running || other))
		control_evse_tx(t->control, i, false, t->now_us);
	if (running && (!p->running || other)) {
		control_evse_tx(t->control, i, true, t->now_us);
		p->sent_ma = -1;
		mem_free(p->session);
		p->session = session.p ? mem_text(session) : NULL;
	}
	p->running = running;
}

static void read_draw(struct talk *t, int i, const cJSON *item)
{
	const struct point *p = &t->points[i];
	int64_t at = t->now_us - (int64_t)(json_number(item, "age", 0) * US_PER_S);
	const cJSON *amps = json_at(item, "i");
	double kw = json_number(item, "kw", NAN);
	int32_t own[3] = { 0 };
	struct evse_view v;
	control_evse_view(t->control, i, &v);
	if ((!amps && isnan(kw)) || at <= v.drawn_at_us)
		return;
	for (int l = 0; l < v.n_lines; l++) {
		const cJSON *a = cJSON_GetArrayItem(amps, l);
		own[l] = !isnan(kw) ? to_ma(kw * p->amps_per_unit) : a ? to_ma(a->valuedouble) : 0;
	}
	control_evse_draw(t->control, i, own, json_number(item, "wh", NAN), at);
}

/* A command is in force when the state shows it; the unit's rounding is ours. */
static double own_unit(const struct point *p, int32_t ma)
{
	double value = p->amps_per_unit == 1 ? ma / 1000.0 : floor(ma / 1000.0 / p->amps_per_unit * 10 + 1e-6) / 10;
	return ma > 0 && value < p->min ? p->min : value;
}

static void read_point(struct talk *t, int i, const cJSON *item)
{
	struct point *p = &t->points[i];
	struct slice st = json_text(item, "st");
	bool on = json_bool(item, "on", true);
	p->named = true;
	control_evse_link(t->control, i, on, t->now_us);
	if (!on)
		return;
	run(t, i, st.p && !slice_is(st, "A"), json_text(item, "sess"));
	if (p->sent_ma >= 0 && fabs(json_number(item, "set", -1) - own_unit(p, p->sent_ma)) < 0.051)
		control_evse_answered(t->control, i, p->sent_ma, true, t->now_us);
	if (p->running)
		control_evse_state(t->control, i, slice_is(st, "C") ? EVSE_CHARGING : EVSE_SUSPENDED_EV, t->now_us);
	read_draw(t, i, item);
}

static void read_points(struct talk *t, const cJSON *list)
{
	const cJSON *item;
	for (size_t i = 0; i < t->conf.n_evses; i++)
		t->points[i].named = false;
	cJSON_ArrayForEach(item, list)
	{
		int i = index_of(&t->evse_by_id, json_text(item, "id"));
		if (i >= 0)
			read_point(t, i, item);
	}
	for (size_t i = 0; i < t->conf.n_evses; i++) {
		if (t->points[i].named)
			continue;
		control_evse_link(t->control, (int)i, true, t->now_us);
		control_evse_state(t->control, (int)i, EVSE_AVAILABLE, t->now_us);
		run(t, (int)i, false, SLICE(""));
	}
}

static void answer(struct talk *t, int64_t seq)
{
	struct buf b = { 0 };
	struct json_writer w;
	char why[96];
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_string(&w, "type", "set");
	jw_int(&w, "seq", seq);
	jw_array(&w, "set");
	for (size_t i = 0; i < t->conf.n_evses; i++) {
		struct point *p = &t->points[i];
		if (!p->changed)
			continue;
		p->changed = false;
		snprintf(why, sizeof(why), "%s%s%s%s%.0d", p->why.reason, p->why.ref ? " " : "", p->why.ref ? p->why.ref : "",
			 p->why.phase ? " L" : "", p->why.phase);
		jw_object(&w, NULL);
		jw_string(&w, "id", p->id);
		jw_number(&w, "set", own_unit(p, p->sent_ma), 1);
		jw_string(&w, "why", why);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	jw_end(&w, '}');
	fwrite(b.p, 1, b.n, t->out);
	fputc('\n', t->out);
	buf_free(&b);
}

static int on_state(struct talk *t, const cJSON *m)
{
	const cJSON *item;
	if (!t->control)
		return bad(t, ERR_INVALID, "a state before hello", SLICE(""));
	t->now_us = (int64_t)((json_number(m, "t", 0) + 1) * US_PER_S);
	read_caps(t, json_at(m, "caps"));
	read_points(t, json_at(m, "evses"));
	cJSON_ArrayForEach(item, json_at(m, "meters"))
	{
		read_meter(t, item);
	}
	control_tick(t->control, t->now_us);
	answer(t, json_int(m, "seq", 0));
	return 0;
}

/* Less than 0: an error; 1: the end. */
static int on_line(struct talk *t, struct slice line)
{
	cJSON *m = json_parse(line);
	struct slice type = m ? json_text(m, "type") : (struct slice){ 0 };
	int rc;
	if (slice_is(type, "hello"))
		rc = on_hello(t, m);
	else if (slice_is(type, "state"))
		rc = on_state(t, m);
	else if (slice_is(type, "bye"))
		rc = 1;
	else
		rc = bad(t, ERR_SYNTAX, "not a message:", (struct slice){ line.p, line.n < 40 ? line.n : 40 });
	cJSON_Delete(m);
	return rc;
}

static void close_talk(struct talk *t)
{
	for (size_t i = 0; i < t->conf.n_evses && t->points; i++)
		mem_free(t->points[i].session);
	control_close(t->control);
	map_free(&t->node_by_id);
	map_free(&t->evse_by_id);
	arena_free(&t->mem);
}

int balance_stdio(FILE *in, FILE *out, char *why, size_t room)
{
	struct talk t = { .out = out, .why = why, .room = room };
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = 0;
	while (!rc && (n = getline(&line, &size, in)) >= 0) {
		if (n > LINE_MOST)
			rc = bad(&t, ERR_TOO_LARGE, "a line", SLICE(""));
		else if (n > 1)
			rc = on_line(&t, (struct slice){ line, (size_t)n });
		fflush(out);
	}
	free(line);
	close_talk(&t);
	return rc > 0 ? 0 : rc;
}
