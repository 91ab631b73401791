/* The outbox of one station, record by record.
 *
 * kick -> (a later turn) head of the outbox -> sent -> the CSMS's answer -> ledger_confirm -> committed -> kick
 *                                               |
 *                                               +-> CALLERROR or silence: again after failures * RETRY_US, three times, then parked
 *
 * A lane that goes down is no failure: the record stays and is sent again under the same message id. Nor is the silence of a CSMS that says
 * nothing at all (only repeated failure to process a message allows to skip it, 1.6 3.7.1): it is asked again for as long as it takes. */
#include "gateway/replay.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "gateway/ledger.h"
#include "gateway/rewrite.h"
#include "gateway/trace.h"
#include "ocpp/catalogue.h"
#include "storage/outbox.h"

#define ATTEMPTS_MOST 3                  /* TransactionMessageAttempts, 1.6 3.7.1; MessageAttempts[TransactionEvent], 2.x E13 */
#define RETRY_US (10 * US_PER_S)         /* times the number of attempts so far */

static void run(void *arg);

void replay_kick(struct session *s)
{
	if (!s->replay.seq && s->replay.ready && !timer_is_set(&s->replay.retry))
		later_call(&s->replay.kick, run, s);
	else if (!s->link)
		session_lane_review(s);
}

void replay_stop(struct session *s)
{
	timer_cancel(&s->replay.retry);
	later_cancel(&s->replay.kick);
	s->replay.ready = false;
}

/* A record on the wire, with what is needed of it when its answer comes. */
struct sent {
	struct session *s;
	struct outbox_rec rec; /* its texts are not kept but tx */
	struct arena mem;
};

static void sent_free(struct sent *t)
{
	arena_free(&t->mem);
	mem_free(t);
}

static void on_retry(void *arg)
{
	replay_kick(arg);
}

static void on_parked(void *arg, int err, int64_t value)
{
	struct session *s = arg;
	(void)value;
	if (err)
		log_error(&s->log, "a record could not be set aside: %s", err_text(err));
	s->replay.seq = s->replay.failed_seq = 0;
	replay_kick(s);
}

/* How often this record has failed by now. */
static int count_failure(struct session *s, int64_t seq, bool silence)
{
	if (s->replay.failed_seq != seq) {
		s->replay.failed_seq = seq;
		s->replay.failures = 0;
	}
	if (!silence || s->csms_answers != s->replay.answers || !s->replay.failures)
		s->replay.failures++;
	s->replay.answers = s->csms_answers;
	return s->replay.failures;
}

static void attempt_failed(struct sent *t, const char *why, bool silence)
{
	struct session *s = t->s;
	int failures = count_failure(s, t->rec.seq, silence);
	ledger_failed(s, t->rec.seq);
	log_warn(&s->log, "%s was not taken by the CSMS (%s), failure %d of %d", t->rec.action, why, failures, ATTEMPTS_MOST);
	if (failures >= ATTEMPTS_MOST) {
		log_error(&s->log, "%s is set aside after %d failures: see queue list", t->rec.action, failures);
		if (outbox_park(s->gw->store, t->rec.seq, why, on_parked, s) == 0)
			return;
	}
	s->replay.seq = 0;
	timer_set(&s->replay.retry, failures * RETRY_US, on_retry, s);
}

static void on_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct sent *t = arg;
	struct session *s = t->s;
	if (answer && answer->kind == FRAME_RESULT && ledger_confirm(s, &t->rec, c->act, answer)) {
		sent_free(t); /* replay goes on when the confirmation is committed */
		return;
	}
	if (err == ERR_CLOSED || err == ERR_REFUSED) {
		s->replay.seq = 0;
	} else if (err == ERR_TIMEOUT) {
		attempt_failed(t, "no answer", true);
	} else {
		char *why = answer && answer->kind == FRAME_ERROR ? arena_text(&t->mem, answer->code) : arena_text(&t->mem, SLICE("unusable answer"));
		attempt_failed(t, why, false);
	}
	sent_free(t);
}

/* The record as a frame: its own message id, the CSMS's transaction id, marked where it comes late. */
static void write_record(const struct session *s, const struct outbox_rec *rec, const struct action *act, struct buf *text)
{
	struct buf payload = { 0 }, plain = { 0 };
	struct frame f;
	struct frame_fault fault;
	if (rec->late)
		rewrite_late(act, rec->payload, &payload);
	else
		buf_slice(&payload, rec->payload);
	frame_write_call(&plain, slice_of(rec->message_id), rec->action, buf_view(&payload));
	if (frame_parse(&f, s->version, buf_view(&plain), &fault) != 0 || !rewrite_to_csms(s, &f, text))
		buf_slice(text, buf_view(&plain));
	buf_free(&payload);
	buf_free(&plain);
}

static int send_record(struct sent *t)
{
	struct session *s = t->s;
	struct buf text = { 0 };
	const struct action *act = catalogue_find(s->version, slice_of(t->rec.action));
	write_record(s, &t->rec, act, &text);
	struct ask ask = {
		.text = buf_view(&text),
		.id = slice_of(t->rec.message_id),
		.act = act,
		.timeout_us = uplink_conf(s->lane.uplink)->call_timeout_us,
		.done = on_answered,
		.arg = t,
	};
	struct frame f = { .kind = FRAME_CALL, .id = ask.id, .action = slice_of(t->rec.action) };
	trace_frame(s, TRACE_CSMS, TRACE_TX, ask.text, &f, t->rec.late ? TRACE_REPLAYED : TRACE_FORWARDED);
	int err = calls_ask(&s->to_csms, &ask, NULL);
	buf_free(&text);
	return err;
}

/* The station came back with another version than its old records have: they cannot go up on this lane. */
static void set_aside(struct session *s, const struct outbox_rec *rec)
{
	log_error(&s->log, "a %s of another OCPP version is set aside: see queue list", rec->action);
	s->replay.seq = rec->seq;
	if (outbox_park(s->gw->store, rec->seq, "the station speaks another OCPP version now", on_parked, s) != 0)
		s->replay.seq = 0;
}

static void run(void *arg)
{
	struct session *s = arg;
	if (s->replay.seq || !s->replay.ready || !session_lane_is_up(s))
		return;
	struct sent *t = NEW(struct sent);
	t->s = s;
	int err = outbox_head(s->gw->store, s->id, &t->mem, &t->rec);
	if (err == 0 && t->rec.version != (int)s->lane.version) {
		set_aside(s, &t->rec);
		sent_free(t);
		return;
	}
	if (err == 0) {
		s->replay.seq = t->rec.seq;
		err = send_record(t);
	}
	if (err) {
		s->replay.seq = 0;
		sent_free(t);
		if (err == ERR_NOT_FOUND)
			session_lane_review(s);
		else
			log_error(&s->log, "the outbox cannot be read: %s", err_text(err));
		return;
	}
	/* The call may have ended already; what it was is not needed to note the attempt. */
	if (s->replay.seq && outbox_mark_sent(s->gw->store, s->replay.seq, NULL, NULL) != 0)
		log_error(&s->log, "an attempt could not be noted");
}
