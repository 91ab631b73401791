/* A relay of the box: closes for a permitted load, opens whenever it is not sure. */
#include "station/relay.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/timer.h"
#include "tests/unit/station/csms.h"

static struct stage st; /* for its CSMS end only */
static struct relay *relay;
static ag_evse_state hardware;
static double limit_a[3];
static int told, unlinked;

static void on_output(void *arg, int evse, const double limit[3])
{
	(void)arg;
	assert_int_equal(evse, 1);
	memcpy(limit_a, limit, sizeof(limit_a));
	told++;
}

static void on_unlinked(void *arg)
{
	(void)arg;
	unlinked++;
}

static const struct relay_events events = { .output = on_output, .unlinked = on_unlinked };

static void feed(bool closed)
{
	hardware.closed = closed;
	relay_feed(relay, 1, &hardware);
	loop_run_later();
}

/* Readings every 100 ms with a contact that follows its command. */
static void run(int64_t us)
{
	for (; us > 0; us -= SECOND / 10) {
		pass(&st, SECOND / 10);
		feed(limit_a[0] > 0);
	}
}

static void connect_relay(void)
{
	struct link *l = stage_far(&st);
	relay_connect(relay, l);
	loop_run_later();
}

static void begin(bool on_off)
{
	struct relay_conf conf = { .on_off = on_off };
	stage_open(&st, OCPP16);
	conf.station = st.conf;
	conf.station.free_token = "free";
	conf.station.phases = 1;
	memset(limit_a, 0, sizeof(limit_a));
	told = unlinked = 0;
	hardware = (ag_evse_state){ .plugged = 1, .i_a = { NAN, NAN, NAN }, .energy_wh = NAN };
	relay = relay_open(&conf, &events, NULL);
	st.s = relay_station(relay);
	connect_relay();
	feed(false);
}

static void end(void)
{
	relay_close(relay);
	loop_run_later();
	assert_null(st.far);
	assert_true(limit_a[0] == 0);
}

static void test_a_load_that_is_there_gets_its_current(void **state)
{
	(void)state;
	begin(true);
	assert_true(limit_a[0] == 16 && limit_a[1] == 0);
	run(5 * SECOND);
	assert_true(limit_a[0] == 16);
	hardware.plugged = 0;
	feed(true);
	assert_true(limit_a[0] == 0);
	end();
}

static void test_the_output_is_repeated_for_the_driver(void **state)
{
	(void)state;
	begin(true);
	int before = told;
	run(3 * SECOND);
	assert_int_equal(told, before + 3);
	end();
}

static void test_a_welded_contact_is_a_fault(void **state)
{
	struct station_view view;
	(void)state;
	begin(true);
	run(SECOND);
	station_stop(relay_station(relay), 1, "Local");
	assert_true(limit_a[0] == 0);
	for (int i = 0; i < 5; i++) {
		feed(true);
		pass(&st, SECOND / 10);
	}
	feed(true); /* 500 ms, not more */
	station_view(relay_station(relay), 1, &view);
	assert_int_equal(view.state, EVSE_FINISHING);
	pass(&st, SECOND / 10);
	feed(true);
	station_view(relay_station(relay), 1, &view);
	assert_int_equal(view.state, EVSE_FAULTED);
	st.at = st.n_seen - 1;
	expect(&st, "StatusNotification", "PowerSwitchFailure", NULL);
	run(59 * SECOND);
	station_view(relay_station(relay), 1, &view);
	assert_int_equal(view.state, EVSE_FAULTED);
	run(2 * SECOND);
	station_view(relay_station(relay), 1, &view);
	assert_int_equal(view.state, EVSE_FINISHING);
	end();
}

static void test_a_contact_that_does_not_close_is_opened_again(void **state)
{
	(void)state;
	begin(true);
	assert_true(limit_a[0] == 16);
	for (int i = 0; i < 7; i++) {
		pass(&st, SECOND / 10);
		feed(false);
	}
	assert_true(limit_a[0] == 0);
	end();
}

static void test_no_reading_for_a_while_opens_and_the_transaction_survives(void **state)
{
	struct station_view view;
	(void)state;
	begin(true);
	run(SECOND);
	for (int i = 0; i < 49; i++) {
		relay_feed_failed(relay, 1);
		pass(&st, SECOND / 10);
	}
	assert_true(limit_a[0] == 16);
	pass(&st, SECOND / 10);
	assert_true(limit_a[0] == 0);
	station_view(relay_station(relay), 1, &view);
	assert_true(view.running);
	feed(false);
	assert_true(limit_a[0] == 16);
	end();
}

static void test_a_pilot_is_offered_current_before_the_car_asks(void **state)
{
	struct station_view view;
	(void)state;
	begin(false);
	hardware.pilot = 'A';
	feed(false);
	assert_true(limit_a[0] == 0);
	hardware.pilot = 'B';
	feed(false);
	assert_true(limit_a[0] == 16);
	station_view(relay_station(relay), 1, &view);
	assert_int_equal(view.state, EVSE_SUSPENDED_EV);
	hardware.pilot = 'C';
	feed(true);
	station_view(relay_station(relay), 1, &view);
	assert_int_equal(view.state, EVSE_CHARGING);
	hardware.pilot = 'F';
	feed(false);
	assert_true(limit_a[0] == 0);
	station_view(relay_station(relay), 1, &view);
	assert_int_equal(view.state, EVSE_FAULTED);
	end();
}

static void test_energy_is_estimated_where_there_is_no_register(void **state)
{
	(void)state;
	begin(true);
	hardware.i_a[0] = 10;
	run(360 * SECOND);
	hardware.plugged = 0;
	feed(true);
	while (st.at < st.n_seen && strcmp(st.seen[st.at].action, "StopTransaction") != 0)
		st.at++;
	expect(&st, "StopTransaction", "\"meterStop\":230", NULL); /* 2300 W for a tenth of an hour */
	end();
}

static void test_a_register_that_is_exchanged_is_counted_on(void **state)
{
	static const double read[] = { 1000, 1010, 1009.5, 3, 13, 23 }; /* jitter below a watt-hour is none; 3 is another meter */
	(void)state;
	begin(true);
	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++) {
		hardware.energy_wh = read[i];
		run(SECOND);
	}
	hardware.plugged = 0;
	feed(true);
	while (st.at < st.n_seen && strcmp(st.seen[st.at].action, "StopTransaction") != 0)
		st.at++;
	expect(&st, "StopTransaction", "\"meterStop\":1030", NULL);
	end();
}

static void test_a_reset_asks_for_a_new_link(void **state)
{
	(void)state;
	begin(true);
	ask(&st, "Reset", "{\"type\":\"Hard\"}");
	assert_int_equal(unlinked, 1);
	assert_true(limit_a[0] == 0);
	connect_relay();
	assert_true(limit_a[0] == 16); /* booted again, with the load still there */
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_load_that_is_there_gets_its_current),
		cmocka_unit_test(test_the_output_is_repeated_for_the_driver),
		cmocka_unit_test(test_a_welded_contact_is_a_fault),
		cmocka_unit_test(test_a_contact_that_does_not_close_is_opened_again),
		cmocka_unit_test(test_no_reading_for_a_while_opens_and_the_transaction_survives),
		cmocka_unit_test(test_a_pilot_is_offered_current_before_the_car_asks),
		cmocka_unit_test(test_energy_is_estimated_where_there_is_no_register),
		cmocka_unit_test(test_a_register_that_is_exchanged_is_counted_on),
		cmocka_unit_test(test_a_reset_asks_for_a_new_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
