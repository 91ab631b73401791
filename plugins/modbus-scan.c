/* Looks at what answers on a Modbus bus, one address after the other, one exchange at a time: it shares the bus with meters and boards in use,
 * so a step is short, and between two of them others have their turn (the host sees to that). What it reads are registers that meters have;
 * nothing is ever written.
 *
 * Easy to get wrong: over TCP a silent unit costs the connection, and a host that does not accept another one at once is not a unit that is
 * silent; so what fails without a connection is tried again, and the search ends when that goes on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "plugins/modbus-bus.h"
#include "plugins/plugins.h"
#include "plugins/scan.h"

#define UNITS 256
#define CLOSED_MOST 8
#define CLOSED_REST_US (300 * US_PER_MS)
#define EXCEPTION_GATEWAY 0x0A /* this one and 0x0B: a gateway speaks, not the unit */

struct search {
	struct bus *bus;
	struct bus_peer peer;
	char *models_dir;
	struct regmap *models;
	size_t n_models;
	bool loaded;
	uint8_t units[UNITS];
	size_t n_units, at;
	bool begun;              /* with units[at] */
	struct scan scan;
	unsigned closed;         /* failures to connect in a row */
	int64_t rest_until_us;
	char fault[200];
};

static void destroy(void *self)
{
	struct search *s = self;
	bus_close(&s->bus);
	mem_free(s->models_dir);
	mem_free(s->models);
	mem_free(s);
}

/* "1-32,40" */
static int read_units(struct search *s, const char *text, char *err, size_t errlen)
{
	for (const char *p = text; *p;) {
		char *end;
		unsigned long from = strtoul(p, &end, 10), to = from;
		if (end != p && *end == '-') {
			p = end + 1;
			to = strtoul(p, &end, 10);
		}
		if (end == p || (*end && *end != ',') || to > 255 || from > to || s->n_units + (to - from) >= UNITS) {
			snprintf(err, errlen, "'%s' is no list of addresses such as 1-32,40", text);
			return ERR_INVALID;
		}
		for (; from <= to; from++)
			s->units[s->n_units++] = (uint8_t)from;
		p = *end ? end + 1 : end;
	}
	return s->n_units ? 0 : ERR_INVALID;
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	cJSON *config = json_parse(slice_of(config_json));
	struct search *s = NEW(struct search);
	struct slice dir = json_text(config, "models_dir"), units = json_text(config, "units");
	char *text = units.n ? mem_text(units) : mem_strdup("1-32");
	(void)h, (void)id;
	int rc = cJSON_IsObject(config) ? read_units(s, text, err, errlen) : ERR_SYNTAX;
	if (rc == 0)
		rc = bus_open(config, &s->bus, &s->peer, err, errlen);
	if (rc == 0 && bus_is_serial(s->bus) && s->units[0] == 0) {
		snprintf(err, errlen, "address 0 is everybody on a serial line: from 1");
		rc = ERR_INVALID;
		bus_close(&s->bus);
	}
	s->models_dir = dir.n ? mem_text(dir) : NULL;
	mem_free(text);
	cJSON_Delete(config);
	if (rc != 0) {
		mem_free(s->models_dir);
		mem_free(s);
	} else {
		*self = s;
	}
	return rc;
}

/* Files that are no maps are somebody else's mistake, which --check-config names. */
static void take_model(void *arg, const char *name)
{
	struct search *s = arg;
	char why[200];
	s->models = mem_grow(s->models, (s->n_models + 1) * sizeof(*s->models));
	if (regmap_find(name, s->models_dir, &s->models[s->n_models], why, sizeof(why)) == 0)
		s->n_models++;
}

static void write_sample(struct json_writer *w, const ag_meter_sample *s)
{
	static const struct {
		const char *key;
		uint32_t bit;
		size_t at;
	} groups[] = { { "i_a", AG_I, offsetof(ag_meter_sample, i_a) }, { "u_v", AG_U, offsetof(ag_meter_sample, u_v) },
		{ "p_w", AG_P, offsetof(ag_meter_sample, p_w) } };
	jw_object(w, "reading");
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const double *v = (const double *)(const void *)((const char *)s + groups[i].at);
		jw_array(w, groups[i].key);
		for (int p = 0; p < 3; p++)
			jw_number(w, NULL, s->valid & groups[i].bit ? v[p] : NAN, 3);
		jw_end(w, ']');
	}
	jw_number(w, "power_w", s->valid & AG_POWER ? s->power_w : NAN, 1);
	jw_number(w, "import_wh", s->valid & AG_IMPORT ? s->import_wh : NAN, 0);
	jw_number(w, "export_wh", s->valid & AG_EXPORT ? s->export_wh : NAN, 0);
	jw_end(w, '}');
}

static int tell(struct search *s, char *json, size_t room, bool found)
{
	struct buf text = { 0 };
	struct json_writer w;
	jw_open(&w, &text);
	jw_object(&w, NULL);
	jw_int(&w, "unit", s->units[s->at]);
	jw_number(&w, "part", (double)s->at / (double)s->n_units, 3);
	if (found) {
		jw_string(&w, "device", s->scan.device[0] ? s->scan.device : NULL);
		jw_array(&w, "models");
		for (size_t i = 0; i < s->scan.n_best; i++) {
			jw_object(&w, NULL);
			jw_string(&w, "model", s->scan.best[i].model);
			jw_string(&w, "name", s->scan.best[i].name);
			jw_int(&w, "points", s->scan.best[i].points);
			write_sample(&w, &s->scan.best[i].sample);
			jw_end(&w, '}');
		}
		jw_end(&w, ']');
	}
	jw_end(&w, '}');
	snprintf(json, room, "%s", text.n < room ? text.p : "{}");
	buf_free(&text);
	return AG_SCAN_NEWS;
}

/* A gateway that says "no such unit" is not that unit. */
static enum scan_answer answer_of(const struct search *s, int rc)
{
	bool gateway = s->peer.exception == EXCEPTION_GATEWAY || s->peer.exception == EXCEPTION_GATEWAY + 1;
	return rc == 0 ? SCAN_READ : rc == ERR_REFUSED && !gateway ? SCAN_REFUSED : SCAN_SILENT;
}

/* The reason is that of the first attempt: those behind it only say that the next one has to wait. */
static int not_connected(struct search *s)
{
	if (!s->closed)
		snprintf(s->fault, sizeof(s->fault), "%s", s->peer.fault);
	s->rest_until_us = clock_mono_us() + CLOSED_REST_US;
	return ++s->closed < CLOSED_MOST ? 0 : ERR_CLOSED;
}

static int ask(struct search *s, const struct regmap_block *want)
{
	uint16_t regs[REGMAP_MOST];
	s->peer.unit = s->units[s->at];
	int rc = bus_read(s->bus, &s->peer, want->function, want->at, want->n, regs);
	if (rc == ERR_CLOSED)
		return not_connected(s);
	s->closed = 0;
	scan_feed(&s->scan, answer_of(s, rc), regs);
	return 0;
}

static int scan_step(void *self, char *json, size_t room)
{
	struct search *s = self;
	struct regmap_block want;
	if (!s->loaded) {
		regmap_each(s->models_dir, take_model, s);
		s->loaded = true;
	}
	if (clock_mono_us() < s->rest_until_us)
		return AG_SCAN_GOES_ON;
	if (!s->begun) {
		scan_start(&s->scan, s->models, s->n_models);
		s->begun = true;
		return tell(s, json, room, false);
	}
	if (scan_next(&s->scan, &want))
		return ask(s, &want);
	bool found = s->scan.answers;
	int rc = found ? tell(s, json, room, true) : AG_SCAN_GOES_ON;
	s->begun = false;
	if (++s->at == s->n_units) {
		s->at--;
		return found ? AG_SCAN_LAST : AG_SCAN_OVER;
	}
	return rc;
}

static const char *why(void *self)
{
	struct search *s = self;
	return s->fault;
}

static const char *bus(void *self)
{
	struct search *s = self;
	return bus_name(s->bus);
}

const ag_plugin *plugin_modbus_scan(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_SCAN,
		.flags = AG_F_THREAD,
		.name = "modbus-scan",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"host\":\"name or address\",\"port\":\"502\",\"device\":\"serial device\",\"baud\":\"9600\",\"parity\":\"none, even or odd\","
		                 "\"units\":\"addresses, 1-32\",\"models_dir\":\"more models\",\"timeout_ms\":\"500\"}",
		.create = create,
		.destroy = destroy,
		.fault = why,
		.bus = bus,
		.scan = scan_step,
	};
	return &plugin;
}
