/* Inside the metrics: what writers of samples share, and the writers, which metrics.c has in its table of families. */
#ifndef AMPGATE_GATEWAY_METRICS_LOCAL_H
#define AMPGATE_GATEWAY_METRICS_LOCAL_H

#include "gateway/http/metrics.h"

#define P "ampgate_"
#define JOULES 3600.0 /* of a watt-hour */

struct writing {
	struct gateway *g;
	struct buf *out;
	const char *name; /* of the samples */
};
typedef void write_samples(struct writing *w);

/* Labels as pairs of name and value, ending with NULL; a value that is not known is left out altogether. */
void metric_sample(struct writing *w, double value, ...);
double metric_amps(int32_t ma);            /* NaN for MA_NONE */
char *metric_number(int n, char out[12]);  /* as text, for a label */
extern const char *const metric_phases[3];

/* metrics-box.c: the program and its ways out. */
write_samples metric_build, metric_start, metric_ready, metric_checks, metric_generation, metric_reload, metric_clock, metric_clock_offset,
	metric_plugins, metric_db_size, metric_db_errors, metric_db_commits, metric_db_commit_time, metric_logins, metric_certificates, metric_rss,
	metric_cpu, metric_fds, metric_uplink_up, metric_uplink_sessions, metric_handshakes, metric_uplink_rtt, metric_queue, metric_queue_age,
	metric_mqtt_backlog, metric_mqtt;
/* metrics-station.c: stations and EVSEs. */
write_samples metric_stations, metric_station_up, metric_station_info, metric_connects, metric_faults, metric_evse_state, metric_evse_current,
	metric_evse_limit, metric_evse_offered, metric_evse_reason, metric_evse_power, metric_evse_energy, metric_unconfirmed, metric_active;
/* metrics-site.c: circuits, meters, the grid operator. */
write_samples metric_circuit_current, metric_circuit_limit, metric_circuit_headroom, metric_meter_up, metric_meter_age, metric_meter_power,
	metric_meter_energy, metric_grid_limit, metric_grid_limited, metric_grid_input_limit, metric_grid_input_limited, metric_grid_input_failed;

#endif
