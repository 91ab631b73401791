/* What a WebSocket link costs: opens N pairs (default 1000, argv[1]) between two processes on loopback, prints the memory of an idle link, then
 * echoes frames of 300 bytes (argv[2]) over all of them and prints the processor time of the echoing process, which reads and writes each frame once. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/dial.h"
#include "gateway/listen.h"

#define ROUNDS 100

static struct {
	size_t links, size, up, echoed;
	struct link **all;
	char *text;
	size_t heap_before;
} b;

static int64_t cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * US_PER_S + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void on_judge(void *arg, const struct ws_request *rq, struct ws_verdict *out)
{
	(void)arg, (void)rq;
	*out = (struct ws_verdict){ .status = 101, .version = OCPP16 };
}

static void on_echo(void *owner, struct link *l, struct slice text)
{
	static int64_t start;
	size_t all = b.links * ROUNDS;
	(void)owner;
	if (!b.echoed++) { /* all links are up, and what their handshakes needed is gone */
		start = cpu_us();
		printf("%zu links: %.2f KiB of heap each\n", b.links, (double)(mallinfo2().uordblks - b.heap_before) / (double)b.links / 1024);
	}
	if (b.echoed == all) {
		double us = (double)(cpu_us() - start);
		printf("%zu frames of %zu bytes: %.1f ms CPU per 1000 echoed frames\n", all, b.size, us / (double)all);
		fflush(stdout);
	}
	if (link_send(l, text) != 0)
		abort();
}

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)owner, (void)why;
	link_release(l);
	if (b.up && --b.up == 0)
		loop_stop();
}

static void on_accepted(void *arg, const struct ws_request *rq, struct link *l)
{
	static const struct link_events events = { .text = on_echo, .down = on_down };
	(void)arg, (void)rq;
	l->events = &events;
	b.up++;
}

/* ---- the other process: sends on all links, and again on each when its echo is there */

static void on_back(void *owner, struct link *l, struct slice text)
{
	size_t all = b.links * ROUNDS;
	(void)owner, (void)text;
	if (++b.echoed == all)
		loop_stop();
	else if (l->messages_out < ROUNDS && link_send(l, (struct slice){ b.text, b.size }) != 0)
		abort();
}

static void on_up(void *owner, struct link *l)
{
	(void)owner;
	b.all[b.up++] = l;
	for (size_t i = 0; b.up == b.links && i < b.links; i++)
		if (link_send(b.all[i], (struct slice){ b.text, b.size }) != 0)
			abort();
}

static void on_client_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)owner;
	fprintf(stderr, "links: %s\n", why->reason);
	link_release(l);
	loop_stop();
}

static void run_client(int port)
{
	static const struct link_events events = { .up = on_up, .text = on_back, .down = on_client_down };
	char url[64];
	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/CP1", port);
	struct dial_config c = { .url = url };
	if (loop_open() != 0)
		abort();
	b.all = mem_new(b.links * sizeof(*b.all));
	b.text = mem_new(b.size);
	memset(b.text, 'x', b.size);
	for (size_t i = 0; i < b.links; i++)
		dial(&c, &events, NULL);
	loop_run();
	_exit(0);
}

int main(int argc, char **argv)
{
	struct listener *listener;
	struct listener_config c = { .address = "127.0.0.1", .judge = on_judge, .accepted = on_accepted };
	struct rlimit files = { 65536, 65536 };
	b.links = argc > 1 ? (size_t)atoi(argv[1]) : 1000;
	b.size = argc > 2 ? (size_t)atoi(argv[2]) : 300;
	setrlimit(RLIMIT_NOFILE, &files);
	if (loop_open() != 0 || listener_open(&c, &listener) != 0)
		return 1;
	int port = listener_port(listener);
	pid_t child = fork();
	if (child == 0)
		run_client(port);
	b.heap_before = mallinfo2().uordblks;
	loop_run();
	listener_close(listener);
	loop_close();
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}
