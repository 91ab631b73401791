/* The cabinet: registration with the CSMS, heartbeats, status of the whole, reset, and the division of what profiles allow among the EVSEs.
 *
 *   NONE --boot answered--> ACCEPTED, PENDING or REJECTED
 *   PENDING, REJECTED, no answer --interval--> boot again
 *   ACCEPTED --reset--> NONE; the link is dropped, and the next one boots
 *
 * A link that comes back without a reset in between does not boot again (1.6-J 5.4, 2.x Part 4 5.4). */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "station/inside.h"

/* More than this waiting, and a status for each EVSE, and the peer does not keep up: what tells a state is then dropped, what bills is in
 * its own queue. */
#define CALLS_MOST 64
#define INTERVAL_MOST_S (7 * 86400)          /* no CSMS means more */
#define BOOT_RETRY_US (60 * US_PER_S)        /* where the answer names no interval, or none came */
#define RESET_LATEST_US (5 * US_PER_S)       /* for the last messages of transactions to be answered; what is left is sent after the boot */
#define LIMITS_LOOK_US (60 * US_PER_S)       /* profiles follow wall time, which may be set: look again at least this often */

struct evse *station_evse(struct station *s, int evse)
{
	return evse >= 1 && evse <= s->conf.n_evses ? &s->evses[evse - 1] : NULL;
}

bool station_running(const struct station *s)
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (s->evses[i].tx)
			return true;
	}
	return false;
}

/* What is still to be told of transactions */

struct txns *station_txns(struct station *s, int evse)
{
	return &s->txns[s->n_txns > 1 ? evse - 1 : 0];
}

bool station_owes(const struct station *s, struct slice tx)
{
	for (int i = 0; i < s->n_txns; i++) {
		if (txns_waiting(&s->txns[i], tx))
			return true;
	}
	return false;
}

static int64_t messages_waiting(const struct station *s)
{
	int64_t n = 0;
	for (int i = 0; i < s->n_txns; i++)
		n += (int64_t)s->txns[i].count;
	return n;
}

static void flow(struct station *s, bool flowing)
{
	for (int i = 0; i < s->n_txns; i++)
		txns_flow(&s->txns[i], flowing);
}

/* Lane 0 is for everything else. */
static void open_txns(struct station *s)
{
	const struct station_conf *conf = &s->conf;
	bool each = conf->peer_inside && conf->n_evses > 0;
	s->n_txns = each ? conf->n_evses : 1;
	s->txns = mem_new((size_t)s->n_txns * sizeof(*s->txns));
	wire_open(&s->wire, conf->version, conf->call_timeout_us, conf->seed, each ? 1 + (unsigned)conf->n_evses : 1,
	          CALLS_MOST + 2 * (unsigned)conf->n_evses);
	for (int i = 0; i < s->n_txns; i++)
		txns_open(&s->txns[i], &s->wire, each ? 1 + (unsigned)i : 0, s->dialect, &charge_txns_events, s);
}

static void close_txns(struct station *s)
{
	flow(s, false);
	wire_close(&s->wire);
	for (int i = 0; i < s->n_txns; i++)
		txns_close(&s->txns[i]);
	mem_free(s->txns);
}

/* Limits */

static int32_t to_ma(double amps, int32_t most_ma)
{
	/* A thousandth of a milliampere forgives 0.1 A steps their binary form. */
	return amps * 1000 >= most_ma ? most_ma : (int32_t)floor(amps * 1000 + 1e-3);
}

/* What is allowed to the whole is divided evenly among the transactions, first come by number where it does not carry all of them at their
 * minimum (2.0.1 K04.FR.05 leaves the division to the station). */
static double share_of(double whole, int running, int place, int32_t min_ma)
{
	if (isinf(whole) || running == 0)
		return whole;
	double carried = min_ma > 0 ? floor(whole * 1000 / min_ma) : running;
	if (carried < running && carried > 0)
		running = (int)carried;
	return place < running ? whole / running : 0;
}

static void on_limits(void *arg)
{
	station_limits(arg);
}

void station_limits_soon(struct station *s)
{
	timer_set(&s->limits, 0, on_limits, s);
}

/* Power is on there, or about to be. */
static bool draws(const struct evse *e)
{
	return e->con.running || (e->authorised && e->con.in.plugged);
}

void station_limits(struct station *s)
{
	int64_t now_us = clock_wall_us(), until_us = INT64_MAX;
	struct allowed all = profiles_station_limit(&s->profiles, now_us, &until_us);
	double whole = all.amps;
	int running = 0, place = 0;
	for (int i = 0; i < s->conf.n_evses; i++)
		running += draws(&s->evses[i]);
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		struct profile_tx tx;
		charge_profile_tx(e, &tx);
		struct allowed own = profiles_evse_limit(&s->profiles, e->con.evse, &tx, now_us, &until_us);
		double amps = own.amps;
		double share = draws(e) ? share_of(whole, running, place++, s->conf.min_ma) : whole;
		e->limit_phases = own.phases == 1 ? 1 : 3;
		e->limit_ma = isinf(fmin(amps, share)) ? INT32_MAX : to_ma(fmin(amps, share), INT32_MAX - 1);
		connector_permit(&e->con, to_ma(fmin(amps, share), s->conf.max_ma));
		charge_rate(e);
	}
	if (!s->conf.n_evses && s->events->group)
		s->events->group(s->arg, whole, all.by ? all.by->id : -1, until_us);
	timer_cancel(&s->limits);
	if (until_us != INT64_MAX)
		timer_set(&s->limits, until_us - now_us < LIMITS_LOOK_US ? until_us - now_us : LIMITS_LOOK_US, on_limits, s);
}

/* Status and heartbeat */

void station_report_whole(struct station *s)
{
	struct event ev;
	if (!s->dialect->station_status || !s->link)
		return;
	event_init(&ev, EV_STATUS);
	ev.evse = 0;
	ev.state = s->inoperative ? EVSE_UNAVAILABLE : EVSE_AVAILABLE;
	ev.time_us = clock_wall_us();
	wire_tell(&s->wire, &ev);
}

static void on_heartbeat(void *arg)
{
	struct station *s = arg;
	station_heartbeat(s);
	station_heartbeat_changed(s);
}

void station_heartbeat(struct station *s)
{
	struct event ev;
	event_init(&ev, EV_HEARTBEAT);
	if (s->link)
		wire_tell(&s->wire, &ev);
}

void station_heartbeat_changed(struct station *s)
{
	if (station_talks(s))
		timer_set(&s->heartbeat, keys_int(&s->keys, KEY_HEARTBEAT) * US_PER_S, on_heartbeat, s);
}

/* Registration */

/* After a boot all is reported. After a while without a link: what changed, or all where that while was long (1.6 specification 4.9,
 * 2.0.1 B04). */
static void report_all(struct station *s, bool booted)
{
	int64_t offline_us = s->offline_since_us ? clock_mono_us() - s->offline_since_us : 0;
	bool all = booted || (!s->dialect->station_status && offline_us > keys_int(&s->keys, KEY_OFFLINE_THRESHOLD) * US_PER_S);
	if (booted)
		station_report_whole(s);
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (all || evse_report_due(&s->evses[i]))
			evse_report(&s->evses[i]);
	}
}

static void on_registered(struct station *s, bool booted)
{
	report_all(s, booted);
	profiles_online(&s->profiles, clock_wall_us());
	station_limits(s);
	s->networks.accepted = true;
	firmware_tell_outcome(s);
	security_flow(s);
	station_heartbeat_changed(s);
	flow(s, true);
	monitors_flow(s);
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (!e->tx && (e->con.in.plugged || e->authorised))
			charge_happened(e, "CablePluggedIn", "Other");
		grant_try(e);
	}
}

static void change_registration(struct station *s, enum registration r)
{
	static const char *const words[] = { "not registered", "pending", "rejected", "accepted" };
	if (r != s->registration)
		log_info(&s->log, "%s", words[r]);
	s->registration = r;
	if (r == REG_ACCEPTED)
		on_registered(s, true);
}

static void on_boot_due(void *arg)
{
	station_boot(arg);
}

static void take_interval(struct station *s, int64_t interval_s)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)interval_s);
	if (interval_s > 0)
		keys_preset(&s->keys, KEY_HEARTBEAT, text);
}

static void on_booted(void *arg, int err, const struct reply *r)
{
	struct station *s = arg;
	s->booting = false;
	if (s->closing || err == ERR_CLOSED)
		return; /* the next link boots */
	int64_t interval_s = err ? 0 : r->interval_s < INTERVAL_MOST_S ? r->interval_s : INTERVAL_MOST_S;
	int64_t wait_us = interval_s > 0 ? interval_s * US_PER_S : BOOT_RETRY_US;
	if (!err && slice_is(r->status, "Accepted")) {
		take_interval(s, interval_s);
		change_registration(s, REG_ACCEPTED);
		return;
	}
	if (err)
		log_warn(&s->log, "BootNotification: %s", err_text(err));
	else
		change_registration(s, slice_is(r->status, "Pending") ? REG_PENDING : REG_REJECTED);
	timer_set(&s->boot, wait_us, on_boot_due, s);
}

void station_boot(struct station *s)
{
	struct event ev;
	timer_cancel(&s->boot);
	if (s->booting)
		return;
	event_init(&ev, EV_BOOT);
	ev.vendor = slice_of(s->conf.vendor);
	ev.model = slice_of(s->conf.model);
	ev.serial = slice_of(s->conf.serial);
	ev.firmware = slice_of(s->conf.firmware);
	ev.boot_reason = slice_of(s->boot_reason);
	int err = wire_ask(&s->wire, &ev, NULL, on_booted, s);
	s->booting = !err;
	if (err)
		timer_set(&s->boot, BOOT_RETRY_US, on_boot_due, s);
}

/* Reset: transactions end, their last messages get a moment to be answered, the link is dropped, and what comes up is a booting station. */

static void reset_now(struct station *s)
{
	const struct reset_kind *kind = s->reset;
	s->reset = NULL;
	timer_cancel(&s->reset_latest);
	timer_cancel(&s->heartbeat);
	flow(s, false);
	s->boot_reason = kind->boot_reason;
	change_registration(s, REG_NONE);
	for (int i = 0; i < s->conf.n_evses; i++) {
		s->evses[i].reached = 0;
		connector_forget_use(&s->evses[i].con);
	}
	s->networks.accepted = false;
	network_choose(s);
	station_security_event(s, "ResetOrReboot", kind->boot_reason);
	if (s->link)
		link_close(s->link, 1000, "reset");
}

static void on_reset_latest(void *arg)
{
	reset_now(arg);
}

void station_reset(struct station *s, const struct reset_kind *kind)
{
	log_info(&s->log, "reset: %s", kind->word);
	s->reset_idle = NULL;
	s->reset = kind;
	timer_set(&s->reset_latest, RESET_LATEST_US, on_reset_latest, s);
	for (int i = 0; i < s->conf.n_evses; i++) {
		charge_end(&s->evses[i], "ResetCommand", kind->reason);
		if (s->evses[i].authorised)
			grant_end(&s->evses[i], "ResetCommand", kind->reason);
	}
	station_reset_if_due(s);
}

void station_reset_if_due(struct station *s)
{
	if (s->reset_idle && !station_running(s))
		station_reset(s, s->reset_idle);
	else if (s->reset && !station_running(s) && !station_owes(s, (struct slice){ 0 }) && !s->reporting)
		reset_now(s);
}

/* The link */

void station_link_up(struct station *s, struct link *l)
{
	assert(loop_is_mine());
	s->link = l;
	wire_link_up(&s->wire, l);
	if (s->registration == REG_ACCEPTED)
		on_registered(s, false);
	else
		station_boot(s);
}

void station_link_down(struct station *s)
{
	s->link = NULL;
	s->offline_since_us = clock_mono_us();
	profiles_offline(&s->profiles, clock_wall_us());
	timer_cancel(&s->boot);
	timer_cancel(&s->heartbeat);
	network_failed(s);
	/* Flow ends first: what the wire gives back must not be sent again at once. */
	flow(s, false);
	wire_link_down(&s->wire);
}

static void refuse_text(struct station *s, const struct frame_fault *fault)
{
	struct buf out = { 0 };
	log_warn(&s->log, "the CSMS sent what is no message: %s", fault->reason);
	if (!fault->is_call)
		return;
	frame_write_error(&out, fault->id, fault->code, fault->reason);
	int err = s->link ? link_send(s->link, buf_view(&out)) : 0;
	if (err)
		log_warn(&s->log, "no answer could be sent: %s", err_text(err));
	buf_free(&out);
}

void station_text(struct station *s, struct slice text)
{
	struct frame f;
	struct frame_fault fault;
	int err = frame_parse(&f, s->conf.version, text, &fault);
	if (err == FRAME_IGNORED)
		return;
	if (err) {
		refuse_text(s, &fault);
		return;
	}
	if (f.kind == FRAME_CALL)
		commands_on_call(s, &f);
	else if ((f.kind == FRAME_RESULT || f.kind == FRAME_ERROR) && !wire_answer(&s->wire, &f))
		log_debug(&s->log, "an answer to nothing that was asked");
	frame_done(&f);
}

void station_room(struct station *s)
{
	wire_room(&s->wire);
}

/* What the owner of the hardware says */

/* Whether it goes from three phases to one and back, which is known when its hardware is. */
static void note_switching(struct station *s)
{
	bool can = s->conf.n_evses > 0;
	for (int i = 0; i < s->conf.n_evses; i++)
		can = can && s->evses[i].con.in.single;
	if (!s->conf.knows_phases || can == s->switches_phases)
		return;
	s->switches_phases = can;
	keys_preset(&s->keys, KEY_SWITCHES_PHASES, can ? "true" : "false");
}

void station_input(struct station *s, int evse, const struct evse_input *in)
{
	struct evse *e = station_evse(s, evse);
	assert(e && loop_is_mine());
	evse_feed(e, in);
	note_switching(s);
}

void station_token(struct station *s, int evse, const char *token)
{
	struct evse *e = station_evse(s, evse);
	assert(e && loop_is_mine());
	grant_token(e, token);
}

/* The trigger that goes with a stop which the owner of the hardware asked for. */
static const char *trigger_of(const char *reason)
{
	if (strcmp(reason, "Local") == 0)
		return "StopAuthorized";
	return strcmp(reason, "Remote") == 0 ? "RemoteStop" : "AbnormalCondition";
}

void station_stop(struct station *s, int evse, const char *reason)
{
	struct evse *e = station_evse(s, evse);
	assert(e && loop_is_mine());
	if (e->authorised)
		grant_end(e, trigger_of(reason), reason);
	else
		charge_end(e, trigger_of(reason), reason);
}

void station_free(struct station *s, const char *token)
{
	s->conf.free_token = token;
	for (int i = 0; token && i < s->conf.n_evses; i++)
		grant_try(&s->evses[i]);
}

void station_view(const struct station *s, int evse, struct station_view *out)
{
	const struct evse *e = &s->evses[evse - 1];
	*out = (struct station_view){
		.booted = s->registration == REG_ACCEPTED,
		.online = s->link != NULL,
		.state = e->con.state,
		.running = e->tx != NULL,
		.authorised = e->authorised,
		.tx = e->tx ? e->tx->id : "",
		.token = e->tx ? e->tx->token : "",
		.limit_ma = e->limit_ma,
		.limit_phases = e->limit_phases,
		.start_wh = e->tx ? e->tx->start_wh : 0,
		.queued = messages_waiting(s),
		.cost = e->cost,
		.shown = e->shown ? e->shown : "",
	};
}

/* Life */

static void copy_text(struct station *s, const char **text)
{
	if (*text)
		*text = arena_text(&s->mem, slice_of(*text));
}

static void copy_rotations(struct station *s)
{
	size_t n = s->conf.rotations ? (size_t)s->conf.n_evses : 0;
	const char **own = arena_new(&s->mem, (n + 1) * sizeof(*own));
	for (size_t i = 0; i < n; i++)
		own[i] = arena_text(&s->mem, slice_of(s->conf.rotations[i]));
	s->conf.rotations = n ? own : NULL;
}

static void copy_conf(struct station *s, const struct station_conf *conf)
{
	s->conf = *conf;
	copy_text(s, &s->conf.id);
	copy_text(s, &s->conf.vendor);
	copy_text(s, &s->conf.model);
	copy_text(s, &s->conf.serial);
	copy_text(s, &s->conf.firmware);
	copy_text(s, &s->conf.free_token);
	copy_rotations(s);
}

static void preset_int(struct station *s, enum key key, int64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)value);
	keys_preset(&s->keys, key, text);
}

#define PROFILES_NO_FILES "Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
#define PROFILES_ALL "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"

/* "1.STR,2.TRS" (1.6 specification 9.1.7). By its letter one phase has no rotation; but only so the CSMS learns where the L1 of its meter values is. */
static void preset_rotation(struct station *s)
{
	struct buf text = { 0 };
	for (int i = 1; s->conf.rotations && i <= s->conf.n_evses; i++)
		buf_printf(&text, "%s%d.%s", i > 1 ? "," : "", i, s->conf.rotations[i - 1]);
	if (text.n)
		keys_preset(&s->keys, KEY_ROTATION_16, text.p);
	else if (s->conf.n_evses && s->conf.phases > 1)
		keys_preset(&s->keys, KEY_ROTATION_16, "Unknown");
	buf_free(&text);
}

static void preset_others(struct station *s)
{
	char phases[8];
	snprintf(phases, sizeof(phases), "%d", s->conf.phases);
	const struct station_preset own[] = { { "EVSE.SupplyPhases", phases }, { "SecurityCtrlr.Identity", s->conf.id }, { NULL, NULL } };
	const struct station_preset *const lists[] = { own, s->conf.presets };
	for (size_t i = 0; i < 2; i++) {
		for (const struct station_preset *p = lists[i]; p && p->name; p++) {
			int row = keys_find(1, slice_of(p->name));
			if (row < 0)
				row = keys_find(0, slice_of(p->name));
			assert(row >= 0);
			keys_preset(&s->keys, (size_t)row, p->value);
		}
	}
}

static void preset_keys(struct station *s)
{
	const struct station_conf *c = &s->conf;
	const char *files = c->host && c->host->file_protocols ? c->host->file_protocols : "";
	keys_open(&s->keys, s->dialect->names);
	preset_int(s, KEY_CONNECTORS, c->n_evses);
	preset_int(s, KEY_PHASES, c->phases);
	preset_int(s, KEY_SAMPLE_INTERVAL, c->sample_us / US_PER_S);
	if (c->heartbeat_us >= US_PER_S)
		preset_int(s, KEY_HEARTBEAT, c->heartbeat_us / US_PER_S);
	keys_preset(&s->keys, KEY_LOCAL_PRE_AUTHORIZE, c->authorize_local ? "true" : "false");
	keys_preset(&s->keys, KEY_VENDOR, c->vendor);
	keys_preset(&s->keys, KEY_MODEL, c->model);
	keys_preset(&s->keys, KEY_SERIAL, c->serial);
	keys_preset(&s->keys, KEY_FIRMWARE, c->firmware);
	preset_int(s, KEY_MESSAGE_TIMEOUT, c->call_timeout_us / US_PER_S);
	preset_int(s, KEY_SECURITY_PROFILE, c->security_profile);
	keys_preset(&s->keys, KEY_FILE_PROTOCOLS, files);
	keys_preset(&s->keys, KEY_FILE_PROTOCOLS_16, files);
	keys_preset(&s->keys, KEY_PROFILES_16, c->feature_profiles ? c->feature_profiles : files[0] ? PROFILES_ALL : PROFILES_NO_FILES);
	keys_preset(&s->keys, KEY_CONTROLLER_ID, c->id);
	keys_preset(&s->keys, KEY_CONTROLLER_VENDOR, c->vendor);
	keys_preset(&s->keys, KEY_CONTROLLER_MODEL, c->model);
	keys_preset(&s->keys, KEY_CONTROLLER_SERIAL, c->serial);
	if (c->connector_type)
		keys_preset(&s->keys, KEY_CONNECTOR_TYPE, c->connector_type);
	preset_rotation(s);
	preset_others(s);
}

/* What an earlier program kept, and what follows from it. */
static void recall(struct station *s)
{
	keep_recall(s);
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (s->inoperative || e->unavailable)
			connector_operative(&e->con, false);
	}
	network_choose(s);
	if (firmware_was_installed(s))
		s->boot_reason = "FirmwareUpdate";
}

struct station *station_open(const struct station_conf *conf, const struct station_events *events, void *arg)
{
	struct station *s = mem_new(sizeof(*s) + (size_t)conf->n_evses * sizeof(s->evses[0]));
	copy_conf(s, conf);
	s->events = events;
	s->arg = arg;
	s->dialect = dialect_of(conf->version);
	s->log = (struct log){ .key = "station", .value = s->conf.id };
	s->boot_reason = "PowerUp";
	preset_keys(s);
	profiles_open(&s->profiles, conf->phases);
	s->profiles.defaults_stack = s->dialect->defaults_stack;
	open_txns(s);
	schedule_open(s);
	display_open(s);
	monitors_open(s);
	security_open(s);
	reserve_open(s);
	s->authz.changed = keep_tokens;
	s->authz.arg = s;
	for (int i = 0; i < conf->n_evses; i++)
		evse_open(&s->evses[i], s, i + 1);
	recall(s);
	station_limits(s);
	model_changed(s);
	station_security_event(s, "StartupOfTheDevice", "");
	return s;
}

void station_close(struct station *s)
{
	s->closing = true;
	s->link = NULL;
	close_txns(s);
	for (int i = 0; i < s->conf.n_evses; i++)
		evse_close(&s->evses[i]);
	timer_cancel(&s->boot);
	timer_cancel(&s->heartbeat);
	timer_cancel(&s->limits);
	timer_cancel(&s->reset_latest);
	timer_cancel(&s->aligned);
	timer_cancel(&s->aligned_end);
	reserve_close(s);
	display_close(s);
	monitors_close(s);
	network_close(s);
	security_close(s);
	logs_close(s);
	firmware_close(s);
	schedule_close(s);
	profiles_close(&s->profiles);
	keys_close(&s->keys);
	authz_close(&s->authz);
	arena_free(&s->mem);
	mem_free(s);
}

struct station_reporting station_reporting(const struct station *s)
{
	return (struct station_reporting){ strtod(keys_text(&s->keys, KEY_LIMIT_SIGNIFICANCE), NULL), keys_bool(&s->keys, KEY_LIMIT_SCHEDULES) };
}
