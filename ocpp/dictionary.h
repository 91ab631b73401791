/* What the messages of each OCPP version look like: their fields, types, bounds and words. The facts stand in ocpp16.dict, ocpp201.dict and
 * ocpp21.dict, which dictc.c compiles into constant tables when the program is built. Everything returned lives for ever; any thread. */
#ifndef AMPGATE_OCPP_DICTIONARY_H
#define AMPGATE_OCPP_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>

#include "ocpp/version.h"

struct shape; /* an object: a message's payload, or what a field of one holds */
struct words; /* an enumeration */

enum field_kind { FIELD_ANY, FIELD_TEXT, FIELD_TIME, FIELD_URI, FIELD_BOOL, FIELD_INT, FIELD_DECIMAL, FIELD_WORD, FIELD_SHAPE, FIELD_KINDS };

struct field_info {
	const char *name;
	enum field_kind kind;         /* of the element, where the field is a list */
	bool required;
	bool list;
	unsigned list_min, list_max;  /* number of elements; list_max 0: no bound */
	unsigned text_max;            /* in Unicode code points; 0: no bound */
	unsigned text_max_lenient;    /* what is let pass in lenient reading; text_max where nothing else is known */
	bool has_min, has_max;        /* FIELD_INT and FIELD_DECIMAL; inclusive */
	int min, max;
	bool tenths;                  /* a multiple of 0.1 */
	const struct shape *shape;    /* FIELD_SHAPE */
	const struct words *words;    /* FIELD_WORD */
};

/* The payload of a CALL or SEND, or of its answer. NULL: this version has no such action, or it is never answered. Case-sensitive. */
const struct shape *dictionary_shape(enum ocpp_version v, const char *action, bool response);

/* The names of a version's actions in alphabetical order, NULL behind the last. */
const char *dictionary_action(enum ocpp_version v, size_t i);

const char *dictionary_shape_name(const struct shape *s); /* "AuthorizeRequest", "IdTagInfo" */
bool dictionary_shape_open(const struct shape *s);        /* may hold fields that are not named (customData) */
size_t dictionary_field_count(const struct shape *s);
void dictionary_field(const struct shape *s, size_t i, struct field_info *out); /* i < dictionary_field_count(s) */
bool dictionary_field_find(const struct shape *s, struct slice name, struct field_info *out);

const char *dictionary_words_name(const struct words *w);
const char *dictionary_word(const struct words *w, size_t i); /* NULL behind the last */
const char *dictionary_kind_text(enum field_kind k);          /* as in the dictionary text: "text", "int", ... */

/* How much there is, for the benches and the coverage page. */
struct dictionary_size {
	size_t bytes, shapes, fields, types, enums, words;
};
struct dictionary_size dictionary_size(void);

#endif
