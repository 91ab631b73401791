/* What the box does for its own stations (station/host.h): their memory in the store, their logs, files, firmware, keys and certificates.
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_OWN_HOST_H
#define AMPGATE_GATEWAY_OWN_HOST_H

#include "gateway/gateway.h"
#include "station/host.h"

struct own_host;

extern const struct station_host own_host_ops; /* their arg is a struct own_host */

/* For one station. The gateway's store is open. */
struct own_host *own_host_open(struct gateway *g, const char *station);
void own_host_close(struct own_host *h); /* after its station */
void own_host_serves(struct own_host *h, struct station *s); /* whom to tell what has ended */

#endif
