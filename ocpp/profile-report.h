/* GetChargingProfiles and the ReportChargingProfiles that follow (2.x, K09). */
#ifndef AMPGATE_OCPP_PROFILE_REPORT_H
#define AMPGATE_OCPP_PROFILE_REPORT_H

#include "base/buf.h"
#include "ocpp/catalogue.h"
#include "ocpp/charging.h"
#include "ocpp/frame.h"

struct profile_query {
	int64_t request_id;
	int evse;                 /* 0: those of the station as a whole; -1: any */
	enum profile_purpose purpose; /* PURPOSE_NONE: any */
	int stack_level;          /* -1: any */
	const cJSON *ids;         /* NULL: any; lives with the frame's tree */
	const cJSON *sources;     /* chargingLimitSource; NULL: any */
};
void profile_query_read(struct frame *f, struct profile_query *out);
bool profile_query_wants(const struct profile_query *q, const char *source); /* who limits, as a chargingLimitSource */
/* One that the CSMS has set. */
bool profile_query_fits(const struct profile_query *q, int evse, const struct charging_profile *p);

/* The profile in SetChargingProfile or a remote start as JSON, a window into the frame; absent: none. */
struct slice profile_text(const struct frame *f);

/* What others limit an EVSE to since `from_us`, as a profile without end: ChargingStationExternalConstraints, level 0 (2.x K11 to K14). */
void profile_write_outer(enum ocpp_version v, int64_t id, double amps, int64_t from_us, struct buf *out);
bool profile_query_fits_outer(const struct profile_query *q, int evse, int64_t id, const char *source);

/* Profiles of one EVSE, as JSON; `source` set them. */
int profile_write_report(enum ocpp_version v, int64_t request_id, const char *source, int evse, bool more, const struct slice *profiles, size_t n,
                         struct buf *payload, const struct action **act_out) MUST_CHECK;

#endif
