/* One TLS connection to an endpoint for all lanes of an uplink: each WebSocket is a stream of HTTP/2 in it (RFC 8441, extended CONNECT). One
 * handshake, one entry in every NAT on the way, one keep-alive. Where the peer does not offer that, every lane gets a socket of its own, and
 * that is said. Loop thread. */
#ifndef AMPGATE_GATEWAY_MUX_H
#define AMPGATE_GATEWAY_MUX_H

#include "gateway/net/dial.h"

struct mux;

struct mux_config {
	const char *url;          /* of the endpoint, wss://; its host and port count */
	struct tls_client *tls;
	int64_t timeout_us;       /* of a connect */
	int64_t ping_us;          /* of the connection, when nothing else comes; 0: none */
	/* How the lanes travel, whenever that is found out: shared, or why not. May be NULL. */
	void (*found)(void *arg, bool shared, const char *why);
	void *arg;
};

bool mux_is_built(void);                               /* false: this program was made without HTTP/2; mux_dial is dial then */
struct mux *mux_open(const struct mux_config *c);      /* copies the URL; connects when somebody dials */
void mux_close(struct mux **m);                        /* its links are released already */

/* As dial, and `up` or `down` of the link follow in the same way. */
struct link *mux_dial(struct mux *m, const struct dial_config *c, const struct link_events *events, void *owner);

/* For connections from now on; those that stand go on as long as somebody is on them, and nobody comes on them any more. */
void mux_use_tls(struct mux *m, struct tls_client *tls);

struct mux_view {
	unsigned connections, streams; /* open now */
	uint64_t handshakes;           /* TLS handshakes of shared connections so far */
	bool separate;                 /* the peer does not offer it */
};
void mux_view(const struct mux *m, struct mux_view *out);

#endif
