/* The in-process link: two ends that deliver to each other on the next turn of the loop, so nobody re-enters anybody. The session above
 * cannot tell it from a WebSocket. */
#ifndef AMPGATE_STATION_LINK_LOCAL_H
#define AMPGATE_STATION_LINK_LOCAL_H

#include "ocpp/link.h"

/* Two connected ends; the owners set `events` and `owner` on each before the next turn, when `up` is called on `station_end`.
 * Closing or releasing one end brings the other down. */
void link_local_pair(enum ocpp_version v, const char *name, struct link **station_end, struct link **gateway_end);

#endif
