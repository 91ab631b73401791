/* Points are stepped one after another, then their currents are added up from the leaves: nodes are numbered with parents before children,
 * so one walk backwards sums the tree. */
#include "gateway/sim/world.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define NODES_MOST 16

struct node {
	int parent;
	double load_a[3], below_a[3];
};

struct point {
	int node, phases;
	uint8_t lines[3];
	bool plugged, closed;
	int32_t offered_ma;
	struct car car;
	double before_wh; /* what earlier cars took */
};

struct world {
	struct node nodes[NODES_MOST];
	int n_nodes;
	struct point *points;
	int n_points;
};

struct world *world_open(void)
{
	return NEW(struct world);
}

void world_close(struct world *w)
{
	mem_free(w->points);
	mem_free(w);
}

int world_node(struct world *w, int parent)
{
	assert(w->n_nodes < NODES_MOST && parent < w->n_nodes);
	w->nodes[w->n_nodes] = (struct node){ .parent = parent };
	return w->n_nodes++;
}

int world_point(struct world *w, int node, const uint8_t lines[3], int phases)
{
	assert(node < w->n_nodes);
	w->points = mem_grow(w->points, ((size_t)w->n_points + 1) * sizeof(*w->points));
	struct point *p = &w->points[w->n_points];
	*p = (struct point){ .node = node, .phases = phases };
	memcpy(p->lines, lines, sizeof(p->lines));
	return w->n_points++;
}

static void sum_up(struct world *w)
{
	for (int i = 0; i < w->n_nodes; i++)
		memset(w->nodes[i].below_a, 0, sizeof(w->nodes[i].below_a));
	for (int i = 0; i < w->n_points; i++) {
		const struct point *p = &w->points[i];
		for (int k = 0; k < p->phases; k++)
			w->nodes[p->node].below_a[p->lines[k]] += p->plugged ? p->car.i_a[k] : 0;
	}
	for (int i = w->n_nodes - 1; i >= 0; i--) {
		const struct node *n = &w->nodes[i];
		for (int k = 0; k < 3 && n->parent >= 0; k++)
			w->nodes[n->parent].below_a[k] += n->load_a[k] + n->below_a[k];
	}
}

void world_load(struct world *w, int node, const double i_a[3])
{
	memcpy(w->nodes[node].load_a, i_a, sizeof(w->nodes[node].load_a));
	sum_up(w);
}

void world_plug(struct world *w, int point, const struct car_conf *car)
{
	struct point *p = &w->points[point];
	world_unplug(w, point);
	car_plug(&p->car, car);
	p->plugged = true;
}

void world_unplug(struct world *w, int point)
{
	struct point *p = &w->points[point];
	p->before_wh += p->car.energy_wh;
	memset(&p->car, 0, sizeof(p->car));
	p->plugged = false;
	sum_up(w);
}

void world_offer(struct world *w, int point, bool closed, int32_t offered_ma)
{
	w->points[point].closed = closed;
	w->points[point].offered_ma = offered_ma;
}

void world_step(struct world *w, int64_t dt_us)
{
	for (int i = 0; i < w->n_points; i++) {
		struct point *p = &w->points[i];
		if (p->plugged)
			car_elapse(&p->car, p->offered_ma, p->closed, dt_us);
	}
	sum_up(w);
}

void world_currents(const struct world *w, int node, double out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = w->nodes[node].load_a[i] + w->nodes[node].below_a[i];
}

void world_input(const struct world *w, int point, struct evse_input *out)
{
	const struct point *p = &w->points[point];
	*out = (struct evse_input){ .plugged = p->plugged, .wants_energy = p->plugged && p->car.wants, .closed = p->closed };
	out->energy_wh = world_delivered_wh(w, point);
	for (int i = 0; i < 3; i++) {
		bool has = i < p->phases;
		out->i_a[i] = has ? p->car.i_a[i] : NAN;
		out->v[i] = has ? WORLD_VOLTS : NAN;
	}
}

bool world_is_full(const struct world *w, int point)
{
	return w->points[point].plugged && car_is_full(&w->points[point].car);
}

double world_delivered_wh(const struct world *w, int point)
{
	return w->points[point].before_wh + w->points[point].car.energy_wh;
}

/* --- what happened at a limit --- */

/* A thousandth forgives sums of exact settings their binary form. */
static bool above(const double i_a[3], double limit_a)
{
	return fmax(i_a[0], fmax(i_a[1], i_a[2])) > limit_a + 1e-3;
}

static void react(struct world_guard *g, int64_t now_us)
{
	if (g->exceeded && g->n_reactions < WORLD_JUMPS)
		g->reactions_us[g->n_reactions++] = now_us - g->jumped_us;
	g->jumped_us = 0;
	g->exceeded = false;
}

void world_guard_feed(struct world_guard *g, const double i_a[3], int64_t now_us, int64_t dt_us)
{
	bool over_goal = above(i_a, g->goal_a);
	for (int i = 0; i < 3; i++)
		g->peak_a[i] = fmax(g->peak_a[i], i_a[i]);
	if (above(i_a, g->limit_a))
		g->over_us += dt_us;
	if (!g->jumped_us)
		return;
	if (!over_goal)
		react(g, now_us);
	else
		g->exceeded = true;
}

void world_guard_jump(struct world_guard *g, int64_t now_us)
{
	if (!g->jumped_us)
		g->jumped_us = now_us;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

int64_t world_guard_p95_us(const struct world_guard *g)
{
	int64_t sorted[WORLD_JUMPS];
	if (!g->n_reactions)
		return 0;
	memcpy(sorted, g->reactions_us, sizeof(sorted));
	qsort(sorted, (size_t)g->n_reactions, sizeof(sorted[0]), by_time);
	return sorted[(g->n_reactions * 95 + 99) / 100 - 1];
}

int world_guard_worst(const struct world_guard *g)
{
	int worst = 0;
	for (int i = 1; i < 3; i++)
		worst = g->peak_a[i] > g->peak_a[worst] ? i : worst;
	return worst;
}
