/* One phase where three would have to wait.
 *
 *   three --waits, rests, and one phase would fit--> one
 *   one   --three would fit and give clearly more, for a while--> leaving one --rests--> three
 *
 * The one is the first of the socket's own, or, where the station can choose it (phaseToUse), the one with the most room.
 *
 * A change over is made while nothing flows: who waits is paused already, who gets better is paused first. Each is a wear of contactors and a risk
 * with some cars, so there is a least time between two. Until a station has shown that it uses one alone, or has had the time to, it is offered no
 * more than the minimum.
 *
 * Easy to get wrong: a station that accepts one phase and goes on with three. What flows on the others is seen, is counted as soon as it is, and
 * ends changing over there for an hour, and for twice as long each time: it may only have been slow, and its car would else wait for three for
 * ever. And what is learnt about a car's phases while it has only one says nothing about the others. */
#include <assert.h>

#include "base/clock.h"
#include "energy/control-local.h"
#include "energy/record-local.h"

#define WAITS_US (30 * US_PER_S)    /* a moment's lack of room is no reason */
#define BETTER_US (120 * US_PER_S)  /* nor is a moment's plenty */
#define SPARE_MA 1000
#define FLOWS_MA 1000
#define AGAIN_US (3600 * US_PER_S)
#define DOUBLINGS 5

static bool able(const struct seat *s)
{
	return s->conf->switch_after_us > 0 && s->conf->n_lines == 3 && !s->conf->on_off && s->can_single != SINGLE_NEVER;
}

static bool refuses(const struct control *c, const struct seat *s)
{
	int doublings = s->refusals > DOUBLINGS ? DOUBLINGS : s->refusals - 1;
	return s->refusals && c->now_us - s->refused_us < AGAIN_US << doublings;
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
	s->widens = s->unshown = s->stays = false;
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

/* c->free as those meet it who begin: whoever is served gives what is above its minimum. */
static void free_of_minimums(struct control *c)
{
	control_free(c);
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		for (int l = 0; l < 3; l++) {
			int32_t ma = s->fixed[l] + (s->take_ma > 0 && c->asks[i].lines & (1u << l) ? c->asks[i].min_ma : 0);
			if (ma)
				control_take(c, s->conf->node, l, ma, control_uneven(s));
		}
	}
}

/* What each of these lines could begin with, when it gives back its own minimum. */
static int64_t could_begin(const struct control *c, size_t i, uint8_t lines)
{
	const struct seat *s = &c->seats[i];
	const struct alloc_evse *has = &c->asks[i];
	int64_t most = INT64_MAX, patience_pm = s->take_ma > 0 ? 1000 : has->patience_pm;
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (unsigned rooms = alloc_rooms(lines); rooms; rooms &= rooms - 1) {
			int r = __builtin_ctz(rooms);
			if (c->nodes[n].room[r] == NO_BOUND)
				continue;
			int64_t own = s->take_ma > 0 && alloc_rooms(has->lines) & (1u << r) ? (int64_t)has->min_ma * alloc_times(has->lines, r) : 0;
			int64_t spare = (r == ALLOC_SUM ? c->rooms[n].spare_sum_ma : r < ALLOC_SUM ? c->rooms[n].spare_ma : 0) * patience_pm / 1000;
			int64_t kept = r == ALLOC_SUM && c->rooms[n].passing_ma > spare ? c->rooms[n].passing_ma : spare;
			int64_t each = (c->free[n][r] + own - kept) / alloc_times(lines, r);
			most = each < most ? each : most;
		}
	return most;
}

static bool for_long(const struct control *c, struct seat *s, bool so, int64_t long_us)
{
	s->fits_us = !so ? 0 : s->fits_us ? s->fits_us : c->now_us;
	return so && c->now_us - s->fits_us >= long_us;
}

static int64_t alone_on(const struct control *c, size_t i, int own)
{
	return could_begin(c, i, (uint8_t)(1u << c->seats[i].conf->lines[own]));
}

/* The own phase to use alone. */
static int best_phase(const struct control *c, size_t i)
{
	const struct seat *s = &c->seats[i];
	int best = 0;
	for (int p = 1; s->can_single == SINGLE_ANY && p < s->conf->n_lines; p++)
		if (alone_on(c, i, p) > alone_on(c, i, best))
			best = p;
	return best;
}

static bool waits(const struct seat *s)
{
	return s->share.bound == ALLOC_WAITS && s->borne_ma && s->limit.ma <= 0;
}

/* A car that is known to use one phase gains nothing, but by another one. */
static void narrow(struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	int own = best_phase(c, i);
	bool gains = s->single ? own != s->alone : __builtin_popcount(car_phases(&s->car)) != 1;
	bool fits = waits(s) && gains && !refuses(c, s) && alone_on(c, i, own) >= s->min_ma + SPARE_MA;
	if (!for_long(c, s, fits, WAITS_US) || !may_again(c, s) || !rests(s))
		return;
	s->alone = (uint8_t)own;
	set(c, s, true);
	control_take(c, s->conf->node, s->conf->lines[own], s->min_ma, true);
}

/* Clearly more than it has, or than it needs to begin where others have to give it. */
static void widen(struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	if (s->stays)
		return;
	if (s->widens) {
		if (rests(s))
			set(c, s, false);
		return;
	}
	int64_t each = could_have(c, s, 7);
	if (each < s->min_ma + SPARE_MA && could_begin(c, i, 7) >= s->min_ma + SPARE_MA)
		each = s->min_ma + SPARE_MA;
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
		s->unshown = s->single && !s->car.keeps && c->now_us - s->switched_us < PHASES_SHOW_US;
		if (!s->single || keeps_to_it(c, s))
			continue;
		if (disobeys(c, s)) {
			s->refusals++;
			s->refused_us = c->now_us;
		}
		set(c, s, false);
	}
}

/* After all of them were permitted again it has shown for long that it goes on with one: its car has no more, or its station has not changed over
 * and may yet do so with the next word. It is told that one, since it makes no difference now and leaves no doubt later. */
static void stay(struct control *c, struct seat *s)
{
	uint8_t used = s->car.used;
	if (s->single || !s->car.was_alone || __builtin_popcount(used) != 1 || (used != 1 && s->can_single != SINGLE_ANY))
		return;
	s->alone = (uint8_t)__builtin_ctz(used);
	set(c, s, true);
	s->car.keeps = s->stays = true;
}

void control_phases(struct control *c)
{
	bool counted = false;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat *s = &c->seats[i];
		if (!able(s) || s->way != SEAT_SERVED)
			continue;
		stay(c, s);
		if (!counted)
			free_of_minimums(c);
		counted = true;
		if (s->single && !(waits(s) && best_phase(c, i) != s->alone))
			widen(c, i);
		else
			narrow(c, i);
	}
}

void control_evse_single(struct control *c, int evse, enum single can)
{
	assert(evse >= 0 && evse < (int)c->site.parts.n_evses);
	struct seat *s = &c->seats[evse];
	record_single(c, evse, can);
	if (can != s->can_single)
		s->refusals = 0; /* that was another board, or another firmware */
	s->can_single = can;
}

void phases_begin(struct seat *s)
{
	s->single = s->unshown = s->widens = s->stays = false;
	s->fits_us = 0;
	car_may(&s->car, 0);
}
