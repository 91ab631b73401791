/* From a request to a verb and back. Arguments are gathered into one JSON object, the path's over the query's over the body's, so that a path means
 * the same whatever comes with it. Easy to get wrong: what a query says is text; the readers of numbers take numbers in texts, but true and false
 * have to be put in as such. */
#include "gateway/http/rest.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config.h"

#define ARGUMENT_MOST 2048

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

void rest_problem(struct http_exchange *x, int status, const char *code, const char *detail, const char *headers)
{
	struct buf body = { 0 };
	struct json_writer w;
	jw_open(&w, &body);
	jw_object(&w, NULL);
	jw_string(&w, "type", "about:blank");
	jw_string(&w, "title", http_status_text(status));
	jw_int(&w, "status", status);
	jw_string(&w, "code", code);
	jw_string(&w, "detail", detail);
	jw_end(&w, '}');
	http_answer(x, status, "application/problem+json", headers, buf_view(&body));
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
	bool csv;
	char *headers;
};

static void on_done(void *arg, enum command_error err, const char *json_or_detail)
{
	struct asked *a = arg;
	struct buf csv = { 0 };
	if (err)
		rest_problem(a->x, status_of(err), command_error_code(err), json_or_detail, a->headers);
	else if (a->csv && write_csv(json_or_detail, &csv))
		http_answer(a->x, 200, "text/csv; charset=utf-8", a->headers, buf_view(&csv));
	else if (a->csv)
		rest_problem(a->x, 400, "invalid", "only lists can be had as CSV", a->headers);
	else
		http_answer(a->x, 200, "application/json", a->headers, slice_of(json_or_detail));
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
static bool take_query(const struct http_request *rq, cJSON *args, bool *csv)
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
		if (strcmp(key, "format") == 0)
			*csv = slice_is(value, "csv");
		else
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

void rest_handle(struct gateway *g, struct http_exchange *x, struct slice path, const struct who *who, const char *headers)
{
	const struct http_request *rq = http_request(x);
	cJSON *args = rq->body.n ? json_parse(rq->body) : cJSON_CreateObject();
	char name[64];
	int status = 400;
	bool csv = false;
	const char *why = !cJSON_IsObject(args) ? "the body is not a JSON object" : take_query(rq, args, &csv) ? NULL : "the query cannot be read";
	const char *verb = why ? NULL : find_verb(rq, path, args, name, &status);
	if (!verb) {
		rest_problem(x, status, status == 404 ? "not_found" : "invalid", why ? why : status == 404 ? "there is no such resource" : "not with this method", headers);
	} else {
		struct asked *a = NEW(struct asked);
		*a = (struct asked){ x, csv, mem_strdup(headers) };
		char *text = cJSON_PrintUnformatted(args);
		command_run(g, verb, slice_of(text), who->role, who->user, on_done, a);
		cJSON_free(text);
	}
	cJSON_Delete(args);
}

/* --- the description --- */

static void write_parameters(struct json_writer *w, const char *path, const char *args, bool in_query)
{
	jw_array(w, "parameters");
	for (const char *p = strchr(path, '{'); p; p = strchr(p + 1, '{')) {
		jw_object(w, NULL);
		jw_text(w, "name", (struct slice){ p + 1, strcspn(p + 1, "}") });
		jw_string(w, "in", "path");
		jw_bool(w, "required", true);
		jw_raw(w, "schema", SLICE("{\"type\":\"string\"}"));
		jw_end(w, '}');
	}
	for (const char *p = args + strspn(args, " []|"); in_query && *p;) {
		size_t n = strcspn(p, " []|");
		char braced[64];
		snprintf(braced, sizeof(braced), "{%.*s}", (int)n, p);
		if (!strstr(path, braced)) {
			jw_object(w, NULL);
			jw_text(w, "name", (struct slice){ p, n });
			jw_string(w, "in", "query");
			jw_raw(w, "schema", SLICE("{\"type\":\"string\"}"));
			jw_end(w, '}');
		}
		p += n;
		p += strspn(p, " []|");
	}
	jw_end(w, ']');
}

static void write_body(struct json_writer *w, const char *path, const char *args)
{
	jw_object(w, "requestBody");
	jw_object(w, "content");
	jw_object(w, "application/json");
	jw_object(w, "schema");
	jw_string(w, "type", "object");
	jw_object(w, "properties");
	for (const char *p = args + strspn(args, " []|"); *p;) {
		size_t n = strcspn(p, " []|");
		char name[64], braced[68];
		snprintf(name, sizeof(name), "%.*s", (int)n, p);
		snprintf(braced, sizeof(braced), "{%s}", name);
		if (!strstr(path, braced))
			jw_raw(w, name, SLICE("{}"));
		p += n;
		p += strspn(p, " []|");
	}
	for (int i = 0; i < 5; i++)
		jw_end(w, '}');
}

static void write_operation(struct json_writer *w, const char *method, const char *path, const struct verb *v)
{
	char low[8];
	size_t n = strlen(method);
	for (size_t i = 0; i <= n; i++)
		low[i] = (char)(method[i] >= 'A' && method[i] <= 'Z' ? method[i] | 32 : method[i]);
	bool is_get = strcmp(method, "GET") == 0;
	jw_object(w, low);
	jw_string(w, "summary", v->help);
	jw_string(w, "x-verb", v->name);
	jw_string(w, "x-role", role_text(v->role));
	write_parameters(w, path, v->args, is_get);
	if (strcmp(method, "POST") == 0)
		write_body(w, path, v->args);
	jw_raw(w, "responses", SLICE("{\"200\":{\"description\":\"the verb's result\",\"content\":{\"application/json\":{}}},"
	                             "\"default\":{\"description\":\"what went wrong\",\"content\":{\"application/problem+json\":{}}}}"));
	jw_end(w, '}');
}

static const struct verb *verb_named(const char *name)
{
	size_t n;
	const struct verb *verbs = command_table(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static bool first_of_its_path(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(routes[k].path, routes[i].path) == 0)
			return false;
	return true;
}

void rest_write_openapi(struct buf *out)
{
	struct json_writer w;
	size_t n_verbs;
	const struct verb *verbs = command_table(&n_verbs);
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_string(&w, "openapi", "3.1.0");
	jw_raw(&w, "info", SLICE("{\"title\":\"ampgate\",\"version\":\"" PACKAGE_VERSION "\"}"));
	jw_raw(&w, "servers", SLICE("[{\"url\":\"/api/v1\"}]"));
	jw_object(&w, "paths");
	for (size_t i = 0; i < ROUTES; i++) {
		if (!first_of_its_path(i))
			continue;
		jw_object(&w, routes[i].path);
		for (size_t k = i; k < ROUTES; k++)
			if (strcmp(routes[k].path, routes[i].path) == 0)
				write_operation(&w, routes[k].method, routes[k].path, verb_named(routes[k].verb));
		jw_end(&w, '}');
	}
	for (size_t i = 0; i < n_verbs; i++) {
		char path[80];
		snprintf(path, sizeof(path), "/do/%s", verbs[i].name);
		jw_object(&w, path);
		write_operation(&w, "POST", path, &verbs[i]);
		jw_end(&w, '}');
	}
	jw_end(&w, '}');
	jw_raw(&w, "components", SLICE("{\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\","
	                               "\"name\":\"__Host-ampgate\"}}}"));
	jw_raw(&w, "security", SLICE("[{\"token\":[]},{\"session\":[]}]"));
	jw_end(&w, '}');
}
