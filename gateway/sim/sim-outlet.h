/* The simulated outlet as a driver: cable, car, contactors and meter of station/rig.h behind the pins of base/plugin.h. */
#ifndef AMPGATE_GATEWAY_SIM_OUTLET_H
#define AMPGATE_GATEWAY_SIM_OUTLET_H

#include "base/plugin.h"

const ag_plugin *plugin_sim_outlet(void);

#endif
