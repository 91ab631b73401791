/* The WebSocket link against frames written by hand, over a socketpair on the real loop, with a clock that only the test moves: every rule of
 * RFC 6455 that a peer can break, messages in any pieces, the close handshake from both sides, silence, and the queue's marks. */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "gateway/net/link-ws.h"
#include "tests/unit/unit.h"

/* The link under test, the other end of its socket, and what its owner saw. */
static struct {
	struct link *l;
	int fd;
	bool client;            /* role of the link */
	struct buf seen;        /* messages, each with a newline; "room" as "<room>" */
	struct buf got;         /* bytes from the link */
	unsigned downs;
	struct link_end end;
	char reason[128];
	bool freed, close_in_text, release_in_text, eof;
} t;

static void on_text(void *owner, struct link *l, struct slice text)
{
	assert_ptr_equal(owner, &t);
	buf_slice(&t.seen, text);
	buf_puts(&t.seen, "\n");
	if (t.close_in_text)
		link_close(l, 1000, "enough");
	if (t.release_in_text)
		link_release(l);
}

static void on_room(void *owner, struct link *l)
{
	(void)owner, (void)l;
	buf_puts(&t.seen, "<room>\n");
}

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)owner;
	t.downs++;
	t.end = *why;
	snprintf(t.reason, sizeof(t.reason), "%s", why->reason);
	link_release(l);
}

static void on_freed(void *arg)
{
	(void)arg;
	t.freed = true;
}

static const struct link_events events = { .text = on_text, .room = on_room, .down = on_down };

static void start(struct ws_options o)
{
	int pair[2];
	struct stream s;
	memset(&t, 0, sizeof(t));
	t.client = o.client;
	o.freed = on_freed;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	t.fd = pair[1];
	stream_open(&s, pair[0], NULL);
	t.l = ws_link_new(&o, NULL, NULL);
	t.l->events = &events;
	t.l->owner = &t;
	ws_link_open(t.l, &s, (struct slice){ 0 });
}

/* Lets the loop work until nothing is ready any more, and takes what the link wrote. */
static void settle(void)
{
	char bytes[65536];
	ssize_t n;
	for (int i = 0; i < 4; i++) {
		loop_turn(0);
		while (!t.eof && (n = recv(t.fd, bytes, sizeof(bytes), 0)) >= 0) {
			if (n == 0)
				t.eof = true;
			buf_add(&t.got, bytes, (size_t)n);
		}
	}
}

static void hang_up(void)
{
	close(t.fd);
	t.eof = true;
	settle();
}

/* Ends what is left of the link by time, and checks that nothing of it stays. */
static void finish(void)
{
	if (!t.downs && !t.release_in_text)
		link_release(t.l);
	settle();
	if (!t.eof)
		close(t.fd);
	settle();
	clock_advance(10 * US_PER_S);
	loop_turn(0);
	assert_true(t.freed);
	buf_free(&t.seen);
	buf_free(&t.got);
}

/* A frame as the peer of this link sends it; `first`: FIN, RSV and opcode. */
static struct buf frame(unsigned first, const void *payload, size_t n)
{
	static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	struct buf b = { 0 };
	unsigned char head[14] = { (unsigned char)first };
	size_t at = 2;
	unsigned bit = t.client ? 0 : 0x80;
	if (n < 126) {
		head[1] = (unsigned char)(bit | n);
	} else if (n < 65536) {
		head[1] = (unsigned char)(bit | 126);
		head[at++] = (unsigned char)(n >> 8);
		head[at++] = (unsigned char)n;
	} else {
		head[1] = (unsigned char)(bit | 127);
		for (int i = 7; i >= 0; i--)
			head[at++] = (unsigned char)((uint64_t)n >> (8 * i));
	}
	if (!t.client)
		for (size_t i = 0; i < 4; i++)
			head[at++] = mask[i];
	buf_add(&b, head, at);
	size_t start = b.n;
	buf_add(&b, payload, n);
	if (!t.client)
		for (size_t i = 0; i < n; i++)
			b.p[start + i] = (char)(b.p[start + i] ^ mask[i % 4]);
	return b;
}

static void send_bytes(struct slice bytes)
{
	while (bytes.n) {
		ssize_t n = send(t.fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n > 0) {
			bytes.p += n;
			bytes.n -= (size_t)n;
		}
		settle();
	}
}

static void say(unsigned first, const char *payload)
{
	struct buf b = frame(first, payload, strlen(payload));
	send_bytes(buf_view(&b));
	buf_free(&b);
}

/* The code in the close frame that the link sent as its last (and first) frame; 0: it sent none. */
static int close_code_sent(void)
{
	const unsigned char *p = (const unsigned char *)t.got.p;
	size_t at = t.client ? 6 : 2;
	if (t.got.n < at + 2 || p[0] != 0x88)
		return 0;
	return t.client ? (p[6] ^ p[2]) << 8 | (p[7] ^ p[3]) : p[2] << 8 | p[3];
}

static void test_text_in_and_out(void **state)
{
	(void)state;
	start((struct ws_options){ 0 });
	say(0x81, "[2,\"1\",\"Heartbeat\",{}]");
	assert_slice(buf_view(&t.seen), "[2,\"1\",\"Heartbeat\",{}]\n");
	assert_int_equal(link_send(t.l, SLICE("[3,\"1\",{}]")), 0);
	assert_int_equal(t.got.n, 0);
	settle();
	assert_int_equal(t.got.n, 12);
	assert_memory_equal(t.got.p, "\x81\x0a[3,\"1\",{}]", 12);
	assert_int_equal(t.l->messages_in, 1);
	assert_int_equal(t.l->messages_out, 1);
	finish();
}

static void test_what_a_client_sends_is_masked(void **state)
{
	(void)state;
	start((struct ws_options){ .client = true });
	assert_int_equal(link_send(t.l, SLICE("hello")), 0);
	settle();
	assert_int_equal(t.got.n, 11);
	assert_int_equal((unsigned char)t.got.p[1], 0x85);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(t.got.p[6 + i] ^ t.got.p[2 + i % 4], "hello"[i]);
	finish();
}

/* Two messages (one in fragments with a ping between) cut at every place, and byte by byte. */
static void test_any_pieces(void **state)
{
	static const unsigned firsts[] = { 0x81, 0x01, 0x89, 0x80, 0x81 };
	static const char *const texts[] = { "\xc3\xa4\xe2\x82\xac", "frag", "ping", "ment", "" };
	(void)state;
	for (int client = 0; client < 2; client++) {
		struct buf all = { 0 };
		t.client = client;
		for (size_t i = 0; i < 5; i++) {
			struct buf one = frame(firsts[i], texts[i], strlen(texts[i]));
			buf_slice(&all, buf_view(&one));
			buf_free(&one);
		}
		for (size_t cut = 0; cut <= all.n; cut++) {
			start((struct ws_options){ .client = client });
			send_bytes((struct slice){ all.p, cut });
			send_bytes((struct slice){ all.p + cut, all.n - cut });
			assert_slice(buf_view(&t.seen), "\xc3\xa4\xe2\x82\xac\nfragment\n\n");
			assert_int_equal(t.got.n, client ? 10 : 6); /* the pong */
			finish();
		}
		start((struct ws_options){ .client = client });
		for (size_t i = 0; i < all.n; i++)
			send_bytes((struct slice){ all.p + i, 1 });
		assert_slice(buf_view(&t.seen), "\xc3\xa4\xe2\x82\xac\nfragment\n\n");
		finish();
		buf_free(&all);
	}
}

/* A link in the middle of a frame keeps its parser; others go on meanwhile. */
static void test_a_half_frame_does_not_disturb_others(void **state)
{
	struct buf whole;
	(void)state;
	start((struct ws_options){ 0 });
	whole = frame(0x81, "slow", 4);
	send_bytes((struct slice){ whole.p, 7 });
	struct link *slow = t.l;
	int slow_fd = t.fd;
	start((struct ws_options){ 0 });
	say(0x81, "quick");
	assert_slice(buf_view(&t.seen), "quick\n");
	assert_int_equal(send(slow_fd, whole.p + 7, whole.n - 7, 0), whole.n - 7);
	settle();
	assert_slice(buf_view(&t.seen), "quick\nslow\n");
	link_release(slow);
	settle();
	close(slow_fd);
	settle();
	assert_true(t.freed);
	t.freed = false;
	finish();
	buf_free(&whole);
}

static void test_large_messages(void **state)
{
	static char text[300000];
	(void)state;
	memset(text, 'x', sizeof(text));
	start((struct ws_options){ .message_most = sizeof(text) });
	for (size_t n = 65534; n <= sizeof(text); n += 117233) {
		struct buf b = frame(0x81, text, n);
		buf_reset(&t.seen);
		send_bytes(buf_view(&b));
		assert_int_equal(t.seen.n, n + 1);
		buf_free(&b);
	}
	finish();
}

/* Each row: what the peer sends, and the close code it gets. Frames as "first payload"; see `rule_frame`. */
static void test_broken_rules(void **state)
{
	static const struct {
		const char *what;
		bool raw;           /* bytes as they are; else a list of frames: first byte, length, payload */
		struct slice bytes;
		int code, err;
	} rows[] = {
		{ "unmasked", true, SLICE("\x81\x05hello"), 1002, ERR_PROTOCOL },
		{ "RSV1", false, SLICE("\xc1\x01x"), 1002, ERR_PROTOCOL },
		{ "RSV2", false, SLICE("\xa1\x01x"), 1002, ERR_PROTOCOL },
		{ "RSV3 on a ping", false, SLICE("\x99\x01x"), 1002, ERR_PROTOCOL },
		{ "opcode 3", false, SLICE("\x83\x01x"), 1002, ERR_PROTOCOL },
		{ "opcode 11", false, SLICE("\x8b\x01x"), 1002, ERR_PROTOCOL },
		{ "opcode 3, empty", false, SLICE("\x83\x00"), 1002, ERR_PROTOCOL },
		{ "fragmented ping", false, SLICE("\x09\x01x"), 1002, ERR_PROTOCOL },
		{ "ping of 126 bytes", true, SLICE("\x89\xfe\x00\x7e"), 1002, ERR_PROTOCOL },
		{ "continuation of nothing", false, SLICE("\x80\x01x"), 1002, ERR_PROTOCOL },
		{ "text inside a message", false, SLICE("\x01\x01x\x81\x01x"), 1002, ERR_PROTOCOL },
		{ "continuation behind the last", false, SLICE("\x01\x01x\x80\x01x\x80\x01x"), 1002, ERR_PROTOCOL },
		{ "length not minimal, 16 bits", true, SLICE("\x81\xfe\x00\x05mask!"), 1002, ERR_PROTOCOL },
		{ "length not minimal, 64 bits", true, SLICE("\x81\xff\0\0\0\0\0\0\xff\xffmask"), 1002, ERR_PROTOCOL },
		{ "length over 2^63", true, SLICE("\x81\xff\x80\0\0\0\0\0\0\0mask"), 1002, ERR_PROTOCOL },
		{ "binary", false, SLICE("\x82\x01x"), 1003, ERR_PROTOCOL },
		{ "too large", true, SLICE("\x81\xfe\x03\xe9mask."), 1009, ERR_TOO_LARGE },
		{ "far too large", true, SLICE("\x81\xff\0\0\x7f\0\0\0\0\0mask."), 1009, ERR_TOO_LARGE },
		{ "not UTF-8", false, SLICE("\x81\x02\xc3\x28"), 1007, ERR_PROTOCOL },
		{ "overlong", false, SLICE("\x81\x02\xc0\xaf"), 1007, ERR_PROTOCOL },
		{ "overlong in three", false, SLICE("\x81\x03\xe0\x80\xaf"), 1007, ERR_PROTOCOL },
		{ "surrogate", false, SLICE("\x81\x03\xed\xa0\x80"), 1007, ERR_PROTOCOL },
		{ "above U+10FFFF", false, SLICE("\x81\x04\xf4\x90\x80\x80"), 1007, ERR_PROTOCOL },
		{ "cut character", false, SLICE("\x81\x01\xc3"), 1007, ERR_PROTOCOL },
		{ "bad before its message ends", false, SLICE("\x01\x02\xc3\x28"), 1007, ERR_PROTOCOL },
		{ "cut over fragments", false, SLICE("\x01\x02\xe2\x82\x80\x01x"), 1007, ERR_PROTOCOL },
		{ "close of one byte", false, SLICE("\x88\x01\x03"), 1002, ERR_PROTOCOL },
		{ "close 999", false, SLICE("\x88\x02\x03\xe7"), 1002, ERR_PROTOCOL },
		{ "close 1004", false, SLICE("\x88\x02\x03\xec"), 1002, ERR_PROTOCOL },
		{ "close 1005", false, SLICE("\x88\x02\x03\xed"), 1002, ERR_PROTOCOL },
		{ "close 1006", false, SLICE("\x88\x02\x03\xee"), 1002, ERR_PROTOCOL },
		{ "close 1015", false, SLICE("\x88\x02\x03\xf7"), 1002, ERR_PROTOCOL },
		{ "close 2999", false, SLICE("\x88\x02\x0b\xb7"), 1002, ERR_PROTOCOL },
		{ "close 5000", false, SLICE("\x88\x02\x13\x88"), 1002, ERR_PROTOCOL },
		{ "close reason not UTF-8", false, SLICE("\x88\x03\x03\xe8\xff"), 1007, ERR_PROTOCOL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice rest = rows[i].bytes;
		start((struct ws_options){ .message_most = 1000 });
		while (!rows[i].raw && rest.n) {
			size_t n = (unsigned char)rest.p[1];
			struct buf b = frame((unsigned char)rest.p[0], rest.p + 2, n);
			send_bytes(buf_view(&b));
			buf_free(&b);
			rest = (struct slice){ rest.p + 2 + n, rest.n - 2 - n };
		}
		if (rows[i].raw)
			send_bytes(rest);
		size_t skip = t.got.n; /* nothing precedes the close frame in any row */
		if (close_code_sent() != rows[i].code || t.downs != 1 || t.end.err != rows[i].err || t.end.code != rows[i].code || !t.end.by_us)
			fail_msg("%s: sent %d (%zu bytes), down %u with %d, %s", rows[i].what, close_code_sent(), skip, t.downs, t.end.code, t.reason);
		finish();
	}
}

static void test_a_client_takes_no_masked_frames(void **state)
{
	(void)state;
	start((struct ws_options){ .client = true });
	send_bytes(SLICE("\x81\x81maskx"));
	assert_int_equal(close_code_sent(), 1002);
	assert_string_equal(t.reason, "masked frame from a server");
	finish();
}

static void test_messages_add_up_to_the_bound(void **state)
{
	static char text[1001];
	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	start((struct ws_options){ .message_most = 1000 });
	text[500] = 0;
	say(0x01, text);
	say(0x80, text);
	assert_int_equal(t.seen.n, 1001);
	say(0x01, text);
	say(0x00, text);
	assert_int_equal(t.downs, 0);
	say(0x80, "x");
	assert_int_equal(close_code_sent(), 1009);
	finish();
}

static void test_the_peer_closes(void **state)
{
	static const struct {
		struct slice payload;
		int code;
		const char *reason;
	} rows[] = {
		{ SLICE(""), 1005, "closed by the peer" },
		{ SLICE("\x03\xe8"), 1000, "closed by the peer" },
		{ SLICE("\x03\xe9rebooting"), 1001, "rebooting" },
		{ SLICE("\x0f\xa0own"), 4000, "own" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start((struct ws_options){ 0 });
		struct buf b = frame(0x88, rows[i].payload.p, rows[i].payload.n);
		send_bytes(buf_view(&b));
		buf_free(&b);
		assert_int_equal(t.downs, 1);
		assert_int_equal(t.end.code, rows[i].code);
		assert_int_equal(t.end.err, ERR_CLOSED);
		assert_false(t.end.by_us);
		assert_string_equal(t.reason, rows[i].reason);
		assert_int_equal(close_code_sent(), rows[i].payload.n ? rows[i].code : 0);
		assert_int_equal(t.got.n, rows[i].payload.n ? 4 : 2);
		assert_true(t.eof); /* the server is the first to say FIN */
		finish();
	}
}

static void test_we_close(void **state)
{
	(void)state;
	start((struct ws_options){ 0 });
	assert_int_equal(link_send(t.l, SLICE("last")), 0);
	link_close(t.l, 1000, "done");
	assert_int_equal(link_send(t.l, SLICE("more")), ERR_CLOSED);
	settle();
	assert_int_equal(t.downs, 0);
	assert_int_equal(t.got.n, 6 + 8);
	assert_memory_equal(t.got.p, "\x81\x04last\x88\x06\x03\xe8" "done", 14);
	say(0x81, "too late");
	assert_int_equal(t.seen.n, 0);
	struct buf b = frame(0x88, "\x03\xe8", 2);
	send_bytes(buf_view(&b));
	buf_free(&b);
	assert_int_equal(t.downs, 1);
	assert_int_equal(t.end.code, 1000);
	assert_true(t.end.by_us);
	assert_string_equal(t.reason, "done");
	finish();
}

static void test_a_close_that_nobody_answers(void **state)
{
	(void)state;
	start((struct ws_options){ 0 });
	link_close(t.l, 1001, "bye");
	settle();
	clock_advance(5 * US_PER_S - 1);
	settle();
	assert_int_equal(t.downs, 0);
	clock_advance(1);
	settle();
	assert_int_equal(t.downs, 1);
	assert_string_equal(t.reason, "bye");
	assert_true(t.freed);
	finish();
}

static void test_the_connection_is_lost(void **state)
{
	(void)state;
	start((struct ws_options){ 0 });
	say(0x01, "half a mes");
	hang_up();
	assert_int_equal(t.downs, 1);
	assert_int_equal(t.end.code, 1006);
	assert_int_equal(t.end.err, ERR_CLOSED);
	assert_false(t.end.by_us);
	assert_true(t.freed);
	finish();
}

static void test_closing_and_releasing_inside_a_message(void **state)
{
	(void)state;
	for (int release = 0; release < 2; release++) {
		struct buf two = { 0 }, one;
		start((struct ws_options){ 0 });
		t.close_in_text = true;
		t.release_in_text = release;
		one = frame(0x81, "one", 3);
		buf_slice(&two, buf_view(&one));
		buf_slice(&two, buf_view(&one));
		send_bytes(buf_view(&two));
		assert_slice(buf_view(&t.seen), "one\n");
		assert_int_equal(close_code_sent(), 1000);
		buf_free(&one);
		buf_free(&two);
		finish();
		assert_int_equal(t.downs, release ? 0 : t.downs);
	}
}

static void test_pings(void **state)
{
	(void)state;
	start((struct ws_options){ .ping_us = 30 * US_PER_S, .pong_timeout_us = 10 * US_PER_S });
	clock_advance(30 * US_PER_S);
	settle();
	assert_int_equal(t.got.n, 2);
	assert_memory_equal(t.got.p, "\x89\x00", 2);
	clock_advance(9 * US_PER_S);
	say(0x8a, "");
	clock_advance(20 * US_PER_S);
	settle();
	assert_int_equal(t.downs, 0);
	clock_advance(1 * US_PER_S);
	settle();
	assert_int_equal(t.got.n, 4);
	clock_advance(10 * US_PER_S - 1);
	settle();
	assert_int_equal(t.downs, 0);
	clock_advance(1);
	settle();
	assert_int_equal(t.downs, 1);
	assert_int_equal(t.end.err, ERR_TIMEOUT);
	assert_int_equal(t.end.code, 1006);
	assert_string_equal(t.reason, "no pong");
	finish();
}

static void test_pings_change_with_the_station(void **state)
{
	(void)state;
	start((struct ws_options){ .ping_us = 30 * US_PER_S });
	ws_link_pings(t.l, 0, 0);
	clock_advance(1000 * US_PER_S);
	settle();
	assert_int_equal(t.got.n, 0);
	ws_link_pings(t.l, 10 * US_PER_S, 0);
	clock_advance(10 * US_PER_S);
	settle();
	assert_int_equal(t.got.n, 2);
	clock_advance(10 * US_PER_S);
	settle();
	assert_int_equal(t.downs, 1);
	assert_string_equal(t.reason, "no pong");
	finish();
}

static void test_idle(void **state)
{
	(void)state;
	start((struct ws_options){ .idle_us = 60 * US_PER_S });
	clock_advance(59 * US_PER_S);
	say(0x81, "here");
	clock_advance(59 * US_PER_S);
	settle();
	assert_int_equal(t.downs, 0);
	clock_advance(1 * US_PER_S);
	settle();
	assert_int_equal(t.downs, 1);
	assert_int_equal(t.end.err, ERR_TIMEOUT);
	assert_int_equal(close_code_sent(), 1000);
	finish();
}

static void test_pongs(void **state)
{
	(void)state;
	start((struct ws_options){ 0 });
	say(0x89, "are you there");
	assert_memory_equal(t.got.p, "\x8a\x0d" "are you there", 15);
	finish();
}

static void test_pongs_nobody_reads_are_not_kept(void **state)
{
	char text[126];
	const unsigned pings = 20000;
	(void)state;
	memset(text, 'x', 125);
	text[125] = 0;
	start((struct ws_options){ .queue_most = 1000 });
	struct buf b = frame(0x89, text, 125);
	for (unsigned i = 0; i < pings; i++) {
		assert_int_equal(send(t.fd, b.p, b.n, 0), b.n);
		loop_turn(0);
	}
	buf_free(&b);
	settle();
	assert_true(t.got.n > 0 && t.got.n < pings * 127 / 2);
	assert_int_equal(t.got.n % 127, 0);
	finish();
}

static void test_the_queue_has_two_marks(void **state)
{
	static char text[100001];
	size_t taken = 0;
	int err;
	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	start((struct ws_options){ .queue_most = 400000 });
	for (err = 0; !err; loop_turn(0)) {
		err = link_send(t.l, slice_of(text));
		taken += !err;
	}
	assert_int_equal(err, ERR_FULL);
	assert_true(taken >= 4 && taken < 20);
	assert_int_equal(t.seen.n, 0);
	for (int i = 0; i < 200 && t.got.n < taken * 100010; i++)
		settle();
	assert_int_equal(t.got.n, taken * 100010);
	assert_slice(buf_view(&t.seen), "<room>\n");
	assert_int_equal(link_send(t.l, SLICE("again")), 0);
	settle();
	assert_slice(buf_view(&t.seen), "<room>\n");
	finish();
}

static void test_compressed_messages(void **state)
{
	static const char hello[] = "\xf2\x48\xcd\xc9\xc9\x07\x00"; /* RFC 7692 7.2.3.1 */
	struct buf b, text = { 0 };
	(void)state;
	for (int unasked = 0; unasked < 2; unasked++) {
		start((struct ws_options){ .deflate = { !unasked, 13 }, .rsv1_unasked = unasked, .message_most = 5 });
		b = frame(0xc1, hello, 7);
		assert_int_equal(sizeof(hello), 8);
		send_bytes(buf_view(&b)); /* 7 bytes are over the bound of 5, though what they hold is not */
		buf_free(&b);
		assert_int_equal(close_code_sent(), 1009);
		finish();
		start((struct ws_options){ .deflate = { !unasked, 13 }, .rsv1_unasked = unasked });
		b = frame(0x41, hello, 3);
		send_bytes(buf_view(&b));
		buf_free(&b);
		b = frame(0x80, hello + 3, 4);
		send_bytes(buf_view(&b));
		buf_free(&b);
		say(0x81, "plain");
		assert_slice(buf_view(&t.seen), "Hello\nplain\n");
		for (int i = 0; i < 50; i++)
			buf_puts(&text, "{\"value\":\"1\"},");
		assert_int_equal(link_send(t.l, buf_view(&text)), 0);
		settle();
		assert_int_equal((unsigned char)t.got.p[0], unasked ? 0x81 : 0xc1);
		assert_int_equal(t.got.n < text.n, !unasked);
		buf_free(&text);
		finish();
	}
}

/* Any bytes at all: the link ends or waits, and is freed. The seed is printed so that a failure can be repeated. */
static void test_garbage(void **state)
{
	unsigned seed = (unsigned)getpid();
	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 300; round++) {
		char bytes[200];
		start((struct ws_options){ .client = round % 2, .deflate = { round % 3 == 0, 13 }, .message_most = 1000 });
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)rand();
		bytes[0] = (char)(0x80 | rand() % 12);
		send_bytes((struct slice){ bytes, (size_t)rand() % sizeof(bytes) });
		finish();
	}
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
	deflate_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_in_and_out),
		cmocka_unit_test(test_what_a_client_sends_is_masked),
		cmocka_unit_test(test_any_pieces),
		cmocka_unit_test(test_a_half_frame_does_not_disturb_others),
		cmocka_unit_test(test_large_messages),
		cmocka_unit_test(test_broken_rules),
		cmocka_unit_test(test_a_client_takes_no_masked_frames),
		cmocka_unit_test(test_messages_add_up_to_the_bound),
		cmocka_unit_test(test_the_peer_closes),
		cmocka_unit_test(test_we_close),
		cmocka_unit_test(test_a_close_that_nobody_answers),
		cmocka_unit_test(test_the_connection_is_lost),
		cmocka_unit_test(test_closing_and_releasing_inside_a_message),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_pings_change_with_the_station),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_pongs),
		cmocka_unit_test(test_pongs_nobody_reads_are_not_kept),
		cmocka_unit_test(test_the_queue_has_two_marks),
		cmocka_unit_test(test_compressed_messages),
		cmocka_unit_test(test_garbage),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
