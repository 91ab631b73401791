/* A card reader that is a pipe: each line that some other program writes to it is a card. An example to start a driver from; see ampgate-plugin(3).
 *
 * Easy to get wrong: auth_poll waits, but half a second at most, since the worker that calls it has to hear when the program ends. And a
 * pipe whose writer leaves is at its end for ever, so we hold it open for writing ourselves. */
#define _POSIX_C_SOURCE 200809L
#include <ampgate/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM 256
#define WAIT_MS 500
#define TOKEN_MOST 36 /* the longest token of OCPP */

struct reader {
	char path[PATH_ROOM];
	int fd; /* -1: not open */
	char typed[256];
	size_t n;
	char fault[PATH_ROOM + 64];
};

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	struct reader *r = calloc(1, sizeof(*r));
	(void)h, (void)id;
	if (!r || sscanf(config_json, " { \"path\" : \"%255[^\"]\"", r->path) != 1) {
		snprintf(err, errlen, "options need {\"path\": \"/a/pipe\"}");
		free(r);
		return -1;
	}
	r->fd = -1;
	*self = r;
	return 0;
}

static void destroy(void *self)
{
	struct reader *r = self;
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

static int lost(struct reader *r)
{
	snprintf(r->fault, sizeof(r->fault), "%s: %s", r->path, strerror(errno));
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->n = 0;
	return -1;
}

/* The first whole line of what was typed: 1, or 0 where there is none yet or it is no card. */
static int take_line(struct reader *r, char *token, size_t room)
{
	char *end = memchr(r->typed, '\n', r->n);
	size_t n = end ? (size_t)(end - r->typed) : 0;
	int good = end && n > 0 && n <= TOKEN_MOST && n < room;
	if (!end) {
		r->n = r->n == sizeof(r->typed) ? 0 : r->n; /* no card is as long as that */
		return 0;
	}
	if (good) {
		memcpy(token, r->typed, n);
		token[n] = 0;
	}
	r->n -= n + 1;
	memmove(r->typed, end + 1, r->n);
	return good;
}

static int auth_poll(void *self, char *token, size_t room)
{
	struct reader *r = self;
	r->fault[0] = 0;
	if (r->fd < 0)
		r->fd = open(r->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (r->fd < 0)
		return lost(r);
	if (take_line(r, token, room))
		return 1;
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	if (poll(&p, 1, WAIT_MS) <= 0)
		return 0;
	ssize_t got = read(r->fd, r->typed + r->n, sizeof(r->typed) - r->n);
	if (got <= 0)
		return got < 0 && errno == EAGAIN ? 0 : lost(r);
	r->n += (size_t)got;
	return take_line(r, token, room);
}

static const char *fault(void *self)
{
	return ((struct reader *)self)->fault;
}

const ag_plugin *ampgate_plugin_v1(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_AUTH,
		.flags = AG_F_THREAD, /* a reader has to: it waits for cards */
		.name = "example-reader",
		.version = "1",
		.license = "0BSD",
		.config_schema = "{\"path\": \"pipe with a card on each line\"}",
		.create = create,
		.destroy = destroy,
		.auth_poll = auth_poll,
		.fault = fault,
	};
	return &plugin;
}
