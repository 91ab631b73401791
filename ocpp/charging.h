/* Charging profiles whole, as plain values in one shape for all versions: struct event tells of a profile only what its first period allows.
 * Read and written by ocpp/profile-read.h, judged by energy/profile.h. */
#ifndef AMPGATE_OCPP_CHARGING_H
#define AMPGATE_OCPP_CHARGING_H

#include "base/mem.h"
#include "ocpp/event.h"

enum profile_kind { PROFILE_ABSOLUTE, PROFILE_RECURRING, PROFILE_RELATIVE, PROFILE_DYNAMIC };

/* How an EVSE finds the power that it takes or gives (2.1). The bounds of the period hold whichever it is. */
enum operation_mode {
	MODE_CHARGING_ONLY,
	MODE_CENTRAL_SETPOINT,
	MODE_EXTERNAL_SETPOINT,
	MODE_EXTERNAL_LIMITS,
	MODE_CENTRAL_FREQUENCY,
	MODE_LOCAL_FREQUENCY,
	MODE_LOCAL_LOAD_BALANCING,
	MODE_IDLE,
	OPERATION_MODES
};

/* What 2.1 can say beyond one upper limit, in the unit of the schedule; NaN: not said. By phase, and in W over all phases unless [1] or [2]
 * is given: then [0] is that of L1. */
struct charging_v2x {
	double limit[3];      /* [0] is the period's limit */
	double discharge[3];  /* lower bounds, 0 or negative */
	double setpoint[3];   /* negative: discharge */
	enum operation_mode mode;
};

struct charging_period {
	int64_t start_s;      /* from the start of the schedule */
	double limit;         /* A per phase or W over all phases; INFINITY where none is given (2.1) */
	int phases;           /* 0: not said, which means 3 */
	int phase;            /* 1..3: the one to use; 0: any */
	struct charging_v2x *v2x; /* NULL: the limit and nothing else */
};

#define PROFILE_PERIODS_MOST 1024 /* as the 2.x schemas bound them */
#define PROFILE_SCHEDULES_MOST 3

struct charging_profile {
	int64_t id;
	int64_t schedule_id;  /* 2.x; 0: none */
	int stack_level;
	enum profile_purpose purpose;
	enum profile_kind kind;
	int64_t cycle_s;      /* PROFILE_RECURRING: a day or a week */
	int64_t valid_from_us, valid_to_us; /* wall time; 0: open */
	int64_t start_us;     /* startSchedule, wall time; 0: none. PROFILE_DYNAMIC: the last update */
	int64_t duration_s;   /* 0: none */
	bool local_time;      /* start_us is the station's local time, read as if it were UTC (2.1 useLocalTime) */
	bool watts;           /* limits are W, else A */
	double min_rate;      /* minChargingRate, in the unit: below it charging is inefficient; 0: not said */
	int64_t random_delay_s;   /* 2.1 randomizedDelay: each period begins up to so much later; 0: none */
	double soc_percent, soc_limit; /* 2.1 limitAtSoC: from this state of charge on no more than this; soc_percent 0: none */
	int64_t offline_most_s;   /* 2.1 maxOfflineDuration: not used when the CSMS has been away so long; 0: however long */
	bool offline_ends_it;     /* 2.1 invalidAfterOfflineDuration: and after that not again */
	int64_t pull_every_s;     /* 2.1 dynUpdateInterval: the station asks for the next update; 0: it does not */
	struct slice tx;      /* the transaction it is for; absent: not said */
	struct charging_period *periods;
	size_t n_periods;
	/* A further schedule of the same profile, from which the car chooses (2.x with ISO 15118): all members as here but those of the schedule.
	 * NULL: none. */
	struct charging_profile *more;
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
	const double *most_a; /* what else limits each EVSE, per phase, all the time; NULL: nothing */
	/* The same for what changes: an EVSE (0: all of them together) at a wall time; *until_us is lowered to when that may change. NULL: nothing */
	double (*also_a)(const void *arg, int evse, int64_t wall_us, int64_t *until_us);
	const void *also;
	struct arena *mem;    /* for the v2x of the answer's periods; NULL: limits only */
};

#endif
