/* The ledger: provisional ids, both names of a transaction, resent starts, and what is forgotten when. */
#include "storage/txs.h"

#include <math.h>

#include "tests/unit/storage/lab.h"

static const struct outbox_rec start_rec = {
	.station = "G-07", .kind = OUTBOX_TX_START, .version = 16, .action = "StartTransaction", .message_id = "m1", .payload = SLICE("{}"),
	.wall_us = 1000,
};

static struct tx_rec start_tx(int64_t time_us)
{
	struct tx_rec tx = { .evse = 1, .token = "ABC", .start_us = time_us, .start_wh = 1200, .stop_wh = NAN, .offline = true };
	tx_fingerprint("G-07", 1, SLICE("ABC"), time_us, 1200, tx.fingerprint);
	return tx;
}

/* Starts a transaction; its provisional id or its seq. */
static int64_t start(struct lab *lab, int64_t time_us, bool provisional)
{
	struct tx_rec tx = start_tx(time_us);
	return VALUE_OF(tx_start(lab->s, &start_rec, &tx, provisional, provisional ? "{\"transactionId\":%ID%}" : NULL, on_answer, &last));
}

static int64_t seq_of(struct lab *lab, const char *station_tx)
{
	struct arena mem = { 0 };
	struct tx_rec tx = { 0 };
	assert_int_equal(tx_by_station_id(lab->s, "G-07", station_tx, &mem, &tx), 0);
	arena_free(&mem);
	return tx.start_seq;
}

static void assert_names(struct lab *lab, int64_t seq, const char *station_tx, const char *csms_tx)
{
	struct arena mem = { 0 };
	struct tx_rec tx = { 0 };
	assert_int_equal(tx_by_start(lab->s, seq, &mem, &tx), 0);
	assert_string_equal(tx.station_tx ? tx.station_tx : "none", station_tx);
	assert_string_equal(tx.csms_tx ? tx.csms_tx : "none", csms_tx);
	arena_free(&mem);
}

LAB_TEST(test_a_start_without_a_csms_gets_an_id_and_an_answer_in_one_commit)
{
	struct arena mem = { 0 };
	struct tx_rec tx, want = start_tx(77);
	struct outbox_rec head;
	lab_open(lab, NULL);
	assert_int_equal(start(lab, 77, true), 1500000001);
	lab_reopen(lab);
	assert_int_equal(tx_by_fingerprint(lab->s, "G-07", want.fingerprint, &mem, &tx), 0);
	assert_string_equal(tx.station_tx, "1500000001");
	assert_null(tx.csms_tx);
	assert_string_equal(tx.answer, "{\"transactionId\":1500000001}");
	assert_string_equal(tx.token, "ABC");
	assert_int_equal(tx.evse, 1);
	assert_int_equal(tx.start_us, 77);
	assert_true(tx.start_wh == 1200 && isnan(tx.stop_wh));
	assert_true(tx.offline && tx.running && !tx.confirmed);
	assert_int_equal(outbox_head(lab->s, "G-07", &mem, &head), 0);
	assert_int_equal(head.seq, tx.start_seq);
	assert_string_equal(head.tx, "1500000001");
	assert_int_equal(tx_by_fingerprint(lab->s, "G-08", want.fingerprint, &mem, &tx), ERR_NOT_FOUND);
	arena_free(&mem);
}

LAB_TEST(test_a_resent_start_is_stored_once)
{
	struct answer first = { 0 }, second = { 0 };
	struct tx_rec tx = start_tx(77);
	lab_open(lab, NULL);
	assert_int_equal(tx_start(lab->s, &start_rec, &tx, true, NULL, on_answer, &first), 0); /* the first is still on its way */
	assert_int_equal(error_of(&second, tx_start(lab->s, &start_rec, &tx, true, NULL, on_answer, &second)), ERR_EXISTS);
	assert_int_equal(first.err, 0);
	assert_int_equal(outbox_count(lab->s, "G-07"), 1);
	assert_int_equal(start(lab, 78, true), 1500000002); /* the id of the one that was refused is not lost to a failure, either */
}

LAB_TEST(test_a_start_that_was_taken_back_is_a_new_one_when_it_comes_again)
{
	lab_open(lab, NULL);
	int64_t first = start(lab, 77, false);
	assert_int_equal(outbox_count(lab->s, "G-07"), 1);
	VALUE_OF(tx_withdraw(lab->s, first, on_answer, &last));
	assert_int_equal(outbox_count(lab->s, "G-07"), 0);
	int64_t second = start(lab, 77, false);
	assert_true(second > first);
	assert_int_equal(outbox_count(lab->s, "G-07"), 1);
}

LAB_TEST(test_confirming_a_start_binds_the_two_names)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	lab_open(lab, NULL);
	assert_false(tx_has_mapping(lab->s, "G-07"));
	start(lab, 77, true);
	assert_true(tx_has_mapping(lab->s, "G-07")); /* the CSMS does not know the provisional id */
	int64_t seq = seq_of(lab, "1500000001");
	VALUE_OF(outbox_confirm(lab->s, seq, "42", on_answer, &last));
	lab_reopen(lab);
	assert_true(tx_has_mapping(lab->s, "G-07"));
	assert_false(tx_has_mapping(lab->s, "G-08"));
	assert_int_equal(outbox_count(lab->s, NULL), 0);
	assert_int_equal(tx_by_csms_id(lab->s, "G-07", "42", &mem, &tx), 0);
	assert_string_equal(tx.station_tx, "1500000001");
	assert_true(tx.confirmed);
	arena_free(&mem);
}

LAB_TEST(test_an_answer_in_time_leaves_one_name_and_no_record)
{
	lab_open(lab, NULL);
	int64_t seq = start(lab, 77, false);
	assert_int_equal(outbox_count(lab->s, "G-07"), 1);
	assert_int_equal(VALUE_OF(tx_answered(lab->s, seq, "42", "42", "{\"transactionId\":42}", on_answer, &last)), 42);
	assert_int_equal(outbox_count(lab->s, "G-07"), 0);
	assert_false(tx_has_mapping(lab->s, "G-07"));
	assert_names(lab, seq, "42", "42");
	lab_reopen(lab);
	assert_int_equal(outbox_count(lab->s, "G-07"), 0);
	assert_int_equal(ERROR_OF(tx_answered(lab->s, seq + 1, "42", "42", NULL, on_answer, &last)), ERR_NOT_FOUND);
}

LAB_TEST(test_an_answer_that_comes_late_does_not_change_what_the_station_was_told)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	lab_open(lab, NULL);
	int64_t seq = start(lab, 77, false);
	assert_int_equal(VALUE_OF(tx_assign(lab->s, seq, "[%ID%]", on_answer, &last)), 1500000001);
	assert_int_equal(VALUE_OF(tx_assign(lab->s, seq, "[%ID%]", on_answer, &last)), 1500000001); /* asked twice, given once */
	assert_int_equal(VALUE_OF(tx_answered(lab->s, seq, "42", "42", "late", on_answer, &last)), 1500000001);
	assert_names(lab, seq, "1500000001", "42");
	assert_int_equal(tx_by_start(lab->s, seq, &mem, &tx), 0);
	assert_string_equal(tx.answer, "[1500000001]");
	assert_int_equal(outbox_count(lab->s, NULL), 0);
	assert_int_equal(ERROR_OF(tx_assign(lab->s, seq + 1, NULL, on_answer, &last)), ERR_NOT_FOUND);
	arena_free(&mem);
}

LAB_TEST(test_an_id_of_the_csms_is_not_given_out_as_a_provisional_one)
{
	lab_open(lab, NULL);
	int64_t seq = start(lab, 77, false);
	VALUE_OF(tx_answered(lab->s, seq, "1500000001", "1500000001", NULL, on_answer, &last));
	assert_int_equal(start(lab, 78, true), 1500000002);
}

LAB_TEST(test_an_id_of_the_csms_that_the_station_knows_as_something_else_is_not_told_to_it)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	lab_open(lab, NULL);
	assert_int_equal(start(lab, 77, true), 1500000001);
	int64_t seq = start(lab, 78, false);
	assert_int_equal(VALUE_OF(tx_answered(lab->s, seq, "1500000001", "1500000001", "<%ID%>", on_answer, &last)), 1500000002);
	assert_names(lab, seq, "1500000002", "1500000001");
	assert_int_equal(tx_by_start(lab->s, seq, &mem, &tx), 0);
	assert_string_equal(tx.answer, "<1500000002>");
	arena_free(&mem);
}

LAB_TEST(test_a_csms_that_calls_all_transactions_zero_is_followed)
{
	lab_open(lab, NULL);
	for (int i = 0; i < 3; i++) {
		int64_t seq = start(lab, 100 + i, false);
		assert_int_equal(VALUE_OF(tx_answered(lab->s, seq, "0", "0", NULL, on_answer, &last)), 0);
	}
	assert_false(tx_has_mapping(lab->s, "G-07"));
}

LAB_TEST(test_a_name_that_is_no_number_gets_a_provisional_one)
{
	lab_open(lab, NULL);
	int64_t seq = start(lab, 77, false);
	assert_int_equal(VALUE_OF(tx_answered(lab->s, seq, NULL, "4f2a-b", NULL, on_answer, &last)), 1500000001);
	assert_names(lab, seq, "1500000001", "4f2a-b");
}

LAB_TEST(test_ids_go_on_over_restarts)
{
	lab_open(lab, NULL);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(start(lab, i, true), 1500000001 + i);
		lab_reopen(lab);
	}
}

LAB_TEST(test_a_stop_ends_the_transaction_and_a_resent_one_changes_nothing)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	lab_open(lab, NULL);
	start(lab, 77, true);
	assert_int_equal(tx_running(lab->s, "G-07", 1, &mem, &tx), 0);
	assert_int_equal(tx_running(lab->s, "G-07", 0, &mem, &tx), 0);
	assert_int_equal(tx_running(lab->s, "G-07", 2, &mem, &tx), ERR_NOT_FOUND);
	assert_int_equal(VALUE_OF(tx_stop(lab->s, "G-07", "1500000001", 99, 5000, "Local", on_answer, &last)), tx.start_seq);
	VALUE_OF(tx_stop(lab->s, "G-07", "1500000001", 100, 6000, "Other", on_answer, &last));
	assert_int_equal(tx_running(lab->s, "G-07", 1, &mem, &tx), ERR_NOT_FOUND);
	assert_int_equal(tx_by_start(lab->s, tx.start_seq, &mem, &tx), 0);
	assert_int_equal(tx.stop_us, 99);
	assert_true(tx.stop_wh == 5000 && !tx.running);
	assert_string_equal(tx.stop_reason, "Local");
	assert_int_equal(ERROR_OF(tx_stop(lab->s, "G-07", "9", 99, NAN, NULL, on_answer, &last)), ERR_NOT_FOUND);
	arena_free(&mem);
}

/* The stop and its record: both or neither. */
LAB_TEST(test_a_stop_and_its_record_are_one)
{
	static const unsigned char print[16] = "the stop itself";
	struct arena mem = { 0 };
	struct tx_rec tx;
	struct outbox_rec end = start_rec;
	end.kind = OUTBOX_TX_END;
	end.tx = "1500000001";
	end.fingerprint = print;
	lab_open(lab, NULL);
	start(lab, 77, true);
	assert_true(VALUE_OF(tx_end(lab->s, &end, 99, 5000, "Local", on_answer, &last)) > 0);
	assert_int_equal(tx_by_station_id(lab->s, "G-07", "1500000001", &mem, &tx), 0);
	assert_true(tx.stop_us == 99 && !tx.running);
	assert_int_equal(outbox_count(lab->s, "G-07"), 2);
	assert_int_equal(ERROR_OF(tx_end(lab->s, &end, 100, 6000, "Other", on_answer, &last)), ERR_EXISTS);
	assert_int_equal(outbox_count(lab->s, "G-07"), 2);
	end.tx = "unknown";
	end.fingerprint = NULL;
	VALUE_OF(tx_end(lab->s, &end, 99, 5000, NULL, on_answer, &last)); /* of a transaction that nobody knows: delivered all the same */
	assert_int_equal(outbox_count(lab->s, "G-07"), 3);
	arena_free(&mem);
}

static bool note(void *arg, const struct tx_rec *tx)
{
	char one[32];
	snprintf(one, sizeof(one), "%s ", tx->station_tx);
	strcat(arg, one);
	return true;
}

static const char *listed(struct lab *lab)
{
	static char text[400];
	text[0] = 0;
	assert_int_equal(tx_each(lab->s, "G-07", 0, note, text), 0);
	return text;
}

LAB_TEST(test_only_what_is_over_and_delivered_is_forgotten)
{
	lab_open(lab, NULL);
	for (int i = 0; i < 4; i++)
		start(lab, i, true); /* 1: running, 2: start not delivered, 3: stop not delivered, 4: all done */
	VALUE_OF(tx_stop(lab->s, "G-07", "1500000002", 50, 60, "Local", on_answer, &last));
	VALUE_OF(tx_stop(lab->s, "G-07", "1500000003", 50, 60, "Local", on_answer, &last));
	VALUE_OF(tx_stop(lab->s, "G-07", "1500000004", 50, 60, "Local", on_answer, &last));
	VALUE_OF(outbox_confirm(lab->s, seq_of(lab, "1500000001"), "11", on_answer, &last));
	VALUE_OF(outbox_confirm(lab->s, seq_of(lab, "1500000003"), "13", on_answer, &last));
	VALUE_OF(outbox_confirm(lab->s, seq_of(lab, "1500000004"), "14", on_answer, &last));
	struct outbox_rec end = start_rec;
	end.kind = OUTBOX_TX_END;
	end.tx = "1500000003";
	int64_t stop = VALUE_OF(outbox_put(lab->s, &end, on_answer, &last));

	assert_int_equal(VALUE_OF(tx_trim(lab->s, 1, on_answer, &last)), 0); /* all are younger */
	assert_int_equal(VALUE_OF(tx_trim(lab->s, INT64_MAX, on_answer, &last)), 1);
	assert_string_equal(listed(lab), "1500000001 1500000002 1500000003 ");
	VALUE_OF(outbox_park(lab->s, stop, "refused", on_answer, &last));
	assert_int_equal(VALUE_OF(tx_trim(lab->s, INT64_MAX, on_answer, &last)), 0); /* set aside is not delivered */
	VALUE_OF(outbox_confirm(lab->s, stop, NULL, on_answer, &last));
	assert_int_equal(VALUE_OF(tx_trim(lab->s, INT64_MAX, on_answer, &last)), 1);
	assert_string_equal(listed(lab), "1500000001 1500000002 ");
	assert_true(tx_has_mapping(lab->s, "G-07"));
}

static void test_fingerprints_tell_starts_apart(void **state)
{
	unsigned char first[16], same[16], other[16];
	(void)state;
	tx_fingerprint("G-07", 1, SLICE("ABC"), 77, 1200, first);
	tx_fingerprint("G-07", 1, SLICE("ABC"), 77, 1200, same);
	assert_memory_equal(first, same, 16);
	static const unsigned char stored[16] = { /* in files of today, so it must be the same tomorrow */
		0xdc, 0x42, 0xc0, 0xef, 0xa6, 0xc7, 0x8a, 0x16, 0x62, 0x51, 0x7d, 0x5b, 0xd9, 0x13, 0x74, 0x09,
	};
	assert_memory_equal(first, stored, 16);
	const struct { const char *station; int evse; const char *token; int64_t us; double wh; } differ[] = {
		{ "G-08", 1, "ABC", 77, 1200 }, { "G-07", 2, "ABC", 77, 1200 }, { "G-07", 1, "ABD", 77, 1200 },
		{ "G-07", 1, "ABC", 78, 1200 }, { "G-07", 1, "ABC", 77, 1201 }, { "G-07", 1, "ABC", 77, NAN },
		{ "G-071", 1, "ABC", 77, 1200 }, { "G-07", 17, "ABC", 7, 1200 },
	};
	for (size_t i = 0; i < sizeof(differ) / sizeof(differ[0]); i++) {
		tx_fingerprint(differ[i].station, differ[i].evse, slice_of(differ[i].token), differ[i].us, differ[i].wh, other);
		if (memcmp(first, other, 16) == 0)
			fail_msg("case %zu has the same fingerprint", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_start_without_a_csms_gets_an_id_and_an_answer_in_one_commit),
		cmocka_unit_test(test_a_resent_start_is_stored_once),
		cmocka_unit_test(test_a_start_that_was_taken_back_is_a_new_one_when_it_comes_again),
		cmocka_unit_test(test_confirming_a_start_binds_the_two_names),
		cmocka_unit_test(test_an_answer_in_time_leaves_one_name_and_no_record),
		cmocka_unit_test(test_an_answer_that_comes_late_does_not_change_what_the_station_was_told),
		cmocka_unit_test(test_an_id_of_the_csms_is_not_given_out_as_a_provisional_one),
		cmocka_unit_test(test_an_id_of_the_csms_that_the_station_knows_as_something_else_is_not_told_to_it),
		cmocka_unit_test(test_a_csms_that_calls_all_transactions_zero_is_followed),
		cmocka_unit_test(test_a_name_that_is_no_number_gets_a_provisional_one),
		cmocka_unit_test(test_ids_go_on_over_restarts),
		cmocka_unit_test(test_a_stop_ends_the_transaction_and_a_resent_one_changes_nothing),
		cmocka_unit_test(test_a_stop_and_its_record_are_one),
		cmocka_unit_test(test_only_what_is_over_and_delivered_is_forgotten),
		cmocka_unit_test(test_fingerprints_tell_starts_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
