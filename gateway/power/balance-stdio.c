/* Lines of JSON around the balancer of energy/.
 *
 * in    hello   the site, once          out   ready
 *       state   each period                   set    what changed, and why
 *       bye
 *
 * A state names only EVSEs with a car or without a link; one that is not named is free. A DC socket speaks kilowatt; inside everything is
 * current, by the factor the site gives. */
#include "gateway/power/balance-stdio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "energy/period.h"

#define LINE_MOST (8 * 1024 * 1024)
#define STALE_LEAST_S 3

struct talk {
	FILE *out;
	struct arena mem;
	struct period *period;
	struct control_conf conf;
	struct node_conf *nodes;
	struct meter_conf *meters;
	struct evse_conf *evses;
	struct period_evse *points;
	struct map node_by_id, evse_by_id; /* index + 1 */
	double period_s;
	size_t number; /* of the line, from 1 */
	char *why;
	size_t room;
};

static int bad(struct talk *t, int code, const char *what, struct slice name)
{
	if (t->why)
		snprintf(t->why, t->room, "line %zu: %s%s%.*s", t->number, what, name.n ? " " : "", (int)name.n, name.p ? name.p : "");
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
	t->points[i] = (struct period_evse){ unit, json_number(item, "min", 6) };
	map_put(&t->evse_by_id, id, (void *)(intptr_t)(i + 1));
	return 0;
}

static void take_room(struct talk *t, size_t nodes, size_t evses)
{
	t->nodes = arena_new(&t->mem, (nodes + 1) * sizeof(*t->nodes));
	t->meters = arena_new(&t->mem, (nodes + 1) * sizeof(*t->meters));
	t->evses = arena_new(&t->mem, (evses + 1) * sizeof(*t->evses));
	t->points = arena_new(&t->mem, (evses + 1) * sizeof(*t->points));
}

static int open_site(struct talk *t)
{
	struct site_parts parts = { t->nodes, t->conf.n_nodes, t->meters, t->conf.n_meters, t->evses, t->conf.n_evses, NULL, 0 };
	char why[160];
	if (site_check(&parts, why, sizeof(why)))
		return bad(t, ERR_INVALID, "the site:", slice_of(why));
	t->conf.nodes = t->nodes;
	t->conf.meters = t->meters;
	t->conf.evses = t->evses;
	t->period = period_open(&t->conf, t->points);
	return 0;
}

static int on_hello(struct talk *t, const cJSON *m)
{
	const cJSON *nodes = json_at(m, "nodes"), *evses = json_at(m, "evses"), *item;
	size_t i = 0;
	int rc = 0;
	if (t->period)
		return bad(t, ERR_INVALID, "a second hello", SLICE(""));
	t->period_s = json_number(m, "period_s", 1);
	period_preset(&t->conf, t->period_s);
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

static void read_amps(const cJSON *list, double out[3])
{
	for (int l = 0; l < 3; l++) {
		const cJSON *item = cJSON_GetArrayItem(list, l);
		out[l] = cJSON_IsNumber(item) ? item->valuedouble : 0;
	}
}

static void read_meter(struct talk *t, const cJSON *item)
{
	int node = index_of(&t->node_by_id, json_text(item, "node"));
	const cJSON *amps = json_at(item, "i");
	bool ok = json_bool(item, "ok", true) && cJSON_GetArraySize(amps) >= 3;
	double a[3];
	if (node < 0 || t->nodes[node].meter < 0)
		return;
	read_amps(amps, a);
	period_meter(t->period, t->nodes[node].meter, a, json_number(item, "age", 0), ok);
}

static void read_cap(struct talk *t, const cJSON *item)
{
	int node = index_of(&t->node_by_id, json_text(item, "node"));
	struct milliamps ma = limits_of(json_at(item, "limit_a"));
	if (node >= 0)
		period_cap(t->period, node, &ma);
}

static void read_point(struct talk *t, int i, const cJSON *item, double now_s)
{
	struct slice st = json_text(item, "st");
	const cJSON *amps = json_at(item, "i");
	struct period_seen seen = {
		.on = json_bool(item, "on", true),
		.set = json_number(item, "set", -1),
		.age_s = json_number(item, "age", 0),
		.state = st.n ? st.p[0] : 'A',
		.session = json_text(item, "sess"),
		.priority = (int)json_int(item, "prio", 0),
		.wh = json_number(item, "wh", NAN),
		.need_wh = json_number(item, "need_wh", NAN),
		.leave_s = json_number(item, "t_dep", NAN) - now_s,
		.draw = { NAN, 0, 0 },
	};
	if (json_at(item, "kw"))
		seen.draw[0] = json_number(item, "kw", NAN);
	else if (amps)
		read_amps(amps, seen.draw);
	period_evse(t->period, i, &seen);
}

static void answer(struct talk *t, const struct period_order *orders, int64_t seq)
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
		const struct period_order *o = &orders[i];
		if (!o->given)
			continue;
		snprintf(why, sizeof(why), "%s%s%s%s%.0d", o->why.reason, o->why.ref ? " " : "", o->why.ref ? o->why.ref : "", o->why.phase ? " L" : "",
			 o->why.phase);
		jw_object(&w, NULL);
		jw_string(&w, "id", t->evses[i].id);
		jw_number(&w, "set", o->set, 1);
		if (o->wake)
			jw_bool(&w, "wake", true);
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
	if (!t->period)
		return bad(t, ERR_INVALID, "a state before hello", SLICE(""));
	double now_s = json_number(m, "t", 0);
	period_begin(t->period, now_s);
	cJSON_ArrayForEach(item, json_at(m, "caps"))
	{
		read_cap(t, item);
	}
	cJSON_ArrayForEach(item, json_at(m, "evses"))
	{
		int i = index_of(&t->evse_by_id, json_text(item, "id"));
		if (i >= 0)
			read_point(t, i, item, now_s);
	}
	cJSON_ArrayForEach(item, json_at(m, "meters"))
	{
		read_meter(t, item);
	}
	answer(t, period_end(t->period), json_int(m, "seq", 0));
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
		rc = bad(t, ERR_SYNTAX, "not a message:", (struct slice){ line.p, strcspn(line.p, "\n") < 40 ? strcspn(line.p, "\n") : 40 });
	cJSON_Delete(m);
	return rc;
}

static void close_talk(struct talk *t)
{
	period_close(t->period);
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
		t.number++;
		if (n > LINE_MOST)
			rc = bad(&t, ERR_TOO_LARGE, "longer than 8 MiB", SLICE(""));
		else if (n > 1)
			rc = on_line(&t, (struct slice){ line, (size_t)n });
		fflush(out);
	}
	free(line);
	close_talk(&t);
	return rc > 0 ? 0 : rc;
}
