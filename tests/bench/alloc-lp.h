/* The same snapshot as one linear program (most current in all, maxima as bounds; no fairness, no minimums), solved by Clp. */
#ifndef AMPGATE_TESTS_BENCH_ALLOC_LP_H
#define AMPGATE_TESTS_BENCH_ALLOC_LP_H

#include "energy/alloc.h"

double alloc_lp(const struct alloc_site *s); /* milliamperes in all; NaN: no solver */

#endif
