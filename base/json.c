/* cJSON for reading, a small writer for ours. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* cJSON allows a depth of 1000; a peer's nesting is stopped before it reaches the parser's recursion. */
static bool shallow(struct slice s)
{
	unsigned depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH)
				return false;
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		}
	}
	return true;
}

cJSON *json_parse(struct slice text)
{
	const char *end = NULL;
	if (!text.n || !shallow(text))
		return NULL;
	cJSON *tree = cJSON_ParseWithLengthOpts(text.p, text.n, &end, false);
	for (; tree && end && end < text.p + text.n; end++) {
		if (!strchr(" \t\r\n", *end)) {
			cJSON_Delete(tree);
			return NULL;
		}
	}
	return tree;
}

const cJSON *json_at(const cJSON *tree, const char *path)
{
	char name[64];
	while (tree && *path) {
		size_t n = strcspn(path, ".");
		if (n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = 0;
		path += n + (path[n] == '.');
		if (cJSON_IsArray(tree))
			tree = cJSON_GetArrayItem(tree, atoi(name));
		else
			tree = cJSON_GetObjectItemCaseSensitive(tree, name);
	}
	return tree;
}

struct slice json_text(const cJSON *tree, const char *path)
{
	const cJSON *item = json_at(tree, path);
	return cJSON_IsString(item) ? slice_of(item->valuestring) : (struct slice){ NULL, 0 };
}

double json_number(const cJSON *tree, const char *path, double otherwise)
{
	const cJSON *item = json_at(tree, path);
	if (cJSON_IsNumber(item))
		return item->valuedouble;
	if (!cJSON_IsString(item) || !item->valuestring[0])
		return otherwise;
	char *end;
	double v = strtod(item->valuestring, &end);
	return *end || !isfinite(v) ? otherwise : v;
}

int64_t json_int(const cJSON *tree, const char *path, int64_t otherwise)
{
	const cJSON *item = json_at(tree, path);
	int64_t v;
	if (cJSON_IsString(item))
		return int_parse(slice_of(item->valuestring), &v) == 0 ? v : otherwise;
	if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble) < 9.2e18))
		return otherwise;
	return (int64_t)item->valuedouble;
}

bool json_bool(const cJSON *tree, const char *path, bool otherwise)
{
	const cJSON *item = json_at(tree, path);
	return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

void json_quote(struct buf *out, struct slice text)
{
	buf_add(out, "\"", 1);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < 0x20)
			buf_printf(out, "\\u%04x", c);
		else
			buf_add(out, &text.p[i], 1);
	}
	buf_add(out, "\"", 1);
}

void jw_open(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){ .out = out };
}

static void begin(struct json_writer *w, const char *key)
{
	uint64_t bit = UINT64_C(1) << w->depth;
	if (w->depth && (w->filled & bit))
		buf_puts(w->out, ",");
	w->filled |= bit;
	if (key) {
		json_quote(w->out, slice_of(key));
		buf_puts(w->out, ":");
	}
}

static void deeper(struct json_writer *w, const char *key, const char *open)
{
	begin(w, key);
	buf_puts(w->out, open);
	w->depth++;
	w->filled &= ~(UINT64_C(1) << w->depth);
}

void jw_object(struct json_writer *w, const char *key)
{
	deeper(w, key, "{");
}

void jw_array(struct json_writer *w, const char *key)
{
	deeper(w, key, "[");
}

void jw_end(struct json_writer *w, char closing)
{
	w->depth--;
	buf_add(w->out, &closing, 1);
}

void jw_null(struct json_writer *w, const char *key)
{
	jw_raw(w, key, SLICE("null"));
}

void jw_text(struct json_writer *w, const char *key, struct slice value)
{
	if (!value.p) {
		jw_null(w, key);
		return;
	}
	begin(w, key);
	json_quote(w->out, value);
}

void jw_string(struct json_writer *w, const char *key, const char *value)
{
	jw_text(w, key, slice_of(value));
}

void jw_int(struct json_writer *w, const char *key, int64_t value)
{
	begin(w, key);
	buf_printf(w->out, "%lld", (long long)value);
}

void jw_number(struct json_writer *w, const char *key, double value, int decimals)
{
	char text[64];
	if (!isfinite(value)) {
		jw_null(w, key);
		return;
	}
	begin(w, key);
	int n = snprintf(text, sizeof(text), "%.*f", decimals, value);
	if (decimals > 0) {
		while (text[n - 1] == '0')
			n--;
		if (text[n - 1] == '.')
			n--;
	}
	if (n == 2 && memcmp(text, "-0", 2) == 0)
		buf_puts(w->out, "0");
	else
		buf_add(w->out, text, (size_t)n);
}

void jw_bool(struct json_writer *w, const char *key, bool value)
{
	jw_raw(w, key, value ? SLICE("true") : SLICE("false"));
}

void jw_raw(struct json_writer *w, const char *key, struct slice json)
{
	begin(w, key);
	buf_slice(w->out, json);
}

void jw_time(struct json_writer *w, const char *key, int64_t wall_us)
{
	char text[TIME_TEXT];
	jw_string(w, key, time_text(wall_us, text));
}
