/* Listening sockets for charging stations: accept, TLS, the request's head, the verdict of a judge, and a link. Loop thread. What is refused
 * is logged here, once, with the reason. */
#ifndef AMPGATE_GATEWAY_LISTEN_H
#define AMPGATE_GATEWAY_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "gateway/net/tls.h"
#include "ocpp/link.h"

struct listener;

/* What a peer asks for. Slices live during the callback. */
struct ws_request {
	struct slice path;           /* the target without query, as sent */
	struct slice identity;       /* its last segment that is not empty, percent-decoded once; UTF-8 without control characters */
	struct slice subprotocols;   /* the list as sent; absent: none */
	struct slice user, password; /* Basic, split at the first colon; the password may hold any byte */
	struct slice host;
	bool has_credentials, tls;
	struct slice client_cn, client_o; /* CN and O of the verified client certificate; absent: none shown, or not in it */
	bool has_certificate;        /* a verified one was shown */
	struct x509_st *certificate; /* that one; NULL */
	char peer[64];
	uint64_t source;             /* whom its address counts as (turnstile.h) */
	uint64_t ticket;             /* for listener_again */
};

#define WS_JUDGED_LATER 0

struct ws_verdict {
	int status;         /* 101 accepts; WS_JUDGED_LATER: the judge is asked again after listener_again, or the connection ends; else the HTTP status of the answer */
	int version;        /* enum ocpp_version. Its name is in the answer where the peer offered it (in any case), else no name is. -1: the
			     * handshake is completed without a subprotocol and the link closed with 1002 (1.6-J 3.2, 2.x Part 4 3.3) */
	const char *reason; /* of a refusal, for the log and the answer; may be NULL */
};

struct listener_config {
	const char *address;       /* numeric; NULL: all */
	int port;                  /* 0: any free one */
	struct tls_server *tls;    /* NULL: plain. Outlives the listener, not its links */
	size_t head_most;          /* 0: HTTP_HEAD_MOST */
	size_t message_most, queue_most; /* as in struct ws_options */
	unsigned connections_most; /* links and heads under way; 0: no bound */
	unsigned heads_most;       /* heads under way: a newcomer beyond takes the place of the oldest; 0: no bound */
	int64_t ping_us, pong_timeout_us, idle_us;
	bool deflate;              /* agree to compression where it is offered */
	bool rsv1_unasked;         /* read compressed messages where it was not */
	void (*judge)(void *arg, const struct ws_request *rq, struct ws_verdict *out);
	/* The owner sets l->events and l->owner in here, and may send, close or release at once. l->version is set. */
	void (*accepted)(void *arg, const struct ws_request *rq, struct link *l);
	void (*binary)(void *owner, struct link *l, struct slice bytes); /* as in struct ws_options; NULL in OCPP */
	void *arg;
};

struct listener_stats {
	unsigned heads, links;     /* now */
	uint64_t connections, accepted, refused; /* since the start */
};

/* -EADDRINUSE and the like; ERR_INVALID: the address is none. `c` and its strings are copied. */
int listener_open(const struct listener_config *c, struct listener **out) MUST_CHECK;
void listener_use_tls(struct listener *l, struct tls_server *tls); /* for connections from now on; as borrowed as the one in the config */
void listener_again(struct listener *l, uint64_t ticket); /* the judge can say more now; nothing when the connection is gone */
void listener_close(struct listener *l); /* stops accepting and ends heads under way; open links live on */
int listener_port(const struct listener *l);
const struct listener_stats *listener_stats(const struct listener *l);

#endif
