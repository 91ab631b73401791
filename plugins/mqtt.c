/* Telemetry to an MQTT broker and commands from it, MQTT 3.1.1 or 5. B is "<base>/<site>".
 *
 *   B/status      online when connected; the broker says offline when we are gone without a word (last will), we say it when we leave
 *   B/cmd/<verb>  a request; the answer goes to the response topic with the same correlation data (5), else to B/rsp/<verb> with its id
 *
 * The connection has a thread of its own (mqtt-link.h), which shares nothing with the loop but the library's handle and what never changes
 * after create; what it hears is copied and posted.
 *
 * Messages with QoS 1 wait here and are handed over at most 20 at a time: the library keeps them in memory, resends them after a reconnect
 * and queues even what it reports as "no connection", so nothing is ever handed over twice. A newer value of a retained topic takes the
 * place of one that still waits. QoS 0 is for the moment: without a connection it is dropped. Retained commands are old orders: ignored.
 *
 * Posted work and replies may come after destroy: they hold a reference, and the last one frees the object. */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "plugins/mqtt-link.h"
#include "plugins/plugins.h"

#define HANDED_MOST 20
#define WAITING_MOST 1000
#define PAYLOAD_MOST (256 * 1024)
#define COMMAND_SIZE (64 * 1024)
#define COMMANDS_OPEN 64

/* A message on its way out. */
struct out {
	struct list entry;
	char *topic;
	char *payload;
	size_t length;
	int qos;
	bool retain;
	int64_t expires_us; /* monotonic; 0: never */
	uint64_t mark;      /* 0: nobody asks whether it arrived */
	void *correlation;
	uint16_t correlation_n;
};

struct mqtt {
	const ag_host *host;
	atomic_uint refs;
	atomic_uint commands_open;
	/* From create on as they are: */
	struct mqtt_link link;
	char *base, *cmd;           /* B, "B/cmd/" */
	cJSON *config;
	/* The loop's: */
	bool up, gone;
	struct {
		int mid;
		uint64_t mark;
	} handed[HANDED_MOST];      /* what the broker has not confirmed */
	unsigned n_handed, n_waiting;
	struct list waiting;
};

/* A request, from its arrival to its reply. */
struct command {
	struct mqtt *s;
	char *verb, *json, *response;
	char *id;                   /* as JSON; NULL: none */
	void *correlation;
	uint16_t correlation_n;
};

/* Something the thread tells the loop. */
struct word {
	struct mqtt *s;
	int mid;                    /* confirmed; 0: not that */
	bool up;
	char why[128];
};

static const char *setting(const struct mqtt *s, const char *key)
{
	return mqtt_link_setting(s->config, key);
}

static void unref(struct mqtt *s)
{
	if (atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	cJSON_Delete(s->config);
	mem_free(s->base);
	mem_free(s->cmd);
	mem_free(s);
}

static void post(struct mqtt *s, void (*fn)(void *arg), void *arg)
{
	atomic_fetch_add(&s->refs, 1);
	s->host->post(s->host, fn, arg);
}

/* ---- out: loop ---- */

static void free_out(struct out *o)
{
	mem_free(o->topic);
	mem_free(o->payload);
	mem_free(o->correlation);
	mem_free(o);
}

static void log_drop(struct mqtt *s, const char *topic, const char *why)
{
	char text[256];
	snprintf(text, sizeof(text), "message for %.120s dropped: %s", topic, why);
	s->host->log(s->host, 1, text);
}

static mosquitto_property *properties(const struct mqtt *s, const struct out *o)
{
	mosquitto_property *p = NULL;
	if (!s->link.v5)
		return NULL;
	if (o->expires_us) {
		int64_t left = o->expires_us - clock_mono_us();
		mosquitto_property_add_int32(&p, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, (uint32_t)((left + US_PER_S - 1) / US_PER_S));
	}
	if (o->correlation)
		mosquitto_property_add_binary(&p, MQTT_PROP_CORRELATION_DATA, o->correlation, o->correlation_n);
	return p;
}

/* To the library. "No connection" means that it keeps the message and sends it later. */
static void hand_over(struct mqtt *s, struct out *o)
{
	int mid = 0;
	mosquitto_property *p = properties(s, o);
	int rc = mosquitto_publish_v5(s->link.m, &mid, o->topic, (int)o->length, o->payload, o->qos, o->retain, p);
	mosquitto_property_free_all(&p);
	if (rc != MOSQ_ERR_SUCCESS && rc != MOSQ_ERR_NO_CONN)
		log_drop(s, o->topic, mosquitto_strerror(rc));
	else if (o->qos > 0) {
		s->handed[s->n_handed].mid = mid;
		s->handed[s->n_handed++].mark = o->mark;
	}
}

static void pump(struct mqtt *s)
{
	while (s->up && s->n_handed < HANDED_MOST && s->n_waiting) {
		struct out *o = LIST_TOP(&s->waiting, struct out, entry);
		list_remove(&o->entry);
		s->n_waiting--;
		if (!o->expires_us || o->expires_us > clock_mono_us())
			hand_over(s, o);
		free_out(o);
	}
}

/* A retained value that was not sent yet is not worth sending once there is a newer one. */
static void drop_older(struct mqtt *s, const struct out *newer)
{
	LIST_WALK(&s->waiting, struct out, entry, o) {
		if (!o->retain || strcmp(o->topic, newer->topic) != 0)
			continue;
		list_remove(&o->entry);
		s->n_waiting--;
		free_out(o);
		return;
	}
}

static int send_out(struct mqtt *s, struct out *o)
{
	if (o->qos == 0) {
		if (s->up)
			hand_over(s, o);
		free_out(o);
		return 0;
	}
	if (o->retain)
		drop_older(s, o);
	if (s->n_waiting == WAITING_MOST) {
		free_out(o);
		return ERR_FULL;
	}
	list_append(&s->waiting, &o->entry);
	s->n_waiting++;
	pump(s);
	return 0;
}

static struct out *make_out(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
	struct out *o = NEW(struct out);
	o->topic = mem_strdup(topic);
	o->payload = mem_text((struct slice){ payload, length });
	o->length = length;
	o->qos = qos;
	o->retain = retain;
	return o;
}

static int publish(void *self, const ag_message *m)
{
	struct mqtt *s = self;
	struct buf topic = { 0 };
	if (m->length > PAYLOAD_MOST || m->qos < 0 || m->qos > 1)
		return ERR_INVALID;
	if (m->topic[0] == '/')
		buf_puts(&topic, m->topic + 1);
	else
		buf_printf(&topic, "%s/%s", s->base, m->topic);
	if (mosquitto_pub_topic_check(topic.p) != MOSQ_ERR_SUCCESS) {
		buf_free(&topic);
		return ERR_INVALID;
	}
	struct out *o = make_out(topic.p, m->payload, m->length, m->qos, m->retain);
	o->expires_us = m->expiry_s ? clock_mono_us() + m->expiry_s * US_PER_S : 0;
	o->mark = m->mark;
	buf_free(&topic);
	return send_out(s, o);
}

/* ---- commands: loop ---- */

static void free_command(struct command *c)
{
	struct mqtt *s = c->s;
	atomic_fetch_sub(&s->commands_open, 1);
	mem_free(c->verb);
	mem_free(c->json);
	mem_free(c->id);
	free(c->response);
	free(c->correlation);
	mem_free(c);
	unref(s);
}

/* An object with a member put before its others. */
static void put_first(struct buf *out, const char *key, const char *value, const char *object)
{
	const char *rest = strchr(object, '{') + 1;
	rest += strspn(rest, " \t\r\n");
	buf_printf(out, "{\"%s\":%s%s%s", key, value, *rest == '}' ? "" : ",", rest);
}

static void on_reply(void *arg, const char *json)
{
	struct command *c = arg;
	struct mqtt *s = c->s;
	struct buf topic = { 0 }, payload = { 0 };
	if (s->gone) {
		free_command(c);
		return;
	}
	if (c->response)
		buf_puts(&topic, c->response);
	else
		buf_printf(&topic, "%s/rsp/%s", s->base, c->verb);
	if (c->id)
		put_first(&payload, "id", c->id, json);
	else
		buf_puts(&payload, json);
	struct out *o = make_out(topic.p, payload.p, payload.n, 1, false);
	if (c->response && c->correlation) {
		o->correlation = mem_new(c->correlation_n);
		memcpy(o->correlation, c->correlation, c->correlation_n);
		o->correlation_n = c->correlation_n;
	}
	if (send_out(s, o) != 0)
		log_drop(s, topic.p, "too many messages wait");
	buf_free(&topic);
	buf_free(&payload);
	free_command(c);
}

static void refuse(struct command *c, const char *code, const char *detail)
{
	struct buf json = { 0 };
	buf_printf(&json, "{\"ok\":false,\"error\":{\"code\":\"%s\",\"detail\":\"%s\"}}", code, detail);
	on_reply(c, json.p);
	buf_free(&json);
}

/* The id as JSON, for the reply. */
static void take_id(struct command *c, const cJSON *request)
{
	const cJSON *id = json_at(request, "id");
	struct buf text = { 0 };
	if (cJSON_IsString(id))
		json_quote(&text, slice_of(id->valuestring));
	else if (cJSON_IsNumber(id))
		buf_printf(&text, "%.17g", id->valuedouble);
	c->id = text.p;
}

/* Correlation data names a request as well as an id does: whoever looks for repeated requests sees it as one. */
static void id_from_correlation(struct command *c)
{
	struct buf hex = { 0 }, json = { 0 };
	hex_text(c->correlation, c->correlation_n, buf_room(&hex, 2u * c->correlation_n + 1));
	hex.n = 2u * c->correlation_n;
	struct buf quoted = { 0 };
	buf_printf(&quoted, "\"correlation:%s\"", hex.p);
	put_first(&json, "id", quoted.p, c->json);
	mem_free(c->json);
	c->json = json.p;
	buf_free(&hex);
	buf_free(&quoted);
}

static void on_command(void *arg)
{
	struct command *c = arg;
	struct mqtt *s = c->s;
	if (s->gone) {
		free_command(c);
		return;
	}
	cJSON *request = json_parse(slice_of(c->json));
	bool is_object = cJSON_IsObject(request);
	take_id(c, request);
	cJSON_Delete(request);
	if (!is_object) {
		refuse(c, "bad_request", "the payload is not a JSON object");
	} else if (!mqtt_link_allows(s->config, c->verb)) {
		refuse(c, "forbidden", "this command is not allowed on this link");
	} else {
		if (!c->id && c->correlation)
			id_from_correlation(c);
		s->host->command(s->host, c->verb, c->json, on_reply, c);
	}
}

static void no_reply(void *arg, const char *json)
{
	(void)arg, (void)json;
}

/* Somebody who has just started wants to hear everything. */
static void on_refresh(void *arg)
{
	struct mqtt *s = arg;
	if (!s->gone)
		s->host->command(s->host, "refresh", "{}", no_reply, NULL);
	unref(s);
}

/* ---- words of the thread: loop ---- */

static void on_confirmed(void *arg)
{
	struct word *w = arg;
	struct mqtt *s = w->s;
	uint64_t mark = 0;
	for (unsigned i = 0; i < s->n_handed; i++) {
		if (s->handed[i].mid != w->mid)
			continue;
		mark = s->handed[i].mark;
		s->handed[i] = s->handed[--s->n_handed];
		break;
	}
	if (!s->gone && mark)
		s->host->sink_sent(s->host, mark);
	if (!s->gone)
		pump(s);
	mem_free(w);
	unref(s);
}

static void on_state(void *arg)
{
	struct word *w = arg;
	struct mqtt *s = w->s;
	s->up = w->up && !s->gone;
	if (!s->gone) {
		s->host->sink_state(s->host, w->up, w->why);
		pump(s);
	}
	mem_free(w);
	unref(s);
}

/* ---- the thread ---- */

static void tell_state(void *owner, bool up, const char *why)
{
	struct mqtt *s = owner;
	struct word *w = NEW(struct word);
	w->s = s;
	w->up = up;
	snprintf(w->why, sizeof(w->why), "%s", why);
	post(s, on_state, w);
}

static void say_status(struct mqtt *s, const char *status)
{
	size_t room = strlen(s->base) + sizeof("/status");
	char *topic = mem_new(room);
	snprintf(topic, room, "%s/status", s->base);
	mosquitto_publish(s->link.m, NULL, topic, (int)strlen(status), status, 1, true);
	mem_free(topic);
}

static void on_connected(void *owner, struct mosquitto *m)
{
	struct mqtt *s = owner;
	char *pattern = mem_new(strlen(s->cmd) + 2);
	sprintf(pattern, "%s+", s->cmd);
	mosquitto_subscribe(m, NULL, pattern, 1);
	mem_free(pattern);
	if (setting(s, "refresh_on"))
		mosquitto_subscribe(m, NULL, setting(s, "refresh_on"), 1);
	say_status(s, "online");
}

static void on_published(void *owner, int mid)
{
	struct mqtt *s = owner;
	struct word *w = NEW(struct word);
	w->s = s;
	w->mid = mid;
	post(s, on_confirmed, w);
}

static void read_properties(struct command *c, const mosquitto_property *props)
{
	mosquitto_property_read_string(props, MQTT_PROP_RESPONSE_TOPIC, &c->response, false);
	mosquitto_property_read_binary(props, MQTT_PROP_CORRELATION_DATA, &c->correlation, &c->correlation_n, false);
	if (!c->response || (c->response[0] && c->response[0] != '$' && mosquitto_pub_topic_check(c->response) == MOSQ_ERR_SUCCESS))
		return;
	free(c->response);
	c->response = NULL;
}

static void on_message(void *owner, const struct mosquitto_message *msg, const mosquitto_property *props)
{
	struct mqtt *s = owner;
	size_t head = strlen(s->cmd);
	if (setting(s, "refresh_on") && strcmp(msg->topic, setting(s, "refresh_on")) == 0) {
		if (!msg->retain && msg->payloadlen == 6 && memcmp(msg->payload, "online", 6) == 0)
			post(s, on_refresh, s);
		return;
	}
	if (msg->retain || msg->payloadlen > COMMAND_SIZE || strncmp(msg->topic, s->cmd, head) != 0)
		return;
	if (atomic_load(&s->commands_open) >= COMMANDS_OPEN) {
		s->host->log(s->host, 1, "command dropped: too many are unanswered");
		return;
	}
	atomic_fetch_add(&s->commands_open, 1);
	struct command *c = NEW(struct command);
	c->s = s;
	c->verb = mem_strdup(msg->topic + head);
	c->json = msg->payloadlen ? mem_text((struct slice){ msg->payload, (size_t)msg->payloadlen }) : mem_strdup("{}");
	read_properties(c, props);
	post(s, on_command, c);
}

/* ---- create ---- */

static int set_will(struct mqtt *s)
{
	char *topic = mem_new(strlen(s->base) + sizeof("/status"));
	sprintf(topic, "%s/status", s->base);
	int rc = mosquitto_will_set(s->link.m, topic, 7, "offline", 1, true);
	mem_free(topic);
	return rc;
}

static const struct mqtt_link_events link_events = { .connected = on_connected, .published = on_published, .message = on_message, .state = tell_state };

static int configure(struct mqtt *s, char *err, size_t errlen)
{
	struct buf base = { 0 }, cmd = { 0 }, id = { 0 };
	if (!setting(s, "site")) {
		snprintf(err, errlen, "'site' is missing");
		return ERR_INVALID;
	}
	buf_printf(&base, "%s/%s", setting(s, "base") ? setting(s, "base") : "ampgate", setting(s, "site"));
	buf_printf(&cmd, "%s/cmd/", base.p);
	buf_printf(&id, "ampgate-%s", setting(s, "site"));
	s->base = base.p;
	s->cmd = cmd.p;
	int rc = mqtt_link_open(&s->link, s->config, setting(s, "client_id") ? setting(s, "client_id") : id.p, &link_events, s, err, errlen);
	buf_free(&id);
	return rc;
}

static int start(struct mqtt *s, char *err, size_t errlen)
{
	int rc = set_will(s);
	if (rc != MOSQ_ERR_SUCCESS) {
		snprintf(err, errlen, "%s", mosquitto_strerror(rc));
		return ERR_INVALID;
	}
	mosquitto_max_inflight_messages_set(s->link.m, HANDED_MOST);
	return mqtt_link_start(&s->link);
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)id;
	struct mqtt *s = NEW(struct mqtt);
	atomic_init(&s->refs, 1);
	s->host = h;
	s->config = json_parse(slice_of(config_json));
	list_init(&s->waiting);
	int rc = configure(s, err, errlen);
	if (rc == 0)
		rc = start(s, err, errlen);
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
	struct mqtt *s = self;
	if (s->up)
		say_status(s, "offline");
	mqtt_link_close(&s->link);
	s->gone = true;
	s->up = false;
	LIST_WALK(&s->waiting, struct out, entry, o) {
		list_remove(&o->entry);
		free_out(o);
	}
	unref(s);
}

const ag_plugin *plugin_mqtt(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_SINK,
		.name = "mqtt",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"url\":\"mqtt://host[:port] or mqtts://host[:port]\",\"protocol\":\"5 or 3.1.1\",\"username\":\"\",\"password\":\"\","
		                 "\"base\":\"ampgate\",\"site\":\"id of the site\",\"commands\":\"[verbs that are allowed]\",\"ca\":\"file\","
		                 "\"cert\":\"file\",\"key\":\"file\",\"refresh_on\":\"topic on which online asks for everything again\",\"client_id\":\"ampgate-<site>\"}",
		.create = create,
		.destroy = destroy,
		.publish = publish,
	};
	return &plugin;
}
