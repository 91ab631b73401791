/* Progressive filling on the tree of fuses.
 *
 * Imagine a water level that rises from zero. An EVSE takes level times weight, but never less than its minimum and never more than its
 * maximum. Each node has three constraints, one per grid line: the currents below it must fit its room. When one is full, the level stands
 * still for every EVSE below that takes current on that line, and goes on rising for the others. Who has stood still cannot be raised
 * without lowering somebody who has as little: that is max-min fairness, exactly.
 *
 * Some nodes have more constraints of the same kind: on the sum of the lines, in which a current counts once per line, and on the uneven part
 * of a line, in which only those count who do not load all three alike.
 *
 * Instead of raising the level bit by bit we jump from event to event:
 *
 *   wake   the level reaches an EVSE's minimum: from here on it rises with the level
 *   top    an EVSE reaches its maximum and stops
 *   full   a constraint is full: all moving EVSEs below it on that line stop
 *
 * Levels are counted in fractions of a milliampere (LEVEL), so that heavy weights do not lose a part of an ampere by rounding.
 *
 * A constraint is full at floor(free / weight), free being what those who do not move leave over and weight that of those who move. When
 * somebody stops, this level can only rise, so the heap of constraints is corrected lazily, at its top. When somebody wakes, or stops above
 * the level because its minimum is, it can fall, and is corrected at once. Most constraints can never be full, because all maxima below fit: these are left out from the start.
 *
 * Easy to get wrong: the remainder of the integer division. A level is rounded down, so a constraint may keep a few milliamperes; the level
 * computed right after a wake may lie below the present one by rounding, and then nobody may be pushed below its minimum. */
#include "energy/alloc.h"

#include <assert.h>
#include <string.h>

#include "energy/rank.h"
#include "energy/site.h"

#define LEVEL 1024
#define FINE 16 /* currents inside are in sixteenths of a milliampere, so that what rounding loses in one place is not felt in another */

enum { OUT, ASLEEP, MOVING, STOPPED }; /* of an EVSE: not served, at its minimum, rises with the level, final */

struct evse_work {
	int32_t next;        /* at the same node; -1: last */
	int32_t ma;
	int32_t min, max;    /* rounded to steps, inwards */
	uint8_t state;
};

struct node_work {
	int32_t evses, child, sibling; /* heads and link; -1: none */
};

struct constraint {
	int64_t free;        /* room less what those who do not move take */
	int64_t weight;      /* of those who move */
	int64_t level;       /* where it is full, as the heap believes */
	int32_t place;       /* in the heap; -1: not there */
	int32_t moving;      /* EVSEs */
};

struct work {
	const struct alloc_site *s;
	struct alloc_share *out;
	struct constraint *c;  /* node * ALLOC_ROOMS + room */
	struct node_work *nodes;
	struct evse_work *evses;
	struct ranked *wake, *top;
	int32_t *heap;
	size_t n_heap;
};

unsigned alloc_rooms(uint8_t lines)
{
	unsigned on = lines & 7u;
	return on | (on ? 1u << ALLOC_SUM : 0) | (on != 7 ? on << ALLOC_UNEVEN : 0);
}

int alloc_times(uint8_t lines, int room)
{
	return room == ALLOC_SUM ? __builtin_popcount(lines & 7u) : 1;
}

#define LINES_BITS 7u

/* Walks the rooms that EVSE `e` counts in, from its node up: `n` the node, `r` the room. */
#define EACH_ROOM(w, e, n, r)                                                                                                                \
	for (int n = (e)->node; n >= 0; n = (w)->s->nodes[n].parent)                                                                         \
		for (unsigned rooms_left = alloc_rooms((e)->lines) & ((w)->s->nodes[n].more | LINES_BITS), r;                                \
		     rooms_left && (r = (unsigned)__builtin_ctz(rooms_left), 1); rooms_left &= rooms_left - 1)

static size_t padded(size_t bytes)
{
	return (bytes + 15) & ~(size_t)15;
}

size_t alloc_scratch(size_t n_nodes, size_t n_evses)
{
	return padded(ALLOC_ROOMS * n_nodes * sizeof(struct constraint)) + padded(n_nodes * sizeof(struct node_work)) +
	       padded(n_evses * sizeof(struct evse_work)) + 2 * padded(n_evses * sizeof(struct ranked)) +
	       padded(ALLOC_ROOMS * n_nodes * sizeof(int32_t));
}

static void *carve(char **scratch, size_t bytes)
{
	void *p = *scratch;
	*scratch += padded(bytes);
	return p;
}

static int32_t step_of(const struct alloc_evse *e)
{
	return (e->step_ma > 1 ? e->step_ma : 1) * FINE;
}

static void link_tree(struct work *w)
{
	for (size_t i = 0; i < w->s->n_nodes; i++) {
		int parent = w->s->nodes[i].parent;
		assert(parent < (int)i);
		w->nodes[i] = (struct node_work){ -1, -1, -1 };
		if (parent >= 0) {
			w->nodes[i].sibling = w->nodes[parent].child;
			w->nodes[parent].child = (int32_t)i;
		}
	}
	for (size_t i = w->s->n_evses; i-- > 0;) {
		const struct alloc_evse *e = &w->s->evses[i];
		int32_t step = step_of(e);
		struct evse_work *own = &w->evses[i];
		own->max = (e->max_ma > ALLOC_MOST_MA ? ALLOC_MOST_MA : e->max_ma) * FINE;
		own->max = own->max > 0 ? own->max / step * step : 0;
		own->min = e->on_off ? own->max : e->min_ma > 0 ? (e->min_ma * FINE + step - 1) / step * step : 0;
		own->ma = 0;
		own->state = OUT;
		own->next = w->nodes[e->node].evses;
		w->nodes[e->node].evses = (int32_t)i;
	}
}

static void take_rooms(struct work *w)
{
	for (size_t i = 0; i < ALLOC_ROOMS * w->s->n_nodes; i++) {
		int32_t room = w->s->nodes[i / ALLOC_ROOMS].room[i % ALLOC_ROOMS];
		int64_t free = room == MA_NONE ? INT64_MAX / 4 : room > 0 ? (int64_t)room * FINE : 0;
		w->c[i] = (struct constraint){ .free = free, .place = -1 };
	}
}

/* What is not there for `e` to get its minimum from. */
static int64_t kept(const struct work *w, const struct alloc_evse *e, int n, unsigned r)
{
	const struct alloc_node *node = &w->s->nodes[n];
	int64_t spare = (int64_t)(r == ALLOC_SUM ? node->spare_sum_ma : node->spare_ma) * e->patience_pm / 1000;
	if (r == ALLOC_SUM)
		return (e->begins && node->passing_ma > spare ? node->passing_ma : spare) * FINE / alloc_times(e->lines, (int)r);
	return r < ALLOC_SUM ? spare * FINE : 0;
}

/* The constraint above (or at) `e`'s node that leaves least, or -1 when e takes no current. */
static int32_t tightest(const struct work *w, const struct alloc_evse *e, bool to_begin, int64_t *left_out)
{
	int32_t least = -1;
	*left_out = (int64_t)ALLOC_MOST_MA * FINE;
	EACH_ROOM(w, e, n, r) {
		int32_t at = ALLOC_ROOMS * n + (int32_t)r;
		int64_t left = w->c[at].free / alloc_times(e->lines, (int)r) - (to_begin ? kept(w, e, n, r) : 0);
		if (least < 0 || left < *left_out) {
			least = at;
			*left_out = left;
		}
	}
	return least;
}

static void take(struct work *w, const struct alloc_evse *e, int64_t ma)
{
	EACH_ROOM(w, e, n, r)
		w->c[ALLOC_ROOMS * n + (int)r].free -= ma * alloc_times(e->lines, (int)r);
}

static void bound_by(struct alloc_share *out, enum alloc_bound bound, int32_t constraint)
{
	out->bound = bound;
	out->node = constraint / ALLOC_ROOMS;
	out->line = constraint % ALLOC_ROOMS;
}

/* Minimums first: who does not fit waits, and a smaller one behind it may still fit. */
static void admit(struct work *w)
{
	for (size_t k = 0; k < w->s->n_evses; k++) {
		int32_t i = w->s->order[k];
		const struct alloc_evse *e = &w->s->evses[i];
		struct evse_work *own = &w->evses[i];
		struct alloc_share *out = &w->out[i];
		int64_t left;
		*out = (struct alloc_share){ .bound = ALLOC_OWN, .node = -1 };
		if (own->max <= 0 || own->max < own->min || !e->lines)
			continue;
		int32_t least = tightest(w, e, true, &left);
		if (own->min + (int64_t)e->spare_ma * FINE > left) {
			bound_by(out, ALLOC_WAITS, least);
			continue;
		}
		take(w, e, own->min);
		own->ma = own->min;
		own->state = own->min < own->max ? ASLEEP : STOPPED;
	}
}

static void fill_in_turn(struct work *w)
{
	for (size_t k = 0; k < w->s->n_evses; k++) {
		int32_t i = w->s->order[k];
		const struct alloc_evse *e = &w->s->evses[i];
		struct evse_work *own = &w->evses[i];
		int64_t left;
		if (own->state != ASLEEP)
			continue;
		int32_t least = tightest(w, e, false, &left);
		int64_t more = own->max - own->ma;
		if (left < more) {
			more = left;
			bound_by(&w->out[i], ALLOC_NODE, least);
		}
		take(w, e, more);
		own->ma += (int32_t)more;
		own->state = STOPPED;
	}
}

static int64_t full_at(const struct constraint *c)
{
	return c->weight ? c->free * LEVEL / c->weight : INT64_MAX;
}

static void heap_put(struct work *w, size_t place, int32_t constraint)
{
	w->heap[place] = constraint;
	w->c[constraint].place = (int32_t)place;
}

static void heap_up(struct work *w, size_t place, int32_t constraint)
{
	for (; place > 0 && w->c[w->heap[(place - 1) / 2]].level > w->c[constraint].level; place = (place - 1) / 2)
		heap_put(w, place, w->heap[(place - 1) / 2]);
	heap_put(w, place, constraint);
}

static void heap_down(struct work *w, size_t place, int32_t constraint)
{
	for (;;) {
		size_t child = 2 * place + 1;
		if (child >= w->n_heap)
			break;
		if (child + 1 < w->n_heap && w->c[w->heap[child + 1]].level < w->c[w->heap[child]].level)
			child++;
		if (w->c[w->heap[child]].level >= w->c[constraint].level)
			break;
		heap_put(w, place, w->heap[child]);
		place = child;
	}
	heap_put(w, place, constraint);
}

/* The constraint that is full first, and where. Levels in the heap may be too low, never too high. */
static int32_t first_full(struct work *w, int64_t *level_out)
{
	while (w->n_heap) {
		int32_t top = w->heap[0];
		int64_t level = full_at(&w->c[top]);
		if (level == w->c[top].level) {
			*level_out = level;
			return top;
		}
		w->c[top].level = level;
		heap_down(w, 0, top);
	}
	*level_out = INT64_MAX;
	return -1;
}

static void lower_level(struct work *w, int32_t constraint)
{
	struct constraint *c = &w->c[constraint];
	int64_t level;
	if (c->place < 0 || (level = full_at(c)) >= c->level)
		return;
	c->level = level;
	heap_up(w, (size_t)c->place, constraint);
}

static void start_moving(struct work *w, int32_t i)
{
	const struct alloc_evse *e = &w->s->evses[i];
	EACH_ROOM(w, e, n, r) {
		int32_t at = ALLOC_ROOMS * n + (int32_t)r, times = alloc_times(e->lines, (int)r);
		w->c[at].free += (int64_t)times * w->evses[i].ma;
		w->c[at].weight += times * e->weight;
		w->c[at].moving++;
		lower_level(w, at);
	}
	w->evses[i].state = MOVING;
}

static void stop_moving(struct work *w, int32_t i, int64_t ma)
{
	const struct alloc_evse *e = &w->s->evses[i];
	struct evse_work *own = &w->evses[i];
	bool held_up = ma < own->min;
	own->ma = (int32_t)(held_up ? own->min : ma > own->max ? own->max : ma);
	own->state = STOPPED;
	EACH_ROOM(w, e, n, r) {
		int32_t at = ALLOC_ROOMS * n + (int32_t)r, times = alloc_times(e->lines, (int)r);
		w->c[at].free -= (int64_t)times * own->ma;
		w->c[at].weight -= times * e->weight;
		w->c[at].moving--;
		if (held_up)
			lower_level(w, at);
	}
}

/* Somebody below `node` may be moving who counts in such a room: lines are counted at every node, other rooms only where there are some. */
static bool moves(const struct work *w, int32_t node, int32_t room)
{
	const struct constraint *c = &w->c[ALLOC_ROOMS * node];
	return room < ALLOC_SUM ? c[room].moving : c[0].moving || c[1].moving || c[2].moving;
}

/* Stops everyone below `constraint` that moves and counts in it. Branches where nobody moves are passed by. */
static void stop_below(struct work *w, int32_t constraint, int64_t level)
{
	int32_t root = constraint / ALLOC_ROOMS, room = constraint % ALLOC_ROOMS, n = root;
	for (;;) {
		for (int32_t i = w->nodes[n].evses; i >= 0; i = w->evses[i].next) {
			if (w->evses[i].state != MOVING || !(alloc_rooms(w->s->evses[i].lines) & (1u << room)))
				continue;
			stop_moving(w, i, level * w->s->evses[i].weight / LEVEL);
			bound_by(&w->out[i], ALLOC_NODE, constraint);
		}
		int32_t next = w->nodes[n].child;
		for (;;) {
			while (next >= 0 && !moves(w, next, room))
				next = w->nodes[next].sibling;
			if (next >= 0 || n == root)
				break;
			next = w->nodes[n].sibling;
			n = w->s->nodes[n].parent;
		}
		if (next < 0)
			return;
		n = next;
	}
}

static int64_t level_of(int32_t ma, int32_t weight)
{
	return ((int64_t)ma * LEVEL + weight - 1) / weight;
}

/* Lists who is to wake and when, who tops out and when, and returns how many. */
static size_t list_events(struct work *w)
{
	size_t n = 0;
	for (size_t i = 0; i < w->s->n_evses; i++) {
		const struct alloc_evse *e = &w->s->evses[i];
		if (w->evses[i].state != ASLEEP)
			continue;
		assert(e->weight >= 1);
		w->wake[n] = (struct ranked){ level_of(w->evses[i].min, e->weight), (int32_t)i };
		w->top[n++] = (struct ranked){ level_of(w->evses[i].max, e->weight), (int32_t)i };
	}
	rank_sort(w->wake, n);
	rank_sort(w->top, n);
	return n;
}

/* Constraints that could become full: the maxima of those who may still rise do not fit. */
static void build_heap(struct work *w)
{
	for (size_t i = 0; i < w->s->n_evses; i++) {
		const struct alloc_evse *e = &w->s->evses[i];
		if (w->evses[i].state != ASLEEP)
			continue;
		EACH_ROOM(w, e, n, r)
			w->c[ALLOC_ROOMS * n + (int)r].level += (int64_t)alloc_times(e->lines, (int)r) * (w->evses[i].max - w->evses[i].ma);
	}
	w->n_heap = 0;
	for (size_t c = 0; c < ALLOC_ROOMS * w->s->n_nodes; c++) {
		if (w->c[c].level <= w->c[c].free)
			continue;
		w->c[c].level = INT64_MAX;
		heap_put(w, w->n_heap++, (int32_t)c);
	}
}

static void fill_together(struct work *w)
{
	size_t n = list_events(w), woken = 0, topped = 0;
	build_heap(w);
	while (topped < n) {
		int64_t full, wake = woken < n ? w->wake[woken].key : INT64_MAX;
		int32_t constraint = first_full(w, &full);
		if (wake <= full && wake <= w->top[topped].key) {
			start_moving(w, w->wake[woken++].index);
		} else if (full < w->top[topped].key) {
			stop_below(w, constraint, full);
		} else {
			int32_t i = w->top[topped++].index;
			if (w->evses[i].state == MOVING)
				stop_moving(w, i, w->evses[i].max);
		}
	}
}

/* Whole steps: everyone down, then the crumbs up again, one step each, to those whom a node held. */
static void round_to_steps(struct work *w)
{
	for (size_t i = 0; i < w->s->n_evses; i++) {
		int32_t crumb = w->evses[i].ma % step_of(&w->s->evses[i]);
		if (crumb)
			take(w, &w->s->evses[i], -crumb);
		w->evses[i].ma -= crumb;
	}
	for (size_t i = 0; i < w->s->n_evses; i++) {
		const struct alloc_evse *e = &w->s->evses[i];
		int64_t left;
		if (step_of(e) == FINE || w->evses[i].state != STOPPED || w->out[i].bound != ALLOC_NODE || w->evses[i].ma + step_of(e) > w->evses[i].max)
			continue;
		tightest(w, e, false, &left);
		if (left >= step_of(e)) {
			take(w, e, step_of(e));
			w->evses[i].ma += step_of(e);
		}
	}
}

void alloc_run(const struct alloc_site *s, void *scratch, struct alloc_share *out)
{
	char *at = scratch;
	struct work w = { .s = s, .out = out };
	w.c = carve(&at, ALLOC_ROOMS * s->n_nodes * sizeof(struct constraint));
	w.nodes = carve(&at, s->n_nodes * sizeof(struct node_work));
	w.evses = carve(&at, s->n_evses * sizeof(struct evse_work));
	w.wake = carve(&at, s->n_evses * sizeof(struct ranked));
	w.top = carve(&at, s->n_evses * sizeof(struct ranked));
	w.heap = carve(&at, ALLOC_ROOMS * s->n_nodes * sizeof(int32_t));
	link_tree(&w);
	take_rooms(&w);
	admit(&w);
	if (s->in_turn)
		fill_in_turn(&w);
	else
		fill_together(&w);
	round_to_steps(&w);
	for (size_t i = 0; i < s->n_evses; i++) {
		out[i].ma = w.evses[i].ma / FINE;
		if (out[i].bound == ALLOC_NODE && w.evses[i].ma == w.evses[i].max)
			bound_by(&out[i], ALLOC_OWN, 0);
	}
}
