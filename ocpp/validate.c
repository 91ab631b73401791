/* Validation in one pass over the text: a recursive descent that reads JSON and looks each value up in the dictionary's tables.
 *
 * Every function that reads returns false to stop: at the first fault, or, where the caller wants to hear of all faults, only where the
 * text cannot be read any further. Where we are is a chain of places on the stack, which becomes a path only when there is a fault.
 *
 * Easy to get wrong: lengths count Unicode code points, and an escaped pair of surrogates is one of them. A name or word may be written
 * with escapes and is still that name. 1.0 and 1e2 are integers to JSON schema. A limit of 16.1 is a multiple of 0.1 although no double
 * is: multiples are decided on the digits, and only long fractions by arithmetic with a tolerance, since some peers print what they
 * computed in full, as 16.099999999999998 (1.6 schema, multipleOf). */
#include "ocpp/validate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ocpp/dictionary-tables.h"
#include "ocpp/format.h"

struct place {
	const struct place *up;
	struct slice name;         /* of a field, as it is written; absent: an element of a list */
	size_t index;
	const struct shape *shape; /* and field: as in the verdict */
	int field;
};

struct scan {
	const char *p, *end;
	enum ocpp_version version;
	const struct validate_how *how;
	struct verdict *first;
	unsigned depth;
};

const char *rule_text(enum rule r)
{
	static const char *const texts[RULES] = {
		"",         "syntax",  "utf-8",   "depth",       "duplicate-key", "unknown-field", "required",  "empty-or-null", "type", "max-length", "enum",
		"minimum", "maximum", "multiple-of", "number-range",  "min-items",     "max-items", "date-time",     "uri",
	};
	return texts[r];
}

/* The five codes in question; 1.6 misspells two of them for good (1.6-J errata, 5.1 and 5.2). Something required that is missing makes
 * the payload "incomplete" in 1.6, which is its ProtocolError; 2.x counts it as cardinality. */
const char *rule_error_code(enum rule r, enum ocpp_version v)
{
	bool old = v == OCPP16;
	switch (r) {
	case RULE_NONE:
	case RULES:
		return NULL;
	case RULE_REQUIRED:
		return old ? "ProtocolError" : "OccurrenceConstraintViolation";
	case RULE_MIN_ITEMS:
	case RULE_MAX_ITEMS:
	case RULE_EMPTY:
		return old ? "OccurenceConstraintViolation" : "OccurrenceConstraintViolation";
	case RULE_TYPE:
		return "TypeConstraintViolation";
	case RULE_MAX_LENGTH:
	case RULE_ENUM:
	case RULE_MINIMUM:
	case RULE_MAXIMUM:
	case RULE_MULTIPLE_OF:
	case RULE_NUMBER_RANGE:
	case RULE_DATE_TIME:
	case RULE_URI:
		return "PropertyConstraintViolation";
	case RULE_SYNTAX:
	case RULE_UTF8:
	case RULE_DEPTH:
	case RULE_DUPLICATE_KEY:
	case RULE_UNKNOWN_FIELD:
		break;
	}
	return old ? "FormationViolation" : "FormatViolation";
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
static bool fault(struct scan *s, const struct place *at, enum rule rule, struct slice value)
{
	struct verdict v = { .rule = rule, .code = rule_error_code(rule, s->version), .at = value, .shape = at->shape, .field = at->field };
	write_path(at, v.path, sizeof(v.path));
	mend_path(v.path);
	if (s->first->ok)
		*s->first = v;
	if (s->how->on_fault)
		s->how->on_fault(s->how->arg, &v);
	return s->how->on_fault && rule != RULE_SYNTAX && rule != RULE_DEPTH;
}

static bool bad_syntax(struct scan *s, const struct place *at)
{
	return fault(s, at, RULE_SYNTAX, (struct slice){ s->p, s->p < s->end });
}

static struct slice since(const struct scan *s, const char *start)
{
	return (struct slice){ start, (size_t)(s->p - start) };
}

/* ---- JSON */

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/* The next character that counts; 0 at the end. */
static char peek(struct scan *s)
{
	skip_space(s);
	return s->p < s->end ? *s->p : 0;
}

static bool take(struct scan *s, const struct place *at, char c)
{
	if (peek(s) != c || s->p == s->end)
		return bad_syntax(s, at);
	s->p++;
	return true;
}

struct text {
	struct slice raw;  /* between the quotes */
	size_t points;     /* code points it stands for */
	bool escaped;      /* holds escapes */
	bool broken;       /* no Unicode; reported */
};

static int hex4(const char *p, const char *end)
{
	int v = 0;
	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i], low = (char)(c | 0x20);
		int d = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* The code point of the escape at p and its length; 0: no escape. A lone surrogate comes back as itself. */
static size_t read_escape(const char *p, const char *end, unsigned *point_out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	if (end - p < 2 || !p[1])
		return 0;
	const char *name = strchr(names, p[1]);
	if (name) {
		*point_out = (unsigned char)values[name - names];
		return 2;
	}
	int high = p[1] == 'u' ? hex4(p + 2, end) : -1;
	if (high < 0)
		return 0;
	*point_out = (unsigned)high;
	if (high < 0xd800 || high > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return 6;
	int low = hex4(p + 8, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 6;
	*point_out = 0x10000u + (((unsigned)high - 0xd800u) << 10) + ((unsigned)low - 0xdc00u);
	return 12;
}

static bool is_surrogate(unsigned point)
{
	return point >= 0xd800 && point <= 0xdfff;
}

/* Characters at which the quick walk through a string stops. */
static inline bool special(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

static bool read_string(struct scan *s, const struct place *at, struct text *t)
{
	const char *start = ++s->p;
	size_t extra = 0; /* bytes beyond one per code point */
	bool wide = false;
	*t = (struct text){ .raw = { start, 0 } };
	for (;;) {
		while (s->p < s->end && !special((unsigned char)*s->p))
			s->p++;
		unsigned char c = s->p < s->end ? (unsigned char)*s->p : 0;
		if (c == '"')
			break;
		if (c >= 0x80) {
			wide = true;
			extra += (c & 0xc0) == 0x80;
			s->p++;
			continue;
		}
		unsigned point = 0;
		size_t n = c == '\\' ? read_escape(s->p, s->end, &point) : 0;
		if (!n)
			return bad_syntax(s, at);
		t->escaped = true;
		t->broken |= is_surrogate(point);
		extra += n - 1;
		s->p += n;
	}
	t->raw = since(s, start);
	t->points = t->raw.n - extra;
	s->p++;
	t->broken |= wide && !utf8_valid(t->raw);
	return !t->broken || fault(s, at, RULE_UTF8, t->raw);
}

/* The text without escapes: as it stands, or decoded into `room`, which is larger than any name, word or time. Longer ones are cut. */
#define DECODED 512
static struct slice decoded(const struct text *t, char room[DECODED])
{
	if (!t->escaped)
		return t->raw;
	const char *p = t->raw.p, *end = p + t->raw.n;
	size_t n = 0;
	while (p < end && n < DECODED) {
		unsigned point;
		if (*p != '\\') {
			room[n++] = *p++;
			continue;
		}
		p += read_escape(p, end, &point);
		room[n++] = point < 0x80 ? (char)point : '\x7f'; /* nothing we compare with is wider than ASCII */
	}
	return (struct slice){ room, n };
}

struct number {
	struct slice raw, whole, fraction; /* the digits before and behind the point */
	int exponent;
	bool negative;
};

static struct slice read_digits(struct scan *s)
{
	const char *start = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return since(s, start);
}

static bool next_is(const struct scan *s, char a, char b)
{
	return s->p < s->end && (*s->p == a || *s->p == b);
}

/* Far more than a double can hold is all the same, so that no exponent overflows. */
#define EXPONENT_MOST 100000
static int read_exponent(struct scan *s, bool *ok)
{
	bool negative = next_is(s, '-', '-');
	int v = 0;
	if (next_is(s, '+', '-'))
		s->p++;
	struct slice digits = read_digits(s);
	*ok = digits.n > 0;
	for (size_t i = 0; i < digits.n && v < EXPONENT_MOST; i++)
		v = v * 10 + (digits.p[i] - '0');
	return negative ? -v : v;
}

static bool read_number(struct scan *s, const struct place *at, struct number *n)
{
	const char *start = s->p;
	bool ok = true;
	*n = (struct number){ .negative = *s->p == '-' };
	s->p += n->negative;
	n->whole = read_digits(s);
	if (!n->whole.n || (n->whole.n > 1 && n->whole.p[0] == '0'))
		return bad_syntax(s, at);
	if (next_is(s, '.', '.')) {
		s->p++;
		n->fraction = read_digits(s);
		ok = n->fraction.n > 0;
	}
	if (ok && next_is(s, 'e', 'E')) {
		s->p++;
		n->exponent = read_exponent(s, &ok);
	}
	n->raw = since(s, start);
	ok = ok && (s->p == s->end || memchr(",]} \t\r\n", *s->p, 7));
	return ok || bad_syntax(s, at);
}

static bool skip_value(struct scan *s, const struct place *at);

/* Members and elements: `opened` behind the bracket, `another` behind each of them. */
enum step { STOP, MORE, CLOSED };

static enum step closed(struct scan *s)
{
	s->p++;
	s->depth--;
	return CLOSED;
}

static enum step opened(struct scan *s, const struct place *at, char close)
{
	s->p++;
	if (++s->depth > VALIDATE_DEPTH) {
		fault(s, at, RULE_DEPTH, (struct slice){ s->p - 1, 1 });
		return STOP;
	}
	return peek(s) == close ? closed(s) : MORE;
}

static enum step another(struct scan *s, const struct place *at, char close)
{
	char c = peek(s);
	if (c == close)
		return closed(s);
	return take(s, at, ',') ? MORE : STOP;
}

static bool read_key(struct scan *s, const struct place *at, struct text *key)
{
	if (peek(s) != '"')
		return bad_syntax(s, at);
	return read_string(s, at, key) && take(s, at, ':');
}

static bool skip_object(struct scan *s, const struct place *at)
{
	struct text key;
	enum step step = opened(s, at, '}');
	while (step == MORE)
		step = read_key(s, at, &key) && skip_value(s, at) ? another(s, at, '}') : STOP;
	return step == CLOSED;
}

static bool skip_list(struct scan *s, const struct place *at)
{
	enum step step = opened(s, at, ']');
	while (step == MORE)
		step = skip_value(s, at) ? another(s, at, ']') : STOP;
	return step == CLOSED;
}

static bool skip_word(struct scan *s, const struct place *at, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return bad_syntax(s, at);
	s->p += n;
	return true;
}

/* A value about which nothing is known but that it is JSON. */
static bool skip_value(struct scan *s, const struct place *at)
{
	struct text text;
	struct number number;
	switch (peek(s)) {
	case '{':
		return skip_object(s, at);
	case '[':
		return skip_list(s, at);
	case '"':
		return read_string(s, at, &text);
	case 't':
		return skip_word(s, at, "true");
	case 'f':
		return skip_word(s, at, "false");
	case 'n':
		return skip_word(s, at, "null");
	case 0:
		return bad_syntax(s, at);
	default:
		return read_number(s, at, &number);
	}
}

/* ---- values against their types */

static bool wrong(struct scan *s, const struct place *at, enum rule rule)
{
	const char *start = s->p;
	return skip_value(s, at) && fault(s, at, rule, since(s, start));
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

static bool is_time(const struct scan *s, struct slice text)
{
	int64_t us;
	return format_time(text) || (s->how->lenient && time_parse(text, &us) == 0);
}

static enum rule text_fault(const struct scan *s, const struct type *t, const struct text *text)
{
	char room[DECODED];
	unsigned most = s->how->lenient ? t->text_max_lenient : t->text_max;
	if (most && text->points > most)
		return RULE_MAX_LENGTH;
	switch (t->kind) {
	case FIELD_WORD:
		return one_of(&dictionary_enums[t->ref], decoded(text, room)) ? RULE_NONE : RULE_ENUM;
	case FIELD_TIME:
		return is_time(s, decoded(text, room)) ? RULE_NONE : RULE_DATE_TIME;
	case FIELD_URI:
		return format_uri(decoded(text, room)) ? RULE_NONE : RULE_URI;
	default:
		return RULE_NONE;
	}
}

static bool check_text(struct scan *s, const struct place *at, const struct type *t)
{
	struct text text;
	if (*s->p != '"')
		return wrong(s, at, RULE_TYPE);
	if (!read_string(s, at, &text))
		return false;
	if (text.broken)
		return true; /* reported; its length says nothing */
	enum rule rule = text_fault(s, t, &text);
	return rule == RULE_NONE || fault(s, at, rule, text.raw);
}

/* The nearest double, or close to it; infinite where there is none. Locale plays no part. */
static double number_value(const struct number *n)
{
	uint64_t digits = 0;
	int exponent = n->exponent;
	for (size_t i = 0; i < n->whole.n + n->fraction.n; i++) {
		char c = i < n->whole.n ? n->whole.p[i] : n->fraction.p[i - n->whole.n];
		bool room = digits < UINT64_C(1000000000000000000);
		if (room)
			digits = digits * 10 + (unsigned)(c - '0');
		if (exponent < EXPONENT_MOST && exponent > -EXPONENT_MOST)
			exponent += (i < n->whole.n ? !room : -room);
	}
	if (!digits)
		return 0;
	double v = exponent >= 0 ? (double)digits * pow(10, exponent) : (double)digits / pow(10, -exponent);
	return n->negative ? -v : v;
}

/* Whether nothing but zeros is left behind the point. */
static bool is_integer(const struct number *n)
{
	long places = (long)n->fraction.n - n->exponent, zeros = 0;
	for (size_t i = n->fraction.n; i > 0 && n->fraction.p[i - 1] == '0'; i--)
		zeros++;
	if ((size_t)zeros == n->fraction.n) {
		size_t i = n->whole.n;
		for (; i > 0 && n->whole.p[i - 1] == '0'; i--)
			zeros++;
		if (i == 0)
			return true;
	}
	return places <= zeros;
}

/* Whether neither range nor spelling can matter. */
static bool is_ordinary(const struct number *n, const struct type *t)
{
	return !t->flags && !n->exponent && n->whole.n <= 9 && (!n->fraction.n || t->kind == FIELD_DECIMAL);
}

/* How far from a tenth a number may be, in tenths, that was computed in double or in single precision and printed in full. */
#define DOUBLE 1e-6
#define SINGLE 1e-3

static bool is_tenths(const struct number *n, double tolerance)
{
	if (!n->exponent && n->fraction.n <= 1)
		return true;
	double tenths = number_value(n) * 10;
	return fabs(tenths - round(tenths)) < tolerance;
}

static enum rule number_fault(const struct scan *s, const struct type *t, const struct number *n)
{
	if (is_ordinary(n, t))
		return RULE_NONE;
	if (t->kind == FIELD_INT && !is_integer(n))
		return RULE_TYPE;
	double v = number_value(n);
	bool narrow = t->kind == FIELD_INT && s->version != OCPP16;
	if (isinf(v) || (narrow && (v > INT32_MAX || v < INT32_MIN)))
		return RULE_NUMBER_RANGE;
	if ((t->flags & TYPE_MIN) && v < t->min)
		return RULE_MINIMUM;
	if ((t->flags & TYPE_MAX) && v > t->max)
		return RULE_MAXIMUM;
	return (t->flags & TYPE_TENTHS) && !is_tenths(n, s->how->lenient ? SINGLE : DOUBLE) ? RULE_MULTIPLE_OF : RULE_NONE;
}

static bool check_number(struct scan *s, const struct place *at, const struct type *t)
{
	struct number n;
	if (*s->p != '-' && !(*s->p >= '0' && *s->p <= '9'))
		return wrong(s, at, RULE_TYPE);
	if (!read_number(s, at, &n))
		return false;
	enum rule rule = number_fault(s, t, &n);
	return rule == RULE_NONE || fault(s, at, rule, n.raw);
}

static bool check_object(struct scan *s, const struct place *at, const struct shape *shape);

static bool check_element(struct scan *s, const struct place *at, const struct type *t)
{
	switch (t->kind) {
	case FIELD_ANY:
		return skip_value(s, at);
	case FIELD_BOOL:
		return *s->p == 't' || *s->p == 'f' ? skip_value(s, at) : wrong(s, at, RULE_TYPE);
	case FIELD_INT:
	case FIELD_DECIMAL:
		return check_number(s, at, t);
	case FIELD_SHAPE:
		return *s->p == '{' ? check_object(s, at, &dictionary_shapes[t->ref]) : wrong(s, at, RULE_TYPE);
	default:
		return check_text(s, at, t);
	}
}

static bool check_list(struct scan *s, const struct place *at, const struct field *f)
{
	const struct type *t = &dictionary_types[f->type];
	struct place element = { .up = at, .shape = at->shape, .field = at->field };
	const char *start = s->p;
	if (*s->p != '[')
		return wrong(s, at, RULE_TYPE);
	enum step step = opened(s, at, ']');
	for (; step == MORE; element.index++)
		step = peek(s) && check_element(s, &element, t) ? another(s, at, ']') : STOP;
	if (step == STOP)
		return s->p < s->end ? false : bad_syntax(s, at);
	if (element.index < f->list_min)
		return fault(s, at, RULE_MIN_ITEMS, since(s, start));
	return !f->list_max || element.index <= f->list_max || fault(s, at, RULE_MAX_ITEMS, since(s, start));
}

/* Whether the object at s->p has nothing in it. */
static bool is_empty_object(const struct scan *s)
{
	struct scan look = *s;
	look.p++;
	return peek(&look) == '}';
}

static bool check_field(struct scan *s, const struct place *at, const struct field *f)
{
	const struct type *t = &dictionary_types[f->type];
	bool optional = !(f->flags & FIELD_REQUIRED);
	char c = peek(s);
	if (!c)
		return bad_syntax(s, at);
	if (c == 'n' && optional && t->kind != FIELD_ANY) {
		if (s->how->lenient)
			return skip_value(s, at);
		return wrong(s, at, s->version == OCPP16 ? RULE_TYPE : RULE_EMPTY);
	}
	if (f->flags & FIELD_LIST)
		return check_list(s, at, f);
	if (c == '{' && optional && t->kind == FIELD_SHAPE && s->version != OCPP16 && !dictionary_shapes[t->ref].required && is_empty_object(s))
		return s->how->lenient ? skip_value(s, at) : wrong(s, at, RULE_EMPTY);
	return check_element(s, at, t);
}

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

static bool check_missing(struct scan *s, const struct place *at, const struct shape *shape, uint64_t seen)
{
	uint64_t missing = shape->required & ~seen;
	for (int i = 0; missing; i++, missing >>= 1) {
		struct place field = { .up = at, .shape = shape, .field = i };
		if (!(missing & 1))
			continue;
		field.name = dictionary_slice(dictionary_fields[shape->first + i].name);
		if (!fault(s, &field, RULE_REQUIRED, (struct slice){ NULL, 0 }))
			return false;
	}
	return true;
}

/* "name": value. *last is the field found before. */
static bool check_member(struct scan *s, const struct place *at, const struct shape *shape, uint64_t *seen, int *last)
{
	struct text key;
	char room[DECODED];
	if (!read_key(s, at, &key))
		return false;
	int i = find_field(shape, decoded(&key, room), *last + 1);
	struct place field = { .up = at, .name = key.raw, .shape = shape, .field = i };
	if (i < 0)
		return (shape->open || fault(s, &field, RULE_UNKNOWN_FIELD, key.raw)) && skip_value(s, &field);
	uint64_t bit = UINT64_C(1) << i;
	if (*seen & bit)
		return fault(s, &field, RULE_DUPLICATE_KEY, key.raw) && skip_value(s, &field);
	*seen |= bit;
	*last = i;
	return check_field(s, &field, &dictionary_fields[shape->first + i]);
}

static bool check_object(struct scan *s, const struct place *at, const struct shape *shape)
{
	uint64_t seen = 0;
	int last = -1;
	enum step step = opened(s, at, '}');
	while (step == MORE)
		step = check_member(s, at, shape, &seen, &last) ? another(s, at, '}') : STOP;
	return step == CLOSED && check_missing(s, at, shape, seen);
}

static bool check_payload(struct scan *s, const struct shape *shape)
{
	struct place top = { .field = -1 };
	char c = peek(s);
	bool ok;
	if (c == 'n' && !shape->required && (s->version == OCPP16 || s->how->lenient))
		ok = skip_value(s, &top);
	else
		ok = c == '{' ? check_object(s, &top, shape) : wrong(s, &top, RULE_TYPE);
	return ok && (!peek(s) && s->p == s->end ? true : bad_syntax(s, &top));
}

int validate_with(const struct shape *shape, struct slice payload, enum ocpp_version v, const struct validate_how *how, struct verdict *out)
{
	struct scan s = { .p = payload.p, .end = payload.p + payload.n, .version = v, .how = how, .first = out };
	out->ok = true;
	out->rule = RULE_NONE;
	out->code = NULL;
	out->path[0] = 0; /* the rest of the room is left alone: clearing it costs more than a Heartbeat */
	out->at = (struct slice){ NULL, 0 };
	out->shape = NULL;
	out->field = -1;
	check_payload(&s, shape);
	if (out->ok)
		return 0;
	return out->rule == RULE_SYNTAX || out->rule == RULE_DEPTH ? ERR_SYNTAX : ERR_INVALID;
}

int validate(const struct shape *shape, struct slice payload, enum ocpp_version v, struct verdict *out)
{
	static const struct validate_how strict = { .lenient = false };
	return validate_with(shape, payload, v, &strict, out);
}
