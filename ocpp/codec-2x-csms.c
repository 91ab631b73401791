/* What a CSMS asks in 2.0.1 and 2.1, and what comes back. */
#include <math.h>

#include "ocpp/codec-2x.h"
#include "ocpp/profile.h"
#include "ocpp/scan.h"

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
	e->word = codec_2x_variable_read(r, json_at(r->tree, "setVariableData.0"));
}

static void get_config_read(struct reading *r, struct event *e)
{
	e->word = codec_2x_variable_read(r, json_at(r->tree, "getVariableData.0"));
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
	codec_2x_variable_write(w, e->word, e->evse, e->connector);
	list_of_one_ends(w);
}

static void get_config_write(struct writing *w, const struct event *e)
{
	if (!e->word.n) {
		w->err = ERR_INVALID;
		return;
	}
	list_of_one(w, "getVariableData");
	codec_2x_variable_write(w, e->word, e->evse, e->connector);
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
	out->key = codec_2x_variable_read(r, json_at(r->tree, "setVariableResult.0"));
}

static void get_config_answer_read(struct reading *r, struct reply *out)
{
	out->key = codec_2x_variable_read(r, json_at(r->tree, "getVariableResult.0"));
}

static void set_config_answer_write(struct writing *w, const struct reply *r)
{
	list_of_one(w, "setVariableResult");
	jw_text(&w->w, "attributeStatus", r->status.p ? r->status : SLICE("Rejected"));
	codec_2x_variable_write(w, r->key, -1, 0);
	list_of_one_ends(w);
}

static void get_config_answer_write(struct writing *w, const struct reply *r)
{
	list_of_one(w, "getVariableResult");
	jw_text(&w->w, "attributeStatus", r->status.p ? r->status : SLICE("Rejected"));
	if (r->value.p)
		jw_text(&w->w, "attributeValue", scan_cut(r->value, 2500));
	codec_2x_variable_write(w, r->key, -1, 0);
	list_of_one_ends(w);
}

static const struct row base_report[] = {
	{ "requestId", EVENT_AT(request_id), AS_INT64, 0, "0" },
	{ "reportBase", EVENT_AT(word), AS_TEXT, 0, "\"FullInventory\"" },
	{ 0 },
};

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

static const struct meaning rows[] = {
	{ "RequestStartTransaction", .tx = "chargingProfile.transactionId", .call = remote_start, .read_call = profile_member_read,
	  .write_call = remote_start_write, .answer = remote_start_answer },
	{ "RequestStopTransaction", .tx = "transactionId", .call = tx_only },
	{ "SetChargingProfile", .tx = "chargingProfile.transactionId", .call = set_profile, .read_call = profile_member_read,
	  .write_call = set_profile_write },
	{ "ClearChargingProfile", .call = clear_profile, .read_call = clear_profile_read, .write_call = clear_profile_write },
	{ "GetCompositeSchedule", .call = get_schedule },
	{ "UpdateDynamicSchedule", .call = update_profile, .read_call = update_profile_read, .write_call = codec_2x_cannot_write },
	{ "UsePriorityCharging", .tx = "transactionId", .call = use_priority, .write_call = codec_2x_cannot_write },
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
	{ "GetLocalListVersion", .call = codec_2x_nothing, .answer = list_version_answer },
	{ "ClearCache", .call = codec_2x_nothing },
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
const struct meanings codec_2x_csms = { rows, sizeof(rows) / sizeof(rows[0]) };
