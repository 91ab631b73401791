/* The tables, as numbered steps; the number of the last one taken is the file's user_version.
 *
 * Easy to get wrong: an index is used only by a query that repeats its WHERE, word for word. A station's next record is looked for among those
 * that are not parked (outbox_waiting), or a CSMS that rejects everything would make each look a walk over all that was set aside. */
#include "storage/schema.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "storage/store.h"

#define APPLICATION_ID 1634562163 /* "amps": tells our file from any other SQLite file */

const char *const schema_steps[] = {
	/* 1. AUTOINCREMENT keeps the highest number ever used, so that none comes back when its row has gone. */
	"CREATE TABLE outbox ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, station TEXT NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL,"
	" version INTEGER NOT NULL, action TEXT NOT NULL, message_id TEXT NOT NULL, payload TEXT, tx TEXT, start_seq INTEGER NOT NULL,"
	" wall_us INTEGER NOT NULL, mono_us INTEGER NOT NULL, clock_trusted INTEGER NOT NULL, late INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL, parked_why TEXT);"
	"CREATE INDEX outbox_waiting ON outbox (station, seq) WHERE state < 2;"
	"CREATE INDEX outbox_parked ON outbox (station, seq) WHERE state = 2;"
	"CREATE TABLE tx ("
	" start_seq INTEGER PRIMARY KEY, station TEXT NOT NULL, fingerprint BLOB NOT NULL, station_tx TEXT, csms_tx TEXT, answer TEXT,"
	" evse INTEGER NOT NULL, token TEXT, start_us INTEGER NOT NULL, stop_us INTEGER NOT NULL, start_wh REAL, stop_wh REAL,"
	" stop_reason TEXT, offline INTEGER NOT NULL, running INTEGER NOT NULL, confirmed INTEGER NOT NULL, noted_us INTEGER NOT NULL);"
	"CREATE UNIQUE INDEX tx_by_fingerprint ON tx (station, fingerprint);"
	"CREATE INDEX tx_by_station_id ON tx (station, station_tx);"
	"CREATE INDEX tx_by_csms_id ON tx (station, csms_tx);"
	"CREATE INDEX tx_running ON tx (station, evse) WHERE running = 1;"
	"CREATE INDEX tx_mapped ON tx (station) WHERE station_tx IS NOT NULL AND station_tx IS NOT csms_tx;"
	"CREATE INDEX tx_over ON tx (noted_us) WHERE running = 0;"
	"CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
	"INSERT INTO counter VALUES ('provisional', 1500000000);" /* the last one given */
	"CREATE TABLE token ("
	" folded TEXT NOT NULL, source INTEGER NOT NULL, token TEXT NOT NULL, type TEXT, status TEXT NOT NULL, expiry_us INTEGER NOT NULL,"
	" grp TEXT, updated_us INTEGER NOT NULL, PRIMARY KEY (folded, source));"
	"CREATE TABLE kept (owner TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (owner, name));"
	"CREATE TABLE journal ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, wall_us INTEGER NOT NULL, code TEXT NOT NULL, severity TEXT NOT NULL, object TEXT NOT NULL,"
	" args TEXT);",
	/* 2. What a station sent lately, so that a repeat is known as one after its record has gone and after a restart; and how often a record was
	 * refused, which is not how often it was sent. */
	"CREATE TABLE seen (station TEXT NOT NULL, fingerprint BLOB NOT NULL, seq INTEGER NOT NULL, answer TEXT);"
	"CREATE UNIQUE INDEX seen_by_fingerprint ON seen (station, fingerprint);"
	"CREATE UNIQUE INDEX seen_by_seq ON seen (station, seq);"
	"ALTER TABLE outbox ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;",
	/* 3. The local list that the CSMS sent to each station; and by how much a record's time was put right, once the time was known. */
	"CREATE TABLE list ("
	" station TEXT NOT NULL, folded TEXT NOT NULL, token TEXT NOT NULL, type TEXT, status TEXT NOT NULL, expiry_us INTEGER NOT NULL, grp TEXT,"
	" updated_us INTEGER NOT NULL, PRIMARY KEY (station, folded));"
	"CREATE TABLE list_version (station TEXT PRIMARY KEY, version INTEGER NOT NULL);"
	"CREATE INDEX token_by_age ON token (source, status = 'Accepted', updated_us);"
	"ALTER TABLE outbox ADD COLUMN boot INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE outbox ADD COLUMN shift_us INTEGER NOT NULL DEFAULT 0;",
	/* 4. Which records may go when the disk is full. */
	"ALTER TABLE outbox ADD COLUMN thin INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX outbox_thin ON outbox (station, tx, seq) WHERE thin = 1 AND state = 0;",
	/* 5. Currents over time, for charts. */
	"CREATE TABLE history (object TEXT NOT NULL, step_s INTEGER NOT NULL, at_s INTEGER NOT NULL, l1 INTEGER, l2 INTEGER, l3 INTEGER,"
	" top INTEGER, lim INTEGER, PRIMARY KEY (object, step_s, at_s)) WITHOUT ROWID;",
};
const int schema_steps_count = sizeof(schema_steps) / sizeof(schema_steps[0]);

static void say(char **error_out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(char **error_out, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	mem_free(*error_out);
	*error_out = text.p;
}

int schema_check(struct db *d)
{
	struct query q = query_open(d, "PRAGMA quick_check(1)");
	struct arena mem = { 0 };
	if (query_next(&q) && !slice_is(take_bytes(&q, &mem), "ok"))
		db_fail(d, ERR_CORRUPT);
	query_close(&q);
	arena_free(&mem);
	return d->err;
}

/* A copy of the whole file under a name that appears only when it is complete. */
static void copy_aside(struct db *d, const char *path, int step)
{
	struct arena mem = { 0 };
	struct db copy = { 0 };
	const char *name = arena_printf(&mem, "%s.before-%d", path, step);
	const char *unfinished = arena_printf(&mem, "%s.copying", path);
	unlink(unfinished);
	db_fail(d, db_open(&copy, unfinished));
	sqlite3_backup *backup = d->err ? NULL : sqlite3_backup_init(copy.sql, "main", d->sql, "main");
	if (backup)
		sqlite3_backup_step(backup, -1);
	if (!d->err)
		db_fail(d, db_code(backup ? sqlite3_backup_finish(backup) : sqlite3_errcode(copy.sql)));
	db_close(&copy);
	if (!d->err && rename(unfinished, name) != 0)
		db_fail(d, ERR_STORAGE);
	arena_free(&mem);
}

static void take_step(struct db *d, const char *step, int number)
{
	char version[96];
	snprintf(version, sizeof(version), "PRAGMA user_version = %d; PRAGMA application_id = %d", number, APPLICATION_ID);
	db_exec(d, "BEGIN IMMEDIATE");
	db_exec(d, step);
	db_exec(d, version);
	db_exec(d, "COMMIT");
	if (d->err)
		sqlite3_exec(d->sql, "ROLLBACK", NULL, NULL, NULL);
}

static int refuse_newer(const char *path, int version, int count, char **error_out)
{
	struct arena mem = { 0 };
	const char *copy = arena_printf(&mem, "%s.before-%d", path, version), *back = "";
	if (access(copy, F_OK) == 0)
		back = arena_printf(&mem, ", or go back to the copy that it made, without what came later: rm -f %s-wal %s-shm; mv %s %s", path, path,
				    copy, path);
	say(error_out, "%s was written by a newer version (schema %d, this program knows %d). Run the newer version again%s", path, version, count,
	    back);
	arena_free(&mem);
	return ERR_UNSUPPORTED;
}

int schema_upgrade(struct db *d, const char *path, const char *const *steps, int count, char **error_out)
{
	int version = (int)db_number(d, "PRAGMA user_version");
	bool ours = db_number(d, "PRAGMA application_id") == APPLICATION_ID;
	if (!ours && db_number(d, "SELECT count(*) FROM sqlite_schema") > 0) {
		say(error_out, "%s is a database of another program", path);
		return ERR_INVALID;
	}
	if (version > count)
		return refuse_newer(path, version, count, error_out);
	if (!d->err && version > 0 && version < count) {
		copy_aside(d, path, count);
		if (d->err)
			say(error_out, "%s could not be copied aside before its schema is changed: %s", path, err_text(d->err));
	}
	for (int n = version + 1; n <= count && !d->err; n++) {
		take_step(d, steps[n - 1], n);
		if (d->err)
			say(error_out, "%s: step %d of its schema failed: %s", path, n, db_text(d));
	}
	return d->err;
}

/* A number in the head of an SQLite file: four bytes, the highest first (sqlite.org/fileformat2.html, 1.3). */
static uint32_t head_number(struct slice file, size_t at)
{
	const uint8_t *b = (const uint8_t *)file.p + at;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

int store_newer(struct slice file, int *known_out)
{
	enum { HEAD = 100, USER_VERSION = 60, APPLICATION = 68 };
	*known_out = schema_steps_count;
	if (file.n < HEAD || memcmp(file.p, "SQLite format 3", 16) != 0 || head_number(file, APPLICATION) != APPLICATION_ID)
		return 0;
	uint32_t version = head_number(file, USER_VERSION);
	return version > (uint32_t)schema_steps_count && version <= INT32_MAX ? (int)version : 0;
}
