/* Transactions: when they begin, what is said of them, when they end.
 *
 *   points      connected (a cable), authorized (a token), power path (both), energy (current may flow)
 *   begin       the first of the start points that comes to hold
 *   end         the first of the stop points, reached once, that holds no longer
 *
 * (2.0.1 E01.FR.01 to 06, E06.FR.01 to 07; TxStartPoint and TxStopPoint.) 1.6 has no such settings: its transactions are the power path.
 * Power and transaction are therefore two things. Power follows from the token and the car alone; a transaction that lasts while its car is
 * plugged in goes on without power when its token was shown again.
 *
 * Easy to get wrong: a pause that this station makes itself, because profiles allow nothing or the contactor is faulty, does not end the
 * transfer of energy, or balancing would end transactions. And a cable that was in when a transaction ended does not begin the next one:
 * only what comes to hold does. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "station/inside.h"

#define RATE_US (30 * US_PER_S) /* between two changes of the rate that are told */

/* Points */

int charge_points(struct slice list, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned point;
	} words[] = { { "EVConnected", POINT_CONNECTED }, { "Authorized", POINT_AUTHORIZED }, { "PowerPathClosed", POINT_POWER_PATH },
		{ "EnergyTransfer", POINT_ENERGY } };
	unsigned found = 0;
	struct slice word;
	while (list_next(&list, &word)) {
		unsigned one = 0;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (slice_is(word, words[i].word))
				one = words[i].point;
		}
		if (!one)
			return ERR_INVALID;
		found |= one;
	}
	*out = found;
	return 0;
}

static unsigned points_of(const struct evse *e, enum key key)
{
	unsigned set = 0;
	if (!e->s->dialect->tx_tells_all)
		return POINT_POWER_PATH;
	int err = charge_points(slice_of(keys_text(&e->s->keys, key)), &set);
	return err ? POINT_POWER_PATH : set;
}

/* The car left, and its transaction waits for it (StopTxOnEVSideDisconnect false). */
static bool waits_for_return(const struct evse *e)
{
	return e->authorised && e->con.running && !e->con.in.plugged;
}

static unsigned points_now(const struct evse *e)
{
	unsigned points = 0;
	bool connected = e->con.in.plugged || waits_for_return(e);
	if (connected)
		points |= POINT_CONNECTED;
	if (e->authorised)
		points |= POINT_AUTHORIZED;
	if (connected && e->authorised)
		points |= POINT_POWER_PATH;
	if (e->authorised && (e->con.state == EVSE_CHARGING || (e->tx && e->con.running && e->con.state != EVSE_SUSPENDED_EV)))
		points |= POINT_ENERGY;
	return points;
}

bool charge_may_begin(const struct evse *e)
{
	const struct station *s = e->s;
	return s->registration == REG_ACCEPTED && !s->reset && !s->reset_idle && !e->con.in.fault && !e->con.inoperative;
}

/* Messages */

/* What a transaction's messages call the connector's state: a fault inside a transaction is the station's own suspension. */
static enum evse_state charging_state(const struct evse *e)
{
	if (!e->con.in.plugged)
		return EVSE_FINISHING; /* told as Idle */
	if (!e->con.running)
		return EVSE_PREPARING; /* told as EVConnected */
	return e->con.state == EVSE_FAULTED ? EVSE_SUSPENDED_EVSE : e->con.state;
}

void charge_begin_event(const struct evse *e, struct event *ev, enum tx_phase phase, const char *reason)
{
	event_init(ev, EV_TX);
	ev->phase = phase;
	ev->time_us = clock_wall_us();
	ev->reason = slice_of(reason);
	ev->state = charging_state(e);
}

static void name_token(struct event *ev, const struct shown *who)
{
	ev->token = slice_of(who->token);
	ev->token_type = text_or_absent(who->type);
}

/* The first message after the authorisation names the token and what came with it, the first with a car the place (2.0.1 E01.FR.16). */
static void add_what_is_untold(struct evse *e, struct event *ev)
{
	if (e->untold && e->authorised) {
		name_token(ev, &e->who);
		ev->remote_start_id = e->remote_start_id;
		ev->reservation = e->reservation;
		e->untold = false;
	}
	if (!e->tx->placed && (e->con.in.plugged || !e->s->dialect->tx_tells_all)) {
		ev->evse = e->con.evse;
		ev->connector = 1;
		e->tx->placed = true;
	}
	e->told = ev->state;
}

static void tell_owner(struct evse *e, const struct txn *tx, enum tx_phase phase, const char *reason)
{
	struct station *s = e->s;
	if (s->events->tx)
		s->events->tx(s->arg, e->con.evse, phase, tx->id, tx->token, clock_wall_us(), e->con.in.energy_wh, reason);
}

static void tell_update(struct evse *e, const char *trigger)
{
	struct event ev;
	if (!e->s->dialect->tx_tells_all)
		return;
	charge_begin_event(e, &ev, TX_UPDATE, trigger);
	if (strcmp(trigger, "CablePluggedIn") == 0)
		ev.state = EVSE_PREPARING; /* a car that came back: what it does follows */
	add_what_is_untold(e, &ev);
	if (strcmp(trigger, "StopAuthorized") == 0)
		name_token(&ev, e->other.token[0] ? &e->other : &e->who);
	txns_put(station_txns(e->s, e->con.evse), e->tx, &ev);
}

/* Begin */

static void install_profile(struct evse *e)
{
	struct profile_tx tx;
	if (!e->profile.n_periods)
		return;
	charge_profile_tx(e, &tx);
	station_limits_soon(e->s);
	int err = profiles_set(&e->s->profiles, e->con.evse, &e->profile, &tx, clock_wall_us());
	if (err)
		log_warn(&e->s->log, "the profile of a remote start was not installed: %s", err_text(err));
	e->profile.n_periods = 0;
	arena_free(&e->profile_mem);
}

static void start_sends(struct evse *e, const char *trigger)
{
	struct sample samples[SAMPLES_MOST];
	struct event ev;
	charge_begin_event(e, &ev, TX_START, e->untold && e->authorised ? e->trigger : trigger);
	if (e->authorised && e->con.in.plugged && !e->con.running)
		ev.state = EVSE_PREPARING; /* a car and a token; the charging state follows when the relay has its permission */
	ev.meter_wh = e->tx->start_wh;
	add_what_is_untold(e, &ev);
	if (e->s->dialect->tx_tells_all) {
		ev.samples = samples;
		ev.n_samples = meters_take(e, KEY_STARTED_DATA, SAMPLE_BEGIN, samples);
	}
	txns_put(station_txns(e->s, e->con.evse), e->tx, &ev);
}

static void learn_token(struct evse *e)
{
	put_text(e->tx->token, sizeof(e->tx->token), slice_of(e->who.token));
	put_text(e->tx->token_type, sizeof(e->tx->token_type), slice_of(e->who.type));
	put_text(e->tx->group, sizeof(e->tx->group), slice_of(e->who.group));
}

static void begin(struct evse *e, const char *trigger)
{
	struct station *s = e->s;
	e->tx = txn_begin(station_txns(s, e->con.evse), e->con.evse);
	e->tx->start_wall_us = clock_wall_us();
	e->tx->start_wh = e->con.in.energy_wh;
	e->counted = 0;
	e->rate_ma = 0;
	e->ended_by = NULL;
	e->most_wh = e->cost = NAN;
	e->charged = false;
	mem_free(e->personal);
	e->personal = NULL;
	if (e->authorised)
		learn_token(e);
	log_info(&s->log, "EVSE %d: transaction begins at %.0f Wh", e->con.evse, e->tx->start_wh);
	start_sends(e, trigger);
	install_profile(e);
	tell_owner(e, e->tx, TX_START, NULL);
	meters_tx_changed(e);
	display_settle(s);
}

/* End */

static void end(struct evse *e, const char *trigger, const char *reason)
{
	struct station *s = e->s;
	struct txn *tx = e->tx;
	struct event ev;
	if (e->ended_by)
		reason = e->ended_by;
	charge_begin_event(e, &ev, TX_END, reason);
	ev.trigger = slice_of(trigger);
	ev.meter_wh = e->con.in.energy_wh;
	ev.state = e->con.in.plugged ? EVSE_PREPARING : EVSE_FINISHING; /* told as EVConnected and Idle: the power path opens with it */
	add_what_is_untold(e, &ev);
	if (strcmp(trigger, "StopAuthorized") == 0)
		name_token(&ev, e->other.token[0] ? &e->other : &e->who);
	ev.n_samples = meters_of_end(e, &ev.samples);
	tx->over = true;
	e->tx = NULL;
	e->counted = 0;
	e->reached = points_now(e);
	e->most_wh = NAN;
	profiles_end_tx(&s->profiles, e->con.evse);
	log_info(&s->log, "EVSE %d: transaction ends at %.0f Wh: %s", e->con.evse, ev.meter_wh, reason);
	txns_put(station_txns(s, e->con.evse), tx, &ev);
	meters_drop(e);
	tell_owner(e, tx, TX_END, reason);
	e->charged = true;
	display_tx_ended(s, slice_of(tx->id));
	txn_release(&tx);
	grant_outlived(e);
	firmware_soon(s);
}

void charge_end(struct evse *e, const char *trigger, const char *reason)
{
	if (e->tx)
		end(e, trigger, reason);
}

/* What happens */

void charge_happened(struct evse *e, const char *trigger, const char *reason)
{
	unsigned now = points_now(e), fresh = now & ~e->reached;
	if (!e->tx) {
		if (fresh & points_of(e, KEY_START_POINT)) {
			if (!charge_may_begin(e))
				return; /* what holds now counts as fresh when it may */
			begin(e, trigger);
			e->counted = now & points_of(e, KEY_STOP_POINT);
		}
		e->reached = now;
		return;
	}
	e->reached = now;
	e->counted |= now & points_of(e, KEY_STOP_POINT);
	if (e->counted & ~now) {
		end(e, trigger, reason);
		return;
	}
	if (e->authorised && !e->tx->token[0])
		learn_token(e);
	tell_update(e, trigger);
}

static void on_rate(void *arg)
{
	charge_rate(arg);
}

/* A limit makes it faster or slower: told where it is clearly so, and not with each step of a balancer (2.x K11 to K13). A pause is a state. */
void charge_rate(struct evse *e)
{
	int32_t now = e->con.offered_ma, told = e->rate_ma;
	if (!e->tx || !e->s->dialect->tx_tells_all || e->told != EVSE_CHARGING || !now || timer_is_set(&e->rate))
		return;
	double percent = told ? fabs((double)now - told) * 100 / told : 0;
	if (told && percent <= station_reporting(e->s).significance)
		return;
	e->rate_ma = now;
	if (!told)
		return; /* how it begins is no change */
	timer_set(&e->rate, RATE_US, on_rate, e);
	tell_update(e, "ChargingRateChanged");
}

void charge_state(struct evse *e)
{
	if (e->tx ? e->told != charging_state(e) : points_now(e) & ~e->reached & POINT_ENERGY)
		charge_happened(e, "ChargingStateChanged", "StoppedByEV");
	charge_rate(e);
}

void charge_power(struct evse *e)
{
	if (!e->authorised || e->con.running || !connector_ready(&e->con) || !charge_may_begin(e))
		return;
	timer_cancel(&e->claim);
	if (!e->tx)
		charge_happened(e, e->trigger, "Other");
	station_limits(e->s); /* before the connector may close: it has not run with this transaction's profiles yet */
	connector_run(&e->con, true);
}

void charge_profile_tx(const struct evse *e, struct profile_tx *out)
{
	*out = (struct profile_tx){ 0 };
	if (!e->tx)
		return;
	out->running = true;
	out->start_us = e->tx->start_wall_us;
	out->id = text_or_absent(e->tx->id);
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

/* What the charge costs so far, or did (2.0.1 I02, I03). */
static void take_cost(struct station *s, const struct txn *tx, const struct reply *r)
{
	struct evse *e = &s->evses[tx->evse - 1];
	if (e->tx && e->tx != tx)
		return;
	if (isfinite(r->total_cost))
		e->cost = r->total_cost;
	if (r->message.p) {
		mem_free(e->personal);
		e->personal = mem_text(r->message);
	}
	if (isfinite(r->total_cost) || r->message.p)
		display_settle(s);
}

static void on_answered(void *arg, struct txn *tx, struct slice token, const struct reply *r)
{
	struct station *s = arg;
	struct evse *e = evse_of(s, tx);
	bool stands_for_nobody = strcmp(tx->token_type, "Central") == 0 || strcmp(tx->token_type, "NoAuthorization") == 0;
	if (r->token_status.p && !stands_for_nobody)
		authz_learn(&s->authz, token, r);
	take_cost(s, tx, r);
	if (e && r->group.p && slice_eq_nocase(token, slice_of(e->who.token)))
		put_text(e->who.group, sizeof(e->who.group), r->group);
	if (e && r->token_status.p && !slice_is(r->token_status, "Accepted"))
		grant_refused(e, r->token_status);
}

static void on_drained(void *arg)
{
	station_reset_if_due(arg);
}

const struct txns_events charge_txns_events = { .named = on_named, .answered = on_answered, .drained = on_drained };
