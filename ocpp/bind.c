/* Rows at work. */
#include "ocpp/bind.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "ocpp/scan.h"
#include "ocpp/splice.h"

int64_t bind_time(const cJSON *tree, const char *path)
{
	int64_t us;
	return time_parse(json_text(tree, path), &us) == 0 ? us : 0;
}

bool bind_word_in(struct slice word, const char *const *words)
{
	for (; *words; words++)
		if (slice_is(word, *words))
			return true;
	return false;
}

static bool all_digits(struct slice s)
{
	size_t i = s.n && s.p[0] == '-';
	if (i == s.n)
		return false;
	for (; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* From the text, since the tree holds numbers as doubles. In a string the digits count as well. */
static struct slice read_digits(const struct reading *r, const char *path)
{
	struct slice s = splice_find(r->payload, path);
	if (s.n >= 2 && s.p[0] == '"')
		s = (struct slice){ s.p + 1, s.n - 2 };
	return all_digits(s) ? s : (struct slice){ NULL, 0 };
}

static void read_int(const cJSON *tree, const char *path, int *field)
{
	int64_t v = json_int(tree, path, *field);
	if (v >= INT_MIN && v <= INT_MAX)
		*field = (int)v;
}

static void read_row(struct reading *r, const struct row *row, void *field)
{
	struct slice *text = field;
	const cJSON *item;
	int64_t us;
	switch ((enum as)row->as) {
	case AS_TEXT:
		*text = json_text(r->tree, row->path);
		break;
	case AS_DIGITS:
		*text = read_digits(r, row->path);
		break;
	case AS_INT:
	case AS_COUNT:
		read_int(r->tree, row->path, field);
		break;
	case AS_INT64:
	case AS_COUNT64:
		*(int64_t *)field = json_int(r->tree, row->path, *(int64_t *)field);
		break;
	case AS_TIME:
	case AS_NOW:
		if ((us = bind_time(r->tree, row->path)))
			*(int64_t *)field = us;
		break;
	case AS_WH:
		*(double *)field = json_number(r->tree, row->path, *(double *)field);
		break;
	case AS_TRUE:
		*(bool *)field = json_bool(r->tree, row->path, false);
		break;
	case AS_TOKEN:
	case AS_GROUP:
		item = json_at(r->tree, row->path);
		text[0] = json_text(item, "idToken");
		if (row->as == AS_TOKEN)
			text[1] = json_text(item, "type");
		break;
	case AS_FIXED:
		break;
	}
}

void bind_read(struct reading *r, const struct row *rows, void *fields)
{
	for (; r->tree && rows->path; rows++)
		read_row(r, rows, (char *)fields + rows->at);
}

static bool is_hex(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdefABCDEF", s.p[i]) || !s.p[i])
			return false;
	return true;
}

/* A 1.6 tag has no type: the serial numbers of ISO 14443 cards have 4, 7 or 10 bytes. */
static const char *likely_type(struct slice token)
{
	return (token.n == 8 || token.n == 14 || token.n == 20) && is_hex(token) ? "ISO14443" : "Central";
}

/* 2.0.1 closes the list of types, 2.1 leaves it open. */
static const char *const types_201[] = { "Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization", NULL };

void bind_token(struct writing *w, const char *key, struct slice token, struct slice type)
{
	bool said = type.n && (w->version == OCPP21 || bind_word_in(type, types_201));
	jw_object(&w->w, key);
	jw_text(&w->w, "idToken", scan_cut(token, w->version == OCPP21 ? 255 : 36));
	jw_text(&w->w, "type", said ? scan_cut(type, 20) : slice_of(likely_type(token)));
	jw_end(&w->w, '}');
}

static bool present(const struct row *row, const void *field)
{
	switch ((enum as)row->as) {
	case AS_TEXT:
	case AS_TOKEN:
	case AS_GROUP:
		return ((const struct slice *)field)->p;
	case AS_DIGITS:
		return all_digits(*(const struct slice *)field);
	case AS_INT:
		return *(const int *)field >= 0;
	case AS_COUNT:
		return *(const int *)field > 0;
	case AS_INT64:
		return *(const int64_t *)field >= 0;
	case AS_COUNT64:
		return *(const int64_t *)field > 0;
	case AS_TIME:
		return *(const int64_t *)field != 0;
	case AS_NOW:
		return true;
	case AS_WH:
		return isfinite(*(const double *)field) && fabs(*(const double *)field) < 9e15;
	case AS_TRUE:
		return *(const bool *)field;
	case AS_FIXED:
		break;
	}
	return false;
}

static void write_value(struct writing *w, const struct row *row, const char *key, const void *field)
{
	struct slice text = { NULL, 0 };
	int64_t us;
	switch ((enum as)row->as) {
	case AS_TEXT:
		text = *(const struct slice *)field;
		jw_text(&w->w, key, row->most ? scan_cut(text, row->most) : text);
		break;
	case AS_DIGITS:
		jw_raw(&w->w, key, *(const struct slice *)field);
		break;
	case AS_INT:
	case AS_COUNT:
		jw_int(&w->w, key, *(const int *)field);
		break;
	case AS_INT64:
	case AS_COUNT64:
		jw_int(&w->w, key, *(const int64_t *)field);
		break;
	case AS_TIME:
	case AS_NOW:
		us = *(const int64_t *)field;
		jw_time(&w->w, key, us ? us : clock_wall_us());
		break;
	case AS_WH:
		jw_int(&w->w, key, llround(*(const double *)field));
		break;
	case AS_TRUE:
		jw_bool(&w->w, key, true);
		break;
	case AS_TOKEN:
		bind_token(w, key, ((const struct slice *)field)[0], ((const struct slice *)field)[1]);
		break;
	case AS_GROUP:
		bind_token(w, key, *(const struct slice *)field, text);
		break;
	case AS_FIXED:
		break;
	}
}

/* Opens the inner object that a path names before its dot, closes the one open so far; `open` remembers its name. */
static const char *enter(struct writing *w, const char *path, struct slice *open)
{
	char name[32];
	const char *dot = strchr(path, '.');
	struct slice inner = { path, dot ? (size_t)(dot - path) : 0 };
	if (slice_eq(inner, *open))
		return dot ? dot + 1 : path;
	if (open->n)
		jw_end(&w->w, '}');
	*open = inner;
	if (!dot)
		return path;
	memcpy(name, inner.p, inner.n);
	name[inner.n] = 0;
	jw_object(&w->w, name);
	return dot + 1;
}

void bind_write(struct writing *w, const struct row *rows, const void *fields)
{
	struct slice open = { NULL, 0 };
	for (; rows->path; rows++) {
		const void *field = (const char *)fields + rows->at;
		bool there = present(rows, field);
		if (!there && !rows->otherwise)
			continue;
		const char *key = enter(w, rows->path, &open);
		if (there)
			write_value(w, rows, key, field);
		else
			jw_raw(&w->w, key, slice_of(rows->otherwise));
	}
	if (open.n)
		jw_end(&w->w, '}');
}
