/* Log lines to stderr, the journal (stderr with the priority prefix that systemd reads) or syslog. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
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

#define PART_TEXT 80
struct part {
	char name[PART_TEXT];
	enum log_level level;
	int64_t until_us;
};

/* Written by the loop, read by any thread: under the mutex, which nobody takes while there are none. */
static struct part parts[LOG_PARTS];
static size_t n_parts;
static pthread_mutex_t parts_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int most_of_all = LVL_INFO; /* the highest level of the whole and of all parts */
static atomic_bool any_part;

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
	atomic_store(&most_of_all, (int)most);
	if (target == LOG_TO_SYSLOG)
		openlog("ampgate", LOG_PID, LOG_DAEMON);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&most_of_all, memory_order_relaxed);
}

const char *log_level_text(enum log_level level)
{
	return names[level];
}

int log_level_parse(const char *text)
{
	for (int i = 0; i < 4; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return ERR_INVALID;
}

/* --- parts of the program --- */

/* "gateway/session/uplink.c" of "/src/gateway/session/uplink.c" and "../gateway/session/uplink.c". */
static const char *own_path(const char *file)
{
	static const char *const tops[] = { "base/", "ocpp/", "storage/", "energy/", "station/", "gateway/", "plugins/", "tests/" };
	const char *found = file;
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		for (const char *p = file; (p = strstr(p, tops[i])); p++)
			if ((p == file || p[-1] == '/') && (found == file || p < found))
				found = p;
	return found;
}

/* Whole steps of the path, from wherever: "gateway", "gateway/session", "session", "session/uplink", "uplink". */
static bool is_of_file(const char *part, const char *file)
{
	size_t n = strlen(part);
	for (const char *p = own_path(file); p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (strncmp(p, part, n) == 0 && (p[n] == '/' || strcmp(p + n, ".c") == 0))
			return true;
	return false;
}

static bool is_of_object(const char *part, const struct log *ctx)
{
	const char *equals = strchr(part, '=');
	for (; equals && ctx; ctx = ctx->parent)
		if (ctx->value && strlen(ctx->key) == (size_t)(equals - part) && strncmp(ctx->key, part, (size_t)(equals - part)) == 0 &&
		    strcmp(ctx->value, equals + 1) == 0)
			return true;
	return false;
}

static void count_parts(void)
{
	int most = out.most;
	for (size_t i = 0; i < n_parts; i++)
		most = (int)parts[i].level > most ? (int)parts[i].level : most;
	atomic_store(&most_of_all, most);
	atomic_store(&any_part, n_parts > 0);
}

/* Those whose time is over. */
static void forget_parts(int64_t now)
{
	size_t kept = 0;
	for (size_t i = 0; i < n_parts; i++)
		if (parts[i].until_us > now)
			parts[kept++] = parts[i];
	if (kept == n_parts)
		return;
	n_parts = kept;
	count_parts();
}

static enum log_level level_for(const char *file, const struct log *ctx)
{
	enum log_level level = out.most;
	if (!atomic_load_explicit(&any_part, memory_order_relaxed))
		return level;
	pthread_mutex_lock(&parts_lock);
	forget_parts(clock_mono_us());
	for (size_t i = 0; i < n_parts; i++)
		if (is_of_file(parts[i].name, file) || is_of_object(parts[i].name, ctx))
			level = parts[i].level;
	pthread_mutex_unlock(&parts_lock);
	return level;
}

extern const char *const __start_log_files[], *const __stop_log_files[];

static bool is_part(const char *part)
{
	if (!part[0] || strlen(part) >= PART_TEXT)
		return false;
	if (strchr(part, '='))
		return part[0] != '=' && strchr(part, '=')[1];
	for (const char *const *file = __start_log_files; file < __stop_log_files; file++)
		if (is_of_file(part, *file))
			return true;
	return false;
}

static void remove_part(const char *part)
{
	size_t kept = 0;
	for (size_t i = 0; i < n_parts; i++)
		if (strcmp(parts[i].name, part) != 0)
			parts[kept++] = parts[i];
	n_parts = kept;
}

int log_part(const char *part, enum log_level level, int64_t until_us)
{
	int err = 0;
	if (!is_part(part))
		return ERR_NOT_FOUND;
	pthread_mutex_lock(&parts_lock);
	forget_parts(clock_mono_us());
	remove_part(part);
	if (until_us > clock_mono_us() && n_parts == LOG_PARTS) {
		err = ERR_FULL;
	} else if (until_us > clock_mono_us()) {
		parts[n_parts] = (struct part){ .level = level, .until_us = until_us };
		snprintf(parts[n_parts++].name, PART_TEXT, "%s", part);
	}
	count_parts();
	pthread_mutex_unlock(&parts_lock);
	return err;
}

void log_parts(void (*see)(void *arg, const char *part, enum log_level level, int64_t until_us), void *arg)
{
	struct part now[LOG_PARTS];
	pthread_mutex_lock(&parts_lock);
	forget_parts(clock_mono_us());
	size_t n = n_parts;
	memcpy(now, parts, n * sizeof(parts[0]));
	pthread_mutex_unlock(&parts_lock);
	for (size_t i = 0; i < n; i++)
		see(arg, now[i].name, now[i].level, now[i].until_us);
}

/* --- lines --- */

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

void log_from(const char *file, enum log_level level, const struct log *ctx, const char *fmt, ...)
{
	if (!log_wants(level) || level > level_for(file, ctx))
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
