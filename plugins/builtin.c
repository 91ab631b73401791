/* The drivers that need no module: a plugin of this folder is known to the program by its row here. */
#include "base/builtin.h"

#include <stddef.h>

#include "plugins/plugins.h"

const struct builtin builtins[] = {
	{ "modbus-tcp", plugin_modbus },
	{ "modbus-rtu", plugin_modbus },
	{ "modbus-relay", plugin_modbus_relay },
	{ "mqtt", plugin_mqtt },
	{ "sim", plugin_sim },
	{ NULL, NULL },
};
