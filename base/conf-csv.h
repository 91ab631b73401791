/* A table of objects in a file with commas (RFC 4180), as a tree of settings like conf-yaml gives it: each line an object of one section, each column
 * a key, so that everything that is checked about YAML is checked about it too and messages point at its cells. Loop thread only. */
#ifndef AMPGATE_BASE_CONF_CSV_H
#define AMPGATE_BASE_CONF_CSV_H

#include "base/buf.h"
#include "base/conf-yaml.h"

/* The first line names the columns; `key` ("id") has to be among them. Semicolons and tabs separate too, where the first line says so; a byte order mark
 * and either kind of line end are fine. An empty cell, and one that says "***" (a secret that was masked), says nothing; `null` takes the key away.
 * The tree is a map with the one member `section`. ERR_SYNTAX or ERR_TOO_LARGE with the reasons in the report. */
int conf_csv_parse(struct arena *mem, const char *name, struct slice text, const char *section, const char *key, struct conf_report *report,
                   struct conf_node **out) MUST_CHECK;

/* One cell, quoted where a reader could stumble; a text that a spreadsheet would take for a formula gets an apostrophe in front, which the reader
 * takes off again. */
void conf_csv_cell(struct buf *out, struct slice text);

#endif
