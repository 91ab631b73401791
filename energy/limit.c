/* Down at once, up with patience. The first offer to a car and the way back from a lost meter skip the steps: nothing was cut there that
 * could come back. A raise never uses room that a reduction elsewhere has not given back yet. */
#include "energy/limit.h"

#include <string.h>

#include "base/clock.h"

#define SMALL_MA 500
#define GATHER_MA 2000                 /* smaller raises are gathered, one in a while */
#define GATHER_US (60 * US_PER_S)
#define RETRY_US (10 * US_PER_S)

void limit_init(struct limit *l)
{
	memset(l, 0, sizeof(*l));
	l->ma = -1;
}

static bool hold(struct limit *l, enum limit_hold why, int64_t until_us)
{
	l->hold = why;
	l->until_us = until_us;
	return false;
}

static bool lower(struct limit *l, const struct limit_ask *ask, int64_t now_us)
{
	if (ask->lost)
		l->recovers = true;
	else if (ask->scarce)
		l->cut_us = now_us;
	l->ma = ask->target_ma;
	hold(l, LIMIT_FREE, 0);
	return true;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* What may be offered of the target now; `from` 0: the car stands still. */
static int32_t raised(const struct limit_rules *r, const struct limit *l, const struct limit_ask *ask, int32_t from)
{
	int32_t to = ask->target_ma < ask->room_ma ? ask->target_ma : ask->room_ma;
	if (ask->on_off || from <= 0)
		return ask->on_off && to < ask->target_ma ? from : to;
	if (r->increase_step_ma > 0 && !l->recovers && to > from + r->increase_step_ma)
		to = from + r->increase_step_ma;
	return to;
}

static bool raise(const struct limit_rules *r, struct limit *l, const struct limit_ask *ask, int64_t now_us)
{
	int32_t from = l->ma > 0 ? l->ma : 0, to = raised(r, l, ask, from);
	int64_t calm = r->increase_after_us;
	if (!from && calm < LIMIT_PAUSE_US)
		calm = LIMIT_PAUSE_US;
	if (ask->frozen)
		return hold(l, LIMIT_FROZEN, 0);
	if (l->cut_us && now_us - l->cut_us < calm)
		return hold(l, LIMIT_CALM, l->cut_us + calm);
	if (from && l->raised_us && now_us - l->raised_us < LIMIT_EVERY_US)
		return hold(l, LIMIT_STEP, l->raised_us + LIMIT_EVERY_US);
	if (ask->step_ma > 1)
		to = to / ask->step_ma * ask->step_ma;
	if (to <= from || to < ask->min_ma)
		return hold(l, LIMIT_ROOM, 0);
	if (from && to - from < SMALL_MA)
		return hold(l, ask->target_ma - from < SMALL_MA ? LIMIT_SMALL : LIMIT_ROOM, 0);
	if (from && to - from < GATHER_MA && now_us - later(l->raised_us, l->cut_us) < GATHER_US && !l->recovers)
		return hold(l, LIMIT_SMALL, later(l->raised_us, l->cut_us) + GATHER_US);
	hold(l, to == ask->target_ma ? LIMIT_FREE : to < ask->room_ma ? LIMIT_STEP : LIMIT_ROOM, 0);
	if (l->hold == LIMIT_FREE)
		l->recovers = false;
	l->ma = to;
	l->raised_us = now_us;
	return true;
}

bool limit_step(const struct limit_rules *r, struct limit *l, const struct limit_ask *ask, int64_t now_us)
{
	bool first = l->ma < 0;
	if (ask->target_ma < l->ma)
		return lower(l, ask, now_us);
	if (ask->target_ma == l->ma) {
		l->recovers = l->recovers && ask->lost;
		return hold(l, LIMIT_FREE, 0);
	}
	if (ask->target_ma > 0 && raise(r, l, ask, now_us))
		return true;
	if (first) {
		l->ma = 0;
		if (!ask->target_ma)
			hold(l, LIMIT_FREE, 0);
	}
	return first;
}

bool limit_due(const struct limit_rules *r, const struct limit *l, bool retry, int64_t now_us)
{
	if (retry && now_us - l->sent_us >= RETRY_US)
		return true;
	return r->resend_us > 0 && now_us - l->sent_us >= r->resend_us;
}
