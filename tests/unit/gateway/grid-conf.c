/* What the devices of a site keep while they are dimmed: section 14a EnWG, BK6-22-300, Anlage 1, 2.4 and 4.5.2. Amounts reckoned by hand. */
#include "gateway/power/grid-conf.h"
#include "tests/unit/unit.h"

static struct circuit_settings grid_circuit = { .id = "grid" };
static struct station_settings stations[2];
static struct grid_other_settings others[4];
static struct grid_settings grid;
static struct settings site;

/* So many sockets of 11 kW, and of 3.7 kW. */
static void stage(int large, int small)
{
	stations[0] = (struct station_settings){ .circuit = &grid_circuit, .evses = large, .phases = 7, .max_current_ma = 16000 };
	stations[1] = (struct station_settings){ .circuit = &grid_circuit, .evses = small, .phases = 1, .max_current_ma = 16000 };
	grid = (struct grid_settings){ .dim_to_w = 4200, .others = others };
	site = (struct settings){ .site.voltage_v = 230, .circuits = &grid_circuit, .n_circuits = 1, .stations = stations, .n_stations = 2, .grid = &grid };
}

static void other(enum grid_other_kind kind, int rated_w)
{
	others[grid.n_others++] = (struct grid_other_settings){ .kind = kind, .rated_w = rated_w };
}

static void keep(int devices, int64_t watts)
{
	assert_int_equal(grid_conf_devices(&site), devices);
	assert_int_equal(grid_conf_keeps_w(&site), watts);
}

static void test_charging_points_alone(void **state)
{
	(void)state;
	stage(1, 0);
	keep(1, 4200);
	stage(4, 0);
	keep(4, 13020); /* 4.2 + 3 x 0.70 x 4.2 */
}

static void test_small_ones_do_not_count(void **state)
{
	(void)state;
	stage(2, 5);
	other(GRID_STORAGE, 4200);
	keep(2, 7560);
	stage(0, 3); /* none is what the rule is about; they are not dimmed to nothing */
	keep(3, 10500);
}

static void test_heat_pumps_are_one_device_together(void **state)
{
	(void)state;
	stage(0, 0);
	for (int i = 0; i < 3; i++)
		other(GRID_HEAT_PUMP, 5000);
	keep(1, 6000); /* 0.4 x 15 */
	stage(2, 0);
	other(GRID_HEAT_PUMP, 3000);
	other(GRID_HEAT_PUMP, 3000);
	keep(3, 10500); /* 4.2 + 2 x 0.75 x 4.2 */
	stage(2, 0);
	other(GRID_HEAT_PUMP, 2000);
	other(GRID_HEAT_PUMP, 2000);
	keep(2, 7560);
}

static void test_of_heat_and_cooling_the_larger_is_kept(void **state)
{
	(void)state;
	stage(1, 0);
	other(GRID_HEAT_PUMP, 20000);
	other(GRID_COOLING, 15000);
	other(GRID_STORAGE, 10000);
	other(GRID_STORAGE, 10000);
	keep(5, 18920); /* 0.4 x 20 + 4 x 0.65 x 4.2 */
	stage(1, 0);
	other(GRID_HEAT_PUMP, 6000);
	other(GRID_COOLING, 8000);
	keep(3, 10500); /* neither is above 11 kW */
}

/* Direct control, 4.5.1: the circuit that feeds one charging point keeps what one keeps, whatever else is there. */
static void test_a_single_charging_point_on_a_circuit_of_its_own(void **state)
{
	static struct circuit_settings circuits[2] = { { .id = "grid" }, { .id = "box", .parent = &circuits[0] } };
	(void)state;
	stage(1, 0);
	stations[0].circuit = &circuits[1];
	stations[1] = (struct station_settings){ .circuit = &circuits[0], .evses = 6, .phases = 7, .max_current_ma = 32000 };
	site.circuits = circuits;
	site.n_circuits = 2;
	keep(7, 18060); /* 4.2 + 6 x 0.55 x 4.2 */
	grid.circuit = &circuits[1];
	keep(1, 4200);
	struct grid_input_settings input = { .id = "contact", .kind = GRID_CONTACT, .limit_w = -1, .fail_safe_w = -1 };
	struct grid_now dimmed = { .state = GRID_LIMITED, .limit_w = grid_conf_contact_w(&site, &input) };
	grid.inputs = &input;
	grid.n_inputs = 1;
	struct cap_conf cap = grid_conf_cap(&site, &dimmed, 0);
	assert_int_equal(cap.node, 1);
	assert_int_equal(cap.power_w, 4200);
	assert_true(cap.devices);
}

static void test_how_many_may_be_said(void **state)
{
	(void)state;
	stage(4, 0);
	grid.devices = 2;
	keep(2, 7560);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charging_points_alone),
		cmocka_unit_test(test_small_ones_do_not_count),
		cmocka_unit_test(test_heat_pumps_are_one_device_together),
		cmocka_unit_test(test_of_heat_and_cooling_the_larger_is_kept),
		cmocka_unit_test(test_a_single_charging_point_on_a_circuit_of_its_own),
		cmocka_unit_test(test_how_many_may_be_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
