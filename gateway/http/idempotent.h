/* Requests that a client repeats because it did not hear the answer: with the same Idempotency-Key (a header that it chooses) a request is run once,
 * and its repetitions get what the first one got. Kept in memory, for a day, and no more than IDEMPOTENT_MOST of them: the oldest go first. Keys belong
 * to who uses them. Loop thread. */
#ifndef AMPGATE_GATEWAY_IDEMPOTENT_H
#define AMPGATE_GATEWAY_IDEMPOTENT_H

#include "gateway/http/http.h"

#define IDEMPOTENT_MOST 1000
#define IDEMPOTENT_BYTES (4 * 1024 * 1024) /* of all answers */

struct idempotent; /* one request that was begun */

enum idempotent_is { IDEMPOTENT_NEW, IDEMPOTENT_KNOWN, IDEMPOTENT_RUNNING, IDEMPOTENT_OTHER };

/* What this request is. NEW: *out is to be told the answer by idempotent_done. KNOWN: *out has been answered; RUNNING: it is not answered yet; OTHER:
 * the key was used for something else. `what` is all of the request that counts: method, path, query, body. */
enum idempotent_is idempotent_begin(const char *user, struct slice key, const struct slice *what, size_t n, struct idempotent **out);

void idempotent_done(struct idempotent *i, int status, const char *type, struct slice body);
void idempotent_answer(const struct idempotent *i, struct http_exchange *x, const char *headers); /* as it was answered, marked as repeated */

bool idempotent_key_ok(struct slice key); /* 1 to 255 printable characters */
void idempotent_close(void);

#endif
