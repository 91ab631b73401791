/* A simulated meter over Modbus TCP, with the register map of a real one. Its owner feeds it with currents and lets it count. Loop thread. */
#ifndef AMPGATE_GATEWAY_SIM_METER_H
#define AMPGATE_GATEWAY_SIM_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum sim_meter_model { SIM_SUNSPEC_203, SIM_SDM630, SIM_METER_MODELS };
enum sim_meter_mode {
	SIM_METER_WELL,
	SIM_METER_SILENT, /* takes requests and does not answer */
	SIM_METER_FROZEN  /* answers with the values of that moment */
};

struct sim_meter;

/* `port` 0: any free one. */
int sim_meter_open(enum sim_meter_model model, const char *address, int port, struct sim_meter **out) MUST_CHECK;
void sim_meter_close(struct sim_meter *m);
int sim_meter_port(const struct sim_meter *m);
int sim_meter_model_parse(const char *text); /* enum sim_meter_model, or ERR_INVALID */

/* These currents have flowed for dt_us and flow now: amperes, import positive; volts between line and neutral. */
void sim_meter_feed(struct sim_meter *m, const double i_a[3], double volts, int64_t dt_us);
/* Its current transformers: channel k sits on phase phase[k], turned round where reversed[k]. Voltages are wired right. */
void sim_meter_wiring(struct sim_meter *m, const uint8_t phase[3], const bool reversed[3]);
void sim_meter_mode(struct sim_meter *m, enum sim_meter_mode mode);

/* `ampgate sim meter ...`: exit status. */
int sim_meter_main(int argc, char **argv);

#endif
