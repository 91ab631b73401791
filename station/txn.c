/* A message is kept as the event it tells and becomes text when it leaves: a stop queued behind its own unanswered start does not know the
 * transaction id yet, and whether something counts as offline is only known when it goes. Its message id is fixed from the beginning, so
 * that the peer can recognise a repetition (1.6-J errata 3.1, 2.0.1 Part 4 4.1.4).
 *
 * A start that is given up leaves its transaction without a name; what follows then carries -1, which the CSMS has to take (1.6 errata
 * 3.18). */
#include "station/txn.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define RETRY_FULL_US (1 * US_PER_S) /* the wire is full of other calls */

struct message {
	struct list entry;
	struct txn *tx;
	char id[UUID_TEXT];
	struct arena mem;
	struct event e;
	int64_t attempts;
};

static void send_head(struct txns *t);

struct txn *txn_begin(struct txns *t, int evse)
{
	struct txn *tx = NEW(struct txn);
	tx->refs = 1;
	tx->evse = evse;
	if (t->dialect->names_tx)
		wire_id(t->wire, tx->id);
	return tx;
}

void txn_release(struct txn **t)
{
	struct txn *tx = *t;
	*t = NULL;
	if (tx && --tx->refs == 0)
		mem_free(tx);
}

static void drop(struct txns *t, struct message *m)
{
	list_remove(&m->entry);
	t->count--;
	txn_release(&m->tx);
	arena_free(&m->mem);
	mem_free(m);
}

void txns_open(struct txns *t, struct wire *w, unsigned lane, const struct dialect *d, const struct txns_events *events, void *arg)
{
	*t = (struct txns){ .wire = w, .lane = lane, .dialect = d, .events = events, .arg = arg, .attempts = 3, .retry_us = 60 * US_PER_S };
	list_init(&t->queue);
}

void txns_close(struct txns *t)
{
	timer_cancel(&t->retry);
	LIST_WALK(&t->queue, struct message, entry, m)
		drop(t, m);
}

static void keep(struct arena *mem, struct slice *s)
{
	if (s->p)
		*s = arena_slice(mem, *s);
}

static void copy_event(struct message *m, const struct event *e)
{
	m->e = *e;
	keep(&m->mem, &m->e.token);
	keep(&m->mem, &m->e.token_type);
	keep(&m->mem, &m->e.group);
	keep(&m->mem, &m->e.reason);
	keep(&m->mem, &m->e.trigger);
	keep(&m->mem, &m->e.word);
	keep(&m->mem, &m->e.value);
	if (e->n_samples) {
		m->e.samples = arena_new(&m->mem, e->n_samples * sizeof(e->samples[0]));
		memcpy(m->e.samples, e->samples, e->n_samples * sizeof(e->samples[0]));
	}
}

static bool is_start(const struct event *e)
{
	return e->kind == EV_TX && e->phase == TX_START;
}

static bool is_update(const struct event *e)
{
	return e->kind == EV_METER || (e->kind == EV_TX && e->phase == TX_UPDATE);
}

/* Every second update goes, oldest first, but not one that is on its way (2.0.1 E11.FR.04). */
static void thin_out(struct txns *t)
{
	bool odd = false;
	LIST_WALK(&t->queue, struct message, entry, m) {
		if (!is_update(&m->e) || (t->asked && t->queue.next == &m->entry))
			continue;
		odd = !odd;
		if (odd)
			drop(t, m);
	}
}

void txns_put(struct txns *t, struct txn *tx, const struct event *e)
{
	struct message *m = NEW(struct message);
	copy_event(m, e);
	wire_id(t->wire, m->id);
	m->tx = tx;
	m->e.offline = !t->flowing;
	m->e.seq_no = e->kind == EV_TX ? tx->next_seq++ : -1;
	tx->refs++;
	if (t->count >= TXNS_QUEUE_MOST)
		thin_out(t);
	list_append(&t->queue, &m->entry);
	t->count++;
	send_head(t);
}

static void learn(struct txns *t, struct message *m, const struct reply *r)
{
	struct txn *tx = m->tx;
	if (is_start(&m->e) && !tx->id[0] && r->tx.p && r->tx.n < sizeof(tx->id)) {
		memcpy(tx->id, r->tx.p, r->tx.n);
		t->events->named(t->arg, tx);
	}
	t->events->answered(t->arg, tx, m->e.token.p ? m->e.token : slice_of(tx->token), r);
}

static void on_retry(void *arg)
{
	send_head(arg);
}

static void on_answer(void *arg, int err, const struct reply *r)
{
	struct txns *t = arg;
	struct message *m = LIST_TOP(&t->queue, struct message, entry);
	t->asked = false;
	if (err == ERR_CLOSED || err == ERR_REFUSED)
		return; /* being offline is no failure; txns_flow sends it again */
	if ((err || r->error_code.p) && ++m->attempts < t->attempts) {
		timer_set(&t->retry, t->retry_us * m->attempts, on_retry, t);
		return;
	}
	/* What is learnt may queue more and send it: this one is no longer the head then. */
	list_remove(&m->entry);
	if (!err && !r->error_code.p)
		learn(t, m, r);
	drop(t, m);
	send_head(t);
	if (list_empty(&t->queue))
		t->events->drained(t->arg);
}

static void send_head(struct txns *t)
{
	while (t->flowing && !t->asked && !timer_is_set(&t->retry) && !list_empty(&t->queue)) {
		struct message *m = LIST_TOP(&t->queue, struct message, entry);
		if (!is_start(&m->e) || m->tx->id[0])
			m->e.tx = slice_of(m->tx->id[0] ? m->tx->id : "-1");
		t->asked = true;
		int err = wire_ask_in(t->wire, t->lane, &m->e, m->id, on_answer, t);
		if (!err)
			return;
		t->asked = false;
		if (err == ERR_FULL)
			timer_set(&t->retry, RETRY_FULL_US, on_retry, t);
		else
			drop(t, m); /* this version has no such message */
	}
}

bool txns_waiting(const struct txns *t, struct slice tx)
{
	LIST_WALK(&t->queue, struct message, entry, m) {
		if (!tx.p || slice_is(tx, m->tx->id))
			return true;
	}
	return false;
}

void txns_flow(struct txns *t, bool flowing)
{
	t->flowing = flowing;
	if (flowing) {
		send_head(t);
		return;
	}
	timer_cancel(&t->retry);
	LIST_WALK(&t->queue, struct message, entry, m)
		m->e.offline = true;
}
