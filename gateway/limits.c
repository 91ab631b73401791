/* One slot per EVSE: what is on the wire, what is to follow, and which form this station takes. A station is asked one thing at a time and
 * may be busy with the CSMS's request, so a newer limit replaces one that still waits. */
#include "gateway/limits.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ocpp/codec.h"
#include "ocpp/dialect.h"

enum form { FORM_TX, FORM_TX_DEFAULT, FORM_STATION_MAX, FORMS };
#define GREET_US (2 * US_PER_S)
#define START_IN_THE_PAST_US (10 * US_PER_S) /* a station whose clock is behind must not find its limit in the future */

struct slot {
	struct limits *limits;
	int evse;                 /* in energy/control */
	enum form form;
	bool in_flight, again;
	struct grant grant;       /* newest */
	int32_t sent_ma;
};

struct greeting {
	struct timer timer;
	struct limits *limits;
	struct session *s;
};

struct limits {
	struct gateway *gw;
	struct slot *slots;
	struct map greetings;     /* station -> struct greeting */
	struct map stack_levels;  /* station -> highest level of the CSMS, plus one, as a pointer-sized number */
};

struct limits *limits_open(struct gateway *g)
{
	struct limits *l = NEW(struct limits);
	size_t n = control_evses(g->control);
	l->gw = g;
	l->slots = mem_new(n * sizeof(*l->slots));
	for (size_t i = 0; i < n; i++)
		l->slots[i] = (struct slot){ .limits = l, .evse = (int)i };
	return l;
}

void limits_close(struct limits *l)
{
	size_t at = 0;
	struct greeting *g;
	if (!l)
		return;
	while ((g = map_next(&l->greetings, &at, NULL))) {
		timer_cancel(&g->timer);
		mem_free(g);
	}
	map_free(&l->greetings);
	map_free(&l->stack_levels);
	mem_free(l->slots);
	mem_free(l);
}

static int level_above_csms(const struct limits *l, const struct session *s)
{
	return (int)(intptr_t)map_get(&l->stack_levels, slice_of(s->id));
}

void limits_csms_profile(struct limits *l, struct session *s, int stack_level)
{
	if (stack_level + 1 > level_above_csms(l, s))
		map_put(&l->stack_levels, slice_of(s->id), (void *)(intptr_t)(stack_level + 1));
}

/* The command for a grant in the slot's form. */
static void describe(const struct slot *slot, const struct session *s, int evse, struct event *e)
{
	event_init(e, CMD_SET_PROFILE);
	e->limit_a = slot->grant.ma / 1000.0;
	e->duration_s = LIMITS_EXPIRY_S;
	e->profile_id = LIMITS_PROFILE_ID + evse * FORMS + slot->form;
	e->evse = evse;
	e->stack_level = level_above_csms(slot->limits, s);
	e->time_us = clock_wall_us() - START_IN_THE_PAST_US;
	switch (slot->form) {
	case FORM_TX:
		e->purpose = PURPOSE_TX;
		e->tx = slice_of(s->evses[evse].tx);
		break;
	case FORM_TX_DEFAULT:
		e->purpose = PURPOSE_TX_DEFAULT;
		e->stack_level++; /* above the fallback, which stands at 0 */
		break;
	default:
		e->purpose = PURPOSE_STATION_MAX;
		e->evse = 0;
		break;
	}
}

static void send_newest(struct slot *slot);

static bool refused(const struct frame *answer, const struct action *act, struct arena *mem)
{
	struct reply reply;
	struct frame f = *answer;
	f.tree = NULL;
	bool no = codec_read_answer(act, &f, mem, &reply) != 0 || !slice_is(reply.status, "Accepted");
	frame_done(&f);
	return no;
}

static void on_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct slot *slot = arg;
	struct gateway *g = slot->limits->gw;
	struct arena mem = { 0 };
	struct evse_view v;
	bool accepted = answer && !refused(answer, c->act, &mem);
	arena_free(&mem);
	control_evse_view(g->control, slot->evse, &v);
	struct session *s = session_find(g, v.station);
	slot->in_flight = false;
	if (!accepted && answer && slot->form + 1 < FORMS) {
		slot->form++;
		slot->again = true;
		log_info(&s->log, "evse %d refuses this form of a limit, the next one is tried", v.evse);
	} else {
		control_evse_answered(g->control, slot->evse, slot->sent_ma, accepted, clock_mono_us());
		if (!accepted && err != ERR_CLOSED && err != ERR_REFUSED)
			log_warn(&s->log, "evse %d did not take its limit of %.1f A: %s", v.evse, slot->sent_ma / 1000.0, answer ? "refused" : err_text(err));
	}
	if (slot->again)
		send_newest(slot);
}

static void send_newest(struct slot *slot)
{
	struct gateway *g = slot->limits->gw;
	struct evse_view v;
	struct event e;
	control_evse_view(g->control, slot->evse, &v);
	struct session *s = session_find(g, v.station);
	slot->again = false;
	if (!s || !s->link || v.evse > SESSION_EVSES)
		return;
	if (slot->form == FORM_TX && !s->evses[v.evse].tx[0])
		return; /* no transaction, no TxProfile: its fallback holds until one starts */
	describe(slot, s, v.evse, &e);
	slot->sent_ma = slot->grant.ma;
	slot->in_flight = true;
	int err = session_command(s, &e, on_answered, slot);
	if (err) {
		slot->in_flight = false;
		log_warn(&s->log, "a limit could not be sent: %s", err_text(err));
	}
}

void limits_send(struct limits *l, int evse, const struct grant *grant)
{
	struct slot *slot = &l->slots[evse];
	slot->grant = *grant;
	if (slot->in_flight)
		slot->again = true;
	else
		send_newest(slot);
}

/* --- the fallback --- */

static void on_fallback_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct session *s = arg;
	struct arena mem = { 0 };
	(void)err;
	if (!answer || refused(answer, c->act, &mem))
		log_warn(&s->log, "the fallback of %.1f A is not installed: %s", s->conf->fallback_current_ma / 1000.0, answer ? "refused" : "no answer");
	arena_free(&mem);
}

static void on_interval_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct session *s = arg;
	struct arena mem = { 0 };
	(void)err;
	if (!answer || refused(answer, c->act, &mem))
		log_debug(&s->log, "the station keeps its own interval of meter values");
	arena_free(&mem);
}

/* The balancer wants to see what cars draw more often than stations tell by themselves. */
static void ask_for_meter_values(struct session *s)
{
	static const char *const names[] = { "MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval" };
	char seconds[24];
	struct event e;
	event_init(&e, CMD_SET_CONFIG);
	snprintf(seconds, sizeof(seconds), "%lld", (long long)(s->conf->meter_interval_us / US_PER_S));
	e.word = slice_of(names[dialect_of(s->version)->names]);
	e.value = slice_of(seconds);
	if (session_command(s, &e, on_interval_answered, s) != 0)
		log_debug(&s->log, "the interval of meter values could not be set");
}

static void install_fallback(struct session *s)
{
	struct event e;
	event_init(&e, CMD_SET_PROFILE);
	e.purpose = PURPOSE_TX_DEFAULT;
	e.evse = 0;
	e.profile_id = LIMITS_PROFILE_ID;
	e.limit_a = s->conf->fallback_current_ma / 1000.0;
	e.time_us = clock_wall_us() - START_IN_THE_PAST_US;
	s->fallback_installed = session_command(s, &e, on_fallback_answered, s) == 0;
}

static void on_greet(void *arg)
{
	struct greeting *g = arg;
	struct session *s = g->s;
	if (!s->link || s->fallback_installed || !s->conf->circuit || s->own)
		return;
	if (s->conf->fallback_current_ma > 0)
		install_fallback(s);
	ask_for_meter_values(s);
}

void limits_greet(struct limits *l, struct session *s)
{
	struct greeting *g = map_get(&l->greetings, slice_of(s->id));
	if (!g) {
		g = NEW(struct greeting);
		g->limits = l;
		g->s = s;
		map_put(&l->greetings, slice_of(s->id), g);
	}
	if (!s->fallback_installed)
		timer_set(&g->timer, GREET_US, on_greet, g);
}

void limits_link_down(struct limits *l, struct session *s)
{
	struct greeting *g = map_get(&l->greetings, slice_of(s->id));
	s->fallback_installed = false;
	if (g)
		timer_cancel(&g->timer);
}
