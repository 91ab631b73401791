/* Named checks of the whole: what /readyz, the verb "health", the metrics and the console's banners agree on. Loop thread. */
#ifndef AMPGATE_GATEWAY_CHECKS_H
#define AMPGATE_GATEWAY_CHECKS_H

#include "gateway/gateway.h"

enum check_state { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL };
/* `detail` tells what is the matter; "" when nothing is. */
typedef void check_see(void *arg, const char *name, enum check_state state, const char *detail);
void checks_run(struct gateway *g, check_see *see, void *arg);
const char *check_state_text(enum check_state s); /* "ok", "warning", "critical" */

#endif
