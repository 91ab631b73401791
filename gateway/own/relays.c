/* The box's own EVSEs as charging stations: each EVSE is a driver polled by the host, each station a relay (station/relay.h) and a pair of link
 * ends whose other end is a session. The station may drop its link (a reset): it gets a new one a moment later, as a rebooted cabinet would.
 *
 * A card reader belongs to the EVSEs that name its device; when several of one station do, the station finds out who is meant. */
#include "gateway/own/relays.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "base/zone.h"
#include "config.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/offline/ledger.h"
#include "gateway/own/own-host.h"
#include "gateway/plug/drivers.h"
#include "gateway/power/hours.h"
#include "gateway/session/session.h"
#include "gateway/sim/sim-outlet.h"
#include "station/link-local.h"
#include "station/relay.h"

#define REBOOT_US US_PER_S
#define SAMPLE_US (10 * US_PER_S)
#define METER_PATIENCE_US (5 * US_PER_S)
#define CALL_TIMEOUT_US (30 * US_PER_S)
#define HOURS_LOOK_US (10 * US_PER_S)

/* One EVSE. */
struct place {
	struct own *own;
	const struct evse_settings *conf;
	int driver, meter;         /* handles of the host; -1: none */
	bool began;                /* what an earlier process left unfinished is in order */
	bool metered, complained;  /* its meter was read; that it was not is in the log */
	bool lacks_second;         /* is to change phases over, and its hardware cannot */
	int64_t patience_us;       /* monotonic; until then the meter is waited for */
	/* What its meter said last; NaN: not known. */
	double i_a[3], energy_wh;
};

/* One station. */
struct own {
	struct gateway *gw;
	const struct evse_settings *conf; /* of its first EVSE */
	struct relay *relay;
	struct own_host *host;
	struct timer reconnect, hours;
	bool is_free;              /* by the hour */
	int n;
	struct place *places;
	const char **rotations;    /* of its EVSEs */
};

struct reader {
	const struct reader_settings *conf;
	bool failed;
	int handle;             /* negative: its driver has refused it */
};

static struct {
	struct own *all;
	size_t count;
	struct place *places;
	const char **rotations;
	struct reader *readers;
	size_t n_readers;
} owns;

static void connect_session(void *arg)
{
	struct own *o = arg;
	struct link *station_end, *gateway_end;
	struct session *s = session_of(o->gw, slice_of(o->conf->station));
	if (!s)
		return;
	link_local_pair(o->conf->version ? OCPP201 : OCPP16, o->conf->station, &station_end, &gateway_end);
	relay_connect(o->relay, station_end);
	session_attach(s, gateway_end);
}

static void on_unlinked(void *arg)
{
	struct own *o = arg;
	timer_set(&o->reconnect, REBOOT_US, connect_session, o);
}

static void on_output(void *arg, int evse, const double limit_a[3])
{
	struct own *o = arg;
	struct place *p = &o->places[evse - 1];
	if (p->driver >= 0 && !drivers_have_pins(o->gw->host, p->conf))
		host_evse_set(o->gw->host, p->driver, limit_a);
}

static void on_drive(void *arg, int evse, const ag_drive *d)
{
	struct own *o = arg;
	host_evse_drive(o->gw->host, o->places[evse - 1].driver, d);
}

/* An event for whoever watches the site; the station has logged it and tells the CSMS. */
static void on_fault(void *arg, int evse, const char *code, bool stands)
{
	struct own *o = arg;
	struct buf args = { 0 };
	char object[64];
	snprintf(object, sizeof(object), "%s/%d", o->conf->station, evse);
	buf_printf(&args, "{\"evse\":%d,\"code\":\"%s\"}", evse, code);
	telemetry_event(o->gw, stands ? "evse.fault" : "evse.fault_over", stands ? "warning" : "info", object, args.p);
	buf_free(&args);
}

static const struct relay_events events = { .output = on_output, .drive = on_drive, .unlinked = on_unlinked, .fault = on_fault };

/* A transaction that ran when an earlier process died is stopped before another can begin. False: the boot or the meter is waited for. */
static bool begins(struct place *p, double wh)
{
	struct session *s = session_of(p->own->gw, slice_of(p->conf->station));
	if (p->began || !s)
		return true;
	if (!s->booted || (isnan(wh) && clock_mono_us() < p->patience_us))
		return false;
	p->began = true;
	ledger_end_interrupted(s, p->conf->evse, wh);
	return true;
}

/* A transaction that begins without the register it is billed by could end with anything, so there is none until the meter was read once. */
static bool lacks_meter(struct place *p)
{
	if (!p->conf->meter || p->metered)
		return false;
	if (!p->complained && clock_mono_us() > p->patience_us) {
		p->complained = true;
		log_warn(NULL, "EVSE %s waits for its meter, which has not been read yet", p->conf->id);
	}
	return true;
}

/* What its configuration says of phases is refused by hardware that is made otherwise, which is known only now; and another board may be put in.
 * The balancer hears it before the first reading counts. */
static void look_at_contactors(struct place *p, bool second)
{
	if (!p->conf->switch_phases_after_us || p->lacks_second == !second)
		return;
	int evse = control_find_evse(p->own->gw->control, p->conf->station, p->conf->evse);
	p->lacks_second = !second;
	if (second)
		log_info(NULL, "EVSE %s: its hardware has a second contactor now, phases are changed over", p->conf->id);
	else
		log_error(NULL, "EVSE %s: switch_phases_after is refused, its hardware has no second contactor for its L2 and L3: it charges on three phases or waits", p->conf->id);
	if (evse >= 0)
		control_evse_single(p->own->gw->control, evse, second ? SINGLE_FIRST : SINGLE_NEVER);
}

static void on_state(void *arg, const ag_evse_state *from, const char *fault)
{
	struct place *p = arg;
	(void)fault;
	if (!p->own->relay)
		return; /* closed, and the host still tells */
	if (!from || lacks_meter(p)) {
		relay_feed_failed(p->own->relay, p->conf->evse);
		return;
	}
	look_at_contactors(p, false);
	ag_evse_state state = *from;
	if (p->meter >= 0) {
		memcpy(state.i_a, p->i_a, sizeof(state.i_a));
		state.energy_wh = p->energy_wh;
	}
	if (begins(p, state.energy_wh))
		relay_feed(p->own->relay, p->conf->evse, &state);
}

static void on_pins(void *arg, const ag_pins *from, const ag_drive *of, int64_t at_us, const char *fault)
{
	struct place *p = arg;
	(void)fault;
	if (!p->own->relay)
		return;
	if (!from || lacks_meter(p)) {
		relay_feed_failed(p->own->relay, p->conf->evse);
		return;
	}
	look_at_contactors(p, from->has & AG_PIN_SECOND);
	ag_pins pins = *from;
	if (p->meter >= 0) {
		memcpy(pins.i_a, p->i_a, sizeof(pins.i_a));
		pins.energy_wh = p->energy_wh;
	}
	if (begins(p, pins.energy_wh))
		relay_feed_pins(p->own->relay, p->conf->evse, &pins, of, at_us);
}

const struct outlet *relays_outlet(const char *station, int evse)
{
	for (size_t i = 0; i < owns.count; i++) {
		const struct own *o = &owns.all[i];
		if (o->relay && evse >= 1 && evse <= o->n && strcmp(o->conf->station, station) == 0)
			return relay_outlet(o->relay, evse);
	}
	return NULL;
}

void relays_lacking(void (*see)(void *arg, const char *id), void *arg)
{
	for (size_t i = 0; i < owns.count; i++)
		for (int e = 0; e < owns.all[i].n; e++)
			if (owns.all[i].places[e].lacks_second)
				see(arg, owns.all[i].places[e].conf->id);
}

/* Which one of a meter's phases is the only one of its EVSE: a meter for one phase calls it L1 wherever it is, another may have it at any terminal. */
static int loaded(const double i_a[3])
{
	int most = 0;
	for (int i = 1; i < 3; i++)
		if (!isnan(i_a[i]) && !(fabs(i_a[i]) <= fabs(i_a[most])))
			most = i;
	return most;
}

/* The meter is in the EVSE's own feed, its phases are those at the EVSE's terminals. */
static void on_meter(void *arg, const ag_meter_sample *s, const char *fault)
{
	struct place *p = arg;
	bool known = s && (s->valid & AG_I);
	int n = __builtin_popcount(p->conf->phases), first = known && n == 1 ? loaded(s->i_a) : 0;
	(void)fault;
	for (int i = 0; i < n; i++)
		p->i_a[i] = known ? s->i_a[first + i] : NAN;
	p->energy_wh = s && (s->valid & AG_IMPORT) ? s->import_wh : NAN;
	p->metered |= s != NULL;
}

/* ---- cards ---- */

static bool shares(const struct evse_settings *e, const struct reader_settings *r)
{
	const struct reader_settings *own = e->reader;
	return own && str_same(own->device, r->device) && str_same(own->plugin, r->plugin) && str_same(own->options, r->options);
}

/* Every station with this reader hears of the card; one of them has something to do with it as a rule. */
static void on_token(void *arg, const char *token, const char *fault)
{
	struct reader *r = arg;
	if (!token) {
		log_warn(NULL, "card reader %s: %s", r->conf->device ? r->conf->device : r->conf->plugin, fault);
		return;
	}
	for (size_t i = 0; i < owns.count; i++) {
		struct own *o = &owns.all[i];
		int here = 0, which = 0;
		for (int e = 0; e < o->n; e++) {
			if (shares(o->places[e].conf, r->conf)) {
				here++;
				which = e + 1;
			}
		}
		if (here && o->relay)
			relay_card(o->relay, here > 1 ? 0 : which, token);
	}
}

/* One that is refused is missing, which drivers.c has logged. */
static void open_readers(struct gateway *g)
{
	owns.readers = mem_new((g->conf->n_evses + 1) * sizeof(*owns.readers));
	for (size_t i = 0; i < g->conf->n_evses; i++) {
		const struct evse_settings *e = &g->conf->evses[i];
		bool known = !e->reader;
		for (size_t k = 0; k < owns.n_readers && !known; k++)
			known = shares(e, owns.readers[k].conf);
		if (known)
			continue;
		struct reader *r = &owns.readers[owns.n_readers++];
		r->conf = e->reader;
		r->handle = drivers_reader(g->host, e->reader, on_token, r);
	}
}

/* ---- by the hour ---- */

static void end_free_sessions(struct own *o)
{
	for (int e = 1; e <= o->n; e++) {
		struct station_view v;
		station_view(relay_station(o->relay), e, &v);
		if (v.running && strcmp(v.token, o->conf->token) == 0)
			station_stop(relay_station(o->relay), e, "Other");
	}
}

static void on_hours(void *arg)
{
	struct own *o = arg;
	int64_t now = clock_wall_us();
	bool is_free = hours_include(o->conf->hours, now + zone_offset_us(o->gw->zone, now));
	timer_set(&o->hours, HOURS_LOOK_US, on_hours, o);
	if (is_free == o->is_free)
		return;
	o->is_free = is_free;
	station_free(relay_station(o->relay), is_free ? o->conf->token : NULL);
	if (!is_free)
		end_free_sessions(o);
}

/* ---- start and stop ---- */

static void describe(const struct own *o, struct relay_conf *out)
{
	const struct evse_settings *e = o->conf;
	*out = (struct relay_conf){ .on_off = !e->pilot, .wake = e->wake };
	out->station = (struct station_conf){ .id = e->station, .version = e->version ? OCPP201 : OCPP16, .vendor = "ampgate",
		.model = e->pilot ? "outlet" : "relay", .serial = e->station, .firmware = PACKAGE_VERSION, .n_evses = o->n, .phases = __builtin_popcount(e->phases), .rotations = o->rotations, .knows_phases = true,
		.max_ma = e->current_ma, .min_ma = settings_own_min_ma(e), .sample_us = SAMPLE_US, .authorize_local = false,
		.free_token = e->authorize & AUTHORIZE_FREE ? e->token : NULL, .call_timeout_us = CALL_TIMEOUT_US, .heartbeat_us = 300 * US_PER_S, .peer_inside = true,
		.security_profile = e->uplink ? e->uplink->security_profile : 0, .security_events = true, .host = own_host_ops(o->host), .host_arg = o->host };
}

/* What its driver refuses is out of order: an EVSE reports a fault, and one whose meter is refused waits for it for ever. The others run. */
static void open_place(struct own *o, const struct evse_settings *e, struct place *p)
{
	struct gateway *g = o->gw;
	*p = (struct place){ .own = o, .conf = e, .driver = -1, .meter = -1, .i_a = { NAN, NAN, NAN }, .energy_wh = NAN,
		.patience_us = clock_mono_us() + METER_PATIENCE_US };
	p->driver = drivers_evse(g->host, g->conf->models, e, on_state, on_pins, p);
	if (p->driver < 0)
		relay_feed_failed(o->relay, e->evse);
	else if (e->meter)
		p->meter = drivers_meter(g->host, g->conf->models, e->meter, on_meter, p);
}

static void open_one(struct own *o)
{
	struct relay_conf conf;
	o->host = own_host_open(o->gw, o->conf->station, o->conf->station);
	const struct settings *s = o->gw->conf;
	for (size_t i = 0; i < s->n_evses; i++)
		if (strcmp(s->evses[i].station, o->conf->station) == 0)
			o->rotations[s->evses[i].evse - 1] = s->evses[i].rotation;
	describe(o, &conf);
	for (int i = 0; i < o->n; i++)
		o->places[i].driver = -1;
	o->relay = relay_open(&conf, &events, o);
	own_host_serves(o->host, relay_station(o->relay));
	for (size_t i = 0; i < s->n_evses; i++) {
		const struct evse_settings *e = &s->evses[i];
		if (strcmp(e->station, o->conf->station) == 0)
			open_place(o, e, &o->places[e->evse - 1]);
	}
	connect_session(o);
	if (o->conf->authorize & AUTHORIZE_SCHEDULE)
		on_hours(o);
}

void relays_open(struct gateway *g)
{
	const struct settings *c = g->conf;
	struct place *next;
	const char **rotations;
	host_driver(g->host, "sim-outlet", plugin_sim_outlet());
	owns.all = mem_new((c->n_evses + 1) * sizeof(*owns.all));
	next = owns.places = mem_new((c->n_evses + 1) * sizeof(*owns.places));
	rotations = owns.rotations = mem_new((c->n_evses + 1) * sizeof(*owns.rotations));
	for (size_t i = 0; i < c->n_evses; i++) {
		if (c->evses[i].evse != 1)
			continue;
		struct own *o = &owns.all[owns.count++];
		*o = (struct own){ .gw = g, .conf = &c->evses[i], .places = next, .rotations = rotations };
		settings_own_station(c, slice_of(o->conf->station), &o->n);
		next += o->n;
		rotations += o->n;
		open_one(o);
	}
	open_readers(g);
}

void relays_close(void)
{
	for (size_t i = 0; i < owns.count; i++) {
		timer_cancel(&owns.all[i].reconnect);
		timer_cancel(&owns.all[i].hours);
		if (owns.all[i].relay)
			relay_close(owns.all[i].relay);
		owns.all[i].relay = NULL;
		own_host_close(owns.all[i].host);
		owns.all[i].host = NULL;
	}
	own_hosts_close();
}

void relays_free(void)
{
	mem_free(owns.all);
	mem_free(owns.places);
	mem_free(owns.rotations);
	mem_free(owns.readers);
	memset(&owns, 0, sizeof(owns));
}
