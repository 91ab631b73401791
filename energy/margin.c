/* A balance between two rates: what is above a limit widens the margin by one per cent of it for so many ampere seconds, and calm gives one per
 * cent back in so many hours. Where both rates meet, the overload of a day is what the numbers say, whatever the building does: some 500 A s a
 * day and line at a connection of 250 A, in proportion at larger ones. That is far from what a fuse notices; it is the measure by which the
 * margin is earned.
 *
 * At smaller ones it falls with the square root only: a load that is switched on there is a large part of the limit, and a margin of some per
 * cent, which is all there can be, keeps little of it away but takes much from the cars. */
#include "energy/margin.h"

#include <math.h>

#define PERCENT 10000
#define START_PPM (80 * 100)
#define LEAST_PPM (25 * 100)
#define MOST_PPM (600 * 100)
#define AS_PER_PERCENT 50       /* at REFERENCE_MA */
#define REFERENCE_MA 250000.0
#define HOURS_PER_PERCENT 2.4
#define SAMPLE_MOST_US (10 * INT64_C(1000000))

void margin_init(struct margin *m)
{
	*m = (struct margin){ { START_PPM, START_PPM, START_PPM }, 0 };
}

/* Ampere seconds above the limit for a per cent of it. */
static double price(int32_t limit_ma)
{
	double part = limit_ma / REFERENCE_MA;
	return AS_PER_PERCENT * (part < 1 ? sqrt(part) : part);
}

void margin_feed(struct margin *m, const int32_t over_ma[3], const int32_t limit_ma[3], int64_t now_us)
{
	int64_t dt = m->at_us ? now_us - m->at_us : 0;
	m->at_us = now_us;
	if (dt <= 0)
		return;
	dt = dt > SAMPLE_MOST_US ? SAMPLE_MOST_US : dt;
	for (int l = 0; l < 3; l++) {
		double s = (double)dt / 1e6, ppm = m->ppm[l];
		if (over_ma[l] > 0 && limit_ma[l] > 0)
			ppm += PERCENT * (over_ma[l] / 1000.0 * s) / price(limit_ma[l]);
		else
			ppm -= PERCENT * s / (HOURS_PER_PERCENT * 3600);
		m->ppm[l] = ppm < LEAST_PPM ? LEAST_PPM : ppm > MOST_PPM ? MOST_PPM : (int32_t)ppm;
	}
}

int32_t margin_ma(const struct margin *m, int line, int32_t limit_ma)
{
	return (int32_t)((int64_t)limit_ma * m->ppm[line] / 1000000);
}
