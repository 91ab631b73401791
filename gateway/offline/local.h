/* Answers when nobody upstream can give one (OCPP 2.1 Part 4 6.3: a local controller that can answer may keep its stations' links open). */
#ifndef AMPGATE_GATEWAY_LOCAL_H
#define AMPGATE_GATEWAY_LOCAL_H

#include "base/buf.h"
#include "gateway/session/session.h"

/* Answers a station's CALL that is no transaction message; what the CSMS must hear later is noted. `e`: its meaning, kind EV_NONE if it
 * has none for us. */
void local_answer(struct session *s, struct frame *f, const struct event *e);

/* The answer to a transaction message while alone, appended; "%ID%" stands for the provisional id in a 1.6 start. */
void local_tx_answer(struct session *s, const struct action *act, const struct event *e, struct buf *payload);

#endif
