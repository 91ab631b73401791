/* permessage-deflate (RFC 7692), agreed for each leg on its own, without context from one message to the next in either direction: a context
 * costs up to 300 KiB per link, and peers are known that lose theirs. So the compressors belong to the process. Loop thread. */
#ifndef AMPGATE_GATEWAY_DEFLATE_H
#define AMPGATE_GATEWAY_DEFLATE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "gateway/net/http1.h"

/* What one link has agreed. */
struct deflate_terms {
	bool on;
	uint8_t window_bits; /* of what we send: 9 to 15 */
};

/* The accepting side: takes the first offer in the request's Sec-WebSocket-Extensions that it can keep, and appends the value of the
 * answer's field. Leaves `answer` alone and terms off where there is none. */
void deflate_accept(const struct http_head *request, struct deflate_terms *terms_out, struct buf *answer);

/* The connecting side: what it offers, and what the answer made of it. ERR_PROTOCOL, with the reason: the server agreed to something that
 * was not offered. With `offered` false any extension in the answer is one. */
extern const char deflate_offer[];
int deflate_agreed(const struct http_head *answer, bool offered, struct deflate_terms *terms_out, const char **why_out) MUST_CHECK;

/* Appends the message in compressed form. False: it would not become smaller, and nothing was appended. */
bool deflate_message(const struct deflate_terms *terms, struct slice message, struct buf *out);

/* Appends what a compressed message holds. ERR_TOO_LARGE: more than `most` bytes; ERR_PROTOCOL: not deflate's format. */
int deflate_expand(struct slice compressed, size_t most, struct buf *out) MUST_CHECK;

void deflate_free(void); /* the process's compressors; they come back when needed */

#endif
