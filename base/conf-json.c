/* Settings as JSON, for whoever draws a form of them: the tables with every row's type, range and help; the values that were written, with the
 * place where each was; and the way to a node that a message points at. What is not among the values has the preset of its row.
 *
 * A path is a list of keys, not a text with dots: identities of stations have dots in them. Numbers in it count items of a list from 0. */
#include "base/conf.h"

#include <string.h>

#include "base/json.h"

static const char *const type_names[] = {
	[CONF_TEXT] = "text",
	[CONF_ID] = "id",
	[CONF_IDENTITY] = "identity",
	[CONF_INT] = "int",
	[CONF_NUMBER] = "number",
	[CONF_BOOL] = "bool",
	[CONF_AMPS] = "amps",
	[CONF_PHASE_AMPS] = "phase_amps",
	[CONF_PHASES] = "phases",
	[CONF_DURATION] = "duration",
	[CONF_SIZE] = "size",
	[CONF_PERCENT] = "percent",
	[CONF_CHOICE] = "choice",
	[CONF_CHOICES] = "choices",
	[CONF_TEXTS] = "texts",
	[CONF_PATH] = "path",
	[CONF_SECRET] = "secret",
	[CONF_SECRET_PATH] = "secret_path",
	[CONF_REF] = "ref",
	[CONF_SECTION] = "section",
	[CONF_MAYBE] = "maybe",
	[CONF_OBJECTS] = "objects",
	[CONF_ITEMS] = "items",
	[CONF_SPECIAL] = "special",
};

/* ---- tables ---- */

static bool has_rows(const struct conf_row *row)
{
	return row->type == CONF_SECTION || row->type == CONF_MAYBE || row->type == CONF_OBJECTS || row->type == CONF_ITEMS;
}

static void write_words(const char *const *words, struct json_writer *w)
{
	jw_array(w, "words");
	for (; *words; words++)
		jw_string(w, NULL, *words);
	jw_end(w, ']');
}

static void write_bounds(const struct conf_row *row, struct json_writer *w)
{
	char text[CONF_VALUE_TEXT];
	jw_string(w, "min", conf_value_text(row->type, row->min, text));
	jw_string(w, "max", conf_value_text(row->type, row->max, text));
}

static void write_row(const struct conf_table *table, const struct conf_row *row, struct json_writer *w)
{
	jw_object(w, NULL);
	jw_string(w, "key", row->name);
	jw_string(w, "type", type_names[row->type]);
	jw_string(w, "help", row->help);
	jw_string(w, "effect", conf_effect_text(conf_effect(table, row)));
	if (row->required)
		jw_bool(w, "required", true);
	if (row->preset)
		jw_string(w, "preset", row->preset);
	if (row->words)
		write_words(row->words, w);
	if ((row->min || row->max) && !has_rows(row) && !row->shape)
		write_bounds(row, w);
	if (row->shape)
		jw_string(w, "shape", row->shape);
	if (row->refers)
		jw_string(w, "refers", row->refers);
	if (has_rows(row)) {
		jw_string(w, "noun", row->table->noun);
		conf_write_schema(row->table, "rows", w);
	}
	jw_end(w, '}');
}

void conf_write_schema(const struct conf_table *table, const char *key, struct json_writer *w)
{
	jw_array(w, key);
	for (const struct conf_row *row = table->rows; row->name; row++)
		write_row(table, row, w);
	jw_end(w, ']');
}

/* ---- values ---- */

struct step { /* on the way down, from the top */
	const struct step *above;
	const char *key; /* NULL: item `at` of a list */
	int at;
};

static void write_steps(const struct step *s, struct json_writer *w)
{
	if (!s)
		return;
	write_steps(s->above, w);
	if (s->key)
		jw_string(w, NULL, s->key);
	else
		jw_int(w, NULL, s->at);
}

static void write_path(const struct step *s, struct json_writer *w)
{
	jw_array(w, "path");
	write_steps(s, w);
	jw_end(w, ']');
}

static void write_node(const char *key, const struct conf_node *n, struct json_writer *w)
{
	if (n->kind == CONF_SCALAR && conf_is_null(n)) {
		jw_null(w, key);
	} else if (n->kind == CONF_SCALAR) {
		jw_string(w, key, n->text);
	} else {
		n->kind == CONF_MAP ? jw_object(w, key) : jw_array(w, key);
		for (const struct conf_node *c = n->first; c; c = c->next)
			write_node(n->kind == CONF_MAP ? c->key : NULL, c, w);
		jw_end(w, n->kind == CONF_MAP ? '}' : ']');
	}
}

static void write_value(const struct step *s, const struct conf_row *row, const struct conf_node *n, struct json_writer *w)
{
	jw_object(w, NULL);
	write_path(s, w);
	if (row->type == CONF_SECRET)
		jw_string(w, "value", "***");
	else if (has_rows(row)) /* an object that says nothing more than that it is there */
		jw_raw(w, "value", SLICE("{}"));
	else
		write_node("value", n, w);
	jw_string(w, "file", n->pos.file ? n->pos.file->name : NULL);
	jw_int(w, "line", n->key_pos.file ? n->key_pos.line : n->pos.line);
	jw_end(w, '}');
}

static void write_map(const struct step *above, const struct conf_table *table, const struct conf_node *map, struct json_writer *w);

static void write_members(const struct step *above, const struct conf_row *row, const struct conf_node *n, struct json_writer *w)
{
	int at = 0;
	for (const struct conf_node *c = n->first; c; c = c->next, at++) {
		struct step s = { above, row->type == CONF_OBJECTS ? c->key : NULL, at };
		if (c->kind == CONF_MAP && c->first)
			write_map(&s, row->table, c, w);
		else if (!conf_is_null(c))
			write_value(&s, row, c, w);
	}
}

static void write_map(const struct step *above, const struct conf_table *table, const struct conf_node *map, struct json_writer *w)
{
	for (const struct conf_row *row = table->rows; row->name; row++) {
		const struct conf_node *n = conf_child(map, row->name);
		struct step s = { above, row->name, 0 };
		if (!n || conf_is_null(n))
			continue;
		if (row->type == CONF_OBJECTS || row->type == CONF_ITEMS)
			write_members(&s, row, n, w);
		else if (has_rows(row) && n->first)
			write_map(&s, row->table, n, w);
		else
			write_value(&s, row, n, w);
	}
}

void conf_write_values(const struct conf_table *table, const struct conf_node *map, const char *key, struct json_writer *w)
{
	jw_array(w, key);
	write_map(NULL, table, map, w);
	jw_end(w, ']');
}

/* ---- the way to a place ---- */

static bool covers(const struct conf_pos *p, const struct conf_message *m)
{
	return p->file && p->line == m->line && p->col == m->col && strcmp(p->file->name, m->file) == 0;
}

/* Children first: a map stands where its first key stands. */
static bool find(const struct step *above, const struct conf_node *n, const struct conf_message *m, struct json_writer *w)
{
	int at = 0;
	for (const struct conf_node *c = n->first; c; c = c->next, at++) {
		struct step s = { above, n->kind == CONF_MAP ? c->key : NULL, at };
		if (find(&s, c, m, w))
			return true;
	}
	if (!covers(&n->pos, m) && !covers(&n->key_pos, m))
		return false;
	write_path(above, w);
	return true;
}

void conf_write_place(const struct conf_node *root, const struct conf_message *m, struct json_writer *w)
{
	if (!root || !find(NULL, root, m, w))
		jw_null(w, "path");
}
