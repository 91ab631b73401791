/* What meters say, and whether it is believed.
 *
 * A meter is judged at each node that it measures, by what the cars below report. These lies are told apart from the truth:
 *
 *   frozen   its values stay the same while the cars take another current
 *   stiff    they differ a little, as noise does, and do not follow when the cars take tens of amperes more or less (witness.c)
 *   hollow   it says that nothing flows, on one line or on none, again and again, and the cars go on reporting a current: its transformers are
 *            not plugged in, its measuring fuse has blown, or a gateway fills in zeros
 *
 * Easy to get wrong: less than the cars take is no lie. A solar plant feeds them, and the meter above shows the difference, near zero or below.
 * Exactly nothing on every line for long is not what is left of two currents, unless a battery is regulated to it. And a meter is the first to
 * see that a car has stopped: only what is reported some time later speaks against it. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "energy/control-local.h"
#include "energy/record-local.h"

#define CAUGHT_UP_US (80 * US_PER_S) /* reports are believed for almost as long */
#define BELIEVED_AGAIN_US (900 * US_PER_S) /* after the last report of a current: a node where cars alone are may really carry nothing */

static const int64_t nothing[3];

static void range_below(const struct control *c, int node, int64_t now_us, int64_t low[3], int64_t high[3])
{
	memset(low, 0, 3 * sizeof(*low));
	memset(high, 0, 3 * sizeof(*high));
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (!site_below(&c->site.parts, s->conf->node, node))
			continue;
		for (int p = 0; p < s->conf->n_lines; p++) {
			int32_t least, most;
			control_range(s, p, now_us, &least, &most);
			low[s->conf->lines[p]] += least;
			high[s->conf->lines[p]] += most;
		}
	}
}

static bool over(const struct junction *n, const int32_t ma[3])
{
	for (int l = 0; l < 3; l++)
		if (n->limit[l] != MA_NONE && ma[l] > n->limit[l])
			return true;
	return false;
}

static void note_margin(struct junction *n, const struct meter_sample *s)
{
	int32_t over[3];
	for (int l = 0; l < 3; l++)
		over[l] = n->conf->limit.l[l] == MA_NONE ? 0 : s->ma.l[l] - n->conf->limit.l[l];
	margin_feed(&n->margin, over, n->conf->limit.l, s->at_us);
}

static bool far_apart(const int64_t a[3], const int64_t b[3])
{
	for (int l = 0; l < 3; l++)
		if (a[l] - b[l] > MOVED_MA || b[l] - a[l] > MOVED_MA)
			return true;
	return false;
}

static void note_moment(const struct control *c, struct junction *n)
{
	struct moment *m = &n->moments[n->moment_at++ % MOMENTS];
	m->at_us = c->now_us;
	range_below(c, (int)(n - c->nodes), c->now_us, m->low, m->high);
}

/* Reports are newer than a sample that is late: the cars took then what was known of them at any moment since. */
static void widen(const struct junction *n, int64_t since_us, int64_t low[3], int64_t high[3])
{
	for (size_t k = 0; k < MOMENTS; k++) {
		for (int l = 0; l < 3 && n->moments[k].at_us >= since_us; l++) {
			low[l] = n->moments[k].low[l] < low[l] ? n->moments[k].low[l] : low[l];
			high[l] = n->moments[k].high[l] > high[l] ? n->moments[k].high[l] : high[l];
		}
	}
}

static bool still_dead(const struct junction *n)
{
	return n->hollow_line == WITNESS_ALL ? n->meter->nothing_us : n->meter->zero_us[n->hollow_line];
}

/* It says nothing, which may be a lie: then it is not believed that the building has become smaller by what the cars take. */
static bool doubtful(const struct control *c, const struct junction *n, const int64_t low[3])
{
	return (n->hollow_us && still_dead(n)) || (n->meter->nothing_us && far_apart(low, nothing) && !witness_regulated(c, n));
}

bool control_meter(struct control *c, int meter, const struct meter_sample *s)
{
	bool any = false;
	record_meter(c, meter, s);
	assert(meter >= 0 && meter < (int)c->site.parts.n_meters);
	meter_feed(&c->meters[meter], s, c->now_us);
	bool repeated = c->meters[meter].changed_us != s->at_us;
	for (size_t i = 0; i < c->site.parts.n_nodes; i++) {
		struct junction *n = &c->nodes[i];
		int64_t low[3], high[3];
		if (n->meter != &c->meters[meter])
			continue;
		range_below(c, (int)i, s->at_us, low, high);
		memcpy(n->drawn, low, sizeof(n->drawn));
		any = any || over(n, s->ma.l);
		bool doubted = witness_hear(c, n, s);
		if (doubted || (repeated && far_apart(n->drawn, n->drawn_then)) || doubtful(c, n, low))
			continue; /* what the cars take more is not to be found in the building */
		if (n->meter->late_us)
			widen(n, s->at_us, low, high);
		load_feed(&n->load, s->ma.l, low, high, s->at_us);
		rooms_feed(c, n, s, low, high);
		note_margin(n, s);
	}
	return any;
}

void control_meter_failed(struct control *c, int meter, const char *why)
{
	record_meter_failed(c, meter, why);
	assert(meter >= 0 && meter < (int)c->site.parts.n_meters);
	meter_failed(&c->meters[meter], why);
}

/* The cars below take another current while the meter keeps saying the same. It is the first to see that a car has begun or stopped; what the
 * reports that come in the time after tell is what it has shown already. */
static void watch_contradiction(struct control *c, struct junction *n)
{
	bool moves = n->seen_change_us != n->meter->changed_us;
	if (moves)
		memcpy(n->drawn_then, n->drawn, sizeof(n->drawn_then));
	n->seen_change_us = n->meter->changed_us;
	if (moves || c->now_us - n->meter->changed_us < CAUGHT_UP_US) {
		memcpy(n->drawn_later, n->drawn, sizeof(n->drawn_later));
		n->contradicted_us = 0;
	} else if (meter_idle(n->meter) && !far_apart(n->drawn, nothing)) {
		n->contradicted_us = 0;
	} else if (!n->contradicted_us && far_apart(n->drawn, n->drawn_later)) {
		n->contradicted_us = c->now_us;
	}
}

static bool never_seen(const struct load *l)
{
	return !load_highest(l, 0) && !load_highest(l, 1) && !load_highest(l, 2);
}

static void watch_nothing(struct control *c, struct junction *n)
{
	int line = witness_hollow(c, n, n->meter->doubt);
	if (line >= 0) {
		if (!n->hollow_us && (!load_has_a_past(&n->load, c->now_us) || never_seen(&n->load)))
			load_init(&n->load); /* what it has said so far is not to be planned with */
		n->hollow_us = c->now_us;
		n->hollow_line = line;
	} else if (!still_dead(n) || c->now_us - n->hollow_us >= BELIEVED_AGAIN_US) {
		n->hollow_us = 0;
	} else {
		snprintf(n->meter->doubt, sizeof(n->meter->doubt), "reads 0 A, as it did while cars below it reported a current");
	}
}

/* Of several reasons the last that holds is told. */
static int64_t lost_for(struct control *c, struct junction *n)
{
	struct meter *m = n->meter;
	int64_t by_itself_us = meter_lost_for(m, n->contradicted_us, c->now_us), by_others_us = witness_lost_for(c, n, m->doubt);
	if (n->hollow_us)
		return INT64_MAX;
	if (by_itself_us > 0 && by_others_us <= 0 && meter_stands_still(m))
		snprintf(m->doubt, sizeof(m->doubt), "repeats the same values, for longer than it ever did");
	else if (by_itself_us > 0 && by_others_us <= 0 && n->contradicted_us && m->last.at_us > n->contradicted_us)
		snprintf(m->doubt, sizeof(m->doubt), "repeats the same values, while the cars below it take another current than before");
	return by_itself_us > by_others_us ? by_itself_us : by_others_us;
}

void meters_judge(struct control *c, struct junction *n)
{
	if (!n->meter) {
		n->guard = METER_FRESH;
		return;
	}
	watch_contradiction(c, n);
	watch_nothing(c, n);
	if (n->meter->late_us)
		note_moment(c, n);
	enum guard_meter guard = guard_meter(n->guard, n->guard_since_us, lost_for(c, n), c->conf.meter_lost_after_us, c->now_us);
	if (guard != n->guard)
		n->guard_since_us = c->now_us;
	n->guard = guard;
}
