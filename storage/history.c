/* The key begins with object and step, so that a chart reads one stretch of the table. */
#include "storage/history.h"

#include "storage/job.h"
#include "storage/pages.h"

#define ROW_OVERHEAD 60

struct add {
	struct job job;
	struct history_rec *rows;
	size_t n;
};

struct trim {
	struct job job;
	int step_s;
	int64_t before_s;
};

static void give_ma(struct query *q, int32_t ma)
{
	if (ma == HISTORY_NONE)
		give_text(q, NULL);
	else
		give_int(q, ma);
}

static void run_add(struct job *j, struct db *d)
{
	struct add *a = (struct add *)j;
	db_admit(d, a->n * ROW_OVERHEAD, false);
	for (size_t i = 0; i < a->n && !d->err; i++) {
		const struct history_rec *r = &a->rows[i];
		struct query q = query_open(d, "INSERT OR REPLACE INTO history (object, step_s, at_s, l1, l2, l3, top, lim) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
		give_text(&q, r->object);
		give_int(&q, r->step_s);
		give_int(&q, r->at_s);
		for (int p = 0; p < 3; p++)
			give_ma(&q, r->ma[p]);
		give_ma(&q, r->top_ma);
		give_ma(&q, r->limit_ma);
		query_run(&q);
	}
}

int history_add(struct store *s, const struct history_rec *rows, size_t n)
{
	struct add *a = job_new(sizeof(*a), run_add, NULL, NULL);
	a->rows = arena_new(&a->job.mem, n * sizeof(*rows));
	a->n = n;
	for (size_t i = 0; i < n; i++) {
		a->rows[i] = rows[i];
		a->rows[i].object = arena_text(&a->job.mem, slice_of(rows[i].object));
	}
	return job_post(s, &a->job);
}

static void run_trim(struct job *j, struct db *d)
{
	struct trim *t = (struct trim *)j;
	struct query q = query_open(d, "DELETE FROM history WHERE step_s = ? AND at_s < ?");
	give_int(&q, t->step_s);
	give_int(&q, t->before_s);
	j->value = query_run(&q);
}

int history_trim(struct store *s, int step_s, int64_t before_s)
{
	struct trim *t = job_new(sizeof(*t), run_trim, NULL, NULL);
	t->step_s = step_s;
	t->before_s = before_s;
	return job_post(s, &t->job);
}

struct list_of { /* an argument of pages_walk */
	struct pages pages;
	const char *object;
	int step_s;
	int64_t from_s;
	bool (*see)(void *arg, const struct history_rec *rec);
	void *arg;
};

static struct query ask(const struct pages *p, struct db *d, const void *after)
{
	const struct list_of *l = (const struct list_of *)p;
	struct query q = query_open(d, "SELECT at_s, l1, l2, l3, top, lim FROM history WHERE object = ? AND step_s = ? AND at_s > ? ORDER BY at_s LIMIT ?");
	give_text(&q, l->object);
	give_int(&q, l->step_s);
	give_int(&q, after ? ((const struct history_rec *)after)->at_s : l->from_s - 1);
	give_int(&q, PAGE_ROWS);
	return q;
}

static int32_t take_ma(struct query *q, struct arena *mem)
{
	const char *text = take_text(q, mem);
	int64_t ma;
	return text && int_parse(slice_of(text), &ma) == 0 ? (int32_t)ma : HISTORY_NONE;
}

static void take(struct query *q, struct arena *mem, void *row)
{
	struct history_rec *r = row;
	r->at_s = take_int(q);
	for (int p = 0; p < 3; p++)
		r->ma[p] = take_ma(q, mem);
	r->top_ma = take_ma(q, mem);
	r->limit_ma = take_ma(q, mem);
}

static bool show(const struct pages *p, const void *row)
{
	const struct list_of *l = (const struct list_of *)p;
	return l->see(l->arg, row);
}

int history_each(struct store *s, const char *object, int step_s, int64_t from_s, bool (*see)(void *arg, const struct history_rec *rec), void *arg)
{
	struct list_of l = { { sizeof(struct history_rec), ask, take, show }, object, step_s, from_s, see, arg };
	return pages_walk(s, &l.pages);
}
