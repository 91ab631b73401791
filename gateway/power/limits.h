/* From grants to charging profiles on the wire, in each station's own version: the live limit of a transaction, and the fallback that a
 * station holds by itself for the time when it hears nothing.
 *
 * The live limit is a TxProfile of the running transaction (2.x K03: a local controller sets it when a transaction starts), with a duration
 * as dead-man: when we are gone it ends, and the station falls back to the TxDefaultProfile that was installed at boot. A station that
 * refuses a form gets the next one: TxProfile, TxDefaultProfile of that EVSE, the maximum of the whole station (traits.h).
 *
 * Ours stand above those of the CSMS and would hide them, so ours are never higher than what the CSMS allows at that moment
 * (csms-profiles.h); and the CSMS can neither lift ours nor clear them for longer than one message. Loop thread. */
#ifndef AMPGATE_GATEWAY_LIMITS_H
#define AMPGATE_GATEWAY_LIMITS_H

#include "energy/follow.h"
#include "gateway/session/session.h"

struct limits *limits_open(struct gateway *g);
void limits_close(struct limits *l);
/* The balancer is to have so many EVSEs. ERR_FULL: not before a restart. */
int limits_grow(const struct limits *l, size_t n_evses) MUST_CHECK;

/* energy's event: this EVSE (its index there) shall have this limit. */
void limits_send(struct limits *l, int evse, const struct grant *grant);

/* What our profiles allow an EVSE, per phase, as the station was last told (rounded as it was written): the live limit of its transaction, or
 * the fallback. INFINITY: nothing of ours is there. */
double limits_told_a(const struct limits *l, const struct session *s, int evse);

struct limits_counts {
	uint64_t sent, refused;
	uint64_t at_once;         /* of those sent: lowered before the station's second was over, since a circuit had less than it was told */
	uint64_t unchanged;       /* not sent, since the station had the same number */
};
const struct limits_counts *limits_counts(const struct limits *l, const struct session *s); /* live limits since the start */

/* The meter does not show the limit that was accepted: the next form is tried. False: all of them have been. */
bool limits_not_followed(struct limits *l, struct session *s, int evse);
void limits_followed(struct limits *l, struct session *s, int evse); /* it does: this form is the model's */
/* It draws so much more than it is told, and is told less from now on. 0: it does not any more. */
void limits_correct(struct limits *l, struct session *s, int evse, int over_permille);
void limits_confirm(struct limits *l, struct session *s, int evse); /* its current shows a limit whose answer never came */
void limits_doubt(struct limits *l, struct session *s, int evse); /* it is sent again, though the station accepted it */
void limits_slow(struct limits *l, struct session *s, int64_t response_us); /* what its current took to follow: learnt for this station */
/* The last limit of the running transaction as it was written, and how it was answered. -1: none yet. */
enum follow_answer limits_state(struct limits *l, struct session *s, int evse, int32_t *told_ma, int64_t *accepted_us);
struct traits;
const struct traits *limits_traits(struct limits *l, struct session *s);
int64_t limits_meter_interval_us(struct limits *l, struct session *s); /* between its reports while it charges */

/* The station has booted or is here again: installs its fallback, once per link, a moment later. */
void limits_greet(struct limits *l, struct session *s);
void limits_link_down(struct limits *l, struct session *s);

/* The CSMS is about to set a profile at this level: ours go up before it does, or it would replace them or be refused for their sake (2.0.1
 * K01.FR.39, K01.FR.52). */
void limits_make_room(struct limits *l, struct session *s, enum profile_purpose purpose, int level);
/* The CSMS's profile was accepted by this station (EVSE 0: for all): ours go out again, above it. */
void limits_csms_profile(struct limits *l, struct session *s, int evse, enum profile_purpose purpose);
/* The CSMS cleared profiles by criteria, ours perhaps among them: they are installed again. */
void limits_csms_cleared(struct limits *l, struct session *s);
/* The CSMS means another number of phases now. */
void limits_again(struct limits *l, struct session *s, int evse);
/* What the CSMS allows has changed with time: the fallback follows. */
void limits_review(struct limits *l, struct session *s);

/* Profile ids from here on are ours, a thousand of them; where a CSMS uses one of those, the thousand below. */
#define LIMITS_PROFILE_ID 1900000000
#define LIMITS_PROFILE_IDS 1000
#define LIMITS_EXPIRY_S 180 /* of a live limit */
/* Sent again, unchanged: a station that does not answer is given up after a minute, and then there is still time for another one. */
#define LIMITS_RENEWED_S (LIMITS_EXPIRY_S / 2)

#endif
