/* Two ends in one allocation. What one end sends waits in the other's inbox and is delivered from a `later` of the receiving end, so a
 * callback may send, close or release whatever it likes without meeting itself.
 *
 * Easy to get wrong:
 *  - What was sent before a close is still delivered to the other end, and only then `down` (as bytes before a close frame would be). The
 *    end that closes hears nothing more but its own `down`.
 *  - Only the messages that are in the inbox when a turn starts are delivered in it: an owner who answers each message with another one
 *    shares the loop with everybody else.
 *  - Either end may be released inside a callback of either: `busy` keeps the pair until the callback has returned. */
#include "station/link-local.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/mem.h"

/* A link is full above the first and has room again below the second, bytes. */
#define HIGH_WATER (1024 * 1024)
#define LOW_WATER (HIGH_WATER / 4)

struct text {
	struct list entry;
	struct slice text; /* behind the struct */
};

struct end {
	struct link link;
	struct pair *pair;
	struct end *peer;
	struct list inbox;
	size_t inbox_bytes;
	struct later turn;
	bool connects;      /* `up` is still to be called */
	bool refused;       /* a send met the high-water mark; `room` is owed */
	bool room_due;
	bool closing;       /* `down` is to be called: after the inbox, or at once if `by_us` */
	bool down;          /* was called */
	bool released;
	struct link_end why;
	char reason[124];   /* a close reason has at most 123 bytes (RFC 6455 5.5) */
};

struct pair {
	struct end station, gateway;
	unsigned busy;      /* callbacks running */
	char name[64];
};

static void deliver_turn(void *arg);

static void drop_inbox(struct end *e)
{
	LIST_WALK(&e->inbox, struct text, entry, t) {
		list_remove(&t->entry);
		mem_free(t);
	}
	e->inbox_bytes = 0;
}

static void free_if_gone(struct pair *p)
{
	if (p->busy || !p->station.released || !p->gateway.released)
		return;
	later_cancel(&p->station.turn);
	later_cancel(&p->gateway.turn);
	mem_free(p);
}

/* Decides that `down` is owed to this end. */
static void end_ends(struct end *e, int code, bool by_us, const char *reason)
{
	if (e->closing || e->released)
		return;
	e->closing = true;
	strncpy(e->reason, reason ? reason : "", sizeof(e->reason) - 1);
	e->why = (struct link_end){ .code = code, .err = ERR_CLOSED, .by_us = by_us, .reason = e->reason };
	if (by_us)
		drop_inbox(e);
	later_call(&e->turn, deliver_turn, e);
}

static int local_send(struct link *l, struct slice text)
{
	struct end *e = LIST_ITEM(l, struct end, link), *to = e->peer;
	assert(loop_is_mine());
	if (e->closing || to->closing || to->released)
		return ERR_CLOSED;
	if (to->inbox_bytes + text.n > HIGH_WATER && to->inbox_bytes) {
		e->refused = true;
		return ERR_FULL;
	}
	struct text *t = mem_new(sizeof(*t) + text.n);
	t->text = (struct slice){ (char *)(t + 1), text.n };
	if (text.n)
		memcpy(t + 1, text.p, text.n);
	list_append(&to->inbox, &t->entry);
	to->inbox_bytes += text.n;
	l->messages_out++;
	later_call(&to->turn, deliver_turn, to);
	return 0;
}

static void local_close(struct link *l, int code, const char *reason)
{
	struct end *e = LIST_ITEM(l, struct end, link);
	end_ends(e, code, true, reason);
	end_ends(e->peer, code, false, reason);
}

static void local_release(struct link *l)
{
	struct end *e = LIST_ITEM(l, struct end, link);
	struct pair *p = e->pair;
	assert(!e->released);
	end_ends(e->peer, 1001, false, "the other end is gone");
	e->released = true;
	later_cancel(&e->turn);
	drop_inbox(e);
	free_if_gone(p);
}

static const struct link_ops local_ops = { .name = "local", .send = local_send, .close = local_close, .release = local_release };

static void deliver_one(struct end *e)
{
	struct text *t = LIST_TOP(&e->inbox, struct text, entry);
	list_remove(&t->entry);
	e->inbox_bytes -= t->text.n;
	e->link.messages_in++;
	if (e->peer->refused && e->inbox_bytes < LOW_WATER) {
		e->peer->refused = false;
		e->peer->room_due = true;
		later_call(&e->peer->turn, deliver_turn, e->peer);
	}
	e->link.events->text(e->link.owner, &e->link, t->text);
	mem_free(t);
}

static void deliver_inbox(struct end *e)
{
	struct text *last = list_empty(&e->inbox) ? NULL : LIST_ITEM(e->inbox.prev, struct text, entry);
	bool more = last != NULL;
	/* A callback may release or close this end, which empties the inbox: then `last` is gone, and so is the reason to go on. */
	while (more && !list_empty(&e->inbox)) {
		more = LIST_TOP(&e->inbox, struct text, entry) != last;
		deliver_one(e);
	}
}

static void deliver_turn(void *arg)
{
	struct end *e = arg;
	struct pair *p = e->pair;
	p->busy++;
	if (e->connects && !e->released && !e->closing) {
		e->connects = false;
		if (e->link.events->up)
			e->link.events->up(e->link.owner, &e->link);
	}
	deliver_inbox(e);
	if (e->room_due && !e->released && !e->closing) {
		e->room_due = false;
		if (e->link.events->room)
			e->link.events->room(e->link.owner, &e->link);
	}
	if (!list_empty(&e->inbox)) {
		later_call(&e->turn, deliver_turn, e);
	} else if (e->closing && !e->down && !e->released) {
		e->down = true;
		e->link.events->down(e->link.owner, &e->link, &e->why);
	}
	p->busy--;
	free_if_gone(p);
}

static void end_open(struct pair *p, struct end *e, struct end *peer, enum ocpp_version v)
{
	list_init(&e->inbox);
	e->pair = p;
	e->peer = peer;
	e->link.ops = &local_ops;
	e->link.version = v;
	e->link.since_us = clock_mono_us();
	e->link.log = (struct log){ .key = "link", .value = p->name };
	strncpy(e->link.peer, "local", sizeof(e->link.peer) - 1);
}

void link_local_pair(enum ocpp_version v, const char *name, struct link **station_end, struct link **gateway_end)
{
	struct pair *p = NEW(struct pair);
	strncpy(p->name, name, sizeof(p->name) - 1);
	end_open(p, &p->station, &p->gateway, v);
	end_open(p, &p->gateway, &p->station, v);
	p->station.connects = true;
	later_call(&p->station.turn, deliver_turn, &p->station);
	*station_end = &p->station.link;
	*gateway_end = &p->gateway.link;
}
