/* JSON of sites, circuits, meters, stations and EVSEs. */
#include "gateway/manage/view.h"

#include "gateway/power/caps.h"

#include <assert.h>
#include <math.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "energy/reason.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/relays.h"
#include "gateway/power/balance.h"
#include "gateway/power/grid-inputs.h"
#include "gateway/power/limits.h"
#include "gateway/power/vigil.h"
#include "gateway/session/raised.h"
#include "storage/outbox.h"

#define AMPS_DECIMALS 1
#define METER_DECIMALS 2 /* as a meter says it */

static double amps(int32_t ma)
{
	return ma == MA_NONE ? NAN : ma / 1000.0;
}

void view_amps(struct json_writer *w, const char *key, const int32_t ma[3])
{
	jw_array(w, key);
	for (int i = 0; i < 3; i++)
		jw_number(w, NULL, amps(ma[i]), AMPS_DECIMALS);
	jw_end(w, ']');
}

char *view_token(const char *token, char out[TOKEN_SHOWN])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[9];
	SHA256((const unsigned char *)token, strlen(token), digest);
	hex_text(digest, 4, hex);
	snprintf(out, TOKEN_SHOWN, "sha256:%s", hex);
	return out;
}

static int64_t wall_of(int64_t mono_us)
{
	return clock_wall_us() - (clock_mono_us() - mono_us);
}

static void write_moment(struct json_writer *w, const char *key, int64_t mono_us)
{
	if (mono_us)
		jw_time(w, key, wall_of(mono_us));
	else
		jw_null(w, key);
}

static void write_since(struct json_writer *w, int64_t mono_us)
{
	write_moment(w, "since", mono_us);
}

static const char phases[][3] = { "", "L1", "L2", "L3" };

static void write_cap(struct json_writer *w, const struct cap *c)
{
	assert(reason_known(c->reason));
	jw_string(w, "reason", c->reason);
	jw_string(w, "ref", c->ref);
	jw_string(w, "phase", c->phase ? phases[c->phase] : NULL);
	jw_number(w, "value_a", amps(c->value_ma), AMPS_DECIMALS);
	write_since(w, c->since_us);
	write_moment(w, "until", c->until_us);
}

/* What is wrong with a meter that is lost, beside its cap. */
static void write_fault(struct gateway *g, struct json_writer *w, const struct cap *c)
{
	for (size_t i = 0; i < control_meters(g->control) && strcmp(c->reason, "meter_lost") == 0; i++) {
		struct meter_view v;
		control_meter_view(g->control, (int)i, clock_mono_us(), &v);
		if (v.fault && c->ref && strcmp(v.id, c->ref) == 0)
			jw_string(w, "detail", v.fault);
	}
}

void view_chain(struct gateway *g, int evse, struct json_writer *w)
{
	struct cap chain[24];
	size_t n = control_why(g->control, evse, chain, 24);
	jw_array(w, "chain");
	for (size_t i = 0; i < n; i++) {
		jw_object(w, NULL);
		write_cap(w, &chain[i]);
		write_fault(g, w, &chain[i]);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

/* The contract of a node, where it has one, and what bounds its power now. */
static void write_power(const struct node_view *v, struct json_writer *w)
{
	if (v->power_allowed_w >= 0)
		jw_int(w, "power_allowed_w", v->power_allowed_w);
	if (!v->power_limit_w)
		return;
	jw_object(w, "window");
	jw_int(w, "s", v->window_us / US_PER_S);
	if (v->window_mean_w >= 0)
		jw_int(w, "mean_w", v->window_mean_w);
	else
		jw_null(w, "mean_w");
	jw_int(w, "limit_w", v->power_limit_w);
	jw_end(w, '}');
}

static void write_uplinks(struct gateway *g, struct json_writer *w)
{
	jw_object(w, "uplink");
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		jw_object(w, g->conf->uplinks[i].id);
		view_uplink(g, i, w);
		jw_end(w, '}');
	}
	jw_end(w, '}');
}

static void write_binding(struct gateway *g, struct json_writer *w)
{
	jw_array(w, "binding");
	for (size_t i = 0; i < control_nodes(g->control); i++) {
		struct node_view v;
		control_node_view(g->control, (int)i, &v);
		if (!v.binding)
			continue;
		jw_object(w, NULL);
		jw_string(w, "circuit", v.id);
		jw_string(w, "phase", v.binding_phase ? phases[v.binding_phase] : NULL);
		jw_int(w, "evses", v.binding);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

static void count_evses(const struct gateway *g, int *charging, int *waiting)
{
	*charging = *waiting = 0;
	for (size_t i = 0; i < control_evses(g->control); i++) {
		struct evse_view v;
		control_evse_view(g->control, (int)i, &v);
		*charging += v.state == EVSE_CHARGING;
		*waiting += v.waiting;
	}
}

/* Null where no broker is configured. */
void view_mqtt(const struct gateway *g, struct json_writer *w)
{
	if (g->conf->mqtt.url)
		jw_bool(w, "mqtt", telemetry_up());
	else
		jw_null(w, "mqtt");
}

void view_site(struct gateway *g, struct json_writer *w)
{
	struct node_view root;
	int charging, waiting;
	int64_t oldest = outbox_oldest_us(g->store);
	control_node_view(g->control, 0, &root);
	count_evses(g, &charging, &waiting);
	jw_int(w, "v", 1);
	jw_time(w, "ts", clock_wall_us());
	view_amps(w, "i_a", root.measured.l);
	view_amps(w, "limit_a", root.limit.l);
	view_amps(w, "planned_a", root.planned.l);
	jw_number(w, "p_w", root.power_w, 0);
	write_power(&root, w);
	jw_int(w, "charging", charging);
	jw_int(w, "waiting", waiting);
	write_uplinks(g, w);
	jw_object(w, "queue");
	jw_int(w, "messages", outbox_count(g->store, NULL));
	jw_int(w, "parked", outbox_parked(g->store));
	jw_int(w, "oldest_s", oldest ? (clock_wall_us() - oldest) / US_PER_S : 0);
	jw_end(w, '}');
	write_binding(g, w);
	grid_inputs_brief(w);
}

void view_node(struct gateway *g, int node, struct json_writer *w)
{
	struct node_view v;
	int32_t headroom[3];
	control_node_view(g->control, node, &v);
	jw_int(w, "v", 1);
	jw_time(w, "ts", clock_wall_us());
	jw_string(w, "id", v.id);
	const struct circuit_settings *c = &g->conf->circuits[node];
	jw_string(w, "name", c->name);
	jw_string(w, "parent", c->parent ? c->parent->id : NULL);
	jw_string(w, "meter", c->meter ? c->meter->id : NULL);
	view_amps(w, "i_a", v.measured.l);
	view_amps(w, "limit_a", v.limit.l);
	view_amps(w, "planned_a", v.planned.l);
	for (int i = 0; i < 3; i++)
		headroom[i] = v.limit.l[i] == MA_NONE || v.measured.l[i] == MA_NONE ? MA_NONE : v.limit.l[i] - v.measured.l[i];
	view_amps(w, "headroom_a", headroom);
	jw_number(w, "p_w", v.power_w, 0);
	write_power(&v, w);
	jw_bool(w, "metered", v.metered);
	jw_bool(w, "stale", v.stale);
	jw_int(w, "binding_evses", v.binding);
	jw_string(w, "binding_phase", v.binding_phase ? phases[v.binding_phase] : NULL);
}

void view_meter(struct gateway *g, int meter, struct json_writer *w)
{
	struct meter_view v;
	control_meter_view(g->control, meter, clock_mono_us(), &v);
	jw_int(w, "v", 1);
	jw_time(w, "ts", clock_wall_us());
	jw_string(w, "id", v.id);
	jw_string(w, "state", !v.last.at_us ? "unknown" : v.stale ? "stale" : "ok");
	if (v.last.at_us) {
		jw_array(w, "i_a");
		for (int p = 0; p < 3; p++)
			jw_number(w, NULL, amps(v.last.ma.l[p]), METER_DECIMALS);
		jw_end(w, ']');
		jw_number(w, "p_w", v.last.power_w, 0);
		jw_number(w, "import_wh", v.last.import_wh, 0);
		jw_number(w, "age_s", (double)(clock_mono_us() - v.last.at_us) / US_PER_S, 1);
	} else {
		jw_null(w, "i_a");
		jw_null(w, "age_s");
	}
	jw_string(w, "fault", v.fault);
}

static void write_phases(struct json_writer *w, const char *key, bool valid, const double of[3], int decimals)
{
	if (!valid)
		return;
	jw_array(w, key);
	for (int p = 0; p < 3; p++)
		jw_number(w, NULL, of[p], decimals);
	jw_end(w, ']');
}

void view_meter_whole(struct gateway *g, int meter, struct json_writer *w)
{
	const ag_meter_sample *s = balance_sample(meter);
	view_meter(g, meter, w);
	if (!s)
		return;
	jw_number(w, "export_wh", s->valid & AG_EXPORT ? s->export_wh : NAN, 0);
	write_phases(w, "u_v", s->valid & AG_U, s->u_v, 1);
	write_phases(w, "phases_w", s->valid & AG_P, s->p_w, 0);
}

void view_uplink(struct gateway *g, size_t uplink, struct json_writer *w)
{
	static const char *const states[] = { "down", "connecting", "up", "auth_failed" };
	static const char *const sharings[] = { NULL, "unknown", "shared", "separate" };
	struct uplink_view v;
	uplink_view(g->uplinks[uplink], &v);
	jw_string(w, "id", v.id);
	jw_string(w, "state", states[v.state]);
	jw_int(w, "endpoint", v.endpoint);
	jw_string(w, "url", v.url);
	jw_string(w, "interface", v.interface);
	jw_number(w, "rtt_ms", v.rtt_us ? (double)v.rtt_us / US_PER_MS : NAN, 1);
	jw_int(w, "lanes", (int64_t)v.lanes);
	jw_int(w, "lanes_up", (int64_t)v.lanes_up);
	if (v.sharing != SHARING_NONE) {
		jw_string(w, "sharing", sharings[v.sharing]);
		jw_string(w, "separate_why", v.sharing == SHARING_SEPARATE ? v.separate_why : NULL);
		jw_int(w, "connections", v.connections);
		jw_int(w, "handshakes", (int64_t)v.handshakes);
	}
	if (v.tls.handshakes) {
		jw_int(w, "tls_handshakes", (int64_t)v.tls.handshakes);
		jw_int(w, "tls_resumed", (int64_t)v.tls.resumed);
	}
	write_since(w, v.since_us);
	jw_string(w, "fault", v.fault[0] && v.state != UPLINK_UP ? v.fault : NULL);
}

static const char *station_state(const struct session *s)
{
	if (s->rejected && s->link)
		return "rejected";
	if (!s->accepted && s->link)
		return "pending";
	return s->link ? "online" : "offline";
}

static void write_security(const struct session *s, struct json_writer *w)
{
	int least = raised_least(s) > s->conf->min_security_profile ? raised_least(s) : s->conf->min_security_profile, pending = raised_pending(s);
	jw_object(w, "security");
	if (s->link && !s->own && !s->group)
		jw_int(w, "profile", s->profile);
	else
		jw_null(w, "profile");
	jw_int(w, "least", least);
	if (pending >= 0)
		jw_int(w, "pending", pending);
	else
		jw_null(w, "pending");
	jw_end(w, '}');
}

void view_station(struct session *s, struct json_writer *w)
{
	jw_int(w, "v", 1);
	jw_string(w, "id", s->id);
	jw_string(w, "name", s->conf ? s->conf->name : NULL);
	jw_string(w, "state", station_state(s));
	jw_string(w, "lane", session_lane_is_up(s) ? "up" : "down");
	write_since(w, s->since_us);
	jw_string(w, "vendor", s->vendor[0] ? s->vendor : NULL);
	jw_string(w, "model", s->model[0] ? s->model : NULL);
	jw_string(w, "firmware", s->firmware[0] ? s->firmware : NULL);
	jw_string(w, "subprotocol", s->link ? version_subprotocol(s->version) : NULL);
	jw_string(w, "peer", s->link ? s->link->peer : NULL);
	write_security(s, w);
	jw_int(w, "queued", outbox_count(s->gw->store, s->id));
	jw_int(w, "unreadable", (int64_t)s->faults);
	const struct limits_counts *counts = limits_counts(s->gw->limits, s);
	jw_object(w, "set_points");
	jw_int(w, "sent", (int64_t)counts->sent);
	jw_int(w, "refused", (int64_t)counts->refused);
	jw_int(w, "unchanged", (int64_t)counts->unchanged);
	jw_int(w, "at_once", (int64_t)counts->at_once);
	jw_end(w, '}');
}

static void write_tx(const struct session_evse *e, struct json_writer *w)
{
	char shown[TOKEN_SHOWN];
	if (!e->tx[0]) {
		jw_null(w, "tx");
		return;
	}
	jw_object(w, "tx");
	jw_string(w, "id", e->tx);
	jw_string(w, "token", e->token[0] ? view_token(e->token, shown) : NULL);
	if (e->tx_since_us)
		jw_time(w, "start", e->tx_since_us);
	else
		jw_null(w, "start");
	jw_number(w, "energy_wh", e->energy_wh - e->tx_start_wh, 0);
	jw_number(w, "need_wh", e->need_wh, 0);
	if (e->leaves_us)
		jw_time(w, "leaves", e->leaves_us);
	else
		jw_null(w, "leaves");
	jw_end(w, '}');
}

/* By phases of the grid, as all that is shown; `phase_to_use` alone is of the EVSE's own, as it was told. */
static void write_limit(const struct evse_view *v, struct json_writer *w)
{
	int first = v->grant.phase ? v->grant.phase - 1 : 0;
	int32_t grid[3] = { 0 };
	for (int i = 0; i < v->n_lines; i++)
		grid[v->lines[i]] = i >= first && i < first + v->grant.phases ? v->grant.ma : 0;
	jw_object(w, "limit");
	view_amps(w, "a", grid);
	jw_int(w, "phases", v->grant.phases);
	if (v->grant.phase)
		jw_int(w, "phase_to_use", v->grant.phase);
	if (v->grant.binding.reason)
		write_cap(w, &v->grant.binding);
	jw_end(w, '}');
}

/* Own phases of the socket onto those of the grid. */
static void grid_currents(const struct evse_view *v, int32_t out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = v->drawn_at_us ? 0 : MA_NONE;
	for (int i = 0; v->drawn_at_us && i < v->n_lines; i++)
		out[v->lines[i]] = v->drawn_ma[i];
}

/* What stands between a car and an EVSE of the box. */
static void write_outlet(const struct session *s, int evse, const struct evse_view *v, struct json_writer *w)
{
	const struct outlet *o = s->own ? relays_outlet(s->id, evse) : NULL;
	if (!o)
		return;
	jw_object(w, "outlet");
	jw_string(w, "state", outlet_state_text(o->state));
	if (o->conf.second)
		jw_int(w, "phases", o->phases);
	if (o->conf.second && o->phases == 1)
		jw_string(w, "phase", phases[1 + v->lines[0]]);
	jw_end(w, '}');
}

void view_evse(struct session *s, int evse, struct json_writer *w)
{
	const struct session_evse *e = &s->evses[evse];
	jw_int(w, "v", 1);
	jw_time(w, "ts", clock_wall_us());
	jw_string(w, "state", evse_state_text(e->state));
	write_since(w, e->since_us);
	struct evse_view v = { 0 };
	if (e->control >= 0) {
		int32_t grid[3];
		control_evse_view(s->gw->control, e->control, &v);
		grid_currents(&v, grid);
		jw_string(w, "circuit", s->gw->conf->circuits[v.node].id);
		jw_bool(w, "waiting", v.waiting);
		view_amps(w, "i_a", grid);
		jw_number(w, "offered_a", v.confirmed_ma < 0 ? NAN : v.confirmed_ma / 1000.0, AMPS_DECIMALS);
		write_limit(&v, w);
		const struct follow *f = vigil_view(s->gw, e->control);
		jw_string(w, "conduct", f ? conduct_text(f->conduct) : NULL);
	}
	jw_number(w, "cap_a", caps_of(s->id, evse, s->conf->max_current_ma) / 1000.0, AMPS_DECIMALS);
	jw_number(w, "p_w", e->power_w, 0);
	jw_number(w, "energy_wh", e->energy_wh, 0);
	jw_string(w, "error", e->error[0] ? e->error : NULL);
	write_outlet(s, evse, &v, w);
	write_tx(e, w);
}
