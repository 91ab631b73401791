/* CPU time of one division, for sites of 10 to 10,000 EVSEs under trees of depth 6. The goal is below 1 ms for 1,000.
 * Beside it one linear program over the same snapshot, and a whole tick of the balancer in which every car has reported another current. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "energy/alloc.h"
#include "energy/control.h"
#include "energy/site.h"
#include "tests/bench/alloc-lp.h"

#define DEPTH 6
#define RUNS_LEAST 20

static uint64_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* A root, then levels that branch so that the last has about one node for ten EVSEs; rooms for some 12 A each, so that most nodes bind. */
static size_t make_nodes(struct alloc_node *nodes, size_t n_evses)
{
	size_t leaves = n_evses / 10 ? n_evses / 10 : 1, level_at = 0, level_n = 1, n = 1;
	nodes[0] = (struct alloc_node){ .parent = -1, .room = { (int32_t)n_evses * 9000, (int32_t)n_evses * 9500, (int32_t)n_evses * 10000 } };
	for (int d = 1; d < DEPTH; d++) {
		size_t want = d == DEPTH - 1 ? leaves : (level_n * 3 < leaves ? level_n * 3 : leaves), at = n;
		for (size_t i = 0; i < want; i++, n++) {
			int32_t share = (int32_t)(n_evses / want) + 1;
			nodes[n].parent = (int)(level_at + i * level_n / want);
			for (int l = 0; l < 3; l++)
				nodes[n].room[l] = share * (7000 + (int32_t)below(8000));
		}
		level_at = at;
		level_n = want;
	}
	return n;
}

static void make_evses(struct alloc_evse *evses, size_t n, size_t n_nodes)
{
	size_t leaves = n / 10 ? n / 10 : 1;
	for (size_t i = 0; i < n; i++)
		evses[i] = (struct alloc_evse){ .node = (int)(n_nodes - leaves + i % leaves), .lines = below(3) ? 7 : (uint8_t)(1u << below(3)),
						.min_ma = 6000, .max_ma = 10000 + 100 * (int32_t)below(220), .step_ma = 100,
						.weight = 10 + (int32_t)below(10) };
}

static void on_send(void *arg, int evse, const struct grant *g)
{
	control_evse_answered(*(struct control **)arg, evse, g->ma, true, (int64_t)1000000);
}

/* The mean of some ticks of the whole balancer, without meters, after every EVSE has reported another current. */
static double tick(const struct alloc_node *rooms, size_t n_nodes, const struct alloc_evse *asks, size_t n)
{
	static const struct control_events events = { on_send };
	struct node_conf *nodes = calloc(n_nodes, sizeof(*nodes));
	struct evse_conf *evses = calloc(n, sizeof(*evses));
	struct control *c;
	int64_t now = 1000000;
	double spent = 0;
	int ticks = 0;
	for (size_t i = 0; i < n_nodes; i++) {
		nodes[i] = (struct node_conf){ .id = "node", .parent = rooms[i].parent, .meter = -1 };
		memcpy(nodes[i].limit.l, rooms[i].room, sizeof(nodes[i].limit.l));
	}
	for (size_t i = 0; i < n; i++)
		evses[i] = (struct evse_conf){ .id = "evse", .station = "evse", .evse = 1, .node = asks[i].node, .lines = { 0, 1, 2 }, .n_lines = 3,
					       .min_ma = 6000, .max_ma = asks[i].max_ma, .fallback_after_us = 60000000 };
	struct control_conf conf = { .strategy = STRATEGY_DEADLINE, .increase_after_us = -1, .rotate_every_us = 900000000, .rebalance_us = 600000000, .margin = true,
				     .nodes = nodes, .n_nodes = n_nodes, .evses = evses, .n_evses = n };
	c = control_open(&conf, &events, &c);
	for (size_t i = 0; i < n; i++) {
		control_evse_link(c, (int)i, true, now);
		control_evse_tx(c, (int)i, true, now);
	}
	for (; ticks < 20; ticks++, now += 5000000) {
		for (size_t i = 0; i < n; i++) {
			int32_t ma = 5000 + (int32_t)below(1000);
			control_evse_draw(c, (int)i, (int32_t[3]){ ma, ma, ma }, 0, now);
		}
		double t = now_us();
		control_tick(c, now);
		spent += now_us() - t;
	}
	control_close(c);
	free(nodes);
	free(evses);
	return spent / ticks;
}

static void measure(size_t n)
{
	struct alloc_node *nodes = calloc(n * DEPTH + DEPTH, sizeof(*nodes));
	struct alloc_evse *evses = calloc(n, sizeof(*evses));
	struct alloc_share *out = calloc(n, sizeof(*out));
	int32_t *order = calloc(n, sizeof(*order));
	size_t n_nodes = make_nodes(nodes, n), runs = 200000 / n > RUNS_LEAST ? 200000 / n : RUNS_LEAST, held = 0;
	make_evses(evses, n, n_nodes);
	for (size_t i = 0; i < n; i++)
		order[i] = (int32_t)i;
	void *scratch = malloc(alloc_scratch(n_nodes, n));
	struct alloc_site site = { nodes, n_nodes, evses, n, order, false };
	double least = 1e18, begin = now_us();
	for (size_t k = 0; k < runs; k++) {
		double t = now_us();
		alloc_run(&site, scratch, out);
		t = now_us() - t;
		least = t < least ? t : least;
	}
	for (size_t i = 0; i < n; i++)
		held += out[i].bound != ALLOC_OWN;
	double mean = (now_us() - begin) / (double)runs, t = now_us(), solved = alloc_lp(&site);
	t = now_us() - t;
	printf("%6zu EVSEs, %5zu nodes, %5zu held by a node: division mean %8.1f us, least %8.1f us; ", n, n_nodes, held, mean, least);
	if (solved > 0)
		printf("one linear program %10.1f us; ", t);
	printf("whole tick %9.1f us\n", tick(nodes, n_nodes, evses, n));
	fflush(stdout);
	free(nodes);
	free(evses);
	free(out);
	free(order);
	free(scratch);
}

int main(void)
{
	static const size_t sizes[] = { 10, 100, 1000, 10000 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		measure(sizes[i]);
	return 0;
}
