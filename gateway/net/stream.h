/* A non-blocking byte stream over a connected socket, plain or TLS, or inside a connection that several share (gateway/net/mux.h). No buffers of
 * its own: what OpenSSL keeps is released while idle. */
#ifndef AMPGATE_GATEWAY_STREAM_H
#define AMPGATE_GATEWAY_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/str.h"

struct ssl_st;

/* A stream without a socket of its own. Its maker calls `ready` on a later turn, as a watch would, while what is wanted is possible. */
struct carried {
	ssize_t (*read)(struct carried *c, void *to, size_t n);
	ssize_t (*write)(struct carried *c, const void *bytes, size_t n);
	void (*want)(struct carried *c, unsigned interest);
	void (*finish)(struct carried *c);
	void (*close)(struct carried *c); /* gone, with what it holds; no `ready` follows */
	void (*ready)(void *arg, unsigned what);
	void *arg;
	const char *peer;
};

struct stream {
	struct carried *carried; /* NULL: a socket */
	int fd;             /* -1: closed */
	struct ssl_st *ssl; /* NULL: plain */
	unsigned wants;     /* after -EAGAIN from a TLS call: the WATCH_ bits it waits for */
};

void stream_open(struct stream *s, int fd, struct ssl_st *ssl); /* takes both; non-blocking, TCP_NODELAY, keepalive */
void stream_close(struct stream *s);                            /* fine for a closed one */

/* The TLS handshake, either side: 0 done (or plain), -EAGAIN: call again when `wants` is ready, ERR_TLS with the reason in *why_out
 * (static, until the next call), ERR_CLOSED. */
int stream_handshake(struct stream *s, const char **why_out) MUST_CHECK;

/* At most n bytes: their number, 0 at the end of the stream, -EAGAIN, or what went wrong (-ECONNRESET, ERR_TLS). */
ssize_t stream_read(struct stream *s, void *to, size_t n) MUST_CHECK;
bool stream_has_more(const struct stream *s);  /* bytes are here that the descriptor will not announce (TLS records) */
ssize_t stream_write(struct stream *s, const void *bytes, size_t n) MUST_CHECK; /* as stream_read; never 0 */
/* To be told when something of it is possible: by `w`, or by whoever carries the stream. */
void stream_watch(struct stream *s, struct watch *w, void (*ready)(void *arg, unsigned what), void *arg);
void stream_want(struct stream *s, struct watch *w, unsigned interest);
void stream_finish(struct stream *s);          /* nothing more will be written: TLS close_notify, FIN */

/* "192.0.2.7:51234", "[2001:db8::1]:443"; "" when unknown. */
void stream_peer(const struct stream *s, char out[64]);
/* A part of the subject of the peer's verified certificate, copied to `out`; absent: there is no certificate, or it does not say. */
bool stream_has_client(const struct stream *s); /* it has shown a certificate, and that is verified */
struct x509_st *stream_certificate(const struct stream *s); /* that one, borrowed; NULL */
enum stream_subject { STREAM_CN, STREAM_O };
struct slice stream_client(const struct stream *s, enum stream_subject part, char *out, size_t room);

#endif
