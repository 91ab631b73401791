/* Profiles are reported as they were set, so they are kept as JSON beside what was understood of them. */
#include "ocpp/profile-report.h"

#include <string.h>

#include "base/json.h"
#include "ocpp/profile.h"
#include "ocpp/splice.h"

void profile_query_read(struct frame *f, struct profile_query *out)
{
	const cJSON *tree = frame_tree(f), *sources = json_at(tree, "chargingProfile.chargingLimitSource"), *item;
	*out = (struct profile_query){
		.request_id = json_int(tree, "requestId", 0),
		.evse = (int)json_int(tree, "evseId", -1),
		.purpose = profile_purpose(json_text(tree, "chargingProfile.chargingProfilePurpose")),
		.stack_level = (int)json_int(tree, "chargingProfile.stackLevel", -1),
		.ids = json_at(tree, "chargingProfile.chargingProfileId"),
		.from_csms = !sources,
	};
	cJSON_ArrayForEach(item, sources) {
		if (cJSON_IsString(item) && strcmp(item->valuestring, "CSO") == 0)
			out->from_csms = true;
	}
}

bool profile_query_fits(const struct profile_query *q, int evse, const struct charging_profile *p)
{
	const cJSON *item;
	bool named = !q->ids;
	cJSON_ArrayForEach(item, q->ids) {
		if (cJSON_IsNumber(item) && (int64_t)item->valuedouble == p->id)
			named = true;
	}
	return named && q->from_csms && (q->evse < 0 || q->evse == evse) && (q->purpose == PURPOSE_NONE || q->purpose == p->purpose) &&
	       (q->stack_level < 0 || q->stack_level == p->stack_level);
}

struct slice profile_text(const struct frame *f)
{
	struct slice text = splice_find(f->payload, "csChargingProfiles");
	return text.p ? text : splice_find(f->payload, "chargingProfile");
}

int profile_write_report(enum ocpp_version v, int64_t request_id, int evse, bool more, const struct slice *profiles, size_t n,
                         struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	*act_out = catalogue_find(v, SLICE("ReportChargingProfiles"));
	if (!*act_out)
		return ERR_UNSUPPORTED;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_int(&w, "requestId", request_id);
	jw_string(&w, "chargingLimitSource", "CSO");
	jw_bool(&w, "tbc", more);
	jw_int(&w, "evseId", evse);
	jw_array(&w, "chargingProfile");
	for (size_t i = 0; i < n; i++)
		jw_raw(&w, NULL, profiles[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	return 0;
}
