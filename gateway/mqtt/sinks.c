/* What each sink is told at its start, and who of them is there. A sink takes messages while it is up only: when it comes up, telemetry.c
 * publishes everything to it, and what it has missed of the events waits in a backlog of its own. Sparkplug has none: it has no events. */
#include "gateway/mqtt/sinks.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gateway/mqtt/backlog.h"
#include "gateway/plug/host.h"
#include "storage/kept.h"

#define BROKER "mqtt"
#define SPARKPLUG "sparkplug"

struct sink {
	char name[48];
	int handle;
	bool up;
	struct backlog *backlog;            /* NULL: it has none */
	bool plugin;                        /* of the section sinks */
};

static struct {
	struct gateway *g;
	struct sink *all;
	size_t n;
	int64_t bdseq;          /* of the next connection of Sparkplug; on disk, owner and name "sparkplug", "bdseq" */
} sinks;

bool sinks_any(void)
{
	return sinks.n > 0;
}

bool sink_is_up(const struct sink *s)
{
	return s && s->up;
}

bool sinks_any_up(void)
{
	for (size_t i = 0; i < sinks.n; i++)
		if (sinks.all[i].up)
			return true;
	return false;
}

static struct sink *named(const char *name)
{
	for (size_t i = 0; i < sinks.n; i++)
		if (strcmp(sinks.all[i].name, name) == 0)
			return &sinks.all[i];
	return NULL;
}

struct sink *sinks_broker(void)
{
	return named(BROKER);
}

static const char *shown(const struct sink *s)
{
	return strcmp(s->name, BROKER) == 0 ? "MQTT" : strcmp(s->name, SPARKPLUG) == 0 ? "Sparkplug" : s->name;
}

/* Sparkplug tells connections apart by a number, after a restart too: a will that the broker publishes late would end the wrong one. */
static void keep_next_bdseq(void)
{
	char text[24];
	sinks.bdseq = (sinks.bdseq + 1) & 255;
	snprintf(text, sizeof(text), "%lld", (long long)sinks.bdseq);
	if (kept_put(sinks.g->store, SPARKPLUG, "bdseq", slice_of(text), NULL, NULL) != 0)
		log_debug(NULL, "the number of the next connection of Sparkplug is not noted");
}

static int64_t take_bdseq(void)
{
	struct arena mem = { 0 };
	struct slice text;
	int64_t kept = 0;
	if (kept_get(sinks.g->store, SPARKPLUG, "bdseq", &mem, &text) != 0 || int_parse(text, &kept) != 0 || kept < 0 || kept > 255)
		kept = 0;
	arena_free(&mem);
	sinks.bdseq = kept;
	keep_next_bdseq();
	return kept;
}

struct sink *sinks_state(const char *name, bool up, const char *why)
{
	struct sink *s = named(name);
	if (!s)
		return NULL;
	if (up != s->up && up)
		log_info(NULL, "%s is connected", shown(s));
	else if (up != s->up)
		log_info(NULL, "%s is down: %s", shown(s), why ? why : "");
	if (s->up && !up && strcmp(name, SPARKPLUG) == 0)
		keep_next_bdseq();
	s->up = up;
	return s;
}

void sinks_sent(const char *name, uint64_t mark)
{
	struct sink *s = named(name);
	if (s)
		backlog_sent(s->backlog, mark);
}

void sinks_catch_up(struct sink *s)
{
	backlog_link(s->backlog, s->up);
}

static bool holds(const char *const *list, const char *word)
{
	for (; list && *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

bool sinks_may(const char *name, const char *verb)
{
	const struct sink *s = named(name);
	if (!s || !s->plugin)
		return s != NULL;
	for (size_t i = 0; i < sinks.g->conf->n_sinks; i++)
		if (strcmp(sinks.g->conf->sinks[i].id, name) == 0)
			return holds(sinks.g->conf->sinks[i].commands, verb);
	return false; /* a reload has taken it out */
}

static int publish_to(struct sink *s, const ag_message *m)
{
	int err = host_publish(sinks.g->host, s->handle, m);
	if (strcmp(s->name, BROKER) == 0)
		stats_count("ampgate_mqtt_messages_total", "direction", "tx", "result", err ? "failed" : "ok", NULL);
	return err;
}

int sinks_publish(struct sink *to, const ag_message *m)
{
	int err = 0;
	if (to)
		return publish_to(to, m);
	for (size_t i = 0; i < sinks.n; i++) {
		int rc = sinks.all[i].up ? publish_to(&sinks.all[i], m) : 0;
		err = rc != 0 ? rc : err;
	}
	return err;
}

void sinks_event(int64_t seq, struct slice json)
{
	for (size_t i = 0; i < sinks.n; i++)
		backlog_event(sinks.all[i].backlog, seq, json);
}

void sinks_journaled(void)
{
	for (size_t i = 0; i < sinks.n; i++)
		backlog_journaled(sinks.all[i].backlog);
}

void sinks_sample(struct slice json)
{
	const ag_message m = { .topic = "telemetry", .payload = json.p, .length = json.n };
	if (sinks_publish(NULL, &m) != 0)
		log_debug(NULL, "a sample of the site is not published");
	for (size_t i = 0; i < sinks.n; i++)
		backlog_sample(sinks.all[i].backlog, json);
}

int64_t sinks_waiting(void)
{
	const struct sink *s = sinks_broker();
	return s ? backlog_waiting(s->backlog) : 0;
}

static int publish_marked(void *arg, const char *topic, struct slice payload, uint64_t mark)
{
	const ag_message m = { .topic = topic, .payload = payload.p, .length = payload.n, .qos = 1, .mark = mark };
	return publish_to(arg, &m);
}

/* ---- what they are told ---- */

/* Home Assistant tells when it has started, and wants to hear of everything then. */
static void add_watch(const struct mqtt_settings *m, struct json_writer *w)
{
	struct buf topic = { 0 };
	buf_printf(&topic, "%s/status", m->homeassistant.prefix);
	jw_string(w, "refresh_on", topic.p);
	buf_free(&topic);
}

/* How the broker is reached, and what may be done over it. */
static void write_broker(const struct gateway *g, struct json_writer *w)
{
	const struct mqtt_settings *m = &g->conf->mqtt;
	jw_string(w, "url", m->url);
	jw_int(w, "protocol", m->protocol);
	if (m->username)
		jw_string(w, "username", m->username);
	if (m->password)
		jw_string(w, "password", m->password);
	if (m->ca)
		jw_string(w, "ca", m->ca);
	jw_string(w, "site", g->conf->site.id);
	jw_array(w, "commands");
	for (size_t i = 0; m->commands && m->commands[i]; i++)
		jw_string(w, NULL, m->commands[i]);
	jw_end(w, ']');
}

static void write_mqtt(const struct gateway *g, struct buf *out)
{
	const struct mqtt_settings *m = &g->conf->mqtt;
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	write_broker(g, &w);
	jw_string(&w, "base", m->base);
	if (m->homeassistant.enabled)
		add_watch(m, &w);
	jw_end(&w, '}');
}

static int open_sink(const char *name, const char *driver, const char *config)
{
	struct sink *s = &sinks.all[sinks.n];
	struct host_conf conf = { .id = name, .driver = driver, .config = config };
	char why[200] = "";
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->handle = host_sink(sinks.g->host, &conf, why, sizeof(why));
	if (s->handle < 0) {
		log_error(NULL, "%s cannot be started: %s", shown(s), why);
		return s->handle;
	}
	sinks.n++;
	return 0;
}

static int open_broker(struct gateway *g)
{
	struct buf config = { 0 };
	write_mqtt(g, &config);
	int rc = open_sink(BROKER, "mqtt", config.p);
	if (rc == 0)
		sinks_broker()->backlog = backlog_open(g, "mqtt", true, publish_marked, sinks_broker());
	buf_free(&config);
	return rc;
}

static void write_sparkplug(const struct gateway *g, struct buf *out)
{
	const struct mqtt_settings *m = &g->conf->mqtt;
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	write_broker(g, &w);
	jw_string(&w, "group_id", m->sparkplug.group_id);
	jw_string(&w, "edge_node", m->sparkplug.edge_node ? m->sparkplug.edge_node : g->conf->site.id);
	if (m->sparkplug.primary_host)
		jw_string(&w, "primary_host", m->sparkplug.primary_host);
	jw_int(&w, "bdseq", take_bdseq());
	jw_end(&w, '}');
}

static int open_sparkplug(struct gateway *g)
{
	struct buf config = { 0 };
	write_sparkplug(g, &config);
	int rc = open_sink(SPARKPLUG, SPARKPLUG, config.p);
	buf_free(&config);
	return rc;
}

/* One that its driver refuses is missing: the others are told, and what it has had is still known when it is right again. */
static void open_plugin(struct gateway *g, const struct sink_settings *conf)
{
	char owner[64];
	struct sink *s = &sinks.all[sinks.n];
	if (open_sink(conf->id, conf->plugin, conf->options ? conf->options : "{}") != 0)
		return;
	snprintf(owner, sizeof(owner), "sink-%s", conf->id);
	s->plugin = true;
	s->backlog = backlog_open(g, owner, false, publish_marked, s);
}

int sinks_open(struct gateway *g)
{
	int rc = 0;
	sinks.g = g;
	sinks.all = mem_new((2 + g->conf->n_sinks) * sizeof(*sinks.all));
	sinks.n = 0;
	if (g->conf->mqtt.url)
		rc = open_broker(g);
	if (rc == 0 && g->conf->mqtt.url && g->conf->mqtt.sparkplug.enabled)
		rc = open_sparkplug(g);
	for (size_t i = 0; i < g->conf->n_sinks && rc == 0; i++)
		open_plugin(g, &g->conf->sinks[i]);
	return rc;
}

void sinks_close(void)
{
	for (size_t i = 0; i < sinks.n; i++)
		backlog_close(&sinks.all[i].backlog);
	mem_free(sinks.all);
	sinks.all = NULL;
	sinks.n = 0;
}
