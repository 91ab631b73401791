/* UTF-8 in pieces: runs of ASCII eight bytes at a time, all else by the range that the next byte must lie in. */
#include "gateway/net/utf8.h"

#include <string.h>

/* The range of a character's second byte keeps out overlong forms, surrogates and what lies above U+10FFFF (RFC 3629). */
static bool lead(struct utf8 *u, uint8_t c)
{
	if (c < 0xc2 || c > 0xf4)
		return false;
	u->need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	u->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	u->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	return true;
}

bool utf8_feed(struct utf8 *u, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint64_t eight;
		if (!u->need && n - i >= sizeof(eight)) {
			memcpy(&eight, p + i, sizeof(eight));
			if (!(eight & UINT64_C(0x8080808080808080))) {
				i += sizeof(eight);
				continue;
			}
		}
		uint8_t c = p[i++];
		if (u->need) {
			if (c < u->low || c > u->high)
				return false;
			*u = (struct utf8){ (uint8_t)(u->need - 1), 0x80, 0xbf };
		} else if (c >= 0x80 && !lead(u, c)) {
			return false;
		}
	}
	return true;
}

bool utf8_whole(const struct utf8 *u)
{
	return u->need == 0;
}
