/* Events in the order they happened, numbered without gaps (one whose commit failed leaves a gap, which says so), kept to a bound: what MQTT's
 * event topic and `log` show. */
#ifndef AMPGATE_STORAGE_JOURNAL_H
#define AMPGATE_STORAGE_JOURNAL_H

#include "base/mem.h"
#include "storage/store.h"

struct journal_rec {
	int64_t seq;            /* from 1, never reused */
	int64_t wall_us;
	const char *code;       /* "uplink.down" */
	const char *severity;   /* "info", "warning", "critical" */
	const char *object;     /* "uplink/cpo" */
	const char *args;       /* JSON object text */
};

/* `done` when it is durable; ERR_FULL there when the file is nearly full, as events do not use the reserve; evidence does. */
int64_t journal_add(struct store *s, const struct journal_rec *rec, store_done *done, void *arg); /* its seq, at once, or ERR_CLOSED */
int journal_each(struct store *s, int64_t after_seq, bool (*see)(void *arg, const struct journal_rec *rec), void *arg) MUST_CHECK;
int64_t journal_last_seq(struct store *s); /* of the newest that is on disk; 0: none */
/* The newest `keep` stay, and evidence of what the grid operator asked for and got (codes "grid.") as long as it has to be shown: of each object
 * the newest `keep_evidence`, so that an input that talks without end pushes out nothing but its own. */
int journal_trim(struct store *s, int64_t keep, int64_t keep_evidence, store_done *done, void *arg) MUST_CHECK;
/* The number before the newest n events of evidence: what comes after it. 0: there are no more than that. */
int64_t journal_evidence_before(struct store *s, int64_t n);
#define JOURNAL_EVIDENCE_US (730 * INT64_C(86400000000))

#endif
