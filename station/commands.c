/* What the CSMS asks of the station. Each handler fills in the answer and says what is to be done behind it: the answer is on the link
 * before the deed, so that a remote start is accepted before its transaction starts and a reset is answered before the link goes.
 *
 * Statuses are OCPP's words, which the versions share; where a version has another word or another habit, struct dialect knows. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "ocpp/codec.h"
#include "ocpp/settings.h"
#include "ocpp/profile-read.h"
#include "station/inside.h"

struct request {
	struct frame *f;
	struct event e;
	struct arena mem;
	struct reply r;
	const char *error;            /* CALLERROR code instead of an answer */
	struct buf payload;           /* the answer, where reply cannot say it */
	void (*after)(struct station *s, struct request *q);
	struct evse *evse;            /* for `after` */
	const void *what;
};

static void answer(struct request *q, const char *status)
{
	q->r.status = slice_of(status);
}

static void answer_if(struct request *q, bool good)
{
	answer(q, good ? "Accepted" : "Rejected");
}

/* Start and stop */

static struct evse *free_evse(struct station *s)
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (!e->tx && !e->asking && !e->con.in.fault && !e->con.inoperative && !e->con.claimed)
			return e;
	}
	return NULL;
}

static void after_start(struct station *s, struct request *q)
{
	(void)s;
	evse_remote_start(q->evse, &q->e, q->what);
}

static bool could_start(const struct evse *e)
{
	return e && !e->tx && !e->asking && !e->con.in.fault && !e->con.inoperative;
}

static void on_remote_start(struct station *s, struct request *q)
{
	struct charging_profile *profile = arena_new(&q->mem, sizeof(*profile));
	int err = profile_read_whole(q->f, &q->mem, profile);
	q->evse = q->e.evse < 0 ? free_evse(s) : station_evse(s, q->e.evse);
	bool fits = err == ERR_NOT_FOUND || (!err && profile->purpose == PURPOSE_TX);
	bool good = station_talks(s) && !s->reset && fits && could_start(q->evse);
	q->what = err ? NULL : profile;
	q->after = good ? after_start : NULL;
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
	evse_stop(q->evse, "Remote");
}

static void on_remote_stop(struct station *s, struct request *q)
{
	q->evse = station_talks(s) ? evse_with(s, q->e.tx) : NULL;
	q->after = q->evse ? after_stop : NULL;
	answer_if(q, q->evse != NULL);
}

static void after_unlock(struct station *s, struct request *q)
{
	(void)s;
	evse_stop(q->evse, "UnlockCommand");
}

static void on_unlock(struct station *s, struct request *q)
{
	q->evse = station_evse(s, q->e.evse);
	if (!q->evse) {
		answer(q, s->dialect->unlock_ends_tx ? "NotSupported" : "UnknownConnector");
	} else if (q->evse->tx && !s->dialect->unlock_ends_tx) {
		answer(q, "OngoingAuthorizedTransaction");
	} else {
		q->after = after_unlock;
		answer(q, "Unlocked");
	}
}

/* Charging profiles */

static void after_profile(struct station *s, struct request *q)
{
	(void)q;
	station_limits(s);
}

static void on_set_profile(struct station *s, struct request *q)
{
	struct charging_profile profile;
	struct profile_tx tx = { 0 };
	int err = profile_read_whole(q->f, &q->mem, &profile);
	const struct evse *e = station_evse(s, q->e.evse);
	if (e)
		evse_profile_tx(e, &tx);
	if (!err && q->e.evse != 0 && !e)
		err = ERR_NOT_FOUND;
	if (!err)
		err = profiles_set(&s->profiles, q->e.evse, &profile, &tx, clock_wall_us());
	if (err)
		log_info(&s->log, "a charging profile was refused: %s", err_text(err));
	q->after = err ? NULL : after_profile;
	answer_if(q, !err);
}

static void on_clear_profile(struct station *s, struct request *q)
{
	struct profile_filter filter;
	profile_filter_read(q->f, &filter);
	q->after = after_profile;
	answer(q, profiles_clear(&s->profiles, &filter) ? "Accepted" : "Unknown");
}

static void on_update_profile(struct station *s, struct request *q)
{
	struct charging_v2x to;
	q->after = after_profile;
	answer_if(q, v2x_read(json_at(frame_tree(q->f), "scheduleUpdate"), &to) > 0 && profiles_update(&s->profiles, q->e.profile_id, &to, clock_wall_us()) == 0);
}

static void on_get_schedule(struct station *s, struct request *q)
{
	struct schedule_ask ask;
	int64_t now_us = clock_wall_us();
	if (schedule_ask_read(q->f, &ask) != 0 || (ask.evse != 0 && !station_evse(s, ask.evse))) {
		answer(q, "Rejected");
		return;
	}
	ask.mem = &q->mem;
	struct profile_tx *txs = arena_new(&q->mem, (size_t)s->conf.n_evses * sizeof(*txs));
	struct charging_period *periods = arena_new(&q->mem, PROFILE_PERIODS_MOST * sizeof(*periods));
	for (int i = 0; i < s->conf.n_evses; i++) {
		evse_profile_tx(&s->evses[i], &txs[i]);
		if (!txs[i].running)
			txs[i].start_us = now_us;
	}
	size_t n = profiles_composite(&s->profiles, &ask, txs, s->conf.n_evses, s->conf.max_ma / 1000.0, now_us, periods, PROFILE_PERIODS_MOST);
	schedule_write_answer(s->conf.version, &ask, now_us, periods, n, &q->payload);
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

static void after_availability(struct station *s, struct request *q)
{
	bool operative = slice_is(q->e.word, "Operative");
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (q->evse && q->evse != e)
			continue;
		if (!operative)
			evse_unclaim(e);
		connector_operative(&e->con, operative);
		evse_try_start(e);
	}
	if (q->evse || s->inoperative == !operative)
		return;
	s->inoperative = !operative;
	station_report_whole(s);
}

static void on_availability(struct station *s, struct request *q)
{
	bool operative = slice_is(q->e.word, "Operative"), known = operative || slice_is(q->e.word, "Inoperative");
	q->evse = station_evse(s, q->e.evse);
	if (!known || (q->e.evse > 0 && !q->evse)) {
		answer(q, "Rejected");
		return;
	}
	bool busy = q->evse ? q->evse->tx != NULL : station_running(s);
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

static void sample_on_trigger(struct evse *e)
{
	evse_sample(e, "Trigger");
}

static void trigger_samples(struct station *s, struct evse *e)
{
	each(s, e, sample_on_trigger);
}

static const struct trigger {
	const char *word;
	bool only_unaccepted; /* 2.0.1 F06.FR.17, 1.6 errata 3.35 */
	void (*run)(struct station *s, struct evse *e);
} triggers[] = {
	{ "BootNotification", true, trigger_boot },
	{ "Heartbeat", false, trigger_heartbeat },
	{ "StatusNotification", false, trigger_status },
	{ "MeterValues", false, trigger_samples },
	{ "TransactionEvent", false, trigger_samples },
};

static void after_trigger(struct station *s, struct request *q)
{
	const struct trigger *t = q->what;
	t->run(s, q->evse);
}

static void on_trigger(struct station *s, struct request *q)
{
	const struct trigger *found = NULL;
	for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
		if (slice_is(q->e.word, triggers[i].word))
			found = &triggers[i];
	}
	q->evse = station_evse(s, q->e.evse);
	q->what = found;
	if (!found) {
		answer(q, "NotImplemented");
		return;
	}
	bool good = !(found->only_unaccepted && s->registration == REG_ACCEPTED) && (q->e.evse <= 0 || q->evse);
	q->after = good ? after_trigger : NULL;
	answer_if(q, good);
}

/* Settings */

static void after_settings(struct station *s, struct request *q)
{
	(void)q;
	s->txns.attempts = keys_int(&s->keys, KEY_ATTEMPTS);
	s->txns.retry_us = keys_int(&s->keys, KEY_RETRY_INTERVAL) * US_PER_S;
	station_heartbeat_changed(s);
	for (int i = 0; i < s->conf.n_evses; i++)
		evse_sampling_changed(&s->evses[i]);
}

static void show(const struct station *s, size_t row, struct setting *out)
{
	out->value = slice_of(keys_text(&s->keys, row));
	out->readonly = keys_readonly(row);
}

/* Every row that has a name here, as settings. */
static size_t all_settings(const struct station *s, struct arena *mem, struct setting **out)
{
	size_t n = 0;
	*out = arena_new(mem, keys_count() * sizeof(**out));
	for (size_t row = 0; row < keys_count(); row++) {
		const char *name = keys_name(row, s->dialect->names);
		if (!name)
			continue;
		(*out)[n].name = slice_of(name);
		show(s, row, &(*out)[n++]);
	}
	return n;
}

static void find_setting(struct station *s, struct setting *asked, int *row)
{
	*row = -1;
	if (asked->result != SETTING_OK)
		return;
	*row = keys_find(s->dialect->names, asked->name);
	if (*row < 0)
		asked->result = keys_has_component(s->dialect->names, asked->name) ? SETTING_UNKNOWN : SETTING_NO_COMPONENT;
}

static void get_setting(struct station *s, struct setting *asked)
{
	int row;
	find_setting(s, asked, &row);
	if (row >= 0)
		show(s, (size_t)row, asked);
}

static void set_setting(struct station *s, struct setting *asked)
{
	int row;
	find_setting(s, asked, &row);
	if (row >= 0 && keys_set(&s->keys, (size_t)row, asked->value) != 0)
		asked->result = SETTING_REFUSED;
}

static void settings_answer(struct station *s, struct request *q, void (*one)(struct station *, struct setting *))
{
	struct setting *asked;
	size_t n;
	if (settings_read(q->f, &q->mem, &asked, &n) != 0) {
		q->error = "PropertyConstraintViolation";
		return;
	}
	for (size_t i = 0; i < n; i++)
		one(s, &asked[i]);
	if (!n)
		n = all_settings(s, &q->mem, &asked);
	settings_write_answer(q->f, asked, n, &q->payload);
}

static void on_get_config(struct station *s, struct request *q)
{
	settings_answer(s, q, get_setting);
}

static void on_set_config(struct station *s, struct request *q)
{
	settings_answer(s, q, set_setting);
	q->after = after_settings;
}

#define REPORT_ITEMS 16 /* settings in one NotifyReport */

static void after_report(struct station *s, struct request *q)
{
	struct setting *all;
	const struct action *act;
	struct buf payload = { 0 };
	size_t n = all_settings(s, &q->mem, &all);
	for (size_t at = 0, seq = 0; at < n; at += REPORT_ITEMS, seq++) {
		size_t some = n - at < REPORT_ITEMS ? n - at : REPORT_ITEMS;
		buf_reset(&payload);
		int err = settings_write_report(s->conf.version, q->e.request_id, (int64_t)seq, at + some < n, clock_wall_us(), all + at, some,
		                                &payload, &act);
		if (!err)
			err = wire_ask_text(&s->wire, act, buf_view(&payload), NULL, NULL, NULL);
		if (err)
			log_warn(&s->log, "a part of the report was not sent: %s", err_text(err));
	}
	buf_free(&payload);
}

static void on_get_report(struct station *s, struct request *q)
{
	(void)s;
	if (!q->e.word.p) {
		answer(q, "NotSupported"); /* GetReport by criteria */
		return;
	}
	q->after = after_report;
	answer(q, "Accepted");
}

/* Tokens, reservations, data */

static void on_send_list(struct station *s, struct request *q)
{
	answer(q, authz_send_list(&s->authz, q->f, &q->e));
}

static void on_list_version(struct station *s, struct request *q)
{
	q->r.list_version = s->authz.version;
}

static void on_clear_cache(struct station *s, struct request *q)
{
	authz_clear_cache(&s->authz);
	answer(q, "Accepted");
}

static const char *reservation_status(const struct evse *e, int64_t id)
{
	if (e->con.in.fault)
		return "Faulted";
	if (e->con.inoperative)
		return "Unavailable";
	if (e->tx || e->con.in.plugged || e->con.claimed || (e->reservation.id >= 0 && e->reservation.id != id))
		return "Occupied";
	return NULL;
}

static void on_reserve(struct station *s, struct request *q)
{
	struct evse *e = station_evse(s, q->e.evse);
	const char *status = e ? reservation_status(e, q->e.reservation) : "Rejected";
	if (status)
		answer(q, status);
	else
		answer_if(q, evse_reserve(e, &q->e));
}

static void on_cancel_reservation(struct station *s, struct request *q)
{
	struct evse *found = NULL;
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (q->e.reservation >= 0 && s->evses[i].reservation.id == q->e.reservation)
			found = &s->evses[i];
	}
	if (found)
		evse_unreserve(found);
	answer_if(q, found != NULL);
}

static void on_data(struct station *s, struct request *q)
{
	(void)s;
	answer(q, "UnknownVendorId");
}

static void (*const handlers[EVENT_KINDS])(struct station *s, struct request *q) = {
	[EV_DATA] = on_data,
	[CMD_REMOTE_START] = on_remote_start,
	[CMD_REMOTE_STOP] = on_remote_stop,
	[CMD_SET_PROFILE] = on_set_profile,
	[CMD_CLEAR_PROFILE] = on_clear_profile,
	[CMD_GET_SCHEDULE] = on_get_schedule,
	[CMD_UPDATE_PROFILE] = on_update_profile,
	[CMD_RESET] = on_reset,
	[CMD_UNLOCK] = on_unlock,
	[CMD_TRIGGER] = on_trigger,
	[CMD_AVAILABILITY] = on_availability,
	[CMD_SET_CONFIG] = on_set_config,
	[CMD_GET_CONFIG] = on_get_config,
	[CMD_GET_REPORT] = on_get_report,
	[CMD_SEND_LIST] = on_send_list,
	[CMD_LIST_VERSION] = on_list_version,
	[CMD_CLEAR_CACHE] = on_clear_cache,
	[CMD_RESERVE] = on_reserve,
	[CMD_CANCEL_RESERVATION] = on_cancel_reservation,
};

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
	int err = codec_read_call(q->f, &q->mem, &q->e);
	if (err == ERR_INVALID)
		q->error = "ProtocolError";
	else if (err || !handlers[q->e.kind])
		q->error = "NotSupported";
	else
		handlers[q->e.kind](s, q);
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
	send_answer(s, &q);
	if (!q.error && q.after)
		q.after(s, &q);
	buf_free(&q.payload);
	arena_free(&q.mem);
}
