/* The station's settings: one table of rows from which come the keys of 1.6, the variables of 2.x, their checks and the reports about them.
 * In memory; defaults come from station_conf. Loop thread. */
#ifndef AMPGATE_STATION_KEYS_H
#define AMPGATE_STATION_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum key {
	KEY_HEARTBEAT,
	KEY_SAMPLE_INTERVAL,
	KEY_SAMPLED_DATA,
	KEY_CONNECTION_TIMEOUT,
	KEY_ATTEMPTS,
	KEY_RETRY_INTERVAL,
	KEY_AUTHORIZE_REMOTE,
	KEY_LOCAL_PRE_AUTHORIZE,
	KEY_LOCAL_OFFLINE,
	KEY_OFFLINE_UNKNOWN,
	KEY_STOP_ON_INVALID,
	KEY_CONNECTORS,
	KEY_VENDOR,
	KEY_MODEL,
	KEY_SERIAL,
	KEY_FIRMWARE,
	KEY_PHASES,
	KEYS_ACTED_ON /* the rows below only tell what the station is */
};
#define KEYS_MOST 48

struct keys {
	char *value[KEYS_MOST];
};

void keys_open(struct keys *k);
void keys_close(struct keys *k);
void keys_preset(struct keys *k, enum key key, const char *value); /* by the station itself, read-only ones too */

size_t keys_count(void);
/* The row's name of one kind (struct dialect's `names`); NULL: it has none of that kind. */
const char *keys_name(size_t row, unsigned names);
bool keys_readonly(size_t row);
int keys_find(unsigned names, struct slice name);                      /* a row, or ERR_NOT_FOUND; names compare without case */
bool keys_has_component(unsigned names, struct slice name);            /* some row has the same text before the dot */
int keys_set(struct keys *k, size_t row, struct slice value) MUST_CHECK; /* ERR_REFUSED: read-only. ERR_INVALID: not a value for it */

const char *keys_text(const struct keys *k, size_t row);
int64_t keys_int(const struct keys *k, enum key key);
bool keys_bool(const struct keys *k, enum key key);

#endif
