/* Stations' sessions: links, lanes, and frames passing between them. The states are drawn in session.h. */
#include "gateway/session.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "gateway/csms-profiles.h"
#include "gateway/deviations.h"
#include "gateway/ledger.h"
#include "gateway/local.h"
#include "gateway/owed.h"
#include "gateway/replay.h"
#include "gateway/rewrite.h"
#include "gateway/tap.h"
#include "gateway/trace.h"
#include "ocpp/codec.h"
#include "storage/outbox.h"
#include "storage/tokens.h"
#include "storage/txs.h"

#define CALLS_MOST 64                        /* of one peer, waiting at once */
#define STATION_TIMEOUT_US (60 * US_PER_S)   /* a CSMS's CALL; stations are known that answer after a minute */
#define COMMAND_TIMEOUT_US (10 * US_PER_S)   /* our own CALL, which holds up the CSMS's */

const char *session_state_text(enum session_state st)
{
	static const char *const names[] = { "offline", "connecting", "online", "island" };
	return names[st];
}

static void set_state(struct session *s, enum session_state state)
{
	if (s->state == state)
		return;
	log_debug(&s->log, "%s -> %s", session_state_text(s->state), session_state_text(state));
	s->state = state;
	s->since_us = clock_mono_us();
}

bool session_lane_is_up(const struct session *s)
{
	return s->lane.state == LANE_UP;
}

bool session_waits_for_lane(const struct session *s)
{
	return s->state == SESSION_ONLINE || s->state == SESSION_WAITING;
}

/* Room for the states up to this id; stations have one or two EVSEs, seldom more. */
static void grow_evses(struct session *s, int highest)
{
	s->evses = mem_grow(s->evses, (size_t)(highest + 1) * sizeof(*s->evses));
	while (s->n_evses < highest)
		s->evses[++s->n_evses] = (struct session_evse){ .control = -1, .tx_start_wh = NAN, .energy_wh = NAN, .power_w = NAN,
			.since_us = clock_mono_us() };
}

struct session_evse *session_evse(struct session *s, int evse)
{
	if (evse < 0 || evse > SESSION_EVSES)
		return NULL;
	if (evse > s->n_evses)
		grow_evses(s, evse);
	return &s->evses[evse];
}

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
static enum trace_verdict judge(const struct session *s, const struct frame *f, const struct event *e)
{
	if (!s->accepted && !session_waits_for_lane(s) && e->kind != EV_BOOT)
		return TRACE_BLOCKED;
	if (e->kind == EV_TX || (e->kind == EV_METER && ledger_wants_meter_values(s, e)))
		return TRACE_QUEUED;
	if (rewrite_hides(f))
		return TRACE_DROPPED;
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
	else
		local_answer(s, f, &e);
	arena_free(&mem);
}

/* --- the CSMS's CALL to a station --- */

struct down_relay {
	struct session *s;
	const struct action *act;
	struct slice id;     /* owned */
	struct slice text;   /* owned; kept only for what we learn from, else absent */
};

static void down_relay_free(struct down_relay *r)
{
	mem_free((char *)r->id.p);
	mem_free((char *)r->text.p);
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

/* The station took a local list or cleared its cache: ours follows, since we answer when the CSMS cannot. */
static void keep_list(struct session *s, struct frame *f, const struct event *e)
{
	struct event token;
	struct reply info;
	struct arena mem = { 0 };
	int err = e->list_full ? token_clear(s->gw->store, TOKEN_LIST, NULL, NULL) : 0;
	for (size_t i = 0; !err && codec_list_entry(f, i, &mem, &token, &info) == 0; i++) {
		struct token_rec rec = { .source = TOKEN_LIST, .token = token.token, .type = token.token_type, .expiry_us = info.expiry_us,
			.group = info.group, .updated_us = clock_wall_us() };
		rec.status = info.token_status.p ? arena_text(&mem, info.token_status) : NULL;
		err = rec.status ? token_put(s->gw->store, &rec, NULL, NULL) : token_remove(s->gw->store, TOKEN_LIST, token.token, NULL, NULL);
	}
	if (err)
		log_warn(&s->log, "local list could not be kept: %s", err_text(err));
	arena_free(&mem);
}

/* A station that knows nothing to clear has nothing of it either. */
static bool was_done(const struct event *e, struct slice status)
{
	return slice_is(status, "Accepted") || (e->kind == CMD_CLEAR_PROFILE && slice_is(status, "Unknown"));
}

static void learn_accepted(struct session *s, struct frame *f, const struct event *e)
{
	if (csms_profiles_wants(f->act))
		csms_profiles_accepted(s, f, e);
	else if (e->kind == CMD_SEND_LIST)
		keep_list(s, f, e);
	else if (token_clear(s->gw->store, TOKEN_CACHE, NULL, NULL) != 0)
		log_warn(&s->log, "the authorisation cache could not be cleared");
}

static void learn_from_command(struct down_relay *r, struct frame *answer)
{
	struct arena mem = { 0 };
	struct frame_fault fault;
	struct frame f;
	struct event e;
	struct reply reply;
	if (!r->text.p || frame_parse(&f, r->s->version, r->text, &fault) != 0)
		return;
	if (codec_read_call(&f, &mem, &e) == 0 && codec_read_answer(r->act, answer, &mem, &reply) == 0 && was_done(&e, reply.status))
		learn_accepted(r->s, &f, &e);
	frame_done(&f);
	arena_free(&mem);
}

static void on_station_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct down_relay *r = arg;
	(void)c;
	if (answer) {
		learn_from_command(r, answer);
		trace_frame(r->s, TRACE_CSMS, TRACE_TX, answer->raw, answer, TRACE_FORWARDED);
		if (lane_send(&r->s->lane, answer->raw) != 0)
			log_debug(&r->s->log, "the lane is gone, an answer of the station is dropped");
	} else if (err == ERR_TIMEOUT) {
		refuse_csms(r->s, r->id, "GenericError", "the charging station did not answer");
	} else {
		refuse_csms(r->s, r->id, "GenericError", "the charging station is not connected");
	}
	down_relay_free(r);
}

/* The site does not let this EVSE be started from afar. */
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

static void csms_call(struct session *s, struct frame *f)
{
	struct buf spliced = { 0 };
	if (!s->link || s->lane.version != s->version) {
		refuse_csms(s, f->id, "GenericError", "the charging station is not connected");
		return;
	}
	if (s->own && f->act && f->act->event == CMD_REMOTE_START && !(s->own->authorize & AUTHORIZE_REMOTE)) {
		reject_csms(s, f);
		return;
	}
	struct down_relay *r = NEW(struct down_relay);
	r->s = s;
	r->act = f->act;
	r->id = (struct slice){ mem_text(f->id), f->id.n };
	if (f->act && (f->act->event == CMD_SEND_LIST || f->act->event == CMD_CLEAR_CACHE || csms_profiles_wants(f->act)))
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
	if (f->version != OCPP21 || f->kind != FRAME_RESULT)
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

static void on_station_text(void *owner, struct link *l, struct slice text)
{
	(void)l;
	on_text(owner, TRACE_STATION, text);
}

static void on_csms_text(void *owner, struct slice text)
{
	on_text(owner, TRACE_CSMS, text);
}

/* --- the lane --- */

static bool mirrors(const struct session *s)
{
	return s->lane.uplink && uplink_conf(s->lane.uplink)->on_loss == ON_LOSS_MIRROR;
}

static void go_island(struct session *s, const struct link_end *why)
{
	const char *reason = why->reason ? why->reason : err_text(why->err);
	if (s->link && mirrors(s)) {
		log_info(&s->log, "no lane (%s): the station's link is closed as on_loss: mirror asks", reason);
		link_close(s->link, 1001, "the central system is not reachable");
	} else if (s->link) {
		log_info(&s->log, "served alone: %s", reason);
		set_state(s, SESSION_ISLAND);
	}
	calls_link_down(&s->to_csms, true);
	ledger_lane_down(s);
}

/* After an update the station may speak another version than its records: those go up first, on a lane of theirs (session_lane_review). */
static bool lane_is_of_old_version(const struct session *s)
{
	return s->lane.version != s->version;
}

/* What a station that is here gets from the lane as it is now. */
static void follow_lane(struct session *s)
{
	if (lane_is_of_old_version(s))
		set_state(s, SESSION_ISLAND);
	else
		set_state(s, session_lane_is_up(s) ? SESSION_ONLINE : s->lane.state == LANE_CONNECTING ? SESSION_WAITING : SESSION_ISLAND);
}

static void on_lane_up(void *owner)
{
	struct session *s = owner;
	if (s->link)
		follow_lane(s);
	log_info(&s->log, "lane is up%s", lane_is_of_old_version(s) ? ", for records of an older version" : "");
	calls_link_up(&s->to_csms, s->lane.link);
	owed_pay(s);
}

static void on_lane_failed(void *owner, const struct link_end *why)
{
	struct session *s = owner;
	if (s->link && s->conf->password_relay && why->err == ERR_AUTH) {
		log_info(&s->log, "the CSMS refuses the station's own credentials");
		link_close(s->link, 1008, "the central system refuses the credentials");
	}
	if (lane_is_of_old_version(s) && (why->err == ERR_PROTOCOL || why->code == 400 || why->code == 426))
		replay_give_up_version(s, s->lane.version);
	if (s->state == SESSION_WAITING)
		go_island(s, why);
}

static void on_lane_down(void *owner, const struct link_end *why)
{
	struct session *s = owner;
	log_info(&s->log, "lane went down: %s (code %d)", why->reason ? why->reason : err_text(why->err), why->code);
	replay_stop(s);
	owed_stop(s);
	go_island(s, why);
}

static void on_lane_room(void *owner)
{
	struct session *s = owner;
	calls_room(&s->to_csms);
}

static const struct lane_events lane_events = { on_lane_up, on_lane_failed, on_lane_down, on_csms_text, on_lane_room };

static struct slice lane_password(const struct session *s)
{
	if (s->conf->password_relay)
		return s->credential;
	return slice_of(s->conf->uplink_password);
}

/* That of the oldest record, else the station's own. */
static enum ocpp_version version_due(struct session *s)
{
	struct arena mem = { 0 };
	struct outbox_rec rec;
	bool waits = outbox_count(s->gw->store, s->id) > 0 && outbox_head(s->gw->store, s->id, &mem, &rec) == 0;
	enum ocpp_version due = waits ? (enum ocpp_version)rec.version : s->version;
	arena_free(&mem);
	return due;
}

static void open_lane(struct session *s)
{
	struct uplink *u = gateway_uplink(s->gw, s->conf->uplink);
	if (!u || s->lane.state != LANE_OFF)
		return;
	s->lane.identity = s->conf->uplink_id;
	s->lane.password = lane_password(s);
	s->lane.version = version_due(s);
	s->lane.events = &lane_events;
	s->lane.owner = s;
	lane_open(&s->lane, u, &s->log);
}

static void shut_lane(struct session *s, const char *reason)
{
	replay_stop(s);
	owed_stop(s);
	calls_link_down(&s->to_csms, true);
	ledger_lane_down(s);
	lane_close(&s->lane, 1001, reason);
}

/* While records of an absent station wait, its lane stays open for them; a CSMS that keeps refusing them gets them set aside, which ends it. */
void session_lane_review(struct session *s)
{
	bool wanted = s->link || outbox_count(s->gw->store, s->id) > 0;
	if (s->lane.state != LANE_OFF && (!wanted || s->lane.version != version_due(s)))
		shut_lane(s, wanted ? "messages of another OCPP version are due" : "the charging station is gone");
	if (wanted)
		open_lane(s);
	if (s->link)
		follow_lane(s);
}

/* --- the station's link --- */

static void on_station_room(void *owner, struct link *l)
{
	struct session *s = owner;
	(void)l;
	calls_room(&s->to_station);
}

static void link_lost(struct session *s)
{
	s->link = NULL;
	s->gw->connections--;
	s->booted = false;
	set_state(s, SESSION_AWAY);
	calls_link_down(&s->to_station, true);
	ledger_link_down(s);
	tap_link(s, false);
}

static void on_station_down(void *owner, struct link *l, const struct link_end *why)
{
	struct session *s = owner;
	log_info(&s->log, "station left after %llds, %llu messages in, %llu out: %s (code %d%s)", (long long)((clock_mono_us() - l->since_us) / US_PER_S),
	         (unsigned long long)l->messages_in, (unsigned long long)l->messages_out, why->reason ? why->reason : err_text(why->err), why->code,
	         why->by_us ? ", by us" : "");
	link_release(l);
	link_lost(s);
	session_lane_review(s);
}

static const struct link_events station_events = { NULL, on_station_text, on_station_room, on_station_down };

static void replace_link(struct session *s)
{
	struct link *old = s->link;
	log_info(&s->log, "a new connection of the station replaces the one from %s", old->peer);
	link_close(old, 1000, "replaced by a newer connection");
	link_release(old);
	link_lost(s);
}

void session_attach(struct session *s, struct link *l)
{
	if (s->link)
		replace_link(s);
	l->events = &station_events;
	l->owner = s;
	s->link = l;
	s->link_number++;
	s->gw->connections++;
	log_info(&s->log, "station connected from %s, %s", l->peer, version_subprotocol(l->version));
	s->version = l->version;
	calls_link_up(&s->to_station, l);
	session_lane_review(s);
	tap_link(s, true);
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

/* --- life --- */

static void add_configured_evses(struct session *s)
{
	s->n_evses = -1;
	grow_evses(s, 0);
	for (int i = 1; i <= s->conf->evses && i <= SESSION_EVSES; i++) {
		int control = control_find_evse(s->gw->control, s->id, i);
		if (control >= 0)
			session_evse(s, i)->control = control;
	}
}

/* Transactions that ran when we ended run on: the station did not stop because we did. */
static void load_running(struct session *s)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	for (int i = 1; i <= s->n_evses; i++)
		if (tx_running(s->gw->store, s->id, i, &mem, &tx) == 0 && tx.station_tx)
			tap_tx_started(s, i, slice_of(tx.station_tx), slice_of(tx.token), tx.start_us, tx.start_wh);
	arena_free(&mem);
}

static struct session *session_new(struct gateway *g, struct slice identity, const struct station_settings *conf, bool configured)
{
	struct session *s = NEW(struct session);
	s->gw = g;
	s->conf = conf;
	s->id = mem_text(identity);
	s->log = (struct log){ NULL, "station", s->id };
	s->configured = configured;
	s->own = settings_evse(g->conf, identity);
	s->accepted = configured;
	s->interval_s = 300;
	s->since_us = clock_mono_us();
	calls_open(&s->to_station, CALLS_MOST);
	calls_open(&s->to_csms, CALLS_MOST);
	list_init(&s->held);
	list_init(&s->unstored);
	list_init(&s->replay.overdue);
	map_put(&g->sessions, identity, s);
	add_configured_evses(s);
	owed_load(s);
	load_running(s);
	csms_profiles_open(s);
	return s;
}

struct session *session_find(const struct gateway *g, const char *identity)
{
	return map_get(&g->sessions, slice_of(identity));
}

/* One of the box's own EVSEs, as the station it is towards the CSMS. */
static const struct station_settings *own_station(struct gateway *g, const struct evse_settings *own)
{
	struct station_settings *st = arena_new(&g->strangers, sizeof(*st));
	*st = g->conf->station_defaults;
	st->id = st->uplink_id = own->id;
	st->name = NULL;
	st->circuit = own->circuit;
	st->evses = 1;
	st->max_current_ma = st->min_current_ma = own->current_ma;
	st->fallback_current_ma = 0; /* it stops when we do, by its driver */
	st->uplink = own->uplink;
	st->password = NULL;
	st->password_relay = false;
	st->uplink_password = own->uplink_password;
	return st;
}

struct session *session_of(struct gateway *g, struct slice identity)
{
	struct session *s = map_get(&g->sessions, identity);
	if (s)
		return s;
	const struct station_settings *conf = settings_station(g->conf, identity);
	const struct evse_settings *own = settings_evse(g->conf, identity);
	if (conf || own)
		return session_new(g, identity, conf ? conf : own_station(g, own), true);
	if (g->conf->onboarding.mode == ONBOARDING_REJECT)
		return NULL;
	struct station_settings *stranger = settings_stranger(g->conf, identity, &g->strangers);
	if (g->conf->onboarding.mode == ONBOARDING_MANUAL)
		stranger->uplink = NULL; /* answered Pending here until an installer has taken it in */
	return session_new(g, identity, stranger, false);
}

static bool drain_one(void *arg, const struct outbox_rec *rec)
{
	struct gateway *g = arg;
	struct session *s = session_of(g, slice_of(rec->station));
	if (s && !s->link && s->lane.state == LANE_OFF) {
		s->version = (enum ocpp_version)rec->version;
		session_lane_review(s);
	}
	return true;
}

void sessions_drain(struct gateway *g)
{
	if (outbox_each(g->store, NULL, 0, drain_one, g) != 0)
		log_error(NULL, "the outbox cannot be read");
}

static void session_close(struct session *s, const char *reason)
{
	replay_stop(s);
	owed_stop(s);
	lane_close(&s->lane, 1001, reason);
	if (s->link) {
		struct link *l = s->link;
		link_close(l, 1001, reason);
		link_release(l);
		link_lost(s);
	}
	calls_close(&s->to_csms);
	calls_close(&s->to_station);
}

void sessions_close(struct gateway *g, const char *reason)
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL)))
		session_close(s, reason);
}

void sessions_free(struct gateway *g)
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL))) {
		csms_profiles_close(s->csms);
		deviations_free(s);
		ledger_close(s);
		mem_free((char *)s->id);
		mem_free((char *)s->credential.p);
		mem_free(s->evses);
		mem_free(s);
	}
	map_free(&g->sessions);
	arena_free(&g->strangers);
}

struct uplink *gateway_uplink(const struct gateway *g, const struct uplink_settings *conf)
{
	return conf ? g->uplinks[conf - g->conf->uplinks] : NULL;
}
