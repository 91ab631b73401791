/* libyaml's events become a tree. What is easy to get wrong:
 *
 * - An alias can repeat a large part, and aliases of aliases multiply ("billion laughs"). Sharing keeps memory small but whoever walks the
 *   tree still walks every repetition, so repetitions count towards the bound of nodes.
 * - An anchor is known only when its node is complete: an alias inside its own anchor is therefore undefined, and no cycle can arise.
 * - libyaml counts lines and columns from 0, in characters and not bytes. */
#include "base/conf-yaml.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/conf.h"
#include "base/file.h"

struct anchor {
	struct anchor *next;
	const char *name;
	struct conf_node *node;
	size_t weight;
};

struct reading {
	struct arena *mem;
	struct conf_report *report;
	const struct conf_file *file;
	yaml_parser_t parser;
	struct anchor *anchors;
	size_t nodes;
	unsigned depth;
};

static struct conf_node *read_value(struct reading *r, const yaml_event_t *ev);

static unsigned width_of(const yaml_mark_t *from, const yaml_mark_t *to)
{
	return from->line == to->line && to->column > from->column ? (unsigned)(to->column - from->column) : 1;
}

static struct conf_pos pos_of(const struct reading *r, const yaml_event_t *ev)
{
	return (struct conf_pos){ r->file, (unsigned)ev->start_mark.line + 1, (unsigned)ev->start_mark.column + 1,
		width_of(&ev->start_mark, &ev->end_mark) };
}

static void complain(struct reading *r, const yaml_event_t *ev, const char *hint, const char *text)
{
	struct conf_pos pos = pos_of(r, ev);
	conf_say(r->report, CONF_ERROR, &pos, hint, "%s", text);
}

/* A byte that is no UTF-8 has no mark, only an offset. */
static struct conf_pos pos_of_byte(const struct reading *r, size_t offset)
{
	struct conf_pos pos = { r->file, 1, 1, 1 };
	for (size_t i = 0; i < offset && i < r->file->text.n; i++) {
		bool end = r->file->text.p[i] == '\n';
		pos.line += end;
		pos.col = end ? 1 : pos.col + 1;
	}
	return pos;
}

static void complain_syntax(struct reading *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "unreadable";
	struct conf_pos pos = { r->file, (unsigned)p->problem_mark.line + 1, (unsigned)p->problem_mark.column + 1, 1 };
	char hint[64] = "";
	if (p->error == YAML_READER_ERROR)
		pos = pos_of_byte(r, p->problem_offset);
	if (strstr(problem, "cannot start any token"))
		snprintf(hint, sizeof(hint), "indent with blanks, not tabs, or put the value in quotes");
	else if (p->context && p->context_mark.line != p->problem_mark.line)
		snprintf(hint, sizeof(hint), "what is open here begins on line %zu", p->context_mark.line + 1);
	conf_say(r->report, CONF_ERROR, &pos, *hint ? hint : NULL, "%s%s%s", problem, p->context ? " " : "", p->context ? p->context : "");
}

/* The next event, or false with the reason in the report. */
static bool next(struct reading *r, yaml_event_t *ev)
{
	if (yaml_parser_parse(&r->parser, ev))
		return true;
	complain_syntax(r);
	return false;
}

static struct conf_node *node_new(struct reading *r, enum conf_kind kind, const yaml_event_t *ev)
{
	struct conf_node *n = arena_new(r->mem, sizeof(*n));
	n->kind = kind;
	n->pos = pos_of(r, ev);
	return n;
}

void conf_append(struct conf_node *parent, struct conf_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static bool count(struct reading *r, size_t more, const yaml_event_t *ev)
{
	if (more <= CONF_YAML_NODES - r->nodes) {
		r->nodes += more;
		return true;
	}
	complain(r, ev, NULL, "more values than a configuration may have");
	return false;
}

static void remember(struct reading *r, const yaml_char_t *name, struct conf_node *node, size_t weight)
{
	struct anchor *a = arena_new(r->mem, sizeof(*a));
	a->name = arena_text(r->mem, slice_of((const char *)name));
	a->node = node;
	a->weight = weight;
	a->next = r->anchors; /* an anchor may be set again; the latest counts */
	r->anchors = a;
}

static struct conf_node *read_alias(struct reading *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	const struct anchor *a = r->anchors;
	while (a && strcmp(a->name, name) != 0)
		a = a->next;
	if (!a) {
		complain(r, ev, NULL, "this alias has no anchor before it");
		return NULL;
	}
	if (!count(r, a->weight, ev))
		return NULL;
	struct conf_node *n = arena_new(r->mem, sizeof(*n));
	*n = *a->node;
	n->next = NULL;
	n->key = NULL;
	return n;
}

static struct conf_node *read_scalar(struct reading *r, const yaml_event_t *ev)
{
	struct conf_node *n = node_new(r, CONF_SCALAR, ev);
	struct slice text = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	if (memchr(text.p, 0, text.n)) {
		complain(r, ev, NULL, "a zero byte inside a text");
		return NULL;
	}
	n->text = arena_text(r->mem, text);
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return n;
}

static bool read_key(struct reading *r, const struct conf_node *map, const yaml_event_t *ev, const char **key_out)
{
	struct slice text = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	if (ev->type != YAML_SCALAR_EVENT || memchr(text.p, 0, text.n)) {
		complain(r, ev, NULL, "a key has to be a plain text");
		return false;
	}
	if (ev->data.scalar.tag) {
		complain(r, ev, "remove it: the type follows from the key", "tags are not allowed");
		return false;
	}
	*key_out = arena_text(r->mem, text);
	if (strcmp(*key_out, "<<") == 0) {
		complain(r, ev, "ranges and defaults say the same", "merge keys are not allowed");
		return false;
	}
	const struct conf_node *before = conf_child(map, *key_out);
	if (before) {
		struct conf_pos pos = pos_of(r, ev);
		conf_say(r->report, CONF_ERROR, &pos, NULL, "key '%s' is already on line %u", *key_out, before->key_pos.line);
		return false;
	}
	return true;
}

/* One key with its value; ev holds the key and is spent. */
static bool read_pair(struct reading *r, struct conf_node *map, yaml_event_t *ev)
{
	const char *key;
	struct conf_pos key_pos = pos_of(r, ev);
	bool ok = read_key(r, map, ev, &key);
	yaml_event_delete(ev);
	if (!ok || !next(r, ev))
		return false;
	struct conf_node *value = read_value(r, ev);
	yaml_event_delete(ev);
	if (!value)
		return false;
	value->key = key;
	value->key_pos = key_pos;
	conf_append(map, value);
	return true;
}

static bool read_item(struct reading *r, struct conf_node *list, yaml_event_t *ev)
{
	struct conf_node *value = read_value(r, ev);
	yaml_event_delete(ev);
	if (value)
		conf_append(list, value);
	return value;
}

/* The children of a map or list up to its end event. */
static bool read_children(struct reading *r, struct conf_node *parent)
{
	yaml_event_type_t end = parent->kind == CONF_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	for (size_t n = 0;; n++) {
		yaml_event_t ev;
		if (!next(r, &ev))
			return false;
		if (ev.type == end) {
			yaml_event_delete(&ev);
			return true;
		}
		if (n == CONF_YAML_CHILDREN) {
			complain(r, &ev, NULL, "too many entries in one place");
			yaml_event_delete(&ev);
			return false;
		}
		if (parent->kind == CONF_MAP ? !read_pair(r, parent, &ev) : !read_item(r, parent, &ev))
			return false;
	}
}

static struct conf_node *read_parent(struct reading *r, enum conf_kind kind, const yaml_event_t *ev)
{
	if (r->depth == CONF_YAML_DEPTH) {
		complain(r, ev, NULL, "nested too deep");
		return NULL;
	}
	struct conf_node *n = node_new(r, kind, ev);
	r->depth++;
	bool ok = read_children(r, n);
	r->depth--;
	return ok ? n : NULL;
}

/* The value that begins with this event. NULL: said why. */
static struct conf_node *read_value(struct reading *r, const yaml_event_t *ev)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	size_t before = r->nodes;
	struct conf_node *n = NULL;
	if (!count(r, 1, ev))
		return NULL;
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return read_alias(r, ev);
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor;
		tag = ev->data.scalar.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor;
		tag = ev->data.mapping_start.tag;
		break;
	default:
		assert(ev->type == YAML_SEQUENCE_START_EVENT);
		anchor = ev->data.sequence_start.anchor;
		tag = ev->data.sequence_start.tag;
	}
	if (tag) {
		complain(r, ev, "remove it: the type follows from the key", "tags are not allowed");
		return NULL;
	}
	if (ev->type == YAML_SCALAR_EVENT)
		n = read_scalar(r, ev);
	else
		n = read_parent(r, ev->type == YAML_MAPPING_START_EVENT ? CONF_MAP : CONF_LIST, ev);
	if (n && anchor)
		remember(r, anchor, n, r->nodes - before);
	return n;
}

static struct conf_node *empty_map(struct reading *r)
{
	struct conf_node *n = arena_new(r->mem, sizeof(*n));
	n->kind = CONF_MAP;
	n->pos = (struct conf_pos){ r->file, 1, 1, 1 };
	return n;
}

/* Everything after the first document has to be the end. */
static int read_end(struct reading *r)
{
	yaml_event_t ev;
	if (!next(r, &ev)) /* the document's end */
		return ERR_SYNTAX;
	yaml_event_delete(&ev);
	if (!next(r, &ev))
		return ERR_SYNTAX;
	bool more = ev.type != YAML_STREAM_END_EVENT;
	if (more)
		complain(r, &ev, NULL, "a second document in one file");
	yaml_event_delete(&ev);
	return more ? ERR_SYNTAX : 0;
}

/* The stream and document starts, then one value. *out NULL with 0: an empty file. */
static int read_document(struct reading *r, struct conf_node **out)
{
	for (;;) {
		yaml_event_t ev;
		if (!next(r, &ev))
			return ERR_SYNTAX;
		yaml_event_type_t type = ev.type;
		if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT && type != YAML_STREAM_END_EVENT)
			*out = read_value(r, &ev);
		yaml_event_delete(&ev);
		if (type == YAML_STREAM_END_EVENT)
			return 0;
		if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT)
			return *out ? read_end(r) : ERR_SYNTAX;
	}
}

static int check_root(struct reading *r, struct conf_node **root)
{
	if (!*root || conf_is_null(*root))
		*root = empty_map(r);
	if ((*root)->kind == CONF_MAP)
		return 0;
	conf_say(r->report, CONF_ERROR, &(*root)->pos, NULL, "a configuration is a map: 'key: value'");
	return ERR_SYNTAX;
}

int conf_yaml_parse(struct arena *mem, const char *name, struct slice text, struct conf_report *report, struct conf_node **out)
{
	struct conf_file *file = arena_new(mem, sizeof(*file));
	file->name = arena_text(mem, slice_of(name));
	file->text = arena_slice(mem, text);
	struct reading r = { .mem = mem, .report = report, .file = file };
	*out = NULL;
	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)(file->text.p ? file->text.p : ""), file->text.n);
	struct conf_node *root = NULL;
	int rc = read_document(&r, &root);
	yaml_parser_delete(&r.parser);
	if (rc == 0)
		rc = check_root(&r, &root);
	if (rc == 0)
		*out = root;
	return rc;
}

int conf_yaml_read(struct arena *mem, const char *path, struct conf_report *report, struct conf_node **out)
{
	struct buf b = { 0 };
	int rc = file_read(path, CONF_YAML_SIZE, &b);
	*out = NULL;
	if (rc == 0) {
		rc = conf_yaml_parse(mem, path, buf_view(&b), report, out);
	} else {
		struct conf_file file = { .name = path };
		struct conf_pos pos = { &file, 1, 1, 1 };
		conf_say(report, CONF_ERROR, &pos, NULL, "cannot be read: %s", err_text(rc));
	}
	buf_free(&b);
	return rc;
}

bool conf_is_null(const struct conf_node *n)
{
	return n->kind == CONF_SCALAR && !n->quoted && (!*n->text || strcmp(n->text, "null") == 0 || strcmp(n->text, "~") == 0);
}

struct conf_node *conf_child(const struct conf_node *map, const char *key)
{
	if (!map || map->kind != CONF_MAP)
		return NULL;
	for (struct conf_node *n = map->first; n; n = n->next)
		if (strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

struct conf_node *conf_at(const struct conf_node *root, const char *const *path, size_t n)
{
	struct conf_node *found = NULL;
	for (size_t i = 0; i < n; i++) {
		found = conf_child(root, path[i]);
		root = found;
	}
	return found;
}
