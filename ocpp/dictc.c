/* Compiles the dictionary text (ocpp*.dict; the notation is explained in ocpp16.dict) into dictionary-tables.c. Runs while the program is
 * built, on the machine that builds, so it links nothing of ours and takes only the layout from dictionary-tables.h.
 *
 *     dictc ocpp16.dict ocpp201.dict ocpp21.dict > dictionary-tables.c
 *
 * Two passes. Reading makes one struct version per file; a version that is based on another starts as its copy, which `change` then edits.
 * Writing walks from the messages down and puts each shape behind the shapes it refers to. Whatever is equal to something written before
 * is that thing: so versions share shapes without anybody saying which.
 *
 * Easy to get wrong: a shape of 2.0.1 that a changed shape of 2.1 no longer mentions must not be written for 2.1, hence the walk; and a
 * name that is defined in a file but mentioned nowhere is a slip of the pen, hence the check for it. Memory is never freed. */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocpp/dictionary-tables.h"

/* ---- what the text says */

struct spec { /* a field */
	char *name;
	bool required, list;
	int list_min, list_max;
	struct type type;  /* ref is set when it is written */
	char *refers_to;   /* FIELD_SHAPE or FIELD_WORD once resolved; NULL for the others */
	int line;
};

struct object {
	char *name;
	struct spec *fields;
	int count;
	bool open, ours, used; /* ours: written down in this file, not taken over from another version */
	int line;
};

struct enumeration {
	char *name, **words;
	int count;
	bool ours, used;
	int line;
};

struct call {
	char *name;
	struct object request, response;
	bool answered;
};

struct version {
	const char *file;
	char *label;
	struct call *calls;
	struct object *objects;
	struct enumeration *enums;
	int n_calls, n_objects, n_enums;
	struct spec everywhere; /* name NULL: no such field */
};

static const char *file;
static int line;

static void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *fmt, ...)
{
	va_list ap;
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void *grow(void *p, int count, size_t size)
{
	p = realloc(p, (size_t)count * size);
	if (!p)
		fail("out of memory");
	return p;
}

#define APPEND(array, count) ((array) = grow((array), ++(count), sizeof(*(array))), memset(&(array)[(count) - 1], 0, sizeof(*(array))), &(array)[(count) - 1])

static char *copy(const char *s)
{
	char *c = grow(NULL, (int)strlen(s) + 1, 1);
	return strcpy(c, s);
}

static void *copied(const void *p, int count, size_t size)
{
	return count ? memcpy(grow(NULL, count, size), p, (size_t)count * size) : NULL;
}

/* ---- reading: a line is a row of words */

static char *cursor;

static char *next_word(void)
{
	cursor += strspn(cursor, " \t");
	if (!*cursor)
		return NULL;
	char *word = cursor;
	cursor += strcspn(cursor, " \t");
	if (*cursor)
		*cursor++ = 0;
	return word;
}

static char *must_word(const char *what)
{
	char *w = next_word();
	if (!w)
		fail("%s is missing", what);
	return w;
}

static void must_end(void)
{
	char *w = next_word();
	if (w)
		fail("\"%s\" was not expected", w);
}

static int number(const char *s, const char **end)
{
	char *stop;
	long v = strtol(s, &stop, 10);
	if (stop == s || v < -32768 || v > 65535)
		fail("a number was expected at \"%s\"", s);
	*end = stop;
	return (int)v;
}

static int whole_number(const char *s)
{
	const char *end;
	int v = number(s, &end);
	if (*end)
		fail("\"%s\" is no number", s);
	return v;
}

/* "1..4", "1..", "..4" */
static void range(const char *s, int *low, int *high)
{
	const char *dots = strstr(s, "..");
	if (!dots)
		fail("a range was expected at \"%s\"", s);
	if (dots != s)
		*low = number(s, &s);
	if (s != dots)
		fail("\"%s\" is no range", s);
	if (dots[2])
		*high = whole_number(dots + 2);
}

static void read_bounds(struct type *t, const char *word)
{
	int low = 0, high = 0;
	if (strcmp(word, "step") == 0) {
		if (strcmp(must_word("the step"), "0.1") != 0)
			fail("the only step is 0.1");
		t->flags |= TYPE_TENTHS;
		return;
	}
	if (strncmp(word, ">=", 2) == 0) {
		t->flags |= TYPE_MIN;
		low = whole_number(word + 2);
	} else if (strncmp(word, "<=", 2) == 0) {
		t->flags |= TYPE_MAX;
		high = whole_number(word + 2);
	} else {
		t->flags |= TYPE_MIN | TYPE_MAX;
		range(word, &low, &high);
	}
	t->min = (int16_t)low;
	t->max = (int16_t)high;
}

/* "text", "text..20", "text..20~40", "uri..512" */
static bool read_text(struct type *t, const char *word)
{
	static const char *const names[] = { [FIELD_TEXT] = "text", [FIELD_URI] = "uri" };
	for (int kind = FIELD_TEXT; kind <= FIELD_URI; kind++) {
		size_t n = names[kind] ? strlen(names[kind]) : 0;
		if (!n || strncmp(word, names[kind], n) != 0 || (word[n] && word[n] != '.'))
			continue;
		t->kind = (uint8_t)kind;
		if (strncmp(word + n, "..", 2) == 0) {
			const char *end;
			t->text_max = t->text_max_lenient = (uint16_t)number(word + n + 2, &end);
			if (*end == '~')
				t->text_max_lenient = (uint16_t)whole_number(end + 1);
			else if (*end)
				fail("\"%s\" is no type", word);
		} else if (word[n]) {
			fail("\"%s\" is no type", word);
		}
		return true;
	}
	return false;
}

static void read_type(struct spec *f, char *word)
{
	static const struct {
		const char *name;
		enum field_kind kind;
	} plain[] = { { "any", FIELD_ANY }, { "time", FIELD_TIME }, { "bool", FIELD_BOOL }, { "int", FIELD_INT }, { "decimal", FIELD_DECIMAL } };
	if (read_text(&f->type, word))
		return;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (strcmp(word, plain[i].name) != 0)
			continue;
		f->type.kind = (uint8_t)plain[i].kind;
		while ((plain[i].kind == FIELD_INT || plain[i].kind == FIELD_DECIMAL) && (word = next_word()))
			read_bounds(&f->type, word);
		return;
	}
	if (!isupper((unsigned char)word[0]))
		fail("\"%s\" is no type", word);
	f->refers_to = copy(word);
}

/* The rest of a field line; the name has been read. */
static struct spec read_field(char *name)
{
	struct spec f = { .line = line };
	size_t n = strlen(name);
	f.required = n && name[n - 1] == '!';
	if (f.required)
		name[n - 1] = 0;
	f.name = copy(name);
	char *word = must_word("the type");
	if (strcmp(word, "list") == 0) {
		f.list = true;
		word = must_word("\"of\"");
		if (strcmp(word, "of") != 0) {
			range(word, &f.list_min, &f.list_max);
			word = must_word("\"of\"");
		}
		if (strcmp(word, "of") != 0)
			fail("\"of\" was expected, not \"%s\"", word);
		word = must_word("the type of the elements");
	}
	read_type(&f, word);
	must_end();
	return f;
}

static int field_index(const struct object *o, const char *name)
{
	for (int i = 0; i < o->count; i++)
		if (strcmp(o->fields[i].name, name) == 0)
			return i;
	return -1;
}

/* A field line below `message`, `answer` or `shape`; with `change` it may replace and remove. */
static void field_line(struct object *o, bool change)
{
	char *name = must_word("a field");
	bool remove = strcmp(name, "-") == 0;
	if (remove) {
		int i = field_index(o, must_word("the field to remove"));
		if (!change || i < 0)
			fail("there is no such field to remove");
		must_end();
		memmove(&o->fields[i], &o->fields[i + 1], (size_t)(--o->count - i) * sizeof(o->fields[0]));
		return;
	}
	struct spec f = read_field(name);
	int i = field_index(o, f.name);
	if (i >= 0 && !change)
		fail("%s is there twice", f.name);
	if (i >= 0)
		o->fields[i] = f;
	else
		*APPEND(o->fields, o->count) = f;
}

static void enum_words(struct enumeration *e, bool change)
{
	for (char *word; (word = next_word());) {
		bool remove = change && word[0] == '-';
		int at = -1;
		for (int i = 0; i < e->count; i++)
			if (strcmp(e->words[i], word + remove) == 0)
				at = i;
		if (remove != (at >= 0))
			fail(remove ? "there is no word %s to remove" : "the word %s is there twice", word + remove);
		if (remove)
			memmove(&e->words[at], &e->words[at + 1], (size_t)(--e->count - at) * sizeof(e->words[0]));
		else
			*APPEND(e->words, e->count) = copy(word);
	}
}

static struct call *find_call(struct version *v, const char *name)
{
	for (int i = 0; i < v->n_calls; i++)
		if (strcmp(v->calls[i].name, name) == 0)
			return &v->calls[i];
	return NULL;
}

static struct object *find_object(struct version *v, const char *name)
{
	for (int i = 0; i < v->n_objects; i++)
		if (strcmp(v->objects[i].name, name) == 0)
			return &v->objects[i];
	return NULL;
}

static struct enumeration *find_enum(struct version *v, const char *name)
{
	for (int i = 0; i < v->n_enums; i++)
		if (strcmp(v->enums[i].name, name) == 0)
			return &v->enums[i];
	return NULL;
}

static char *joined(const char *a, const char *b)
{
	char *s = grow(NULL, (int)(strlen(a) + strlen(b)) + 1, 1);
	return strcat(strcpy(s, a), b);
}

static struct object copied_object(const struct object *o)
{
	struct object c = *o;
	c.fields = copied(o->fields, o->count, sizeof(o->fields[0]));
	c.ours = c.used = false;
	return c;
}

static void take_over(struct version *v, const struct version *base)
{
	for (int i = 0; i < base->n_calls; i++) {
		struct call *c = APPEND(v->calls, v->n_calls);
		*c = base->calls[i];
		c->request = copied_object(&base->calls[i].request);
		c->response = copied_object(&base->calls[i].response);
	}
	for (int i = 0; i < base->n_objects; i++)
		*APPEND(v->objects, v->n_objects) = copied_object(&base->objects[i]);
	for (int i = 0; i < base->n_enums; i++) {
		struct enumeration *e = APPEND(v->enums, v->n_enums);
		*e = base->enums[i];
		e->words = copied(e->words, e->count, sizeof(e->words[0]));
		e->ours = e->used = false;
	}
	v->everywhere = base->everywhere;
}

/* Where the indented lines that follow belong. */
struct place {
	struct call *call;
	struct object *object;
	struct enumeration *enumeration;
	bool change;
};

static void start_version(struct version *v, const struct version *all, int n)
{
	v->label = copy(must_word("the version"));
	char *word = next_word();
	if (!word)
		return;
	if (strcmp(word, "based") != 0 || strcmp(must_word("\"on\""), "on") != 0)
		fail("\"based on\" was expected");
	word = must_word("the version it is based on");
	for (int i = 0; i < n; i++)
		if (strcmp(all[i].label, word) == 0) {
			take_over(v, &all[i]);
			return;
		}
	fail("version %s was not read before", word);
}

static void start_call(struct version *v, struct place *at, bool answered)
{
	char *name = must_word("the name of the action");
	at->call = find_call(v, name);
	if (at->change != (at->call != NULL))
		fail(at->change ? "there is no message %s to change" : "message %s is there twice", name);
	if (!at->change) {
		at->call = APPEND(v->calls, v->n_calls);
		at->call->name = copy(name);
		at->call->answered = answered;
		at->call->request.name = joined(name, "Request");
		at->call->response.name = joined(name, "Response");
	}
	at->object = &at->call->request;
}

static void start_object(struct version *v, struct place *at, bool open)
{
	char *name = must_word("the name of the shape");
	at->object = find_object(v, name);
	if (at->change != (at->object != NULL))
		fail(at->change ? "there is no shape %s to change" : "shape %s is there twice", name);
	if (!at->change) {
		at->object = APPEND(v->objects, v->n_objects);
		at->object->name = copy(name);
		at->object->open = open;
		at->object->ours = true;
		at->object->line = line;
	}
}

static void start_enum(struct version *v, struct place *at)
{
	char *name = must_word("the name of the enum");
	size_t n = strlen(name);
	if (name[n - 1] != ':')
		fail("a colon is missing behind %s", name);
	name[n - 1] = 0;
	at->enumeration = find_enum(v, name);
	if (at->change != (at->enumeration != NULL))
		fail(at->change ? "there is no enum %s to change" : "enum %s is there twice", name);
	if (!at->change) {
		at->enumeration = APPEND(v->enums, v->n_enums);
		at->enumeration->name = copy(name);
		at->enumeration->ours = true;
		at->enumeration->line = line;
	}
	enum_words(at->enumeration, at->change);
}

static void every_shape_has(struct version *v)
{
	if (strcmp(must_word("\"shape\""), "shape") != 0 || strcmp(must_word("\"has\""), "has") != 0)
		fail("\"every shape has\" was expected");
	v->everywhere = read_field(must_word("the field"));
}

/* A line at the left margin. */
static void heading(struct version *v, struct place *at, const struct version *all, int n)
{
	char *word = must_word("a word");
	*at = (struct place){ 0 };
	at->change = strcmp(word, "change") == 0;
	if (at->change)
		word = must_word("what to change");
	if (strcmp(word, "version") == 0)
		start_version(v, all, n);
	else if (strcmp(word, "every") == 0)
		every_shape_has(v);
	else if (strcmp(word, "message") == 0)
		start_call(v, at, true);
	else if (strcmp(word, "send") == 0)
		start_call(v, at, false);
	else if (strcmp(word, "shape") == 0)
		start_object(v, at, false);
	else if (strcmp(word, "open") == 0 && strcmp(must_word("\"shape\""), "shape") == 0)
		start_object(v, at, true);
	else if (strcmp(word, "enum") == 0)
		start_enum(v, at);
	else
		fail("\"%s\" starts nothing", word);
	must_end();
}

/* `answer` stays with the message above it, and with its `change`. */
static bool answer_line(struct place *at, const char *text)
{
	if (strncmp(text, "answer", 6) != 0 || text[6 + strspn(text + 6, " \t")])
		return false;
	if (!at->call || !at->call->answered || at->object != &at->call->request)
		fail("an answer to what?");
	at->object = &at->call->response;
	return true;
}

static void read_file(struct version *all, int n, const char *path)
{
	char text[512];
	struct version *v = &all[n];
	struct place at = { 0 };
	FILE *in = fopen(path, "r");
	file = path;
	line = 0;
	if (!in)
		fail("cannot be opened");
	v->file = path;
	while (fgets(text, sizeof(text), in)) {
		line++;
		text[strcspn(text, "#\r\n")] = 0;
		cursor = text;
		if (!text[strspn(text, " \t")] || answer_line(&at, text))
			continue;
		if (text[0] != ' ' && text[0] != '\t')
			heading(v, &at, all, n);
		else if (at.enumeration)
			enum_words(at.enumeration, at.change);
		else if (at.object)
			field_line(at.object, at.change);
		else
			fail("this line belongs to nothing");
	}
	fclose(in);
	if (!v->label)
		fail("the file does not say which version it is");
}

/* ---- writing */

static char *pool;
static int pool_size;
static struct {
	struct shape shape;
	const char *name;
} *shapes;
static struct field *fields;
static struct type *types;
static struct words *enums;
static uint16_t *words;
static struct message *messages[OCPP_VERSIONS];
static int n_shapes, n_fields, n_types, n_enums, n_words, n_messages[OCPP_VERSIONS];

/* The offset of a text in the pool. Texts are few, so looking from the front is quick enough. */
static uint16_t put_text(const char *s)
{
	size_t n = strlen(s);
	if (n > 255)
		fail("\"%s\" is too long", s);
	for (int at = 1; at < pool_size; at += (unsigned char)pool[at - 1] + 2)
		if ((unsigned char)pool[at - 1] == n && memcmp(pool + at, s, n) == 0)
			return (uint16_t)at;
	int at = pool_size + 1;
	pool_size += (int)n + 2;
	if (pool_size > 0xffff)
		fail("more than 64 kB of names");
	pool = grow(pool, pool_size, 1);
	pool[at - 1] = (char)n;
	memcpy(pool + at, s, n + 1);
	return (uint16_t)at;
}

static uint16_t put_enum(const struct enumeration *e)
{
	uint16_t name = put_text(e->name);
	for (int i = 0; i < n_enums; i++) {
		bool same = enums[i].name == name && enums[i].count == e->count;
		for (int k = 0; same && k < e->count; k++)
			same = words[enums[i].first + k] == put_text(e->words[k]);
		if (same)
			return (uint16_t)i;
	}
	*APPEND(enums, n_enums) = (struct words){ name, (uint16_t)n_words, (uint16_t)e->count };
	for (int k = 0; k < e->count; k++)
		*APPEND(words, n_words) = put_text(e->words[k]);
	return (uint16_t)(n_enums - 1);
}

static uint16_t put_type(struct type t)
{
	for (int i = 0; i < n_types; i++)
		if (memcmp(&types[i], &t, sizeof(t)) == 0)
			return (uint16_t)i;
	*APPEND(types, n_types) = t;
	return (uint16_t)(n_types - 1);
}

static uint16_t put_object(struct version *v, struct object *o, int depth);

static struct field put_field(struct version *v, const struct spec *f, int depth)
{
	struct type t = f->type;
	line = f->line;
	if (f->refers_to) {
		struct object *o = find_object(v, f->refers_to);
		struct enumeration *e = find_enum(v, f->refers_to);
		if (!o == !e)
			fail(o ? "%s is a shape and an enum" : "there is no shape or enum %s", f->refers_to);
		t.kind = o ? FIELD_SHAPE : FIELD_WORD;
		t.ref = o ? put_object(v, o, depth + 1) : put_enum(e);
		if (e)
			e->used = true;
	}
	return (struct field){ put_text(f->name), put_type(t), (uint16_t)f->list_max, (uint8_t)f->list_min,
		               (uint8_t)((f->required ? FIELD_REQUIRED : 0) | (f->list ? FIELD_LIST : 0)) };
}

static bool same_shape(const struct shape *a, const struct shape *b, const struct field *fields_of_b)
{
	return a->name == b->name && a->open == b->open && a->count == b->count &&
	       memcmp(&fields[a->first], fields_of_b, b->count * sizeof(struct field)) == 0;
}

static uint16_t put_object(struct version *v, struct object *o, int depth)
{
	struct field row[SHAPE_FIELDS_MOST + 1];
	struct shape s = { .name = put_text(o->name), .open = o->open };
	if (depth > 20)
		fail("%s contains itself", o->name);
	o->used = true;
	memset(row, 0, sizeof(row)); /* compared as bytes */
	for (int i = 0; i < o->count + (v->everywhere.name && !o->open); i++) {
		if (s.count == SHAPE_FIELDS_MOST)
			fail("%s has more than %d fields", o->name, SHAPE_FIELDS_MOST);
		row[s.count] = put_field(v, i < o->count ? &o->fields[i] : &v->everywhere, depth);
		if (row[s.count].flags & FIELD_REQUIRED)
			s.required |= UINT64_C(1) << s.count;
		s.count++;
	}
	for (int i = 0; i < n_shapes; i++)
		if (same_shape(&shapes[i].shape, &s, row))
			return (uint16_t)i;
	s.first = (uint16_t)n_fields;
	for (int i = 0; i < s.count; i++)
		*APPEND(fields, n_fields) = row[i];
	APPEND(shapes, n_shapes)->shape = s;
	shapes[n_shapes - 1].name = o->name;
	return (uint16_t)(n_shapes - 1);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(pool + ((const struct message *)a)->name, pool + ((const struct message *)b)->name);
}

static void put_version(struct version *v, int index)
{
	file = v->file;
	for (int i = 0; i < v->n_calls; i++) {
		struct call *c = &v->calls[i];
		struct message m = { put_text(c->name), put_object(v, &c->request, 0), NO_SHAPE };
		if (c->answered)
			m.response = put_object(v, &c->response, 0);
		*APPEND(messages[index], n_messages[index]) = m;
	}
	qsort(messages[index], (size_t)n_messages[index], sizeof(struct message), by_name);
	for (int i = 0; i < v->n_objects; i++) {
		line = v->objects[i].line;
		if (v->objects[i].ours && !v->objects[i].used)
			fail("shape %s is used nowhere", v->objects[i].name);
	}
	for (int i = 0; i < v->n_enums; i++) {
		line = v->enums[i].line;
		if (v->enums[i].ours && !v->enums[i].used)
			fail("enum %s is used nowhere", v->enums[i].name);
	}
}

static void write_pool(void)
{
	printf("const char dictionary_text[] =");
	for (int at = 1; at < pool_size; at += (unsigned char)pool[at - 1] + 2)
		printf("\n\t\"\\%03o%s\\0\"", (unsigned char)pool[at - 1], pool + at);
	printf(";\n\n");
}

static void write_shapes(void)
{
	printf("const struct shape dictionary_shapes[] = {\n");
	for (int i = 0; i < n_shapes; i++) {
		const struct shape *s = &shapes[i].shape;
		printf("\t{ %d, %d, %d, %d, 0, UINT64_C(0x%llx) }, /* %d %s */\n", s->name, s->first, s->count, s->open,
		       (unsigned long long)s->required, i, shapes[i].name);
	}
	printf("};\n\n");
}

static void write_rows(void)
{
	printf("const struct field dictionary_fields[] = {\n");
	for (int i = 0; i < n_fields; i++)
		printf("\t{ %d, %d, %d, %d, %d }, /* %s */\n", fields[i].name, fields[i].type, fields[i].list_max, fields[i].list_min,
		       fields[i].flags, pool + fields[i].name);
	printf("};\n\nconst struct type dictionary_types[] = {\n");
	for (int i = 0; i < n_types; i++)
		printf("\t{ %d, %d, %d, %d, %d, %d, %d },\n", types[i].kind, types[i].flags, types[i].ref, types[i].text_max,
		       types[i].text_max_lenient, types[i].min, types[i].max);
	printf("};\n\nconst struct words dictionary_enums[] = {\n");
	for (int i = 0; i < n_enums; i++)
		printf("\t{ %d, %d, %d }, /* %s */\n", enums[i].name, enums[i].first, enums[i].count, pool + enums[i].name);
	printf("};\n\nconst uint16_t dictionary_words[] = {");
	for (int i = 0; i < n_words; i++)
		printf("%s%d,", i % 20 ? " " : "\n\t", words[i]);
	printf("\n};\n\n");
}

static void write_messages(void)
{
	for (int v = 0; v < OCPP_VERSIONS; v++) {
		printf("static const struct message messages_%d[] = {\n", v);
		for (int i = 0; i < n_messages[v]; i++)
			printf("\t{ %d, %d, %d }, /* %s */\n", messages[v][i].name, messages[v][i].request, messages[v][i].response,
			       pool + messages[v][i].name);
		printf("};\n\n");
	}
	printf("const struct message *const dictionary_messages[OCPP_VERSIONS] = { messages_0, messages_1, messages_2 };\n");
	printf("const uint16_t dictionary_message_count[OCPP_VERSIONS] = { %d, %d, %d };\n\n", n_messages[0], n_messages[1], n_messages[2]);
	printf("const struct dictionary_size dictionary_sizes = {\n"
	       "\tsizeof(dictionary_text) + sizeof(dictionary_shapes) + sizeof(dictionary_fields) + sizeof(dictionary_types) +\n"
	       "\t\tsizeof(dictionary_enums) + sizeof(dictionary_words) + sizeof(messages_0) + sizeof(messages_1) + sizeof(messages_2),\n"
	       "\t%d, %d, %d, %d, %d\n};\n",
	       n_shapes, n_fields, n_types, n_enums, n_words);
}

int main(int argc, char **argv)
{
	static struct version all[OCPP_VERSIONS];
	if (argc != OCPP_VERSIONS + 1) {
		fprintf(stderr, "usage: dictc ocpp16.dict ocpp201.dict ocpp21.dict\n");
		return 2;
	}
	for (int i = 0; i < OCPP_VERSIONS; i++)
		read_file(all, i, argv[i + 1]);
	for (int i = 0; i < OCPP_VERSIONS; i++)
		put_version(&all[i], i);
	printf("/* Made from ocpp16.dict, ocpp201.dict and ocpp21.dict by dictc.c. */\n#include \"ocpp/dictionary-tables.h\"\n\n");
	write_pool();
	write_shapes();
	write_rows();
	write_messages();
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
