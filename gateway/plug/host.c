/* Objects of plugins are units. A unit whose plugin may block belongs to the worker of its bus after it was created: only the worker
 * touches its schedule and calls it. Others are called by a timer of the loop. Either way one function does a unit's turn and its result
 * travels as mail, so both look alike to whoever asked.
 *
 *   loop                                            worker of a bus
 *   host_evse_set  --- order ---------------------> switch, remember
 *   beat, each 0.5 s --- beat ---------------------> the loop lives; without it for 5 s every relay is opened
 *   on_sample, on_state <--- report --------------- the unit that is due longest; orders repeated each second
 *
 * An EVSE's order exists from the start, and the first one is to open: whatever an earlier process left closed.
 * The keep-alive counts on the beat: a worker that repeated orders by itself would hold contactors closed for a loop that hangs. */
#include "gateway/plug/host.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/plug/modules.h"

#define BEAT_US (500 * US_PER_MS)
#define REFRESH_US US_PER_S
#define METER_POLL_US US_PER_S
#define EVSE_POLL_US (200 * US_PER_MS)
#define OUTLET_POLL_US (20 * US_PER_MS)
#define READER_REST_US US_PER_S /* after a failure */
#define LOOP_BUDGET_US (5 * US_PER_MS)
#define SILENT_US (5 * US_PER_S) /* and three polls */
#define FAULT_TEXT 256
/* A plugin may be older than the end of the struct. */
#define TOKEN_TEXT 256
#define SCAN_TEXT 8192
#define SCAN_REST_US (5 * US_PER_MS)

struct driver {
	struct list entry;
	char name[48];
	const ag_plugin *plugin;
};

struct worker {
	struct list entry;
	char *bus;              /* NULL: of one unit */
	struct host *host;
	struct inbox *inbox;
	pthread_t thread;
	struct list units;      /* the worker's */
	int64_t beat_us;        /* the worker's: when the loop was last heard of */
	int64_t dead_us;        /* how long it may be silent; the worker's */
	size_t n_units;         /* the loop's */
};

struct unit {
	struct list in_host, in_worker;
	struct host *host;
	ag_host api;            /* what its plugin sees of us; ctx is the unit */
	const ag_plugin *plugin;
	void *self;
	uint32_t kind;          /* AG_METER, AG_EVSE, AG_GRID, AG_SINK, AG_AUTH, AG_SCAN */
	bool outlet;            /* AG_EVSE, by its pins */
	int handle;
	char *id;
	struct log log;
	struct worker *worker;  /* NULL: called on the loop */
	host_on_sample *on_sample;
	host_on_state *on_state;
	host_on_pins *on_pins;
	host_on_token *on_token;
	host_on_grid *on_grid;
	host_on_scan *on_scan;
	void *arg;
	bool failing;           /* the last word was a fault; the loop's */
	int64_t heard_us;       /* its last word, or that there was none; the loop's */
	int64_t missed_us;      /* when it was last told that there is none; the loop's */
	bool slow;              /* its plugin once took too long on the loop */
	/* Of whoever calls the plugin: */
	struct timer timer;
	int64_t poll_us, due_us, refresh_us;
	struct wish {           /* the order that is kept alive; all zero: open, pilot steady */
		double amps[3];
		ag_drive drive; /* of an outlet */
	} wish;
	ag_drive driven;        /* the last one that its driver took */
	bool reader_failed;     /* and was reported */
	bool within;            /* a sink's plugin is being called: what it says of itself waits for the next turn of the loop */
	bool scanned;           /* the search is over */
	bool dropped;           /* the loop's: nobody wants to hear of it any more */
};

struct host {
	struct host_events events;
	void *arg;
	struct mailbox *mailbox;
	struct list drivers, units, workers;
	struct timer beat;
	int64_t beaten_us;
	int n_units;
	bool closing;           /* results that arrive now are dropped */
};

/* ---- mail ---- */

/* From a unit's turn to the loop. */
struct report {
	struct mail mail;
	struct unit *unit;
	int rc;
	ag_meter_sample sample;
	ag_evse_state state;
	ag_pins pins;
	ag_drive of;            /* what was driven then */
	char token[TOKEN_TEXT];
	ag_grid_state grid;
	char *json;             /* of a search; NULL: nothing new */
	bool over;
	char fault[FAULT_TEXT];
};

/* To a worker. unit NULL: a beat; attach: the unit is new; detach: it goes; else an order. */
struct order {
	struct mail mail;
	struct unit *unit;
	bool attach, detach;
	struct wish wish;
};

/* What a sink said of itself while it was called. */
struct saying {
	struct mail mail;
	struct unit *unit;
	uint64_t mark;          /* 0: its connection */
	bool up;
	char why[FAULT_TEXT];
};

/* A plugin's call on the loop. */
struct call {
	struct mail mail;
	void (*fn)(void *arg);
	void *arg;
};

static void on_report(struct mail *mail, void *arg)
{
	struct report *r = (struct report *)(void *)mail;
	struct unit *u = r->unit;
	const char *fault = r->rc == 0 ? NULL : r->fault;
	u->failing = fault != NULL;
	u->heard_us = clock_mono_us();
	(void)arg;
	if (u->host->closing || u->dropped)
		;
	else if (u->kind == AG_SCAN)
		u->on_scan(u->arg, r->json, r->over, fault);
	else if (u->kind == AG_METER)
		u->on_sample(u->arg, fault ? NULL : &r->sample, fault);
	else if (u->kind == AG_AUTH)
		u->on_token(u->arg, fault ? NULL : r->token, fault);
	else if (u->outlet)
		u->on_pins(u->arg, fault ? NULL : &r->pins, &r->of, (int64_t)r->sample.mono_us, fault);
	else if (u->kind == AG_GRID)
		u->on_grid(u->arg, fault ? NULL : &r->grid, fault);
	else
		u->on_state(u->arg, fault ? NULL : &r->state, fault);
	mem_free(r->json);
	mem_free(r);
}

/* A plugin from a file may give any number, which says nothing. */
static bool is_ours(int rc)
{
	return rc >= ERR_FIRST && rc <= ERR_LAST;
}

static void report(struct unit *u, struct report *r)
{
	const char *why = u->plugin->fault ? u->plugin->fault(u->self) : "";
	if (r->rc != 0)
		snprintf(r->fault, sizeof(r->fault), "%s", why[0] ? why : is_ours(r->rc) ? err_text(r->rc) : "its driver does not say why");
	r->unit = u;
	r->mail.deliver = on_report;
	mailbox_post(u->host->mailbox, &r->mail);
}

/* ---- a unit's turn: on its worker, or on the loop ---- */

static void set_evse(struct unit *u)
{
	u->refresh_us = clock_mono_us() + (u->outlet ? HOST_DRIVE_US : REFRESH_US);
	int rc = u->outlet ? u->plugin->evse_drive(u->self, 1, &u->wish.drive) : u->plugin->evse_set(u->self, 1, u->wish.amps);
	if (rc == 0) {
		u->driven = u->wish.drive;
		return;
	}
	struct report *r = NEW(struct report);
	r->rc = rc;
	report(u, r);
}

static void order_wish(struct unit *u, const struct wish *wish)
{
	u->wish = *wish;
	set_evse(u);
}

/* Waits for a card. Only what is new is told: a token, or that the reader failed. */
static void poll_reader(struct unit *u)
{
	struct report *r = NEW(struct report);
	int rc = u->plugin->auth_poll(u->self, r->token, sizeof(r->token));
	bool news = rc > 0 || (rc < 0 && !u->reader_failed);
	u->reader_failed = rc < 0;
	u->due_us = clock_mono_us() + (rc < 0 ? READER_REST_US : 0);
	r->rc = rc < 0 ? rc : 0;
	if (news)
		report(u, r);
	else
		mem_free(r);
}

static bool is_alone(const struct unit *u)
{
	return u->worker->units.next == u->worker->units.prev;
}

/* One step, then as long a rest as it took: at least half of the bus's time is for the others, and what is due comes first anyway. */
static void step_search(struct unit *u)
{
	char json[SCAN_TEXT] = "";
	int64_t began = clock_mono_us();
	int rc = u->plugin->scan(u->self, json, sizeof(json));
	int64_t now = clock_mono_us();
	u->scanned = rc < 0 || rc == AG_SCAN_LAST || rc == AG_SCAN_OVER;
	u->due_us = u->scanned ? INT64_MAX : is_alone(u) ? now : now + (now - began) + SCAN_REST_US;
	if (rc == AG_SCAN_GOES_ON)
		return;
	struct report *r = NEW(struct report);
	r->rc = rc < 0 ? rc : 0;
	r->json = rc == AG_SCAN_NEWS || rc == AG_SCAN_LAST ? mem_strdup(json) : NULL;
	r->over = u->scanned;
	report(u, r);
}

static void poll_unit(struct unit *u)
{
	struct report *r = NEW(struct report);
	r->of = u->driven;
	if (u->kind == AG_METER)
		r->rc = u->plugin->meter_poll(u->self, &r->sample);
	else if (u->outlet)
		r->rc = u->plugin->evse_pins(u->self, 1, &r->pins);
	else if (u->kind == AG_GRID)
		r->rc = u->plugin->grid_poll(u->self, &r->grid);
	else
		r->rc = u->plugin->evse_state(u->self, 1, &r->state);
	if (!r->sample.mono_us)
		r->sample.mono_us = (uint64_t)clock_mono_us();
	report(u, r);
}

/* What is due now; late polls are not made up for. */
static void turn(struct unit *u)
{
	int64_t now = clock_mono_us();
	if (u->kind == AG_EVSE && u->refresh_us <= now)
		set_evse(u);
	if (u->due_us > now)
		return;
	if (u->kind == AG_AUTH) {
		poll_reader(u);
		return;
	}
	if (u->kind == AG_SCAN) {
		step_search(u);
		return;
	}
	poll_unit(u);
	u->due_us = u->due_us + u->poll_us > now ? u->due_us + u->poll_us : now + u->poll_us;
}

static int64_t next_turn(const struct unit *u)
{
	return u->kind == AG_EVSE && u->refresh_us < u->due_us ? u->refresh_us : u->due_us;
}

static void on_loop_turn(void *arg)
{
	struct unit *u = arg;
	int64_t start = clock_mono_us();
	turn(u);
	int64_t took = clock_mono_us() - start;
	if (took > LOOP_BUDGET_US && !u->slow) {
		u->slow = true;
		log_warn(&u->log, "plugin %s took %lld ms of the loop's time", u->plugin->name, (long long)(took / US_PER_MS));
	}
	int64_t wait = next_turn(u) - clock_mono_us();
	timer_set(&u->timer, wait > 0 ? wait : 0, on_loop_turn, u);
}

/* ---- workers ---- */

static void on_gone(struct mail *mail, void *arg);

/* The worker has forgotten it; the loop does the rest. */
static void detach(struct unit *u)
{
	struct report *r = NEW(struct report);
	list_remove(&u->in_worker);
	r->unit = u;
	r->mail.deliver = on_gone;
	mailbox_post(u->host->mailbox, &r->mail);
}

static void on_order(struct mail *mail, void *arg)
{
	struct order *o = (struct order *)(void *)mail;
	struct worker *w = arg;
	if (!o->unit)
		w->beat_us = clock_mono_us();
	else if (o->detach)
		detach(o->unit);
	else if (!o->attach)
		order_wish(o->unit, &o->wish);
	else
		list_append(&w->units, &o->unit->in_worker);
	if (o->attach && o->unit->outlet)
		w->dead_us = HOST_PINS_DEAD_US;
	mem_free(o);
}

static struct unit *most_urgent(struct worker *w)
{
	struct unit *first = NULL;
	LIST_WALK(&w->units, struct unit, in_worker, u)
		if (!first || next_turn(u) < next_turn(first))
			first = u;
	return first;
}

/* Opens every relay that is not open already. */
static bool is_on(const struct unit *u)
{
	const struct wish *w = &u->wish;
	return w->amps[0] > 0 || w->amps[1] > 0 || w->amps[2] > 0 || w->drive.close_1 || w->drive.close_2 || w->drive.pilot == AG_PILOT_PWM;
}

static void open_relays(struct worker *w, const char *why)
{
	static const struct wish none;
	LIST_WALK(&w->units, struct unit, in_worker, u) {
		if (u->kind != AG_EVSE || !is_on(u))
			continue;
		log_warn(&u->log, "contactor opened: %s", why);
		order_wish(u, &none);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	while (!inbox_stopped(w->inbox)) {
		struct unit *u = most_urgent(w);
		int64_t now = clock_mono_us(), dead = w->beat_us + w->dead_us, next = u && next_turn(u) < dead ? next_turn(u) : dead;
		/* Orders go before polls, so the inbox is looked into each time round. */
		if (inbox_serve(w->inbox, next > now ? next - now : 0))
			continue;
		if (clock_mono_us() >= w->beat_us + w->dead_us) {
			open_relays(w, "the program does not respond");
			w->beat_us = clock_mono_us();
		}
		if (u && next_turn(u) <= clock_mono_us())
			turn(u);
	}
	while (inbox_serve(w->inbox, 0))
		;
	open_relays(w, "the program ends");
	return NULL;
}

static void post_order(struct worker *w, struct unit *u, bool attach, const struct wish *wish)
{
	struct order *o = NEW(struct order);
	o->mail.deliver = on_order;
	o->unit = u;
	o->attach = attach;
	if (wish)
		o->wish = *wish;
	inbox_post(w->inbox, &o->mail);
}

static void post_detach(struct worker *w, struct unit *u)
{
	struct order *o = NEW(struct order);
	o->mail.deliver = on_order;
	o->unit = u;
	o->detach = true;
	inbox_post(w->inbox, &o->mail);
}

static void tell_silence(struct unit *u, int64_t now)
{
	char fault[FAULT_TEXT];
	snprintf(fault, sizeof(fault), "its driver has not answered for %lld s", (long long)((now - u->heard_us) / US_PER_S));
	u->failing = true;
	u->missed_us = now;
	if (u->kind == AG_METER)
		u->on_sample(u->arg, NULL, fault);
	else
		u->on_grid(u->arg, NULL, fault);
}

/* A worker that does not come back from a call says nothing, and whoever waits for it is told so, once a second. Who drives an EVSE has a
 * patience of his own. After a loop that stood still the words may be here and not yet read, so all begin anew. */
static void look_for_silence(struct host *h)
{
	int64_t now = clock_mono_us();
	bool stood = now - h->beaten_us > 4 * BEAT_US;
	h->beaten_us = now;
	LIST_WALK(&h->units, struct unit, in_host, u) {
		int64_t patience = 3 * u->poll_us > SILENT_US ? 3 * u->poll_us : SILENT_US;
		if (stood)
			u->heard_us = now;
		if (u->worker && (u->kind & (AG_METER | AG_GRID)) && !u->dropped && now - u->heard_us >= patience && now - u->missed_us >= US_PER_S)
			tell_silence(u, now);
	}
}

static void on_beat(void *arg)
{
	struct host *h = arg;
	look_for_silence(h);
	LIST_WALK(&h->workers, struct worker, entry, w)
		post_order(w, NULL, false, NULL);
	timer_set(&h->beat, BEAT_US, on_beat, h);
}

/* Signals are the loop's business. */
static int start_thread(struct worker *w)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

static int worker_for(struct host *h, const char *bus, struct worker **out)
{
	LIST_WALK(&h->workers, struct worker, entry, w) {
		if (bus && w->bus && strcmp(bus, w->bus) == 0) {
			*out = w;
			return 0;
		}
	}
	struct worker *w = NEW(struct worker);
	w->host = h;
	w->bus = mem_strdup(bus);
	w->beat_us = clock_mono_us();
	w->dead_us = HOST_DEAD_US;
	list_init(&w->units);
	w->inbox = inbox_open(w);
	int rc = start_thread(w);
	if (rc != 0) {
		inbox_close(w->inbox);
		mem_free(w->bus);
		mem_free(w);
		return rc;
	}
	list_append(&h->workers, &w->entry);
	*out = w;
	return 0;
}

/* ---- what plugins may call ---- */

static void api_log(const ag_host *a, int level, const char *text)
{
	const struct unit *u = a->ctx;
	log_at(level < LVL_ERROR ? LVL_ERROR : level > LVL_DEBUG ? LVL_DEBUG : (enum log_level)level, &u->log, "%s", text);
}

static void on_call(struct mail *mail, void *arg)
{
	struct call *c = (struct call *)(void *)mail;
	(void)arg;
	c->fn(c->arg);
	mem_free(c);
}

static void api_post(const ag_host *a, void (*fn)(void *arg), void *arg)
{
	const struct unit *u = a->ctx;
	struct call *c = NEW(struct call);
	c->mail.deliver = on_call;
	c->fn = fn;
	c->arg = arg;
	mailbox_post(u->host->mailbox, &c->mail);
}

static uint64_t api_now_us(const ag_host *a)
{
	(void)a;
	return (uint64_t)clock_mono_us();
}

static void api_command(const ag_host *a, const char *verb, const char *json, void (*reply)(void *arg, const char *json), void *arg)
{
	const struct unit *u = a->ctx;
	struct host *h = u->host;
	if (h->closing || !h->events.command)
		reply(arg, "{\"ok\":false,\"error\":{\"code\":\"unavailable\",\"detail\":\"no commands are taken now\"}}");
	else
		h->events.command(h->arg, u->id, verb, json, reply, arg);
}

static void tell_sink(struct unit *u, uint64_t mark, bool up, const char *why)
{
	struct host *h = u->host;
	if (!mark)
		u->failing = !up;
	if (h->closing)
		return;
	if (mark && h->events.sink_sent)
		h->events.sink_sent(h->arg, u->id, mark);
	else if (!mark && h->events.sink_state)
		h->events.sink_state(h->arg, u->id, up, why);
}

static void on_saying(struct mail *mail, void *arg)
{
	struct saying *s = (struct saying *)(void *)mail;
	(void)arg;
	tell_sink(s->unit, s->mark, s->up, s->why);
	mem_free(s);
}

/* A sink that has nothing to wait for says that it is there when it is made, and that it has a message when it is given it. */
static void say_or_tell(struct unit *u, uint64_t mark, bool up, const char *why)
{
	if (!u->within) {
		tell_sink(u, mark, up, why);
		return;
	}
	struct saying *s = NEW(struct saying);
	s->mail.deliver = on_saying;
	s->unit = u;
	s->mark = mark;
	s->up = up;
	snprintf(s->why, sizeof(s->why), "%s", why ? why : "");
	mailbox_post(u->host->mailbox, &s->mail);
}

static void api_sink_state(const ag_host *a, int up, const char *why)
{
	say_or_tell(a->ctx, 0, up != 0, why);
}

static void api_sink_sent(const ag_host *a, uint64_t mark)
{
	if (mark)
		say_or_tell(a->ctx, mark, false, NULL);
}

/* ---- objects ---- */

static const ag_plugin *find_plugin(struct host *h, const char *driver, uint32_t kind)
{
	LIST_WALK(&h->drivers, struct driver, entry, d)
		if (strcmp(d->name, driver) == 0 && (d->plugin->kinds & kind))
			return d->plugin;
	return NULL;
}

static void free_unit(struct unit *u)
{
	list_remove(&u->in_host);
	timer_cancel(&u->timer);
	if (u->self)
		u->plugin->destroy(u->self);
	mem_free(u->id);
	mem_free(u);
}

static struct unit *make_unit(struct host *h, uint32_t kind, const ag_plugin *plugin, const struct host_conf *conf)
{
	static const char *const keys[] = { [AG_METER] = "meter", [AG_EVSE] = "evse", [AG_GRID] = "grid", [AG_SINK] = "sink", [AG_AUTH] = "reader",
		[AG_SCAN] = "search" };
	struct unit *u = NEW(struct unit);
	u->host = h;
	u->plugin = plugin;
	u->kind = kind;
	u->handle = h->n_units;
	u->id = mem_strdup(conf->id);
	u->log = (struct log){ .key = keys[kind], .value = u->id };
	u->poll_us = conf->poll_us ? conf->poll_us : kind == AG_METER ? METER_POLL_US : EVSE_POLL_US;
	u->due_us = u->heard_us = clock_mono_us();
	u->api = (ag_host){ sizeof(u->api), u, api_log, api_post, api_now_us, api_command, api_sink_state, api_sink_sent };
	list_append(&h->units, &u->in_host);
	return u;
}

/* Whatever it gave, a refusal is one of ours with a text. */
static int create_self(struct unit *u, const struct host_conf *conf, char *err, size_t errlen)
{
	u->within = true;
	int rc = u->plugin->create(&u->api, conf->id, conf->config, &u->self, err, errlen);
	u->within = false;
	if (rc == 0)
		return 0;
	u->self = NULL; /* nothing was made */
	if (!err[0])
		snprintf(err, errlen, "driver '%s' refuses it and does not say why", conf->driver);
	return ERR_INVALID;
}

/* The unit, created and not yet called; NULL with *rc_out and err. */
static struct unit *open_unit(struct host *h, uint32_t kind, const struct host_conf *conf, int *rc_out, char *err, size_t errlen)
{
	const ag_plugin *plugin = find_plugin(h, conf->driver, kind);
	if (!plugin) {
		snprintf(err, errlen, "no driver '%s' for this", conf->driver);
		*rc_out = ERR_NOT_FOUND;
		return NULL;
	}
	struct unit *u = make_unit(h, kind, plugin, conf);
	err[0] = 0;
	*rc_out = create_self(u, conf, err, errlen);
	/* A sink is not polled, and publishes on the loop. */
	if (*rc_out == 0 && (plugin->flags & AG_F_THREAD) && kind != AG_SINK)
		*rc_out = worker_for(h, plugin->bus ? plugin->bus(u->self) : NULL, &u->worker);
	if (*rc_out == 0)
		return u;
	free_unit(u);
	return NULL;
}

static int start_unit(struct unit *u)
{
	u->host->n_units++;
	if (u->worker)
		u->worker->n_units++;
	if (u->worker)
		post_order(u->worker, u, true, NULL);
	else if (u->kind != AG_SINK)
		timer_set(&u->timer, 0, on_loop_turn, u);
	return u->handle;
}

static struct unit *unit_of(struct host *h, int handle, uint32_t kind)
{
	LIST_WALK(&h->units, struct unit, in_host, u)
		if (u->handle == handle && u->kind == kind)
			return u;
	return NULL;
}

int host_open(struct host **out, const struct host_events *events, void *arg)
{
	struct host *h = NEW(struct host);
	int rc = mailbox_open(&h->mailbox, h);
	if (rc != 0) {
		mem_free(h);
		return rc;
	}
	if (events)
		h->events = *events;
	h->arg = arg;
	list_init(&h->drivers);
	list_init(&h->units);
	list_init(&h->workers);
	for (const struct ag_builtin *b = ag_builtins; b->driver; b++)
		host_driver(h, b->driver, b->plugin());
	h->beaten_us = clock_mono_us();
	timer_set(&h->beat, BEAT_US, on_beat, h);
	*out = h;
	return 0;
}

static void open_loop_relays(struct host *h)
{
	static const struct wish none;
	LIST_WALK(&h->units, struct unit, in_host, u)
		if (u->kind == AG_EVSE && !u->worker)
			order_wish(u, &none);
}

static void end_worker(struct worker *w)
{
	inbox_stop(w->inbox);
	pthread_join(w->thread, NULL);
	inbox_close(w->inbox);
	list_remove(&w->entry);
	mem_free(w->bus);
	mem_free(w);
}

/* All are told to stop before the first is waited for. */
static void end_workers(struct host *h)
{
	LIST_WALK(&h->workers, struct worker, entry, s)
		inbox_stop(s->inbox);
	LIST_WALK(&h->workers, struct worker, entry, w)
		end_worker(w);
}

/* A worker without units is idle, so its end is not waited for long. While the host closes, it frees everything itself. */
static void on_gone(struct mail *mail, void *arg)
{
	struct report *r = (struct report *)(void *)mail;
	struct unit *u = r->unit;
	struct host *h = arg;
	mem_free(r);
	if (h->closing)
		return;
	struct worker *w = u->worker;
	free_unit(u);
	if (w && --w->n_units == 0)
		end_worker(w);
}

void host_close(struct host **host)
{
	struct host *h = *host;
	*host = NULL;
	if (!h)
		return;
	h->closing = true;
	timer_cancel(&h->beat);
	open_loop_relays(h);
	end_workers(h);
	/* What was posted refers to units and to objects of plugins: deliver it while they live, and once more what destroy left behind. */
	mailbox_drain(h->mailbox);
	LIST_WALK(&h->units, struct unit, in_host, u) {
		timer_cancel(&u->timer);
		u->plugin->destroy(u->self);
		u->self = NULL;
	}
	mailbox_drain(h->mailbox);
	LIST_WALK(&h->units, struct unit, in_host, f)
		free_unit(f);
	mailbox_close(h->mailbox);
	LIST_WALK(&h->drivers, struct driver, entry, d) {
		list_remove(&d->entry);
		mem_free(d);
	}
	mem_free(h);
}

void host_driver(struct host *h, const char *driver, const ag_plugin *plugin)
{
	struct driver *d = NEW(struct driver);
	snprintf(d->name, sizeof(d->name), "%s", driver);
	d->plugin = plugin;
	list_append(&h->drivers, &d->entry);
}

int host_meter(struct host *h, const struct host_conf *conf, host_on_sample *on_sample, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_METER, conf, &rc, err, errlen);
	if (!u)
		return rc;
	u->on_sample = on_sample;
	u->arg = arg;
	return start_unit(u);
}

int host_evse(struct host *h, const struct host_conf *conf, host_on_state *on_state, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_EVSE, conf, &rc, err, errlen);
	if (!u)
		return rc;
	u->on_state = on_state;
	u->arg = arg;
	return start_unit(u);
}

int host_grid(struct host *h, const struct host_conf *conf, host_on_grid *on_grid, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_GRID, conf, &rc, err, errlen);
	if (!u)
		return rc;
	u->on_grid = on_grid;
	u->arg = arg;
	return start_unit(u);
}

int host_sink(struct host *h, const struct host_conf *conf, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_SINK, conf, &rc, err, errlen);
	return u ? start_unit(u) : rc;
}

bool host_driver_has_pins(struct host *h, const char *driver)
{
	LIST_WALK(&h->drivers, struct driver, entry, d)
		if (strcmp(d->name, driver) == 0)
			return PLUGIN_HAS(d->plugin, evse_pins) && PLUGIN_HAS(d->plugin, evse_drive);
	return false;
}

int host_outlet(struct host *h, const struct host_conf *conf, host_on_pins *on_pins, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_EVSE, conf, &rc, err, errlen);
	if (!u)
		return rc;
	if (!PLUGIN_HAS(u->plugin, evse_pins) || !PLUGIN_HAS(u->plugin, evse_drive)) {
		snprintf(err, errlen, "driver '%s' gives no pins", conf->driver);
		free_unit(u);
		return ERR_UNSUPPORTED;
	}
	u->outlet = true;
	u->poll_us = conf->poll_us ? conf->poll_us : OUTLET_POLL_US;
	u->on_pins = on_pins;
	u->arg = arg;
	return start_unit(u);
}

int host_reader(struct host *h, const struct host_conf *conf, host_on_token *on_token, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_AUTH, conf, &rc, err, errlen);
	if (!u)
		return rc;
	if (!PLUGIN_HAS(u->plugin, auth_poll) || !u->worker) {
		snprintf(err, errlen, "driver '%s' reads no cards", conf->driver);
		free_unit(u);
		return ERR_UNSUPPORTED;
	}
	u->on_token = on_token;
	u->arg = arg;
	return start_unit(u);
}

int host_scan(struct host *h, const struct host_conf *conf, host_on_scan *on_scan, void *arg, char *err, size_t errlen)
{
	int rc;
	struct unit *u = open_unit(h, AG_SCAN, conf, &rc, err, errlen);
	if (!u)
		return rc;
	if (!PLUGIN_HAS(u->plugin, scan) || !u->worker) {
		snprintf(err, errlen, "driver '%s' looks for nothing", conf->driver);
		free_unit(u);
		return ERR_UNSUPPORTED;
	}
	u->on_scan = on_scan;
	u->arg = arg;
	return start_unit(u);
}

static bool was_seen(const struct host *h, const struct unit *until)
{
	LIST_WALK(&h->units, struct unit, in_host, u) {
		if (u == until)
			return false;
		if (u->plugin == until->plugin)
			return true;
	}
	return false;
}

void host_plugins(const struct host *h, void (*see)(void *arg, const struct host_plugin *p), void *arg)
{
	LIST_WALK(&h->units, struct unit, in_host, first) {
		struct host_plugin p = { first->plugin->name, first->plugin->version, 0, 0 };
		if (was_seen(h, first))
			continue;
		LIST_WALK(&h->units, struct unit, in_host, u) {
			p.units += u->plugin == first->plugin;
			p.failing += u->plugin == first->plugin && u->failing;
		}
		see(arg, &p);
	}
}

/* What it has posted already is dropped when it arrives; the mail that it is gone comes behind that. */
void host_drop(struct host *h, int handle)
{
	LIST_WALK(&h->units, struct unit, in_host, u) {
		if (u->handle != handle || u->dropped || !(u->kind & (AG_METER | AG_SCAN | AG_GRID)))
			continue;
		u->dropped = true;
		timer_cancel(&u->timer);
		if (u->worker)
			post_detach(u->worker, u);
		else
			detach(u);
		return;
	}
}

static void wish_for(struct host *h, int evse, const struct wish *wish)
{
	struct unit *u = unit_of(h, evse, AG_EVSE);
	if (u && u->worker)
		post_order(u->worker, u, false, wish);
	else if (u)
		order_wish(u, wish);
}

void host_evse_set(struct host *h, int evse, const double amps[3])
{
	struct wish wish = { .amps = { amps[0], amps[1], amps[2] } };
	wish_for(h, evse, &wish);
}

void host_evse_drive(struct host *h, int evse, const ag_drive *d)
{
	struct wish wish = { .drive = *d };
	wish_for(h, evse, &wish);
}

int host_publish(struct host *h, int sink, const ag_message *m)
{
	struct unit *u = unit_of(h, sink, AG_SINK);
	if (!u)
		return ERR_NOT_FOUND;
	bool was = u->within;
	u->within = true;
	int rc = u->plugin->publish(u->self, m);
	u->within = was;
	return rc;
}
