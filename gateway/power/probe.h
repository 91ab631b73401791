/* Which forms of a limit a station takes, asked on purpose while a car charges: purpose, connector, stack level, unit, start and step, one
 * after the other. What is found is kept as its ways. Loop thread. */
#ifndef AMPGATE_GATEWAY_PROBE_H
#define AMPGATE_GATEWAY_PROBE_H

#include "gateway/gateway.h"
#include "gateway/manage/task.h"

/* NULL: this EVSE (as the station numbers it) is not there, not balanced, or no transaction runs. */
struct task *probe_station(struct gateway *g, const char *user, const char *station, int evse);

/* What was found last at each EVSE of a station, also before a restart: a list. */
struct json_writer;
int probed_write(const struct gateway *g, const char *station, struct json_writer *w) MUST_CHECK;

#endif
