/* OCPP 2.0.1 and 2.1: what their payloads mean. 2.1 keeps the shapes of 2.0.1 and adds to them, so one table serves both; where a list of
 * words grew, the later list is marked.
 *
 * Easy to get wrong: a TransactionEvent has a reason for the message (triggerReason) and, at the end, one for the stop (stoppedReason). The
 * neutral event keeps the one that tells more: the stop's at the end, else the trigger's. Optional lists and objects are absent when
 * empty, never {} or [] (Part 4 4.1.5). */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "ocpp/bind.h"
#include "ocpp/catalogue.h"
#include "ocpp/profile.h"
#include "ocpp/samples.h"
#include "ocpp/scan.h"
#include "ocpp/splice.h"

#define NO_TOKEN "{\"idToken\":\"\",\"type\":\"NoAuthorization\"}"

static const struct row nothing[] = { { 0 } };

static const struct row boot[] = {
	{ "reason", EVENT_AT(boot_reason), AS_TEXT, 0, "\"Unknown\"" },
	{ "chargingStation.vendorName", EVENT_AT(vendor), AS_TEXT, 50, "\"\"" },
	{ "chargingStation.model", EVENT_AT(model), AS_TEXT, 20, "\"\"" },
	{ "chargingStation.serialNumber", EVENT_AT(serial), AS_TEXT, 25, NULL },
	{ "chargingStation.firmwareVersion", EVENT_AT(firmware), AS_TEXT, 50, NULL },
	{ 0 },
};
static const struct row boot_answer[] = {
	{ "status", REPLY_AT(status), AS_TEXT, 0, "\"Rejected\"" },
	{ "currentTime", REPLY_AT(time_us), AS_NOW, 0, NULL },
	{ "interval", REPLY_AT(interval_s), AS_INT64, 0, "300" },
	{ 0 },
};
static const struct row heartbeat_answer[] = { { "currentTime", REPLY_AT(time_us), AS_NOW, 0, NULL }, { 0 } };

/* Connector states. 2.x tells less than 1.6; whatever has a car is Occupied. */
static const char *const state_words[EVSE_STATES] = {
	[EVSE_UNKNOWN] = "Unavailable",      [EVSE_AVAILABLE] = "Available",   [EVSE_PREPARING] = "Occupied",
	[EVSE_CHARGING] = "Occupied",        [EVSE_SUSPENDED_EV] = "Occupied", [EVSE_SUSPENDED_EVSE] = "Occupied",
	[EVSE_FINISHING] = "Occupied",       [EVSE_RESERVED] = "Reserved",     [EVSE_UNAVAILABLE] = "Unavailable",
	[EVSE_FAULTED] = "Faulted",          [EVSE_OCCUPIED] = "Occupied",
};

static enum evse_state state_of(struct slice word)
{
	if (slice_is(word, "Occupied"))
		return EVSE_OCCUPIED;
	for (int s = EVSE_AVAILABLE; s < EVSE_STATES; s++)
		if (slice_is(word, state_words[s]))
			return (enum evse_state)s;
	return EVSE_UNKNOWN;
}

static const char *state_word(enum evse_state s)
{
	return state_words[(unsigned)s < EVSE_STATES ? s : EVSE_UNKNOWN];
}

static const struct row status_rows[] = {
	{ "timestamp", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "evseId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "connectorId", EVENT_AT(connector), AS_COUNT, 0, "1" },
	{ 0 },
};

static void status_read(struct reading *r, struct event *e)
{
	e->state = state_of(json_text(r->tree, "connectorStatus"));
}

static void status_write(struct writing *w, const struct event *e)
{
	bind_write(w, status_rows, e);
	jw_string(&w->w, "connectorStatus", state_word(e->state));
}

static const struct row authorize[] = { { "idToken", EVENT_AT(token), AS_TOKEN, 0, NO_TOKEN }, { 0 } };
static const struct row token_info[] = {
	{ "idTokenInfo.status", REPLY_AT(token_status), AS_TEXT, 0, "\"Invalid\"" },
	{ "idTokenInfo.cacheExpiryDateTime", REPLY_AT(expiry_us), AS_TIME, 0, NULL },
	{ "idTokenInfo.groupIdToken", REPLY_AT(group), AS_GROUP, 0, NULL },
	{ "idTokenInfo.chargingPriority", REPLY_AT(priority), AS_COUNT, 0, NULL },
	{ 0 },
};

/* Charging states, and the trigger that goes with a message when nobody named one. */
static const char *const charging_words[EVSE_STATES] = {
	[EVSE_PREPARING] = "EVConnected", [EVSE_CHARGING] = "Charging",     [EVSE_SUSPENDED_EV] = "SuspendedEV",
	[EVSE_SUSPENDED_EVSE] = "SuspendedEVSE", [EVSE_FINISHING] = "Idle",
};

static enum evse_state charging_state_of(struct slice word)
{
	for (int s = 0; s < EVSE_STATES; s++)
		if (charging_words[s] && slice_is(word, charging_words[s]))
			return (enum evse_state)s;
	return EVSE_UNKNOWN;
}

static const struct row tx_rows[] = {
	{ "timestamp", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "seqNo", EVENT_AT(seq_no), AS_INT64, 0, "0" },
	{ "offline", EVENT_AT(offline), AS_TRUE, 0, NULL },
	{ "reservationId", EVENT_AT(reservation), AS_INT64, 0, NULL },
	{ "evse.id", EVENT_AT(evse), AS_COUNT, 0, NULL },
	{ "evse.connectorId", EVENT_AT(connector), AS_COUNT, 0, NULL },
	{ "idToken", EVENT_AT(token), AS_TOKEN, 0, NULL },
	{ 0 },
};
static const struct row tx_info[] = { /* read only: the charging state stands among them when written */
	{ "transactionInfo.transactionId", EVENT_AT(tx), AS_TEXT, 36, NULL },
	{ "transactionInfo.remoteStartId", EVENT_AT(remote_start_id), AS_INT64, 0, NULL },
	{ 0 },
};

/* The register at the start or the end: the sample with that context, else the first or last one without a phase. */
static double register_of(const struct event *e)
{
	double wh = NAN;
	for (size_t i = 0; i < e->n_samples; i++) {
		const struct sample *s = &e->samples[i];
		if (s->measurand != MEAS_ENERGY_IMPORT || s->phase)
			continue;
		if (e->phase == TX_START ? s->begin : s->end)
			return s->value;
		if (e->phase == TX_END || isnan(wh))
			wh = s->value;
	}
	return wh;
}

static void tx_read(struct reading *r, struct event *e)
{
	struct slice type = json_text(r->tree, "eventType");
	e->phase = slice_is(type, "Started") ? TX_START : slice_is(type, "Ended") ? TX_END : TX_UPDATE;
	bind_read(r, tx_info, e);
	e->state = charging_state_of(json_text(r->tree, "transactionInfo.chargingState"));
	e->reason = json_text(r->tree, e->phase == TX_END ? "transactionInfo.stoppedReason" : "triggerReason");
	if (e->phase == TX_END && !e->reason.n)
		e->reason = SLICE("Local"); /* what an absent one means (schema) */
	samples_read(r, json_at(r->tree, "meterValue"), e);
	if (e->phase != TX_UPDATE)
		e->meter_wh = register_of(e);
}

static const char *const triggers_201[] = { "Authorized", "CablePluggedIn", "ChargingRateChanged", "ChargingStateChanged", "Deauthorized",
	"EnergyLimitReached", "EVCommunicationLost", "EVConnectTimeout", "MeterValueClock", "MeterValuePeriodic", "TimeLimitReached", "Trigger",
	"UnlockCommand", "StopAuthorized", "EVDeparted", "EVDetected", "RemoteStop", "RemoteStart", "AbnormalCondition", "SignedDataReceived",
	"ResetCommand", NULL };
static const char *const triggers_since_21[] = { "CostLimitReached", "LimitSet", "OperationModeChanged", "RunningCost", "SoCLimitReached",
	"TariffChanged", "TariffNotAccepted", "TxResumed", NULL };

static bool trigger_known(enum ocpp_version v, struct slice word)
{
	return bind_word_in(word, triggers_201) || (v == OCPP21 && bind_word_in(word, triggers_since_21));
}

/* Reasons to stop, 1.6's among them: what 2.x calls them, and the trigger that they imply. */
static const struct stop_word {
	const char *reason, *stopped, *trigger;
} stop_words[] = {
	{ "DeAuthorized", "DeAuthorized", "Deauthorized" },
	{ "EmergencyStop", "EmergencyStop", "AbnormalCondition" },
	{ "EnergyLimitReached", "EnergyLimitReached", "EnergyLimitReached" },
	{ "EVDisconnected", "EVDisconnected", "EVCommunicationLost" },
	{ "GroundFault", "GroundFault", "AbnormalCondition" },
	{ "ImmediateReset", "ImmediateReset", "ResetCommand" },
	{ "HardReset", "ImmediateReset", "ResetCommand" },
	{ "SoftReset", "ImmediateReset", "ResetCommand" },
	{ "Local", "Local", "StopAuthorized" },
	{ "LocalOutOfCredit", "LocalOutOfCredit", "ChargingStateChanged" },
	{ "MasterPass", "MasterPass", "StopAuthorized" },
	{ "OvercurrentFault", "OvercurrentFault", "AbnormalCondition" },
	{ "PowerLoss", "PowerLoss", "AbnormalCondition" },
	{ "PowerQuality", "PowerQuality", "AbnormalCondition" },
	{ "Reboot", "Reboot", "AbnormalCondition" },
	{ "Remote", "Remote", "RemoteStop" },
	{ "SOCLimitReached", "SOCLimitReached", "ChargingStateChanged" },
	{ "StoppedByEV", "StoppedByEV", "ChargingStateChanged" },
	{ "TimeLimitReached", "TimeLimitReached", "TimeLimitReached" },
	{ "Timeout", "Timeout", "EVConnectTimeout" },
	{ "UnlockCommand", "Other", "UnlockCommand" },
	{ "Other", "Other", "AbnormalCondition" },
};

static const struct stop_word *stop_word(struct slice reason)
{
	size_t i = 0, last = sizeof(stop_words) / sizeof(stop_words[0]) - 1;
	if (!reason.n)
		reason = SLICE("Local");
	while (i < last && !slice_is(reason, stop_words[i].reason))
		i++;
	return &stop_words[i];
}

static struct slice trigger_for(enum ocpp_version v, const struct event *e)
{
	if (e->phase == TX_END)
		return trigger_known(v, e->trigger) ? e->trigger : slice_of(stop_word(e->reason)->trigger);
	if (trigger_known(v, e->reason))
		return e->reason;
	if (e->remote_start_id >= 0)
		return SLICE("RemoteStart");
	if (e->token.n)
		return SLICE("Authorized");
	if (e->phase == TX_START)
		return SLICE("CablePluggedIn");
	return e->n_samples && e->state == EVSE_UNKNOWN ? SLICE("MeterValuePeriodic") : SLICE("ChargingStateChanged");
}

static void tx_info_write(struct writing *w, const struct event *e)
{
	const char *charging = (unsigned)e->state < EVSE_STATES ? charging_words[e->state] : NULL;
	jw_object(&w->w, "transactionInfo");
	jw_text(&w->w, "transactionId", e->tx.p ? scan_cut(e->tx, 36) : SLICE(""));
	if (charging)
		jw_string(&w->w, "chargingState", charging);
	if (e->remote_start_id >= 0)
		jw_int(&w->w, "remoteStartId", e->remote_start_id);
	if (e->phase == TX_END)
		jw_string(&w->w, "stoppedReason", stop_word(e->reason)->stopped);
	jw_end(&w->w, '}');
}

/* Where only the register was told, it travels as the sample that 2.x wants. */
static void tx_samples_write(struct writing *w, const struct event *e)
{
	struct sample reading = { .time_us = e->time_us, .measurand = MEAS_ENERGY_IMPORT, .begin = e->phase == TX_START,
		.end = e->phase == TX_END, .value = e->meter_wh };
	struct event with_register = *e;
	if (!e->n_samples && isfinite(e->meter_wh)) {
		with_register.samples = &reading;
		with_register.n_samples = 1;
	}
	samples_write(w, "meterValue", &with_register);
}

static void tx_write(struct writing *w, const struct event *e)
{
	if (!e->tx.n) {
		w->err = ERR_INVALID;
		return;
	}
	jw_string(&w->w, "eventType", e->phase == TX_START ? "Started" : e->phase == TX_END ? "Ended" : "Updated");
	jw_text(&w->w, "triggerReason", trigger_for(w->version, e));
	bind_write(w, tx_rows, e);
	tx_info_write(w, e);
	tx_samples_write(w, e);
}

static const struct row tx_answer[] = { { "chargingPriority", REPLY_AT(priority), AS_INT, 0, NULL }, { 0 } };

/* The transaction's priority beats the token's (2.0.1 K03.FR.05). */
static void tx_answer_read(struct reading *r, struct reply *out)
{
	bind_read(r, token_info, out);
	bind_read(r, tx_answer, out);
	out->total_cost = json_number(r->tree, "totalCost", NAN);
	out->message = json_text(r->tree, "updatedPersonalMessage.content");
}

static void tx_answer_write(struct writing *w, const struct reply *r)
{
	struct reply token = *r;
	token.priority = 0;
	if (r->priority >= -9 && r->priority <= 9 && r->priority != 0)
		jw_int(&w->w, "chargingPriority", r->priority);
	if (r->token_status.p)
		bind_write(w, token_info, &token);
}

static const struct row meter[] = { { "evseId", EVENT_AT(evse), AS_INT, 0, "0" }, { 0 } };

static void meter_read(struct reading *r, struct event *e)
{
	samples_read(r, json_at(r->tree, "meterValue"), e);
	if (e->n_samples)
		e->time_us = e->samples[0].time_us;
}

static void meter_write(struct writing *w, const struct event *e)
{
	bind_write(w, meter, e);
	size_t before = w->w.out->n;
	samples_write(w, "meterValue", e);
	if (w->w.out->n == before)
		w->err = ERR_INVALID;
}

static const struct row data[] = {
	{ "vendorId", EVENT_AT(vendor), AS_TEXT, 255, "\"\"" },
	{ "messageId", EVENT_AT(word), AS_TEXT, 50, NULL },
	{ "data", EVENT_AT(value), AS_TEXT, 0, NULL },
	{ 0 },
};

static void data_read(struct reading *r, struct event *e)
{
	if (!e->value.p)
		e->value = splice_find(r->payload, "data");
}

static const struct row job_state[] = {
	{ "status", EVENT_AT(word), AS_TEXT, 0, "\"Idle\"" },
	{ "requestId", EVENT_AT(request_id), AS_INT64, 0, NULL },
	{ 0 },
};
static const struct row security[] = {
	{ "type", EVENT_AT(word), AS_TEXT, 50, "\"\"" },
	{ "timestamp", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "techInfo", EVENT_AT(value), AS_TEXT, 255, NULL },
	{ 0 },
};

/* Component.Variable, either with its instance in brackets. */
static struct slice variable_read(struct reading *r, const cJSON *item)
{
	struct slice c = json_text(item, "component.name"), ci = json_text(item, "component.instance");
	struct slice v = json_text(item, "variable.name"), vi = json_text(item, "variable.instance");
	if (!c.p)
		return c;
	return slice_of(arena_printf(r->mem, "%.*s%s%.*s%s%s%.*s%s%.*s%s", SLICE_ARG(c), ci.n ? "[" : "", SLICE_ARG(ci), ci.n ? "]" : "",
	                             v.n ? "." : "", SLICE_ARG(v), vi.n ? "[" : "", SLICE_ARG(vi), vi.n ? "]" : ""));
}

static void named_write(struct writing *w, const char *key, struct slice name, int evse, int connector)
{
	const char *bracket = name.n && name.p[name.n - 1] == ']' ? memchr(name.p, '[', name.n) : NULL;
	struct slice instance = { NULL, 0 };
	if (bracket) {
		instance = (struct slice){ bracket + 1, (size_t)(name.p + name.n - bracket) - 2 };
		name.n = (size_t)(bracket - name.p);
	}
	jw_object(&w->w, key);
	jw_text(&w->w, "name", scan_cut(name.p ? name : SLICE(""), 50));
	if (instance.n)
		jw_text(&w->w, "instance", scan_cut(instance, 50));
	if (evse > 0) {
		jw_object(&w->w, "evse");
		jw_int(&w->w, "id", evse);
		if (connector > 0)
			jw_int(&w->w, "connectorId", connector);
		jw_end(&w->w, '}');
	}
	jw_end(&w->w, '}');
}

static void variable_write(struct writing *w, struct slice key, int evse, int connector)
{
	const char *dot = key.p ? memchr(key.p, '.', key.n) : NULL;
	size_t front = dot ? (size_t)(dot - key.p) : key.n;
	struct slice variable = dot ? (struct slice){ dot + 1, key.n - front - 1 } : SLICE("");
	named_write(w, "component", (struct slice){ key.p, front }, evse, connector);
	named_write(w, "variable", variable, 0, 0);
}

static const struct row notify[] = {
	{ "generatedAt", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "seqNo", EVENT_AT(seq_no), AS_INT64, 0, "0" },
	{ 0 },
};

static bool tells_availability(const cJSON *item)
{
	return slice_eq_nocase(json_text(item, "variable.name"), SLICE("AvailabilityState"));
}

/* 2.0.1 G01.FR.03: a connector's state may come this way as well as by StatusNotification */
static void notify_read(struct reading *r, struct event *e)
{
	const cJSON *list = json_at(r->tree, "eventData"), *item = cJSON_IsArray(list) ? list->child : NULL, *first = item;
	while (item && !tells_availability(item))
		item = item->next;
	if (!item)
		item = first;
	int64_t when = bind_time(item, "timestamp");
	static const struct row where[] = {
		{ "component.evse.id", EVENT_AT(evse), AS_INT, 0, NULL },
		{ "component.evse.connectorId", EVENT_AT(connector), AS_INT, 0, NULL },
		{ "actualValue", EVENT_AT(value), AS_TEXT, 0, NULL },
		{ 0 },
	};
	struct reading inner = { .tree = item, .mem = r->mem, .version = r->version };
	bind_read(&inner, where, e);
	e->word = variable_read(r, item);
	e->time_us = when ? when : e->time_us;
	if (item && tells_availability(item))
		e->state = state_of(e->value);
}

static void notify_write(struct writing *w, const struct event *e)
{
	bool state = !e->word.p;
	bind_write(w, notify, e);
	jw_array(&w->w, "eventData");
	jw_object(&w->w, NULL);
	jw_int(&w->w, "eventId", e->request_id >= 0 ? e->request_id : 0);
	jw_time(&w->w, "timestamp", e->time_us ? e->time_us : clock_wall_us());
	jw_string(&w->w, "trigger", "Delta");
	jw_text(&w->w, "actualValue", state ? slice_of(state_word(e->state)) : e->value.p ? e->value : SLICE(""));
	jw_string(&w->w, "eventNotificationType", "HardWiredNotification");
	variable_write(w, state ? SLICE("Connector.AvailabilityState") : e->word, e->evse, state && e->connector <= 0 ? 1 : e->connector);
	jw_end(&w->w, '}');
	jw_end(&w->w, ']');
}

static const struct row report[] = {
	{ "generatedAt", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "requestId", EVENT_AT(request_id), AS_INT64, 0, "0" },
	{ "seqNo", EVENT_AT(seq_no), AS_INT64, 0, "0" },
	{ 0 },
};

static const struct row limit_set[] = {
	{ "evseId", EVENT_AT(evse), AS_INT, 0, NULL },
	{ "chargingLimit.chargingLimitSource", EVENT_AT(reason), AS_TEXT, 0, "\"EMS\"" },
	{ "chargingLimit.isGridCritical", EVENT_AT(activated), AS_TRUE, 0, NULL },
	{ 0 },
};
static const struct row limit_cleared[] = {
	{ "evseId", EVENT_AT(evse), AS_INT, 0, NULL },
	{ "chargingLimitSource", EVENT_AT(reason), AS_TEXT, 0, "\"EMS\"" },
	{ 0 },
};

static void limit_set_read(struct reading *r, struct event *e)
{
	e->word = SLICE("Set");
	e->value = splice_find(r->payload, "chargingSchedule");
	e->limit_a = profile_limit_a(json_at(r->tree, "chargingSchedule.0"), &e->phases);
	e->purpose = json_bool(r->tree, "chargingLimit.isLocalGeneration", false) ? PURPOSE_LOCAL_GENERATION : PURPOSE_EXTERNAL;
}

/* One schedule with one period: the limit as it is now. */
static void limit_set_write(struct writing *w, const struct event *e)
{
	struct json_writer *j = &w->w;
	if (e->evse >= 0)
		jw_int(j, "evseId", e->evse);
	jw_object(j, "chargingLimit");
	jw_text(j, "chargingLimitSource", e->reason.p ? e->reason : SLICE("EMS"));
	if (e->activated)
		jw_bool(j, "isGridCritical", true);
	if (e->purpose == PURPOSE_LOCAL_GENERATION && w->version == OCPP21)
		jw_bool(j, "isLocalGeneration", true);
	jw_end(j, '}');
	if (isfinite(e->limit_a))
		profile_write_schedule(w, e, e->time_us);
}

static void limit_cleared_read(struct reading *r, struct event *e)
{
	(void)r;
	e->word = SLICE("Cleared");
}

/* 2.0.1 says which schedule it is about by the id of what the car plans. */
static const struct row car_schedule[] = { { "evseId", EVENT_AT(evse), AS_INT, 0, NULL }, { "timeBase", EVENT_AT(time_us), AS_TIME, 0, NULL }, { 0 } };

static void car_schedule_read(struct reading *r, struct event *e)
{
	e->request_id = json_int(r->tree, "selectedChargingScheduleId", json_int(r->tree, "chargingSchedule.id", -1));
}

static const struct row needs[] = {
	{ "evseId", EVENT_AT(evse), AS_INT, 0, NULL },
	{ "chargingNeeds.departureTime", EVENT_AT(time_us), AS_TIME, 0, NULL },
	{ "chargingNeeds.acChargingParameters.energyAmount", EVENT_AT(meter_wh), AS_WH, 0, NULL },
	{ "chargingNeeds.dcChargingParameters.energyAmount", EVENT_AT(meter_wh), AS_WH, 0, NULL },
	{ "chargingNeeds.requestedEnergyTransfer", EVENT_AT(word), AS_TEXT, 0, NULL },
	{ 0 },
};

static void cannot_write(struct writing *w, const struct event *e)
{
	(void)e;
	w->err = ERR_UNSUPPORTED;
}

static const struct row reservation[] = {
	{ "reservationId", EVENT_AT(reservation), AS_INT64, 0, "0" },
	{ "reservationUpdateStatus", EVENT_AT(word), AS_TEXT, 0, "\"Removed\"" },
	{ 0 },
};

static const struct row remote_start[] = {
	{ "remoteStartId", EVENT_AT(remote_start_id), AS_INT64, 0, "0" },
	{ "idToken", EVENT_AT(token), AS_TOKEN, 0, NO_TOKEN },
	{ "groupIdToken", EVENT_AT(group), AS_GROUP, 0, NULL },
	{ "evseId", EVENT_AT(evse), AS_COUNT, 0, NULL },
	{ 0 },
};
static const struct row remote_start_answer[] = {
	{ "status", REPLY_AT(status), AS_TEXT, 0, "\"Rejected\"" },
	{ "transactionId", REPLY_AT(tx), AS_TEXT, 36, NULL },
	{ 0 },
};

static void profile_member_read(struct reading *r, struct event *e)
{
	profile_read(r, json_at(r->tree, "chargingProfile"), e);
}

static void remote_start_write(struct writing *w, const struct event *e)
{
	bind_write(w, remote_start, e);
	if (e->purpose == PURPOSE_TX)
		profile_write(w, "chargingProfile", e, false);
}

static const struct row tx_only[] = { { "transactionId", EVENT_AT(tx), AS_TEXT, 36, "\"\"" }, { 0 } };

static const struct row set_profile[] = {
	{ "evseId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "chargingProfile.transactionId", EVENT_AT(tx), AS_TEXT, 36, NULL },
	{ 0 },
};

static void set_profile_write(struct writing *w, const struct event *e)
{
	jw_int(&w->w, "evseId", e->evse > 0 ? e->evse : 0);
	profile_write(w, "chargingProfile", e, true);
}

static const struct row update_profile[] = { { "chargingProfileId", EVENT_AT(profile_id), AS_INT64, 0, NULL }, { 0 } };

static void update_profile_read(struct reading *r, struct event *e)
{
	e->limit_a = json_number(r->tree, "scheduleUpdate.limit", NAN);
}

static const struct row use_priority[] = {
	{ "transactionId", EVENT_AT(tx), AS_TEXT, 36, NULL },
	{ "activate", EVENT_AT(activated), AS_TRUE, 0, NULL },
	{ 0 },
};
static const struct row notify_priority[] = {
	{ "transactionId", EVENT_AT(tx), AS_TEXT, 36, NULL },
	{ "activated", EVENT_AT(activated), AS_TRUE, 0, NULL },
	{ 0 },
};

static const struct row clear_profile[] = {
	{ "chargingProfileId", EVENT_AT(profile_id), AS_INT64, 0, NULL },
	{ "chargingProfileCriteria.evseId", EVENT_AT(evse), AS_INT, 0, NULL },
	{ "chargingProfileCriteria.stackLevel", EVENT_AT(stack_level), AS_INT, 0, NULL },
	{ 0 },
};

static void clear_profile_read(struct reading *r, struct event *e)
{
	e->purpose = profile_purpose(json_text(r->tree, "chargingProfileCriteria.chargingProfilePurpose"));
}

static void clear_profile_write(struct writing *w, const struct event *e)
{
	if (e->profile_id >= 0)
		jw_int(&w->w, "chargingProfileId", e->profile_id);
	if (e->evse < 0 && e->stack_level < 0 && e->purpose == PURPOSE_NONE)
		return;
	jw_object(&w->w, "chargingProfileCriteria");
	if (e->evse >= 0)
		jw_int(&w->w, "evseId", e->evse);
	if (e->purpose != PURPOSE_NONE)
		jw_string(&w->w, "chargingProfilePurpose", profile_purpose_word(w->version, e->purpose));
	if (e->stack_level >= 0)
		jw_int(&w->w, "stackLevel", e->stack_level);
	jw_end(&w->w, '}');
}

static const struct row get_schedule[] = {
	{ "evseId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "duration", EVENT_AT(duration_s), AS_COUNT64, 0, "86400" },
	{ 0 },
};

static const struct row reset[] = {
	{ "evseId", EVENT_AT(evse), AS_COUNT, 0, NULL },
	{ "type", EVENT_AT(word), AS_TEXT, 0, NULL },
	{ 0 },
};

static void reset_write(struct writing *w, const struct event *e)
{
	bool resume = w->version == OCPP21 && slice_is(e->word, "ImmediateAndResume");
	bool now = slice_is(e->word, "Immediate") || slice_is(e->word, "Hard") || slice_is(e->word, "ImmediateAndResume");
	struct event known = *e;
	known.word = resume ? SLICE("ImmediateAndResume") : now ? SLICE("Immediate") : SLICE("OnIdle");
	bind_write(w, reset, &known);
}

static const struct row unlock[] = {
	{ "evseId", EVENT_AT(evse), AS_COUNT, 0, "1" },
	{ "connectorId", EVENT_AT(connector), AS_COUNT, 0, "1" },
	{ 0 },
};
static const struct row trigger[] = {
	{ "requestedMessage", EVENT_AT(word), AS_TEXT, 0, "\"StatusNotification\"" },
	{ "evse.id", EVENT_AT(evse), AS_COUNT, 0, NULL },
	{ "evse.connectorId", EVENT_AT(connector), AS_COUNT, 0, NULL },
	{ 0 },
};
static const struct row availability[] = {
	{ "operationalStatus", EVENT_AT(word), AS_TEXT, 0, "\"Operative\"" },
	{ "evse.id", EVENT_AT(evse), AS_COUNT, 0, NULL },
	{ "evse.connectorId", EVENT_AT(connector), AS_COUNT, 0, NULL },
	{ 0 },
};

/* A connector without its EVSE cannot be said. */
static struct event placed(const struct event *e)
{
	struct event known = *e;
	if (e->evse <= 0)
		known.connector = 0;
	return known;
}

static void trigger_write(struct writing *w, const struct event *e)
{
	struct event known = placed(e);
	if (slice_is(e->word, "StatusNotification") && known.evse > 0 && known.connector <= 0)
		known.connector = 1; /* 2.0.1 F06.FR.12: without a connector it may be rejected */
	bind_write(w, trigger, &known);
}

static void availability_write(struct writing *w, const struct event *e)
{
	struct event known = placed(e);
	bind_write(w, availability, &known);
}

static const struct row set_config[] = {
	{ "setVariableData.0.attributeValue", EVENT_AT(value), AS_TEXT, 0, NULL },
	{ "setVariableData.0.component.evse.id", EVENT_AT(evse), AS_INT, 0, NULL },
	{ 0 },
};
static const struct row get_config[] = { { "getVariableData.0.component.evse.id", EVENT_AT(evse), AS_INT, 0, NULL }, { 0 } };

static void set_config_read(struct reading *r, struct event *e)
{
	e->word = variable_read(r, json_at(r->tree, "setVariableData.0"));
}

static void get_config_read(struct reading *r, struct event *e)
{
	e->word = variable_read(r, json_at(r->tree, "getVariableData.0"));
}

static void list_of_one(struct writing *w, const char *key)
{
	jw_array(&w->w, key);
	jw_object(&w->w, NULL);
}

static void list_of_one_ends(struct writing *w)
{
	jw_end(&w->w, '}');
	jw_end(&w->w, ']');
}

static void set_config_write(struct writing *w, const struct event *e)
{
	list_of_one(w, "setVariableData");
	jw_text(&w->w, "attributeValue", scan_cut(e->value.p ? e->value : SLICE(""), 1000));
	variable_write(w, e->word, e->evse, e->connector);
	list_of_one_ends(w);
}

static void get_config_write(struct writing *w, const struct event *e)
{
	if (!e->word.n) {
		w->err = ERR_INVALID;
		return;
	}
	list_of_one(w, "getVariableData");
	variable_write(w, e->word, e->evse, e->connector);
	list_of_one_ends(w);
}

static const struct row set_config_answer[] = { { "setVariableResult.0.attributeStatus", REPLY_AT(status), AS_TEXT, 0, NULL }, { 0 } };
static const struct row get_config_answer[] = {
	{ "getVariableResult.0.attributeStatus", REPLY_AT(status), AS_TEXT, 0, NULL },
	{ "getVariableResult.0.attributeValue", REPLY_AT(value), AS_TEXT, 0, NULL },
	{ 0 },
};

static void set_config_answer_read(struct reading *r, struct reply *out)
{
	out->key = variable_read(r, json_at(r->tree, "setVariableResult.0"));
}

static void get_config_answer_read(struct reading *r, struct reply *out)
{
	out->key = variable_read(r, json_at(r->tree, "getVariableResult.0"));
}

static void set_config_answer_write(struct writing *w, const struct reply *r)
{
	list_of_one(w, "setVariableResult");
	jw_text(&w->w, "attributeStatus", r->status.p ? r->status : SLICE("Rejected"));
	variable_write(w, r->key, -1, 0);
	list_of_one_ends(w);
}

static void get_config_answer_write(struct writing *w, const struct reply *r)
{
	list_of_one(w, "getVariableResult");
	jw_text(&w->w, "attributeStatus", r->status.p ? r->status : SLICE("Rejected"));
	if (r->value.p)
		jw_text(&w->w, "attributeValue", scan_cut(r->value, 2500));
	variable_write(w, r->key, -1, 0);
	list_of_one_ends(w);
}

static const struct row base_report[] = {
	{ "requestId", EVENT_AT(request_id), AS_INT64, 0, "0" },
	{ "reportBase", EVENT_AT(word), AS_TEXT, 0, "\"FullInventory\"" },
	{ 0 },
};

static const struct row pull[] = { { "chargingProfileId", EVENT_AT(profile_id), AS_INT64, 0, "0" }, { 0 } };

static const struct row send_list[] = { { "versionNumber", EVENT_AT(list_version), AS_INT64, 0, "0" }, { 0 } };

static void send_list_read(struct reading *r, struct event *e)
{
	e->list_full = slice_is(json_text(r->tree, "updateType"), "Full");
}

static void send_list_write(struct writing *w, const struct event *e)
{
	bind_write(w, send_list, e);
	jw_string(&w->w, "updateType", e->list_full ? "Full" : "Differential");
}

static const struct row list_version_answer[] = { { "versionNumber", REPLY_AT(list_version), AS_INT64, 0, "0" }, { 0 } };

static const struct row reserve[] = {
	{ "id", EVENT_AT(reservation), AS_INT64, 0, "0" },
	{ "expiryDateTime", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "idToken", EVENT_AT(token), AS_TOKEN, 0, NO_TOKEN },
	{ "groupIdToken", EVENT_AT(group), AS_GROUP, 0, NULL },
	{ "evseId", EVENT_AT(evse), AS_COUNT, 0, NULL },
	{ "connectorType", EVENT_AT(word), AS_TEXT, 20, NULL },
	{ 0 },
};
static const struct row cancel_reservation[] = { { "reservationId", EVENT_AT(reservation), AS_INT64, 0, "0" }, { 0 } };
static const struct row tx_status[] = { { "transactionId", EVENT_AT(tx), AS_TEXT, 36, NULL }, { 0 } };

static const struct row other[] = {
	{ "evseId", EVENT_AT(evse), AS_INT, 0, NULL },
	{ "requestId", EVENT_AT(request_id), AS_INT64, 0, NULL },
	{ "transactionId", EVENT_AT(tx), AS_TEXT, 0, NULL },
	{ 0 },
};

static const struct meaning meanings[] = {
	{ "BootNotification", .call = boot, .answer = boot_answer },
	{ "Heartbeat", .call = nothing, .answer = heartbeat_answer },
	{ "StatusNotification", .call = status_rows, .read_call = status_read, .write_call = status_write },
	{ "Authorize", .call = authorize, .answer = token_info },
	{ "TransactionEvent", .tx = "transactionInfo.transactionId", .call = tx_rows, .read_call = tx_read, .write_call = tx_write,
	  .answer = tx_answer, .read_answer = tx_answer_read, .write_answer = tx_answer_write },
	{ "MeterValues", .call = meter, .read_call = meter_read, .write_call = meter_write },
	{ "DataTransfer", .call = data, .read_call = data_read },
	{ "FirmwareStatusNotification", .call = job_state },
	{ "LogStatusNotification", .call = job_state },
	{ "SecurityEventNotification", .call = security },
	{ "NotifyEvent", .call = notify, .read_call = notify_read, .write_call = notify_write },
	{ "NotifyReport", .call = report },
	{ "NotifyChargingLimit", .call = limit_set, .read_call = limit_set_read, .write_call = limit_set_write },
	{ "ClearedChargingLimit", .call = limit_cleared, .read_call = limit_cleared_read },
	{ "NotifyEVChargingNeeds", .call = needs, .write_call = cannot_write },
	{ "NotifyEVChargingSchedule", .call = car_schedule, .read_call = car_schedule_read, .write_call = cannot_write },
	{ "ReservationStatusUpdate", .call = reservation },
	{ "RequestStartTransaction", .tx = "chargingProfile.transactionId", .call = remote_start, .read_call = profile_member_read,
	  .write_call = remote_start_write, .answer = remote_start_answer },
	{ "RequestStopTransaction", .tx = "transactionId", .call = tx_only },
	{ "SetChargingProfile", .tx = "chargingProfile.transactionId", .call = set_profile, .read_call = profile_member_read,
	  .write_call = set_profile_write },
	{ "ClearChargingProfile", .call = clear_profile, .read_call = clear_profile_read, .write_call = clear_profile_write },
	{ "GetCompositeSchedule", .call = get_schedule },
	{ "UpdateDynamicSchedule", .call = update_profile, .read_call = update_profile_read, .write_call = cannot_write },
	{ "PullDynamicScheduleUpdate", .call = pull },
	{ "UsePriorityCharging", .tx = "transactionId", .call = use_priority, .write_call = cannot_write },
	{ "NotifyPriorityCharging", .tx = "transactionId", .call = notify_priority, .write_call = cannot_write },
	{ "Reset", .call = reset, .write_call = reset_write },
	{ "UnlockConnector", .call = unlock },
	{ "TriggerMessage", .call = trigger, .write_call = trigger_write },
	{ "ChangeAvailability", .call = availability, .write_call = availability_write },
	{ "SetVariables", .call = set_config, .read_call = set_config_read, .write_call = set_config_write,
	  .answer = set_config_answer, .read_answer = set_config_answer_read, .write_answer = set_config_answer_write },
	{ "GetVariables", .call = get_config, .read_call = get_config_read, .write_call = get_config_write,
	  .answer = get_config_answer, .read_answer = get_config_answer_read, .write_answer = get_config_answer_write },
	{ "GetBaseReport", .call = base_report },
	{ "SendLocalList", .call = send_list, .read_call = send_list_read, .write_call = send_list_write },
	{ "GetLocalListVersion", .call = nothing, .answer = list_version_answer },
	{ "ClearCache", .call = nothing },
	{ "ReserveNow", .call = reserve },
	{ "CancelReservation", .call = cancel_reservation },
	{ "GetTransactionStatus", .tx = "transactionId", .call = tx_status },
	/* carried; only their transaction is of interest */
	{ "CostUpdated", .tx = "transactionId" },
	{ "SetDisplayMessage", .tx = "message.transactionId" },
	{ "NotifyAllowedEnergyTransfer", .tx = "transactionId" },
	{ "NotifySettlement", .tx = "transactionId" },
	{ "ChangeTransactionTariff", .tx = "transactionId" },
};

static const char *action_for(enum ocpp_version v, const struct event *e)
{
	if (e->kind == EV_LIMIT && slice_is(e->word, "Cleared"))
		return "ClearedChargingLimit";
	const struct action *act = catalogue_for_event(v, e->kind);
	return act ? act->name : NULL;
}

static void list_entry(struct reading *r, struct event *token, struct reply *info)
{
	bind_read(r, authorize, token);
	bind_read(r, token_info, info);
}

/* An entry without a status deletes, so nothing is said about the token. */
static void list_entry_write(struct writing *w, const struct event *token, const struct reply *info)
{
	bind_write(w, authorize, token);
	if (info->token_status.p)
		bind_write(w, token_info, info);
}

const struct codec codec_2x = { meanings, sizeof(meanings) / sizeof(meanings[0]), other, action_for, list_entry, list_entry_write };
