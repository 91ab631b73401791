/* Commands that read or write a file: station import, export and rename, token import. Files are read here, under the rights of whoever asks. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/conf-csv.h"
#include "base/conf.h"
#include "base/file.h"
#include "gateway/conf/stations-file.h"
#include "gateway/ctl/ctl.h"

#define FILE_MOST (1024 * 1024)

struct words {
	const char *words[3];
	int n;
	const char *wait, *format, *source;
	bool dry, restart, replace, drop_in, keep_uplink_id;
};

static int read_words(int argc, char **argv, struct words *w, const char *use)
{
	static const struct option options[] = { { "for", required_argument, NULL, 'f' }, { "format", required_argument, NULL, 'm' },
		{ "source", required_argument, NULL, 's' }, { "dry-run", no_argument, NULL, 'n' }, { "restart", no_argument, NULL, 'r' },
		{ "replace", no_argument, NULL, 'p' }, { "drop-in", no_argument, NULL, 'd' }, { "keep-uplink-id", no_argument, NULL, 'k' }, { 0 } };
	int c;
	optind = 0; /* the words of the program were read by another loop */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f': w->wait = optarg; break;
		case 'm': w->format = optarg; break;
		case 's': w->source = optarg; break;
		case 'n': w->dry = true; break;
		case 'r': w->restart = true; break;
		case 'p': w->replace = true; break;
		case 'd': w->drop_in = true; break;
		case 'k': w->keep_uplink_id = true; break;
		default: return ctl_usage(use);
		}
	}
	for (; optind < argc && w->n < 3; optind++)
		w->words[w->n++] = argv[optind];
	return optind < argc ? ctl_usage(use) : EXIT_OK;
}

static int read_file(const char *path, struct buf *out)
{
	int err = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, FILE_MOST, out);
	if (!err)
		return EXIT_OK;
	fprintf(stderr, "ampgate: %s: %s\n", path, err_text(err));
	return EXIT_FAILED;
}

static void write_flag(struct json_writer *w, const char *key, bool value)
{
	if (value)
		jw_bool(w, key, true);
}

static void write_word(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		jw_string(w, key, value);
}

/* What all of them say, as the members of an object that stays open. */
static void write_words(struct json_writer *w, const struct words *o)
{
	write_word(w, "for", o->wait);
	write_word(w, "format", o->format);
	write_word(w, "source", o->source);
	write_flag(w, "dry_run", o->dry);
	write_flag(w, "restart", o->restart);
	write_flag(w, "replace", o->replace);
	write_flag(w, "keep_uplink_id", o->keep_uplink_id);
}

static void print_applied(const cJSON *r)
{
	const char *changes = cJSON_GetStringValue(json_at(r, "changes"));
	fputs(changes && *changes ? changes : "no difference\n", stdout);
	if (json_bool(r, "dry_run", false))
		puts("nothing was changed");
	else if (cJSON_IsString(json_at(r, "confirm_until")))
		printf("in force until %s, unless confirmed: ampgate config confirm\n", cJSON_GetStringValue(json_at(r, "confirm_until")));
	else
		printf("in force%s\n", json_bool(r, "restarts", false) ? " when the daemon is back" : "");
}

static void print_tokens(const cJSON *r)
{
	printf("%.0f tokens%s\n", json_number(r, "tokens", 0), json_bool(r, "dry_run", false) ? "; nothing was changed" : "");
}

static int send_file(const struct options *o, const char *method, const struct words *w, print_fn *print)
{
	struct buf args = { 0 }, text = { 0 };
	struct json_writer j;
	int status = read_file(w->words[0], &text);
	if (!status) {
		jw_open(&j, &args);
		jw_object(&j, NULL);
		jw_text(&j, "text", text.p ? buf_view(&text) : SLICE(""));
		if (strcmp(w->words[0], "-") != 0)
			jw_string(&j, "name", w->words[0]);
		write_words(&j, w);
		jw_end(&j, '}');
		status = ctl_request(o, method, &args, print);
	}
	buf_free(&text);
	return status;
}

/* ---- stations ---- */

/* What would go into the managed layer, for a directory of layers instead; nobody is asked. */
static int print_drop_in(const struct words *w)
{
	struct arena mem = { 0 };
	struct conf_report report = { 0 };
	struct conf_node *layer;
	struct buf text = { 0 }, out = { 0 };
	const char *dot = strrchr(w->words[0], '.');
	bool csv = strcmp(w->format ? w->format : dot ? dot + 1 : "csv", "csv") == 0;
	int status = read_file(w->words[0], &text);
	if (!status && stations_read(&mem, w->words[0], text.p ? buf_view(&text) : SLICE(""), csv, &report, &layer) != 0)
		status = EXIT_CONFIG;
	else if (!status)
		conf_write(layer, &out);
	if (status == EXIT_CONFIG)
		conf_report_print(&report, &out);
	fwrite(out.p ? out.p : "", 1, out.n, status ? stderr : stdout);
	buf_free(&out);
	buf_free(&text);
	conf_report_free(&report);
	arena_free(&mem);
	return status;
}

int ctl_station_import(const struct options *o, int argc, char **argv)
{
	static const char use[] = "station import FILE [--format csv|yaml] [--dry-run] [--for 2m] [--restart], or station import FILE --drop-in";
	struct words w = { .n = 0 };
	int status = read_words(argc - 1, argv + 1, &w, use);
	if (status)
		return status;
	if (w.n != 1 || (w.drop_in && (w.dry || w.wait || w.restart)))
		return ctl_usage(use);
	return w.drop_in ? print_drop_in(&w) : send_file(o, "station.import", &w, print_applied);
}

int ctl_station_export(const struct options *o, int argc, char **argv)
{
	static const char use[] = "station export [FILE] [--format csv|yaml]";
	struct words w = { .n = 0 };
	int status = read_words(argc - 1, argv + 1, &w, use);
	if (status)
		return status;
	if (w.n > 1)
		return ctl_usage(use);
	const char *dot = w.n ? strrchr(w.words[0], '.') : NULL;
	struct buf args = ctl_object((const char *const[][2]){ { "format", w.format ? w.format : dot ? dot + 1 : "csv" } }, 1);
	cJSON *answer = ctl_ask(o, "station.export", &args, &status);
	const char *text = answer ? cJSON_GetStringValue(json_at(answer, "result.text")) : NULL;
	if (text && w.n) {
		int err = file_replace(w.words[0], slice_of(text), 0600);
		if (err)
			fprintf(stderr, "ampgate: %s: %s\n", w.words[0], err_text(err));
		status = err ? EXIT_FAILED : EXIT_OK;
	} else if (text) {
		fputs(text, stdout);
	}
	cJSON_Delete(answer);
	buf_free(&args);
	return status;
}

int ctl_station_rename(const struct options *o, int argc, char **argv)
{
	static const char use[] = "station rename ID NEW-ID [--keep-uplink-id] [--dry-run] [--for 2m] [--restart]";
	struct words w = { .n = 0 };
	struct buf args = { 0 };
	struct json_writer j;
	int status = read_words(argc - 1, argv + 1, &w, use);
	if (status)
		return status;
	if (w.n != 2)
		return ctl_usage(use);
	jw_open(&j, &args);
	jw_object(&j, NULL);
	jw_string(&j, "station", w.words[0]);
	jw_string(&j, "to", w.words[1]);
	write_words(&j, &w);
	jw_end(&j, '}');
	return ctl_request(o, "station.rename", &args, print_applied);
}

/* ---- tokens ---- */

int ctl_token_import(const struct options *o, int argc, char **argv)
{
	static const char use[] = "token import FILE [--format csv|json] [--source list|cache] [--replace] [--dry-run]";
	struct words w = { .n = 0 };
	int status = read_words(argc - 1, argv + 1, &w, use);
	if (status)
		return status;
	return w.n == 1 ? send_file(o, "token.import", &w, print_tokens) : ctl_usage(use);
}
