/* cJSON for reading, a small writer for ours.
 *
 * cJSON allocates each node and each string by itself, which is most of the cost of reading a frame. Its hooks are ours: while a tree of
 * json_read is built in this thread they cut from a block, at all other times they are malloc and free. The root is the first thing that is
 * allocated, so the block is found again from it. */
#include "base/json.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* cJSON allows a depth of 1000; a peer's nesting is stopped before it reaches the parser's recursion. */
static bool shallow(struct slice s)
{
	unsigned depth = 0;
	for (const char *p = s.p, *end = s.p + s.n; p < end; p++) {
		if (*p == '"') {
			while (++p < end && *p != '"')
				p += *p == '\\';
		} else if (*p == '{' || *p == '[') {
			if (++depth > JSON_DEPTH)
				return false;
		} else if (*p == '}' || *p == ']') {
			depth -= depth > 0;
		}
	}
	return true;
}

/* ---- blocks */

#define BLOCK_ROOM (8 * 1024)

struct block {
	struct block *next; /* of the same tree */
	size_t used, room;
	_Alignas(max_align_t) char data[];
};

static _Thread_local struct {
	struct block *first, *last; /* of the tree that is being built */
	struct block *spare;        /* left by the last one */
} building;

static struct block *block_new(size_t room)
{
	struct block *b = building.spare;
	if (b && b->room >= room) {
		building.spare = NULL;
	} else {
		room = room > BLOCK_ROOM ? room : BLOCK_ROOM;
		b = mem_grow(NULL, sizeof(*b) + room);
		b->room = room;
	}
	b->next = NULL;
	b->used = 0;
	return b;
}

static void *on_alloc(size_t size)
{
	size_t need = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!building.first)
		return malloc(size);
	if (building.last->room - building.last->used < need)
		building.last = building.last->next = block_new(need);
	void *p = building.last->data + building.last->used;
	building.last->used += need;
	return p;
}

static void on_free(void *p)
{
	if (!building.first)
		free(p);
}

__attribute__((constructor)) static void hook(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){ on_alloc, on_free });
}

static void blocks_free(struct block *b)
{
	while (b) {
		struct block *next = b->next;
		if (!building.spare && b->room == BLOCK_ROOM)
			building.spare = b;
		else
			mem_free(b);
		b = next;
	}
}

static bool only_space(const char *from, const char *end)
{
	for (; from < end; from++)
		if (!strchr(" \t\r\n", *from))
			return false;
	return true;
}

cJSON *json_read(struct slice text)
{
	const char *end = NULL;
	if (!text.n || !shallow(text))
		return NULL;
	struct block *first = building.first = building.last = block_new(BLOCK_ROOM);
	cJSON *tree = cJSON_ParseWithLengthOpts(text.p, text.n, &end, false);
	building.first = building.last = NULL;
	if (tree && only_space(end, text.p + text.n))
		return tree;
	blocks_free(first);
	return NULL;
}

void json_free(cJSON *tree)
{
	if (tree)
		blocks_free((struct block *)(void *)((char *)tree - offsetof(struct block, data)));
}

/* ---- trees that last */

cJSON *json_parse(struct slice text)
{
	const char *end = NULL;
	if (!text.n || !shallow(text))
		return NULL;
	cJSON *tree = cJSON_ParseWithLengthOpts(text.p, text.n, &end, false);
	if (tree && only_space(end, text.p + text.n))
		return tree;
	cJSON_Delete(tree);
	return NULL;
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
