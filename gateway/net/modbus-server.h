/* A Modbus TCP server that never blocks: its tables are filled by the owner and answered by libmodbus. One unit, or any. Loop thread. */
#ifndef AMPGATE_GATEWAY_MODBUS_SERVER_H
#define AMPGATE_GATEWAY_MODBUS_SERVER_H

#include <modbus/modbus.h>
#include <stdbool.h>

#include "base/error.h"

struct modbus_server;

/* `port` 0: any free one. `tables` stay the caller's and outlive the server; addresses outside get the exception of the protocol. */
int modbus_server_open(const char *address, int port, modbus_mapping_t *tables, struct modbus_server **out) MUST_CHECK;
void modbus_server_close(struct modbus_server *m);
int modbus_server_port(const struct modbus_server *m);
/* Told after a client has written: the first register or coil and how many. True: it gets its answer, and a hearing for what it asks next, when
 * modbus_server_answer is called. */
void modbus_server_on_write(struct modbus_server *m, bool (*wrote)(void *arg, int at, int n), void *arg);
/* All that wait for their answer get it; not `done`: the exception for a device that failed. */
void modbus_server_answer(struct modbus_server *m, bool done);
void modbus_server_silent(struct modbus_server *m, bool silent); /* requests are read and not answered */

#endif
