/* When meter values are taken and where they go.
 *
 *   sampled      every so often while a transaction runs: to the CSMS, and another list of them for its end
 *   aligned      at times of day that are multiples of an interval from midnight UTC, whether a transaction runs or not; also for its end
 *   on trigger   once
 *
 * The CSMS gets them in the transaction's own messages where the version has those, else as MeterValues.
 *
 * Easy to get wrong: what is kept for the end is bounded. When there is no room, every second set is dropped and the first, from the
 * beginning of the transaction, stays (2.0.1 E11.FR.04, 1.6 errata 3.91 with StopTransactionMaxMeterValues). */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "station/inside.h"

#define KEPT_MOST 1200 /* samples */
#define DAY_US (86400 * US_PER_S)
#define LOOK_US (60 * US_PER_S) /* wall time may be set: look again at least this often */

size_t meters_take(const struct evse *e, enum key list, enum sampling_context context, struct sample out[SAMPLES_MOST])
{
	measurands wanted = 0;
	int err = sampling_parse(slice_of(keys_text(&e->s->keys, list)), &wanted);
	if (err)
		return 0;
	return sampling_take(&e->con.in, e->s->conf.phases, e->con.offered_ma, wanted, context, clock_wall_us(), out);
}

/* To the CSMS */

static void tell_tx(struct evse *e, const char *trigger, struct sample *samples, size_t n)
{
	struct event ev;
	charge_begin_event(e, &ev, TX_UPDATE, trigger);
	ev.samples = samples;
	ev.n_samples = n;
	if (strcmp(trigger, "Trigger") == 0 && e->con.in.plugged)
		ev.evse = e->con.evse;
	txns_put(station_txns(e->s, e->con.evse), e->tx, &ev);
}

static void tell_values(struct evse *e, bool of_tx, struct sample *samples, size_t n)
{
	struct station *s = e->s;
	struct event ev;
	event_init(&ev, EV_METER);
	ev.evse = e->con.evse;
	ev.time_us = clock_wall_us();
	ev.samples = samples;
	ev.n_samples = n;
	if (of_tx)
		txns_put(station_txns(s, e->con.evse), e->tx, &ev);
	else if (station_talks(s) || (s->link && samples->trigger))
		wire_tell(&s->wire, &ev);
}

static void tell(struct evse *e, const char *trigger, enum key list, enum sampling_context context)
{
	struct sample samples[SAMPLES_MOST];
	size_t n = meters_take(e, list, context, samples);
	if (!n)
		return;
	if (e->tx && e->s->dialect->tx_tells_all)
		tell_tx(e, trigger, samples, n);
	else
		tell_values(e, e->tx != NULL, samples, n);
}

/* For the end */

static void thin_out(struct evse *e)
{
	size_t kept = 0;
	bool odd = false;
	int64_t set_us = 0;
	for (size_t i = 0; i < e->n_kept; i++) {
		const struct sample *one = &e->kept[i];
		if (one->time_us != set_us)
			odd = !odd;
		set_us = one->time_us;
		if (odd || one->begin)
			e->kept[kept++] = *one;
	}
	e->n_kept = kept;
}

static void collect(struct evse *e, enum key list, enum sampling_context context)
{
	if (e->n_kept + SAMPLES_MOST > KEPT_MOST)
		thin_out(e);
	if (!e->kept)
		e->kept = mem_new((KEPT_MOST + SAMPLES_MOST) * sizeof(*e->kept));
	e->n_kept += meters_take(e, list, context, e->kept + e->n_kept);
}

size_t meters_of_end(struct evse *e, struct sample **out)
{
	collect(e, KEY_ENDED_DATA, SAMPLE_END);
	*out = e->kept;
	return e->n_kept;
}

void meters_drop(struct evse *e)
{
	timer_cancel(&e->sample);
	timer_cancel(&e->collect);
	mem_free(e->kept);
	e->kept = NULL;
	e->n_kept = 0;
}

/* Sampled */

static void on_sample(void *arg);
static void on_collect(void *arg);

static int64_t interval_us(const struct evse *e, enum key key)
{
	return keys_int(&e->s->keys, key) * US_PER_S;
}

/* A version without an interval of its own for the end takes the one there is. */
static enum key end_interval(const struct station *s, enum key own, enum key otherwise)
{
	return keys_name(own, s->dialect->names) ? own : otherwise;
}

static void set_timer(struct evse *e, struct timer *t, enum key interval, void (*fire)(void *))
{
	timer_cancel(t);
	if (e->tx && interval_us(e, interval))
		timer_set(t, interval_us(e, interval), fire, e);
}

static void set_sample_timer(struct evse *e)
{
	set_timer(e, &e->sample, KEY_SAMPLE_INTERVAL, on_sample);
}

static void set_collect_timer(struct evse *e)
{
	set_timer(e, &e->collect, end_interval(e->s, KEY_ENDED_INTERVAL, KEY_SAMPLE_INTERVAL), on_collect);
}

static void on_sample(void *arg)
{
	struct evse *e = arg;
	tell(e, "MeterValuePeriodic", KEY_SAMPLED_DATA, SAMPLE_PERIODIC);
	set_sample_timer(e);
}

static void on_collect(void *arg)
{
	struct evse *e = arg;
	collect(e, KEY_ENDED_DATA, SAMPLE_PERIODIC);
	set_collect_timer(e);
}

void meters_tx_changed(struct evse *e)
{
	if (e->tx && !e->n_kept)
		collect(e, KEY_ENDED_DATA, SAMPLE_BEGIN);
	set_sample_timer(e);
	set_collect_timer(e);
}

void meters_now(struct evse *e, bool of_tx)
{
	struct sample samples[SAMPLES_MOST];
	enum key list = e->s->dialect->tx_tells_all && !of_tx ? KEY_ALIGNED_DATA : KEY_SAMPLED_DATA;
	size_t n = meters_take(e, list, SAMPLE_TRIGGER, samples);
	if (of_tx && e->tx)
		tell_tx(e, "Trigger", samples, n);
	else if (n)
		tell_values(e, e->tx && !e->s->dialect->tx_tells_all, samples, n);
}

/* Aligned */

static void on_aligned(void *arg);
static void on_aligned_end(void *arg);

/* The next time of day that is a multiple of the interval; the day is UTC's, as the messages' times are. */
static int64_t next_aligned(int64_t now_us, int64_t every_us)
{
	int64_t day_us = now_us - now_us % DAY_US, next_us = day_us + ((now_us - day_us) / every_us + 1) * every_us;
	return next_us < day_us + DAY_US ? next_us : day_us + DAY_US;
}

static void set_aligned(struct station *s, struct timer *t, enum key key, int64_t *due_us, void (*fire)(void *))
{
	int64_t every_us = keys_int(&s->keys, key) * US_PER_S, now_us = clock_wall_us();
	timer_cancel(t);
	*due_us = every_us ? next_aligned(now_us, every_us) : 0;
	if (every_us)
		timer_set(t, *due_us - now_us < LOOK_US ? *due_us - now_us : LOOK_US, fire, s);
}

static void set_both(struct station *s, bool sent)
{
	if (sent)
		set_aligned(s, &s->aligned, KEY_ALIGNED_INTERVAL, &s->aligned_us, on_aligned);
	else
		set_aligned(s, &s->aligned_end, end_interval(s, KEY_ALIGNED_END_INTERVAL, KEY_ALIGNED_INTERVAL), &s->aligned_end_us, on_aligned_end);
}

static void on_aligned(void *arg)
{
	struct station *s = arg;
	bool due = clock_wall_us() >= s->aligned_us, only_idle = keys_bool(&s->keys, KEY_ALIGNED_IDLE);
	for (int i = 0; due && i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		if (!e->tx || !only_idle)
			tell(e, "MeterValueClock", KEY_ALIGNED_DATA, SAMPLE_CLOCK);
	}
	set_both(s, true);
}

static void on_aligned_end(void *arg)
{
	struct station *s = arg;
	bool due = clock_wall_us() >= s->aligned_end_us;
	for (int i = 0; due && i < s->conf.n_evses; i++) {
		if (s->evses[i].tx)
			collect(&s->evses[i], KEY_ALIGNED_END_DATA, SAMPLE_CLOCK);
	}
	set_both(s, false);
}

void meters_aligned_changed(struct station *s)
{
	set_both(s, true);
	set_both(s, false);
}
