/* Orders, reports and the time between them.
 *
 *   told --accepted--> moving --reported at or below, or settled--> steady
 *     |                   `--reported above after settling--------> unconfirmed
 *     `--refused, or no answer in time----------------------------> unconfirmed
 *
 * A higher limit counts from the moment it is sent, a lower one only when it is seen to be followed: a report at or below it, or, where a
 * station reports rarely, an answer and the time a car may take (IEC 61851-1 gives it 5 s). Before the first limit of a transaction a station
 * goes by its default profile, the fallback.
 *
 * A car tells by its draw on how many phases it charges; before it has drawn for a while all its socket's phases count. It also tells how
 * much it can use: when it takes clearly less than it may for some time, the rest is better offered to others. Cars take a little less than
 * offered even when they would take more, so "clearly" has a slope: without it, offer and draw would chase each other down. Some take more than
 * they are offered, all the time: below a node without a meter only their own reports show that, so it is learnt as well. */
#include "energy/car.h"

#include <string.h>

#include "base/clock.h"

#define SETTLE_US (8 * US_PER_S)       /* message, pilot, car */
#define LAGS_US (4 * US_PER_S)
#define ANSWER_US (10 * US_PER_S)
#define CLIMB_MA 1000
#define FRESH_US (75 * US_PER_S)       /* stations report every 10 to 60 s */
#define LEARN_US (25 * US_PER_S)
#define LEARN_AGAIN_US (120 * US_PER_S) /* that it uses no more than one, when it was told to use one before: its station may be slow to change over */
#define UNUSED_US (25 * US_PER_S)
#define REAL_MA 1000                   /* above this a phase is used */
#define IDLE_MA 500
#define EXCESS_MA 1000                 /* a report so far above the limit is not meter error */
#define HEADROOM_MA 1500
#define TOP_SLACK_MA 50
#define MORE_MA 300
#define GAIN_LEAST_PM 930
#define GAIN_REPORTS 3
#define GAIN_MOST_PM 1200              /* some draw more than they are told; beyond this they do not listen */
#define OVER_MA 200                    /* what is less above its limit is rounding */

/* What a car that takes all it can get draws at this offer: on-board chargers reach 0.93 to 1 of it. */
static int32_t usual(int32_t offer_ma)
{
	return (int32_t)((int64_t)offer_ma * 94 / 100);
}

void car_init(struct car *c, const struct evse_conf *conf)
{
	memset(c, 0, sizeof(*c));
	c->conf = conf;
	c->told_ma = c->accepted_ma = -1;
	c->force_ma = c->alone_ma = conf->fallback_ma;
	c->want_ma = c->top_ma = conf->max_ma;
	c->gain_pm = 1000;
}

/* For another car: what is known of the station stays. */
static void renew(struct car *c)
{
	struct car was = *c;
	car_init(c, was.conf);
	c->alone_ma = was.alone_ma;
	c->unproved = was.unproved;
	c->force_ma = was.alone_ma;
}

void car_proved(struct car *c, bool proved, bool runs)
{
	c->unproved = !proved;
	if (!proved && runs && c->conf->max_ma > c->force_ma)
		c->force_ma = c->conf->max_ma;
}

void car_begin(struct car *c, int64_t now_us)
{
	struct car was = *c;
	renew(c);
	car_proved(c, !was.unproved, true);
	if (!car_fresh(&was, now_us))
		return;
	memcpy(c->drawn, was.drawn, sizeof(c->drawn));
	c->drawn_us = was.drawn_us;
}

void car_end(struct car *c, int64_t now_us)
{
	renew(c);
	c->drawn_us = now_us;
}

void car_told(struct car *c, int32_t ma, int64_t now_us)
{
	if (ma == c->told_ma) {
		/* A repetition moves nothing; of one that was refused or lost the answer is awaited, but until then it stays so. */
		c->answered = c->answered && !c->refused;
		return;
	}
	c->told_ma = ma;
	c->told_us = now_us;
	c->answered = c->refused = false;
	if (ma < c->force_ma)
		return;
	c->force_ma = ma;
	c->back = false;
}

void car_answered(struct car *c, int32_t ma, bool accepted, int64_t now_us)
{
	if (accepted)
		c->accepted_ma = ma;
	if (ma != c->told_ma || c->answered)
		return; /* to an order that has been replaced, or to the repetition of an accepted one */
	c->answered = true;
	c->refused = !accepted;
	c->accepted_us = now_us;
}

static int32_t most_of(const struct car *c)
{
	int32_t most = 0;
	for (int p = 0; p < c->conf->n_lines; p++)
		if (c->drawn[p] > most)
			most = c->drawn[p];
	return most;
}

int32_t car_excess(int32_t offer_ma)
{
	return offer_ma / 16 + EXCESS_MA;
}

static bool excessive(const struct car *c)
{
	return most_of(c) > c->told_ma + car_excess(c->told_ma);
}

/* A car that feeds back is awake, and says nothing about what it could take. */
static bool feeds_back(const struct car *c)
{
	for (int p = 0; p < c->conf->n_lines; p++)
		if (c->drawn[p] < -REAL_MA)
			return true;
	return false;
}

/* It is offered something and had not begun when it said so last: it may begin at any moment, and is planned with. */
static bool may_begin(const struct car *c)
{
	return c->told_ma > 0 && most_of(c) < IDLE_MA && !feeds_back(c);
}

/* Whether the last report was made when the last order must have had its effect. */
static bool settled_report(const struct car *c)
{
	return c->drawn_us && c->drawn_us >= c->told_us + SETTLE_US && (!c->answered || c->drawn_us >= c->accepted_us + SETTLE_US);
}

/* After one phase, what it drew on that still comes in. Only what it draws by a limit for all phases says which of them it uses. */
static bool tells_phases(const struct car *c)
{
	return !c->may && (!c->widened || (c->told_ma > 0 && settled_report(c)));
}

static uint8_t draws_on(const struct car *c)
{
	uint8_t now = 0;
	for (int p = 0; p < c->conf->n_lines; p++)
		if (c->drawn[p] > REAL_MA)
			now |= (uint8_t)(1u << p);
	return now;
}

static void learn_phases(struct car *c)
{
	uint8_t now = draws_on(c);
	if (c->may && now && (now & ~c->may || (c->told_ma > 0 && settled_report(c))))
		c->keeps = !(now & ~c->may);
	if (!tells_phases(c))
		return;
	c->widened = false;
	c->seen |= now;
	c->draws_since_us = !now ? 0 : c->draws_since_us ? c->draws_since_us : c->drawn_us;
	int64_t long_us = c->was_alone && __builtin_popcount(c->seen) == 1 ? LEARN_AGAIN_US : LEARN_US;
	if (c->used || (c->draws_since_us && c->drawn_us - c->draws_since_us >= long_us))
		c->used = c->seen;
}

/* What part of an offer it takes when it takes all it can get, or what more than that. The highest counts; what was seen long ago fades. */
static void note_gain(struct car *c, int32_t most)
{
	int32_t pm = (int32_t)((int64_t)most * 1000 / c->told_ma), highest = most > c->told_ma + OVER_MA ? GAIN_MOST_PM : 1000;
	pm = pm > highest ? highest : pm;
	if (pm < GAIN_LEAST_PM - 10 || most >= c->top_ma)
		return;
	c->gain_seen_pm = pm > c->gain_seen_pm ? pm : c->gain_seen_pm - (c->gain_seen_pm - pm) / 8;
	if (++c->gain_seen < GAIN_REPORTS)
		return;
	c->gain_pm = c->gain_seen_pm < GAIN_LEAST_PM ? GAIN_LEAST_PM : c->gain_seen_pm;
}

static void note_use(struct car *c)
{
	int32_t most = most_of(c);
	if (feeds_back(c)) {
		c->low_since_us = c->idle_since_us = 0;
		return;
	}
	bool steady = c->told_ma > 0 && c->answered && settled_report(c);
	if (steady && !c->conf->on_off)
		note_gain(c, most);
	if (most > c->top_ma + MORE_MA) {
		c->want_ma = c->conf->max_ma; /* it can take more than was thought */
		c->top_ma = most > c->conf->max_ma ? most : c->conf->max_ma;
	} else if (most > c->top_ma) {
		c->top_ma = most;
	}
	bool low = steady && !c->conf->on_off && most < usual(c->told_ma) - 1200;
	c->low_since_us = !low ? 0 : c->low_since_us ? c->low_since_us : c->drawn_us;
	bool idle = steady && most < IDLE_MA;
	c->idle_since_us = !idle ? 0 : c->idle_since_us ? c->idle_since_us : c->drawn_us;
}

/* A car that draws and stays below its limit, or one that has been paused. */
static bool shows_it(const struct car *c)
{
	return settled_report(c) && (most_of(c) > REAL_MA || c->told_ma == 0);
}

static void follows(struct car *c)
{
	c->force_ma = c->told_ma;
	c->back = false;
}

void car_draws(struct car *c, const int32_t own_ma[3], int64_t now_us)
{
	int32_t before = most_of(c);
	memcpy(c->drawn, own_ma, sizeof(c->drawn));
	c->drawn_us = now_us;
	c->climbs = most_of(c) > before + CLIMB_MA && most_of(c) + CLIMB_MA < car_takes(c, c->told_ma);
	learn_phases(c);
	note_use(c);
	if (c->answered && !c->refused && c->told_ma < c->force_ma && now_us > c->accepted_us && !excessive(c) && (!c->unproved || shows_it(c)) &&
	    (!c->back || settled_report(c)))
		follows(c);
}

void car_step(struct car *c, int64_t now_us)
{
	if (c->answered && !c->refused && !c->unproved && c->told_ma < c->force_ma && now_us >= c->accepted_us + SETTLE_US &&
	    !(car_fresh(c, now_us) && settled_report(c) && excessive(c)))
		follows(c);
	if (c->low_since_us && now_us - c->low_since_us >= UNUSED_US) {
		int32_t want = (int32_t)((int64_t)most_of(c) * 100 / 94) + HEADROOM_MA;
		want -= want % 100;
		if (want < c->conf->min_ma)
			want = c->conf->min_ma;
		if (want < c->want_ma)
			c->want_ma = want;
		if (most_of(c) + TOP_SLACK_MA < c->top_ma)
			c->top_ma = most_of(c) + TOP_SLACK_MA;
	}
}

void car_woken(struct car *c, int64_t now_us)
{
	c->top_ma = c->conf->max_ma;
	c->low_since_us = now_us;
}

void car_may(struct car *c, uint8_t phases)
{
	c->widened = c->widened || (c->may && !phases);
	c->was_alone = !phases && (c->may || c->was_alone);
	c->may = phases;
	c->keeps = false;
	if (!phases) {
		c->used = c->seen = 0;
		c->draws_since_us = 0;
	}
}

uint8_t car_phases(const struct car *c)
{
	return c->may ? c->may : c->used ? c->used : (uint8_t)((1u << c->conf->n_lines) - 1);
}

uint8_t car_might(const struct car *c)
{
	if (!c->may || c->keeps)
		return car_phases(c);
	return c->used ? c->used : (uint8_t)((1u << c->conf->n_lines) - 1);
}

bool car_fresh(const struct car *c, int64_t now_us)
{
	return c->drawn_us && now_us - c->drawn_us <= FRESH_US;
}

bool car_lags(const struct car *c)
{
	return c->told_ma >= 0 && c->told_ma < c->force_ma && c->drawn_us >= c->told_us + LAGS_US && excessive(c);
}

bool car_owes(const struct car *c, int64_t now_us)
{
	bool silent = c->answered && !c->refused && !car_fresh(c, now_us) && now_us >= c->accepted_us + SETTLE_US;
	bool says_so = c->drawn_us > c->told_us && !excessive(c);
	return c->told_ma >= 0 && c->told_ma < c->force_ma && !silent && !says_so;
}

enum car_follows car_follows(const struct car *c, int64_t now_us)
{
	if (c->told_ma < 0)
		return CAR_STEADY;
	if (c->refused || (!c->answered && now_us - c->told_us >= ANSWER_US))
		return CAR_UNCONFIRMED;
	if (c->answered && car_fresh(c, now_us) && settled_report(c) && excessive(c))
		return CAR_UNCONFIRMED;
	if (!c->answered || c->told_ma < c->force_ma || now_us < c->told_us + SETTLE_US)
		return CAR_MOVING;
	return CAR_STEADY;
}

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

int32_t car_takes(const struct car *c, int32_t offer_ma)
{
	int64_t ma = ((int64_t)offer_ma * c->gain_pm + 999) / 1000;
	if (offer_ma <= 0)
		return 0;
	return c->conf->on_off ? offer_ma : ma < c->top_ma ? (int32_t)ma : c->top_ma;
}

int32_t car_offer(const struct car *c, int32_t take_ma)
{
	return c->conf->on_off || take_ma <= 0 ? take_ma : (int32_t)((int64_t)take_ma * 1000 / c->gain_pm);
}

int32_t car_held(const struct car *c, int phase, int64_t now_us)
{
	bool fresh = car_fresh(c, now_us), accepted = c->answered && !c->refused;
	int32_t drawn = fresh ? larger(c->drawn[phase], 0) : 0;
	bool rises = c->back || (car_follows(c, now_us) == CAR_UNCONFIRMED && !accepted);
	if (!(car_phases(c) & (1u << phase)))
		return drawn;
	if (c->told_ma < 0 || c->told_ma >= c->force_ma)
		return larger(car_takes(c, c->force_ma), drawn);
	if (rises)
		return larger(car_takes(c, c->force_ma), drawn); /* it may go up again to its old limit whatever it draws now */
	return larger(car_takes(c, c->told_ma), fresh && drawn < c->force_ma ? drawn : car_takes(c, c->force_ma));
}

void car_range(const struct car *c, int phase, int64_t now_us, int32_t *low_out, int32_t *high_out)
{
	bool counts = car_phases(c) & (1u << phase), fresh = car_fresh(c, now_us);
	bool arrived = c->told_ma >= 0 && car_follows(c, now_us) != CAR_MOVING;
	/* As plans count them: what is believed to be drawn and is not planned with would be missing from the base load. */
	int32_t offer = counts ? car_takes(c, c->told_ma) : 0, force = counts ? car_takes(c, c->force_ma) : 0, drawn = c->drawn[phase];
	if (fresh && (settled_report(c) || c->told_ma < 0)) {
		*low_out = *high_out = drawn;
		if (c->told_ma < 0 || c->climbs || may_begin(c))
			*high_out = larger(drawn, c->told_ma < 0 ? force : offer);
	} else if (fresh) {
		*low_out = drawn < offer ? drawn : offer;
		*high_out = arrived && offer < drawn ? offer : larger(drawn, force);
	} else {
		*low_out = arrived ? offer : 0;
		*high_out = arrived ? offer : force;
	}
}

void car_reported(const struct car *c, int phase, int64_t now_us, int32_t *low_out, int32_t *high_out)
{
	int32_t drawn = c->drawn[phase], offer = c->told_ma < 0 ? c->force_ma : c->told_ma;
	bool fresh = car_fresh(c, now_us), settled = fresh && c->told_ma >= 0 && settled_report(c);
	*low_out = settled || (fresh && drawn < offer) ? drawn : fresh ? offer : 0;
	*high_out = settled ? drawn : larger(fresh ? drawn : 0, fresh ? larger(offer, c->force_ma) : c->conf->max_ma);
}

void car_relinked(struct car *c)
{
	c->force_ma = larger(larger(c->force_ma, c->told_ma), c->alone_ma);
	c->told_ma = -1;
	c->answered = c->refused = false;
	c->back = true;
}
