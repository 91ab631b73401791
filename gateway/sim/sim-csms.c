/* A link per station. What comes in is read as neutral events, and the codec writes the answers, so no version is named here. */
#include "gateway/sim/sim-csms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/net/listen.h"
#include "ocpp/codec.h"
#include "station/wire.h"

#define CALL_TIMEOUT_US (30 * US_PER_S)
#define CALLS_MOST 64
#define IDENTITY_MOST 49

struct endpoint {
	struct sim_csms *csms;
	struct listener *listener;   /* NULL: cut */
	char *address;
	int port;
	unsigned links;
};

struct sim_csms {
	struct sim_csms_conf conf;
	struct endpoint endpoints[SIM_CSMS_ENDPOINTS];
	int n_endpoints;
	struct list peers;
	struct sim_ledger ledger;
	int64_t next_tx;
	uint64_t messages;
	bool refuse, silent;
};

struct peer {
	struct list entry;
	struct endpoint *at;
	struct link *link;
	char identity[IDENTITY_MOST];
	struct wire wire;            /* what we ask of the station */
};

/* --- the ledger --- */

static void put(char *out, size_t room, struct slice s)
{
	snprintf(out, room, "%.*s", SLICE_ARG(s));
}

static double register_of(const struct event *e)
{
	for (size_t i = e->n_samples; isnan(e->meter_wh) && i-- > 0;) {
		if (e->samples[i].measurand == MEAS_ENERGY_IMPORT && !e->samples[i].phase)
			return e->samples[i].value;
	}
	return e->meter_wh;
}

static struct sim_tx *note_start(struct peer *p, const struct event *e)
{
	struct sim_csms *c = p->at->csms;
	struct sim_tx *t = sim_ledger_add(&c->ledger, slice_of(p->identity), e->evse);
	if (e->tx.p)
		put(t->tx, sizeof(t->tx), e->tx);
	else
		snprintf(t->tx, sizeof(t->tx), "%lld", (long long)c->next_tx++);
	put(t->token, sizeof(t->token), e->token);
	t->start_us = e->time_us;
	t->start_wh = register_of(e);
	t->starts = 1;
	return t;
}

static struct sim_tx *note_stop(struct peer *p, const struct event *e)
{
	struct sim_csms *c = p->at->csms;
	struct sim_tx *t = sim_ledger_find(&c->ledger, slice_of(p->identity), e->tx);
	if (!t) {
		t = sim_ledger_add(&c->ledger, slice_of(p->identity), e->evse);
		put(t->tx, sizeof(t->tx), e->tx);
	}
	put(t->reason, sizeof(t->reason), e->reason);
	t->stop_us = e->time_us;
	t->stop_wh = register_of(e);
	t->stops++;
	return t;
}

/* --- answers --- */

static struct slice verdict_on(const struct sim_csms *c, struct slice token)
{
	for (size_t i = 0; c->conf.blocked && c->conf.blocked[i]; i++) {
		if (slice_eq_nocase(token, slice_of(c->conf.blocked[i])))
			return SLICE("Blocked");
	}
	return SLICE("Accepted");
}

static void fill(struct peer *p, const struct event *e, struct reply *r)
{
	struct sim_csms *c = p->at->csms;
	if (e->token.p)
		r->token_status = verdict_on(c, e->token);
	switch (e->kind) {
	case EV_BOOT:
		r->status = SLICE("Accepted");
		r->interval_s = c->conf.interval_s;
		r->time_us = clock_wall_us();
		break;
	case EV_HEARTBEAT:
		r->time_us = clock_wall_us();
		break;
	case EV_TX:
		if (e->phase == TX_START)
			r->tx = slice_of(note_start(p, e)->tx);
		else if (e->phase == TX_END)
			note_stop(p, e);
		break;
	default:
		break;
	}
}

static void tell(struct peer *p, struct buf *text)
{
	int err = link_send(p->link, buf_view(text));
	if (err)
		log_warn(&p->link->log, "no answer could be sent: %s", err_text(err));
	buf_free(text);
}

static void refuse(struct peer *p, struct slice id, const char *code, const char *why)
{
	struct buf out = { 0 };
	frame_write_error(&out, id, code, why);
	tell(p, &out);
}

/* A car is there and nobody has started it. */
static void start_from_afar(struct peer *p, const struct event *e)
{
	struct event cmd;
	if (!p->at->csms->conf.remote_start || e->kind != EV_STATUS || e->evse < 1 || (e->state != EVSE_PREPARING && e->state != EVSE_OCCUPIED))
		return;
	event_init(&cmd, CMD_REMOTE_START);
	cmd.evse = e->evse;
	cmd.token = slice_of(p->at->csms->conf.remote_start);
	cmd.token_type = SLICE("Central");
	cmd.remote_start_id = ++p->at->csms->next_tx;
	wire_tell(&p->wire, &cmd);
}

static void answer(struct peer *p, struct frame *f, const struct event *e)
{
	struct buf payload = { 0 }, out = { 0 };
	struct reply r;
	reply_init(&r);
	fill(p, e, &r);
	if (f->act->send) {
		buf_free(&payload);
		return;
	}
	if (codec_write_answer(p->link->version, f->act, &r, &payload) != 0) {
		refuse(p, f->id, "NotSupported", "the simulator has no answer to this");
	} else {
		frame_write_result(&out, f->id, buf_view(&payload));
		tell(p, &out);
	}
	buf_free(&payload);
}

static void on_call(struct peer *p, struct frame *f)
{
	struct arena mem = { 0 };
	struct event e;
	p->at->csms->messages++;
	if (p->at->csms->silent)
		return;
	int err = f->act && (f->act->from & STATION) ? codec_read_call(f, &mem, &e) : ERR_NOT_FOUND;
	if (err == ERR_UNSUPPORTED)
		event_init(&e, EV_NONE);
	if (err == ERR_NOT_FOUND)
		refuse(p, f->id, "NotImplemented", "no station asks this");
	else if (err == ERR_INVALID)
		refuse(p, f->id, "GenericError", "the payload is not an object");
	else
		answer(p, f, &e);
	if (!err)
		start_from_afar(p, &e);
	arena_free(&mem);
}

static void on_text(void *owner, struct link *l, struct slice text)
{
	struct peer *p = owner;
	struct frame f;
	struct frame_fault fault;
	int err = frame_parse(&f, l->version, text, &fault);
	if (err == FRAME_IGNORED)
		return;
	if (err) {
		log_warn(&l->log, "%s sent what is no message: %s", p->identity, fault.reason);
		if (fault.is_call)
			refuse(p, fault.id, fault.code, fault.reason);
		return;
	}
	if (f.kind == FRAME_CALL || f.kind == FRAME_SEND)
		on_call(p, &f);
	else
		wire_answer(&p->wire, &f);
	frame_done(&f);
}

/* --- links --- */

static void links_changed(struct endpoint *e, int by)
{
	struct sim_csms *c = e->csms;
	e->links += (unsigned)by;
	if (c->conf.links)
		c->conf.links(c->conf.arg, (int)(e - c->endpoints), e->links);
}

static void on_room(void *owner, struct link *l)
{
	struct peer *p = owner;
	(void)l;
	wire_room(&p->wire);
}

static void forget(struct peer *p)
{
	struct endpoint *at = p->at;
	list_remove(&p->entry);
	wire_close(&p->wire);
	link_release(p->link);
	mem_free(p);
	links_changed(at, -1);
}

static void on_down(void *owner, struct link *l, const struct link_end *why)
{
	struct peer *p = owner;
	log_info(&l->log, "%s has gone: %s", p->identity, why->reason ? why->reason : err_text(why->err));
	forget(p);
}

static const struct link_events link_events = { .text = on_text, .room = on_room, .down = on_down };

static void judge(void *arg, const struct ws_request *rq, struct ws_verdict *v)
{
	static const enum ocpp_version ours[] = { OCPP21, OCPP201, OCPP16 };
	struct endpoint *e = arg;
	int version = version_choose(rq->subprotocols, ours, OCPP_VERSIONS);
	*v = (struct ws_verdict){ .status = e->csms->refuse ? 503 : 101, .version = version < 0 ? -1 : version };
	if (rq->identity.n >= IDENTITY_MOST)
		*v = (struct ws_verdict){ .status = 404, .version = -1, .reason = "the identity is too long" };
}

static void accepted(void *arg, const struct ws_request *rq, struct link *l)
{
	struct endpoint *e = arg;
	struct peer *p = NEW(struct peer);
	p->at = e;
	p->link = l;
	put(p->identity, sizeof(p->identity), rq->identity);
	l->events = &link_events;
	l->owner = p;
	wire_open(&p->wire, l->version, CALL_TIMEOUT_US, 0, 1, CALLS_MOST);
	wire_link_up(&p->wire, l);
	list_append(&e->csms->peers, &p->entry);
	log_info(&l->log, "%s is here, %s", p->identity, version_subprotocol(l->version));
	links_changed(e, +1);
}

/* --- endpoints --- */

int sim_csms_return(struct sim_csms *c, int endpoint)
{
	struct endpoint *e = &c->endpoints[endpoint];
	if (e->listener)
		return 0;
	struct listener_config conf = { .address = e->address, .port = e->port, .ping_us = 30 * US_PER_S, .pong_timeout_us = 30 * US_PER_S,
		.deflate = true, .judge = judge, .accepted = accepted, .arg = e };
	return listener_open(&conf, &e->listener);
}

void sim_csms_cut(struct sim_csms *c, int endpoint)
{
	struct endpoint *e = &c->endpoints[endpoint];
	if (e->listener)
		listener_close(e->listener);
	e->listener = NULL;
	LIST_WALK(&c->peers, struct peer, entry, p) {
		if (p->at == e)
			forget(p);
	}
}

int sim_csms_listen(struct sim_csms *c, const char *address, int port)
{
	if (c->n_endpoints == SIM_CSMS_ENDPOINTS)
		return ERR_FULL;
	struct endpoint *e = &c->endpoints[c->n_endpoints];
	*e = (struct endpoint){ .csms = c, .address = mem_strdup(address), .port = port };
	int err = sim_csms_return(c, c->n_endpoints);
	if (err) {
		mem_free(e->address);
		return err;
	}
	e->port = listener_port(e->listener);
	return c->n_endpoints++;
}

int sim_csms_port(const struct sim_csms *c, int endpoint)
{
	return c->endpoints[endpoint].port;
}

unsigned sim_csms_links(const struct sim_csms *c, int endpoint)
{
	return c->endpoints[endpoint].links;
}

/* --- the whole --- */

struct sim_csms *sim_csms_open(const struct sim_csms_conf *conf)
{
	struct sim_csms *c = NEW(struct sim_csms);
	c->conf = *conf;
	c->next_tx = conf->first_tx;
	list_init(&c->peers);
	return c;
}

void sim_csms_close(struct sim_csms *c)
{
	c->conf.links = NULL;
	for (int i = 0; i < c->n_endpoints; i++) {
		sim_csms_cut(c, i);
		mem_free(c->endpoints[i].address);
	}
	sim_ledger_free(&c->ledger);
	mem_free(c);
}

void sim_csms_refuse(struct sim_csms *c, bool yes)
{
	c->refuse = yes;
}

void sim_csms_silent(struct sim_csms *c, bool yes)
{
	c->silent = yes;
}

struct sim_ledger *sim_csms_ledger(struct sim_csms *c)
{
	return &c->ledger;
}

uint64_t sim_csms_messages(const struct sim_csms *c)
{
	return c->messages;
}
