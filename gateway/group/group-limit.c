/* What the CSMS allows the group as a whole: the maximum profiles on connector 0 or EVSE 0. The group's session keeps them as that of any
 * station; here the limit of the moment becomes a cap on the circuit that feeds the group, and the balancer divides it.
 *
 * A cap always has an end, so it is renewed while it holds: one that nobody renews would be ours no more. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/group/group-local.h"
#include "gateway/power/csms-profiles.h"
#include "ocpp/profile-read.h"

#define CAP_LASTS_US (120 * US_PER_S)
#define CAP_RENEWED_US (30 * US_PER_S) /* before its end */
#define PERIODS_MOST 96

static int node_of(const struct group *g)
{
	return g->conf->group_circuit ? control_find_node(g->gw->control, g->conf->group_circuit->id) : ERR_NOT_FOUND;
}

bool group_can_limit(const struct group *g)
{
	return node_of(g) >= 0;
}

static void clear(struct group *g)
{
	if (!g->cap)
		return;
	if (control_cap_clear(g->gw->control, g->cap) != 0)
		log_debug(&g->log, "the cap of the group had ended");
	g->cap = 0;
}

static void set(struct group *g, int32_t ma)
{
	int64_t now = clock_mono_us();
	if (g->cap && g->cap_ma == ma && g->cap_until_us - now > CAP_RENEWED_US)
		return;
	if (!g->cap || g->cap_ma != ma)
		log_info(&g->log, "the CSMS limits the group to %.1f A per phase", ma / 1000.0);
	clear(g);
	g->cap_ma = ma;
	g->cap_until_us = now + CAP_LASTS_US;
	g->cap = control_cap_set(g->gw->control, node_of(g), -1, ma, "csms_profile", g->conf->identity, g->cap_until_us);
}

void group_limit_look(struct group *g)
{
	double amps = csms_profiles_station_a(g->face);
	if (!group_can_limit(g))
		return;
	if (isinf(amps) && g->cap)
		log_info(&g->log, "the CSMS limits the group no more");
	if (isinf(amps))
		clear(g);
	else
		set(g, amps < 2000 ? (int32_t)floor(amps * 1000 + 1e-3) : 2000000);
}

/* What the circuit carries where nothing else is said. */
static double circuit_a(const struct group *g)
{
	int32_t least = INT32_MAX;
	for (int p = 0; g->conf->group_circuit && p < 3; p++)
		if (g->conf->group_circuit->limit_ma[p] && g->conf->group_circuit->limit_ma[p] < least)
			least = g->conf->group_circuit->limit_ma[p];
	return least == INT32_MAX ? 0 : least / 1000.0;
}

static size_t periods(const struct group *g, const struct schedule_ask *ask, int64_t from_us, struct charging_period *out)
{
	int64_t at = from_us, end = from_us + ask->duration_s * US_PER_S;
	double most = circuit_a(g), factor = ask->watts ? 3 * 230.0 : 1;
	size_t n = 0;
	while (at < end && n < PERIODS_MOST) {
		int64_t until = INT64_MAX;
		double amps = fmin(csms_profiles_station_at(g->face, at, &until), most) * factor;
		if (!n || out[n - 1].limit != amps)
			out[n++] = (struct charging_period){ .start_s = (at - from_us) / US_PER_S, .limit = amps };
		at = until > at ? until : end;
	}
	return n;
}

void group_schedule(struct group *g, struct frame *f)
{
	struct schedule_ask ask;
	struct charging_period list[PERIODS_MOST];
	struct buf payload = { 0 };
	int64_t now = clock_wall_us();
	size_t n = schedule_ask_read(f, &ask) == 0 && group_can_limit(g) ? periods(g, &ask, now, list) : 0;
	if (!n) {
		group_answer_status(g, f->id, f->act, SLICE("Rejected"));
		return;
	}
	schedule_write_answer(g->version, &ask, now, list, n, &payload);
	group_answer(g, f->id, buf_view(&payload));
	buf_free(&payload);
}
