/* Between a driver's pins (base/plugin.h: volts, amperes, seconds) and the outlet's (integers). No state. */
#ifndef AMPGATE_STATION_PINS_H
#define AMPGATE_STATION_PINS_H

#include "base/plugin.h"
#include "station/outlet.h"

/* What a driver says is there, as the outlet's configuration; ratings and times are the caller's and stay. */
void pins_describe(uint32_t has, struct outlet_conf *conf);
/* The measured part of `in`; what the station wants stays. */
void pins_read(const ag_pins *p, struct outlet_in *in);
void pins_write(const struct outlet_out *out, ag_drive *d);

#endif
