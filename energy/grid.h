/* What the grid operator allows now, from any number of inputs: contacts, ripple receivers, registers, commands. Priority, validity, fail-safe,
 * and evidence of every change. No I/O, no clock of its own; loop thread. */
#ifndef AMPGATE_ENERGY_GRID_H
#define AMPGATE_ENERGY_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRID_FREE_W INT64_C(-1) /* no limit */

enum grid_state {
	GRID_UNKNOWN,           /* has not spoken yet */
	GRID_FREE,
	GRID_LIMITED,
	GRID_FAIL_SAFE          /* was to speak and did not */
};
const char *grid_state_text(enum grid_state s); /* "free" ... */

struct grid_input_conf {
	const char *id;
	int priority;           /* of those that say a limit, the highest decide */
	int64_t fail_safe_w;    /* while it should speak and does not; GRID_FREE_W: nothing happens */
	int64_t debounce_us;    /* a change has to last this long */
	int64_t stale_after_us; /* without news for this long it is not known; 0: it need not speak */
	int64_t hold_us;        /* least time in fail-safe; a word that is lower counts meanwhile */
};

/* One line of evidence. */
struct grid_evidence {
	enum { GRID_INPUT_CHANGED, GRID_LIMIT_CHANGED, GRID_LIMIT_OBEYED } kind;
	int64_t at_us;
	const char *input;      /* whose change, or who decides; NULL: nobody limits */
	enum grid_state was, is;
	int64_t limit_w;
	int64_t heard_us;       /* when what brought this about was first heard, before its debounce time; 0: it was no word */
	int64_t took_us;        /* GRID_LIMIT_OBEYED: from then to the measured power below the limit */
	int64_t most_w;         /* GRID_LIMIT_CHANGED: most that was measured once the limit before was obeyed; -1: there was none, or nothing is known */
	const char *why;        /* of a fail-safe; NULL: none */
};

struct grid_now {
	enum grid_state state;
	int64_t limit_w;        /* GRID_FREE_W: none */
	int input;              /* who decides; -1: nobody limits */
	int64_t since_us;
	bool ordered;           /* nobody has seen yet that it is obeyed */
};

struct grid_input_view {
	const char *id;
	enum grid_state state;
	int64_t limit_w, since_us, heard_us, until_us; /* until 0: open */
	const char *fault;      /* of the last attempt to hear it; NULL: none */
};

struct grid;

/* Copies. `evidence` is called from grid_says, grid_fails, grid_power and grid_step. */
struct grid *grid_open(const struct grid_input_conf *inputs, size_t n, void (*evidence)(void *arg, const struct grid_evidence *e), void *arg,
		       int64_t now_us);
void grid_close(struct grid *g);
/* Other inputs, copied. Those whose id was there go on as they are: what they said, until when, since when they are silent. */
void grid_change(struct grid *g, const struct grid_input_conf *inputs, size_t n, int64_t now_us);

/* An input says what it allows; GRID_FREE_W: anything. until_us: when that ends by itself, 0: with the next word. */
void grid_says(struct grid *g, int input, int64_t limit_w, int64_t until_us, int64_t now_us);
void grid_fails(struct grid *g, int input, const char *why, int64_t now_us); /* it could not be heard, or what it says makes no sense */
/* Nobody can say anything to it, because it cannot be listened for: its fail-safe, at once and whether or not it has to speak. What it had said, or
 * says meanwhile by what was kept of it, counts where it is lower. */
void grid_deaf(struct grid *g, int input, const char *why, int64_t now_us);
void grid_hears(struct grid *g, int input, int64_t now_us); /* it can again: what it had said holds, unless it has to speak and that is too long ago */
/* Nobody listened for a while, so what was said is still on its way: before then nobody counts as silent. */
void grid_held_up(struct grid *g, int64_t until_us);
/* What the limit is about was measured. */
void grid_power(struct grid *g, int64_t watts, int64_t now_us);
/* Time passes. True: what is allowed has changed since the last call. */
bool grid_step(struct grid *g, int64_t now_us);

void grid_look(const struct grid *g, struct grid_now *out);
size_t grid_inputs(const struct grid *g);
void grid_input_look(const struct grid *g, int input, struct grid_input_view *out);

/* What n controllable devices behind one energy manager keep while they are dimmed, each keeping dim_w alone: section 14a EnWG, decision
 * BK6-22-300 of the Bundesnetzagentur (27.11.2023), Anlage 1:
 *
 *   2.4.1  a charging point, a heat pump with its heating rods, cooling, or storage of more than 4.2 kW is one
 *   2.4.2  all heat pumps behind one connection are one together, by the sum of their power, and so is all cooling
 *   4.5.1  controlled by itself it keeps 4.2 kW; a heat pump or cooling above 11 kW 0.4 of its power
 *   4.5.2  behind an energy manager: max(0.4 x heat pumps, 0.4 x cooling) where one of them is above 11 kW, else 4.2 kW,
 *          plus (n - 1) x simultaneity x 4.2 kW, with 0.8 for two, 0.05 less for each more, and 0.45 from nine on
 *
 * large_w: the power of heat pumps or of cooling, whichever is more, where it is above GRID_LARGE_W; else 0. */
#define GRID_SMALL_W 4200
#define GRID_LARGE_W 11000
int64_t grid_dimmed_w(int devices, int64_t dim_w, int64_t large_w);
/* The state of a ripple receiver's contacts for 100, 60, 30, 0 %: the percentage, or -1 when that makes no sense. wired: bits of those that
 * are there. Without a contact for 100 %, none closed is 100 %. */
int grid_ripple(unsigned wired, unsigned closed);

#endif
