/* A WebSocket as a link.
 *
 *   OPENING --ws_link_open--> OPEN --we say close--> CLOSING --they answer, 5 s--> ENDING --their FIN, 2 s--> ENDED
 *      |                       |--they say close, or break a rule: close is sent------^                         ^
 *      '--failed, released     '--connection lost, no pong------------------------------------------------------'
 *
 * `down` is told on the way into ENDING: what follows (letting the last bytes out, waiting for the peer's FIN so that no reset overtakes our
 * close frame) concerns nobody else. The object is freed when it is ENDED and released, always from `settle` at the end of a turn.
 *
 * wslay reads frames; messages are put together here. wslay's frame context holds 4 KiB, so an idle link has none: all links share one parser,
 * and only a link whose peer stopped in the middle of a frame keeps the parser it was in until the rest comes. A frame is at its boundary when
 * as many bytes were consumed as were fed; headers are counted by their known length, since wslay does not tell. A data frame that came whole,
 * as nearly all do, is cut out of the input without wslay, which goes byte by byte. Frames are written here too. Writing goes to the link's own buffer, which leaves in one write at the end of the turn and is given back when drained: small ones to
 * a few spares that all links share, so that a frame that passes by costs no allocation.
 *
 * Easy to get wrong: wslay checks header form, control frame lengths and minimal length coding, but not masks, opcodes, fragments' order,
 * close codes or UTF-8: `refused` and the message functions do. An owner may close or release any link in any callback, so the state is
 * looked at again after each. */
#include "gateway/net/link-ws.h"

#include <assert.h>
#include <errno.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/net/utf8.h"

#define CLOSE_TIMEOUT_US (5 * US_PER_S)
#define LINGER_US (2 * US_PER_S)
#define CONTROL_MOST 125
#define INPUT_ROOM (64 * 1024)
#define HEADER_MOST 14
#define SPARES 64
#define SPARE_MOST (8 * 1024)

enum { CODE_NORMAL = 1000, CODE_AWAY, CODE_PROTOCOL, CODE_TYPE, CODE_NONE = 1005, CODE_LOST, CODE_TEXT, CODE_SIZE = 1009 };

enum state { OPENING, OPEN, CLOSING, ENDING, ENDED };

struct ws_link {
	struct link base;
	struct stream stream;
	struct watch watch;
	struct timer timer;
	struct later flush, settle;
	struct ws_options o;
	void (*cancel)(void *arg);
	void *cancel_arg;
	enum state state;
	bool released, told, refused_send, finished, blocked;

	/* receiving */
	wslay_frame_context_ptr parser; /* only in the middle of a frame */
	uint64_t unconsumed;            /* bytes fed that belong to no finished frame or payload yet */
	uint64_t frame_left;            /* payload bytes of the present frame still to come */
	bool in_frame, in_message, compressed;
	uint8_t opcode;                 /* of the message, not the frame */
	struct utf8 utf8;               /* of the message so far */
	struct buf message;             /* the present message where it came in pieces */
	struct buf control;             /* the same for a control frame */

	/* sending */
	struct buf out;
	size_t out_done;                /* bytes at the front of `out` that have left */

	int64_t pinged_us, ping_due_us; /* pinged_us 0: no ping is open */
	int64_t ping_left_us;    /* of the ping whose pong has not come; 0: none */
	struct link_end end;
	char *reason;
	struct dial_times times;
};

/* One thread, and nothing below runs twice at the same time. */
static struct {
	wslay_frame_context_ptr parser;
	struct slice feed;  /* what the parser reads from */
	char input[INPUT_ROOM];
	uint8_t masks[1024];
	size_t masks_left;
	struct buf spares[SPARES]; /* empty, with room */
	unsigned n_spares;
} shared;

static struct ws_link *of(struct link *l)
{
	return (struct ws_link *)(void *)l;
}

static struct buf spare_take(void)
{
	return shared.n_spares ? shared.spares[--shared.n_spares] : (struct buf){ 0 };
}

static void spare_give(struct buf *b)
{
	if (b->p && b->room <= SPARE_MOST && shared.n_spares < SPARES) {
		buf_reset(b);
		shared.spares[shared.n_spares++] = *b;
		*b = (struct buf){ 0 };
	}
	buf_free(b);
}

static size_t queued(const struct ws_link *l)
{
	return l->out.n - l->out_done;
}

/* ---- wslay's callbacks */

static ssize_t on_need(uint8_t *to, size_t n, int flags, void *arg)
{
	(void)flags, (void)arg;
	if (!shared.feed.n)
		return -1;
	if (n > shared.feed.n)
		n = shared.feed.n;
	memcpy(to, shared.feed.p, n);
	shared.feed.p += n;
	shared.feed.n -= n;
	return (ssize_t)n;
}

static wslay_frame_context_ptr context_new(void)
{
	static const struct wslay_frame_callbacks callbacks = { .recv_callback = on_need };
	wslay_frame_context_ptr made;
	if (wslay_frame_context_init(&made, &callbacks, NULL) != 0)
		abort(); /* out of memory, as in base/mem */
	return made;
}

void ws_link_free_shared(void)
{
	if (shared.parser)
		wslay_frame_context_free(shared.parser);
	shared.parser = NULL;
	while (shared.n_spares)
		buf_free(&shared.spares[--shared.n_spares]);
}

/* ---- states */

static void settle(void *arg);
static void flush(void *arg);
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

static void enter(struct ws_link *l, enum state state)
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
		later_call(&l->flush, flush, l);
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

/* The connection is gone under us. */
static void lost(struct ws_link *l, int err)
{
	bool expected = l->state == CLOSING;
	note_end(l, err ? err : ERR_CLOSED, CODE_LOST, expected,
		 slice_of(err ? err_text(err) : "connection closed without a close frame"));
	enter(l, ENDED);
}

/* ---- sending */

static void want(struct ws_link *l)
{
	unsigned more = l->stream.ssl && l->stream.wants ? l->stream.wants : l->blocked ? WATCH_WRITE : 0;
	stream_want(&l->stream, &l->watch, WATCH_READ | (l->blocked ? more : 0));
}

/* Everything is out: memory goes back, and a link that is over says so to the transport. The connecting side leaves the first FIN to the
 * server (RFC 6455 7.1.1). */
static void drained(struct ws_link *l)
{
	spare_give(&l->out);
	l->out_done = 0;
	if (l->state == ENDING && !l->o.client && !l->finished) {
		l->finished = true;
		stream_finish(&l->stream);
	}
}

static void tell_room(struct ws_link *l)
{
	if (!l->refused_send || l->state != OPEN || queued(l) > l->o.queue_most / 4)
		return;
	l->refused_send = false;
	if (l->base.events && l->base.events->room)
		l->base.events->room(l->base.owner, &l->base);
}

static void flush(void *arg)
{
	struct ws_link *l = arg;
	l->blocked = false;
	while (queued(l)) {
		ssize_t n = stream_write(&l->stream, l->out.p + l->out_done, queued(l));
		if (n == -EAGAIN) {
			l->blocked = true;
			break;
		}
		if (n < 0) {
			lost(l, (int)n);
			return;
		}
		l->out_done += (size_t)n;
	}
	if (!queued(l))
		drained(l);
	else if (l->out_done >= l->out.n / 2) {
		buf_consume(&l->out, l->out_done);
		l->out_done = 0;
	}
	want(l);
	tell_room(l);
}

/* Key by key over the bytes; masks and unmasks, also in place. */
static void mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4])
{
	uint64_t eight, keys;
	size_t i = 0;
	memcpy(&keys, key, 4);
	memcpy((uint8_t *)&keys + 4, key, 4);
	for (; n - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, from + i, sizeof(eight));
		eight ^= keys;
		memcpy(to + i, &eight, sizeof(eight));
	}
	for (; i < n; i++)
		to[i] = from[i] ^ key[i & 3];
}

static const uint8_t *fresh_key(void)
{
	if (shared.masks_left < 4) {
		if (RAND_bytes(shared.masks, sizeof(shared.masks)) != 1)
			abort(); /* a machine without random numbers cannot do TLS either */
		shared.masks_left = sizeof(shared.masks);
	}
	shared.masks_left -= 4;
	return shared.masks + shared.masks_left;
}

/* RFC 6455 5.2, always one whole message; where its payload goes. */
static uint8_t *put_header(uint8_t *to, uint8_t first, bool masked, uint64_t n)
{
	int more = n > 65535 ? 8 : n > 125 ? 2 : 0;
	*to++ = first;
	*to++ = (uint8_t)((masked ? 0x80 : 0) | (more == 8 ? 127 : more == 2 ? 126 : n));
	while (more--)
		*to++ = (uint8_t)(n >> 8 * more);
	return to;
}

static void put_frame(struct ws_link *l, uint8_t opcode, uint8_t rsv, struct slice payload)
{
	if (!l->out.p)
		l->out = spare_take();
	uint8_t *start = (uint8_t *)buf_room(&l->out, payload.n + HEADER_MOST), *to = start;
	to = put_header(to, (uint8_t)(0x80 | rsv << 4 | opcode), l->o.client, payload.n);
	if (l->o.client) {
		const uint8_t *key = memcpy(to, fresh_key(), 4);
		to += 4;
		mask(to, (const uint8_t *)payload.p, payload.n, key);
	} else if (payload.n) {
		memcpy(to, payload.p, payload.n);
	}
	l->out.n += (size_t)(to - start) + payload.n;
	l->out.p[l->out.n] = 0;
	if (!l->blocked)
		later_call(&l->flush, flush, l);
}

static void put_close(struct ws_link *l, int code, struct slice reason)
{
	char payload[CONTROL_MOST];
	if (reason.n > CONTROL_MOST - 2)
		reason.n = CONTROL_MOST - 2;
	while (reason.n && !utf8_valid(reason)) /* a character was cut */
		reason.n--;
	payload[0] = (char)(code >> 8);
	payload[1] = (char)code;
	if (reason.n)
		memcpy(payload + 2, reason.p, reason.n);
	put_frame(l, WSLAY_CONNECTION_CLOSE, 0, (struct slice){ payload, code == CODE_NONE ? 0 : reason.n + 2 });
}

static int send_message(struct ws_link *l, uint8_t opcode, struct slice payload)
{
	struct buf small = { 0 };
	if (l->state != OPEN)
		return ERR_CLOSED;
	if (queued(l) >= l->o.queue_most) {
		l->refused_send = true;
		return ERR_FULL;
	}
	if (l->o.deflate.on && deflate_message(&l->o.deflate, payload, &small))
		put_frame(l, opcode, WSLAY_RSV1_BIT, buf_view(&small));
	else
		put_frame(l, opcode, 0, payload);
	buf_free(&small);
	l->base.messages_out++;
	return 0;
}

/* The peer broke a rule, or is too quiet: it is told why. */
static void fail(struct ws_link *l, int err, int code, const char *reason)
{
	if (l->state == OPEN)
		put_close(l, code, slice_of(reason));
	note_end(l, err, code, true, slice_of(reason));
	enter(l, ENDING);
}

/* ---- receiving: messages */

static void deliver(struct ws_link *l, struct slice message)
{
	l->base.messages_in++;
	if (l->state != OPEN || !l->base.events)
		return; /* we have said goodbye; what was under way is of no use any more */
	if (l->opcode == WSLAY_BINARY_FRAME)
		l->o.binary(l->base.owner, &l->base, message);
	else if (l->base.events->text)
		l->base.events->text(l->base.owner, &l->base, message);
}

static void deliver_compressed(struct ws_link *l, struct slice message)
{
	struct buf whole = { 0 };
	int err = deflate_expand(message, l->o.message_most, &whole);
	if (err == ERR_TOO_LARGE)
		fail(l, err, CODE_SIZE, "message too large");
	else if (err)
		fail(l, ERR_PROTOCOL, CODE_TEXT, "compressed message is damaged");
	else if (l->opcode == WSLAY_TEXT_FRAME && !utf8_valid(buf_view(&whole)))
		fail(l, ERR_PROTOCOL, CODE_TEXT, "text is not UTF-8");
	else
		deliver(l, buf_view(&whole));
	buf_free(&whole);
}

static void on_message(struct ws_link *l, struct slice message)
{
	l->in_message = false;
	if (l->compressed)
		deliver_compressed(l, message);
	else if (l->opcode == WSLAY_TEXT_FRAME && !utf8_whole(&l->utf8))
		fail(l, ERR_PROTOCOL, CODE_TEXT, "text is not UTF-8");
	else
		deliver(l, message);
}

static void on_data(struct ws_link *l, const struct wslay_frame_iocb *f)
{
	struct slice piece = { (const char *)f->data, f->data_length };
	bool last = f->fin && !l->in_frame;
	if (l->opcode == WSLAY_TEXT_FRAME && !l->compressed && !utf8_feed(&l->utf8, f->data, f->data_length)) {
		fail(l, ERR_PROTOCOL, CODE_TEXT, "text is not UTF-8");
		return;
	}
	if (last && !l->message.n) {
		on_message(l, piece);
		return;
	}
	buf_slice(&l->message, piece);
	if (!last)
		return;
	struct buf whole = l->message;
	l->message = (struct buf){ 0 };
	on_message(l, buf_view(&whole));
	buf_free(&whole);
}

/* ---- receiving: control frames */

static bool close_code_allowed(int code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static void on_close(struct ws_link *l, struct slice payload)
{
	const unsigned char *p = (const unsigned char *)payload.p;
	int code = payload.n >= 2 ? p[0] << 8 | p[1] : CODE_NONE;
	struct slice reason = { payload.p + 2, payload.n >= 2 ? payload.n - 2 : 0 };
	if (payload.n == 1 || (payload.n && !close_code_allowed(code))) {
		fail(l, ERR_PROTOCOL, CODE_PROTOCOL, "close frame with an invalid code");
	} else if (reason.n && !utf8_valid(reason)) {
		fail(l, ERR_PROTOCOL, CODE_TEXT, "close reason is not UTF-8");
	} else {
		if (l->state == OPEN)
			put_close(l, code, (struct slice){ 0 });
		note_end(l, ERR_CLOSED, code, false, reason.n ? reason : slice_of("closed by the peer"));
		enter(l, ENDING);
	}
}

/* Of the last ping; what else came in between does not shorten its way. */
static void on_pong(struct ws_link *l)
{
	if (l->ping_left_us)
		l->base.rtt_us = clock_mono_us() - l->ping_left_us;
	l->ping_left_us = 0;
}

static void on_control(struct ws_link *l, uint8_t opcode, struct slice payload)
{
	if (opcode == WSLAY_CONNECTION_CLOSE)
		on_close(l, payload);
	else if (opcode == WSLAY_PONG)
		on_pong(l);
	else if (opcode == WSLAY_PING && l->state == OPEN && queued(l) < l->o.queue_most)
		put_frame(l, WSLAY_PONG, 0, payload); /* a peer that pings without reading gets no more than the queue holds */
}

static void on_control_piece(struct ws_link *l, const struct wslay_frame_iocb *f)
{
	struct slice piece = { (const char *)f->data, f->data_length };
	if (!l->in_frame && !l->control.n) {
		on_control(l, f->opcode, piece);
		return;
	}
	buf_slice(&l->control, piece);
	if (l->in_frame)
		return;
	struct buf whole = l->control;
	l->control = (struct buf){ 0 };
	on_control(l, f->opcode, buf_view(&whole));
	buf_free(&whole);
}

/* ---- receiving: frames */

/* Why a frame with this header must not be, or NULL; the close code in *code_out. */
static const char *refused(const struct ws_link *l, const struct wslay_frame_iocb *f, int *code_out)
{
	bool expands = l->o.deflate.on || l->o.rsv1_unasked;
	bool starts = f->opcode == WSLAY_TEXT_FRAME || f->opcode == WSLAY_BINARY_FRAME;
	*code_out = CODE_PROTOCOL;
	if (f->mask == l->o.client)
		return f->mask ? "masked frame from a server" : "unmasked frame from a client";
	if ((f->rsv & ~WSLAY_RSV1_BIT) || (f->rsv && !(expands && starts)))
		return "reserved bit set";
	if (wslay_is_ctrl_frame(f->opcode))
		return f->opcode > WSLAY_PONG ? "unknown opcode" : NULL;
	if (f->opcode > WSLAY_BINARY_FRAME)
		return "unknown opcode";
	if (starts == l->in_message)
		return starts ? "new message inside a fragmented one" : "continuation of nothing";
	if (f->opcode == WSLAY_BINARY_FRAME && !l->o.binary) {
		*code_out = CODE_TYPE;
		return "binary message";
	}
	*code_out = CODE_SIZE;
	return f->payload_length > l->o.message_most - l->message.n ? "message too large" : NULL;
}

static size_t header_length(const struct wslay_frame_iocb *f)
{
	return 2 + (f->payload_length > 65535 ? 8 : f->payload_length > 125 ? 2 : 0) + (f->mask ? 4 : 0);
}

/* The first piece of a frame: its header is known now. False: it must not be. */
static bool on_header(struct ws_link *l, const struct wslay_frame_iocb *f)
{
	int code;
	const char *why = refused(l, f, &code);
	if (why) {
		fail(l, code == CODE_SIZE ? ERR_TOO_LARGE : ERR_PROTOCOL, code, why);
		return false;
	}
	l->unconsumed -= header_length(f);
	l->frame_left = f->payload_length;
	if (f->opcode == WSLAY_TEXT_FRAME || f->opcode == WSLAY_BINARY_FRAME) {
		l->in_message = true;
		l->opcode = f->opcode;
		l->compressed = f->rsv != 0;
		l->utf8 = (struct utf8){ 0 };
	}
	return true;
}

static void on_piece(struct ws_link *l, const struct wslay_frame_iocb *f)
{
	if (!l->in_frame && !on_header(l, f))
		return;
	l->unconsumed -= f->data_length;
	l->frame_left -= f->data_length;
	l->in_frame = l->frame_left > 0;
	if (wslay_is_ctrl_frame(f->opcode))
		on_control_piece(l, f);
	else
		on_data(l, f);
}

/* A data frame that is here as a whole, in the shortest form: its length with header, unmasked in place. 0: wslay has to see. */
static size_t cut(struct slice in, struct wslay_frame_iocb *f)
{
	uint8_t *p = (uint8_t *)(uintptr_t)in.p;
	uint8_t opcode = in.n ? p[0] & 15 : 0;
	size_t head = 2, n = in.n >= HEADER_MOST ? p[1] & 127 : 127;
	if (n == 127 || wslay_is_ctrl_frame(opcode))
		return 0;
	if (n == 126) {
		head = 4;
		n = (size_t)p[2] << 8 | p[3];
		if (n < 126)
			return 0;
	}
	*f = (struct wslay_frame_iocb){ .fin = p[0] >> 7, .rsv = p[0] >> 4 & 7, .opcode = opcode, .mask = p[1] >> 7, .payload_length = n };
	const uint8_t *key = p + head;
	head += f->mask ? 4 : 0;
	if (in.n < head + n)
		return 0;
	if (f->mask)
		mask(p + head, p + head, n, key);
	f->data = p + head;
	f->data_length = n;
	return head + n;
}

/* Frames that stand whole at the front of the input; what is left. */
static struct slice parse_whole(struct ws_link *l, struct slice bytes)
{
	struct wslay_frame_iocb f;
	size_t n;
	while (!l->parser && (l->state == OPEN || l->state == CLOSING) && (n = cut(bytes, &f))) {
		l->unconsumed = n;
		on_piece(l, &f);
		bytes = (struct slice){ bytes.p + n, bytes.n - n };
	}
	return bytes;
}

/* Parses until the input is used up. The parser is the shared one, or the link's own when it stopped in the middle of a frame. */
static void parse(struct ws_link *l, struct slice bytes)
{
	struct wslay_frame_iocb f;
	bytes = parse_whole(l, bytes);
	if (!bytes.n || (l->state != OPEN && l->state != CLOSING))
		return;
	wslay_frame_context_ptr parser = l->parser ? l->parser : shared.parser ? shared.parser : context_new();
	if (!l->parser)
		shared.parser = NULL;
	l->parser = parser;
	shared.feed = bytes;
	l->unconsumed += bytes.n;
	while (l->state == OPEN || l->state == CLOSING) {
		memset(&f, 0, sizeof(f));
		ssize_t n = wslay_frame_recv(parser, &f);
		if (n == WSLAY_ERR_WANT_READ)
			break;
		if (n < 0)
			fail(l, ERR_PROTOCOL, CODE_PROTOCOL, "malformed frame");
		else
			on_piece(l, &f);
	}
	if (l->parser && !l->unconsumed && !l->in_frame && !shared.parser) {
		shared.parser = l->parser;
		l->parser = NULL;
	}
}

static void take(struct ws_link *l, struct slice bytes)
{
	l->base.heard_us = clock_mono_us();
	if (l->state == OPEN || l->state == CLOSING)
		parse(l, bytes);
}

static void receive(struct ws_link *l)
{
	do {
		ssize_t n = stream_read(&l->stream, shared.input, sizeof(shared.input));
		if (n == -EAGAIN)
			break;
		if (n <= 0) {
			lost(l, (int)n);
			return;
		}
		take(l, (struct slice){ shared.input, (size_t)n });
	} while (l->state != ENDED && stream_has_more(&l->stream));
}

static void on_ready(void *arg, unsigned what)
{
	struct ws_link *l = arg;
	if (l->blocked && what & (l->stream.ssl ? WATCH_READ | WATCH_WRITE : WATCH_WRITE))
		flush(l);
	if (l->state != ENDED && (what & WATCH_READ))
		receive(l);
}

/* ---- deadlines: one timer per link, set to the nearest of them */

static int64_t nearest(int64_t a, int64_t b)
{
	return b && b < a ? b : a;
}

static void ping(struct ws_link *l, int64_t now)
{
	put_frame(l, WSLAY_PING, 0, (struct slice){ "", 0 });
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
		fail(l, ERR_TIMEOUT, CODE_NORMAL, "idle for too long");
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
	return send_message(of(base), WSLAY_TEXT_FRAME, text);
}

static void on_close_asked(struct link *base, int code, const char *reason)
{
	struct ws_link *l = of(base);
	if (l->state == OPENING) {
		cancel(l);
		ws_link_failed(base, ERR_CLOSED, code, reason ? reason : "");
	} else if (l->state == OPEN) {
		put_close(l, code, reason ? slice_of(reason) : SLICE(""));
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
	stream_watch(&l->stream, &l->watch, on_ready, l);
	if (greeting.n) {
		buf_slice(&l->out, greeting);
		later_call(&l->flush, flush, l);
	}
	enter(l, OPEN);
	want(l);
}

void ws_link_feed(struct link *l, struct slice bytes)
{
	if (bytes.n)
		take(of(l), bytes);
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
	return send_message(of(l), WSLAY_BINARY_FRAME, bytes);
}
