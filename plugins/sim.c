/* A simulated meter and a simulated EVSE with a car, for tests and the demo. Values come from the configuration and from a file
 * that may lie on top of it (base/scene.h), so that a test or a user moves them while the program runs.
 *
 *   meter  {"i_a":[10,0,-4], "u_v":[230,230,230], "p_w":[..]}   p_w from i and u where it is not given; energies count up from it
 *   evse   {"plugged":true, "max_a":16, "phases":3, "fault":0, "closed":false}   "closed" overrides the contactor, as a welded one does
 *
 * The car draws what it is offered up to max_a as soon as the contactor is closed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/scene.h"
#include "plugins/plugins.h"

#define US_PER_HOUR 3.6e9

struct sim {
	const ag_host *host;
	struct scene scene;
	uint64_t last_us;       /* when energy was counted last; 0: never */
	double import_wh, export_wh;
	double limit_a[3];
};

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	struct scene scene;
	(void)id;
	if (scene_open(&scene, config_json, err, errlen) != 0)
		return ERR_SYNTAX;
	struct sim *s = NEW(struct sim);
	s->host = h;
	s->scene = scene;
	s->import_wh = scene_number(&scene, "import_wh", 0);
	s->export_wh = scene_number(&scene, "export_wh", 0);
	*self = s;
	return 0;
}

static void destroy(void *self)
{
	struct sim *s = self;
	scene_close(&s->scene);
	mem_free(s);
}

static void per_phase(const struct scene *s, const char *key, const double otherwise[3], double out[3])
{
	char path[32];
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s.%d", key, i);
		out[i] = scene_number(s, path, otherwise[i]);
	}
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
	bool works = scene_look(&s->scene);
	per_phase(&s->scene, "i_a", none, out->i_a);
	per_phase(&s->scene, "u_v", volts, out->u_v);
	double p[3] = { out->i_a[0] * out->u_v[0], out->i_a[1] * out->u_v[1], out->i_a[2] * out->u_v[2] };
	per_phase(&s->scene, "p_w", p, out->p_w);
	if (!works)
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
	bool works = scene_look(&s->scene);
	bool offered = s->limit_a[0] > 0 || s->limit_a[1] > 0 || s->limit_a[2] > 0;
	double most = scene_number(&s->scene, "max_a", 16), phases = scene_number(&s->scene, "phases", 3), watts = 0;
	out->plugged = scene_bool(&s->scene, "plugged", true);
	out->closed = scene_bool(&s->scene, "closed", offered && out->plugged);
	out->pilot = !out->plugged ? 'A' : out->closed ? 'C' : 'B';
	out->fault = (uint8_t)scene_number(&s->scene, "fault", AG_FAULT_NONE);
	for (int i = 0; i < 3; i++) {
		out->i_a[i] = out->plugged && out->closed && i < phases ? fmin(s->limit_a[i], most) : 0;
		watts += out->i_a[i] * 230;
	}
	count(s, watts, s->host->now_us(s->host));
	out->energy_wh = s->import_wh;
	return works ? 0 : ERR_REFUSED;
}

static const char *why(void *self)
{
	struct sim *s = self;
	return s->scene.fault;
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
