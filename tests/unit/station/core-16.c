/* The charge point's cases of 1.6: boot, charging, remote control, resets, configuration, meter values, power loss and absence. Each test
 * says with a tag which case it is; docs/CONFORMANCE.md collects them. */
#include <stdio.h>

#include "base/buf.h"
#include "tests/unit/station/cases-16.h"

#define NOT_SUPPORTED "{\"status\":\"NotSupported\"}"

/* OCPP 1.6 TC_001_CS */
static void test_refused_at_first_then_accepted(void **state)
{
	(void)state;
	stage();
	stage_script(&st, "BootNotification", "{\"status\":\"Rejected\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":20}");
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	pass(&st, 19 * SECOND);
	expect_nothing(&st);
	stage_script(&st, "BootNotification", "{\"status\":\"Accepted\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":30}");
	pass(&st, SECOND);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":0", NULL);
	expect_status("Available");
	pass(&st, 30 * SECOND);
	expect(&st, "Heartbeat", NULL);
	end();
}

/* OCPP 1.6 TC_002_CS */
static void test_pending_can_be_configured(void **state)
{
	(void)state;
	stage();
	stage_script(&st, "BootNotification", "{\"status\":\"Pending\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":20}");
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	assert_non_null(strstr(ask(&st, "GetConfiguration", "{}"), "MeterValueSampleInterval"));
	set("MeterValueSampleInterval", "30");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"x\"}"), REJECTED);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"BootNotification\"}"), ACCEPTED);
	expect(&st, "BootNotification", NULL);
	stage_script(&st, "BootNotification", "{\"status\":\"Accepted\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":60}");
	pass(&st, 20 * SECOND);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", NULL);
	expect_status("Available");
	pass(&st, 60 * SECOND);
	expect(&st, "Heartbeat", NULL);
	end();
}

/* OCPP 1.6 TC_003_CS; OCPP 1.6 TC_068_CS */
static void test_plug_card_charge_card(void **state)
{
	(void)state;
	begin();
	plug(&st, true, true);
	expect_status("Preparing");
	card("card");
	expect(&st, "Authorize", "\"idTag\":\"card\"", NULL);
	expect(&st, "StartTransaction", "\"connectorId\":1", "\"idTag\":\"card\"", NULL);
	expect_status("Charging");
	card("card");
	expect(&st, "StopTransaction", "\"idTag\":\"card\"", "\"transactionId\":17", NULL); /* the same card is not asked about again */
	expect_status("Finishing");
	plug(&st, false, false);
	expect_status("Available");
	end();
}

/* OCPP 1.6 TC_004_1_CS */
static void test_card_plug_charge(void **state)
{
	(void)state;
	begin();
	card("card");
	expect(&st, "Authorize", NULL);
	expect_status("Preparing");
	plug(&st, true, true);
	expect(&st, "StartTransaction", "\"idTag\":\"card\"", NULL);
	expect_status("Charging");
	end();
}

/* OCPP 1.6 TC_004_2_CS */
static void test_a_card_without_a_car_times_out(void **state)
{
	(void)state;
	begin();
	set("ConnectionTimeOut", "25");
	card("card");
	expect(&st, "Authorize", NULL);
	expect_status("Preparing");
	pass(&st, 24 * SECOND);
	expect_nothing(&st);
	pass(&st, SECOND);
	expect_status("Available");
	end();
}

/* OCPP 1.6 TC_069_CS */
static void test_another_card_of_the_group_stops(void **state)
{
	(void)state;
	begin();
	stage_script(&st, "Authorize", "{\"idTagInfo\":{\"status\":\"Accepted\",\"parentIdTag\":\"family\"}}");
	charge();
	card("other");
	expect(&st, "Authorize", "\"idTag\":\"other\"", NULL);
	expect(&st, "StopTransaction", "\"idTag\":\"other\"", NULL);
	expect_status("Finishing");
	end();
}

static void test_a_card_of_nobody_stops_nothing(void **state)
{
	(void)state;
	begin();
	charge();
	card("other");
	expect(&st, "Authorize", "\"idTag\":\"other\"", NULL);
	end();
}

/* OCPP 1.6 TC_005_1_CS; OCPP 1.6 TC_005_2_CS */
static void test_unplugging_at_the_car_ends_it(void **state)
{
	(void)state;
	begin();
	st.lock = LOCK_GOOD;
	charge();
	plug(&st, false, false);
	expect(&st, "StopTransaction", "\"reason\":\"EVDisconnected\"", NULL);
	expect_status("Available");
	assert_string_equal(ask(&st, "UnlockConnector", "{\"connectorId\":1}"), "{\"status\":\"Unlocked\"}");
	end();
}

/* OCPP 1.6 TC_005_3_CS */
static void test_unplugging_at_the_car_can_suspend_it(void **state)
{
	(void)state;
	begin();
	set("StopTransactionOnEVSideDisconnect", "false");
	charge();
	plug(&st, false, false);
	expect(&st, "StatusNotification", "\"status\":\"SuspendedEV\"", "\"info\":\"EV side disconnected\"", NULL);
	assert_string_equal(ask(&st, "RemoteStopTransaction", "{\"transactionId\":17}"), ACCEPTED);
	expect(&st, "StopTransaction", "\"reason\":\"Remote\"", NULL);
	expect_status("Available");
	end();
}

static void test_a_car_that_comes_back_goes_on(void **state)
{
	(void)state;
	begin();
	set("StopTransactionOnEVSideDisconnect", "false");
	charge();
	plug(&st, false, false);
	expect_status("SuspendedEV");
	plug(&st, true, true);
	expect_status("Charging");
	assert_string_equal(ask(&st, "RemoteStopTransaction", "{\"transactionId\":17}"), ACCEPTED);
	expect(&st, "StopTransaction", NULL);
	expect_status("Finishing");
	end();
}

/* OCPP 1.6 TC_007_CS */
static void test_a_cached_card_starts_without_asking(void **state)
{
	(void)state;
	begin();
	set("LocalPreAuthorize", "true");
	set("AuthorizeRemoteTxRequests", "true");
	charge();
	card("card");
	plug(&st, false, false);
	st.at = st.n_seen;
	plug(&st, true, true);
	expect_status("Preparing");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"card\"}"), ACCEPTED);
	expect(&st, "StartTransaction", "\"idTag\":\"card\"", NULL);
	expect_status("Charging");
	end();
}

/* OCPP 1.6 TC_061_CS */
static void test_a_cleared_cache_is_asked_no_more(void **state)
{
	(void)state;
	begin();
	set("LocalPreAuthorize", "true");
	charge();
	card("card");
	plug(&st, false, false);
	st.at = st.n_seen;
	assert_string_equal(ask(&st, "ClearCache", "{}"), ACCEPTED);
	card("card");
	expect(&st, "Authorize", "\"idTag\":\"card\"", NULL);
	expect_status("Preparing");
	set("AuthorizationCacheEnabled", "false");
	assert_string_equal(ask(&st, "ClearCache", "{}"), REJECTED);
	end();
}

/* OCPP 1.6 TC_010_CS */
static void test_remote_start_to_a_plugged_car(void **state)
{
	(void)state;
	begin();
	plug(&st, true, true);
	expect_status("Preparing");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"idTag\":\"far\"}"), ACCEPTED);
	expect(&st, "StartTransaction", "\"idTag\":\"far\"", "\"connectorId\":1", NULL);
	expect_status("Charging");
	end();
}

/* OCPP 1.6 TC_011_1_CS */
static void test_remote_start_before_the_car(void **state)
{
	(void)state;
	begin();
	set("AuthorizeRemoteTxRequests", "true");
	assert_non_null(strstr(ask(&st, "GetConfiguration", "{\"key\":[\"AuthorizeRemoteTxRequests\"]}"), "\"value\":\"true\""));
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"far\"}"), ACCEPTED);
	expect(&st, "Authorize", "\"idTag\":\"far\"", NULL);
	expect_status("Preparing");
	plug(&st, true, true);
	expect(&st, "StartTransaction", NULL);
	expect_status("Charging");
	end();
}

/* OCPP 1.6 TC_011_2_CS */
static void test_remote_start_without_a_car_times_out(void **state)
{
	(void)state;
	begin();
	set("AuthorizeRemoteTxRequests", "true");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"far\"}"), ACCEPTED);
	expect(&st, "Authorize", NULL);
	expect_status("Preparing");
	pass(&st, 60 * SECOND);
	expect_status("Available");
	end();
}

/* OCPP 1.6 TC_012_CS; OCPP 1.6 TC_028_CS */
static void test_remote_stop(void **state)
{
	(void)state;
	begin();
	charge();
	assert_string_equal(ask(&st, "RemoteStopTransaction", "{\"transactionId\":18}"), REJECTED);
	assert_string_equal(ask(&st, "RemoteStopTransaction", "{\"transactionId\":17}"), ACCEPTED);
	expect(&st, "StopTransaction", "\"reason\":\"Remote\"", NULL);
	expect_status("Finishing");
	end();
}

static void reset_without_transaction(const char *type)
{
	char payload[32];
	begin();
	assert_string_equal(ask(&st, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}"), ACCEPTED);
	expect_status("Unavailable");
	snprintf(payload, sizeof(payload), "{\"type\":\"%s\"}", type);
	assert_string_equal(ask(&st, "Reset", payload), ACCEPTED);
	assert_null(st.near);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":0", "\"Available\"", NULL);
	expect_status("Unavailable");
	assert_string_equal(ask(&st, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Operative\"}"), ACCEPTED);
	expect_status("Available");
	end();
}

/* OCPP 1.6 TC_013_CS; OCPP 1.6 TC_014_CS */
static void test_resets_keep_what_is_out_of_operation(void **state)
{
	(void)state;
	reset_without_transaction("Hard");
	reset_without_transaction("Soft");
}

static void reset_with_transaction(const char *type, const char *reason)
{
	char payload[32], fragment[32];
	begin();
	charge();
	snprintf(payload, sizeof(payload), "{\"type\":\"%s\"}", type);
	snprintf(fragment, sizeof(fragment), "\"reason\":\"%s\"", reason);
	assert_string_equal(ask(&st, "Reset", payload), ACCEPTED);
	expect(&st, "StopTransaction", fragment, NULL);
	expect_status("Finishing");
	assert_null(st.near);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":0", NULL);
	expect_status("Preparing");
	end();
}

/* OCPP 1.6 TC_015_CS; OCPP 1.6 TC_016_CS */
static void test_resets_end_transactions(void **state)
{
	(void)state;
	reset_with_transaction("Hard", "HardReset");
	reset_with_transaction("Soft", "SoftReset");
}

/* OCPP 1.6 TC_017_1_CS; OCPP 1.6 TC_018_1_CS; OCPP 1.6 TC_030_CS; OCPP 1.6 TC_031_CS */
static void test_unlocking_where_there_is_a_lock(void **state)
{
	(void)state;
	begin();
	st.lock = LOCK_GOOD;
	assert_string_equal(ask(&st, "UnlockConnector", "{\"connectorId\":1}"), "{\"status\":\"Unlocked\"}");
	assert_string_equal(ask(&st, "UnlockConnector", "{\"connectorId\":2}"), NOT_SUPPORTED);
	charge();
	assert_string_equal(ask(&st, "UnlockConnector", "{\"connectorId\":1}"), "{\"status\":\"Unlocked\"}");
	expect(&st, "StopTransaction", "\"reason\":\"UnlockCommand\"", NULL);
	expect_status("Finishing");
	plug(&st, false, false);
	expect_status("Available");
	st.lock = LOCK_STUCK;
	assert_string_equal(ask(&st, "UnlockConnector", "{\"connectorId\":1}"), "{\"status\":\"UnlockFailed\"}");
	end();
}

/* OCPP 1.6 TC_017_2_CS; OCPP 1.6 TC_018_2_CS */
static void test_unlocking_where_there_is_none(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "UnlockConnector", "{\"connectorId\":1}"), NOT_SUPPORTED);
	charge();
	assert_string_equal(ask(&st, "UnlockConnector", "{\"connectorId\":1}"), NOT_SUPPORTED);
	end(); /* and the transaction goes on */
}

/* OCPP 1.6 TC_019_CS */
static void test_configuration_is_told(void **state)
{
	static const char *const required[] = { "AuthorizeRemoteTxRequests", "ClockAlignedDataInterval", "ConnectionTimeOut",
		"ConnectorPhaseRotation", "GetConfigurationMaxKeys", "HeartbeatInterval", "LocalAuthorizeOffline", "LocalPreAuthorize",
		"MeterValuesAlignedData", "MeterValuesSampledData", "MeterValueSampleInterval", "NumberOfConnectors", "ResetRetries",
		"StopTransactionOnEVSideDisconnect", "StopTransactionOnInvalidId", "StopTxnAlignedData", "StopTxnSampledData",
		"SupportedFeatureProfiles", "TransactionMessageAttempts", "TransactionMessageRetryInterval", "UnlockConnectorOnEVSideDisconnect",
		"LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength", "ChargeProfileMaxStackLevel",
		"ChargingScheduleAllowedChargingRateUnit", "ChargingScheduleMaxPeriods", "MaxChargingProfilesInstalled" };
	(void)state;
	begin();
	ask(&st, "GetConfiguration", "{\"key\":[\"SupportedFeatureProfiles\"]}");
	assert_non_null(strstr(st.answer, "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"));
	ask(&st, "GetConfiguration", "{\"key\":[]}");
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		char fragment[96];
		snprintf(fragment, sizeof(fragment), "\"key\":\"%s\"", required[i]);
		if (!strstr(st.answer, fragment))
			fail_msg("%s is not told", required[i]);
	}
	assert_null(strstr(st.answer, "unknownKey\":[\""));
	end();
}

static void test_the_wiring_is_told_where_it_is_known(void **state)
{
	(void)state;
	stage();
	st.conf.rotations = (const char *const[]){ "STR" };
	stage_boot(&st);
	ask(&st, "GetConfiguration", "{\"key\":[\"ConnectorPhaseRotation\"]}");
	assert_non_null(strstr(st.answer, "{\"key\":\"ConnectorPhaseRotation\",\"readonly\":true,\"value\":\"1.STR\"}"));
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"ConnectorPhaseRotation\",\"value\":\"1.RST\"}"), REJECTED);
	end();
	stage();
	st.conf.phases = 3;
	stage_boot(&st);
	ask(&st, "GetConfiguration", "{\"key\":[\"ConnectorPhaseRotation\"]}");
	assert_non_null(strstr(st.answer, "\"readonly\":false,\"value\":\"Unknown\""));
	set("ConnectorPhaseRotation", "1.RTS");
	end();
}

/* OCPP 1.6 TC_021_CS; OCPP 1.6 TC_040_1_CS; OCPP 1.6 TC_040_2_CS */
static void test_configuration_is_changed(void **state)
{
	(void)state;
	begin();
	set("MeterValueSampleInterval", "77");
	assert_string_equal(ask(&st, "GetConfiguration", "{\"key\":[\"MeterValueSampleInterval\"]}"),
	                    "{\"configurationKey\":[{\"key\":\"MeterValueSampleInterval\",\"readonly\":false,\"value\":\"77\"}],\"unknownKey\":[]}");
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"Testing\",\"value\":\"true\"}"), NOT_SUPPORTED);
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"MeterValueSampleInterval\",\"value\":\"-1\"}"), REJECTED);
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"NumberOfConnectors\",\"value\":\"2\"}"), REJECTED);
	end();
}

/* OCPP 1.6 TC_070_CS */
static void test_sampled_values(void **state)
{
	(void)state;
	begin();
	set("MeterValueSampleInterval", "20");
	set("MeterValuesSampledData", "Energy.Active.Import.Register");
	set("StopTxnSampledData", "Energy.Active.Import.Register");
	charge();
	meter(&st, 1100);
	pass(&st, 20 * SECOND);
	expect(&st, "MeterValues", "\"transactionId\":17", "\"value\":\"1100\"", "Sample.Periodic", NULL);
	assert_null(strstr(last_payload(&st), "Voltage"));
	meter(&st, 1200);
	card("card");
	expect(&st, "StopTransaction", "transactionData", "Transaction.Begin", "\"1000\"", "Sample.Periodic", "\"1100\"", "Transaction.End",
	       "\"1200\"", NULL);
	expect_status("Finishing");
	end();
}

/* OCPP 1.6 TC_071_CS */
static void test_aligned_values(void **state)
{
	(void)state;
	begin(); /* at 20:26:40 */
	set("ClockAlignedDataInterval", "900");
	set("MeterValuesAlignedData", "Energy.Active.Import.Register");
	set("StopTxnAlignedData", "Energy.Active.Import.Register");
	pass(&st, 199 * SECOND);
	expect_nothing(&st);
	pass(&st, SECOND);
	expect(&st, "MeterValues", "\"connectorId\":1", "Sample.Clock", "20:30:00", NULL);
	assert_null(strstr(last_payload(&st), "transactionId"));
	charge();
	pass(&st, 900 * SECOND);
	expect(&st, "MeterValues", "\"transactionId\":17", "Sample.Clock", "20:45:00", NULL);
	card("card");
	expect(&st, "StopTransaction", "transactionData", "Sample.Clock", "20:45:00", NULL);
	expect_status("Finishing");
	end();
}

/* OCPP 1.6 TC_023_CS */
static void test_a_card_that_is_no_good(void **state)
{
	(void)state;
	begin();
	plug(&st, true, true);
	expect_status("Preparing");
	static const char *const answers[] = { "Invalid", "Blocked", "Expired", "ConcurrentTx" };
	for (int i = 0; i < 4; i++) {
		static char answer[4][64];
		snprintf(answer[i], sizeof(answer[i]), "{\"idTagInfo\":{\"status\":\"%s\"}}", answers[i]);
		stage_script(&st, "Authorize", answer[i]);
		card("bad");
		expect(&st, "Authorize", "\"bad\"", NULL);
	}
	end();
}

/* OCPP 1.6 TC_024_CS; OCPP 1.6 TC_041_CS */
static void test_a_lock_that_fails(void **state)
{
	(void)state;
	begin();
	set("AuthorizeRemoteTxRequests", "true");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"far\"}"), ACCEPTED);
	expect(&st, "Authorize", NULL);
	expect_status("Preparing");
	st.in.fault = "ConnectorLockFailure";
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"status\":\"Faulted\"", "\"errorCode\":\"ConnectorLockFailure\"", NULL);
	expect_output(&st, "");
	st.in.fault = NULL;
	plug(&st, false, false);
	expect_status("Preparing");
	end();
}

/* OCPP 1.6 TC_026_CS; OCPP 1.6 TC_027_CS */
static void test_remote_starts_that_are_refused(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":0,\"idTag\":\"far\"}"), REJECTED);
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":2,\"idTag\":\"far\"}"), REJECTED);
	charge();
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"far\"}"), REJECTED);
	end();
}

/* OCPP 1.6 TC_032_1_CS */
static void test_power_that_goes_slowly(void **state)
{
	(void)state;
	begin();
	charge();
	station_stop(st.s, 1, "PowerLoss"); /* the box notices, and has a moment left */
	loop_run_later();
	expect(&st, "StopTransaction", "\"reason\":\"PowerLoss\"", NULL);
	expect_status("Finishing");
	stage_drop(&st);
	station_close(st.s);
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", NULL);
	expect_status("Available");
	plug(&st, true, true);
	expect_status("Preparing");
	end();
}

/* OCPP 1.6 TC_034_CS */
static void test_out_of_operation_outlives_the_power(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "ChangeAvailability", "{\"connectorId\":0,\"type\":\"Inoperative\"}"), ACCEPTED);
	expect_status("Unavailable");
	expect(&st, "StatusNotification", "\"connectorId\":0", "\"Unavailable\"", NULL);
	stage_drop(&st);
	station_close(st.s);
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":0", "\"Unavailable\"", NULL);
	expect_status("Unavailable");
	end();
}

/* OCPP 1.6 TC_036_CS */
static void test_the_link_goes_while_charging(void **state)
{
	(void)state;
	begin();
	set("MeterValueSampleInterval", "30");
	charge();
	stage_drop(&st);
	pass(&st, 40 * SECOND);
	stage_connect(&st);
	expect(&st, "MeterValues", "\"transactionId\":17", "20:27:10", NULL);
	end();
}

static void start_alone(const char *answer)
{
	begin();
	set("AllowOfflineTxForUnknownId", "true");
	stage_script(&st, "StartTransaction", answer);
}

static void come_back_charging(void)
{
	stage_drop(&st);
	plug(&st, true, true);
	card("card");
	expect_nothing(&st);
	stage_connect(&st);
}

/* OCPP 1.6 TC_037_1_CS */
static void test_started_alone_and_known(void **state)
{
	(void)state;
	start_alone("{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Accepted\"}}");
	come_back_charging();
	expect_status("Charging");
	expect(&st, "StartTransaction", "20:26:40", NULL);
	end();
}

/* OCPP 1.6 TC_037_2_CS */
static void test_started_alone_and_not_known_goes_on_without_energy(void **state)
{
	(void)state;
	start_alone("{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Invalid\"}}");
	set("StopTransactionOnInvalidId", "false");
	come_back_charging();
	expect_status("Charging");
	expect(&st, "StartTransaction", NULL);
	expect_status("SuspendedEVSE");
	end();
}

/* OCPP 1.6 TC_037_3_CS */
static void test_started_alone_and_not_known_ends(void **state)
{
	(void)state;
	start_alone("{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Invalid\"}}");
	come_back_charging();
	expect_status("Charging");
	expect(&st, "StartTransaction", NULL);
	expect(&st, "StopTransaction", "\"reason\":\"DeAuthorized\"", NULL);
	expect_status("Finishing");
	end();
}

static void test_a_token_not_known_may_have_some_energy(void **state)
{
	(void)state;
	begin();
	set("StopTransactionOnInvalidId", "false");
	set("MaxEnergyOnInvalidId", "500");
	stage_script(&st, "StartTransaction", "{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Blocked\"}}");
	charge();
	meter(&st, 1499);
	expect_nothing(&st);
	meter(&st, 1500);
	expect_status("SuspendedEVSE");
	end();
}

/* OCPP 1.6 TC_038_CS */
static void test_stopped_alone(void **state)
{
	(void)state;
	begin();
	charge();
	stage_drop(&st);
	card("card");
	stage_connect(&st);
	expect_status("Finishing");
	expect(&st, "StopTransaction", "\"reason\":\"Local\"", NULL);
	end();
}

/* OCPP 1.6 TC_039_CS */
static void test_all_of_it_alone(void **state)
{
	(void)state;
	begin();
	set("AllowOfflineTxForUnknownId", "true");
	stage_drop(&st);
	plug(&st, true, true);
	card("card");
	pass(&st, 10 * SECOND);
	card("card");
	stage_connect(&st);
	expect_status("Finishing");
	expect(&st, "StartTransaction", "20:26:40", NULL);
	expect(&st, "StopTransaction", "\"transactionId\":17", "20:26:50", NULL);
	end();
}

/* OCPP 1.6 TC_062_CS */
static void test_data_of_a_vendor_nobody_knows(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "DataTransfer", "{\"vendorId\":\"x\",\"messageId\":\"y\"}"), "{\"status\":\"UnknownVendorId\"}");
	end();
}

static void test_a_state_that_does_not_last_is_not_told(void **state)
{
	(void)state;
	begin();
	set("MinimumStatusDuration", "5");
	plug(&st, true, true);
	pass(&st, 3 * SECOND);
	plug(&st, false, false);
	pass(&st, 10 * SECOND);
	expect_nothing(&st);
	plug(&st, true, true);
	pass(&st, 5 * SECOND);
	expect_status("Preparing");
	end();
}

static void test_settings_outlive_a_restart(void **state)
{
	(void)state;
	begin();
	set("MeterValueSampleInterval", "33");
	set("LocalPreAuthorize", "true");
	stage_drop(&st);
	station_close(st.s);
	stage_make(&st);
	stage_connect(&st);
	st.at = st.n_seen;
	assert_non_null(strstr(ask(&st, "GetConfiguration", "{\"key\":[\"MeterValueSampleInterval\"]}"), "\"value\":\"33\""));
	assert_non_null(strstr(ask(&st, "GetConfiguration", "{\"key\":[\"LocalPreAuthorize\"]}"), "\"value\":\"true\""));
	end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_at_first_then_accepted),
		cmocka_unit_test(test_pending_can_be_configured),
		cmocka_unit_test(test_plug_card_charge_card),
		cmocka_unit_test(test_card_plug_charge),
		cmocka_unit_test(test_a_card_without_a_car_times_out),
		cmocka_unit_test(test_another_card_of_the_group_stops),
		cmocka_unit_test(test_a_card_of_nobody_stops_nothing),
		cmocka_unit_test(test_unplugging_at_the_car_ends_it),
		cmocka_unit_test(test_unplugging_at_the_car_can_suspend_it),
		cmocka_unit_test(test_a_car_that_comes_back_goes_on),
		cmocka_unit_test(test_a_cached_card_starts_without_asking),
		cmocka_unit_test(test_a_cleared_cache_is_asked_no_more),
		cmocka_unit_test(test_remote_start_to_a_plugged_car),
		cmocka_unit_test(test_remote_start_before_the_car),
		cmocka_unit_test(test_remote_start_without_a_car_times_out),
		cmocka_unit_test(test_remote_stop),
		cmocka_unit_test(test_resets_keep_what_is_out_of_operation),
		cmocka_unit_test(test_resets_end_transactions),
		cmocka_unit_test(test_unlocking_where_there_is_a_lock),
		cmocka_unit_test(test_unlocking_where_there_is_none),
		cmocka_unit_test(test_the_wiring_is_told_where_it_is_known),
		cmocka_unit_test(test_configuration_is_told),
		cmocka_unit_test(test_configuration_is_changed),
		cmocka_unit_test(test_sampled_values),
		cmocka_unit_test(test_aligned_values),
		cmocka_unit_test(test_a_card_that_is_no_good),
		cmocka_unit_test(test_a_lock_that_fails),
		cmocka_unit_test(test_remote_starts_that_are_refused),
		cmocka_unit_test(test_power_that_goes_slowly),
		cmocka_unit_test(test_out_of_operation_outlives_the_power),
		cmocka_unit_test(test_the_link_goes_while_charging),
		cmocka_unit_test(test_started_alone_and_known),
		cmocka_unit_test(test_started_alone_and_not_known_goes_on_without_energy),
		cmocka_unit_test(test_started_alone_and_not_known_ends),
		cmocka_unit_test(test_a_token_not_known_may_have_some_energy),
		cmocka_unit_test(test_stopped_alone),
		cmocka_unit_test(test_all_of_it_alone),
		cmocka_unit_test(test_data_of_a_vendor_nobody_knows),
		cmocka_unit_test(test_a_state_that_does_not_last_is_not_told),
		cmocka_unit_test(test_settings_outlive_a_restart),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* one of them, by hand */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
