/* The group itself: its link towards the CSMS, its boot and heartbeat, the states of its EVSEs. The picture is in group.h.
 *
 * Easy to get wrong: the group's session answers when the CSMS cannot, so the group never waits for the CSMS; and a link inside the box
 * delivers on the next turn of the loop, so nothing here re-enters a session. */
#include "gateway/group/group-local.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config.h"
#include "ocpp/catalogue.h"
#include "ocpp/convert.h"
#include "station/link-local.h"

#define TICK_US US_PER_S
#define RECONNECT_US US_PER_S
#define BOOT_RETRY_US (60 * US_PER_S)
#define TELLING_MOST 8           /* states on their way at once */
#define ASKED_US (600 * US_PER_S) /* a message that came again under another id is answered under that; the first id is forgotten */

struct asking {
	char id[UUID_TEXT];
	const struct action *act;
	group_done *done;
	void *arg;
	int64_t at_us;
};

/* --- towards the CSMS --- */

void group_ask(struct group *g, const struct action *act, struct slice payload, group_done *done, void *arg)
{
	struct buf text = { 0 };
	struct asking *a = NEW(struct asking);
	*a = (struct asking){ .act = act, .done = done, .arg = arg, .at_us = clock_mono_us() };
	uuid_text(a->id);
	frame_write_call(&text, slice_of(a->id), act->name, payload);
	int err = g->link ? link_send(g->link, buf_view(&text)) : ERR_CLOSED;
	buf_free(&text);
	if (!err) {
		map_put(&g->asked, slice_of(a->id), a);
		return;
	}
	if (done)
		done(arg, act, NULL);
	mem_free(a);
}

int group_tell(struct group *g, const struct event *e, group_done *done, void *arg)
{
	struct buf payload = { 0 };
	const struct action *act;
	int err = codec_write_call(g->version, e, &payload, &act);
	if (!err)
		group_ask(g, act, buf_view(&payload), done, arg);
	buf_free(&payload);
	return err;
}

static void on_answer(struct group *g, struct frame *f)
{
	struct asking *a = map_remove(&g->asked, f->id);
	if (!a)
		return;
	if (a->done)
		a->done(a->arg, a->act, f);
	mem_free(a);
}

/* One a turn is enough: they are rare. */
static void forget_oldest(struct group *g)
{
	size_t at = 0;
	struct asking *a;
	while ((a = map_next(&g->asked, &at, NULL))) {
		if (clock_mono_us() - a->at_us < ASKED_US)
			continue;
		map_remove(&g->asked, slice_of(a->id));
		if (a->done)
			a->done(a->arg, a->act, NULL);
		mem_free(a);
		return;
	}
}

static void end_asked(struct group *g)
{
	size_t at = 0;
	struct asking *a;
	struct map asked = g->asked;
	g->asked = (struct map){ 0 };
	while ((a = map_next(&asked, &at, NULL))) {
		if (a->done)
			a->done(a->arg, a->act, NULL);
		mem_free(a);
	}
	map_free(&asked);
}

static void send_up(struct group *g, const struct buf *text)
{
	if (g->link && link_send(g->link, buf_view(text)) != 0)
		log_debug(&g->log, "an answer to the CSMS is dropped");
}

void group_answer(struct group *g, struct slice id, struct slice payload)
{
	struct buf text = { 0 };
	frame_write_result(&text, id, payload);
	send_up(g, &text);
	buf_free(&text);
}

void group_refuse(struct group *g, struct slice id, const char *code, const char *why)
{
	struct buf text = { 0 };
	frame_write_error(&text, id, code, why);
	send_up(g, &text);
	buf_free(&text);
}

void group_answer_status(struct group *g, struct slice id, const struct action *act, struct slice status)
{
	group_answer_reason(g, id, act, status, NULL, NULL);
}

void group_answer_reason(struct group *g, struct slice id, const struct action *act, struct slice status, const char *reason, const char *info)
{
	struct buf payload = { 0 };
	struct reply r;
	reply_init(&r);
	r.status = status;
	r.reason = slice_of(reason);
	r.info = slice_of(info);
	if (convert_reply(g->version, act, &r, &payload) != 0)
		buf_puts(&payload, "{}");
	group_answer(g, id, buf_view(&payload));
	buf_free(&payload);
}

/* --- boot and heartbeat --- */

static void on_boot_due(void *arg)
{
	group_boot(arg, NULL);
}

static void on_heartbeat_due(void *arg)
{
	struct group *g = arg;
	group_heartbeat(g);
	timer_set(&g->heartbeat, g->interval_s * US_PER_S, on_heartbeat_due, g);
}

static void on_boot_answered(void *arg, const struct action *asked, struct frame *answer)
{
	struct group *g = arg;
	struct arena mem = { 0 };
	struct reply r;
	int64_t again_us = BOOT_RETRY_US;
	reply_init(&r);
	if (answer && codec_read_answer(asked, answer, &mem, &r) == 0 && r.interval_s > 0) {
		g->interval_s = r.interval_s;
		again_us = r.interval_s * US_PER_S;
	}
	g->accepted = slice_is(r.status, "Accepted");
	g->refused = r.status.p && !g->accepted;
	if (g->accepted) {
		timer_set(&g->heartbeat, g->interval_s * US_PER_S, on_heartbeat_due, g);
		group_say_states(g);
	} else {
		log_warn(&g->log, "the CSMS does not accept the group yet: %.*s", SLICE_ARG(r.status));
		timer_set(&g->boot, again_us, on_boot_due, g);
	}
	arena_free(&mem);
}

static void all_states_due(struct group *g)
{
	g->whole_due = true;
	LIST_WALK(&g->places, struct place, in_group, p)
		p->due = true;
}

void group_boot(struct group *g, const char *reason)
{
	struct event e;
	event_init(&e, EV_BOOT);
	e.vendor = slice_of(g->conf->vendor);
	e.model = slice_of(g->conf->model);
	e.serial = slice_of(g->conf->identity);
	e.firmware = SLICE(PACKAGE_VERSION);
	e.boot_reason = slice_of(reason ? reason : "PowerUp");
	all_states_due(g);
	if (group_tell(g, &e, on_boot_answered, g) != 0)
		timer_set(&g->boot, BOOT_RETRY_US, on_boot_due, g);
}

void group_heartbeat(struct group *g)
{
	struct event e;
	event_init(&e, EV_HEARTBEAT);
	if (group_tell(g, &e, NULL, NULL) != 0)
		log_debug(&g->log, "no heartbeat could be sent");
}

/* --- states --- */

static void on_state_told(void *arg, const struct action *asked, struct frame *answer)
{
	struct place *p = arg;
	(void)asked, (void)answer;
	p->sending = false;
	p->group->telling--;
	group_say_states(p->group);
}

static void say_state(struct group *g, struct place *p)
{
	struct event e;
	event_init(&e, EV_STATUS);
	e.evse = p->number;
	e.connector = 1;
	e.state = p->told = place_shown(p);
	e.error = slice_of(p->error[0] && e.state == EVSE_FAULTED ? p->error : NULL);
	e.time_us = clock_wall_us();
	p->due = false;
	p->sending = true;
	g->telling++;
	if (group_tell(g, &e, on_state_told, p) != 0)
		on_state_told(p, NULL, NULL);
}

static void say_whole(struct group *g)
{
	struct event e;
	g->whole_due = false;
	if (!dialect_of(g->version)->station_status)
		return;
	event_init(&e, EV_STATUS);
	e.evse = 0;
	e.state = EVSE_AVAILABLE;
	e.time_us = clock_wall_us();
	if (group_tell(g, &e, NULL, NULL) != 0)
		log_debug(&g->log, "the state of the whole could not be told");
}

static void say_due(void *arg)
{
	struct group *g = arg;
	if (!g->link || !g->accepted)
		return;
	if (g->whole_due)
		say_whole(g);
	LIST_WALK(&g->places, struct place, in_group, p) {
		if (g->telling >= TELLING_MOST)
			break;
		if (p->due && !p->sending)
			say_state(g, p);
	}
}

void group_say_states(struct group *g)
{
	later_call(&g->say, say_due, g);
}

/* Who was away for long enough is shown as unavailable, who is back as it was. */
void group_review_states(struct group *g)
{
	LIST_WALK(&g->places, struct place, in_group, p)
		if (!p->sending && place_shown(p) != p->told)
			p->due = true;
	group_say_states(g);
}

static void on_tick(void *arg)
{
	struct group *g = arg;
	members_greet(g);
	forget_oldest(g);
	group_review_states(g);
	group_limit_look(g);
	group_jobs_look(g);
	timer_set(&g->tick, TICK_US, on_tick, g);
}

/* --- the group's own link --- */

static void connect(void *arg);

static void on_face_up(void *owner, struct link *l)
{
	struct group *g = owner;
	(void)l;
	group_boot(g, NULL);
}

static void on_face_text(void *owner, struct link *l, struct slice text)
{
	struct group *g = owner;
	struct frame f;
	struct frame_fault fault;
	if (frame_parse(&f, l->version, text, &fault) != 0)
		return; /* its session has looked already */
	if (f.kind == FRAME_CALL)
		group_csms_call(g, &f);
	else if (f.kind == FRAME_RESULT || f.kind == FRAME_ERROR)
		on_answer(g, &f);
	frame_done(&f);
}

static void on_face_down(void *owner, struct link *l, const struct link_end *why)
{
	struct group *g = owner;
	(void)why;
	g->link = NULL;
	g->accepted = false;
	link_release(l);
	end_asked(g);
	timer_set(&g->reconnect, RECONNECT_US, connect, g);
}

static const struct link_events face_events = { on_face_up, on_face_text, NULL, on_face_down };

static void connect(void *arg)
{
	struct group *g = arg;
	struct link *theirs;
	link_local_pair(g->version, g->conf->identity, &g->link, &theirs);
	g->link->events = &face_events;
	g->link->owner = g;
	session_attach(g->face, theirs);
}

/* --- life --- */

static struct group *group_new(struct gateway *gw, const struct uplink_settings *conf)
{
	struct group *g = NEW(struct group);
	g->gw = gw;
	g->conf = conf;
	g->version = (enum ocpp_version)(conf->version - UPLINK_FIRST_VERSION);
	g->log = (struct log){ NULL, "group", conf->id };
	g->face = session_of(gw, slice_of(conf->identity));
	g->interval_s = 300;
	g->list_version = -1;
	list_init(&g->gathers);
	places_open(g);
	txs_open(g);
	group_monitors_open(g);
	group_certs_open(g);
	group_jobs_open(g);
	connect(g);
	timer_set(&g->tick, TICK_US, on_tick, g);
	log_info(&g->log, "shown as %s, %s, with %d numbers", conf->identity, version_subprotocol(g->version), places_count(g));
	return g;
}

void groups_open(struct gateway *gw)
{
	struct group **end = gw->groups = mem_new((gw->conf->n_uplinks + 1) * sizeof(struct group *));
	for (size_t i = 0; i < gw->conf->n_uplinks; i++)
		if (gw->conf->uplinks[i].mode == UPLINK_AGGREGATE)
			*end++ = group_new(gw, &gw->conf->uplinks[i]);
}

static void group_close(struct group *g)
{
	struct link *l = g->link;
	g->link = NULL;
	if (l)
		link_release(l);
	end_asked(g);
	members_close(g);
	told_close(g);
	group_jobs_close(g);
	/* Those who were told that no answer comes may have set timers. */
	timer_cancel(&g->boot);
	timer_cancel(&g->heartbeat);
	timer_cancel(&g->tick);
	timer_cancel(&g->reconnect);
	later_cancel(&g->say);
	group_monitors_close(g);
	group_certs_close(g);
	txs_close(g);
	places_close(g);
	mem_free(g);
}

void groups_close(struct gateway *gw)
{
	struct group **all = gw->groups;
	gw->groups = NULL;
	for (struct group **g = all; g && *g; g++)
		group_close(*g);
	mem_free(all);
}

static struct group *group_named(struct group **all, const char *id)
{
	for (; all && *all; all++)
		if (strcmp((*all)->conf->id, id) == 0)
			return *all;
	return NULL;
}

void groups_take_settings(struct gateway *gw)
{
	for (size_t i = 0; i < gw->conf->n_uplinks; i++) {
		struct group *g = group_named(gw->groups, gw->conf->uplinks[i].id);
		if (!g)
			continue;
		g->conf = &gw->conf->uplinks[i];
		places_configure(g);
		group_say_states(g);
	}
}

/* By name: while a configuration is being changed a session may still have the one before. */
struct group *group_of(const struct session *s)
{
	return s->conf->uplink && !s->group ? group_named(s->gw->groups, s->conf->uplink->id) : NULL;
}

void group_security_event(struct group *g, const char *type, const char *info)
{
	struct event e;
	if (!g)
		return;
	event_init(&e, EV_SECURITY);
	e.word = dialect_security_event(dialect_of(g->version), slice_of(type));
	e.value = slice_of(info);
	e.time_us = clock_wall_us();
	if (group_tell(g, &e, NULL, NULL) != 0)
		log_warn(&g->log, "the security event %s could not be told", type);
}

struct group *group_find(const struct gateway *gw, const char *uplink)
{
	return group_named(gw->groups, uplink);
}

/* --- the map --- */

static bool is_configured(const struct place *p)
{
	const struct settings *conf = p->group->gw->conf;
	int n;
	return settings_station(conf, slice_of(p->station)) || settings_own_station(conf, slice_of(p->station), &n);
}

static void write_place(const struct place *p, struct json_writer *w)
{
	const struct member *m = group_member(p->group, p->station);
	jw_object(w, NULL);
	jw_int(w, "number", p->number);
	jw_string(w, "station", p->station);
	jw_int(w, "evse", p->evse);
	jw_string(w, "state", evse_state_text(place_shown(p)));
	jw_bool(w, "connected", m && member_is_here(m));
	jw_bool(w, "configured", is_configured(p));
	jw_end(w, '}');
}

void group_write_map(const struct group *g, struct json_writer *w)
{
	jw_array(w, NULL);
	LIST_WALK(&g->places, struct place, in_group, p)
		write_place(p, w);
	jw_end(w, ']');
}
