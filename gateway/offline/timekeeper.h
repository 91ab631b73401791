/* Waits until the time is known, and then has the records that were taken before put right. Loop thread. */
#ifndef AMPGATE_GATEWAY_TIMEKEEPER_H
#define AMPGATE_GATEWAY_TIMEKEEPER_H

#include "gateway/gateway.h"

int timekeeper_open(struct gateway *g) MUST_CHECK;
void timekeeper_close(void);

#endif
