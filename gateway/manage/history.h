/* What charts are drawn from: currents of circuits and EVSEs, each second for the last minutes (in memory), each minute for two days and each
 * quarter of an hour for a month (in the store). Loop thread. */
#ifndef AMPGATE_GATEWAY_HISTORY_H
#define AMPGATE_GATEWAY_HISTORY_H

#include "base/json.h"
#include "gateway/gateway.h"

void history_open(struct gateway *g);
void history_close(void);

/* An object as columns: {"object","step_s","t":[..],"l1":[..],"l2":[..],"l3":[..],"top":[..],"limit":[..]}; t in seconds since 1970. `object` is a
 * circuit, an EVSE as in "G-07/1", or "ev" for the sum of all EVSEs. The step follows from how far it goes back. ERR_NOT_FOUND. */
int history_write(struct gateway *g, const char *object, int64_t since_s, struct json_writer *w) MUST_CHECK;

#endif
