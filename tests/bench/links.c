/* What WebSocket links cost: N stations (default 1000, argv[1]) talk through a relay to an echo, three processes on loopback. Prints the heap of
 * an idle link, and the processor time that relay and echo spend per frame of 300 bytes (argv[2]); both read and write each frame once. With a
 * port as argv[3] the stations go there instead, to a relay of another make that connects to the echo, whose port is printed. */
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
#include "gateway/net/dial.h"
#include "gateway/net/listen.h"

#define ROUNDS 100
#define ECHO_PORT 18887 /* where a relay of another make connects to */

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

/* One frame went through. Starts counting with the first, when all links are up and what their handshakes needed is gone. */
static void count(const char *who, size_t all, size_t links)
{
	static int64_t start;
	if (!b.echoed++) {
		start = cpu_us();
		printf("%s: %zu links, %.2f KiB of heap each\n", who, links, (double)(mallinfo2().uordblks - b.heap_before) / (double)links / 1024);
	}
	if (b.echoed == all)
		printf("%s: %.2f ms CPU per 1000 frames of %zu bytes\n", who, (double)(cpu_us() - start) / (double)all, b.size);
	fflush(stdout);
}

static void on_echo(void *owner, struct link *l, struct slice text)
{
	(void)owner;
	count("echo", b.links * ROUNDS, b.links);
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

/* ---- the relay: a lane to the echo for each station, and text through as it is */

struct lane {
	struct link *station, *server;
	struct buf held; /* came before the lane was up */
	bool up;
};

static char echo_url[64];

static void on_lane_up(void *owner, struct link *l)
{
	struct lane *p = owner;
	p->up = true;
	if (p->held.n && link_send(l, buf_view(&p->held)) != 0)
		abort();
	buf_free(&p->held);
}

static void on_relay(void *owner, struct link *l, struct slice text)
{
	struct lane *p = owner;
	count("relay", 2 * b.links * ROUNDS, 2 * b.links);
	if (l == p->station && !p->up)
		buf_slice(&p->held, text);
	else if (link_send(l == p->station ? p->server : p->station, text) != 0)
		abort();
}

static void on_relay_down(void *owner, struct link *l, const struct link_end *why)
{
	struct lane *p = owner;
	(void)why;
	link_release(l);
	link_release(l == p->station ? p->server : p->station);
	mem_free(p);
	if (--b.up == 0)
		loop_stop();
}

static void on_station(void *arg, const struct ws_request *rq, struct link *l)
{
	static const struct link_events relay_events = { .up = on_lane_up, .text = on_relay, .down = on_relay_down };
	struct lane *p = NEW(struct lane);
	struct dial_config c = { .url = echo_url };
	(void)arg, (void)rq;
	b.up++;
	p->station = l;
	p->server = dial(&c, &relay_events, p);
	l->events = &relay_events;
	l->owner = p;
}

static void run_relay(int echo_port, int tell)
{
	struct listener *listener;
	struct listener_config c = { .address = "127.0.0.1", .judge = on_judge, .accepted = on_station };
	snprintf(echo_url, sizeof(echo_url), "ws://127.0.0.1:%d/CP1", echo_port);
	if (loop_open() != 0 || listener_open(&c, &listener) != 0)
		abort();
	int port = listener_port(listener);
	if (write(tell, &port, sizeof(port)) != sizeof(port))
		abort();
	b.heap_before = mallinfo2().uordblks;
	loop_run();
	_exit(0);
}

/* ---- the stations: one process sends on all links, and again on each when its echo is there */

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
	struct listener_config c = { .address = "127.0.0.1", .judge = on_judge, .accepted = on_accepted, .port = argc > 3 ? ECHO_PORT : 0 };
	struct rlimit files = { 65536, 65536 };
	int port = argc > 3 ? atoi(argv[3]) : 0, tell[2];
	b.links = argc > 1 ? (size_t)atoi(argv[1]) : 1000;
	b.size = argc > 2 ? (size_t)atoi(argv[2]) : 300;
	setrlimit(RLIMIT_NOFILE, &files);
	if (loop_open() != 0 || listener_open(&c, &listener) != 0 || pipe(tell) != 0)
		return 1;
	printf("echo on port %d\n", listener_port(listener));
	fflush(stdout);
	if (!port) {
		if (fork() == 0)
			run_relay(listener_port(listener), tell[1]);
		if (read(tell[0], &port, sizeof(port)) != sizeof(port))
			return 1;
	}
	if (fork() == 0)
		run_client(port);
	b.heap_before = mallinfo2().uordblks;
	loop_run();
	while (wait(NULL) > 0)
		continue;
	listener_close(listener);
	loop_close();
	return 0;
}
