/* One row per family: name, type, help, and who writes its samples. Rows without a writer are counts in base/stats under their name.
 *
 * Easy to get wrong: in OpenMetrics a counter's family is named without _total while its samples have it, and the text ends with # EOF. */
#include "gateway/http/metrics.h"

#include <dirent.h>
#include <math.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "config.h"
#include "gateway/pki/expiry.h"
#include "gateway/http/users.h"
#include "gateway/conf/configuration.h"
#include "gateway/manage/checks.h"
#include "gateway/mqtt/sinks.h"
#include "gateway/power/balance.h"
#include "gateway/power/grid-inputs.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/plug/host.h"
#include "gateway/session/session.h"
#include "gateway/session/trace.h"
#include "storage/outbox.h"

#define P "ampgate_"
#define LAG_US (US_PER_S / 4)
#define JOULES 3600.0 /* of a watt-hour */

static const char *const phases[] = { "L1", "L2", "L3" };

struct writing {
	struct gateway *g;
	struct buf *out;
	const char *name; /* of the samples */
};

typedef void write_samples(struct writing *w);

static struct {
	struct gateway *g;
	struct trace_listener trace;
	struct timer lag;
	int64_t lag_due_us, cycle_us;
	int64_t *over_since_us; /* by node; 0: within its limit */
	size_t n_nodes;
	bool open;
} mt;

/* --- samples --- */

static void put_value(struct buf *out, double v)
{
	if (v == floor(v) && fabs(v) < 1e15)
		buf_printf(out, " %.0f\n", v);
	else
		buf_printf(out, " %.10g\n", v);
}

/* Labels as pairs of name and value, ending with NULL; a value that is not known is left out altogether. */
static void sample(struct writing *w, double value, ...)
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

static double amps(int32_t ma)
{
	return ma == MA_NONE ? NAN : ma / 1000.0;
}

/* --- the program --- */

static void write_build(struct writing *w)
{
	sample(w, 1, "version", PACKAGE_VERSION, "revision", w->g->boot_id[0] ? PACKAGE_VERSION : "", "openssl", OpenSSL_version(OPENSSL_VERSION_STRING), NULL);
}

static void write_start(struct writing *w)
{
	sample(w, (double)(clock_wall_us() - (clock_mono_us() - w->g->started_us)) / US_PER_S, NULL);
}

static void see_ready(void *arg, const char *name, enum check_state state, const char *detail)
{
	bool *ready = arg;
	(void)name, (void)detail;
	*ready &= state != CHECK_CRITICAL;
}

static void write_ready(struct writing *w)
{
	bool ready = true;
	checks_run(w->g, see_ready, &ready);
	sample(w, ready, NULL);
}

static void see_check(void *arg, const char *name, enum check_state state, const char *detail)
{
	(void)detail;
	sample(arg, state, "check", name, NULL);
}

static void write_checks(struct writing *w)
{
	checks_run(w->g, see_check, w);
}

static void write_generation(struct writing *w)
{
	struct config_view v;
	config_view(&v);
	sample(w, v.generation ? v.generation : NAN, NULL);
}

static void write_reload(struct writing *w)
{
	struct config_view v;
	config_view(&v);
	sample(w, !v.fault && !v.safe_mode && !v.last_good, NULL);
}

static void write_clock(struct writing *w)
{
	sample(w, clock_trusted(), NULL);
}

static void write_clock_offset(struct writing *w)
{
	static const char *const sources[] = { "kernel", "csms" };
	for (int i = 0; i < 2; i++) {
		int64_t us;
		if (clock_offset_us(i, &us) == 0)
			sample(w, (double)us / US_PER_S, "source", sources[i], NULL);
	}
}

static void see_plugin(void *arg, const struct host_plugin *p)
{
	sample(arg, p->failing == 0, "plugin", p->name, "version", p->version ? p->version : "", NULL);
}

static void write_plugins(struct writing *w)
{
	host_plugins(w->g->host, see_plugin, w);
}

static void write_db_size(struct writing *w)
{
	struct store_stats s;
	store_get_stats(w->g->store, &s);
	sample(w, (double)s.file_bytes, NULL);
}

static void write_db_errors(struct writing *w)
{
	struct store_stats s;
	store_get_stats(w->g->store, &s);
	sample(w, (double)s.errors, NULL);
}

static void write_db_commits(struct writing *w)
{
	struct store_stats s;
	store_get_stats(w->g->store, &s);
	sample(w, (double)s.commits, NULL);
}

static void write_db_commit_time(struct writing *w)
{
	struct store_stats s;
	store_get_stats(w->g->store, &s);
	sample(w, (double)s.last_commit_us / US_PER_S, NULL);
}

static void write_logins(struct writing *w)
{
	static const char *const results[] = { "ok", "wrong", "wait", "failed" };
	for (int i = 0; i <= LOGIN_FAILED; i++)
		sample(w, (double)users_attempts()[i], "result", results[i], NULL);
}

static void see_certificate(void *arg, const struct expiry_view *v)
{
	sample(arg, (double)(v->facts.ends_us / US_PER_S), "use", v->use, "name", v->name, "subject", v->facts.subject, "serial", v->facts.serial, NULL);
}

static void write_certificates(struct writing *w)
{
	expiry_each(see_certificate, w);
}

static void write_rss(struct writing *w)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;
	if (f && fscanf(f, "%*s %ld", &pages) == 1)
		sample(w, (double)pages * (double)sysconf(_SC_PAGESIZE), NULL);
	if (f)
		fclose(f);
}

static void write_cpu(struct writing *w)
{
	struct rusage u;
	if (getrusage(RUSAGE_SELF, &u) == 0)
		sample(w, (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6, NULL);
}

static void write_fds(struct writing *w)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = -3; /* ".", ".." and this one */
	if (!dir)
		return;
	while (readdir(dir))
		n++;
	closedir(dir);
	sample(w, n, NULL);
}

/* --- stations --- */

static void each_session(struct writing *w, void (*see)(struct writing *w, struct session *s))
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&w->g->sessions, &at, NULL)))
		see(w, s);
}

static const char *state_of(const struct session *s)
{
	return !s->link ? "offline" : s->rejected ? "rejected" : s->accepted ? "online" : "pending";
}

static void write_stations(struct writing *w)
{
	static const char *const states[] = { "online", "offline", "pending", "rejected" };
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		size_t at = 0;
		int n = 0;
		struct session *s;
		while ((s = map_next(&w->g->sessions, &at, NULL)))
			n += strcmp(state_of(s), states[i]) == 0;
		sample(w, n, "state", states[i], NULL);
	}
}

static void see_up(struct writing *w, struct session *s)
{
	sample(w, s->link != NULL, "station", s->id, NULL);
}

static void write_station_up(struct writing *w)
{
	each_session(w, see_up);
}

static void see_info(struct writing *w, struct session *s)
{
	sample(w, 1, "station", s->id, "vendor", s->vendor, "model", s->model, "firmware", s->firmware, "subprotocol", s->link ? version_subprotocol(s->version) : "", NULL);
}

static void write_station_info(struct writing *w)
{
	each_session(w, see_info);
}

static void see_connects(struct writing *w, struct session *s)
{
	sample(w, (double)s->link_number, "station", s->id, NULL);
}

static void write_connects(struct writing *w)
{
	each_session(w, see_connects);
}

static void see_faults(struct writing *w, struct session *s)
{
	sample(w, (double)s->faults, "station", s->id, NULL);
}

static void write_faults(struct writing *w)
{
	each_session(w, see_faults);
}

/* --- EVSEs --- */

typedef void see_evse(struct writing *w, struct session *s, int n, const struct evse_view *v);

static void each_evse(struct writing *w, see_evse *see)
{
	for (size_t i = 0; i < control_evses(w->g->control); i++) {
		struct evse_view v;
		control_evse_view(w->g->control, (int)i, &v);
		struct session *s = session_find(w->g, v.station);
		if (s && v.evse <= s->n_evses)
			see(w, s, v.evse, &v);
	}
}

static char *number(int n, char out[12])
{
	snprintf(out, 12, "%d", n);
	return out;
}

static void see_evse_state(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	(void)v;
	sample(w, 1, "station", s->id, "evse", number(n, t), "state", evse_state_text(s->evses[n].state), NULL);
}
static void write_evse_state(struct writing *w) { each_evse(w, see_evse_state); }

static void see_evse_current(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	for (int i = 0; v->drawn_at_us && i < v->n_lines; i++)
		sample(w, v->drawn_ma[i] / 1000.0, "station", s->id, "evse", number(n, t), "phase", phases[v->lines[i]], NULL);
}
static void write_evse_current(struct writing *w) { each_evse(w, see_evse_current); }

static void see_evse_limit(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	for (int i = 0; i < v->n_lines; i++)
		sample(w, v->grant.ma / 1000.0, "station", s->id, "evse", number(n, t), "phase", phases[v->lines[i]], NULL);
}
static void write_evse_limit(struct writing *w) { each_evse(w, see_evse_limit); }

static void see_evse_offered(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	sample(w, v->confirmed_ma < 0 ? NAN : v->confirmed_ma / 1000.0, "station", s->id, "evse", number(n, t), NULL);
}
static void write_evse_offered(struct writing *w) { each_evse(w, see_evse_offered); }

static void see_evse_reason(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	if (v->grant.binding.reason)
		sample(w, 1, "station", s->id, "evse", number(n, t), "reason", v->grant.binding.reason, NULL);
}
static void write_evse_reason(struct writing *w) { each_evse(w, see_evse_reason); }

static void see_evse_power(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	(void)v;
	sample(w, s->evses[n].power_w, "station", s->id, "evse", number(n, t), NULL);
}
static void write_evse_power(struct writing *w) { each_evse(w, see_evse_power); }

static void see_evse_energy(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	(void)v;
	sample(w, s->evses[n].energy_wh * JOULES, "station", s->id, "evse", number(n, t), NULL);
}
static void write_evse_energy(struct writing *w) { each_evse(w, see_evse_energy); }

static void see_unconfirmed(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	sample(w, v->sent_ma >= 0 && v->sent_ma != v->confirmed_ma, "station", s->id, "evse", number(n, t), NULL);
}
static void write_unconfirmed(struct writing *w) { each_evse(w, see_unconfirmed); }

static void write_active(struct writing *w)
{
	int n = 0;
	for (size_t i = 0; i < control_evses(w->g->control); i++) {
		struct evse_view v;
		control_evse_view(w->g->control, (int)i, &v);
		n += v.running;
	}
	sample(w, n, NULL);
}

/* --- circuits and meters --- */

typedef const struct milliamps *node_part(const struct node_view *v, struct milliamps *room);

static void each_phase(struct writing *w, node_part *part)
{
	for (size_t i = 0; i < control_nodes(w->g->control); i++) {
		struct node_view v;
		struct milliamps room;
		control_node_view(w->g->control, (int)i, &v);
		const struct milliamps *ma = part(&v, &room);
		for (int p = 0; p < 3; p++)
			if (v.limit.l[p])
				sample(w, amps(ma->l[p]), "circuit", v.id, "phase", phases[p], NULL);
	}
}

static const struct milliamps *measured(const struct node_view *v, struct milliamps *room) { (void)room; return &v->measured; }
static const struct milliamps *limit(const struct node_view *v, struct milliamps *room) { (void)room; return &v->limit; }
static const struct milliamps *headroom(const struct node_view *v, struct milliamps *room)
{
	for (int p = 0; p < 3; p++)
		room->l[p] = v->measured.l[p] == MA_NONE ? MA_NONE : v->limit.l[p] - v->measured.l[p];
	return room;
}

static void write_circuit_current(struct writing *w) { each_phase(w, measured); }
static void write_circuit_limit(struct writing *w) { each_phase(w, limit); }
static void write_circuit_headroom(struct writing *w) { each_phase(w, headroom); }

typedef void see_meter(struct writing *w, const struct meter_view *v);

static void each_meter(struct writing *w, see_meter *see)
{
	for (size_t i = 0; i < control_meters(w->g->control); i++) {
		struct meter_view v;
		control_meter_view(w->g->control, (int)i, clock_mono_us(), &v);
		see(w, &v);
	}
}

static void see_meter_up(struct writing *w, const struct meter_view *v) { sample(w, v->last.at_us && !v->stale, "meter", v->id, NULL); }
static void write_meter_up(struct writing *w) { each_meter(w, see_meter_up); }
static void see_meter_age(struct writing *w, const struct meter_view *v)
{
	sample(w, v->last.at_us ? (double)(clock_mono_us() - v->last.at_us) / US_PER_S : NAN, "meter", v->id, NULL);
}
static void write_meter_age(struct writing *w) { each_meter(w, see_meter_age); }
static void see_meter_power(struct writing *w, const struct meter_view *v)
{
	sample(w, v->last.at_us ? v->last.power_w : NAN, "meter", v->id, "phase", "sum", NULL);
}

static void write_meter_power(struct writing *w)
{
	each_meter(w, see_meter_power);
	for (size_t i = 0; i < control_meters(w->g->control); i++) {
		struct meter_view v;
		const ag_meter_sample *s = balance_sample((int)i);
		control_meter_view(w->g->control, (int)i, clock_mono_us(), &v);
		for (int p = 0; s && (s->valid & AG_P) && p < 3; p++)
			sample(w, s->p_w[p], "meter", v.id, "phase", phases[p], NULL);
	}
}
static void see_meter_energy(struct writing *w, const struct meter_view *v)
{
	if (!v->last.at_us)
		return;
	sample(w, v->last.import_wh * JOULES, "meter", v->id, "direction", "import", NULL);
	sample(w, v->last.export_wh * JOULES, "meter", v->id, "direction", "export", NULL);
}
static void write_meter_energy(struct writing *w) { each_meter(w, see_meter_energy); }

/* --- the grid operator --- */

static double watts(int64_t limit_w)
{
	return limit_w == GRID_FREE_W ? NAN : (double)limit_w;
}

static void write_grid_limit(struct writing *w)
{
	struct grid_now now;
	if (grid_inputs_now(&now))
		sample(w, watts(now.limit_w), NULL);
}

static void write_grid_limited(struct writing *w)
{
	struct grid_now now;
	if (grid_inputs_now(&now))
		sample(w, now.limit_w != GRID_FREE_W, NULL);
}

static void see_grid_limit(void *arg, const struct grid_input_view *v) { sample(arg, watts(v->limit_w), "input", v->id, NULL); }
static void write_grid_input_limit(struct writing *w) { grid_inputs_each(see_grid_limit, w); }
static void see_grid_limited(void *arg, const struct grid_input_view *v) { sample(arg, v->limit_w != GRID_FREE_W, "input", v->id, NULL); }
static void write_grid_input_limited(struct writing *w) { grid_inputs_each(see_grid_limited, w); }
static void see_grid_failed(void *arg, const struct grid_input_view *v) { sample(arg, v->fault || v->state == GRID_FAIL_SAFE, "input", v->id, NULL); }
static void write_grid_input_failed(struct writing *w) { grid_inputs_each(see_grid_failed, w); }

/* --- upwards --- */

static void write_uplink_up(struct writing *w)
{
	for (size_t i = 0; i < w->g->conf->n_uplinks; i++) {
		struct uplink_view v;
		char t[12];
		uplink_view(w->g->uplinks[i], &v);
		sample(w, v.state == UPLINK_UP, "uplink", v.id, "endpoint", number(v.endpoint, t), NULL);
	}
}

static void write_uplink_sessions(struct writing *w)
{
	for (size_t i = 0; i < w->g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(w->g->uplinks[i], &v);
		sample(w, (double)v.lanes_up, "uplink", v.id, "state", "up", NULL);
		sample(w, (double)(v.lanes - v.lanes_up), "uplink", v.id, "state", "down", NULL);
	}
}

static void write_handshakes(struct writing *w)
{
	for (size_t i = 0; i < w->g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(w->g->uplinks[i], &v);
		if (!v.tls.handshakes)
			continue;
		sample(w, (double)(v.tls.handshakes - v.tls.resumed), "uplink", v.id, "kind", "full", NULL);
		sample(w, (double)v.tls.resumed, "uplink", v.id, "kind", "resumed", NULL);
	}
}

static void write_uplink_rtt(struct writing *w)
{
	for (size_t i = 0; i < w->g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(w->g->uplinks[i], &v);
		sample(w, v.rtt_us ? (double)v.rtt_us / US_PER_S : NAN, "uplink", v.id, NULL);
	}
}

static void write_queue(struct writing *w)
{
	sample(w, (double)outbox_count(w->g->store, NULL), "kind", "waiting", NULL);
	sample(w, (double)outbox_parked(w->g->store), "kind", "parked", NULL);
}

static void write_queue_age(struct writing *w)
{
	int64_t oldest = outbox_oldest_us(w->g->store);
	sample(w, oldest ? (double)(clock_wall_us() - oldest) / US_PER_S : 0, NULL);
}

static void write_mqtt_backlog(struct writing *w)
{
	if (w->g->conf->mqtt.url)
		sample(w, (double)sinks_waiting(), NULL);
}

static void write_mqtt(struct writing *w)
{
	sample(w, telemetry_up(), NULL);
}

/* --- the families --- */

enum type { GAUGE, COUNTER, HISTOGRAM, INFO };
static const struct family {
	const char *name; /* of a counter with its _total */
	enum type type;
	const char *help;
	write_samples *write; /* NULL: from base/stats */
} families[] = {
	{ P "build_info", GAUGE, "What is running", write_build },
	{ P "start_time_seconds", GAUGE, "When it was started, since 1970", write_start },
	{ P "ready", GAUGE, "1 when no check is critical", write_ready },
	{ P "check", GAUGE, "Each named check: 0 ok, 1 warning, 2 critical", write_checks },
	{ P "config_generation", GAUGE, "Number of the configuration in force", write_generation },
	{ P "config_last_reload_success", GAUGE, "1 when the files as they were last read are in force", write_reload },
	{ P "clock_synchronized", GAUGE, "1 when the clock may be served to stations", write_clock },
	{ P "clock_offset_seconds", GAUGE, "How far the system's clock is ahead, by who says so", write_clock_offset },
	{ P "loop_lag_seconds", HISTOGRAM, "How late the event loop is", NULL },
	{ P "db_size_bytes", GAUGE, "Size of the database", write_db_size },
	{ P "db_commits_total", COUNTER, "Groups of changes committed", write_db_commits },
	{ P "db_last_commit_duration_seconds", GAUGE, "What the last commit took", write_db_commit_time },
	{ P "db_commit_duration_seconds", HISTOGRAM, "What commits take", NULL },
	{ P "db_errors_total", COUNTER, "Changes that could not be stored", write_db_errors },
	{ P "plugin_up", GAUGE, "1 when nothing that the plugin drives fails", write_plugins },
	{ P "login_attempts_total", COUNTER, "Logins at the console", write_logins },
	{ P "stations", GAUGE, "Stations by state", write_stations },
	{ P "station_up", GAUGE, "1 when the station is connected", write_station_up },
	{ P "station_info", GAUGE, "What the station says that it is", write_station_info },
	{ P "station_refusals_total", COUNTER, "Connections of stations that were not let in", NULL },
	{ P "station_connects_total", COUNTER, "Connections of the station", write_connects },
	{ P "station_unreadable_total", COUNTER, "Frames of the station that were none", write_faults },
	{ P "station_limit_unconfirmed", GAUGE, "1 while the station has not confirmed its last limit", write_unconfirmed },
	{ P "evse_state", GAUGE, "1 for the state the EVSE is in", write_evse_state },
	{ P "evse_current_amperes", GAUGE, "Current drawn, by phase of the grid", write_evse_current },
	{ P "evse_limit_amperes", GAUGE, "Current granted, by phase of the grid", write_evse_limit },
	{ P "evse_offered_amperes", GAUGE, "Limit that the station has confirmed", write_evse_offered },
	{ P "evse_limit_reason", GAUGE, "1 for the reason of the limit in force", write_evse_reason },
	{ P "evse_power_watts", GAUGE, "Power drawn", write_evse_power },
	{ P "evse_energy_joules_total", COUNTER, "Register of the EVSE's meter", write_evse_energy },
	{ P "evse_waiting_seconds_total", COUNTER, "Time a car waited for its turn", NULL },
	{ P "circuit_current_amperes", GAUGE, "Measured current", write_circuit_current },
	{ P "circuit_limit_amperes", GAUGE, "Limit in force", write_circuit_limit },
	{ P "circuit_headroom_amperes", GAUGE, "What is left below the limit", write_circuit_headroom },
	{ P "circuit_over_limit_seconds_total", COUNTER, "Time above the limit", NULL },
	{ P "circuit_binding_seconds_total", COUNTER, "Time for which the circuit limited somebody", NULL },
	{ P "balancing_cycle_duration_seconds", HISTOGRAM, "What a balancing cycle takes", NULL },
	{ P "balancing_reaction_seconds", HISTOGRAM, "From a circuit over its limit to within it again", NULL },
	{ P "grid_limit_watts", GAUGE, "Limit of the grid operator in force, fail-safes included; none while there is none", write_grid_limit },
	{ P "grid_limited", GAUGE, "1 while a limit of the grid operator is in force", write_grid_limited },
	{ P "grid_input_limit_watts", GAUGE, "What this input of the grid operator allows, by its word or its fail-safe; none: anything", write_grid_input_limit },
	{ P "grid_input_limited", GAUGE, "1 while this input limits", write_grid_input_limited },
	{ P "grid_input_failed", GAUGE, "1 while this input cannot be heard, or is in its fail-safe", write_grid_input_failed },
	{ P "meter_up", GAUGE, "1 when its readings are fresh", write_meter_up },
	{ P "meter_age_seconds", GAUGE, "Age of the last reading", write_meter_age },
	{ P "meter_power_watts", GAUGE, "Power, import positive", write_meter_power },
	{ P "meter_energy_joules_total", COUNTER, "Registers of the meter", write_meter_energy },
	{ P "meter_requests_total", COUNTER, "Readings by result", NULL },
	{ P "uplink_up", GAUGE, "1 when it is up, with the endpoint in use", write_uplink_up },
	{ P "uplink_sessions", GAUGE, "Lanes of stations by state", write_uplink_sessions },
	{ P "uplink_tls_handshakes_total", COUNTER, "TLS handshakes with the CSMS: full, or resuming a session from before", write_handshakes },
	{ P "tls_staples_total", COUNTER, "What authorities said of certificates of the CSMS, stapled to its handshakes", NULL },
	{ P "uplink_connects_total", COUNTER, "Connections of lanes, by endpoint and what became of them", NULL },
	{ P "uplink_rtt_seconds", GAUGE, "From a ping to its pong, on the fastest lane", write_uplink_rtt },
	{ P "queue_messages", GAUGE, "Messages that the CSMS has not confirmed", write_queue },
	{ P "queue_oldest_age_seconds", GAUGE, "Age of the oldest of them", write_queue_age },
	{ P "queue_delivered_total", COUNTER, "Messages that the CSMS confirmed", NULL },
	{ P "transactions_active", GAUGE, "Transactions that run", write_active },
	{ P "transactions_total", COUNTER, "Transactions that ended", NULL },
	{ P "authorizations_total", COUNTER, "Answers about tokens, by who gave them", NULL },
	{ P "ocpp_messages_total", COUNTER, "Frames, seen from the box", NULL },
	{ P "ocpp_errors_total", COUNTER, "CALLERRORs and frames that were none", NULL },
	{ P "ocpp_call_duration_seconds", HISTOGRAM, "From a CALL to its answer", NULL },
	{ P "mqtt_up", GAUGE, "1 when the broker is connected", write_mqtt },
	{ P "mqtt_messages_total", COUNTER, "Messages handed to the broker's client, and commands from it", NULL },
	{ P "mqtt_backlog_messages", GAUGE, "Events that the broker does not have yet", write_mqtt_backlog },
	{ P "tls_certificate_expiry_timestamp_seconds", GAUGE, "When the certificate ends", write_certificates },
	{ "process_resident_memory_bytes", GAUGE, "Memory in use", write_rss },
	{ "process_cpu_seconds_total", COUNTER, "Processor time used", write_cpu },
	{ "process_open_fds", GAUGE, "Open descriptors", write_fds },
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

/* --- what is counted as it happens --- */

static void on_trace(void *arg, const struct trace_rec *r)
{
	static const char *const types[] = { "unreadable", "", "call", "result", "error", "result_error", "send" };
	const char *side = r->side == TRACE_STATION ? "station" : "csms";
	struct buf labels = { 0 };
	char *action = mem_text(r->action.n && r->action.n < 64 ? r->action : SLICE("-"));
	(void)arg;
	stats_label(&labels, "side", side);
	stats_label(&labels, "direction", r->way == TRACE_RX ? "rx" : "tx");
	stats_label(&labels, "type", r->kind >= 0 && r->kind <= 6 ? types[r->kind] : types[0]);
	stats_label(&labels, "action", r->verdict == TRACE_MALFORMED ? "-" : action);
	stats_add(P "ocpp_messages_total", labels.p, 1);
	buf_reset(&labels);
	stats_label(&labels, "side", side);
	if (r->rtt_us > 0)
		stats_observe(P "ocpp_call_duration_seconds", labels.p, (double)r->rtt_us / US_PER_S);
	stats_label(&labels, "code", r->verdict == TRACE_MALFORMED ? "malformed" : "error");
	if (r->verdict == TRACE_MALFORMED || r->kind == 4 || r->kind == 5)
		stats_add(P "ocpp_errors_total", labels.p, 1);
	mem_free(action);
	buf_free(&labels);
}

static void count_node(struct gateway *g, int i, double s, int64_t now)
{
	struct node_view v;
	struct buf labels = { 0 };
	bool over = false;
	control_node_view(g->control, i, &v);
	stats_label(&labels, "circuit", v.id);
	stats_add(P "circuit_binding_seconds_total", labels.p, v.binding ? s : 0);
	for (int p = 0; p < 3; p++) {
		if (!v.limit.l[p] || v.measured.l[p] == MA_NONE)
			continue;
		bool here = v.measured.l[p] > v.limit.l[p];
		over |= here;
		buf_reset(&labels);
		stats_label(&labels, "circuit", v.id);
		stats_label(&labels, "phase", phases[p]);
		stats_add(P "circuit_over_limit_seconds_total", labels.p, here ? s : 0);
	}
	if (over && !mt.over_since_us[i])
		mt.over_since_us[i] = now;
	if (!over && mt.over_since_us[i]) {
		stats_observe(P "balancing_reaction_seconds", "", (double)(now - mt.over_since_us[i]) / US_PER_S);
		mt.over_since_us[i] = 0;
	}
	buf_free(&labels);
}

static void count_evse(struct gateway *g, int i, double s)
{
	struct evse_view v;
	struct buf labels = { 0 };
	char t[12];
	control_evse_view(g->control, i, &v);
	if (v.waiting) {
		stats_label(&labels, "station", v.station);
		stats_label(&labels, "evse", number(v.evse, t));
		stats_add(P "evse_waiting_seconds_total", labels.p, s);
	}
	buf_free(&labels);
}

void metrics_cycle(struct gateway *g, int64_t took_us)
{
	int64_t now = clock_mono_us();
	double s = mt.cycle_us ? (double)(now - mt.cycle_us) / US_PER_S : 0;
	if (!mt.open)
		return;
	mt.cycle_us = now;
	if (control_nodes(g->control) != mt.n_nodes) { /* another configuration */
		mem_free(mt.over_since_us);
		mt.n_nodes = control_nodes(g->control);
		mt.over_since_us = mem_new((mt.n_nodes + 1) * sizeof(*mt.over_since_us));
	}
	stats_observe(P "balancing_cycle_duration_seconds", "", (double)took_us / US_PER_S);
	for (size_t i = 0; i < control_nodes(g->control); i++)
		count_node(g, (int)i, s, now);
	for (size_t i = 0; i < control_evses(g->control); i++)
		count_evse(g, (int)i, s);
}

static void on_lag(void *arg)
{
	int64_t now = clock_mono_us();
	(void)arg;
	stats_observe(P "loop_lag_seconds", "", (double)(now > mt.lag_due_us ? now - mt.lag_due_us : 0) / US_PER_S);
	mt.lag_due_us = now + LAG_US;
	timer_set(&mt.lag, LAG_US, on_lag, NULL);
}

void metrics_open(struct gateway *g)
{
	mt.g = g;
	mt.open = true;
	stats_open();
	mt.n_nodes = control_nodes(g->control);
	mt.over_since_us = mem_new((mt.n_nodes + 1) * sizeof(*mt.over_since_us));
	mt.trace = (struct trace_listener){ .see = on_trace };
	trace_listen(&mt.trace);
	mt.lag_due_us = clock_mono_us() + LAG_US;
	timer_set(&mt.lag, LAG_US, on_lag, NULL);
}

void metrics_close(void)
{
	if (!mt.open)
		return;
	trace_unlisten(&mt.trace);
	timer_cancel(&mt.lag);
	mem_free(mt.over_since_us);
	memset(&mt, 0, sizeof(mt));
	stats_free();
}
