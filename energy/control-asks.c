/* What each EVSE asks for, and how it ranks among the others.
 *
 * Where shares go by need, two things count beside it. A car whose lines have current left is worth more than one that takes only what is
 * short: see slack.c. And who waits begins with some patience: only when a part of its room is free beside its minimum, wherever loads that
 * are not ours are measured. Else all who are served sit at their minimum, and the next load that is switched on pauses somebody instead of
 * lowering somebody. The fewer there are to lower, the less is kept free.
 *
 * Easy to get wrong: a car that has not drawn yet counts on all phases of its socket, and on a site whose lines are unevenly used it then waits
 * for one that it may not even have. It has half the patience, so that it gets to show what it is. */
#include <math.h>

#include "base/clock.h"
#include "energy/control-local.h"

#define ELASTIC 4                /* who waits, waits for this part of the room */
#define ELASTIC_SOCKETS 16       /* in full from so many on */
#define ELASTIC_ROTATIONS 24     /* who has waited for so many is not asked to */
#define PATIENT_PM 1000
#define UNKNOWN_PATIENT_PM 500
#define DOUBT 0.3                /* where a word moves shares it is mixed with what is usual; who is ready is counted by words alone */
#define PRIORITY_MOST 1000
#define SPARE_MA 2000            /* who was sent away comes back when this much more than its minimum is free, or its turn has come */
#define IDLE_US (60 * US_PER_S)
#define GRAIN_MA 100             /* OCPP limits have one decimal */
#define WHOLE_PPM 1000000

/* All that limits an EVSE by itself; what the nodes leave over comes later. */
int32_t control_asks(const struct seat *s)
{
	int32_t ma = s->widens ? 0 : s->conf->max_ma;
	if (s->unshown)
		ma = least(ma, s->min_ma);
	if (!s->conf->on_off)
		ma = least(ma, s->car.want_ma);
	if (s->cap)
		ma = least(ma, s->cap->ma);
	return least(least(ma, s->profile.ma), s->lost_ma);
}

int32_t control_step(const struct seat *s)
{
	return s->conf->step_ma > GRAIN_MA ? s->conf->step_ma : GRAIN_MA;
}

static int32_t volts(const struct control *c)
{
	return c->conf.voltage_mv ? c->conf.voltage_mv / 1000 : 230;
}

double control_most_w(const struct control *c, const struct seat *s)
{
	return (double)volts(c) * s->conf->n_lines * s->conf->max_ma / 1000;
}

/* What it would need on average until it leaves. */
static int32_t rate_of(const struct control *c, struct seat *s)
{
	struct need n = {
		.wh = s->need_wh,
		.got_wh = s->energy_wh - s->begun_wh,
		.left_s = s->depart_us ? (double)(s->depart_us - c->now_us) / US_PER_S : NAN,
		.age_s = (double)(c->now_us - s->arrived_us) / US_PER_S,
		.watt_per_ma = volts(c) * __builtin_popcount(car_phases(&s->car)) / 1000.0,
		.top_ma = s->car.top_ma,
		.most_w = control_most_w(c, s),
		.doubt = c->policy->by_need ? DOUBT : 0,
	};
	s->left_wh = (int32_t)fmin(need_wh_left(&c->usual, &n), INT32_MAX);
	return need_rate_ma(&c->usual, &n);
}

static int32_t priority_of(const struct seat *s)
{
	int64_t sum = (int64_t)s->conf->priority + s->favour;
	return sum > PRIORITY_MOST ? PRIORITY_MOST : sum < -PRIORITY_MOST ? -PRIORITY_MOST : (int32_t)sum;
}

static int32_t times(int32_t what, int64_t ppm)
{
	int64_t product = (int64_t)what * ppm / WHOLE_PPM;
	return product > INT32_MAX ? INT32_MAX : (int32_t)product;
}

static int32_t weight_of(const struct control *c, const struct seat *s, int64_t worth_ppm)
{
	int32_t weight = c->policy->weight(priority_of(s));
	if (!c->policy->by_need)
		return weight;
	weight = times(need_weight(s->rate_ma, s->car.top_ma) * weight / 10, worth_ppm);
	return weight < 1 ? 1 : weight;
}

static int32_t got_wh(const struct seat *s)
{
	double got = s->energy_wh - s->begun_wh;
	return got > 0 ? (int32_t)fmin(got, INT32_MAX) : 0; /* unknown: as if it had nothing yet */
}

static int32_t elastic(const struct control *c, size_t node, int64_t room)
{
	const struct junction *n = &c->nodes[node];
	int64_t sockets = n->sockets < ELASTIC_SOCKETS ? n->sockets : ELASTIC_SOCKETS;
	if (!n->meter || !c->policy->by_need || room <= 0 || room == NO_BOUND)
		return 0;
	return (int32_t)((room < ALLOC_MOST_MA ? room : ALLOC_MOST_MA) / ELASTIC * sockets / ELASTIC_SOCKETS);
}

int32_t control_spare(const struct control *c, size_t node)
{
	const struct junction *n = &c->nodes[node];
	int64_t room = ALLOC_MOST_MA;
	for (int l = 0; l < 3; l++)
		room = n->room[l] < room ? n->room[l] : room;
	return elastic(c, node, room);
}

int32_t control_spare_sum(const struct control *c, size_t node)
{
	return elastic(c, node, c->nodes[node].room[ALLOC_SUM]);
}

static int32_t patience_pm(const struct control *c, const struct seat *s)
{
	if (s->served_us || s->limit.ma < 0 || (s->waits_us && c->now_us - s->waits_us >= ELASTIC_ROTATIONS * c->conf.rotate_every_us))
		return 0;
	return s->car.used ? PATIENT_PM : UNKNOWN_PATIENT_PM;
}

static void rank(const struct control *c, size_t i, int64_t worth_ppm)
{
	struct seat *s = &c->seats[i];
	c->ranks[i] = (struct policy_evse){
		.priority = priority_of(s),
		.arrived_us = s->arrived_us,
		.served_us = s->served_us,
		.waits_us = s->waits_us,
		.rate_ma = times(s->rate_ma, worth_ppm),
		.got_wh = got_wh(s),
		.left_wh = s->left_wh,
		.hopeless = s->depart_us && s->rate_ma > s->car.top_ma + s->car.top_ma / 16,
		.pauses = s->pauses,
		.left = s->left,
		.unseen = !s->car.used,
		.idle = s->waits_us ? s->left_idle : s->car.idle_since_us && c->now_us - s->car.idle_since_us >= IDLE_US,
	};
	if (policy_just_left(&c->ranks[i], c->conf.rotate_every_us, c->now_us))
		c->asks[i].spare_ma = SPARE_MA;
}

/* Who is allowed more by whoever held it down is given that at once, to the last tenth. */
static void note_order(const struct control *c, struct seat *s)
{
	int32_t order = least(s->cap ? s->cap->ma : MA_NONE, s->profile.ma);
	if (order > s->order_ma && s->limit.ma > s->order_ma - control_step(s))
		s->eased_us = c->now_us;
	s->order_ma = order;
}

/* In what it takes, not in what it is offered. */
void control_ask(struct control *c, size_t i)
{
	struct seat *s = &c->seats[i];
	int32_t most = control_asks(s);
	bool plain = s->car.gain_pm == 1000 && s->car.top_ma >= s->conf->max_ma;
	int64_t worth_ppm = c->policy->by_need ? slack_worth_ppm(c, s) : WHOLE_PPM;
	note_order(c, s);
	s->asked_ma = most;
	s->min_ma = s->worth_ma > s->conf->min_ma && s->worth_ma <= most ? s->worth_ma : s->conf->min_ma;
	s->rate_ma = s->way == SEAT_SERVED ? rate_of(c, s) : 0;
	if (most < (s->conf->on_off ? s->conf->max_ma : s->min_ma))
		most = 0;
	c->asks[i] = (struct alloc_evse){
		.node = s->conf->node,
		.lines = control_lines(s),
		.min_ma = car_takes(&s->car, s->min_ma),
		.max_ma = s->way == SEAT_SERVED ? car_takes(&s->car, most) : 0,
		.step_ma = s->conf->on_off || !plain ? 1 : control_step(s),
		.weight = weight_of(c, s, worth_ppm),
		.patience_pm = patience_pm(c, s),
		.begins = s->limit.ma <= 0,
		.on_off = s->conf->on_off,
	};
	rank(c, i, worth_ppm);
}
