/* Files replaced as a whole, and directories that go. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char dir[] = "/tmp/ampgate-file-XXXXXX";
static char path[64];

static int open_stage(void **state)
{
	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a", dir);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	return file_remove_tree(dir);
}

static void test_a_file_is_replaced_with_its_mode_and_read_back(void **state)
{
	struct buf got = { 0 };
	struct stat st;
	(void)state;
	assert_int_equal(file_replace(path, slice_of("first"), 0644), 0);
	assert_int_equal(file_replace(path, slice_of("second"), 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read(path, 6, &got), 0);
	assert_string_equal(got.p, "second");
	assert_int_equal(file_read(path, 5, &got), ERR_TOO_LARGE);
	buf_free(&got);
}

static void test_what_cannot_be_written_leaves_what_was_there(void **state)
{
	char beside[80];
	struct buf got = { 0 };
	(void)state;
	assert_int_equal(file_replace(path, slice_of("first"), 0600), 0);
	snprintf(beside, sizeof(beside), "%s.new", path);
	assert_int_equal(mkdir(beside, 0700), 0); /* in the way of the new content */
	assert_true(file_replace(path, slice_of("second"), 0600) < 0);
	assert_int_equal(file_read(path, 100, &got), 0);
	assert_string_equal(got.p, "first");
	buf_free(&got);
}

static void test_what_is_not_there_says_so(void **state)
{
	struct buf got = { 0 };
	(void)state;
	assert_int_equal(file_read(path, 100, &got), -ENOENT);
	assert_int_equal(file_remove_tree(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_file_is_replaced_with_its_mode_and_read_back, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_written_leaves_what_was_there, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_what_is_not_there_says_so, open_stage, close_stage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
