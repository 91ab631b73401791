/* A car stands there and asks for energy soon after it is offered any. The configuration says what it is, and a file that may lie
 * on top of it (base/scene.h), so that a test or a user moves the car and breaks things while the program runs:
 *
 *   {"plugged": true, "wants": true, "ventilation": false, "max_a": 16, "phases": 3, "need_wh": 40000, "cable_ohm": 220, "celsius": 25,
 *    "second": true, "broken": ["weld_1", "residual", ...]}         the words are those of rig_fault_text
 *
 * With "second": false its board has one contactor for all phases. Without "wants" the car decides: it asks when offered, until it is full; another need_wh is another car. */
#include "gateway/sim/sim-outlet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/scene.h"
#include "station/car.h"
#include "station/duty.h"
#include "station/rig.h"

#define VOLTS 230.0
#define STEP_MS 10
#define CATCH_UP_MS 2000   /* a program that stood still is not made up for step by step */

struct sim {
	const ag_host *host;
	struct scene scene;
	struct outlet_conf conf;
	uint32_t has;
	struct rig rig;
	struct car car;
	struct outlet_out out;
	struct outlet_in in;
	uint64_t last_us;
	double energy_wh;
};

static uint32_t wiring(bool pilot, bool second)
{
	uint32_t has = AG_PIN_PLUGGED | AG_PIN_CLOSED_1 | AG_PIN_MAINS | AG_PIN_EMERGENCY;
	if (!pilot)
		return has;
	has |= AG_PIN_PILOT | AG_PIN_PROXIMITY | AG_PIN_RESIDUAL | AG_PIN_RESIDUAL_TEST | AG_PIN_LOCK | AG_PIN_FAN | AG_PIN_HEAT | AG_PIN_STATE_E;
	return second ? has | AG_PIN_SECOND | AG_PIN_CLOSED_2 : has;
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	struct scene scene;
	(void)id;
	if (scene_open(&scene, config_json, err, errlen) != 0)
		return ERR_SYNTAX;
	struct sim *s = NEW(struct sim);
	s->host = h;
	s->scene = scene;
	s->has = wiring(json_bool(scene.config, "pilot", false), json_int(scene.config, "phases", 3) == 3);
	s->energy_wh = json_number(scene.config, "energy_wh", 0);
	s->conf.pilot = s->has & AG_PIN_PILOT;
	s->conf.second = s->has & AG_PIN_SECOND;
	rig_open(&s->rig, &s->conf);
	*self = s;
	return 0;
}

static void destroy(void *self)
{
	struct sim *s = self;
	scene_close(&s->scene);
	mem_free(s);
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

/* A board is taken for another one. */
static void set_board(struct sim *s)
{
	bool pilot = json_bool(s->scene.config, "pilot", false), three = json_int(s->scene.config, "phases", 3) == 3;
	s->has = wiring(pilot, three && scene_bool(&s->scene, "second", true));
	s->conf.second = s->rig.second = s->has & AG_PIN_SECOND;
}

static void set_scene(struct sim *s)
{
	const struct scene *sc = &s->scene;
	struct rig *r = &s->rig;
	set_board(s);
	bool plugged = scene_bool(sc, "plugged", true);
	double need = scene_number(sc, "need_wh", 40000);
	struct car_conf car = { .phases = (int)scene_number(sc, "phases", 3), .max_ma = (int32_t)(scene_number(sc, "max_a", 16) * 1000), .min_ma = DUTY_LEAST_MA,
		.need_wh = need, .delay_us = US_PER_S, .reaction_us = US_PER_S, .ramp_ma_per_s = 10000, .volts = VOLTS };
	if (!s->conf.pilot)
		car = (struct car_conf){ .phases = car.phases, .max_ma = car.max_ma, .need_wh = INFINITY, .volts = VOLTS };
	if ((plugged && !r->plugged) || need != s->car.conf.need_wh)
		car_plug(&s->car, &car);
	s->car.conf = car;
	r->plugged = plugged;
	r->ventilation = json_bool(sc->now, "ventilation", false);
	r->car_phases = (uint8_t)car.phases;
	r->cable_ohm = (int32_t)scene_number(sc, "cable_ohm", 220);
	r->temperature_dc = (int32_t)(scene_number(sc, "celsius", 25) * 10);
	r->broken = broken(sc->now);
}

static void elapse(struct sim *s, int32_t ms)
{
	struct rig *r = &s->rig;
	for (; ms > 0; ms -= STEP_MS) {
		car_elapse(&s->car, s->conf.pilot ? r->offered_ma : s->car.conf.max_ma, r->contact[0], STEP_MS * US_PER_MS);
		r->wants = r->plugged && json_bool(s->scene.now, "wants", s->conf.pilot ? s->car.wants : true);
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
	bool works = scene_look(&s->scene);
	uint64_t at = s->host->now_us(s->host), passed = s->last_us ? (at - s->last_us) / US_PER_MS : STEP_MS;
	int32_t ms = passed < CATCH_UP_MS ? (int32_t)passed / STEP_MS * STEP_MS : CATCH_UP_MS;
	set_scene(s);
	elapse(s, ms);
	/* What is less than a step is left for the next look. */
	s->last_us = passed < CATCH_UP_MS && s->last_us ? s->last_us + (uint64_t)ms * US_PER_MS : at;
	if (works && !s->in.known)
		snprintf(s->scene.fault, sizeof(s->scene.fault), "the board is silent");
	if (!works || !s->in.known)
		return ERR_TIMEOUT;
	give(s, out);
	return 0;
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
	return s->scene.fault;
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
