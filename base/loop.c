/* libevent behind a few calls. Our timers live in base/timer; libevent gets one timeout, set before each turn to the next of them. */
#include "base/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timer.h"

struct signal_watch {
	struct list entry;
	struct event *event;
	void (*run)(void *arg);
	void *arg;
};

static struct {
	struct event_base *base;
	struct event *wake; /* the next timer */
	pthread_t thread;
	bool stopping;
	struct list later, signals;
} loop;

static struct list *later_list(void)
{
	if (!loop.later.next)
		list_init(&loop.later);
	return &loop.later;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

int loop_open(void)
{
	struct event_config *config = event_config_new();
	if (!config)
		return -ENOMEM;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	loop.base = event_base_new_with_config(config);
	event_config_free(config);
	if (!loop.base)
		return -ENOMEM;
	loop.wake = event_new(loop.base, -1, 0, on_wake, NULL);
	loop.thread = pthread_self();
	loop.stopping = false;
	list_init(&loop.signals);
	later_list();
	return 0;
}

void loop_close(void)
{
	loop_run_later();
	LIST_WALK(&loop.signals, struct signal_watch, entry, s) {
		list_remove(&s->entry);
		event_free(s->event);
		mem_free(s);
	}
	event_free(loop.wake);
	event_base_free(loop.base);
	loop.base = NULL;
}

void loop_turn(int64_t wait_us)
{
	int64_t next = timers_next_us();
	int64_t wait = next == INT64_MAX ? wait_us : next - clock_mono_us();
	if (wait > wait_us)
		wait = wait_us;
	if (wait < 0 || !list_empty(&loop.later))
		wait = 0;
	struct timeval tv = { wait / US_PER_S, wait % US_PER_S };
	evtimer_add(loop.wake, &tv);
	event_base_loop(loop.base, EVLOOP_ONCE);
	timers_run();
	loop_run_later();
}

int loop_run(void)
{
	while (!loop.stopping)
		loop_turn(10 * US_PER_S);
	return 0;
}

void loop_stop(void)
{
	loop.stopping = true;
}

bool loop_is_mine(void)
{
	return !loop.base || pthread_equal(loop.thread, pthread_self());
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	(void)fd;
	w->ready(w->arg, (what & EV_READ ? WATCH_READ : 0) | (what & EV_WRITE ? WATCH_WRITE : 0));
}

void watch_init(struct watch *w, int fd, void (*ready)(void *arg, unsigned what), void *arg)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->ready = ready;
	w->arg = arg;
}

void watch_want(struct watch *w, unsigned interest)
{
	if (w->interest == interest)
		return;
	if (w->event)
		event_free(w->event);
	w->event = NULL;
	w->interest = interest;
	if (!interest)
		return;
	short what = (short)(EV_PERSIST | (interest & WATCH_READ ? EV_READ : 0) | (interest & WATCH_WRITE ? EV_WRITE : 0));
	w->event = event_new(loop.base, w->fd, what, on_ready, w);
	event_add(w->event, NULL);
}

void later_call(struct later *l, void (*run)(void *arg), void *arg)
{
	l->run = run;
	l->arg = arg;
	if (!l->entry.next || list_empty(&l->entry))
		list_append(later_list(), &l->entry);
}

void later_cancel(struct later *l)
{
	list_remove(&l->entry);
}

void loop_run_later(void)
{
	struct list *due = later_list();
	/* What is asked for while these run belongs to the same turn's end, but a chain must not starve the descriptors. */
	for (int i = 0; i < 10000 && !list_empty(due); i++) {
		struct later *l = LIST_TOP(due, struct later, entry);
		list_remove(&l->entry);
		l->run(l->arg);
	}
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct signal_watch *s = arg;
	(void)fd, (void)what;
	s->run(s->arg);
}

int loop_on_signal(int signo, void (*run)(void *arg), void *arg)
{
	struct signal_watch *s = NEW(struct signal_watch);
	s->run = run;
	s->arg = arg;
	s->event = evsignal_new(loop.base, signo, on_signal, s);
	if (!s->event || event_add(s->event, NULL) != 0) {
		mem_free(s);
		return -EINVAL;
	}
	list_append(&loop.signals, &s->entry);
	return 0;
}
