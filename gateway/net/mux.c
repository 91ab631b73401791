/* WebSockets as streams of one HTTP/2 connection (RFC 9113, RFC 8441): the connection, and who comes on it.
 *
 *   IDLE -> REACHING (name, TCP, TLS) -> GREETING (the peer's SETTINGS) -> READY -> GONE, with all its strands
 *                            | no h2            | no extended CONNECT
 *                            +--> separate <----+    lanes get sockets of their own; tried again after a while
 *
 * For a short message of one lane to overtake a long one of another (gateway/net/mux-strand.c) the kernel must not hold much that is not sent
 * yet (TCP_NOTSENT_LOWAT).
 *
 * Easy to get wrong: nghttp2 may not be freed from inside its callbacks. A peer has a bound on streams; who does not find room gets another
 * connection. */
#include "gateway/net/mux-parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"

#define WINDOW (256 * 1024)          /* of a strand, towards us */
#define WINDOW_ALL (4 * 1024 * 1024) /* of the connection */
#define UNSENT_MOST (16 * 1024)      /* in the kernel, and of frames gathered for one write */
#define READ_STEP (16 * 1024)
#define IDLE_US (5 * US_PER_S)       /* a connection without strands is closed after this */
#define SEPARATE_US (600 * US_PER_S) /* after which a peer that offered nothing is asked again */

static void flush(void *arg);
static struct shared *shared_new(struct mux *m, const char *interface);

/* ---- who has room ---- */

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
			strand_ask(s);
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
	LIST_WALK(&h->strands, struct strand, in_shared, s)
		strand_lost(s, why);
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

void shared_count_down(struct shared *h)
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

void shared_flush_soon(struct shared *h)
{
	later_call(&h->flush, flush, h);
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
		shared_flush_soon(h);
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
	LIST_WALK(&h->strands, struct strand, in_shared, s)
		strand_go_alone(s);
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

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct shared *h = arg;
	struct strand *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK) && h->state == GREETING)
		on_settings(h);
	if (frame->hd.type == NGHTTP2_GOAWAY)
		h->draining = true;
	if (s)
		strand_frame(s, frame);
	return 0;
}

static void greet(struct shared *h)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	const nghttp2_settings_entry settings[] = { { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 }, { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW } };
	if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
		abort(); /* out of memory, as in base/mem */
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	strand_callbacks(callbacks);
	nghttp2_option_set_no_auto_window_update(option, 1);
	if (nghttp2_session_client_new2(&h->session, callbacks, h, option) != 0)
		abort();
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, 2);
	nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, WINDOW_ALL);
	h->state = GREETING;
	shared_flush_soon(h);
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

struct link *mux_dial(struct mux *m, const struct dial_config *c, const struct link_events *events, void *owner)
{
	if (m->separate_until_us > clock_mono_us())
		return dial(c, events, owner);
	struct strand *s = strand_new(c, events, owner);
	struct link *l = s->link;
	if (!dial_target(s->url, &s->target)) {
		strand_fail(s, ERR_INVALID, 0, "the URL cannot be used");
		return l;
	}
	s->shared = shared_for(m, c->interface);
	list_append(&s->shared->strands, &s->in_shared);
	timer_cancel(&s->shared->idle);
	if (s->shared->state == READY)
		strand_ask(s);
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
