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
	int64_t power_w;             /* of the contract; 0: no such limit */
	int64_t window_us;           /* the limit holds for the mean over this; 0: at every moment */
	bool apparent;               /* the limit is one of VA: currents count, whatever their phase angle */
	int32_t imbalance_ma;        /* most that one phase may carry above another; 0: no such limit */
};

/* What draws or feeds at a node and is not ours: a building, a solar plant, a battery. Where the node is metered it is in the base load
 * already; here stands what has to be known besides. */
enum fixture_kind { FIXTURE_LOAD, FIXTURE_PV, FIXTURE_BATTERY };
struct fixture_conf {
	const char *id;
	int node;
	enum fixture_kind kind;
	int meter;                   /* of its own; -1: none */
	struct milliamps estimate;   /* drawn where neither the node nor the fixture has a living meter; >= 0 */
	bool firm;                   /* pv, battery: what it feeds is planned with even where a fuse is at stake */
	bool yields;                 /* battery: what it charges with is free for cars */
	bool feeds_cars;             /* battery: what it discharges may go to cars */
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
	uint8_t n_lines;             /* 1 to 3 */
	int32_t min_ma, max_ma;      /* below min it is paused */
	int32_t step_ma;             /* set-points are multiples; 0: any */
	int32_t fallback_ma;         /* what it may take by itself when it hears nothing */
	int64_t fallback_after_us;   /* after so long in silence */
	int priority;                /* higher first; 0 normal */
	int64_t switch_after_us;     /* of three phases: it can charge on one alone, and changes over no sooner than this again; 0: it cannot */
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
	const struct fixture_conf *fixtures;
	size_t n_fixtures;
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
	struct fixture_conf *fixtures;
	struct arena mem;
};
void site_copy(struct site *out, const struct site_parts *from);
void site_free(struct site *s);
bool site_below(const struct site_parts *s, int node, int top); /* `node` is `top` or hangs below it */

#endif
