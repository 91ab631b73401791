/* Reading a dictionary text; the notation is explained in ocpp16.dict. A line is a row of words: what stands at the left margin starts
 * something, and the indented lines behind it belong to it. Every mistake ends the program with file and line.
 *
 * A version that is based on another starts as its copy, which `change` then edits. What the copy brought is not `ours`, so nobody minds
 * when a change leaves some of it without use. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "ocpp/dictc.h"

const char *dictc_file;
int dictc_line;

void fail(const char *fmt, ...)
{
	va_list ap;
	fprintf(stderr, "%s:%d: ", dictc_file, dictc_line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *grow(void *p, int count, size_t size)
{
	p = realloc(p, (size_t)count * size);
	if (!p)
		fail("out of memory");
	return p;
}

static char *copy(const char *s)
{
	char *c = grow(NULL, (int)strlen(s) + 1, 1);
	return strcpy(c, s);
}

static void *copied(const void *p, int count, size_t size)
{
	return count ? memcpy(grow(NULL, count, size), p, (size_t)count * size) : NULL;
}

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

/* The rest of a field dictc_line; the name has been read. */
static struct spec read_field(char *name)
{
	struct spec f = { .line = dictc_line };
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

struct object *find_object(struct version *v, const char *name)
{
	for (int i = 0; i < v->n_objects; i++)
		if (strcmp(v->objects[i].name, name) == 0)
			return &v->objects[i];
	return NULL;
}

struct enumeration *find_enum(struct version *v, const char *name)
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
		at->object->line = dictc_line;
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
		at->enumeration->line = dictc_line;
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

void read_file(struct version *all, int n, const char *path)
{
	char text[512];
	struct version *v = &all[n];
	struct place at = { 0 };
	FILE *in = fopen(path, "r");
	dictc_file = path;
	dictc_line = 0;
	if (!in)
		fail("cannot be opened");
	v->file = path;
	while (fgets(text, sizeof(text), in)) {
		dictc_line++;
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
