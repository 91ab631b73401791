/* From a request to who asks for what.
 *
 * A browser on another site can make its user's browser send requests here, and a name server in somebody else's hands can make that site's name
 * ours. Against the second: the Host has to be one of the box's names or the very address that was connected to. Against the first: every change
 * needs a token that only our pages can read (X-Ampgate-Csrf), bodies are JSON, and no answer allows another origin. */
#include "gateway/http/console.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/http/http.h"
#include "gateway/http/idempotent.h"
#include "gateway/http/metrics.h"
#include "gateway/http/rest.h"
#include "gateway/http/sse.h"
#include "gateway/http/tls-own.h"
#include "gateway/http/users.h"
#include "gateway/manage/checks.h"
#include "gateway/manage/decided.h"
#include "gateway/manage/history.h"
#include "gateway/manage/task.h"
#include "web/files.h"

#define COOKIE_TLS "__Host-ampgate"
#define COOKIE_PLAIN "ampgate" /* on loopback without TLS, where browsers take no other */
#define PAGE_MOST (1024 * 1024)

static struct {
	struct gateway *g;
	struct http_server *console, *redirect, *metrics;
	struct tls_server *tls;
	struct tls_own own;
	char fingerprint[96];
	struct buf headers;      /* field lines of every answer */
	char host[256];
	struct who anybody;      /* where no login is asked for */
	struct later relisten;
} co;

static const char *plain_headers(void)
{
	return co.headers.p ? co.headers.p : "";
}

/* --- who asks, and under which name --- */

static struct slice host_only(struct slice host)
{
	if (host.n && host.p[0] == '[') {
		const char *end = memchr(host.p, ']', host.n);
		return end ? (struct slice){ host.p + 1, (size_t)(end - host.p - 1) } : host;
	}
	const char *colon = memchr(host.p, ':', host.n);
	return colon ? (struct slice){ host.p, (size_t)(colon - host.p) } : host;
}

static bool is_same_name(struct slice host, const char *name)
{
	return name && *name && slice_eq_nocase(host, slice_of(name));
}

/* "box", and "box.local" as multicast DNS has it. */
static bool is_own_name(struct slice host)
{
	size_t n = strlen(co.host);
	if (is_same_name(host, co.host) || is_same_name(host, "localhost"))
		return true;
	return n && host.n == n + 6 && slice_eq_nocase((struct slice){ host.p, n }, slice_of(co.host)) && slice_eq_nocase((struct slice){ host.p + n, 6 }, SLICE(".local"));
}

static bool host_is_ours(const struct http_request *rq)
{
	const char *const *names = co.g->conf->console.names;
	struct slice host = http_field(&rq->head, "Host");
	if (!host.n)
		return rq->head.minor == 0;
	host = host_only(host);
	if (is_same_name(host, rq->own) || is_own_name(host))
		return true;
	for (; names && *names; names++)
		if (is_same_name(host, *names))
			return true;
	return false;
}

static struct slice cookie_of(const struct http_request *rq)
{
	return http_cookie(rq, rq->tls ? COOKIE_TLS : COOKIE_PLAIN);
}

static struct slice bearer_of(const struct http_request *rq)
{
	struct slice value = http_field(&rq->head, "Authorization");
	if (value.n < 8 || !slice_eq_nocase((struct slice){ value.p, 7 }, SLICE("Bearer ")))
		return (struct slice){ 0 };
	return (struct slice){ value.p + 7, value.n - 7 };
}

static const struct who *who_asks(const struct http_request *rq)
{
	struct slice token = bearer_of(rq);
	if (token.p)
		return users_bearer(token);
	if (co.g->conf->console.login == LOGIN_NONE)
		return &co.anybody;
	return users_session(cookie_of(rq));
}

static bool is_read(const struct http_request *rq)
{
	return slice_is(rq->head.method, "GET") || slice_is(rq->head.method, "HEAD");
}

static bool csrf_fits(const struct http_request *rq, const struct who *who)
{
	struct slice shown = http_field(&rq->head, "X-Ampgate-Csrf");
	size_t n = strlen(who->csrf);
	return is_read(rq) || !n || (shown.n == n && CRYPTO_memcmp(shown.p, who->csrf, n) == 0);
}

/* --- sessions --- */

static void write_session(const struct who *who, struct buf *out)
{
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_int(&w, "v", 1);
	jw_string(&w, "user", who ? who->user : NULL);
	jw_string(&w, "role", who ? role_text(who->role) : NULL);
	jw_string(&w, "csrf", who && who->csrf[0] ? who->csrf : NULL);
	jw_bool(&w, "login", co.g->conf->console.login == LOGIN_REQUIRED);
	jw_bool(&w, "setup", users_setup_code() != NULL);
	jw_string(&w, "site", who ? co.g->conf->site.name ? co.g->conf->site.name : co.g->conf->site.id : NULL);
	jw_string(&w, "language", co.g->conf->console.language ? "de" : "en");
	jw_string(&w, "timezone", co.g->conf->site.timezone);
	jw_string(&w, "version", PACKAGE_VERSION);
	jw_end(&w, '}');
}

static void answer_session(struct http_exchange *x, const struct who *who, const char *cookie, bool over)
{
	struct buf body = { 0 }, headers = { 0 };
	bool tls = http_request(x)->tls;
	buf_puts(&headers, plain_headers());
	if (cookie || over)
		buf_printf(&headers, "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Strict%s%s\r\n", tls ? COOKIE_TLS : COOKIE_PLAIN, cookie ? cookie : "",
			   tls ? "; Secure" : "", over ? "; Max-Age=0" : "");
	write_session(who, &body);
	http_answer(x, 200, "application/json", headers.p, buf_view(&body));
	buf_free(&body);
	buf_free(&headers);
}

static void on_login(void *arg, enum login_result r, int wait_s, const char *session, const struct who *who)
{
	struct http_exchange *x = arg;
	struct buf headers = { 0 };
	if (r == LOGIN_OK) {
		answer_session(x, who, session, false);
		return;
	}
	buf_puts(&headers, plain_headers());
	if (wait_s)
		buf_printf(&headers, "Retry-After: %d\r\n", wait_s);
	if (r == LOGIN_WAIT)
		rest_problem(x, 429, "wait", "too many failures, try again later", headers.p);
	else
		rest_problem(x, 401, "wrong", "user or password is wrong", headers.p);
	buf_free(&headers);
}

static void on_setup(void *arg, int err)
{
	struct http_exchange *x = arg;
	if (!err)
		answer_session(x, NULL, NULL, false);
	else if (err == ERR_AUTH)
		rest_problem(x, 403, "wrong", "this is not the setup code; `ampgate setup-code` on the box shows it", plain_headers());
	else if (err == ERR_EXISTS)
		rest_problem(x, 410, "gone", "there are users already", plain_headers());
	else if (err == ERR_FULL)
		rest_problem(x, 429, "wait", "too many failures, try again later", plain_headers());
	else
		rest_problem(x, 400, "invalid", "a password needs at least 10 characters", plain_headers());
}

static cJSON *body_of(const struct http_request *rq)
{
	struct slice type = http_field(&rq->head, "Content-Type");
	const char *semicolon = type.p ? memchr(type.p, ';', type.n) : NULL;
	if (semicolon)
		type.n = (size_t)(semicolon - type.p);
	return slice_eq_nocase(type, SLICE("application/json")) ? json_parse(rq->body) : NULL;
}

static void post_session(struct http_exchange *x)
{
	cJSON *tree = body_of(http_request(x));
	char *user = mem_text(json_text(tree, "user")), *password = mem_text(json_text(tree, "password"));
	if (!json_text(tree, "user").p || !json_text(tree, "password").p)
		rest_problem(x, 400, "invalid", "user and password are needed, as JSON", plain_headers());
	else
		users_login(user, password, http_request(x)->peer, on_login, x);
	OPENSSL_cleanse(password, strlen(password));
	mem_free(user);
	mem_free(password);
	cJSON_Delete(tree);
}

static void handle_session(struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	const struct who *who = who_asks(rq);
	if (is_read(rq)) {
		answer_session(x, who, NULL, false);
	} else if (slice_is(rq->head.method, "POST")) {
		post_session(x);
	} else if (!slice_is(rq->head.method, "DELETE")) {
		rest_problem(x, 405, "invalid", "not with this method", plain_headers());
	} else if (who && !csrf_fits(rq, who)) {
		rest_problem(x, 403, "forbidden", "X-Ampgate-Csrf is missing or wrong", plain_headers());
	} else {
		users_logout(cookie_of(rq));
		answer_session(x, NULL, NULL, true);
	}
}

static void handle_setup(struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	cJSON *tree = body_of(rq);
	char *code = mem_text(json_text(tree, "code")), *admin = mem_text(json_text(tree, "admin"));
	char *installer = json_text(tree, "installer").n ? mem_text(json_text(tree, "installer")) : NULL;
	if (!slice_is(rq->head.method, "POST"))
		rest_problem(x, 405, "invalid", "not with this method", plain_headers());
	else if (!users_setup_code())
		on_setup(x, ERR_EXISTS);
	else if (!json_text(tree, "code").p || !json_text(tree, "admin").p)
		rest_problem(x, 400, "invalid", "code and admin (a password) are needed, as JSON", plain_headers());
	else
		users_setup(code, rq->peer, admin, installer, on_setup, x);
	mem_free(code);
	mem_free(admin);
	mem_free(installer);
	cJSON_Delete(tree);
}

/* --- root resources --- */

struct ready {
	struct buf text;
	bool failing;
};

static void see_check(void *arg, const char *name, enum check_state state, const char *detail)
{
	struct ready *r = arg;
	r->failing |= state == CHECK_CRITICAL;
	if (state)
		buf_printf(&r->text, "%s %s: %s\n", check_state_text(state), name, detail);
}

static void handle_ready(struct http_exchange *x)
{
	struct ready r = { .text = { 0 } };
	checks_run(co.g, see_check, &r);
	if (!r.text.n)
		buf_puts(&r.text, "ready\n");
	http_answer(x, r.failing ? 503 : 200, "text/plain; charset=utf-8", plain_headers(), buf_view(&r.text));
	buf_free(&r.text);
}

static void handle_metrics(struct http_exchange *x)
{
	struct buf text = { 0 };
	bool open = http_list_has(&http_request(x)->head, "Accept", "application/openmetrics-text") ||
		    memmem(http_field(&http_request(x)->head, "Accept").p ? http_field(&http_request(x)->head, "Accept").p : "",
		           http_field(&http_request(x)->head, "Accept").n, "openmetrics-text", 16);
	metrics_write(co.g, open, &text);
	http_answer(x, 200, open ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8", plain_headers(),
		    buf_view(&text));
	buf_free(&text);
}

struct status_page {
	struct http_exchange *x;
	bool html;
};

/* The verb's document, for people without JavaScript and for pasting. */
static void on_status(void *arg, enum command_error err, const char *json)
{
	struct status_page *p = arg;
	struct buf text = { 0 };
	struct ready r = { .text = { 0 } };
	checks_run(co.g, see_check, &r);
	cJSON *tree = err ? NULL : json_parse(slice_of(json));
	char *pretty = tree ? cJSON_Print(tree) : mem_strdup("{}");
	if (p->html)
		buf_puts(&text, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
		                "<title>ampgate status</title><h1>Status</h1><pre>");
	buf_puts(&text, r.text.n ? r.text.p : "all checks pass\n");
	for (const char *c = pretty; *c; c++) {
		if (p->html && (*c == '<' || *c == '&'))
			buf_puts(&text, *c == '<' ? "&lt;" : "&amp;");
		else
			buf_add(&text, c, 1);
	}
	buf_puts(&text, p->html ? "</pre></html>\n" : "\n");
	http_answer(p->x, 200, p->html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8", plain_headers(), buf_view(&text));
	mem_free(pretty);
	cJSON_Delete(tree);
	buf_free(&text);
	buf_free(&r.text);
	mem_free(p);
}

static void handle_status(struct http_exchange *x, bool html)
{
	struct status_page *p = NEW(struct status_page);
	*p = (struct status_page){ x, html };
	command_run(co.g, "status", (struct slice){ 0 }, ROLE_VIEWER, "status", on_status, p);
}

/* --- pages --- */

static void unpack(const struct web_file *f, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)f->gzip, .avail_in = (unsigned)f->n };
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return;
	z.next_out = (unsigned char *)buf_room(out, PAGE_MOST);
	z.avail_out = PAGE_MOST;
	if (inflate(&z, Z_FINISH) == Z_STREAM_END)
		out->n = z.total_out;
	inflateEnd(&z);
}

static void answer_file(struct http_exchange *x, const struct web_file *f)
{
	const struct http_request *rq = http_request(x);
	struct buf headers = { 0 }, plain = { 0 };
	bool packed = http_list_has(&rq->head, "Accept-Encoding", "gzip") || http_list_has(&rq->head, "Accept-Encoding", "gzip;q=1.0");
	buf_printf(&headers, "%sETag: %s\r\nVary: Accept-Encoding\r\n%s", plain_headers(), f->etag, packed ? "Content-Encoding: gzip\r\n" : "");
	if (slice_is(http_field(&rq->head, "If-None-Match"), f->etag)) {
		http_answer(x, 304, f->type, headers.p, SLICE(""));
	} else if (packed) {
		http_answer(x, 200, f->type, headers.p, (struct slice){ (const char *)f->gzip, f->n });
	} else {
		unpack(f, &plain);
		http_answer(x, 200, f->type, headers.p, buf_view(&plain));
	}
	buf_free(&plain);
	buf_free(&headers);
}

static void handle_page(struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	struct slice path = slice_is(rq->path, "/") ? SLICE("/index.html") : rq->path;
	if (!is_read(rq)) {
		rest_problem(x, 405, "invalid", "not with this method", plain_headers());
		return;
	}
	for (const struct web_file *f = web_files; f->path; f++) {
		if (slice_is(path, f->path)) {
			answer_file(x, f);
			return;
		}
	}
	rest_problem(x, 404, "not_found", "there is no such page", plain_headers());
}

/* --- dispatch --- */

static void handle_api(struct http_exchange *x, struct slice path)
{
	const struct http_request *rq = http_request(x);
	const struct who *who = who_asks(rq);
	struct buf text = { 0 };
	char topics[200];
	if (slice_is(path, "/session")) {
		handle_session(x);
	} else if (slice_is(path, "/setup")) {
		handle_setup(x);
	} else if (!who) {
		rest_problem(x, 401, "login", "log in first, or show a token", plain_headers());
	} else if (!csrf_fits(rq, who)) {
		rest_problem(x, 403, "forbidden", "X-Ampgate-Csrf is missing or wrong", plain_headers());
	} else if (rq->body.n && !is_read(rq) && !http_field(&rq->head, "Content-Type").p) {
		rest_problem(x, 400, "invalid", "a body needs its Content-Type, application/json", plain_headers());
	} else if (slice_is(path, "/events") && is_read(rq)) {
		sse_attach(x, http_query(rq, "topics", topics, sizeof(topics)), http_field(&rq->head, "Last-Event-ID"), who->role);
	} else if ((slice_is(path, "/openapi.json") || slice_is(path, "/metrics.json")) && is_read(rq)) {
		if (slice_is(path, "/openapi.json"))
			rest_write_openapi(&text);
		else
			metrics_write_json(co.g, &text);
		http_answer(x, 200, "application/json", plain_headers(), buf_view(&text));
		buf_free(&text);
	} else {
		rest_handle(co.g, x, path, who, plain_headers());
	}
}

static bool may_look(const struct http_request *rq)
{
	return rq->loopback || who_asks(rq) != NULL;
}

static void handle(void *arg, struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	struct slice path = rq->path;
	(void)arg;
	if (slice_is(path, "/healthz"))
		http_answer(x, 200, "text/plain; charset=utf-8", plain_headers(), SLICE("ok\n"));
	else if (slice_is(path, "/readyz"))
		handle_ready(x);
	else if (!host_is_ours(rq))
		rest_problem(x, 421, "host", "the box is not known under this name; see console.names", plain_headers());
	else if (path.n > 7 && memcmp(path.p, "/api/v1", 7) == 0 && path.p[7] == '/')
		handle_api(x, (struct slice){ path.p + 7, path.n - 7 });
	else if ((slice_is(path, "/metrics") || slice_is(path, "/status") || slice_is(path, "/status.txt")) && !may_look(rq))
		rest_problem(x, 401, "login", "log in first, or show a token", plain_headers());
	else if (slice_is(path, "/metrics"))
		handle_metrics(x);
	else if (slice_is(path, "/status") || slice_is(path, "/status.txt"))
		handle_status(x, path.n == 7);
	else
		handle_page(x);
}

static void handle_metrics_alone(void *arg, struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	struct slice token = bearer_of(rq);
	(void)arg;
	if (slice_is(rq->path, "/healthz"))
		http_answer(x, 200, "text/plain; charset=utf-8", plain_headers(), SLICE("ok\n"));
	else if (!slice_is(rq->path, "/metrics") || !is_read(rq))
		rest_problem(x, 404, "not_found", "here are /metrics and /healthz only", plain_headers());
	else if (co.g->conf->metrics->auth == METRICS_TOKEN && !(token.p && users_bearer(token)))
		rest_problem(x, 401, "login", "show a token", plain_headers());
	else
		handle_metrics(x);
}

static void handle_redirect(void *arg, struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	struct slice host = host_only(http_field(&rq->head, "Host"));
	struct buf headers = { 0 };
	(void)arg;
	if (!host_is_ours(rq) || !host.n) {
		rest_problem(x, 421, "host", "the box is not known under this name", plain_headers());
		return;
	}
	bool v6 = memchr(host.p, ':', host.n) != NULL;
	buf_printf(&headers, "%sLocation: https://%s%.*s%s:%d/\r\n", plain_headers(), v6 ? "[" : "", SLICE_ARG(host), v6 ? "]" : "", http_port(co.console));
	http_answer(x, 301, "text/plain", headers.p, SLICE(""));
	buf_free(&headers);
}

/* --- life --- */

static void write_headers(void)
{
	const char *const *framers = co.g->conf->console.frame_ancestors;
	buf_puts(&co.headers, "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors");
	for (; framers && *framers; framers++)
		buf_printf(&co.headers, " %s", *framers);
	if (!co.g->conf->console.frame_ancestors || !*co.g->conf->console.frame_ancestors)
		buf_puts(&co.headers, " 'none'");
	buf_puts(&co.headers, "\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"
	                      "Cross-Origin-Opener-Policy: same-origin\r\nCache-Control: no-cache\r\n");
}

static int open_tls(const struct tls_settings *t)
{
	char why[TLS_WHY];
	struct tls_server_config c = { .cert = t->cert, .key = t->key };
	int64_t ends_us;
	int err = 0;
	if (t->mode == TLS_SELF_SIGNED) {
		err = tls_own_open(co.g->state_dir, co.g->conf->console.names, &co.own);
		c.cert = co.own.cert.p;
		c.key = co.own.key.p;
	}
	if (err)
		return err;
	err = tls_server_open(&c, &co.tls, why);
	if (err)
		log_error(NULL, "TLS of the console cannot be set up: %s", why);
	else if (tls_cert_look(c.cert, co.fingerprint, &ends_us) != 0)
		co.fingerprint[0] = 0;
	return err;
}

static bool listen_on(const char *what, const char *address, int port, struct tls_server *tls, void (*handler)(void *, struct http_exchange *),
                      struct http_server **out)
{
	struct http_server_config c = { .address = address, .port = port, .tls = tls, .handle = handler };
	int err = http_open(&c, out);
	if (err)
		log_error(NULL, "%s cannot listen on %s port %d: %s", what, address, port, err_text(err));
	return !err;
}

static void open_console(const struct console_listener_settings *l)
{
	if (l->tls && open_tls(l->tls) != 0)
		return;
	if (!listen_on("the console", l->address, l->port, co.tls, handle, &co.console))
		return;
	log_info(NULL, "the console is at http%s://%s:%d%s%s", l->tls ? "s" : "", l->address, http_port(co.console), co.fingerprint[0] ? ", certificate " : "",
		 co.fingerprint);
	if (users_setup_code())
		log_warn(NULL, "nobody can log in at the console yet: `ampgate setup-code` shows the code that the setup page asks for");
	if (l->redirect_from)
		listen_on("the console's redirection", l->address, l->redirect_from, NULL, handle_redirect, &co.redirect);
}

static struct who make_anybody(void)
{
	struct who w = { .user = "local", .role = ROLE_ADMIN };
	char text[UUID_TEXT];
	snprintf(w.csrf, sizeof(w.csrf), "%s", uuid_text(text));
	return w;
}

static void open_listeners(void)
{
	const struct settings *c = co.g->conf;
	if (c->console_listener)
		open_console(c->console_listener);
	if (c->metrics && listen_on("the metrics", c->metrics->address, c->metrics->port, NULL, handle_metrics_alone, &co.metrics))
		log_info(NULL, "metrics are at http://%s:%d/metrics", c->metrics->address, http_port(co.metrics));
}

static void close_listeners(void)
{
	http_close(co.console);
	http_close(co.redirect);
	http_close(co.metrics);
	co.console = co.redirect = co.metrics = NULL;
	tls_server_free(&co.tls);
	tls_own_free(&co.own);
	co.fingerprint[0] = 0;
}

int console_open(struct gateway *g)
{
	co.g = g;
	gethostname(co.host, sizeof(co.host) - 1);
	write_headers();
	sse_open(g);
	metrics_open(g);
	history_open(g);
	decided_open(g);
	int err = users_open(g);
	if (err)
		return err;
	co.anybody = make_anybody();
	open_listeners();
	return 0;
}

static void on_relisten(void *arg)
{
	(void)arg;
	close_listeners();
	open_listeners();
}

int console_reload(struct gateway *g, bool listen)
{
	co.g = g;
	buf_reset(&co.headers);
	write_headers();
	int err = users_reload(g);
	if (listen)
		later_call(&co.relisten, on_relisten, NULL);
	return err;
}

void console_close(void)
{
	later_cancel(&co.relisten);
	close_listeners();
	tasks_close();
	idempotent_close();
	users_close();
	metrics_close();
	decided_close();
	history_close();
	sse_close();
	buf_free(&co.headers);
	memset(&co, 0, sizeof(co));
}
