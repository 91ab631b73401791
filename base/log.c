/* Log lines to stderr, the journal (stderr with the priority prefix that systemd reads) or syslog. */
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

#define LINE_MOST 2048
#define REPEAT_WINDOW_US (10 * US_PER_S)
#define REPEAT_MOST 10
#define PLACES 256

static const char *const names[] = { "error", "warning", "info", "debug" };
static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

static struct {
	enum log_target target;
	enum log_level most;
} out = { LOG_TO_STDERR, LVL_INFO };

/* Counts per place (format text) and object, so that a peer that repeats a fault cannot fill the disk. */
static _Thread_local struct {
	const char *fmt;
	const struct log *ctx;
	int64_t since_us;
	unsigned count;
} places[PLACES];

void log_open(enum log_target target, enum log_level most)
{
	out.target = target;
	out.most = most;
	if (target == LOG_TO_SYSLOG)
		openlog("ampgate", LOG_PID, LOG_DAEMON);
}

bool log_wants(enum log_level level)
{
	return level <= out.most;
}

int log_level_parse(const char *text)
{
	for (int i = 0; i < 4; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return ERR_INVALID;
}

/* How often the line was held back before this one may be printed; -1: hold this one back too. */
static int held_back(const char *fmt, const struct log *ctx)
{
	size_t i = (((uintptr_t)fmt >> 3) ^ ((uintptr_t)ctx >> 4)) % PLACES;
	int64_t now = clock_mono_us();
	if (places[i].fmt != fmt || places[i].ctx != ctx || now - places[i].since_us > REPEAT_WINDOW_US) {
		int held = places[i].fmt == fmt && places[i].ctx == ctx && places[i].count > REPEAT_MOST ? (int)(places[i].count - REPEAT_MOST) : 0;
		places[i].fmt = fmt;
		places[i].ctx = ctx;
		places[i].since_us = now;
		places[i].count = 1;
		return held;
	}
	return ++places[i].count > REPEAT_MOST ? -1 : 0;
}

struct line {
	char text[LINE_MOST];
	size_t n;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void vadd(struct line *l, const char *fmt, va_list ap)
{
	int n = vsnprintf(l->text + l->n, LINE_MOST - l->n, fmt, ap);
	if (n > 0)
		l->n = l->n + (size_t)n < LINE_MOST ? l->n + (size_t)n : LINE_MOST - 1;
}

static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vadd(l, fmt, ap);
	va_end(ap);
}

static void add_context(struct line *l, const struct log *ctx)
{
	if (!ctx)
		return;
	add_context(l, ctx->parent);
	if (ctx->value)
		add(l, "%s=%s ", ctx->key, ctx->value);
}

/* A peer chooses part of many lines: no control characters reach the terminal or split the line. */
static void make_printable(struct line *l, size_t from)
{
	for (size_t i = from; i < l->n; i++)
		if ((unsigned char)l->text[i] < 0x20 || l->text[i] == 0x7f)
			l->text[i] = '?';
}

void log_at(enum log_level level, const struct log *ctx, const char *fmt, ...)
{
	if (!log_wants(level))
		return;
	int held = held_back(fmt, ctx);
	if (held < 0)
		return;
	struct line l = { .n = 0 };
	if (out.target == LOG_TO_STDERR) {
		char when[TIME_TEXT];
		add(&l, "%s %s ", time_text(clock_wall_us(), when), names[level]);
	} else if (out.target == LOG_TO_JOURNAL) {
		add(&l, "<%d>", priorities[level]);
	}
	add_context(&l, ctx);
	va_list ap;
	va_start(ap, fmt);
	vadd(&l, fmt, ap);
	va_end(ap);
	if (held)
		add(&l, " (%d such lines held back)", held);
	make_printable(&l, 0);
	if (out.target == LOG_TO_SYSLOG) {
		syslog(priorities[level], "%s", l.text);
		return;
	}
	if (l.n == LINE_MOST - 1)
		l.n--;
	l.text[l.n++] = '\n';
	if (write(STDERR_FILENO, l.text, l.n) < 0)
		return; /* nowhere left to say so */
}
