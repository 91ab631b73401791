/* Connecting to a CSMS: name, TCP, TLS, upgrade, each with its time and a clear cause when it fails. Loop thread. */
#ifndef AMPGATE_GATEWAY_DIAL_H
#define AMPGATE_GATEWAY_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "gateway/net/link-ws.h"
#include "gateway/net/tls.h"
#include "ocpp/link.h"

/* Everything is copied or counted before dial returns. */
struct dial_config {
	const char *url;          /* ws://, wss:// (http:// and https:// are the same), identity in place and percent-encoded */
	const char *subprotocol;  /* "ocpp1.6", or a list in order of preference; NULL: none is offered and none may come back */
	const char *user;
	struct slice password;    /* bytes; absent: no Authorization */
	struct tls_client *tls;   /* needed for wss */
	const char *interface;    /* leave by this one, where the system lets us; NULL: as routed */
	int64_t timeout_us;       /* for the whole connect; 0: 30 s */
	int64_t ping_us, pong_timeout_us;
	size_t message_most, queue_most;
	bool deflate;             /* offer compression */
	void (*binary)(void *owner, struct link *l, struct slice bytes); /* as in struct ws_options; NULL in OCPP */
	bool ask_h2;              /* dial_reach: offer HTTP/2 in the TLS handshake */
};

/* Never NULL. `up` or `down` follows on a later turn. In `down`: the negative errno of the connect; -EHOSTUNREACH: the name has no address;
 * ERR_TLS with OpenSSL's reason; ERR_TIMEOUT with the stage; and with code the HTTP status: ERR_AUTH for 401 and 403, ERR_NOT_FOUND for 404,
 * ERR_REFUSED for others; ERR_PROTOCOL for an answer that is none, and a wrong or missing subprotocol; ERR_INVALID for the URL. */
struct link *dial(const struct dial_config *c, const struct link_events *events, void *owner);

/* The same for a link that is there already and not open (ws_link_new), with its own owner and bounds. */
void dial_link(struct link *l, const struct dial_config *c);

/* As far as TLS and no further, for a connection that many will share. `done` comes on a later turn: with the stream, which is its to take, and
 * whether the peer chose HTTP/2; or with what went wrong, as in dial's `down`. */
typedef void reach_done(void *arg, struct stream *s, bool h2, const struct link_end *why);
struct dialing *dial_reach(const struct dial_config *c, reach_done *done, void *arg);
void dial_reach_cancel(struct dialing *d); /* `done` does not come any more */

/* A URL as an HTTP/2 request names it. False: it cannot be read. */
struct dial_target {
	char *authority, *path;
};
bool dial_target(const char *url, struct dial_target *out);
void dial_target_free(struct dial_target *t);
/* The credentials of Basic, in base64; the caller's. */
char *dial_basic(const char *user, struct slice password);
/* Whether the server's choice is one that was offered; both absent is fine. */
bool dial_subprotocol_fits(const char *offered, struct slice chosen);

/* The stages of this link's connect, from `up` or `down` on; only for links that dial made. */
const struct dial_times *dial_times(struct link *l);

#endif
