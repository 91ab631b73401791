/* Records of the trace for people: as one page that needs nothing beside it, and as a table for a spreadsheet. See trace-export.h. */
#ifndef AMPGATE_GATEWAY_TRACE_PAGE_H
#define AMPGATE_GATEWAY_TRACE_PAGE_H

#include <cjson/cJSON.h>
#include <stdio.h>

void trace_page_head(FILE *out);
void trace_page_add(FILE *out, const cJSON *record);
void trace_page_end(FILE *out);

void trace_table_head(FILE *out);
void trace_table_add(FILE *out, const cJSON *record);

#endif
