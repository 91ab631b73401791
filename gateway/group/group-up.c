/* What members say. Some of it the group answers itself (boots, heartbeats, states), some goes up under the group's numbers and names, and what
 * only makes sense for a station of its own is refused as by a CSMS that cannot.
 *
 *   who names transactions    what becomes of them
 *   the CSMS, the CSMS        the number of the connector changes; the member's session has the name already
 *   member, member            the number of the EVSE changes, and a name that another station may use too
 *   the CSMS, the group       the group names it for both; start, meter values and stop become events, counted by the group
 *   member, the CSMS          events become start, meter values and stop; a start without a token waits for one
 *
 * Easy to get wrong: a name has to be on disk before what needs it is answered, or a stop behind a crash would find none. The writer keeps the
 * order of its jobs, so it is enough to hand the name over first. And the same message again has to become the same message, or the queue of
 * the group would not know it: what is counted is counted once. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "ocpp/convert.h"
#include "storage/txs.h"

#define PENDING_S 30 /* after which a station that was not accepted, because the group is not, boots again */

/* A member's CALL on its way through the group. */
struct passing {
	struct list of_member;
	struct member *member;
	struct link *link;       /* by which it came; an answer belongs there */
	enum ocpp_version version;
	const struct action *act;
	char *id;
	char *tx;                /* as the member calls it; NULL: none, or not yet */
	int number;              /* of a start that the CSMS will name; 0: none */
	bool ends;
};

static void passing_free(struct passing *p)
{
	list_remove(&p->of_member);
	mem_free(p->id);
	mem_free(p->tx);
	mem_free(p);
}

static struct passing *passing_new(struct member *m, const struct frame *f)
{
	struct passing *p = NEW(struct passing);
	p->member = m;
	p->link = m->link;
	p->version = f->version;
	p->act = f->act;
	p->id = mem_text(f->id);
	list_append(&m->passing, &p->of_member);
	return p;
}

/* A member's queue asks again when it has waited for long; the first is still under way, and its answer will do. */
static bool is_passing(const struct member *m, const struct frame *f)
{
	LIST_WALK(&m->passing, struct passing, of_member, p)
		if (p->link == m->link && slice_is(f->id, p->id))
			return true;
	return false;
}

static void answer_small(struct member *m, const struct frame *f)
{
	struct buf payload = { 0 };
	struct reply r;
	reply_init(&r);
	if (codec_write_answer(f->version, f->act, &r, &payload) != 0)
		buf_puts(&payload, "{}");
	group_member_answer(m, f->id, buf_view(&payload));
	buf_free(&payload);
}

/* As a CSMS says that it does not do this; what a member only reports is taken. */
static void decline(struct member *m, const struct frame *f)
{
	const char *refusal = catalogue_refusal(f->version, f->act);
	if (f->act->offline != REFUSE)
		answer_small(m, f);
	else if (refusal)
		group_member_answer(m, f->id, slice_of(refusal));
	else
		group_member_refuse(m, f->id, "NotSupported", "not for a station that is part of a group");
}

/* --- answers of the CSMS --- */

static void keep(struct named *n)
{
	int err = named_keep(n, NULL, NULL);
	if (err)
		log_error(&n->group->log, "the name of a transaction could not be kept: %s", err_text(err));
}

/* The CSMS names a transaction: for both sides, or beside the name that its member gave. */
static struct named *learn_name(struct passing *p, const struct action *asked, struct frame *answer)
{
	struct group *g = p->member->group;
	struct slice id = codec_tx_window_answer(asked, answer);
	struct named *n = p->tx ? named_of(g, p->member->session->id, slice_of(p->tx)) : NULL;
	if (!id.n)
		return n;
	if (!n && p->number)
		n = named_new(g, p->member->session->id, id, p->number);
	if (!n || (n->up_tx && slice_is(id, n->up_tx)))
		return n;
	mem_free(n->up_tx);
	n->up_tx = mem_text(id);
	named_forget_old(g, n->station, n->number, n);
	keep(n);
	return n;
}

static bool still_asked(const struct passing *p)
{
	return p->link && p->member->link == p->link;
}

static void pass_error(const struct passing *p, const struct frame *answer)
{
	char *code = mem_text(answer->code), *why = mem_text(answer->description);
	group_member_refuse(p->member, slice_of(p->id), code, why ? why : "");
	mem_free(code);
	mem_free(why);
}

static void pass_result(const struct passing *p, const struct action *asked, struct frame *answer, const struct named *n)
{
	struct buf payload = { 0 };
	/* Where the group has named a transaction for both sides, the member hears its own name of it. */
	bool names = codec_answer_names_tx(p->act) && asked != p->act && n;
	if (convert_answer(asked, answer, p->act, p->version, names ? slice_of(n->member_tx) : (struct slice){ NULL, 0 }, &payload) != 0)
		buf_puts(&payload, "{}");
	group_member_answer(p->member, slice_of(p->id), buf_view(&payload));
	buf_free(&payload);
}

/* Without an answer the member's queue keeps what it has, and it comes again. */
static void on_up_answered(void *arg, const struct action *asked, struct frame *answer)
{
	struct passing *p = arg;
	if (answer && answer->kind == FRAME_RESULT) {
		struct named *n = learn_name(p, asked, answer);
		if (n && p->ends)
			n->over = true;
		if (still_asked(p))
			pass_result(p, asked, answer, n);
	} else if (answer && still_asked(p)) {
		pass_error(p, answer);
	}
	passing_free(p);
}

/* Takes `p`. */
static void send_up(struct passing *p, struct frame *f, const struct event *e)
{
	struct group *g = p->member->group;
	struct buf payload = { 0 };
	const struct action *act;
	if (convert_call(f, e, g->version, &payload, &act) == 0) {
		group_ask(g, act, buf_view(&payload), on_up_answered, p);
	} else {
		decline(p->member, f); /* nothing to say in that version */
		passing_free(p);
	}
	buf_free(&payload);
}

/* --- numbers --- */

static int number_of(const struct member *m, int evse)
{
	const struct place *p = place_of(m->group, m->session->id, evse);
	return p ? p->number : 0;
}

/* The event with the group's number, where the member's message has an EVSE. False: it has one without a number. */
static bool renumber(const struct member *m, struct event *e)
{
	if (e->evse < 1)
		return true;
	e->evse = number_of(m, e->evse);
	return e->evse > 0;
}

/* --- transactions --- */

static void fingerprint(const struct frame *f, const struct event *e, char out[33])
{
	unsigned char bytes[16];
	if (e->tx.p)
		tx_fingerprint("", -1, f->payload, 0, 0, bytes);
	else
		tx_fingerprint("", e->evse, e->token, e->time_us, e->meter_wh, bytes);
	hex_text(bytes, sizeof(bytes), out);
}

static void note_registers(struct named *n, const struct event *e)
{
	double wh = e->meter_wh;
	for (size_t i = 0; i < e->n_samples; i++)
		if (e->samples[i].measurand == MEAS_ENERGY_IMPORT && !e->samples[i].phase && (isnan(wh) || e->phase != TX_START))
			wh = e->samples[i].value;
	if (isnan(wh))
		return;
	if (isnan(n->start_wh))
		n->start_wh = wh;
	n->wh = wh;
}

/* The member's own name for it. A start under a name that was used before is another transaction, unless it is the same message. */
static struct named *named_by_member(struct member *m, const struct frame *f, const struct event *e)
{
	struct group *g = m->group;
	struct named *n = named_of(g, m->session->id, e->tx);
	char start[33] = "";
	if (e->phase == TX_START)
		fingerprint(f, e, start);
	if (n && (!start[0] || strcmp(n->start, start) == 0))
		return n;
	n = named_new(g, m->session->id, e->tx, 0);
	memcpy(n->start, start, sizeof(start));
	return n;
}

static struct passing *tx_passing(struct member *m, const struct frame *f, const struct event *e, const struct named *n)
{
	struct passing *p = passing_new(m, f);
	p->tx = n ? mem_strdup(n->member_tx) : e->tx.p ? mem_text(e->tx) : NULL;
	p->ends = e->kind == EV_TX && e->phase == TX_END;
	return p;
}

/* Both sides let the CSMS name it. */
static void tx_as_it_is(struct member *m, struct frame *f, struct event *e)
{
	bool starts = e->kind == EV_TX && e->phase == TX_START;
	struct passing *p = tx_passing(m, f, e, NULL);
	p->number = starts ? number_of(m, e->evse) : 0;
	if (renumber(m, e)) {
		send_up(p, f, e);
	} else {
		decline(m, f);
		passing_free(p);
	}
}

/* Both sides let the station name it. */
static void tx_renamed(struct member *m, struct frame *f, struct event *e)
{
	struct named *n = named_by_member(m, f, e);
	if (e->evse > 0)
		n->number = number_of(m, e->evse);
	if (e->phase == TX_START || !n->up_tx) {
		named_choose_up(n);
		named_forget_old(m->group, n->station, n->number, n);
		keep(n);
	}
	struct passing *p = tx_passing(m, f, e, n);
	struct place *place = place_at(m->group, n->number);
	if (place && e->state != EVSE_UNKNOWN)
		place_state(place, e->connector, e->state, (struct slice){ NULL, 0 });
	e->tx = slice_of(n->up_tx);
	e->evse = e->evse > 0 ? n->number : -1;
	send_up(p, f, e);
}

/* The place in the order of a transaction: the same message has the same one. */
static void count(struct named *n, const struct frame *f, struct event *e)
{
	char print[33];
	unsigned char bytes[16];
	tx_fingerprint("", -1, f->payload, 0, 0, bytes);
	hex_text(bytes, sizeof(bytes), print);
	if (strcmp(n->last, print) != 0) {
		memcpy(n->last, print, sizeof(print));
		n->seq++;
	}
	e->seq_no = n->seq - 1;
}

static struct named *named_for_both(struct member *m, const struct frame *f, const struct event *e)
{
	struct group *g = m->group;
	struct named *n;
	char start[33], digits[24];
	if (e->tx.p) {
		n = named_of(g, m->session->id, e->tx);
		return n ? n : named_new(g, m->session->id, e->tx, number_of(m, e->evse));
	}
	fingerprint(f, e, start);
	n = named_by_start(g, m->session->id, start);
	if (n)
		return n;
	snprintf(digits, sizeof(digits), "%lld", (long long)txs_next_id(g));
	n = named_new(g, m->session->id, slice_of(digits), number_of(m, e->evse));
	memcpy(n->start, start, sizeof(start));
	named_forget_old(g, n->station, n->number, n);
	return n;
}

/* The member lets the CSMS name it, which lets the station do that. */
static void tx_named_here(struct member *m, struct frame *f, struct event *e)
{
	struct named *n = named_for_both(m, f, e);
	struct place *place = place_at(m->group, n->number);
	if (e->kind == EV_TX && e->phase == TX_START && place && place->remote_start_id >= 0) {
		n->remote_start_id = place->remote_start_id;
		place->remote_start_id = -1;
	}
	named_choose_up(n);
	count(n, f, e);
	keep(n);
	struct passing *p = tx_passing(m, f, e, n);
	if (e->phase == TX_START)
		e->remote_start_id = n->remote_start_id;
	e->tx = slice_of(n->up_tx);
	e->evse = n->number;
	e->connector = 1;
	send_up(p, f, e);
}

/* What an event of 2.x is to a CSMS that knows start, meter values and stop. False: nothing. */
static bool retold(struct named *n, struct event *e)
{
	bool starts = (e->phase == TX_START || (!n->up_tx && e->phase == TX_UPDATE)) && e->token.n && n->number;
	if (!starts && !n->up_tx)
		return false;
	e->evse = n->number;
	if (starts) {
		e->phase = TX_START;
		e->meter_wh = n->start_wh;
		e->tx = (struct slice){ NULL, 0 };
		return true;
	}
	e->tx = slice_of(n->up_tx);
	if (e->phase == TX_END && isnan(e->meter_wh))
		e->meter_wh = n->wh;
	return e->phase == TX_END || e->n_samples > 0;
}

/* The member names it, and so does the CSMS. */
static void tx_retold(struct member *m, struct frame *f, struct event *e)
{
	struct named *n = named_by_member(m, f, e);
	if (e->evse > 0)
		n->number = number_of(m, e->evse);
	struct place *place = place_at(m->group, n->number);
	note_registers(n, e);
	keep(n);
	if (place && e->state != EVSE_UNKNOWN)
		place_state(place, e->connector, e->state, (struct slice){ NULL, 0 });
	struct passing *p = tx_passing(m, f, e, n);
	if (retold(n, e)) {
		send_up(p, f, e);
		return;
	}
	n->over |= p->ends;
	answer_small(m, f);
	passing_free(p);
}

static void take_tx(struct member *m, struct frame *f, struct event *e)
{
	bool member_names = dialect_of(f->version)->names_tx, group_names = dialect_of(m->group->version)->names_tx;
	if (member_names)
		(group_names ? tx_renamed : tx_retold)(m, f, e);
	else
		(group_names ? tx_named_here : tx_as_it_is)(m, f, e);
}

/* --- what the group answers itself --- */

static void answer_boot(struct member *m, const struct frame *f)
{
	struct buf payload = { 0 };
	struct reply r;
	reply_init(&r);
	r.status = m->group->refused ? SLICE("Pending") : SLICE("Accepted");
	r.interval_s = m->group->refused ? PENDING_S : m->group->interval_s;
	if (codec_write_answer(f->version, f->act, &r, &payload) == 0)
		group_member_answer(m, f->id, buf_view(&payload));
	buf_free(&payload);
}

static void take_state(struct member *m, const struct frame *f, const struct event *e)
{
	struct place *p = place_of(m->group, m->session->id, e->evse);
	if (p)
		place_state(p, e->connector, e->state, e->error);
	else if (e->evse == 0)
		m->whole = e->state == EVSE_UNAVAILABLE || e->state == EVSE_FAULTED ? e->state : EVSE_UNKNOWN;
	answer_small(m, f);
}

/* --- the rest --- */

static void pass(struct member *m, struct frame *f, struct event *e)
{
	if (renumber(m, e))
		send_up(passing_new(m, f), f, e);
	else
		decline(m, f);
}

/* The CSMS sees one station, so the text says which of them it is. */
static void pass_security(struct member *m, struct frame *f, struct event *e)
{
	struct buf payload = { 0 }, told = { 0 };
	const struct action *act;
	buf_printf(&told, "%s: %.*s", m->session->id, SLICE_ARG(e->value));
	e->value = buf_view(&told);
	if (codec_write_call(m->group->version, e, &payload, &act) == 0)
		group_ask(m->group, act, buf_view(&payload), on_up_answered, passing_new(m, f));
	else
		decline(m, f);
	buf_free(&payload);
	buf_free(&told);
}

static int event_number(void *arg, int evse)
{
	return number_of(arg, evse);
}

/* Events of different stations may have the same number; the group's has its first place in it, so that what follows from an event still names it. */
static int event_id(void *arg, int theirs)
{
	const struct member *m = arg;
	int first = 0;
	LIST_WALK(&m->group->places, struct place, in_group, p)
		if (!first && strcmp(p->station, m->session->id) == 0)
			first = p->number;
	return theirs % (INT32_MAX / (PLACES_MOST + 1)) * (PLACES_MOST + 1) + first;
}

static void number_events(struct member *m, struct buf *payload)
{
	group_monitor_numbers(m, payload, "eventData", "variableMonitoringId");
	if (convert_numbers(payload, "eventData", "eventId", event_id, m) != 0 || convert_numbers(payload, "eventData", "cause", event_id, m) != 0)
		log_debug(&m->session->log, "an event keeps its number");
}

/* A list, in which each entry has an EVSE of its own. */
static void pass_notify(struct member *m, struct frame *f, const struct event *e)
{
	struct buf payload = { 0 };
	if (e->state != EVSE_UNKNOWN) {
		take_state(m, f, e);
		return;
	}
	if (convert_list(f, m->group->version, "eventData", "component.evse.id", event_number, m, &payload) == 0) {
		number_events(m, &payload);
		group_ask(m->group, f->act, buf_view(&payload), on_up_answered, passing_new(m, f));
	} else {
		decline(m, f);
	}
	buf_free(&payload);
}

/* A request to sign comes back as a certificate, which has to find its station. */
static void pass_certificate(struct member *m, struct frame *f, struct event *e)
{
	if (strcmp(f->act->name, "SignCertificate") == 0 && !group_note_request(m, f))
		decline(m, f);
	else
		pass(m, f, e);
}

/* Somebody who waits for the disk: by names, since the group may be gone when it is done. */
struct unkept {
	struct gateway *gw;
	const struct link *link;
	const struct action *act;
	enum ocpp_version version;
	char *uplink, *station, *id;
};

static void on_job_kept(void *arg, int err, int64_t value)
{
	struct unkept *u = arg;
	struct group *g = group_find(u->gw, u->uplink);
	struct member *m = g ? group_member(g, u->station) : NULL;
	(void)value;
	if (!err && m && m->link && m->link == u->link)
		answer_small(m, &(struct frame){ .version = u->version, .act = u->act, .id = slice_of(u->id) });
	mem_free(u->uplink);
	mem_free(u->station);
	mem_free(u->id);
	mem_free(u);
}

/* A station tells how far it is once; so it is answered when that is on disk. */
static void take_job_status(struct member *m, const struct frame *f, const struct event *e)
{
	struct unkept *u = NEW(struct unkept);
	*u = (struct unkept){ m->group->gw, m->link, f->act, f->version, mem_strdup(m->group->conf->id), mem_strdup(m->session->id), mem_text(f->id) };
	group_job_status(m, e, on_job_kept, u);
}

static void take(struct member *m, struct frame *f, struct event *e)
{
	switch (e->kind) {
	case EV_BOOT:
		answer_boot(m, f);
		break;
	case EV_STATUS:
		take_state(m, f, e);
		break;
	case EV_NOTIFY:
		pass_notify(m, f, e);
		break;
	case EV_TX:
		take_tx(m, f, e);
		break;
	case EV_METER:
		if (e->tx.p)
			take_tx(m, f, e);
		else if (e->evse > 0)
			pass(m, f, e);
		else
			answer_small(m, f); /* the main meter of a member is not that of the group */
		break;
	case EV_AUTHORIZE:
	case EV_DATA:
	case EV_LIMIT:
	case EV_NEEDS:
	case EV_SCHEDULE:
	case EV_RESERVATION:
		pass(m, f, e);
		break;
	case EV_SECURITY:
		pass_security(m, f, e);
		break;
	case CMD_CERTIFICATE:
		pass_certificate(m, f, e);
		break;
	case EV_FIRMWARE:
	case EV_LOG:
		take_job_status(m, f, e);
		break;
	default:
		decline(m, f);
		break;
	}
}

void group_member_call(struct member *m, struct frame *f)
{
	struct arena mem = { 0 };
	struct event e;
	if (!f->act || !(f->act->from & STATION))
		group_member_refuse(m, f->id, "NotImplemented", "unknown here");
	else if (is_passing(m, f))
		log_debug(&m->session->log, "%s is under way already", f->act->name);
	else if (group_told(m, f))
		return;
	else if (codec_read_call(f, &mem, &e) == 0)
		take(m, f, &e);
	else
		decline(m, f);
	arena_free(&mem);
}
