/* Server-sent events: the state of the site as it changes, for consoles and programs. Objects are looked at twice a second while anybody listens,
 * and told when they have changed; what was told lately is kept, so that a client which was away for a moment misses nothing. A client that does not
 * read fast enough is told to fetch everything anew instead of being sent it all. Loop thread. */
#ifndef AMPGATE_GATEWAY_SSE_H
#define AMPGATE_GATEWAY_SSE_H

#include "base/list.h"
#include "gateway/http/http.h"
#include "gateway/http/users.h"

void sse_open(struct gateway *g);
void sse_close(void);

/* Answers with the stream. topics: comma-separated words of site,circuit,meter,station,evse,uplink,event,job,trace; absent: all that the role may
 * see. last_id: of the Last-Event-ID field; absent: from now on. */
void sse_attach(struct http_exchange *x, struct slice topics, struct slice last_id, enum role role);

/* Something that happened, beside the objects that are looked at: an event, a step of a job. `json` is an object. */
void sse_publish(const char *topic, const char *key, struct slice json);
unsigned sse_clients(void);

/* Who is told in the process: everything once at the next look, then what changes. Not the trace, which has listeners of its own. */
struct sse_listener {
	struct list entry;
	unsigned topics; /* bits of sse_topic */
	void (*see)(void *arg, const char *topic, const char *key, struct slice json); /* may stop listening, itself only */
	void *arg;
};
unsigned sse_topic(struct slice word); /* 0: no such topic */
void sse_listen(struct sse_listener *l);
void sse_unlisten(struct sse_listener *l);

#endif
