/* A contactor on lines of a GPIO chip: one output that closes it, and as many of these inputs as are wired: its mirror contact, a contact
 * that says a load is there, an emergency stop, a residual current device, the supply. On and off only; the charging logic is the program's
 * (station/outlet.c), which hears of a changed input within 20 ms.
 *
 *   {"contactor": {"chip": "gpiochip0", "line": 17, "active_low": false}, "feedback": {..}, "plugged": {..}, ...}
 *
 * Whether a line keeps its level when the program dies is up to the chip's driver, so a line alone is no safe state. `heartbeat` is an output
 * that changes its level with every order, several times a second: it feeds a retriggerable timer or a charge pump that holds the coil's
 * supply, and when it stands still the contactor opens by itself. Without one the manual tells to use a board with a watchdog.
 *
 * A chip that is not there (yet) is asked for again once a second; until then the pins are unknown and the EVSE has a fault. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/gpio.h"
#include "plugins/plugins.h"

#define AGAIN_US 1000000

/* Inputs in this order, outputs after them. */
enum { FEEDBACK, PLUGGED, EMERGENCY, RESIDUAL, MAINS, INPUTS, CONTACTOR = INPUTS, HEARTBEAT, LINES };

static const struct {
	const char *key;
	uint32_t pin;
} roles[LINES] = {
	[FEEDBACK] = { "feedback", AG_PIN_CLOSED_1 }, [PLUGGED] = { "plugged", AG_PIN_PLUGGED }, [EMERGENCY] = { "emergency_stop", AG_PIN_EMERGENCY },
	[RESIDUAL] = { "residual_current", AG_PIN_RESIDUAL }, [MAINS] = { "mains", AG_PIN_MAINS }, [CONTACTOR] = { "contactor", 0 },
	[HEARTBEAT] = { "heartbeat", 0 },
};

struct relay {
	const ag_host *host;
	char consumer[48];
	struct gpio_line lines[LINES];
	bool wired[LINES];
	bool beat;
	uint64_t again_us;        /* not asked for before this time */
	char fault[200];
};

static int read_line(const cJSON *config, int role, struct relay *r, char *err, size_t errlen)
{
	char path[64];
	const char *key = roles[role].key;
	struct gpio_line *l = &r->lines[role];
	l->fd = -1;
	snprintf(path, sizeof(path), "%s.chip", key);
	struct slice chip = json_text(config, path);
	snprintf(path, sizeof(path), "%s.line", key);
	int64_t line = json_int(config, path, -1);
	snprintf(path, sizeof(path), "%s.active_low", key);
	l->active_low = json_bool(config, path, false);
	r->wired[role] = chip.p || line >= 0;
	if (!r->wired[role])
		return 0;
	if (!chip.n || chip.n >= sizeof(l->chip) || line < 0 || line > 65535) {
		snprintf(err, errlen, "%s is a chip and a line from 0", key);
		return ERR_INVALID;
	}
	memcpy(l->chip, chip.p, chip.n);
	l->line = (unsigned)line;
	return 0;
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	cJSON *config = json_parse(slice_of(config_json));
	struct relay *r = NEW(struct relay);
	int rc = 0;
	r->host = h;
	snprintf(r->consumer, sizeof(r->consumer), "ampgate %s", id);
	for (int i = 0; i < LINES; i++)
		r->lines[i].fd = -1;
	for (int i = 0; i < LINES && rc == 0; i++)
		rc = read_line(config, i, r, err, errlen);
	cJSON_Delete(config);
	if (rc == 0 && !r->wired[CONTACTOR]) {
		snprintf(err, errlen, "'contactor' is missing");
		rc = ERR_INVALID;
	}
	if (rc != 0)
		mem_free(r);
	else
		*self = r;
	return rc;
}

static void close_lines(struct relay *r)
{
	for (int i = 0; i < LINES; i++)
		gpio_close(&r->lines[i]);
}

static void destroy(void *self)
{
	struct relay *r = self;
	close_lines(r);
	mem_free(r);
}

/* The contactor first: it is open from then on. */
static int request_lines(struct relay *r)
{
	uint64_t now = r->host->now_us(r->host);
	int rc = 0;
	if (r->lines[CONTACTOR].fd >= 0)
		return 0;
	if (now < r->again_us)
		return ERR_CLOSED; /* the reason stands in `fault` */
	for (int i = LINES - 1; i >= 0 && rc == 0; i--) {
		if (r->wired[i])
			rc = i >= INPUTS ? gpio_output(&r->lines[i], r->consumer, r->fault, sizeof(r->fault))
			                 : gpio_input(&r->lines[i], r->consumer, r->fault, sizeof(r->fault));
	}
	if (rc != 0) {
		close_lines(r);
		r->again_us = now + AGAIN_US;
	}
	return rc;
}

/* A line that fails is asked for anew: a USB chip may have gone and come back. */
static int done(struct relay *r, int rc)
{
	if (rc == 0)
		r->fault[0] = 0;
	else
		close_lines(r);
	return rc;
}

static int evse_drive(void *self, int evse, const ag_drive *d)
{
	struct relay *r = self;
	if (evse != 1)
		return ERR_NOT_FOUND;
	int rc = request_lines(r);
	if (rc != 0)
		return rc;
	rc = gpio_set(&r->lines[CONTACTOR], d->close_1, r->fault, sizeof(r->fault));
	r->beat = !r->beat;
	if (rc == 0 && r->wired[HEARTBEAT])
		rc = gpio_set(&r->lines[HEARTBEAT], r->beat, r->fault, sizeof(r->fault));
	return done(r, rc);
}

static int evse_pins(void *self, int evse, ag_pins *out)
{
	struct relay *r = self;
	if (evse != 1)
		return ERR_NOT_FOUND;
	int rc = request_lines(r);
	if (rc != 0)
		return rc;
	*out = (ag_pins){ .high_v = NAN, .low_v = NAN, .duty = NAN, .proximity_ohm = INFINITY, .celsius = NAN, .i_a = { NAN, NAN, NAN },
		.u_v = { NAN, NAN, NAN }, .energy_wh = NAN };
	for (int i = 0; i < INPUTS && rc == 0; i++) {
		bool on = false;
		if (!r->wired[i])
			continue;
		rc = gpio_get(&r->lines[i], &on, r->fault, sizeof(r->fault));
		out->has |= roles[i].pin;
		out->on |= on ? roles[i].pin : 0;
	}
	return done(r, rc);
}

static const char *why(void *self)
{
	struct relay *r = self;
	return r->fault;
}

const ag_plugin *plugin_gpio_relay(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_EVSE,
		.flags = AG_F_THREAD,
		.name = "gpio-relay",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"contactor\":\"{chip, line, active_low}\",\"feedback\":\"the same\",\"plugged\":\"the same\","
		                 "\"emergency_stop\":\"the same\",\"residual_current\":\"the same\",\"mains\":\"the same\",\"heartbeat\":\"the same\"}",
		.create = create,
		.destroy = destroy,
		.fault = why,
		.evse_pins = evse_pins,
		.evse_drive = evse_drive,
	};
	return &plugin;
}
