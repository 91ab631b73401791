/* Samples and their age. What counts is when a value last changed, not when the last poll was answered: a bus gateway that repeats its last
 * register answers every poll and knows nothing. Real currents, powers and energies never stand still for long, but a coarse meter on a calm
 * line may show the same digits for a while, so a frozen meter is given a minute where a silent one is given seconds. (Comparing with what
 * cars report is no short cut: reports come later than the change.) The exception is a line without any load: all zero, and zero again, is
 * what a healthy meter says there, as long as nothing below it is known to draw. */
#include "energy/meter.h"

#include <stdio.h>
#include <string.h>

#define FROZEN_TIMES 20
#define FROZEN_LEAST_US (60 * INT64_C(1000000))

void meter_init(struct meter *m, const struct meter_conf *conf)
{
	memset(m, 0, sizeof(*m));
	m->conf = conf;
}

/* Bit for bit: NaN equals NaN here, and the smallest difference counts. */
static bool same(const struct meter_sample *a, const struct meter_sample *b)
{
	return !memcmp(&a->ma, &b->ma, sizeof(a->ma)) && !memcmp(&a->power_w, &b->power_w, sizeof(a->power_w)) &&
	       !memcmp(a->voltage_v, b->voltage_v, sizeof(a->voltage_v)) && !memcmp(&a->import_wh, &b->import_wh, sizeof(a->import_wh)) &&
	       !memcmp(&a->export_wh, &b->export_wh, sizeof(a->export_wh));
}

static bool idle(const struct meter_sample *s)
{
	return !s->ma.l[0] && !s->ma.l[1] && !s->ma.l[2];
}

void meter_feed(struct meter *m, const struct meter_sample *s)
{
	if (!m->last.at_us || !same(&m->last, s))
		m->changed_us = s->at_us;
	m->last = *s;
	m->fault[0] = 0;
}

void meter_failed(struct meter *m, const char *why)
{
	snprintf(m->fault, sizeof(m->fault), "%s", why ? why : "read failed");
}

int64_t meter_age(const struct meter *m, int64_t now_us)
{
	return m->last.at_us ? now_us - m->last.at_us : INT64_MAX;
}

static int64_t frozen_after(const struct meter *m)
{
	int64_t patience = m->conf->stale_after_us * FROZEN_TIMES;
	return patience > FROZEN_LEAST_US ? patience : FROZEN_LEAST_US;
}

int64_t meter_lost_for(const struct meter *m, bool loaded, int64_t now_us)
{
	int64_t silent, frozen = 0;
	if (!m->last.at_us)
		return INT64_MAX;
	silent = now_us - m->last.at_us - m->conf->stale_after_us;
	if (loaded || !idle(&m->last))
		frozen = now_us - m->changed_us - frozen_after(m);
	if (frozen > silent)
		silent = frozen;
	return silent > 0 ? silent : 0;
}
