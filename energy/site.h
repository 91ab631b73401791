/* The tree of fuses: grid connection, feeders, rows; meters at nodes; EVSEs at the leaves. Built once from plain structs and not changed;
 * a reload builds another. Currents are milliamperes per phase of the grid (L1, L2, L3), import positive. */
#ifndef AMPGATE_ENERGY_SITE_H
#define AMPGATE_ENERGY_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

struct milliamps {
	int32_t l[3];
};
#define MA_NONE INT32_MAX /* no limit on this phase */

struct node_conf {
	const char *id;
	int parent;                  /* index of an earlier node; -1: the grid connection, which comes first */
	struct milliamps limit;      /* of the fuse or contract; MA_NONE where unlimited, 0 on a phase that is not wired */
	struct milliamps reserve;    /* kept free below the limit */
	int meter;                   /* index into the site's meters; -1: none, taken as the sum of what hangs below */
};

struct meter_conf {
	const char *id;
	int64_t stale_after_us;      /* without a new sample for this long it counts as lost */
};

struct evse_conf {
	const char *id;              /* "G-07/1": station and EVSE */
	const char *station;
	int evse;                    /* EVSE id at its station, from 1 */
	int node;
	uint8_t lines[3];            /* grid line (0, 1, 2) of the socket's own L1, L2, L3: its phase rotation */
	uint8_t n_lines;             /* 1 or 3 */
	int32_t min_ma, max_ma;      /* below min it is paused */
	int32_t step_ma;             /* set-points are multiples; 0: any */
	int32_t fallback_ma;         /* what it may take by itself when it hears nothing */
	int64_t fallback_after_us;   /* after so long in silence */
	int priority;                /* higher first; 0 normal */
	bool on_off;                 /* a relay without a pilot: max or nothing */
};

/* All of them, borrowed. */
struct site_parts {
	const struct node_conf *nodes;
	size_t n_nodes;
	const struct meter_conf *meters;
	size_t n_meters;
	const struct evse_conf *evses;
	size_t n_evses;
};
int site_check(const struct site_parts *s, char *why, size_t room); /* 0, or ERR_INVALID with the reason in `why` */

/* What the EVSEs below a node may take by themselves on a grid line when nobody reaches them: must not be above the node's limit. */
int64_t site_fallback_ma(const struct site_parts *s, int node, int line);

/* A deep copy, ids included; release with site_free. */
struct site {
	struct site_parts parts;
	struct node_conf *nodes;
	struct meter_conf *meters;
	struct evse_conf *evses;
	struct arena mem;
};
void site_copy(struct site *out, const struct site_parts *from);
void site_free(struct site *s);
bool site_below(const struct site_parts *s, int node, int top); /* `node` is `top` or hangs below it */

#endif
