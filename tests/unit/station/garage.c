/* An owner's garage in simulated time: the balancer, a station with an outlet whose second contactor opens L2 and L3 alone, and a car that has 16 A on
 * three phases. What the balancer wants reaches the station as charging profiles; what flows is seen by the balancer and by a fuse that has no patience. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/loop.h"
#include "energy/control.h"
#include "station/duty.h"
#include "station/relay.h"
#include "station/rig.h"
#include "tests/unit/station/csms.h"

#define A(amps) ((amps) * 1000)
#define STEP (20 * INT64_C(1000))
#define AGAIN_S 120
#define OVER_MOST_S 8
#define CLOSURE_COUNTS_MS 200

static struct stage st;
static struct relay *relay;
static struct rig rig;
static struct outlet_out out;
static struct outlet_in in;
static ag_drive driven;
static struct control *c;
static int32_t house[3], fuse_ma;
static bool imports; /* drawing from the grid is fine */
static int over_s, changes, wobble;
static int32_t open_ms, least_open_ms; /* everything is open since; the least before the number of phases changed */
static int32_t closed_ms;
static int closed_phases;              /* of the last closure; 0: none yet */

static void on_output(void *arg, int evse, const double limit[3])
{
	(void)arg, (void)evse, (void)limit;
}

static void on_drive(void *arg, int evse, const ag_drive *d)
{
	(void)arg, (void)evse;
	driven = *d;
	out = (struct outlet_out){ .pilot = d->pilot, .duty = d->pilot == AG_PILOT_PWM ? (uint16_t)lround(d->duty * 10000) : DUTY_STEADY,
		.close = { d->close_1, d->close_2 }, .lock = d->lock };
}

static const struct relay_events relay_events = { .output = on_output, .drive = on_drive };

static void set_profile(const char *purpose, int32_t ma, int phases)
{
	char text[500];
	snprintf(text, sizeof(text), "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":%d,\"stackLevel\":1,\"chargingProfilePurpose\":\"%s\","
		"\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":%.1f,"
		"\"numberPhases\":%d}]}}}", purpose[2] == 'D' ? 2 : 1, purpose, floor(ma / 100.0) / 10, phases);
	assert_string_equal(ask(&st, "SetChargingProfile", text), "{\"status\":\"Accepted\"}");
}

static void on_send(void *arg, int evse, const struct grant *g)
{
	(void)arg;
	set_profile("TxProfile", g->ma, g->phases);
	control_evse_answered(c, evse, g->ma, true, clock_mono_us());
}

static void feed_pins(void)
{
	ag_pins p = { .has = AG_PIN_PILOT | AG_PIN_CLOSED_1 | AG_PIN_CLOSED_2 | AG_PIN_SECOND, .high_v = in.high_mv / 1000.0, .low_v = in.low_mv / 1000.0,
		.duty = NAN, .proximity_ohm = INFINITY, .celsius = NAN, .u_v = { 230, 230, 230 }, .energy_wh = NAN };
	p.on = (in.closed[0] ? AG_PIN_CLOSED_1 : 0) | (in.closed[1] ? AG_PIN_CLOSED_2 : 0);
	for (int i = 0; i < 3; i++)
		p.i_a[i] = in.i_ma[i] / 1000.0;
	relay_feed_pins(relay, 1, &p, &driven, clock_mono_us());
}

/* What an electrician sees of the contactors. L2 and L3 follow L1 and N a moment later. */
static void watch_contacts(void)
{
	int32_t step_ms = (int32_t)(STEP / US_PER_MS);
	int phases = rig.contact[1] ? 3 : 1;
	if (!rig.contact[0] && !rig.contact[1]) {
		open_ms = closed_ms ? step_ms : open_ms + step_ms;
		closed_ms = 0;
		return;
	}
	closed_ms += step_ms;
	if (closed_ms < CLOSURE_COUNTS_MS || phases == closed_phases)
		return;
	if (closed_phases && open_ms < least_open_ms)
		least_open_ms = open_ms;
	changes += closed_phases != 0;
	closed_phases = phases;
}

static void tell_balancer(int64_t now)
{
	struct meter_sample m = { .at_us = now, .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
	struct station_view v;
	int64_t sum = 0;
	bool over = false;
	station_view(relay_station(relay), 1, &v);
	control_evse_state(c, 0, v.state, now);
	control_evse_tx(c, 0, v.running, now);
	if (now / SECOND % 10 == 0)
		control_evse_draw(c, 0, rig.i_ma, NAN, now);
	for (int l = 0; l < 3; l++) {
		m.ma.l[l] = house[l] + rig.i_ma[l];
		over = over || m.ma.l[l] > fuse_ma + 200;
		sum += m.ma.l[l];
	}
	over = over || (!imports && sum > 1000);
	m.ma.l[2] += wobble = !wobble;
	control_meter(c, 0, &m);
	over_s = over ? over_s + 1 : 0;
	assert_true(over_s <= OVER_MOST_S);
}

static void second(void)
{
	for (int i = 0; i < SECOND / STEP; i++) {
		pass(&st, STEP);
		rig_step(&rig, &out, (int32_t)(STEP / US_PER_MS), &in);
		feed_pins();
		loop_run_later();
		watch_contacts();
	}
	tell_balancer(clock_mono_us());
	control_tick(c, clock_mono_us());
	st.n_seen = st.at = 0;
}

static void seconds(int n)
{
	while (n-- > 0)
		second();
}

/* Until the car draws on so many phases. How long it took. */
static int until_phases(int phases, int most_s)
{
	for (int s = 0; s < most_s; s++) {
		if ((rig.i_ma[1] ? 3 : rig.i_ma[0] ? 1 : 0) == phases)
			return s;
		second();
	}
	fail_msg("not on %d phases after %d s: contacts %d %d, L1 %d", phases, most_s, rig.contact[0], rig.contact[1], (int)rig.i_ma[0]);
	return 0;
}

/* A plant on all three phases, which gives so much; what the site draws from the grid is to be nothing. */
static void shine(int32_t w)
{
	for (int l = 0; l < 3; l++)
		house[l] = -(int32_t)((int64_t)w * 1000 / 230 / 3);
}

static void follow_the_sun(void)
{
	struct cap_conf k = { .node = 0, .evse = -1, .line = { { MA_NONE, MA_NONE, MA_NONE } }, .power_w = 0, .surplus = true, .reason = "schedule", .owner = "sun",
		.until_us = INT64_MAX };
	imports = false;
	control_cap_put(c, 0, &k);
}

static void begin(int32_t fuse_amps)
{
	static const struct control_events events = { on_send };
	static const struct outlet_conf made = { .pilot = true, .second = true };
	struct relay_conf conf = { .wake = true };
	struct node_conf node = { .id = "house", .parent = -1, .limit = { { A(fuse_amps), A(fuse_amps), A(fuse_amps) } } };
	struct meter_conf meter = { "main", 3 * SECOND };
	struct evse_conf evse = { .id = "T-01/1", .station = "T-01", .evse = 1, .lines = { 0, 1, 2 }, .n_lines = 3, .min_ma = A(6), .max_ma = A(16),
		.fallback_after_us = SECOND, .switch_after_us = AGAIN_S * SECOND };
	struct control_conf site = { .interval_us = SECOND, .increase_after_us = 5 * SECOND, .increase_step_ma = A(4), .rotate_every_us = 900 * SECOND,
		.resend_us = 90 * SECOND, .meter_lost_after_us = 3 * SECOND, .nodes = &node, .n_nodes = 1, .meters = &meter, .n_meters = 1, .evses = &evse,
		.n_evses = 1 };
	stage_open(&st, OCPP16);
	conf.station = st.conf;
	conf.station.sample_us = 0;
	memset(house, 0, sizeof(house));
	memset(&in, 0, sizeof(in));
	memset(&driven, 0, sizeof(driven));
	fuse_ma = A(fuse_amps);
	imports = true;
	over_s = changes = closed_phases = open_ms = closed_ms = 0;
	least_open_ms = INT32_MAX;
	rig_open(&rig, &made);
	out = (struct outlet_out){ .duty = DUTY_STEADY };
	c = control_open(&site, &events, NULL);
	control_evse_link(c, 0, true, clock_mono_us());
	relay = relay_open(&conf, &relay_events, NULL);
	relay_connect(relay, stage_far(&st));
	loop_run_later();
	set_profile("TxDefaultProfile", 0, 3); /* what it does by itself: nothing */
	seconds(5);
}

static void charge(void)
{
	rig.plugged = true;
	second();
	relay_card(relay, 0, "CARD");
	seconds(2);
	rig.wants = true;
}

static void end(void)
{
	assert_true(least_open_ms >= 10000);
	relay_close(relay);
	control_close(c);
	loop_run_later();
	assert_true(!out.close[0] && !out.close[1]);
}

static void test_a_small_fuse_feeds_a_car_on_the_phase_that_has_room(void **state)
{
	struct evse_view v;
	(void)state;
	begin(20);
	house[1] = A(17); /* an oven: no 6 A are left on L2 */
	charge();
	assert_true(until_phases(1, 90) >= 30);
	assert_false(rig.contact[1]);
	seconds(60);
	assert_true(rig.i_ma[0] > A(14));
	control_evse_view(c, 0, &v);
	assert_int_equal(v.grant.phases, 1);
	house[1] = A(2);
	assert_true(until_phases(3, 400) >= 100);
	seconds(60);
	assert_true(rig.i_ma[2] > A(14));
	assert_int_equal(changes, 1);
	house[1] = A(17); /* and back */
	until_phases(0, 20);
	until_phases(1, 400);
	assert_int_equal(changes, 2);
	end();
}

static void test_a_little_sun_charges_on_one_phase_and_much_of_it_on_three(void **state)
{
	(void)state;
	begin(35);
	shine(3000);
	follow_the_sun();
	charge();
	until_phases(1, 90);
	seconds(60);
	assert_true(rig.i_ma[0] > A(12)); /* of 13; three phases would need 4.1 kW */
	shine(8000);
	until_phases(3, 400);
	seconds(60);
	assert_true(rig.i_ma[0] > A(10));
	shine(2000);
	until_phases(0, 20);
	until_phases(1, 400);
	seconds(30);
	assert_in_range(rig.i_ma[0], A(7), A(9));
	for (int i = 0; i < 20; i++) { /* clouds */
		shine(i % 2 ? 2000 : 9000);
		seconds(45);
	}
	assert_int_equal(changes, 2); /* no passing cloud is worth a contactor's life */
	end();
}

static void test_a_car_that_leaves_meanwhile_leaves_everything_open(void **state)
{
	(void)state;
	begin(20);
	house[1] = A(17);
	charge();
	until_phases(1, 90);
	house[1] = A(2);
	until_phases(0, 400);
	seconds(2);
	rig.plugged = false;
	seconds(1);
	assert_true(!rig.contact[0] && !rig.contact[1]);
	seconds(5);
	assert_true(!rig.contact[0] && !rig.contact[1]);
	st.n_seen = st.at = closed_phases = 0;
	charge(); /* the next one has three at once */
	assert_true(until_phases(3, 30) < 30);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_small_fuse_feeds_a_car_on_the_phase_that_has_room),
		cmocka_unit_test(test_a_little_sun_charges_on_one_phase_and_much_of_it_on_three),
		cmocka_unit_test(test_a_car_that_leaves_meanwhile_leaves_everything_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
