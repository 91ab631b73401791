/* decisions.jsonl grows to half of the size allowed, then takes the place of decisions.1.jsonl. Each of them begins with all that is known, so
 * each can be replayed alone.
 *
 * The ledger is on the same disk and matters more. So where little is free there is no decision log, and what there was of it goes.
 *
 * Lines are gathered by stdio and handed to the system once per cycle: what the last second of a power cut decided is lost, and that is worth
 * not writing thirty times a second. */
#include "gateway/power/decisions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "energy/record.h"

static struct {
	struct gateway *gw;
	FILE *file;
	char *path, *before;
	int64_t size, most;   /* of one file */
} state;

#define FREE_LEAST INT64_C(33554432)

static void give_up(const char *what, const char *why)
{
	log_warn(NULL, "decisions are not logged any more: %s: %s", what, why);
	control_record(state.gw->control, NULL, NULL);
	if (state.file)
		fclose(state.file);
	state.file = NULL;
}

static bool is_room(void)
{
	struct statvfs v;
	return fstatvfs(fileno(state.file), &v) != 0 || (int64_t)v.f_bavail * (int64_t)v.f_frsize >= FREE_LEAST;
}

static void make_room(void)
{
	give_up(state.path, "the disk is nearly full");
	unlink(state.path);
	unlink(state.before);
}

static void on_line(void *arg, const char *line, size_t n)
{
	(void)arg;
	if (!state.file)
		return;
	state.size += (int64_t)n;
	if (fwrite(line, 1, n, state.file) != n)
		state.size = state.most; /* the cycle sees to it */
}

static void begin(void)
{
	int fd = open(state.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	state.size = 0;
	state.file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!state.file) {
		give_up(state.path, strerror(errno));
		return;
	}
	if (!is_room())
		make_room();
	else
		control_record(state.gw->control, on_line, NULL);
}

static void give_way(void)
{
	fclose(state.file);
	state.file = NULL;
	if (rename(state.path, state.before) != 0 && errno != ENOENT)
		give_up(state.before, strerror(errno));
	else
		begin();
}

void decisions_open(struct gateway *g)
{
	if (!g->conf->balancing.decision_log_bytes || !g->state_dir)
		return;
	state.gw = g;
	state.most = g->conf->balancing.decision_log_bytes / 2;
	if (asprintf(&state.path, "%s/decisions.jsonl", g->state_dir) < 0 || asprintf(&state.before, "%s/decisions.1.jsonl", g->state_dir) < 0)
		return;
	if (rename(state.path, state.before) != 0 && errno != ENOENT)
		log_warn(NULL, "%s: %s", state.before, strerror(errno));
	begin();
}

void decisions_cycle(void)
{
	if (!state.file)
		return;
	if (fflush(state.file) != 0 || ferror(state.file))
		give_up(state.path, strerror(errno));
	else if (!is_room())
		make_room();
	else if (state.size >= state.most)
		give_way();
}

void decisions_close(void)
{
	if (state.gw)
		control_record(state.gw->control, NULL, NULL);
	if (state.file)
		fclose(state.file);
	free(state.path);
	free(state.before);
	memset(&state, 0, sizeof(state));
}
