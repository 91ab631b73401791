/* Connections of the control socket. Each is read line by line; its answers wait in a buffer while the client is slow, and a client that
 * lets too much pile up is dropped: it must not cost the daemon its memory. */
#include "gateway/manage/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/http/sse.h"
#include "gateway/manage/command.h"
#include "gateway/session/trace.h"

#define LINE_MOST (1024 * 1024)
#define UNREAD_MOST (8 * 1024 * 1024)
#define CLIENTS_MOST 64

struct api {
	struct gateway *gw;
	char *path;
	int fd;
	struct watch watch;
	struct list clients;
	size_t n_clients;
};

struct client {
	struct list entry;
	struct api *api;
	int fd;
	struct watch watch;
	struct buf in, out;
	enum role role;
	char user[32];
	unsigned open_commands;   /* the client outlives its connection until they are done */
	bool gone;
	struct later removal;
	struct trace_listener trace;
	struct sse_listener changes;
	bool tracing, trace_plain, watching;
	char *trace_station, *trace_action;
	int trace_verdict; /* -1: all */
};

/* --- writing --- */

static void client_close(struct client *c);

static void flush(struct client *c)
{
	while (c->out.n) {
		ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			client_close(c);
			return;
		}
		buf_consume(&c->out, (size_t)n);
	}
	watch_want(&c->watch, WATCH_READ | (c->out.n ? WATCH_WRITE : 0));
}

static void send_line(struct client *c, struct slice line)
{
	if (c->gone)
		return;
	if (c->out.n + line.n > UNREAD_MOST) {
		log_warn(NULL, "a client of the control socket does not read and is dropped");
		client_close(c);
		return;
	}
	buf_slice(&c->out, line);
	buf_puts(&c->out, "\n");
	flush(c);
}

/* --- answers --- */

/* One request under way. */
struct request {
	struct client *client;
	char *id; /* JSON text of the request's id */
};

static void client_remove(void *arg)
{
	struct client *c = arg;
	if (c->open_commands)
		return;
	list_remove(&c->entry);
	c->api->n_clients--;
	buf_free(&c->in);
	buf_free(&c->out);
	mem_free(c->trace_station);
	mem_free(c->trace_action);
	mem_free(c);
}

static void client_close(struct client *c)
{
	if (c->gone)
		return;
	c->gone = true;
	watch_want(&c->watch, 0);
	close(c->fd);
	if (c->tracing)
		trace_unlisten(&c->trace);
	if (c->watching)
		sse_unlisten(&c->changes);
	later_call(&c->removal, client_remove, c);
}

static void on_done(void *arg, enum command_error err, const char *json_or_detail)
{
	struct request *r = arg;
	struct client *c = r->client;
	struct buf line = { 0 };
	struct json_writer w;
	jw_open(&w, &line);
	jw_object(&w, NULL);
	jw_string(&w, "jsonrpc", "2.0");
	jw_raw(&w, "id", slice_of(r->id));
	if (!err) {
		jw_raw(&w, "result", slice_of(json_or_detail));
	} else {
		jw_object(&w, "error");
		jw_int(&w, "code", -32000 - (int)err);
		jw_string(&w, "message", json_or_detail);
		jw_object(&w, "data");
		jw_string(&w, "code", command_error_code(err));
		jw_string(&w, "detail", json_or_detail);
		jw_end(&w, '}');
		jw_end(&w, '}');
	}
	jw_end(&w, '}');
	send_line(c, buf_view(&line));
	buf_free(&line);
	c->open_commands--;
	if (c->gone)
		later_call(&c->removal, client_remove, c);
	mem_free(r->id);
	mem_free(r);
}

/* --- subscriptions --- */

static void on_trace(void *arg, const struct trace_rec *rec)
{
	struct client *c = arg;
	struct buf line = { 0 };
	struct trace_filter filter = { .station = c->trace_station, .action = c->trace_action, .verdict = c->trace_verdict };
	if (!trace_matches(&filter, rec))
		return;
	buf_puts(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"trace\",\"params\":");
	trace_write(rec, c->trace_plain, &line);
	buf_puts(&line, "}");
	send_line(c, buf_view(&line));
	buf_free(&line);
}

/* {"key":"G-07", and what the object has, as in the stream of /api/v1/events. */
static void on_change(void *arg, const char *topic, const char *key, struct slice json)
{
	struct buf line = { 0 };
	buf_printf(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"key\":", topic);
	json_quote(&line, slice_of(key));
	buf_puts(&line, json.n > 2 ? "," : "");
	buf_add(&line, json.p + 1, json.n - 1);
	buf_puts(&line, "}");
	send_line(arg, buf_view(&line));
	buf_free(&line);
}

static void watch_changes(struct client *c, unsigned topics)
{
	if (c->watching)
		sse_unlisten(&c->changes);
	c->watching = topics != 0;
	c->changes = (struct sse_listener){ .topics = topics, .see = on_change, .arg = c };
	if (topics)
		sse_listen(&c->changes);
}

static enum command_error watch_trace(struct client *c, const cJSON *params)
{
	struct slice station = json_text(params, "station"), action = json_text(params, "action"), word = json_text(params, "verdict");
	char *verdict = word.p ? mem_text(word) : NULL;
	int code = verdict ? trace_verdict_parse(verdict) : -1;
	mem_free(verdict);
	if (word.p && code < 0)
		return COMMAND_USAGE;
	if (c->role < (json_bool(params, "raw", false) ? ROLE_ADMIN : ROLE_INSTALLER))
		return COMMAND_FORBIDDEN;
	mem_free(c->trace_station);
	mem_free(c->trace_action);
	c->trace_station = station.p ? mem_text(station) : NULL;
	c->trace_action = action.p ? mem_text(action) : NULL;
	c->trace_verdict = code;
	c->trace_plain = json_bool(params, "raw", false);
	if (!c->tracing) {
		c->trace = (struct trace_listener){ .see = on_trace, .arg = c };
		trace_listen(&c->trace);
		c->tracing = true;
	}
	return COMMAND_OK;
}

/* A connection may subscribe again: the topics of the last time are those that count, but for the trace, which goes on. */
static enum command_error subscribe(struct client *c, const cJSON *params)
{
	const cJSON *list = json_at(params, "topics"), *item;
	unsigned topics = 0;
	bool trace = false;
	cJSON_ArrayForEach(item, list) {
		struct slice word = cJSON_IsString(item) ? slice_of(item->valuestring) : (struct slice){ 0 };
		unsigned topic = word.p ? sse_topic(word) : 0;
		trace = trace || (word.p && slice_is(word, "trace"));
		if (!topic && !(word.p && slice_is(word, "trace")))
			return COMMAND_USAGE;
		topics |= topic;
	}
	if (!topics && !trace)
		return COMMAND_USAGE;
	enum command_error err = trace ? watch_trace(c, params) : COMMAND_OK;
	if (!err)
		watch_changes(c, topics);
	return err;
}

/* --- requests --- */

static void handle(struct client *c, struct slice line)
{
	cJSON *tree = json_parse(line);
	const cJSON *id = tree ? cJSON_GetObjectItemCaseSensitive(tree, "id") : NULL;
	const cJSON *params = tree ? cJSON_GetObjectItemCaseSensitive(tree, "params") : NULL;
	struct slice method = json_text(tree, "method");
	struct request *r = NEW(struct request);
	r->client = c;
	r->id = cJSON_IsNumber(id) || cJSON_IsString(id) ? cJSON_PrintUnformatted(id) : mem_strdup("null");
	c->open_commands++;
	char *args = cJSON_IsObject(params) ? cJSON_PrintUnformatted(params) : NULL;
	if (!method.p) {
		on_done(r, COMMAND_USAGE, "not a JSON-RPC request");
	} else if (slice_is(method, "subscribe")) {
		enum command_error err = subscribe(c, params);
		on_done(r, err, err == COMMAND_FORBIDDEN ? "'subscribe' is not for your role" : err ? "topics is a list of site, circuit, meter, station, evse, uplink, event, job and trace, this with a verdict of the trace" : "true");
	} else {
		char *name = mem_text(method);
		command_run(c->api->gw, name, slice_of(args), c->role, c->user, on_done, r);
		mem_free(name);
	}
	cJSON_free(args);
	cJSON_Delete(tree);
}

static void handle_lines(struct client *c)
{
	char *newline;
	while (!c->gone && c->in.n && (newline = memchr(c->in.p, '\n', c->in.n))) {
		size_t n = (size_t)(newline - c->in.p);
		char *line = mem_text((struct slice){ c->in.p, n });
		buf_consume(&c->in, n + 1);
		handle(c, (struct slice){ line, n });
		mem_free(line);
	}
}

static void on_ready(void *arg, unsigned what)
{
	struct client *c = arg;
	if (what & WATCH_WRITE)
		flush(c);
	if (c->gone || !(what & WATCH_READ))
		return;
	ssize_t n = recv(c->fd, buf_room(&c->in, 4096), 4096, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(c);
		return;
	}
	c->in.n += (size_t)n;
	c->in.p[c->in.n] = 0;
	handle_lines(c);
	if (c->in.n > LINE_MOST) {
		log_warn(NULL, "a request on the control socket is longer than %d bytes; the client is dropped", LINE_MOST);
		client_close(c);
	}
}

static void identify(struct client *c)
{
	struct ucred who;
	socklen_t n = sizeof(who);
	c->role = ROLE_OPERATOR;
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
		return;
	if (who.uid == 0 || who.uid == geteuid())
		c->role = ROLE_ADMIN;
	snprintf(c->user, sizeof(c->user), "uid-%u", (unsigned)who.uid);
}

static void on_connect(void *arg, unsigned what)
{
	struct api *a = arg;
	(void)what;
	int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (a->n_clients >= CLIENTS_MOST) {
		close(fd);
		return;
	}
	struct client *c = NEW(struct client);
	c->api = a;
	c->fd = fd;
	identify(c);
	list_append(&a->clients, &c->entry);
	a->n_clients++;
	watch_init(&c->watch, fd, on_ready, c);
	watch_want(&c->watch, WATCH_READ);
}

/* A socket left by a daemon that died is removed; one that answers is not. */
static int bind_path(int fd, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = probe >= 0 && connect(probe, (struct sockaddr *)&to, sizeof(to)) == 0;
	if (probe >= 0)
		close(probe);
	if (alive)
		return -EADDRINUSE;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0 || chmod(path, 0660) != 0 || listen(fd, 16) != 0)
		return -errno;
	return 0;
}

int api_open(struct gateway *g, const char *path, struct api **out)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = fd < 0 ? -errno : bind_path(fd, path);
	if (err) {
		log_error(NULL, "control socket %s: %s", path, err == -EADDRINUSE ? "another daemon answers there" : err_text(err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	struct api *a = NEW(struct api);
	a->gw = g;
	a->path = mem_strdup(path);
	a->fd = fd;
	list_init(&a->clients);
	watch_init(&a->watch, fd, on_connect, a);
	watch_want(&a->watch, WATCH_READ);
	*out = a;
	return 0;
}

void api_close(struct api *a)
{
	if (!a)
		return;
	watch_want(&a->watch, 0);
	close(a->fd);
	unlink(a->path);
	LIST_WALK(&a->clients, struct client, entry, c)
		client_close(c);
	loop_run_later();
	mem_free(a->path);
	mem_free(a);
}
