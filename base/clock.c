/* The real clocks, or a frozen pair for tests. */
#include "base/clock.h"

#include <sys/timex.h>
#include <time.h>

/* More than this between us and the CSMS and our clock is not one to serve. */
#define TRUSTED_DIFFERENCE_US (60 * US_PER_S)

static struct {
	bool frozen, told, told_close;
	int64_t mono_us, wall_us;
} fixed;

static int64_t read_us(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return fixed.frozen ? fixed.mono_us : read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
	return fixed.frozen ? fixed.wall_us : read_us(CLOCK_REALTIME);
}

bool clock_trusted(void)
{
	struct timex t = { 0 };
	if (fixed.frozen || (fixed.told && fixed.told_close))
		return true;
	int kernel = adjtimex(&t); /* negative where a sandbox forbids the question: then nobody says so */
	return kernel >= 0 && kernel != TIME_ERROR;
}

void clock_told(int64_t wall_us)
{
	int64_t difference = clock_wall_us() - wall_us;
	fixed.told = true;
	fixed.told_close = difference < TRUSTED_DIFFERENCE_US && difference > -TRUSTED_DIFFERENCE_US;
}

void clock_freeze(int64_t mono_us, int64_t wall_us)
{
	fixed.frozen = true;
	fixed.mono_us = mono_us;
	fixed.wall_us = wall_us;
}

void clock_advance(int64_t us)
{
	fixed.mono_us += us;
	fixed.wall_us += us;
}
