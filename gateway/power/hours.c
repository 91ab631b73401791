/* The local clock decides, so an hour that is shown twice counts twice and one that is left out does not come. */
#include "gateway/power/hours.h"

#include <stdio.h>

#include "base/clock.h"

#define DAY_US (INT64_C(86400) * US_PER_S)
#define MINUTE_US (60 * US_PER_S)

bool hours_read(const char *text, int *from_out, int *to_out)
{
	int h1, m1, h2, m2, end = 0;
	if (sscanf(text, "%2d:%2d-%2d:%2d%n", &h1, &m1, &h2, &m2, &end) != 4 || text[end])
		return false;
	if (h1 < 0 || h1 > 24 || h2 < 0 || h2 > 24 || m1 < 0 || m1 > 59 || m2 < 0 || m2 > 59 || h1 * 60 + m1 > 1440 || h2 * 60 + m2 > 1440)
		return false;
	*from_out = h1 * 60 + m1;
	*to_out = h2 * 60 + m2;
	return true;
}

bool hours_include(const char *const *hours, int64_t local_us)
{
	int now = (int)((local_us % DAY_US + DAY_US) % DAY_US / MINUTE_US), from, to;
	for (; *hours; hours++) {
		if (!hours_read(*hours, &from, &to))
			continue;
		if (from < to ? now >= from && now < to : now >= from || now < to)
			return true;
	}
	return false;
}
