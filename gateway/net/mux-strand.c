/* One WebSocket as a stream of a shared connection, and what link-ws sees as its stream.
 *
 *   WAITING for its connection -> ASKED (CONNECT sent) -> OPEN, under its link -> closed by either side
 *
 * What the peer sends is kept until the link reads it, and only then is its window opened again, so a link that does not read holds up nobody
 * else. What the link writes is kept to a bound and cut into frames by nghttp2, which takes turns between strands: a long message of one lane
 * leaves room for a short one of another after each frame.
 *
 * Easy to get wrong: owners are not called from inside nghttp2's callbacks: they note what happened, and a later turn tells. */
#include "gateway/net/mux-parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "gateway/net/deflate.h"
#include "gateway/net/http1.h"

#define OUT_MOST (32 * 1024) /* not yet cut into frames */
#define LINK_PINGS 10        /* a lane pings so many times less than its connection does */

static void strand_turn(void *arg);

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

void strand_drop(struct strand *s)
{
	struct shared *h = s->shared;
	if (h && h->session && s->id >= 0) {
		nghttp2_session_set_stream_user_data(h->session, s->id, NULL);
		nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
		shared_flush_soon(h);
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
		shared_flush_soon(s->shared);
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
	shared_flush_soon(s->shared);
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

void strand_fail(struct strand *s, int err, int code, const char *reason)
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

void strand_lost(struct strand *s, const char *why)
{
	list_remove(&s->in_shared);
	s->shared = NULL;
	s->id = -1;
	s->lost = true;
	mem_free(s->reason);
	s->reason = mem_strdup(why);
	wake(s);
}

void strand_go_alone(struct strand *s)
{
	struct link *l = s->link;
	s->link = NULL;
	ws_link_pings(l, s->conf.ping_us, s->conf.pong_timeout_us);
	dial_link(l, &s->conf);
	strand_drop(s);
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

void strand_frame(struct strand *s, const nghttp2_frame *frame)
{
	if (frame->hd.type == NGHTTP2_HEADERS && s->status >= 200)
		s->answered = true;
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		s->ended = true;
	wake(s);
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

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct strand *s = strand_at(session, id);
	shared_count_down(arg);
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

void strand_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}

/* ---- asking for a WebSocket ---- */

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
		NGHTTP2_NV_FLAG_NO_COPY_NAME };
}

void strand_ask(struct strand *s)
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
	shared_flush_soon(h);
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

struct strand *strand_new(const struct dial_config *c, const struct link_events *events, void *owner)
{
	struct strand *s = NEW(struct strand);
	struct ws_options o = {
		.client = true, .message_most = c->message_most, .queue_most = c->queue_most,
		.ping_us = c->ping_us * LINK_PINGS, .pong_timeout_us = c->pong_timeout_us, .binary = c->binary,
	};
	s->link = ws_link_new(&o, on_cancel, s);
	s->link->events = events;
	s->link->owner = owner;
	s->carried = (struct carried){ .read = on_read, .write = on_write, .want = on_want, .finish = on_finish, .close = on_close };
	s->id = -1;
	copy_config(s, c);
	timer_set(&s->deadline, c->timeout_us, on_deadline, s);
	return s;
}
