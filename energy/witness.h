/* What the cars below a meter say against it: they take clearly more or less than a moment ago, and it does not follow. Per grid line, and for
 * all lines together. Pure: no clock of its own. */
#ifndef AMPGATE_ENERGY_WITNESS_H
#define AMPGATE_ENERGY_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#define WITNESS_ALL 3          /* behind the three lines: their sum */
#define WITNESS_CHANNELS 4
#define WITNESS_SLOTS 36

struct witness_slot {          /* ten seconds */
	int32_t low[WITNESS_CHANNELS], high[WITNESS_CHANNELS]; /* of the meter */
	int32_t most[WITNESS_CHANNELS];  /* at some moment the cars took surely no more than this */
	int32_t least[WITNESS_CHANNELS]; /* at some moment surely no less */
	int32_t age_s;         /* of the oldest report that was believed */
	bool any;
};

struct witness {
	struct witness_slot slots[WITNESS_SLOTS];
	int64_t slot_no;
	struct witness_claim {
		int times;           /* changes that it did not follow; 0: it is not contradicted */
		int64_t since_us, last_us; /* the first of them and the last */
		int32_t meter_ma;    /* it said then, and has said since */
		int32_t from_ma, to_ma; /* of the cars: before the first, and farthest from that since */
	} claims[WITNESS_CHANNELS];
};

/* The meter has said `ma`, while the cars took between `low` and `high` as far as is known from reports no older than age_us. */
void witness_feed(struct witness *w, const int64_t ma[WITNESS_CHANNELS], const int64_t low[WITNESS_CHANNELS], const int64_t high[WITNESS_CHANNELS],
		  int64_t age_us, int64_t at_us);
/* The channel on which it has not followed `times` changes and had patience_us to do so; -1: none. since_us_out: when that was too long. */
int witness_against(const struct witness *w, int times, int64_t patience_us, int64_t now_us, int64_t *since_us_out);
/* A change just now is not followed: it may still be, and until then nothing is to be learnt from what the meter says. */
bool witness_doubts(const struct witness *w);

#endif
