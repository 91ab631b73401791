/* Work that takes a while and that somebody watches: it has a number, tells what it is doing, ends with a result, and can be stopped. The newest are
 * kept to be asked for; each change goes out as a server-sent event of the topic "job". Loop thread. */
#ifndef AMPGATE_GATEWAY_TASK_H
#define AMPGATE_GATEWAY_TASK_H

#include "base/json.h"
#include "gateway/gateway.h"

struct task;
enum task_state { TASK_RUNNING, TASK_DONE, TASK_FAILED, TASK_STOPPED };

/* `stop` is called when somebody wants it to end early; it calls task_end. The task is the caller's until task_end. */
struct task *task_new(const char *kind, const char *user, void (*stop)(void *arg), void *arg);
int task_id(const struct task *t);
void task_tell(struct task *t, const char *step, double part); /* what it does now, and how much of it is done: 0..1 */
void task_stopless(struct task *t); /* it is about to end by itself: from now on nobody can stop it */
void task_end(struct task *t, enum task_state state, struct slice result_json); /* `t` belongs to this module from now on */

int task_write(int id, struct json_writer *w) MUST_CHECK; /* an object; ERR_NOT_FOUND */
void tasks_write(struct json_writer *w);                  /* all, as members of an array */
int task_stop(int id) MUST_CHECK;                         /* ERR_NOT_FOUND; fine for one that has ended */
void tasks_close(void);                                   /* stops and forgets them */

#endif
