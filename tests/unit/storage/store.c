/* The store itself: groups, their failures, flush and close, and where it does not open. */
#include "storage/store.h"

#include <sys/stat.h>

#include "storage/txs.h"
#include "tests/unit/storage/lab.h"

static int put(struct lab *lab, const char *station, store_done *done, void *arg)
{
	struct outbox_rec rec = { .station = station, .kind = OUTBOX_NOTICE, .action = "MeterValues", .message_id = "m", .payload = SLICE("{}") };
	return outbox_put(lab->s, &rec, done, arg);
}

LAB_TEST(test_jobs_that_wait_for_each_other_share_a_commit)
{
	struct answer a[200] = { 0 };
	struct store_stats stats;
	lab_open(lab, &(struct store_config){ .group_us = 200000 });
	for (int i = 0; i < 200; i++)
		assert_int_equal(put(lab, "A", on_answer, &a[i]), 0);
	assert_int_equal(store_flush(lab->s), 0); /* and does not wait for the rest of the 200 ms */
	assert_false(a[199].came);
	wait_for(&a[199]);
	store_get_stats(lab->s, &stats);
	assert_true(stats.commits <= 2);
	assert_int_equal(stats.jobs, 201); /* the flush is one */
	assert_int_equal(stats.errors, 0);
	assert_true(stats.file_bytes > 4096);
}

LAB_TEST(test_a_job_that_fails_does_not_fail_its_group)
{
	struct answer a[3] = { 0 };
	struct tx_rec tx = { .evse = 1 };
	struct outbox_rec rec = { .station = "A", .kind = OUTBOX_TX_START, .action = "StartTransaction", .message_id = "m", .payload = SLICE("{}") };
	lab_open(lab, &(struct store_config){ .group_us = 50000 });
	assert_int_equal(tx_start(lab->s, &rec, &tx, true, NULL, on_answer, &a[0]), 0);
	assert_int_equal(tx_start(lab->s, &rec, &tx, true, NULL, on_answer, &a[1]), 0); /* the same fingerprint */
	assert_int_equal(put(lab, "A", on_answer, &a[2]), 0);
	assert_int_equal(outbox_count(lab->s, "A"), 3);
	wait_for(&a[2]);
	assert_int_equal(a[0].err, 0);
	assert_int_equal(a[1].err, ERR_EXISTS);
	assert_int_equal(a[2].err, 0);
	assert_int_equal(outbox_count(lab->s, "A"), 2);
	assert_int_equal(ask(lab->path, "SELECT count(*) FROM outbox"), 2);
	assert_int_equal(ask(lab->path, "SELECT value FROM counter"), 1500000001); /* the failed job's id went back */
}

LAB_TEST(test_close_commits_and_calls_back_what_was_handed_over)
{
	struct answer a[100] = { 0 };
	lab_open(lab, &(struct store_config){ .group_us = 10000000 });
	for (int i = 0; i < 100; i++)
		assert_int_equal(put(lab, "A", on_answer, &a[i]), 0);
	store_close(lab->s);
	lab->s = NULL;
	for (int i = 0; i < 100; i++)
		assert_true(a[i].came && a[i].err == 0);
	assert_int_equal(ask(lab->path, "SELECT count(*) FROM outbox"), 100);
}

struct late {
	struct lab *lab;
	int err;
};

static void on_put_again(void *arg, int err, int64_t value)
{
	struct late *l = arg;
	(void)err, (void)value;
	l->err = put(l->lab, "A", NULL, NULL);
}

LAB_TEST(test_a_job_handed_over_by_the_last_callbacks_is_refused)
{
	struct late l = { lab, 0 };
	lab_open(lab, NULL);
	assert_int_equal(put(lab, "A", on_put_again, &l), 0);
	store_close(lab->s);
	lab->s = NULL;
	assert_int_equal(l.err, ERR_CLOSED);
	assert_int_equal(ask(lab->path, "SELECT count(*) FROM outbox"), 1);
}

LAB_TEST(test_a_callback_may_hand_over_more_and_read)
{
	struct late l = { lab, -1 };
	lab_open(lab, NULL);
	assert_int_equal(put(lab, "A", on_put_again, &l), 0);
	while (l.err == -1)
		loop_turn(US_PER_S);
	assert_int_equal(store_flush(lab->s), 0);
	assert_int_equal(outbox_count(lab->s, "A"), 2);
}

LAB_TEST(test_the_file_and_its_log_are_for_their_owner_only)
{
	struct stat st;
	char log[400];
	lab_open(lab, NULL);
	assert_int_equal(stat(lab->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(lab_has(lab, "test.db-wal", log));
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

LAB_TEST(test_a_second_program_is_kept_out)
{
	struct store *second = NULL;
	char *error = NULL;
	lab_open(lab, NULL);
	assert_int_equal(store_open(&(struct store_config){ .path = lab->path }, &second, NULL, &error), ERR_EXISTS);
	assert_non_null(strstr(error, "in use"));
	assert_null(second);
	mem_free(error);
}

LAB_TEST(test_places_where_no_file_can_be)
{
	const char *const paths[] = { ":memory:", "file::memory:", "", "/nowhere/at/all.db", "/proc/ampgate.db" };
	const int wants[] = { ERR_INVALID, ERR_INVALID, ERR_INVALID, ERR_STORAGE, ERR_STORAGE };
	(void)lab;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct store *s = NULL;
		char *error = NULL;
		int err = store_open(&(struct store_config){ .path = paths[i] }, &s, NULL, &error);
		if (err != wants[i] || s || !error || !*error)
			fail_msg("%s: %d %s", paths[i], err, error);
		mem_free(error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jobs_that_wait_for_each_other_share_a_commit),
		cmocka_unit_test(test_a_job_that_fails_does_not_fail_its_group),
		cmocka_unit_test(test_close_commits_and_calls_back_what_was_handed_over),
		cmocka_unit_test(test_a_job_handed_over_by_the_last_callbacks_is_refused),
		cmocka_unit_test(test_a_callback_may_hand_over_more_and_read),
		cmocka_unit_test(test_the_file_and_its_log_are_for_their_owner_only),
		cmocka_unit_test(test_a_second_program_is_kept_out),
		cmocka_unit_test(test_places_where_no_file_can_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
