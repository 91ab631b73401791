/* Judges a simulated day from outside: knows the real currents, not what the balancer believes. */
#ifndef AMPGATE_TESTS_SIM_JUDGE_H
#define AMPGATE_TESTS_SIM_JUDGE_H

#include "tests/sim/world.h"

struct judge_node {               /* one line of one node */
	double heat;              /* 1: tripped, by the fast edge of a C breaker's curve */
	double most_heat;
	double over_as;           /* ampere seconds above the limit */
	double most;              /* highest current over limit */
	int over_5_s, longest_5_s; /* seconds above 1.05 in one episode, after a cap or a loss of the meter has been answered */
	int longest_10_s;
	int over_10_s;
};

struct judge {
	struct judge_node nodes[WORLD_NODES][3];
	double over_as;           /* of all lines of all nodes, with respect to the installation */
	double most;              /* highest current over limit, anywhere */
	int longest_5_s, longest_10_s;
	double most_heat;
	/* An operator's cap, as far as it can be obeyed: while somebody draws who has a link. Whoever has none cannot be told; that it is counted is
	 * for others to check. The building alone may be above a cap. */
	double cap_obeyed_s;      /* longest time from the first look that has it until it is obeyed */
	double cap_above_s;       /* longest time above it later: a load was switched on */
	double window_most;       /* highest mean power of a window over the connection's limit of it; 0: it has none */
	double delivered_wh, needed_wh, hours;
	double changes_per_hour, reversals_per_session, hasty_per_session, pauses_per_session, jain, tenth;
	double share_of[2], jain_of[2]; /* on alternating, on direct current: got of what was needed, and how evenly; NaN: nobody */
	int sessions, ready;      /* ready: has 95 % of its need */
	int worst_node, worst_line; /* of most_heat */
	/* inside */
	int capped;
	bool cap_obeyed;
	int64_t cap_at_s;
	double above_cap_s;
	double window_ws;         /* of the present window */
};

void judge_init(struct judge *j);
void judge_second(struct judge *j, const struct world_conf *conf, const struct world *w);
void judge_end(struct judge *j, const struct world_conf *conf, const struct world *w);

#endif
