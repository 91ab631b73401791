/* A list behind a mutex. Towards the loop an eventfd wakes it; towards a worker a condition variable does. */
#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

/* The queue both kinds share. */
struct queue {
	pthread_mutex_t lock;
	struct list mail;
};

struct mailbox {
	struct queue q;
	struct watch watch;
	int fd;
	void *arg;
};

struct inbox {
	struct queue q;
	pthread_cond_t wake;
	bool stopped;
	void *arg;
};

static void queue_open(struct queue *q)
{
	pthread_mutex_init(&q->lock, NULL);
	list_init(&q->mail);
}

/* Moves all that is queued to `out`; the caller holds the lock. */
static void take_all(struct queue *q, struct list *out)
{
	list_init(out);
	if (list_empty(&q->mail))
		return;
	*out = q->mail;
	out->next->prev = out->prev->next = out;
	list_init(&q->mail);
}

static bool deliver_all(struct list *mail, void *arg)
{
	bool any = !list_empty(mail);
	while (!list_empty(mail)) {
		struct mail *m = LIST_TOP(mail, struct mail, entry);
		list_remove(&m->entry);
		m->deliver(m, arg);
	}
	return any;
}

void mailbox_drain(struct mailbox *mb)
{
	struct list mail;
	pthread_mutex_lock(&mb->q.lock);
	take_all(&mb->q, &mail);
	pthread_mutex_unlock(&mb->q.lock);
	deliver_all(&mail, mb->arg);
}

static void on_wake(void *arg, unsigned what)
{
	struct mailbox *mb = arg;
	uint64_t count;
	(void)what;
	if (read(mb->fd, &count, sizeof(count)) > 0)
		mailbox_drain(mb);
}

int mailbox_open(struct mailbox **out, void *arg)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct mailbox *mb = NEW(struct mailbox);
	queue_open(&mb->q);
	mb->fd = fd;
	mb->arg = arg;
	watch_init(&mb->watch, fd, on_wake, mb);
	watch_want(&mb->watch, WATCH_READ);
	*out = mb;
	return 0;
}

void mailbox_close(struct mailbox *mb)
{
	if (!mb)
		return;
	mailbox_drain(mb);
	watch_want(&mb->watch, 0);
	close(mb->fd);
	pthread_mutex_destroy(&mb->q.lock);
	mem_free(mb);
}

void mailbox_post(struct mailbox *mb, struct mail *m)
{
	static const uint64_t one = 1;
	pthread_mutex_lock(&mb->q.lock);
	bool first = list_empty(&mb->q.mail);
	list_append(&mb->q.mail, &m->entry);
	pthread_mutex_unlock(&mb->q.lock);
	if (first && write(mb->fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: the counter is full, so the loop is awake already */
}

struct inbox *inbox_open(void *arg)
{
	struct inbox *in = NEW(struct inbox);
	pthread_condattr_t attr;
	queue_open(&in->q);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&in->wake, &attr);
	pthread_condattr_destroy(&attr);
	in->arg = arg;
	return in;
}

void inbox_close(struct inbox *in)
{
	if (!in)
		return;
	pthread_cond_destroy(&in->wake);
	pthread_mutex_destroy(&in->q.lock);
	mem_free(in);
}

void inbox_post(struct inbox *in, struct mail *m)
{
	pthread_mutex_lock(&in->q.lock);
	list_append(&in->q.mail, &m->entry);
	pthread_cond_signal(&in->wake);
	pthread_mutex_unlock(&in->q.lock);
}

bool inbox_serve(struct inbox *in, int64_t wait_us)
{
	struct list mail;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t ns = until.tv_nsec + (wait_us > 0 ? wait_us % US_PER_S : 0) * 1000;
	until.tv_sec += (wait_us > 0 ? wait_us / US_PER_S : 0) + ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	pthread_mutex_lock(&in->q.lock);
	while (list_empty(&in->q.mail) && !in->stopped) {
		if (wait_us < 0)
			pthread_cond_wait(&in->wake, &in->q.lock);
		else if (pthread_cond_timedwait(&in->wake, &in->q.lock, &until) == ETIMEDOUT)
			break;
	}
	take_all(&in->q, &mail);
	pthread_mutex_unlock(&in->q.lock);
	return deliver_all(&mail, in->arg);
}

void inbox_stop(struct inbox *in)
{
	pthread_mutex_lock(&in->q.lock);
	in->stopped = true;
	pthread_cond_broadcast(&in->wake);
	pthread_mutex_unlock(&in->q.lock);
}

bool inbox_stopped(struct inbox *in)
{
	pthread_mutex_lock(&in->q.lock);
	bool stopped = in->stopped;
	pthread_mutex_unlock(&in->q.lock);
	return stopped;
}
