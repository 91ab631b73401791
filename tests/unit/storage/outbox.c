/* The outbox: order, states, counts, and that nobody is told of a record before it is on disk. */
#include "storage/outbox.h"
#include "tests/unit/storage/lab.h"

static struct outbox_rec record(const char *station, const char *message_id)
{
	return (struct outbox_rec){
		.station = station, .kind = OUTBOX_NOTICE, .version = 16, .action = "MeterValues", .message_id = message_id,
		.payload = SLICE("{\"connectorId\":1,\"x\":0.10}"), .wall_us = 1700000000000000, .mono_us = 55, .clock = CLOCK_TRUSTED, .boot = 5,
	};
}

static int64_t put(struct lab *lab, const char *station, const char *message_id)
{
	struct outbox_rec rec = record(station, message_id);
	return VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
}

static void assert_head(struct lab *lab, const char *station, const char *message_id)
{
	struct arena mem = { 0 };
	struct outbox_rec head = { 0 };
	int err = outbox_head(lab->s, station, &mem, &head);
	assert_int_equal(err, message_id ? 0 : ERR_NOT_FOUND);
	if (message_id)
		assert_string_equal(head.message_id, message_id);
	arena_free(&mem);
}

LAB_TEST(test_a_record_comes_back_as_it_was)
{
	struct arena mem = { 0 };
	struct outbox_rec got, rec = record("G-07", "m1");
	rec.kind = OUTBOX_TX_END;
	rec.tx = "1500000001";
	rec.start_seq = 17;
	rec.late = true;
	lab_open(lab, NULL);
	int64_t seq = VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
	lab_reopen(lab);
	assert_int_equal(outbox_head(lab->s, "G-07", &mem, &got), 0);
	assert_int_equal(got.seq, seq);
	assert_string_equal(got.station, "G-07");
	assert_int_equal(got.kind, OUTBOX_TX_END);
	assert_int_equal(got.state, OUTBOX_UNSENT);
	assert_int_equal(got.version, 16);
	assert_string_equal(got.action, "MeterValues");
	assert_string_equal(got.message_id, "m1");
	assert_slice(got.payload, "{\"connectorId\":1,\"x\":0.10}");
	assert_string_equal(got.tx, "1500000001");
	assert_int_equal(got.start_seq, 17);
	assert_int_equal(got.wall_us, 1700000000000000);
	assert_int_equal(got.mono_us, 55);
	assert_true(got.clock == CLOCK_TRUSTED && got.late);
	assert_int_equal(got.attempts, 0);
	arena_free(&mem);
}

/* arg: the names so far, one letter each */
static void see_station(void *arg, const char *station)
{
	strcat(arg, station);
}

LAB_TEST(test_stations_that_wait_are_named)
{
	char names[16] = "";
	lab_open(lab, NULL);
	put(lab, "A", "a1");
	put(lab, "A", "a2");
	int64_t gone = put(lab, "B", "b1"), parked = put(lab, "C", "c1");
	VALUE_OF(outbox_confirm(lab->s, gone, NULL, on_answer, &last));
	VALUE_OF(outbox_park(lab->s, parked, "test", on_answer, &last));
	outbox_stations(lab->s, see_station, names);
	assert_string_equal(names, "A");
	put(lab, "C", "c2");
	lab_reopen(lab);
	names[0] = 0;
	outbox_stations(lab->s, see_station, names);
	assert_true(!strcmp(names, "AC") || !strcmp(names, "CA"));
}

LAB_TEST(test_each_station_has_its_own_order)
{
	lab_open(lab, NULL);
	put(lab, "A", "a1");
	int64_t b1 = put(lab, "B", "b1");
	put(lab, "A", "a2");
	assert_head(lab, "A", "a1");
	assert_head(lab, "B", "b1");
	assert_head(lab, "C", NULL);
	assert_int_equal(VALUE_OF(outbox_confirm(lab->s, b1, NULL, on_answer, &last)), b1);
	assert_head(lab, "B", NULL);
	assert_int_equal(outbox_count(lab->s, "A"), 2);
	assert_int_equal(outbox_count(lab->s, "B"), 0);
	assert_int_equal(outbox_count(lab->s, NULL), 2);
	assert_int_equal(ERROR_OF(outbox_confirm(lab->s, b1, NULL, on_answer, &last)), ERR_NOT_FOUND);
}

LAB_TEST(test_a_number_never_comes_back)
{
	lab_open(lab, NULL);
	int64_t seq = put(lab, "A", "a1");
	VALUE_OF(outbox_confirm(lab->s, seq, NULL, on_answer, &last));
	lab_reopen(lab);
	assert_true(put(lab, "A", "a2") > seq);
}

LAB_TEST(test_callbacks_come_in_the_order_of_the_calls_and_after_the_commit)
{
	struct answer a[50] = { 0 };
	lab_open(lab, &(struct store_config){ .group_us = 20000 });
	for (int i = 0; i < 50; i++) {
		struct outbox_rec rec = record(i % 2 ? "A" : "B", "m");
		assert_int_equal(outbox_put(lab->s, &rec, on_answer, &a[i]), 0);
	}
	assert_int_equal(outbox_count(lab->s, NULL), 50); /* at once */
	assert_false(a[0].came);                          /* not before a turn of the loop, whatever the writer did */
	wait_for(&a[49]);
	for (int i = 0; i < 50; i++) {
		assert_true(a[i].came && a[i].err == 0);
		assert_int_equal(a[i].order, i + 1);
	}
}

struct witness {
	struct lab *lab;
	int seen;
};

static void on_witness(void *arg, int err, int64_t seq)
{
	struct witness *w = arg;
	char sql[100];
	assert_int_equal(err, 0);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM outbox WHERE seq = %lld", (long long)seq);
	assert_int_equal(ask(w->lab->path, sql), 1);
	w->seen++;
}

LAB_TEST(test_others_see_a_record_before_its_callback_runs)
{
	struct witness w = { lab, 0 };
	lab_open(lab, NULL);
	for (int i = 0; i < 20; i++) {
		struct outbox_rec rec = record("A", "m");
		assert_int_equal(outbox_put(lab->s, &rec, on_witness, &w), 0);
	}
	while (w.seen < 20)
		loop_turn(US_PER_S);
}

LAB_TEST(test_a_sent_record_stays_the_head_with_its_attempts_over_a_restart)
{
	struct arena mem = { 0 };
	struct outbox_rec head;
	lab_open(lab, NULL);
	int64_t seq = put(lab, "A", "a1");
	assert_int_equal(VALUE_OF(outbox_mark_sent(lab->s, seq, on_answer, &last)), 1);
	assert_int_equal(VALUE_OF(outbox_mark_sent(lab->s, seq, on_answer, &last)), 2);
	lab_reopen(lab);
	assert_int_equal(outbox_head(lab->s, "A", &mem, &head), 0);
	assert_int_equal(head.state, OUTBOX_SENT);
	assert_int_equal(head.attempts, 2);
	assert_int_equal(outbox_count(lab->s, "A"), 1);
	assert_int_equal(ERROR_OF(outbox_mark_sent(lab->s, seq + 1, on_answer, &last)), ERR_NOT_FOUND);
	arena_free(&mem);
}

static bool note_ids(void *arg, const struct outbox_rec *rec)
{
	strcat(arg, rec->message_id);
	if (rec->parked_why)
		strcat(strcat(arg, "!"), rec->parked_why);
	strcat(arg, " ");
	return true;
}

LAB_TEST(test_a_parked_record_is_passed_over_stays_visible_and_can_be_retried_in_place)
{
	char ids[100] = "";
	lab_open(lab, NULL);
	int64_t a1 = put(lab, "A", "a1");
	put(lab, "A", "a2");
	int64_t b1 = put(lab, "B", "b1");
	VALUE_OF(outbox_park(lab->s, a1, "NotSupported", on_answer, &last));
	VALUE_OF(outbox_park(lab->s, a1, "NotSupported", on_answer, &last)); /* twice is once */
	VALUE_OF(outbox_park(lab->s, b1, "late", on_answer, &last));
	assert_head(lab, "A", "a2");
	lab_reopen(lab);
	assert_head(lab, "A", "a2");
	assert_int_equal(outbox_count(lab->s, NULL), 1);
	assert_int_equal(outbox_parked(lab->s), 2);
	assert_int_equal(outbox_each(lab->s, "A", 0, note_ids, ids), 0);
	assert_string_equal(ids, "a1!NotSupported a2 ");
	assert_int_equal(VALUE_OF(outbox_retry(lab->s, "A", on_answer, &last)), 1);
	assert_head(lab, "A", "a1");
	assert_int_equal(outbox_parked(lab->s), 1);
	assert_int_equal(VALUE_OF(outbox_retry(lab->s, NULL, on_answer, &last)), 1);
	assert_head(lab, "B", "b1");
	assert_int_equal(outbox_parked(lab->s), 0);
	assert_int_equal(outbox_count(lab->s, NULL), 3);
}

static bool count_until_100(void *arg, const struct outbox_rec *rec)
{
	assert_true(rec->seq > 0);
	return ++*(int *)arg < 100;
}

LAB_TEST(test_walks_go_over_pages_and_stop_when_told)
{
	int n = 0;
	lab_open(lab, NULL);
	assert_int_equal(outbox_oldest_us(lab->s), 0);
	for (int i = 0; i < 150; i++) {
		struct outbox_rec rec = record(i % 3 ? "A" : "B", "m");
		assert_int_equal(outbox_put(lab->s, &rec, NULL, NULL), 0);
	}
	assert_int_equal(store_flush(lab->s), 0);
	assert_int_equal(outbox_each(lab->s, NULL, 0, count_until_100, &n), 0);
	assert_int_equal(n, 100);
	n = 0;
	assert_int_equal(outbox_each(lab->s, "B", 0, count_until_100, &n), 0);
	assert_int_equal(n, 50);
	n = 0;
	assert_int_equal(outbox_each(lab->s, NULL, 149, count_until_100, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(outbox_oldest_us(lab->s), 1700000000000000);
}

/* Every query of this file that the loop or the replay runs often must be led by an index, however long the queue is. */
LAB_TEST(test_the_head_is_found_by_index)
{
	lab_open(lab, NULL);
	sqlite3 *db;
	sqlite3_stmt *st;
	char plan[200] = "";
	assert_int_equal(sqlite3_open(lab->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "EXPLAIN QUERY PLAN SELECT * FROM outbox WHERE station = ? AND state < 2 ORDER BY seq LIMIT 1", -1,
					    &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		strncat(plan, (const char *)sqlite3_column_text(st, 3), sizeof(plan) - strlen(plan) - 1);
	sqlite3_finalize(st);
	sqlite3_close(db);
	assert_string_equal(plan, "SEARCH outbox USING INDEX outbox_waiting (station=?)");
}

LAB_TEST(test_starts_are_refused_before_the_records_of_running_transactions)
{
	static char bulk[20000];
	struct outbox_rec rec = record("A", "m");
	memset(bulk, 'x', sizeof(bulk));
	rec.payload = (struct slice){ bulk, sizeof(bulk) };
	lab_open(lab, &(struct store_config){ .size_most = 4 << 20 });
	int notices = 0, ends = 0;
	while (ERROR_OF(outbox_put(lab->s, &rec, on_answer, &last)) == 0)
		notices++;
	assert_int_equal(last.err, ERR_FULL);
	assert_string_equal(err_text(last.err), "there is no room for more"); /* whatever is full: a queue, the database, its disk */
	assert_int_equal(outbox_count(lab->s, "A"), notices); /* the refused one is taken back */
	rec.kind = OUTBOX_TX_START;
	assert_int_equal(ERROR_OF(outbox_put(lab->s, &rec, on_answer, &last)), ERR_FULL);
	rec.kind = OUTBOX_TX_END;
	while (ERROR_OF(outbox_put(lab->s, &rec, on_answer, &last)) == 0)
		ends++;
	assert_int_equal(last.err, ERR_FULL);
	assert_in_range(notices, 110, 160); /* 3 MiB of 20 kB */
	assert_in_range(ends, 25, 55);      /* the reserve of 1 MiB */
	assert_true(ask(lab->path, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size") <= 4 << 20);

	/* What goes makes room. */
	struct arena mem = { 0 };
	for (int i = 0; i < notices; i++) {
		assert_int_equal(outbox_head(lab->s, "A", &mem, &rec), 0);
		VALUE_OF(outbox_confirm(lab->s, rec.seq, NULL, on_answer, &last));
	}
	arena_free(&mem);
	rec = record("A", "m");
	put(lab, "A", "again");
	assert_int_equal(outbox_count(lab->s, "A"), ends + 1);
}

/* What the station sent is known again after a restart, while its record waits and after it has gone. */
LAB_TEST(test_a_repeat_is_known_by_its_fingerprint)
{
	static const unsigned char print[16] = "what was sent..", other[16] = "something else.";
	struct arena mem = { 0 };
	struct seen_rec seen;
	struct outbox_rec rec = record("A", "m1");
	rec.fingerprint = print;
	lab_open(lab, NULL);
	int64_t seq = VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
	rec.message_id = "m2";
	assert_int_equal(ERROR_OF(outbox_put(lab->s, &rec, on_answer, &last)), ERR_EXISTS);
	assert_int_equal(outbox_count(lab->s, "A"), 1);
	lab_reopen(lab);
	assert_int_equal(outbox_seen(lab->s, "A", other, &mem, &seen), ERR_NOT_FOUND);
	assert_int_equal(outbox_seen(lab->s, "B", print, &mem, &seen), ERR_NOT_FOUND);
	assert_int_equal(outbox_seen(lab->s, "A", print, &mem, &seen), 0);
	assert_true(seen.seq == seq && seen.kept && seen.state == OUTBOX_UNSENT && !seen.answer);
	VALUE_OF(outbox_answered(lab->s, seq, "{\"x\":1}", on_answer, &last));
	assert_int_equal(outbox_count(lab->s, "A"), 0);
	assert_int_equal(ERROR_OF(outbox_answered(lab->s, seq, "{}", on_answer, &last)), ERR_NOT_FOUND);
	lab_reopen(lab);
	assert_int_equal(outbox_seen(lab->s, "A", print, &mem, &seen), 0);
	assert_false(seen.kept);
	assert_string_equal(seen.answer, "{\"x\":1}");
	arena_free(&mem);
}

LAB_TEST(test_only_the_newest_fingerprints_are_kept)
{
	struct arena mem = { 0 };
	struct seen_rec seen;
	struct outbox_rec rec = record("A", "m");
	unsigned char print[16] = { 0 };
	rec.fingerprint = print;
	lab_open(lab, NULL);
	for (int i = 0; i <= OUTBOX_SEEN; i++) {
		print[0] = (unsigned char)i;
		VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
	}
	print[0] = 0;
	assert_int_equal(outbox_seen(lab->s, "A", print, &mem, &seen), ERR_NOT_FOUND);
	print[0] = 1;
	assert_int_equal(outbox_seen(lab->s, "A", print, &mem, &seen), 0);
	arena_free(&mem);
}

LAB_TEST(test_failures_are_counted_apart_from_sendings)
{
	struct arena mem = { 0 };
	struct outbox_rec head;
	lab_open(lab, NULL);
	int64_t seq = put(lab, "A", "a1");
	VALUE_OF(outbox_mark_sent(lab->s, seq, on_answer, &last));
	VALUE_OF(outbox_mark_sent(lab->s, seq, on_answer, &last));
	assert_int_equal(VALUE_OF(outbox_mark_failed(lab->s, seq, on_answer, &last)), 1);
	lab_reopen(lab);
	assert_int_equal(outbox_head(lab->s, "A", &mem, &head), 0);
	assert_int_equal(head.attempts, 2);
	assert_int_equal(head.failures, 1);
	VALUE_OF(outbox_park(lab->s, seq, "why", on_answer, &last));
	VALUE_OF(outbox_retry(lab->s, NULL, on_answer, &last));
	assert_int_equal(outbox_head(lab->s, "A", &mem, &head), 0);
	assert_int_equal(head.failures, 0);
	assert_int_equal(ERROR_OF(outbox_mark_failed(lab->s, seq + 1, on_answer, &last)), ERR_NOT_FOUND);
	arena_free(&mem);
}

LAB_TEST(test_times_from_before_the_time_was_known_are_put_right_once)
{
	struct arena mem = { 0 };
	struct outbox_rec got, rec = { .station = "A", .action = "StopTransaction", .message_id = "m", .wall_us = 100, .mono_us = 90, .boot = 5 };
	int64_t other;
	lab_open(lab, NULL);
	int64_t ours = VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
	rec.boot = 4; /* of an earlier run of the machine: its monotonic clock says nothing here */
	other = VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
	rec = (struct outbox_rec){ .station = "A", .action = "StopTransaction", .message_id = "m", .wall_us = 7000, .mono_us = 95, .boot = 5, .clock = CLOCK_TRUSTED };
	VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
	assert_int_equal(VALUE_OF(outbox_correct(lab->s, 5, 6000, on_answer, &last)), 1);
	assert_int_equal(VALUE_OF(outbox_correct(lab->s, 5, 9000, on_answer, &last)), 0);
	assert_int_equal(outbox_head(lab->s, "A", &mem, &got), 0);
	assert_int_equal(got.seq, ours);
	assert_int_equal(got.wall_us, 6090);
	assert_int_equal(got.shift_us, 5990);
	assert_int_equal(got.clock, CLOCK_CORRECTED);
	VALUE_OF(outbox_confirm(lab->s, ours, NULL, on_answer, &last));
	assert_int_equal(outbox_head(lab->s, "A", &mem, &got), 0);
	assert_int_equal(got.seq, other);
	assert_int_equal(got.wall_us, 100);
	assert_int_equal(got.clock, CLOCK_UNTRUSTED);
	arena_free(&mem);
}

/* OCPP 2.0.1 E11.FR.04, E11.FR.05: intermediate ones from the middle, never the first or what is not marked. */
LAB_TEST(test_without_room_every_second_value_of_a_transaction_goes)
{
	struct outbox_rec rec = { .station = "A", .kind = OUTBOX_TX_UPDATE, .action = "MeterValues", .message_id = "m", .tx = "1", .thin = true };
	int64_t seq[7];
	struct arena mem = { 0 };
	struct outbox_rec got;
	lab_open(lab, NULL);
	for (int i = 0; i < 6; i++) {
		rec.thin = i != 3; /* a signed one */
		seq[i] = VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
	}
	rec.tx = "2";
	rec.thin = true;
	seq[6] = VALUE_OF(outbox_put(lab->s, &rec, on_answer, &last));
	assert_int_equal(VALUE_OF(outbox_thin(lab->s, on_answer, &last)), 2); /* the second and the fourth that may go */
	assert_int_equal(outbox_count(lab->s, "A"), 5);
	const int stay[] = { 0, 2, 3, 5, 6 };
	for (int i = 0; i < 5; i++) {
		assert_int_equal(outbox_head(lab->s, "A", &mem, &got), 0);
		assert_int_equal(got.seq, seq[stay[i]]);
		VALUE_OF(outbox_confirm(lab->s, got.seq, NULL, on_answer, &last));
	}
	arena_free(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_room_every_second_value_of_a_transaction_goes),
		cmocka_unit_test(test_times_from_before_the_time_was_known_are_put_right_once),
		cmocka_unit_test(test_a_record_comes_back_as_it_was),
		cmocka_unit_test(test_stations_that_wait_are_named),
		cmocka_unit_test(test_each_station_has_its_own_order),
		cmocka_unit_test(test_a_number_never_comes_back),
		cmocka_unit_test(test_callbacks_come_in_the_order_of_the_calls_and_after_the_commit),
		cmocka_unit_test(test_others_see_a_record_before_its_callback_runs),
		cmocka_unit_test(test_a_sent_record_stays_the_head_with_its_attempts_over_a_restart),
		cmocka_unit_test(test_a_parked_record_is_passed_over_stays_visible_and_can_be_retried_in_place),
		cmocka_unit_test(test_walks_go_over_pages_and_stop_when_told),
		cmocka_unit_test(test_the_head_is_found_by_index),
		cmocka_unit_test(test_starts_are_refused_before_the_records_of_running_transactions),
		cmocka_unit_test(test_a_repeat_is_known_by_its_fingerprint),
		cmocka_unit_test(test_only_the_newest_fingerprints_are_kept),
		cmocka_unit_test(test_failures_are_counted_apart_from_sendings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
