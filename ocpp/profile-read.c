/* The names of 1.6 and 2.x differ in three places (the profile's member, its id, one schedule against a list of up to three), so both are
 * looked for instead of two readers. */
#include "ocpp/profile-read.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "ocpp/profile.h"

static int read_unit(struct slice word, bool *watts)
{
	*watts = slice_is(word, "W");
	return *watts || slice_is(word, "A") ? 0 : ERR_INVALID;
}

static int read_kind(const cJSON *profile, struct charging_profile *out)
{
	struct slice kind = json_text(profile, "chargingProfileKind");
	if (slice_is(kind, "Absolute"))
		out->kind = PROFILE_ABSOLUTE;
	else if (slice_is(kind, "Relative"))
		out->kind = PROFILE_RELATIVE;
	else if (slice_is(kind, "Recurring"))
		out->kind = PROFILE_RECURRING;
	else if (slice_is(kind, "Dynamic"))
		out->kind = PROFILE_DYNAMIC;
	else
		return ERR_INVALID;
	if (out->kind == PROFILE_RECURRING)
		out->cycle_s = slice_is(json_text(profile, "recurrencyKind"), "Weekly") ? 7 * 86400 : 86400;
	return 0;
}

/* Integers are 32 bits in 2.x, and nothing about a schedule means more; what is beyond counts as absent, which is an error or no bound. */
static int64_t read_int(const cJSON *tree, const char *path, int64_t otherwise)
{
	int64_t i = json_int(tree, path, otherwise);
	return i >= INT32_MIN && i <= INT32_MAX ? i : otherwise;
}

static int64_t read_time(const cJSON *tree, const char *path)
{
	int64_t us = 0;
	return time_parse(json_text(tree, path), &us) == 0 ? us : 0;
}

static const char *const modes[OPERATION_MODES] = { "ChargingOnly", "CentralSetpoint", "ExternalSetpoint", "ExternalLimits", "CentralFrequency",
	"LocalFrequency", "LocalLoadBalancing", "Idle" };

/* Three values whose names end in nothing, _L2 and _L3. How many were there. */
static int read_by_phase(const cJSON *item, const char *name, double out[3])
{
	static const char *const ends[] = { "", "_L2", "_L3" };
	char path[40];
	int n = 0;
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", name, ends[i]);
		out[i] = json_number(item, path, NAN);
		n += !isnan(out[i]);
	}
	return n;
}

int v2x_read(const cJSON *item, struct charging_v2x *out)
{
	int n = read_by_phase(item, "limit", out->limit) + read_by_phase(item, "dischargeLimit", out->discharge) +
	        read_by_phase(item, "setpoint", out->setpoint);
	struct slice mode = json_text(item, "operationMode");
	out->mode = MODE_CHARGING_ONLY;
	for (int i = 0; mode.p && i < OPERATION_MODES; i++)
		if (slice_is(mode, modes[i]))
			out->mode = (enum operation_mode)i;
	return n;
}

/* Only where something is said that a limit alone does not say. */
static struct charging_v2x *read_v2x(const cJSON *item, struct arena *mem)
{
	struct charging_v2x v;
	int n = v2x_read(item, &v);
	if (n == !isnan(v.limit[0]) && v.mode == MODE_CHARGING_ONLY)
		return NULL;
	struct charging_v2x *kept = arena_new(mem, sizeof(*kept));
	*kept = v;
	return kept;
}

static int read_periods(const cJSON *list, struct arena *mem, struct charging_profile *out)
{
	int n = cJSON_GetArraySize(list);
	if (n < 1)
		return ERR_INVALID;
	if (n > PROFILE_PERIODS_MOST)
		return ERR_TOO_LARGE;
	out->periods = arena_new(mem, (size_t)n * sizeof(out->periods[0]));
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		struct charging_period *p = &out->periods[out->n_periods++];
		p->start_s = read_int(item, "startPeriod", -1);
		p->limit = json_number(item, "limit", INFINITY);
		p->phases = (int)read_int(item, "numberPhases", 0);
		p->phase = (int)read_int(item, "phaseToUse", 0);
		p->v2x = read_v2x(item, mem);
		int64_t least = out->n_periods > 1 ? p[-1].start_s + 1 : 0;
		if (p->start_s < least || (out->n_periods == 1 && p->start_s != 0) || !(p->limit >= 0) || p->phases < 0 || p->phases > 3 ||
		    p->phase < 0 || p->phase > 3)
			return ERR_INVALID;
	}
	return 0;
}

static int read_schedule(const cJSON *schedule, struct arena *mem, struct charging_profile *out)
{
	int err = read_unit(json_text(schedule, "chargingRateUnit"), &out->watts);
	if (err)
		return err;
	if (out->kind != PROFILE_DYNAMIC)
		out->start_us = read_time(schedule, "startSchedule");
	out->schedule_id = read_int(schedule, "id", 0);
	out->local_time = json_bool(schedule, "useLocalTime", false);
	out->duration_s = read_int(schedule, "duration", 0);
	if (out->duration_s < 0)
		return ERR_INVALID;
	out->min_rate = json_number(schedule, "minChargingRate", 0);
	out->random_delay_s = read_int(schedule, "randomizedDelay", 0);
	out->soc_percent = json_number(schedule, "limitAtSoC.soc", 0);
	out->soc_limit = json_number(schedule, "limitAtSoC.limit", INFINITY);
	err = read_periods(json_at(schedule, "chargingSchedulePeriod"), mem, out);
	return !err && out->kind == PROFILE_DYNAMIC && out->n_periods != 1 ? ERR_INVALID : err; /* 2.1 K28.FR.03 */
}

/* One, or a list of them. */
static int read_schedules(const cJSON *schedules, struct arena *mem, struct charging_profile *out)
{
	const struct charging_profile common = *out;
	struct charging_profile *last = out;
	const cJSON *item = cJSON_IsArray(schedules) ? schedules->child : schedules;
	int n = cJSON_IsArray(schedules) ? cJSON_GetArraySize(schedules) : 1;
	if (n > PROFILE_SCHEDULES_MOST || (n > 1 && out->kind == PROFILE_DYNAMIC)) /* 2.1 K28.FR.01 */
		return ERR_INVALID;
	int err = read_schedule(item, mem, out);
	for (int i = 1; !err && i < n; i++) {
		item = item->next;
		last->more = arena_new(mem, sizeof(common));
		last = last->more;
		*last = common;
		err = read_schedule(item, mem, last);
	}
	return err;
}

int profile_read_tree(const cJSON *profile, struct arena *mem, struct charging_profile *out)
{
	*out = (struct charging_profile){ 0 };
	out->id = json_int(profile, "chargingProfileId", json_int(profile, "id", -1));
	int64_t level = read_int(profile, "stackLevel", -1);
	if (level < 0)
		return ERR_INVALID;
	out->stack_level = (int)level;
	out->valid_from_us = read_time(profile, "validFrom");
	out->valid_to_us = read_time(profile, "validTo");
	out->offline_most_s = read_int(profile, "maxOfflineDuration", 0);
	out->offline_ends_it = json_bool(profile, "invalidAfterOfflineDuration", false);
	const cJSON *tx = json_at(profile, "transactionId");
	if (cJSON_IsString(tx))
		out->tx = slice_of(tx->valuestring);
	else if (tx)
		out->tx = slice_of(arena_printf(mem, "%lld", (long long)json_int(profile, "transactionId", -1)));
	out->purpose = profile_purpose(json_text(profile, "chargingProfilePurpose"));
	if (out->purpose == PURPOSE_NONE || read_kind(profile, out) != 0)
		return ERR_INVALID;
	if (out->kind == PROFILE_DYNAMIC) {
		out->start_us = read_time(profile, "dynUpdateTime");
		out->pull_every_s = read_int(profile, "dynUpdateInterval", 0);
	}
	return read_schedules(json_at(profile, "chargingSchedule"), mem, out);
}

int profile_read_reported(const cJSON *schedules, enum profile_purpose purpose, struct arena *mem, struct charging_profile *out)
{
	*out = (struct charging_profile){ .id = -1, .purpose = purpose, .kind = PROFILE_ABSOLUTE };
	return read_schedules(schedules, mem, out);
}

int profile_read_message(const cJSON *tree, struct arena *mem, struct charging_profile *out)
{
	const cJSON *profile = json_at(tree, "csChargingProfiles");
	*out = (struct charging_profile){ 0 };
	if (!profile)
		profile = json_at(tree, "chargingProfile");
	return profile ? profile_read_tree(profile, mem, out) : ERR_NOT_FOUND;
}

int profile_read_whole(struct frame *f, struct arena *mem, struct charging_profile *out)
{
	return profile_read_message(frame_tree(f), mem, out);
}

void profile_filter_read(struct frame *f, struct profile_filter *out)
{
	const cJSON *tree = frame_tree(f);
	const cJSON *criteria = json_at(tree, "chargingProfileCriteria");
	if (!criteria)
		criteria = tree;
	out->id = json_int(tree, "id", json_int(tree, "chargingProfileId", -1));
	out->evse = (int)read_int(criteria, "connectorId", read_int(criteria, "evseId", -1));
	out->stack_level = (int)read_int(criteria, "stackLevel", -1);
	out->purpose = profile_purpose(json_text(criteria, "chargingProfilePurpose"));
}

int schedule_ask_read(struct frame *f, struct schedule_ask *out)
{
	const cJSON *tree = frame_tree(f);
	struct slice unit = json_text(tree, "chargingRateUnit");
	out->evse = (int)read_int(tree, "connectorId", read_int(tree, "evseId", -1));
	out->duration_s = read_int(tree, "duration", -1);
	out->watts = false;
	out->most_a = NULL;
	out->also_a = NULL;
	out->also = NULL;
	out->mem = NULL;
	if (out->evse < 0 || out->duration_s < 0)
		return ERR_INVALID;
	return unit.p ? read_unit(unit, &out->watts) : 0;
}

static void write_by_phase(struct json_writer *w, const char *name, const double value[3], int from)
{
	static const char *const ends[] = { "", "_L2", "_L3" };
	char key[40];
	for (int i = from; i < 3; i++) {
		snprintf(key, sizeof(key), "%s%s", name, ends[i]);
		if (!isnan(value[i]))
			jw_number(w, key, value[i], 1); /* one decimal, as limits have */
	}
}

static void write_v2x(struct json_writer *w, const struct charging_v2x *v, int limit_from)
{
	write_by_phase(w, "limit", v->limit, limit_from);
	write_by_phase(w, "dischargeLimit", v->discharge, 0);
	write_by_phase(w, "setpoint", v->setpoint, 0);
	if (v->mode != MODE_CHARGING_ONLY)
		jw_string(w, "operationMode", modes[v->mode]);
}

void v2x_write(struct json_writer *w, const struct charging_v2x *v)
{
	write_v2x(w, v, 0);
}

static void write_periods(struct json_writer *w, enum ocpp_version v, const struct charging_period *periods, size_t n)
{
	jw_array(w, "chargingSchedulePeriod");
	for (size_t i = 0; i < n; i++) {
		jw_object(w, NULL);
		jw_int(w, "startPeriod", periods[i].start_s);
		jw_number(w, "limit", periods[i].limit, 1);
		if (periods[i].phases)
			jw_int(w, "numberPhases", periods[i].phases);
		if (periods[i].phase && v != OCPP16)
			jw_int(w, "phaseToUse", periods[i].phase);
		if (periods[i].v2x && v == OCPP21)
			write_v2x(w, periods[i].v2x, 1);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

/* 1.6 keeps EVSE and start beside the schedule (errata 3.57), 2.x puts them into it. */
static void write_16(struct json_writer *w, const struct schedule_ask *ask, int64_t start_us)
{
	jw_int(w, "connectorId", ask->evse);
	jw_time(w, "scheduleStart", start_us);
	jw_object(w, "chargingSchedule");
}

static void write_2x(struct json_writer *w, const struct schedule_ask *ask, int64_t start_us)
{
	jw_object(w, "schedule");
	jw_int(w, "evseId", ask->evse);
	jw_time(w, "scheduleStart", start_us);
}

void schedule_write_answer(enum ocpp_version v, const struct schedule_ask *ask, int64_t start_us, const struct charging_period *periods,
                           size_t n, struct buf *payload)
{
	struct json_writer w;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_string(&w, "status", "Accepted");
	(v == OCPP16 ? write_16 : write_2x)(&w, ask, start_us);
	jw_int(&w, "duration", ask->duration_s);
	jw_string(&w, "chargingRateUnit", ask->watts ? "W" : "A");
	write_periods(&w, v, periods, n);
	jw_end(&w, '}');
	jw_end(&w, '}');
}

int schedule_convert_answer(struct frame *answer, const struct schedule_ask *ask, int64_t now_us, enum ocpp_version to, struct buf *payload)
{
	struct arena mem = { 0 };
	struct charging_profile told = { .kind = PROFILE_ABSOLUTE };
	struct schedule_ask said = *ask;
	const cJSON *tree = frame_tree(answer), *in_2x = json_at(tree, "schedule"), *schedule = in_2x ? in_2x : json_at(tree, "chargingSchedule");
	if (!schedule)
		return ERR_NOT_FOUND;
	int err = read_schedule(schedule, &mem, &told);
	if (!err) {
		int64_t start_us = read_time(in_2x ? in_2x : tree, "scheduleStart");
		said.watts = told.watts;
		if (told.duration_s > 0)
			said.duration_s = told.duration_s; /* it may have told of less than was asked for */
		schedule_write_answer(to, &said, start_us ? start_us : now_us, told.periods, told.n_periods, payload);
	}
	arena_free(&mem);
	return err;
}
