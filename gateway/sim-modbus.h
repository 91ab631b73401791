/* A Modbus TCP server that never blocks: its tables are filled by the owner and answered by libmodbus. One unit, or any. Loop thread. */
#ifndef AMPGATE_GATEWAY_SIM_MODBUS_H
#define AMPGATE_GATEWAY_SIM_MODBUS_H

#include <modbus/modbus.h>
#include <stdbool.h>

#include "base/error.h"

struct sim_modbus;

/* `port` 0: any free one. `tables` stay the caller's and outlive the server; addresses outside get the exception of the protocol. */
int sim_modbus_open(const char *address, int port, modbus_mapping_t *tables, struct sim_modbus **out) MUST_CHECK;
void sim_modbus_close(struct sim_modbus *m);
int sim_modbus_port(const struct sim_modbus *m);
void sim_modbus_silent(struct sim_modbus *m, bool silent); /* requests are read and not answered */

#endif
