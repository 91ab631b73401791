/* Our balancer as a driver: by the calls the daemon makes, and by lines of text through the program. */
#ifndef AMPGATE_TESTS_SIM_DRIVE_H
#define AMPGATE_TESTS_SIM_DRIVE_H

#include "energy/control.h"
#include "tests/sim/world.h"

/* drive_direct with rules of one's own: what of `like` does not describe the site. */
void *drive_open(const struct world_conf *c, const struct control_conf *like);
struct control *drive_control(void *state); /* of an open drive_direct */
extern const struct driver drive_direct;  /* energy/control.h */
extern const struct driver drive_energy, drive_ready; /* the same by other policies */
extern const struct driver drive_stdio;   /* a child: AMPGATE (default ./ampgate) balance --stdio */

#endif
