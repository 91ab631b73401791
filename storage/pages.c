/* Reading lists in pages. A page's memory lives until the next was asked for, as the question names the last row. */
#include "storage/pages.h"

#include "storage/job.h"

struct page {
	struct arena mem;
	char *rows;
	int count;
};

static int read_page(struct store *s, const struct pages *p, const void *after, struct page *page)
{
	struct db *d = store_reader(s);
	struct query q = p->ask(p, d, after);
	page->rows = arena_new(&page->mem, PAGE_ROWS * p->row_size);
	while (page->count < PAGE_ROWS && query_next(&q))
		p->take(&q, &page->mem, page->rows + p->row_size * (size_t)page->count++);
	query_close(&q);
	return d->err;
}

static bool show_all(const struct pages *p, const struct page *page)
{
	for (int i = 0; i < page->count; i++)
		if (!p->show(p, page->rows + p->row_size * (size_t)i))
			return false;
	return true;
}

int pages_walk(struct store *s, const struct pages *p)
{
	struct page now = { 0 };
	const void *after = NULL;
	int err;
	bool more;
	do {
		struct page next = { 0 };
		err = read_page(s, p, after, &next);
		arena_free(&now.mem);
		now = next;
		more = !err && show_all(p, &now) && now.count == PAGE_ROWS;
		after = now.rows + p->row_size * (PAGE_ROWS - 1);
	} while (more);
	arena_free(&now.mem);
	return err;
}
