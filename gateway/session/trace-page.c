/* Everything in a record was said by a peer: on a page it is text and never markup, and in a table never a formula. */
#include "gateway/session/trace-page.h"

#include <string.h>

#include "base/conf-csv.h"
#include "base/json.h"

static const char *const columns[] = { "seq", "ts", "station", "side", "dir", "ver", "type", "id", "action", "verdict", "why", "rtt_ms", "len", "raw" };
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* A member as text, numbers as they are written; absent: empty. */
static void value_of(const cJSON *record, const char *name, struct buf *out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(record, name);
	if (cJSON_IsString(v))
		buf_puts(out, v->valuestring);
	else if (cJSON_IsNumber(v))
		buf_printf(out, "%.10g", v->valuedouble);
}

static void put_escaped(FILE *out, const struct buf *text)
{
	for (size_t i = 0; i < text->n; i++) {
		switch (text->p[i]) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		default: putc(text->p[i], out);
		}
	}
}

void trace_page_head(FILE *out)
{
	fputs("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>OCPP trace</title>\n"
	      "<style>body{font:14px/1.4 system-ui,sans-serif;margin:1em}table{border-collapse:collapse;width:100%}"
	      "td,th{border-bottom:1px solid #8884;padding:.2em .5em;text-align:left;vertical-align:top}pre{white-space:pre-wrap;word-break:break-all;margin:0}"
	      ".rx{border-left:4px solid #37a}.tx{border-left:4px solid #a73}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}</style>\n"
	      "<h1>OCPP trace</h1><table><tr><th>time<th>station<th>side<th>dir<th>action<th>verdict<th>ms<th>frame\n", out);
}

static void put_cell(FILE *out, const cJSON *record, const char *name)
{
	struct buf text = { 0 };
	value_of(record, name, &text);
	fputs("<td>", out);
	put_escaped(out, &text);
	buf_free(&text);
}

void trace_page_add(FILE *out, const cJSON *record)
{
	static const char *const cells[] = { "ts", "station", "side", "dir", "action", "verdict", "rtt_ms" };
	struct buf raw = { 0 }, why = { 0 };
	fprintf(out, "<tr class=\"%s\">", slice_is(json_text(record, "dir"), "rx") ? "rx" : "tx");
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		put_cell(out, record, cells[i]);
	value_of(record, cJSON_HasObjectItem(record, "raw") ? "raw" : "raw_base64", &raw);
	value_of(record, "why", &why);
	fputs("<td>", out);
	put_escaped(out, &why);
	fputs(raw.n > 200 ? "<details><summary>show</summary><pre>" : "<pre>", out);
	put_escaped(out, &raw);
	fputs(raw.n > 200 ? "</pre></details>\n" : "</pre>\n", out);
	buf_free(&raw);
	buf_free(&why);
}

void trace_page_end(FILE *out)
{
	fputs("</table></html>\n", out);
}

void trace_table_head(FILE *out)
{
	for (size_t i = 0; i < COLUMNS; i++)
		fprintf(out, "%s%s", i ? "," : "", columns[i]);
	fputs("\r\n", out);
}

void trace_table_add(FILE *out, const cJSON *record)
{
	struct buf line = { 0 };
	for (size_t i = 0; i < COLUMNS; i++) {
		struct buf text = { 0 };
		value_of(record, columns[i], &text);
		if (i)
			buf_puts(&line, ",");
		if (text.n)
			conf_csv_cell(&line, buf_view(&text));
		buf_free(&text);
	}
	fwrite(line.p, 1, line.n, out);
	fputs("\r\n", out);
	buf_free(&line);
}
