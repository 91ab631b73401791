/* What the levels of the control pilot and the resistor of the proximity contact mean (IEC 61851-1:2017, annexes A and B). No state but the
 * last letter, which is the hysteresis; no I/O. */
#ifndef AMPGATE_STATION_PILOT_H
#define AMPGATE_STATION_PILOT_H

#include <stdbool.h>
#include <stdint.h>

/* The state 'A' to 'F' of the positive level. `last` is what was seen before (0: nothing), which it keeps within 0.3 V of a border. */
char pilot_letter(int32_t high_mv, char last);

/* The negative half wave is there, so a diode in the car lets only the positive one through: a person or a resistor would load both. */
bool pilot_sees_diode(int32_t low_mv);

#define PROXIMITY_OPEN INT32_MAX
/* The current that a cable carries, by the resistor between proximity and earth: 13, 20, 32 or 63 A; 0 where it codes none, and
 * PROXIMITY_OPEN's 0 as well: no cable, or a broken contact. */
int32_t proximity_ma(int32_t ohm);

#endif
