/* Power at the nominal voltage of the site. */
#include "gateway/power/below.h"

bool below_is(const struct circuit_settings *c, const struct circuit_settings *top)
{
	while (c && c != top)
		c = c->parent;
	return c;
}

static void add_evse(const struct settings *s, struct below *b, uint8_t phases, int n, int32_t min_ma, int32_t max_ma, int32_t fallback_ma)
{
	int64_t volts = s->site.voltage_v, lines = __builtin_popcount(phases);
	int64_t least_w = min_ma * lines * volts / 1000;
	b->evses += n;
	b->max_w += n * max_ma * lines * volts / 1000;
	b->fallback_w += n * fallback_ma * lines * volts / 1000;
	b->least_w = !b->least_w || least_w < b->least_w ? least_w : b->least_w;
	b->largest_ma = max_ma > b->largest_ma ? max_ma : b->largest_ma;
	if (lines < 3 && min_ma > b->single_min_ma)
		b->single_min_ma = min_ma;
}

struct below below_look(const struct settings *s, const struct circuit_settings *top)
{
	struct below b = { 0 };
	for (size_t i = 0; i < s->n_stations; i++) {
		const struct station_settings *st = &s->stations[i];
		if (st->circuit && below_is(st->circuit, top))
			add_evse(s, &b, st->phases, st->evses, st->min_current_ma, st->max_current_ma, st->fallback_current_ma);
	}
	for (size_t i = 0; i < s->n_evses; i++)
		if (below_is(s->evses[i].circuit, top))
			add_evse(s, &b, s->evses[i].phases, 1, s->evses[i].current_ma, s->evses[i].current_ma, 0);
	return b;
}

static bool takes_more(const struct settings *s, uint8_t phases, int32_t max_ma, int64_t watts)
{
	return (int64_t)max_ma * __builtin_popcount(phases) * s->site.voltage_v / 1000 > watts;
}

int below_above(const struct settings *s, const struct circuit_settings *top, int64_t watts)
{
	int n = 0;
	for (size_t i = 0; i < s->n_stations; i++) {
		const struct station_settings *st = &s->stations[i];
		if (st->circuit && below_is(st->circuit, top) && takes_more(s, st->phases, st->max_current_ma, watts))
			n += st->evses;
	}
	for (size_t i = 0; i < s->n_evses; i++)
		n += below_is(s->evses[i].circuit, top) && takes_more(s, s->evses[i].phases, s->evses[i].current_ma, watts);
	return n;
}
