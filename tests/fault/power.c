/* The power is cut at every sync of a day. What was acknowledged before must be in the file that is left, and the file must be sound. */
#include <sys/stat.h>

#include "tests/fault/day.h"
#include "tests/fault/vfs.h"
#include "tests/unit/storage/lab.h"

#define CUTS_MOST 1000
#define DAYS 8

struct cuts {
	struct lab *lab;
	struct day *day;
	struct day *known[CUTS_MOST]; /* at that cut */
	atomic_int count;
	unsigned seed;
};

static void folder_of(const struct lab *lab, int n, char out[100])
{
	snprintf(out, 100, "%s-cut-%d", lab->folder, n);
}

/* What is known is noted before the disk is looked at: an acknowledgement in between is of something that is there. */
static void on_sync(void *arg)
{
	struct cuts *c = arg;
	char folder[100];
	int n = atomic_load(&c->count);
	if (n == CUTS_MOST)
		return;
	c->known[n] = NEW(struct day);
	day_copy(c->known[n], c->day);
	folder_of(c->lab, n, folder);
	if (mkdir(folder, 0700) != 0)
		abort();
	vfs_cut(folder, &c->seed);
	atomic_store(&c->count, n + 1);
}

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	for (struct dirent *e; (e = readdir(dir));) {
		char name[400];
		snprintf(name, sizeof(name), "%s/%s", folder, e->d_name);
		unlink(name);
	}
	closedir(dir);
	rmdir(folder);
}

static void check_cut(const struct cuts *c, int n)
{
	char folder[100], path[120];
	folder_of(c->lab, n, folder);
	snprintf(path, sizeof(path), "%s/test.db", folder);
	day_check(c->known[n], path);
	remove_folder(folder);
	mem_free(c->known[n]);
}

static void one_day(unsigned seed)
{
	struct cuts *c = NEW(struct cuts);
	c->seed = seed;
	c->lab = lab_new();
	c->day = NEW(struct day);
	vfs_watch(on_sync, c);
	lab_open(c->lab, NULL);
	c->day->s = c->lab->s;
	day_run(c->day);
	store_close(c->lab->s);
	vfs_watch(NULL, NULL);
	assert_in_range(c->count, 20, CUTS_MOST);
	day_check(c->day, c->lab->path);
	for (int n = 0; n < c->count; n++)
		check_cut(c, n);
	mem_free(c->day);
	lab_free(c->lab);
	mem_free(c);
}

static void test_the_power_is_cut_at_every_sync(void **state)
{
	const char *given = getenv("SEED");
	unsigned seed = given ? (unsigned)atoi(given) : (unsigned)getpid();
	(void)state;
	for (unsigned i = 0; i < DAYS; i++) {
		print_message("SEED=%u\n", seed + i);
		one_day(seed + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_the_power_is_cut_at_every_sync) };
	vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
