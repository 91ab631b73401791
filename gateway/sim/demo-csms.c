/* The CSMS of the demo: two endpoints, one ledger; and the daemon, whose process needs no more than its settings. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "gateway/conf/check.h"
#include "gateway/conf/configuration.h"
#include "gateway/daemon.h"
#include "gateway/sim/demo-parts.h"
#include "gateway/sim/sim-csms.h"
#include "gateway/sim/sim-lines.h"

#define HEARTBEAT_S 10

static struct {
	struct sim_csms *csms;
	struct sim_lines lines;
	struct later report;
	int fd;
} c;

void demo_tell(int fd, struct buf *line)
{
	size_t sent = 0;
	while (sent < line->n) {
		ssize_t n = send(fd, line->p + sent, line->n - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			_exit(1);
		sent += (size_t)n;
	}
	buf_free(line);
}

static void on_report(void *arg)
{
	struct buf line = { 0 };
	(void)arg;
	buf_printf(&line, "{\"links\":[%u,%u],\"at_us\":%lld}\n", sim_csms_links(c.csms, 0), sim_csms_links(c.csms, 1), (long long)clock_mono_us());
	demo_tell(c.fd, &line);
}

static void on_links(void *arg, int endpoint, unsigned count)
{
	(void)arg, (void)endpoint, (void)count;
	later_call(&c.report, on_report, NULL);
}

static void tell_ledger(void)
{
	struct buf text = { 0 };
	sim_ledger_print(sim_csms_ledger(c.csms), &text);
	buf_printf(&text, "{\"ledger\":%zu}\n", sim_csms_ledger(c.csms)->count);
	demo_tell(c.fd, &text);
}

static void on_line(void *arg, struct slice line)
{
	struct slice rest = line, word = sim_word(&rest), next = sim_word(&rest);
	int64_t endpoint = 1;
	(void)arg;
	if (next.p && int_parse(next, &endpoint) != 0)
		return;
	if (slice_is(word, "cut"))
		sim_csms_cut(c.csms, (int)endpoint - 1);
	else if (slice_is(word, "return") && sim_csms_return(c.csms, (int)endpoint - 1) != 0)
		log_error(NULL, "endpoint %lld cannot listen again", (long long)endpoint);
	else if (slice_is(word, "ledger"))
		tell_ledger();
}

static void on_end(void *arg)
{
	(void)arg;
	loop_stop();
}

int demo_csms(const struct demo_site *site, int fd)
{
	struct sim_csms_conf conf = { .interval_s = HEARTBEAT_S, .first_tx = 1000, .links = on_links };
	int err = loop_open();
	signal(SIGPIPE, SIG_IGN);
	if (err)
		return 1;
	c.fd = fd;
	c.csms = sim_csms_open(&conf);
	for (int i = 0; i < 2 && err >= 0; i++)
		err = sim_csms_listen(c.csms, "127.0.0.1", site->ports[PORT_CSMS + i]);
	if (err < 0) {
		log_error(NULL, "the CSMS cannot listen: %s", err_text(err));
		return 1;
	}
	sim_lines_open(&c.lines, fd, on_line, on_end, NULL);
	err = loop_run();
	sim_lines_close(&c.lines);
	later_cancel(&c.report);
	sim_csms_close(c.csms);
	return err ? 1 : 0;
}

int demo_daemon(const struct demo_site *site, int ready_fd, int log_level)
{
	char managed[sizeof(site->state) + 16];
	struct settings_files files = { .main_file = site->config, .models = site->models, .managed = managed };
	struct daemon_options options = { .state_dir = site->state, .ready_fd = ready_fd };
	snprintf(managed, sizeof(managed), "%s/managed.yaml", site->state);
	struct buf said = { 0 };
	int status = check_config(&files, &said, NULL);
	if (status)
		fprintf(stderr, "%s", said.p ? said.p : "");
	buf_free(&said);
	if (status)
		return status;
	log_open(LOG_TO_STDERR, (enum log_level)log_level);
	int err = daemon_run(config_open(&files, site->state), &options);
	config_close();
	return err ? 1 : 0;
}
