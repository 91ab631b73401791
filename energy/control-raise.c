/* What is free goes to those furthest below their share, in pieces worth a message.
 *
 * Easy to get wrong: a raise may use only what is seen to be free (move_highest), and what a newcomer may take by itself before it can be told
 * anything is not. */
#include <string.h>

#include "base/clock.h"
#include "energy/keep-local.h"

#define PIECE_SLACK_MA 500             /* rounding to steps and set-points */
#define GATHER_US (60 * US_PER_S)      /* the last step to all it asks for may be smaller: one at the whole site in so long */
#define CALM_US (45 * US_PER_S)        /* no raise so soon after a cut */
#define CALM_LONG_US (300 * US_PER_S)  /* nor so soon where no more than this many pieces are free */
#define CALM_PIECES 2
#define RAISE_AGAIN_US (60 * US_PER_S)

/* Who is raised first: who is furthest below its share, who was cut only just now last. */
static int64_t raising_key(const struct control *c, size_t i)
{
	const struct seat *s = &c->seats[i];
	return (int64_t)keep_taken(s) - s->take_ma + cut_turns_round(c, s->limit.cut_us, s->limit.raised_us);
}

/* Its share, or a piece more than it has where that is more. */
static int32_t raise_most(const struct control *c, const struct seat *s, int32_t from)
{
	int32_t more = from > 0 && s->share.ma > from ? from + keep_piece(c, s) : 0;
	return more > s->share.ma ? least(more, s->asked_ma) : s->share.ma;
}

/* Whoever held it down has let go. */
static bool let_go(const struct control *c, const struct seat *s)
{
	return s->limit.recovers || keep_eased(c, s);
}

/* How long a limit rests after a cut before it rises to `free_ma` of room. */
static int64_t calm_us(const struct control *c, const struct seat *s, int32_t from, int32_t free_ma)
{
	bool little = free_ma - from < CALM_PIECES * keep_piece(c, s);
	int64_t calm = c->conf.increase_after_us;
	if (let_go(c, s))
		return 0;
	if (calm < 0)
		calm = little && !keep_prompt(c, s) ? CALM_LONG_US : CALM_US;
	return from || calm > LIMIT_PAUSE_US ? calm : LIMIT_PAUSE_US;
}

/* How long between two raises. */
static int64_t again_us(const struct control *c, const struct seat *s)
{
	return c->conf.increase_after_us >= 0 || keep_prompt(c, s) ? LIMIT_EVERY_US : RAISE_AGAIN_US;
}

/* The most it rises by at once. */
static int32_t step_up(const struct control *c, const struct seat *s, int32_t from)
{
	bool bound = c->conf.increase_step_ma && from && !let_go(c, s);
	return bound ? c->conf.increase_step_ma : ALLOC_MOST_MA;
}

/* What of its share, or a newcomer of its minimum, is worth a message now; 0: nothing. */
static int32_t raise_to(const struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	struct limit *l = &s->limit;
	int32_t from = l->ma > 0 ? l->ma : 0, most = raise_most(c, s, from);
	int32_t free = move_highest(c, s), holds = keep_holds(c, s), step = step_up(c, s, from);
	int32_t to = keep_stepped(s, least(least(most, free > holds ? free : holds), from + step));
	int64_t calm = calm_us(c, s, from, free), again = again_us(c, s);
	l->hold = s->frozen ? LIMIT_FROZEN : LIMIT_ROOM;
	l->until_us = 0;
	if (s->frozen || to <= from)
		return 0;
	if (car_owes(&s->car, c->now_us) && !let_go(c, s)) {
		l->hold = LIMIT_CALM; /* it has not followed yet: a raise would only take back what it is still to hear */
		return 0;
	}
	if (l->cut_us && c->now_us - l->cut_us < calm) {
		l->hold = LIMIT_CALM;
		l->until_us = l->cut_us + calm;
		return 0;
	}
	if (from && l->raised_us && c->now_us - l->raised_us < again) {
		l->hold = LIMIT_STEP;
		l->until_us = l->raised_us + again;
		return 0;
	}
	bool gathered = to - from >= PIECE_LEAST_MA && c->now_us - c->pace.small_us >= GATHER_US;
	bool last = to >= s->asked_ma && (gathered || keep_eased(c, s));
	if (from && to - from < least(keep_piece(c, s), step) - PIECE_SLACK_MA && !last) {
		l->hold = LIMIT_SMALL;
		return 0;
	}
	return to;
}

static void raise(struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	int32_t to = raise_to(c, i);
	int64_t before[3] = { move_held(c, s, 0), move_held(c, s, 1), move_held(c, s, 2) };
	if (!to)
		return;
	if (s->limit.ma > 0 && to - s->limit.ma < keep_piece(c, s))
		c->pace.small_us = c->now_us;
	s->limit.ma = to;
	s->limit.raised_us = c->now_us;
	s->limit.recovers = false;
	s->limit.hold = to >= s->share.ma ? LIMIT_FREE : LIMIT_ROOM;
	control_tell(c, i);
	for (int l = 0; l < 3; l++)
		control_take(c, s->conf->node, l, move_held(c, s, l) - before[l], control_uneven(s));
}

/* What the next newcomer may take by itself before it can be told anything: one at a time, anywhere below a node. The margin is for such. */
static void keep_for_newcomer(struct control *c)
{
	memset(c->wanted, 0, c->site.parts.n_nodes * sizeof(*c->wanted));
	for (size_t i = 0; i < c->site.parts.n_evses && c->starts_alone; i++) {
		const struct seat *s = &c->seats[i];
		if (s->way != SEAT_FREE || !s->conf->fallback_ma)
			continue;
		for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
			for (int p = 0; p < s->conf->n_lines; p++)
				if (s->conf->fallback_ma > c->wanted[n][s->conf->lines[p]])
					c->wanted[n][s->conf->lines[p]] = s->conf->fallback_ma;
	}
	for (size_t n = 0; n < c->site.parts.n_nodes; n++)
		for (int l = 0; l < 3; l++) {
			int64_t more = c->wanted[n][l] - rooms_margin(c, &c->nodes[n], l);
			c->free[n][l] -= more > 0 ? more : 0;
			c->free[n][ALLOC_SUM] -= more > 0 ? more : 0;
		}
}

/* What a car needs to begin is kept for it until it can be told. What it may take already is counted. */
static void keep_minimum(struct control *c, size_t i)
{
	const struct seat *s = &c->seats[i];
	uint8_t lines = control_lines(s);
	for (int l = 0; l < 3; l++) {
		int64_t more = c->asks[i].min_ma - move_held(c, s, l);
		if (lines & (1u << l) && more > 0)
			control_take(c, s->conf->node, l, more, control_uneven(s));
	}
}

void keep_raise(struct control *c)
{
	size_t n = 0;
	move_free(c);
	keep_for_newcomer(c);
	for (size_t k = 0; k < c->site.parts.n_evses; k++) {
		size_t i = (size_t)c->order[k];
		struct seat *s = &c->seats[i];
		if (s->way != SEAT_SERVED || c->send[i])
			continue;
		if (s->limit.ma <= 0 && s->take_ma > 0) {
			raise(c, i);
			if (s->limit.ma <= 0)
				keep_minimum(c, i);
		} else if (s->limit.ma < s->asked_ma) {
			c->queue[n++] = (struct ranked){ raising_key(c, i), (int32_t)i };
		}
		if (s->limit.ma < 0 && (!(c->starts_alone && s->take_ma > 0) || keep_crowded(c, s))) { /* the first word to a car that has to wait */
			s->limit.ma = 0;
			control_tell(c, i);
		}
	}
	rank_sort(c->queue, n);
	for (size_t k = 0; k < n; k++)
		raise(c, (size_t)c->queue[k].index);
}
