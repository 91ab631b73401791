/* Which profile counts (2.0.1 K01.FR.10 to 42, 1.6 specification 3.13 with errata 3.7 and 3.43):
 *
 *   of one purpose   the highest stack level whose schedule has a period now, not the lowest limit. A level whose schedule has run out, has
 *                    not begun or is not valid gives way to the next lower one
 *   of a transaction its TxProfile; where that has no period now, TxDefault (K02.FR.08). They are not combined
 *   TxDefault        those on the EVSE; those on 0 when the EVSE has none of its own (1.6 specification 3.13.1)
 *   altogether       the minimum of the station's maximum, the transaction's and the hardware's
 *
 * Every question is answered together with the time until which the answer holds. Timers and composite schedules then need no second
 * reading of the rules: they step from one such time to the next. */
#include "station/profiles.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

struct installed {
	struct list entry;
	int evse;
	struct charging_profile profile; /* periods and transaction id are owned */
};

static void drop(struct profiles *p, struct installed *i)
{
	list_remove(&i->entry);
	p->count--;
	mem_free((void *)i->profile.tx.p);
	mem_free(i->profile.periods);
	mem_free(i);
}

void profiles_open(struct profiles *p, int phases)
{
	list_init(&p->installed);
	p->count = 0;
	p->phases = phases;
}

void profiles_close(struct profiles *p)
{
	LIST_WALK(&p->installed, struct installed, entry, i)
		drop(p, i);
}

static bool belongs(int evse, const struct charging_profile *profile)
{
	if (profile->stack_level > PROFILES_STACK_MOST)
		return false;
	switch (profile->purpose) {
	case PURPOSE_STATION_MAX:
		return evse == 0;
	case PURPOSE_TX_DEFAULT:
		return evse >= 0;
	case PURPOSE_TX:
		return evse > 0;
	default:
		return false;
	}
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
	if (!belongs(evse, profile))
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

static double period_amps(const struct profiles *p, const struct charging_profile *profile, const struct charging_period *period)
{
	int phases = period->phases ? period->phases : 3;
	if (!profile->watts)
		return period->limit;
	return period->limit / (PROFILES_VOLTAGE * (phases < p->phases ? phases : p->phases));
}

/* The limit of one purpose on one EVSE; false: none has a period now. */
static bool purpose_limit(const struct profiles *p, int evse, enum profile_purpose purpose, int64_t relative_us, int64_t now_us,
                          double *amps, int64_t *until_us)
{
	int level = -1;
	LIST_WALK((struct list *)&p->installed, struct installed, entry, i) {
		if (i->evse != evse || i->profile.purpose != purpose || i->profile.stack_level <= level)
			continue;
		const struct charging_period *period = period_at(&i->profile, relative_us, now_us, until_us);
		if (!period)
			continue;
		level = i->profile.stack_level;
		*amps = period_amps(p, &i->profile, period);
	}
	return level >= 0;
}

static bool has_default(const struct profiles *p, int evse)
{
	LIST_WALK((struct list *)&p->installed, struct installed, entry, i) {
		if (i->evse == evse && i->profile.purpose == PURPOSE_TX_DEFAULT)
			return true;
	}
	return false;
}

double profiles_station_limit(const struct profiles *p, int64_t now_us, int64_t *until_us)
{
	double amps = INFINITY;
	purpose_limit(p, 0, PURPOSE_STATION_MAX, now_us, now_us, &amps, until_us);
	return amps;
}

double profiles_evse_limit(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us)
{
	double amps = INFINITY;
	int64_t relative_us = tx->start_us ? tx->start_us : now_us;
	if (tx->running && purpose_limit(p, evse, PURPOSE_TX, relative_us, now_us, &amps, until_us))
		return amps;
	purpose_limit(p, has_default(p, evse) ? evse : 0, PURPOSE_TX_DEFAULT, relative_us, now_us, &amps, until_us);
	return amps;
}

/* The present limit of an EVSE, or of all of them together. */
static double limit_at(const struct profiles *p, int evse, const struct profile_tx *txs, int n_evses, double max_a, int64_t now_us,
                       int64_t *until_us)
{
	double whole = profiles_station_limit(p, now_us, until_us), sum = 0;
	for (int e = 1; e <= n_evses; e++) {
		if (evse == 0 || evse == e)
			sum += fmin(max_a, profiles_evse_limit(p, e, &txs[e - 1], now_us, until_us));
	}
	return fmin(whole, sum);
}

size_t profiles_composite(const struct profiles *p, const struct schedule_ask *ask, const struct profile_tx *txs, int n_evses, double max_a,
                          int64_t now_us, struct charging_period *out, size_t most)
{
	int64_t at_us = now_us, end_us = now_us + ask->duration_s * US_PER_S;
	size_t n = 0;
	do {
		int64_t until_us = INT64_MAX;
		double limit = limit_at(p, ask->evse, txs, n_evses, max_a, at_us, &until_us);
		if (ask->watts)
			limit *= PROFILES_VOLTAGE * p->phases;
		if (n == 0 || fabs(limit - out[n - 1].limit) > 1e-6)
			out[n++] = (struct charging_period){ (at_us - now_us) / US_PER_S, limit, p->phases };
		at_us = until_us;
	} while (at_us < end_us && n < most);
	return n;
}
