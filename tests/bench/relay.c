/* The whole daemon beside HAProxy as a plain relay, and beside no relay at all: 1000 stations (argv[1]) and a CSMS on loopback, the runs
 * interleaved over three rounds (argv[2]), medians printed. Per run: the memory that an idle station costs; 1000 calls per second; as many as
 * will go through; all stations connecting again at once; the CSMS gone and back. One frame is one message in one direction. HAProxy carries
 * bytes and nothing else, with one thread as the daemon has for its links. "ampgate" or "haproxy" as argv[3] runs that one alone. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/peers.h"

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
	char dir[64];
	int port, csms_port;
	pid_t relay, csms;
	double figures[RELAYS][FIGURES][ROUNDS_MOST];
} b;

/* ---- the relay's process */

static double cpu_ms(void)
{
	clockid_t clock;
	struct timespec t;
	if (clock_getcpuclockid(b.relay, &clock) != 0 || clock_gettime(clock, &t) != 0)
		die("the relay has ended");
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What the process has in memory for itself. */
static double private_kib(void)
{
	char path[64], line[256];
	double sum = 0, n;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)b.relay);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Private_Clean: %lf", &n) == 1 || sscanf(line, "Private_Dirty: %lf", &n) == 1)
			sum += n;
	if (!f)
		die("%s: %s", path, strerror(errno));
	fclose(f);
	return sum;
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", b.dir, name);
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		die("%s: %s", path, strerror(errno));
}

static void write_configs(void)
{
	char text[2048];
	snprintf(text, sizeof(text), "global\n  maxconn 8000\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n"
		"  timeout server 60s\n  timeout tunnel 1h\nfrontend stations\n  bind 127.0.0.1:%d backlog 4096\n  default_backend csms\nbackend csms\n"
		"  server csms 127.0.0.1:%d\n", b.port, b.csms_port);
	write_file("haproxy.cfg", text);
	snprintf(text, sizeof(text), "version: 1\nsite: {id: bench}\n"
		"listen: {ocpp: {lan: {address: 127.0.0.1, port: %d, tls: none, min_security_profile: 0}}}\n"
		"circuits: {grid: {kind: grid_connection, limit_a: 10000}}\n"
		"station_defaults: {uplink: csms, subprotocols: [ocpp1.6], fallback_current_a: 0}\n"
		"stations: {\"S-[0000-%04u]\": {circuit: grid}}\n"
		"uplinks: {csms: {mode: per-station, security_profile: 0, endpoints: [{url: \"ws://127.0.0.1:%d/{id}\", priority: 1}]}}\n"
		"log: {level: info, target: stderr}\n", b.port, b.stations - 1, b.csms_port);
	write_file("ampgate.yaml", text);
}

static void run_relay(int which)
{
	char conf[128], state[128], socket[128], log[128];
	snprintf(conf, sizeof(conf), "%s/%s", b.dir, which == PROXY ? "haproxy.cfg" : "ampgate.yaml");
	snprintf(state, sizeof(state), "%s/state", b.dir);
	snprintf(socket, sizeof(socket), "%s/control", b.dir);
	snprintf(log, sizeof(log), "%s/%s.log", b.dir, names[which]);
	int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (which == PROXY)
		execl(HAPROXY, HAPROXY, "-db", "-f", conf, (char *)NULL);
	else
		execl("./ampgated", "ampgated", "-c", conf, "--state-dir", state, "--socket", socket, (char *)NULL);
	_exit(127);
}

static void stop(pid_t *pid, int signal)
{
	if (*pid)
		kill(*pid, signal);
	if (*pid)
		waitpid(*pid, NULL, 0);
	*pid = 0;
}

static void clean_up(const char *what)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s/%s", b.dir, what);
	if (system(command) != 0)
		die("%s", command);
}

static void start_relay(int which)
{
	b.csms = csms_start(b.csms_port);
	if (which != DIRECT && (b.relay = fork()) == 0)
		run_relay(which);
	wait_for_port(which == DIRECT ? b.csms_port : b.port);
}

/* ---- one run */

static void measure_rate(double *f, double seconds)
{
	struct latency l;
	double before = b.relay ? cpu_ms() : 0;
	stations_at_rate(RATE, seconds, &l);
	f[RATE_CPU] = b.relay ? (cpu_ms() - before) / (2.0 * (double)l.calls) * 1000 : 0;
	f[RATE_P50] = (double)l.p50_us;
	f[RATE_P99] = (double)l.p99_us;
}

static void measure_full(double *f)
{
	struct latency l;
	double before = b.relay ? cpu_ms() : 0;
	stations_saturate(CALLS_EACH, &l);
	f[FULL_CPU] = b.relay ? (cpu_ms() - before) / (2.0 * (double)l.calls) * 1000 : 0;
	f[FULL_RATE] = (double)l.calls / l.seconds;
	f[FULL_P50] = (double)l.p50_us;
	f[FULL_P99] = (double)l.p99_us;
}

static void measure_restart(double *f)
{
	stop(&b.csms, SIGKILL);
	stations_idle(0.5);
	b.csms = csms_start(b.csms_port);
	f[BACK] = (double)stations_reach_csms() / 1000;
}

static void run(int which, double *f)
{
	start_relay(which);
	stations_open(b.stations, which == DIRECT ? b.csms_port : b.port);
	double before = b.relay ? private_kib() : 0;
	f[FIRST] = (double)stations_serve() / 1000;
	stations_idle(which == DIRECT ? 0 : SETTLE_S);
	f[IDLE_KIB] = b.relay ? (private_kib() - before) / b.stations : 0;
	measure_rate(f, RATE_S);
	measure_full(f);
	f[FULL_KIB] = b.relay ? (private_kib() - before) / b.stations : 0;
	stations_close();
	f[STORM] = (double)stations_serve() / 1000;
	measure_restart(f);
	stations_close();
	stop(&b.relay, SIGTERM);
	stop(&b.csms, SIGKILL);
	clean_up("state");
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
	struct rlimit files = { 65536, 65536 };
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
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	strcpy(b.dir, "/tmp/ampgate-bench-XXXXXX");
	if (!mkdtemp(b.dir))
		die("no temporary directory");
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
	clean_up("");
	return 0;
}
