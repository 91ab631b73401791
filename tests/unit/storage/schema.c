/* Files of other days: older ones are brought up after a copy, newer and strange ones are left alone, damaged ones are salvaged. */
#include "storage/schema.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "storage/journal.h"
#include "storage/kept.h"
#include "storage/txs.h"
#include "tests/unit/storage/lab.h"

static void put_records(struct lab *lab, int count)
{
	struct outbox_rec rec = { .station = "A", .kind = OUTBOX_NOTICE, .action = "MeterValues", .message_id = "m", .payload = SLICE("{}") };
	for (int i = 0; i < count; i++)
		assert_int_equal(outbox_put(lab->s, &rec, NULL, NULL), 0);
	assert_int_equal(store_flush(lab->s), 0);
}

static int upgrade(struct lab *lab, const char *const *steps, int count)
{
	struct db d;
	assert_int_equal(db_open(&d, lab->path), 0);
	assert_int_equal(db_use_wal(&d), 0);
	mem_free(lab->error);
	lab->error = NULL;
	int err = schema_upgrade(&d, lab->path, steps, count, &lab->error);
	db_close(&d);
	return err;
}

LAB_TEST(test_an_older_file_is_copied_and_brought_up)
{
	const char *const steps[] = {
		"CREATE TABLE t (a); INSERT INTO t VALUES (7)",
		"ALTER TABLE t ADD COLUMN b",
		"UPDATE t SET b = a * 6",
	};
	char copy[400];
	assert_int_equal(upgrade(lab, steps, 1), 0);
	assert_false(lab_has(lab, "test.db.before", copy)); /* nothing to keep of an empty file */
	assert_int_equal(upgrade(lab, steps, 3), 0);
	assert_int_equal(ask(lab->path, "SELECT b FROM t"), 42);
	assert_int_equal(ask(lab->path, "PRAGMA user_version"), 3);
	assert_true(lab_has(lab, "test.db.before-3", copy));
	assert_int_equal(ask(copy, "PRAGMA user_version"), 1);
	assert_int_equal(ask(copy, "SELECT a FROM t"), 7);
	assert_int_equal(upgrade(lab, steps, 3), 0);
}

/* What the version before this one left behind is served by this one. */
LAB_TEST(test_a_file_of_the_version_before_keeps_its_records)
{
	struct arena mem = { 0 };
	struct outbox_rec got;
	char copy[400];
	assert_int_equal(upgrade(lab, schema_steps, 2), 0);
	tell(lab->path, "INSERT INTO outbox (station, kind, state, version, action, message_id, payload, start_seq, wall_us, mono_us, clock_trusted, late,"
			" attempts) VALUES ('A', 2, 1, 16, 'StopTransaction', 'm-1', '{}', 0, 1, 2, 1, 0, 3)");
	tell(lab->path, "INSERT INTO token VALUES ('t', 0, 'T', NULL, 'Accepted', 0, NULL, 1)");
	lab_open(lab, NULL);
	assert_true(lab_has(lab, "test.db.before-5", copy));
	assert_int_equal(outbox_head(lab->s, "A", &mem, &got), 0);
	assert_string_equal(got.message_id, "m-1");
	assert_int_equal(got.clock, CLOCK_TRUSTED);
	assert_int_equal(got.boot, 0);
	arena_free(&mem);
}

LAB_TEST(test_a_step_that_fails_changes_nothing)
{
	const char *const steps[] = { "CREATE TABLE t (a)", "CREATE TABLE u (a); INSERT INTO missing VALUES (1)" };
	assert_int_equal(upgrade(lab, steps, 1), 0);
	assert_int_equal(upgrade(lab, steps, 2), ERR_STORAGE);
	assert_non_null(strstr(lab->error, "step 2"));
	assert_int_equal(ask(lab->path, "PRAGMA user_version"), 1);
	assert_int_equal(ask(lab->path, "SELECT count(*) FROM sqlite_schema WHERE name = 'u'"), 0);
}

LAB_TEST(test_a_newer_file_is_left_alone_and_the_way_back_is_named)
{
	char name[120];
	lab_open(lab, NULL);
	store_close(lab->s);
	lab->s = NULL;
	tell(lab->path, "PRAGMA user_version = 9");
	assert_int_equal(lab_try(lab, NULL), ERR_UNSUPPORTED);
	assert_non_null(strstr(lab->error, "schema 9, this program knows 5"));
	assert_null(strstr(lab->error, "mv "));
	snprintf(name, sizeof(name), "%s.before-9", lab->path);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(lab_try(lab, NULL), ERR_UNSUPPORTED);
	assert_non_null(strstr(lab->error, "test.db.before-9 "));
	assert_int_equal(ask(lab->path, "PRAGMA user_version"), 9);
}

LAB_TEST(test_a_database_of_another_program_is_left_alone)
{
	tell(lab->path, "CREATE TABLE photos (a)");
	assert_int_equal(lab_try(lab, NULL), ERR_INVALID);
	assert_non_null(strstr(lab->error, "another program"));
	assert_int_equal(ask(lab->path, "SELECT count(*) FROM sqlite_schema"), 1);
}

LAB_TEST(test_a_file_that_is_no_database_is_put_aside)
{
	char aside[400];
	int fd = open(lab->path, O_CREAT | O_WRONLY, 0600);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "not a database. ", 16), 16);
	close(fd);
	lab_open(lab, NULL);
	assert_true(lab->salvaged);
	assert_true(lab_has(lab, "test.db.damaged-", aside));
	put_records(lab, 1);
}

/* Overwrites some pages in the middle of a table, as a bad block would. */
static void damage(struct lab *lab)
{
	char junk[4096];
	struct stat st;
	int fd = open(lab->path, O_RDWR);
	memset(junk, 0xa5, sizeof(junk));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), st.st_size / 4096 / 2 * 4096), sizeof(junk));
	close(fd);
}

LAB_TEST(test_what_is_readable_of_a_damaged_file_is_kept_and_no_number_comes_back)
{
	struct tx_rec tx = { .evse = 1, .start_wh = 1, .stop_wh = 2 };
	struct outbox_rec rec = { .station = "A", .kind = OUTBOX_TX_START, .action = "StartTransaction", .message_id = "m", .payload = SLICE("{}") };
	char aside[400];
	lab_open(lab, NULL);
	VALUE_OF(kept_put(lab->s, "A", "boot", SLICE("{}"), on_answer, &last));
	assert_int_equal(VALUE_OF(tx_start(lab->s, &rec, &tx, true, NULL, on_answer, &last)), 1500000001);
	put_records(lab, 3000);
	store_close(lab->s);
	lab->s = NULL;
	damage(lab);

	lab_open(lab, NULL);
	assert_true(lab->salvaged);
	assert_true(lab_has(lab, "test.db.damaged-", aside));
	assert_in_range(outbox_count(lab->s, "A"), 2800, 3000); /* all but the page and its neighbours */
	struct arena mem = { 0 };
	struct slice value;
	assert_int_equal(kept_get(lab->s, "A", "boot", &mem, &value), 0);
	assert_int_equal(tx_by_station_id(lab->s, "A", "1500000001", &mem, &tx), 0);
	arena_free(&mem);
	tx = (struct tx_rec){ .fingerprint = { 1 }, .evse = 1 };
	assert_true(VALUE_OF(tx_start(lab->s, &rec, &tx, true, NULL, on_answer, &last)) > 1500001000);
	rec.kind = OUTBOX_NOTICE;
	assert_true(VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last)) > 3001 + 1000);

	store_close(lab->s);
	lab_open(lab, NULL);
	assert_false(lab->salvaged);
}

/* A power cut between the two renames leaves the finished file under its working name, and the old one's log where it was. */
LAB_TEST(test_a_salvage_that_was_cut_off_is_ended)
{
	char made[120], log[120];
	lab_open(lab, NULL);
	put_records(lab, 5);
	store_close(lab->s);
	lab->s = NULL;
	snprintf(made, sizeof(made), "%s.salvaged", lab->path);
	snprintf(log, sizeof(log), "%s-wal", lab->path);
	tell(lab->path, "PRAGMA journal_mode = DELETE");
	assert_int_equal(rename(lab->path, made), 0);
	close(open(log, O_CREAT | O_WRONLY, 0600));
	lab_open(lab, NULL);
	assert_int_equal(outbox_count(lab->s, "A"), 5);
	assert_int_not_equal(access(made, F_OK), 0);
}

LAB_TEST(test_a_salvage_that_was_not_finished_is_forgotten)
{
	char made[120];
	lab_open(lab, NULL);
	put_records(lab, 5);
	store_close(lab->s);
	lab->s = NULL;
	snprintf(made, sizeof(made), "%s.salvaged", lab->path);
	close(open(made, O_CREAT | O_WRONLY, 0600));
	lab_open(lab, NULL);
	assert_false(lab->salvaged);
	assert_int_equal(outbox_count(lab->s, "A"), 5);
	assert_int_not_equal(access(made, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_older_file_is_copied_and_brought_up),
		cmocka_unit_test(test_a_file_of_the_version_before_keeps_its_records),
		cmocka_unit_test(test_a_step_that_fails_changes_nothing),
		cmocka_unit_test(test_a_newer_file_is_left_alone_and_the_way_back_is_named),
		cmocka_unit_test(test_a_database_of_another_program_is_left_alone),
		cmocka_unit_test(test_a_file_that_is_no_database_is_put_aside),
		cmocka_unit_test(test_what_is_readable_of_a_damaged_file_is_kept_and_no_number_comes_back),
		cmocka_unit_test(test_a_salvage_that_was_cut_off_is_ended),
		cmocka_unit_test(test_a_salvage_that_was_not_finished_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
