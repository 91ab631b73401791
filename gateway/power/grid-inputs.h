/* The grid operator's inputs of this site: reads them, or listens for them, has energy/grid decide, lowers the site at once, and keeps
 * evidence of it in the journal (codes "grid."). Does nothing where none are configured. Loop thread. */
#ifndef AMPGATE_GATEWAY_GRID_INPUTS_H
#define AMPGATE_GATEWAY_GRID_INPUTS_H

#include "base/json.h"
#include "energy/grid.h"
#include "gateway/gateway.h"

void grid_inputs_open(struct gateway *g);            /* after the host and the balancer */
void grid_inputs_stop(void);                         /* no more readings are taken; before the host closes */
void grid_inputs_free(void);                         /* after it */
/* Whether `next` can be taken over while we run: no input of kind csms comes, whose CSMS has told its limit already. */
bool grid_inputs_can_change(const struct settings *now, const struct settings *next);
/* g->conf is another one. Inputs whose id was there go on: what they said holds, and until when. `moved`: one that is read elsewhere now. */
void grid_inputs_change(struct gateway *g, bool (*moved)(void *arg, const char *input), void *arg);

/* The command grid.limit. `watts` GRID_FREE_W: anything; `for_us` 0: until the next word. ERR_NOT_FOUND: no input of kind command has this id.
 * It holds at once; `done` when the word and the evidence are on disk, or why they are not; perhaps before this returns. */
int grid_inputs_command(const char *input, int64_t watts, int64_t for_us, void (*done)(void *arg, int err), void *arg);
const char *grid_durable_text(int err); /* why it is not on disk */
/* What is allowed, who decides, and each input, as members of an open object. */
void grid_inputs_view(struct json_writer *w);
/* Its member "grid_operator" in short: what is allowed, by whom, since when; null where none is configured. */
void grid_inputs_brief(struct json_writer *w);
/* What is allowed and who decides, as a number that changes with them. */
uint64_t grid_inputs_mark(void);
/* An input is in its fail-safe, whether or not that decides: which, and why. */
bool grid_inputs_fail_safe(char *why, size_t room);
bool grid_inputs_there(void);
/* What is allowed; false: no inputs are configured. And each input. */
bool grid_inputs_now(struct grid_now *out);
void grid_inputs_each(void (*see)(void *arg, const struct grid_input_view *v), void *arg);

/* What the CSMS allows all cars together, per phase (INFINITY: anything), told by an identity of this box: nothing where no input is of kind csms
 * for it. `by`: who and which profile, copied; until_us: wall time at which it may change by itself, INT64_MAX: never. */
void grid_inputs_csms(const char *identity, double amps, const char *by, int64_t until_us);

#endif
