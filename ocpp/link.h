/* One end of a conversation: a WebSocket, a SOAP peer, the in-process station, a scripted peer in a test. Its owner sees whole messages.
 * Loop thread. A link is never freed inside its own callback. */
#ifndef AMPGATE_OCPP_LINK_H
#define AMPGATE_OCPP_LINK_H

#include "base/log.h"
#include "base/str.h"
#include "ocpp/version.h"

struct link;

struct link_end {
	int code;            /* WebSocket close code, 1006 for none; HTTP status of a refused handshake */
	int err;             /* ERR_CLOSED, ERR_TIMEOUT, ERR_TLS, ERR_AUTH, ERR_PROTOCOL, -ECONNREFUSED ... */
	bool by_us;
	const char *reason;  /* English, for the log; lives during the callback */
};

struct link_ops {
	const char *name; /* "ws", "local", ... */
	/* Takes a copy of the text. 0, ERR_FULL (above the high-water mark: nothing was taken), ERR_CLOSED. */
	int (*send)(struct link *l, struct slice text);
	/* Says goodbye; `down` follows on a later turn of the loop. */
	void (*close)(struct link *l, int code, const char *reason);
	/* The owner is gone: no callback any more, close and free when possible. */
	void (*release)(struct link *l);
};

struct link_events {
	void (*up)(void *owner, struct link *l);                             /* a connecting link is open; not called for accepted ones */
	void (*text)(void *owner, struct link *l, struct slice text);        /* one whole message, valid UTF-8; lives during the callback */
	void (*room)(void *owner, struct link *l);                           /* below the low-water mark again; may be NULL */
	void (*down)(void *owner, struct link *l, const struct link_end *why); /* last callback; the owner then calls link_release */
};

struct link {
	const struct link_ops *ops;
	const struct link_events *events;
	void *owner;
	enum ocpp_version version; /* valid once up */
	struct log log;
	char peer[64];             /* address of the other end, for people */
	int64_t since_us;          /* monotonic, when it came up */
	int64_t heard_us;          /* monotonic, when the last byte came, a pong's too; 0: never, or a link without a network */
	int64_t rtt_us;            /* from the last ping to its pong; 0: not known */
	uint64_t messages_in, messages_out;
};

static inline int link_send(struct link *l, struct slice text)
{
	return l->ops->send(l, text);
}
static inline void link_close(struct link *l, int code, const char *reason)
{
	l->ops->close(l, code, reason);
}
static inline void link_release(struct link *l)
{
	l->ops->release(l);
}

#endif
