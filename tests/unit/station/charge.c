/* A charge from plug to unplug in each version, and everything that can end or suspend one. */
#include <stdio.h>

#include "base/loop.h"
#include "tests/unit/station/csms.h"

static struct stage st;

static void begin(enum ocpp_version v)
{
	stage_open(&st, v);
	stage_boot(&st);
	expect_nothing(&st);
}

static void end(void)
{
	expect_nothing(&st);
	stage_close(&st);
}

static void charge_16(void) /* to a running transaction, everything looked at */
{
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	station_token(st.s, 1, "card");
	loop_run_later();
	expect(&st, "Authorize", "\"idTag\":\"card\"", NULL);
	expect(&st, "StartTransaction", "\"connectorId\":1", "\"idTag\":\"card\"", "\"meterStart\":1000", "\"timestamp\":\"2026-", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	expect_output(&st, "close16000 ");
}

static void test_a_full_charge_in_16(void **state)
{
	(void)state;
	begin(OCPP16);
	charge_16();
	pass(&st, 60 * SECOND);
	expect(&st, "MeterValues", "\"transactionId\":17", "\"connectorId\":1", "Energy.Active.Import.Register", "\"L2\"", "Voltage",
	       "Power.Active.Import", "6900", NULL);
	meter(&st, 1500.4);
	plug(&st, true, false);
	expect(&st, "StatusNotification", "\"SuspendedEV\"", NULL);
	expect_output(&st, "open16000 ");
	station_token(st.s, 1, "CARD"); /* without case, and without asking again */
	loop_run_later();
	expect(&st, "StopTransaction", "\"transactionId\":17", "\"meterStop\":1500", "\"reason\":\"Local\"", "\"idTag\":\"card\"", NULL);
	expect(&st, "StatusNotification", "\"Finishing\"", NULL);
	expect_output(&st, "open0 ");
	plug(&st, false, false);
	expect(&st, "StatusNotification", "\"Available\"", NULL);
	pass(&st, 600 * SECOND);
	assert_string_equal(st.ledger, "start card 1000 -; named card 1000 -; end card 1500 Local; ");
	end();
}

static void full_charge_2x(enum ocpp_version v)
{
	char tx[40], named[80];
	struct station_view view;
	begin(v);
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Occupied\"", "\"evseId\":1", NULL);
	station_token(st.s, 1, "card");
	loop_run_later();
	expect(&st, "Authorize", "\"idToken\":\"card\"", NULL);
	station_view(st.s, 1, &view);
	assert_int_equal(strlen(view.tx), 36);
	strcpy(tx, view.tx);
	snprintf(named, sizeof(named), "\"transactionId\":\"%s\"", tx);
	expect(&st, "TransactionEvent", "\"Started\"", "\"seqNo\":0", "\"triggerReason\":\"Authorized\"", named, "\"card\"", "\"id\":1",
	       "Transaction.Begin", "\"EVConnected\"", NULL);
	assert_null(strstr(last_payload(&st), "\"offline\":true"));
	expect(&st, "TransactionEvent", "\"Updated\"", "\"seqNo\":1", "\"ChargingStateChanged\"", "\"Charging\"", named, NULL);
	assert_null(strstr(last_payload(&st), "idToken"));
	pass(&st, 60 * SECOND);
	expect(&st, "TransactionEvent", "\"Updated\"", "\"seqNo\":2", "\"MeterValuePeriodic\"", "Current.Import", named, NULL);
	plug(&st, true, false);
	expect(&st, "TransactionEvent", "\"Updated\"", "\"seqNo\":3", "\"ChargingStateChanged\"", "\"SuspendedEV\"", NULL);
	meter(&st, 2500);
	plug(&st, false, false);
	expect(&st, "TransactionEvent", "\"Ended\"", "\"seqNo\":4", "\"stoppedReason\":\"EVDisconnected\"",
	       "\"triggerReason\":\"EVCommunicationLost\"", "Transaction.End", "2500", named, NULL);
	expect(&st, "StatusNotification", "\"Available\"", NULL);
	expect_output(&st, "close16000 open16000 open0 ");
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Occupied\"", NULL);
	station_token(st.s, 1, "card");
	loop_run_later();
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", "\"seqNo\":0", NULL);
	assert_null(strstr(last_payload(&st), tx));
	expect(&st, "TransactionEvent", "\"Updated\"", "\"seqNo\":1", NULL);
	end();
}

static void test_a_full_charge_in_201(void **state)
{
	(void)state;
	full_charge_2x(OCPP201);
}

static void test_a_full_charge_in_21(void **state)
{
	(void)state;
	full_charge_2x(OCPP21);
}

static void test_a_refused_token_starts_nothing(void **state)
{
	(void)state;
	begin(OCPP16);
	stage_script(&st, "Authorize", "{\"idTagInfo\":{\"status\":\"Blocked\"}}");
	plug(&st, true, true);
	station_token(st.s, 1, "card");
	loop_run_later();
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	expect(&st, "Authorize", NULL);
	expect_output(&st, "");
	end();
}

static void test_a_start_answered_with_no_ends_with_deauthorized(void **state)
{
	(void)state;
	begin(OCPP16);
	stage_script(&st, "StartTransaction", "{\"transactionId\":18,\"idTagInfo\":{\"status\":\"Invalid\"}}");
	plug(&st, true, true);
	expect(&st, "StatusNotification", NULL);
	station_token(st.s, 1, "card");
	loop_run_later();
	expect(&st, "Authorize", NULL);
	expect(&st, "StartTransaction", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	expect(&st, "StopTransaction", "\"transactionId\":18", "\"reason\":\"DeAuthorized\"", NULL);
	expect(&st, "StatusNotification", "\"Finishing\"", NULL);
	expect_output(&st, "close16000 open0 ");
	end();
}

static void test_a_refused_transaction_can_go_on_without_energy(void **state)
{
	(void)state;
	begin(OCPP16);
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"StopTransactionOnInvalidId\",\"value\":\"false\"}"),
	                    "{\"status\":\"Accepted\"}");
	stage_script(&st, "StartTransaction", "{\"transactionId\":18,\"idTagInfo\":{\"status\":\"Invalid\"}}");
	plug(&st, true, true);
	station_token(st.s, 1, "card");
	loop_run_later();
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	expect(&st, "Authorize", NULL);
	expect(&st, "StartTransaction", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	expect(&st, "StatusNotification", "\"SuspendedEVSE\"", NULL);
	expect_output(&st, "close16000 open0 ");
	end();
}

static void test_a_card_before_the_car_waits_for_it(void **state)
{
	(void)state;
	begin(OCPP16);
	station_token(st.s, 1, "card");
	loop_run_later();
	expect(&st, "Authorize", NULL);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	pass(&st, 59 * SECOND);
	plug(&st, true, true);
	expect(&st, "StartTransaction", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	end();
}

static void test_a_card_without_a_car_is_forgotten(void **state)
{
	(void)state;
	begin(OCPP16);
	station_token(st.s, 1, "card");
	loop_run_later();
	expect(&st, "Authorize", NULL);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	pass(&st, 60 * SECOND);
	expect(&st, "StatusNotification", "\"Available\"", NULL);
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	end();
}

static void test_a_free_station_starts_by_itself_once_per_car(void **state)
{
	(void)state;
	stage_open(&st, OCPP16);
	st.conf.free_token = "free";
	stage_boot(&st);
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	expect(&st, "StartTransaction", "\"free\"", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	station_stop(st.s, 1, "Local");
	loop_run_later();
	expect(&st, "StopTransaction", NULL);
	expect(&st, "StatusNotification", "\"Finishing\"", NULL);
	plug(&st, true, true);
	expect_nothing(&st);
	plug(&st, false, false);
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Available\"", NULL);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	expect(&st, "StartTransaction", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	end();
}

static void test_a_fault_opens_at_once_and_the_transaction_comes_back(void **state)
{
	(void)state;
	begin(OCPP16);
	charge_16();
	st.in.fault = "GroundFailure";
	station_input(st.s, 1, &st.in);
	expect_output(&st, "open0 "); /* before any turn of the loop */
	loop_run_later();
	expect(&st, "StatusNotification", "\"Faulted\"", "\"GroundFailure\"", NULL);
	st.in.fault = NULL;
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Charging\"", "\"NoError\"", NULL);
	expect_output(&st, "close16000 ");
	end();
}

static void test_unplugging_opens_without_a_link(void **state)
{
	(void)state;
	begin(OCPP16);
	charge_16();
	stage_drop(&st);
	st.in.plugged = st.in.wants_energy = false;
	station_input(st.s, 1, &st.in);
	expect_output(&st, "open0 ");
	end();
}

static void test_profiles_limit_suspend_and_give_back(void **state)
{
	(void)state;
	begin(OCPP16);
	charge_16();
	assert_string_equal(ask(&st, "SetChargingProfile",
	                        "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":5,\"transactionId\":17,\"stackLevel\":0,"
	                        "\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{"
	                        "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":10.0},"
	                        "{\"startPeriod\":30,\"limit\":5.9},{\"startPeriod\":40,\"limit\":6.0}]}}}"),
	                    "{\"status\":\"Accepted\"}");
	expect_output(&st, "close10000 ");
	expect_nothing(&st);
	pass(&st, 30 * SECOND);
	expect(&st, "StatusNotification", "\"SuspendedEVSE\"", NULL);
	expect_output(&st, "open0 ");
	pass(&st, 10 * SECOND);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	expect_output(&st, "close6000 ");
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"id\":5}"), "{\"status\":\"Accepted\"}");
	expect_output(&st, "close16000 ");
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"id\":5}"), "{\"status\":\"Unknown\"}");
	end();
}

static void test_an_on_off_load_runs_fully_or_not(void **state)
{
	(void)state;
	stage_open(&st, OCPP16);
	st.conf.free_token = "free";
	st.conf.min_ma = st.conf.max_ma;
	stage_boot(&st);
	plug(&st, true, true);
	expect_output(&st, "close16000 ");
	ask(&st, "SetChargingProfile",
	    "{\"connectorId\":0,\"csChargingProfiles\":{\"chargingProfileId\":5,\"stackLevel\":0,"
	    "\"chargingProfilePurpose\":\"ChargePointMaxProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"
	    "\"chargingRateUnit\":\"W\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":11039}]}}}");
	assert_string_equal(st.answer, "{\"status\":\"Accepted\"}");
	expect_output(&st, "open0 ");
	st.at = st.n_seen;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_full_charge_in_16),
		cmocka_unit_test(test_a_full_charge_in_201),
		cmocka_unit_test(test_a_full_charge_in_21),
		cmocka_unit_test(test_a_refused_token_starts_nothing),
		cmocka_unit_test(test_a_start_answered_with_no_ends_with_deauthorized),
		cmocka_unit_test(test_a_refused_transaction_can_go_on_without_energy),
		cmocka_unit_test(test_a_card_before_the_car_waits_for_it),
		cmocka_unit_test(test_a_card_without_a_car_is_forgotten),
		cmocka_unit_test(test_a_free_station_starts_by_itself_once_per_car),
		cmocka_unit_test(test_a_fault_opens_at_once_and_the_transaction_comes_back),
		cmocka_unit_test(test_unplugging_opens_without_a_link),
		cmocka_unit_test(test_profiles_limit_suspend_and_give_back),
		cmocka_unit_test(test_an_on_off_load_runs_fully_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
