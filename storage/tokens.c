/* Tokens, keyed by their text in lower case: OCPP compares them without case, in ASCII, which is also what SQLite's lower() changes. The site's
 * list is source 0 and sorts before the cache, so the first row of a token is the one that counts; the lists of stations stand before both.
 *
 * Easy to get wrong: anybody who may connect can fill the cache with tokens that nobody has, so it is bounded, and those go first. */
#include "storage/tokens.h"

#include <assert.h>

#include "storage/job.h"
#include "storage/pages.h"

#define ROW_OVERHEAD 200

struct change {
	struct job job;
	struct token_rec rec;
};

static struct slice copy(struct arena *mem, struct slice s)
{
	return s.p ? arena_slice(mem, s) : s;
}

/* Makes room for one more. */
static void bound_cache(struct db *d)
{
	if (db_number(d, "SELECT count(*) FROM token WHERE source = 1") < TOKENS_CACHED_MOST)
		return;
	db_run(d, "DELETE FROM token WHERE rowid = (SELECT rowid FROM token WHERE source = 1 ORDER BY source, status = 'Accepted', updated_us LIMIT 1)");
}

static void insert(struct db *d, const struct token_rec *t)
{
	if (t->source == TOKEN_CACHE)
		bound_cache(d);
	db_admit(d, ROW_OVERHEAD, false);
	struct query q = query_open(d, "INSERT OR REPLACE INTO token (folded, source, token, type, status, expiry_us, grp, updated_us)"
				       " VALUES (lower(?1), ?2, ?1, ?3, ?4, ?5, ?6, ?7)");
	give_bytes(&q, t->token);
	give_int(&q, t->source);
	give_bytes(&q, t->type);
	give_text(&q, t->status);
	give_int(&q, t->expiry_us);
	give_bytes(&q, t->group);
	give_int(&q, t->updated_us);
	query_run(&q);
}

static void run_put(struct job *j, struct db *d)
{
	insert(d, &((struct change *)j)->rec);
}

static void copy_rec(struct arena *mem, struct token_rec *to, const struct token_rec *from)
{
	*to = *from;
	to->token = copy(mem, from->token);
	to->type = copy(mem, from->type);
	to->status = arena_text(mem, slice_of(from->status));
	to->group = copy(mem, from->group);
}

int token_put(struct store *s, const struct token_rec *t, store_done *done, void *arg)
{
	assert(t->token.p && t->status);
	struct change *c = job_new(sizeof(*c), run_put, done, arg);
	copy_rec(&c->job.mem, &c->rec, t);
	return job_post(s, &c->job);
}

struct bulk {
	struct job job;
	enum token_source source;
	bool replace;
	struct token_rec *all;
	size_t n;
};

static void run_put_all(struct job *j, struct db *d)
{
	struct bulk *b = (struct bulk *)j;
	if (b->replace) {
		struct query q = query_open(d, "DELETE FROM token WHERE source = ?");
		give_int(&q, b->source);
		query_run(&q);
	}
	for (size_t i = 0; i < b->n; i++)
		insert(d, &b->all[i]);
}

int token_put_all(struct store *s, enum token_source source, bool replace, const struct token_rec *all, size_t n, store_done *done, void *arg)
{
	struct bulk *b = job_new(sizeof(*b), run_put_all, done, arg);
	b->source = source;
	b->replace = replace;
	b->all = arena_new(&b->job.mem, (n + 1) * sizeof(*all));
	b->n = n;
	for (size_t i = 0; i < n; i++) {
		copy_rec(&b->job.mem, &b->all[i], &all[i]);
		b->all[i].source = source;
	}
	return job_post(s, &b->job);
}

static void run_remove(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	struct query q = query_open(d, "DELETE FROM token WHERE folded = lower(?) AND source = ?");
	give_bytes(&q, c->rec.token);
	give_int(&q, c->rec.source);
	j->value = query_run(&q);
}

int token_remove(struct store *s, enum token_source source, struct slice token, store_done *done, void *arg)
{
	struct change *c = job_new(sizeof(*c), run_remove, done, arg);
	c->rec.source = source;
	c->rec.token = copy(&c->job.mem, token);
	return job_post(s, &c->job);
}

static void run_clear(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	struct query q = query_open(d, "DELETE FROM token WHERE source = ?");
	give_int(&q, c->rec.source);
	j->value = query_run(&q);
}

int token_clear(struct store *s, enum token_source source, store_done *done, void *arg)
{
	struct change *c = job_new(sizeof(*c), run_clear, done, arg);
	c->rec.source = source;
	return job_post(s, &c->job);
}

#define COLUMNS "source, token, type, status, expiry_us, grp, updated_us"

static void take(struct query *q, struct arena *mem, void *row)
{
	struct token_rec *t = row;
	t->source = (enum token_source)take_int(q);
	t->token = take_bytes(q, mem);
	t->type = take_bytes(q, mem);
	t->status = take_text(q, mem);
	t->expiry_us = take_int(q);
	t->group = take_bytes(q, mem);
	t->updated_us = take_int(q);
}

int token_find(struct store *s, const char *station, struct slice token, int64_t now_us, int64_t cached_since_us, struct arena *mem,
               struct token_rec *out)
{
	struct db *d = store_reader(s);
	struct query q = query_open(d, "SELECT -1 AS source, token, type, status, expiry_us, grp, updated_us FROM list WHERE station = ?1 AND folded = lower(?2)"
				       " UNION ALL SELECT " COLUMNS " FROM token WHERE folded = lower(?2) ORDER BY source LIMIT 1");
	give_text(&q, station);
	give_bytes(&q, token);
	bool found = query_next(&q);
	if (found)
		take(&q, mem, out);
	query_close(&q);
	if (found && out->source != TOKEN_CACHE)
		out->source = TOKEN_LIST;
	if (found && ((out->expiry_us && out->expiry_us <= now_us) || (out->source == TOKEN_CACHE && out->updated_us < cached_since_us)))
		out->status = "Expired";
	return d->err ? d->err : found ? 0 : ERR_NOT_FOUND;
}

/* --- lists of stations --- */

struct list_job {
	struct job job;
	struct token_list list;
};

static void list_insert(struct db *d, const char *station, const struct token_rec *t)
{
	db_admit(d, ROW_OVERHEAD, false);
	struct query q = query_open(d, "INSERT OR REPLACE INTO list (station, folded, token, type, status, expiry_us, grp, updated_us)"
				       " VALUES (?1, lower(?2), ?2, ?3, ?4, ?5, ?6, ?7)");
	give_text(&q, station);
	give_bytes(&q, t->token);
	give_bytes(&q, t->type);
	give_text(&q, t->status);
	give_int(&q, t->expiry_us);
	give_bytes(&q, t->group);
	give_int(&q, t->updated_us);
	query_run(&q);
}

static void list_delete(struct db *d, const char *station, struct slice token)
{
	struct query q = query_open(d, "DELETE FROM list WHERE station = ? AND folded = lower(?)");
	give_text(&q, station);
	give_bytes(&q, token);
	query_run(&q);
}

static void run_list(struct job *j, struct db *d)
{
	const struct token_list *l = &((struct list_job *)j)->list;
	struct query q;
	if (l->full) {
		q = query_open(d, "DELETE FROM list WHERE station = ?");
		give_text(&q, l->station);
		query_run(&q);
	}
	for (size_t i = 0; i < l->n; i++) {
		if (l->entries[i].status)
			list_insert(d, l->station, &l->entries[i]);
		else
			list_delete(d, l->station, l->entries[i].token);
	}
	q = query_open(d, "INSERT OR REPLACE INTO list_version (station, version) VALUES (?, ?)");
	give_text(&q, l->station);
	give_int(&q, l->version);
	query_run(&q);
	j->value = l->version;
}

int token_list_put(struct store *s, const struct token_list *l, store_done *done, void *arg)
{
	struct list_job *p = job_new(sizeof(*p), run_list, done, arg);
	struct arena *mem = &p->job.mem;
	struct token_rec *entries = arena_new(mem, (l->n + 1) * sizeof(*entries));
	p->list = *l;
	p->list.station = arena_text(mem, slice_of(l->station));
	p->list.entries = entries;
	for (size_t i = 0; i < l->n; i++) {
		entries[i] = l->entries[i];
		entries[i].token = copy(mem, l->entries[i].token);
		entries[i].type = copy(mem, l->entries[i].type);
		entries[i].group = copy(mem, l->entries[i].group);
		entries[i].status = l->entries[i].status ? arena_text(mem, slice_of(l->entries[i].status)) : NULL;
	}
	return job_post(s, &p->job);
}

static int64_t number_of(struct store *s, const char *text, const char *station)
{
	int64_t value = 0;
	struct query q = query_open(store_reader(s), text);
	give_text(&q, station);
	if (query_next(&q))
		value = take_int(&q);
	query_close(&q);
	return value;
}

int64_t token_list_version(struct store *s, const char *station)
{
	return number_of(s, "SELECT version FROM list_version WHERE station = ?", station);
}

int64_t token_list_length(struct store *s, const char *station)
{
	return number_of(s, "SELECT count(*) FROM list WHERE station = ?", station);
}

/* --- all that the site entered, and the cache --- */

struct list_of { /* an argument of pages_walk */
	struct pages pages;
	bool (*see)(void *arg, const struct token_rec *t);
	void *arg;
};

static struct query ask(const struct pages *p, struct db *d, const void *after)
{
	const struct token_rec *last = after;
	struct query q = query_open(d, "SELECT " COLUMNS " FROM token WHERE (folded, source) > (lower(?), ?) ORDER BY folded, source LIMIT ?");
	(void)p;
	give_bytes(&q, last ? last->token : SLICE(""));
	give_int(&q, last ? (int)last->source : -1);
	give_int(&q, PAGE_ROWS);
	return q;
}

static bool show(const struct pages *p, const void *row)
{
	const struct list_of *l = (const struct list_of *)p;
	return l->see(l->arg, row);
}

int token_each(struct store *s, bool (*see)(void *arg, const struct token_rec *t), void *arg)
{
	struct list_of l = { { sizeof(struct token_rec), ask, take, show }, see, arg };
	return pages_walk(s, &l.pages);
}
