/* Trip curves of circuit breakers (IEC 60898-1, types B, C, D) and fuses (IEC 60269-1, gG): the earliest moment at which a conforming device
 * may open. For transients and for proofs; nothing is planned above a rated current. Pure. */
#ifndef AMPGATE_ENERGY_FUSE_H
#define AMPGATE_ENERGY_FUSE_H

#include <stdint.h>

enum fuse_type { FUSE_GG, FUSE_B, FUSE_C, FUSE_D };

#define FUSE_NEVER INT64_MAX

/* How long this current surely flows before the device opens, from cold: microseconds, FUSE_NEVER where it may flow for good. */
int64_t fuse_holds_us(enum fuse_type type, int32_t rated_ma, int64_t ma);

/* Heat, as a share of what opens it: 0 cold, 1000000 may open now. */
struct fuse_heat {
	int64_t millionths;
};
void fuse_heat_step(struct fuse_heat *h, enum fuse_type type, int32_t rated_ma, int64_t ma, int64_t dt_us);

#endif
