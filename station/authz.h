/* Who may charge, as far as the station knows without asking: the local list that the CSMS sent, and the cache of its answers. In memory.
 * The cache forgets what is no good first, and then what was not used for longest. Loop thread. */
#ifndef AMPGATE_STATION_AUTHZ_H
#define AMPGATE_STATION_AUTHZ_H

#include "base/buf.h"
#include "base/map.h"
#include "ocpp/event.h"
#include "ocpp/frame.h"

#define AUTHZ_LIST_MOST 1000
#define AUTHZ_CACHE_MOST 200

struct authz {
	struct map known;     /* token in lower case -> struct known */
	int64_t version;      /* of the list; 0: none */
	size_t listed, cached;
	uint64_t uses;        /* counts, to know which was used last */
	bool list_off, cache_off; /* switched off: what is there is not used */
	int64_t lifetime_us;  /* of what is in the cache; 0: for ever */
	void (*changed)(void *arg, bool list); /* the list or the cache; NULL */
	void *arg;
};

enum standing { TOKEN_UNKNOWN, TOKEN_GOOD, TOKEN_BAD };

void authz_close(struct authz *a); /* a zeroed one is open */

/* What is known of the token; its group in *group_out ("" none), which lives until the next change. The list beats the cache. */
enum standing authz_look(const struct authz *a, struct slice token, int64_t wall_us, const char **group_out);

/* An answer of the CSMS about the token. What is on the list does not enter the cache. */
void authz_learn(struct authz *a, struct slice token, const struct reply *r);
void authz_clear_cache(struct authz *a);
bool authz_is_listed(const struct authz *a, struct slice token);
void authz_forget(struct authz *a, struct slice token); /* what the cache knows of it */

/* The list or the cache as JSON, and back. */
void authz_write(const struct authz *a, bool list, struct buf *out);
void authz_recall(struct authz *a, bool list, struct slice text);

/* SendLocalList. The status to answer with: "Accepted", "VersionMismatch" or "Failed"; nothing was changed unless it is the first. */
const char *authz_send_list(struct authz *a, struct frame *f, const struct event *e);

#endif
