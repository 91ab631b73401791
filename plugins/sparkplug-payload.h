/* Sparkplug B payloads as bytes: metrics in, metrics out. No I/O. */
#ifndef AMPGATE_PLUGINS_SPARKPLUG_PAYLOAD_H
#define AMPGATE_PLUGINS_SPARKPLUG_PAYLOAD_H

#include <stdbool.h>

#include "base/buf.h"

/* The data types of Sparkplug 3.0, 6.4.16 that we write. */
enum sparkplug_type { SPARKPLUG_INT64 = 4, SPARKPLUG_DOUBLE = 10, SPARKPLUG_BOOLEAN = 11, SPARKPLUG_STRING = 12, SPARKPLUG_DATETIME = 13 };

struct sparkplug_value {
	bool known;          /* false: null */
	int64_t integer;     /* INT64; DATETIME: milliseconds since 1970 */
	double number;       /* DOUBLE */
	bool truth;          /* BOOLEAN */
	const char *text;    /* STRING */
};

struct sparkplug_metric {
	const char *name;    /* NULL: known by its alias */
	uint64_t alias;      /* 0: none */
	enum sparkplug_type type;
	const char *unit;    /* NULL: none; goes out beside a name only */
	struct sparkplug_value value;
};

#define SPARKPLUG_NO_SEQ (-1)

/* Appends a payload of this moment. `seq` 0 to 255, or SPARKPLUG_NO_SEQ as in an NDEATH. */
void sparkplug_write(struct buf *out, int64_t wall_us, int seq, const struct sparkplug_metric *metrics, size_t n);

/* Shows each metric of a payload somebody else wrote. A number is in `number` whatever its type (NaN: it is none), and `type` is not set;
 * text lives during the call. ERR_SYNTAX: not a payload. */
int sparkplug_read(struct slice bytes, void (*see)(void *arg, const struct sparkplug_metric *m), void *arg);

#endif
