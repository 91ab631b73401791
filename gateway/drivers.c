/* One writer per kind of device. */
#include "gateway/drivers.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"

static void write_bus(struct json_writer *w, const struct bus_settings *bus)
{
	char parity[2] = { bus->parity, 0 };
	jw_string(w, "device", bus->device);
	jw_int(w, "baud", bus->baud);
	jw_string(w, "parity", parity);
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

int drivers_meter(struct host *h, const char *models, const struct meter_settings *m, host_on_sample *on_sample, void *arg)
{
	static const char *const names[] = { "modbus-tcp", "modbus-rtu", "sim" };
	struct buf config = { 0 };
	struct json_writer w;
	char why[200] = "";
	jw_open(&w, &config);
	jw_object(&w, NULL);
	jw_string(&w, "driver", names[m->driver]);
	if (m->driver != METER_SIM) {
		jw_string(&w, "model", m->model);
		jw_string(&w, "models_dir", models ? models : SYSCONF_DIR "/models");
		write_place(&w, m->host, m->port, m->unit, m->bus);
		jw_number(&w, "ct_ratio", m->ct_ratio, 6);
		jw_bool(&w, "invert", m->invert);
	}
	jw_end(&w, '}');
	struct host_conf conf = { .id = m->id, .driver = names[m->driver], .config = config.p, .poll_us = m->poll_us };
	int handle = host_meter(h, &conf, on_sample, arg, why, sizeof(why));
	if (handle < 0)
		log_error(NULL, "meter %s cannot be started: %s", m->id, why);
	buf_free(&config);
	return handle;
}

/* The relay plugin reads and writes one board per EVSE. */
static bool same_board(const struct modbus_point *a, const struct modbus_point *b)
{
	bool same_host = a->host && b->host ? strcmp(a->host, b->host) == 0 && a->port == b->port : !a->host && !b->host;
	return same_host && a->bus == b->bus && a->unit == b->unit;
}

static void write_relay(struct json_writer *w, const struct evse_settings *e)
{
	write_place(w, e->contactor->host, e->contactor->port, e->contactor->unit, e->contactor->bus);
	jw_int(w, "coil", e->contactor->address);
	if (e->feedback) {
		jw_int(w, "feedback", e->feedback->address);
		jw_string(w, "feedback_kind", "input");
	}
}

/* What the simulated car can draw is what the EVSE is rated for. */
static void write_sim(struct json_writer *w, const struct evse_settings *e)
{
	jw_number(w, "max_a", e->current_ma / 1000.0, 3);
	jw_int(w, "phases", __builtin_popcount(e->phases));
}

int drivers_evse(struct host *h, const struct evse_settings *e, host_on_state *on_state, void *arg)
{
	static const char *const names[] = { "modbus-relay", "sim" };
	struct buf config = { 0 };
	struct json_writer w;
	char why[200] = "";
	if (e->contactor && e->feedback && !same_board(e->contactor, e->feedback)) {
		log_error(NULL, "EVSE %s: contactor and feedback must be on the same board", e->id);
		return ERR_INVALID;
	}
	jw_open(&w, &config);
	jw_object(&w, NULL);
	if (e->driver == EVSE_MODBUS_RELAY)
		write_relay(&w, e);
	else
		write_sim(&w, e);
	jw_end(&w, '}');
	struct host_conf conf = { .id = e->id, .driver = names[e->driver], .config = config.p };
	int handle = host_evse(h, &conf, on_state, arg, why, sizeof(why));
	if (handle < 0)
		log_error(NULL, "EVSE %s cannot be started: %s", e->id, why);
	buf_free(&config);
	return handle;
}
