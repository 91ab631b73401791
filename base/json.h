/* JSON: typed reads by path over cJSON, and a writer that remembers its first failure. cJSON is only used to read: it prints 0.10 as 0.1
 * and keeps integers as doubles, so nothing that passes through is ever printed from a tree. */
#ifndef AMPGATE_BASE_JSON_H
#define AMPGATE_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Parses a whole text; NULL if it is not JSON, is deeper than JSON_DEPTH, or has something behind it. Free with cJSON_Delete. */
#define JSON_DEPTH 32
cJSON *json_parse(struct slice text);

/* The same for a tree that is only read, on the way through: its nodes stand side by side in one block, which the next tree takes over. Free
 * with json_free and nothing else, in the same thread; never change it. */
cJSON *json_read(struct slice text);
void json_free(cJSON *tree); /* fine for NULL */

/* A member by dotted path ("evse.id", "chargingSchedule.0.limit": a number is an index); NULL: absent. */
const cJSON *json_at(const cJSON *tree, const char *path);
struct slice json_text(const cJSON *tree, const char *path);                    /* absent slice: absent or no string; lives with the tree */
int64_t json_int(const cJSON *tree, const char *path, int64_t otherwise);       /* also accepts an integer in a string */
double json_number(const cJSON *tree, const char *path, double otherwise);      /* also accepts a number in a string */
bool json_bool(const cJSON *tree, const char *path, bool otherwise);

/* Writer: appends to a buffer, puts commas and quotes. Keys are plain C strings; `key` NULL inside an array or at the top. */
struct json_writer {
	struct buf *out;
	unsigned depth;
	uint64_t filled; /* bit d: level d has a member already */
};
void jw_open(struct json_writer *w, struct buf *out);
void jw_object(struct json_writer *w, const char *key);
void jw_array(struct json_writer *w, const char *key);
void jw_end(struct json_writer *w, char closing); /* '}' or ']' */
void jw_text(struct json_writer *w, const char *key, struct slice value); /* absent slice: null */
void jw_string(struct json_writer *w, const char *key, const char *value); /* NULL: null */
void jw_int(struct json_writer *w, const char *key, int64_t value);
void jw_number(struct json_writer *w, const char *key, double value, int decimals); /* at most so many, trailing zeros cut; NaN: null */
void jw_bool(struct json_writer *w, const char *key, bool value);
void jw_null(struct json_writer *w, const char *key);
void jw_raw(struct json_writer *w, const char *key, struct slice json); /* already JSON */
void jw_time(struct json_writer *w, const char *key, int64_t wall_us);
void json_quote(struct buf *out, struct slice text); /* with the quotes */

#endif
