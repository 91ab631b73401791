/* One step: notice the offer, decide whether to ask, let the current follow, count the energy. Energy is counted with the current after it
 * has followed, so a step should be short against the ramp; the last step ends exactly at the need. */
#include "station/car.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

void car_plug(struct car *c, const struct car_conf *conf)
{
	memset(c, 0, sizeof(*c));
	c->conf = *conf;
}

static void notice(struct car *c, int32_t offered_ma, int64_t dt_us)
{
	c->changed_for_us = offered_ma == c->offered_ma ? c->changed_for_us + dt_us : 0;
	c->offered_for_us = offered_ma >= c->conf.min_ma ? c->offered_for_us + dt_us : 0;
	c->offered_ma = offered_ma;
	if (c->changed_for_us >= c->conf.reaction_us)
		c->follows_ma = offered_ma;
	c->wants = offered_ma >= c->conf.min_ma && c->offered_for_us >= c->conf.delay_us && !car_is_full(c);
}

static double taper(const struct car *c, double ma)
{
	double left_wh = c->conf.need_wh - c->energy_wh;
	if (left_wh >= c->conf.taper_wh || ma <= c->conf.min_ma)
		return ma;
	return c->conf.min_ma + (ma - c->conf.min_ma) * left_wh / c->conf.taper_wh;
}

static double target_ma(const struct car *c)
{
	double ma = c->follows_ma < c->conf.max_ma ? c->follows_ma : c->conf.max_ma;
	return c->wants && ma >= c->conf.min_ma ? taper(c, ma) : 0;
}

static void draw(struct car *c, bool closed, int64_t dt_us)
{
	double target = target_ma(c);
	double rise = (double)c->conf.ramp_ma_per_s * (double)dt_us / US_PER_S;
	if (!closed)
		c->ma = 0;
	else if (target > c->ma && c->conf.ramp_ma_per_s)
		c->ma = fmin(target, c->ma + rise);
	else
		c->ma = target;
}

void car_elapse(struct car *c, int32_t offered_ma, bool closed, int64_t dt_us)
{
	notice(c, offered_ma, dt_us);
	draw(c, closed, dt_us);
	double wh = c->ma / 1000 * c->conf.volts * c->conf.phases * (double)dt_us / (3600.0 * US_PER_S);
	c->energy_wh = fmin(c->conf.need_wh, c->energy_wh + wh);
	for (int i = 0; i < 3; i++)
		c->i_a[i] = i < c->conf.phases ? c->ma / 1000 : 0;
}
