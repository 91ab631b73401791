/* The drivers that come with the program. */
#include "config.h"
#include "plugins/plugins.h"

const struct ag_builtin ag_builtins[] = {
	{ "modbus-tcp", plugin_modbus },
	{ "modbus-rtu", plugin_modbus },
	{ "gpio-input", plugin_gpio_input },
	{ "gpio-relay", plugin_gpio_relay },
	{ "modbus-evse", plugin_modbus_evse },
	{ "modbus-relay", plugin_modbus_relay },
	{ "modbus-input", plugin_modbus_input },
	{ "modbus-scan", plugin_modbus_scan },
	{ "mqtt", plugin_mqtt },
	{ "pilot-board", plugin_pilot_board },
	{ "reader-keyboard", plugin_reader_keyboard },
	{ "reader-serial", plugin_reader_serial },
	{ "sim", plugin_sim },
#if defined(HAVE_SPARKPLUG) && !defined(WITHOUT_SPARKPLUG)
	{ "sparkplug", plugin_sparkplug },
#endif
	{ 0 },
};
