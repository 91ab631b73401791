/* ampgate plugin: what files offer, and whether one keeps what ampgate-plugin(3) asks for. The trial runs in a process of its own: a plugin
 * that crashes or hangs fails its trial and takes nothing else along. */
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "gateway/ctl/ctl.h"
#include "gateway/plug/modules.h"

#define TRIAL_S 60
#define HANG_S 15              /* of one poll */
#define POLL_MOST_US (5 * US_PER_S) /* stale_after, as long as the configuration does not say another */
#define LOOP_BUDGET_US (5 * US_PER_MS)
#define ROUNDS 50
#define READER_MOST_US (1500 * US_PER_MS)
#define SINK_PATIENCE_US (10 * US_PER_S)
#define SINK_MESSAGES 3

static const struct {
	uint32_t bit;
	const char *name;
} kinds[] = { { AG_METER, "meter" }, { AG_EVSE, "evse" }, { AG_GRID, "grid" }, { AG_AUTH, "reader" }, { AG_SINK, "sink" } };

/* ---- list ---- */

static void print_kinds(uint32_t bits)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bits & kinds[i].bit)
			printf(" %s", kinds[i].name);
}

static int list(const char *dir)
{
	struct dirent **found;
	int n = scandir(dir, &found, NULL, alphasort), bad = 0;
	if (n < 0) {
		fprintf(stderr, "ampgate: %s: no such directory\n", dir);
		return EXIT_NOT_FOUND;
	}
	for (int i = 0; i < n; i++) {
		char why[300], *end = strrchr(found[i]->d_name, '.');
		if (end && strcmp(end, ".so") == 0) {
			*end = 0;
			const ag_plugin *p = module_find(dir, found[i]->d_name, why, sizeof(why));
			printf("%-24s", found[i]->d_name);
			if (p) {
				printf(" %-8s %-12s", p->version ? p->version : "-", p->license ? p->license : "-");
				print_kinds(p->kinds);
			} else {
				printf(" %s", why);
				bad = 1;
			}
			putchar('\n');
		}
		free(found[i]);
	}
	free(found);
	return bad ? EXIT_FAILED : EXIT_OK;
}

/* ---- the trial ---- */

static int failed, done;
static bool unread; /* its device could not be read, so what it says of it is not known */

static void verdict(bool ok, const char *what, const char *detail)
{
	done++;
	printf("%s %d - %s%s%s\n", ok ? "ok" : "not ok", done, what, detail && *detail ? ": " : "", detail ? detail : "");
	fflush(stdout);
	failed += !ok;
}

/* A rule that has nothing to look at. */
static void skipped(const char *what, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++done, what, why);
}

/* A rule for those of one kind. */
static void verdict_for(const ag_plugin *p, uint32_t kind, bool ok, const char *what)
{
	if (p->kinds & kind)
		verdict(ok, what, NULL);
	else
		skipped(what, "it is none");
}

static void host_log(const ag_host *h, int level, const char *text)
{
	(void)h, (void)level;
	printf("# %s\n", text);
}

/* What was posted, until the trial's own thread, which stands for the loop, has time for it. */
struct posted {
	struct posted *next;
	void (*fn)(void *arg);
	void *arg;
};

static struct {
	pthread_mutex_t lock;
	struct posted *first, **end;
} posts = { .lock = PTHREAD_MUTEX_INITIALIZER, .end = &posts.first };

static void host_post(const ag_host *h, void (*fn)(void *arg), void *arg)
{
	struct posted *p = NEW(struct posted);
	(void)h;
	p->fn = fn;
	p->arg = arg;
	pthread_mutex_lock(&posts.lock);
	*posts.end = p;
	posts.end = &p->next;
	pthread_mutex_unlock(&posts.lock);
}

static struct posted *next_post(void)
{
	pthread_mutex_lock(&posts.lock);
	struct posted *p = posts.first;
	if (p && !(posts.first = p->next))
		posts.end = &posts.first;
	pthread_mutex_unlock(&posts.lock);
	return p;
}

static void loop_once(void)
{
	for (struct posted *p; (p = next_post()) != NULL; mem_free(p))
		p->fn(p->arg);
}

static uint64_t host_now(const ag_host *h)
{
	(void)h;
	return (uint64_t)clock_mono_us();
}

static void host_command(const ag_host *h, const char *verb, const char *json, void (*reply)(void *arg, const char *answer), void *arg)
{
	(void)h, (void)verb, (void)json;
	reply(arg, "{\"ok\":true,\"result\":null}");
}

/* What a sink has said of itself. */
static struct {
	bool up, spoke;
	char why[200];
	uint64_t marks;         /* bit per mark */
	bool strange;           /* a mark that nobody gave, or one a second time */
} said;

static void host_sink_state(const ag_host *h, int up, const char *why)
{
	(void)h;
	said.up = up != 0;
	said.spoke = true;
	snprintf(said.why, sizeof(said.why), "%s", why ? why : "");
}

static void host_sink_sent(const ag_host *h, uint64_t mark)
{
	(void)h;
	said.strange |= mark < 1 || mark > SINK_MESSAGES || (said.marks & (UINT64_C(1) << mark));
	said.marks |= UINT64_C(1) << (mark & 63);
}

static const ag_host host = { sizeof(host), NULL, host_log, host_post, host_now, host_command, host_sink_state, host_sink_sent };

static int open_files(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void try_table(const ag_plugin *p)
{
	uint32_t known = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		known |= kinds[i].bit;
	verdict(p->kinds && !(p->kinds & ~known), "its kinds are some that the program uses", NULL);
	verdict(p->version && *p->version && p->license && *p->license, "it states its version and its licence", NULL);
	cJSON *schema = p->config_schema ? json_parse(slice_of(p->config_schema)) : NULL;
	verdict(cJSON_IsObject(schema), "config_schema is a JSON object", NULL);
	cJSON_Delete(schema);
	bool pins = PLUGIN_HAS(p, evse_pins) && PLUGIN_HAS(p, evse_drive);
	verdict_for(p, AG_METER, p->meter_poll, "a meter has meter_poll");
	verdict_for(p, AG_EVSE, pins || (p->evse_set && p->evse_state), "an EVSE has evse_set and evse_state, or pins");
	verdict_for(p, AG_AUTH, PLUGIN_HAS(p, auth_poll) && (p->flags & AG_F_THREAD), "a reader has auth_poll and AG_F_THREAD");
	verdict_for(p, AG_GRID, PLUGIN_HAS(p, grid_poll), "a grid input has grid_poll");
	verdict_for(p, AG_SINK, p->publish, "a sink has publish");
}

/* Refused with a text, and nothing left in `self`. */
static void try_refusal(const ag_plugin *p, const char *config, const char *what)
{
	char why[200] = "";
	void *self = NULL;
	int rc = p->create(&host, "trial", config, &self, why, sizeof(why));
	verdict(rc < 0 && why[0], what, rc < 0 ? why : "it was taken");
	if (rc == 0)
		p->destroy(self);
}

/* What is said of a call that does not return. */
static char hang[200] = "not ok - it hangs\n";

static void on_alarm(int signal)
{
	(void)signal;
	(void)!write(STDOUT_FILENO, hang, strlen(hang));
	_exit(EXIT_FAILED);
}

/* A poll begins, or with NULL it has ended. */
static void watch(const char *call)
{
	snprintf(hang, sizeof(hang), "not ok - it hangs");
	if (call)
		snprintf(hang, sizeof(hang), "not ok - it hangs: %s has not returned for %d s; a call bounds itself, well below poll (1 s) and stale_after (5 s)",
			call, HANG_S);
	strcat(hang, "\n");
	alarm(call ? HANG_S : TRIAL_S);
}

static bool finite_where_valid(const ag_meter_sample *s, bool *any_phase)
{
	const double *const of[] = { s->i_a, s->u_v, s->p_w };
	const uint32_t bit[] = { AG_I, AG_U, AG_P };
	*any_phase = true;
	for (int q = 0; q < 3; q++) {
		int seen = 0;
		for (int i = 0; i < 3 && (s->valid & bit[q]); i++) {
			if (isinf(of[q][i]))
				return false;
			seen += !isnan(of[q][i]);
		}
		*any_phase = *any_phase && (seen || !(s->valid & bit[q]));
	}
	return (!(s->valid & AG_IMPORT) || isfinite(s->import_wh)) && (!(s->valid & AG_EXPORT) || isfinite(s->export_wh)) &&
		(!(s->valid & AG_POWER) || isfinite(s->power_w));
}

/* A rule for what was read. */
static void verdict_read(int good, bool ok, const char *what)
{
	if (good)
		verdict(ok, what, NULL);
	else
		skipped(what, "nothing was read");
}

static void try_meter(const ag_plugin *p, void *self)
{
	int64_t longest = 0;
	int rc = 0, good = 0;
	bool finite = true, phases = true, known = true, any;
	for (int i = 0; i < 3; i++) {
		ag_meter_sample s = { 0 };
		int64_t start = clock_mono_us();
		watch("meter_poll");
		rc = p->meter_poll(self, &s);
		watch(NULL);
		longest = clock_mono_us() - start > longest ? clock_mono_us() - start : longest;
		if (rc != 0)
			continue;
		good++;
		finite = finite_where_valid(&s, &any) && finite;
		phases = any && phases;
		known = s.valid && !(s.valid & ~(uint32_t)(AG_I | AG_U | AG_P | AG_IMPORT | AG_EXPORT | AG_POWER)) && known;
	}
	const char *why = rc != 0 && p->fault ? p->fault(self) : NULL;
	verdict(good > 0, "it reads its meter", rc != 0 ? (why ? why : "and does not say why not") : NULL);
	unread |= !good;
	verdict_read(good, known, "what is valid is marked, by bits that there are");
	verdict_read(good, finite, "what is valid is a number");
	verdict_read(good, phases, "a quantity that is valid is known for a phase");
	verdict(longest <= POLL_MOST_US, "a poll ends before stale_after, 5 s, and better before poll, 1 s", NULL);
	verdict((p->flags & AG_F_THREAD) || longest <= LOOP_BUDGET_US, "it takes no more than 5 ms of the loop, or has AG_F_THREAD", NULL);
}

static void try_evse(const ag_plugin *p, void *self)
{
	static const double none[3];
	ag_evse_state s = { 0 };
	int first = p->evse_set(self, 1, none), again = p->evse_set(self, 1, none);
	verdict(first == again, "the same order twice ends the same way", NULL);
	int rc = p->evse_state(self, 1, &s);
	verdict(rc == 0, "it tells its state", rc != 0 && p->fault ? p->fault(self) : NULL);
	verdict(rc != 0 || !s.closed, "0 A opens the contactor", NULL);
	verdict(rc != 0 || s.pilot == 0 || (s.pilot >= 'A' && s.pilot <= 'F'), "its pilot is one of A to F, or none", NULL);
}

static void try_pins(const ag_plugin *p, void *self)
{
	static const ag_drive open = { .pilot = AG_PILOT_STEADY };
	ag_pins pins = { 0 };
	int first = p->evse_drive(self, 1, &open), again = p->evse_drive(self, 1, &open);
	verdict(first == again, "the same order twice ends the same way", NULL);
	int rc = p->evse_pins(self, 1, &pins);
	verdict(rc == 0, "it reads its pins", rc != 0 && p->fault ? p->fault(self) : NULL);
	verdict(rc != 0 || !(pins.on & pins.has & (AG_PIN_CLOSED_1 | AG_PIN_CLOSED_2)), "the order to open opens the contactors", NULL);
	verdict(rc != 0 || !(pins.has & AG_PIN_PILOT) || (isfinite(pins.high_v) && isfinite(pins.low_v)), "a pilot has voltages", NULL);
}

static void try_grid(const ag_plugin *p, void *self)
{
	int64_t longest = 0;
	int rc = 0, good = 0;
	bool says = true;
	for (int i = 0; i < 3; i++) {
		ag_grid_state s = { .value = NAN };
		int64_t start = clock_mono_us();
		watch("grid_poll");
		rc = p->grid_poll(self, &s);
		watch(NULL);
		longest = clock_mono_us() - start > longest ? clock_mono_us() - start : longest;
		good += rc == 0;
		says = (rc != 0 || s.known || s.value >= 0) && says;
	}
	const char *why = rc != 0 && p->fault ? p->fault(self) : NULL;
	verdict(good > 0, "it reads its input", rc != 0 ? (why ? why : "and does not say why not") : NULL);
	unread |= !good;
	verdict_read(good, says, "a reading has a contact that is known or a value: watts, or infinity for no limit");
	verdict((p->flags & AG_F_THREAD) || longest <= LOOP_BUDGET_US, "it takes no more than 5 ms of the loop, or has AG_F_THREAD", NULL);
}

/* Nobody holds a card in front of it for a trial, as a rule: then it says 0, and in time. */
static void try_reader(const ag_plugin *p, void *self)
{
	int64_t shortest = INT64_MAX; /* of them all: a busy machine makes some of them long */
	int rc = 0;
	bool fits = true, tells = true;
	for (int i = 0; i < 3 && rc >= 0; i++) {
		char token[256];
		memset(token, 'x', sizeof(token));
		int64_t start = clock_mono_us();
		rc = p->auth_poll(self, token, sizeof(token));
		shortest = clock_mono_us() - start < shortest ? clock_mono_us() - start : shortest;
		size_t n = rc == 1 ? strnlen(token, sizeof(token)) : 0;
		fits = fits && rc <= 1 && (rc != 1 || (n > 0 && n <= 36));
		if (rc == 1 && fits)
			printf("# a card: %s\n", token);
	}
	const char *why = rc < 0 && p->fault ? p->fault(self) : NULL;
	tells = rc >= 0 || (why && *why);
	verdict(rc >= 0, "it reads its reader", rc < 0 ? (why ? why : "and does not say why not") : NULL);
	verdict(tells, "a reader that is gone says why", NULL);
	verdict(fits, "it gives a token of 1 to 36 characters, or none", NULL);
	verdict(shortest <= READER_MOST_US, "it waits half a second at most", NULL);
}

static bool waits_for(bool (*there)(void))
{
	int64_t end = clock_mono_us() + SINK_PATIENCE_US;
	for (loop_once(); !there() && clock_mono_us() < end; loop_once())
		usleep(2000);
	return there();
}

static bool is_up(void)
{
	return said.up;
}

static bool has_all(void)
{
	return said.marks == ((UINT64_C(1) << (SINK_MESSAGES + 1)) - 2);
}

/* A text that is ours again when the call has returned. */
static int publish_one(const ag_plugin *p, void *self, const char *topic, uint64_t mark, int64_t *shortest)
{
	char payload[] = "{\"v\":1,\"seq\":1,\"code\":\"trial\"}", level[32];
	ag_message m = { .topic = level, .payload = payload, .length = sizeof(payload) - 1, .qos = mark != 0, .mark = mark };
	snprintf(level, sizeof(level), "%s", topic);
	int64_t start = clock_mono_us();
	int rc = p->publish(self, &m);
	*shortest = clock_mono_us() - start < *shortest ? clock_mono_us() - start : *shortest;
	memset(payload, '#', sizeof(payload) - 1);
	memset(level, '#', sizeof(level) - 1);
	return rc;
}

static void try_sink(const ag_plugin *p, void *self)
{
	int64_t shortest = INT64_MAX;
	int rc = 0;
	bool up = waits_for(is_up);
	verdict(up, "it says that it is up", up ? NULL : said.spoke ? said.why : "it says nothing within 10 s");
	if (!up)
		return;
	for (uint64_t mark = 1; mark <= SINK_MESSAGES && rc == 0; mark++)
		rc = publish_one(p, self, "event", mark, &shortest);
	if (rc == 0)
		rc = publish_one(p, self, "telemetry", 0, &shortest);
	verdict(rc == 0, "it takes messages", rc != 0 && p->fault ? p->fault(self) : NULL);
	verdict(shortest <= LOOP_BUDGET_US, "publish takes no more than 5 ms of the loop", NULL);
	verdict(rc != 0 || waits_for(has_all), "it tells when it has a message with a mark", NULL);
	verdict(!said.strange, "and of each mark once", NULL);
}

static void try_rounds(const ag_plugin *p, const char *config)
{
	int before = open_files();
	bool ok = true;
	for (int i = 0; i < ROUNDS && ok; i++) {
		char why[200];
		void *self = NULL;
		ok = p->create(&host, "trial", config, &self, why, sizeof(why)) == 0;
		if (ok)
			p->destroy(self);
		loop_once();
	}
	verdict(ok, "it can be made and unmade again and again", NULL);
	verdict(open_files() <= before, "unmaking closes its files", NULL);
}

static int trial(const char *path, const char *config)
{
	char why[300] = "", full[4096];
	const ag_plugin *p = module_open(realpath(path, full) ? full : path, why, sizeof(why));
	verdict(p != NULL, "it loads, and its ABI fits", why);
	if (!p)
		return EXIT_FAILED;
	try_table(p);
	try_refusal(p, "{", "a configuration that is no JSON is refused with a text");
	void *self = NULL;
	int rc = p->create(&host, "trial", config, &self, why, sizeof(why));
	verdict(rc == 0, "the configuration given is taken", rc ? why : NULL);
	if (rc == 0) {
		if (p->kinds & AG_METER)
			try_meter(p, self);
		if ((p->kinds & AG_EVSE) && p->evse_set && p->evse_state)
			try_evse(p, self);
		if ((p->kinds & AG_EVSE) && PLUGIN_HAS(p, evse_pins) && PLUGIN_HAS(p, evse_drive))
			try_pins(p, self);
		if (p->kinds & AG_GRID)
			try_grid(p, self);
		if (p->kinds & AG_AUTH)
			try_reader(p, self);
		if (p->kinds & AG_SINK)
			try_sink(p, self);
		p->destroy(self);
		loop_once();
		try_rounds(p, config);
	}
	const char *sum = !failed ? "it conforms" : failed == 1 && unread ? "not tried, as its device cannot be read" : "it does not conform";
	printf("1..%d\n# %s: %d of %d\n", done, sum, done - failed, done);
	return failed ? EXIT_FAILED : EXIT_OK;
}

static int test(const char *path, const char *config)
{
	int status = 0;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		signal(SIGALRM, on_alarm);
		alarm(TRIAL_S);
		int rc = trial(path, config);
		fflush(stdout);
		_exit(rc);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return EXIT_FAILED;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("not ok - %s\n", WTERMSIG(status) == SIGALRM ? "it hangs" : strsignal(WTERMSIG(status)));
	return EXIT_FAILED;
}

int ctl_plugin(int argc, char **argv)
{
	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "list") == 0)
		return list(argc > 2 ? argv[2] : PLUGIN_DIR);
	if (argc >= 3 && argc <= 4 && strcmp(argv[1], "test") == 0)
		return test(argv[2], argc > 3 ? argv[3] : "{}");
	return ctl_usage("plugin list [DIRECTORY], or plugin test FILE.so [CONFIG]");
}
