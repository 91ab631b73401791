/* The few bytes we change in a message that passes: the transaction id, where station and CSMS know different ones, 2.x "offline" on
 * what is delivered late, and our own profiles in a report of them. All other bytes stay. */
#ifndef AMPGATE_GATEWAY_REWRITE_H
#define AMPGATE_GATEWAY_REWRITE_H

#include "base/buf.h"
#include "gateway/session/session.h"

/* Appends the frame's text with the transaction id that the other side knows. False: nothing to change, nothing appended.
 * Towards the CSMS an id whose start it never saw becomes -1 (1.6 errata 3.18). */
bool rewrite_to_csms(const struct session *s, const struct frame *f, struct buf *out);
bool rewrite_to_station(const struct session *s, const struct frame *f, struct buf *out);

/* A report of charging profiles in which there is nothing but ours: it is not for the CSMS. In others ours are cut out by rewrite_to_csms. */
bool rewrite_hides(const struct frame *f);

/* Appends the payload of a message kept while alone, marked as such where its version has a word for that (2.x E04.FR.03). */
void rewrite_late(const struct action *act, struct slice payload, struct buf *out);

/* The station's answer to GetTransactionStatus (2.x E14): what waits here waits as well. False: it stays as it is. */
bool rewrite_tx_status(const struct session *s, struct frame *asked, const struct frame *answer, struct buf *out);

/* A payload of one of our own EVSEs, made while the time was not known: every timestamp in it moved. */
void rewrite_times(struct slice payload, int64_t shift_us, struct buf *out);

#endif
