/* Turns by source: the generic cell rate algorithm, with one time per slot.
 *
 * Easy to get wrong: who is turned away must not move the time on, or a flood would lock its own address out for hours, and with it the stations
 * behind the same router. */
#include "gateway/net/turnstile.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

void turnstile_init(struct turnstile *t, int64_t every_us, unsigned burst, int64_t most_us)
{
	*t = (struct turnstile){ .every_us = every_us, .burst_us = every_us * burst, .most_us = most_us };
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		t->seed = 0x9e3779b97f4a7c15u;
}

uint64_t turnstile_source(const struct sockaddr_storage *from)
{
	uint64_t half = 0;
	uint32_t v4 = 0;
	if (from->ss_family == AF_INET) {
		memcpy(&v4, &((const struct sockaddr_in *)from)->sin_addr, sizeof(v4));
		return v4;
	}
	if (from->ss_family != AF_INET6)
		return 0;
	const struct in6_addr *at = &((const struct sockaddr_in6 *)from)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(at)) {
		memcpy(&v4, at->s6_addr + 12, sizeof(v4));
		return v4;
	}
	memcpy(&half, at->s6_addr, sizeof(half));
	return half;
}

static int64_t *slot_of(struct turnstile *t, uint64_t source)
{
	uint64_t h = (source ^ t->seed) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (h >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
	return &t->free_at[(h >> 32) % TURNSTILE_SLOTS];
}

int64_t turnstile_wait(struct turnstile *t, uint64_t source, int64_t now_us)
{
	int64_t *free_at = slot_of(t, source);
	int64_t due = *free_at > now_us ? *free_at : now_us;
	int64_t wait = due + t->every_us - t->burst_us - now_us;
	if (wait > t->most_us)
		return -1;
	*free_at = due + t->every_us;
	return wait > 0 ? wait : 0;
}
