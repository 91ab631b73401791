/* The layout of the compiled dictionary, between dictc.c, which writes the tables, and dictionary.c and validate.c, which read them. Nobody
 * else includes this.
 *
 * Everything is an index into one of six arrays, so that the tables need no relocation, are shared by all processes, and stay below a
 * hundred kilobytes. A text is an offset into dictionary_text; the byte before it is its length, and a NUL follows. Shapes, types and word
 * lists that are equal in several versions stand there once. */
#ifndef AMPGATE_OCPP_DICTIONARY_TABLES_H
#define AMPGATE_OCPP_DICTIONARY_TABLES_H

#include <stdint.h>

#include "ocpp/dictionary.h"

#define SHAPE_FIELDS_MOST 64 /* validation remembers in one word which fields it has seen */

struct shape {
	uint16_t name, first;     /* text; dictionary_fields[first ...] */
	uint8_t count, open;
	uint16_t padding;
	uint64_t required;        /* bit i: dictionary_fields[first + i] has to be there */
};

struct field {
	uint16_t name, type;      /* text; dictionary_types[type] */
	uint16_t list_max;
	uint8_t list_min, flags;
};
enum { FIELD_REQUIRED = 1, FIELD_LIST = 2 };

struct type {
	uint8_t kind, flags;
	uint16_t ref;             /* FIELD_SHAPE: dictionary_shapes; FIELD_WORD: dictionary_enums */
	uint16_t text_max, text_max_lenient;
	int16_t min, max;
};
enum { TYPE_MIN = 1, TYPE_MAX = 2, TYPE_TENTHS = 4 };

struct words {
	uint16_t name, first, count; /* text; dictionary_words[first ...] holds texts */
};

struct message {
	uint16_t name, request, response; /* text; dictionary_shapes; NO_SHAPE */
};
#define NO_SHAPE 0xffff

extern const char dictionary_text[];
extern const struct shape dictionary_shapes[];
extern const struct field dictionary_fields[];
extern const struct type dictionary_types[];
extern const struct words dictionary_enums[];
extern const uint16_t dictionary_words[];
extern const struct message *const dictionary_messages[OCPP_VERSIONS]; /* sorted by name */
extern const uint16_t dictionary_message_count[OCPP_VERSIONS];
extern const struct dictionary_size dictionary_sizes;

static inline struct slice dictionary_slice(uint16_t text)
{
	return (struct slice){ dictionary_text + text, (unsigned char)dictionary_text[text - 1] };
}

#endif
