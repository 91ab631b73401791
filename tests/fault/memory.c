/* The n-th piece of memory that SQLite asks for is not there, for n = 1, 2, 3, ... until a day goes by without meeting it (in wider steps when n is
 * large, unless FAULT_ALL is set). What was acknowledged is in the file, what was refused is there whole or not at all, and the store goes on.
 * Our own small allocations cannot fail: base/mem ends the program, which tests/fault/kill does too. */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "storage/tokens.h"
#include "tests/fault/day.h"
#include "tests/unit/storage/lab.h"

static sqlite3_mem_methods real;
static atomic_llong left; /* until one fails; <= 0: none will */
static atomic_bool failed;

static bool fails(void)
{
	bool now = atomic_load(&left) > 0 && atomic_fetch_sub(&left, 1) == 1;
	if (now)
		atomic_store(&failed, true);
	return now;
}

static void *on_malloc(int n)
{
	return fails() ? NULL : real.xMalloc(n);
}

static void *on_realloc(void *p, int n)
{
	return fails() ? NULL : real.xRealloc(p, n);
}

static void install(void)
{
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
		abort();
	sqlite3_mem_methods ours = real;
	ours.xMalloc = on_malloc;
	ours.xRealloc = on_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK)
		abort();
}

/* One day; was the missing piece met? */
static bool day_with(long long nth)
{
	struct lab *lab = lab_new();
	struct day *d = NEW(struct day);
	struct token_rec t = { .token = SLICE("ABC"), .status = "Accepted" };
	lab_open(lab, NULL);
	d->s = lab->s;
	atomic_store(&failed, false);
	atomic_store(&left, nth);
	day_run(d);
	atomic_store(&left, 0);
	bool met = atomic_load(&failed);
	VALUE_OF(token_put(lab->s, &t, on_answer, &last)); /* there is memory again, and the store must go on */
	store_close(lab->s);
	day_check(d, lab->path);
	mem_free(d);
	lab_free(lab);
	return met;
}

static void test_one_piece_of_memory_is_missing(void **state)
{
	long long n = 1;
	int days = 0;
	(void)state;
	for (; day_with(n); days++)
		n += getenv("FAULT_ALL") ? 1 : 1 + n / 12;
	print_message("%d days, the last without the %lldth allocation\n", days, n);
	assert_true(n > 100); /* SQLite asked at all */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_one_piece_of_memory_is_missing) };
	install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
