/* OCPP 1.6: what its payloads mean. Field lengths are those of the 1.6 schemas; idTag is CiString20.
 *
 * Easy to get wrong: a connectorId here is the neutral evse; StopTransaction names no connector at all; and a transaction's updates are
 * MeterValues, so a neutral update without samples has no message. */
#include "ocpp/bind.h"
#include "ocpp/catalogue.h"
#include "ocpp/profile.h"
#include "ocpp/samples.h"

static const char *const state_words[EVSE_STATES] = {
	[EVSE_AVAILABLE] = "Available",         [EVSE_PREPARING] = "Preparing",           [EVSE_CHARGING] = "Charging",
	[EVSE_SUSPENDED_EV] = "SuspendedEV",    [EVSE_SUSPENDED_EVSE] = "SuspendedEVSE",  [EVSE_FINISHING] = "Finishing",
	[EVSE_RESERVED] = "Reserved",           [EVSE_UNAVAILABLE] = "Unavailable",       [EVSE_FAULTED] = "Faulted",
};

static const struct row boot[] = {
	{ "chargePointVendor", EVENT_AT(vendor), AS_TEXT, 20, "\"\"" },
	{ "chargePointModel", EVENT_AT(model), AS_TEXT, 20, "\"\"" },
	{ "chargePointSerialNumber", EVENT_AT(serial), AS_TEXT, 25, NULL },
	{ "firmwareVersion", EVENT_AT(firmware), AS_TEXT, 50, NULL },
	{ 0 },
};
static const struct row boot_answer[] = {
	{ "status", REPLY_AT(status), AS_TEXT, 0, "\"Rejected\"" },
	{ "currentTime", REPLY_AT(time_us), AS_NOW, 0, NULL },
	{ "interval", REPLY_AT(interval_s), AS_INT64, 0, "300" },
	{ 0 },
};
static const struct row nothing[] = { { 0 } };
static const struct row heartbeat_answer[] = { { "currentTime", REPLY_AT(time_us), AS_NOW, 0, NULL }, { 0 } };

static void boot_read(struct reading *r, struct event *e)
{
	if (!e->serial.n)
		e->serial = json_text(r->tree, "chargeBoxSerialNumber");
}

static const struct row status_rows[] = {
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "errorCode", EVENT_AT(error), AS_TEXT, 0, "\"NoError\"" },
	{ "info", EVENT_AT(value), AS_TEXT, 50, NULL },
	{ "timestamp", EVENT_AT(time_us), AS_TIME, 0, NULL },
	{ 0 },
};

static void status_read(struct reading *r, struct event *e)
{
	struct slice word = json_text(r->tree, "status");
	for (int s = 0; s < EVSE_STATES; s++)
		if (state_words[s] && slice_is(word, state_words[s]))
			e->state = (enum evse_state)s;
	if (slice_is(e->error, "NoError"))
		e->error = (struct slice){ NULL, 0 };
}

/* Connector 0 knows three states only; a car of which nothing more is known is being prepared. */
static const char *state_word(const struct event *e)
{
	enum evse_state s = e->state == EVSE_OCCUPIED ? EVSE_PREPARING : e->state;
	bool told = (unsigned)s < EVSE_STATES && state_words[s];
	if (e->evse <= 0 && s != EVSE_UNAVAILABLE && s != EVSE_FAULTED)
		return told ? "Available" : "Unavailable";
	return told ? state_words[s] : "Unavailable";
}

static void status_write(struct writing *w, const struct event *e)
{
	static const char *const errors[] = { "ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature",
		"InternalError", "LocalListConflict", "NoError", "OtherError", "OverCurrentFailure", "OverVoltage", "PowerMeterFailure",
		"PowerSwitchFailure", "ReaderFailure", "ResetFailure", "UnderVoltage", "WeakSignal", NULL };
	struct event known = *e;
	if (e->error.p && !bind_word_in(e->error, errors))
		known.error = SLICE("OtherError");
	bind_write(w, status_rows, &known);
	jw_string(&w->w, "status", state_word(e));
}

static const struct row authorize[] = { { "idTag", EVENT_AT(token), AS_TEXT, 20, "\"\"" }, { 0 } };
static const struct row authorize_answer[] = {
	{ "idTagInfo.status", REPLY_AT(token_status), AS_TEXT, 0, "\"Invalid\"" },
	{ "idTagInfo.expiryDate", REPLY_AT(expiry_us), AS_TIME, 0, NULL },
	{ "idTagInfo.parentIdTag", REPLY_AT(group), AS_TEXT, 20, NULL },
	{ 0 },
};

/* The words of 2.x that 1.6 does not have all mean no. */
static void tag_info_write(struct writing *w, const struct reply *r)
{
	static const char *const words[] = { "Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx", NULL };
	struct reply known = *r;
	if (r->token_status.p && !bind_word_in(r->token_status, words))
		known.token_status = SLICE("Invalid");
	bind_write(w, authorize_answer, &known);
}

static const struct row start[] = {
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, "1" },
	{ "idTag", EVENT_AT(token), AS_TEXT, 20, "\"\"" },
	{ "meterStart", EVENT_AT(meter_wh), AS_WH, 0, "0" },
	{ "reservationId", EVENT_AT(reservation), AS_INT64, 0, NULL },
	{ "timestamp", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ 0 },
};
static const struct row start_answer[] = {
	{ "transactionId", REPLY_AT(tx), AS_DIGITS, 0, "0" },
	{ 0 },
};

static void start_answer_read(struct reading *r, struct reply *out)
{
	bind_read(r, authorize_answer, out);
}

/* Stations in the field send reservation 0 where nothing was reserved. */
static void start_read(struct reading *r, struct event *e)
{
	(void)r;
	e->phase = TX_START;
	if (e->reservation == 0)
		e->reservation = -1;
}

static void start_answer_write(struct writing *w, const struct reply *r)
{
	bind_write(w, start_answer, r);
	tag_info_write(w, r);
}

static const struct row stop[] = {
	{ "transactionId", EVENT_AT(tx), AS_DIGITS, 0, "-1" }, /* 1.6 errata 3.18: the number of a transaction that never got one */
	{ "idTag", EVENT_AT(token), AS_TEXT, 20, NULL },
	{ "meterStop", EVENT_AT(meter_wh), AS_WH, 0, "0" },
	{ "timestamp", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "reason", EVENT_AT(reason), AS_TEXT, 0, NULL },
	{ 0 },
};

static void stop_read(struct reading *r, struct event *e)
{
	e->phase = TX_END;
	if (!e->reason.n)
		e->reason = SLICE("Local"); /* 1.6 6.45: absent means this */
	samples_read(r, json_at(r->tree, "transactionData"), e);
}

static void stop_write(struct writing *w, const struct event *e)
{
	static const char *const reasons[] = { "DeAuthorized", "EmergencyStop", "EVDisconnected", "HardReset", "Local", "Other", "PowerLoss",
		"Reboot", "Remote", "SoftReset", "UnlockCommand", NULL };
	struct event known = *e;
	if (slice_is(e->reason, "ImmediateReset"))
		known.reason = SLICE("HardReset");
	else if (e->reason.p && !bind_word_in(e->reason, reasons))
		known.reason = SLICE("Other");
	bind_write(w, stop, &known);
	samples_write(w, "transactionData", e);
}

static void stop_answer_write(struct writing *w, const struct reply *r)
{
	if (r->token_status.p)
		tag_info_write(w, r);
}

static const struct row meter[] = {
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "transactionId", EVENT_AT(tx), AS_DIGITS, 0, NULL },
	{ 0 },
};

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
static const struct row job_state[] = { /* firmware and log states */
	{ "status", EVENT_AT(word), AS_TEXT, 0, "\"Idle\"" },
	{ "requestId", EVENT_AT(request_id), AS_INT64, 0, NULL },
	{ 0 },
};
/* The word of the security extension and of 2.x for the same. */
static void diagnostics_write(struct writing *w, const struct event *e)
{
	struct event known = *e;
	if (slice_is(e->word, "UploadFailure"))
		known.word = SLICE("UploadFailed");
	bind_write(w, job_state, &known);
}

static const struct row security[] = {
	{ "type", EVENT_AT(word), AS_TEXT, 50, "\"\"" },
	{ "timestamp", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "techInfo", EVENT_AT(value), AS_TEXT, 255, NULL },
	{ 0 },
};

static const struct row remote_start[] = {
	{ "connectorId", EVENT_AT(evse), AS_COUNT, 0, NULL },
	{ "idTag", EVENT_AT(token), AS_TEXT, 20, "\"\"" },
	{ 0 },
};

static void remote_start_read(struct reading *r, struct event *e)
{
	profile_read(r, json_at(r->tree, "chargingProfile"), e);
}

static void remote_start_write(struct writing *w, const struct event *e)
{
	bind_write(w, remote_start, e);
	if (e->purpose == PURPOSE_TX)
		profile_write(w, "chargingProfile", e, false);
}

static const struct row remote_stop[] = { { "transactionId", EVENT_AT(tx), AS_DIGITS, 0, "-1" }, { 0 } };

static const struct row set_profile[] = {
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "csChargingProfiles.transactionId", EVENT_AT(tx), AS_DIGITS, 0, NULL },
	{ 0 },
};

static void set_profile_read(struct reading *r, struct event *e)
{
	profile_read(r, json_at(r->tree, "csChargingProfiles"), e);
}

static void set_profile_write(struct writing *w, const struct event *e)
{
	jw_int(&w->w, "connectorId", e->evse > 0 ? e->evse : 0);
	profile_write(w, "csChargingProfiles", e, true);
}

static const struct row clear_profile[] = {
	{ "id", EVENT_AT(profile_id), AS_INT64, 0, NULL },
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, NULL },
	{ "stackLevel", EVENT_AT(stack_level), AS_INT, 0, NULL },
	{ 0 },
};

static void clear_profile_read(struct reading *r, struct event *e)
{
	e->purpose = profile_purpose(json_text(r->tree, "chargingProfilePurpose"));
}

static void clear_profile_write(struct writing *w, const struct event *e)
{
	bind_write(w, clear_profile, e);
	if (e->purpose != PURPOSE_NONE)
		jw_string(&w->w, "chargingProfilePurpose", profile_purpose_word(w->version, e->purpose));
}

static const struct row get_schedule[] = {
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "duration", EVENT_AT(duration_s), AS_COUNT64, 0, "86400" },
	{ 0 },
};

static const struct row reset[] = { { "type", EVENT_AT(word), AS_TEXT, 0, NULL }, { 0 } };

static void reset_write(struct writing *w, const struct event *e)
{
	bool hard = slice_is(e->word, "Hard") || slice_is(e->word, "Immediate") || slice_is(e->word, "ImmediateAndResume");
	jw_string(&w->w, "type", hard ? "Hard" : "Soft");
}

static const struct row unlock[] = { { "connectorId", EVENT_AT(evse), AS_COUNT, 0, "1" }, { 0 } };

static const struct row trigger[] = {
	{ "requestedMessage", EVENT_AT(word), AS_TEXT, 0, "\"StatusNotification\"" },
	{ "connectorId", EVENT_AT(evse), AS_COUNT, 0, NULL },
	{ 0 },
};
static const struct row availability[] = {
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "type", EVENT_AT(word), AS_TEXT, 0, "\"Operative\"" },
	{ 0 },
};
static const struct row set_config[] = {
	{ "key", EVENT_AT(word), AS_TEXT, 50, "\"\"" },
	{ "value", EVENT_AT(value), AS_TEXT, 500, "\"\"" },
	{ 0 },
};
static const struct row get_config[] = { { "key.0", EVENT_AT(word), AS_TEXT, 0, NULL }, { 0 } };
static const struct row get_config_answer[] = {
	{ "configurationKey.0.key", REPLY_AT(key), AS_TEXT, 0, NULL },
	{ "configurationKey.0.value", REPLY_AT(value), AS_TEXT, 0, NULL },
	{ 0 },
};

static void get_config_write(struct writing *w, const struct event *e)
{
	if (!e->word.p)
		return;
	jw_array(&w->w, "key");
	jw_text(&w->w, NULL, e->word);
	jw_end(&w->w, ']');
}

static void get_config_answer_write(struct writing *w, const struct reply *r)
{
	if (!r->key.p)
		return;
	jw_array(&w->w, r->value.p ? "configurationKey" : "unknownKey");
	if (r->value.p) {
		jw_object(&w->w, NULL);
		jw_text(&w->w, "key", r->key);
		jw_bool(&w->w, "readonly", false);
		jw_text(&w->w, "value", r->value);
		jw_end(&w->w, '}');
	} else {
		jw_text(&w->w, NULL, r->key);
	}
	jw_end(&w->w, ']');
}

static const struct row send_list[] = { { "listVersion", EVENT_AT(list_version), AS_INT64, 0, "0" }, { 0 } };

static void send_list_read(struct reading *r, struct event *e)
{
	e->list_full = slice_is(json_text(r->tree, "updateType"), "Full");
}

static void send_list_write(struct writing *w, const struct event *e)
{
	bind_write(w, send_list, e);
	jw_string(&w->w, "updateType", e->list_full ? "Full" : "Differential");
}

static const struct row list_version_answer[] = { { "listVersion", REPLY_AT(list_version), AS_INT64, 0, "-1" }, { 0 } };

static const struct row reserve[] = {
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, "0" },
	{ "expiryDate", EVENT_AT(time_us), AS_NOW, 0, NULL },
	{ "idTag", EVENT_AT(token), AS_TEXT, 20, "\"\"" },
	{ "parentIdTag", EVENT_AT(group), AS_TEXT, 20, NULL },
	{ "reservationId", EVENT_AT(reservation), AS_INT64, 0, "0" },
	{ 0 },
};
static const struct row cancel_reservation[] = { { "reservationId", EVENT_AT(reservation), AS_INT64, 0, "0" }, { 0 } };

static const struct row other[] = {
	{ "connectorId", EVENT_AT(evse), AS_INT, 0, NULL },
	{ "requestId", EVENT_AT(request_id), AS_INT64, 0, NULL },
	{ 0 },
};

static const struct meaning meanings[] = {
	{ "BootNotification", .call = boot, .read_call = boot_read, .answer = boot_answer },
	{ "Heartbeat", .call = nothing, .answer = heartbeat_answer },
	{ "StatusNotification", .call = status_rows, .read_call = status_read, .write_call = status_write },
	{ "Authorize", .call = authorize, .answer = authorize_answer, .write_answer = tag_info_write },
	{ "StartTransaction", .call = start, .read_call = start_read, .answer = start_answer,
	  .read_answer = start_answer_read, .write_answer = start_answer_write },
	{ "StopTransaction", .tx = "transactionId", .call = stop, .read_call = stop_read, .write_call = stop_write,
	  .answer = authorize_answer, .write_answer = stop_answer_write },
	{ "MeterValues", .tx = "transactionId", .call = meter, .read_call = meter_read, .write_call = meter_write },
	{ "DataTransfer", .call = data },
	{ "FirmwareStatusNotification", .call = job_state },
	{ "SignedFirmwareStatusNotification", .call = job_state },
	{ "DiagnosticsStatusNotification", .call = job_state, .write_call = diagnostics_write },
	{ "LogStatusNotification", .call = job_state },
	{ "SecurityEventNotification", .call = security },
	{ "RemoteStartTransaction", .tx = "chargingProfile.transactionId", .call = remote_start, .read_call = remote_start_read,
	  .write_call = remote_start_write },
	{ "RemoteStopTransaction", .tx = "transactionId", .call = remote_stop },
	{ "SetChargingProfile", .tx = "csChargingProfiles.transactionId", .call = set_profile, .read_call = set_profile_read,
	  .write_call = set_profile_write },
	{ "ClearChargingProfile", .call = clear_profile, .read_call = clear_profile_read, .write_call = clear_profile_write },
	{ "GetCompositeSchedule", .call = get_schedule },
	{ "Reset", .call = reset, .write_call = reset_write },
	{ "UnlockConnector", .call = unlock },
	{ "TriggerMessage", .call = trigger },
	{ "ExtendedTriggerMessage", .call = trigger },
	{ "ChangeAvailability", .call = availability },
	{ "ChangeConfiguration", .call = set_config },
	{ "GetConfiguration", .call = get_config, .write_call = get_config_write, .answer = get_config_answer,
	  .write_answer = get_config_answer_write },
	{ "SendLocalList", .call = send_list, .read_call = send_list_read, .write_call = send_list_write },
	{ "GetLocalListVersion", .call = nothing, .answer = list_version_answer },
	{ "ClearCache", .call = nothing },
	{ "ReserveNow", .call = reserve },
	{ "CancelReservation", .call = cancel_reservation },
};

static const char *tx_action(const struct event *e)
{
	return e->phase == TX_START ? "StartTransaction" : e->phase == TX_END ? "StopTransaction" : "MeterValues";
}

static const char *action_for(enum ocpp_version v, const struct event *e)
{
	static const char *const base_triggers[] = { "BootNotification", "DiagnosticsStatusNotification", "FirmwareStatusNotification",
		"Heartbeat", "MeterValues", "StatusNotification", NULL };
	const struct action *act;
	switch (e->kind) {
	case EV_TX:
		return tx_action(e);
	case EV_FIRMWARE: /* the security extension's messages carry the number of their request */
		return e->request_id >= 0 ? "SignedFirmwareStatusNotification" : "FirmwareStatusNotification";
	case EV_LOG:
		return e->request_id >= 0 ? "LogStatusNotification" : "DiagnosticsStatusNotification";
	case CMD_TRIGGER:
		return !e->word.p || bind_word_in(e->word, base_triggers) ? "TriggerMessage" : "ExtendedTriggerMessage";
	default:
		act = catalogue_for_event(v, e->kind);
		return act ? act->name : NULL;
	}
}

static void list_entry(struct reading *r, struct event *token, struct reply *info)
{
	bind_read(r, authorize, token);
	bind_read(r, authorize_answer, info);
}

/* An entry without a status deletes, so nothing is said about the tag. */
static void list_entry_write(struct writing *w, const struct event *token, const struct reply *info)
{
	bind_write(w, authorize, token);
	if (info->token_status.p)
		tag_info_write(w, info);
}

static const struct meanings all = { meanings, sizeof(meanings) / sizeof(meanings[0]) };
static const struct meanings *const parts[] = { &all, NULL };
const struct codec codec_16 = { parts, other, action_for, list_entry, list_entry_write };
