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

struct zone;

struct profiles {
	struct list installed;
	size_t count;
	int phases;               /* the station's own: W divide by no more than these */
	/* What profiles_open presets and the owner may change. */
	unsigned purposes;        /* bits of those that can be installed: PROFILES_OF_STATION */
	int stack_most;           /* PROFILES_STACK_MOST */
	bool defaults_stack;      /* as dialect.h says: false */
	const struct zone *zone;  /* of the station's local time; NULL: UTC. Outlives this */
	int64_t offline_us;       /* wall time since when the CSMS is away; 0: it is there */
	uint32_t (*random)(void); /* for the delays that 2.1 asks for; NULL: none */
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
	double soc_percent;       /* of the car; 0: not known */
};

/* Installs a copy, replacing what has the same id, or the same purpose, level and EVSE (where defaults stack: and is valid at a time at which
 * this one is too). ERR_INVALID: a purpose that does not belong on this EVSE, a level too high, the id of an external constraint.
 * ERR_NOT_FOUND: a TxProfile without its transaction. ERR_EXISTS: where defaults stack, a TxDefaultProfile for all EVSEs and one for a single
 * EVSE on the same level (2.0.1 K01.FR.52, K01.FR.53). ERR_FULL. A schedule that should have a start and has none starts now. */
int profiles_set(struct profiles *p, int evse, const struct charging_profile *profile, const struct profile_tx *tx, int64_t now_us) MUST_CHECK;
size_t profiles_count(const struct profiles *p, const struct profile_filter *f);
size_t profiles_clear(struct profiles *p, const struct profile_filter *f); /* how many went */
void profiles_end_tx(struct profiles *p, int evse);                         /* its TxProfiles go */
/* 2.1 UpdateDynamicSchedule: other values for a Dynamic profile, in its own unit; what is NaN stays. ERR_NOT_FOUND: no such one (K28.FR.11). */
int profiles_update(struct profiles *p, int64_t id, const struct charging_v2x *to, int64_t now_us) MUST_CHECK;
/* The car at this EVSE has chosen one of the schedules of its transaction's profile. False: that is nothing new. */
bool profiles_choose(struct profiles *p, int evse, int64_t schedule_id);
void profiles_offline(struct profiles *p, int64_t now_us); /* the CSMS went away */
void profiles_online(struct profiles *p, int64_t now_us);  /* it is back: profiles that do not outlive its absence go */
/* By its id, and where it stands; NULL: not installed. Valid until the profiles change. */
const struct charging_profile *profiles_find(const struct profiles *p, int64_t id, int *evse_out);
/* The highest level in use by one purpose (PURPOSE_NONE: any) on an EVSE (-1: any); -1: none. */
int profiles_top_level(const struct profiles *p, int evse, enum profile_purpose purpose);

/* What is allowed at a moment, by phase, and the profile that makes the limit (valid until the profiles change). NaN: not said. */
struct allowed {
	double amps;              /* what may be drawn, on the phase that may draw least; INFINITY: nothing limits */
	int phases;               /* it is meant for */
	int phase;                /* the one to use, 1..3; 0: any */
	const struct charging_profile *by; /* NULL: none */
	double min_a;             /* minChargingRate; 0: not said */
	/* What the schedule says, where `amps` is what follows from it. */
	double limit_a[3], discharge_a[3], setpoint_a[3];
	enum operation_mode mode;
};

/* *until_us is lowered to the wall time at which the answer may change. */
struct allowed profiles_station_limit(const struct profiles *p, int64_t now_us, int64_t *until_us);
struct allowed profiles_evse_limit(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us);
/* Both by minimum, and what is generated on the spot on top (2.1 LocalGeneration). */
struct allowed profiles_allowed(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us);

/* Both and the hardware's limit by minimum, from now for ask->duration_s, equal neighbours merged. EVSE 0: what all of them may draw
 * together. Without a transaction TxDefault is assumed (K08.FR.06), begun at the start_us given. How many periods were written; the last
 * that fits stands for the rest. */
size_t profiles_composite(const struct profiles *p, const struct schedule_ask *ask, const struct profile_tx *txs, int n_evses, double max_a,
                          int64_t now_us, struct charging_period *out, size_t most);

#endif
