/* One row per family: name, type, help, and who writes its samples, a function of metrics-*.c by subject. Rows without a writer are counts in
 * base/stats under their name (metrics-count.c).
 *
 * Easy to get wrong: in OpenMetrics a counter's family is named without _total while its samples have it, and the text ends with # EOF. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/stats.h"
#include "gateway/http/metrics-local.h"

const char *const metric_phases[3] = { "L1", "L2", "L3" };

/* --- samples --- */

static void put_value(struct buf *out, double v)
{
	if (v == floor(v) && fabs(v) < 1e15)
		buf_printf(out, " %.0f\n", v);
	else
		buf_printf(out, " %.10g\n", v);
}

void metric_sample(struct writing *w, double value, ...)
{
	struct buf labels = { 0 };
	const char *name;
	va_list ap;
	if (isnan(value))
		return;
	va_start(ap, value);
	while ((name = va_arg(ap, const char *)))
		stats_label(&labels, name, va_arg(ap, const char *));
	va_end(ap);
	buf_puts(w->out, w->name);
	if (labels.n)
		buf_printf(w->out, "{%s}", labels.p);
	put_value(w->out, value);
	buf_free(&labels);
}

double metric_amps(int32_t ma)
{
	return ma == MA_NONE ? NAN : ma / 1000.0;
}

char *metric_number(int n, char out[12])
{
	snprintf(out, 12, "%d", n);
	return out;
}

/* --- the families --- */

enum type { GAUGE, COUNTER, HISTOGRAM, INFO };
static const struct family {
	const char *name; /* of a counter with its _total */
	enum type type;
	const char *help;
	write_samples *write; /* NULL: from base/stats */
} families[] = {
	{ P "build_info", GAUGE, "What is running", metric_build },
	{ P "start_time_seconds", GAUGE, "When it was started, since 1970", metric_start },
	{ P "ready", GAUGE, "1 when no check is critical", metric_ready },
	{ P "check", GAUGE, "Each named check: 0 ok, 1 warning, 2 critical", metric_checks },
	{ P "config_generation", GAUGE, "Number of the configuration in force", metric_generation },
	{ P "config_last_reload_success", GAUGE, "1 when the files as they were last read are in force", metric_reload },
	{ P "clock_synchronized", GAUGE, "1 when the clock may be served to stations", metric_clock },
	{ P "clock_offset_seconds", GAUGE, "How far the system's clock is ahead, by who says so", metric_clock_offset },
	{ P "loop_lag_seconds", HISTOGRAM, "How late the event loop is", NULL },
	{ P "db_size_bytes", GAUGE, "Size of the database", metric_db_size },
	{ P "db_commits_total", COUNTER, "Groups of changes committed", metric_db_commits },
	{ P "db_last_commit_duration_seconds", GAUGE, "What the last commit took", metric_db_commit_time },
	{ P "db_commit_duration_seconds", HISTOGRAM, "What commits take", NULL },
	{ P "db_errors_total", COUNTER, "Changes that could not be stored", metric_db_errors },
	{ P "plugin_up", GAUGE, "1 when nothing that the plugin drives fails", metric_plugins },
	{ P "login_attempts_total", COUNTER, "Logins at the console", metric_logins },
	{ P "stations", GAUGE, "Stations by state", metric_stations },
	{ P "station_up", GAUGE, "1 when the station is connected", metric_station_up },
	{ P "station_info", GAUGE, "What the station says that it is", metric_station_info },
	{ P "station_refusals_total", COUNTER, "Connections of stations that were not let in", NULL },
	{ P "station_connects_total", COUNTER, "Connections of the station", metric_connects },
	{ P "station_unreadable_total", COUNTER, "Frames of the station that were none", metric_faults },
	{ P "station_limit_unconfirmed", GAUGE, "1 while the station has not confirmed its last limit", metric_unconfirmed },
	{ P "evse_state", GAUGE, "1 for the state the EVSE is in", metric_evse_state },
	{ P "evse_current_amperes", GAUGE, "Current drawn, by phase of the grid", metric_evse_current },
	{ P "evse_limit_amperes", GAUGE, "Current granted, by phase of the grid", metric_evse_limit },
	{ P "evse_offered_amperes", GAUGE, "Limit that the station has confirmed", metric_evse_offered },
	{ P "evse_limit_reason", GAUGE, "1 for the reason of the limit in force", metric_evse_reason },
	{ P "evse_power_watts", GAUGE, "Power drawn", metric_evse_power },
	{ P "evse_energy_joules_total", COUNTER, "Register of the EVSE's meter", metric_evse_energy },
	{ P "evse_waiting_seconds_total", COUNTER, "Time a car waited for its turn", NULL },
	{ P "circuit_current_amperes", GAUGE, "Measured current", metric_circuit_current },
	{ P "circuit_limit_amperes", GAUGE, "Limit in force", metric_circuit_limit },
	{ P "circuit_headroom_amperes", GAUGE, "What is left below the limit", metric_circuit_headroom },
	{ P "circuit_over_limit_seconds_total", COUNTER, "Time above the limit", NULL },
	{ P "circuit_binding_seconds_total", COUNTER, "Time for which the circuit limited somebody", NULL },
	{ P "balancing_cycle_duration_seconds", HISTOGRAM, "What a balancing cycle takes", NULL },
	{ P "balancing_reaction_seconds", HISTOGRAM, "From a circuit over its limit to within it again", NULL },
	{ P "grid_limit_watts", GAUGE, "Limit of the grid operator in force, fail-safes included; none while there is none", metric_grid_limit },
	{ P "grid_limited", GAUGE, "1 while a limit of the grid operator is in force", metric_grid_limited },
	{ P "grid_input_limit_watts", GAUGE, "What this input of the grid operator allows, by its word or its fail-safe; none: anything", metric_grid_input_limit },
	{ P "grid_input_limited", GAUGE, "1 while this input limits", metric_grid_input_limited },
	{ P "grid_input_failed", GAUGE, "1 while this input cannot be heard, or is in its fail-safe", metric_grid_input_failed },
	{ P "meter_up", GAUGE, "1 when its readings are fresh", metric_meter_up },
	{ P "meter_age_seconds", GAUGE, "Age of the last reading", metric_meter_age },
	{ P "meter_power_watts", GAUGE, "Power, import positive", metric_meter_power },
	{ P "meter_energy_joules_total", COUNTER, "Registers of the meter", metric_meter_energy },
	{ P "meter_requests_total", COUNTER, "Readings by result", NULL },
	{ P "uplink_up", GAUGE, "1 when it is up, with the endpoint in use", metric_uplink_up },
	{ P "uplink_sessions", GAUGE, "Lanes of stations by state", metric_uplink_sessions },
	{ P "uplink_tls_handshakes_total", COUNTER, "TLS handshakes with the CSMS: full, or resuming a session from before", metric_handshakes },
	{ P "tls_staples_total", COUNTER, "What authorities said of certificates of the CSMS, stapled to its handshakes", NULL },
	{ P "uplink_connects_total", COUNTER, "Connections of lanes, by endpoint and what became of them", NULL },
	{ P "uplink_rtt_seconds", GAUGE, "From a ping to its pong, on the fastest lane", metric_uplink_rtt },
	{ P "queue_messages", GAUGE, "Messages that the CSMS has not confirmed", metric_queue },
	{ P "queue_oldest_age_seconds", GAUGE, "Age of the oldest of them", metric_queue_age },
	{ P "queue_delivered_total", COUNTER, "Messages that the CSMS confirmed", NULL },
	{ P "transactions_active", GAUGE, "Transactions that run", metric_active },
	{ P "transactions_total", COUNTER, "Transactions that ended", NULL },
	{ P "authorizations_total", COUNTER, "Answers about tokens, by who gave them", NULL },
	{ P "ocpp_messages_total", COUNTER, "Frames, seen from the box", NULL },
	{ P "ocpp_errors_total", COUNTER, "CALLERRORs and frames that were none", NULL },
	{ P "ocpp_call_duration_seconds", HISTOGRAM, "From a CALL to its answer", NULL },
	{ P "mqtt_up", GAUGE, "1 when the broker is connected", metric_mqtt },
	{ P "mqtt_messages_total", COUNTER, "Messages handed to the broker's client, and commands from it", NULL },
	{ P "mqtt_backlog_messages", GAUGE, "Events that the broker does not have yet", metric_mqtt_backlog },
	{ P "tls_certificate_expiry_timestamp_seconds", GAUGE, "When the certificate ends", metric_certificates },
	{ "process_resident_memory_bytes", GAUGE, "Memory in use", metric_rss },
	{ "process_cpu_seconds_total", COUNTER, "Processor time used", metric_cpu },
	{ "process_open_fds", GAUGE, "Open descriptors", metric_fds },
};

static void put_series(void *arg, const struct stats_series *s)
{
	struct writing *w = arg;
	buf_puts(w->out, w->name);
	if (s->labels[0])
		buf_printf(w->out, "{%s}", s->labels);
	put_value(w->out, s->sum);
}

static void put_part(struct writing *w, const char *suffix, const struct stats_series *s, const char *le, double value)
{
	buf_printf(w->out, "%s%s", w->name, suffix);
	if (s->labels[0] || le)
		buf_printf(w->out, "{%s%s%s%s%s}", s->labels, s->labels[0] && le ? "," : "", le ? "le=\"" : "", le ? le : "", le ? "\"" : "");
	put_value(w->out, value);
}

static void put_histogram(void *arg, const struct stats_series *s)
{
	uint64_t below = 0;
	for (size_t i = 0; i < STATS_BUCKETS; i++) {
		char le[24];
		below += s->below[i];
		snprintf(le, sizeof(le), "%g", stats_bounds[i]);
		put_part(arg, "_bucket", s, le, (double)below);
	}
	put_part(arg, "_bucket", s, "+Inf", (double)s->count);
	put_part(arg, "_sum", s, NULL, s->sum);
	put_part(arg, "_count", s, NULL, (double)s->count);
}

void metrics_each(struct gateway *g, void (*see)(void *arg, const char *name, const char *type, const char *help, struct slice samples), void *arg)
{
	static const char *const types[] = { "gauge", "counter", "histogram", "info" };
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct family *f = &families[i];
		struct buf samples = { 0 };
		struct writing w = { g, &samples, f->name };
		if (f->write)
			f->write(&w);
		else
			stats_each(f->name, f->type == HISTOGRAM ? put_histogram : put_series, &w);
		see(arg, f->name, types[f->type], f->help, samples.p ? buf_view(&samples) : SLICE(""));
		buf_free(&samples);
	}
}

struct text {
	struct buf *out;
	bool openmetrics;
};

/* A family of which nothing is known yet is not there. */
static void write_family(void *arg, const char *name, const char *type, const char *help, struct slice samples)
{
	struct text *t = arg;
	size_t n = strlen(name);
	if (t->openmetrics && strcmp(type, "counter") == 0)
		n -= strlen("_total");
	if (samples.n)
		buf_printf(t->out, "# HELP %.*s %s\n# TYPE %.*s %s\n%.*s", (int)n, name, help, (int)n, name, type, SLICE_ARG(samples));
}

void metrics_write(struct gateway *g, bool openmetrics, struct buf *out)
{
	struct text t = { out, openmetrics };
	metrics_each(g, write_family, &t);
	if (openmetrics)
		buf_puts(out, "# EOF\n");
}
