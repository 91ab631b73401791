/* The station's mouth: an event becomes a CALL of the station's version and goes to the peer in turn; its answer comes back as a reply.
 * Loop thread. */
#ifndef AMPGATE_STATION_WIRE_H
#define AMPGATE_STATION_WIRE_H

#include "ocpp/calls.h"
#include "ocpp/event.h"

/* err 0: an answer came, which may be a CALLERROR (r->error_code). ERR_TIMEOUT, ERR_CLOSED, ERR_PROTOCOL (an answer that cannot be read):
 * r is NULL. The reply lives during the call. */
typedef void wire_done(void *arg, int err, const struct reply *r);

struct wire {
	enum ocpp_version version;
	struct calls calls;
	int64_t timeout_us;
	uint64_t seed;            /* of ids; 0: random ones */
};

void wire_open(struct wire *w, enum ocpp_version v, int64_t timeout_us, uint64_t seed, unsigned most); /* most: calls waiting at once */
void wire_close(struct wire *w); /* what is asked ends with ERR_CLOSED */

void wire_id(struct wire *w, char out[UUID_TEXT]); /* a fresh id, of messages and of transactions */

/* Asks. id NULL: a fresh one. 0; ERR_UNSUPPORTED: this version has no such message; ERR_FULL. `done` may be NULL, and is not called unless
 * 0 is returned; it may be called before this returns, when the link goes down. */
int wire_ask(struct wire *w, const struct event *e, const char *id, wire_done *done, void *arg) MUST_CHECK;
/* The same for a payload that is ready. */
int wire_ask_text(struct wire *w, const struct action *act, struct slice payload, const char *id, wire_done *done, void *arg) MUST_CHECK;

/* Asks and does not care. */
void wire_tell(struct wire *w, const struct event *e);

#endif
