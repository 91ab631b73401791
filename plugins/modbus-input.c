/* Inputs of the grid operator on a Modbus device: contacts as discrete inputs, or one register with a limit.
 *
 *   {"host": "192.168.50.20", "unit": 1, "inputs": [3, -1, 5]}                        -1: not wired
 *   {"host": "192.168.50.21", "unit": 1, "register": 40, "input_register": false, "type": "f32", "scale": 1000}
 *
 * Contacts are read one by one: they need not stand side by side, and a device that knows one of them must not hide it because it does not
 * know another. If one cannot be read, the whole turn fails: half of a ripple receiver's word is no word. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
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
	char type;              /* 's' u16, 'u' u32, 'i' s32, 'f' f32 */
	double scale;
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
	static const struct {
		const char *name;
		char type;
	} types[] = { { "u16", 's' }, { "u32", 'u' }, { "s32", 'i' }, { "f32", 'f' } };
	struct slice type = json_text(config, "type");
	int64_t reg = json_int(config, "register", -1);
	in->reg = (int)reg;
	in->function = json_bool(config, "input_register", false) ? 4 : 3;
	in->scale = json_number(config, "scale", 1);
	in->type = 'u';
	for (size_t i = 0; type.p && i < sizeof(types) / sizeof(types[0]); i++)
		if (slice_is(type, types[i].name))
			in->type = types[i].type;
	int rc = read_contacts(in, json_at(config, "inputs"), err, errlen);
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

/* NaN: the register says that there is no limit. */
static double value_of(const struct input *in, const uint16_t *regs)
{
	uint32_t both = (uint32_t)regs[0] << 16 | regs[1];
	int32_t whole;
	float f;
	if (in->type == 's')
		return regs[0] == 0xFFFF ? NAN : regs[0];
	if (in->type == 'u')
		return both == 0xFFFFFFFF ? NAN : both;
	if (in->type == 'i') {
		memcpy(&whole, &both, sizeof(whole));
		return whole < 0 ? NAN : whole;
	}
	memcpy(&f, &both, sizeof(f));
	return isfinite(f) && f >= 0 ? (double)f : NAN;
}

static int grid_poll(void *self, ag_grid_state *out)
{
	struct input *in = self;
	uint16_t regs[2] = { 0 };
	*out = (ag_grid_state){ .value = NAN };
	if (in->n_contacts)
		return poll_contacts(in, out);
	int rc = bus_read(in->bus, &in->peer, in->function, (uint16_t)in->reg, in->type == 's' ? 1 : 2, regs);
	if (rc == 0)
		out->value = value_of(in, regs) * in->scale;
	return rc;
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
		                 "\"type\":\"u16, u32, s32 or f32\",\"scale\":\"watts per unit\"}",
		.create = create,
		.destroy = destroy,
		.grid_poll = grid_poll,
		.fault = why,
		.bus = bus,
	};
	return &plugin;
}
