/* Tables as trees of settings: cells with their places, in the forms in which spreadsheets write them. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "base/conf-csv.h"
#include "base/conf.h"

static struct arena mem;
static struct conf_report report;

static int clean_up(void **state)
{
	(void)state;
	conf_report_free(&report);
	memset(&report, 0, sizeof(report));
	arena_free(&mem);
	return 0;
}

static const struct conf_node *objects(const char *text)
{
	struct conf_node *root;
	if (conf_csv_parse(&mem, "a.csv", slice_of(text), "things", "id", &report, &root) != 0)
		fail_msg("%u:%u: %s", report.messages[0].line, report.messages[0].col, report.messages[0].text);
	assert_string_equal(root->first->key, "things");
	return root->first;
}

static void expect_cell(const struct conf_node *all, const char *id, const char *key, const char *want)
{
	const struct conf_node *object = conf_child(all, id), *n = object ? conf_child(object, key) : NULL;
	if (!want && n)
		fail_msg("%s.%s is %s", id, key, n->text);
	if (want && (!n || strcmp(n->text, want) != 0))
		fail_msg("%s.%s is %s, want %s", id, key, n ? n->text : "not there", want);
}

static void test_separators_line_ends_and_a_mark(void **state)
{
	static const char *const same[] = { "id,a,b\nx,1,2\ny,,3\n", "id;a;b\r\nx;1;2\r\ny;;3", "\xEF\xBB\xBFid\ta\tb\nx\t1\t2\n\n\t\t\ny\t\t3\n", "id , a, b\n x , 1 ,2\ny,,3" };
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		const struct conf_node *all = objects(same[i]);
		expect_cell(all, "x", "a", "1");
		expect_cell(all, "x", "b", "2");
		expect_cell(all, "y", "a", NULL);
		expect_cell(all, "y", "b", "3");
	}
}

static void test_quotes(void **state)
{
	(void)state;
	const struct conf_node *all = objects("id,a,b\n\"x,1\",\"say \"\"yes\"\"\",\"two\nlines\"\n'=y,\"***\",null\n");
	expect_cell(all, "x,1", "a", "say \"yes\"");
	expect_cell(all, "x,1", "b", "two\nlines");
	expect_cell(all, "=y", "a", NULL); /* a masked secret says nothing */
	assert_true(conf_is_null(conf_child(conf_child(all, "=y"), "b")));
	assert_int_equal(conf_child(all, "=y")->key_pos.line, 4);
}

static void test_places_count_characters(void **state)
{
	(void)state;
	const struct conf_node *all = objects("id,a\n\xC3\xA4\xC3\xB6,1\n"), *n = conf_child(conf_child(all, "\xC3\xA4\xC3\xB6"), "a");
	assert_int_equal(n->pos.line, 2);
	assert_int_equal(n->pos.col, 4);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text;
		unsigned line, col;
		const char *part;
	} cases[] = {
		{ "", 1, 1, "empty" },
		{ "name,a\nx,1\n", 1, 1, "no column 'id'" },
		{ "id,a,a\nx,1,2\n", 1, 6, "twice" },
		{ "id,,a\nx,1,2\n", 1, 4, "no name" },
		{ "id,a\nx,1\n,2\n", 3, 1, "no id" },
		{ "id,a\nx,1\nx,2\n", 3, 1, "'x' is there already" },
		{ "id,a\nx,1,2\n", 2, 5, "more cells than columns" },
		{ "id,a\nx,\"1\ny,2\n", 2, 3, "never closed" },
		{ "id,a\nx,\"1\"2\n", 2, 3, "follows the closing quote" },
		{ "id,a\nx,\xFF\n", 1, 1, "not UTF-8" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf_node *root;
		assert_int_equal(conf_csv_parse(&mem, "a.csv", slice_of(cases[i].text), "things", "id", &report, &root), ERR_SYNTAX);
		const struct conf_message *m = &report.messages[0];
		if (m->line != cases[i].line || m->col != cases[i].col || !strstr(m->text, cases[i].part))
			fail_msg("case %zu: %u:%u: %s", i, m->line, m->col, m->text);
		clean_up(state);
	}
}

static void test_cells_come_back_as_they_were(void **state)
{
	static const char *const texts[] = { "plain", "a,b", "a;b", "say \"yes\"", "two\nlines", "=1+1", "-5", "@x", "+x", "'quoted", "\xC3\xA4" };
	struct buf table = { 0 };
	(void)state;
	buf_puts(&table, "id,a\n");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_printf(&table, "x%zu,", i);
		conf_csv_cell(&table, slice_of(texts[i]));
		buf_puts(&table, "\n");
	}
	const struct conf_node *all = objects(table.p);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char id[8];
		snprintf(id, sizeof(id), "x%zu", i);
		expect_cell(all, id, "a", texts[i]);
	}
	buf_free(&table);
}

#define CASE(test) cmocka_unit_test_teardown(test, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(test_separators_line_ends_and_a_mark), CASE(test_quotes), CASE(test_places_count_characters), CASE(test_mistakes),
		CASE(test_cells_come_back_as_they_were) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
