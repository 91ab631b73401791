/* How often one source may begin what costs us much: the private key works in every TLS handshake, and whoever asks for enough of them would
 * keep everybody else waiting. Sources share a fixed table, so that nothing grows with their number. No I/O; time is an argument. */
#ifndef AMPGATE_GATEWAY_TURNSTILE_H
#define AMPGATE_GATEWAY_TURNSTILE_H

#include <stdint.h>
#include <sys/socket.h>

#define TURNSTILE_SLOTS 256

struct turnstile {
	int64_t every_us;  /* one more each */
	int64_t burst_us;  /* what may be used at once after a quiet time: their number times every_us */
	int64_t most_us;   /* who would have to wait for longer is turned away */
	uint64_t seed;     /* so that nobody can choose with whom he shares */
	int64_t free_at[TURNSTILE_SLOTS];
};

void turnstile_init(struct turnstile *t, int64_t every_us, unsigned burst, int64_t most_us);

/* Whom an address counts as: an IPv4 host, or the /64 of an IPv6 one, which is what one subscriber has. */
uint64_t turnstile_source(const struct sockaddr_storage *from);

/* Microseconds until the turn of one more from there, which is then taken; -1: turned away, and nothing is taken. */
int64_t turnstile_wait(struct turnstile *t, uint64_t source, int64_t now_us);

#endif
