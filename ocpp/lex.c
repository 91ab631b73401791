/* A small recursive reader of JSON text (RFC 8259), strict: no comments, no trailing commas, no bare control characters.
 *
 * Easy to get wrong: an escaped pair of surrogates is one code point, and half of one is none. The text is a window, so no function of
 * libc that stops at a NUL may look at it; numbers are made of their digits here, which also keeps the locale out. */
#include "ocpp/lex.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static struct slice since(const struct lex *s, const char *start)
{
	return (struct slice){ start, (size_t)(s->p - start) };
}

char lex_peek(struct lex *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
	return s->p < s->end ? *s->p : 0;
}

bool lex_take(struct lex *s, char c)
{
	if (lex_peek(s) != c || s->p == s->end)
		return false;
	s->p++;
	return true;
}

/* ---- strings */

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

/* The code point of the escape at p and its length; 0: no escape. Half a pair comes back as itself. */
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

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of each byte that is below `least` (1 to 128); above the first such byte there may be more bits, never fewer. */
static inline uint64_t below(uint64_t eight, unsigned least)
{
	return (eight - EACH(least)) & ~eight & EACH(0x80);
}

/* On to the first character that is special, eight at a time while there are none. */
static const char *plain_end(const char *p, const char *end)
{
	uint64_t eight;
	for (; end - p >= (ptrdiff_t)sizeof(eight); p += sizeof(eight)) {
		memcpy(&eight, p, sizeof(eight));
		if ((eight & EACH(0x80)) | below(eight, 0x20) | below(eight ^ EACH('"'), 1) | below(eight ^ EACH('\\'), 1))
			break;
	}
	while (p < end && !special((unsigned char)*p))
		p++;
	return p;
}

bool lex_text(struct lex *s, struct lex_text *out)
{
	const char *start = ++s->p;
	size_t extra = 0; /* bytes beyond one per code point */
	bool wide = false;
	*out = (struct lex_text){ .raw = { start, 0 } };
	for (;;) {
		s->p = plain_end(s->p, s->end);
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
			return false;
		out->escaped = true;
		out->garbled |= is_surrogate(point);
		extra += n - 1;
		s->p += n;
	}
	out->raw = since(s, start);
	out->points = out->raw.n - extra;
	out->garbled |= wide && !utf8_valid(out->raw);
	s->garbled |= out->garbled;
	s->p++;
	return true;
}

bool lex_key(struct lex *s, struct lex_text *out)
{
	return lex_peek(s) == '"' && lex_text(s, out) && lex_take(s, ':');
}

struct slice lex_plain(const struct lex_text *t, char room[LEX_PLAIN])
{
	if (!t->escaped)
		return t->raw;
	const char *p = t->raw.p, *end = p + t->raw.n;
	size_t n = 0;
	while (p < end && n < LEX_PLAIN) {
		unsigned point;
		if (*p != '\\') {
			room[n++] = *p++;
			continue;
		}
		p += read_escape(p, end, &point);
		room[n++] = point < 0x80 ? (char)point : '\x7f';
	}
	return (struct slice){ room, n };
}

/* ---- numbers */

static struct slice read_digits(struct lex *s)
{
	const char *start = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return since(s, start);
}

static bool next_is(const struct lex *s, char a, char b)
{
	return s->p < s->end && (*s->p == a || *s->p == b);
}

/* Beyond this all exponents are the same to a double, so none overflows. */
#define EXPONENT_MOST 100000

static bool read_exponent(struct lex *s, int *out)
{
	bool negative = next_is(s, '-', '-');
	int v = 0;
	if (next_is(s, '+', '-'))
		s->p++;
	struct slice digits = read_digits(s);
	for (size_t i = 0; i < digits.n && v < EXPONENT_MOST; i++)
		v = v * 10 + (digits.p[i] - '0');
	*out = negative ? -v : v;
	return digits.n > 0;
}

bool lex_number(struct lex *s, struct lex_number *out)
{
	const char *start = s->p;
	*out = (struct lex_number){ .negative = *s->p == '-' };
	s->p += out->negative;
	out->whole = read_digits(s);
	if (!out->whole.n || (out->whole.n > 1 && out->whole.p[0] == '0'))
		return false;
	if (next_is(s, '.', '.')) {
		s->p++;
		out->fraction = read_digits(s);
		if (!out->fraction.n)
			return false;
	}
	if (next_is(s, 'e', 'E')) {
		s->p++;
		if (!read_exponent(s, &out->exponent))
			return false;
	}
	out->raw = since(s, start);
	return s->p == s->end || memchr(",]} \t\r\n", *s->p, 7);
}

double lex_value(const struct lex_number *n)
{
	uint64_t digits = 0;
	int exponent = n->exponent;
	for (size_t i = 0; i < n->whole.n + n->fraction.n; i++) {
		char c = i < n->whole.n ? n->whole.p[i] : n->fraction.p[i - n->whole.n];
		bool room = digits < UINT64_C(1000000000000000000);
		if (room)
			digits = digits * 10 + (unsigned)(c - '0');
		if (exponent < EXPONENT_MOST && exponent > -EXPONENT_MOST)
			exponent += i < n->whole.n ? !room : -room;
	}
	if (!digits)
		return 0;
	double v = exponent >= 0 ? (double)digits * pow(10, exponent) : (double)digits / pow(10, -exponent);
	return n->negative ? -v : v;
}

static size_t trailing_zeros(struct slice digits)
{
	size_t n = 0;
	while (n < digits.n && digits.p[digits.n - 1 - n] == '0')
		n++;
	return n;
}

bool lex_is_integer(const struct lex_number *n)
{
	long places = (long)n->fraction.n - n->exponent; /* digits behind the point once the exponent is applied */
	size_t zeros = trailing_zeros(n->fraction);
	if (zeros == n->fraction.n) {
		size_t more = trailing_zeros(n->whole);
		if (more == n->whole.n)
			return true;
		zeros += more;
	}
	return places <= (long)zeros;
}

bool lex_is_tenths(const struct lex_number *n, double tolerance)
{
	if (!n->exponent && n->fraction.n <= 1)
		return true;
	double tenths = lex_value(n) * 10;
	return fabs(tenths - round(tenths)) < tolerance;
}

/* ---- objects, lists, and values nobody looks at */

static enum lex_step closed(struct lex *s)
{
	s->p++;
	s->depth--;
	return LEX_CLOSED;
}

enum lex_step lex_open(struct lex *s, char close)
{
	if (s->depth == LEX_DEPTH) {
		s->too_deep = true;
		return LEX_STOP;
	}
	s->depth++;
	s->p++;
	return lex_peek(s) == close ? closed(s) : LEX_MORE;
}

enum lex_step lex_next(struct lex *s, char close)
{
	if (lex_peek(s) == close)
		return closed(s);
	return lex_take(s, ',') ? LEX_MORE : LEX_STOP;
}

static bool skip_object(struct lex *s)
{
	struct lex_text key;
	enum lex_step step = lex_open(s, '}');
	while (step == LEX_MORE)
		step = lex_key(s, &key) && lex_skip(s) ? lex_next(s, '}') : LEX_STOP;
	return step == LEX_CLOSED;
}

static bool skip_list(struct lex *s)
{
	enum lex_step step = lex_open(s, ']');
	while (step == LEX_MORE)
		step = lex_skip(s) ? lex_next(s, ']') : LEX_STOP;
	return step == LEX_CLOSED;
}

static bool skip_word(struct lex *s, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return false;
	s->p += n;
	return true;
}

bool lex_skip(struct lex *s)
{
	struct lex_text text;
	struct lex_number number;
	switch (lex_peek(s)) {
	case '{':
		return skip_object(s);
	case '[':
		return skip_list(s);
	case '"':
		return lex_text(s, &text);
	case 't':
		return skip_word(s, "true");
	case 'f':
		return skip_word(s, "false");
	case 'n':
		return skip_word(s, "null");
	case 0:
		return false;
	default:
		return lex_number(s, &number);
	}
}
