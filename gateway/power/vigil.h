/* The closed loop: what stations do with their limits is judged once a second (energy/follow.h) and acted upon.
 *
 *   refused          the next form is tried at once (limits.c); told here only when none is taken
 *   late             the limit is sent again
 *   stubborn         the next form; when all have been tried, an alarm, and again after a while
 *   default          the next form, each once: it does not hear the live limit, or its car wants no more than the default allows
 *   overshoot        it is told less, so that what it draws is what it was granted
 *   slow             its time to respond is remembered, and raises keep that distance
 *   asleep           the limit again, then a pause and the limit once more, then once with a longer pause, then it is left alone
 *   no_meter_values  asked for, every minute
 *
 * Each change is an event, "limit.stubborn" and so on, and `why` names it. Until a station was seen to follow once, what it may draw at most is
 * counted (energy/car.h); that it was is kept. Loop thread. */
#ifndef AMPGATE_GATEWAY_VIGIL_H
#define AMPGATE_GATEWAY_VIGIL_H

#include "energy/follow.h"
#include "gateway/gateway.h"

void vigil_open(struct gateway *g);
void vigil_close(void);
void vigil_start(struct gateway *g);                         /* before the first tick, with the sessions there: what earlier processes knew */
void vigil_tick(struct gateway *g);                          /* behind control_tick */
const struct follow *vigil_view(const struct gateway *g, int evse); /* by its index in energy/control; NULL: not judged */

#endif
