/* What meters say, and whether it is believed.
 *
 * A meter is judged at each node that it measures, by what the cars below report. Two lies are told apart from the truth:
 *
 *   frozen   its values stay the same while the cars take another current
 *   hollow   it says that nothing flows, on no line, again and again, and the cars go on reporting a current: its transformers are not
 *            plugged in, or a gateway fills in zeros
 *
 * Easy to get wrong: less than the cars take is no lie. A solar plant feeds them, and the meter above shows the difference, near zero or below.
 * Exactly nothing on every line for long is not what is left of two currents, unless a battery is regulated to it. And a meter is the first to
 * see that a car has stopped: only what is reported some time later speaks against it. */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "energy/control-local.h"
#include "energy/record-local.h"

#define HOLLOW_US (15 * US_PER_S)
#define REPORTED_LATER_US (10 * US_PER_S)
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

/* A battery that is regulated to what the meter shows can make it show nothing. */
static bool regulated(const struct control *c, int node)
{
	for (size_t i = 0; i < c->site.parts.n_fixtures; i++)
		if (c->site.fixtures[i].kind == FIXTURE_BATTERY && site_below(&c->site.parts, c->site.fixtures[i].node, node))
			return true;
	return false;
}

/* It says nothing, which may be a lie: then it is not believed that the building has become smaller by what the cars take. */
static bool doubtful(const struct control *c, int node, const int64_t low[3])
{
	const struct junction *n = &c->nodes[node];
	return n->meter->nothing_us && (n->hollow_us || (far_apart(low, nothing) && !regulated(c, node)));
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
		if ((repeated && far_apart(n->drawn, n->drawn_then)) || doubtful(c, (int)i, low))
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

/* The cars below take another current while the meter keeps saying the same. When the last of them has left, its last report may have come
 * after the meter's last word, which is nothing, as it should be. */
static void watch_contradiction(struct control *c, struct junction *n)
{
	if (n->seen_change_us != n->meter->changed_us) {
		n->seen_change_us = n->meter->changed_us;
		memcpy(n->drawn_then, n->drawn, sizeof(n->drawn_then));
		n->contradicted_us = 0;
	} else if (meter_idle(n->meter) && !far_apart(n->drawn, nothing)) {
		n->contradicted_us = 0;
	} else if (!n->contradicted_us && far_apart(n->drawn, n->drawn_then)) {
		n->contradicted_us = c->now_us;
	}
}

/* Reports that were made after it began to say nothing show a current. */
static bool is_hollow(const struct control *c, int node)
{
	int64_t since_us = c->nodes[node].meter->nothing_us, drawn[3] = { 0 };
	if (!since_us || c->now_us - since_us < HOLLOW_US || regulated(c, node))
		return false;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (!s->online || !car_fresh(&s->car, c->now_us) || s->car.drawn_us - since_us < REPORTED_LATER_US ||
		    !site_below(&c->site.parts, s->conf->node, node))
			continue;
		for (int p = 0; p < s->conf->n_lines; p++)
			drawn[s->conf->lines[p]] += s->car.drawn[p];
	}
	return far_apart(drawn, nothing);
}

static bool never_seen(const struct load *l)
{
	return !load_highest(l, 0) && !load_highest(l, 1) && !load_highest(l, 2);
}

static void watch_nothing(struct control *c, struct junction *n)
{
	if (is_hollow(c, (int)(n - c->nodes))) {
		if (!n->hollow_us && (!load_has_a_past(&n->load, c->now_us) || never_seen(&n->load)))
			load_init(&n->load); /* what it has said so far is not to be planned with */
		n->hollow_us = c->now_us;
	} else if (!n->meter->nothing_us || c->now_us - n->hollow_us >= BELIEVED_AGAIN_US) {
		n->hollow_us = 0;
	}
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
	int64_t lost_for_us = n->hollow_us ? INT64_MAX : meter_lost_for(n->meter, n->contradicted_us, c->now_us);
	enum guard_meter guard = guard_meter(n->guard, n->guard_since_us, lost_for_us, c->conf.meter_lost_after_us, c->now_us);
	if (guard != n->guard)
		n->guard_since_us = c->now_us;
	n->guard = guard;
}
