/* Messages from any thread to the loop. The sender allocates, the receiver frees; nothing is shared. The tree's only mutex is inside. */
#ifndef AMPGATE_BASE_MAILBOX_H
#define AMPGATE_BASE_MAILBOX_H

#include "base/error.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct mailbox;

/* The first member of every message. */
struct mail {
	struct list entry;
	void (*deliver)(struct mail *m, void *arg); /* on the receiving thread, with the mailbox's arg; frees the message */
};

/* A mailbox whose messages are delivered on the loop, in order. */
int mailbox_open(struct mailbox **out, void *arg) MUST_CHECK;
void mailbox_close(struct mailbox *mb); /* delivers what is left first; loop thread */
void mailbox_post(struct mailbox *mb, struct mail *m); /* any thread */
void mailbox_drain(struct mailbox *mb);                /* loop thread: delivers now what has arrived */

/* The other direction: a worker thread blocks on its inbox. `wait_us` < 0 waits for ever; false: nothing came (or inbox_stop). */
struct inbox;
struct inbox *inbox_open(void *arg);
void inbox_close(struct inbox *in);                 /* after the thread has ended */
void inbox_post(struct inbox *in, struct mail *m);  /* any thread */
bool inbox_serve(struct inbox *in, int64_t wait_us); /* the worker: delivers everything that is there; false: nothing, or stopped and empty */
void inbox_stop(struct inbox *in);                  /* any thread: inbox_serve no longer blocks */
bool inbox_stopped(struct inbox *in);

#endif
