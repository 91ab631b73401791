/* A session's frames: what a station says to its CSMS, what the CSMS asks of the station, their answers, and our own CALLs between them. Frames
 * pass as bytes; what they mean is read beside them, and an answer goes only down the link by which its question came. */
#include "gateway/session/passage.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "gateway/offline/authorize.h"
#include "gateway/offline/behind.h"
#include "gateway/offline/ledger.h"
#include "gateway/offline/local.h"
#include "gateway/offline/replay.h"
#include "gateway/own/alarm.h"
#include "gateway/pki/signing.h"
#include "gateway/power/csms-profiles.h"
#include "gateway/power/limits.h"
#include "gateway/power/schedule.h"
#include "gateway/session/deviations.h"
#include "gateway/session/learnt.h"
#include "gateway/session/raised.h"
#include "gateway/session/rewrite.h"
#include "gateway/session/tap.h"
#include "gateway/session/trace.h"
#include "ocpp/codec.h"
#include "storage/tokens.h"

#define STATION_TIMEOUT_US (60 * US_PER_S)   /* a CSMS's CALL; stations are known that answer after a minute */
#define COMMAND_TIMEOUT_US (10 * US_PER_S)   /* our own CALL, which holds up the CSMS's */

/* --- towards the station --- */

static void send_to_station(struct session *s, struct slice text, const struct frame *f, enum trace_verdict verdict)
{
	if (!s->link)
		return;
	trace_frame(s, TRACE_STATION, TRACE_TX, text, f, verdict);
	int err = link_send(s->link, text);
	if (err) {
		log_warn(&s->log, "station does not read: %s", err_text(err));
		link_close(s->link, 1008, "too much unread");
	}
}

void session_answer(struct session *s, struct slice id, struct slice payload)
{
	struct buf text = { 0 };
	frame_write_result(&text, id, payload);
	struct frame f = { .kind = FRAME_RESULT, .id = id };
	send_to_station(s, buf_view(&text), &f, TRACE_ANSWERED_LOCALLY);
	buf_free(&text);
}

void session_refuse(struct session *s, struct slice id, const char *code, const char *why)
{
	struct buf text = { 0 };
	frame_write_error(&text, id, code, why);
	struct frame f = { .kind = FRAME_ERROR, .id = id };
	send_to_station(s, buf_view(&text), &f, TRACE_ANSWERED_LOCALLY);
	buf_free(&text);
}

void session_forward_answer(struct session *s, const struct frame *answer)
{
	send_to_station(s, answer->raw, answer, TRACE_FORWARDED);
}

/* --- a station's CALL to the CSMS --- */

/* What remains of it while the CSMS thinks: the text, for the case that we have to answer after all. */
struct relay {
	struct session *s;
	const struct action *act;
	uint64_t link_number;
	size_t length;
	char text[];
};

static bool station_still_waits(const struct relay *r)
{
	return r->s->link && r->link_number == r->s->link_number;
}

/* Reads a kept CALL again. False: it was not readable then either (never kept). */
static bool relay_frame(const struct relay *r, struct frame *f)
{
	struct frame_fault fault;
	return frame_parse(f, r->s->version, (struct slice){ r->text, r->length }, &fault) == 0;
}

static void answer_alone(struct relay *r)
{
	struct frame f;
	struct arena mem = { 0 };
	struct event e;
	if (r->s->conf->uplink && uplink_conf(r->s->lane.uplink)->on_loss == ON_LOSS_MIRROR)
		return; /* the station's link is closing: it keeps the message itself */
	if (!relay_frame(r, &f))
		return;
	event_init(&e, EV_NONE);
	if (f.act && codec_read_call(&f, &mem, &e) != 0)
		event_init(&e, EV_NONE);
	local_answer(r->s, &f, &e);
	frame_done(&f);
	arena_free(&mem);
}

static void learn_from_answer(struct relay *r, struct frame *answer)
{
	struct frame f;
	struct arena mem = { 0 };
	struct event asked;
	if (!tap_wants_answer(r->act) || !relay_frame(r, &f))
		return;
	if (codec_read_call(&f, &mem, &asked) == 0)
		tap_answer(r->s, &asked, r->act, answer);
	frame_done(&f);
	arena_free(&mem);
}

static void on_csms_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct relay *r = arg;
	(void)c;
	if (err == ERR_TIMEOUT)
		log_warn(&r->s->log, "the CSMS did not answer %s in time", r->act ? r->act->name : "a request");
	if (answer) {
		learn_from_answer(r, answer);
		if (station_still_waits(r))
			session_forward_answer(r->s, answer);
	} else if (station_still_waits(r)) {
		answer_alone(r);
	}
	mem_free(r);
}

/* A frame that goes on, as `text`: its own bytes or what a splice has made of them. */
static void trace_forwarded(const struct session *s, enum trace_side side, struct slice text, const struct frame *f)
{
	struct trace_note note = { .other = text.p == f->raw.p ? (struct slice){ NULL, 0 } : f->raw };
	trace_noted(s, side, TRACE_TX, text, f, note.other.p ? TRACE_MODIFIED : TRACE_FORWARDED, &note);
}

static void forward_to_csms(struct session *s, struct frame *f)
{
	struct relay *r = mem_grow(NULL, sizeof(*r) + f->raw.n);
	struct buf spliced = { 0 };
	*r = (struct relay){ .s = s, .act = f->act, .link_number = s->link_number, .length = f->raw.n };
	memcpy(r->text, f->raw.p, f->raw.n);
	bool changed = rewrite_to_csms(s, f, &spliced);
	struct slice text = changed ? buf_view(&spliced) : f->raw;
	struct ask ask = {
		.text = text,
		.id = f->id,
		.act = f->act,
		.timeout_us = uplink_conf(s->lane.uplink)->call_timeout_us,
		.urgent = f->act && f->act->event == EV_AUTHORIZE,
		.done = on_csms_answered,
		.arg = r,
	};
	trace_forwarded(s, TRACE_CSMS, text, f);
	int err = calls_ask(&s->to_csms, &ask, NULL);
	buf_free(&spliced);
	if (err) {
		mem_free(r);
		log_warn(&s->log, "too many requests of the station wait for the CSMS");
		session_refuse(s, f->id, "InternalError", "too many requests at once");
	}
}

/* What came in: the bytes as they arrived, and how they differ where they were repaired. */
static void trace_arrived(const struct session *s, enum trace_side side, struct slice text, const struct frame *f, enum trace_verdict verdict, const char *why)
{
	struct trace_note note = { .other = f && f->raw.p != text.p ? f->raw : (struct slice){ NULL, 0 }, .other_is_newer = true, .why = why };
	trace_noted(s, side, TRACE_RX, text, f, note.other.p ? TRACE_MODIFIED : verdict, &note);
}

/* What is to be done with a station's CALL. */
static enum trace_verdict judge(struct session *s, struct frame *f, const struct event *e)
{
	if (!s->accepted && !session_waits_for_lane(s) && e->kind != EV_BOOT)
		return TRACE_BLOCKED;
	if (e->kind == EV_TX || (e->kind == EV_METER && ledger_wants_meter_values(s, e)))
		return TRACE_QUEUED;
	if (rewrite_hides(f))
		return TRACE_DROPPED;
	if ((e->kind == EV_AUTHORIZE && authorize_is_ours(s, e)) || signing_is_ours(s, f))
		return TRACE_ANSWERED_LOCALLY;
	return session_waits_for_lane(s) ? TRACE_FORWARDED : TRACE_ANSWERED_LOCALLY;
}

/* `text`: the bytes as they came, which the frame may no longer be. */
static void station_call(struct session *s, struct slice text, struct frame *f)
{
	static const char too_early[] = "not accepted yet", of_ours[] = "it tells only of our own profiles";
	struct arena mem = { 0 };
	struct event e;
	event_init(&e, EV_NONE);
	bool understood = (tap_wants(f->act) || !session_waits_for_lane(s)) && f->act && codec_read_call(f, &mem, &e) == 0;
	if (!understood)
		event_init(&e, EV_NONE);
	enum trace_verdict verdict = judge(s, f, &e);
	trace_arrived(s, TRACE_STATION, text, f, verdict, verdict == TRACE_BLOCKED ? too_early : verdict == TRACE_DROPPED ? of_ours : NULL);
	if (understood)
		tap_event(s, &e);
	if (verdict == TRACE_BLOCKED)
		session_refuse(s, f->id, "SecurityError", too_early);
	else if (verdict == TRACE_QUEUED)
		ledger_take(s, f, &e);
	else if (verdict == TRACE_FORWARDED)
		forward_to_csms(s, f);
	else if (verdict == TRACE_DROPPED)
		session_answer(s, f->id, SLICE("{}"));
	else if (signing_is_ours(s, f))
		signing_answer(s, f);
	else
		local_answer(s, f, &e);
	if (verdict == TRACE_ANSWERED_LOCALLY && e.kind == EV_AUTHORIZE)
		authorize_ask_too(s, f, &e);
	arena_free(&mem);
}

/* --- the CSMS's CALL to a station --- */

struct down_relay {
	struct session *s;
	const struct action *act;
	struct slice id;     /* owned */
	struct slice text;   /* owned; kept only for what we learn from, else absent */
	struct slice said;   /* owned: the station's answer while it waits for the disk; else absent */
};

static void down_relay_free(struct down_relay *r)
{
	mem_free((char *)r->id.p);
	mem_free((char *)r->text.p);
	mem_free((char *)r->said.p);
	mem_free(r);
}

static void refuse_csms(struct session *s, struct slice id, const char *code, const char *why)
{
	struct buf text = { 0 };
	frame_write_error(&text, id, code, why);
	struct frame f = { .kind = FRAME_ERROR, .id = id };
	trace_frame(s, TRACE_CSMS, TRACE_TX, buf_view(&text), &f, TRACE_ANSWERED_LOCALLY);
	if (lane_send(&s->lane, buf_view(&text)) != 0)
		log_debug(&s->log, "no lane for a refusal");
	buf_free(&text);
}

/* A station that knows nothing to clear has nothing of it either. */
static bool was_done(const struct event *e, struct slice status)
{
	return slice_is(status, "Accepted") || (e->kind == CMD_CLEAR_PROFILE && slice_is(status, "Unknown"));
}

static void learn_accepted(struct session *s, struct frame *f, const struct event *e)
{
	if (e->kind == CMD_REMOTE_START)
		authorize_learn_start(s, e);
	if (csms_profiles_wants(f->act))
		csms_profiles_accepted(s, f, e);
	else if (e->kind == CMD_SEND_LIST)
		authorize_learn_list(s, f, e);
	else if (e->kind == CMD_CLEAR_CACHE && token_clear(s->gw->store, TOKEN_CACHE, NULL, NULL) != 0)
		log_warn(&s->log, "the authorisation cache could not be cleared");
}

/* What the CSMS shall hear instead of the station's own word; NULL: that. */
static const char *learn_from_command(struct down_relay *r, struct frame *answer)
{
	struct arena mem = { 0 };
	const char *word = NULL;
	struct frame_fault fault;
	struct frame f;
	struct event e;
	struct reply reply;
	if (!r->text.p || frame_parse(&f, r->s->version, r->text, &fault) != 0)
		return NULL;
	if (codec_read_call(&f, &mem, &e) == 0 && codec_read_answer(r->act, answer, &mem, &reply) == 0 && was_done(&e, reply.status)) {
		word = e.kind == CMD_CLEAR_PROFILE ? schedule_clear_word(r->s, &f) : NULL;
		word = word && slice_is(reply.status, word) ? NULL : word;
		learn_accepted(r->s, &f, &e);
	}
	frame_done(&f);
	arena_free(&mem);
	return word;
}

/* What the CSMS is told in place of the station's answer, where more is known here; else nothing. */
static void amend_answer(const struct down_relay *r, const struct frame *answer, struct buf *out)
{
	struct frame asked;
	struct frame_fault fault;
	if (!r->act || r->act->event != CMD_TX_STATUS || answer->kind != FRAME_RESULT || frame_parse(&asked, r->s->version, r->text, &fault) != 0)
		return;
	if (!rewrite_tx_status(r->s, &asked, answer, out))
		buf_reset(out);
	frame_done(&asked);
}

/* The station's bytes, unless it does not know what it has been asked. */
static void pass_to_csms(const struct down_relay *r, struct frame *answer, const char *word)
{
	struct buf text = { 0 };
	char payload[40];
	snprintf(payload, sizeof(payload), "{\"status\":\"%s\"}", word ? word : "");
	if (word)
		frame_write_result(&text, answer->id, slice_of(payload));
	else
		amend_answer(r, answer, &text);
	struct slice said = text.n ? buf_view(&text) : answer->raw;
	trace_forwarded(r->s, TRACE_CSMS, said, answer);
	if (lane_send(&r->s->lane, said) != 0)
		log_debug(&r->s->log, "the lane is gone, an answer of the station is dropped");
	buf_free(&text);
}

/* What a station was told of its security is known here before the CSMS hears that the station knows it. */
static void on_security_kept(void *arg, int err, int64_t value)
{
	struct down_relay *r = arg;
	struct frame f;
	struct frame_fault fault;
	(void)value;
	if (err)
		log_error(&r->s->log, "what the CSMS has changed could not be stored: %s; after a restart what was before counts", err_text(err));
	if (frame_parse(&f, r->s->lane.version, r->said, &fault) == 0) {
		pass_to_csms(r, &f, NULL);
		frame_done(&f);
	}
	learnt_answered(r->s);
	down_relay_free(r);
}

/* True: the answer waits for the disk. */
static bool learn_security(struct down_relay *r, struct frame *answer)
{
	struct frame asked;
	struct frame_fault fault;
	bool about = r->act && (r->act->event == CMD_SET_CONFIG || r->act->event == CMD_NETWORK);
	if (!about || !r->text.p || frame_parse(&asked, r->s->version, r->text, &fault) != 0)
		return false;
	r->said = (struct slice){ mem_text(answer->raw), answer->raw.n };
	bool waits = learnt_look(r->s, &asked, answer, on_security_kept, r) || raised_look(r->s, &asked, answer, on_security_kept, r);
	frame_done(&asked);
	return waits;
}

static void on_station_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct down_relay *r = arg;
	(void)c;
	if (answer) {
		if (learn_security(r, answer))
			return;
		const char *word = learn_from_command(r, answer);
		pass_to_csms(r, answer, word);
	} else if (err == ERR_TIMEOUT) {
		refuse_csms(r->s, r->id, "GenericError", "the charging station did not answer");
	} else {
		refuse_csms(r->s, r->id, "GenericError", "the charging station is not connected");
	}
	down_relay_free(r);
}

/* What this box says no to in the station's place. */
static void reject_csms(struct session *s, const struct frame *f)
{
	struct buf payload = { 0 }, text = { 0 };
	struct reply no;
	reply_init(&no);
	no.status = SLICE("Rejected");
	if (codec_write_answer(s->version, f->act, &no, &payload) != 0)
		buf_puts(&payload, "{}");
	frame_write_result(&text, f->id, buf_view(&payload));
	struct frame answer = { .kind = FRAME_RESULT, .id = f->id };
	trace_frame(s, TRACE_CSMS, TRACE_TX, buf_view(&text), &answer, TRACE_BLOCKED);
	if (lane_send(&s->lane, buf_view(&text)) != 0)
		log_debug(&s->log, "no lane for a refusal");
	buf_free(&payload);
	buf_free(&text);
}

static bool teaches(const struct action *act)
{
	return act->event == CMD_SEND_LIST || act->event == CMD_CLEAR_CACHE || act->event == CMD_REMOTE_START || act->event == CMD_TX_STATUS ||
	       act->event == CMD_SET_CONFIG || act->event == CMD_NETWORK ||
	       csms_profiles_wants(act);
}

static void make_room(struct session *s, struct frame *f)
{
	struct arena mem = { 0 };
	struct event e;
	if (codec_read_call(f, &mem, &e) == 0 && e.purpose != PURPOSE_NONE)
		limits_make_room(s->gw->limits, s, e.purpose, e.stack_level);
	arena_free(&mem);
}

/* A question that is answered here. */
static bool answer_csms(struct session *s, struct frame *f)
{
	struct buf payload = { 0 }, text = { 0 };
	bool ours = schedule_answer(s, f, &payload);
	if (ours) {
		frame_write_result(&text, f->id, buf_view(&payload));
		struct frame answer = { .kind = FRAME_RESULT, .id = f->id };
		trace_frame(s, TRACE_CSMS, TRACE_TX, buf_view(&text), &answer, TRACE_ANSWERED_LOCALLY);
		if (lane_send(&s->lane, buf_view(&text)) != 0)
			log_debug(&s->log, "no lane for an answer");
		schedule_report(s, f);
	}
	buf_free(&payload);
	buf_free(&text);
	return ours;
}

static void csms_call(struct session *s, struct frame *f)
{
	struct buf spliced = { 0 };
	if (s->link && s->lane.version == s->version && answer_csms(s, f))
		return;
	if (!s->link || s->lane.version != s->version) {
		refuse_csms(s, f->id, "GenericError", "the charging station is not connected");
		return;
	}
	if (s->own && f->act && f->act->event == CMD_REMOTE_START && !(s->own->authorize & AUTHORIZE_REMOTE)) {
		reject_csms(s, f);
		return;
	}
	const char *why = f->act && f->act->event == CMD_SET_CONFIG ? raised_refuses(s, f) : NULL;
	if (why) {
		log_warn(&s->log, "a security profile of the CSMS is rejected here: %s", why);
		reject_csms(s, f);
		return;
	}
	if (f->act && f->act->event == CMD_SET_PROFILE)
		make_room(s, f);
	struct down_relay *r = NEW(struct down_relay);
	r->s = s;
	r->act = f->act;
	r->id = (struct slice){ mem_text(f->id), f->id.n };
	if (f->act && teaches(f->act))
		r->text = (struct slice){ mem_text(f->raw), f->raw.n };
	bool changed = rewrite_to_station(s, f, &spliced);
	struct slice text = changed ? buf_view(&spliced) : f->raw;
	struct ask ask = { .text = text, .id = f->id, .act = f->act, .timeout_us = STATION_TIMEOUT_US, .done = on_station_answered, .arg = r };
	trace_forwarded(s, TRACE_STATION, text, f);
	int err = calls_ask(&s->to_station, &ask, NULL);
	buf_free(&spliced);
	if (err) {
		refuse_csms(s, f->id, "InternalError", "too many requests wait for the charging station");
		down_relay_free(r);
	}
}

/* --- frames as they arrive --- */

static void answer_fault(struct session *s, enum trace_side from, struct slice raw, const struct frame_fault *fault)
{
	trace_arrived(s, from, raw, NULL, TRACE_MALFORMED, fault->reason);
	s->faults++;
	log_warn(&s->log, "%s sent an unreadable message: %s", from == TRACE_STATION ? "the station" : "the CSMS", fault->reason);
	if (from == TRACE_CSMS)
		alarm_raise(s->gw, "InvalidMessages", fault->reason, s->conf->uplink);
	if (!fault->is_call)
		return;
	if (from == TRACE_STATION)
		session_refuse(s, fault->id, fault->code, fault->reason);
	else
		refuse_csms(s, fault->id, fault->code, fault->reason);
}

/* 2.1 tells the one who answers that its answer was not understood (message type 5). */
static void complain(struct session *s, enum trace_side about, const struct frame *f, const struct inspection *in)
{
	struct buf text = { 0 };
	struct frame complaint = { .kind = FRAME_RESULT_ERROR, .id = f->id };
	if (!version_has_result_error(f->version) || f->kind != FRAME_RESULT)
		return;
	frame_write_result_error(&text, f->id, in->code, in->why);
	if (about == TRACE_STATION) {
		send_to_station(s, buf_view(&text), &complaint, TRACE_ORIGINATED);
	} else {
		trace_frame(s, TRACE_CSMS, TRACE_TX, buf_view(&text), &complaint, TRACE_ORIGINATED);
		if (lane_send(&s->lane, buf_view(&text)) != 0)
			log_debug(&s->log, "no lane for a complaint");
	}
	buf_free(&text);
}

/* An answer that must not pass: who asked gets an error answer of ours instead. */
static void answer_in_its_place(struct session *s, struct calls *asked, const struct frame *f, const struct inspection *in)
{
	struct buf text = { 0 }, why = { 0 };
	struct frame answer;
	struct frame_fault fault;
	buf_printf(&why, "the answer breaks the standard: %s", in->why);
	frame_write_error(&text, f->id, "GenericError", why.p);
	if (frame_parse(&answer, f->version, buf_view(&text), &fault) == 0 && !calls_answer(asked, &answer))
		log_debug(&s->log, "an answer that nobody waits for any more is dropped");
	buf_free(&text);
	buf_free(&why);
}

/* Under the strict policy, a frame that deviates goes no further. */
static void refuse_frame(struct session *s, enum trace_side from, struct slice text, const struct frame *f, const struct inspection *in)
{
	trace_arrived(s, from, text, f, TRACE_BLOCKED, in->why);
	if (f->kind == FRAME_CALL && from == TRACE_STATION)
		session_refuse(s, f->id, in->code, in->why);
	else if (f->kind == FRAME_CALL)
		refuse_csms(s, f->id, in->code, in->why);
	if (f->kind != FRAME_RESULT && f->kind != FRAME_ERROR)
		return;
	complain(s, from, f, in);
	answer_in_its_place(s, from == TRACE_STATION ? &s->to_station : &s->to_csms, f, in);
}

/* An answer goes to whoever asked: the other side, or us. */
static void pass_answer(struct session *s, enum trace_side from, struct slice text, struct frame *f, const struct call *asked)
{
	bool relayed = asked && (asked->done == on_station_answered || asked->done == on_csms_answered || from == TRACE_CSMS);
	trace_arrived(s, from, text, f, !asked ? TRACE_DROPPED : relayed ? TRACE_FORWARDED : TRACE_ORIGINATED, asked ? NULL : "nobody waits for it");
	if (!calls_answer(from == TRACE_STATION ? &s->to_station : &s->to_csms, f) && !(from == TRACE_CSMS && replay_late_answer(s, f)))
		log_debug(&s->log, "an answer that nobody waits for any more is dropped");
}

static void station_frame(struct session *s, struct slice text, struct frame *f, const struct call *asked)
{
	switch (f->kind) {
	case FRAME_CALL:
		station_call(s, text, f);
		break;
	case FRAME_RESULT:
	case FRAME_ERROR:
		pass_answer(s, TRACE_STATION, text, f, asked);
		break;
	case FRAME_RESULT_ERROR:
	case FRAME_SEND: /* no answer, so no turn: it goes at once */
		trace_arrived(s, TRACE_STATION, text, f, s->state == SESSION_ONLINE ? TRACE_FORWARDED : TRACE_DROPPED, s->state == SESSION_ONLINE ? NULL : "no lane");
		if (s->state != SESSION_ONLINE)
			break;
		trace_frame(s, TRACE_CSMS, TRACE_TX, f->raw, f, TRACE_FORWARDED);
		if (lane_send(&s->lane, f->raw) != 0)
			log_debug(&s->log, "the lane is full, a message without an answer is dropped");
		break;
	}
}

static void csms_frame(struct session *s, struct slice text, struct frame *f, const struct call *asked)
{
	if (f->kind == FRAME_RESULT || f->kind == FRAME_ERROR) {
		pass_answer(s, TRACE_CSMS, text, f, asked);
		return;
	}
	trace_arrived(s, TRACE_CSMS, text, f, s->link ? TRACE_FORWARDED : TRACE_ANSWERED_LOCALLY, s->link ? NULL : "the station is not connected");
	if (f->kind == FRAME_CALL)
		csms_call(s, f);
	else if (s->lane.version == s->version)
		send_to_station(s, f->raw, f, TRACE_FORWARDED);
}

/* A text from either side: read, looked at by the station's policy, and passed to where it is handled. */
static void on_text(struct session *s, enum trace_side from, struct slice text)
{
	struct frame f;
	struct frame_fault fault;
	struct inspection in = { 0 };
	int err = deviations_read(s, from, text, &f, &fault, &in);
	if (err == FRAME_IGNORED) {
		trace_arrived(s, from, text, NULL, TRACE_DROPPED, "a message type that this version does not have");
		return;
	}
	if (err) {
		answer_fault(s, from, text, &fault);
		return;
	}
	const struct call *asked = calls_asked(from == TRACE_STATION ? &s->to_station : &s->to_csms, &f);
	/* What the CSMS has confirmed of a transaction is confirmed, or it would be delivered twice. */
	bool binding = from == TRACE_STATION || f.kind == FRAME_CALL || !asked || asked->done == on_csms_answered;
	if (!deviations_look(s, from, &f, asked ? asked->act : NULL, &in) && binding)
		refuse_frame(s, from, text, &f, &in);
	else if (from == TRACE_STATION)
		station_frame(s, text, &f, asked);
	else
		csms_frame(s, text, &f, asked);
	frame_done(&f);
	inspection_done(&in);
}

void passage_from_station(void *owner, struct link *l, struct slice text)
{
	(void)l;
	on_text(owner, TRACE_STATION, text);
}

static bool is_answer(const struct session *s, struct slice text)
{
	struct frame f;
	struct frame_fault fault;
	bool answer = frame_parse(&f, s->lane.version, text, &fault) == 0 && (f.kind == FRAME_RESULT || f.kind == FRAME_ERROR);
	frame_done(&f);
	return answer;
}

void passage_from_csms(void *owner, struct slice text)
{
	if (behind_must_wait(owner) && !is_answer(owner, text) && behind_put(owner, text))
		return;
	on_text(owner, TRACE_CSMS, text);
}

/* --- our own CALLs --- */

int session_call(struct session *s, struct slice action, struct slice payload, call_done *done, void *arg)
{
	char id[UUID_TEXT];
	struct buf text = { 0 };
	if (!s->link)
		return ERR_CLOSED;
	uuid_text(id);
	char *name = mem_text(action);
	frame_write_call(&text, slice_of(id), name, payload);
	mem_free(name);
	struct ask ask = { .text = buf_view(&text), .id = slice_of(id), .act = catalogue_find(s->version, action), .timeout_us = COMMAND_TIMEOUT_US,
		.done = done, .arg = arg };
	struct frame f = { .kind = FRAME_CALL, .id = ask.id, .action = action };
	trace_frame(s, TRACE_STATION, TRACE_TX, ask.text, &f, TRACE_ORIGINATED);
	int err = calls_ask(&s->to_station, &ask, NULL);
	buf_free(&text);
	return err;
}

int session_tell(struct session *s, struct slice action, struct slice payload, call_done *done, void *arg)
{
	char id[UUID_TEXT];
	struct buf text = { 0 };
	if (!session_lane_is_up(s))
		return ERR_CLOSED;
	uuid_text(id);
	char *name = mem_text(action);
	frame_write_call(&text, slice_of(id), name, payload);
	mem_free(name);
	struct ask ask = { .text = buf_view(&text), .id = slice_of(id), .act = catalogue_find(s->version, action),
		.timeout_us = uplink_conf(s->lane.uplink)->call_timeout_us, .done = done, .arg = arg };
	struct frame f = { .kind = FRAME_CALL, .id = ask.id, .action = action };
	trace_frame(s, TRACE_CSMS, TRACE_TX, ask.text, &f, TRACE_ORIGINATED);
	int err = calls_ask(&s->to_csms, &ask, NULL);
	buf_free(&text);
	return err;
}

int session_command(struct session *s, const struct event *command, call_done *done, void *arg)
{
	struct buf payload = { 0 };
	const struct action *act;
	int err = codec_write_call(s->version, command, &payload, &act);
	if (!err)
		err = session_call(s, slice_of(act->name), buf_view(&payload), done, arg);
	buf_free(&payload);
	return err;
}
