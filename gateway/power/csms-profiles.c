/* Names in the kept store, per station: profile/ID; the value is "EVSE TIME", newline, the payload it came in, where TIME is when it was
 * accepted: a schedule without a start begins then. update/ID: the values of a dynamic profile since its last update, "TIME", newline, JSON.
 *
 * Easy to get wrong: a remote start carries its profile before there is a transaction, so it waits for the one that follows. */
#include "gateway/power/csms-profiles.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "energy/profile.h"
#include "gateway/power/limits.h"
#include "ocpp/catalogue.h"
#include "ocpp/dialect.h"
#include "ocpp/profile-read.h"
#include "ocpp/profile.h"
#include "storage/kept.h"

#define LOOK_US (60 * US_PER_S)         /* schedules follow wall time, which may be set: look again at least this often */
#define START_WAITS_US (600 * US_PER_S) /* a remote start that nobody followed is forgotten */

/* A profile as it came, for reports. */
struct raw {
	struct list entry;
	int64_t id;
	struct slice payload;         /* of its SetChargingProfile; owned */
};

struct csms_profiles {
	struct session *s;
	struct profiles installed;
	struct list raws;
	struct timer look;
	bool priority[SESSION_EVSES + 1];
	int meant[SESSION_EVSES + 1]; /* for one phase: 1 and the number of that, if one is named; else 0 */
	struct {
		struct slice payload; /* owned; absent: none waits */
		int evse;             /* -1: any */
		int64_t until_us;     /* monotonic */
	} start;
};

static void kept_name(int64_t id, char name[40])
{
	snprintf(name, 40, "profile/%lld", (long long)id);
}

static void raw_forget(struct csms_profiles *c, int64_t id)
{
	LIST_WALK(&c->raws, struct raw, entry, r) {
		if (r->id != id)
			continue;
		list_remove(&r->entry);
		mem_free((char *)r->payload.p);
		mem_free(r);
	}
}

static void raw_note(struct csms_profiles *c, int64_t id, struct slice payload)
{
	struct raw *r = NEW(struct raw);
	raw_forget(c, id);
	r->id = id;
	r->payload = (struct slice){ mem_text(payload), payload.n };
	list_append(&c->raws, &r->entry);
}

static void on_gone(void *arg, int64_t id)
{
	struct csms_profiles *c = arg;
	char name[40];
	raw_forget(c, id);
	kept_name(id, name);
	int err = kept_remove(c->s->gw->store, c->s->id, name, NULL, NULL);
	if (err)
		log_error(&c->s->log, "%s could not be removed: %s", name, err_text(err));
	snprintf(name, sizeof(name), "update/%lld", (long long)id);
	if (kept_remove(c->s->gw->store, c->s->id, name, NULL, NULL) != 0)
		log_error(&c->s->log, "%s could not be removed", name);
}

static struct profile_tx tx_on(const struct session *s, int evse)
{
	const struct session_evse *e = evse <= s->n_evses ? &s->evses[evse] : NULL;
	if (!e)
		return (struct profile_tx){ 0 };
	return (struct profile_tx){ .running = e->tx[0], .priority = s->csms->priority[evse], .start_us = e->tx_since_us, .soc_percent = e->soc_percent };
}

/* The station may come with another version than the last time. */
static struct profiles *profiles_of(const struct session *s)
{
	s->csms->installed.defaults_stack = dialect_of(s->version)->defaults_stack;
	return &s->csms->installed;
}

/* --- what they allow --- */

/* The CSMS speaks of the car's side, we of the grid's. */
static double of_grid(const struct session *s, double amps)
{
	return amps / settings_wire_share(s->gw->conf, s->conf);
}

static void tell_control(struct csms_profiles *c, int control, struct allowed a, int64_t now_us, int64_t until_us)
{
	char ref[80];
	double least = of_grid(c->s, a.min_a);
	control_evse_least(c->s->gw->control, control, a.by && least > 0 && least < 2000 ? (int32_t)ceil(least * 1000 - 1e-3) : 0);
	if (!a.by || isinf(a.amps)) {
		control_evse_profile(c->s->gw->control, control, MA_NONE, NULL, 0);
		return;
	}
	double amps = of_grid(c->s, a.amps);
	int32_t ma = amps < 2000 ? (int32_t)floor(amps * 1000 + 1e-3) : 2000000;
	snprintf(ref, sizeof(ref), "%s/%d/%lld", profile_purpose_word(c->s->version, a.by->purpose), a.by->stack_level, (long long)a.by->id);
	control_evse_profile(c->s->gw->control, control, ma, ref, until_us == INT64_MAX ? 0 : clock_mono_us() + until_us - now_us);
}

/* Ours go out with the same number of phases, and with a new limit as a rule; this is for when the limit stays as it is. */
static void look_at_phases(struct csms_profiles *c, int evse)
{
	int phase, phases = csms_profiles_evse_phases(c->s, evse, &phase), now = phases ? 1 + phase : 0;
	if (now == c->meant[evse])
		return;
	c->meant[evse] = now;
	limits_again(c->s->gw->limits, c->s, evse);
}

static void look(void *arg)
{
	struct csms_profiles *c = arg;
	struct session *s = c->s;
	int64_t now_us = clock_wall_us(), next_us = INT64_MAX;
	for (int i = 1; i <= s->n_evses; i++) {
		int64_t until_us = INT64_MAX;
		struct profile_tx tx = tx_on(s, i);
		struct allowed a = profiles_allowed(profiles_of(s), i, &tx, now_us, &until_us);
		if (s->evses[i].control >= 0)
			tell_control(c, s->evses[i].control, a, now_us, until_us);
		look_at_phases(c, i);
		if (until_us < next_us)
			next_us = until_us;
	}
	limits_review(s->gw->limits, s);
	timer_cancel(&c->look);
	if (c->installed.count)
		timer_set(&c->look, next_us - now_us < LOOK_US ? next_us - now_us : LOOK_US, look, c);
}

double csms_profiles_evse_a(const struct session *s, int evse)
{
	int64_t until_us = INT64_MAX;
	struct profile_tx tx = tx_on(s, evse);
	return of_grid(s, profiles_allowed(profiles_of(s), evse, &tx, clock_wall_us(), &until_us).amps);
}

static bool is_for_one_phase(const struct session *s, const struct allowed *a)
{
	return a->by && a->phases == 1 && s->csms->installed.phases > 1;
}

int csms_profiles_evse_phases(const struct session *s, int evse, int *phase_out)
{
	int64_t until_us = INT64_MAX;
	struct profile_tx tx = tx_on(s, evse);
	struct allowed a = profiles_evse_limit(profiles_of(s), evse, &tx, clock_wall_us(), &until_us);
	*phase_out = a.phase;
	return is_for_one_phase(s, &a);
}

double csms_profiles_station_a(const struct session *s)
{
	int64_t until_us = INT64_MAX;
	return of_grid(s, profiles_station_limit(profiles_of(s), clock_wall_us(), &until_us).amps);
}

double csms_profiles_station_at(const struct session *s, int64_t wall_us, int64_t *until_us)
{
	return profiles_station_limit(&s->csms->installed, wall_us, until_us).amps;
}

static void take_default(const struct session *s, int evse, struct csms_default *out)
{
	int64_t until_us = INT64_MAX;
	struct profile_tx none = { 0 };
	struct allowed a = profiles_evse_limit(profiles_of(s), evse, &none, clock_wall_us(), &until_us);
	out->amps = fmin(out->amps, of_grid(s, a.amps));
	if (!is_for_one_phase(s, &a))
		return;
	out->phase = out->phases && out->phase != a.phase ? 0 : a.phase;
	out->phases = 1;
}

/* In one stack ours for all stands above those of single EVSEs too. */
struct csms_default csms_profiles_default(const struct session *s, int evse)
{
	struct csms_default out = { .amps = INFINITY };
	take_default(s, evse, &out);
	for (int i = 1; evse == 0 && profiles_of(s)->defaults_stack && i <= s->n_evses; i++)
		take_default(s, i, &out);
	return out;
}

size_t csms_profiles_composite(const struct session *s, const struct schedule_ask *ask, double max_a, int64_t now_us, struct charging_period *out,
                               size_t most)
{
	struct profile_tx txs[SESSION_EVSES + 1];
	int n = s->n_evses > 0 ? s->n_evses : 1;
	for (int i = 1; i <= n; i++) {
		txs[i - 1] = tx_on(s, i);
		if (!txs[i - 1].running)
			txs[i - 1].start_us = now_us;
	}
	return profiles_composite(profiles_of(s), ask, txs, n, max_a, now_us, out, most);
}

void csms_profiles_each(const struct session *s, void (*see)(void *arg, int evse, const struct charging_profile *p, struct slice message), void *arg)
{
	LIST_WALK(&s->csms->raws, struct raw, entry, r) {
		int evse;
		const struct charging_profile *p = profiles_find(&s->csms->installed, r->id, &evse);
		if (p)
			see(arg, evse, p, r->payload);
	}
}

size_t csms_profiles_count(const struct session *s, const struct profile_filter *f)
{
	return profiles_count(&s->csms->installed, f);
}

int csms_profiles_level(const struct session *s, int evse, enum profile_purpose purpose)
{
	return profiles_top_level(&s->csms->installed, evse, purpose);
}

/* --- what passes by --- */

bool csms_profiles_wants(const struct action *act)
{
	switch (act ? (enum event_kind)act->event : EV_NONE) {
	case CMD_SET_PROFILE:
	case CMD_CLEAR_PROFILE:
	case CMD_UPDATE_PROFILE:
	case CMD_PRIORITY:
	case CMD_REMOTE_START:
		return true;
	default:
		return false;
	}
}

/* The station has taken it already, so its transaction is there even if we have not heard of it. */
static int install(struct csms_profiles *c, int evse, struct slice payload, int64_t at_us)
{
	struct arena mem = { 0 };
	struct charging_profile profile;
	struct profile_tx tx = tx_on(c->s, evse);
	cJSON *tree = json_parse(payload);
	int err = profile_read_message(tree, &mem, &profile);
	profile.tx = (struct slice){ NULL, 0 };
	tx.running = true;
	if (!err)
		err = profiles_set(profiles_of(c->s), evse, &profile, &tx, at_us);
	if (!err)
		raw_note(c, profile.id, payload);
	cJSON_Delete(tree);
	arena_free(&mem);
	return err;
}

static int64_t id_in(struct slice payload)
{
	struct arena mem = { 0 };
	struct charging_profile profile;
	cJSON *tree = json_parse(payload);
	int64_t id = profile_read_message(tree, &mem, &profile) == 0 ? profile.id : -1;
	cJSON_Delete(tree);
	arena_free(&mem);
	return id;
}

static void keep(struct csms_profiles *c, int evse, struct slice payload, int64_t at_us)
{
	struct buf value = { 0 };
	char name[40];
	kept_name(id_in(payload), name);
	buf_printf(&value, "%d %lld\n", evse, (long long)at_us);
	buf_slice(&value, payload);
	int err = kept_put(c->s->gw->store, c->s->id, name, buf_view(&value), NULL, NULL);
	if (err)
		log_error(&c->s->log, "%s could not be kept: %s", name, err_text(err));
	buf_free(&value);
}

static void set(struct csms_profiles *c, int evse, struct slice payload)
{
	int64_t now_us = clock_wall_us();
	int err = evse < 0 || evse > SESSION_EVSES ? ERR_INVALID : install(c, evse, payload, now_us);
	if (err) {
		log_warn(&c->s->log, "a charging profile of the CSMS is not understood, its limit is left to the station: %s", err_text(err));
		return;
	}
	session_evse(c->s, evse); /* it is there, whether we have seen it or not */
	keep(c, evse, payload, now_us); /* behind the removals of what it replaces */
}

/* The values in force, as UpdateDynamicSchedule would say them, with their time: the profile itself is kept as it came. */
static void keep_update(struct csms_profiles *c, int64_t id, const struct charging_v2x *v, int64_t at_us)
{
	struct buf value = { 0 };
	struct json_writer w;
	char name[40];
	snprintf(name, sizeof(name), "update/%lld", (long long)id);
	buf_printf(&value, "%lld\n", (long long)at_us);
	jw_open(&w, &value);
	jw_object(&w, NULL);
	v2x_write(&w, v);
	jw_end(&w, '}');
	int err = kept_put(c->s->gw->store, c->s->id, name, buf_view(&value), NULL, NULL);
	if (err)
		log_error(&c->s->log, "%s could not be kept: %s", name, err_text(err));
	buf_free(&value);
}

void csms_profiles_update(struct session *s, int64_t id, const cJSON *values)
{
	struct csms_profiles *c = s->csms;
	struct charging_v2x to;
	int64_t now_us = clock_wall_us();
	if (v2x_read(values, &to) == 0 || profiles_update(&c->installed, id, &to, now_us) != 0)
		return;
	const struct charging_profile *p = profiles_find(&c->installed, id, NULL);
	keep_update(c, id, p->periods[0].v2x, now_us);
	look(c);
	limits_csms_profile(s->gw->limits, s, -1, p->purpose);
}

void csms_profiles_priority(struct session *s, struct slice tx, bool on)
{
	for (int i = 1; i <= s->n_evses; i++) {
		if (!s->evses[i].tx[0] || !slice_is(tx, s->evses[i].tx) || s->csms->priority[i] == on)
			continue;
		s->csms->priority[i] = on;
		log_info(&s->log, "priority charging is %s for evse %d", on ? "on" : "off", i);
		look(s->csms);
		limits_csms_profile(s->gw->limits, s, i, PURPOSE_PRIORITY);
	}
}

void csms_profiles_chosen(struct session *s, int evse, int64_t schedule_id)
{
	struct csms_profiles *c = s->csms;
	if (!c || !profiles_choose(&c->installed, evse, schedule_id))
		return;
	log_info(&s->log, "the car at EVSE %d has chosen schedule %lld of its profile", evse, (long long)schedule_id);
	look(c);
	limits_csms_profile(s->gw->limits, s, evse, PURPOSE_TX);
}

bool csms_profiles_has_priority(const struct session *s)
{
	for (int i = 1; i <= s->n_evses; i++)
		if (s->csms->priority[i])
			return true;
	return false;
}

static void forget_start(struct csms_profiles *c)
{
	mem_free((char *)c->start.payload.p);
	c->start.payload = (struct slice){ NULL, 0 };
}

static void start_waits(struct csms_profiles *c, const struct frame *command, int evse)
{
	forget_start(c);
	if (id_in(command->payload) < 0)
		return;
	c->start.payload = (struct slice){ mem_text(command->payload), command->payload.n };
	c->start.evse = evse;
	c->start.until_us = clock_mono_us() + START_WAITS_US;
}

void csms_profiles_accepted(struct session *s, struct frame *command, const struct event *e)
{
	struct csms_profiles *c = s->csms;
	struct profile_filter filter;
	switch (e->kind) {
	case CMD_SET_PROFILE:
		set(c, e->evse, command->payload);
		look(c);
		limits_csms_profile(s->gw->limits, s, e->evse, e->purpose);
		break;
	case CMD_CLEAR_PROFILE:
		profile_filter_read(command, &filter);
		profiles_clear(&c->installed, &filter);
		look(c);
		if (filter.id < 0)
			limits_csms_cleared(s->gw->limits, s);
		break;
	case CMD_UPDATE_PROFILE:
		csms_profiles_update(s, e->profile_id, json_at(frame_tree(command), "scheduleUpdate"));
		break;
	case CMD_PRIORITY:
		csms_profiles_priority(s, e->tx, e->activated);
		break;
	default:
		start_waits(c, command, e->evse);
		break;
	}
}

void csms_profiles_tx_started(struct session *s, int evse)
{
	struct csms_profiles *c = s->csms;
	if (!c)
		return; /* still being made; what is kept is read next */
	if (c->start.payload.p && (c->start.evse < 1 || c->start.evse == evse)) {
		if (clock_mono_us() < c->start.until_us)
			set(c, evse, c->start.payload);
		forget_start(c);
	}
	if (c->installed.count)
		look(c);
}

void csms_profiles_tx_ended(struct session *s, int evse)
{
	if (!s->csms)
		return;
	s->csms->priority[evse] = false;
	if (!s->csms->installed.count)
		return;
	profiles_end_tx(&s->csms->installed, evse);
	look(s->csms);
}

/* --- life --- */

static bool load_one(void *arg, const char *name, struct slice value)
{
	struct csms_profiles *c = arg;
	char *text = mem_text(value), *newline = strchr(text, '\n'), *end;
	long evse = strtol(text, &end, 10);
	int64_t at_us = strtoll(end, NULL, 10);
	(void)name;
	if (newline && evse >= 0 && evse <= SESSION_EVSES && install(c, (int)evse, slice_of(newline + 1), at_us) != 0)
		log_warn(&c->s->log, "%s that was kept is not understood any more", name);
	mem_free(text);
	return true;
}

/* After the profiles. */
static bool load_update(void *arg, const char *name, struct slice value)
{
	struct csms_profiles *c = arg;
	struct charging_v2x to;
	char *text = mem_text(value), *end;
	int64_t at_us = strtoll(text, &end, 10);
	cJSON *tree = *end == '\n' ? json_parse(slice_of(end + 1)) : NULL;
	bool good = tree && v2x_read(tree, &to) > 0 && profiles_update(&c->installed, strtoll(name + strlen("update/"), NULL, 10), &to, at_us) == 0;
	if (!good)
		log_warn(&c->s->log, "%s that was kept is not understood any more", name);
	cJSON_Delete(tree);
	mem_free(text);
	return true;
}

void csms_profiles_lane(struct session *s, bool up)
{
	if (!s->csms)
		return;
	if (up)
		profiles_online(&s->csms->installed, clock_wall_us());
	else
		profiles_offline(&s->csms->installed, clock_wall_us());
	if (s->csms->installed.count)
		look(s->csms);
}

static uint32_t chance(void)
{
	return (uint32_t)random();
}

struct csms_profiles *csms_profiles_open(struct session *s)
{
	struct csms_profiles *c = NEW(struct csms_profiles);
	struct evse_view v = { .n_lines = 3 };
	int control = control_find_evse(s->gw->control, s->id, 1);
	if (control >= 0)
		control_evse_view(s->gw->control, control, &v);
	c->s = s;
	s->csms = c;
	list_init(&c->raws);
	profiles_open(&c->installed, v.n_lines);
	c->installed.purposes = ~0u;
	c->installed.stack_most = INT_MAX;
	c->installed.zone = s->gw->zone;
	c->installed.random = chance;
	int err = kept_each(s->gw->store, s->id, "profile/", load_one, c);
	if (!err)
		err = kept_each(s->gw->store, s->id, "update/", load_update, c);
	if (err)
		log_error(&s->log, "the charging profiles of the CSMS cannot be read: %s", err_text(err));
	c->installed.gone = on_gone;
	c->installed.arg = c;
	for (int i = 1; i <= SESSION_EVSES; i++)
		if (!tx_on(s, i).running)
			profiles_end_tx(&c->installed, i);
	if (c->installed.count)
		look(c);
	return c;
}

void csms_profiles_close(struct csms_profiles *c)
{
	if (!c)
		return;
	timer_cancel(&c->look);
	forget_start(c);
	LIST_WALK(&c->raws, struct raw, entry, r)
		raw_forget(c, r->id);
	profiles_close(&c->installed);
	mem_free(c);
}
