/* The reading side. A tick waits until all lines that belong to it are there: the orders that were recorded, and what was told while one of them
 * was handed out (a station in this process answers at once). Then time passes, each order is compared with the recorded one in its place, and
 * what was told behind that one is told again at the same point.
 *
 * Easy to get wrong: a recording may end in the middle of a tick's orders, as a process does that is killed; what is missing at the very end is
 * no difference. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "energy/control-local.h"
#include "energy/record-local.h"

struct replay {
	struct control *control;
	struct arena mem;        /* texts that have to last: conduct */
	cJSON **waiting;         /* of a tick: its orders, and what was told between them */
	size_t n, at, room;
	bool ticks;              /* a tick waits for its lines, at: */
	int64_t tick_us;
	long long line, tick_line; /* from 1; those that wait for a tick follow it line by line */
	bool ends;               /* nothing will follow: what is decided beyond the recording is no difference */
	int rc;                  /* of what was told between orders */
	struct replay_sum sum;
};

static void differs(struct replay *r, const char *was, const char *is)
{
	if (!r->sum.different++)
		snprintf(r->sum.first, sizeof(r->sum.first), "line %lld, tick %lld: recorded %s, now %s", r->tick_line + 1 + (long long)r->at, r->sum.ticks,
			 was, is);
}

static int told_again(struct replay *r, const cJSON *m);
static void order_text(const cJSON *m, char *out, size_t room);

/* What was told right behind the order before. */
static void tell_between(struct replay *r)
{
	while (r->at < r->n && cJSON_HasObjectItem(r->waiting[r->at], "in")) {
		int rc = told_again(r, r->waiting[r->at++]);
		r->rc = r->rc ? r->rc : rc;
	}
}

static void on_send(void *arg, int evse, const struct grant *g)
{
	struct replay *r = arg;
	char is[96], was[96] = "nothing";
	if (r->at == r->n && r->ends)
		return;
	snprintf(is, sizeof(is), "EVSE %d %d mA%s (%s %s %d)", evse, (int)g->ma, g->wake ? " awake" : "", g->binding.reason ? g->binding.reason : "",
		 g->binding.ref ? g->binding.ref : "", g->binding.phase);
	if (r->at < r->n)
		order_text(r->waiting[r->at], was, sizeof(was));
	if (strcmp(is, was) != 0)
		differs(r, was, is);
	r->at += r->at < r->n;
	tell_between(r);
}

static const struct control_events events = { on_send };

static int64_t whole(const cJSON *m, const char *key)
{
	int64_t v = json_int(m, key, 0);
	return v;
}

static int64_t moment(const cJSON *m, const char *key)
{
	int64_t v = json_int(m, key, 0);
	return v == -1 ? INT64_MAX : v;
}

static double real(const cJSON *m, const char *key)
{
	return json_number(m, key, NAN);
}

static void three(const cJSON *m, const char *key, int32_t out[3])
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(m, key);
	for (int i = 0; i < 3; i++) {
		const cJSON *v = cJSON_GetArrayItem(list, i);
		out[i] = cJSON_IsNumber(v) ? (int32_t)v->valuedouble : 0;
	}
}

static const char *text(struct arena *mem, const cJSON *m, const char *key)
{
	struct slice s = json_text(m, key);
	return s.p ? arena_text(mem, s) : NULL;
}

static bool yes(const cJSON *m, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(m, key);
	return cJSON_IsTrue(v) || (cJSON_IsNumber(v) && v->valuedouble != 0);
}

/* --- the configuration --- */

static void *rows(struct arena *mem, const cJSON *m, const char *key, size_t size, size_t *n_out)
{
	int n = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(m, key));
	*n_out = (size_t)n;
	return arena_new(mem, ((size_t)n + 1) * size);
}

static void read_nodes(struct arena *mem, const cJSON *m, struct control_conf *conf)
{
	struct node_conf *n = rows(mem, m, "nodes", sizeof(*n), &conf->n_nodes);
	const cJSON *item;
	conf->nodes = n;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(m, "nodes")) {
		*n = (struct node_conf){ .id = text(mem, item, "id"), .parent = (int)whole(item, "parent"), .meter = (int)whole(item, "meter"),
			.power_w = whole(item, "power_w"), .window_us = whole(item, "window_us"), .apparent = yes(item, "apparent"),
			.imbalance_ma = (int32_t)whole(item, "imbalance") };
		three(item, "limit", n->limit.l);
		three(item, "reserve", n->reserve.l);
		n++;
	}
}

static void read_evses(struct arena *mem, const cJSON *m, struct control_conf *conf)
{
	struct evse_conf *e = rows(mem, m, "evses", sizeof(*e), &conf->n_evses);
	const cJSON *item;
	conf->evses = e;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(m, "evses")) {
		int32_t lines[3];
		three(item, "lines", lines);
		*e++ = (struct evse_conf){ .id = text(mem, item, "id"), .station = text(mem, item, "station"), .evse = (int)whole(item, "evse"),
			.node = (int)whole(item, "node"), .lines = { (uint8_t)lines[0], (uint8_t)lines[1], (uint8_t)lines[2] },
			.n_lines = (uint8_t)whole(item, "n_lines"), .min_ma = (int32_t)whole(item, "min"), .max_ma = (int32_t)whole(item, "max"),
			.step_ma = (int32_t)whole(item, "step"), .fallback_ma = (int32_t)whole(item, "fallback"),
			.fallback_after_us = whole(item, "fallback_after"), .priority = (int)whole(item, "priority"), .on_off = yes(item, "on_off"),
			.switch_after_us = whole(item, "switch_after") };
	}
}

static void read_others(struct arena *mem, const cJSON *m, struct control_conf *conf)
{
	struct meter_conf *k = rows(mem, m, "meters", sizeof(*k), &conf->n_meters);
	struct fixture_conf *f = rows(mem, m, "fixtures", sizeof(*f), &conf->n_fixtures);
	const cJSON *item;
	conf->meters = k;
	conf->fixtures = f;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(m, "meters"))
		*k++ = (struct meter_conf){ text(mem, item, "id"), whole(item, "stale") };
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(m, "fixtures")) {
		*f = (struct fixture_conf){ .id = text(mem, item, "id"), .node = (int)whole(item, "node"), .kind = (enum fixture_kind)whole(item, "kind"),
			.meter = (int)whole(item, "meter"), .firm = yes(item, "firm"), .yields = yes(item, "yields"), .feeds_cars = yes(item, "feeds") };
		three(item, "estimate", f->estimate.l);
		f++;
	}
}

/* A file is not trusted to fit together: the site is checked as any other. */
static int fits(const struct control_conf *conf)
{
	struct site_parts parts = { conf->nodes, conf->n_nodes, conf->meters, conf->n_meters, conf->evses, conf->n_evses, conf->fixtures,
				    conf->n_fixtures };
	char why[160];
	return conf->strategy > STRATEGY_READY || conf->on_meter_lost > LOST_HIGHEST || site_check(&parts, why, sizeof(why)) ? ERR_SYNTAX : 0;
}

static int read_open(struct replay *r, const cJSON *m)
{
	struct arena mem = { 0 };
	struct control_conf conf = { .strategy = (enum strategy)whole(m, "strategy"), .interval_us = whole(m, "interval"), .increase_after_us = whole(m, "after"),
		.increase_step_ma = (int32_t)whole(m, "step"), .rotate_every_us = whole(m, "rotate"), .rebalance_us = whole(m, "rebalance"),
		.margin = yes(m, "margin"), .resend_us = whole(m, "resend"), .on_meter_lost = (enum meter_lost)whole(m, "on_lost"),
		.meter_lost_after_us = whole(m, "lost_after"), .meter_lost_ma = (int32_t)whole(m, "lost_ma"), .voltage_mv = (int32_t)whole(m, "mv") };
	read_nodes(&mem, m, &conf);
	read_evses(&mem, m, &conf);
	read_others(&mem, m, &conf);
	int rc = fits(&conf);
	bool change = yes(m, "change");
	if (!rc && change && (!r->control || conf.n_nodes < r->control->site.parts.n_nodes || conf.n_meters < r->control->site.parts.n_meters ||
			      conf.n_evses < r->control->site.parts.n_evses))
		rc = ERR_SYNTAX;
	if (!rc && change) {
		control_change(r->control, &conf);
	} else if (!rc) {
		control_close(r->control);
		r->control = control_open(&conf, &events, r);
	}
	arena_free(&mem);
	return rc;
}

static int read_known(struct replay *r, const cJSON *m)
{
	struct slice state = json_text(m, "state");
	char *bytes = mem_new(state.n + 1);
	int n = state.p ? base64_parse(state, bytes, state.n) : ERR_SYNTAX;
	int rc = n < 0 ? ERR_SYNTAX : control_knows(r->control, bytes, (size_t)n);
	mem_free(bytes);
	return rc;
}

/* --- what was told --- */

static int told_meter(struct replay *r, const cJSON *m, int i)
{
	struct meter_sample s = { .at_us = whole(m, "t"), .power_w = real(m, "w"), .voltage_v = { real(m, "v1"), real(m, "v2"), real(m, "v3") },
				  .import_wh = real(m, "wh"), .export_wh = real(m, "wh_out") };
	three(m, "ma", s.ma.l);
	control_meter(r->control, i, &s);
	return 0;
}

static int told_cap(struct replay *r, const cJSON *m)
{
	struct arena mem = { 0 };
	struct cap_conf cap = { .node = (int)whole(m, "node"), .evse = (int)whole(m, "evse"), .power_w = whole(m, "power_w"), .devices = yes(m, "devices"),
		.surplus = yes(m, "surplus"), .reason = text(&mem, m, "reason"), .owner = text(&mem, m, "owner"), .until_us = moment(m, "until") };
	three(m, "line", cap.line.l);
	control_cap_put(r->control, (int)whole(m, "id"), &cap);
	arena_free(&mem);
	return 0;
}

static int told_evse(struct replay *r, const cJSON *m, struct slice what, int i)
{
	int64_t t = whole(m, "t");
	struct arena mem = { 0 };
	int32_t ma[3];
	if (slice_is(what, "link"))
		control_evse_link(r->control, i, yes(m, "is"), t);
	else if (slice_is(what, "state"))
		control_evse_state(r->control, i, (enum evse_state)whole(m, "is"), t);
	else if (slice_is(what, "tx"))
		control_evse_tx(r->control, i, yes(m, "is"), t);
	else if (slice_is(what, "woken"))
		control_evse_woken(r->control, i, t);
	else if (slice_is(what, "alone"))
		control_evse_alone(r->control, i, (int32_t)whole(m, "is"));
	else if (slice_is(what, "before"))
		control_evse_before(r->control, i, (int32_t)whole(m, "is"));
	else if (slice_is(what, "favour"))
		control_evse_favour(r->control, i, (int32_t)whole(m, "is"));
	else if (slice_is(what, "least"))
		control_evse_least(r->control, i, (int32_t)whole(m, "is"));
	else if (slice_is(what, "proved"))
		control_evse_proved(r->control, i, yes(m, "is"));
	else if (slice_is(what, "single"))
		control_evse_single(r->control, i, (enum single)whole(m, "is"));
	else if (slice_is(what, "answered"))
		control_evse_answered(r->control, i, (int32_t)whole(m, "ma"), yes(m, "ok"), t);
	else if (slice_is(what, "need"))
		control_evse_need(r->control, i, real(m, "wh"), whole(m, "leaves"));
	else if (slice_is(what, "profile"))
		control_evse_profile(r->control, i, (int32_t)whole(m, "ma"), text(&mem, m, "ref"), moment(m, "until"));
	else if (slice_is(what, "conduct"))
		control_evse_conduct(r->control, i, text(&r->mem, m, "is"));
	else if (slice_is(what, "draw"))
		three(m, "ma", ma), control_evse_draw(r->control, i, ma, real(m, "wh"), t);
	else
		return ERR_SYNTAX;
	arena_free(&mem);
	return 0;
}

static void order_text(const cJSON *m, char *out, size_t room)
{
	struct slice reason = json_text(m, "reason"), ref = json_text(m, "ref");
	snprintf(out, room, "EVSE %d %d mA%s (%.*s %.*s %d)", (int)whole(m, "i"), (int)whole(m, "ma"), yes(m, "wake") ? " awake" : "",
		 (int)reason.n, reason.p ? reason.p : "", (int)ref.n, ref.p ? ref.p : "", (int)whole(m, "phase"));
}

/* Lets the tick that waits pass. */
static int pass(struct replay *r)
{
	if (!r->ticks)
		return 0;
	r->ticks = false;
	r->at = 0;
	r->rc = 0;
	control_tick(r->control, r->tick_us);
	for (; r->at < r->n; r->at++) {
		char was[96];
		order_text(r->waiting[r->at], was, sizeof(was));
		if (cJSON_HasObjectItem(r->waiting[r->at], "out"))
			differs(r, was, "nothing");
	}
	for (size_t i = 0; i < r->n; i++)
		cJSON_Delete(r->waiting[i]);
	r->n = 0;
	return r->rc;
}

static void wait_for(struct replay *r, cJSON *m)
{
	if (r->n == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->waiting = mem_grow(r->waiting, r->room * sizeof(*r->waiting));
	}
	r->waiting[r->n++] = m;
}

static int told_again(struct replay *r, const cJSON *m)
{
	struct slice what = json_text(m, "in");
	int64_t i = whole(m, "i");
	if (slice_is(what, "wall")) {
		control_wall(r->control, whole(m, "offset"), yes(m, "trusted"));
		return 0;
	}
	if (slice_is(what, "cap"))
		return told_cap(r, m);
	if (slice_is(what, "cap_clear")) {
		control_cap_clear(r->control, (int)i);
		return 0;
	}
	bool meter = slice_is(what, "meter") || slice_is(what, "meter_failed");
	if (i < 0 || (size_t)i >= (meter ? control_meters(r->control) : control_evses(r->control)))
		return ERR_SYNTAX;
	if (slice_is(what, "meter"))
		return told_meter(r, m, (int)i);
	if (!meter)
		return told_evse(r, m, what, (int)i);
	struct arena mem = { 0 };
	control_meter_failed(r->control, (int)i, text(&mem, m, "why"));
	arena_free(&mem);
	return 0;
}

static int read_in(struct replay *r, const cJSON *m, struct slice what)
{
	int rc = pass(r);
	r->sum.inputs++;
	if (rc || slice_is(what, "open"))
		return rc ? rc : read_open(r, m);
	if (!r->control)
		return ERR_SYNTAX;
	if (slice_is(what, "known"))
		return read_known(r, m);
	if (!slice_is(what, "tick"))
		return told_again(r, m);
	r->sum.ticks++;
	r->ticks = true;
	r->tick_line = r->line;
	r->tick_us = whole(m, "t");
	return 0;
}

struct replay *replay_open(void)
{
	return NEW(struct replay);
}

void replay_close(struct replay *r)
{
	for (size_t i = 0; i < r->n; i++)
		cJSON_Delete(r->waiting[i]);
	control_close(r->control);
	arena_free(&r->mem);
	mem_free(r->waiting);
	mem_free(r);
}

int replay_line(struct replay *r, const char *line, size_t n)
{
	cJSON *m = json_parse((struct slice){ line, n });
	struct slice in = m ? json_text(m, "in") : (struct slice){ 0 };
	bool order = m && slice_is(json_text(m, "out"), "limit");
	int rc = ERR_SYNTAX;
	r->line++;
	if (r->ticks && (order || (in.p && yes(m, "sending")))) {
		r->sum.orders += order;
		r->sum.inputs += !order;
		wait_for(r, m);
		return 0;
	}
	if (in.p)
		rc = read_in(r, m, in);
	cJSON_Delete(m);
	return rc;
}

void replay_end(struct replay *r, struct replay_sum *out)
{
	r->ends = true;
	if (pass(r) != 0)
		differs(r, "something that cannot be told", "nothing");
	*out = r->sum;
}
