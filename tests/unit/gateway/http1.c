/* Heads of HTTP/1.1: what is read out of them, what is refused and why, and that it does not matter in what pieces they come. */
#include <stdio.h>

#include "gateway/net/http1.h"
#include "tests/unit/unit.h"

static const char good[] =
	"GET /ocpp/RDAM%20123?x=1 HTTP/1.1\r\nHost: gw:8887\r\nUPGRADE: foo, WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
	"Sec-WebSocket-Protocol: ocpp2.0.1\r\nSec-WebSocket-Protocol:ocpp1.6 \r\nX-Empty:\r\n\r\n";

static void test_a_request_is_cut_into_windows(void **state)
{
	static struct http_head h;
	const char *why;
	(void)state;
	assert_int_equal(http_read_request(SLICE(good), &h, &why), 0);
	assert_slice(h.method, "GET");
	assert_slice(h.target, "/ocpp/RDAM%20123?x=1");
	assert_int_equal(h.minor, 1);
	assert_int_equal(h.content_length, -1);
	assert_slice(http_field(&h, "host"), "gw:8887");
	assert_slice(http_field_nth(&h, "sec-websocket-protocol", 1), "ocpp1.6");
	assert_slice(http_field(&h, "X-Empty"), "");
	assert_null(http_field(&h, "X-None").p);
	assert_true(http_list_has(&h, "Upgrade", "websocket"));
	assert_true(http_list_has(&h, "connection", "upgrade"));
	assert_true(http_list_has(&h, "Sec-WebSocket-Protocol", "ocpp1.6"));
	assert_false(http_list_has(&h, "Upgrade", "web"));
}

static void test_the_end_is_found_in_any_pieces(void **state)
{
	char text[sizeof(good) + 5];
	size_t whole = sizeof(good) - 1;
	(void)state;
	snprintf(text, sizeof(text), "%sbytes", good);
	for (size_t first = 0; first < whole; first++) {
		size_t scanned = 0;
		assert_int_equal(http_head_length((struct slice){ text, first }, HTTP_HEAD_MOST, &scanned), 0);
		assert_int_equal(http_head_length((struct slice){ text, whole + 5 }, HTTP_HEAD_MOST, &scanned), whole);
	}
	size_t scanned = 0;
	for (size_t n = 0; n < whole; n++)
		assert_int_equal(http_head_length((struct slice){ text, n }, HTTP_HEAD_MOST, &scanned), 0);
	assert_int_equal(http_head_length((struct slice){ text, whole }, HTTP_HEAD_MOST, &scanned), whole);
}

static void test_what_can_be_no_head_is_known_early(void **state)
{
	size_t scanned = 0;
	(void)state;
	assert_int_equal(http_head_length(SLICE("GET / HTTP/1.1\n"), 8192, &scanned), ERR_SYNTAX);
	scanned = 0;
	assert_int_equal(http_head_length(SLICE("GET / HTTP/1.1\r\nHost: a\n"), 8192, &scanned), ERR_SYNTAX);
	scanned = 0;
	assert_int_equal(http_head_length(SLICE("\r\n"), 8192, &scanned), ERR_SYNTAX);
	scanned = 0;
	assert_int_equal(http_head_length(SLICE("GET /aaaaaaaaaaaaaaaa"), 20, &scanned), ERR_TOO_LARGE);
	scanned = 0;
	assert_int_equal(http_head_length(SLICE("G / HTTP/1.1\r\n\r\n"), 16, &scanned), 16);
	scanned = 0;
	assert_int_equal(http_head_length(SLICE("G / HTTP/1.1\r\n\r\n"), 15, &scanned), ERR_TOO_LARGE);
}

static void test_heads_that_are_refused(void **state)
{
	static const struct {
		const char *head, *why;
	} rows[] = {
		{ "GET /\r\n\r\n", "request line without three words" },
		{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "not HTTP/1.0 or 1.1" },
		{ "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "target holds spaces or control characters" },
		{ "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "method is no word" },
		{ "GET / HTTP/1.1\r\n\r\n", "Host is missing" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", "Host twice" },
		{ "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "folded field line" },
		{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "field name is no word" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n", "field line without a colon" },
		{ "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "control character in a field" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "Content-Length twice" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", "Content-Length is no number" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n", "Content-Length is no number" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "Content-Length is no number" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "Content-Length with Transfer-Encoding" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "transfer coding not understood" },
	};
	static struct http_head h;
	const char *why;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err = http_read_request(slice_of(rows[i].head), &h, &why);
		if (err != ERR_SYNTAX || strcmp(why, rows[i].why) != 0)
			fail_msg("row %zu: %d, \"%s\"; want \"%s\"", i, err, why ? why : "", rows[i].why);
	}
}

static void test_too_many_fields(void **state)
{
	static struct http_head h;
	struct buf text = { 0 };
	const char *why;
	(void)state;
	buf_puts(&text, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < HTTP_FIELDS_MOST; i++)
		buf_puts(&text, "A: b\r\n");
	buf_puts(&text, "\r\n");
	assert_int_equal(http_read_request(buf_view(&text), &h, &why), ERR_SYNTAX);
	assert_string_equal(why, "too many fields");
	buf_free(&text);
}

static void test_bodies_announced(void **state)
{
	static struct http_head h;
	const char *why;
	(void)state;
	assert_int_equal(http_read_request(SLICE("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n"), &h, &why), 0);
	assert_int_equal(h.content_length, 1048576);
	assert_int_equal(http_read_request(SLICE("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"), &h, &why), 0);
	assert_true(h.chunked);
}

static void test_responses(void **state)
{
	static struct http_head h;
	const char *why;
	(void)state;
	assert_int_equal(http_read_response(SLICE("HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n"), &h, &why), 0);
	assert_int_equal(h.status, 404);
	assert_slice(h.reason, "Not Found");
	assert_int_equal(http_read_response(SLICE("HTTP/1.0 200\r\n\r\n"), &h, &why), 0);
	assert_int_equal(h.status, 200);
	assert_int_equal(http_read_response(SLICE("HTTP/1.1 20 OK\r\n\r\n"), &h, &why), ERR_SYNTAX);
	assert_int_equal(http_read_response(SLICE("HTTP/1.1 999 OK\r\n\r\n"), &h, &why), ERR_SYNTAX);
	assert_int_equal(http_read_response(SLICE("SSH-2.0-OpenSSH_9.2\r\n\r\n"), &h, &why), ERR_SYNTAX);
}

static int basic(const char *value, char *room, size_t n, struct slice *user, struct slice *password)
{
	static struct http_head h;
	struct buf text = { 0 };
	const char *why;
	buf_printf(&text, "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n\r\n", value);
	assert_int_equal(http_read_request(buf_view(&text), &h, &why), 0);
	int err = http_basic(&h, room, n, user, password);
	buf_free(&text);
	return err;
}

static void test_basic_credentials(void **state)
{
	/* the example of 1.6-J 6.2: identity AL1000, key 0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF */
	static const char key[20] = { 0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	struct slice user, password;
	char room[256];
	(void)state;
	assert_int_equal(basic("Basic QUwxMDAwOgABAgMEBQYH////////////////", room, sizeof(room), &user, &password), 0);
	assert_slice(user, "AL1000");
	assert_int_equal(password.n, 20);
	assert_memory_equal(password.p, key, 20);
	assert_int_equal(basic("basic  YTpiOmM=", room, sizeof(room), &user, &password), 0); /* a:b:c */
	assert_slice(user, "a");
	assert_slice(password, "b:c");
	assert_int_equal(basic("Basic YWJj", room, sizeof(room), &user, &password), ERR_SYNTAX); /* no colon */
	assert_int_equal(basic("Bearer abc", room, sizeof(room), &user, &password), ERR_SYNTAX);
	assert_int_equal(basic("Basic YTpiOmM=", room, 2, &user, &password), ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_is_cut_into_windows),
		cmocka_unit_test(test_the_end_is_found_in_any_pieces),
		cmocka_unit_test(test_what_can_be_no_head_is_known_early),
		cmocka_unit_test(test_heads_that_are_refused),
		cmocka_unit_test(test_too_many_fields),
		cmocka_unit_test(test_bodies_announced),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_basic_credentials),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
