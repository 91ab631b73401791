/* A token that was let in here, and that the CSMS says no to when it hears of it: told to the operator, and by authorization.on_refused the
 * transaction is stopped, as its station would have done it had it heard the CSMS's answer itself (1.6 StopTransactionOnInvalidId, 2.x E05, C15).
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_REFUSED_H
#define AMPGATE_GATEWAY_REFUSED_H

#include "gateway/session/session.h"

/* `tx`: as the station knows it. */
void refused_tx(struct session *s, const char *tx, const char *action, struct slice status);
/* Whatever runs on this token at this station. */
void refused_token(struct session *s, const char *token, const char *action, struct slice status);
/* The station is here again: what could not be stopped yet is stopped now. */
void refused_resume(struct session *s);

#endif
