/* Transactions through the whole daemon: 200 stations (argv[1]) that start and stop without a pause, each message on disk before it is answered,
 * and its confirmation on disk before the next; beside bare SQLite that commits the same rows in the same tables, as many in a commit as the
 * daemon had. Then a night's backlog: 100 000 messages (argv[2]) lie in the outbox when the daemon starts, and go up. Three rounds, medians. */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"
#include "ocpp/version.h"
#include "storage/outbox.h"
#include "storage/schema.h"
#include "tests/bench/peers.h"
#include "tests/bench/process.h"

#define ROUNDS 3
#define SECONDS 4.0
#define SETTLE_S 3.0
#define BARE_ROUNDS 20
#define FILL_STEP 2000
#define DRAIN_MOST_US (120 * INT64_C(1000000))

enum { RATE, P50, P99, CPU, BATCH, BARE_RATE, SHARE, START, FULL_START, FIRST_UP, DRAIN, PEAK, GROWN, FIGURES };
static const char *const titles[FIGURES] = {
	"transaction messages per second", "  acknowledged after, p50 ms", "  acknowledged after, p99 ms", "  CPU ms per 1000 messages",
	"  changes in a commit", "bare SQLite, the same rows, messages per second", "  the daemon's share of that, %", "start with an empty outbox, ms",
	"start with the backlog, ms", "  first of it answered after, ms", "  delivered per second", "  peak memory, MiB",
	"  private memory grown while delivering, MiB",
};

static const char payload[] =
	"{\"connectorId\":1,\"transactionId\":1500000001,\"meterValue\":[{\"timestamp\":\"2026-03-02T17:04:05.000Z\",\"sampledValue\":["
	"{\"value\":\"1234567\",\"measurand\":\"Energy.Active.Import.Register\",\"unit\":\"Wh\"},{\"value\":\"10.7\",\"phase\":\"L1\",\"unit\":\"A\"}]}]}";

static struct {
	unsigned stations, backlog;
	int port, csms_port;
	pid_t daemon, csms;
	double figures[FIGURES][ROUNDS];
} b;

static void write_config(void)
{
	char text[1024];
	snprintf(text, sizeof(text), "version: 1\nsite: {id: bench}\n"
		"listen: {ocpp: {lan: {address: 127.0.0.1, port: %d, tls: none, min_security_profile: 0}}}\n"
		"circuits: {grid: {kind: grid_connection, limit_a: 10000}}\n"
		"station_defaults: {uplink: csms, subprotocols: [ocpp1.6], fallback_current_a: 0}\n"
		"stations: {\"S-[0000-%04u]\": {circuit: grid}}\n"
		"uplinks: {csms: {mode: per-station, security_profile: 0, endpoints: [{url: \"ws://127.0.0.1:%d/{id}\", priority: 1}]}}\n"
		"log: {level: info, target: stderr}\n", b.port, b.stations - 1, b.csms_port);
	bench_write("ampgate.yaml", text);
}

static double start(void)
{
	int64_t from = now_us();
	b.daemon = daemon_start();
	wait_for_port(b.port);
	return (double)(now_us() - from) / 1000;
}

/* ---- transactions */

/* A number of `ampgate status`, by the name that stands before it. */
static double status_number(const char *name)
{
	static const char ask[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n";
	static char text[1 << 16];
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", bench_path("control"));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 || write(fd, ask, sizeof(ask) - 1) < 0)
		die("the daemon does not tell its status");
	for (ssize_t got; n < sizeof(text) - 1 && !memchr(text, '\n', n) && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0;)
		n += (size_t)got;
	close(fd);
	text[n] = 0;
	const char *at = strstr(text, name);
	return at ? strtod(at + strlen(name), NULL) : 0;
}

static void measure_transactions(double *f)
{
	struct latency l;
	f[START] = start();
	stations_open(b.stations, b.port);
	stations_serve();
	stations_idle(SETTLE_S);
	double before = process_cpu_ms(b.daemon), commits = status_number("\"commits\":"), changes = status_number("\"changes\":");
	stations_transact(SECONDS, &l);
	f[RATE] = (double)l.calls / l.seconds;
	f[P50] = (double)l.p50_us / 1000;
	f[P99] = (double)l.p99_us / 1000;
	f[CPU] = (process_cpu_ms(b.daemon) - before) / (double)l.calls * 1000;
	f[BATCH] = (status_number("\"changes\":") - changes) / (status_number("\"commits\":") - commits);
	stations_close();
	process_stop(&b.daemon, SIGTERM);
}

/* ---- bare SQLite: what is written for a start and for a stop when they are taken, sent and confirmed */

enum { TX, OUTBOX, SEEN, FORGET, STOP, SENT, NAMES, ANSWER, CONFIRMED, SEEN_ANSWER, DELETE, STATEMENTS };
static const char *const statements[STATEMENTS] = {
	"INSERT INTO tx (start_seq, station, fingerprint, evse, token, start_us, stop_us, start_wh, offline, running, confirmed, noted_us)"
	" VALUES (?1, ?2, randomblob(16), 1, 'TAG', 1, 0, 1.0, 0, 1, 0, 1)",
	"INSERT INTO outbox (seq, station, kind, state, version, action, message_id, payload, tx, start_seq, wall_us, mono_us, clock_trusted, late, attempts)"
	" VALUES (?1, ?2, 0, 0, 16, 'StartTransaction', '12345678-5ea4-4e5b-8000-123456789abc', ?3, NULL, 0, 1, 1, 1, 0, 0)",
	"INSERT INTO seen (station, fingerprint, seq) VALUES (?2, randomblob(16), ?1)",
	"DELETE FROM seen WHERE station = ?2 AND seq <= (SELECT seq FROM seen WHERE station = ?2 ORDER BY seq DESC LIMIT 1 OFFSET 64)",
	"UPDATE tx SET running = 0, stop_us = 2, stop_wh = 2.0, noted_us = 3 WHERE start_seq = ?1 - 1000000 AND running = 1",
	"UPDATE outbox SET state = 1, attempts = attempts + 1 WHERE seq = ?1 AND state < 2",
	"UPDATE tx SET station_tx = ?1, csms_tx = ?1 WHERE start_seq = ?1",
	"UPDATE tx SET answer = ?3 WHERE start_seq = ?1 AND answer IS NULL",
	"UPDATE tx SET confirmed = 1 WHERE start_seq = ?1",
	"UPDATE seen SET answer = '{}' WHERE station = ?2 AND seq = ?1",
	"DELETE FROM outbox WHERE seq = ?1",
};
/* What each change of a message consists of: taken, sent, confirmed. */
static const int of_start[3][4] = { { TX, OUTBOX, -1 }, { SENT, -1 }, { NAMES, ANSWER, CONFIRMED, DELETE } };
static const int of_stop[3][4] = { { OUTBOX, SEEN, FORGET, STOP }, { SENT, -1 }, { SEEN_ANSWER, DELETE, -1 } };

static struct {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	unsigned in_commit, most;
} bare;

static void execute(const char *sql)
{
	if (sqlite3_exec(bare.db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die("%s", sqlite3_errmsg(bare.db));
}

static void run_one(int which, unsigned seq, const char *station)
{
	sqlite3_stmt *st = bare.st[which];
	sqlite3_bind_int64(st, 1, seq);
	if (sqlite3_bind_parameter_count(st) >= 2)
		sqlite3_bind_text(st, 2, station, -1, SQLITE_STATIC);
	if (sqlite3_bind_parameter_count(st) >= 3)
		sqlite3_bind_text(st, 3, payload, sizeof(payload) - 1, SQLITE_STATIC);
	if (sqlite3_step(st) != SQLITE_DONE)
		die("%s", sqlite3_errmsg(bare.db));
	sqlite3_reset(st);
}

static void change(const int steps[4], unsigned seq, const char *station)
{
	if (bare.in_commit == 0)
		execute("BEGIN IMMEDIATE");
	for (int i = 0; i < 4 && steps[i] >= 0; i++)
		run_one(steps[i], seq, station);
	if (++bare.in_commit >= bare.most) {
		execute("COMMIT");
		bare.in_commit = 0;
	}
}

/* One message of every station, step by step. Stops have the numbers of their starts and a million more. */
static void all_stations(unsigned round, bool stops)
{
	char station[16];
	for (int step = 0; step < 3; step++) {
		for (unsigned i = 0; i < b.stations; i++) {
			snprintf(station, sizeof(station), "S-%04u", i);
			change(stops ? of_stop[step] : of_start[step], 1 + round * b.stations + i + (stops ? 1000000 : 0), station);
		}
	}
}

static void open_bare(void)
{
	if (sqlite3_open(bench_path("state/bare.db"), &bare.db) != SQLITE_OK)
		die("%s", sqlite3_errmsg(bare.db));
	execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
	for (int i = 0; i < schema_steps_count; i++)
		execute(schema_steps[i]);
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v2(bare.db, statements[i], -1, &bare.st[i], NULL) != SQLITE_OK)
			die("%s", sqlite3_errmsg(bare.db));
}

static void measure_bare(double *f)
{
	open_bare();
	bare.in_commit = 0;
	bare.most = f[BATCH] < 1 ? 1 : (unsigned)(f[BATCH] + 0.5);
	int64_t from = now_us();
	for (unsigned round = 0; round < BARE_ROUNDS; round++) {
		all_stations(round, false);
		all_stations(round, true);
	}
	if (bare.in_commit)
		execute("COMMIT");
	f[BARE_RATE] = 2.0 * BARE_ROUNDS * b.stations * 1e6 / (double)(now_us() - from);
	f[SHARE] = 100 * f[RATE] / f[BARE_RATE];
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(bare.st[i]);
	sqlite3_close(bare.db);
}

/* ---- the backlog */

static void fill(void)
{
	struct store *s;
	struct store_config c = { .path = bench_path("state/ampgate.db") };
	if (store_open(&c, &s, NULL, NULL) != 0)
		die("the database cannot be opened");
	for (unsigned i = 0; i < b.backlog; i++) {
		char station[16], id[40];
		snprintf(station, sizeof(station), "S-%04u", i % b.stations);
		snprintf(id, sizeof(id), "%08x-5ea4-4e5b-8000-%012x", i, i);
		struct outbox_rec rec = { .station = station, .kind = OUTBOX_TX_UPDATE, .version = OCPP16, .action = "MeterValues", .message_id = id,
			.payload = { payload, sizeof(payload) - 1 }, .tx = "1500000001", .wall_us = 1, .late = true };
		if (outbox_put(s, &rec, NULL, NULL) != 0 || ((i + 1) % FILL_STEP == 0 && store_flush(s) != 0))
			die("the outbox cannot be filled");
	}
	store_close(s);
}

static void wait_delivered(uint64_t goal)
{
	for (int64_t end = now_us() + DRAIN_MOST_US; csms_answered() < goal; usleep(1000))
		if (now_us() > end)
			die("%llu messages were not delivered", (unsigned long long)(goal - csms_answered()));
}

static void measure_backlog(double *f)
{
	uint64_t before = csms_answered();
	fill();
	int64_t from = now_us();
	f[FULL_START] = start();
	double private = process_private_kib(b.daemon);
	wait_delivered(before + 1);
	int64_t first = now_us();
	f[FIRST_UP] = (double)(first - from) / 1000;
	wait_delivered(before + b.backlog);
	f[DRAIN] = b.backlog * 1e6 / (double)(now_us() - first);
	f[GROWN] = (process_private_kib(b.daemon) - private) / 1024;
	f[PEAK] = process_peak_kib(b.daemon) / 1024;
	process_stop(&b.daemon, SIGTERM);
}

static int by_size(const void *a, const void *c)
{
	double x = *(const double *)a, y = *(const double *)c;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	b.stations = argc > 1 ? (unsigned)atoi(argv[1]) : 200;
	b.backlog = argc > 2 ? (unsigned)atoi(argv[2]) : 100000;
	if (b.stations < 1 || b.stations > STATIONS_MOST)
		die("usage: durable [STATIONS [BACKLOG]]");
	bench_open();
	b.port = free_port();
	b.csms_port = free_port();
	write_config();
	b.csms = csms_start(b.csms_port);
	if (loop_open() != 0)
		return 1;
	for (int round = 0; round < ROUNDS; round++) {
		double f[FIGURES];
		mkdir(bench_path("state"), 0700);
		measure_transactions(f);
		measure_bare(f);
		measure_backlog(f);
		bench_clean("state");
		for (int i = 0; i < FIGURES; i++)
			b.figures[i][round] = f[i];
	}
	printf("%u stations, a backlog of %u, medians of %d rounds\n", b.stations, b.backlog, ROUNDS);
	for (int i = 0; i < FIGURES; i++) {
		qsort(b.figures[i], ROUNDS, sizeof(double), by_size);
		printf("%-48s%12.1f\n", titles[i], b.figures[i][ROUNDS / 2]);
	}
	process_stop(&b.csms, SIGKILL);
	bench_clean("");
	loop_close();
	return 0;
}
