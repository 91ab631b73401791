/* One connection to an endpoint of a CSMS, tried stage by stage: name, TCP, TLS, upgrade, each with what it took or why it failed. Loop thread. */
#ifndef AMPGATE_GATEWAY_UPLINK_TEST_H
#define AMPGATE_GATEWAY_UPLINK_TEST_H

#include "base/json.h"
#include "gateway/gateway.h"

/* `identity` NULL: one that no station has, so that nobody's connection is pushed aside; a CSMS may refuse it, which shows as such. `done` gets an
 * object {"ok","endpoint","identity","stages":[{"stage","ok","ms","detail"}],"detail"} in text. endpoint from 0. ERR_NOT_FOUND. */
int uplink_test(struct gateway *g, const char *uplink, int endpoint, const char *identity, void (*done)(void *arg, const char *json), void *arg) MUST_CHECK;

#endif
