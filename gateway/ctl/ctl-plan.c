/* The balancer from the command line: what a car needs, what would happen if, and the balancer itself as a program. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/ctl/ctl.h"
#include "gateway/ctl/ctl-print.h"
#include "gateway/power/balance-replay.h"
#include "gateway/power/balance-stdio.h"

int ctl_need(const struct options *o, int argc, char **argv)
{
	const char *words[3] = { NULL }, *leaves = NULL;
	int n = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--leaves") == 0 && i + 1 < argc)
			leaves = argv[++i];
		else if (n < 3)
			words[n++] = argv[i];
		else
			n = 4;
	}
	if (n < 2 || n > 3 || strcmp(words[0], "set") != 0)
		return ctl_usage("need set ID [WH] [--leaves TIME]");
	struct buf args = ctl_object((const char *const[][2]){ { "station", words[1] }, { "need_wh", words[2] }, { "leaves", leaves } }, 3);
	return ctl_request(o, "need.set", &args, NULL);
}

static const struct option_row {
	const char *option, *kind, *takes;
	int words;
} plan_options[] = { { "--limit", "limit", "OBJECT AMPS", 2 }, { "--power", "power", "CIRCUIT WATTS", 2 }, { "--arrive", "arrive", "ID", 1 },
	{ "--leave", "leave", "ID", 1 }, { "--after", NULL, "DURATION", 1 } };

/* The option at argv[i] with its words; NULL: what is wrong has been told. */
static const struct option_row *option_at(int i, int argc, char **argv)
{
	char wrong[120];
	size_t k = 0, n = sizeof(plan_options) / sizeof(plan_options[0]);
	while (k < n && strcmp(argv[i], plan_options[k].option) != 0)
		k++;
	if (k < n && i + plan_options[k].words < argc)
		return &plan_options[k];
	if (k == n)
		snprintf(wrong, sizeof(wrong), "plan: it has no option '%.60s'", argv[i]);
	else
		snprintf(wrong, sizeof(wrong), "plan: %s takes %s", plan_options[k].option, plan_options[k].takes);
	ctl_usage(wrong);
	return NULL;
}

static void write_change(struct json_writer *w, const struct option_row *row, char **words)
{
	jw_object(w, NULL);
	jw_string(w, "kind", row->kind);
	jw_string(w, "object", words[0]);
	if (row->words == 2)
		jw_string(w, "value", words[1]);
	jw_end(w, '}');
}

/* --limit row-a 40 --arrive G-07: the words of one change after the other. */
int ctl_plan(const struct options *o, int argc, char **argv)
{
	const struct option_row *row;
	const char *after = NULL;
	struct buf args = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_array(&w, "changes");
	for (int i = 1; i < argc; i += 1 + row->words) {
		row = option_at(i, argc, argv);
		if (!row) {
			buf_free(&args);
			return EXIT_USAGE;
		}
		if (row->kind)
			write_change(&w, row, argv + i + 1);
		else
			after = argv[i + 1];
	}
	jw_end(&w, ']');
	if (after)
		jw_string(&w, "after", after);
	jw_end(&w, '}');
	return ctl_request(o, "plan", &args, print_plan);
}

/* What was decided is on standard output all the same when its record is not whole. */
static int on_stdio(const char *path)
{
	char why[300] = "";
	FILE *record = path ? fopen(path, "we") : NULL;
	if (path && !record) {
		fprintf(stderr, "ampgate: %s: %s\n", path, strerror(errno));
		return EXIT_FAILED;
	}
	int rc = balance_stdio(stdin, stdout, stderr, record, why, sizeof(why));
	bool failed = record && ferror(record);
	if (record && (fclose(record) != 0 || failed)) {
		fprintf(stderr, "ampgate: %s: not all of the decision log could be written\n", path);
		failed = true;
	}
	if (rc)
		fprintf(stderr, "ampgate: %s\n", why);
	return rc || failed ? EXIT_FAILED : EXIT_OK;
}

int ctl_balance(const struct options *o, int argc, char **argv)
{
	bool stdio = argc > 1 && strcmp(argv[1], "--stdio") == 0;
	(void)o;
	if (argc == 3 && strcmp(argv[1], "--replay") == 0)
		return balance_replay(argv[2]) == 0 ? EXIT_OK : EXIT_FAILED;
	if (stdio && argc == 2)
		return on_stdio(NULL);
	if (stdio && argc == 4 && strcmp(argv[2], "--record") == 0)
		return on_stdio(argv[3]);
	return ctl_usage("balance --stdio [--record FILE], or balance --replay FILE");
}
