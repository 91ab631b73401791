/* Who was not let in lately, and why: a station with a wrong password tries for ever and is seen nowhere else. The last few, by identity and reason.
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_REFUSALS_H
#define AMPGATE_GATEWAY_REFUSALS_H

#include <stdint.h>

#include "base/str.h"

#define REFUSALS_KEPT 16 /* the one that came least lately gives way */

struct refusal {
	char identity[64]; /* as it was shown; cut where it is longer */
	const char *reason; /* static */
	int status;
	unsigned count;
	int64_t last_us;    /* monotonic */
};

void refusal_note(struct slice identity, int status, const char *reason);
void refusal_over(struct slice identity); /* it was let in: what was wrong is over */
void refusals_each(void (*see)(void *arg, const struct refusal *r), void *arg); /* the newest last */

#endif
