/* Settings described: the tables of the manual, for docs/CONFIG.md in Markdown and for ampgate.yaml(5) in mdoc. Both are made of the same
 * texts; words between backquotes are literal in either. */
#include "base/conf.h"

#include <string.h>

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
		buf_printf(out, " | %s | %s |\n", conf_effect_text(conf_effect(table, row)), row->help);
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

/* Where the rows of `row`'s table stand: "listen.ocpp.<id>". */
static void inner_path(const struct conf_row *row, const char *path, struct buf *out)
{
	buf_printf(out, "%s%s%s%s", path, *path ? "." : "", row->name,
		row->type != CONF_OBJECTS ? row->type == CONF_ITEMS ? "[]" : "" : row->table->ids_are_identities ? ".<identity>" : ".<id>");
}

static void doc_table(const struct conf_table *table, const char *path, struct buf *out)
{
	if (has_singles(table))
		doc_rows(table, out);
	for (const struct conf_row *row = table->rows; row->name; row++) {
		struct buf inner = { 0 };
		if (!has_table(row))
			continue;
		inner_path(row, path, &inner);
		buf_printf(out, "## `%s`\n\n%s.%s\n\n", inner.p, row->help, row->required ? " Required." : "");
		doc_table(row->table, inner.p, out);
		buf_free(&inner);
	}
}

void conf_write_doc(const struct conf_table *table, struct buf *out)
{
	doc_table(table, "", out);
}

/* ---- mdoc ---- */

#define MAN_COLUMNS 78

/* One word of running text; a backquote switches between bold and not. */
static void man_word(struct buf *out, struct slice word, bool *bold)
{
	if (*word.p == '.' || *word.p == '\'')
		buf_puts(out, "\\&");
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '`')
			buf_puts(out, (*bold = !*bold) ? "\\fB" : "\\fR");
		else if (word.p[i] == '\\')
			buf_puts(out, "\\e");
		else
			buf_add(out, &word.p[i], 1);
	}
}

static size_t man_width(struct slice word)
{
	size_t n = word.n;
	for (size_t i = 0; i < word.n; i++)
		n += word.p[i] == '`' ? 2 : 0;
	return n;
}

/* Running text from the start of a line to the end of one. A sentence begins a line, as mdoc wants it. */
static void man_text(struct buf *out, const char *text)
{
	size_t column = 0;
	bool bold = false;
	while (*(text += strspn(text, " "))) {
		struct slice word = { text, strcspn(text, " ") };
		size_t width = man_width(word);
		bool breaks = column && (column + 1 + width > MAN_COLUMNS || text[-2] == '.');
		if (column)
			buf_puts(out, breaks ? "\n" : " ");
		column = column && !breaks ? column + 1 + width : width;
		man_word(out, word, &bold);
		text += word.n;
	}
	buf_puts(out, "\n");
}

static void man_row(const struct conf_row *row, struct buf *out)
{
	struct buf text = { 0 };
	buf_printf(out, ".It Cm %s\n", row->name);
	buf_printf(&text, "%s. Value: ", row->help);
	doc_type(row, &text);
	if (row->required)
		buf_puts(&text, ". Required.");
	else
		buf_printf(&text, row->preset ? "; default `%s`." : ".%s", row->preset ? row->preset : "");
	man_text(out, text.p);
	buf_free(&text);
}

static void man_table(const struct conf_table *table, const char *path, struct buf *out)
{
	if (has_singles(table)) {
		buf_puts(out, ".Bl -tag -width Ds\n");
		for (const struct conf_row *row = table->rows; row->name; row++)
			if (!has_table(row))
				man_row(row, out);
		buf_puts(out, ".El\n");
	}
	for (const struct conf_row *row = table->rows; row->name; row++) {
		struct buf inner = { 0 }, text = { 0 };
		if (!has_table(row))
			continue;
		inner_path(row, path, &inner);
		buf_printf(out, ".Ss %s\\&\n", inner.p);
		buf_printf(&text, "%s.%s", row->help, row->required ? " Required." : "");
		man_text(out, text.p);
		man_table(row->table, inner.p, out);
		buf_free(&text);
		buf_free(&inner);
	}
}

void conf_write_man(const struct conf_table *table, struct buf *out)
{
	man_table(table, "", out);
}
