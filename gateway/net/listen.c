/* Listening sockets for charging stations.
 *
 * A connection is an `incoming` until its head is judged: WAITING and HANDSHAKE (TLS only) -> HEAD -> (JUDGED: the judge takes his time) -> a link,
 * or ANSWERED: refused, and read on until the peer has closed, because closing with unread bytes makes a reset that overtakes the answer. One deadline covers handshake and
 * head, and bounds the peer that sends a byte now and then. Tolerated from the field: no "Connection: Upgrade", several slashes, a slash at the
 * end.
 *
 * Against crowds: when too many are under way, the one that has been at it for longest goes, of the newcomer's own source where that has more
 * than its share. A station needs milliseconds for its head, so it is never the oldest for long, while who only sits there is. Handshakes of one
 * source take turns (turnstile.h); who waits for his has no TLS state yet.
 *
 * Links outlive a closed listener, so it counts its links and goes with the last of them. */
#include "gateway/net/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
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
#include "gateway/net/link-ws.h"
#include "gateway/net/turnstile.h"

#define BACKLOG 1024
#define ACCEPTS_PER_TURN 64
#define PAUSE_US US_PER_S       /* when descriptors have run out */
#define LINGER_US (2 * US_PER_S)
#define JUDGED_US (30 * US_PER_S)
#define READ_STEP 2048
#define SHARE_OF_ONE 4          /* a source has more than its share of heads under way with more than one in so many */
#define HANDSHAKE_EVERY_US (20 * US_PER_MS) /* of one source, after a burst that lets the stations behind one router come back at once */
#define HANDSHAKE_BURST 300
#define VOICES 64

struct listener {
	struct listener_config c;
	struct watch watch;
	struct timer pause;
	struct list incoming;
	struct listener_stats stats;
	struct turnstile turns;
	struct log voices[VOICES];
	uint64_t last_ticket;
	bool closed;
};

enum stage { WAITING, HANDSHAKE, HEAD, JUDGED, ANSWERED };

/* What is read out of a head lives here while it is judged. */
struct asked {
	struct http_head head;
	struct ws_request rq;
	struct slice key;
	struct buf identity;
	char credentials[HTTP_HEAD_MOST];
	char cn[256], o[256];
};

struct incoming {
	struct list entry;
	struct listener *home;
	struct stream stream;
	struct watch watch;
	struct timer deadline, turn;
	enum stage stage;
	uint64_t source;
	struct buf head;
	size_t scanned, length;
	struct asked *asked;   /* NULL: the head is not complete */
	uint64_t ticket;
	struct log log;
	char peer[64];
};

static void free_if_unused(struct listener *l)
{
	if (l->closed && !l->stats.links)
		mem_free(l);
}

static void asked_free(struct asked *a)
{
	if (!a)
		return;
	buf_free(&a->identity);
	explicit_bzero(a->credentials, sizeof(a->credentials));
	mem_free(a);
}

static void drop(struct incoming *in)
{
	in->home->stats.heads--;
	watch_want(&in->watch, 0);
	timer_cancel(&in->deadline);
	timer_cancel(&in->turn);
	stream_close(&in->stream);
	asked_free(in->asked);
	buf_free(&in->head);
	list_remove(&in->entry);
	mem_free(in);
}

static void on_linger(void *arg)
{
	drop(arg);
}

/* The log holds back what one of its objects repeats. An incoming is a new one each time, so a flood would fill the disk: here the object is the
 * source together with the reason. */
static const struct log *voice(struct incoming *in, const char *reason)
{
	struct log *v = &in->home->voices[((in->source * 31) ^ ((uintptr_t)reason >> 3)) % VOICES];
	*v = in->log;
	return v;
}

static void refuse(struct incoming *in, int status, const char *extra, const char *reason)
{
	struct buf answer = { 0 };
	in->home->stats.refused++;
	log_info(voice(in, reason), "connection refused with HTTP %d: %s", status, reason);
	http_write_answer(&answer, status, extra, reason);
	ssize_t n = stream_write(&in->stream, answer.p, answer.n); /* one try: a fresh socket has room for so little */
	buf_free(&answer);
	if (n < 0) {
		drop(in);
		return;
	}
	in->stage = ANSWERED;
	watch_want(&in->watch, WATCH_READ);
	stream_finish(&in->stream);
	timer_set(&in->deadline, LINGER_US, on_linger, in);
}

static void fault(struct incoming *in, const char *reason)
{
	in->home->stats.refused++;
	log_info(voice(in, reason), "connection dropped: %s", reason);
	drop(in);
}

static void on_deadline(void *arg)
{
	struct incoming *in = arg;
	if (in->stage == HEAD)
		refuse(in, 408, "", "the request's head did not come in time");
	else if (in->stage == JUDGED)
		refuse(in, 503, "Retry-After: 30\r\n", "its password could not be checked in time");
	else
		fault(in, "the TLS handshake did not end in time");
}

/* ---- reading the request */

static struct slice without_query(struct slice target)
{
	const char *end = memchr(target.p, '?', target.n);
	return (struct slice){ target.p, end ? (size_t)(end - target.p) : target.n };
}

static struct slice last_segment(struct slice path)
{
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	size_t start = path.n;
	while (start && path.p[start - 1] != '/')
		start--;
	return (struct slice){ path.p + start, path.n - start };
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 32 || s.p[i] == 127)
			return true;
	return false;
}

static const char *read_identity(struct asked *a)
{
	a->rq.path = without_query(a->head.target);
	struct slice segment = last_segment(a->rq.path);
	if (!a->rq.path.n || a->rq.path.p[0] != '/')
		return "target is no path";
	int n = percent_decode(segment, buf_room(&a->identity, segment.n));
	a->rq.identity = (struct slice){ a->identity.p, n > 0 ? (size_t)n : 0 };
	if (n <= 0 || has_control(a->rq.identity) || !utf8_valid(a->rq.identity))
		return "the path names no identity";
	return NULL;
}

static const char *read_upgrade(struct asked *a)
{
	char bytes[16];
	a->key = http_field(&a->head, "Sec-WebSocket-Key");
	if (a->head.minor == 0)
		return "HTTP/1.0 has no upgrade";
	if (a->head.content_length > 0 || a->head.chunked)
		return "upgrade request with a body";
	if (base64_parse(a->key, bytes, sizeof(bytes)) != 16 || http_field_nth(&a->head, "Sec-WebSocket-Key", 1).p)
		return "Sec-WebSocket-Key is missing or wrong";
	return NULL;
}

/* Credentials that cannot be read count as none: whether any are needed is for the judge to say. */
static void read_credentials(struct asked *a)
{
	a->rq.has_credentials = http_basic(&a->head, a->credentials, sizeof(a->credentials), &a->rq.user, &a->rq.password) == 0;
}

/* Whether it is an upgrade request at all; answers where it is none. */
static bool is_upgrade(struct incoming *in, const struct http_head *h)
{
	static const char upgrade[] = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
	if (!slice_is(h->method, "GET"))
		refuse(in, 405, "Allow: GET\r\n", "only GET is understood");
	else if (!http_list_has(h, "Upgrade", "websocket"))
		refuse(in, 426, upgrade, "only WebSocket is spoken here");
	else if (!slice_is(http_field(h, "Sec-WebSocket-Version"), "13"))
		refuse(in, http_field(h, "Sec-WebSocket-Version").p ? 426 : 400, upgrade, "only WebSocket version 13 is spoken here");
	else
		return true;
	return false;
}

static bool read_request(struct incoming *in, struct slice head, struct asked *a)
{
	const char *why;
	if (http_read_request(head, &a->head, &why) != 0) {
		refuse(in, 400, "", why);
		return false;
	}
	if (!is_upgrade(in, &a->head))
		return false;
	why = read_upgrade(a);
	if (!why)
		why = read_identity(a);
	if (why) {
		refuse(in, 400, "", why);
		return false;
	}
	read_credentials(a);
	a->rq.subprotocols = http_field(&a->head, "Sec-WebSocket-Protocol");
	a->rq.host = http_field(&a->head, "Host");
	a->rq.tls = in->stream.ssl != NULL;
	a->rq.client_cn = stream_client(&in->stream, STREAM_CN, a->cn, sizeof(a->cn));
	a->rq.client_o = stream_client(&in->stream, STREAM_O, a->o, sizeof(a->o));
	a->rq.has_certificate = stream_has_client(&in->stream);
	a->rq.certificate = stream_certificate(&in->stream);
	memcpy(a->rq.peer, in->peer, sizeof(a->rq.peer));
	a->rq.source = in->source;
	a->rq.ticket = ++in->home->last_ticket;
	return true;
}

/* ---- from a request to a link */

/* The peer's own spelling of the version's name among its offers; absent: not offered. */
static struct slice offered_name(const struct http_head *h, int version)
{
	struct slice value, element, name = slice_of(version < 0 ? "" : version_subprotocol((enum ocpp_version)version));
	for (size_t i = 0; value = http_field_nth(h, "Sec-WebSocket-Protocol", i), value.p; i++)
		while (http_list_next(&value, &element))
			if (slice_eq_nocase(element, name))
				return element;
	return (struct slice){ 0 };
}

static void write_greeting(struct buf *out, const struct asked *a, struct slice subprotocol, struct slice extensions)
{
	char accept[WS_ACCEPT_TEXT];
	ws_accept_text(a->key, accept);
	buf_printf(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", accept);
	if (subprotocol.p)
		buf_printf(out, "Sec-WebSocket-Protocol: %.*s\r\n", SLICE_ARG(subprotocol));
	if (extensions.n)
		buf_printf(out, "Sec-WebSocket-Extensions: %.*s\r\n", SLICE_ARG(extensions));
	buf_puts(out, "\r\n");
}

static void on_link_freed(void *arg)
{
	struct listener *l = arg;
	l->stats.links--;
	free_if_unused(l);
}

static struct link *open_link(struct incoming *in, const struct asked *a, const struct ws_verdict *v)
{
	struct listener *home = in->home;
	struct buf greeting = { 0 }, extensions = { 0 };
	struct ws_options o = {
		.rsv1_unasked = home->c.rsv1_unasked, .message_most = home->c.message_most, .queue_most = home->c.queue_most,
		.ping_us = home->c.ping_us, .pong_timeout_us = home->c.pong_timeout_us, .idle_us = home->c.idle_us,
		.binary = home->c.binary, .freed = on_link_freed, .arg = home,
	};
	if (home->c.deflate)
		deflate_accept(&a->head, &o.deflate, &extensions);
	write_greeting(&greeting, a, offered_name(&a->head, v->version), buf_view(&extensions));
	struct link *l = ws_link_new(&o, NULL, NULL);
	if (v->version >= 0)
		l->version = (enum ocpp_version)v->version;
	watch_want(&in->watch, 0);
	ws_link_open(l, &in->stream, buf_view(&greeting));
	home->stats.links++;
	buf_free(&greeting);
	buf_free(&extensions);
	return l;
}

static void accept_link(struct incoming *in, const struct asked *a, const struct ws_verdict *v, struct slice early)
{
	struct listener *home = in->home;
	struct link *l = open_link(in, a, v);
	if (v->version < 0) {
		home->stats.refused++;
		log_info(&in->log, "connection closed with 1002: %s", v->reason ? v->reason : "no common subprotocol");
		link_close(l, 1002, "no common subprotocol");
		link_release(l);
	} else {
		home->stats.accepted++;
		home->c.accepted(home->c.arg, &a->rq, l);
		ws_link_feed(l, early);
	}
	drop(in);
}

/* The judge may want to be asked again: the request waits with what came behind its head. */
static void judge(struct incoming *in)
{
	struct ws_verdict v = { .status = 503, .version = -1 };
	struct asked *a = in->asked;
	in->home->c.judge(in->home->c.arg, &a->rq, &v);
	if (v.status == WS_JUDGED_LATER) {
		in->stage = JUDGED;
		watch_want(&in->watch, 0);
		if (!in->ticket) {
			in->ticket = a->rq.ticket;
			timer_set(&in->deadline, JUDGED_US, on_deadline, in);
		}
	} else if (v.status == 101) {
		accept_link(in, a, &v, (struct slice){ in->head.p + in->length, in->head.n - in->length });
	} else {
		refuse(in, v.status, v.status == 401 ? "WWW-Authenticate: Basic realm=\"ocpp\", charset=\"UTF-8\"\r\n" : "",
		       v.reason ? v.reason : http_status_text(v.status));
	}
}

static void on_head(struct incoming *in, size_t length)
{
	in->asked = NEW(struct asked);
	in->length = length;
	if (read_request(in, (struct slice){ in->head.p, length }, in->asked))
		judge(in);
}

void listener_again(struct listener *l, uint64_t ticket)
{
	LIST_WALK(&l->incoming, struct incoming, entry, in) {
		if (in->stage != JUDGED || in->ticket != ticket)
			continue;
		judge(in);
		return;
	}
}

/* ---- bytes */

static void read_head(struct incoming *in)
{
	ssize_t n = stream_read(&in->stream, buf_room(&in->head, READ_STEP), READ_STEP);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		if (in->head.n)
			fault(in, n ? err_text((int)n) : "closed in the middle of the request's head");
		else
			drop(in); /* a port check */
		return;
	}
	in->head.n += (size_t)n;
	int length = http_head_length(buf_view(&in->head), in->home->c.head_most, &in->scanned);
	if (length > 0)
		on_head(in, (size_t)length);
	else if (length == ERR_TOO_LARGE)
		refuse(in, 431, "", "the request's head is too long");
	else if (length < 0)
		refuse(in, 400, "", "not HTTP");
	else if (stream_has_more(&in->stream))
		read_head(in);
}

static void discard(struct incoming *in)
{
	char bytes[4096];
	ssize_t n = stream_read(&in->stream, bytes, sizeof(bytes));
	if (n != -EAGAIN && n <= 0)
		drop(in);
}

static void handshake(struct incoming *in)
{
	const char *why;
	int err = stream_handshake(&in->stream, &why);
	if (err == -EAGAIN) {
		watch_want(&in->watch, in->stream.wants);
	} else if (err) {
		fault(in, why);
	} else {
		in->stage = HEAD;
		watch_want(&in->watch, WATCH_READ);
		read_head(in);
	}
}

static void on_ready(void *arg, unsigned what)
{
	struct incoming *in = arg;
	(void)what;
	switch (in->stage) {
	case WAITING:
		break;
	case HANDSHAKE:
		handshake(in);
		break;
	case HEAD:
		read_head(in);
		break;
	case JUDGED:
		break;
	case ANSWERED:
		discard(in);
		break;
	}
}

/* ---- accepting */

static void on_turn(void *arg)
{
	struct incoming *in = arg;
	stream_open(&in->stream, in->stream.fd, tls_server_new(in->home->c.tls));
	in->stage = HANDSHAKE;
	watch_want(&in->watch, WATCH_READ);
}

static void begin(struct incoming *in)
{
	if (!in->home->c.tls) {
		in->stage = HEAD;
		watch_want(&in->watch, WATCH_READ);
		return;
	}
	int64_t wait = turnstile_wait(&in->home->turns, in->source, clock_mono_us());
	if (wait < 0)
		fault(in, "too many TLS handshakes from this address");
	else if (wait)
		timer_set(&in->turn, wait, on_turn, in);
	else
		on_turn(in);
}

/* The oldest under way, from that source or, with NULL, from any; NULL: there is none. *count_out: how many of them there are. */
static struct incoming *oldest(struct listener *l, const uint64_t *source, unsigned *count_out)
{
	struct incoming *found = NULL;
	*count_out = 0;
	LIST_WALK(&l->incoming, struct incoming, entry, in) {
		if (source && in->source != *source)
			continue;
		if (in->stage != JUDGED) /* these say enough, and who judges them bounds them */
			found = found ? found : in;
		++*count_out;
	}
	return found;
}

static void make_room(struct listener *l, uint64_t source)
{
	unsigned n;
	if (!l->c.heads_most || l->stats.heads < l->c.heads_most)
		return;
	struct incoming *in = oldest(l, &source, &n);
	if (n <= l->c.heads_most / SHARE_OF_ONE)
		in = oldest(l, NULL, &n);
	if (in)
		fault(in, "too many connections that say nothing");
}

static void take_connection(struct listener *l, int fd, const struct sockaddr_storage *from)
{
	uint64_t source = turnstile_source(from);
	make_room(l, source);
	struct incoming *in = NEW(struct incoming);
	in->home = l;
	in->source = source;
	in->log = (struct log){ .key = "peer", .value = in->peer };
	list_append(&l->incoming, &in->entry);
	l->stats.heads++;
	l->stats.connections++;
	stream_open(&in->stream, fd, NULL);
	stream_peer(&in->stream, in->peer);
	watch_init(&in->watch, fd, on_ready, in);
	timer_set(&in->deadline, HTTP_HEAD_TIMEOUT_US, on_deadline, in);
	if (!l->c.connections_most || l->stats.heads + l->stats.links <= l->c.connections_most)
		begin(in);
	else if (l->c.tls)
		fault(in, "too many connections");
	else {
		watch_want(&in->watch, WATCH_READ);
		refuse(in, 503, "Retry-After: 30\r\n", "too many connections");
	}
}

static void on_pause_over(void *arg)
{
	struct listener *l = arg;
	watch_want(&l->watch, WATCH_READ);
}

static void on_connection(void *arg, unsigned what)
{
	struct listener *l = arg;
	(void)what;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage from = { 0 };
		int fd = accept4(l->watch.fd, (struct sockaddr *)&from, &(socklen_t){ sizeof(from) }, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_connection(l, fd, &from);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_error(NULL, "accepting connections pauses: %s", err_text(-errno));
			watch_want(&l->watch, 0);
			timer_set(&l->pause, PAUSE_US, on_pause_over, l);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static int bind_to(const struct addrinfo *at)
{
	int on = 1, off = 0;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int err = -errno;
	close(fd);
	return err;
}

/* NULL means both families through one socket, or IPv4 alone where the kernel has no IPv6. */
static int bind_address(const char *address, int port)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found;
	char service[8];
	snprintf(service, sizeof(service), "%d", port);
	if (port < 0 || port > 65535 || getaddrinfo(address ? address : "::", service, &hints, &found) != 0)
		return ERR_INVALID;
	int fd = bind_to(found);
	freeaddrinfo(found);
	return fd == -EAFNOSUPPORT && !address ? bind_address("0.0.0.0", port) : fd;
}

int listener_open(const struct listener_config *c, struct listener **out)
{
	int fd = bind_address(c->address, c->port);
	if (fd < 0)
		return fd;
	struct listener *l = NEW(struct listener);
	l->c = *c;
	l->c.address = NULL;
	if (!l->c.head_most || l->c.head_most > HTTP_HEAD_MOST)
		l->c.head_most = HTTP_HEAD_MOST;
	list_init(&l->incoming);
	turnstile_init(&l->turns, HANDSHAKE_EVERY_US, HANDSHAKE_BURST, HTTP_HEAD_TIMEOUT_US / 2);
	watch_init(&l->watch, fd, on_connection, l);
	watch_want(&l->watch, WATCH_READ);
	*out = l;
	return 0;
}

void listener_use_tls(struct listener *l, struct tls_server *tls)
{
	l->c.tls = tls;
}

void listener_close(struct listener *l)
{
	if (!l)
		return;
	watch_want(&l->watch, 0);
	timer_cancel(&l->pause);
	close(l->watch.fd);
	LIST_WALK(&l->incoming, struct incoming, entry, in)
		drop(in);
	l->closed = true;
	free_if_unused(l);
}

int listener_port(const struct listener *l)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	char service[8];
	if (getsockname(l->watch.fd, (struct sockaddr *)&at, &n) != 0 ||
	    getnameinfo((struct sockaddr *)&at, n, NULL, 0, service, sizeof(service), NI_NUMERICSERV) != 0)
		return 0;
	return atoi(service);
}

const struct listener_stats *listener_stats(const struct listener *l)
{
	return &l->stats;
}
