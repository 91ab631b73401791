/* Counters and histograms by name, for whoever has something to count; who shows them reads them here. Gauges are not kept: whoever shows one asks
 * its owner. The number of series is bounded, since peers' names are among the labels. Loop thread. */
#ifndef AMPGATE_BASE_STATS_H
#define AMPGATE_BASE_STATS_H

#include <stdint.h>

#include "base/buf.h"

#define STATS_SERIES 8192 /* more are not kept */
#define STATS_BUCKETS 12
extern const double stats_bounds[STATS_BUCKETS]; /* seconds, ascending: upper ends */

/* `labels` as they are shown, `station="G-07",result="ok"`, or "" . */
void stats_add(const char *family, const char *labels, double n);
/* One more, labels as pairs of name and value, ending with NULL. */
void stats_count(const char *family, ...) __attribute__((sentinel));
void stats_observe(const char *family, const char *labels, double seconds);

struct stats_series {
	const char *labels;
	double sum;                          /* of a counter: its value */
	uint64_t count, below[STATS_BUCKETS]; /* of a histogram; below[i]: values up to stats_bounds[i], not counting those in lower buckets */
};
/* In the order in which they were first counted. */
void stats_each(const char *family, void (*see)(void *arg, const struct stats_series *s), void *arg);
void stats_open(void);
void stats_free(void); /* what is counted from now on is not kept */

/* Appends ,name="value" (without the comma to an empty buffer), the value escaped. */
void stats_label(struct buf *labels, const char *name, const char *value);

#endif
