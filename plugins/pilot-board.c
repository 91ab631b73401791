/* A board on a serial line that drives and measures a control pilot and switches contactors, lock, fan and self-test (board-line.h has the
 * protocol). The charging logic is the program's; what the board promises by itself stands in its hello: how soon it opens when the pilot
 * leaves C and D, and how long it goes on without an order. Both are told to the log at every hello, and a board that promises neither is
 * refused: behind a serial line and an operating system nobody can keep 100 ms for certain.
 *
 * The board sends its pins at each change and ten times a second; evse_pins waits for that, so a change is known at once. Pins older than
 * half a second are none. A device that is gone is opened again once a second. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/board-line.h"
#include "plugins/plugins.h"
#include "plugins/serial.h"

#define WAIT_US (20 * US_PER_MS)
#define FRESH_US (500 * US_PER_MS)
#define AGAIN_US US_PER_S
#define ASK_US (300 * US_PER_MS)
#define OPENS_MOST_MS 100
#define WATCHDOG_MOST_MS 2000

struct board {
	const ag_host *host;
	char device[128];
	int baud;
	struct serial line;
	int64_t again_us, ask_us;  /* not before this time */
	uint32_t order;
	ag_drive drive;            /* the last one sent */
	uint32_t since;            /* the order with which its pilot or its contacts were ordered; 0: none yet */
	bool known;                /* it said hello, and may be used */
	uint32_t has, opens_ms, watchdog_ms;
	ag_pins pins;
	int64_t pins_us;           /* when they came; 0: none yet */
	uint32_t obeyed;           /* the order they are of; 0: the board does not say */
	char fault[200];
};

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)id;
	cJSON *config = json_parse(slice_of(config_json));
	struct slice device = json_text(config, "device");
	struct board *b = NEW(struct board);
	b->host = h;
	b->line.fd = -1;
	b->baud = (int)json_int(config, "baud", 115200);
	int rc = 0;
	if (!device.n || device.n >= sizeof(b->device) || !serial_knows_baud(b->baud)) {
		snprintf(err, errlen, "'device' is a serial device, 'baud' one of its usual speeds");
		rc = ERR_INVALID;
	} else {
		memcpy(b->device, device.p, device.n);
	}
	cJSON_Delete(config);
	if (rc != 0)
		mem_free(b);
	else
		*self = b;
	return rc;
}

static void destroy(void *self)
{
	struct board *b = self;
	serial_close(&b->line);
	mem_free(b);
}

static int lost(struct board *b, int rc)
{
	snprintf(b->fault, sizeof(b->fault), "%s: %s", b->device, err_text(rc));
	serial_close(&b->line);
	b->known = false;
	b->pins_us = 0;
	return rc;
}

static int send_text(struct board *b, const char *text, size_t n)
{
	int rc = serial_write(&b->line, text, n);
	return rc == 0 || rc == ERR_FULL ? rc : lost(b, rc);
}

/* Opens the device and asks for a hello until there was one. */
static int reach(struct board *b)
{
	char text[BOARD_LINE + 6];
	int64_t now = clock_mono_us();
	if (b->line.fd < 0) {
		if (now < b->again_us)
			return ERR_CLOSED;
		b->again_us = now + AGAIN_US;
		int rc = serial_open(&b->line, b->device, b->baud, b->fault, sizeof(b->fault));
		if (rc != 0)
			return rc;
		b->ask_us = 0;
	}
	if (b->known || now < b->ask_us)
		return 0;
	b->ask_us = now + ASK_US;
	return send_text(b, text, board_write_ask(text));
}

static void take_hello(struct board *b, const struct board_text *t)
{
	char text[200];
	const ag_pins *p = &t->pins;
	bool careless = !p->opens_ms || p->opens_ms > OPENS_MOST_MS || !p->watchdog_ms || p->watchdog_ms > WATCHDOG_MOST_MS;
	b->known = t->version == BOARD_VERSION && !((p->has & AG_PIN_PILOT) && careless);
	if (t->version != BOARD_VERSION)
		snprintf(b->fault, sizeof(b->fault), "board %s speaks version %d of the protocol, %d is needed", t->name, t->version, BOARD_VERSION);
	else if (!b->known)
		snprintf(b->fault, sizeof(b->fault), "board %s does not promise to open by itself within %d ms of the car's leaving and %d ms of silence", t->name,
		         OPENS_MOST_MS, WATCHDOG_MOST_MS);
	snprintf(text, sizeof(text), "board %s: opens by itself within %u ms of the car's leaving, and after %u ms without orders%s", t->name, p->opens_ms,
	         p->watchdog_ms, b->known ? "" : "; not used");
	b->host->log(b->host, b->known ? 2 : 1, text);
	b->has = p->has;
	b->opens_ms = p->opens_ms;
	b->watchdog_ms = p->watchdog_ms;
}

/* Everything that has come; waits for the first line. */
static int listen(struct board *b)
{
	char line[SERIAL_LINE];
	struct board_text t;
	int64_t wait = WAIT_US;
	int rc;
	while ((rc = serial_line(&b->line, line, wait)) > 0) {
		wait = 0;
		enum board_line kind = board_read(line, &t);
		if (kind == BOARD_HELLO) {
			take_hello(b, &t);
		} else if (kind == BOARD_PINS && b->known) {
			b->pins = t.pins;
			b->pins.has = b->has;
			b->pins.opens_ms = b->opens_ms;
			b->pins.watchdog_ms = b->watchdog_ms;
			b->pins_us = clock_mono_us();
			b->obeyed = t.order;
		}
	}
	return rc < 0 ? lost(b, rc) : 0;
}

static int evse_pins(void *self, int evse, ag_pins *out)
{
	struct board *b = self;
	if (evse != 1)
		return ERR_NOT_FOUND;
	int rc = reach(b);
	if (rc == 0)
		rc = listen(b);
	if (rc != 0)
		return rc;
	if (!b->pins_us || clock_mono_us() - b->pins_us > FRESH_US) {
		if (b->known || !b->fault[0])
			snprintf(b->fault, sizeof(b->fault), "the board at %s is silent", b->device);
		return ERR_TIMEOUT;
	}
	b->fault[0] = 0;
	*out = b->pins;
	if (b->since && b->obeyed && (int32_t)(b->obeyed - b->since) < 0)
		out->on |= AG_PIN_LATE;
	return 0;
}

static int evse_drive(void *self, int evse, const ag_drive *d)
{
	char text[BOARD_LINE + 6];
	struct board *b = self;
	if (evse != 1)
		return ERR_NOT_FOUND;
	int rc = reach(b);
	if (rc != 0)
		return rc;
	b->order++;
	if (!b->since || d->pilot != b->drive.pilot || d->close_1 != b->drive.close_1 || d->close_2 != b->drive.close_2)
		b->since = b->order;
	b->drive = *d;
	return send_text(b, text, board_write_drive(text, b->order, d));
}

static const char *why(void *self)
{
	struct board *b = self;
	return b->fault;
}

const ag_plugin *plugin_pilot_board(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_EVSE,
		.flags = AG_F_THREAD,
		.name = "pilot-board",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"device\":\"serial device\",\"baud\":\"115200\"}",
		.create = create,
		.destroy = destroy,
		.fault = why,
		.evse_pins = evse_pins,
		.evse_drive = evse_drive,
	};
	return &plugin;
}
