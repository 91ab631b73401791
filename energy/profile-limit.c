/* Which profile counts (2.0.1 K01.FR.10 to 42, 1.6 specification 3.13 with errata 3.7 and 3.43):
 *
 *   of one purpose   the highest stack level whose schedule has a period now, not the lowest limit. A level whose schedule has run out, has
 *                    not begun or is not valid gives way to the next lower one
 *   of a transaction its TxProfile; where that has no period now, TxDefault (K02.FR.08). They are not combined
 *   TxDefault        1.6: those on the EVSE; those on 0 when the EVSE has none of its own (specification 3.13.1). 2.x: both are one stack
 *   altogether       the minimum of the station's maximum, external constraints, the transaction's and the hardware's; what is generated on
 *                    the spot comes on top (2.1 LocalGeneration)
 *   priority         a PriorityCharging profile stands for both TxProfile and TxDefault while it is switched on (2.1 K21)
 *   Dynamic          one limit, counted from its last update: past its duration without another one it gives way (2.1 K28.FR.13)
 *   offline          a profile with maxOfflineDuration gives way when the CSMS has been away so long (2.1)
 *   local time       a Recurring schedule begins at the same time by the clock on the wall (2.1 useLocalTime), so its day may have 23 or 25
 *                    hours; any other one's day has 24
 *   setpoints        what a car does at a setpoint is the setpoint, what it may do are the bounds; both are told (2.1 operationMode)
 *
 * Every question is answered together with the time until which the answer holds. Timers and composite schedules then need no second
 * reading of the rules: they step from one such time to the next. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/zone.h"
#include "energy/profile-local.h"

static void lower(int64_t *until_us, int64_t us)
{
	if (us < *until_us)
		*until_us = us;
}

/* --- one profile --- */

/* Local schedules recur by the wall's clock: the last beginning that is not ahead, and the next one. */
static void local_cycle(const struct zone *zone, const struct charging_profile *p, int64_t now_us, int64_t *start_us, int64_t *next_us)
{
	int64_t cycle_us = p->cycle_s * US_PER_S, local_us = now_us + zone_offset_us(zone, now_us);
	int64_t k = (local_us - p->start_us) / cycle_us + 1;
	/* Near a change the guess may be one too high, and is then taken back. */
	while (k > 0 && zone_utc_us(zone, p->start_us + k * cycle_us) > now_us)
		k--;
	*start_us = zone_utc_us(zone, p->start_us + k * cycle_us);
	*next_us = zone_utc_us(zone, p->start_us + (k + 1) * cycle_us);
}

static int64_t first_start(const struct profiles *p, const struct charging_profile *c, int64_t relative_us)
{
	if (c->kind == PROFILE_RELATIVE)
		return relative_us;
	return c->local_time ? zone_utc_us(p->zone, c->start_us) : c->start_us;
}

/* When the schedule (or its present cycle) began. False: it has not yet; *until_us then says when. */
static bool schedule_start(const struct profiles *p, const struct charging_profile *c, int64_t relative_us, int64_t now_us, int64_t *start_us,
                           int64_t *until_us)
{
	int64_t cycle_us = c->cycle_s * US_PER_S, next_us;
	*start_us = first_start(p, c, relative_us);
	if (now_us < *start_us) {
		lower(until_us, *start_us);
		return false;
	}
	if (c->kind != PROFILE_RECURRING)
		return true;
	if (c->local_time) {
		local_cycle(p->zone, c, now_us, start_us, &next_us);
	} else {
		*start_us += (now_us - *start_us) / cycle_us * cycle_us;
		next_us = *start_us + cycle_us;
	}
	lower(until_us, next_us);
	return true;
}

static bool is_valid(const struct profiles *p, const struct charging_profile *c, int64_t now_us, int64_t *until_us)
{
	if (now_us < c->valid_from_us) {
		lower(until_us, c->valid_from_us);
		return false;
	}
	int64_t end_us = c->valid_to_us ? c->valid_to_us : INT64_MAX;
	if (p->offline_us && c->offline_most_s > 0)
		lower(&end_us, p->offline_us + c->offline_most_s * US_PER_S);
	if (now_us >= end_us)
		return false;
	lower(until_us, end_us);
	return true;
}

static const struct charging_period *period_at(const struct profiles *p, const struct charging_profile *c, int64_t delay_us, int64_t relative_us,
                                               int64_t now_us, int64_t *until_us)
{
	const struct charging_period *now = NULL;
	int64_t start_us;
	if (!is_valid(p, c, now_us, until_us) || !schedule_start(p, c, relative_us, now_us, &start_us, until_us))
		return NULL;
	int64_t end_us = start_us + c->duration_s * US_PER_S;
	if (c->duration_s && now_us >= end_us)
		return NULL;
	if (c->duration_s)
		lower(until_us, end_us);
	for (size_t k = 0; k < c->n_periods; k++) {
		int64_t begins_us = start_us + c->periods[k].start_s * US_PER_S + delay_us;
		if (begins_us > now_us) {
			lower(until_us, begins_us);
			break;
		}
		now = &c->periods[k];
	}
	return now;
}

/* --- what its period says, in amperes --- */

static struct allowed anything(const struct profiles *p)
{
	struct allowed a = { .amps = INFINITY, .phases = p->phases };
	for (int i = 0; i < 3; i++) {
		a.limit_a[i] = INFINITY;
		a.discharge_a[i] = a.setpoint_a[i] = NAN;
	}
	return a;
}

static double amps_of(const struct charging_profile *c, double value, int phases)
{
	return c->watts ? value / (PROFILES_VOLTAGE * phases) : value;
}

/* Without values for L2 and L3 the first one is for all phases, and in W for their sum. */
static void spread(const struct charging_profile *c, const double value[3], int phases, double nothing, double out[3])
{
	bool split = !isnan(value[1]) || !isnan(value[2]);
	for (int i = 0; i < 3; i++) {
		double v = split ? value[i] : value[0];
		out[i] = isnan(v) ? nothing : amps_of(c, v, split ? 1 : phases);
	}
}

static void limit_at_soc(const struct charging_profile *c, const struct profile_tx *tx, struct allowed *a)
{
	if (!tx || c->soc_percent <= 0 || tx->soc_percent < c->soc_percent)
		return;
	for (int i = 0; i < 3; i++)
		a->limit_a[i] = fmin(a->limit_a[i], amps_of(c, c->soc_limit, a->phases));
}

static bool by_setpoint(enum operation_mode m)
{
	return m == MODE_CENTRAL_SETPOINT || m == MODE_CENTRAL_FREQUENCY;
}

/* What may be drawn on the phase that may draw least. */
static double may_draw(const struct allowed *a)
{
	double amps = INFINITY;
	for (int i = 0; i < a->phases; i++) {
		int line = a->phases == 1 && a->phase ? a->phase - 1 : i;
		double one = a->limit_a[line];
		if (by_setpoint(a->mode) && !isnan(a->setpoint_a[line]))
			one = fmin(one, fmax(a->setpoint_a[line], 0));
		amps = fmin(amps, one);
	}
	return a->mode == MODE_IDLE ? 0 : amps;
}

static struct allowed allowed_by(const struct profiles *p, const struct charging_profile *c, const struct charging_period *period,
                                 const struct profile_tx *tx)
{
	struct allowed a = anything(p);
	a.by = c;
	a.phases = period->phases ? period->phases : 3;
	if (a.phases > p->phases)
		a.phases = p->phases;
	a.phase = period->phase;
	a.min_a = amps_of(c, c->min_rate, a.phases);
	if (period->v2x) {
		a.mode = period->v2x->mode;
		spread(c, period->v2x->limit, a.phases, INFINITY, a.limit_a);
		spread(c, period->v2x->discharge, a.phases, NAN, a.discharge_a);
		spread(c, period->v2x->setpoint, a.phases, NAN, a.setpoint_a);
	} else {
		spread(c, (double[3]){ period->limit, NAN, NAN }, a.phases, INFINITY, a.limit_a);
	}
	limit_at_soc(c, tx, &a);
	a.amps = may_draw(&a);
	return a;
}

/* --- several of them --- */

/* The first one is the transaction's where one of them is: it says where to go, the other only how far. */
static struct allowed lesser(struct allowed a, struct allowed b)
{
	struct allowed out = b.amps < a.amps ? b : a;
	out.mode = a.mode;
	out.min_a = fmax(a.min_a, b.min_a);
	for (int i = 0; i < 3; i++) {
		out.limit_a[i] = fmin(a.limit_a[i], b.limit_a[i]);
		out.discharge_a[i] = fmax(a.discharge_a[i], b.discharge_a[i]); /* of a number and NaN the number */
		out.setpoint_a[i] = fmin(a.setpoint_a[i], out.limit_a[i]);
		if (isnan(a.setpoint_a[i]))
			out.setpoint_a[i] = NAN;
		else if (out.setpoint_a[i] < out.discharge_a[i])
			out.setpoint_a[i] = out.discharge_a[i];
	}
	return out;
}

static struct allowed on_top(struct allowed a, struct allowed generated)
{
	if (!generated.by || isinf(generated.amps))
		return a;
	a.amps += generated.amps;
	for (int i = 0; i < 3; i++)
		a.limit_a[i] += generated.amps;
	return a;
}

/* What is asked about: an EVSE, and the transaction on it. */
struct question {
	int evse;
	const struct profile_tx *tx; /* NULL: none */
	int64_t now_us;
};

/* Of several schedules the one that the car has chosen; all of them, by minimum, as long as nobody knows which. False: none has a period now. */
static bool allowed_now(const struct profiles *p, const struct installed *i, const struct question *q, int64_t *until_us, struct allowed *out)
{
	int64_t relative_us = q->tx && q->tx->start_us ? q->tx->start_us : q->now_us;
	bool any = false;
	for (const struct charging_profile *c = &i->profile; c; c = c->more) {
		if (i->chosen && c->schedule_id != i->chosen)
			continue;
		const struct charging_period *period = period_at(p, c, i->delay_us, relative_us, q->now_us, until_us);
		if (!period)
			continue;
		struct allowed one = allowed_by(p, c, period, q->tx);
		*out = any ? lesser(*out, one) : one;
		any = true;
	}
	return any;
}

static void best_on(const struct profiles *p, int evse, enum profile_purpose purpose, const struct question *q, int64_t *until_us, struct allowed *best)
{
	LIST_WALK((struct list *)&p->installed, struct installed, entry, i) {
		if (i->evse != evse || i->profile.purpose != purpose || (best->by && i->profile.stack_level <= best->by->stack_level))
			continue;
		struct allowed now;
		if (allowed_now(p, i, q, until_us, &now))
			*best = now;
	}
}

/* The limit of one purpose; without `by`: none has a period now. */
static struct allowed purpose_limit(const struct profiles *p, enum profile_purpose purpose, const struct question *q, int64_t *until_us)
{
	struct allowed best = anything(p);
	best_on(p, q->evse, purpose, q, until_us, &best);
	return best;
}

/* Of a purpose that can stand on the station for all its EVSEs. */
static struct allowed own_or_common(const struct profiles *p, enum profile_purpose purpose, const struct question *q, int64_t *until_us)
{
	struct allowed best = purpose_limit(p, purpose, q, until_us);
	if (p->defaults_stack || profiles_top_level(p, q->evse, purpose) < 0)
		best_on(p, 0, purpose, q, until_us, &best);
	return best;
}

struct allowed profiles_station_limit(const struct profiles *p, int64_t now_us, int64_t *until_us)
{
	struct question q = { .now_us = now_us };
	struct allowed max = purpose_limit(p, PURPOSE_STATION_MAX, &q, until_us);
	return lesser(max, purpose_limit(p, PURPOSE_EXTERNAL, &q, until_us));
}

static struct allowed tx_limit(const struct profiles *p, const struct question *q, int64_t *until_us)
{
	struct allowed a = anything(p);
	if (q->tx->running && q->tx->priority)
		a = own_or_common(p, PURPOSE_PRIORITY, q, until_us);
	if (q->tx->running && !a.by)
		a = purpose_limit(p, PURPOSE_TX, q, until_us);
	return a.by ? a : own_or_common(p, PURPOSE_TX_DEFAULT, q, until_us);
}

struct allowed profiles_evse_limit(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us)
{
	struct question q = { evse, tx, now_us };
	struct allowed a = tx_limit(p, &q, until_us);
	return lesser(a, purpose_limit(p, PURPOSE_EXTERNAL, &q, until_us));
}

static struct allowed generation(const struct profiles *p, int evse, int64_t now_us, int64_t *until_us)
{
	struct question q = { .evse = evse, .now_us = now_us };
	return purpose_limit(p, PURPOSE_LOCAL_GENERATION, &q, until_us);
}

struct allowed profiles_allowed(const struct profiles *p, int evse, const struct profile_tx *tx, int64_t now_us, int64_t *until_us)
{
	struct allowed own = profiles_evse_limit(p, evse, tx, now_us, until_us);
	own = lesser(own, profiles_station_limit(p, now_us, until_us));
	own = on_top(own, generation(p, evse, now_us, until_us));
	return on_top(own, generation(p, 0, now_us, until_us));
}

/* --- composite schedules --- */

struct scene {
	const struct profiles *p;
	const struct schedule_ask *ask;
	const struct profile_tx *txs;
	int n_evses;
	double max_a;
};

static struct allowed at_most(const struct scene *s, double amps)
{
	struct allowed a = anything(s->p);
	a.amps = amps;
	for (int i = 0; i < 3; i++)
		a.limit_a[i] = a.amps;
	return a;
}

static double also_a(const struct scene *s, int evse, int64_t at_us, int64_t *until_us)
{
	return s->ask->also_a ? s->ask->also_a(s->ask->also, evse, at_us, until_us) : INFINITY;
}

/* With the hardware, and whatever else. */
static struct allowed one_at(const struct scene *s, int evse, int64_t at_us, int64_t *until_us)
{
	double most = s->ask->most_a ? fmin(s->max_a, s->ask->most_a[evse - 1]) : s->max_a;
	most = fmin(most, also_a(s, evse, at_us, until_us));
	return lesser(profiles_evse_limit(s->p, evse, &s->txs[evse - 1], at_us, until_us), at_most(s, most));
}

static double watts_of(const struct allowed *a)
{
	return a->amps * PROFILES_VOLTAGE * a->phases;
}

/* All EVSEs together, in the unit asked for: their sum, or what the station may take where that is less. */
static struct charging_period sum_at(const struct scene *s, int64_t at_us, int64_t *until_us)
{
	struct charging_period sum = { .phases = s->p->phases };
	for (int e = 1; e <= s->n_evses; e++) {
		struct allowed one = one_at(s, e, at_us, until_us);
		sum.limit += s->ask->watts ? watts_of(&one) : one.amps;
		sum.phases = s->n_evses == 1 ? one.phases : s->p->phases;
	}
	struct allowed whole = lesser(profiles_station_limit(s->p, at_us, until_us), at_most(s, also_a(s, 0, at_us, until_us))), made = generation(s->p, 0, at_us, until_us);
	double most = s->ask->watts ? watts_of(&whole) : whole.amps;
	if (most < sum.limit) {
		sum.limit = most;
		sum.phases = whole.phases;
	}
	if (made.by && isfinite(made.amps))
		sum.limit += s->ask->watts ? watts_of(&made) : made.amps;
	return sum;
}

static void in_unit(const struct schedule_ask *ask, int phases, bool split, const double amps[3], double out[3])
{
	double volts = !ask->watts ? 1 : split ? PROFILES_VOLTAGE : PROFILES_VOLTAGE * phases;
	for (int i = 0; i < 3; i++)
		out[i] = i && !split ? NAN : amps[i] * volts;
}

/* The bounds by phase where they differ, and what a setpoint asks for. */
static struct charging_v2x *extras(const struct scene *s, const struct allowed *a)
{
	bool split = a->phases == 3 && (a->limit_a[1] != a->limit_a[0] || a->limit_a[2] != a->limit_a[0]);
	if (!s->ask->mem || (!split && a->mode == MODE_CHARGING_ONLY && isnan(a->discharge_a[0]) && isnan(a->setpoint_a[0])))
		return NULL;
	struct charging_v2x *v = arena_new(s->ask->mem, sizeof(*v));
	v->mode = a->mode;
	in_unit(s->ask, a->phases, split, a->limit_a, v->limit);
	in_unit(s->ask, a->phases, split, a->discharge_a, v->discharge);
	in_unit(s->ask, a->phases, split, a->setpoint_a, v->setpoint);
	return v;
}

static struct charging_period evse_at(const struct scene *s, int64_t at_us, int64_t *until_us)
{
	struct allowed a = one_at(s, s->ask->evse, at_us, until_us);
	a = lesser(a, profiles_station_limit(s->p, at_us, until_us));
	a = on_top(a, generation(s->p, s->ask->evse, at_us, until_us));
	a = on_top(a, generation(s->p, 0, at_us, until_us));
	struct charging_v2x *v = extras(s, &a);
	double limit = v ? v->limit[0] : s->ask->watts ? watts_of(&a) : a.amps;
	return (struct charging_period){ .limit = limit, .phases = a.phases, .phase = a.phase, .v2x = v };
}

static bool apart(const double a[3], const double b[3])
{
	for (int i = 0; i < 3; i++)
		if (isnan(a[i]) != isnan(b[i]) || fabs(a[i] - b[i]) > 1e-6)
			return true;
	return false;
}

static bool differs(const struct charging_period *a, const struct charging_period *b)
{
	const struct charging_v2x *v = a->v2x, *w = b->v2x;
	if (fabs(a->limit - b->limit) > 1e-6 || a->phases != b->phases || a->phase != b->phase || !v != !w)
		return true;
	return v && (v->mode != w->mode || apart(v->limit, w->limit) || apart(v->discharge, w->discharge) || apart(v->setpoint, w->setpoint));
}

size_t profiles_composite(const struct profiles *p, const struct schedule_ask *ask, const struct profile_tx *txs, int n_evses, double max_a,
                          int64_t now_us, struct charging_period *out, size_t most)
{
	struct scene s = { p, ask, txs, n_evses, max_a };
	int64_t at_us = now_us, end_us = now_us + ask->duration_s * US_PER_S;
	size_t n = 0;
	do {
		int64_t until_us = INT64_MAX;
		struct charging_period next = (ask->evse ? evse_at : sum_at)(&s, at_us, &until_us);
		next.start_s = (at_us - now_us) / US_PER_S;
		if (n && out[n - 1].start_s == next.start_s)
			n--; /* it lasts less than a second, and starts have to ascend */
		if (n == 0 || differs(&next, &out[n - 1]))
			out[n++] = next;
		at_us = until_us;
	} while (at_us < end_us && n < most);
	return n;
}
