/* Meter values: from what the hardware says now to the samples a message carries. Pure. */
#ifndef AMPGATE_STATION_SAMPLING_H
#define AMPGATE_STATION_SAMPLING_H

#include "ocpp/event.h"
#include "station/station.h"

#define SAMPLES_MOST 12 /* three phases of current and voltage, and what has no phase */

/* A set of measurands, as bits. */
typedef uint32_t measurands;
#define MEASURANDS_DEFAULT "Energy.Active.Import.Register,Current.Import,Voltage,Power.Active.Import"

/* Reads a list as in MeterValuesSampledData; "" is the empty set. ERR_INVALID: a measurand that this station does not measure. */
int sampling_parse(struct slice list, measurands *out) MUST_CHECK;

enum sampling_context { SAMPLE_PERIODIC, SAMPLE_BEGIN, SAMPLE_END, SAMPLE_CLOCK, SAMPLE_TRIGGER };

/* One set of samples taken at wall_us. What the hardware does not know is left out. The register is always first where it is wanted. */
size_t sampling_take(const struct evse_input *in, int phases, int32_t offered_ma, measurands wanted, enum sampling_context context,
                     int64_t wall_us, struct sample out[SAMPLES_MOST]);

#endif
