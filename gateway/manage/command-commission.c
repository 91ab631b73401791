/* Verbs of commissioning, of work that takes a while, and the staged test of an uplink. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "gateway/conf/configuration.h"
#include "gateway/manage/command.h"
#include "gateway/manage/commission.h"
#include "gateway/manage/uplink-test.h"
#include "gateway/power/probe.h"
#include "gateway/session/session.h"

/* --- jobs --- */

int run_job_list(struct command *c)
{
	jw_array(&c->w, NULL);
	tasks_write(&c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

int run_job_show(struct command *c)
{
	int64_t id = json_int(c->args, "job", 0);
	return task_write((int)id, &c->w) == 0 ? COMMAND_OK : command_fail(c, COMMAND_NOT_FOUND, "no job %lld", (long long)id);
}

int run_job_stop(struct command *c)
{
	int64_t id = json_int(c->args, "job", 0);
	if (task_stop((int)id) != 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no job %lld", (long long)id);
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}

static int started(struct command *c, const struct task *t)
{
	jw_object(&c->w, NULL);
	jw_int(&c->w, "job", task_id(t));
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

/* --- stations --- */

/* What another station has beyond the defaults, as members of a flow map. */
static void write_like(const struct station_settings *like, struct buf *yaml)
{
	if (!like)
		return;
	buf_printf(yaml, ", max_current_a: %g, min_current_a: %g, fallback_current_a: %g, priority: %d", like->max_current_ma / 1000.0, like->min_current_ma / 1000.0,
		   like->fallback_current_ma / 1000.0, like->priority);
	if (like->uplink)
		buf_printf(yaml, ", uplink: %s", like->uplink->id);
}

int run_station_accept(struct command *c)
{
	const char *station = command_text(c, "station"), *circuit = command_text(c, "circuit"), *rotation = command_text(c, "rotation");
	const char *name = command_text(c, "name"), *like_id = command_text(c, "like");
	const struct station_settings *like = like_id ? settings_station(c->g->conf, slice_of(like_id)) : NULL;
	struct buf yaml = { 0 }, said = { 0 };
	if (!station || !conf_identity_ok(station))
		return command_fail(c, COMMAND_USAGE, "station is missing or no identity");
	if (settings_station(c->g->conf, slice_of(station)))
		return command_fail(c, COMMAND_FORBIDDEN, "station '%s' is in the configuration already", station);
	if (like_id && !like)
		return command_fail(c, COMMAND_NOT_FOUND, "no station '%s' in the configuration", like_id);
	if (!circuit && like && like->circuit)
		circuit = like->circuit->id;
	if (!circuit || !conf_id_ok(circuit))
		return command_fail(c, COMMAND_USAGE, "circuit is missing");
	if (rotation && (strlen(rotation) != 3 || strspn(rotation, "RST") != 3))
		return command_fail(c, COMMAND_USAGE, "rotation is one of RST, STR, TRS, RTS, SRT, TSR");
	buf_puts(&yaml, "stations:\n  ");
	json_quote(&yaml, slice_of(station)); /* JSON's quotes are YAML's */
	buf_printf(&yaml, ": {circuit: %s", circuit);
	if (rotation)
		buf_printf(&yaml, ", rotation: %s", rotation);
	if (name) {
		buf_puts(&yaml, ", name: ");
		json_quote(&yaml, slice_of(name));
	}
	write_like(like, &yaml);
	buf_puts(&yaml, "}\n");
	int err = config_set(buf_view(&yaml), c->user, "station.accept", &said), status = COMMAND_OK;
	if (err && said.n)
		buf_slice(&c->lines, buf_view(&said));
	if (err)
		status = command_fail(c, err == ERR_REFUSED ? COMMAND_FORBIDDEN : err == ERR_INVALID || err == ERR_SYNTAX ? COMMAND_CONFIG : COMMAND_FAILED, "%s", err_text(err));
	else
		jw_bool(&c->w, NULL, true);
	buf_free(&yaml);
	buf_free(&said);
	return status;
}

/* --- uplink --- */

static void on_tested(void *arg, const char *json)
{
	struct command *c = arg;
	jw_raw(&c->w, NULL, slice_of(json));
	command_finish(c, COMMAND_OK);
}

int run_uplink_test(struct command *c)
{
	const char *uplink = command_text(c, "uplink");
	int64_t endpoint = json_int(c->args, "endpoint", 1);
	if (!uplink)
		return command_fail(c, COMMAND_USAGE, "uplink is missing");
	int err = uplink_test(c->g, uplink, (int)endpoint - 1, command_text(c, "station"), on_tested, c);
	if (err == ERR_NOT_FOUND)
		return command_fail(c, COMMAND_NOT_FOUND, "uplink '%s' has no endpoint %lld", uplink, (long long)endpoint);
	return err ? command_fail(c, COMMAND_FAILED, "TLS cannot be set up: %s", err_text(err)) : COMMAND_LATER;
}

/* --- commissioning --- */

int run_commission_show(struct command *c)
{
	int err = commission_write(c->g, &c->w);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK;
}

int run_commission_report(struct command *c)
{
	int err = commission_report(c->g, &c->w);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK;
}

static void on_stored(void *arg, int err, int64_t value)
{
	struct command *c = arg;
	(void)value;
	jw_bool(&c->w, NULL, !err);
	command_finish(c, err ? (enum command_error)command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK);
}

int run_commission_reset(struct command *c)
{
	int err = commission_reset(c->g, on_stored, c);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

int run_commission_note(struct command *c)
{
	const char *step = command_text(c, "step"), *state = command_text(c, "state"), *note = command_text(c, "note");
	const cJSON *data = json_at(c->args, "data");
	if (!step || !commission_step_ok(step))
		return command_fail(c, COMMAND_USAGE, "step is missing or none of the commissioning");
	if (!state || (strcmp(state, "passed") != 0 && strcmp(state, "failed") != 0))
		return command_fail(c, COMMAND_USAGE, "state is passed or failed");
	if (note && strlen(note) > 2000)
		return command_fail(c, COMMAND_USAGE, "the note is longer than 2000 characters");
	char *text = data ? cJSON_PrintUnformatted(data) : NULL;
	int err = commission_note(c->g, step, state, c->user, note, slice_of(text), on_stored, c);
	cJSON_free(text);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

static int64_t seconds(struct command *c, const char *name, double preset, double most)
{
	double s = json_number(c->args, name, preset);
	return (int64_t)(fmin(fmax(s, 1), most) * US_PER_S);
}

int run_commission_meters(struct command *c)
{
	if (!control_meters(c->g->control))
		return command_fail(c, COMMAND_NOT_FOUND, "no meter is configured");
	return started(c, commission_meters(c->g, c->user, seconds(c, "seconds", 5, 60)));
}

int run_commission_identify(struct command *c)
{
	const char *station = command_text(c, "station");
	int evse = -1;
	if (station) {
		evse = control_find_evse(c->g->control, station, (int)json_int(c->args, "evse", 1));
		if (evse < 0)
			return command_fail(c, COMMAND_NOT_FOUND, "no balanced EVSE of station '%s'", station);
	}
	struct task *t = commission_identify(c->g, c->user, evse);
	return t ? started(c, t) : command_fail(c, COMMAND_FAILED, "no three-phase station charges now");
}

int run_commission_probe(struct command *c)
{
	const char *station = command_text(c, "station");
	int64_t evse = json_int(c->args, "evse", 1);
	if (!station)
		return command_fail(c, COMMAND_USAGE, "station is missing");
	if (evse < 1 || evse > SESSION_EVSES || control_find_evse(c->g->control, station, (int)evse) < 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no balanced EVSE %lld of station '%s'", (long long)evse, station);
	struct task *t = probe_station(c->g, c->user, station, (int)evse);
	return t ? started(c, t) : command_fail(c, COMMAND_FORBIDDEN, "no car charges at EVSE %lld of station '%s'", (long long)evse, station);
}

int run_commission_probed(struct command *c)
{
	int err = COMMAND_OK;
	const struct session *s = command_station(c, &err);
	if (!s)
		return err;
	return probed_write(c->g, s->id, &c->w) == 0 ? COMMAND_OK : command_fail(c, COMMAND_FAILED, "what was kept of station '%s' cannot be read", s->id);
}

int run_commission_limit(struct command *c)
{
	const char *circuit = command_text(c, "circuit");
	double a = json_number(c->args, "limit_a", NAN);
	int node = circuit ? control_find_node(c->g->control, circuit) : -1;
	if (!circuit)
		return command_fail(c, COMMAND_USAGE, "circuit is missing");
	if (node < 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no circuit '%s'", circuit);
	if (!(a >= 0 && a <= 10000))
		return command_fail(c, COMMAND_USAGE, "limit_a is missing or not between 0 and 10000");
	return started(c, commission_limit(c->g, c->user, node, (int32_t)lrint(a * 1000), seconds(c, "seconds", 60, 300)));
}

int run_commission_offline(struct command *c)
{
	const char *uplink = command_text(c, "uplink");
	for (size_t i = 0; i < c->g->conf->n_uplinks; i++)
		if (!uplink || strcmp(c->g->conf->uplinks[i].id, uplink) == 0)
			return started(c, commission_offline(c->g, c->user, i, seconds(c, "seconds", 120, 600)));
	return command_fail(c, COMMAND_NOT_FOUND, "no uplink '%s'", uplink ? uplink : "");
}
