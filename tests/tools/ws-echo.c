/* An echo server and an echo client on our WebSocket code, so that public RFC 6455 suites can be run against both roles:
 *
 *   ws-echo server [--port P] [--tls CERT KEY] [--deflate]     prints "listening on P"
 *   ws-echo client URL [--deflate] [--insecure | --ca FILE]    ends with the link; exit 0 when it was closed by a close frame
 *
 * Every text and binary message goes back as it came. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "gateway/net/dial.h"
#include "gateway/net/listen.h"

#define MESSAGE_MOST (64 * 1024 * 1024) /* the suites send up to 16 MiB */

static struct {
	const char *role, *url, *cert, *key, *ca;
	int port;
	bool deflate, insecure;
} opt;

static int status = 0;

static void on_text(void *owner, struct link *l, struct slice text)
{
	(void)owner;
	if (link_send(l, text) != 0)
		link_close(l, 1008, "the echo is not read");
}

static void on_binary(void *owner, struct link *l, struct slice bytes)
{
	(void)owner;
	if (ws_link_send_binary(l, bytes) != 0)
		link_close(l, 1008, "the echo is not read");
}

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)owner;
	if (opt.url) {
		fprintf(stderr, "down: code %d, %s: %s\n", why->code, err_text(why->err), why->reason);
		status = why->err == ERR_CLOSED && why->code != 1006 ? 0 : 1;
		loop_stop();
	}
	link_release(l);
}

static const struct link_events events = { .text = on_text, .down = on_down };

static void on_judge(void *arg, const struct ws_request *rq, struct ws_verdict *out)
{
	(void)arg, (void)rq;
	*out = (struct ws_verdict){ .status = 101, .version = OCPP16 };
}

static void on_accepted(void *arg, const struct ws_request *rq, struct link *l)
{
	(void)arg, (void)rq;
	l->events = &events;
}

static int run_server(void)
{
	struct tls_server *tls = NULL;
	struct listener *listener;
	char why[TLS_WHY];
	struct tls_server_config t = { .cert = opt.cert, .key = opt.key };
	if (opt.cert && tls_server_open(&t, &tls, why) != 0) {
		fprintf(stderr, "ws-echo: %s\n", why);
		return 1;
	}
	struct listener_config c = {
		.address = "127.0.0.1", .port = opt.port, .tls = tls, .deflate = opt.deflate, .judge = on_judge, .accepted = on_accepted,
		.binary = on_binary, .message_most = MESSAGE_MOST, .queue_most = MESSAGE_MOST,
	};
	int err = listener_open(&c, &listener);
	if (err) {
		fprintf(stderr, "ws-echo: port %d: %s\n", opt.port, err_text(err));
		return 1;
	}
	printf("listening on %d\n", listener_port(listener));
	fflush(stdout);
	loop_run();
	listener_close(listener);
	tls_server_free(&tls);
	return 0;
}

static int run_client(void)
{
	struct tls_client *tls;
	char why[TLS_WHY];
	struct tls_client_config t = { .ca = opt.ca, .insecure = opt.insecure, .check_name = true };
	if (tls_client_open(&t, &tls, why) != 0) {
		fprintf(stderr, "ws-echo: %s\n", why);
		return 1;
	}
	struct dial_config c = {
		.url = opt.url, .tls = tls, .deflate = opt.deflate, .binary = on_binary, .message_most = MESSAGE_MOST, .queue_most = MESSAGE_MOST,
	};
	dial(&c, &events, NULL);
	loop_run();
	loop_turn(0); /* the last bytes */
	tls_client_free(&tls);
	return status;
}

static int usage(void)
{
	fputs("usage: ws-echo server [--port P] [--tls CERT KEY] [--deflate]\n       ws-echo client URL [--deflate] [--insecure | --ca FILE]\n",
	      stderr);
	return 2;
}

static bool read_options(int argc, char **argv)
{
	int i = 2;
	if (argc < 2)
		return false;
	opt.role = argv[1];
	if (strcmp(opt.role, "client") == 0 && argc > 2)
		opt.url = argv[i++];
	for (; i < argc; i++) {
		if (strcmp(argv[i], "--deflate") == 0)
			opt.deflate = true;
		else if (strcmp(argv[i], "--insecure") == 0)
			opt.insecure = true;
		else if (strcmp(argv[i], "--ca") == 0 && i + 1 < argc)
			opt.ca = argv[++i];
		else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc)
			opt.port = atoi(argv[++i]);
		else if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc)
			opt.cert = argv[++i], opt.key = argv[++i];
		else
			return false;
	}
	return opt.url || strcmp(opt.role, "server") == 0;
}

static void on_stop(void *arg)
{
	(void)arg;
	loop_stop();
}

int main(int argc, char **argv)
{
	if (!read_options(argc, argv))
		return usage();
	if (loop_open() != 0 || loop_on_signal(SIGTERM, on_stop, NULL) != 0 || loop_on_signal(SIGINT, on_stop, NULL) != 0)
		return 1;
	int result = opt.url ? run_client() : run_server();
	loop_close();
	ws_link_free_shared();
	deflate_free();
	return result;
}
