/* What passes by is noted: for the balancer, the pages, and the caches that serve when nobody else can. */
#include "gateway/session/tap.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "gateway/group/group.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/offline/authorize.h"
#include "gateway/offline/owed.h"
#include "gateway/offline/replay.h"
#include "gateway/power/balance.h"
#include "gateway/power/csms-profiles.h"
#include "gateway/power/limits.h"
#include "gateway/power/reported.h"
#include "ocpp/codec.h"

bool tap_wants(const struct action *act)
{
	if (!act)
		return false;
	switch ((enum event_kind)act->event) {
	case EV_BOOT:
	case EV_STATUS:
	case EV_AUTHORIZE:
	case EV_TX:
	case EV_METER:
	case EV_NOTIFY:
	case EV_PRIORITY:
	case EV_NEEDS:
	case EV_SCHEDULE:
	case EV_LIMIT:
		return true;
	default:
		return false;
	}
}

bool tap_wants_answer(const struct action *act)
{
	return act && (act->event == EV_BOOT || act->event == EV_AUTHORIZE || act->event == EV_TX || act->event == EV_PULL);
}

static void copy(char *to, size_t room, struct slice from)
{
	size_t n = from.n < room ? from.n : room - 1;
	if (n)
		memcpy(to, from.p, n);
	to[n] = 0;
}
#define COPY(to, from) copy(to, sizeof(to), from)

static void see_boot(struct session *s, const struct event *e)
{
	COPY(s->vendor, e->vendor);
	COPY(s->model, e->model);
	COPY(s->firmware, e->firmware);
	COPY(s->serial, e->serial);
	s->booted = true;
	s->fallback_installed = false; /* a reboot may have lost it */
	reported_booted(s);
	limits_greet(s->gw->limits, s);
	telemetry_station(s);
}

static void see_state(struct session *s, int id, enum evse_state state, struct slice error)
{
	struct session_evse *e = session_evse(s, id);
	if (!e || state == EVSE_UNKNOWN)
		return;
	/* 2.x says Occupied for a plug and tells the rest by transaction events: it must not hide what they said. */
	if (state == EVSE_OCCUPIED && e->tx[0])
		return;
	if (e->state != state) {
		e->state = state;
		e->since_us = clock_mono_us();
	}
	COPY(e->error, error);
	if (e->control >= 0 && control_evse_state(s->gw->control, e->control, state, clock_mono_us()))
		balance_soon(s->gw);
	telemetry_evse(s, id);
}

/* What a report says of the current; NaN: nothing. */
struct flow {
	double i_a[3], all_a, power_w, phase_w[3];
};

/* The newest current of each phase; a single value without a phase counts for all. Without currents the power of each phase tells, or all of
 * it, divided. What is fed back is less than nothing. */
struct draw {
	struct flow net;
	double voltage_v;
	bool any;
};

static const struct flow nothing_said = { { NAN, NAN, NAN }, NAN, NAN, { NAN, NAN, NAN } };

static double net_of(double in, double out)
{
	return isnan(out) ? in : (isnan(in) ? 0 : in) - out;
}

static struct flow net_flow(const struct flow *in, const struct flow *out)
{
	struct flow net = { .all_a = net_of(in->all_a, out->all_a), .power_w = net_of(in->power_w, out->power_w) };
	bool by_phase = false;
	double sum = 0;
	for (int i = 0; i < 3; i++) {
		net.i_a[i] = net_of(in->i_a[i], out->i_a[i]);
		net.phase_w[i] = net_of(in->phase_w[i], out->phase_w[i]);
		by_phase |= !isnan(net.phase_w[i]);
		sum += isnan(net.phase_w[i]) ? 0 : net.phase_w[i];
	}
	if (by_phase && isnan(net.power_w))
		net.power_w = sum;
	return net;
}

static void note_current(struct flow *f, const struct sample *m)
{
	if (m->phase)
		f->i_a[m->phase - 1] = m->value;
	else
		f->all_a = m->value;
}

static void note_power(struct flow *f, const struct sample *m)
{
	if (m->phase)
		f->phase_w[m->phase - 1] = m->value;
	else
		f->power_w = m->value;
}

static bool has_any(const double v[3])
{
	return !isnan(v[0]) || !isnan(v[1]) || !isnan(v[2]);
}

static void collect(const struct event *e, struct draw *d, struct session_evse *ev)
{
	struct flow in = nothing_said, out = nothing_said;
	*d = (struct draw){ .voltage_v = NAN };
	for (size_t i = 0; i < e->n_samples; i++) {
		const struct sample *m = &e->samples[i];
		if (m->measurand == MEAS_CURRENT_IMPORT || m->measurand == MEAS_CURRENT_EXPORT)
			note_current(m->measurand == MEAS_CURRENT_IMPORT ? &in : &out, m);
		else if (m->measurand == MEAS_POWER_IMPORT || m->measurand == MEAS_POWER_EXPORT)
			note_power(m->measurand == MEAS_POWER_IMPORT ? &in : &out, m);
		else if (m->measurand == MEAS_VOLTAGE)
			d->voltage_v = m->value;
		else if (m->measurand == MEAS_ENERGY_IMPORT && !m->phase)
			ev->energy_wh = m->value;
		else if (m->measurand == MEAS_SOC)
			ev->soc_percent = m->value;
	}
	d->net = net_flow(&in, &out);
	d->any = has_any(d->net.i_a) || !isnan(d->net.all_a) || !isnan(d->net.power_w);
}

static int32_t to_ma(double a)
{
	return isnan(a) ? 0 : a > 2000 ? 2000000 : a < -2000 ? -2000000 : (int32_t)lrint(a * 1000);
}

/* Of direct current: what its power takes from each phase of the grid. Its currents and volts are the car's. */
static double direct_a(const struct session *s, const struct draw *d)
{
	const struct settings *c = s->gw->conf;
	double power_w = !isnan(d->net.power_w) ? d->net.power_w : d->net.all_a * d->voltage_v;
	return power_w / (s->conf->efficiency * 3 * c->site.voltage_v);
}

static void see_samples(struct session *s, const struct event *e)
{
	struct session_evse *ev = session_evse(s, e->evse);
	struct draw d;
	if (!ev || !e->n_samples)
		return;
	collect(e, &d, ev);
	ev->power_w = isnan(d.net.power_w) ? ev->power_w : d.net.power_w;
	if (ev->control < 0 || !d.any)
		return;
	struct evse_view v;
	int32_t own[3] = { 0 };
	double amps[3] = { d.net.i_a[0], d.net.i_a[1], d.net.i_a[2] };
	control_evse_view(s->gw->control, ev->control, &v);
	bool dc = s->conf->dc;
	double volts = d.voltage_v > 50 && d.voltage_v < 300 ? d.voltage_v : s->gw->conf->site.voltage_v;
	for (int i = 0; i < 3 && !has_any(d.net.i_a) && isnan(d.net.all_a); i++)
		amps[i] = d.net.phase_w[i] / volts;
	bool phased = !dc && has_any(amps);
	double each = dc ? direct_a(s, &d) : !isnan(d.net.all_a) ? d.net.all_a : d.net.power_w / volts / v.n_lines;
	if (isnan(each) && !phased)
		return;
	for (int i = 0; i < v.n_lines; i++)
		own[i] = to_ma(phased ? amps[i] : each);
	control_evse_draw(s->gw->control, ev->control, own, ev->energy_wh, clock_mono_us());
	telemetry_evse(s, e->evse);
}

static int evse_of_tx(const struct session *s, struct slice tx)
{
	for (int i = 1; i <= s->n_evses; i++)
		if (s->evses[i].tx[0] && slice_is(tx, s->evses[i].tx))
			return i;
	return -1;
}

/* A 2.x event names its EVSE only when it changes; the transaction tells the rest. */
static struct event with_evse(struct session *s, const struct event *e)
{
	struct event full = *e;
	if (full.evse < 1 && full.tx.p)
		full.evse = evse_of_tx(s, full.tx);
	return full;
}

static void see_tx(struct session *s, const struct event *e)
{
	struct event full = with_evse(s, e);
	struct session_evse *ev = session_evse(s, full.evse);
	/* It started before it had an EVSE, or before we did. */
	if (full.phase == TX_UPDATE && ev && full.evse >= 1 && full.tx.p && !slice_is(full.tx, ev->tx))
		tap_tx_started(s, full.evse, full.tx, full.token, full.time_us, full.meter_wh);
	see_state(s, full.evse, full.state, (struct slice){ NULL, 0 });
	see_samples(s, &full);
	if (full.phase == TX_END)
		tap_tx_ended(s, full.tx);
}

/* What a car asks for from now on, and when it wants to leave by the wall clock. */
static void see_needs(struct session *s, const struct event *e)
{
	const struct session_evse *ev = session_evse(s, e->evse);
	if (!ev || ev->control < 0 || e->evse < 1)
		return;
	double got_wh = isnan(ev->energy_wh) || isnan(ev->tx_start_wh) ? 0 : ev->energy_wh - ev->tx_start_wh;
	int64_t leaves_us = e->time_us && clock_trusted() ? clock_mono_us() + (e->time_us - clock_wall_us()) : 0;
	control_evse_need(s->gw->control, ev->control, e->meter_wh + got_wh, leaves_us > 0 ? leaves_us : 0);
	tap_need(s, e->evse, e->meter_wh + got_wh, leaves_us > 0 ? leaves_us : 0);
}

void tap_need(struct session *s, int evse, double need_wh, int64_t leaves_us)
{
	struct session_evse *e = session_evse(s, evse);
	if (!e)
		return;
	e->need_wh = need_wh;
	e->leaves_us = leaves_us ? clock_wall_us() + (leaves_us - clock_mono_us()) : 0;
}

void tap_event(struct session *s, const struct event *e)
{
	switch (e->kind) {
	case EV_BOOT:
		see_boot(s, e);
		break;
	case EV_STATUS:
		see_state(s, e->evse, e->state, e->error);
		if (session_waits_for_lane(s))
			owed_status_seen(s, e);
		break;
	case EV_NOTIFY:
		see_state(s, e->evse, e->state, e->error);
		break;
	case EV_TX:
		see_tx(s, e);
		break;
	case EV_PRIORITY:
		csms_profiles_priority(s, e->tx, e->activated);
		break;
	case EV_METER:
		see_samples(s, e);
		break;
	case EV_NEEDS:
		see_needs(s, e);
		break;
	case EV_SCHEDULE:
		csms_profiles_chosen(s, e->evse, e->request_id);
		break;
	case EV_LIMIT:
		reported_heard(s, e);
		break;
	default:
		break;
	}
}

/* Until it is accepted a station says nothing but that it has booted (1.6 4.2, 2.x B02, B03). */
static void see_boot_answer(struct session *s, const struct reply *r)
{
	s->put_off = !slice_is(r->status, "Accepted") && !s->lane.inside; /* a group keeps what its members say */
	if (!slice_is(r->status, "Accepted"))
		return;
	owed_boot_accepted(s, r->interval_s);
	replay_kick(s);
}

void tap_answer(struct session *s, const struct event *asked, const struct action *act, struct frame *answer)
{
	struct arena mem = { 0 };
	struct reply r;
	if (answer->kind == FRAME_RESULT && codec_read_answer(act, answer, &mem, &r) == 0) {
		if (asked->kind == EV_BOOT && r.time_us)
			clock_told(r.time_us);
		if (asked->kind == EV_BOOT)
			see_boot_answer(s, &r);
		if (asked->kind == EV_PULL && slice_is(r.status, "Accepted"))
			csms_profiles_update(s, asked->profile_id, json_at(frame_tree(answer), "scheduleUpdate"));
		if (asked->token.p)
			authorize_learn(s, asked->token, asked->token_type, &r);
	}
	arena_free(&mem);
}

void tap_tx_started(struct session *s, int evse, struct slice tx, struct slice token, int64_t wall_us, double wh)
{
	/* A 2.x transaction may start before it has an EVSE. */
	struct session_evse *e = evse >= 1 ? session_evse(s, evse) : NULL;
	if (!e)
		return;
	COPY(e->tx, tx);
	COPY(e->token, token);
	e->tx_since_us = wall_us;
	e->tx_start_wh = wh;
	if (e->control >= 0 && control_evse_tx(s->gw->control, e->control, true, clock_mono_us()))
		balance_soon(s->gw);
	csms_profiles_tx_started(s, evse);
	telemetry_evse(s, evse);
}

void tap_tx_ended(struct session *s, struct slice tx)
{
	int evse = evse_of_tx(s, tx);
	if (evse < 0)
		return;
	struct session_evse *e = &s->evses[evse];
	e->tx[0] = e->token[0] = 0;
	e->tx_start_wh = e->power_w = e->need_wh = NAN;
	e->soc_percent = 0;
	e->leaves_us = 0;
	if (e->control >= 0)
		control_evse_tx(s->gw->control, e->control, false, clock_mono_us());
	csms_profiles_tx_ended(s, evse);
	owed_car_left(s, evse);
	telemetry_evse(s, evse);
}

void tap_link(struct session *s, bool online)
{
	for (int i = 1; i <= s->n_evses; i++)
		if (s->evses[i].control >= 0)
			control_evse_link(s->gw->control, s->evses[i].control, online, clock_mono_us());
	if (online)
		limits_greet(s->gw->limits, s);
	else
		limits_link_down(s->gw->limits, s);
	group_member_link(s);
	telemetry_station(s);
}
