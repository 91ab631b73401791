/* A binary heap of pointers to embedded timers. */
#include "base/timer.h"

#include "base/clock.h"
#include "base/mem.h"

static struct {
	struct timer **at; /* from 1 */
	size_t count, room;
} heap;

static void put(size_t i, struct timer *t)
{
	heap.at[i] = t;
	t->place = i;
}

static void sift_up(size_t i, struct timer *t)
{
	for (; i > 1 && heap.at[i / 2]->due_us > t->due_us; i /= 2)
		put(i, heap.at[i / 2]);
	put(i, t);
}

static void sift_down(size_t i, struct timer *t)
{
	for (;;) {
		size_t child = 2 * i;
		if (child > heap.count)
			break;
		if (child < heap.count && heap.at[child + 1]->due_us < heap.at[child]->due_us)
			child++;
		if (heap.at[child]->due_us >= t->due_us)
			break;
		put(i, heap.at[child]);
		i = child;
	}
	put(i, t);
}

void timer_cancel(struct timer *t)
{
	size_t i = t->place;
	if (!i)
		return;
	t->place = 0;
	struct timer *last = heap.at[heap.count--];
	if (!heap.count) {
		mem_free(heap.at);
		heap.at = NULL;
		heap.room = 0;
	}
	if (last == t)
		return;
	if (i > 1 && heap.at[i / 2]->due_us > last->due_us)
		sift_up(i, last);
	else
		sift_down(i, last);
}

void timer_set(struct timer *t, int64_t delay_us, void (*fire)(void *arg), void *arg)
{
	timer_cancel(t);
	t->due_us = clock_mono_us() + (delay_us > 0 ? delay_us : 0);
	t->fire = fire;
	t->arg = arg;
	if (heap.count + 2 > heap.room) {
		heap.room = heap.room ? heap.room * 2 : 64;
		heap.at = mem_grow(heap.at, heap.room * sizeof(struct timer *));
	}
	sift_up(++heap.count, t);
}

void timers_run(void)
{
	int64_t now = clock_mono_us();
	while (heap.count && heap.at[1]->due_us <= now) {
		struct timer *t = heap.at[1];
		timer_cancel(t);
		t->fire(t->arg);
	}
}

int64_t timers_next_us(void)
{
	return heap.count ? heap.at[1]->due_us : INT64_MAX;
}
