/* A daemon that is not there, and what each of its refusals means as an exit status. */
#include "gateway/ctl/ctl-link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/mem.h"
#include "gateway/ctl/ctl.h"

int ctl_connect(const char *path, struct ctl_link *c)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(to.sun_path)) {
		fprintf(stderr, "ampgate: %s: the path is too long\n", path);
		return EXIT_USAGE;
	}
	strcpy(to.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		fprintf(stderr, "ampgate: no daemon at %s: %s\n", path, strerror(errno));
		return EXIT_UNREACHABLE;
	}
	return EXIT_OK;
}

int ctl_send(struct ctl_link *c, const char *method, const struct buf *args)
{
	struct buf line = { 0 };
	struct json_writer w;
	jw_open(&w, &line);
	jw_object(&w, NULL);
	jw_string(&w, "jsonrpc", "2.0");
	jw_int(&w, "id", 1);
	jw_string(&w, "method", method);
	jw_raw(&w, "params", args && args->n ? buf_view(args) : SLICE("{}"));
	jw_end(&w, '}');
	buf_puts(&line, "\n");
	bool ok = send(c->fd, line.p, line.n, MSG_NOSIGNAL) == (ssize_t)line.n;
	buf_free(&line);
	return ok ? EXIT_OK : EXIT_UNREACHABLE;
}

/* The next line as a tree; NULL: the daemon closed. */
cJSON *ctl_line(struct ctl_link *c)
{
	char *newline;
	while (!(c->in.n && (newline = memchr(c->in.p, '\n', c->in.n)))) {
		ssize_t n = recv(c->fd, buf_room(&c->in, 65536), 65536, 0);
		if (n <= 0)
			return NULL;
		c->in.n += (size_t)n;
	}
	cJSON *tree = json_parse((struct slice){ c->in.p, (size_t)(newline - c->in.p) });
	buf_consume(&c->in, (size_t)(newline - c->in.p) + 1);
	return tree;
}

static int exit_of(const char *code)
{
	static const struct {
		const char *code;
		int status;
	} map[] = { { "invalid", EXIT_USAGE }, { "not_found", EXIT_NOT_FOUND }, { "forbidden", EXIT_REFUSED }, { "timeout", EXIT_TIMEOUT },
		{ "config_invalid", EXIT_CONFIG } };
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (strcmp(map[i].code, code) == 0)
			return map[i].status;
	return EXIT_FAILED;
}

int ctl_error(const cJSON *answer)
{
	struct slice code = json_text(answer, "error.data.code"), detail = json_text(answer, "error.message");
	fprintf(stderr, "ampgate: %.*s\n", SLICE_ARG(detail));
	char *text = mem_text(code);
	int status = exit_of(text);
	mem_free(text);
	return status;
}
