/* Whether and when an EVSE's limit changes, and whether it is sent: down at once, up after calm and by steps, small raises not at all, an
 * unchanged one again before its dead-man runs out. */
#ifndef AMPGATE_ENERGY_LIMIT_H
#define AMPGATE_ENERGY_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define LIMIT_EVERY_US (5 * US_PER_S) /* a car's pilot may change no faster, and its answer should be seen first */
#define LIMIT_PAUSE_US (60 * US_PER_S) /* contactors wear and some cars give up: who was sent away stays away a while */

struct limit_rules {
	int64_t increase_after_us;
	int32_t increase_step_ma;
	int64_t resend_us;
};

enum limit_hold {
	LIMIT_FREE,      /* has its target */
	LIMIT_CALM,      /* too soon after a decrease */
	LIMIT_STEP,      /* on its way up by steps */
	LIMIT_ROOM,      /* what others give back is not seen to be free yet */
	LIMIT_FROZEN,    /* no raises now */
	LIMIT_SMALL      /* not worth a message */
};

struct limit {
	int32_t ma;             /* in force by our decision; -1: nothing decided since the transaction began */
	int64_t cut_us;         /* last decrease for want of room; 0: none */
	int64_t raised_us;
	int64_t sent_us;
	bool recovers;          /* was lowered for a lost meter: may go back up without calm and steps */
	enum limit_hold hold;
	int64_t until_us;       /* of the hold; 0: not known */
};

struct limit_ask {
	int32_t target_ma;      /* by the allocation */
	int32_t room_ma;        /* highest that is free right now, orders on their way counted */
	int32_t min_ma, step_ma;
	bool on_off;
	bool frozen;            /* raises are stopped */
	bool scarce;            /* the target is what a node leaves over, not what the car wants */
	bool lost;              /* the target is a fallback for a lost meter */
};

void limit_init(struct limit *l);
/* Decides on l->ma. True: it changed. */
bool limit_step(const struct limit_rules *r, struct limit *l, const struct limit_ask *ask, int64_t now_us);
/* An unchanged limit is due again; `retry`: the station has not confirmed it. */
bool limit_due(const struct limit_rules *r, const struct limit *l, bool retry, int64_t now_us);

#endif
