/* Series hang in lists by family, and in a map by family and labels for those who count. */
#include "base/stats.h"

#include <stdarg.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

const double stats_bounds[STATS_BUCKETS] = { 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 };

struct series {
	struct list in_family;
	struct stats_series s;
	char labels[];
};

static struct map families; /* name -> struct list */
static struct map by_name;  /* "name labels" -> struct series */

static bool closed;         /* nobody would free what is counted now */

static struct list *family_of(const char *name)
{
	struct list *l = map_get(&families, slice_of(name));
	if (l)
		return l;
	l = NEW(struct list);
	list_init(l);
	map_put(&families, slice_of(name), l);
	return l;
}

static struct series *series_of(const char *family, const char *labels)
{
	char key[512];
	size_t n = strlen(family), m = strlen(labels);
	if (closed || n + m + 2 > sizeof(key))
		return NULL;
	memcpy(key, family, n);
	key[n] = ' ';
	memcpy(key + n + 1, labels, m + 1);
	struct slice name = { key, n + m + 1 };
	struct series *s = map_get(&by_name, name);
	if (s || by_name.count >= STATS_SERIES)
		return s;
	s = mem_new(sizeof(*s) + m + 1);
	memcpy(s->labels, labels, m + 1);
	s->s.labels = s->labels;
	list_append(family_of(family), &s->in_family);
	map_put(&by_name, name, s);
	return s;
}

void stats_add(const char *family, const char *labels, double n)
{
	struct series *s = series_of(family, labels);
	if (s)
		s->s.sum += n;
}

void stats_observe(const char *family, const char *labels, double seconds)
{
	struct series *s = series_of(family, labels);
	if (!s)
		return;
	s->s.sum += seconds;
	s->s.count++;
	for (size_t i = 0; i < STATS_BUCKETS; i++) {
		if (seconds <= stats_bounds[i]) {
			s->s.below[i]++;
			break;
		}
	}
}

void stats_each(const char *family, void (*see)(void *arg, const struct stats_series *s), void *arg)
{
	struct list *l = map_get(&families, slice_of(family));
	if (l)
		LIST_WALK(l, struct series, in_family, s)
			see(arg, &s->s);
}

void stats_open(void)
{
	closed = false;
}

void stats_free(void)
{
	closed = true;
	size_t at = 0;
	void *value;
	while ((value = map_next(&by_name, &at, NULL)))
		mem_free(value);
	at = 0;
	while ((value = map_next(&families, &at, NULL)))
		mem_free(value);
	map_free(&by_name);
	map_free(&families);
}

void stats_label(struct buf *labels, const char *name, const char *value)
{
	buf_printf(labels, "%s%s=\"", labels->n ? "," : "", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buf_puts(labels, "\\");
		if (*value == '\n')
			buf_puts(labels, "\\n");
		else
			buf_add(labels, value, 1);
	}
	buf_puts(labels, "\"");
}

void stats_count(const char *family, ...)
{
	struct buf labels = { 0 };
	const char *name;
	va_list ap;
	va_start(ap, family);
	while ((name = va_arg(ap, const char *)))
		stats_label(&labels, name, va_arg(ap, const char *));
	va_end(ap);
	stats_add(family, labels.n ? labels.p : "", 1);
	buf_free(&labels);
}
