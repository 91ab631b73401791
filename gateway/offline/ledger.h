/* Transaction messages of stations: durable first, then acknowledged. Every start, stop, TransactionEvent and
 * every MeterValues of a transaction goes through the outbox, with the CSMS near or far; MeterValues outside transactions while it is far.
 *
 *   station's CALL --> stored --> sent by replay --> the CSMS's answer --> stored --> the station's answer, the CSMS's bytes
 *                        |                               | none in time, or no lane
 *                        +---------- alone --------------+--> provisional id stored --> the station's answer, ours
 *
 * A start that comes again (same station, EVSE, token, time and meter, under any message id) is the same start, and any other message that comes
 * again (same content) is the same message: it gets the answer it got before, or waits for the one that is under way. Loop thread. */
#ifndef AMPGATE_GATEWAY_LEDGER_H
#define AMPGATE_GATEWAY_LEDGER_H

#include "gateway/session/session.h"
#include "storage/outbox.h"

/* A transaction message from the station; `e` is its meaning. Takes what it needs from the frame. */
void ledger_take(struct session *s, struct frame *f, const struct event *e);

/* The EVSE is one of ours, and a transaction of it ran when the process that served it died: a stop is stored as if its station had sent it,
 * with what the meter shows now (NaN: not known). Nothing where none runs. */
void ledger_end_interrupted(struct session *s, int evse, double wh);

/* Whether a 1.6 MeterValues has to go the durable way now. */
bool ledger_wants_meter_values(const struct session *s, const struct event *e);

/* The CALL of a record exactly as its station sent it, white space and all; absent when nobody waits for it any more, or asks again
 * under another id (the record itself keeps the payload and the first id). Lives until the ledger hears of the record again. */
struct slice ledger_raw(const struct session *s, const struct outbox_rec *rec);

/* From replay: the CSMS answered a record. Notes it durably, tells the station if it waits, then lets the replay go on. False: the answer
 * lacks what it must have, and the record stays. */
bool ledger_confirm(struct session *s, const struct outbox_rec *rec, const struct action *act, struct frame *answer);
/* From replay: the CSMS refused the record or did not answer; it will be tried again, and who waits gets our answer. */
void ledger_failed(struct session *s, int64_t seq);

void ledger_lane_down(struct session *s);  /* those who wait get our answer */
void ledger_link_down(struct session *s);  /* nobody waits any more */
void ledger_close(struct session *s);      /* the store is closed */

#endif
