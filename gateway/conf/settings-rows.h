/* For files with rows, gateway/conf/settings-*.c: units, short forms, and readers of values that several of them have. */
#ifndef AMPGATE_GATEWAY_SETTINGS_ROWS_H
#define AMPGATE_GATEWAY_SETTINGS_ROWS_H

#include "gateway/conf/settings.h"

#define MS INT64_C(1000)
#define S (1000 * MS)
#define MIN (60 * S)
#define H (60 * MIN)
#define DAY (24 * H)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define A INT64_C(1000)

#define AT(type, field) .at = offsetof(struct type, field)
#define OWNER(type, field, at) ((struct type *)(void *)((char *)(at) - offsetof(struct type, field)))
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ROTATIONS WORDS("RST", "STR", "TRS", "RTS", "SRT", "TSR")

/* An error at that value. Always ERR_INVALID. */
int settings_refuse(struct conf_fill *f, const struct conf_node *n, const char *hint, const char *text);
/* Which one of the row's words it is. */
int settings_word(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, int *out);
/* Readers for rows: one of ROTATIONS; phases by their names or their number. */
int settings_rotation(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at);
int settings_wired_phases(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at);
/* What is for a plugin: a map, kept as JSON in the const char * at `at`. */
int settings_options(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at);
int settings_onboarding(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at);

struct settings_url {
	struct slice host, path;
	int port; /* 0: not said */
};
/* What stands behind "scheme://": host or [v6], port, the rest. */
int settings_url(const char *rest, struct settings_url *out);
/* The part behind the first of two schemes that fits, and which it was: NULL when neither does. */
const char *settings_scheme(const char *url, const char *plain, const char *secure, bool *is_secure);

#endif
