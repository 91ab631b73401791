/* What a station says in 2.0.1 and 2.1, but for its transactions. */
#include <math.h>

#include "base/clock.h"
#include "ocpp/codec-2x.h"
#include "ocpp/profile.h"
#include "ocpp/samples.h"
#include "ocpp/splice.h"

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
	e->word = codec_2x_variable_read(r, item);
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
	codec_2x_variable_write(w, state ? SLICE("Connector.AvailabilityState") : e->word, e->evse, state && e->connector <= 0 ? 1 : e->connector);
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

static const struct row reservation[] = {
	{ "reservationId", EVENT_AT(reservation), AS_INT64, 0, "0" },
	{ "reservationUpdateStatus", EVENT_AT(word), AS_TEXT, 0, "\"Removed\"" },
	{ 0 },
};

static const struct row notify_priority[] = {
	{ "transactionId", EVENT_AT(tx), AS_TEXT, 36, NULL },
	{ "activated", EVENT_AT(activated), AS_TRUE, 0, NULL },
	{ 0 },
};

static const struct row pull[] = { { "chargingProfileId", EVENT_AT(profile_id), AS_INT64, 0, "0" }, { 0 } };

static const struct meaning rows[] = {
	{ "BootNotification", .call = boot, .answer = boot_answer },
	{ "Heartbeat", .call = codec_2x_nothing, .answer = heartbeat_answer },
	{ "StatusNotification", .call = status_rows, .read_call = status_read, .write_call = status_write },
	{ "Authorize", .call = codec_2x_token, .answer = codec_2x_token_info },
	{ "MeterValues", .call = meter, .read_call = meter_read, .write_call = meter_write },
	{ "DataTransfer", .call = data, .read_call = data_read },
	{ "FirmwareStatusNotification", .call = job_state },
	{ "LogStatusNotification", .call = job_state },
	{ "SecurityEventNotification", .call = security },
	{ "NotifyEvent", .call = notify, .read_call = notify_read, .write_call = notify_write },
	{ "NotifyReport", .call = report },
	{ "NotifyChargingLimit", .call = limit_set, .read_call = limit_set_read, .write_call = limit_set_write },
	{ "ClearedChargingLimit", .call = limit_cleared, .read_call = limit_cleared_read },
	{ "NotifyEVChargingNeeds", .call = needs, .write_call = codec_2x_cannot_write },
	{ "NotifyEVChargingSchedule", .call = car_schedule, .read_call = car_schedule_read, .write_call = codec_2x_cannot_write },
	{ "ReservationStatusUpdate", .call = reservation },
	{ "PullDynamicScheduleUpdate", .call = pull },
	{ "NotifyPriorityCharging", .tx = "transactionId", .call = notify_priority, .write_call = codec_2x_cannot_write },
};
const struct meanings codec_2x_station = { rows, sizeof(rows) / sizeof(rows[0]) };
