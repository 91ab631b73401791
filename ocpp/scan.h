/* Stepping over JSON text without building anything: where a value ends, and nothing more. Numbers and words are not checked, brackets
 * and quotes are. Used where a message is carried and not understood. */
/* Reading JSON where it stands: a cursor over the text, strings and numbers as windows with what there is to know about them. Builds
 * nothing, allocates nothing, changes nothing; numbers keep their spelling. For validation, which must see what a parser hides. */
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
#include <stddef.h>
#define SCAN_DEPTH 32 /* levels of nesting; as many as base/json makes a tree of */
/* Every function that returns a bool says false where the text cannot be read on; `too_deep` tells the one reason from the other, and p
 * stands at the place. */
	unsigned depth;
	bool too_deep; /* nested deeper than SCAN_DEPTH */
	bool garbled;  /* some string so far held bytes or escapes that are no Unicode; reading went on */
struct scan_text {
	struct slice raw;  /* between the quotes */
	size_t points;     /* code points it stands for */
	bool escaped;      /* holds escapes */
	bool garbled;      /* no Unicode; `points` is a guess */
struct scan_number {
	struct slice raw, whole, fraction; /* the digits before and behind the point */
	int exponent;
	bool negative;
char scan_peek(struct scan *s);          /* skips white space; the character that follows, 0 at the end */
bool scan_take(struct scan *s, char c);  /* skips white space and this character */
bool scan_key(struct scan *s, struct scan_text *out);   /* "name": */
bool scan_text(struct scan *s, struct scan_text *out);  /* p is at the opening quote */
bool scan_number(struct scan *s, struct scan_number *out); /* p is at a digit or a minus */
bool scan_skip(struct scan *s);          /* any one value */
/* Members and elements: scan_open with p at the bracket, scan_next behind each of them; `close` is the bracket that ends them. */
enum scan_step { SCAN_STOP, SCAN_MORE, SCAN_CLOSED };
enum scan_step scan_open(struct scan *s, char close);
enum scan_step scan_next(struct scan *s, char close);
/* The text without escapes: as it stands, or decoded into `room`. What does not fit is cut, and what is not ASCII stands as DEL: this is
 * for comparing with names, words and formats. */
#define SCAN_PLAIN 512
struct slice scan_plain(const struct scan_text *t, char room[SCAN_PLAIN]);
double scan_value(const struct scan_number *n);        /* the nearest double or close to it; infinite where there is none. No locale */
bool scan_is_integer(const struct scan_number *n);     /* as JSON schema has it: 1.0 and 1e2 are */
bool scan_is_tenths(const struct scan_number *n, double tolerance); /* a multiple of 0.1, or off by so much, counted in tenths */

#endif
