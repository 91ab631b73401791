/* What gateway/net/mux.c and gateway/net/mux-strand.c share: the connection, and the strands on it. Nobody else includes this. */
#ifndef AMPGATE_GATEWAY_MUX_PARTS_H
#define AMPGATE_GATEWAY_MUX_PARTS_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/timer.h"
#include "gateway/net/mux.h"

enum shared_state { REACHING, GREETING, READY, GONE };

struct shared {
	struct list in_mux;
	struct mux *mux;
	enum shared_state state;
	struct dialing *dialing;
	struct stream stream;
	struct watch watch;
	nghttp2_session *session;
	struct buf out;
	size_t out_done;
	bool blocked, draining;
	struct list strands;
	unsigned count;              /* strands with a stream */
	char peer[64];
	char *interface;             /* it leaves by; NULL: as routed */
	int64_t heard_us, pinged_us;
	struct timer ping, idle;
	struct later flush, end, verdict;
	const char *why;             /* it ends */
	int err;
};

struct mux {
	struct mux_config conf;
	char *url;
	struct list connections;
	int64_t separate_until_us;   /* monotonic; 0: shared as far as known */
	uint64_t handshakes;
};

struct strand {
	struct carried carried;      /* first: what link-ws holds */
	struct list in_shared;
	struct shared *shared;       /* NULL: its connection is gone */
	struct link *link;           /* until it is up */
	struct dial_target target;
	char *url, *subprotocol, *user, *authorization, *interface;
	struct slice password;
	struct dial_config conf;     /* with the texts above */
	int32_t id;                  /* -1: not asked yet */
	int status;                  /* of the answer; 0: none yet */
	char *chosen, *extensions, *reason;
	bool answered, ended, lost, finishing, deferred, released;
	struct buf in, out;
	size_t in_done, out_done;
	unsigned interest;
	struct timer deadline;
	struct later turn;
};

/* ---- strands: gateway/net/mux-strand.c ---- */

/* Without a connection yet; `c` is copied. Its link is up or fails later. */
struct strand *strand_new(const struct dial_config *c, const struct link_events *events, void *owner);
void strand_drop(struct strand *s);                       /* whoever had it has it no more; the peer is told if its stream still stands */
void strand_fail(struct strand *s, int err, int code, const char *reason); /* the connect of its link has failed */
void strand_lost(struct strand *s, const char *why);      /* its connection is gone; the owner hears it on a later turn */
void strand_go_alone(struct strand *s);                   /* its link goes on with a socket of its own */
void strand_ask(struct strand *s);                        /* for its WebSocket, where its connection is ready */
void strand_frame(struct strand *s, const nghttp2_frame *frame);
void strand_callbacks(nghttp2_session_callbacks *callbacks); /* all but the one for whole frames */

/* ---- the connection: gateway/net/mux.c ---- */

void shared_flush_soon(struct shared *h);
void shared_count_down(struct shared *h); /* a stream of it has ended */

#endif
