/* What we say ourselves is valid to the letter, in every version: the refusals of the catalogue, the smallest answers, and the messages that
 * events and commands become. */
#include "tests/unit/unit.h"

#include <math.h>

#include "base/buf.h"
#include "base/clock.h"
#include "ocpp/codec.h"
#include "ocpp/validate.h"

static const char *const versions[] = { "1.6", "2.0.1", "2.1" };

static void assert_valid(enum ocpp_version v, const char *action, bool answer, struct slice payload)
{
	struct verdict verdict;
	const struct shape *shape = dictionary_shape(v, action, answer);
	if (!shape)
		fail_msg("%s %s: the dictionary has no such %s", versions[v], action, answer ? "answer" : "message");
	if (validate(shape, payload, v, &verdict) != 0)
		fail_msg("%s %s %s: %s %s in %.*s", versions[v], action, answer ? "answer" : "call", verdict.path, rule_text(verdict.rule), SLICE_ARG(payload));
}

static void refusals_are_valid(void **state)
{
	int seen = 0;
	(void)state;
	for (int v = 0; v < OCPP_VERSIONS; v++)
		for (size_t i = 0; i < catalogue_count(); i++) {
			const struct action *act = catalogue_at(i);
			const char *refusal = act->versions & 1 << v ? catalogue_refusal((enum ocpp_version)v, act) : NULL;
			if (refusal) {
				assert_valid((enum ocpp_version)v, act->name, true, slice_of(refusal));
				seen++;
			}
		}
	assert_true(seen > 100);
}

static void the_smallest_answers_are_valid(void **state)
{
	int seen = 0;
	(void)state;
	for (int v = 0; v < OCPP_VERSIONS; v++)
		for (size_t i = 0; i < catalogue_count(); i++) {
			const struct action *act = catalogue_at(i);
			struct buf payload = { 0 };
			struct reply r;
			reply_init(&r);
			if (!(act->versions & 1 << v) || act->send)
				continue;
			if (codec_write_answer((enum ocpp_version)v, act, &r, &payload) == 0) {
				assert_valid((enum ocpp_version)v, act->name, true, buf_view(&payload));
				seen++;
			}
			buf_free(&payload);
		}
	assert_true(seen > 60);
}

static void one_call(enum ocpp_version v, const struct event *e, int *seen)
{
	struct buf payload = { 0 };
	const struct action *act = NULL;
	int err = codec_write_call(v, e, &payload, &act);
	if (err == 0) {
		assert_valid(v, act->name, false, buf_view(&payload));
		++*seen;
	} else {
		assert_int_equal(err, ERR_UNSUPPORTED);
		assert_int_equal(payload.n, 0);
	}
	buf_free(&payload);
}

/* An event with everything said that its kind may use. */
static void fill(struct event *e, enum event_kind kind, enum ocpp_version v)
{
	static struct sample samples[] = { { .time_us = 1700000000000000, .measurand = MEAS_ENERGY_IMPORT, .value = 1234.5678 },
		{ .time_us = 1700000000000000, .measurand = MEAS_CURRENT_IMPORT, .phase = 2, .value = 15.9999999 } };
	static const char *const words[EVENT_KINDS] = { [CMD_RESET] = "Soft", [CMD_TRIGGER] = "StatusNotification", [CMD_AVAILABILITY] = "Operative",
		[CMD_SET_CONFIG] = "OCPPCommCtrlr.HeartbeatInterval", [CMD_GET_CONFIG] = "OCPPCommCtrlr.HeartbeatInterval", [CMD_GET_REPORT] = "FullInventory",
		[EV_FIRMWARE] = "Installed", [EV_LOG] = "Uploaded", [EV_RESERVATION] = "Expired", [EV_SECURITY] = "StartupOfTheDevice", [EV_DATA] = "id",
		[EV_LIMIT] = "Set", [EV_NOTIFY] = "EVSE.AvailabilityState" };
	event_init(e, kind);
	e->evse = 1;
	e->connector = 1;
	e->time_us = 1700000000123456;
	e->token = SLICE("0123456789ABCDEF");
	e->tx = v == OCPP16 ? SLICE("1234567") : SLICE("tx-1");
	e->phase = TX_START;
	e->seq_no = 3;
	e->meter_wh = 1234567.891;
	e->state = EVSE_CHARGING;
	e->vendor = SLICE("A maker whose name is longer than the field has room for");
	e->model = SLICE("Model");
	e->serial = SLICE("a serial number that is much longer than twenty-five characters");
	e->firmware = SLICE("1.0");
	e->samples = samples;
	e->n_samples = 2;
	e->purpose = PURPOSE_TX;
	e->profile_id = 1900000001;
	e->limit_a = 16.0 / 3;
	e->duration_s = 180;
	e->word = slice_of(words[kind]);
	e->value = SLICE("300");
	e->request_id = 7;
	e->reservation = 9;
	e->remote_start_id = 11;
	e->list_version = 4;
}

static void calls_are_valid(void **state)
{
	int seen = 0;
	struct event e;
	(void)state;
	for (int v = 0; v < OCPP_VERSIONS; v++)
		for (int kind = EV_NONE + 1; kind < EVENT_KINDS; kind++) {
			fill(&e, (enum event_kind)kind, (enum ocpp_version)v);
			one_call((enum ocpp_version)v, &e, &seen);
		}
	assert_true(seen > 50);
}

static void transactions_and_profiles_are_valid_in_all_their_forms(void **state)
{
	int seen = 0;
	struct event e;
	(void)state;
	for (int v = 0; v < OCPP_VERSIONS; v++) {
		for (int phase = TX_START; phase <= TX_END; phase++) {
			fill(&e, EV_TX, (enum ocpp_version)v);
			e.phase = (enum tx_phase)phase;
			one_call((enum ocpp_version)v, &e, &seen);
		}
		for (int purpose = PURPOSE_STATION_MAX; purpose <= PURPOSE_TX; purpose++)
			for (double a = 0; a < 40; a += 0.7) {
				fill(&e, CMD_SET_PROFILE, (enum ocpp_version)v);
				e.purpose = (enum profile_purpose)purpose;
				e.limit_a = a;
				e.evse = purpose == PURPOSE_STATION_MAX ? 0 : 1;
				one_call((enum ocpp_version)v, &e, &seen);
			}
	}
	assert_true(seen > 500);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_valid),
		cmocka_unit_test(the_smallest_answers_are_valid),
		cmocka_unit_test(calls_are_valid),
		cmocka_unit_test(transactions_and_profiles_are_valid_in_all_their_forms),
	};
	return cmocka_run_group_tests_name("ocpp/originate", tests, NULL, NULL);
}
