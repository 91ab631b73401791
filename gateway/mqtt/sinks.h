/* Where telemetry goes: the broker of the configuration first, then whoever else wants to hear the same. Each has its own connection. Loop
 * thread. */
#ifndef AMPGATE_GATEWAY_SINKS_H
#define AMPGATE_GATEWAY_SINKS_H

#include "base/plugin.h"
#include "base/str.h"
#include "gateway/gateway.h"

struct sink;

int sinks_open(struct gateway *g) MUST_CHECK; /* what the configuration names; an error has been logged. After the store */
void sinks_close(void);

bool sinks_any(void);            /* there is one */
bool sinks_any_up(void);
struct sink *sinks_broker(void); /* the one of mqtt.url; NULL: none is configured */
bool sink_is_up(const struct sink *s); /* fine for NULL */

/* From the host: its connection came or went. NULL: no sink of this name, else the sink. */
struct sink *sinks_state(const char *name, bool up, const char *why);

void sinks_catch_up(struct sink *s);              /* after that, when it has been told how things are: what it has missed */
void sinks_sent(const char *name, uint64_t mark); /* it has the message with this mark */

/* To one sink, or with NULL to all that are up. 0, or what the last one that failed said. */
int sinks_publish(struct sink *to, const ag_message *m);

/* To all, now or when they are there: an event of the journal, that it is on disk, and a sample of the site. */
void sinks_event(int64_t seq, struct slice json);
void sinks_journaled(void);
void sinks_sample(struct slice json);
int64_t sinks_waiting(void); /* events that the broker does not have yet */

/* Whether what came by a sink may be carried out; a broker's drivers have looked at the list of mqtt.commands themselves. */
bool sinks_may(const char *name, const char *verb);

#endif
