/* Passwords of stations that were changed through the box: what a CSMS gave a station, and the station took, is what the station shows from its next
 * connection on, and what the CSMS expects on its lane. Kept in the state directory; never logged or shown. Loop thread. */
#ifndef AMPGATE_GATEWAY_LEARNT_H
#define AMPGATE_GATEWAY_LEARNT_H

#include "gateway/session/session.h"

struct learnt; /* of a session; NULL: nothing was changed */

void learnt_load(struct session *s);
void learnt_free(struct session *s);

/* The station has answered a CALL of its CSMS. */
void learnt_look(struct session *s, struct frame *call, struct frame *answer);

/* Whether a station may come in with this password. The configured one holds beside the new one until the new one was shown for the first time,
 * since a station may fail to store it. */
bool learnt_fits(struct session *s, struct slice shown);

/* What its lane shows in place of the configured password; absent: that. */
struct slice learnt_upwards(const struct session *s);

#endif
