/* Lists, cache and the order of asking.
 *
 *   csms_first    the CSMS decides; lists and cache only while it is away
 *   list_first    a token that is accepted here is answered here, the CSMS is asked about the others (1.6 LocalPreAuthorize, 2.x C12, C14)
 *   both          as list_first, and the CSMS is asked all the same; where it says no, what runs on the token is stopped
 *   list_only     the CSMS is never asked
 *
 * Easy to get wrong: a token that a list or the cache knows as blocked or expired is refused whatever the policy for unknown ones is (1.6 3.5.2,
 * 2.x C13); two kinds of token are nobody's and never cached (2.x C10: Central, NoAuthorization); and a start that the CSMS itself asked for just
 * before it went away has been authorised by it. */
#include "gateway/offline/authorize.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gateway/offline/refused.h"
#include "gateway/session/trace.h"
#include "ocpp/codec.h"
#include "storage/tokens.h"

#define REMOTE_START_US (15 * 60 * US_PER_S) /* plug in, walk back, try again */
#define RENEW_US (3600 * US_PER_S)           /* what the cache has already is not written again sooner */

/* What may vouch for a token: the site's policy, or that of one of its own EVSEs. */
static unsigned sources_of(const struct session *s)
{
	if (!s->own)
		return s->gw->conf->offline.authorize;
	return (s->own->authorize & AUTHORIZE_LOCAL_LIST ? OFFLINE_LOCAL_LIST : 0) | (s->own->authorize & AUTHORIZE_CACHE ? OFFLINE_CACHE : 0);
}

/* The words that all versions have. */
static const char *word_of(const char *status)
{
	static const char *const words[] = { "Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx", NULL };
	for (size_t i = 0; words[i]; i++)
		if (strcmp(status, words[i]) == 0)
			return words[i];
	return "Invalid";
}

static int find(struct session *s, struct slice token, struct arena *mem, struct token_rec *rec)
{
	int64_t now = clock_wall_us(), lifetime = s->gw->conf->offline.cache_lifetime_us;
	return token_find(s->gw->store, s->id, token, now, lifetime ? now - lifetime : 0, mem, rec);
}

static bool needs_nobody(struct session *s, const struct event *e)
{
	if (s->own && (s->own->authorize & (AUTHORIZE_FREE | AUTHORIZE_SCHEDULE)) && slice_is(e->token, s->own->token))
		return true;
	if (slice_is(e->token_type, "NoAuthorization") || (e->kind == EV_TX && e->remote_start_id >= 0))
		return true;
	return s->remote.token[0] && slice_is(e->token, s->remote.token) && clock_mono_us() - s->remote.at_us < REMOTE_START_US;
}

void authorize_alone(struct session *s, const struct event *e, struct arena *mem, struct reply *r)
{
	unsigned allowed = sources_of(s);
	struct token_rec rec;
	r->token_status = allowed & OFFLINE_ALL ? SLICE("Accepted") : SLICE("Invalid");
	if (needs_nobody(s, e)) {
		r->token_status = SLICE("Accepted");
		return;
	}
	if (find(s, e->token, mem, &rec) != 0)
		return;
	bool counts = allowed & (rec.source == TOKEN_LIST ? OFFLINE_LOCAL_LIST : OFFLINE_CACHE);
	if (!counts && strcmp(rec.status, "Accepted") == 0)
		return;
	r->token_status = slice_of(word_of(rec.status));
	r->group = rec.group;
	r->expiry_us = rec.expiry_us;
}

static bool accepted_here(struct session *s, const struct event *e)
{
	struct arena mem = { 0 };
	struct reply r;
	struct token_rec rec;
	reply_init(&r);
	authorize_alone(s, e, &mem, &r);
	/* What is let in for want of better knowledge is not known: the CSMS is there to be asked. */
	bool accepted = slice_is(r.token_status, "Accepted") && (needs_nobody(s, e) || find(s, e->token, &mem, &rec) == 0);
	arena_free(&mem);
	return accepted;
}

bool authorize_is_ours(struct session *s, const struct event *e)
{
	switch ((enum ask_order)s->gw->conf->authorization.order) {
	case ASK_CSMS_FIRST:
		return false;
	case ASK_LIST_ONLY:
		return true;
	case ASK_LIST_FIRST:
	case ASK_BOTH:
		break;
	}
	return accepted_here(s, e);
}

/* --- asking the CSMS all the same --- */

struct second_opinion {
	struct session *s;
	char *token, *type;
};

static void on_second_opinion(void *arg, struct call *c, int err, struct frame *answer)
{
	struct second_opinion *o = arg;
	struct arena mem = { 0 };
	struct reply r;
	(void)err;
	if (answer && answer->kind == FRAME_RESULT && codec_read_answer(c->act, answer, &mem, &r) == 0 && r.token_status.p) {
		authorize_learn(o->s, slice_of(o->token), slice_of(o->type), &r);
		if (!slice_is(r.token_status, "Accepted"))
			refused_token(o->s, o->token, c->act->name, r.token_status);
	}
	mem_free(o->token);
	mem_free(o->type);
	mem_free(o);
	arena_free(&mem);
}

void authorize_ask_too(struct session *s, struct frame *f, const struct event *e)
{
	char id[UUID_TEXT];
	struct buf text = { 0 };
	if (s->gw->conf->authorization.order != ASK_BOTH || !session_waits_for_lane(s) || !s->lane.uplink)
		return;
	struct second_opinion *o = NEW(struct second_opinion);
	*o = (struct second_opinion){ s, mem_text(e->token), e->token_type.p ? mem_text(e->token_type) : NULL };
	uuid_text(id);
	frame_write_call(&text, slice_of(id), f->act->name, f->payload);
	struct ask ask = { .text = buf_view(&text), .id = slice_of(id), .act = f->act, .timeout_us = uplink_conf(s->lane.uplink)->call_timeout_us,
		.done = on_second_opinion, .arg = o };
	struct frame out = { .kind = FRAME_CALL, .id = ask.id, .action = slice_of(f->act->name) };
	trace_frame(s, TRACE_CSMS, TRACE_TX, ask.text, &out, TRACE_ORIGINATED);
	if (calls_ask(&s->to_csms, &ask, NULL) != 0)
		on_second_opinion(o, NULL, ERR_FULL, NULL);
	buf_free(&text);
}

/* --- learning --- */

void authorize_learn(struct session *s, struct slice token, struct slice type, const struct reply *r)
{
	struct arena mem = { 0 };
	struct token_rec known;
	if (r->token_status.p)
		stats_count("ampgate_authorizations_total", "source", "csms", "result", slice_is(r->token_status, "Accepted") ? "accepted" : "refused", NULL);
	if (!token.n || !r->token_status.p || slice_is(type, "Central") || slice_is(type, "NoAuthorization"))
		return;
	const char *status = arena_text(&mem, r->token_status);
	bool same = token_find(s->gw->store, NULL, token, 0, 0, &mem, &known) == 0 && known.source == TOKEN_CACHE && strcmp(known.status, status) == 0 &&
		known.expiry_us == r->expiry_us && slice_eq(known.group, r->group) && clock_wall_us() - known.updated_us < RENEW_US;
	struct token_rec rec = { .source = TOKEN_CACHE, .token = token, .type = type, .status = status, .expiry_us = r->expiry_us, .group = r->group,
		.updated_us = clock_wall_us() };
	int err = same ? 0 : token_put(s->gw->store, &rec, NULL, NULL);
	if (err)
		log_warn(&s->log, "an authorisation could not be cached: %s", err_text(err));
	arena_free(&mem);
}

void authorize_learn_start(struct session *s, const struct event *e)
{
	if (!e->token.p || e->token.n >= sizeof(s->remote.token))
		return;
	memcpy(s->remote.token, e->token.p, e->token.n);
	s->remote.token[e->token.n] = 0;
	s->remote.at_us = clock_mono_us();
}

void authorize_learn_list(struct session *s, struct frame *f, const struct event *e)
{
	struct event token;
	struct reply info;
	struct arena mem = { 0 };
	struct token_list list = { .station = s->id, .full = e->list_full, .version = e->list_version };
	while (codec_list_entry(f, list.n, &mem, &token, &info) == 0)
		list.n++;
	struct token_rec *entries = arena_new(&mem, (list.n + 1) * sizeof(*entries));
	list.entries = entries;
	for (size_t i = 0; i < list.n && codec_list_entry(f, i, &mem, &token, &info) == 0; i++) {
		entries[i] = (struct token_rec){ .source = TOKEN_LIST, .token = token.token, .type = token.token_type, .expiry_us = info.expiry_us,
			.group = info.group, .updated_us = clock_wall_us() };
		entries[i].status = info.token_status.p ? arena_text(&mem, info.token_status) : NULL;
	}
	int err = token_list_put(s->gw->store, &list, NULL, NULL);
	if (err)
		log_warn(&s->log, "local list could not be kept: %s", err_text(err));
	arena_free(&mem);
}
