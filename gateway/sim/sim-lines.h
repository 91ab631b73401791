/* Lines from a descriptor, as events: commands typed to a simulator, or sent by the director of the demo. Loop thread. */
#ifndef AMPGATE_GATEWAY_SIM_LINES_H
#define AMPGATE_GATEWAY_SIM_LINES_H

#include "base/buf.h"
#include "base/loop.h"

struct sim_lines {
	struct watch watch;
	struct buf in;
	void (*line)(void *arg, struct slice line); /* without its end; lives during the call */
	void (*end)(void *arg);                     /* nothing more will come; may be NULL */
	void *arg;
};

/* The descriptor stays the caller's. One that cannot be watched (a file, /dev/null) gives no lines. Neither callback may close the lines. */
void sim_lines_open(struct sim_lines *l, int fd, void (*line)(void *arg, struct slice line), void (*end)(void *arg), void *arg);
void sim_lines_close(struct sim_lines *l);

/* The next word of a line, which is cut off it; absent: no more. */
struct slice sim_word(struct slice *line);
/* The next three words as numbers. */
bool sim_three(struct slice *line, double out[3]);

#endif
