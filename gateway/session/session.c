/* Stations' sessions: their links, their lanes, their lives. The states are drawn in session.h; what passes between the two is in passage.c. */
#include "gateway/session/session.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/offline/behind.h"
#include "gateway/offline/ledger.h"
#include "gateway/offline/owed.h"
#include "gateway/offline/refused.h"
#include "gateway/offline/replay.h"
#include "gateway/own/alarm.h"
#include "gateway/power/announce.h"
#include "gateway/power/csms-profiles.h"
#include "gateway/power/reported.h"
#include "gateway/session/deviations.h"
#include "gateway/session/learnt.h"
#include "gateway/session/passage.h"
#include "gateway/session/raised.h"
#include "gateway/session/tap.h"
#include "storage/outbox.h"
#include "storage/txs.h"

#define CALLS_MOST 64                        /* of one peer, waiting at once */
#define GROUP_CALLS_MOST 4096                /* of as many peers as a group has */

const char *session_state_text(enum session_state st)
{
	static const char *const names[] = { "offline", "connecting", "online", "island" };
	return names[st];
}

static void set_state(struct session *s, enum session_state state)
{
	if (s->state == state)
		return;
	log_debug(&s->log, "%s -> %s", session_state_text(s->state), session_state_text(state));
	s->state = state;
	s->since_us = clock_mono_us();
}

bool session_lane_is_up(const struct session *s)
{
	return s->lane.state == LANE_UP;
}

bool session_waits_for_lane(const struct session *s)
{
	return s->state == SESSION_ONLINE || s->state == SESSION_WAITING;
}

/* Room for the states up to this id; stations have one or two EVSEs, seldom more. */
static void grow_evses(struct session *s, int highest)
{
	s->evses = mem_grow(s->evses, (size_t)(highest + 1) * sizeof(*s->evses));
	while (s->n_evses < highest)
		s->evses[++s->n_evses] = (struct session_evse){ .control = -1, .tx_start_wh = NAN, .energy_wh = NAN, .power_w = NAN,
			.need_wh = NAN, .since_us = clock_mono_us() };
}

struct session_evse *session_evse(struct session *s, int evse)
{
	if (evse < 0 || evse > SESSION_EVSES)
		return NULL;
	if (evse > s->n_evses)
		grow_evses(s, evse);
	return &s->evses[evse];
}

/* --- the lane --- */

static bool mirrors(const struct session *s)
{
	return s->lane.uplink && uplink_conf(s->lane.uplink)->on_loss == ON_LOSS_MIRROR;
}

static void go_island(struct session *s, const struct link_end *why)
{
	const char *reason = why->reason ? why->reason : err_text(why->err);
	if (s->link && mirrors(s)) {
		log_info(&s->log, "no lane (%s): the station's link is closed as on_loss: mirror asks", reason);
		link_close(s->link, 1001, "the central system is not reachable");
	} else if (s->link) {
		log_info(&s->log, "served alone: %s", reason);
		set_state(s, SESSION_ISLAND);
	}
	calls_link_down(&s->to_csms, true);
	ledger_lane_down(s);
	csms_profiles_lane(s, false);
}

/* After an update the station may speak another version than its records: those go up first, on a lane of theirs (session_lane_review). */
static bool lane_is_of_old_version(const struct session *s)
{
	return s->lane.version != s->version;
}

/* What a station that is here gets from the lane as it is now. */
static void follow_lane(struct session *s)
{
	if (lane_is_of_old_version(s))
		set_state(s, SESSION_ISLAND);
	else
		set_state(s, session_lane_is_up(s) ? SESSION_ONLINE : s->lane.state == LANE_CONNECTING ? SESSION_WAITING : SESSION_ISLAND);
}

static void on_lane_up(void *owner)
{
	struct session *s = owner;
	if (s->link)
		follow_lane(s);
	learnt_taken_upwards(s);
	log_info(&s->log, "lane is up%s", lane_is_of_old_version(s) ? ", for records of an older version" : "");
	calls_link_up(&s->to_csms, s->lane.link);
	csms_profiles_lane(s, true);
	owed_pay(s);
}

/* What the standard has a security event for. */
static void tell_of_failure(struct session *s, const struct link_end *why)
{
	char info[160];
	const char *type = why->err == ERR_TLS && s->lane.uplink ? uplink_tls_event(s->lane.uplink) : NULL;
	if (type) {
		alarm_raise(s->gw, type, why->reason ? why->reason : "", s->conf->uplink);
	} else if (why->err == ERR_AUTH) {
		snprintf(info, sizeof(info), "%s: %s", s->conf->uplink_id, why->reason ? why->reason : "refused");
		alarm_raise(s->gw, "FailedToAuthenticateAtCsms", info, s->conf->uplink);
	}
}

static void on_lane_failed(void *owner, const struct link_end *why)
{
	struct session *s = owner;
	bool other = why->err == ERR_AUTH && learnt_refused_upwards(s);
	tell_of_failure(s, why);
	if (s->link && s->conf->password_relay && why->err == ERR_AUTH && !other) {
		log_info(&s->log, "the CSMS refuses the station's own credentials");
		link_close(s->link, 1008, "the central system refuses the credentials");
	}
	if (lane_is_of_old_version(s) && (why->err == ERR_PROTOCOL || why->code == 400 || why->code == 426))
		replay_give_up_version(s, s->lane.version);
	if (s->state == SESSION_WAITING)
		go_island(s, why);
}

static void on_lane_down(void *owner, const struct link_end *why)
{
	struct session *s = owner;
	log_info(&s->log, "lane went down: %s (code %d)", why->reason ? why->reason : err_text(why->err), why->code);
	replay_stop(s);
	owed_stop(s);
	behind_forget(s);
	go_island(s, why);
}

static void on_lane_room(void *owner)
{
	struct session *s = owner;
	calls_room(&s->to_csms);
}

static const struct lane_events lane_events = { on_lane_up, on_lane_failed, on_lane_down, passage_from_csms, on_lane_room };

static struct slice lane_password(const struct session *s)
{
	if (s->conf->password_relay)
		return s->credential;
	struct slice changed = learnt_upwards(s);
	return changed.p ? changed : slice_of(s->conf->uplink_password);
}

void session_password_changed(struct session *s)
{
	s->lane.password = lane_password(s);
}

/* That of the oldest record, else the station's own. */
static enum ocpp_version version_due(struct session *s)
{
	struct arena mem = { 0 };
	struct outbox_rec rec;
	bool waits = outbox_count(s->gw->store, s->id) > 0 && outbox_head(s->gw->store, s->id, &mem, &rec) == 0;
	enum ocpp_version due = waits ? (enum ocpp_version)rec.version : s->version;
	arena_free(&mem);
	return due;
}

static void open_lane(struct session *s)
{
	struct uplink *u = gateway_uplink(s->gw, s->conf->uplink);
	struct group *group = group_of(s);
	if (!u || s->lane.state != LANE_OFF)
		return;
	s->lane.identity = s->conf->uplink_id;
	s->lane.password = lane_password(s);
	s->lane.version = version_due(s);
	s->lane.events = &lane_events;
	s->lane.owner = s;
	if (group)
		group_join(group, s);
	else
		lane_open(&s->lane, u, &s->log);
}

static void shut_lane(struct session *s, const char *reason)
{
	replay_stop(s);
	owed_stop(s);
	behind_forget(s);
	calls_link_down(&s->to_csms, true);
	ledger_lane_down(s);
	lane_close(&s->lane, 1001, reason);
}

/* While records of an absent station wait, its lane stays open for them; a CSMS that keeps refusing them gets them set aside, which ends it. */
void session_lane_review(struct session *s)
{
	if (s->closed)
		return;
	bool wanted = s->link || outbox_count(s->gw->store, s->id) > 0;
	if (s->lane.state != LANE_OFF && (!wanted || s->lane.version != version_due(s)))
		shut_lane(s, wanted ? "messages of another OCPP version are due" : "the charging station is gone");
	if (wanted)
		open_lane(s);
	if (s->link)
		follow_lane(s);
}

/* --- the station's link --- */

static void on_station_room(void *owner, struct link *l)
{
	struct session *s = owner;
	(void)l;
	calls_room(&s->to_station);
}

static void link_lost(struct session *s)
{
	s->link = NULL;
	s->gw->connections--;
	s->booted = false;
	set_state(s, SESSION_AWAY);
	calls_link_down(&s->to_station, true);
	ledger_link_down(s);
	tap_link(s, false);
}

static void on_station_down(void *owner, struct link *l, const struct link_end *why)
{
	struct session *s = owner;
	log_info(&s->log, "station left after %llds, %llu messages in, %llu out: %s (code %d%s)", (long long)((clock_mono_us() - l->since_us) / US_PER_S),
	         (unsigned long long)l->messages_in, (unsigned long long)l->messages_out, why->reason ? why->reason : err_text(why->err), why->code,
	         why->by_us ? ", by us" : "");
	link_release(l);
	link_lost(s);
	session_lane_review(s);
}

static const struct link_events station_events = { NULL, passage_from_station, on_station_room, on_station_down };

static void replace_link(struct session *s)
{
	struct link *old = s->link;
	log_info(&s->log, "a new connection of the station replaces the one from %s", old->peer);
	link_close(old, 1000, "replaced by a newer connection");
	link_release(old);
	link_lost(s);
}

void session_attach(struct session *s, struct link *l)
{
	if (s->link)
		replace_link(s);
	l->events = &station_events;
	l->owner = s;
	s->link = l;
	s->link_number++;
	s->gw->connections++;
	log_info(&s->log, "station connected from %s, %s", l->peer, version_subprotocol(l->version));
	s->version = l->version;
	calls_link_up(&s->to_station, l);
	session_lane_review(s);
	tap_link(s, true);
	refused_resume(s);
}

/* --- life --- */

static void add_configured_evses(struct session *s)
{
	s->n_evses = -1;
	grow_evses(s, 0);
	for (int i = 1; i <= s->conf->evses && i <= SESSION_EVSES; i++) {
		int control = control_find_evse(s->gw->control, s->id, i);
		if (control >= 0)
			session_evse(s, i)->control = control;
	}
}

/* Transactions that ran when we ended run on: the station did not stop because we did. */
static void load_running(struct session *s)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	for (int i = 1; i <= s->n_evses; i++)
		if (tx_running(s->gw->store, s->id, i, &mem, &tx) == 0 && tx.station_tx)
			tap_tx_started(s, i, slice_of(tx.station_tx), slice_of(tx.token), tx.start_us, tx.start_wh);
	arena_free(&mem);
}

/* The uplink that shows its stations as one of this identity; NULL: none does. */
static const struct uplink_settings *group_settings(const struct gateway *g, struct slice identity)
{
	for (size_t i = 0; i < g->conf->n_uplinks; i++)
		if (g->conf->uplinks[i].mode == UPLINK_AGGREGATE && slice_is(identity, g->conf->uplinks[i].identity))
			return &g->conf->uplinks[i];
	return NULL;
}

static struct session *session_new(struct gateway *g, struct slice identity, const struct station_settings *conf, bool configured)
{
	struct session *s = NEW(struct session);
	s->gw = g;
	s->conf = conf;
	s->id = mem_text(identity);
	s->log = (struct log){ NULL, "station", s->id };
	s->configured = configured;
	int n_own;
	s->own = settings_own_station(g->conf, identity, &n_own);
	s->group = group_settings(g, identity);
	s->accepted = configured;
	s->interval_s = 300;
	s->since_us = clock_mono_us();
	calls_open(&s->to_station, s->group ? GROUP_CALLS_MOST : CALLS_MOST);
	calls_open(&s->to_csms, s->group ? GROUP_CALLS_MOST : CALLS_MOST);
	list_init(&s->held);
	list_init(&s->unstored);
	list_init(&s->behind.waiting);
	list_init(&s->replay.overdue);
	map_put(&g->sessions, identity, s);
	add_configured_evses(s);
	owed_load(s);
	load_running(s);
	csms_profiles_open(s);
	reported_open(s);
	learnt_load(s);
	raised_load(s);
	return s;
}

struct session *session_find(const struct gateway *g, const char *identity)
{
	return map_get(&g->sessions, slice_of(identity));
}

/* One of the box's own EVSEs, as the station it is towards the CSMS. */
static const struct station_settings *own_station(struct gateway *g, const struct evse_settings *own, int n)
{
	struct station_settings *st = arena_new(&g->strangers, sizeof(*st));
	*st = g->conf->station_defaults;
	st->id = st->uplink_id = own->station;
	st->name = NULL;
	st->circuit = own->circuit;
	st->rotation = own->rotation; /* of its first EVSE, as these two */
	st->phases = own->phases;
	memcpy(st->grid_phase, own->grid_phase, sizeof(st->grid_phase));
	st->evses = n;
	st->max_current_ma = own->current_ma;
	st->min_current_ma = settings_own_min_ma(own);
	st->fallback_current_ma = 0; /* it stops when we do, by its driver */
	st->dc = false;
	st->step_ma = 0;
	st->switch_phases_after_us = own->switch_phases_after_us;
	st->uplink = own->uplink;
	st->password = NULL;
	st->password_relay = false;
	st->uplink_password = own->uplink_password;
	return st;
}

/* A group, as the station it is towards the CSMS. */
static const struct station_settings *group_station(struct gateway *g, const struct uplink_settings *group)
{
	struct station_settings *st = arena_new(&g->strangers, sizeof(*st));
	*st = g->conf->station_defaults;
	st->id = st->uplink_id = group->identity;
	st->name = NULL;
	st->circuit = NULL;
	st->dc = false;
	st->evses = 0;
	st->uplink = group;
	st->password = NULL;
	st->password_relay = false;
	st->uplink_password = group->group_password;
	return st;
}

/* The box itself, as a station without EVSEs. NULL: it has no such identity. */
static const struct station_settings *box_as(struct gateway *g, struct slice identity)
{
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		const struct uplink_settings *u = &g->conf->uplinks[i];
		if (!u->own_identity || !slice_is(identity, u->own_identity))
			continue;
		struct station_settings *st = arena_new(&g->strangers, sizeof(*st));
		*st = g->conf->station_defaults;
		st->id = st->uplink_id = u->own_identity;
		st->name = NULL;
		st->circuit = NULL;
		st->evses = 0;
		st->uplink = u;
		st->password = NULL;
		st->password_relay = false;
		st->uplink_password = u->own_password;
		return st;
	}
	return NULL;
}

/* NULL: nobody of that name is in the configuration. */
static const struct station_settings *configured_as(struct gateway *g, struct slice identity)
{
	const struct station_settings *conf = settings_station(g->conf, identity);
	if (!conf)
		conf = box_as(g, identity);
	const struct uplink_settings *group = group_settings(g, identity);
	int n;
	const struct evse_settings *own = settings_own_station(g->conf, identity, &n);
	if (group && !conf && !own)
		return group_station(g, group);
	return conf || !own ? conf : own_station(g, own, n);
}

static const struct station_settings *stranger_as(struct gateway *g, struct slice identity)
{
	struct station_settings *stranger = settings_stranger(g->conf, identity, &g->strangers);
	if (g->conf->onboarding.mode != ONBOARDING_AUTO)
		stranger->uplink = NULL; /* answered Pending here until an installer has taken it in */
	return stranger;
}

struct session *session_of(struct gateway *g, struct slice identity)
{
	struct session *s = map_get(&g->sessions, identity);
	bool rejects = g->conf->onboarding.mode == ONBOARDING_REJECT;
	if (s)
		return s->configured || !rejects ? s : NULL;
	const struct station_settings *conf = configured_as(g, identity);
	if (!conf && rejects)
		return NULL;
	return session_new(g, identity, conf ? conf : stranger_as(g, identity), conf != NULL);
}

void sessions_open(struct gateway *g)
{
	for (size_t i = 0; i < g->conf->n_stations; i++)
		session_of(g, slice_of(g->conf->stations[i].id));
}

/* --- another configuration --- */

/* What the balancer has to know of an EVSE that it did not balance before. */
static void join_balancing(struct session *s, int evse, int control)
{
	struct session_evse *e = session_evse(s, evse);
	int64_t now = clock_mono_us();
	e->control = control;
	control_evse_link(s->gw->control, control, s->link != NULL, now);
	control_evse_state(s->gw->control, control, e->state, now);
	control_evse_tx(s->gw->control, control, e->tx[0] != '\0', now);
}

static void find_balanced(struct session *s)
{
	for (int i = 1; i <= s->conf->evses && i <= SESSION_EVSES; i++) {
		int control = control_find_evse(s->gw->control, s->id, i);
		if (control >= 0 && session_evse(s, i)->control != control)
			join_balancing(s, i, control);
	}
}

static bool needs_another_lane(const struct session *s, const struct station_settings *was)
{
	return s->lane.state != LANE_OFF && (s->lane.uplink != gateway_uplink(s->gw, s->conf->uplink) || !str_same(was->uplink_id, s->conf->uplink_id) ||
		!str_same(was->uplink_password, s->conf->uplink_password) || was->password_relay != s->conf->password_relay);
}

static void take_settings(struct session *s)
{
	const struct station_settings *conf = configured_as(s->gw, slice_of(s->id)), *was = s->conf;
	bool rejected = !conf && s->gw->conf->onboarding.mode == ONBOARDING_REJECT;
	s->conf = conf ? conf : stranger_as(s->gw, slice_of(s->id));
	int n_own;
	s->own = settings_own_station(s->gw->conf, slice_of(s->id), &n_own);
	s->group = group_settings(s->gw, slice_of(s->id));
	s->accepted = s->accepted || conf;
	s->configured = conf != NULL;
	if (conf)
		owed_unreject(s);
	find_balanced(s);
	if (needs_another_lane(s, was))
		shut_lane(s, "the configuration has changed");
	if (s->lane.state == LANE_OFF)
		s->lane.uplink = gateway_uplink(s->gw, s->conf->uplink); /* the one it was on last may be closed now */
	telemetry_station(s);
	if (s->link && rejected)
		link_close(s->link, 1008, "this station is not configured any more");
}

void sessions_take_settings(struct gateway *g)
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL)))
		take_settings(s);
	sessions_open(g);
}

void sessions_review_lanes(struct gateway *g)
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL)))
		session_lane_review(s);
}

static void drain_one(void *arg, const char *station)
{
	struct gateway *g = arg;
	struct session *s = session_of(g, slice_of(station));
	struct arena mem = { 0 };
	struct outbox_rec head;
	if (!s || s->link || s->lane.state != LANE_OFF)
		return;
	if (outbox_head(g->store, station, &mem, &head) == 0) {
		s->version = (enum ocpp_version)head.version;
		session_lane_review(s);
	}
	arena_free(&mem);
}

void sessions_drain(struct gateway *g)
{
	outbox_stations(g->store, drain_one, g);
}

static void session_close(struct session *s, const char *reason)
{
	s->closed = true;
	replay_stop(s);
	owed_stop(s);
	behind_forget(s);
	lane_close(&s->lane, 1001, reason);
	if (s->link) {
		struct link *l = s->link;
		link_close(l, 1001, reason);
		link_release(l);
		link_lost(s);
	}
	calls_close(&s->to_csms);
	calls_close(&s->to_station);
}

void sessions_close(struct gateway *g, const char *reason)
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL)))
		session_close(s, reason);
}

void sessions_free(struct gateway *g)
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL))) {
		csms_profiles_close(s->csms);
		reported_close(s);
		announce_close(s);
		deviations_free(s);
		ledger_close(s);
		mem_free((char *)s->id);
		learnt_free(s);
		raised_free(s);
		mem_free((char *)s->credential.p);
		mem_free((char *)s->credential_before.p);
		mem_free(s->evses);
		mem_free(s);
	}
	map_free(&g->sessions);
	arena_free(&g->strangers);
}

struct uplink *gateway_uplink(const struct gateway *g, const struct uplink_settings *conf)
{
	return conf ? g->uplinks[conf - g->conf->uplinks] : NULL;
}
