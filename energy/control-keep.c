/* Limits that are kept while they fit.
 *
 *   cut        a room that is too small for what its EVSEs take is emptied by as few of them as possible, first by those who have most above
 *              their share; then by those who can wait longest, down to their minimum; then by pausing. What is still too much after that
 *              belongs to the building and to those who do not listen: then nobody there is offered anything
 *   raise      what is free goes to those furthest below their share, in large pieces: each may end a piece above it. Nobody who has his share
 *              is raised: what is free is somebody else's share on its way, and would be taken back within minutes
 *   even out   now and then, and when somebody comes or leaves, who has two pieces more than his share gives to somebody who has clearly less.
 *              Nobody is lowered here for whom nobody is raised: a site that breathes without being asked wears contactors and delivers less
 *
 * The first is control-cut.c, the second control-raise.c; here is what both go by, and the third.
 *
 * Whose limit went up last is lowered last, and whose went down last is raised last, so that limits go the same way for a while. A share that
 * moves a little every minute would otherwise move every limit every minute. Who waits gets its minimum without that patience. */
#include <string.h>

#include "base/clock.h"
#include "energy/keep-local.h"

#define PIECE_MA 4000                  /* least change worth a message, or an eighth of what an EVSE can give, or this part of a fuse above */
#define PIECES 32
#define PIECE_SMALL_MA 2000
#define EVENING_US (60 * US_PER_S)     /* after somebody came or left, where shares are what was promised */
#define TRIM_MA 5000                   /* an offer so far above what the car can use is taken back: it might use it at a bad moment */

/* Shares by need are guesses, and wait for the next round. Where they are what somebody was promised, whoever comes or leaves moves the others
 * at once. */
bool keep_evening(const struct control *c)
{
	return !c->policy->by_need && c->pace.changed_us && c->now_us - c->pace.changed_us < EVENING_US;
}

bool keep_eased(const struct control *c, const struct seat *s)
{
	return s->eased_us && c->now_us - s->eased_us < EVENING_US;
}

bool keep_prompt(const struct control *c, const struct seat *s)
{
	return keep_evening(c) || keep_eased(c, s);
}

int32_t keep_piece(const struct control *c, const struct seat *s)
{
	if (keep_prompt(c, s))
		return PIECE_LEAST_MA;
	int32_t own = s->conf->max_ma / 8 > PIECE_MA ? s->conf->max_ma / 8 : PIECE_MA, fuse = ALLOC_MOST_MA;
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (int l = 0; l < 3; l++)
			fuse = least(fuse, c->nodes[n].conf->limit.l[l]);
	return least(own, fuse / PIECES > PIECE_SMALL_MA ? fuse / PIECES : PIECE_SMALL_MA);
}

/* By how much a room may be too small before somebody is cut: most of the margin, so that noise does not cut; of a window of power what was
 * saved in it. */
int64_t keep_near(const struct control *c, int n, int r)
{
	return r < ALLOC_SUM ? rooms_margin(c, &c->nodes[n], r) * 3 / 4 : r == ALLOC_SUM ? c->nodes[n].bears : 0;
}

int32_t keep_taken(const struct seat *s)
{
	return s->way == SEAT_SERVED && s->limit.ma > 0 ? car_takes(&s->car, s->limit.ma) : 0;
}

/* By how much a seat takes more on its lines, or less. */
static void count(struct control *c, const struct seat *s, int64_t ma)
{
	uint8_t lines = control_lines(s);
	for (int l = 0; l < 3; l++)
		if (lines & (1u << l))
			control_take(c, s->conf->node, l, ma, control_uneven(s));
}

/* Somewhere above it more is planned than there is, after all cuts: then nobody new begins. */
bool keep_crowded(const struct control *c, const struct seat *s)
{
	unsigned rooms = alloc_rooms(control_lines(s));
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		if (rooms & c->nodes[n].crowded)
			return true;
	return false;
}

/* What a newcomer takes before its first word is counted already: to be told the same costs nothing. */
int32_t keep_holds(const struct control *c, const struct seat *s)
{
	int64_t ma = INT32_MAX;
	if (keep_crowded(c, s))
		return 0;
	for (int p = 0; p < s->conf->n_lines && s->limit.ma < 0; p++)
		if (car_phases(&s->car) & (1u << p))
			ma = car_held(&s->car, p, c->now_us) < ma ? car_held(&s->car, p, c->now_us) : ma;
	return ma == INT32_MAX ? 0 : (int32_t)ma;
}

/* c->free after all orders have arrived. */
void keep_settled(struct control *c)
{
	control_free(c);
	for (size_t n = 0; n < c->site.parts.n_nodes; n++)
		c->nodes[n].crowded = 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (s->way == SEAT_SERVED) {
			count(c, s, s->limit.ma < 0 ? least(keep_holds(c, s), s->take_ma) : keep_taken(s)); /* a newcomer is told to go on so */
			continue;
		}
		for (int l = 0; l < 3; l++)
			if (s->fixed[l])
				control_take(c, s->conf->node, l, s->fixed[l], control_uneven(s));
	}
}

int32_t keep_stepped(const struct seat *s, int32_t ma)
{
	int32_t step = control_step(s);
	ma = ma / step * step;
	return ma < s->min_ma ? 0 : ma;
}

/* What is lowered because somebody says so, or because nobody can see, comes back as soon as that ends. */
static bool by_order(const struct control *c, const struct seat *s)
{
	bool order = s->cap || s->lost;
	for (int n = s->conf->node; n >= 0 && !order; n = c->nodes[n].conf->parent) {
		order = c->nodes[n].guard == METER_LOST;
		for (int r = 0; r < ALLOC_ROOMS; r++)
			order = order || c->nodes[n].cap[r];
	}
	return order;
}

/* `node`, `room`: that has too little; -1: none. Of several in one tick the first is told: the others take what is left to take. */
void keep_lower(struct control *c, size_t i, int32_t to_ma, int node, int room)
{
	struct seat *s = &c->seats[i];
	int32_t before = keep_taken(s);
	if (!c->send[i] || s->tight_node < 0)
		move_tight(s, node, room);
	s->limit.hold = LIMIT_ROOM;
	s->limit.until_us = 0;
	s->limit.recovers = by_order(c, s);
	if (to_ma <= 0 && s->limit.ma > 0) {
		s->pauses++;
		s->woken_us = 0;
	}
	s->limit.ma = to_ma;
	s->limit.cut_us = c->now_us;
	count(c, s, keep_taken(s) - before);
	control_tell(c, i);
}

/* Its own caps: they are obeyed whatever the rest does. */
static void obey_own_caps(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat *s = &c->seats[i];
		c->send[i] = false;
		if (!control_can_tell(s) || s->limit.ma < 0)
			continue;
		int32_t most = control_asks(s), hard = s->cap || s->profile.ma != MA_NONE || s->lost || s->widens ? most : s->conf->max_ma;
		bool trim = s->way == SEAT_SERVED && s->limit.ma > s->car.want_ma + TRIM_MA;
		hard = least(hard, s->borne_ma);
		if (s->limit.ma > hard)
			keep_lower(c, i, keep_stepped(s, hard), -1, 0);
		else if (trim)
			keep_lower(c, i, keep_stepped(s, s->car.want_ma), -1, 0);
	}
}

/* Who should have clearly more, and how much of it is not free on its way up: c->wanted. Those who wait count always, others when it is
 * time to even out. */
static bool note_wanted(struct control *c, bool everybody)
{
	bool any = false;
	memset(c->wanted, 0, c->site.parts.n_nodes * sizeof(*c->wanted));
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat *s = &c->seats[i];
		int32_t has = keep_taken(s), more = s->take_ma - has;
		bool waits = has <= 0 && s->take_ma > 0;
		if (s->way != SEAT_SERVED || c->send[i])
			continue;
		if (waits && !everybody)
			more = c->asks[i].min_ma;
		if (!waits && (!everybody || more < keep_piece(c, s) || more < s->take_ma / (keep_evening(c) ? 20 : 5)))
			continue;
		uint8_t lines = control_lines(s);
		for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
			for (unsigned left = alloc_rooms(lines); left; left &= left - 1) {
				int r = __builtin_ctz(left);
				if (c->nodes[n].room[r] == NO_BOUND)
					continue;
				c->wanted[n][r] += (int64_t)more * alloc_times(lines, r);
				any = true;
			}
	}
	return any;
}

static int64_t short_of(const struct control *c, int n, int r)
{
	int64_t gap = c->nodes[n].room[r] == NO_BOUND || !c->wanted[n][r] ? 0 : c->wanted[n][r] - c->free[n][r];
	return gap > 0 ? gap : 0;
}

/* What a seat's giving back would help, at most, and where. */
static int64_t would_help(const struct control *c, const struct seat *s, int *node_out, int *room_out)
{
	int64_t most = 0;
	uint8_t lines = control_lines(s);
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (unsigned left = alloc_rooms(lines); left; left &= left - 1) {
			int r = __builtin_ctz(left);
			int64_t gap = short_of(c, n, r) / alloc_times(lines, r);
			if (gap <= most)
				continue;
			most = gap;
			*node_out = n;
			*room_out = r;
		}
	return most;
}

static unsigned short_lines(const struct control *c, const struct seat *s)
{
	unsigned lines = 0;
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (int l = 0; l < 3; l++)
			lines |= short_of(c, n, l) > 0 ? 1u << l : 0;
	return lines;
}

/* To a newcomer everybody gives, down to the minimum; else only what is above the share. */
static int64_t could_give(const struct control *c, size_t i, bool everybody)
{
	const struct seat *s = &c->seats[i];
	int32_t low = s->take_ma > 0 ? c->asks[i].min_ma : 0;
	return keep_taken(s) - (everybody ? s->take_ma : low);
}

static void even_out(struct control *c, bool everybody)
{
	size_t n = 0;
	if (!note_wanted(c, everybody))
		return;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (c->send[i] || s->conf->on_off || could_give(c, i, everybody) < (everybody && !keep_evening(c) ? 2 * keep_piece(c, s) : PIECE_LEAST_MA))
			continue;
		c->queue[n++] = (struct ranked){ cut_key(c, i, short_lines(c, s)), (int32_t)i };
	}
	rank_sort(c->queue, n);
	for (size_t k = 0; k < n; k++) {
		size_t i = (size_t)c->queue[k].index;
		struct seat *s = &c->seats[i];
		int node = -1, room = 0;
		int64_t by = would_help(c, s, &node, &room), above = could_give(c, i, everybody);
		if (by <= 0)
			continue;
		by = by < keep_piece(c, s) ? keep_piece(c, s) : by;
		int32_t to = s->take_ma <= 0 && by >= above ? 0 : keep_stepped(s, car_offer(&s->car, (int32_t)(keep_taken(s) - (by < above ? by : above))));
		if (to < s->min_ma && s->take_ma > 0)
			to = s->min_ma;
		if (to < s->limit.ma)
			keep_lower(c, i, to, node, room);
	}
}

/* What somebody orders is borne by all alike. */
static void lower_to_shares(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (s->way == SEAT_SERVED && s->limit.ma > s->share.ma)
			keep_lower(c, i, s->share.ma, s->share.bound == ALLOC_OWN ? -1 : s->share.node, s->share.line);
	}
}

/* How long shares are left as they are. What a newcomer does shows after some seconds only, so there is more than one round. */
static int64_t rest_us(const struct control *c)
{
	if (c->policy->by_need)
		return c->pace.uneven ? c->conf.rebalance_us / 4 : c->conf.rebalance_us;
	return c->pace.uneven ? 0 : keep_evening(c) ? EVENING_US / 3 : c->conf.rebalance_us;
}

void keep_limits(struct control *c)
{
	bool due = c->now_us - c->pace.balanced_us >= rest_us(c);
	keep_settled(c);
	obey_own_caps(c);
	if (c->pace.ordered && !c->policy->by_need)
		lower_to_shares(c);
	keep_cut(c);
	even_out(c, false);
	if (due) {
		even_out(c, true);
		c->pace.balanced_us = c->now_us;
		c->pace.uneven = false;
	}
	keep_raise(c);
}
