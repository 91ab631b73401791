/* libmodbus reads requests with blocking calls, so the framing is ours: six bytes of header with the length of the rest, then unit and
 * request, as a whole given to modbus_reply, which writes the answer to the same socket. The answer is at most 260 bytes and fits every
 * socket buffer: a client that does not read even those is dropped. */
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

struct modbus_server {
	int fd;
	struct watch watch;
	struct list clients;
	int n_clients;
	modbus_t *ctx;
	modbus_mapping_t *tables;
	bool silent;
	void (*wrote)(void *arg, int at, int n);
	void *wrote_arg;
};

struct client {
	struct list entry;
	struct modbus_server *server;
	struct watch watch;
	struct buf in;
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

/* Functions 5 and 6 write one, 15 and 16 as many as they say, 22 one; 23 has its writing part behind the reading one. */
static void tell_write(const struct modbus_server *m, const unsigned char *request)
{
	const unsigned char *p = request + HEADER + 1;
	int function = p[0], at = p[1] << 8 | p[2], n = p[3] << 8 | p[4];
	if (!m->wrote)
		return;
	if (function == 5 || function == 6 || function == 22)
		m->wrote(m->wrote_arg, at, 1);
	else if (function == 15 || function == 16)
		m->wrote(m->wrote_arg, at, n);
	else if (function == 23)
		m->wrote(m->wrote_arg, p[5] << 8 | p[6], p[7] << 8 | p[8]);
}

static int answer(struct client *c, int length)
{
	struct modbus_server *m = c->server;
	if (m->silent)
		return 0;
	modbus_set_socket(m->ctx, c->watch.fd);
	int sent = modbus_reply(m->ctx, (const uint8_t *)c->in.p, length, m->tables);
	if (sent < 0)
		return errno < MODBUS_ENOBASE ? -errno : 0;
	if (sent != EXCEPTION)
		tell_write(m, (const unsigned char *)c->in.p);
	return 0;
}

static void on_readable(void *arg, unsigned what)
{
	struct client *c = arg;
	int length = 0;
	(void)what;
	ssize_t n = read(c->watch.fd, buf_room(&c->in, 1024), 1024);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->in.n += (size_t)n;
	while (n > 0 && (length = whole_request(c)) > 0) {
		if (answer(c, length) < 0)
			n = -1;
		buf_consume(&c->in, (size_t)length);
	}
	if (n <= 0 || length < 0)
		drop(c);
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
	m->fd = fd;
	m->tables = tables;
	m->ctx = modbus_new_tcp(NULL, 0);
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
	mem_free(m);
}

int modbus_server_port(const struct modbus_server *m)
{
	struct sockaddr_in a = { 0 };
	socklen_t n = sizeof(a);
	return getsockname(m->fd, (struct sockaddr *)&a, &n) == 0 ? ntohs(a.sin_port) : 0;
}

void modbus_server_on_write(struct modbus_server *m, void (*wrote)(void *arg, int at, int n), void *arg)
{
	m->wrote = wrote;
	m->wrote_arg = arg;
}

void modbus_server_silent(struct modbus_server *m, bool silent)
{
	m->silent = silent;
}
