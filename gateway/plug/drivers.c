/* One writer per kind of device. */
#include "gateway/plug/drivers.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"

const char *drivers_parity(char letter)
{
	return letter == 'E' ? "even" : letter == 'O' ? "odd" : "none";
}

/* A line without parity has a second stop bit in its place, as the Modbus standard asks; devices that send one are understood all the same. */
static void write_bus(struct json_writer *w, const struct bus_settings *bus)
{
	jw_string(w, "device", bus->device);
	jw_int(w, "baud", bus->baud);
	jw_string(w, "parity", drivers_parity(bus->parity));
	jw_int(w, "stop_bits", bus->parity == 'N' ? 2 : 1);
}

static void write_place(struct json_writer *w, const char *host, int port, int unit, const struct bus_settings *bus)
{
	if (host) {
		jw_string(w, "host", host);
		jw_int(w, "port", port);
	} else if (bus) {
		write_bus(w, bus);
	}
	jw_int(w, "unit", unit);
}

int drivers_try_meter(struct host *h, const char *models, const struct meter_settings *m, host_on_sample *on_sample, void *arg, char *err, size_t errlen)
{
	static const char *const names[] = { "modbus-tcp", "modbus-rtu", "sim", "" };
	const char *driver = m->driver == METER_PLUGIN ? m->plugin : names[m->driver];
	struct buf config = { 0 };
	struct json_writer w;
	jw_open(&w, &config);
	jw_object(&w, NULL);
	jw_string(&w, "driver", driver);
	if (m->driver != METER_SIM && m->driver != METER_PLUGIN) {
		jw_string(&w, "model", m->model);
		jw_string(&w, "models_dir", models ? models : SYSCONF_DIR "/models");
		write_place(&w, m->host, m->port, m->unit, m->bus);
		jw_number(&w, "ct_ratio", m->ct_ratio, 6);
		jw_bool(&w, "invert", m->invert);
	}
	jw_end(&w, '}');
	const char *options = m->options ? m->options : "{}";
	struct host_conf conf = { .id = m->id, .driver = driver, .config = m->driver == METER_PLUGIN ? options : config.p, .poll_us = m->poll_us };
	int handle = host_meter(h, &conf, on_sample, arg, err, errlen);
	buf_free(&config);
	return handle;
}

int drivers_meter(struct host *h, const char *models, const struct meter_settings *m, host_on_sample *on_sample, void *arg)
{
	char why[200] = "";
	int handle = drivers_try_meter(h, models, m, on_sample, arg, why, sizeof(why));
	if (handle < 0)
		log_error(NULL, "meter %s cannot be started: %s", m->id, why);
	return handle;
}

/* The relay plugin reads and writes one board per EVSE. */
static bool same_board(const struct io_point *a, const struct io_point *b)
{
	bool same_host = a->host && b->host ? strcmp(a->host, b->host) == 0 && a->port == b->port : !a->host && !b->host;
	return same_host && a->bus == b->bus && a->unit == b->unit;
}

static void write_input(struct json_writer *w, const char *key, const char *kind, const char *inverted, const struct io_point *p)
{
	if (!p)
		return;
	jw_int(w, key, p->address);
	jw_string(w, kind, "input");
	jw_bool(w, inverted, p->active == 1);
}

static void write_relay(struct json_writer *w, const struct evse_settings *e)
{
	write_place(w, e->contactor->host, e->contactor->port, e->contactor->unit, e->contactor->bus);
	jw_int(w, "coil", e->contactor->address);
	jw_bool(w, "coil_inverted", e->contactor->active == 1);
	write_input(w, "feedback", "feedback_kind", "feedback_inverted", e->feedback);
	write_input(w, "plugged", "plugged_kind", "plugged_inverted", e->plugged);
}

static void write_line(struct json_writer *w, const char *key, const struct io_point *p)
{
	if (!p)
		return;
	jw_object(w, key);
	jw_string(w, "chip", p->chip);
	jw_int(w, "line", p->line);
	jw_bool(w, "active_low", p->active == 1);
	jw_end(w, '}');
}

static void write_gpio(struct json_writer *w, const struct evse_settings *e)
{
	write_line(w, "contactor", e->contactor);
	write_line(w, "feedback", e->feedback);
	write_line(w, "plugged", e->plugged);
	write_line(w, "emergency_stop", e->emergency_stop);
	write_line(w, "residual_current", e->residual_current);
	write_line(w, "mains", e->mains);
	write_line(w, "heartbeat", e->heartbeat);
}

/* What the simulated car can draw is what the EVSE is rated for. */
static void write_sim(struct json_writer *w, const struct evse_settings *e)
{
	jw_bool(w, "pilot", e->pilot);
	jw_number(w, "max_a", e->current_ma / 1000.0, 3);
	jw_int(w, "phases", __builtin_popcount(e->phases));
	if (e->file)
		jw_string(w, "file", e->file);
}

static void write_board(struct json_writer *w, const struct evse_settings *e)
{
	jw_string(w, "device", e->board->device);
	jw_int(w, "baud", e->board->baud);
}

static void write_controller(struct json_writer *w, const char *models, const struct evse_settings *e)
{
	jw_string(w, "model", e->controller->model);
	if (models)
		jw_string(w, "models_dir", models);
	write_place(w, e->controller->host, e->controller->port, e->controller->unit, e->controller->bus);
}

static void write_evse(struct json_writer *w, const char *models, const struct evse_settings *e)
{
	jw_object(w, NULL);
	switch (e->driver) {
	case EVSE_MODBUS_RELAY:
		write_relay(w, e);
		break;
	case EVSE_SIM:
		write_sim(w, e);
		break;
	case EVSE_GPIO_RELAY:
		write_gpio(w, e);
		break;
	case EVSE_PILOT_BOARD:
		write_board(w, e);
		break;
	case EVSE_MODBUS_EVSE:
		write_controller(w, models, e);
		break;
	case EVSE_PLUGIN:
		break; /* its options are as the configuration has them */
	}
	jw_end(w, '}');
}

bool drivers_have_pins(struct host *h, const struct evse_settings *e)
{
	if (e->driver == EVSE_PLUGIN)
		return host_driver_has_pins(h, e->plugin);
	return e->driver == EVSE_SIM || e->driver == EVSE_GPIO_RELAY || e->driver == EVSE_PILOT_BOARD;
}

int drivers_evse(struct host *h, const char *models, const struct evse_settings *e, host_on_state *on_state, host_on_pins *on_pins, void *arg)
{
	static const char *const names[] = { [EVSE_MODBUS_RELAY] = "modbus-relay", [EVSE_SIM] = "sim-outlet", [EVSE_GPIO_RELAY] = "gpio-relay",
		[EVSE_PILOT_BOARD] = "pilot-board", [EVSE_MODBUS_EVSE] = "modbus-evse", [EVSE_PLUGIN] = "" };
	struct buf config = { 0 };
	struct json_writer w;
	char why[200] = "";
	if (e->driver == EVSE_MODBUS_RELAY && ((e->feedback && !same_board(e->contactor, e->feedback)) || (e->plugged && !same_board(e->contactor, e->plugged)))) {
		log_error(NULL, "EVSE %s: contactor, feedback and plugged must be on the same board", e->id);
		return ERR_INVALID;
	}
	jw_open(&w, &config);
	write_evse(&w, models, e);
	struct host_conf conf = { .id = e->id, .driver = names[e->driver], .config = config.p };
	if (e->driver == EVSE_PLUGIN) {
		conf.driver = e->plugin;
		conf.config = e->options ? e->options : "{}";
	}
	int handle = drivers_have_pins(h, e) ? host_outlet(h, &conf, on_pins, arg, why, sizeof(why)) : host_evse(h, &conf, on_state, arg, why, sizeof(why));
	if (handle < 0)
		log_error(NULL, "EVSE %s cannot be started: %s", e->id, why);
	buf_free(&config);
	return handle;
}

int drivers_reader(struct host *h, const struct reader_settings *r, host_on_token *on_token, void *arg)
{
	static const char *const names[] = { [READER_KEYBOARD] = "reader-keyboard", [READER_SERIAL] = "reader-serial", [READER_PLUGIN] = "" };
	const char *name = r->driver == READER_PLUGIN ? r->plugin : r->device;
	struct buf config = { 0 };
	struct json_writer w;
	char why[200] = "";
	jw_open(&w, &config);
	jw_object(&w, NULL);
	jw_string(&w, "device", r->device);
	jw_int(&w, "baud", r->baud);
	jw_end(&w, '}');
	struct host_conf conf = { .id = name, .driver = names[r->driver], .config = config.p };
	if (r->driver == READER_PLUGIN) {
		conf.driver = r->plugin;
		conf.config = r->options ? r->options : "{}";
	}
	int handle = host_reader(h, &conf, on_token, arg, why, sizeof(why));
	if (handle < 0)
		log_error(NULL, "card reader %s cannot be started: %s", name, why);
	buf_free(&config);
	return handle;
}

static void write_no_limit(struct json_writer *w, const struct grid_no_limit *free)
{
	if (free->when == GRID_NO_LIMIT_NUMBER)
		jw_number(w, "no_limit", free->number, 6);
	else if (free->when != GRID_NO_LIMIT_NEVER)
		jw_string(w, "no_limit", free->when == GRID_NO_LIMIT_NAN ? "nan" : "negative");
}

static void write_contacts(struct json_writer *w, const struct grid_input_settings *in)
{
	jw_array(w, "inputs");
	if (in->kind == GRID_CONTACT)
		jw_int(w, NULL, in->input);
	for (int i = 0; in->kind == GRID_RIPPLE && i < 4; i++)
		jw_int(w, NULL, in->level[i]);
	jw_end(w, ']');
}

int drivers_grid(struct host *h, const struct grid_input_settings *in, host_on_grid *on_grid, void *arg, char *err, size_t errlen)
{
	static const char *const types[] = { "u16", "u32", "s32", "f32" };
	struct buf config = { 0 };
	struct json_writer w;
	jw_open(&w, &config);
	jw_object(&w, NULL);
	if (in->chip) {
		jw_string(&w, "chip", in->chip);
		jw_int(&w, "line", in->line);
	} else {
		write_place(&w, in->host, in->port, in->unit, in->bus);
	}
	if (in->kind == GRID_REGISTER) {
		jw_int(&w, "register", in->reg);
		jw_bool(&w, "input_register", in->reg_input != 0);
		jw_string(&w, "type", types[in->reg_type]);
		jw_number(&w, "scale", in->scale, 6);
		write_no_limit(&w, &in->no_limit);
	} else if (!in->chip) {
		write_contacts(&w, in);
	}
	jw_end(&w, '}');
	struct host_conf conf = { .id = in->id, .driver = in->chip ? "gpio-input" : "modbus-input", .config = config.p, .poll_us = in->poll_us };
	if (in->plugin) {
		conf.driver = in->plugin;
		conf.config = in->options ? in->options : "{}";
	}
	int handle = host_grid(h, &conf, on_grid, arg, err, errlen);
	buf_free(&config);
	return handle;
}
