/* Power over a window of the wall clock: the mean that a grid operator bills, 15 minutes from each quarter hour. Pure; time is an argument. */
#ifndef AMPGATE_ENERGY_WINDOW_H
#define AMPGATE_ENERGY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* How the monotonic clock stands to the wall. */
struct wall {
	int64_t offset_us;      /* wall time less monotonic time */
	bool trusted;           /* false: nobody knows what time it is */
};

struct window {
	int64_t limit_w;
	int64_t length_us;      /* 0: no mean, the limit holds at every moment */
	int64_t number;         /* of the present window since 1970; -1: none yet */
	int64_t used;           /* watts times microseconds in it */
	int64_t fed_us;         /* monotonic, of the last feed; 0: none */
	int64_t last_w;         /* what was drawn then, and is since */
	int64_t held_w;         /* last answer of window_allowed */
};

void window_init(struct window *w, int64_t limit_w, int64_t length_us);
/* This much was drawn at this moment. Time that nobody measured counts as drawn at the limit. */
void window_feed(struct window *w, int64_t watts, int64_t now_us, const struct wall *wall);
/* What may be drawn from now on, so that the mean of this window stays at or below the limit. `lost`: the meter is. */
int64_t window_allowed(struct window *w, int64_t now_us, const struct wall *wall, bool lost);
/* How much more than that may be drawn for a while before anybody has to be lowered. */
int64_t window_bears(const struct window *w, int64_t now_us, const struct wall *wall, bool lost);
/* Mean since the window began, in watts; -1: there is none. */
int64_t window_mean(const struct window *w, int64_t now_us, const struct wall *wall);

#endif
