/* The decision log: what the balancer was told and decided, in two files of the state directory, for `ampgate balance --replay`. Loop thread. */
#ifndef AMPGATE_GATEWAY_DECISIONS_H
#define AMPGATE_GATEWAY_DECISIONS_H

#include "gateway/gateway.h"

/* Begins to record g->control; right after it was opened, so that nothing is missed. Nothing where balancing.decision_log is 0. A file that
 * cannot be written is logged once and does not keep anybody from balancing. */
void decisions_open(struct gateway *g);
void decisions_cycle(void);   /* a cycle is complete: lines go to the disk, and a full file gives way to a new one */
void decisions_close(void);

#endif
