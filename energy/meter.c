/* Samples and their age. A failed poll says nothing, so a meter that is silent grows old. A meter that answers every poll with the same digits
 * is harder: a steady load on a coarse meter looks like that for hours, and so does a gateway that repeats its last register. They differ
 * when the cars below are known to take another current: a living meter must show it, a frozen one does not. */
#include "energy/meter.h"

#include <stdio.h>
#include <string.h>

/* Station meter values may be a minute old, so a change that they tell and the meter does not is given longer than that. */
#define FROZEN_TIMES 5
#define FROZEN_LEAST_US (90 * INT64_C(1000000))

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

int64_t meter_lost_for(const struct meter *m, int64_t contradicted_us, int64_t now_us)
{
	if (!m->last.at_us)
		return INT64_MAX;
	int64_t silent = now_us - m->last.at_us - m->conf->stale_after_us;
	int64_t frozen = contradicted_us ? now_us - contradicted_us - frozen_after(m) : 0;
	if (frozen > silent)
		silent = frozen;
	return silent > 0 ? silent : 0;
}
