/* The one event loop of the program: descriptors, deadlines (base/timer), signals, and work put off to the end of the turn.
 * libevent inside. Everything here belongs to the thread that called loop_open. */
#ifndef AMPGATE_BASE_LOOP_H
#define AMPGATE_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

int loop_open(void) MUST_CHECK;
void loop_close(void);
int loop_run(void);      /* until loop_stop; 0, or a negative error */
void loop_stop(void);    /* the present turn is finished first */
bool loop_is_mine(void); /* called from the loop's thread? True as well where no loop was opened (unit tests) */

/* Runs what is ready, once, waiting at most `wait_us` (0: not at all). For tests and start-up. */
void loop_turn(int64_t wait_us);

/* A descriptor to be told about. Level-triggered. */
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
struct watch {
	void *event; /* libevent's, while anything is wanted; its type shares its name with ocpp/event.h */
	int fd;
	unsigned interest;
	void (*ready)(void *arg, unsigned what);
	void *arg;
};
void watch_init(struct watch *w, int fd, void (*ready)(void *arg, unsigned what), void *arg);
void watch_want(struct watch *w, unsigned interest); /* WATCH_ bits; 0: nothing, as before and after its life */

/* Work for the end of this turn, in the order it was asked for: where objects are freed, and where the in-process link delivers. */
struct later {
	struct list entry;
	void (*run)(void *arg);
	void *arg;
};
void later_call(struct later *l, void (*run)(void *arg), void *arg); /* asking twice before it ran counts once */
void later_cancel(struct later *l);
void loop_run_later(void); /* tests without a loop: runs what is due */

/* A signal as an ordinary event. */
int loop_on_signal(int signo, void (*run)(void *arg), void *arg) MUST_CHECK;

#endif
