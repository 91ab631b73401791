/* The tables and how older files become newer ones; and what is done with a damaged file. Internal to storage/. */
#ifndef AMPGATE_STORAGE_SCHEMA_H
#define AMPGATE_STORAGE_SCHEMA_H

#include "storage/db.h"

/* Step n (from 1) makes schema n of schema n - 1. Steps that were released never change; a new one goes to the end. */
extern const char *const schema_steps[];
extern const int schema_steps_count;

#define PROVISIONAL_FIRST 1500000001 /* far above what a CSMS hands out, and within the 31 bits that 1.6 stations can hold */
#define PROVISIONAL_LAST INT32_MAX

/* Brings an open file to the last step. A file that holds data is copied to PATH.before-N first, N being the step it is taken to. A newer
 * file is left alone: ERR_UNSUPPORTED. Not our file at all: ERR_INVALID. `error_out` (never NULL) gets a text on failure. */
int schema_upgrade(struct db *d, const char *path, const char *const *steps, int count, char **error_out) MUST_CHECK;

/* Whether SQLite can walk the whole file. 0, ERR_CORRUPT, or why it could not look. */
int schema_check(struct db *d) MUST_CHECK;

/* Puts what can be read of a damaged file into a new one of the present schema, which takes its place; the old one becomes
 * PATH.damaged-TIME. Nobody has the file open. Counters jump ahead, as their last values may be among what is lost. */
int salvage(const char *path, char **error_out) MUST_CHECK;
/* Ends a salvage that was cut off after its work was done, or forgets one that was not. Before every open. */
int salvage_resume(const char *path) MUST_CHECK;

#endif
