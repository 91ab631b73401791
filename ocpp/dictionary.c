/* Reading the compiled dictionary. The tables are written by dictc.c into dictionary-tables.c of the build directory. */
#include "ocpp/dictionary.h"

#include <string.h>

#include "ocpp/dictionary-tables.h"

static const char *text_at(uint16_t text)
{
	return dictionary_text + text;
}

const struct shape *dictionary_shape(enum ocpp_version v, const char *action, bool response)
{
	const struct message *m = dictionary_messages[v];
	size_t low = 0, high = dictionary_message_count[v];
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(action, text_at(m[mid].name));
		if (order == 0) {
			uint16_t at = response ? m[mid].response : m[mid].request;
			return at == NO_SHAPE ? NULL : &dictionary_shapes[at];
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const char *dictionary_action(enum ocpp_version v, size_t i)
{
	return i < dictionary_message_count[v] ? text_at(dictionary_messages[v][i].name) : NULL;
}

const char *dictionary_shape_name(const struct shape *s)
{
	return text_at(s->name);
}

bool dictionary_shape_open(const struct shape *s)
{
	return s->open;
}

size_t dictionary_field_count(const struct shape *s)
{
	return s->count;
}

void dictionary_field(const struct shape *s, size_t i, struct field_info *out)
{
	const struct field *f = &dictionary_fields[s->first + i];
	const struct type *t = &dictionary_types[f->type];
	*out = (struct field_info){
		.name = text_at(f->name),
		.kind = (enum field_kind)t->kind,
		.required = f->flags & FIELD_REQUIRED,
		.list = f->flags & FIELD_LIST,
		.list_min = f->list_min,
		.list_max = f->list_max,
		.text_max = t->text_max,
		.text_max_lenient = t->text_max_lenient,
		.has_min = t->flags & TYPE_MIN,
		.has_max = t->flags & TYPE_MAX,
		.min = t->min,
		.max = t->max,
		.tenths = t->flags & TYPE_TENTHS,
		.shape = t->kind == FIELD_SHAPE ? &dictionary_shapes[t->ref] : NULL,
		.words = t->kind == FIELD_WORD ? &dictionary_enums[t->ref] : NULL,
	};
}

bool dictionary_field_find(const struct shape *s, struct slice name, struct field_info *out)
{
	for (size_t i = 0; i < s->count; i++) {
		if (slice_eq(name, dictionary_slice(dictionary_fields[s->first + i].name))) {
			dictionary_field(s, i, out);
			return true;
		}
	}
	return false;
}

const char *dictionary_words_name(const struct words *w)
{
	return text_at(w->name);
}

const char *dictionary_word(const struct words *w, size_t i)
{
	return i < w->count ? text_at(dictionary_words[w->first + i]) : NULL;
}

const char *dictionary_kind_text(enum field_kind k)
{
	static const char *const texts[FIELD_KINDS] = { "any", "text", "time", "uri", "bool", "int", "decimal", "enum", "shape" };
	return texts[k];
}

struct dictionary_size dictionary_size(void)
{
	return dictionary_sizes;
}
