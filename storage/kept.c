/* Small states by owner and name: the newest value, nothing of the past. */
#include "storage/kept.h"

#include <assert.h>
#include <string.h>

#include "storage/job.h"
#include "storage/pages.h"

struct change {
	struct job job;
	const char *owner, *name;
	struct slice value;
};

struct row {
	const char *name;
	struct slice value;
};

static struct change *change_new(void (*run)(struct job *j, struct db *d), const char *owner, const char *name, store_done *done, void *arg)
{
	assert(owner && name);
	struct change *c = job_new(sizeof(*c), run, done, arg);
	c->owner = arena_text(&c->job.mem, slice_of(owner));
	c->name = arena_text(&c->job.mem, slice_of(name));
	return c;
}

static void run_put(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	struct query q = query_open(d, "INSERT OR REPLACE INTO kept (owner, name, value) VALUES (?, ?, ?)");
	give_text(&q, c->owner);
	give_text(&q, c->name);
	give_blob(&q, c->value.p, c->value.n);
	query_run(&q);
}

int kept_put(struct store *s, const char *owner, const char *name, struct slice value, store_done *done, void *arg)
{
	struct change *c = change_new(run_put, owner, name, done, arg);
	c->value = arena_slice(&c->job.mem, value);
	return job_post(s, &c->job);
}

static void run_remove(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	struct query q = query_open(d, "DELETE FROM kept WHERE owner = ? AND name = ?");
	give_text(&q, c->owner);
	give_text(&q, c->name);
	j->value = query_run(&q);
}

int kept_remove(struct store *s, const char *owner, const char *name, store_done *done, void *arg)
{
	return job_post(s, &change_new(run_remove, owner, name, done, arg)->job);
}

int kept_get(struct store *s, const char *owner, const char *name, struct arena *mem, struct slice *out)
{
	struct db *d = store_reader(s);
	struct query q = query_open(d, "SELECT value FROM kept WHERE owner = ? AND name = ?");
	give_text(&q, owner);
	give_text(&q, name);
	bool found = query_next(&q);
	if (found)
		*out = take_bytes(&q, mem);
	query_close(&q);
	return d->err ? d->err : found ? 0 : ERR_NOT_FOUND;
}

struct list_of { /* an argument of pages_walk */
	struct pages pages;
	const char *owner, *prefix;
	bool (*see)(void *arg, const char *name, struct slice value);
	void *arg;
};

/* The prefix itself may be a name, so the first page starts at it and the others behind what was seen. */
static struct query ask(const struct pages *p, struct db *d, const void *after)
{
	const struct list_of *l = (const struct list_of *)p;
	struct query q = query_open(d, after ? "SELECT name, value FROM kept WHERE owner = ? AND name > ? ORDER BY name LIMIT ?"
					     : "SELECT name, value FROM kept WHERE owner = ? AND name >= ? ORDER BY name LIMIT ?");
	give_text(&q, l->owner);
	give_text(&q, after ? ((const struct row *)after)->name : l->prefix);
	give_int(&q, PAGE_ROWS);
	return q;
}

static void take(struct query *q, struct arena *mem, void *row)
{
	struct row *r = row;
	r->name = take_text(q, mem);
	r->value = take_bytes(q, mem);
}

static bool show(const struct pages *p, const void *row)
{
	const struct list_of *l = (const struct list_of *)p;
	const struct row *r = row;
	return strncmp(r->name, l->prefix, strlen(l->prefix)) == 0 && l->see(l->arg, r->name, r->value);
}

int kept_each(struct store *s, const char *owner, const char *prefix, bool (*see)(void *arg, const char *name, struct slice value), void *arg)
{
	struct list_of l = { { sizeof(struct row), ask, take, show }, owner, prefix, see, arg };
	return pages_walk(s, &l.pages);
}
