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

static void take(struct control *c, size_t i, int64_t ma)
{
	for (int l = 0; l < 3; l++)
		if (c->asks[i].lines & (1u << l))
			control_take(c, c->seats[i].conf->node, l, ma, false);
}

/* c->free: less than nothing by what those who are awake, and the building, may come to take. */
static void count_awake(struct control *c)
{
	for (size_t n = 0; n < c->site.parts.n_nodes; n++)
		for (int l = 0; l < 3; l++)
			c->free[n][l] = c->nodes[n].base[l] > 0 ? -c->nodes[n].base[l] : 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (s->way == SEAT_SERVED && !sleeps(c, i))
			take(c, i, c->asks[i].max_ma);
		for (int l = 0; l < 3 && s->way != SEAT_SERVED; l++)
			if (s->fixed[l] > 0)
				control_take(c, s->conf->node, l, s->fixed[l], false);
	}
}

/* What is left beside them for those who sleep. */
static void leave_rest(struct control *c)
{
	for (size_t n = 0; n < c->site.parts.n_nodes; n++)
		for (int l = 0; l < 3; l++) {
			int64_t limit = c->nodes[n].conf->limit.l[l], awake = -c->free[n][l] < limit ? -c->free[n][l] : limit;
			c->free[n][l] = limit == MA_NONE ? NO_BOUND : limit * BEARS_PM / 1000 - awake;
		}
}

/* Whether every node above bears it when so much more flows; else the one that does not. */
static bool borne(struct control *c, size_t i, int64_t more_ma)
{
	struct seat *s = &c->seats[i];
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		for (int l = 0; l < 3; l++)
			if (c->asks[i].lines & (1u << l) && c->free[n][l] < more_ma) {
				s->crowd_node = n;
				s->crowd_line = l;
				return false;
			}
	return true;
}

/* With the offer that it has, which may be from the time when it took it; else with its minimum; else with none. */
static void place(struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	int32_t takes = c->asks[i].min_ma, has = s->limit.ma > s->min_ma ? s->limit.ma : s->min_ma;
	int32_t beside = s->limit.ma > 0 ? 0 : 2 * s->min_ma; /* who has none does not come and go with every ampere that somebody else asks for */
	if (borne(c, i, has - takes + beside)) {
		take(c, i, has - takes);
	} else if (borne(c, i, s->min_ma - takes + beside)) {
		s->borne_ma = s->asked_ma = s->min_ma;
		take(c, i, s->min_ma - takes);
	} else {
		s->borne_ma = s->asked_ma = c->asks[i].max_ma = 0;
	}
}

void control_sleepers(struct control *c)
{
	const struct policy *turns = policy_find(STRATEGY_FAIR);
	size_t n = 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		c->seats[i].borne_ma = MA_NONE;
		if (sleeps(c, i))
			c->work[n++] = (struct ranked){ turns->key(&c->ranks[i], 4 * c->conf.rotate_every_us, c->now_us), (int32_t)i };
	}
	if (!n)
		return;
	count_awake(c);
	leave_rest(c);
	rank_sort(c->work, n);
	for (size_t k = 0; k < n; k++)
		place(c, (size_t)c->work[k].index);
}
