/* Where telemetry goes: the broker of the configuration first, then whoever else wants to hear the same. Each has its own connection. Loop
 * thread. */
#ifndef AMPGATE_GATEWAY_SINKS_H
#define AMPGATE_GATEWAY_SINKS_H

#include "base/plugin.h"
#include "gateway/gateway.h"

struct sink;

int sinks_open(struct gateway *g) MUST_CHECK; /* what the configuration names; an error has been logged */
void sinks_close(void);

bool sinks_any(void);            /* there is one */
bool sinks_any_up(void);
struct sink *sinks_broker(void); /* the one of mqtt.url; NULL: none is configured */
bool sink_is_up(const struct sink *s); /* fine for NULL */

/* From the host: its connection came or went. NULL: no sink of this name, else the sink. */
struct sink *sinks_state(const char *name, bool up, const char *why);

/* To one sink, or with NULL to all that are up. 0, or what the last one that failed said. */
int sinks_publish(struct sink *to, const ag_message *m);

#endif
