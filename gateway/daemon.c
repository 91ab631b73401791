/* Start and stop are two mirrored lists. The listeners come last and go first: nobody is let in before everything behind the door works. */
#include "gateway/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/conf/configuration.h"
#include "gateway/conf/reload.h"
#include "gateway/gateway.h"
#include "gateway/group/group.h"
#include "gateway/http/console.h"
#include "gateway/manage/api.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/net/deflate.h"
#include "gateway/notify.h"
#include "gateway/offline/spare.h"
#include "gateway/offline/timekeeper.h"
#include "gateway/own/alarm.h"
#include "gateway/own/identity.h"
#include "gateway/pki/expiry.h"
#include "gateway/pki/signing.h"
#include "gateway/own/relays.h"
#include "gateway/plug/host.h"
#include "gateway/plug/modules.h"
#include "gateway/power/balance.h"
#include "gateway/power/caps.h"
#include "gateway/power/decisions.h"
#include "gateway/power/grid-inputs.h"
#include "gateway/session/access.h"
#include "gateway/session/proofs.h"
#include "gateway/session/session.h"
#include "gateway/session/trace.h"
#include "storage/journal.h"
#include "storage/txs.h"

static struct {
	struct gateway g;
	const struct daemon_options *options;
	struct api *api;
	bool stopping;
} d;

static void on_stop(void *arg)
{
	(void)arg;
	log_info(NULL, "stopping");
	loop_stop();
}

static void on_hangup(void *arg)
{
	(void)arg;
	config_reload();
}

/* --- the list of starts --- */

static int start_loop(void)
{
	int err = loop_open();
	if (!err)
		err = loop_on_signal(SIGTERM, on_stop, NULL);
	if (!err)
		err = loop_on_signal(SIGINT, on_stop, NULL);
	if (!err)
		err = loop_on_signal(SIGHUP, on_hangup, NULL);
	signal(SIGPIPE, SIG_IGN);
	return err;
}

static int start_store(void)
{
	char *path = NULL, *why = NULL;
	bool salvaged = false;
	if (mkdir(d.options->state_dir, 0700) != 0 && errno != EEXIST)
		log_error(NULL, "%s: %s", d.options->state_dir, strerror(errno));
	if (asprintf(&path, "%s/ampgate.db", d.options->state_dir) < 0)
		return -ENOMEM;
	struct store_config c = { .path = path, .size_most = d.g.conf->offline.queue.max_size_bytes };
	int err = store_open(&c, &d.g.store, &salvaged, &why);
	if (err)
		log_error(NULL, "%s: %s", path, why ? why : err_text(err));
	if (err && spare_helps(err))
		err = spare_open(&d.g, path);
	if (salvaged)
		log_error(NULL, "%s was damaged; what was readable has been kept, the damaged file is beside it", path);
	mem_free(why);
	free(path);
	return err;
}

static void on_sink_state(void *arg, const char *sink, bool up, const char *why)
{
	(void)arg;
	telemetry_sink_state(sink, up, why);
}

static void on_sink_command(void *arg, const char *sink, const char *verb, const char *json, void (*reply)(void *reply_arg, const char *json),
                            void *reply_arg)
{
	(void)arg;
	telemetry_command(sink, verb, json, reply, reply_arg);
}

static void on_sink_sent(void *arg, const char *sink, uint64_t mark)
{
	(void)arg;
	telemetry_sink_sent(sink, mark);
}

static int start_host(void)
{
	struct host_events events = { on_sink_command, on_sink_state, on_sink_sent };
	int rc = host_open(&d.g.host, &events, NULL);
	return rc != 0 ? rc : modules_load(&d.g.conf->plugins, d.g.host);
}

static int start_uplinks(void)
{
	return uplinks_open(&d.g);
}

/* After the store has made the directory, before anybody tells the balancer anything. */
static int start_decisions(void)
{
	decisions_open(&d.g);
	return 0;
}

static int start_balance(void)
{
	return balance_open(&d.g);
}

static int start_telemetry(void)
{
	int err = telemetry_open(&d.g);
	spare_announce(&d.g);
	return err;
}

static int start_time(void)
{
	return timekeeper_open(&d.g);
}

static int start_meters(void)
{
	return balance_start(&d.g);
}

static int start_relays(void)
{
	relays_open(&d.g);
	return 0;
}

static int start_grid(void)
{
	grid_inputs_open(&d.g);
	return 0;
}

static int start_identities(void)
{
	return identities_open(&d.g);
}

static int start_api(void)
{
	return api_open(&d.g, d.options->socket ? d.options->socket : d.g.conf->control.socket, &d.api);
}

static int start_console(void)
{
	return console_open(&d.g);
}

static int start_listeners(void)
{
	return listeners_open(&d.g);
}

/* --- the list of stops --- */

static void stop_listeners(void)
{
	listeners_close(&d.g);
	proofs_close();
}

static void stop_console(void)
{
	console_close();
}

static void stop_api(void)
{
	api_close(d.api);
	d.api = NULL;
}

static int start_signing(void)
{
	return signing_open(&d.g);
}

static int start_alarms(void)
{
	return alarms_open(&d.g);
}

static int start_expiry(void)
{
	return expiry_open(&d.g);
}

static void stop_identities(void)
{
	identities_close(&d.g);
}

static void stop_relays(void)
{
	relays_close();
}

static void stop_meters(void)
{
	balance_stop(&d.g);
}

static void stop_telemetry(void)
{
	telemetry_close();
}

static int start_sessions(void)
{
	sessions_open(&d.g);
	groups_open(&d.g);
	return 0;
}

static void stop_sessions(void)
{
	groups_close(&d.g);
	sessions_close(&d.g, "the local controller stops");
	/* Close frames leave before the process does. */
	int64_t until = clock_mono_us() + US_PER_S / 2;
	while (clock_mono_us() < until)
		loop_turn(US_PER_S / 10);
}

static void stop_uplinks(void)
{
	uplinks_close(&d.g);
}

static void stop_host(void)
{
	host_close(&d.g.host);
	grid_inputs_free();
	relays_free();
}

static void stop_store(void)
{
	if (d.g.store)
		store_close(d.g.store);
	spare_close();
	sessions_free(&d.g);
}

static void stop_balance(void)
{
	balance_close(&d.g);
	caps_free();
}

static void stop_loop(void)
{
	loop_close();
	trace_free();
	deflate_free();
}

/* Store callbacks reach into sessions, so the store ends after the sessions are closed and before they are freed. */
static const struct stage {
	const char *name;
	int (*start)(void);
	void (*stop)(void);
} stages[] = {
	{ "event loop", start_loop, stop_loop },
	{ "load balancer", start_balance, stop_balance },
	{ "storage", start_store, stop_store },
	{ "decision log", start_decisions, decisions_close },
	{ "uplinks", start_uplinks, stop_uplinks },
	{ "plugin host", start_host, stop_host },
	{ "sessions", start_sessions, stop_sessions },
	{ "telemetry", start_telemetry, stop_telemetry },
	{ "time", start_time, timekeeper_close },
	{ "meters", start_meters, stop_meters },
	{ "grid inputs", start_grid, grid_inputs_stop },
	{ "relays", start_relays, stop_relays },
	{ "own identity", start_identities, stop_identities },
	{ "local authority", start_signing, signing_close },
	{ "security events", start_alarms, alarms_close },
	{ "certificates", start_expiry, expiry_close },
	{ "control socket", start_api, stop_api },
	{ "console", start_console, stop_console },
	{ "listeners", start_listeners, stop_listeners },
};
#define STAGES (int)(sizeof(stages) / sizeof(stages[0]))

/* Ended and confirmed transactions are forgotten after offline.queue.max_age: a few hundred at a time, and again soon while there are more. */
#define TRIM_US (3600 * US_PER_S)
#define TRIM_BATCH 500
#define EVENTS_KEPT 10000 /* of the journal, the newest */
#define EVIDENCE_KEPT 50000 /* of each input of the grid operator */

static struct timer trim;

static void on_trim(void *arg);

static void on_trimmed(void *arg, int err, int64_t count)
{
	(void)arg;
	if (err)
		log_error(NULL, "old transactions cannot be forgotten: %s", err_text(err));
	if (!d.stopping)
		timer_set(&trim, !err && count >= TRIM_BATCH ? US_PER_S : TRIM_US, on_trim, NULL);
}

static void on_trim(void *arg)
{
	(void)arg;
	int err = tx_trim(d.g.store, clock_wall_us() - d.g.conf->offline.queue.max_age_us, on_trimmed, NULL);
	if (err)
		on_trimmed(NULL, err, 0);
	err = journal_trim(d.g.store, EVENTS_KEPT, EVIDENCE_KEPT, NULL, NULL);
	if (err)
		log_error(NULL, "old events cannot be forgotten: %s", err_text(err));
}

static void tell_ready(void)
{
	notify_ready();
	if (d.options->ready_fd >= 0 && write(d.options->ready_fd, "ready\n", 6) != 6)
		log_warn(NULL, "nobody waits for us to be ready");
}

int daemon_run(const struct settings *conf, const struct daemon_options *options)
{
	unsigned char boot[4] = { 0 };
	int started = 0, err = 0;
	memset(&d, 0, sizeof(d));
	d.g.conf = conf;
	d.g.started_us = clock_mono_us();
	d.g.state_dir = options->state_dir;
	d.options = options;
	if (getrandom(boot, sizeof(boot), 0) == (ssize_t)sizeof(boot))
		hex_text(boot, sizeof(boot), d.g.boot_id);
	srandom(boot[0] | (unsigned)boot[1] << 8 | (unsigned)boot[2] << 16 | (unsigned)boot[3] << 24); /* boxes wait for random times: each for its own */
	clock_witness(RUN_DIR "-clock/synchronized");
	log_info(NULL, "ampgate %s starts, site %s", PACKAGE_VERSION, conf->site.id);
	for (; started < STAGES && !err; started++) {
		err = stages[started].start ? stages[started].start() : 0;
		if (err)
			log_error(NULL, "%s cannot be started: %s", stages[started].name, err_text(err));
	}
	if (!err) {
		sessions_drain(&d.g);
		config_started(&d.g);
		timer_set(&trim, US_PER_S, on_trim, NULL);
		tell_ready();
		err = loop_run();
		if (!config_wants_restart())
			notify_stopping();
		d.stopping = true;
		timer_cancel(&trim);
	}
	while (started-- > 0)
		stages[started].stop();
	log_info(NULL, "stopped");
	return err;
}
