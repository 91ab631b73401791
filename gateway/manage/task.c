/* A list, oldest first; those that have ended are dropped when there are too many. */
#include "gateway/manage/task.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "gateway/http/sse.h"

#define TASKS_KEPT 32

struct task {
	struct list entry;
	int id;
	char *kind, *user, *step, *result;
	double part;
	enum task_state state;
	int64_t begun_us;
	void (*stop)(void *arg);
	void *arg;
};

static struct list all;
static size_t n_all;
static int last_id;

static struct list *tasks(void)
{
	if (!all.next)
		list_init(&all);
	return &all;
}

static void forget(struct task *t)
{
	list_remove(&t->entry);
	n_all--;
	mem_free(t->kind);
	mem_free(t->user);
	mem_free(t->step);
	mem_free(t->result);
	mem_free(t);
}

static void forget_old(void)
{
	LIST_WALK(tasks(), struct task, entry, t)
		if (n_all > TASKS_KEPT && t->state != TASK_RUNNING)
			forget(t);
}

static void write(const struct task *t, struct json_writer *w)
{
	static const char *const states[] = { "running", "done", "failed", "stopped" };
	jw_object(w, NULL);
	jw_int(w, "v", 1);
	jw_int(w, "job", t->id);
	jw_string(w, "kind", t->kind);
	jw_string(w, "user", t->user);
	jw_string(w, "state", states[t->state]);
	jw_string(w, "step", t->step);
	jw_number(w, "part", t->part, 2);
	jw_number(w, "for_s", (double)(clock_mono_us() - t->begun_us) / US_PER_S, 1);
	jw_raw(w, "result", t->result ? slice_of(t->result) : SLICE("null"));
	jw_end(w, '}');
}

static void publish(const struct task *t)
{
	struct buf json = { 0 };
	struct json_writer w;
	char key[16];
	snprintf(key, sizeof(key), "%d", t->id);
	jw_open(&w, &json);
	write(t, &w);
	sse_publish("job", key, buf_view(&json));
	buf_free(&json);
}

struct task *task_new(const char *kind, const char *user, void (*stop)(void *arg), void *arg)
{
	struct task *t = NEW(struct task);
	t->id = ++last_id;
	t->kind = mem_strdup(kind);
	t->user = mem_strdup(user);
	t->begun_us = clock_mono_us();
	t->stop = stop;
	t->arg = arg;
	list_append(tasks(), &t->entry);
	n_all++;
	forget_old();
	publish(t);
	return t;
}

int task_id(const struct task *t)
{
	return t->id;
}

void task_tell(struct task *t, const char *step, double part)
{
	mem_free(t->step);
	t->step = mem_strdup(step);
	t->part = part;
	publish(t);
}

void task_stopless(struct task *t)
{
	t->stop = NULL;
}

void task_end(struct task *t, enum task_state state, struct slice result_json)
{
	t->state = state;
	t->part = 1;
	t->result = result_json.n ? mem_text(result_json) : NULL;
	publish(t);
}

static struct task *find(int id)
{
	LIST_WALK(tasks(), struct task, entry, t)
		if (t->id == id)
			return t;
	return NULL;
}

int task_write(int id, struct json_writer *w)
{
	const struct task *t = find(id);
	if (!t)
		return ERR_NOT_FOUND;
	write(t, w);
	return 0;
}

void tasks_write(struct json_writer *w)
{
	LIST_WALK(tasks(), struct task, entry, t)
		write(t, w);
}

int task_stop(int id)
{
	struct task *t = find(id);
	if (!t)
		return ERR_NOT_FOUND;
	if (t->state == TASK_RUNNING && t->stop)
		t->stop(t->arg);
	return 0;
}

void tasks_close(void)
{
	LIST_WALK(tasks(), struct task, entry, t) {
		if (t->state == TASK_RUNNING && t->stop)
			t->stop(t->arg);
		if (t->state != TASK_RUNNING)
			forget(t);
	}
}
