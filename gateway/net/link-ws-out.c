/* Frames out: what a WebSocket link writes (RFC 6455 5.2). See gateway/net/link-ws.c.
 *
 * Frames are written here, not by wslay. They go to the link's own buffer, which leaves in one write at the end of the turn and is given back
 * when drained: small ones to a few spares that all links share, so that a frame that passes by costs no allocation.
 *
 * Easy to get wrong: `room` is told from the middle of a flush, and its owner may close or release the link there. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/link-ws-local.h"

#define SPARES 64
#define SPARE_MOST (8 * 1024)

/* One thread, and nothing below runs twice at the same time. */
static struct {
	uint8_t masks[1024];
	size_t masks_left;
	struct buf spares[SPARES]; /* empty, with room */
	unsigned n_spares;
} shared;

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
void ws_out_free_shared(void)
{
	while (shared.n_spares)
		buf_free(&shared.spares[--shared.n_spares]);
}

size_t ws_queued(const struct ws_link *l)
{
	return l->out.n - l->out_done;
}
void ws_want(struct ws_link *l)
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
	if (!l->refused_send || l->state != OPEN || ws_queued(l) > l->o.queue_most / 4)
		return;
	l->refused_send = false;
	if (l->base.events && l->base.events->room)
		l->base.events->room(l->base.owner, &l->base);
}

void ws_flush(void *arg)
{
	struct ws_link *l = arg;
	l->blocked = false;
	while (ws_queued(l)) {
		ssize_t n = stream_write(&l->stream, l->out.p + l->out_done, ws_queued(l));
		if (n == -EAGAIN) {
			l->blocked = true;
			break;
		}
		if (n < 0) {
			ws_lost(l, (int)n);
			return;
		}
		l->out_done += (size_t)n;
	}
	if (!ws_queued(l))
		drained(l);
	else if (l->out_done >= l->out.n / 2) {
		buf_consume(&l->out, l->out_done);
		l->out_done = 0;
	}
	ws_want(l);
	tell_room(l);
}

/* Key by key over the bytes; masks and unmasks, also in place. */
void ws_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4])
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

void ws_put_frame(struct ws_link *l, uint8_t opcode, uint8_t rsv, struct slice payload)
{
	if (!l->out.p)
		l->out = spare_take();
	uint8_t *start = (uint8_t *)buf_room(&l->out, payload.n + WS_HEADER_MOST), *to = start;
	to = put_header(to, (uint8_t)(0x80 | rsv << 4 | opcode), l->o.client, payload.n);
	if (l->o.client) {
		const uint8_t *key = memcpy(to, fresh_key(), 4);
		to += 4;
		ws_mask(to, (const uint8_t *)payload.p, payload.n, key);
	} else if (payload.n) {
		memcpy(to, payload.p, payload.n);
	}
	l->out.n += (size_t)(to - start) + payload.n;
	l->out.p[l->out.n] = 0;
	if (!l->blocked)
		later_call(&l->flush, ws_flush, l);
}

void ws_put_close(struct ws_link *l, int code, struct slice reason)
{
	char payload[WS_CONTROL_MOST];
	if (reason.n > WS_CONTROL_MOST - 2)
		reason.n = WS_CONTROL_MOST - 2;
	while (reason.n && !utf8_valid(reason)) /* a character was cut */
		reason.n--;
	payload[0] = (char)(code >> 8);
	payload[1] = (char)code;
	if (reason.n)
		memcpy(payload + 2, reason.p, reason.n);
	ws_put_frame(l, WSLAY_CONNECTION_CLOSE, 0, (struct slice){ payload, code == CODE_NONE ? 0 : reason.n + 2 });
}

int ws_send_message(struct ws_link *l, uint8_t opcode, struct slice payload)
{
	struct buf small = { 0 };
	if (l->state != OPEN)
		return ERR_CLOSED;
	if (ws_queued(l) >= l->o.queue_most) {
		l->refused_send = true;
		return ERR_FULL;
	}
	if (l->o.deflate.on && deflate_message(&l->o.deflate, payload, &small))
		ws_put_frame(l, opcode, WSLAY_RSV1_BIT, buf_view(&small));
	else
		ws_put_frame(l, opcode, 0, payload);
	buf_free(&small);
	l->base.messages_out++;
	return 0;
}
