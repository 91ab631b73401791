/* The text format once more as JSON, for who reads no other: a label's value is escaped in it as JSON escapes it. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "gateway/http/metrics.h"

/* `a="b",c="d"` as members of an object. */
static void write_labels(struct json_writer *w, const char *p, const char *end)
{
	jw_object(w, "labels");
	while (p < end) {
		char name[64];
		const char *equals = memchr(p, '=', (size_t)(end - p)), *value = equals + 1, *q = value + 1;
		while (*q != '"')
			q += *q == '\\' ? 2 : 1;
		snprintf(name, sizeof(name), "%.*s", (int)(equals - p), p);
		jw_raw(w, name, (struct slice){ value, (size_t)(q + 1 - value) });
		p = q + 1 + (q[1] == ',');
	}
	jw_end(w, '}');
}

/* `name{labels} value`; the suffix of a part of a histogram stays with the sample. */
static void write_sample(struct json_writer *w, size_t family, const char *line, size_t n)
{
	const char *space = memrchr(line, ' ', n), *brace = memchr(line, '{', n);
	const char *name_end = brace ? brace : space;
	jw_object(w, NULL);
	if ((size_t)(name_end - line) > family)
		jw_text(w, "part", (struct slice){ line + family + 1, (size_t)(name_end - line) - family - 1 });
	if (brace)
		write_labels(w, brace + 1, space - 1);
	jw_raw(w, "value", (struct slice){ space + 1, (size_t)(line + n - space - 1) });
	jw_end(w, '}');
}

static void write_family(void *arg, const char *name, const char *type, const char *help, struct slice samples)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "name", name);
	jw_string(w, "type", type);
	jw_string(w, "help", help);
	jw_array(w, "samples");
	for (const char *p = samples.p, *end = samples.p + samples.n; samples.n && p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		write_sample(w, strlen(name), p, (size_t)(newline - p));
		p = newline + 1;
	}
	jw_end(w, ']');
	jw_end(w, '}');
}

void metrics_write_json(struct gateway *g, struct buf *out)
{
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_int(&w, "v", 1);
	jw_array(&w, "families");
	metrics_each(g, write_family, &w);
	jw_end(&w, ']');
	jw_end(&w, '}');
}
