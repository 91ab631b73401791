/* The compiled dictionary: what it knows of each version, by examples read from the standard. */
#include "tests/unit/unit.h"

#include "ocpp/dictionary.h"

static struct field_info field(enum ocpp_version v, const char *action, bool response, const char *name)
{
	struct field_info f = { 0 };
	const struct shape *s = dictionary_shape(v, action, response);
	if (!s || !dictionary_field_find(s, slice_of(name), &f))
		fail_msg("%s has no field %s", action, name);
	return f;
}

static bool has_field(const struct shape *s, const char *name)
{
	struct field_info f;
	return dictionary_field_find(s, slice_of(name), &f);
}

static bool has_word(const struct words *w, const char *word)
{
	for (size_t i = 0; dictionary_word(w, i); i++)
		if (strcmp(dictionary_word(w, i), word) == 0)
			return true;
	return false;
}

static size_t action_count(enum ocpp_version v)
{
	size_t n = 0;
	while (dictionary_action(v, n))
		n++;
	return n;
}

static void test_every_action_is_there(void **state)
{
	(void)state;
	assert_int_equal(action_count(OCPP16), 39);
	assert_int_equal(action_count(OCPP201), 64);
	assert_int_equal(action_count(OCPP21), 91);
}

static void test_all_that_is_listed_is_found(void **state)
{
	(void)state;
	for (int v = 0; v < OCPP_VERSIONS; v++) {
		const char *action;
		for (size_t i = 0; (action = dictionary_action((enum ocpp_version)v, i)); i++) {
			bool send = strcmp(action, "NotifyPeriodicEventStream") == 0;
			assert_non_null(dictionary_shape((enum ocpp_version)v, action, false));
			assert_int_equal(!dictionary_shape((enum ocpp_version)v, action, true), send);
		}
	}
}

static void test_unknown_actions_are_not_found(void **state)
{
	(void)state;
	assert_null(dictionary_shape(OCPP16, "TransactionEvent", false));
	assert_null(dictionary_shape(OCPP201, "StartTransaction", false));
	assert_null(dictionary_shape(OCPP201, "SetDERControl", false));
	assert_null(dictionary_shape(OCPP16, "heartbeat", false)); /* 2.x Part 4, 4.1.6: case-sensitive */
	assert_null(dictionary_shape(OCPP16, "Heartbea", false));
	assert_null(dictionary_shape(OCPP16, "", false));
}

static void test_a_field_tells_its_bounds(void **state)
{
	(void)state;
	struct field_info tag = field(OCPP16, "StartTransaction", false, "idTag");
	assert_int_equal(tag.kind, FIELD_TEXT);
	assert_true(tag.required);
	assert_int_equal(tag.text_max, 20);
	struct field_info data = field(OCPP201, "GetReport", false, "componentCriteria");
	assert_true(data.list && !data.required);
	assert_int_equal(data.kind, FIELD_WORD);
	assert_int_equal(data.list_min, 1);
	assert_int_equal(data.list_max, 4);
	struct field_info phases = field(OCPP21, "TransactionEvent", false, "numberOfPhasesUsed");
	assert_int_equal(phases.kind, FIELD_INT);
	assert_true(phases.has_min && phases.has_max);
	assert_int_equal(phases.min, 0);
	assert_int_equal(phases.max, 3);
	assert_int_equal(field(OCPP16, "GetDiagnostics", false, "location").kind, FIELD_URI);
	assert_int_equal(field(OCPP201, "DataTransfer", false, "data").kind, FIELD_ANY);
}

static void test_a_lenient_length_where_the_standard_was_too_short(void **state)
{
	(void)state;
	struct field_info f = field(OCPP201, "Get15118EVCertificate", true, "exiResponse");
	assert_int_equal(f.text_max, 5600);
	assert_int_equal(f.text_max_lenient, 17000);
	f = field(OCPP21, "Get15118EVCertificate", true, "exiResponse");
	assert_int_equal(f.text_max, 17000);
}

static void test_limits_of_1_6_are_tenths(void **state)
{
	(void)state;
	struct field_info f = field(OCPP16, "SetChargingProfile", false, "csChargingProfiles");
	assert_string_equal(dictionary_shape_name(f.shape), "ChargingProfile");
	assert_true(dictionary_field_find(f.shape, SLICE("chargingSchedule"), &f));
	assert_true(dictionary_field_find(f.shape, SLICE("chargingSchedulePeriod"), &f));
	assert_true(dictionary_field_find(f.shape, SLICE("limit"), &f));
	assert_true(f.tenths && f.required);
}

static void test_words_are_those_of_the_version(void **state)
{
	(void)state;
	struct field_info reset = field(OCPP201, "Reset", false, "type");
	assert_true(has_word(reset.words, "Immediate") && has_word(reset.words, "OnIdle"));
	assert_false(has_word(reset.words, "ImmediateAndResume"));
	assert_true(has_word(field(OCPP21, "Reset", false, "type").words, "ImmediateAndResume"));
	assert_true(has_word(field(OCPP16, "Reset", false, "type").words, "Hard"));
	assert_string_equal(dictionary_words_name(reset.words), "Reset");
}

static void test_2_1_changes_what_it_says_and_nothing_else(void **state)
{
	(void)state;
	/* idToken types are an enumeration in 2.0.1 and a text in 2.1 */
	struct field_info token = field(OCPP201, "Authorize", false, "idToken"), type;
	assert_true(dictionary_field_find(token.shape, SLICE("type"), &type));
	assert_int_equal(type.kind, FIELD_WORD);
	token = field(OCPP21, "Authorize", false, "idToken");
	assert_true(dictionary_field_find(token.shape, SLICE("type"), &type));
	assert_int_equal(type.kind, FIELD_TEXT);
	assert_int_equal(type.text_max, 20);
	/* what is the same is stored once */
	assert_ptr_equal(dictionary_shape(OCPP201, "Heartbeat", true), dictionary_shape(OCPP21, "Heartbeat", true));
	assert_ptr_not_equal(dictionary_shape(OCPP201, "Authorize", false), dictionary_shape(OCPP21, "Authorize", false));
}

static void test_custom_data_is_everywhere_in_2_x_and_open(void **state)
{
	(void)state;
	for (size_t i = 0; dictionary_action(OCPP201, i); i++)
		assert_true(has_field(dictionary_shape(OCPP201, dictionary_action(OCPP201, i), false), "customData"));
	struct field_info custom = field(OCPP21, "Heartbeat", false, "customData");
	assert_true(dictionary_shape_open(custom.shape));
	assert_false(has_field(custom.shape, "customData"));
	assert_false(dictionary_shape_open(dictionary_shape(OCPP21, "Heartbeat", false)));
	assert_int_equal(dictionary_field_count(dictionary_shape(OCPP16, "Heartbeat", false)), 0);
}

static void test_the_tables_are_small(void **state)
{
	(void)state;
	struct dictionary_size size = dictionary_size();
	assert_true(size.bytes < 150000);
	assert_true(size.shapes > 400 && size.fields > 2000 && size.words > 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_action_is_there),
		cmocka_unit_test(test_all_that_is_listed_is_found),
		cmocka_unit_test(test_unknown_actions_are_not_found),
		cmocka_unit_test(test_a_field_tells_its_bounds),
		cmocka_unit_test(test_a_lenient_length_where_the_standard_was_too_short),
		cmocka_unit_test(test_limits_of_1_6_are_tenths),
		cmocka_unit_test(test_words_are_those_of_the_version),
		cmocka_unit_test(test_2_1_changes_what_it_says_and_nothing_else),
		cmocka_unit_test(test_custom_data_is_everywhere_in_2_x_and_open),
		cmocka_unit_test(test_the_tables_are_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
