/* The control socket: JSON-RPC 2.0, one object per line, UTF-8, at most 1 MiB; methods are the verbs of commands.def. The method "subscribe"
 * with {"topics":["trace"],"station":"G-07"} turns the connection into a stream of notifications. Who asks is told by the kernel
 * (SO_PEERCRED): root and our own user are admin, the rest of those whom the socket's mode lets in are operators. Loop thread. */
#ifndef AMPGATE_GATEWAY_API_H
#define AMPGATE_GATEWAY_API_H

#include "gateway/gateway.h"

struct api;

int api_open(struct gateway *g, const char *path, struct api **out) MUST_CHECK; /* logs why it cannot */
void api_close(struct api *a);

#endif
