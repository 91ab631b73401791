/* Those below a node as witnesses against its meter: what they surely take, told to witness.c, and a line that is dead.
 *
 * A blown measuring fuse or a transformer that has come off makes one line say that nothing flows, for ever, while the others live. What is left of
 * two currents is not exactly nothing for a minute, unless the meter counts in whole amperes; then only that it does not follow tells.
 *
 * Easy to get wrong: many stations report one current or one power, which is taken to be the same on every phase; on a single line that proves
 * nothing. A socket is a witness there once its phases were seen to differ; for all lines together everybody is one. And what two meters and a
 * station mean by line 2 may differ: a phase rotation that is wrong looks like a dead line, and is as bad. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "energy/control-local.h"

#define PATIENCE_US (20 * US_PER_S) /* for a meter that is slow to follow */
#define STALE_TIMES 3
#define DEAD_LINE_US (60 * US_PER_S)
#define DEAD_ALL_US (15 * US_PER_S)
#define REGULATED_TIMES 3
#define REPORTED_LATER_US (10 * US_PER_S)

bool witness_regulated(const struct control *c, const struct junction *n)
{
	for (size_t i = 0; i < c->site.parts.n_fixtures; i++)
		if (c->site.fixtures[i].kind == FIXTURE_BATTERY && site_below(&c->site.parts, c->site.fixtures[i].node, (int)(n - c->nodes)))
			return true;
	return false;
}

static bool tells_lines(const struct seat *s)
{
	return s->phased || s->conf->n_lines == 1;
}

/* What an EVSE surely takes, on an own phase. */
static void takes(const struct seat *s, int phase, int64_t at_us, int32_t *low, int32_t *high)
{
	*low = *high = car_fresh(&s->car, at_us) ? s->car.drawn[phase] : 0;
	if (!s->online) {
		*low = 0;
		*high = s->conf->max_ma;
	} else if (control_runs(s)) {
		car_reported(&s->car, phase, at_us, low, high);
	}
}

static void hear(const struct seat *s, int64_t at_us, int64_t low[WITNESS_CHANNELS], int64_t high[WITNESS_CHANNELS])
{
	for (int p = 0; p < s->conf->n_lines; p++) {
		int line = s->conf->lines[p];
		int32_t least, most;
		takes(s, p, at_us, &least, &most);
		low[WITNESS_ALL] += least;
		high[WITNESS_ALL] += most;
		low[line] += tells_lines(s) ? least : least < 0 ? least : 0;
		high[line] += most;
	}
}

static bool may_be_dead(const struct meter *m, const int64_t low[3])
{
	for (int l = 0; l < 3; l++)
		if (m->fine && m->zero_us[l] && low[l] > MOVED_MA)
			return true;
	return false;
}

bool witness_hear(struct control *c, struct junction *n, const struct meter_sample *s)
{
	int64_t ma[WITNESS_CHANNELS] = { s->ma.l[0], s->ma.l[1], s->ma.l[2], (int64_t)s->ma.l[0] + s->ma.l[1] + s->ma.l[2] };
	int64_t low[WITNESS_CHANNELS] = { 0 }, high[WITNESS_CHANNELS] = { 0 }, age_us = 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *e = &c->seats[i];
		if (!site_below(&c->site.parts, e->conf->node, (int)(n - c->nodes)))
			continue;
		hear(e, s->at_us, low, high);
		if (e->online && control_runs(e) && car_fresh(&e->car, s->at_us) && s->at_us - e->car.drawn_us > age_us)
			age_us = s->at_us - e->car.drawn_us;
	}
	witness_feed(&n->witness, ma, low, high, age_us, s->at_us);
	return !witness_regulated(c, n) && (witness_doubts(&n->witness) || may_be_dead(n->meter, low));
}

static double amps(int64_t ma)
{
	return ma / 1000.0;
}

static void tell(const struct witness *w, int ch, char why[METER_FAULT])
{
	const struct witness_claim *claim = &w->claims[ch];
	char where[32] = "all lines together stay";
	if (ch != WITNESS_ALL)
		snprintf(where, sizeof(where), "line %d stays", ch + 1);
	snprintf(why, METER_FAULT, "%s at %.1f A, while cars there went from %.0f A to %.0f A", where, amps(claim->meter_ma), amps(claim->from_ma),
		 amps(claim->to_ma));
}

/* A battery that is quick makes up for cars before the meter is read again; but not to the last digit, time after time. */
int64_t witness_lost_for(const struct control *c, const struct junction *n, char why[METER_FAULT])
{
	bool regulated = witness_regulated(c, n);
	int64_t slow_us = n->meter->conf->stale_after_us * STALE_TIMES, since_us;
	int ch = witness_against(&n->witness, regulated ? REGULATED_TIMES : 1, (slow_us > PATIENCE_US ? slow_us : PATIENCE_US) + n->meter->late_us, c->now_us, &since_us);
	if (ch < 0 || (regulated && (!n->meter->nothing_us || n->meter->nothing_us > n->witness.claims[ch].since_us)))
		return 0;
	tell(&n->witness, ch, why);
	return c->now_us - since_us;
}

/* What was reported on each line some time after a moment. */
static void reported_after(const struct control *c, const struct junction *n, int64_t since_us, bool by_line, int64_t drawn[3])
{
	memset(drawn, 0, 3 * sizeof(*drawn));
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (!s->online || !car_fresh(&s->car, c->now_us) || s->car.drawn_us - since_us < REPORTED_LATER_US || (by_line && !tells_lines(s)) ||
		    !site_below(&c->site.parts, s->conf->node, (int)(n - c->nodes)))
			continue;
		for (int p = 0; p < s->conf->n_lines; p++)
			drawn[s->conf->lines[p]] += s->car.drawn[p];
	}
}

static bool dead_for(const struct control *c, int64_t since_us, int64_t long_us)
{
	return since_us && c->now_us - since_us >= long_us;
}

int witness_hollow(const struct control *c, const struct junction *n, char why[METER_FAULT])
{
	const struct meter *m = n->meter;
	bool all = dead_for(c, m->nothing_us, DEAD_ALL_US);
	int64_t drawn[3];
	for (int l = 0; l < 3 && !witness_regulated(c, n); l++) {
		if (!all && (!m->fine || !dead_for(c, m->zero_us[l], DEAD_LINE_US)))
			continue;
		reported_after(c, n, all ? m->nothing_us : m->zero_us[l], !all, drawn);
		if (drawn[l] <= MOVED_MA && (!all || drawn[l] >= -MOVED_MA))
			continue;
		snprintf(why, METER_FAULT, "line %d reads 0 A, while cars there report %.0f A", l + 1, amps(drawn[l]));
		if (all)
			snprintf(why, METER_FAULT, "every line reads 0 A, while cars report %.0f A on line %d", amps(drawn[l]), l + 1);
		return all ? WITNESS_ALL : l;
	}
	return -1;
}
