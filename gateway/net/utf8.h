/* A check of UTF-8 that comes in pieces; a whole text is base/str's utf8_valid. Zero-initialise for each text. */
#ifndef AMPGATE_GATEWAY_UTF8_H
#define AMPGATE_GATEWAY_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the check stands: how many bytes the present character still needs, and the range of the next one. */
struct utf8 {
	uint8_t need, low, high;
};

bool utf8_feed(struct utf8 *u, const uint8_t *p, size_t n); /* false as soon as nothing that follows could mend it */
bool utf8_whole(const struct utf8 *u);                      /* no character is cut */

#endif
