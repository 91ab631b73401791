/* The usual rules, for comparison: each as careful as a plain implementation is, budgeting what cars draw where it can. */
#ifndef AMPGATE_TESTS_SIM_RULES_H
#define AMPGATE_TESTS_SIM_RULES_H

#include "tests/sim/world.h"

extern const struct driver rule_equal, rule_robin, rule_first, rule_edf, rule_llf, rule_one;

#endif
