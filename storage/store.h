/* The database: one SQLite file in WAL mode with full synchronisation, one writer thread that commits jobs in groups, and a read connection
 * on the loop for small indexed reads. A job's callback runs on the loop after the commit that holds it is on disk, so whoever waits for
 * it may acknowledge. Loop thread, unless said otherwise. */
#ifndef AMPGATE_STORAGE_STORE_H
#define AMPGATE_STORAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct store;

/* Runs on the loop, in the order of the calls: err 0 and the job's value (a sequence number, an id) once it is durable; else why it is not. */
typedef void store_done(void *arg, int err, int64_t value);

struct store_config {
	const char *path;      /* the file; its folder exists. ":memory:" is refused: it would not survive */
	int64_t size_most;     /* bytes the file may grow to, its log (some MiB) not counted; 0: no bound. A tenth, but at least 1 MiB (and at
				* most half), is kept back for records of running transactions */
	int64_t group_us;      /* how long the first job of a group may wait for company; 0: commit at once with what is there */
};

/* Opens, checks, migrates (a file with data is copied to PATH.before-N first, N being its new schema), starts the writer. A file of a newer
 * schema is refused with ERR_UNSUPPORTED and a text that names the way back; one of another program with ERR_INVALID; one that another ampgated
 * has open (PATH.lock) with ERR_EXISTS. A damaged one is put aside as PATH.damaged-TIME, what is readable is salvaged into a new one, and
 * *salvaged_out (may be NULL) is true; all counters then jump ahead, so that no lost number comes back. `error_out` (may be NULL) receives an
 * English text on failure, else NULL; the caller frees it with mem_free. */
int store_open(const struct store_config *c, struct store **out, bool *salvaged_out, char **error_out) MUST_CHECK;

/* A whole file in memory, as from a backup: the number of its schema where it is a store of a newer program, which this one would refuse; else 0.
 * `known_out` is the newest that this one knows. Any thread. */
int store_newer(struct slice file, int *known_out);

/* Commits and calls back everything that was handed over, then ends. What those last callbacks hand over gets ERR_CLOSED. Not from a
 * callback of the store. NULL is fine. */
void store_close(struct store *s);

/* Blocks until all that was handed over so far is committed; the callbacks run on the loop as always, in a later turn. The first failed commit
 * since the last flush, or 0. For orderly stops and tests. */
int store_flush(struct store *s) MUST_CHECK;

/* Failures of a whole group (ERR_STORAGE, ERR_FULL) leave nothing of it behind, and the store goes on with the next: it is the caller's to
 * refuse what it cannot acknowledge. `errors` counts jobs that failed for any reason. */
struct store_stats {
	uint64_t commits, jobs, errors;
	int64_t last_commit_us, file_bytes;
	int64_t used_bytes, size_most, reserve; /* as of the last commit; 0 without a bound */
};
void store_get_stats(const struct store *s, struct store_stats *out);

#endif
