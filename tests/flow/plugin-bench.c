/* A driver for the test of loadable drivers: an outlet, an input of the grid operator and a sink whose sides towards the world are files in a folder.
 *   plugged   there: a car is      ordered   what the program last ordered, in amperes      contact   open or closed; missing: not to be read
 *   ask       a verb to be run with the next message      answer    what became of it */
#define _POSIX_C_SOURCE 200809L
#include <ampgate/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench {
	const ag_host *host;
	char dir[200];
	double limit_a;
	char fault[260];
};

static const char *at(const struct bench *b, const char *name)
{
	static _Thread_local char path[256];
	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	struct bench *b = calloc(1, sizeof(*b));
	(void)id;
	if (!b || sscanf(config_json, "{ \"dir\" : \"%199[^\"]\"", b->dir) != 1) {
		snprintf(err, errlen, "options need {\"dir\": \"/a/folder\"}");
		free(b);
		return -1;
	}
	b->host = h;
	h->sink_state(h, 1, "");
	*self = b;
	return 0;
}

static void destroy(void *self)
{
	free(self);
}

static int evse_set(void *self, int evse, const double limit_a[3])
{
	struct bench *b = self;
	(void)evse;
	b->limit_a = limit_a[0];
	FILE *f = fopen(at(b, "ordered"), "w");
	if (!f)
		return -1;
	fprintf(f, "%.1f\n", limit_a[0]);
	return fclose(f) == 0 ? 0 : -1;
}

static int evse_state(void *self, int evse, ag_evse_state *out)
{
	const struct bench *b = self;
	(void)evse;
	out->plugged = access(at(b, "plugged"), F_OK) == 0;
	out->closed = b->limit_a > 0;
	for (int i = 0; i < 3; i++)
		out->i_a[i] = out->closed && out->plugged ? b->limit_a : 0;
	out->energy_wh = NAN;
	return 0;
}

static int grid_poll(void *self, ag_grid_state *out)
{
	struct bench *b = self;
	char word[16] = "";
	FILE *f = fopen(at(b, "contact"), "r");
	if (f) {
		(void)!fscanf(f, "%15s", word);
		fclose(f);
	}
	if (!*word) {
		snprintf(b->fault, sizeof(b->fault), "%s/contact cannot be read", b->dir);
		return -1;
	}
	b->fault[0] = 0;
	out->known = 1;
	out->closed = strcmp(word, "closed") == 0;
	return 0;
}

static void on_reply(void *arg, const char *json)
{
	FILE *f = fopen(at(arg, "answer"), "w");
	if (!f)
		return;
	fprintf(f, "%s\n", json);
	fclose(f);
}

/* Says at once that it has it. */
static int publish(void *self, const ag_message *m)
{
	struct bench *b = self;
	char verb[32] = "";
	FILE *f = fopen(at(b, "ask"), "r");
	if (m->mark)
		b->host->sink_sent(b->host, m->mark);
	if (!f)
		return 0;
	(void)!fscanf(f, "%31s", verb);
	fclose(f);
	remove(at(b, "ask"));
	b->host->command(b->host, verb, "{}", on_reply, b);
	return 0;
}

static const char *fault(void *self)
{
	return ((struct bench *)self)->fault;
}

const ag_plugin *ampgate_plugin_v1(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_EVSE | AG_GRID | AG_SINK,
		.flags = AG_F_THREAD,
		.name = "bench",
		.version = "1",
		.license = "0BSD",
		.config_schema = "{\"dir\": \"folder\", \"password\": \"of nothing\"}",
		.create = create,
		.destroy = destroy,
		.evse_set = evse_set,
		.evse_state = evse_state,
		.grid_poll = grid_poll,
		.publish = publish,
		.fault = fault,
	};
	return &plugin;
}
