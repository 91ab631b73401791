/* Counters and gauges by name, for metrics and the status page. Loop thread. A counter is found once and kept by its owner. */
#ifndef AMPGATE_BASE_STATS_H
#define AMPGATE_BASE_STATS_H

#include <stdint.h>

struct stat_cell {
	const char *name, *labels; /* labels in Prometheus form without braces, "" for none */
	int64_t value;
};

/* The one with this name and these labels, made at first use; lives until stats_free. Both texts are copied. */
struct stat_cell *stat_named(const char *name, const char *labels);
void stats_each(void (*see)(const struct stat_cell *s, void *arg), void *arg); /* in the order they were made */
void stats_free(void);

#endif
