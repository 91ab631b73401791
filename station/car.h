/* An imagined car for the simulator: what it draws from what it is offered. Deterministic, no time of its own. */
#ifndef AMPGATE_STATION_CAR_H
#define AMPGATE_STATION_CAR_H

#include <stdbool.h>
#include <stdint.h>

struct car_conf {
	int phases;               /* 1..3: how many its charger uses */
	int32_t max_ma;           /* what its charger can take, per phase */
	int32_t min_ma;           /* offered less, it does not ask */
	double need_wh;           /* until it is full */
	double taper_wh;          /* the last part of the need, over which the current falls linearly to min_ma; 0: none */
	int64_t delay_us;         /* from an offer to its asking for energy (a handshake, a timer in the car) */
	int64_t reaction_us;      /* from a changed offer to the current that follows; IEC 61851-1 allows five seconds */
	int32_t ramp_ma_per_s;    /* how fast current rises; 0: at once. It falls at once */
	double volts;             /* between line and neutral */
};

struct car {
	struct car_conf conf;
	int64_t offered_for_us;   /* since there is an offer it can use */
	int64_t changed_for_us;   /* since the offer last changed */
	int32_t offered_ma;       /* last step's */
	int32_t follows_ma;       /* the offer that its charger has reacted to */
	double ma;                /* drawn, per phase */
	double energy_wh;         /* taken since it was plugged in */
	bool wants;               /* IEC 61851 state C; else B */
	double i_a[3];            /* drawn, on its own phases; unused ones 0 */
};

void car_plug(struct car *c, const struct car_conf *conf);
/* dt_us later, during which this was offered and the contactor was so. */
void car_elapse(struct car *c, int32_t offered_ma, bool closed, int64_t dt_us);
static inline bool car_is_full(const struct car *c)
{
	return c->energy_wh >= c->conf.need_wh;
}

#endif
