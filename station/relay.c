/* Three watches beside the station's own rules:
 *
 *   feedback   a contact that has disagreed with its command for more than WELD_US, by at least two readings, is a PowerSwitchFailure:
 *              welded if it stays closed, broken if it does not close. The command is open from then on. It is forgiven when contact and
 *              command have agreed for FORGIVE_US, so a contact that does not close is tried again at that pace and no faster
 *   readings   none for stale_us, and the state of the world is unknown: fault, open
 *   keep-alive the output is repeated every refresh_us; a driver that hears nothing opens by itself
 *
 * A pilot's electronics close the contact themselves when the car asks; the station's `close` follows the same pilot letter one reading
 * later, which WELD_US covers. Without a meter energy is estimated from the current at 230 V; without either it stays 0. */
#include "station/relay.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/timer.h"

#define WELD_US (500 * US_PER_MS)
#define FORGIVE_US (60 * US_PER_S)
#define VOLTS 230.0

struct relay {
	struct relay_conf conf;
	const struct relay_events *events;
	void *arg;
	struct station *station;
	struct link *link;
	struct timer refresh, stale;

	bool close;                   /* the station's output */
	int32_t offered_ma;
	int64_t commanded_us;         /* when it last changed */
	char pilot;

	int64_t disagrees_us;         /* since when the contact disagrees with the command; 0: it agrees */
	int64_t agrees_us;            /* since when it agrees */
	bool switch_failed;
	int64_t fed_us;               /* last reading; 0: none yet */
	double estimated_wh;
	struct evse_input last;
};

static void tell_output(struct relay *r)
{
	double limit_a[3] = { 0 };
	/* A pilot is told what it may offer; a bare contact closes only for a load that is there. */
	bool give = r->pilot ? r->offered_ma > 0 : r->close;
	for (int i = 0; give && i < r->conf.station.phases; i++)
		limit_a[i] = r->offered_ma / 1000.0;
	r->events->output(r->arg, limit_a);
}

static void on_refresh(void *arg)
{
	struct relay *r = arg;
	tell_output(r);
	timer_set(&r->refresh, r->conf.refresh_us, on_refresh, r);
}

static void on_output(void *arg, int evse, bool close, int32_t offered_ma)
{
	struct relay *r = arg;
	(void)evse;
	if (close != r->close)
		r->commanded_us = clock_mono_us();
	r->close = close;
	r->offered_ma = offered_ma;
	tell_output(r);
}

static void on_tx(void *arg, int evse, enum tx_phase phase, const char *tx, const char *token, int64_t wall_us, double wh, const char *reason)
{
	struct relay *r = arg;
	if (r->events->tx)
		r->events->tx(r->arg, evse, phase, tx, token, wall_us, wh, reason);
}

static const struct station_events station_events = { .output = on_output, .tx = on_tx };

static void watch_contact(struct relay *r, bool closed)
{
	int64_t now = clock_mono_us();
	if (closed == r->close) {
		r->disagrees_us = 0;
		if (!r->agrees_us)
			r->agrees_us = now;
		if (now - r->agrees_us >= FORGIVE_US)
			r->switch_failed = false;
		return;
	}
	r->agrees_us = 0;
	if (!r->disagrees_us)
		r->disagrees_us = now;
	int64_t since = r->disagrees_us > r->commanded_us ? r->disagrees_us : r->commanded_us;
	if (now - since > WELD_US)
		r->switch_failed = true;
}

static const char *fault_of(const struct relay *r, const ag_evse_state *state)
{
	if (r->switch_failed)
		return "PowerSwitchFailure";
	if (state->pilot == 'E' || state->pilot == 'F')
		return "EVCommunicationError";
	switch (state->fault) {
	case AG_FAULT_NONE:
		return NULL;
	case AG_FAULT_WELDED:
	case AG_FAULT_NOT_CLOSING:
		return "PowerSwitchFailure";
	case AG_FAULT_IO:
		return "InternalError";
	default:
		return "OtherError";
	}
}

static double energy_of(struct relay *r, const ag_evse_state *state)
{
	int64_t now = clock_mono_us();
	double hours = r->fed_us ? (double)(now - r->fed_us) / (3600.0 * US_PER_S) : 0;
	for (int i = 0; i < r->conf.station.phases; i++) {
		if (!isnan(state->i_a[i]))
			r->estimated_wh += state->i_a[i] * VOLTS * hours;
	}
	return isnan(state->energy_wh) ? r->estimated_wh : state->energy_wh;
}

static void on_stale(void *arg)
{
	struct relay *r = arg;
	struct evse_input in = r->last; /* whether a car is there is not known: a transaction goes on, without energy */
	in.fault = "InternalError";
	in.energy_wh = NAN;
	for (int i = 0; i < 3; i++)
		in.i_a[i] = NAN;
	station_input(r->station, 1, &in);
}

void relay_feed(struct relay *r, const ag_evse_state *state)
{
	char pilot = state->pilot;
	struct evse_input in = { .closed = state->closed, .energy_wh = energy_of(r, state) };
	r->pilot = pilot;
	r->fed_us = clock_mono_us();
	watch_contact(r, state->closed);
	in.plugged = pilot ? pilot >= 'B' && pilot <= 'D' : state->plugged;
	in.wants_energy = pilot ? pilot == 'C' || pilot == 'D' : state->plugged;
	in.fault = fault_of(r, state);
	for (int i = 0; i < 3; i++) {
		in.i_a[i] = state->i_a[i];
		in.v[i] = NAN;
	}
	r->last = in;
	timer_set(&r->stale, r->conf.stale_us, on_stale, r);
	station_input(r->station, 1, &in);
}

void relay_feed_failed(struct relay *r)
{
	/* One lost reading changes nothing; `stale` runs on and opens. Without any reading since the start it must run from here. */
	if (!r->fed_us && !timer_is_set(&r->stale))
		timer_set(&r->stale, r->conf.stale_us, on_stale, r);
}

/* The link */

static void on_up(void *arg, struct link *l)
{
	struct relay *r = arg;
	station_link_up(r->station, l);
}

static void on_text(void *arg, struct link *l, struct slice text)
{
	struct relay *r = arg;
	(void)l;
	station_text(r->station, text);
}

static void on_room(void *arg, struct link *l)
{
	struct relay *r = arg;
	(void)l;
	station_room(r->station);
}

static void on_down(void *arg, struct link *l, const struct link_end *why)
{
	struct relay *r = arg;
	(void)why;
	r->link = NULL;
	station_link_down(r->station);
	link_release(l);
	if (r->events->unlinked)
		r->events->unlinked(r->arg);
}

static const struct link_events link_events = { .up = on_up, .text = on_text, .room = on_room, .down = on_down };

void relay_connect(struct relay *r, struct link *l)
{
	r->link = l;
	l->events = &link_events;
	l->owner = r;
}

struct station *relay_station(struct relay *r)
{
	return r->station;
}

struct relay *relay_open(const struct relay_conf *conf, const struct relay_events *events, void *arg)
{
	struct relay *r = NEW(struct relay);
	struct station_conf s = conf->station;
	r->conf = *conf;
	if (!r->conf.refresh_us)
		r->conf.refresh_us = US_PER_S;
	if (!r->conf.stale_us)
		r->conf.stale_us = 5 * US_PER_S;
	r->events = events;
	r->arg = arg;
	s.n_evses = 1;
	if (conf->on_off)
		s.min_ma = s.max_ma;
	r->station = station_open(&s, &station_events, r);
	on_refresh(r);
	return r;
}

void relay_close(struct relay *r)
{
	static const double open[3];
	timer_cancel(&r->refresh);
	timer_cancel(&r->stale);
	if (r->link)
		link_release(r->link);
	station_close(r->station);
	r->events->output(r->arg, open);
	mem_free(r);
}
