/* The plugins that are built in. */
#ifndef AMPGATE_PLUGINS_PLUGINS_H
#define AMPGATE_PLUGINS_PLUGINS_H

#include "base/plugin.h"

const ag_plugin *plugin_gpio_input(void);   /* AG_GRID: a contact on a line of a GPIO chip */
const ag_plugin *plugin_gpio_relay(void);   /* AG_EVSE: contactors on lines of a GPIO chip */
const ag_plugin *plugin_modbus(void);       /* AG_METER: meters over Modbus TCP and RTU */
const ag_plugin *plugin_modbus_evse(void);  /* AG_EVSE: charge controllers by register maps */
const ag_plugin *plugin_modbus_relay(void); /* AG_EVSE: contactors on a Modbus relay board */
const ag_plugin *plugin_modbus_input(void); /* AG_GRID: contacts and registers of a Modbus device */
const ag_plugin *plugin_modbus_scan(void);  /* AG_SCAN: what answers on a Modbus bus */
const ag_plugin *plugin_mqtt(void);         /* AG_SINK: an MQTT broker */
const ag_plugin *plugin_pilot_board(void);  /* AG_EVSE: boards with a control pilot on a serial line */
const ag_plugin *plugin_reader_keyboard(void); /* AG_AUTH: card readers that type */
const ag_plugin *plugin_reader_serial(void);   /* AG_AUTH: card readers that send lines */
const ag_plugin *plugin_sparkplug(void);    /* AG_SINK: an MQTT broker, as Sparkplug B; where the program is built with it */
const ag_plugin *plugin_sim(void);          /* AG_METER, AG_EVSE: simulated, for tests and the demo */

#endif
