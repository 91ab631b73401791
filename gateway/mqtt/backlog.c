/* Two ways out for an event. While the broker has all that came before, it goes out at once, on the topic `event`. Else it waits in the journal,
 * and goes out from there in arrays on the topic `backlog`, one array at a time, until there is nothing left before the next live one.
 *
 *   acked   the broker has all events up to this one; on disk, owner "mqtt", name "acked"
 *   next    the first that was not handed to the sink in this run
 *   newest  the last that happened
 *
 * What was handed over and is not acknowledged stays with the sink over reconnections; only after a start of ours it is sent again. */
#include "gateway/mqtt/backlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timer.h"
#include "storage/journal.h"
#include "storage/kept.h"

#define OWNER "mqtt"
#define SAMPLES "mqtt-sample"
#define SAMPLES_MARK (UINT64_C(1) << 63)
#define IN_FLIGHT 16
#define BATCH 50
#define BATCH_BYTES 60000
#define SAMPLE_EVERY_US (60 * US_PER_S)

static struct {
	struct gateway *g;
	backlog_publish *publish;
	bool up, samples_wait, samples_sent;
	int64_t acked, next, newest;
	struct {
		int64_t last;       /* event in it */
		bool arrived;
	} flights[IN_FLIGHT];       /* what is on its way, in order */
	int n_flights;
	int64_t sampled_us;
	int64_t samples_to;         /* samples up to this one have arrived; the disk may still show them for a moment */
} b;

void backlog_write_event(const struct gateway *g, const struct journal_rec *rec, bool late, struct buf *out)
{
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_int(&w, "v", 1);
	jw_string(&w, "boot", g->boot_id);
	jw_int(&w, "seq", rec->seq);
	jw_time(&w, "ts", rec->wall_us);
	jw_string(&w, "code", rec->code);
	jw_string(&w, "sev", rec->severity);
	jw_string(&w, "obj", rec->object);
	jw_raw(&w, "args", slice_of(rec->args));
	if (late)
		jw_bool(&w, "hist", true);
	jw_end(&w, '}');
}

/* ---- what waits ---- */

struct batch {
	struct buf json;
	int n;
	int64_t last, before_us; /* older ones are not worth sending */
};

static bool add_event(void *arg, const struct journal_rec *rec)
{
	struct batch *x = arg;
	x->last = rec->seq;
	if (rec->wall_us < x->before_us)
		return true;
	buf_puts(&x->json, x->n++ ? "," : "[");
	backlog_write_event(b.g, rec, true, &x->json);
	return x->n < BATCH && x->json.n < BATCH_BYTES;
}

static bool add_sample(void *arg, const char *name, struct slice value)
{
	struct batch *x = arg;
	x->last = strtoll(name, NULL, 10);
	if (x->last < x->before_us || x->last <= b.samples_to)
		return true;
	buf_puts(&x->json, x->n++ ? "," : "[");
	/* Marked as late inside its object. */
	buf_puts(&x->json, "{\"hist\":true,");
	buf_add(&x->json, value.p + 1, value.n - 1);
	return x->n < BATCH && x->json.n < BATCH_BYTES;
}

static int64_t oldest_us(void)
{
	return clock_wall_us() - b.g->conf->mqtt.backlog_max_age_us;
}

static bool send_batch(struct batch *x, uint64_t mark)
{
	buf_puts(&x->json, "]");
	bool sent = b.publish("backlog", buf_view(&x->json), mark) == 0;
	buf_free(&x->json);
	return sent;
}

static void note_acked(void)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)b.acked);
	if (kept_put(b.g->store, OWNER, "acked", slice_of(text), NULL, NULL) != 0)
		log_debug(NULL, "how far MQTT has the events is not noted");
}

static void take_off(int64_t last)
{
	b.flights[b.n_flights].last = last;
	b.flights[b.n_flights++].arrived = false;
}

/* One array of old events on its way, or none while they are not on disk yet. */
static void send_events(void)
{
	struct batch x = { .before_us = oldest_us(), .last = b.next - 1 };
	if (journal_each(b.g->store, b.next - 1, add_event, &x) != 0 || x.last < b.next) {
		buf_free(&x.json);
		return;
	}
	if (x.n && !send_batch(&x, (uint64_t)x.last))
		return;
	b.next = x.last + 1;
	if (x.n)
		take_off(x.last);
	else
		b.acked = x.last; /* all too old */
}

static void send_samples(void)
{
	struct batch x = { .before_us = oldest_us() };
	if (kept_each(b.g->store, SAMPLES, "", add_sample, &x) != 0 || !x.n) {
		b.samples_wait = false;
		buf_free(&x.json);
		return;
	}
	b.samples_sent = send_batch(&x, SAMPLES_MARK | (uint64_t)x.last);
}

static void pump(void)
{
	if (!b.up || b.n_flights || b.samples_sent)
		return;
	if (b.next <= b.newest)
		send_events();
	else if (b.samples_wait)
		send_samples();
}

static bool forget_sample(void *arg, const char *name, struct slice value)
{
	const int64_t *last = arg;
	(void)value;
	return strtoll(name, NULL, 10) <= *last && kept_remove(b.g->store, SAMPLES, name, NULL, NULL) == 0;
}

static void samples_acknowledged(int64_t last)
{
	b.samples_sent = false;
	b.samples_to = last;
	if (kept_each(b.g->store, SAMPLES, "", forget_sample, &last) != 0)
		b.samples_wait = false; /* the disk says why elsewhere; they are tried again at the next start */
}

/* In whatever order acknowledgements come, only what lies before all that is still on its way is safe. */
static void event_acknowledged(int64_t last)
{
	int landed = 0;
	for (int i = 0; i < b.n_flights; i++)
		b.flights[i].arrived |= b.flights[i].last == last;
	while (landed < b.n_flights && b.flights[landed].arrived)
		b.acked = b.flights[landed++].last;
	b.n_flights -= landed;
	memmove(b.flights, b.flights + landed, (size_t)b.n_flights * sizeof(b.flights[0]));
	if (landed)
		note_acked();
}

void backlog_sent(uint64_t mark)
{
	if (!b.g)
		return; /* the sink outlives us by a moment */
	if (mark & SAMPLES_MARK)
		samples_acknowledged((int64_t)(mark & ~SAMPLES_MARK));
	else
		event_acknowledged((int64_t)mark);
	pump();
}

/* ---- what happens ---- */

void backlog_event(int64_t seq, struct slice json)
{
	if (!b.g || seq <= 0)
		return;
	b.newest = seq;
	if (!b.up || b.next != seq || b.n_flights == IN_FLIGHT || b.publish("event", json, (uint64_t)seq) != 0)
		return;
	take_off(seq);
	b.next = seq + 1;
}

void backlog_journaled(void)
{
	if (b.g)
		pump();
}

void backlog_sample(struct slice json)
{
	char name[24];
	if (!b.g || b.up || (b.sampled_us && clock_mono_us() - b.sampled_us < SAMPLE_EVERY_US))
		return;
	snprintf(name, sizeof(name), "%020lld", (long long)clock_wall_us());
	b.samples_wait |= kept_put(b.g->store, SAMPLES, name, json, NULL, NULL) == 0;
	b.sampled_us = clock_mono_us();
}

int64_t backlog_waiting(void)
{
	return b.g && b.newest > b.acked ? b.newest - b.acked : 0;
}

void backlog_link(bool up)
{
	b.up = up;
	if (b.g)
		pump();
}

/* ---- life ---- */

void backlog_open(struct gateway *g, backlog_publish *publish)
{
	struct arena mem = { 0 };
	struct slice text;
	int64_t acked;
	memset(&b, 0, sizeof(b));
	b.g = g;
	b.publish = publish;
	b.newest = journal_last_seq(g->store);
	bool known = kept_get(g->store, OWNER, "acked", &mem, &text) == 0 && int_parse(text, &acked) == 0;
	b.acked = known && acked <= b.newest ? acked : b.newest; /* what was before the first broker is nobody's backlog */
	b.next = b.acked + 1;
	b.samples_wait = true;
	if (!known)
		note_acked();
	arena_free(&mem);
}

void backlog_close(void)
{
	memset(&b, 0, sizeof(b));
}
