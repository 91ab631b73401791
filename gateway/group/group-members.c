/* The members of a group, and the links on which their lanes end here. To a member's session the group is a CSMS: what it asks is answered
 * (group-up.c), what the CSMS asks of the group is put to it by `member_ask`.
 *
 * Easy to get wrong: a lane is there while its station is, and also while messages of a station that left wait: `member_is_here` tells. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "ocpp/convert.h"
#include "station/link-local.h"

#define CALLS_MOST 64            /* to one member, waiting at once */
#define MEMBER_US (65 * US_PER_S) /* longer than its session waits for the station */
#define GREET_US (2 * US_PER_S)  /* after a station came: it boots first */

struct member *group_member(const struct group *g, const char *station)
{
	return map_get(&g->members, slice_of(station));
}

bool member_is_here(const struct member *m)
{
	return m->session->link && m->link;
}

static void member_send(struct member *m, const struct buf *text)
{
	if (m->link && link_send(m->link, buf_view(text)) != 0)
		log_debug(&m->session->log, "an answer of the group is dropped");
}

void group_member_answer(struct member *m, struct slice id, struct slice payload)
{
	struct buf text = { 0 };
	frame_write_result(&text, id, payload);
	member_send(m, &text);
	buf_free(&text);
}

void group_member_refuse(struct member *m, struct slice id, const char *code, const char *why)
{
	struct buf text = { 0 };
	frame_write_error(&text, id, code, why);
	member_send(m, &text);
	buf_free(&text);
}

static void on_member_text(void *owner, struct link *l, struct slice text)
{
	struct member *m = owner;
	struct frame f;
	struct frame_fault fault;
	if (frame_parse(&f, l->version, text, &fault) != 0)
		return; /* its session has looked already */
	if (f.kind == FRAME_CALL)
		group_member_call(m, &f);
	else if (f.kind == FRAME_RESULT || f.kind == FRAME_ERROR)
		calls_answer(&m->calls, &f);
	frame_done(&f);
}

static void on_member_room(void *owner, struct link *l)
{
	struct member *m = owner;
	(void)l;
	calls_room(&m->calls);
}

static void unlink_member(struct member *m)
{
	struct link *l = m->link;
	m->link = NULL;
	calls_link_down(&m->calls, true);
	if (l)
		link_release(l);
}

static void on_member_down(void *owner, struct link *l, const struct link_end *why)
{
	(void)l, (void)why;
	unlink_member(owner);
}

static const struct link_events member_events = { NULL, on_member_text, on_member_room, on_member_down };

static struct member *member_of(struct group *g, struct session *s)
{
	struct member *m = group_member(g, s->id);
	if (m)
		return m;
	m = NEW(struct member);
	m->group = g;
	m->session = s;
	m->left_us = clock_mono_us() - US_PER_S * 3600;
	calls_open(&m->calls, CALLS_MOST);
	list_init(&m->passing);
	map_put(&g->members, slice_of(s->id), m);
	return m;
}

void group_join(struct group *g, struct session *s)
{
	struct member *m = member_of(g, s);
	struct link *lane_end;
	if (m->link)
		unlink_member(m);
	link_local_pair(s->lane.version, s->id, &lane_end, &m->link);
	m->link->events = &member_events;
	m->link->owner = m;
	calls_link_up(&m->calls, m->link);
	lane_attach(&s->lane, gateway_uplink(g->gw, g->conf), &s->log, lane_end);
}

void group_member_link(struct session *s)
{
	struct group *g = group_of(s);
	if (!g)
		return;
	struct member *m = member_of(g, s);
	m->greeted = false;
	if (s->link) {
		m->came_us = clock_mono_us();
	} else {
		m->came_us = 0;
		m->left_us = clock_mono_us();
	}
	group_review_states(g);
}

int member_ask(struct member *m, struct frame *f, const struct event *e, const struct action **act_out, call_done *done, void *arg)
{
	char id[UUID_TEXT];
	struct buf payload = { 0 }, text = { 0 };
	if (!member_is_here(m))
		return ERR_CLOSED;
	int err = convert_call(f, e, m->link->version, &payload, act_out);
	if (!err) {
		frame_write_call(&text, slice_of(uuid_text(id)), (*act_out)->name, buf_view(&payload));
		struct ask ask = { .text = buf_view(&text), .id = slice_of(id), .act = *act_out, .timeout_us = MEMBER_US, .done = done, .arg = arg };
		err = calls_ask(&m->calls, &ask, NULL);
	}
	buf_free(&payload);
	buf_free(&text);
	return err;
}

/* A station that was connected all along while we were not says nothing of itself. */
static void ask_for_states(struct member *m)
{
	struct event e;
	for (int i = 1; i <= m->session->conf->evses; i++) {
		struct place *p = place_of(m->group, m->session->id, i);
		if (!p || p->state != EVSE_UNKNOWN)
			continue;
		event_init(&e, CMD_TRIGGER);
		e.word = SLICE("StatusNotification");
		e.evse = i;
		if (session_command(m->session, &e, NULL, NULL) != 0)
			log_debug(&m->session->log, "its state could not be asked for");
	}
}

void members_greet(struct group *g)
{
	size_t at = 0;
	struct member *m;
	int64_t now = clock_mono_us();
	while ((m = map_next(&g->members, &at, NULL))) {
		if (m->greeted || !member_is_here(m) || now - m->came_us < GREET_US)
			continue;
		m->greeted = true;
		ask_for_states(m);
		wishes_tell(m);
	}
}

void members_close(struct group *g)
{
	size_t at = 0;
	struct member *m;
	while ((m = map_next(&g->members, &at, NULL))) {
		unlink_member(m);
		calls_close(&m->calls); /* who hears that no answer comes may look at other members */
	}
	at = 0;
	while ((m = map_next(&g->members, &at, NULL)))
		mem_free(m);
	map_free(&g->members);
}
