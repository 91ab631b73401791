/* The verbs that look ahead: plan, words into changes, and a copy of the balancer into rows of now and then; need.set, what a driver says. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/zone.h"
#include "energy/plan.h"
#include "gateway/manage/command.h"
#include "gateway/manage/view.h"
#include "gateway/session/tap.h"

#define CHANGES_MOST 32
#define AFTER_S 300
#define AFTER_MOST_S 3600
#define CHAIN_SHOWN 64
#define WORK_MOST 100000 /* seconds times EVSEs: some tenths of a second, in which the loop does nothing else */

static double number_of(const cJSON *item)
{
	char *end;
	if (cJSON_IsNumber(item))
		return item->valuedouble;
	if (!cJSON_IsString(item))
		return NAN;
	double v = strtod(item->valuestring, &end);
	return *end || end == item->valuestring ? NAN : v;
}

static const char *const kinds[] = { "limit", "power", "arrive", "leave" };

static const char *name_of(const struct evse_view *v, char out[96])
{
	snprintf(out, 96, "%s/%d", v->station, v->evse);
	return out;
}

/* Who comes where somebody charges, or leaves where nobody does, would change nothing; the changes before are counted. */
static int check_car(struct command *c, const struct plan_change *before, size_t n, const struct plan_change *p)
{
	struct evse_view v;
	char name[96];
	control_evse_view(c->g->control, p->evse, &v);
	bool taken = v.running;
	for (size_t i = 0; i < n; i++)
		if (before[i].kind >= PLAN_ARRIVE && before[i].evse == p->evse)
			taken = before[i].kind == PLAN_ARRIVE;
	name_of(&v, name);
	if (p->kind == PLAN_ARRIVE && taken)
		return command_fail(c, COMMAND_USAGE, "arrive %s: a car charges there already; ask for leave %s, or for leave and then arrive, which is another car",
				    name, name);
	if (p->kind == PLAN_LEAVE && !taken)
		return command_fail(c, COMMAND_USAGE, "leave %s: no car charges there; ask for arrive %s", name, name);
	return COMMAND_OK;
}

/* One circuit or EVSE, as the kind of change takes it. */
static int find_object(struct command *c, const char *object, struct plan_change *out)
{
	out->node = control_find_node(c->g->control, object);
	out->evse = -1;
	if (out->node < 0) {
		out->node = -1;
		out->evse = command_evse(c->g, object);
	}
	if (out->node < 0 && out->evse < 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no circuit and no balanced EVSE is called '%s'", object);
	if (out->kind >= PLAN_ARRIVE && out->evse < 0)
		return command_fail(c, COMMAND_USAGE, "%s is about an EVSE, and '%s' is a circuit", kinds[out->kind], object);
	if (out->kind == PLAN_POWER && out->node < 0)
		return command_fail(c, COMMAND_USAGE, "power is about a circuit, and '%s' is an EVSE; limit takes it, in amperes", object);
	return COMMAND_OK;
}

static int read_value(struct command *c, const cJSON *item, const char *object, struct plan_change *out)
{
	const cJSON *given = cJSON_GetObjectItemCaseSensitive(item, "value");
	double value = number_of(given), most = out->kind == PLAN_LIMIT ? 10000 : 1e9;
	const char *unit = out->kind == PLAN_LIMIT ? "amperes" : "watts";
	if (out->kind >= PLAN_ARRIVE)
		return COMMAND_OK;
	if (!(value >= 0 && value <= most))
		return command_fail(c, COMMAND_USAGE, "%s %s: %s%s%s is no number of %s from 0 to %.0f", kinds[out->kind], object,
				    cJSON_IsString(given) ? "'" : "", cJSON_IsString(given) ? given->valuestring : "value",
				    cJSON_IsString(given) ? "'" : "", unit, most);
	if (out->kind == PLAN_LIMIT)
		out->ma = (int32_t)lrint(value * 1000);
	else
		out->power_w = (int64_t)value;
	return COMMAND_OK;
}

static int read_change(struct command *c, const cJSON *item, struct plan_change *before, size_t n)
{
	const cJSON *object = cJSON_GetObjectItemCaseSensitive(item, "object");
	struct slice kind = json_text(item, "kind");
	struct plan_change *out = &before[n];
	size_t k = 0;
	while (k < 4 && !(kind.p && slice_is(kind, kinds[k])))
		k++;
	if (k == 4 || !cJSON_IsString(object))
		return command_fail(c, COMMAND_USAGE, "a change has a kind (limit, power, arrive, leave) and an object");
	*out = (struct plan_change){ .kind = (enum plan_kind)k };
	int err = find_object(c, object->valuestring, out);
	if (!err)
		err = read_value(c, item, object->valuestring, out);
	return err || k < PLAN_ARRIVE ? err : check_car(c, before, n, out);
}

struct asked {
	struct gateway *g;
	struct json_writer *w;
	const struct plan_change *changes;
	size_t n;
	int64_t after_s, shortened_s; /* what was asked for, where it is more; else 0 */
};

static void write_evse(const struct asked *a, const struct control *then, int i)
{
	static const char phases[][3] = { "", "L1", "L2", "L3" };
	struct evse_view now, next;
	struct cap cap;
	control_evse_view(a->g->control, i, &now);
	control_evse_view(then, i, &next);
	if (!now.running && !next.running)
		return;
	jw_object(a->w, NULL);
	jw_string(a->w, "station", now.station);
	jw_int(a->w, "evse", now.evse);
	jw_number(a->w, "now_a", now.running ? now.grant.ma / 1000.0 : 0, 1);
	jw_number(a->w, "then_a", next.running ? next.grant.ma / 1000.0 : 0, 1);
	if (control_why(then, i, &cap, 1)) {
		jw_string(a->w, "reason", cap.reason);
		jw_string(a->w, "ref", cap.ref);
		jw_string(a->w, "phase", cap.phase ? phases[cap.phase] : NULL);
	}
	jw_end(a->w, '}');
}

static void remark(const struct asked *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void remark(const struct asked *a, const char *fmt, ...)
{
	char text[240];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	jw_string(a->w, NULL, text);
}

/* A limit that was raised, and another one that holds below it. */
static void remark_limit(const struct asked *a, const struct control *then, const struct plan_change *p)
{
	struct cap_conf caps[4];
	struct node_view v;
	int32_t holds = MA_NONE;
	control_node_view(then, p->node, &v);
	for (int l = 0; l < 3; l++)
		if (v.limit.l[l] > 0 && v.limit.l[l] < p->ma && v.limit.l[l] < holds)
			holds = v.limit.l[l];
	if (holds == MA_NONE)
		return;
	if (control_node_caps(then, p->node, caps, 4))
		remark(a, "%s stays at %g A: another limit holds (%s %s)", v.id, holds / 1000.0, caps[0].reason, caps[0].owner);
	else
		remark(a, "%s stays at %g A", v.id, holds / 1000.0);
}

/* Its own maximum is above what any limit gives. */
static void remark_most(const struct asked *a, const struct control *then, const struct plan_change *p)
{
	struct cap chain[CHAIN_SHOWN];
	struct evse_view v;
	char name[96];
	size_t n = control_why(then, p->evse, chain, CHAIN_SHOWN);
	control_evse_view(then, p->evse, &v);
	for (size_t i = 0; i < n; i++)
		if (strcmp(chain[i].reason, "evse_max") == 0 && chain[i].value_ma < p->ma)
			remark(a, "%s takes %g A at most, as it is configured", name_of(&v, name), chain[i].value_ma / 1000.0);
}

static void remark_arrival(const struct asked *a, const struct plan_change *p)
{
	struct evse_view v;
	char name[96];
	control_evse_view(a->g->control, p->evse, &v);
	if (!v.online)
		remark(a, "%s has no link now; this is what would happen if it had one", name_of(&v, name));
	else if (v.state == EVSE_FAULTED || v.state == EVSE_UNAVAILABLE)
		remark(a, "%s is %s now; this is what would happen if it were not", name_of(&v, name), v.state == EVSE_FAULTED ? "faulted" : "unavailable");
}

static void write_remarks(const struct asked *a, const struct control *then)
{
	jw_array(a->w, "remarks");
	if (!a->n)
		remark(a, "no change was asked for: this is what comes if all stays as it is");
	if (a->shortened_s)
		remark(a, "%lld s were asked for; with so many EVSEs it is looked %lld s ahead", (long long)a->shortened_s, (long long)a->after_s);
	for (size_t i = 0; i < a->n; i++) {
		const struct plan_change *p = &a->changes[i];
		if (p->kind == PLAN_LIMIT && p->node >= 0)
			remark_limit(a, then, p);
		else if (p->kind == PLAN_LIMIT)
			remark_most(a, then, p);
		else if (p->kind == PLAN_ARRIVE)
			remark_arrival(a, p);
	}
	jw_end(a->w, ']');
}

static void on_look(void *arg, const struct control *then)
{
	const struct asked *a = arg;
	jw_array(a->w, "circuits");
	for (size_t i = 0; i < control_nodes(then); i++) {
		struct node_view now, next;
		control_node_view(a->g->control, (int)i, &now);
		control_node_view(then, (int)i, &next);
		jw_object(a->w, NULL);
		jw_string(a->w, "id", next.id);
		view_amps(a->w, "limit_a", next.limit.l);
		view_amps(a->w, "now_a", now.planned.l);
		view_amps(a->w, "then_a", next.planned.l);
		jw_end(a->w, '}');
	}
	jw_end(a->w, ']');
	jw_array(a->w, "evses");
	for (size_t i = 0; i < control_evses(then); i++)
		write_evse(a, then, (int)i);
	jw_end(a->w, ']');
	write_remarks(a, then);
}

static int read_after(struct command *c, int64_t *after_us)
{
	const char *text = command_text(c, "after");
	if (text && (conf_duration(text, after_us) != 0 || *after_us < US_PER_S || *after_us > AFTER_MOST_S * US_PER_S))
		return command_fail(c, COMMAND_USAGE, "after is a duration from 1s to 1h, as in 5m, and '%s' is none", text);
	return COMMAND_OK;
}

int command_plan(struct command *c)
{
	struct plan_change changes[CHANGES_MOST];
	const cJSON *list = c->args ? cJSON_GetObjectItemCaseSensitive(c->args, "changes") : NULL, *item;
	int64_t after_us = AFTER_S * US_PER_S, evses = (int64_t)control_evses(c->g->control);
	struct asked a = { .g = c->g, .w = &c->w, .changes = changes };
	if (cJSON_GetArraySize(list) > CHANGES_MOST)
		return command_fail(c, COMMAND_USAGE, "more than %d changes", CHANGES_MOST);
	cJSON_ArrayForEach(item, list) {
		int err = read_change(c, item, changes, a.n);
		if (err)
			return err;
		a.n++;
	}
	int err = read_after(c, &after_us);
	if (err)
		return err;
	a.after_s = after_us / US_PER_S;
	if (a.after_s * evses > WORK_MOST) {
		a.shortened_s = a.after_s;
		a.after_s = WORK_MOST / evses;
	}
	jw_object(&c->w, NULL);
	jw_int(&c->w, "after_s", a.after_s);
	plan_run(c->g->control, changes, a.n, (int)a.after_s, on_look, &a);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

/* "17:30" is the next time that the clock of the site shows it; else a time with its date. */
static int read_leaves(const struct command *c, const char *text, int64_t *mono_us_out)
{
	int hours, minutes, used = 0;
	int64_t wall_us, now_us = clock_wall_us();
	if (sscanf(text, "%2d:%2d%n", &hours, &minutes, &used) == 2 && !text[used] && hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60) {
		int64_t local_us = now_us + zone_offset_us(c->g->zone, now_us), day_us = 86400 * US_PER_S;
		int64_t then_us = local_us / day_us * day_us + (hours * 60 + minutes) * 60 * US_PER_S;
		wall_us = zone_utc_us(c->g->zone, then_us > local_us ? then_us : then_us + day_us);
	} else if (time_parse(slice_of(text), &wall_us) != 0) {
		return ERR_SYNTAX;
	}
	*mono_us_out = clock_mono_us() + (wall_us - now_us);
	return wall_us > now_us ? 0 : ERR_INVALID;
}

int command_need_set(struct command *c)
{
	const cJSON *station = c->args ? cJSON_GetObjectItemCaseSensitive(c->args, "station") : NULL;
	struct slice leaves = c->args ? json_text(c->args, "leaves") : (struct slice){ 0 };
	const cJSON *wh = c->args ? cJSON_GetObjectItemCaseSensitive(c->args, "need_wh") : NULL;
	double need_wh = number_of(wh);
	int64_t leaves_us = 0;
	char text[40];
	if (!cJSON_IsString(station))
		return command_fail(c, COMMAND_USAGE, "station is missing");
	int evse = cJSON_HasObjectItem(c->args, "evse") ? control_find_evse(c->g->control, station->valuestring, (int)json_int(c->args, "evse", 1))
							: command_evse(c->g, station->valuestring);
	if (evse < 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no balanced EVSE is called '%s'", station->valuestring);
	if (wh && !cJSON_IsNull(wh) && !(need_wh > 0 && need_wh < 1e7))
		return command_fail(c, COMMAND_USAGE, "need_wh is a number of watt-hours");
	snprintf(text, sizeof(text), "%.*s", (int)(leaves.p && leaves.n < 40 ? leaves.n : 0), leaves.p ? leaves.p : "");
	if (leaves.p && read_leaves(c, text, &leaves_us) != 0)
		return command_fail(c, COMMAND_USAGE, "leaves is a time to come, as in 17:30 or 2026-03-02T17:30:00Z");
	struct evse_view v;
	control_evse_need(c->g->control, evse, need_wh, leaves_us);
	control_evse_view(c->g->control, evse, &v);
	struct session *s = session_find(c->g, v.station);
	if (s)
		tap_need(s, v.evse, need_wh, leaves_us);
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}
