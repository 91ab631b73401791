/* What a subscriber must not miss: events in order and without gaps, over outages of the broker (or of whatever else a sink writes to) and deaths
 * of this program, and samples of the time in between. Events are in the journal already; here is only how far the other end has them. Loop
 * thread.
 *
 * An event may arrive twice after a crash, under the same number; none is left out that is still in the journal. */
#ifndef AMPGATE_GATEWAY_BACKLOG_H
#define AMPGATE_GATEWAY_BACKLOG_H

#include "gateway/gateway.h"

struct backlog;

/* Publishes below the sink's base with QoS 1; backlog_sent(mark) follows when the other end has it. */
typedef int backlog_publish(void *arg, const char *topic, struct slice payload, uint64_t mark);

/* `owner`: whose it is, a name for the kept store. `keeps`: the sink sends by itself what was on its way when its connection ended; else that is
 * published again. The others are fine with NULL. */
struct backlog *backlog_open(struct gateway *g, const char *owner, bool keeps, backlog_publish *publish, void *arg);
void backlog_close(struct backlog **b);
void backlog_link(struct backlog *b, bool up);
void backlog_sent(struct backlog *b, uint64_t mark);

void backlog_event(struct backlog *b, int64_t seq, struct slice json); /* it has just happened, and is on its way into the journal */
void backlog_journaled(struct backlog *b);                             /* an event is on disk */
void backlog_sample(struct backlog *b, struct slice json);             /* while the other end is away: one a minute is kept */

int64_t backlog_waiting(const struct backlog *b); /* events that the other end does not have yet */

/* An event of the journal as it is published. */
struct journal_rec;
void backlog_write_event(const struct gateway *g, const struct journal_rec *rec, bool late, struct buf *out);

#endif
