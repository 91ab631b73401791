/* Charging profiles whole, as plain values in one shape for all versions: struct event tells of a profile only what its first period allows.
 * Read and written by ocpp/profile-read.h, judged by energy/profile.h. */
#ifndef AMPGATE_OCPP_CHARGING_H
#define AMPGATE_OCPP_CHARGING_H

#include "ocpp/event.h"

enum profile_kind { PROFILE_ABSOLUTE, PROFILE_RECURRING, PROFILE_RELATIVE, PROFILE_DYNAMIC };

struct charging_period {
	int64_t start_s;      /* from the start of the schedule */
	double limit;         /* A per phase or W over all phases; INFINITY where none is given (2.1) */
	int phases;           /* 0: not said, which means 3 */
};

#define PROFILE_PERIODS_MOST 1024 /* as the 2.x schemas bound them */

struct charging_profile {
	int64_t id;
	int stack_level;
	enum profile_purpose purpose;
	enum profile_kind kind;
	int64_t cycle_s;      /* PROFILE_RECURRING: a day or a week */
	int64_t valid_from_us, valid_to_us; /* wall time; 0: open */
	int64_t start_us;     /* startSchedule, wall time; 0: none. PROFILE_DYNAMIC: the last update */
	int64_t duration_s;   /* 0: none */
	bool local_time;      /* start_us is the station's local time, read as if it were UTC (2.1 useLocalTime) */
	bool watts;           /* limits are W, else A */
	struct slice tx;      /* the transaction it is for; absent: not said */
	struct charging_period *periods;
	size_t n_periods;
};

/* Which profiles ClearChargingProfile means; what is not said matches all. */
struct profile_filter {
	int64_t id;           /* -1: any */
	int evse;             /* -1: any */
	int stack_level;      /* -1: any */
	enum profile_purpose purpose; /* PURPOSE_NONE: any */
};

/* GetCompositeSchedule. `watts` when the answer shall be in W. */
struct schedule_ask {
	int evse;
	int64_t duration_s;
	bool watts;
};

#endif
