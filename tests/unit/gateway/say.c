/* Sentences about limits: every reason that the balancer can name has one of its own in both languages, and its values are filled in. */
#include "gateway/ctl/ctl-say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "energy/reason.h"
#include "tests/unit/unit.h"

static char *said(const char *json, bool german)
{
	struct buf out = { 0 };
	cJSON *e = cJSON_Parse(json);
	assert_non_null(e);
	say_why(e, german, &out);
	cJSON_Delete(e);
	return out.p;
}

static void says(const char *json, bool german, const char *text)
{
	char *is = said(json, german);
	assert_string_equal(is ? is : "", text);
	free(is);
}

static void every_reason(void **unused)
{
	(void)unused;
	for (const char *const *reason = reason_names; *reason; reason++) {
		char json[400], raw[80], *texts[2];
		snprintf(json, sizeof(json),
		         "{\"state\":\"charging\",\"tx\":{},\"i_a\":[5,5,5],\"sharing\":{\"limit_a\":[63,63,63]},"
		         "\"limit\":{\"a\":[7.5,7.5,7.5],\"reason\":\"%s\",\"ref\":\"somebody\",\"phase\":\"L2\",\"until\":\"2026-03-02T19:00:00Z\"}}",
		         *reason);
		snprintf(raw, sizeof(raw), ": %s somebody.", *reason); /* how a word without a sentence is told */
		for (int german = 0; german < 2; german++) {
			texts[german] = said(json, german);
			assert_non_null(texts[german]);
			assert_null(strchr(texts[german], '{'));
			assert_null(strstr(texts[german], raw));
		}
		assert_string_not_equal(texts[0], texts[1]);
		free(texts[0]);
		free(texts[1]);
	}
}

static void values(void **unused)
{
	(void)unused;
	setenv("TZ", "UTC", 1);
	static const char shared[] = "{\"state\":\"charging\",\"tx\":{},\"limit\":{\"a\":[11,11,11],\"reason\":\"circuit\",\"ref\":\"row-a\",\"phase\":\"L2\"},"
	                             "\"sharing\":{\"evses\":9,\"limit_a\":[63,100,63]}}";
	says(shared, false, "The car gets 11.0 A: 9 cars share the 100 A of the circuit row-a, which is full on L2.");
	says(shared, true, "Das Auto bekommt 11,0 A: 9 Autos teilen sich die 100 A des Stromkreises row-a, der auf L2 voll ist.");
	says("{\"state\":\"charging\",\"tx\":{},\"waiting\":true,\"limit\":{\"reason\":\"waiting\",\"until\":\"2026-03-02T19:05:00Z\"}}", false,
	     "The car waits for its turn: there is not enough current for all at once. The next one begins by 19:05.");
	says("{\"state\":\"available\",\"tx\":null,\"limit\":{\"a\":[0,0,0],\"reason\":\"ev\"}}", false, "Free. A car can be plugged in.");
	says("{\"state\":\"faulted\",\"tx\":{},\"error\":\"GroundFailure\"}", false, "The station reports a fault: GroundFailure.");
	says("{\"state\":\"charging\",\"tx\":{},\"limit\":{\"a\":[9,0,0],\"reason\":\"tomorrow\",\"ref\":\"x\"}}", false, "The car gets 9.0 A: tomorrow x.");
	says("{\"state\":\"reserved\",\"tx\":null}", false, "Reserved for somebody.");
}

static void language(void **unused)
{
	(void)unused;
	unsetenv("LC_MESSAGES");
	unsetenv("LC_ALL");
	setenv("LANG", "de_AT.UTF-8", 1);
	assert_true(say_german());
	setenv("LC_ALL", "C.UTF-8", 1);
	assert_false(say_german());
	setenv("LC_ALL", "", 1);
	assert_true(say_german());
	unsetenv("LANG");
	assert_false(say_german());
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_reason), cmocka_unit_test(values), cmocka_unit_test(language) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
