/* One read per readiness: the descriptor may be a terminal that others share, so it is left blocking. */
#include "gateway/sim/sim-lines.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MOST (1024 * 1024)

static void on_ready(void *arg, unsigned what)
{
	struct sim_lines *l = arg;
	char *newline;
	(void)what;
	ssize_t n = read(l->watch.fd, buf_room(&l->in, 65536), 65536);
	if (n <= 0 || l->in.n > LINE_MOST) {
		watch_want(&l->watch, 0);
		if (l->end)
			l->end(l->arg);
		return;
	}
	l->in.n += (size_t)n;
	while (l->in.n && (newline = memchr(l->in.p, '\n', l->in.n))) {
		size_t length = (size_t)(newline - l->in.p);
		l->line(l->arg, (struct slice){ l->in.p, length });
		buf_consume(&l->in, length + 1);
	}
}

void sim_lines_open(struct sim_lines *l, int fd, void (*line)(void *arg, struct slice line), void (*end)(void *arg), void *arg)
{
	struct stat st;
	*l = (struct sim_lines){ .line = line, .end = end, .arg = arg };
	watch_init(&l->watch, fd, on_ready, l);
	if (isatty(fd) || (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))))
		watch_want(&l->watch, WATCH_READ);
}

void sim_lines_close(struct sim_lines *l)
{
	if (l->line)
		watch_want(&l->watch, 0);
	buf_free(&l->in);
}

struct slice sim_word(struct slice *line)
{
	while (line->n && (*line->p == ' ' || *line->p == '\t' || *line->p == ',' || *line->p == '\r'))
		line->p++, line->n--;
	struct slice word = { line->p, 0 };
	while (word.n < line->n && !strchr(" \t,\r", line->p[word.n]))
		word.n++;
	line->p += word.n;
	line->n -= word.n;
	return word.n ? word : (struct slice){ NULL, 0 };
}

bool sim_three(struct slice *line, double out[3])
{
	for (int i = 0; i < 3; i++) {
		char text[32], *end;
		struct slice word = sim_word(line);
		if (!word.n || word.n >= sizeof(text))
			return false;
		memcpy(text, word.p, word.n);
		text[word.n] = 0;
		out[i] = strtod(text, &end);
		if (*end)
			return false;
	}
	return true;
}
