/* Charging profiles whole, with their periods: struct event tells of a profile only what the first period allows, and a station has to
 * follow all of it. Also the messages about them whose criteria do not fit an event. One shape for all versions; reading is lenient as in
 * codec.h. */
#ifndef AMPGATE_OCPP_PROFILE_READ_H
#define AMPGATE_OCPP_PROFILE_READ_H

#include "base/mem.h"
#include "ocpp/event.h"
#include "ocpp/frame.h"

enum profile_kind { PROFILE_ABSOLUTE, PROFILE_RECURRING, PROFILE_RELATIVE };

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
	int64_t start_us;     /* startSchedule, wall time; 0: none */
	int64_t duration_s;   /* 0: none */
	bool watts;           /* limits are W, else A */
	struct slice tx;      /* the transaction it is for; absent: not said */
	struct charging_period *periods;
	size_t n_periods;
};

/* The profile in SetChargingProfile or in a remote start; strings live with the frame's tree, periods in `mem`. ERR_NOT_FOUND: there is
 * none. ERR_INVALID: an unknown purpose, kind or unit, no schedule, periods that do not ascend from 0. ERR_TOO_LARGE: too many periods. */
int profile_read_whole(struct frame *f, struct arena *mem, struct charging_profile *out) MUST_CHECK;

/* Which profiles ClearChargingProfile means; what is not said matches all. */
struct profile_filter {
	int64_t id;           /* -1: any */
	int evse;             /* -1: any */
	int stack_level;      /* -1: any */
	enum profile_purpose purpose; /* PURPOSE_NONE: any */
};
void profile_filter_read(struct frame *f, struct profile_filter *out);

/* GetCompositeSchedule. `watts` when the answer shall be in W. ERR_INVALID: no EVSE or duration, or an unknown unit. */
struct schedule_ask {
	int evse;
	int64_t duration_s;
	bool watts;
};
int schedule_ask_read(struct frame *f, struct schedule_ask *out) MUST_CHECK;

/* The answer's payload, Accepted with a schedule that starts at start_us. */
void schedule_write_answer(enum ocpp_version v, const struct schedule_ask *ask, int64_t start_us, const struct charging_period *periods,
                           size_t n, struct buf *payload);

#endif
