/* Whole profiles, written. The names are few, so the two shapes stand side by side; codec_write_call knows only what a load balancer sends.
 *
 * Easy to get wrong: a schedule has an id of its own in 2.x, which 1.6 does not carry: the profile's own is as good as any. */
#include "ocpp/profile-write.h"

#include <math.h>

#include "base/json.h"
#include "ocpp/profile-read.h"
#include "ocpp/profile.h"

static const char *kind_word(const struct charging_profile *p)
{
	static const char *const words[] = { [PROFILE_ABSOLUTE] = "Absolute", [PROFILE_RECURRING] = "Recurring", [PROFILE_RELATIVE] = "Relative" };
	return p->kind == PROFILE_DYNAMIC ? NULL : words[p->kind];
}

static void write_periods(struct json_writer *w, const struct charging_profile *p)
{
	jw_array(w, "chargingSchedulePeriod");
	for (size_t i = 0; i < p->n_periods; i++) {
		jw_object(w, NULL);
		jw_int(w, "startPeriod", p->periods[i].start_s);
		jw_number(w, "limit", p->periods[i].limit, 1);
		if (p->periods[i].phases)
			jw_int(w, "numberPhases", p->periods[i].phases);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

static void write_schedule(struct json_writer *w, const struct charging_profile *p, bool has_id)
{
	jw_object(w, has_id ? NULL : "chargingSchedule");
	if (has_id)
		jw_int(w, "id", p->id >= 0 ? p->id : 0);
	if (p->duration_s > 0)
		jw_int(w, "duration", p->duration_s);
	if (p->start_us)
		jw_time(w, "startSchedule", p->start_us);
	jw_string(w, "chargingRateUnit", p->watts ? "W" : "A");
	write_periods(w, p);
	jw_end(w, '}');
}

static void write_profile(struct json_writer *w, enum ocpp_version to, const struct charging_profile *p, struct slice tx)
{
	bool old = to == OCPP16;
	jw_object(w, old ? "csChargingProfiles" : "chargingProfile");
	jw_int(w, old ? "chargingProfileId" : "id", p->id);
	if (tx.n && p->purpose == PURPOSE_TX && old)
		jw_raw(w, "transactionId", tx);
	else if (tx.n && p->purpose == PURPOSE_TX)
		jw_text(w, "transactionId", tx);
	jw_int(w, "stackLevel", p->stack_level);
	jw_string(w, "chargingProfilePurpose", profile_purpose_word(to, p->purpose));
	jw_string(w, "chargingProfileKind", kind_word(p));
	if (p->kind == PROFILE_RECURRING)
		jw_string(w, "recurrencyKind", p->cycle_s > 86400 ? "Weekly" : "Daily");
	if (p->valid_from_us)
		jw_time(w, "validFrom", p->valid_from_us);
	if (p->valid_to_us)
		jw_time(w, "validTo", p->valid_to_us);
	if (!old)
		jw_array(w, "chargingSchedule");
	write_schedule(w, p, !old);
	if (!old)
		jw_end(w, ']');
	jw_end(w, '}');
}

/* 1.6 wants digits where the transaction stands. */
static bool tx_fits(enum ocpp_version to, struct slice tx)
{
	int64_t digits;
	return to != OCPP16 || !tx.n || int_parse(tx, &digits) == 0;
}

static bool has_limits(const struct charging_profile *p)
{
	for (size_t i = 0; i < p->n_periods; i++)
		if (!isfinite(p->periods[i].limit))
			return false;
	return true;
}

int profile_write_message(enum ocpp_version to, struct frame *from, const struct event *e, struct buf *payload, const struct action **act_out)
{
	struct arena mem = { 0 };
	struct charging_profile p;
	struct json_writer w;
	int err = profile_read_whole(from, &mem, &p);
	if (!err && (!kind_word(&p) || !has_limits(&p) || !profile_purpose_word(to, p.purpose)[0] || !tx_fits(to, e->tx)))
		err = ERR_UNSUPPORTED;
	if (!err) {
		*act_out = catalogue_for_event(to, CMD_SET_PROFILE);
		jw_open(&w, payload);
		jw_object(&w, NULL);
		jw_int(&w, to == OCPP16 ? "connectorId" : "evseId", e->evse > 0 ? e->evse : 0);
		write_profile(&w, to, &p, e->tx);
		jw_end(&w, '}');
	}
	arena_free(&mem);
	return err;
}
