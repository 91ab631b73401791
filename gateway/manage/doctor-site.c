/* The site: stations, meters, circuits and the ways out. What is said is what an operator can act on: names, and how much. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "gateway/manage/doctor.h"
#include "gateway/mqtt/sinks.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/power/balance.h"
#include "gateway/power/caps.h"
#include "gateway/power/grid-inputs.h"
#include "gateway/power/vigil.h"
#include "gateway/session/refusals.h"
#include "gateway/session/session.h"

#define REFUSED_US (15 * 60 * US_PER_S)
#define FROZEN_US (120 * US_PER_S)
#define RTT_MOST_US (US_PER_S / 2)
#define NEARLY_FULL 0.9
#define OFTEN_PER_HOUR 12.0
#define BACKLOG_MOST 1000

static void each_session(struct gateway *g, struct finding *f, void (*see)(struct finding *f, struct session *s))
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL)))
		see(f, s);
}

/* --- stations --- */

static void see_offline(struct finding *f, struct session *s)
{
	if (s->configured && !s->link && !s->own && !s->group)
		finding_say(f, CHECK_WARNING, "%s", s->id);
}

static void look_offline(struct gateway *g, struct finding *f)
{
	each_session(g, f, see_offline);
}

static void see_pending(struct finding *f, struct session *s)
{
	if (s->link && !s->accepted && !s->rejected)
		finding_say(f, CHECK_WARNING, "%s (%s %s) waits", s->id, s->vendor, s->model);
}

static void look_pending(struct gateway *g, struct finding *f)
{
	each_session(g, f, see_pending);
}

static void see_refusal(void *arg, const struct refusal *r)
{
	if (clock_mono_us() - r->last_us < REFUSED_US)
		finding_say(arg, CHECK_WARNING, "%s: %s (%u times)", r->identity[0] ? r->identity : "no identity", r->reason, r->count);
}

static void look_refused(struct gateway *g, struct finding *f)
{
	(void)g;
	refusals_each(see_refusal, f);
}

static void see_often(struct finding *f, struct session *s)
{
	double hours = (double)(clock_mono_us() - s->gw->started_us) / (3600.0 * US_PER_S);
	if (s->link_number > 5 && (double)s->link_number > OFTEN_PER_HOUR * fmax(hours, 0.25))
		finding_say(f, CHECK_WARNING, "%s connected %llu times in %.1f h", s->id, (unsigned long long)s->link_number, hours);
}

static void look_often(struct gateway *g, struct finding *f)
{
	each_session(g, f, see_often);
}

static void see_unreadable(struct finding *f, struct session *s)
{
	if (s->faults)
		finding_say(f, CHECK_WARNING, "%s sent %llu", s->id, (unsigned long long)s->faults);
}

static void look_unreadable(struct gateway *g, struct finding *f)
{
	each_session(g, f, see_unreadable);
}

static void see_no_fallback(struct finding *f, struct session *s)
{
	if (s->link && s->accepted && s->configured && !s->own && !s->group && s->booted && !s->fallback_installed &&
	    clock_mono_us() - s->since_us > 60 * US_PER_S)
		finding_say(f, CHECK_WARNING, "%s", s->id);
}

static void look_no_fallback(struct gateway *g, struct finding *f)
{
	each_session(g, f, see_no_fallback);
}

static void look_conduct(struct gateway *g, struct finding *f)
{
	for (size_t i = 0; i < control_evses(g->control); i++) {
		const struct follow *w = vigil_view(g, (int)i);
		struct evse_view v;
		if (!w || w->conduct <= CONDUCT_FOLLOWS)
			continue;
		control_evse_view(g->control, (int)i, &v);
		finding_say(f, CHECK_WARNING, "%s is %s", v.id, conduct_text(w->conduct));
	}
}

static void look_unconfirmed(struct gateway *g, struct finding *f)
{
	for (size_t i = 0; i < control_evses(g->control); i++) {
		struct evse_view v;
		control_evse_view(g->control, (int)i, &v);
		if (v.online && v.running && v.sent_ma >= 0 && v.sent_ma != v.confirmed_ma && clock_mono_us() - v.grant.binding.since_us > 30 * US_PER_S)
			finding_say(f, CHECK_WARNING, "%s has not confirmed %.1f A", v.id, v.sent_ma / 1000.0);
	}
}

static void see_faulted(struct finding *f, struct session *s)
{
	for (int i = 1; i <= s->n_evses; i++)
		if (s->link && s->evses[i].state == EVSE_FAULTED)
			finding_say(f, CHECK_WARNING, "%s/%d", s->id, i);
}

static void look_faulted(struct gateway *g, struct finding *f)
{
	each_session(g, f, see_faulted);
}

/* --- meters and circuits --- */

/* A load that is the same to the digit for minutes is no load. */
static void look_frozen(struct gateway *g, struct finding *f)
{
	for (size_t i = 0; i < control_meters(g->control); i++) {
		struct meter_view v;
		control_meter_view(g->control, (int)i, clock_mono_us(), &v);
		bool loaded = v.last.at_us && (v.last.ma.l[0] || v.last.ma.l[1] || v.last.ma.l[2]);
		if (loaded && v.age_us > FROZEN_US && clock_mono_us() - v.last.at_us < FROZEN_US / 4)
			finding_say(f, CHECK_WARNING, "%s has said the same for %lld s", v.id, (long long)(v.age_us / US_PER_S));
	}
}

static void look_voltages(struct gateway *g, struct finding *f)
{
	static const char *const phases[] = { "L1", "L2", "L3" };
	for (size_t i = 0; i < control_meters(g->control); i++) {
		struct meter_view v;
		control_meter_view(g->control, (int)i, clock_mono_us(), &v);
		for (int p = 0; v.last.at_us && p < 3; p++) {
			double u = v.last.voltage_v[p];
			if (!isnan(u) && u > 1 && (u < 195 || u > 253))
				finding_say(f, CHECK_WARNING, "%s: %.0f V on %s", v.id, u, phases[p]);
		}
	}
}

/* Each that has both, measured beside what is planned from below: a transformer that is turned round shows here as well. */
static void look_negative(struct gateway *g, struct finding *f)
{
	for (size_t i = 0; i < control_nodes(g->control); i++) {
		struct node_view v;
		int charging = 0;
		control_node_view(g->control, (int)i, &v);
		for (size_t k = 0; k < control_evses(g->control); k++) {
			struct evse_view e;
			control_evse_view(g->control, (int)k, &e);
			charging += e.node == (int)i && e.running && e.drawn_ma[0] > 3000;
		}
		if (charging && v.metered && !isnan(v.power_w) && v.power_w < -500)
			finding_say(f, CHECK_WARNING, "%s shows %.0f W while %d cars charge behind it", v.id, v.power_w, charging);
	}
}

static void look_full(struct gateway *g, struct finding *f)
{
	static const char *const phases[] = { "L1", "L2", "L3" };
	for (size_t i = 0; i < control_nodes(g->control); i++) {
		struct node_view v;
		control_node_view(g->control, (int)i, &v);
		for (int p = 0; p < 3; p++) {
			if (!v.limit.l[p] || v.measured.l[p] == MA_NONE || v.measured.l[p] < NEARLY_FULL * v.limit.l[p])
				continue;
			bool over = v.measured.l[p] > v.limit.l[p];
			finding_say(f, over ? CHECK_CRITICAL : CHECK_WARNING, "%s %s %.1f of %.1f A", v.id, phases[p], v.measured.l[p] / 1000.0, v.limit.l[p] / 1000.0);
		}
	}
}

static void look_window(struct gateway *g, struct finding *f)
{
	for (size_t i = 0; i < control_nodes(g->control); i++) {
		struct node_view v;
		control_node_view(g->control, (int)i, &v);
		if (v.power_limit_w && v.window_mean_w > v.power_limit_w)
			finding_say(f, CHECK_WARNING, "%s: a mean of %lld of %lld W", v.id, (long long)v.window_mean_w, (long long)v.power_limit_w);
	}
}

static void see_cap(void *arg, const struct cap_rec *cap)
{
	finding_say(arg, CHECK_OK, "%s lowered to %.1f A by %s", cap->object, cap->ma / 1000.0, cap->user);
}

static void look_caps(struct gateway *g, struct finding *f)
{
	(void)g;
	caps_each(see_cap, f);
}

static void look_grid(struct gateway *g, struct finding *f)
{
	struct buf json = { 0 };
	struct json_writer w;
	(void)g;
	if (!grid_inputs_there())
		return;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	grid_inputs_view(&w);
	jw_end(&w, '}');
	cJSON *tree = json_parse(buf_view(&json)), *in;
	if (slice_is(json_text(tree, "state"), "fail_safe"))
		finding_say(f, CHECK_WARNING, "the fail-safe limit holds");
	cJSON_ArrayForEach(in, cJSON_GetObjectItem(tree, "inputs")) {
		struct slice fault = json_text(in, "fault");
		if (fault.n)
			finding_say(f, CHECK_WARNING, "%.*s: %.*s", SLICE_ARG(json_text(in, "id")), SLICE_ARG(fault));
	}
	cJSON_Delete(tree);
	buf_free(&json);
}

/* --- the ways out --- */

static void each_uplink(struct gateway *g, struct finding *f, void (*see)(struct finding *f, const struct uplink_view *v, const struct uplink_settings *conf))
{
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(g->uplinks[i], &v);
		see(f, &v, &g->conf->uplinks[i]);
	}
}

static void see_latency(struct finding *f, const struct uplink_view *v, const struct uplink_settings *conf)
{
	(void)conf;
	if (v->rtt_us)
		finding_say(f, v->rtt_us > RTT_MOST_US ? CHECK_WARNING : CHECK_OK, "%s %.0f ms", v->id, (double)v->rtt_us / US_PER_MS);
}

static void look_latency(struct gateway *g, struct finding *f)
{
	each_uplink(g, f, see_latency);
}

static void see_lanes(struct finding *f, const struct uplink_view *v, const struct uplink_settings *conf)
{
	(void)conf;
	if (v->state == UPLINK_UP && v->lanes_up < v->lanes)
		finding_say(f, CHECK_WARNING, "%s: %zu of %zu lanes are up%s%s", v->id, v->lanes_up, v->lanes, v->fault[0] ? ": " : "", v->fault);
	if (v->state == UPLINK_AUTH_FAILED)
		finding_say(f, CHECK_WARNING, "%s refuses our credentials", v->id);
}

static void look_lanes(struct gateway *g, struct finding *f)
{
	each_uplink(g, f, see_lanes);
}

static void see_endpoint(struct finding *f, const struct uplink_view *v, const struct uplink_settings *conf)
{
	if (v->state == UPLINK_UP && conf->n_endpoints > 1 && v->endpoint != 1)
		finding_say(f, CHECK_WARNING, "%s uses endpoint %d of %zu", v->id, v->endpoint, conf->n_endpoints);
}

static void look_endpoint(struct gateway *g, struct finding *f)
{
	each_uplink(g, f, see_endpoint);
}

static bool is_this_box(const char *host)
{
	return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 || strncmp(host, "[::1]", 5) == 0;
}

static void see_plain(struct finding *f, const struct uplink_view *v, const struct uplink_settings *conf)
{
	for (size_t i = 0; i < conf->n_endpoints; i++)
		if (strncmp(conf->endpoints[i].url, "ws://", 5) == 0 && !is_this_box(conf->endpoints[i].url + 5))
			finding_say(f, CHECK_WARNING, "%s endpoint %zu is not encrypted", v->id, i + 1);
}

static void look_plain(struct gateway *g, struct finding *f)
{
	each_uplink(g, f, see_plain);
}

static void look_broker(struct gateway *g, struct finding *f)
{
	if (!g->conf->mqtt.url)
		return;
	if (!telemetry_up())
		finding_say(f, CHECK_WARNING, "the broker is not connected");
	if (sinks_waiting() > BACKLOG_MOST)
		finding_say(f, CHECK_WARNING, "%lld events wait for it", (long long)sinks_waiting());
}

const struct doctor_check doctor_site[] = {
	{ "stations.offline", look_offline, "look at its power and network; it connects to ws://BOX:PORT/IDENTITY" },
	{ "stations.waiting", look_pending, "ampgate station accept station=ID circuit=CIRCUIT, or ampgate station reject ID" },
	{ "stations.refused", look_refused, "give it the password, identity or security profile that the configuration names" },
	{ "stations.reconnecting", look_often, "two stations with one identity, or a bad network: ampgate trace -f ID" },
	{ "stations.unreadable", look_unreadable, "ampgate trace ID --verdict malformed shows what it sends; ask its maker" },
	{ "stations.fallback", look_no_fallback, "it took no default profile: ampgate call ID SetChargingProfile, or ampgate trace ID --action SetChargingProfile" },
	{ "stations.conduct", look_conduct, "ampgate why ID; ampgate commission probe ID finds what it takes" },
	{ "stations.unconfirmed", look_unconfirmed, "ampgate trace ID --action SetChargingProfile shows its answer" },
	{ "stations.faulted", look_faulted, "ampgate station show ID names the error; ampgate station reset ID" },
	{ "meters.frozen", look_frozen, "ampgate meter test METER; a gateway before it may repeat an old value" },
	{ "meters.voltage", look_voltages, "the network operator, or a loose neutral: have it looked at soon" },
	{ "meters.direction", look_negative, "ampgate meter test METER says which transformer is turned round" },
	{ "circuits.full", look_full, "ampgate why CIRCUIT says what binds; a limit above what the building leaves does not help" },
	{ "circuits.power", look_window, "ampgate why CIRCUIT; lower reserve or raise the contract" },
	{ "circuits.lowered", look_caps, "ampgate limit clear ID" },
	{ "grid.inputs", look_grid, "ampgate grid show; look at the receiver and its wires" },
	{ "uplinks.latency", look_latency, "ampgate uplink test NAME shows where the time goes" },
	{ "uplinks.lanes", look_lanes, "ampgate uplink list; the CSMS may not know these stations" },
	{ "uplinks.endpoint", look_endpoint, "the first endpoint is out of reach: ampgate uplink test NAME 1" },
	{ "uplinks.plain", look_plain, "wss:// in its url, and security_profile 2" },
	{ "broker", look_broker, "look at mqtt.url and the broker's log; events wait and are not lost" },
	{ NULL, NULL, NULL },
};
