/* From a number accepted to a current seen:
 *
 *   told --response--> late --patience--> stubborn
 *     |                  `--draws less--> slow
 *     `--draws as told--> follows;  a little more than told, steadily --> overshoot
 *
 * Easy to get wrong: a car that draws less than it may proves nothing, it may want no more. It proves that its station follows when it draws
 * close to a limit below its maximum, or stops when it is paused. And a car that does not draw is asleep only when it was paused before, or has
 * never drawn: a full one is done. */
#include "energy/follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define ASLEEP_RESPONSES 4
#define STEADY_US (10 * US_PER_S)    /* a small excess has to last */
#define PHASES_US (25 * US_PER_S)
#define REAL_MA 1000                 /* a phase in use, a car that draws */
#define IDLE_MA 500
#define METER_MA 500                 /* no station's meter is better than this */
#define LITTLE_PERMILLE 40           /* more than this above a limit is not meter error */
#define MOST_PERMILLE 300            /* more than this is not overshoot */

const char *conduct_text(enum conduct c)
{
	static const char *const words[CONDUCTS] = { "unknown", "follows", "refused", "late", "slow", "stubborn", "default", "overshoot", "asleep", "no_meter_values" };
	return words[c];
}

void follow_init(struct follow *f)
{
	memset(f, 0, sizeof(*f));
	f->told_ma = -1;
}

void follow_again(struct follow *f, int64_t now_us)
{
	f->told_us = now_us;
	f->excess_us = f->default_us = 0;
	f->conduct = CONDUCT_UNKNOWN;
	f->since_us = now_us;
}

static int32_t most_of(const struct follow_facts *n)
{
	int32_t most = 0;
	for (int i = 0; i < n->n_lines; i++)
		if (n->drawn_ma[i] > most)
			most = n->drawn_ma[i];
	return most;
}

static void note_told(struct follow *f, const struct follow_facts *n)
{
	if (n->told_ma == f->told_ma)
		return;
	f->before_ma = f->seen_ma;
	f->told_ma = n->told_ma;
	f->told_us = n->now_us;
	f->excess_us = f->idle_us = f->default_us = 0;
	f->paused = f->paused || n->told_ma == 0;
}

static void note_phases(struct follow *f, const struct follow_facts *n)
{
	uint8_t now = 0;
	for (int i = 0; i < n->n_lines; i++)
		if (n->drawn_ma[i] > REAL_MA)
			now |= (uint8_t)(1u << i);
	if (now != f->using_now || !now)
		f->used_us = n->now_us;
	f->using_now = now;
	if (now && n->now_us - f->used_us >= PHASES_US)
		f->phases = now;
}

/* How much more than told, in thousandths; 0 where it could be the meter. */
static int excess_of(const struct follow_facts *n)
{
	int32_t most = most_of(n), over = most - n->told_ma;
	if (over <= METER_MA)
		return 0;
	if (n->told_ma <= 0)
		return most > REAL_MA ? 1000 : 0;
	int permille = (int)((int64_t)over * 1000 / n->told_ma);
	return permille > LITTLE_PERMILLE ? permille : 0;
}

/* Told less, and draws what it drew before. */
static bool unmoved(const struct follow *f, const struct follow_facts *n)
{
	return f->before_ma - f->told_ma > 3 * METER_MA && abs(most_of(n) - f->before_ma) <= METER_MA;
}

static int64_t told_for(const struct follow *f, const struct follow_facts *n)
{
	int64_t from = n->accepted_us > f->told_us ? n->accepted_us : f->told_us;
	return n->now_us - from;
}

static enum conduct judge_excess(struct follow *f, const struct follow_facts *n, int permille)
{
	int64_t since = told_for(f, n);
	if (!f->excess_us)
		f->excess_us = n->now_us;
	if (since < n->response_us)
		return f->conduct;
	bool little = permille <= MOST_PERMILLE && !unmoved(f, n);
	if (little && n->now_us - f->excess_us >= STEADY_US) {
		f->over_permille = permille > f->over_permille ? permille : f->over_permille;
		return CONDUCT_OVERSHOOT;
	}
	if (little)
		return f->conduct;
	return since < 2 * n->response_us ? CONDUCT_LATE : CONDUCT_STUBBORN;
}

/* By the negative currents that its station tells. */
static bool feeds_back(const struct follow_facts *n)
{
	for (int i = 0; i < n->n_lines; i++)
		if (n->drawn_ma[i] < -IDLE_MA)
			return true;
	return false;
}

static bool sleeps(struct follow *f, const struct follow_facts *n)
{
	bool idle = n->told_ma >= n->min_ma && most_of(n) < IDLE_MA && !feeds_back(n) && (!f->drew || f->paused) && !(n->ended_itself && f->drew && !f->paused);
	f->idle_us = !idle ? 0 : f->idle_us ? f->idle_us : n->now_us;
	return idle && n->now_us - f->idle_us >= ASLEEP_RESPONSES * n->response_us;
}

/* It goes by a number that is not its own maximum. */
static bool proves(const struct follow *f, const struct follow_facts *n)
{
	int32_t most = most_of(n);
	if (n->told_ma == 0)
		return f->before_ma > REAL_MA && most < IDLE_MA;
	int32_t close_ma = n->told_ma / 8 > REAL_MA ? n->told_ma / 8 : REAL_MA - 1;
	return n->told_ma <= n->max_ma - 2 * REAL_MA && most >= n->told_ma - close_ma && n->told_ma != f->before_ma;
}

/* It is allowed clearly more, and stays where its default is. */
static bool keeps_default(struct follow *f, const struct follow_facts *n)
{
	bool there = n->alone_ma > REAL_MA && n->told_ma >= n->alone_ma + 3 * REAL_MA && abs(most_of(n) - n->alone_ma) <= METER_MA;
	f->default_us = !there ? 0 : f->default_us ? f->default_us : n->now_us;
	return there && n->now_us - f->default_us >= ASLEEP_RESPONSES * n->response_us;
}

static enum conduct judge_draw(struct follow *f, const struct follow_facts *n)
{
	int permille = excess_of(n);
	f->within = !permille;
	if (permille)
		return judge_excess(f, n, permille);
	f->excess_us = 0;
	if (f->conduct == CONDUCT_LATE || f->conduct == CONDUCT_STUBBORN) {
		f->response_us = told_for(f, n);
		f->proved = true;
		return CONDUCT_SLOW;
	}
	if (sleeps(f, n))
		return CONDUCT_ASLEEP;
	if (keeps_default(f, n))
		return CONDUCT_DEFAULT;
	f->proved = f->proved || proves(f, n);
	if (most_of(n) > REAL_MA)
		f->paused = false;
	if (f->conduct == CONDUCT_OVERSHOOT && f->over_permille)
		return CONDUCT_OVERSHOOT; /* it is told less because of it */
	return f->proved ? CONDUCT_FOLLOWS : f->conduct == CONDUCT_SILENT || f->conduct == CONDUCT_ASLEEP || f->conduct == CONDUCT_DEFAULT || f->conduct == CONDUCT_REFUSED ? CONDUCT_UNKNOWN : f->conduct;
}

static enum conduct judge(struct follow *f, const struct follow_facts *n)
{
	int64_t heard_us = n->drawn_us > f->ran_us ? n->drawn_us : f->ran_us;
	if (n->told_ma < 0)
		return CONDUCT_UNKNOWN;
	if (n->answer == ANSWER_REFUSED)
		return CONDUCT_REFUSED;
	if (n->told_ma > 0 && n->now_us - heard_us >= n->silent_us)
		return CONDUCT_SILENT;
	if (n->answer != ANSWER_ACCEPTED || n->drawn_us <= f->told_us)
		return f->conduct == CONDUCT_SILENT || f->conduct == CONDUCT_REFUSED ? CONDUCT_UNKNOWN : f->conduct;
	return judge_draw(f, n);
}

bool follow_step(struct follow *f, const struct follow_facts *n)
{
	enum conduct was = f->conduct;
	if (!n->running || !n->online) {
		if (!n->running)
			follow_init(f);
		return was != f->conduct;
	}
	if (!f->ran_us)
		f->ran_us = n->now_us;
	note_told(f, n);
	note_phases(f, n);
	f->drew = f->drew || most_of(n) > REAL_MA;
	f->within = false;
	f->conduct = judge(f, n);
	f->seen_ma = most_of(n);
	if (f->conduct != was)
		f->since_us = n->now_us;
	return f->conduct != was;
}
