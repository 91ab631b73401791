/* The verbs. Handlers are short: they find their object, ask a module, and write what came out. */
#include "gateway/manage/command.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/conf/configuration.h"
#include "gateway/group/group.h"
#include "gateway/manage/call-help.h"
#include "gateway/manage/view.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/offline/replay.h"
#include "gateway/power/caps.h"
#include "gateway/power/explain.h"
#include "gateway/session/deviations.h"
#include "gateway/session/session.h"
#include "gateway/session/trace.h"
#include "storage/tokens.h"
#include "storage/txs.h"

#define LIST_MOST 1000
#define EXPORT_MOST 100 /* contents may be large */

static int fail(struct command *c, enum command_error err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(struct command *c, enum command_error err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
	return err;
}

int command_fail(struct command *c, enum command_error err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
	return err;
}

/* A text argument, or NULL. */
static const char *text_arg(const struct command *c, const char *name)
{
	const cJSON *item = c->args ? cJSON_GetObjectItemCaseSensitive(c->args, name) : NULL;
	return cJSON_IsString(item) ? item->valuestring : NULL;
}

const char *command_text(const struct command *c, const char *name)
{
	return text_arg(c, name);
}

struct session *command_station(struct command *c, int *err_out)
{
	const char *id = text_arg(c, "station");
	struct session *s = id ? session_find(c->g, id) : NULL;
	if (!id)
		*err_out = fail(c, COMMAND_USAGE, "station is missing");
	else if (!s)
		*err_out = fail(c, COMMAND_NOT_FOUND, "no station '%s' has been seen", id);
	return s;
}

/* --- views --- */

static int run_version(struct command *c)
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

static void write_stations(struct gateway *g, struct json_writer *w)
{
	size_t at = 0, n = 0;
	struct session *s, **all = mem_new((g->sessions.count + 1) * sizeof(struct session *));
	while ((s = map_next(&g->sessions, &at, NULL)))
		all[n++] = s;
	qsort(all, n, sizeof(struct session *), by_id);
	for (size_t i = 0; i < n; i++)
		write_station(all[i], w, false);
	mem_free(all);
}

static int run_station_list(struct command *c)
{
	jw_array(&c->w, NULL);
	write_stations(c->g, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

static int run_station_deviations(struct command *c)
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

static int run_station_show(struct command *c)
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
		pending += s->link && !s->accepted && !s->rejected;
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

static int run_status(struct command *c)
{
	struct json_writer *w = &c->w;
	jw_object(w, NULL);
	jw_string(w, "site", c->g->conf->site.id);
	jw_string(w, "timezone", c->g->conf->site.timezone);
	jw_string(w, "version", PACKAGE_VERSION);
	jw_int(w, "uptime_s", (clock_mono_us() - c->g->started_us) / US_PER_S);
	jw_bool(w, "clock_trusted", clock_trusted());
	jw_bool(w, "mqtt", telemetry_up());
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

static int run_circuit_list(struct command *c)
{
	write_list(c, control_nodes(c->g->control), view_node);
	return COMMAND_OK;
}

static int run_circuit_show(struct command *c)
{
	const char *id = text_arg(c, "circuit");
	int node = id ? control_find_node(c->g->control, id) : -1;
	if (node < 0)
		return id ? fail(c, COMMAND_NOT_FOUND, "no circuit '%s'", id) : fail(c, COMMAND_USAGE, "circuit is missing");
	jw_object(&c->w, NULL);
	view_node(c->g, node, &c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

static int run_meter_show(struct command *c)
{
	const char *id = text_arg(c, "meter");
	for (size_t i = 0; id && i < control_meters(c->g->control); i++) {
		struct meter_view v;
		control_meter_view(c->g->control, (int)i, clock_mono_us(), &v);
		if (strcmp(v.id, id) != 0)
			continue;
		jw_object(&c->w, NULL);
		view_meter(c->g, (int)i, &c->w);
		jw_end(&c->w, '}');
		return COMMAND_OK;
	}
	return id ? fail(c, COMMAND_NOT_FOUND, "no meter '%s'", id) : fail(c, COMMAND_USAGE, "meter is missing");
}

static int run_evse_show(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	int64_t n = json_int(c->args, "evse", 1);
	if (!s)
		return err;
	if (n < 1 || n > s->n_evses)
		return fail(c, COMMAND_NOT_FOUND, "station '%s' has no EVSE %lld", s->id, (long long)n);
	jw_object(&c->w, NULL);
	jw_string(&c->w, "station", s->id);
	jw_int(&c->w, "evse", n);
	view_evse(s, (int)n, &c->w);
	if (s->evses[n].control >= 0)
		view_chain(s->gw, s->evses[n].control, &c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

static int run_meter_list(struct command *c)
{
	write_list(c, control_meters(c->g->control), view_meter);
	return COMMAND_OK;
}

static void view_uplink_at(struct gateway *g, int i, struct json_writer *w)
{
	view_uplink(g, (size_t)i, w);
}

static int run_uplink_list(struct command *c)
{
	write_list(c, c->g->conf->n_uplinks, view_uplink_at);
	return COMMAND_OK;
}

static int run_uplink_map(struct command *c)
{
	const char *id = text_arg(c, "uplink");
	if (!id)
		return fail(c, COMMAND_USAGE, "uplink is missing");
	for (size_t i = 0; i < c->g->conf->n_uplinks; i++) {
		if (strcmp(c->g->conf->uplinks[i].id, id) != 0)
			continue;
		const struct group *group = group_find(c->g, id);
		if (!group)
			return fail(c, COMMAND_FORBIDDEN, "uplink '%s' is not of mode aggregate: every station keeps its own numbers", id);
		group_write_map(group, &c->w);
		return COMMAND_OK;
	}
	return fail(c, COMMAND_NOT_FOUND, "no uplink '%s'", id);
}

static int run_uplink_switch(struct command *c)
{
	const char *id = text_arg(c, "uplink");
	int64_t endpoint = json_int(c->args, "endpoint", 0);
	if (!id)
		return fail(c, COMMAND_USAGE, "uplink is missing");
	for (size_t i = 0; i < c->g->conf->n_uplinks; i++) {
		if (strcmp(c->g->conf->uplinks[i].id, id) != 0)
			continue;
		if (uplink_switch(c->g->uplinks[i], (int)endpoint - 1) != 0)
			return fail(c, COMMAND_NOT_FOUND, "uplink '%s' has no endpoint %lld", id, (long long)endpoint);
		jw_bool(&c->w, NULL, true);
		return COMMAND_OK;
	}
	return fail(c, COMMAND_NOT_FOUND, "no uplink '%s'", id);
}

/* --- why --- */

/* "G-07" or "G-07/2"; without a number the first EVSE. Index in energy/control, or negative. */
static int evse_named(const struct gateway *g, const char *object)
{
	char station[64];
	const char *slash = strrchr(object, '/');
	int64_t n = 1;
	if (slash && int_parse(slice_of(slash + 1), &n) == 0)
		snprintf(station, sizeof(station), "%.*s", (int)(slash - object), object);
	else
		snprintf(station, sizeof(station), "%s", object);
	return control_find_evse(g->control, station, (int)n);
}

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

static bool hangs_below(const struct gateway *g, int node, int top)
{
	const struct circuit_settings *c = &g->conf->circuits[node];
	for (; c; c = c->parent)
		if (c - g->conf->circuits == top)
			return true;
	return false;
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
		if (hangs_below(c->g, v.node, node) && v.running)
			write_why_evse(c, (int)i);
	}
	jw_end(&c->w, ']');
	jw_end(&c->w, '}');
}

static int run_why(struct command *c)
{
	const char *object = text_arg(c, "object");
	if (!object)
		object = c->g->conf->n_circuits ? c->g->conf->circuits[0].id : "";
	int node = control_find_node(c->g->control, object), evse = evse_named(c->g, object);
	if (node >= 0)
		write_why_circuit(c, node);
	else if (evse >= 0)
		write_why_evse(c, evse);
	else
		return fail(c, COMMAND_NOT_FOUND, "no circuit and no balanced EVSE is called '%s'", object);
	return COMMAND_OK;
}

/* --- queue and transactions --- */

struct listing { /* what a walk writes to */
	struct json_writer *w;
	int left;
	bool contents;
	const char *tx; /* NULL: of any transaction */
};

static bool write_record(void *arg, const struct outbox_rec *r)
{
	static const char *const states[] = { "unsent", "sent-unconfirmed", "parked" };
	static const char *const clocks[] = { "untrusted", "trusted", "corrected" };
	struct listing *l = arg;
	struct json_writer *w = l->w;
	if (l->tx && (!r->tx || strcmp(r->tx, l->tx) != 0))
		return true;
	jw_object(w, NULL);
	jw_int(w, "seq", r->seq);
	jw_string(w, "station", r->station);
	jw_string(w, "action", r->action);
	jw_string(w, "state", states[r->state]);
	jw_string(w, "message_id", r->message_id);
	jw_string(w, "tx", r->tx);
	jw_time(w, "at", r->wall_us);
	jw_int(w, "attempts", r->attempts);
	jw_int(w, "failures", r->failures);
	jw_string(w, "why", r->parked_why);
	if (l->contents) {
		jw_bool(w, "late", r->late);
		jw_string(w, "clock", clocks[r->clock]);
		jw_int(w, "mono_us", r->mono_us);
		jw_raw(w, "payload", r->payload.p ? r->payload : SLICE("null"));
	}
	jw_end(w, '}');
	return --l->left > 0;
}

static int write_queue(struct command *c, struct listing *l, const char *station, int64_t after)
{
	jw_array(&c->w, NULL);
	int err = outbox_each(c->g->store, station, after, write_record, l);
	jw_end(&c->w, ']');
	return err ? fail(c, COMMAND_FAILED, "the queue cannot be read: %s", err_text(err)) : COMMAND_OK;
}

static int run_queue_list(struct command *c)
{
	return write_queue(c, &(struct listing){ .w = &c->w, .left = LIST_MOST }, text_arg(c, "station"), json_int(c->args, "after", 0));
}

static int run_queue_export(struct command *c)
{
	return write_queue(c, &(struct listing){ .w = &c->w, .left = EXPORT_MOST, .contents = true }, text_arg(c, "station"), json_int(c->args, "after", 0));
}

struct wanted {
	struct listing list;
	int64_t seq;
	bool found;
};

static bool write_wanted(void *arg, const struct outbox_rec *r)
{
	struct wanted *want = arg;
	want->found = r->seq == want->seq;
	if (want->found)
		write_record(&want->list, r);
	return false;
}

static int run_queue_show(struct command *c)
{
	struct wanted want = { { .w = &c->w, .contents = true }, json_int(c->args, "seq", 0), false };
	int err = outbox_each(c->g->store, NULL, want.seq - 1, write_wanted, &want);
	if (err)
		return fail(c, COMMAND_FAILED, "the queue cannot be read: %s", err_text(err));
	return want.found ? COMMAND_OK : fail(c, COMMAND_NOT_FOUND, "no message %lld waits", (long long)want.seq);
}

static void on_parked(void *arg, int err, int64_t seq)
{
	struct command *c = arg;
	replay_kick_all(c->g);
	jw_bool(&c->w, NULL, err == 0);
	command_finish(c, !err ? COMMAND_OK : err == ERR_NOT_FOUND ? fail(c, COMMAND_NOT_FOUND, "no message %lld waits", (long long)seq)
	                                                            : fail(c, COMMAND_FAILED, "%s", err_text(err)));
}

static int run_queue_park(struct command *c)
{
	const char *reason = text_arg(c, "reason");
	int err = outbox_park(c->g->store, json_int(c->args, "seq", 0), reason ? reason : "by the operator", on_parked, c);
	return err ? fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

static void on_retry_stored(void *arg, int err, int64_t count)
{
	struct command *c = arg;
	(void)count;
	replay_kick_all(c->g);
	jw_bool(&c->w, NULL, err == 0);
	command_finish(c, err ? fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK);
}

static int run_queue_retry(struct command *c)
{
	int err = outbox_retry(c->g->store, text_arg(c, "station"), on_retry_stored, c);
	return err ? fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

static void write_moment(struct json_writer *w, const char *key, int64_t wall_us)
{
	if (wall_us)
		jw_time(w, key, wall_us);
	else
		jw_null(w, key);
}

static void write_tx_fields(struct listing *l, const struct tx_rec *t)
{
	char shown[TOKEN_SHOWN];
	jw_int(l->w, "seq", t->start_seq);
	jw_string(l->w, "station", t->station);
	jw_int(l->w, "evse", t->evse);
	jw_string(l->w, "tx", t->station_tx);
	jw_string(l->w, "csms_tx", t->csms_tx);
	jw_string(l->w, "token", t->token ? view_token(t->token, shown) : NULL);
	write_moment(l->w, "start", t->start_us);
	write_moment(l->w, "stop", t->stop_us);
	jw_number(l->w, "start_wh", t->start_wh, 3);
	jw_number(l->w, "stop_wh", t->stop_wh, 3);
	jw_string(l->w, "reason", t->stop_reason);
	jw_bool(l->w, "offline", t->offline);
	jw_bool(l->w, "confirmed", t->confirmed);
}

static bool write_tx(void *arg, const struct tx_rec *t)
{
	struct listing *l = arg;
	jw_object(l->w, NULL);
	write_tx_fields(l, t);
	jw_end(l->w, '}');
	return --l->left > 0;
}

static int run_tx_show(struct command *c)
{
	const char *station = text_arg(c, "station"), *tx = text_arg(c, "tx");
	struct arena mem = { 0 };
	struct tx_rec t;
	if (!station || !tx)
		return fail(c, COMMAND_USAGE, "station and tx are needed");
	int err = tx_by_station_id(c->g->store, station, tx, &mem, &t);
	if (err == ERR_NOT_FOUND)
		err = tx_by_csms_id(c->g->store, station, tx, &mem, &t);
	if (err == ERR_NOT_FOUND) {
		err = fail(c, COMMAND_NOT_FOUND, "station '%s' has no transaction '%s'", station, tx);
	} else if (err) {
		err = fail(c, COMMAND_FAILED, "the ledger cannot be read: %s", err_text(err));
	} else {
		struct listing l = { .w = &c->w, .left = LIST_MOST, .tx = t.station_tx };
		jw_object(&c->w, NULL);
		write_tx_fields(&l, &t);
		jw_array(&c->w, "queue");
		err = t.station_tx ? outbox_each(c->g->store, station, 0, write_record, &l) : 0;
		jw_end(&c->w, ']');
		jw_end(&c->w, '}');
		err = err ? fail(c, COMMAND_FAILED, "the queue cannot be read: %s", err_text(err)) : COMMAND_OK;
	}
	arena_free(&mem);
	return err;
}

static int run_tx_list(struct command *c)
{
	struct listing l = { .w = &c->w, .left = LIST_MOST };
	jw_array(&c->w, NULL);
	int err = tx_each(c->g->store, text_arg(c, "station"), json_int(c->args, "after", 0), write_tx, &l);
	jw_end(&c->w, ']');
	return err ? fail(c, COMMAND_FAILED, "the ledger cannot be read: %s", err_text(err)) : COMMAND_OK;
}

static bool write_token(void *arg, const struct token_rec *t)
{
	struct json_writer *w = arg;
	char shown[TOKEN_SHOWN], *token = mem_text(t->token);
	jw_object(w, NULL);
	jw_string(w, "token", view_token(token, shown));
	jw_string(w, "source", t->source == TOKEN_LIST ? "list" : "cache");
	jw_string(w, "status", t->status);
	write_moment(w, "expiry", t->expiry_us);
	jw_end(w, '}');
	mem_free(token);
	return true;
}

static int run_token_list(struct command *c)
{
	jw_array(&c->w, NULL);
	int err = token_each(c->g->store, write_token, &c->w);
	jw_end(&c->w, ']');
	return err ? fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK;
}

static void on_token_stored(void *arg, int err, int64_t value)
{
	struct command *c = arg;
	(void)value;
	jw_bool(&c->w, NULL, err == 0);
	command_finish(c, err ? fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK);
}

static int run_token_add(struct command *c)
{
	const char *token = text_arg(c, "token"), *status = text_arg(c, "status");
	if (!token || !*token || strlen(token) > 255)
		return fail(c, COMMAND_USAGE, "token is missing or longer than 255 characters");
	struct token_rec rec = { .source = TOKEN_LIST, .token = slice_of(token), .status = status ? status : "Accepted", .updated_us = clock_wall_us() };
	int err = token_put(c->g->store, &rec, on_token_stored, c);
	return err ? fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

static int run_token_del(struct command *c)
{
	const char *token = text_arg(c, "token");
	struct arena mem = { 0 };
	struct token_rec rec;
	if (!token || !*token)
		return fail(c, COMMAND_USAGE, "token is missing");
	int err = token_find(c->g->store, NULL, slice_of(token), clock_wall_us(), INT64_MAX, &mem, &rec);
	bool listed = !err && rec.source == TOKEN_LIST;
	arena_free(&mem);
	if (err && err != ERR_NOT_FOUND)
		return fail(c, COMMAND_FAILED, "%s", err_text(err));
	if (!listed)
		return fail(c, COMMAND_NOT_FOUND, "the local list has no such token");
	err = token_remove(c->g->store, TOKEN_LIST, slice_of(token), on_token_stored, c);
	return err ? fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

/* --- call --- */

static void on_call_answered(void *arg, struct call *call, int err, struct frame *answer)
{
	struct command *c = arg;
	(void)call;
	if (answer && answer->kind == FRAME_RESULT) {
		jw_raw(&c->w, NULL, answer->payload);
		command_finish(c, COMMAND_OK);
	} else if (answer) {
		command_finish(c, fail(c, COMMAND_FAILED, "%.*s: %.*s", SLICE_ARG(answer->code), SLICE_ARG(answer->description)));
	} else {
		command_finish(c, fail(c, err == ERR_TIMEOUT ? COMMAND_TIMEOUT : COMMAND_FAILED, "the station did not answer: %s", err_text(err)));
	}
}

/* The payload as text: as people type it, or, from a program, as the object it is. The caller frees it. NULL: something else. */
static char *payload_arg(const struct command *c)
{
	const cJSON *item = json_at(c->args, "payload");
	if (!item)
		return mem_strdup("{}");
	if (cJSON_IsObject(item))
		return cJSON_PrintUnformatted(item);
	cJSON *tree = cJSON_IsString(item) ? json_parse(slice_of(item->valuestring)) : NULL;
	char *text = cJSON_IsObject(tree) ? mem_strdup(item->valuestring) : NULL;
	cJSON_Delete(tree);
	return text;
}

static int run_call(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	const char *action = text_arg(c, "action");
	if (!s)
		return err;
	if (!action)
		return fail(c, COMMAND_USAGE, "action is missing");
	if (!s->link)
		return fail(c, COMMAND_FORBIDDEN, "station '%s' is not connected", s->id);
	char *payload = payload_arg(c);
	if (!payload)
		return fail(c, COMMAND_USAGE, "payload is not a JSON object");
	err = session_call(s, slice_of(action), slice_of(payload), on_call_answered, c);
	mem_free(payload);
	return err ? fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

static int run_call_help(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	const char *action = text_arg(c, "action");
	if (!s)
		return err;
	if (call_help_write(s->version, action, &c->w) != 0)
		return fail(c, COMMAND_NOT_FOUND, "%s has no action '%s'", version_subprotocol(s->version), action);
	return COMMAND_OK;
}

/* --- limits --- */

static int limit_object(struct command *c, struct cap_rec *cap, char name[80], int *node, int *evse)
{
	const char *circuit = text_arg(c, "circuit"), *station = text_arg(c, "station"), *object = text_arg(c, "object");
	*node = *evse = -1;
	cap->object = name;
	if (object) { /* as people type it: a circuit, a station, or an EVSE of one */
		snprintf(name, 80, "%s", object);
		*node = control_find_node(c->g->control, object);
		*evse = *node < 0 ? evse_named(c->g, object) : -1;
		return *node < 0 && *evse < 0 ? fail(c, COMMAND_NOT_FOUND, "no circuit and no balanced EVSE is called '%s'", object) : COMMAND_OK;
	}
	if (circuit) {
		snprintf(name, 80, "%s", circuit);
		*node = control_find_node(c->g->control, circuit);
		return *node < 0 ? fail(c, COMMAND_NOT_FOUND, "no circuit '%s'", circuit) : COMMAND_OK;
	}
	if (!station)
		return fail(c, COMMAND_USAGE, "circuit, station or object is missing");
	snprintf(name, 80, "%s/%lld", station, (long long)json_int(c->args, "evse", 1));
	*evse = control_find_evse(c->g->control, station, (int)json_int(c->args, "evse", 1));
	return *evse < 0 ? fail(c, COMMAND_NOT_FOUND, "no balanced EVSE '%s'", name) : COMMAND_OK;
}

static int run_limit_set(struct command *c)
{
	struct cap_rec cap = { .user = c->user, .reason = text_arg(c, "reason") };
	char name[80];
	int node, evse;
	int64_t for_us = 0;
	double a = json_number(c->args, "limit_a", NAN);
	const char *duration = text_arg(c, "for");
	int err = limit_object(c, &cap, name, &node, &evse);
	if (err)
		return err;
	if (!(a >= 0 && a <= 10000))
		return fail(c, COMMAND_USAGE, "limit_a is missing or not between 0 and 10000");
	if (!duration || conf_duration(duration, &for_us) != 0 || for_us <= 0)
		return fail(c, COMMAND_USAGE, "for is missing or no duration such as 2h");
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

static int run_limit_clear(struct command *c)
{
	int id = (int)json_int(c->args, "limit_id", 0);
	if (caps_clear(c->g, id) != 0)
		return fail(c, COMMAND_NOT_FOUND, "no limit %d", id);
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

static int run_limit_list(struct command *c)
{
	jw_array(&c->w, NULL);
	caps_each(write_cap_rec, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

/* --- trace --- */

struct trace_query {
	struct trace_filter filter;
	bool plain;
	int64_t left;
	struct json_writer *w;
};

static bool write_traced(void *arg, const struct trace_rec *r)
{
	struct trace_query *q = arg;
	struct buf line = { 0 };
	if (!trace_matches(&q->filter, r))
		return true;
	trace_write(r, q->plain, &line);
	jw_raw(q->w, NULL, buf_view(&line));
	buf_free(&line);
	return --q->left > 0;
}

static int run_trace(struct command *c)
{
	const char *verdict = text_arg(c, "verdict"), *since = text_arg(c, "since");
	int64_t since_us = 0;
	struct trace_query q = { .filter = { .station = text_arg(c, "station"), .action = text_arg(c, "action"), .verdict = -1 },
		.plain = json_bool(c->args, "raw", false), .left = json_int(c->args, "most", LIST_MOST), .w = &c->w };
	if (verdict && (q.filter.verdict = trace_verdict_parse(verdict)) < 0)
		return fail(c, COMMAND_USAGE, "no verdict '%s'", verdict);
	if (since && (conf_duration(since, &since_us) != 0 || since_us <= 0))
		return fail(c, COMMAND_USAGE, "since is no duration such as 10m");
	if (q.plain && c->role < ROLE_ADMIN)
		return fail(c, COMMAND_FORBIDDEN, "tokens are shown to administrators only");
	q.filter.since_us = since ? clock_wall_us() - since_us : 0;
	jw_array(&c->w, NULL);
	trace_each(json_int(c->args, "after", 0), write_traced, &q);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

static int run_refresh(struct command *c)
{
	telemetry_refresh();
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}

/* --- the table --- */

static const struct verb verbs[] = {
#define VERB(verb_name, verb_role, handler, arguments, text) { verb_name, verb_role, handler, arguments, text },
#include "gateway/manage/commands.def"
#undef VERB
};

const struct verb *command_table(size_t *n_out)
{
	*n_out = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}

const char *command_error_code(enum command_error e)
{
	switch (e) {
	case COMMAND_USAGE:
		return "invalid";
	case COMMAND_NOT_FOUND:
		return "not_found";
	case COMMAND_FORBIDDEN:
		return "forbidden";
	case COMMAND_TIMEOUT:
		return "timeout";
	case COMMAND_CONFIG:
		return "config_invalid";
	default:
		return "failed";
	}
}

void command_finish(struct command *c, enum command_error err)
{
	c->done(c->arg, err, err ? c->lines.n ? c->lines.p : c->detail : c->result.p ? c->result.p : "null");
	cJSON_Delete((cJSON *)c->args);
	mem_free((char *)c->user);
	buf_free(&c->result);
	buf_free(&c->lines);
	mem_free(c);
}

static const struct verb *verb_named(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int run(struct command *c, const char *name, struct slice args_json, enum role role)
{
	const struct verb *v = verb_named(name);
	if (!v)
		return fail(c, COMMAND_USAGE, "no verb '%s'", name);
	if (role < v->role)
		return fail(c, COMMAND_FORBIDDEN, "'%s' is not for your role", name);
	c->args = args_json.n ? json_parse(args_json) : NULL;
	if (args_json.n && !cJSON_IsObject(c->args))
		return fail(c, COMMAND_USAGE, "the arguments are not a JSON object");
	return v->run(c);
}

void command_run(struct gateway *g, const char *verb, struct slice args_json, enum role role, const char *user,
                 void (*done)(void *arg, enum command_error err, const char *json_or_detail), void *arg)
{
	struct command *c = NEW(struct command);
	c->g = g;
	c->user = mem_strdup(user);
	c->role = role;
	c->done = done;
	c->arg = arg;
	jw_open(&c->w, &c->result);
	int err = run(c, verb, args_json, role);
	if (err != COMMAND_LATER)
		command_finish(c, (enum command_error)err);
}
