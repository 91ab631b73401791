/* A disk that misbehaves on demand. Every file of SQLite is wrapped: calls go through to the real one, writes and syncs pass a gate first.
 *
 * While watched, each file has an image of what was synced and a list of writes since. A removed file is gone at once and a new one is there at
 * its first sync, which is what SQLite's own folder syncs give. The shared-memory file is memory and dies with the power. */
#include "tests/fault/vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"

#define SECTOR 512

struct image { /* of one file, by name */
	struct list entry;
	char *name;
	char *bytes; /* synced */
	size_t n;
	bool synced;
	struct list pending;
};

struct pending {
	struct list entry;
	bool truncates;
	size_t at, n;
	char bytes[];
};

struct file {
	sqlite3_file base;
	struct image *image; /* NULL: not watched */
	sqlite3_file *real;  /* follows in memory */
};

static struct {
	pthread_mutex_t lock;
	sqlite3_vfs vfs, *real;
	int countdown;
	bool all, full, failed, watching;
	struct list images;
	void (*see)(void *arg);
	void *arg;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

void vfs_fail(int nth, bool all, bool full)
{
	pthread_mutex_lock(&disk.lock);
	disk.countdown = nth;
	disk.all = all;
	disk.full = full;
	disk.failed = false;
	pthread_mutex_unlock(&disk.lock);
}

bool vfs_failed(void)
{
	pthread_mutex_lock(&disk.lock);
	bool failed = disk.failed;
	pthread_mutex_unlock(&disk.lock);
	return failed;
}

static bool fails_now(void)
{
	pthread_mutex_lock(&disk.lock);
	bool fails = disk.countdown > 0 && --disk.countdown == 0;
	if (fails) {
		disk.failed = true;
		disk.countdown = disk.all ? 1 : 0;
	}
	pthread_mutex_unlock(&disk.lock);
	return fails;
}

static void image_free(struct image *i)
{
	list_remove(&i->entry);
	LIST_WALK(&i->pending, struct pending, entry, p)
		mem_free(p);
	mem_free(i->name);
	mem_free(i->bytes);
	mem_free(i);
}

static struct image *image_of(const char *name, bool make)
{
	LIST_WALK(&disk.images, struct image, entry, i)
		if (strcmp(i->name, name) == 0)
			return i;
	if (!make)
		return NULL;
	struct image *i = NEW(struct image);
	i->name = mem_strdup(name);
	list_init(&i->pending);
	list_append(&disk.images, &i->entry);
	return i;
}

static void apply(char **bytes, size_t *n, const struct pending *p, size_t from, size_t to)
{
	if (p->truncates) {
		*n = p->at < *n ? p->at : *n;
		return;
	}
	if (p->at + to > *n) {
		*bytes = mem_grow(*bytes, p->at + to);
		memset(*bytes + *n, 0, p->at + to - *n);
		*n = p->at + to;
	}
	memcpy(*bytes + p->at + from, p->bytes + from, to - from);
}

static void remember(struct image *i, bool truncates, const void *bytes, size_t n, size_t at)
{
	pthread_mutex_lock(&disk.lock);
	if (i && disk.watching) {
		struct pending *p = mem_new(sizeof(*p) + n);
		p->truncates = truncates;
		p->at = at;
		p->n = n;
		if (n)
			memcpy(p->bytes, bytes, n);
		list_append(&i->pending, &p->entry);
	}
	pthread_mutex_unlock(&disk.lock);
}

static void settle(struct image *i)
{
	pthread_mutex_lock(&disk.lock);
	i->synced = true;
	LIST_WALK(&i->pending, struct pending, entry, p) {
		apply(&i->bytes, &i->n, p, 0, p->n);
		list_remove(&p->entry);
		mem_free(p);
	}
	pthread_mutex_unlock(&disk.lock);
}

static void chance(char **bytes, size_t *n, const struct pending *p, unsigned *seed)
{
	if (p->truncates && rand_r(seed) % 2)
		apply(bytes, n, p, 0, 0);
	for (size_t from = 0; from < p->n; from += SECTOR)
		if (rand_r(seed) % 2)
			apply(bytes, n, p, from, from + SECTOR < p->n ? from + SECTOR : p->n);
}

void vfs_cut(const char *folder, unsigned *seed)
{
	pthread_mutex_lock(&disk.lock);
	LIST_WALK(&disk.images, struct image, entry, i) {
		if (!i->synced && rand_r(seed) % 2)
			continue;
		char name[300], *bytes = mem_new(i->n);
		size_t n = i->n;
		if (n)
			memcpy(bytes, i->bytes, n);
		LIST_WALK(&i->pending, struct pending, entry, p)
			chance(&bytes, &n, p, seed);
		snprintf(name, sizeof(name), "%s/%s", folder, strrchr(i->name, '/') + 1);
		FILE *f = fopen(name, "w");
		if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
			abort();
		mem_free(bytes);
	}
	pthread_mutex_unlock(&disk.lock);
}

void vfs_watch(void (*see)(void *arg), void *arg)
{
	pthread_mutex_lock(&disk.lock);
	disk.see = see;
	disk.arg = arg;
	disk.watching = see != NULL;
	LIST_WALK(&disk.images, struct image, entry, i)
		image_free(i);
	pthread_mutex_unlock(&disk.lock);
}

/* The methods. Those that only pass the call on are made by a macro. */

#define REAL(f) (((struct file *)(f))->real)
#define PASS(name, args, ...)                                                                                                                \
	static int pass_##name args                                                                                                          \
	{                                                                                                                                    \
		return REAL(f)->pMethods->x##name(REAL(f), __VA_ARGS__);                                                                     \
	}
#define PASS_BARE(name)                                                                                                                      \
	static int pass_##name(sqlite3_file *f)                                                                                              \
	{                                                                                                                                    \
		return REAL(f)->pMethods->x##name(REAL(f));                                                                                  \
	}
PASS(Read, (sqlite3_file *f, void *p, int n, sqlite3_int64 at), p, n, at)
PASS(FileSize, (sqlite3_file *f, sqlite3_int64 *n), n)
PASS(Lock, (sqlite3_file *f, int level), level)
PASS(Unlock, (sqlite3_file *f, int level), level)
PASS(CheckReservedLock, (sqlite3_file *f, int *out), out)
PASS(FileControl, (sqlite3_file *f, int op, void *arg), op, arg)
PASS_BARE(SectorSize)
PASS(ShmMap, (sqlite3_file *f, int page, int n, int extend, void volatile **out), page, n, extend, out)
PASS(ShmLock, (sqlite3_file *f, int at, int n, int flags), at, n, flags)
PASS(ShmUnmap, (sqlite3_file *f, int unlink), unlink)

/* Nothing is promised about sectors or order. */
static int characteristics(sqlite3_file *f)
{
	(void)f;
	return 0;
}

static void barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int on_close(sqlite3_file *f)
{
	return REAL(f)->pMethods->xClose(REAL(f));
}

static int on_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
	if (fails_now())
		return disk.full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	remember(((struct file *)f)->image, false, bytes, (size_t)n, (size_t)at);
	return REAL(f)->pMethods->xWrite(REAL(f), bytes, n, at);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	if (fails_now())
		return SQLITE_IOERR_TRUNCATE;
	remember(((struct file *)f)->image, true, NULL, 0, (size_t)n);
	return REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int on_sync(sqlite3_file *f, int flags)
{
	struct file *file = (struct file *)f;
	(void)flags;
	if (fails_now())
		return SQLITE_IOERR_FSYNC;
	if (file->image && disk.watching) {
		disk.see(disk.arg);
		settle(file->image);
	}
	return SQLITE_OK; /* the real disk is not what is tested, and it is slow */
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, .xClose = on_close, .xRead = pass_Read, .xWrite = on_write, .xTruncate = on_truncate, .xSync = on_sync,
	.xFileSize = pass_FileSize, .xLock = pass_Lock, .xUnlock = pass_Unlock, .xCheckReservedLock = pass_CheckReservedLock,
	.xFileControl = pass_FileControl, .xSectorSize = pass_SectorSize, .xDeviceCharacteristics = characteristics, .xShmMap = pass_ShmMap,
	.xShmLock = pass_ShmLock, .xShmBarrier = barrier, .xShmUnmap = pass_ShmUnmap,
};

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *flags_out)
{
	struct file *file = (struct file *)f;
	(void)vfs;
	memset(file, 0, sizeof(*file));
	file->real = (sqlite3_file *)(file + 1);
	int code = disk.real->xOpen(disk.real, name, file->real, flags, flags_out);
	if (file->real->pMethods)
		file->base.pMethods = &methods;
	pthread_mutex_lock(&disk.lock);
	if (disk.watching && name)
		file->image = image_of(name, true);
	pthread_mutex_unlock(&disk.lock);
	return code;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	(void)vfs;
	pthread_mutex_lock(&disk.lock);
	struct image *i = image_of(name, false);
	if (i)
		image_free(i);
	pthread_mutex_unlock(&disk.lock);
	return disk.real->xDelete(disk.real, name, sync_folder);
}

void vfs_install(void)
{
	disk.real = sqlite3_vfs_find(NULL);
	disk.vfs = *disk.real;
	disk.vfs.zName = "fault";
	disk.vfs.szOsFile = (int)sizeof(struct file) + disk.real->szOsFile;
	disk.vfs.xOpen = on_open;
	disk.vfs.xDelete = on_delete;
	list_init(&disk.images);
	sqlite3_vfs_register(&disk.vfs, 1);
}
