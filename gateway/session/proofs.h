/* Passwords of stations that the configuration knows as hashes only. A hash is checked in a thread, two at a time, and sources of connections take
 * turns, so a storm of connections costs the loop nothing and one source cannot keep the others waiting. What was found right is remembered, as
 * a keyed digest, until the process ends; so is what was wrong, for the newest few. Loop thread. */
#ifndef AMPGATE_GATEWAY_PROOFS_H
#define AMPGATE_GATEWAY_PROOFS_H

#include "base/str.h"
#include "gateway/session/session.h"

enum proof { PROOF_WRONG, PROOF_RIGHT, PROOF_LATER, PROOF_BUSY };

/* A password as it was shown, and whom to tell when it is worth asking again. */
struct proof_ask {
	struct slice password;
	uint64_t source, ticket;
	void (*ready)(void *arg, uint64_t ticket);
	void *arg;
};

/* PROOF_LATER: `ready` follows on a later turn, unless proofs_forget came before; PROOF_BUSY: too many wait already. */
enum proof proof_of(struct session *s, const char *configured, const struct proof_ask *ask);
void proofs_forget(const void *arg); /* nobody of this `arg` waits any more */
void proofs_close(void);

#endif
