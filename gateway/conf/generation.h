/* Configurations that were accepted, kept as files, so that a daemon that finds its configuration broken still has one to run:
 *
 *   STATE_DIR/generations/37/ampgate.yaml, conf.d/..., managed.yaml   copies of the layers
 *   STATE_DIR/generations/37/meta.json                                when, by whom, what for
 *
 * Numbers rise and are not used again; the newest GENERATIONS are kept. A generation appears whole or not at all. Blocks for a few syncs:
 * at the start and on changes only. Loop thread. */
#ifndef AMPGATE_GATEWAY_GENERATION_H
#define AMPGATE_GATEWAY_GENERATION_H

#include "gateway/conf/settings.h"

#define GENERATIONS 20

struct generation {
	int number;
	int64_t at_us;         /* wall */
	const char *who, *why; /* "start", "installer"; "SIGHUP", "config.apply"; never NULL */
};

/* Keeps the files as they are now, unless the newest generation has the same. Its number in `*number_out`, from 1. */
int generation_keep(const char *state_dir, const struct settings_files *files, const char *who, const char *why, int *number_out) MUST_CHECK;

/* Where the files of a generation are (0: the newest); paths in `mem`. ERR_NOT_FOUND. */
int generation_files(const char *state_dir, int number, struct arena *mem, struct settings_files *out) MUST_CHECK;

/* All that are kept, newest first; the texts live during the callback. */
int generation_each(const char *state_dir, void (*each)(void *arg, const struct generation *g), void *arg) MUST_CHECK;

#endif
