/* A site in simulated time: the tree of fuses, a building, sockets, cars, meters, links, and all that can go wrong with them. One call is one
 * second. What a gateway could know comes out as a `seen`, late and sometimes missing; what it decides goes in as orders. The world knows
 * nothing of the balancer. Everything random comes from the scenario's seed, so two drivers meet the same day.
 *
 * The cars are engineering assumptions, not measurements, and are therefore parameters: delays of 1 to 5 s, some that ignore a first
 * reduction, some that sleep after a pause, ramps, a tail at the end of the charge. */
#ifndef AMPGATE_TESTS_SIM_WORLD_H
#define AMPGATE_TESTS_SIM_WORLD_H

#include <stddef.h>

#include "tests/sim/dice.h"

#define WORLD_NODES 64
#define WORLD_EVSES 320
#define WORLD_VOLTS 230.0
#define WORLD_LATE 16         /* a command takes effect within this many seconds */

struct world_node {
	char id[16];
	int parent;
	double limit_a[3];
	bool metered;
	double power_w, imbalance_a; /* 0: no such limit */
	int window_s;                /* the power holds for the mean over this; 0: at every moment */
};

struct world_evse {
	char id[16];
	int node;
	bool dc;                  /* set-points in kW */
	int lines[3], n_lines;
	double min, max, failsafe; /* A, or kW */
	int failsafe_after_s;
	int switch_after_s;       /* can charge on its first phase alone; 0: it cannot */
	bool any_phase;           /* or on any of its phases */
	int switch_slow_s;        /* goes on as it is for so long before it changes over */
	double switch_deaf;       /* chance that it accepts one and goes on as it is, but for the current */
};

struct world_session {            /* one car at one socket */
	int evse;
	int64_t arrive_s, leave_s;
	double need_wh;
	int phases;
	double own_a;             /* its charger's maximum per phase; DC: line amperes */
	double gain;              /* drawn over offered, 0.93 to 1 */
	double ramp_a;            /* per second, upwards */
	double tail;              /* share of its need that is charged with falling current */
	int delay_s;
	bool ignores;             /* does not follow its first reduction */
	bool sleeper;             /* after a pause it wants the wake-up sequence */
	int64_t begins_s;         /* by its own timer it takes nothing before; 0: at once */
	double told_need_wh;      /* NaN: nobody said */
	double told_leave_s;      /* NaN: nobody said */
	/* what became of it */
	double got_wh, had_a;     /* had_a: present draw per used phase */
	int changes, reversals, hasty, pauses; /* hasty: a reversal within five minutes of the change before */
	int64_t changed_s;
	double last_set;          /* -1: none in this session */
	int direction;
};

struct world_rules {              /* faults and weather; 0: never */
	double base_share;        /* of the grid limit, on average over the day */
	double base_swing;        /* day and night, relative */
	double steps_per_hour, step_share; /* of the grid limit, largest */
	double step_mean_s;       /* how long one lasts; 0: some minutes */
	double wander;            /* of the building, of the grid limit, per second */
	double meter_noise;       /* relative */
	double meter_gaps;        /* chance of one missing sample */
	double meter_losses_per_day, meter_freezes_per_day; /* of 20 to 900 s */
	double meter_stiffs_per_day; /* frozen below a little noise; of 20 s to 2 h, as the next */
	double meter_dead_lines_per_day; /* one line says that nothing flows */
	double link_losses_per_day; /* of one socket */
	double caps_per_day;      /* by the grid operator */
	double cap_least, cap_most; /* of a node's limit */
	bool caps_anywhere;       /* on any node; else on the connection */
	int report_s;             /* a socket reports so often */
	double lost_amid;         /* chance that a change over takes the link with it: before it is heard, or after */
	bool returns_set;         /* a socket whose link is back goes by its last command again; else by its fail-safe until it hears */
	int start_set;            /* what a socket offers at plug-in: 0 nothing, 1 its fail-safe, 2 the last command */
};

struct world_conf {
	char name[24];
	uint64_t seed;
	int64_t begin_s, length_s;
	double period_s;
	double amps_per_kw;
	struct world_node nodes[WORLD_NODES];
	int n_nodes;
	struct world_evse evses[WORLD_EVSES];
	int n_evses;
	struct world_session *sessions; /* by arrival; of one socket one after the other */
	int n_sessions;
	struct world_rules rules;
};

/* What a gateway can know. */
struct seen_meter {
	double i[3];
	int age;
	bool ok, there;
};
struct seen_evse {
	bool listed, on;
	double set;               /* -1: none */
	int age;
	char st;                  /* A B C S */
	int session;
	int64_t t_arr;
	double wh, need_wh, t_dep; /* NaN: nobody said */
	double i[3];              /* own phases; DC: i[0] in kW */
};
struct seen {
	int64_t t, seq;
	struct seen_meter meters[WORLD_NODES];
	bool capped[WORLD_NODES];
	double cap_a[WORLD_NODES][3];
	struct seen_evse evses[WORLD_EVSES];
};
struct order {
	bool given, wake;
	double set;
	int phases;               /* 1: on one alone; 0, 3: on all */
	int phase;                /* which, from 1; 0: the first */
};

struct driver {
	const char *name;
	void *(*open)(const struct world_conf *conf);
	void (*step)(void *state, const struct seen *seen, struct order *orders); /* orders come empty, one per EVSE */
	void (*close)(void *state);
};

struct world;
struct world *world_open(const struct world_conf *conf);
void world_close(struct world *w);
/* A second goes by. True: a period ended, world_look should be called and orders given. */
bool world_second(struct world *w);
const struct seen *world_look(struct world *w);
void world_order(struct world *w, const struct order *orders);
/* Looks into it, for the judge: real current, limit in force (of the installation; with `caps` the operator's too), what is free for cars. */
double world_amps(const struct world *w, int node, int line);
int64_t world_meter_well_s(const struct world *w, int node); /* since its last fault */
double world_told_amps(const struct world *w, int node, int line); /* of it, what sockets draw that have a link and can be told */
double world_limit(const struct world *w, int node, int line, bool caps);
int world_capped(const struct world *w); /* the node that has a cap now; -1: none */
double world_base(const struct world *w, int line);
int64_t world_now(const struct world *w);
const struct world_session *world_session(const struct world *w, int i);
double world_offer(const struct world *w, int evse);
bool world_plugged(const struct world *w, int evse);
int world_session_at(const struct world *w, int evse); /* -1: free */
double world_draws(const struct world *w, int evse, int own); /* amperes on one of its own phases */
/* Times that sockets with a car in them changed the phases that it may use; and were told to and did not, or did so late, or lost their link. */
struct world_changes {
	int made, ignored, late, unlinked;
};
struct world_changes world_changes(const struct world *w);
bool world_online(const struct world *w, int evse);
int64_t world_silent_s(const struct world *w, int evse); /* without a link since, when it has none */
double world_could_a(const struct world *w, int evse); /* line amperes that its car would take, offered everything */

#endif
