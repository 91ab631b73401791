/* Log lines that carry their context by construction: a chain of fields from the general to the special, printed with every line.
 *
 *   2026-03-02T17:04:05.123Z info station=G-07 lane=cpo: BootNotification answered Accepted
 *
 * Any thread. Tokens, keys and passwords are never passed here. */
#ifndef AMPGATE_BASE_LOG_H
#define AMPGATE_BASE_LOG_H

#include <stdbool.h>

enum log_level { LVL_ERROR, LVL_WARN, LVL_INFO, LVL_DEBUG };
enum log_target { LOG_TO_STDERR, LOG_TO_JOURNAL, LOG_TO_SYSLOG };

/* One field of the chain; lives in the object it describes. `value` may change as the object learns about itself. */
struct log {
	const struct log *parent; /* NULL: the first */
	const char *key, *value;
};

void log_open(enum log_target target, enum log_level most); /* before threads start; without it: stderr, info */
bool log_wants(enum log_level level);
/* `ctx` may be NULL. A line repeated more than ten times in ten seconds from one place and object is counted instead of printed. */
void log_at(enum log_level level, const struct log *ctx, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int log_level_parse(const char *text); /* LVL_..., or ERR_INVALID */

#define log_error(ctx, ...) log_at(LVL_ERROR, ctx, __VA_ARGS__)
#define log_warn(ctx, ...) log_at(LVL_WARN, ctx, __VA_ARGS__)
#define log_info(ctx, ...) log_at(LVL_INFO, ctx, __VA_ARGS__)
#define log_debug(ctx, ...)                                                                                                                  \
	do {                                                                                                                                 \
		if (log_wants(LVL_DEBUG))                                                                                                    \
			log_at(LVL_DEBUG, ctx, __VA_ARGS__);                                                                                 \
	} while (0)

#endif
