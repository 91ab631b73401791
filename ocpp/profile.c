/* One profile, one schedule, one period: all that a load balancer sends.
 *
 * Easy to get wrong: limits are rounded down, to the tenth of an ampere that 1.6 allows or to a watt, never up. Relative schedules must not have a start,
 * absolute ones must (2.0.1 K01.FR.40, K01.FR.41), and a station's maximum is never relative (K01.FR.38). */
#include "ocpp/profile.h"

#include <math.h>

#include "base/clock.h"

#define NOMINAL_V 230.0
#define DEFAULT_PHASES 3 /* of a schedule that does not say (2.0.1 K01.FR.49) */

/* "" where the version has no such purpose. */
static const char *const words_16[PURPOSES] = { "", "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile", "", "", "" };
static const char *const words_2x[PURPOSES] = { "", "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile",
	"ChargingStationExternalConstraints", "PriorityCharging", "LocalGeneration" };

enum profile_purpose profile_purpose(struct slice word)
{
	for (int p = PURPOSE_NONE + 1; word.n && p < PURPOSES; p++)
		if (slice_is(word, words_16[p]) || slice_is(word, words_2x[p]))
			return (enum profile_purpose)p;
	return PURPOSE_NONE;
}

const char *profile_purpose_word(enum ocpp_version v, enum profile_purpose p)
{
	return (v == OCPP16 ? words_16 : words_2x)[p];
}

double profile_limit_a(const cJSON *schedule, int *phases_out)
{
	double limit = json_number(schedule, "chargingSchedulePeriod.0.limit", NAN);
	int64_t phases = json_int(schedule, "chargingSchedulePeriod.0.numberPhases", 0);
	*phases_out = phases >= 1 && phases <= 3 ? (int)phases : 0;
	if (slice_is(json_text(schedule, "chargingRateUnit"), "W"))
		limit /= NOMINAL_V * (*phases_out ? *phases_out : DEFAULT_PHASES);
	return limit;
}

void profile_read(struct reading *r, const cJSON *profile, struct event *out)
{
	const cJSON *schedule = json_at(profile, "chargingSchedule");
	if (cJSON_IsArray(schedule))
		schedule = schedule->child;
	if (!cJSON_IsObject(profile))
		return;
	out->purpose = profile_purpose(json_text(profile, "chargingProfilePurpose"));
	out->profile_id = json_int(profile, r->version == OCPP16 ? "chargingProfileId" : "id", -1);
	int64_t level = json_int(profile, "stackLevel", 0);
	out->stack_level = level >= 0 && level <= INT32_MAX ? (int)level : 0;
	out->limit_a = profile_limit_a(schedule, &out->phases);
	out->duration_s = json_int(schedule, "duration", 0);
	out->time_us = bind_time(schedule, "startSchedule");
}

static void period_write(struct writing *w, const struct event *e, int64_t start_s, double limit_a, int phases)
{
	double watts = limit_a * NOMINAL_V * (phases ? phases : DEFAULT_PHASES);
	jw_object(&w->w, NULL);
	jw_int(&w->w, "startPeriod", start_s);
	if (e->in_watts)
		jw_number(&w->w, "limit", floor(watts + 1e-6), 0);
	else
		jw_number(&w->w, "limit", floor(limit_a * 10 + 1e-6) / 10, 1);
	if (phases > 0)
		jw_int(&w->w, "numberPhases", phases);
	if (phases == 1 && e->phase_to_use > 0 && w->version != OCPP16)
		jw_int(&w->w, "phaseToUse", e->phase_to_use);
	jw_end(&w->w, '}');
}

static void members_write(struct writing *w, const struct event *e, int64_t start_us)
{
	bool goes_on = isfinite(e->then_a) && e->then_a >= 0 && e->duration_s > 0;
	if (w->version != OCPP16)
		jw_int(&w->w, "id", e->profile_id >= 0 ? e->profile_id : 1);
	if (e->duration_s > 0 && !goes_on)
		jw_int(&w->w, "duration", e->duration_s);
	if (start_us)
		jw_time(&w->w, "startSchedule", start_us);
	jw_string(&w->w, "chargingRateUnit", e->in_watts ? "W" : "A");
	jw_array(&w->w, "chargingSchedulePeriod");
	period_write(w, e, 0, e->limit_a, e->phases);
	if (goes_on)
		period_write(w, e, e->duration_s, e->then_a, e->then_phases ? e->then_phases : e->phases);
	jw_end(&w->w, ']');
}

void profile_write_schedule(struct writing *w, const struct event *e, int64_t start_us)
{
	bool list = w->version != OCPP16;
	if (list)
		jw_array(&w->w, "chargingSchedule");
	jw_object(&w->w, list ? NULL : "chargingSchedule");
	members_write(w, e, start_us);
	jw_end(&w->w, '}');
	if (list)
		jw_end(&w->w, ']');
}

static void tx_write(struct writing *w, struct slice tx)
{
	if (w->version == OCPP16)
		jw_raw(&w->w, "transactionId", tx);
	else
		jw_text(&w->w, "transactionId", tx);
}

void profile_write(struct writing *w, const char *key, const struct event *e, bool with_tx)
{
	bool list = w->version != OCPP16;
	int64_t start_us = e->time_us, digits;
	if (!isfinite(e->limit_a) || e->limit_a < 0 || !profile_purpose_word(w->version, e->purpose)[0]) {
		w->err = ERR_INVALID;
		return;
	}
	if (!start_us && e->purpose == PURPOSE_STATION_MAX)
		start_us = clock_wall_us();
	jw_object(&w->w, key);
	jw_int(&w->w, list ? "id" : "chargingProfileId", e->profile_id >= 0 ? e->profile_id : 1);
	if (with_tx && e->purpose == PURPOSE_TX && e->tx.n && (list || int_parse(e->tx, &digits) != ERR_SYNTAX))
		tx_write(w, e->tx);
	jw_int(&w->w, "stackLevel", e->stack_level > 0 ? e->stack_level : 0);
	jw_string(&w->w, "chargingProfilePurpose", profile_purpose_word(w->version, e->purpose));
	jw_string(&w->w, "chargingProfileKind", start_us ? "Absolute" : "Relative");
	profile_write_schedule(w, e, start_us);
	jw_end(&w->w, '}');
}
