/* What the box does for its own stations (station/host.h): their memory in the store, their logs, firmware of the box by a hook, certificates.
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_OWN_HOST_H
#define AMPGATE_GATEWAY_OWN_HOST_H

#include "gateway/gateway.h"
#include "station/host.h"

struct own_host;

/* For one station; the gateway's store is open. Its certificates name its serial number (2.0.1 A00.FR.511, B01.FR.11). */
struct own_host *own_host_open(struct gateway *g, const char *station, const char *serial);
const struct station_host *own_host_ops(const struct own_host *h); /* whose arg is the own_host */
void own_host_serves(struct own_host *h, struct station *s);       /* whom to tell what has ended */
void own_host_close(struct own_host *h);                           /* after its station; NULL is fine */
void own_hosts_close(void);                                        /* after all of them: what still runs is ended */

#endif
