/* Reading JSON where it stands: a cursor over the text, strings and numbers as windows with what there is to know about them. Builds
 * nothing, allocates nothing, changes nothing; numbers keep their spelling. For validation, which must see what a parser hides. */
#ifndef AMPGATE_OCPP_LEX_H
#define AMPGATE_OCPP_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define LEX_DEPTH 32 /* levels of nesting; as many as base/json makes a tree of */

/* Every function that returns a bool says false where the text cannot be read on; `too_deep` tells the one reason from the other, and p
 * stands at the place. */
struct lex {
	const char *p, *end;
	unsigned depth;
	bool too_deep; /* nested deeper than LEX_DEPTH */
	bool garbled;  /* some string so far held bytes or escapes that are no Unicode; reading went on */
};

struct lex_text {
	struct slice raw;  /* between the quotes */
	size_t points;     /* code points it stands for */
	bool escaped;      /* holds escapes */
	bool garbled;      /* no Unicode; `points` is a guess */
};

struct lex_number {
	struct slice raw, whole, fraction; /* the digits before and behind the point */
	int exponent;
	bool negative;
};

char lex_peek(struct lex *s);          /* skips white space; the character that follows, 0 at the end */
bool lex_take(struct lex *s, char c);  /* skips white space and this character */
bool lex_key(struct lex *s, struct lex_text *out);   /* "name": */
bool lex_text(struct lex *s, struct lex_text *out);  /* p is at the opening quote */
bool lex_number(struct lex *s, struct lex_number *out); /* p is at a digit or a minus */
bool lex_skip(struct lex *s);          /* any one value */

/* Members and elements: lex_open with p at the bracket, lex_next behind each of them; `close` is the bracket that ends them. */
enum lex_step { LEX_STOP, LEX_MORE, LEX_CLOSED };
enum lex_step lex_open(struct lex *s, char close);
enum lex_step lex_next(struct lex *s, char close);

/* The text without escapes: as it stands, or decoded into `room`. What does not fit is cut, and what is not ASCII stands as DEL: this is
 * for comparing with names, words and formats. */
#define LEX_PLAIN 512
struct slice lex_plain(const struct lex_text *t, char room[LEX_PLAIN]);

double lex_value(const struct lex_number *n);        /* the nearest double or close to it; infinite where there is none. No locale */
bool lex_is_integer(const struct lex_number *n);     /* as JSON schema has it: 1.0 and 1e2 are */
bool lex_is_tenths(const struct lex_number *n, double tolerance); /* a multiple of 0.1, or off by so much, counted in tenths */

#endif
