/* A room that is too small is emptied by as few EVSEs as possible.
 *
 * First by those who have most above their share, down to their minimum; then by pausing; what is still too much after that belongs to the
 * building and to those who do not listen, and then nobody there is offered anything. */
#include "base/clock.h"
#include "energy/keep-local.h"

#define TURN_BACK_US (900 * US_PER_S)  /* others first, before somebody's limit turns round so soon */
#define LATER (INT64_C(1) << 40)
#define LINE_COUNTS_MA 3000
#define TURN_COUNTS_MA 16000           /* to turn a limit round at all, in amperes of share */

bool keep_below(const struct control *c, const struct seat *s, int node, int room)
{
	return alloc_rooms(control_lines(s)) & (1u << room) && site_below(&c->site.parts, s->conf->node, node);
}

/* What speaks against moving a limit that last moved the other way, at `at_us`. */
int64_t cut_turns_round(const struct control *c, int64_t at_us, int64_t same_way_us)
{
	if (at_us <= same_way_us)
		return 0;
	return TURN_COUNTS_MA + (c->now_us - at_us < TURN_BACK_US ? LATER : 0);
}

/* Who gives back first: who has most above its share, who was raised only just now last. Whoever gives on the lines that are short and on no
 * other saves a message and current that nobody asked for: each line counts as some amperes of share. */
int64_t cut_key(const struct control *c, size_t i, unsigned short_lines)
{
	const struct seat *s = &c->seats[i];
	uint8_t lines = control_lines(s);
	int fits = __builtin_popcount(lines & short_lines) - __builtin_popcount(lines & ~short_lines);
	return (int64_t)s->take_ma - keep_taken(s) - fits * LINE_COUNTS_MA + cut_turns_round(c, s->limit.raised_us, s->limit.cut_us);
}

/* Lists who takes current in a room, who gives first first. */
static size_t list_victims(struct control *c, int node, int room)
{
	size_t n = 0;
	unsigned short_lines = 0;
	for (int l = 0; l < 3; l++)
		if (l == room || (c->nodes[node].room[l] != NO_BOUND && c->free[node][l] < -keep_near(c, node, l)))
			short_lines |= 1u << l;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (keep_taken(s) <= 0 || !keep_below(c, s, node, room))
			continue;
		c->queue[n++] = (struct ranked){ cut_key(c, i, short_lines), (int32_t)i };
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
		int32_t before = keep_taken(s), low = s->conf->on_off ? before : car_takes(&s->car, s->min_ma), times = alloc_times(control_lines(s), room);
		int64_t by = (ma + times - 1) / times;
		if (before - low < PIECE_LEAST_MA && before - low < by)
			continue;
		if (by < keep_piece(c, s))
			by = keep_piece(c, s);
		int32_t to = before - by < low ? s->min_ma : keep_stepped(s, car_offer(&s->car, (int32_t)(before - by)));
		if (to < s->min_ma)
			to = s->min_ma;
		if (to >= s->limit.ma)
			continue;
		keep_lower(c, i, to, node, room);
		ma -= (int64_t)(before - keep_taken(s)) * times;
	}
	return ma;
}

/* Last: those whose minimum does not fit any more, the last in order first. */
static void pause_some(struct control *c, int node, int room, int64_t ma)
{
	for (size_t k = c->site.parts.n_evses; k-- > 0 && ma > 0;) {
		size_t i = (size_t)c->order[k];
		struct seat *s = &c->seats[i];
		int32_t before = keep_taken(s);
		if (before < PIECE_LEAST_MA || !keep_below(c, s, node, room))
			continue;
		keep_lower(c, i, 0, node, room);
		ma -= (int64_t)before * alloc_times(control_lines(s), room);
	}
}

/* Who takes nothing may begin at any moment with what it is offered, and who does not listen may hear the next word. */
static void silence(struct control *c, int node, int room)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (control_can_tell(s) && s->limit.ma > 0 && keep_below(c, s, node, room))
			keep_lower(c, i, 0, node, room);
	}
}

void keep_cut(struct control *c)
{
	for (size_t n = c->site.parts.n_nodes; n-- > 0;) {
		for (int r = 0; r < ALLOC_ROOMS; r++) {
			if (c->nodes[n].room[r] == NO_BOUND || c->free[n][r] >= -keep_near(c, (int)n, r))
				continue;
			int64_t over = -c->free[n][r];
			if (lower_some(c, list_victims(c, (int)n, r), (int)n, r, over) > keep_near(c, (int)n, r))
				pause_some(c, (int)n, r, -c->free[n][r] - keep_near(c, (int)n, r));
			if (c->free[n][r] < -keep_near(c, (int)n, r)) {
				silence(c, (int)n, r);
				c->nodes[n].crowded |= (uint8_t)(1u << r);
			}
		}
	}
}
