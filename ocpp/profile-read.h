/* Charging profiles whole, with their periods, from messages; and the messages about them whose criteria do not fit an event. Reading is
 * lenient as in codec.h. */
#ifndef AMPGATE_OCPP_PROFILE_READ_H
#define AMPGATE_OCPP_PROFILE_READ_H

#include "base/json.h"
#include "base/mem.h"
#include "ocpp/charging.h"
#include "ocpp/frame.h"

/* The profile in SetChargingProfile or in a remote start; strings live with the frame's tree, periods and further schedules in `mem`.
 * ERR_NOT_FOUND: there is none. ERR_INVALID: an unknown purpose, kind or unit, no schedule or more than three, periods that do not ascend from
 * 0. ERR_TOO_LARGE: too many periods. */
int profile_read_whole(struct frame *f, struct arena *mem, struct charging_profile *out) MUST_CHECK;
int profile_read_message(const cJSON *payload, struct arena *mem, struct charging_profile *out) MUST_CHECK; /* the same without a frame */
/* The same from the profile itself. */
int profile_read_tree(const cJSON *profile, struct arena *mem, struct charging_profile *out) MUST_CHECK;
/* The schedules of NotifyChargingLimit as a profile without an id; one without a start begins when it is installed. */
int profile_read_reported(const cJSON *schedules, enum profile_purpose purpose, struct arena *mem, struct charging_profile *out) MUST_CHECK;

/* limit, dischargeLimit, setpoint with their phases, and operationMode, of a period or of a scheduleUpdate. How many values were given. */
int v2x_read(const cJSON *item, struct charging_v2x *out);
void v2x_write(struct json_writer *w, const struct charging_v2x *v); /* as members of the object that is open */

void profile_filter_read(struct frame *f, struct profile_filter *out);

/* GetCompositeSchedule. ERR_INVALID: no EVSE or duration, or an unknown unit. */
int schedule_ask_read(struct frame *f, struct schedule_ask *out) MUST_CHECK;

/* The answer of a station, in the words of version `to`, for who asked `ask` (its EVSE under its own number there). ERR_NOT_FOUND: it has no
 * schedule. ERR_INVALID: one that cannot be read. */
int schedule_convert_answer(struct frame *answer, const struct schedule_ask *ask, int64_t now_us, enum ocpp_version to, struct buf *payload)
	MUST_CHECK;

/* The answer's payload, Accepted with a schedule that starts at start_us. */
void schedule_write_answer(enum ocpp_version v, const struct schedule_ask *ask, int64_t start_us, const struct charging_period *periods,
                           size_t n, struct buf *payload);

#endif
