/* The charging profiles installed in a station and what they allow at a moment. Pure: wall time is passed in. Loop thread. */
#ifndef AMPGATE_STATION_PROFILES_H
#define AMPGATE_STATION_PROFILES_H

#include "base/list.h"
#include "ocpp/profile-read.h"

#define PROFILES_MOST 64          /* installed at once: MaxChargingProfilesInstalled */
#define PROFILES_STACK_MOST 15    /* ChargeProfileMaxStackLevel */
#define PROFILES_VOLTAGE 230.0    /* between line and neutral, for limits in W */

struct profiles {
	struct list installed;
	size_t count;
	int phases;               /* the station's own: W divide by no more than these */
};

void profiles_open(struct profiles *p, int phases);
void profiles_close(struct profiles *p);

/* What a transaction profile hangs on. */
struct profile_tx {
	bool running;
	int64_t start_us;         /* wall time when charging could begin; Relative schedules count from here. 0: they would begin now */
	struct slice id;          /* absent: not known yet */
};

/* Installs a copy, replacing what has the same id, or the same purpose, level and EVSE. ERR_INVALID: a purpose that does not belong on this
 * EVSE, a level too high. ERR_NOT_FOUND: a TxProfile without its transaction. ERR_FULL. A schedule that should have a start and has none
 * starts now. */
int profiles_set(struct profiles *p, int evse, const struct charging_profile *profile, const struct profile_tx *tx, int64_t now_us) MUST_CHECK;
size_t profiles_clear(struct profiles *p, const struct profile_filter *f); /* how many went */
void profiles_end_tx(struct profiles *p, int evse);                         /* its TxProfiles go */

/* A limit in A per phase, INFINITY: none. *until_us is lowered to the wall time at which it may change. */
double profiles_station_limit(const struct profiles *p, int64_t now_us, int64_t *until_us);
double profiles_evse_limit(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us);

/* Both and the hardware's limit by minimum, from now for ask->duration_s, equal neighbours merged. EVSE 0: what all of them may draw
 * together. Without a transaction TxDefault is assumed (K08.FR.06), begun at the start_us given. How many periods were written; the last that fits stands for the rest. */
size_t profiles_composite(const struct profiles *p, const struct schedule_ask *ask, const struct profile_tx *txs, int n_evses, double max_a,
                          int64_t now_us, struct charging_period *out, size_t most);

#endif
