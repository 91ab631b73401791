/* Lists of sampled values, in both shapes: 1.6 writes values and units as text, 2.x numbers with a unit and a power of ten. Reading takes
 * either shape from either version, since stations mix them. Inside ocpp/ only. */
#ifndef AMPGATE_OCPP_SAMPLES_H
#define AMPGATE_OCPP_SAMPLES_H

#include "ocpp/bind.h"

#define SAMPLES_MOST 1024

/* `list`: the meterValue member; a single object counts as a list of one. What means nothing to us (other measurands, signed data, the
 * neutral wire, voltages between phases, a meter upstream, or the car's own) is left out. */
void samples_read(struct reading *r, const cJSON *list, struct event *out);

/* The list as member `key`; nothing where the event has no samples. */
void samples_write(struct writing *w, const char *key, const struct event *e);

#endif
