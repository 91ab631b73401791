/* Time for the whole program. Nobody else asks the operating system, so a test moves time by hand and a night passes in milliseconds. */
#ifndef AMPGATE_BASE_CLOCK_H
#define AMPGATE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)

int64_t clock_mono_us(void); /* since an arbitrary start; never jumps. For intervals and deadlines. Any thread. */
int64_t clock_wall_us(void); /* since 1970 UTC; may be wrong or jump. For records and messages. Any thread. */

/* Whether the wall clock can be served to stations: the kernel says it is synchronised, or a CSMS told us the time since start. */
bool clock_trusted(void);
/* Where the kernel may not be asked, a witness outside of the sandbox may have done so: a file that is there as long as the clock is synchronised.
 * Before other threads start; `path` lives on. */
void clock_witness(const char *path);
/* A CSMS answered with this time. The system's clock is not set; but while the kernel does not say that it is right, clock_wall_us goes by what
 * was told. */
void clock_told(int64_t wall_us);
/* How far the system's clock is from the time it should have: as the kernel's own control loop sees it (0), or by the last word of a CSMS (1).
 * ERR_NOT_FOUND: nobody knows. */
int clock_offset_us(int source, int64_t *us_out);
/* Names the run of the machine in which clock_mono_us counts: stamps of two runs cannot be compared. Never 0. */
int64_t clock_boot(void);

/* Tests and simulations: from now on time stands still until clock_advance moves it; it is trusted unless clock_doubt said otherwise, until
 * clock_told. */
void clock_freeze(int64_t mono_us, int64_t wall_us);
void clock_advance(int64_t us);
void clock_doubt(void);

#endif
