/* Limits of the grid operator that were told once and hold over a restart: those of commands, and what an energy manager wrote. */
#ifndef AMPGATE_GATEWAY_GRID_KEPT_H
#define AMPGATE_GATEWAY_GRID_KEPT_H

#include "gateway/conf/settings.h"
#include "storage/store.h"

/* GRID_FREE_W: nothing is kept any more. for_us 0: until the next word. `done` when it is on disk, or why it is not. */
void grid_kept_put(struct store *s, const char *input, int64_t watts, int64_t for_us, store_done *done, void *arg);
/* False: nothing, or its time is over. for_us_out: what is left of it, 0: until the next word. */
bool grid_kept_get(struct store *s, const char *input, int64_t *watts_out, int64_t *for_us_out);
/* Forgets those of inputs that `grid` does not have; NULL: of all. */
void grid_kept_only(struct store *s, const struct grid_settings *grid);

#endif
