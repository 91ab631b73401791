/* Passwords of stations that were changed through the box: what a CSMS gave a station, and the station took, is what the station shows from its next
 * connection on, and what the CSMS expects on its lane. Kept in the state directory; never logged or shown. Loop thread. */
#ifndef AMPGATE_GATEWAY_LEARNT_H
#define AMPGATE_GATEWAY_LEARNT_H

#include "gateway/session/proofs.h"
#include "gateway/session/session.h"
#include "storage/store.h"

struct learnt; /* of a session; NULL: nothing was changed */

void learnt_load(struct session *s);
void learnt_free(struct session *s);

/* The station has answered a CALL of its CSMS. True: `done` follows when what was learnt is on disk; false: nothing was, or it cannot be kept. */
bool learnt_look(struct session *s, struct frame *call, struct frame *answer, store_done *done, void *arg);

/* A station of the box itself is given one. Kept at once, and again before the CSMS hears of it (learnt_look). ERR_REFUSED: its lane shows none. */
int learnt_own(struct session *s, struct slice given) MUST_CHECK;
void learnt_answered(struct session *s); /* the CSMS has heard that it was taken: the lane is opened anew with it */

/* Whether a station may come in with this password. The configured one holds beside the new one until the new one was shown for the first time,
 * since a station may fail to store it. */
enum proof learnt_fits(struct session *s, const struct proof_ask *ask);
bool learnt_is_needed(const struct session *s); /* also where none is configured: it was given one, and has come with it */

/* What its lane shows in place of the configured password; absent: that. A CSMS may fail to store what it has given, too: while it has not taken the
 * new one, each refusal makes the lane try the other one. */
struct slice learnt_upwards(const struct session *s);
bool learnt_refused_upwards(struct session *s); /* true: another one is tried next */
void learnt_taken_upwards(struct session *s);

#endif
