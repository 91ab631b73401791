/* The charge point's cases of 1.6 beyond the core: local list, reservations, triggers, charging profiles, firmware, diagnostics and the security
 * extension. Each test says with a tag which case it is; docs/CONFORMANCE.md collects them. */
#include <stdio.h>

#include "base/buf.h"
#include "tests/unit/station/cases-16.h"

/* The local list */

#define LIST(version, type, entries) "{\"listVersion\":" #version ",\"updateType\":\"" type "\"" entries "}"
#define ENTRIES(list) ",\"localAuthorizationList\":[" list "]"
#define ENTRY(token) "{\"idTag\":\"" token "\",\"idTagInfo\":{\"status\":\"Accepted\"}}"

/* OCPP 1.6 TC_042_2_CS; OCPP 1.6 TC_043_CS; OCPP 1.6 TC_043_2_CS; OCPP 1.6 TC_043_3_CS */
static void test_the_list_and_its_version(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "SendLocalList", LIST(1, "Full", "")), ACCEPTED);
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"listVersion\":0}"); /* an empty one has none */
	assert_string_equal(ask(&st, "SendLocalList", LIST(2, "Full", ENTRIES(ENTRY("a")))), ACCEPTED);
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"listVersion\":2}");
	assert_string_equal(ask(&st, "SendLocalList", LIST(5, "Differential", ENTRIES(ENTRY("b")))), ACCEPTED);
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"listVersion\":5}");
	assert_string_equal(ask(&st, "SendLocalList", LIST(4, "Differential", ENTRIES(ENTRY("c")))), "{\"status\":\"VersionMismatch\"}");
	assert_string_equal(ask(&st, "GetLocalListVersion", "{}"), "{\"listVersion\":5}");
	assert_string_equal(ask(&st, "SendLocalList", LIST(-1, "Full", "")), "{\"status\":\"Failed\"}");
	end();
}

/* OCPP 1.6 TC_008_CS */
static void test_a_listed_card_starts_without_asking(void **state)
{
	(void)state;
	begin();
	set("LocalPreAuthorize", "true");
	set("AuthorizeRemoteTxRequests", "true");
	ask(&st, "SendLocalList", LIST(1, "Full", ENTRIES(ENTRY("card"))));
	plug(&st, true, true);
	expect_status("Preparing");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"card\"}"), ACCEPTED);
	expect(&st, "StartTransaction", NULL);
	expect_status("Charging");
	end();
}

/* Reservations */

#define RESERVE(connector, token, more) "{\"connectorId\":" #connector ",\"expiryDate\":\"2026-05-28T20:30:00Z\",\"idTag\":\"" token \
	"\",\"reservationId\":4" more "}"

/* OCPP 1.6 TC_046_1_CS; OCPP 1.6 TC_046_2_CS */
static void test_a_reserved_connector_is_used(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "ReserveNow", RESERVE(1, "mine", "")), ACCEPTED);
	expect_status("Reserved");
	card("other");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"other\"}"), REJECTED);
	card("mine");
	expect(&st, "Authorize", "\"mine\"", NULL);
	expect_status("Preparing");
	plug(&st, true, true);
	expect(&st, "StartTransaction", "\"reservationId\":4", NULL);
	expect_status("Charging");
	card("mine");
	plug(&st, false, false);
	st.at = st.n_seen;
	ask(&st, "ReserveNow", RESERVE(1, "mine", ""));
	expect_status("Reserved");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"mine\"}"), ACCEPTED);
	expect_status("Preparing");
	end();
}

/* OCPP 1.6 TC_047_CS; OCPP 1.6 TC_051_CS; OCPP 1.6 TC_052_CS */
static void test_a_reservation_ends(void **state)
{
	(void)state;
	begin();
	ask(&st, "ReserveNow", RESERVE(1, "mine", ""));
	expect_status("Reserved");
	pass(&st, 200 * SECOND);
	expect_status("Available");
	assert_string_equal(ask(&st, "ReserveNow", "{\"connectorId\":1,\"expiryDate\":\"2026-05-28T22:00:00Z\",\"idTag\":\"mine\",\"reservationId\":5}"), ACCEPTED);
	expect_status("Reserved");
	assert_string_equal(ask(&st, "CancelReservation", "{\"reservationId\":6}"), REJECTED);
	assert_string_equal(ask(&st, "CancelReservation", "{\"reservationId\":5}"), ACCEPTED);
	expect_status("Available");
	end();
}

static void refused(int connector, const char *status)
{
	char payload[200], answer[40];
	snprintf(payload, sizeof(payload), "{\"connectorId\":%d,\"expiryDate\":\"2026-05-28T20:30:00Z\",\"idTag\":\"x\",\"reservationId\":4}", connector);
	snprintf(answer, sizeof(answer), "{\"status\":\"%s\"}", status);
	assert_string_equal(ask(&st, "ReserveNow", payload), answer);
}

/* OCPP 1.6 TC_048_1_CS; OCPP 1.6 TC_048_2_CS; OCPP 1.6 TC_048_3_CS; OCPP 1.6 TC_048_4_CS; OCPP 1.6 TC_050_1_CS; OCPP 1.6 TC_050_2_CS;
 * OCPP 1.6 TC_050_3_CS; OCPP 1.6 TC_050_4_CS */
static void test_reservations_that_are_refused(void **state)
{
	(void)state;
	begin();
	for (int connector = 0; connector <= 1; connector++) {
		plug(&st, true, true);
		refused(connector, "Occupied");
		st.in.fault = "GroundFailure";
		plug(&st, false, false);
		refused(connector, "Faulted");
		st.in.fault = NULL;
		plug(&st, false, false);
		ask(&st, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}");
		refused(connector, "Unavailable");
		ask(&st, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Operative\"}");
		set("ReservationEnabled", "false");
		refused(connector, "Rejected");
		set("ReservationEnabled", "true");
	}
	st.at = st.n_seen;
	end();
}

/* OCPP 1.6 TC_049_CS */
static void test_the_whole_is_reserved(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "ReserveNow", RESERVE(0, "mine", "")), ACCEPTED);
	expect_status("Reserved"); /* there is one connector, and one is promised */
	card("mine");
	expect(&st, "Authorize", NULL);
	expect_status("Preparing");
	plug(&st, true, true);
	expect(&st, "StartTransaction", "\"reservationId\":4", NULL);
	expect_status("Charging");
	end();
}

/* OCPP 1.6 TC_053_CS */
static void test_a_reservation_of_a_group(void **state)
{
	(void)state;
	begin();
	stage_script(&st, "Authorize", "{\"idTagInfo\":{\"status\":\"Accepted\",\"parentIdTag\":\"family\"}}");
	assert_string_equal(ask(&st, "ReserveNow", RESERVE(1, "mine", ",\"parentIdTag\":\"family\"")), ACCEPTED);
	expect_status("Reserved");
	card("hers");
	expect(&st, "Authorize", "\"hers\"", NULL);
	expect_status("Preparing");
	plug(&st, true, true);
	expect(&st, "StartTransaction", "\"idTag\":\"hers\"", "\"reservationId\":4", NULL);
	expect_status("Charging");
	end();
}

/* Triggers */

/* OCPP 1.6 TC_054_CS; OCPP 1.6 TC_055_CS */
static void test_triggers(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"MeterValues\",\"connectorId\":1}"), ACCEPTED);
	expect(&st, "MeterValues", "\"connectorId\":1", NULL);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"Heartbeat\"}"), ACCEPTED);
	expect(&st, "Heartbeat", NULL);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":1}"), ACCEPTED);
	expect_status("Available");
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"DiagnosticsStatusNotification\"}"), ACCEPTED);
	expect(&st, "DiagnosticsStatusNotification", "\"Idle\"", NULL);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"FirmwareStatusNotification\"}"), ACCEPTED);
	expect(&st, "FirmwareStatusNotification", "\"Idle\"", NULL);
	assert_string_equal(ask(&st, "TriggerMessage", "{\"requestedMessage\":\"MeterValues\",\"connectorId\":2}"), REJECTED);
	end();
}

/* Charging profiles */

#define PROFILE(id, level, purpose, more, amps) "{\"chargingProfileId\":" #id ",\"stackLevel\":" #level ",\"chargingProfilePurpose\":\"" purpose "\"," \
	more "\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{\"startSchedule\":\"2026-05-28T20:00:00Z\",\"chargingRateUnit\":\"A\"," \
	"\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":" #amps "}]}}"
#define SET(connector, profile) "{\"connectorId\":" #connector ",\"csChargingProfiles\":" profile "}"

static void composite(const char *limit)
{
	char want[64];
	snprintf(want, sizeof(want), "[{\"startPeriod\":0,\"limit\":%s,", limit);
	ask(&st, "GetCompositeSchedule", "{\"connectorId\":1,\"duration\":300,\"chargingRateUnit\":\"A\"}");
	if (!strstr(st.answer, want))
		fail_msg("%s lacks %s", st.answer, want);
}

/* OCPP 1.6 TC_056_CS; OCPP 1.6 TC_057_CS; OCPP 1.6 TC_058_1_CS; OCPP 1.6 TC_058_2_CS; OCPP 1.6 TC_082_CS; OCPP 1.6 TC_066_CS; OCPP 1.6 TC_072_CS;
 * OCPP 1.6 TC_067_CS */
static void test_profiles(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "SetChargingProfile", SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 12))), ACCEPTED);
	composite("12");
	assert_string_equal(ask(&st, "SetChargingProfile", SET(1, PROFILE(2, 0, "TxProfile", "", 10))), REJECTED);
	charge();
	assert_string_equal(ask(&st, "SetChargingProfile", SET(1, PROFILE(2, 0, "TxProfile", "\"transactionId\":18,", 10))), REJECTED);
	assert_string_equal(ask(&st, "SetChargingProfile", SET(1, PROFILE(2, 0, "TxProfile", "\"transactionId\":17,", 10))), ACCEPTED);
	composite("10");
	expect_output(&st, "close12000 close10000 ");
	assert_string_equal(ask(&st, "SetChargingProfile", SET(1, PROFILE(3, 1, "TxProfile", "\"transactionId\":17,", 8))), ACCEPTED);
	composite("8"); /* the higher level, not the lower limit */
	assert_string_equal(ask(&st, "SetChargingProfile", SET(0, PROFILE(4, 0, "ChargePointMaxProfile", "", 7))), ACCEPTED);
	composite("7");
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"id\":4}"), ACCEPTED);
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"connectorId\":1,\"chargingProfilePurpose\":\"TxProfile\",\"stackLevel\":1}"), ACCEPTED);
	composite("10");
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"id\":99}"), "{\"status\":\"Unknown\"}");
	assert_string_equal(ask(&st, "SetChargingProfile", SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 9))), ACCEPTED);
	assert_string_equal(ask(&st, "ClearChargingProfile", "{\"id\":2}"), ACCEPTED);
	composite("9"); /* a default sent while it charges */
	assert_string_equal(ask(&st, "ClearChargingProfile", "{}"), ACCEPTED);
	composite("16");
	end();
}

/* OCPP 1.6 TC_059_CS; OCPP 1.6 TC_060_CS */
static void test_a_profile_with_a_remote_start(void **state)
{
	(void)state;
	begin();
	plug(&st, true, true);
	expect_status("Preparing");
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"far\",\"chargingProfile\":" PROFILE(1, 0, "TxDefaultProfile", "", 8) "}"), REJECTED);
	assert_string_equal(ask(&st, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"far\",\"chargingProfile\":" PROFILE(1, 0, "TxProfile", "", 8) "}"), ACCEPTED);
	expect(&st, "StartTransaction", NULL);
	expect_status("Charging");
	expect_output(&st, "close8000 ");
	composite("8");
	end();
}

static void test_defaults_outlive_a_restart(void **state)
{
	(void)state;
	begin();
	ask(&st, "SetChargingProfile", SET(1, PROFILE(1, 0, "TxDefaultProfile", "", 12)));
	stage_drop(&st);
	station_close(st.s);
	stage_make(&st);
	stage_connect(&st);
	st.at = st.n_seen;
	composite("12");
	end();
}

/* Firmware */

#define UPDATE "{\"location\":\"http://x/f.bin\",\"retrieveDate\":\"2020-01-01T00:00:00Z\",\"retries\":0}"

static void firmware_ends(int err)
{
	station_firmware_done(st.s, err);
	loop_run_later();
}

static void restart_as(const char *version)
{
	stage_drop(&st);
	station_close(st.s);
	st.conf.firmware = version;
	stage_make(&st);
	stage_connect(&st);
}

/* OCPP 1.6 TC_044_1_CS */
static void test_an_update(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "UpdateFirmware", UPDATE), "{}");
	expect(&st, "FirmwareStatusNotification", "\"Downloading\"", NULL);
	firmware_ends(0);
	expect(&st, "FirmwareStatusNotification", "\"Downloaded\"", NULL);
	expect(&st, "FirmwareStatusNotification", "\"Installing\"", NULL);
	assert_string_equal(host.did, "fetch http://x/f.bin; install; ");
	restart_as("2.0");
	expect(&st, "BootNotification", "\"2.0\"", NULL);
	expect(&st, "StatusNotification", NULL);
	expect_status("Available");
	expect(&st, "FirmwareStatusNotification", "\"Installed\"", NULL);
	end();
}

/* OCPP 1.6 TC_044_2_CS */
static void test_an_update_that_does_not_come(void **state)
{
	(void)state;
	begin();
	ask(&st, "UpdateFirmware", "{\"location\":\"http://x/f.bin\",\"retrieveDate\":\"2020-01-01T00:00:00Z\",\"retries\":1,\"retryInterval\":10}");
	expect(&st, "FirmwareStatusNotification", "\"Downloading\"", NULL);
	firmware_ends(ERR_CLOSED);
	expect_nothing(&st);
	pass(&st, 10 * SECOND);
	expect(&st, "FirmwareStatusNotification", "\"Downloading\"", NULL);
	firmware_ends(ERR_CLOSED);
	expect(&st, "FirmwareStatusNotification", "\"DownloadFailed\"", NULL);
	end();
}

/* OCPP 1.6 TC_044_3_CS */
static void test_an_update_that_comes_back_as_it_was(void **state)
{
	(void)state;
	begin();
	ask(&st, "UpdateFirmware", UPDATE);
	firmware_ends(0);
	st.at = st.n_seen;
	restart_as("1.0");
	expect(&st, "BootNotification", "\"1.0\"", NULL);
	expect(&st, "StatusNotification", NULL);
	expect_status("Available");
	expect(&st, "FirmwareStatusNotification", "\"InstallationFailed\"", NULL);
	end();
}

/* An update waits for the transaction, and the connector for the update. */
static void test_an_update_waits_for_the_transaction(void **state)
{
	(void)state;
	begin();
	charge();
	ask(&st, "UpdateFirmware", UPDATE);
	expect(&st, "FirmwareStatusNotification", "\"Downloading\"", NULL);
	firmware_ends(0);
	expect(&st, "FirmwareStatusNotification", "\"Downloaded\"", NULL);
	expect_nothing(&st);
	card("card");
	expect(&st, "StopTransaction", NULL);
	expect_status("Finishing");
	pass(&st, SECOND);
	expect(&st, "FirmwareStatusNotification", "\"Installing\"", NULL);
	end();
}

#define SIGNED "{\"requestId\":9,\"firmware\":{\"location\":\"http://x/f.bin\",\"retrieveDateTime\":\"2020-01-01T00:00:00Z\",\"signingCertificate\":\"PEM\"," \
	"\"signature\":\"c2ln\"}}"

/* OCPP 1.6 TC_080_CS */
static void test_a_signed_update(void **state)
{
	(void)state;
	stage();
	st.conf.security_events = true;
	stage_boot(&st);
	assert_string_equal(ask(&st, "SignedUpdateFirmware", SIGNED), ACCEPTED);
	expect(&st, "SignedFirmwareStatusNotification", "\"Downloading\"", "\"requestId\":9", NULL);
	firmware_ends(0);
	expect(&st, "SignedFirmwareStatusNotification", "\"Downloaded\"", NULL);
	firmware_ends(0);
	expect(&st, "SignedFirmwareStatusNotification", "\"SignatureVerified\"", NULL);
	expect(&st, "SignedFirmwareStatusNotification", "\"Installing\"", NULL);
	assert_string_equal(host.did, "fetch http://x/f.bin; verify c2ln; install; ");
	restart_as("2.0");
	expect(&st, "BootNotification", NULL);
	expect(&st, "StatusNotification", NULL);
	expect_status("Available");
	expect(&st, "SignedFirmwareStatusNotification", "\"Installed\"", "\"requestId\":9", NULL);
	expect(&st, "SecurityEventNotification", "\"FirmwareUpdated\"", NULL);
	expect(&st, "SecurityEventNotification", "\"StartupOfTheDevice\"", NULL);
	end();
}

/* OCPP 1.6 TC_081_CS */
static void test_a_signature_that_is_wrong(void **state)
{
	(void)state;
	stage();
	st.conf.security_events = true;
	stage_boot(&st);
	ask(&st, "SignedUpdateFirmware", SIGNED);
	firmware_ends(0);
	st.at = st.n_seen;
	firmware_ends(ERR_INVALID);
	expect(&st, "SecurityEventNotification", "\"InvalidFirmwareSignature\"", NULL);
	expect(&st, "SignedFirmwareStatusNotification", "\"InvalidSignature\"", NULL);
	host.signer = SIGNER_REVOKED;
	assert_string_equal(ask(&st, "SignedUpdateFirmware", SIGNED), "{\"status\":\"RevokedCertificate\"}");
	expect(&st, "SecurityEventNotification", "\"InvalidFirmwareSigningCertificate\"", NULL);
	end();
}

/* Logs */

/* OCPP 1.6 TC_045_1_CS; OCPP 1.6 TC_045_2_CS */
static void test_diagnostics(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "GetDiagnostics", "{\"location\":\"ftp://x/\",\"retries\":0}"), "{\"fileName\":\"T-01.log\"}");
	expect(&st, "DiagnosticsStatusNotification", "\"Uploading\"", NULL);
	station_log_sent(st.s, SEND_DONE);
	loop_run_later();
	expect(&st, "DiagnosticsStatusNotification", "\"Uploaded\"", NULL);
	ask(&st, "GetDiagnostics", "{\"location\":\"ftp://x/\",\"retries\":1,\"retryInterval\":5}");
	expect(&st, "DiagnosticsStatusNotification", "\"Uploading\"", NULL);
	station_log_sent(st.s, SEND_FAILED);
	pass(&st, 5 * SECOND);
	expect_nothing(&st);
	station_log_sent(st.s, SEND_FAILED);
	loop_run_later();
	expect(&st, "DiagnosticsStatusNotification", "\"UploadFailed\"", NULL);
	end();
}

/* OCPP 1.6 TC_079_CS */
static void test_the_security_log(void **state)
{
	(void)state;
	begin();
	assert_string_equal(ask(&st, "GetLog", "{\"logType\":\"SecurityLog\",\"requestId\":3,\"log\":{\"remoteLocation\":\"http://x/\"}}"),
	                    "{\"status\":\"Accepted\",\"filename\":\"T-01.log\"}");
	expect(&st, "LogStatusNotification", "\"Uploading\"", "\"requestId\":3", NULL);
	station_log_sent(st.s, SEND_DONE);
	loop_run_later();
	expect(&st, "LogStatusNotification", "\"Uploaded\"", NULL);
	assert_string_equal(host.did, "SecurityLog http://x/; ");
	end();
}

/* Keys and certificates */

/* OCPP 1.6 TC_073_CS */
static void test_a_new_password(void **state)
{
	(void)state;
	begin();
	set("AuthorizationKey", "0123456789abcdef0123");
	assert_string_equal(host.did, "password 0123456789abcdef0123; ");
	assert_null(strstr(ask(&st, "GetConfiguration", "{\"key\":[\"AuthorizationKey\"]}"), "0123456789"));
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"AuthorizationKey\",\"value\":\"short\"}"), REJECTED);
	end();
}

static void extended(const char *message)
{
	char payload[100];
	snprintf(payload, sizeof(payload), "{\"requestedMessage\":\"%s\"}", message);
	assert_string_equal(ask(&st, "ExtendedTriggerMessage", payload), ACCEPTED);
}

/* OCPP 1.6 TC_074_CS; OCPP 1.6 TC_077_CS */
static void test_a_new_certificate(void **state)
{
	(void)state;
	stage();
	st.conf.security_events = true;
	stage_boot(&st);
	stage_script(&st, "SignCertificate", ACCEPTED);
	set("CpoName", "Operator");
	extended("SignChargePointCertificate");
	expect(&st, "SignCertificate", "\"csr\":\"CSR ChargingStationCertificate Operator\"", NULL);
	assert_string_equal(ask(&st, "CertificateSigned", "{\"certificateChain\":\"PEM\"}"), ACCEPTED);
	extended("SignChargePointCertificate");
	expect(&st, "SignCertificate", NULL);
	host.certificate_err = ERR_INVALID;
	assert_string_equal(ask(&st, "CertificateSigned", "{\"certificateChain\":\"PEM\"}"), REJECTED);
	expect(&st, "SecurityEventNotification", "\"InvalidChargePointCertificate\"", NULL);
	pass(&st, 600 * SECOND);
	end(); /* and it is not asked for again */
}

/* OCPP 1.6 TC_075_1_CS; OCPP 1.6 TC_075_2_CS; OCPP 1.6 TC_076_CS; OCPP 1.6 TC_078_CS */
static void test_root_certificates(void **state)
{
	(void)state;
	stage();
	st.conf.security_events = true;
	stage_boot(&st);
	assert_string_equal(ask(&st, "InstallCertificate", "{\"certificateType\":\"ManufacturerRootCertificate\",\"certificate\":\"PEM\"}"), ACCEPTED);
	assert_string_equal(ask(&st, "InstallCertificate", "{\"certificateType\":\"CentralSystemRootCertificate\",\"certificate\":\"PEM\"}"), ACCEPTED);
	assert_string_equal(ask(&st, "GetInstalledCertificateIds", "{\"certificateType\":\"CentralSystemRootCertificate\"}"),
	                    "{\"status\":\"Accepted\",\"certificateHashData\":[{\"hashAlgorithm\":\"SHA256\",\"issuerNameHash\":\"aa01\",\"issuerKeyHash\":\"bb\","
	                    "\"serialNumber\":\"2\"}]}");
	const char *one = "{\"certificateHashData\":{\"hashAlgorithm\":\"SHA256\",\"issuerNameHash\":\"aa01\",\"issuerKeyHash\":\"bb\",\"serialNumber\":\"2\"}}";
	assert_string_equal(ask(&st, "DeleteCertificate", one), ACCEPTED);
	assert_string_equal(ask(&st, "DeleteCertificate", one), "{\"status\":\"NotFound\"}");
	assert_string_equal(ask(&st, "GetInstalledCertificateIds", "{\"certificateType\":\"CentralSystemRootCertificate\"}"), "{\"status\":\"NotFound\"}");
	host.certificate_err = ERR_INVALID;
	assert_string_equal(ask(&st, "InstallCertificate", "{\"certificateType\":\"CentralSystemRootCertificate\",\"certificate\":\"PEM\"}"), REJECTED);
	expect(&st, "SecurityEventNotification", "\"InvalidCentralSystemCertificate\"", NULL);
	end();
}

/* OCPP 1.6 TC_084_CS */
static void test_security_does_not_go_down(void **state)
{
	(void)state;
	stage();
	st.conf.security_profile = 2;
	stage_boot(&st);
	assert_string_equal(ask(&st, "ChangeConfiguration", "{\"key\":\"SecurityProfile\",\"value\":\"1\"}"), REJECTED);
	end();
}

static void test_extended_triggers(void **state)
{
	(void)state;
	begin();
	extended("LogStatusNotification");
	expect(&st, "LogStatusNotification", "\"Idle\"", NULL);
	extended("FirmwareStatusNotification");
	expect(&st, "SignedFirmwareStatusNotification", "\"Idle\"", NULL);
	end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_list_and_its_version),
		cmocka_unit_test(test_a_listed_card_starts_without_asking),
		cmocka_unit_test(test_a_reserved_connector_is_used),
		cmocka_unit_test(test_a_reservation_ends),
		cmocka_unit_test(test_reservations_that_are_refused),
		cmocka_unit_test(test_the_whole_is_reserved),
		cmocka_unit_test(test_a_reservation_of_a_group),
		cmocka_unit_test(test_triggers),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_a_profile_with_a_remote_start),
		cmocka_unit_test(test_defaults_outlive_a_restart),
		cmocka_unit_test(test_an_update),
		cmocka_unit_test(test_an_update_that_does_not_come),
		cmocka_unit_test(test_an_update_that_comes_back_as_it_was),
		cmocka_unit_test(test_an_update_waits_for_the_transaction),
		cmocka_unit_test(test_a_signed_update),
		cmocka_unit_test(test_a_signature_that_is_wrong),
		cmocka_unit_test(test_diagnostics),
		cmocka_unit_test(test_the_security_log),
		cmocka_unit_test(test_a_new_password),
		cmocka_unit_test(test_a_new_certificate),
		cmocka_unit_test(test_root_certificates),
		cmocka_unit_test(test_security_does_not_go_down),
		cmocka_unit_test(test_extended_triggers),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* one of them, by hand */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
