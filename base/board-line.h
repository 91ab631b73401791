/* The line protocol of pilot boards (man ampgate-board(7)), both directions, so that the driver, a simulated board and a board's firmware use the
 * same file. Text to structs and back; no I/O. A line is words and key=value pairs, then * and the exclusive-or of all bytes before it in two hex
 * digits, then a line feed. Keys that are not known are passed over, so that a newer board works with an older program. */
#ifndef AMPGATE_BASE_BOARD_LINE_H
#define AMPGATE_BASE_BOARD_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/plugin.h"

#define BOARD_LINE 250
#define BOARD_VERSION 1

enum board_line { BOARD_NONE, BOARD_HELLO, BOARD_PINS, BOARD_DRIVE, BOARD_ASK };

struct board_text {
	enum board_line kind;
	int version;              /* hello */
	char name[40];
	uint32_t order;           /* drive: its number; pins: of the last one that was obeyed */
	ag_pins pins;             /* hello: has, opens_ms, watchdog_ms; pins: the rest */
	ag_drive drive;
};

/* BOARD_NONE: no line of this protocol, or damaged; `line` is changed. What a line does not say is unknown, and an order that is not whole
 * is none. */
enum board_line board_read(char *line, struct board_text *out);

/* The length written, with the line feed; `out` has BOARD_LINE + 6 bytes. */
size_t board_write_hello(char *out, const char *name, const ag_pins *p);
size_t board_write_pins(char *out, uint32_t order, const ag_pins *p);
size_t board_write_drive(char *out, uint32_t order, const ag_drive *d);
size_t board_write_ask(char *out);

#endif
