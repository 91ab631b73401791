/* Transactions: one row each, with both names of its id (what the station was told and what the CSMS calls it), the fingerprint by which a
 * resent start is recognised, and the answer it got. This is the ledger that `tx list` shows and the map that splices ids.
 *
 * In 1.6 the CSMS hands out the id. While it cannot be asked, we hand out a provisional one from a durable counter that never repeats; when
 * the CSMS's own id is learnt, both stand in the row. In 2.x stations name their transactions and both names are the same. */
#ifndef AMPGATE_STORAGE_TXS_H
#define AMPGATE_STORAGE_TXS_H

#include "base/mem.h"
#include "storage/outbox.h"
#include "storage/store.h"

#define TX_ID_MOST 64

struct tx_rec {
	int64_t start_seq;            /* the outbox seq of its start: its own key */
	const char *station;
	unsigned char fingerprint[16];
	const char *station_tx;       /* NULL: the station has no answer yet */
	const char *csms_tx;          /* NULL: the CSMS has not named it */
	const char *answer;           /* payload of the answer that the start got; NULL: none yet */
	int evse;
	const char *token;
	int64_t start_us, stop_us;    /* wall time by the station; 0: unknown or running */
	double start_wh, stop_wh;     /* NaN: unknown */
	const char *stop_reason;
	bool offline;                 /* started while no CSMS could be reached */
	bool running;                 /* no stop yet; not read by tx_start */
	bool confirmed;               /* the CSMS has answered the start; not read by tx_start */
};

/* The fingerprint of a start by its content: the same under any message id, after reconnects and restarts (station, EVSE, token, time,
 * meter). Truncated SHA-256 is overkill; any 128-bit hash with good mixing will do, it only meets one station's own starts. */
void tx_fingerprint(const char *station, int evse, struct slice token, int64_t time_us, double meter_wh, unsigned char out[16]);

/* A start: the outbox record and the ledger row in one commit. `provisional`: also takes the next id from the counter, as station_tx; `done`
 * then gets the id, else the seq. `answer`: what the station will be told (with "%ID%" for the id, replaced), NULL: not yet known. Of `tx`,
 * start_seq and station are not read: they are those of `start`.
 *
 * Through `done`: ERR_EXISTS when the fingerprint is known already, also from a job that is still on its way, and nothing is stored: the caller
 * looks it up (tx_by_fingerprint) and gives the same answer again. ERR_FULL as outbox_put. A provisional id is never one that the CSMS gave
 * to this station, and neither a crash nor a damaged file brings one back. */
int tx_start(struct store *s, const struct outbox_rec *start, const struct tx_rec *tx, bool provisional, const char *answer, store_done *done,
             void *arg) MUST_CHECK;

/* The start is in the outbox and the CSMS keeps silent: takes a provisional id and notes the answer (with "%ID%", as above). `done` gets the id;
 * a station that was told one already keeps it, and the answer it got. */
int tx_assign(struct store *s, int64_t start_seq, const char *answer, store_done *done, void *arg) MUST_CHECK;

/* The CSMS answered a start while the station waited: both ids and the answer are noted and the outbox record goes, in one commit.
 *
 * `done` gets the id that the station must be told, which need not be `station_tx`:
 *   - `station_tx` NULL: a provisional one is taken (the CSMS's name is no number, the station wants one);
 *   - this station knows another transaction under `station_tx` (a provisional id that the CSMS now happens to give out): likewise;
 *   - the station was told a provisional one in the meantime (tx_assign): that one.
 * 0 when the id is `station_tx` and not a number. "%ID%" in `answer` becomes the id that the station is told, so the caller compares `done`'s
 * value with its own id: equal, and the CSMS's frame goes down as it is; else the id is spliced. */
int tx_answered(struct store *s, int64_t start_seq, const char *station_tx, const char *csms_tx, const char *answer, store_done *done,
                void *arg) MUST_CHECK;

/* The station's newest transaction of that name is over. One that was over before stays as it was (a resent stop). `done` gets its start_seq.
 * Called before the outbox_put of the stop, it is on disk when that is. */
int tx_stop(struct store *s, const char *station, const char *station_tx, int64_t stop_us, double stop_wh, const char *reason, store_done *done,
            void *arg) MUST_CHECK;

/* A stop (kind OUTBOX_TX_END): its outbox record, and in the same commit what tx_stop does for the transaction `stop->tx`, if there is one. `done`
 * and its errors as outbox_put. */
int tx_end(struct store *s, const struct outbox_rec *stop, int64_t stop_us, double stop_wh, const char *reason, store_done *done, void *arg) MUST_CHECK;

/* As if the message of this record had never come: the record, what it is known by, and the transaction that it started. */
int tx_withdraw(struct store *s, int64_t seq, store_done *done, void *arg) MUST_CHECK;

/* Forgets transactions that are over, confirmed, without records in the outbox, and last changed before `older_than_us` (our wall time). At
 * most 500 a call; `done` gets how many, so whoever gets 500 calls again. */
int tx_trim(struct store *s, int64_t older_than_us, store_done *done, void *arg) MUST_CHECK;

/* Reads; texts live in `mem`. ERR_NOT_FOUND. They see what is committed. */
int tx_by_start(struct store *s, int64_t start_seq, struct arena *mem, struct tx_rec *out) MUST_CHECK;
int tx_by_fingerprint(struct store *s, const char *station, const unsigned char fingerprint[16], struct arena *mem, struct tx_rec *out) MUST_CHECK;
int tx_by_station_id(struct store *s, const char *station, const char *station_tx, struct arena *mem, struct tx_rec *out) MUST_CHECK;
int tx_by_csms_id(struct store *s, const char *station, const char *csms_tx, struct arena *mem, struct tx_rec *out) MUST_CHECK;
/* The newest without a stop; evse 0: on any EVSE. */
int tx_running(struct store *s, const char *station, int evse, struct arena *mem, struct tx_rec *out) MUST_CHECK;

bool tx_is_provisional(const char *id); /* it could be one of ours */

/* Whether any transaction of the station has an id that the CSMS does not know it by (two different ones, or none from the CSMS yet), so that its
 * frames need looking at. Kept in memory; true before a callback that hands such an id out. 2.x starts name both when they are stored. */
bool tx_has_mapping(const struct store *s, const char *station);

int tx_each(struct store *s, const char *station, int64_t after_start_seq, bool (*see)(void *arg, const struct tx_rec *rec), void *arg) MUST_CHECK;

#endif
