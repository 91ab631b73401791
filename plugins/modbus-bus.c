/* Requests go out raw and answers are checked here, byte by byte, since libmodbus over TCP takes an answer from any unit.
 *
 * Late answers. Raw requests all carry the transaction id 0, so an answer that comes after its deadline could be taken for that of the next
 * request. Over TCP a missed or senseless answer therefore closes the connection, and the late one dies with it. On a serial line nothing
 * can be closed: after a failure the line is left alone for another timeout, then flushed.
 *
 * A connection that a meter closed while nothing was asked (many do after a minute) is opened again within the same read. A host that does
 * not accept is tried again after 0.5 s, 1 s ... 10 s; reads in between fail at once. */
#include "plugins/modbus-bus.h"

#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"

#define BACKOFF_LEAST_US (500 * US_PER_MS)
#define BACKOFF_MOST_US (10 * US_PER_S)
#define CONNECT_US (2 * US_PER_S)
#define REQUEST 6 /* bytes: unit, function, address, count or value */

struct bus {
	struct list entry;
	char name[128];
	unsigned users;
	bool serial;
	int baud, stop_bits;
	char parity;
	modbus_t *ctx;
	bool connected;
	int64_t retry_at_us, backoff_us; /* 0: the last attempt to connect was good */
	int64_t idle_from_us;            /* no request before this time */
};

static struct list buses; /* loop thread */

static bool same_line(const struct bus *a, const struct bus *b)
{
	return !a->serial || (a->baud == b->baud && a->parity == b->parity && a->stop_bits == b->stop_bits);
}

/* The wanted bus as its configuration describes it, without a connection. */
static int describe(const cJSON *config, struct bus *b, char *host, size_t room, int *port, char *err, size_t errlen)
{
	struct slice h = json_text(config, "host"), device = json_text(config, "device"), parity = json_text(config, "parity");
	struct slice where = device.p ? device : h;
	int64_t p = json_int(config, "port", 502), baud = json_int(config, "baud", 9600), stop = json_int(config, "stop_bits", 1);
	if (!where.n || where.n >= room || (h.p && device.p)) {
		snprintf(err, errlen, "either 'host' or 'device' says where the unit is");
		return ERR_INVALID;
	}
	if (p < 1 || p > 65535 || baud < 300 || baud > 4000000 || stop < 1 || stop > 2) {
		snprintf(err, errlen, "port, baud or stop_bits is out of range");
		return ERR_INVALID;
	}
	if (parity.p && !slice_is(parity, "none") && !slice_is(parity, "even") && !slice_is(parity, "odd")) {
		snprintf(err, errlen, "parity is none, even or odd");
		return ERR_INVALID;
	}
	b->serial = device.p != NULL;
	b->baud = (int)baud;
	b->stop_bits = (int)stop;
	b->parity = slice_is(parity, "even") ? 'E' : slice_is(parity, "odd") ? 'O' : 'N';
	*port = (int)p;
	snprintf(host, room, "%.*s", SLICE_ARG(where));
	if (b->serial)
		snprintf(b->name, sizeof(b->name), "%s", host);
	else
		snprintf(b->name, sizeof(b->name), "%s:%d", host, *port);
	return 0;
}

static int describe_peer(const cJSON *config, bool serial, struct bus_peer *p, char *err, size_t errlen)
{
	int64_t unit = json_int(config, "unit", 1), ms = json_int(config, "timeout_ms", 500);
	if (unit < serial || unit > (serial ? 247 : 255)) {
		snprintf(err, errlen, "unit is 1 to 247 on a serial line, 0 to 255 over TCP");
		return ERR_INVALID;
	}
	if (ms < 10 || ms > 60000) {
		snprintf(err, errlen, "timeout_ms is 10 to 60000");
		return ERR_INVALID;
	}
	*p = (struct bus_peer){ .unit = (int)unit, .timeout_us = ms * US_PER_MS };
	return 0;
}

static modbus_t *make_context(const struct bus *b, const char *host, int port)
{
	char service[16];
	snprintf(service, sizeof(service), "%d", port);
	modbus_t *ctx = b->serial ? modbus_new_rtu(host, b->baud, b->parity, 8, b->stop_bits) : modbus_new_tcp_pi(host, service);
	if (ctx)
		modbus_set_byte_timeout(ctx, 0, 0); /* the deadline covers the whole answer */
	return ctx;
}

int bus_open(const cJSON *config, struct bus **out, struct bus_peer *peer_out, char *err, size_t errlen)
{
	struct bus want = { 0 };
	char host[112];
	int port, rc = describe(config, &want, host, sizeof(host), &port, err, errlen);
	if (rc == 0)
		rc = describe_peer(config, want.serial, peer_out, err, errlen);
	if (rc != 0)
		return rc;
	if (!buses.next)
		list_init(&buses);
	LIST_WALK(&buses, struct bus, entry, b) {
		if (strcmp(b->name, want.name) != 0)
			continue;
		if (!same_line(b, &want)) {
			snprintf(err, errlen, "%s is in use with another baud rate, parity or number of stop bits", b->name);
			return ERR_EXISTS;
		}
		b->users++;
		*out = b;
		return 0;
	}
	want.ctx = make_context(&want, host, port);
	if (!want.ctx) {
		snprintf(err, errlen, "%s: %s", want.name, modbus_strerror(errno));
		return ERR_INVALID;
	}
	struct bus *b = NEW(struct bus);
	*b = want;
	b->users = 1;
	list_append(&buses, &b->entry);
	*out = b;
	return 0;
}

static void disconnect(struct bus *b)
{
	if (b->connected)
		modbus_close(b->ctx);
	b->connected = false;
}

void bus_close(struct bus **bus)
{
	struct bus *b = *bus;
	*bus = NULL;
	if (!b || --b->users)
		return;
	disconnect(b);
	modbus_free(b->ctx);
	list_remove(&b->entry);
	mem_free(b);
}

const char *bus_name(const struct bus *bus)
{
	return bus->name;
}

bool bus_is_serial(const struct bus *bus)
{
	return bus->serial;
}

static void fault(struct bus_peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fault(struct bus_peer *p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(p->fault, sizeof(p->fault), fmt, ap);
	va_end(ap);
}

static void set_timeout(struct bus *b, int64_t us)
{
	modbus_set_response_timeout(b->ctx, (uint32_t)(us / US_PER_S), (uint32_t)(us % US_PER_S));
}

static int connect_bus(struct bus *b, struct bus_peer *p)
{
	int64_t now = clock_mono_us();
	if (b->backoff_us && now < b->retry_at_us) {
		fault(p, "no connection to %s, next attempt in %.1f s", b->name, (double)(b->retry_at_us - now) / 1e6);
		return ERR_CLOSED;
	}
	set_timeout(b, CONNECT_US);
	if (modbus_connect(b->ctx) == 0) {
		b->connected = true;
		b->backoff_us = 0;
		return 0;
	}
	int why = errno;
	b->backoff_us = b->backoff_us ? b->backoff_us * 2 : BACKOFF_LEAST_US;
	if (b->backoff_us > BACKOFF_MOST_US)
		b->backoff_us = BACKOFF_MOST_US;
	b->retry_at_us = clock_mono_us() + b->backoff_us;
	fault(p, "cannot %s %s: %s", b->serial ? "open" : "connect to", b->name, modbus_strerror(why));
	return ERR_CLOSED;
}

static void sleep_until(int64_t mono_us)
{
	int64_t us = mono_us - clock_mono_us();
	struct timespec ts = { us / US_PER_S, us % US_PER_S * 1000 };
	if (us > 0)
		nanosleep(&ts, NULL);
}

/* Leaves nothing behind that could be taken for a later answer. */
static void after_failure(struct bus *b, const struct bus_peer *p)
{
	if (b->serial)
		b->idle_from_us = clock_mono_us() + p->timeout_us;
	else
		disconnect(b);
}

static int transport_failed(struct bus *b, struct bus_peer *p, int why)
{
	after_failure(b, p);
	if (why == ETIMEDOUT) {
		fault(p, "no answer from unit %d at %s within %lld ms", p->unit, b->name, (long long)(p->timeout_us / US_PER_MS));
		return ERR_TIMEOUT;
	}
	if (why == ECONNRESET || why == EPIPE || why == EBADF || why == EIO || why == ENODEV || why == ENXIO) {
		disconnect(b);
		fault(p, "connection to %s lost: %s", b->name, modbus_strerror(why));
		return ERR_CLOSED;
	}
	fault(p, "unit %d at %s: %s", p->unit, b->name, modbus_strerror(why));
	return ERR_PROTOCOL;
}

static int exception(const struct bus *b, struct bus_peer *p, unsigned code, unsigned at)
{
	static const char *const names[] = { "unknown", "illegal function", "illegal data address", "illegal data value", "device failure",
	                                     "acknowledge", "busy", "negative acknowledge", "memory parity", "unknown", "gateway path unavailable",
	                                     "gateway target does not answer" };
	p->exception = code;
	fault(p, "exception %u (%s) from unit %d at %s for address %u", code, names[code < 12 ? code : 0], p->unit, b->name, at);
	return ERR_REFUSED;
}

/* The answer behind its header: 0 and the data's place, or what is wrong with it. */
static int check(struct bus *b, struct bus_peer *p, const uint8_t *req, const uint8_t *rsp, int n, int want)
{
	int head = modbus_get_header_length(b->ctx);
	if (n <= head + 1 || (!b->serial && (rsp[0] || rsp[1]))) {
		after_failure(b, p);
		fault(p, "unit %d at %s: the answer belongs to another request or unit", p->unit, b->name);
		return ERR_PROTOCOL;
	}
	if (rsp[head - 1] != req[0]) {
		after_failure(b, p);
		fault(p, "asked unit %d at %s, unit %u answered", p->unit, b->name, rsp[head - 1]);
		return ERR_PROTOCOL;
	}
	if (rsp[head] == (req[1] | 0x80))
		return exception(b, p, rsp[head + 1], (unsigned)(req[2] << 8 | req[3]));
	int tail = b->serial ? 2 : 0;
	if (rsp[head] != req[1] || n != head + 1 + want + tail) {
		after_failure(b, p);
		fault(p, "unit %d at %s: the answer has function %u and %d bytes, function %u and %d were asked for", p->unit, b->name, rsp[head],
		      n - head - 1 - tail, req[1], want);
		return ERR_PROTOCOL;
	}
	return 0;
}

static int attempt(struct bus *b, struct bus_peer *p, const uint8_t *req, int n_req, uint8_t *rsp)
{
	sleep_until(b->idle_from_us);
	modbus_flush(b->ctx);
	modbus_set_slave(b->ctx, p->unit);
	set_timeout(b, p->timeout_us);
	if (modbus_send_raw_request(b->ctx, req, n_req) < 0)
		return -1;
	int n = modbus_receive_confirmation(b->ctx, rsp);
	b->idle_from_us = clock_mono_us() + p->pause_us;
	return n;
}

/* Sends a request and waits for its answer of `want` bytes behind the function code; *data_out points into rsp. */
static int exchange(struct bus *b, struct bus_peer *p, const uint8_t *req, int n_req, int want, uint8_t *rsp, const uint8_t **data_out)
{
	p->fault[0] = 0;
	p->exception = 0;
	bool fresh = !b->connected;
	if (fresh) {
		int rc = connect_bus(b, p);
		if (rc != 0)
			return rc;
	}
	int n = attempt(b, p, req, n_req, rsp);
	if (n < 0) {
		int rc = transport_failed(b, p, errno);
		return rc == ERR_CLOSED && !fresh ? exchange(b, p, req, n_req, want, rsp, data_out) : rc;
	}
	*data_out = rsp + modbus_get_header_length(b->ctx) + 1;
	return check(b, p, req, rsp, n, want);
}

static void request(uint8_t req[REQUEST], const struct bus_peer *p, int function, uint16_t at, uint16_t what)
{
	req[0] = (uint8_t)p->unit;
	req[1] = (uint8_t)function;
	req[2] = (uint8_t)(at >> 8);
	req[3] = (uint8_t)at;
	req[4] = (uint8_t)(what >> 8);
	req[5] = (uint8_t)what;
}

static int wrong_count(struct bus *b, struct bus_peer *p, unsigned got, unsigned want)
{
	after_failure(b, p);
	fault(p, "unit %d at %s: %u bytes of data, %u were asked for", p->unit, b->name, got, want);
	return ERR_PROTOCOL;
}

int bus_read(struct bus *b, struct bus_peer *p, int function, uint16_t at, uint16_t n, uint16_t *regs_out)
{
	uint8_t req[REQUEST], rsp[MODBUS_TCP_MAX_ADU_LENGTH];
	const uint8_t *data;
	request(req, p, function, at, n);
	int rc = exchange(b, p, req, REQUEST, 1 + 2 * n, rsp, &data);
	if (rc != 0)
		return rc;
	if (data[0] != 2 * n)
		return wrong_count(b, p, data[0], 2u * n);
	for (unsigned i = 0; i < n; i++)
		regs_out[i] = (uint16_t)(data[1 + 2 * i] << 8 | data[2 + 2 * i]);
	return 0;
}

int bus_read_bit(struct bus *b, struct bus_peer *p, int function, uint16_t at, int *on_out)
{
	uint8_t req[REQUEST], rsp[MODBUS_TCP_MAX_ADU_LENGTH];
	const uint8_t *data;
	request(req, p, function, at, 1);
	int rc = exchange(b, p, req, REQUEST, 2, rsp, &data);
	if (rc != 0)
		return rc;
	if (data[0] != 1)
		return wrong_count(b, p, data[0], 1);
	*on_out = data[1] & 1;
	return 0;
}

/* Functions 5, 6 and 16 answer with the first four bytes behind the function of what was asked. */
static int write_and_check(struct bus *b, struct bus_peer *p, const uint8_t *req, int n_req, const char *what)
{
	uint8_t rsp[MODBUS_TCP_MAX_ADU_LENGTH];
	const uint8_t *data;
	int rc = exchange(b, p, req, n_req, 4, rsp, &data);
	if (rc != 0)
		return rc;
	if (memcmp(data, req + 2, 4) != 0) {
		fault(p, "unit %d at %s confirmed another %s or value than %u", p->unit, b->name, what, (unsigned)(req[2] << 8 | req[3]));
		return ERR_PROTOCOL;
	}
	return 0;
}

int bus_write_coil(struct bus *b, struct bus_peer *p, uint16_t at, int on)
{
	uint8_t req[REQUEST];
	request(req, p, 5, at, on ? 0xFF00 : 0);
	return write_and_check(b, p, req, REQUEST, "coil");
}

int bus_write_register(struct bus *b, struct bus_peer *p, uint16_t at, uint16_t value)
{
	uint8_t req[REQUEST];
	request(req, p, 6, at, value);
	return write_and_check(b, p, req, REQUEST, "register");
}

int bus_write_registers(struct bus *b, struct bus_peer *p, uint16_t at, const uint16_t *regs, uint16_t n)
{
	uint8_t req[REQUEST + 1 + 2 * BUS_WRITE_MOST];
	if (n > BUS_WRITE_MOST)
		return ERR_TOO_LARGE;
	request(req, p, 16, at, n);
	req[REQUEST] = (uint8_t)(2 * n);
	for (unsigned i = 0; i < n; i++) {
		req[REQUEST + 1 + 2 * i] = (uint8_t)(regs[i] >> 8);
		req[REQUEST + 2 + 2 * i] = (uint8_t)regs[i];
	}
	return write_and_check(b, p, req, REQUEST + 1 + 2 * n, "register");
}
