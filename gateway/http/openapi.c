/* The description of the API (OpenAPI 3.1), from the same tables as the API itself: paths from routes.def, arguments, roles and words from
 * commands.def. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "gateway/http/rest.h"

static const struct {
	const char *method, *path, *verb;
} routes[] = {
#define ROUTE(method, path, verb) { method, path, verb },
#include "gateway/http/routes.def"
#undef ROUTE
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))


/* One word of a verb's row: "station", "[evse]", or one of "circuit|station". */
struct argument {
	char name[64];
	bool optional;
};

/* Calls `see` for each that the path does not have. */
static void each_argument(const char *path, const char *args, void (*see)(void *arg, const struct argument *a), void *arg)
{
	for (const char *p = args + strspn(args, " "); *p;) {
		size_t n = strcspn(p, " ");
		bool optional = *p == '[' || memchr(p, '|', n);
		for (const char *end = p + n; p < end;) {
			struct argument a = { .optional = optional };
			char braced[68];
			size_t length = strcspn(p, " []|");
			snprintf(a.name, sizeof(a.name), "%.*s", (int)length, p);
			snprintf(braced, sizeof(braced), "{%s}", a.name);
			if (length && !strstr(path, braced))
				see(arg, &a);
			p += length;
			p += p < end;
		}
		p += strspn(p, " ");
	}
}

static void write_query_argument(void *arg, const struct argument *a)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "name", a->name);
	jw_string(w, "in", "query");
	jw_bool(w, "required", !a->optional);
	jw_raw(w, "schema", SLICE("{\"type\":\"string\"}"));
	jw_end(w, '}');
}

static void write_parameters(struct json_writer *w, const char *method, const char *path, const char *args)
{
	bool in_query = strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0;
	jw_array(w, "parameters");
	for (const char *p = strchr(path, '{'); p; p = strchr(p + 1, '{')) {
		jw_object(w, NULL);
		jw_text(w, "name", (struct slice){ p + 1, strcspn(p + 1, "}") });
		jw_string(w, "in", "path");
		jw_bool(w, "required", true);
		jw_raw(w, "schema", SLICE("{\"type\":\"string\"}"));
		jw_end(w, '}');
	}
	if (in_query)
		each_argument(path, args, write_query_argument, w);
	if (strcmp(method, "GET") == 0)
		jw_raw(w, NULL, SLICE("{\"name\":\"format\",\"in\":\"query\",\"description\":\"csv: a list as a table; the others for a trace\",\"schema\":{\"enum\":[\"json\",\"csv\",\"jsonl\",\"har\",\"pcapng\",\"html\"]}}"));
	if (strcmp(method, "POST") == 0)
		jw_raw(w, NULL, SLICE("{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"description\":\"repeated with the same key, the request is run once\","
		                      "\"schema\":{\"type\":\"string\",\"maxLength\":255}}"));
	if (strcmp(method, "PUT") == 0)
		jw_raw(w, NULL, SLICE("{\"name\":\"If-Match\",\"in\":\"header\",\"description\":\"the generation that the change was made for\","
		                      "\"schema\":{\"type\":\"string\"}}"));
	jw_end(w, ']');
}

static void write_property(void *arg, const struct argument *a)
{
	jw_raw(arg, a->name, SLICE("{}"));
}

static void write_required(void *arg, const struct argument *a)
{
	if (!a->optional)
		jw_string(arg, NULL, a->name);
}

static void write_body(struct json_writer *w, const char *path, const char *args)
{
	jw_object(w, "requestBody");
	jw_object(w, "content");
	jw_object(w, "application/json");
	jw_object(w, "schema");
	jw_string(w, "type", "object");
	jw_object(w, "properties");
	each_argument(path, args, write_property, w);
	jw_end(w, '}');
	jw_array(w, "required");
	each_argument(path, args, write_required, w);
	jw_end(w, ']');
	for (int i = 0; i < 4; i++)
		jw_end(w, '}');
}

static void write_operation(struct json_writer *w, const char *method, const char *path, const struct verb *v)
{
	char low[8];
	size_t n = strlen(method);
	for (size_t i = 0; i <= n; i++)
		low[i] = (char)(method[i] >= 'A' && method[i] <= 'Z' ? method[i] | 32 : method[i]);
	jw_object(w, low);
	jw_string(w, "summary", v->help);
	jw_string(w, "x-verb", v->name);
	jw_string(w, "x-role", role_text(v->role));
	write_parameters(w, method, path, v->args);
	if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0)
		write_body(w, path, v->args);
	jw_raw(w, "responses", SLICE("{\"200\":{\"description\":\"the verb's result\",\"content\":{\"application/json\":{}}},"
	                             "\"202\":{\"description\":\"a job was begun\",\"content\":{\"application/json\":{}}},"
	                             "\"default\":{\"description\":\"what went wrong\",\"content\":{\"application/problem+json\":"
	                             "{\"schema\":{\"$ref\":\"#/components/schemas/problem\"}}}}}"));
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
	                               "\"name\":\"__Host-ampgate\"}},\"schemas\":{\"problem\":{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},"
	                               "\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},\"code\":{\"type\":\"string\"},"
	                               "\"detail\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
	                               "\"path\":{\"type\":\"string\"},\"line\":{\"type\":\"integer\"},\"column\":{\"type\":\"integer\"},"
	                               "\"message\":{\"type\":\"string\"},\"hint\":{\"type\":[\"string\",\"null\"]}}}}},"
	                               "\"required\":[\"type\",\"title\",\"status\",\"code\",\"detail\"]}}}"));
	jw_raw(&w, "security", SLICE("[{\"token\":[]},{\"session\":[]}]"));
	jw_end(&w, '}');
}
