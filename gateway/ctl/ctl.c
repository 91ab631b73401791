/* ampgate: the client. Asks the daemon over its control socket, prints for people or, with --json, what the daemon said; and offers the
 * simulators. Exit status: 0 ok, 1 failed, 2 usage, 4 no daemon, 5 no such object, 6 refused, 7 no answer in time. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/ctl/ctl-link.h"
#include "gateway/ctl/ctl-print.h"
#include "gateway/ctl/ctl.h"
#include "gateway/manage/call-help.h"
#include "gateway/sim/sim.h"



static const char usage[] =
	"usage: ampgate [--socket PATH] [--json] COMMAND ...\n"
	"  status                                     the whole site on one page\n"
	"  why [STATION[/EVSE] | CIRCUIT]             what limits it\n"
	"  station list [--pending] | show ID | deviations ID     charging stations; what one sends against the standard\n"
	"  station reset ID [hard] | unlock ID [EVSE] | trigger ID MESSAGE [EVSE] | reject ID\n"
	"  station import FILE [--dry-run] [--for 2m] [--drop-in] | export [FILE] [--format csv|yaml]       stations as a table, or YAML\n"
	"  station rename ID NEW-ID [--keep-uplink-id] [--dry-run] [--for 2m]  another identity; taken back unless confirmed\n"
	"  evse start ID[/EVSE] [--token T] | stop ID[/EVSE]                 begin or end a session\n"
	"  circuit list | show ID    meter list | show ID    uplink list     the site's parts\n"
	"  evse show ID[/EVSE]                        one EVSE with its limit and what it comes from\n"
	"  meter test METER | DEVICE|HOST --unit N --model M                 values, direction and phases of a meter, read for some seconds\n"
	"  meter scan BUS|DEVICE|HOST [ADDRESSES]     addresses that answer and the models that fit; 1-32 when not said\n"
	"  uplink switch NAME N                       move all lanes to endpoint N\n"
	"  uplink map NAME                            numbers of an aggregate, and the EVSE behind each\n"
	"  queue list [ID] | show SEQ | export [ID]   messages the CSMS has not confirmed; export gives one JSON object per line\n"
	"  queue park SEQ [REASON] | retry [ID]       set one aside; try again what was set aside\n"
	"  tx list [ID] | show ID TX                  transactions\n"
	"  tx export [--csv] [ID]                     all of them, one JSON object per line, or CSV\n"
	"  call ID ACTION [JSON]                      send one OCPP CALL and show the answer\n"
	"  call ID [ACTION] --help                    the actions of its version, or one action's fields\n"
	"  call [ACTION] --help --ocpp 1.6            the same without a daemon\n"
	"  limit set OBJECT AMPS --for 2h [--reason TEXT] | clear ID | list\n"
	"  need set ID [WH] [--leaves 17:30]          what a car needs, and when it leaves\n"
	"  plan [--limit OBJECT AMPS] [--power CIRCUIT WATTS] [--arrive ID] [--leave ID] [--after 5m]\n"
	"                                             what everybody would get then\n"
	"  grid show | log                            what the grid operator allows; evidence of it\n"
	"  grid limit INPUT WATTS|free [--for 2h]     the word of an input of kind command\n"
	"  tariff list | set NAME PRICES [END]        schedules and tariffs; prices to come, a JSON list of start and price\n"
	"  token list | add TOKEN [STATUS] | del TOKEN  local list and cache\n"
	"  token import FILE [--source list|cache] [--replace] [--dry-run]   many of them, from CSV or JSON\n"
	"  log [-f] [--module M] [--level warning]    what happened, from the journal, and on as it happens\n"
	"  log level [COMPONENT LEVEL [--for 10m]]    how much a part of the program, or one object, logs for a time\n"
	"  trace [-f] [ID] [--action A] [--verdict V] [--since 10m] [--raw]  frames that passed, or as they pass\n"
	"  trace ... --export jsonl|har|pcapng|html|csv [-o FILE]            the same as a file\n"
	"  health                                     one line and a status for monitoring: 0 ok, 1 warning, 2 critical, 3 unknown\n"
	"  event list    history ...                  what happened; currents over time\n"
	"  decisions [object=ID] [at=14:03]           what was granted and why, as it changed\n"
	"  station accept ID --circuit C [--rotation RST] [--like ID]        take one that waits into the configuration\n"
	"  uplink test NAME [N]                       a connection to the CSMS, stage by stage\n"
	"  job list | show job=N | stop job=N         work that takes a while\n"
	"  commission meters | identify [station=ID] | limit-test circuit=C limit_a=A | offline-test | show | note | report | reset\n"
	"  commission probe ID [EVSE]                 the forms of a limit that a station takes, tried while a car charges\n"
	"  commission probed ID                       what was found about them\n"
	"  network show                               addresses and sockets of the box, its way out and its clock\n"
	"  hash                                       the hash of a station's password, which comes by standard input\n"
	"  setup-code                                 the code that makes the first user at the console\n"
	"  user list | add user=U role=R password=P | del user=U             who may log in at the console\n"
	"  api-token list | add name=N role=R [for=90d] | del name=N         tokens of programs\n"
	"  pki list | root | init [NAME] [ORGANISATION] [ecdsa|rsa]          certificates and their ends; an authority of the box's own\n"
	"  pki issue station|server NAME [--csr FILE] [--out DIRECTORY] [--days N] [--names NAME,ADDRESS...]\n"
	"                                             key and certificate as files, or a certificate for a request\n"
	"  pki revoke NAME|SERIAL | install ID | renew UPLINK|ID             take back; give a station the root; ask for a new one\n"
	"  VERB [WORD|--KEY VALUE|KEY=VALUE ...]      any verb of ampgate(1); words in the order of its arguments\n"
	"  help [VERB] | completion bash|zsh          this, or what a verb takes; the words for a shell\n"
	"  config show [--origin|--managed] | check [FILE] | diff FILE|N  the configuration in force; what a managed layer would change\n"
	"  config try FILE | schema                   mistakes and changes of a managed layer; all keys there may be\n"
	"  config apply FILE [--for 2m] [--restart]   replace the managed layer; it is taken back unless confirmed in time\n"
	"  config confirm | rollback [N] [--restart] | history             keep it; go back; what was in force before\n"
	"  refresh    version                         publish all telemetry again; the daemon's version\n"
	"  top [-n ROUNDS]                            the site, its circuits and stations, each second\n"
	"  doctor [--all]                             a long look with advice; 1 when something is not ok\n"
	"  support-bundle [--with-traces 24h] [-o FILE]                      what helps to find a fault, with secrets masked\n"
	"  backup create FILE | restore FILE [--yes]  configuration, secrets and books; restore shows what it would do\n"
	"  plugin list [DIRECTORY] | test FILE.so [CONFIG]                   loadable drivers; whether one keeps the rules\n"
	"  balance --stdio [--record FILE]            the load balancer as a program, one JSON object per line; its decision log\n"
	"  balance --replay FILE                      decides a decision log again, and compares\n"
	"  sim station|csms|meter|site|board ...           simulators; each says more with --help\n";

/* One request and its answer; NULL after *status_out has been set and the reason told. The caller deletes it. */
static cJSON *ask(const struct options *o, const char *method, const struct buf *args, int *status_out)
{
	struct ctl_link c = { .fd = -1 };
	*status_out = ctl_connect(o->socket, &c);
	if (!*status_out)
		*status_out = ctl_send(&c, method, args);
	cJSON *answer = *status_out ? NULL : ctl_line(&c);
	if (!*status_out && !answer) {
		fprintf(stderr, "ampgate: the daemon closed the connection\n");
		*status_out = EXIT_UNREACHABLE;
	} else if (!*status_out && cJSON_HasObjectItem(answer, "error")) {
		*status_out = ctl_error(answer);
		cJSON_Delete(answer);
		answer = NULL;
	}
	buf_free(&c.in);
	if (c.fd >= 0)
		close(c.fd);
	return answer;
}

static void print_json(const cJSON *result)
{
	char *text = cJSON_Print(result);
	puts(text);
	cJSON_free(text);
}

static int request(const struct options *o, const char *method, struct buf *args, print_fn *print)
{
	int status;
	cJSON *answer = ask(o, method, args, &status);
	if (answer)
		(o->json || !print ? print_json : print)(cJSON_GetObjectItem(answer, "result"));
	cJSON_Delete(answer);
	buf_free(args);
	return status;
}

int ctl_request(const struct options *o, const char *method, struct buf *args, print_fn *print)
{
	return request(o, method, args, print);
}

cJSON *ctl_ask(const struct options *o, const char *method, const struct buf *args, int *status_out)
{
	return ask(o, method, args, status_out);
}

void ctl_print_json(const cJSON *result)
{
	print_json(result);
}

struct buf ctl_object(const char *const pairs[][2], size_t n)
{
	struct buf out = { 0 };
	struct json_writer w;
	jw_open(&w, &out);
	jw_object(&w, NULL);
	for (size_t i = 0; i < n; i++)
		if (pairs[i][1])
			jw_string(&w, pairs[i][0], pairs[i][1]);
	jw_end(&w, '}');
	return out;
}

void ctl_progress(const char *step, double part)
{
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K");
	if (step)
		fprintf(stderr, "%3.0f %%  %s", part * 100, step);
}

/* `whole`: `print` wants the job, not only its result. */
static int wait_for_job(const struct options *o, const char *method, struct buf *args, print_fn *print, bool whole)
{
	int status;
	cJSON *answer = ask(o, method, args, &status);
	char job[24];
	snprintf(job, sizeof(job), "%lld", (long long)json_int(answer, "result.job", 0));
	buf_free(args);
	while (!status) {
		cJSON_Delete(answer);
		struct buf which = ctl_object((const char *const[][2]){ { "job", job } }, 1);
		answer = ask(o, "job.show", &which, &status);
		buf_free(&which);
		if (!slice_is(json_text(answer, "result.state"), "running"))
			break;
		char *step = mem_text(json_text(answer, "result.step"));
		ctl_progress(step, json_number(answer, "result.part", 0));
		mem_free(step);
		nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	}
	ctl_progress(NULL, 1);
	if (!status)
		(o->json ? print_json : print)(json_at(answer, whole ? "result" : "result.result"));
	if (!status && !slice_is(json_text(answer, "result.state"), "done"))
		status = EXIT_FAILED;
	cJSON_Delete(answer);
	return status;
}

int ctl_job(const struct options *o, const char *method, struct buf *args, print_fn *print)
{
	return wait_for_job(o, method, args, print, false);
}

bool ctl_is_up(const struct options *o)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", o->socket);
	bool up = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	if (fd >= 0)
		close(fd);
	return up;
}

/* --- commands --- */

static int bad_usage(const char *why)
{
	char noun[32];
	snprintf(noun, sizeof(noun), "%.*s", (int)strcspn(why, " :"), why);
	fprintf(stderr, "ampgate: %s\n", why);
	fprintf(stderr, "%.*s\n", (int)strcspn(usage, "\n"), usage);
	if (!ctl_usage_lines(stderr, noun))
		fputs(usage + strcspn(usage, "\n") + 1, stderr);
	return EXIT_USAGE;
}

const char *ctl_usage_text(void)
{
	return usage;
}

int ctl_usage(const char *why)
{
	return bad_usage(why);
}

static int simple(const struct options *o, const char *method, const char *key, const char *value, print_fn *print)
{
	struct buf args = ctl_object((const char *const[][2]){ { key, value } }, 1);
	return request(o, method, &args, print);
}

/* Help without a daemon: the dictionary is in here too. */
static int help_offline(const struct options *o, const char *version, const char *action)
{
	struct buf text = { 0 };
	struct json_writer w;
	char subprotocol[32];
	snprintf(subprotocol, sizeof(subprotocol), "ocpp%s", version);
	int v = version_parse(slice_of(subprotocol));
	if (v < 0)
		return bad_usage("--ocpp is 1.6, 2.0.1 or 2.1");
	jw_open(&w, &text);
	if (call_help_write((enum ocpp_version)v, action, &w) != 0) {
		fprintf(stderr, "ampgate: OCPP %s has no action '%s'\n", version, action);
		buf_free(&text);
		return EXIT_NOT_FOUND;
	}
	cJSON *help = json_parse(buf_view(&text));
	(o->json ? print_json : call_help_print)(help);
	cJSON_Delete(help);
	buf_free(&text);
	return EXIT_OK;
}

static int run_call(const struct options *o, int argc, char **argv)
{
	const char *words[3] = { NULL }, *version = NULL;
	bool help = false;
	int n = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			help = true;
		else if (strcmp(argv[i], "--ocpp") == 0 && i + 1 < argc)
			version = argv[++i];
		else if (n < 3)
			words[n++] = argv[i];
		else
			return bad_usage("call takes a station, an action and its payload");
	}
	if (help && version)
		return help_offline(o, version, words[n ? n - 1 : 0]);
	if (help && n) {
		struct buf args = ctl_object((const char *const[][2]){ { "station", words[0] }, { "action", words[1] } }, 2);
		return request(o, "call.help", &args, call_help_print);
	}
	if (n < 2)
		return bad_usage("call needs a station and an action");
	struct buf args = ctl_object((const char *const[][2]){ { "station", words[0] }, { "action", words[1] }, { "payload", words[2] } }, 3);
	return request(o, "call", &args, NULL);
}

static int run_limit(const struct options *o, int argc, char **argv)
{
	const char *duration = NULL, *reason = NULL, *words[4] = { NULL };
	int n = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--for") == 0 && i + 1 < argc)
			duration = argv[++i];
		else if (strcmp(argv[i], "--reason") == 0 && i + 1 < argc)
			reason = argv[++i];
		else if (n < 4)
			words[n++] = argv[i];
	}
	if (n == 1 && strcmp(words[0], "list") == 0)
		return simple(o, "limit.list", "x", NULL, print_limits);
	if (n == 2 && strcmp(words[0], "clear") == 0)
		return simple(o, "limit.clear", "limit_id", words[1], NULL);
	if (n != 3 || strcmp(words[0], "set") != 0)
		return bad_usage("limit set OBJECT AMPS --for DURATION, limit clear ID, or limit list");
	struct buf args = ctl_object((const char *const[][2]){ { "object", words[1] }, { "limit_a", words[2] }, { "for", duration }, { "reason", reason } }, 4);
	return request(o, "limit.set", &args, NULL);
}

/* Pages of a list until one is empty, each row by `print`. */
static int export_rows(const struct options *o, const char *method, const char *station, print_fn *print)
{
	char after[24] = "0";
	for (;;) {
		int status;
		struct buf args = ctl_object((const char *const[][2]){ { "station", station }, { "after", after } }, 2);
		cJSON *answer = ask(o, method, &args, &status);
		const cJSON *row, *rows = cJSON_GetObjectItem(answer, "result");
		buf_free(&args);
		bool over = cJSON_GetArraySize(rows) == 0;
		cJSON_ArrayForEach(row, rows) {
			print(row);
			snprintf(after, sizeof(after), "%lld", (long long)json_int(row, "seq", 0));
		}
		cJSON_Delete(answer);
		if (status || over)
			return status;
	}
}

static void print_row(const cJSON *row)
{
	char *text = cJSON_PrintUnformatted(row);
	puts(text);
	cJSON_free(text);
}

static int run_queue_export(const struct options *o, int argc, char **argv)
{
	if (argc > 3)
		return bad_usage("queue export [ID]");
	return export_rows(o, "queue.export", argc > 2 ? argv[2] : NULL, print_row);
}

static int run_tx_export(const struct options *o, int argc, char **argv)
{
	bool csv = argc > 2 && strcmp(argv[2], "--csv") == 0;
	if (argc > 3 + csv)
		return bad_usage("tx export [--csv] [ID]");
	if (csv)
		print_tx_csv_head();
	return export_rows(o, "tx.list", argc > 2 + csv ? argv[2 + csv] : NULL, csv ? print_tx_csv : print_row);
}

static int run_grid_limit(const struct options *o, int argc, char **argv)
{
	const char *duration = argc == 6 && strcmp(argv[4], "--for") == 0 ? argv[5] : NULL;
	if (argc != 4 && !duration)
		return bad_usage("grid limit INPUT WATTS|free [--for DURATION]");
	struct buf args = ctl_object((const char *const[][2]){ { "input", argv[2] }, { "limit_w", argv[3] }, { "for", duration } }, 3);
	return request(o, "grid.limit", &args, print_grid_operator);
}

static int run_tariff_set(const struct options *o, int argc, char **argv)
{
	if (argc < 4 || argc > 5)
		return bad_usage("tariff set NAME PRICES [END]");
	struct buf args = ctl_object((const char *const[][2]){ { "tariff", argv[2] }, { "prices", argv[3] }, { "end", argc > 4 ? argv[4] : NULL } }, 3);
	return request(o, "tariff.set", &args, NULL);
}

/* "G-07/2" as station and EVSE, cut in place; NULL: no EVSE said. */
static const char *cut_evse(char *object)
{
	char *slash = strrchr(object, '/');
	if (!slash || !slash[1] || slash[strspn(slash + 1, "0123456789") + 1])
		return NULL;
	*slash = 0;
	return slash + 1;
}

static int run_station_list(const struct options *o, int argc, char **argv)
{
	struct buf args = { 0 };
	if (argc > 3 || (argc == 3 && strcmp(argv[2], "--pending") != 0))
		return bad_usage("station list [--pending]");
	if (argc == 3)
		buf_puts(&args, "{\"pending\":true}");
	return request(o, "station.list", &args, print_stations);
}

static int run_evse_show(const struct options *o, int argc, char **argv)
{
	if (argc != 3)
		return bad_usage("evse show ID[/EVSE]");
	const char *evse = cut_evse(argv[2]);
	struct buf args = ctl_object((const char *const[][2]){ { "station", argv[2] }, { "evse", evse } }, 2);
	return request(o, "evse.show", &args, NULL);
}

static int run_evse(const struct options *o, int argc, char **argv)
{
	bool start = strcmp(argv[1], "start") == 0;
	const char *token = start && argc == 5 && strcmp(argv[3], "--token") == 0 ? argv[4] : start && argc == 4 && argv[3][0] != '-' ? argv[3] : NULL;
	if (argc < 3 || (argc > 3 && !token))
		return bad_usage("evse start ID[/EVSE] [--token T], or evse stop ID[/EVSE]");
	const char *evse = cut_evse(argv[2]);
	struct buf args = ctl_object((const char *const[][2]){ { "station", argv[2] }, { "evse", evse }, { "token", token } }, 3);
	return request(o, start ? "evse.start" : "evse.stop", &args, NULL);
}

/* Of verbs whose arguments have an order: the names of the second and the third; how many there must be. */
static const struct {
	const char *noun, *word, *method, *keys[3];
	int least;
} ordered[] = {
	{ "station", "reset", "station.reset", { "station", "kind" }, 1 },
	{ "station", "unlock", "station.unlock", { "station", "evse" }, 1 },
	{ "station", "trigger", "station.trigger", { "station", "message", "evse" }, 2 },
	{ "station", "reject", "station.reject", { "station" }, 1 },
	{ "token", "add", "token.add", { "token", "status" }, 1 },
	{ "token", "del", "token.del", { "token" }, 1 },
	{ "uplink", "switch", "uplink.switch", { "uplink", "endpoint" }, 2 },
	{ "queue", "park", "queue.park", { "seq", "reason" }, 1 },
	{ "tx", "show", "tx.show", { "station", "tx" }, 2 },
	{ "pki", "init", "pki.init", { "name", "organisation", "key" }, 0 },
	{ "pki", "revoke", "pki.revoke", { "name" }, 1 },
	{ "pki", "install", "pki.install", { "station" }, 1 },
	{ "pki", "renew", "pki.renew", { "name" }, 1 },
};

/* -1: it is none of them, or its arguments have names. */
static int run_ordered(const struct options *o, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++) {
		const char *const *keys = ordered[i].keys;
		if (argc < 2 || strcmp(ordered[i].noun, argv[0]) != 0 || strcmp(ordered[i].word, argv[1]) != 0 || (argc > 2 && strchr(argv[2], '=')))
			continue;
		int n = argc - 2, most = keys[2] ? 3 : keys[1] ? 2 : 1;
		if (n < ordered[i].least || n > most)
			return bad_usage("too many or too few words");
		struct buf args = ctl_object((const char *const[][2]){ { keys[0], argv[2] }, { keys[1] ? keys[1] : "x", n > 1 ? argv[3] : NULL },
			{ keys[2] ? keys[2] : "y", n > 2 ? argv[4] : NULL } }, 3);
		return request(o, ordered[i].method, &args, NULL);
	}
	return -1;
}

/* Starts it, waits for its end and prints what was found. */
static int run_probe(const struct options *o, int argc, char **argv)
{
	if (argc < 3 || argc > 4)
		return bad_usage("commission probe ID [EVSE]");
	struct buf args = ctl_object((const char *const[][2]){ { "station", argv[2] }, { "evse", argc > 3 ? argv[3] : NULL } }, 2);
	return wait_for_job(o, "commission.probe", &args, print_probe, true);
}

/* Verbs of the form NOUN WORD [ARGUMENT]. */
static const struct {
	const char *noun, *word, *method, *key;
	bool needs;
	print_fn *print;
} rows[] = {
	{ "status", NULL, "status", NULL, false, print_status },
	{ "why", NULL, "why", "object", false, print_why },
	{ "station", "show", "station.show", "station", true, NULL },
	{ "station", "deviations", "station.deviations", "station", true, print_deviations },
	{ "circuit", "list", "circuit.list", NULL, false, print_circuits },
	{ "circuit", "show", "circuit.show", "circuit", true, NULL },
	{ "meter", "list", "meter.list", NULL, false, print_meters },
	{ "meter", "show", "meter.show", "meter", true, NULL },
	{ "uplink", "list", "uplink.list", NULL, false, print_uplinks },
	{ "uplink", "map", "uplink.map", "uplink", true, print_map },
	{ "queue", "list", "queue.list", "station", false, print_queue },
	{ "queue", "show", "queue.show", "seq", true, NULL },
	{ "queue", "retry", "queue.retry", "station", false, NULL },
	{ "tx", "list", "tx.list", "station", false, print_txs },
	{ "commission", "probed", "commission.probed", "station", true, print_probed },
	{ "pki", "list", "pki.list", NULL, false, print_certificates },
	{ "pki", "root", "pki.root", NULL, false, print_text },
	{ "grid", "show", "grid.show", NULL, false, print_grid_operator },
	{ "grid", "log", "grid.log", NULL, false, print_grid_log },
	{ "tariff", "list", "tariff.list", NULL, false, print_tariffs },
	{ "token", "list", "token.list", NULL, false, NULL },
	{ "refresh", NULL, "refresh", NULL, false, NULL },
	{ "version", NULL, "version", NULL, false, NULL },
};

static int run_row(const struct options *o, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int used = rows[i].word ? 2 : 1;
		if (strcmp(rows[i].noun, argv[0]) != 0 || (rows[i].word && (argc < 2 || strcmp(rows[i].word, argv[1]) != 0)))
			continue;
		const char *argument = argc > used ? argv[used] : NULL;
		if (argc > used + (rows[i].key != NULL) || (rows[i].needs && !argument))
			return bad_usage("too many or too few words");
		return simple(o, rows[i].method, rows[i].key ? rows[i].key : "x", argument, rows[i].print);
	}
	return ctl_verb(o, argc, argv);
}

static int run_plugin(const struct options *o, int argc, char **argv)
{
	(void)o;
	return ctl_plugin(argc, argv);
}

static int run_sim(const struct options *o, int argc, char **argv)
{
	(void)o;
	return sim_main(argc, argv);
}

/* Commands that are more than a verb with its arguments in order. */
static const struct {
	const char *noun, *word; /* word NULL: any, and none */
	int (*run)(const struct options *o, int argc, char **argv);
	bool as_is; /* its words may hold an equals sign of their own: files, objects */
} commands[] = {
	{ "help", NULL, ctl_help, false },
	{ "completion", NULL, ctl_completion, false },
	{ "hash", NULL, ctl_hash, true },
	{ "call", NULL, run_call, false },
	{ "limit", NULL, run_limit, false },
	{ "trace", NULL, ctl_trace, false },
	{ "config", NULL, ctl_config, false },
	{ "need", NULL, ctl_need, false },
	{ "plan", NULL, ctl_plan, false },
	{ "balance", NULL, ctl_balance, false },
	{ "top", NULL, ctl_top, false },
	{ "doctor", NULL, ctl_doctor, false },
	{ "health", NULL, ctl_health, false },
	{ "support-bundle", NULL, ctl_bundle, false },
	{ "backup", NULL, ctl_backup, false },
	{ "plugin", NULL, run_plugin, false },
	{ "sim", NULL, run_sim, false },
	{ "station", "list", run_station_list, false },
	{ "station", "import", ctl_station_import, true },
	{ "station", "export", ctl_station_export, true },
	{ "station", "rename", ctl_station_rename, true },
	{ "token", "import", ctl_token_import, true },
	{ "log", "level", ctl_log_level, true },
	{ "log", NULL, ctl_log, false },
	{ "meter", "test", ctl_meter, false },
	{ "meter", "scan", ctl_meter, false },
	{ "pki", "issue", ctl_pki_issue, false },
	{ "queue", "export", run_queue_export, false },
	{ "tx", "export", run_tx_export, false },
	{ "evse", "show", run_evse_show, false },
	{ "evse", "start", run_evse, false },
	{ "evse", "stop", run_evse, false },
	{ "grid", "limit", run_grid_limit, false },
	{ "tariff", "set", run_tariff_set, false },
	{ "commission", "probe", run_probe, false },
};

/* Verbs with their arguments as KEY=VALUE go the common way, whatever they are. */
static int run(const struct options *o, int argc, char **argv)
{
	bool named = argc > 2 && strchr(argv[2], '=');
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *word = commands[i].word;
		if (strcmp(commands[i].noun, argv[0]) == 0 && (!word || (argc > 1 && (!named || commands[i].as_is) && strcmp(word, argv[1]) == 0)))
			return commands[i].run(o, argc, argv);
	}
	int status = run_ordered(o, argc, argv);
	return status >= 0 ? status : run_row(o, argc, argv);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "socket", required_argument, NULL, 's' }, { "json", no_argument, NULL, 'j' },
		{ "no-color", no_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 } };
	struct options o = { .socket = getenv("AMPGATE_SOCKET") };
	int c;
	if (!o.socket)
		o.socket = RUN_DIR "/control.sock";
	while ((c = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (c) {
		case 's': o.socket = optarg; break;
		case 'j': o.json = true; break;
		case 'n': break;
		case 'h': fputs(usage, stdout); return EXIT_OK;
		case 'V': puts("ampgate " PACKAGE_VERSION); return EXIT_OK;
		default: fputs(usage, stderr); return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return bad_usage("no command");
	return run(&o, argc - optind, argv + optind);
}
