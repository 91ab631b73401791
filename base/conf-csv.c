/* Cells are read one after the other with their place; a line of cells becomes a map. Easy to get wrong: a quoted cell may hold separators, quotes
 * and line ends, so lines of the table are not lines of the file. */
#include "base/conf-csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"

#define COLUMNS_MOST 64

struct cell {
	const char *text;
	struct conf_pos pos;
	bool quoted;
};

struct table {
	struct arena *mem;
	struct conf_report *report;
	const struct conf_file *file;
	const char *p, *end;
	unsigned line, col;
	char separator;
	const char *key;
	struct cell cells[COLUMNS_MOST]; /* of the line that was read */
	size_t n_cells;
	struct cell columns[COLUMNS_MOST];
	size_t n_columns;
	bool bad;
};

static void complain(struct table *t, const struct conf_pos *pos, const char *hint, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void complain(struct table *t, const struct conf_pos *pos, const char *hint, const char *fmt, ...)
{
	char text[160];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_say(t->report, CONF_ERROR, pos, hint, "%s", text);
	t->bad = true;
}

/* The next character, with line and column in characters. */
static char take(struct table *t)
{
	char c = *t->p++;
	if (c == '\n') {
		t->line++;
		t->col = 1;
	} else if (((unsigned char)c & 0xC0) != 0x80) {
		t->col++;
	}
	return c;
}

static bool ends_line(const struct table *t)
{
	return t->p == t->end || *t->p == '\n' || (*t->p == '\r' && (t->p + 1 == t->end || t->p[1] == '\n'));
}

static void read_quoted(struct table *t, struct buf *text)
{
	struct conf_pos open = { t->file, t->line, t->col, 1 };
	take(t);
	while (t->p < t->end) {
		char c = take(t);
		if (c != '"')
			buf_add(text, &c, 1);
		else if (t->p < t->end && *t->p == '"')
			buf_add(text, (take(t), "\""), 1);
		else
			return;
	}
	complain(t, &open, NULL, "this quote is never closed");
}

/* What a spreadsheet was kept from taking for a formula. */
static const char *without_apostrophe(const char *text)
{
	return text[0] == '\'' && text[1] && strchr("=+-@", text[1]) ? text + 1 : text;
}

static struct cell read_cell(struct table *t)
{
	struct buf text = { 0 };
	struct cell c = { .pos = { t->file, t->line, t->col, 1 } };
	while (t->p < t->end && *t->p == ' ' && t->separator != ' ')
		take(t);
	c.pos.line = t->line;
	c.pos.col = t->col;
	c.quoted = t->p < t->end && *t->p == '"';
	unsigned line = t->line;
	if (c.quoted)
		read_quoted(t, &text);
	while (!ends_line(t) && *t->p != t->separator) {
		char more = take(t);
		if (!c.quoted)
			buf_add(&text, &more, 1);
		else if (more != ' ')
			complain(t, &c.pos, NULL, "something follows the closing quote");
	}
	while (!c.quoted && text.n && text.p[text.n - 1] == ' ')
		text.n--;
	c.pos.width = t->line == line && t->col > c.pos.col ? t->col - c.pos.col : 1;
	c.text = without_apostrophe(arena_text(t->mem, text.n ? buf_view(&text) : SLICE("")));
	buf_free(&text);
	return c;
}

/* False: the file is over. */
static bool read_line(struct table *t)
{
	t->n_cells = 0;
	while (t->p < t->end) {
		struct cell c = read_cell(t);
		if (t->n_cells < COLUMNS_MOST)
			t->cells[t->n_cells++] = c;
		if (t->p < t->end && *t->p == t->separator) {
			take(t);
			continue;
		}
		if (t->p < t->end && *t->p == '\r')
			take(t);
		if (t->p < t->end)
			take(t);
		return true;
	}
	return t->n_cells > 0;
}

static bool is_empty(const struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		if (t->cells[i].text[0])
			return false;
	return true;
}

/* The one that the first line has most of, in that order. */
static char separator_of(struct slice text)
{
	size_t n[3] = { 0 };
	for (size_t i = 0; i < text.n && text.p[i] != '\n'; i++)
		for (int k = 0; k < 3; k++)
			n[k] += text.p[i] == ",;\t"[k];
	return n[1] > n[0] && n[1] >= n[2] ? ';' : n[2] > n[0] ? '\t' : ',';
}

/* Where the ids stand; -1 with a message. */
static int read_head(struct table *t)
{
	struct conf_pos top = { t->file, 1, 1, 1 };
	int id = -1;
	if (!read_line(t)) {
		complain(t, &top, "its first line names the columns", "the file is empty");
		return -1;
	}
	memcpy(t->columns, t->cells, sizeof(t->columns));
	t->n_columns = t->n_cells;
	for (size_t i = 0; i < t->n_columns; i++) {
		if (!t->columns[i].text[0])
			complain(t, &t->columns[i].pos, NULL, "this column has no name");
		for (size_t k = 0; k < i; k++)
			if (strcmp(t->columns[k].text, t->columns[i].text) == 0)
				complain(t, &t->columns[i].pos, NULL, "this column is there twice");
		if (strcmp(t->columns[i].text, t->key) == 0 && id < 0)
			id = (int)i;
	}
	if (id < 0)
		complain(t, &t->columns[0].pos, "its first line names the columns", "the table has no column '%s'", t->key);
	return id;
}

static struct conf_node *node_new(struct table *t, enum conf_kind kind, const struct cell *key, const struct cell *value)
{
	struct conf_node *n = arena_new(t->mem, sizeof(*n));
	n->kind = kind;
	n->key = key->text;
	n->key_pos = key->pos;
	n->pos = value->pos;
	n->text = kind == CONF_SCALAR ? value->text : NULL;
	n->quoted = kind == CONF_SCALAR && value->quoted;
	return n;
}

/* A key has the place of its cell: that is where somebody looks for what is wrong with it. */
static void add_object(struct table *t, struct conf_node *section, size_t id)
{
	const struct cell *name = id < t->n_cells ? &t->cells[id] : &t->cells[t->n_cells - 1];
	if (id >= t->n_cells || !name->text[0]) {
		complain(t, &name->pos, NULL, "this line has no %s", t->key);
		return;
	}
	if (t->n_cells > t->n_columns) {
		complain(t, &t->cells[t->n_columns].pos, "a separator inside a value wants the value in quotes", "there are more cells than columns");
		return;
	}
	if (conf_child(section, name->text)) {
		complain(t, &name->pos, NULL, "'%s' is there already", name->text);
		return;
	}
	struct conf_node *object = node_new(t, CONF_MAP, name, name);
	for (size_t i = 0; i < t->n_cells; i++) {
		if (i == id || !t->cells[i].text[0] || strcmp(t->cells[i].text, "***") == 0)
			continue;
		struct cell key = { t->columns[i].text, t->cells[i].pos, false };
		conf_append(object, node_new(t, CONF_SCALAR, &key, &t->cells[i]));
	}
	conf_append(section, object);
}

static void read_table(struct table *t, struct conf_node *section)
{
	int id = read_head(t);
	size_t n = 0;
	while (id >= 0 && read_line(t)) {
		if (is_empty(t))
			continue;
		if (++n > CONF_YAML_CHILDREN) {
			complain(t, &t->cells[0].pos, NULL, "the table is too long");
			return;
		}
		add_object(t, section, (size_t)id);
	}
}

int conf_csv_parse(struct arena *mem, const char *name, struct slice text, const char *section, const char *key, struct conf_report *report, struct conf_node **out)
{
	struct conf_file *file = arena_new(mem, sizeof(*file));
	struct table *t = NEW(struct table);
	struct cell nowhere = { .text = section, .pos = { file, 1, 1, 1 } };
	*file = (struct conf_file){ arena_text(mem, slice_of(name)), arena_slice(mem, text) };
	*t = (struct table){ .mem = mem, .report = report, .file = file, .p = file->text.p, .end = file->text.p + file->text.n, .line = 1, .col = 1, .key = key };
	if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0)
		t->p += 3;
	t->separator = separator_of(text);
	struct conf_node *root = arena_new(mem, sizeof(*root)), *objects = node_new(t, CONF_MAP, &nowhere, &nowhere);
	root->kind = CONF_MAP;
	root->pos = nowhere.pos;
	conf_append(root, objects);
	if (text.n > CONF_YAML_SIZE || !utf8_valid(text))
		complain(t, &nowhere.pos, NULL, "%s", text.n > CONF_YAML_SIZE ? "the file is too large" : "the file is not UTF-8");
	else
		read_table(t, objects);
	int err = t->bad ? ERR_SYNTAX : 0;
	mem_free(t);
	*out = err ? NULL : root;
	return err;
}

void conf_csv_cell(struct buf *out, struct slice text)
{
	bool formula = text.n && strchr("=+-@\t\r", text.p[0]), quote = formula;
	for (size_t i = 0; i < text.n && !quote; i++)
		quote = strchr(",;\"\n\r\t", text.p[i]) != NULL;
	if (!quote) {
		buf_slice(out, text);
		return;
	}
	buf_puts(out, formula ? "\"'" : "\"");
	for (size_t i = 0; i < text.n; i++)
		buf_add(out, text.p[i] == '"' ? "\"\"" : &text.p[i], text.p[i] == '"' ? 2 : 1);
	buf_puts(out, "\"");
}
