/* Turns at the CSMS for what waited: when it is back, so many messages of all stations together are under way to it and no more, so that the
 * stations do not run it over, and what happens now (an Authorize, a new start) finds it answering. One per uplink. Loop thread. */
#ifndef AMPGATE_GATEWAY_PACE_H
#define AMPGATE_GATEWAY_PACE_H

#include "base/list.h"

#include <stdbool.h>

struct pace {
	int most, busy;
	struct list waiting;
};

/* One who wants turns, again and again; zeroed at first. `go` is called when it may ask again. */
struct pace_place {
	struct list entry;
	bool has_turn;
	void (*go)(void *arg);
	void *arg;
};

void pace_open(struct pace *p);
/* True: it is this one's turn, until pace_give. Else it waits in line. */
bool pace_take(struct pace *p, int most, struct pace_place *place, void (*go)(void *arg), void *arg);
void pace_give(struct pace *p, struct pace_place *place); /* the turn is over, or not wanted any more; fine for one without */

#endif
