/* The charging profiles installed in a station and what they allow at a moment: stacking, purposes, composite schedules. For the stations
 * whose firmware we are, and for those in front of which we stand and have to know what the CSMS told them. Pure: wall time is passed in.
 * Loop thread. */
#ifndef AMPGATE_ENERGY_PROFILE_H
#define AMPGATE_ENERGY_PROFILE_H

#include "base/error.h"
#include "base/list.h"
#include "ocpp/charging.h"

#define PROFILES_MOST 64          /* installed at once: MaxChargingProfilesInstalled */
#define PROFILES_STACK_MOST 15    /* ChargeProfileMaxStackLevel */
#define PROFILES_VOLTAGE 230.0    /* between line and neutral, for limits in W */
#define PROFILES_OF_STATION (1u << PURPOSE_STATION_MAX | 1u << PURPOSE_TX_DEFAULT | 1u << PURPOSE_TX)

struct profiles {
	struct list installed;
	size_t count;
	int phases;               /* the station's own: W divide by no more than these */
	/* What profiles_open presets and the owner may change. */
	unsigned purposes;        /* bits of those that can be installed: PROFILES_OF_STATION */
	int stack_most;           /* PROFILES_STACK_MOST */
	int64_t utc_offset_s;     /* of the station's local time: 0 */
	void (*gone)(void *arg, int64_t id); /* a profile was replaced, cleared or ended; not from profiles_close. NULL */
	void *arg;
};

void profiles_open(struct profiles *p, int phases);
void profiles_close(struct profiles *p);

/* What a transaction profile hangs on. */
struct profile_tx {
	bool running;
	bool priority;            /* 2.1: priority charging is switched on for it */
	int64_t start_us;         /* wall time when charging could begin; Relative schedules count from here. 0: they would begin now */
	struct slice id;          /* absent: not known yet */
};

/* Installs a copy, replacing what has the same id, or the same purpose, level and EVSE. ERR_INVALID: a purpose that does not belong on this
 * EVSE, a level too high. ERR_NOT_FOUND: a TxProfile without its transaction. ERR_FULL. A schedule that should have a start and has none
 * starts now. */
int profiles_set(struct profiles *p, int evse, const struct charging_profile *profile, const struct profile_tx *tx, int64_t now_us) MUST_CHECK;
size_t profiles_clear(struct profiles *p, const struct profile_filter *f); /* how many went */
void profiles_end_tx(struct profiles *p, int evse);                         /* its TxProfiles go */
/* 2.1 UpdateDynamicSchedule: another limit for a Dynamic profile, in its own unit. ERR_NOT_FOUND: no such one (K28.FR.11). */
int profiles_update(struct profiles *p, int64_t id, double limit, int64_t now_us) MUST_CHECK;
/* The highest level in use by one purpose (PURPOSE_NONE: any) on an EVSE (-1: any); -1: none. */
int profiles_top_level(const struct profiles *p, int evse, enum profile_purpose purpose);

/* A limit, and the profile it is from (valid until the profiles change). */
struct allowed {
	double amps;              /* per phase; INFINITY: nothing limits */
	int phases;               /* it is meant for */
	const struct charging_profile *by; /* NULL: none */
};

/* *until_us is lowered to the wall time at which the answer may change. */
struct allowed profiles_station_limit(const struct profiles *p, int64_t now_us, int64_t *until_us);
struct allowed profiles_evse_limit(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us);

/* Both and the hardware's limit by minimum, from now for ask->duration_s, equal neighbours merged. EVSE 0: what all of them may draw
 * together. Without a transaction TxDefault is assumed (K08.FR.06), begun at the start_us given. How many periods were written; the last
 * that fits stands for the rest. */
size_t profiles_composite(const struct profiles *p, const struct schedule_ask *ask, const struct profile_tx *txs, int n_evses, double max_a,
                          int64_t now_us, struct charging_period *out, size_t most);

#endif
