/* What would happen if: a copy of the balancer lives through some simulated minutes with something changed. The balancer itself is not
 * touched. Loop thread. */
#ifndef AMPGATE_ENERGY_PLAN_H
#define AMPGATE_ENERGY_PLAN_H

#include "energy/control.h"

enum plan_kind {
	PLAN_LIMIT,              /* the limit of a node, or of an EVSE, becomes `ma`, lower or higher */
	PLAN_POWER,              /* a node may draw power_w, base load included */
	PLAN_ARRIVE,             /* a car begins to charge at an EVSE */
	PLAN_LEAVE               /* the one there leaves */
};
struct plan_change {
	enum plan_kind kind;
	int node, evse;          /* index, the other -1 */
	int32_t ma;
	int64_t power_w;
};

/* Lives through `seconds`, then calls `look` with the copy, for views (control_evse_view, control_why). Cars follow within a second and take
 * what they are known to take; the building stays as it is. */
void plan_run(const struct control *c, const struct plan_change *changes, size_t n, int seconds, void (*look)(void *arg, const struct control *then),
	      void *arg);

#endif
