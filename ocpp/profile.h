/* Charging profiles in both shapes, which differ in names more than in meaning. Inside ocpp/ only. */
#ifndef AMPGATE_OCPP_PROFILE_H
#define AMPGATE_OCPP_PROFILE_H

#include "ocpp/bind.h"

enum profile_purpose profile_purpose(struct slice word); /* PURPOSE_NONE: one that is none of ours */
const char *profile_purpose_word(enum ocpp_version v, enum profile_purpose p);

/* Id, purpose, stack level, and what the first period of the (first) schedule allows. Nothing where `profile` is NULL. */
void profile_read(struct reading *r, const cJSON *profile, struct event *out);

/* What the first period of a schedule allows, per phase; NaN: nothing said. */
double profile_limit_a(const cJSON *schedule, int *phases_out);

/* Writes the profile as member `key`; with its transaction's id if `with_tx` and there is one. A missing limit is a failure. */
void profile_write(struct writing *w, const char *key, const struct event *e, bool with_tx);

/* Writes its schedule alone, as member chargingSchedule; start_us 0: it has none. */
void profile_write_schedule(struct writing *w, const struct event *e, int64_t start_us);

#endif
