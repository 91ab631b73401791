/* What hangs below a circuit, added up from the settings. */
#ifndef AMPGATE_GATEWAY_BELOW_H
#define AMPGATE_GATEWAY_BELOW_H

#include "gateway/conf/settings.h"

struct below {
	int evses;
	int64_t max_w, fallback_w;  /* of all */
	int64_t least_w;            /* that the smallest needs to charge; 0: there is none */
	int32_t largest_ma;         /* of one EVSE */
	int32_t single_min_ma;      /* the largest minimum of an EVSE that may load phases unevenly; 0: none */
};
/* A circuit is below itself. */
bool below_is(const struct circuit_settings *c, const struct circuit_settings *top);
/* How many EVSEs below it can take more than `watts`. */
int below_above(const struct settings *s, const struct circuit_settings *top, int64_t watts);
struct below below_look(const struct settings *s, const struct circuit_settings *top);

#endif
