/* ampgate trace: frames that passed, frames as they pass, and all of them as a file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/ctl/ctl-link.h"
#include "gateway/ctl/ctl-print.h"
#include "gateway/ctl/ctl.h"
#include "gateway/session/trace-export.h"

struct trace_words {
	const char *station, *action, *verdict, *since, *export, *file;
	bool follow, raw;
};

static bool read_trace_words(struct trace_words *t, int argc, char **argv)
{
	struct {
		const char *name, **to;
	} valued[] = { { "--action", &t->action }, { "--verdict", &t->verdict }, { "--since", &t->since }, { "--export", &t->export }, { "-o", &t->file } };
	for (int i = 1; i < argc; i++) {
		size_t k = 0;
		while (k < sizeof(valued) / sizeof(valued[0]) && strcmp(argv[i], valued[k].name) != 0)
			k++;
		if (k < sizeof(valued) / sizeof(valued[0])) {
			if (++i == argc)
				return false;
			*valued[k].to = argv[i];
		} else if (strcmp(argv[i], "-f") == 0) {
			t->follow = true;
		} else if (strcmp(argv[i], "--raw") == 0) {
			t->raw = true;
		} else if (*argv[i] == '-' || t->station) {
			return false;
		} else {
			t->station = argv[i];
		}
	}
	return true;
}

/* What the daemon is asked for, as the members of an object that stays open. */
static void write_trace_words(struct json_writer *w, const struct trace_words *t)
{
	const char *const pairs[][2] = { { "station", t->station }, { "action", t->action }, { "verdict", t->verdict }, { "since", t->since } };
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i][1])
			jw_string(w, pairs[i][0], pairs[i][1]);
	if (t->raw)
		jw_bool(w, "raw", true);
}

static void show_record(const struct options *o, const cJSON *record)
{
	if (!o->json) {
		print_trace_line(record);
		return;
	}
	char *text = cJSON_PrintUnformatted(record);
	puts(text);
	cJSON_free(text);
}

static int follow_trace(const struct options *o, const struct trace_words *t)
{
	struct ctl_link c = { .fd = -1 };
	struct buf args = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_array(&w, "topics");
	jw_string(&w, NULL, "trace");
	jw_end(&w, ']');
	write_trace_words(&w, t);
	jw_end(&w, '}');
	int status = ctl_connect(o->socket, &c);
	if (!status)
		status = ctl_send(&c, "subscribe", &args);
	buf_free(&args);
	cJSON *line;
	while (!status && (line = ctl_line(&c))) {
		const cJSON *record = cJSON_GetObjectItem(line, "params");
		if (cJSON_HasObjectItem(line, "error"))
			status = ctl_error(line);
		else if (record)
			show_record(o, record);
		fflush(stdout);
		cJSON_Delete(line);
	}
	buf_free(&c.in);
	if (c.fd >= 0)
		close(c.fd);
	return status;
}

/* One page of records behind `after`; the number of the last in *after. NULL with the exit status in *status_out. */
static cJSON *trace_page(struct ctl_link *c, const struct trace_words *t, int64_t after, int *status_out)
{
	struct buf args = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	write_trace_words(&w, t);
	jw_int(&w, "after", after);
	jw_end(&w, '}');
	*status_out = ctl_send(c, "trace", &args);
	buf_free(&args);
	cJSON *answer = *status_out ? NULL : ctl_line(c);
	if (!answer)
		*status_out = EXIT_UNREACHABLE;
	else if (cJSON_HasObjectItem(answer, "error"))
		*status_out = ctl_error(answer);
	return answer;
}

static int export_pages(struct ctl_link *c, const struct trace_words *t, struct trace_export *x)
{
	int status = EXIT_OK;
	int64_t after = 0;
	bool more = true;
	while (!status && more) {
		cJSON *answer = trace_page(c, t, after, &status);
		const cJSON *record;
		more = false;
		cJSON_ArrayForEach(record, cJSON_GetObjectItem(answer, "result")) {
			export_add(x, record);
			after = json_int(record, "seq", after);
			more = true;
		}
		cJSON_Delete(answer);
	}
	return status;
}

static int export_trace(const struct options *o, const struct trace_words *t)
{
	int format = export_format_parse(t->export);
	struct ctl_link c = { .fd = -1 };
	if (format < 0)
		return ctl_usage("--export is jsonl, har, pcapng, html or csv");
	int status = ctl_connect(o->socket, &c);
	FILE *out = status ? NULL : t->file ? fopen(t->file, "w") : stdout;
	if (!status && !out) {
		fprintf(stderr, "ampgate: %s: %s\n", t->file, strerror(errno));
		status = EXIT_FAILED;
	}
	if (!status) {
		struct trace_export *x = export_open(out, (enum export_format)format);
		status = export_pages(&c, t, x);
		if (export_close(x) != 0)
			status = EXIT_FAILED;
	}
	if (out && t->file)
		fclose(out);
	buf_free(&c.in);
	if (c.fd >= 0)
		close(c.fd);
	return status;
}

int ctl_trace(const struct options *o, int argc, char **argv)
{
	struct trace_words t = { 0 };
	struct buf args = { 0 };
	struct json_writer w;
	if (!read_trace_words(&t, argc, argv) || (t.follow && (t.export || t.since)) || (t.file && !t.export))
		return ctl_usage("trace [-f] [ID] [--action A] [--verdict V] [--since 10m] [--export jsonl|har|pcapng|html|csv [-o FILE]] [--raw]");
	if (t.follow)
		return follow_trace(o, &t);
	if (t.export)
		return export_trace(o, &t);
	jw_open(&w, &args);
	jw_object(&w, NULL);
	write_trace_words(&w, &t);
	jw_end(&w, '}');
	return ctl_request(o, "trace", &args, print_trace);
}
