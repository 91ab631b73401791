/* Easy to get wrong: thinning is a walk over all that may go, so it is not done for every message while it finds nothing; and what it frees shows
 * in the next commit's figures only. */
#include "gateway/offline/room.h"

#include "base/clock.h"
#include "base/log.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/alarm.h"
#include "storage/outbox.h"

#define NOTHING_LEFT_US (60 * US_PER_S)

static struct {
	bool thinning;
	int64_t not_before_us;
} room;

void room_refused(struct gateway *g, int err)
{
	struct buf args = { 0 };
	if (g->storage_failing || err == ERR_EXISTS || err == ERR_CLOSED)
		return;
	g->storage_failing = true;
	log_error(NULL, "nothing can be stored: %s. New transactions are refused; stations keep what they have to say", err_text(err));
	buf_printf(&args, "{\"error\":\"%s\"}", err_text(err));
	telemetry_event(g, "storage.failed", "critical", "storage", args.p);
	alarm_raise(g, "MemoryExhaustion", "transactions cannot be stored", NULL);
	buf_free(&args);
}

static void on_thinned(void *arg, int err, int64_t count)
{
	struct gateway *g = arg;
	struct buf args = { 0 };
	room.thinning = false;
	if (count < OUTBOX_THINNED)
		room.not_before_us = clock_mono_us() + (count ? US_PER_S : NOTHING_LEFT_US);
	if (err)
		log_error(NULL, "meter values could not be thinned out: %s", err_text(err));
	if (err || !count)
		return;
	log_warn(NULL, "the queue is nearly full: %lld meter values from the middle of transactions are left out", (long long)count);
	buf_printf(&args, "{\"messages\":%lld}", (long long)count);
	telemetry_event(g, "storage.thinned", "warning", "storage", args.p);
	alarm_raise(g, "MemoryExhaustion", "the queue is nearly full", NULL);
	buf_free(&args);
}

static void review(struct gateway *g)
{
	struct store_stats st;
	store_get_stats(g->store, &st);
	int64_t from = st.size_most - st.reserve - st.reserve / 4;
	if (!st.size_most || st.used_bytes < from || room.thinning || g->conf->offline.queue.when_full != FULL_THIN || clock_mono_us() < room.not_before_us)
		return;
	room.thinning = true;
	int err = outbox_thin(g->store, on_thinned, g);
	if (err)
		on_thinned(g, err, 0);
}

void room_taken(struct gateway *g, bool start)
{
	review(g);
	if (!start || !g->storage_failing || g->storage_spare)
		return;
	g->storage_failing = false;
	log_info(NULL, "transactions are stored again");
	telemetry_event(g, "storage.back", "info", "storage", NULL);
}
