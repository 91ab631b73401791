/* From a request to a verb and back. Arguments are gathered into one JSON object, the path's over the query's over the body's, so that a path means
 * the same whatever comes with it. Easy to get wrong: what a query says is text; the readers of numbers take numbers in texts, but true and false
 * have to be put in as such. */
#include "gateway/http/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config.h"
#include "gateway/http/idempotent.h"
#include "gateway/session/trace-export.h"

#define ARGUMENT_MOST 2048
#define PROBLEM "application/problem+json"

struct route {
	const char *method, *path, *verb;
};

static const struct route routes[] = {
#define ROUTE(method, path, verb) { method, path, verb },
#include "gateway/http/routes.def"
#undef ROUTE
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

/* --- problems --- */

/* A message as the configuration's reader prints it, "FILE:LINE:COLUMN: error: TEXT", with the hint two lines on. */
static bool write_message(struct json_writer *w, const char *line)
{
	const char *end = line + strcspn(line, "\n"), *severity = strstr(line, ": error: ");
	unsigned row, column;
	int n = 0;
	if (!severity || severity > end)
		return false;
	const char *colon = severity;
	for (int i = 0; i < 2 && colon > line; i++)
		for (colon--; colon > line && *colon != ':';)
			colon--;
	if (sscanf(colon, ":%u:%u%n", &row, &column, &n) != 2 || colon + n != severity)
		return false;
	const char *hint = strstr(end, "~ did you mean"), *next = strstr(end, ": error: ");
	jw_object(w, NULL);
	jw_text(w, "path", (struct slice){ line, (size_t)(colon - line) });
	jw_int(w, "line", row);
	jw_int(w, "column", column);
	jw_text(w, "message", (struct slice){ severity + 9, (size_t)(end - severity) - 9 });
	if (hint && (!next || hint < next))
		jw_text(w, "hint", (struct slice){ hint + 2, strcspn(hint + 2, "\n") });
	else
		jw_null(w, "hint");
	jw_end(w, '}');
	return true;
}

static void write_messages(struct json_writer *w, const char *detail)
{
	jw_array(w, "errors");
	for (const char *line = detail; *line; line += strcspn(line, "\n"), line += *line == '\n')
		write_message(w, line);
	jw_end(w, ']');
}

static void write_problem(struct buf *out, int status, const char *code, const char *detail)
{
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_string(&w, "type", "about:blank");
	jw_string(&w, "title", http_status_text(status));
	jw_int(&w, "status", status);
	jw_string(&w, "code", code);
	jw_string(&w, "detail", detail);
	if (status == 422)
		write_messages(&w, detail);
	jw_end(&w, '}');
}

void rest_problem(struct http_exchange *x, int status, const char *code, const char *detail, const char *headers)
{
	struct buf body = { 0 };
	write_problem(&body, status, code, detail);
	http_answer(x, status, PROBLEM, headers, buf_view(&body));
	buf_free(&body);
}

static int status_of(enum command_error err)
{
	switch (err) {
	case COMMAND_USAGE: return 400;
	case COMMAND_NOT_FOUND: return 404;
	case COMMAND_FORBIDDEN: return 403;
	case COMMAND_TIMEOUT: return 504;
	case COMMAND_CONFIG: return 422;
	default: return 500;
	}
}

/* --- lists as CSV --- */

/* Quoted where a reader could stumble; a text that a spreadsheet would take for a formula is kept a text. */
static void csv_cell(const cJSON *v, struct buf *out)
{
	char *text = cJSON_IsNull(v) || !v ? NULL : cJSON_IsString(v) ? mem_strdup(v->valuestring) : cJSON_PrintUnformatted(v);
	bool formula = cJSON_IsString(v) && text[0] && strchr("=+-@\t\r", text[0]);
	if (text && (formula || strpbrk(text, ",\"\n\r"))) {
		buf_puts(out, formula ? "\"'" : "\"");
		for (const char *c = text; *c; c++)
			buf_add(out, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
		buf_puts(out, "\"");
	} else if (text) {
		buf_puts(out, text);
	}
	mem_free(text);
}

static bool write_csv(const char *json, struct buf *out)
{
	cJSON *list = json_parse(slice_of(json));
	const cJSON *row, *cell, *first = cJSON_IsArray(list) ? list->child : NULL;
	bool is_list = cJSON_IsArray(list);
	cJSON_ArrayForEach(cell, first)
		buf_printf(out, "%s%s", cell == first->child ? "" : ",", cell->string);
	buf_puts(out, "\r\n");
	cJSON_ArrayForEach(row, list) {
		cJSON_ArrayForEach(cell, first) {
			if (cell != first->child)
				buf_puts(out, ",");
			csv_cell(cJSON_GetObjectItemCaseSensitive(row, cell->string), out);
		}
		buf_puts(out, "\r\n");
	}
	cJSON_Delete(list);
	return is_list;
}

/* --- running a verb --- */

struct asked {
	struct http_exchange *x;
	int format;        /* enum export_format of a trace, or EXPORT_CSV for any list; -1: JSON */
	char *headers;
	bool is_trace;
	struct idempotent *once; /* NULL: the request may be repeated as it likes */
};

static void answer(struct asked *a, int status, const char *type, const char *more, struct slice body)
{
	struct buf headers = { 0 };
	buf_printf(&headers, "%s%s", a->headers, more);
	if (a->once)
		idempotent_done(a->once, status, type, body);
	http_answer(a->x, status, type, headers.p, body);
	buf_free(&headers);
}

static void answer_problem(struct asked *a, int status, const char *code, const char *detail)
{
	struct buf body = { 0 };
	write_problem(&body, status, code, detail);
	answer(a, status, PROBLEM, "", buf_view(&body));
	buf_free(&body);
}

/* What takes a while has been begun, and is looked after elsewhere. */
static void answer_result(struct asked *a, const char *json)
{
	char where[80] = "";
	long long job;
	bool begun = sscanf(json, "{\"job\":%lld}", &job) == 1;
	if (begun)
		snprintf(where, sizeof(where), "Location: /api/v1/jobs/%lld\r\n", job);
	answer(a, begun ? 202 : 200, "application/json", where, slice_of(json));
}

/* To be kept: what peers said is not shown under the console's own name. */
static void answer_trace(struct asked *a, const char *json)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	cJSON *records = json_parse(slice_of(json)), *record;
	struct trace_export *x = export_open(out, (enum export_format)a->format);
	cJSON_ArrayForEach(record, records)
		export_add(x, record);
	int err = export_close(x);
	fclose(out);
	if (err)
		answer_problem(a, 500, "failed", err_text(err));
	else
		answer(a, 200, export_format_type((enum export_format)a->format), "Content-Disposition: attachment\r\n", (struct slice){ text, n });
	free(text);
	cJSON_Delete(records);
}

static void on_done(void *arg, enum command_error err, const char *json_or_detail)
{
	struct asked *a = arg;
	struct buf csv = { 0 };
	if (err)
		answer_problem(a, status_of(err), command_error_code(err), json_or_detail);
	else if (a->is_trace && a->format >= 0)
		answer_trace(a, json_or_detail);
	else if (a->format == EXPORT_CSV && write_csv(json_or_detail, &csv))
		answer(a, 200, export_format_type(EXPORT_CSV), "", buf_view(&csv));
	else if (a->format >= 0)
		answer_problem(a, 400, "invalid", a->format == EXPORT_CSV ? "only lists can be had as CSV" : "only traces can be had in this format");
	else
		answer_result(a, json_or_detail);
	buf_free(&csv);
	mem_free(a->headers);
	mem_free(a);
}

static void put(cJSON *args, const char *name, const char *value)
{
	cJSON *item = strcmp(value, "true") == 0 ? cJSON_CreateTrue() : strcmp(value, "false") == 0 ? cJSON_CreateFalse() : cJSON_CreateString(value);
	cJSON_DeleteItemFromObjectCaseSensitive(args, name);
	cJSON_AddItemToObject(args, name, item);
}

static bool text_ok(struct slice s)
{
	return utf8_valid(s) && (!s.n || !memchr(s.p, 0, s.n));
}

/* Every member of the query; false: one of them cannot be read. */
static bool take_query(const struct http_request *rq, cJSON *args)
{
	struct slice rest = rq->query;
	char room[ARGUMENT_MOST], key[40];
	while (rest.n) {
		const char *amp = memchr(rest.p, '&', rest.n);
		struct slice pair = { rest.p, amp ? (size_t)(amp - rest.p) : rest.n };
		const char *equals = memchr(pair.p, '=', pair.n);
		size_t n = equals ? (size_t)(equals - pair.p) : pair.n;
		rest = amp ? (struct slice){ amp + 1, rest.n - pair.n - 1 } : (struct slice){ 0 };
		if (!n)
			continue;
		if (n >= sizeof(key))
			return false;
		snprintf(key, sizeof(key), "%.*s", (int)n, pair.p);
		struct slice value = http_query(rq, key, room, sizeof(room));
		if (!value.p || !text_ok(value))
			return false;
		room[value.n] = 0;
		put(args, key, room);
	}
	return true;
}

/* "/stations/{station}" against "/stations/G-07": puts what stands for the words in braces; `args` NULL: only whether it fits. */
static bool path_fits(const char *pattern, struct slice path, cJSON *args)
{
	size_t at = 0;
	while (*pattern) {
		if (*pattern != '{') {
			if (at >= path.n || path.p[at++] != *pattern++)
				return false;
			continue;
		}
		size_t name = strcspn(pattern + 1, "}"), from = at;
		while (at < path.n && path.p[at] != '/')
			at++;
		char value[ARGUMENT_MOST], key[40];
		if (at == from || at - from >= sizeof(value))
			return false;
		int n = percent_decode((struct slice){ path.p + from, at - from }, value);
		if (n <= 0 || !text_ok((struct slice){ value, (size_t)n }))
			return false;
		value[n] = 0;
		snprintf(key, sizeof(key), "%.*s", (int)name, pattern + 1);
		if (args)
			put(args, key, value);
		pattern += name + 2;
	}
	return at == path.n;
}

/* The verb behind a request, its path's arguments put; NULL with the status of the refusal. */
static const char *find_verb(const struct http_request *rq, struct slice path, cJSON *args, char name[64], int *status_out)
{
	size_t n_verbs;
	const struct verb *verbs = command_table(&n_verbs);
	bool is_head = slice_is(rq->head.method, "HEAD");
	*status_out = 404;
	for (size_t i = 0; i < ROUTES; i++) {
		if (!path_fits(routes[i].path, path, NULL))
			continue;
		*status_out = 405;
		if (slice_is(rq->head.method, routes[i].method) || (is_head && strcmp(routes[i].method, "GET") == 0)) {
			path_fits(routes[i].path, path, args);
			return routes[i].verb;
		}
	}
	if (path.n < 4 || memcmp(path.p, "/do/", 4) != 0)
		return NULL;
	snprintf(name, 64, "%.*s", (int)(path.n - 4 < 63 ? path.n - 4 : 63), path.p + 4);
	for (size_t i = 0; i < n_verbs; i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		*status_out = 405;
		return slice_is(rq->head.method, "POST") ? verbs[i].name : NULL;
	}
	return NULL;
}

/* True: the request was answered: it is a repetition, or its key is none, or in use. */
static bool is_repeated(struct http_exchange *x, struct slice path, const struct who *who, const char *headers, struct idempotent **once)
{
	const struct http_request *rq = http_request(x);
	struct slice key = http_field(&rq->head, "Idempotency-Key");
	const struct slice what[] = { rq->head.method, path, rq->query, rq->body };
	if (!key.p || !slice_is(rq->head.method, "POST"))
		return false;
	if (!idempotent_key_ok(key)) {
		rest_problem(x, 400, "invalid", "Idempotency-Key has 1 to 255 printable characters", headers);
		return true;
	}
	switch (idempotent_begin(who->user, key, what, sizeof(what) / sizeof(what[0]), once)) {
	case IDEMPOTENT_NEW:
		return false;
	case IDEMPOTENT_KNOWN:
		idempotent_answer(*once, x, headers);
		return true;
	case IDEMPOTENT_RUNNING:
		rest_problem(x, 409, "in_progress", "a request with this Idempotency-Key is being run", headers);
		return true;
	case IDEMPOTENT_OTHER:
		break;
	}
	rest_problem(x, 409, "idempotency_conflict", "this Idempotency-Key was used for another request", headers);
	return true;
}

static void run_verb(struct gateway *g, struct http_exchange *x, const char *verb, const cJSON *args, const struct who *who, const struct asked *asked)
{
	struct asked *a = NEW(struct asked);
	char *text = cJSON_PrintUnformatted(args);
	*a = *asked;
	a->x = x;
	a->is_trace = strcmp(verb, "trace") == 0;
	a->headers = mem_strdup(asked->headers);
	command_run(g, verb, slice_of(text), who->role, who->user, on_done, a);
	cJSON_free(text);
}

/* If-Match on a change of the configuration names the generation that it was made for. */
static void take_match(const struct http_request *rq, cJSON *args)
{
	struct slice match = http_field(&rq->head, "If-Match");
	char text[24];
	int64_t generation;
	while (match.n && (match.p[0] == '"' || match.p[0] == ' '))
		match = (struct slice){ match.p + 1, match.n - 1 };
	while (match.n && (match.p[match.n - 1] == '"' || match.p[match.n - 1] == ' '))
		match.n--;
	if (!match.n || int_parse(match, &generation) != 0)
		return;
	snprintf(text, sizeof(text), "%lld", (long long)generation);
	put(args, "base", text);
}

static bool has_argument(const char *verb, const char *name)
{
	size_t n, length = strlen(name);
	const struct verb *verbs = command_table(&n);
	for (size_t i = 0; i < n; i++) {
		const char *at = strcmp(verbs[i].name, verb) == 0 ? strstr(verbs[i].args, name) : NULL;
		if (at)
			return (at == verbs[i].args || strchr(" [|", at[-1])) && strchr(" ]|", at[length]);
	}
	return false;
}

/* `format` of the query says how the answer is to look, unless the verb has an argument of this name. False: nobody knows it. */
static bool take_format(const char *verb, cJSON *args, int *format)
{
	struct slice word = json_text(args, "format");
	if (!word.p || has_argument(verb, "format"))
		return true;
	char *text = mem_text(word);
	*format = strcmp(text, "json") == 0 ? -1 : export_format_parse(text);
	bool known = strcmp(text, "json") == 0 || *format >= 0;
	mem_free(text);
	cJSON_DeleteItemFromObjectCaseSensitive(args, "format");
	return known;
}

void rest_handle(struct gateway *g, struct http_exchange *x, struct slice path, const struct who *who, const char *headers)
{
	const struct http_request *rq = http_request(x);
	cJSON *args = rq->body.n ? json_parse(rq->body) : cJSON_CreateObject();
	struct asked asked = { .headers = (char *)headers, .format = -1 };
	char name[64];
	int status = 400;
	const char *why = !cJSON_IsObject(args) ? "the body is not a JSON object" : take_query(rq, args) ? NULL : "the query cannot be read";
	const char *verb = why ? NULL : find_verb(rq, path, args, name, &status);
	if (verb && slice_is(rq->head.method, "PUT"))
		take_match(rq, args);
	if (!verb)
		rest_problem(x, status, status == 404 ? "not_found" : "invalid", why ? why : status == 404 ? "there is no such resource" : "not with this method", headers);
	else if (!take_format(verb, args, &asked.format))
		rest_problem(x, 400, "invalid", "format is json, csv, or of a trace jsonl, har, pcapng or html", headers);
	else if (!is_repeated(x, path, who, headers, &asked.once))
		run_verb(g, x, verb, args, who, &asked);
	cJSON_Delete(args);
}
