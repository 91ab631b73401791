/* The outlet against a simulated car, contactor and lock, in steps of 10 ms: the sequences of IEC 61851-1 with their times, and for each
 * fault its code, what becomes of the contactor, and the way back. */
#include "station/outlet.h"

#include <stdio.h>

#include "station/duty.h"
#include "station/rig.h"
#include "tests/unit/unit.h"

#define STEP 10
#define NEVER 100000

static struct outlet o;
static struct rig rig;
static struct outlet_in in;
static int32_t now_ms;

static const struct outlet_conf whole = {
	.pilot = true, .socket = true, .lock = true, .feedback = { true, true }, .second = true, .residual = true, .residual_test = true,
	.mains = true, .emergency = true, .fan = true, .wake = true, .max_ma = 32000, .min_ma = 6000, .silent_ms = 500,
	.derate_dc = 650, .halve_dc = 680, .hot_dc = 710, .switches_most = 10,
};

static void begin(const struct outlet_conf *conf)
{
	outlet_open(&o, conf);
	rig_open(&rig, conf);
	memset(&in, 0, sizeof(in));
	in.phases = 3;
	now_ms = 0;
}

static void step(void)
{
	rig_step(&rig, &o.out, STEP, &in);
	outlet_step(&o, &in, STEP);
	now_ms += STEP;
}

static void run(int32_t ms)
{
	for (; ms > 0; ms -= STEP)
		step();
}

/* How long it takes to get there; NEVER: not within most_ms. */
static int32_t until_state(enum outlet_state s, int32_t most_ms)
{
	for (int32_t ms = 0; ms <= most_ms; ms += STEP) {
		if (o.state == s)
			return ms;
		step();
	}
	return NEVER;
}

static int32_t until_contact(bool closed, int32_t most_ms)
{
	for (int32_t ms = 0; ms <= most_ms; ms += STEP) {
		if (rig.contact[0] == closed && (closed || !rig.contact[1]))
			return ms;
		step();
	}
	return NEVER;
}

static void in_state(enum outlet_state s)
{
	if (o.state != s)
		fail_msg("state %s at %d ms, want %s", outlet_state_text(o.state), (int)now_ms, outlet_state_text(s));
}

static void within(int32_t ms, int32_t most)
{
	if (ms > most)
		fail_msg("took %d ms, at most %d are allowed", (int)ms, (int)most);
}

/* A car that charges with 16 A on three phases. */
static void charge(const struct outlet_conf *conf)
{
	begin(conf);
	run(4000);
	in_state(OUTLET_IDLE);
	rig.plugged = true;
	run(1000);
	in_state(OUTLET_CONNECTED);
	in.offer_ma = 16000;
	in.session = true;
	within(until_state(OUTLET_OFFERING, 4000), 4000);
	run(1000);
	rig.wants = true;
	within(until_state(OUTLET_CHARGING, 3000), 3000);
	run(500);
	assert_true(rig.contact[0]);
}

static void test_a_car_comes_charges_and_goes(void **state)
{
	(void)state;
	begin(&whole);
	run(2900);
	in_state(OUTLET_START); /* nothing is believed for three seconds */
	assert_int_equal(o.out.pilot, PILOT_STEADY);
	run(200);
	in_state(OUTLET_IDLE);
	rig.plugged = true;
	run(100);
	in_state(OUTLET_CONNECTED);
	assert_true(o.plugged && o.letter == 'B' && o.cable_ma == 32000);
	rig.wants = true; /* C1: without PWM nothing closes */
	run(5000);
	in_state(OUTLET_CONNECTED);
	assert_false(rig.contact[0]);
	rig.wants = false;
	in.offer_ma = 16000;
	in.session = true;
	within(until_state(OUTLET_OFFERING, 4000), 4000);
	assert_true(rig.locked); /* before there is PWM */
	assert_int_equal(o.test, TEST_PASSED);
	assert_int_equal(o.out.duty, 2666);
	run(1000);
	rig.wants = true;
	within(until_contact(true, 3000), 3000); /* sequence 4 */
	run(200);
	assert_true(rig.contact[0] && rig.contact[1]);
	assert_int_equal(rig.i_ma[2], 15996);
	rig.wants = false;
	within(until_contact(false, 500), 100);  /* sequence 8.1 */
	run(500);
	in_state(OUTLET_OFFERING);
	rig.wants = true; /* and again */
	within(until_contact(true, 3000), 3000);
	run(200);
	rig.plugged = false;
	within(until_contact(false, 500), 100);  /* sequence 2 */
	run(100);
	in_state(OUTLET_IDLE);
	assert_int_equal(o.out.pilot, PILOT_STEADY);
	in.session = false;
	run(1000);
	assert_false(rig.locked);
	assert_int_equal(o.standing, 0);
}

static void test_a_permission_that_ends_gives_the_car_six_seconds(void **state)
{
	(void)state;
	charge(&whole);
	rig.broken = RIG_GREEDY; /* draws on without PWM */
	in.offer_ma = 0;
	run(100);
	in_state(OUTLET_STOPPING);
	assert_int_equal(o.out.pilot, PILOT_STEADY);
	assert_true(rig.contact[0]);
	int32_t took = until_contact(false, 7000);
	assert_true(took > 5700);
	within(took + 100, 6200); /* sequence 10.2 */
	charge(&whole);
	in.offer_ma = 0; /* a car that stops drawing is not waited for */
	within(until_contact(false, 7000), 700);
	run(1000);
	in_state(OUTLET_CONNECTED);
	assert_true(rig.locked); /* the session goes on */
	in.session = false;
	run(1000);
	assert_false(rig.locked);
}

static void test_the_duty_changes_every_five_seconds_at_most(void **state)
{
	(void)state;
	charge(&whole);
	run(5000);
	in.offer_ma = 10000;
	run(20);
	assert_int_equal(o.out.duty, 1666);
	in.offer_ma = 8000;
	run(4900);
	assert_int_equal(o.out.duty, 1666);
	run(200);
	assert_int_equal(o.out.duty, 1333);
}

static void test_a_new_pwm_comes_after_three_seconds_of_a_steady_level(void **state)
{
	(void)state;
	charge(&whole);
	in.offer_ma = 0;
	until_state(OUTLET_CONNECTED, 7000);
	in.offer_ma = 16000;
	int32_t steady = 0;
	while (o.out.pilot != PILOT_PWM && steady < NEVER) {
		step();
		steady += STEP;
	}
	assert_in_range(steady, 2000, 3100); /* since the stop half a second and more have passed */
}

static void test_the_offer_is_the_least_of_station_cable_and_rating(void **state)
{
	(void)state;
	begin(&whole);
	rig.cable_ohm = 680;
	rig.plugged = true;
	in.offer_ma = 40000;
	run(6000);
	in_state(OUTLET_OFFERING);
	assert_int_equal(duty_to_ma(o.out.duty), 19998);
	begin(&whole);
	rig.cable_ohm = 100;
	rig.plugged = true;
	in.offer_ma = 40000;
	run(6000);
	assert_int_equal(duty_to_ma(o.out.duty), 31998);
	in.offer_ma = 5900;
	run(100);
	in_state(OUTLET_CONNECTED); /* less than 6 A is no offer */
}

static void test_ventilation(void **state)
{
	(void)state;
	charge(&whole);
	rig.wants = false;
	run(1000);
	rig.ventilation = rig.wants = true;
	within(until_contact(true, 3000), 3000);
	assert_true(rig.fan);
	struct outlet_conf no_fan = whole;
	no_fan.fan = false;
	charge(&no_fan);
	rig.ventilation = true;
	within(until_contact(false, 3000), 3000);
	assert_true(outlet_has(&o, FAULT_VENTILATION));
}

static void test_a_sleeping_car_is_woken_once(void **state)
{
	(void)state;
	for (int e = 0; e < 2; e++) {
		struct outlet_conf conf = whole;
		conf.wake_e = e;
		begin(&conf);
		rig.plugged = true;
		in.offer_ma = 16000;
		within(until_state(OUTLET_OFFERING, 8000), 8000);
		int32_t waited = until_state(OUTLET_WAKING, 40000);
		assert_in_range(waited, 29000, 31000);
		step();
		assert_int_equal(o.out.pilot, e ? PILOT_OFF : PILOT_NEGATIVE);
		run(3900);
		assert_int_equal(o.out.pilot, e ? PILOT_OFF : PILOT_NEGATIVE);
		run(200);
		assert_int_equal(o.out.pilot, PILOT_STEADY);
		run(800);
		in_state(OUTLET_OFFERING);
		assert_true(until_state(OUTLET_WAKING, 60000) == NEVER);
		assert_int_equal(o.standing, 0);
	}
}

static void test_phases_are_switched_with_everything_open(void **state)
{
	(void)state;
	charge(&whole);
	assert_true(rig.contact[1]);
	in.phases = 1;
	within(until_contact(false, 7000), 6200);
	int32_t open = 0;
	while (!rig.contact[0] && open < 30000) {
		assert_false(rig.contact[1]);
		step();
		open += STEP;
	}
	assert_in_range(open, 10000, 14000);
	run(1000);
	assert_false(rig.contact[1]);
	assert_int_equal(rig.i_ma[1], 0);
	in.phases = 3;
	run(20000);
	assert_true(rig.contact[0] && rig.contact[1]);
}

/* The last change that it is spared from is the one to three: what was asked for is never exceeded. */
static void test_a_car_is_spared_more_than_ten_changes_and_ends_on_one_phase(void **state)
{
	(void)state;
	charge(&whole);
	for (int i = 0; i < 15; i++) {
		in.phases = 1;
		run(30000);
		assert_true(rig.contact[0]);
		assert_false(rig.contact[1]);
		in.phases = 3;
		run(30000);
		assert_true(rig.contact[0]);
	}
	assert_int_equal(o.switches, 9);
	assert_false(rig.contact[1]);
}

static void test_heat_takes_current_away_in_steps_and_gives_it_back(void **state)
{
	(void)state;
	charge(&whole);
	in.offer_ma = 32000;
	run(6000);
	assert_int_equal(duty_to_ma(o.out.duty), 31998);
	rig.temperature_dc = 655;
	run(6000);
	assert_int_equal(duty_to_ma(o.out.duty), 24000);
	rig.temperature_dc = 640; /* not cooler by three degrees yet */
	run(6000);
	assert_int_equal(duty_to_ma(o.out.duty), 24000);
	rig.temperature_dc = 690;
	run(6000);
	assert_int_equal(duty_to_ma(o.out.duty), 15996);
	rig.temperature_dc = 600;
	run(6000);
	assert_int_equal(duty_to_ma(o.out.duty), 31998);
}

static void test_a_load_without_a_pilot(void **state)
{
	static const struct outlet_conf bare = { .feedback = { true }, .max_ma = 16000, .min_ma = 16000, .silent_ms = 500, .hot_dc = OUTLET_UNKNOWN };
	(void)state;
	begin(&bare);
	rig.plugged = rig.wants = true;
	in.offer_ma = 10000; /* not enough for it */
	run(5000);
	assert_false(rig.contact[0]);
	in.offer_ma = 16000;
	within(until_contact(true, 1000), 200);
	in.offer_ma = 0;
	within(until_contact(false, 1000), 100);
	in.offer_ma = 16000;
	run(1000);
	rig.plugged = false;
	within(until_contact(false, 1000), 100);
}

static void test_a_car_that_waits_in_c_when_we_start(void **state)
{
	(void)state;
	begin(&whole);
	rig.plugged = rig.wants = true;
	in.offer_ma = 16000;
	int32_t steady = 0;
	while (o.out.pilot == PILOT_STEADY && steady < NEVER) {
		step();
		steady += STEP;
	}
	assert_in_range(steady, 3000, 6000);
	within(until_contact(true, 3000), 3000);
}

/* Faults */

struct fault_case {
	uint32_t broken;
	enum outlet_fault fault;
	int32_t opens_ms;    /* the contactor is open after this long at most */
	int32_t back_ms;     /* repaired, the car still there: charges again after this long; NEVER: only after unplugging */
};

static const struct fault_case fault_cases[] = {
	{ RIG_EMERGENCY, FAULT_EMERGENCY, 50, 12000 },
	{ RIG_RESIDUAL, FAULT_RESIDUAL, 50, 310000 },
	{ RIG_SHORT, FAULT_PILOT_SHORT, 3000, 12000 },
	{ RIG_NO_DIODE, FAULT_DIODE, 3000, 70000 },
	{ RIG_WRONG_DUTY, FAULT_DUTY, 3000, 80000 },
	{ RIG_MAINS, FAULT_MAINS, 100, 16000 },
	{ RIG_SILENT, FAULT_PINS, 600, 12000 },
	{ RIG_BAD_CABLE, FAULT_CABLE, 500, 12000 },
	{ RIG_GREEDY, FAULT_OVERCURRENT, 8000, 70000 },
	{ RIG_HOT, FAULT_HOT, 7500, 22000 },
};

static void test_faults_while_charging_open_and_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fault_cases) / sizeof(fault_cases[0]); i++) {
		const struct fault_case *c = &fault_cases[i];
		const char *code = outlet_faults[c->fault].code;
		charge(&whole);
		rig.broken |= c->broken;
		int32_t took = until_contact(false, 10000);
		run(1000);
		if (!outlet_has(&o, c->fault) || took > c->opens_ms)
			fail_msg("%s: open after %d ms, allowed %d; standing %x", code, (int)took, (int)c->opens_ms, (unsigned)o.standing);
		run(2000);
		in_state(OUTLET_FAULTED);
		rig.broken = 0;
		int32_t back = until_contact(true, 600000);
		if (back > c->back_ms)
			fail_msg("%s: charges again after %d ms, want %d; state %s standing %x", code, (int)back, (int)c->back_ms, outlet_state_text(o.state),
			         (unsigned)o.standing);
		if (!outlet_faults[c->fault].until_unplug)
			continue;
		for (int more = 0; more < 3; more++) { /* not for ever */
			rig.broken |= c->broken;
			run(20000);
			rig.broken = 0;
			back = until_contact(true, 600000);
		}
		if (back != NEVER)
			fail_msg("%s: forgiven a fourth time with the same car", code);
		rig.plugged = rig.wants = false;
		run(3000);
		if (outlet_has(&o, c->fault))
			fail_msg("%s: stands with the car gone", code);
		rig.plugged = true;
		run(1000);
		rig.wants = true;
		within(until_contact(true, 10000), 10000);
	}
}

static void test_welded_contacts(void **state)
{
	static const uint32_t welds[] = { RIG_WELD_1, RIG_WELD_2 };
	(void)state;
	for (int k = 0; k < 2; k++) {
		charge(&whole);
		rig.broken = welds[k];
		rig.wants = false;
		run(1000);
		assert_true(outlet_has(&o, FAULT_WELDED));
		in_state(OUTLET_FAULTED);
		assert_true(rig.locked); /* the plug is live: nobody takes it */
		in.session = false;
		in.offer_ma = 0;
		run(5000);
		assert_true(rig.locked);
		rig.broken = 0;
		run(59000);
		in_state(OUTLET_FAULTED);
		run(5000);
		in_state(OUTLET_CONNECTED);
	}
}

static void test_contacts_that_do_not_close(void **state)
{
	static const uint32_t dead[] = { RIG_DEAD_1, RIG_DEAD_2 };
	(void)state;
	for (int k = 0; k < 2; k++) {
		charge(&whole);
		rig.wants = false;
		run(1000);
		rig.broken = dead[k];
		rig.wants = true;
		run(2000);
		assert_true(outlet_has(&o, FAULT_NOT_CLOSING));
		assert_false(o.out.close[0] || o.out.close[1]);
		rig.broken = 0;
		assert_in_range(until_contact(true, 100000), 55000, 70000); /* once a minute */
	}
}

static void test_current_past_the_contactor(void **state)
{
	(void)state;
	begin(&whole);
	run(4000);
	rig.broken = RIG_LEAK;
	run(6000);
	assert_true(outlet_has(&o, FAULT_STRAY));
	rig.broken = 0;
	run(65000);
	in_state(OUTLET_IDLE);
}

static void test_the_residual_current_device_is_tested(void **state)
{
	static const uint32_t broken[] = { RIG_RCD_DEAD, RIG_RCD_STUCK };
	(void)state;
	for (int k = 0; k < 2; k++) {
		begin(&whole);
		run(4000);
		rig.broken = k ? 0 : broken[k];
		rig.plugged = true;
		run(100);
		in.offer_ma = 16000;
		if (k) {
			until_state(OUTLET_PREPARING, 1000);
			rig.broken = broken[k];
		}
		run(3000);
		assert_true(outlet_has(&o, FAULT_RESIDUAL_TEST));
		assert_int_equal(o.out.pilot == PILOT_PWM, false);
		rig.broken = 0;
		run(k ? 310000 : 75000); /* tested again after a minute; one that stays tripped is residual current all the same */
		in_state(OUTLET_OFFERING);
	}
}

static void test_a_plug_that_does_not_lock(void **state)
{
	(void)state;
	begin(&whole);
	run(4000);
	rig.broken = RIG_LOCK_STUCK;
	rig.plugged = true;
	in.offer_ma = 16000;
	run(10000);
	assert_int_equal(o.out.pilot, PILOT_STEADY); /* tried again, no PWM meanwhile */
	run(5000);
	assert_true(outlet_has(&o, FAULT_LOCK));
	rig.broken = 0;
	run(75000);
	in_state(OUTLET_OFFERING);
	charge(&whole);
	rig.locked = false;
	rig.broken = RIG_LOCK_STUCK;
	within(until_contact(false, 7000), 7000);
	assert_true(outlet_has(&o, FAULT_LOCK));
}

static void test_a_plug_that_does_not_come_free_is_told_and_charging_goes_on(void **state)
{
	(void)state;
	charge(&whole);
	in.offer_ma = 0;
	run(7000);
	rig.broken = RIG_LOCK_STUCK;
	in.session = false;
	run(6000);
	assert_true(outlet_has(&o, FAULT_UNLOCK));
	in_state(OUTLET_CONNECTED);
	in.offer_ma = 16000;
	in.session = true;
	rig.wants = true;
	within(until_contact(true, 10000), 10000);
	assert_int_equal(o.standing, 0);
}

/* docs/OUTLETS.md names each code with the error code that the CSMS is told. */
static void test_every_fault_is_in_the_manual(void **state)
{
	const char *srcdir = getenv("srcdir");
	char path[300], line[600], want[100];
	(void)state;
	snprintf(path, sizeof(path), "%s/docs/OUTLETS.md", srcdir ? srcdir : ".");
	for (int f = 0; f < OUTLET_FAULTS; f++) {
		FILE *doc = fopen(path, "r");
		bool found = false;
		assert_non_null(doc);
		snprintf(want, sizeof(want), "| %s | %s | ", outlet_faults[f].code, outlet_faults[f].ocpp);
		while (!found && fgets(line, sizeof(line), doc))
			found = strncmp(line, want, strlen(want)) == 0;
		fclose(doc);
		if (!found)
			fail_msg("no line begins with \"%s\"", want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_car_comes_charges_and_goes),
		cmocka_unit_test(test_a_permission_that_ends_gives_the_car_six_seconds),
		cmocka_unit_test(test_the_duty_changes_every_five_seconds_at_most),
		cmocka_unit_test(test_a_new_pwm_comes_after_three_seconds_of_a_steady_level),
		cmocka_unit_test(test_the_offer_is_the_least_of_station_cable_and_rating),
		cmocka_unit_test(test_ventilation),
		cmocka_unit_test(test_a_sleeping_car_is_woken_once),
		cmocka_unit_test(test_phases_are_switched_with_everything_open),
		cmocka_unit_test(test_a_car_is_spared_more_than_ten_changes_and_ends_on_one_phase),
		cmocka_unit_test(test_heat_takes_current_away_in_steps_and_gives_it_back),
		cmocka_unit_test(test_a_load_without_a_pilot),
		cmocka_unit_test(test_a_car_that_waits_in_c_when_we_start),
		cmocka_unit_test(test_faults_while_charging_open_and_come_back),
		cmocka_unit_test(test_welded_contacts),
		cmocka_unit_test(test_contacts_that_do_not_close),
		cmocka_unit_test(test_current_past_the_contactor),
		cmocka_unit_test(test_the_residual_current_device_is_tested),
		cmocka_unit_test(test_a_plug_that_does_not_lock),
		cmocka_unit_test(test_a_plug_that_does_not_come_free_is_told_and_charging_goes_on),
		cmocka_unit_test(test_every_fault_is_in_the_manual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
