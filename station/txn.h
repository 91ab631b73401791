/* Transactions and what is still to be said about them. Messages of transactions bill somebody: they are kept while there is no link, leave
 * one at a time in the order in which things happened, and are repeated under the same message id until they are answered.
 * Loop thread. */
#ifndef AMPGATE_STATION_TXN_H
#define AMPGATE_STATION_TXN_H

#include "ocpp/dialect.h"
#include "station/wire.h"

#define TXN_ID_MOST 64
#define TXNS_QUEUE_MOST 1000 /* above it updates are thinned out; starts and ends stay */

struct txn {
	unsigned refs;            /* its owner and each queued message */
	int evse;
	char id[TXN_ID_MOST];     /* "": the CSMS has not named it yet */
	char token[256], token_type[24], group[256];
	int64_t next_seq;
	int64_t start_wall_us;
	double start_wh;
	bool over;
	bool placed;              /* a message said which EVSE */
};

struct txns_events {
	void (*named)(void *arg, struct txn *t);                            /* the CSMS gave it its id */
	void (*answered)(void *arg, struct txn *t, struct slice token, const struct reply *r); /* the CSMS took a message; token: whose it was */
	void (*drained)(void *arg);                                         /* nothing is left to be said */
};

struct txns {
	struct wire *wire;
	unsigned lane;            /* of the wire */
	const struct dialect *dialect;
	const struct txns_events *events;
	void *arg;
	struct list queue;
	size_t count;
	bool flowing;             /* there is a link and the station is accepted */
	bool asked;               /* the head is on its way */
	int64_t attempts;         /* in all, before a message that is answered by errors or not at all is given up */
	int64_t retry_us;         /* times the attempts so far (1.6 specification 3.7.1, 2.0.1 E13) */
	struct timer retry;
};

void txns_open(struct txns *t, struct wire *w, unsigned lane, const struct dialect *d, const struct txns_events *events, void *arg);
void txns_close(struct txns *t);

/* A transaction that begins now; the caller holds a reference. */
struct txn *txn_begin(struct txns *t, int evse);
void txn_release(struct txn **t);

/* Queues EV_TX or EV_METER of this transaction; the event is copied. Its tx, seq_no and offline are filled in here. */
void txns_put(struct txns *t, struct txn *tx, const struct event *e);

bool txns_waiting(const struct txns *t, struct slice tx); /* something of it, or of any where it is absent, is still to be said */

/* Messages may leave, or must wait. What waits when the link goes happened offline (2.0.1 E04.FR.03, E11.FR.07). */
void txns_flow(struct txns *t, bool flowing);

#endif
