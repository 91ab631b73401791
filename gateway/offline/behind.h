/* What a CSMS says behind an answer that is still on its way to disk. The answer to a transaction message reaches the station when it is stored,
 * and what the CSMS sent after it (a profile for the transaction that the answer names, a remote stop) must not arrive before: the station would
 * not know the transaction yet, and neither would our table of ids. Loop thread. */
#ifndef AMPGATE_GATEWAY_BEHIND_H
#define AMPGATE_GATEWAY_BEHIND_H

#include "gateway/session/session.h"

/* Whether something of the CSMS has to wait now. Answers to other questions of the station never do. */
bool behind_must_wait(const struct session *s);
/* Takes a copy of the text. False: too much waits already. */
bool behind_put(struct session *s, struct slice text);

/* The ledger: an answer went to the writer thread; it is stored, or the disk did not take it. With the last one, what waited goes on. */
void behind_hold(struct session *s);
void behind_let_go(struct session *s);
/* The lane is gone, and what it said is void. */
void behind_forget(struct session *s);

#endif
