/* Messages of one version in another: bytes where they fit, meaning where they do not, and always valid there. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "ocpp/convert.h"
#include "ocpp/settings-ask.h"
#include "ocpp/validate.h"

static const struct conversion {
	enum ocpp_version from, to;
	const char *action, *payload;
	int evse;            /* the number it shall have; 0: as it is */
	const char *tx;      /* the name; NULL: as it is */
	const char *becomes; /* the action */
	const char *want;    /* the payload; NULL: only that it is valid */
} conversions[] = {
	/* the same version: nothing but the numbers changes, and what we do not understand stays */
	{ OCPP16, OCPP16, "StartTransaction", "{\"connectorId\": 1, \"idTag\":\"T\",\"meterStart\":0.0,\"timestamp\":\"2026-01-01T00:00:00Z\",\"x\":1}", 17, NULL,
	  "StartTransaction", "{\"connectorId\": 17, \"idTag\":\"T\",\"meterStart\":0.0,\"timestamp\":\"2026-01-01T00:00:00Z\",\"x\":1}" },
	{ OCPP16, OCPP16, "StopTransaction", "{\"transactionId\":5,\"meterStop\":9,\"timestamp\":\"2026-01-01T00:00:00Z\"}", 0, "99", "StopTransaction",
	  "{\"transactionId\":99,\"meterStop\":9,\"timestamp\":\"2026-01-01T00:00:00Z\"}" },
	{ OCPP201, OCPP201, "TransactionEvent",
	  "{\"eventType\":\"Updated\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"triggerReason\":\"Trigger\",\"seqNo\":3,\"transactionInfo\":{\"transactionId\":\"1\"},"
	  "\"evse\":{\"id\":1,\"connectorId\":1}}",
	  8, "u-1", "TransactionEvent",
	  "{\"eventType\":\"Updated\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"triggerReason\":\"Trigger\",\"seqNo\":3,\"transactionInfo\":{\"transactionId\":\"u-1\"},"
	  "\"evse\":{\"id\":8,\"connectorId\":1}}" },
	/* a number that the message does not carry is put in */
	{ OCPP16, OCPP16, "RemoteStartTransaction", "{\"idTag\":\"T\"}", 3, NULL, "RemoteStartTransaction", "{\"connectorId\":3,\"idTag\":\"T\"}" },
	{ OCPP201, OCPP201, "Reset", "{\"type\":\"OnIdle\"}", 2, NULL, "Reset", "{\"evseId\":2,\"type\":\"OnIdle\"}" },
	/* another version that takes it as it stands */
	{ OCPP21, OCPP201, "Authorize", "{\"idToken\":{\"idToken\":\"T\",\"type\":\"Central\"}}", 0, NULL, "Authorize",
	  "{\"idToken\":{\"idToken\":\"T\",\"type\":\"Central\"}}" },
	{ OCPP16, OCPP201, "DataTransfer", "{\"vendorId\":\"v\",\"data\":\"d\"}", 0, NULL, "DataTransfer", "{\"vendorId\":\"v\",\"data\":\"d\"}" },
	/* and one that does not */
	{ OCPP16, OCPP201, "Authorize", "{\"idTag\":\"T\"}", 0, NULL, "Authorize", "{\"idToken\":{\"idToken\":\"T\",\"type\":\"Central\"}}" },
	{ OCPP16, OCPP201, "StartTransaction", "{\"connectorId\":1,\"idTag\":\"T\",\"meterStart\":7,\"timestamp\":\"2026-01-01T00:00:00Z\"}", 4, "u-2",
	  "TransactionEvent", NULL },
	{ OCPP16, OCPP201, "MeterValues",
	  "{\"connectorId\":1,\"transactionId\":5,\"meterValue\":[{\"timestamp\":\"2026-01-01T00:00:00Z\",\"sampledValue\":[{\"value\":\"7\"}]}]}", 4, "u-2",
	  "TransactionEvent", NULL },
	{ OCPP201, OCPP16, "TransactionEvent",
	  "{\"eventType\":\"Ended\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"triggerReason\":\"EVDeparted\",\"seqNo\":3,\"transactionInfo\":{\"transactionId\":\"1\","
	  "\"stoppedReason\":\"EVDisconnected\"},\"meterValue\":[{\"timestamp\":\"2026-01-01T00:00:00Z\",\"sampledValue\":[{\"value\":7}]}]}",
	  0, "44", "StopTransaction", NULL },
	{ OCPP201, OCPP16, "SendLocalList",
	  "{\"versionNumber\":3,\"updateType\":\"Full\",\"localAuthorizationList\":[{\"idToken\":{\"idToken\":\"A\",\"type\":\"Central\"},"
	  "\"idTokenInfo\":{\"status\":\"Accepted\"}},{\"idToken\":{\"idToken\":\"B\",\"type\":\"Central\"}}]}",
	  0, NULL, "SendLocalList",
	  "{\"listVersion\":3,\"updateType\":\"Full\",\"localAuthorizationList\":[{\"idTag\":\"A\",\"idTagInfo\":{\"status\":\"Accepted\"}},{\"idTag\":\"B\"}]}" },
	{ OCPP201, OCPP16, "InstallCertificate", "{\"certificateType\":\"CSMSRootCertificate\",\"certificate\":\"c\"}", 0, NULL, "InstallCertificate",
	  "{\"certificateType\":\"CentralSystemRootCertificate\",\"certificate\":\"c\"}" },
	{ OCPP16, OCPP21, "InstallCertificate", "{\"certificateType\":\"CentralSystemRootCertificate\",\"certificate\":\"c\"}", 0, NULL, "InstallCertificate",
	  "{\"certificateType\":\"CSMSRootCertificate\",\"certificate\":\"c\"}" },
	{ OCPP201, OCPP16, "CertificateSigned", "{\"certificateChain\":\"c\",\"certificateType\":\"ChargingStationCertificate\"}", 0, NULL, "CertificateSigned",
	  "{\"certificateChain\":\"c\"}" },
	{ OCPP201, OCPP16, "SignCertificate", "{\"csr\":\"r\",\"certificateType\":\"ChargingStationCertificate\"}", 0, NULL, "SignCertificate", "{\"csr\":\"r\"}" },
	{ OCPP16, OCPP201, "SetChargingProfile",
	  "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":5,\"stackLevel\":1,\"chargingProfilePurpose\":\"TxDefaultProfile\","
	  "\"chargingProfileKind\":\"Recurring\",\"recurrencyKind\":\"Daily\",\"chargingSchedule\":{\"startSchedule\":\"2026-01-01T00:00:00.000Z\","
	  "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":16},{\"startPeriod\":3600,\"limit\":8.5,\"numberPhases\":1}]}}}",
	  2, NULL, "SetChargingProfile",
	  "{\"evseId\":2,\"chargingProfile\":{\"id\":5,\"stackLevel\":1,\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Recurring\","
	  "\"recurrencyKind\":\"Daily\",\"chargingSchedule\":[{\"id\":5,\"startSchedule\":\"2026-01-01T00:00:00.000Z\",\"chargingRateUnit\":\"A\","
	  "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":16},{\"startPeriod\":3600,\"limit\":8.5,\"numberPhases\":1}]}]}}" },
	{ OCPP201, OCPP16, "UpdateFirmware",
	  "{\"requestId\":3,\"firmware\":{\"location\":\"ftp://x/f\",\"retrieveDateTime\":\"2026-01-01T00:00:00.000Z\",\"signingCertificate\":\"c\",\"signature\":\"s\"}}", 0,
	  NULL, "SignedUpdateFirmware",
	  "{\"requestId\":3,\"firmware\":{\"location\":\"ftp://x/f\",\"retrieveDateTime\":\"2026-01-01T00:00:00.000Z\",\"signingCertificate\":\"c\",\"signature\":\"s\"}}" },
	{ OCPP16, OCPP201, "GetDiagnostics", "{\"location\":\"ftp://x/\",\"retries\":2}", 0, NULL, "GetLog",
	  "{\"requestId\":0,\"retries\":2,\"logType\":\"DiagnosticsLog\",\"log\":{\"remoteLocation\":\"ftp://x/\"}}" },
	{ OCPP16, OCPP201, "ExtendedTriggerMessage", "{\"requestedMessage\":\"SignChargePointCertificate\"}", 0, NULL, "TriggerMessage",
	  "{\"requestedMessage\":\"SignChargingStationCertificate\"}" },
	{ OCPP201, OCPP16, "TriggerMessage", "{\"requestedMessage\":\"SignChargingStationCertificate\"}", 0, NULL, "ExtendedTriggerMessage",
	  "{\"requestedMessage\":\"SignChargePointCertificate\"}" },
	{ OCPP201, OCPP16, "TriggerMessage", "{\"requestedMessage\":\"TransactionEvent\",\"evse\":{\"id\":4}}", 2, NULL, "TriggerMessage",
	  "{\"requestedMessage\":\"MeterValues\",\"connectorId\":2}" },
	{ OCPP16, OCPP201, "TriggerMessage", "{\"requestedMessage\":\"DiagnosticsStatusNotification\"}", 0, NULL, "TriggerMessage",
	  "{\"requestedMessage\":\"LogStatusNotification\"}" },
	{ OCPP201, OCPP16, "ChangeAvailability", "{\"operationalStatus\":\"Inoperative\",\"evse\":{\"id\":4}}", 1, NULL, "ChangeAvailability",
	  "{\"connectorId\":1,\"type\":\"Inoperative\"}" },
};

static void convert_one(size_t i)
{
	const struct conversion *c = &conversions[i];
	struct buf text = { 0 }, payload = { 0 };
	struct arena mem = { 0 };
	struct frame f;
	struct frame_fault fault;
	struct event e;
	struct verdict verdict;
	const struct action *act;
	frame_write_call(&text, SLICE("id"), c->action, slice_of(c->payload));
	assert_int_equal(frame_parse(&f, c->from, buf_view(&text), &fault), 0);
	assert_int_equal(codec_read_call(&f, &mem, &e), 0);
	e.evse = c->evse ? c->evse : e.evse;
	e.tx = c->tx ? slice_of(c->tx) : e.tx;
	if (convert_call(&f, &e, c->to, &payload, &act) != 0)
		fail_msg("conversion %zu of %s failed", i, c->action);
	assert_string_equal(act->name, c->becomes);
	if (c->want)
		assert_string_equal(payload.p, c->want);
	if (c->from != c->to && validate(dictionary_shape(c->to, act->name, false), buf_view(&payload), c->to, &verdict) != 0)
		fail_msg("conversion %zu of %s: %s %s in %s", i, c->action, verdict.path, rule_text(verdict.rule), payload.p);
	frame_done(&f);
	arena_free(&mem);
	buf_free(&text);
	buf_free(&payload);
}

static void calls_become_those_of_the_other_version(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(conversions) / sizeof(conversions[0]); i++)
		convert_one(i);
}

static const struct back {
	enum ocpp_version from, to;
	const char *asked, *answer, *act, *tx, *want;
} backs[] = {
	{ OCPP16, OCPP16, "Authorize", "{\"idTagInfo\": {\"status\":\"Blocked\"}}", "Authorize", NULL, "{\"idTagInfo\": {\"status\":\"Blocked\"}}" },
	{ OCPP16, OCPP201, "StartTransaction", "{\"transactionId\":9,\"idTagInfo\":{\"status\":\"Accepted\"}}", "TransactionEvent", NULL,
	  "{\"idTokenInfo\":{\"status\":\"Accepted\"}}" },
	{ OCPP201, OCPP16, "TransactionEvent", "{\"idTokenInfo\":{\"status\":\"Blocked\"}}", "StartTransaction", "12",
	  "{\"transactionId\":12,\"idTagInfo\":{\"status\":\"Blocked\"}}" },
	/* a CSMS that says nothing about the token has nothing against it */
	{ OCPP201, OCPP16, "TransactionEvent", "{}", "StartTransaction", "12", "{\"transactionId\":12,\"idTagInfo\":{\"status\":\"Accepted\"}}" },
	/* words that only one version has */
	{ OCPP201, OCPP16, "UnlockConnector", "{\"status\":\"OngoingAuthorizedTransaction\"}", "UnlockConnector", NULL, "{\"status\":\"UnlockFailed\"}" },
	{ OCPP201, OCPP16, "Reset", "{\"status\":\"Scheduled\"}", "Reset", NULL, "{\"status\":\"Accepted\"}" },
	{ OCPP16, OCPP201, "UnlockConnector", "{\"status\":\"NotSupported\"}", "UnlockConnector", NULL, "{\"status\":\"UnlockFailed\"}" },
	/* the reason of a no */
	{ OCPP21, OCPP201, "Reset", "{\"status\":\"Maybe\",\"statusInfo\":{\"reasonCode\":\"FwUpdateInProgress\",\"additionalInfo\":\"50 %\"}}", "Reset", NULL,
	  "{\"statusInfo\":{\"reasonCode\":\"FwUpdateInProgress\",\"additionalInfo\":\"50 %\"},\"status\":\"Rejected\"}" },
	{ OCPP201, OCPP16, "Reset", "{\"status\":\"Rejected\",\"statusInfo\":{\"reasonCode\":\"FwUpdateInProgress\"}}", "Reset", NULL, "{\"status\":\"Rejected\"}" },
	/* and one that neither has: no yes comes of it */
	{ OCPP201, OCPP16, "Reset", "{\"status\":\"Maybe\"}", "Reset", NULL, "{\"status\":\"Rejected\"}" },
};

static void answers_go_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(backs) / sizeof(backs[0]); i++) {
		const struct back *b = &backs[i];
		struct buf text = { 0 }, payload = { 0 };
		struct frame f;
		struct frame_fault fault;
		frame_write_result(&text, SLICE("id"), slice_of(b->answer));
		assert_int_equal(frame_parse(&f, b->from, buf_view(&text), &fault), 0);
		assert_int_equal(convert_answer(catalogue_find(b->from, slice_of(b->asked)), &f, catalogue_find(b->to, slice_of(b->act)), b->to, slice_of(b->tx),
			&payload), 0);
		assert_string_equal(payload.p, b->want);
		frame_done(&f);
		buf_free(&text);
		buf_free(&payload);
	}
}

static int plus_ten(void *arg, int evse)
{
	(void)arg;
	return evse == 3 ? 0 : evse + 10;
}

static void every_entry_of_a_list_gets_its_number(void **state)
{
	static const char one[] = "{\"generatedAt\":\"2026-01-01T00:00:00Z\",\"seqNo\":0,\"eventData\":[{\"component\":{\"name\":\"A\",\"evse\":{\"id\":1}}},"
				  "{\"component\":{\"name\":\"B\"}},{\"component\":{\"name\":\"C\",\"evse\":{\"id\":2}}}]}";
	struct buf text = { 0 }, payload = { 0 };
	struct frame f;
	struct frame_fault fault;
	(void)state;
	frame_write_call(&text, SLICE("id"), "NotifyEvent", slice_of(one));
	assert_int_equal(frame_parse(&f, OCPP201, buf_view(&text), &fault), 0);
	assert_int_equal(convert_list(&f, OCPP201, "eventData", "component.evse.id", plus_ten, NULL, &payload), 0);
	assert_non_null(strstr(payload.p, "\"A\",\"evse\":{\"id\":11}"));
	assert_non_null(strstr(payload.p, "\"C\",\"evse\":{\"id\":12}"));
	assert_int_equal(convert_list(&f, OCPP16, "eventData", "component.evse.id", plus_ten, NULL, &payload), ERR_UNSUPPORTED);
	buf_free(&text);
	buf_free(&payload);
}

static void settings_are_asked_for_and_read(void **state)
{
	static const struct setting names[] = { { .name = { "EVSE.Power", 10 }, .evse = 2 }, { .name = { "A.B[C]", 6 } } };
	struct buf payload = { 0 }, text = { 0 };
	const struct action *act;
	struct arena mem = { 0 };
	struct frame f;
	struct frame_fault fault;
	struct setting *s;
	size_t n;
	(void)state;
	assert_int_equal(settings_write_get(OCPP201, names, 2, &payload, &act), 0);
	assert_string_equal(payload.p, "{\"getVariableData\":[{\"component\":{\"name\":\"EVSE\",\"evse\":{\"id\":2}},\"variable\":{\"name\":\"Power\"}},"
				       "{\"component\":{\"name\":\"A\"},\"variable\":{\"name\":\"B\",\"instance\":\"C\"}}]}");
	frame_write_result(&text, SLICE("id"), SLICE("{\"configurationKey\":[{\"key\":\"K\",\"readonly\":true,\"value\":\"v\"}],\"unknownKey\":[\"U\"]}"));
	assert_int_equal(frame_parse(&f, OCPP16, buf_view(&text), &fault), 0);
	assert_int_equal(settings_read_answer(&f, &mem, &s, &n), 0);
	assert_int_equal(n, 2);
	assert_true(slice_is(s[0].name, "K") && slice_is(s[0].value, "v") && s[0].kind == &setting_readonly && s[0].result == SETTING_OK);
	assert_true(slice_is(s[1].name, "U") && s[1].result == SETTING_UNKNOWN);
	frame_done(&f);
	arena_free(&mem);
	buf_free(&payload);
	buf_free(&text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_become_those_of_the_other_version),
		cmocka_unit_test(answers_go_back),
		cmocka_unit_test(every_entry_of_a_list_gets_its_number),
		cmocka_unit_test(settings_are_asked_for_and_read),
	};
	return cmocka_run_group_tests_name("ocpp/convert", tests, NULL, NULL);
}
