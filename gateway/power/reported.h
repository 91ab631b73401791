/* What a station says that limits it from elsewhere (2.x NotifyChargingLimit, ClearedChargingLimit; K11 to K13): an energy manager or a grid
 * operator that speaks to the station and not to us. The station holds such a limit by itself; here it is a cap with its source, so that nothing
 * is planned for a car that it cannot take, the composite schedule tells of it, and the CSMS that asks for profiles is shown it.
 *
 * Kept over a restart of ours and while the station is away; forgotten when its source takes it back, and when the station boots: one that is
 * still limited says so again, and until it does it still holds the limit. Loop thread. */
#ifndef AMPGATE_GATEWAY_REPORTED_H
#define AMPGATE_GATEWAY_REPORTED_H

#include "gateway/session/session.h"

struct reported;

void reported_open(struct session *s);  /* with what was kept */
void reported_close(struct session *s);
void reported_heard(struct session *s, const struct event *e); /* EV_LIMIT */
void reported_booted(struct session *s);

/* What they leave an EVSE (0: the station), per phase, at a wall time; INFINITY: nothing said. *until_us is lowered to when that may change. */
double reported_a(const struct session *s, int evse, int64_t wall_us, int64_t *until_us);

/* One of them as the station told it. */
struct reported_limit {
	int evse;                 /* 0: the station */
	const char *source;       /* "EMS" */
	bool generation;          /* what is generated on the spot, beside the limits (2.1) */
	struct slice schedules;   /* JSON; absent: it did not say how much */
	int64_t at_us;            /* wall time when it told */
};
/* In the order in which they came; NULL: there is none so high. */
const struct reported_limit *reported_at(const struct session *s, size_t i);

#endif
