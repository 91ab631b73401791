/* ampgated --demo: starts the processes, hears what they report, lets the script run, and takes everything down again.
 *
 *   director --+-- world    stations, cars, meters        commands and reports over a socket pair
 *              +-- csms     two endpoints, one ledger     the same
 *              '-- daemon   the real one                  asked over its control socket, as anybody would
 *
 * All of them are forked before the director has a loop, and die with it. */
#include "gateway/sim/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "gateway/sim/demo-director.h"
#include "gateway/sim/demo-parts.h"

#define TICK_US (US_PER_S / 5)
#define STOP_US (10 * US_PER_S)     /* for parts to end when asked to */
#define READY_MOST_US (60 * US_PER_S)
#define STATUS "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":{}}\n"
#define LOG_TAIL 4000

static const char *const part_names[] = { "the world", "the CSMS", "the daemon" };

/* --- processes --- */

static void silence(const struct director *d)
{
	int fd = d->quiet_parts ? open(d->site.log, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* In the child. The terminal's Ctrl-C is for the director, who then ends everybody in order. */
static int run_part(struct director *d, enum demo_part part, int fd, pid_t director)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != director)
		return 1;
	setpgid(0, 0);
	for (int i = 0; i < (int)part; i++)
		close(d->fds[i]);
	silence(d);
	log_open(LOG_TO_STDERR, (enum log_level)d->log_level);
	switch (part) {
	case PART_WORLD: return demo_world(&d->site, fd);
	case PART_CSMS: return demo_csms(&d->site, fd);
	default: return demo_daemon(&d->site, fd, d->log_level);
	}
}

static int start_part(struct director *d, enum demo_part part)
{
	int pair[2];
	pid_t director = getpid();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		int status = run_part(d, part, pair[1], director);
		fflush(NULL);
		_exit(status);
	}
	close(pair[1]);
	d->fds[part] = pair[0];
	if (pid < 0)
		return -errno;
	d->pids[part] = pid;
	return 0;
}

static void reap(struct director *d)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < DEMO_PARTS; i++) {
			if (d->pids[i] != pid)
				continue;
			d->pids[i] = 0;
			if (!d->interrupted && d->exit_status < 0)
				script_fail(d, "%s ended before its time (%s %d)", part_names[i], WIFSIGNALED(status) ? "signal" : "status",
				            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
			director_end(d);
		}
	}
}

/* The daemon first: the others are its peers, and it should not write about their absence. */
static void stop_parts(struct director *d)
{
	d->interrupted = true;
	for (int i = DEMO_PARTS - 1; i >= 0 && d->looping; i--) {
		int64_t until = clock_mono_us() + STOP_US;
		if (d->pids[i])
			kill(d->pids[i], SIGTERM);
		while (d->pids[i] && clock_mono_us() < until) {
			reap(d);
			loop_turn(US_PER_S / 20);
		}
	}
	for (int i = 0; i < DEMO_PARTS; i++) {
		if (d->pids[i] && kill(d->pids[i], SIGKILL) == 0)
			waitpid(d->pids[i], NULL, 0);
		d->pids[i] = 0;
	}
}

int64_t director_rss_kib(const struct director *d)
{
	char path[40], line[128];
	long long kib = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)d->pids[PART_DAEMON]);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmRSS: %lld", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib;
}

/* --- what they are told and say --- */

void director_order(struct director *d, enum demo_part part, const char *fmt, ...)
{
	struct buf line = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	buf_puts(&line, "\n");
	if (send(d->fds[part], line.p, line.n, MSG_NOSIGNAL) != (ssize_t)line.n)
		script_fail(d, "%s does not listen", part_names[part]);
	buf_free(&line);
}

static void read_three(const cJSON *tree, const char *key, double out[3])
{
	char path[16];
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s.%d", key, i);
		out[i] = json_number(tree, path, out[i]);
	}
}

static void see_world(struct director *d, const cJSON *tree)
{
	struct demo_seen *s = &d->seen;
	read_three(tree, "grid", s->grid_a);
	read_three(tree, "ev", s->ev_a);
	read_three(tree, "peak", s->peak_a);
	s->most_a = json_number(tree, "most_a", 0);
	s->over_us = json_int(tree, "over_us", 0);
	s->p95_us = json_int(tree, "p95_us", 0);
	s->jumps = (int)json_int(tree, "jumps", 0);
	s->online = (int)json_int(tree, "online", 0);
	s->charging = (int)json_int(tree, "charging", 0);
	s->relays = (int)json_int(tree, "relays", 0);
	s->served = (int)json_int(tree, "served", 0);
	s->starts = (int)json_int(tree, "starts", 0);
	s->stops = (int)json_int(tree, "stops", 0);
	bool settled = json_bool(tree, "settled", false);
	if (settled && !s->settled)
		s->settled_us = clock_mono_us();
	s->settled = settled;
}

static void on_world(void *arg, struct slice line)
{
	struct director *d = arg;
	cJSON *tree = json_parse(line);
	if (json_at(tree, "ledger"))
		d->have_truth = true;
	else if (json_at(tree, "grid"))
		see_world(d, tree);
	else if (sim_ledger_read(&d->truth, line) != 0)
		script_fail(d, "the world said what nobody understands");
	cJSON_Delete(tree);
}

static void on_csms(void *arg, struct slice line)
{
	struct director *d = arg;
	cJSON *tree = json_parse(line);
	if (json_at(tree, "ledger")) {
		d->have_told = true;
	} else if (json_at(tree, "links")) {
		d->links[0] = (int)json_int(tree, "links.0", 0);
		d->links[1] = (int)json_int(tree, "links.1", 0);
		d->links_us = json_int(tree, "at_us", 0);
	} else if (sim_ledger_read(&d->told, line) != 0) {
		script_fail(d, "the CSMS said what nobody understands");
	}
	cJSON_Delete(tree);
}

/* --- the daemon, asked as anybody would --- */

static bool main_meter_ok(const cJSON *status)
{
	const cJSON *meter;
	cJSON_ArrayForEach(meter, json_at(status, "meters")) {
		if (slice_is(json_text(meter, "id"), "main"))
			return slice_is(json_text(meter, "state"), "ok");
	}
	return false;
}

static void see_binding(struct demo_status *s, const cJSON *status)
{
	const cJSON *one;
	size_t n = 0;
	s->binding[0] = 0;
	cJSON_ArrayForEach(one, json_at(status, "binding")) {
		struct slice circuit = json_text(one, "circuit"), phase = json_text(one, "phase");
		if (n < sizeof(s->binding))
			n += (size_t)snprintf(s->binding + n, sizeof(s->binding) - n, "%s%.*s %.*s (%d EVSEs)", n ? ", " : "", SLICE_ARG(circuit), SLICE_ARG(phase),
			                      (int)json_int(one, "evses", 0));
	}
}

static void on_status(void *arg, struct slice line)
{
	struct director *d = arg;
	cJSON *tree = json_parse(line);
	const cJSON *status = json_at(tree, "result");
	if (status) {
		d->status.known = true;
		d->status.queue = (int)json_int(status, "queue.messages", -1);
		d->status.online = (int)json_int(status, "stations.online", 0);
		d->status.endpoint = (int)json_int(status, "uplink.cpo.endpoint", 0);
		d->status.uplink_up = slice_is(json_text(status, "uplink.cpo.state"), "up");
		d->status.meter_ok = main_meter_ok(status);
		see_binding(&d->status, status);
	}
	cJSON_Delete(tree);
}

static void ask_status(struct director *d)
{
	if (d->control >= 0 && send(d->control, STATUS, strlen(STATUS), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		script_fail(d, "the daemon's control socket is gone");
}

static void on_tick(void *arg)
{
	struct director *d = arg;
	ask_status(d);
	script_tick(d);
	screen_draw(d);
	timer_set(&d->tick, TICK_US, on_tick, d);
}

static void connect_control(struct director *d)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", d->site.socket);
	d->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d->control < 0 || connect(d->control, (struct sockaddr *)&to, sizeof(to)) != 0) {
		script_fail(d, "the daemon's control socket cannot be reached: %s", strerror(errno));
		director_end(d);
		return;
	}
	sim_lines_open(&d->control_lines, d->control, on_status, NULL, d);
}

static void on_ready(void *arg, struct slice line)
{
	struct director *d = arg;
	if (!slice_is(line, "ready") || d->control >= 0)
		return;
	d->started_us = clock_mono_us();
	connect_control(d);
	script_begin(d);
	on_tick(d);
}

static void on_never_ready(void *arg)
{
	struct director *d = arg;
	script_fail(d, "the daemon was not ready after %d s", (int)(READY_MOST_US / US_PER_S));
	director_end(d);
}

/* --- the whole --- */

void director_end(struct director *d)
{
	(void)d;
	loop_stop();
}

static void on_interrupt(void *arg)
{
	struct director *d = arg;
	d->interrupted = true;
	director_end(d);
}

static void on_child(void *arg)
{
	reap(arg);
}

static int open_loop(struct director *d)
{
	static void (*const on_line[])(void *arg, struct slice line) = { on_world, on_csms, on_ready };
	int err = loop_open();
	d->looping = !err;
	if (!err)
		err = loop_on_signal(SIGINT, on_interrupt, d);
	if (!err)
		err = loop_on_signal(SIGTERM, on_interrupt, d);
	if (!err)
		err = loop_on_signal(SIGHUP, on_interrupt, d);
	if (!err)
		err = loop_on_signal(SIGCHLD, on_child, d);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < DEMO_PARTS && !err; i++)
		sim_lines_open(&d->lines[i], d->fds[i], on_line[i], NULL, d);
	timer_set(&d->tick, READY_MOST_US, on_never_ready, d);
	reap(d); /* who ended before SIGCHLD was heard */
	return err;
}

/* The end of what the parts logged, where something went wrong. */
static void show_log(const struct director *d)
{
	char text[LOG_TAIL + 1];
	FILE *f = fopen(d->site.log, "re");
	if (!f)
		return;
	if (fseek(f, -LOG_TAIL, SEEK_END) != 0)
		rewind(f);
	size_t n = fread(text, 1, LOG_TAIL, f);
	fclose(f);
	if (n)
		fprintf(stderr, "what was logged last:\n%.*s", (int)n, text);
}

static void conclude(struct director *d)
{
	screen_leave(d);
	if (d->exit_status < 0 && d->failures.n)
		printf("demo: FAIL\n%s", d->failures.p);
	else if (d->exit_status < 0)
		printf("demo: interrupted\n");
	fflush(stdout);
	if (d->exit_status < 0)
		d->exit_status = 1;
}

static void close_all(struct director *d)
{
	timer_cancel(&d->tick);
	for (int i = 0; i < DEMO_PARTS; i++) {
		sim_lines_close(&d->lines[i]);
		if (d->fds[i] >= 0)
			close(d->fds[i]);
	}
	sim_lines_close(&d->control_lines);
	if (d->control >= 0)
		close(d->control);
	sim_ledger_free(&d->truth);
	sim_ledger_free(&d->told);
	buf_free(&d->failures);
}

static void play(struct director *d)
{
	int err = 0;
	for (int i = 0; i < DEMO_PARTS && !err; i++)
		err = start_part(d, (enum demo_part)i);
	if (!err)
		err = open_loop(d);
	if (!err)
		err = loop_run();
	if (err)
		script_fail(d, "the director failed: %s", err_text(err));
	conclude(d);
	stop_parts(d);
}

static int run(int seconds, bool miswired, const char *log_level)
{
	static struct director d;
	int level = log_level ? log_level_parse(log_level) : LVL_WARN;
	d = (struct director){ .seconds = seconds > 0 ? seconds : 60, .stays = seconds <= 0, .quiet_parts = !log_level, .control = -1, .exit_status = -1 };
	d.log_level = level < 0 ? LVL_WARN : level;
	d.live = isatty(STDOUT_FILENO) && d.quiet_parts;
	for (int i = 0; i < DEMO_PARTS; i++)
		d.fds[i] = -1;
	if (demo_site_open(&d.site, miswired) != 0)
		return 1;
	play(&d);
	if (d.exit_status)
		show_log(&d);
	close_all(&d);
	if (d.looping)
		loop_close();
	demo_site_close(&d.site);
	return d.exit_status;
}

int demo_run(int seconds, const char *log_level)
{
	return run(seconds, false, log_level);
}

int demo_run_miswired(const char *log_level)
{
	return run(0, true, log_level);
}
