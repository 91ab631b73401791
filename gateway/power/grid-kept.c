/* A word is its watts, the wall time at which it ends, and for how long it was to hold. A box without a clock may start years before that end: so
 * no more is left of it than it had. */
#include "gateway/power/grid-kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "energy/grid.h"
#include "storage/kept.h"

#define OWNER "grid-input"
#define NAMES_MOST 64

void grid_kept_put(struct store *s, const char *input, int64_t watts, int64_t for_us, store_done *done, void *arg)
{
	char text[80];
	int err;
	snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 " %" PRId64, watts, for_us ? clock_wall_us() + for_us : 0, for_us);
	err = watts == GRID_FREE_W ? kept_remove(s, OWNER, input, done, arg) : kept_put(s, OWNER, input, slice_of(text), done, arg);
	if (err)
		log_error(NULL, "what grid input %s was told cannot be kept over a restart: %s", input, err_text(err));
	if (err && done)
		done(arg, err, 0);
}

bool grid_kept_get(struct store *s, const char *input, int64_t *watts_out, int64_t *for_us_out)
{
	struct arena mem = { 0 };
	struct slice value;
	int64_t until_us = 0;
	char text[80];
	bool found = kept_get(s, OWNER, input, &mem, &value) == 0;
	if (found) {
		snprintf(text, sizeof(text), "%.*s", (int)value.n, value.p);
		found = sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, watts_out, &until_us, for_us_out) == 3;
	}
	arena_free(&mem);
	if (!found || !until_us)
		return found;
	int64_t left_us = until_us - clock_wall_us();
	if (left_us < *for_us_out)
		*for_us_out = left_us;
	return left_us > 0;
}

struct unknown {
	const struct grid_settings *grid;
	char names[NAMES_MOST][64];
	size_t n;
};

static bool see(void *arg, const char *name, struct slice value)
{
	struct unknown *u = arg;
	(void)value;
	for (size_t i = 0; u->grid && i < u->grid->n_inputs; i++)
		if (strcmp(u->grid->inputs[i].id, name) == 0)
			return true;
	snprintf(u->names[u->n++], sizeof(u->names[0]), "%s", name);
	return u->n < NAMES_MOST;
}

void grid_kept_only(struct store *s, const struct grid_settings *grid)
{
	struct unknown u = { .grid = grid };
	if (kept_each(s, OWNER, "", see, &u) != 0)
		return;
	for (size_t i = 0; i < u.n; i++)
		grid_kept_put(s, u.names[i], GRID_FREE_W, 0, NULL, NULL);
}
