/* The turn of calls on one link.
 *
 *   asked -> waiting -> in flight -> answered | timed out | link lost
 *               \-> cancelled, or ended with the link
 *
 * A call is in no list and no longer in flight before its callback runs, so the callback may ask again, cancel others, or close the whole
 * object; the memory of the object itself must last until the callback has returned, as everywhere in the program. The next call leaves
 * after the callback, so that what it asks urgently goes first.
 *
 * Easy to get wrong: a call that was cancelled in flight still occupies the peer until it answers or its deadline passes. It stays in
 * flight with nobody waiting for it. */
#include "ocpp/calls.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static struct slice own(struct slice s)
{
	return (struct slice){ mem_text(s), s.n };
}

static void disown(struct slice *s)
{
	mem_free((char *)s->p);
	*s = (struct slice){ NULL, 0 };
}

static void call_free(struct call *call)
{
	disown(&call->text);
	mem_free(call);
}

/* Tells the one who asked, once, and frees the call. It is out of all lists already. */
static void end(struct calls *c, struct call *call, int err, struct frame *answer)
{
	c->count--;
	if (call->done)
		call->done(call->arg, call, err, answer);
	call_free(call);
}

static struct call *take_in_flight(struct calls *c)
{
	struct call *call = c->in_flight;
	timer_cancel(&c->deadline);
	c->in_flight = NULL;
	return call;
}

static void pump(struct calls *c);

static void on_deadline(void *arg)
{
	struct calls *c = arg;
	end(c, take_in_flight(c), ERR_TIMEOUT, NULL);
	pump(c);
}

/* Sends the first of those that wait, if the link takes it. */
static void send_first(struct calls *c, struct call *call, struct slice text)
{
	if (link_send(c->link, text) != 0)
		return; /* full: calls_room follows; closed: calls_link_down follows */
	list_remove(&call->entry);
	disown(&call->text);
	call->sent = true;
	call->sent_us = clock_mono_us();
	c->in_flight = call;
	timer_set(&c->deadline, call->timeout_us, on_deadline, c);
}

static void pump(struct calls *c)
{
	struct call *first = LIST_TOP(&c->waiting, struct call, entry);
	if (first && c->link && !c->in_flight)
		send_first(c, first, first->text);
}

/* Urgent ones go behind other urgent ones, before the rest. */
static void enqueue(struct calls *c, struct call *call)
{
	struct list *before = &c->waiting;
	if (call->urgent)
		for (before = c->waiting.next; before != &c->waiting && LIST_ITEM(before, struct call, entry)->urgent;)
			before = before->next;
	list_append(before, &call->entry);
}

void calls_open(struct calls *c, unsigned most)
{
	*c = (struct calls){ .most = most };
	list_init(&c->waiting);
	list_init(&c->ending);
}

/* Ends everything on the list of ending calls. A callback may close the object and thereby empty the list under our feet. */
static void end_all(struct calls *c)
{
	struct call *call;
	while ((call = LIST_TOP(&c->ending, struct call, entry))) {
		list_remove(&call->entry);
		end(c, call, ERR_CLOSED, NULL);
	}
}

static void all_waiting_end(struct calls *c)
{
	LIST_WALK(&c->waiting, struct call, entry, call) {
		list_remove(&call->entry);
		list_append(&c->ending, &call->entry);
	}
}

static void link_gone(struct calls *c)
{
	c->link = NULL;
	if (c->in_flight)
		list_prepend(&c->ending, &take_in_flight(c)->entry);
	end_all(c);
}

void calls_close(struct calls *c)
{
	c->most = 0;
	all_waiting_end(c);
	link_gone(c);
}

int calls_ask(struct calls *c, const struct ask *ask, struct call **out)
{
	assert(ask->timeout_us > 0);
	if (!c->most)
		return ERR_CLOSED;
	if (c->count >= c->most)
		return ERR_FULL;
	struct call *call = mem_new(sizeof(*call) + ask->id.n + 1);
	memcpy(call->id_text, ask->id.p, ask->id.n);
	call->id = (struct slice){ call->id_text, ask->id.n };
	call->act = ask->act;
	call->urgent = ask->urgent;
	call->asked_us = clock_mono_us();
	call->timeout_us = ask->timeout_us;
	call->done = ask->done;
	call->arg = ask->arg;
	c->count++;
	enqueue(c, call);
	if (c->link && !c->in_flight && c->waiting.next == &call->entry)
		send_first(c, call, ask->text);
	if (!call->sent)
		call->text = own(ask->text);
	if (out)
		*out = call;
	return 0;
}

const struct call *calls_asked(const struct calls *c, const struct frame *answer)
{
	bool is_answer = answer->kind == FRAME_RESULT || answer->kind == FRAME_ERROR;
	return c->in_flight && is_answer && slice_eq(c->in_flight->id, answer->id) ? c->in_flight : NULL;
}

bool calls_answer(struct calls *c, struct frame *answer)
{
	if (!calls_asked(c, answer))
		return false;
	end(c, take_in_flight(c), 0, answer);
	pump(c);
	return true;
}

void calls_link_up(struct calls *c, struct link *l)
{
	c->link = l;
	pump(c);
}

void calls_link_down(struct calls *c, bool end_waiting)
{
	if (end_waiting)
		all_waiting_end(c);
	link_gone(c);
}

void calls_room(struct calls *c)
{
	pump(c);
}

void calls_cancel(struct calls *c, struct call *call)
{
	if (call != c->in_flight) {
		list_remove(&call->entry);
		end(c, call, ERR_REFUSED, NULL);
		return;
	}
	call_done *done = call->done;
	call->done = NULL;
	if (done)
		done(call->arg, call, ERR_REFUSED, NULL);
}
