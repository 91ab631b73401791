/* Log lines that carry their context by construction: a chain of fields from the general to the special, printed with every line.
 *
 *   2026-03-02T17:04:05.123Z info station=G-07 lane=cpo: BootNotification answered Accepted
 *
 * Any thread. Tokens, keys and passwords are never passed here. */
#ifndef AMPGATE_BASE_LOG_H
#define AMPGATE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LVL_ERROR, LVL_WARN, LVL_INFO, LVL_DEBUG };
enum log_target { LOG_TO_STDERR, LOG_TO_JOURNAL, LOG_TO_SYSLOG };

/* One field of the chain; lives in the object it describes. `value` may change as the object learns about itself. */
struct log {
	const struct log *parent; /* NULL: the first */
	const char *key, *value;
};

void log_open(enum log_target target, enum log_level most); /* before threads start; without it: stderr, info */
bool log_wants(enum log_level level); /* whether anybody wants lines of this level now */
/* `ctx` may be NULL. A line repeated more than ten times in ten seconds from one place and object is counted instead of printed. */
#define log_at(level, ctx, ...) log_from(__BASE_FILE__, level, ctx, __VA_ARGS__)
void log_from(const char *file, enum log_level level, const struct log *ctx, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int log_level_parse(const char *text); /* LVL_..., or ERR_INVALID */
const char *log_level_text(enum log_level level);

/* For a time, another level for a part of the program: a folder ("gateway", "gateway/session", "session"), a file ("uplink"), or an object as lines
 * name it ("station=G-07"). Of several that fit a line the one set last counts; set again it is replaced. `until_us` monotonic; the past: taken
 * back. ERR_NOT_FOUND: no such part, ERR_FULL. Loop thread, as are the others' arguments. */
#define LOG_PARTS 16
int log_part(const char *part, enum log_level level, int64_t until_us);
void log_parts(void (*see)(void *arg, const char *part, enum log_level level, int64_t until_us), void *arg);

/* Every file that logs is known by its name. */
static const char *const log_file __attribute__((used, section("log_files"))) = __BASE_FILE__;

#define log_error(ctx, ...) log_at(LVL_ERROR, ctx, __VA_ARGS__)
#define log_warn(ctx, ...) log_at(LVL_WARN, ctx, __VA_ARGS__)
#define log_info(ctx, ...) log_at(LVL_INFO, ctx, __VA_ARGS__)
#define log_debug(ctx, ...)                                                                                                                  \
	do {                                                                                                                                 \
		if (log_wants(LVL_DEBUG))                                                                                                    \
			log_at(LVL_DEBUG, ctx, __VA_ARGS__);                                                                                 \
	} while (0)

#endif
