/* The sequence. Letters are those of the standard, with 1 for a steady pilot and 2 for PWM.
 *
 *            +--------------------- A: the car is gone, from everywhere: contacts open first --------------------+
 *            v                                                                                                   |
 *   START -> IDLE <-> CONNECTED -> PREPARING -> OFFERING -> CHARGING -> STOPPING -> OPENING -> CONNECTED, OFFERING or IDLE
 *             A         B1, C1      lock, test     B2         C2, D2       C1          |
 *                         ^ \________ SWITCHING: ten seconds open, then the other number of phases
 *                         |                        \-> WAKING -> OFFERING
 *   FAULTED: at once from everywhere for what acts hard, by way of STOPPING for the rest; back through START
 *
 * What is easy to get wrong:
 *   - the car opens its own contacts a moment after it says B; ours opening under that load wears them and trips residual current devices.
 *     So they open when no current is measured any more, and 40 ms later in any case: with the debounce that keeps the 100 ms of sequence 8.1
 *   - C counts only after half a second and with a diode seen, or the contactor chatters at every plug-in
 *   - a car that is in C already when we start (power came back) needs a steady level before the PWM, else it takes the jump for a fault
 *   - with a second contactor, N and L1 come first: L2 and L3 without N would put 400 V on a 230 V load
 *   - the duty may change every five seconds only (table A.6); taking it away altogether may come at any time */
#include "station/outlet.h"

#include <string.h>

#include "station/duty.h"

#define X1_MS 3000         /* steady before a new PWM */
#define ASKS_MS 500
#define STOP_MS 6000       /* sequence 10.2 */
#define STILL_FOR_MS 500
#define ZERO_WAIT_MS 40
#define PWM_KEEP_MS 5000
#define NO_ASK_MS 30000
#define WAKE_MS 4000       /* ISO 15118-3, T_step_EF */
#define WAKE_END_MS 4750   /* and 0.75 s steady */
#define F_MS 3000
#define F_LEAST_MS 300     /* table A.5 */
#define SWITCH_PAUSE_MS 10000
#define SECOND_AFTER_MS 50
#define LOCK_MOVES_MS 3000
#define LOCK_TRIES 3
#define LOCK_REST_MS 300
#define TEST_MOST_MS 1000

static bool is_permitted(const struct outlet *o)
{
	return o->plugged && o->offer_ma > 0 && !outlet_blocked(o, ACT_SOFT);
}

/* Of the changes that a car is spared from, the last is kept for the way down: one phase instead of three is less than was asked for and does
 * nobody harm, three instead of one would be current where nobody counts with any. */
static bool has_right_phases(const struct outlet *o)
{
	bool spent = o->phases == 1 && o->switches + 1 >= o->conf.switches_most;
	return !o->conf.second || o->pins.phases == o->phases || spent;
}

static bool is_locked(const struct outlet *o)
{
	return !o->conf.lock || (o->out.lock && o->pins.locked);
}

/* The letter allows current to flow. */
static bool wants(const struct outlet *o)
{
	if (o->letter == 'D')
		return o->conf.fan && o->pins.fan_runs;
	return o->letter == 'C';
}

/* Where a car without its contactor closed belongs. */
static enum outlet_state at_rest(const struct outlet *o)
{
	return o->plugged ? OUTLET_CONNECTED : OUTLET_IDLE;
}

/* One function for each state: the next one. */

static enum outlet_state from_start(const struct outlet *o)
{
	return o->letter && o->pins.known && o->steady_ms >= X1_MS && o->open ? at_rest(o) : OUTLET_START;
}

static enum outlet_state from_connected(const struct outlet *o)
{
	if (!is_permitted(o))
		return at_rest(o);
	return has_right_phases(o) ? OUTLET_PREPARING : OUTLET_SWITCHING;
}

static enum outlet_state from_preparing(const struct outlet *o)
{
	bool tested = !o->conf.residual_test || o->test == TEST_PASSED;
	bool rested = !o->conf.pilot || o->steady_ms >= X1_MS;
	if (!is_permitted(o) || !has_right_phases(o))
		return at_rest(o);
	return is_locked(o) && tested && rested && o->open ? OUTLET_OFFERING : OUTLET_PREPARING;
}

/* A fault is in sight, though it may not stand yet: no moment to close. */
static bool suspects(const struct outlet *o)
{
	for (int f = 0; f < OUTLET_FAULTS; f++) {
		if (o->held_ms[f] && outlet_faults[f].act != ACT_TELL)
			return true;
	}
	return false;
}

static enum outlet_state from_offering(const struct outlet *o)
{
	if (!is_permitted(o) || !has_right_phases(o))
		return at_rest(o);
	bool asks = o->conf.pilot ? o->ask_ms >= ASKS_MS : wants(o);
	if (asks && !o->silent_ms && !suspects(o)) /* never on pins of a while ago */
		return OUTLET_CHARGING;
	bool sleeps = o->conf.wake && !o->asked && !o->woken && o->letter == 'B';
	return sleeps && o->state_ms >= NO_ASK_MS ? OUTLET_WAKING : OUTLET_OFFERING;
}

static enum outlet_state from_waking(const struct outlet *o)
{
	if (!is_permitted(o))
		return at_rest(o);
	return o->state_ms >= WAKE_END_MS ? OUTLET_OFFERING : OUTLET_WAKING;
}

static enum outlet_state from_charging(const struct outlet *o)
{
	bool stays = o->letter == 'C' || o->letter == 'D'; /* D without air is a fault a moment later */
	bool shorted = o->letter == 'E' || o->letter == 'F'; /* and so is this */
	if (!stays && !shorted)
		return OUTLET_OPENING;
	if (is_permitted(o) && has_right_phases(o))
		return OUTLET_CHARGING;
	/* Closed by half: one phase for six seconds would be a change of the number of phases without its pause. */
	bool half = o->conf.second && o->phases == 3 && !o->out.close[1];
	return o->conf.pilot && !half ? OUTLET_STOPPING : OUTLET_OPENING;
}

static enum outlet_state from_stopping(const struct outlet *o)
{
	bool left = o->letter == 'A' || o->letter == 'B';
	bool done = o->state_ms >= STOP_MS || (o->still && o->state_ms >= STILL_FOR_MS);
	return left || done ? OUTLET_OPENING : OUTLET_STOPPING;
}

static enum outlet_state from_opening(const struct outlet *o)
{
	if (!o->open)
		return OUTLET_OPENING;
	return o->out.pilot == PILOT_PWM && is_permitted(o) && has_right_phases(o) ? OUTLET_OFFERING : at_rest(o);
}

static enum outlet_state from_switching(const struct outlet *o)
{
	if (!is_permitted(o))
		return at_rest(o);
	return o->open && o->order_ms[0] >= SWITCH_PAUSE_MS ? OUTLET_PREPARING : OUTLET_SWITCHING;
}

static enum outlet_state from_faulted(const struct outlet *o)
{
	return !outlet_blocked(o, ACT_SOFT) && o->state_ms >= F_LEAST_MS && o->open ? OUTLET_START : OUTLET_FAULTED;
}

static bool may_be_closed(enum outlet_state s)
{
	return s == OUTLET_CHARGING || s == OUTLET_STOPPING || s == OUTLET_OPENING;
}

static enum outlet_state next_state(const struct outlet *o)
{
	if (o->state != OUTLET_FAULTED && outlet_blocked(o, may_be_closed(o->state) ? ACT_OPEN : ACT_SOFT))
		return OUTLET_FAULTED;
	switch (o->state) {
	case OUTLET_START:
		return from_start(o);
	case OUTLET_IDLE:
		return at_rest(o);
	case OUTLET_CONNECTED:
		return from_connected(o);
	case OUTLET_PREPARING:
		return from_preparing(o);
	case OUTLET_OFFERING:
		return from_offering(o);
	case OUTLET_WAKING:
		return from_waking(o);
	case OUTLET_CHARGING:
		return from_charging(o);
	case OUTLET_STOPPING:
		return from_stopping(o);
	case OUTLET_OPENING:
		return from_opening(o);
	case OUTLET_SWITCHING:
		return from_switching(o);
	default:
		return from_faulted(o);
	}
}

static void enter(struct outlet *o, enum outlet_state next)
{
	bool again = o->state == OUTLET_CONNECTED || o->state == OUTLET_SWITCHING;
	if (o->state == OUTLET_SWITCHING && next == OUTLET_PREPARING) {
		o->phases = o->pins.phases;
		o->switches++;
	}
	if (next == OUTLET_PREPARING && again && o->test == TEST_PASSED)
		o->test = TEST_NONE; /* before each charge */
	if (next == OUTLET_PREPARING)
		o->lock_tries = 0;
	if (next == OUTLET_CONNECTED || next == OUTLET_IDLE)
		o->asked = o->woken = false;
	if (next == OUTLET_WAKING)
		o->woken = true;
	if (next == OUTLET_CHARGING)
		o->asked = true;
	if (o->conf.second && (next == OUTLET_IDLE || !o->phases))
		o->phases = o->pins.phases;
	o->tells_f = false;
	o->state = (uint8_t)next;
	o->state_ms = o->ask_ms = 0;
}

/* The longest time in a state that anybody asks for. */
static int32_t state_most_ms(const struct outlet *o)
{
	switch (o->state) {
	case OUTLET_OFFERING:
		return o->conf.wake && !o->asked && !o->woken ? NO_ASK_MS : 0;
	case OUTLET_WAKING:
		return WAKE_END_MS;
	case OUTLET_STOPPING:
		return STOP_MS;
	case OUTLET_OPENING:
		return ZERO_WAIT_MS;
	case OUTLET_FAULTED:
		return F_MS;
	default:
		return 0;
	}
}

static void pass_time(struct outlet *o, int32_t dt_ms)
{
	bool asks = o->state == OUTLET_OFFERING && o->diode && wants(o) && !o->silent_ms;
	outlet_pass(&o->state_ms, dt_ms, state_most_ms(o));
	outlet_pass(&o->pwm_ms, dt_ms, PWM_KEEP_MS);
	outlet_pass(&o->steady_ms, dt_ms, X1_MS);
	for (int k = 0; k < 2; k++)
		outlet_pass(&o->order_ms[k], dt_ms, SWITCH_PAUSE_MS);
	outlet_pass(&o->lock_ms, dt_ms, 5000);
	outlet_pass(&o->test_ms, dt_ms, TEST_MOST_MS);
	outlet_pass(&o->fan_ms, dt_ms, 3000);
	if (asks)
		outlet_pass(&o->ask_ms, dt_ms, ASKS_MS);
	else
		o->ask_ms = 0;
}

/* Outputs */

static enum pilot_drive pilot_for(const struct outlet *o)
{
	if (!o->conf.pilot)
		return PILOT_STEADY;
	switch (o->state) {
	case OUTLET_OFFERING:
	case OUTLET_CHARGING:
		return PILOT_PWM;
	case OUTLET_OPENING:
		return o->out.pilot == PILOT_PWM && is_permitted(o) ? PILOT_PWM : PILOT_STEADY;
	case OUTLET_WAKING:
		return o->state_ms >= WAKE_MS ? PILOT_STEADY : o->conf.wake_e ? PILOT_OFF : PILOT_NEGATIVE;
	case OUTLET_FAULTED:
		return o->tells_f && o->state_ms < F_MS ? PILOT_NEGATIVE : PILOT_STEADY;
	default:
		return PILOT_STEADY;
	}
}

/* F begins with the first fault that wants it, which may not be the first fault, and then has its time. */
static void begin_f(struct outlet *o)
{
	for (int i = 0; i < OUTLET_FAULTS && o->state == OUTLET_FAULTED && !o->tells_f; i++) {
		if (outlet_has(o, i) && outlet_faults[i].pilot_f) {
			o->tells_f = true;
			o->state_ms = 0;
		}
	}
}

static void drive_pilot(struct outlet *o)
{
	begin_f(o);
	enum pilot_drive pilot = pilot_for(o);
	uint16_t duty = pilot == PILOT_PWM ? duty_of_ma(o->offer_ma) : DUTY_STEADY;
	if (pilot != PILOT_STEADY)
		o->steady_ms = 0;
	if (pilot == PILOT_PWM && o->out.pilot == PILOT_PWM && (duty == o->out.duty || duty == DUTY_STEADY || o->pwm_ms < PWM_KEEP_MS)) {
		return; /* as it is */
	}
	if (pilot == PILOT_PWM)
		o->pwm_ms = 0;
	o->out.pilot = (uint8_t)pilot;
	o->out.duty = duty;
}

static void order(struct outlet *o, int k, bool close)
{
	if (close != o->out.close[k])
		o->order_ms[k] = 0;
	o->out.close[k] = close;
}

static void drive_contactors(struct outlet *o)
{
	bool waits = o->state == OUTLET_OPENING && o->draws && o->state_ms < ZERO_WAIT_MS;
	bool first = o->state == OUTLET_CHARGING || o->state == OUTLET_STOPPING || (waits && o->out.close[0]);
	bool n_is_there = o->out.close[0] && o->order_ms[0] >= SECOND_AFTER_MS && (!o->conf.feedback[0] || o->pins.closed[0]);
	bool second = o->conf.second && first && o->phases == 3 && (o->out.close[1] || (n_is_there && o->state == OUTLET_CHARGING));
	order(o, 0, first);
	order(o, 1, second);
}

static void drive_lock(struct outlet *o)
{
	bool in_use = o->state >= OUTLET_PREPARING && o->state <= OUTLET_SWITCHING;
	bool want = o->conf.lock && (!o->open || (o->plugged && (in_use || o->pins.session)));
	bool next = want;
	/* A motor that got stuck is let go for a moment and tried again. */
	if (want && o->out.lock && !o->pins.locked && o->lock_ms >= LOCK_MOVES_MS && o->lock_tries < LOCK_TRIES) {
		o->lock_tries++;
		next = false;
	} else if (want && !o->out.lock && o->lock_tries && o->lock_ms < LOCK_REST_MS) {
		next = false;
	}
	if (next != o->out.lock)
		o->lock_ms = 0;
	o->out.lock = next;
}

static void drive_fan(struct outlet *o)
{
	bool fan = o->conf.fan && o->letter == 'D' && (o->state == OUTLET_OFFERING || may_be_closed(o->state));
	if (fan != o->out.fan)
		o->fan_ms = 0;
	o->out.fan = fan;
}

/* The test current makes the device trip, and without it it has to release again. Once begun it is carried through, or its trip would look
 * like a real one. */
static void drive_test(struct outlet *o)
{
	uint8_t next = o->test;
	if (o->test == TEST_FAILED && outlet_has(o, FAULT_RESIDUAL_TEST))
		next = TEST_NONE; /* the fault has it now */
	else if (o->test == TEST_NONE && o->conf.residual_test && o->state == OUTLET_PREPARING && o->open)
		next = TEST_TRIPPING;
	else if (o->test == TEST_TRIPPING)
		next = o->pins.residual ? TEST_RELEASING : o->test_ms >= TEST_MOST_MS ? TEST_FAILED : TEST_TRIPPING;
	else if (o->test == TEST_RELEASING)
		next = !o->pins.residual ? TEST_PASSED : o->test_ms >= TEST_MOST_MS ? TEST_FAILED : TEST_RELEASING;
	if (next != o->test)
		o->test_ms = 0;
	o->test = next;
	o->out.residual_test = next == TEST_TRIPPING;
}

static void take_pins(struct outlet *o, const struct outlet_in *in, int32_t dt_ms)
{
	if (in->known) {
		o->pins = *in;
		o->silent_ms = 0;
		return;
	}
	o->pins.offer_ma = in->offer_ma;
	o->pins.session = in->session;
	o->pins.phases = in->phases;
	outlet_pass(&o->silent_ms, dt_ms, o->conf.silent_ms);
}

void outlet_step(struct outlet *o, const struct outlet_in *in, int32_t dt_ms)
{
	dt_ms = dt_ms < 0 ? 0 : dt_ms < OUTLET_STEP_MOST_MS ? dt_ms : OUTLET_STEP_MOST_MS;
	take_pins(o, in, dt_ms);
	outlet_watch(o, dt_ms);
	pass_time(o, dt_ms);
	enum outlet_state next = next_state(o);
	if (next != o->state)
		enter(o, next);
	drive_pilot(o);
	drive_contactors(o);
	drive_lock(o);
	drive_fan(o);
	drive_test(o);
}

void outlet_open(struct outlet *o, const struct outlet_conf *conf)
{
	memset(o, 0, sizeof(*o));
	o->conf = *conf;
	o->out.duty = DUTY_STEADY;
	o->phases = conf->second ? 0 : 3;
	o->pins.duty = o->pins.temperature_dc = OUTLET_UNKNOWN;
	for (int i = 0; i < 3; i++)
		o->pins.i_ma[i] = OUTLET_UNKNOWN;
}

const char *outlet_state_text(enum outlet_state s)
{
	static const char *const texts[] = { "start", "idle", "connected", "preparing", "offering", "waking", "charging", "stopping", "opening",
	                                     "switching", "faulted" };
	return texts[s];
}
