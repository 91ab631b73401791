/* Every frame on both legs with our verdict, for people who ask "what happened on the wire": the newest are kept in memory to a bound, and
 * listeners get each one as it passes. Loop thread. */
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
	TRACE_QUEUED,
	TRACE_REPLAYED,
	TRACE_MODIFIED,
	TRACE_ORIGINATED,
	TRACE_BLOCKED,
	TRACE_DROPPED,
	TRACE_MALFORMED
};

struct trace_rec {
	int64_t seq, wall_us;
	const char *station;
	enum trace_side side;
	enum trace_way way;
	enum trace_verdict verdict;
	int kind;               /* message type; 0: unreadable */
	enum ocpp_version version;
	struct slice id, action, raw;
};

/* `f` NULL: unreadable. The action of answers is not known here and stays absent. */
void trace_frame(const struct session *s, enum trace_side side, enum trace_way way, struct slice raw, const struct frame *f,
                 enum trace_verdict verdict);

/* One record as the JSON line of the trace format. */
void trace_write(const struct trace_rec *r, struct buf *out);

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
