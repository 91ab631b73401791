/* Sites and days for the simulator, made from a name and a seed. */
#ifndef AMPGATE_TESTS_SIM_SCENARIO_H
#define AMPGATE_TESTS_SIM_SCENARIO_H

#include "tests/sim/world.h"

/* Fills `conf`, sessions included. Names: garage-very-scarce garage-scarce garage-moderate depot-scarce depot-moderate workplace; random, and
 * wild, which has more of everything that can go wrong; and switching, the same with changes between one phase and three.
 * False: no such name. */
bool scenario_make(struct world_conf *conf, const char *name, uint64_t seed);
/* Takes one kind of ignorance or fault away, to see what it costs: people (need and departure are said, and right), told (nobody says anything),
 * cars (as in a book), building (steady), meters, links, caps. False: no such word. */
bool scenario_lift(struct world_conf *conf, const char *word);
void scenario_free(struct world_conf *conf);
extern const char *const scenario_names[]; /* NULL at the end; without the random ones */

#endif
