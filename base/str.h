/* Text: slices (windows into somebody else's bytes), UTF-8, RFC 3339 times, hex, base64, and the nearest word for "did you mean". */
#ifndef AMPGATE_BASE_STR_H
#define AMPGATE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A window into bytes that somebody else owns; not NUL-terminated. {NULL, 0} is "absent", {p, 0} is "empty". */
struct slice {
	const char *p;
	size_t n;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })
#define SLICE_ARG(s) (int)(s).n, (s).p /* for printf's "%.*s" */

struct slice slice_of(const char *text); /* NULL gives the absent slice */
bool slice_is(struct slice a, const char *text);
bool slice_eq(struct slice a, struct slice b);
bool str_same(const char *a, const char *b); /* either may be NULL; two that are absent are the same */
bool slice_eq_nocase(struct slice a, struct slice b); /* ASCII only: OCPP's CiString */

bool utf8_valid(struct slice s);

/* Wall time as RFC 3339 in UTC with milliseconds, "2026-03-02T17:04:05.123Z": what every OCPP version accepts. `out` holds 25 bytes. */
#define TIME_TEXT 25
char *time_text(int64_t wall_us, char out[TIME_TEXT]);

/* Reads RFC 3339 and the forms seen in the field: no fraction, any number of decimals, offset "+02:00", "+0200" or "+02", a space for
 * the T, no zone at all (taken as UTC). Microseconds since 1970. ERR_SYNTAX leaves `wall_us_out` alone. */
int time_parse(struct slice s, int64_t *wall_us_out) MUST_CHECK;

/* Decimal integer, whole slice, optional sign. ERR_SYNTAX or ERR_TOO_LARGE. */
int int_parse(struct slice s, int64_t *out) MUST_CHECK;

void hex_text(const void *bytes, size_t n, char *out); /* 2 n + 1 bytes, lower case, NUL at the end */
int hex_parse(struct slice s, void *out, size_t room); /* number of bytes, or ERR_SYNTAX / ERR_TOO_LARGE */

size_t base64_text(const void *bytes, size_t n, char *out); /* 4 * ((n + 2) / 3) + 1 bytes; the length without NUL */
int base64_parse(struct slice s, void *out, size_t room);   /* number of bytes, or ERR_SYNTAX / ERR_TOO_LARGE */

/* RFC 3986 percent-decoding of one path segment, in place of `out` (room for s.n + 1). Length or ERR_SYNTAX. */
int percent_decode(struct slice s, char *out);
/* The inverse for a path segment: everything but unreserved characters is encoded. `out` holds 3 * s.n + 1. Length. */
size_t percent_encode(struct slice s, char *out);

/* The word nearest to `word` in a NULL-terminated list, or NULL when none is near enough to be a typing error. */
const char *str_nearest(const char *word, const char *const *words);

/* Fills `out` with a random (version 4) UUID in text: 36 characters and NUL. */
#define UUID_TEXT 37
char *uuid_text(char out[UUID_TEXT]);

#endif
