/* Verbs about why a current is what it is, and the operator's own limits.
 *
 * Easy to get wrong: people type one word for a circuit, a station or an EVSE of one, and a circuit of that name comes first. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "gateway/manage/command.h"
#include "gateway/manage/view.h"
#include "gateway/power/below.h"
#include "gateway/power/caps.h"
#include "gateway/power/explain.h"
#include "gateway/session/session.h"

/* --- why --- */

static void write_why_evse(struct command *c, int index)
{
	struct evse_view v;
	control_evse_view(c->g->control, index, &v);
	struct session *s = session_find(c->g, v.station);
	jw_object(&c->w, NULL);
	jw_string(&c->w, "timezone", c->g->conf->site.timezone);
	jw_string(&c->w, "station", v.station);
	jw_int(&c->w, "evse", v.evse);
	if (s)
		view_evse(s, v.evse, &c->w);
	view_chain(c->g, index, &c->w);
	explain_sharing(c->g, index, &c->w);
	jw_end(&c->w, '}');
}

static void write_why_circuit(struct command *c, int node)
{
	jw_object(&c->w, NULL);
	jw_string(&c->w, "timezone", c->g->conf->site.timezone);
	view_node(c->g, node, &c->w);
	jw_array(&c->w, "evses");
	for (size_t i = 0; i < control_evses(c->g->control); i++) {
		struct evse_view v;
		control_evse_view(c->g->control, (int)i, &v);
		if (below_is(&c->g->conf->circuits[v.node], &c->g->conf->circuits[node]) && v.running)
			write_why_evse(c, (int)i);
	}
	jw_end(&c->w, ']');
	jw_end(&c->w, '}');
}

int run_why(struct command *c)
{
	const char *object = command_text(c, "object");
	if (!object)
		object = c->g->conf->n_circuits ? c->g->conf->circuits[0].id : "";
	if (command_text(c, "since"))
		return command_write_history(c, object);
	int node = control_find_node(c->g->control, object), evse = command_evse(c->g, object);
	if (node >= 0)
		write_why_circuit(c, node);
	else if (evse >= 0)
		write_why_evse(c, evse);
	else
		return command_fail(c, COMMAND_NOT_FOUND, "no circuit and no balanced EVSE is called '%s'", object);
	return COMMAND_OK;
}

/* --- limits --- */

static int limit_object(struct command *c, struct cap_rec *cap, char name[80], int *node, int *evse)
{
	const char *circuit = command_text(c, "circuit"), *station = command_text(c, "station"), *object = command_text(c, "object");
	*node = *evse = -1;
	cap->object = name;
	if (object) { /* as people type it: a circuit, a station, or an EVSE of one */
		snprintf(name, 80, "%s", object);
		*node = control_find_node(c->g->control, object);
		*evse = *node < 0 ? command_evse(c->g, object) : -1;
		return *node < 0 && *evse < 0 ? command_fail(c, COMMAND_NOT_FOUND, "no circuit and no balanced EVSE is called '%s'", object) : COMMAND_OK;
	}
	if (circuit) {
		snprintf(name, 80, "%s", circuit);
		*node = control_find_node(c->g->control, circuit);
		return *node < 0 ? command_fail(c, COMMAND_NOT_FOUND, "no circuit '%s'", circuit) : COMMAND_OK;
	}
	if (!station)
		return command_fail(c, COMMAND_USAGE, "circuit, station or object is missing");
	snprintf(name, 80, "%s/%lld", station, (long long)json_int(c->args, "evse", 1));
	*evse = control_find_evse(c->g->control, station, (int)json_int(c->args, "evse", 1));
	return *evse < 0 ? command_fail(c, COMMAND_NOT_FOUND, "no balanced EVSE '%s'", name) : COMMAND_OK;
}

int run_limit_set(struct command *c)
{
	struct cap_rec cap = { .user = c->user, .reason = command_text(c, "reason") };
	char name[80];
	int node, evse;
	int64_t for_us = 0;
	double a = json_number(c->args, "limit_a", NAN);
	const char *duration = command_text(c, "for");
	int err = limit_object(c, &cap, name, &node, &evse);
	if (err)
		return err;
	if (!(a >= 0 && a <= 10000))
		return command_fail(c, COMMAND_USAGE, "limit_a is missing or not between 0 and 10000");
	if (!duration || conf_duration(duration, &for_us) != 0 || for_us <= 0)
		return command_fail(c, COMMAND_USAGE, "for is missing or no duration such as 2h");
	cap.ma = (int32_t)lrint(a * 1000);
	cap.until_us = clock_wall_us() + for_us;
	int id = caps_set(c->g, node, evse, &cap);
	jw_object(&c->w, NULL);
	jw_int(&c->w, "limit_id", id);
	jw_time(&c->w, "until", cap.until_us);
	jw_end(&c->w, '}');
	log_info(NULL, "%s limits %s to %.1f A for %s%s%s", c->user, name, a, duration, cap.reason ? ": " : "", cap.reason ? cap.reason : "");
	return COMMAND_OK;
}

int run_limit_clear(struct command *c)
{
	int id = (int)json_int(c->args, "limit_id", 0);
	if (caps_clear(c->g, id) != 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no limit %d", id);
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}

static void write_cap_rec(void *arg, const struct cap_rec *cap)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_int(w, "limit_id", cap->id);
	jw_string(w, "object", cap->object);
	jw_number(w, "limit_a", cap->ma / 1000.0, 3);
	jw_time(w, "until", cap->until_us);
	jw_string(w, "user", cap->user);
	jw_string(w, "reason", cap->reason);
	jw_end(w, '}');
}

int run_limit_list(struct command *c)
{
	jw_array(&c->w, NULL);
	caps_each(write_cap_rec, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}
