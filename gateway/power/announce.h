/* The CSMS is told of limits that others have put on the site: the grid operator, an energy manager, an operator, a schedule (2.0.1 K11 to K14).
 * Over the box's own lane, where it has one that can say it, for the whole site; without one in the name of each station below the limited
 * circuit. Told once when a limit comes, again when it has changed by more than LimitChangeSignificance, and when it is gone. Loop thread. */
#ifndef AMPGATE_GATEWAY_ANNOUNCE_H
#define AMPGATE_GATEWAY_ANNOUNCE_H

#include "gateway/session/session.h"

void announce_tick(struct gateway *g); /* after the balancer's */
/* What limits the whole site from outside now, in A per phase; INFINITY: nothing. *source_out: "SO" or "EMS". */
double announce_outer_a(const struct gateway *g, const char **source_out);
void announce_close(struct session *s);

#endif
