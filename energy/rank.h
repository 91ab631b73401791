/* Sorting by a key without allocating: the C library's qsort may ask for memory, and a control step must not. */
#ifndef AMPGATE_ENERGY_RANK_H
#define AMPGATE_ENERGY_RANK_H

#include <stddef.h>
#include <stdint.h>

struct ranked {
	int64_t key;
	int32_t index; /* breaks ties, so that the order is the same on every machine */
};

void rank_sort(struct ranked *at, size_t n); /* ascending, in place */

#endif
