/* Connecting: against our own listener, plain and TLS with certificates made here, and against servers that answer as the test says. Every
 * failure has its own cause. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/net/dial.h"
#include "gateway/net/listen.h"
#include "tests/unit/unit.h"

#define PATIENCE 2000 /* turns of at most 5 ms until something that must happen counts as missing */

static char dir[] = "/tmp/ampgate-dial-XXXXXX";

static struct {
	/* the connecting end */
	struct link *l;
	unsigned ups, downs;
	struct link_end end;
	char reason[256];
	struct buf seen;
	/* the accepting end */
	struct listener *listener;
	struct link *accepted;
	char user[64], cn[64];
	struct slice password;
	int status;
} t;

static void on_up(void *owner, struct link *l)
{
	assert_ptr_equal(owner, &t);
	assert_ptr_equal(l, t.l);
	t.ups++;
}

static void on_text(void *owner, struct link *l, struct slice text)
{
	(void)owner, (void)l;
	buf_slice(&t.seen, text);
}

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)owner;
	t.downs++;
	t.end = *why;
	snprintf(t.reason, sizeof(t.reason), "%s", why->reason);
	link_release(l);
}

static void on_far_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)owner, (void)why;
	link_release(l);
}

static const struct link_events events = { .up = on_up, .text = on_text, .down = on_down };

static void on_judge(void *arg, const struct ws_request *rq, struct ws_verdict *out)
{
	(void)arg;
	snprintf(t.user, sizeof(t.user), "%.*s", SLICE_ARG(rq->user));
	snprintf(t.cn, sizeof(t.cn), "%.*s", SLICE_ARG(rq->client_cn));
	t.password = (struct slice){ mem_text(rq->password), rq->password.n };
	*out = (struct ws_verdict){ .status = t.status ? t.status : 101, .version = version_parse(rq->subprotocols) };
	if (!rq->subprotocols.p)
		out->version = OCPP16;
}

static void on_accepted(void *arg, const struct ws_request *rq, struct link *l)
{
	static const struct link_events far_events = { .down = on_far_down };
	(void)arg, (void)rq;
	l->events = &far_events;
	t.accepted = l;
	assert_int_equal(link_send(l, SLICE("hello")), 0); /* leaves with the 101, in one segment */
}

static void start(struct tls_server *tls)
{
	struct listener_config c = { .address = "127.0.0.1", .judge = on_judge, .accepted = on_accepted, .deflate = true, .tls = tls };
	memset(&t, 0, sizeof(t));
	assert_int_equal(listener_open(&c, &t.listener), 0);
}

static bool settled(void)
{
	return t.downs || (t.ups && t.seen.n);
}

static void go(struct dial_config c, const char *scheme, const char *host, int port)
{
	char url[128];
	snprintf(url, sizeof(url), "%s://%s:%d/ocpp/CP%%201?a=b", scheme, host, port);
	c.url = url;
	t.l = dial(&c, &events, &t);
	for (int i = 0; i < PATIENCE && !settled(); i++)
		loop_turn(5000);
	assert_true(settled());
}

static void finish(void)
{
	if (t.ups && !t.downs)
		link_close(t.l, 1000, "done");
	if (t.listener) {
		for (int i = 0; i < PATIENCE && listener_stats(t.listener)->links + listener_stats(t.listener)->heads; i++)
			loop_turn(5000);
		assert_int_equal(listener_stats(t.listener)->links, 0);
		listener_close(t.listener);
	}
	loop_turn(0);
	assert_int_equal(t.downs, 1);
	buf_free(&t.seen);
	mem_free((void *)(uintptr_t)t.password.p);
}

static void assert_failed(int err, int code, const char *reason)
{
	if (t.downs != 1 || t.ups || t.end.err != err || t.end.code != code || !strstr(t.reason, reason))
		fail_msg("up %u, down %u, %d (%s), code %d, \"%s\"", t.ups, t.downs, t.end.err, err_text(t.end.err), t.end.code, t.reason);
}

static void test_a_plain_connect(void **state)
{
	static const char secret[] = "\0\1:\xff";
	(void)state;
	start(NULL);
	go((struct dial_config){ .subprotocol = "ocpp2.0.1", .user = "CP1", .password = { secret, 4 }, .deflate = true }, "ws", "127.0.0.1",
	   listener_port(t.listener));
	assert_int_equal(t.ups, 1);
	assert_slice(buf_view(&t.seen), "hello");
	assert_int_equal(t.l->version, OCPP201);
	assert_int_equal(t.accepted->version, OCPP201);
	assert_string_equal(t.user, "CP1");
	assert_int_equal(t.password.n, 4);
	assert_memory_equal(t.password.p, secret, 4);
	assert_memory_equal(t.l->peer, "127.0.0.1:", 10);
	assert_true(dial_times(t.l)->tcp_us > 0 && dial_times(t.l)->upgrade_us > 0);
	assert_int_equal(dial_times(t.l)->tls_us, 0);
	finish();
}

static void test_a_name_is_resolved_beside_the_loop(void **state)
{
	(void)state;
	start(NULL);
	go((struct dial_config){ 0 }, "ws", "localhost", listener_port(t.listener));
	assert_int_equal(t.ups, 1);
	assert_true(dial_times(t.l)->dns_us > 0);
	finish();
}

static void test_names_without_address(void **state)
{
	char name[81];
	(void)state;
	memset(&t, 0, sizeof(t));
	memset(name, 'a', 80); /* too long for a label: refused without asking anybody */
	name[80] = 0;
	go((struct dial_config){ 0 }, "ws", name, 80);
	assert_failed(-EHOSTUNREACH, 0, "has no address");
	finish();
}

static void test_urls_that_are_none(void **state)
{
	static const char *const urls[] = { "ftp://a/b", "nonsense", "ws://", "ws://a:0/", "ws://a:70000/", "ws://a:x/", "ws://u:p@a/", "ws://[::1/",
					    "ws://a/b c", "ws://a/b\r\nX: y", "wss://a/b" };
	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct dial_config c = { .url = urls[i] };
		memset(&t, 0, sizeof(t));
		t.l = dial(&c, &events, &t);
		assert_int_equal(t.downs, 0);
		loop_turn(0);
		assert_failed(ERR_INVALID, 0, "");
	}
}

static void test_nobody_listens(void **state)
{
	(void)state;
	start(NULL);
	int port = listener_port(t.listener);
	listener_close(t.listener);
	t.listener = NULL;
	go((struct dial_config){ 0 }, "ws", "127.0.0.1", port);
	assert_failed(-ECONNREFUSED, 0, "Connection refused");
	finish();
}

static void test_refusals(void **state)
{
	static const struct {
		int status, err;
	} rows[] = { { 401, ERR_AUTH }, { 403, ERR_AUTH }, { 404, ERR_NOT_FOUND }, { 503, ERR_REFUSED } };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		start(NULL);
		t.status = rows[i].status;
		go((struct dial_config){ .subprotocol = "ocpp1.6" }, "ws", "127.0.0.1", listener_port(t.listener));
		assert_failed(rows[i].err, rows[i].status, "the server answers HTTP");
		finish();
	}
}

static void test_no_common_subprotocol(void **state)
{
	(void)state;
	start(NULL);
	go((struct dial_config){ .subprotocol = "ocpp1.5" }, "ws", "127.0.0.1", listener_port(t.listener));
	assert_failed(ERR_PROTOCOL, 101, "the server chose no subprotocol");
	finish();
}

static void test_giving_up_midway(void **state)
{
	(void)state;
	for (int round = 0; round < 4; round++) {
		bool release = round % 2;
		char url[64];
		start(NULL);
		snprintf(url, sizeof(url), "ws://%s:%d/CP1", round < 2 ? "127.0.0.1" : "localhost", listener_port(t.listener));
		struct dial_config c = { .url = url };
		t.l = dial(&c, &events, &t);
		loop_turn(0);
		assert_int_equal(link_send(t.l, SLICE("early")), ERR_CLOSED);
		if (release)
			link_release(t.l);
		else
			link_close(t.l, 1000, "changed my mind");
		for (int i = 0; i < 10; i++)
			loop_turn(0);
		assert_int_equal(t.ups, 0);
		assert_int_equal(t.downs, !release);
		t.downs = 1;
		finish();
	}
}

/* ---- a server that answers what the test says */

static int scripted_listener(int *port_out)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	getsockname(fd, (struct sockaddr *)&at, &n);
	*port_out = ntohs(at.sin_port);
	return fd;
}

struct script {
	struct watch door, talk;
	const char *answer; /* %s is replaced by the right Sec-WebSocket-Accept; NULL: none */
	int fd;
};

static void on_request(void *arg, unsigned what)
{
	struct script *s = arg;
	char request[4096], accept[WS_ACCEPT_TEXT], answer[512];
	(void)what;
	ssize_t n = recv(s->fd, request, sizeof(request) - 1, 0);
	watch_want(&s->talk, 0);
	if (n <= 0 || !s->answer)
		return;
	request[n] = 0;
	assert_memory_equal(request, "GET /ocpp/CP%201?a=b HTTP/1.1\r\n", 31);
	char *key = strstr(request, "Sec-WebSocket-Key: ") + 19;
	ws_accept_text((struct slice){ key, 24 }, accept);
	snprintf(answer, sizeof(answer), s->answer, accept);
	assert_int_equal(send(s->fd, answer, strlen(answer), MSG_NOSIGNAL), (ssize_t)strlen(answer));
	shutdown(s->fd, SHUT_WR);
}

static void on_caller(void *arg, unsigned what)
{
	struct script *s = arg;
	(void)what;
	s->fd = accept(s->door.fd, NULL, NULL);
	watch_want(&s->door, 0);
	watch_init(&s->talk, s->fd, on_request, s);
	watch_want(&s->talk, WATCH_READ);
}

static void against(const char *answer, struct dial_config c)
{
	struct script s = { .answer = answer, .fd = -1 };
	int port, fd = scripted_listener(&port);
	memset(&t, 0, sizeof(t));
	watch_init(&s.door, fd, on_caller, &s);
	watch_want(&s.door, WATCH_READ);
	go(c, "ws", "127.0.0.1", port);
	watch_want(&s.door, 0);
	watch_want(&s.talk, 0);
	close(fd);
	if (s.fd >= 0)
		close(s.fd);
	finish();
}

static void test_answers_that_are_none(void **state)
{
	static const struct {
		const char *answer;
		int err, code;
		const char *reason;
	} rows[] = {
		{ "SSH-2.0-OpenSSH_9.2\r\n\r\n", ERR_PROTOCOL, 0, "not HTTP" },
		{ "hello\n", ERR_PROTOCOL, 0, "bare LF" },
		{ "HTTP/1.1 302 Found\r\nLocation: https://elsewhere/\r\n\r\n", ERR_REFUSED, 302, "points to https://elsewhere/" },
		{ "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n", ERR_PROTOCOL, 101, "Accept is wrong" },
		{ "HTTP/1.1 101 Ok\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: %s\r\n\r\n", ERR_PROTOCOL, 101, "not WebSocket" },
		{ "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n", ERR_PROTOCOL, 101,
		  "subprotocol that was not offered" },
		{ "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
		  "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", ERR_PROTOCOL, 101, "extension that was not offered" },
		{ "HTTP/1.1 101 Ok\r\nUpg", ERR_CLOSED, 0, "instead of answering" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		against(rows[i].answer, (struct dial_config){ .subprotocol = "ocpp1.6" });
		assert_failed(rows[i].err, rows[i].code, rows[i].reason);
	}
}

static void test_a_server_that_says_nothing(void **state)
{
	(void)state;
	against(NULL, (struct dial_config){ .timeout_us = 50 * US_PER_MS });
	assert_failed(ERR_TIMEOUT, 0, "WebSocket upgrade took too long");
}

/* ---- TLS */

static const char *file(const char *name)
{
	static char paths[8][64];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void make_certificate(const char *name, const char *key, const char *subject, const char *extensions)
{
	char command[1024];
	snprintf(command, sizeof(command),
		 "cd %s && openssl req -newkey %s -nodes -keyout %s.key -subj '%s' -out %s.csr 2>/dev/null && printf '%s' >%s.ext && "
		 "openssl x509 -req -in %s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile %s.ext -out %s.pem 2>/dev/null",
		 dir, key, name, subject, name, extensions, name, name, name, name);
	shell(command);
}

#define EC "ec -pkeyopt ec_paramgen_curve:P-256"

static int make_all(void **state)
{
	char command[512];
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (int i = 0; i < 2; i++) {
		snprintf(command, sizeof(command), "cd %s && openssl req -x509 -newkey " EC " -nodes -days 2 -subj '/O=test/CN=root' -keyout %s.key -out %s.pem 2>/dev/null",
			 dir, i ? "other" : "ca", i ? "other" : "ca");
		shell(command);
	}
	make_certificate("ecdsa", EC, "/O=test/CN=gateway", "subjectAltName=DNS:localhost,IP:127.0.0.1");
	make_certificate("rsa", "rsa:2048", "/O=test/CN=gateway", "subjectAltName=DNS:localhost,IP:127.0.0.1");
	make_certificate("cn", EC, "/O=test/CN=localhost", "keyUsage=digitalSignature");
	make_certificate("client", EC, "/O=test/CN=SN-4711", "keyUsage=digitalSignature");
	return loop_open();
}

static int remove_all(void **state)
{
	char command[64];
	(void)state;
	loop_close();
	ws_link_free_shared();
	deflate_free();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static struct tls_server *server(const char *one, const char *two, bool ask, bool require)
{
	char names[4][64], why[TLS_WHY] = "";
	struct tls_server *out = NULL;
	struct tls_server_config c = { .client_ca = ask ? file("ca.pem") : NULL, .require_client = require };
	snprintf(names[0], 64, "%s/%s.pem", dir, one);
	snprintf(names[1], 64, "%s/%s.key", dir, one);
	snprintf(names[2], 64, "%s/%s.pem", dir, two ? two : "");
	snprintf(names[3], 64, "%s/%s.key", dir, two ? two : "");
	c.cert = names[0], c.key = names[1];
	if (two)
		c.cert2 = names[2], c.key2 = names[3];
	if (tls_server_open(&c, &out, why) != 0)
		fail_msg("%s", why);
	return out;
}

static struct tls_client *client(const char *ca, bool check_name, bool with_certificate)
{
	char why[TLS_WHY] = "";
	struct tls_client *out = NULL;
	struct tls_client_config c = { .ca = file(ca), .check_name = check_name };
	if (with_certificate)
		c.cert = file("client.pem"), c.key = file("client.key");
	if (tls_client_open(&c, &out, why) != 0)
		fail_msg("%s", why);
	return out;
}

/* Connects with these; the contexts are freed at once, since links must not need them. */
static void go_tls(struct tls_server *s, struct tls_client *c, const char *host)
{
	char url[64];
	start(s);
	snprintf(url, sizeof(url), "wss://%s:%d/CP1", host, listener_port(t.listener));
	struct dial_config config = { .url = url, .tls = c, .subprotocol = "ocpp1.6" };
	t.l = dial(&config, &events, &t);
	tls_client_free(&c);
	for (int i = 0; i < PATIENCE && !settled(); i++)
		loop_turn(5000);
	assert_true(settled());
}

static void test_tls(void **state)
{
	static const struct {
		const char *cert, *cert2, *host, *ca;
		bool check_name, ask, require, shows;
		const char *failure;
	} rows[] = {
		{ "ecdsa", NULL, "localhost", "ca.pem", true, false, false, false, NULL },
		{ "rsa", NULL, "127.0.0.1", "ca.pem", true, false, false, false, NULL },
		{ "rsa", "ecdsa", "localhost", "ca.pem", true, false, false, false, NULL },
		{ "cn", NULL, "localhost", "ca.pem", true, false, false, false, NULL },  /* the name stands in the CN alone */
		{ "cn", NULL, "127.0.0.1", "ca.pem", true, false, false, false, "IP address mismatch" },
		{ "cn", NULL, "127.0.0.1", "ca.pem", false, false, false, false, NULL },
		{ "ecdsa", NULL, "localhost", "other.pem", true, false, false, false, "certificate" },
		{ "ecdsa", NULL, "localhost", "ca.pem", true, true, true, true, NULL },
		{ "ecdsa", NULL, "localhost", "ca.pem", true, true, false, false, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_server *s = server(rows[i].cert, rows[i].cert2, rows[i].ask, rows[i].require);
		go_tls(s, client(rows[i].ca, rows[i].check_name, rows[i].shows), rows[i].host);
		if (rows[i].failure) {
			assert_failed(ERR_TLS, 0, rows[i].failure);
		} else if (!t.ups) {
			fail_msg("row %zu: %s", i, t.reason);
		} else {
			assert_slice(buf_view(&t.seen), "hello");
			assert_true(dial_times(t.l)->tls_us > 0);
			assert_string_equal(t.cn, rows[i].shows ? "SN-4711" : "");
		}
		finish();
		tls_server_free(&s);
	}
}

/* In TLS 1.3 the client is done before the server has looked at its certificate: the refusal comes instead of an answer. */
static void test_a_client_certificate_is_required(void **state)
{
	struct tls_server *s = server("ecdsa", NULL, true, true);
	(void)state;
	go_tls(s, client("ca.pem", true, false), "localhost");
	assert_int_equal(t.ups, 0);
	assert_int_equal(t.downs, 1);
	assert_int_equal(t.end.err, ERR_TLS);
	finish();
	tls_server_free(&s);
}

static void test_tls_against_a_plain_port(void **state)
{
	struct tls_client *c = client("ca.pem", true, false);
	(void)state;
	start(NULL);
	go((struct dial_config){ .tls = c }, "wss", "127.0.0.1", listener_port(t.listener));
	assert_failed(ERR_TLS, 0, "TLS: ");
	tls_client_free(&c);
	finish();
}

/* Each suite that the standard asks of a server (2.x A00.FR.318), asked for alone. */
static void test_suites_of_the_standard(void **state)
{
	static const char *const suites[] = { "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-GCM-SHA384" };
	struct tls_server *s = server("rsa", "ecdsa", false, false);
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char command[256];
		start(s);
		snprintf(command, sizeof(command), "echo | openssl s_client -connect 127.0.0.1:%d -tls1_2 -cipher %s -CAfile %s 2>/dev/null",
			 listener_port(t.listener), suites[i], file("ca.pem"));
		FILE *p = popen(command, "r");
		struct buf said = { 0 };
		for (int k = 0; k < PATIENCE && !listener_stats(t.listener)->connections; k++)
			loop_turn(5000);
		for (int k = 0; k < PATIENCE && listener_stats(t.listener)->heads; k++)
			loop_turn(5000);
		for (int c; (c = fgetc(p)) != EOF;)
			buf_add(&said, &(char){ (char)c }, 1);
		pclose(p);
		if (!strstr(buf_view(&said).p, suites[i]) || strstr(buf_view(&said).p, "Cipher is (NONE)"))
			fail_msg("%s: %s", suites[i], said.p);
		buf_free(&said);
		t.downs = 1;
		finish();
	}
	tls_server_free(&s);
}

static void test_tls_files_that_do_not_fit(void **state)
{
	struct tls_server *s;
	struct tls_client *c;
	char why[TLS_WHY];
	(void)state;
	struct tls_server_config missing = { .cert = file("none.pem"), .key = file("rsa.key") };
	assert_int_equal(tls_server_open(&missing, &s, why), ERR_TLS);
	assert_non_null(strstr(why, "none.pem"));
	struct tls_server_config foreign = { .cert = file("rsa.pem"), .key = file("ecdsa.key") };
	assert_int_equal(tls_server_open(&foreign, &s, why), ERR_TLS);
	struct tls_client_config no_roots = { .ca = file("none.pem") };
	assert_int_equal(tls_client_open(&no_roots, &c, why), ERR_TLS);
	assert_non_null(strstr(why, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_plain_connect),
		cmocka_unit_test(test_a_name_is_resolved_beside_the_loop),
		cmocka_unit_test(test_names_without_address),
		cmocka_unit_test(test_urls_that_are_none),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_common_subprotocol),
		cmocka_unit_test(test_giving_up_midway),
		cmocka_unit_test(test_answers_that_are_none),
		cmocka_unit_test(test_a_server_that_says_nothing),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_a_client_certificate_is_required),
		cmocka_unit_test(test_tls_against_a_plain_port),
		cmocka_unit_test(test_suites_of_the_standard),
		cmocka_unit_test(test_tls_files_that_do_not_fit),
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
