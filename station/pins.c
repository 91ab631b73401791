/* Numbers of a driver are not trusted to be numbers: NaN and what does not fit an integer is unknown, never 0. */
#include "station/pins.h"

#include <math.h>
#include <string.h>

static int32_t whole(double value, double times, int32_t otherwise)
{
	double v = value * times;
	return isfinite(v) && fabs(v) < 2e9 ? (int32_t)lround(v) : otherwise;
}

void pins_describe(uint32_t has, struct outlet_conf *conf)
{
	conf->pilot = has & AG_PIN_PILOT;
	conf->socket = has & AG_PIN_PROXIMITY;
	conf->lock = has & AG_PIN_LOCK;
	conf->feedback[0] = has & AG_PIN_CLOSED_1;
	conf->feedback[1] = has & AG_PIN_CLOSED_2;
	conf->second = has & AG_PIN_SECOND;
	conf->residual = has & AG_PIN_RESIDUAL;
	conf->residual_test = (has & AG_PIN_RESIDUAL) && (has & AG_PIN_RESIDUAL_TEST);
	conf->mains = has & AG_PIN_MAINS;
	conf->emergency = has & AG_PIN_EMERGENCY;
	conf->fan = has & AG_PIN_FAN;
	conf->wake_e = has & AG_PIN_STATE_E;
	if (!(has & AG_PIN_HEAT))
		conf->hot_dc = OUTLET_UNKNOWN;
}

void pins_read(const ag_pins *p, struct outlet_in *in)
{
	in->known = true;
	in->high_mv = whole(p->high_v, 1000, 0); /* a pilot that cannot be measured is as good as shorted */
	in->low_mv = whole(p->low_v, 1000, 0);
	in->duty = whole(p->duty, 10000, OUTLET_UNKNOWN);
	in->proximity_ohm = whole(p->proximity_ohm, 1, INT32_MAX);
	in->plugged = (p->on & AG_PIN_PLUGGED) || !(p->has & AG_PIN_PLUGGED); /* nothing tells: it may well be there */
	in->closed[0] = p->on & AG_PIN_CLOSED_1;
	in->closed[1] = p->on & AG_PIN_CLOSED_2;
	in->residual = p->on & AG_PIN_RESIDUAL;
	in->mains = p->on & AG_PIN_MAINS;
	in->emergency = p->on & AG_PIN_EMERGENCY;
	in->locked = p->on & AG_PIN_LOCK;
	in->fan_runs = p->on & AG_PIN_FAN;
	in->temperature_dc = whole(p->celsius, 10, OUTLET_UNKNOWN);
	for (int i = 0; i < 3; i++)
		in->i_ma[i] = whole(p->i_a[i], 1000, OUTLET_UNKNOWN);
}

void pins_write(const struct outlet_out *out, ag_drive *d)
{
	static const uint8_t pilots[] = { [PILOT_STEADY] = AG_PILOT_STEADY, [PILOT_PWM] = AG_PILOT_PWM, [PILOT_OFF] = AG_PILOT_OFF,
		[PILOT_NEGATIVE] = AG_PILOT_NEGATIVE };
	memset(d, 0, sizeof(*d));
	d->pilot = pilots[out->pilot];
	d->duty = out->pilot == PILOT_PWM ? out->duty / 10000.0 : 0;
	d->close_1 = out->close[0];
	d->close_2 = out->close[1];
	d->lock = out->lock;
	d->fan = out->fan;
	d->residual_test = out->residual_test;
}
