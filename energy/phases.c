/* One phase where three would have to wait.
 *
 *   three --waits, rests, and one phase would fit--> one
 *   one   --three would fit and give clearly more, for a while--> leaving one --rests--> three
 *
 * The one is the first of the socket's own, or, where the station can choose it (phaseToUse), the one with the most room.
 *
 * A change over is made while nothing flows: who waits is paused already, who gets better is paused first. Each is a wear of contactors and a risk
 * with some cars, so there is a least time between two.
 *
 * Easy to get wrong: a station that accepts one phase and goes on with three. What flows on the others is seen, is counted as soon as it is, and
 * ends changing over here. And what is learnt about a car's phases while it has only one says nothing about the others. */
#include <assert.h>

#include "base/clock.h"
#include "energy/control-local.h"
#include "energy/record-local.h"

#define WAITS_US (30 * US_PER_S)    /* a moment's lack of room is no reason */
#define BETTER_US (120 * US_PER_S)  /* nor is a moment's plenty */
#define SPARE_MA 1000
#define FLOWS_MA 1000

static bool able(const struct seat *s)
{
	return s->conf->switch_after_us > 0 && s->conf->n_lines == 3 && !s->conf->on_off && !s->no_single && s->can_single != SINGLE_NEVER;
}

static bool rests(const struct seat *s)
{
	return s->car.told_ma == 0 && s->car.force_ma == 0;
}

static bool may_again(const struct control *c, const struct seat *s)
{
	return !s->switched_us || c->now_us - s->switched_us >= s->conf->switch_after_us;
}

static void set(struct control *c, struct seat *s, bool single)
{
	s->single = single;
	s->widens = false;
	s->fits_us = 0;
	s->switched_us = c->now_us;
	car_may(&s->car, single ? (uint8_t)(1u << s->alone) : 0);
}

/* What each of these lines could have at every node above, when it gives back what it has. */
static int64_t could_have(const struct control *c, const struct seat *s, uint8_t lines)
{
	uint8_t has = control_lines(s);
	int64_t most = INT64_MAX, take = s->take_ma;
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (unsigned rooms = alloc_rooms(lines); rooms; rooms &= rooms - 1) {
			int r = __builtin_ctz(rooms);
			int64_t own = alloc_rooms(has) & (1u << r) ? take * alloc_times(has, r) : 0;
			int64_t each = c->nodes[n].room[r] == NO_BOUND ? INT64_MAX : (c->nodes[n].left[r] + own) / alloc_times(lines, r);
			most = each < most ? each : most;
		}
	return most;
}

static bool for_long(const struct control *c, struct seat *s, bool so, int64_t long_us)
{
	s->fits_us = !so ? 0 : s->fits_us ? s->fits_us : c->now_us;
	return so && c->now_us - s->fits_us >= long_us;
}

static int64_t alone_on(const struct control *c, const struct seat *s, int own)
{
	return could_have(c, s, (uint8_t)(1u << s->conf->lines[own]));
}

/* The own phase to use alone. */
static int best_phase(const struct control *c, const struct seat *s)
{
	int best = 0;
	for (int p = 1; s->can_single == SINGLE_ANY && p < s->conf->n_lines; p++)
		if (alone_on(c, s, p) > alone_on(c, s, best))
			best = p;
	return best;
}

static bool waits(const struct seat *s)
{
	return s->share.bound == ALLOC_WAITS && s->borne_ma && s->limit.ma <= 0;
}

/* A car that is known to use one phase gains nothing, but by another one. */
static void narrow(struct control *c, struct seat *s)
{
	int own = best_phase(c, s);
	bool gains = s->single ? own != s->alone : __builtin_popcount(car_phases(&s->car)) != 1;
	bool fits = waits(s) && gains && alone_on(c, s, own) >= s->min_ma + SPARE_MA;
	if (!for_long(c, s, fits, WAITS_US) || !may_again(c, s) || !rests(s))
		return;
	s->alone = (uint8_t)own;
	set(c, s, true);
}

static void widen(struct control *c, struct seat *s)
{
	if (s->widens) {
		if (rests(s))
			set(c, s, false);
		return;
	}
	int64_t each = could_have(c, s, 7);
	if (each > control_asks(s))
		each = control_asks(s);
	bool better = each >= s->min_ma + SPARE_MA && 3 * each > (int64_t)s->take_ma + 2 * SPARE_MA;
	s->widens = for_long(c, s, better, BETTER_US) && may_again(c, s);
}

static bool disobeys(const struct control *c, const struct seat *s)
{
	bool flows = false;
	for (int p = 0; p < s->conf->n_lines; p++)
		flows = flows || (p != s->alone && s->car.drawn[p] > FLOWS_MA);
	return flows && car_fresh(&s->car, c->now_us) && s->car.drawn_us > s->switched_us && s->car.told_ma > 0;
}

/* What it was told it can do, it can do. */
static bool keeps_to_it(const struct control *c, const struct seat *s)
{
	return able(s) && (!s->alone || s->can_single == SINGLE_ANY) && !disobeys(c, s);
}

/* Before anything is shared out: who charges on all of them is counted on all of them. */
void control_phases_seen(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat *s = &c->seats[i];
		if (!s->single || keeps_to_it(c, s))
			continue;
		s->no_single = s->no_single || disobeys(c, s);
		set(c, s, false);
	}
}

void control_phases(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat *s = &c->seats[i];
		if (!able(s) || s->way != SEAT_SERVED)
			continue;
		if (s->single && !(waits(s) && best_phase(c, s) != s->alone))
			widen(c, s);
		else
			narrow(c, s);
	}
}

void control_evse_single(struct control *c, int evse, enum single can)
{
	assert(evse >= 0 && evse < (int)c->site.parts.n_evses);
	struct seat *s = &c->seats[evse];
	record_single(c, evse, can);
	if (can != s->can_single)
		s->no_single = false; /* that was another board, or another firmware */
	s->can_single = can;
}

void phases_begin(struct seat *s)
{
	s->single = s->widens = false;
	s->fits_us = 0;
	car_may(&s->car, 0);
}
