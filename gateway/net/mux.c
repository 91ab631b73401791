/* WebSockets as streams of one HTTP/2 connection (RFC 9113, RFC 8441).
 *
 *   shared:  IDLE -> REACHING (name, TCP, TLS) -> GREETING (the peer's SETTINGS) -> READY -> GONE, with all its strands
 *                                    | no h2            | no extended CONNECT
 *                                    +--> separate <----+    lanes get sockets of their own; tried again after a while
 *   strand:  WAITING for its connection -> ASKED (CONNECT sent) -> OPEN, under its link -> closed by either side
 *
 * A strand is what link-ws sees as its stream. What the peer sends is kept until the link reads it, and only then is its window opened again,
 * so a link that does not read holds up nobody else. What the link writes is kept to a bound and cut into frames by nghttp2, which takes
 * turns between strands: a long message of one lane leaves room for a short one of another after each frame. For that to be worth something
 * the kernel must not hold much that is not sent yet (TCP_NOTSENT_LOWAT).
 *
 * Easy to get wrong: nghttp2 may not be freed, nor owners be called, from inside its callbacks: they note what happened, and a later turn
 * tells. A peer has a bound on streams; who does not find room gets another connection. */
#include "gateway/net/mux.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/net/deflate.h"
#include "gateway/net/http1.h"

#define OUT_MOST (32 * 1024)         /* of a strand, not yet cut into frames */
#define WINDOW (256 * 1024)          /* of a strand, towards us */
#define WINDOW_ALL (4 * 1024 * 1024) /* of the connection */
#define UNSENT_MOST (16 * 1024)      /* in the kernel, and of frames gathered for one write */
#define READ_STEP (16 * 1024)
#define IDLE_US (5 * US_PER_S)       /* a connection without strands is closed after this */
#define SEPARATE_US (600 * US_PER_S) /* after which a peer that offered nothing is asked again */
#define LINK_PINGS 10                /* a lane pings so many times less than its connection does */

enum shared_state { REACHING, GREETING, READY, GONE };

struct shared {
	struct list in_mux;
	struct mux *mux;
	enum shared_state state;
	struct dialing *dialing;
	struct stream stream;
	struct watch watch;
	nghttp2_session *session;
	struct buf out;
	size_t out_done;
	bool blocked, draining;
	struct list strands;
	unsigned count;              /* strands with a stream */
	char peer[64];
	char *interface;             /* it leaves by; NULL: as routed */
	int64_t heard_us, pinged_us;
	struct timer ping, idle;
	struct later flush, end, verdict;
	const char *why;             /* it ends */
	int err;
};

struct mux {
	struct mux_config conf;
	char *url;
	struct list connections;
	int64_t separate_until_us;   /* monotonic; 0: shared as far as known */
	uint64_t handshakes;
};

struct strand {
	struct carried carried;      /* first: what link-ws holds */
	struct list in_shared;
	struct shared *shared;       /* NULL: its connection is gone */
	struct link *link;           /* until it is up */
	struct dial_target target;
	char *url, *subprotocol, *user, *authorization, *interface;
	struct slice password;
	struct dial_config conf;     /* with the texts above */
	int32_t id;                  /* -1: not asked yet */
	int status;                  /* of the answer; 0: none yet */
	char *chosen, *extensions, *reason;
	bool answered, ended, lost, finishing, deferred, released;
	struct buf in, out;
	size_t in_done, out_done;
	unsigned interest;
	struct timer deadline;
	struct later turn;
};

static void flush(void *arg);
static void strand_turn(void *arg);
static struct shared *shared_new(struct mux *m, const char *interface);

/* ---- strands ---- */

static struct strand *strand_of(struct carried *c)
{
	return (struct strand *)(void *)c;
}

static void strand_free(void *arg)
{
	struct strand *s = arg;
	timer_cancel(&s->deadline);
	later_cancel(&s->turn);
	list_remove(&s->in_shared);
	dial_target_free(&s->target);
	mem_free(s->url);
	mem_free(s->subprotocol);
	mem_free(s->user);
	mem_free(s->authorization);
	mem_free(s->interface);
	mem_free((char *)s->password.p);
	mem_free(s->chosen);
	mem_free(s->extensions);
	mem_free(s->reason);
	buf_free(&s->in);
	buf_free(&s->out);
	mem_free(s);
}

/* Whoever had it has it no more; the peer is told if its stream still stands. */
static void strand_drop(struct strand *s)
{
	struct shared *h = s->shared;
	if (h && h->session && s->id >= 0) {
		nghttp2_session_set_stream_user_data(h->session, s->id, NULL);
		nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
		later_call(&h->flush, flush, h);
	}
	s->released = true;
	s->shared = NULL;
	list_remove(&s->in_shared);
	later_cancel(&s->turn);
	later_call(&s->turn, strand_free, s);
}

static size_t unread(const struct strand *s)
{
	return s->in.n - s->in_done;
}

static size_t unsent(const struct strand *s)
{
	return s->out.n - s->out_done;
}

static void wake(struct strand *s)
{
	if (!s->released)
		later_call(&s->turn, strand_turn, s);
}

static ssize_t on_read(struct carried *c, void *to, size_t n)
{
	struct strand *s = strand_of(c);
	if (!unread(s))
		return s->lost ? -ECONNRESET : s->ended ? 0 : -EAGAIN;
	if (n > unread(s))
		n = unread(s);
	memcpy(to, s->in.p + s->in_done, n);
	s->in_done += n;
	if (!unread(s)) {
		buf_free(&s->in);
		s->in_done = 0;
	}
	if (s->shared && s->shared->session) {
		nghttp2_session_consume(s->shared->session, s->id, n);
		later_call(&s->shared->flush, flush, s->shared);
	}
	return (ssize_t)n;
}

/* nghttp2 asks again for what was not there when it asked. */
static void resume(struct strand *s)
{
	if (!s->deferred || !s->shared)
		return;
	s->deferred = false;
	nghttp2_session_resume_data(s->shared->session, s->id);
	later_call(&s->shared->flush, flush, s->shared);
}

static ssize_t on_write(struct carried *c, const void *bytes, size_t n)
{
	struct strand *s = strand_of(c);
	size_t room = OUT_MOST - unsent(s);
	if (!s->shared || s->lost || s->finishing)
		return -EPIPE;
	if (!room)
		return -EAGAIN;
	if (n > room)
		n = room;
	if (s->out_done) {
		buf_consume(&s->out, s->out_done);
		s->out_done = 0;
	}
	buf_add(&s->out, bytes, n);
	resume(s);
	return (ssize_t)n;
}

static void on_want(struct carried *c, unsigned interest)
{
	struct strand *s = strand_of(c);
	s->interest = interest;
	if (interest)
		wake(s);
}

static void on_finish(struct carried *c)
{
	struct strand *s = strand_of(c);
	s->finishing = true;
	resume(s);
}

static void on_close(struct carried *c)
{
	strand_drop(strand_of(c));
}

/* The connect of its link has failed. */
static void strand_fail(struct strand *s, int err, int code, const char *reason)
{
	struct link *l = s->link;
	s->link = NULL;
	strand_drop(s);
	ws_link_failed(l, err, code, reason);
}

static void on_cancel(void *arg)
{
	struct strand *s = arg;
	s->link = NULL;
	strand_drop(s);
}

static void on_deadline(void *arg)
{
	strand_fail(arg, ERR_TIMEOUT, 0, "WebSocket upgrade in a shared connection took too long");
}

static void refuse(struct strand *s)
{
	char reason[80];
	int err = s->status == 401 || s->status == 403 ? ERR_AUTH : s->status == 404 ? ERR_NOT_FOUND : ERR_REFUSED;
	snprintf(reason, sizeof(reason), "the server answers HTTP %d", s->status);
	strand_fail(s, err, s->status, reason);
}

/* What dial reads from a head of HTTP/1.1. */
static int agreed(const struct strand *s, struct deflate_terms *terms, const char **why)
{
	struct http_head head = { 0 };
	if (s->extensions) {
		head.fields[0].name = SLICE("Sec-WebSocket-Extensions");
		head.fields[0].value = slice_of(s->extensions);
		head.n_fields = 1;
	}
	return deflate_agreed(&head, s->conf.deflate, terms, why);
}

static void come_up(struct strand *s)
{
	struct deflate_terms terms;
	const char *why = "the server chose a subprotocol that was not offered, or none";
	struct link *l = s->link;
	struct stream stream = { .carried = &s->carried, .fd = -1 };
	if (!dial_subprotocol_fits(s->subprotocol, slice_of(s->chosen)) || agreed(s, &terms, &why) != 0) {
		strand_fail(s, ERR_PROTOCOL, s->status, why);
		return;
	}
	int version = s->chosen ? version_parse(slice_of(s->chosen)) : ERR_UNSUPPORTED;
	if (version >= 0)
		l->version = (enum ocpp_version)version;
	s->link = NULL;
	s->carried.peer = s->shared ? s->shared->peer : "";
	timer_cancel(&s->deadline);
	ws_link_agreed(l, &terms);
	ws_link_open(l, &stream, (struct slice){ 0 });
	if (l->events->up)
		l->events->up(l->owner, l);
}

/* Tells the owner what there is to tell. It may close the strand, which is then freed on a later turn. */
static void strand_turn(void *arg)
{
	struct strand *s = arg;
	unsigned what = 0;
	if (s->link && s->lost) {
		strand_fail(s, ERR_CLOSED, 0, s->reason ? s->reason : "the stream was closed instead of answered");
	} else if (s->link && s->answered) {
		if (s->status / 100 == 2)
			come_up(s);
		else
			refuse(s);
	}
	if (s->link || s->released || !s->carried.ready)
		return;
	if (unread(s) || s->ended || s->lost)
		what |= WATCH_READ;
	if (unsent(s) < OUT_MOST || s->lost)
		what |= WATCH_WRITE;
	what &= s->interest;
	if (what)
		s->carried.ready(s->carried.arg, what);
	if (!s->released && unread(s) && (s->interest & WATCH_READ))
		wake(s);
}

/* ---- what nghttp2 tells ---- */

static struct strand *strand_at(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n, const uint8_t *value, size_t value_n,
                     uint8_t flags, void *arg)
{
	struct strand *s = strand_at(session, frame->hd.stream_id);
	struct slice key = { (const char *)name, name_n }, text = { (const char *)value, value_n };
	int64_t status;
	(void)flags, (void)arg;
	if (!s)
		return 0;
	if (slice_is(key, ":status") && int_parse(text, &status) == 0) {
		s->status = (int)status;
	} else if (slice_is(key, "sec-websocket-protocol")) {
		mem_free(s->chosen);
		s->chosen = mem_text(text);
	} else if (slice_is(key, "sec-websocket-extensions")) {
		mem_free(s->extensions);
		s->extensions = mem_text(text);
	}
	return 0;
}

static void on_settings(struct shared *h);

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct shared *h = arg;
	struct strand *s = strand_at(session, frame->hd.stream_id);
	if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK) && h->state == GREETING)
		on_settings(h);
	if (frame->hd.type == NGHTTP2_GOAWAY)
		h->draining = true;
	if (!s)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && s->status >= 200)
		s->answered = true;
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		s->ended = true;
	wake(s);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
	struct strand *s = strand_at(session, id);
	(void)flags, (void)arg;
	if (s) {
		buf_add(&s->in, bytes, n);
		wake(s);
	} else {
		nghttp2_session_consume(session, id, n);
	}
	return 0;
}

static void count_down(struct shared *h);

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct strand *s = strand_at(session, id);
	count_down(arg);
	if (!s)
		return 0;
	if (code != NGHTTP2_NO_ERROR && s->link) {
		char why[80];
		snprintf(why, sizeof(why), "the server resets the stream: %s", nghttp2_http2_strerror(code));
		mem_free(s->reason);
		s->reason = mem_strdup(why);
	}
	s->lost = s->lost || code != NGHTTP2_NO_ERROR || s->link;
	s->ended = true;
	s->id = -1;
	wake(s);
	return 0;
}

static ssize_t on_need(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct strand *s = strand_at(session, id);
	(void)source, (void)arg;
	if (!s || (!unsent(s) && s->finishing)) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		return 0;
	}
	if (!unsent(s)) {
		s->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (n > unsent(s))
		n = unsent(s);
	memcpy(to, s->out.p + s->out_done, n);
	s->out_done += n;
	if (!unsent(s)) {
		buf_free(&s->out);
		s->out_done = 0;
	}
	if (s->interest & WATCH_WRITE)
		wake(s);
	return (ssize_t)n;
}

/* ---- asking for a WebSocket ---- */

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
		NGHTTP2_NV_FLAG_NO_COPY_NAME };
}

static void ask(struct strand *s)
{
	struct shared *h = s->shared;
	struct buf basic = { 0 };
	nghttp2_data_provider provider = { .read_callback = on_need };
	nghttp2_nv fields[10] = { field(":method", "CONNECT"), field(":protocol", "websocket"), field(":scheme", "https"), field(":path", s->target.path),
		field(":authority", s->target.authority), field("sec-websocket-version", "13") };
	size_t n = 6;
	if (s->subprotocol)
		fields[n++] = field("sec-websocket-protocol", s->subprotocol);
	if (s->conf.deflate)
		fields[n++] = field("sec-websocket-extensions", deflate_offer);
	if (s->authorization) {
		buf_printf(&basic, "Basic %s", s->authorization);
		fields[n] = field("authorization", basic.p);
		fields[n++].flags |= NGHTTP2_NV_FLAG_NO_INDEX; /* a secret stays out of tables */
	}
	s->id = nghttp2_submit_request(h->session, NULL, fields, n, &provider, s);
	buf_free(&basic);
	if (s->id < 0) {
		s->lost = true;
		wake(s);
		return;
	}
	h->count++;
	later_call(&h->flush, flush, h);
}

static bool has_room(const struct shared *h)
{
	return h->count < nghttp2_session_get_remote_settings(h->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) &&
		nghttp2_session_check_request_allowed(h->session);
}

static void move(struct strand *s, struct shared *to)
{
	list_remove(&s->in_shared);
	list_append(&to->strands, &s->in_shared);
	s->shared = to;
}

/* Those that wait, as many as the peer has room for; the others go to another connection. */
static void ask_all(struct shared *h)
{
	struct shared *more = NULL;
	LIST_WALK(&h->strands, struct strand, in_shared, s) {
		if (s->id >= 0 || s->lost)
			continue;
		if (has_room(h)) {
			ask(s);
			continue;
		}
		if (!more)
			more = shared_new(h->mux, h->interface);
		move(s, more);
	}
}

/* ---- the connection ---- */

static void shared_end(void *arg)
{
	struct shared *h = arg;
	if (h->dialing)
		dial_reach_cancel(h->dialing);
	timer_cancel(&h->ping);
	timer_cancel(&h->idle);
	later_cancel(&h->flush);
	watch_want(&h->watch, 0);
	stream_close(&h->stream);
	if (h->session)
		nghttp2_session_del(h->session);
	buf_free(&h->out);
	list_remove(&h->in_mux);
	mem_free(h->interface);
	mem_free(h);
}

/* It is over; its strands are told on their own turns. */
static void shared_lost(struct shared *h, int err, const char *why)
{
	if (h->state == GONE)
		return;
	h->state = GONE;
	h->err = err;
	LIST_WALK(&h->strands, struct strand, in_shared, s) {
		list_remove(&s->in_shared);
		s->shared = NULL;
		s->id = -1;
		s->lost = true;
		mem_free(s->reason);
		s->reason = mem_strdup(why);
		wake(s);
	}
	timer_cancel(&h->ping);
	watch_want(&h->watch, 0);
	later_cancel(&h->flush);
	later_cancel(&h->verdict);
	list_remove(&h->in_mux);
	later_call(&h->end, shared_end, h);
}

static void on_idle(void *arg)
{
	struct shared *h = arg;
	if (!list_empty(&h->strands))
		return;
	nghttp2_session_terminate_session(h->session, NGHTTP2_NO_ERROR);
	flush(h);
	if (h->state != GONE)
		shared_lost(h, ERR_CLOSED, "nobody needs it");
}

static void count_down(struct shared *h)
{
	if (h->count && !--h->count)
		timer_set(&h->idle, IDLE_US, on_idle, h);
}

static void gather(struct shared *h)
{
	const uint8_t *bytes;
	while (h->out.n - h->out_done < UNSENT_MOST) {
		ssize_t n = nghttp2_session_mem_send(h->session, &bytes);
		if (n <= 0)
			break;
		buf_add(&h->out, bytes, (size_t)n);
	}
}

static void want(struct shared *h)
{
	watch_want(&h->watch, WATCH_READ | (h->blocked ? (h->stream.wants ? h->stream.wants : WATCH_WRITE) : 0));
}

static void flush(void *arg)
{
	struct shared *h = arg;
	if (!h->session || h->state == GONE)
		return;
	h->blocked = false;
	for (gather(h); h->out.n > h->out_done && !h->blocked; gather(h)) {
		ssize_t n = stream_write(&h->stream, h->out.p + h->out_done, h->out.n - h->out_done);
		if (n == -EAGAIN) {
			h->blocked = true;
		} else if (n < 0) {
			shared_lost(h, (int)n, err_text((int)n));
			return;
		} else {
			h->out_done += (size_t)n;
		}
		if (h->out_done == h->out.n) {
			buf_reset(&h->out);
			h->out_done = 0;
		}
	}
	if (h->out_done) {
		buf_consume(&h->out, h->out_done);
		h->out_done = 0;
	}
	want(h);
	if (!nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session))
		shared_lost(h, ERR_CLOSED, "the server ended the shared connection");
}

static void receive(struct shared *h)
{
	static uint8_t input[READ_STEP];
	do {
		ssize_t n = stream_read(&h->stream, input, sizeof(input));
		if (n == -EAGAIN)
			break;
		if (n <= 0) {
			shared_lost(h, n ? (int)n : ERR_CLOSED, n ? err_text((int)n) : "the shared connection was closed");
			return;
		}
		h->heard_us = clock_mono_us();
		ssize_t used = nghttp2_session_mem_recv(h->session, input, (size_t)n);
		if (used < 0) {
			shared_lost(h, ERR_PROTOCOL, nghttp2_strerror((int)used));
			return;
		}
	} while (h->state != GONE && stream_has_more(&h->stream));
}

static void on_ready(void *arg, unsigned what)
{
	struct shared *h = arg;
	(void)what;
	receive(h);
	flush(h);
}

/* Any byte is a sign of life; silence is asked about once, and the answer has as long to come. */
static void on_ping_due(void *arg)
{
	struct shared *h = arg;
	int64_t now = clock_mono_us(), quiet = now - h->heard_us;
	if (h->pinged_us && h->heard_us < h->pinged_us) {
		shared_lost(h, ERR_TIMEOUT, "no answer to a ping");
		return;
	}
	h->pinged_us = 0;
	if (quiet >= h->mux->conf.ping_us) {
		nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, NULL);
		h->pinged_us = now;
		later_call(&h->flush, flush, h);
	}
	timer_set(&h->ping, h->pinged_us ? h->mux->conf.ping_us : h->mux->conf.ping_us - quiet, on_ping_due, h);
}

/* ---- whether it is shared at all ---- */

static void found(struct mux *m, bool shared, const char *why)
{
	if (m->conf.found)
		m->conf.found(m->conf.arg, shared, why);
}

/* Each lane goes on by itself, with the link that its owner holds already. */
static void go_separate(struct shared *h, const char *why)
{
	struct mux *m = h->mux;
	m->separate_until_us = clock_mono_us() + SEPARATE_US;
	LIST_WALK(&h->strands, struct strand, in_shared, s) {
		struct link *l = s->link;
		s->link = NULL;
		ws_link_pings(l, s->conf.ping_us, s->conf.pong_timeout_us);
		dial_link(l, &s->conf);
		strand_drop(s);
	}
	shared_lost(h, ERR_UNSUPPORTED, why);
	found(m, false, why);
}

static void on_no_connect(void *arg)
{
	go_separate(arg, "the peer does not offer WebSockets over HTTP/2 (RFC 8441)");
}

static void on_settings(struct shared *h)
{
	if (!nghttp2_session_get_remote_settings(h->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL)) {
		later_call(&h->verdict, on_no_connect, h); /* not from inside nghttp2 */
		return;
	}
	h->state = READY;
	h->mux->handshakes++;
	h->mux->separate_until_us = 0;
	ask_all(h);
	found(h->mux, true, NULL);
}

static void greet(struct shared *h)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	const nghttp2_settings_entry settings[] = { { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 }, { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW } };
	if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
		abort(); /* out of memory, as in base/mem */
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_option_set_no_auto_window_update(option, 1);
	if (nghttp2_session_client_new2(&h->session, callbacks, h, option) != 0)
		abort();
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, 2);
	nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, WINDOW_ALL);
	h->state = GREETING;
	later_call(&h->flush, flush, h);
}

static void on_reached(void *arg, struct stream *s, bool h2, const struct link_end *why)
{
	struct shared *h = arg;
	int most = UNSENT_MOST;
	h->dialing = NULL;
	if (!s) {
		LIST_WALK(&h->strands, struct strand, in_shared, t)
			strand_fail(t, why->err, why->code, why->reason);
		shared_lost(h, why->err, why->reason);
		return;
	}
	if (!h2) {
		go_separate(h, "the peer does not speak HTTP/2");
		return;
	}
	h->stream = *s;
	*s = (struct stream){ .fd = -1 };
	stream_peer(&h->stream, h->peer);
	setsockopt(h->stream.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most));
	watch_init(&h->watch, h->stream.fd, on_ready, h);
	h->heard_us = clock_mono_us();
	if (h->mux->conf.ping_us)
		timer_set(&h->ping, h->mux->conf.ping_us, on_ping_due, h);
	greet(h);
}

static struct shared *shared_new(struct mux *m, const char *interface)
{
	struct shared *h = NEW(struct shared);
	struct dial_config c = { .url = m->url, .interface = interface, .tls = m->conf.tls, .timeout_us = m->conf.timeout_us, .ask_h2 = true };
	h->mux = m;
	h->interface = mem_strdup(interface);
	h->stream.fd = h->watch.fd = -1;
	list_init(&h->strands);
	list_append(&m->connections, &h->in_mux);
	h->dialing = dial_reach(&c, on_reached, h);
	return h;
}

static bool leaves_by(const struct shared *h, const char *interface)
{
	return h->interface && interface ? strcmp(h->interface, interface) == 0 : h->interface == interface;
}

/* One that is being made, or has room; else a new one. */
static struct shared *shared_for(struct mux *m, const char *interface)
{
	LIST_WALK(&m->connections, struct shared, in_mux, h)
		if (leaves_by(h, interface) && !h->draining && (h->state < READY || (h->state == READY && has_room(h))))
			return h;
	return shared_new(m, interface);
}

/* ---- for the uplink ---- */

bool mux_is_built(void)
{
	return true;
}

struct mux *mux_open(const struct mux_config *c)
{
	struct mux *m = NEW(struct mux);
	m->conf = *c;
	m->conf.url = m->url = mem_strdup(c->url);
	list_init(&m->connections);
	return m;
}

void mux_close(struct mux **m)
{
	if (!*m)
		return;
	LIST_WALK(&(*m)->connections, struct shared, in_mux, h) {
		if (h->session)
			on_idle(h);
		if (h->state != GONE)
			shared_lost(h, ERR_CLOSED, "closed");
		later_cancel(&h->end);
		shared_end(h);
	}
	mem_free((*m)->url);
	mem_free(*m);
	*m = NULL;
}

static void copy_config(struct strand *s, const struct dial_config *c)
{
	s->conf = *c;
	s->conf.url = s->url = mem_strdup(c->url);
	s->conf.subprotocol = s->subprotocol = mem_strdup(c->subprotocol);
	s->conf.user = s->user = mem_strdup(c->user);
	s->conf.interface = s->interface = mem_strdup(c->interface);
	if (c->password.p) {
		s->conf.password = s->password = (struct slice){ mem_text(c->password), c->password.n };
		s->authorization = dial_basic(c->user, c->password);
	}
}

struct link *mux_dial(struct mux *m, const struct dial_config *c, const struct link_events *events, void *owner)
{
	if (m->separate_until_us > clock_mono_us())
		return dial(c, events, owner);
	struct strand *s = NEW(struct strand);
	struct ws_options o = {
		.client = true, .message_most = c->message_most, .queue_most = c->queue_most,
		.ping_us = c->ping_us * LINK_PINGS, .pong_timeout_us = c->pong_timeout_us, .binary = c->binary,
	};
	struct link *l = s->link = ws_link_new(&o, on_cancel, s);
	l->events = events;
	l->owner = owner;
	s->carried = (struct carried){ .read = on_read, .write = on_write, .want = on_want, .finish = on_finish, .close = on_close };
	s->id = -1;
	copy_config(s, c);
	if (!dial_target(s->url, &s->target)) {
		strand_fail(s, ERR_INVALID, 0, "the URL cannot be used");
		return l;
	}
	s->shared = shared_for(m, c->interface);
	list_append(&s->shared->strands, &s->in_shared);
	timer_cancel(&s->shared->idle);
	timer_set(&s->deadline, c->timeout_us, on_deadline, s);
	if (s->shared->state == READY)
		ask(s);
	return l;
}

void mux_use_tls(struct mux *m, struct tls_client *tls)
{
	m->conf.tls = tls;
	LIST_WALK(&m->connections, struct shared, in_mux, h)
		h->draining = true;
}

void mux_view(const struct mux *m, struct mux_view *out)
{
	*out = (struct mux_view){ .handshakes = m->handshakes, .separate = m->separate_until_us > clock_mono_us() };
	LIST_WALK(&m->connections, struct shared, in_mux, h) {
		out->connections += h->state == READY;
		out->streams += h->count;
	}
}
