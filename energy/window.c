/* The budget of a window is limit times length. What is saved may be drawn later in it, and the bill is the same: a site that drew little at
 * first may draw more than its limit afterwards.
 *
 * Most of what is saved is small: a site that is full all day keeps a per cent or two below its limit. That is not given out as a larger
 * power, which would begin late in the window, ask every car for a jump, let somebody begin and send him away when the window turns. It is
 * kept for what comes by itself, a kettle or a lift that is over in a minute, for which nobody has to be lowered then (window_bears). Only
 * what is saved beyond that is spread over the time that is left.
 *
 * Easy to get wrong: the end of a window, where a small rest over few seconds is a large power. What is given out is spread over some minutes
 * at least; a debt is paid within the window. And nobody may be told a new power each second: the answer falls when it has become a hundredth
 * less and rises when it is a twentieth more; what that costs is in the next answer.
 *
 * Where the clock is not trusted nobody knows when a window begins; then the limit holds at every moment, which is right for any window. The
 * same goes for the part of a window before this program began to look. */
#include "energy/window.h"

#define SPREAD_US (180 * INT64_C(1000000))
#define BEARS_US (120 * INT64_C(1000000)) /* for so long, what is saved could be drawn on top without a word */
#define LOAN_PARTS 60                      /* and this part of what is still to come, since it can be paid back */
#define KEPT_PARTS 120                     /* this part of the budget is not given out */
#define HASTE_US (5 * INT64_C(1000000))
#define GAP_US (30 * INT64_C(1000000)) /* a longer silence of the meter is not bridged with its last value */

void window_init(struct window *w, int64_t limit_w, int64_t length_us)
{
	*w = (struct window){ .limit_w = limit_w, .length_us = length_us, .number = -1, .held_w = limit_w };
}

static int64_t since_start(const struct window *w, int64_t now_us, const struct wall *wall)
{
	return (now_us + wall->offset_us) % w->length_us;
}

static int64_t number_at(const struct window *w, int64_t now_us, const struct wall *wall)
{
	return (now_us + wall->offset_us) / w->length_us;
}

/* A window in which something is not known: as if it had been drawn at the limit. */
static void enter(struct window *w, int64_t number, int64_t known_us, int64_t elapsed_us)
{
	w->number = number;
	w->used = (elapsed_us - known_us) * w->limit_w;
}

void window_feed(struct window *w, int64_t watts, int64_t now_us, const struct wall *wall)
{
	int64_t gone = w->fed_us ? now_us - w->fed_us : 0, rate = gone > GAP_US ? (w->limit_w > w->last_w ? w->limit_w : w->last_w) : w->last_w;
	bool first = !w->fed_us;
	w->fed_us = now_us;
	w->last_w = watts;
	if (!w->length_us || !wall->trusted) {
		w->number = -1;
		return;
	}
	int64_t number = number_at(w, now_us, wall), elapsed = since_start(w, now_us, wall);
	if (number == w->number) {
		w->used += gone * rate;
		return;
	}
	bool next = !first && number == w->number + 1;
	int64_t known = next ? (gone < elapsed ? gone : elapsed) : 0;
	enter(w, number, known, elapsed);
	w->used += known * rate;
}

static int64_t used_until(const struct window *w, int64_t now_us)
{
	return w->used + (now_us - w->fed_us) * (w->last_w > w->limit_w ? w->last_w : w->limit_w);
}

/* Whether it is known what was drawn in this window. */
static bool counts(const struct window *w, int64_t now_us, const struct wall *wall, bool lost)
{
	return w->length_us && wall->trusted && !lost && w->number == number_at(w, now_us, wall);
}

/* What is left over, in watts times microseconds, if the limit is drawn from now on; negative: a debt. */
static int64_t saved(const struct window *w, int64_t now_us, const struct wall *wall)
{
	return w->limit_w * since_start(w, now_us, wall) - used_until(w, now_us);
}

static int64_t exact(const struct window *w, int64_t now_us, const struct wall *wall, bool lost)
{
	if (!counts(w, now_us, wall, lost))
		return w->limit_w;
	int64_t more = saved(w, now_us, wall), kept = w->limit_w * (w->length_us / KEPT_PARTS);
	int64_t left_us = w->length_us - since_start(w, now_us, wall), least_us = more > 0 ? SPREAD_US : HASTE_US;
	if (more > 0)
		more = more > kept ? more - kept : 0;
	int64_t allowed = w->limit_w + more / (left_us > least_us ? left_us : least_us);
	return allowed > 0 ? allowed : 0;
}

int64_t window_allowed(struct window *w, int64_t now_us, const struct wall *wall, bool lost)
{
	int64_t now = exact(w, now_us, wall, lost);
	if (now < w->held_w - w->held_w / 100 || now >= w->held_w + w->held_w / 20 || now == w->limit_w)
		w->held_w = now;
	return w->held_w;
}

int64_t window_bears(const struct window *w, int64_t now_us, const struct wall *wall, bool lost)
{
	if (!counts(w, now_us, wall, lost))
		return 0;
	int64_t left_us = w->length_us - since_start(w, now_us, wall), more = saved(w, now_us, wall) + w->limit_w * (left_us / LOAN_PARTS);
	return more > 0 ? more / BEARS_US : 0;
}

int64_t window_mean(const struct window *w, int64_t now_us, const struct wall *wall)
{
	if (!w->length_us || !wall->trusted || w->number < 0 || w->number != number_at(w, now_us, wall))
		return -1;
	int64_t elapsed = since_start(w, now_us, wall);
	return elapsed > 0 ? (w->used + (now_us - w->fed_us) * w->last_w) / elapsed : w->last_w;
}
