/* The n-th write, sync or truncation fails, for n = 1, 2, 3, ... until a day goes by without meeting it. Whatever fails: what was acknowledged is
 * in the file, what was refused or hung is there whole or not at all, and the store goes on when the disk does. */
#include "storage/tokens.h"
#include "tests/fault/day.h"
#include "tests/fault/vfs.h"
#include "tests/unit/storage/lab.h"

static void put_one(struct lab *lab)
{
	struct token_rec t = { .token = SLICE("ABC"), .status = "Accepted" };
	VALUE_OF(token_put(lab->s, &t, on_answer, &last));
}

/* One day; was the disk met? */
static bool day_with(int nth, bool all, bool full)
{
	struct lab *lab = lab_new();
	struct day *d = NEW(struct day);
	lab_open(lab, NULL);
	d->s = lab->s;
	vfs_fail(nth, all, full);
	day_run(d);
	bool failed = vfs_failed();
	vfs_fail(0, false, false);
	put_one(lab); /* the disk is well again, and so must be the store */
	store_close(lab->s);
	day_check(d, lab->path);
	mem_free(d);
	lab_free(lab);
	return failed;
}

static void until_clean(bool all, bool full)
{
	int n = 1;
	while (day_with(n, all, full))
		n++;
	assert_true(n > 20); /* the disk was asked at all */
}

static void test_one_failure(void **state)
{
	(void)state;
	until_clean(false, false);
}

static void test_a_disk_that_stays_broken(void **state)
{
	(void)state;
	until_clean(true, false);
}

static void test_a_disk_that_is_full_for_good(void **state)
{
	(void)state;
	until_clean(true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_failure),
		cmocka_unit_test(test_a_disk_that_stays_broken),
		cmocka_unit_test(test_a_disk_that_is_full_for_good),
	};
	vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
