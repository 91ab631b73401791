/* Heads of HTTP/1.1.
 *
 * A peer may send its head byte by byte, so finding its end is apart from reading it: http_head_length remembers how far it looked, and
 * the strict reader sees whole heads only. Easy to get wrong: a bare LF must be refused as soon as it is seen, not when the head is
 * complete, or a peer that never sends CR would be kept waiting for its timeout; and a field name directly before its colon is the rule that
 * keeps "Content-Length : 5" from meaning different things to different programs. */
#include "gateway/net/http1.h"

#include <string.h>

static bool is_token_byte(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr(others, c));
}

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token_byte((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

/* Visible bytes, and those above ASCII; spaces where a field value may hold them. */
static bool is_printable(struct slice s, bool spaces)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == 127 || c < 32 ? !(spaces && c == '\t') : c == ' ' && !spaces)
			return false;
	}
	return true;
}

static struct slice trimmed(struct slice s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

int http_head_length(struct slice arrived, size_t most, size_t *scanned)
{
	for (size_t i = *scanned; i < arrived.n && i < most; i++) {
		if (arrived.p[i] != '\n')
			continue;
		if (i == 0 || arrived.p[i - 1] != '\r')
			return ERR_SYNTAX;
		if (i >= 3 && arrived.p[i - 2] == '\n')
			return (int)i + 1;
		if (i == 1)
			return ERR_SYNTAX; /* an empty line where the first line should stand */
	}
	*scanned = arrived.n;
	return arrived.n >= most ? ERR_TOO_LARGE : 0;
}

/* Cuts the next line off `rest`; the caller knows that every line ends in CRLF. */
static struct slice next_line(struct slice *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	struct slice line = { rest->p, (size_t)(end - rest->p) - 1 };
	rest->n -= line.n + 2;
	rest->p = end + 1;
	return line;
}

/* Cuts off what stands before the next space. False: there is none. */
static bool next_word(struct slice *rest, struct slice *out)
{
	const char *space = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
	if (!space)
		return false;
	*out = (struct slice){ rest->p, (size_t)(space - rest->p) };
	rest->n -= out->n + 1;
	rest->p = space + 1;
	return true;
}

static const char *read_version(struct slice s, int *minor_out)
{
	if (s.n != 8 || memcmp(s.p, "HTTP/1.", 7) != 0 || (s.p[7] != '0' && s.p[7] != '1'))
		return "not HTTP/1.0 or 1.1";
	*minor_out = s.p[7] - '0';
	return NULL;
}

static const char *read_request_line(struct slice line, struct http_head *h)
{
	if (!next_word(&line, &h->method) || !next_word(&line, &h->target))
		return "request line without three words";
	if (!is_token(h->method))
		return "method is no word";
	if (!h->target.n || !is_printable(h->target, false))
		return "target holds spaces or control characters";
	return read_version(line, &h->minor);
}

static const char *read_status_line(struct slice line, struct http_head *h)
{
	struct slice version, code;
	if (!next_word(&line, &version))
		return "status line without two words";
	if (!next_word(&line, &code)) /* servers leave the space before an empty reason out */
		code = line, line = (struct slice){ "", 0 };
	if (code.n != 3 || code.p[0] < '1' || code.p[0] > '5')
		return "status is no number of three digits";
	for (size_t i = 0; i < 3; i++) {
		if (code.p[i] < '0' || code.p[i] > '9')
			return "status is no number of three digits";
		h->status = h->status * 10 + (code.p[i] - '0');
	}
	h->reason = line;
	return read_version(version, &h->minor);
}

static const char *read_field(struct slice line, struct http_head *h)
{
	const char *colon = memchr(line.p, ':', line.n);
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return "folded field line";
	if (!colon)
		return "field line without a colon";
	struct http_field f = { .name = { line.p, (size_t)(colon - line.p) } };
	f.value = trimmed((struct slice){ colon + 1, line.n - f.name.n - 1 });
	if (!is_token(f.name))
		return "field name is no word";
	if (!is_printable(f.value, true))
		return "control character in a field";
	if (h->n_fields == HTTP_FIELDS_MOST)
		return "too many fields";
	h->fields[h->n_fields++] = f;
	return NULL;
}

static const char *read_length(struct http_head *h)
{
	struct slice length = http_field(h, "Content-Length"), coding = http_field(h, "Transfer-Encoding");
	h->content_length = -1;
	if (length.p && http_field_nth(h, "Content-Length", 1).p)
		return "Content-Length twice";
	if (length.p && coding.p)
		return "Content-Length with Transfer-Encoding";
	if (coding.p && (http_field_nth(h, "Transfer-Encoding", 1).p || !slice_eq_nocase(coding, SLICE("chunked"))))
		return "transfer coding not understood";
	h->chunked = coding.p != NULL;
	if (!length.p)
		return NULL;
	if (!length.n || length.p[0] < '0' || length.p[0] > '9' || int_parse(length, &h->content_length) != 0)
		return "Content-Length is no number";
	return NULL;
}

static int read_head(struct slice head, struct http_head *h, const char *(*first)(struct slice, struct http_head *), const char **why_out)
{
	memset(h, 0, offsetof(struct http_head, fields));
	const char *why = first(next_line(&head), h);
	while (!why && head.n > 2)
		why = read_field(next_line(&head), h);
	if (!why)
		why = read_length(h);
	*why_out = why;
	return why ? ERR_SYNTAX : 0;
}

int http_read_request(struct slice head, struct http_head *out, const char **why_out)
{
	int err = read_head(head, out, read_request_line, why_out);
	if (err)
		return err;
	if (http_field_nth(out, "Host", 1).p)
		*why_out = "Host twice";
	else if (out->minor == 1 && !http_field(out, "Host").p)
		*why_out = "Host is missing";
	return *why_out ? ERR_SYNTAX : 0;
}

int http_read_response(struct slice head, struct http_head *out, const char **why_out)
{
	return read_head(head, out, read_status_line, why_out);
}

struct slice http_field_nth(const struct http_head *h, const char *name, size_t i)
{
	struct slice wanted = slice_of(name);
	for (size_t k = 0; k < h->n_fields; k++)
		if (slice_eq_nocase(h->fields[k].name, wanted) && i-- == 0)
			return h->fields[k].value;
	return (struct slice){ 0 };
}

struct slice http_field(const struct http_head *h, const char *name)
{
	return http_field_nth(h, name, 0);
}

bool http_list_next(struct slice *rest, struct slice *element_out)
{
	while (rest->n) {
		const char *comma = memchr(rest->p, ',', rest->n);
		size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
		*element_out = trimmed((struct slice){ rest->p, n });
		rest->p += comma ? n + 1 : n;
		rest->n -= comma ? n + 1 : n;
		if (element_out->n)
			return true;
	}
	return false;
}

bool http_list_has(const struct http_head *h, const char *name, const char *word)
{
	struct slice value, element;
	for (size_t i = 0; value = http_field_nth(h, name, i), value.p; i++)
		while (http_list_next(&value, &element))
			if (slice_eq_nocase(element, slice_of(word)))
				return true;
	return false;
}

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} rows[] = {
		{ 101, "Switching Protocols" }, { 200, "OK" }, { 202, "Accepted" }, { 301, "Moved Permanently" }, { 304, "Not Modified" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" }, { 411, "Length Required" }, { 413, "Content Too Large" },
		{ 421, "Misdirected Request" }, { 422, "Unprocessable Content" }, { 426, "Upgrade Required" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].text;
	return "Status";
}

void http_write_answer(struct buf *out, int status, const char *extra, const char *text)
{
	buf_printf(out, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n%s\r\n%s\n",
		   status, http_status_text(status), strlen(text) + 1, extra, text);
}

int http_basic(const struct http_head *h, char *room, size_t n, struct slice *user_out, struct slice *password_out)
{
	struct slice value = http_field(h, "Authorization");
	if (!value.p)
		return ERR_NOT_FOUND;
	if (value.n < 6 || !slice_eq_nocase((struct slice){ value.p, 6 }, SLICE("basic ")))
		return ERR_SYNTAX;
	int length = base64_parse(trimmed((struct slice){ value.p + 6, value.n - 6 }), room, n);
	if (length < 0)
		return length;
	const char *colon = memchr(room, ':', (size_t)length);
	if (!colon)
		return ERR_SYNTAX;
	*user_out = (struct slice){ room, (size_t)(colon - room) };
	*password_out = (struct slice){ colon + 1, (size_t)length - user_out->n - 1 };
	return 0;
}
