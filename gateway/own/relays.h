/* The box's own EVSEs: each is an OCPP station in-process over the in-process link, with a session like any other. Loop thread. */
#ifndef AMPGATE_GATEWAY_RELAYS_H
#define AMPGATE_GATEWAY_RELAYS_H

#include "gateway/gateway.h"
#include "station/outlet.h"

void relays_open(struct gateway *g);
void relays_close(void); /* contactors open by the host's own end, which still reports until then */
void relays_free(void);  /* after it */

/* The outlet behind an EVSE of the box. NULL: its driver knows charging by itself, or its pins have not been read. Until the next turn of the loop. */
const struct outlet *relays_outlet(const char *station, int evse);
/* Calls `see` for each EVSE that is to change its phases over and whose hardware cannot. */
void relays_lacking(void (*see)(void *arg, const char *id), void *arg);

#endif
