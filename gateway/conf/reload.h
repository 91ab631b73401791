/* What runs goes over to another configuration. Cars go on charging: stations keep their links, lanes are opened anew only where their way to
 * the CSMS has changed, and the balancer keeps what it knows. Some changes need a start of the program; then nothing changes at all, and the
 * keys are named. Loop thread. */
#ifndef AMPGATE_GATEWAY_RELOAD_H
#define AMPGATE_GATEWAY_RELOAD_H

#include "gateway/gateway.h"

struct reload_plan;

/* Looks at the differences and changes nothing. Never NULL; release with reload_plan_free. */
struct reload_plan *reload_look(const struct settings *now, const struct settings *next);
void reload_plan_free(struct reload_plan **p);

bool reload_is_empty(const struct reload_plan *p);       /* nothing differs */
bool reload_needs_restart(const struct reload_plan *p);
void reload_each(const struct reload_plan *p, void (*each)(void *arg, const struct conf_change *c), void *arg);

/* Goes over to `next`, which has to outlive the gateway, as the one before has to. Not for plans that need a restart. ERR_INVALID: an uplink
 * cannot be opened (logged), and nothing has changed. A listener that cannot be opened is logged and left out. */
int reload_apply(struct gateway *g, const struct settings *next, const struct reload_plan *p) MUST_CHECK;
/* Certificates of listeners, read again from their files, whether anything differs or not. */
void reload_certificates(struct gateway *g);

/* Opening and closing all of them, at the start and at the end. */
int uplinks_open(struct gateway *g) MUST_CHECK;
void uplinks_close(struct gateway *g);
int listeners_open(struct gateway *g) MUST_CHECK;
void listeners_close(struct gateway *g);

#endif
