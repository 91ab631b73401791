/* Topics, each with what was last published on it. Once a second those that may have changed are looked at: a new state goes out at once, a
 * number only beyond its deadband, and everything once a minute, so that a subscriber that comes late and one that missed a message agree. */
#include "gateway/mqtt/telemetry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/stats.h"
#include "config.h"
#include "gateway/http/sse.h"
#include "gateway/manage/once.h"
#include "gateway/manage/view.h"
#include "gateway/mqtt/backlog.h"
#include "gateway/mqtt/homeassistant.h"
#include "gateway/mqtt/sinks.h"
#include "gateway/mqtt/topic.h"
#include "gateway/power/caps.h"
#include "gateway/power/grid-inputs.h"
#include "storage/journal.h"
#include "storage/outbox.h"

#define FLUSH_US US_PER_S
#define REPEAT_US (60 * US_PER_S)
#define EXPIRY_S 180
#define DEADBAND_A 0.5
#define DEADBAND_W 100

enum topic_kind { TOPIC_SITE, TOPIC_CIRCUIT, TOPIC_METER, TOPIC_STATION, TOPIC_STATUS, TOPIC_EVSE };

/* What decides whether a topic has changed: currents, a power, and everything else as one number. */
struct shown {
	double a[5], w; /* of the phases; of an EVSE, what it was granted and what it confirmed */
	uint64_t state;
};

struct topic {
	struct list entry;
	enum topic_kind kind;
	int index;               /* circuit, meter or EVSE */
	struct session *s;
	bool look;               /* something was said about it */
	bool announced;          /* a station: to Home Assistant */
	int64_t published_us;    /* 0: never */
	struct shown shown;
	char name[];
};

static struct {
	struct gateway *gw;
	struct map by_name;
	struct list topics;
	struct timer timer;
	struct timer sample;
	enum uplink_state *uplinks; /* as last told */
	enum uplink_sharing *sharings;
	bool *stale;                /* meters, as last told */
} tm;

bool telemetry_up(void)
{
	return sink_is_up(sinks_broker());
}

/* To one sink, or with NULL to all that are up. */
static void publish(struct sink *to, const char *topic, struct slice payload, int qos, bool retain, uint32_t expiry_s)
{
	ag_message m = { .topic = topic, .payload = payload.p, .length = payload.n, .qos = qos, .retain = retain, .expiry_s = expiry_s };
	int err = sinks_publish(to, &m);
	if (err)
		log_warn(NULL, "%s is not published: %s", topic, err_text(err));
}

/* --- topics --- */

static struct topic *topic_named(const char *name, enum topic_kind kind, struct session *s, int index)
{
	struct topic *t = map_get(&tm.by_name, slice_of(name));
	if (t)
		return t;
	t = mem_new(sizeof(*t) + strlen(name) + 1);
	t->kind = kind;
	t->s = s;
	t->index = index;
	strcpy(t->name, name);
	map_put(&tm.by_name, slice_of(name), t);
	list_append(&tm.topics, &t->entry);
	return t;
}

static uint64_t mix(uint64_t h, const char *text)
{
	for (; text && *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return h * 31 + 7;
}

static void show_amps(struct shown *v, const int32_t ma[3])
{
	for (int i = 0; i < 3; i++)
		v->a[i] = ma[i] == MA_NONE ? NAN : ma[i] / 1000.0;
}

static void see_node(struct gateway *g, int node, struct shown *v)
{
	struct node_view n;
	control_node_view(g->control, node, &n);
	show_amps(v, n.measured.l);
	for (int i = 0; i < 3; i++)
		v->state = v->state * 31 + (uint64_t)n.limit.l[i];
	v->state = v->state * 31 + (uint64_t)n.stale * 2 + (n.binding > 0);
}

static void see_site(struct gateway *g, struct shown *v)
{
	see_node(g, 0, v);
	for (size_t i = 0; i < control_evses(g->control); i++) {
		struct evse_view e;
		control_evse_view(g->control, (int)i, &e);
		v->state = v->state * 31 + (uint64_t)e.running * 2 + e.waiting;
	}
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		struct uplink_view u;
		uplink_view(g->uplinks[i], &u);
		v->state = v->state * 31 + (uint64_t)u.state * 64 + (uint64_t)u.endpoint;
	}
	v->state = v->state * 31 + (uint64_t)outbox_count(g->store, NULL);
	v->state = v->state * 31 + (uint64_t)outbox_parked(g->store);
	v->state = v->state * 31 + grid_inputs_mark();
}

static void see_evse(struct session *s, int evse, struct shown *v)
{
	const struct session_evse *e = &s->evses[evse];
	v->state = mix(mix(v->state + e->state, e->tx), e->error);
	v->w = e->power_w;
	v->state = v->state * 31 + (uint64_t)caps_of(s->id, evse, s->conf->max_current_ma);
	if (e->control >= 0) {
		struct evse_view ev;
		control_evse_view(s->gw->control, e->control, &ev);
		show_amps(v, ev.drawn_ma);
		v->a[3] = ev.grant.ma / 1000.0;
		v->a[4] = ev.confirmed_ma < 0 ? NAN : ev.confirmed_ma / 1000.0;
		v->state = mix(mix(v->state + (uint64_t)ev.grant.phases, ev.grant.binding.reason), ev.grant.binding.ref);
	}
}

static void look_at(const struct topic *t, struct shown *v)
{
	struct meter_view m;
	*v = (struct shown){ { NAN, NAN, NAN, NAN, NAN }, NAN, 0 };
	switch (t->kind) {
	case TOPIC_SITE:
		see_site(tm.gw, v);
		break;
	case TOPIC_CIRCUIT:
		see_node(tm.gw, t->index, v);
		break;
	case TOPIC_METER:
		control_meter_view(tm.gw->control, t->index, clock_mono_us(), &m);
		show_amps(v, m.last.ma.l);
		v->w = m.last.power_w;
		v->state = m.stale;
		break;
	case TOPIC_STATION:
	case TOPIC_STATUS:
		v->state = mix(mix(t->s->link != NULL, t->s->model), t->s->firmware) + t->s->accepted + 2 * (uint64_t)t->s->configured;
		break;
	case TOPIC_EVSE:
		see_evse(t->s, t->index, v);
		break;
	}
}

static bool moved(double was, double is, double deadband)
{
	return isnan(was) != isnan(is) || fabs(was - is) > deadband;
}

static bool changed(const struct shown *was, const struct shown *is)
{
	bool any = was->state != is->state || moved(was->w, is->w, DEADBAND_W);
	for (int i = 0; i < 5; i++)
		any |= moved(was->a[i], is->a[i], DEADBAND_A);
	return any;
}

static void write_topic(const struct topic *t, struct buf *out)
{
	struct json_writer w;
	if (t->kind == TOPIC_STATUS) {
		buf_puts(out, t->s->link ? "online" : "offline");
		return;
	}
	jw_open(&w, out);
	jw_object(&w, NULL);
	if (t->kind == TOPIC_SITE)
		view_site(tm.gw, &w);
	else if (t->kind == TOPIC_CIRCUIT)
		view_node(tm.gw, t->index, &w);
	else if (t->kind == TOPIC_METER)
		view_meter(tm.gw, t->index, &w);
	else if (t->kind == TOPIC_STATION)
		view_station(t->s, &w);
	else
		view_evse(t->s, t->index, &w);
	jw_end(&w, '}');
}

/* The announcement goes with the station's description: what it says of vendor and firmware comes from there. An empty one takes the device away
 * again when the station is not configured any more. */
static void announce(struct sink *to, struct topic *t)
{
	struct buf topic = { 0 }, payload = { 0 };
	bool here = telemetry_up() && (!to || to == sinks_broker());
	if (!here || !tm.gw->conf->mqtt.homeassistant.enabled || (!t->s->configured && !t->announced))
		return;
	homeassistant_write(t->s, &topic, &payload);
	publish(sinks_broker(), topic.p, t->s->configured ? buf_view(&payload) : (struct slice){ 0 }, 1, true, 0);
	t->announced = t->s->configured;
	buf_free(&topic);
	buf_free(&payload);
}

static void topic_publish(struct sink *to, struct topic *t)
{
	struct buf payload = { 0 };
	bool lasting = t->kind == TOPIC_STATION || t->kind == TOPIC_STATUS;
	write_topic(t, &payload);
	publish(to, t->name, buf_view(&payload), 1, true, lasting ? 0 : EXPIRY_S);
	buf_free(&payload);
	if (t->kind == TOPIC_STATION)
		announce(to, t);
}

/* Whether it was published, to all sinks that are up. */
static bool flush_topic(struct topic *t, int64_t now)
{
	struct shown is;
	bool due = !t->published_us || now - t->published_us >= REPEAT_US;
	bool always = t->kind != TOPIC_STATION && t->kind != TOPIC_STATUS; /* what balancing and caps change has no word of a station behind it */
	if (!due && !always && !t->look)
		return false;
	t->look = false;
	look_at(t, &is);
	if (!due && !changed(&t->shown, &is))
		return false;
	t->shown = is;
	t->published_us = now;
	topic_publish(NULL, t);
	return true;
}

/* --- events --- */

struct event_wait {
	store_done *done;
	void *arg;
};

static void on_journaled(void *arg, int err, int64_t value)
{
	struct event_wait *w = arg;
	sinks_journaled();
	if (w)
		w->done(w->arg, err, value);
	mem_free(w);
}

void telemetry_event_then(struct gateway *g, const char *code, const char *severity, const char *object, const char *args, store_done *done, void *arg)
{
	struct journal_rec rec = { .wall_us = clock_wall_us(), .code = code, .severity = severity, .object = object, .args = args ? args : "{}" };
	struct buf payload = { 0 };
	struct event_wait *w = done ? NEW(struct event_wait) : NULL;
	if (w)
		*w = (struct event_wait){ done, arg };
	rec.seq = journal_add(g->store, &rec, on_journaled, w);
	backlog_write_event(g, &rec, false, &payload);
	sinks_event(rec.seq, buf_view(&payload));
	sse_publish("event", object, buf_view(&payload));
	buf_free(&payload);
	if (rec.seq < 0)
		on_journaled(w, (int)rec.seq, 0);
}

void telemetry_event(struct gateway *g, const char *code, const char *severity, const char *object, const char *args)
{
	telemetry_event_then(g, code, severity, object, args, NULL, NULL);
}

/* A multiplexed uplink found out how its lanes travel, and that is not how they did. */
static void tell_sharing(size_t i, const struct uplink_view *v)
{
	char object[64];
	struct buf args = { 0 };
	if (v->sharing <= SHARING_UNKNOWN || tm.sharings[i] == v->sharing)
		return;
	tm.sharings[i] = v->sharing;
	snprintf(object, sizeof(object), "uplink/%s", v->id);
	if (v->sharing == SHARING_SEPARATE)
		buf_printf(&args, "{\"why\":\"%s\"}", v->separate_why);
	telemetry_event(tm.gw, v->sharing == SHARING_SHARED ? "uplink.shared" : "uplink.separate", v->sharing == SHARING_SHARED ? "info" : "warning", object, args.p);
	buf_free(&args);
}

static void tell_uplinks(void)
{
	for (size_t i = 0; i < tm.gw->conf->n_uplinks; i++) {
		struct uplink_view v;
		char object[64];
		uplink_view(tm.gw->uplinks[i], &v);
		bool was_up = tm.uplinks[i] == UPLINK_UP, is_up = v.state == UPLINK_UP;
		tell_sharing(i, &v);
		tm.uplinks[i] = v.state;
		if (was_up == is_up)
			continue;
		snprintf(object, sizeof(object), "uplink/%s", v.id);
		telemetry_event(tm.gw, is_up ? "uplink.up" : "uplink.down", is_up ? "info" : "warning", object, NULL);
	}
}

static void tell_meter(const struct meter_view *v)
{
	char object[64];
	struct buf args = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	if (v->stale && v->fault)
		jw_string(&w, "why", v->fault);
	jw_end(&w, '}');
	snprintf(object, sizeof(object), "meter/%s", v->id);
	if (v->stale)
		log_warn(NULL, "meter %s is lost%s%s: the configured fallback is in force", v->id, v->fault ? ": " : "", v->fault ? v->fault : "");
	else
		log_info(NULL, "meter %s is back", v->id);
	telemetry_event(tm.gw, v->stale ? "meter.lost" : "meter.back", v->stale ? "warning" : "info", object, v->stale && v->fault ? args.p : NULL);
	buf_free(&args);
}

static void tell_meters(void)
{
	for (size_t i = 0; i < control_meters(tm.gw->control); i++) {
		struct meter_view v;
		control_meter_view(tm.gw->control, (int)i, clock_mono_us(), &v);
		if (tm.stale[i] == v.stale)
			continue;
		tm.stale[i] = v.stale;
		tell_meter(&v);
	}
}

/* --- the clock of it --- */

static void on_flush(void *arg)
{
	int64_t now = clock_mono_us();
	(void)arg;
	tell_uplinks();
	tell_meters();
	if (sinks_any_up())
		LIST_WALK(&tm.topics, struct topic, entry, t)
			flush_topic(t, now);
	timer_set(&tm.timer, FLUSH_US, on_flush, NULL);
}

static void on_sample(void *arg)
{
	struct buf payload = { 0 };
	struct json_writer w;
	(void)arg;
	jw_open(&w, &payload);
	jw_object(&w, NULL);
	view_site(tm.gw, &w);
	jw_end(&w, '}');
	sinks_sample(buf_view(&payload));
	buf_free(&payload);
	timer_set(&tm.sample, tm.gw->conf->mqtt.telemetry_interval_us, on_sample, NULL);
}

static void publish_info(struct sink *to)
{
	struct buf payload = { 0 };
	struct json_writer w;
	jw_open(&w, &payload);
	jw_object(&w, NULL);
	jw_int(&w, "v", 1);
	jw_string(&w, "name", tm.gw->conf->site.name);
	jw_string(&w, "version", PACKAGE_VERSION);
	jw_string(&w, "boot", tm.gw->boot_id);
	jw_end(&w, '}');
	publish(to, "info", buf_view(&payload), 1, true, 0);
	buf_free(&payload);
}

static void publish_all(struct sink *to)
{
	int64_t now = clock_mono_us();
	publish_info(to);
	LIST_WALK(&tm.topics, struct topic, entry, t)
		if (!flush_topic(t, now))
			topic_publish(to, t);
}

void telemetry_refresh(void)
{
	if (!sinks_any())
		return;
	publish_all(NULL);
	telemetry_event(tm.gw, "refresh_done", "info", "site", NULL);
}

void telemetry_sink_state(const char *name, bool up, const char *why)
{
	struct sink *s = sinks_state(name, up, why);
	if (s && up)
		publish_all(s);
	if (s)
		sinks_catch_up(s);
}

void telemetry_sink_sent(const char *name, uint64_t mark)
{
	sinks_sent(name, mark);
}

/* --- what others say --- */

void telemetry_station(struct session *s)
{
	char id[TOPIC_LEVEL], name[TOPIC_LEVEL + 40];
	if (!sinks_any())
		return;
	topic_level(s->id, id, sizeof(id));
	snprintf(name, sizeof(name), "station/%s/status", id);
	topic_named(name, TOPIC_STATUS, s, 0)->look = true;
	snprintf(name, sizeof(name), "station/%s", id);
	topic_named(name, TOPIC_STATION, s, 0)->look = true;
}

void telemetry_evse(struct session *s, int evse)
{
	char id[TOPIC_LEVEL], name[TOPIC_LEVEL + 40];
	if (!sinks_any() || evse < 1)
		return;
	topic_level(s->id, id, sizeof(id));
	snprintf(name, sizeof(name), "station/%s/evse/%d", id, evse);
	topic_named(name, TOPIC_EVSE, s, evse)->look = true;
}

/* --- commands from the sink --- */

/* The allow-list in the configuration is the grant: what passes it may do what an installer may. */
void telemetry_command(const char *sink, const char *verb, const char *json, void (*reply)(void *arg, const char *json), void *reply_arg)
{
	if (!sinks_may(sink, verb)) {
		reply(reply_arg, "{\"ok\":false,\"error\":{\"code\":\"forbidden\",\"detail\":\"this command is not allowed on this link\"}}");
		return;
	}
	stats_count("ampgate_mqtt_messages_total", "direction", "rx", "result", "ok", NULL);
	once_run(tm.gw, verb, json, reply, reply_arg);
}

/* --- life --- */

static void fixed_topics(void)
{
	char name[100];
	topic_named("site", TOPIC_SITE, NULL, 0);
	for (size_t i = 0; i < control_nodes(tm.gw->control); i++) {
		struct node_view v;
		control_node_view(tm.gw->control, (int)i, &v);
		snprintf(name, sizeof(name), "circuit/%s", v.id);
		topic_named(name, TOPIC_CIRCUIT, NULL, (int)i);
	}
	for (size_t i = 0; i < control_meters(tm.gw->control); i++) {
		struct meter_view v;
		control_meter_view(tm.gw->control, (int)i, 0, &v);
		snprintf(name, sizeof(name), "meter/%s", v.id);
		topic_named(name, TOPIC_METER, NULL, (int)i);
	}
}

/* Those that never came are offline for all who look. */
static void station_topics(struct gateway *g)
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL)))
		telemetry_station(s);
}

int telemetry_open(struct gateway *g)
{
	tm.gw = g;
	list_init(&tm.topics);
	tm.uplinks = mem_new((g->conf->n_uplinks + 1) * sizeof(*tm.uplinks));
	tm.sharings = mem_new((g->conf->n_uplinks + 1) * sizeof(*tm.sharings));
	tm.stale = mem_new((control_meters(g->control) + 1) * sizeof(*tm.stale));
	int rc = sinks_open(g);
	if (rc != 0)
		return rc;
	if (sinks_any()) {
		if (control_nodes(g->control))
			fixed_topics();
		station_topics(g);
		timer_set(&tm.sample, g->conf->mqtt.telemetry_interval_us, on_sample, NULL);
	}
	timer_set(&tm.timer, FLUSH_US, on_flush, NULL);
	return 0;
}

void telemetry_close(void)
{
	timer_cancel(&tm.timer);
	timer_cancel(&tm.sample);
	sinks_close();
	map_free(&tm.by_name);
	if (tm.topics.next)
		LIST_WALK(&tm.topics, struct topic, entry, t)
			mem_free(t);
	list_init(&tm.topics);
	mem_free(tm.uplinks);
	mem_free(tm.sharings);
	mem_free(tm.stale);
	tm.uplinks = NULL;
	tm.stale = NULL;
}
