/* TransactionEvent.
 *
 * Easy to get wrong: it has a reason for the message (triggerReason) and, at the end, one for the stop (stoppedReason). The neutral event keeps
 * the one that tells more: the stop's at the end, else the trigger's. */
#include <math.h>

#include "ocpp/codec-2x.h"
#include "ocpp/samples.h"
#include "ocpp/scan.h"

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
	bind_read(r, codec_2x_token_info, out);
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
		bind_write(w, codec_2x_token_info, &token);
}

static const struct meaning rows[] = {
	{ "TransactionEvent", .tx = "transactionInfo.transactionId", .call = tx_rows, .read_call = tx_read, .write_call = tx_write,
	  .answer = tx_answer, .read_answer = tx_answer_read, .write_answer = tx_answer_write },
};
const struct meanings codec_2x_tx = { rows, sizeof(rows) / sizeof(rows[0]) };
