/* Commands from a broker, each run once: one that comes again with the same id within a day (a client that repeats, a broker that delivers
 * twice, before or after a restart of ours) gets the answer that the first one got. Commands without an id are run as they come.
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_ONCE_H
#define AMPGATE_GATEWAY_ONCE_H

#include "gateway/gateway.h"

/* Runs a verb with an installer's rights (who may ask at all is decided before). `reply` is called exactly once, perhaps before this returns;
 * what it gets is on disk by then. */
void once_run(struct gateway *g, const char *verb, const char *json, void (*reply)(void *arg, const char *json), void *arg);

#endif
