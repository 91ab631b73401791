/* Each of the box's own EVSEs: a driver polled by the host, a relay with its station, and a pair of link ends whose other end is a session.
 * The station may drop its link (a reset): it gets a new one a moment later, as a rebooted cabinet would. */
#include "gateway/relays.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "config.h"
#include "gateway/drivers.h"
#include "gateway/session.h"
#include "station/link-local.h"
#include "station/relay.h"

#define REBOOT_US US_PER_S
#define SAMPLE_US (10 * US_PER_S)
#define CALL_TIMEOUT_US (30 * US_PER_S)

struct own {
	struct gateway *gw;
	const struct evse_settings *conf;
	struct relay *relay;
	int driver, meter;         /* handles of the host; meter -1: none */
	struct timer reconnect;
	/* What its meter said last; NaN: not known. */
	double i_a[3], energy_wh;
};

static struct {
	struct own *all;
	size_t count;
} owns;

static void connect_session(void *arg)
{
	struct own *o = arg;
	struct link *station_end, *gateway_end;
	struct session *s = session_of(o->gw, slice_of(o->conf->id));
	if (!s)
		return;
	link_local_pair(OCPP16, o->conf->id, &station_end, &gateway_end);
	relay_connect(o->relay, station_end);
	session_attach(s, gateway_end);
}

static void on_unlinked(void *arg)
{
	struct own *o = arg;
	timer_set(&o->reconnect, REBOOT_US, connect_session, o);
}

static void on_output(void *arg, const double limit_a[3])
{
	struct own *o = arg;
	if (o->driver >= 0)
		host_evse_set(o->gw->host, o->driver, limit_a);
}

static const struct relay_events events = { .output = on_output, .unlinked = on_unlinked };

static void on_state(void *arg, const ag_evse_state *from, const char *fault)
{
	struct own *o = arg;
	(void)fault;
	if (!o->relay)
		return; /* closed, and the host still tells */
	if (!from) {
		relay_feed_failed(o->relay);
		return;
	}
	ag_evse_state state = *from;
	if (o->meter >= 0) {
		memcpy(state.i_a, o->i_a, sizeof(state.i_a));
		state.energy_wh = o->energy_wh;
	}
	relay_feed(o->relay, &state);
}

/* The meter's phases are the grid's; the EVSE's own come first in its order. */
static void on_meter(void *arg, const ag_meter_sample *s, const char *fault)
{
	struct own *o = arg;
	int own_phase = 0;
	(void)fault;
	for (int p = 0; p < 3; p++) {
		bool wired = o->conf->phases & (1 << p);
		if (wired)
			o->i_a[own_phase++] = s && (s->valid & AG_I) ? s->i_a[p] : NAN;
	}
	o->energy_wh = s && (s->valid & AG_IMPORT) ? s->import_wh : NAN;
}

static void describe(const struct evse_settings *e, struct relay_conf *out)
{
	*out = (struct relay_conf){ .on_off = true };
	out->station = (struct station_conf){ .id = e->id, .version = OCPP16, .vendor = "ampgate", .model = "relay", .serial = e->id,
		.firmware = PACKAGE_VERSION, .n_evses = 1, .phases = __builtin_popcount(e->phases), .max_ma = e->current_ma, .min_ma = e->current_ma,
		.sample_us = SAMPLE_US, .authorize_local = false, .free_token = e->authorize & AUTHORIZE_FREE ? e->token : NULL,
		.call_timeout_us = CALL_TIMEOUT_US, .heartbeat_us = 300 * US_PER_S };
	if (out->station.phases == 2)
		out->station.phases = 3;
}

static int open_one(struct gateway *g, const struct evse_settings *e, struct own *o)
{
	struct relay_conf conf;
	*o = (struct own){ .gw = g, .conf = e, .driver = -1, .meter = -1, .i_a = { NAN, NAN, NAN }, .energy_wh = NAN };
	describe(e, &conf);
	o->relay = relay_open(&conf, &events, o);
	int driver = drivers_evse(g->host, e, on_state, o);
	if (driver < 0)
		return driver;
	o->driver = driver;
	if (e->meter) {
		int meter = drivers_meter(g->host, g->conf->models, e->meter, on_meter, o);
		if (meter < 0)
			return meter;
		o->meter = meter;
	}
	connect_session(o);
	return 0;
}

int relays_open(struct gateway *g)
{
	int err = 0;
	owns.all = mem_new((g->conf->n_evses + 1) * sizeof(*owns.all));
	for (size_t i = 0; i < g->conf->n_evses && !err; i++) {
		owns.count = i + 1;
		err = open_one(g, &g->conf->evses[i], &owns.all[i]);
	}
	return err;
}

void relays_close(void)
{
	for (size_t i = 0; i < owns.count; i++) {
		timer_cancel(&owns.all[i].reconnect);
		if (owns.all[i].relay)
			relay_close(owns.all[i].relay);
		owns.all[i].relay = NULL;
	}
}

void relays_free(void)
{
	mem_free(owns.all);
	owns.all = NULL;
	owns.count = 0;
}
