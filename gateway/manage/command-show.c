/* Verbs that show what is there now: the whole in short, stations, circuits, meters, uplinks; and the two that turn an uplink to another endpoint and
 * have everything said again.
 *
 * Easy to get wrong: a list is for hundreds of stations and asks memory only; what has to be looked up on disk is for one object (`whole`). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/conf/configuration.h"
#include "gateway/group/group.h"
#include "gateway/manage/command.h"
#include "gateway/manage/view.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/session/deviations.h"
#include "gateway/session/session.h"
#include "storage/tokens.h"

int run_version(struct command *c)
{
	jw_object(&c->w, NULL);
	jw_string(&c->w, "version", PACKAGE_VERSION);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

/* The list that the CSMS sent it, as we keep it. */
static void write_local_list(struct session *s, struct json_writer *w)
{
	jw_object(w, "local_list");
	jw_int(w, "version", token_list_version(s->gw->store, s->id));
	jw_int(w, "entries", token_list_length(s->gw->store, s->id));
	jw_end(w, '}');
}

/* `whole`: with what has to be looked up on disk. */
static void write_station(struct session *s, struct json_writer *w, bool whole)
{
	jw_object(w, NULL);
	view_station(s, w);
	jw_array(w, "evses");
	for (int i = 1; i <= s->n_evses; i++) {
		jw_object(w, NULL);
		jw_int(w, "evse", i);
		view_evse(s, i, w);
		if (s->evses[i].control >= 0)
			view_chain(s->gw, s->evses[i].control, w);
		jw_end(w, '}');
	}
	jw_end(w, ']');
	if (whole)
		write_local_list(s, w);
	jw_end(w, '}');
}

/* Sessions in the order of their identities, so that lists can be compared. */
static int by_id(const void *a, const void *b)
{
	return strcmp((*(struct session *const *)a)->id, (*(struct session *const *)b)->id);
}

/* Connected, and nobody has said yet whether it may stay. */
static bool is_pending(const struct session *s)
{
	return s->link && !s->accepted && !s->rejected;
}

static void write_stations(struct gateway *g, bool pending, struct json_writer *w)
{
	size_t at = 0, n = 0;
	struct session *s, **all = mem_new((g->sessions.count + 1) * sizeof(struct session *));
	while ((s = map_next(&g->sessions, &at, NULL)))
		all[n++] = s;
	qsort(all, n, sizeof(struct session *), by_id);
	for (size_t i = 0; i < n; i++)
		if (!pending || is_pending(all[i]))
			write_station(all[i], w, false);
	mem_free(all);
}

int run_station_list(struct command *c)
{
	jw_array(&c->w, NULL);
	write_stations(c->g, json_bool(c->args, "pending", false), &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

int run_station_deviations(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	if (!s)
		return err;
	jw_array(&c->w, NULL);
	deviations_write(s, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

int run_station_show(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	if (s)
		write_station(s, &c->w, true);
	return err;
}

static void write_counts(struct gateway *g, struct json_writer *w)
{
	size_t at = 0;
	int online = 0, pending = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL))) {
		online += s->link != NULL;
		pending += is_pending(s);
	}
	jw_object(w, "stations");
	jw_int(w, "configured", (int64_t)(g->conf->n_stations + g->conf->n_evses));
	jw_int(w, "online", online);
	jw_int(w, "pending", pending);
	jw_end(w, '}');
}

static void write_storage(struct gateway *g, struct json_writer *w)
{
	struct store_stats st;
	store_get_stats(g->store, &st);
	jw_object(w, "storage");
	jw_string(w, "state", g->storage_spare ? "in_memory" : g->storage_failing ? "failing" : "ok");
	jw_int(w, "used_bytes", st.used_bytes);
	jw_int(w, "size_most_bytes", st.size_most);
	jw_int(w, "commits", (int64_t)st.commits);
	jw_int(w, "changes", (int64_t)st.jobs);
	jw_number(w, "last_commit_ms", (double)st.last_commit_us / 1000, 1);
	jw_end(w, '}');
}

static void write_config(struct json_writer *w)
{
	struct config_view v;
	config_view(&v);
	jw_object(w, "config");
	if (v.generation)
		jw_int(w, "generation", v.generation);
	else
		jw_null(w, "generation");
	jw_string(w, "state", v.safe_mode ? "safe_mode" : v.last_good ? "last_good" : v.fault ? "files_unusable" : "ok");
	jw_string(w, "fault", v.fault);
	jw_string(w, "restart", v.restart);
	if (v.confirm_until_us)
		jw_time(w, "confirm_until", v.confirm_until_us);
	jw_end(w, '}');
}

int run_status(struct command *c)
{
	struct json_writer *w = &c->w;
	jw_object(w, NULL);
	jw_string(w, "site", c->g->conf->site.id);
	jw_string(w, "timezone", c->g->conf->site.timezone);
	jw_string(w, "version", PACKAGE_VERSION);
	jw_int(w, "uptime_s", (clock_mono_us() - c->g->started_us) / US_PER_S);
	jw_bool(w, "clock_trusted", clock_trusted());
	view_mqtt(c->g, w);
	write_config(w);
	write_counts(c->g, w);
	write_storage(c->g, w);
	if (control_nodes(c->g->control))
		view_site(c->g, w);
	jw_array(w, "meters");
	for (size_t i = 0; i < control_meters(c->g->control); i++) {
		jw_object(w, NULL);
		view_meter(c->g, (int)i, w);
		jw_end(w, '}');
	}
	jw_end(w, ']');
	jw_end(w, '}');
	return COMMAND_OK;
}

static void write_list(struct command *c, size_t n, void (*view)(struct gateway *g, int i, struct json_writer *w))
{
	jw_array(&c->w, NULL);
	for (size_t i = 0; i < n; i++) {
		jw_object(&c->w, NULL);
		view(c->g, (int)i, &c->w);
		jw_end(&c->w, '}');
	}
	jw_end(&c->w, ']');
}

int run_circuit_list(struct command *c)
{
	write_list(c, control_nodes(c->g->control), view_node);
	return COMMAND_OK;
}

int run_circuit_show(struct command *c)
{
	const char *id = command_text(c, "circuit");
	int node = id ? control_find_node(c->g->control, id) : -1;
	if (node < 0)
		return id ? command_fail(c, COMMAND_NOT_FOUND, "no circuit '%s'", id) : command_fail(c, COMMAND_USAGE, "circuit is missing");
	jw_object(&c->w, NULL);
	view_node(c->g, node, &c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

int run_meter_show(struct command *c)
{
	const char *id = command_text(c, "meter");
	int meter = id ? control_find_meter(c->g->control, id) : -1;
	if (meter < 0)
		return id ? command_fail(c, COMMAND_NOT_FOUND, "no meter '%s'", id) : command_fail(c, COMMAND_USAGE, "meter is missing");
	jw_object(&c->w, NULL);
	view_meter_whole(c->g, meter, &c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

int run_evse_show(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	int64_t n = json_int(c->args, "evse", 1);
	if (!s)
		return err;
	if (n < 1 || n > s->n_evses)
		return command_fail(c, COMMAND_NOT_FOUND, "station '%s' has no EVSE %lld", s->id, (long long)n);
	if (command_text(c, "since")) {
		char name[72];
		snprintf(name, sizeof(name), "%s/%lld", s->id, (long long)n);
		return command_write_history(c, name);
	}
	jw_object(&c->w, NULL);
	jw_string(&c->w, "station", s->id);
	jw_int(&c->w, "evse", n);
	view_evse(s, (int)n, &c->w);
	if (s->evses[n].control >= 0)
		view_chain(s->gw, s->evses[n].control, &c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

int run_meter_list(struct command *c)
{
	write_list(c, control_meters(c->g->control), view_meter);
	return COMMAND_OK;
}

static void view_uplink_at(struct gateway *g, int i, struct json_writer *w)
{
	view_uplink(g, (size_t)i, w);
}

int run_uplink_list(struct command *c)
{
	write_list(c, c->g->conf->n_uplinks, view_uplink_at);
	return COMMAND_OK;
}

int run_uplink_map(struct command *c)
{
	const char *id = command_text(c, "uplink");
	if (!id)
		return command_fail(c, COMMAND_USAGE, "uplink is missing");
	for (size_t i = 0; i < c->g->conf->n_uplinks; i++) {
		if (strcmp(c->g->conf->uplinks[i].id, id) != 0)
			continue;
		const struct group *group = group_find(c->g, id);
		if (!group)
			return command_fail(c, COMMAND_FORBIDDEN, "uplink '%s' is not of mode aggregate: every station keeps its own numbers", id);
		group_write_map(group, &c->w);
		return COMMAND_OK;
	}
	return command_fail(c, COMMAND_NOT_FOUND, "no uplink '%s'", id);
}

int run_uplink_switch(struct command *c)
{
	const char *id = command_text(c, "uplink");
	int64_t endpoint = json_int(c->args, "endpoint", 0);
	if (!id)
		return command_fail(c, COMMAND_USAGE, "uplink is missing");
	for (size_t i = 0; i < c->g->conf->n_uplinks; i++) {
		if (strcmp(c->g->conf->uplinks[i].id, id) != 0)
			continue;
		if (uplink_switch(c->g->uplinks[i], (int)endpoint - 1) != 0)
			return command_fail(c, COMMAND_NOT_FOUND, "uplink '%s' has no endpoint %lld", id, (long long)endpoint);
		jw_bool(&c->w, NULL, true);
		return COMMAND_OK;
	}
	return command_fail(c, COMMAND_NOT_FOUND, "no uplink '%s'", id);
}

int run_refresh(struct command *c)
{
	telemetry_refresh();
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}
