/* Samples of the program itself, of what it stores, and of its ways out: uplinks, queues, the broker. */
#include <dirent.h>
#include <math.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "config.h"
#include "gateway/conf/configuration.h"
#include "gateway/http/metrics-local.h"
#include "gateway/http/users.h"
#include "gateway/manage/checks.h"
#include "gateway/mqtt/sinks.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/pki/expiry.h"
#include "gateway/plug/host.h"
#include "gateway/session/session.h"
#include "storage/outbox.h"

/* --- the program --- */

void metric_build(struct writing *w)
{
	metric_sample(w, 1, "version", PACKAGE_VERSION, "revision", w->g->boot_id[0] ? PACKAGE_VERSION : "", "openssl", OpenSSL_version(OPENSSL_VERSION_STRING), NULL);
}

void metric_start(struct writing *w)
{
	metric_sample(w, (double)(clock_wall_us() - (clock_mono_us() - w->g->started_us)) / US_PER_S, NULL);
}

static void see_ready(void *arg, const char *name, enum check_state state, const char *detail)
{
	bool *ready = arg;
	(void)name, (void)detail;
	*ready &= state != CHECK_CRITICAL;
}

void metric_ready(struct writing *w)
{
	bool ready = true;
	checks_run(w->g, see_ready, &ready);
	metric_sample(w, ready, NULL);
}

static void see_check(void *arg, const char *name, enum check_state state, const char *detail)
{
	(void)detail;
	metric_sample(arg, state, "check", name, NULL);
}

void metric_checks(struct writing *w)
{
	checks_run(w->g, see_check, w);
}

void metric_generation(struct writing *w)
{
	struct config_view v;
	config_view(&v);
	metric_sample(w, v.generation ? v.generation : NAN, NULL);
}

void metric_reload(struct writing *w)
{
	struct config_view v;
	config_view(&v);
	metric_sample(w, !v.fault && !v.safe_mode && !v.last_good, NULL);
}

void metric_clock(struct writing *w)
{
	metric_sample(w, clock_trusted(), NULL);
}

void metric_clock_offset(struct writing *w)
{
	static const char *const sources[] = { "kernel", "csms" };
	for (int i = 0; i < 2; i++) {
		int64_t us;
		if (clock_offset_us(i, &us) == 0)
			metric_sample(w, (double)us / US_PER_S, "source", sources[i], NULL);
	}
}

static void see_plugin(void *arg, const struct host_plugin *p)
{
	metric_sample(arg, p->failing == 0, "plugin", p->name, "version", p->version ? p->version : "", NULL);
}

void metric_plugins(struct writing *w)
{
	host_plugins(w->g->host, see_plugin, w);
}

static struct store_stats stats_of(const struct writing *w)
{
	struct store_stats s;
	store_get_stats(w->g->store, &s);
	return s;
}

void metric_db_size(struct writing *w)
{
	metric_sample(w, (double)stats_of(w).file_bytes, NULL);
}

void metric_db_errors(struct writing *w)
{
	metric_sample(w, (double)stats_of(w).errors, NULL);
}

void metric_db_commits(struct writing *w)
{
	metric_sample(w, (double)stats_of(w).commits, NULL);
}

void metric_db_commit_time(struct writing *w)
{
	metric_sample(w, (double)stats_of(w).last_commit_us / US_PER_S, NULL);
}

void metric_logins(struct writing *w)
{
	static const char *const results[] = { "ok", "wrong", "wait", "failed" };
	for (int i = 0; i <= LOGIN_FAILED; i++)
		metric_sample(w, (double)users_attempts()[i], "result", results[i], NULL);
}

static void see_certificate(void *arg, const struct expiry_view *v)
{
	metric_sample(arg, (double)(v->facts.ends_us / US_PER_S), "use", v->use, "name", v->name, "subject", v->facts.subject, "serial", v->facts.serial, NULL);
}

void metric_certificates(struct writing *w)
{
	expiry_each(see_certificate, w);
}

void metric_rss(struct writing *w)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;
	if (f && fscanf(f, "%*s %ld", &pages) == 1)
		metric_sample(w, (double)pages * (double)sysconf(_SC_PAGESIZE), NULL);
	if (f)
		fclose(f);
}

void metric_cpu(struct writing *w)
{
	struct rusage u;
	if (getrusage(RUSAGE_SELF, &u) == 0)
		metric_sample(w, (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6, NULL);
}

void metric_fds(struct writing *w)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = -3; /* ".", ".." and this one */
	if (!dir)
		return;
	while (readdir(dir))
		n++;
	closedir(dir);
	metric_sample(w, n, NULL);
}

/* --- upwards --- */

void metric_uplink_up(struct writing *w)
{
	for (size_t i = 0; i < w->g->conf->n_uplinks; i++) {
		struct uplink_view v;
		char t[12];
		uplink_view(w->g->uplinks[i], &v);
		metric_sample(w, v.state == UPLINK_UP, "uplink", v.id, "endpoint", metric_number(v.endpoint, t), NULL);
	}
}

void metric_uplink_sessions(struct writing *w)
{
	for (size_t i = 0; i < w->g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(w->g->uplinks[i], &v);
		metric_sample(w, (double)v.lanes_up, "uplink", v.id, "state", "up", NULL);
		metric_sample(w, (double)(v.lanes - v.lanes_up), "uplink", v.id, "state", "down", NULL);
	}
}

void metric_handshakes(struct writing *w)
{
	for (size_t i = 0; i < w->g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(w->g->uplinks[i], &v);
		if (!v.tls.handshakes)
			continue;
		metric_sample(w, (double)(v.tls.handshakes - v.tls.resumed), "uplink", v.id, "kind", "full", NULL);
		metric_sample(w, (double)v.tls.resumed, "uplink", v.id, "kind", "resumed", NULL);
	}
}

void metric_uplink_rtt(struct writing *w)
{
	for (size_t i = 0; i < w->g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(w->g->uplinks[i], &v);
		metric_sample(w, v.rtt_us ? (double)v.rtt_us / US_PER_S : NAN, "uplink", v.id, NULL);
	}
}

void metric_queue(struct writing *w)
{
	metric_sample(w, (double)outbox_count(w->g->store, NULL), "kind", "waiting", NULL);
	metric_sample(w, (double)outbox_parked(w->g->store), "kind", "parked", NULL);
}

void metric_queue_age(struct writing *w)
{
	int64_t oldest = outbox_oldest_us(w->g->store);
	metric_sample(w, oldest ? (double)(clock_wall_us() - oldest) / US_PER_S : 0, NULL);
}

void metric_mqtt_backlog(struct writing *w)
{
	if (w->g->conf->mqtt.url)
		metric_sample(w, (double)sinks_waiting(), NULL);
}

void metric_mqtt(struct writing *w)
{
	metric_sample(w, telemetry_up(), NULL);
}
