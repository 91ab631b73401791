/* The stage of the storage tests: a folder of its own, the real loop, the real writer thread, and callbacks that take notes. */
#ifndef AMPGATE_TESTS_STORAGE_LAB_H
#define AMPGATE_TESTS_STORAGE_LAB_H

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "storage/store.h"
#include "tests/unit/unit.h"

struct lab {
	char folder[64], path[96];
	struct store *s;
	bool salvaged;
	char *error;
};

/* What a job's callback said. */
struct answer {
	bool came;
	int err, order;
	int64_t value;
};

static int answers; /* how many came, for their order */

static inline void on_answer(void *arg, int err, int64_t value)
{
	*(struct answer *)arg = (struct answer){ true, err, ++answers, value };
}

static inline void wait_for(struct answer *a)
{
	while (!a->came)
		loop_turn(US_PER_S);
}

/* The value of a job that must succeed: `posted` is what the call returned. */
static inline int64_t value_of(struct answer *a, int posted)
{
	assert_int_equal(posted, 0);
	wait_for(a);
	assert_int_equal(a->err, 0);
	return a->value;
}

static inline int error_of(struct answer *a, int posted)
{
	assert_int_equal(posted, 0);
	wait_for(a);
	return a->err;
}

static struct answer last __attribute__((unused)); /* the arg of the call inside VALUE_OF and ERROR_OF */
#define VALUE_OF(...) (last.came = false, value_of(&last, __VA_ARGS__))
#define ERROR_OF(...) (last.came = false, error_of(&last, __VA_ARGS__))

static inline int lab_try(struct lab *lab, const struct store_config *more)
{
	struct store_config c = more ? *more : (struct store_config){ 0 };
	c.path = lab->path;
	mem_free(lab->error);
	lab->error = NULL;
	return store_open(&c, &lab->s, &lab->salvaged, &lab->error);
}

static inline void lab_open(struct lab *lab, const struct store_config *more)
{
	int err = lab_try(lab, more);
	if (err)
		fail_msg("store_open: %d %s", err, lab->error);
}

static inline void lab_reopen(struct lab *lab)
{
	store_close(lab->s);
	lab_open(lab, NULL);
}

static inline struct lab *lab_new(void)
{
	struct lab *lab = NEW(struct lab);
	strcpy(lab->folder, "/tmp/ampgate-store-XXXXXX");
	assert_non_null(mkdtemp(lab->folder));
	snprintf(lab->path, sizeof(lab->path), "%s/test.db", lab->folder);
	assert_int_equal(loop_open(), 0);
	answers = 0;
	return lab;
}

static inline void lab_free(struct lab *lab)
{
	DIR *dir = opendir(lab->folder);
	for (struct dirent *e; (e = readdir(dir));) {
		char name[400];
		snprintf(name, sizeof(name), "%s/%s", lab->folder, e->d_name);
		unlink(name);
	}
	closedir(dir);
	rmdir(lab->folder);
	loop_close();
	mem_free(lab->error);
	mem_free(lab);
}

/* The name of the file in the folder that starts with `start`; false: there is none. */
static inline bool lab_has(const struct lab *lab, const char *start, char out[400])
{
	bool found = false;
	DIR *dir = opendir(lab->folder);
	for (struct dirent *e; !found && (e = readdir(dir));) {
		found = strncmp(e->d_name, start, strlen(start)) == 0;
		snprintf(out, 400, "%s/%s", lab->folder, e->d_name);
	}
	closedir(dir);
	return found;
}

/* One number, asked over a connection of its own: what anybody else sees of the file now. */
static inline int64_t ask(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	int64_t value = -1;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return value;
}

static inline void tell(const char *path, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* A test's frame: `static void test_x(void **state)` with its body between these. */
#define LAB_TEST(name)                                                                                                                       \
	static void name##_in(struct lab *lab);                                                                                              \
	static void name(void **state)                                                                                                       \
	{                                                                                                                                    \
		struct lab *lab = lab_new();                                                                                                 \
		(void)state;                                                                                                                 \
		name##_in(lab);                                                                                                              \
		store_close(lab->s);                                                                                                         \
		lab_free(lab);                                                                                                               \
	}                                                                                                                                    \
	static void name##_in(struct lab *lab)

#endif
