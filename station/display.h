/* What is to be read at the station: messages of the CSMS by priority, state and time, and what a charge costs. There is no display in this
 * folder: the host is told what it would show. Loop thread. */
#ifndef AMPGATE_STATION_DISPLAY_H
#define AMPGATE_STATION_DISPLAY_H

#include "base/list.h"
#include "base/timer.h"
#include "ocpp/notices.h"

#define DISPLAY_MOST 32

struct display {
	struct list messages;
	size_t count;
	struct timer next;        /* when one comes or goes by its time */
	unsigned turn;            /* which of those that take turns */
	struct timer turns;
};

struct station;
void display_open(struct station *s);
void display_close(struct station *s);
void display_recall(struct station *s, struct slice raw);  /* one that was kept */
void display_settle(struct station *s);                    /* something changed: what is shown where */
void display_tx_ended(struct station *s, struct slice tx); /* its messages go */
/* What stands at an EVSE now, "" nothing. */
void display_text(const struct station *s, int evse, struct buf *out);

#endif
