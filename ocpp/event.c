/* Events and replies with everything absent, and the words for states. */
#include "ocpp/event.h"

#include <math.h>

static const char *const state_words[EVSE_STATES] = {
	[EVSE_UNKNOWN] = "unknown",         [EVSE_AVAILABLE] = "available",           [EVSE_PREPARING] = "preparing",
	[EVSE_CHARGING] = "charging",       [EVSE_SUSPENDED_EV] = "suspended_ev",     [EVSE_SUSPENDED_EVSE] = "suspended_evse",
	[EVSE_FINISHING] = "finishing",     [EVSE_RESERVED] = "reserved",             [EVSE_UNAVAILABLE] = "unavailable",
	[EVSE_FAULTED] = "faulted",         [EVSE_OCCUPIED] = "occupied",
};

const char *evse_state_text(enum evse_state s)
{
	return (unsigned)s < EVSE_STATES ? state_words[s] : state_words[EVSE_UNKNOWN];
}

void event_init(struct event *e, enum event_kind kind)
{
	*e = (struct event){
		.kind = kind,
		.evse = -1,
		.seq_no = -1,
		.meter_wh = NAN,
		.remote_start_id = -1,
		.reservation = -1,
		.profile_id = -1,
		.stack_level = kind == CMD_CLEAR_PROFILE ? -1 : 0,
		.limit_a = NAN,
		.then_a = NAN,
		.request_id = -1,
	};
}

void reply_init(struct reply *r)
{
	*r = (struct reply){ .interval_s = -1, .total_cost = NAN };
}
