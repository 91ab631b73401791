/* The charging station's cases of 2.0.1 for provisioning, authorisation, transactions, remote control, availability and meter values (blocks
 * B, C, E, F, G, J). Each test says with a tag which case it is; docs/CONFORMANCE.md collects them. */
#include <stdio.h>

#include "base/buf.h"
#include "tests/unit/station/cases-201.h"

#define INFO(status) "{\"idTokenInfo\":{\"status\":\"" status "\"}}"

static void points(const char *start, const char *stop)
{
	set("TxCtrlr", "TxStartPoint", start);
	set("TxCtrlr", "TxStopPoint", stop);
}

static const char *with_tx(const char *format)
{
	static char payload[300];
	snprintf(payload, sizeof(payload), format, tx());
	return payload;
}

#define STOP "{\"transactionId\":\"%s\"}"
#define REMOTE "{\"evseId\":1,\"remoteStartId\":42,\"idToken\":" TOKEN("far") "}"

static void expect_update(const char *trigger, const char *state)
{
	char a[64], b[64] = "";
	snprintf(a, sizeof(a), "\"triggerReason\":\"%s\"", trigger);
	if (state)
		snprintf(b, sizeof(b), "\"chargingState\":\"%s\"", state);
	expect(&st, "TransactionEvent", "\"eventType\":\"Updated\"", a, b, NULL);
}

static void restart(void)
{
	stage_drop(&st);
	station_close(st.s);
	stage_make(&st);
	stage_connect(&st);
}

/* B: provisioning */

/* OCPP 2.0.1 TC_B_01_CS */
static void test_accepted_at_once(void **state)
{
	(void)state;
	stage();
	st.conf.security_events = true;
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", "\"reason\":\"PowerUp\"", NULL);
	expect_status("Available");
	expect(&st, "SecurityEventNotification", "StartupOfTheDevice", NULL);
	pass(&st, 7200 * SECOND);
	expect(&st, "Heartbeat", NULL);
	end();
}

#define BOOT(status, interval) "{\"status\":\"" status "\",\"currentTime\":\"2026-05-28T20:26:40Z\",\"interval\":" #interval "}"

/* OCPP 2.0.1 TC_B_02_CS */
static void test_pending_takes_settings_and_gives_reports(void **state)
{
	(void)state;
	stage();
	stage_script(&st, "BootNotification", BOOT("Pending", 30));
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	set("OCPPCommCtrlr", "OfflineThreshold", "300");
	assert_non_null(strstr(ask(&st, "GetBaseReport", "{\"requestId\":1,\"reportBase\":\"FullInventory\"}"), "Accepted"));
	expect(&st, "NotifyReport", "\"requestId\":1", "\"seqNo\":0", "\"tbc\":true", NULL);
	forget();
	assert_string_equal(ask(&st, "RequestStartTransaction", REMOTE), REJECTED);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"BootNotification\"}"), ACCEPTED);
	stage_script(&st, "BootNotification", BOOT("Accepted", 30));
	expect(&st, "BootNotification", NULL);
	pass(&st, 30 * SECOND);
	expect(&st, "BootNotification", NULL);
	expect_status("Available");
	end();
}

/* OCPP 2.0.1 TC_B_03_CS; OCPP 2.0.1 TC_B_30_CS */
static void test_rejected_answers_security_error(void **state)
{
	(void)state;
	stage();
	stage_script(&st, "BootNotification", BOOT("Rejected", 20));
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	assert_string_equal(ask(&st, "GetVariables", "{\"getVariableData\":[{\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":"
	                                             "\"OfflineThreshold\"}}]}"),
	                    "error SecurityError");
	stage_script(&st, "BootNotification", BOOT("Accepted", 20));
	pass(&st, 20 * SECOND);
	expect(&st, "BootNotification", NULL);
	expect_status("Available");
	end();
}

#define ONE(component, variable) "{\"component\":{\"name\":\"" component "\"},\"variable\":{\"name\":\"" variable "\"}}"

/* OCPP 2.0.1 TC_B_06_CS; OCPP 2.0.1 TC_B_07_CS; OCPP 2.0.1 TC_B_09_CS; OCPP 2.0.1 TC_B_10_CS */
static void test_variables_are_set_and_told(void **state)
{
	(void)state;
	begin();
	ask(&st, "SetVariables",
	    "{\"setVariableData\":[{\"attributeValue\":\"300\",\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":\"OfflineThreshold\"}},"
	    "{\"attributeValue\":\"false\",\"attributeType\":\"Actual\",\"component\":{\"name\":\"AuthCtrlr\"},\"variable\":{\"name\":\"LocalAuthorizeOffline\"}}]}");
	assert_string_equal(st.answer,
	                    "{\"setVariableResult\":[{\"attributeStatus\":\"Accepted\",\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":"
	                    "\"OfflineThreshold\"}},{\"attributeStatus\":\"Accepted\",\"attributeType\":\"Actual\",\"component\":{\"name\":\"AuthCtrlr\"},"
	                    "\"variable\":{\"name\":\"LocalAuthorizeOffline\"}}]}");
	ask(&st, "GetVariables", "{\"getVariableData\":[" ONE("ocppcommctrlr", "OFFLINETHRESHOLD") "," ONE("AuthCtrlr", "LocalAuthorizeOffline") "]}");
	assert_string_equal(st.answer,
	                    "{\"getVariableResult\":[{\"attributeStatus\":\"Accepted\",\"attributeValue\":\"300\",\"component\":{\"name\":\"ocppcommctrlr\"},"
	                    "\"variable\":{\"name\":\"OFFLINETHRESHOLD\"}},{\"attributeStatus\":\"Accepted\",\"attributeValue\":\"false\",\"component\":{"
	                    "\"name\":\"AuthCtrlr\"},\"variable\":{\"name\":\"LocalAuthorizeOffline\"}}]}");
	end();
}

/* OCPP 2.0.1 TC_B_11_CS; OCPP 2.0.1 TC_B_39_CS */
static void test_values_that_are_none(void **state)
{
	(void)state;
	begin();
	assert_string_equal(set_variable("OCPPCommCtrlr", "OfflineThreshold", "-1"), "Rejected");
	assert_string_equal(set_variable("OCPPCommCtrlr", "OfflineThreshold", "soon"), "Rejected");
	assert_string_equal(set_variable("AuthCtrlr", "LocalAuthorizeOffline", "maybe"), "Rejected");
	assert_string_equal(set_variable("TxCtrlr", "TxStartPoint", "Sunrise"), "Rejected");
	assert_string_equal(set_variable("SampledDataCtrlr", "TxUpdatedMeasurands", "Smell"), "Rejected");
	ask(&st, "SetVariables", "{\"setVariableData\":[{\"attributeValue\":\"5\",\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":"
	                         "\"MessageTimeout\",\"instance\":\"Default\"}}]}");
	assert_non_null(strstr(st.answer, "\"attributeStatus\":\"Rejected\""));
	end();
}

/* OCPP 2.0.1 TC_B_32_CS; OCPP 2.0.1 TC_B_33_CS; OCPP 2.0.1 TC_B_34_CS; OCPP 2.0.1 TC_B_35_CS; OCPP 2.0.1 TC_B_36_CS; OCPP 2.0.1 TC_B_37_CS */
static void test_variables_that_are_not_there(void **state)
{
	static const char *const set_target =
		"{\"setVariableData\":[{\"attributeType\":\"Target\",\"attributeValue\":\"1\",\"component\":{\"name\":\"OCPPCommCtrlr\"},"
		"\"variable\":{\"name\":\"OfflineThreshold\"}}]}";
	(void)state;
	begin();
	assert_non_null(strstr(ask(&st, "GetVariables", "{\"getVariableData\":[" ONE("Nobody", "OfflineThreshold") "]}"), "UnknownComponent"));
	assert_non_null(strstr(ask(&st, "GetVariables", "{\"getVariableData\":[" ONE("OCPPCommCtrlr", "Nothing") "]}"), "UnknownVariable"));
	assert_non_null(strstr(ask(&st, "GetVariables", "{\"getVariableData\":[{\"attributeType\":\"Target\",\"component\":{\"name\":\"OCPPCommCtrlr\"},"
	                                                "\"variable\":{\"name\":\"OfflineThreshold\"}}]}"),
	                       "NotSupportedAttributeType"));
	assert_string_equal(set_variable("Nobody", "OfflineThreshold", "1"), "UnknownComponent");
	assert_string_equal(set_variable("OCPPCommCtrlr", "Nothing", "1"), "UnknownVariable");
	assert_non_null(strstr(ask(&st, "SetVariables", set_target), "NotSupportedAttributeType"));
	assert_non_null(strstr(ask(&st, "GetVariables", "{\"getVariableData\":[" ONE("EVSE", "AvailabilityState") "]}"), "UnknownComponent"));
	end();
}

/* Everything that NotifyReports told since `forget`, one after another. */
static char told[200000];
static void collect_reports(int request)
{
	char number[32];
	bool more = true;
	told[0] = 0;
	snprintf(number, sizeof(number), "\"requestId\":%d,", request);
	for (int seq = 0; more; seq++) {
		char part[32];
		snprintf(part, sizeof(part), "\"seqNo\":%d,", seq);
		expect(&st, "NotifyReport", number, part, NULL);
		more = strstr(last_payload(&st), "\"tbc\":true") != NULL;
		strncat(told, last_payload(&st), sizeof(told) - strlen(told) - 1);
	}
}

static const char *in_report(const char *component, const char *variable)
{
	char want[200];
	snprintf(want, sizeof(want), "\"variable\":{\"name\":\"%s\"", variable);
	for (const char *at = told; (at = strstr(at, want)); at++) {
		char name[96];
		const char *before = at;
		snprintf(name, sizeof(name), "\"name\":\"%s\"", component);
		while (before > told && strncmp(before, "{\"component\":", 13) != 0)
			before--;
		const char *found = strstr(before, name);
		if (found && found < at)
			return at;
	}
	return NULL;
}

/* OCPP 2.0.1 TC_B_12_CS; OCPP 2.0.1 TC_B_13_CS; OCPP 2.0.1 TC_B_14_CS; OCPP 2.0.1 TC_B_53_CS */
static void test_base_reports(void **state)
{
	static const char *const required[][2] = { { "AlignedDataCtrlr", "Interval" }, { "AlignedDataCtrlr", "Measurands" },
		{ "AlignedDataCtrlr", "TxEndedInterval" }, { "AlignedDataCtrlr", "TxEndedMeasurands" }, { "AuthCtrlr", "AuthorizeRemoteStart" },
		{ "AuthCtrlr", "LocalAuthorizeOffline" }, { "AuthCtrlr", "LocalPreAuthorize" }, { "ChargingStation", "AvailabilityState" },
		{ "ChargingStation", "Available" }, { "ChargingStation", "SupplyPhases" }, { "ClockCtrlr", "DateTime" }, { "ClockCtrlr", "TimeSource" },
		{ "Connector", "Available" }, { "Connector", "ConnectorType" }, { "Connector", "SupplyPhases" }, { "DeviceDataCtrlr", "BytesPerMessage" },
		{ "DeviceDataCtrlr", "ItemsPerMessage" }, { "DisplayMessageCtrlr", "DisplayMessages" }, { "DisplayMessageCtrlr", "SupportedFormats" },
		{ "DisplayMessageCtrlr", "SupportedPriorities" }, { "EVSE", "AvailabilityState" }, { "EVSE", "Available" }, { "EVSE", "Power" },
		{ "EVSE", "SupplyPhases" }, { "LocalAuthListCtrlr", "BytesPerMessage" }, { "LocalAuthListCtrlr", "Entries" },
		{ "LocalAuthListCtrlr", "ItemsPerMessage" }, { "MonitoringCtrlr", "BytesPerMessage" }, { "MonitoringCtrlr", "ItemsPerMessage" },
		{ "OCPPCommCtrlr", "FileTransferProtocols" }, { "OCPPCommCtrlr", "MessageTimeout" }, { "OCPPCommCtrlr", "MessageAttemptInterval" },
		{ "OCPPCommCtrlr", "MessageAttempts" }, { "OCPPCommCtrlr", "NetworkConfigurationPriority" },
		{ "OCPPCommCtrlr", "NetworkProfileConnectionAttempts" }, { "OCPPCommCtrlr", "OfflineThreshold" }, { "OCPPCommCtrlr", "ResetRetries" },
		{ "OCPPCommCtrlr", "UnlockOnEVSideDisconnect" }, { "OCPPCommCtrlr", "RetryBackOffRandomRange" }, { "OCPPCommCtrlr", "WebSocketPingInterval" },
		{ "SampledDataCtrlr", "TxStartedMeasurands" }, { "SampledDataCtrlr", "TxUpdatedInterval" }, { "SampledDataCtrlr", "TxUpdatedMeasurands" },
		{ "SampledDataCtrlr", "TxEndedInterval" }, { "SampledDataCtrlr", "TxEndedMeasurands" }, { "SecurityCtrlr", "CertificateEntries" },
		{ "SecurityCtrlr", "OrganizationName" }, { "SecurityCtrlr", "SecurityProfile" }, { "SmartChargingCtrlr", "Entries" },
		{ "SmartChargingCtrlr", "LimitChangeSignificance" }, { "SmartChargingCtrlr", "PeriodsPerSchedule" },
		{ "SmartChargingCtrlr", "ProfileStackLevel" }, { "SmartChargingCtrlr", "RateUnit" }, { "TariffCostCtrlr", "Currency" },
		{ "TariffCostCtrlr", "TariffFallbackMessage" }, { "TariffCostCtrlr", "TotalCostFallbackMessage" }, { "TxCtrlr", "EVConnectionTimeOut" },
		{ "TxCtrlr", "StopTxOnEVSideDisconnect" }, { "TxCtrlr", "StopTxOnInvalidId" }, { "TxCtrlr", "TxStartPoint" }, { "TxCtrlr", "TxStopPoint" } };
	(void)state;
	begin();
	assert_string_equal(ask(&st, "GetBaseReport", "{\"requestId\":7,\"reportBase\":\"FullInventory\"}"), ACCEPTED);
	collect_reports(7);
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		if (!in_report(required[i][0], required[i][1]))
			fail_msg("%s.%s is missing", required[i][0], required[i][1]);
	}
	const char *power = in_report("EVSE", "Power");
	assert_non_null(power && strstr(power, "\"maxLimit\":11040") ? power : NULL);
	const char *password = in_report("SecurityCtrlr", "BasicAuthPassword");
	assert_non_null(password);
	assert_int_equal(strncmp(strstr(password, "\"variableAttribute\""), "\"variableAttribute\":[{\"type\":\"Actual\",\"mutability\":\"WriteOnly\"", 60), 0);
	assert_string_equal(ask(&st, "GetBaseReport", "{\"requestId\":8,\"reportBase\":\"ConfigurationInventory\"}"), ACCEPTED);
	collect_reports(8);
	assert_non_null(in_report("TxCtrlr", "TxStartPoint"));
	assert_null(in_report("ChargingStation", "Model"));
	assert_string_equal(ask(&st, "GetBaseReport", "{\"requestId\":9,\"reportBase\":\"SummaryInventory\"}"), ACCEPTED);
	collect_reports(9);
	assert_non_null(in_report("Connector", "AvailabilityState"));
	assert_null(in_report("TxCtrlr", "TxStartPoint"));
	end();
}

/* OCPP 2.0.1 TC_B_16_CS; OCPP 2.0.1 TC_B_17_CS; OCPP 2.0.1 TC_B_18_CS */
static void test_reports_by_criteria(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "GetReport", "{\"requestId\":1,\"componentCriteria\":[\"Enabled\"],\"componentVariable\":[{\"component\":{\"name\":"
	                                          "\"LocalAuthListCtrlr\"},\"variable\":{\"name\":\"Enabled\"}}]}"),
	                    ACCEPTED);
	collect_reports(1);
	assert_non_null(in_report("LocalAuthListCtrlr", "Enabled"));
	set("LocalAuthListCtrlr", "Enabled", "false");
	assert_non_null(strstr(ask(&st, "GetReport", "{\"requestId\":2,\"componentCriteria\":[\"Enabled\"],\"componentVariable\":[{\"component\":{\"name\":"
	                                             "\"LocalAuthListCtrlr\"}}]}"),
	                       "EmptyResultSet"));
	assert_string_equal(ask(&st, "GetReport", "{\"requestId\":3,\"componentVariable\":[{\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},"
	                                          "\"variable\":{\"name\":\"AvailabilityState\"}}]}"),
	                    ACCEPTED);
	collect_reports(3);
	assert_non_null(strstr(told, "\"value\":\"Available\",\"mutability\":\"ReadOnly\""));
	assert_non_null(strstr(told, "\"dataType\":\"OptionList\""));
	assert_non_null(strstr(told, "\"valuesList\":\"Available,Occupied,Reserved,Unavailable,Faulted\""));
	assert_non_null(strstr(ask(&st, "GetReport", "{\"requestId\":4,\"componentCriteria\":[\"Problem\"],\"componentVariable\":[{\"component\":{\"name\":"
	                                             "\"EVSE\",\"evse\":{\"id\":1}},\"variable\":{\"name\":\"AvailabilityState\"}}]}"),
	                       "EmptyResultSet"));
	end();
}

/* OCPP 2.0.1 TC_B_54_CS; OCPP 2.0.1 TC_B_55_CS; OCPP 2.0.1 TC_B_56_CS */
static void test_what_a_report_leaves_open_means_all(void **state)
{
	(void)state;
	begin();
	ask(&st, "GetReport", "{\"requestId\":1,\"componentVariable\":[{\"component\":{\"name\":\"DeviceDataCtrlr\"},\"variable\":{\"name\":\"ItemsPerMessage\"}}]}");
	collect_reports(1);
	assert_non_null(strstr(told, "\"instance\":\"GetReport\""));
	assert_non_null(strstr(told, "\"instance\":\"GetVariables\""));
	ask(&st, "GetReport", "{\"requestId\":2,\"componentVariable\":[{\"component\":{\"name\":\"DeviceDataCtrlr\"},\"variable\":{\"name\":"
	                      "\"ItemsPerMessage\",\"instance\":\"GetReport\"}}]}");
	collect_reports(2);
	assert_null(strstr(told, "\"instance\":\"GetVariables\""));
	ask(&st, "GetReport", "{\"requestId\":3,\"componentVariable\":[{\"component\":{\"name\":\"EVSE\"},\"variable\":{\"name\":\"AvailabilityState\"}}]}");
	collect_reports(3);
	assert_non_null(strstr(told, "\"evse\":{\"id\":1}"));
	end();
}

/* OCPP 2.0.1 TC_B_20_CS; OCPP 2.0.1 TC_B_21_CS; OCPP 2.0.1 TC_B_41_CS */
static void test_resets_on_idle(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"OnIdle\"}"), ACCEPTED);
	assert_null(st.near);
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect_status("Available");
	charge();
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"OnIdle\"}"), "{\"status\":\"Scheduled\"}");
	card("card");
	expect_end("StopAuthorized", "Local");
	assert_null(st.near);
	stage_connect(&st);
	expect(&st, "BootNotification", "\"reason\":\"ScheduledReset\"", NULL);
	expect_status("Occupied");
	end();
}

/* OCPP 2.0.1 TC_B_22_CS */
static void test_a_reset_at_once(void **state)
{
	(void)state;
	begin();
	charge();
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"Immediate\"}"), ACCEPTED);
	expect_end("ResetCommand", "ImmediateReset");
	assert_non_null(strstr(last_payload(&st), "\"chargingState\":\"EVConnected\""));
	stage_connect(&st);
	expect(&st, "BootNotification", "\"reason\":\"RemoteReset\"", NULL);
	expect_status("Occupied");
	end();
}

/* OCPP 2.0.1 TC_B_23_CS; OCPP 2.0.1 TC_B_24_CS */
static void test_states_outlive_a_reset(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Inoperative\",\"evse\":{\"id\":1}}"), ACCEPTED);
	expect_status("Unavailable");
	ask(&st, "Reset", "{\"type\":\"OnIdle\"}");
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect_status("Unavailable");
	ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Operative\",\"evse\":{\"id\":1}}");
	expect_status("Available");
	assert_string_equal(ask(&st, "ReserveNow", "{\"id\":3,\"expiryDateTime\":\"2026-05-29T00:00:00Z\",\"idToken\":" TOKEN("mine") ",\"evseId\":1}"), ACCEPTED);
	expect_status("Reserved");
	ask(&st, "Reset", "{\"type\":\"Immediate\"}");
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect_status("Reserved");
	restart(); /* and a new program knows it too */
	expect(&st, "BootNotification", NULL);
	expect_status("Reserved");
	end();
}

/* OCPP 2.0.1 TC_B_28_CS; OCPP 2.0.1 TC_B_29_CS */
static void test_a_reset_of_one_evse_is_not_offered(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"OnIdle\",\"evseId\":1}"), REJECTED);
	charge();
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"Immediate\",\"evseId\":1}"), REJECTED);
	end();
}

#define NETWORK(slot, profile) "{\"configurationSlot\":" #slot ",\"connectionData\":{\"ocppVersion\":\"OCPP20\",\"ocppTransport\":\"JSON\"," \
	"\"ocppCsmsUrl\":\"wss://other.example/\",\"messageTimeout\":30,\"securityProfile\":" #profile ",\"ocppInterface\":\"Wired0\"}}"

/* OCPP 2.0.1 TC_B_43_CS; OCPP 2.0.1 TC_A_22_CS; OCPP 2.0.1 TC_A_20_CS */
static void test_networks_that_are_refused(void **state)
{
	(void)state;
	stage();
	st.conf.security_profile = 2;
	stage_boot(&st);
	assert_string_equal(ask(&st, "SetNetworkProfile", NETWORK(9, 2)), REJECTED);
	assert_string_equal(ask(&st, "SetNetworkProfile", NETWORK(0, 2)), REJECTED); /* what the box was configured for stays */
	assert_string_equal(ask(&st, "SetNetworkProfile", NETWORK(1, 1)), REJECTED);
	assert_string_equal(set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "1,0"), "Rejected"); /* nothing is in slot 1 */
	host.network_err = ERR_INVALID;
	assert_string_equal(ask(&st, "SetNetworkProfile", NETWORK(1, 3)), "{\"status\":\"Failed\"}");
	end();
}

/* OCPP 2.0.1 TC_B_45_CS; OCPP 2.0.1 TC_B_46_CS; OCPP 2.0.1 TC_B_49_CS */
static void test_another_network_is_used_and_given_up(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "SetNetworkProfile", NETWORK(1, 0)), ACCEPTED);
	set("OCPPCommCtrlr", "NetworkConfigurationPriority", "1,0");
	assert_string_equal(host.did, "");
	assert_string_equal(ask(&st, "Reset", "{\"type\":\"Immediate\"}"), ACCEPTED);
	assert_string_equal(host.did, "network 1; ");
	for (int i = 0; i < 3; i++)
		station_link_down(st.s); /* nobody there, as often as NetworkProfileConnectionAttempts */
	assert_string_equal(host.did, "network 1; network 0 own; ");
	stage_connect(&st);
	expect(&st, "BootNotification", NULL);
	expect_status("Available");
	end();
}

/* OCPP 2.0.1 TC_B_51_CS; OCPP 2.0.1 TC_B_52_CS; OCPP 2.0.1 TC_B_57_CS */
static void test_states_after_an_absence(void **state)
{
	(void)state;
	begin();
	set("OCPPCommCtrlr", "OfflineThreshold", "60");
	stage_drop(&st);
	pass(&st, 30 * SECOND);
	stage_connect(&st);
	expect_nothing(&st); /* short, and nothing changed */
	stage_drop(&st);
	plug(&st, true, true);
	stage_connect(&st);
	expect_status("Occupied");
	stage_drop(&st);
	pass(&st, 61 * SECOND);
	stage_connect(&st);
	expect_status("Occupied");
	end();
}

/* C: authorisation */

static void refused(const char *answer)
{
	begin();
	stage_script(&st, "Authorize", answer);
	plug(&st, true, true);
	expect_status("Occupied");
	card("bad");
	expect(&st, "Authorize", "\"bad\"", NULL);
	expect_output(&st, "");
	end();
}

/* OCPP 2.0.1 TC_C_02_CS; OCPP 2.0.1 TC_C_05_CS; OCPP 2.0.1 TC_C_06_CS; OCPP 2.0.1 TC_C_07_CS; OCPP 2.0.1 TC_C_56_CS */
static void test_tokens_that_are_no_good(void **state)
{
	(void)state;
	refused(INFO("Invalid"));
	refused(INFO("Blocked"));
	refused(INFO("Expired"));
	refused(INFO("Unknown"));
}

/* OCPP 2.0.1 TC_C_04_CS; OCPP 2.0.1 TC_C_42_CS */
static void test_another_token_stops_nothing(void **state)
{
	(void)state;
	begin();
	charge();
	card("other");
	expect(&st, "Authorize", "\"other\"", NULL);
	end();
}

static void cache(const char *token, const char *answer)
{
	begin();
	set("AuthCtrlr", "LocalPreAuthorize", "true");
	stage_script(&st, "Authorize", answer);
	plug(&st, true, true);
	card(token);
	if (strstr(answer, "Accepted"))
		card(token);
	plug(&st, false, false);
	forget();
}

/* OCPP 2.0.1 TC_C_08_CS; OCPP 2.0.1 TC_C_13_CS; OCPP 2.0.1 TC_C_33_CS */
static void test_a_cached_token_is_not_asked_about(void **state)
{
	(void)state;
	cache("card", INFO("Accepted"));
	card("card");
	plug(&st, true, true);
	expect_status("Occupied");
	expect(&st, "TransactionEvent", "\"Started\"", "\"card\"", NULL);
	forget();
	end();
}

/* OCPP 2.0.1 TC_C_09_CS; OCPP 2.0.1 TC_C_10_CS; OCPP 2.0.1 TC_C_11_CS; OCPP 2.0.1 TC_C_12_CS */
static void test_a_token_cached_as_bad_is_asked_about(void **state)
{
	(void)state;
	cache("card", INFO("Blocked"));
	card("card");
	expect(&st, "Authorize", NULL);
	stage_script(&st, "Authorize", INFO("Accepted"));
	plug(&st, true, true);
	expect_status("Occupied");
	card("card");
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", NULL);
	forget();
	end();
}

/* OCPP 2.0.1 TC_C_57_CS */
static void test_a_token_cached_as_bad_can_be_refused_at_once(void **state)
{
	(void)state;
	cache("card", INFO("Blocked"));
	set("AuthCacheCtrlr", "DisablePostAuthorize", "true");
	card("card");
	end();
}

/* OCPP 2.0.1 TC_C_14_CS; OCPP 2.0.1 TC_C_45_CS; OCPP 2.0.1 TC_C_49_CS */
static void test_a_master_pass_stops_and_does_not_start(void **state)
{
	(void)state;
	begin();
	set("AuthCtrlr", "MasterPassGroupId", "masters");
	charge();
	stage_script(&st, "Authorize", "{\"idTokenInfo\":{\"status\":\"Accepted\",\"groupIdToken\":{\"idToken\":\"masters\",\"type\":\"Central\"}}}");
	card("master");
	expect(&st, "Authorize", "\"master\"", NULL);
	expect_end("StopAuthorized", "MasterPass");
	assert_non_null(strstr(last_payload(&st), "\"master\""));
	card("master");
	expect(&st, "Authorize", NULL);
	expect_output(&st, "close16000 open0 ");
	end();
}

static void start_alone(const char *answer)
{
	begin();
	set("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true");
	stage_script(&st, "TransactionEvent", answer);
	stage_drop(&st);
	plug(&st, true, true);
	card("card");
}

/* OCPP 2.0.1 TC_C_15_CS; OCPP 2.0.1 TC_C_17_CS */
static void test_a_token_refused_later_goes_on_without_energy(void **state)
{
	(void)state;
	begin();
	set("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true");
	set("TxCtrlr", "StopTxOnInvalidId", "false");
	set("TxCtrlr", "MaxEnergyOnInvalidId", "500");
	stage_script(&st, "TransactionEvent", INFO("Invalid"));
	stage_drop(&st);
	plug(&st, true, true);
	card("card");
	stage_connect(&st);
	expect_status("Occupied");
	expect(&st, "TransactionEvent", "\"Started\"", "\"offline\":true", "\"card\"", NULL);
	expect_update("ChargingStateChanged", "Charging");
	meter(&st, 1500);
	expect_update("ChargingStateChanged", "SuspendedEVSE");
	end();
}

/* OCPP 2.0.1 TC_C_16_CS; OCPP 2.0.1 TC_C_18_CS; OCPP 2.0.1 TC_E_16_CS; OCPP 2.0.1 TC_C_26_CS */
static void test_a_token_refused_later_ends(void **state)
{
	(void)state;
	start_alone(INFO("Invalid"));
	stage_connect(&st);
	expect_status("Occupied");
	expect(&st, "TransactionEvent", "\"Started\"", "\"offline\":true", NULL);
	expect_update("ChargingStateChanged", "Charging");
	expect_end("Deauthorized", "DeAuthorized");
	end();
}

#define LIST(version, type, entries) "{\"versionNumber\":" #version ",\"updateType\":\"" type "\",\"localAuthorizationList\":[" entries "]}"
#define ENTRY(token, status) "{\"idToken\":" TOKEN(token) ",\"idTokenInfo\":{\"status\":\"" status "\"}}"

static void listed_alone(const char *token, bool starts)
{
	begin();
	assert_string_equal(ask(&st, "SendLocalList", LIST(1, "Full", ENTRY("good", "Accepted") "," ENTRY("bad", "Invalid") "," ENTRY("blocked", "Blocked") ","
	                                                   "{\"idToken\":" TOKEN("old") ",\"idTokenInfo\":{\"status\":\"Accepted\",\"cacheExpiryDateTime\":"
	                                                   "\"2020-01-01T00:00:00Z\"}}")),
	                    ACCEPTED);
	stage_drop(&st);
	plug(&st, true, true);
	card(token);
	expect_output(&st, starts ? "close16000 " : "");
	end();
}

/* OCPP 2.0.1 TC_C_21_CS; OCPP 2.0.1 TC_C_22_CS; OCPP 2.0.1 TC_C_23_CS; OCPP 2.0.1 TC_C_24_CS */
static void test_the_list_decides_alone(void **state)
{
	(void)state;
	listed_alone("good", true);
	listed_alone("bad", false);
	listed_alone("blocked", false);
	listed_alone("old", false);
	listed_alone("nobody", false);
}

/* OCPP 2.0.1 TC_C_25_CS */
static void test_the_list_beats_the_cache(void **state)
{
	(void)state;
	cache("card", INFO("Accepted"));
	ask(&st, "SendLocalList", LIST(1, "Full", ENTRY("card", "Blocked")));
	stage_drop(&st);
	plug(&st, true, true);
	st.output[0] = 0;
	card("card");
	expect_output(&st, "");
	end();
}

static void listed(const char *status)
{
	char list[300];
	begin();
	set("AuthCtrlr", "LocalPreAuthorize", "true");
	snprintf(list, sizeof(list), LIST(1, "Full", ENTRY("card", "%s")), status);
	assert_string_equal(ask(&st, "SendLocalList", list), ACCEPTED);
	plug(&st, true, true);
	expect_status("Occupied");
	card("card");
}

/* OCPP 2.0.1 TC_C_27_CS */
static void test_a_listed_token_is_not_asked_about(void **state)
{
	(void)state;
	listed("Accepted");
	expect(&st, "TransactionEvent", "\"Started\"", "\"card\"", NULL);
	forget();
	end();
}

/* OCPP 2.0.1 TC_C_28_CS; OCPP 2.0.1 TC_C_29_CS; OCPP 2.0.1 TC_C_30_CS; OCPP 2.0.1 TC_C_31_CS */
static void test_a_token_listed_as_bad_is_asked_about(void **state)
{
	(void)state;
	listed("Invalid");
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", NULL);
	forget();
	end();
}

/* OCPP 2.0.1 TC_C_58_CS */
static void test_a_token_listed_as_bad_can_be_refused_at_once(void **state)
{
	(void)state;
	begin();
	set("LocalAuthListCtrlr", "DisablePostAuthorize", "true");
	ask(&st, "SendLocalList", LIST(1, "Full", ENTRY("card", "Invalid")));
	plug(&st, true, true);
	expect_status("Occupied");
	card("card");
	end();
}

/* OCPP 2.0.1 TC_C_32_CS */
static void test_the_cache_outlives_a_restart(void **state)
{
	(void)state;
	cache("card", INFO("Accepted"));
	restart();
	forget();
	plug(&st, true, true);
	expect_status("Occupied");
	card("card");
	expect(&st, "TransactionEvent", "\"Started\"", NULL);
	forget();
	end();
}

/* OCPP 2.0.1 TC_C_34_CS */
static void test_the_cache_learns_from_transactions(void **state)
{
	(void)state;
	cache("card", INFO("Accepted"));
	stage_script(&st, "TransactionEvent", INFO("Blocked"));
	plug(&st, true, true);
	card("card");
	forget();
	stage_script(&st, "TransactionEvent", "{}");
	plug(&st, false, false);
	plug(&st, true, true);
	forget();
	card("card");
	expect(&st, "Authorize", NULL); /* it is no longer known as good */
	forget();
	end();
}

/* OCPP 2.0.1 TC_C_36_CS */
static void test_the_cache_alone_starts_nothing_where_that_is_off(void **state)
{
	(void)state;
	cache("card", INFO("Accepted"));
	set("AuthCtrlr", "LocalPreAuthorize", "false");
	stage_script(&st, "Authorize", INFO("Invalid"));
	card("card");
	expect(&st, "Authorize", NULL);
	end();
}

/* OCPP 2.0.1 TC_C_37_CS; OCPP 2.0.1 TC_C_38_CS */
static void test_the_cache_is_cleared(void **state)
{
	(void)state;
	cache("card", INFO("Accepted"));
	assert_string_equal(ask(&st, "ClearCache", "{}"), ACCEPTED);
	card("card");
	expect(&st, "Authorize", NULL);
	set("AuthCacheCtrlr", "Enabled", "false");
	assert_string_equal(ask(&st, "ClearCache", "{}"), REJECTED);
	end();
}

#define GROUP(status) "{\"idTokenInfo\":{\"status\":\"" status "\",\"groupIdToken\":{\"idToken\":\"family\",\"type\":\"Central\"}}}"

/* OCPP 2.0.1 TC_C_39_CS */
static void test_a_token_of_the_group_stops(void **state)
{
	(void)state;
	begin();
	stage_script(&st, "Authorize", GROUP("Accepted"));
	charge();
	card("other");
	expect(&st, "Authorize", "\"other\"", NULL);
	expect_end("StopAuthorized", "Local");
	assert_non_null(strstr(last_payload(&st), "\"other\""));
	end();
}

#define LISTED_GROUP(token, status) "{\"idToken\":" TOKEN(token) ",\"idTokenInfo\":{\"status\":\"" status "\",\"groupIdToken\":{\"idToken\":\"family\",\"type\":\"Central\"}}}"

/* OCPP 2.0.1 TC_C_40_CS; OCPP 2.0.1 TC_C_43_CS; OCPP 2.0.1 TC_E_45_CS */
static void test_groups_of_the_list(void **state)
{
	(void)state;
	begin();
	set("AuthCtrlr", "LocalPreAuthorize", "true");
	ask(&st, "SendLocalList", LIST(1, "Full", LISTED_GROUP("card", "Accepted") "," LISTED_GROUP("other", "Accepted") "," LISTED_GROUP("bad", "Blocked")));
	stage_script(&st, "Authorize", INFO("Blocked"));
	charge();
	card("bad");
	expect(&st, "Authorize", "\"bad\"", NULL);
	stage_drop(&st);
	card("other");
	stage_connect(&st);
	expect_end("StopAuthorized", "Local");
	end();
}

/* OCPP 2.0.1 TC_C_41_CS; OCPP 2.0.1 TC_C_44_CS */
static void test_groups_of_the_cache(void **state)
{
	(void)state;
	cache("other", GROUP("Accepted"));
	charge();
	card("other");
	expect_end("StopAuthorized", "Local");
	plug(&st, false, false);
	plug(&st, true, true);
	card("card");
	forget();
	stage_script(&st, "Authorize", GROUP("Blocked"));
	card("third");
	expect(&st, "Authorize", NULL);
	end();
}

/* OCPP 2.0.1 TC_C_46_CS */
static void test_the_cache_forgets_with_time(void **state)
{
	(void)state;
	cache("card", INFO("Accepted"));
	set("AuthCacheCtrlr", "LifeTime", "60");
	pass(&st, 61 * SECOND);
	card("card");
	expect(&st, "Authorize", NULL);
	forget();
	end();
}

/* E: transactions */

/* OCPP 2.0.1 TC_E_01_CS; OCPP 2.0.1 TC_E_03_CS; OCPP 2.0.1 TC_E_06_CS; OCPP 2.0.1 TC_E_07_CS; OCPP 2.0.1 TC_G_01_CS; OCPP 2.0.1 TC_G_02_CS */
static void test_power_path_is_the_transaction(void **state)
{
	(void)state;
	begin();
	points("PowerPathClosed", "PowerPathClosed");
	plug(&st, true, true);
	expect_status("Occupied");
	card("card");
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", "\"triggerReason\":\"Authorized\"", "\"card\"", "\"evse\":{\"id\":1", NULL);
	expect_update("ChargingStateChanged", "Charging");
	card("card");
	expect_end("StopAuthorized", "Local");
	assert_non_null(strstr(last_payload(&st), "\"card\""));
	plug(&st, false, false);
	expect_status("Available");
	end();
}

/* OCPP 2.0.1 TC_E_02_CS; OCPP 2.0.1 TC_E_22_CS */
static void test_energy_is_the_transaction(void **state)
{
	(void)state;
	begin();
	points("EnergyTransfer", "EnergyTransfer");
	assert_non_null(strstr(ask(&st, "RequestStartTransaction", REMOTE), "Accepted"));
	plug(&st, true, false);
	expect_status("Occupied");
	plug(&st, true, true);
	expect(&st, "TransactionEvent", "\"Started\"", "\"triggerReason\":\"RemoteStart\"", "\"far\"", "\"chargingState\":\"Charging\"", NULL);
	plug(&st, true, false);
	expect_end("ChargingStateChanged", "StoppedByEV");
	assert_non_null(strstr(last_payload(&st), "\"chargingState\":\"EVConnected\""));
	pass(&st, SECOND);
	plug(&st, true, true); /* the token went with it: the car gets nothing more */
	expect_output(&st, "open16000 close16000 open16000 open0 ");
	end();
}

/* OCPP 2.0.1 TC_E_08_CS */
static void test_energy_ends_with_the_token(void **state)
{
	(void)state;
	begin();
	points("EVConnected", "EnergyTransfer");
	charge();
	card("card");
	expect_end("StopAuthorized", "Local");
	end();
}

/* OCPP 2.0.1 TC_E_04_CS; OCPP 2.0.1 TC_E_10_CS; OCPP 2.0.1 TC_E_15_CS */
static void test_the_token_is_the_transaction(void **state)
{
	(void)state;
	begin();
	points("Authorized", "Authorized");
	card("card");
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", "\"triggerReason\":\"Authorized\"", "\"card\"", "\"chargingState\":\"Idle\"", NULL);
	assert_null(strstr(last_payload(&st), "\"evse\""));
	plug(&st, true, true);
	expect_status("Occupied");
	expect(&st, "TransactionEvent", "\"Updated\"", "\"triggerReason\":\"CablePluggedIn\"", "\"evse\":{\"id\":1", "\"EVConnected\"", NULL);
	expect_update("ChargingStateChanged", "Charging");
	card("card");
	expect_end("StopAuthorized", "Local");
	end();
}

/* OCPP 2.0.1 TC_E_05_CS; OCPP 2.0.1 TC_E_39_CS; OCPP 2.0.1 TC_C_100_CS; OCPP 2.0.1 TC_F_04_CS */
static void test_no_car_in_time(void **state)
{
	(void)state;
	begin();
	points("Authorized", "Authorized,EVConnected");
	set("TxCtrlr", "EVConnectionTimeOut", "30");
	card("card");
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", NULL);
	pass(&st, 30 * SECOND);
	expect_end("EVConnectTimeout", "Timeout");
	assert_non_null(strstr(ask(&st, "RequestStartTransaction", REMOTE), "Accepted"));
	expect(&st, "TransactionEvent", "\"Started\"", "\"remoteStartId\":42", NULL);
	pass(&st, 30 * SECOND);
	expect_end("EVConnectTimeout", "Timeout");
	plug(&st, true, true);
	expect_status("Occupied");
	end();
}

/* OCPP 2.0.1 TC_E_09_CS; OCPP 2.0.1 TC_E_14_CS; OCPP 2.0.1 TC_E_20_CS */
static void test_the_cable_is_the_transaction(void **state)
{
	(void)state;
	begin();
	points("EVConnected", "EVConnected");
	plug(&st, true, true);
	expect_status("Occupied");
	expect(&st, "TransactionEvent", "\"Started\"", "\"triggerReason\":\"CablePluggedIn\"", "\"EVConnected\"", NULL);
	assert_null(strstr(last_payload(&st), "idToken"));
	card("card");
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Updated\"", "\"triggerReason\":\"Authorized\"", "\"card\"", NULL);
	expect_update("ChargingStateChanged", "Charging");
	card("card");
	expect(&st, "TransactionEvent", "\"Updated\"", "\"triggerReason\":\"StopAuthorized\"", "\"card\"", NULL);
	expect_update("ChargingStateChanged", "EVConnected");
	plug(&st, false, false);
	expect(&st, "TransactionEvent", "\"Ended\"", "\"triggerReason\":\"EVCommunicationLost\"", "\"chargingState\":\"Idle\"", NULL);
	expect_status("Available");
	end();
}

/* OCPP 2.0.1 TC_E_13_CS; OCPP 2.0.1 TC_E_21_CS; OCPP 2.0.1 TC_E_35_CS; OCPP 2.0.1 TC_F_03_CS; OCPP 2.0.1 TC_F_08_CS */
static void test_started_and_stopped_from_afar(void **state)
{
	(void)state;
	begin();
	points("Authorized", "Authorized");
	assert_non_null(strstr(ask(&st, "RequestStartTransaction", REMOTE), "Accepted"));
	expect(&st, "TransactionEvent", "\"Started\"", "\"triggerReason\":\"RemoteStart\"", "\"remoteStartId\":42", "\"far\"", NULL);
	plug(&st, true, true);
	forget();
	assert_string_equal(ask(&st, "RequestStopTransaction", with_tx(STOP)), ACCEPTED);
	expect_end("RemoteStop", "Remote");
	end();
}

/* OCPP 2.0.1 TC_E_17_CS; OCPP 2.0.1 TC_E_24_CS; OCPP 2.0.1 TC_E_37_CS; OCPP 2.0.1 TC_E_54_CS */
static void test_unplugging_at_the_car_ends_it(void **state)
{
	static const char *const stops[] = { "Authorized", "PowerPathClosed", "EVConnected", "EnergyTransfer" };
	(void)state;
	for (int i = 0; i < 4; i++) {
		begin();
		points("PowerPathClosed", stops[i]);
		charge();
		plug(&st, false, false);
		expect_end("EVCommunicationLost", "EVDisconnected");
		assert_non_null(strstr(last_payload(&st), "\"chargingState\":\"Idle\""));
		expect_status("Available");
		end();
	}
}

/* OCPP 2.0.1 TC_E_26_CS */
static void test_unplugging_at_the_car_can_suspend_it(void **state)
{
	(void)state;
	begin();
	set("TxCtrlr", "StopTxOnEVSideDisconnect", "false");
	points("PowerPathClosed", "Authorized");
	charge();
	plug(&st, false, false);
	expect_update("EVCommunicationLost", "Idle");
	expect_status("Available");
	plug(&st, true, true);
	expect_status("Occupied");
	expect_update("CablePluggedIn", "EVConnected");
	expect_update("ChargingStateChanged", "Charging");
	end();
}

/* OCPP 2.0.1 TC_E_27_CS */
static void test_a_car_that_does_not_come_back(void **state)
{
	(void)state;
	begin();
	set("TxCtrlr", "StopTxOnEVSideDisconnect", "false");
	set("TxCtrlr", "EVConnectionTimeOut", "30");
	points("PowerPathClosed", "Authorized");
	charge();
	plug(&st, false, false);
	expect_update("EVCommunicationLost", "Idle");
	expect_status("Available");
	pass(&st, 29 * SECOND);
	expect_nothing(&st);
	pass(&st, SECOND);
	expect_end("EVConnectTimeout", "Timeout");
	end();
}

/* OCPP 2.0.1 TC_E_28_CS; OCPP 2.0.1 TC_E_30_CS; OCPP 2.0.1 TC_E_32_CS; OCPP 2.0.1 TC_E_34_CS */
static void test_the_status_of_transactions(void **state)
{
	char over[80];
	(void)state;
	begin();
	assert_string_equal(ask(&st, "GetTransactionStatus", "{}"), "{\"messagesInQueue\":false}");
	assert_string_equal(ask(&st, "GetTransactionStatus", "{\"transactionId\":\"x\"}"), "{\"ongoingIndicator\":false,\"messagesInQueue\":false}");
	charge();
	snprintf(over, sizeof(over), STOP, tx());
	assert_string_equal(ask(&st, "GetTransactionStatus", over), "{\"ongoingIndicator\":true,\"messagesInQueue\":false}");
	card("card");
	forget();
	assert_string_equal(ask(&st, "GetTransactionStatus", over), "{\"ongoingIndicator\":false,\"messagesInQueue\":false}");
	end();
}

/* OCPP 2.0.1 TC_E_29_CS; OCPP 2.0.1 TC_E_31_CS; OCPP 2.0.1 TC_E_33_CS */
static void test_the_status_of_transactions_with_messages_waiting(void **state)
{
	char over[80];
	(void)state;
	begin();
	stage_script(&st, "TransactionEvent", NULL); /* no answer yet */
	charge();
	snprintf(over, sizeof(over), STOP, tx());
	assert_string_equal(ask(&st, "GetTransactionStatus", over), "{\"ongoingIndicator\":true,\"messagesInQueue\":true}");
	assert_string_equal(ask(&st, "GetTransactionStatus", "{}"), "{\"messagesInQueue\":true}");
	card("card");
	assert_string_equal(ask(&st, "GetTransactionStatus", over), "{\"ongoingIndicator\":false,\"messagesInQueue\":true}");
	forget();
	end();
}

/* OCPP 2.0.1 TC_E_38_CS */
static void test_a_car_that_does_not_ask(void **state)
{
	(void)state;
	begin();
	plug(&st, true, false);
	expect_status("Occupied");
	card("card");
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", NULL);
	expect_update("ChargingStateChanged", "SuspendedEV");
	end();
}

/* OCPP 2.0.1 TC_E_40_CS; OCPP 2.0.1 TC_E_43_CS; OCPP 2.0.1 TC_E_44_CS */
static void test_transactions_without_a_link(void **state)
{
	(void)state;
	begin();
	set("SampledDataCtrlr", "TxUpdatedInterval", "30");
	charge();
	stage_drop(&st);
	pass(&st, 30 * SECOND);
	stage_connect(&st);
	expect(&st, "TransactionEvent", "\"Updated\"", "MeterValuePeriodic", "\"offline\":true", NULL);
	stage_drop(&st);
	card("card");
	plug(&st, false, false);
	stage_connect(&st);
	expect_status("Available");
	expect(&st, "TransactionEvent", "\"Ended\"", "\"offline\":true", NULL);
	set("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true");
	stage_drop(&st);
	plug(&st, true, true);
	card("card");
	card("card");
	stage_connect(&st);
	expect_status("Occupied");
	expect(&st, "TransactionEvent", "\"Started\"", "\"seqNo\":0", "\"offline\":true", NULL);
	expect(&st, "TransactionEvent", "\"seqNo\":1", "\"offline\":true", NULL);
	expect(&st, "TransactionEvent", "\"Ended\"", "\"seqNo\":2", "\"offline\":true", NULL);
	end();
}

/* OCPP 2.0.1 TC_E_41_CS; OCPP 2.0.1 TC_E_50_CS */
static void test_a_message_is_given_up_in_the_end(void **state)
{
	(void)state;
	begin();
	ask(&st, "SetVariables", "{\"setVariableData\":[{\"attributeValue\":\"2\",\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":\"MessageAttempts\","
	                         "\"instance\":\"TransactionEvent\"}},{\"attributeValue\":\"10\",\"component\":{\"name\":\"OCPPCommCtrlr\"},\"variable\":{\"name\":"
	                         "\"MessageAttemptInterval\",\"instance\":\"TransactionEvent\"}}]}");
	charge();
	stage_script(&st, "TransactionEvent", "!InternalError");
	plug(&st, true, false);
	expect(&st, "TransactionEvent", "\"seqNo\":2", NULL);
	pass(&st, 10 * SECOND);
	stage_script(&st, "TransactionEvent", "{}");
	expect(&st, "TransactionEvent", "\"seqNo\":2", NULL);
	plug(&st, true, true);
	expect(&st, "TransactionEvent", "\"seqNo\":3", NULL);
	end();
}

/* OCPP 2.0.1 TC_E_42_CS; OCPP 2.0.1 TC_E_51_CS */
static void test_a_message_is_repeated_with_growing_waits(void **state)
{
	(void)state;
	begin();
	charge();
	stage_script(&st, "TransactionEvent", "!InternalError");
	plug(&st, true, false);
	expect(&st, "TransactionEvent", "\"seqNo\":2", NULL);
	pass(&st, 60 * SECOND);
	expect(&st, "TransactionEvent", "\"seqNo\":2", NULL);
	stage_script(&st, "TransactionEvent", "{}");
	pass(&st, 119 * SECOND);
	expect_nothing(&st);
	pass(&st, SECOND);
	expect(&st, "TransactionEvent", "\"seqNo\":2", NULL);
	end();
}

/* OCPP 2.0.1 TC_E_52_CS */
static void test_nobody_is_asked_where_that_is_off(void **state)
{
	(void)state;
	begin();
	set("AuthCtrlr", "DisableRemoteAuthorization", "true");
	ask(&st, "SendLocalList", LIST(1, "Full", ENTRY("card", "Accepted")));
	plug(&st, true, true);
	expect_status("Occupied");
	card("stranger");
	card("card");
	expect(&st, "TransactionEvent", "\"Started\"", "\"card\"", NULL);
	forget();
	end();
}

/* F: remote control */

/* OCPP 2.0.1 TC_F_01_CS */
static void test_remote_start_to_a_plugged_car(void **state)
{
	(void)state;
	begin();
	points("EVConnected", "EVConnected");
	plug(&st, true, true);
	forget();
	char id[64];
	snprintf(id, sizeof(id), "%s", tx());
	assert_non_null(strstr(ask(&st, "RequestStartTransaction", REMOTE), id)); /* F01.FR.13: it runs already */
	expect(&st, "TransactionEvent", "\"Updated\"", "\"triggerReason\":\"RemoteStart\"", "\"remoteStartId\":42", NULL);
	expect_update("ChargingStateChanged", "Charging");
	end();
}

/* OCPP 2.0.1 TC_F_02_CS */
static void test_remote_start_can_ask_first(void **state)
{
	(void)state;
	begin();
	set("AuthCtrlr", "AuthorizeRemoteStart", "true");
	ask(&st, "RequestStartTransaction", REMOTE);
	expect(&st, "Authorize", "\"far\"", NULL);
	plug(&st, true, true);
	expect_status("Occupied");
	expect(&st, "TransactionEvent", "\"Started\"", "\"triggerReason\":\"RemoteStart\"", NULL);
	forget();
	plug(&st, false, false);
	forget();
	ask(&st, "RequestStartTransaction", "{\"evseId\":1,\"remoteStartId\":43,\"idToken\":{\"idToken\":\"app\",\"type\":\"Central\"}}");
	expect_nothing(&st); /* nobody to ask about */
	end();
}

/* OCPP 2.0.1 TC_F_05_CS; OCPP 2.0.1 TC_F_06_CS; OCPP 2.0.1 TC_F_07_CS; OCPP 2.0.1 TC_F_10_CS */
static void test_unlocking(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "UnlockConnector", "{\"evseId\":1,\"connectorId\":1}"), "error NotSupported"); /* no lock: F05.FR.07 */
	st.lock = LOCK_GOOD;
	assert_string_equal(ask(&st, "UnlockConnector", "{\"evseId\":1,\"connectorId\":1}"), "{\"status\":\"Unlocked\"}");
	assert_string_equal(ask(&st, "UnlockConnector", "{\"evseId\":1,\"connectorId\":7}"), "{\"status\":\"UnknownConnector\"}");
	plug(&st, true, true);
	expect_status("Occupied");
	assert_string_equal(ask(&st, "UnlockConnector", "{\"evseId\":1,\"connectorId\":1}"), "{\"status\":\"Unlocked\"}");
	st.lock = LOCK_STUCK;
	assert_string_equal(ask(&st, "UnlockConnector", "{\"evseId\":1,\"connectorId\":1}"), "{\"status\":\"UnlockFailed\"}");
	charge();
	assert_string_equal(ask(&st, "UnlockConnector", "{\"evseId\":1,\"connectorId\":1}"), "{\"status\":\"OngoingAuthorizedTransaction\"}");
	end();
}

/* OCPP 2.0.1 TC_F_09_CS */
static void test_remote_stop_of_nothing(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "RequestStopTransaction", "{\"transactionId\":\"x\"}"), REJECTED);
	end();
}

static void trigger(const char *message, const char *more, const char *answer)
{
	char payload[200];
	snprintf(payload, sizeof(payload), "{\"requestedMessage\":\"%s\"%s}", message, more);
	if (strcmp(ask(&st, "TriggerMessage", payload), answer) != 0)
		fail_msg("%s: %s", message, st.answer);
}

/* OCPP 2.0.1 TC_F_11_CS; OCPP 2.0.1 TC_F_12_CS; OCPP 2.0.1 TC_F_13_CS; OCPP 2.0.1 TC_F_14_CS */
static void test_meter_values_on_trigger(void **state)
{
	(void)state;
	begin();
	trigger("MeterValues", ",\"evse\":{\"id\":1}", ACCEPTED);
	expect(&st, "MeterValues", "\"evseId\":1", "\"context\":\"Trigger\"", NULL);
	trigger("MeterValues", "", ACCEPTED);
	expect(&st, "MeterValues", "\"evseId\":1", NULL);
	trigger("TransactionEvent", ",\"evse\":{\"id\":1}", REJECTED);
	charge();
	trigger("TransactionEvent", ",\"evse\":{\"id\":1}", ACCEPTED);
	expect(&st, "TransactionEvent", "\"triggerReason\":\"Trigger\"", "\"chargingState\":\"Charging\"", "\"context\":\"Trigger\"", NULL);
	trigger("TransactionEvent", "", ACCEPTED);
	expect(&st, "TransactionEvent", "\"triggerReason\":\"Trigger\"", "\"evse\":{\"id\":1}", NULL);
	end();
}

/* OCPP 2.0.1 TC_F_15_CS; OCPP 2.0.1 TC_F_16_CS; OCPP 2.0.1 TC_F_17_CS; OCPP 2.0.1 TC_F_18_CS; OCPP 2.0.1 TC_F_19_CS; OCPP 2.0.1 TC_F_20_CS */
static void test_states_on_trigger(void **state)
{
	(void)state;
	begin();
	trigger("LogStatusNotification", "", ACCEPTED);
	expect(&st, "LogStatusNotification", "\"Idle\"", NULL);
	ask(&st, "GetLog", "{\"logType\":\"DiagnosticsLog\",\"requestId\":5,\"log\":{\"remoteLocation\":\"http://x/\"}}");
	expect(&st, "LogStatusNotification", "\"Uploading\"", "\"requestId\":5", NULL);
	trigger("LogStatusNotification", "", ACCEPTED);
	expect(&st, "LogStatusNotification", "\"Uploading\"", "\"requestId\":5", NULL);
	trigger("FirmwareStatusNotification", ",\"evse\":{\"id\":1}", ACCEPTED);
	expect(&st, "FirmwareStatusNotification", "\"Idle\"", NULL);
	ask(&st, "UpdateFirmware", "{\"requestId\":6,\"firmware\":{\"location\":\"http://x/f\",\"retrieveDateTime\":\"2020-01-01T00:00:00Z\"}}");
	expect(&st, "FirmwareStatusNotification", "\"Downloading\"", "\"requestId\":6", NULL);
	trigger("FirmwareStatusNotification", "", ACCEPTED);
	expect(&st, "FirmwareStatusNotification", "\"Downloading\"", NULL);
	trigger("Heartbeat", "", ACCEPTED);
	expect(&st, "Heartbeat", NULL);
	end();
}

/* OCPP 2.0.1 TC_F_23_CS; OCPP 2.0.1 TC_F_24_CS; OCPP 2.0.1 TC_F_26_CS; OCPP 2.0.1 TC_F_27_CS */
static void test_status_on_trigger(void **state)
{
	(void)state;
	begin();
	trigger("StatusNotification", ",\"evse\":{\"id\":1,\"connectorId\":1}", ACCEPTED);
	expect_status("Available");
	plug(&st, true, true);
	expect_status("Occupied");
	trigger("StatusNotification", ",\"evse\":{\"id\":1,\"connectorId\":1}", ACCEPTED);
	expect_status("Occupied");
	trigger("StatusNotification", ",\"evse\":{\"id\":2,\"connectorId\":1}", REJECTED);
	trigger("BootNotification", "", REJECTED);
	trigger("SignV2GCertificate", "", "{\"status\":\"NotImplemented\"}");
	end();
}

/* G: availability */

static void availability(const char *where)
{
	char payload[128];
	snprintf(payload, sizeof(payload), "{\"operationalStatus\":\"Inoperative\"%s}", where);
	begin();
	assert_string_equal(ask(&st, "ChangeAvailability", payload), ACCEPTED);
	expect_status("Unavailable");
	assert_string_equal(ask(&st, "ChangeAvailability", payload), ACCEPTED); /* it is so already: nothing to tell */
	restart();
	expect(&st, "BootNotification", NULL);
	expect_status("Unavailable");
	snprintf(payload, sizeof(payload), "{\"operationalStatus\":\"Operative\"%s}", where);
	assert_string_equal(ask(&st, "ChangeAvailability", payload), ACCEPTED);
	expect_status("Available");
	assert_string_equal(ask(&st, "ChangeAvailability", payload), ACCEPTED);
	charge();
	snprintf(payload, sizeof(payload), "{\"operationalStatus\":\"Inoperative\"%s}", where);
	assert_string_equal(ask(&st, "ChangeAvailability", payload), "{\"status\":\"Scheduled\"}");
	card("card");
	expect_end("StopAuthorized", "Local");
	expect_status("Unavailable");
	end();
}

/* OCPP 2.0.1 TC_G_03_CS; OCPP 2.0.1 TC_G_04_CS; OCPP 2.0.1 TC_G_09_CS; OCPP 2.0.1 TC_G_10_CS; OCPP 2.0.1 TC_G_11_CS; OCPP 2.0.1 TC_G_18_CS */
static void test_availability_of_an_evse(void **state)
{
	(void)state;
	availability(",\"evse\":{\"id\":1}");
}

/* OCPP 2.0.1 TC_G_05_CS; OCPP 2.0.1 TC_G_06_CS; OCPP 2.0.1 TC_G_12_CS; OCPP 2.0.1 TC_G_13_CS; OCPP 2.0.1 TC_G_14_CS; OCPP 2.0.1 TC_G_21_CS */
static void test_availability_of_the_whole(void **state)
{
	(void)state;
	availability("");
}

/* OCPP 2.0.1 TC_G_07_CS; OCPP 2.0.1 TC_G_08_CS; OCPP 2.0.1 TC_G_15_CS; OCPP 2.0.1 TC_G_16_CS; OCPP 2.0.1 TC_G_17_CS; OCPP 2.0.1 TC_G_19_CS */
static void test_availability_of_a_connector(void **state)
{
	(void)state;
	availability(",\"evse\":{\"id\":1,\"connectorId\":1}");
}

static void test_an_evse_keeps_its_own_wish_behind_the_whole(void **state)
{
	(void)state;
	begin();
	ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Inoperative\",\"evse\":{\"id\":1}}");
	expect_status("Unavailable");
	ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Inoperative\"}");
	ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Operative\"}");
	expect_nothing(&st); /* G03.FR.06: back to what it was */
	ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Operative\",\"evse\":{\"id\":1}}");
	expect_status("Available");
	end();
}

/* OCPP 2.0.1 TC_G_20_CS */
static void test_a_lock_that_fails(void **state)
{
	(void)state;
	begin();
	st.in.fault = "ConnectorLockFailure";
	plug(&st, true, true);
	expect_status("Faulted");
	expect(&st, "NotifyEvent", "\"trigger\":\"Delta\"", "\"EVSE\"", "\"Problem\"", NULL);
	expect(&st, "NotifyEvent", "\"ConnectorPlugRetentionLock\"", "\"actualValue\":\"true\"", "HardWired", NULL);
	end();
}

/* J: meter values */

/* OCPP 2.0.1 TC_J_01_CS; OCPP 2.0.1 TC_J_02_CS; OCPP 2.0.1 TC_J_03_CS */
static void test_aligned_values(void **state)
{
	(void)state;
	begin(); /* at 20:26:40 */
	set("AlignedDataCtrlr", "Measurands", "Energy.Active.Import.Register");
	set("AlignedDataCtrlr", "Interval", "900");
	set("AlignedDataCtrlr", "TxEndedInterval", "900");
	set("AlignedDataCtrlr", "TxEndedMeasurands", "Energy.Active.Import.Register");
	pass(&st, 200 * SECOND);
	expect(&st, "MeterValues", "\"evseId\":1", "Sample.Clock", "20:30:00", NULL);
	charge();
	pass(&st, 900 * SECOND);
	expect(&st, "TransactionEvent", "\"triggerReason\":\"MeterValueClock\"", "Sample.Clock", "20:45:00", NULL);
	card("card");
	expect(&st, "TransactionEvent", "\"Ended\"", "Sample.Clock", "20:45:00", "Transaction.End", NULL);
	end();
}

/* OCPP 2.0.1 TC_J_06_CS */
static void test_aligned_values_only_when_idle(void **state)
{
	(void)state;
	begin();
	set("AlignedDataCtrlr", "Interval", "900");
	set("AlignedDataCtrlr", "SendDuringIdle", "true");
	charge();
	pass(&st, 200 * SECOND);
	expect_nothing(&st);
	card("card");
	forget();
	pass(&st, 900 * SECOND);
	expect(&st, "MeterValues", "Sample.Clock", NULL);
	end();
}

/* OCPP 2.0.1 TC_J_07_CS; OCPP 2.0.1 TC_J_08_CS; OCPP 2.0.1 TC_J_09_CS; OCPP 2.0.1 TC_J_10_CS */
static void test_sampled_values(void **state)
{
	(void)state;
	begin();
	set("SampledDataCtrlr", "TxStartedMeasurands", "Energy.Active.Import.Register");
	set("SampledDataCtrlr", "TxUpdatedMeasurands", "Current.Import,Voltage");
	set("SampledDataCtrlr", "TxUpdatedInterval", "20");
	set("SampledDataCtrlr", "TxEndedMeasurands", "Energy.Active.Import.Register");
	set("SampledDataCtrlr", "TxEndedInterval", "30");
	plug(&st, true, true);
	expect_status("Occupied");
	card("card");
	expect(&st, "Authorize", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", "Transaction.Begin", "Energy.Active", NULL);
	assert_null(strstr(last_payload(&st), "Voltage"));
	expect_update("ChargingStateChanged", "Charging");
	pass(&st, 20 * SECOND);
	expect(&st, "TransactionEvent", "MeterValuePeriodic", "Sample.Periodic", "Current.Import", "Voltage", NULL);
	assert_null(strstr(last_payload(&st), "Energy.Active"));
	pass(&st, 19 * SECOND);
	card("card");
	expect(&st, "TransactionEvent", "\"Ended\"", "Transaction.Begin", "Sample.Periodic", "20:27:10", "Transaction.End", NULL);
	end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted_at_once),
		cmocka_unit_test(test_pending_takes_settings_and_gives_reports),
		cmocka_unit_test(test_rejected_answers_security_error),
		cmocka_unit_test(test_variables_are_set_and_told),
		cmocka_unit_test(test_values_that_are_none),
		cmocka_unit_test(test_variables_that_are_not_there),
		cmocka_unit_test(test_base_reports),
		cmocka_unit_test(test_reports_by_criteria),
		cmocka_unit_test(test_what_a_report_leaves_open_means_all),
		cmocka_unit_test(test_resets_on_idle),
		cmocka_unit_test(test_a_reset_at_once),
		cmocka_unit_test(test_states_outlive_a_reset),
		cmocka_unit_test(test_a_reset_of_one_evse_is_not_offered),
		cmocka_unit_test(test_networks_that_are_refused),
		cmocka_unit_test(test_another_network_is_used_and_given_up),
		cmocka_unit_test(test_states_after_an_absence),
		cmocka_unit_test(test_tokens_that_are_no_good),
		cmocka_unit_test(test_another_token_stops_nothing),
		cmocka_unit_test(test_a_cached_token_is_not_asked_about),
		cmocka_unit_test(test_a_token_cached_as_bad_is_asked_about),
		cmocka_unit_test(test_a_token_cached_as_bad_can_be_refused_at_once),
		cmocka_unit_test(test_a_master_pass_stops_and_does_not_start),
		cmocka_unit_test(test_a_token_refused_later_goes_on_without_energy),
		cmocka_unit_test(test_a_token_refused_later_ends),
		cmocka_unit_test(test_the_list_decides_alone),
		cmocka_unit_test(test_the_list_beats_the_cache),
		cmocka_unit_test(test_a_listed_token_is_not_asked_about),
		cmocka_unit_test(test_a_token_listed_as_bad_is_asked_about),
		cmocka_unit_test(test_a_token_listed_as_bad_can_be_refused_at_once),
		cmocka_unit_test(test_the_cache_outlives_a_restart),
		cmocka_unit_test(test_the_cache_learns_from_transactions),
		cmocka_unit_test(test_the_cache_alone_starts_nothing_where_that_is_off),
		cmocka_unit_test(test_the_cache_is_cleared),
		cmocka_unit_test(test_a_token_of_the_group_stops),
		cmocka_unit_test(test_groups_of_the_list),
		cmocka_unit_test(test_groups_of_the_cache),
		cmocka_unit_test(test_the_cache_forgets_with_time),
		cmocka_unit_test(test_power_path_is_the_transaction),
		cmocka_unit_test(test_energy_is_the_transaction),
		cmocka_unit_test(test_energy_ends_with_the_token),
		cmocka_unit_test(test_the_token_is_the_transaction),
		cmocka_unit_test(test_no_car_in_time),
		cmocka_unit_test(test_the_cable_is_the_transaction),
		cmocka_unit_test(test_started_and_stopped_from_afar),
		cmocka_unit_test(test_unplugging_at_the_car_ends_it),
		cmocka_unit_test(test_unplugging_at_the_car_can_suspend_it),
		cmocka_unit_test(test_a_car_that_does_not_come_back),
		cmocka_unit_test(test_the_status_of_transactions),
		cmocka_unit_test(test_the_status_of_transactions_with_messages_waiting),
		cmocka_unit_test(test_a_car_that_does_not_ask),
		cmocka_unit_test(test_transactions_without_a_link),
		cmocka_unit_test(test_a_message_is_given_up_in_the_end),
		cmocka_unit_test(test_a_message_is_repeated_with_growing_waits),
		cmocka_unit_test(test_nobody_is_asked_where_that_is_off),
		cmocka_unit_test(test_remote_start_to_a_plugged_car),
		cmocka_unit_test(test_remote_start_can_ask_first),
		cmocka_unit_test(test_unlocking),
		cmocka_unit_test(test_remote_stop_of_nothing),
		cmocka_unit_test(test_meter_values_on_trigger),
		cmocka_unit_test(test_states_on_trigger),
		cmocka_unit_test(test_status_on_trigger),
		cmocka_unit_test(test_availability_of_an_evse),
		cmocka_unit_test(test_availability_of_the_whole),
		cmocka_unit_test(test_availability_of_a_connector),
		cmocka_unit_test(test_an_evse_keeps_its_own_wish_behind_the_whole),
		cmocka_unit_test(test_a_lock_that_fails),
		cmocka_unit_test(test_aligned_values),
		cmocka_unit_test(test_aligned_values_only_when_idle),
		cmocka_unit_test(test_sampled_values),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* one of them, by hand */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
