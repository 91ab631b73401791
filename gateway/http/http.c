/* Connections of an HTTP server.
 *
 *   HANDSHAKE (TLS only) -> HEAD -> BODY -> ANSWERING -> HEAD ...        STREAMING: an answer without an end
 *                             \---------> CLOSING: answered, read on until the peer has closed
 *
 * A connection is its own exchange, since it has one request at a time: bytes that come early wait in `in`. Easy to get wrong: the peer may be
 * gone while somebody still works on its answer, so the memory stays until that answer came; and closing with unread bytes makes a reset that
 * overtakes the answer. */
#include "gateway/http/http.h"

#include <arpa/inet.h>
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
#include "gateway/net/stream.h"

#define BACKLOG 128
#define IDLE_US (60 * US_PER_S)
#define BODY_US (30 * US_PER_S)
#define UNREAD_US (60 * US_PER_S) /* a client that takes nothing of its answer for so long is gone */
#define LINGER_US (2 * US_PER_S)
#define READ_STEP 4096

struct http_server {
	struct http_server_config c;
	struct watch watch;
	struct list connections;
	unsigned n_connections;
};

enum stage { HANDSHAKE, HEAD, BODY, ANSWERING, STREAMING, CLOSING };

struct http_exchange {
	struct list entry;
	struct http_server *home; /* NULL: the server was closed */
	struct stream stream;
	struct watch watch;
	struct timer deadline;
	struct later removal;
	enum stage stage;
	struct buf in, out, head, body; /* head and body: the request's, kept while it is answered */
	size_t scanned;
	struct http_request rq;
	bool keep, is_head, owed, gone;
	void (*on_gone)(void *arg);
	void *arg;
};

static void read_on(struct http_exchange *x);
static void on_deadline(void *arg);

/* --- ends --- */

static void remove_now(void *arg)
{
	struct http_exchange *x = arg;
	if (x->owed)
		return;
	buf_free(&x->in);
	buf_free(&x->out);
	buf_free(&x->head);
	buf_free(&x->body);
	mem_free(x);
}

static void drop(struct http_exchange *x)
{
	if (x->gone)
		return;
	x->gone = true;
	watch_want(&x->watch, 0);
	timer_cancel(&x->deadline);
	stream_close(&x->stream);
	list_remove(&x->entry);
	if (x->home)
		x->home->n_connections--;
	later_call(&x->removal, remove_now, x);
	if (x->stage == STREAMING) {
		x->owed = false;
		x->on_gone(x->arg);
	}
}

static void want(struct http_exchange *x)
{
	bool reading = x->stage == HEAD || x->stage == BODY || x->stage == STREAMING || x->stage == CLOSING;
	watch_want(&x->watch, (reading ? WATCH_READ : 0) | (x->out.n ? WATCH_WRITE : 0));
}

static void answered(struct http_exchange *x)
{
	if (x->stage != ANSWERING || x->owed || x->out.n)
		return;
	buf_free(&x->head);
	buf_free(&x->body);
	if (x->keep) {
		x->stage = HEAD;
		x->scanned = 0;
		timer_set(&x->deadline, IDLE_US, on_deadline, x);
	} else {
		x->stage = CLOSING;
		stream_finish(&x->stream);
		timer_set(&x->deadline, LINGER_US, on_deadline, x);
	}
}

static void flush(struct http_exchange *x)
{
	while (x->out.n) {
		ssize_t n = stream_write(&x->stream, x->out.p, x->out.n);
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			drop(x);
			return;
		}
		buf_consume(&x->out, (size_t)n);
		if (x->stage == ANSWERING || x->stage == STREAMING)
			timer_set(&x->deadline, UNREAD_US, on_deadline, x);
	}
	if (!x->out.n && x->stage == STREAMING)
		timer_cancel(&x->deadline);
	if (!x->out.n)
		buf_free(&x->out);
	answered(x);
	want(x);
}

/* --- answers --- */

static void write_head(struct http_exchange *x, int status, const char *type, const char *extra)
{
	buf_printf(&x->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s%s", status, http_status_text(status), type, extra,
		   x->keep ? "" : "Connection: close\r\n");
}

void http_answer(struct http_exchange *x, int status, const char *type, const char *extra, struct slice body)
{
	x->owed = false;
	if (x->gone) {
		later_call(&x->removal, remove_now, x);
		return;
	}
	write_head(x, status, type, extra);
	if (status == 304)
		buf_puts(&x->out, "\r\n"); /* has no body, and does not say how long it would be */
	else
		buf_printf(&x->out, "Content-Length: %zu\r\n\r\n", body.n);
	if (!x->is_head && status != 304)
		buf_slice(&x->out, body);
	timer_set(&x->deadline, UNREAD_US, on_deadline, x);
	flush(x);
	if (!x->gone && x->stage == HEAD && x->in.n)
		read_on(x);
}

/* Not a request that anybody could be asked about. */
static void refuse(struct http_exchange *x, int status, const char *reason)
{
	struct buf body = { 0 };
	x->keep = false;
	x->stage = ANSWERING;
	x->owed = true;
	buf_printf(&body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"code\":\"http\",\"detail\":\"%s\"}\n", http_status_text(status), status, reason);
	http_answer(x, status, "application/problem+json", "", buf_view(&body));
	buf_free(&body);
}

void http_stream(struct http_exchange *x, const char *type, void (*gone)(void *arg), void *arg)
{
	if (x->gone) {
		x->owed = false;
		later_call(&x->removal, remove_now, x);
		gone(arg);
		return;
	}
	x->keep = false;
	x->stage = STREAMING;
	x->on_gone = gone;
	x->arg = arg;
	write_head(x, 200, type, "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n");
	buf_puts(&x->out, "\r\n");
	timer_set(&x->deadline, UNREAD_US, on_deadline, x);
	flush(x);
}

void http_push(struct http_exchange *x, struct slice bytes)
{
	if (x->gone)
		return;
	if (!x->out.n)
		timer_set(&x->deadline, UNREAD_US, on_deadline, x);
	buf_slice(&x->out, bytes);
	flush(x);
}

size_t http_unsent(const struct http_exchange *x)
{
	return x->out.n;
}

void http_end(struct http_exchange *x)
{
	if (x->gone)
		return;
	x->stage = ANSWERING;
	x->owed = false;
	flush(x);
}

const struct http_request *http_request(const struct http_exchange *x)
{
	return &x->rq;
}

/* --- requests --- */

static bool is_loopback(const char *peer)
{
	return strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0;
}

static void hand_over(struct http_exchange *x, struct slice body)
{
	x->rq.body = body;
	x->stage = ANSWERING;
	x->owed = true;
	timer_cancel(&x->deadline);
	want(x);
	x->home->c.handle(x->home->c.arg, x);
}

static void read_body(struct http_exchange *x)
{
	size_t n = x->rq.head.content_length > 0 ? (size_t)x->rq.head.content_length : 0;
	if (x->in.n < n)
		return;
	buf_add(&x->body, x->in.p, n);
	buf_consume(&x->in, n);
	hand_over(x, buf_view(&x->body));
}

static void split_target(struct http_request *rq)
{
	struct slice t = rq->head.target;
	const char *mark = memchr(t.p, '?', t.n);
	rq->path = (struct slice){ t.p, mark ? (size_t)(mark - t.p) : t.n };
	rq->query = mark ? (struct slice){ mark + 1, t.n - rq->path.n - 1 } : (struct slice){ 0 };
}

static void on_head(struct http_exchange *x, size_t length)
{
	const char *why = NULL;
	buf_add(&x->head, x->in.p, length);
	buf_consume(&x->in, length);
	x->scanned = 0;
	if (http_read_request(buf_view(&x->head), &x->rq.head, &why) != 0) {
		refuse(x, 400, why);
		return;
	}
	x->keep = x->rq.head.minor == 1 && !http_list_has(&x->rq.head, "Connection", "close");
	x->is_head = slice_is(x->rq.head.method, "HEAD");
	split_target(&x->rq);
	if (x->rq.path.n == 0 || x->rq.path.p[0] != '/')
		refuse(x, 400, "the target is no path");
	else if (x->rq.head.chunked)
		refuse(x, 411, "a body needs its Content-Length");
	else if (x->rq.head.content_length > HTTP_BODY_MOST)
		refuse(x, 413, "the body is too long");
	else {
		x->stage = BODY;
		timer_set(&x->deadline, BODY_US, on_deadline, x);
		read_body(x);
	}
}

static void look_at_head(struct http_exchange *x)
{
	int length = http_head_length(buf_view(&x->in), HTTP_HEAD_MOST, &x->scanned);
	if (length > 0)
		on_head(x, (size_t)length);
	else if (length == ERR_TOO_LARGE)
		refuse(x, 431, "the request's head is too long");
	else if (length < 0)
		refuse(x, 400, "a line does not end in CR LF");
}

static void read_on(struct http_exchange *x)
{
	if (x->stage == HEAD && x->in.n) {
		look_at_head(x);
	} else if (x->stage == BODY) {
		read_body(x);
	} else if (x->stage == STREAMING || x->stage == CLOSING) {
		buf_free(&x->in);
	}
}

static void read_some(struct http_exchange *x)
{
	bool first = x->stage == HEAD && !x->in.n;
	ssize_t n = stream_read(&x->stream, buf_room(&x->in, READ_STEP), READ_STEP);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		drop(x);
		return;
	}
	if (first)
		timer_set(&x->deadline, HTTP_HEAD_TIMEOUT_US, on_deadline, x);
	x->in.n += (size_t)n;
	read_on(x);
	if (!x->gone && stream_has_more(&x->stream) && (x->stage == HEAD || x->stage == BODY))
		read_some(x);
}

static void on_deadline(void *arg)
{
	struct http_exchange *x = arg;
	if (x->stage == BODY || (x->stage == HEAD && x->in.n))
		refuse(x, 408, "the request did not come in time");
	else
		drop(x);
}

static void handshake(struct http_exchange *x)
{
	const char *why;
	int err = stream_handshake(&x->stream, &why);
	if (err == -EAGAIN) {
		watch_want(&x->watch, x->stream.wants);
	} else if (err) {
		drop(x);
	} else {
		x->stage = HEAD;
		want(x);
		read_some(x);
	}
}

static void on_ready(void *arg, unsigned what)
{
	struct http_exchange *x = arg;
	if (x->stage == HANDSHAKE) {
		handshake(x);
		return;
	}
	if (what & WATCH_WRITE)
		flush(x);
	if (!x->gone && (what & WATCH_READ) && x->stage != ANSWERING)
		read_some(x);
}

/* --- the socket --- */

static void own_address(int fd, char out[64])
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	char host[INET6_ADDRSTRLEN];
	out[0] = 0;
	if (getsockname(fd, (struct sockaddr *)&at, &n) == 0 && getnameinfo((struct sockaddr *)&at, n, host, sizeof(host), NULL, 0, NI_NUMERICHOST) == 0)
		snprintf(out, 64, "%s", strncmp(host, "::ffff:", 7) == 0 ? host + 7 : host);
}

/* Who has asked for nothing yet makes room, the oldest first: sockets that only sit there must not keep the installer out. */
static void make_room(struct http_server *s)
{
	if (s->n_connections < HTTP_CONNECTIONS_MOST)
		return;
	LIST_WALK(&s->connections, struct http_exchange, entry, x)
		if (x->stage == HANDSHAKE || x->stage == HEAD) {
			drop(x);
			return;
		}
}

static void take(struct http_server *s, int fd)
{
	make_room(s);
	struct http_exchange *x = NEW(struct http_exchange);
	x->home = s;
	x->keep = true;
	list_append(&s->connections, &x->entry);
	s->n_connections++;
	stream_open(&x->stream, fd, s->c.tls ? tls_server_new(s->c.tls) : NULL);
	stream_peer(&x->stream, x->rq.peer);
	own_address(fd, x->rq.own);
	x->rq.loopback = is_loopback(x->rq.peer);
	x->rq.tls = s->c.tls != NULL;
	watch_init(&x->watch, fd, on_ready, x);
	x->stage = s->c.tls ? HANDSHAKE : HEAD;
	watch_want(&x->watch, WATCH_READ);
	timer_set(&x->deadline, HTTP_HEAD_TIMEOUT_US, on_deadline, x);
	if (s->n_connections > HTTP_CONNECTIONS_MOST && s->c.tls)
		drop(x);
	else if (s->n_connections > HTTP_CONNECTIONS_MOST)
		refuse(x, 503, "too many connections");
}

static void on_connection(void *arg, unsigned what)
{
	struct http_server *s = arg;
	(void)what;
	int fd = accept4(s->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		take(s, fd);
}

static int bind_address(const char *address, int port)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found;
	char service[8];
	int on = 1, err = 0;
	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(address, service, &hints, &found) != 0)
		return ERR_INVALID;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err = -errno;
	else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
			err = -errno;
	}
	freeaddrinfo(found);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

int http_open(const struct http_server_config *c, struct http_server **out)
{
	int fd = bind_address(c->address, c->port);
	if (fd < 0)
		return fd;
	struct http_server *s = NEW(struct http_server);
	s->c = *c;
	s->c.address = NULL;
	list_init(&s->connections);
	watch_init(&s->watch, fd, on_connection, s);
	watch_want(&s->watch, WATCH_READ);
	*out = s;
	return 0;
}

void http_close(struct http_server *s)
{
	if (!s)
		return;
	watch_want(&s->watch, 0);
	close(s->watch.fd);
	LIST_WALK(&s->connections, struct http_exchange, entry, x) {
		drop(x);
		x->home = NULL;
	}
	mem_free(s);
}

int http_port(const struct http_server *s)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	char service[8];
	if (getsockname(s->watch.fd, (struct sockaddr *)&at, &n) != 0 ||
	    getnameinfo((struct sockaddr *)&at, n, NULL, 0, service, sizeof(service), NI_NUMERICSERV) != 0)
		return 0;
	return atoi(service);
}

/* --- parts of requests --- */

/* As forms send it: '+' is a space. */
static struct slice decoded(struct slice s, char *room, size_t n)
{
	char plain[HTTP_HEAD_MOST];
	if (s.n >= n || s.n >= sizeof(plain))
		return (struct slice){ 0 };
	for (size_t i = 0; i < s.n; i++)
		plain[i] = s.p[i] == '+' ? ' ' : s.p[i];
	int length = percent_decode((struct slice){ plain, s.n }, room);
	return length < 0 ? (struct slice){ 0 } : (struct slice){ room, (size_t)length };
}

struct slice http_query(const struct http_request *rq, const char *name, char *room, size_t n)
{
	struct slice rest = rq->query;
	while (rest.n) {
		const char *amp = memchr(rest.p, '&', rest.n);
		struct slice pair = { rest.p, amp ? (size_t)(amp - rest.p) : rest.n };
		const char *equals = memchr(pair.p, '=', pair.n);
		struct slice key = { pair.p, equals ? (size_t)(equals - pair.p) : pair.n };
		if (slice_is(key, name))
			return decoded(equals ? (struct slice){ equals + 1, pair.n - key.n - 1 } : (struct slice){ pair.p, 0 }, room, n);
		rest = amp ? (struct slice){ amp + 1, rest.n - pair.n - 1 } : (struct slice){ 0 };
	}
	return (struct slice){ 0 };
}

struct slice http_cookie(const struct http_request *rq, const char *name)
{
	struct slice all = http_field(&rq->head, "Cookie");
	size_t n = strlen(name);
	for (size_t at = 0; at < all.n;) {
		const char *semicolon = memchr(all.p + at, ';', all.n - at);
		struct slice one = { all.p + at, semicolon ? (size_t)(semicolon - all.p) - at : all.n - at };
		at += one.n + 1;
		while (one.n && one.p[0] == ' ')
			one.p++, one.n--;
		if (one.n > n && one.p[n] == '=' && memcmp(one.p, name, n) == 0)
			return (struct slice){ one.p + n + 1, one.n - n - 1 };
	}
	return (struct slice){ 0 };
}
