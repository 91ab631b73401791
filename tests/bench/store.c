/* Durable records per second: 200 stations, of which each hands over one record and waits for its callback, beside a bare SQLite program that
 * commits the same rows into the same tables in the same groups, with nothing around it. Both sync every commit. */
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "storage/outbox.h"

#define STATIONS 200
#define ROUNDS 20
#define RUNS 7

static const char payload[] =
	"{\"connectorId\":1,\"transactionId\":1500000001,\"meterValue\":[{\"timestamp\":\"2026-03-02T17:04:05.000Z\",\"sampledValue\":["
	"{\"value\":\"1234567\",\"measurand\":\"Energy.Active.Import.Register\",\"unit\":\"Wh\"},{\"value\":\"10.7\",\"phase\":\"L1\",\"unit\":\"A\"}]}]}";

static char folder[] = "/tmp/ampgate-bench-XXXXXX";
static int answers;

static void stop(const char *what)
{
	fprintf(stderr, "bench/store: %s\n", what);
	exit(1);
}

static void on_put(void *arg, int err, int64_t seq)
{
	(void)arg, (void)seq;
	if (err)
		stop(err_text(err));
	answers++;
}

static void put_group(struct store *s, int group)
{
	for (int i = 0; i < group; i++) {
		char station[16];
		snprintf(station, sizeof(station), "G-%03d", i % STATIONS);
		struct outbox_rec rec = { .station = station, .kind = OUTBOX_TX_UPDATE, .version = 16, .action = "MeterValues",
					  .message_id = "19223201-5ea4-4e5b", .payload = SLICE(payload), .tx = "1500000001", .wall_us = 1 };
		if (outbox_put(s, &rec, on_put, NULL) != 0)
			stop("outbox_put");
	}
	for (answers = 0; answers < group;)
		loop_turn(US_PER_S);
}

static double through_store(const char *path, int group, int rounds)
{
	struct store *s;
	struct store_config c = { .path = path };
	if (store_open(&c, &s, NULL, NULL) != 0)
		stop("store_open");
	int64_t start = clock_mono_us();
	for (int i = 0; i < rounds; i++)
		put_group(s, group);
	int64_t took = clock_mono_us() - start;
	store_close(s);
	return (double)group * rounds * 1e6 / (double)took;
}

static void insert_group(sqlite3 *db, sqlite3_stmt *st, int group)
{
	sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (int i = 0; i < group; i++) {
		char station[16];
		snprintf(station, sizeof(station), "G-%03d", i % STATIONS);
		sqlite3_bind_text(st, 1, station, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, payload, sizeof(payload) - 1, SQLITE_STATIC);
		if (sqlite3_step(st) != SQLITE_DONE)
			stop(sqlite3_errmsg(db));
		sqlite3_reset(st);
	}
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		stop(sqlite3_errmsg(db));
}

static double through_sqlite(const char *path, int group, int rounds)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, "PRAGMA synchronous = FULL", NULL, NULL, NULL) != SQLITE_OK)
		stop("sqlite3_open");
	sqlite3_prepare_v2(db, "INSERT INTO outbox (station, payload, kind, state, version, action, message_id, tx, start_seq, wall_us, mono_us,"
			       " clock_trusted, late, attempts) VALUES (?, ?, 1, 0, 16, 'MeterValues', '19223201-5ea4-4e5b', '1500000001', 0, 1, 0, 0, 0, 0)",
			   -1, &st, NULL);
	int64_t start = clock_mono_us();
	for (int i = 0; i < rounds; i++)
		insert_group(db, st, group);
	int64_t took = clock_mono_us() - start;
	sqlite3_finalize(st);
	sqlite3_close(db);
	return (double)group * rounds * 1e6 / (double)took;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void compare(int group, int rounds)
{
	double store[RUNS], sqlite[RUNS];
	char path[128];
	snprintf(path, sizeof(path), "%s/%d.db", folder, group);
	through_store(path, group, 1); /* makes the tables */
	for (int i = 0; i < RUNS; i++) {
		store[i] = through_store(path, group, rounds);
		sqlite[i] = through_sqlite(path, group, rounds);
	}
	qsort(store, RUNS, sizeof(store[0]), by_value);
	qsort(sqlite, RUNS, sizeof(sqlite[0]), by_value);
	printf("%8d %14.0f %14.0f %9.2f\n", group, store[RUNS / 2], sqlite[RUNS / 2], store[RUNS / 2] / sqlite[RUNS / 2]);
}

static void clean_up(void)
{
	DIR *dir = opendir(folder);
	for (struct dirent *e; (e = readdir(dir));)
		unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	rmdir(folder);
}

int main(void)
{
	if (!mkdtemp(folder) || loop_open() != 0)
		return 1;
	printf("durable records per second, medians of %d runs\n%8s %14s %14s %9s\n", RUNS, "group", "store", "bare sqlite", "ratio");
	compare(1, ROUNDS * 10);
	compare(20, ROUNDS * 2);
	compare(STATIONS, ROUNDS);
	clean_up();
	loop_close();
	return 0;
}
