/* A car stands there and asks for energy soon after it is offered any. The configuration says what it is; where it names a file, a JSON object
 * in that file goes on top at each look, so that a test or a user moves the car and breaks things while the program runs:
 *
 *   {"plugged": true, "wants": true, "ventilation": false, "max_a": 16, "phases": 3, "need_wh": 40000, "cable_ohm": 220, "celsius": 25,
 *    "broken": ["weld_1", "residual", ...]}                         the words are those of rig_fault_text
 *
 * Without "wants" the car decides: it asks when offered, until it is full; another need_wh is another car. */
#include "gateway/sim/sim-outlet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "station/car.h"
#include "station/duty.h"
#include "station/rig.h"

#define FILE_SIZE 16384
#define VOLTS 230.0
#define STEP_MS 10
#define CATCH_UP_MS 2000   /* a program that stood still is not made up for step by step */

struct sim {
	const ag_host *host;
	cJSON *config;
	char *file;
	char fault[128];
	struct outlet_conf conf;
	uint32_t has;
	struct rig rig;
	struct car car;
	struct outlet_out out;
	struct outlet_in in;
	uint64_t last_us;
	double energy_wh;
};

static uint32_t wiring(bool pilot, int phases)
{
	uint32_t has = AG_PIN_PLUGGED | AG_PIN_CLOSED_1 | AG_PIN_MAINS | AG_PIN_EMERGENCY;
	if (!pilot)
		return has;
	has |= AG_PIN_PILOT | AG_PIN_PROXIMITY | AG_PIN_RESIDUAL | AG_PIN_RESIDUAL_TEST | AG_PIN_LOCK | AG_PIN_FAN | AG_PIN_HEAT | AG_PIN_STATE_E;
	return phases == 3 ? has | AG_PIN_SECOND | AG_PIN_CLOSED_2 : has;
}

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
	int phases = (int)json_int(config, "phases", 3);
	s->host = h;
	s->config = config;
	s->file = file.p ? mem_text(file) : NULL;
	s->has = wiring(json_bool(config, "pilot", false), phases);
	s->energy_wh = json_number(config, "energy_wh", 0);
	s->conf.pilot = s->has & AG_PIN_PILOT;
	s->conf.second = s->has & AG_PIN_SECOND;
	rig_open(&s->rig, &s->conf);
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

static double setting(const struct sim *s, const cJSON *now, const char *key, double otherwise)
{
	return json_number(now, key, json_number(s->config, key, otherwise));
}

static uint32_t broken(const cJSON *now)
{
	const cJSON *list = json_at(now, "broken"), *word;
	uint32_t bits = 0;
	cJSON_ArrayForEach(word, list) {
		for (int f = 0; f < RIG_FAULTS_MOST; f++) {
			if (cJSON_IsString(word) && strcmp(word->valuestring, rig_fault_text(1u << f)) == 0)
				bits |= 1u << f;
		}
	}
	return bits;
}

static void set_scene(struct sim *s, const cJSON *now)
{
	struct rig *r = &s->rig;
	bool plugged = json_bool(now, "plugged", json_bool(s->config, "plugged", true));
	double need = setting(s, now, "need_wh", 40000);
	struct car_conf car = { .phases = (int)setting(s, now, "phases", 3), .max_ma = (int32_t)(setting(s, now, "max_a", 16) * 1000), .min_ma = DUTY_LEAST_MA,
		.need_wh = need, .delay_us = US_PER_S, .reaction_us = US_PER_S, .ramp_ma_per_s = 10000, .volts = VOLTS };
	if (!s->conf.pilot)
		car = (struct car_conf){ .phases = car.phases, .max_ma = car.max_ma, .need_wh = INFINITY, .volts = VOLTS };
	if ((plugged && !r->plugged) || need != s->car.conf.need_wh)
		car_plug(&s->car, &car);
	s->car.conf = car;
	r->plugged = plugged;
	r->ventilation = json_bool(now, "ventilation", false);
	r->car_phases = (uint8_t)car.phases;
	r->cable_ohm = (int32_t)setting(s, now, "cable_ohm", 220);
	r->temperature_dc = (int32_t)(setting(s, now, "celsius", 25) * 10);
	r->broken = broken(now);
}

static void elapse(struct sim *s, const cJSON *now, int32_t ms)
{
	struct rig *r = &s->rig;
	for (; ms > 0; ms -= STEP_MS) {
		car_elapse(&s->car, s->conf.pilot ? r->offered_ma : s->car.conf.max_ma, r->contact[0], STEP_MS * US_PER_MS);
		r->wants = r->plugged && json_bool(now, "wants", s->conf.pilot ? s->car.wants : true);
		r->car_ma = (int32_t)s->car.ma;
		rig_step(r, &s->out, STEP_MS, &s->in);
		for (int i = 0; i < 3; i++)
			s->energy_wh += r->i_ma[i] / 1000.0 * VOLTS * STEP_MS / 3600e3;
	}
}

static void give(const struct sim *s, ag_pins *out)
{
	const struct outlet_in *in = &s->in;
	*out = (ag_pins){ .has = s->has, .high_v = in->high_mv / 1000.0, .low_v = in->low_mv / 1000.0,
		.duty = in->duty == OUTLET_UNKNOWN ? NAN : in->duty / 10000.0, .proximity_ohm = in->proximity_ohm == INT32_MAX ? INFINITY : in->proximity_ohm,
		.celsius = in->temperature_dc / 10.0, .energy_wh = s->energy_wh };
	out->on = (in->plugged ? AG_PIN_PLUGGED : 0) | (in->closed[0] ? AG_PIN_CLOSED_1 : 0) | (in->closed[1] ? AG_PIN_CLOSED_2 : 0) |
		(in->residual ? AG_PIN_RESIDUAL : 0) | (in->mains ? AG_PIN_MAINS : 0) | (in->emergency ? AG_PIN_EMERGENCY : 0) |
		(in->locked ? AG_PIN_LOCK : 0) | (in->fan_runs ? AG_PIN_FAN : 0);
	for (int i = 0; i < 3; i++) {
		out->i_a[i] = in->i_ma[i] / 1000.0;
		out->u_v[i] = in->mains ? VOLTS : 0;
	}
}

static int evse_pins(void *self, int evse, ag_pins *out)
{
	struct sim *s = self;
	if (evse != 1)
		return ERR_NOT_FOUND;
	cJSON *now = read_file(s);
	uint64_t at = s->host->now_us(s->host), passed = s->last_us ? (at - s->last_us) / US_PER_MS : STEP_MS;
	int32_t ms = passed < CATCH_UP_MS ? (int32_t)passed / STEP_MS * STEP_MS : CATCH_UP_MS;
	set_scene(s, now);
	elapse(s, now, ms);
	/* What is less than a step is left for the next look. */
	s->last_us = passed < CATCH_UP_MS && s->last_us ? s->last_us + (uint64_t)ms * US_PER_MS : at;
	struct slice why = json_text(now, "fail");
	snprintf(s->fault, sizeof(s->fault), "%.*s", SLICE_ARG(why));
	bool fails = why.p || !s->in.known;
	if (!s->in.known && !why.p)
		snprintf(s->fault, sizeof(s->fault), "the board is silent");
	cJSON_Delete(now);
	if (!fails)
		give(s, out);
	return fails ? ERR_TIMEOUT : 0;
}

static int evse_drive(void *self, int evse, const ag_drive *d)
{
	static const uint8_t pilots[] = { [AG_PILOT_STEADY] = PILOT_STEADY, [AG_PILOT_PWM] = PILOT_PWM, [AG_PILOT_OFF] = PILOT_OFF,
		[AG_PILOT_NEGATIVE] = PILOT_NEGATIVE };
	struct sim *s = self;
	if (evse != 1 || d->pilot > AG_PILOT_NEGATIVE)
		return ERR_NOT_FOUND;
	s->out = (struct outlet_out){ .pilot = pilots[d->pilot], .duty = d->pilot == AG_PILOT_PWM ? (uint16_t)lround(d->duty * 10000) : DUTY_STEADY,
		.close = { d->close_1, d->close_2 }, .lock = d->lock, .fan = d->fan, .residual_test = d->residual_test };
	return 0;
}

static const char *why(void *self)
{
	struct sim *s = self;
	return s->fault;
}

const ag_plugin *plugin_sim_outlet(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_EVSE,
		.name = "sim-outlet",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"file\":\"values on top of these\",\"pilot\":\"false\",\"plugged\":\"true\",\"max_a\":\"16\",\"phases\":\"3\","
		                 "\"need_wh\":\"40000\",\"cable_ohm\":\"220\",\"celsius\":\"25\",\"energy_wh\":\"0\"}",
		.create = create,
		.destroy = destroy,
		.fault = why,
		.evse_pins = evse_pins,
		.evse_drive = evse_drive,
	};
	return &plugin;
}
