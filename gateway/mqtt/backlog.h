/* What a subscriber must not miss: events in order and without gaps, over outages of the broker and deaths of this program, and samples of the
 * time in between. Events are in the journal already; here is only how far the broker has them. Loop thread.
 *
 * An event may arrive twice after a crash, under the same number; none is left out that is still in the journal. */
#ifndef AMPGATE_GATEWAY_BACKLOG_H
#define AMPGATE_GATEWAY_BACKLOG_H

#include "gateway/gateway.h"

/* Publishes below the sink's base with QoS 1; backlog_sent(mark) follows when the broker has it. */
typedef int backlog_publish(const char *topic, struct slice payload, uint64_t mark);

void backlog_open(struct gateway *g, backlog_publish *publish);
void backlog_close(void);
void backlog_link(bool up);
void backlog_sent(uint64_t mark);

void backlog_event(int64_t seq, struct slice json); /* it has just happened, and is on its way into the journal */
void backlog_journaled(void);                       /* an event is on disk */
void backlog_sample(struct slice json);             /* while the broker is away: one a minute is kept */

int64_t backlog_waiting(void); /* events that the broker does not have yet */

/* An event of the journal as it is published. */
struct journal_rec;
void backlog_write_event(const struct gateway *g, const struct journal_rec *rec, bool late, struct buf *out);

#endif
