/* One SQLite connection: prepared statements and a failure that is remembered. The first failure since db_clear stays in `err` and every later
 * call does nothing, so a job reads as a list of steps and one look at the end tells. Internal to storage/; a connection belongs to one
 * thread at a time. */
#ifndef AMPGATE_STORAGE_DB_H
#define AMPGATE_STORAGE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

#define DB_STATEMENTS 64 /* more than the folder has texts */

struct db {
	sqlite3 *sql;
	struct {
		const char *text; /* by address: a statement's text is a constant */
		sqlite3_stmt *st;
	} prepared[DB_STATEMENTS];
	size_t count;
	int err;
	int64_t size_most, reserve; /* bytes; size_most 0: no bound */
	int64_t used;               /* bytes taken, brought up to date by db_measure */
	int wal_pages;              /* in the log after the last commit */
};

/* Opens for writing, making the file (mode 0600) if there is none. The caller closes also after a failure. `d` may be garbage before. */
int db_open(struct db *d, const char *path) MUST_CHECK;
int db_use_wal(struct db *d) MUST_CHECK; /* WAL with full synchronisation: what is committed survives a power cut */
void db_close(struct db *d);
const char *db_text(const struct db *d); /* SQLite's own words about the last failure */

int db_code(int sqlite_code); /* 0, ERR_FULL, ERR_CORRUPT, ERR_EXISTS (a constraint), ERR_STORAGE */
void db_clear(struct db *d);
void db_fail(struct db *d, int err); /* remembers it unless there is one already */
void db_exec(struct db *d, const char *text); /* any number of statements */
void db_run(struct db *d, const char *text);  /* one, prepared once */
int64_t db_number(struct db *d, const char *text); /* the first column of the first row; 0 when there is none */

/* Room: with a size bound, `used` counts what the batch has added so far. Without `urgent` the reserve is left alone. ERR_FULL. */
void db_measure(struct db *d);
void db_admit(struct db *d, size_t bytes, bool urgent);

/* One run of a prepared statement: values are given in the order of the question marks, columns are read from the left. Texts and bytes
 * must live until query_close; those read are copied to the arena. */
struct query {
	struct db *db;
	sqlite3_stmt *st; /* NULL after a failure */
	int given, taken;
};

struct query query_open(struct db *d, const char *text);
void give_int(struct query *q, int64_t value);
void give_real(struct query *q, double value); /* NaN is stored as NULL */
void give_text(struct query *q, const char *text); /* NULL is NULL */
void give_bytes(struct query *q, struct slice s);  /* as text; absent is NULL */
void give_blob(struct query *q, const void *bytes, size_t n);
bool query_next(struct query *q); /* is there a row? */
int64_t take_int(struct query *q);
double take_real(struct query *q);
const char *take_text(struct query *q, struct arena *mem); /* NULL for NULL */
struct slice take_bytes(struct query *q, struct arena *mem);
void take_blob(struct query *q, void *out, size_t n); /* zeroes where the column is of another size */
void query_close(struct query *q);
int query_run(struct query *q); /* to its end, and closes: rows changed, 0 after a failure */

#endif
