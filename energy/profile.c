/* Which profile counts (2.0.1 K01.FR.10 to 42, 1.6 specification 3.13 with errata 3.7 and 3.43):
 *
 *   of one purpose   the highest stack level whose schedule has a period now, not the lowest limit. A level whose schedule has run out, has
 *                    not begun or is not valid gives way to the next lower one
 *   of a transaction its TxProfile; where that has no period now, TxDefault (K02.FR.08). They are not combined
 *   TxDefault        those on the EVSE; those on 0 when the EVSE has none of its own (1.6 specification 3.13.1)
 *   altogether       the minimum of the station's maximum, external constraints, the transaction's and the hardware's; what is generated on
 *                    the spot comes on top (2.1 LocalGeneration)
 *   priority         a PriorityCharging profile stands for both TxProfile and TxDefault while it is switched on (2.1 K21)
 *   Dynamic          one limit, counted from its last update: past its duration without another one it gives way (2.1 K28.FR.13)
 *
 * Every question is answered together with the time until which the answer holds. Timers and composite schedules then need no second
 * reading of the rules: they step from one such time to the next. */
#include "energy/profile.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct installed {
	struct list entry;
	int evse;
	struct charging_profile profile; /* periods and transaction id are owned */
};

static void forget(struct profiles *p, struct installed *i)
{
	list_remove(&i->entry);
	p->count--;
	mem_free((void *)i->profile.tx.p);
	mem_free(i->profile.periods);
	mem_free(i);
}

static void drop(struct profiles *p, struct installed *i)
{
	int64_t id = i->profile.id;
	forget(p, i);
	if (p->gone)
		p->gone(p->arg, id);
}

void profiles_open(struct profiles *p, int phases)
{
	*p = (struct profiles){ .phases = phases, .purposes = PROFILES_OF_STATION, .stack_most = PROFILES_STACK_MOST };
	list_init(&p->installed);
}

void profiles_close(struct profiles *p)
{
	LIST_WALK(&p->installed, struct installed, entry, i)
		forget(p, i);
}

static bool belongs(const struct profiles *p, int evse, const struct charging_profile *profile)
{
	if (profile->stack_level > p->stack_most || !(p->purposes & 1u << profile->purpose))
		return false;
	if (profile->purpose == PURPOSE_STATION_MAX)
		return evse == 0;
	return profile->purpose == PURPOSE_TX ? evse > 0 : evse >= 0;
}

static bool replaces(const struct charging_profile *a, int evse, const struct installed *b)
{
	if (a->id >= 0 && a->id == b->profile.id)
		return true;
	return a->purpose == b->profile.purpose && a->stack_level == b->profile.stack_level && evse == b->evse;
}

static struct installed *copy_of(const struct charging_profile *profile, int evse)
{
	struct installed *i = NEW(struct installed);
	i->evse = evse;
	i->profile = *profile;
	i->profile.periods = mem_new(profile->n_periods * sizeof(profile->periods[0]));
	memcpy(i->profile.periods, profile->periods, profile->n_periods * sizeof(profile->periods[0]));
	i->profile.tx = (struct slice){ profile->tx.p ? mem_text(profile->tx) : NULL, profile->tx.n };
	return i;
}

int profiles_set(struct profiles *p, int evse, const struct charging_profile *profile, const struct profile_tx *tx, int64_t now_us)
{
	if (!belongs(p, evse, profile))
		return ERR_INVALID;
	if (profile->purpose == PURPOSE_TX && (!tx || !tx->running))
		return ERR_NOT_FOUND;
	if (profile->purpose == PURPOSE_TX && profile->tx.p && tx->id.p && !slice_eq(profile->tx, tx->id))
		return ERR_NOT_FOUND;
	LIST_WALK(&p->installed, struct installed, entry, old) {
		if (replaces(profile, evse, old))
			drop(p, old);
	}
	if (p->count == PROFILES_MOST)
		return ERR_FULL;
	struct installed *i = copy_of(profile, evse);
	/* The station as a whole has no start of charging that a Relative schedule could count from. */
	if (i->profile.kind == PROFILE_RELATIVE && i->profile.purpose == PURPOSE_STATION_MAX)
		i->profile.kind = PROFILE_ABSOLUTE;
	if (i->profile.kind != PROFILE_RELATIVE && !i->profile.start_us)
		i->profile.start_us = now_us;
	else if (i->profile.local_time)
		i->profile.start_us -= p->utc_offset_s * US_PER_S; /* a day stays 24 hours where clocks are changed */
	list_append(&p->installed, &i->entry);
	p->count++;
	return 0;
}

static bool meant(const struct profile_filter *f, const struct installed *i)
{
	if (f->id >= 0)
		return f->id == i->profile.id;
	return (f->evse < 0 || f->evse == i->evse) && (f->stack_level < 0 || f->stack_level == i->profile.stack_level) &&
	       (f->purpose == PURPOSE_NONE || f->purpose == i->profile.purpose);
}

size_t profiles_clear(struct profiles *p, const struct profile_filter *f)
{
	size_t before = p->count;
	LIST_WALK(&p->installed, struct installed, entry, i) {
		if (meant(f, i))
			drop(p, i);
	}
	return before - p->count;
}

void profiles_end_tx(struct profiles *p, int evse)
{
	profiles_clear(p, &(struct profile_filter){ .id = -1, .evse = evse, .stack_level = -1, .purpose = PURPOSE_TX });
}

int profiles_update(struct profiles *p, int64_t id, double limit, int64_t now_us)
{
	LIST_WALK(&p->installed, struct installed, entry, i) {
		if (i->profile.id != id || i->profile.kind != PROFILE_DYNAMIC)
			continue;
		i->profile.periods[0].limit = limit;
		i->profile.start_us = now_us;
		return 0;
	}
	return ERR_NOT_FOUND;
}

int profiles_top_level(const struct profiles *p, int evse, enum profile_purpose purpose)
{
	int top = -1;
	LIST_WALK((struct list *)&p->installed, struct installed, entry, i) {
		bool asked = (evse < 0 || i->evse == evse) && (purpose == PURPOSE_NONE || i->profile.purpose == purpose);
		if (asked && i->profile.stack_level > top)
			top = i->profile.stack_level;
	}
	return top;
}

static void lower(int64_t *until_us, int64_t us)
{
	if (us < *until_us)
		*until_us = us;
}

/* When the schedule (or its present cycle) began. False: it has not yet; *until_us then says when. */
static bool schedule_start(const struct charging_profile *p, int64_t relative_us, int64_t now_us, int64_t *start_us, int64_t *until_us)
{
	int64_t cycle_us = p->cycle_s * US_PER_S;
	*start_us = p->kind == PROFILE_RELATIVE ? relative_us : p->start_us;
	if (now_us < *start_us) {
		lower(until_us, *start_us);
		return false;
	}
	if (p->kind == PROFILE_RECURRING) {
		*start_us += (now_us - *start_us) / cycle_us * cycle_us;
		lower(until_us, *start_us + cycle_us);
	}
	return true;
}

static bool is_valid(const struct charging_profile *p, int64_t now_us, int64_t *until_us)
{
	if (now_us < p->valid_from_us) {
		lower(until_us, p->valid_from_us);
		return false;
	}
	if (!p->valid_to_us)
		return true;
	if (now_us >= p->valid_to_us)
		return false;
	lower(until_us, p->valid_to_us);
	return true;
}

static const struct charging_period *period_at(const struct charging_profile *p, int64_t relative_us, int64_t now_us, int64_t *until_us)
{
	const struct charging_period *now = NULL;
	int64_t start_us;
	if (!is_valid(p, now_us, until_us) || !schedule_start(p, relative_us, now_us, &start_us, until_us))
		return NULL;
	int64_t end_us = start_us + p->duration_s * US_PER_S;
	if (p->duration_s && now_us >= end_us)
		return NULL;
	if (p->duration_s)
		lower(until_us, end_us);
	for (size_t i = 0; i < p->n_periods; i++) {
		int64_t begins_us = start_us + p->periods[i].start_s * US_PER_S;
		if (begins_us > now_us) {
			lower(until_us, begins_us);
			break;
		}
		now = &p->periods[i];
	}
	return now;
}

static struct allowed allowed_by(const struct profiles *p, const struct charging_profile *profile, const struct charging_period *period)
{
	int phases = period->phases ? period->phases : 3;
	if (phases > p->phases)
		phases = p->phases;
	return (struct allowed){ profile->watts ? period->limit / (PROFILES_VOLTAGE * phases) : period->limit, phases, profile };
}

static struct allowed anything(const struct profiles *p)
{
	return (struct allowed){ INFINITY, p->phases, NULL };
}

static struct allowed lesser(struct allowed a, struct allowed b)
{
	return b.amps < a.amps ? b : a;
}

/* The limit of one purpose on one EVSE; without `by`: none has a period now. */
static struct allowed purpose_limit(const struct profiles *p, int evse, enum profile_purpose purpose, int64_t relative_us, int64_t now_us,
                                    int64_t *until_us)
{
	struct allowed best = anything(p);
	LIST_WALK((struct list *)&p->installed, struct installed, entry, i) {
		if (i->evse != evse || i->profile.purpose != purpose || (best.by && i->profile.stack_level <= best.by->stack_level))
			continue;
		const struct charging_period *period = period_at(&i->profile, relative_us, now_us, until_us);
		if (period)
			best = allowed_by(p, &i->profile, period);
	}
	return best;
}

/* The EVSE's own, or the station's where it has none of this purpose. */
static struct allowed own_or_common(const struct profiles *p, int evse, enum profile_purpose purpose, int64_t relative_us, int64_t now_us,
                                    int64_t *until_us)
{
	bool own = profiles_top_level(p, evse, purpose) >= 0;
	return purpose_limit(p, own ? evse : 0, purpose, relative_us, now_us, until_us);
}

struct allowed profiles_station_limit(const struct profiles *p, int64_t now_us, int64_t *until_us)
{
	struct allowed max = purpose_limit(p, 0, PURPOSE_STATION_MAX, now_us, now_us, until_us);
	return lesser(max, purpose_limit(p, 0, PURPOSE_EXTERNAL, now_us, now_us, until_us));
}

static struct allowed tx_limit(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us)
{
	int64_t relative_us = tx->start_us ? tx->start_us : now_us;
	struct allowed a = anything(p);
	if (tx->running && tx->priority)
		a = own_or_common(p, evse, PURPOSE_PRIORITY, relative_us, now_us, until_us);
	if (tx->running && !a.by)
		a = purpose_limit(p, evse, PURPOSE_TX, relative_us, now_us, until_us);
	return a.by ? a : own_or_common(p, evse, PURPOSE_TX_DEFAULT, relative_us, now_us, until_us);
}

struct allowed profiles_evse_limit(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us)
{
	struct allowed a = tx_limit(p, evse, tx, now_us, until_us);
	return lesser(a, purpose_limit(p, evse, PURPOSE_EXTERNAL, now_us, now_us, until_us));
}

/* The present limit of an EVSE, or of all of them together. */
static struct allowed limit_at(const struct profiles *p, int evse, const struct profile_tx *txs, int n_evses, double max_a, int64_t now_us,
                               int64_t *until_us)
{
	struct allowed sum = { 0, p->phases, NULL };
	for (int e = 1; e <= n_evses; e++) {
		if (evse != 0 && evse != e)
			continue;
		struct allowed one = lesser((struct allowed){ max_a, p->phases, NULL }, profiles_evse_limit(p, e, &txs[e - 1], now_us, until_us));
		sum.amps += one.amps;
		sum.phases = n_evses == 1 || evse ? one.phases : p->phases;
	}
	sum = lesser(sum, profiles_station_limit(p, now_us, until_us));
	struct allowed generated = purpose_limit(p, evse, PURPOSE_LOCAL_GENERATION, now_us, now_us, until_us);
	if (generated.by && isfinite(generated.amps))
		sum.amps += generated.amps;
	return sum;
}

static bool differs(const struct charging_period *a, const struct charging_period *b)
{
	return fabs(a->limit - b->limit) > 1e-6 || a->phases != b->phases;
}

size_t profiles_composite(const struct profiles *p, const struct schedule_ask *ask, const struct profile_tx *txs, int n_evses, double max_a,
                          int64_t now_us, struct charging_period *out, size_t most)
{
	int64_t at_us = now_us, end_us = now_us + ask->duration_s * US_PER_S;
	size_t n = 0;
	do {
		int64_t until_us = INT64_MAX;
		struct allowed now = limit_at(p, ask->evse, txs, n_evses, max_a, at_us, &until_us);
		struct charging_period next = { (at_us - now_us) / US_PER_S, now.amps, now.phases };
		if (ask->watts)
			next.limit *= PROFILES_VOLTAGE * now.phases;
		if (n == 0 || differs(&next, &out[n - 1]))
			out[n++] = next;
		at_us = until_us;
	} while (at_us < end_us && n < most);
	return n;
}
