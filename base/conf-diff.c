/* Two configurations compared by what they mean: a key left out equals its preset written down, an object that came or went is one change, and
 * each change says what has to happen before it is in force. Secrets are compared by what stands in the files, never shown. */
#include <stdio.h>
#include <string.h>

#include "base/conf.h"

struct comparing {
	void (*each)(void *arg, const struct conf_change *c);
	void *arg;
	const struct conf_table *table; /* of the row being compared */
	char path[256];
};

static enum conf_effect larger(enum conf_effect a, enum conf_effect b)
{
	return a > b ? a : b;
}

enum conf_effect conf_effect(const struct conf_table *table, const struct conf_row *row)
{
	enum conf_effect e = larger(table->takes_effect, row->takes_effect);
	return row->table && row->type != CONF_REF ? larger(e, row->table->takes_effect) : e;
}

const char *conf_effect_text(enum conf_effect e)
{
	static const char *const texts[] = {
		[AT_ONCE] = "at once", [AT_RELISTEN] = "listener opens again", [AT_RECONNECT] = "connects again", [AT_RESTART] = "at restart"
	};
	return texts[e];
}

static const struct conf_node *present(const struct conf_node *n)
{
	return n && !conf_is_null(n) ? n : NULL;
}

/* Lengthens the path; returns what it was, for path_back. */
static size_t path_add(struct comparing *x, const char *key)
{
	size_t was = strlen(x->path);
	snprintf(x->path + was, sizeof(x->path) - was, "%s%s", was ? "." : "", key);
	return was;
}

static void path_back(struct comparing *x, size_t was)
{
	x->path[was] = '\0';
}

static void tell(struct comparing *x, const struct conf_row *row, const char *from, const char *to)
{
	bool secret = row->type == CONF_SECRET;
	struct conf_change c = { .path = x->path, .from = from && secret ? "***" : from, .to = to && secret ? "***" : to, .effect = conf_effect(x->table, row) };
	x->each(x->arg, &c);
}

static char *written(const struct conf_row *row, const struct conf_node *n, struct buf *b)
{
	if (n)
		conf_value_show(b, n);
	else if (row->preset)
		buf_puts(b, row->preset);
	else
		return NULL;
	return b->p;
}

static void compare_value(struct comparing *x, const struct conf_row *row, const struct conf_node *a, const struct conf_node *b)
{
	struct buf was = { 0 }, is = { 0 };
	const char *from = written(row, a, &was), *to = written(row, b, &is);
	if (!str_same(from, to))
		tell(x, row, from, to);
	buf_free(&was);
	buf_free(&is);
}

static void compare_maps(struct comparing *x, const struct conf_table *table, const struct conf_node *a, const struct conf_node *b);

/* An object that is on one side only. */
static void compare_presence(struct comparing *x, const struct conf_row *row, const struct conf_node *a, const struct conf_node *b)
{
	tell(x, row, a ? "present" : NULL, b ? "present" : NULL);
}

static void compare_objects(struct comparing *x, const struct conf_row *row, const struct conf_node *a, const struct conf_node *b)
{
	for (const struct conf_node *n = a ? a->first : NULL; n; n = n->next) {
		const struct conf_node *other = b ? present(conf_child(b, n->key)) : NULL;
		size_t was = path_add(x, n->key);
		if (present(n) && other)
			compare_maps(x, row->table, n, other);
		else if (present(n))
			compare_presence(x, row, n, NULL);
		path_back(x, was);
	}
	for (const struct conf_node *n = b ? b->first : NULL; n; n = n->next) {
		size_t was = path_add(x, n->key);
		if (present(n) && !(a && present(conf_child(a, n->key))))
			compare_presence(x, row, NULL, n);
		path_back(x, was);
	}
}

static void compare_row(struct comparing *x, const struct conf_row *row, const struct conf_node *a, const struct conf_node *b)
{
	if (row->type == CONF_SECTION || (row->type == CONF_MAYBE && a && b))
		compare_maps(x, row->table, a, b);
	else if (row->type == CONF_MAYBE && (a || b))
		compare_presence(x, row, a, b);
	else if (row->type == CONF_OBJECTS)
		compare_objects(x, row, a, b);
	else
		compare_value(x, row, a, b);
}

static void compare_maps(struct comparing *x, const struct conf_table *table, const struct conf_node *a, const struct conf_node *b)
{
	for (const struct conf_row *row = table->rows; row->name; row++) {
		size_t was = path_add(x, row->name);
		x->table = table;
		compare_row(x, row, a ? present(conf_child(a, row->name)) : NULL, b ? present(conf_child(b, row->name)) : NULL);
		path_back(x, was);
	}
}

void conf_diff(const struct conf_table *table, const struct conf_node *a, const struct conf_node *b,
               void (*each)(void *arg, const struct conf_change *c), void *arg)
{
	struct comparing x = { .each = each, .arg = arg };
	compare_maps(&x, table, a, b);
}
