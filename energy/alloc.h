/* The allocation: from a snapshot of the site to one current per EVSE. A pure function: no clock, no I/O, no memory of its own, the same
 * answer for the same snapshot.
 *
 * Everyone who can be served gets its minimum, in the given order; what is left is shared max-min fair: nobody could have more without
 * somebody with as little or less (in proportion to weight) having less. No node is filled above its room on any line, above the room for the
 * sum of its lines (power), or above the room for those who load lines unevenly (phase difference). */
#ifndef AMPGATE_ENERGY_ALLOC_H
#define AMPGATE_ENERGY_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALLOC_MOST_MA 10000000 /* no current, and no room that is looked at, is larger */

/* Rooms of a node: one per grid line, then those that only some nodes have. */
enum {
	ALLOC_SUM = 3,        /* for the currents of all lines together */
	ALLOC_UNEVEN = 4,     /* per grid line, for those EVSEs that do not take the same on all three */
	ALLOC_ROOMS = 7
};

struct alloc_node {
	int parent;           /* index of an earlier node; -1: none */
	int32_t room[ALLOC_ROOMS]; /* for the EVSEs below; MA_NONE: no bound; negative counts as 0 */
	int32_t spare_ma;     /* on every line, kept from those who wait patiently */
	int32_t spare_sum_ma; /* of room[ALLOC_SUM], likewise */
	int32_t passing_ma;   /* of room[ALLOC_SUM], for those who hold something already */
	uint8_t more;         /* bit r: room[r] counts, for r from ALLOC_SUM on; the lines always do */
};

struct alloc_evse {
	int node;
	uint8_t lines;        /* bit l: takes its current on grid line l; 0: takes none */
	int32_t min_ma;       /* at least this, or nothing */
	int32_t max_ma;       /* below min_ma: gets nothing */
	int32_t step_ma;      /* multiples of this; 0 or 1: any */
	int32_t weight;       /* of its share, from 1 */
	int32_t spare_ma;     /* gets its minimum only when this much more is free */
	int32_t patience_pm;  /* and this part of spare_ma of every node above */
	bool begins;          /* does without what is passing at the nodes above */
	bool on_off;          /* max_ma or nothing */
};

struct alloc_site {
	const struct alloc_node *nodes;
	size_t n_nodes;
	const struct alloc_evse *evses;
	size_t n_evses;
	const int32_t *order; /* who gets its minimum first: every EVSE's index once */
	bool in_turn;         /* what is left goes to the first in order as far as it can, then to the next, instead of to all together */
};

enum alloc_bound {
	ALLOC_OWN,            /* has its max_ma */
	ALLOC_NODE,           /* `node` is full in `line` */
	ALLOC_WAITS           /* its minimum does not fit at `node` in `line` */
};

struct alloc_share {
	int32_t ma;
	enum alloc_bound bound;
	int32_t node;         /* ALLOC_NODE, ALLOC_WAITS */
	int32_t line;         /* which room: 0..2 a line, ALLOC_SUM, or ALLOC_UNEVEN and above */
};

/* The rooms that an EVSE on these lines counts in, as bits, and how often its current counts there. */
unsigned alloc_rooms(uint8_t lines);
int alloc_times(uint8_t lines, int room);

/* How many bytes of scratch (aligned as malloc does) alloc_run wants for a site of this size. */
size_t alloc_scratch(size_t n_nodes, size_t n_evses);
/* `out` has room for n_evses. */
void alloc_run(const struct alloc_site *s, void *scratch, struct alloc_share *out);

#endif
