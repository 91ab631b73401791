/* Transactions through the whole daemon: 200 stations (argv[1]) that start and stop without a pause, each message on disk before it is answered,
 * beside bare SQLite that inserts the same rows in one commit and removes them in another, as many at once. Then a night's backlog: 100 000
 * messages (argv[2]) lie in the outbox when the daemon starts, and go up. Three rounds, medians. */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "ocpp/version.h"
#include "storage/outbox.h"
#include "tests/bench/peers.h"
#include "tests/bench/process.h"

#define ROUNDS 3
#define SECONDS 4.0
#define SETTLE_S 3.0
#define BARE_ROUNDS 20
#define FILL_STEP 2000
#define DRAIN_MOST_US (120 * INT64_C(1000000))

enum { RATE, P50, P99, CPU, BARE_RATE, BARE_MS, START, FULL_START, FIRST_UP, DRAIN, PEAK, GROWN, FIGURES };
static const char *const titles[FIGURES] = {
	"transaction messages per second", "  acknowledged after, p50 ms", "  acknowledged after, p99 ms", "  CPU ms per 1000 messages",
	"bare SQLite, rows in and out per second", "  in and out after, ms", "start with an empty outbox, ms", "start with the backlog, ms",
	"  first of it answered after, ms", "  delivered per second", "  peak memory, MiB", "  private memory grown while delivering, MiB",
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

static void measure_transactions(double *f)
{
	struct latency l;
	f[START] = start();
	stations_open(b.stations, b.port);
	stations_serve();
	stations_idle(SETTLE_S);
	double before = process_cpu_ms(b.daemon);
	stations_transact(SECONDS, &l);
	f[RATE] = (double)l.calls / l.seconds;
	f[P50] = (double)l.p50_us / 1000;
	f[P99] = (double)l.p99_us / 1000;
	f[CPU] = (process_cpu_ms(b.daemon) - before) / (double)l.calls * 1000;
	stations_close();
	process_stop(&b.daemon, SIGTERM);
}

/* ---- bare SQLite */

static void execute(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die("%s", sqlite3_errmsg(db));
}

static void in_and_out(sqlite3 *db, sqlite3_stmt *in, sqlite3_stmt *out)
{
	execute(db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < b.stations; i++) {
		sqlite3_bind_int(in, 1, (int)i);
		sqlite3_bind_text(in, 2, payload, sizeof(payload) - 1, SQLITE_STATIC);
		sqlite3_step(in);
		sqlite3_reset(in);
	}
	execute(db, "COMMIT");
	execute(db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < b.stations; i++) {
		sqlite3_bind_int(out, 1, (int)i);
		sqlite3_step(out);
		sqlite3_reset(out);
	}
	execute(db, "COMMIT");
}

static void measure_bare(double *f)
{
	sqlite3 *db;
	sqlite3_stmt *in, *out;
	if (sqlite3_open(bench_path("state/bare.db"), &db) != SQLITE_OK)
		die("%s", sqlite3_errmsg(db));
	execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS t (seq INTEGER PRIMARY KEY, station INTEGER,"
		" payload TEXT); CREATE INDEX IF NOT EXISTS i ON t (station, seq)");
	sqlite3_prepare_v2(db, "INSERT INTO t (station, payload) VALUES (?, ?)", -1, &in, NULL);
	sqlite3_prepare_v2(db, "DELETE FROM t WHERE station = ?", -1, &out, NULL);
	int64_t from = now_us();
	for (int i = 0; i < BARE_ROUNDS; i++)
		in_and_out(db, in, out);
	double took = (double)(now_us() - from);
	f[BARE_RATE] = BARE_ROUNDS * b.stations * 1e6 / took;
	f[BARE_MS] = took / BARE_ROUNDS / 1000;
	sqlite3_finalize(in);
	sqlite3_finalize(out);
	sqlite3_close(db);
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
