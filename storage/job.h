/* What the nouns of this folder share: jobs for the writer thread, and the counts that the loop keeps. Internal to storage/.
 *
 *   loop: job_new, fill in, job_post  ->  writer: run, inside the group's transaction  ->  loop: counts, done, freed
 *
 * A job owns everything it needs (its arena) and holds no pointers into the loop's data. */
#ifndef AMPGATE_STORAGE_JOB_H
#define AMPGATE_STORAGE_JOB_H

#include "base/mailbox.h"
#include "base/map.h"
#include "base/mem.h"
#include "storage/db.h"
#include "storage/store.h"

/* What a committed job changed in the counts of a station. */
struct effect {
	struct effect *next;
	const char *station;
	int64_t waiting, parked, mapped;
};

struct job {
	struct mail mail;
	struct arena mem; /* the job itself is in it too */
	void (*run)(struct job *j, struct db *d); /* writer: steps; failures go to d->err, the result to j->value and job_effect */
	store_done *done;
	void *arg;
	const char *counted; /* the station whose waiting record this job brings: counted when handed over, taken back if it fails */
	struct effect *effects;
	int64_t value;
	int err;
};

/* `size`: of the struct that starts with the job. Zeroed. */
void *job_new(size_t size, void (*run)(struct job *j, struct db *d), store_done *done, void *arg);
int job_post(struct store *s, struct job *j) MUST_CHECK; /* takes the job in any case; 0 or ERR_CLOSED */
void job_effect(struct job *j, const char *station, int64_t waiting, int64_t parked, int64_t mapped); /* writer */

struct db *store_reader(struct store *s); /* the loop's connection, without an old failure */
int64_t store_next_seq(struct store *s);         /* of the outbox */
int64_t store_next_journal_seq(struct store *s);

/* The counts, by station or, with NULL, of all. */
struct station_counts {
	int64_t waiting, parked, mapped;
};
const struct station_counts *store_counts(const struct store *s, const char *station);
const struct map *store_all_counts(const struct store *s); /* station -> struct station_counts */

#endif
