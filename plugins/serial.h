/* Lines of text over a serial line: 8N1, raw, one line at a time with a deadline. One thread at a time. */
#ifndef AMPGATE_PLUGINS_SERIAL_H
#define AMPGATE_PLUGINS_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SERIAL_LINE 256

struct serial {
	int fd;                /* -1: closed */
	char text[SERIAL_LINE]; /* what came and is no whole line yet */
	size_t n;
	bool overlong;         /* the line that is coming does not fit and will be dropped */
};

/* 0 or a negative error with its text. A device that is no terminal (a pipe, in tests) is read as it is. */
int serial_open(struct serial *s, const char *device, int baud, char *err, size_t errlen) MUST_CHECK;
void serial_close(struct serial *s); /* fine for one that is closed */
bool serial_knows_baud(int baud);

/* The next line without its end, in `line` (SERIAL_LINE bytes): 1; 0: none within wait_us; negative: the device is gone. Empty lines and ones
 * that are too long do not count. Carriage return, line feed and the start and end marks of card readers (STX, ETX) end a line. */
int serial_line(struct serial *s, char *line, int64_t wait_us) MUST_CHECK;
/* All or nothing: what the line does not take at once fails, so that nobody blocks. */
int serial_write(struct serial *s, const char *text, size_t n) MUST_CHECK;

#endif
