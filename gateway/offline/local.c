/* Answers while alone, by the row's word: LATEST and NOTICE are noted for the CSMS, REFUSE gets the message's own failure, the rest the
 * smallest answer that lets the station go on.
 *
 * Easy to get wrong: a station sets its clock by a Heartbeat's answer, so a clock that nobody vouches for is not handed on; records with a wrong
 * time are worse than a heartbeat that fails. */
#include "gateway/offline/local.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gateway/offline/authorize.h"
#include "gateway/offline/owed.h"
#include "ocpp/codec.h"
#include "ocpp/splice.h"

#define PENDING_INTERVAL_S 60 /* a station that no CSMS ever accepted asks again after this */
#define REJECTED_INTERVAL_S 300 /* so that it notices soon when an installer takes it in after all */

/* The id is not known before the commit that takes it, so its place is marked. */
static void mark_id(struct buf *payload, const struct buf *written)
{
	struct slice id = splice_find(buf_view(written), "transactionId");
	if (id.n)
		splice_write(payload, buf_view(written), id, SLICE("%ID%"));
	else
		buf_slice(payload, buf_view(written));
}

/* `r`: what the box says about a token while the CSMS is away. */
static void count_answer(const struct reply *r)
{
	stats_count("ampgate_authorizations_total", "source", "box", "result", slice_is(r->token_status, "Accepted") ? "accepted" : "refused", NULL);
}

void local_tx_answer(struct session *s, const struct action *act, const struct event *e, struct buf *payload)
{
	struct reply r;
	struct arena mem = { 0 };
	struct buf written = { 0 };
	reply_init(&r);
	if (e->token.p) {
		authorize_alone(s, e, &mem, &r);
		count_answer(&r);
	}
	if (codec_write_answer(s->version, act, &r, &written) != 0)
		buf_puts(&written, "{}");
	if (e->phase == TX_START)
		mark_id(payload, &written);
	else
		buf_slice(payload, buf_view(&written));
	buf_free(&written);
	arena_free(&mem);
}

static void fill(struct session *s, struct frame *f, const struct event *e, struct arena *mem, struct reply *r)
{
	switch (e->kind) {
	case EV_BOOT:
		r->status = s->rejected ? SLICE("Rejected") : s->accepted ? SLICE("Accepted") : SLICE("Pending");
		r->interval_s = s->rejected ? REJECTED_INTERVAL_S : s->accepted ? s->interval_s : PENDING_INTERVAL_S;
		r->time_us = clock_wall_us(); /* the message must have one; where it is not trusted, the station learns better from the CSMS */
		owed_boot(s, f);
		break;
	case EV_HEARTBEAT:
		r->time_us = clock_wall_us();
		break;
	case EV_AUTHORIZE:
		authorize_alone(s, e, mem, r);
		count_answer(r);
		break;
	case EV_STATUS:
		owed_status(s, f, e);
		break;
	case EV_NEEDS: /* a schedule may follow; until then the station charges by what it has (2.x K15) */
		r->status = SLICE("Processing");
		owed_status(s, f, e);
		break;
	case EV_SCHEDULE:
		r->status = SLICE("Accepted");
		owed_status(s, f, e);
		break;
	default:
		break;
	}
}

/* Where there is no CSMS at all, nobody knows better. */
static bool may_tell_time(const struct session *s)
{
	return clock_trusted() || s->gw->conf->offline.serve_time == SERVE_ANY_TIME || !s->conf->uplink;
}

/* An answer that has to wait for the disk. */
struct promise {
	struct session *s;
	uint64_t link_number;
	char *id;
	struct buf payload;
};

static void on_kept(void *arg, int err, int64_t value)
{
	struct promise *p = arg;
	(void)value;
	if (p->s->link && p->s->link_number == p->link_number) {
		if (err)
			session_refuse(p->s, slice_of(p->id), "InternalError", "the message could not be stored");
		else
			session_answer(p->s, slice_of(p->id), buf_view(&p->payload));
	}
	mem_free(p->id);
	buf_free(&p->payload);
	mem_free(p);
}

/* The delivery of security events is guaranteed (2.x A04.FR.02): what cannot be kept is left to the station. */
static void answer_when_kept(struct session *s, struct frame *f, struct slice payload)
{
	struct promise *p = NEW(struct promise);
	*p = (struct promise){ .s = s, .link_number = s->link_number, .id = mem_text(f->id) };
	buf_slice(&p->payload, payload);
	if (!owed_notice(s, f, on_kept, p))
		on_kept(p, ERR_FULL, 0);
}

void local_answer(struct session *s, struct frame *f, const struct event *e)
{
	struct buf payload = { 0 };
	struct arena mem = { 0 };
	struct reply r;
	if (!f->act || !(f->act->from & STATION)) {
		session_refuse(s, f->id, "NotImplemented", "unknown here, and the central system cannot be asked");
		return;
	}
	const char *refusal = catalogue_refusal(s->version, f->act);
	if (f->act->offline == REFUSE) {
		if (refusal)
			session_answer(s, f->id, slice_of(refusal));
		else
			session_refuse(s, f->id, "GenericError", "the central system cannot be asked now");
		return;
	}
	if (e->kind == EV_HEARTBEAT && !may_tell_time(s)) {
		session_refuse(s, f->id, "GenericError", "the time is not known here");
		return;
	}
	reply_init(&r);
	fill(s, f, e, &mem, &r);
	if (codec_write_answer(s->version, f->act, &r, &payload) != 0)
		buf_puts(&payload, "{}");
	if (e->kind == EV_SECURITY)
		answer_when_kept(s, f, buf_view(&payload));
	else
		session_answer(s, f->id, buf_view(&payload));
	if (e->kind != EV_SECURITY && f->act->offline == NOTICE)
		owed_notice(s, f, NULL, NULL);
	buf_free(&payload);
	arena_free(&mem);
}
