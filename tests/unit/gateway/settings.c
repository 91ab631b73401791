/* What a loaded configuration says: real files in a directory of their own, read as the daemon reads them. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/conf/check.h"
#include "gateway/power/balance.h"

#define HEAD "version: 1\n"
#define GRID "circuits: {grid: {kind: grid_connection, limit_a: 100}}\n"
#define LISTEN "listen: {ocpp: {lan: {port: 8887, min_security_profile: 0}}}\n"
#define UPLINK "uplinks: {cpo: {endpoints: [{url: \"ws://b\", priority: 2}, {url: \"ws://a/x/{id}?y\"}, {url: \"ws://c/\"}], password: \"cred:up-{id}\"}}\n"

struct stage {
	char dir[64], main[96], confd[96], credentials[96];
	struct conf_report report;
	struct settings *s;
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int set_stage(void **state)
{
	struct stage *st = calloc(1, sizeof(*st));
	strcpy(st->dir, "/tmp/ampgate-settings-XXXXXX");
	if (!st || !mkdtemp(st->dir))
		return -1;
	snprintf(st->main, sizeof(st->main), "%s/ampgate.yaml", st->dir);
	snprintf(st->confd, sizeof(st->confd), "%s/conf.d", st->dir);
	snprintf(st->credentials, sizeof(st->credentials), "%s/credentials", st->dir);
	unsetenv("CREDENTIALS_DIRECTORY");
	*state = st;
	return mkdir(st->confd, 0700) || mkdir(st->credentials, 0700);
}

static int clear_stage(void **state)
{
	struct stage *st = *state;
	char command[128];
	settings_free(&st->s);
	conf_report_free(&st->report);
	snprintf(command, sizeof(command), "rm -rf '%s'", st->dir);
	int rc = system(command);
	free(st);
	return rc;
}

/* Loads with `text` as the main file; fails the test with the report when that does not work. */
static struct settings *load(struct stage *st, const char *text)
{
	struct settings_files files = { .main_file = st->main, .confd = st->confd, .credentials = st->credentials };
	struct buf said = { 0 };
	write_file(st->dir, "ampgate.yaml", text);
	int rc = settings_load_files(&files, &st->s, &st->report);
	conf_report_print(&st->report, &said);
	if (rc != 0)
		fail_msg("%s", said.p ? said.p : "failed without a word");
	buf_free(&said);
	return st->s;
}

static const struct station_settings *station(struct stage *st, const char *id)
{
	const struct station_settings *found = settings_station(st->s, slice_of(id));
	if (!found)
		fail_msg("no station %s", id);
	return found;
}

static void test_the_shortest_file_has_all_defaults(void **state)
{
	struct stage *st = *state;
	const struct settings *s = load(st, HEAD GRID);
	assert_string_equal(s->site.id, "site");
	assert_int_equal(s->site.voltage_v, 230);
	assert_int_equal(s->n_circuits, 1);
	assert_int_equal(s->circuits[0].limit_ma[2], 100000);
	assert_int_equal(s->circuits[0].phases, PHASE_ALL);
	assert_true(s->balancing.interval_us == 1000000);
	assert_int_equal(s->balancing.increase.step_ma, AMPS_AUTO);
	assert_true(s->balancing.on_meter_lost.after_us == 3000000);
	assert_int_equal(s->balancing.on_meter_lost.limit, LOST_FALLBACK);
	assert_int_equal(s->onboarding.mode, ONBOARDING_MANUAL);
	assert_int_equal(s->offline.authorize, OFFLINE_LOCAL_LIST | OFFLINE_CACHE);
	assert_true(s->offline.queue.max_age_us == INT64_C(7776000000000));
	assert_null(s->mqtt.url);
	assert_int_equal(s->n_stations, 0);
	assert_null(settings_station(s, SLICE("G-01")));
}

static struct control_conf described(struct stage *st, const char *text)
{
	const struct settings *s = load(st, text);
	struct arena mem = { 0 };
	struct control_conf conf = balance_describe(s, &mem);
	arena_free(&mem); /* only its numbers are looked at */
	return conf;
}

static void test_what_fits_is_kept_below_a_margin(void **state)
{
	struct stage *st = *state;
	struct control_conf conf = described(st, HEAD GRID);
	assert_true(conf.rebalance_us == INT64_C(600000000));
	assert_true(conf.margin);
	assert_true(conf.increase_after_us == -1); /* as it suits what is kept */
	assert_int_equal(conf.increase_step_ma, 0);
}

static void test_limits_may_follow_every_share_to_the_whole_limit(void **state)
{
	struct stage *st = *state;
	struct control_conf conf = described(st, HEAD GRID "balancing: {rebalance_every: 0s}\n");
	assert_true(conf.rebalance_us == 0);
	assert_false(conf.margin);
	assert_true(conf.increase_after_us == 15000000);
	assert_int_equal(conf.increase_step_ma, 4000);
}

static void test_limits_that_follow_may_keep_a_margin(void **state)
{
	struct stage *st = *state;
	struct control_conf conf = described(st, HEAD GRID "balancing: {rebalance_every: 0s, margin: on}\n");
	assert_true(conf.rebalance_us == 0);
	assert_true(conf.margin);
}

static void test_what_is_said_of_rebalancing_and_margin_goes(void **state)
{
	struct stage *st = *state;
	struct control_conf conf = described(st, HEAD GRID "balancing: {rebalance_every: 5m, margin: off}\n");
	assert_true(conf.rebalance_us == INT64_C(300000000));
	assert_false(conf.margin);
}

static void test_what_is_said_of_increases_goes_for_what_is_kept_too(void **state)
{
	struct stage *st = *state;
	struct control_conf conf = described(st, HEAD GRID "balancing: {increase: {after: 20s, step_a: 2.5}}\n");
	assert_true(conf.increase_after_us == 20000000);
	assert_int_equal(conf.increase_step_ma, 2500);
}

static void test_only_the_steps_of_increases_may_be_said(void **state)
{
	struct stage *st = *state;
	struct control_conf conf = described(st, HEAD GRID "balancing: {increase: {after: auto, step_a: 8}}\n");
	assert_true(conf.increase_after_us == -1);
	assert_int_equal(conf.increase_step_ma, 8000);
}

static void test_a_plain_key_refines_a_range(void **state)
{
	struct stage *st = *state;
	load(st, HEAD GRID "station_defaults: {max_current_a: 25, priority: 3}\n"
			   "stations:\n"
			   "  G-02: {priority: 10, name: Bay two}\n" /* before the range: the order in the file does not matter */
			   "  \"G-[01-03]\": {circuit: grid, rotation: [RST, STR], max_current_a: 20}\n"
			   "  X: {circuit: grid, priority: null}\n");
	assert_int_equal(st->s->n_stations, 4);
	assert_string_equal(station(st, "G-01")->rotation, "RST");
	assert_string_equal(station(st, "G-02")->rotation, "STR");
	assert_string_equal(station(st, "G-03")->rotation, "RST"); /* dealt out in turn */
	assert_int_equal(station(st, "G-02")->max_current_ma, 20000);
	assert_int_equal(station(st, "G-02")->priority, 10);
	assert_string_equal(station(st, "G-02")->name, "Bay two");
	assert_int_equal(station(st, "G-03")->priority, 3);
	assert_int_equal(station(st, "X")->max_current_ma, 25000);
	assert_int_equal(station(st, "X")->priority, 0); /* null takes the default away */
	assert_ptr_equal(station(st, "X")->circuit, &st->s->circuits[0]);
	assert_null(settings_station(st->s, SLICE("g-01"))); /* identities are compared exactly */
	assert_null(settings_station(st->s, SLICE("G-01\0x")));
}

static void test_later_layers_win(void **state)
{
	struct stage *st = *state;
	write_file(st->confd, "20-b.yaml", "site: {name: second}\n");
	write_file(st->confd, "10-a.yaml", "site: {name: first, voltage_v: 240}\nmeters: {m: null}\n");
	write_file(st->confd, "30-c.yml", "site: {name: not a layer}\n");
	write_file(st->confd, "40-d.yaml", "# nothing\n");
	const struct settings *s = load(st, HEAD GRID "site: {id: base, name: base}\nmeters: {m: {driver: sim}, n: {driver: sim}}\n");
	assert_string_equal(s->site.id, "base");
	assert_string_equal(s->site.name, "second");
	assert_int_equal(s->site.voltage_v, 240);
	assert_int_equal(s->n_meters, 1);
	assert_string_equal(s->meters[0].id, "n");
}

static void test_phases_follow_the_wiring(void **state)
{
	static const struct {
		const char *id, *rotation;
		uint8_t phases, first;
	} cases[] = {
		{ "three", "RST", PHASE_ALL, 0 },
		{ "turned", "TRS", PHASE_ALL, 2 },
		{ "one", "RST", PHASE_L1, 0 },
		{ "one-turned", "STR", PHASE_L2, 1 },
		{ "named", "TRS", PHASE_L3, 2 },    /* the rotation follows from the phase */
		{ "two", "RTS", PHASE_L1 | PHASE_L3, 0 },
		{ "feeder", "STR", PHASE_L2, 1 },   /* all that its circuit has */
	};
	struct stage *st = *state;
	load(st, HEAD "circuits:\n"
		      "  l2: {parent: grid, limit_a: 20, phases: [L2]}\n"
		      "  grid: {kind: grid_connection, limit_a: 100}\n"
		      "stations:\n"
		      "  three: {circuit: grid}\n"
		      "  turned: {circuit: grid, rotation: TRS}\n"
		      "  one: {circuit: grid, phases: 1}\n"
		      "  one-turned: {circuit: grid, phases: 1, rotation: STR}\n"
		      "  named: {circuit: grid, phases: [L3]}\n"
		      "  two: {circuit: grid, phases: [L1, L3]}\n"
		      "  feeder: {circuit: l2}\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct station_settings *s = station(st, cases[i].id);
		if (strcmp(s->rotation, cases[i].rotation) != 0 || s->phases != cases[i].phases || s->grid_phase[0] != cases[i].first)
			fail_msg("%s: %s, phases %d, first %d", cases[i].id, s->rotation, s->phases, s->grid_phase[0]);
	}
	assert_string_equal(st->s->circuits[0].id, "grid"); /* parents come first */
	assert_ptr_equal(st->s->circuits[1].parent, &st->s->circuits[0]);
	assert_int_equal(st->s->circuits[1].limit_ma[0], 0);
	assert_int_equal(st->s->circuits[1].limit_ma[1], 20000);
}

static void test_so_do_those_of_the_boxs_own_evses(void **state)
{
	static const struct {
		const char *id, *rotation;
		uint8_t phases, grid_phase[3];
	} cases[] = {
		{ "three", "RST", PHASE_ALL, { 0, 1, 2 } },
		{ "turned", "STR", PHASE_ALL, { 1, 2, 0 } },
		{ "one", "STR", PHASE_L2, { 1 } },
		{ "named", "TRS", PHASE_L3, { 2 } },
		{ "two", "TSR", PHASE_L2 | PHASE_L3, { 2, 1 } },
	};
	struct stage *st = *state;
	load(st, HEAD GRID "evses:\n"
			   "  three: {circuit: grid, driver: sim, current_a: 16}\n"
			   "  turned: {circuit: grid, driver: sim, current_a: 16, rotation: STR}\n"
			   "  one: {circuit: grid, driver: sim, current_a: 16, phases: 1, rotation: STR}\n"
			   "  named: {circuit: grid, driver: sim, current_a: 16, phases: [L3]}\n"
			   "  two: {circuit: grid, driver: sim, current_a: 16, phases: 2, rotation: TSR}\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct evse_settings *e = settings_evse(st->s, slice_of(cases[i].id));
		size_t n = (size_t)__builtin_popcount(e->phases);
		if (strcmp(e->rotation, cases[i].rotation) != 0 || e->phases != cases[i].phases || memcmp(e->grid_phase, cases[i].grid_phase, n) != 0)
			fail_msg("%s: %s, phases %d, first %d", cases[i].id, e->rotation, e->phases, e->grid_phase[0]);
	}
}

static void test_a_station_of_one_power_can_be_served(void **state)
{
	struct stage *st = *state;
	const struct settings *s = load(st, HEAD GRID "stations: {D-01: {circuit: grid, kind: dc, max_power_w: 50000, min_power_w: 50000}}\n");
	assert_in_range(s->stations[0].max_current_ma, 70000, 80000);
	assert_int_equal(s->stations[0].min_current_ma, s->stations[0].max_current_ma);
}

static void test_endpoints_are_sorted_and_hold_the_identity(void **state)
{
	struct stage *st = *state;
	const struct uplink_settings *u = load(st, HEAD GRID UPLINK)->uplinks;
	assert_int_equal(u->n_endpoints, 3);
	assert_string_equal(u->endpoints[0].url, "ws://a/x/{id}?y");
	assert_string_equal(u->endpoints[1].url, "ws://c/{id}"); /* equals in the file's order */
	assert_string_equal(u->endpoints[2].url, "ws://b/{id}");
	assert_string_equal(u->user, "{id}");
	assert_int_equal(u->reconnect.jitter_percent, 50);
	assert_true(u->check_name);
}

static void test_secrets_come_from_files(void **state)
{
	struct stage *st = *state;
	write_file(st->credentials, "station-A", "first\n");
	write_file(st->credentials, "station-B", "second\r\n");
	write_file(st->credentials, "up-A", "up a");
	write_file(st->credentials, "up-b-there", "up b\n");
	write_file(st->credentials, "up-R", "up r\n");
	load(st, HEAD GRID UPLINK "station_defaults: {uplink: cpo, password: \"cred:station-{id}\"}\n"
				  "stations:\n"
				  "  A: {circuit: grid}\n"
				  "  B: {circuit: grid, uplink_id: b-there}\n"
				  "  C: {circuit: grid, password: relay}\n"
				  "  D: {circuit: grid, password: null, uplink: null}\n"
				  "evses: {R: {circuit: grid, uplink: cpo, driver: sim, current_a: 16}}\n");
	assert_string_equal(station(st, "A")->password, "first");
	assert_string_equal(station(st, "A")->uplink_password, "up a");
	assert_string_equal(station(st, "A")->uplink_id, "A");
	assert_string_equal(station(st, "B")->password, "second");
	assert_string_equal(station(st, "B")->uplink_password, "up b");
	assert_string_equal(station(st, "B")->uplink_id, "b-there");
	assert_true(station(st, "C")->password_relay);
	assert_null(station(st, "C")->password);
	assert_null(station(st, "C")->uplink_password);
	assert_false(station(st, "D")->password_relay);
	assert_null(station(st, "D")->password);
	assert_null(station(st, "D")->uplink);
	assert_string_equal(settings_evse(st->s, SLICE("R"))->uplink_password, "up r");
}

static void test_systemd_credentials_come_first(void **state)
{
	struct stage *st = *state;
	write_file(st->credentials, "x", "ours\n");
	write_file(st->credentials, "y", "ours too\n");
	write_file(st->confd, "ampgate_x", "from systemd\n");
	setenv("CREDENTIALS_DIRECTORY", st->confd, 1);
	load(st, HEAD GRID "stations: {A: {circuit: grid, password: \"cred:x\"}, B: {circuit: grid, password: \"cred:y\"}}\n");
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_string_equal(station(st, "A")->password, "from systemd");
	assert_string_equal(station(st, "B")->password, "ours too");
}

static void test_strangers_get_the_defaults(void **state)
{
	struct stage *st = *state;
	struct arena mem = { 0 };
	write_file(st->credentials, "station-N", "known\n");
	write_file(st->credentials, "up-N", "up n\n");
	load(st, HEAD GRID UPLINK "station_defaults: {uplink: cpo, max_current_a: 13, password: \"cred:station-{id}\"}\nonboarding: {auto: {circuit: grid}}\n");
	const struct station_settings *n = settings_stranger(st->s, SLICE("N"), &mem), *o = settings_stranger(st->s, SLICE("O"), &mem);
	assert_int_equal(st->s->onboarding.mode, ONBOARDING_AUTO);
	assert_ptr_equal(n->circuit, &st->s->circuits[0]);
	assert_string_equal(n->id, "N");
	assert_string_equal(n->uplink_id, "N");
	assert_string_equal(n->password, "known");
	assert_string_equal(n->uplink_password, "up n");
	assert_int_equal(n->max_current_ma, 13000);
	assert_int_equal(n->min_current_ma, 6000);
	assert_int_equal(n->phases, PHASE_ALL);
	assert_int_equal(n->grid_phase[2], 2);
	assert_string_equal(n->subprotocols[0], "ocpp2.1");
	assert_null(o->password);
	arena_free(&mem);
}

static void test_an_evse_of_this_box(void **state)
{
	struct stage *st = *state;
	const struct settings *s = load(st, HEAD GRID "buses: {b: {device: /dev/null, parity: none}}\n"
						  "evses:\n"
						  "  R-01:\n"
						  "    circuit: grid\n"
						  "    driver: modbus-relay\n"
						  "    phases: [L2]\n"
						  "    current_a: 16\n"
						  "    contactor: {bus: b, unit: 3, coil: 7}\n"
						  "    feedback: {host: 10.0.0.1, input: 2}\n"
						  "    meter: {driver: modbus-rtu, bus: b, model: x, unit: 9, ct_ratio: 2.5, invert: true}\n"
						  "    authorize: [free, cache]\n");
	const struct evse_settings *e = settings_evse(s, SLICE("R-01"));
	assert_int_equal(e->phases, PHASE_L2);
	assert_int_equal(e->current_ma, 16000);
	assert_ptr_equal(e->contactor->bus, &s->buses[0]);
	assert_int_equal(e->contactor->address, 7);
	assert_null(e->contactor->host);
	assert_string_equal(e->feedback->host, "10.0.0.1");
	assert_int_equal(e->feedback->port, 502);
	assert_string_equal(e->meter->id, "R-01");
	assert_true(e->meter->ct_ratio == 2.5);
	assert_true(e->meter->invert);
	assert_int_equal(e->authorize, AUTHORIZE_FREE | AUTHORIZE_CACHE);
	assert_string_equal(e->token, "FREE");
	assert_int_equal(s->buses[0].parity, 'N');
	assert_int_equal(s->n_meters, 0);
}

static void test_a_broker_is_taken_apart(void **state)
{
	struct stage *st = *state;
	write_file(st->credentials, "m", "mqtt secret\n");
	const struct mqtt_settings *m =
		&load(st, HEAD GRID "mqtt: {url: \"mqtts://[fd00::1]\", protocol: 3.1.1, username: u, password: \"cred:m\", commands: []}\n")->mqtt;
	assert_string_equal(m->host, "fd00::1");
	assert_int_equal(m->port, 8883);
	assert_true(m->tls);
	assert_int_equal(m->protocol, 4);
	assert_string_equal(m->password, "mqtt secret");
	assert_null(m->commands[0]);
}

static void test_printing_hides_secrets(void **state)
{
	struct stage *st = *state;
	struct buf out = { 0 };
	load(st, HEAD GRID "station_defaults: {password: hunter2}\nstations: {\"A-[1-2]\": {circuit: grid}}\n");
	assert_int_equal(st->report.warnings, 1); /* one place in the file, one warning */
	settings_print(st->s, true, &out);
	assert_null(strstr(out.p, "hunter2"));
	assert_non_null(strstr(out.p, "password: \"***\""));
	assert_non_null(strstr(out.p, "\n  A-2:\n"));
	buf_free(&out);
}

static void test_a_missing_file_is_an_error_with_a_name(void **state)
{
	struct stage *st = *state;
	assert_int_not_equal(settings_load("/nonexistent/ampgate.yaml", NULL, &st->s, &st->report), 0);
	assert_null(st->s);
	assert_int_equal(st->report.errors, 1);
	assert_string_equal(st->report.messages[0].file, "/nonexistent/ampgate.yaml");
}

static void test_each_phase_is_proven_where_they_differ(void **state)
{
	struct stage *st = *state;
	struct buf proofs = { 0 };
	load(st, HEAD GRID LISTEN "balancing: {on_meter_lost: {limit: 10}}\n"
				  "stations: {\"A-[1-2]\": {circuit: grid, phases: 1, rotation: [RST, STR]}, B: {circuit: grid, fallback_current_a: 8.5}}\n");
	assert_int_equal(check_settings(st->s, &st->report, &proofs), 0);
	assert_string_equal(proofs.p, "proof: grid L1 fallback 1 x 6 A + 1 x 8.5 A = 14.5 A <= 100 A   ok\n"
				      "proof: grid L2 fallback 1 x 6 A + 1 x 8.5 A = 14.5 A <= 100 A   ok\n"
				      "proof: grid L3 fallback 1 x 8.5 A = 8.5 A <= 100 A   ok\n"
				      "proof: grid L1 meter-lost 2 x 10 A = 20 A <= 100 A   ok\n"
				      "proof: grid L2 meter-lost 2 x 10 A = 20 A <= 100 A   ok\n"
				      "proof: grid L3 meter-lost 1 x 10 A = 10 A <= 100 A   ok\n");
	buf_free(&proofs);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_stage, clear_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(test_the_shortest_file_has_all_defaults),
		ON_STAGE(test_what_fits_is_kept_below_a_margin),
		ON_STAGE(test_limits_may_follow_every_share_to_the_whole_limit),
		ON_STAGE(test_limits_that_follow_may_keep_a_margin),
		ON_STAGE(test_what_is_said_of_rebalancing_and_margin_goes),
		ON_STAGE(test_what_is_said_of_increases_goes_for_what_is_kept_too),
		ON_STAGE(test_only_the_steps_of_increases_may_be_said),
		ON_STAGE(test_a_plain_key_refines_a_range),
		ON_STAGE(test_later_layers_win),
		ON_STAGE(test_phases_follow_the_wiring),
		ON_STAGE(test_so_do_those_of_the_boxs_own_evses),
		ON_STAGE(test_a_station_of_one_power_can_be_served),
		ON_STAGE(test_endpoints_are_sorted_and_hold_the_identity),
		ON_STAGE(test_secrets_come_from_files),
		ON_STAGE(test_systemd_credentials_come_first),
		ON_STAGE(test_strangers_get_the_defaults),
		ON_STAGE(test_an_evse_of_this_box),
		ON_STAGE(test_a_broker_is_taken_apart),
		ON_STAGE(test_printing_hides_secrets),
		ON_STAGE(test_a_missing_file_is_an_error_with_a_name),
		ON_STAGE(test_each_phase_is_proven_where_they_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
