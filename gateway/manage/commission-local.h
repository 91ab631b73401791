/* What the files of commissioning share, gateway/manage/commission*.c. */
#ifndef AMPGATE_GATEWAY_COMMISSION_LOCAL_H
#define AMPGATE_GATEWAY_COMMISSION_LOCAL_H

#include "base/timer.h"
#include "gateway/manage/commission.h"

#define COMMISSION_OWNER "commission" /* of what is kept (storage/kept.h), by step */
#define LOOK_US (US_PER_S / 5)        /* how often a check looks */

/* Ends a check: `json` is what it found, taken over; the task ends when that is on disk. */
void commission_conclude(struct gateway *g, struct task *t, const char *step, const char *user, bool passed, struct buf *json);

#endif
