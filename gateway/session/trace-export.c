/* HAR wants one entry per connection with all its messages inside, so those are collected and written at the end. In it, "send" and "receive"
 * are seen from the side that opened the WebSocket: the station on one leg, the box on the other.
 *
 * pcapng: one interface per leg; a packet is a list of tags (kind, length, value, each padded to four bytes; numbers big endian) that names the
 * dissector, then the frame. The block around it is in this machine's byte order, which its first block tells. */
#include "gateway/session/trace-export.h"

#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/session/trace-page.h"

struct connection {
	const cJSON *first; /* owned copy of its first record */
	struct buf messages;
	struct json_writer w;
};

struct trace_export {
	FILE *out;
	enum export_format format;
	struct map connections;
	struct connection **order;
	size_t n_connections;
};

int export_format_parse(const char *name)
{
	static const char *const names[] = { "jsonl", "har", "pcapng", "html", "csv" };
	for (int i = 0; i < 5; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return ERR_NOT_FOUND;
}

const char *export_format_type(enum export_format format)
{
	static const char *const types[] = { "application/x-ndjson", "application/json", "application/octet-stream", "text/html; charset=utf-8",
		"text/csv; charset=utf-8" };
	return types[format];
}

static const char *text_of(const cJSON *r, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r, name);
	return cJSON_IsString(v) ? v->valuestring : "";
}

static bool is(const cJSON *r, const char *name, const char *value)
{
	return strcmp(text_of(r, name), value) == 0;
}

static int64_t time_of(const cJSON *r)
{
	int64_t us = 0;
	return time_parse(slice_of(text_of(r, "ts")), &us) == 0 ? us : 0;
}

/* The frame's bytes; what was no text stands in base64. */
static void raw_of(const cJSON *r, struct buf *out)
{
	struct slice raw = json_text(r, "raw"), coded = json_text(r, "raw_base64");
	buf_slice(out, raw);
	if (!raw.p && coded.p) {
		int n = base64_parse(coded, buf_room(out, coded.n), coded.n);
		out->n += n > 0 ? (size_t)n : 0;
	}
}

/* --- HAR --- */

static struct connection *connection_of(struct trace_export *x, const cJSON *r)
{
	struct buf key = { 0 };
	buf_printf(&key, "%s %s %lld", text_of(r, "side"), text_of(r, "station"), (long long)json_int(r, "conn", 0));
	struct connection *c = map_get(&x->connections, buf_view(&key));
	if (!c) {
		c = NEW(struct connection);
		c->first = cJSON_Duplicate(r, 1);
		jw_open(&c->w, &c->messages);
		jw_array(&c->w, NULL);
		map_put(&x->connections, buf_view(&key), c);
		x->order = mem_grow(x->order, (x->n_connections + 1) * sizeof(struct connection *));
		x->order[x->n_connections++] = c;
	}
	buf_free(&key);
	return c;
}

static void add_har(struct trace_export *x, const cJSON *r)
{
	struct connection *c = connection_of(x, r);
	bool from_client = is(r, "side", "station") == is(r, "dir", "rx");
	jw_object(&c->w, NULL);
	jw_string(&c->w, "type", from_client ? "send" : "receive");
	jw_number(&c->w, "time", (double)time_of(r) / 1e6, 3);
	jw_int(&c->w, "opcode", 1);
	jw_text(&c->w, "data", json_text(r, "raw").p ? json_text(r, "raw") : slice_of(text_of(r, "raw_base64")));
	jw_int(&c->w, "_seq", json_int(r, "seq", 0));
	jw_string(&c->w, "_action", text_of(r, "action"));
	jw_string(&c->w, "_verdict", text_of(r, "verdict"));
	if (cJSON_HasObjectItem(r, "rtt_ms"))
		jw_number(&c->w, "_rtt_ms", json_number(r, "rtt_ms", 0), 3);
	jw_end(&c->w, '}');
}

static void write_list(struct json_writer *w, const char *key)
{
	jw_array(w, key);
	jw_end(w, ']');
}

static void write_request(struct json_writer *w, const cJSON *r)
{
	struct buf url = { 0 };
	buf_printf(&url, "ws://%s/%s", is(r, "side", "station") ? "ampgate" : "csms", text_of(r, "station"));
	jw_object(w, "request");
	jw_string(w, "method", "GET");
	jw_text(w, "url", buf_view(&url));
	jw_string(w, "httpVersion", "HTTP/1.1");
	write_list(w, "cookies");
	jw_array(w, "headers");
	jw_object(w, NULL);
	jw_string(w, "name", "Sec-WebSocket-Protocol");
	jw_string(w, "value", text_of(r, "ver"));
	jw_end(w, '}');
	jw_end(w, ']');
	write_list(w, "queryString");
	jw_int(w, "headersSize", -1);
	jw_int(w, "bodySize", 0);
	jw_end(w, '}');
	buf_free(&url);
}

static void write_response(struct json_writer *w)
{
	jw_object(w, "response");
	jw_int(w, "status", 101);
	jw_string(w, "statusText", "Switching Protocols");
	jw_string(w, "httpVersion", "HTTP/1.1");
	write_list(w, "cookies");
	write_list(w, "headers");
	jw_object(w, "content");
	jw_int(w, "size", 0);
	jw_string(w, "mimeType", "x-unknown");
	jw_end(w, '}');
	jw_string(w, "redirectURL", "");
	jw_int(w, "headersSize", -1);
	jw_int(w, "bodySize", -1);
	jw_end(w, '}');
}

static void write_entry(struct json_writer *w, struct connection *c)
{
	jw_end(&c->w, ']');
	jw_object(w, NULL);
	jw_string(w, "startedDateTime", text_of(c->first, "ts"));
	jw_int(w, "time", 0);
	write_request(w, c->first);
	write_response(w);
	jw_object(w, "cache");
	jw_end(w, '}');
	jw_object(w, "timings");
	jw_int(w, "send", 0);
	jw_int(w, "wait", 0);
	jw_int(w, "receive", 0);
	jw_end(w, '}');
	jw_string(w, "_resourceType", "websocket");
	jw_raw(w, "_webSocketMessages", buf_view(&c->messages));
	jw_end(w, '}');
	cJSON_Delete((cJSON *)c->first);
	buf_free(&c->messages);
	mem_free(c);
}

static void close_har(struct trace_export *x)
{
	struct buf text = { 0 };
	struct json_writer w;
	jw_open(&w, &text);
	jw_object(&w, NULL);
	jw_object(&w, "log");
	jw_string(&w, "version", "1.2");
	jw_object(&w, "creator");
	jw_string(&w, "name", "ampgate");
	jw_string(&w, "version", PACKAGE_VERSION);
	jw_end(&w, '}');
	jw_array(&w, "entries");
	for (size_t i = 0; i < x->n_connections; i++)
		write_entry(&w, x->order[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	jw_end(&w, '}');
	fwrite(text.p, 1, text.n, x->out);
	fputc('\n', x->out);
	buf_free(&text);
}

/* --- pcapng --- */

enum { BLOCK_SECTION = 0x0A0D0D0A, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPTION_END = 0, OPTION_COMMENT = 1, OPTION_IF_NAME = 2, OPTION_PACKET_FLAGS = 2 };
enum { LINK_EXPORTED_PDU = 252 };
enum { TAG_END = 0, TAG_DISSECTOR = 12 };

static void add_16(struct buf *b, uint16_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void add_32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void add_padded(struct buf *b, struct slice bytes)
{
	buf_slice(b, bytes);
	buf_add(b, "\0\0\0", (4 - bytes.n % 4) % 4);
}

static void add_option(struct buf *b, uint16_t code, struct slice value)
{
	add_16(b, code);
	add_16(b, (uint16_t)value.n);
	add_padded(b, value);
}

static void write_block(struct trace_export *x, uint32_t type, const struct buf *body)
{
	uint32_t head[2] = { type, (uint32_t)body->n + 12 };
	fwrite(head, sizeof(head), 1, x->out);
	fwrite(body->p, 1, body->n, x->out);
	fwrite(&head[1], sizeof(head[1]), 1, x->out);
}

static void write_interface(struct trace_export *x, const char *name)
{
	struct buf b = { 0 };
	add_16(&b, LINK_EXPORTED_PDU);
	add_16(&b, 0);
	add_32(&b, 0); /* no bound on a packet's length */
	add_option(&b, OPTION_IF_NAME, slice_of(name));
	add_option(&b, OPTION_END, SLICE(""));
	write_block(x, BLOCK_INTERFACE, &b);
	buf_free(&b);
}

static void open_pcapng(struct trace_export *x)
{
	struct buf b = { 0 };
	add_32(&b, 0x1A2B3C4D);
	add_16(&b, 1);
	add_16(&b, 0);
	add_32(&b, UINT32_MAX); /* the section's length: not said */
	add_32(&b, UINT32_MAX);
	write_block(x, BLOCK_SECTION, &b);
	buf_free(&b);
	write_interface(x, "station");
	write_interface(x, "csms");
}

/* Tags are big endian, whoever writes them. */
static void add_tag(struct buf *b, uint16_t tag, struct slice value)
{
	size_t n = (value.n + 3) / 4 * 4;
	unsigned char head[4] = { (unsigned char)(tag >> 8), (unsigned char)tag, (unsigned char)(n >> 8), (unsigned char)n };
	buf_add(b, head, sizeof(head));
	add_padded(b, value);
}

static void comment_of(const cJSON *r, struct buf *out)
{
	buf_printf(out, "%s %s %s %s %s", text_of(r, "station"), text_of(r, "side"), text_of(r, "dir"), text_of(r, "action"), text_of(r, "verdict"));
	if (text_of(r, "why")[0])
		buf_printf(out, ": %s", text_of(r, "why"));
}

static void add_pcapng(struct trace_export *x, const cJSON *r)
{
	struct buf b = { 0 }, pdu = { 0 }, comment = { 0 };
	uint64_t us = (uint64_t)time_of(r);
	uint32_t flags = is(r, "dir", "rx") ? 1 : 2;
	add_tag(&pdu, TAG_DISSECTOR, SLICE("json"));
	add_tag(&pdu, TAG_END, SLICE(""));
	raw_of(r, &pdu);
	comment_of(r, &comment);
	add_32(&b, is(r, "side", "station") ? 0 : 1);
	add_32(&b, (uint32_t)(us >> 32));
	add_32(&b, (uint32_t)us);
	add_32(&b, (uint32_t)pdu.n);
	add_32(&b, (uint32_t)pdu.n);
	add_padded(&b, buf_view(&pdu));
	add_option(&b, OPTION_COMMENT, buf_view(&comment));
	add_option(&b, OPTION_PACKET_FLAGS, (struct slice){ (const char *)&flags, sizeof(flags) });
	add_option(&b, OPTION_END, SLICE(""));
	write_block(x, BLOCK_PACKET, &b);
	buf_free(&b);
	buf_free(&pdu);
	buf_free(&comment);
}

/* --- the doors --- */

struct trace_export *export_open(FILE *out, enum export_format format)
{
	struct trace_export *x = NEW(struct trace_export);
	x->out = out;
	x->format = format;
	if (format == EXPORT_PCAPNG)
		open_pcapng(x);
	else if (format == EXPORT_HTML)
		trace_page_head(out);
	else if (format == EXPORT_CSV)
		trace_table_head(out);
	return x;
}

void export_add(struct trace_export *x, const cJSON *record)
{
	if (x->format == EXPORT_HAR) {
		add_har(x, record);
	} else if (x->format == EXPORT_PCAPNG) {
		add_pcapng(x, record);
	} else if (x->format == EXPORT_HTML) {
		trace_page_add(x->out, record);
	} else if (x->format == EXPORT_CSV) {
		trace_table_add(x->out, record);
	} else {
		char *text = cJSON_PrintUnformatted(record);
		fprintf(x->out, "%s\n", text);
		cJSON_free(text);
	}
}

int export_close(struct trace_export *x)
{
	if (x->format == EXPORT_HAR)
		close_har(x);
	else if (x->format == EXPORT_HTML)
		trace_page_end(x->out);
	bool written = fflush(x->out) == 0 && !ferror(x->out);
	map_free(&x->connections);
	mem_free(x->order);
	mem_free(x);
	return written ? 0 : ERR_CLOSED;
}
