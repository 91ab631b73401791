/* Names to addresses beside the loop. getaddrinfo blocks, and a thousand lanes connect to few hosts: one thread per name in question serves all
 * that wait for that name, holding copies of its own. Loop thread. */
#ifndef AMPGATE_GATEWAY_LOOKUP_H
#define AMPGATE_GATEWAY_LOOKUP_H

#include <netdb.h>

#include "base/error.h"
#include "base/list.h"

/* One who waits; embedded in its owner. */
struct lookup {
	struct list entry;
	/* `err` is getaddrinfo's; `found` lives during the callback. */
	void (*done)(struct lookup *l, int err, const struct addrinfo *found);
};

/* `done` follows on a later turn, or at once when no thread can be started. Port in digits. */
void lookup_start(struct lookup *l, const char *host, const char *port);
void lookup_cancel(struct lookup *l); /* fine for one that does not wait */

/* A numeric address, without asking anybody: getaddrinfo's verdict; the list is the caller's, for freeaddrinfo. */
int lookup_numeric(const char *host, const char *port, struct addrinfo **out) MUST_CHECK;

#endif
