/* How urgently a car needs current, from what is known about its need and its departure: partly, wrongly, or not at all. Pure. */
#ifndef AMPGATE_ENERGY_NEED_H
#define AMPGATE_ENERGY_NEED_H

#include <stdbool.h>
#include <stdint.h>

#define NEED_WEIGHT_MOST 20000

/* What is usual at this site's ordinary sockets, learnt from those who have left and from what the others say. */
struct need_usual {
	double wh, stay_s;
	int told;             /* how many have said something, up to where one more counts as little as any */
};
void need_init(struct need_usual *u);
/* At a socket that can give `most_w`. */
void need_left(struct need_usual *u, double most_w, double got_wh, double stay_s);
/* Somebody says what his session needs. */
void need_told(struct need_usual *u, double most_w, double wh);

struct need {
	double wh;            /* of the whole session, by somebody's word; NaN: nobody said */
	double got_wh;        /* NaN: unknown */
	double left_s;        /* until it leaves, by somebody's word; NaN: nobody said */
	double age_s;         /* since it came */
	double watt_per_ma;   /* of its phases together */
	int32_t top_ma;       /* it can take no more */
	double most_w;        /* its socket can give no more */
	double doubt;         /* 0: words are taken as said; 1: what is usual counts instead */
};
/* Milliamperes per phase that it would need on average from now until it leaves. */
int32_t need_rate_ma(const struct need_usual *u, const struct need *n);
/* What it still needs. */
double need_wh_left(const struct need_usual *u, const struct need *n);
/* Its weight in a division, from 1 to NEED_WEIGHT_MOST. */
int32_t need_weight(int32_t rate_ma, int32_t top_ma);

#endif
