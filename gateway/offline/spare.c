/* The file lies in a folder of its own in a file system that is memory. Whether the real disk is back is tried by what failed: making a file there
 * and having it on disk. The spare's records are in their stations as well, as none of them was acknowledged, so it is thrown away. */
#include "gateway/offline/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/mqtt/telemetry.h"
#include "storage/store.h"

#define TRY_US (3 * US_PER_S)
#define SIZE_MOST (16 << 20)

static struct {
	char folder[64];
	char *path;      /* of the real file */
	struct timer again;
	bool over;
} spare;

bool spare_helps(int err)
{
	return err != ERR_UNSUPPORTED && err != ERR_INVALID && err != ERR_EXISTS;
}

static bool make_folder(void)
{
	static const char *const places[] = { "/dev/shm", "/run", "/tmp" };
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(spare.folder, sizeof(spare.folder), "%s/ampgate-XXXXXX", places[i]);
		if (mkdtemp(spare.folder))
			return true;
	}
	spare.folder[0] = 0;
	return false;
}

static bool disk_is_back(void)
{
	struct arena mem = { 0 };
	const char *name = arena_printf(&mem, "%s.try", spare.path);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool back = fd >= 0 && write(fd, name, strlen(name)) > 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	unlink(name);
	arena_free(&mem);
	return back;
}

static void on_again(void *arg)
{
	(void)arg;
	if (!disk_is_back()) {
		timer_set(&spare.again, TRY_US, on_again, NULL);
		return;
	}
	log_info(NULL, "%s can be written again; starting anew to use it", spare.path);
	spare.over = true;
	loop_stop();
}

int spare_open(struct gateway *g, const char *path)
{
	struct arena mem = { 0 };
	char *why = NULL;
	if (!make_folder())
		return -errno;
	struct store_config c = { .path = arena_printf(&mem, "%s/ampgate.db", spare.folder), .size_most = SIZE_MOST };
	int err = store_open(&c, &g->store, NULL, &why);
	if (err)
		log_error(NULL, "no database in memory either: %s", why ? why : err_text(err));
	mem_free(why);
	arena_free(&mem);
	if (err)
		return err;
	g->storage_spare = g->storage_failing = true;
	spare.path = mem_strdup(path);
	spare.over = false;
	log_error(NULL, "the service goes on without its memory: transaction messages reach the CSMS while it is there, and are refused while it is away, so "
			"that stations keep them");
	timer_set(&spare.again, TRY_US, on_again, NULL);
	return 0;
}

void spare_announce(struct gateway *g)
{
	if (g->storage_spare)
		telemetry_event(g, "storage.failed", "critical", "storage", "{\"error\":\"the disk cannot be used\"}");
}

bool spare_over(void)
{
	return spare.over;
}

static void remove_file(const char *name, const char *more)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s%s", spare.folder, name, more);
	unlink(path);
}

void spare_close(void)
{
	timer_cancel(&spare.again);
	mem_free(spare.path);
	spare.path = NULL;
	if (!spare.folder[0])
		return;
	static const char *const parts[] = { "", "-wal", "-shm", "-journal", ".lock" };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		remove_file("ampgate.db", parts[i]);
	rmdir(spare.folder);
	spare.folder[0] = 0;
}
