/* Joins the load balancer to the world: builds its site from the settings, feeds it meters, ticks it, sends its limits. Loop thread. */
#ifndef AMPGATE_GATEWAY_BALANCE_H
#define AMPGATE_GATEWAY_BALANCE_H

#include "base/plugin.h"
#include "gateway/gateway.h"

/* The balancer's view of settings, as the daemon has it. Lives in `mem` and as long as the settings. */
struct control_conf balance_describe(const struct settings *c, struct arena *mem);
int balance_open(struct gateway *g) MUST_CHECK; /* sets g->control and g->limits; meters start with balance_start */

/* Whether what runs can go over from one configuration to the other: circuits may be added behind those there are, and no meter comes or goes. */
bool balance_can_change(const struct settings *now, const struct settings *next);
/* g->conf is another one: EVSEs keep their index in g->control, new ones follow. ERR_FULL: too many new ones for now. The sessions take their
 * EVSEs next, and then balance_changed lets the balancer decide anew. */
int balance_change(struct gateway *g) MUST_CHECK;
void balance_changed(struct gateway *g);

int balance_start(struct gateway *g) MUST_CHECK;
void balance_stop(struct gateway *g);           /* no more ticks or samples */
void balance_close(struct gateway *g);

/* Somebody begins to charge: decide in the next turn of the loop, and not with the next tick. */
void balance_soon(struct gateway *g);

/* What a meter last read, voltages and powers too; NULL: nothing yet, or its last reading failed. */
const ag_meter_sample *balance_sample(int meter);

#endif
