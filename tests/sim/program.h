/* The linear program of a day, of who knows which cars there are: amperes of each session in each slot of five minutes, as many watt-hours as
 * fit the site and the needs. Without any of the minimum currents, delays and gains real cars have. */
#ifndef AMPGATE_TESTS_SIM_PROGRAM_H
#define AMPGATE_TESTS_SIM_PROGRAM_H

#include <coin/Clp_C_Interface.h>

#include "tests/sim/world.h"

#define SLOT_S 300

struct slots {
	int n;
	double *room;             /* [slot][node][line], mean over the slot */
};

struct program {
	double later;             /* an ampere hour in a later slot counts for less by this part, per slot */
	int columns, rows, elements;
	CoinBigIndex *start;
	int *index;
	double *value, *upper, *cost, *row_upper;
	int *session_of, *slot_of;
	int *row;                 /* of (slot, node, line); -1: cannot bind */
};

/* What the site has for cars over the day. Free `room`. */
void program_weather(const struct world_conf *c, struct slots *s);
void program_make(struct program *p, const struct world_conf *c, const struct slots *t, double later);
void program_free(struct program *p);
/* x_out: amperes of each column. */
bool program_solve(struct program *p, double *x_out);

/* How much of a slot it is there, from 0 to 1; the most it takes; what an ampere over a slot is worth; on how many lines. */
double program_share(const struct world_conf *c, const struct world_session *s, int slot);
double program_top_a(const struct world_conf *c, const struct world_session *s);
double program_wh_per_amp(const struct world_conf *c, const struct world_session *s);
int program_lines(const struct world_conf *c, const struct world_session *s);

#endif
