/* A span that goes over midnight belongs to the day on which it begins: "fri 22:00 to 06:00" ends on Saturday morning. So two days are looked
 * at, yesterday and today. */
#include "energy/tariff.h"

#include <math.h>

#define MIN_US (60 * INT64_C(1000000))
#define DAY_MIN 1440

/* Monday is 0; the first of January 1970 was a Thursday. */
static int day_of_week(int64_t day)
{
	return (int)(((day + 3) % 7 + 7) % 7);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool tariff_span(unsigned days, int from_min, int to_min, int64_t local_us, int64_t *ends_us_out)
{
	int64_t minute = floor_div(local_us, MIN_US), today = floor_div(minute, DAY_MIN);
	for (int64_t day = today - 1; day <= today; day++) {
		int64_t from = day * DAY_MIN + from_min, to = day * DAY_MIN + to_min + (to_min <= from_min ? DAY_MIN : 0);
		if (!(days & (1u << day_of_week(day))) || minute < from || minute >= to)
			continue;
		if (ends_us_out)
			*ends_us_out = to * MIN_US;
		return true;
	}
	return false;
}

double tariff_of_day(const struct tariff_price *prices, size_t n, int64_t local_us)
{
	int64_t minute = floor_div(local_us, MIN_US), of_day = minute - floor_div(minute, DAY_MIN) * DAY_MIN;
	double price = n ? prices[n - 1].price : NAN;
	for (size_t i = 0; i < n && prices[i].from <= of_day; i++)
		price = prices[i].price;
	return price;
}

double tariff_at(const struct tariff_price *prices, size_t n, int64_t end_us, int64_t wall_us)
{
	double price = NAN;
	for (size_t i = 0; i < n && wall_us < end_us && prices[i].from <= wall_us; i++)
		price = prices[i].price;
	return price;
}
