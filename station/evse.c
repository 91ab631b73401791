/* An EVSE: its connector, what is reported of it, and what its hardware says. Transactions are in charge.c, tokens in grant.c.
 *
 * Nothing here waits for the link: permission and output are decided on the spot. A car that leaves changes three things at once, its
 * authorisation, its transaction and its connector; they are told in that order, and the connector then shows no state between. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "station/inside.h"

void put_text(char *out, size_t room, struct slice s)
{
	size_t n = s.n < room - 1 ? s.n : room - 1;
	if (n)
		memcpy(out, s.p, n);
	out[n] = 0;
}

/* What this version's status can say. Where transactions tell what a car does, the status tells of the cable alone. */
enum evse_state evse_told_state(const struct evse *e)
{
	enum evse_state told = dialect_state(e->s->dialect, e->con.state);
	return told == EVSE_OCCUPIED && !e->con.in.plugged ? EVSE_AVAILABLE : told;
}

static const char *fault_of(const struct evse *e)
{
	return e->con.in.fault ? e->con.in.fault : "";
}

bool evse_report_due(const struct evse *e)
{
	return evse_told_state(e) != e->reported || (e->s->dialect->station_status && strcmp(fault_of(e), e->reported_fault) != 0);
}

/* What did not arrive is not known there. */
static void on_reported(void *arg, int err, const struct reply *r)
{
	struct evse *e = arg;
	(void)r;
	e->s->reporting--;
	if (err)
		e->reported = EVSE_UNKNOWN;
	if (!e->s->closing)
		station_reset_if_due(e->s);
}

void evse_report(struct evse *e)
{
	struct station *s = e->s;
	struct event ev;
	if (!s->link)
		return;
	e->reported = evse_told_state(e);
	put_text(e->reported_fault, sizeof(e->reported_fault), slice_of(fault_of(e)));
	event_init(&ev, EV_STATUS);
	ev.evse = e->con.evse;
	ev.connector = 1;
	ev.state = s->dialect->tx_tells_all ? e->reported : e->con.state;
	ev.time_us = clock_wall_us();
	ev.error = e->con.in.fault ? slice_of(e->con.in.fault) : (struct slice){ 0 };
	if (e->con.running && !e->con.in.plugged)
		ev.value = SLICE("EV side disconnected"); /* 1.6 specification 4.9: the transaction waits for the car to come back */
	int err = wire_ask(&s->wire, &ev, NULL, on_reported, e);
	if (err)
		e->reported = EVSE_UNKNOWN;
	else
		s->reporting++;
}

static void on_lasted(void *arg)
{
	struct evse *e = arg;
	if (station_talks(e->s) && evse_report_due(e))
		evse_report(e);
}

/* A state that did not last MinimumStatusDuration is not told (1.6 errata 3.19). */
static void report_if_due(struct evse *e)
{
	int64_t last_us = keys_int(&e->s->keys, KEY_MIN_STATUS) * US_PER_S;
	timer_cancel(&e->status);
	if (!station_talks(e->s) || !evse_report_due(e))
		return;
	if (last_us)
		timer_set(&e->status, last_us, on_lasted, e);
	else
		evse_report(e);
}

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
	charge_state(e);
	display_settle(s);
	if (evse_report_due(e))
		report_if_due(e);
	if (c->state == EVSE_FAULTED || c->state == EVSE_UNAVAILABLE)
		reserve_evse_lost(e);
}

static const struct connector_events connector_events = { .output = on_output, .state = on_state };

/* A register that cannot be read just now stays where it was: bills are made from it. */
static void keep_register(struct evse *e, struct evse_input *in)
{
	if (isnan(in->energy_wh))
		in->energy_wh = e->register_wh;
	e->register_wh = in->energy_wh;
}

static void on_leaving(struct evse *e, const struct evse_input *in)
{
	e->con.in.energy_wh = in->energy_wh;
	e->con.in.plugged = e->con.in.wants_energy = false;
	if (!e->con.running) {
		charge_happened(e, "EVCommunicationLost", "EVDisconnected");
		connector_feed(&e->con, in);
	} else if (keys_bool(&e->s->keys, KEY_STOP_ON_UNPLUG)) {
		e->authorised = false;
		charge_happened(e, "EVCommunicationLost", "EVDisconnected");
		connector_leave(&e->con, in);
	} else {
		charge_happened(e, "EVCommunicationLost", "EVDisconnected");
		connector_feed(&e->con, in);
		grant_wait(e);
	}
	e->charged = false;
	station_limits(e->s);
	reserve_settle(e->s);
	display_settle(e->s);
	monitors_look(e->s);
	station_reset_if_due(e->s);
}

/* First the cable, then what the car does. */
static void on_coming(struct evse *e, const struct evse_input *in)
{
	struct evse_input cable = *in;
	cable.wants_energy = false;
	connector_feed(&e->con, &cable);
	report_if_due(e);
	reserve_settle(e->s);
	if (e->con.running)
		timer_cancel(&e->claim); /* it came back */
	charge_happened(e, "CablePluggedIn", "Other");
}

/* A refused transaction has had what it may have (2.0.1 E05.FR.09, 1.6 MaxEnergyOnInvalidId). */
static void look_at_energy(struct evse *e)
{
	if (e->con.running && !e->con.halted && e->con.in.energy_wh >= e->most_wh)
		connector_halt(&e->con, true);
}

void evse_feed(struct evse *e, const struct evse_input *reading)
{
	struct evse_input in = *reading;
	bool was_plugged = e->con.in.plugged;
	keep_register(e, &in);
	if (was_plugged && !in.plugged) {
		on_leaving(e, &in);
		return;
	}
	if (!was_plugged && in.plugged)
		on_coming(e, &in);
	connector_feed(&e->con, &in);
	if (evse_report_due(e) && !timer_is_set(&e->status))
		report_if_due(e);
	look_at_energy(e);
	grant_try(e);
	monitors_look(e->s);
}

void evse_open(struct evse *e, struct station *s, int number)
{
	e->s = s;
	e->remote_start_id = e->reservation = -1;
	e->most_wh = e->cost = NAN;
	connector_open(&e->con, number, s->conf.min_ma, &connector_events, e);
	for (int i = 0; i < 3; i++)
		e->con.in.i_a[i] = e->con.in.v[i] = NAN;
}

void evse_close(struct evse *e)
{
	if (e->con.close || e->con.offered_ma)
		e->s->events->output(e->s->arg, e->con.evse, false, 0);
	meters_drop(e);
	timer_cancel(&e->claim);
	timer_cancel(&e->status);
	timer_cancel(&e->rate);
	mem_free(e->personal);
	mem_free(e->shown);
	arena_free(&e->profile_mem);
	txn_release(&e->tx);
}
