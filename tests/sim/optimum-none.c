/* In place of optimum.c where the solver is not installed. */
#include "tests/sim/optimum.h"

double optimum_wh(const struct world_conf *conf, int *ready_out)
{
	(void)conf;
	if (ready_out)
		*ready_out = 0;
	return NAN;
}

double optimum_planned_wh(const struct world_conf *conf, double *jain_out)
{
	(void)conf;
	*jain_out = NAN;
	return NAN;
}

double optimum_now_w(const struct world_conf *conf, const struct world *w)
{
	(void)conf;
	(void)w;
	return NAN;
}
