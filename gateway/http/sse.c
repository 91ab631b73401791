/* The ring and its readers.
 *
 * Each message has a number; a client remembers the last one it was sent and the ring holds the newest few thousand, so a slow client and one that
 * comes back are the same case: go on behind that number, or, when the ring has moved past it, say "reset". Easy to get wrong: an object whose
 * measured value trembles would be told each time, hence the rounding of the views (a tenth of an ampere) and one look per half second. */
#include "gateway/http/sse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/manage/view.h"
#include "gateway/session/session.h"
#include "gateway/session/trace.h"

#define RING 4096
#define LOOK_US (US_PER_S / 2)
#define COMMENT_US (15 * US_PER_S)
#define UNSENT_MOST (256 * 1024)
#define STAY_US (60 * US_PER_S) /* looking goes on for so long after the last client left, which may come back */
#define CLIENTS_MOST 32

enum topic { SITE, CIRCUIT, METER, STATION, EVSE, UPLINK, EVENT, JOB, TRACE, TOPICS };
static const char *const topic_names[TOPICS] = { "site", "circuit", "meter", "station", "evse", "uplink", "event", "job", "trace" };

struct message {
	enum topic topic;
	char *text; /* as it goes out, without its id line */
	size_t n;
};

struct client {
	struct list entry;
	struct http_exchange *x;
	unsigned topics;  /* bits */
	uint64_t next;    /* number of the message to be sent next */
	struct timer comment;
	struct later removal;
};

static struct {
	struct gateway *g;
	struct message ring[RING];
	uint64_t next;            /* number of the next message */
	struct list clients;
	unsigned n_clients;
	struct map shown;         /* "evse/G-07/1" -> uint64_t hash of what was told */
	struct timer look, comment;
	int64_t left_us;
	struct trace_listener trace;
	bool tracing;
} ev;

static struct list listeners = { &listeners, &listeners }; /* outlives `ev`: they leave when the control socket is closed */

/* --- clients --- */

static void client_free(void *arg)
{
	mem_free(arg);
}

static void on_gone(void *arg)
{
	struct client *c = arg;
	list_remove(&c->entry);
	ev.n_clients--;
	ev.left_us = clock_mono_us();
	later_call(&c->removal, client_free, c);
}

static void send_id(struct buf *out, uint64_t number)
{
	buf_printf(out, "id: %s-%llu\n", ev.g->boot_id, (unsigned long long)number);
}

static void feed(struct client *c)
{
	struct buf out = { 0 };
	if (ev.next - c->next > RING) {
		send_id(&out, ev.next - 1);
		buf_puts(&out, "event: reset\ndata: {\"v\":1}\n\n");
		c->next = ev.next;
	}
	for (; c->next < ev.next && out.n < UNSENT_MOST / 4; c->next++) {
		const struct message *m = &ev.ring[c->next % RING];
		if (!(c->topics & 1U << m->topic))
			continue;
		send_id(&out, c->next);
		buf_add(&out, m->text, m->n);
	}
	if (out.n)
		http_push(c->x, buf_view(&out));
	buf_free(&out);
}

/* Those who read. The others are fed again when they have, and by then perhaps told to fetch everything. */
static void feed_all(void)
{
	LIST_WALK(&ev.clients, struct client, entry, c) {
		while (c->next < ev.next && http_unsent(c->x) < UNSENT_MOST / 4) {
			uint64_t before = c->next;
			feed(c);
			if (c->next == before || list_empty(&ev.clients))
				break;
		}
	}
}

/* --- messages --- */

static void add(enum topic topic, const char *key, struct slice json)
{
	struct message *m = &ev.ring[ev.next % RING];
	struct buf text = { 0 };
	struct json_writer w;
	LIST_WALK(&listeners, struct sse_listener, entry, l)
		if (l->topics & 1U << topic)
			l->see(l->arg, topic_names[topic], key, json);
	mem_free(m->text);
	buf_printf(&text, "event: %s\ndata: {\"key\":", topic_names[topic]);
	jw_open(&w, &text);
	json_quote(&text, slice_of(key));
	buf_puts(&text, json.n > 2 ? "," : "");
	buf_add(&text, json.p + 1, json.n - 1);
	buf_puts(&text, "\n\n");
	*m = (struct message){ topic, text.p, text.n };
	ev.next++;
}

static uint64_t hash(struct slice s)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return h;
}

/* The time of the look itself is no change. */
static struct slice without_time(struct buf *json)
{
	char *at = json->p ? strstr(json->p, "\"ts\":\"") : NULL;
	if (!at)
		return buf_view(json);
	return (struct slice){ at + 6 + TIME_TEXT, json->n - (size_t)(at + 6 + TIME_TEXT - json->p) };
}

static void tell_if_changed(enum topic topic, const char *key, struct buf *json)
{
	char name[160];
	snprintf(name, sizeof(name), "%s/%s", topic_names[topic], key);
	uint64_t now = hash(without_time(json)), *was = map_get(&ev.shown, slice_of(name));
	if (was && *was == now)
		return;
	if (!was) {
		was = NEW(uint64_t);
		map_put(&ev.shown, slice_of(name), was);
	}
	*was = now;
	add(topic, key, buf_view(json));
}

/* --- looking --- */

struct look {
	struct buf json;
	struct json_writer w;
};

static void look_open(struct look *l)
{
	buf_reset(&l->json);
	jw_open(&l->w, &l->json);
	jw_object(&l->w, NULL);
}

static void look_close(struct look *l, enum topic topic, const char *key)
{
	jw_end(&l->w, '}');
	tell_if_changed(topic, key, &l->json);
}

static void look_at_site(struct look *l)
{
	struct node_view node;
	for (size_t i = 0; i < control_nodes(ev.g->control); i++) {
		control_node_view(ev.g->control, (int)i, &node);
		look_open(l);
		view_node(ev.g, (int)i, &l->w);
		look_close(l, CIRCUIT, node.id);
	}
	if (control_nodes(ev.g->control)) {
		look_open(l);
		view_site(ev.g, &l->w);
		view_mqtt(ev.g, &l->w);
		look_close(l, SITE, ev.g->conf->site.id);
	}
	for (size_t i = 0; i < control_meters(ev.g->control); i++) {
		struct meter_view m;
		control_meter_view(ev.g->control, (int)i, 0, &m);
		look_open(l);
		view_meter(ev.g, (int)i, &l->w);
		look_close(l, METER, m.id);
	}
	for (size_t i = 0; i < ev.g->conf->n_uplinks; i++) {
		look_open(l);
		view_uplink(ev.g, i, &l->w);
		look_close(l, UPLINK, ev.g->conf->uplinks[i].id);
	}
}

static void look_at_station(struct look *l, struct session *s)
{
	char key[96];
	look_open(l);
	view_station(s, &l->w);
	look_close(l, STATION, s->id);
	for (int i = 1; i <= s->n_evses; i++) {
		look_open(l);
		jw_string(&l->w, "station", s->id);
		jw_int(&l->w, "evse", i);
		view_evse(s, i, &l->w);
		if (s->evses[i].control >= 0)
			view_chain(ev.g, s->evses[i].control, &l->w);
		snprintf(key, sizeof(key), "%s/%d", s->id, i);
		look_close(l, EVSE, key);
	}
}

static void forget(void)
{
	size_t at = 0;
	void *value;
	while ((value = map_next(&ev.shown, &at, NULL)))
		mem_free(value);
	map_free(&ev.shown);
}

static void on_look(void *arg)
{
	struct look l = { .json = { 0 } };
	struct session *s;
	size_t at = 0;
	(void)arg;
	if (!ev.n_clients && list_empty(&listeners) && clock_mono_us() - ev.left_us > STAY_US) {
		forget();
		ev.next += RING + 1; /* nobody can go on from before */
		return;
	}
	look_at_site(&l);
	while ((s = map_next(&ev.g->sessions, &at, NULL)))
		look_at_station(&l, s);
	buf_free(&l.json);
	feed_all();
	timer_set(&ev.look, LOOK_US, on_look, NULL);
}

static void on_comment(void *arg)
{
	(void)arg;
	LIST_WALK(&ev.clients, struct client, entry, c)
		http_push(c->x, SLICE(": still here\n\n"));
	timer_set(&ev.comment, COMMENT_US, on_comment, NULL);
}

static void on_trace(void *arg, const struct trace_rec *rec)
{
	struct buf line = { 0 };
	unsigned wanted = 0;
	(void)arg;
	LIST_WALK(&ev.clients, struct client, entry, c)
		wanted |= c->topics;
	if (!(wanted & 1U << TRACE))
		return;
	trace_write(rec, false, &line);
	add(TRACE, rec->station, buf_view(&line));
	buf_free(&line);
}

/* --- doors --- */

static unsigned topics_of(struct slice list, enum role role)
{
	unsigned topics = 0;
	struct slice word;
	while (http_list_next(&list, &word))
		for (unsigned i = 0; i < TOPICS; i++)
			topics |= slice_is(word, topic_names[i]) ? 1U << i : 0;
	if (!topics)
		topics = (1U << TRACE) - 1;
	return role < ROLE_INSTALLER ? topics & ~(1U << TRACE) : topics;
}

/* Behind which message a client that comes back goes on; without a usable id: with the next. */
static uint64_t place_of(struct slice id)
{
	size_t n = strlen(ev.g->boot_id);
	int64_t number;
	if (!id.p)
		return ev.next;
	if (id.n <= n + 1 || memcmp(id.p, ev.g->boot_id, n) != 0 || int_parse((struct slice){ id.p + n + 1, id.n - n - 1 }, &number) != 0 || number < 0)
		return UINT64_MAX; /* of another life: a reset follows */
	return (uint64_t)number + 1;
}

void sse_attach(struct http_exchange *x, struct slice topics, struct slice last_id, enum role role)
{
	struct client *c = NEW(struct client);
	struct buf hello = { 0 };
	if (!timer_is_set(&ev.look))
		timer_set(&ev.look, 0, on_look, NULL);
	c->x = x;
	c->topics = topics_of(topics, role);
	c->next = place_of(last_id);
	list_append(&ev.clients, &c->entry);
	ev.n_clients++;
	if (ev.n_clients > CLIENTS_MOST) {
		list_remove(&c->entry);
		ev.n_clients--;
		mem_free(c);
		http_answer(x, 503, "text/plain", "Retry-After: 30\r\n", SLICE("too many listeners\n"));
		return;
	}
	http_stream(x, "text/event-stream", on_gone, c);
	send_id(&hello, ev.next - 1);
	buf_puts(&hello, "retry: 2000\n");
	buf_puts(&hello, last_id.p && c->next > ev.next ? "event: reset\ndata: {\"v\":1}\n\n" : "event: hello\ndata: {\"v\":1}\n\n");
	if (c->next > ev.next)
		c->next = ev.next;
	http_push(x, buf_view(&hello));
	buf_free(&hello);
	feed_all();
}

void sse_publish(const char *topic, const char *key, struct slice json)
{
	if (!ev.g || (!ev.n_clients && !timer_is_set(&ev.look)))
		return;
	for (unsigned i = 0; i < TOPICS; i++)
		if (strcmp(topic, topic_names[i]) == 0)
			add((enum topic)i, key, json);
	feed_all();
}

unsigned sse_topic(struct slice word)
{
	for (unsigned i = 0; i < TRACE; i++)
		if (slice_is(word, topic_names[i]))
			return 1U << i;
	return 0;
}

void sse_listen(struct sse_listener *l)
{
	list_append(&listeners, &l->entry);
	forget(); /* so that all is told anew */
	if (ev.g && !timer_is_set(&ev.look))
		timer_set(&ev.look, 0, on_look, NULL);
}

void sse_unlisten(struct sse_listener *l)
{
	list_remove(&l->entry);
	ev.left_us = clock_mono_us();
}

unsigned sse_clients(void)
{
	return ev.n_clients;
}

void sse_open(struct gateway *g)
{
	ev.g = g;
	ev.next = 1;
	ev.left_us = clock_mono_us();
	list_init(&ev.clients);
	timer_set(&ev.comment, COMMENT_US, on_comment, NULL);
	ev.trace = (struct trace_listener){ .see = on_trace };
	trace_listen(&ev.trace);
	ev.tracing = true;
}

/* The clients' connections are closed by their server before. */
void sse_close(void)
{
	if (!ev.g)
		return;
	timer_cancel(&ev.look);
	timer_cancel(&ev.comment);
	if (ev.tracing)
		trace_unlisten(&ev.trace);
	forget();
	for (size_t i = 0; i < RING; i++)
		mem_free(ev.ring[i].text);
	memset(&ev, 0, sizeof(ev));
}
