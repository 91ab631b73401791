/* The check of an outage: an uplink is cut for a time, and all that was kept meanwhile has to reach the CSMS once.
 *
 * Easy to get wrong: the uplink is let go again whichever way the check ends. */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/manage/commission-local.h"
#include "gateway/session/session.h"
#include "gateway/session/trace.h"
#include "storage/outbox.h"

#define DRAIN_MOST_US (180 * US_PER_S)

struct cutting {
	struct gateway *g;
	struct task *task;
	char *user;
	struct timer timer;
	struct uplink *uplink;
	int64_t begun_us, for_us, back_us;
	int64_t most_queued, queued_before;
	struct map sent;          /* "STATION ID" of what was replayed -> anything */
	unsigned replayed, twice;
	struct trace_listener trace;
};

static void cutting_free(struct cutting *c)
{
	timer_cancel(&c->timer);
	uplink_hold(c->uplink, false);
	trace_unlisten(&c->trace);
	map_free(&c->sent);
	mem_free(c->user);
	mem_free(c);
}

static void stop_cutting(void *arg)
{
	struct cutting *c = arg;
	task_end(c->task, TASK_STOPPED, (struct slice){ 0 });
	cutting_free(c);
}

static void on_replayed(void *arg, const struct trace_rec *r)
{
	struct cutting *c = arg;
	char key[160];
	if (r->side != TRACE_CSMS || r->way != TRACE_TX || r->verdict != TRACE_REPLAYED)
		return;
	int n = snprintf(key, sizeof(key), "%.80s %.*s", r->station, (int)(r->id.n < 70 ? r->id.n : 70), r->id.p);
	struct slice name = { key, (size_t)n < sizeof(key) ? (size_t)n : sizeof(key) - 1 };
	c->replayed++;
	c->twice += map_get(&c->sent, name) != NULL;
	if (c->sent.count < 10000)
		map_put(&c->sent, name, c);
}

static void end_cutting(struct cutting *c, bool drained)
{
	struct buf json = { 0 };
	struct json_writer w;
	bool ok = drained && !c->twice;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_string(&w, "uplink", uplink_conf(c->uplink)->id);
	jw_number(&w, "cut_s", (double)c->for_us / US_PER_S, 0);
	jw_int(&w, "queued", c->most_queued);
	jw_int(&w, "delivered", c->replayed - c->twice);
	jw_int(&w, "duplicates", c->twice);
	jw_bool(&w, "drained", drained);
	jw_number(&w, "drain_s", (double)(clock_mono_us() - c->back_us) / US_PER_S, 1);
	jw_bool(&w, "ok", ok);
	jw_end(&w, '}');
	commission_conclude(c->g, c->task, "offline", c->user, ok, &json);
	cutting_free(c);
}

static void on_cutting(void *arg)
{
	struct cutting *c = arg;
	int64_t now = clock_mono_us(), passed = now - c->begun_us, waiting = outbox_count(c->g->store, NULL);
	struct uplink_view v;
	uplink_view(c->uplink, &v);
	timer_set(&c->timer, LOOK_US, on_cutting, c);
	if (!c->back_us) {
		c->most_queued = waiting > c->most_queued ? waiting : c->most_queued;
		task_tell(c->task, "cut", (double)passed / (double)c->for_us);
		if (passed < c->for_us)
			return;
		uplink_hold(c->uplink, false);
		c->back_us = now;
		return;
	}
	task_tell(c->task, "draining", (double)waiting);
	if (v.state == UPLINK_UP && waiting <= c->queued_before)
		end_cutting(c, true);
	else if (now - c->back_us > DRAIN_MOST_US)
		end_cutting(c, false);
}

struct task *commission_offline(struct gateway *g, const char *user, size_t uplink, int64_t for_us)
{
	struct cutting *c = NEW(struct cutting);
	*c = (struct cutting){ .g = g, .user = mem_strdup(user), .uplink = g->uplinks[uplink], .for_us = for_us, .begun_us = clock_mono_us() };
	c->queued_before = 0;
	c->trace = (struct trace_listener){ .see = on_replayed, .arg = c };
	trace_listen(&c->trace);
	uplink_hold(c->uplink, true);
	c->task = task_new("offline", user, stop_cutting, c);
	timer_set(&c->timer, LOOK_US, on_cutting, c);
	return c->task;
}
