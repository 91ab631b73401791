/* A contactor behind a Modbus relay board: one coil that switches it, and, where wired, its feedback contact and an input that says a car
 * is there. One object per contactor; those on one board share its connection.
 *
 * On and off only: any limit above 0 A closes, the pilot is 0. The order is written again each time it is repeated, which also feeds the
 * watchdog that such a board should have; without feedback the coil itself is read back, which tells that the board listens but not what
 * the contacts do. Feedback that differs from the order for half a second is a fault: closed though open was ordered is a welded contactor,
 * the other way round one that does not close. Before the first order nothing is judged: after a restart the board may well be on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "plugins/modbus-bus.h"
#include "plugins/plugins.h"

#define SETTLE_US (500 * US_PER_MS)

/* A bit on the board. */
struct bit {
	bool wired;
	uint16_t at;
	uint8_t function; /* 1 coil, 2 input */
	bool inverted;    /* 0 means on */
};

struct relay {
	const ag_host *host;
	struct bus *bus;
	struct bus_peer peer;
	struct bit coil, feedback, plugged;
	bool ordered, on;         /* the last order */
	bool differs;             /* feedback and order, since: */
	uint64_t differs_since_us;
};

/* {"feedback": 3, "feedback_kind": "input", "feedback_inverted": true} */
static int read_bit(const cJSON *config, const char *key, struct bit *b, char *err, size_t errlen)
{
	char name[48];
	int64_t at = json_int(config, key, -1);
	snprintf(name, sizeof(name), "%s_kind", key);
	struct slice kind = json_text(config, name);
	snprintf(name, sizeof(name), "%s_inverted", key);
	if (at > 0xFFFF || at < -1 || (kind.p && !slice_is(kind, "coil") && !slice_is(kind, "input"))) {
		snprintf(err, errlen, "%s is an address from 0, %s_kind coil or input", key, key);
		return ERR_INVALID;
	}
	*b = (struct bit){ at >= 0, (uint16_t)at, slice_is(kind, "coil") ? 1 : 2, json_bool(config, name, false) };
	return 0;
}

static int configure(struct relay *r, const cJSON *config, char *err, size_t errlen)
{
	int rc = read_bit(config, "coil", &r->coil, err, errlen);
	if (rc == 0)
		rc = read_bit(config, "feedback", &r->feedback, err, errlen);
	if (rc == 0)
		rc = read_bit(config, "plugged", &r->plugged, err, errlen);
	if (rc != 0)
		return rc;
	if (!r->coil.wired) {
		snprintf(err, errlen, "'coil' is missing");
		return ERR_INVALID;
	}
	r->coil.function = 1;
	return bus_open(config, &r->bus, &r->peer, err, errlen);
}

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)id;
	cJSON *config = json_parse(slice_of(config_json));
	struct relay *r = NEW(struct relay);
	r->host = h;
	int rc = configure(r, config, err, errlen);
	cJSON_Delete(config);
	if (rc != 0)
		mem_free(r);
	else
		*self = r;
	return rc;
}

static void destroy(void *self)
{
	struct relay *r = self;
	bus_close(&r->bus);
	mem_free(r);
}

static int evse_set(void *self, int evse, const double limit_a[3])
{
	struct relay *r = self;
	bool on = limit_a[0] > 0 || limit_a[1] > 0 || limit_a[2] > 0;
	if (evse != 1)
		return ERR_NOT_FOUND;
	if (!r->ordered || r->on != on)
		r->differs = false;
	r->ordered = true;
	r->on = on;
	return bus_write_coil(r->bus, &r->peer, r->coil.at, on != r->coil.inverted);
}

static int look(struct relay *r, const struct bit *b, bool *on_out)
{
	int on, rc = bus_read_bit(r->bus, &r->peer, b->function, b->at, &on);
	if (rc == 0)
		*on_out = (on != 0) != b->inverted;
	return rc;
}

static uint8_t judge(struct relay *r, bool closed)
{
	uint64_t now = r->host->now_us(r->host);
	if (!r->ordered || closed == r->on) {
		r->differs = false;
		return AG_FAULT_NONE;
	}
	if (!r->differs) {
		r->differs = true;
		r->differs_since_us = now;
	}
	if (now - r->differs_since_us < (uint64_t)SETTLE_US)
		return AG_FAULT_NONE;
	if (!r->feedback.wired)
		return AG_FAULT_IO; /* the board itself has another state than was written */
	return closed ? AG_FAULT_WELDED : AG_FAULT_NOT_CLOSING;
}

static int evse_state(void *self, int evse, ag_evse_state *out)
{
	struct relay *r = self;
	bool closed = false, plugged = true;
	if (evse != 1)
		return ERR_NOT_FOUND;
	int rc = look(r, r->feedback.wired ? &r->feedback : &r->coil, &closed);
	if (rc == 0 && r->plugged.wired)
		rc = look(r, &r->plugged, &plugged);
	if (rc != 0)
		return rc;
	*out = (ag_evse_state){ .plugged = plugged, .closed = closed, .fault = judge(r, closed), .i_a = { NAN, NAN, NAN }, .energy_wh = NAN };
	return 0;
}

static const char *why(void *self)
{
	struct relay *r = self;
	return r->peer.fault;
}

static const char *bus(void *self)
{
	struct relay *r = self;
	return bus_name(r->bus);
}

const ag_plugin *plugin_modbus_relay(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_EVSE,
		.flags = AG_F_THREAD,
		.name = "modbus-relay",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"host\":\"name or address\",\"port\":\"502\",\"device\":\"serial device\",\"baud\":\"9600\","
		                 "\"parity\":\"none, even or odd\",\"stop_bits\":\"1\",\"unit\":\"1\",\"timeout_ms\":\"500\",\"coil\":\"address\","
		                 "\"coil_inverted\":\"false\",\"feedback\":\"address\",\"feedback_kind\":\"input or coil\","
		                 "\"feedback_inverted\":\"false\",\"plugged\":\"address\",\"plugged_kind\":\"input or coil\","
		                 "\"plugged_inverted\":\"false\"}",
		.create = create,
		.destroy = destroy,
		.evse_set = evse_set,
		.evse_state = evse_state,
		.fault = why,
		.bus = bus,
	};
	return &plugin;
}
