/* The CALLs put to one peer over one link: in order, one in flight (1.6-J 4.1.1, 2.x Part 4 4.1.1), each with a deadline.
 * Whoever asks, the CSMS through us or we ourselves, asks through the same object, so the rule holds for both together. */
#ifndef AMPGATE_OCPP_CALLS_H
#define AMPGATE_OCPP_CALLS_H

#include "base/list.h"
#include "base/timer.h"
#include "ocpp/frame.h"
#include "ocpp/link.h"

struct call;

/* How a call ended. `answer` is NULL when err is ERR_TIMEOUT (none came), ERR_CLOSED (the link went down; *sent tells whether it had left)
 * or ERR_REFUSED (cancelled). The call is freed behind the callback, which may ask again, cancel others, or close the calls object,
 * whose memory must last until the callback has returned. */
typedef void call_done(void *arg, struct call *c, int err, struct frame *answer);

struct call {
	struct list entry;
	struct slice id;            /* owned: stands behind the call */
	const struct action *act;   /* may be NULL */
	bool sent;
	bool urgent;
	int64_t asked_us, sent_us;  /* monotonic */
	int64_t timeout_us;
	call_done *done;
	void *arg;
	struct slice text;          /* owned copy while it waits; absent once it was sent */
	char id_text[];
};

struct calls {
	struct link *link;          /* NULL: nobody there; calls wait */
	struct list waiting;
	struct list ending;         /* those whose callbacks are being told that the link is gone */
	struct call *in_flight;
	struct timer deadline;
	unsigned count, most;       /* waiting and in flight; `most`: bound, ERR_FULL above */
};

void calls_open(struct calls *c, unsigned most);
void calls_close(struct calls *c);  /* ends all with ERR_CLOSED; asking afterwards is refused */

/* Asks. ERR_FULL: `most` reached; ERR_CLOSED: calls_close was called. A link that refuses the text does not fail the call, which then waits
 * for calls_room or the next link. `timeout_us` (> 0) counts from the sending. `text` is the whole frame, `id` its id; both are copied where
 * needed (a call that can leave at once is sent without a copy).
 * urgent: before those that wait without it. The call in *out (may be NULL) lives until `done` has returned. */
struct ask {
	struct slice text, id;
	const struct action *act;
	int64_t timeout_us;
	bool urgent;
	call_done *done;
	void *arg;
};
int calls_ask(struct calls *c, const struct ask *ask, struct call **out) MUST_CHECK;

/* A RESULT or ERROR arrived. False: nobody asked, or its call had timed out (the caller drops it and counts). */
bool calls_answer(struct calls *c, struct frame *answer);

/* The call that this RESULT or ERROR would end; NULL: nobody asked. */
const struct call *calls_asked(const struct calls *c, const struct frame *answer);

void calls_link_up(struct calls *c, struct link *l); /* what waits is sent */
/* The link is gone. The call in flight ends with ERR_CLOSED; those that wait stay, or end too. */
void calls_link_down(struct calls *c, bool end_waiting);
void calls_room(struct calls *c);                    /* the link has room again */
/* Ends it with ERR_REFUSED. One in flight occupies the peer until its answer comes, which is dropped (calls_answer says true), or until its
 * deadline; the next call waits for that. */
void calls_cancel(struct calls *c, struct call *call);

#endif
