/* Meters over Modbus TCP and RTU: a register map (regmap) read over a bus (modbus-bus). The model is a file, or "sunspec", where the map is
 * found by asking the device, at the first poll and again whenever the device declines what it gave before. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "plugins/modbus-bus.h"
#include "plugins/plugins.h"
#include "plugins/regmap.h"
#include "plugins/sunspec.h"

struct meter {
	const ag_host *host;
	struct bus *bus;
	struct bus_peer peer;
	bool sunspec, mapped;
	struct regmap map;
	double ct_ratio;
	bool invert;
	uint16_t regs[REGMAP_REGS];
};

static void destroy(void *self)
{
	struct meter *m = self;
	bus_close(&m->bus);
	mem_free(m);
}

static int find_model(struct meter *m, const cJSON *config, char *err, size_t errlen)
{
	char *model = mem_text(json_text(config, "model")), *dir = mem_text(json_text(config, "models_dir"));
	int rc = 0;
	m->sunspec = strcmp(model, "sunspec") == 0;
	if (!m->sunspec)
		rc = regmap_find(model, dir[0] ? dir : NULL, &m->map, err, errlen);
	m->mapped = rc == 0 && !m->sunspec;
	mem_free(model);
	mem_free(dir);
	return rc;
}

static int configure(struct meter *m, const cJSON *config, char *err, size_t errlen)
{
	if (!cJSON_IsObject(config)) {
		snprintf(err, errlen, "the configuration is not a JSON object");
		return ERR_SYNTAX;
	}
	m->ct_ratio = json_number(config, "ct_ratio", 1);
	m->invert = json_bool(config, "invert", false);
	if (!(m->ct_ratio > 0 && m->ct_ratio <= 100000)) {
		snprintf(err, errlen, "ct_ratio is more than 0 and at most 100000");
		return ERR_INVALID;
	}
	int rc = find_model(m, config, err, errlen);
	if (rc == 0)
		rc = bus_open(config, &m->bus, &m->peer, err, errlen);
	m->peer.pause_us = m->map.pause_ms * US_PER_MS;
	return rc;
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)id;
	cJSON *config = json_parse(slice_of(config_json));
	struct meter *m = NEW(struct meter);
	m->host = h;
	int rc = configure(m, config, err, errlen);
	cJSON_Delete(config);
	if (rc != 0)
		mem_free(m);
	else
		*self = m;
	return rc;
}

/* Asks the device for its blocks. An exception is an answer ("nothing at this address"), everything else ends the walk. */
static int discover(struct meter *m)
{
	struct sunspec walk;
	struct regmap_block want;
	sunspec_start(&walk);
	while (sunspec_next(&walk, &want)) {
		uint16_t regs[2];
		int rc = bus_read(m->bus, &m->peer, want.function, want.at, want.n, regs);
		if (rc != 0 && rc != ERR_REFUSED)
			return rc;
		sunspec_feed(&walk, rc == 0 ? regs : NULL);
	}
	int rc = sunspec_map(&walk, &m->map, m->peer.fault, sizeof(m->peer.fault));
	m->mapped = rc == 0;
	return rc;
}

static int read_blocks(struct meter *m)
{
	uint16_t *at = m->regs;
	for (size_t i = 0; i < m->map.n_blocks; i++) {
		const struct regmap_block *b = &m->map.blocks[i];
		int rc = bus_read(m->bus, &m->peer, b->function, b->at, b->n, at);
		if (rc != 0)
			return rc;
		at += b->n;
	}
	return 0;
}

static int understand(struct meter *m, ag_meter_sample *out)
{
	int rc = regmap_decode(&m->map, m->regs, out);
	if (rc != 0) {
		snprintf(m->peer.fault, sizeof(m->peer.fault), "unit %d at %s answers, but marks every value as not available", m->peer.unit,
		         bus_name(m->bus));
		return rc;
	}
	regmap_adjust(out, m->ct_ratio, m->invert);
	const char *why = regmap_implausible(out);
	if (!why)
		return 0;
	snprintf(m->peer.fault, sizeof(m->peer.fault), "implausible: %s", why);
	return ERR_INVALID;
}

static int meter_poll(void *self, ag_meter_sample *out)
{
	struct meter *m = self;
	uint64_t at_us = m->host->now_us(m->host);
	int rc = m->mapped ? 0 : discover(m);
	if (rc == 0)
		rc = read_blocks(m);
	if (rc == ERR_REFUSED && m->sunspec)
		m->mapped = false;
	if (rc == 0)
		rc = understand(m, out);
	out->mono_us = at_us;
	return rc;
}

static const char *why(void *self)
{
	struct meter *m = self;
	return m->peer.fault;
}

static const char *bus(void *self)
{
	struct meter *m = self;
	return bus_name(m->bus);
}

const ag_plugin *plugin_modbus(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_METER,
		.flags = AG_F_THREAD,
		.name = "modbus",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"driver\":\"modbus-tcp or modbus-rtu\",\"host\":\"name or address\",\"port\":\"502\",\"device\":\"serial device\","
		                 "\"baud\":\"9600\",\"parity\":\"none, even or odd\",\"stop_bits\":\"1\",\"unit\":\"1\",\"model\":\"a model, or sunspec\","
		                 "\"models_dir\":\"more models\",\"ct_ratio\":\"1\",\"invert\":\"false\",\"timeout_ms\":\"500\"}",
		.create = create,
		.destroy = destroy,
		.meter_poll = meter_poll,
		.fault = why,
		.bus = bus,
	};
	return &plugin;
}
