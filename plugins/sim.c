/* A simulated meter and a simulated EVSE with a car, for tests and the demo. Values come from the configuration; where it names a file, a
 * JSON object in that file goes on top of them at each poll, so that a test or a user moves them while the program runs. A file that is
 * missing changes nothing; {"fail":"text"} is a failed read.
 *
 *   meter  {"i_a":[10,0,-4], "u_v":[230,230,230], "p_w":[..]}   p_w from i and u where it is not given; energies count up from it
 *   evse   {"plugged":true, "max_a":16, "phases":3, "fault":0, "closed":false}   "closed" overrides the contactor, as a welded one does
 *
 * The car draws what it is offered up to max_a as soon as the contactor is closed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "plugins/plugins.h"

#define FILE_SIZE 16384
#define US_PER_HOUR 3.6e9

struct sim {
	const ag_host *host;
	cJSON *config;
	char *file;
	char fault[128];
	uint64_t last_us;       /* when energy was counted last; 0: never */
	double import_wh, export_wh;
	double limit_a[3];
};

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)id;
	cJSON *config = json_parse(slice_of(config_json));
	if (!cJSON_IsObject(config)) {
		cJSON_Delete(config);
		snprintf(err, errlen, "the configuration is not a JSON object");
		return ERR_SYNTAX;
	}
	struct sim *s = NEW(struct sim);
	struct slice file = json_text(config, "file");
	s->host = h;
	s->config = config;
	s->file = file.p ? mem_text(file) : NULL;
	s->import_wh = json_number(config, "import_wh", 0);
	s->export_wh = json_number(config, "export_wh", 0);
	*self = s;
	return 0;
}

static void destroy(void *self)
{
	struct sim *s = self;
	cJSON_Delete(s->config);
	mem_free(s->file);
	mem_free(s);
}

/* What the file says now; NULL: nothing. */
static cJSON *read_file(const struct sim *s)
{
	FILE *f = s->file ? fopen(s->file, "re") : NULL;
	if (!f)
		return NULL;
	struct buf text = { 0 };
	text.n = fread(buf_room(&text, FILE_SIZE), 1, FILE_SIZE, f);
	fclose(f);
	cJSON *tree = json_parse(buf_view(&text));
	buf_free(&text);
	return tree;
}

static double setting(const struct sim *s, const cJSON *now, const char *path, double otherwise)
{
	return json_number(now, path, json_number(s->config, path, otherwise));
}

static void per_phase(const struct sim *s, const cJSON *now, const char *key, const double otherwise[3], double out[3])
{
	char path[32];
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s.%d", key, i);
		out[i] = setting(s, now, path, otherwise[i]);
	}
}

static bool told_to_fail(struct sim *s, const cJSON *now)
{
	struct slice why = json_text(now, "fail");
	snprintf(s->fault, sizeof(s->fault), "%.*s", SLICE_ARG(why));
	return why.p != NULL;
}

static void count(struct sim *s, double watts, uint64_t now_us)
{
	double wh = s->last_us ? watts * (double)(now_us - s->last_us) / US_PER_HOUR : 0;
	s->import_wh += wh > 0 ? wh : 0;
	s->export_wh -= wh < 0 ? wh : 0;
	s->last_us = now_us;
}

static int meter_poll(void *self, ag_meter_sample *out)
{
	static const double none[3] = { 0, 0, 0 }, volts[3] = { 230, 230, 230 };
	struct sim *s = self;
	cJSON *now = read_file(s);
	bool fails = told_to_fail(s, now);
	per_phase(s, now, "i_a", none, out->i_a);
	per_phase(s, now, "u_v", volts, out->u_v);
	double p[3] = { out->i_a[0] * out->u_v[0], out->i_a[1] * out->u_v[1], out->i_a[2] * out->u_v[2] };
	per_phase(s, now, "p_w", p, out->p_w);
	cJSON_Delete(now);
	if (fails)
		return ERR_REFUSED;
	out->power_w = out->p_w[0] + out->p_w[1] + out->p_w[2];
	out->mono_us = s->host->now_us(s->host);
	count(s, out->power_w, out->mono_us);
	out->import_wh = s->import_wh;
	out->export_wh = s->export_wh;
	out->valid = AG_I | AG_U | AG_P | AG_POWER | AG_IMPORT | AG_EXPORT;
	return 0;
}

static int evse_set(void *self, int evse, const double limit_a[3])
{
	struct sim *s = self;
	if (evse != 1)
		return ERR_NOT_FOUND;
	memcpy(s->limit_a, limit_a, sizeof(s->limit_a));
	return 0;
}

static int evse_state(void *self, int evse, ag_evse_state *out)
{
	struct sim *s = self;
	if (evse != 1)
		return ERR_NOT_FOUND;
	cJSON *now = read_file(s);
	bool fails = told_to_fail(s, now);
	bool offered = s->limit_a[0] > 0 || s->limit_a[1] > 0 || s->limit_a[2] > 0;
	double most = setting(s, now, "max_a", 16), phases = setting(s, now, "phases", 3), watts = 0;
	out->plugged = json_bool(now, "plugged", json_bool(s->config, "plugged", true));
	out->closed = json_bool(now, "closed", json_bool(s->config, "closed", offered && out->plugged));
	out->pilot = !out->plugged ? 'A' : out->closed ? 'C' : 'B';
	out->fault = (uint8_t)setting(s, now, "fault", AG_FAULT_NONE);
	cJSON_Delete(now);
	for (int i = 0; i < 3; i++) {
		out->i_a[i] = out->plugged && out->closed && i < phases ? fmin(s->limit_a[i], most) : 0;
		watts += out->i_a[i] * 230;
	}
	count(s, watts, s->host->now_us(s->host));
	out->energy_wh = s->import_wh;
	return fails ? ERR_REFUSED : 0;
}

static const char *why(void *self)
{
	struct sim *s = self;
	return s->fault;
}

const ag_plugin *plugin_sim(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_METER | AG_EVSE,
		.name = "sim",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"file\":\"values on top of these\",\"i_a\":\"[0,0,0]\",\"u_v\":\"[230,230,230]\",\"p_w\":\"from i_a and u_v\","
		                 "\"import_wh\":\"0\",\"export_wh\":\"0\",\"plugged\":\"true\",\"max_a\":\"16\",\"phases\":\"3\",\"fault\":\"0\","
		                 "\"closed\":\"as ordered\"}",
		.create = create,
		.destroy = destroy,
		.meter_poll = meter_poll,
		.evse_set = evse_set,
		.evse_state = evse_state,
		.fault = why,
	};
	return &plugin;
}
