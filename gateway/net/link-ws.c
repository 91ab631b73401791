/* A WebSocket as a link.
 *
 *   OPENING --ws_link_open--> OPEN --we say close--> CLOSING --they answer, 5 s--> ENDING --their FIN, 2 s--> ENDED
 *      |                       |--they say close, or break a rule: close is sent------^                         ^
 *      '--failed, released     '--connection lost, no pong------------------------------------------------------'
 *
 * `down` is told on the way into ENDING: what follows (letting the last bytes out, waiting for the peer's FIN so that no reset overtakes our
 * close frame) concerns nobody else. The object is freed when it is ENDED and released, always from `settle` at the end of a turn.
 *
 * Here are its states, deadlines and what its owner may ask; frames are read in link-ws-in.c and written in link-ws-out.c. */
#include <assert.h>
#include <openssl/sha.h>
#include <string.h>

#include "gateway/net/link-ws-local.h"

#define CLOSE_TIMEOUT_US (5 * US_PER_S)
#define LINGER_US (2 * US_PER_S)

static struct ws_link *of(struct link *l)
{
	return (struct ws_link *)(void *)l;
}
void ws_link_free_shared(void)
{
	ws_in_free_shared();
	ws_out_free_shared();
}

/* ---- states */

static void settle(void *arg);
static void on_timer(void *arg);

static void shut(struct ws_link *l)
{
	stream_want(&l->stream, &l->watch, 0);
	stream_close(&l->stream);
	timer_cancel(&l->timer);
	later_cancel(&l->flush);
	if (l->parser)
		wslay_frame_context_free(l->parser);
	l->parser = NULL;
	buf_free(&l->out);
	buf_free(&l->message);
	buf_free(&l->control);
	l->out_done = 0;
}

static void enter(struct ws_link *l, enum ws_state state)
{
	assert(state > l->state);
	l->state = state;
	switch (state) {
	case OPENING:
		break;
	case OPEN:
		l->base.heard_us = l->base.since_us = clock_mono_us();
		l->ping_due_us = l->base.heard_us + l->o.ping_us;
		on_timer(l);
		break;
	case CLOSING:
		timer_set(&l->timer, CLOSE_TIMEOUT_US, on_timer, l);
		break;
	case ENDING:
		timer_set(&l->timer, LINGER_US, on_timer, l);
		later_call(&l->flush, ws_flush, l);
		later_call(&l->settle, settle, l);
		break;
	case ENDED:
		shut(l);
		later_call(&l->settle, settle, l);
		break;
	}
}

/* Notes why it ends; the first reason counts. */
static void note_end(struct ws_link *l, int err, int code, bool by_us, struct slice reason)
{
	if (l->reason)
		return;
	l->reason = mem_text(reason);
	l->end = (struct link_end){ .code = code, .err = err, .by_us = by_us, .reason = l->reason };
}

static void on_silence(struct ws_link *l, const char *reason)
{
	note_end(l, ERR_TIMEOUT, CODE_LOST, true, slice_of(reason));
	enter(l, ENDED);
}

/* Tells the owner, once, and frees what nobody has any more. Always at the end of a turn. */
static void settle(void *arg)
{
	struct ws_link *l = arg;
	if (!l->told && l->base.events && l->base.events->down) {
		l->told = true;
		l->base.events->down(l->base.owner, &l->base, &l->end);
	}
	if (l->state != ENDED || !l->released)
		return;
	if (l->o.freed)
		l->o.freed(l->o.arg);
	later_cancel(&l->settle);
	mem_free(l->reason);
	mem_free(l);
}

void ws_lost(struct ws_link *l, int err)
{
	bool expected = l->state == CLOSING;
	note_end(l, err ? err : ERR_CLOSED, CODE_LOST, expected,
		 slice_of(err ? err_text(err) : "connection closed without a close frame"));
	enter(l, ENDED);
}
void ws_left(struct ws_link *l, int code, struct slice reason)
{
	note_end(l, ERR_CLOSED, code, false, reason);
	enter(l, ENDING);
}

void ws_fail(struct ws_link *l, int err, int code, const char *reason)
{
	if (l->state == OPEN)
		ws_put_close(l, code, slice_of(reason));
	note_end(l, err, code, true, slice_of(reason));
	enter(l, ENDING);
}
/* ---- deadlines: one timer per link, set to the nearest of them */

static int64_t nearest(int64_t a, int64_t b)
{
	return b && b < a ? b : a;
}

static void ping(struct ws_link *l, int64_t now)
{
	ws_put_frame(l, WSLAY_PING, 0, (struct slice){ "", 0 });
	l->pinged_us = l->ping_left_us = now;
	l->ping_due_us = now + l->o.ping_us;
}

/* Any byte after a ping is a sign of life: chargers are known that never answer pings and work well otherwise. */
static void watch_over(struct ws_link *l)
{
	int64_t now = clock_mono_us();
	if (l->pinged_us && l->base.heard_us >= l->pinged_us)
		l->pinged_us = 0;
	if (l->pinged_us && now - l->pinged_us >= l->o.pong_timeout_us) {
		on_silence(l, "no pong");
		return;
	}
	if (l->o.idle_us && now - l->base.heard_us >= l->o.idle_us) {
		ws_fail(l, ERR_TIMEOUT, CODE_NORMAL, "idle for too long");
		return;
	}
	if (l->o.ping_us && !l->pinged_us && now >= l->ping_due_us)
		ping(l, now);
	int64_t next = INT64_MAX;
	next = nearest(next, l->pinged_us ? l->pinged_us + l->o.pong_timeout_us : 0);
	next = nearest(next, l->o.ping_us && !l->pinged_us ? l->ping_due_us : 0);
	next = nearest(next, l->o.idle_us ? l->base.heard_us + l->o.idle_us : 0);
	if (next != INT64_MAX)
		timer_set(&l->timer, next - now, on_timer, l);
}

static void on_timer(void *arg)
{
	struct ws_link *l = arg;
	if (l->state == OPEN) {
		watch_over(l);
	} else if (l->state == CLOSING) {
		note_end(l, ERR_CLOSED, CODE_LOST, true, SLICE("the peer did not answer our close"));
		enter(l, ENDED);
	} else if (l->state == ENDING) {
		enter(l, ENDED);
	}
}

/* ---- what an owner may ask */

static void cancel(struct ws_link *l)
{
	void (*run)(void *arg) = l->cancel;
	l->cancel = NULL;
	if (run)
		run(l->cancel_arg);
}

static int on_send(struct link *base, struct slice text)
{
	return ws_send_message(of(base), WSLAY_TEXT_FRAME, text);
}

static void on_close_asked(struct link *base, int code, const char *reason)
{
	struct ws_link *l = of(base);
	if (l->state == OPENING) {
		cancel(l);
		ws_link_failed(base, ERR_CLOSED, code, reason ? reason : "");
	} else if (l->state == OPEN) {
		ws_put_close(l, code, reason ? slice_of(reason) : SLICE(""));
		note_end(l, ERR_CLOSED, code, true, reason ? slice_of(reason) : SLICE(""));
		enter(l, CLOSING);
	}
}

static void on_release(struct link *base)
{
	struct ws_link *l = of(base);
	assert(!l->released);
	l->base.events = NULL;
	l->released = true;
	if (l->state == ENDED)
		later_call(&l->settle, settle, l);
	else
		on_close_asked(base, CODE_AWAY, "going away");
}

static const struct link_ops ops = { .name = "ws", .send = on_send, .close = on_close_asked, .release = on_release };

/* ---- for gateway/net/listen and gateway/net/dial */

struct link *ws_link_new(const struct ws_options *o, void (*cancel_connect)(void *arg), void *arg)
{
	struct ws_link *l = NEW(struct ws_link);
	l->base.ops = &ops;
	l->base.log = (struct log){ .key = "peer", .value = l->base.peer };
	l->o = *o;
	l->stream.fd = -1;
	l->cancel = cancel_connect;
	l->cancel_arg = arg;
	if (!l->o.message_most)
		l->o.message_most = WS_MESSAGE_MOST;
	if (!l->o.queue_most)
		l->o.queue_most = WS_QUEUE_MOST;
	if (!l->o.pong_timeout_us)
		l->o.pong_timeout_us = l->o.ping_us;
	return &l->base;
}

void ws_link_on_cancel(struct link *base, void (*cancel_connect)(void *arg), void *arg)
{
	struct ws_link *l = of(base);
	assert(l->state == OPENING);
	l->cancel = cancel_connect;
	l->cancel_arg = arg;
}

void ws_link_pings(struct link *base, int64_t ping_us, int64_t pong_timeout_us)
{
	struct ws_link *l = of(base);
	l->o.ping_us = ping_us;
	l->o.pong_timeout_us = pong_timeout_us ? pong_timeout_us : ping_us;
	l->pinged_us = 0;
	l->ping_due_us = clock_mono_us() + ping_us;
	if (l->state != OPEN)
		return;
	timer_cancel(&l->timer);
	watch_over(l);
}

struct dial_times *ws_link_times(struct link *l)
{
	assert(l->ops == &ops);
	return &of(l)->times;
}

void ws_link_agreed(struct link *l, const struct deflate_terms *terms)
{
	of(l)->o.deflate = *terms;
}

void ws_link_open(struct link *base, struct stream *s, struct slice greeting)
{
	struct ws_link *l = of(base);
	l->cancel = NULL;
	l->stream = *s;
	*s = (struct stream){ .fd = -1 };
	stream_peer(&l->stream, base->peer);
	stream_watch(&l->stream, &l->watch, ws_ready, l);
	if (greeting.n) {
		buf_slice(&l->out, greeting);
		later_call(&l->flush, ws_flush, l);
	}
	enter(l, OPEN);
	ws_want(l);
}

void ws_link_feed(struct link *l, struct slice bytes)
{
	if (bytes.n)
		ws_take(of(l), bytes);
}

void ws_link_failed(struct link *base, int err, int code, const char *reason)
{
	struct ws_link *l = of(base);
	l->cancel = NULL;
	note_end(l, err, code, err == ERR_CLOSED, slice_of(reason));
	enter(l, ENDED);
}

void ws_accept_text(struct slice key, char out[WS_ACCEPT_TEXT])
{
	struct buf text = { 0 };
	unsigned char digest[SHA_DIGEST_LENGTH];
	buf_slice(&text, key);
	buf_puts(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	SHA1((const unsigned char *)text.p, text.n, digest);
	base64_text(digest, sizeof(digest), out);
	buf_free(&text);
}

int ws_link_send_binary(struct link *l, struct slice bytes)
{
	return ws_send_message(of(l), WSLAY_BINARY_FRAME, bytes);
}
