/* What is known about the car at one EVSE: what it was told, what it takes, on which phases, how much it can use. Currents are on the
 * socket's own phases. Loop thread. */
#ifndef AMPGATE_ENERGY_CAR_H
#define AMPGATE_ENERGY_CAR_H

#include "energy/site.h"

enum car_follows {
	CAR_STEADY,        /* takes what it may take */
	CAR_MOVING,        /* an order is on its way */
	CAR_UNCONFIRMED    /* refused, not answered, or accepted and not followed: what it took before still counts */
};

struct car {
	const struct evse_conf *conf;
	int32_t alone_ma;     /* what it goes by when it hears nothing */
	bool unproved;        /* was never seen to follow: what it may draw counts until its current shows that it does */
	int32_t told_ma;      /* last sent; -1: nothing in this transaction */
	int32_t accepted_ma;  /* last accepted; -1: none */
	int32_t force_ma;     /* the highest limit it may still go by */
	int64_t told_us, accepted_us;
	bool answered, refused;
	int32_t drawn[3];
	int64_t drawn_us;     /* 0: never said */
	int64_t draws_since_us; /* first of the reports of a real current that came one after the other; 0: the last was none */
	bool climbs;          /* drew clearly more in its last report than in the one before, and less than it may: it may be on its way up */
	bool back;            /* its station was silent, and may any moment go by what it was told before that */
	uint8_t seen;         /* own phases with a real current in this transaction */
	uint8_t used;         /* learnt; 0: not yet, all count */
	uint8_t may;          /* its station was told these alone; 0: all */
	bool keeps;           /* and was seen to draw on them alone */
	bool was_alone;       /* before it was told all again */
	bool widened;         /* all again, and it has not drawn by a limit for all yet */
	int32_t want_ma;      /* no use in offering more */
	int32_t top_ma;       /* it takes no more than this, whatever it is offered */
	int32_t gain_pm;      /* per mille of an offer that it takes when it could use more; 1000 until it is known; above, it overdraws */
	int32_t gain_seen_pm; /* highest seen lately; 0: none yet */
	int gain_seen;        /* how often */
	int64_t low_since_us; /* takes clearly less than offered since; 0: does not */
	int64_t idle_since_us; /* takes nothing since; 0: takes something */
};

void car_init(struct car *c, const struct evse_conf *conf);
void car_begin(struct car *c, int64_t now_us); /* a transaction begins: nothing told yet, nothing learnt; a fresh report stays */
void car_end(struct car *c, int64_t now_us);
void car_told(struct car *c, int32_t ma, int64_t now_us);
void car_answered(struct car *c, int32_t ma, bool accepted, int64_t now_us);
void car_draws(struct car *c, const int32_t own_ma[3], int64_t now_us);
void car_proved(struct car *c, bool proved, bool runs); /* whether a transaction is running */
void car_relinked(struct car *c); /* its station is back: it may have forgotten what it was told */
/* Somebody wakes it: it counts with its whole offer again, until it is seen not to use it. */
void car_woken(struct car *c, int64_t now_us);
/* Time passes: what was on its way has arrived, what is not used is noticed. */
void car_step(struct car *c, int64_t now_us);

/* Its station is told to use these phases alone from the next limit on; 0: all, and which it uses is to be learnt again. */
void car_may(struct car *c, uint8_t phases);
uint8_t car_phases(const struct car *c);                     /* own phases that count, as bits */
int32_t car_excess(int32_t offer_ma);                        /* so much above an offer is no disobedience yet */
uint8_t car_might(const struct car *c);                      /* those that it may draw on when nobody looks */
/* A report made when most cars have followed a lower limit shows that this one has not: worth saying again. */
bool car_lags(const struct car *c);
/* A lower limit is on its way, and it has not said since that it draws no more than that. Who never reports a current can say nothing. */
bool car_owes(const struct car *c, int64_t now_us);
enum car_follows car_follows(const struct car *c, int64_t now_us);
bool car_fresh(const struct car *c, int64_t now_us);         /* its report can still be believed */
int32_t car_takes(const struct car *c, int32_t offer_ma);    /* per phase, at most, of an offer */
int32_t car_offer(const struct car *c, int32_t take_ma);     /* the highest offer of which it takes no more than this */
int32_t car_held(const struct car *c, int phase, int64_t now_us); /* what it may take right now on an own phase, at most */
/* What it takes on an own phase, as a range: a point when it is known. */
void car_range(const struct car *c, int phase, int64_t now_us, int32_t *low_out, int32_t *high_out);
/* The same by its reports alone, however sure an order must have had its effect. */
void car_reported(const struct car *c, int phase, int64_t now_us, int32_t *low_out, int32_t *high_out);

#endif
