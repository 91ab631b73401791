/* Once a second each EVSE's grant and the first of its caps are compared with what was noted last; what differs is noted in a ring that all share.
 *
 * Easy to get wrong: a reason may change from second to second at the same current (two phases are almost full), and would push out what matters. So a
 * change of the reason alone is noted at most every ten seconds. Moments are monotonic, so that a clock set later puts them right. */
#include "gateway/manage/decided.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/timer.h"

#define KEPT 16384
#define LEAST_MA 100
#define REASON_US (10 * US_PER_S)

struct decision {
	int64_t at_us;       /* monotonic; 0: none */
	int32_t ma;
	int evse;            /* as the station numbers it */
	bool running;
	uint8_t phase;
	char reason[24];     /* of energy/reasons.def; "": none */
	char station[48], ref[40];
};

static struct {
	struct gateway *g;
	struct timer timer;
	struct decision *ring, *last; /* `last` by index in energy/control */
	size_t n_evses;
	uint64_t written;
} de;

static struct decision *nth(uint64_t i)
{
	return &de.ring[i % KEPT];
}

static void look(int evse, struct decision *d)
{
	struct evse_view v;
	struct cap cap = { 0 };
	control_evse_view(de.g->control, evse, &v);
	*d = (struct decision){ .at_us = clock_mono_us(), .ma = v.running ? v.grant.ma : 0, .evse = v.evse, .running = v.running };
	snprintf(d->station, sizeof(d->station), "%.47s", v.station);
	if (!v.running || !control_why(de.g->control, evse, &cap, 1))
		return;
	snprintf(d->reason, sizeof(d->reason), "%.23s", cap.reason);
	d->phase = (uint8_t)cap.phase;
	snprintf(d->ref, sizeof(d->ref), "%.39s", cap.ref && strcmp(cap.reason, "waiting") != 0 ? cap.ref : "");
}

static bool same_cap(const struct decision *a, const struct decision *b)
{
	return strcmp(a->reason, b->reason) == 0 && strcmp(a->ref, b->ref) == 0;
}

static bool differs(const struct decision *was, const struct decision *is)
{
	if (!was->at_us || was->running != is->running || strcmp(was->station, is->station) != 0)
		return was->at_us || is->running;
	return abs(is->ma - was->ma) >= LEAST_MA || (!same_cap(was, is) && is->at_us - was->at_us >= REASON_US);
}

static void on_second(void *arg)
{
	size_t n = control_evses(de.g->control);
	(void)arg;
	timer_set(&de.timer, US_PER_S, on_second, NULL);
	if (n != de.n_evses) { /* another configuration */
		de.last = mem_grow(de.last, (n + 1) * sizeof(*de.last));
		memset(de.last, 0, (n + 1) * sizeof(*de.last));
		de.n_evses = n;
	}
	for (size_t i = 0; i < n; i++) {
		struct decision d;
		look((int)i, &d);
		if (!differs(&de.last[i], &d))
			continue;
		de.last[i] = d;
		*nth(de.written++) = d;
	}
}

/* --- reading --- */

static void write(struct json_writer *w, const struct decision *d)
{
	static const char phases[][3] = { "", "L1", "L2", "L3" };
	jw_object(w, NULL);
	jw_time(w, "at", clock_wall_us() - (clock_mono_us() - d->at_us));
	jw_string(w, "station", d->station);
	jw_int(w, "evse", d->evse);
	jw_bool(w, "charges", d->running);
	jw_number(w, "limit_a", d->ma / 1000.0, 1);
	jw_string(w, "reason", d->reason[0] ? d->reason : NULL);
	jw_string(w, "ref", d->ref[0] ? d->ref : NULL);
	jw_string(w, "phase", d->phase ? phases[d->phase] : NULL);
	jw_end(w, '}');
}

static bool is_of(const struct decision *d, const struct evse_view *v)
{
	return !v || (d->evse == v->evse && strcmp(d->station, v->station) == 0);
}

static struct slice name_of(const struct decision *d, char out[64])
{
	int n = snprintf(out, 64, "%s/%d", d->station, d->evse);
	return (struct slice){ out, (size_t)n };
}

/* By EVSE, the last that was noted until then. */
static void find_held(uint64_t from, int64_t at_us, struct map *held)
{
	char name[64];
	for (uint64_t i = from; i < de.written && nth(i)->at_us <= at_us; i++)
		map_put(held, name_of(nth(i), name), nth(i));
}

static uint64_t first_of(const struct evse_view *v, size_t most)
{
	uint64_t oldest = de.written > KEPT ? de.written - KEPT : 0, i = de.written;
	while (i > oldest && most) {
		i--;
		most -= is_of(nth(i), v);
	}
	return i;
}

void decided_write(struct gateway *g, int evse, int64_t at_us, size_t most, struct json_writer *w)
{
	struct evse_view view, *v = evse < 0 ? NULL : &view;
	int64_t mono_us = at_us ? clock_mono_us() - (clock_wall_us() - at_us) : 0;
	if (v)
		control_evse_view(g->control, evse, v);
	uint64_t first = first_of(v, at_us ? KEPT : most);
	struct map held = { 0 };
	char name[64];
	if (at_us)
		find_held(first, mono_us, &held);
	for (uint64_t i = first; i < de.written; i++) {
		const struct decision *d = nth(i);
		bool then = !at_us || (d->at_us <= mono_us ? map_get(&held, name_of(d, name)) == d : d->at_us <= mono_us + DECIDED_WINDOW_US);
		if (then && is_of(d, v))
			write(w, d);
	}
	map_free(&held);
}

void decided_open(struct gateway *g)
{
	de.g = g;
	de.ring = mem_new(KEPT * sizeof(*de.ring));
	timer_set(&de.timer, 0, on_second, NULL);
}

void decided_close(void)
{
	timer_cancel(&de.timer);
	mem_free(de.ring);
	mem_free(de.last);
	memset(&de, 0, sizeof(de));
}
