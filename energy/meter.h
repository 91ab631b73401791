/* One meter: its last sample, and how old what it says is. Loop thread. */
#ifndef AMPGATE_ENERGY_METER_H
#define AMPGATE_ENERGY_METER_H

#include "energy/control.h"

#define METER_FAULT 96

struct meter {
	const struct meter_conf *conf;
	struct meter_sample last;  /* at_us 0: never */
	int64_t changed_us;        /* when a value last differed from the one before */
	int64_t known_us;          /* its first sample */
	int64_t nothing_us;        /* since when it says that nothing flows, neither current nor power; 0: something does */
	int64_t zero_us[3];        /* since when it says that nothing flows on this line; 0: something does */
	bool fine;                 /* it has been seen to tell less than whole amperes: its nothing is no rounded little */
	int repeats;               /* samples since then that said the same again */
	int32_t again_ppm;         /* how often the first sample after a change says the same again: lately, of a million */
	int64_t quiet_us;          /* for how long its values stay the same when it is well: halved every hour */
	int64_t halved_us;
	int64_t late_us;           /* for how long its samples are under way: the least, lately */
	char fault[METER_FAULT];   /* why the last read failed; empty: it did not */
	char doubt[METER_FAULT];   /* why what it says is not believed; empty: it is */
};

void meter_init(struct meter *m, const struct meter_conf *conf);
/* `looked_us`: the last tick before this; a sample that is older has been under way since. */
void meter_feed(struct meter *m, const struct meter_sample *s, int64_t looked_us);
void meter_failed(struct meter *m, const char *why); /* keeps the last sample, which goes on ageing */

bool meter_idle(const struct meter *m); /* nothing flows: then even a meter that lives has nothing new to say */
/* Age of the last sample; INT64_MAX: there was none. */
int64_t meter_age(const struct meter *m, int64_t now_us);
bool meter_stands_still(const struct meter *m); /* longer than it ever did, which is part of being lost */
/* For how long it has been lost, counted from when it became stale, which is later where all its samples are late; 0: it is fresh. `contradicted_us`: since when the cars below are known to
 * take another current than when its values last changed; 0: they are not. */
int64_t meter_lost_for(const struct meter *m, int64_t contradicted_us, int64_t now_us);

#endif
