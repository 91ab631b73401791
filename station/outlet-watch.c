/* What the pins mean: which letter the pilot shows, whether a car is there, what may be offered, and which faults stand.
 *
 * Every fault goes the same way: its detector below says whether it is seen now; seen for `after_ms` it stands; absent for `gone_ms` it is
 * forgiven, or what its row says about the car that has to leave first. Two things are easy to get wrong. A pilot that we hold at 0 V or
 * -12 V tells nothing, so the letter is kept then, and no short is seen. And hardware takes a moment to obey: a contact that has just been
 * ordered disagrees, which is what the times in the rows are for. They count from the first reading that is of the order, however late it comes. */
#include "station/duty.h"
#include "station/outlet.h"
#include "station/pilot.h"

#define DEBOUNCE_MS 20
#define DIODE_SEEN_MS 50
#define SETTLED_MS 200     /* a contact without feedback counts as open this long after its order */
#define FAN_STARTS_MS 2000
#define LOCK_MOVES_MS 3000
#define LOCK_TRIES 3
#define UNLOCK_MS 5000
#define STILL_MA 1000
#define DUTY_OFF 50        /* half a percent */
#define HEAT_HYSTERESIS_DC 30

/* The pilot */

static void forget_car(struct outlet *o)
{
	for (int f = 0; f < OUTLET_FAULTS; f++)
		o->tries[f] = 0;
	o->switches = o->lock_tries = 0;
	o->asked = o->woken = false;
	o->cable_ma = 0;
}

static void take_letter(struct outlet *o, char letter)
{
	o->letter = letter;
	if (letter == 'E' || letter == 'F')
		return;
	if (o->plugged && letter == 'A')
		forget_car(o);
	o->plugged = letter != 'A';
}

static void read_pilot(struct outlet *o, int32_t dt_ms)
{
	if (!o->conf.pilot) {
		take_letter(o, o->pins.plugged ? 'C' : 'A');
		return;
	}
	if (o->out.pilot == PILOT_OFF || o->out.pilot == PILOT_NEGATIVE) {
		o->raw = 0;
		o->raw_ms = 0;
		return;
	}
	char raw = pilot_letter(o->pins.high_mv, o->raw ? o->raw : o->letter);
	if (raw != o->raw)
		o->raw_ms = 0;
	else
		outlet_pass(&o->raw_ms, dt_ms, DEBOUNCE_MS);
	o->raw = raw;
	if (o->raw_ms >= DEBOUNCE_MS)
		take_letter(o, raw);
}

static void read_diode(struct outlet *o, int32_t dt_ms)
{
	if (o->out.pilot != PILOT_PWM || !pilot_sees_diode(o->pins.low_mv))
		o->diode_ms = 0;
	else
		outlet_pass(&o->diode_ms, dt_ms, DIODE_SEEN_MS);
	o->diode = o->diode_ms >= DIODE_SEEN_MS;
}

/* Current, contacts, heat */

static void read_current(struct outlet *o)
{
	int known = 0;
	o->draws = false;
	for (int i = 0; i < 3; i++) {
		int32_t ma = o->pins.i_ma[i];
		known += ma != OUTLET_UNKNOWN;
		o->draws |= ma != OUTLET_UNKNOWN && ma >= STILL_MA;
	}
	o->still = known && !o->draws;
}

static void read_contacts(struct outlet *o)
{
	o->open = true;
	for (int k = 0; k <= o->conf.second; k++) {
		if (o->conf.feedback[k])
			o->open &= !o->out.close[k] && !o->pins.closed[k];
		else
			o->open &= !o->out.close[k] && o->order_ms[k] >= SETTLED_MS;
	}
}

static uint8_t derating(const struct outlet *o)
{
	const int32_t from[] = { o->conf.derate_dc, o->conf.halve_dc, o->conf.hot_dc };
	int32_t now = o->pins.temperature_dc;
	uint8_t level = 0;
	if (o->conf.hot_dc == OUTLET_UNKNOWN)
		return 0;
	if (now == OUTLET_UNKNOWN)
		return 2; /* a thermometer that is lost: not as before, and not nothing */
	for (uint8_t i = 0; i < 3; i++) {
		if (now >= from[i] - (o->derated > i ? HEAT_HYSTERESIS_DC : 0))
			level = (uint8_t)(i + 1);
	}
	return level;
}

static int32_t least(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t derated_ma(const struct outlet *o)
{
	static const int quarters[] = { 4, 3, 2, 0 };
	int32_t ma = o->conf.max_ma / 4 * quarters[o->derated];
	return ma && ma < o->conf.min_ma ? o->conf.min_ma : ma;
}

static void judge_offer(struct outlet *o)
{
	int32_t ma = least(least(o->pins.offer_ma, o->conf.max_ma), derated_ma(o));
	if (o->conf.socket && o->plugged) {
		int32_t cable = proximity_ma(o->pins.proximity_ohm);
		/* A lower code is believed at once, a higher one only from another cable: a dirty contact adds resistance, never takes it away. */
		if (cable)
			o->cable_ma = o->cable_ma ? least(o->cable_ma, cable) : cable;
		ma = least(ma, o->cable_ma);
	}
	o->offer_ma = ma >= o->conf.min_ma ? ma : 0;
}

/* Detectors */

static bool disagrees(const struct outlet *o, bool ordered)
{
	for (int k = 0; k <= o->conf.second; k++) {
		if (o->conf.feedback[k] && o->out.close[k] == ordered && o->pins.closed[k] != ordered)
			return true;
	}
	return false;
}

static bool draws_too_much(const struct outlet *o)
{
	int32_t offered = o->conf.pilot ? duty_to_ma(o->out.duty) : o->conf.max_ma;
	int32_t most = (offered + 500) / 10 * 11;
	for (int i = 0; i < 3; i++) {
		if (o->pins.i_ma[i] != OUTLET_UNKNOWN && o->pins.i_ma[i] > most)
			return o->state == OUTLET_CHARGING;
	}
	return false;
}

static bool lacks_air(const struct outlet *o)
{
	bool due = o->state == OUTLET_OFFERING || o->state == OUTLET_CHARGING || o->state == OUTLET_STOPPING;
	if (!o->conf.pilot || o->letter != 'D' || !due)
		return false;
	return !o->conf.fan || (!o->pins.fan_runs && o->fan_ms >= FAN_STARTS_MS);
}

static bool is_loose(const struct outlet *o)
{
	bool locking = o->state == OUTLET_PREPARING && o->lock_tries >= LOCK_TRIES && o->lock_ms >= LOCK_MOVES_MS;
	bool needed = o->state == OUTLET_OFFERING || o->state == OUTLET_CHARGING;
	return o->conf.lock && !o->pins.locked && (locking || needed);
}

static bool is_off_duty(const struct outlet *o)
{
	int32_t off = o->pins.duty - o->out.duty;
	return o->pins.duty != OUTLET_UNKNOWN && o->out.pilot == PILOT_PWM && (off > DUTY_OFF || off < -DUTY_OFF);
}

static bool is_testing(const struct outlet *o)
{
	return o->test == TEST_TRIPPING || o->test == TEST_RELEASING;
}

static bool sees(const struct outlet *o, enum outlet_fault f)
{
	bool drives = o->conf.pilot && (o->out.pilot == PILOT_STEADY || o->out.pilot == PILOT_PWM);
	switch (f) {
	case FAULT_EMERGENCY:
		return o->conf.emergency && o->pins.emergency;
	case FAULT_RESIDUAL:
		return o->conf.residual && o->pins.residual && !is_testing(o);
	case FAULT_WELDED:
		return disagrees(o, false);
	case FAULT_NOT_CLOSING:
		return disagrees(o, true);
	case FAULT_STRAY:
		return !o->out.close[0] && o->draws;
	case FAULT_PINS:
		return o->silent_ms >= o->conf.silent_ms;
	case FAULT_MAINS:
		return o->conf.mains && !o->pins.mains;
	case FAULT_RESIDUAL_TEST:
		return o->test == TEST_FAILED;
	case FAULT_PILOT_SHORT:
		return drives && (o->raw == 'E' || o->raw == 'F');
	case FAULT_DIODE:
		return o->conf.pilot && o->out.pilot == PILOT_PWM && o->raw >= 'B' && o->raw <= 'D' && !pilot_sees_diode(o->pins.low_mv);
	case FAULT_DUTY:
		return is_off_duty(o);
	case FAULT_CABLE:
		return o->conf.socket && o->plugged && !proximity_ma(o->pins.proximity_ohm);
	case FAULT_OVERCURRENT:
		return draws_too_much(o);
	case FAULT_HOT:
		return o->derated == 3;
	case FAULT_VENTILATION:
		return lacks_air(o);
	case FAULT_LOCK:
		return is_loose(o);
	case FAULT_UNLOCK:
		return o->conf.lock && !o->out.lock && o->pins.locked && o->lock_ms >= UNLOCK_MS;
	default:
		return false;
	}
}

/* The way of every fault */

static bool is_forgiven(struct outlet *o, const struct outlet_fault_row *row, enum outlet_fault f)
{
	bool waits = row->until_unplug && o->plugged;
	if (!waits)
		return o->gone_ms[f] >= (int32_t)row->gone_ms;
	if (o->tries[f] >= row->retries || o->gone_ms[f] < (int32_t)row->retry_ms)
		return false;
	o->tries[f]++;
	return true;
}

static void forgive(struct outlet *o, enum outlet_fault f)
{
	o->standing &= ~(UINT32_C(1) << f);
	o->gone_ms[f] = 0;
	if (f == FAULT_LOCK)
		o->lock_tries = 0;
}

static void follow(struct outlet *o, enum outlet_fault f, int32_t dt_ms)
{
	const struct outlet_fault_row *row = &outlet_faults[f];
	bool seen = sees(o, f) && !(o->pins.late && outlet_faults[f].of_order);
	int32_t wait = row->until_unplug && row->retry_ms > row->gone_ms ? (int32_t)row->retry_ms : (int32_t)row->gone_ms;
	/* The first sight is the millisecond 1: how long it has lasted before is not known. */
	if (!seen)
		o->held_ms[f] = 0;
	else if (!o->held_ms[f])
		o->held_ms[f] = 1;
	else
		outlet_pass(&o->held_ms[f], dt_ms, row->after_ms + 1);
	if (seen && o->held_ms[f] > row->after_ms) {
		o->standing |= UINT32_C(1) << f;
		o->gone_ms[f] = 0;
		return;
	}
	if (!outlet_has(o, f))
		return;
	if (seen)
		o->gone_ms[f] = 0;
	else
		outlet_pass(&o->gone_ms[f], dt_ms, wait);
	if (!seen && is_forgiven(o, row, f))
		forgive(o, f);
}

bool outlet_blocked(const struct outlet *o, enum fault_act worst)
{
	for (int f = 0; f < OUTLET_FAULTS; f++) {
		if (outlet_has(o, f) && outlet_faults[f].act <= worst)
			return true;
	}
	return false;
}

enum outlet_fault outlet_first_fault(const struct outlet *o)
{
	enum outlet_fault f = 0;
	while (f < OUTLET_FAULTS && !outlet_has(o, f))
		f++;
	return f;
}

void outlet_watch(struct outlet *o, int32_t dt_ms)
{
	read_pilot(o, dt_ms);
	read_diode(o, dt_ms);
	read_current(o);
	read_contacts(o);
	o->derated = derating(o);
	judge_offer(o);
	for (int f = 0; f < OUTLET_FAULTS; f++) {
		/* Pins of a while ago disagree with the orders of now: only the silence counts. */
		if (!o->silent_ms || f == FAULT_PINS)
			follow(o, f, dt_ms);
	}
}
