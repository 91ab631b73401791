/* An HTTP/1.1 server on one socket, for browsers and programs: connections, TLS, heads, bodies, and answers that are given at once, later, or
 * piece by piece. One request at a time per connection, kept open between requests. Loop thread.
 *
 * What is malformed is answered 400 and the connection closed (http1.h says what that is); bodies have a length that is told beforehand. */
#ifndef AMPGATE_GATEWAY_HTTP_H
#define AMPGATE_GATEWAY_HTTP_H

#include "gateway/net/http1.h"
#include "gateway/net/tls.h"

#define HTTP_CONNECTIONS_MOST 64
#define HTTP_BODY_MOST (1024 * 1024)

struct http_server;
struct http_exchange;

/* Lives until the request is answered. */
struct http_request {
	struct http_head head;
	struct slice path, query; /* of the target, as sent; query without its '?', absent: none */
	struct slice body;
	bool tls, loopback;       /* how and from where it came */
	char peer[64], own[64];   /* addresses of both ends, with port */
};

struct http_server_config {
	const char *address; /* numeric */
	int port;            /* 0: any free one */
	struct tls_server *tls; /* NULL: plain. Outlives the server, not its connections */
	/* Called once per request; http_answer or http_stream follows, now or later. */
	void (*handle)(void *arg, struct http_exchange *x);
	void *arg;
};

int http_open(const struct http_server_config *c, struct http_server **out) MUST_CHECK; /* -EADDRINUSE and the like */
void http_close(struct http_server *s); /* drops its connections; exchanges that are still to be answered stay valid until they are */
int http_port(const struct http_server *s);

const struct http_request *http_request(const struct http_exchange *x);

/* The whole answer; `extra` are field lines, each with CRLF, or "". Ends the exchange: `x` is gone. The body is copied. */
void http_answer(struct http_exchange *x, int status, const char *type, const char *extra, struct slice body);

/* An answer without an end, such as server-sent events: afterwards bytes are added with http_push until `gone` tells that the client has left,
 * or until http_end. Either way the exchange is over then. */
void http_stream(struct http_exchange *x, const char *type, void (*gone)(void *arg), void *arg);
void http_push(struct http_exchange *x, struct slice bytes);
size_t http_unsent(const struct http_exchange *x); /* what the client has not taken yet */
void http_end(struct http_exchange *x);

/* A parameter of the query, percent-decoded into `room`; absent slice: not there, or not decodable, or longer. */
struct slice http_query(const struct http_request *rq, const char *name, char *room, size_t n);
/* The value of a cookie; absent: not there. */
struct slice http_cookie(const struct http_request *rq, const char *name);

#endif
