/* The box's own EVSEs: each is an OCPP station in-process over the in-process link, with a session like any other. Loop thread. */
#ifndef AMPGATE_GATEWAY_RELAYS_H
#define AMPGATE_GATEWAY_RELAYS_H

#include "gateway/gateway.h"

void relays_open(struct gateway *g);
void relays_close(void); /* contactors open by the host's own end, which still reports until then */
void relays_free(void);  /* after it */

#endif
