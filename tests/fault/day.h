/* A short day of a site without a cloud, told to the store, and what must be found in the file afterwards, whatever happened to it. */
#ifndef AMPGATE_TESTS_FAULT_DAY_H
#define AMPGATE_TESTS_FAULT_DAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "storage/store.h"

#define DAY_MOST 200

/* What the day's author knows of each record, by its message id. */
struct told {
	atomic_int put;     /* 0: handed over, 1: acknowledged, < 0: refused */
	atomic_int confirm; /* 0: not asked for, 1: handed over, 2: acknowledged */
	atomic_llong seq, id;
};

struct day {
	struct told told[DAY_MOST];
	atomic_int records; /* handed over */
	struct store *s;
	int answers;
};

void day_run(struct day *d);                               /* the store is open; goes on whatever fails */
void day_copy(struct day *to, const struct day *from);     /* any thread: what was known at this moment */
void day_check(const struct day *d, const char *path);     /* opens the file, checks, closes; cmocka's failures */

#endif
