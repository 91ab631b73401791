/* Frames in: what a WebSocket link reads (RFC 6455 5 and 7). See gateway/net/link-ws.c.
 *
 * wslay reads frames; messages are put together here. wslay's frame context holds 4 KiB, so an idle link has none: all links share one parser,
 * and only a link whose peer stopped in the middle of a frame keeps the parser it was in until the rest comes. A frame is at its boundary when
 * as many bytes were consumed as were fed; headers are counted by their known length, since wslay does not tell. A data frame that came whole,
 * as nearly all do, is cut out of the input without wslay, which goes byte by byte.
 *
 * Easy to get wrong: wslay checks header form, control frame lengths and minimal length coding, but not masks, opcodes, fragments' order,
 * close codes or UTF-8: `refused` and the message functions do. An owner may close or release any link in any callback, so the state is
 * looked at again after each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/link-ws-local.h"

#define INPUT_ROOM (64 * 1024)

/* One thread, and nothing below runs twice at the same time. */
static struct {
	wslay_frame_context_ptr parser;
	struct slice feed;  /* what the parser reads from */
	char input[INPUT_ROOM];
} shared;

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
void ws_in_free_shared(void)
{
	if (shared.parser)
		wslay_frame_context_free(shared.parser);
	shared.parser = NULL;
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
		ws_fail(l, err, CODE_SIZE, "message too large");
	else if (err)
		ws_fail(l, ERR_PROTOCOL, CODE_TEXT, "compressed message is damaged");
	else if (l->opcode == WSLAY_TEXT_FRAME && !utf8_valid(buf_view(&whole)))
		ws_fail(l, ERR_PROTOCOL, CODE_TEXT, "text is not UTF-8");
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
		ws_fail(l, ERR_PROTOCOL, CODE_TEXT, "text is not UTF-8");
	else
		deliver(l, message);
}

static void on_data(struct ws_link *l, const struct wslay_frame_iocb *f)
{
	struct slice piece = { (const char *)f->data, f->data_length };
	bool last = f->fin && !l->in_frame;
	if (l->opcode == WSLAY_TEXT_FRAME && !l->compressed && !utf8_feed(&l->utf8, f->data, f->data_length)) {
		ws_fail(l, ERR_PROTOCOL, CODE_TEXT, "text is not UTF-8");
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
		ws_fail(l, ERR_PROTOCOL, CODE_PROTOCOL, "close frame with an invalid code");
	} else if (reason.n && !utf8_valid(reason)) {
		ws_fail(l, ERR_PROTOCOL, CODE_TEXT, "close reason is not UTF-8");
	} else {
		if (l->state == OPEN)
			ws_put_close(l, code, (struct slice){ 0 });
		ws_left(l, code, reason.n ? reason : slice_of("closed by the peer"));
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
	else if (opcode == WSLAY_PING && l->state == OPEN && ws_queued(l) < l->o.queue_most)
		ws_put_frame(l, WSLAY_PONG, 0, payload); /* a peer that pings without reading gets no more than the queue holds */
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
		ws_fail(l, code == CODE_SIZE ? ERR_TOO_LARGE : ERR_PROTOCOL, code, why);
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
	size_t head = 2, n = in.n >= WS_HEADER_MOST ? p[1] & 127 : 127;
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
		ws_mask(p + head, p + head, n, key);
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
			ws_fail(l, ERR_PROTOCOL, CODE_PROTOCOL, "malformed frame");
		else
			on_piece(l, &f);
	}
	if (l->parser && !l->unconsumed && !l->in_frame && !shared.parser) {
		shared.parser = l->parser;
		l->parser = NULL;
	}
}

void ws_take(struct ws_link *l, struct slice bytes)
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
			ws_lost(l, (int)n);
			return;
		}
		ws_take(l, (struct slice){ shared.input, (size_t)n });
	} while (l->state != ENDED && stream_has_more(&l->stream));
}

void ws_ready(void *arg, unsigned what)
{
	struct ws_link *l = arg;
	if (l->blocked && what & (l->stream.ssl ? WATCH_READ | WATCH_WRITE : WATCH_WRITE))
		ws_flush(l);
	if (l->state != ENDED && (what & WATCH_READ))
		receive(l);
}
