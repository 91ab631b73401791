/* From shares to limits: when a limit moves, and by how much.
 *
 * With rebalance_us 0 limits follow the shares: down at once, up after calm and in steps (limit.h). With a time, the site is left alone while
 * it fits:
 *
 *   cut        a room that is too small for what its EVSEs take is emptied by as few of them as possible, first by those who have most above
 *              their share; then by those who can wait longest, down to their minimum; then by pausing. What is still too much after that
 *              belongs to the building and to those who do not listen: then nobody there is offered anything
 *   raise      what is free goes to those furthest below their share, in large pieces: each may end a piece above it. Nobody who has his share
 *              is raised: what is free is somebody else's share on its way, and would be taken back within minutes
 *   even out   now and then, and when somebody comes or leaves, who has two pieces more than his share gives to somebody who has clearly less.
 *              Nobody is lowered here for whom nobody is raised: a site that breathes without being asked wears contactors and delivers less
 *
 * Whose limit went up last is lowered last, and whose went down last is raised last, so that limits go the same way for a while. A share that
 * moves a little every minute would otherwise move every limit every minute. Who waits gets its minimum without that patience.
 *
 * Easy to get wrong: two sums. The sum of what will be taken when all orders have arrived decides about cuts, so that nothing is cut twice;
 * the sum of what may be taken right now decides about raises, so that nothing is given away before it has come back. */
#include <string.h>

#include "base/clock.h"
#include "energy/control-local.h"

#define PIECE_MA 4000                  /* least change worth a message, or an eighth of what an EVSE can give, or this part of a fuse above */
#define PIECES 32
#define PIECE_SMALL_MA 2000
#define PIECE_LEAST_MA 1000
#define PIECE_SLACK_MA 500             /* rounding to steps and set-points */
#define GATHER_US (60 * US_PER_S)      /* the last step to all it asks for may be smaller: one at the whole site in so long */
#define CALM_US (45 * US_PER_S)        /* no raise so soon after a cut */
#define CALM_LONG_US (300 * US_PER_S)  /* nor so soon where no more than this many pieces are free */
#define CALM_PIECES 2
#define RAISE_AGAIN_US (60 * US_PER_S)
#define EVENING_US (60 * US_PER_S)     /* after somebody came or left, where shares are what was promised */
#define PAUSE_LEAST_US (60 * US_PER_S) /* contactors wear and some cars give up: who was sent away stays away a while */
#define TURN_BACK_US (900 * US_PER_S)  /* others first, before somebody's limit turns round so soon */
#define TRIM_MA 5000                   /* an offer so far above what the car can use is taken back: it might use it at a bad moment */

static int32_t least(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* What nobody can lower is more than there is for EVSEs, at a node above and on a line of its own. */
static bool overfull(const struct control *c, const struct seat *s)
{
	unsigned rooms = alloc_rooms(control_lines(s));
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (int r = 0; r < ALLOC_ROOMS; r++)
			if (rooms & (1u << r) && c->nodes[n].room[r] != NO_BOUND && c->nodes[n].left[r] < 0)
				return true;
	return false;
}

/* Who does not follow is asked again for no more than it was told; where there is nothing to have, for nothing. */
static int32_t target_of(const struct control *c, const struct seat *s)
{
	if (s->way == SEAT_UNCONFIRMED)
		return overfull(c, s) ? 0 : least(control_asks(s), s->limit.ma);
	return s->share.ma;
}

static struct limit_ask limit_ask_of(const struct control *c, size_t i, int32_t room_ma)
{
	const struct seat *s = &c->seats[i];
	return (struct limit_ask){
		.target_ma = target_of(c, s),
		.room_ma = room_ma,
		.min_ma = c->asks[i].on_off ? s->conf->max_ma : s->min_ma,
		.step_ma = c->asks[i].step_ma,
		.on_off = s->conf->on_off,
		.frozen = s->frozen,
		.scarce = s->share.bound != ALLOC_OWN,
		.lost = s->lost && s->way == SEAT_SERVED,
	};
}

bool control_can_tell(const struct seat *s)
{
	return s->way == SEAT_SERVED || s->way == SEAT_UNCONFIRMED;
}

void control_tell(struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	if (s->limit.ma != s->car.told_ma)
		s->unheard = s->limit.ma < s->car.told_ma && s->car.idle_since_us;
	if (s->limit.ma >= 0)
		car_told(&s->car, s->limit.ma, c->now_us);
	c->send[i] = true;
}

/* What a seat holds on a grid line, at most, this moment. */
static int64_t held_on(const struct control *c, const struct seat *s, int line)
{
	if (s->way != SEAT_SERVED)
		return s->fixed[line];
	for (int p = 0; p < s->conf->n_lines; p++)
		if (s->conf->lines[p] == line)
			return car_held(&s->car, p, c->now_us);
	return 0;
}

static void note_tight(struct seat *s, int node, int room)
{
	s->tight_node = node;
	s->tight_room = room;
}

/* How high a seat could be set without any sum of what is held leaving its room; notes which one that is. */
static int32_t highest_free(const struct control *c, struct seat *s)
{
	int64_t most = s->conf->max_ma;
	uint8_t lines = control_lines(s);
	int64_t held[3] = { held_on(c, s, 0), held_on(c, s, 1), held_on(c, s, 2) };
	note_tight(s, -1, 0);
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent) {
		for (unsigned left = alloc_rooms(lines); left; left &= left - 1) {
			int r = __builtin_ctz(left);
			int64_t own = r == ALLOC_SUM ? held[0] + held[1] + held[2] : held[r < ALLOC_SUM ? r : r - ALLOC_UNEVEN];
			int64_t could = c->nodes[n].room[r] == NO_BOUND ? most : (c->free[n][r] + own) / alloc_times(lines, r);
			if (could >= most)
				continue;
			most = could;
			note_tight(s, n, r);
		}
	}
	if (most >= s->car.top_ma)
		return s->conf->max_ma;
	return most > 0 ? car_offer(&s->car, (int32_t)most) : 0;
}

/* Limits that follow the shares. */

static void lower_first(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat *s = &c->seats[i];
		c->send[i] = false;
		if (!control_can_tell(s) || s->limit.ma < 0 || target_of(c, s) >= s->limit.ma)
			continue;
		struct limit_ask a = limit_ask_of(c, i, 0);
		struct limit_rules rules = { c->conf.increase_after_us, c->conf.increase_step_ma, c->conf.resend_us };
		if (limit_step(&rules, &s->limit, &a, c->now_us))
			control_tell(c, i);
	}
}

static void free_of_held(struct control *c)
{
	control_free(c);
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		for (int l = 0; l < 3; l++)
			control_take(c, c->seats[i].conf->node, l, held_on(c, &c->seats[i], l), control_uneven(&c->seats[i]));
}

static void raise_into_free(struct control *c)
{
	struct limit_rules rules = { c->conf.increase_after_us, c->conf.increase_step_ma, c->conf.resend_us };
	free_of_held(c);
	for (size_t k = 0; k < c->site.parts.n_evses; k++) {
		size_t i = (size_t)c->order[k];
		struct seat *s = &c->seats[i];
		if (!control_can_tell(s) || c->send[i])
			continue;
		struct limit_ask a = limit_ask_of(c, i, highest_free(c, s));
		int64_t before[3] = { held_on(c, s, 0), held_on(c, s, 1), held_on(c, s, 2) };
		if (!limit_step(&rules, &s->limit, &a, c->now_us))
			continue;
		control_tell(c, i);
		for (int l = 0; l < 3; l++)
			control_take(c, s->conf->node, l, held_on(c, s, l) - before[l], control_uneven(s));
	}
}

/* Limits that are kept while they fit. */

/* Shares by need are guesses, and wait for the next round. Where they are what somebody was promised, whoever comes or leaves moves the others
 * at once. */
static bool evening(const struct control *c)
{
	return !c->policy->by_need && c->pace.changed_us && c->now_us - c->pace.changed_us < EVENING_US;
}

static bool eased(const struct control *c, const struct seat *s)
{
	return s->eased_us && c->now_us - s->eased_us < EVENING_US;
}

static int32_t piece(const struct control *c, const struct seat *s)
{
	if (evening(c) || eased(c, s))
		return PIECE_LEAST_MA;
	int32_t own = s->conf->max_ma / 8 > PIECE_MA ? s->conf->max_ma / 8 : PIECE_MA, fuse = ALLOC_MOST_MA;
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (int l = 0; l < 3; l++)
			fuse = least(fuse, c->nodes[n].conf->limit.l[l]);
	return least(own, fuse / PIECES > PIECE_SMALL_MA ? fuse / PIECES : PIECE_SMALL_MA);
}

/* By how much a room may be too small before somebody is cut: most of the margin, so that noise does not cut; of a window of power what was
 * saved in it. */
static int64_t near(const struct control *c, int n, int r)
{
	return r < ALLOC_SUM ? rooms_margin(c, &c->nodes[n], r) * 3 / 4 : r == ALLOC_SUM ? c->nodes[n].bears : 0;
}

static int32_t taken(const struct seat *s)
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
static bool crowded(const struct control *c, const struct seat *s)
{
	unsigned rooms = alloc_rooms(control_lines(s));
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		if (rooms & c->nodes[n].crowded)
			return true;
	return false;
}

/* What a newcomer takes before its first word is counted already: to be told the same costs nothing. */
static int32_t holds_already(const struct control *c, const struct seat *s)
{
	int64_t ma = INT32_MAX;
	if (crowded(c, s))
		return 0;
	for (int p = 0; p < s->conf->n_lines && s->limit.ma < 0; p++)
		if (car_phases(&s->car) & (1u << p))
			ma = car_held(&s->car, p, c->now_us) < ma ? car_held(&s->car, p, c->now_us) : ma;
	return ma == INT32_MAX ? 0 : (int32_t)ma;
}

/* c->free after all orders have arrived. */
static void free_when_settled(struct control *c)
{
	control_free(c);
	for (size_t n = 0; n < c->site.parts.n_nodes; n++)
		c->nodes[n].crowded = 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (s->way == SEAT_SERVED) {
			count(c, s, s->limit.ma < 0 ? least(holds_already(c, s), s->take_ma) : taken(s)); /* a newcomer is told to go on so */
			continue;
		}
		for (int l = 0; l < 3; l++)
			if (s->fixed[l])
				control_take(c, s->conf->node, l, s->fixed[l], control_uneven(s));
	}
}

static int32_t stepped(const struct seat *s, int32_t ma)
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
static void lower(struct control *c, size_t i, int32_t to_ma, int node, int room)
{
	struct seat *s = &c->seats[i];
	int32_t before = taken(s);
	if (!c->send[i] || s->tight_node < 0)
		note_tight(s, node, room);
	s->limit.hold = LIMIT_ROOM;
	s->limit.until_us = 0;
	s->limit.recovers = by_order(c, s);
	if (to_ma <= 0 && s->limit.ma > 0) {
		s->pauses++;
		s->woken_us = 0;
	}
	s->limit.ma = to_ma;
	s->limit.cut_us = c->now_us;
	count(c, s, taken(s) - before);
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
			lower(c, i, stepped(s, hard), -1, 0);
		else if (trim)
			lower(c, i, stepped(s, s->car.want_ma), -1, 0);
	}
}

static bool below_in(const struct control *c, const struct seat *s, int node, int room)
{
	return alloc_rooms(control_lines(s)) & (1u << room) && site_below(&c->site.parts, s->conf->node, node);
}

#define LATER (INT64_C(1) << 40)
#define LINE_COUNTS_MA 3000
#define TURN_COUNTS_MA 16000           /* to turn a limit round at all, in amperes of share */

/* What speaks against moving a limit that last moved the other way, at `at_us`. */
static int64_t turns_round(const struct control *c, int64_t at_us, int64_t same_way_us)
{
	if (at_us <= same_way_us)
		return 0;
	return TURN_COUNTS_MA + (c->now_us - at_us < TURN_BACK_US ? LATER : 0);
}

/* Who gives back first: who has most above its share, who was raised only just now last. Whoever gives on the lines that are short and on no
 * other saves a message and current that nobody asked for: each line counts as some amperes of share. */
static int64_t giving_key(const struct control *c, size_t i, unsigned short_lines)
{
	const struct seat *s = &c->seats[i];
	uint8_t lines = control_lines(s);
	int fits = __builtin_popcount(lines & short_lines) - __builtin_popcount(lines & ~short_lines);
	return (int64_t)s->take_ma - taken(s) - fits * LINE_COUNTS_MA + turns_round(c, s->limit.raised_us, s->limit.cut_us);
}

/* Who is raised first: who is furthest below its share, who was cut only just now last. */
static int64_t raising_key(const struct control *c, size_t i)
{
	const struct seat *s = &c->seats[i];
	return (int64_t)taken(s) - s->take_ma + turns_round(c, s->limit.cut_us, s->limit.raised_us);
}

/* Lists who takes current in a room, who gives first first. */
static size_t list_victims(struct control *c, int node, int room)
{
	size_t n = 0;
	unsigned short_lines = 0;
	for (int l = 0; l < 3; l++)
		if (l == room || (c->nodes[node].room[l] != NO_BOUND && c->free[node][l] < -near(c, node, l)))
			short_lines |= 1u << l;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (taken(s) <= 0 || !below_in(c, s, node, room))
			continue;
		c->queue[n++] = (struct ranked){ giving_key(c, i, short_lines), (int32_t)i };
	}
	rank_sort(c->queue, n);
	return n;
}

/* Lowers EVSEs in the room by about `ma` together, to their minimum at most. */
static int64_t lower_some(struct control *c, size_t n, int node, int room, int64_t ma)
{
	for (size_t k = 0; k < n && ma > 0; k++) {
		size_t i = (size_t)c->queue[k].index;
		struct seat *s = &c->seats[i];
		int32_t before = taken(s), low = s->conf->on_off ? before : car_takes(&s->car, s->min_ma), times = alloc_times(control_lines(s), room);
		int64_t by = (ma + times - 1) / times;
		if (before - low < PIECE_LEAST_MA && before - low < by)
			continue;
		if (by < piece(c, s))
			by = piece(c, s);
		int32_t to = before - by < low ? s->min_ma : stepped(s, car_offer(&s->car, (int32_t)(before - by)));
		if (to < s->min_ma)
			to = s->min_ma;
		if (to >= s->limit.ma)
			continue;
		lower(c, i, to, node, room);
		ma -= (int64_t)(before - taken(s)) * times;
	}
	return ma;
}

/* Last: those whose minimum does not fit any more, the last in order first. */
static void pause_some(struct control *c, int node, int room, int64_t ma)
{
	for (size_t k = c->site.parts.n_evses; k-- > 0 && ma > 0;) {
		size_t i = (size_t)c->order[k];
		struct seat *s = &c->seats[i];
		int32_t before = taken(s);
		if (before < PIECE_LEAST_MA || !below_in(c, s, node, room))
			continue;
		lower(c, i, 0, node, room);
		ma -= (int64_t)before * alloc_times(control_lines(s), room);
	}
}

/* Who takes nothing may begin at any moment with what it is offered, and who does not listen may hear the next word. */
static void silence(struct control *c, int node, int room)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (control_can_tell(s) && s->limit.ma > 0 && below_in(c, s, node, room))
			lower(c, i, 0, node, room);
	}
}

static void cut_where_over(struct control *c)
{
	for (size_t n = c->site.parts.n_nodes; n-- > 0;) {
		for (int r = 0; r < ALLOC_ROOMS; r++) {
			if (c->nodes[n].room[r] == NO_BOUND || c->free[n][r] >= -near(c, (int)n, r))
				continue;
			int64_t over = -c->free[n][r];
			if (lower_some(c, list_victims(c, (int)n, r), (int)n, r, over) > near(c, (int)n, r))
				pause_some(c, (int)n, r, -c->free[n][r] - near(c, (int)n, r));
			if (c->free[n][r] < -near(c, (int)n, r)) {
				silence(c, (int)n, r);
				c->nodes[n].crowded |= (uint8_t)(1u << r);
			}
		}
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
		int32_t has = taken(s), more = s->take_ma - has;
		bool waits = has <= 0 && s->take_ma > 0;
		if (s->way != SEAT_SERVED || c->send[i])
			continue;
		if (waits && !everybody)
			more = c->asks[i].min_ma;
		if (!waits && (!everybody || more < piece(c, s) || more < s->take_ma / (evening(c) ? 20 : 5)))
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
	return taken(s) - (everybody ? s->take_ma : low);
}

static void even_out(struct control *c, bool everybody)
{
	size_t n = 0;
	if (!note_wanted(c, everybody))
		return;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (c->send[i] || s->conf->on_off || could_give(c, i, everybody) < (everybody && !evening(c) ? 2 * piece(c, s) : PIECE_LEAST_MA))
			continue;
		c->queue[n++] = (struct ranked){ giving_key(c, i, short_lines(c, s)), (int32_t)i };
	}
	rank_sort(c->queue, n);
	for (size_t k = 0; k < n; k++) {
		size_t i = (size_t)c->queue[k].index;
		struct seat *s = &c->seats[i];
		int node = -1, room = 0;
		int64_t by = would_help(c, s, &node, &room), above = could_give(c, i, everybody);
		if (by <= 0)
			continue;
		by = by < piece(c, s) ? piece(c, s) : by;
		int32_t to = s->take_ma <= 0 && by >= above ? 0 : stepped(s, car_offer(&s->car, (int32_t)(taken(s) - (by < above ? by : above))));
		if (to < s->min_ma && s->take_ma > 0)
			to = s->min_ma;
		if (to < s->limit.ma)
			lower(c, i, to, node, room);
	}
}

/* Its share, or a piece more than it has where that is more. */
static int32_t raise_most(const struct control *c, const struct seat *s, int32_t from)
{
	int32_t more = from > 0 && s->share.ma > from ? from + piece(c, s) : 0;
	return more > s->share.ma ? least(more, s->asked_ma) : s->share.ma;
}

/* How long a limit rests after a cut before it rises to `free_ma` of room. */
static int64_t calm_us(const struct control *c, const struct seat *s, int32_t from, int32_t free_ma)
{
	int64_t calm = c->conf.increase_after_us >= 0 ? c->conf.increase_after_us : free_ma - from < CALM_PIECES * piece(c, s) && !evening(c) ? CALM_LONG_US : CALM_US;
	return s->limit.recovers || eased(c, s) ? 0 : from || calm > PAUSE_LEAST_US ? calm : PAUSE_LEAST_US;
}

/* The most it rises by at once. */
static int32_t step_up(const struct control *c, const struct seat *s, int32_t from)
{
	bool bound = c->conf.increase_step_ma && from && !s->limit.recovers && !eased(c, s);
	return bound ? c->conf.increase_step_ma : ALLOC_MOST_MA;
}

/* What of its share, or a newcomer of its minimum, is worth a message now; 0: nothing. */
static int32_t raise_to(const struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	struct limit *l = &s->limit;
	int32_t from = l->ma > 0 ? l->ma : 0, most = raise_most(c, s, from);
	int32_t free = highest_free(c, s), holds = holds_already(c, s), step = step_up(c, s, from);
	int32_t to = stepped(s, least(least(most, free > holds ? free : holds), from + step));
	int64_t calm = calm_us(c, s, from, free), again = c->conf.increase_after_us >= 0 || evening(c) || eased(c, s) ? LIMIT_EVERY_US : RAISE_AGAIN_US;
	l->hold = s->frozen ? LIMIT_FROZEN : LIMIT_ROOM;
	l->until_us = 0;
	if (s->frozen || to <= from)
		return 0;
	if (car_owes(&s->car, c->now_us) && !l->recovers && !eased(c, s)) {
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
	bool gathered = to - from >= PIECE_LEAST_MA && c->now_us - c->pace.small_us >= GATHER_US, last = to >= s->asked_ma && (gathered || eased(c, s));
	if (from && to - from < least(piece(c, s), step) - PIECE_SLACK_MA && !last) {
		l->hold = LIMIT_SMALL;
		return 0;
	}
	return to;
}

static void raise(struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	int32_t to = raise_to(c, i);
	int64_t before[3] = { held_on(c, s, 0), held_on(c, s, 1), held_on(c, s, 2) };
	if (!to)
		return;
	if (s->limit.ma > 0 && to - s->limit.ma < piece(c, s))
		c->pace.small_us = c->now_us;
	s->limit.ma = to;
	s->limit.raised_us = c->now_us;
	s->limit.recovers = false;
	s->limit.hold = to >= s->share.ma ? LIMIT_FREE : LIMIT_ROOM;
	control_tell(c, i);
	for (int l = 0; l < 3; l++)
		control_take(c, s->conf->node, l, held_on(c, s, l) - before[l], control_uneven(s));
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
		int64_t more = c->asks[i].min_ma - held_on(c, s, l);
		if (lines & (1u << l) && more > 0)
			control_take(c, s->conf->node, l, more, control_uneven(s));
	}
}

static void raise_worthwhile(struct control *c)
{
	size_t n = 0;
	free_of_held(c);
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
		if (s->limit.ma < 0 && (!(c->starts_alone && s->take_ma > 0) || crowded(c, s))) { /* the first word to a car that has to wait */
			s->limit.ma = 0;
			control_tell(c, i);
		}
	}
	rank_sort(c->queue, n);
	for (size_t k = 0; k < n; k++)
		raise(c, (size_t)c->queue[k].index);
}

/* What somebody orders is borne by all alike. */
static void lower_to_shares(struct control *c)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (s->way == SEAT_SERVED && s->limit.ma > s->share.ma)
			lower(c, i, s->share.ma, s->share.bound == ALLOC_OWN ? -1 : s->share.node, s->share.line);
	}
}

/* How long shares are left as they are. What a newcomer does shows after some seconds only, so there is more than one round. */
static int64_t rest_us(const struct control *c)
{
	if (c->policy->by_need)
		return c->pace.uneven ? c->conf.rebalance_us / 4 : c->conf.rebalance_us;
	return c->pace.uneven ? 0 : evening(c) ? EVENING_US / 3 : c->conf.rebalance_us;
}

static void keep_while_it_fits(struct control *c)
{
	bool due = c->now_us - c->pace.balanced_us >= rest_us(c);
	free_when_settled(c);
	obey_own_caps(c);
	if (c->pace.ordered && !c->policy->by_need)
		lower_to_shares(c);
	cut_where_over(c);
	even_out(c, false);
	if (due) {
		even_out(c, true);
		c->pace.balanced_us = c->now_us;
		c->pace.uneven = false;
	}
	raise_worthwhile(c);
}

static bool is_pressed(const struct control *c, const struct seat *s)
{
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (unsigned left = alloc_rooms(control_lines(s)); left; left &= left - 1) {
			int r = __builtin_ctz(left);
			if (c->nodes[n].room[r] != NO_BOUND && c->free[n][r] < 0)
				return true;
		}
	return false;
}

/* Before anything moves: where the orders given so far are more than there is. */
static void note_pressed(struct control *c)
{
	free_when_settled(c);
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		c->seats[i].pressed = is_pressed(c, &c->seats[i]);
}

void control_move(struct control *c)
{
	note_pressed(c);
	if (c->conf.rebalance_us > 0) {
		keep_while_it_fits(c);
		return;
	}
	lower_first(c);
	raise_into_free(c);
}
