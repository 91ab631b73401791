/* As in load.c, the estimate moves only when the range of what the cars may take pushes it, and the highest of the last 40 to 45 seconds is
 * planned with. Unlike there it may be negative, and a surplus that has lasted so long may be given to cars: a cloud costs some energy of a
 * window then, not a fuse. */
#include "energy/net.h"

#include <string.h>

#define SLOT_US (5 * INT64_C(1000000))
#define GRAIN_MA 1000 /* noise does not change a limit on every tick */
#define EMPTY INT64_MIN

void net_init(struct net *n)
{
	memset(n, 0, sizeof(*n));
	n->slot_no = -1;
	for (int i = 0; i < NET_SLOTS; i++)
		n->slot[i] = EMPTY;
}

static void turn(struct net *n, int64_t now_no)
{
	if (n->slot_no < 0 || now_no - n->slot_no > NET_SLOTS) {
		for (int i = 0; i < NET_SLOTS; i++)
			n->slot[i] = EMPTY;
		n->slot_no = now_no;
	}
	while (n->slot_no < now_no)
		n->slot[++n->slot_no % NET_SLOTS] = EMPTY;
}

/* Cars turn out to take what had been put down to the building: the peaks remembered were too high by as much. */
static void explain(struct net *n, int64_t known_more, int64_t fell)
{
	int64_t by = known_more < fell ? known_more : fell;
	for (int i = 0; i < NET_SLOTS && by > 0; i++)
		if (n->slot[i] != EMPTY)
			n->slot[i] -= by;
}

void net_feed(struct net *n, int64_t measured, int64_t low, int64_t high, int64_t now_us)
{
	int64_t least = measured - high, most = measured - low, now = n->now;
	turn(n, now_us / SLOT_US);
	if (!n->known || now > most)
		now = most;
	if (now < least)
		now = least;
	if (n->known)
		explain(n, low - n->low, n->now - now);
	n->low = low;
	n->now = now;
	n->known = true;
	int64_t *slot = &n->slot[n->slot_no % NET_SLOTS];
	if (now > *slot)
		*slot = now;
}

int64_t net_held(const struct net *n)
{
	int64_t most = EMPTY;
	for (int i = 0; i < NET_SLOTS; i++)
		if (n->slot[i] > most)
			most = n->slot[i];
	if (most == EMPTY)
		most = n->now;
	return (most > 0 ? most + GRAIN_MA - 1 : most) / GRAIN_MA * GRAIN_MA; /* rounded up, also below zero */
}
