/* Settings from tables: the report, the merging of layers, and the filling of structs by rows. Values are read in conf-read.c, shown in
 * conf-print.c.
 *
 * Filling goes on after a mistake so that one run shows them all; a struct that was filled with errors in the report is not to be used.
 * Nodes are shared between a range and its members, so the same mistake can be met many times: the report keeps each message once. */
#include "base/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- messages ---- */

/* The line of the file, without its end; NULL when the file is not that long. */
static char *line_of(struct arena *mem, const struct conf_file *file, unsigned line)
{
	struct slice rest = file->text;
	for (; rest.n; line--) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;
		if (line == 1) {
			while (n && rest.p[n - 1] == '\r')
				n--;
			return arena_text(mem, (struct slice){ rest.p, n });
		}
		n += end != NULL;
		rest.p += n;
		rest.n -= n;
	}
	return NULL;
}

/* A password written into the file itself must not get into a log with the line around it. Where it ends depends on quotes and braces
 * around it, so all that follows is hidden. Columns stay where they are. */
static void mask_passwords(char *line)
{
	static const char key[] = "password";
	for (char *p = strstr(line, key); p; p = strstr(p, key)) {
		p += sizeof(key) - 1;
		char *value = p + strspn(p, "\"' \t");
		if (*value++ != ':')
			continue;
		value += strspn(value, "\"' \t");
		if (strncmp(value, "cred:", 5) == 0)
			continue;
		for (; *value; value++)
			if ((*value & 0xc0) != 0x80) /* one star per character, not per byte */
				*value = '*';
		return;
	}
}

static bool said(const struct conf_report *r, const struct conf_message *m)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->messages[i].line == m->line && r->messages[i].col == m->col && strcmp(r->messages[i].file, m->file) == 0 &&
			strcmp(r->messages[i].text, m->text) == 0)
			return true;
	return false;
}

static void keep(struct conf_report *r, const struct conf_message *m)
{
	if (r->n == CONF_MESSAGES)
		return;
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 16;
		r->messages = mem_grow(r->messages, r->room * sizeof(*r->messages));
	}
	r->messages[r->n++] = *m;
}

void conf_say(struct conf_report *r, enum conf_severity severity, const struct conf_pos *pos, const char *hint, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	struct conf_message m = { .severity = severity, .line = pos->line, .col = pos->col, .width = pos->width };
	m.file = pos->file ? arena_text(&r->mem, slice_of(pos->file->name)) : "built-in";
	m.text = arena_text(&r->mem, buf_view(&text));
	m.hint = hint ? arena_text(&r->mem, slice_of(hint)) : NULL;
	buf_free(&text);
	if (said(r, &m))
		return;
	char *source = pos->file ? line_of(&r->mem, pos->file, pos->line) : NULL;
	if (source)
		mask_passwords(source);
	m.source = source;
	*(severity == CONF_ERROR ? &r->errors : &r->warnings) += 1;
	keep(r, &m);
}

/* The source line with a marker below; tabs before the marker are repeated so that it stands right whatever their width. */
static void print_source(const struct conf_message *m, struct buf *out)
{
	const char *p = m->source;
	buf_printf(out, "%5u | %s\n      | ", m->line, m->source);
	for (unsigned col = 1; col < m->col; col++) {
		buf_puts(out, *p == '\t' ? "\t" : " ");
		while (*p && (*++p & 0xc0) == 0x80)
			;
	}
	buf_puts(out, "^");
	for (unsigned i = 1; i < m->width; i++)
		buf_puts(out, "~");
	if (m->hint)
		buf_printf(out, " %s", m->hint);
	buf_puts(out, "\n");
}

static void print_message(const struct conf_message *m, struct buf *out)
{
	buf_printf(out, "%s:%u:%u: %s: %s", m->file, m->line, m->col, m->severity == CONF_ERROR ? "error" : "warning", m->text);
	if (!m->source && m->hint)
		buf_printf(out, " (%s)", m->hint);
	buf_puts(out, "\n");
	if (m->source)
		print_source(m, out);
}

void conf_report_print(const struct conf_report *r, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++)
		print_message(&r->messages[i], out);
	if (r->errors + r->warnings > r->n)
		buf_printf(out, "... and %zu more\n", r->errors + r->warnings - r->n);
}

void conf_report_free(struct conf_report *r)
{
	mem_free(r->messages);
	arena_free(&r->mem);
	*r = (struct conf_report){ 0 };
}

/* ---- layers ---- */

static struct conf_node *copy(struct arena *mem, const struct conf_node *n)
{
	struct conf_node *c = arena_new(mem, sizeof(*c));
	*c = *n;
	c->next = NULL;
	return c;
}

struct conf_node *conf_merge(struct arena *mem, const struct conf_node *base, const struct conf_node *over)
{
	if (!base || !over || base->kind != CONF_MAP || over->kind != CONF_MAP)
		return copy(mem, over ? over : base);
	struct conf_node *m = copy(mem, base);
	m->first = m->last = NULL;
	for (const struct conf_node *n = base->first; n; n = n->next) {
		const struct conf_node *o = conf_child(over, n->key);
		conf_append(m, o ? conf_merge(mem, n, o) : copy(mem, n));
	}
	for (const struct conf_node *n = over->first; n; n = n->next)
		if (!conf_child(base, n->key))
			conf_append(m, copy(mem, n));
	return m;
}

/* ---- ranges ---- */

bool conf_is_range(const char *key)
{
	return strchr(key, '[') || strchr(key, ']');
}

struct range {
	struct slice before, after;
	int width;
	int64_t first, last;
};

static int range_parse(const char *key, struct range *out)
{
	const char *open = strchr(key, '['), *dash = open ? strchr(open, '-') : NULL, *close = dash ? strchr(dash, ']') : NULL;
	if (!close || conf_is_range(close + 1))
		return ERR_SYNTAX;
	struct slice first = { open + 1, (size_t)(dash - open - 1) }, last = { dash + 1, (size_t)(close - dash - 1) };
	if (int_parse(first, &out->first) != 0 || int_parse(last, &out->last) != 0 || out->first < 0 || *first.p == '+' || *last.p == '+')
		return ERR_SYNTAX;
	out->before = (struct slice){ key, (size_t)(open - key) };
	out->after = slice_of(close + 1);
	out->width = (int)first.n;
	return first.n > 9 ? ERR_SYNTAX : 0;
}

int conf_range(struct conf_report *r, const struct conf_node *keyed, void (*each)(void *arg, const char *name, size_t at), void *arg)
{
	struct range range;
	if (!conf_is_range(keyed->key)) {
		each(arg, keyed->key, 0);
		return 0;
	}
	if (range_parse(keyed->key, &range) != 0) {
		conf_say(r, CONF_ERROR, &keyed->key_pos, "write it like \"G-[01-11]\"", "'%s' is not a range", keyed->key);
		return ERR_SYNTAX;
	}
	if (range.last < range.first) {
		conf_say(r, CONF_ERROR, &keyed->key_pos, NULL, "range '%s' runs backwards", keyed->key);
		return ERR_SYNTAX;
	}
	if (range.last - range.first >= CONF_RANGE) {
		conf_say(r, CONF_ERROR, &keyed->key_pos, NULL, "range '%s' has more than %d members", keyed->key, CONF_RANGE);
		return ERR_TOO_LARGE;
	}
	struct buf name = { 0 };
	for (int64_t i = range.first; i <= range.last; i++) {
		buf_reset(&name);
		buf_printf(&name, "%.*s%0*lld%s", SLICE_ARG(range.before), range.width, (long long)i, range.after.p);
		each(arg, name.p, (size_t)(i - range.first));
	}
	buf_free(&name);
	return 0;
}

/* ---- filling ---- */

/* What one section defines, in the file's order. */
struct conf_names {
	const char **names; /* NULL-terminated */
	size_t n, room;
};

void conf_use_add(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	if (f->n_uses == f->uses_room) {
		f->uses_room = f->uses_room ? f->uses_room * 2 : 64;
		f->uses = mem_grow(f->uses, f->uses_room * sizeof(*f->uses));
	}
	f->uses[f->n_uses++] = (struct conf_use){ row, n, f->id, at };
}

static void names_add(struct conf_fill *f, const char *section, const char *name)
{
	struct conf_names *names = map_get(&f->sections, slice_of(section));
	if (!names) {
		names = NEW(struct conf_names);
		map_put(&f->sections, slice_of(section), names);
	}
	if (names->n + 2 > names->room) {
		names->room = names->room ? names->room * 2 : 16;
		names->names = mem_grow(names->names, names->room * sizeof(*names->names));
	}
	names->names[names->n++] = name;
	names->names[names->n] = NULL;
}

static void define(struct conf_fill *f, const char *section, const char *id, void *object)
{
	char *key = arena_printf(f->mem, "%s/%s", section, id);
	map_put(&f->objects, slice_of(key), object);
	names_add(f, section, id);
}

void *conf_object(const struct conf_fill *f, const char *section, const char *id)
{
	struct buf key = { 0 };
	buf_printf(&key, "%s/%s", section, id);
	void *object = map_get(&f->objects, buf_view(&key));
	buf_free(&key);
	return object;
}

static const struct conf_row *row_of(const struct conf_table *table, const char *name)
{
	for (const struct conf_row *row = table->rows; row->name; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

static void complain_unknown(struct conf_fill *f, const struct conf_table *table, const struct conf_node *n)
{
	const char *words[64];
	size_t count = 0;
	for (const struct conf_row *row = table->rows; row->name && count < 63; row++)
		words[count++] = row->name;
	words[count] = NULL;
	const char *near = str_nearest(n->key, words);
	char *hint = near ? arena_printf(f->mem, "did you mean '%s'?", near) : NULL;
	conf_say(f->report, CONF_ERROR, &n->key_pos, hint, "unknown key '%s' in %s", n->key, table->noun);
}

static bool is_kind(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, enum conf_kind kind)
{
	if (n->kind == kind)
		return true;
	conf_say(f->report, CONF_ERROR, &n->pos, NULL, "'%s' takes a %s here", row->name, kind == CONF_MAP ? "map" : "list");
	return false;
}

static size_t count_children(const struct conf_node *n)
{
	size_t count = 0;
	for (const struct conf_node *c = n->first; c; c = c->next)
		count += n->kind == CONF_LIST || !conf_is_null(c);
	return count;
}

/* Memory for the array of CONF_OBJECTS and CONF_ITEMS: the pointer, and behind it the count. */
static char *array_new(struct conf_fill *f, const struct conf_table *table, const struct conf_node *n, void *at)
{
	size_t count = count_children(n);
	void *items = arena_new(f->mem, count * table->size);
	memcpy(at, &items, sizeof(items));
	memcpy((char *)at + sizeof(items), &count, sizeof(count));
	return items;
}

static bool id_ok(struct conf_fill *f, const struct conf_table *table, const struct conf_node *n)
{
	if (table->ids_are_identities ? conf_identity_ok(n->key) : conf_id_ok(n->key))
		return true;
	conf_say(f->report, CONF_ERROR, &n->key_pos,
		table->ids_are_identities ? "up to 48 of letters, digits and * - _ = : + | @ ." : "up to 40 of a-z, 0-9 and -",
		"'%s' cannot be the id of a %s", n->key, table->noun);
	return false;
}

static void fill_objects(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	if (!is_kind(f, row, n, CONF_MAP))
		return;
	char *object = array_new(f, row->table, n, at);
	const char *outer = f->id;
	for (const struct conf_node *c = n->first; c; c = c->next) {
		if (conf_is_null(c))
			continue;
		if (id_ok(f, row->table, c) && is_kind(f, row, c, CONF_MAP)) {
			memcpy(object, &c->key, sizeof(c->key));
			f->id = c->key;
			define(f, row->name, c->key, object);
			conf_fill(f, row->table, c, object);
		}
		object += row->table->size;
	}
	f->id = outer;
}

static void fill_items(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	if (!is_kind(f, row, n, CONF_LIST))
		return;
	char *item = array_new(f, row->table, n, at);
	for (const struct conf_node *c = n->first; c; c = c->next) {
		if (is_kind(f, row, c, CONF_MAP))
			conf_fill(f, row->table, c, item);
		item += row->table->size;
	}
}

static void fill_maybe(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	if (!is_kind(f, row, n, CONF_MAP))
		return;
	void *object = arena_new(f->mem, row->table->size);
	memcpy(at, &object, sizeof(object));
	conf_fill(f, row->table, n, object);
}

static void fill_value(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	switch (row->type) {
	case CONF_SECTION:
		if (is_kind(f, row, n, CONF_MAP))
			conf_fill(f, row->table, n, at);
		break;
	case CONF_MAYBE:
		fill_maybe(f, row, n, at);
		break;
	case CONF_OBJECTS:
		fill_objects(f, row, n, at);
		break;
	case CONF_ITEMS:
		fill_items(f, row, n, at);
		break;
	default:
		if (conf_read(f, row, n, at) != 0)
			return; /* said */
	}
}

/* A preset is YAML, so that it reads in the manual as one would write it. */
static void fill_preset(struct conf_fill *f, const struct conf_row *row, void *at)
{
	struct conf_node *n = arena_new(f->mem, sizeof(*n));
	n->kind = CONF_SCALAR;
	n->text = row->preset;
	if (*row->preset == '[') {
		struct buf text = { 0 };
		buf_printf(&text, "preset: %s", row->preset);
		int rc = conf_yaml_parse(f->mem, row->name, buf_view(&text), f->report, &n);
		buf_free(&text);
		if (rc != 0)
			return;
		n = n->first;
	}
	fill_value(f, row, n, at);
}

static void fill_absent(struct conf_fill *f, const struct conf_table *table, const struct conf_row *row, const struct conf_node *map, void *at)
{
	if (row->required && map)
		conf_say(f->report, CONF_ERROR, map->key ? &map->key_pos : &map->pos, NULL, "missing key '%s' in %s", row->name, table->noun);
	else if (row->type == CONF_SECTION)
		conf_fill(f, row->table, NULL, at);
	else if (row->preset)
		fill_preset(f, row, at);
}

void conf_fill(struct conf_fill *f, const struct conf_table *table, const struct conf_node *map, void *object)
{
	for (const struct conf_row *row = table->rows; row->name; row++) {
		const struct conf_node *n = conf_child(map, row->name);
		void *at = (char *)object + row->at;
		if (n && !conf_is_null(n))
			fill_value(f, row, n, at);
		else
			fill_absent(f, table, row, map, at);
	}
	for (const struct conf_node *n = map ? map->first : NULL; n; n = n->next)
		if (!row_of(table, n->key))
			complain_unknown(f, table, n);
}

/* ---- references ---- */

static void resolve(struct conf_fill *f, const struct conf_use *use)
{
	void *object = conf_object(f, use->row->refers, use->node->text);
	if (object) {
		memcpy(use->at, &object, sizeof(object));
		return;
	}
	const struct conf_names *names = map_get(&f->sections, slice_of(use->row->refers));
	const char *near = names ? str_nearest(use->node->text, names->names) : NULL;
	char *hint = near ? arena_printf(f->mem, "did you mean '%s'?", near) : NULL;
	conf_say(f->report, CONF_ERROR, &use->node->pos, hint, "%s '%s' is not defined", use->row->table->noun, use->node->text);
}

void conf_resolve(struct conf_fill *f)
{
	for (size_t i = 0; i < f->n_uses; i++)
		if (f->uses[i].row->type == CONF_REF)
			resolve(f, &f->uses[i]);
}

void conf_fill_free(struct conf_fill *f)
{
	struct conf_names *names;
	size_t at = 0;
	while ((names = map_next(&f->sections, &at, NULL))) {
		mem_free(names->names);
		mem_free(names);
	}
	map_free(&f->sections);
	map_free(&f->objects);
	mem_free(f->uses);
	f->uses = NULL;
	f->n_uses = f->uses_room = 0;
}
