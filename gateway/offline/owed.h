/* What the CSMS has missed while away and hears first on return: the boot, then the newest state of each connector (never the history),
 * then single notices. Kept on disk, so that it survives us too. */
#ifndef AMPGATE_GATEWAY_OWED_H
#define AMPGATE_GATEWAY_OWED_H

#include "gateway/session/session.h"
#include "storage/store.h"

void owed_load(struct session *s);                        /* what was owed when the process ended */
void owed_boot(struct session *s, const struct frame *f); /* answered by us */
void owed_status(struct session *s, const struct frame *f, const struct event *e); /* the newest one counts: of a connector, of a car's wishes */
void owed_car_left(struct session *s, int evse);           /* what it wanted is of no use to the CSMS any more */
/* False: there is no room for more, and nothing will follow. `done` (may be NULL): it is on disk, or why not. */
bool owed_notice(struct session *s, const struct frame *f, store_done *done, void *arg);
void owed_status_seen(struct session *s, const struct event *e); /* a newer one went up by itself */
void owed_pay(struct session *s);                         /* the lane is up: sends all of it, then lets the replay go */
/* An installer does not want this stranger, or has taken it in after all. `done`: it is on disk. */
int owed_reject(struct session *s, store_done *done, void *arg) MUST_CHECK;
void owed_unreject(struct session *s);
void owed_stop(struct session *s);
/* A BootNotification was answered Accepted by the CSMS. */
void owed_boot_accepted(struct session *s, int64_t interval_s);

#endif
