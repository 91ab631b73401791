/* Deadlines. A timer is embedded in its owner; the loop (or a test, with clock_advance and timers_run) fires what is due.
 * Loop thread only. */
#ifndef AMPGATE_BASE_TIMER_H
#define AMPGATE_BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t due_us; /* monotonic */
	size_t place;   /* in the heap, from 1; 0: not set */
	void (*fire)(void *arg);
	void *arg;
};

/* Sets or moves the timer to fire once, `delay_us` from now. */
void timer_set(struct timer *t, int64_t delay_us, void (*fire)(void *arg), void *arg);
void timer_cancel(struct timer *t); /* fine for one that is not set */
static inline bool timer_is_set(const struct timer *t)
{
	return t->place != 0;
}

void timers_run(void);            /* fires all that are due now, in order of their deadlines */
int64_t timers_next_us(void);     /* monotonic time of the next one, INT64_MAX: none */

#endif
