/* Random sites and days, checked by a judge who sees the real currents:
 *
 *   no device beyond its trip curve, at any node, on any line
 *   no sum of plans above a limit, in any step
 *   no sum of what sockets do by themselves above a limit
 *
 *   safety [-s SEED] [-n DAYS] [-v]      one line per day with -v; seeds are printed for whatever is wrong, and for the worst day
 *
 * `make check` does a modest share beside the days that were the worst so far; `make safety` does ten thousand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/drive.h"
#include "tests/sim/judge.h"
#include "tests/sim/scenario.h"

struct tally {
	int days, tripped, planned, above_5, above_10, late;
	long long steps;
	double most_heat, most, over_as, longest_5;
	unsigned long long hot_seed, most_seed;
};

/* The worst days of earlier runs: cars that start by themselves on a full row, and most overload. */
static const unsigned long long kept[] = { 11, 15, 52 };

/* Plans count what the balancer believes; where base load and those who cannot be told alone are above a limit nobody below may be given
 * current. Who is full, or takes nothing by itself, is left alone; who does not follow is counted with what it takes. */
static bool plan_is_above(const struct world_conf *c, struct control *k)
{
	double granted[WORLD_NODES][3] = { { 0 } };
	for (size_t i = 0; i < control_evses(k); i++) {
		struct evse_view v;
		control_evse_view(k, (int)i, &v);
		bool deaf = v.grant.binding.reason && !strcmp(v.grant.binding.reason, "unconfirmed"); /* counted, asked again and again */
		bool takes = !deaf && (v.drawn_ma[0] > 500 || v.drawn_ma[1] > 500 || v.drawn_ma[2] > 500);
		for (int n = v.node; n >= 0 && v.online && v.grant.ma > 0 && takes; n = c->nodes[n].parent)
			for (int p = 0; p < v.n_lines; p++)
				granted[n][v.lines[p]] += v.grant.ma;
	}
	for (size_t n = 0; n < control_nodes(k); n++) {
		struct node_view v;
		control_node_view(k, (int)n, &v);
		for (int l = 0; l < 3; l++)
			if (v.planned.l[l] > v.limit.l[l] && granted[n][l] > 0)
				return true;
	}
	return false;
}

static void check_fallbacks(const struct world_conf *c)
{
	for (int n = 0; n < c->n_nodes; n++)
		for (int l = 0; l < 3; l++) {
			double sum = 0;
			for (int i = 0; i < c->n_evses; i++)
				for (int p = 0; p < c->evses[i].n_lines; p++)
					for (int up = c->evses[i].node; up >= 0 && c->evses[i].lines[p] == l; up = c->nodes[up].parent)
						sum += up == n ? c->evses[i].failsafe * (c->evses[i].dc ? c->amps_per_kw : 1) : 0;
			if (sum > c->nodes[n].limit_a[l]) {
				fprintf(stderr, "the site of seed %llu is wrong: fallbacks of %.0f A below %.0f A\n", (unsigned long long)c->seed, sum,
					c->nodes[n].limit_a[l]);
				exit(2);
			}
		}
}

static int simulate(const struct world_conf *c, struct judge *j, long long *steps)
{
	struct world *w = world_open(c);
	struct order *orders = calloc(WORLD_EVSES, sizeof(*orders));
	void *state = drive_direct.open(c);
	int above = 0;
	judge_init(j);
	for (int64_t t = 0; t < c->length_s; t++) {
		if (world_second(w)) {
			memset(orders, 0, (size_t)c->n_evses * sizeof(*orders));
			drive_direct.step(state, world_look(w), orders);
			world_order(w, orders);
			above += plan_is_above(c, drive_control(state));
			++*steps;
		}
		judge_second(j, c, w);
	}
	judge_end(j, c, w);
	drive_direct.close(state);
	free(orders);
	world_close(w);
	return above;
}

static void note(struct tally *t, const struct judge *j, unsigned long long seed)
{
	if (j->most_heat >= t->most_heat) {
		t->most_heat = j->most_heat;
		t->hot_seed = seed;
	}
	if (j->most > t->most) {
		t->most = j->most;
		t->most_seed = seed;
	}
	t->over_as = fmax(t->over_as, j->over_as);
	t->longest_5 = fmax(t->longest_5, j->longest_5_s);
	t->above_5 += j->longest_5_s > 10;
	t->above_10 += j->longest_10_s > 0;
	t->late += j->cap_late_s > 5;
}

static void day(struct tally *t, unsigned long long seed, bool verbose)
{
	struct world_conf c;
	struct judge j;
	scenario_make(&c, "random", seed);
	check_fallbacks(&c);
	int above = simulate(&c, &j, &t->steps);
	t->days++;
	t->planned += above > 0;
	t->tripped += j.most_heat >= 1;
	note(t, &j, seed);
	if (verbose || above || j.most_heat >= 1)
		printf("seed %llu: %d nodes, %d sockets, period %g s: heat %.3f at %s L%d, most %.2f, %.0f A s, above 1.05 %d s, above 1.10 %d s, "
		       "cap late %.0f s, plans above a limit in %d steps\n",
		       seed, c.n_nodes, c.n_evses, c.period_s, j.most_heat, c.nodes[j.worst_node].id, j.worst_line + 1, j.most, j.over_as,
		       j.longest_5_s, j.longest_10_s, j.cap_late_s, above);
	fflush(stdout);
	scenario_free(&c);
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };
	unsigned long long seed = 1;
	int days = 12, opt;
	bool verbose = false;
	while ((opt = getopt(argc, argv, "s:n:v")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (opt == 'n')
			days = atoi(optarg);
		else if (opt == 'v')
			verbose = true;
		else
			return 2;
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && argc == 1; i++)
		day(&t, kept[i], verbose);
	for (int i = 0; i < days; i++)
		day(&t, seed + (unsigned long long)i, verbose);
	printf("%d days from seed %llu, %lld steps: %d with a device beyond its curve, %d with a plan above a limit; most heat %.3f of tripping (seed "
	       "%llu), highest current %.2f of a limit (seed %llu), most overload %.0f A s, longest above 1.05 %.0f s; days with more than 10 s above "
	       "1.05: %d, with any above 1.10: %d, with a cap obeyed later than 15 s: %d\n",
	       t.days, seed, t.steps, t.tripped, t.planned, t.most_heat, t.hot_seed, t.most, t.most_seed, t.over_as, t.longest_5, t.above_5, t.above_10,
	       t.late);
	return t.tripped || t.planned;
}
