/* The verbs that look ahead: plan, words into changes, and a copy of the balancer into rows of now and then; need.set, what a driver says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/zone.h"
#include "energy/plan.h"
#include "gateway/manage/command.h"
#include "gateway/manage/view.h"

#define CHANGES_MOST 32
#define AFTER_S 300
#define AFTER_MOST_S 3600
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

static int read_change(struct command *c, const cJSON *item, struct plan_change *out)
{
	static const char *const kinds[] = { "limit", "power", "arrive", "leave" };
	const cJSON *object = cJSON_GetObjectItemCaseSensitive(item, "object");
	struct slice kind = json_text(item, "kind");
	double value = number_of(cJSON_GetObjectItemCaseSensitive(item, "value"));
	size_t k = 0;
	while (k < 4 && !(kind.p && slice_is(kind, kinds[k])))
		k++;
	if (k == 4 || !cJSON_IsString(object))
		return command_fail(c, COMMAND_USAGE, "a change has a kind (limit, power, arrive, leave) and an object");
	*out = (struct plan_change){ .kind = (enum plan_kind)k, .node = control_find_node(c->g->control, object->valuestring), .evse = -1 };
	if (out->node < 0) {
		out->node = -1;
		out->evse = command_evse(c->g, object->valuestring);
	}
	if (out->node < 0 && out->evse < 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no circuit and no balanced EVSE is called '%s'", object->valuestring);
	if (k >= PLAN_ARRIVE ? out->evse < 0 : k == PLAN_POWER && out->node < 0)
		return command_fail(c, COMMAND_USAGE, "%s is about %s", kinds[k], k >= PLAN_ARRIVE ? "an EVSE" : "a circuit");
	if (k < PLAN_ARRIVE && !(value >= 0 && value <= (k == PLAN_LIMIT ? 10000 : 1e9)))
		return command_fail(c, COMMAND_USAGE, "%s needs a value", kinds[k]);
	out->ma = k == PLAN_LIMIT ? (int32_t)lrint(value * 1000) : 0;
	out->power_w = k == PLAN_POWER ? (int64_t)value : 0;
	return COMMAND_OK;
}

struct asked {
	struct gateway *g;
	struct json_writer *w;
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
}

int command_plan(struct command *c)
{
	struct plan_change changes[CHANGES_MOST];
	const cJSON *list = c->args ? cJSON_GetObjectItemCaseSensitive(c->args, "changes") : NULL, *item;
	struct slice after = c->args ? json_text(c->args, "after") : (struct slice){ 0 };
	int64_t after_us = AFTER_S * US_PER_S;
	char text[32];
	size_t n = 0;
	if (cJSON_GetArraySize(list) > CHANGES_MOST)
		return command_fail(c, COMMAND_USAGE, "more than %d changes", CHANGES_MOST);
	cJSON_ArrayForEach(item, list) {
		int err = read_change(c, item, &changes[n++]);
		if (err)
			return err;
	}
	snprintf(text, sizeof(text), "%.*s", (int)(after.p ? after.n : 0), after.p ? after.p : "");
	if (after.p && (conf_duration(text, &after_us) != 0 || after_us < US_PER_S || after_us > AFTER_MOST_S * US_PER_S))
		return command_fail(c, COMMAND_USAGE, "after is a duration up to 1h");
	if (after_us / US_PER_S * (int64_t)control_evses(c->g->control) > WORK_MOST)
		after_us = WORK_MOST / (int64_t)control_evses(c->g->control) * US_PER_S;
	jw_object(&c->w, NULL);
	jw_int(&c->w, "after_s", after_us / US_PER_S);
	plan_run(c->g->control, changes, n, (int)(after_us / US_PER_S), on_look, &(struct asked){ c->g, &c->w });
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
	control_evse_need(c->g->control, evse, need_wh, leaves_us);
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}
