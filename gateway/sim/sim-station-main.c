/* `ampgate sim station`: a row of simulated stations with cars that come and go. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/timer.h"
#include "config.h"
#include "gateway/net/link-ws.h"
#include "gateway/sim/sim-lines.h"
#include "gateway/sim/sim-station.h"

#define STEP_US (US_PER_S / 10)
#define CARS_MOST 32
#define STATIONS_MOST 2000

static const char usage[] =
	"usage: ampgate sim station [--url URL] [--id ID] [--count N] [--ocpp 1.6|2.0.1|2.1] [--password P] [--evses N] [--cars LIST]\n"
	"                           [--token T] [--pause SECONDS] [--sample SECONDS] [--max-amps A] [--seed N] [--log-level L]\n"
	"\n"
	"Charging stations that connect to a CSMS or to ampgated, boot, and charge imagined cars: a car comes, its driver shows a card, it\n"
	"charges what it is allowed until it is full, the driver shows the card again and leaves. A station keeps what it could not say and\n"
	"says it later, and connects again with growing pauses. What really happened is kept in a ledger, which is printed at the end and\n"
	"at SIGUSR1, one JSON object a line.\n"
	"\n"
	"  --url URL       default ws://127.0.0.1:8887/; the identity is added\n"
	"  --id ID         default G-01; with --count the number at its end goes up\n"
	"  --count N       how many stations, default 1\n"
	"  --ocpp V        default 1.6\n"
	"  --password P    HTTP Basic; {id} in it stands for the identity\n"
	"  --evses N       EVSEs of each station, default 1\n"
	"  --cars LIST     cars in turn, PHASESxAMPS or PHASESxAMPSxKWH; default 3x16,1x32,3x11,1x16, each in need of 20 kWh\n"
	"  --token T       the drivers' card; default CARD- and the identity\n"
	"  --pause S       from one car to the next, default 60\n"
	"  --sample S      interval of meter values until the CSMS sets another, default 10\n"
	"  --max-amps A    what a station can deliver per phase, default 32\n"
	"  --seed N        of message ids and pauses; runs with the same one are alike. 0 (default): random\n"
	"  --log-level L   error, warning, info (default) or debug\n"
	"\n"
	"Lines on standard input change it while it runs; ID may be *:\n"
	"  leave ID        the driver stops with the card and leaves\n"
	"  arrive ID       the next car comes now\n"
	"  ledger          prints it now\n"
	"  quit            ends the program, as SIGTERM does\n";

struct car_kind {
	int phases;
	double amps, kwh;
};

struct bay {
	struct sim_station *station;
	int evse, point;
	const char *id;
	int64_t next_us;          /* monotonic, when the next car comes */
	unsigned cars;
};

static struct {
	const char *url, *id, *password, *token;
	int count, evses;
	enum ocpp_version version;
	struct car_kind cars[CARS_MOST];
	int n_cars;
	double pause_s, max_amps;
	int64_t sample_s;
	uint64_t seed;

	struct world *world;
	struct sim_ledger ledger;
	struct bay *bays;
	size_t n_bays;
	struct arena mem;
	struct timer step;
	int64_t stepped_us;
	struct sim_lines lines;
} run = { .url = "ws://127.0.0.1:8887/", .id = "G-01", .count = 1, .evses = 1, .pause_s = 60, .max_amps = 32, .sample_s = 10 };

/* --- cars --- */

static bool read_cars(const char *list)
{
	run.n_cars = 0;
	while (*list && run.n_cars < CARS_MOST) {
		struct car_kind *c = &run.cars[run.n_cars++];
		int length = 0;
		c->kwh = 20;
		if (sscanf(list, "%dx%lf%n", &c->phases, &c->amps, &length) < 2)
			return false;
		list += length;
		if (*list == 'x' && sscanf(list, "x%lf%n", &c->kwh, &length) == 1)
			list += length;
		if (c->phases < 1 || c->phases > 3 || c->amps < 6 || !(c->kwh > 0) || (*list && *list++ != ','))
			return false;
	}
	return run.n_cars > 0 && !*list;
}

static void arrive(struct bay *b)
{
	const struct car_kind *k = &run.cars[((size_t)(b - run.bays) + b->cars++) % (size_t)run.n_cars];
	struct car_conf car = { .phases = k->phases, .max_ma = (int32_t)(k->amps * 1000), .min_ma = 6000, .need_wh = k->kwh * 1000,
		.taper_wh = k->kwh * 50, .delay_us = 2 * US_PER_S, .reaction_us = US_PER_S, .ramp_ma_per_s = 4000, .volts = WORLD_VOLTS };
	char card[64];
	snprintf(card, sizeof(card), "CARD-%s", b->id);
	sim_station_arrive(b->station, b->evse, &car, run.token ? run.token : card);
	b->next_us = 0;
}

static void live(struct bay *b, int64_t now)
{
	enum sim_place place = sim_station_place(b->station, b->evse);
	if (place == SIM_EMPTY && !b->next_us)
		b->next_us = now + (int64_t)(run.pause_s * US_PER_S);
	else if (place == SIM_EMPTY && now >= b->next_us)
		arrive(b);
	else if (place == SIM_CHARGING && world_is_full(run.world, b->point))
		sim_station_leave(b->station, b->evse);
}

static void on_step(void *arg)
{
	int64_t now = clock_mono_us();
	(void)arg;
	world_step(run.world, now - run.stepped_us);
	run.stepped_us = now;
	for (size_t i = 0; i < run.n_bays; i++) {
		if (run.bays[i].evse == 1)
			sim_station_step(run.bays[i].station);
	}
	for (size_t i = 0; i < run.n_bays; i++)
		live(&run.bays[i], now);
	timer_set(&run.step, STEP_US, on_step, NULL);
}

/* --- commands --- */

static void print_ledger(void *arg)
{
	struct buf out = { 0 };
	(void)arg;
	sim_ledger_print(&run.ledger, &out);
	if (out.n)
		fwrite(out.p, 1, out.n, stdout);
	fflush(stdout);
	buf_free(&out);
}

static void on_quit(void *arg)
{
	(void)arg;
	loop_stop();
}

static bool for_each(struct slice id, bool come)
{
	bool any = false;
	for (size_t i = 0; i < run.n_bays; i++) {
		struct bay *b = &run.bays[i];
		if (!slice_is(id, "*") && !slice_is(id, b->id))
			continue;
		any = true;
		if (come)
			arrive(b);
		else
			sim_station_leave(b->station, b->evse);
	}
	return any;
}

static void on_line(void *arg, struct slice line)
{
	struct slice rest = line, word = sim_word(&rest), id = sim_word(&rest);
	bool done = true;
	(void)arg;
	if (slice_is(word, "leave") || slice_is(word, "arrive"))
		done = for_each(id, slice_is(word, "arrive"));
	else if (slice_is(word, "ledger"))
		print_ledger(NULL);
	else if (slice_is(word, "quit"))
		loop_stop();
	else
		done = !word.n;
	if (!done)
		fprintf(stderr, "ampgate sim station: not understood: %.*s\n", SLICE_ARG(line));
}

/* --- stations --- */

/* The n-th identity after "G-01" is "G-02", after "X" it is "X1". */
static const char *identity(int n)
{
	size_t length = strlen(run.id), digits = 0;
	while (digits < length && digits < 9 && run.id[length - digits - 1] >= '0' && run.id[length - digits - 1] <= '9')
		digits++;
	if (!digits)
		return n ? arena_printf(&run.mem, "%s%d", run.id, n) : run.id;
	return arena_printf(&run.mem, "%.*s%0*d", (int)(length - digits), run.id, (int)digits, atoi(run.id + length - digits) + n);
}

static const char *password_of(const char *id)
{
	const char *place = run.password ? strstr(run.password, "{id}") : NULL;
	return place ? arena_printf(&run.mem, "%.*s%s%s", (int)(place - run.password), run.password, id, place + 4) : run.password;
}

static void open_station(int n, int node)
{
	static const uint8_t lines[][3] = { { 0, 1, 2 }, { 1, 2, 0 }, { 2, 0, 1 } };
	const char *id = identity(n);
	int points[64];
	for (int i = 0; i < run.evses; i++)
		points[i] = world_point(run.world, node, lines[n % 3], 3);
	struct sim_station_conf conf = { .url = run.url, .password = password_of(id), .world = run.world, .points = points, .ledger = &run.ledger };
	conf.station = (struct station_conf){ .id = id, .version = run.version, .vendor = "ampgate", .model = "simulator", .serial = id,
		.firmware = PACKAGE_VERSION, .n_evses = run.evses, .phases = 3, .max_ma = (int32_t)(run.max_amps * 1000), .min_ma = 6000,
		.sample_us = run.sample_s * US_PER_S, .heartbeat_us = 300 * US_PER_S, .call_timeout_us = 30 * US_PER_S,
		.seed = run.seed ? run.seed + (uint64_t)n : 0 };
	struct sim_station *s = sim_station_open(&conf);
	for (int i = 0; i < run.evses; i++)
		run.bays[run.n_bays++] = (struct bay){ .station = s, .evse = i + 1, .point = points[i], .id = id, .next_us = 1 };
}

static void open_stations(void)
{
	run.world = world_open();
	int node = world_node(run.world, -1);
	run.bays = mem_new((size_t)run.count * (size_t)run.evses * sizeof(*run.bays));
	for (int i = 0; i < run.count; i++)
		open_station(i, node);
	run.stepped_us = clock_mono_us();
	on_step(NULL);
}

static void close_stations(void)
{
	timer_cancel(&run.step);
	for (size_t i = 0; i < run.n_bays; i++) {
		if (run.bays[i].evse == 1)
			sim_station_close(run.bays[i].station);
	}
	mem_free(run.bays);
	world_close(run.world);
	sim_ledger_free(&run.ledger);
	arena_free(&run.mem);
}

static int serve(void)
{
	int err = loop_open();
	signal(SIGPIPE, SIG_IGN);
	if (!err)
		err = loop_on_signal(SIGTERM, on_quit, NULL);
	if (!err)
		err = loop_on_signal(SIGINT, on_quit, NULL);
	if (!err)
		err = loop_on_signal(SIGUSR1, print_ledger, NULL);
	if (err)
		return 1;
	open_stations();
	sim_lines_open(&run.lines, STDIN_FILENO, on_line, NULL, NULL);
	err = loop_run();
	print_ledger(NULL);
	sim_lines_close(&run.lines);
	close_stations();
	loop_run_later();
	loop_close();
	ws_link_free_shared();
	return err ? 1 : 0;
}

static bool set_version(const char *text)
{
	char name[32];
	snprintf(name, sizeof(name), "ocpp%s", text);
	int version = version_parse(slice_of(name));
	run.version = version < 0 ? OCPP16 : (enum ocpp_version)version;
	return version >= 0;
}

static bool in_range(void)
{
	return run.count >= 1 && run.count <= STATIONS_MOST && run.evses >= 1 && run.evses <= 64 && run.max_amps >= 6 && run.max_amps <= 1000 &&
	       run.pause_s >= 0 && run.sample_s >= 0;
}

int sim_station_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "url", required_argument, NULL, 'u' },    { "id", required_argument, NULL, 'i' },       { "count", required_argument, NULL, 'n' },
		{ "ocpp", required_argument, NULL, 'o' },   { "password", required_argument, NULL, 'p' }, { "evses", required_argument, NULL, 'e' },
		{ "cars", required_argument, NULL, 'c' },   { "token", required_argument, NULL, 't' },    { "pause", required_argument, NULL, 'P' },
		{ "sample", required_argument, NULL, 's' }, { "max-amps", required_argument, NULL, 'm' }, { "seed", required_argument, NULL, 'S' },
		{ "log-level", required_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },        { 0 },
	};
	int c, level = LVL_INFO;
	bool right = read_cars("3x16,1x32,3x11,1x16");
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'u': run.url = optarg; break;
		case 'i': run.id = optarg; break;
		case 'n': run.count = atoi(optarg); break;
		case 'o': right &= set_version(optarg); break;
		case 'p': run.password = optarg; break;
		case 'e': run.evses = atoi(optarg); break;
		case 'c': right &= read_cars(optarg); break;
		case 't': run.token = optarg; break;
		case 'P': run.pause_s = atof(optarg); break;
		case 's': run.sample_s = atoll(optarg); break;
		case 'm': run.max_amps = atof(optarg); break;
		case 'S': run.seed = strtoull(optarg, NULL, 10); break;
		case 'l': right &= (level = log_level_parse(optarg)) >= 0; break;
		case 'h': fputs(usage, stdout); return 0;
		default: right = false;
		}
	}
	if (!right || !in_range() || optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	log_open(LOG_TO_STDERR, (enum log_level)level);
	return serve();
}
