/* Reports go up in groups, one per source and EVSE (2.0.1 K09), as our own CALLs in the station's name.
 *
 * Easy to get wrong: the station's own answer to GetCompositeSchedule shows our limit ending with its dead-man, which we renew, so it is not
 * what will happen. */
#include "gateway/power/schedule.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "gateway/power/charger.h"
#include "gateway/power/csms-profiles.h"
#include "gateway/power/reported.h"
#include "ocpp/catalogue.h"
#include "ocpp/profile-read.h"
#include "ocpp/profile.h"
#include "ocpp/splice.h"

#define SOURCE_OURS "EMS"
#define SOURCE_THEIRS "CSO"

static bool is_managed(const struct session *s)
{
	return s->conf->circuit && s->csms && s->gw->limits;
}

/* --- GetCompositeSchedule --- */

static void told(const struct session *s, double most_a[SESSION_EVSES + 1])
{
	for (int i = 1; i <= s->n_evses; i++)
		most_a[i - 1] = limits_told_a(s->gw->limits, s, i) * settings_wire_share(s->gw->conf, s->conf);
}

static double also_a(const void *arg, int evse, int64_t wall_us, int64_t *until_us)
{
	return reported_a(arg, evse, wall_us, until_us);
}

static void composite(struct session *s, struct frame *f, struct buf *payload)
{
	struct arena mem = { 0 };
	struct schedule_ask ask;
	double most_a[SESSION_EVSES + 1];
	int64_t now_us = clock_wall_us() / US_PER_S * US_PER_S; /* periods count whole seconds from what scheduleStart says */
	if (schedule_ask_read(f, &ask) != 0 || ask.evse > s->n_evses) {
		buf_puts(payload, "{\"status\":\"Rejected\"}");
		return;
	}
	struct charging_period *periods = arena_new(&mem, PROFILE_PERIODS_MOST * sizeof(*periods));
	told(s, most_a);
	ask.most_a = most_a;
	ask.also_a = also_a;
	ask.also = s;
	ask.mem = &mem;
	size_t n = csms_profiles_composite(s, &ask, s->conf->max_current_ma / 1000.0 * settings_wire_share(s->gw->conf, s->conf), now_us, periods, PROFILE_PERIODS_MOST);
	schedule_write_answer(s->version, &ask, now_us, periods, n, payload);
	arena_free(&mem);
}

/* --- GetChargingProfiles --- */

struct criteria {
	int64_t request_id;
	int evse;                 /* -1: any */
	int level;                /* -1: any */
	enum profile_purpose purpose; /* PURPOSE_NONE: any */
	const cJSON *ids, *sources; /* NULL: any */
};

static void read_criteria(struct frame *f, struct criteria *out)
{
	const cJSON *tree = frame_tree(f);
	*out = (struct criteria){
		.request_id = json_int(tree, "requestId", 0),
		.evse = (int)json_int(tree, "evseId", -1),
		.level = (int)json_int(tree, "chargingProfile.stackLevel", -1),
		.purpose = profile_purpose(json_text(tree, "chargingProfile.chargingProfilePurpose")),
		.ids = json_at(tree, "chargingProfile.chargingProfileId"),
		.sources = json_at(tree, "chargingProfile.chargingLimitSource"),
	};
}

static bool in_list(const cJSON *list, int64_t id)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
		if (cJSON_IsNumber(item) && (int64_t)item->valuedouble == id)
			return true;
	return !list;
}

static bool names(const cJSON *list, const char *word)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
		if (cJSON_IsString(item) && strcmp(item->valuestring, word) == 0)
			return true;
	return !list;
}

static bool asked_for(const struct criteria *q, int evse, int level, enum profile_purpose purpose, int64_t id, const char *source)
{
	return (q->evse < 0 || q->evse == evse) && (q->level < 0 || q->level == level) && (q->purpose == PURPOSE_NONE || q->purpose == purpose) &&
	       in_list(q->ids, id) && names(q->sources, source);
}

/* One group: what stands on an EVSE, by one source. */
struct group {
	const struct criteria *q;
	int evse;
	const char *source;
	size_t n;
	struct buf list;
};

static void add_theirs(void *arg, int evse, const struct charging_profile *p, struct slice message)
{
	struct group *g = arg;
	struct slice text = splice_find(message, "chargingProfile");
	if (evse != g->evse || !text.n || !asked_for(g->q, evse, p->stack_level, p->purpose, p->id, SOURCE_THEIRS))
		return;
	buf_puts(&g->list, g->n++ ? "," : "");
	buf_slice(&g->list, text);
}

/* The site's limit as a profile of the station's surroundings; its id is one of ours, so no profile of the CSMS has it. */
static void add_ours(struct session *s, struct group *g)
{
	struct json_writer w;
	struct charger *c = charger_of(s->gw->limits, s);
	int64_t id = charger_profile_id(c, g->evse, 0);
	double amps = g->evse ? limits_told_a(s->gw->limits, s, g->evse) : INFINITY;
	if (isinf(amps) || !asked_for(g->q, g->evse, 0, PURPOSE_EXTERNAL, id, SOURCE_OURS))
		return;
	g->n++;
	jw_open(&w, &g->list);
	jw_object(&w, NULL);
	jw_int(&w, "id", id);
	jw_int(&w, "stackLevel", 0);
	jw_string(&w, "chargingProfilePurpose", profile_purpose_word(s->version, PURPOSE_EXTERNAL));
	jw_string(&w, "chargingProfileKind", "Absolute");
	jw_array(&w, "chargingSchedule");
	jw_object(&w, NULL);
	jw_int(&w, "id", id);
	jw_time(&w, "startSchedule", clock_wall_us());
	jw_string(&w, "chargingRateUnit", s->conf->dc ? "W" : "A");
	jw_array(&w, "chargingSchedulePeriod");
	jw_object(&w, NULL);
	jw_int(&w, "startPeriod", 0);
	jw_number(&w, "limit", s->conf->dc ? amps * s->conf->efficiency * 3 * s->gw->conf->site.voltage_v : amps, 1);
	jw_end(&w, '}');
	jw_end(&w, ']');
	jw_end(&w, '}');
	jw_end(&w, ']');
	jw_end(&w, '}');
}

/* A schedule without a start began when it was told (2.0.1 K01.FR.40 wants one). */
static void write_schedules(const struct reported_limit *l, struct json_writer *w)
{
	struct buf text = { 0 }, member = { 0 };
	char time[TIME_TEXT];
	buf_printf(&member, "\"startSchedule\":\"%s\"", time_text(l->at_us, time));
	if (splice_find(l->schedules, "0.startSchedule").n)
		buf_slice(&text, l->schedules);
	else
		splice_insert_member(&text, l->schedules, splice_find(l->schedules, "0"), buf_view(&member));
	jw_raw(w, "chargingSchedule", buf_view(&text));
	buf_free(&text);
	buf_free(&member);
}

/* What the station was told by others, as it told it. Ids below 0 are those of the surroundings (2.1 K11.FR.06). */
static void add_reported(const struct session *s, int i, struct group *g)
{
	const struct reported_limit *l = reported_at(s, (size_t)i);
	enum profile_purpose purpose = l->generation ? PURPOSE_LOCAL_GENERATION : PURPOSE_EXTERNAL;
	struct json_writer w;
	g->evse = l->evse;
	g->source = l->source;
	if (!l->schedules.n || !asked_for(g->q, l->evse, 0, purpose, -1 - i, l->source))
		return;
	g->n++;
	jw_open(&w, &g->list);
	jw_object(&w, NULL);
	jw_int(&w, "id", -1 - i);
	jw_int(&w, "stackLevel", 0);
	jw_string(&w, "chargingProfilePurpose", profile_purpose_word(s->version, purpose));
	jw_string(&w, "chargingProfileKind", "Absolute");
	write_schedules(l, &w);
	jw_end(&w, '}');
}

/* Group k of all that could be: two sources on the station and on each EVSE, then what the station reported. False: there is none so high. */
static bool make_group(struct session *s, const struct criteria *q, int k, struct group *g)
{
	int pairs = 2 * (s->n_evses + 1);
	*g = (struct group){ .q = q, .evse = k / 2, .source = k % 2 ? SOURCE_OURS : SOURCE_THEIRS };
	if (k >= pairs && !reported_at(s, (size_t)(k - pairs)))
		return false;
	if (k >= pairs)
		add_reported(s, k - pairs, g);
	else if (k % 2)
		add_ours(s, g);
	else
		csms_profiles_each(s, add_theirs, g);
	return true;
}

static size_t count_all(struct session *s, const struct criteria *q, int from)
{
	size_t n = 0;
	struct group g;
	for (int k = from; make_group(s, q, k, &g); k++) {
		n += g.n;
		buf_free(&g.list);
	}
	return n;
}

static void on_reported(void *arg, struct call *call, int err, struct frame *answer)
{
	const struct session *s = arg;
	(void)call;
	if (!answer)
		log_debug(&s->log, "a report of charging profiles was not answered: %s", err_text(err));
}

static void send_group(struct session *s, const struct criteria *q, int k, const struct group *g)
{
	struct buf payload = { 0 };
	struct json_writer w;
	jw_open(&w, &payload);
	jw_object(&w, NULL);
	jw_int(&w, "requestId", q->request_id);
	jw_string(&w, "chargingLimitSource", g->source);
	jw_int(&w, "evseId", g->evse);
	jw_bool(&w, "tbc", count_all(s, q, k + 1) > 0);
	jw_array(&w, "chargingProfile");
	buf_slice(&payload, buf_view(&g->list));
	jw_end(&w, ']');
	jw_end(&w, '}');
	if (session_tell(s, SLICE("ReportChargingProfiles"), buf_view(&payload), on_reported, s) != 0)
		log_debug(&s->log, "charging profiles could not be reported");
	buf_free(&payload);
}

void schedule_report(struct session *s, struct frame *f)
{
	struct criteria q;
	if (!f->act || strcmp(f->act->name, "GetChargingProfiles") != 0)
		return;
	read_criteria(f, &q);
	struct group g;
	for (int k = 0; make_group(s, &q, k, &g); k++) {
		if (g.n)
			send_group(s, &q, k, &g);
		buf_free(&g.list);
	}
}

bool schedule_answer(struct session *s, struct frame *f, struct buf *payload)
{
	struct criteria q;
	if (!f->act || !is_managed(s))
		return false;
	if (f->act->event == CMD_GET_SCHEDULE) {
		composite(s, f, payload);
		return true;
	}
	if (strcmp(f->act->name, "GetChargingProfiles") != 0)
		return false;
	read_criteria(f, &q);
	buf_puts(payload, count_all(s, &q, 0) ? "{\"status\":\"Accepted\"}" : "{\"status\":\"NoProfiles\"}");
	return true;
}

/* --- ClearChargingProfile --- */

/* Whether a filter meets a profile of ours. */
static bool meets_ours(struct session *s, const struct profile_filter *f)
{
	struct charger *c = charger_of(s->gw->limits, s);
	if (f->id >= 0)
		return f->id >= c->first_id && f->id < c->first_id + LIMITS_PROFILE_IDS;
	return f->purpose == PURPOSE_NONE || f->purpose == PURPOSE_TX || f->purpose == PURPOSE_TX_DEFAULT || f->purpose == PURPOSE_STATION_MAX;
}

const char *schedule_clear_word(struct session *s, struct frame *f)
{
	struct profile_filter filter;
	if (!is_managed(s))
		return NULL;
	profile_filter_read(f, &filter);
	if (csms_profiles_count(s, &filter))
		return "Accepted"; /* also where ours had taken its place, so that the station does not know it any more */
	return meets_ours(s, &filter) ? "Unknown" : NULL;
}
