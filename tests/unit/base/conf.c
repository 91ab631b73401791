/* Settings from tables: values as they are written, trees with positions, layers, and the words of a message. What a wrong value looks like
 * to a user is in tests/config. */
#include "tests/unit/unit.h"

#include "base/conf.h"
#include "base/json.h"

static struct arena mem;
static struct conf_report report;

static int clean_up(void **state)
{
	(void)state;
	conf_report_free(&report);
	arena_free(&mem);
	return 0;
}

static struct conf_node *parse(const char *text)
{
	struct conf_node *root;
	if (conf_yaml_parse(&mem, "a.yaml", slice_of(text), &report, &root) != 0)
		fail_msg("not parsed: %s: %s", text, report.n ? report.messages[0].text : "without a word");
	return root;
}

static void test_durations_and_sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = { { "500ms", 500000 }, { "10s", 10000000 }, { "15m", 900000000 }, { "36h", INT64_C(129600000000) }, { "90d", INT64_C(7776000000000) }, { "0s", 0 } };
	static const char *const wrong[] = { "", "s", "10", "10 s", "-1s", "1.5s", "10S", "10sec", "99999999999999999999s", "9223372036854775807d" };
	int64_t v;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (conf_duration(cases[i].text, &v) != 0 || v != cases[i].us)
			fail_msg("%s gave %lld", cases[i].text, (long long)v);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (conf_duration(wrong[i], &v) == 0)
			fail_msg("'%s' was taken for a duration", wrong[i]);
	assert_int_equal(conf_size("64MiB", &v), 0);
	assert_int_equal(v, 67108864);
	assert_int_equal(conf_size("4096", &v), 0);
	assert_int_equal(v, 4096);
	assert_int_equal(conf_size("1MB", &v), ERR_SYNTAX);
}

static void test_amperes_are_exact(void **state)
{
	static const char *const wrong[] = { "", ".5", "5.", "1e3", "0x10", "1,5", "1.2345", "16A", "--1", "+1" };
	int64_t v;
	(void)state;
	assert_int_equal(conf_milli("6.1", &v), 0);
	assert_int_equal(v, 6100);
	assert_int_equal(conf_milli("16", &v), 0);
	assert_int_equal(v, 16000);
	assert_int_equal(conf_milli("-0.25", &v), 0);
	assert_int_equal(v, -250);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (conf_milli(wrong[i], &v) == 0)
			fail_msg("'%s' was taken for a number", wrong[i]);
}

static void test_numbers_are_shown_as_written(void **state)
{
	char out[CONF_VALUE_TEXT];
	(void)state;
	assert_string_equal(conf_value_text(CONF_AMPS, 6100, out), "6.1");
	assert_string_equal(conf_value_text(CONF_AMPS, 100000, out), "100");
	assert_string_equal(conf_value_text(CONF_AMPS, -50, out), "-0.05");
	assert_string_equal(conf_value_text(CONF_DURATION, 90000000, out), "90s");
	assert_string_equal(conf_value_text(CONF_DURATION, 0, out), "0s");
	assert_string_equal(conf_value_text(CONF_SIZE, 262144, out), "256KiB");
	assert_string_equal(conf_value_text(CONF_PERCENT, 50, out), "50%");
}

static void test_ids(void **state)
{
	(void)state;
	assert_true(conf_id_ok("row-a"));
	assert_false(conf_id_ok(""));
	assert_false(conf_id_ok("Row"));
	assert_false(conf_id_ok("a_b"));
	assert_true(conf_identity_ok("RDAM|1*23_-=:+@."));
	assert_false(conf_identity_ok("a/b"));
	assert_true(conf_identity_ok("123456789012345678901234567890123456789012345678"));
	assert_false(conf_identity_ok("1234567890123456789012345678901234567890123456789"));
}

static void test_nodes_know_their_place(void **state)
{
	static const char *const path[] = { "site", "name" };
	(void)state;
	const struct conf_node *root = parse("# a comment\nsite:\n  name: \xc3\x84 b\n  id: x\n");
	const struct conf_node *n = conf_at(root, path, 2);
	assert_string_equal(n->text, "\xc3\x84 b");
	assert_int_equal(n->pos.line, 3);
	assert_int_equal(n->pos.col, 9);
	assert_int_equal(n->pos.width, 3); /* characters, not bytes */
	assert_int_equal(n->key_pos.col, 3);
	assert_null(conf_child(root, "id"));
}

static void test_an_alias_repeats_its_anchor(void **state)
{
	(void)state;
	const struct conf_node *root = parse("a: &x {p: 1}\nb: *x\nc: [*x, *x]\n");
	assert_string_equal(conf_child(conf_child(root, "b"), "p")->text, "1");
	assert_string_equal(conf_child(root, "a")->key, "a");
	assert_string_equal(conf_child(root, "b")->key, "b");
	assert_string_equal(conf_child(conf_child(root, "c")->last, "p")->text, "1");
}

static void test_null_is_told_from_text(void **state)
{
	(void)state;
	const struct conf_node *root = parse("a:\nb: null\nc: ~\nd: 'null'\ne: \"\"\nf: Null\n");
	assert_true(conf_is_null(conf_child(root, "a")));
	assert_true(conf_is_null(conf_child(root, "b")));
	assert_true(conf_is_null(conf_child(root, "c")));
	assert_false(conf_is_null(conf_child(root, "d")));
	assert_false(conf_is_null(conf_child(root, "e")));
	assert_false(conf_is_null(conf_child(root, "f")));
}

static void test_maps_merge_lists_replace(void **state)
{
	(void)state;
	const struct conf_node *base = parse("m: {a: 1, b: 2, l: [1, 2]}\ns: old\n");
	const struct conf_node *over = parse("m: {b: 3, c: 4, l: [9], a: null}\nt: new\n");
	const struct conf_node *got = conf_merge(&mem, base, over), *m = conf_child(got, "m");
	assert_true(conf_is_null(conf_child(m, "a"))); /* stays as a mark, to take defaults away too */
	assert_string_equal(conf_child(m, "b")->text, "3");
	assert_string_equal(conf_child(m, "c")->text, "4");
	assert_string_equal(conf_child(m, "l")->first->text, "9");
	assert_null(conf_child(m, "l")->first->next);
	assert_string_equal(conf_child(got, "s")->text, "old");
	assert_string_equal(conf_child(got, "t")->text, "new");
	assert_string_equal(conf_child(conf_child(base, "m"), "b")->text, "2"); /* the layers themselves stay */
}

static void collect(void *arg, const char *name, size_t at)
{
	buf_printf(arg, "%zu=%s ", at, name);
}

static void test_ranges_keep_their_width(void **state)
{
	struct buf got = { 0 };
	(void)state;
	const struct conf_node *root = parse("\"G-[08-11]x\": {}\nplain: {}\n");
	assert_int_equal(conf_range(&report, root->first, collect, &got), 0);
	assert_string_equal(got.p, "0=G-08x 1=G-09x 2=G-10x 3=G-11x ");
	buf_reset(&got);
	assert_int_equal(conf_range(&report, root->last, collect, &got), 0);
	assert_string_equal(got.p, "0=plain ");
	buf_free(&got);
}

static void test_a_message_shows_the_line_and_what_is_meant(void **state)
{
	struct buf out = { 0 };
	(void)state;
	const struct conf_node *root = parse("x: 1\n  \n\"G\": {circuit: row-c}\n");
	const struct conf_node *n = conf_child(root->last, "circuit");
	conf_say(&report, CONF_ERROR, &n->pos, "did you mean 'row-b'?", "circuit '%s' is not defined", n->text);
	conf_say(&report, CONF_ERROR, &n->pos, NULL, "circuit '%s' is not defined", n->text); /* said once */
	conf_report_print(&report, &out);
	assert_string_equal(out.p, "a.yaml:3:16: error: circuit 'row-c' is not defined\n"
				   "    3 | \"G\": {circuit: row-c}\n"
				   "      |                ^~~~~ did you mean 'row-b'?\n");
	assert_int_equal(report.errors, 1);
	buf_free(&out);
}

static void test_passwords_beside_a_mistake_are_hidden(void **state)
{
	struct buf out = { 0 };
	(void)state;
	const struct conf_node *root = parse("a: {b: 1, password: hunter2, c: 1}\nd: {password: \"hun,ter2\", c: 1}\n"
					     "e: {\"password\": \"hun\\\"ter2\", c: 1}\nf: {password: \"cred:x\", c: 1}\n");
	for (const struct conf_node *n = root->first; n; n = n->next)
		conf_say(&report, CONF_WARNING, &n->last->pos, NULL, "look");
	conf_report_print(&report, &out);
	assert_null(strstr(out.p, "hun"));
	assert_null(strstr(out.p, "ter2"));
	assert_non_null(strstr(out.p, "a: {b: 1, password: **************\n"));
	assert_non_null(strstr(out.p, "f: {password: \"cred:x\", c: 1}"));
	buf_free(&out);
}

/* ---- a table of its own ---- */

struct thing {
	const char *id;
	int count;
	int32_t ma[3];
	const struct thing *next;
	const char *const *words;
	bool on;
};

struct root {
	struct thing *things;
	size_t n_things;
};

static const struct conf_table thing_table;
static const struct conf_row thing_rows[] = {
	{ .name = "count", .type = CONF_INT, .min = 1, .max = 9, .preset = "3", .at = offsetof(struct thing, count), .help = "How many" },
	{ .name = "amps", .type = CONF_PHASE_AMPS, .preset = "16", .at = offsetof(struct thing, ma), .help = "How much" },
	{ .name = "next", .type = CONF_REF, .refers = "things", .table = &thing_table, .at = offsetof(struct thing, next), .help = "What follows" },
	{ .name = "words", .type = CONF_TEXTS, .preset = "[a, b]", .at = offsetof(struct thing, words), .help = "Words" },
	{ .name = "on", .type = CONF_BOOL, .preset = "false", .at = offsetof(struct thing, on), .help = "Whether" },
	{ 0 }
};
static const struct conf_table thing_table = { .noun = "thing", .size = sizeof(struct thing), .rows = thing_rows };
static const struct conf_row root_rows[] = {
	{ .name = "things", .type = CONF_OBJECTS, .table = &thing_table, .at = offsetof(struct root, things), .help = "Things" },
	{ 0 }
};
static const struct conf_table root_table = { .noun = "root", .size = sizeof(struct root), .rows = root_rows };

static void test_rows_fill_structs(void **state)
{
	struct conf_fill f = { .mem = &mem, .report = &report };
	struct root root = { 0 };
	(void)state;
	conf_fill(&f, &root_table, parse("things:\n  a: {count: 7, amps: [6, 10.5, 16], next: b}\n  b: {words: [x], on: true}\n  gone: ~\n"), &root);
	conf_resolve(&f);
	assert_int_equal(report.errors, 0);
	assert_int_equal(root.n_things, 2);
	const struct thing *a = &root.things[0], *b = &root.things[1];
	assert_string_equal(a->id, "a");
	assert_int_equal(a->count, 7);
	assert_int_equal(a->ma[1], 10500);
	assert_ptr_equal(a->next, b);
	assert_string_equal(a->words[1], "b");
	assert_null(a->words[2]);
	assert_int_equal(b->count, 3);
	assert_int_equal(b->ma[2], 16000);
	assert_true(b->on);
	assert_null(b->next);
	assert_ptr_equal(conf_object(&f, "things", "b"), b);
	conf_fill_free(&f);
}

static void test_all_mistakes_are_reported_at_once(void **state)
{
	struct conf_fill f = { .mem = &mem, .report = &report };
	struct root root = { 0 };
	(void)state;
	conf_fill(&f, &root_table, parse("things:\n  a: {count: 10, coutn: 1, next: c, on: yes}\n"), &root);
	conf_resolve(&f);
	assert_int_equal(report.errors, 4);
	conf_fill_free(&f);
}

static void test_what_is_printed_names_its_origin(void **state)
{
	struct buf out = { 0 };
	(void)state;
	conf_print(&root_table, parse("things:\n  a: {count: 7, next: \"0: x\"}\n"), true, &out);
	assert_string_equal(out.p, "things:\n"
				   "  a:\n"
				   "    count: 7  # a.yaml:2\n"
				   "    amps: 16  # built-in\n"
				   "    next: \"0: x\"  # a.yaml:2\n"
				   "    words: [a, b]  # built-in\n"
				   "    on: false  # built-in\n");
	buf_free(&out);
}

static void note_change(void *arg, const struct conf_change *c)
{
	buf_printf(arg, "%s: %s -> %s\n", c->path, c->from ? c->from : "-", c->to ? c->to : "-");
}

static void test_a_difference_is_one_of_meaning(void **state)
{
	struct buf out = { 0 };
	(void)state;
	const struct conf_node *a = parse("things:\n  a: {count: 7, words: [x]}\n  b: {}\n  same: {count: 3}\n");
	const struct conf_node *b = parse("things:\n  a: {count: 8, words: [x, y]}\n  c: {on: true}\n  same: {on: false, count: 3, amps: 16}\n");
	conf_diff(&root_table, a, b, note_change, &out);
	assert_string_equal(out.p, "things.a.count: 7 -> 8\n"
				   "things.a.words: [x] -> [x, y]\n"
				   "things.b: present -> -\n"
				   "things.c: - -> present\n");
	buf_free(&out);
}

static void test_a_form_learns_values_and_places(void **state)
{
	struct buf out = { 0 };
	struct json_writer w;
	(void)state;
	const struct conf_node *tree = parse("things:\n  a.b: {count: 7, words: [x, y]}\n  c: {}\n");
	jw_open(&w, &out);
	jw_object(&w, NULL);
	conf_write_values(&root_table, tree, "values", &w);
	conf_write_place(tree, &(struct conf_message){ .file = "a.yaml", .line = 2, .col = 16 }, &w);
	jw_end(&w, '}');
	assert_string_equal(out.p, "{\"values\":["
				   "{\"path\":[\"things\",\"a.b\",\"count\"],\"value\":\"7\",\"file\":\"a.yaml\",\"line\":2},"
				   "{\"path\":[\"things\",\"a.b\",\"words\"],\"value\":[\"x\",\"y\"],\"file\":\"a.yaml\",\"line\":2},"
				   "{\"path\":[\"things\",\"c\"],\"value\":{},\"file\":\"a.yaml\",\"line\":3}],"
				   "\"path\":[\"things\",\"a.b\",\"count\"]}");
	buf_free(&out);
}

static void test_a_place_outside_the_tree_has_no_path(void **state)
{
	struct buf out = { 0 };
	struct json_writer w;
	(void)state;
	jw_open(&w, &out);
	jw_object(&w, NULL);
	conf_write_place(parse("things: {}\n"), &(struct conf_message){ .file = "b.yaml", .line = 1, .col = 1 }, &w);
	jw_end(&w, '}');
	assert_string_equal(out.p, "{\"path\":null}");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations_and_sizes),
		cmocka_unit_test(test_amperes_are_exact),
		cmocka_unit_test(test_numbers_are_shown_as_written),
		cmocka_unit_test(test_ids),
		cmocka_unit_test_teardown(test_nodes_know_their_place, clean_up),
		cmocka_unit_test_teardown(test_an_alias_repeats_its_anchor, clean_up),
		cmocka_unit_test_teardown(test_null_is_told_from_text, clean_up),
		cmocka_unit_test_teardown(test_maps_merge_lists_replace, clean_up),
		cmocka_unit_test_teardown(test_ranges_keep_their_width, clean_up),
		cmocka_unit_test_teardown(test_a_message_shows_the_line_and_what_is_meant, clean_up),
		cmocka_unit_test_teardown(test_passwords_beside_a_mistake_are_hidden, clean_up),
		cmocka_unit_test_teardown(test_rows_fill_structs, clean_up),
		cmocka_unit_test_teardown(test_all_mistakes_are_reported_at_once, clean_up),
		cmocka_unit_test_teardown(test_what_is_printed_names_its_origin, clean_up),
		cmocka_unit_test_teardown(test_a_difference_is_one_of_meaning, clean_up),
		cmocka_unit_test_teardown(test_a_form_learns_values_and_places, clean_up),
		cmocka_unit_test_teardown(test_a_place_outside_the_tree_has_no_path, clean_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
