/* The grid operator's limits: every way an input can speak, be silent, or talk nonsense. */
#include <stdio.h>

#include "base/clock.h"
#include "energy/fuse.h"
#include "energy/grid.h"
#include "tests/unit/unit.h"

#define S US_PER_S
#define MS (S / 1000)

static struct grid *g;
static char said[4096]; /* evidence, one word per line */
static int64_t took_us, heard_us, most_w;

static void on_evidence(void *arg, const struct grid_evidence *e)
{
	static const char *const kinds[] = { "input", "limit", "obeyed" };
	char line[160];
	(void)arg;
	snprintf(line, sizeof(line), "%lld %s %s %s %lld%s%s\n", (long long)(e->at_us / S), kinds[e->kind], e->input ? e->input : "-", grid_state_text(e->is),
		 (long long)e->limit_w, e->why ? " " : "", e->why ? e->why : "");
	strncat(said, line, sizeof(said) - strlen(said) - 1);
	took_us = e->took_us;
	heard_us = e->heard_us;
	most_w = e->most_w;
}

static void open_with(const struct grid_input_conf *in, size_t n)
{
	said[0] = 0;
	g = grid_open(in, n, on_evidence, NULL, 100 * S);
}

static int64_t limit(void)
{
	struct grid_now now;
	grid_look(g, &now);
	return now.limit_w;
}

static int drop(void **state)
{
	(void)state;
	grid_close(g);
	g = NULL;
	return 0;
}

static const struct grid_input_conf contact = { .id = "box", .fail_safe_w = 4200, .debounce_us = 300 * MS, .stale_after_us = 10 * S };
static const struct grid_input_conf command = { .id = "ems", .fail_safe_w = 4200 };

static void test_nothing_heard_yet_is_limited(void **state)
{
	(void)state;
	open_with(&contact, 1);
	assert_int_equal(limit(), 4200);
	grid_says(g, 0, GRID_FREE_W, 0, 101 * S);
	grid_says(g, 0, GRID_FREE_W, 0, 101 * S + 400 * MS);
	assert_int_equal(limit(), GRID_FREE_W);
	assert_true(grid_step(g, 102 * S));
	assert_false(grid_step(g, 102 * S));
}

static void test_a_change_has_to_last(void **state)
{
	(void)state;
	open_with(&contact, 1);
	grid_says(g, 0, GRID_FREE_W, 0, 101 * S);
	grid_step(g, 102 * S);
	grid_says(g, 0, 6000, 0, 110 * S);
	assert_int_equal(limit(), GRID_FREE_W);
	grid_says(g, 0, GRID_FREE_W, 0, 110 * S + 100 * MS); /* it bounced */
	grid_says(g, 0, 6000, 0, 110 * S + 200 * MS);
	grid_step(g, 110 * S + 400 * MS);
	assert_int_equal(limit(), GRID_FREE_W);
	grid_step(g, 110 * S + 500 * MS);
	assert_int_equal(limit(), 6000);
}

static void test_silence_is_the_fail_safe_and_is_held(void **state)
{
	struct grid_input_conf in = contact;
	(void)state;
	in.hold_us = 60 * S;
	open_with(&in, 1);
	grid_says(g, 0, GRID_FREE_W, 0, 101 * S);
	grid_step(g, 102 * S);
	grid_fails(g, 0, "no answer", 105 * S);
	grid_step(g, 110 * S);
	assert_int_equal(limit(), GRID_FREE_W);
	grid_fails(g, 0, "no answer", 111 * S);
	assert_true(grid_step(g, 111 * S)); /* whoever asks hears of it, whichever call noticed */
	assert_int_equal(limit(), 4200);
	assert_non_null(strstr(said, "111 input box fail_safe 4200 no answer"));
	for (int t = 112; t < 171; t++)
		grid_says(g, 0, GRID_FREE_W, 0, t * S);
	assert_int_equal(limit(), 4200);
	grid_says(g, 0, GRID_FREE_W, 0, 171 * S);
	assert_int_equal(limit(), GRID_FREE_W);
}

static void test_nobody_is_silent_while_nobody_listens(void **state)
{
	(void)state;
	open_with(&contact, 1);
	grid_says(g, 0, GRID_FREE_W, 0, 101 * S);
	grid_step(g, 102 * S);
	grid_held_up(g, 121 * S);
	grid_step(g, 120 * S);
	assert_int_equal(limit(), GRID_FREE_W);
	grid_step(g, 121 * S);
	assert_int_equal(limit(), 4200);
}

/* What the operator says while the fail-safe is held can only make it lower. */
static void test_a_lower_word_counts_while_the_fail_safe_is_held(void **state)
{
	struct grid_input_conf in = contact;
	(void)state;
	in.hold_us = 60 * S;
	open_with(&in, 1);
	grid_step(g, 110 * S);
	assert_int_equal(limit(), 4200);
	grid_says(g, 0, 0, 0, 112 * S);
	grid_step(g, 112 * S + 200 * MS);
	assert_int_equal(limit(), 4200);
	grid_step(g, 112 * S + 300 * MS);
	assert_int_equal(limit(), 0);
	assert_non_null(strstr(said, "112 limit box fail_safe 0"));
	assert_int_equal(heard_us, 112 * S);
	grid_says(g, 0, 9000, 0, 120 * S);
	grid_step(g, 121 * S);
	assert_int_equal(limit(), 4200); /* a higher one waits */
	grid_says(g, 0, 0, 0, 122 * S);
	grid_step(g, 123 * S);
	assert_int_equal(limit(), 0);
	grid_fails(g, 0, "no answer", 124 * S);
	assert_int_equal(limit(), 4200);
	grid_says(g, 0, 0, 0, 169 * S);
	grid_step(g, 171 * S);
	assert_int_equal(limit(), 0);
	grid_says(g, 0, GRID_FREE_W, 0, 172 * S);
	grid_step(g, 173 * S);
	assert_int_equal(limit(), GRID_FREE_W);
}

static void test_a_command_ends_by_itself(void **state)
{
	(void)state;
	open_with(&command, 1);
	assert_int_equal(limit(), GRID_FREE_W); /* it need not speak */
	grid_says(g, 0, 11000, 160 * S, 101 * S);
	assert_int_equal(limit(), 11000);
	grid_step(g, 159 * S);
	assert_int_equal(limit(), 11000);
	grid_step(g, 160 * S);
	assert_int_equal(limit(), GRID_FREE_W);
	grid_says(g, 0, 0, 0, 170 * S);
	grid_step(g, 100000 * S);
	assert_int_equal(limit(), 0);
}

static void test_priority_goes_before_the_lowest(void **state)
{
	struct grid_input_conf in[3] = { command, command, command };
	(void)state;
	in[0].id = "a";
	in[1].id = "b";
	in[2].id = "c";
	in[2].priority = 10;
	open_with(in, 3);
	grid_says(g, 0, 5000, 0, 101 * S);
	grid_says(g, 1, 3000, 0, 102 * S);
	assert_int_equal(limit(), 3000);
	grid_says(g, 2, 8000, 0, 103 * S);
	assert_int_equal(limit(), 8000);
	grid_says(g, 2, GRID_FREE_W, 0, 104 * S); /* free takes nothing away from those below */
	assert_int_equal(limit(), 3000);
	grid_says(g, 1, GRID_FREE_W, 0, 105 * S);
	assert_int_equal(limit(), 5000);
	grid_says(g, 0, GRID_FREE_W, 0, 106 * S);
	assert_int_equal(limit(), GRID_FREE_W);
}

/* One that is broken knows nothing, so it takes nothing away from what others have said, whatever its priority. */
static void test_silence_raises_no_limit(void **state)
{
	struct grid_input_conf in[2] = { { .id = "ems", .priority = 10, .fail_safe_w = 9000, .stale_after_us = 10 * S }, { .id = "box", .fail_safe_w = 6000 } };
	(void)state;
	open_with(in, 2);
	grid_says(g, 1, 4200, 0, 101 * S);
	assert_int_equal(limit(), 4200); /* the other one has not spoken yet */
	grid_says(g, 0, 8000, 0, 102 * S);
	assert_int_equal(limit(), 8000); /* what it says goes before */
	grid_step(g, 112 * S);
	assert_int_equal(limit(), 4200);
	grid_says(g, 1, 20000, 0, 113 * S);
	assert_int_equal(limit(), 9000);
	assert_non_null(strstr(said, "113 limit ems fail_safe 9000 silent"));
	grid_says(g, 1, GRID_FREE_W, 0, 114 * S);
	assert_int_equal(limit(), 9000);
	in[0].stale_after_us = 0;
	grid_change(g, in, 2, 115 * S);
	assert_int_equal(limit(), GRID_FREE_W);
	assert_non_null(strstr(said, "115 input ems unknown -1 it need not speak any more"));
}

/* The debounce time is part of the answer, and what was drawn under the limit is told when it ends. */
static void test_evidence_counts_from_the_first_reading(void **state)
{
	(void)state;
	open_with(&contact, 1);
	assert_non_null(strstr(said, "100 limit box fail_safe 4200 not heard since the start"));
	grid_says(g, 0, GRID_FREE_W, 0, 101 * S);
	grid_step(g, 102 * S);
	assert_int_equal(most_w, -1);
	grid_says(g, 0, 6000, 0, 110 * S);
	grid_step(g, 110 * S + 300 * MS);
	assert_int_equal(heard_us, 110 * S);
	grid_power(g, 22000, 111 * S);
	grid_power(g, 5000, 112 * S);
	assert_int_equal(took_us, 2 * S);
	grid_power(g, 6300, 113 * S);
	grid_power(g, 5900, 114 * S);
	grid_says(g, 0, GRID_FREE_W, 0, 115 * S);
	grid_step(g, 116 * S);
	assert_non_null(strstr(said, "116 limit - free -1"));
	assert_int_equal(heard_us, 115 * S);
	assert_int_equal(most_w, 6300);
	grid_says(g, 0, 6000, 0, 120 * S);
	grid_step(g, 121 * S);
	grid_power(g, 7000, 122 * S); /* never obeyed, so nothing is known of it */
	grid_says(g, 0, GRID_FREE_W, 0, 123 * S);
	grid_step(g, 124 * S);
	assert_int_equal(most_w, -1);
}

static void test_evidence_tells_command_and_effect(void **state)
{
	(void)state;
	open_with(&command, 1);
	grid_says(g, 0, 10000, 0, 101 * S);
	grid_power(g, 25000, 102 * S);
	grid_power(g, 12000, 103 * S);
	grid_power(g, 9900, 104 * S);
	grid_power(g, 9000, 105 * S);
	assert_string_equal(said, "101 input ems limited 10000\n101 limit ems limited 10000\n104 obeyed ems limited 10000\n");
	assert_int_equal(took_us, 3 * S);
	grid_says(g, 0, GRID_FREE_W, 0, 200 * S);
	assert_non_null(strstr(said, "200 limit - free -1\n"));
}

/* Another configuration forgets nothing of those that stay: neither the word, nor its end, nor how long one has been silent. */
static void test_inputs_that_stay_go_on_under_other_rules(void **state)
{
	(void)state;
	struct grid_input_conf two[] = { contact, command }, other[] = { { .id = "new", .fail_safe_w = 9000 }, command, contact };
	struct grid_input_view v;
	open_with(two, 2);
	grid_says(g, 0, GRID_FREE_W, 0, 101 * S);
	grid_step(g, 102 * S);
	grid_says(g, 1, 6000, 130 * S, 103 * S);
	grid_step(g, 103 * S);
	assert_int_equal(limit(), 6000);
	other[2].fail_safe_w = 3000;
	said[0] = 0;
	grid_change(g, other, 3, 104 * S);
	assert_int_equal(limit(), 6000);
	assert_string_equal(said, "");
	grid_step(g, 111 * S);
	assert_string_equal(said, "111 input box fail_safe 3000 silent\n111 limit box fail_safe 3000 silent\n");
	grid_input_look(g, 1, &v);
	assert_int_equal(v.until_us, 130 * S);
	grid_change(g, other, 2, 112 * S); /* the silent one goes */
	assert_int_equal(limit(), 6000);
	assert_true(grid_step(g, 113 * S));
	grid_step(g, 130 * S);
	assert_int_equal(limit(), GRID_FREE_W);
	grid_change(g, other, 0, 131 * S);
	assert_int_equal(grid_inputs(g), 0);
}

static const struct grid_input_conf server = { .id = "ems", .fail_safe_w = 4200 }, watched = { .id = "ems", .fail_safe_w = 4200, .stale_after_us = 60 * S };

/* A port that is taken is no word of anybody, so it is the fail-safe, though the input need not speak. */
static void test_one_that_is_deaf_is_limited_until_it_hears(void **state)
{
	(void)state;
	open_with(&server, 1);
	assert_int_equal(limit(), GRID_FREE_W);
	grid_deaf(g, 0, "no port", 100 * S);
	assert_string_equal(said, "100 input ems fail_safe 4200 no port\n100 limit ems fail_safe 4200 no port\n");
	grid_deaf(g, 0, "still no port", 101 * S);
	grid_step(g, 10000 * S);
	assert_int_equal(limit(), 4200);
	said[0] = 0;
	grid_hears(g, 0, 10001 * S);
	assert_int_equal(limit(), GRID_FREE_W);
	assert_string_equal(said, "10001 input ems unknown -1 it can be heard again\n10001 limit - free -1\n");
	grid_hears(g, 0, 10002 * S);
	grid_says(g, 0, 3000, 0, 10003 * S);
	assert_int_equal(limit(), 3000);
}

/* What was kept of it over a restart, or holds when its port is lost. */
static void test_the_word_of_one_that_is_deaf_waits(void **state)
{
	struct grid_input_view v;
	(void)state;
	open_with(&server, 1);
	grid_deaf(g, 0, "no port", 100 * S);
	grid_says(g, 0, 3000, 0, 100 * S);
	assert_int_equal(limit(), 3000); /* lower than the fail-safe */
	grid_input_look(g, 0, &v);
	assert_string_equal(v.fault, "no port");
	grid_says(g, 0, 9000, 0, 101 * S);
	assert_int_equal(limit(), 4200);
	grid_hears(g, 0, 102 * S);
	assert_int_equal(limit(), 9000);
	said[0] = 0;
	grid_deaf(g, 0, "no port", 103 * S);
	assert_int_equal(limit(), 4200);
	grid_hears(g, 0, 104 * S);
	assert_int_equal(limit(), 9000);
	grid_says(g, 0, 2000, 0, 105 * S);
	said[0] = 0;
	grid_deaf(g, 0, "no port", 106 * S);
	assert_string_equal(said, "106 input ems fail_safe 4200 no port\n106 limit ems fail_safe 2000 no port\n"); /* never more than before */
}

static void test_one_that_has_to_speak_and_was_deaf_for_long_stays_limited_until_it_does(void **state)
{
	(void)state;
	open_with(&watched, 1);
	grid_says(g, 0, GRID_FREE_W, 0, 101 * S);
	grid_deaf(g, 0, "no port", 102 * S);
	grid_hears(g, 0, 110 * S);
	assert_int_equal(limit(), GRID_FREE_W);
	grid_deaf(g, 0, "no port", 111 * S);
	grid_hears(g, 0, 161 * S);
	assert_int_equal(limit(), 4200);
	grid_says(g, 0, GRID_FREE_W, 0, 162 * S);
	assert_int_equal(limit(), GRID_FREE_W);
}

static void test_section_14a_keeps_a_minimum(void **state)
{
	(void)state;
	assert_int_equal(grid_dimmed_w(1, 4200, 0), 4200);
	assert_int_equal(grid_dimmed_w(2, 4200, 0), 7560);   /* 4.2 + 0.80 x 4.2 */
	assert_int_equal(grid_dimmed_w(5, 4200, 0), 15120);  /* 4.2 + 4 x 0.65 x 4.2 */
	assert_int_equal(grid_dimmed_w(24, 4200, 0), 47670); /* 4.2 + 23 x 0.45 x 4.2 */
	assert_int_equal(grid_dimmed_w(1, 4200, 20000), 8000);   /* 0.4 x 20 */
	assert_int_equal(grid_dimmed_w(3, 4200, 20000), 14300);  /* 8 + 2 x 0.75 x 4.2 */
	assert_int_equal(grid_dimmed_w(3, 6000, 12000), 15000);  /* 0.4 x 12 is less than one keeps: 6 + 2 x 0.75 x 6 */
}

static void test_a_ripple_receiver_and_its_broken_wires(void **state)
{
	(void)state;
	assert_int_equal(grid_ripple(0xf, 1), 100);
	assert_int_equal(grid_ripple(0xf, 2), 60);
	assert_int_equal(grid_ripple(0xf, 4), 30);
	assert_int_equal(grid_ripple(0xf, 8), 0);
	assert_int_equal(grid_ripple(0xf, 0), -1);
	assert_int_equal(grid_ripple(0xf, 6), 30);
	assert_int_equal(grid_ripple(0xe, 0), 100);
	assert_int_equal(grid_ripple(0xe, 1), 100);
}

static void test_trip_curves(void **state)
{
	struct fuse_heat heat = { 0 };
	(void)state;
	assert_int_equal(fuse_holds_us(FUSE_B, 63000, 71000), FUSE_NEVER);
	assert_int_equal(fuse_holds_us(FUSE_GG, 100000, 125000), FUSE_NEVER);
	assert_in_range(fuse_holds_us(FUSE_B, 63000, 91350), 119 * S, 121 * S); /* 1.45 */
	assert_in_range(fuse_holds_us(FUSE_GG, 100000, 200000), 179 * S, 181 * S);
	assert_in_range(fuse_holds_us(FUSE_C, 100000, 400000), 150 * MS, 250 * MS);
	assert_in_range(fuse_holds_us(FUSE_B, 100000, 400000), 0, 20 * MS);
	assert_true(fuse_holds_us(FUSE_B, 63000, 80000) > fuse_holds_us(FUSE_B, 63000, 90000));
	for (int i = 0; i < 60; i++)
		fuse_heat_step(&heat, FUSE_B, 63000, 91350, S);
	assert_in_range(heat.millionths, 490000, 510000);
	for (int i = 0; i < 600; i++)
		fuse_heat_step(&heat, FUSE_B, 63000, 30000, S);
	assert_true(heat.millionths < 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_nothing_heard_yet_is_limited, drop),
		cmocka_unit_test_teardown(test_a_change_has_to_last, drop),
		cmocka_unit_test_teardown(test_silence_is_the_fail_safe_and_is_held, drop),
		cmocka_unit_test_teardown(test_nobody_is_silent_while_nobody_listens, drop),
		cmocka_unit_test_teardown(test_a_lower_word_counts_while_the_fail_safe_is_held, drop),
		cmocka_unit_test_teardown(test_a_command_ends_by_itself, drop),
		cmocka_unit_test_teardown(test_silence_raises_no_limit, drop),
		cmocka_unit_test_teardown(test_priority_goes_before_the_lowest, drop),
		cmocka_unit_test_teardown(test_evidence_tells_command_and_effect, drop),
		cmocka_unit_test_teardown(test_evidence_counts_from_the_first_reading, drop),
		cmocka_unit_test_teardown(test_inputs_that_stay_go_on_under_other_rules, drop),
		cmocka_unit_test_teardown(test_one_that_is_deaf_is_limited_until_it_hears, drop),
		cmocka_unit_test_teardown(test_the_word_of_one_that_is_deaf_waits, drop),
		cmocka_unit_test_teardown(test_one_that_has_to_speak_and_was_deaf_for_long_stays_limited_until_it_does, drop),
		cmocka_unit_test(test_section_14a_keeps_a_minimum),
		cmocka_unit_test(test_a_ripple_receiver_and_its_broken_wires),
		cmocka_unit_test(test_trip_curves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
