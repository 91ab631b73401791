/* From grants to charging profiles on the wire, in each station's own version: the live limit of a transaction, and the fallback that a
 * station holds by itself for the time when it hears nothing.
 *
 * The live limit is a TxProfile of the running transaction (2.x K03: a local controller sets it when a transaction starts), with a duration
 * as dead-man: when we are gone it ends, and the station falls back to the TxDefaultProfile that was installed at boot. A station that
 * refuses a form gets the next one: TxProfile, TxDefaultProfile of that EVSE, the maximum of the whole station. Loop thread. */
#ifndef AMPGATE_GATEWAY_LIMITS_H
#define AMPGATE_GATEWAY_LIMITS_H

#include "gateway/session.h"

struct limits *limits_open(struct gateway *g);
void limits_close(struct limits *l);

/* energy's event: this EVSE (its index there) shall have this limit. */
void limits_send(struct limits *l, int evse, const struct grant *grant);

/* The station has booted or is here again: installs its fallback, once per link, a moment later. */
void limits_greet(struct limits *l, struct session *s);
void limits_link_down(struct limits *l, struct session *s);

/* The CSMS set a profile on this station: ours must stand above its stack level. */
void limits_csms_profile(struct limits *l, struct session *s, int stack_level);

/* Profile ids from here on are ours; a CSMS that counts from 1 does not meet them. */
#define LIMITS_PROFILE_ID 1900000000
#define LIMITS_EXPIRY_S 180 /* of a live limit */

#endif
