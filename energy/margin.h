/* What is kept free below a limit so that a load that is switched on beside the cars, or a car that follows late, does no harm: explicit, and
 * earned down. It grows with every ampere second that was measured above the limit and shrinks while none is. Pure. */
#ifndef AMPGATE_ENERGY_MARGIN_H
#define AMPGATE_ENERGY_MARGIN_H

#include <stdbool.h>
#include <stdint.h>

struct margin {
	int32_t ppm[3];       /* of the limit, per line */
	int64_t at_us;        /* of the last sample; 0: none yet */
};

void margin_init(struct margin *m);
/* A meter has spoken. `over_ma`: above the limit, 0 or less: not above it. */
void margin_feed(struct margin *m, const int32_t over_ma[3], const int32_t limit_ma[3], int64_t now_us);
int32_t margin_ma(const struct margin *m, int line, int32_t limit_ma);

#endif
