/* Verdicts on payloads: the place, the rule and the code, in strict and in lenient reading. That the dictionary's facts are right is
 * checked against independent judges in tests/flow/dictionary.js. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "ocpp/lex.h"
#include "ocpp/validate.h"

static struct verdict judge(enum ocpp_version v, const char *action, const char *payload, bool lenient)
{
	struct validate_how how = { .lenient = lenient };
	struct verdict verdict;
	const struct shape *s = dictionary_shape(v, action, false);
	assert_non_null(s);
	int r = validate_with(s, slice_of(payload), v, &how, &verdict);
	assert_int_equal(r == 0, verdict.ok);
	return verdict;
}

struct vector {
	enum ocpp_version version;
	const char *action, *payload, *path, *rule, *code;
};

static void check(const struct vector *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct verdict v = judge(cases[i].version, cases[i].action, cases[i].payload, false);
		if (strcmp(v.path, cases[i].path) != 0 || strcmp(rule_text(v.rule), cases[i].rule) != 0 || strcmp(v.code ? v.code : "", cases[i].code) != 0)
			fail_msg("case %zu: %s: %s %s %s", i, cases[i].payload, v.path, rule_text(v.rule), v.code ? v.code : "");
	}
}
#define CHECK(cases) check((cases), sizeof(cases) / sizeof((cases)[0]))

#define STATUS(rest) "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\"" rest "}"

static void test_each_version_spells_its_codes(void **state)
{
	static const struct vector cases[] = {
		{ OCPP16, "Authorize", "{\"idTag\":\"04A1\"}", "", "", "" },
		{ OCPP16, "Authorize", "{}", "$.idTag", "required", "ProtocolError" },
		{ OCPP16, "Authorize", "{\"idTag\":7}", "$.idTag", "type", "TypeConstraintViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":\"123456789012345678901\"}", "$.idTag", "max-length", "PropertyConstraintViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":\"a\",\"x\":1}", "$.x", "unknown-field", "FormationViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":\"a\",\"idTag\":\"b\"}", "$.idTag", "duplicate-key", "FormationViolation" },
		{ OCPP201, "Authorize", "{\"idToken\":{\"idToken\":\"a\",\"type\":\"ISO14443\"}}", "", "", "" },
		{ OCPP201, "Authorize", "{\"idToken\":{\"idToken\":\"a\"}}", "$.idToken.type", "required", "OccurrenceConstraintViolation" },
		{ OCPP201, "Authorize", "{\"idToken\":{\"idToken\":\"a\",\"type\":\"RFID\"}}", "$.idToken.type", "enum", "PropertyConstraintViolation" },
		{ OCPP201, "Authorize", "{\"idTag\":\"a\"}", "$.idTag", "unknown-field", "FormatViolation" },
		{ OCPP16, "GetConfiguration", "{\"key\":\"a\"}", "$.key", "type", "TypeConstraintViolation" },
		{ OCPP201, "GetReport", "{\"requestId\":1,\"componentCriteria\":[]}", "$.componentCriteria", "min-items", "OccurrenceConstraintViolation" },
		{ OCPP201, "GetReport", "{\"requestId\":1,\"componentCriteria\":[\"Active\",\"Active\",\"Active\",\"Active\",\"Active\"]}", "$.componentCriteria",
		  "max-items", "OccurrenceConstraintViolation" },
		{ OCPP201, "SetMonitoringLevel", "{\"severity\":10.5}", "$.severity", "type", "TypeConstraintViolation" },
	};
	(void)state;
	CHECK(cases);
}

static void test_the_path_leads_through_lists(void **state)
{
	static const struct vector cases[] = {
		{ OCPP16, "MeterValues",
		  "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2026-03-02T17:04:05Z\",\"sampledValue\":[{\"value\":\"1\"},{\"value\":\"2\",\"unit\":\"Hz\"}]}]}",
		  "$.meterValue[0].sampledValue[1].unit", "enum", "PropertyConstraintViolation" },
		{ OCPP16, "MeterValues", "{\"connectorId\":1,\"meterValue\":[{\"sampledValue\":[],\"timestamp\":\"2026-03-02T17:04:05Z\"},{\"timestamp\":1}]}",
		  "$.meterValue[1].timestamp", "type", "TypeConstraintViolation" },
		{ OCPP16, "Heartbeat", "{\"a b\":1}", "$[\"a b\"]", "unknown-field", "FormationViolation" },
		{ OCPP16, "Heartbeat", "{\"\":1}", "$[\"\"]", "unknown-field", "FormationViolation" },
	};
	(void)state;
	CHECK(cases);
}

static void test_numbers_keep_their_spelling_and_meaning(void **state)
{
	static const struct vector cases[] = {
		{ OCPP16, "RemoteStopTransaction", "{\"transactionId\":9223372036854775807}", "", "", "" },
		{ OCPP16, "RemoteStopTransaction", "{\"transactionId\":99999999999999999999999999}", "", "", "" },
		{ OCPP16, "RemoteStopTransaction", "{\"transactionId\":1.50e1}", "", "", "" },
		{ OCPP16, "RemoteStopTransaction", "{\"transactionId\":1.5}", "$.transactionId", "type", "TypeConstraintViolation" },
		{ OCPP16, "RemoteStopTransaction", "{\"transactionId\":1e400}", "$.transactionId", "number-range", "PropertyConstraintViolation" },
		{ OCPP16, "RemoteStopTransaction", "{\"transactionId\":01}", "$.transactionId", "syntax", "FormationViolation" },
		{ OCPP16, "RemoteStopTransaction", "{\"transactionId\":\"1\"}", "$.transactionId", "type", "TypeConstraintViolation" },
		{ OCPP201, "GetReport", "{\"requestId\":2147483647}", "", "", "" },
		{ OCPP201, "GetReport", "{\"requestId\":2147483648}", "$.requestId", "number-range", "PropertyConstraintViolation" },
		{ OCPP21, "Reset", "{\"type\":\"Immediate\",\"evseId\":-1}", "$.evseId", "minimum", "PropertyConstraintViolation" },
		{ OCPP21, "Reset", "{\"type\":\"Immediate\",\"evseId\":0.0}", "", "", "" },
	};
	(void)state;
	CHECK(cases);
}

static void test_limits_are_tenths_by_their_digits(void **state)
{
	static const struct {
		const char *limit;
		bool strict, lenient;
	} cases[] = {
		{ "16", true, true },       { "16.1", true, true },
		{ "0.3", true, true },      { "32.70", true, true },
		{ "161e-1", true, true },   { "-7.1", true, true },
		{ "16.099999999999998", true, true }, /* a double in full */
		{ "16.100000381", false, true },      /* a single in full */
		{ "16.11", false, false },  { "0.05", false, false },
		{ "1e-2", false, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char payload[400];
		snprintf(payload, sizeof(payload),
		         "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":1,\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\","
		         "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":"
		         "[{\"startPeriod\":0,\"limit\":%s}]}}}", cases[i].limit);
		if (judge(OCPP16, "SetChargingProfile", payload, false).ok != cases[i].strict ||
		    judge(OCPP16, "SetChargingProfile", payload, true).ok != cases[i].lenient)
			fail_msg("case %zu: %s", i, cases[i].limit);
	}
}

static void test_lengths_count_code_points(void **state)
{
	static const struct vector cases[] = {
		{ OCPP16, "Authorize", "{\"idTag\":\"\xf0\x9f\x94\x8c\xf0\x9f\x94\x8c\xf0\x9f\x94\x8c\xf0\x9f\x94\x8c\xf0\x9f\x94\x8c\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		                       "1234567890\"}", "", "", "" },
		{ OCPP16, "Authorize", "{\"idTag\":\"\\ud83d\\udd0c\\u0041\\n\\\"678901234567890\"}", "", "", "" },
		{ OCPP16, "Authorize", "{\"idTag\":\"\\ud83d\\udd0c\\u0041\\n\\\"67890123456789012\"}", "$.idTag", "max-length", "PropertyConstraintViolation" },
	};
	(void)state;
	CHECK(cases);
}

static void test_names_and_words_may_be_written_with_escapes(void **state)
{
	static const struct vector cases[] = {
		{ OCPP16, "Reset", "{\"\\u0074ype\":\"\\u0048ard\"}", "", "", "" },
		{ OCPP16, "Reset", "{\"type\":\"Hard\",\"\\u0074ype\":\"Soft\"}", "$[\"\\u0074ype\"]", "duplicate-key", "FormationViolation" },
		{ OCPP16, "GetDiagnostics", "{\"location\":\"ftp:\\/\\/a\\/b\"}", "", "", "" },
	};
	(void)state;
	CHECK(cases);
}

static void test_what_is_no_text_is_seen(void **state)
{
	static const struct vector cases[] = {
		{ OCPP16, "Authorize", "{\"idTag\":\"\xc0\x80\"}", "$.idTag", "utf-8", "FormationViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":\"\\ud83d\"}", "$.idTag", "utf-8", "FormationViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":\"\\udd0c\\ud83d\"}", "$.idTag", "utf-8", "FormationViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":\"a\tb\"}", "$.idTag", "syntax", "FormationViolation" }, /* raw control characters: seen on chargers */
		{ OCPP16, "Authorize", "{\"idTag\":\"\\x41\"}", "$.idTag", "syntax", "FormationViolation" },
	};
	(void)state;
	CHECK(cases);
}

static void test_text_that_is_no_json(void **state)
{
	static const struct vector cases[] = {
		{ OCPP16, "Heartbeat", "", "$", "syntax", "FormationViolation" },
		{ OCPP16, "Heartbeat", "{", "$", "syntax", "FormationViolation" },
		{ OCPP16, "Heartbeat", "{}}", "$", "syntax", "FormationViolation" },
		{ OCPP201, "Heartbeat", "{\"customData\":{\"vendorId\":\"a\",\"x\":[1,]}}", "$.customData.x", "syntax", "FormatViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":\"a\",}", "$", "syntax", "FormationViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":\"a", "$.idTag", "syntax", "FormationViolation" },
		{ OCPP16, "Authorize", "{\"idTag\":tru}", "$.idTag", "syntax", "FormationViolation" },
		{ OCPP16, "GetConfiguration", "{\"key\":[\"a\"", "$.key", "syntax", "FormationViolation" },
		{ OCPP16, "Authorize", "[]", "$", "type", "TypeConstraintViolation" },
	};
	(void)state;
	CHECK(cases);
}

static void test_nesting_has_an_end(void **state)
{
	struct buf b = { 0 };
	(void)state;
	for (int levels = 30; levels <= 31; levels++) {
		buf_reset(&b);
		buf_puts(&b, "{\"customData\":{\"vendorId\":\"a\",\"x\":");
		for (int i = 0; i < levels; i++)
			buf_puts(&b, "[");
		for (int i = 0; i < levels; i++)
			buf_puts(&b, "]");
		buf_puts(&b, "}}");
		struct verdict v = judge(OCPP201, "Heartbeat", b.p, false);
		assert_int_equal(v.rule, levels + 2 > LEX_DEPTH ? RULE_DEPTH : RULE_NONE);
	}
	buf_free(&b);
}

static void test_no_value_is_not_a_value_in_2_x(void **state)
{
	/* 2.x Part 4, 4.1.5 */
	static const struct vector cases[] = {
		{ OCPP201, "Reset", "{\"type\":\"Immediate\",\"evseId\":null}", "$.evseId", "empty-or-null", "OccurrenceConstraintViolation" },
		{ OCPP201, "Reset", "{\"type\":null}", "$.type", "type", "TypeConstraintViolation" },
		{ OCPP201, "BootNotification", "{\"reason\":\"PowerUp\",\"chargingStation\":{\"model\":\"a\",\"vendorName\":\"b\",\"modem\":{}}}",
		  "$.chargingStation.modem", "empty-or-null", "OccurrenceConstraintViolation" },
		{ OCPP201, "DataTransfer", "{\"vendorId\":\"a\",\"data\":null}", "", "", "" },
		{ OCPP16, "Heartbeat", "null", "", "", "" }, /* 1.6-J, 4.2.1 */
		{ OCPP16, "Authorize", "null", "$", "type", "TypeConstraintViolation" },
		{ OCPP201, "Heartbeat", "null", "$", "type", "TypeConstraintViolation" },
	};
	(void)state;
	CHECK(cases);
}

static void test_lenient_reading_lets_the_field_pass(void **state)
{
	static const struct vector cases[] = {
		{ OCPP16, "StatusNotification", STATUS(",\"timestamp\":\"2024-04-26T14:35:02+02\""), "$.timestamp", "date-time", "PropertyConstraintViolation" },
		{ OCPP16, "StatusNotification", STATUS(",\"timestamp\":\"2023-10-19T15:28:07\""), "$.timestamp", "date-time", "PropertyConstraintViolation" },
		{ OCPP16, "StatusNotification", STATUS(",\"info\":null"), "$.info", "type", "TypeConstraintViolation" },
		{ OCPP201, "Reset", "{\"type\":\"Immediate\",\"evseId\":null}", "$.evseId", "empty-or-null", "OccurrenceConstraintViolation" },
		{ OCPP201, "GetReport", "{\"requestId\":1772471045123}", "$.requestId", "number-range", "PropertyConstraintViolation" },
	};
	(void)state;
	CHECK(cases);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(judge(cases[i].version, cases[i].action, cases[i].payload, true).ok);
	assert_int_equal(judge(OCPP16, "StatusNotification", STATUS(",\"timestamp\":\"today\""), true).rule, RULE_DATE_TIME);
	assert_int_equal(judge(OCPP16, "Authorize", "{\"idTag\":null}", true).rule, RULE_TYPE);
}

static void test_what_chargers_in_the_field_send(void **state)
{
	static const struct vector cases[] = {
		/* empty texts instead of absent ones */
		{ OCPP16, "StatusNotification", STATUS(",\"info\":\"\",\"vendorId\":\"\",\"vendorErrorCode\":\"\",\"timestamp\":\"2026-02-16T17:06:45.000Z\""), "", "", "" },
		/* a list of one written as the thing itself */
		{ OCPP16, "MeterValues", "{\"connectorId\":1,\"transactionId\":9223372036854775807,\"meterValue\":{\"timestamp\":\"2024-04-16T17:28:55Z\"}}",
		  "$.meterValue", "type", "TypeConstraintViolation" },
		/* numbers that are no text, units that are no word */
		{ OCPP16, "MeterValues", "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2024-04-16T17:28:55Z\",\"sampledValue\":[{\"value\":230.4}]}]}",
		  "$.meterValue[0].sampledValue[0].value", "type", "TypeConstraintViolation" },
		{ OCPP16, "StatusNotification", "{\"connectorId\":0,\"errorCode\":\"Error\",\"status\":\"Faulted\"}", "$.errorCode", "enum",
		  "PropertyConstraintViolation" },
		/* one field too many, one missing, and no value */
		{ OCPP16, "Authorize", "{\"connectorId\":1,\"idTag\":\"04a1b2c3\"}", "$.connectorId", "unknown-field", "FormationViolation" },
		{ OCPP16, "StopTransaction", "{\"meterStop\":2,\"timestamp\":\"2024-04-16T17:28:55Z\"}", "$.transactionId", "required", "ProtocolError" },
		{ OCPP16, "StopTransaction", "{\"meterStop\":2,\"timestamp\":\"2024-04-16T17:28:55Z\",\"transactionId\":null}", "$.transactionId", "type",
		  "TypeConstraintViolation" },
		{ OCPP16, "StopTransaction", "{\"meterStop\":1388.5,\"timestamp\":\"2024-04-16T17:28:55Z\",\"transactionId\":-1}", "$.meterStop", "type",
		  "TypeConstraintViolation" },
		/* messages of 1.6 on a link of 2.0.1 */
		{ OCPP201, "StatusNotification", STATUS(""), "$.errorCode", "unknown-field", "FormatViolation" },
	};
	(void)state;
	CHECK(cases);
}

static void collect(void *arg, const struct verdict *fault)
{
	buf_printf(arg, "%s %s\n", fault->path, rule_text(fault->rule));
}

static void test_all_faults_are_told_on_request(void **state)
{
	struct buf told = { 0 };
	struct validate_how how = { .on_fault = collect, .arg = &told };
	struct verdict first;
	const char *payload = "{\"connectorId\":\"1\",\"x\":[{\"y\":null}],\"meterValue\":[{\"sampledValue\":[{\"value\":1,\"phase\":\"L4\"}],\"timestamp\":\"\"}, 7]}";
	(void)state;
	assert_int_equal(validate_with(dictionary_shape(OCPP16, "MeterValues", false), slice_of(payload), OCPP16, &how, &first), ERR_INVALID);
	assert_string_equal(told.p, "$.connectorId type\n$.x unknown-field\n$.meterValue[0].sampledValue[0].value type\n"
	                            "$.meterValue[0].sampledValue[0].phase enum\n$.meterValue[0].timestamp date-time\n$.meterValue[1] type\n");
	assert_string_equal(first.path, "$.connectorId");
	buf_free(&told);
}

static void test_the_verdict_shows_the_value_and_what_was_expected(void **state)
{
	struct verdict v = judge(OCPP16, "StatusNotification", "{\"connectorId\":1,\"errorCode\":\"Error\",\"status\":\"Faulted\"}", false);
	struct field_info f;
	(void)state;
	assert_slice(v.at, "Error");
	dictionary_field(v.shape, (size_t)v.field, &f);
	assert_string_equal(f.name, "errorCode");
	assert_string_equal(dictionary_words_name(f.words), "ChargePointErrorCode");
	v = judge(OCPP16, "StatusNotification", STATUS(",\"vendor\":{\"a\":1}"), false);
	assert_slice(v.at, "vendor");
	assert_int_equal(v.field, -1);
	v = judge(OCPP16, "Authorize", "{}", false);
	assert_null(v.at.p);
	dictionary_field(v.shape, (size_t)v.field, &f);
	assert_string_equal(f.name, "idTag");
}

static void test_an_overlong_path_is_cut(void **state)
{
	struct buf b = { 0 };
	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		buf_reset(&b);
		buf_printf(&b, "{\"%.*s", shift, "xxxx");
		for (int i = 0; i < 1000; i++)
			buf_puts(&b, "\xf0\x9f\x94\x8c");
		buf_puts(&b, "\":1}");
		struct verdict v = judge(OCPP16, "Heartbeat", b.p, false);
		assert_int_equal(v.rule, RULE_UNKNOWN_FIELD);
		assert_in_range(strlen(v.path), VERDICT_PATH - 4, VERDICT_PATH - 1);
		assert_true(utf8_valid(slice_of(v.path)));
	}
	buf_free(&b);
	/* a name that is no text is shown as far as it is */
	assert_string_equal(judge(OCPP201, "Heartbeat", "{\"customData\":{\"vendorId\":\"a\",\"b\xff\":\"\\ud800\"}}", false).path, "$.customData");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_version_spells_its_codes),
		cmocka_unit_test(test_the_path_leads_through_lists),
		cmocka_unit_test(test_numbers_keep_their_spelling_and_meaning),
		cmocka_unit_test(test_limits_are_tenths_by_their_digits),
		cmocka_unit_test(test_lengths_count_code_points),
		cmocka_unit_test(test_names_and_words_may_be_written_with_escapes),
		cmocka_unit_test(test_what_is_no_text_is_seen),
		cmocka_unit_test(test_text_that_is_no_json),
		cmocka_unit_test(test_nesting_has_an_end),
		cmocka_unit_test(test_no_value_is_not_a_value_in_2_x),
		cmocka_unit_test(test_lenient_reading_lets_the_field_pass),
		cmocka_unit_test(test_what_chargers_in_the_field_send),
		cmocka_unit_test(test_all_faults_are_told_on_request),
		cmocka_unit_test(test_the_verdict_shows_the_value_and_what_was_expected),
		cmocka_unit_test(test_an_overlong_path_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
