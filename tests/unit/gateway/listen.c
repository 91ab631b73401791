/* The listener against requests written by hand: what is accepted, what is refused and how, in any pieces, within its limits. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "gateway/net/http1.h"
#include "gateway/net/link-ws.h"
#include "gateway/net/listen.h"
#include "tests/unit/unit.h"

static struct {
	struct listener *listener;
	struct ws_verdict verdict;
	unsigned judged, accepted, downs;
	char identity[64], user[64], password[64], subprotocols[64], path[64];
	bool has_credentials;
	struct link *link;
	struct buf seen;
	int fd;
	struct buf got;
	bool eof;
} t;

static void copy(char out[64], struct slice s)
{
	snprintf(out, 64, "%.*s", SLICE_ARG(s));
}

static void on_judge(void *arg, const struct ws_request *rq, struct ws_verdict *out)
{
	assert_ptr_equal(arg, &t);
	t.judged++;
	copy(t.identity, rq->identity);
	copy(t.user, rq->user);
	copy(t.password, rq->password);
	copy(t.subprotocols, rq->subprotocols);
	copy(t.path, rq->path);
	t.has_credentials = rq->has_credentials;
	assert_memory_equal(rq->peer, "127.0.0.1:", 10);
	*out = t.verdict;
}

static void on_text(void *owner, struct link *l, struct slice text)
{
	(void)owner, (void)l;
	buf_slice(&t.seen, text);
}

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)owner, (void)why;
	t.downs++;
	link_release(l);
}

static void on_accepted(void *arg, const struct ws_request *rq, struct link *l)
{
	static const struct link_events events = { .text = on_text, .down = on_down };
	(void)arg, (void)rq;
	t.accepted++;
	t.link = l;
	l->events = &events;
}

static void start(struct listener_config c)
{
	memset(&t, 0, sizeof(t));
	t.fd = -1;
	t.verdict = (struct ws_verdict){ .status = 101, .version = OCPP16 };
	c.address = "127.0.0.1";
	c.judge = on_judge;
	c.accepted = on_accepted;
	c.arg = &t;
	assert_int_equal(listener_open(&c, &t.listener), 0);
}

static int dial_raw(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)listener_port(t.listener)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Takes what is there; waits for something only when asked. */
static void take(void)
{
	char bytes[4096];
	ssize_t n;
	loop_turn(0);
	loop_turn(0);
	while (!t.eof && (n = recv(t.fd, bytes, sizeof(bytes), MSG_DONTWAIT)) >= 0) {
		t.eof = n == 0;
		buf_add(&t.got, bytes, (size_t)n);
	}
}

static void say(const char *bytes, size_t n)
{
	if (t.fd < 0)
		t.fd = dial_raw();
	send(t.fd, bytes, n, MSG_NOSIGNAL);
	take();
}

static void hang_up(void)
{
	if (t.fd >= 0)
		close(t.fd);
	t.fd = -1;
	t.eof = false;
	buf_free(&t.got);
	loop_turn(0);
	loop_turn(0);
}

static void finish(void)
{
	hang_up();
	clock_advance(20 * US_PER_S);
	loop_turn(0);
	loop_turn(0);
	assert_int_equal(listener_stats(t.listener)->heads, 0);
	assert_int_equal(listener_stats(t.listener)->links, 0);
	listener_close(t.listener);
	buf_free(&t.seen);
}

#define UPGRADE "Host: gw\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" /* the example of RFC 6455 1.3 */

static void test_an_upgrade(void **state)
{
	static const char request[] = "GET /ocpp//RDAM%20123/?x=1 HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6\r\n\r\n";
	(void)state;
	start((struct listener_config){ 0 });
	say(request, sizeof(request) - 1);
	assert_string_equal(buf_view(&t.got).p, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n");
	assert_string_equal(t.identity, "RDAM 123");
	assert_string_equal(t.path, "/ocpp//RDAM%20123/");
	assert_string_equal(t.subprotocols, "ocpp2.0.1, ocpp1.6");
	assert_false(t.has_credentials);
	assert_int_equal(t.link->version, OCPP16);
	say("\x81\x82\0\0\0\0{}", 8);
	assert_slice(buf_view(&t.seen), "{}");
	hang_up();
	assert_int_equal(t.downs, 1);
	finish();
}

/* Byte by byte, and with the first frame behind the head in the same segment. */
static void test_any_pieces(void **state)
{
	static const char request[] = "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "\r\n\x81\x82\0\0\0\0{}";
	size_t n = sizeof(request) - 1;
	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		start((struct listener_config){ 0 });
		say(request, cut);
		say(request + cut, n - cut);
		assert_int_equal(t.accepted, 1);
		assert_slice(buf_view(&t.seen), "{}");
		finish();
	}
	start((struct listener_config){ 0 });
	for (size_t i = 0; i < n; i++)
		say(request + i, 1);
	assert_slice(buf_view(&t.seen), "{}");
	finish();
}

static void test_requests_and_answers(void **state)
{
	static const struct {
		const char *request;
		int status, accepted;
		const char *identity; /* NULL: not asked about */
	} rows[] = {
		{ "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "\r\n", 101, 1, "CP1" },
		{ "GET /CP1 HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n", 101, 1, "CP1" }, /* no Connection */
		{ "GET ///charger HTTP/1.1\r\n" UPGRADE KEY "\r\n", 101, 1, "charger" },
		{ "GET /a/b/c/RDAM%7C123 HTTP/1.1\r\n" UPGRADE KEY "\r\n", 101, 1, "RDAM|123" },
		{ "GET /%C3%A4 HTTP/1.1\r\n" UPGRADE KEY "\r\n", 101, 1, "\xc3\xa4" },
		{ "GET /a%2Fb HTTP/1.1\r\n" UPGRADE KEY "\r\n", 101, 1, "a/b" },
		{ "GET / HTTP/1.1\r\n" UPGRADE KEY "\r\n", 400, 0, NULL },
		{ "GET /// HTTP/1.1\r\n" UPGRADE KEY "\r\n", 400, 0, NULL },
		{ "GET /%zz HTTP/1.1\r\n" UPGRADE KEY "\r\n", 400, 0, NULL },
		{ "GET /a%00b HTTP/1.1\r\n" UPGRADE KEY "\r\n", 400, 0, NULL },
		{ "GET /%ff HTTP/1.1\r\n" UPGRADE KEY "\r\n", 400, 0, NULL },
		{ "GET CP1 HTTP/1.1\r\n" UPGRADE KEY "\r\n", 400, 0, NULL },
		{ "GET /CP1 HTTP/1.0\r\n" UPGRADE KEY "\r\n", 400, 0, NULL },
		{ "GET /CP1 HTTP/1.1\r\n" UPGRADE "\r\n", 400, 0, NULL },
		{ "GET /CP1 HTTP/1.1\r\n" UPGRADE "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n", 400, 0, NULL },
		{ "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY KEY "\r\n", 400, 0, NULL },
		{ "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "Content-Length: 5\r\n\r\n", 400, 0, NULL },
		{ "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "Authorization: Bearer x\r\n\r\n", 101, 1, "CP1" }, /* as if none were there */
		{ "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "Host: b\r\n\r\n", 400, 0, NULL },
		{ "GET /CP1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n" KEY "\r\n", 426, 0, NULL },
		{ "GET /CP1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" KEY "\r\n", 400, 0, NULL },
		{ "GET /CP1 HTTP/1.1\r\nHost: a\r\n\r\n", 426, 0, NULL },
		{ "POST /CP1 HTTP/1.1\r\n" UPGRADE KEY "\r\n", 405, 0, NULL },
		{ "GET /CP1 HTTP/1.1\nHost: a\n\n", 400, 0, NULL },
		{ "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\n", 400, 0, NULL }, /* TLS to a plain port */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char want[16];
		size_t n = strlen(rows[i].request);
		start((struct listener_config){ 0 });
		if (rows[i].request[0] == '\x16')
			n = 11;
		say(rows[i].request, n);
		snprintf(want, sizeof(want), "HTTP/1.1 %d ", rows[i].status);
		if (t.got.n < 13 || memcmp(t.got.p, want, 13) != 0 || (int)t.accepted != rows[i].accepted ||
		    (rows[i].identity && strcmp(rows[i].identity, t.identity) != 0))
			fail_msg("row %zu: %.40s, identity \"%s\"", i, buf_view(&t.got).p, t.identity);
		assert_false(t.has_credentials);
		if (rows[i].status != 101)
			assert_true(t.eof);
		finish();
	}
}

static void test_the_judge_decides(void **state)
{
	static const char request[] = "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "Authorization: Basic Q1AxOmE6Yg==\r\n\r\n";
	static const int statuses[] = { 401, 404, 403, 503 };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char want[16];
		start((struct listener_config){ 0 });
		t.verdict = (struct ws_verdict){ .status = statuses[i], .reason = "because" };
		say(request, sizeof(request) - 1);
		assert_true(t.has_credentials);
		assert_string_equal(t.user, "CP1");
		assert_string_equal(t.password, "a:b");
		snprintf(want, sizeof(want), "HTTP/1.1 %d ", statuses[i]);
		assert_memory_equal(t.got.p, want, 13);
		assert_int_equal(strstr(t.got.p, "\r\nWWW-Authenticate: Basic ") != NULL, statuses[i] == 401);
		assert_non_null(strstr(t.got.p, "because"));
		assert_int_equal(listener_stats(t.listener)->refused, 1);
		finish();
	}
}

/* 1.6-J 3.2: the handshake is completed without a subprotocol, then the link is closed. */
static void test_no_common_subprotocol(void **state)
{
	static const char request[] = "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Protocol: ocpp1.5\r\n\r\n";
	(void)state;
	start((struct listener_config){ 0 });
	t.verdict = (struct ws_verdict){ .status = 101, .version = -1 };
	say(request, sizeof(request) - 1);
	assert_memory_equal(t.got.p, "HTTP/1.1 101 ", 13);
	assert_null(strstr(t.got.p, "Sec-WebSocket-Protocol"));
	const char *frame = strstr(t.got.p, "\r\n\r\n") + 4;
	assert_memory_equal(frame, "\x88\x17\x03\xea" "no common subprotocol", 25);
	assert_int_equal(t.accepted, 0);
	finish();
}

/* A version that the peer did not offer (a station set to "assume 1.6") is not named to it; one it spells its own way is answered that way. */
static void test_assumed_versions(void **state)
{
	static const char odd[] = "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Protocol: OCPP1.6\r\n\r\n";
	static const char none[] = "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "\r\n";
	(void)state;
	start((struct listener_config){ 0 });
	say(odd, sizeof(odd) - 1);
	assert_non_null(strstr(t.got.p, "\r\nSec-WebSocket-Protocol: OCPP1.6\r\n"));
	hang_up();
	say(none, sizeof(none) - 1);
	assert_null(strstr(t.got.p, "Sec-WebSocket-Protocol"));
	assert_int_equal(t.accepted, 2);
	finish();
}

static void test_compression_is_agreed_when_wanted(void **state)
{
	static const char request[] = "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
	(void)state;
	for (int on = 0; on < 2; on++) {
		start((struct listener_config){ .deflate = on });
		say(request, sizeof(request) - 1);
		assert_int_equal(strstr(t.got.p, "\r\nSec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n") != NULL, on);
		finish();
	}
}

static void test_a_head_that_never_ends(void **state)
{
	char line[101];
	(void)state;
	start((struct listener_config){ 0 });
	say("GET /CP1 HTTP/1.1\r\n", 19);
	clock_advance(HTTP_HEAD_TIMEOUT_US - 1);
	say("Host: a\r\n", 9);
	assert_int_equal(t.got.n, 0);
	clock_advance(1);
	take();
	assert_memory_equal(t.got.p, "HTTP/1.1 408 ", 13);
	hang_up();
	memset(line, 'x', sizeof(line));
	memcpy(line, "A: ", 3);
	memcpy(line + 99, "\r\n", 2);
	say("GET /CP1 HTTP/1.1\r\n", 19);
	for (int i = 0; i < 90 && !t.got.n; i++)
		say(line, sizeof(line));
	assert_memory_equal(t.got.p, "HTTP/1.1 431 ", 13);
	assert_int_equal(t.judged, 0);
	finish();
}

static void test_too_many_connections(void **state)
{
	static const char request[] = "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "\r\n";
	(void)state;
	start((struct listener_config){ .connections_most = 1 });
	say(request, sizeof(request) - 1);
	assert_int_equal(t.accepted, 1);
	int first = t.fd;
	t.fd = -1;
	buf_free(&t.got);
	say("", 0);
	assert_memory_equal(t.got.p, "HTTP/1.1 503 ", 13);
	hang_up();
	close(first);
	take();
	say(request, sizeof(request) - 1);
	assert_int_equal(t.accepted, 2);
	finish();
}

static void test_links_outlive_their_listener(void **state)
{
	static const char request[] = "GET /CP1 HTTP/1.1\r\n" UPGRADE KEY "\r\n";
	(void)state;
	start((struct listener_config){ 0 });
	say(request, sizeof(request) - 1);
	int half = dial_raw();
	take();
	listener_close(t.listener);
	say("\x81\x82\0\0\0\0{}", 8);
	assert_slice(buf_view(&t.seen), "{}");
	char byte;
	assert_int_equal(recv(half, &byte, 1, 0), 0);
	close(half);
	hang_up();
	assert_int_equal(t.downs, 1);
	buf_free(&t.seen);
}

static void test_addresses_that_cannot_be(void **state)
{
	struct listener *l;
	(void)state;
	start((struct listener_config){ 0 });
	struct listener_config c = { .address = "127.0.0.1", .port = listener_port(t.listener) };
	assert_int_equal(listener_open(&c, &l), -EADDRINUSE);
	c.address = "no.address";
	assert_int_equal(listener_open(&c, &l), ERR_INVALID);
	c = (struct listener_config){ .address = "127.0.0.1", .port = 70000 };
	assert_int_equal(listener_open(&c, &l), ERR_INVALID);
	finish();
}

static int open_all(void **state)
{
	(void)state;
	clock_freeze(1000 * US_PER_S, 0);
	return loop_open();
}

static int close_all(void **state)
{
	(void)state;
	loop_close();
	ws_link_free_shared();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_upgrade),
		cmocka_unit_test(test_any_pieces),
		cmocka_unit_test(test_requests_and_answers),
		cmocka_unit_test(test_the_judge_decides),
		cmocka_unit_test(test_no_common_subprotocol),
		cmocka_unit_test(test_assumed_versions),
		cmocka_unit_test(test_compression_is_agreed_when_wanted),
		cmocka_unit_test(test_a_head_that_never_ends),
		cmocka_unit_test(test_too_many_connections),
		cmocka_unit_test(test_links_outlive_their_listener),
		cmocka_unit_test(test_addresses_that_cannot_be),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
