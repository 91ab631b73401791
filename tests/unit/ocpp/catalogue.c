/* The rows of actions.def: all there, found by name and version, and saying what the rest of the program relies on. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>

#include "ocpp/catalogue.h"

static size_t rows_of(unsigned versions, bool sent)
{
	size_t n = 0;
	for (size_t i = 0; i < catalogue_count(); i++)
		n += (catalogue_at(i)->versions & versions) == versions && catalogue_at(i)->send == sent;
	return n;
}

static void every_version_is_complete(void **state)
{
	(void)state;
	assert_int_equal(rows_of(V16, false), 39); /* 28 and 11 of the security extension */
	assert_int_equal(rows_of(V201, false), 64);
	assert_int_equal(rows_of(V21, false), 90);
	assert_int_equal(rows_of(V201 | V21, false), 64); /* 2.1 dropped none */
	assert_int_equal(rows_of(V21, true), 1);
	assert_int_equal(rows_of(V16, true) + rows_of(V201, true), 0);
}

static void every_row_is_found_in_its_versions_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalogue_count(); i++) {
		const struct action *a = catalogue_at(i);
		for (int v = OCPP16; v < OCPP_VERSIONS; v++)
			if (catalogue_find(v, slice_of(a->name)) != (a->versions & 1 << v ? a : NULL))
				fail_msg("%s in version %d", a->name, v);
	}
}

static void other_names_are_not_found(void **state)
{
	(void)state;
	static const char *const names[] = { "", "H", "heartbeat", "Heartbea", "HeartbeatX", "BootNotificationRequest", "\xff\xff" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(catalogue_find(OCPP21, slice_of(names[i])));
}

static const struct action *row(enum ocpp_version v, const char *name)
{
	const struct action *a = catalogue_find(v, slice_of(name));
	if (!a)
		fail_msg("no %s", name);
	return a;
}

static void what_bills_is_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalogue_count(); i++) {
		const struct action *a = catalogue_at(i);
		bool bills = a->event == EV_TX || a->event == EV_METER;
		if ((a->from == STATION && a->offline == HOLD) != bills)
			fail_msg("%s", a->name);
	}
	assert_int_equal(row(OCPP16, "StatusNotification")->offline, LATEST);
	assert_int_equal(row(OCPP201, "SecurityEventNotification")->offline, NOTICE);
	assert_int_equal(row(OCPP201, "Heartbeat")->offline, ANSWER);
	assert_int_equal(row(OCPP16, "DataTransfer")->from, EITHER);
}

static void refusals_are_words_of_their_message(void **state)
{
	(void)state;
	assert_string_equal(row(OCPP16, "SignCertificate")->refusal_16, "{\"status\":\"Rejected\"}");
	assert_string_equal(row(OCPP201, "Get15118EVCertificate")->refusal_2x, "{\"status\":\"Failed\",\"exiResponse\":\"\"}");
	assert_null(row(OCPP201, "Get15118EVCertificate")->refusal_16);
	assert_null(row(OCPP16, "UpdateFirmware")->refusal_16);
	assert_string_equal(row(OCPP201, "UpdateFirmware")->refusal_2x, "{\"status\":\"Rejected\"}");
	for (size_t i = 0; i < catalogue_count(); i++) {
		const char *text = catalogue_at(i)->refusal_2x;
		cJSON *tree = text ? cJSON_Parse(text) : NULL;
		if (text && !cJSON_IsString(cJSON_GetObjectItem(tree, "status")))
			fail_msg("%s", catalogue_at(i)->name);
		cJSON_Delete(tree);
	}
}

static void events_lead_back_to_their_message(void **state)
{
	(void)state;
	assert_string_equal(catalogue_for_event(OCPP16, CMD_SET_CONFIG)->name, "ChangeConfiguration");
	assert_string_equal(catalogue_for_event(OCPP21, CMD_SET_CONFIG)->name, "SetVariables");
	assert_string_equal(catalogue_for_event(OCPP16, CMD_TRIGGER)->name, "TriggerMessage");
	assert_string_equal(catalogue_for_event(OCPP201, EV_TX)->name, "TransactionEvent");
	assert_null(catalogue_for_event(OCPP16, EV_NEEDS));
	assert_null(catalogue_for_event(OCPP21, EV_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_is_complete),
		cmocka_unit_test(every_row_is_found_in_its_versions_only),
		cmocka_unit_test(other_names_are_not_found),
		cmocka_unit_test(what_bills_is_held),
		cmocka_unit_test(refusals_are_words_of_their_message),
		cmocka_unit_test(events_lead_back_to_their_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
