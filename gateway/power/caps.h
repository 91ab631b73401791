/* Limits that people set on circuits and EVSEs: always with an end, always with a name. They live as long as the process; the balancer
 * enforces them, this module remembers who and why. Loop thread. */
#ifndef AMPGATE_GATEWAY_CAPS_H
#define AMPGATE_GATEWAY_CAPS_H

#include "gateway/gateway.h"

struct cap_rec {
	int id;
	const char *object;    /* "row-a", "G-07/1" */
	int32_t ma;
	int64_t until_us;      /* wall */
	const char *user, *reason; /* reason NULL: none */
};

/* node or evse: an index in energy/control, the other -1. The id, from 1. */
int caps_set(struct gateway *g, int node, int evse, const struct cap_rec *cap);
int caps_clear(struct gateway *g, int id); /* ERR_NOT_FOUND */
void caps_each(void (*see)(void *arg, const struct cap_rec *cap), void *arg); /* those in force */
/* The least that operators allow this EVSE itself, not above `otherwise_ma`. */
int32_t caps_of(const char *station, int evse, int32_t otherwise_ma);
void caps_free(void);

#endif
