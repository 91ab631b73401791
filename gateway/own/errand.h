/* Work that blocks, on a thread of its own: a file that travels, a long signature. It shares nothing with the loop but itself. Loop thread. */
#ifndef AMPGATE_GATEWAY_ERRAND_H
#define AMPGATE_GATEWAY_ERRAND_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"

struct errand;

struct errand_how {
	/* On the thread; looks at errand_is_over now and then and returns early when it is. Its result goes to `done`. */
	int (*run)(struct errand *e, void *arg);
	/* On the loop, once, unless it was stopped. */
	void (*done)(void *owner, int result);
	/* On the loop, last of all: frees what `run` needed. */
	void (*release)(void *arg);
};

/* ERR_REFUSED: no thread can be had; `release` was called. */
int errand_start(struct errand **out, const struct errand_how *how, void *arg, void *owner) MUST_CHECK;
void errand_stop(struct errand **e); /* its end is told to nobody; NULL is fine */
bool errand_is_over(const struct errand *e); /* any thread */
void errands_close(void);            /* stops all, and waits for them */

#endif
