/* A database in memory, for a box whose disk cannot be read or written at the start: load balancing and the way between stations and CSMS go on, and
 * nothing is acknowledged that only this box would know. Loop thread. */
#ifndef AMPGATE_GATEWAY_SPARE_H
#define AMPGATE_GATEWAY_SPARE_H

#include "gateway/gateway.h"

/* Whether a spare helps against this failure of the real file: not where the file is somebody else's, or newer than this program. */
bool spare_helps(int err);
/* Opens g->store in memory and says so, to the log and as an event once there is somebody to hear it. When the disk can be written again the
 * program is started anew (spare_over). */
int spare_open(struct gateway *g, const char *path) MUST_CHECK;
void spare_announce(struct gateway *g);
bool spare_over(void);
void spare_close(void);

#endif
