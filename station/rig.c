/* Physics in a few lines: the pilot is a source of 12 V behind 1 kohm with the car's resistor as its load, a contact moves `move_ms` after
 * its order, a lock takes a quarter of a second, current flows where a contact is closed and a car wants it. Nothing here knows the rules of
 * the outlet, so that it can be held against them. */
#include "station/rig.h"

#include "station/duty.h"

#define LOCK_MS 250
#define FAN_MS 500
#define VOLT 1000
#define DIODE_DROP_MV 700

void rig_open(struct rig *r, const struct outlet_conf *conf)
{
	*r = (struct rig){ .pilot = conf->pilot, .second = conf->second, .car_phases = 3, .car_ma = 16000, .cable_ohm = 220, .temperature_dc = 250,
		.move_ms = 20 };
}

/* Moves `is` towards `ordered` when it has been ordered for `takes_ms`. */
static void move(bool *is, bool ordered, int32_t *ms, int32_t dt_ms, int32_t takes_ms)
{
	if (*is == ordered) {
		*ms = 0;
		return;
	}
	*ms += dt_ms;
	if (*ms >= takes_ms) {
		*is = ordered;
		*ms = 0;
	}
}

static void move_contacts(struct rig *r, const struct outlet_out *out, int32_t dt_ms)
{
	static const uint32_t weld[] = { RIG_WELD_1, RIG_WELD_2 }, dead[] = { RIG_DEAD_1, RIG_DEAD_2 };
	for (int k = 0; k < 2; k++) {
		bool ordered = out->close[k];
		if ((r->broken & weld[k]) && r->contact[k])
			ordered = true;
		if ((r->broken & dead[k]) && !r->contact[k])
			ordered = false;
		move(&r->contact[k], ordered, &r->contact_ms[k], dt_ms, r->move_ms);
	}
}

static void move_rest(struct rig *r, const struct outlet_out *out, int32_t dt_ms)
{
	bool leaks = (r->broken & RIG_RESIDUAL) && r->contact[0];
	if (!(r->broken & RIG_LOCK_STUCK))
		move(&r->locked, out->lock, &r->lock_ms, dt_ms, LOCK_MS);
	move(&r->fan, out->fan && !(r->broken & RIG_FAN_DEAD), &r->fan_ms, dt_ms, FAN_MS);
	r->tripped = (leaks || out->residual_test) && !(r->broken & RIG_RCD_DEAD);
	if (r->broken & RIG_RCD_STUCK)
		r->tripped = true;
}

/* What the car's resistor leaves of the source's level. */
static int32_t loaded(const struct rig *r, int32_t source_mv, bool through_diode)
{
	int32_t ohm = r->wants ? r->ventilation ? 240 : 880 : 2740;
	if (r->broken & RIG_SHORT)
		return 0;
	if (!r->plugged || (source_mv < 0 && through_diode))
		return source_mv;
	int32_t drop = source_mv > 0 && through_diode ? DIODE_DROP_MV : 0;
	return (source_mv - drop) * ohm / (1000 + ohm) + drop;
}

static void read_pilot(struct rig *r, const struct outlet_out *out, struct outlet_in *in)
{
	bool diode = !(r->broken & RIG_NO_DIODE);
	int32_t high = out->pilot == PILOT_OFF ? 0 : out->pilot == PILOT_NEGATIVE ? -12 * VOLT : 12 * VOLT;
	int32_t low = out->pilot == PILOT_PWM ? -12 * VOLT : high;
	in->high_mv = loaded(r, high, diode);
	in->low_mv = loaded(r, low, diode);
	in->duty = OUTLET_UNKNOWN;
	if (out->pilot == PILOT_PWM)
		in->duty = out->duty + (r->broken & RIG_WRONG_DUTY ? 500 : 0);
	r->offered_ma = r->plugged && out->pilot == PILOT_PWM && !(r->broken & RIG_SHORT) ? duty_to_ma((uint16_t)in->duty) : 0;
}

static void flow(struct rig *r)
{
	int32_t most = r->pilot ? r->offered_ma : INT32_MAX;
	int32_t ma = most < r->car_ma ? most : r->car_ma;
	if (r->broken & RIG_GREEDY)
		ma += 5000;
	for (int i = 0; i < 3; i++) {
		bool fed = r->contact[r->second && i ? 1 : 0] && !(r->broken & RIG_MAINS);
		r->i_ma[i] = r->plugged && r->wants && fed && i < r->car_phases ? ma : 0;
		if (r->broken & RIG_LEAK && i == 0)
			r->i_ma[i] = 3000;
	}
}

void rig_step(struct rig *r, const struct outlet_out *out, int32_t dt_ms, struct outlet_in *in)
{
	move_contacts(r, out, dt_ms);
	move_rest(r, out, dt_ms);
	if (!r->plugged)
		r->wants = false;
	in->known = !(r->broken & RIG_SILENT);
	read_pilot(r, out, in);
	flow(r);
	in->proximity_ohm = r->plugged && !(r->broken & RIG_BAD_CABLE) ? r->cable_ohm : INT32_MAX;
	in->plugged = r->plugged;
	in->closed[0] = r->contact[0];
	in->closed[1] = r->contact[1];
	in->residual = r->tripped;
	in->mains = !(r->broken & RIG_MAINS);
	in->emergency = r->broken & RIG_EMERGENCY;
	in->locked = r->locked;
	in->fan_runs = r->fan;
	in->temperature_dc = r->broken & RIG_HOT ? 900 : r->temperature_dc;
	for (int i = 0; i < 3; i++)
		in->i_ma[i] = r->i_ma[i];
}

const char *rig_fault_text(enum rig_fault f)
{
	static const char *const texts[] = { "weld_1", "weld_2", "dead_1", "dead_2", "residual", "rcd_dead", "rcd_stuck", "short", "no_diode", "wrong_duty",
	                                     "mains", "emergency", "silent", "bad_cable", "lock_stuck", "fan_dead", "greedy", "hot", "leak" };
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (f == 1u << i)
			return texts[i];
	}
	return "";
}
