/* What the CSMS has not confirmed yet: transaction messages of stations, strictly in order per station, as text.
 *
 *   unsent --mark_sent--> sent-unconfirmed --confirm--> gone          park: set aside after failed attempts, visible, never dropped
 *
 * A record that was sent but not confirmed when the link or the process died is sent again under the same message id.
 *
 * Records may carry a fingerprint of what the station sent. The newest OUTBOX_SEEN fingerprints of each station outlive their records, so that a
 * message that the station repeats, under whatever id and after whatever crash, is known as the one that was stored. */
#ifndef AMPGATE_STORAGE_OUTBOX_H
#define AMPGATE_STORAGE_OUTBOX_H

#include "base/mem.h"
#include "storage/store.h"

#define OUTBOX_SEEN 64 /* fingerprints kept per station; a station repeats what it has no answer to, and that is the newest */

enum outbox_state { OUTBOX_UNSENT, OUTBOX_SENT, OUTBOX_PARKED };
enum outbox_kind { OUTBOX_TX_START, OUTBOX_TX_UPDATE, OUTBOX_TX_END, OUTBOX_NOTICE };

enum clock_quality { CLOCK_UNTRUSTED, CLOCK_TRUSTED, CLOCK_CORRECTED };

struct outbox_rec {
	int64_t seq;            /* given by outbox_put; ascending over all stations */
	const char *station;    /* identity */
	enum outbox_kind kind;
	enum outbox_state state;
	int version;            /* the station's OCPP version, as the caller numbers them */
	const char *action, *message_id;
	struct slice payload;   /* JSON text as the station sent it */
	const char *tx;         /* the transaction id as the station knows it; NULL: none yet (a 1.6 start that was not answered) */
	int64_t start_seq;      /* OUTBOX_TX_UPDATE, _END of a 1.6 transaction that started in the outbox: its start's seq; 0: none */
	int64_t wall_us, mono_us; /* when it was taken; the two clocks, and clock_boot() of the second */
	int64_t boot;
	enum clock_quality clock; /* of wall_us */
	int64_t shift_us;       /* CLOCK_CORRECTED: by how much wall_us was moved. Only in what is read */
	bool thin;              /* a meter value among others: may be left out when there is no room (outbox_thin) */
	bool late;              /* was accepted from the station while no CSMS could be reached */
	int attempts;           /* how often it was sent */
	int failures;           /* how often the CSMS refused it, or kept silent while it talked about other things */
	const unsigned char *fingerprint; /* 16 bytes, NULL: none; only in what is put */
	const char *parked_why; /* OUTBOX_PARKED only, and only in what is read; else NULL */
};

/* Hands a copy of the record to the writer thread. `done` gets the record's seq. Records of one station stay in order. With `done` NULL
 * nobody waits. Through `done`: ERR_EXISTS when this fingerprint is known, and nothing is stored (see outbox_seen); ERR_FULL when the file's size bound is near (starts and notices) or reached (the rest: a reserve is kept for
 * transactions that run). Returned at once: ERR_CLOSED. seq, state, attempts, failures and parked_why are not read. */
int outbox_put(struct store *s, const struct outbox_rec *rec, store_done *done, void *arg) MUST_CHECK;

/* The oldest record of a station that is not parked: 0, or ERR_NOT_FOUND. Texts live in `mem`. */
int outbox_head(struct store *s, const char *station, struct arena *mem, struct outbox_rec *out) MUST_CHECK;

/* These tell `done` ERR_NOT_FOUND where there is no such record (any more). */
int outbox_mark_sent(struct store *s, int64_t seq, store_done *done, void *arg) MUST_CHECK; /* `done` gets the number of attempts with this one */
int outbox_mark_failed(struct store *s, int64_t seq, store_done *done, void *arg) MUST_CHECK; /* `done` gets the number of failures with this one */
int outbox_park(struct store *s, int64_t seq, const char *why, store_done *done, void *arg) MUST_CHECK;
/* Parked ones become unsent again, at their old place in the order, attempts and failures forgotten; station NULL: of all. `done`: how many. */
int outbox_retry(struct store *s, const char *station, store_done *done, void *arg) MUST_CHECK;

/* The CSMS answered: the record goes. For a start, `csms_tx` (NULL: none) is bound to the transaction in the same commit (see txs.h).
 * ERR_NOT_FOUND: it had gone before. */
int outbox_confirm(struct store *s, int64_t seq, const char *csms_tx, store_done *done, void *arg) MUST_CHECK;

/* The same for a record that is no start, with the payload of the answer, which is kept for a station that asks again. */
int outbox_answered(struct store *s, int64_t seq, const char *answer, store_done *done, void *arg) MUST_CHECK;

/* There is no room: of the unsent records of each transaction that may be left out, the second, fourth, ... go (2.x E11.FR.04, E11.FR.05). `done`: how many;
 * at most OUTBOX_THINNED a call. */
#define OUTBOX_THINNED 5000
int outbox_thin(struct store *s, store_done *done, void *arg) MUST_CHECK;

/* The time is known now: wall time is monotonic time of this boot and `wall_from_mono_us`. Each record that was taken in this boot before it was
 * known gets its right time, once. `done`: how many. */
int outbox_correct(struct store *s, int64_t boot, int64_t wall_from_mono_us, store_done *done, void *arg) MUST_CHECK;

struct seen_rec {
	int64_t seq;
	const char *answer;      /* what the CSMS answered; NULL: not yet, or it never was asked */
	bool kept;               /* its record is in the outbox */
	enum outbox_state state; /* if it is */
};
int outbox_seen(struct store *s, const char *station, const unsigned char fingerprint[16], struct arena *mem, struct seen_rec *out) MUST_CHECK;

/* How many records of a station wait (unsent or sent); NULL: of all. Kept in memory, counted at open. Includes those not yet committed. */
int64_t outbox_count(const struct store *s, const char *station);
bool outbox_has_tx(struct store *s, const char *station, const char *tx); /* waiting records of a transaction; tx NULL: of any */
int64_t outbox_parked(const struct store *s);
/* Each station with records that wait, in no order; `see` may call anything but store_close. Reads nothing from disk. */
void outbox_stations(const struct store *s, void (*see)(void *arg, const char *station), void *arg);
int64_t outbox_oldest_us(struct store *s); /* wall time of the oldest record; 0: empty */

/* Walks records in order, for listing and export; `see` returns false to stop and may call anything but store_close. after_seq 0: from the
 * start; station NULL: all. Texts live until `see` returns. */
int outbox_each(struct store *s, const char *station, int64_t after_seq, bool (*see)(void *arg, const struct outbox_rec *rec), void *arg) MUST_CHECK;

#endif
