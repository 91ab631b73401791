/* Stepping over JSON text without building anything: where a value ends, and nothing more. Numbers and words are not checked, brackets
 * and quotes are. Used where a message is carried and not understood. */
#ifndef AMPGATE_OCPP_SCAN_H
#define AMPGATE_OCPP_SCAN_H

#include <stdbool.h>

#include "base/str.h"

struct scan {
	const char *p, *end;
};

#define SCAN_DEPTH 63 /* brackets open at once inside one value; with a frame's own array that makes 64 */

static inline struct scan scan_of(struct slice text)
{
	return (struct scan){ text.p, text.p + text.n };
}

static inline void scan_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

/* Steps over this character and white space before it; false leaves the place behind the white space. */
static inline bool scan_take(struct scan *s, char c)
{
	scan_space(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* Each steps over white space and one value, and tells its window; a string's window is between the quotes, escapes as they came.
 * False: there is none, or it does not end. */
bool scan_string(struct scan *s, struct slice *out);
bool scan_value(struct scan *s, struct slice *out);

/* The front of a text: at most so many bytes, and no character cut in half. */
static inline struct slice scan_cut(struct slice text, size_t most)
{
	if (text.n > most)
		for (text.n = most; text.n && (text.p[text.n] & 0xc0) == 0x80;)
			text.n--;
	return text;
}

#endif
