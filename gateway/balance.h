/* Joins the load balancer to the world: builds its site from the settings, feeds it meters, ticks it, sends its limits. Loop thread. */
#ifndef AMPGATE_GATEWAY_BALANCE_H
#define AMPGATE_GATEWAY_BALANCE_H

#include "gateway/gateway.h"

int balance_open(struct gateway *g) MUST_CHECK; /* sets g->control and g->limits; meters start with balance_start */
int balance_start(struct gateway *g) MUST_CHECK;
void balance_stop(struct gateway *g);           /* no more ticks or samples */
void balance_close(struct gateway *g);

#endif
