/* The balancer driven by lines of text: a small site talks through some periods, and the answers are compared as text. */
#include <stdio.h>

#include "gateway/power/balance-stdio.h"
#include "tests/unit/unit.h"

#define HELLO                                                                                                                                \
	"{\"type\":\"hello\",\"v\":1,\"period_s\":5,\"dc_amps_per_kw\":1.5,\"nodes\":[{\"id\":\"grid\",\"parent\":null,"                              \
	"\"limit_a\":[40,40,40],\"metered\":true}],\"evses\":[{\"id\":\"G-01\",\"node\":\"grid\",\"kind\":\"ac\",\"lines\":[1,2,0],"                  \
	"\"min\":6,\"max\":32,\"failsafe\":6,\"failsafe_after_s\":60},{\"id\":\"D-01\",\"node\":\"grid\",\"kind\":\"dc\",\"lines\":[0,1,2],"          \
	"\"min\":5,\"max\":50,\"failsafe\":0,\"failsafe_after_s\":60}]}\n"
#define READY "{\"type\":\"ready\",\"name\":\"ampgate\"}\n"

static char got[4096], why[128];

static int talk(const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r"), *out = fmemopen(got, sizeof(got), "w");
	int rc = balance_stdio(in, out, why, sizeof(why));
	fclose(in);
	fclose(out);
	return rc;
}

static void test_a_conversation(void **state)
{
	(void)state;
	assert_int_equal(talk(HELLO
		"{\"type\":\"state\",\"t\":0,\"seq\":0,\"meters\":[{\"node\":\"grid\",\"i\":[4,4,4],\"age\":0,\"ok\":true}],\"caps\":[],\"evses\":[]}\n"
		"{\"type\":\"state\",\"t\":5,\"seq\":1,\"meters\":[{\"node\":\"grid\",\"i\":[4,4,4.1],\"age\":0,\"ok\":true}],\"caps\":[],\"evses\":["
		"{\"id\":\"G-01\",\"on\":true,\"set\":0,\"age\":0,\"st\":\"B\",\"sess\":\"s1\",\"i\":[0,0,0]}]}\n"
		"{\"type\":\"bye\"}\n"), 0);
	/* 40 A less 4.1 A of base load, rounded up to 5 A, is more than the car can take. */
	assert_string_equal(got, READY "{\"type\":\"set\",\"seq\":0,\"set\":[]}\n"
		"{\"type\":\"set\",\"seq\":1,\"set\":[{\"id\":\"G-01\",\"set\":32,\"why\":\"evse_max\"}]}\n");
}

static void test_direct_current_is_told_in_kilowatt_and_caps_hold(void **state)
{
	(void)state;
	assert_int_equal(talk(HELLO
		"{\"type\":\"state\",\"t\":5,\"seq\":1,\"meters\":[{\"node\":\"grid\",\"i\":[0,0,0],\"age\":0,\"ok\":true}],"
		"\"caps\":[{\"node\":\"grid\",\"limit_a\":[30,30,30]}],\"evses\":["
		"{\"id\":\"D-01\",\"on\":true,\"set\":0,\"age\":0,\"st\":\"B\",\"sess\":\"s1\",\"kw\":0}]}\n"), 0);
	assert_string_equal(got, READY
		"{\"type\":\"set\",\"seq\":1,\"set\":[{\"id\":\"D-01\",\"set\":19.8,\"why\":\"grid_operator grid L1\"}]}\n");
}

static void test_what_is_not_a_message_ends_it(void **state)
{
	(void)state;
	assert_int_equal(talk("{\"type\":\"state\",\"t\":5}\n"), ERR_INVALID);
	assert_string_equal(why, "line 1: a state before hello");
	assert_int_equal(talk("hello\n"), ERR_SYNTAX);
	assert_string_equal(why, "line 1: not a message: hello");
	assert_int_equal(talk(HELLO "\n{\"type\":\"state\",\"t\":5,\n"), ERR_SYNTAX);
	assert_string_equal(why, "line 3: not a message: {\"type\":\"state\",\"t\":5,");
	assert_int_equal(talk("{\"type\":\"hello\",\"nodes\":[{\"id\":\"a\",\"parent\":\"b\"}],\"evses\":[]}\n"), ERR_INVALID);
	assert_string_equal(why, "line 1: no node b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_conversation),
		cmocka_unit_test(test_direct_current_is_told_in_kilowatt_and_caps_hold),
		cmocka_unit_test(test_what_is_not_a_message_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
