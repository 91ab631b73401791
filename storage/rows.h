/* Steps that the outbox and the ledger of transactions share, as a start touches both in one commit. Writer thread; internal to storage/. */
#ifndef AMPGATE_STORAGE_ROWS_H
#define AMPGATE_STORAGE_ROWS_H

#include "storage/job.h"
#include "storage/outbox.h"

struct outbox_rec outbox_copy(struct arena *mem, const struct outbox_rec *rec); /* texts too; any thread */
void outbox_insert(struct db *d, const struct outbox_rec *rec);                 /* as unsent */

/* Removes a record and counts it out. False: no such record. */
bool outbox_delete(struct job *j, struct db *d, int64_t seq, enum outbox_kind *kind_out);

/* The CSMS has confirmed this start and, unless NULL, named the transaction. Nothing happens where the ledger does not know it. */
void tx_bind(struct job *j, struct db *d, int64_t start_seq, const char *csms_tx);

#endif
