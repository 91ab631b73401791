/* From the outbox to the CSMS: one station's records in order, one in flight, under the message id the station gave. Ids of transactions are
 * put back to the CSMS's, and what happened while alone is marked as such; every other byte is the station's. */
#ifndef AMPGATE_GATEWAY_REPLAY_H
#define AMPGATE_GATEWAY_REPLAY_H

#include "gateway/session/session.h"

void replay_kick(struct session *s); /* sends the next record on a later turn, if the lane is up and nothing is in flight */
void replay_stop(struct session *s); /* the lane went, or the session ends */
/* An answer that no call waits for. True: it was that of a record whose time was over, and counts. */
bool replay_late_answer(struct session *s, struct frame *answer);
/* The CSMS takes no connection of that version any more: its records are set aside. */
void replay_give_up_version(struct session *s, enum ocpp_version version);
void replay_kick_all(struct gateway *g); /* the operator set records aside, or made them due again */

#endif
