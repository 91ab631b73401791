/* One simulated day as a table, for tests/sim/plot.js: time, then current and limit per line at the root, then every socket's set-point in force.
 *
 *   trace SCENARIO [SEED] | node tests/sim/plot.js > day.svg */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/drive.h"
#include "tests/sim/scenario.h"

#define EVERY_S 60

static void head(const struct world_conf *c)
{
	printf("t\tL1\tL2\tL3\tlimit1\tlimit2\tlimit3");
	for (int i = 0; i < c->n_evses; i++)
		printf("\t%s", c->evses[i].id);
	putchar('\n');
}

static void line(const struct world_conf *c, const struct world *w, const double most[3])
{
	printf("%lld", (long long)world_now(w));
	for (int l = 0; l < 3; l++)
		printf("\t%.1f", most[l]);
	for (int l = 0; l < 3; l++)
		printf("\t%.1f", world_limit(w, 0, l, true));
	for (int i = 0; i < c->n_evses; i++)
		printf("\t%.1f", world_plugged(w, i) ? world_offer(w, i) : -1);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct world_conf c;
	if (argc < 2 || !scenario_make(&c, argv[1], argc > 2 ? strtoull(argv[2], NULL, 10) : 1)) {
		fprintf(stderr, "trace SCENARIO [SEED]\n");
		return 2;
	}
	struct world *w = world_open(&c);
	struct order *orders = calloc(WORLD_EVSES, sizeof(*orders));
	void *state = drive_direct.open(&c);
	double most[3] = { 0 };
	head(&c);
	for (int64_t t = 0; t < c.length_s; t++) {
		if (world_second(w)) {
			memset(orders, 0, WORLD_EVSES * sizeof(*orders));
			drive_direct.step(state, world_look(w), orders);
			world_order(w, orders);
		}
		for (int l = 0; l < 3; l++)
			most[l] = fmax(most[l], world_amps(w, 0, l));
		if (t % EVERY_S)
			continue;
		line(&c, w, most);
		memset(most, 0, sizeof(most));
	}
	drive_direct.close(state);
	free(orders);
	world_close(w);
	scenario_free(&c);
	return 0;
}
