/* Are explanations true? Random sites, one decision each; then every cap in the chain of an EVSE is relaxed by itself and the same decision is
 * made again. The binding one must give it more, the others must not.
 *
 *   explain [DECISIONS [SEED]]      make check does a thousand
 *
 * A cap far away can help somebody in the end: its EVSEs rise, push others down at a second node, and these make room at a third. Such a cap is
 * not in the chain, which holds only what is above the EVSE itself. Two things are set apart: caps within a few steps of each other bind together,
 * and where a relaxed cap makes room for the minimum of somebody who waited, that one has it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "energy/control.h"
#include "tests/sim/dice.h"

#define NODES 6
#define EVSES 8
#define MORE_MA 1000
#define STEP_MA 300 /* limits go in steps of 100 mA, and what some leave over others take: caps nearer to each other than this are one */
#define SECOND INT64_C(1000000)

static struct node_conf nodes[NODES];
static struct evse_conf evses[EVSES];
static char names[NODES + EVSES][8];
static size_t n_nodes, n_evses;
static int32_t caps[EVSES]; /* by an operator; MA_NONE: none */

static void on_send(void *arg, int evse, const struct grant *g)
{
	control_evse_answered(*(struct control **)arg, evse, g->ma, true, 100 * SECOND);
}

static void make_site(struct dice *d)
{
	n_nodes = 1 + dice_below(d, NODES);
	n_evses = 1 + dice_below(d, EVSES);
	for (size_t i = 0; i < n_nodes; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", (int)i);
		nodes[i] = (struct node_conf){ .id = names[i], .parent = i ? (int)dice_below(d, (uint32_t)i) : -1, .meter = -1 };
		for (int l = 0; l < 3; l++)
			nodes[i].limit.l[l] = 7000 + (int32_t)dice_below(d, (uint32_t)n_evses * 14000);
	}
	for (size_t i = 0; i < n_evses; i++) {
		int turn = (int)dice_below(d, 3);
		snprintf(names[NODES + i], sizeof(names[0]), "e%d", (int)i);
		evses[i] = (struct evse_conf){ .id = names[NODES + i], .station = names[NODES + i], .evse = 1, .node = (int)dice_below(d, (uint32_t)n_nodes),
			.n_lines = dice_chance(d, 0.5) ? 3 : 1, .min_ma = 6000, .max_ma = 6000 + 1000 * (int32_t)dice_below(d, 27),
			.fallback_after_us = 60 * SECOND };
		for (int p = 0; p < 3; p++)
			evses[i].lines[p] = (uint8_t)((p + turn) % 3);
		caps[i] = dice_chance(d, 0.2) ? 6000 + 1000 * (int32_t)dice_below(d, 20) : MA_NONE;
	}
}

/* One decision for all of them at once. */
static struct control *decide(void)
{
	static struct control *c;
	static const struct control_events events = { on_send };
	struct control_conf conf = { .strategy = STRATEGY_FAIR, .interval_us = SECOND, .rotate_every_us = 900 * SECOND, .nodes = nodes,
		.n_nodes = n_nodes, .evses = evses, .n_evses = n_evses };
	c = control_open(&conf, &events, &c);
	for (size_t i = 0; i < n_evses; i++) {
		control_evse_link(c, (int)i, true, 100 * SECOND);
		control_evse_tx(c, (int)i, true, 100 * SECOND);
		if (caps[i] != MA_NONE)
			control_cap_set(c, -1, (int)i, caps[i], "operator", "anna", 9000 * SECOND);
	}
	control_tick(c, 100 * SECOND);
	return c;
}

static int32_t granted(struct control *c, int evse)
{
	struct evse_view v;
	control_evse_view(c, evse, &v);
	return v.grant.ma;
}

static unsigned who_is_served(struct control *c)
{
	unsigned who = 0;
	for (size_t i = 0; i < n_evses; i++)
		who |= granted(c, (int)i) > 0 ? 1u << i : 0;
	return who;
}

/* Relaxes what a link of a chain names, and decides again. Returns -1 where there is nothing to relax. */
static int32_t relaxed(const struct cap *cap, int evse, unsigned served, bool *let_in)
{
	int32_t *limit = NULL, was;
	if (!strcmp(cap->reason, "evse_max"))
		limit = &evses[evse].max_ma;
	else if (!strcmp(cap->reason, "operator"))
		limit = &caps[evse];
	for (size_t n = 0; n < n_nodes && !strcmp(cap->reason, "circuit"); n++)
		if (!strcmp(cap->ref, nodes[n].id))
			limit = &nodes[n].limit.l[cap->phase - 1];
	if (!limit)
		return -1;
	was = *limit;
	*limit = was + MORE_MA;
	struct control *c = decide();
	int32_t ma = granted(c, evse);
	*let_in = who_is_served(c) & ~served;
	control_close(c);
	*limit = was;
	return ma;
}

struct tally {
	int decisions, links, useless, misled, let_in, tied;
};

static void try_chain(struct tally *t, struct control *c, int evse, uint64_t seed)
{
	struct cap chain[40];
	int32_t has = granted(c, evse);
	unsigned served = who_is_served(c);
	size_t n = control_why(c, evse, chain, 40);
	char refs[40][8];
	for (size_t k = 0; k < n; k++) { /* texts die with the control */
		snprintf(refs[k], sizeof(refs[k]), "%s", chain[k].ref ? chain[k].ref : "");
		chain[k].ref = refs[k];
	}
	if (has <= 0)
		return; /* who waits is told its place, not a current */
	t->decisions++;
	for (size_t k = 0; k < n; k++) {
		bool ties = k && chain[k].value_ma < chain[0].value_ma + STEP_MA, tied = n > 1 && chain[1].value_ma < chain[0].value_ma + STEP_MA, let_in;
		int32_t more = relaxed(&chain[k], evse, served, &let_in);
		t->tied += ties;
		if (more < 0 || ties)
			continue;
		t->links += k > 0;
		if (k ? more <= has : more > has || tied)
			continue;
		if (let_in) {
			t->let_in++;
			continue;
		}
		*(k ? &t->misled : &t->useless) += 1;
		printf("seed %llu: %s has %d mA; %s cap %s %s L%d (%d mA) relaxed gives %d mA\n", (unsigned long long)seed, evses[evse].id, has,
		       k ? "another" : "the binding", chain[k].reason, chain[k].ref, chain[k].phase, chain[k].value_ma, more);
	}
}

int main(int argc, char **argv)
{
	int decisions = argc > 1 ? atoi(argv[1]) : 1000;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, seed = first;
	struct tally t = { 0 };
	for (; t.decisions < decisions; seed++) {
		struct dice d = { seed * 31 };
		make_site(&d);
		struct control *c = decide();
		for (size_t i = 0; i < n_evses && t.decisions < decisions; i++)
			try_chain(&t, c, (int)i, seed);
		control_close(c);
	}
	printf("%d decisions from seed %llu: the binding cap relaxed did not help in %d; of %d other caps %d helped; %d times somebody who waited was let "
	       "in instead, %d caps bind together with another\n",
	       t.decisions, (unsigned long long)first, t.useless, t.links, t.misled, t.let_in, t.tied);
	return t.useless || t.misled;
}
