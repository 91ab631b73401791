/* The station's mouth: an event becomes a CALL of the station's version and goes to the peer in turn; its answer comes back as a reply.
 * Turns are taken in lanes. A peer across a network gets one CALL at a time (1.6-J 4.1.1, 2.x Part 4 4.1.1), which is lane 0 alone. A peer
 * inside the program may be asked in several lanes: what bills somebody need not wait there for an answer to something else. Lane 0 waits
 * for the others, so that a state which follows from a start is told behind it. Loop thread. */
#ifndef AMPGATE_STATION_WIRE_H
#define AMPGATE_STATION_WIRE_H

#include "ocpp/calls.h"
#include "ocpp/event.h"

/* err 0: an answer came, which may be a CALLERROR (r->error_code). ERR_TIMEOUT, ERR_CLOSED, ERR_PROTOCOL (an answer that cannot be read):
 * r is NULL. The reply lives during the call. */
typedef void wire_done(void *arg, int err, const struct reply *r);

struct wire {
	enum ocpp_version version;
	struct link *link;        /* NULL: none */
	struct calls *lanes;
	unsigned n_lanes;         /* 1 at least */
	int64_t timeout_us;
	uint64_t seed;            /* of ids; 0: random ones */
};

void wire_open(struct wire *w, enum ocpp_version v, int64_t timeout_us, uint64_t seed, unsigned n_lanes, unsigned most); /* most: calls waiting at once in a lane */
void wire_close(struct wire *w); /* what is asked ends with ERR_CLOSED */

void wire_link_up(struct wire *w, struct link *l);
void wire_link_down(struct wire *w);                    /* all that is asked or waits ends with ERR_CLOSED */
void wire_room(struct wire *w);                         /* the link takes more */
bool wire_answer(struct wire *w, struct frame *answer); /* false: nobody asked */

void wire_id(struct wire *w, char out[UUID_TEXT]); /* a fresh id, of messages and of transactions */

/* Asks. id NULL: a fresh one. 0; ERR_UNSUPPORTED: this version has no such message; ERR_FULL. `done` may be NULL, and is not called unless
 * 0 is returned; it may be called before this returns, when the link goes down. */
int wire_ask(struct wire *w, const struct event *e, const char *id, wire_done *done, void *arg) MUST_CHECK;
int wire_ask_in(struct wire *w, unsigned lane, const struct event *e, const char *id, wire_done *done, void *arg) MUST_CHECK;
/* The same for a payload that is ready. */
int wire_ask_text(struct wire *w, const struct action *act, struct slice payload, const char *id, wire_done *done, void *arg) MUST_CHECK;

/* Asks and does not care. */
void wire_tell(struct wire *w, const struct event *e);

#endif
