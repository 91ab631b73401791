/* For EVSEs that are fed with a state, three watches beside the station's own rules:
 *
 *   feedback   a contact that has disagreed with its command for more than WELD_US, by at least two readings, is a PowerSwitchFailure:
 *              welded if it stays closed, broken if it does not close. The command is open from then on. It is forgiven when contact and
 *              command have agreed for FORGIVE_US, so a contact that does not close is tried again at that pace and no faster
 *   readings   none for stale_us, and the state of the world is unknown: fault, open
 *   keep-alive the output is repeated every refresh_us; a driver that hears nothing opens by itself
 *
 * A pilot's electronics close the contact themselves when the car asks; the station's `close` follows the same pilot letter one reading
 * later, which WELD_US covers. Without a meter energy is estimated from the current at 230 V; without either it stays 0.
 *
 * For EVSEs with pins the outlet does all of this. It is stepped by each reading, by silence, and at once when the station changes its mind;
 * the station hears of it after the step, never inside one. */
#include "station/relay.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "station/pins.h"

#define WELD_US (500 * US_PER_MS)
#define FORGIVE_US (60 * US_PER_S)
#define SILENT_LOOK_US (200 * US_PER_MS)
#define VOLTS 230.0
#define BACKWARDS_WH 1.0
#define PILOT_LEAST_MA 6000
#define SWITCHES_MOST 48 /* two an hour for a day; how often it is wanted is for whoever asks */
#define UNLOCK_US (10 * US_PER_S)
#define LATE_MOST_US (2 * US_PER_S)

/* One EVSE. */
struct place {
	struct relay *r;
	int evse;
	struct timer stale;

	bool close;                   /* the station's output */
	int32_t offered_ma;
	int64_t commanded_us;         /* when it last changed */
	char pilot;

	int64_t disagrees_us;         /* since when the contact disagrees with the command; 0: it agrees */
	int64_t agrees_us;            /* since when it agrees */
	bool switch_failed;
	int64_t fed_us;               /* last reading; 0: none yet */
	double estimated_wh;
	bool metered;                 /* a register was read: */
	double register_wh, offset_wh; /* as told last, and what is added to what is read */
	struct evse_input last;

	/* With pins. */
	bool outlet_is_open;          /* there were pins, so `outlet` is in order */
	bool stepping;
	bool unlocking;               /* somebody waits to hear whether the plug came free */
	int64_t unlock_until_us;
	uint32_t has, told_faults;
	int64_t stepped_us, driven_us; /* the latter: when pilot or contacts were ordered last */
	struct outlet outlet;
	struct outlet_in in;
	ag_drive driven;
};

struct relay {
	struct relay_conf conf;
	const struct relay_events *events;
	void *arg;
	struct station *station;
	struct link *link;
	struct log log;
	struct timer refresh;
	int n;
	struct place places[];
};

static void tell_output(struct place *p)
{
	struct relay *r = p->r;
	double limit_a[3] = { 0 };
	/* A pilot is told what it may offer; a bare contact closes only for a load that is there. */
	bool give = p->pilot ? p->offered_ma > 0 : p->close;
	for (int i = 0; give && i < r->conf.station.phases; i++)
		limit_a[i] = p->offered_ma / 1000.0;
	r->events->output(r->arg, p->evse, limit_a);
}

static void on_refresh(void *arg)
{
	struct relay *r = arg;
	for (int i = 0; i < r->n; i++) {
		if (!r->places[i].outlet_is_open)
			tell_output(&r->places[i]);
	}
	timer_set(&r->refresh, r->conf.refresh_us, on_refresh, r);
}

/* ---- an outlet ---- */

static void tell_faults(struct place *p)
{
	struct relay *r = p->r;
	for (int f = 0; f < OUTLET_FAULTS; f++) {
		bool stands = outlet_has(&p->outlet, f), was = p->told_faults & UINT32_C(1) << f;
		if (stands == was)
			continue;
		if (stands)
			log_warn(&r->log, "EVSE %d: %s: %s", p->evse, outlet_faults[f].code, outlet_faults[f].text);
		else
			log_info(&r->log, "EVSE %d: %s is over", p->evse, outlet_faults[f].code);
		if (r->events->fault)
			r->events->fault(r->arg, p->evse, outlet_faults[f].code, stands);
	}
	p->told_faults = p->outlet.standing;
}

/* In what the pins show at once. */
static bool is_another_order(const ag_drive *a, const ag_drive *b)
{
	return a->pilot != b->pilot || a->close_1 != b->close_1 || a->close_2 != b->close_2;
}

/* `at_us`: when the pins were read, so that readings that waited for us do not count the waiting. */
static void step(struct place *p, int64_t at_us)
{
	struct relay *r = p->r;
	struct station_view view;
	ag_drive d;
	int64_t now = at_us > p->stepped_us ? at_us : p->stepped_us;
	station_view(r->station, p->evse, &view);
	p->in.session = view.authorised && !p->unlocking;
	p->in.offer_ma = p->unlocking ? 0 : p->offered_ma;
	p->in.phases = view.limit_phases == 1 ? 1 : 3;
	uint8_t before = p->outlet.state;
	outlet_step(&p->outlet, &p->in, (int32_t)(now / US_PER_MS - p->stepped_us / US_PER_MS));
	p->stepped_us = now;
	if (p->outlet.state != before)
		log_debug(&r->log, "EVSE %d: outlet %s -> %s", p->evse, outlet_state_text(before), outlet_state_text(p->outlet.state));
	pins_write(&p->outlet.out, &d);
	if (memcmp(&d, &p->driven, sizeof(d)) != 0) {
		if (is_another_order(&d, &p->driven)) {
			p->driven_us = clock_mono_us();
			p->in.late = true; /* until there is a reading that is of it */
		}
		p->driven = d;
		r->events->drive(r->arg, p->evse, &d);
	}
	tell_faults(p);
}

static void describe_outlet(const struct relay *r, uint32_t has, struct outlet_conf *out)
{
	int derate_c = r->conf.derate_c ? r->conf.derate_c : 65, hot_c = r->conf.hot_c ? r->conf.hot_c : 71;
	*out = (struct outlet_conf){ .wake = r->conf.wake, .max_ma = r->conf.station.max_ma, .silent_ms = (int32_t)(r->conf.silent_us / US_PER_MS),
		.derate_dc = derate_c * 10, .halve_dc = (derate_c + hot_c) * 5, .hot_dc = hot_c * 10, .switches_most = SWITCHES_MOST };
	pins_describe(has, out);
	out->min_ma = out->pilot && !r->conf.on_off ? PILOT_LEAST_MA : out->max_ma;
}

static void open_outlet(struct place *p, uint32_t has)
{
	struct outlet_conf conf;
	if (p->outlet_is_open)
		log_warn(&p->r->log, "EVSE %d: its hardware changed (%x, then %x)", p->evse, p->has, has);
	describe_outlet(p->r, has, &conf);
	outlet_open(&p->outlet, &conf);
	p->outlet_is_open = true;
	p->has = has;
	p->told_faults = 0;
	p->stepped_us = clock_mono_us();
}

static const char *outlet_trouble(const struct outlet *o)
{
	for (int f = 0; f < OUTLET_FAULTS; f++) {
		if (outlet_has(o, f) && outlet_faults[f].act != ACT_TELL)
			return outlet_faults[f].ocpp;
	}
	return NULL;
}

static void watch_unlock(struct place *p)
{
	bool is_free = !p->outlet.pins.locked;
	if (!p->unlocking || (!is_free && clock_mono_us() < p->unlock_until_us))
		return;
	p->unlocking = false;
	station_unlocked(p->r->station, p->evse, is_free);
}

/* What the station is to know of an outlet. */
static void feed_station(struct place *p, struct evse_input in)
{
	const struct outlet *o = &p->outlet;
	in.plugged = o->plugged;
	in.wants_energy = o->conf.pilot ? o->state == OUTLET_CHARGING : o->plugged;
	in.closed = o->conf.feedback[0] ? o->pins.closed[0] : o->out.close[0];
	in.fault = outlet_trouble(o);
	in.phases = o->conf.second ? o->phases : 0;
	in.single = o->conf.second;
	p->last = in;
	station_input(p->r->station, p->evse, &in);
	watch_unlock(p);
}

/* The steps of silence; the readings take over when they come again. */
static void on_silent(void *arg)
{
	struct place *p = arg;
	struct evse_input in = p->last;
	p->in.known = false;
	p->stepping = true;
	step(p, clock_mono_us());
	p->stepping = false;
	in.energy_wh = NAN;
	for (int i = 0; i < 3; i++)
		in.i_a[i] = NAN;
	timer_set(&p->stale, SILENT_LOOK_US, on_silent, p);
	feed_station(p, in);
}

/* A register never runs backwards. One that does was exchanged or reset: it goes on from where the last one was. */
static double onward(struct place *p, double energy_wh)
{
	double now = energy_wh + p->offset_wh;
	if (p->metered && now < p->register_wh - BACKWARDS_WH) {
		log_warn(&p->r->log, "EVSE %d: its energy register went from %.0f to %.0f Wh; it is counted on from there", p->evse, p->register_wh - p->offset_wh, energy_wh);
		p->offset_wh = p->register_wh - energy_wh;
		now = p->register_wh;
	}
	p->register_wh = p->metered && now < p->register_wh ? p->register_wh : now;
	p->metered = true;
	return p->register_wh;
}

static double energy_of(struct place *p, const double i_a[3], double energy_wh)
{
	int64_t now = clock_mono_us();
	double hours = p->fed_us ? (double)(now - p->fed_us) / (3600.0 * US_PER_S) : 0;
	for (int i = 0; i < p->r->conf.station.phases; i++) {
		if (!isnan(i_a[i]))
			p->estimated_wh += i_a[i] * VOLTS * hours;
	}
	/* A register that is lost for a while stays where it was: an estimate counts from another beginning. */
	return !isnan(energy_wh) ? onward(p, energy_wh) : p->metered ? NAN : p->estimated_wh;
}

/* Hardware that does not obey for so long is not late but wrong. */
static bool is_late(const struct place *p, const ag_pins *pins, const ag_drive *of)
{
	bool behind = is_another_order(of, &p->driven) || pins->on & AG_PIN_LATE;
	return behind && clock_mono_us() - p->driven_us < LATE_MOST_US;
}

void relay_feed_pins(struct relay *r, int evse, const ag_pins *pins, const ag_drive *of, int64_t at_us)
{
	struct place *p = &r->places[evse - 1];
	struct evse_input in = { .energy_wh = energy_of(p, pins->i_a, pins->energy_wh) };
	if (!p->outlet_is_open || pins->has != p->has)
		open_outlet(p, pins->has);
	pins_read(pins, &p->in);
	p->in.late = is_late(p, pins, of);
	p->fed_us = clock_mono_us();
	p->stepping = true;
	step(p, at_us);
	p->stepping = false;
	memcpy(in.i_a, pins->i_a, sizeof(in.i_a));
	memcpy(in.v, pins->u_v, sizeof(in.v));
	timer_set(&p->stale, r->conf.silent_us / 2, on_silent, p);
	feed_station(p, in);
}

/* ---- an EVSE that knows charging by itself ---- */

static void watch_contact(struct place *p, bool closed)
{
	int64_t now = clock_mono_us();
	if (closed == p->close) {
		p->disagrees_us = 0;
		if (!p->agrees_us)
			p->agrees_us = now;
		if (now - p->agrees_us >= FORGIVE_US)
			p->switch_failed = false;
		return;
	}
	p->agrees_us = 0;
	if (!p->disagrees_us)
		p->disagrees_us = now;
	int64_t since = p->disagrees_us > p->commanded_us ? p->disagrees_us : p->commanded_us;
	if (now - since > WELD_US)
		p->switch_failed = true;
}

static const char *fault_of(const struct place *p, const ag_evse_state *state)
{
	if (p->switch_failed)
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

static void on_stale(void *arg)
{
	struct place *p = arg;
	struct evse_input in = p->last; /* whether a car is there is not known: a transaction goes on, without energy */
	in.fault = "InternalError";
	in.energy_wh = NAN;
	for (int i = 0; i < 3; i++)
		in.i_a[i] = NAN;
	station_input(p->r->station, p->evse, &in);
}

void relay_feed(struct relay *r, int evse, const ag_evse_state *state)
{
	struct place *p = &r->places[evse - 1];
	char pilot = state->pilot;
	struct evse_input in = { .closed = state->closed, .energy_wh = energy_of(p, state->i_a, state->energy_wh) };
	p->pilot = pilot;
	p->fed_us = clock_mono_us();
	watch_contact(p, state->closed);
	in.plugged = pilot ? pilot >= 'B' && pilot <= 'D' : state->plugged;
	in.wants_energy = pilot ? pilot == 'C' || pilot == 'D' : state->plugged;
	in.fault = fault_of(p, state);
	for (int i = 0; i < 3; i++) {
		in.i_a[i] = state->i_a[i];
		in.v[i] = NAN;
	}
	p->last = in;
	timer_set(&p->stale, r->conf.stale_us, on_stale, p);
	station_input(r->station, evse, &in);
}

void relay_feed_failed(struct relay *r, int evse)
{
	struct place *p = &r->places[evse - 1];
	/* One lost reading changes nothing; `stale` runs on and opens. Without any reading since the start it must run from here. */
	if (!p->fed_us && !timer_is_set(&p->stale))
		timer_set(&p->stale, r->conf.stale_us, on_stale, p);
}

/* ---- the station ---- */

static void on_output(void *arg, int evse, bool close, int32_t offered_ma)
{
	struct relay *r = arg;
	struct place *p = &r->places[evse - 1];
	if (close != p->close)
		p->commanded_us = clock_mono_us();
	p->close = close;
	p->offered_ma = offered_ma;
	if (!p->outlet_is_open)
		tell_output(p);
	else if (r->station && !p->stepping)
		step(p, clock_mono_us());
}

static void on_tx(void *arg, int evse, enum tx_phase phase, const char *tx, const char *token, int64_t wall_us, double wh, const char *reason)
{
	struct relay *r = arg;
	if (r->events->tx)
		r->events->tx(r->arg, evse, phase, tx, token, wall_us, wh, reason);
}

/* As if there were neither permission nor session, the outlet stops and releases the plug when nothing flows; how that went is told when it
 * is known. */
static int on_unlock(void *arg, int evse)
{
	struct relay *r = arg;
	struct place *p = &r->places[evse - 1];
	if (!p->outlet_is_open || !p->outlet.conf.lock)
		return ERR_UNSUPPORTED;
	p->unlocking = true;
	p->unlock_until_us = clock_mono_us() + UNLOCK_US;
	return 0;
}

static const struct station_events station_events = { .output = on_output, .unlock = on_unlock, .tx = on_tx };

/* A reader for several EVSEs: whoever holds a card means the transaction that it began, else the car that waits. */
static int meant_by(struct relay *r, const char *token)
{
	int waits = 0;
	for (int i = 1; i <= r->n; i++) {
		struct station_view v;
		station_view(r->station, i, &v);
		if (v.running && strcmp(v.token, token) == 0)
			return i;
		if (!waits && v.state == EVSE_PREPARING && !v.running)
			waits = i;
	}
	for (int i = 1; i <= r->n && !waits; i++) {
		struct station_view v;
		station_view(r->station, i, &v);
		if (v.state == EVSE_AVAILABLE || v.state == EVSE_RESERVED)
			waits = i;
	}
	return waits;
}

void relay_card(struct relay *r, int evse, const char *token)
{
	int which = evse ? evse : meant_by(r, token);
	if (which)
		station_token(r->station, which, token);
	else
		log_info(&r->log, "a card was shown, and no EVSE is free for it");
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

const struct outlet *relay_outlet(const struct relay *r, int evse)
{
	const struct place *p = &r->places[evse - 1];
	return p->outlet_is_open ? &p->outlet : NULL;
}

struct relay *relay_open(const struct relay_conf *conf, const struct relay_events *events, void *arg)
{
	int n = conf->station.n_evses;
	struct relay *r = mem_new(sizeof(*r) + (size_t)n * sizeof(r->places[0]));
	struct station_conf s = conf->station;
	r->conf = *conf;
	if (!r->conf.refresh_us)
		r->conf.refresh_us = US_PER_S;
	if (!r->conf.stale_us)
		r->conf.stale_us = 5 * US_PER_S;
	if (!r->conf.silent_us)
		r->conf.silent_us = 2 * US_PER_S;
	r->events = events;
	r->arg = arg;
	r->n = n;
	for (int i = 0; i < n; i++) {
		r->places[i].r = r;
		r->places[i].evse = i + 1;
	}
	if (conf->on_off)
		s.min_ma = s.max_ma;
	r->station = station_open(&s, &station_events, r);
	r->log = (struct log){ .key = "station", .value = conf->station.id };
	on_refresh(r);
	return r;
}

void relay_close(struct relay *r)
{
	static const double open[3];
	static const ag_drive safe;
	timer_cancel(&r->refresh);
	for (int i = 0; i < r->n; i++)
		timer_cancel(&r->places[i].stale);
	if (r->link)
		link_release(r->link);
	struct station *s = r->station;
	r->station = NULL;
	station_close(s);
	for (int i = 0; i < r->n; i++) {
		if (r->places[i].outlet_is_open)
			r->events->drive(r->arg, i + 1, &safe);
		else
			r->events->output(r->arg, i + 1, open);
	}
	mem_free(r);
}
