/* What a balancer was told and what it decided, as lines of JSON from which another one decides the same, to the last milliampere. Loop
 * thread.
 *
 *   {"in":"open",...}    the configuration; again with "change":true for another one
 *   {"in":"known",...}   all that was known when the recording began; only where that was not at the start, and only for the same build
 *   {"in":"meter",...}   every call of control.h that tells the balancer something
 *   {"in":"tick","t":..} time passed, and
 *   {"out":"limit",...}  what was decided
 */
#ifndef AMPGATE_ENERGY_RECORD_H
#define AMPGATE_ENERGY_RECORD_H

#include "energy/control.h"

/* From now on every line, its newline included, goes to `write`; first those that a replay needs to begin with. Called again, it begins anew,
 * as at the top of another file. `write` NULL: no more. `write` must not call the balancer. */
void control_record(struct control *c, void (*write)(void *arg, const char *line, size_t n), void *arg);

/* A copy that knows the same and sends to somebody else, for questions: what would happen if. Close it with control_close. */
struct control *control_copy(const struct control *c, const struct control_events *events, void *arg);

/* A replay: line by line into a balancer of its own. */
struct replay;
struct replay_sum {
	long long inputs, ticks, orders;
	long long different;        /* orders that were not the same, were missing, or too many */
	char first[240];            /* the first of them, with its line; empty: none */
};
struct replay *replay_open(void);
void replay_close(struct replay *r);
/* 0, or ERR_SYNTAX: not a line of a recording; ERR_UNSUPPORTED: "known" of another build. */
int replay_line(struct replay *r, const char *line, size_t n) MUST_CHECK;
void replay_end(struct replay *r, struct replay_sum *out);

#endif
