/* Who may charge at an EVSE: a token is shown or sent from afar, is known here or asked about, and waits for its car; shown again it ends
 * what it began.
 *
 *   nobody --token--> asking --accepted--> authorised, a car is waited for --car--> power path closed
 *                        \--no-----------> nobody        \--time is up---> nobody
 *   power path closed --same token, same group, stop from afar, unplugged, refused--> nobody
 *
 * Easy to get wrong: a token that stops needs no question when it is the one that started or one whose group is known here; any other has
 * to be asked about first (1.6 specification 4.1, 2.0.1 C09). A group that may stop everything starts nothing (C16). What the local list or
 * the cache knows as not good is asked about while somebody can be asked, and refused while nobody can (C10.FR.03, C14.FR.03). */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "station/inside.h"

static const char *local_group(const struct evse *e, const char *token, enum standing *verdict)
{
	const char *group;
	*verdict = authz_look(&e->s->authz, slice_of(token), clock_wall_us(), &group);
	return group;
}

static bool is_master(const struct evse *e, const char *group)
{
	const char *master = keys_text(&e->s->keys, KEY_MASTER_GROUP);
	return group[0] && master[0] && slice_eq_nocase(slice_of(group), slice_of(master));
}

/* The end of an authorisation */

static void on_outlived(void *arg)
{
	struct evse *e = arg;
	if (e->authorised && !e->tx)
		grant_end(e, "ChargingStateChanged", "StoppedByEV");
}

/* Not at once: it may be the connector that is telling. */
void grant_outlived(struct evse *e)
{
	if (e->authorised)
		timer_set(&e->claim, 0, on_outlived, e);
}

void grant_end(struct evse *e, const char *trigger, const char *reason)
{
	timer_cancel(&e->claim);
	e->authorised = false;
	if (e->tx) {
		charge_happened(e, trigger, reason);
		if (e->tx && !e->ended_by)
			e->ended_by = reason;
	} else {
		charge_happened(e, trigger, reason);
	}
	e->profile.n_periods = 0;
	arena_free(&e->profile_mem);
	connector_claim(&e->con, false);
	if (e->con.running)
		connector_run(&e->con, false);
	station_limits(e->s);
	reserve_settle(e->s);
	station_reset_if_due(e->s);
}

void grant_withdraw(struct evse *e, const char *reason)
{
	if (!e->authorised || e->con.running)
		return;
	e->authorised = false;
	charge_end(e, "EVConnectTimeout", reason);
	grant_end(e, "EVConnectTimeout", reason);
}

static void on_claim_over(void *arg)
{
	struct evse *e = arg;
	log_info(&e->s->log, "EVSE %d: no car came for the token", e->con.evse);
	grant_withdraw(e, "Timeout");
}

/* 2.0.1 E10.FR.05 */
static void on_return_over(void *arg)
{
	struct evse *e = arg;
	log_info(&e->s->log, "EVSE %d: the car did not come back", e->con.evse);
	e->authorised = false;
	charge_end(e, "EVConnectTimeout", "Timeout");
	grant_end(e, "EVConnectTimeout", "Timeout");
}

void grant_wait(struct evse *e)
{
	timer_set(&e->claim, keys_int(&e->s->keys, KEY_CONNECTION_TIMEOUT) * US_PER_S, on_return_over, e);
}

/* A transaction whose token the CSMS does not accept: it ends, or goes on without energy, or has a little left (1.6 errata 3.17, 2.0.1 E05). */
void grant_refused(struct evse *e, struct slice status)
{
	const struct keys *k = &e->s->keys;
	int64_t most_wh = keys_int(k, KEY_MOST_ENERGY);
	log_info(&e->s->log, "EVSE %d: the CSMS answered the transaction's token %.*s", e->con.evse, SLICE_ARG(status));
	if (keys_bool(k, KEY_STOP_ON_INVALID)) {
		if (e->authorised)
			grant_end(e, "Deauthorized", "DeAuthorized");
		return;
	}
	e->most_wh = e->tx->start_wh + (double)most_wh;
	if (e->con.running && e->con.in.energy_wh >= e->most_wh)
		connector_halt(&e->con, true);
}

static void stop_all(struct station *s, const struct shown *by)
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (!e->authorised)
			continue;
		e->other = *by;
		grant_end(e, "StopAuthorized", "MasterPass");
	}
}

/* A token that may start */

static void claim(struct evse *e)
{
	e->authorised = true;
	e->untold = true;
	e->other.token[0] = 0;
	e->ended_by = NULL;
	e->reservation = reserve_use(e, slice_of(e->who.token), slice_of(e->who.group));
	if (!e->con.in.plugged)
		timer_set(&e->claim, keys_int(&e->s->keys, KEY_CONNECTION_TIMEOUT) * US_PER_S, on_claim_over, e);
	if (!e->con.running)
		connector_claim(&e->con, true);
	reserve_settle(e->s);
	charge_happened(e, e->trigger, "Other");
	grant_try(e);
}

static void refuse(const struct evse *e, const char *why)
{
	log_info(&e->s->log, "EVSE %d: the token starts nothing: %s", e->con.evse, why);
}

/* A master pass starts nothing; where there is no page to choose on it ends all that runs (2.0.1 C16). */
static void claim_if_free(struct evse *e)
{
	if (is_master(e, e->who.group))
		stop_all(e->s, &e->who);
	else if (reserve_refuses(e, slice_of(e->who.token), slice_of(e->who.group)))
		refuse(e, "the EVSE is reserved");
	else
		claim(e);
}

/* Nobody can be asked. */
static bool good_enough_offline(const struct evse *e, const char *token)
{
	const struct keys *k = &e->s->keys;
	enum standing verdict;
	local_group(e, token, &verdict);
	if (verdict == TOKEN_GOOD)
		return keys_bool(k, KEY_LOCAL_OFFLINE);
	return verdict == TOKEN_UNKNOWN && keys_bool(k, KEY_OFFLINE_UNKNOWN);
}

static void decide_offline(struct evse *e)
{
	if (good_enough_offline(e, e->who.token))
		claim_if_free(e);
	else
		refuse(e, "it is not known here and the CSMS cannot be asked");
}

static void on_authorized(void *arg, int err, const struct reply *r)
{
	struct evse *e = arg;
	e->asking = false;
	if (e->s->closing || e->authorised)
		return;
	if (err || r->error_code.p) {
		decide_offline(e);
		return;
	}
	authz_learn(&e->s->authz, slice_of(e->who.token), r);
	put_text(e->who.group, sizeof(e->who.group), r->group);
	if (slice_is(r->token_status, "Accepted"))
		claim_if_free(e);
	else
		log_info(&e->s->log, "EVSE %d: the token was answered %.*s", e->con.evse, SLICE_ARG(r->token_status));
}

static int ask_about(struct evse *e, const struct shown *who, wire_done *done)
{
	struct event ev;
	event_init(&ev, EV_AUTHORIZE);
	ev.token = slice_of(who->token);
	ev.token_type = text_or_absent(who->type);
	return station_talks(e->s) ? wire_ask(&e->s->wire, &ev, NULL, done, e) : ERR_CLOSED;
}

static void ask(struct evse *e)
{
	e->asking = true;
	if (ask_about(e, &e->who, on_authorized) != 0) {
		e->asking = false;
		decide_offline(e);
	}
}

/* What is known here as good starts without asking where that is wished, and what is known as bad is not asked about where that is off. */
static void authorise(struct evse *e)
{
	const struct keys *k = &e->s->keys;
	enum standing verdict;
	const char *group = local_group(e, e->who.token, &verdict);
	bool listed = authz_is_listed(&e->s->authz, slice_of(e->who.token));
	put_text(e->who.group, sizeof(e->who.group), slice_of(group));
	if (verdict == TOKEN_GOOD && keys_bool(k, KEY_LOCAL_PRE_AUTHORIZE))
		claim_if_free(e);
	else if (verdict == TOKEN_BAD && keys_bool(k, listed ? KEY_LIST_NO_POST : KEY_CACHE_NO_POST))
		refuse(e, "it is known here as not accepted");
	else if (keys_bool(k, KEY_NO_REMOTE_AUTH))
		decide_offline(e);
	else
		ask(e);
}

/* A token that may stop */

static bool stops_by_group(struct evse *e, const char *group)
{
	struct shown by = e->other;
	if (is_master(e, group)) {
		stop_all(e->s, &by);
		return true;
	}
	if (!group[0] || !slice_eq_nocase(slice_of(group), slice_of(e->who.group)))
		return false;
	grant_end(e, "StopAuthorized", "Local");
	return true;
}

static void on_other_authorized(void *arg, int err, const struct reply *r)
{
	struct evse *e = arg;
	e->asking_other = false;
	if (e->s->closing || err || r->error_code.p)
		return;
	authz_learn(&e->s->authz, slice_of(e->other.token), r);
	put_text(e->other.group, sizeof(e->other.group), r->group);
	if (e->authorised && slice_is(r->token_status, "Accepted"))
		stops_by_group(e, e->other.group);
}

static void show_to_running(struct evse *e, const char *token)
{
	enum standing verdict;
	if (e->asking_other)
		return;
	put_text(e->other.token, sizeof(e->other.token), slice_of(token));
	put_text(e->other.type, sizeof(e->other.type), SLICE("ISO14443"));
	if (slice_eq_nocase(slice_of(token), slice_of(e->who.token))) {
		e->other.token[0] = 0;
		grant_end(e, "StopAuthorized", "Local");
		return;
	}
	const char *group = local_group(e, token, &verdict);
	if (verdict == TOKEN_GOOD && stops_by_group(e, group))
		return;
	e->asking_other = ask_about(e, &e->other, on_other_authorized) == 0;
}

void grant_token(struct evse *e, const char *token)
{
	if (e->authorised) {
		show_to_running(e, token);
		return;
	}
	if (e->asking || e->con.in.fault || e->con.inoperative)
		return;
	if (reserve_refuses(e, slice_of(token), (struct slice){ 0 }) && !reserve_may_know(e))
		return;
	put_text(e->who.token, sizeof(e->who.token), slice_of(token));
	put_text(e->who.type, sizeof(e->who.type), SLICE("ISO14443"));
	e->trigger = "Authorized";
	e->remote_start_id = -1;
	authorise(e);
}

static void take_free_token(struct evse *e)
{
	put_text(e->who.token, sizeof(e->who.token), slice_of(e->s->conf.free_token));
	put_text(e->who.type, sizeof(e->who.type), SLICE("Local"));
	e->who.group[0] = 0;
	e->trigger = "Authorized";
	e->remote_start_id = -1;
	claim(e);
}

void grant_try(struct evse *e)
{
	bool free = e->s->conf.free_token && !e->authorised && !e->asking && !e->con.used && !e->con.reserved;
	if (free && connector_ready(&e->con) && charge_may_begin(e))
		take_free_token(e);
	else
		charge_power(e);
}

/* From afar */

static void keep_profile(struct evse *e, const struct charging_profile *profile)
{
	arena_free(&e->profile_mem);
	e->profile = *profile;
	e->profile.tx = (struct slice){ 0 };
	e->profile.periods = arena_new(&e->profile_mem, profile->n_periods * sizeof(profile->periods[0]));
	memcpy(e->profile.periods, profile->periods, profile->n_periods * sizeof(profile->periods[0]));
}

bool grant_could(const struct evse *e, struct slice token, struct slice group)
{
	return !e->authorised && !e->asking && !e->con.in.fault && !e->con.inoperative && !e->s->reset && !reserve_refuses(e, token, group);
}

/* Tokens that stand for nobody are not asked about (2.0.1 F02.FR.05 names both types). */
static bool is_asked_about(const struct evse *e, struct slice type)
{
	return keys_bool(&e->s->keys, KEY_AUTHORIZE_REMOTE) && !slice_is(type, "Central") && !slice_is(type, "NoAuthorization");
}

bool grant_remote(struct evse *e, const struct event *cmd, const struct charging_profile *profile)
{
	if (!grant_could(e, cmd->token, cmd->group))
		return false;
	put_text(e->who.token, sizeof(e->who.token), cmd->token);
	put_text(e->who.type, sizeof(e->who.type), cmd->token_type);
	put_text(e->who.group, sizeof(e->who.group), cmd->group);
	e->trigger = "RemoteStart";
	e->remote_start_id = cmd->remote_start_id;
	if (profile)
		keep_profile(e, profile);
	if (is_asked_about(e, cmd->token_type))
		authorise(e);
	else
		claim(e);
	return true;
}
