/* Where the station connects: the slots that SetNetworkProfile fills, and which of them is next (2.x, B09, B10). */
#ifndef AMPGATE_STATION_NETWORK_H
#define AMPGATE_STATION_NETWORK_H

#include <stdbool.h>

#include "base/str.h"

#define NETWORKS_MOST 3 /* slot 0 is what the box is configured for, and is not overwritten */

struct networks {
	char *raw[NETWORKS_MOST]; /* connectionData as it was set; NULL: empty */
	int active, place;        /* the slot in use, and where it stands among the priorities */
	int64_t attempts;         /* connections that failed since */
	bool accepted;            /* a CSMS accepted us over this one */
};

struct station;
void network_close(struct station *s);
void network_recall(struct station *s, int slot, struct slice raw);
int network_check(struct station *s, struct slice priority); /* of NetworkConfigurationPriority: ERR_INVALID: an empty slot */
void network_choose(struct station *s);                    /* the first of the priorities, from the next connection on */
void network_failed(struct station *s);                    /* a connection could not be made, or was not accepted */

#endif
