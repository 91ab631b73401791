/* How much of the optimum the balancer delivers, beside the usual rules, and what it costs in overload and messages.
 *
 *   quality [-s SEED] [-n SEEDS] [-d DRIVER] [SCENARIO...]
 *
 * `make quality` prints the whole table. With -d only one driver runs: ampgate, stdio, equal, ... */
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
	{ "ampgate", &drive_direct }, { "energy", &drive_energy }, { "stdio", &drive_stdio }, { "equal", &rule_equal }, { "robin", &rule_robin }, { "first", &rule_first },
	{ "edf", &rule_edf },         { "llf", &rule_llf },      { "one", &rule_one },
};

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
	}
	judge_end(j, c, w);
	d->close(state);
	free(orders);
	world_close(w);
}

static void row(const char *name, const struct judge *j, double best)
{
	printf("  %-20s %6.1f %% %8.0f A s  most %.2f  >1.05 %3d s  >1.10 %3d s  heat %.2f  cap late %3.0f s  Jain %.2f  p10 %.2f  ready %3d/%3d"
	       "  per h %5.1f  rev %4.1f (%.1f hasty)  pauses %4.1f\n",
	       name, 100 * j->delivered_wh / best, j->over_as, j->most, j->longest_5_s, j->longest_10_s, j->most_heat, j->cap_late_s, j->jain, j->tenth,
	       j->ready, j->sessions, j->changes_per_hour, j->reversals_per_session, j->hasty_per_session, j->pauses_per_session);
	fflush(stdout);
}

static void scenario(const char *name, uint64_t seed, const char *only)
{
	struct world_conf c;
	int ready = 0;
	if (!scenario_make(&c, name, seed)) {
		fprintf(stderr, "quality: no scenario '%s'\n", name);
		exit(2);
	}
	double best = optimum_wh(&c, &ready), need = 0;
	for (int i = 0; i < c.n_sessions; i++)
		need += c.sessions[i].need_wh;
	printf("%s seed %llu: %d sockets, %d sessions, wanted %.0f kWh, optimum %.0f kWh (%.0f %%), ready in it %d\n", name, (unsigned long long)seed,
	       c.n_evses, c.n_sessions, need / 1000, best / 1000, 100 * best / need, ready);
	for (size_t d = 0; d < sizeof(drivers) / sizeof(drivers[0]); d++) {
		struct judge j;
		if (only ? strcmp(only, drivers[d].word) != 0 : drivers[d].driver == &drive_stdio)
			continue;
		run(&c, drivers[d].driver, &j);
		row(drivers[d].driver->name, &j, best);
	}
	scenario_free(&c);
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	int seeds = 1, opt;
	const char *only = NULL;
	while ((opt = getopt(argc, argv, "s:n:d:")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (opt == 'n')
			seeds = atoi(optarg);
		else if (opt == 'd')
			only = optarg;
		else
			return 2;
	}
	for (int k = 0; k < seeds; k++) {
		if (optind == argc)
			for (int i = 0; scenario_names[i]; i++)
				scenario(scenario_names[i], seed + (uint64_t)k, only);
		for (int i = optind; i < argc; i++)
			scenario(argv[i], seed + (uint64_t)k, only);
	}
	return 0;
}
