/* Answers while alone, by the row's word: LATEST and NOTICE are noted for the CSMS, REFUSE gets the message's own failure, the rest the
 * smallest answer that lets the station go on. */
#include "gateway/local.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/owed.h"
#include "ocpp/codec.h"
#include "ocpp/splice.h"
#include "storage/tokens.h"

#define PENDING_INTERVAL_S 60 /* a station that no CSMS ever accepted asks again after this */

/* What may vouch for a token: the site's policy, or that of one of its own EVSEs. */
static unsigned sources_of(const struct session *s)
{
	if (!s->own)
		return s->gw->conf->offline.authorize;
	return (s->own->authorize & AUTHORIZE_LOCAL_LIST ? OFFLINE_LOCAL_LIST : 0) | (s->own->authorize & AUTHORIZE_CACHE ? OFFLINE_CACHE : 0);
}

const char *local_authorize(struct session *s, struct slice token)
{
	static const char *const statuses[] = { "Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx", NULL };
	unsigned allowed = sources_of(s);
	if (s->own && (s->own->authorize & AUTHORIZE_FREE) && slice_is(token, s->own->token))
		return "Accepted";
	struct arena mem = { 0 };
	struct token_rec rec;
	const char *status = allowed & OFFLINE_ALL ? "Accepted" : "Invalid";
	if (token_find(s->gw->store, token, clock_wall_us(), &mem, &rec) == 0 &&
	    (allowed & (rec.source == TOKEN_LIST ? OFFLINE_LOCAL_LIST : OFFLINE_CACHE))) {
		status = "Invalid";
		for (size_t i = 0; statuses[i]; i++)
			if (strcmp(rec.status, statuses[i]) == 0)
				status = statuses[i];
	}
	arena_free(&mem);
	return status;
}

/* The id is not known before the commit that takes it, so its place is marked. */
static void mark_id(struct buf *payload, const struct buf *written)
{
	struct slice id = splice_find(buf_view(written), "transactionId");
	if (id.n)
		splice_write(payload, buf_view(written), id, SLICE("%ID%"));
	else
		buf_slice(payload, buf_view(written));
}

void local_tx_answer(struct session *s, const struct action *act, const struct event *e, struct buf *payload)
{
	struct reply r;
	struct buf written = { 0 };
	reply_init(&r);
	if (e->token.p)
		r.token_status = slice_of(local_authorize(s, e->token));
	if (codec_write_answer(s->version, act, &r, &written) != 0)
		buf_puts(&written, "{}");
	if (e->phase == TX_START)
		mark_id(payload, &written);
	else
		buf_slice(payload, buf_view(&written));
	buf_free(&written);
}

static void fill(struct session *s, struct frame *f, const struct event *e, struct reply *r)
{
	switch (e->kind) {
	case EV_BOOT:
		r->status = s->accepted ? SLICE("Accepted") : SLICE("Pending");
		r->interval_s = s->accepted ? s->interval_s : PENDING_INTERVAL_S;
		r->time_us = clock_wall_us();
		owed_boot(s, f);
		break;
	case EV_HEARTBEAT:
		r->time_us = clock_wall_us();
		break;
	case EV_AUTHORIZE:
		r->token_status = slice_of(local_authorize(s, e->token));
		break;
	case EV_STATUS:
		owed_status(s, f, e);
		break;
	default:
		break;
	}
}

void local_answer(struct session *s, struct frame *f, const struct event *e)
{
	struct buf payload = { 0 };
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
	reply_init(&r);
	fill(s, f, e, &r);
	if (f->act->offline == NOTICE)
		owed_notice(s, f);
	if (codec_write_answer(s->version, f->act, &r, &payload) != 0)
		buf_puts(&payload, "{}");
	session_answer(s, f->id, buf_view(&payload));
	buf_free(&payload);
}
