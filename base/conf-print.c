/* Settings shown: the effective values as YAML that could be read again (secrets aside), and the tables of the manual in Markdown. */
#include "base/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* ---- values as YAML ---- */

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

/* A value in one line: scalars, [lists] and {maps}. */
static void print_value(struct buf *out, const struct conf_node *n)
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
		print_value(out, c);
	}
	buf_puts(out, n->kind == CONF_MAP ? "}" : "]");
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
		print_value(p->out, n);
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

/* ---- the manual ---- */

static const char *const type_names[] = {
	[CONF_TEXT] = "text",
	[CONF_ID] = "id",
	[CONF_IDENTITY] = "identity",
	[CONF_INT] = "whole number",
	[CONF_NUMBER] = "number",
	[CONF_BOOL] = "true or false",
	[CONF_AMPS] = "amperes",
	[CONF_PHASE_AMPS] = "amperes, or [L1, L2, L3]",
	[CONF_PHASES] = "list of L1, L2, L3",
	[CONF_DURATION] = "duration",
	[CONF_SIZE] = "size",
	[CONF_PERCENT] = "percentage",
	[CONF_CHOICE] = "",
	[CONF_CHOICES] = "list of ",
	[CONF_TEXTS] = "list of texts",
	[CONF_PATH] = "path of a file",
	[CONF_SECRET] = "`cred:NAME`",
	[CONF_SECRET_PATH] = "path, or `cred:NAME`",
	[CONF_SPECIAL] = "",
};

static bool has_table(const struct conf_row *row)
{
	return row->type == CONF_SECTION || row->type == CONF_MAYBE || row->type == CONF_OBJECTS || row->type == CONF_ITEMS;
}

static void doc_words(const struct conf_row *row, struct buf *out)
{
	for (size_t i = 0; row->words[i]; i++)
		buf_printf(out, "%s`%s`", i ? ", " : "", row->words[i]);
}

static void doc_type(const struct conf_row *row, struct buf *out)
{
	char min[CONF_VALUE_TEXT], max[CONF_VALUE_TEXT];
	if (row->type == CONF_REF)
		buf_printf(out, "id of a %s", row->table->noun);
	else if (row->shape)
		buf_puts(out, row->shape);
	else
		buf_puts(out, row->words && row->type == CONF_TEXTS ? "list of " : type_names[row->type]);
	if (row->words)
		doc_words(row, out);
	else if ((row->min || row->max) && row->type != CONF_TEXT && !row->shape)
		buf_printf(out, ", %s to %s", conf_value_text(row->type, row->min, min), conf_value_text(row->type, row->max, max));
}

static const char *effect_text(enum conf_effect e)
{
	static const char *const texts[] = {
		[AT_ONCE] = "at once", [AT_RELISTEN] = "listener opens again", [AT_RECONNECT] = "connects again", [AT_RESTART] = "at restart"
	};
	return texts[e];
}

static void doc_rows(const struct conf_table *table, struct buf *out)
{
	buf_puts(out, "| key | value | default | in force | meaning |\n|---|---|---|---|---|\n");
	for (const struct conf_row *row = table->rows; row->name; row++) {
		if (has_table(row))
			continue;
		buf_printf(out, "| `%s` | ", row->name);
		doc_type(row, out);
		if (row->required)
			buf_puts(out, " | required");
		else
			buf_printf(out, row->preset ? " | `%s`" : " | %s", row->preset ? row->preset : "-");
		buf_printf(out, " | %s | %s |\n", effect_text(row->takes_effect), row->help);
	}
	buf_puts(out, "\n");
}

static bool has_singles(const struct conf_table *table)
{
	for (const struct conf_row *row = table->rows; row->name; row++)
		if (!has_table(row))
			return true;
	return false;
}

static void doc_table(const struct conf_table *table, const char *path, struct buf *out)
{
	if (has_singles(table))
		doc_rows(table, out);
	for (const struct conf_row *row = table->rows; row->name; row++) {
		struct buf inner = { 0 };
		if (!has_table(row))
			continue;
		buf_printf(&inner, "%s%s%s%s", path, *path ? "." : "", row->name,
			row->type != CONF_OBJECTS ? row->type == CONF_ITEMS ? "[]" : "" : row->table->ids_are_identities ? ".<identity>" : ".<id>");
		buf_printf(out, "## `%s`\n\n%s.%s\n\n", inner.p, row->help, row->required ? " Required." : "");
		doc_table(row->table, inner.p, out);
		buf_free(&inner);
	}
}

void conf_write_doc(const struct conf_table *table, struct buf *out)
{
	doc_table(table, "", out);
}
