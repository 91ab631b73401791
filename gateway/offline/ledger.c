/* Transaction messages on their way through the outbox; the drawing is in ledger.h.
 *
 * A `held` is a station's CALL that has no answer yet. It ends when the answer has been sent: the CSMS's after its commit, or ours. What is
 * easy to get wrong: nothing is answered before its commit; the next record may not be sent before the last one's confirmation is
 * committed, or it would be found at the head again; and the station may have gone, or have asked again under another message id. */
#include "gateway/offline/ledger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gateway/offline/authorize.h"
#include "gateway/offline/behind.h"
#include "gateway/offline/local.h"
#include "gateway/offline/refused.h"
#include "gateway/offline/replay.h"
#include "gateway/offline/room.h"
#include "gateway/session/tap.h"
#include "gateway/session/trace.h"
#include "ocpp/codec.h"
#include "ocpp/splice.h"
#include "storage/txs.h"

struct held {
	struct list entry;
	struct session *s;
	const struct action *act;
	uint64_t link_number;     /* the link its CALL came by */
	char *id;                 /* of the CALL, the newest if it came again */
	struct slice raw;         /* owned: the CALL as it came first */
	int64_t seq;              /* of its record; 0: not stored yet */
	enum tx_phase phase;
	bool names_tx;            /* a 1.6 start: its answer names the transaction */
	unsigned char fingerprint[16];
	int evse;
	char *token, *tx;
	int64_t time_us;
	double wh;
	struct buf answer;        /* payload that will be sent when the commit is done */
	struct timer patience;
};

static void held_free(struct held *h)
{
	timer_cancel(&h->patience);
	list_remove(&h->entry);
	mem_free(h->id);
	mem_free((char *)h->raw.p);
	mem_free(h->token);
	mem_free(h->tx);
	buf_free(&h->answer);
	mem_free(h);
}

/* Off the list, so that an answer that comes later finds nobody waiting. */
static void detach(struct held *h)
{
	timer_cancel(&h->patience);
	list_remove(&h->entry);
}

static bool station_waits(const struct held *h)
{
	return h->s->link && h->link_number == h->s->link_number;
}

static void say(struct held *h)
{
	if (station_waits(h))
		session_answer(h->s, slice_of(h->id), buf_view(&h->answer));
}

/* --- answers of our own --- */

static void write_own_answer(struct held *h)
{
	struct event e;
	event_init(&e, EV_TX);
	e.phase = h->phase;
	e.token = slice_of(h->token);
	buf_reset(&h->answer);
	local_tx_answer(h->s, h->act, &e, &h->answer);
}

/* Puts the id the station is told into our answer, which has "%ID%" in its place. */
static void name_tx(struct held *h, int64_t id)
{
	char digits[24];
	struct buf named = { 0 };
	const char *at = h->answer.p ? strstr(h->answer.p, "%ID%") : NULL;
	snprintf(digits, sizeof(digits), "%lld", (long long)id);
	mem_free(h->tx);
	h->tx = mem_strdup(digits);
	if (!at)
		return;
	splice_write(&named, buf_view(&h->answer), (struct slice){ at, 4 }, slice_of(digits));
	buf_free(&h->answer);
	h->answer = named;
}

static void tx_is_named(struct held *h)
{
	tap_tx_started(h->s, h->evse, slice_of(h->tx), slice_of(h->token), h->time_us, h->wh);
}

#define DISK_PAUSE_US US_PER_S /* after which a disk that took no answer is tried again */

static void storage_failed(struct held *h, int err)
{
	room_refused(h->s->gw, err);
	log_error(&h->s->log, "%s could not be stored: %s; the station is asked to repeat it", h->act->name, err_text(err));
	if (station_waits(h))
		session_refuse(h->s, slice_of(h->id), "InternalError", "the message could not be stored");
}

static void on_named(void *arg, int err, int64_t id)
{
	struct held *h = arg;
	struct session *s = h->s;
	if (err) {
		storage_failed(h, err);
	} else {
		name_tx(h, id);
		say(h);
		tx_is_named(h);
	}
	held_free(h);
	replay_kick(s); /* the lane may have come up while this was being stored */
}

/* Without a disk nothing that only we know may be acknowledged, and what was refused may not go up: nobody would remember it when the disk is back
 * and the station repeats it. What is on its way to the CSMS already stays known while we live. */
static void refuse_alone(struct held *h)
{
	if (h->s->replay.seq != h->seq && tx_withdraw(h->s->gw->store, h->seq, NULL, NULL) != 0)
		log_error(&h->s->log, "a refused %s could not be taken back", h->act->name);
	if (station_waits(h))
		session_refuse(h->s, slice_of(h->id), "InternalError", "the message cannot be stored, and the central system cannot be asked");
	held_free(h);
}

/* No answer from the CSMS is to be had now: ours, after what it needs is durable. */
static void answer_alone(struct held *h)
{
	detach(h);
	if (h->s->gw->storage_spare) {
		refuse_alone(h);
		return;
	}
	write_own_answer(h);
	if (h->names_tx) {
		int err = tx_assign(h->s->gw->store, h->seq, h->answer.p, on_named, h);
		if (err)
			on_named(h, err, 0);
		return;
	}
	say(h);
	held_free(h);
}

static void on_patience_over(void *arg)
{
	struct held *h = arg;
	log_warn(&h->s->log, "the CSMS does not answer %s; it is answered here and delivered later", h->act->name);
	answer_alone(h);
}

/* --- storing --- */

static void wait_for_csms(struct held *h)
{
	struct session *s = h->s;
	if (!station_waits(h)) {
		detach(h); /* what it needs is stored; it will ask again */
		held_free(h);
	} else if (session_waits_for_lane(s))
		timer_set(&h->patience, uplink_conf(s->lane.uplink)->call_timeout_us, on_patience_over, h);
	else
		answer_alone(h);
	replay_kick(s);
}

static void on_stored(void *arg, int err, int64_t seq)
{
	struct held *h = arg;
	if (err) {
		storage_failed(h, err);
		held_free(h);
		return;
	}
	h->seq = seq;
	room_taken(h->s->gw, h->phase == TX_START);
	if (!h->names_tx && h->phase == TX_START)
		tx_is_named(h);
	wait_for_csms(h);
}

/* Stored together with its provisional id and our answer. */
static void on_stored_alone(void *arg, int err, int64_t id)
{
	if (!err)
		room_taken(((struct held *)arg)->s->gw, true);
	on_named(arg, err, id);
}

/* Meter values outside transactions do not live on the room that is kept for those. */
static enum outbox_kind kind_of(const struct held *h)
{
	if (h->phase == TX_START)
		return OUTBOX_TX_START;
	if (h->phase == TX_END)
		return OUTBOX_TX_END;
	return h->tx ? OUTBOX_TX_UPDATE : OUTBOX_NOTICE;
}

static void describe(struct held *h, struct frame *f, const struct event *e, struct outbox_rec *rec)
{
	*rec = (struct outbox_rec){
		.station = h->s->id,
		.kind = kind_of(h),
		.state = OUTBOX_UNSENT,
		.version = h->s->version,
		.action = f->act->name,
		.message_id = h->id,
		.payload = f->payload,
		.tx = h->tx,
		.wall_us = clock_wall_us(),
		.mono_us = clock_mono_us(),
		.boot = clock_boot(),
		.clock = clock_trusted() ? CLOCK_TRUSTED : CLOCK_UNTRUSTED,
		.thin = kind_of(h) == OUTBOX_TX_UPDATE && codec_may_be_left_out(e, f->payload),
		.late = !session_waits_for_lane(h->s),
		.fingerprint = h->phase == TX_START ? NULL : h->fingerprint, /* the ledger has that of a start */
	};
}

static int store_start(struct held *h, const struct outbox_rec *rec)
{
	bool alone = h->names_tx && rec->late && !h->s->gw->storage_spare;
	struct tx_rec tx = { .station = h->s->id, .station_tx = h->names_tx ? NULL : h->tx, .csms_tx = h->names_tx ? NULL : h->tx, .evse = h->evse,
		.token = h->token, .start_us = h->time_us, .start_wh = h->wh, .stop_wh = NAN, .offline = rec->late };
	memcpy(tx.fingerprint, h->fingerprint, sizeof(tx.fingerprint));
	if (alone)
		write_own_answer(h);
	return tx_start(h->s->gw->store, rec, &tx, alone, alone ? h->answer.p : NULL, alone ? on_stored_alone : on_stored, h);
}

static int64_t start_of(struct session *s, const char *tx_id)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	int64_t seq = tx_id && tx_by_station_id(s->gw->store, s->id, tx_id, &mem, &tx) == 0 ? tx.start_seq : 0;
	arena_free(&mem);
	return seq;
}

/* A session that the driver, the car or the CSMS ended, rather than a fault. */
static bool went_well(struct slice reason)
{
	static const char *const words[] = { "Local", "Remote", "EVDisconnected", "StoppedByEV", "SOCLimitReached", "EnergyLimitReached",
		"TimeLimitReached", "MasterPass" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_is(reason, words[i]))
			return true;
	return !reason.n;
}

static void store(struct held *h, struct frame *f, const struct event *e)
{
	struct outbox_rec rec;
	char *reason = NULL;
	int err;
	describe(h, f, e, &rec);
	if (h->phase == TX_START) {
		err = store_start(h, &rec);
	} else {
		rec.start_seq = start_of(h->s, h->tx);
		reason = e->reason.p ? mem_text(e->reason) : NULL;
		if (h->phase == TX_END)
			stats_count("ampgate_transactions_total", "outcome", went_well(e->reason) ? "completed" : "interrupted", NULL);
		if (h->phase == TX_END && h->tx)
			err = tx_end(h->s->gw->store, &rec, e->time_us, e->meter_wh, reason, on_stored, h);
		else
			err = outbox_put(h->s->gw->store, &rec, on_stored, h);
	}
	mem_free(reason);
	if (err) {
		storage_failed(h, err);
		held_free(h);
	}
}

/* --- the same message again --- */

/* Waits already: answered under the newest message id, on the newest link. */
static bool joins_a_waiting_one(struct session *s, const struct frame *f, const unsigned char fingerprint[16])
{
	LIST_WALK(&s->held, struct held, entry, h) {
		if (memcmp(h->fingerprint, fingerprint, sizeof(h->fingerprint)) != 0)
			continue;
		mem_free(h->id);
		h->id = mem_text(f->id);
		h->link_number = s->link_number;
		return true;
	}
	return false;
}

static struct held *held_new(struct session *s, const struct frame *f, const struct event *e, const unsigned char fingerprint[16])
{
	struct held *h = NEW(struct held);
	h->s = s;
	h->act = f->act;
	h->link_number = s->link_number;
	h->id = mem_text(f->id);
	h->raw = (struct slice){ mem_text(f->raw), f->raw.n };
	h->phase = e->kind == EV_TX ? e->phase : TX_UPDATE;
	h->names_tx = codec_answer_names_tx(f->act);
	h->evse = e->evse;
	h->token = e->token.p ? mem_text(e->token) : NULL;
	h->tx = e->tx.p ? mem_text(e->tx) : NULL;
	h->time_us = e->time_us;
	h->wh = e->meter_wh;
	memcpy(h->fingerprint, fingerprint, sizeof(h->fingerprint));
	list_append(&s->held, &h->entry);
	return h;
}

static void on_repeat_answered(void *arg, int err, int64_t id)
{
	on_named(arg, err, id);
}

/* A start that is in the ledger: the answer it got, or the one it can have now. */
static void repeat_start(struct session *s, struct frame *f, const struct event *e, const unsigned char fingerprint[16], const struct tx_rec *tx)
{
	log_info(&s->log, "%s came again and is the same transaction", f->act->name);
	if (tx->answer) {
		session_answer(s, f->id, slice_of(tx->answer));
		if (tx->running && tx->station_tx)
			tap_tx_started(s, tx->evse, slice_of(tx->station_tx), slice_of(tx->token), tx->start_us, tx->start_wh);
		return;
	}
	struct held *h = held_new(s, f, e, fingerprint);
	h->seq = tx->start_seq;
	if (!tx->csms_tx || !h->names_tx) {
		wait_for_csms(h);
		return;
	}
	list_remove(&h->entry);
	write_own_answer(h);
	int64_t id = strtoll(tx->csms_tx, NULL, 10);
	name_tx(h, id);
	int err = tx_answered(s->gw->store, tx->start_seq, tx->csms_tx, tx->csms_tx, h->answer.p, on_repeat_answered, h);
	if (err)
		on_named(h, err, 0);
}

static bool is_known_start(struct session *s, struct frame *f, const struct event *e, const unsigned char fingerprint[16])
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	bool known = tx_by_fingerprint(s->gw->store, s->id, fingerprint, &mem, &tx) == 0;
	if (known)
		repeat_start(s, f, e, fingerprint, &tx);
	arena_free(&mem);
	return known;
}

/* Ours, at once: the message is kept, and no better answer is to be had. */
static void answer_repeat(struct session *s, struct frame *f, const struct event *e)
{
	struct buf payload = { 0 };
	if (s->gw->storage_spare) {
		session_refuse(s, f->id, "InternalError", "the message cannot be stored");
		return;
	}
	local_tx_answer(s, f->act, e, &payload);
	session_answer(s, f->id, buf_view(&payload));
	buf_free(&payload);
}

/* Stored before, under this message id or another: it gets the answer that the first one got, or waits for it. */
static bool is_known_message(struct session *s, struct frame *f, const struct event *e, const unsigned char fingerprint[16])
{
	struct arena mem = { 0 };
	struct seen_rec seen;
	bool known = outbox_seen(s->gw->store, s->id, fingerprint, &mem, &seen) == 0;
	if (known) {
		log_info(&s->log, "%s came again; it is kept already", f->act->name);
		if (seen.answer) {
			session_answer(s, f->id, slice_of(seen.answer));
		} else if (!seen.kept || seen.state == OUTBOX_PARKED) {
			answer_repeat(s, f, e);
		} else {
			struct held *h = held_new(s, f, e, fingerprint);
			h->seq = seen.seq;
			wait_for_csms(h);
		}
	}
	arena_free(&mem);
	return known;
}

static bool is_known_stop(struct session *s, struct frame *f, const struct event *e)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	char *id = e->tx.p ? arena_text(&mem, e->tx) : NULL;
	bool known = id && tx_by_station_id(s->gw->store, s->id, id, &mem, &tx) == 0 && tx.stop_us != 0 && tx.stop_us == e->time_us &&
		(tx.stop_wh == e->meter_wh || (isnan(tx.stop_wh) && isnan(e->meter_wh)));
	arena_free(&mem);
	if (!known)
		return false;
	log_info(&s->log, "%s came again in other words; it is kept already", f->act->name);
	answer_repeat(s, f, e);
	return true;
}

/* What makes a message the same one: for a start what INTERFACES promises, for the rest its bytes. */
static void fingerprint_of(const struct session *s, const struct frame *f, const struct event *e, unsigned char out[16])
{
	if (e->kind == EV_TX && e->phase == TX_START && !e->tx.p)
		tx_fingerprint(s->id, e->evse, e->token, e->time_us, e->meter_wh, out);
	else
		tx_fingerprint(s->id, -1, f->payload, 0, 0, out);
}

/* The table that says what the CSMS calls it is on the disk that cannot be read. */
static bool names_what_is_lost(struct session *s, const struct event *e)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	const char *id = s->gw->storage_spare && e->tx.p ? arena_text(&mem, e->tx) : NULL;
	bool lost = id && tx_is_provisional(id) && tx_by_station_id(s->gw->store, s->id, id, &mem, &tx) != 0;
	arena_free(&mem);
	return lost;
}

void ledger_take(struct session *s, struct frame *f, const struct event *e)
{
	unsigned char fingerprint[16];
	if (names_what_is_lost(s, e)) {
		session_refuse(s, f->id, "InternalError", "what the central system calls this transaction cannot be read now");
		return;
	}
	fingerprint_of(s, f, e, fingerprint);
	if (joins_a_waiting_one(s, f, fingerprint))
		return;
	if (e->kind == EV_TX && e->phase == TX_START ? is_known_start(s, f, e, fingerprint) : is_known_message(s, f, e, fingerprint))
		return;
	if (e->kind == EV_TX && e->phase == TX_END && is_known_stop(s, f, e))
		return;
	store(held_new(s, f, e, fingerprint), f, e);
}

bool ledger_wants_meter_values(const struct session *s, const struct event *e)
{
	return e->tx.p || !session_waits_for_lane(s);
}

/* --- answers of the CSMS --- */

static struct held *waiting_for(const struct session *s, int64_t seq)
{
	LIST_WALK(&s->held, struct held, entry, h)
		if (h->seq == seq)
			return h;
	return NULL;
}

/* A confirmation on its way to disk. */
struct confirming {
	struct list entry;    /* of those that the disk did not take */
	struct timer again;
	struct session *s;
	struct held *held;    /* who waits, off the list; NULL: nobody */
	int64_t seq;
	enum outbox_kind kind;
	char *tx;             /* as the station named it; NULL: it did not */
	const struct action *act;
	struct slice raw;     /* owned: the CSMS's answer, whole */
	struct slice payload; /* window into it */
	char csms_tx[64];     /* "" where the answer names none */
	char refused[32];     /* the token's status when the CSMS did not accept it; "" */
};

static void confirming_free(struct confirming *c)
{
	if (c->held)
		held_free(c->held);
	timer_cancel(&c->again);
	mem_free(c->tx);
	mem_free((char *)c->raw.p);
	mem_free(c);
}

/* The station hears the CSMS's bytes, unless it asked again under another id or has to know the transaction by another one. */
static void pass_on(struct confirming *c, int64_t told)
{
	struct held *h = c->held;
	struct frame answer;
	struct frame_fault fault;
	if (frame_parse(&answer, h->s->version, c->raw, &fault) != 0)
		return;
	bool same_id = slice_is(answer.id, h->id);
	struct slice window = h->names_tx ? codec_tx_window_answer(h->act, &answer) : (struct slice){ NULL, 0 };
	char digits[24];
	snprintf(digits, sizeof(digits), "%lld", (long long)told);
	bool same_tx = !window.n || told <= 0 || slice_is(window, digits);
	if (same_id && same_tx && station_waits(h)) {
		session_forward_answer(h->s, &answer);
		return;
	}
	buf_reset(&h->answer);
	if (same_tx)
		buf_slice(&h->answer, answer.payload);
	else
		splice_write(&h->answer, answer.payload, window, slice_of(digits));
	if (!same_tx)
		snprintf(c->csms_tx, sizeof(c->csms_tx), "%s", digits);
	say(h);
}

/* It was let in while the CSMS was away, and now the CSMS says no. A station that was not told anything yet will hear the CSMS's own answer when
 * it asks again. */
static void accepted_here_only(const struct confirming *c)
{
	struct session *s = c->s;
	struct arena mem = { 0 };
	struct tx_rec tx;
	bool start = c->kind == OUTBOX_TX_START;
	bool known = start ? tx_by_start(s->gw->store, c->seq, &mem, &tx) == 0 : c->tx && tx_by_station_id(s->gw->store, s->id, c->tx, &mem, &tx) == 0;
	bool untold = start && known && codec_answer_names_tx(c->act) && strcmp(tx.station_tx, tx.csms_tx) == 0;
	if (known && !untold && c->kind != OUTBOX_TX_END)
		refused_tx(s, tx.station_tx, c->act->name, slice_of(c->refused));
	arena_free(&mem);
}

static void confirm_again(void *arg);

/* The CSMS has the message, so it must not go up again, and the station must not hear of that before the disk knows. The station may ask again;
 * its queue waits for the disk. */
static void keep_trying(struct confirming *c, int err)
{
	log_error(&c->s->log, "the CSMS's answer to %s could not be stored: %s; that is tried until it can", c->act->name, err_text(err));
	if (c->held) {
		storage_failed(c->held, err);
		held_free(c->held);
		c->held = NULL;
	}
	list_append(&c->s->unstored, &c->entry);
	timer_set(&c->again, DISK_PAUSE_US, confirm_again, c);
}

/* Who waits hears the answer, and is done. */
static void tell(struct confirming *c, int64_t told)
{
	struct held *h = c->held;
	pass_on(c, told);
	if (h->names_tx && c->csms_tx[0]) {
		mem_free(h->tx);
		h->tx = mem_strdup(c->csms_tx);
		tx_is_named(h);
	}
	held_free(h);
	c->held = NULL;
}

static void on_confirmed(void *arg, int err, int64_t told)
{
	struct confirming *c = arg;
	struct session *s = c->s;
	behind_let_go(s);
	if (err && err != ERR_NOT_FOUND) {
		keep_trying(c, err);
		return;
	}
	stats_count("ampgate_queue_delivered_total", "kind", c->kind == OUTBOX_TX_START ? "start" : c->kind == OUTBOX_TX_END ? "end" : "update", "result", "ok", NULL);
	struct held *again = waiting_for(s, c->seq);
	if (!c->held && !again && c->refused[0])
		accepted_here_only(c);
	if (c->held)
		tell(c, told);
	if (again) { /* it asked again while this was being stored */
		detach(again);
		c->held = again;
		tell(c, told);
	}
	if (s->replay.seq == c->seq)
		s->replay.seq = 0;
	confirming_free(c);
	replay_kick(s);
}

/* Every answer about a token counts for the cache (1.6 3.5.1, 2.x C10). The token is in the record. */
static void learn_token(struct session *s, const struct action *act, const struct outbox_rec *rec, const struct reply *reply)
{
	struct buf text = { 0 };
	struct arena mem = { 0 };
	struct frame f;
	struct frame_fault fault;
	struct event e;
	frame_write_call(&text, SLICE("x"), act->name, rec->payload);
	if (frame_parse(&f, (enum ocpp_version)rec->version, buf_view(&text), &fault) == 0) {
		if (codec_read_call(&f, &mem, &e) == 0 && e.token.p)
			authorize_learn(s, e.token, e.token_type, reply);
		frame_done(&f);
	}
	buf_free(&text);
	arena_free(&mem);
}

static struct confirming *confirming_new(struct session *s, struct held *h, const struct outbox_rec *rec, const struct action *act, struct frame *answer)
{
	struct confirming *c = NEW(struct confirming);
	struct arena mem = { 0 };
	struct reply reply;
	c->s = s;
	c->held = h;
	c->act = act;
	c->raw = (struct slice){ mem_text(answer->raw), answer->raw.n };
	c->payload = (struct slice){ c->raw.p + (answer->payload.p - answer->raw.p), answer->payload.n };
	struct slice window = codec_tx_window_answer(act, answer);
	snprintf(c->csms_tx, sizeof(c->csms_tx), "%.*s", SLICE_ARG(window));
	if (codec_read_answer(act, answer, &mem, &reply) == 0 && reply.token_status.p) {
		learn_token(s, act, rec, &reply);
		if (!slice_is(reply.token_status, "Accepted"))
			snprintf(c->refused, sizeof(c->refused), "%.*s", SLICE_ARG(reply.token_status));
	}
	arena_free(&mem);
	return c;
}

/* Notes the answer: a start's in its ledger row too, where a station that was told a provisional id meanwhile keeps it. */
static void confirm(struct confirming *c)
{
	struct store *st = c->s->gw->store;
	char *payload = mem_text(c->payload);
	const char *tx = c->csms_tx[0] ? c->csms_tx : c->tx;
	behind_hold(c->s);
	int err = c->kind == OUTBOX_TX_START ? tx_answered(st, c->seq, tx, tx, payload, on_confirmed, c)
	                                     : outbox_answered(st, c->seq, payload, on_confirmed, c);
	mem_free(payload);
	if (err)
		on_confirmed(c, err, 0);
}

static void confirm_again(void *arg)
{
	struct confirming *c = arg;
	list_remove(&c->entry);
	confirm(c);
}

struct slice ledger_raw(const struct session *s, const struct outbox_rec *rec)
{
	struct slice none = { NULL, 0 };
	const struct held *h = waiting_for(s, rec->seq);
	struct frame f;
	struct frame_fault fault;
	if (!h || frame_parse(&f, (enum ocpp_version)rec->version, h->raw, &fault) != 0)
		return none;
	/* A station that came back asks under another id, but the record keeps the one the CSMS may have seen. */
	return slice_is(f.id, rec->message_id) ? h->raw : none;
}

bool ledger_confirm(struct session *s, const struct outbox_rec *rec, const struct action *act, struct frame *answer)
{
	if (codec_answer_names_tx(act) && !codec_tx_window_answer(act, answer).n)
		return false; /* an answer without the transaction id it must name is no answer */
	struct held *h = waiting_for(s, rec->seq);
	if (h)
		detach(h);
	struct confirming *c = confirming_new(s, h, rec, act, answer);
	c->seq = rec->seq;
	c->kind = rec->kind;
	c->tx = rec->tx ? mem_strdup(rec->tx) : NULL;
	confirm(c);
	return true;
}

void ledger_failed(struct session *s, int64_t seq)
{
	struct held *h = waiting_for(s, seq);
	if (h)
		answer_alone(h);
}

void ledger_lane_down(struct session *s)
{
	LIST_WALK(&s->held, struct held, entry, h)
		if (h->seq)
			answer_alone(h);
}

void ledger_link_down(struct session *s)
{
	/* Those not stored yet finish by themselves and find nobody to tell; the others need nothing any more but their record. */
	LIST_WALK(&s->held, struct held, entry, h)
		if (h->seq)
			held_free(h);
}

/* --- transactions of our own EVSEs that we did not end --- */

static void take_stop(struct session *s, struct event *e, struct slice payload, const struct action *act)
{
	char id[UUID_TEXT];
	struct buf text = { 0 };
	struct frame f;
	struct frame_fault fault;
	uuid_text(id);
	frame_write_call(&text, slice_of(id), act->name, payload);
	if (frame_parse(&f, s->version, buf_view(&text), &fault) == 0) {
		tap_event(s, e);
		ledger_take(s, &f, e);
		frame_done(&f);
	}
	buf_free(&text);
}

void ledger_end_interrupted(struct session *s, int evse, double wh)
{
	struct arena mem = { 0 };
	struct buf payload = { 0 };
	const struct action *act;
	struct tx_rec tx;
	struct event e;
	if (tx_running(s->gw->store, s->id, evse, &mem, &tx) != 0 || !tx.station_tx) {
		arena_free(&mem);
		return;
	}
	event_init(&e, EV_TX);
	e.phase = TX_END;
	e.evse = evse;
	e.tx = slice_of(tx.station_tx);
	e.time_us = clock_wall_us();
	/* A start was told in whole watt-hours, so the register may still be a little below it. */
	e.meter_wh = isnan(wh) || wh < tx.start_wh ? tx.start_wh : wh;
	e.reason = SLICE("PowerLoss");
	log_warn(&s->log, "transaction %s was interrupted by our own end; it is stopped", tx.station_tx);
	if (codec_write_call(s->version, &e, &payload, &act) == 0)
		take_stop(s, &e, buf_view(&payload), act);
	else
		log_error(&s->log, "no stop could be written for transaction %s", tx.station_tx);
	buf_free(&payload);
	arena_free(&mem);
}

void ledger_close(struct session *s)
{
	LIST_WALK(&s->unstored, struct confirming, entry, c) {
		list_remove(&c->entry);
		confirming_free(c);
	}
}
