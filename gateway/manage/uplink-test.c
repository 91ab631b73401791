/* dial stamps each stage when it is through; the first one without a stamp is where it ended. A refused identity (401, 403, 404) is an answer of the
 * CSMS all the same: everything up to it works. */
#include "gateway/manage/uplink-test.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/net/dial.h"
#include "gateway/session/session.h"
#include "gateway/session/uplink-tls.h"

struct test {
	struct gateway *g;
	struct tls_client *tls;
	struct link *link;
	char *url, *identity;
	int endpoint;
	bool secure, named; /* named: the caller named the identity */
	void (*done)(void *arg, const char *json);
	void *arg;
};

static void write_stage(struct json_writer *w, const char *stage, bool ok, int64_t took_us, const char *detail)
{
	jw_object(w, NULL);
	jw_string(w, "stage", stage);
	jw_bool(w, "ok", ok);
	jw_number(w, "ms", (double)took_us / US_PER_MS, 1);
	jw_string(w, "detail", detail);
	jw_end(w, '}');
}

/* Stages that took some time were entered; after a failure the last of them is where it ended. */
static void write_stages(const struct test *t, const struct dial_times *at, const char *why, struct json_writer *w)
{
	const char *names[] = { "dns", "tcp", "tls", "upgrade" };
	int64_t took[] = { at->dns_us, at->tcp_us, at->tls_us, at->upgrade_us };
	int last = 0;
	for (int i = 0; i < 4; i++)
		last = took[i] > 0 ? i : last;
	jw_array(w, "stages");
	for (int i = 0; i <= last; i++)
		if (i != 2 || t->secure)
			write_stage(w, names[i], !why || i < last, took[i], why && i == last ? why : NULL);
	jw_end(w, ']');
}

static void finish(struct test *t, const struct link_end *why)
{
	struct buf json = { 0 };
	struct json_writer w;
	bool refused = why && (why->code == 401 || why->code == 403 || why->code == 404);
	const char *text = why ? why->reason ? why->reason : err_text(why->err) : NULL;
	bool answered = refused && !t->named;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_bool(&w, "ok", !why || answered);
	jw_int(&w, "endpoint", t->endpoint + 1);
	jw_string(&w, "identity", t->identity);
	write_stages(t, dial_times(t->link), answered ? NULL : text, &w);
	if (answered)
		jw_string(&w, "detail", "the CSMS answers, and does not know the identity of this test");
	else
		jw_string(&w, "detail", text);
	jw_end(&w, '}');
	t->done(t->arg, json.p);
	buf_free(&json);
	if (!why)
		link_close(t->link, 1000, "the test is over");
	link_release(t->link);
	tls_client_free(&t->tls);
	mem_free(t->url);
	mem_free(t->identity);
	mem_free(t);
}

static void on_up(void *owner, struct link *l)
{
	(void)l;
	finish(owner, NULL);
}

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)l;
	finish(owner, why);
}

static void on_text(void *owner, struct link *l, struct slice text)
{
	(void)owner, (void)l, (void)text;
}

static char *replace_id(const char *pattern, const char *value)
{
	struct buf out = { 0 };
	const char *at = strstr(pattern, "{id}");
	buf_add(&out, pattern, at ? (size_t)(at - pattern) : strlen(pattern));
	if (at)
		buf_printf(&out, "%s%s", value, at + 4);
	return out.p;
}

static const struct uplink_settings *find(const struct gateway *g, const char *id)
{
	for (size_t i = 0; i < g->conf->n_uplinks; i++)
		if (strcmp(g->conf->uplinks[i].id, id) == 0)
			return &g->conf->uplinks[i];
	return NULL;
}

int uplink_test(struct gateway *g, const char *uplink, int endpoint, const char *identity, void (*done)(void *arg, const char *json), void *arg)
{
	static const struct link_events events = { .up = on_up, .text = on_text, .down = on_down };
	const struct uplink_settings *u = find(g, uplink);
	if (!u || endpoint < 0 || endpoint >= (int)u->n_endpoints)
		return ERR_NOT_FOUND;
	struct session *s = identity ? session_find(g, identity) : NULL;
	struct test *t = NEW(struct test);
	char encoded[3 * 64 + 1], made[64];
	snprintf(made, sizeof(made), "test-%.40s", g->conf->site.id);
	*t = (struct test){ .g = g, .identity = mem_strdup(identity ? identity : made), .endpoint = endpoint, .named = identity != NULL, .done = done, .arg = arg };
	percent_encode((struct slice){ t->identity, strlen(t->identity) > 64 ? 64 : strlen(t->identity) }, encoded);
	t->url = replace_id(u->endpoints[endpoint].url, encoded);
	t->secure = strncmp(t->url, "wss:", 4) == 0;
	char why[TLS_WHY];
	int err = t->secure ? uplink_tls_fresh(u, g->state_dir, &t->tls, why) : 0;
	char *user = replace_id(u->user ? u->user : "{id}", t->identity);
	struct dial_config c = { .url = t->url, .subprotocol = "ocpp2.0.1,ocpp1.6", .user = user, .tls = t->tls, .timeout_us = 10 * US_PER_S };
	if (s && s->conf->uplink_password)
		c.password = slice_of(s->conf->uplink_password);
	if (!err)
		t->link = dial(&c, &events, t);
	mem_free(user);
	if (err) {
		mem_free(t->url);
		mem_free(t->identity);
		mem_free(t);
	}
	return err;
}
