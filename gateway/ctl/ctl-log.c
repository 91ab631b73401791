/* ampgate log: what happened, from the journal, and on as it happens; and how much parts of the program log. The journal is asked once a second: an
 * event is on disk before anybody hears of it, so nothing is missed, and nothing is told that a power cut would take back. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "gateway/ctl/ctl.h"

struct words {
	const char *words[3], *wait, *level, *module;
	int n;
	bool follow;
};

static int read_words(int argc, char **argv, struct words *w, const char *use)
{
	static const struct option options[] = { { "for", required_argument, NULL, 'w' }, { "level", required_argument, NULL, 'l' },
		{ "module", required_argument, NULL, 'm' }, { "follow", no_argument, NULL, 'f' }, { 0 } };
	int c;
	optind = 0; /* the words of the program were read by another loop */
	while ((c = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		switch (c) {
		case 'w': w->wait = optarg; break;
		case 'l': w->level = optarg; break;
		case 'm': w->module = optarg; break;
		case 'f': w->follow = true; break;
		default: return ctl_usage(use);
		}
	}
	for (; optind < argc && w->n < 3; optind++)
		w->words[w->n++] = argv[optind];
	return optind < argc ? ctl_usage(use) : EXIT_OK;
}

/* ---- events ---- */

static int rank(struct slice level)
{
	static const char *const levels[] = { "info", "warning", "error", "critical" };
	for (int i = 0; i < 4; i++)
		if (slice_is(level, levels[i]))
			return i;
	return -1;
}

/* "uplink" fits uplink.up and the object uplink/cpo. */
static bool is_of(const char *module, const cJSON *e)
{
	struct slice code = json_text(e, "code"), object = json_text(e, "obj");
	size_t n = strlen(module);
	return (code.n >= n && memcmp(code.p, module, n) == 0 && (code.n == n || code.p[n] == '.')) ||
	       (object.n >= n && memcmp(object.p, module, n) == 0 && (object.n == n || object.p[n] == '/'));
}

static bool is_wanted(const struct words *w, const cJSON *e)
{
	return (!w->level || rank(json_text(e, "sev")) >= rank(slice_of(w->level))) && (!w->module || is_of(w->module, e));
}

static void show(const struct options *o, const cJSON *e)
{
	char *text = cJSON_PrintUnformatted(o->json ? e : json_at(e, "args"));
	if (o->json)
		puts(text);
	else
		printf("%.*s %-8.*s %.*s %.*s%s%s\n", SLICE_ARG(json_text(e, "ts")), SLICE_ARG(json_text(e, "sev")), SLICE_ARG(json_text(e, "code")),
			SLICE_ARG(json_text(e, "obj")), strcmp(text, "{}") ? " " : "", strcmp(text, "{}") ? text : "");
	cJSON_free(text);
}

/* Those behind *after, which becomes the last of them; negative: the newest. */
static int show_events(const struct options *o, const struct words *w, long long *after)
{
	char number[24];
	int status;
	snprintf(number, sizeof(number), "%lld", *after);
	struct buf args = ctl_object((const char *const[][2]){ { "after", *after < 0 ? NULL : number } }, 1);
	cJSON *answer = ctl_ask(o, "event.list", &args, &status);
	const cJSON *e;
	cJSON_ArrayForEach(e, cJSON_GetObjectItem(answer, "result")) {
		*after = json_int(e, "seq", *after);
		if (is_wanted(w, e))
			show(o, e);
	}
	fflush(stdout);
	cJSON_Delete(answer);
	buf_free(&args);
	return status;
}

int ctl_log(const struct options *o, int argc, char **argv)
{
	static const char use[] = "log [-f] [--module M] [--level info|warning|error|critical]";
	struct words w = { .n = 0 };
	long long after = -1;
	int status = read_words(argc, argv, &w, use);
	if (status)
		return status;
	if (w.n || w.wait || (w.level && rank(slice_of(w.level)) < 0))
		return ctl_usage(use);
	status = show_events(o, &w, &after);
	while (!status && w.follow) {
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
		status = show_events(o, &w, &after);
	}
	return status;
}

/* ---- levels ---- */

static void print_levels(const cJSON *r)
{
	const cJSON *l;
	cJSON_ArrayForEach(l, r)
		printf("%-24s %-8s until %s\n", cJSON_GetStringValue(json_at(l, "component")), cJSON_GetStringValue(json_at(l, "level")),
			cJSON_GetStringValue(json_at(l, "until")));
	if (!cJSON_GetArraySize(r))
		puts("everything logs as configured");
}

int ctl_log_level(const struct options *o, int argc, char **argv)
{
	static const char use[] = "log level [COMPONENT error|warning|info|debug|default [--for 10m]]";
	struct words w = { .n = 0 };
	int status = read_words(argc - 1, argv + 1, &w, use);
	if (status)
		return status;
	if (w.n == 1 || w.n > 2 || w.follow || w.level || w.module)
		return ctl_usage(use);
	struct buf args = ctl_object((const char *const[][2]){ { "component", w.words[0] }, { "level", w.words[1] }, { "for", w.wait } }, 3);
	return ctl_request(o, "log.level", &args, print_levels);
}
