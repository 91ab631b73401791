/* Schedules and tariffs of this site: while one holds, its limits are caps on its circuit, with the reasons schedule and tariff. Loop thread. */
#ifndef AMPGATE_GATEWAY_TIMES_H
#define AMPGATE_GATEWAY_TIMES_H

#include "base/json.h"
#include "gateway/gateway.h"

int times_open(struct gateway *g) MUST_CHECK; /* after the balancer */
void times_close(void);
void times_change(struct gateway *g);         /* g->conf is another one; prices that were sent stay */
void times_step(void);                        /* looks at the clock; called before a balancing cycle */

/* Prices from somebody who knows: a JSON array of {"start": RFC 3339, "price": number}, each until the next, the last for an hour or until
 * `end`. Replaces what was sent before. 0, ERR_NOT_FOUND no such tariff, ERR_INVALID with the reason in `why`. */
int times_prices(const char *tariff, const cJSON *prices, const char *end, char *why, size_t room);
/* Each schedule and tariff, as members "schedules" and "tariffs" of an open object. */
void times_view(struct json_writer *w);

#endif
