/* ampgated: reads its arguments and its configuration, then runs. Exit status: 0 ended in order, 1 failed, 2 usage, 3 the configuration is
 * not usable (asked with --check-config or --print-config; a daemon that starts runs the last good one instead). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/conf/check.h"
#include "gateway/conf/configuration.h"
#include "gateway/conf/settings.h"
#include "gateway/daemon.h"
#include "gateway/offline/spare.h"
#include "gateway/sim/demo.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG };

struct arguments {
	const char *config, *confd, *models, *stations, *state_dir, *socket, *log_level;
	bool check, print, origin, demo, miswired, doc;
	int demo_seconds;
};

static const char usage[] =
	"usage: ampgated [-c FILE] [--conf-dir DIR] [--models DIR] [--stations DIR] [--state-dir DIR] [--socket PATH] [--log-level error|warning|info|debug]\n"
	"       ampgated [-c FILE] [--conf-dir DIR] [--models DIR] --check-config | --print-config [--origin]\n"
	"       ampgated --demo[=SECONDS] | --demo-miswired\n"
	"       ampgated --config-doc | --version | --help\n";

enum { OPT_CHECK = 256, OPT_PRINT, OPT_ORIGIN, OPT_DEMO, OPT_MISWIRED, OPT_STATE, OPT_SOCKET, OPT_LEVEL, OPT_CONFD, OPT_MODELS, OPT_STATIONS, OPT_DOC, OPT_FOREGROUND };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "conf-dir", required_argument, NULL, OPT_CONFD },
	{ "models", required_argument, NULL, OPT_MODELS },
	{ "stations", required_argument, NULL, OPT_STATIONS },
	{ "check-config", no_argument, NULL, OPT_CHECK },
	{ "print-config", no_argument, NULL, OPT_PRINT },
	{ "origin", no_argument, NULL, OPT_ORIGIN },
	{ "config-doc", no_argument, NULL, OPT_DOC },
	{ "demo", optional_argument, NULL, OPT_DEMO },
	{ "demo-miswired", no_argument, NULL, OPT_MISWIRED },
	{ "state-dir", required_argument, NULL, OPT_STATE },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "log-level", required_argument, NULL, OPT_LEVEL },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

/* -1: go on; else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *a)
{
	int c;
	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c': a->config = optarg; break;
		case OPT_CONFD: a->confd = optarg; break;
		case OPT_MODELS: a->models = optarg; break;
		case OPT_STATIONS: a->stations = optarg; break;
		case OPT_CHECK: a->check = true; break;
		case OPT_PRINT: a->print = true; break;
		case OPT_ORIGIN: a->origin = true; break;
		case OPT_DOC: a->doc = true; break;
		case OPT_STATE: a->state_dir = optarg; break;
		case OPT_SOCKET: a->socket = optarg; break;
		case OPT_LEVEL: a->log_level = optarg; break;
		case OPT_FOREGROUND: break;
		case OPT_MISWIRED: a->miswired = true; break;
		case OPT_DEMO:
			a->demo = true;
			a->demo_seconds = optarg ? atoi(optarg) : 60;
			break;
		case 'h': fputs(usage, stdout); return EXIT_OK;
		case 'V': puts("ampgated " PACKAGE_VERSION); return EXIT_OK;
		default: fputs(usage, stderr); return EXIT_USAGE;
		}
	}
	if (optind < argc || (a->log_level && log_level_parse(a->log_level) < 0)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* The installed configuration comes with its directory of layers and the layer that the program writes; one named by hand comes alone unless
 * those are named too. */
static struct settings_files files_of(const struct arguments *a, struct arena *mem)
{
	struct settings_files f = { .main_file = a->config ? a->config : SYSCONF_DIR "/ampgate.yaml", .confd = a->confd, .models = a->models, .stations = a->stations };
	if (!a->config && !a->confd)
		f.confd = SYSCONF_DIR "/conf.d";
	bool looks = a->check || a->print;
	if (!looks || !a->config || a->state_dir)
		f.managed = arena_printf(mem, "%s/managed.yaml", a->state_dir ? a->state_dir : STATE_DIR);
	return f;
}

/* What there is to say goes to standard output where it was asked for, else to standard error, and only if it is something. */
static int load(const struct arguments *a, const struct settings_files *files, struct settings **conf)
{
	struct buf said = { 0 };
	int status = check_config(files, &said, conf);
	if (said.n && (status || a->check))
		fwrite(said.p, 1, said.n, a->check ? stdout : stderr);
	buf_free(&said);
	return status ? EXIT_CONFIG : EXIT_OK;
}

static void print(const struct settings *conf, bool origin)
{
	struct buf out = { 0 };
	settings_print(conf, origin, &out);
	fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
}

static int print_doc(void)
{
	struct buf out = { 0 };
	settings_write_doc(&out);
	fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
	return EXIT_OK;
}

static int look(const struct arguments *a, const struct settings_files *files)
{
	struct settings *conf = NULL;
	int status = load(a, files, &conf);
	if (!status && a->print)
		print(conf, a->origin);
	settings_free(&conf);
	return status;
}

static int run(const struct arguments *a, const struct settings_files *files, char **argv)
{
	const char *state_dir = a->state_dir ? a->state_dir : STATE_DIR;
	const struct settings *conf = config_open(files, state_dir);
	int level = a->log_level ? log_level_parse(a->log_level) : conf->log.level;
	log_open((enum log_target)conf->log.target, (enum log_level)level);
	struct daemon_options o = { .state_dir = state_dir, .socket = a->socket, .ready_fd = -1 };
	int err = daemon_run(conf, &o);
	bool again = config_wants_restart() || spare_over();
	config_close();
	if (again) {
		execv("/proc/self/exe", argv);
		log_error(NULL, "cannot start anew: %s", strerror(errno));
	}
	return err || again ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct arena mem = { 0 };
	int status = read_arguments(argc, argv, &a);
	if (status >= 0)
		return status;
	if (a.doc)
		return print_doc();
	if (a.miswired)
		return demo_run_miswired(a.log_level);
	if (a.demo)
		return demo_run(a.demo_seconds, a.log_level);
	struct settings_files files = files_of(&a, &mem);
	status = a.check || a.print ? look(&a, &files) : run(&a, &files, argv);
	arena_free(&mem);
	return status;
}
