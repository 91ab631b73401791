/* Times of the week and prices. Pure; local times are microseconds of the local clock, written as if it were UTC (base/zone.h). */
#ifndef AMPGATE_ENERGY_TARIFF_H
#define AMPGATE_ENERGY_TARIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a span that begins on one of `days` (bit 0: Monday) at from_min of the day and ends at to_min (at or before from_min: on the next
 * day) holds at this moment. ends_us_out: the local moment at which it does, when it holds; may be NULL. */
bool tariff_span(unsigned days, int from_min, int to_min, int64_t local_us, int64_t *ends_us_out);

struct tariff_price {
	int64_t from;   /* minute of the day, or a moment in microseconds */
	double price;
};
/* The price of every day's table, sorted, that holds at this moment; the last one holds over midnight. NaN: there is no table. */
double tariff_of_day(const struct tariff_price *prices, size_t n, int64_t local_us);
/* The price of a table of moments (wall time, sorted) that ends at end_us. NaN: before the first, or after the end. */
double tariff_at(const struct tariff_price *prices, size_t n, int64_t end_us, int64_t wall_us);

#endif
