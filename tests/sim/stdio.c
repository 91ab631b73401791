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

static char got[4096], said[1024], why[128];

static int talk(const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r"), *out = fmemopen(got, sizeof(got), "w");
	FILE *err = fmemopen(said, sizeof(said), "w");
	int rc = balance_stdio(in, out, err, NULL, why, sizeof(why));
	if (!ftell(err))
		said[0] = 0;
	fclose(in);
	fclose(out);
	fclose(err);
	return rc;
}

#define GRID "{\"id\":\"grid\",\"parent\":null,\"limit_a\":[40,40,40],\"metered\":true}"
#define SITE(nodes, evses) "{\"type\":\"hello\",\"period_s\":5,\"dc_amps_per_kw\":1.5407,\"nodes\":[" nodes "],\"evses\":[" evses "]}\n"
#define LOOK(t, i, evses)                                                                                                                    \
	"{\"type\":\"state\",\"t\":" #t ",\"seq\":" #t ",\"meters\":[{\"node\":\"grid\",\"i\":" i ",\"age\":0,\"ok\":true}],\"evses\":[" evses "]}\n"
#define NEW(id) "{\"id\":\"" id "\",\"set\":0,\"st\":\"B\",\"sess\":\"s1\"}"
#define ANSWER(t, orders) "{\"type\":\"set\",\"seq\":" #t ",\"set\":[" orders "]}\n"
#define ORDER(id, set, why) "{\"id\":\"" id "\",\"set\":" set ",\"why\":\"" why "\"}"

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

static void test_without_a_site_there_is_nothing_to_go_on_with(void **state)
{
	(void)state;
	assert_int_equal(talk("{\"type\":\"state\",\"t\":5}\n"), ERR_INVALID);
	assert_string_equal(why, "line 1: a state before hello");
	assert_int_equal(talk("\r\nhello\n"), ERR_SYNTAX);
	assert_string_equal(why, "line 2: not a message: hello");
}

static void test_a_line_that_is_not_understood_is_left_out_and_told(void **state)
{
	(void)state;
	assert_int_equal(talk(HELLO "\n{\"type\":\"state\",\"t\":5,\n" "{\"type\":\"ping\"}\n" LOOK(10, "[4,4,4]", NEW("G-01")) "{\"type\":\"bye\"}\n"), 0);
	assert_string_equal(got, READY ANSWER(10, ORDER("G-01", "32", "evse_max")));
	assert_string_equal(said, "ampgate: line 3: not a message, left out: {\"type\":\"state\",\"t\":5,\n"
		"ampgate: line 4: not a message of a known type, left out: {\"type\":\"ping\"}\n");
}

/* Python writes them so, and a text with such a word in it is a text. */
static void test_numbers_that_are_none_are_not_known(void **state)
{
	static const char *const currents[] = { "[NaN,4,4]", "[4,Infinity,4]", "[4,4,-Infinity]", "[4,null,4]", "[1e999,4,4]", "[4,4]", "null", "\"\"" };
	char text[2048];
	(void)state;
	for (size_t k = 0; k < sizeof(currents) / sizeof(currents[0]); k++) {
		snprintf(text, sizeof(text), "%s{\"type\":\"state\",\"t\":9,\"seq\":9,\"meters\":[{\"node\":\"grid\",\"i\":%s,\"age\":0}],\"evses\":[%s]}\n",
			 SITE(GRID, "{\"id\":\"-NaN \\\"Infinity\",\"node\":\"grid\",\"lines\":[0],\"failsafe\":7}"), currents[k], NEW("-NaN \\\"Infinity"));
		assert_int_equal(talk(text), 0);
		assert_string_equal(got, READY ANSWER(9, ORDER("-NaN \\\"Infinity", "7", "meter_lost grid")));
	}
}

static void test_another_hello_begins_anew(void **state)
{
	(void)state;
	assert_int_equal(talk(HELLO LOOK(5, "[4,4,4]", NEW("G-01"))
		SITE(GRID, "{\"id\":\"H-01\",\"node\":\"grid\",\"lines\":[0,1,2],\"max\":16}") LOOK(6, "[4,4,4]", NEW("G-01") "," NEW("H-01"))), 0);
	assert_string_equal(got, READY ANSWER(5, ORDER("G-01", "32", "evse_max")) READY ANSWER(6, ORDER("H-01", "16", "evse_max")));
}

static void test_nodes_come_in_any_order_and_may_be_several_trees(void **state)
{
	(void)state;
	assert_int_equal(talk(SITE("{\"id\":\"row\",\"parent\":\"hall\",\"limit_a\":[32,32,32]},{\"id\":\"hall\",\"parent\":\"grid\",\"limit_a\":20},"
		"{\"id\":\"barn\",\"parent\":\"\",\"limit_a\":[12,12,12]}," GRID,
		"{\"id\":\"R\",\"node\":\"row\",\"lines\":[0,1,2]},{\"id\":\"B\",\"node\":\"barn\",\"lines\":[0]}")
		LOOK(5, "[4,4,4]", NEW("R") "," NEW("B"))), 0);
	assert_string_equal(got, READY ANSWER(5, ORDER("R", "20", "circuit hall L1") "," ORDER("B", "12", "circuit barn L1")));
	assert_string_equal(said, "");
}

static void test_a_socket_of_two_lines_counts_on_both_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(talk(SITE(GRID, "{\"id\":\"T\",\"node\":\"grid\",\"lines\":[2,0]}") LOOK(5, "[4,39,4]", NEW("T"))), 0);
	assert_string_equal(got, READY ANSWER(5, ORDER("T", "32", "evse_max")));
	assert_int_equal(talk(SITE(GRID, "{\"id\":\"T\",\"node\":\"grid\",\"lines\":[2,0]}") LOOK(5, "[25,4,4]", NEW("T"))), 0);
	assert_non_null(strstr(got, "\"why\":\"circuit grid L1\""));
	assert_int_equal(talk(SITE(GRID, "{\"id\":\"T\",\"node\":\"grid\",\"lines\":[2,0]}") LOOK(5, "[4,4,25]", NEW("T"))), 0);
	assert_non_null(strstr(got, "\"why\":\"circuit grid L3\""));
}

/* Its minimum is above its maximum in tenths of an ampere. */
static void test_a_socket_of_one_power_gets_that(void **state)
{
	static const char *const ranges[][3] = { { "dc", "20", "20" }, { "dc", "11", "11" }, { "dc", "5", "5.04" }, { "dc", "5.07", "5.07" },
						 { "ac", "10", "10" }, { "ac", "6.05", "6.05" } };
	char text[2048], order[64];
	(void)state;
	for (size_t k = 0; k < sizeof(ranges) / sizeof(ranges[0]); k++) {
		snprintf(text, sizeof(text), SITE(GRID, "{\"id\":\"F\",\"kind\":\"%s\",\"node\":\"grid\",\"lines\":[0,1,2],\"min\":%s,\"max\":%s}")
			LOOK(5, "[0,0,0]", NEW("F")), ranges[k][0], ranges[k][1], ranges[k][2]);
		assert_int_equal(talk(text), 0);
		snprintf(order, sizeof(order), "{\"id\":\"F\",\"set\":%s,", ranges[k][1]);
		assert_non_null(strstr(got, order));
	}
}

static void test_a_socket_without_power_is_never_told_anything(void **state)
{
	(void)state;
	assert_int_equal(talk(SITE(GRID, "{\"id\":\"N\",\"node\":\"grid\",\"lines\":[0],\"min\":0,\"max\":0},{\"id\":\"G\",\"node\":\"grid\",\"lines\":[0]}")
		LOOK(5, "[0,0,0]", NEW("N") "," NEW("G"))), 0);
	assert_string_equal(got, READY ANSWER(5, ORDER("G", "32", "evse_max")));
}

static void test_bounds_that_contradict_are_cut_and_told(void **state)
{
	(void)state;
	assert_int_equal(talk(SITE(GRID, "{\"id\":\"G\",\"node\":\"grid\",\"lines\":[0],\"min\":16,\"max\":10,\"failsafe\":32}") LOOK(5, "[0,0,0]", NEW("G"))), 0);
	assert_string_equal(got, READY ANSWER(5, ORDER("G", "10", "evse_max")));
	assert_string_equal(said, "ampgate: line 1: EVSE G: failsafe is above max, and is taken as max\n"
		"ampgate: line 1: EVSE G: min is above max, and is taken as max\n");
}

/* Kilowatt of an alternating current say nothing of its lines, and what is not said of one is not known of any. */
static void test_a_draw_that_is_not_said_is_not_nought(void **state)
{
	static const char *const draws[] = { "\"kw\":0", "\"i\":null", "\"i\":[null,null,null]", "\"i\":[16,null,16]", "\"i\":[16]", "\"i\":[NaN,0,0]",
					     "\"prio\":0", "\"i\":[0,0,0],\"age\":null" };
	(void)state;
	for (size_t d = 0; d < sizeof(draws) / sizeof(draws[0]); d++) {
		char text[4096] = SITE(GRID, "{\"id\":\"G\",\"node\":\"grid\",\"lines\":[0,1,2],\"max\":16}");
		for (int k = 1; k < 12; k++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "{\"type\":\"state\",\"t\":%d,\"seq\":%d,\"meters\":[{\"node\":\"grid\","
				"\"i\":[%d,17,17]}],\"evses\":[{\"id\":\"G\",\"set\":16,\"st\":\"C\",\"sess\":\"s1\",%s}]}\n", 5 * k, 5 * k, 17 + k % 2,
				k < 6 ? "\"i\":[16,16,16]" : draws[d]);
		assert_int_equal(talk(text), 0);
		const char *then = strstr(got, "\"seq\":30");
		assert_non_null(then);
		assert_null(strstr(then, "\"id\""));
	}
}

static void test_a_site_that_cannot_be_says_why(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ SITE("{\"id\":\"a\",\"parent\":\"b\"}", ""), "line 1: no node b" },
		{ SITE("{\"id\":\"a\",\"parent\":\"b\"},{\"id\":\"b\",\"parent\":\"a\"}", ""), "line 1: node a hangs below itself" },
		{ SITE(GRID "," GRID, ""), "line 1: two nodes have the id grid" },
		{ SITE(GRID, "{\"id\":\"G\",\"node\":\"grid\",\"lines\":[0]},{\"id\":\"G\",\"node\":\"grid\",\"lines\":[0]}"), "line 1: two EVSEs have the id G" },
		{ SITE(GRID, "{\"id\":\"G\",\"node\":\"grid\",\"lines\":[\"L1\"]}"), "line 1: EVSE G: lines are 0, 1 and 2" },
		{ SITE(GRID, "{\"id\":\"G\",\"node\":\"grid\"}"), "line 1: EVSE G: lines is a list of one to three" },
		{ SITE("{\"id\":\"a\",\"limit_a\":[40,\"x\",40]}", ""), "line 1: node a: limit_a is no list of numbers" },
		{ HELLO SITE("", ""), "line 2: the site: there is no grid connection" },
	};
	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		assert_int_equal(talk(rows[k].text), ERR_INVALID);
		assert_string_equal(why, rows[k].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_conversation),
		cmocka_unit_test(test_direct_current_is_told_in_kilowatt_and_caps_hold),
		cmocka_unit_test(test_without_a_site_there_is_nothing_to_go_on_with),
		cmocka_unit_test(test_a_line_that_is_not_understood_is_left_out_and_told),
		cmocka_unit_test(test_numbers_that_are_none_are_not_known),
		cmocka_unit_test(test_another_hello_begins_anew),
		cmocka_unit_test(test_nodes_come_in_any_order_and_may_be_several_trees),
		cmocka_unit_test(test_a_socket_of_two_lines_counts_on_both_and_no_other),
		cmocka_unit_test(test_a_socket_of_one_power_gets_that),
		cmocka_unit_test(test_a_socket_without_power_is_never_told_anything),
		cmocka_unit_test(test_bounds_that_contradict_are_cut_and_told),
		cmocka_unit_test(test_a_draw_that_is_not_said_is_not_nought),
		cmocka_unit_test(test_a_site_that_cannot_be_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
