/* `ampgate sim csms`: the simulated CSMS with a command line. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "gateway/net/link-ws.h"
#include "gateway/sim/sim-csms.h"
#include "gateway/sim/sim-lines.h"

#define BLOCKED_MOST 64

static const char usage[] =
	"usage: ampgate sim csms [--port P]... [--address A] [--block TOKEN]... [--remote-start TOKEN] [--refuse] [--silent]\n"
	"                        [--interval SECONDS] [--first-tx N] [--log-level L]\n"
	"\n"
	"A CSMS that speaks OCPP 1.6, 2.0.1 and 2.1 to whoever connects to ws://ADDRESS:PORT/anything/IDENTITY. It accepts every station and\n"
	"every token, and notes every transaction it is told of without looking for duplicates: what comes twice stands in its ledger\n"
	"twice. The ledger is printed at the end and at SIGUSR1, one JSON object a line; \"starts\" and \"stops\" count messages.\n"
	"\n"
	"  --port P              default 8180; 0 takes a free one; given more than once for a CSMS with standby endpoints\n"
	"  --address A           where to listen, default 127.0.0.1\n"
	"  --block TOKEN         this one is answered Blocked; may be repeated\n"
	"  --remote-start TOKEN  cars that are plugged in are started from here, with this token\n"
	"  --refuse              answers connections with HTTP 503\n"
	"  --silent              accepts connections and answers nothing\n"
	"  --interval S          heartbeat interval for stations, default 60\n"
	"  --first-tx N          first transaction id of OCPP 1.6, default 1\n"
	"  --log-level L         error, warning, info (default) or debug\n"
	"\n"
	"Lines on standard input change it while it runs:\n"
	"  cut [N], return [N]   endpoint N (from 1) vanishes with all its links, and comes back at the same port\n"
	"  refuse on|off         silent on|off\n"
	"  ledger                prints it now\n"
	"  quit                  ends the program, as SIGTERM does\n";

static struct {
	struct sim_csms *csms;
	struct sim_lines lines;
	const char *blocked[BLOCKED_MOST + 1];
	int ports[SIM_CSMS_ENDPOINTS];
	size_t n_blocked;
	int n_ports;
} run;

static void print_ledger(void *arg)
{
	struct buf out = { 0 };
	(void)arg;
	sim_ledger_print(sim_csms_ledger(run.csms), &out);
	if (out.n)
		fwrite(out.p, 1, out.n, stdout);
	fflush(stdout);
	buf_free(&out);
}

static void on_quit(void *arg)
{
	(void)arg;
	loop_stop();
}

static void bring_back(int endpoint)
{
	int err = sim_csms_return(run.csms, endpoint);
	if (err)
		log_error(NULL, "port %d: %s", sim_csms_port(run.csms, endpoint), err_text(err));
}

static bool obey(struct slice word, struct slice rest)
{
	int64_t endpoint = 1;
	struct slice next = sim_word(&rest);
	bool numbered = !next.p || (int_parse(next, &endpoint) == 0 && endpoint >= 1 && endpoint <= run.n_ports);
	if (slice_is(word, "cut") && numbered)
		sim_csms_cut(run.csms, (int)endpoint - 1);
	else if (slice_is(word, "return") && numbered)
		bring_back((int)endpoint - 1);
	else if (slice_is(word, "refuse"))
		sim_csms_refuse(run.csms, slice_is(next, "on"));
	else if (slice_is(word, "silent"))
		sim_csms_silent(run.csms, slice_is(next, "on"));
	else if (slice_is(word, "ledger"))
		print_ledger(NULL);
	else if (slice_is(word, "quit"))
		loop_stop();
	else
		return false;
	return true;
}

static void on_line(void *arg, struct slice line)
{
	struct slice rest = line, word = sim_word(&rest);
	(void)arg;
	if (word.n && !obey(word, rest))
		fprintf(stderr, "ampgate sim csms: not understood: %.*s\n", SLICE_ARG(line));
}

static int listen_all(const char *address)
{
	if (!run.n_ports)
		run.ports[run.n_ports++] = 8180;
	for (int i = 0; i < run.n_ports; i++) {
		int n = sim_csms_listen(run.csms, address, run.ports[i]);
		if (n < 0) {
			fprintf(stderr, "ampgate sim csms: %s port %d: %s\n", address, run.ports[i], err_text(n));
			return n;
		}
		printf("csms at ws://%s:%d/\n", address, sim_csms_port(run.csms, n));
	}
	fflush(stdout);
	return 0;
}

static int serve(const struct sim_csms_conf *conf, const char *address, bool refuse, bool silent)
{
	int err = loop_open();
	signal(SIGPIPE, SIG_IGN);
	if (!err)
		err = loop_on_signal(SIGTERM, on_quit, NULL);
	if (!err)
		err = loop_on_signal(SIGINT, on_quit, NULL);
	if (!err)
		err = loop_on_signal(SIGUSR1, print_ledger, NULL);
	if (err)
		return 1;
	run.csms = sim_csms_open(conf);
	sim_csms_refuse(run.csms, refuse);
	sim_csms_silent(run.csms, silent);
	err = listen_all(address);
	if (!err) {
		sim_lines_open(&run.lines, STDIN_FILENO, on_line, NULL, NULL);
		err = loop_run();
		print_ledger(NULL);
		sim_lines_close(&run.lines);
	}
	sim_csms_close(run.csms);
	loop_run_later();
	loop_close();
	ws_link_free_shared();
	return err ? 1 : 0;
}

int sim_csms_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },     { "address", required_argument, NULL, 'a' },      { "block", required_argument, NULL, 'b' },
		{ "refuse", no_argument, NULL, 'r' },         { "silent", no_argument, NULL, 's' },             { "remote-start", required_argument, NULL, 'R' },
		{ "interval", required_argument, NULL, 'i' }, { "first-tx", required_argument, NULL, 't' },     { "log-level", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },           { 0 },
	};
	struct sim_csms_conf conf = { .blocked = run.blocked, .interval_s = 60, .first_tx = 1 };
	const char *address = "127.0.0.1";
	int c, level = LVL_INFO;
	bool refuse = false, silent = false, wrong = false;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'p': wrong |= run.n_ports == SIM_CSMS_ENDPOINTS; run.ports[run.n_ports % SIM_CSMS_ENDPOINTS] = atoi(optarg); run.n_ports++; break;
		case 'a': address = optarg; break;
		case 'b': wrong |= run.n_blocked == BLOCKED_MOST; run.blocked[run.n_blocked++ % BLOCKED_MOST] = optarg; break;
		case 'R': conf.remote_start = optarg; break;
		case 'r': refuse = true; break;
		case 's': silent = true; break;
		case 'i': conf.interval_s = atoll(optarg); break;
		case 't': conf.first_tx = atoll(optarg); break;
		case 'l': wrong |= (level = log_level_parse(optarg)) < 0; break;
		case 'h': fputs(usage, stdout); return 0;
		default: wrong = true;
		}
	}
	if (wrong || optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	log_open(LOG_TO_STDERR, (enum log_level)level);
	return serve(&conf, address, refuse, silent);
}
