/* Heads of HTTP/1.1 requests and responses: found in a growing buffer, then cut into windows. Bodies are the caller's business.
 * Strict where two readers could disagree about where a message ends (RFC 9112 sections 2.2, 5, 6): CRLF only, no folded lines, one Host,
 * one Content-Length, never together with Transfer-Encoding. Nothing here allocates or does I/O. */
#ifndef AMPGATE_GATEWAY_HTTP1_H
#define AMPGATE_GATEWAY_HTTP1_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define HTTP_HEAD_MOST 8192   /* bytes, the blank line included */
#define HTTP_FIELDS_MOST 64
#define HTTP_HEAD_TIMEOUT_US INT64_C(10000000)

struct http_field {
	struct slice name, value; /* the value without white space around it; empty, not absent, where nothing stands */
};

/* Windows into the head's text. */
struct http_head {
	struct slice method, target; /* requests */
	int status;                  /* responses */
	struct slice reason;
	int minor;                   /* HTTP/1.minor */
	int64_t content_length;      /* -1: not said */
	bool chunked;
	size_t n_fields;
	struct http_field fields[HTTP_FIELDS_MOST];
};

/* Looks for the end of a head in what has arrived. `scanned` is the caller's, zero at first, and keeps a slow peer from being read twice.
 * The head's length with its blank line; 0: not all there yet; ERR_TOO_LARGE over `most` bytes; ERR_SYNTAX: a line ends in a bare LF. */
int http_head_length(struct slice arrived, size_t most, size_t *scanned) MUST_CHECK;

/* Cuts a whole head. 0, or ERR_SYNTAX with the reason in English in *why_out. */
int http_read_request(struct slice head, struct http_head *out, const char **why_out) MUST_CHECK;
int http_read_response(struct slice head, struct http_head *out, const char **why_out) MUST_CHECK;

/* The value of the i-th field of that name (any case); absent: there is none. */
struct slice http_field_nth(const struct http_head *h, const char *name, size_t i);
struct slice http_field(const struct http_head *h, const char *name);

/* Whether a comma-separated list in any of the fields of that name holds the word (any case). */
bool http_list_has(const struct http_head *h, const char *name, const char *word);
/* The next element of such a list, white space cut; false: no more. `rest` starts as the whole value. */
bool http_list_next(struct slice *rest, struct slice *element_out);

const char *http_status_text(int status);

/* Appends a whole answer with a line of text as its body, and Connection: close. `extra`: further field lines, each with CRLF, or "". */
void http_write_answer(struct buf *out, int status, const char *extra, const char *text);

/* The credentials of "Authorization: Basic ...": decoded into `room` (of n bytes) and split at the first colon; the password may hold any
 * byte. 0, ERR_NOT_FOUND (no such field), ERR_SYNTAX, ERR_TOO_LARGE. */
int http_basic(const struct http_head *h, char *room, size_t n, struct slice *user_out, struct slice *password_out) MUST_CHECK;

#endif
