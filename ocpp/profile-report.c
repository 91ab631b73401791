/* Profiles are reported as they were set, so they are kept as JSON beside what was understood of them. */
#include "ocpp/profile-report.h"

#include <string.h>

#include "base/json.h"
#include "ocpp/profile.h"
#include "ocpp/splice.h"

void profile_query_read(struct frame *f, struct profile_query *out)
{
	const cJSON *tree = frame_tree(f);
	*out = (struct profile_query){
		.request_id = json_int(tree, "requestId", 0),
		.evse = (int)json_int(tree, "evseId", -1),
		.purpose = profile_purpose(json_text(tree, "chargingProfile.chargingProfilePurpose")),
		.stack_level = (int)json_int(tree, "chargingProfile.stackLevel", -1),
		.ids = json_at(tree, "chargingProfile.chargingProfileId"),
		.sources = json_at(tree, "chargingProfile.chargingLimitSource"),
	};
}

bool profile_query_wants(const struct profile_query *q, const char *source)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, q->sources) {
		if (cJSON_IsString(item) && strcmp(item->valuestring, source) == 0)
			return true;
	}
	return !q->sources;
}

static bool fits(const struct profile_query *q, int evse, int64_t id, enum profile_purpose purpose, int level)
{
	const cJSON *item;
	bool named = !q->ids;
	cJSON_ArrayForEach(item, q->ids) {
		if (cJSON_IsNumber(item) && (int64_t)item->valuedouble == id)
			named = true;
	}
	return named && (q->evse < 0 || q->evse == evse) && (q->purpose == PURPOSE_NONE || q->purpose == purpose) &&
	       (q->stack_level < 0 || q->stack_level == level);
}

bool profile_query_fits(const struct profile_query *q, int evse, const struct charging_profile *p)
{
	return profile_query_wants(q, "CSO") && fits(q, evse, p->id, p->purpose, p->stack_level);
}

bool profile_query_fits_outer(const struct profile_query *q, int evse, int64_t id, const char *source)
{
	return profile_query_wants(q, source) && fits(q, evse, id, PURPOSE_EXTERNAL, 0);
}

struct slice profile_text(const struct frame *f)
{
	struct slice text = splice_find(f->payload, "csChargingProfiles");
	return text.p ? text : splice_find(f->payload, "chargingProfile");
}

void profile_write_outer(enum ocpp_version v, int64_t id, double amps, int64_t from_us, struct buf *out)
{
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_int(&w, "id", id);
	jw_int(&w, "stackLevel", 0);
	jw_string(&w, "chargingProfilePurpose", profile_purpose_word(v, PURPOSE_EXTERNAL));
	jw_string(&w, "chargingProfileKind", "Absolute");
	jw_array(&w, "chargingSchedule");
	jw_object(&w, NULL);
	jw_int(&w, "id", 1);
	jw_time(&w, "startSchedule", from_us);
	jw_string(&w, "chargingRateUnit", "A");
	jw_array(&w, "chargingSchedulePeriod");
	jw_object(&w, NULL);
	jw_int(&w, "startPeriod", 0);
	jw_number(&w, "limit", amps, 1);
	jw_end(&w, '}');
	jw_end(&w, ']');
	jw_end(&w, '}');
	jw_end(&w, ']');
	jw_end(&w, '}');
}

int profile_write_report(enum ocpp_version v, int64_t request_id, const char *source, int evse, bool more, const struct slice *profiles, size_t n,
                         struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	*act_out = catalogue_find(v, SLICE("ReportChargingProfiles"));
	if (!*act_out)
		return ERR_UNSUPPORTED;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_int(&w, "requestId", request_id);
	jw_string(&w, "chargingLimitSource", source);
	jw_bool(&w, "tbc", more);
	jw_int(&w, "evseId", evse);
	jw_array(&w, "chargingProfile");
	for (size_t i = 0; i < n; i++)
		jw_raw(&w, NULL, profiles[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	return 0;
}
