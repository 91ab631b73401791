/* SQLite behind a few calls.
 *
 * The settings that matter are in db_use_wal: WAL lets the loop read while the writer commits, and synchronous=FULL syncs the log before COMMIT
 * returns (with NORMAL, WAL's usual companion, a power cut loses the last commits). Checkpoints are not left to COMMIT, which would make whoever
 * waits for it wait for them too; the writer runs them when it has told everybody. */
#include "storage/db.h"

#include <assert.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 5000

int db_code(int sqlite_code)
{
	switch (sqlite_code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_CONSTRAINT:
		return ERR_EXISTS;
	default:
		return ERR_STORAGE;
	}
}

void db_clear(struct db *d)
{
	d->err = 0;
}

void db_fail(struct db *d, int err)
{
	if (!d->err)
		d->err = err;
}

static int on_commit(void *arg, sqlite3 *sql, const char *name, int pages)
{
	struct db *d = arg;
	(void)sql, (void)name;
	d->wal_pages = pages;
	return SQLITE_OK;
}

/* Tokens are nobody's business: the file is its owner's alone, and its log inherits that. Only a file that is new is touched: closing any
 * descriptor of a file drops all locks that this process has on it, SQLite's included. */
static void make_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

int db_open(struct db *d, const char *path)
{
	memset(d, 0, sizeof(*d));
	make_private(path);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	db_fail(d, db_code(sqlite3_open_v2(path, &d->sql, flags, NULL)));
	if (d->err)
		return d->err;
	sqlite3_busy_timeout(d->sql, BUSY_MS);
	return 0;
}

int db_use_wal(struct db *d)
{
	struct query q = query_open(d, "PRAGMA journal_mode = WAL");
	if (query_next(&q) && strcmp((const char *)sqlite3_column_text(q.st, 0), "wal") != 0)
		db_fail(d, ERR_STORAGE); /* the file system has no shared memory: some network ones */
	query_close(&q);
	db_exec(d, "PRAGMA synchronous = FULL");
	sqlite3_wal_hook(d->sql, on_commit, d);
	db_exec(d, "PRAGMA journal_size_limit = 8388608"); /* bytes the log keeps on disk once it is empty */
	return d->err;
}

void db_close(struct db *d)
{
	for (size_t i = 0; i < d->count; i++)
		sqlite3_finalize(d->prepared[i].st);
	d->count = 0;
	sqlite3_close(d->sql);
	d->sql = NULL;
}

const char *db_text(const struct db *d)
{
	return d->sql ? sqlite3_errmsg(d->sql) : "out of memory";
}

void db_exec(struct db *d, const char *text)
{
	if (!d->err)
		db_fail(d, db_code(sqlite3_exec(d->sql, text, NULL, NULL, NULL)));
}

void db_run(struct db *d, const char *text)
{
	struct query q = query_open(d, text);
	query_run(&q);
}

int64_t db_number(struct db *d, const char *text)
{
	struct query q = query_open(d, text);
	int64_t value = query_next(&q) ? take_int(&q) : 0;
	query_close(&q);
	return value;
}

void db_measure(struct db *d)
{
	if (!d->size_most)
		return;
	int64_t pages = db_number(d, "PRAGMA page_count") - db_number(d, "PRAGMA freelist_count");
	d->used = pages * db_number(d, "PRAGMA page_size");
}

void db_admit(struct db *d, size_t bytes, bool urgent)
{
	if (d->err || !d->size_most)
		return;
	if (d->used + (int64_t)bytes > d->size_most - (urgent ? 0 : d->reserve))
		db_fail(d, ERR_FULL);
	else
		d->used += (int64_t)bytes;
}

static sqlite3_stmt *prepared(struct db *d, const char *text)
{
	sqlite3_stmt *st = NULL;
	for (size_t i = 0; i < d->count; i++)
		if (d->prepared[i].text == text)
			return d->prepared[i].st;
	assert(d->count < DB_STATEMENTS);
	db_fail(d, db_code(sqlite3_prepare_v3(d->sql, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL)));
	if (d->err)
		return NULL;
	d->prepared[d->count].text = text;
	d->prepared[d->count++].st = st;
	return st;
}

struct query query_open(struct db *d, const char *text)
{
	struct query q = { .db = d };
	if (!d->err)
		q.st = prepared(d, text);
	assert(!q.st || !sqlite3_stmt_busy(q.st));
	return q;
}

/* After a binding: a text beyond SQLite's own limits is the only way it can fail. */
static void given(struct query *q, int code)
{
	if (code == SQLITE_OK)
		return;
	db_fail(q->db, code == SQLITE_TOOBIG ? ERR_TOO_LARGE : db_code(code));
	query_close(q);
}

void give_int(struct query *q, int64_t value)
{
	if (q->st)
		given(q, sqlite3_bind_int64(q->st, ++q->given, value));
}

void give_real(struct query *q, double value)
{
	if (q->st)
		given(q, sqlite3_bind_double(q->st, ++q->given, value));
}

void give_text(struct query *q, const char *text)
{
	give_bytes(q, slice_of(text));
}

void give_bytes(struct query *q, struct slice s)
{
	if (q->st)
		given(q, sqlite3_bind_text64(q->st, ++q->given, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8));
}

void give_blob(struct query *q, const void *bytes, size_t n)
{
	if (q->st)
		given(q, sqlite3_bind_blob64(q->st, ++q->given, bytes, n, SQLITE_STATIC));
}

bool query_next(struct query *q)
{
	if (!q->st)
		return false;
	int code = sqlite3_step(q->st);
	q->taken = 0;
	if (code != SQLITE_ROW)
		db_fail(q->db, db_code(code));
	return code == SQLITE_ROW;
}

int64_t take_int(struct query *q)
{
	return sqlite3_column_int64(q->st, q->taken++);
}

double take_real(struct query *q)
{
	int column = q->taken++;
	return sqlite3_column_type(q->st, column) == SQLITE_NULL ? NAN : sqlite3_column_double(q->st, column);
}

struct slice take_bytes(struct query *q, struct arena *mem)
{
	int column = q->taken++;
	struct slice s = { (const char *)sqlite3_column_text(q->st, column), 0 };
	if (!s.p)
		return s;
	s.n = (size_t)sqlite3_column_bytes(q->st, column);
	return arena_slice(mem, s);
}

const char *take_text(struct query *q, struct arena *mem)
{
	return take_bytes(q, mem).p;
}

void take_blob(struct query *q, void *out, size_t n)
{
	int column = q->taken++;
	const void *bytes = sqlite3_column_blob(q->st, column);
	if (bytes && (size_t)sqlite3_column_bytes(q->st, column) == n)
		memcpy(out, bytes, n);
	else
		memset(out, 0, n);
}

void query_close(struct query *q)
{
	if (!q->st)
		return;
	sqlite3_reset(q->st);
	sqlite3_clear_bindings(q->st);
	q->st = NULL;
}

int query_run(struct query *q)
{
	while (query_next(q)) { }
	int changed = q->st && !q->db->err ? sqlite3_changes(q->db->sql) : 0;
	query_close(q);
	return changed;
}
