/* Estimating the base load while cars move.
 *
 * After an order a car takes something between what it took and what it was offered, until it reports again. So what is left of the
 * measurement for the base load is a range, not a number: at least measured - high, at most measured - low. The estimate moves only when
 * the range pushes it: up when even the highest draw cannot explain the measurement, down when even the lowest leaves less. While cars are
 * steady the range is a point and the estimate follows the meter; while they move it stays, and neither a reduction on its way nor a car
 * that starts is taken for a change of the building.
 *
 * When a report shows that cars take what had been put down to the building (one began unseen, or this program has just started), the
 * estimate falls while the known draw rises: then the peaks remembered were too high by as much, and are lowered with it.
 *
 * What is planned with is the highest estimate of the last 40 to 45 seconds, so that a load that comes and goes (a lift, a compressor) does
 * not make the cars breathe, rounded up, so that noise does not change a limit on every tick. It is never negative: what a solar plant
 * feeds in below a fuse is gone with one cloud, and is not planned with. */
#include "energy/load.h"

#include <string.h>

#define SLOT_US (5 * INT64_C(1000000))
#define HOUR_US (3600 * INT64_C(1000000))
#define PAST_US (1800 * INT64_C(1000000))
#define GRAIN_MA 200
#define NOISE 100     /* part of what is measured, and then some: a step so small may be none */
#define NOISE_MA 500
#define SURE_MA 2000 /* a range no wider than this is good enough to be remembered for the day */

void load_init(struct load *l)
{
	memset(l, 0, sizeof(*l));
	l->slot_no = l->hour_no = -1;
}

/* Enters the slot of this moment, emptying those that were skipped. Time never starts below zero. */
static void turn(int32_t (*ring)[3], int size, int64_t *no, int64_t now_no)
{
	if (*no < 0 || now_no - *no > size) {
		memset(ring, 0, (size_t)size * sizeof(ring[0]));
		*no = now_no;
	}
	while (*no < now_no) {
		++*no;
		memset(ring[*no % size], 0, sizeof(ring[0]));
	}
}

static void explain(struct load *l, int line, int64_t known_more, int64_t fell)
{
	int64_t by = known_more < fell ? known_more : fell;
	for (int i = 0; i < LOAD_SLOTS && by > 0; i++)
		l->slot[i][line] = l->slot[i][line] > by ? (int32_t)(l->slot[i][line] - by) : 0;
}

/* A small peak counts when it is seen twice: a meter's last digits are no load. */
static int32_t sure_peak(struct load *l, int line, int32_t measured)
{
	int32_t peak = l->now[line], twice = peak < l->was[line] ? peak : l->was[line];
	l->was[line] = peak;
	return peak - twice < measured / NOISE + NOISE_MA ? twice : peak;
}

void load_feed(struct load *l, const int32_t measured[3], const int64_t low[3], const int64_t high[3], int64_t now_us)
{
	if (!l->known)
		l->since_us = now_us;
	turn(l->slot, LOAD_SLOTS, &l->slot_no, now_us / SLOT_US);
	turn(l->hour, LOAD_HOURS, &l->hour_no, now_us / HOUR_US);
	for (int line = 0; line < 3; line++) {
		int64_t least = measured[line] - high[line], most = measured[line] - low[line], now = l->now[line];
		if (!l->known || now > most)
			now = most;
		if (now < least)
			now = least;
		if (l->known)
			explain(l, line, low[line] - l->low[line], l->now[line] - now);
		l->low[line] = low[line];
		l->now[line] = (int32_t)(now < -INT32_MAX ? -INT32_MAX : now > INT32_MAX ? INT32_MAX : now);
		int32_t *slot = &l->slot[l->slot_no % LOAD_SLOTS][line], *hour = &l->hour[l->hour_no % LOAD_HOURS][line];
		int32_t peak = sure_peak(l, line, measured[line]);
		if (peak > *slot)
			*slot = peak;
		if (l->now[line] > *hour && high[line] - low[line] <= SURE_MA)
			*hour = l->now[line];
	}
	l->known = true;
}

static int32_t highest(int32_t (*ring)[3], int size, int line)
{
	int32_t most = 0;
	for (int i = 0; i < size; i++)
		if (ring[i][line] > most)
			most = ring[i][line];
	return most;
}

int32_t load_held(const struct load *l, int line)
{
	int32_t most = highest((int32_t(*)[3])l->slot, LOAD_SLOTS, line);
	return most > INT32_MAX - GRAIN_MA ? most : (most + GRAIN_MA - 1) / GRAIN_MA * GRAIN_MA;
}

int32_t load_highest(const struct load *l, int line)
{
	int32_t day = highest((int32_t(*)[3])l->hour, LOAD_HOURS, line), held = load_held(l, line);
	return day > held ? day : held;
}

bool load_has_a_past(const struct load *l, int64_t now_us)
{
	return l->known && now_us - l->since_us >= PAST_US;
}
