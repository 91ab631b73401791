/* The whole daemon beside HAProxy as a plain relay, and beside no relay at all: 1000 stations (argv[1]) and a CSMS on loopback, the runs
 * interleaved over three rounds (argv[2]), medians printed. Per run: the memory that an idle station costs; 1000 calls per second; as many as
 * will go through; all stations connecting again at once; the CSMS gone and back. One frame is one message in one direction. HAProxy carries
 * bytes and nothing else, with one thread as the daemon has for its links. "ampgate" or "haproxy" as argv[3] runs that one alone. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/peers.h"
#include "tests/bench/process.h"

#define HAPROXY "/usr/sbin/haproxy"
#define RATE 1000        /* calls per second */
#define RATE_S 3.0
#define CALLS_EACH 30    /* per station in the saturating run */
#define SETTLE_S 3.0     /* what the daemon asks fresh stations is over */
#define ROUNDS_MOST 9

enum { DIRECT, PROXY, DAEMON, RELAYS };
static const char *const names[RELAYS] = { "direct", "haproxy", "ampgate" };

enum { RATE_CPU, RATE_P50, RATE_P99, FULL_CPU, FULL_RATE, FULL_P50, FULL_P99, IDLE_KIB, FULL_KIB, FIRST, STORM, BACK, FIGURES };
static const char *const titles[FIGURES] = {
	"1000 calls/s: CPU ms per 1000 frames", "1000 calls/s: latency p50, us", "1000 calls/s: latency p99, us",
	"saturated: CPU ms per 1000 frames", "saturated: calls per second", "saturated: latency p50, us", "saturated: latency p99, us",
	"idle: KiB per station", "after the load: KiB per station",
	"first connect: all booted, ms", "all connect again: all booted, ms", "CSMS restarts: all reach it, ms",
};

static struct {
	unsigned stations, rounds;
	int port, csms_port;
	pid_t relay, csms;
	double figures[RELAYS][FIGURES][ROUNDS_MOST];
} b;

/* ---- the relay */

static void write_configs(void)
{
	char text[2048];
	snprintf(text, sizeof(text), "global\n  maxconn 8000\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n"
		"  timeout server 60s\n  timeout tunnel 1h\nfrontend stations\n  bind 127.0.0.1:%d backlog 4096\n  default_backend csms\nbackend csms\n"
		"  server csms 127.0.0.1:%d\n", b.port, b.csms_port);
	bench_write("haproxy.cfg", text);
	snprintf(text, sizeof(text), "version: 1\nsite: {id: bench}\n"
		"listen: {ocpp: {lan: {address: 127.0.0.1, port: %d, tls: none, min_security_profile: 0}}}\n"
		"circuits: {grid: {kind: grid_connection, limit_a: 10000}}\n"
		"station_defaults: {uplink: csms, subprotocols: [ocpp1.6], fallback_current_a: 0}\n"
		"stations: {\"S-[0000-%04u]\": {circuit: grid}}\n"
		"uplinks: {csms: {mode: per-station, security_profile: 0, endpoints: [{url: \"ws://127.0.0.1:%d/{id}\", priority: 1}]}}\n"
		"log: {level: info, target: stderr}\n", b.port, b.stations - 1, b.csms_port);
	bench_write("ampgate.yaml", text);
}

static void start_relay(int which)
{
	b.csms = csms_start(b.csms_port);
	if (which == PROXY)
		b.relay = process_start("haproxy.log", (const char *[]){ HAPROXY, "-db", "-f", bench_path("haproxy.cfg"), NULL });
	else if (which == DAEMON)
		b.relay = daemon_start();
	wait_for_port(which == DIRECT ? b.csms_port : b.port);
}

/* ---- one run */

static void measure_rate(double *f, double seconds)
{
	struct latency l;
	double before = b.relay ? process_cpu_ms(b.relay) : 0;
	stations_at_rate(RATE, seconds, &l);
	f[RATE_CPU] = b.relay ? (process_cpu_ms(b.relay) - before) / (2.0 * (double)l.calls) * 1000 : 0;
	f[RATE_P50] = (double)l.p50_us;
	f[RATE_P99] = (double)l.p99_us;
}

static void measure_full(double *f)
{
	struct latency l;
	double before = b.relay ? process_cpu_ms(b.relay) : 0;
	stations_saturate(CALLS_EACH, &l);
	f[FULL_CPU] = b.relay ? (process_cpu_ms(b.relay) - before) / (2.0 * (double)l.calls) * 1000 : 0;
	f[FULL_RATE] = (double)l.calls / l.seconds;
	f[FULL_P50] = (double)l.p50_us;
	f[FULL_P99] = (double)l.p99_us;
}

static void measure_restart(double *f)
{
	process_stop(&b.csms, SIGKILL);
	stations_idle(0.5);
	b.csms = csms_start(b.csms_port);
	f[BACK] = (double)stations_reach_csms() / 1000;
}

static void run(int which, double *f)
{
	start_relay(which);
	stations_open(b.stations, which == DIRECT ? b.csms_port : b.port);
	double before = b.relay ? process_private_kib(b.relay) : 0;
	f[FIRST] = (double)stations_serve() / 1000;
	stations_idle(which == DIRECT ? 0 : SETTLE_S);
	f[IDLE_KIB] = b.relay ? (process_private_kib(b.relay) - before) / b.stations : 0;
	measure_rate(f, RATE_S);
	measure_full(f);
	f[FULL_KIB] = b.relay ? (process_private_kib(b.relay) - before) / b.stations : 0;
	stations_close();
	f[STORM] = (double)stations_serve() / 1000;
	measure_restart(f);
	stations_close();
	process_stop(&b.relay, SIGTERM);
	process_stop(&b.csms, SIGKILL);
	bench_clean("state");
}

/* ---- the table */

static int by_size(const void *a, const void *c)
{
	double x = *(const double *)a, y = *(const double *)c;
	return x < y ? -1 : x > y;
}

static double median(int which, int figure)
{
	double *all = b.figures[which][figure];
	qsort(all, b.rounds, sizeof(*all), by_size);
	return all[b.rounds / 2];
}

static void print_table(const bool *wanted)
{
	printf("%u stations, medians of %u rounds\n%-40s", b.stations, b.rounds, "");
	for (int i = 0; i < RELAYS; i++)
		printf("%12s", wanted[i] ? names[i] : "");
	putchar('\n');
	for (int figure = 0; figure < FIGURES; figure++) {
		printf("%-40s", titles[figure]);
		for (int i = 0; i < RELAYS; i++)
			if (wanted[i])
				printf("%12.2f", median(i, figure));
			else
				printf("%12s", "");
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	bool wanted[RELAYS] = { true, true, true };
	b.stations = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	b.rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
	for (int i = 0; argc > 3 && i < RELAYS; i++)
		wanted[i] = strcmp(argv[3], names[i]) == 0;
	if (b.stations < 1 || b.stations > STATIONS_MOST || b.rounds < 1 || b.rounds > ROUNDS_MOST)
		die("usage: relay [STATIONS [ROUNDS [direct|haproxy|ampgate]]]");
	if (wanted[PROXY] && access(HAPROXY, X_OK) != 0) {
		puts("haproxy is not installed: apt-get install haproxy");
		wanted[PROXY] = false;
	}
	bench_open();
	b.port = free_port();
	b.csms_port = free_port();
	write_configs();
	for (unsigned round = 0; round < b.rounds; round++)
		for (int i = 0; i < RELAYS; i++) {
			double f[FIGURES];
			if (!wanted[i])
				continue;
			run(i, f);
			for (int figure = 0; figure < FIGURES; figure++)
				b.figures[i][figure][round] = f[figure];
		}
	print_table(wanted);
	bench_clean("");
	return 0;
}
