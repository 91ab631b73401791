/* From shares to limits: when a limit moves, and by how much.
 *
 * With rebalance_us 0 limits follow the shares, down at once, up after calm and in steps (limit.h): that is here. With a time, the site is left
 * alone while it fits: control-keep.c.
 *
 * Easy to get wrong: two sums. The sum of what will be taken when all orders have arrived decides about cuts, so that nothing is cut twice;
 * the sum of what may be taken right now decides about raises, so that nothing is given away before it has come back. */
#include "base/clock.h"
#include "energy/keep-local.h"

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
int64_t move_held(const struct control *c, const struct seat *s, int line)
{
	if (s->way != SEAT_SERVED)
		return s->fixed[line];
	for (int p = 0; p < s->conf->n_lines; p++)
		if (s->conf->lines[p] == line)
			return car_held(&s->car, p, c->now_us);
	return 0;
}

void move_tight(struct seat *s, int node, int room)
{
	s->tight_node = node;
	s->tight_room = room;
}

/* How high a seat could be set without any sum of what is held leaving its room; notes which one that is. */
int32_t move_highest(const struct control *c, struct seat *s)
{
	int64_t most = s->conf->max_ma;
	uint8_t lines = control_lines(s);
	int64_t held[3] = { move_held(c, s, 0), move_held(c, s, 1), move_held(c, s, 2) };
	move_tight(s, -1, 0);
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent) {
		for (unsigned left = alloc_rooms(lines); left; left &= left - 1) {
			int r = __builtin_ctz(left);
			int64_t own = r == ALLOC_SUM ? held[0] + held[1] + held[2] : held[r < ALLOC_SUM ? r : r - ALLOC_UNEVEN];
			int64_t could = c->nodes[n].room[r] == NO_BOUND ? most : (c->free[n][r] + own) / alloc_times(lines, r);
			if (could >= most)
				continue;
			most = could;
			move_tight(s, n, r);
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

void move_free(struct control *c)
{
	control_free(c);
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		for (int l = 0; l < 3; l++)
			control_take(c, c->seats[i].conf->node, l, move_held(c, &c->seats[i], l), control_uneven(&c->seats[i]));
}

static void raise_into_free(struct control *c)
{
	struct limit_rules rules = { c->conf.increase_after_us, c->conf.increase_step_ma, c->conf.resend_us };
	move_free(c);
	for (size_t k = 0; k < c->site.parts.n_evses; k++) {
		size_t i = (size_t)c->order[k];
		struct seat *s = &c->seats[i];
		if (!control_can_tell(s) || c->send[i])
			continue;
		struct limit_ask a = limit_ask_of(c, i, move_highest(c, s));
		int64_t before[3] = { move_held(c, s, 0), move_held(c, s, 1), move_held(c, s, 2) };
		if (!limit_step(&rules, &s->limit, &a, c->now_us))
			continue;
		control_tell(c, i);
		for (int l = 0; l < 3; l++)
			control_take(c, s->conf->node, l, move_held(c, s, l) - before[l], control_uneven(s));
	}
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
	keep_settled(c);
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		c->seats[i].pressed = is_pressed(c, &c->seats[i]);
}

void control_move(struct control *c)
{
	note_pressed(c);
	if (c->conf.rebalance_us > 0) {
		keep_limits(c);
		return;
	}
	lower_first(c);
	raise_into_free(c);
}
