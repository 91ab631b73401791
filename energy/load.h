/* The base load at one metered node: what the meter shows less what the EVSEs below take. Quick to rise, slow to fall. Loop thread. */
#ifndef AMPGATE_ENERGY_LOAD_H
#define AMPGATE_ENERGY_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#define LOAD_SLOTS 9   /* of 5 s: what a peak is held for */
#define LOAD_HOURS 24  /* how far back the highest is remembered */

struct load {
	bool known;
	int64_t since_us;              /* of the first sample */
	int32_t now[3];                /* best estimate */
	int32_t was[3];                /* the one before */
	int64_t low[3];                /* as last fed */
	int32_t slot[LOAD_SLOTS][3];   /* the highest estimate of each of the last slots */
	int32_t hour[LOAD_HOURS][3];
	int64_t slot_no, hour_no;
};

void load_init(struct load *l);
/* The EVSEs below take at least low[] and at most high[] of what was measured: milliamperes per grid line. */
void load_feed(struct load *l, const int32_t measured[3], const int64_t low[3], const int64_t high[3], int64_t now_us);
int32_t load_held(const struct load *l, int line);    /* to plan with */
int32_t load_highest(const struct load *l, int line); /* of the last day: to plan with while the meter is lost */
bool load_has_a_past(const struct load *l, int64_t now_us); /* long enough that the highest says something */

#endif
