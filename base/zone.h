/* Local time of a place, from the system's zone files. Beside the process-wide TZ, so that any number of zones can be asked side by side and
 * a display's zone changes no schedule. Times are wall time in microseconds since 1970; a local time is written as if it were UTC. Any
 * thread may ask an open zone. */
#ifndef AMPGATE_BASE_ZONE_H
#define AMPGATE_BASE_ZONE_H

#include <stdint.h>

struct zone;

struct zone *zone_open(const char *name); /* "Europe/Berlin". NULL: there is no such file, or it cannot be read */
void zone_close(struct zone **z);

/* Local minus UTC at this moment. A NULL zone is UTC. */
int64_t zone_offset_us(const struct zone *z, int64_t utc_us);

/* The moment a local clock shows this. Of an hour that is shown twice the first; of one that is left out, as far after the change as the
 * clock would have gone past it. */
int64_t zone_utc_us(const struct zone *z, int64_t local_us);

#endif
