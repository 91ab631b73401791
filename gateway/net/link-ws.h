/* A WebSocket as a link (ocpp/link.h), either role, over a stream whose HTTP heads are done with. gateway/net/listen and gateway/net/dial make these;
 * nobody else needs more than ocpp/link.h. Loop thread. */
#ifndef AMPGATE_GATEWAY_LINK_WS_H
#define AMPGATE_GATEWAY_LINK_WS_H

#include "base/buf.h"
#include "gateway/net/deflate.h"
#include "gateway/net/stream.h"
#include "ocpp/link.h"

#define WS_MESSAGE_MOST (1024 * 1024)
#define WS_QUEUE_MOST (1024 * 1024)

struct ws_options {
	bool client;                /* we connected: what we send is masked */
	bool rsv1_unasked;          /* expand compressed messages that were not negotiated, as some chargers send them */
	struct deflate_terms deflate;
	size_t message_most;        /* bytes of a message from the peer, expanded; 0: WS_MESSAGE_MOST. Above: close 1009 */
	size_t queue_most;          /* bytes that wait to be sent; 0: WS_QUEUE_MOST. The low-water mark is a quarter of it */
	int64_t ping_us;            /* between pings; 0: none */
	int64_t pong_timeout_us;    /* for any sign of life after a ping; 0: as long as ping_us */
	int64_t idle_us;            /* without a byte from the peer; 0: for ever */
	/* Binary messages; NULL: they end the link with 1003, as OCPP has text only. */
	void (*binary)(void *owner, struct link *l, struct slice bytes);
	void (*freed)(void *arg);   /* the link is gone for good; may be NULL */
	void *arg;
};

/* How long each stage of a connect took; 0: not reached or not needed. */
struct dial_times {
	int64_t dns_us, tcp_us, tls_us, upgrade_us;
};

/* A link that is not open yet: sends fail with ERR_CLOSED. When its owner closes or releases it before ws_link_open, `cancel` is called once,
 * and must not come back. An accepted link has `cancel` NULL. */
struct link *ws_link_new(const struct ws_options *o, void (*cancel)(void *arg), void *arg);
/* While it is not open yet, somebody else is connecting it. */
void ws_link_on_cancel(struct link *l, void (*cancel)(void *arg), void *arg);
struct dial_times *ws_link_times(struct link *l);
void ws_link_agreed(struct link *l, const struct deflate_terms *terms); /* known only with the server's answer; before ws_link_open */

/* Takes the stream. `greeting` (the 101 of the accepting side, or nothing) leaves before any frame. Does not call `up`. */
void ws_link_open(struct link *l, struct stream *s, struct slice greeting);
/* Bytes that came behind the peer's head. Not from inside a callback of this link. */
void ws_link_feed(struct link *l, struct slice bytes);
/* It never opened: `down` follows on a later turn. The reason is copied. */
void ws_link_failed(struct link *l, int err, int code, const char *reason);

/* The value that answers a Sec-WebSocket-Key (RFC 6455 4.2.2): 28 characters and NUL. */
#define WS_ACCEPT_TEXT 29
void ws_accept_text(struct slice key, char out[WS_ACCEPT_TEXT]);

/* From now on so; fields as in struct ws_options. For stations that cannot bear pings, or have an interval of their own. */
void ws_link_pings(struct link *l, int64_t ping_us, int64_t pong_timeout_us);

int ws_link_send_binary(struct link *l, struct slice bytes); /* as link_send */

void ws_link_free_shared(void); /* the process's parsers, at its end */

#endif
