/* Room for transaction messages: before there is none left for new starts, meter values are thinned out; when nothing can be stored, the operator
 * is told, once, and once when it is over. Loop thread. */
#ifndef AMPGATE_GATEWAY_ROOM_H
#define AMPGATE_GATEWAY_ROOM_H

#include "gateway/session/session.h"

void room_refused(struct gateway *g, int err);         /* a message could not be stored */
void room_taken(struct gateway *g, bool start);        /* one was; for a start there has to be more room than for anything else */

#endif
