/* Records of the trace as files for other programs: JSON Lines, HAR 1.2 with _webSocketMessages, pcapng with link type 252, which holds
 * what applications say to each other without the layers below; and for people, a page and a table (trace-page.h). Records come as the daemon gives them, in order. */
#ifndef AMPGATE_GATEWAY_TRACE_EXPORT_H
#define AMPGATE_GATEWAY_TRACE_EXPORT_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/error.h"

enum export_format { EXPORT_JSONL, EXPORT_HAR, EXPORT_PCAPNG, EXPORT_HTML, EXPORT_CSV };
int export_format_parse(const char *name); /* "jsonl" ...; ERR_NOT_FOUND */
const char *export_format_type(enum export_format format); /* as HTTP has it */

struct trace_export;

/* Writes to a file that stays the caller's. */
struct trace_export *export_open(FILE *out, enum export_format format);
void export_add(struct trace_export *x, const cJSON *record);
/* Writes what is left and frees. ERR_CLOSED: not everything could be written. */
int export_close(struct trace_export *x) MUST_CHECK;

#endif
