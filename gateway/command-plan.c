/* The verb plan: words into changes, and a copy of the balancer into rows of now and then. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "energy/plan.h"
#include "gateway/command.h"
#include "gateway/view.h"

#define CHANGES_MOST 32
#define AFTER_S 300
#define AFTER_MOST_S 3600
#define WORK_MOST 100000 /* seconds times EVSEs: some tenths of a second, in which the loop does nothing else */

static int fail(struct command *c, enum command_error err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(struct command *c, enum command_error err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
	return err;
}

/* "G-07" or "G-07/2". */
static int evse_named(const struct control *c, const char *object)
{
	char station[64];
	const char *slash = strrchr(object, '/');
	int64_t n = 1;
	if (slash && int_parse(slice_of(slash + 1), &n) == 0)
		snprintf(station, sizeof(station), "%.*s", (int)(slash - object), object);
	else
		snprintf(station, sizeof(station), "%s", object);
	return control_find_evse(c, station, (int)n);
}

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
		return fail(c, COMMAND_USAGE, "a change has a kind (limit, power, arrive, leave) and an object");
	*out = (struct plan_change){ .kind = (enum plan_kind)k, .node = control_find_node(c->g->control, object->valuestring), .evse = -1 };
	if (out->node < 0) {
		out->node = -1;
		out->evse = evse_named(c->g->control, object->valuestring);
	}
	if (out->node < 0 && out->evse < 0)
		return fail(c, COMMAND_NOT_FOUND, "no circuit and no balanced EVSE is called '%s'", object->valuestring);
	if (k >= PLAN_ARRIVE ? out->evse < 0 : k == PLAN_POWER && out->node < 0)
		return fail(c, COMMAND_USAGE, "%s is about %s", kinds[k], k >= PLAN_ARRIVE ? "an EVSE" : "a circuit");
	if (k < PLAN_ARRIVE && !(value >= 0 && value <= (k == PLAN_LIMIT ? 10000 : 1e9)))
		return fail(c, COMMAND_USAGE, "%s needs a value", kinds[k]);
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
		return fail(c, COMMAND_USAGE, "more than %d changes", CHANGES_MOST);
	cJSON_ArrayForEach(item, list) {
		int err = read_change(c, item, &changes[n++]);
		if (err)
			return err;
	}
	snprintf(text, sizeof(text), "%.*s", (int)(after.p ? after.n : 0), after.p ? after.p : "");
	if (after.p && (conf_duration(text, &after_us) != 0 || after_us < US_PER_S || after_us > AFTER_MOST_S * US_PER_S))
		return fail(c, COMMAND_USAGE, "after is a duration up to 1h");
	if (after_us / US_PER_S * (int64_t)control_evses(c->g->control) > WORK_MOST)
		after_us = WORK_MOST / (int64_t)control_evses(c->g->control) * US_PER_S;
	jw_object(&c->w, NULL);
	jw_int(&c->w, "after_s", after_us / US_PER_S);
	plan_run(c->g->control, changes, n, (int)(after_us / US_PER_S), on_look, &(struct asked){ c->g, &c->w });
	jw_end(&c->w, '}');
	return COMMAND_OK;
}
