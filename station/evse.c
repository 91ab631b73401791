/* One EVSE's charging: who may start, what a transaction tells, when it ends.
 *
 *   token shown --known good / answered Accepted--> claimed --car is there--> transaction --> messages until it ends
 *   remote start ---------------------------------> claimed
 *   free token, car is there -----------------------------------------------> transaction
 *
 * A fault opens the relay but ends no transaction: the connector comes back to where it was (1.6 specification 4.9, row I), and whoever wants
 * the session over unplugs, shows the card or stops it from afar.
 *
 * Starting and stopping are two functions, evse_start and evse_stop; whatever wants either goes through them. In evse_stop the transaction
 * leaves the EVSE before the connector is told, so that the state change behind it is reported as the connector's and no longer as the
 * transaction's. Nothing here waits for the link: permission and output are decided on the spot. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "station/inside.h"

static void put_text(char *out, size_t room, struct slice s)
{
	size_t n = s.n < room - 1 ? s.n : room - 1;
	if (n)
		memcpy(out, s.p, n);
	out[n] = 0;
}

static struct slice text_or_absent(const char *text)
{
	return text[0] ? slice_of(text) : (struct slice){ 0 };
}

/* Telling */

void evse_report(struct evse *e)
{
	struct station *s = e->s;
	struct event ev;
	if (!s->link)
		return;
	e->reported = dialect_state(s->dialect, e->con.state);
	event_init(&ev, EV_STATUS);
	ev.evse = e->con.evse;
	ev.connector = 1;
	ev.state = e->con.state;
	ev.time_us = clock_wall_us();
	ev.error = e->con.in.fault ? slice_of(e->con.in.fault) : (struct slice){ 0 };
	wire_tell(&s->wire, &ev);
}

/* What a transaction's messages call the connector's state: a fault inside a transaction is the station's own suspension. */
static enum evse_state charging_state(enum evse_state state)
{
	return state == EVSE_FAULTED ? EVSE_SUSPENDED_EVSE : state;
}

static void begin_tx_event(struct evse *e, struct event *ev, enum tx_phase phase, const char *reason)
{
	event_init(ev, EV_TX);
	ev->phase = phase;
	ev->time_us = clock_wall_us();
	ev->reason = slice_of(reason);
	ev->state = charging_state(e->con.state);
}

static size_t take_samples(struct evse *e, enum sampling_context context, struct sample out[SAMPLES_MOST])
{
	measurands wanted = 0;
	int err = sampling_parse(slice_of(keys_text(&e->s->keys, KEY_SAMPLED_DATA)), &wanted);
	if (err)
		return 0;
	return sampling_take(&e->con.in, e->s->conf.phases, e->con.offered_ma, wanted, context, clock_wall_us(), out);
}

static void tell_state(struct evse *e)
{
	struct event ev;
	begin_tx_event(e, &ev, TX_UPDATE, "ChargingStateChanged");
	txns_put(&e->s->txns, e->tx, &ev);
}

void evse_sample(struct evse *e, const char *trigger)
{
	struct station *s = e->s;
	struct sample samples[SAMPLES_MOST];
	struct event ev;
	if (e->tx && s->dialect->tx_tells_all)
		begin_tx_event(e, &ev, TX_UPDATE, trigger);
	else
		event_init(&ev, EV_METER);
	if (ev.kind == EV_METER)
		ev.evse = e->con.evse;
	ev.time_us = clock_wall_us();
	ev.samples = samples;
	ev.n_samples = take_samples(e, SAMPLE_PERIODIC, samples);
	if (!ev.n_samples)
		return;
	if (e->tx)
		txns_put(&s->txns, e->tx, &ev);
	else if (s->link)
		wire_tell(&s->wire, &ev);
}

static void on_sample(void *arg)
{
	struct evse *e = arg;
	evse_sample(e, "MeterValuePeriodic");
	evse_sampling_changed(e);
}

void evse_sampling_changed(struct evse *e)
{
	int64_t every_us = keys_int(&e->s->keys, KEY_SAMPLE_INTERVAL) * US_PER_S;
	timer_cancel(&e->sample);
	if (e->tx && every_us)
		timer_set(&e->sample, every_us, on_sample, e);
}

static void tell_owner(struct evse *e, const struct txn *tx, enum tx_phase phase, const char *reason)
{
	struct station *s = e->s;
	if (s->events->tx)
		s->events->tx(s->arg, e->con.evse, phase, tx->id, tx->token, clock_wall_us(), e->con.in.energy_wh, reason);
}

/* The connector */

static void on_output(void *arg, struct connector *c)
{
	struct evse *e = arg;
	e->s->events->output(e->s->arg, c->evse, c->close, c->offered_ma);
}

static void on_state(void *arg, struct connector *c, enum evse_state old)
{
	struct evse *e = arg;
	struct station *s = e->s;
	log_debug(&s->log, "EVSE %d: %s -> %s", c->evse, evse_state_text(old), evse_state_text(c->state));
	if (e->tx && s->dialect->tx_tells_all && charging_state(c->state) != charging_state(old))
		tell_state(e);
	if (station_talks(s) && dialect_state(s->dialect, c->state) != e->reported)
		evse_report(e);
}

static const struct connector_events connector_events = { .output = on_output, .state = on_state };

void evse_profile_tx(const struct evse *e, struct profile_tx *out)
{
	*out = (struct profile_tx){ 0 };
	if (!e->tx)
		return;
	out->running = true;
	out->start_us = e->tx->start_wall_us;
	out->id = text_or_absent(e->tx->id);
}

/* Start and stop */

static void start_sends(struct evse *e)
{
	struct station *s = e->s;
	struct sample samples[SAMPLES_MOST];
	struct event ev;
	begin_tx_event(e, &ev, TX_START, e->trigger);
	ev.evse = e->con.evse;
	ev.connector = 1;
	ev.state = EVSE_PREPARING; /* a car and a token; the charging state follows when the relay has its permission */
	ev.token = slice_of(e->tx->token);
	ev.token_type = text_or_absent(e->tx->token_type);
	ev.meter_wh = e->tx->start_wh;
	ev.remote_start_id = e->remote_start_id;
	ev.reservation = e->reservation.id;
	if (s->dialect->tx_tells_all) {
		ev.samples = samples;
		ev.n_samples = take_samples(e, SAMPLE_BEGIN, samples);
	}
	txns_put(&s->txns, e->tx, &ev);
}

static void install_profile(struct evse *e)
{
	struct profile_tx tx;
	if (!e->profile.n_periods)
		return;
	evse_profile_tx(e, &tx);
	int err = profiles_set(&e->s->profiles, e->con.evse, &e->profile, &tx, clock_wall_us());
	if (err)
		log_warn(&e->s->log, "the profile of a remote start was not installed: %s", err_text(err));
	e->profile.n_periods = 0;
	arena_free(&e->profile_mem);
}

static void evse_start(struct evse *e)
{
	struct station *s = e->s;
	timer_cancel(&e->claim);
	e->tx = txn_begin(&s->txns, e->con.evse);
	e->tx->start_wall_us = clock_wall_us();
	e->tx->start_wh = e->con.in.energy_wh;
	put_text(e->tx->token, sizeof(e->tx->token), slice_of(e->token));
	put_text(e->tx->token_type, sizeof(e->tx->token_type), slice_of(e->token_type));
	put_text(e->tx->group, sizeof(e->tx->group), slice_of(e->group));
	log_info(&s->log, "EVSE %d: transaction begins at %.0f Wh", e->con.evse, e->tx->start_wh);
	install_profile(e);
	start_sends(e);
	timer_cancel(&e->reservation.end);
	e->reservation.id = -1;
	e->con.claimed = false;
	tell_owner(e, e->tx, TX_START, NULL);
	station_limits(s); /* before the connector may close: it has not run with this transaction's profiles yet */
	connector_run(&e->con, true);
	evse_sampling_changed(e);
}

/* Ends the transaction; the caller tells the connector. */
static void end_tx(struct evse *e, const char *reason)
{
	struct station *s = e->s;
	struct sample samples[SAMPLES_MOST];
	struct txn *tx = e->tx;
	struct event ev;
	begin_tx_event(e, &ev, TX_END, reason);
	ev.meter_wh = e->con.in.energy_wh;
	ev.state = EVSE_UNKNOWN; /* with its end a transaction has no charging state */
	if (strcmp(reason, "Local") == 0) {
		ev.token = slice_of(tx->token);
		ev.token_type = text_or_absent(tx->token_type);
	}
	if (s->dialect->tx_tells_all) {
		ev.samples = samples;
		ev.n_samples = take_samples(e, SAMPLE_END, samples);
	}
	tx->over = true;
	e->tx = NULL;
	timer_cancel(&e->sample);
	profiles_end_tx(&s->profiles, e->con.evse);
	log_info(&s->log, "EVSE %d: transaction ends at %.0f Wh: %s", e->con.evse, ev.meter_wh, reason);
	txns_put(&s->txns, tx, &ev);
	tell_owner(e, tx, TX_END, reason);
	txn_release(&tx);
}

void evse_stop(struct evse *e, const char *reason)
{
	if (!e->tx)
		return;
	end_tx(e, reason);
	connector_run(&e->con, false);
	station_limits(e->s);
	station_reset_if_due(e->s);
}

static bool may_start(const struct evse *e)
{
	const struct station *s = e->s;
	return s->registration == REG_ACCEPTED && !s->reset && !s->reset_idle && connector_ready(&e->con);
}

void evse_try_start(struct evse *e)
{
	const char *free_token = e->s->conf.free_token;
	if (!may_start(e))
		return;
	if (!e->con.claimed && free_token && !e->con.used && !e->asking && e->reservation.id < 0) {
		put_text(e->token, sizeof(e->token), slice_of(free_token));
		put_text(e->token_type, sizeof(e->token_type), SLICE("Local"));
		e->group[0] = 0;
		e->trigger = "Authorized";
		e->remote_start_id = -1;
		e->con.claimed = true;
	}
	if (e->con.claimed)
		evse_start(e);
}

/* A register that cannot be read just now stays where it was: bills are made from it. */
static void keep_register(struct evse *e, struct evse_input *in)
{
	if (isnan(in->energy_wh))
		in->energy_wh = e->register_wh;
	e->register_wh = in->energy_wh;
}

void evse_feed(struct evse *e, const struct evse_input *reading)
{
	struct evse_input in = *reading;
	keep_register(e, &in);
	if (e->tx && !in.plugged) {
		e->con.in.energy_wh = in.energy_wh;
		end_tx(e, "EVDisconnected");
		connector_leave(&e->con, &in);
		station_limits(e->s);
		station_reset_if_due(e->s);
		return;
	}
	connector_feed(&e->con, &in);
	evse_try_start(e);
}

/* Tokens */

static void on_claim_over(void *arg)
{
	struct evse *e = arg;
	log_info(&e->s->log, "EVSE %d: no car came for the token", e->con.evse);
	evse_unclaim(e);
}

void evse_unclaim(struct evse *e)
{
	timer_cancel(&e->claim);
	e->profile.n_periods = 0;
	arena_free(&e->profile_mem);
	connector_claim(&e->con, false);
}

static void claim(struct evse *e)
{
	timer_set(&e->claim, keys_int(&e->s->keys, KEY_CONNECTION_TIMEOUT) * US_PER_S, on_claim_over, e);
	connector_claim(&e->con, true);
	evse_try_start(e);
}

/* Nobody can be asked. */
static bool good_enough_offline(const struct evse *e)
{
	const struct keys *k = &e->s->keys;
	const char *group;
	switch (authz_look(&e->s->authz, slice_of(e->token), clock_wall_us(), &group)) {
	case TOKEN_GOOD:
		return keys_bool(k, KEY_LOCAL_OFFLINE);
	case TOKEN_UNKNOWN:
		return keys_bool(k, KEY_OFFLINE_UNKNOWN);
	default:
		return false;
	}
}

static void decide_offline(struct evse *e)
{
	if (good_enough_offline(e))
		claim(e);
	else
		log_info(&e->s->log, "EVSE %d: the token is not known here and the CSMS cannot be asked", e->con.evse);
}

static void on_authorized(void *arg, int err, const struct reply *r)
{
	struct evse *e = arg;
	e->asking = false;
	if (e->s->closing || e->tx)
		return;
	if (err || r->error_code.p) {
		decide_offline(e);
		return;
	}
	authz_learn(&e->s->authz, slice_of(e->token), r);
	put_text(e->group, sizeof(e->group), r->group);
	if (slice_is(r->token_status, "Accepted"))
		claim(e);
	else
		log_info(&e->s->log, "EVSE %d: the token was answered %.*s", e->con.evse, SLICE_ARG(r->token_status));
}

static void ask(struct evse *e)
{
	struct event ev;
	event_init(&ev, EV_AUTHORIZE);
	ev.token = slice_of(e->token);
	ev.token_type = text_or_absent(e->token_type);
	e->asking = true;
	if (!station_talks(e->s) || wire_ask(&e->s->wire, &ev, NULL, on_authorized, e) != 0) {
		e->asking = false;
		decide_offline(e);
	}
}

static void authorise(struct evse *e)
{
	const char *group;
	bool known = authz_look(&e->s->authz, slice_of(e->token), clock_wall_us(), &group) == TOKEN_GOOD;
	put_text(e->group, sizeof(e->group), slice_of(group));
	if (known && keys_bool(&e->s->keys, KEY_LOCAL_PRE_AUTHORIZE))
		claim(e);
	else
		ask(e);
}

static bool is_same_person(const struct evse *e, const char *token)
{
	const char *group;
	if (slice_eq_nocase(slice_of(token), slice_of(e->tx->token)))
		return true;
	authz_look(&e->s->authz, slice_of(token), clock_wall_us(), &group);
	return group[0] && slice_eq_nocase(slice_of(group), slice_of(e->tx->group));
}

static bool reserved_for_another(const struct evse *e, struct slice token)
{
	return e->reservation.id >= 0 && !slice_eq_nocase(token, slice_of(e->reservation.token));
}

void evse_token(struct evse *e, const char *token)
{
	if (e->tx) {
		if (is_same_person(e, token))
			evse_stop(e, "Local");
		return;
	}
	if (e->asking || e->con.in.fault || e->con.inoperative || reserved_for_another(e, slice_of(token)))
		return;
	put_text(e->token, sizeof(e->token), slice_of(token));
	put_text(e->token_type, sizeof(e->token_type), SLICE("ISO14443"));
	e->trigger = "Authorized";
	e->remote_start_id = -1;
	authorise(e);
}

static void keep_profile(struct evse *e, const struct charging_profile *profile)
{
	arena_free(&e->profile_mem);
	e->profile = *profile;
	e->profile.tx = (struct slice){ 0 };
	e->profile.periods = arena_new(&e->profile_mem, profile->n_periods * sizeof(profile->periods[0]));
	memcpy(e->profile.periods, profile->periods, profile->n_periods * sizeof(profile->periods[0]));
}

bool evse_remote_start(struct evse *e, const struct event *cmd, const struct charging_profile *profile)
{
	if (e->tx || e->asking || e->con.in.fault || e->con.inoperative || e->s->reset || reserved_for_another(e, cmd->token))
		return false;
	put_text(e->token, sizeof(e->token), cmd->token);
	put_text(e->token_type, sizeof(e->token_type), cmd->token_type);
	e->group[0] = 0;
	e->trigger = "RemoteStart";
	e->remote_start_id = cmd->remote_start_id;
	if (profile)
		keep_profile(e, profile);
	if (keys_bool(&e->s->keys, KEY_AUTHORIZE_REMOTE))
		authorise(e);
	else
		claim(e);
	return true;
}

/* Reservations */

void evse_unreserve(struct evse *e)
{
	timer_cancel(&e->reservation.end);
	e->reservation.id = -1;
	connector_reserve(&e->con, false);
}

static void on_reservation_over(void *arg)
{
	evse_unreserve(arg);
}

bool evse_reserve(struct evse *e, const struct event *cmd)
{
	int64_t left_us = cmd->time_us - clock_wall_us();
	if (left_us <= 0)
		return false;
	e->reservation.id = cmd->reservation;
	put_text(e->reservation.token, sizeof(e->reservation.token), cmd->token);
	timer_set(&e->reservation.end, left_us, on_reservation_over, e);
	connector_reserve(&e->con, true);
	return true;
}

/* What the answers to transaction messages bring */

static struct evse *evse_of(struct station *s, const struct txn *tx)
{
	struct evse *e = &s->evses[tx->evse - 1];
	return e->tx == tx ? e : NULL;
}

static void on_named(void *arg, struct txn *tx)
{
	struct station *s = arg;
	struct evse *e = evse_of(s, tx);
	if (e)
		tell_owner(e, tx, TX_UPDATE, NULL);
}

static void on_refused(void *arg, struct txn *tx, const struct reply *why)
{
	struct station *s = arg;
	struct evse *e = evse_of(s, tx);
	authz_learn(&s->authz, slice_of(tx->token), why);
	if (!e)
		return;
	log_info(&s->log, "EVSE %d: the CSMS answered the transaction's token %.*s", tx->evse, SLICE_ARG(why->token_status));
	if (keys_bool(&s->keys, KEY_STOP_ON_INVALID))
		evse_stop(e, "DeAuthorized");
	else
		connector_halt(&e->con, true);
}

static void on_drained(void *arg)
{
	station_reset_if_due(arg);
}

const struct txns_events evse_txns_events = { .named = on_named, .refused = on_refused, .drained = on_drained };

void evse_open(struct evse *e, struct station *s, int number)
{
	e->s = s;
	e->remote_start_id = -1;
	e->reservation.id = -1;
	connector_open(&e->con, number, s->conf.min_ma, &connector_events, e);
	for (int i = 0; i < 3; i++)
		e->con.in.i_a[i] = e->con.in.v[i] = NAN;
}

void evse_close(struct evse *e)
{
	if (e->con.close || e->con.offered_ma)
		e->s->events->output(e->s->arg, e->con.evse, false, 0);
	timer_cancel(&e->sample);
	timer_cancel(&e->claim);
	timer_cancel(&e->reservation.end);
	arena_free(&e->profile_mem);
	txn_release(&e->tx);
}
