/* Every frame on both legs with our verdict, for people who ask "what happened on the wire": the newest are kept in memory to a bound, and
 * listeners get each one as it passes. An answer is paired with its CALL, which tells its action and how long it took. Loop thread. */
#ifndef AMPGATE_GATEWAY_TRACE_H
#define AMPGATE_GATEWAY_TRACE_H

#include "base/buf.h"
#include "base/list.h"
#include "ocpp/frame.h"

struct session;

enum trace_side { TRACE_STATION, TRACE_CSMS };
enum trace_way { TRACE_RX, TRACE_TX }; /* seen from the box */
enum trace_verdict {
	TRACE_FORWARDED,
	TRACE_ANSWERED_LOCALLY,
	TRACE_QUEUED,     /* to the outbox first */
	TRACE_REPLAYED,   /* from it, late */
	TRACE_MODIFIED,   /* bytes were changed; see diff */
	TRACE_ORIGINATED, /* ours, or the answer to ours */
	TRACE_BLOCKED,    /* must not pass; see why */
	TRACE_DROPPED,    /* nobody wants it; see why */
	TRACE_MALFORMED,  /* no frame; see why */
	TRACE_VERDICTS
};
const char *trace_verdict_text(enum trace_verdict v);
int trace_verdict_parse(const char *text); /* ERR_NOT_FOUND */

struct trace_rec {
	int64_t seq, wall_us;
	const char *station;
	enum trace_side side;
	enum trace_way way;
	enum trace_verdict verdict;
	int kind;               /* message type; 0: unreadable */
	enum ocpp_version version;
	uint64_t conn;          /* number of the station's link, from 1 */
	int64_t pair, rtt_us;   /* of an answer: its CALL, and the time since; 0: not known */
	struct slice id, action, raw;
	struct slice diff;      /* JSON: where bytes changed, and from what to what; redacted */
	struct slice why;
};

/* `f` NULL: unreadable. The action of an answer is that of its CALL. */
void trace_frame(const struct session *s, enum trace_side side, enum trace_way way, struct slice raw, const struct frame *f,
                 enum trace_verdict verdict);

/* The same with what else is known. */
struct trace_note {
	struct slice other; /* the text before or after the change; absent: unchanged */
	bool other_is_newer;
	const char *why;    /* NULL: nothing to say */
};
void trace_noted(const struct session *s, enum trace_side side, enum trace_way way, struct slice raw, const struct frame *f,
                 enum trace_verdict verdict, const struct trace_note *note);

/* One record as the JSON line of the trace format; tokens are replaced by hashes unless `plain`. */
void trace_write(const struct trace_rec *r, bool plain, struct buf *out);

/* What somebody wants to see; NULL, -1 and 0 stand for all. */
struct trace_filter {
	const char *station, *action;
	int verdict;
	int64_t since_us; /* wall */
};
bool trace_matches(const struct trace_filter *f, const struct trace_rec *r);

void trace_each(int64_t after_seq, bool (*see)(void *arg, const struct trace_rec *r), void *arg);

struct trace_listener {
	struct list entry;
	void (*see)(void *arg, const struct trace_rec *r);
	void *arg;
};
void trace_listen(struct trace_listener *l);
void trace_unlisten(struct trace_listener *l);
void trace_free(void);

#endif
