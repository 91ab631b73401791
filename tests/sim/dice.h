/* Random numbers that are the same on every machine, for simulated sites. */
#ifndef AMPGATE_TESTS_SIM_DICE_H
#define AMPGATE_TESTS_SIM_DICE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint32_t dice_bits(struct dice *d)
{
	d->state += 0x9e3779b97f4a7c15u;
	uint64_t z = d->state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
	return n ? dice_bits(d) % n : 0;
}

static inline double dice_between(struct dice *d, double low, double high)
{
	return low + (high - low) * (dice_bits(d) / 4294967296.0);
}

static inline bool dice_chance(struct dice *d, double p)
{
	return dice_between(d, 0, 1) < p;
}

/* Roughly normal: the sum of twelve. */
static inline double dice_normal(struct dice *d)
{
	double sum = -6;
	for (int i = 0; i < 12; i++)
		sum += dice_between(d, 0, 1);
	return sum;
}

/* With the given mean; memoryless. */
static inline double dice_wait(struct dice *d, double mean)
{
	return -mean * log(1 - dice_between(d, 0, 0.999999));
}

#endif
