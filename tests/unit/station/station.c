/* Registration, status, heartbeats, resets and what the CSMS may ask. */
#include "base/buf.h"
#include "base/loop.h"
#include "tests/unit/station/csms.h"

static struct stage st;

static void begin(enum ocpp_version v)
{
	stage_open(&st, v);
	stage_boot(&st);
}

static void end(void)
{
	expect_nothing(&st);
	stage_close(&st);
}

#define ACCEPTED "{\"status\":\"Accepted\"}"
#define REJECTED "{\"status\":\"Rejected\"}"

static void start(void) /* a transaction, nothing of it looked at */
{
	plug(&st, true, true);
	station_token(st.s, 1, "card");
	loop_run_later();
	st.at = st.n_seen;
	st.output[0] = 0;
}

static void test_the_first_link_boots_and_reports(void **state)
{
	(void)state;
	stage_open(&st, OCPP16);
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", "\"chargePointVendor\":\"Maker\"", "\"chargePointModel\":\"Box\"", "\"S1\"", "\"1.0\"", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":0", "\"Available\"", "\"NoError\"", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":1", "\"Available\"", NULL);
	pass(&st, 7199 * SECOND);
	expect_nothing(&st);
	pass(&st, SECOND);
	expect(&st, "Heartbeat", NULL);
	stage_drop(&st);
	pass(&st, 20000 * SECOND);
	stage_connect(&st);
	expect_nothing(&st); /* no second boot, and nothing changed meanwhile */
	stage_drop(&st);
	plug(&st, true, true);
	stage_connect(&st);
	expect(&st, "StatusNotification", "\"connectorId\":1", "\"Preparing\"", NULL);
	end();
}

static void test_2x_has_no_status_of_the_whole_and_tells_why_it_boots(void **state)
{
	(void)state;
	stage_open(&st, OCPP201);
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", "\"reason\":\"PowerUp\"", "\"vendorName\":\"Maker\"", NULL);
	expect(&st, "StatusNotification", "\"evseId\":1", "\"connectorId\":1", "\"Available\"", NULL);
	end();
}

static void test_pending_waits_its_interval_and_says_nothing_else(void **state)
{
	(void)state;
	stage_open(&st, OCPP16);
	st.conf.free_token = "free";
	stage_script(&st, "BootNotification", "{\"status\":\"Pending\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":20}");
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	plug(&st, true, true);
	expect_nothing(&st);
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"x\"}"), REJECTED);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"BootNotification\"}"), ACCEPTED);
	expect(&st, "BootNotification", NULL);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":1}"), ACCEPTED);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL); /* what is triggered may be sent */
	pass(&st, 19 * SECOND);
	expect_nothing(&st);
	stage_script(&st, "BootNotification", "{\"status\":\"Accepted\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":20}");
	pass(&st, SECOND);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":0", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":1", NULL);
	expect(&st, "StartTransaction", "\"free\"", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	end();
}

static void test_rejected_2x_answers_with_security_error(void **state)
{
	(void)state;
	stage_open(&st, OCPP201);
	stage_script(&st, "BootNotification", "{\"status\":\"Rejected\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":0}");
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"Immediate\"}"), "error SecurityError"); /* B03.FR.08 */
	pass(&st, 60 * SECOND);
	expect(&st, "BootNotification", NULL);
	end();
}

static void test_a_boot_without_answer_is_repeated(void **state)
{
	(void)state;
	stage_open(&st, OCPP16);
	st.mute = true;
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	st.mute = false;
	pass(&st, 89 * SECOND);
	expect_nothing(&st);
	pass(&st, SECOND);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", NULL);
	expect(&st, "StatusNotification", NULL);
	end();
}

static void test_a_remote_start_is_answered_before_it_starts(void **state)
{
	(void)state;
	begin(OCPP16);
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	assert_string_equal(ask(&st, "RemoteStartTransaction",
	                        "{\"connectorId\":1,\"idTag\":\"far\",\"chargingProfile\":{\"chargingProfileId\":1,\"stackLevel\":0,"
	                        "\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{"
	                        "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":8}]}}}"),
	                    ACCEPTED);
	expect(&st, "StartTransaction", "\"idTag\":\"far\"", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	expect_output(&st, "close8000 ");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"far\"}"), REJECTED);
	assert_string_equal(ask(&st, "RemoteStopTransaction", "{\"transactionId\":99}"), REJECTED);
	assert_string_equal(ask(&st, "RemoteStopTransaction", "{\"transactionId\":17}"), ACCEPTED);
	expect(&st, "StopTransaction", "\"reason\":\"Remote\"", NULL);
	expect(&st, "StatusNotification", "\"Finishing\"", NULL);
	expect_output(&st, "open0 ");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":0,\"idTag\":\"far\"}"), REJECTED);
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":2,\"idTag\":\"far\"}"), REJECTED);
	end();
}

static void test_a_remote_start_in_2x_carries_its_number(void **state)
{
	struct station_view view;
	char stop[128];
	(void)state;
	begin(OCPP201);
	plug(&st, true, true);
	expect(&st, "StatusNotification", NULL);
	ask(&st, "RequestStartTransaction", "{\"evseId\":1,\"remoteStartId\":42,\"idToken\":{\"idToken\":\"far\",\"type\":\"Central\"}}");
	assert_non_null(strstr(st.answer, "\"Accepted\""));
	expect(&st, "TransactionEvent", "\"Started\"", "\"triggerReason\":\"RemoteStart\"", "\"remoteStartId\":42", "\"Central\"", NULL);
	expect(&st, "TransactionEvent", "\"Updated\"", NULL);
	station_view(st.s, 1, &view);
	assert_true(view.running);
	strcpy(stop, "{\"transactionId\":\"");
	strcat(strcat(stop, view.tx), "\"}");
	assert_string_equal(ask(&st, "RequestStopTransaction", stop), ACCEPTED);
	expect(&st, "TransactionEvent", "\"Ended\"", "\"triggerReason\":\"RemoteStop\"", "\"stoppedReason\":\"Remote\"", NULL);
	end();
}

static void test_a_reset_ends_the_transaction_drops_the_link_and_boots(void **state)
{
	(void)state;
	begin(OCPP16);
	start();
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"Soft\"}"), ACCEPTED);
	expect(&st, "StopTransaction", "\"reason\":\"SoftReset\"", NULL);
	expect(&st, "StatusNotification", "\"Finishing\"", NULL);
	expect_output(&st, "open0 ");
	assert_null(st.near);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", "\"connectorId\":0", NULL);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	end();
}

static void test_a_reset_does_not_wait_for_ever_for_the_last_message(void **state)
{
	(void)state;
	begin(OCPP16);
	start();
	stage_script(&st, "StopTransaction", NULL);
	ask(&st, "Reset", "{\"type\":\"Hard\"}");
	expect(&st, "StopTransaction", "\"reason\":\"HardReset\"", NULL);
	assert_non_null(st.near);
	pass(&st, 5 * SECOND);
	assert_null(st.near);
	stage_script(&st, "StopTransaction", "{}");
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", NULL);
	expect(&st, "StatusNotification", NULL);
	expect(&st, "StopTransaction", "\"transactionId\":17", NULL);
	end();
}

static void test_on_idle_waits_for_the_transaction(void **state)
{
	(void)state;
	begin(OCPP201);
	start();
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"OnIdle\"}"), "{\"status\":\"Scheduled\"}");
	pass(&st, SECOND);
	assert_non_null(st.near);
	plug(&st, false, false);
	expect(&st, "TransactionEvent", "\"EVDisconnected\"", NULL);
	expect(&st, "StatusNotification", "\"Available\"", NULL);
	assert_null(st.near);
	stage_connect(&st);
	expect(&st, "BootNotification", "\"ScheduledReset\"", NULL);
	expect(&st, "StatusNotification", NULL);
	end();
}

static void test_availability_waits_for_the_transaction(void **state)
{
	(void)state;
	begin(OCPP16);
	start();
	assert_string_equal(ask(&st, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}"), "{\"status\":\"Scheduled\"}");
	expect_nothing(&st);
	station_stop(st.s, 1, "Local");
	loop_run_later();
	expect(&st, "StopTransaction", NULL);
	expect(&st, "StatusNotification", "\"Unavailable\"", NULL);
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"x\"}"), REJECTED);
	assert_string_equal(ask(&st, "ChangeAvailability", "{\"connectorId\":0,\"type\":\"Operative\"}"), ACCEPTED);
	expect(&st, "StatusNotification", "\"connectorId\":1", "\"Finishing\"", NULL);
	end();
}

static void test_triggers(void **state)
{
	(void)state;
	begin(OCPP16);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"Heartbeat\"}"), ACCEPTED);
	expect(&st, "Heartbeat", NULL);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":1}"), ACCEPTED);
	expect(&st, "StatusNotification", "\"connectorId\":1", NULL);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"MeterValues\",\"connectorId\":1}"), ACCEPTED);
	expect(&st, "MeterValues", "\"connectorId\":1", NULL);
	assert_null(strstr(last_payload(&st), "transactionId"));
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"BootNotification\"}"), REJECTED); /* 1.6 errata 3.35 */
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"Heartbeat\",\"connectorId\":2}"), REJECTED);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"FirmwareStatusNotification\"}"), ACCEPTED);
	expect(&st, "FirmwareStatusNotification", "\"Idle\"", NULL);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"SignChargePointCertificate\"}"), "error PropertyConstraintViolation");
	end();
}

static void test_configuration_of_16(void **state)
{
	(void)state;
	begin(OCPP16);
	assert_string_equal(ask(&st, "GetConfiguration", "{\"key\":[\"HeartbeatInterval\",\"Nonsense\",\"NumberOfConnectors\"]}"),
	                    "{\"configurationKey\":[{\"key\":\"HeartbeatInterval\",\"readonly\":false,\"value\":\"7200\"},"
	                    "{\"key\":\"NumberOfConnectors\",\"readonly\":true,\"value\":\"1\"}],\"unknownKey\":[\"Nonsense\"]}");
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"HeartbeatInterval\",\"value\":\"10\"}"), ACCEPTED);
	pass(&st, 10 * SECOND);
	expect(&st, "Heartbeat", NULL);
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"HeartbeatInterval\",\"value\":\"x\"}"), REJECTED);
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"NumberOfConnectors\",\"value\":\"2\"}"), REJECTED);
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"Nonsense\",\"value\":\"2\"}"), "{\"status\":\"NotSupported\"}");
	ask(&st, "GetConfiguration", "{}");
	assert_non_null(strstr(st.answer, "SupportedFeatureProfiles"));
	assert_null(strstr(st.answer, "SampledDataCtrlr"));
	end();
}

static void test_variables_of_2x(void **state)
{
	(void)state;
	begin(OCPP201);
	assert_string_equal(ask(&st, "GetVariables",
	                        "{\"getVariableData\":[{\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":\"HeartbeatInterval\"}},"
	                        "{\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":\"MessageAttempts\",\"instance\":\"TransactionEvent\"}},"
	                        "{\"component\":{\"name\":\"Cellar\"},\"variable\":{\"name\":\"Wine\"}},"
	                        "{\"component\":{\"name\":\"TxCtrlr\"},\"variable\":{\"name\":\"Wine\"},\"attributeType\":\"Actual\"}]}"),
	                    "{\"getVariableResult\":[{\"attributeStatus\":\"Accepted\",\"attributeValue\":\"7200\",\"component\":{\"name\":\"OCPPCommCtrlr\"},"
	                    "\"variable\":{\"name\":\"HeartbeatInterval\"}},{\"attributeStatus\":\"Accepted\",\"attributeValue\":\"3\","
	                    "\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":\"MessageAttempts\",\"instance\":\"TransactionEvent\"}},"
	                    "{\"attributeStatus\":\"UnknownComponent\",\"component\":{\"name\":\"Cellar\"},\"variable\":{\"name\":\"Wine\"}},"
	                    "{\"attributeStatus\":\"UnknownVariable\",\"attributeType\":\"Actual\",\"component\":{\"name\":\"TxCtrlr\"},"
	                    "\"variable\":{\"name\":\"Wine\"}}]}");
	assert_string_equal(ask(&st, "SetVariables",
	                        "{\"setVariableData\":[{\"attributeValue\":\"20\",\"component\":{\"name\":\"SampledDataCtrlr\"},"
	                        "\"variable\":{\"name\":\"TxUpdatedInterval\"}},{\"attributeValue\":\"1\",\"attributeType\":\"Target\","
	                        "\"component\":{\"name\":\"SampledDataCtrlr\"},\"variable\":{\"name\":\"TxUpdatedInterval\"}}]}"),
	                    "{\"setVariableResult\":[{\"attributeStatus\":\"Accepted\",\"component\":{\"name\":\"SampledDataCtrlr\"},"
	                    "\"variable\":{\"name\":\"TxUpdatedInterval\"}},{\"attributeStatus\":\"NotSupportedAttributeType\","
	                    "\"attributeType\":\"Target\",\"component\":{\"name\":\"SampledDataCtrlr\"},\"variable\":{\"name\":\"TxUpdatedInterval\"}}]}");
	start();
	pass(&st, 20 * SECOND);
	expect(&st, "TransactionEvent", "\"MeterValuePeriodic\"", NULL);
	end();
}

static void test_the_inventory_comes_in_parts(void **state)
{
	int parts = 0;
	(void)state;
	begin(OCPP201);
	ask(&st, "GetBaseReport", "{\"requestId\":9,\"reportBase\":\"FullInventory\"}");
	assert_non_null(strstr(st.answer, "\"Accepted\""));
	do {
		char seq[24] = "\"seqNo\":0";
		seq[8] = (char)('0' + parts++);
		expect(&st, "NotifyReport", "\"requestId\":9", seq, "\"variableAttribute\"", NULL);
	} while (strstr(last_payload(&st), "\"tbc\":true"));
	assert_true(parts > 1);
	end();
}

static void test_the_local_list_starts_without_asking_when_it_may(void **state)
{
	(void)state;
	stage_open(&st, OCPP16);
	st.conf.authorize_local = true;
	stage_boot(&st);
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"listVersion\":0}");
	assert_string_equal(ask(&st, "SendLocalList",
	                        "{\"listVersion\":3,\"updateType\":\"Full\",\"localAuthorizationList\":[{\"idTag\":\"good\",\"idTagInfo\":"
	                        "{\"status\":\"Accepted\"}},{\"idTag\":\"bad\",\"idTagInfo\":{\"status\":\"Blocked\"}}]}"),
	                    ACCEPTED);
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"listVersion\":3}");
	assert_string_equal(ask(&st, "SendLocalList", "{\"listVersion\":3,\"updateType\":\"Differential\"}"), "{\"status\":\"VersionMismatch\"}");
	plug(&st, true, true);
	expect(&st, "StatusNotification", NULL);
	station_token(st.s, 1, "GOOD");
	loop_run_later();
	expect(&st, "StartTransaction", NULL);
	expect(&st, "StatusNotification", NULL);
	assert_string_equal(ask(&st, "ClearCache", "{}"), ACCEPTED);
	end();
}

static void test_reservations(void **state)
{
	(void)state;
	begin(OCPP16);
	assert_string_equal(ask(&st, "ReserveNow",
	                        "{\"connectorId\":1,\"expiryDate\":\"2026-05-28T21:00:00Z\",\"idTag\":\"mine\",\"reservationId\":4}"),
	                    ACCEPTED);
	expect(&st, "StatusNotification", "\"Reserved\"", NULL);
	station_token(st.s, 1, "other");
	loop_run_later();
	expect_nothing(&st);
	assert_string_equal(ask(&st, "CancelReservation", "{\"reservationId\":5}"), REJECTED);
	station_token(st.s, 1, "mine");
	plug(&st, true, true);
	expect(&st, "Authorize", NULL);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	expect(&st, "StartTransaction", "\"reservationId\":4", NULL);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	end();
}

static void test_unlocking_ends_in_16_and_is_refused_in_2x(void **state)
{
	(void)state;
	begin(OCPP16);
	st.lock = LOCK_GOOD;
	start();
	assert_string_equal(ask(&st, "UnlockConnector", "{\"connectorId\":1}"), "{\"status\":\"Unlocked\"}");
	expect(&st, "StopTransaction", "\"UnlockCommand\"", NULL);
	expect(&st, "StatusNotification", NULL);
	end();
	begin(OCPP201);
	start();
	assert_string_equal(ask(&st, "UnlockConnector", "{\"evseId\":1,\"connectorId\":1}"), "{\"status\":\"OngoingAuthorizedTransaction\"}");
	end();
}

static void test_the_composite_schedule(void **state)
{
	(void)state;
	begin(OCPP16);
	ask(&st, "SetChargingProfile",
	    "{\"connectorId\":0,\"csChargingProfiles\":{\"chargingProfileId\":5,\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\","
	    "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"duration\":60,"
	    "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6.5}]}}}");
	assert_string_equal(ask(&st, "GetCompositeSchedule", "{\"connectorId\":1,\"duration\":100}"),
	                    "{\"status\":\"Accepted\",\"connectorId\":1,\"scheduleStart\":\"2026-05-28T20:26:40.000Z\",\"chargingSchedule\":{"
	                    "\"duration\":100,\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6.5,"
	                    "\"numberPhases\":3},{\"startPeriod\":60,\"limit\":16,\"numberPhases\":3}]}}");
	assert_string_equal(ask(&st, "GetCompositeSchedule", "{\"connectorId\":2,\"duration\":100}"), REJECTED);
	end();
}

static void test_the_whole_is_divided_among_those_that_charge(void **state)
{
	struct evse_input in = { .plugged = true, .wants_energy = true };
	struct station_view view;
	(void)state;
	stage_open(&st, OCPP16);
	st.conf.n_evses = 2;
	st.conf.free_token = "free";
	stage_boot(&st);
	ask(&st, "SetChargingProfile",
	    "{\"connectorId\":0,\"csChargingProfiles\":{\"chargingProfileId\":5,\"stackLevel\":0,"
	    "\"chargingProfilePurpose\":\"ChargePointMaxProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"
	    "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":14},{\"startPeriod\":60,\"limit\":11}]}}}");
	plug(&st, true, true);
	expect_output(&st, "close14000 ");
	station_input(st.s, 2, &in);
	expect_output(&st, "close7000 ");
	pass(&st, 60 * SECOND); /* 11 A carry one at 6 A and not two */
	expect_output(&st, "close11000 ");
	station_view(st.s, 2, &view);
	assert_int_equal(view.limit_ma, 0);
	assert_int_equal(view.state, EVSE_SUSPENDED_EVSE);
	plug(&st, false, false);
	station_view(st.s, 2, &view);
	assert_int_equal(view.limit_ma, 11000);
	assert_int_equal(view.state, EVSE_CHARGING);
	st.at = st.n_seen;
	end();
}

static void test_profiles_that_cannot_be_followed_are_refused(void **state)
{
	static const char *const bad[] = {
		"\"chargingProfilePurpose\":\"Surprise\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
		"\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6}]}",
		"\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
		"\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6}]}", /* no transaction */
		"\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Sometimes\",\"chargingSchedule\":{"
		"\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6}]}",
		"\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"
		"\"chargingRateUnit\":\"kW\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6}]}",
		"\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"
		"\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[]}",
		"\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"
		"\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":5,\"limit\":6}]}",
		"\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"
		"\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6},{\"startPeriod\":0,\"limit\":7}]}",
		"\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"
		"\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6},{\"startPeriod\":9000000000000,\"limit\":7}]}",
	};
	(void)state;
	begin(OCPP16);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b = { 0 };
		buf_printf(&b, "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":5,\"stackLevel\":0,%s}}", bad[i]);
		const char *got = ask(&st, "SetChargingProfile", b.p); /* words that are none are an error (1.6 errata 3.38) */
		if (strcmp(got, REJECTED) != 0 && strcmp(got, "error PropertyConstraintViolation") != 0)
			fail_msg("profile %zu: %s", i, got);
		buf_free(&b);
	}
	assert_string_equal(ask(&st, "ClearChargingProfile", "{}"), "{\"status\":\"Unknown\"}");
	end();
}

static void test_what_is_not_offered(void **state)
{
	(void)state;
	begin(OCPP16);
	assert_string_equal(ask(&st, "MakeCoffee", "{}"), "error NotImplemented");
	assert_string_equal(ask(&st, "GetDiagnostics", "{\"location\":\"ftp://x\"}"), "error NotSupported");
	assert_string_equal(ask(&st, "DataTransfer", "{\"vendorId\":\"x\"}"), "{\"status\":\"UnknownVendorId\"}");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_link_boots_and_reports),
		cmocka_unit_test(test_2x_has_no_status_of_the_whole_and_tells_why_it_boots),
		cmocka_unit_test(test_pending_waits_its_interval_and_says_nothing_else),
		cmocka_unit_test(test_rejected_2x_answers_with_security_error),
		cmocka_unit_test(test_a_boot_without_answer_is_repeated),
		cmocka_unit_test(test_a_remote_start_is_answered_before_it_starts),
		cmocka_unit_test(test_a_remote_start_in_2x_carries_its_number),
		cmocka_unit_test(test_a_reset_ends_the_transaction_drops_the_link_and_boots),
		cmocka_unit_test(test_a_reset_does_not_wait_for_ever_for_the_last_message),
		cmocka_unit_test(test_on_idle_waits_for_the_transaction),
		cmocka_unit_test(test_availability_waits_for_the_transaction),
		cmocka_unit_test(test_triggers),
		cmocka_unit_test(test_configuration_of_16),
		cmocka_unit_test(test_variables_of_2x),
		cmocka_unit_test(test_the_inventory_comes_in_parts),
		cmocka_unit_test(test_the_local_list_starts_without_asking_when_it_may),
		cmocka_unit_test(test_reservations),
		cmocka_unit_test(test_unlocking_ends_in_16_and_is_refused_in_2x),
		cmocka_unit_test(test_the_composite_schedule),
		cmocka_unit_test(test_the_whole_is_divided_among_those_that_charge),
		cmocka_unit_test(test_profiles_that_cannot_be_followed_are_refused),
		cmocka_unit_test(test_what_is_not_offered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
