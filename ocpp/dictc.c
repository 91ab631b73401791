/* Compiles the dictionary text (ocpp*.dict) into dictionary-tables.c. Runs while the program is built, on the machine that builds, so it
 * links nothing of ours and takes only the layout from dictionary-tables.h.
 *
 *     dictc ocpp16.dict ocpp201.dict ocpp21.dict > dictionary-tables.c
 *
 * Writing walks from the messages down and puts each shape behind the shapes it refers to. Whatever is equal to something written before
 * is that thing: so versions share shapes without anybody saying which.
 *
 * Easy to get wrong: a shape of 2.0.1 that a changed shape of 2.1 no longer mentions must not be written for 2.1, hence the walk; and a
 * name that is defined in a file but mentioned nowhere is a slip of the pen, hence the check for it. */
#include <stdio.h>

#include "ocpp/dictc.h"

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
	dictc_line = f->line;
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
	dictc_file = v->file;
	for (int i = 0; i < v->n_calls; i++) {
		struct call *c = &v->calls[i];
		struct message m = { put_text(c->name), put_object(v, &c->request, 0), NO_SHAPE };
		if (c->answered)
			m.response = put_object(v, &c->response, 0);
		*APPEND(messages[index], n_messages[index]) = m;
	}
	qsort(messages[index], (size_t)n_messages[index], sizeof(struct message), by_name);
	for (int i = 0; i < v->n_objects; i++) {
		dictc_line = v->objects[i].line;
		if (v->objects[i].ours && !v->objects[i].used)
			fail("shape %s is used nowhere", v->objects[i].name);
	}
	for (int i = 0; i < v->n_enums; i++) {
		dictc_line = v->enums[i].line;
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
