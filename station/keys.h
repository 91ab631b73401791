/* The station's settings and what it can say of itself: one table of rows from which come the keys of 1.6, the variables of 2.x, their
 * checks and the reports about them. In memory; defaults come from station_conf. Loop thread. */
#ifndef AMPGATE_STATION_KEYS_H
#define AMPGATE_STATION_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "ocpp/settings.h"

enum key {
	/* what the station acts on */
	KEY_HEARTBEAT,
	KEY_SAMPLE_INTERVAL,
	KEY_SAMPLED_DATA,
	KEY_STARTED_DATA,
	KEY_ENDED_INTERVAL,
	KEY_ENDED_DATA,
	KEY_ALIGNED_INTERVAL,
	KEY_ALIGNED_DATA,
	KEY_ALIGNED_IDLE,
	KEY_ALIGNED_END_INTERVAL,
	KEY_ALIGNED_END_DATA,
	KEY_CONNECTION_TIMEOUT,
	KEY_START_POINT,
	KEY_STOP_POINT,
	KEY_STOP_ON_UNPLUG,
	KEY_STOP_ON_INVALID,
	KEY_MOST_ENERGY,
	KEY_ATTEMPTS,
	KEY_RETRY_INTERVAL,
	KEY_MESSAGE_TIMEOUT,
	KEY_OFFLINE_THRESHOLD,
	KEY_MIN_STATUS,
	KEY_AUTHORIZE_REMOTE,
	KEY_LOCAL_PRE_AUTHORIZE,
	KEY_LOCAL_OFFLINE,
	KEY_OFFLINE_UNKNOWN,
	KEY_NO_REMOTE_AUTH,
	KEY_MASTER_GROUP,
	KEY_LIST_ENABLED,
	KEY_LIST_NO_POST,
	KEY_CACHE_ENABLED,
	KEY_CACHE_NO_POST,
	KEY_CACHE_LIFETIME,
	KEY_RESERVATIONS,
	KEY_RESERVE_ANY,
	KEY_CONNECTOR_TYPE,
	KEY_SESSIONS_BEFORE_UPDATE,
	KEY_MONITORING,
	KEY_OFFLINE_SEVERITY,
	KEY_NETWORK_PRIORITY,
	KEY_NETWORK_ATTEMPTS,
	KEY_PASSWORD,
	KEY_ORGANISATION,
	KEY_SIGNING_WAIT,
	KEY_SIGNING_TIMES,
	KEY_SECURITY_PROFILE,
	KEY_PROFILE_ENTRIES,
	KEY_CURRENCY,
	KEY_DISPLAY,
	KEY_TARIFF_FALLBACK,
	KEY_COST_FALLBACK,
	KEY_LIMIT_SIGNIFICANCE, /* of a local controller */
	KEY_LIMIT_SCHEDULES,
	/* what it is */
	KEY_CONNECTORS,
	KEY_VENDOR,
	KEY_MODEL,
	KEY_SERIAL,
	KEY_FIRMWARE,
	KEY_PHASES,
	KEY_SWITCHES_PHASES,
	KEY_ROTATION_16, /* ConnectorPhaseRotation */
	KEY_CONTROLLER_ID,
	KEY_CONTROLLER_VENDOR,
	KEY_CONTROLLER_MODEL,
	KEY_CONTROLLER_SERIAL,
	KEY_PROFILES_16, /* SupportedFeatureProfiles */
	KEY_FILE_PROTOCOLS_16,
	KEY_FILE_PROTOCOLS,
	/* what it knows at the moment: nothing is stored for these */
	KEY_CLOCK,
	KEY_LIST_ENTRIES,
	KEY_CERTIFICATE_ENTRIES,
	KEY_DISPLAY_ENTRIES,
	KEY_ACTIVE_BASE,
	KEY_ACTIVE_LEVEL,
	KEY_ACTIVE_NETWORK,
	KEY_STATION_STATE,
	KEY_STATION_PROBLEM,
	KEY_EVSE_STATE,
	KEY_EVSE_PROBLEM,
	KEY_EVSE_POWER,
	KEY_EVSE_CURRENT,
	KEY_EVSE_ROTATION,
	KEY_CONNECTOR_STATE,
	KEY_CONNECTOR_PROBLEM,
	KEY_CONNECTOR_KIND,
	KEY_LOCK_PROBLEM,
	KEY_CONTROLLER_PROBLEM,
	KEY_CONTROLLER_MEMBERS,
	KEYS_WITH_MEANING /* the rows below only tell what the station is */
};
#define KEYS_MOST 180

/* Whose variable a row is. */
enum key_place { PLACE_STATION, PLACE_EVSE, PLACE_CONNECTOR };

struct keys {
	unsigned names;           /* whose defaults: struct dialect's `names` */
	char *value[KEYS_MOST];
	bool set[KEYS_MOST];      /* by the CSMS */
};

void keys_open(struct keys *k, unsigned names);
void keys_close(struct keys *k);
void keys_preset(struct keys *k, size_t row, const char *value); /* by the station itself, read-only ones too */

size_t keys_count(void);
/* The row's name of one kind (struct dialect's `names`); NULL: it has none of that kind. */
const char *keys_name(size_t row, unsigned names);
const struct setting_kind *keys_kind(size_t row);
enum key_place keys_place(size_t row);
bool keys_is_live(size_t row);                                         /* no stored value: the station is asked */
int keys_find(unsigned names, struct slice name);                      /* a row, or ERR_NOT_FOUND; names compare without case */
bool keys_has_component(unsigned names, struct slice name);            /* some row has the same text before the dot */
/* ERR_REFUSED: read-only. ERR_INVALID: not a value for it. */
int keys_check(size_t row, struct slice value) MUST_CHECK;
int keys_set(struct keys *k, size_t row, struct slice value) MUST_CHECK;

const char *keys_text(const struct keys *k, size_t row);
int64_t keys_int(const struct keys *k, enum key key);
bool keys_bool(const struct keys *k, enum key key);

/* The next word of a comma separated list, without spaces around it. False: there is none; *rest is what follows. */
bool list_next(struct slice *rest, struct slice *word);

#endif
