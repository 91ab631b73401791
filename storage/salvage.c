/* A damaged file: what can be read of it moves to a new one.
 *
 * The new file is complete before the old one is touched, so a power cut in between loses nothing: until PATH is renamed away the salvage is
 * simply done again, and after that the finished PATH.salvaged is waiting for its name (salvage_resume).
 *
 * A table is read from both ends until the damage stops each walk: SQLite ends a walk at the first bad page, and what lies behind it is only
 * reached from the other side. The old file's log must leave together with it: SQLite would apply it to whatever bears the name next. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "storage/schema.h"

static const char *const tables[] = { "counter", "kept", "tx", "outbox", "seen", "token", "list", "list_version", "journal" };

/* More numbers than one lost stretch of a file can have held. */
static const char jump[] = "UPDATE counter SET value = 1000000 + max(value, 1500000000,"
			   "  (SELECT coalesce(max(CAST(station_tx AS INTEGER)), 0) FROM tx"
			   "   WHERE CAST(station_tx AS INTEGER) BETWEEN 1500000001 AND 2147483647)) WHERE name = 'provisional';"
			   "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM (SELECT 'outbox' AS name UNION ALL SELECT 'journal')"
			   "  WHERE name NOT IN (SELECT name FROM sqlite_sequence);"
			   "UPDATE sqlite_sequence SET seq = 1000000 + max(seq, (SELECT coalesce(max(start_seq), 0) FROM tx));";

/* The columns that a table has in both files, as "a, b, c" and "?, ?, ?"; how many. */
static int columns_of(struct db *old, struct db *new, const char *table, struct buf *names, struct buf *marks)
{
	int count = 0;
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(new->sql, "SELECT name FROM pragma_table_info(?)", -1, &st, NULL) != SQLITE_OK)
		return 0;
	sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		if (sqlite3_table_column_metadata(old->sql, NULL, table, name, NULL, NULL, NULL, NULL, NULL) != SQLITE_OK)
			continue;
		buf_printf(names, "%s%s", count ? ", " : "", name);
		buf_puts(marks, count ? ", ?" : "?");
		count++;
	}
	sqlite3_finalize(st);
	return count;
}

/* One walk, as far as it goes. A row that the new file does not want (torn, or there already) is left out. */
static void copy_rows(sqlite3_stmt *from, sqlite3_stmt *to, int columns)
{
	while (sqlite3_step(from) == SQLITE_ROW) {
		for (int i = 0; i < columns; i++)
			sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
		sqlite3_step(to);
		sqlite3_reset(to);
	}
}

static void copy_table(struct db *old, struct db *new, const char *table)
{
	struct buf names = { 0 }, marks = { 0 };
	struct arena mem = { 0 };
	int columns = columns_of(old, new, table, &names, &marks);
	for (int backwards = 0; columns && backwards < 2; backwards++) {
		sqlite3_stmt *from = NULL, *to = NULL;
		const char *read = arena_printf(&mem, "SELECT %s FROM %s NOT INDEXED ORDER BY rowid %s", names.p, table, backwards ? "DESC" : "ASC");
		const char *write = arena_printf(&mem, "INSERT OR IGNORE INTO %s (%s) VALUES (%s)", table, names.p, marks.p);
		if (sqlite3_prepare_v2(old->sql, read, -1, &from, NULL) == SQLITE_OK &&
		    sqlite3_prepare_v2(new->sql, write, -1, &to, NULL) == SQLITE_OK)
			copy_rows(from, to, columns);
		sqlite3_finalize(from);
		sqlite3_finalize(to);
	}
	arena_free(&mem);
	buf_free(&names);
	buf_free(&marks);
}

static void copy_all(const char *path, struct db *new)
{
	struct db old;
	if (db_open(&old, path) == 0) {
		sqlite3_db_config(old.sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* evidence is left as it is */
		for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
			copy_table(&old, new, tables[i]);
	}
	db_close(&old);
}

static void sync_folder(const char *path)
{
	struct arena mem = { 0 };
	const char *slash = strrchr(path, '/');
	int fd = open(slash ? arena_text(&mem, (struct slice){ path, (size_t)(slash - path) + 1 }) : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	arena_free(&mem);
}

/* Moves PATH and its log out of the way, as far as they are still there, and PATH.salvaged in. */
static int swap_in(const char *path, struct arena *mem)
{
	char time[TIME_TEXT], *aside = arena_printf(mem, "%s.damaged-%.19sZ", path, time_text(clock_wall_us(), time));
	for (char *colon = aside + strlen(path); (colon = strchr(colon, ':'));)
		memmove(colon, colon + 1, strlen(colon));
	if (rename(path, aside) != 0 && errno != ENOENT)
		return -errno;
	if (rename(arena_printf(mem, "%s-wal", path), arena_printf(mem, "%s-wal", aside)) != 0 && errno != ENOENT)
		return -errno;
	unlink(arena_printf(mem, "%s-shm", path));
	if (rename(arena_printf(mem, "%s.salvaged", path), path) != 0)
		return -errno;
	sync_folder(path);
	return 0;
}

static const char *forget_unfinished(const char *path, struct arena *mem)
{
	const char *unfinished = arena_printf(mem, "%s.salvaged", path);
	unlink(unfinished);
	unlink(arena_printf(mem, "%s-journal", unfinished));
	return unfinished;
}

int salvage(const char *path, char **error_out)
{
	struct arena mem = { 0 };
	const char *unfinished = forget_unfinished(path, &mem);
	struct db new;
	int err = db_open(&new, unfinished);
	if (!err)
		err = schema_upgrade(&new, unfinished, schema_steps, schema_steps_count, error_out);
	db_exec(&new, "BEGIN; DELETE FROM counter");
	if (!new.err)
		copy_all(path, &new);
	db_exec(&new, "INSERT OR IGNORE INTO counter VALUES ('provisional', 0)");
	db_exec(&new, jump);
	db_exec(&new, "COMMIT");
	err = err ? err : new.err;
	db_close(&new);
	if (!err)
		err = swap_in(path, &mem);
	arena_free(&mem);
	return err;
}

int salvage_resume(const char *path)
{
	struct arena mem = { 0 };
	const char *made = arena_printf(&mem, "%s.salvaged", path);
	int err = 0;
	if (access(made, F_OK) == 0 && access(path, F_OK) == 0)
		forget_unfinished(path, &mem);
	else if (access(made, F_OK) == 0)
		err = swap_in(path, &mem);
	arena_free(&mem);
	return err;
}
