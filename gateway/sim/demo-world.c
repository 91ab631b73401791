/* Everything of the demo's site that has a cable: stations, cars, people, meters and the relay board, on one loop, so that what a car draws
 * is what the meters show a moment later. What happens at the limit is measured here, from the truth and not from a meter. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"
#include "config.h"
#include "gateway/net/modbus-server.h"
#include "gateway/sim/demo-parts.h"
#include "gateway/sim/sim-lines.h"
#include "gateway/sim/sim-meter.h"
#include "gateway/sim/sim-station.h"

#define STEP_US (50 * US_PER_MS)
#define REPORT_STEPS 4
#define RIPPLE_A 0.3         /* of the building; currents that are steered to a goal lie that much around it */
#define SERVED_WH 0.2        /* energy that tells a session from an attempt */
#define SEED 20260302

struct bay {
	struct sim_station *station;
	char id[8], card[16];
	int point;
	bool again;              /* the next car comes when this one has left */
};

static struct {
	const struct demo_site *site;
	int fd;
	struct world *world;
	int grid, ev;
	double load_a[3];
	struct bay bays[DEMO_STATIONS];
	int relays[DEMO_RELAYS];  /* points */
	struct sim_meter *main, *feeder, *relay_meters[DEMO_RELAYS];
	struct modbus_server *board;
	modbus_mapping_t *board_tables;
	struct sim_ledger ledger;
	struct world_guard guard;
	struct sim_lines lines;
	struct timer step;
	int64_t stepped_us;
	unsigned steps;
	uint32_t random;
} w;

/* --- building it --- */

static const struct car_conf *car_of(int n)
{
	static struct car_conf car;
	int phases = demo_station_phases(n);
	if (w.site->miswired && demo_station_is_miswired(n))
		phases = n == 14 ? 1 : 2; /* which show what cars on three phases cannot */
	car = (struct car_conf){ .phases = phases, .max_ma = phases == 1 ? 32000 : 16000, .min_ma = 6000, .need_wh = 40000,
		.delay_us = US_PER_S / 2, .reaction_us = US_PER_S / 2 + n % 5 * US_PER_S / 10, .ramp_ma_per_s = 8000, .volts = WORLD_VOLTS };
	return &car;
}

static void open_station(int n)
{
	struct bay *b = &w.bays[n];
	uint8_t lines[3];
	char url[64], id[sizeof(b->id)] = "";
	demo_station_id(n, id);
	memcpy(b->id, id, sizeof(b->id));
	demo_station_lines_built(w.site, n, lines);
	b->point = world_point(w.world, w.ev, lines, demo_station_phases(n));
	snprintf(b->card, sizeof(b->card), "CARD-%s", id);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/", w.site->ports[PORT_STATIONS]);
	struct sim_station_conf conf = { .url = url, .retry_min_us = US_PER_S / 2, .retry_max_us = 2 * US_PER_S, .world = w.world,
		.points = &b->point, .ledger = &w.ledger };
	conf.station = (struct station_conf){ .id = b->id, .version = demo_station_version(n), .vendor = "ampgate", .model = "simulator",
		.serial = b->id, .firmware = PACKAGE_VERSION, .n_evses = 1, .phases = demo_station_phases(n), .max_ma = 32000, .min_ma = 6000,
		.sample_us = US_PER_S, .heartbeat_us = 300 * US_PER_S, .call_timeout_us = 10 * US_PER_S, .seed = SEED + (uint64_t)n };
	b->station = sim_station_open(&conf);
}

static void connect_all(void)
{
	for (int n = 0; n < DEMO_STATIONS; n++) {
		if (w.bays[n].station)
			continue;
		open_station(n);
		sim_station_arrive(w.bays[n].station, 1, car_of(n), w.bays[n].card);
	}
}

static int open_meters(void)
{
	int err = sim_meter_open(SIM_SUNSPEC_203, "127.0.0.1", w.site->ports[PORT_MAIN], &w.main);
	if (!err)
		err = sim_meter_open(SIM_SDM630, "127.0.0.1", w.site->ports[PORT_EV], &w.feeder);
	if (!err && w.site->miswired)
		sim_meter_wiring(w.main, (const uint8_t[]){ 1, 0, 2 }, (const bool[]){ false, false, true });
	for (int i = 0; i < DEMO_RELAYS && !err; i++)
		err = sim_meter_open(SIM_SDM630, "127.0.0.1", w.site->ports[PORT_RELAY_METERS + i], &w.relay_meters[i]);
	return err;
}

static int open_relays(void)
{
	static const uint8_t lines[3];
	struct car_conf car = { .phases = 1, .max_ma = (int32_t)(DEMO_RELAY_A * 1000), .min_ma = 6000, .need_wh = 40000, .volts = WORLD_VOLTS };
	for (int i = 0; i < DEMO_RELAYS; i++) {
		w.relays[i] = world_point(w.world, w.ev, lines, 1);
		world_plug(w.world, w.relays[i], &car);
	}
	w.board_tables = modbus_mapping_new(DEMO_RELAYS, DEMO_RELAYS, 0, 0);
	return modbus_server_open("127.0.0.1", w.site->ports[PORT_BOARD], w.board_tables, &w.board);
}

/* --- time passes --- */

static double ripple(double most)
{
	w.random = w.random * 1664525u + 1013904223u;
	return most * ((double)(w.random >> 8) / (1 << 23) - 1);
}

/* A building is never quite still. */
static void set_load(void)
{
	double i_a[3];
	for (int i = 0; i < 3; i++)
		i_a[i] = w.load_a[i] + ripple(RIPPLE_A);
	world_load(w.world, w.grid, i_a);
}

/* The coil switches, the feedback contact follows. */
static void step_relays(void)
{
	for (int i = 0; i < DEMO_RELAYS; i++) {
		bool closed = w.board_tables->tab_bits[i];
		w.board_tables->tab_input_bits[i] = closed;
		world_offer(w.world, w.relays[i], closed, closed ? (int32_t)(DEMO_RELAY_A * 1000) : 0);
	}
}

static void feed_meters(int64_t dt_us)
{
	double i_a[3];
	world_currents(w.world, w.grid, i_a);
	sim_meter_feed(w.main, i_a, WORLD_VOLTS + ripple(0.5), dt_us);
	world_guard_feed(&w.guard, i_a, clock_mono_us(), dt_us);
	world_currents(w.world, w.ev, i_a);
	sim_meter_feed(w.feeder, i_a, WORLD_VOLTS + ripple(0.5), dt_us);
	for (int i = 0; i < DEMO_RELAYS; i++) {
		struct evse_input in;
		world_input(w.world, w.relays[i], &in);
		sim_meter_feed(w.relay_meters[i], (double[]){ in.i_a[0], 0, 0 }, WORLD_VOLTS, dt_us);
	}
}

static void step_people(void)
{
	for (int n = 0; n < DEMO_STATIONS; n++) {
		struct bay *b = &w.bays[n];
		if (!b->station)
			continue;
		sim_station_step(b->station);
		if (b->again && sim_station_place(b->station, 1) == SIM_EMPTY) {
			b->again = false;
			sim_station_arrive(b->station, 1, car_of(n), b->card);
		}
	}
}

/* --- reports --- */

struct counts {
	int online, charging, relays, served;
	double most_a;
};

static void count(struct counts *out)
{
	struct evse_input in;
	*out = (struct counts){ 0 };
	for (int n = 0; n < DEMO_STATIONS; n++) {
		struct bay *b = &w.bays[n];
		world_input(w.world, b->point, &in);
		out->online += b->station && sim_station_online(b->station);
		out->charging += b->station && sim_station_place(b->station, 1) == SIM_CHARGING && in.i_a[0] > 1;
		out->served += b->station && world_delivered_wh(w.world, b->point) >= SERVED_WH;
		out->most_a = fmax(out->most_a, b->station ? in.i_a[0] : 0);
	}
	for (int i = 0; i < DEMO_RELAYS; i++) {
		world_input(w.world, w.relays[i], &in);
		out->relays += in.i_a[0] > 1;
		out->served += world_delivered_wh(w.world, w.relays[i]) >= SERVED_WH;
	}
}

static void write_amps(struct json_writer *jw, const char *key, const double i_a[3])
{
	jw_array(jw, key);
	for (int i = 0; i < 3; i++)
		jw_number(jw, NULL, i_a[i], 2);
	jw_end(jw, ']');
}

static void write_guard(struct json_writer *jw)
{
	write_amps(jw, "peak", w.guard.peak_a);
	jw_int(jw, "over_us", w.guard.over_us);
	jw_int(jw, "p95_us", world_guard_p95_us(&w.guard));
	jw_int(jw, "jumps", w.guard.n_reactions);
	jw_bool(jw, "settled", !w.guard.jumped_us);
}

static void write_ledger(struct json_writer *jw)
{
	int64_t starts = 0, stops = 0;
	for (size_t i = 0; i < w.ledger.count; i++) {
		starts++;
		stops += w.ledger.rows[i].stop_us != 0;
	}
	jw_int(jw, "starts", starts);
	jw_int(jw, "stops", stops);
}

static void report(void)
{
	struct buf line = { 0 };
	struct json_writer jw;
	struct counts n;
	double i_a[3];
	count(&n);
	jw_open(&jw, &line);
	jw_object(&jw, NULL);
	world_currents(w.world, w.grid, i_a);
	write_amps(&jw, "grid", i_a);
	world_currents(w.world, w.ev, i_a);
	write_amps(&jw, "ev", i_a);
	write_guard(&jw);
	jw_int(&jw, "online", n.online);
	jw_int(&jw, "charging", n.charging);
	jw_int(&jw, "relays", n.relays);
	jw_int(&jw, "served", n.served);
	jw_number(&jw, "most_a", n.most_a, 2);
	write_ledger(&jw);
	jw_end(&jw, '}');
	buf_puts(&line, "\n");
	demo_tell(w.fd, &line);
}

static void on_step(void *arg)
{
	int64_t now = clock_mono_us(), dt_us = now - w.stepped_us;
	(void)arg;
	w.stepped_us = now;
	set_load();
	step_relays();
	world_step(w.world, dt_us);
	feed_meters(dt_us);
	step_people();
	if (++w.steps % REPORT_STEPS == 0)
		report();
	timer_set(&w.step, STEP_US, on_step, NULL);
}

/* --- commands --- */

static struct bay *bay_of(struct slice id)
{
	for (int n = 0; n < DEMO_STATIONS; n++) {
		if (w.bays[n].station && slice_is(id, w.bays[n].id))
			return &w.bays[n];
	}
	return NULL;
}

static void move_people(struct slice word, struct slice id)
{
	struct bay *b = bay_of(id);
	if (!b)
		return;
	if (slice_is(word, "arrive"))
		sim_station_arrive(b->station, 1, car_of((int)(b - w.bays)), b->card);
	else
		sim_station_leave(b->station, 1);
	b->again = slice_is(word, "swap");
}

static void tell_ledger(void)
{
	struct buf text = { 0 };
	sim_ledger_print(&w.ledger, &text);
	buf_printf(&text, "{\"ledger\":%zu}\n", w.ledger.count);
	demo_tell(w.fd, &text);
}

static void on_line(void *arg, struct slice line)
{
	struct slice rest = line, word = sim_word(&rest);
	(void)arg;
	if (slice_is(word, "connect")) {
		connect_all();
	} else if (slice_is(word, "load") || slice_is(word, "jump")) {
		if (sim_three(&rest, w.load_a) && slice_is(word, "jump"))
			world_guard_jump(&w.guard, clock_mono_us());
	} else if (slice_is(word, "meter")) {
		sim_meter_mode(w.main, slice_is(sim_word(&rest), "silent") ? SIM_METER_SILENT : SIM_METER_WELL);
	} else if (slice_is(word, "ledger")) {
		tell_ledger();
	} else {
		move_people(word, sim_word(&rest));
	}
}

static void on_end(void *arg)
{
	(void)arg;
	loop_stop();
}

int demo_world(const struct demo_site *site, int fd)
{
	int err = loop_open();
	signal(SIGPIPE, SIG_IGN);
	if (err)
		return 1;
	w.site = site;
	w.fd = fd;
	w.random = SEED;
	w.guard = (struct world_guard){ .limit_a = DEMO_LIMIT_A, .goal_a = DEMO_GOAL_A + 2 * RIPPLE_A };
	w.world = world_open();
	w.grid = world_node(w.world, -1);
	w.ev = world_node(w.world, w.grid);
	err = open_meters();
	if (!err)
		err = open_relays();
	if (err) {
		log_error(NULL, "a simulated device cannot listen: %s", err_text(err));
		return 1;
	}
	w.stepped_us = clock_mono_us();
	on_step(NULL);
	sim_lines_open(&w.lines, fd, on_line, on_end, NULL);
	return loop_run() ? 1 : 0;
}
