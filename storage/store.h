/* The database: one SQLite file in WAL mode with full synchronisation, one writer thread that commits jobs in groups, and a read connection
 * on the loop for small indexed reads. A job's callback runs on the loop after the commit that holds it is on disk, so whoever waits for
 * it may acknowledge. Loop thread, unless said otherwise. */
#ifndef AMPGATE_STORAGE_STORE_H
#define AMPGATE_STORAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct store;

/* Runs on the loop: err 0 and the job's value (a sequence number, an id) once it is durable; else why it is not. */
typedef void store_done(void *arg, int err, int64_t value);

struct store_config {
	const char *path;      /* the file; its folder exists. ":memory:" is refused: it would not survive */
	int64_t size_most;     /* bytes the file may grow to; 0: no bound */
	int64_t group_us;      /* how long the first job of a group may wait for company; 0: commit at once with what is there */
};

/* Opens, checks, migrates (copying the file first), starts the writer. A file of a newer schema is refused with ERR_UNSUPPORTED; a damaged
 * one is put aside as PATH.damaged-TIME, what is readable is salvaged into a new one, and *salvaged_out is true. `error_out` (may be NULL)
 * receives an English text that the caller frees with mem_free. */
int store_open(const struct store_config *c, struct store **out, bool *salvaged_out, char **error_out) MUST_CHECK;
void store_close(struct store *s); /* commits and calls back everything that was handed over, then ends */

/* Blocks until all that was handed over so far is committed; the callbacks run on the loop as always. For orderly stops and tests. */
int store_flush(struct store *s) MUST_CHECK;

struct store_stats {
	uint64_t commits, jobs, errors;
	int64_t last_commit_us, file_bytes;
};
void store_get_stats(const struct store *s, struct store_stats *out);

#endif
