/* Currents over time, for charts: one row per object and interval, with the mean of each phase, the highest value of any, and the limit. Rows of
 * short intervals are forgotten sooner than those of long ones. No promise is made for them as for transactions: what is lost is a point of a
 * chart. */
#ifndef AMPGATE_STORAGE_HISTORY_H
#define AMPGATE_STORAGE_HISTORY_H

#include "base/mem.h"
#include "storage/store.h"

struct history_rec {
	const char *object;      /* "circuit/row-a", "evse/G-07/1" */
	int step_s;              /* length of the interval */
	int64_t at_s;            /* wall, its beginning */
	int32_t ma[3], top_ma;   /* HISTORY_NONE: unknown */
	int32_t limit_ma;
};
#define HISTORY_NONE INT32_MIN

/* All of them in one commit; copies. */
int history_add(struct store *s, const struct history_rec *rows, size_t n) MUST_CHECK;
/* Forgets rows of that step from before. */
int history_trim(struct store *s, int step_s, int64_t before_s) MUST_CHECK;
/* In the order of time, from that second on. */
int history_each(struct store *s, const char *object, int step_s, int64_t from_s, bool (*see)(void *arg, const struct history_rec *rec), void *arg) MUST_CHECK;

#endif
