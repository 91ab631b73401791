/* The state and the counts of the whole as Prometheus reads them. Most is asked for when somebody reads; what can only be counted as it happens is
 * kept in base/stats. No tokens of drivers, ever. Loop thread. */
#ifndef AMPGATE_GATEWAY_METRICS_H
#define AMPGATE_GATEWAY_METRICS_H

#include "gateway/gateway.h"

void metrics_open(struct gateway *g);
void metrics_close(void);
void metrics_write(struct gateway *g, bool openmetrics, struct buf *out); /* text format 0.0.4, or OpenMetrics 1.0 */

void metrics_write_json(struct gateway *g, struct buf *out); /* the same as a list of families, also of those that have no samples yet */

/* Each family: its type as a word, and its samples as lines of the text format. */
void metrics_each(struct gateway *g, void (*see)(void *arg, const char *name, const char *type, const char *help, struct slice samples), void *arg);

/* After each balancing cycle, which took this long. */
void metrics_cycle(struct gateway *g, int64_t took_us);

#endif
