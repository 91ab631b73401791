/* What transactions have to say is said in order, once each, however long the link is away. */
#include <stdio.h>

#include "base/loop.h"
#include "tests/unit/station/csms.h"

static struct stage st;

static void begin(enum ocpp_version v)
{
	stage_open(&st, v);
	st.conf.free_token = "free";
	stage_boot(&st);
}

static void end(void)
{
	expect_nothing(&st);
	stage_close(&st);
}

static int64_t queued(void)
{
	struct station_view view;
	station_view(st.s, 1, &view);
	return view.queued;
}

static void test_a_charge_without_a_link_is_told_later_in_order(void **state)
{
	(void)state;
	begin(OCPP16);
	stage_drop(&st);
	plug(&st, true, true);
	expect_output(&st, "close16000 ");
	pass(&st, 120 * SECOND);
	meter(&st, 1200);
	plug(&st, false, false);
	assert_int_equal(queued(), 4);
	stage_connect(&st); /* the connector is as the CSMS knows it */
	expect(&st, "StartTransaction", "\"timestamp\":\"2026-05-28T20:26:40.000Z\"", NULL);
	expect(&st, "MeterValues", "\"transactionId\":17", "20:27:40", NULL); /* the id is that of the answer just given */
	expect(&st, "MeterValues", "\"transactionId\":17", "20:28:40", NULL);
	expect(&st, "StopTransaction", "\"transactionId\":17", "\"meterStop\":1200", "\"EVDisconnected\"", NULL);
	assert_int_equal(queued(), 0);
	end();
}

static void test_2x_says_what_was_offline(void **state)
{
	(void)state;
	begin(OCPP201);
	plug(&st, true, true);
	expect(&st, "StatusNotification", NULL);
	expect(&st, "TransactionEvent", "\"Started\"", NULL);
	expect(&st, "TransactionEvent", "\"Updated\"", NULL);
	stage_drop(&st);
	pass(&st, 60 * SECOND);
	stage_connect(&st);
	expect(&st, "TransactionEvent", "\"Updated\"", "\"seqNo\":2", "\"offline\":true", NULL);
	pass(&st, 60 * SECOND);
	expect(&st, "TransactionEvent", "\"Updated\"", "\"seqNo\":3", NULL);
	assert_null(strstr(last_payload(&st), "\"offline\":true"));
	end();
}

static void test_an_answer_lost_with_the_link_is_asked_for_again_with_the_same_id(void **state)
{
	char id[64];
	(void)state;
	begin(OCPP201);
	stage_script(&st, "TransactionEvent", NULL);
	plug(&st, true, true);
	expect(&st, "StatusNotification", NULL);
	snprintf(id, sizeof(id), "%s", expect(&st, "TransactionEvent", "\"Started\"", NULL));
	assert_null(strstr(last_payload(&st), "\"offline\":true"));
	stage_drop(&st);
	stage_script(&st, "TransactionEvent", "{}");
	stage_connect(&st);
	assert_string_equal(expect(&st, "TransactionEvent", "\"Started\"", "\"offline\":true", NULL), id); /* 2.0.1 E11.FR.07 */
	expect(&st, "TransactionEvent", "\"seqNo\":1", "\"offline\":true", NULL);
	end();
}

static void test_errors_and_silence_are_retried_three_times_with_growing_waits(void **state)
{
	char id[64];
	(void)state;
	begin(OCPP16);
	stage_script(&st, "StartTransaction", "!InternalError");
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"Preparing\"", NULL);
	snprintf(id, sizeof(id), "%s", expect(&st, "StartTransaction", NULL));
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	pass(&st, 59 * SECOND);
	expect_nothing(&st);
	stage_script(&st, "StartTransaction", NULL); /* silence: another 30 s until it counts */
	pass(&st, SECOND);
	assert_string_equal(expect(&st, "StartTransaction", NULL), id);
	pass(&st, 149 * SECOND);
	expect_nothing(&st);
	stage_script(&st, "StartTransaction", "!InternalError");
	pass(&st, SECOND);
	assert_string_equal(expect(&st, "StartTransaction", NULL), id);
	expect(&st, "MeterValues", "\"transactionId\":-1", NULL); /* 1.6 errata 3.18: given up, and what follows has no number */
	st.at = st.n_seen;
	plug(&st, false, false);
	expect(&st, "StopTransaction", "\"transactionId\":-1", NULL);
	expect(&st, "StatusNotification", NULL);
	end();
}

static void test_being_offline_is_no_failed_attempt(void **state)
{
	(void)state;
	begin(OCPP16);
	stage_script(&st, "StartTransaction", NULL);
	plug(&st, true, true);
	for (int i = 0; i < 5; i++) {
		stage_drop(&st);
		stage_connect(&st);
	}
	stage_script(&st, "StartTransaction", "{\"transactionId\":21,\"idTagInfo\":{\"status\":\"Accepted\"}}");
	stage_drop(&st);
	stage_connect(&st);
	plug(&st, false, false);
	st.at = st.n_seen - 2;
	expect(&st, "StopTransaction", "\"transactionId\":21", NULL);
	expect(&st, "StatusNotification", NULL);
	end();
}

static void test_a_queue_that_overflows_keeps_starts_and_ends(void **state)
{
	struct station_view view;
	(void)state;
	begin(OCPP16);
	stage_drop(&st);
	plug(&st, true, true);
	for (int i = 0; i < 1300; i++)
		pass(&st, 60 * SECOND);
	assert_in_range(queued(), 500, 1000);
	stage_script(&st, "MeterValues", NULL);
	stage_connect(&st);
	expect(&st, "StatusNotification", "\"Charging\"", NULL);
	expect(&st, "StartTransaction", NULL);
	expect(&st, "MeterValues", NULL);
	station_view(st.s, 1, &view);
	assert_string_equal(view.tx, "17");
	end();
}

static void test_offline_tokens_need_to_be_known(void **state)
{
	(void)state;
	stage_open(&st, OCPP16);
	stage_boot(&st);
	ask(&st, "SendLocalList",
	    "{\"listVersion\":1,\"updateType\":\"Full\",\"localAuthorizationList\":[{\"idTag\":\"good\",\"idTagInfo\":{\"status\":\"Accepted\"}},"
	    "{\"idTag\":\"old\",\"idTagInfo\":{\"status\":\"Accepted\",\"expiryDate\":\"2020-01-01T00:00:00Z\"}}]}");
	stage_drop(&st);
	plug(&st, true, true);
	station_token(st.s, 1, "stranger");
	station_token(st.s, 1, "old");
	expect_output(&st, "");
	station_token(st.s, 1, "good");
	expect_output(&st, "close16000 ");
	end();
}

/* Where the peer is this program, power may not flow on a start that is known to nobody else. */
static void test_a_start_waits_for_no_other_answer_where_the_peer_is_inside(void **state)
{
	static const struct evse_input second = { .plugged = true, .wants_energy = true };
	(void)state;
	stage_open(&st, OCPP16);
	st.conf.n_evses = 2;
	st.conf.free_token = "free";
	st.conf.peer_inside = true;
	stage_boot(&st);
	stage_script(&st, "StatusNotification", NULL);
	stage_script(&st, "StartTransaction", NULL);
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"connectorId\":1", NULL);
	expect(&st, "StartTransaction", "\"connectorId\":1", NULL);
	station_input(st.s, 2, &second);
	loop_run_later();
	expect(&st, "StartTransaction", "\"connectorId\":2", NULL);
	assert_int_equal(queued(), 2);
	expect_nothing(&st); /* nor are states told that follow from a start before it is */
	end();
}

static void test_a_peer_across_a_network_is_asked_one_thing_at_a_time(void **state)
{
	(void)state;
	begin(OCPP16);
	stage_script(&st, "StatusNotification", NULL);
	plug(&st, true, true);
	expect(&st, "StatusNotification", "\"connectorId\":1", NULL);
	expect_nothing(&st);
	pass(&st, 30 * SECOND);
	expect(&st, "StartTransaction", "\"connectorId\":1", NULL);
	st.at = st.n_seen;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_charge_without_a_link_is_told_later_in_order),
		cmocka_unit_test(test_2x_says_what_was_offline),
		cmocka_unit_test(test_an_answer_lost_with_the_link_is_asked_for_again_with_the_same_id),
		cmocka_unit_test(test_errors_and_silence_are_retried_three_times_with_growing_waits),
		cmocka_unit_test(test_being_offline_is_no_failed_attempt),
		cmocka_unit_test(test_a_queue_that_overflows_keeps_starts_and_ends),
		cmocka_unit_test(test_offline_tokens_need_to_be_known),
		cmocka_unit_test(test_a_start_waits_for_no_other_answer_where_the_peer_is_inside),
		cmocka_unit_test(test_a_peer_across_a_network_is_asked_one_thing_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
