/* The policies as rows.
 *
 * When not everyone gets its minimum, who waits is settled in classes: who is served and in its turn stays (the one served last is the last
 * to be sent away), then who waits, longest first, then who has had its turn, then who was sent away only just now, then who is served and
 * takes nothing, then who was sent away because of that. A turn lasts rotate_every; at its end the car changes class and the longest waiting one passes it. Without the class of
 * those who just left, cars that started together would push each other out in a ring, tick by tick. If nobody waits, the order changes
 * nothing. Since a wait only grows and a turn ends, everybody's turn comes; a priority makes a wait count for more, not for all.
 *
 * By energy it is who has got least in its session, for its minimum and for what is left, in steps: two cars of the same step would else pass
 * each other at every reading. Within a step who is served stays, then who came first is first. Who waits gets nothing, so its turn comes
 * as the others' steps rise; who is served and takes nothing comes last, or it would hold its place for ever.
 *
 * Where vehicles have to be ready, fairness is the wrong aim: half a charge for everybody is no vehicle on the road. Then who needs least more
 * comes first and has all it can take, which brings the most of them to their end; who cannot make it any more comes after all who can.
 *
 * First come is the exception by its nature: who came first has all it can take, and the last may wait until somebody leaves.
 *
 * By deadline the most urgent comes first. Who is served is passed only by somebody several times as urgent, and who was paused before by
 * hardly anybody: a pause costs a message, a contactor's life and sometimes the whole charge. But who has been served for many turns counts
 * for less with each more, and who has not had any for some counts for more, or the same cars would be served all day. */
#include "energy/policy.h"

#include "base/clock.h"

enum { IN_TURN, WAITS, HAD_ITS_TURN, JUST_LEFT, IDLE, LEFT_IDLE };
#define CLASS(n) ((int64_t)(n) << 58)
#define LATEST (INT64_C(1) << 57)

static int32_t weight_even(int32_t priority)
{
	(void)priority;
	return 1;
}

/* Priority 10 doubles a share, 20 triples it; below normal it shrinks to a tenth at most. */
static int32_t weight_of_priority(int32_t priority)
{
	return priority > 90 ? 100 : priority < -9 ? 1 : 10 + priority;
}

bool policy_just_left(const struct policy_evse *e, int64_t rotate_us, int64_t now_us)
{
	return e->left && e->waits_us && now_us - e->waits_us < rotate_us / 4;
}

static int64_t rotating_key(const struct policy_evse *e, int32_t weight, int64_t rotate_us, int64_t now_us)
{
	if (!e->served_us) {
		int64_t wait = e->waits_us ? now_us - e->waits_us : 0;
		int class = e->left && e->idle && wait < rotate_us ? LEFT_IDLE : policy_just_left(e, rotate_us, now_us) ? JUST_LEFT : WAITS;
		return CLASS(class) + LATEST - wait * weight;
	}
	if (e->idle)
		return CLASS(IDLE) + LATEST - e->served_us;
	return CLASS(now_us - e->served_us < rotate_us || rotate_us <= 0 ? IN_TURN : HAD_ITS_TURN) + LATEST - e->served_us;
}

static int64_t key_fair(const struct policy_evse *e, int64_t rotate_us, int64_t now_us)
{
	return rotating_key(e, 1, rotate_us, now_us);
}

static int64_t key_priority(const struct policy_evse *e, int64_t rotate_us, int64_t now_us)
{
	int32_t weight = weight_of_priority(e->priority);
	/* The weight itself settles it between those who have not waited yet. */
	return rotating_key(e, weight, rotate_us, now_us) - (e->served_us ? 0 : weight);
}

#define IN_TURN_COUNTS 12
#define SERVED_COUNTS 4
#define PAUSED_COUNTS 4
#define SERVED_TURNS 6               /* after so many its urgency is halved by each more */
#define WAITED_TURNS 4               /* and doubled for who has not been served yet */
#define UNSEEN_TURNS 1               /* or is not known yet: it may need less than its socket has */
#define TURNS_MOST 12                /* more count no more */

/* Whole turns beyond `free`. */
static int turns_beyond(int64_t since_us, int free, int64_t rotate_us, int64_t now_us)
{
	int64_t turns = rotate_us > 0 && since_us ? (now_us - since_us) / rotate_us - free : 0;
	return turns < 0 ? 0 : turns > TURNS_MOST ? TURNS_MOST : (int)turns;
}

static int64_t key_deadline(const struct policy_evse *e, int64_t rotate_us, int64_t now_us)
{
	int64_t urgency = ((int64_t)e->rate_ma + 1) * weight_of_priority(e->priority);
	if (e->idle)
		return e->served_us ? -urgency / 4 : -urgency / 8;
	if (e->served_us)
		urgency *= now_us - e->served_us < rotate_us ? IN_TURN_COUNTS : SERVED_COUNTS;
	for (int i = 0; i < e->pauses && i < 4; i++)
		urgency *= e->served_us ? PAUSED_COUNTS : 2;
	if (e->served_us)
		urgency >>= turns_beyond(e->served_us, SERVED_TURNS, rotate_us, now_us);
	else if (!e->left)
		urgency <<= turns_beyond(e->waits_us, e->unseen ? UNSEEN_TURNS : WAITED_TURNS, rotate_us, now_us);
	return -urgency;
}

#define STEP_WH 2000
#define READY_STEP_WH 1000
#define STEPS_MOST (1 << 18)

static int64_t key_energy(const struct policy_evse *e, int64_t rotate_us, int64_t now_us)
{
	int64_t step = e->got_wh / STEP_WH < STEPS_MOST ? e->got_wh / STEP_WH : STEPS_MOST - 1;
	(void)rotate_us;
	(void)now_us;
	return CLASS(e->idle) + ((step << 1 | !e->served_us) << 38) + e->arrived_us / US_PER_S;
}

/* As many ready as can be: whoever needs least more comes first, in steps, and who is served is passed only by somebody who needs clearly less.
 * Who cannot be ready any more waits for all who can. */
static int64_t key_ready(const struct policy_evse *e, int64_t rotate_us, int64_t now_us)
{
	int64_t left = e->served_us ? (int64_t)e->left_wh * 2 / 3 : e->left_wh, weight = weight_of_priority(e->priority);
	(void)rotate_us;
	(void)now_us;
	return CLASS(e->idle ? 2 : e->hopeless) + ((left * 10 / weight / READY_STEP_WH) << 34) + e->arrived_us / US_PER_S;
}

static int64_t key_arrival(const struct policy_evse *e, int64_t rotate_us, int64_t now_us)
{
	(void)rotate_us;
	(void)now_us;
	return e->arrived_us;
}

static const struct policy policies[] = {
	[STRATEGY_FAIR] = { "fair", false, false, key_fair, weight_even },
	[STRATEGY_PRIORITY] = { "priority", false, false, key_priority, weight_of_priority },
	[STRATEGY_FIRST_COME] = { "first-come", true, false, key_arrival, weight_even },
	[STRATEGY_DEADLINE] = { "deadline", false, true, key_deadline, weight_of_priority },
	[STRATEGY_FAIR_ENERGY] = { "fair-energy", true, false, key_energy, weight_even },
	[STRATEGY_READY] = { "ready", true, false, key_ready, weight_even },
};

const struct policy *policy_find(enum strategy s)
{
	return &policies[s];
}

void policy_order(const struct policy *p, const struct policy_evse *evses, size_t n, int64_t rotate_us, int64_t now_us, struct ranked *work,
		  int32_t *order)
{
	for (size_t i = 0; i < n; i++)
		work[i] = (struct ranked){ p->key(&evses[i], rotate_us, now_us), (int32_t)i };
	rank_sort(work, n);
	for (size_t i = 0; i < n; i++)
		order[i] = work[i].index;
}
