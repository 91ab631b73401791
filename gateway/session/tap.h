/* Neutral events on their way through: what energy, status pages and the caches learn from them. Never changes or holds a frame. */
#ifndef AMPGATE_GATEWAY_TAP_H
#define AMPGATE_GATEWAY_TAP_H

#include "gateway/session/session.h"

bool tap_wants(const struct action *act);                           /* is its meaning worth reading? */
bool tap_wants_answer(const struct action *act);                    /* does the CSMS's answer to it tell us anything? */
void tap_event(struct session *s, const struct event *e);           /* the station said */
void tap_answer(struct session *s, const struct event *asked, const struct action *act, struct frame *answer); /* the CSMS answered */
/* A transaction runs under this id (1.6: known only from the answer), or ended. */
void tap_tx_started(struct session *s, int evse, struct slice tx, struct slice token, int64_t wall_us, double wh);
void tap_tx_ended(struct session *s, struct slice tx);

/* What a car wants in its whole session (NaN: not said), and when it leaves, monotonic (0: not said), to be shown; forgotten when the transaction ends. */
void tap_need(struct session *s, int evse, double need_wh, int64_t leaves_us);
void tap_link(struct session *s, bool online);

#endif
