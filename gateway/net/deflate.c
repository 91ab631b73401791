/* permessage-deflate: negotiation, and messages one by one.
 *
 * A compressed message is a deflate stream ended by an empty stored block whose four last bytes, 00 00 ff ff, are not sent (RFC 7692
 * 7.2.1). Easy to get wrong: a peer may set BFINAL in its last block, after which the appended four bytes start a new stream (7.2.3.4); and
 * zlib cannot write a window of 8 bits, so an offer that demands one is passed over. */
#include "gateway/net/deflate.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

#define SMALLEST 96        /* shorter messages are sent as they are */
#define WINDOW_BITS 13     /* of our own choice: OCPP's messages are a few KiB, and a reset clears what the window costs */
#define LEVEL 3
#define MEM_LEVEL 6
#define STEP (16 * 1024)   /* output room while expanding */

const char deflate_offer[] = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";

static const unsigned char tail[4] = { 0x00, 0x00, 0xff, 0xff };

static struct {
	z_stream *writers[16]; /* by window bits */
	z_stream *reader;
} shared;

/* One offer, or one answer, as read. */
struct params {
	bool server_no_context, client_no_context, client_bits_named;
	int server_bits; /* 0: not named */
	bool bad;
};

static struct slice trimmed(struct slice s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool next_param(struct slice *rest, struct slice *name, struct slice *value)
{
	if (!rest->n)
		return false;
	const char *end = memchr(rest->p, ';', rest->n);
	struct slice one = { rest->p, end ? (size_t)(end - rest->p) : rest->n };
	rest->p += one.n + (end != NULL);
	rest->n -= one.n + (end != NULL);
	const char *equals = memchr(one.p, '=', one.n);
	*name = trimmed((struct slice){ one.p, equals ? (size_t)(equals - one.p) : one.n });
	*value = equals ? trimmed((struct slice){ equals + 1, one.n - (size_t)(equals - one.p) - 1 }) : (struct slice){ 0 };
	if (value->n >= 2 && value->p[0] == '"' && value->p[value->n - 1] == '"')
		*value = (struct slice){ value->p + 1, value->n - 2 };
	return true;
}

/* 8 to 15 without leading zeros, or 0. */
static int window_bits(struct slice s)
{
	if (s.n == 1 && (s.p[0] == '8' || s.p[0] == '9'))
		return s.p[0] - '0';
	if (s.n == 2 && s.p[0] == '1' && s.p[1] >= '0' && s.p[1] <= '5')
		return 10 + s.p[1] - '0';
	return 0;
}

static void read_param(struct params *p, struct slice name, struct slice value)
{
	bool *flag = slice_is(name, "server_no_context_takeover") ? &p->server_no_context :
		     slice_is(name, "client_no_context_takeover") ? &p->client_no_context : NULL;
	if (flag) {
		p->bad |= *flag || value.p;
		*flag = true;
	} else if (slice_is(name, "server_max_window_bits")) {
		p->bad |= p->server_bits != 0 || !window_bits(value);
		p->server_bits = window_bits(value);
	} else if (slice_is(name, "client_max_window_bits")) {
		p->bad |= p->client_bits_named || (value.p && !window_bits(value));
		p->client_bits_named = true;
	} else {
		p->bad = true;
	}
}

/* Reads "permessage-deflate; name=value; ...". False: another extension. */
static bool read_params(struct slice element, struct params *out)
{
	struct slice name, value;
	*out = (struct params){ 0 };
	if (!next_param(&element, &name, &value) || !slice_is(name, "permessage-deflate"))
		return false;
	while (next_param(&element, &name, &value))
		read_param(out, name, value);
	return true;
}

static uint8_t our_bits(const struct params *p)
{
	return (uint8_t)(p->server_bits && p->server_bits < WINDOW_BITS ? p->server_bits : WINDOW_BITS);
}

static bool accept_offer(struct slice element, struct deflate_terms *terms_out, struct buf *answer)
{
	struct params p;
	if (!read_params(element, &p) || p.bad || p.server_bits == 8)
		return false;
	*terms_out = (struct deflate_terms){ .on = true, .window_bits = our_bits(&p) };
	buf_puts(answer, deflate_offer);
	if (p.server_bits)
		buf_printf(answer, "; server_max_window_bits=%d", p.server_bits);
	return true;
}

void deflate_accept(const struct http_head *request, struct deflate_terms *terms_out, struct buf *answer)
{
	struct slice value, element;
	*terms_out = (struct deflate_terms){ 0 };
	for (size_t i = 0; value = http_field_nth(request, "Sec-WebSocket-Extensions", i), value.p; i++)
		while (http_list_next(&value, &element))
			if (accept_offer(element, terms_out, answer))
				return;
}

int deflate_agreed(const struct http_head *answer, bool offered, struct deflate_terms *terms_out, const char **why_out)
{
	struct slice value, element;
	struct params p;
	*terms_out = (struct deflate_terms){ 0 };
	*why_out = NULL;
	for (size_t i = 0; value = http_field_nth(answer, "Sec-WebSocket-Extensions", i), value.p; i++)
		while (!*why_out && http_list_next(&value, &element)) {
			if (!offered || terms_out->on || !read_params(element, &p))
				*why_out = "the server agreed to an extension that was not offered";
			else if (p.bad || p.client_bits_named)
				*why_out = "the server agreed to compression with parameters that were not offered";
			else if (!p.server_no_context)
				*why_out = "the server wants to keep its compression context, which was excluded";
			*terms_out = (struct deflate_terms){ .on = true, .window_bits = WINDOW_BITS };
		}
	return *why_out ? ERR_PROTOCOL : 0;
}

static z_stream *writer(int bits)
{
	z_stream *z = shared.writers[bits];
	if (z) {
		deflateReset(z);
		return z;
	}
	z = shared.writers[bits] = NEW(z_stream);
	if (deflateInit2(z, LEVEL, Z_DEFLATED, -bits, MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* out of memory, as in base/mem */
	return z;
}

bool deflate_message(const struct deflate_terms *terms, struct slice message, struct buf *out)
{
	if (message.n < SMALLEST)
		return false;
	z_stream *z = writer(terms->window_bits);
	size_t room = message.n - 1 + sizeof(tail);
	z->next_in = (unsigned char *)(uintptr_t)message.p;
	z->avail_in = (unsigned)message.n;
	z->next_out = (unsigned char *)buf_room(out, room);
	z->avail_out = (unsigned)room;
	int result = deflate(z, Z_SYNC_FLUSH);
	size_t made = room - z->avail_out;
	if (result != Z_OK || z->avail_in || !z->avail_out || made < sizeof(tail))
		return false; /* no room left: it grows */
	out->n += made - sizeof(tail);
	return true;
}

static z_stream *reader(void)
{
	if (shared.reader) {
		inflateReset(shared.reader);
		return shared.reader;
	}
	shared.reader = NEW(z_stream);
	if (inflateInit2(shared.reader, -15) != Z_OK)
		abort(); /* out of memory, as in base/mem */
	return shared.reader;
}

/* Runs one piece of input through; `start` is where the message begins in `out`. */
static int expand(z_stream *z, const void *piece, size_t n, size_t start, size_t most, struct buf *out)
{
	z->next_in = (unsigned char *)(uintptr_t)piece;
	z->avail_in = (unsigned)n;
	for (;;) {
		z->next_out = (unsigned char *)buf_room(out, STEP);
		z->avail_out = STEP;
		int result = inflate(z, Z_SYNC_FLUSH);
		out->n += STEP - z->avail_out;
		if (out->n - start > most)
			return ERR_TOO_LARGE;
		if (result == Z_STREAM_END)
			inflateReset(z);
		else if (result == Z_BUF_ERROR || (result == Z_OK && z->avail_out))
			return z->avail_in ? ERR_PROTOCOL : 0;
		else if (result != Z_OK)
			return ERR_PROTOCOL;
		if (!z->avail_in && z->avail_out)
			return 0;
	}
}

int deflate_expand(struct slice compressed, size_t most, struct buf *out)
{
	z_stream *z = reader();
	size_t start = out->n;
	int err = expand(z, compressed.p, compressed.n, start, most, out);
	if (!err)
		err = expand(z, tail, sizeof(tail), start, most, out);
	buf_room(out, 0)[0] = 0;
	return err;
}

void deflate_free(void)
{
	for (size_t i = 0; i < 16; i++)
		if (shared.writers[i]) {
			deflateEnd(shared.writers[i]);
			mem_free(shared.writers[i]);
		}
	if (shared.reader) {
		inflateEnd(shared.reader);
		mem_free(shared.reader);
	}
	memset(&shared, 0, sizeof(shared));
}
