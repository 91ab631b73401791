/* The control pilot's duty cycle as a current, and back (IEC 61851-1:2017, tables A.7 and A.8). Integers, so that tables compare exactly.
 * A duty is in hundredths of a percent: 10 % is 1000, and 10000 is the steady level without a square wave. No state, no I/O. */
#ifndef AMPGATE_STATION_DUTY_H
#define AMPGATE_STATION_DUTY_H

#include <stdint.h>

#define DUTY_STEADY 10000 /* +12 V without PWM: do not charge */
#define DUTY_DIGITAL 500  /* 5 %: the current is agreed on by digital communication (ISO 15118, DIN 70121) */
#define DUTY_LEAST_MA 6000
#define DUTY_MOST_MA 80000

/* What to generate for an offer: never more than it, DUTY_STEADY for less than 6 A. 51 A to 52.5 A have no code and become 51 A. */
uint16_t duty_of_ma(int32_t ma);

/* What a car may draw: 0 where the standard forbids charging or asks for digital communication (see duty_is_digital). */
int32_t duty_to_ma(uint16_t duty);
int duty_is_digital(uint16_t duty);

#endif
