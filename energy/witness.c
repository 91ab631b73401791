/* A meter that is frozen says the same, and a gateway may put some noise on it, so that no two samples are alike. What gives it away is that it
 * does not follow: the cars below take tens of amperes more, and it stays where it is.
 *
 * A living meter may stay where it is as well, because the building moves the other way at the same time. It does so by chance, and then not
 * to an ampere; or because the cars are steered by it, for a plant or for the building beside them, and then it is the first to move: cars can
 * only make up for what the meter has shown. So it has to be still from before the change was made until well after it, and the stiller
 * it has to be the less they changed. Cars that follow a ramp some seconds behind keep a meter still, too, but ramps last: only what changes
 * within twenty seconds counts, and only when it is much. What changes within some minutes counts where the meter shows no more than noise all the
 * time, since nobody is steered as well as that.
 *
 * Easy to get wrong: a report is late. What it says became true at some moment since the report before, and the meter has shown that then: so it
 * has to have been still for the age of the reports longer. And what a car takes while an order is on its way is a range, not a number; a change
 * is one when the ranges before and after do not meet.
 *
 * Once it is contradicted it stays so until it moves: that the cars go back later, perhaps because it is not believed any more, proves nothing. */
#include "energy/witness.h"

#include <string.h>

#include "base/clock.h"

#define SLOT_US (10 * US_PER_S)
#define SUDDEN_SLOTS 2      /* a sudden change of cars happens within these, with now */
#define SLOW_SLOTS 26       /* and any within these */
#define MOVED_LINE_MA 8000  /* a change that a living meter must show */
#define MOVED_ALL_MA 16000
#define STILL_LINE_MA 2000  /* a meter whose values stay within this does not move */
#define STILL_ALL_MA 3000
#define NOISE_LINE_MA 400   /* nor does it do more than make noise within this */
#define NOISE_ALL_MA 900
#define CLEARLY 10          /* a change is so many times what the meter moved */
#define FOLLOWED 8          /* it moves when it does so by this part of the change */
#define TAKEN_BACK_US (30 * US_PER_S)
#define ASKED_AGAIN_US (900 * US_PER_S)

static int32_t narrow(int64_t ma)
{
	return ma > INT32_MAX / 4 ? INT32_MAX / 4 : ma < -INT32_MAX / 4 ? -INT32_MAX / 4 : (int32_t)ma;
}

static struct witness_slot *slot_at(struct witness *w, int64_t no)
{
	return &w->slots[no % WITNESS_SLOTS];
}

/* Enters the slot of this moment. Where none came for a whole slot the meter may have moved and come back. */
static struct witness_slot *enter(struct witness *w, int64_t at_us)
{
	int64_t no = at_us / SLOT_US;
	if (no > w->slot_no + 1 || no < w->slot_no)
		memset(w->slots, 0, sizeof(w->slots));
	else if (no > w->slot_no)
		slot_at(w, no)->any = false;
	w->slot_no = no;
	return slot_at(w, no);
}

static void note(struct witness_slot *s, int ch, int32_t ma, int32_t least, int32_t most)
{
	s->low[ch] = !s->any || ma < s->low[ch] ? ma : s->low[ch];
	s->high[ch] = !s->any || ma > s->high[ch] ? ma : s->high[ch];
	s->least[ch] = !s->any || least > s->least[ch] ? least : s->least[ch];
	s->most[ch] = !s->any || most < s->most[ch] ? most : s->most[ch];
}

static int32_t distance(int32_t a, int32_t b)
{
	return a > b ? a - b : b - a;
}

/* So many slots ago. */
static const struct witness_slot *ago(const struct witness *w, int k)
{
	return &w->slots[(w->slot_no + WITNESS_SLOTS - k) % WITNESS_SLOTS];
}

/* How many slots it has to have been still in, for a change since k slots ago: as far back as reports were old then. */
static int reach(const struct witness *w, int k)
{
	int32_t age_s = 0;
	for (int i = 0; i <= k; i++)
		age_s = ago(w, i)->age_s > age_s ? ago(w, i)->age_s : age_s;
	return k + 1 + (int)((age_s * US_PER_S + SLOT_US - 1) / SLOT_US);
}

/* What the meter moved meanwhile; INT32_MAX: that is not known. */
static int32_t moved(const struct witness *w, int ch, int back)
{
	int32_t low = INT32_MAX, high = INT32_MIN;
	for (int k = 0; k < back; k++) {
		if (k >= WITNESS_SLOTS || !ago(w, k)->any)
			return INT32_MAX;
		low = ago(w, k)->low[ch] < low ? ago(w, k)->low[ch] : low;
		high = ago(w, k)->high[ch] > high ? ago(w, k)->high[ch] : high;
	}
	return high - low;
}

/* From now on only what changes after this one is another. */
static void begin_anew(struct witness *w, int ch, int32_t least, int32_t most)
{
	for (int k = 0; k < WITNESS_SLOTS; k++) {
		w->slots[k].least[ch] = least;
		w->slots[k].most[ch] = most;
	}
}

static int32_t least_change(int ch)
{
	return ch == WITNESS_ALL ? MOVED_ALL_MA : MOVED_LINE_MA;
}

static int32_t most_still(int ch)
{
	return ch == WITNESS_ALL ? STILL_ALL_MA : STILL_LINE_MA;
}

/* How the cars changed from what they took k slots ago to now, where that is sure and the meter did not follow; else 0. */
static int32_t unseen(const struct witness *w, int ch, int k, int32_t least, int32_t most, int32_t *from_out)
{
	int32_t up = least - ago(w, k)->most[ch], down = ago(w, k)->least[ch] - most, by = up > down ? up : down;
	if (by < least_change(ch))
		return 0;
	int32_t meter = moved(w, ch, reach(w, k)), still = k < SUDDEN_SLOTS ? most_still(ch) : ch == WITNESS_ALL ? NOISE_ALL_MA : NOISE_LINE_MA;
	if (meter > still || by < CLEARLY * meter)
		return 0;
	*from_out = up > down ? ago(w, k)->most[ch] : ago(w, k)->least[ch];
	return by;
}

static void claim(struct witness *w, int ch, int32_t ma, int32_t from, int32_t to, int64_t at_us)
{
	struct witness_claim *claim = &w->claims[ch];
	if (!claim->times++) {
		claim->since_us = at_us;
		claim->meter_ma = ma;
	}
	claim->last_us = at_us;
	if (claim->times == 1)
		claim->from_ma = claim->to_ma = from;
	if (distance(to, claim->from_ma) > distance(claim->to_ma, claim->from_ma))
		claim->to_ma = to;
}

static void look(struct witness *w, int ch, int32_t ma, int32_t least, int32_t most, int64_t at_us)
{
	for (int k = 0; k < SLOW_SLOTS; k++) {
		int32_t from;
		if (!ago(w, k)->any)
			return;
		if (!unseen(w, ch, k, least, most, &from))
			continue;
		claim(w, ch, ma, from, least > from ? least : most, at_us);
		begin_anew(w, ch, least, most);
		return;
	}
}

/* What one report said the next one takes back. */
static bool taken_back(const struct witness_claim *claim, int ch, int32_t least, int32_t most, int64_t at_us)
{
	return claim->times == 1 && at_us - claim->since_us <= TAKEN_BACK_US && least > claim->from_ma - least_change(ch) / 2 &&
	       most < claim->from_ma + least_change(ch) / 2;
}

/* Cars pause because it is not believed, and nobody else is there: what it says is right at last, and would never change. It is asked again. */
static bool asked_again(const struct witness_claim *claim, int ch, int32_t ma, int32_t most, int64_t at_us)
{
	return at_us - claim->last_us >= ASKED_AGAIN_US && distance(ma, 0) < least_change(ch) / 2 && most < least_change(ch) / 2;
}

static void let_go(struct witness *w, int ch, int32_t ma, int32_t least, int32_t most, int64_t at_us)
{
	struct witness_claim *claim = &w->claims[ch];
	int32_t by = distance(claim->to_ma, claim->from_ma) / FOLLOWED;
	bool moves = distance(ma, claim->meter_ma) > (by < most_still(ch) / 2 ? by : most_still(ch) / 2);
	if (!claim->times || !(moves || taken_back(claim, ch, least, most, at_us) || asked_again(claim, ch, ma, most, at_us)))
		return;
	memset(claim, 0, sizeof(*claim));
	begin_anew(w, ch, least, most);
}

void witness_feed(struct witness *w, const int64_t ma[WITNESS_CHANNELS], const int64_t low[WITNESS_CHANNELS], const int64_t high[WITNESS_CHANNELS],
		  int64_t age_us, int64_t at_us)
{
	struct witness_slot *s = enter(w, at_us);
	int32_t age_s = (int32_t)((age_us + US_PER_S - 1) / US_PER_S);
	s->age_s = s->any && s->age_s > age_s ? s->age_s : age_s;
	for (int ch = 0; ch < WITNESS_CHANNELS; ch++)
		note(s, ch, narrow(ma[ch]), narrow(low[ch]), narrow(high[ch]));
	s->any = true;
	for (int ch = 0; ch < WITNESS_CHANNELS; ch++) {
		let_go(w, ch, narrow(ma[ch]), narrow(low[ch]), narrow(high[ch]), at_us);
		look(w, ch, narrow(ma[ch]), narrow(low[ch]), narrow(high[ch]), at_us);
	}
}

int witness_against(const struct witness *w, int times, int64_t patience_us, int64_t now_us, int64_t *since_us_out)
{
	for (int ch = 0; ch < WITNESS_CHANNELS; ch++) {
		const struct witness_claim *claim = &w->claims[ch];
		*since_us_out = claim->since_us + patience_us;
		if (claim->times >= times && now_us > *since_us_out)
			return ch;
	}
	return -1;
}

bool witness_doubts(const struct witness *w)
{
	for (int ch = 0; ch < WITNESS_CHANNELS; ch++)
		if (w->claims[ch].times)
			return true;
	return false;
}
