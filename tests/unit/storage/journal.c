/* The journal: numbers without gaps, over restarts, and a bound. */
#include "storage/journal.h"
#include "tests/unit/storage/lab.h"

static const struct journal_rec event = {
	.wall_us = 5, .code = "uplink.down", .severity = "warning", .object = "uplink/cpo", .args = "{\"why\":\"timeout\"}",
};

static bool note(void *arg, const struct journal_rec *rec)
{
	char one[16];
	assert_string_equal(rec->code, "uplink.down");
	assert_string_equal(rec->severity, "warning");
	assert_string_equal(rec->object, "uplink/cpo");
	assert_string_equal(rec->args, "{\"why\":\"timeout\"}");
	snprintf(one, sizeof(one), "%d ", (int)rec->seq);
	strcat(arg, one);
	return true;
}

static const char *listed(struct lab *lab, int64_t after_seq)
{
	static char text[400];
	text[0] = 0;
	assert_int_equal(journal_each(lab->s, after_seq, note, text), 0);
	return text;
}

LAB_TEST(test_numbers_are_given_at_once_and_go_on_over_restarts)
{
	lab_open(lab, NULL);
	assert_int_equal(journal_add(lab->s, &event, NULL, NULL), 1);
	assert_int_equal(journal_add(lab->s, &event, on_answer, &last), 2);
	assert_int_equal(value_of(&last, 0), 2);
	assert_string_equal(listed(lab, 0), "1 2 ");
	VALUE_OF(journal_trim(lab->s, 0, 0, on_answer, &last));
	assert_string_equal(listed(lab, 0), "");
	lab_reopen(lab);
	assert_int_equal(journal_add(lab->s, &event, NULL, NULL), 3);
}

LAB_TEST(test_the_newest_stay)
{
	lab_open(lab, NULL);
	for (int i = 0; i < 100; i++)
		assert_int_equal(journal_add(lab->s, &event, NULL, NULL), i + 1);
	assert_int_equal(VALUE_OF(journal_trim(lab->s, 3, 0, on_answer, &last)), 97);
	assert_int_equal(VALUE_OF(journal_trim(lab->s, 3, 0, on_answer, &last)), 0);
	assert_string_equal(listed(lab, 0), "98 99 100 ");
	assert_string_equal(listed(lab, 99), "100 ");
}

static bool note_number(void *arg, const struct journal_rec *rec)
{
	char one[16];
	snprintf(one, sizeof(one), "%d ", (int)rec->seq);
	strcat(arg, one);
	return true;
}

/* Two years of it, and of each input its own. */
LAB_TEST(test_evidence_stays_behind_other_events)
{
	const int64_t year_us = 365 * INT64_C(86400000000);
	char text[200] = "";
	struct journal_rec rec = { .code = "grid.limit", .severity = "info", .object = "grid/box", .args = "{}" };
	clock_freeze(1, 10 * year_us);
	lab_open(lab, NULL);
	for (int i = 0; i < 4; i++) {
		rec.wall_us = (7 + i) * year_us + 1; /* the first is too old by now */
		journal_add(lab->s, &rec, NULL, NULL);
	}
	rec.object = "grid/manager";
	for (int i = 0; i < 20; i++)
		journal_add(lab->s, &rec, NULL, NULL);
	for (int i = 0; i < 10; i++)
		journal_add(lab->s, &event, NULL, NULL);
	assert_int_equal(VALUE_OF(journal_trim(lab->s, 2, 5, on_answer, &last)), 1 + 15 + 8);
	assert_int_equal(journal_each(lab->s, 0, note_number, text), 0);
	assert_string_equal(text, "2 3 4 20 21 22 23 24 33 34 ");
	assert_int_equal(journal_evidence_before(lab->s, 5), 4);
	assert_int_equal(journal_evidence_before(lab->s, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_given_at_once_and_go_on_over_restarts),
		cmocka_unit_test(test_the_newest_stay),
		cmocka_unit_test(test_evidence_stays_behind_other_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
