/* What the CSMS has installed in a station: its charging profiles, as the station accepted them. The limit we send for the site replaces or
 * hides them inside the station, so it must never be above what they allow at that moment; and what they allow is told as a cap, with its
 * name. They are in the kept store too: a restart of ours does not make the station forget them. Loop thread. */
#ifndef AMPGATE_GATEWAY_CSMS_PROFILES_H
#define AMPGATE_GATEWAY_CSMS_PROFILES_H

#include "gateway/session/session.h"
#include "ocpp/charging.h"
#include "ocpp/frame.h"

struct csms_profiles *csms_profiles_open(struct session *s); /* with what was kept; after the running transactions are known */
void csms_profiles_close(struct csms_profiles *c);

bool csms_profiles_wants(const struct action *act);
/* The station accepted this command of the CSMS; `e` is its meaning. */
void csms_profiles_accepted(struct session *s, struct frame *command, const struct event *e);
void csms_profiles_tx_started(struct session *s, int evse);
void csms_profiles_tx_ended(struct session *s, int evse);
/* 2.1: priority charging was switched for a transaction. It stands for TxProfile and TxDefaultProfile, so ours are of no use there. */
void csms_profiles_priority(struct session *s, struct slice tx, bool on);
/* 2.x: of the schedules of its profile the car has chosen this one. */
void csms_profiles_chosen(struct session *s, int evse, int64_t schedule_id);
/* 2.1: other values for a dynamic profile (a scheduleUpdate), pushed by the CSMS or fetched by the station. */
void csms_profiles_update(struct session *s, int64_t id, const cJSON *values);
/* The CSMS is there, or not: profiles may be bound to its presence (2.1 maxOfflineDuration), which the station does not feel while we serve it. */
void csms_profiles_lane(struct session *s, bool up);
bool csms_profiles_has_priority(const struct session *s);

/* The schedule that they make for an EVSE or the station, below what the hardware (and ask->most_a) allow; as profiles_composite. */
size_t csms_profiles_composite(const struct session *s, const struct schedule_ask *ask, double max_a, int64_t now_us, struct charging_period *out,
                               size_t most);
/* All of them, in the order in which they came; `message`: the payload of the SetChargingProfile, or of the remote start it was in. */
void csms_profiles_each(const struct session *s, void (*see)(void *arg, int evse, const struct charging_profile *p, struct slice message), void *arg);
size_t csms_profiles_count(const struct session *s, const struct profile_filter *f); /* how many it means */

/* For our own profiles. Amperes per phase; INFINITY: nothing said. */
double csms_profiles_evse_a(const struct session *s, int evse);
/* 1: what they allow an EVSE is meant for one phase, and *phase_out is the one (1..3), or 0 for any. 0: nothing is said, or it is for all. */
int csms_profiles_evse_phases(const struct session *s, int evse, int *phase_out);
double csms_profiles_station_a(const struct session *s);
/* That at a wall time; *until_us is lowered to when it may change. */
double csms_profiles_station_at(const struct session *s, int64_t wall_us, int64_t *until_us);
/* Without a TxProfile. EVSE 0: what it said for all, and in 2.x, where a profile of ours for all hides those of EVSEs, the least of any. */
struct csms_default {
	double amps;              /* per phase of the grid; INFINITY: nothing said */
	int phases, phase;        /* as csms_profiles_evse_phases */
};
struct csms_default csms_profiles_default(const struct session *s, int evse);
int csms_profiles_level(const struct session *s, int evse, enum profile_purpose purpose); /* the highest in use; -1: none */

#endif
