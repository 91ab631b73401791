/* What the CSMS asks of the station: what is dispatched to other files, and what is short enough to stand here.
 *
 * Statuses are OCPP's words, which the versions share; where a version has another word or another habit, struct dialect knows. A request is
 * checked against the dictionary first, so that handlers meet only what their message may hold; fields that the standard does not have are
 * passed over. */
#include "station/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ocpp/codec.h"
#include "ocpp/profile-read.h"
#include "ocpp/validate.h"
#include "station/inside.h"

/* Start and stop */

static struct evse *free_evse(struct station *s, const struct request *q)
{
	struct evse *found = NULL;
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (!grant_could(e, q->e.token, q->e.group))
			continue;
		if (!found || (e->con.in.plugged && !found->con.in.plugged))
			found = e; /* where a car is, rather than where none is */
	}
	return found;
}

static void after_start(struct station *s, struct request *q)
{
	(void)s;
	grant_remote(q->evse, &q->e, q->what);
}

static void on_remote_start(struct station *s, struct request *q)
{
	struct charging_profile *profile = arena_new(&q->mem, sizeof(*profile));
	int err = profile_read_whole(q->f, &q->mem, profile);
	q->evse = q->e.evse < 0 ? free_evse(s, q) : station_evse(s, q->e.evse);
	bool fits = err == ERR_NOT_FOUND || (!err && profile->purpose == PURPOSE_TX && q->evse && schedule_ensures(s, q->evse->con.evse, profile));
	bool good = station_talks(s) && !s->reset && fits && q->evse && grant_could(q->evse, q->e.token, q->e.group);
	q->what = err ? NULL : profile;
	q->after = good ? after_start : NULL;
	if (good && q->evse->tx && s->dialect->names_tx)
		q->r.tx = slice_of(q->evse->tx->id); /* 2.0.1 F01.FR.13: one runs that nobody was authorised for yet */
	answer_if(q, good);
}

static struct evse *evse_with(struct station *s, struct slice tx)
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (s->evses[i].tx && slice_is(tx, s->evses[i].tx->id))
			return &s->evses[i];
	}
	return NULL;
}

static void after_stop(struct station *s, struct request *q)
{
	(void)s;
	if (q->evse->authorised)
		grant_end(q->evse, "RemoteStop", "Remote");
	else
		charge_end(q->evse, "RemoteStop", "Remote");
}

static void on_remote_stop(struct station *s, struct request *q)
{
	q->evse = station_talks(s) ? evse_with(s, q->e.tx) : NULL;
	q->after = q->evse ? after_stop : NULL;
	answer_if(q, q->evse != NULL);
}

/* Unlock: the lock may take its time, and the answer waits for it. */

static void send_answer(struct station *s, struct request *q);

static void begin_unlock(struct station *s, struct request *q)
{
	struct unlocking *u = &q->evse->unlocking;
	put_text(u->id, sizeof(u->id), q->f->id);
	u->act = q->f->act;
	int err = s->events->unlock ? s->events->unlock(s->arg, q->evse->con.evse) : ERR_UNSUPPORTED;
	q->waits = !err; /* the answer may be on its way already */
	if (err)
		u->act = NULL;
	if (err == ERR_UNSUPPORTED && s->dialect->unlock_ends_tx)
		answer(q, "NotSupported"); /* a fixed cable: the transaction goes on (1.6 errata 3.87) */
	else if (err == ERR_UNSUPPORTED)
		q->error = "NotSupported"; /* 2.0.1 F05.FR.07 */
	else if (err)
		answer(q, "UnlockFailed");
	else if (q->evse->authorised && s->dialect->unlock_ends_tx)
		grant_end(q->evse, "UnlockCommand", "UnlockCommand"); /* first: a lock holds what belongs to somebody (1.6 specification 5.18) */
}

static void on_unlock(struct station *s, struct request *q)
{
	q->evse = q->e.connector > 1 ? NULL : station_evse(s, q->e.evse);
	if (!q->evse)
		answer(q, s->dialect->unlock_ends_tx ? "NotSupported" : "UnknownConnector");
	else if (q->evse->authorised && q->evse->tx && !s->dialect->unlock_ends_tx)
		answer(q, "OngoingAuthorizedTransaction");
	else
		begin_unlock(s, q);
}

void station_unlocked(struct station *s, int evse, bool unlocked)
{
	struct evse *e = station_evse(s, evse);
	struct unlocking u = e->unlocking;
	struct frame f = { .kind = FRAME_CALL, .version = s->conf.version, .id = slice_of(u.id), .act = u.act };
	struct request q = { .f = &f, .evse = e };
	e->unlocking.act = NULL;
	if (!u.act || !s->link)
		return;
	reply_init(&q.r);
	answer(&q, unlocked ? "Unlocked" : "UnlockFailed");
	send_answer(s, &q);
	buf_free(&q.payload);
}

/* Reset and availability */

static const struct reset_kind resets[] = {
	{ "Soft", false, "SoftReset", "RemoteReset" },
	{ "Hard", false, "HardReset", "RemoteReset" },
	{ "Immediate", false, "ImmediateReset", "RemoteReset" },
	{ "OnIdle", true, "ImmediateReset", "ScheduledReset" },
};

static void after_reset(struct station *s, struct request *q)
{
	const struct reset_kind *kind = q->what;
	if (kind->when_idle && station_running(s))
		s->reset_idle = kind;
	else
		station_reset(s, kind);
}

static void on_reset(struct station *s, struct request *q)
{
	for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
		if (slice_is(q->e.word, resets[i].word))
			q->what = &resets[i];
	}
	const struct reset_kind *kind = q->what;
	bool whole = q->e.evse <= 0; /* a reset of one EVSE is not offered (AllowReset) */
	q->after = kind && whole ? after_reset : NULL;
	if (kind && whole && kind->when_idle && station_running(s))
		answer(q, "Scheduled");
	else
		answer_if(q, kind && whole);
}

/* What the CSMS wishes of one, and what of the whole, are two things: an EVSE is in operation when neither says otherwise (2.0.1 G03.FR.06).
 * Where the whole stands for all its connectors, its wish is theirs as well. */
static void make_operative(struct evse *e)
{
	bool operative = !e->unavailable && !e->s->inoperative;
	if (!operative)
		grant_withdraw(e, "Other");
	connector_operative(&e->con, operative);
	grant_try(e);
}

static void set_availability(struct evse *e, bool operative)
{
	if (e->unavailable == !operative)
		return;
	e->unavailable = !operative;
	keep_availability(e->s, e->con.evse, operative);
}

static void after_availability(struct station *s, struct request *q)
{
	bool operative = slice_is(q->e.word, "Operative"), changed = !q->evse && s->inoperative == operative;
	if (!q->evse)
		s->inoperative = !operative;
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (q->evse == e || (!q->evse && s->dialect->station_status))
			set_availability(e, operative);
		if (!q->evse || q->evse == e)
			make_operative(e);
	}
	if (!changed)
		return;
	keep_availability(s, 0, operative);
	station_report_whole(s);
}

static void on_availability(struct station *s, struct request *q)
{
	bool operative = slice_is(q->e.word, "Operative"), known = operative || slice_is(q->e.word, "Inoperative");
	q->evse = station_evse(s, q->e.evse);
	if (!known || (q->e.evse > 0 && !q->evse) || q->e.connector > 1) {
		answer(q, "Rejected");
		return;
	}
	bool busy = q->evse ? q->evse->con.running : station_running(s);
	q->after = after_availability;
	answer(q, busy && !operative ? "Scheduled" : "Accepted");
}

/* Triggers */

static void trigger_boot(struct station *s, struct evse *e)
{
	(void)e;
	station_boot(s);
}

static void trigger_heartbeat(struct station *s, struct evse *e)
{
	(void)e;
	station_heartbeat(s);
}

static void each(struct station *s, struct evse *e, void (*run)(struct evse *))
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (!e || e == &s->evses[i])
			run(&s->evses[i]);
	}
}

static void trigger_status(struct station *s, struct evse *e)
{
	if (!e)
		station_report_whole(s);
	each(s, e, evse_report);
}

static void values_on_trigger(struct evse *e)
{
	meters_now(e, false);
}

static void tx_on_trigger(struct evse *e)
{
	if (e->tx)
		meters_now(e, true);
}

static void trigger_values(struct station *s, struct evse *e)
{
	each(s, e, values_on_trigger);
}

static void trigger_tx(struct station *s, struct evse *e)
{
	each(s, e, tx_on_trigger);
}

static void trigger_log(struct station *s, struct evse *e)
{
	(void)e;
	logs_tell_state(s, false);
}

static void trigger_log_16(struct station *s, struct evse *e)
{
	(void)e;
	logs_tell_state(s, true);
}

static void trigger_firmware(struct station *s, struct evse *e)
{
	(void)e;
	firmware_tell_state(s, false);
}

static void trigger_firmware_16(struct station *s, struct evse *e)
{
	(void)e;
	firmware_tell_state(s, true);
}

static void trigger_signing(struct station *s, struct evse *e)
{
	(void)e;
	security_ask(s);
}

static bool can_boot(const struct station *s, const struct evse *e)
{
	(void)e;
	return s->registration != REG_ACCEPTED; /* 2.0.1 F06.FR.17, 1.6 errata 3.35 */
}

static bool can_tell_tx(const struct station *s, const struct evse *e)
{
	return e ? e->tx != NULL : station_running(s);
}

static bool can_sign(const struct station *s, const struct evse *e)
{
	(void)e;
	return security_can_ask(s);
}

static const struct trigger {
	const char *action, *word;    /* action NULL: any */
	void (*run)(struct station *s, struct evse *e);
	bool (*can)(const struct station *s, const struct evse *e); /* NULL: always */
} triggers[] = {
	{ NULL, "BootNotification", trigger_boot, can_boot },
	{ NULL, "Heartbeat", trigger_heartbeat, NULL },
	{ NULL, "StatusNotification", trigger_status, NULL },
	{ NULL, "MeterValues", trigger_values, NULL },
	{ NULL, "TransactionEvent", trigger_tx, can_tell_tx },
	{ NULL, "DiagnosticsStatusNotification", trigger_log, NULL },
	{ "ExtendedTriggerMessage", "LogStatusNotification", trigger_log_16, NULL },
	{ NULL, "LogStatusNotification", trigger_log, NULL },
	{ "ExtendedTriggerMessage", "FirmwareStatusNotification", trigger_firmware_16, NULL },
	{ NULL, "FirmwareStatusNotification", trigger_firmware, NULL },
	{ NULL, "SignChargePointCertificate", trigger_signing, can_sign },
	{ NULL, "SignChargingStationCertificate", trigger_signing, can_sign },
};

static void after_trigger(struct station *s, struct request *q)
{
	const struct trigger *t = q->what;
	t->run(s, q->evse);
}

static const struct trigger *find_trigger(const struct request *q)
{
	for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
		const struct trigger *t = &triggers[i];
		if (slice_is(q->e.word, t->word) && (!t->action || strcmp(t->action, q->f->act->name) == 0))
			return t;
	}
	return NULL;
}

static void on_trigger(struct station *s, struct request *q)
{
	const struct trigger *found = find_trigger(q);
	q->evse = station_evse(s, q->e.evse);
	q->what = found;
	if (!found) {
		answer(q, "NotImplemented");
		return;
	}
	bool good = (!found->can || found->can(s, q->evse)) && (q->e.evse <= 0 || q->evse) && q->e.connector <= 1;
	q->after = good ? after_trigger : NULL;
	answer_if(q, good);
}

/* Tokens, reservations, data */

static void on_send_list(struct station *s, struct request *q)
{
	answer(q, authz_send_list(&s->authz, q->f, &q->e));
}

static void on_list_version(struct station *s, struct request *q)
{
	q->r.list_version = s->authz.list_off ? 0 : s->authz.version;
}

static void on_clear_cache(struct station *s, struct request *q)
{
	bool there = !s->authz.cache_off;
	if (there)
		authz_clear_cache(&s->authz);
	answer_if(q, there);
}

static void on_reserve(struct station *s, struct request *q)
{
	answer(q, reserve_make(s, &q->e));
}

static void on_cancel_reservation(struct station *s, struct request *q)
{
	answer_if(q, reserve_cancel(s, q->e.reservation));
}

static void on_data(struct station *s, struct request *q)
{
	(void)s;
	answer(q, "UnknownVendorId");
}

/* Messages of a transaction wait here as long as they are not answered (2.0.1 E14). */
static void on_tx_status(struct station *s, struct request *q)
{
	struct json_writer w;
	jw_open(&w, &q->payload);
	jw_object(&w, NULL);
	if (q->e.tx.p)
		jw_bool(&w, "ongoingIndicator", evse_with(s, q->e.tx) != NULL);
	jw_bool(&w, "messagesInQueue", station_owes(s, q->e.tx));
	jw_end(&w, '}');
}

static handler *const by_meaning[EVENT_KINDS] = {
	[EV_DATA] = on_data,
	[CMD_REMOTE_START] = on_remote_start,
	[CMD_REMOTE_STOP] = on_remote_stop,
	[CMD_SET_PROFILE] = schedule_set,
	[CMD_CLEAR_PROFILE] = schedule_clear,
	[CMD_GET_SCHEDULE] = schedule_composite,
	[CMD_UPDATE_PROFILE] = schedule_update,
	[CMD_RESET] = on_reset,
	[CMD_UNLOCK] = on_unlock,
	[CMD_TRIGGER] = on_trigger,
	[CMD_AVAILABILITY] = on_availability,
	[CMD_SET_CONFIG] = model_set,
	[CMD_GET_CONFIG] = model_get,
	[CMD_SEND_LIST] = on_send_list,
	[CMD_LIST_VERSION] = on_list_version,
	[CMD_CLEAR_CACHE] = on_clear_cache,
	[CMD_RESERVE] = on_reserve,
	[CMD_CANCEL_RESERVATION] = on_cancel_reservation,
	[CMD_GET_LOG] = logs_get,
	[CMD_TX_STATUS] = on_tx_status,
	[CMD_NETWORK] = network_set,
};

/* What only stations act on has no meaning of its own, or shares one. */
static const struct {
	const char *action;
	handler *serve;
} by_name[] = {
	{ "CertificateSigned", security_signed },
	{ "ClearDisplayMessage", display_clear },
	{ "ClearVariableMonitoring", monitors_clear },
	{ "CostUpdated", display_cost },
	{ "CustomerInformation", customer_tell },
	{ "DeleteCertificate", security_delete },
	{ "GetBaseReport", model_report_base },
	{ "GetChargingProfiles", schedule_list },
	{ "GetDisplayMessages", display_get },
	{ "GetInstalledCertificateIds", security_list },
	{ "GetMonitoringReport", monitors_report },
	{ "GetReport", model_report },
	{ "InstallCertificate", security_install },
	{ "SetDisplayMessage", display_set },
	{ "SetMonitoringBase", monitors_base },
	{ "SetMonitoringLevel", monitors_level },
	{ "SetVariableMonitoring", monitors_set },
	{ "SignedUpdateFirmware", firmware_update },
	{ "UpdateFirmware", firmware_update },
};

static handler *handler_of(const struct action *act, enum event_kind kind)
{
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++) {
		if (strcmp(by_name[i].action, act->name) == 0)
			return by_name[i].serve;
	}
	return by_meaning[kind];
}

/* The first fault that is more than a field nobody knows. */
static void see_fault(void *arg, const struct verdict *v)
{
	const char **code = arg;
	if (!*code && v->rule != RULE_UNKNOWN_FIELD)
		*code = v->code;
}

static const char *fault_of(const struct frame *f)
{
	const struct shape *shape = dictionary_shape(f->version, f->act->name, false);
	const char *code = NULL;
	const struct validate_how how = { .lenient = true, .on_fault = see_fault, .arg = &code };
	struct verdict first;
	int err = shape ? validate_with(shape, f->payload, f->version, &how, &first) : 0;
	return err ? code : NULL;
}

static void serve(struct station *s, struct request *q)
{
	if (s->registration == REG_REJECTED && s->dialect->refuses_by_error) {
		q->error = "SecurityError";
		return;
	}
	if (!q->f->act) {
		q->error = "NotImplemented";
		return;
	}
	q->error = fault_of(q->f);
	if (q->error)
		return;
	int err = codec_read_call(q->f, &q->mem, &q->e);
	handler *h = handler_of(q->f->act, q->e.kind);
	if (err == ERR_INVALID)
		q->error = "ProtocolError";
	else if (!h)
		q->error = "NotSupported";
	else
		h(s, q);
}

static void send_answer(struct station *s, struct request *q)
{
	struct buf text = { 0 };
	int err = 0;
	if (!q->error && !q->payload.n)
		err = codec_write_answer(s->conf.version, q->f->act, &q->r, &q->payload);
	if (err)
		q->error = "InternalError";
	if (q->error)
		frame_write_error(&text, q->f->id, q->error, "");
	else
		frame_write_result(&text, q->f->id, buf_view(&q->payload));
	err = link_send(s->link, buf_view(&text));
	if (err)
		log_warn(&s->log, "an answer could not be sent: %s", err_text(err));
	buf_free(&text);
}

void commands_on_call(struct station *s, struct frame *f)
{
	struct request q = { .f = f };
	if (!s->link)
		return;
	event_init(&q.e, EV_NONE);
	reply_init(&q.r);
	serve(s, &q);
	if (!q.waits)
		send_answer(s, &q);
	if (!q.error && !q.waits && q.after)
		q.after(s, &q);
	buf_free(&q.payload);
	arena_free(&q.mem);
}
