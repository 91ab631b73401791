/* Each session compares what its CSMS was told last with what holds now, whenever its lane is up: so nothing has to be queued while it is down, and
 * what was told is kept, so that a restart does not leave a CSMS believing in a limit for ever.
 *
 * Easy to get wrong: what the CSMS itself has limited is not told back to it (the source is never CSO, K11.FR.05), nor is what the box does to
 * itself while it is commissioned. */
#include "gateway/power/announce.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/own/identity.h"
#include "ocpp/catalogue.h"
#include "ocpp/codec.h"
#include "storage/kept.h"

#define KEPT "limits/announced" /* "AMPERES SOURCE" */
#define CAPS_MOST 32
#define AGAIN_US (30 * US_PER_S) /* between two changes of one limit */

/* What holds on a circuit; amps INFINITY: nothing. */
struct outer {
	double amps;              /* per phase */
	char source[8];           /* "SO" or "EMS" */
};

struct announced {
	struct outer told, telling;
	int64_t told_us;          /* monotonic */
	bool with_schedules;      /* how `telling` is told */
	bool in_flight;
	bool deaf;                /* this CSMS does not know the message */
};

static const struct station_reporting in_a_stations_name = { 10, false };

/* --- what holds --- */

static bool is_from_outside(const struct cap_conf *cap)
{
	if (cap->surplus)
		return false; /* it says what may be imported; how much cars may have is up to the sun */
	return strcmp(cap->reason, "csms_group") != 0 && strcmp(cap->reason, "csms_profile") != 0 && strcmp(cap->owner, "commissioning") != 0;
}

/* Per phase, by the line that has least. */
static double amps_of(const struct gateway *g, const struct cap_conf *cap)
{
	const struct circuit_settings *c = &g->conf->circuits[cap->node];
	double amps = INFINITY;
	for (int l = 0; l < 3; l++)
		if (c->phases & 1 << l && cap->line.l[l] != MA_NONE)
			amps = fmin(amps, cap->line.l[l] / 1000.0);
	if (cap->power_w >= 0)
		amps = fmin(amps, (double)cap->power_w / g->conf->site.voltage_v / __builtin_popcount(c->phases));
	return amps;
}

static void look_at(const struct gateway *g, int node, struct outer *low)
{
	struct cap_conf caps[CAPS_MOST];
	size_t n = control_node_caps(g->control, node, caps, CAPS_MOST);
	for (size_t i = 0; i < n; i++) {
		double amps = amps_of(g, &caps[i]);
		if (!is_from_outside(&caps[i]) || amps >= low->amps)
			continue;
		low->amps = amps;
		snprintf(low->source, sizeof(low->source), "%s", strcmp(caps[i].reason, "grid_operator") == 0 ? "SO" : "EMS");
	}
}

/* On a circuit and those above it. */
static struct outer outer_of(const struct gateway *g, const struct circuit_settings *c)
{
	struct outer low = { .amps = INFINITY };
	for (; c; c = c->parent)
		look_at(g, (int)(c - g->conf->circuits), &low);
	return low;
}

double announce_outer_a(const struct gateway *g, const char **source_out)
{
	struct outer now = { .amps = INFINITY };
	if (g->conf->n_circuits)
		now = outer_of(g, g->conf->circuits);
	*source_out = strcmp(now.source, "SO") == 0 ? "SO" : "EMS";
	return now.amps;
}

/* --- who tells --- */

static bool can_say(enum ocpp_version v)
{
	return catalogue_for_event(v, EV_LIMIT);
}

static bool has_lane_of_its_own(const struct uplink_settings *u)
{
	return u && u->own_identity && can_say((enum ocpp_version)u->own_version);
}

/* The circuit whose limits are told over this session; NULL: none are. */
static const struct circuit_settings *told_of(const struct gateway *g, const struct session *s, struct station_reporting *how)
{
	const struct uplink_settings *u = s->conf->uplink;
	if (!u || !s->link || s->state != SESSION_ONLINE || !session_lane_is_up(s) || !can_say(s->version))
		return NULL;
	*how = in_a_stations_name;
	if (s->group)
		return s->group->group_circuit;
	if (u->mode == UPLINK_AGGREGATE)
		return NULL; /* its group tells */
	if (u->own_identity && strcmp(u->own_identity, s->id) == 0)
		return identity_reporting(s->id, how) && g->conf->n_circuits ? g->conf->circuits : NULL;
	return has_lane_of_its_own(u) ? NULL : s->conf->circuit;
}

/* --- telling --- */

static void forget(const struct session *s)
{
	if (kept_remove(s->gw->store, s->id, KEPT, NULL, NULL) != 0)
		log_warn(&s->log, "that the CSMS has heard the end of the site's limit could not be kept");
}

static struct announced *announced_of(struct session *s)
{
	struct arena mem = { 0 };
	struct slice value;
	if (s->announced)
		return s->announced;
	struct announced *a = s->announced = NEW(struct announced);
	a->told.amps = INFINITY;
	if (kept_get(s->gw->store, s->id, KEPT, &mem, &value) == 0 && sscanf(arena_text(&mem, value), "%lf %7s", &a->told.amps, a->told.source) != 2)
		a->told.amps = INFINITY;
	arena_free(&mem);
	return a;
}

static void on_answered(void *arg, struct call *call, int err, struct frame *answer)
{
	struct session *s = arg;
	struct announced *a = s->announced;
	(void)call;
	if (!a)
		return; /* the program ends */
	a->in_flight = false;
	if (!answer) {
		log_debug(&s->log, "the CSMS could not be told of the site's limit: %s", err_text(err));
		return;
	}
	if (answer->kind == FRAME_ERROR) {
		a->deaf = true;
		log_info(&s->log, "the CSMS does not take reports of limits");
		return;
	}
	a->told = a->telling;
	if (isinf(a->told.amps))
		forget(s);
}

static void write_message(const struct session *s, const struct announced *a, struct buf *payload, const struct action **act)
{
	struct event e;
	const struct outer *now = &a->telling;
	bool ends = isinf(now->amps);
	event_init(&e, EV_LIMIT);
	e.word = ends ? SLICE("Cleared") : SLICE("Set");
	e.reason = slice_of(ends ? a->told.source : now->source);
	e.activated = !ends && strcmp(now->source, "SO") == 0;
	e.purpose = PURPOSE_EXTERNAL;
	if (!ends && a->with_schedules) {
		e.limit_a = now->amps;
		e.time_us = clock_wall_us();
	}
	if (codec_write_call(s->version, &e, payload, act) != 0)
		*act = NULL;
}

static void send(struct session *s, struct announced *a)
{
	struct buf payload = { 0 };
	const struct action *act;
	bool ends = isinf(a->telling.amps);
	write_message(s, a, &payload, &act);
	int err = act ? session_tell(s, slice_of(act->name), buf_view(&payload), on_answered, s) : ERR_UNSUPPORTED;
	if (err) {
		a->in_flight = false;
		log_debug(&s->log, "the CSMS could not be told of the site's limit: %s", err_text(err));
	} else {
		log_info(&s->log, "the CSMS is told of the site's limit: %s, %.1f A", ends ? "it has ended" : a->telling.source, a->telling.amps);
	}
	buf_free(&payload);
}

static void on_kept(void *arg, int err, int64_t value)
{
	struct session *s = arg;
	(void)value;
	if (err)
		log_warn(&s->log, "what the CSMS is told of the site's limit could not be kept: %s", err_text(err));
	if (s->announced)
		send(s, s->announced);
}

/* That it will be told is on disk first: whoever comes after a crash has to take it back. The end is forgotten when the CSMS has heard it. */
static void tell(struct session *s, struct announced *a, const struct outer *now, bool with_schedules)
{
	char text[48];
	a->telling = *now;
	a->with_schedules = with_schedules;
	a->told_us = clock_mono_us();
	a->in_flight = true;
	snprintf(text, sizeof(text), "%.1f %s", now->amps, now->source);
	if (isinf(now->amps) || kept_put(s->gw->store, s->id, KEPT, slice_of(text), on_kept, s) != 0)
		send(s, a);
}

static bool is_worth_telling(const struct announced *a, const struct outer *now, double significance)
{
	if (isinf(now->amps) || isinf(a->told.amps))
		return isinf(now->amps) != isinf(a->told.amps);
	if (strcmp(now->source, a->told.source) != 0)
		return true;
	double percent = fabs(now->amps - a->told.amps) * 100 / fmax(a->told.amps, 0.1);
	return percent > significance && percent > 0.5 && clock_mono_us() - a->told_us >= AGAIN_US;
}

static void one(struct gateway *g, struct session *s)
{
	struct station_reporting how;
	const struct circuit_settings *c = told_of(g, s, &how);
	if (!c)
		return;
	struct outer now = outer_of(g, c);
	struct announced *a = announced_of(s);
	if (a->in_flight || a->deaf || !is_worth_telling(a, &now, how.significance))
		return;
	/* Another source: the first one has ended (K13). */
	bool other = isfinite(now.amps) && isfinite(a->told.amps) && strcmp(now.source, a->told.source) != 0;
	tell(s, a, other ? &(struct outer){ .amps = INFINITY } : &now, how.with_schedules);
}

void announce_tick(struct gateway *g)
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&g->sessions, &at, NULL)))
		one(g, s);
}

void announce_close(struct session *s)
{
	mem_free(s->announced);
	s->announced = NULL;
}
