/* The charging station's cases of 2.0.1 for the local list, reservations, cost, smart charging, firmware, certificates, diagnostics and display
 * (blocks A, D, H, I, K to P). Each test says with a tag which case it is; docs/CONFORMANCE.md collects them. */
#include <stdio.h>

#include "base/buf.h"
#include "tests/unit/station/cases-201.h"

#define REMOTE "{\"evseId\":1,\"remoteStartId\":42,\"idToken\":" TOKEN("far") "}"

static void restart(void)
{
	stage_drop(&st);
	station_close(st.s);
	stage_make(&st);
	stage_connect(&st);
}

#define VERSION_MISMATCH "{\"status\":\"VersionMismatch\"}"

/* D: the local list */

#define LIST(version, type, entries) "{\"versionNumber\":" #version ",\"updateType\":\"" type "\"" entries "}"
#define ENTRIES(list) ",\"localAuthorizationList\":[" list "]"
#define ENTRY(token) "{\"idToken\":" TOKEN(token) ",\"idTokenInfo\":{\"status\":\"Accepted\"}}"
#define NO_ENTRY(token) "{\"idToken\":" TOKEN(token) "}"

static void expect_entries(const char *n)
{
	char want[64];
	snprintf(want, sizeof(want), "\"attributeValue\":\"%s\"", n);
	ask(&st, "GetVariables", "{\"getVariableData\":[{\"component\":{\"name\":\"LocalAuthListCtrlr\"},\"variable\":{\"name\":\"Entries\"}}]}");
	if (!strstr(st.answer, want))
		fail_msg("%s lacks %s", st.answer, want);
}

/* OCPP 2.0.1 TC_D_01_CS; OCPP 2.0.1 TC_D_02_CS; OCPP 2.0.1 TC_D_03_CS; OCPP 2.0.1 TC_D_04_CS; OCPP 2.0.1 TC_D_05_CS; OCPP 2.0.1 TC_D_06_CS;
 * OCPP 2.0.1 TC_D_07_CS; OCPP 2.0.1 TC_D_08_CS; OCPP 2.0.1 TC_D_10_CS */
static void test_the_local_list(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "SendLocalList", LIST(1, "Full", ENTRIES(ENTRY("a") "," ENTRY("b")))), ACCEPTED);
	expect_entries("2");
	assert_string_equal(ask(&st, "SendLocalList", LIST(2, "Differential", ENTRIES(ENTRY("c")))), ACCEPTED);
	expect_entries("3");
	assert_string_equal(ask(&st, "SendLocalList", LIST(3, "Differential", ENTRIES(NO_ENTRY("a")))), ACCEPTED);
	expect_entries("2");
	assert_string_equal(ask(&st, "SendLocalList", LIST(4, "Differential", "")), ACCEPTED);
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"versionNumber\":4}");
	assert_string_equal(ask(&st, "SendLocalList", LIST(4, "Differential", ENTRIES(ENTRY("d")))), VERSION_MISMATCH);
	restart();
	forget();
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"versionNumber\":4}");
	expect_entries("2");
	assert_string_equal(ask(&st, "SendLocalList", LIST(5, "Full", "")), ACCEPTED);
	expect_entries("0");
	set("LocalAuthListCtrlr", "Enabled", "false");
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"versionNumber\":0}");
	end();
}

/* H: reservations */

#define RESERVE(id, token, more) "{\"id\":" #id ",\"expiryDateTime\":\"2026-05-28T20:30:00Z\",\"idToken\":" TOKEN(token) more "}"
#define AT_1 ",\"evseId\":1"

static void reserve(const char *payload, const char *status)
{
	char want[64];
	snprintf(want, sizeof(want), "{\"status\":\"%s\"}", status);
	assert_string_equal(ask(&st, "ReserveNow", payload), want);
}

/* OCPP 2.0.1 TC_H_01_CS; OCPP 2.0.1 TC_H_02_CS; OCPP 2.0.1 TC_H_08_CS; OCPP 2.0.1 TC_H_15_CS */
static void test_a_reservation_is_used_by_its_token_alone(void **state)
{
	static const char *const ways[] = { RESERVE(1, "mine", AT_1), RESERVE(1, "mine", ""), RESERVE(1, "mine", ",\"connectorType\":\"cType2\"") };
	(void)state;
	for (int i = 0; i < 3; i++) {
		begin();
		reserve(ways[i], "Accepted");
		expect_status("Reserved");
		card("other");
		assert_string_equal(ask(&st, "RequestStartTransaction", REMOTE), REJECTED);
		card("mine");
		expect(&st, "Authorize", "\"mine\"", NULL);
		expect_status("Available");
		plug(&st, true, true);
		expect_status("Occupied");
		expect(&st, "TransactionEvent", "\"Started\"", "\"reservationId\":1", NULL);
		forget();
		end();
	}
}

/* OCPP 2.0.1 TC_H_03_CS; OCPP 2.0.1 TC_H_04_CS; OCPP 2.0.1 TC_H_06_CS; OCPP 2.0.1 TC_H_09_CS; OCPP 2.0.1 TC_H_10_CS; OCPP 2.0.1 TC_H_12_CS;
 * OCPP 2.0.1 TC_H_22_CS */
static void test_reservations_that_are_refused(void **state)
{
	static const char *const other[] = { RESERVE(2, "x", AT_1), RESERVE(2, "x", "") };
	(void)state;
	begin();
	for (int i = 0; i < 2; i++) {
		reserve(RESERVE(1, "mine", AT_1), "Accepted");
		reserve(other[i], "Occupied");
		ask(&st, "CancelReservation", "{\"reservationId\":1}");
		plug(&st, true, true);
		reserve(other[i], "Occupied");
		plug(&st, false, false);
		ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Inoperative\",\"evse\":{\"id\":1}}");
		reserve(other[i], "Unavailable");
		ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Operative\",\"evse\":{\"id\":1}}");
		set("ReservationCtrlr", "Enabled", "false");
		reserve(other[i], "Rejected");
		set("ReservationCtrlr", "Enabled", "true");
	}
	forget();
	end();
}

/* OCPP 2.0.1 TC_H_07_CS; OCPP 2.0.1 TC_H_17_CS; OCPP 2.0.1 TC_H_18_CS; OCPP 2.0.1 TC_H_23_CS */
static void test_reservations_end(void **state)
{
	(void)state;
	begin();
	reserve(RESERVE(1, "mine", AT_1), "Accepted");
	expect_status("Reserved");
	pass(&st, 200 * SECOND);
	expect(&st, "ReservationStatusUpdate", "\"reservationId\":1", "\"Expired\"", NULL);
	expect_status("Available");
	assert_string_equal(ask(&st, "CancelReservation", "{\"reservationId\":1}"), REJECTED);
	ask(&st, "ReserveNow", "{\"id\":1,\"expiryDateTime\":\"2026-05-28T22:00:00Z\",\"idToken\":" TOKEN("mine") AT_1 "}");
	expect_status("Reserved");
	ask(&st, "ReserveNow", "{\"id\":1,\"expiryDateTime\":\"2026-05-28T23:00:00Z\",\"idToken\":" TOKEN("hers") AT_1 "}"); /* replaces */
	card("mine");
	expect_nothing(&st);
	assert_string_equal(ask(&st, "CancelReservation", "{\"reservationId\":1}"), ACCEPTED);
	expect_status("Available");
	end();
}

/* OCPP 2.0.1 TC_H_14_CS; OCPP 2.0.1 TC_H_16_CS */
static void test_as_many_promises_as_evses(void **state)
{
	(void)state;
	stage();
	st.conf.n_evses = 2;
	stage_boot(&st);
	ask(&st, "ReserveNow", "{\"id\":1,\"expiryDateTime\":\"2026-05-28T22:00:00Z\",\"idToken\":" TOKEN("a") "}");
	expect_nothing(&st); /* one of two is still free */
	ask(&st, "ReserveNow", "{\"id\":2,\"expiryDateTime\":\"2026-05-28T22:00:00Z\",\"idToken\":" TOKEN("b") "}");
	expect(&st, "StatusNotification", "\"evseId\":1", "\"Reserved\"", NULL);
	expect(&st, "StatusNotification", "\"evseId\":2", "\"Reserved\"", NULL);
	ask(&st, "ReserveNow", "{\"id\":3,\"expiryDateTime\":\"2026-05-28T22:00:00Z\",\"idToken\":" TOKEN("c") "}");
	assert_string_equal(st.answer, "{\"status\":\"Occupied\"}");
	end();
}

/* OCPP 2.0.1 TC_H_19_CS; OCPP 2.0.1 TC_H_24_CS */
static void test_a_reservation_of_a_group(void **state)
{
	static const char *const ways[] = { RESERVE(1, "mine", AT_1 ",\"groupIdToken\":{\"idToken\":\"family\",\"type\":\"Central\"}"),
		RESERVE(1, "mine", ",\"groupIdToken\":{\"idToken\":\"family\",\"type\":\"Central\"}") };
	(void)state;
	for (int i = 0; i < 2; i++) {
		begin();
		stage_script(&st, "Authorize", "{\"idTokenInfo\":{\"status\":\"Accepted\",\"groupIdToken\":{\"idToken\":\"family\",\"type\":\"Central\"}}}");
		reserve(ways[i], "Accepted");
		expect_status("Reserved");
		card("hers");
		expect(&st, "Authorize", "\"hers\"", NULL);
		expect_status("Available");
		plug(&st, true, true);
		expect_status("Occupied");
		expect(&st, "TransactionEvent", "\"Started\"", "\"reservationId\":1", "\"hers\"", NULL);
		forget();
		end();
	}
}

/* OCPP 2.0.1 TC_H_21_CS */
static void test_a_reservation_goes_with_its_evse(void **state)
{
	(void)state;
	begin();
	reserve(RESERVE(1, "mine", AT_1), "Accepted");
	expect_status("Reserved");
	ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Inoperative\",\"evse\":{\"id\":1}}");
	expect_status("Unavailable");
	expect(&st, "ReservationStatusUpdate", "\"reservationId\":1", "\"Removed\"", NULL);
	end();
}

/* I: cost */

/* OCPP 2.0.1 TC_I_01_CS; OCPP 2.0.1 TC_I_02_CS; OCPP 2.0.1 TC_I_07_CS */
static void test_cost_is_shown(void **state)
{
	char payload[120];
	(void)state;
	begin();
	charge();
	snprintf(payload, sizeof(payload), "{\"totalCost\":1.5,\"transactionId\":\"%s\"}", tx());
	assert_string_equal(ask(&st, "CostUpdated", payload), "{}");
	assert_string_equal(host.shown, "1.50 EUR");
	set("SampledDataCtrlr", "TxUpdatedInterval", "10");
	stage_script(&st, "TransactionEvent", "{\"totalCost\":2.25,\"updatedPersonalMessage\":{\"format\":\"UTF8\",\"content\":\"Hello\"}}");
	pass(&st, 10 * SECOND);
	assert_string_equal(host.shown, "Hello\n2.25 EUR");
	stage_script(&st, "TransactionEvent", "{\"totalCost\":3}");
	card("card");
	assert_string_equal(host.shown, "3.00 EUR");
	plug(&st, false, false);
	forget();
	end();
}

/* K: smart charging */

#define SCHEDULE(amps) "\"chargingSchedule\":[{\"id\":1,\"startSchedule\":\"2026-05-28T20:00:00Z\",\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[" \
	"{\"startPeriod\":0,\"limit\":" #amps "}]}]"
#define PROFILE(number, level, purpose, more, amps) "{\"id\":" #number ",\"stackLevel\":" #level ",\"chargingProfilePurpose\":\"" purpose "\"," more \
	"\"chargingProfileKind\":\"Absolute\"," SCHEDULE(amps) "}"
#define SET(evse, profile) "{\"evseId\":" #evse ",\"chargingProfile\":" profile "}"

static void composite(const char *limit)
{
	char want[64];
	snprintf(want, sizeof(want), "[{\"startPeriod\":0,\"limit\":%s,", limit);
	ask(&st, "GetCompositeSchedule", "{\"evseId\":1,\"duration\":300,\"chargingRateUnit\":\"A\"}");
	if (!strstr(st.answer, want))
		fail_msg("%s lacks %s", st.answer, want);
}

static void set_profile(const char *payload, const char *status)
{
	char want[64];
	snprintf(want, sizeof(want), "\"status\":\"%s\"", status);
	if (!strstr(ask(&st, "SetChargingProfile", payload), want))
		fail_msg("%s: %s", payload, st.answer);
}

/* OCPP 2.0.1 TC_K_01_CS; OCPP 2.0.1 TC_K_03_CS; OCPP 2.0.1 TC_K_04_CS; OCPP 2.0.1 TC_K_05_CS; OCPP 2.0.1 TC_K_06_CS; OCPP 2.0.1 TC_K_07_CS;
 * OCPP 2.0.1 TC_K_08_CS; OCPP 2.0.1 TC_K_10_CS; OCPP 2.0.1 TC_K_24_CS; OCPP 2.0.1 TC_K_39_CS; OCPP 2.0.1 TC_K_40_CS; OCPP 2.0.1 TC_K_41_CS */
static void test_profiles_are_set_and_cleared(void **state)
{
	(void)state;
	begin();
	composite("16");
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"chargingProfileId\":1}"), "{\"status\":\"Unknown\"}");
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 12)), "Accepted");
	composite("12");
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 11)), "Accepted");
	composite("11");
	set_profile(SET(0, PROFILE(2, 1, "TxDefaultProfile", "", 9)), "Accepted");
	composite("9");
	set_profile(SET(0, PROFILE(3, 0, "ChargingStationMaxProfile", "", 7)), "Accepted");
	composite("7");
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"chargingProfileCriteria\":{\"chargingProfilePurpose\":\"ChargingStationMaxProfile\",\"stackLevel\":0}}"), ACCEPTED);
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"chargingProfileCriteria\":{\"chargingProfilePurpose\":\"TxDefaultProfile\",\"stackLevel\":5}}"), "{\"status\":\"Unknown\"}");
	composite("9");
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"chargingProfileCriteria\":{\"chargingProfilePurpose\":\"TxDefaultProfile\"}}"), ACCEPTED);
	composite("16");
	end();
}

/* OCPP 2.0.1 TC_K_02_CS; OCPP 2.0.1 TC_K_11_CS; OCPP 2.0.1 TC_K_14_CS; OCPP 2.0.1 TC_K_16_CS; OCPP 2.0.1 TC_K_47_CS */
static void test_profiles_that_are_refused(void **state)
{
	(void)state;
	begin();
	set_profile(SET(1, PROFILE(1, 0, "TxProfile", "\"transactionId\":\"x\",", 9)), "Rejected");
	set_profile(SET(0, PROFILE(1, 0, "TxProfile", "", 9)), "Rejected");
	set_profile(SET(7, PROFILE(1, 0, "TxDefaultProfile", "", 9)), "Rejected");
	charge();
	set_profile(SET(1, PROFILE(1, 0, "TxProfile", "\"transactionId\":\"x\",", 9)), "Rejected");
	assert_non_null(strstr(ask(&st, "GetCompositeSchedule", "{\"evseId\":7,\"duration\":300}"), "Rejected"));
	end();
}

#define FOR_PHASES(more) "{\"id\":1,\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Relative\"," \
	"\"chargingSchedule\":[{\"id\":1,\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":9" more "}]}]}"

static void told_of(const char *variable, const char *value)
{
	char payload[200], want[64];
	snprintf(payload, sizeof(payload), "{\"getVariableData\":[{\"component\":{\"name\":\"SmartChargingCtrlr\"},\"variable\":{\"name\":\"%s\"}}]}", variable);
	snprintf(want, sizeof(want), "\"attributeValue\":\"%s\"", value);
	if (!strstr(ask(&st, "GetVariables", payload), want))
		fail_msg("%s: %s", variable, st.answer);
}

static void test_the_wiring_is_told_where_it_is_known(void **state)
{
	static const struct {
		const char *rotation;
		int phases;
		const char *told;
	} cases[] = { { "STR", 3, "STR" }, { "SRT", 2, "SRx" }, { "TRS", 1, "Txx" }, { NULL, 3, "" } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[64];
		stage();
		st.conf.phases = cases[i].phases;
		st.conf.rotations = cases[i].rotation ? &cases[i].rotation : NULL;
		stage_boot(&st);
		snprintf(want, sizeof(want), "\"attributeValue\":\"%s\"", cases[i].told);
		ask(&st, "GetVariables", "{\"getVariableData\":[{\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},\"variable\":{\"name\":\"PhaseRotation\"}}]}");
		if (!strstr(st.answer, want))
			fail_msg("%s lacks %s", st.answer, want);
		end();
	}
}

/* OCPP 2.0.1 K01.FR.43; OCPP 2.0.1 K01.FR.48 */
static void test_profiles_for_phases_that_the_hardware_cannot_hold_to_are_refused(void **state)
{
	(void)state;
	stage();
	st.conf.knows_phases = true;
	stage_boot(&st);
	plug(&st, false, false);
	told_of("Phases3to1", "false");
	set_profile(SET(1, FOR_PHASES(",\"numberPhases\":3")), "Accepted");
	set_profile(SET(1, FOR_PHASES(",\"numberPhases\":1")), "Rejected");
	set_profile(SET(0, FOR_PHASES(",\"numberPhases\":1")), "Rejected");
	st.in.single = true; /* it has a second contactor */
	plug(&st, false, false);
	told_of("Phases3to1", "true");
	told_of("ACPhaseSwitchingSupported", "false"); /* but it is always L1 that stays */
	set_profile(SET(1, FOR_PHASES(",\"numberPhases\":1")), "Accepted");
	set_profile(SET(0, FOR_PHASES(",\"numberPhases\":2")), "Rejected");
	set_profile(SET(1, FOR_PHASES(",\"numberPhases\":1,\"phaseToUse\":1")), "Rejected");
	assert_string_equal(ask(&st, "RequestStartTransaction", "{\"evseId\":1,\"remoteStartId\":42,\"idToken\":" TOKEN("far") ",\"chargingProfile\":"
		"{\"id\":2,\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":[{\"id\":1,"
		"\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":9,\"numberPhases\":1,\"phaseToUse\":2}]}]}}"), REJECTED);
	end();
}

static void test_a_clear_change_of_the_rate_is_told(void **state)
{
	(void)state;
	begin();
	charge();
	st.at = st.n_seen;
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 12)), "Accepted");
	expect(&st, "TransactionEvent", "\"Updated\"", "\"ChargingRateChanged\"", "\"Charging\"", NULL);
	pass(&st, 40 * SECOND);
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 11)), "Accepted"); /* 8 %, and LimitChangeSignificance is 10 */
	expect_nothing(&st);
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 9)), "Accepted");
	expect(&st, "TransactionEvent", "\"ChargingRateChanged\"", NULL);
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 15)), "Accepted");
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 7)), "Accepted");
	expect_nothing(&st);
	pass(&st, 30 * SECOND);
	expect(&st, "TransactionEvent", "\"ChargingRateChanged\"", NULL);
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 0)), "Accepted");
	expect(&st, "TransactionEvent", "\"ChargingStateChanged\"", "\"SuspendedEVSE\"", NULL);
	expect_nothing(&st);
	end();
}

/* OCPP 2.0.1 TC_K_09_CS; OCPP 2.0.1 TC_K_28_CS; OCPP 2.0.1 TC_K_60_CS */
static void test_profiles_of_a_running_transaction(void **state)
{
	char payload[500];
	(void)state;
	begin();
	charge();
	st.output[0] = 0;
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 10)), "Accepted");
	expect_output(&st, "close10000 ");
	snprintf(payload, sizeof(payload), SET(1, PROFILE(2, 0, "TxProfile", "\"transactionId\":\"%s\",", 8)), tx());
	set_profile(payload, "Accepted");
	expect_output(&st, "close8000 ");
	ask(&st, "ClearChargingProfile", "{\"chargingProfileId\":2}");
	expect_output(&st, "close10000 ");
	ask(&st, "ClearChargingProfile", "{\"chargingProfileId\":1}");
	expect_output(&st, "close16000 ");
	st.at = st.n_seen; /* the changes of the rate that were told */
	end();
}

#define PROFILE_WITH(more, schedule) "{\"evseId\":1,\"chargingProfile\":{\"id\":1,\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\"," more \
	",\"chargingSchedule\":[{\"id\":1," schedule "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":9}]}]}}"

/* OCPP 2.0.1 TC_K_19_CS; OCPP 2.0.1 TC_K_21_CS; OCPP 2.0.1 TC_K_22_CS; OCPP 2.0.1 TC_K_23_CS */
static void test_profiles_and_the_clock(void **state)
{
	(void)state;
	begin(); /* at 20:26:40 */
	set_profile(PROFILE_WITH("\"chargingProfileKind\":\"Absolute\",\"validFrom\":\"2026-05-28T20:27:40Z\"", "\"startSchedule\":\"2026-05-28T20:00:00Z\","), "Accepted");
	composite("16");
	assert_non_null(strstr(st.answer, "{\"startPeriod\":60,\"limit\":9,"));
	set_profile(PROFILE_WITH("\"chargingProfileKind\":\"Absolute\",\"validTo\":\"2026-05-28T20:27:40Z\"", "\"startSchedule\":\"2026-05-28T20:00:00Z\","), "Accepted");
	composite("9");
	assert_non_null(strstr(st.answer, "{\"startPeriod\":60,\"limit\":16,"));
	set_profile(PROFILE_WITH("\"chargingProfileKind\":\"Absolute\"", "\"startSchedule\":\"2026-05-28T20:28:40Z\","), "Accepted");
	composite("16");
	assert_non_null(strstr(st.answer, "{\"startPeriod\":120,\"limit\":9,"));
	set_profile(PROFILE_WITH("\"chargingProfileKind\":\"Recurring\",\"recurrencyKind\":\"Daily\"", "\"startSchedule\":\"2026-05-20T20:26:00Z\",\"duration\":60,"), "Accepted");
	composite("9");
	assert_non_null(strstr(st.answer, "{\"startPeriod\":20,\"limit\":16,"));
	end();
}

/* OCPP 2.0.1 TC_K_13_CS */
static void test_profiles_outlive_a_restart(void **state)
{
	(void)state;
	begin();
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 12)), "Accepted");
	restart();
	forget();
	composite("12");
	ask(&st, "GetChargingProfiles", "{\"requestId\":1,\"chargingProfile\":{\"chargingProfileId\":[1]}}");
	expect(&st, "ReportChargingProfiles", "\"evseId\":1", NULL);
	end();
}

static void list(const char *more, const char *criteria, int messages)
{
	char payload[300];
	snprintf(payload, sizeof(payload), "{\"requestId\":5%s,\"chargingProfile\":{%s}}", more, criteria);
	ask(&st, "GetChargingProfiles", payload);
	if (!strstr(st.answer, messages ? "Accepted" : "NoProfiles"))
		fail_msg("%s: %s", payload, st.answer);
	for (int i = 0; i < messages; i++)
		expect(&st, "ReportChargingProfiles", "\"requestId\":5", "\"chargingLimitSource\":\"CSO\"", i + 1 < messages ? "\"tbc\":true" : "\"tbc\":false", NULL);
	expect_nothing(&st);
}

/* OCPP 2.0.1 TC_K_29_CS; OCPP 2.0.1 TC_K_30_CS; OCPP 2.0.1 TC_K_31_CS; OCPP 2.0.1 TC_K_32_CS; OCPP 2.0.1 TC_K_33_CS; OCPP 2.0.1 TC_K_34_CS;
 * OCPP 2.0.1 TC_K_35_CS; OCPP 2.0.1 TC_K_36_CS */
static void test_profiles_are_reported(void **state)
{
	(void)state;
	begin();
	list("", "", 0);
	set_profile(SET(1, PROFILE(1, 2, "TxDefaultProfile", "", 12)), "Accepted");
	set_profile(SET(0, PROFILE(2, 0, "ChargingStationMaxProfile", "", 12)), "Accepted");
	list(",\"evseId\":0", "\"chargingProfilePurpose\":\"ChargingStationMaxProfile\"", 1);
	list(",\"evseId\":1", "\"chargingProfilePurpose\":\"TxDefaultProfile\"", 1);
	list("", "\"chargingLimitSource\":[\"CSO\"]", 2);
	list("", "\"chargingProfileId\":[2]", 1);
	list(",\"evseId\":1", "\"stackLevel\":2", 1);
	list(",\"evseId\":1", "\"stackLevel\":1", 0);
	list(",\"evseId\":1", "\"chargingLimitSource\":[\"EMS\"]", 0);
	list(",\"evseId\":1", "\"chargingProfilePurpose\":\"TxDefaultProfile\",\"stackLevel\":2", 1);
	end();
}

/* OCPP 2.0.1 TC_K_37_CS */
static void test_a_profile_with_a_remote_start(void **state)
{
	(void)state;
	begin();
	plug(&st, true, true);
	expect_status("Occupied");
	assert_non_null(strstr(ask(&st, "RequestStartTransaction", "{\"evseId\":1,\"remoteStartId\":1,\"idToken\":" TOKEN("far") ",\"chargingProfile\":"
	                                                           PROFILE(1, 0, "TxProfile", "", 8) "}"),
	                       "Accepted"));
	expect_output(&st, "close8000 ");
	forget();
	end();
}

/* L: firmware */

#define UPDATE(more) "{\"requestId\":9,\"retries\":0,\"firmware\":{\"location\":\"http://x/f.bin\",\"signingCertificate\":\"PEM\",\"signature\":\"c2ln\"" more "}}"
#define NOW ",\"retrieveDateTime\":\"2020-01-01T00:00:00Z\""

static void update(const char *payload, const char *status)
{
	char want[64];
	snprintf(want, sizeof(want), "\"status\":\"%s\"", status);
	if (!strstr(ask(&st, "UpdateFirmware", payload), want))
		fail_msg("%s", st.answer);
}

static void firmware_ends(int err)
{
	station_firmware_done(st.s, err);
	loop_run_later();
}

static void expect_firmware(const char *status)
{
	char fragment[64];
	snprintf(fragment, sizeof(fragment), "\"status\":\"%s\"", status);
	expect(&st, "FirmwareStatusNotification", fragment, "\"requestId\":9", NULL);
}

/* OCPP 2.0.1 TC_L_01_CS */
static void test_an_update(void **state)
{
	(void)state;
	stage();
	st.conf.security_events = true;
	stage_boot(&st);
	update(UPDATE(NOW), "Accepted");
	expect_firmware("Downloading");
	firmware_ends(0);
	expect_firmware("Downloaded");
	firmware_ends(0);
	expect_firmware("SignatureVerified");
	expect_firmware("Installing");
	stage_drop(&st);
	station_close(st.s);
	st.conf.firmware = "2.0";
	stage_make(&st);
	stage_connect(&st);
	expect(&st, "BootNotification", "\"reason\":\"FirmwareUpdate\"", "\"2.0\"", NULL);
	expect_status("Available");
	expect_firmware("Installed");
	expect(&st, "SecurityEventNotification", "FirmwareUpdated", NULL);
	forget();
	end();
}

/* OCPP 2.0.1 TC_L_02_CS; OCPP 2.0.1 TC_L_03_CS */
static void test_an_update_by_the_clock(void **state)
{
	(void)state;
	begin();
	update(UPDATE(",\"retrieveDateTime\":\"2026-05-28T20:27:00Z\",\"installDateTime\":\"2026-05-28T20:28:00Z\""), "Accepted");
	expect_firmware("DownloadScheduled");
	pass(&st, 20 * SECOND);
	expect_firmware("Downloading");
	firmware_ends(0);
	expect_firmware("Downloaded");
	firmware_ends(0);
	expect_firmware("SignatureVerified");
	expect_firmware("InstallScheduled");
	pass(&st, 60 * SECOND);
	expect_firmware("Installing");
	end();
}

/* OCPP 2.0.1 TC_L_05_CS; OCPP 2.0.1 TC_L_06_CS; OCPP 2.0.1 TC_L_07_CS; OCPP 2.0.1 TC_L_08_CS */
static void test_updates_that_fail(void **state)
{
	(void)state;
	begin();
	host.signer = SIGNER_INVALID;
	update(UPDATE(NOW), "InvalidCertificate");
	host.signer = SIGNER_GOOD;
	update(UPDATE(NOW), "Accepted");
	expect_firmware("Downloading");
	firmware_ends(ERR_CLOSED);
	expect_firmware("DownloadFailed");
	update(UPDATE(NOW), "Accepted");
	firmware_ends(0);
	firmware_ends(ERR_INVALID);
	expect_firmware("Downloading");
	expect_firmware("Downloaded");
	expect_firmware("InvalidSignature");
	update(UPDATE(NOW), "Accepted");
	firmware_ends(0);
	firmware_ends(0);
	firmware_ends(ERR_REFUSED);
	forget();
	st.at--;
	expect_firmware("InstallationFailed");
	assert_string_equal(host.security, "StartupOfTheDevice; InvalidFirmwareSigningCertificate; InvalidFirmwareSignature; ");
	end();
}

/* OCPP 2.0.1 TC_L_10_CS; OCPP 2.0.1 TC_L_11_CS */
static void test_an_update_instead_of_another(void **state)
{
	(void)state;
	begin();
	update(UPDATE(NOW), "Accepted");
	update(UPDATE(NOW), "AcceptedCanceled");
	firmware_ends(0);
	update(UPDATE(NOW), "Rejected"); /* it is being verified */
	forget();
	end();
}

/* OCPP 2.0.1 TC_L_13_CS; OCPP 2.0.1 TC_L_15_CS; OCPP 2.0.1 TC_L_16_CS */
static void test_an_update_waits_for_transactions(void **state)
{
	(void)state;
	stage();
	st.conf.n_evses = 2;
	stage_boot(&st);
	charge();
	update(UPDATE(NOW), "Accepted");
	firmware_ends(0);
	firmware_ends(0);
	expect_firmware("Downloading");
	expect_firmware("Downloaded");
	expect_firmware("SignatureVerified");
	expect_firmware("InstallScheduled");
	expect(&st, "StatusNotification", "\"evseId\":2", "\"Unavailable\"", NULL);
	card("card");
	pass(&st, SECOND);
	expect_end("StopAuthorized", "Local");
	expect_firmware("Installing");
	end();
}

/* OCPP 2.0.1 TC_L_12_CS; OCPP 2.0.1 TC_L_14_CS */
static void test_an_update_lets_others_begin(void **state)
{
	(void)state;
	stage();
	st.conf.n_evses = 2;
	stage_boot(&st);
	set("ChargingStation", "AllowNewSessionsPendingFirmwareUpdate", "true");
	charge();
	update(UPDATE(NOW), "Accepted");
	firmware_ends(0);
	firmware_ends(0);
	expect_firmware("Downloading");
	expect_firmware("Downloaded");
	expect_firmware("SignatureVerified");
	expect_firmware("InstallScheduled");
	end();
}

/* OCPP 2.0.1 TC_L_18_CS */
static void test_an_update_without_a_signature(void **state)
{
	(void)state;
	begin();
	update("{\"requestId\":9,\"firmware\":{\"location\":\"http://x/f.bin\"" NOW "}}", "Accepted");
	expect_firmware("Downloading");
	firmware_ends(0);
	expect_firmware("Downloaded");
	expect_firmware("Installing");
	end();
}

/* A and M: keys and certificates */

#define INSTALL(type) "{\"certificateType\":\"" type "\",\"certificate\":\"PEM\"}"

/* OCPP 2.0.1 TC_M_01_CS; OCPP 2.0.1 TC_M_02_CS; OCPP 2.0.1 TC_M_03_CS; OCPP 2.0.1 TC_M_04_CS; OCPP 2.0.1 TC_M_07_CS; OCPP 2.0.1 TC_M_12_CS;
 * OCPP 2.0.1 TC_M_13_CS; OCPP 2.0.1 TC_M_14_CS; OCPP 2.0.1 TC_M_16_CS; OCPP 2.0.1 TC_M_17_CS; OCPP 2.0.1 TC_M_18_CS; OCPP 2.0.1 TC_M_19_CS */
static void test_root_certificates(void **state)
{
	static const char *const types[] = { "CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate", "MORootCertificate" };
	(void)state;
	begin();
	assert_string_equal(ask(&st, "GetInstalledCertificateIds", "{}"), "{\"status\":\"NotFound\"}");
	for (int i = 0; i < 4; i++) {
		char payload[128];
		snprintf(payload, sizeof(payload), INSTALL("%s"), types[i]);
		assert_string_equal(ask(&st, "InstallCertificate", payload), ACCEPTED);
		snprintf(payload, sizeof(payload), "{\"certificateType\":[\"%s\"]}", types[i]);
		assert_non_null(strstr(ask(&st, "GetInstalledCertificateIds", payload), types[i]));
		assert_non_null(strstr(st.answer, "\"certificateHashData\":{\"hashAlgorithm\":\"SHA256\""));
	}
	ask(&st, "GetInstalledCertificateIds", "{\"certificateType\":[\"CSMSRootCertificate\",\"ManufacturerRootCertificate\"]}");
	assert_non_null(strstr(st.answer, types[0]));
	assert_non_null(strstr(st.answer, types[1]));
	assert_null(strstr(st.answer, types[2]));
	ask(&st, "GetInstalledCertificateIds", "{}");
	for (int i = 0; i < 4; i++)
		assert_non_null(strstr(st.answer, types[i]));
	host.certificate_err = ERR_INVALID;
	assert_string_equal(ask(&st, "InstallCertificate", INSTALL("CSMSRootCertificate")), REJECTED);
	end();
}

#define HASHES(name) "{\"certificateHashData\":{\"hashAlgorithm\":\"SHA256\",\"issuerNameHash\":\"" name "\",\"issuerKeyHash\":\"bb\",\"serialNumber\":\"1\"}}"

/* OCPP 2.0.1 TC_M_20_CS; OCPP 2.0.1 TC_M_22_CS; OCPP 2.0.1 TC_M_23_CS */
static void test_certificates_are_deleted(void **state)
{
	(void)state;
	begin();
	ask(&st, "InstallCertificate", INSTALL("CSMSRootCertificate"));
	assert_string_equal(ask(&st, "DeleteCertificate", HASHES("aa77")), "{\"status\":\"NotFound\"}");
	assert_string_equal(ask(&st, "DeleteCertificate", HASHES("aa00")), ACCEPTED);
	ask(&st, "InstallCertificate", INSTALL("CSMSRootCertificate"));
	free((char *)host.ids[0].type);
	host.ids[0].type = strdup("ChargingStationCertificate");
	assert_string_equal(ask(&st, "DeleteCertificate", HASHES("aa00")), "{\"status\":\"Failed\"}");
	end();
}

/* OCPP 2.0.1 TC_A_09_CS; OCPP 2.0.1 TC_A_10_CS */
static void test_a_new_password(void **state)
{
	(void)state;
	begin();
	set("SecurityCtrlr", "BasicAuthPassword", "0123456789abcdef");
	assert_string_equal(host.did, "password 0123456789abcdef; ");
	assert_string_equal(set_variable("SecurityCtrlr", "BasicAuthPassword", "short"), "Rejected");
	assert_non_null(strstr(ask(&st, "GetVariables", "{\"getVariableData\":[{\"component\":{\"name\":\"SecurityCtrlr\"},\"variable\":{\"name\":"
	                                                "\"BasicAuthPassword\"}}]}"),
	                       "\"attributeStatus\":\"Rejected\""));
	end();
}

/* OCPP 2.0.1 TC_A_11_CS; OCPP 2.0.1 TC_A_14_CS; OCPP 2.0.1 TC_A_15_CS */
static void test_a_new_certificate(void **state)
{
	(void)state;
	stage();
	st.conf.security_events = true;
	stage_boot(&st);
	stage_script(&st, "SignCertificate", ACCEPTED);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"SignChargingStationCertificate\"}"), ACCEPTED);
	expect(&st, "SignCertificate", "\"certificateType\":\"ChargingStationCertificate\"", NULL);
	assert_string_equal(ask(&st, "CertificateSigned", "{\"certificateChain\":\"PEM\",\"certificateType\":\"ChargingStationCertificate\"}"), ACCEPTED);
	host.certificate_err = ERR_INVALID;
	assert_string_equal(ask(&st, "CertificateSigned", "{\"certificateChain\":\"PEM\"}"), REJECTED);
	expect(&st, "SecurityEventNotification", "InvalidChargingStationCertificate", NULL);
	stage_script(&st, "SignCertificate", REJECTED);
	ask(&st, "TriggerMessage", "{\"requestedMessage\":\"SignChargingStationCertificate\"}");
	expect(&st, "SignCertificate", NULL);
	pass(&st, 3600 * SECOND);
	end();
}

/* OCPP 2.0.1 TC_A_23_CS */
static void test_a_certificate_that_does_not_come(void **state)
{
	(void)state;
	begin();
	set("SecurityCtrlr", "CertSigningWaitMinimum", "30");
	set("SecurityCtrlr", "CertSigningRepeatTimes", "2");
	stage_script(&st, "SignCertificate", ACCEPTED);
	ask(&st, "TriggerMessage", "{\"requestedMessage\":\"SignChargingStationCertificate\"}");
	expect(&st, "SignCertificate", NULL);
	pass(&st, 30 * SECOND);
	expect(&st, "SignCertificate", NULL);
	pass(&st, 59 * SECOND);
	expect_nothing(&st);
	pass(&st, SECOND);
	expect(&st, "SignCertificate", NULL);
	pass(&st, 3600 * SECOND);
	end();
}

/* N: monitors, logs, customers */

#define MONITOR(more, component, variable, type, value, severity) "{" more "\"value\":" #value ",\"type\":\"" type "\",\"severity\":" #severity \
	",\"component\":{\"name\":\"" component "\"},\"variable\":{\"name\":\"" variable "\"}}"
#define AT_EVSE(type, value, severity) "{\"value\":" #value ",\"type\":\"" type "\",\"severity\":" #severity \
	",\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},\"variable\":{\"name\":\"Power\"}}"
#define MONITORS(list) "{\"setMonitoringData\":[" list "]}"

static void monitor(const char *payload, const char *statuses)
{
	char got[200] = "";
	ask(&st, "SetVariableMonitoring", payload);
	for (const char *at = st.answer; (at = strstr(at, "\"status\":\"")); at++) {
		size_t n = strlen(got);
		snprintf(got + n, sizeof(got) - n, "%.*s ", (int)strcspn(at + 10, "\""), at + 10);
	}
	assert_string_equal(got, statuses);
}

/* OCPP 2.0.1 TC_N_08_CS; OCPP 2.0.1 TC_N_09_CS; OCPP 2.0.1 TC_N_10_CS; OCPP 2.0.1 TC_N_11_CS; OCPP 2.0.1 TC_N_12_CS; OCPP 2.0.1 TC_N_13_CS;
 * OCPP 2.0.1 TC_N_15_CS; OCPP 2.0.1 TC_N_37_CS; OCPP 2.0.1 TC_N_38_CS; OCPP 2.0.1 TC_N_39_CS; OCPP 2.0.1 TC_N_40_CS; OCPP 2.0.1 TC_N_43_CS */
static void test_monitors_are_set(void **state)
{
	(void)state;
	begin();
	monitor(MONITORS(AT_EVSE("UpperThreshold", 5000, 5)), "Accepted ");
	assert_non_null(strstr(st.answer, "\"id\":3,")); /* behind the two that each EVSE has */
	monitor(MONITORS(AT_EVSE("UpperThreshold", 6000, 5) "," AT_EVSE("LowerThreshold", 100, 5) "," AT_EVSE("UpperThreshold", 6000, 4)), "Duplicate Accepted Accepted ");
	monitor(MONITORS(MONITOR("", "Nobody", "Power", "Delta", 1, 5)), "UnknownComponent ");
	monitor(MONITORS(MONITOR("", "TxCtrlr", "Power", "Delta", 1, 5)), "UnknownVariable ");
	monitor(MONITORS(MONITOR("", "AuthCtrlr", "LocalPreAuthorize", "UpperThreshold", 1, 5)), "UnsupportedMonitorType ");
	monitor(MONITORS(MONITOR("", "OCPPCommCtrlr", "HeartbeatInterval", "Delta", -1, 5)), "Rejected ");
	monitor(MONITORS(AT_EVSE("UpperThreshold", 2, 8) "," AT_EVSE("UpperThreshold", 99999, 7) "," AT_EVSE("LowerThreshold", 2, 7)), "Accepted Rejected Accepted ");
	monitor(MONITORS("{\"id\":3,\"value\":7000,\"type\":\"UpperThreshold\",\"severity\":5,\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},"
	                 "\"variable\":{\"name\":\"Power\"}}"),
	        "Accepted ");
	monitor(MONITORS("{\"id\":1,\"value\":7000,\"type\":\"UpperThreshold\",\"severity\":5,\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},"
	                 "\"variable\":{\"name\":\"Power\"}}"),
	        "Rejected ");
	forget();
	end();
}

static void report(const char *more, const char *status, int messages)
{
	char payload[300], want[64];
	snprintf(payload, sizeof(payload), "{\"requestId\":6%s}", more);
	snprintf(want, sizeof(want), "{\"status\":\"%s\"}", status);
	assert_string_equal(ask(&st, "GetMonitoringReport", payload), want);
	for (int i = 0; i < messages; i++)
		expect(&st, "NotifyMonitoringReport", "\"requestId\":6", NULL);
	expect_nothing(&st);
}

/* OCPP 2.0.1 TC_N_01_CS; OCPP 2.0.1 TC_N_02_CS; OCPP 2.0.1 TC_N_03_CS; OCPP 2.0.1 TC_N_47_CS */
static void test_monitors_are_reported(void **state)
{
	(void)state;
	begin();
	monitor(MONITORS(AT_EVSE("LowerThreshold", 1, 5)), "Accepted ");
	forget();
	report("", "Accepted", 1);
	assert_non_null(strstr(last_payload(&st), "\"LowerThreshold\""));
	assert_non_null(strstr(last_payload(&st), "\"Delta\""));
	report(",\"monitoringCriteria\":[\"ThresholdMonitoring\"]", "Accepted", 1);
	assert_null(strstr(last_payload(&st), "\"Delta\""));
	report(",\"componentVariable\":[{\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},\"variable\":{\"name\":\"Power\"}}]", "Accepted", 1);
	report(",\"monitoringCriteria\":[\"PeriodicMonitoring\"],\"componentVariable\":[{\"component\":{\"name\":\"EVSE\"}}]", "EmptyResultSet", 0);
	end();
}

/* OCPP 2.0.1 TC_N_05_CS; OCPP 2.0.1 TC_N_06_CS; OCPP 2.0.1 TC_N_16_CS; OCPP 2.0.1 TC_N_18_CS; OCPP 2.0.1 TC_N_19_CS; OCPP 2.0.1 TC_N_44_CS;
 * OCPP 2.0.1 TC_N_52_CS */
static void test_monitors_are_cleared(void **state)
{
	(void)state;
	begin();
	monitor(MONITORS(AT_EVSE("LowerThreshold", 1, 5) "," AT_EVSE("UpperThreshold", 9000, 5)), "Accepted Accepted ");
	forget();
	assert_string_equal(ask(&st, "ClearVariableMonitoring", "{\"id\":[3,77,1]}"),
	                    "{\"clearMonitoringResult\":[{\"status\":\"Accepted\",\"id\":3},{\"status\":\"NotFound\",\"id\":77},{\"status\":\"Rejected\",\"id\":1}]}");
	assert_string_equal(ask(&st, "SetMonitoringBase", "{\"monitoringBase\":\"FactoryDefault\"}"), ACCEPTED);
	report(",\"monitoringCriteria\":[\"ThresholdMonitoring\"]", "EmptyResultSet", 0);
	assert_string_equal(ask(&st, "SetMonitoringLevel", "{\"severity\":4}"), ACCEPTED);
	end();
}

/* OCPP 2.0.1 TC_N_17_CS */
static void test_a_level_that_is_none(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "SetMonitoringLevel", "{\"severity\":10}"), REJECTED);
	end();
}

/* OCPP 2.0.1 TC_N_20_CS; OCPP 2.0.1 TC_N_51_CS; OCPP 2.0.1 TC_N_61_CS */
static void test_a_threshold(void **state)
{
	(void)state;
	begin();
	st.in.i_a[0] = st.in.i_a[1] = st.in.i_a[2] = 1;
	meter(&st, 1000);
	monitor(MONITORS(AT_EVSE("UpperThreshold", 5000, 5)), "Accepted ");
	expect_nothing(&st);
	st.in.i_a[0] = st.in.i_a[1] = st.in.i_a[2] = 10;
	meter(&st, 1000);
	expect(&st, "NotifyEvent", "\"trigger\":\"Alerting\"", "\"actualValue\":\"6900.0\"", "\"variableMonitoringId\":3", "CustomMonitor", NULL);
	meter(&st, 1000);
	expect_nothing(&st);
	monitor(MONITORS("{\"id\":3,\"value\":6000,\"type\":\"UpperThreshold\",\"severity\":5,\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},"
	                 "\"variable\":{\"name\":\"Power\"}}"),
	        "Accepted ");
	expect(&st, "NotifyEvent", "\"Alerting\"", NULL); /* changed, and still beyond */
	st.in.i_a[0] = st.in.i_a[1] = st.in.i_a[2] = 1;
	meter(&st, 1000);
	expect(&st, "NotifyEvent", "\"cleared\":true", NULL);
	end();
}

/* OCPP 2.0.1 TC_N_45_CS; OCPP 2.0.1 TC_N_56_CS; OCPP 2.0.1 TC_N_21_CS */
static void test_changes(void **state)
{
	(void)state;
	begin();
	meter(&st, 1000);
	monitor(MONITORS(AT_EVSE("Delta", 1000, 5) ",{\"value\":1,\"type\":\"Delta\",\"severity\":5,\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},"
	                 "\"variable\":{\"name\":\"AvailabilityState\"}}"),
	        "Accepted Accepted ");
	st.in.i_a[0] = 12;
	meter(&st, 1000);
	expect_nothing(&st);
	st.in.i_a[0] = 16;
	meter(&st, 1000);
	expect(&st, "NotifyEvent", "\"Delta\"", "\"Power\"", NULL);
	plug(&st, true, true);
	expect_status("Occupied");
	expect(&st, "NotifyEvent", "\"Delta\"", "\"AvailabilityState\"", "\"actualValue\":\"Occupied\"", NULL);
	st.in.fault = "GroundFailure";
	plug(&st, true, true);
	expect_status("Faulted");
	expect(&st, "NotifyEvent", "\"Problem\"", "\"actualValue\":\"true\"", "HardWiredMonitor", NULL);
	forget();
	end();
}

/* OCPP 2.0.1 TC_N_24_CS */
static void test_events_by_the_clock(void **state)
{
	(void)state;
	begin();
	monitor(MONITORS(AT_EVSE("Periodic", 60, 8)), "Accepted ");
	pass(&st, 60 * SECOND);
	expect(&st, "NotifyEvent", "\"Periodic\"", NULL);
	pass(&st, 60 * SECOND);
	expect(&st, "NotifyEvent", "\"Periodic\"", NULL);
	ask(&st, "SetMonitoringLevel", "{\"severity\":7}");
	pass(&st, 60 * SECOND);
	end();
}

/* OCPP 2.0.1 TC_N_22_CS; OCPP 2.0.1 TC_N_23_CS */
static void test_events_without_a_link(void **state)
{
	(void)state;
	begin();
	set("MonitoringCtrlr", "OfflineQueuingSeverity", "5");
	monitor(MONITORS(AT_EVSE("Delta", 1000, 5)), "Accepted ");
	ask(&st, "SetVariableMonitoring", MONITORS("{\"value\":1,\"type\":\"Delta\",\"severity\":6,\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":1}},"
	                                           "\"variable\":{\"name\":\"ACCurrent\"}}"));
	stage_drop(&st);
	st.in.i_a[0] = 16;
	meter(&st, 1000);
	stage_connect(&st);
	expect(&st, "NotifyEvent", "\"Power\"", NULL);
	end();
}

/* OCPP 2.0.1 TC_N_53_CS */
static void test_monitors_outlive_a_restart(void **state)
{
	(void)state;
	begin();
	monitor(MONITORS(AT_EVSE("UpperThreshold", 5000, 5)), "Accepted ");
	restart();
	forget();
	st.in.i_a[0] = st.in.i_a[1] = st.in.i_a[2] = 10;
	meter(&st, 1000);
	expect(&st, "NotifyEvent", "\"Alerting\"", "\"variableMonitoringId\":3", NULL);
	end();
}

#define LOG(id, type) "{\"logType\":\"" type "\",\"requestId\":" #id ",\"log\":{\"remoteLocation\":\"http://x/\"}}"

static void expect_log(const char *status, const char *id)
{
	char a[64], b[32];
	snprintf(a, sizeof(a), "\"status\":\"%s\"", status);
	snprintf(b, sizeof(b), "\"requestId\":%s", id);
	expect(&st, "LogStatusNotification", a, b, NULL);
}

/* OCPP 2.0.1 TC_N_25_CS; OCPP 2.0.1 TC_N_26_CS; OCPP 2.0.1 TC_N_34_CS; OCPP 2.0.1 TC_N_35_CS; OCPP 2.0.1 TC_N_36_CS */
static void test_logs(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "GetLog", LOG(1, "DiagnosticsLog")), "{\"status\":\"Accepted\",\"filename\":\"T-01.log\"}");
	expect_log("Uploading", "1");
	station_log_sent(st.s, SEND_DONE);
	loop_run_later();
	expect_log("Uploaded", "1");
	ask(&st, "GetLog", LOG(2, "SecurityLog"));
	expect_log("Uploading", "2");
	assert_non_null(strstr(ask(&st, "GetLog", LOG(3, "DiagnosticsLog")), "AcceptedCanceled"));
	expect_log("AcceptedCanceled", "2");
	expect_log("Uploading", "3");
	station_log_sent(st.s, SEND_FAILED);
	loop_run_later();
	expect_log("UploadFailure", "3");
	host.log_err = ERR_NOT_FOUND;
	assert_string_equal(ask(&st, "GetLog", LOG(4, "DiagnosticsLog")), "{\"status\":\"Rejected\"}");
	end();
}

#define CUSTOMER(report, clear, who) "{\"requestId\":8,\"report\":" #report ",\"clear\":" #clear who "}"

/* OCPP 2.0.1 TC_N_27_CS; OCPP 2.0.1 TC_N_28_CS; OCPP 2.0.1 TC_N_29_CS; OCPP 2.0.1 TC_N_30_CS; OCPP 2.0.1 TC_N_31_CS; OCPP 2.0.1 TC_N_32_CS;
 * OCPP 2.0.1 TC_N_33_CS; OCPP 2.0.1 TC_N_62_CS; OCPP 2.0.1 TC_N_63_CS */
static void test_customers(void **state)
{
	(void)state;
	begin();
	charge();
	card("card");
	forget();
	assert_string_equal(ask(&st, "CustomerInformation", CUSTOMER(true, false, ",\"idToken\":" TOKEN("card"))), ACCEPTED);
	expect(&st, "NotifyCustomerInformation", "\"requestId\":8", "in the cache", NULL);
	assert_string_equal(ask(&st, "CustomerInformation", CUSTOMER(true, true, ",\"idToken\":" TOKEN("card"))), ACCEPTED);
	expect(&st, "NotifyCustomerInformation", "in the cache", NULL);
	assert_string_equal(ask(&st, "CustomerInformation", CUSTOMER(true, true, ",\"idToken\":" TOKEN("card"))), ACCEPTED);
	expect(&st, "NotifyCustomerInformation", "\"data\":\"\"", NULL);
	assert_string_equal(ask(&st, "CustomerInformation", CUSTOMER(false, true, ",\"customerIdentifier\":\"x\"")), ACCEPTED);
	expect(&st, "NotifyCustomerInformation", "\"data\":\"\"", NULL);
	assert_string_equal(ask(&st, "CustomerInformation", CUSTOMER(false, false, ",\"customerIdentifier\":\"x\"")), REJECTED);
	assert_string_equal(ask(&st, "CustomerInformation", CUSTOMER(true, true, "")), "{\"status\":\"Invalid\"}");
	assert_string_equal(ask(&st, "CustomerInformation", CUSTOMER(true, true, ",\"customerCertificate\":{\"hashAlgorithm\":\"SHA256\",\"issuerNameHash\":\"a\","
	                                                                         "\"issuerKeyHash\":\"b\",\"serialNumber\":\"1\"}")),
	                    ACCEPTED);
	expect(&st, "NotifyCustomerInformation", "\"data\":\"\"", NULL);
	end();
}

/* O: display messages */

#define MESSAGE(number, priority, more, text) "{\"message\":{\"id\":" #number ",\"priority\":\"" priority "\"" more ",\"message\":{\"format\":\"UTF8\",\"content\":\"" text \
	"\"}}}"

static void message(const char *payload, const char *status)
{
	char want[64];
	snprintf(want, sizeof(want), "{\"status\":\"%s\"}", status);
	assert_string_equal(ask(&st, "SetDisplayMessage", payload), want);
}

/* OCPP 2.0.1 TC_O_01_CS; OCPP 2.0.1 TC_O_04_CS; OCPP 2.0.1 TC_O_05_CS; OCPP 2.0.1 TC_O_12_CS; OCPP 2.0.1 TC_O_20_CS; OCPP 2.0.1 TC_O_22_CS;
 * OCPP 2.0.1 TC_O_24_CS */
static void test_messages_are_shown(void **state)
{
	(void)state;
	begin();
	message(MESSAGE(1, "NormalCycle", "", "one"), "Accepted");
	assert_string_equal(host.shown, "one");
	message(MESSAGE(1, "NormalCycle", "", "uno"), "Accepted");
	assert_string_equal(host.shown, "uno");
	message(MESSAGE(2, "InFront", "", "two"), "Accepted");
	message(MESSAGE(3, "InFront", "", "three"), "Accepted");
	assert_string_equal(host.shown, "two");
	pass(&st, 10 * SECOND);
	assert_string_equal(host.shown, "three");
	message(MESSAGE(4, "AlwaysFront", "", "four"), "Accepted");
	message(MESSAGE(5, "AlwaysFront", "", "five"), "Accepted");
	assert_string_equal(host.shown, "five");
	assert_string_equal(ask(&st, "ClearDisplayMessage", "{\"id\":4}"), "{\"status\":\"Unknown\"}");
	restart();
	forget();
	assert_string_equal(ask(&st, "ClearDisplayMessage", "{\"id\":5}"), ACCEPTED);
	assert_true(strcmp(host.shown, "two") == 0 || strcmp(host.shown, "three") == 0);
	end();
}

static void get_messages(const char *more, int found)
{
	char payload[100];
	snprintf(payload, sizeof(payload), "{\"requestId\":7%s}", more);
	assert_string_equal(ask(&st, "GetDisplayMessages", payload), found ? ACCEPTED : "{\"status\":\"Unknown\"}");
	if (found)
		expect(&st, "NotifyDisplayMessages", "\"requestId\":7", "\"messageInfo\":[{\"id\":1", NULL);
	expect_nothing(&st);
}

/* OCPP 2.0.1 TC_O_02_CS; OCPP 2.0.1 TC_O_03_CS; OCPP 2.0.1 TC_O_07_CS; OCPP 2.0.1 TC_O_08_CS; OCPP 2.0.1 TC_O_09_CS; OCPP 2.0.1 TC_O_11_CS;
 * OCPP 2.0.1 TC_O_33_CS; OCPP 2.0.1 TC_O_34_CS; OCPP 2.0.1 TC_O_35_CS */
static void test_messages_are_reported(void **state)
{
	(void)state;
	begin();
	get_messages("", 0);
	get_messages(",\"id\":[1]", 0);
	message(MESSAGE(1, "InFront", ",\"state\":\"Charging\"", "one"), "Accepted");
	get_messages("", 1);
	get_messages(",\"id\":[1]", 1);
	get_messages(",\"id\":[2]", 0);
	get_messages(",\"priority\":\"InFront\"", 1);
	get_messages(",\"state\":\"Charging\"", 1);
	get_messages(",\"id\":[1],\"state\":\"Idle\"", 0);
	get_messages(",\"id\":[1],\"priority\":\"NormalCycle\"", 0);
	end();
}

/* OCPP 2.0.1 TC_O_06_CS; OCPP 2.0.1 TC_O_10_CS; OCPP 2.0.1 TC_O_30_CS; OCPP 2.0.1 TC_O_32_CS */
static void test_messages_of_a_transaction(void **state)
{
	char payload[300];
	(void)state;
	begin();
	message(MESSAGE(1, "InFront", ",\"transactionId\":\"x\"", "one"), "UnknownTransaction");
	charge();
	snprintf(payload, sizeof(payload), MESSAGE(1, "InFront", ",\"transactionId\":\"%s\"", "one"), tx());
	message(payload, "Accepted");
	assert_string_equal(host.shown, "one");
	card("card");
	forget();
	assert_string_equal(host.shown, "");
	get_messages("", 0);
	end();
}

/* OCPP 2.0.1 TC_O_13_CS; OCPP 2.0.1 TC_O_14_CS; OCPP 2.0.1 TC_O_27_CS; OCPP 2.0.1 TC_O_28_CS */
static void test_messages_by_the_clock(void **state)
{
	(void)state;
	begin();
	message(MESSAGE(1, "InFront", ",\"startDateTime\":\"2026-05-28T20:27:00Z\",\"endDateTime\":\"2026-05-28T20:28:00Z\"", "one"), "Accepted");
	assert_string_equal(host.shown, "");
	pass(&st, 20 * SECOND);
	assert_string_equal(host.shown, "one");
	pass(&st, 60 * SECOND);
	assert_string_equal(host.shown, "");
	get_messages("", 0);
	end();
}

/* OCPP 2.0.1 TC_O_19_CS; OCPP 2.0.1 TC_O_36_CS; OCPP 2.0.1 TC_O_37_CS; OCPP 2.0.1 TC_O_38_CS; OCPP 2.0.1 TC_O_39_CS */
static void test_messages_by_state(void **state)
{
	(void)state;
	begin();
	message("{\"message\":{\"id\":1,\"priority\":\"InFront\",\"message\":{\"format\":\"HTML\",\"content\":\"x\"}}}", "NotSupportedMessageFormat");
	message(MESSAGE(1, "InFront", ",\"state\":\"Idle\"", "idle"), "Accepted");
	message(MESSAGE(2, "InFront", ",\"state\":\"Charging\"", "charging"), "Accepted");
	message(MESSAGE(3, "InFront", ",\"state\":\"Unavailable\"", "away"), "Accepted");
	message(MESSAGE(4, "InFront", ",\"state\":\"Faulted\"", "broken"), "Accepted");
	assert_string_equal(host.shown, "idle");
	charge();
	assert_string_equal(host.shown, "charging");
	card("card");
	ask(&st, "ChangeAvailability", "{\"operationalStatus\":\"Inoperative\"}");
	assert_string_equal(host.shown, "away");
	st.in.fault = "GroundFailure";
	plug(&st, true, true);
	assert_string_equal(host.shown, "broken");
	forget();
	end();
}

/* OCPP 2.0.1 TC_P_01_CS; OCPP 2.0.1 TC_P_03_CS; OCPP 2.0.1 TC_P_04_CS */
static void test_data_of_vendors(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "DataTransfer", "{\"vendorId\":\"x\",\"messageId\":\"y\",\"data\":{\"a\":1}}"), "{\"status\":\"UnknownVendorId\"}");
	assert_non_null(strstr(ask(&st, "GetVariables", "{\"customData\":{\"vendorId\":\"x\",\"a\":[1]},\"getVariableData\":[{\"component\":{\"name\":\"TxCtrlr\"},"
	                                                "\"variable\":{\"name\":\"TxStartPoint\"}}]}"),
	                       "Accepted"));
	set_profile(SET(1, PROFILE(1, 0, "TxDefaultProfile", "\"customData\":{\"vendorId\":\"x\"},", 12)), "Accepted");
	end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_local_list),
		cmocka_unit_test(test_a_reservation_is_used_by_its_token_alone),
		cmocka_unit_test(test_reservations_that_are_refused),
		cmocka_unit_test(test_reservations_end),
		cmocka_unit_test(test_as_many_promises_as_evses),
		cmocka_unit_test(test_a_reservation_of_a_group),
		cmocka_unit_test(test_a_reservation_goes_with_its_evse),
		cmocka_unit_test(test_cost_is_shown),
		cmocka_unit_test(test_profiles_are_set_and_cleared),
		cmocka_unit_test(test_profiles_that_are_refused),
		cmocka_unit_test(test_the_wiring_is_told_where_it_is_known),
		cmocka_unit_test(test_profiles_for_phases_that_the_hardware_cannot_hold_to_are_refused),
		cmocka_unit_test(test_a_clear_change_of_the_rate_is_told),
		cmocka_unit_test(test_profiles_of_a_running_transaction),
		cmocka_unit_test(test_profiles_and_the_clock),
		cmocka_unit_test(test_profiles_outlive_a_restart),
		cmocka_unit_test(test_profiles_are_reported),
		cmocka_unit_test(test_a_profile_with_a_remote_start),
		cmocka_unit_test(test_an_update),
		cmocka_unit_test(test_an_update_by_the_clock),
		cmocka_unit_test(test_updates_that_fail),
		cmocka_unit_test(test_an_update_instead_of_another),
		cmocka_unit_test(test_an_update_waits_for_transactions),
		cmocka_unit_test(test_an_update_lets_others_begin),
		cmocka_unit_test(test_an_update_without_a_signature),
		cmocka_unit_test(test_root_certificates),
		cmocka_unit_test(test_certificates_are_deleted),
		cmocka_unit_test(test_a_new_password),
		cmocka_unit_test(test_a_new_certificate),
		cmocka_unit_test(test_a_certificate_that_does_not_come),
		cmocka_unit_test(test_monitors_are_set),
		cmocka_unit_test(test_monitors_are_reported),
		cmocka_unit_test(test_monitors_are_cleared),
		cmocka_unit_test(test_a_level_that_is_none),
		cmocka_unit_test(test_a_threshold),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_events_by_the_clock),
		cmocka_unit_test(test_events_without_a_link),
		cmocka_unit_test(test_monitors_outlive_a_restart),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_customers),
		cmocka_unit_test(test_messages_are_shown),
		cmocka_unit_test(test_messages_are_reported),
		cmocka_unit_test(test_messages_of_a_transaction),
		cmocka_unit_test(test_messages_by_the_clock),
		cmocka_unit_test(test_messages_by_state),
		cmocka_unit_test(test_data_of_vendors),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* one of them, by hand */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
