/* What could have been delivered by somebody who knows the whole day beforehand: a linear program over slots of five minutes, without any of
 * the minimum currents, delays and gains real cars have. No rule can reach it; it is the yardstick. */
#ifndef AMPGATE_TESTS_SIM_OPTIMUM_H
#define AMPGATE_TESTS_SIM_OPTIMUM_H

#include "tests/sim/world.h"

/* Watt-hours; NaN: the solver failed. `ready_out`: sessions that have 95 % of their need in that plan; may be NULL. */
double optimum_wh(const struct world_conf *conf, int *ready_out);
/* What the same program delivers that is solved anew every five minutes for the cars that are there, from what people said of them and what is
 * usual where they said nothing. It knows the building and the cars exactly and has no delays, minimum currents or faults; only the future it
 * knows as little as the balancer. Watt-hours. */
double optimum_planned_wh(const struct world_conf *conf, double *jain_out);
/* What could be taken this moment by the cars that are there and whose socket has a link, whoever they are: watts. */
double optimum_now_w(const struct world_conf *conf, const struct world *w);

#endif
