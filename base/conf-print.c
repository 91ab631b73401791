/* Settings shown: the effective values as YAML that could be read again (secrets aside); and trees written as they were read. */
#include "base/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

struct printing {
	bool origin;
	struct buf *out;
};

static void print_map(const struct printing *p, const struct conf_table *table, const struct conf_node *map, unsigned indent);

/* Texts that could be taken for something else, or that YAML would read differently, are quoted; JSON's quoting is YAML too. */
static bool is_plain(const char *text)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-:%";
	size_t n = strspn(text, fine);
	return n && !text[n] && !strchr("-:%", *text) && text[n - 1] != ':' && strcmp(text, "null") != 0;
}

static void print_scalar(struct buf *out, const char *text)
{
	if (is_plain(text))
		buf_puts(out, text);
	else
		json_quote(out, slice_of(text));
}

/* What a driver's options, which have no rows here, call a secret. */
static bool names_secret(const char *key)
{
	static const char *const words[] = { "password", "passwd", "passphrase", "secret", "token", "credential", "api_key", "apikey" };
	for (size_t i = 0; key && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(key, words[i]))
			return true;
	return false;
}

static void print_value(struct buf *out, const struct conf_node *n, bool masked)
{
	if (n->kind == CONF_SCALAR) {
		print_scalar(out, n->text);
		return;
	}
	buf_puts(out, n->kind == CONF_MAP ? "{" : "[");
	for (const struct conf_node *c = n->first; c; c = c->next) {
		if (c != n->first)
			buf_puts(out, ", ");
		if (c->key) {
			print_scalar(out, c->key);
			buf_puts(out, ": ");
		}
		if (masked && names_secret(c->key))
			buf_puts(out, "\"***\"");
		else
			print_value(out, c, masked);
	}
	buf_puts(out, n->kind == CONF_MAP ? "}" : "]");
}

/* A value in one line: scalars, [lists] and {maps}. */
void conf_value_print(struct buf *out, const struct conf_node *n)
{
	print_value(out, n, false);
}

void conf_value_show(struct buf *out, const struct conf_node *n)
{
	print_value(out, n, true);
}

static void print_end(const struct printing *p, const struct conf_node *n)
{
	if (p->origin && n && n->pos.file)
		buf_printf(p->out, "  # %s:%u", n->pos.file->name, n->key_pos.file ? n->key_pos.line : n->pos.line);
	else if (p->origin)
		buf_puts(p->out, "  # built-in");
	buf_puts(p->out, "\n");
}

static void print_key(struct buf *out, unsigned indent, const char *key)
{
	buf_printf(out, "%*s", (int)indent, "");
	print_scalar(out, key);
	buf_puts(out, ":");
}

static void print_single(const struct printing *p, const struct conf_row *row, const struct conf_node *n, unsigned indent)
{
	if (!n && (!row->preset || row->at_times))
		return;
	print_key(p->out, indent, row->name);
	buf_puts(p->out, " ");
	if (row->type == CONF_SECRET)
		buf_puts(p->out, "\"***\"");
	else if (n)
		conf_value_show(p->out, n);
	else if (*row->preset == '[')
		buf_puts(p->out, row->preset);
	else
		print_scalar(p->out, row->preset);
	print_end(p, n);
}

/* A key with a block below it, or nothing when the block would be empty. */
static void print_block(const struct printing *p, const char *key, const struct conf_table *table, const struct conf_node *map, unsigned indent)
{
	struct buf block = { 0 };
	struct printing inner = { p->origin, &block };
	print_map(&inner, table, map, indent + 2);
	if (block.n) {
		print_key(p->out, indent, key);
		buf_puts(p->out, "\n");
		buf_slice(p->out, buf_view(&block));
	}
	buf_free(&block);
}

static void print_objects(const struct printing *p, const struct conf_row *row, const struct conf_node *n, unsigned indent)
{
	if (!n || n->kind != CONF_MAP || !n->first)
		return;
	print_key(p->out, indent, row->name);
	buf_puts(p->out, "\n");
	for (const struct conf_node *c = n->first; c; c = c->next)
		if (!conf_is_null(c))
			print_block(p, c->key, row->table, c, indent + 2);
}

static void print_items(const struct printing *p, const struct conf_row *row, const struct conf_node *n, unsigned indent)
{
	if (!n)
		return;
	print_key(p->out, indent, row->name);
	buf_puts(p->out, "\n");
	for (const struct conf_node *c = n->first; c; c = c->next) {
		size_t at = p->out->n;
		print_map(p, row->table, c, indent + 4);
		if (p->out->n > at)
			p->out->p[at + indent + 2] = '-';
	}
}

static void print_map(const struct printing *p, const struct conf_table *table, const struct conf_node *map, unsigned indent)
{
	for (const struct conf_row *row = table->rows; row->name; row++) {
		const struct conf_node *n = conf_child(map, row->name);
		if (n && conf_is_null(n))
			n = NULL;
		if (row->type == CONF_SECTION || (row->type == CONF_MAYBE && n))
			print_block(p, row->name, row->table, n, indent);
		else if (row->type == CONF_OBJECTS)
			print_objects(p, row, n, indent);
		else if (row->type == CONF_ITEMS)
			print_items(p, row, n, indent);
		else if (row->type != CONF_MAYBE)
			print_single(p, row, n, indent);
	}
}

void conf_print(const struct conf_table *table, const struct conf_node *map, bool origin, struct buf *out)
{
	struct printing p = { origin, out };
	print_map(&p, table, map, 0);
}

/* ---- a tree as it was read ---- */

static void write_map(const struct conf_node *map, unsigned indent, struct buf *out)
{
	for (const struct conf_node *n = map->first; n; n = n->next) {
		print_key(out, indent, n->key);
		if (n->kind == CONF_MAP && n->first) {
			buf_puts(out, "\n");
			write_map(n, indent + 2, out);
			continue;
		}
		buf_puts(out, " ");
		if (conf_is_null(n))
			buf_puts(out, "null");
		else
			conf_value_print(out, n);
		buf_puts(out, "\n");
	}
}

void conf_write(const struct conf_node *map, struct buf *out)
{
	write_map(map, 0, out);
}
