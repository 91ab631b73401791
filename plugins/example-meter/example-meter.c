/* A meter that is a file: one line with the currents of L1, L2 and L3 in amperes, the power in watts and the energy in watt-hours, as some other
 * program writes it. An example to start a driver from; see ampgate-plugin(3).
 *
 * Easy to get wrong: what was not read is not 0. A file that is missing or half written is a failure with a reason, and so is one that nobody
 * has written for a while, as a reading that stands still would hide an overload. */
#define _POSIX_C_SOURCE 200809L
#include <ampgate/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PATH_ROOM 256
#define OLD_S 10

struct meter {
	char path[PATH_ROOM];
	char fault[PATH_ROOM + 64];
};

/* The text behind "path". A real driver takes a JSON library; one string without escapes needs none. */
static int read_path(const char *json, char *out)
{
	const char *at = strstr(json, "\"path\""), *end;
	at = at ? strchr(at + 6, ':') : NULL;
	at = at ? strchr(at, '"') : NULL;
	end = at ? strchr(at + 1, '"') : NULL;
	if (!end || end == at + 1 || end - at > PATH_ROOM)
		return -1;
	memcpy(out, at + 1, (size_t)(end - at - 1));
	out[end - at - 1] = 0;
	return 0;
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	struct meter *m = calloc(1, sizeof(*m));
	(void)h, (void)id;
	if (!m || read_path(config_json, m->path) != 0) {
		snprintf(err, errlen, "options need {\"path\": \"/a/file\"}");
		free(m);
		return -1;
	}
	*self = m;
	return 0;
}

static void destroy(void *self)
{
	free(self);
}

static int fail(struct meter *m, const char *why)
{
	snprintf(m->fault, sizeof(m->fault), "%s: %s", m->path, why);
	return -1;
}

static int meter_poll(void *self, ag_meter_sample *out)
{
	struct meter *m = self;
	struct stat st;
	m->fault[0] = 0;
	FILE *f = fopen(m->path, "r");
	if (!f)
		return fail(m, strerror(errno));
	int n = fscanf(f, "%lf %lf %lf %lf %lf", &out->i_a[0], &out->i_a[1], &out->i_a[2], &out->power_w, &out->import_wh);
	int known = fstat(fileno(f), &st);
	fclose(f);
	if (n != 5)
		return fail(m, "not five numbers");
	if (known != 0 || time(NULL) - st.st_mtime > OLD_S)
		return fail(m, "not written for 10 s");
	out->valid = AG_I | AG_POWER | AG_IMPORT;
	return 0;
}

static const char *fault(void *self)
{
	return ((struct meter *)self)->fault;
}

const ag_plugin *ampgate_plugin_v1(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_METER,
		.flags = AG_F_THREAD, /* a file may lie on a slow disk */
		.name = "example-meter",
		.version = "1",
		.license = "0BSD",
		.config_schema = "{\"path\": \"file with the reading\"}",
		.create = create,
		.destroy = destroy,
		.meter_poll = meter_poll,
		.fault = fault,
	};
	return &plugin;
}
