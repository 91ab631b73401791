/* Two ways out for an event. While the reader (a broker, say) has all that came before, it goes out at once, on the topic `event`. Else it waits
 * in the journal, and goes out from there in arrays on the topic `backlog`, one array at a time, until there is nothing left before the next live one.
 *
 *   acked   the reader has all events up to this one; on disk, under the backlog's owner, name "acked"
 *   next    the first that was not handed to the sink in this run
 *   newest  the last that happened
 *
 * What was handed over and is not acknowledged stays with a sink that keeps it over reconnections, and is sent again after a start of ours
 * only; to others it is sent again when they are back. */
#include "gateway/mqtt/backlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "storage/journal.h"
#include "storage/kept.h"

#define SAMPLES_MARK (UINT64_C(1) << 63)
#define IN_FLIGHT 16
#define BATCH 50
#define BATCH_BYTES 60000
#define SAMPLE_EVERY_US (60 * US_PER_S)

struct backlog {
	struct gateway *g;
	char owner[64], samples[72]; /* in the kept store */
	backlog_publish *publish;
	void *arg;
	bool keeps, up, samples_wait, samples_sent;
	int64_t acked, next, newest;
	struct {
		int64_t last;       /* event in it */
		bool arrived;
	} flights[IN_FLIGHT];       /* what is on its way, in order */
	int n_flights;
	int64_t sampled_us;
	int64_t samples_to;         /* samples up to this one have arrived; the disk may still show them for a moment */
};

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
	struct backlog *b;
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
	backlog_write_event(x->b->g, rec, true, &x->json);
	return x->n < BATCH && x->json.n < BATCH_BYTES;
}

static bool add_sample(void *arg, const char *name, struct slice value)
{
	struct batch *x = arg;
	x->last = strtoll(name, NULL, 10);
	if (x->last < x->before_us || x->last <= x->b->samples_to)
		return true;
	buf_puts(&x->json, x->n++ ? "," : "[");
	/* Marked as late inside its object. */
	buf_puts(&x->json, "{\"hist\":true,");
	buf_add(&x->json, value.p + 1, value.n - 1);
	return x->n < BATCH && x->json.n < BATCH_BYTES;
}

static int64_t oldest_us(const struct backlog *b)
{
	return clock_wall_us() - b->g->conf->mqtt.backlog_max_age_us;
}

static bool send_batch(struct batch *x, uint64_t mark)
{
	buf_puts(&x->json, "]");
	bool sent = x->b->publish(x->b->arg, "backlog", buf_view(&x->json), mark) == 0;
	buf_free(&x->json);
	return sent;
}

static void note_acked(struct backlog *b)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)b->acked);
	if (kept_put(b->g->store, b->owner, "acked", slice_of(text), NULL, NULL) != 0)
		log_debug(NULL, "how far %s has the events is not noted", b->owner);
}

static void take_off(struct backlog *b, int64_t last)
{
	b->flights[b->n_flights].last = last;
	b->flights[b->n_flights++].arrived = false;
}

/* One array of old events on its way, or none while they are not on disk yet. */
static void send_events(struct backlog *b)
{
	struct batch x = { .b = b, .before_us = oldest_us(b), .last = b->next - 1 };
	if (journal_each(b->g->store, b->next - 1, add_event, &x) != 0 || x.last < b->next) {
		buf_free(&x.json);
		return;
	}
	if (x.n && !send_batch(&x, (uint64_t)x.last))
		return;
	b->next = x.last + 1;
	if (x.n)
		take_off(b, x.last);
	else
		b->acked = x.last; /* all too old */
}

static void send_samples(struct backlog *b)
{
	struct batch x = { .b = b, .before_us = oldest_us(b) };
	if (kept_each(b->g->store, b->samples, "", add_sample, &x) != 0 || !x.n) {
		b->samples_wait = false;
		buf_free(&x.json);
		return;
	}
	b->samples_sent = send_batch(&x, SAMPLES_MARK | (uint64_t)x.last);
}

static void pump(struct backlog *b)
{
	if (!b->up || b->n_flights || b->samples_sent)
		return;
	if (b->next <= b->newest)
		send_events(b);
	else if (b->samples_wait)
		send_samples(b);
}

static bool forget_sample(void *arg, const char *name, struct slice value)
{
	struct backlog *b = arg;
	(void)value;
	return strtoll(name, NULL, 10) <= b->samples_to && kept_remove(b->g->store, b->samples, name, NULL, NULL) == 0;
}

static void samples_acknowledged(struct backlog *b, int64_t last)
{
	b->samples_sent = false;
	b->samples_to = last;
	if (kept_each(b->g->store, b->samples, "", forget_sample, b) != 0)
		b->samples_wait = false; /* the disk says why elsewhere; they are tried again at the next start */
}

/* In whatever order acknowledgements come, only what lies before all that is still on its way is safe. */
static void event_acknowledged(struct backlog *b, int64_t last)
{
	int landed = 0;
	for (int i = 0; i < b->n_flights; i++)
		b->flights[i].arrived |= b->flights[i].last == last;
	while (landed < b->n_flights && b->flights[landed].arrived)
		b->acked = b->flights[landed++].last;
	b->n_flights -= landed;
	memmove(b->flights, b->flights + landed, (size_t)b->n_flights * sizeof(b->flights[0]));
	if (landed)
		note_acked(b);
}

void backlog_sent(struct backlog *b, uint64_t mark)
{
	if (!b)
		return; /* the sink outlives us by a moment */
	if (mark & SAMPLES_MARK)
		samples_acknowledged(b, (int64_t)(mark & ~SAMPLES_MARK));
	else
		event_acknowledged(b, (int64_t)mark);
	pump(b);
}

/* ---- what happens ---- */

void backlog_event(struct backlog *b, int64_t seq, struct slice json)
{
	if (!b || seq <= 0)
		return;
	b->newest = seq;
	if (!b->up || b->next != seq || b->n_flights == IN_FLIGHT || b->publish(b->arg, "event", json, (uint64_t)seq) != 0)
		return;
	take_off(b, seq);
	b->next = seq + 1;
}

void backlog_journaled(struct backlog *b)
{
	if (b)
		pump(b);
}

void backlog_sample(struct backlog *b, struct slice json)
{
	char name[24];
	if (!b || b->up || (b->sampled_us && clock_mono_us() - b->sampled_us < SAMPLE_EVERY_US))
		return;
	snprintf(name, sizeof(name), "%020lld", (long long)clock_wall_us());
	b->samples_wait |= kept_put(b->g->store, b->samples, name, json, NULL, NULL) == 0;
	b->sampled_us = clock_mono_us();
}

int64_t backlog_waiting(const struct backlog *b)
{
	return b && b->newest > b->acked ? b->newest - b->acked : 0;
}

static void take_back(struct backlog *b)
{
	b->n_flights = 0;
	b->next = b->acked + 1;
	b->samples_wait |= b->samples_sent;
	b->samples_sent = false;
}

void backlog_link(struct backlog *b, bool up)
{
	if (!b)
		return;
	b->up = up;
	if (!up && !b->keeps)
		take_back(b);
	pump(b);
}

/* ---- life ---- */

struct backlog *backlog_open(struct gateway *g, const char *owner, bool keeps, backlog_publish *publish, void *arg)
{
	struct backlog *b = NEW(struct backlog);
	struct arena mem = { 0 };
	struct slice text;
	int64_t acked;
	b->g = g;
	snprintf(b->owner, sizeof(b->owner), "%s", owner);
	snprintf(b->samples, sizeof(b->samples), "%s-sample", owner);
	b->keeps = keeps;
	b->publish = publish;
	b->arg = arg;
	b->newest = journal_last_seq(g->store);
	bool known = kept_get(g->store, b->owner, "acked", &mem, &text) == 0 && int_parse(text, &acked) == 0;
	b->acked = known && acked <= b->newest ? acked : b->newest; /* what was before the first reader is nobody's backlog */
	b->next = b->acked + 1;
	b->samples_wait = true;
	if (!known)
		note_acked(b);
	arena_free(&mem);
	return b;
}

void backlog_close(struct backlog **b)
{
	mem_free(*b);
	*b = NULL;
}
