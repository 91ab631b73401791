/* Cars that take nothing, and are offered their minimum all the same.
 *
 * Who is full, or waits for a timer of its own, keeps an offer, so that it can begin when it likes; what it does not take goes to others. But
 * when many begin at once, as they do when a cheap hour begins, the devices above carry what is planned and all these offers on top, until the
 * cars have followed the next decision. So such offers are made only as far as every device above bears that for so long. The others wait
 * and take turns, as everybody does where there is too little.
 *
 * Easy to get wrong: who waits here must not look like somebody for whom there is room, nor be counted as one who wants it. */
#include "energy/control-local.h"

/* Of a device's limit. A breaker of type C opens after some 15 s of it at the earliest; a meter's sample, a message and a car's answer take 3 to 8. */
#define BEARS_PM 1800

static bool sleeps(const struct control *c, size_t i)
{
	const struct seat *s = &c->seats[i];
	return s->way == SEAT_SERVED && !s->conf->on_off && c->asks[i].max_ma > 0 && c->asks[i].min_ma < s->min_ma / 2;
}

static int64_t rest_of(const struct control *c, size_t i)
{
	return c->seats[i].min_ma - c->asks[i].min_ma;
}

/* What those who are awake may come to take. */
static void count_awake(struct control *c)
{
	for (size_t n = 0; n < c->site.parts.n_nodes; n++)
		for (int l = 0; l < 3; l++)
			c->free[n][l] = c->nodes[n].base[l] > 0 ? c->nodes[n].base[l] : 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		for (int l = 0; l < 3; l++) {
			int64_t ma = s->way != SEAT_SERVED ? s->fixed[l] : c->asks[i].lines & (1u << l) && !sleeps(c, i) ? c->asks[i].max_ma : 0;
			for (int n = s->conf->node; ma > 0 && n >= 0; n = c->nodes[n].conf->parent)
				c->free[n][l] += ma;
		}
	}
}

/* What is left beside them for those who sleep. */
static void leave_rest(struct control *c)
{
	for (size_t n = 0; n < c->site.parts.n_nodes; n++)
		for (int l = 0; l < 3; l++) {
			int64_t limit = c->nodes[n].conf->limit.l[l], awake = c->free[n][l] < limit ? c->free[n][l] : limit;
			c->free[n][l] = limit == MA_NONE ? NO_BOUND : limit * BEARS_PM / 1000 - awake;
		}
}

/* The node that bears no more of it, or -1. */
static int crowded(const struct control *c, size_t i, int *line_out)
{
	for (int n = c->seats[i].conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (int l = 0; l < 3; l++)
			if (c->asks[i].lines & (1u << l) && c->free[n][l] < rest_of(c, i)) {
				*line_out = l;
				return n;
			}
	return -1;
}

static void place(struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	int line = 0, node = crowded(c, i, &line);
	s->stands_back = node >= 0;
	if (s->stands_back) {
		c->asks[i].max_ma = 0;
		s->crowd_node = node;
		s->crowd_line = line;
		return;
	}
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (int l = 0; l < 3; l++)
			if (c->asks[i].lines & (1u << l))
				c->free[n][l] -= rest_of(c, i);
}

void control_sleepers(struct control *c)
{
	const struct policy *turns = policy_find(STRATEGY_FAIR);
	size_t n = 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		c->seats[i].stands_back = false;
		if (sleeps(c, i))
			c->work[n++] = (struct ranked){ turns->key(&c->ranks[i], c->conf.rotate_every_us, c->now_us), (int32_t)i };
	}
	if (!n)
		return;
	count_awake(c);
	leave_rest(c);
	rank_sort(c->work, n);
	for (size_t k = 0; k < n; k++)
		place(c, (size_t)c->work[k].index);
}
