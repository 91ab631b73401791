/* The worker of a bus: one thread in which its plugins may block. It gets orders and beats, does the turn that is due longest, and opens every
 * relay when the loop has not been heard of for too long. The loop's side is here too: posting, the beat, and who has not answered. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/plug/host-local.h"

#define BEAT_US (500 * US_PER_MS)
#define SILENT_US (5 * US_PER_S) /* and three polls */

/* To a worker. unit NULL: a beat; attach: the unit is new; detach: it goes; else an order. */
struct order {
	struct mail mail;
	struct unit *unit;
	bool attach, detach;
	struct wish wish;
};

/* The worker has forgotten it; the loop does the rest. */
void worker_detach(struct unit *u)
{
	struct report *r = NEW(struct report);
	list_remove(&u->in_worker);
	r->unit = u;
	r->mail.deliver = host_on_gone;
	mailbox_post(u->host->mailbox, &r->mail);
}

static void on_order(struct mail *mail, void *arg)
{
	struct order *o = (struct order *)(void *)mail;
	struct worker *w = arg;
	if (!o->unit)
		w->beat_us = clock_mono_us();
	else if (o->detach)
		worker_detach(o->unit);
	else if (!o->attach)
		unit_order(o->unit, &o->wish);
	else
		list_append(&w->units, &o->unit->in_worker);
	if (o->attach && o->unit->outlet)
		w->dead_us = HOST_PINS_DEAD_US;
	mem_free(o);
}

static struct unit *most_urgent(struct worker *w)
{
	struct unit *first = NULL;
	LIST_WALK(&w->units, struct unit, in_worker, u)
		if (!first || unit_next(u) < unit_next(first))
			first = u;
	return first;
}

/* Opens every relay that is not open already. */
static void open_relays(struct worker *w, const char *why)
{
	static const struct wish none;
	LIST_WALK(&w->units, struct unit, in_worker, u) {
		if (u->kind != AG_EVSE || !unit_is_on(u))
			continue;
		log_warn(&u->log, "contactor opened: %s", why);
		unit_order(u, &none);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	while (!inbox_stopped(w->inbox)) {
		struct unit *u = most_urgent(w);
		int64_t now = clock_mono_us(), dead = w->beat_us + w->dead_us, next = u && unit_next(u) < dead ? unit_next(u) : dead;
		/* Orders go before polls, so the inbox is looked into each time round. */
		if (inbox_serve(w->inbox, next > now ? next - now : 0))
			continue;
		if (clock_mono_us() >= w->beat_us + w->dead_us) {
			open_relays(w, "the program does not respond");
			w->beat_us = clock_mono_us();
		}
		if (u && unit_next(u) <= clock_mono_us())
			unit_turn(u);
	}
	while (inbox_serve(w->inbox, 0))
		;
	open_relays(w, "the program ends");
	return NULL;
}

void worker_post(struct worker *w, struct unit *u, bool attach, const struct wish *wish)
{
	struct order *o = NEW(struct order);
	o->mail.deliver = on_order;
	o->unit = u;
	o->attach = attach;
	if (wish)
		o->wish = *wish;
	inbox_post(w->inbox, &o->mail);
}

void worker_post_detach(struct worker *w, struct unit *u)
{
	struct order *o = NEW(struct order);
	o->mail.deliver = on_order;
	o->unit = u;
	o->detach = true;
	inbox_post(w->inbox, &o->mail);
}

static void tell_silence(struct unit *u, int64_t now)
{
	char fault[FAULT_TEXT];
	snprintf(fault, sizeof(fault), "its driver has not answered for %lld s", (long long)((now - u->heard_us) / US_PER_S));
	u->failing = true;
	u->missed_us = now;
	if (u->kind == AG_METER)
		u->on_sample(u->arg, NULL, fault);
	else
		u->on_grid(u->arg, NULL, fault);
}

/* A worker that does not come back from a call says nothing, and whoever waits for it is told so, once a second. Who drives an EVSE has a
 * patience of his own. After a loop that stood still the words may be here and not yet read, so all begin anew. */
static void look_for_silence(struct host *h)
{
	int64_t now = clock_mono_us();
	bool stood = now - h->beaten_us > 4 * BEAT_US;
	h->beaten_us = now;
	LIST_WALK(&h->units, struct unit, in_host, u) {
		int64_t patience = 3 * u->poll_us > SILENT_US ? 3 * u->poll_us : SILENT_US;
		if (stood)
			u->heard_us = now;
		if (u->worker && (u->kind & (AG_METER | AG_GRID)) && !u->dropped && now - u->heard_us >= patience && now - u->missed_us >= US_PER_S)
			tell_silence(u, now);
	}
}

void worker_on_beat(void *arg)
{
	struct host *h = arg;
	look_for_silence(h);
	LIST_WALK(&h->workers, struct worker, entry, w)
		worker_post(w, NULL, false, NULL);
	timer_set(&h->beat, BEAT_US, worker_on_beat, h);
}

/* Signals are the loop's business. */
static int start_thread(struct worker *w)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int worker_for(struct host *h, const char *bus, struct worker **out)
{
	LIST_WALK(&h->workers, struct worker, entry, w) {
		if (bus && w->bus && strcmp(bus, w->bus) == 0) {
			*out = w;
			return 0;
		}
	}
	struct worker *w = NEW(struct worker);
	w->host = h;
	w->bus = mem_strdup(bus);
	w->beat_us = clock_mono_us();
	w->dead_us = HOST_DEAD_US;
	list_init(&w->units);
	w->inbox = inbox_open(w);
	int rc = start_thread(w);
	if (rc != 0) {
		inbox_close(w->inbox);
		mem_free(w->bus);
		mem_free(w);
		return rc;
	}
	list_append(&h->workers, &w->entry);
	*out = w;
	return 0;
}

void worker_end(struct worker *w)
{
	inbox_stop(w->inbox);
	pthread_join(w->thread, NULL);
	inbox_close(w->inbox);
	list_remove(&w->entry);
	mem_free(w->bus);
	mem_free(w);
}

/* All are told to stop before the first is waited for. */
void worker_end_all(struct host *h)
{
	LIST_WALK(&h->workers, struct worker, entry, s)
		inbox_stop(s->inbox);
	LIST_WALK(&h->workers, struct worker, entry, w)
		worker_end(w);
}
