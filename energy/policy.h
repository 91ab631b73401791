/* Who comes first, and whose share is larger. A policy is a row: how the order is made, what a priority is worth, how the rest is shared. */
#ifndef AMPGATE_ENERGY_POLICY_H
#define AMPGATE_ENERGY_POLICY_H

#include "energy/control.h"
#include "energy/rank.h"

struct policy_evse {
	int32_t priority;
	int64_t arrived_us;   /* its transaction began */
	int64_t served_us;    /* has been served without a break since; 0: is not served */
	int64_t waits_us;     /* has been waiting since; 0: does not wait */
	int32_t rate_ma;      /* would need on average until it leaves */
	int32_t got_wh;       /* in this transaction, as far as known */
	int32_t left_wh;      /* what it still needs, by somebody's word or as is usual */
	bool hopeless;        /* it cannot have that any more until it leaves */
	int pauses;           /* in this transaction */
	bool left;            /* has been served before in this transaction */
	bool unseen;          /* has not drawn yet: its phases are not known */
	bool idle;            /* has not taken anything for a while, or had not when it was last served */
};

struct policy {
	const char *name;
	bool in_turn;         /* see alloc_site */
	bool by_need;         /* a share grows with what is needed until departure */
	int64_t (*key)(const struct policy_evse *e, int64_t rotate_us, int64_t now_us); /* lower comes first */
	int32_t (*weight)(int32_t priority);
};

/* Sent away only now: it comes back when there is plenty, not when there is just enough. */
bool policy_just_left(const struct policy_evse *e, int64_t rotate_us, int64_t now_us);
const struct policy *policy_find(enum strategy s);
/* Fills `order` with all indices, first served first. `work` has room for n. */
void policy_order(const struct policy *p, const struct policy_evse *evses, size_t n, int64_t rotate_us, int64_t now_us, struct ranked *work,
		  int32_t *order);

#endif
