/* SunSpec meters: found by walking the device's model blocks, then read like any other register map. No I/O: the walk says what it wants to
 * read next and is fed with the answer. Any thread; a plain struct. */
#ifndef AMPGATE_PLUGINS_SUNSPEC_H
#define AMPGATE_PLUGINS_SUNSPEC_H

#include "plugins/regmap.h"

struct sunspec {
	size_t base;             /* which of the possible places of the marker is looked at */
	unsigned at;             /* of the header that comes next */
	unsigned blocks;         /* walked so far */
	bool marked;             /* the marker was found */
	uint16_t id, length;     /* of the meter's block */
	bool done;
};

void sunspec_start(struct sunspec *s);
bool sunspec_next(const struct sunspec *s, struct regmap_block *want); /* false: the walk is over */
void sunspec_feed(struct sunspec *s, const uint16_t *regs);            /* what was asked for; NULL: the device declined */

/* After the walk: the map of the meter found. ERR_NOT_FOUND with the reason in `err`. */
int sunspec_map(const struct sunspec *s, struct regmap *out, char *err, size_t errlen) MUST_CHECK;

#endif
