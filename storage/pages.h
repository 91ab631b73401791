/* Lists are read in pages, so that no statement is open (and no old state of the file pinned) while the caller looks at a row and perhaps asks
 * for other things. Loop thread; internal to storage/. */
#ifndef AMPGATE_STORAGE_PAGES_H
#define AMPGATE_STORAGE_PAGES_H

#include "storage/db.h"
#include "storage/store.h"

#define PAGE_ROWS 64

/* One list; the first member of what its owner needs to know. */
struct pages {
	size_t row_size;
	struct query (*ask)(const struct pages *p, struct db *d, const void *after); /* PAGE_ROWS rows behind that row; NULL: from the start */
	void (*take)(struct query *q, struct arena *mem, void *row);
	bool (*show)(const struct pages *p, const void *row); /* false: enough */
};

int pages_walk(struct store *s, const struct pages *p) MUST_CHECK;

#endif
