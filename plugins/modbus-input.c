/* Inputs of the grid operator on a Modbus device: contacts as discrete inputs, or one register with a limit.
 *
 *   {"host": "192.168.50.20", "unit": 1, "inputs": [3, -1, 5]}                        -1: not wired
 *   {"host": "192.168.50.21", "unit": 1, "register": 40, "input_register": false, "type": "f32", "scale": 1000, "no_limit": "nan"}
 *
 * Contacts are read one by one: they need not stand side by side, and a device that knows one of them must not hide it because it does not
 * know another. If one cannot be read, the whole turn fails: half of a ripple receiver's word is no word. What a register holds is judged by
 * grid-register.c. */
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "plugins/grid-register.h"
#include "plugins/modbus-bus.h"
#include "plugins/plugins.h"

#define CONTACTS 8

struct input {
	struct bus *bus;
	struct bus_peer peer;
	int contacts[CONTACTS]; /* addresses; -1: not wired */
	int n_contacts;
	int reg;                /* -1: none */
	int function;           /* 3 holding, 4 input register */
	struct grid_register form;
};

static int read_contacts(struct input *in, const cJSON *list, char *err, size_t errlen)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, list) {
		if (in->n_contacts == CONTACTS || !cJSON_IsNumber(item) || item->valueint < -1 || item->valueint > 0xFFFF) {
			snprintf(err, errlen, "inputs are up to %d addresses from 0, or -1", CONTACTS);
			return ERR_INVALID;
		}
		in->contacts[in->n_contacts++] = item->valueint;
	}
	return 0;
}

static int configure(struct input *in, const cJSON *config, char *err, size_t errlen)
{
	int64_t reg = json_int(config, "register", -1);
	in->reg = (int)reg;
	in->function = json_bool(config, "input_register", false) ? 4 : 3;
	int rc = read_contacts(in, json_at(config, "inputs"), err, errlen);
	if (rc == 0)
		rc = grid_register_configure(&in->form, config, err, errlen);
	if (rc == 0 && !in->n_contacts && (reg < 0 || reg > 0xFFFF)) {
		snprintf(err, errlen, "'inputs' or 'register' is missing");
		rc = ERR_INVALID;
	}
	return rc ? rc : bus_open(config, &in->bus, &in->peer, err, errlen);
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)h;
	(void)id;
	cJSON *config = json_parse(slice_of(config_json));
	struct input *in = NEW(struct input);
	int rc = configure(in, config, err, errlen);
	cJSON_Delete(config);
	if (rc != 0)
		mem_free(in);
	else
		*self = in;
	return rc;
}

static void destroy(void *self)
{
	struct input *in = self;
	bus_close(&in->bus);
	mem_free(in);
}

static int poll_contacts(struct input *in, ag_grid_state *out)
{
	for (int i = 0; i < in->n_contacts; i++) {
		int on, rc;
		if (in->contacts[i] < 0)
			continue;
		if ((rc = bus_read_bit(in->bus, &in->peer, 2, (uint16_t)in->contacts[i], &on)) != 0)
			return rc;
		out->known |= 1u << i;
		out->closed |= on ? 1u << i : 0;
	}
	return 0;
}

static int grid_poll(void *self, ag_grid_state *out)
{
	struct input *in = self;
	uint16_t regs[2] = { 0 };
	*out = (ag_grid_state){ .value = NAN };
	if (in->n_contacts)
		return poll_contacts(in, out);
	int rc = bus_read(in->bus, &in->peer, in->function, (uint16_t)in->reg, (uint16_t)grid_register_words(&in->form), regs);
	return rc ? rc : grid_register_read(&in->form, regs, &out->value, in->peer.fault, sizeof(in->peer.fault));
}

static const char *why(void *self)
{
	struct input *in = self;
	return in->peer.fault;
}

static const char *bus(void *self)
{
	struct input *in = self;
	return bus_name(in->bus);
}

const ag_plugin *plugin_modbus_input(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_GRID,
		.flags = AG_F_THREAD,
		.name = "modbus-input",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"host\":\"name or address\",\"port\":\"502\",\"device\":\"serial device\",\"baud\":\"9600\","
		                 "\"parity\":\"none, even or odd\",\"stop_bits\":\"1\",\"unit\":\"1\",\"timeout_ms\":\"500\","
		                 "\"inputs\":\"list of addresses\",\"register\":\"address\",\"input_register\":\"false\","
		                 "\"type\":\"u16, u32, s32 or f32\",\"scale\":\"watts per unit\","
		                 "\"no_limit\":\"nan, negative or a number\"}",
		.create = create,
		.destroy = destroy,
		.grid_poll = grid_poll,
		.fault = why,
		.bus = bus,
	};
	return &plugin;
}
