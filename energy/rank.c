/* Heap sort: in place, n log n whatever the input. */
#include "energy/rank.h"

#include <stdbool.h>

static bool before(struct ranked a, struct ranked b)
{
	return a.key < b.key || (a.key == b.key && a.index < b.index);
}

static void sift_down(struct ranked *at, size_t i, size_t n)
{
	struct ranked it = at[i];
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= n)
			break;
		if (child + 1 < n && before(at[child], at[child + 1]))
			child++;
		if (!before(it, at[child]))
			break;
		at[i] = at[child];
		i = child;
	}
	at[i] = it;
}

void rank_sort(struct ranked *at, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift_down(at, i, n);
	for (size_t last = n; last-- > 1;) {
		struct ranked top = at[0];
		at[0] = at[last];
		at[last] = top;
		sift_down(at, 0, last);
	}
}
