/* What each EVSE was granted and why, as it changed: for who asks later why a car was slow at 14:03. In memory, the newest 16384 changes of all EVSEs;
 * what was before a restart is in the decision log alone (gateway/power/decisions.h). Loop thread. */
#ifndef AMPGATE_GATEWAY_DECIDED_H
#define AMPGATE_GATEWAY_DECIDED_H

#include "base/json.h"
#include "gateway/gateway.h"

#define DECIDED_WINDOW_US (60 * US_PER_S) /* of what followed a moment that was asked for */

void decided_open(struct gateway *g);
void decided_close(void);

/* Members of an open array, oldest first: of one EVSE (its index in energy/control) or, where evse < 0, of all. Without a moment (wall, 0) the newest
 * `most`; with one, of each EVSE what held then and what followed within a minute. */
void decided_write(struct gateway *g, int evse, int64_t at_us, size_t most, struct json_writer *w);

#endif
