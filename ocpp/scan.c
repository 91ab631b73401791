/* The loop every byte of every message goes through: a table tells which bytes matter between strings, and memchr finds a string's end. */
#include "ocpp/scan.h"

#include <string.h>

/* Bytes that mean something outside a string, and bytes that end a number or a word. */
static const bool bracket_or_quote[256] = { ['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true };
static const bool ends_word[256] = {
	['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true, [','] = true,
	[':'] = true, [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true,
};

/* p is behind an opening quote. The closing quote, or NULL. A quote is escaped by an odd run of backslashes before it; runs before two
 * quotes do not overlap, so looking back costs no more than looking forward. */
static const char *closing_quote(const char *p, const char *end)
{
	for (const char *from = p; p < end; p++) {
		p = memchr(p, '"', (size_t)(end - p));
		if (!p)
			return NULL;
		const char *run = p;
		while (run > from && run[-1] == '\\')
			run--;
		if ((p - run) % 2 == 0)
			return p;
	}
	return NULL;
}

bool scan_string(struct scan *s, struct slice *out)
{
	if (!scan_take(s, '"'))
		return false;
	const char *quote = closing_quote(s->p, s->end);
	if (!quote)
		return false;
	*out = (struct slice){ s->p, (size_t)(quote - s->p) };
	s->p = quote + 1;
	return true;
}

/* At an opening bracket: the place behind the one that closes it, or NULL. */
static const char *behind_nested(const char *p, const char *end)
{
	uint64_t arrays = 0; /* the lowest bit: the innermost open bracket is '[' */
	unsigned depth = 0;
	do {
		while (p < end && !bracket_or_quote[(unsigned char)*p])
			p++;
		if (p == end)
			return NULL;
		if (*p == '"') {
			p = closing_quote(p + 1, end);
			if (!p)
				return NULL;
		} else if (*p == '{' || *p == '[') {
			if (depth++ == SCAN_DEPTH)
				return NULL;
			arrays = arrays << 1 | (*p == '[');
		} else {
			if ((arrays & 1) != (*p == ']'))
				return NULL;
			arrays >>= 1;
			depth--;
		}
		p++;
	} while (depth);
	return p;
}

static const char *behind_word(const char *p, const char *end)
{
	while (p < end && !ends_word[(unsigned char)*p])
		p++;
	return p;
}

bool scan_value(struct scan *s, struct slice *out)
{
	scan_space(s);
	const char *from = s->p, *to;
	struct slice inner;
	if (from == s->end)
		return false;
	if (*from == '"')
		to = scan_string(s, &inner) ? s->p : NULL;
	else if (*from == '{' || *from == '[')
		to = behind_nested(from, s->end);
	else
		to = behind_word(from, s->end);
	if (!to || to == from)
		return false;
	*out = (struct slice){ from, (size_t)(to - from) };
	s->p = to;
	return true;
}
