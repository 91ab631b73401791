/* Samples and their age. A failed poll says nothing, so a meter that is silent grows old. A meter that answers every poll with the same digits
 * is harder: a steady load on a coarse meter looks like that for hours, and so does a gateway that repeats its last register. They differ
 * when the cars below are known to take another current: a living meter must show it, a frozen one does not. And most meters never say the
 * same twice for long, for their volts move. How often they do is learnt from how often the first sample after a change repeats it; a row of
 * repetitions that would come about once in a million samples is no chance, and means frozen within some seconds. If it was not, its patience
 * has grown when it moves again.
 *
 * A meter whose samples are all some seconds old when they come is slow, not silent: it may be older by as much, up to a few seconds. What the
 * cars do meanwhile is known from them; what the building does is answered later, which costs some overload.
 *
 * Easy to get wrong: a meter that was frozen for a quarter of an hour moves again, too, and must not be taken for one that is slow of speech.
 * So one long silence makes patience twice as long, not as long as the silence was. */
#include "energy/meter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Station meter values may be a minute old, so a change that they tell and the meter does not is given longer than that. */
#define FROZEN_TIMES 5
#define FROZEN_LEAST_US (90 * INT64_C(1000000))
#define KNOWN_AFTER_US (900 * INT64_C(1000000))
#define RESTLESS_US (30 * INT64_C(1000000))   /* never the same for longer than this */
#define STILL_LEAST_US (10 * INT64_C(1000000))
#define STILL_TIMES 2
#define QUIET_STEP_US (5 * INT64_C(1000000))
#define OF_ALL 1000000
#define AGAIN_WEIGHT 64                       /* of so many changes */
#define LATE_MOST_US (10 * INT64_C(1000000))   /* with more, a load that is switched on would be answered too late */
#define LATE_WEIGHT 8
#define HALVED_US (3600 * INT64_C(1000000))

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

/* Its values have changed: how long they had not, and whether they were said twice. */
static void note_still(struct meter *m)
{
	int64_t still = m->last.at_us - m->changed_us, most = 2 * m->quiet_us + QUIET_STEP_US;
	m->again_ppm += ((m->repeats ? OF_ALL : 0) - m->again_ppm) / AGAIN_WEIGHT;
	if (m->last.at_us - m->halved_us >= HALVED_US) {
		m->quiet_us /= 2;
		m->halved_us = m->last.at_us;
	}
	if (still > m->quiet_us)
		m->quiet_us = still < most ? still : most;
}

/* One sample that was not late shows that the way need not be long. */
static void note_late(struct meter *m, int64_t late_us)
{
	late_us = late_us < 0 ? 0 : late_us > LATE_MOST_US ? LATE_MOST_US : late_us;
	m->late_us = late_us < m->late_us ? late_us : m->late_us + (late_us - m->late_us) / LATE_WEIGHT;
}

static void note_lines(struct meter *m, const struct meter_sample *s)
{
	for (int l = 0; l < 3; l++) {
		m->zero_us[l] = s->ma.l[l] ? 0 : m->zero_us[l] ? m->zero_us[l] : s->at_us;
		m->fine = m->fine || s->ma.l[l] % 1000;
	}
}

void meter_feed(struct meter *m, const struct meter_sample *s, int64_t looked_us)
{
	note_late(m, looked_us - s->at_us);
	if (!m->last.at_us) {
		m->known_us = m->changed_us = m->halved_us = s->at_us;
		m->again_ppm = OF_ALL;
	} else if (!same(&m->last, s)) {
		note_still(m);
		m->changed_us = s->at_us;
		m->repeats = 0;
	} else {
		m->repeats++;
	}
	m->last = *s;
	note_lines(m, s);
	m->nothing_us = !meter_idle(m) || (!isnan(s->power_w) && s->power_w != 0) ? 0 : m->nothing_us ? m->nothing_us : s->at_us;
	m->fault[0] = 0;
}

void meter_failed(struct meter *m, const char *why)
{
	snprintf(m->fault, sizeof(m->fault), "%s", why ? why : "read failed");
}

bool meter_idle(const struct meter *m)
{
	return !m->last.ma.l[0] && !m->last.ma.l[1] && !m->last.ma.l[2];
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

/* So many repetitions in a row are no chance; 0: it repeats itself too often to say. */
static int too_many(const struct meter *m)
{
	static const struct {
		int32_t again_ppm;
		int repeats; /* again to the power of it is about a millionth */
	} rows[] = { { 20000, 4 }, { 50000, 5 }, { 100000, 6 }, { 180000, 8 }, { 250000, 10 }, { 400000, 15 }, { 600000, 27 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (m->again_ppm <= rows[i].again_ppm)
			return rows[i].repeats;
	return 0;
}

/* For how long its values have been the same longer than they ever are; not above 0: they have not. */
static int64_t still_for(const struct meter *m)
{
	int64_t patience = m->quiet_us * STILL_TIMES > STILL_LEAST_US ? m->quiet_us * STILL_TIMES : STILL_LEAST_US;
	if (m->quiet_us > RESTLESS_US || m->changed_us - m->known_us < KNOWN_AFTER_US || meter_idle(m) || !too_many(m) || m->repeats < too_many(m))
		return 0;
	return m->last.at_us - m->changed_us - patience;
}

bool meter_stands_still(const struct meter *m)
{
	return still_for(m) > 0;
}

int64_t meter_lost_for(const struct meter *m, int64_t contradicted_us, int64_t now_us)
{
	if (!m->last.at_us)
		return INT64_MAX;
	int64_t silent = now_us - m->last.at_us - m->conf->stale_after_us - m->late_us;
	int64_t frozen = contradicted_us ? now_us - contradicted_us - frozen_after(m) : 0;
	if (still_for(m) > frozen)
		frozen = still_for(m);
	if (frozen > silent)
		silent = frozen;
	return silent > 0 ? silent : 0;
}
