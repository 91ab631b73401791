/* libmodbus reads requests with blocking calls, so the framing is ours: six bytes of header with the length of the rest, then unit and
 * request, as a whole given to modbus_reply. That writes at once, but what somebody wrote may have to be on disk first: so it writes into a pair of
 * sockets of ours, out of which the answer is taken. The answer is at most 260 bytes and fits every socket buffer: a client that does not read even
 * those is dropped. While one waits for its answer nothing more is read from it. */
#include "gateway/net/modbus-server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"

#define HEADER 6
#define CLIENTS_MOST 16
#define EXCEPTION (HEADER + 3) /* bytes of an answer that says no */
#define DEVICE_FAILED 4

struct modbus_server {
	int fd;
	struct watch watch;
	struct list clients;
	int n_clients;
	modbus_t *ctx;
	int ends[2];            /* libmodbus answers into the first */
	modbus_mapping_t *tables;
	bool silent;
	bool (*wrote)(void *arg, int at, int n);
	void *wrote_arg;
};

struct client {
	struct list entry;
	struct modbus_server *server;
	struct watch watch;
	struct buf in;
	size_t held;            /* bytes of the answer that waits; 0: none */
	unsigned char answer[MODBUS_TCP_MAX_ADU_LENGTH];
};

static void drop(struct client *c)
{
	watch_want(&c->watch, 0);
	close(c->watch.fd);
	list_remove(&c->entry);
	c->server->n_clients--;
	buf_free(&c->in);
	mem_free(c);
}

/* The length of the first request; 0: not all of it is here; negative: this is not Modbus. */
static int whole_request(const struct client *c)
{
	const unsigned char *p = (const unsigned char *)c->in.p;
	if (c->in.n < HEADER)
		return 0;
	int length = HEADER + (p[4] << 8 | p[5]);
	if (p[2] || p[3] || length < HEADER + 2 || length > MODBUS_TCP_MAX_ADU_LENGTH)
		return ERR_PROTOCOL;
	return c->in.n < (size_t)length ? 0 : length;
}

/* Functions 5 and 6 write one, 15 and 16 as many as they say, 22 one; 23 has its writing part behind the reading one. Whether the answer waits. */
static bool tell_write(const struct modbus_server *m, const unsigned char *request)
{
	const unsigned char *p = request + HEADER + 1;
	int function = p[0], at = p[1] << 8 | p[2], n = p[3] << 8 | p[4];
	if (!m->wrote)
		return false;
	if (function == 5 || function == 6 || function == 22)
		return m->wrote(m->wrote_arg, at, 1);
	if (function == 15 || function == 16)
		return m->wrote(m->wrote_arg, at, n);
	return function == 23 && m->wrote(m->wrote_arg, p[5] << 8 | p[6], p[7] << 8 | p[8]);
}

static int send_answer(struct client *c, size_t n)
{
	c->held = 0;
	return send(c->watch.fd, c->answer, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -EPIPE;
}

static int answer(struct client *c, int length)
{
	struct modbus_server *m = c->server;
	if (m->silent)
		return 0;
	int sent = modbus_reply(m->ctx, (const uint8_t *)c->in.p, length, m->tables);
	if (sent < 0)
		return errno < MODBUS_ENOBASE ? -errno : 0;
	ssize_t n = recv(m->ends[1], c->answer, sizeof(c->answer), MSG_DONTWAIT);
	if (n < HEADER)
		return -EPIPE;
	if (sent == EXCEPTION || !tell_write(m, (const unsigned char *)c->in.p))
		return send_answer(c, (size_t)n);
	c->held = (size_t)n;
	watch_want(&c->watch, 0);
	return 0;
}

/* What has arrived, until an answer waits. False: the client is gone. */
static bool serve(struct client *c)
{
	int length = 0;
	while (!c->held && (length = whole_request(c)) > 0) {
		int err = answer(c, length);
		buf_consume(&c->in, (size_t)length);
		if (err) {
			length = err;
			break;
		}
	}
	if (length >= 0)
		return true;
	drop(c);
	return false;
}

static void on_readable(void *arg, unsigned what)
{
	struct client *c = arg;
	(void)what;
	ssize_t n = read(c->watch.fd, buf_room(&c->in, 1024), 1024);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->in.n += (size_t)n;
	serve(c);
}

/* The exception has the function with its highest bit, and a code. */
static void refuse(struct client *c)
{
	c->answer[4] = 0;
	c->answer[5] = EXCEPTION - HEADER;
	c->answer[HEADER + 1] |= 0x80;
	c->answer[HEADER + 2] = DEVICE_FAILED;
	c->held = EXCEPTION;
}

void modbus_server_answer(struct modbus_server *m, bool done)
{
	LIST_WALK(&m->clients, struct client, entry, c) {
		if (!c->held)
			continue;
		if (!done)
			refuse(c);
		if (send_answer(c, c->held) != 0) {
			drop(c);
			continue;
		}
		watch_want(&c->watch, WATCH_READ);
		serve(c);
	}
}

static void on_client(void *arg, unsigned what)
{
	struct modbus_server *m = arg;
	(void)what;
	int fd = accept4(m->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (m->n_clients == CLIENTS_MOST) {
		close(fd);
		return;
	}
	struct client *c = NEW(struct client);
	c->server = m;
	list_append(&m->clients, &c->entry);
	m->n_clients++;
	watch_init(&c->watch, fd, on_readable, c);
	watch_want(&c->watch, WATCH_READ);
}

static int listen_at(const char *address, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int on = 1;
	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		return ERR_INVALID;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, CLIENTS_MOST) != 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int modbus_server_open(const char *address, int port, modbus_mapping_t *tables, struct modbus_server **out)
{
	int fd = listen_at(address, port);
	if (fd < 0)
		return fd;
	struct modbus_server *m = NEW(struct modbus_server);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, m->ends) != 0) {
		int err = -errno;
		close(fd);
		mem_free(m);
		return err;
	}
	m->fd = fd;
	m->tables = tables;
	m->ctx = modbus_new_tcp(NULL, 0);
	modbus_set_socket(m->ctx, m->ends[0]);
	modbus_set_response_timeout(m->ctx, 0, 1); /* it sleeps that long before it answers nonsense with an exception */
	list_init(&m->clients);
	watch_init(&m->watch, fd, on_client, m);
	watch_want(&m->watch, WATCH_READ);
	*out = m;
	return 0;
}

void modbus_server_close(struct modbus_server *m)
{
	LIST_WALK(&m->clients, struct client, entry, c)
		drop(c);
	watch_want(&m->watch, 0);
	close(m->fd);
	modbus_set_socket(m->ctx, -1);
	modbus_free(m->ctx);
	close(m->ends[0]);
	close(m->ends[1]);
	mem_free(m);
}

int modbus_server_port(const struct modbus_server *m)
{
	struct sockaddr_in a = { 0 };
	socklen_t n = sizeof(a);
	return getsockname(m->fd, (struct sockaddr *)&a, &n) == 0 ? ntohs(a.sin_port) : 0;
}

void modbus_server_on_write(struct modbus_server *m, bool (*wrote)(void *arg, int at, int n), void *arg)
{
	m->wrote = wrote;
	m->wrote_arg = arg;
}

void modbus_server_silent(struct modbus_server *m, bool silent)
{
	m->silent = silent;
}
