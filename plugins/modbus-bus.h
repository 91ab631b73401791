/* A Modbus connection: one TCP host or one serial line, shared by all meters and boards behind it. Blocking; every exchange has a deadline
 * and checks what libmodbus leaves open.
 *
 * bus_open and bus_close: loop thread. Everything else: the one worker that serves the bus, see ag_plugin.bus. */
#ifndef AMPGATE_PLUGINS_MODBUS_BUS_H
#define AMPGATE_PLUGINS_MODBUS_BUS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct bus;

/* One unit behind a bus, kept by its owner. */
struct bus_peer {
	int unit;
	int64_t timeout_us; /* from request to complete answer */
	int64_t pause_us;   /* the unit's rest between two requests */
	char fault[200];    /* why the last exchange failed */
	unsigned exception; /* of the last exchange, when the unit declined; 0: it did not */
};

/* The bus and the unit that a plugin's configuration names: keys host and port, or device, baud, parity and stop_bits; unit; timeout_ms. No
 * I/O yet. The same host and port, or the same device, give the same bus; the line's settings must agree. */
int bus_open(const cJSON *config, struct bus **out, struct bus_peer *peer_out, char *err, size_t errlen) MUST_CHECK;
void bus_close(struct bus **bus); /* the last user closes the connection */
const char *bus_name(const struct bus *bus); /* "192.168.50.10:502", "/dev/ttyUSB0"; lives with the bus */
bool bus_is_serial(const struct bus *bus);

/* Function 3 or 4: n registers from `at`. 0, or with the reason in peer->fault: ERR_TIMEOUT no answer, ERR_REFUSED an exception of the
 * unit, ERR_PROTOCOL an answer that is none (wrong unit, wrong length), ERR_CLOSED no connection. */
int bus_read(struct bus *bus, struct bus_peer *peer, int function, uint16_t at, uint16_t n, uint16_t *regs_out) MUST_CHECK;
int bus_read_bit(struct bus *bus, struct bus_peer *peer, int function, uint16_t at, int *on_out) MUST_CHECK; /* function 1 or 2 */
int bus_write_coil(struct bus *bus, struct bus_peer *peer, uint16_t at, int on) MUST_CHECK;                  /* function 5 */
#define BUS_WRITE_MOST 8
int bus_write_register(struct bus *bus, struct bus_peer *peer, uint16_t at, uint16_t value) MUST_CHECK;      /* function 6 */
int bus_write_registers(struct bus *bus, struct bus_peer *peer, uint16_t at, const uint16_t *regs, uint16_t n) MUST_CHECK; /* function 16 */

#endif
