/* Connecting to a CSMS.
 *
 *   NAME (gateway/net/lookup) -> TCP (one address after the other) -> TLS -> UPGRADE -> the link is up
 *
 * A `dialing` exists from dial() until the link is up or has failed; the link knows it only as something to cancel. The deadline is for the
 * whole; an address that does not answer gets its share of what is left, so that a dead IPv6 route does not hide a living IPv4 one. */
#include "gateway/net/dial.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/net/http1.h"
#include "gateway/net/lookup.h"

#define TIMEOUT_US (30 * US_PER_S)
#define READ_STEP 2048

enum stage { NAME, TCP, TLS, UPGRADE };
static const char *const stage_names[] = { "name resolution", "TCP connect", "TLS handshake", "WebSocket upgrade" };

struct dialing {
	struct link *link;               /* NULL: `reached` waits for the stream */
	reach_done *reached;
	void *reached_arg;
	char peer[64];
	enum stage stage;
	int64_t stage_since_us, deadline_us;
	struct later begin;
	struct timer deadline, patience; /* for all of it; for one address */
	struct lookup name;

	char *host, *port, *target, *subprotocol, *authorization, *interface;
	bool deflate, secure, ipv6_text;
	struct ssl_st *ssl;              /* until TLS begins */
	struct addrinfo *addresses, *next;
	int last_err;                    /* of the address tried last */

	struct stream stream;
	struct watch watch;
	char key[25];                    /* base64 of 16 random bytes */
	struct buf request, answer;
	size_t scanned;
};

/* ---- ends */

static void dialing_free(struct dialing *d)
{
	watch_want(&d->watch, 0);
	later_cancel(&d->begin);
	timer_cancel(&d->deadline);
	timer_cancel(&d->patience);
	lookup_cancel(&d->name);
	stream_close(&d->stream);
	if (d->ssl) { /* never reached TLS */
		struct stream unused = { .fd = -1, .ssl = d->ssl };
		stream_close(&unused);
	}
	if (d->addresses)
		freeaddrinfo(d->addresses);
	mem_free(d->host);
	mem_free(d->port);
	mem_free(d->target);
	mem_free(d->subprotocol);
	mem_free(d->authorization);
	mem_free(d->interface);
	buf_free(&d->request);
	buf_free(&d->answer);
	mem_free(d);
}

static void on_cancel(void *arg)
{
	dialing_free(arg);
}

static void fail(struct dialing *d, int err, int code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void note_time(struct dialing *d)
{
	if (!d->link)
		return;
	struct dial_times *t = ws_link_times(d->link);
	int64_t *const slots[] = { &t->dns_us, &t->tcp_us, &t->tls_us, &t->upgrade_us };
	*slots[d->stage] = clock_mono_us() - d->stage_since_us;
}

static void fail(struct dialing *d, int err, int code, const char *fmt, ...)
{
	struct buf reason = { 0 };
	struct link *l = d->link;
	reach_done *reached = d->reached;
	void *arg = d->reached_arg;
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&reason, fmt, ap);
	va_end(ap);
	note_time(d);
	dialing_free(d);
	struct link_end why = { .code = code, .err = err, .reason = reason.p };
	if (l)
		ws_link_failed(l, err, code, reason.p);
	else
		reached(arg, NULL, false, &why);
	buf_free(&reason);
}

static void enter(struct dialing *d, enum stage stage)
{
	if (stage != d->stage)
		note_time(d);
	d->stage = stage;
	d->stage_since_us = clock_mono_us();
}

static void on_deadline(void *arg)
{
	struct dialing *d = arg;
	fail(d, ERR_TIMEOUT, 0, "%s took too long", stage_names[d->stage]);
}

/* ---- upgrade */

bool dial_subprotocol_fits(const char *offered, struct slice chosen)
{
	struct slice rest = slice_of(offered), element;
	if (!chosen.p || !rest.p)
		return !chosen.p && !rest.p;
	while (http_list_next(&rest, &element))
		if (slice_eq(element, chosen))
			return true;
	return false;
}

static void on_status(struct dialing *d, const struct http_head *h)
{
	struct slice place = http_field(h, "Location");
	int err = h->status == 401 || h->status == 403 ? ERR_AUTH : h->status == 404 ? ERR_NOT_FOUND : ERR_REFUSED;
	if (h->status / 100 == 3 && place.p)
		fail(d, err, h->status, "the server answers HTTP %d and points to %.*s", h->status, SLICE_ARG(place));
	else
		fail(d, err, h->status, "the server answers HTTP %d %.*s", h->status, SLICE_ARG(h->reason));
}

/* What is wrong with a 101, or NULL. */
static const char *refused(const struct dialing *d, const struct http_head *h, struct deflate_terms *terms)
{
	char accept[WS_ACCEPT_TEXT];
	const char *why;
	ws_accept_text(slice_of(d->key), accept);
	if (!http_list_has(h, "Upgrade", "websocket"))
		return "the server switches to something that is not WebSocket";
	if (!slice_is(http_field(h, "Sec-WebSocket-Accept"), accept))
		return "the server's Sec-WebSocket-Accept is wrong";
	if (!dial_subprotocol_fits(d->subprotocol, http_field(h, "Sec-WebSocket-Protocol")))
		return http_field(h, "Sec-WebSocket-Protocol").p ? "the server chose a subprotocol that was not offered" : "the server chose no subprotocol";
	return deflate_agreed(h, d->deflate, terms, &why) == 0 ? NULL : why;
}

static void come_up(struct dialing *d, const struct http_head *h, const struct deflate_terms *terms, struct slice early)
{
	struct link *l = d->link;
	struct slice chosen = http_field(h, "Sec-WebSocket-Protocol");
	int version = chosen.p ? version_parse(chosen) : ERR_UNSUPPORTED;
	struct buf answer = d->answer;
	if (version >= 0)
		l->version = (enum ocpp_version)version;
	note_time(d);
	watch_want(&d->watch, 0);
	d->answer = (struct buf){ 0 };
	ws_link_agreed(l, terms);
	ws_link_open(l, &d->stream, (struct slice){ 0 });
	dialing_free(d);
	if (l->events->up)
		l->events->up(l->owner, l);
	ws_link_feed(l, early);
	buf_free(&answer);
}

static void on_head(struct dialing *d, size_t length)
{
	struct http_head h;
	struct deflate_terms terms;
	const char *why;
	if (http_read_response((struct slice){ d->answer.p, length }, &h, &why) != 0) {
		fail(d, ERR_PROTOCOL, 0, "the server's answer is not HTTP: %s", why);
	} else if (h.status != 101) {
		on_status(d, &h);
	} else if ((why = refused(d, &h, &terms))) {
		fail(d, ERR_PROTOCOL, 101, "%s", why);
	} else {
		come_up(d, &h, &terms, (struct slice){ d->answer.p + length, d->answer.n - length });
	}
}

static void read_answer(struct dialing *d)
{
	ssize_t n = stream_read(&d->stream, buf_room(&d->answer, READ_STEP), READ_STEP);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		fail(d, n ? (int)n : ERR_CLOSED, 0, "the server closed the connection instead of answering%s%s", n ? ": " : "", n ? err_text((int)n) : "");
		return;
	}
	d->answer.n += (size_t)n;
	int length = http_head_length(buf_view(&d->answer), HTTP_HEAD_MOST, &d->scanned);
	if (length > 0)
		on_head(d, (size_t)length);
	else if (length < 0)
		fail(d, ERR_PROTOCOL, 0, "the server's answer is not HTTP: %s", length == ERR_TOO_LARGE ? "head too long" : "line ends in a bare LF");
	else if (stream_has_more(&d->stream))
		read_answer(d);
}

static void write_request(struct dialing *d)
{
	ssize_t n = stream_write(&d->stream, d->request.p, d->request.n);
	if (n < 0 && n != -EAGAIN) {
		fail(d, (int)n, 0, "the request could not be sent: %s", err_text((int)n));
		return;
	}
	if (n > 0)
		buf_consume(&d->request, (size_t)n);
	watch_want(&d->watch, WATCH_READ | (d->request.n ? WATCH_WRITE : 0));
}

static void compose_request(struct dialing *d)
{
	unsigned char random[16];
	if (RAND_bytes(random, sizeof(random)) != 1)
		abort(); /* a machine without random numbers cannot do TLS either */
	base64_text(random, sizeof(random), d->key);
	bool usual = strcmp(d->port, d->secure ? "443" : "80") == 0;
	buf_printf(&d->request, "GET %s HTTP/1.1\r\nHost: %s%s%s%s%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", d->target,
		   d->ipv6_text ? "[" : "", d->host, d->ipv6_text ? "]" : "", usual ? "" : ":", usual ? "" : d->port);
	buf_printf(&d->request, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", d->key);
	if (d->subprotocol)
		buf_printf(&d->request, "Sec-WebSocket-Protocol: %s\r\n", d->subprotocol);
	if (d->deflate)
		buf_printf(&d->request, "Sec-WebSocket-Extensions: %s\r\n", deflate_offer);
	if (d->authorization)
		buf_printf(&d->request, "Authorization: Basic %s\r\n", d->authorization);
	buf_puts(&d->request, "\r\n");
}

/* The stream is somebody else's from here. */
static void hand_over(struct dialing *d)
{
	const unsigned char *chosen = NULL;
	unsigned length = 0;
	struct stream s = d->stream;
	reach_done *reached = d->reached;
	void *arg = d->reached_arg;
	if (s.ssl)
		SSL_get0_alpn_selected(s.ssl, &chosen, &length);
	bool h2 = length == 2 && memcmp(chosen, "h2", 2) == 0;
	watch_want(&d->watch, 0);
	d->stream = (struct stream){ .fd = -1 };
	dialing_free(d);
	reached(arg, &s, h2, NULL);
	stream_close(&s);
}

static void begin_upgrade(struct dialing *d)
{
	if (!d->link) {
		hand_over(d);
		return;
	}
	enter(d, UPGRADE);
	compose_request(d);
	write_request(d);
}

/* ---- TLS */

static void handshake(struct dialing *d)
{
	const char *why;
	int err = stream_handshake(&d->stream, &why);
	if (err != -EAGAIN)
		tls_client_done(d->stream.ssl, !err);
	if (err == -EAGAIN)
		watch_want(&d->watch, d->stream.wants);
	else if (err)
		fail(d, err, 0, "TLS: %s", why);
	else
		begin_upgrade(d);
}

static void on_connected(struct dialing *d)
{
	timer_cancel(&d->patience);
	stream_open(&d->stream, d->stream.fd, d->ssl);
	d->ssl = NULL;
	stream_peer(&d->stream, d->link ? d->link->peer : d->peer);
	if (!d->secure) {
		begin_upgrade(d);
		return;
	}
	enter(d, TLS);
	handshake(d);
}

/* ---- TCP */

static void try_next(struct dialing *d);

static void address_failed(struct dialing *d, int err)
{
	watch_want(&d->watch, 0);
	timer_cancel(&d->patience);
	stream_close(&d->stream);
	d->last_err = err;
	try_next(d);
}

static void on_patience(void *arg)
{
	address_failed(arg, ERR_TIMEOUT);
}

static void on_tcp(struct dialing *d)
{
	int err = 0;
	socklen_t n = sizeof(err);
	if (getsockopt(d->watch.fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0)
		err = errno;
	if (err)
		address_failed(d, -err);
	else
		on_connected(d);
}

static void on_ready(void *arg, unsigned what)
{
	struct dialing *d = arg;
	if (d->stage == TCP)
		on_tcp(d);
	else if (d->stage == TLS)
		handshake(d);
	else if (what & WATCH_WRITE)
		write_request(d);
	else
		read_answer(d);
}

static int64_t share_of_time(const struct dialing *d)
{
	int64_t left = d->deadline_us - clock_mono_us(), addresses = 0;
	for (const struct addrinfo *a = d->next; a; a = a->ai_next)
		addresses++;
	return left / (addresses + 1);
}

static void try_next(struct dialing *d)
{
	const struct addrinfo *at = d->next;
	if (!at) {
		fail(d, d->last_err, 0, "TCP connect to %s port %s: %s", d->host, d->port, err_text(d->last_err));
		return;
	}
	d->next = at->ai_next;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	watch_init(&d->watch, fd, on_ready, d);
	d->stream.fd = fd;
	if (fd < 0) {
		address_failed(d, -errno);
		return;
	}
	if (d->interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, d->interface, (socklen_t)strlen(d->interface)) != 0 && errno == ENODEV) {
		address_failed(d, -ENODEV);
		return;
	}
	if (connect(fd, at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS) {
		address_failed(d, -errno);
		return;
	}
	watch_want(&d->watch, WATCH_WRITE);
	if (d->next)
		timer_set(&d->patience, share_of_time(d), on_patience, d);
}

/* ---- name */

static struct addrinfo *copy_addresses(const struct dialing *d, const struct addrinfo *found)
{
	struct addrinfo *first = NULL, **end = &first;
	char host[NI_MAXHOST];
	for (const struct addrinfo *a = found; a; a = a->ai_next) {
		if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0 ||
		    lookup_numeric(host, d->port, end) != 0)
			continue;
		while (*end)
			end = &(*end)->ai_next;
	}
	return first;
}

static void on_addresses(struct lookup *name, int err, const struct addrinfo *found)
{
	struct dialing *d = LIST_ITEM(name, struct dialing, name);
	if (!err)
		d->addresses = copy_addresses(d, found);
	if (!d->addresses) {
		fail(d, -EHOSTUNREACH, 0, "the name %s has no address: %s", d->host, err ? gai_strerror(err) : "none usable");
		return;
	}
	d->next = d->addresses;
	enter(d, TCP);
	try_next(d);
}

static void on_begin(void *arg)
{
	struct dialing *d = arg;
	d->stage_since_us = clock_mono_us();
	if (lookup_numeric(d->host, d->port, &d->addresses) != 0) {
		d->addresses = NULL;
		d->name.done = on_addresses;
		lookup_start(&d->name, d->host, d->port);
		return;
	}
	d->next = d->addresses;
	enter(d, TCP);
	try_next(d);
}

/* ---- what is asked */

/* Cuts "scheme://host:port/path" up. NULL, or what is wrong with it. */
static const char *read_url(struct dialing *d, const char *url)
{
	const char *p = strstr(url, "://");
	struct slice scheme = { url, p ? (size_t)(p - url) : 0 };
	d->secure = slice_eq_nocase(scheme, SLICE("wss")) || slice_eq_nocase(scheme, SLICE("https"));
	if (!d->secure && !slice_eq_nocase(scheme, SLICE("ws")) && !slice_eq_nocase(scheme, SLICE("http")))
		return "the URL is neither ws:// nor wss://";
	p += 3;
	struct slice host = { p, strcspn(p, "/?#") }, port = SLICE("80");
	const char *path = p + host.n;
	if (d->secure)
		port = SLICE("443");
	if (memchr(host.p, '@', host.n))
		return "the URL holds credentials; they have a setting of their own";
	d->ipv6_text = host.n && host.p[0] == '[';
	const char *end = d->ipv6_text ? memchr(host.p, ']', host.n) : NULL;
	if (d->ipv6_text && !end)
		return "the URL's address lacks its bracket";
	const char *from = d->ipv6_text ? end + 1 : host.p, *colon = memchr(from, ':', host.n - (size_t)(from - host.p));
	if (colon) {
		port = (struct slice){ colon + 1, host.n - (size_t)(colon + 1 - host.p) };
		host.n = (size_t)(colon - host.p);
	}
	if (d->ipv6_text)
		host = (struct slice){ host.p + 1, (size_t)(end - host.p) - 1 };
	int64_t number;
	if (!host.n || int_parse(port, &number) != 0 || number < 1 || number > 65535)
		return "the URL's host or port is wrong";
	struct buf target = { 0 };
	buf_puts(&target, *path == '/' ? "" : "/");
	buf_add(&target, path, strcspn(path, "#"));
	d->host = mem_text(host);
	d->port = mem_text(port);
	d->target = target.p;
	return NULL;
}

/* Whether a text can stand in a request's head as it is. */
static bool fits_head(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text <= 32 || *text == 127)
			return false;
	return true;
}

char *dial_basic(const char *user, struct slice password)
{
	struct buf plain = { 0 };
	buf_puts(&plain, user ? user : "");
	buf_puts(&plain, ":");
	buf_slice(&plain, password);
	char *text = mem_new(4 * ((plain.n + 2) / 3) + 1);
	base64_text(plain.p, plain.n, text);
	buf_free(&plain);
	return text;
}

/* What both kinds of dialing begin with. NULL, or what is wrong with the configuration. */
static const char *prepare(struct dialing *d, const struct dial_config *c)
{
	static const unsigned char alpn[] = "\x02h2\x08http/1.1";
	const char *why = fits_head(c->url) ? read_url(d, c->url) : "the URL holds spaces or control characters";
	if (!why && d->secure && !c->tls)
		why = "wss needs TLS settings";
	if (why)
		return why;
	d->interface = mem_strdup(c->interface);
	if (d->secure)
		d->ssl = tls_client_new(c->tls, d->host, d->port);
	if (d->ssl && c->ask_h2)
		SSL_set_alpn_protos(d->ssl, alpn, sizeof(alpn) - 1);
	int64_t timeout = c->timeout_us ? c->timeout_us : TIMEOUT_US;
	d->deadline_us = clock_mono_us() + timeout;
	timer_set(&d->deadline, timeout, on_deadline, d);
	return NULL;
}

static struct dialing *dialing_new(void)
{
	struct dialing *d = NEW(struct dialing);
	d->stream.fd = d->watch.fd = -1;
	d->stage_since_us = clock_mono_us();
	return d;
}

struct link *dial(const struct dial_config *c, const struct link_events *events, void *owner)
{
	struct ws_options o = {
		.client = true, .message_most = c->message_most, .queue_most = c->queue_most,
		.ping_us = c->ping_us, .pong_timeout_us = c->pong_timeout_us, .binary = c->binary,
	};
	struct link *l = ws_link_new(&o, NULL, NULL);
	l->events = events;
	l->owner = owner;
	dial_link(l, c);
	return l;
}

void dial_link(struct link *l, const struct dial_config *c)
{
	struct dialing *d = dialing_new();
	d->link = l;
	ws_link_on_cancel(l, on_cancel, d);
	const char *why = prepare(d, c);
	if (why) {
		fail(d, ERR_INVALID, 0, "%s", why);
		return;
	}
	d->subprotocol = mem_strdup(c->subprotocol);
	d->deflate = c->deflate;
	if (c->password.p)
		d->authorization = dial_basic(c->user, c->password);
	later_call(&d->begin, on_begin, d);
}

static void on_bad_url(void *arg)
{
	fail(arg, ERR_INVALID, 0, "the URL cannot be used");
}

struct dialing *dial_reach(const struct dial_config *c, reach_done *done, void *arg)
{
	struct dialing *d = dialing_new();
	d->reached = done;
	d->reached_arg = arg;
	later_call(&d->begin, prepare(d, c) ? on_bad_url : on_begin, d);
	return d;
}

void dial_reach_cancel(struct dialing *d)
{
	dialing_free(d);
}

bool dial_target(const char *url, struct dial_target *out)
{
	struct dialing d = { 0 };
	bool ok = !read_url(&d, url);
	struct buf authority = { 0 };
	*out = (struct dial_target){ 0 };
	if (ok) {
		bool usual = strcmp(d.port, d.secure ? "443" : "80") == 0;
		buf_printf(&authority, "%s%s%s%s%s", d.ipv6_text ? "[" : "", d.host, d.ipv6_text ? "]" : "", usual ? "" : ":", usual ? "" : d.port);
		*out = (struct dial_target){ authority.p, mem_strdup(d.target) };
	}
	mem_free(d.host);
	mem_free(d.port);
	mem_free(d.target);
	return ok;
}

void dial_target_free(struct dial_target *t)
{
	mem_free(t->authority);
	mem_free(t->path);
	*t = (struct dial_target){ 0 };
}

const struct dial_times *dial_times(struct link *l)
{
	return ws_link_times(l);
}
