/* The journal. The loop numbers events when they happen; one whose commit failed leaves a gap, which shows that something is missing. */
#include "storage/journal.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "storage/job.h"
#include "storage/pages.h"

#define ROW_OVERHEAD 60
#define EVIDENCE "grid."

struct add {
	struct job job;
	struct journal_rec rec;
	size_t bytes;
};

struct trim {
	struct job job;
	int64_t keep, keep_evidence, evidence_from_us;
};

static void run_add(struct job *j, struct db *d)
{
	struct add *a = (struct add *)j;
	db_admit(d, a->bytes + ROW_OVERHEAD, strncmp(a->rec.code, EVIDENCE, sizeof(EVIDENCE) - 1) == 0);
	struct query q = query_open(d, "INSERT INTO journal (seq, wall_us, code, severity, object, args) VALUES (?, ?, ?, ?, ?, ?)");
	give_int(&q, a->rec.seq);
	give_int(&q, a->rec.wall_us);
	give_text(&q, a->rec.code);
	give_text(&q, a->rec.severity);
	give_text(&q, a->rec.object);
	give_text(&q, a->rec.args);
	query_run(&q);
	j->value = a->rec.seq;
}

static const char *copy(struct add *a, const char *text)
{
	struct slice s = slice_of(text);
	a->bytes += s.n;
	return text ? arena_text(&a->job.mem, s) : NULL;
}

int64_t journal_add(struct store *s, const struct journal_rec *rec, store_done *done, void *arg)
{
	assert(rec->code && rec->severity && rec->object);
	struct add *a = job_new(sizeof(*a), run_add, done, arg);
	int64_t seq = store_next_journal_seq(s);
	a->rec = *rec;
	a->rec.seq = seq;
	a->rec.code = copy(a, rec->code);
	a->rec.severity = copy(a, rec->severity);
	a->rec.object = copy(a, rec->object);
	a->rec.args = copy(a, rec->args);
	int err = job_post(s, &a->job);
	return err ? err : seq;
}

int64_t journal_last_seq(struct store *s)
{
	return db_number(store_reader(s), "SELECT coalesce(max(seq), 0) FROM journal");
}

static void run_trim(struct job *j, struct db *d)
{
	struct trim *t = (struct trim *)j;
	struct query q = query_open(d, "DELETE FROM journal WHERE seq <= (SELECT seq FROM journal ORDER BY seq DESC LIMIT 1 OFFSET ?)"
		" AND (code NOT LIKE '" EVIDENCE "%' OR wall_us < ? OR seq IN (SELECT seq FROM (SELECT seq, row_number() OVER"
		" (PARTITION BY object ORDER BY seq DESC) AS nth FROM journal WHERE code LIKE '" EVIDENCE "%') WHERE nth > ?))");
	give_int(&q, t->keep);
	give_int(&q, t->evidence_from_us);
	give_int(&q, t->keep_evidence);
	j->value = query_run(&q);
}

int journal_trim(struct store *s, int64_t keep, int64_t keep_evidence, store_done *done, void *arg)
{
	struct trim *t = job_new(sizeof(*t), run_trim, done, arg);
	t->keep = keep;
	t->keep_evidence = keep_evidence;
	t->evidence_from_us = clock_wall_us() - JOURNAL_EVIDENCE_US;
	return job_post(s, &t->job);
}

int64_t journal_evidence_before(struct store *s, int64_t n)
{
	struct query q = query_open(store_reader(s), "SELECT seq FROM journal WHERE code LIKE '" EVIDENCE "%' ORDER BY seq DESC LIMIT 1 OFFSET ?");
	give_int(&q, n);
	int64_t seq = query_next(&q) ? take_int(&q) : 0;
	query_close(&q);
	return seq;
}

struct list_of { /* an argument of pages_walk */
	struct pages pages;
	int64_t after_seq;
	bool (*see)(void *arg, const struct journal_rec *rec);
	void *arg;
};

static struct query ask(const struct pages *p, struct db *d, const void *after)
{
	struct query q = query_open(d, "SELECT seq, wall_us, code, severity, object, args FROM journal WHERE seq > ? ORDER BY seq LIMIT ?");
	give_int(&q, after ? ((const struct journal_rec *)after)->seq : ((const struct list_of *)p)->after_seq);
	give_int(&q, PAGE_ROWS);
	return q;
}

static void take(struct query *q, struct arena *mem, void *row)
{
	struct journal_rec *r = row;
	r->seq = take_int(q);
	r->wall_us = take_int(q);
	r->code = take_text(q, mem);
	r->severity = take_text(q, mem);
	r->object = take_text(q, mem);
	r->args = take_text(q, mem);
}

static bool show(const struct pages *p, const void *row)
{
	const struct list_of *l = (const struct list_of *)p;
	return l->see(l->arg, row);
}

int journal_each(struct store *s, int64_t after_seq, bool (*see)(void *arg, const struct journal_rec *rec), void *arg)
{
	struct list_of l = { { sizeof(struct journal_rec), ask, take, show }, after_seq, see, arg };
	return pages_walk(s, &l.pages);
}
