/* The store: a writer thread that commits jobs in groups, and the loop's side of it.
 *
 *   job_post --inbox--> gather (all that is there, and group_us of company) --> BEGIN, each job in a savepoint, COMMIT
 *            <--mail--- one per group, all its jobs in the order of the calls -----'
 *
 * A savepoint per job keeps one job's failure to itself; a failed COMMIT is everybody's. SQLite ends the transaction by itself on some failures
 * (disk full, I/O errors), and a job run after that would commit alone: the writer looks after each job whether the transaction still is.
 *
 * Counts live on the loop: a record counts when it is handed over and is taken back when its job fails; what other jobs change is known after
 * their commit and applied before any callback of that job runs. */
#include "storage/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/stats.h"
#include "storage/job.h"
#include "storage/schema.h"

#define GROUP_MOST 1000          /* jobs in one commit */
#define CHECKPOINT_PAGES 1000    /* of the log, before it is moved into the file */
#define RESERVE_LEAST (1 << 20)  /* bytes for records of running transactions when the rest is full; or a tenth, if that is more */

struct writer { /* the thread's own */
	struct inbox *in;
	struct mailbox *out;
	struct db db;
	struct list group;
	size_t jobs;
	bool urgent; /* somebody waits in store_flush */
	int64_t group_us;
	int failed; /* the first failed commit since the last flush */
};

struct store {
	pthread_t thread;
	struct writer writer;
	struct db reader;
	struct mailbox *mail;
	int lock;
	bool closing;
	int64_t seq, journal_seq; /* last given */
	struct map counts;        /* station -> struct station_counts */
	struct station_counts all;
	struct store_stats stats;
};

struct group { /* the mail that brings a finished group home */
	struct mail mail;
	struct list jobs;
	int64_t took_us, file_bytes, used_bytes;
	bool committed;
};

struct flush {
	struct job job;
	sem_t *over;
	int *failed;
};

/* The writer's side. */

/* Keeps or undoes what the job did; an error here leaves it half done, and the group must not be committed. */
static int savepoint_end(struct db *d, struct job *j)
{
	j->err = d->err;
	db_clear(d);
	if (j->err)
		db_run(d, "ROLLBACK TO job");
	db_run(d, "RELEASE job");
	return d->err;
}

/* 0, or why the group is lost; the job's own failure is in j->err. */
static int run_job(struct db *d, struct job *j)
{
	db_run(d, "SAVEPOINT job");
	if (!d->err)
		j->run(j, d);
	int err = d->err ? d->err : ERR_STORAGE;
	bool gone = sqlite3_get_autocommit(d->sql);
	int lost = gone ? err : savepoint_end(d, j);
	db_clear(d);
	return lost;
}

static int run_group(struct writer *w)
{
	struct db *d = &w->db;
	db_clear(d);
	db_run(d, "BEGIN IMMEDIATE");
	db_measure(d);
	LIST_WALK(&w->group, struct mail, entry, m) {
		if (d->err)
			break;
		db_fail(d, run_job(d, (struct job *)m));
	}
	db_run(d, "COMMIT");
	int err = d->err;
	if (err && !sqlite3_get_autocommit(d->sql))
		sqlite3_exec(d->sql, "ROLLBACK", NULL, NULL, NULL);
	db_clear(d);
	return err == ERR_FULL || !err ? err : ERR_STORAGE;
}

static void on_group(struct mail *m, void *arg);

static void send_home(struct writer *w, int err, int64_t took_us)
{
	struct group *g = NEW(struct group);
	g->mail.deliver = on_group;
	g->took_us = took_us;
	g->committed = !err;
	g->file_bytes = db_number(&w->db, "PRAGMA page_count") * db_number(&w->db, "PRAGMA page_size");
	g->used_bytes = w->db.used;
	db_clear(&w->db);
	list_init(&g->jobs);
	LIST_WALK(&w->group, struct mail, entry, m) {
		struct job *j = (struct job *)m;
		list_remove(&m->entry);
		list_append(&g->jobs, &m->entry);
		if (err)
			j->err = err;
	}
	w->jobs = 0;
	mailbox_post(w->out, &g->mail);
}

static void commit_group(struct writer *w)
{
	int64_t start = clock_mono_us();
	bool urgent = w->urgent;
	int err = run_group(w);
	struct flush *flush = urgent ? (struct flush *)LIST_ITEM(w->group.prev, struct mail, entry) : NULL;
	if (err && !w->failed)
		w->failed = err;
	if (flush) {
		*flush->failed = w->failed;
		w->failed = 0;
	}
	sem_t *over = flush ? flush->over : NULL;
	w->urgent = false;
	send_home(w, err, clock_mono_us() - start);
	if (over)
		sem_post(over);
	if (w->db.wal_pages >= CHECKPOINT_PAGES)
		sqlite3_wal_checkpoint_v2(w->db.sql, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static void on_job(struct mail *m, void *arg)
{
	struct writer *w = arg;
	list_append(&w->group, &m->entry);
	w->jobs++;
	if (w->urgent || w->jobs >= GROUP_MOST)
		commit_group(w);
}

static void run_nothing(struct job *j, struct db *d)
{
	(void)j, (void)d;
}

static void on_flush(struct mail *m, void *arg)
{
	struct writer *w = arg;
	w->urgent = true;
	on_job(m, arg);
}

/* Waits until there is a job, then for others to join it, at most group_us in all. */
static void gather(struct writer *w)
{
	inbox_serve(w->in, -1);
	int64_t until = clock_mono_us() + w->group_us;
	while (w->jobs && !inbox_stopped(w->in)) {
		int64_t left = until - clock_mono_us();
		if (left <= 0 || !inbox_serve(w->in, left))
			return;
	}
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	do {
		gather(w);
		if (w->jobs)
			commit_group(w);
	} while (!inbox_stopped(w->in) || inbox_serve(w->in, 0) || w->jobs);
	return NULL;
}

/* Jobs. */

void *job_new(size_t size, void (*run)(struct job *j, struct db *d), store_done *done, void *arg)
{
	struct arena mem = { 0 };
	struct job *j = arena_new(&mem, size);
	j->mem = mem;
	j->mail.deliver = on_job;
	j->run = run;
	j->done = done;
	j->arg = arg;
	return j;
}

static void job_free(struct job *j)
{
	struct arena mem = j->mem;
	arena_free(&mem);
}

void job_effect(struct job *j, const char *station, int64_t waiting, int64_t parked, int64_t mapped)
{
	struct effect *e = arena_new(&j->mem, sizeof(*e));
	*e = (struct effect){ j->effects, arena_text(&j->mem, slice_of(station)), waiting, parked, mapped };
	j->effects = e;
}

static void count(struct store *s, const struct effect *e)
{
	struct station_counts *c = map_get(&s->counts, slice_of(e->station));
	if (!c) {
		c = NEW(struct station_counts);
		map_put(&s->counts, slice_of(e->station), c);
	}
	c->waiting += e->waiting;
	c->parked += e->parked;
	c->mapped += e->mapped;
	s->all.waiting += e->waiting;
	s->all.parked += e->parked;
	s->all.mapped += e->mapped;
}

int job_post(struct store *s, struct job *j)
{
	assert(loop_is_mine());
	if (s->closing) {
		job_free(j);
		return ERR_CLOSED;
	}
	if (j->counted)
		count(s, &(struct effect){ .station = j->counted, .waiting = 1 });
	inbox_post(s->writer.in, &j->mail);
	return 0;
}

static void finish(struct store *s, struct job *j)
{
	s->stats.jobs++;
	s->stats.errors += j->err != 0;
	if (j->err && j->counted)
		count(s, &(struct effect){ .station = j->counted, .waiting = -1 });
	for (struct effect *e = j->err ? NULL : j->effects; e; e = e->next)
		count(s, e);
	if (j->done)
		j->done(j->arg, j->err, j->value);
	job_free(j);
}

static void on_group(struct mail *m, void *arg)
{
	struct store *s = arg;
	struct group *g = (struct group *)m;
	s->stats.commits += g->committed;
	s->stats.last_commit_us = g->took_us;
	if (g->committed)
		stats_observe("ampgate_db_commit_duration_seconds", "", (double)g->took_us / US_PER_S);
	s->stats.file_bytes = g->file_bytes;
	s->stats.used_bytes = g->used_bytes;
	LIST_WALK(&g->jobs, struct mail, entry, job) {
		list_remove(&job->entry);
		finish(s, (struct job *)job);
	}
	mem_free(g);
}

struct db *store_reader(struct store *s)
{
	assert(loop_is_mine());
	db_clear(&s->reader);
	return &s->reader;
}

int64_t store_next_seq(struct store *s)
{
	return ++s->seq;
}

int64_t store_next_journal_seq(struct store *s)
{
	return ++s->journal_seq;
}

const struct station_counts *store_counts(const struct store *s, const char *station)
{
	static const struct station_counts none;
	const struct station_counts *c = station ? map_get(&s->counts, slice_of(station)) : &s->all;
	return c ? c : &none;
}

const struct map *store_all_counts(const struct store *s)
{
	return &s->counts;
}

/* Open and close. */

static int refuse(char **error_out, int err, const char *path, const char *why)
{
	struct arena mem = { 0 };
	if (!*error_out)
		*error_out = mem_strdup(arena_printf(&mem, "%s: %s", path, why));
	arena_free(&mem);
	return err;
}

/* Two programs on one file would hand out the same numbers. The lock ends with the process, however that ends. */
static int lock_file(const char *path, int *fd_out, char **error_out)
{
	struct arena mem = { 0 };
	const char *name = arena_printf(&mem, "%s.lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600), err = 0;
	if (fd < 0)
		err = refuse(error_out, ERR_STORAGE, name, strerror(errno));
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		err = refuse(error_out, ERR_EXISTS, path, "in use by another ampgated");
	if (err && fd >= 0)
		close(fd);
	*fd_out = err ? -1 : fd;
	arena_free(&mem);
	return err;
}

static int open_checked(struct db *d, const char *path, char **error_out)
{
	int err = db_open(d, path);
	if (!err)
		err = db_use_wal(d);
	if (!err)
		err = schema_check(d);
	if (!err)
		err = schema_upgrade(d, path, schema_steps, schema_steps_count, error_out);
	if (err)
		refuse(error_out, err, path, db_text(d));
	return err;
}

static int open_or_salvage(struct db *d, const char *path, bool *salvaged_out, char **error_out)
{
	int err = salvage_resume(path);
	if (err)
		return refuse(error_out, err, path, "the end of an earlier salvage failed");
	err = open_checked(d, path, error_out);
	if (err != ERR_CORRUPT)
		return err;
	db_close(d);
	mem_free(*error_out);
	*error_out = NULL;
	err = salvage(path, error_out);
	if (err)
		return refuse(error_out, err, path, "damaged, and salvaging it failed");
	*salvaged_out = true;
	return open_checked(d, path, error_out);
}

static void bound_size(struct db *d, int64_t size_most)
{
	if (size_most <= 0)
		return;
	int64_t page = db_number(d, "PRAGMA page_size");
	struct arena mem = { 0 };
	db_exec(d, arena_printf(&mem, "PRAGMA max_page_count = %lld", (long long)(size_most / (page ? page : 4096))));
	arena_free(&mem);
	d->size_most = size_most;
	d->reserve = size_most / 10 > RESERVE_LEAST ? size_most / 10 : RESERVE_LEAST;
	if (d->reserve > size_most / 2)
		d->reserve = size_most / 2;
}

static void load_counts(struct store *s, const char *text, struct effect each)
{
	struct arena mem = { 0 };
	struct query q = query_open(&s->reader, text);
	while (query_next(&q)) {
		const char *station = take_text(&q, &mem);
		int64_t n = take_int(&q);
		count(s, &(struct effect){ NULL, station, each.waiting * n, each.parked * n, each.mapped * n });
	}
	query_close(&q);
	arena_free(&mem);
}

static int load(struct store *s)
{
	struct db *d = &s->reader;
	load_counts(s, "SELECT station, count(*) FROM outbox WHERE state < 2 GROUP BY station", (struct effect){ .waiting = 1 });
	load_counts(s, "SELECT station, count(*) FROM outbox WHERE state = 2 GROUP BY station", (struct effect){ .parked = 1 });
	load_counts(s, "SELECT station, count(*) FROM tx WHERE station_tx IS NOT NULL AND station_tx IS NOT csms_tx GROUP BY station",
		    (struct effect){ .mapped = 1 });
	s->seq = db_number(d, "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
	s->journal_seq = db_number(d, "SELECT seq FROM sqlite_sequence WHERE name = 'journal'");
	return d->err;
}

static int open_reader(struct store *s, const char *path)
{
	int err = db_open(&s->reader, path);
	db_exec(&s->reader, "PRAGMA query_only = ON");
	return err ? err : load(s);
}

/* Signals belong to the loop's thread. */
static int start_writer(struct store *s)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = -pthread_create(&s->thread, NULL, writer_main, &s->writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static void dismantle(struct store *s)
{
	mailbox_close(s->mail);
	inbox_close(s->writer.in);
	db_close(&s->reader);
	db_close(&s->writer.db);
	if (s->lock >= 0)
		close(s->lock);
	size_t at = 0;
	for (struct station_counts *c; (c = map_next(&s->counts, &at, NULL));)
		mem_free(c);
	map_free(&s->counts);
	mem_free(s);
}

static int open_all(struct store *s, const struct store_config *c, bool *salvaged_out, char **error_out)
{
	if (!c->path || !*c->path || strstr(c->path, ":memory:"))
		return refuse(error_out, ERR_INVALID, c->path ? c->path : "", "a database needs a file");
	int err = lock_file(c->path, &s->lock, error_out);
	if (!err)
		err = open_or_salvage(&s->writer.db, c->path, salvaged_out, error_out);
	if (err)
		return err;
	bound_size(&s->writer.db, c->size_most);
	s->stats.size_most = s->writer.db.size_most;
	s->stats.reserve = s->writer.db.reserve;
	err = open_reader(s, c->path);
	if (err)
		return refuse(error_out, err, c->path, db_text(&s->reader));
	err = mailbox_open(&s->mail, s);
	if (err)
		return refuse(error_out, err, c->path, err_text(err));
	list_init(&s->writer.group);
	s->writer.in = inbox_open(&s->writer);
	s->writer.out = s->mail;
	s->writer.group_us = c->group_us;
	err = start_writer(s);
	return err ? refuse(error_out, err, c->path, "the writer thread did not start") : 0;
}

int store_open(const struct store_config *c, struct store **out, bool *salvaged_out, char **error_out)
{
	struct store *s = NEW(struct store);
	bool salvaged = false;
	char *text = NULL;
	s->lock = -1;
	int err = open_all(s, c, &salvaged, &text);
	if (err)
		dismantle(s);
	else
		*out = s;
	if (salvaged_out)
		*salvaged_out = salvaged;
	if (error_out)
		*error_out = text;
	else
		mem_free(text);
	return err;
}

int store_flush(struct store *s)
{
	sem_t over;
	int failed = 0;
	struct flush *f = job_new(sizeof(*f), run_nothing, NULL, NULL);
	f->job.mail.deliver = on_flush;
	f->over = &over;
	f->failed = &failed;
	sem_init(&over, 0, 0);
	int err = job_post(s, &f->job);
	while (!err && sem_wait(&over) != 0) { } /* a signal */
	sem_destroy(&over);
	return err ? err : failed;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	assert(loop_is_mine());
	inbox_stop(s->writer.in);
	pthread_join(s->thread, NULL);
	s->closing = true;
	dismantle(s);
}

void store_get_stats(const struct store *s, struct store_stats *out)
{
	*out = s->stats;
}
