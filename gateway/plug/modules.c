/* What a file has to be before it is trusted with the process. Easy to get wrong: the table of an older plugin ends earlier than ours, so
 * only its first members may be asked for without looking at `size`. */
#include "gateway/plug/modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/conf/settings.h"
#include "gateway/plug/host.h"

/* The members that the first release had. */
#define LEAST_SIZE offsetof(ag_plugin, evse_pins)

static int is_trusted(const char *path, char *err, size_t errlen)
{
	struct stat st;
	if (stat(path, &st) != 0)
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		snprintf(err, errlen, "%s is not a file", path);
	else if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		snprintf(err, errlen, "%s can be written by others: chown root and chmod go-w", path);
	else
		return 0;
	return ERR_INVALID;
}

/* The functions of its kinds, without which they would be called at address 0. */
static bool is_complete(const ag_plugin *p)
{
	bool pins = PLUGIN_HAS(p, evse_pins) && PLUGIN_HAS(p, evse_drive);
	return (!(p->kinds & AG_METER) || p->meter_poll) && (!(p->kinds & AG_SINK) || p->publish) &&
		(!(p->kinds & AG_EVSE) || pins || (p->evse_set && p->evse_state)) && (!(p->kinds & AG_GRID) || PLUGIN_HAS(p, grid_poll)) &&
		(!(p->kinds & AG_AUTH) || PLUGIN_HAS(p, auth_poll));
}

static int check_table(const char *path, const ag_plugin *p, char *err, size_t errlen)
{
	if (!p)
		snprintf(err, errlen, "%s: ampgate_plugin_v1 gave no table", path);
	else if (p->abi != AMPGATE_PLUGIN_ABI)
		snprintf(err, errlen, "%s is for ABI %u, and this program has %d", path, p->abi, AMPGATE_PLUGIN_ABI);
	else if (p->size < LEAST_SIZE)
		snprintf(err, errlen, "%s: its table is %u bytes, less than the first release had", path, p->size);
	else if (!p->name || !p->create || !p->destroy)
		snprintf(err, errlen, "%s: name, create or destroy is missing", path);
	else if (!is_complete(p))
		snprintf(err, errlen, "%s: the function of one of its kinds is missing", path);
	else
		return 0;
	return ERR_INVALID;
}

const ag_plugin *module_open(const char *path, char *err, size_t errlen)
{
	const ag_plugin *(*entry)(void) = NULL;
	if (is_trusted(path, err, errlen) != 0)
		return NULL;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle) {
		snprintf(err, errlen, "%s", dlerror());
		return NULL;
	}
	*(void **)&entry = dlsym(handle, "ampgate_plugin_v1");
	const ag_plugin *p = entry ? entry() : NULL;
	if (!entry)
		snprintf(err, errlen, "%s has no ampgate_plugin_v1", path);
	else if (check_table(path, p, err, errlen) == 0)
		return p;
	dlclose(handle);
	return NULL;
}

const ag_plugin *module_find(const char *dir, const char *name, char *err, size_t errlen)
{
	char path[512];
	if ((size_t)snprintf(path, sizeof(path), "%s/%s.so", dir, name) >= sizeof(path)) {
		snprintf(err, errlen, "the path of plugin %s is too long", name);
		return NULL;
	}
	return module_open(path, err, errlen);
}

/* ---- a trial ---- */

static void no_log(const ag_host *h, int level, const char *text)
{
	(void)h, (void)level, (void)text;
}

static void no_post(const ag_host *h, void (*fn)(void *arg), void *arg)
{
	(void)h, (void)fn, (void)arg;
}

static uint64_t trial_now(const ag_host *h)
{
	(void)h;
	return (uint64_t)clock_mono_us();
}

static void no_command(const ag_host *h, const char *verb, const char *json, void (*reply)(void *arg, const char *answer), void *arg)
{
	(void)h, (void)verb, (void)json;
	reply(arg, "{\"ok\":false,\"error\":{\"code\":\"unavailable\",\"detail\":\"this is a trial\"}}");
}

static void no_state(const ag_host *h, int up, const char *why)
{
	(void)h, (void)up, (void)why;
}

static void no_sent(const ag_host *h, uint64_t mark)
{
	(void)h, (void)mark;
}

int module_try(const ag_plugin *p, const char *id, const char *config, char *err, size_t errlen)
{
	static const ag_host nobody = { sizeof(nobody), NULL, no_log, no_post, trial_now, no_command, no_state, no_sent };
	void *self = NULL;
	err[0] = 0;
	if (p->create(&nobody, id, config, &self, err, errlen) == 0) {
		p->destroy(self);
		return 0;
	}
	if (!err[0])
		snprintf(err, errlen, "it does not say why");
	return ERR_INVALID;
}

int modules_load(const struct plugins_settings *conf, struct host *h)
{
	for (const char *const *name = conf->load; name && *name; name++) {
		char why[300] = "";
		const ag_plugin *p = module_find(conf->dir, *name, why, sizeof(why));
		if (!p) {
			log_error(NULL, "plugin %s cannot be loaded: %s", *name, why);
			return ERR_INVALID;
		}
		host_driver(h, *name, p);
		log_info(NULL, "plugin %s is loaded: %s %s", *name, p->name, p->version ? p->version : "without a version");
	}
	return 0;
}
