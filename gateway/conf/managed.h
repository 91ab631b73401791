/* The layer of the configuration that the program itself writes, STATE_DIR/managed.yaml, on disk: replaced as a whole, and with a change that
 * waits to be confirmed beside the content before it, so that a crash in between does not make it permanent.
 *
 *   managed.yaml            in force
 *   managed.before          what was in force, while a change waits
 *   managed.pending         until when it waits, and who made it
 *
 * Blocks for a few syncs. Loop thread. */
#ifndef AMPGATE_GATEWAY_MANAGED_H
#define AMPGATE_GATEWAY_MANAGED_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/conf-yaml.h"
#include "base/mem.h"

#define MANAGED_MOST (1024 * 1024)

struct managed_pending {
	int64_t until_us; /* wall */
	const char *who;
	bool self;        /* the program confirms it if its connections stand */
};

const char *managed_path(const char *state_dir, struct arena *mem);
int managed_read(const char *state_dir, struct buf *out) MUST_CHECK; /* empty when there is none */

/* For good. */
int managed_write(const char *state_dir, struct slice yaml) MUST_CHECK;
/* Until managed_keep or managed_back. */
int managed_try(const char *state_dir, struct slice yaml, const struct managed_pending *p) MUST_CHECK;
int managed_keep(const char *state_dir) MUST_CHECK;
int managed_back(const char *state_dir) MUST_CHECK; /* ERR_NOT_FOUND: nothing waits */

/* True: a change waits; `who` in `mem`. */
bool managed_waits(const char *state_dir, struct arena *mem, struct managed_pending *out);

/* `over` laid over `base`, both YAML, as YAML: how a single key is changed. ERR_SYNTAX. */
int managed_lay(struct slice base, const struct conf_node *over, struct buf *out) MUST_CHECK; /* the same with a tree */
int managed_merge(struct slice base, struct slice over, struct buf *out) MUST_CHECK;
/* `base` without what is at these paths (lists of keys), nor maps that are empty then: how a key goes back to what the files say. */
struct cJSON;
int managed_without(struct slice base, const struct cJSON *paths, struct buf *out) MUST_CHECK;

#endif
