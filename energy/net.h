/* The base load of a node as one signed sum over its lines: what the meter shows less what the EVSEs below take, generation included. For
 * power limits; fuses are planned with energy/load, which never counts on generation. Loop thread. */
#ifndef AMPGATE_ENERGY_NET_H
#define AMPGATE_ENERGY_NET_H

#include <stdbool.h>
#include <stdint.h>

#define NET_SLOTS 9  /* of 5 s: what a peak is held for */

struct net {
	bool known;
	int64_t now, low;
	int64_t slot[NET_SLOTS];
	int64_t slot_no;
};

void net_init(struct net *n);
/* The EVSEs below take at least `low` and at most `high` of what was measured: milliamperes, all lines together. */
void net_feed(struct net *n, int64_t measured, int64_t low, int64_t high, int64_t now_us);
int64_t net_held(const struct net *n); /* to plan with; 0 while nothing is known */

#endif
