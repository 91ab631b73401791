/* ampgate config: the configuration of the running daemon. Files are read here, under the rights of whoever asks. */
#include "gateway/ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define FILE_MOST (1024 * 1024)

struct words {
	const char *file;       /* FILE, or the number of a generation */
	const char *wait;       /* --for */
	bool origin, managed, restart;
};

static int read_words(int argc, char **argv, struct words *w)
{
	static const struct option options[] = { { "for", required_argument, NULL, 'f' }, { "restart", no_argument, NULL, 'r' },
		{ "origin", no_argument, NULL, 'o' }, { "managed", no_argument, NULL, 'm' }, { 0 } };
	int c;
	optind = 0; /* the words of the program were read by another loop */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f': w->wait = optarg; break;
		case 'r': w->restart = true; break;
		case 'o': w->origin = true; break;
		case 'm': w->managed = true; break;
		default: return ctl_usage("no such option");
		}
	}
	w->file = optind < argc ? argv[optind] : NULL;
	return optind + 1 < argc ? ctl_usage("too many words") : EXIT_OK;
}

static int read_file(const char *path, struct buf *out)
{
	int err = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, FILE_MOST, out);
	if (!err)
		return EXIT_OK;
	fprintf(stderr, "ampgate: %s: %s\n", path, err_text(err));
	return EXIT_FAILED;
}

static void print_yaml(const cJSON *r)
{
	fputs(cJSON_GetStringValue(json_at(r, "yaml")), stdout);
}

static void print_check(const cJSON *r)
{
	fputs(cJSON_GetStringValue(json_at(r, cJSON_HasObjectItem(r, "text") ? "text" : "changes")), stdout);
}

static void print_changes(const cJSON *r)
{
	const char *changes = cJSON_GetStringValue(json_at(r, "changes"));
	fputs(*changes ? changes : "no difference\n", stdout);
}

/* One line per mistake, with the key it is about; else one per change. */
static void print_tried(const cJSON *r)
{
	const cJSON *e, *c;
	cJSON_ArrayForEach(e, json_at(r, "errors"))
		printf("%s:%.0f:%.0f: %s: %s\n", cJSON_GetStringValue(json_at(e, "file")), json_number(e, "line", 0), json_number(e, "column", 0),
			cJSON_GetStringValue(json_at(e, "severity")), cJSON_GetStringValue(json_at(e, "message")));
	cJSON_ArrayForEach(c, json_at(r, "changes"))
		printf("%s: %s -> %s (%s)\n", cJSON_GetStringValue(json_at(c, "path")), cJSON_IsString(json_at(c, "from")) ? json_at(c, "from")->valuestring : "-",
			cJSON_IsString(json_at(c, "to")) ? json_at(c, "to")->valuestring : "-", cJSON_GetStringValue(json_at(c, "effect")));
	puts(json_bool(r, "usable", false) ? "usable" : "not usable");
}

static void print_keys(const cJSON *rows, int depth)
{
	const cJSON *row;
	cJSON_ArrayForEach(row, rows) {
		printf("%*s%s  %s\n", depth * 2, "", cJSON_GetStringValue(json_at(row, "key")), cJSON_GetStringValue(json_at(row, "type")));
		print_keys(json_at(row, "rows"), depth + 1);
	}
}

static void print_schema(const cJSON *r)
{
	print_keys(json_at(r, "rows"), 0);
}

static void print_applied(const cJSON *r)
{
	print_changes(r);
	if (cJSON_IsString(json_at(r, "confirm_until")))
		printf("in force until %s, unless confirmed: ampgate config confirm\n", cJSON_GetStringValue(json_at(r, "confirm_until")));
	else
		printf("in force%s\n", json_bool(r, "restarts", false) ? " when the daemon is back" : "");
}

static void print_history(const cJSON *r)
{
	const cJSON *g;
	printf("%-4s %-24s %-16s %s\n", "N", "AT", "WHO", "WHY");
	cJSON_ArrayForEach(g, r)
		printf("%-4.0f %-24s %-16s %s\n", json_number(g, "generation", 0), cJSON_GetStringValue(json_at(g, "at")), cJSON_GetStringValue(json_at(g, "who")),
			cJSON_GetStringValue(json_at(g, "why")));
}

static void print_done(const cJSON *r)
{
	(void)r;
	puts("done");
}

struct verb {
	const char *word, *method;
	bool takes_file, needs_file;
	print_fn *print;
};

static int send(const struct options *o, const struct verb *v, const struct words *w)
{
	struct buf args = { 0 }, yaml = { 0 };
	struct json_writer j;
	char *end = NULL;
	long number = w->file ? strtol(w->file, &end, 10) : 0;
	bool is_number = end && !*end && number > 0;
	int status = w->file && !is_number ? read_file(w->file, &yaml) : EXIT_OK;
	jw_open(&j, &args);
	jw_object(&j, NULL);
	if (is_number)
		jw_int(&j, "generation", number);
	else if (w->file)
		jw_text(&j, "yaml", yaml.p ? buf_view(&yaml) : SLICE(""));
	if (w->wait)
		jw_string(&j, "for", w->wait);
	if (w->restart)
		jw_bool(&j, "restart", true);
	if (w->origin)
		jw_bool(&j, "origin", true);
	if (w->managed)
		jw_string(&j, "layer", "managed");
	jw_end(&j, '}');
	buf_free(&yaml);
	if (!status)
		return ctl_request(o, v->method, &args, v->print);
	buf_free(&args);
	return status;
}

int ctl_config(const struct options *o, int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ "show", "config.show", false, false, print_yaml },
		{ "check", "config.check", true, false, print_check },
		{ "diff", "config.diff", true, true, print_changes },
		{ "try", "config.try", true, true, print_tried },
		{ "apply", "config.apply", true, true, print_applied },
		{ "schema", "config.schema", false, false, print_schema },
		{ "confirm", "config.confirm", false, false, print_done },
		{ "rollback", "config.rollback", true, false, print_done },
		{ "history", "config.history", false, false, print_history },
	};
	struct words w = { 0 };
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].word, argv[1]) != 0)
			continue;
		int status = read_words(argc - 1, argv + 1, &w);
		if (status)
			return status;
		if ((w.file && !verbs[i].takes_file) || (!w.file && verbs[i].needs_file))
			return ctl_usage("too many or too few words");
		return send(o, &verbs[i], &w);
	}
	return ctl_usage("config show, check, diff, try, apply, confirm, rollback, history or schema");
}
