/* A charge controller behind Modbus that knows charging by itself: it drives the pilot, closes the contactor and keeps the times of
 * IEC 61851-1; we permit, limit and read its state, by a register map (evse-map.h). The order is written again each second, which is the
 * keep-alive where the controller has a watchdog; setup and watchdog times are the map's.
 *
 * Lowering and raising differ in order: the limit is in place before the permission, and the permission goes before the limit. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "plugins/evse-map.h"
#include "plugins/modbus-bus.h"
#include "plugins/plugins.h"

struct controller {
	struct bus *bus;
	struct bus_peer peer;
	struct evse_map map;
	bool set_up, on;
};

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)h, (void)id;
	cJSON *config = json_parse(slice_of(config_json));
	struct controller *c = NEW(struct controller);
	char *model = mem_text(json_text(config, "model")), *dir = mem_text(json_text(config, "models_dir"));
	int rc = evse_map_find(model, dir[0] ? dir : NULL, &c->map, err, errlen);
	mem_free(model);
	mem_free(dir);
	if (rc == 0) {
		rc = bus_open(config, &c->bus, &c->peer, err, errlen);
		if (rc != 0)
			evse_map_free(&c->map);
	}
	cJSON_Delete(config);
	c->peer.pause_us = c->map.pause_ms * US_PER_MS;
	if (rc != 0)
		mem_free(c);
	else
		*self = c;
	return rc;
}

static void destroy(void *self)
{
	struct controller *c = self;
	bus_close(&c->bus);
	evse_map_free(&c->map);
	mem_free(c);
}

static int write_value(struct controller *c, int function, int at, int value)
{
	uint16_t word = (uint16_t)value;
	if (function == 5)
		return bus_write_coil(c->bus, &c->peer, (uint16_t)at, value != 0);
	return function == 6 ? bus_write_register(c->bus, &c->peer, (uint16_t)at, word) : bus_write_registers(c->bus, &c->peer, (uint16_t)at, &word, 1);
}

static int write_current(struct controller *c, double amps)
{
	const struct evse_map_current *m = &c->map.current;
	if (m->type == 0) {
		double steps = floor(amps * m->per_amp + 1e-6);
		return write_value(c, m->function, m->at, steps > 65535 ? 65535 : (int)steps);
	}
	float f = (float)(amps * m->per_amp);
	uint32_t bits;
	memcpy(&bits, &f, sizeof(bits));
	const uint16_t words[2] = { (uint16_t)(bits >> 16), (uint16_t)bits };
	return bus_write_registers(c->bus, &c->peer, (uint16_t)m->at, words, 2);
}

static int set_up(struct controller *c)
{
	int rc = 0;
	for (size_t i = 0; i < c->map.n_setup && !c->set_up && rc == 0; i++)
		rc = write_value(c, c->map.setup[i].function, c->map.setup[i].at, c->map.setup[i].value);
	c->set_up = rc == 0;
	return rc;
}

static int permit(struct controller *c, bool on)
{
	const struct evse_map_switch *m = c->map.enable;
	return m ? write_value(c, m->function, m->at, on ? m->on : m->off) : 0;
}

static int evse_set(void *self, int evse, const double limit_a[3])
{
	struct controller *c = self;
	double amps = fmax(limit_a[0], fmax(limit_a[1], limit_a[2]));
	bool on = amps > 0;
	if (evse != 1)
		return ERR_NOT_FOUND;
	int rc = set_up(c);
	if (rc == 0 && !on)
		rc = permit(c, false);
	if (rc == 0 && (on || !c->map.enable))
		rc = write_current(c, amps);
	if (rc == 0 && on)
		rc = permit(c, true);
	if (rc == 0 && c->map.heartbeat)
		rc = write_value(c, c->map.heartbeat->function, c->map.heartbeat->at, c->map.heartbeat->value);
	c->on = on;
	if (rc == ERR_CLOSED || rc == ERR_TIMEOUT)
		c->set_up = false; /* it may have been without power */
	return rc;
}

static int evse_state(void *self, int evse, ag_evse_state *out)
{
	struct controller *c = self;
	uint16_t value;
	if (evse != 1)
		return ERR_NOT_FOUND;
	int rc = bus_read(c->bus, &c->peer, c->map.state.function, (uint16_t)c->map.state.at, 1, &value);
	if (rc != 0)
		return rc;
	char letter = evse_map_letter(&c->map, value);
	if (!letter) {
		snprintf(c->peer.fault, sizeof(c->peer.fault), "%s: its state register has the value %u, which the map does not know", c->map.model, value);
		return ERR_PROTOCOL;
	}
	bool asks = letter == 'C' || letter == 'D';
	*out = (ag_evse_state){ .pilot = letter, .plugged = letter >= 'B' && letter <= 'D', .closed = asks && c->on, .i_a = { NAN, NAN, NAN }, .energy_wh = NAN };
	return 0;
}

static const char *why(void *self)
{
	struct controller *c = self;
	return c->peer.fault;
}

static const char *bus(void *self)
{
	struct controller *c = self;
	return bus_name(c->bus);
}

const ag_plugin *plugin_modbus_evse(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_EVSE,
		.flags = AG_F_THREAD,
		.name = "modbus-evse",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"model\":\"a controller\",\"models_dir\":\"more controllers\",\"host\":\"name or address\",\"port\":\"502\","
		                 "\"device\":\"serial device\",\"baud\":\"9600\",\"parity\":\"none, even or odd\",\"stop_bits\":\"1\",\"unit\":\"1\","
		                 "\"timeout_ms\":\"500\"}",
		.create = create,
		.destroy = destroy,
		.evse_set = evse_set,
		.evse_state = evse_state,
		.fault = why,
		.bus = bus,
	};
	return &plugin;
}
