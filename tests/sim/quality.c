/* How much of the optimum the balancer delivers, beside the usual rules, and what it costs in overload and messages.
 *
 *   quality [-s SEED] [-n SEEDS] [-d DRIVERS] [-x LIFTED] [-w KW] [-g] [-p] [-b] [SCENARIO...]
 *
 * `make quality` prints the whole table. Of several seeds the mean is shown; in brackets the lowest energy and the highest overload of one
 * day, and of what must never happen the worst. With -d only some drivers run: ampgate, stdio, equal, ...; with -x some kinds of ignorance are
 * taken away (people,building,cars,meters,links,caps), to see what they cost; -g adds what the cars that happen to be there could have taken at
 * every moment, so that what is lost by leaving room unused is told from what is lost by serving the wrong cars; -p adds what a linear program
 * delivers that is solved anew every five minutes with no more knowledge of the future, but without delays, minimum currents and faults; -w limits
 * the mean power of the connection over 15 minutes, which the optimum does not obey; -b leaves out the seeds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/drive.h"
#include "tests/sim/judge.h"
#include "tests/sim/optimum.h"
#include "tests/sim/rules.h"
#include "tests/sim/scenario.h"

static const struct {
	const char *word;
	const struct driver *driver;
} drivers[] = {
	{ "ampgate", &drive_direct }, { "energy", &drive_energy }, { "ready", &drive_ready }, { "stdio", &drive_stdio }, { "equal", &rule_equal }, { "robin", &rule_robin }, { "first", &rule_first },
	{ "edf", &rule_edf },         { "llf", &rule_llf },      { "one", &rule_one },
};

#define DRIVERS (sizeof(drivers) / sizeof(drivers[0]))
#define GREEDY_S 300

struct total {
	int n, over_5_s, over_10_s;
	double share, least, greedy, over_as, most_over_as, most, heat, cap_obeyed_s, cap_above_s, jain, tenth, ready, sessions, changes, reversals, hasty, pauses, share_of[2], jain_of[2], window_most;
};

static struct total totals[DRIVERS];
static const char *only, *lifted;
static bool greedy, planned, brief;
static double window_kw; /* of the connection, over 15 minutes; 0: none */
static double greedy_wh, planned_share, planned_jain;

static void run(const struct world_conf *c, const struct driver *d, struct judge *j)
{
	struct world *w = world_open(c);
	struct order *orders = calloc(WORLD_EVSES, sizeof(*orders));
	void *state = d->open(c);
	judge_init(j);
	for (int64_t t = 0; t < c->length_s; t++) {
		if (world_second(w)) {
			memset(orders, 0, WORLD_EVSES * sizeof(*orders));
			d->step(state, world_look(w), orders);
			world_order(w, orders);
		}
		judge_second(j, c, w);
		if (greedy && t % GREEDY_S == GREEDY_S / 2)
			greedy_wh += optimum_now_w(c, w) * GREEDY_S / 3600;
	}
	judge_end(j, c, w);
	d->close(state);
	free(orders);
	world_close(w);
}

/* Where several seeds run, their mean; but of what must never happen the worst. */
static void add(struct total *t, const struct judge *j, double best)
{
	t->n++;
	t->share += 100 * j->delivered_wh / best;
	t->least = t->n == 1 ? 100 * j->delivered_wh / best : fmin(t->least, 100 * j->delivered_wh / best);
	t->greedy += 100 * greedy_wh / best;
	t->over_as += j->over_as;
	t->most_over_as = fmax(t->most_over_as, j->over_as);
	t->most = fmax(t->most, j->most);
	t->over_5_s = t->over_5_s > j->longest_5_s ? t->over_5_s : j->longest_5_s;
	t->over_10_s = t->over_10_s > j->longest_10_s ? t->over_10_s : j->longest_10_s;
	t->heat = fmax(t->heat, j->most_heat);
	t->cap_obeyed_s = fmax(t->cap_obeyed_s, j->cap_obeyed_s);
	t->cap_above_s = fmax(t->cap_above_s, j->cap_above_s);
	t->jain += j->jain;
	t->tenth += j->tenth;
	t->window_most = fmax(t->window_most, j->window_most);
	for (int k = 0; k < 2; k++) {
		t->share_of[k] += j->share_of[k];
		t->jain_of[k] += j->jain_of[k];
	}
	t->ready += j->ready;
	t->sessions += j->sessions;
	t->changes += j->changes_per_hour;
	t->reversals += j->reversals_per_session;
	t->hasty += j->hasty_per_session;
	t->pauses += j->pauses_per_session;
}

static void row(const char *name, const struct total *t)
{
	double n = t->n;
	printf("  %-20s %5.1f %% (%5.1f) %6.0f A s (%6.0f)  most %.2f  >1.05 %3d s  >1.10 %3d s  heat %.2f  cap obeyed in %2.0f s, above it %2.0f s  Jain %.3f  p10 %.2f  ready %3.0f/%3.0f"
	       "  per h %4.1f  rev %4.1f (%.1f hasty)  pauses %4.2f\n",
	       name, t->share / n, t->least, t->over_as / n, t->most_over_as, t->most, t->over_5_s, t->over_10_s, t->heat, t->cap_obeyed_s, t->cap_above_s, t->jain / n,
	       t->tenth / n, t->ready / n, t->sessions / n, t->changes / n, t->reversals / n, t->hasty / n, t->pauses / n);
	if (!isnan(t->share_of[0] + t->share_of[1])) /* both kinds of current */
		printf("  %-20s AC %.0f %% of what was needed, Jain %.3f; DC %.0f %%, Jain %.3f\n", "", 100 * t->share_of[0] / n, t->jain_of[0] / n,
		       100 * t->share_of[1] / n, t->jain_of[1] / n);
	if (t->window_most > 0)
		printf("  %-20s highest window %.3f of its limit\n", "", t->window_most);
	if (greedy)
		printf("  %-20s %5.1f %%\n", "  filled every moment", t->greedy / n);
	fflush(stdout);
}

static void lift(struct world_conf *c)
{
	char words[200];
	snprintf(words, sizeof(words), "%s", lifted ? lifted : "");
	for (char *word = strtok(words, ","); word; word = strtok(NULL, ","))
		if (!scenario_lift(c, word)) {
			fprintf(stderr, "quality: no ignorance '%s'\n", word);
			exit(2);
		}
}

static void one_day(const char *name, uint64_t seed)
{
	struct world_conf c;
	int ready = 0;
	if (!scenario_make(&c, name, seed)) {
		fprintf(stderr, "quality: no scenario '%s'\n", name);
		exit(2);
	}
	lift(&c);
	c.nodes[0].power_w = window_kw * 1000;
	c.nodes[0].window_s = window_kw > 0 ? 900 : 0;
	double best = optimum_wh(&c, &ready), need = 0;
	for (int i = 0; i < c.n_sessions; i++)
		need += c.sessions[i].need_wh;
	if (!brief)
		printf("%s seed %llu: %d sockets, %d sessions, wanted %.0f kWh, optimum %.0f kWh (%.0f %%), ready in it %d\n", name, (unsigned long long)seed,
		       c.n_evses, c.n_sessions, need / 1000, best / 1000, 100 * best / need, ready);
	if (planned) {
		double jain;
		planned_share += 100 * optimum_planned_wh(&c, &jain) / best;
		planned_jain += jain;
	}
	for (size_t d = 0; d < DRIVERS; d++) {
		struct judge j;
		if (only ? !strstr(only, drivers[d].word) : drivers[d].driver == &drive_stdio)
			continue;
		greedy_wh = 0;
		run(&c, drivers[d].driver, &j);
		add(&totals[d], &j, best);
	}
	scenario_free(&c);
}

static void scenario(const char *name, uint64_t seed, int seeds)
{
	memset(totals, 0, sizeof(totals));
	planned_share = planned_jain = 0;
	for (int k = 0; k < seeds; k++)
		one_day(name, seed + (uint64_t)k);
	if (brief)
		printf("%s\n", name);
	for (size_t d = 0; d < DRIVERS; d++)
		if (totals[d].n)
			row(drivers[d].driver->name, &totals[d]);
	if (planned)
		printf("  %-20s %5.1f %%  Jain %.3f\n", "planned anew", planned_share / seeds, planned_jain / seeds);
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	int seeds = 1, opt;
	while ((opt = getopt(argc, argv, "s:n:d:x:w:gpb")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (opt == 'n')
			seeds = atoi(optarg);
		else if (opt == 'd')
			only = optarg;
		else if (opt == 'x')
			lifted = optarg;
		else if (opt == 'w')
			window_kw = atof(optarg);
		else if (opt == 'g')
			greedy = true;
		else if (opt == 'p')
			planned = true;
		else if (opt == 'b')
			brief = true;
		else
			return 2;
	}
	for (int i = 0; optind == argc && scenario_names[i]; i++)
		scenario(scenario_names[i], seed, seeds);
	for (int i = optind; i < argc; i++)
		scenario(argv[i], seed, seeds);
	return 0;
}
