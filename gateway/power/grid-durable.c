/* Whoever tells this box a limit hears that it was understood when the word and the evidence of it are on disk: after that not even a power cut
 * forgets either. The limit itself waits for nobody.
 *
 * The store calls back in the order in which it was given things, so numbers are enough. They go on over another configuration, as callbacks do. */
#include "base/list.h"
#include "base/mem.h"
#include "gateway/power/grid-local.h"

struct waiter {
	struct list entry;
	uint64_t after;         /* so many have to be done */
	int err;
	void (*done)(void *arg, int err);
	void *arg;
};

static uint64_t given, over;
static struct list waiters = { &waiters, &waiters };

const char *grid_durable_text(int err)
{
	return err == ERR_FULL ? "there is no room for it on the disk, or within offline.queue.max_size" : err_text(err);
}

void grid_durable_given(void)
{
	given++;
}

bool grid_durable_waits(void)
{
	return over < given;
}

static void release(struct waiter *w)
{
	list_remove(&w->entry);
	if (w->done)
		w->done(w->arg, w->err);
	mem_free(w);
}

void grid_durable_done(void *arg, int err, int64_t value)
{
	(void)arg, (void)value;
	over++;
	LIST_WALK(&waiters, struct waiter, entry, w)
		w->err = err ? err : w->err;
	while (!list_empty(&waiters) && LIST_ITEM(waiters.next, struct waiter, entry)->after <= over)
		release(LIST_ITEM(waiters.next, struct waiter, entry));
}

void grid_durable_then(const struct gateway *g, void (*done)(void *arg, int err), void *arg)
{
	int err = g->storage_spare ? ERR_STORAGE : 0; /* a database in memory is not the disk */
	if (!grid_durable_waits()) {
		done(arg, err);
		return;
	}
	struct waiter *w = NEW(struct waiter);
	*w = (struct waiter){ .after = given, .err = err, .done = done, .arg = arg };
	list_append(&waiters, &w->entry);
}

void grid_durable_forget(const void *arg)
{
	LIST_WALK(&waiters, struct waiter, entry, w)
		if (w->arg == arg)
			w->done = NULL;
}
