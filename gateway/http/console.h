/* The surfaces over HTTP: the console's pages, the API under /api/v1, /healthz, /readyz, /status and /metrics on the console's listener, and the
 * metrics alone on theirs. Who asks is found out here; what they may is the verbs' business. Loop thread. */
#ifndef AMPGATE_GATEWAY_CONSOLE_H
#define AMPGATE_GATEWAY_CONSOLE_H

#include "gateway/gateway.h"

/* Opens the listeners that the configuration names. One that cannot be opened is logged and left out: cars charge without it. */
int console_open(struct gateway *g) MUST_CHECK;
/* After a change of the configuration: people, names and frames are new at once, sessions and jobs go on. With `listen` the sockets open again, at
 * the end of the turn, so that who asked for the change gets an answer. */
int console_reload(struct gateway *g, bool listen) MUST_CHECK;
void console_close(void);

#endif
