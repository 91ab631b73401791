/* Why an EVSE has what it has, in the words of a person: with whom it shares what binds it, and by which policy. Loop thread. */
#ifndef AMPGATE_GATEWAY_EXPLAIN_H
#define AMPGATE_GATEWAY_EXPLAIN_H

#include "base/json.h"
#include "gateway/gateway.h"

/* The member "sharing" of an open object; null where what binds is not shared. */
void explain_sharing(struct gateway *g, int evse, struct json_writer *w);

#endif
