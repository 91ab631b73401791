/* The electrical proofs. When this box, a meter or the network is gone, every station takes its fallback current without asking anybody; so
 * per circuit and grid phase the sum of them must fit, beside what the loads there are said to take, whatever else happens. Relays are not in
 * that sum: they open when nobody refreshes them.
 *
 *   proof: row-a fallback 11 x 6 A + loads 20 A = 86 A <= 100 A   ok
 *
 * A circuit whose phases are all the same has one line, any other one line per phase. */
#include <stdio.h>
#include <string.h>

#include "gateway/conf/check.h"
#include "gateway/conf/settings-tables.h"
#include "gateway/power/below.h"

#define AMPS(ma, out) conf_value_text(CONF_AMPS, ma, out)

/* How many EVSEs take the same current. */
struct term {
	int32_t ma;
	int n;
};

#define LEAST_OFFER_MA 6000
#define TERMS 16 /* distinct currents on one circuit; more are in the sum but share the last term's place in the text */

struct sum {
	struct term terms[TERMS];
	size_t n;
	int64_t loads_ma;         /* estimates of what is not for cars */
	int64_t ma;
};

static void sum_add(struct sum *sum, int32_t ma, int n)
{
	size_t i = 0;
	sum->ma += (int64_t)ma * n;
	while (i < sum->n && sum->terms[i].ma != ma)
		i++;
	if (i == TERMS)
		return;
	if (i == sum->n)
		sum->terms[sum->n++] = (struct term){ ma, 0 };
	sum->terms[i].n += n;
}

static void sum_text(const struct sum *sum, struct buf *out)
{
	char a[CONF_VALUE_TEXT];
	for (size_t i = 0; i < sum->n; i++)
		buf_printf(out, "%s%d x %s A", i ? " + " : "", sum->terms[i].n, AMPS(sum->terms[i].ma, a));
	buf_printf(out, "%s", sum->n == TERMS ? " ..." : "");
	if (sum->loads_ma)
		buf_printf(out, "%sloads %s A", sum->n ? " + " : "", AMPS(sum->loads_ma, a));
	buf_printf(out, " = %s A", AMPS(sum->ma, a));
}

static bool sum_same(const struct sum *a, const struct sum *b)
{
	return a->n == b->n && a->loads_ma == b->loads_ma && memcmp(a->terms, b->terms, a->n * sizeof(a->terms[0])) == 0;
}

/* What a proof adds up. */
typedef int32_t station_takes(const struct settings *s, const struct station_settings *st);
typedef int32_t evse_takes(const struct settings *s, const struct evse_settings *e);

static int32_t fallback_of_station(const struct settings *s, const struct station_settings *st)
{
	(void)s;
	return st->fallback_current_ma;
}

static int32_t fallback_of_evse(const struct settings *s, const struct evse_settings *e)
{
	(void)s;
	(void)e;
	return 0;
}

static int32_t lost_of_station(const struct settings *s, const struct station_settings *st)
{
	int32_t ma = s->balancing.on_meter_lost.limit_ma;
	return ma > st->max_current_ma ? st->max_current_ma : ma;
}

static int32_t lost_of_evse(const struct settings *s, const struct evse_settings *e)
{
	int32_t ma = s->balancing.on_meter_lost.limit_ma;
	return e->current_ma <= ma ? e->current_ma : ma >= settings_own_min_ma(e) ? ma : 0;
}

struct proof {
	const char *name;
	station_takes *station;
	evse_takes *evse;
};

static struct sum sum_of(const struct settings *s, const struct proof *proof, const struct circuit_settings *c, int phase)
{
	struct sum sum = { 0 };
	for (size_t i = 0; i < s->n_stations; i++) {
		const struct station_settings *st = &s->stations[i];
		if (st->phases & 1 << phase && below_is(st->circuit, c))
			sum_add(&sum, proof->station(s, st), st->evses);
	}
	for (size_t i = 0; i < s->n_evses; i++) {
		const struct evse_settings *e = &s->evses[i];
		if (e->phases & 1 << phase && below_is(e->circuit, c) && proof->evse(s, e))
			sum_add(&sum, proof->evse(s, e), 1);
	}
	for (size_t i = 0; i < s->n_loads; i++)
		if (s->loads[i].circuit->phases & 1 << phase && below_is(s->loads[i].circuit, c))
			sum.loads_ma += s->loads[i].estimate_ma[phase];
	sum.ma += sum.loads_ma;
	return sum;
}

/* `phase` -1: all of them. */
static void proof_line(const struct proof *proof, const struct circuit_settings *c, int phase, const struct sum *sum, int32_t limit, struct buf *out)
{
	char a[CONF_VALUE_TEXT];
	bool ok = sum->ma <= limit;
	buf_printf(out, "proof: %s ", c->id);
	if (phase >= 0)
		buf_printf(out, "L%d ", phase + 1);
	buf_printf(out, "%s ", proof->name);
	sum_text(sum, out);
	buf_printf(out, " %s %s A   %s\n", ok ? "<=" : ">", AMPS(limit, a), ok ? "ok" : "FAILED");
}

static void prove_phase(const struct settings *s, const struct proof *proof, const struct circuit_settings *c, int phase, const struct sum *sum,
	struct conf_report *r)
{
	char a[CONF_VALUE_TEXT], b[CONF_VALUE_TEXT];
	if (sum->n && sum->ma > c->limit_ma[phase])
		settings_wrong(r, settings_node(s, "circuits", c->id, "limit_a", NULL), "the %s currents%s on L%d of circuit '%s' add up to %s A, more than its %s A",
			proof->name, sum->loads_ma ? " and the loads" : "", phase + 1, c->id, AMPS(sum->ma, a), AMPS(c->limit_ma[phase], b));
}

static void prove_circuit(const struct settings *s, const struct proof *proof, const struct circuit_settings *c, struct conf_report *r, struct buf *out)
{
	struct sum sums[3];
	bool same = true, any = false;
	int first = -1;
	for (int p = 0; p < 3; p++) {
		if (!(c->phases & 1 << p))
			continue;
		sums[p] = sum_of(s, proof, c, p);
		first = first < 0 ? p : first;
		same = same && sum_same(&sums[first], &sums[p]) && c->limit_ma[first] == c->limit_ma[p];
		any = any || sums[p].n;
		prove_phase(s, proof, c, p, &sums[p], r);
	}
	for (int p = first; any && out && p < 3; p++)
		if (c->phases & 1 << p && (p == first || !same))
			proof_line(proof, c, same ? -1 : p, &sums[p], c->limit_ma[p], out);
}

static void prove(const struct settings *s, const struct proof *proof, struct conf_report *r, struct buf *out)
{
	for (size_t i = 0; i < s->n_circuits; i++)
		prove_circuit(s, proof, &s->circuits[i], r, out);
}

/* The circuit on the way to the grid that cannot give this current on one of the phases; NULL: all can. */
static const struct circuit_settings *too_small(const struct circuit_settings *c, uint8_t phases, int32_t ma, int *phase_out)
{
	for (; c; c = c->parent)
		for (int p = 0; p < 3; p++)
			if (phases & 1 << p && ma > c->limit_ma[p] - c->reserve_ma) {
				*phase_out = p;
				return c;
			}
	return NULL;
}

static void must_fit(const struct circuit_settings *c, uint8_t phases, int32_t ma, const char *key, const struct conf_node *n, struct conf_report *r)
{
	char a[CONF_VALUE_TEXT], b[CONF_VALUE_TEXT];
	int p;
	const struct circuit_settings *small = too_small(c, phases, ma, &p);
	if (small)
		settings_wrong(r, n, "%s %s A is more than circuit '%s' has on L%d (%s A)", key, AMPS(ma, a), small->id, p + 1,
			AMPS(small->limit_ma[p] - small->reserve_ma, b));
}

/* The same for one whose currents come from powers. */
static void check_direct(const struct settings *s, const struct station_settings *st, const struct conf_node *fallback, struct conf_report *r)
{
	const struct conf_node *most = settings_node(s, "stations", st->id, "max_power_w", NULL);
	if (__builtin_popcount(st->phases) != 3)
		settings_wrong(r, settings_node(s, "stations", st->id, "kind", NULL), "a dc station draws from three phases");
	if (!st->max_power_w)
		settings_wrong(r, settings_node(s, "stations", st->id, "kind", NULL), "a dc station needs max_power_w");
	else if (st->min_power_w > st->max_power_w)
		settings_wrong(r, most, "max_power_w is less than min_power_w");
	else if (st->fallback_power_w > st->max_power_w)
		settings_wrong(r, fallback, "fallback_power_w is more than max_power_w");
	if (st->fallback_power_w && st->fallback_power_w < st->min_power_w)
		conf_say(r, CONF_WARNING, fallback->kind == CONF_MAP ? &fallback->key_pos : &fallback->pos, "write 0 for a pause",
			"fallback_power_w is less than min_power_w: charging pauses");
	must_fit(st->circuit, st->phases, st->min_current_ma, "min_power_w needs", settings_node(s, "stations", st->id, "min_power_w", NULL), r);
}

static void check_station(const struct settings *s, const struct station_settings *st, struct conf_report *r)
{
	const struct conf_node *fallback = settings_node(s, "stations", st->id, st->dc ? "fallback_power_w" : "fallback_current_a", NULL);
	if (st->dc)
		check_direct(s, st, fallback, r);
	if (st->step_ma > st->max_current_ma)
		settings_wrong(r, settings_node(s, "stations", st->id, "step_a", NULL), "step_a is more than %s", st->dc ? "max_power_w gives" : "max_current_a");
	if (st->switch_phases_after_us && (st->dc || __builtin_popcount(st->phases) != 3))
		settings_wrong(r, settings_node(s, "stations", st->id, "switch_phases_after", NULL), "only a station with three phases of alternating current can do that");
	if (st->dc)
		return;
	if (st->min_current_ma > st->max_current_ma)
		settings_wrong(r, settings_node(s, "stations", st->id, "max_current_a", NULL), "max_current_a is less than min_current_a");
	if (st->fallback_current_ma > st->max_current_ma)
		settings_wrong(r, fallback, "fallback_current_a is more than max_current_a");
	/* By IEC 61851-1 a socket offers 6 A or more, or nothing: what stations make of less differs. */
	if (st->fallback_current_ma && st->fallback_current_ma < LEAST_OFFER_MA)
		conf_say(r, CONF_ERROR, fallback->kind == CONF_MAP ? &fallback->key_pos : &fallback->pos, "write 0 or 6",
			"fallback_current_a is less than 6 A, the least that can be offered: some stations pause, others give 6 A");
	else if (st->fallback_current_ma && st->fallback_current_ma < st->min_current_ma)
		conf_say(r, CONF_WARNING, fallback->kind == CONF_MAP ? &fallback->key_pos : &fallback->pos, "write 0 for a pause",
			"fallback_current_a is less than min_current_a: charging pauses");
	must_fit(st->circuit, st->phases, st->min_current_ma, "min_current_a", settings_node(s, "stations", st->id, "min_current_a", NULL), r);
}

void check_electric(const struct settings *s, struct conf_report *report, struct buf *proofs)
{
	static const struct proof fallback = { "fallback", fallback_of_station, fallback_of_evse };
	static const struct proof lost = { "meter-lost", lost_of_station, lost_of_evse };
	for (size_t i = 0; i < s->n_stations; i++)
		check_station(s, &s->stations[i], report);
	for (size_t i = 0; i < s->n_evses; i++)
		must_fit(s->evses[i].circuit, s->evses[i].phases, s->evses[i].current_ma, "current_a",
			settings_node(s, "evses", s->evses[i].id, "current_a", NULL), report);
	prove(s, &fallback, report, proofs);
	if (s->balancing.on_meter_lost.limit == LOST_AMPS)
		prove(s, &lost, report, proofs);
}
