/* The curve is the lower edge of the standard's band: fixed points, and straight lines in the logarithm of both axes between them. Breakers
 * hold 1.13 times their rating for good, and open within their conventional time at 1.45 (IEC 60898-1, table 7); magnetic release begins at
 * 3, 5 and 10 times for types B, C and D. A gG fuse holds 1.25 times and melts at 1.6 within its conventional time (IEC 60269-1, tables 2
 * and 3). The points between are those of makers' curves, rounded to the safe side: an assumption, and the only place it is made.
 *
 * Heat adds up as the share of the holding time that each moment takes, and decays with a time constant while the current is below what the
 * device carries for good. */
#include "energy/fuse.h"

#include <math.h>

#define S 1e6
#define COOLS_US (300 * S)

struct point {
	double times, seconds; /* rated current, and how long it holds */
};

static const struct point breaker[] = { { 1.13, 3600 }, { 1.25, 900 }, { 1.3, 540 }, { 1.45, 120 }, { 1.6, 52 }, { 2, 7.9 }, { 2.55, 1 }, { 3, 0.3 },
	{ 5, 0.1 }, { 10, 0.02 }, { 0, 0 } };
static const struct point fuse[] = { { 1.25, 14400 }, { 1.3, 5280 }, { 1.45, 2280 }, { 1.6, 1020 }, { 2, 180 }, { 2.55, 27 }, { 3, 8.6 }, { 5, 0.9 },
	{ 10, 0.08 }, { 0, 0 } };
static const double magnetic[] = { [FUSE_GG] = 20, [FUSE_B] = 3, [FUSE_C] = 5, [FUSE_D] = 10 };

static double between(const struct point *a, const struct point *b, double times)
{
	double share = log(times / a->times) / log(b->times / a->times);
	return a->seconds * pow(b->seconds / a->seconds, share);
}

int64_t fuse_holds_us(enum fuse_type type, int32_t rated_ma, int64_t ma)
{
	const struct point *p = type == FUSE_GG ? fuse : breaker;
	double times = (double)ma / rated_ma;
	if (times <= p->times)
		return FUSE_NEVER;
	if (times >= magnetic[type])
		return (int64_t)(0.01 * S);
	while (p[1].times > 0 && times > p[1].times)
		p++;
	if (!(p[1].times > 0))
		return (int64_t)(p->seconds * S);
	return (int64_t)(between(&p[0], &p[1], times) * S);
}

void fuse_heat_step(struct fuse_heat *h, enum fuse_type type, int32_t rated_ma, int64_t ma, int64_t dt_us)
{
	int64_t holds = fuse_holds_us(type, rated_ma, ma);
	if (holds == FUSE_NEVER)
		h->millionths = (int64_t)((double)h->millionths * exp(-(double)dt_us / COOLS_US));
	else
		h->millionths += (int64_t)(1e6 * (double)dt_us / (double)holds);
}
