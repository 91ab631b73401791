/* Validation in one pass over the text: a recursive descent that reads with ocpp/lex and looks each value up in the dictionary's tables.
 *
 * Every function that checks returns false to stop: at the first fault, or, where the caller wants to hear of all faults, only where the
 * text cannot be read any further. Where we are is a chain of places on the stack, which becomes a path only when there is a fault.
 *
 * Easy to get wrong: lengths count Unicode code points. A name or word may be written with escapes and is still that name. 1.0 is an
 * integer to JSON schema. A limit of 16.1 is a multiple of 0.1 although no double is: that is decided on the digits, and only long
 * fractions by arithmetic with a tolerance, since some peers print what they computed in full, as 16.099999999999998. */
#include "ocpp/validate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ocpp/dictionary-tables.h"
#include "ocpp/format.h"
#include "ocpp/lex.h"

struct place {
	const struct place *up;
	struct slice name;         /* of a field, as it is written; absent: an element of a list */
	size_t index;
	const struct shape *shape; /* and field: as in the verdict */
	int field;
};

struct check {
	struct lex lex;
	enum ocpp_version version;
	const struct validate_how *how;
	struct verdict *first;
};

/* 1.6 misspells two codes for good (1.6-J errata, 5.1 and 5.2). Something required that is missing makes the payload "incomplete" in 1.6,
 * which is its ProtocolError; 2.x counts it as cardinality. */
#define FORMATION "FormationViolation", "FormatViolation"
#define OCCURRENCE "OccurenceConstraintViolation", "OccurrenceConstraintViolation"
#define MISSING "ProtocolError", "OccurrenceConstraintViolation"
#define TYPE "TypeConstraintViolation", "TypeConstraintViolation"
#define PROPERTY "PropertyConstraintViolation", "PropertyConstraintViolation"

static const struct {
	const char *text, *code_16, *code_2x;
} rules[RULES] = {
	[RULE_NONE] = { "", NULL, NULL },
	[RULE_SYNTAX] = { "syntax", FORMATION },
	[RULE_UTF8] = { "utf-8", FORMATION },
	[RULE_DEPTH] = { "depth", FORMATION },
	[RULE_DUPLICATE_KEY] = { "duplicate-key", FORMATION },
	[RULE_UNKNOWN_FIELD] = { "unknown-field", FORMATION },
	[RULE_REQUIRED] = { "required", MISSING },
	[RULE_EMPTY] = { "empty-or-null", OCCURRENCE },
	[RULE_TYPE] = { "type", TYPE },
	[RULE_MAX_LENGTH] = { "max-length", PROPERTY },
	[RULE_ENUM] = { "enum", PROPERTY },
	[RULE_MINIMUM] = { "minimum", PROPERTY },
	[RULE_MAXIMUM] = { "maximum", PROPERTY },
	[RULE_MULTIPLE_OF] = { "multiple-of", PROPERTY },
	[RULE_NUMBER_RANGE] = { "number-range", PROPERTY },
	[RULE_MIN_ITEMS] = { "min-items", OCCURRENCE },
	[RULE_MAX_ITEMS] = { "max-items", OCCURRENCE },
	[RULE_DATE_TIME] = { "date-time", PROPERTY },
	[RULE_URI] = { "uri", PROPERTY },
};

const char *rule_text(enum rule r)
{
	return rules[r].text;
}

const char *rule_error_code(enum rule r, enum ocpp_version v)
{
	return v == OCPP16 ? rules[r].code_16 : rules[r].code_2x;
}

/* ---- faults */

static bool plain_name(struct slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return false;
	}
	return name.n > 0;
}

static size_t write_path(const struct place *at, char *out, size_t room)
{
	if (!at->up)
		return (size_t)snprintf(out, room, "$");
	size_t n = write_path(at->up, out, room);
	if (n >= room)
		return n;
	if (!at->name.p)
		return n + (size_t)snprintf(out + n, room - n, "[%zu]", at->index);
	return n + (size_t)snprintf(out + n, room - n, plain_name(at->name) ? ".%.*s" : "[\"%.*s\"]", SLICE_ARG(at->name));
}

/* Names come from the peer: a path that was cut inside a character, or holds bytes that are none, is made printable. */
static void mend_path(char path[VERDICT_PATH])
{
	size_t n = strlen(path);
	for (size_t cut = 0; cut < 3 && n == VERDICT_PATH - 1 - cut && !utf8_valid((struct slice){ path, n }); cut++)
		path[--n] = 0;
	if (utf8_valid((struct slice){ path, n }))
		return;
	for (char *p = path; *p; p++)
		*p = *p & 0x80 ? '?' : *p;
}

/* Reports a fault. False where the reading ends. */
static bool fault(struct check *c, const struct place *at, enum rule rule, struct slice value)
{
	struct verdict v = { .rule = rule, .code = rule_error_code(rule, c->version), .at = value, .shape = at->shape, .field = at->field };
	write_path(at, v.path, sizeof(v.path));
	mend_path(v.path);
	if (c->first->ok)
		*c->first = v;
	if (c->how->on_fault)
		c->how->on_fault(c->how->arg, &v);
	return c->how->on_fault && rule != RULE_SYNTAX && rule != RULE_DEPTH;
}

/* The text cannot be read on. */
static bool unreadable(struct check *c, const struct place *at)
{
	const struct lex *s = &c->lex;
	return fault(c, at, s->too_deep ? RULE_DEPTH : RULE_SYNTAX, (struct slice){ s->p, s->p < s->end });
}

static struct slice since(const struct check *c, const char *start)
{
	return (struct slice){ start, (size_t)(c->lex.p - start) };
}

/* ---- values against their types */

/* A value of which nothing is asked but that it is JSON, and text. */
static bool check_any(struct check *c, const struct place *at)
{
	const char *start = c->lex.p;
	c->lex.garbled = false;
	if (!lex_skip(&c->lex))
		return unreadable(c, at);
	return !c->lex.garbled || fault(c, at, RULE_UTF8, since(c, start));
}

static bool wrong(struct check *c, const struct place *at, enum rule rule)
{
	const char *start = c->lex.p;
	return check_any(c, at) && fault(c, at, rule, since(c, start));
}

static bool one_of(const struct words *w, struct slice word)
{
	for (size_t i = 0; i < w->count; i++) {
		struct slice candidate = dictionary_slice(dictionary_words[w->first + i]);
		if (candidate.n == word.n && memcmp(candidate.p, word.p, word.n) == 0)
			return true;
	}
	return false;
}

static bool is_time(const struct check *c, struct slice text)
{
	int64_t us;
	return format_time(text) || (c->how->lenient && time_parse(text, &us) == 0);
}

static enum rule text_fault(const struct check *c, const struct type *t, const struct lex_text *text)
{
	char room[LEX_PLAIN];
	unsigned most = c->how->lenient ? t->text_max_lenient : t->text_max;
	if (text->garbled)
		return RULE_UTF8;
	if (most && text->points > most)
		return RULE_MAX_LENGTH;
	switch (t->kind) {
	case FIELD_WORD:
		return one_of(&dictionary_enums[t->ref], lex_plain(text, room)) ? RULE_NONE : RULE_ENUM;
	case FIELD_TIME:
		return is_time(c, lex_plain(text, room)) ? RULE_NONE : RULE_DATE_TIME;
	case FIELD_URI:
		return format_uri(lex_plain(text, room)) ? RULE_NONE : RULE_URI;
	default:
		return RULE_NONE;
	}
}

static bool check_text(struct check *c, const struct place *at, const struct type *t)
{
	struct lex_text text;
	if (*c->lex.p != '"')
		return wrong(c, at, RULE_TYPE);
	if (!lex_text(&c->lex, &text))
		return unreadable(c, at);
	enum rule rule = text_fault(c, t, &text);
	return rule == RULE_NONE || fault(c, at, rule, text.raw);
}

/* How far from a tenth a number may be, in tenths, that was computed in double or in single precision and printed in full. */
#define DOUBLE 1e-6
#define SINGLE 1e-3

/* Whether neither range nor spelling can matter. */
static bool is_ordinary(const struct lex_number *n, const struct type *t)
{
	return !t->flags && !n->exponent && n->whole.n <= 9 && (!n->fraction.n || t->kind == FIELD_DECIMAL);
}

static enum rule number_fault(const struct check *c, const struct type *t, const struct lex_number *n)
{
	if (is_ordinary(n, t))
		return RULE_NONE;
	if (t->kind == FIELD_INT && !lex_is_integer(n))
		return RULE_TYPE;
	double v = lex_value(n);
	bool narrow = t->kind == FIELD_INT && c->version != OCPP16 && !c->how->lenient;
	if (isinf(v) || (narrow && (v > INT32_MAX || v < INT32_MIN)))
		return RULE_NUMBER_RANGE;
	if ((t->flags & TYPE_MIN) && v < t->min)
		return RULE_MINIMUM;
	if ((t->flags & TYPE_MAX) && v > t->max)
		return RULE_MAXIMUM;
	return (t->flags & TYPE_TENTHS) && !lex_is_tenths(n, c->how->lenient ? SINGLE : DOUBLE) ? RULE_MULTIPLE_OF : RULE_NONE;
}

static bool check_number(struct check *c, const struct place *at, const struct type *t)
{
	struct lex_number n;
	if (*c->lex.p != '-' && !(*c->lex.p >= '0' && *c->lex.p <= '9'))
		return wrong(c, at, RULE_TYPE);
	if (!lex_number(&c->lex, &n))
		return unreadable(c, at);
	enum rule rule = number_fault(c, t, &n);
	return rule == RULE_NONE || fault(c, at, rule, n.raw);
}

static bool check_object(struct check *c, const struct place *at, const struct shape *shape);

static bool check_element(struct check *c, const struct place *at, const struct type *t)
{
	char first = lex_peek(&c->lex);
	switch (first ? t->kind : FIELD_ANY) {
	case FIELD_ANY:
		return check_any(c, at);
	case FIELD_BOOL:
		return first == 't' || first == 'f' ? check_any(c, at) : wrong(c, at, RULE_TYPE);
	case FIELD_INT:
	case FIELD_DECIMAL:
		return check_number(c, at, t);
	case FIELD_SHAPE:
		return first == '{' ? check_object(c, at, &dictionary_shapes[t->ref]) : wrong(c, at, RULE_TYPE);
	default:
		return check_text(c, at, t);
	}
}

static bool check_list(struct check *c, const struct place *at, const struct field *f)
{
	const struct type *t = &dictionary_types[f->type];
	struct place element = { .up = at, .shape = at->shape, .field = at->field };
	const char *start = c->lex.p;
	if (*start != '[')
		return wrong(c, at, RULE_TYPE);
	enum lex_step step = lex_open(&c->lex, ']');
	for (; step == LEX_MORE; element.index++) {
		if (!check_element(c, &element, t))
			return false;
		step = lex_next(&c->lex, ']');
	}
	if (step == LEX_STOP)
		return unreadable(c, at);
	if (element.index < f->list_min)
		return fault(c, at, RULE_MIN_ITEMS, since(c, start));
	return !f->list_max || element.index <= f->list_max || fault(c, at, RULE_MAX_ITEMS, since(c, start));
}

/* Whether the object that begins here has nothing in it. */
static bool is_empty_object(const struct check *c)
{
	struct lex look = c->lex;
	look.p++;
	return lex_peek(&look) == '}';
}

/* An optional field that says nothing: null; in 2.x also {} where the shape would allow it. */
static bool says_nothing(const struct check *c, const struct field *f, char first)
{
	const struct type *t = &dictionary_types[f->type];
	if ((f->flags & FIELD_REQUIRED) || t->kind == FIELD_ANY)
		return false;
	if (first == '{' && t->kind == FIELD_SHAPE && !(f->flags & FIELD_LIST) && c->version != OCPP16)
		return !dictionary_shapes[t->ref].required && is_empty_object(c);
	return first == 'n';
}

static bool check_field(struct check *c, const struct place *at, const struct field *f)
{
	char first = lex_peek(&c->lex);
	if (says_nothing(c, f, first))
		return c->how->lenient ? check_any(c, at) : wrong(c, at, c->version == OCPP16 ? RULE_TYPE : RULE_EMPTY);
	return first && (f->flags & FIELD_LIST) ? check_list(c, at, f) : check_element(c, at, &dictionary_types[f->type]);
}

/* ---- objects */

/* The field of this name, or -1. Messages tend to keep the standard's order, so the search starts behind the last one found. */
static int find_field(const struct shape *shape, struct slice name, int from)
{
	const struct field *f = &dictionary_fields[shape->first];
	for (int k = 0, i = from; k < shape->count; k++, i++) {
		if (i >= shape->count)
			i = 0;
		struct slice candidate = dictionary_slice(f[i].name);
		if (candidate.n == name.n && memcmp(candidate.p, name.p, name.n) == 0)
			return i;
	}
	return -1;
}

static bool check_missing(struct check *c, const struct place *at, const struct shape *shape, uint64_t seen)
{
	uint64_t missing = shape->required & ~seen;
	for (int i = 0; missing; i++, missing >>= 1) {
		struct place field = { .up = at, .shape = shape, .field = i };
		if (!(missing & 1))
			continue;
		field.name = dictionary_slice(dictionary_fields[shape->first + i].name);
		if (!fault(c, &field, RULE_REQUIRED, (struct slice){ NULL, 0 }))
			return false;
	}
	return true;
}

/* "name": value. *last is the field found before. */
static bool check_member(struct check *c, const struct place *at, const struct shape *shape, uint64_t *seen, int *last)
{
	struct lex_text key;
	char room[LEX_PLAIN];
	if (!lex_key(&c->lex, &key))
		return unreadable(c, at);
	if (key.garbled && !fault(c, at, RULE_UTF8, key.raw))
		return false;
	int i = find_field(shape, lex_plain(&key, room), *last + 1);
	struct place field = { .up = at, .name = key.raw, .shape = shape, .field = i };
	if (i < 0)
		return (shape->open || fault(c, &field, RULE_UNKNOWN_FIELD, key.raw)) && check_any(c, &field);
	uint64_t bit = UINT64_C(1) << i;
	if (*seen & bit)
		return fault(c, &field, RULE_DUPLICATE_KEY, key.raw) && check_any(c, &field);
	*seen |= bit;
	*last = i;
	return check_field(c, &field, &dictionary_fields[shape->first + i]);
}

static bool check_object(struct check *c, const struct place *at, const struct shape *shape)
{
	uint64_t seen = 0;
	int last = -1;
	enum lex_step step = lex_open(&c->lex, '}');
	while (step == LEX_MORE) {
		if (!check_member(c, at, shape, &seen, &last))
			return false;
		step = lex_next(&c->lex, '}');
	}
	return step == LEX_CLOSED ? check_missing(c, at, shape, seen) : unreadable(c, at);
}

static bool check_payload(struct check *c, const struct shape *shape)
{
	struct place top = { .field = -1 };
	char first = lex_peek(&c->lex);
	bool ok;
	if (first == '{')
		ok = check_object(c, &top, shape);
	else if (first == 'n' && !shape->required && (c->version == OCPP16 || c->how->lenient))
		ok = check_any(c, &top);
	else
		ok = wrong(c, &top, RULE_TYPE);
	if (!ok)
		return false;
	lex_peek(&c->lex);
	return c->lex.p == c->lex.end || unreadable(c, &top);
}

int validate_with(const struct shape *shape, struct slice payload, enum ocpp_version v, const struct validate_how *how, struct verdict *out)
{
	struct check c = { .lex = { .p = payload.p, .end = payload.p + payload.n }, .version = v, .how = how, .first = out };
	out->ok = true;
	out->rule = RULE_NONE;
	out->code = NULL;
	out->path[0] = 0; /* the rest of the room is left alone: clearing it costs more than a Heartbeat */
	out->at = (struct slice){ NULL, 0 };
	out->shape = NULL;
	out->field = -1;
	check_payload(&c, shape);
	if (out->ok)
		return 0;
	return out->rule == RULE_SYNTAX || out->rule == RULE_DEPTH ? ERR_SYNTAX : ERR_INVALID;
}

int validate(const struct shape *shape, struct slice payload, enum ocpp_version v, struct verdict *out)
{
	static const struct validate_how strict = { .lenient = false };
	return validate_with(shape, payload, v, &strict, out);
}
