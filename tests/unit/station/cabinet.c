/* A station with two outlets that are fed by their pins: what reaches the CSMS of a fault, of silence, of a card at a shared reader and of
 * UnlockConnector, and that the driver is told to open when the station's life ends. The hardware is simulated (rig). */
#include "station/relay.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/timer.h"
#include "station/duty.h"
#include "station/rig.h"
#include "tests/unit/station/csms.h"

#define STEP (20 * INT64_C(1000))

static struct stage st; /* for its CSMS end only */
static struct relay *relay;
static struct spot {
	struct rig rig;
	struct outlet_out out;
	struct outlet_in in;
	int drives;
	/* The order the hardware has: the last one, or on a busy machine one of before. */
	ag_drive of, next;
	int64_t arrives_us;
} spots[2];
static int64_t order_takes_us;
static char faults[400];

static void on_output(void *arg, int evse, const double limit[3])
{
	(void)arg, (void)evse, (void)limit;
}

/* The hardware obeys. */
static void arrive(int evse)
{
	const ag_drive *d = &spots[evse - 1].next;
	spots[evse - 1].of = *d;
	spots[evse - 1].arrives_us = 0;
	spots[evse - 1].out = (struct outlet_out){ .pilot = d->pilot, .duty = d->pilot == AG_PILOT_PWM ? (uint16_t)lround(d->duty * 10000) : DUTY_STEADY,
		.close = { d->close_1, d->close_2 }, .lock = d->lock };
}

static void on_drive(void *arg, int evse, const ag_drive *d)
{
	struct spot *s = &spots[evse - 1];
	(void)arg;
	s->drives++;
	s->next = *d;
	if (!order_takes_us)
		arrive(evse);
	else if (!s->arrives_us)
		s->arrives_us = clock_mono_us() + order_takes_us;
}

static void on_fault(void *arg, int evse, const char *code, bool stands)
{
	(void)arg;
	size_t n = strlen(faults);
	snprintf(faults + n, sizeof(faults) - n, "%d%c%s ", evse, stands ? '+' : '-', code);
}

static const struct relay_events events = { .output = on_output, .drive = on_drive, .fault = on_fault };

static void feed_at(int evse, int64_t at_us)
{
	const struct outlet_in *in = &spots[evse - 1].in;
	ag_pins p = { .has = AG_PIN_PILOT | AG_PIN_CLOSED_1 | AG_PIN_CLOSED_2 | AG_PIN_SECOND | AG_PIN_LOCK, .high_v = in->high_mv / 1000.0,
		.low_v = in->low_mv / 1000.0, .duty = NAN, .proximity_ohm = INFINITY, .celsius = NAN, .u_v = { 230, 230, 230 }, .energy_wh = NAN };
	p.on = (in->closed[0] ? AG_PIN_CLOSED_1 : 0) | (in->closed[1] ? AG_PIN_CLOSED_2 : 0) | (in->locked ? AG_PIN_LOCK : 0);
	for (int i = 0; i < 3; i++)
		p.i_a[i] = in->i_ma[i] / 1000.0;
	relay_feed_pins(relay, evse, &p, &spots[evse - 1].of, at_us);
}

static void feed(int evse)
{
	feed_at(evse, clock_mono_us());
}

static void run(int64_t us)
{
	for (; us > 0; us -= STEP) {
		pass(&st, STEP);
		for (int i = 0; i < 2; i++) {
			if (spots[i].arrives_us && clock_mono_us() >= spots[i].arrives_us)
				arrive(i + 1);
			rig_step(&spots[i].rig, &spots[i].out, (int32_t)(STEP / US_PER_MS), &spots[i].in);
			if (!(spots[i].rig.broken & RIG_SILENT))
				feed(i + 1);
		}
		loop_run_later();
	}
}

static void plug_in(int evse)
{
	spots[evse - 1].rig.plugged = true;
	run(SECOND);
}

static void want(int evse, bool wants)
{
	spots[evse - 1].rig.wants = wants;
	run(3 * SECOND);
}

static enum evse_state state_of(int evse)
{
	struct station_view v;
	station_view(relay_station(relay), evse, &v);
	return v.state;
}

static void begin(void)
{
	static const struct outlet_conf made = { .pilot = true, .second = true };
	struct relay_conf conf = { .wake = false };
	stage_open(&st, OCPP16);
	conf.station = st.conf;
	conf.station.n_evses = 2;
	memset(spots, 0, sizeof(spots));
	faults[0] = 0;
	order_takes_us = 0;
	for (int i = 0; i < 2; i++) {
		rig_open(&spots[i].rig, &made);
		spots[i].out.duty = DUTY_STEADY;
	}
	relay = relay_open(&conf, &events, NULL);
	st.s = relay_station(relay);
	relay_connect(relay, stage_far(&st));
	loop_run_later();
	run(4 * SECOND);
}

static void end(void)
{
	relay_close(relay);
	loop_run_later();
	assert_null(st.far);
	for (int i = 0; i < 2; i++)
		assert_true(!spots[i].out.close[0] && !spots[i].out.close[1] && spots[i].out.pilot == PILOT_STEADY);
}

static void start(int evse, const char *card)
{
	plug_in(evse);
	relay_card(relay, 0, card);
	run(4 * SECOND);
	want(evse, true);
	assert_true(spots[evse - 1].rig.contact[0]);
	assert_int_equal(state_of(evse), EVSE_CHARGING);
}

static void test_a_shared_reader_finds_the_car_that_waits_and_the_session_it_began(void **state)
{
	(void)state;
	begin();
	start(2, "CARD-B");
	start(1, "CARD-A");
	assert_true(spots[0].rig.i_ma[0] > 15000 && spots[1].rig.i_ma[2] > 15000);
	relay_card(relay, 0, "CARD-B");
	run(3 * SECOND);
	assert_int_equal(state_of(2), EVSE_FINISHING);
	assert_int_equal(state_of(1), EVSE_CHARGING);
	assert_false(spots[1].rig.contact[0]);
	end();
}

static void test_a_fault_is_told_with_its_code_and_the_transaction_survives(void **state)
{
	struct station_view v;
	(void)state;
	begin();
	start(1, "CARD");
	st.at = st.n_seen;
	spots[0].rig.broken = RIG_SHORT;
	run(SECOND);
	assert_false(spots[0].rig.contact[0]);
	expect(&st, "StatusNotification", "\"connectorId\":1", "\"EVCommunicationError\"", "\"Faulted\"", NULL);
	assert_string_equal(faults, "1+PilotShort ");
	assert_int_equal(state_of(2), EVSE_AVAILABLE);
	station_view(relay_station(relay), 1, &v);
	assert_true(v.running);
	spots[0].rig.broken = 0;
	run(10 * SECOND);
	assert_string_equal(faults, "1+PilotShort 1-PilotShort ");
	assert_int_equal(state_of(1), EVSE_CHARGING);
	end();
}

static void test_silence_opens_within_two_seconds(void **state)
{
	(void)state;
	begin();
	start(1, "CARD");
	spots[0].rig.broken = RIG_SILENT;
	run(SECOND);
	assert_true(spots[0].rig.contact[0]);
	run(2 * SECOND);
	assert_false(spots[0].rig.contact[0]);
	assert_int_equal(state_of(1), EVSE_FAULTED);
	assert_string_equal(faults, "1+HardwareSilent ");
	spots[0].rig.broken = 0;
	run(10 * SECOND);
	assert_int_equal(state_of(1), EVSE_CHARGING);
	end();
}

static void test_unlocking_stops_first(void **state)
{
	(void)state;
	begin();
	start(1, "CARD");
	assert_true(spots[0].rig.locked);
	ask(&st, "UnlockConnector", "{\"connectorId\":1}");
	run(5 * SECOND);
	assert_string_equal(st.answer, "{\"status\":\"Unlocked\"}");
	assert_false(spots[0].rig.locked || spots[0].rig.contact[0]);
	assert_int_equal(state_of(1), EVSE_FINISHING);
	end();
}

static void test_a_lock_that_is_stuck_is_told(void **state)
{
	(void)state;
	begin();
	start(1, "CARD");
	spots[0].rig.broken = RIG_LOCK_STUCK;
	ask(&st, "UnlockConnector", "{\"connectorId\":1}");
	run(11 * SECOND);
	assert_string_equal(st.answer, "{\"status\":\"UnlockFailed\"}");
	assert_false(spots[0].rig.contact[0]);
	assert_string_equal(faults, "1+PlugNotReleased ");
	end();
}

static void test_one_phase_where_a_profile_says_so(void **state)
{
	(void)state;
	begin();
	start(1, "CARD");
	assert_true(spots[0].rig.i_ma[1] > 0);
	ask(&st, "SetChargingProfile",
	    "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":1,\"transactionId\":17,\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\","
	    "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":10,"
	    "\"numberPhases\":1}]}}}");
	assert_string_equal(st.answer, "{\"status\":\"Accepted\"}");
	run(30 * SECOND);
	assert_true(spots[0].rig.i_ma[0] > 9000 && spots[0].rig.i_ma[1] == 0 && !spots[0].rig.contact[1]);
	end();
}

/* A machine that is busy: orders reach the hardware long after they were given, and it is read all the while. */
static void test_readings_of_before_an_order_are_no_fault(void **state)
{
	(void)state;
	begin();
	order_takes_us = 900 * US_PER_MS;
	start(1, "CARD");
	relay_card(relay, 1, "CARD");
	run(10 * SECOND);
	assert_false(spots[0].rig.contact[0]);
	assert_string_equal(faults, "");
	end();
}

static void test_a_missing_diode_is_found_once_the_hardware_has_obeyed(void **state)
{
	(void)state;
	begin();
	spots[0].rig.broken = RIG_NO_DIODE;
	order_takes_us = 900 * US_PER_MS;
	plug_in(1);
	relay_card(relay, 0, "CARD");
	run(4 * SECOND);
	assert_string_equal(faults, "1+PilotDiode ");
	order_takes_us = 0;
	end();
}

/* The program itself was not run for a while: what was read within 40 ms is no more than that, however late it is looked at. */
static void test_readings_that_waited_count_by_when_they_were_read(void **state)
{
	(void)state;
	begin();
	start(1, "CARD");
	int64_t read_us = clock_mono_us();
	spots[0].in.low_mv = 0;
	feed_at(1, read_us + 20 * US_PER_MS);
	pass(&st, 400 * US_PER_MS);
	feed_at(1, read_us + 40 * US_PER_MS);
	assert_string_equal(faults, "");
	run(SECOND);
	assert_string_equal(faults, "");
	spots[0].rig.broken = RIG_NO_DIODE;
	run(SECOND);
	assert_string_equal(faults, "1+PilotDiode ");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_shared_reader_finds_the_car_that_waits_and_the_session_it_began),
		cmocka_unit_test(test_a_fault_is_told_with_its_code_and_the_transaction_survives),
		cmocka_unit_test(test_silence_opens_within_two_seconds),
		cmocka_unit_test(test_unlocking_stops_first),
		cmocka_unit_test(test_a_lock_that_is_stuck_is_told),
		cmocka_unit_test(test_one_phase_where_a_profile_says_so),
		cmocka_unit_test(test_readings_of_before_an_order_are_no_fault),
		cmocka_unit_test(test_a_missing_diode_is_found_once_the_hardware_has_obeyed),
		cmocka_unit_test(test_readings_that_waited_count_by_when_they_were_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
