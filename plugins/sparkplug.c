/* Telemetry to an MQTT broker by Sparkplug B 3.0: the box is an edge node, each station a device of it. P is "spBv1.0/<group>".
 *
 *   P/NBIRTH/<node>             all metrics of the box, bdSeq, and Node Control/Rebirth; seq 0
 *   P/DBIRTH, DDEATH/<node>/<station>   it is connected, with all its metrics; it is not
 *   P/NDATA, DDATA              what has changed, by alias
 *   P/NDEATH/<node>             the will of each connection, with the bdSeq of its births; we say it ourselves when we leave
 *   P/NCMD, DCMD                rebirth; metrics that are written, each of which is a verb of the one table (sparkplug-metrics.c)
 *
 * Telemetry publishes everything within sink_state, and a topic at a time later on. So what has to go out is looked for on the next turn of
 * the loop, when all that changed in this one is here: one message per device.
 *
 * Easy to get wrong: the will is part of CONNECT, so the next bdSeq is chosen before it is known whether there will be a connection, in the
 * link's thread. And births, data and deaths are counted on in one sequence: all of them leave from the loop's thread. */
#include <mosquitto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "plugins/mqtt-link.h"
#include "plugins/plugins.h"
#include "plugins/sparkplug-metrics.h"

#define COMMAND_SIZE (64 * 1024)
#define COMMANDS_OPEN 64
#define REBIRTH "Node Control/Rebirth"

struct sparkplug {
	const ag_host *host;
	atomic_uint refs, words;
	/* From create on as they are: */
	struct mqtt_link link;
	cJSON *config;
	char *prefix;               /* "spBv1.0/<group>/" */
	const char *node, *primary; /* NULL: no primary host */
	/* The thread's: */
	unsigned next_bdseq;
	bool used;                  /* a connection was made with it */
	/* The loop's: */
	struct sparkplug_metrics *metrics;
	unsigned bdseq;             /* of the connection that is up */
	int seq;
	bool up, gone, born, birth_due, turn_due;
	bool host_online;           /* the primary host */
	int64_t host_ms;            /* when it said so */
};

/* Something the thread tells the loop. */
struct word {
	struct sparkplug *s;
	bool up;
	unsigned bdseq;
	char why[128];
	char *topic;                /* a message; NULL: up or down */
	struct buf payload;
};

static const char *setting(const struct sparkplug *s, const char *key)
{
	return mqtt_link_setting(s->config, key);
}

static void unref(struct sparkplug *s)
{
	if (atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	sparkplug_metrics_free(&s->metrics);
	cJSON_Delete(s->config);
	mem_free(s->prefix);
	mem_free(s);
}

static void post(struct sparkplug *s, void (*fn)(void *arg), void *arg)
{
	atomic_fetch_add(&s->refs, 1);
	s->host->post(s->host, fn, arg);
}

static bool allowed(void *arg, const char *verb)
{
	const struct sparkplug *s = arg;
	return mqtt_link_allows(s->config, verb);
}

static void topic_of(const struct sparkplug *s, const char *type, const char *device, struct buf *topic)
{
	buf_printf(topic, "%s%s/%s", s->prefix, type, s->node);
	if (device)
		buf_printf(topic, "/%s", device);
}

/* ---- out: loop ---- */

static int next_seq(struct sparkplug *s)
{
	int seq = s->seq;
	s->seq = (seq + 1) & 255;
	return seq;
}

/* What cannot be sent now ends with the connection, and the births of the next one say it all again. */
static void send_metrics(struct sparkplug *s, const char *type, const char *device, const struct sparkplug_metric *metrics, size_t n)
{
	struct buf topic = { 0 }, payload = { 0 };
	topic_of(s, type, device, &topic);
	sparkplug_write(&payload, clock_wall_us(), next_seq(s), metrics, n);
	mosquitto_publish(s->link.m, NULL, topic.p, (int)payload.n, payload.p, 0, false);
	buf_free(&topic);
	buf_free(&payload);
}

static struct sparkplug_metric bdseq_metric(unsigned bdseq)
{
	return (struct sparkplug_metric){ .name = "bdSeq", .type = SPARKPLUG_INT64, .value = { .known = true, .integer = bdseq } };
}

static void write_death(unsigned bdseq, struct buf *payload)
{
	struct sparkplug_metric m = bdseq_metric(bdseq);
	sparkplug_write(payload, clock_wall_us(), SPARKPLUG_NO_SEQ, &m, 1);
}

static void send_node_birth(struct sparkplug *s)
{
	struct sparkplug_metric *metrics;
	size_t n = sparkplug_take(sparkplug_node(s->metrics), true, &metrics);
	struct sparkplug_metric *all = mem_new((n + 2) * sizeof(*all));
	all[0] = bdseq_metric(s->bdseq);
	all[1] = (struct sparkplug_metric){ .name = REBIRTH, .type = SPARKPLUG_BOOLEAN, .value = { .known = true } };
	memcpy(all + 2, metrics, n * sizeof(*all));
	s->seq = 0;
	send_metrics(s, "NBIRTH", NULL, all, n + 2);
	mem_free(all);
	mem_free(metrics);
}

static void send_what_there_is(struct sparkplug *s, const char *type, struct sparkplug_thing *t, bool birth)
{
	struct sparkplug_metric *metrics;
	size_t n = sparkplug_take(t, birth, &metrics);
	if (n)
		send_metrics(s, type, t->id, metrics, n);
	mem_free(metrics);
}

static void tell_device(struct sparkplug *s, struct sparkplug_thing *t)
{
	if (!t->online && t->born)
		send_metrics(s, "DDEATH", t->id, NULL, 0);
	else if (t->online && (!t->born || t->grown))
		send_what_there_is(s, "DBIRTH", t, true);
	else if (t->online && t->changed)
		send_what_there_is(s, "DDATA", t, false);
	t->born = t->online;
}

/* A node that has new metrics is born again, and all its devices with it. */
static void tell_all(struct sparkplug *s)
{
	struct sparkplug_thing *node = sparkplug_node(s->metrics);
	if (!s->up || (s->primary && !s->host_online))
		return;
	if (s->birth_due || !s->born || node->grown) {
		send_node_birth(s);
		LIST_WALK(sparkplug_devices(s->metrics), struct sparkplug_thing, entry, t)
			t->born = false;
	} else if (node->changed) {
		send_what_there_is(s, "NDATA", node, false);
	}
	s->born = true;
	s->birth_due = false;
	LIST_WALK(sparkplug_devices(s->metrics), struct sparkplug_thing, entry, d)
		tell_device(s, d);
}

static void on_turn(void *arg)
{
	struct sparkplug *s = arg;
	s->turn_due = false;
	if (!s->gone)
		tell_all(s);
	unref(s);
}

static void look_soon(struct sparkplug *s)
{
	if (s->turn_due)
		return;
	s->turn_due = true;
	post(s, on_turn, s);
}

static int publish(void *self, const ag_message *m)
{
	struct sparkplug *s = self;
	if (m->topic[0] == '/')
		return 0; /* for another kind of reader */
	sparkplug_feed(s->metrics, m->topic, (struct slice){ m->payload, m->length });
	look_soon(s);
	return 0;
}

/* Ours, as the broker publishes the will of those only that leave without a word. */
static void say_death(struct sparkplug *s)
{
	struct buf topic = { 0 }, payload = { 0 };
	topic_of(s, "NDEATH", NULL, &topic);
	write_death(s->bdseq, &payload);
	mosquitto_publish(s->link.m, NULL, topic.p, (int)payload.n, payload.p, 1, false);
	buf_free(&topic);
	buf_free(&payload);
	s->born = false;
}

/* ---- commands: loop ---- */

struct written {
	struct sparkplug *s;
	struct sparkplug_thing *thing;
};

static void on_reply(void *arg, const char *json)
{
	struct sparkplug *s = arg;
	if (!s->gone && strncmp(json, "{\"ok\":true", 10) != 0) {
		char text[256];
		snprintf(text, sizeof(text), "a command could not be carried out: %.200s", json);
		s->host->log(s->host, 1, text);
	}
	unref(s);
}

static void on_written(void *arg, const struct sparkplug_metric *m)
{
	struct written *w = arg;
	struct sparkplug *s = w->s;
	struct buf json = { 0 };
	if (!w->thing->id && m->name && strcmp(m->name, REBIRTH) == 0) {
		s->birth_due |= m->value.known && m->value.truth;
		return;
	}
	const char *verb = sparkplug_order(s->metrics, w->thing, m, &json);
	if (verb) {
		atomic_fetch_add(&s->refs, 1);
		s->host->command(s->host, verb, json.p, on_reply, s);
	} else {
		char text[160];
		snprintf(text, sizeof(text), "'%.100s' was written, which is not for this link", m->name ? m->name : "an alias");
		s->host->log(s->host, 1, text);
	}
	buf_free(&json);
}

/* NCMD/<node> or DCMD/<node>/<device>, behind the prefix. */
static void take_command(struct sparkplug *s, const char *topic, struct slice payload)
{
	size_t head = strlen("NCMD/") + strlen(s->node);
	const char *device = topic[0] == 'D' && strlen(topic) > head ? topic + head + 1 : NULL;
	struct written w = { s, device ? sparkplug_device(s->metrics, slice_of(device)) : sparkplug_node(s->metrics) };
	if (!w.thing || sparkplug_read(payload, on_written, &w) != 0)
		s->host->log(s->host, 1, w.thing ? "a command that is no payload was dropped" : "a command for no device was dropped");
	if (s->birth_due)
		look_soon(s);
}

/* The state of the primary host, Sparkplug 3.0, 6.4.29: older words than the last are not news. A host that goes takes our session along: the next
 * one begins with a birth when it is back. */
static void take_state(struct sparkplug *s, struct slice payload)
{
	cJSON *json = json_parse(payload);
	int64_t ms = json_int(json, "timestamp", 0);
	bool is_word = cJSON_IsBool(json_at(json, "online")) && ms >= s->host_ms, online = json_bool(json, "online", false);
	cJSON_Delete(json);
	if (!is_word)
		return;
	s->host_ms = ms;
	s->birth_due |= online && !s->host_online;
	s->host_online = online;
	if (online) {
		look_soon(s);
	} else if (s->born) {
		say_death(s);
		mosquitto_disconnect(s->link.m);
	}
}

/* ---- words of the thread: loop ---- */

static void take_link(struct sparkplug *s, const struct word *w)
{
	s->up = w->up;
	s->bdseq = w->bdseq;
	s->born = s->host_online = false; /* the broker tells of the host again */
	s->birth_due = true;
	s->host_ms = 0;
	s->host->sink_state(s->host, w->up, w->why);
	if (w->up)
		look_soon(s);
}

static void on_word(void *arg)
{
	struct word *w = arg;
	struct sparkplug *s = w->s;
	if (s->gone)
		;
	else if (!w->topic)
		take_link(s, w);
	else if (strncmp(w->topic, s->prefix, strlen(s->prefix)) == 0)
		take_command(s, w->topic + strlen(s->prefix), buf_view(&w->payload));
	else
		take_state(s, buf_view(&w->payload));
	if (w->topic)
		atomic_fetch_sub(&s->words, 1);
	mem_free(w->topic);
	buf_free(&w->payload);
	mem_free(w);
	unref(s);
}

/* ---- the thread ---- */

/* Each connection has a number of its own. One that was not made leaves no will behind, so its number is still good: whoever starts us next
 * knows by the connections that were made where to go on. */
static int dialing(void *owner, struct mosquitto *m)
{
	struct sparkplug *s = owner;
	struct buf topic = { 0 }, payload = { 0 };
	if (s->used)
		s->next_bdseq = (s->next_bdseq + 1) & 255;
	s->used = false;
	topic_of(s, "NDEATH", NULL, &topic);
	write_death(s->next_bdseq, &payload);
	int rc = mosquitto_will_set(m, topic.p, (int)payload.n, payload.p, 1, false);
	buf_free(&topic);
	buf_free(&payload);
	return rc;
}

static void on_connected(void *owner, struct mosquitto *m)
{
	struct sparkplug *s = owner;
	struct buf topic = { 0 };
	s->used = true;
	topic_of(s, "NCMD", NULL, &topic);
	mosquitto_subscribe(m, NULL, topic.p, 1);
	buf_reset(&topic);
	topic_of(s, "DCMD", "+", &topic);
	mosquitto_subscribe(m, NULL, topic.p, 1);
	buf_reset(&topic);
	buf_printf(&topic, "spBv1.0/STATE/%s", s->primary ? s->primary : "");
	if (s->primary)
		mosquitto_subscribe(m, NULL, topic.p, 1);
	buf_free(&topic);
}

static void on_message(void *owner, const struct mosquitto_message *msg, const mosquitto_property *props)
{
	struct sparkplug *s = owner;
	bool is_command = strncmp(msg->topic, s->prefix, strlen(s->prefix)) == 0;
	(void)props;
	if (msg->payloadlen > COMMAND_SIZE || (is_command && msg->retain)) /* retained commands are old orders */
		return;
	if (atomic_fetch_add(&s->words, 1) >= COMMANDS_OPEN) {
		atomic_fetch_sub(&s->words, 1);
		s->host->log(s->host, 1, "command dropped: too many wait");
		return;
	}
	struct word *w = NEW(struct word);
	w->s = s;
	w->topic = mem_strdup(msg->topic);
	buf_add(&w->payload, msg->payload, (size_t)msg->payloadlen);
	post(s, on_word, w);
}

static void tell_state(void *owner, bool up, const char *why)
{
	struct sparkplug *s = owner;
	struct word *w = NEW(struct word);
	w->s = s;
	w->up = up;
	w->bdseq = s->next_bdseq;
	snprintf(w->why, sizeof(w->why), "%s", why);
	post(s, on_word, w);
}

/* ---- create ---- */

static const struct mqtt_link_events link_events = { .dialing = dialing, .connected = on_connected, .message = on_message, .state = tell_state };

static int configure(struct sparkplug *s, char *err, size_t errlen)
{
	struct buf prefix = { 0 }, id = { 0 };
	const char *group = setting(s, "group_id");
	s->node = setting(s, "edge_node");
	s->primary = setting(s, "primary_host");
	if (!group || !s->node || strpbrk(group, "/+#") || strpbrk(s->node, "/+#") || (s->primary && strpbrk(s->primary, "/+#"))) {
		snprintf(err, errlen, "group_id, edge_node and primary_host are levels of topics: no '/', '+' or '#'");
		return ERR_INVALID;
	}
	buf_printf(&prefix, "spBv1.0/%s/", group);
	s->prefix = prefix.p;
	s->next_bdseq = (unsigned)json_int(s->config, "bdseq", 0) & 255;
	buf_printf(&id, "ampgate-%s-sparkplug", setting(s, "site") ? setting(s, "site") : s->node);
	int rc = mqtt_link_open(&s->link, s->config, setting(s, "client_id") ? setting(s, "client_id") : id.p, &link_events, s, err, errlen);
	buf_free(&id);
	return rc;
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)id;
	struct sparkplug *s = NEW(struct sparkplug);
	atomic_init(&s->refs, 1);
	atomic_init(&s->words, 0);
	s->host = h;
	s->config = json_parse(slice_of(config_json));
	s->metrics = sparkplug_metrics_new(allowed, s);
	int rc = configure(s, err, errlen);
	if (rc == 0)
		rc = mqtt_link_start(&s->link);
	if (rc == 0) {
		*self = s;
		return 0;
	}
	mqtt_link_close(&s->link);
	unref(s);
	return rc;
}

static void destroy(void *self)
{
	struct sparkplug *s = self;
	if (s->up)
		say_death(s);
	mqtt_link_close(&s->link);
	s->gone = true;
	s->up = false;
	unref(s);
}

const ag_plugin *plugin_sparkplug(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_SINK,
		.name = "sparkplug",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"url\":\"mqtt://host[:port] or mqtts://host[:port]\",\"protocol\":\"5 or 3.1.1\",\"username\":\"\",\"password\":\"\","
		                 "\"ca\":\"file\",\"cert\":\"file\",\"key\":\"file\",\"site\":\"id of the site\",\"commands\":\"[verbs that are allowed]\","
		                 "\"group_id\":\"\",\"edge_node\":\"\",\"primary_host\":\"whose state is waited for\",\"bdseq\":\"of the first connection\","
		                 "\"client_id\":\"ampgate-<site>-sparkplug\"}",
		.create = create,
		.destroy = destroy,
		.publish = publish,
	};
	return &plugin;
}
