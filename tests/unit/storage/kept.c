/* Kept states: the newest value of a name, its owner's alone. */
#include "storage/kept.h"
#include "tests/unit/storage/lab.h"

static void put(struct lab *lab, const char *owner, const char *name, const char *value)
{
	VALUE_OF(kept_put(lab->s, owner, name, slice_of(value), on_answer, &last));
}

static void assert_kept(struct lab *lab, const char *owner, const char *name, const char *value)
{
	struct arena mem = { 0 };
	struct slice got = { 0 };
	assert_int_equal(kept_get(lab->s, owner, name, &mem, &got), value ? 0 : ERR_NOT_FOUND);
	if (value)
		assert_slice(got, value);
	arena_free(&mem);
}

LAB_TEST(test_the_newest_value_stays)
{
	lab_open(lab, NULL);
	put(lab, "G-07", "boot", "{\"a\":1}");
	put(lab, "G-07", "boot", "{\"a\":2}");
	put(lab, "G-08", "boot", "");
	lab_reopen(lab);
	assert_kept(lab, "G-07", "boot", "{\"a\":2}");
	assert_kept(lab, "G-08", "boot", "");
	assert_kept(lab, "G-07", "BOOT", NULL);
	assert_int_equal(VALUE_OF(kept_remove(lab->s, "G-07", "boot", on_answer, &last)), 1);
	assert_kept(lab, "G-07", "boot", NULL);
	assert_kept(lab, "G-08", "boot", "");
}

static bool note(void *arg, const char *name, struct slice value)
{
	strncat(strcat(strcat(arg, name), "="), value.p, value.n);
	strcat(arg, " ");
	return strcmp(name, "stop") != 0;
}

LAB_TEST(test_a_walk_keeps_to_owner_and_prefix_and_to_the_order_of_names)
{
	char text[200] = "";
	lab_open(lab, NULL);
	put(lab, "G-07", "status/2", "b");
	put(lab, "G-07", "status/1", "a");
	put(lab, "G-07", "status/", "0");
	put(lab, "G-07", "status", "no");
	put(lab, "G-07", "statut", "no");
	put(lab, "G-08", "status/1", "no");
	assert_int_equal(kept_each(lab->s, "G-07", "status/", note, text), 0);
	assert_string_equal(text, "status/=0 status/1=a status/2=b ");
}

static bool count_all(void *arg, const char *name, struct slice value)
{
	(void)name, (void)value;
	++*(int *)arg;
	return true;
}

LAB_TEST(test_a_long_walk)
{
	int n = 0;
	lab_open(lab, NULL);
	for (int i = 0; i < 64 * 3; i++) {
		char name[16];
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(kept_put(lab->s, "o", name, SLICE("v"), NULL, NULL), 0);
	}
	assert_int_equal(store_flush(lab->s), 0);
	assert_int_equal(kept_each(lab->s, "o", "", count_all, &n), 0);
	assert_int_equal(n, 64 * 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_value_stays),
		cmocka_unit_test(test_a_walk_keeps_to_owner_and_prefix_and_to_the_order_of_names),
		cmocka_unit_test(test_a_long_walk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
