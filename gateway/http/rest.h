/* The verbs as resources under /api/v1: paths from routes.def, everything else from commands.def. Results are the verbs' JSON, or CSV where it is
 * asked for and they are lists; failures are problem documents (RFC 9457). Loop thread. */
#ifndef AMPGATE_GATEWAY_REST_H
#define AMPGATE_GATEWAY_REST_H

#include "gateway/http/http.h"
#include "gateway/http/users.h"

/* Answers the exchange, at once or later. `path` is what follows /api/v1. `who` is copied. */
void rest_handle(struct gateway *g, struct http_exchange *x, struct slice path, const struct who *who, const char *headers);

/* A failure as a problem document; `headers` are field lines for the answer. */
void rest_problem(struct http_exchange *x, int status, const char *code, const char *detail, const char *headers);
/* The description of all of it, OpenAPI 3.1. */
void rest_write_openapi(struct buf *out);

#endif
