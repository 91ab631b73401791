/* A connector's state and output follow from its facts, in whatever order these come. */
#include "station/connector.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static char seen[512];

static void on_output(void *arg, struct connector *c)
{
	(void)arg;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%d ", c->close ? "close" : "open", c->offered_ma);
}

static void on_state(void *arg, struct connector *c, enum evse_state old)
{
	static const char *const letters[EVSE_STATES] = {
		[EVSE_AVAILABLE] = "A", [EVSE_PREPARING] = "P", [EVSE_CHARGING] = "C", [EVSE_SUSPENDED_EV] = "V",
		[EVSE_SUSPENDED_EVSE] = "E", [EVSE_FINISHING] = "F", [EVSE_RESERVED] = "R", [EVSE_UNAVAILABLE] = "U", [EVSE_FAULTED] = "X",
	};
	(void)arg;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%s ", letters[old], letters[c->state]);
}

static const struct connector_events events = { .output = on_output, .state = on_state };

static void begin(struct connector *c)
{
	seen[0] = 0;
	connector_open(c, 1, 6000, &events, NULL);
	connector_permit(c, 16000);
}

static void feed(struct connector *c, bool plugged, bool wants, const char *fault)
{
	connector_feed(c, &(struct evse_input){ .plugged = plugged, .wants_energy = wants, .fault = fault });
}

static void test_a_charge_from_plug_to_unplug(void **state)
{
	struct connector c;
	(void)state;
	begin(&c);
	feed(&c, true, false, NULL);
	assert_true(connector_ready(&c));
	connector_run(&c, true);
	feed(&c, true, true, NULL);
	feed(&c, true, false, NULL);
	connector_run(&c, false);
	feed(&c, false, false, NULL);
	assert_string_equal(seen, "AP open16000 PV close16000 VC open16000 CV open0 VF FA ");
}

static void test_permission_below_the_minimum_opens(void **state)
{
	struct connector c;
	(void)state;
	begin(&c);
	feed(&c, true, true, NULL);
	connector_run(&c, true);
	connector_permit(&c, 5999);
	connector_permit(&c, 3000);
	connector_permit(&c, 6000);
	assert_string_equal(seen, "AP close16000 PC open0 CE close6000 EC ");
}

static void test_never_closed_without_a_transaction(void **state)
{
	struct connector c;
	(void)state;
	begin(&c);
	feed(&c, true, true, NULL);
	connector_claim(&c, true);
	connector_permit(&c, 32000);
	assert_false(c.close);
	assert_int_equal(c.offered_ma, 0);
}

static void test_a_fault_opens_before_it_is_reported(void **state)
{
	struct connector c;
	char fault[] = "GroundFailure";
	(void)state;
	begin(&c);
	feed(&c, true, true, NULL);
	connector_run(&c, true);
	seen[0] = 0;
	feed(&c, true, true, fault);
	assert_string_equal(seen, "open0 CX ");
	fault[0] = 0;
	assert_string_equal(c.in.fault, "GroundFailure");
	assert_false(connector_ready(&c));
}

static void test_inoperative_waits_for_the_transaction(void **state)
{
	struct connector c;
	(void)state;
	begin(&c);
	feed(&c, true, true, NULL);
	connector_run(&c, true);
	connector_operative(&c, false);
	assert_int_equal(c.state, EVSE_CHARGING);
	connector_run(&c, false);
	assert_int_equal(c.state, EVSE_UNAVAILABLE);
	connector_operative(&c, true);
	assert_int_equal(c.state, EVSE_FINISHING);
}

static void test_halted_suspends_and_a_new_run_does_not_inherit_it(void **state)
{
	struct connector c;
	(void)state;
	begin(&c);
	feed(&c, true, true, NULL);
	connector_run(&c, true);
	connector_halt(&c, true);
	assert_int_equal(c.state, EVSE_SUSPENDED_EVSE);
	assert_false(c.close);
	connector_run(&c, false);
	connector_run(&c, true);
	assert_int_equal(c.state, EVSE_CHARGING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_charge_from_plug_to_unplug),
		cmocka_unit_test(test_permission_below_the_minimum_opens),
		cmocka_unit_test(test_never_closed_without_a_transaction),
		cmocka_unit_test(test_a_fault_opens_before_it_is_reported),
		cmocka_unit_test(test_inoperative_waits_for_the_transaction),
		cmocka_unit_test(test_halted_suspends_and_a_new_run_does_not_inherit_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
