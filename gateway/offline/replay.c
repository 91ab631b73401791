/* The outbox of one station, record by record.
 *
 * kick -> (a later turn) head of the outbox -> sent -> the CSMS's answer -> ledger_confirm -> committed -> kick
 *                                               |            ^
 *                                               |            '-- late, on the same lane (overdue)
 *                                               +-> CALLERROR, or silence while the CSMS talks: a failure. Again after failures times the
 *                                                   configured pause; set aside when there were as many as are allowed
 *
 * A lane that goes down is no failure: the record stays and is sent again under the same message id. Nor is silence on a lane where nothing at
 * all arrives any more, as that says nothing about the record; the lane's own pings will find out.
 *
 * What is set aside takes along what needs it: without its start the CSMS has no name for a transaction, so its other messages go where the
 * start is, and come back with it. */
#include "gateway/offline/replay.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "gateway/offline/ledger.h"
#include "gateway/session/rewrite.h"
#include "gateway/session/trace.h"
#include "ocpp/catalogue.h"
#include "storage/txs.h"

#define FULL_US (200 * 1000) /* after which a full lane, or a store that cannot be read, is tried again */

static void run(void *arg);

static void on_turn(void *arg)
{
	replay_kick(arg);
}

/* A record on the wire, with what is needed of it when its answer comes. */
struct sent {
	struct list entry;     /* of those overdue */
	struct session *s;
	struct outbox_rec rec;
	const struct action *act;
	struct arena mem;
};

static void sent_free(struct sent *t)
{
	arena_free(&t->mem);
	mem_free(t);
}

/* The record has its answer, or the lane on which it could have come is gone. seq 0: all of them. */
static void forget_overdue(struct session *s, int64_t seq)
{
	LIST_WALK(&s->replay.overdue, struct sent, entry, t) {
		if (seq && t->rec.seq != seq)
			continue;
		list_remove(&t->entry);
		sent_free(t);
	}
}

void replay_kick(struct session *s)
{
	if (!s->replay.seq && s->replay.ready && !s->put_off && !timer_is_set(&s->replay.retry))
		later_call(&s->replay.kick, run, s);
	else if (!s->link)
		session_lane_review(s);
}

/* What waited takes turns with that of other stations; what happens now does not wait for them. */
static bool may_go(struct session *s, const struct outbox_rec *rec)
{
	struct pace *p = uplink_pace(s->lane.uplink);
	if (rec->late && !s->lane.inside) /* a group takes its turn itself, and its members must not hold it */
		return pace_take(p, uplink_conf(s->lane.uplink)->drain_parallel, &s->replay.place, on_turn, s);
	pace_give(p, &s->replay.place);
	return true;
}

static void turn_over(struct session *s)
{
	if (s->lane.uplink)
		pace_give(uplink_pace(s->lane.uplink), &s->replay.place);
}

void replay_stop(struct session *s)
{
	turn_over(s);
	timer_cancel(&s->replay.retry);
	later_cancel(&s->replay.kick);
	forget_overdue(s, 0);
	s->replay.ready = false;
}

static void on_retry(void *arg)
{
	replay_kick(arg);
}

static void again_after(struct session *s, int64_t pause_us)
{
	s->replay.seq = 0;
	if (s->replay.ready)
		timer_set(&s->replay.retry, pause_us, on_retry, s);
}

static void on_parked(void *arg, int err, int64_t value)
{
	struct session *s = arg;
	(void)value;
	if (err)
		log_error(&s->log, "a record could not be set aside: %s", err_text(err));
	again_after(s, 0);
	if (!s->replay.ready)
		session_lane_review(s); /* that of another version may be due now */
}

static void set_aside(struct session *s, const struct outbox_rec *rec, const char *why)
{
	log_error(&s->log, "%s is set aside, see queue list: %s", rec->action, why);
	s->replay.seq = rec->seq;
	ledger_failed(s, rec->seq);
	int err = outbox_park(s->gw->store, rec->seq, why, on_parked, s);
	if (err)
		on_parked(s, err, 0);
}

static void failed(struct sent *t, const char *why)
{
	struct session *s = t->s;
	const struct uplink_settings *conf = uplink_conf(s->lane.uplink);
	int failures = t->rec.failures + 1;
	log_warn(&s->log, "%s was not taken by the CSMS (%s), attempt %d of %d", t->rec.action, why, failures, conf->message_attempts);
	if (outbox_mark_failed(s->gw->store, t->rec.seq, NULL, NULL) != 0)
		log_error(&s->log, "a failure could not be noted");
	if (failures >= conf->message_attempts) {
		set_aside(s, &t->rec, why);
		return;
	}
	ledger_failed(s, t->rec.seq);
	again_after(s, failures * conf->message_retry_us);
}

/* The answer may still come, so the record is remembered for as long as the lane stands. */
static void silent(struct sent *t, const struct call *c)
{
	struct session *s = t->s;
	list_append(&s->replay.overdue, &t->entry);
	if (s->lane.link && s->lane.link->heard_us > c->sent_us) {
		failed(t, "no answer");
		return;
	}
	log_warn(&s->log, "nothing has come from the CSMS since %s was sent", t->rec.action);
	ledger_failed(s, t->rec.seq);
	again_after(s, uplink_conf(s->lane.uplink)->message_retry_us);
}

static bool confirmed(struct session *s, const struct sent *t, struct frame *answer)
{
	if (answer->kind != FRAME_RESULT || !ledger_confirm(s, &t->rec, t->act, answer))
		return false;
	forget_overdue(s, t->rec.seq);
	return true;
}

static void on_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct sent *t = arg;
	struct session *s = t->s;
	s->replay.call = NULL;
	turn_over(s);
	if (err == ERR_TIMEOUT) {
		silent(t, c);
		return;
	}
	if (!answer)
		s->replay.seq = 0; /* the lane is gone, or the answer to an earlier attempt came first */
	else if (answer->kind == FRAME_ERROR)
		failed(t, arena_text(&t->mem, answer->code));
	else if (!confirmed(s, t, answer))
		failed(t, "unusable answer");
	sent_free(t); /* a confirmed one goes on when that is committed */
}

bool replay_late_answer(struct session *s, struct frame *answer)
{
	LIST_WALK(&s->replay.overdue, struct sent, entry, t) {
		if (!slice_is(answer->id, t->rec.message_id))
			continue;
		if (s->replay.seq == t->rec.seq && s->replay.call)
			calls_cancel(&s->to_csms, s->replay.call); /* the next attempt waits for its turn, and is not needed */
		if (!s->replay.seq) {
			timer_cancel(&s->replay.retry);
			s->replay.seq = t->rec.seq;
		}
		list_remove(&t->entry);
		log_info(&s->log, "the CSMS's answer to %s came late, and counts", t->rec.action);
		if (!confirmed(s, t, answer) && s->replay.seq == t->rec.seq)
			again_after(s, uplink_conf(s->lane.uplink)->message_retry_us);
		sent_free(t);
		return true;
	}
	return false;
}

/* The record as its station sent it; or, when that is known no more, as a frame around its payload. */
static void write_plain(const struct session *s, const struct outbox_rec *rec, const struct action *act, struct buf *plain)
{
	struct slice raw = ledger_raw(s, rec);
	struct buf payload = { 0 }, timed = { 0 };
	bool shifted = s->own && rec->shift_us; /* the time in it was ours */
	if (raw.p && !rec->late && !shifted) {
		buf_slice(plain, raw);
		return;
	}
	if (shifted)
		rewrite_times(rec->payload, rec->shift_us, &timed);
	else
		buf_slice(&timed, rec->payload);
	if (rec->late)
		rewrite_late(act, buf_view(&timed), &payload);
	else
		buf_slice(&payload, buf_view(&timed));
	frame_write_call(plain, slice_of(rec->message_id), rec->action, buf_view(&payload));
	buf_free(&timed);
	buf_free(&payload);
}

/* With the CSMS's transaction id. */
static void write_record(const struct session *s, const struct outbox_rec *rec, const struct action *act, struct buf *text)
{
	struct buf plain = { 0 };
	struct frame f;
	struct frame_fault fault;
	write_plain(s, rec, act, &plain);
	if (frame_parse(&f, s->lane.version, buf_view(&plain), &fault) != 0 || !rewrite_to_csms(s, &f, text))
		buf_slice(text, buf_view(&plain));
	buf_free(&plain);
}

/* Late or not, with what was changed of the bytes that the station sent. */
static void trace_record(const struct session *s, const struct outbox_rec *rec, struct slice text)
{
	struct frame f = { .kind = FRAME_CALL, .id = slice_of(rec->message_id), .action = slice_of(rec->action) };
	struct buf was = { 0 };
	struct trace_note note = { 0 };
	struct slice raw = ledger_raw(s, rec);
	if (raw.p)
		buf_slice(&was, raw);
	else
		frame_write_call(&was, f.id, rec->action, rec->payload);
	if (!slice_eq(buf_view(&was), text))
		note.other = buf_view(&was);
	trace_noted(s, TRACE_CSMS, TRACE_TX, text, &f, rec->late ? TRACE_REPLAYED : note.other.p ? TRACE_MODIFIED : TRACE_FORWARDED, &note);
	buf_free(&was);
}

static int send_record(struct sent *t)
{
	struct session *s = t->s;
	struct buf text = { 0 };
	t->act = catalogue_find(s->lane.version, slice_of(t->rec.action));
	write_record(s, &t->rec, t->act, &text);
	struct ask ask = {
		.text = buf_view(&text),
		.id = slice_of(t->rec.message_id),
		.act = t->act,
		.timeout_us = uplink_conf(s->lane.uplink)->call_timeout_us,
		.done = on_answered,
		.arg = t,
	};
	trace_record(s, &t->rec, ask.text);
	int err = calls_ask(&s->to_csms, &ask, &s->replay.call);
	buf_free(&text);
	return err;
}

/* The record's transaction has no name at the CSMS, and no start before it will bring one: that was set aside. */
static bool start_is_missing(const struct session *s, const struct outbox_rec *rec)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	bool missing = rec->kind != OUTBOX_TX_START && rec->start_seq && tx_by_start(s->gw->store, rec->start_seq, &mem, &tx) == 0 && !tx.csms_tx;
	arena_free(&mem);
	return missing;
}

static void send_next(struct session *s, struct sent *t)
{
	s->replay.seq = t->rec.seq;
	int err = send_record(t);
	if (err) {
		log_debug(&s->log, "%s cannot be sent now: %s", t->rec.action, err_text(err));
		turn_over(s);
		sent_free(t);
		again_after(s, FULL_US);
	} else if (outbox_mark_sent(s->gw->store, s->replay.seq, NULL, NULL) != 0) {
		log_error(&s->log, "an attempt could not be noted");
	}
}

static void run(void *arg)
{
	struct session *s = arg;
	if (s->replay.seq || !s->replay.ready || s->put_off || !session_lane_is_up(s))
		return;
	struct sent *t = NEW(struct sent);
	t->s = s;
	int err = outbox_head(s->gw->store, s->id, &t->mem, &t->rec);
	if (!err && t->rec.version == (int)s->lane.version && !start_is_missing(s, &t->rec)) {
		if (may_go(s, &t->rec))
			send_next(s, t);
		else
			sent_free(t);
		return;
	}
	turn_over(s);
	if (err == ERR_NOT_FOUND || (!err && t->rec.version != (int)s->lane.version)) {
		session_lane_review(s);
	} else if (!err) {
		set_aside(s, &t->rec, "the start of its transaction was set aside");
	} else {
		log_error(&s->log, "the outbox cannot be read: %s", err_text(err));
		again_after(s, FULL_US);
	}
	sent_free(t);
}

struct giving_up {
	struct session *s;
	enum ocpp_version version;
};

static bool give_up_one(void *arg, const struct outbox_rec *rec)
{
	const struct giving_up *g = arg;
	if (rec->version == (int)g->version && rec->state != OUTBOX_PARKED &&
	    outbox_park(g->s->gw->store, rec->seq, "the CSMS does not speak its OCPP version any more", on_parked, g->s) != 0)
		log_error(&g->s->log, "a record could not be set aside");
	return true;
}

void replay_give_up_version(struct session *s, enum ocpp_version version)
{
	struct giving_up g = { s, version };
	log_error(&s->log, "messages of an older OCPP version are set aside, as the CSMS does not take that any more: see queue list");
	if (outbox_each(s->gw->store, s->id, 0, give_up_one, &g) != 0)
		log_error(&s->log, "the outbox cannot be read");
}

void replay_kick_all(struct gateway *g)
{
	size_t at = 0;
	struct session *s;
	sessions_drain(g);
	while ((s = map_next(&g->sessions, &at, NULL)))
		replay_kick(s);
}
