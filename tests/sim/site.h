/* A site in simulated time around the real balancer: cars that answer late and stop when they are full, meters with noise and gaps, a
 * building that switches loads, fuses that count their heat. One call is one second. Everything random comes from one seed. The cars are
 * engineering assumptions, not measurements: their numbers are parameters. */
#ifndef AMPGATE_TESTS_SIM_SITE_H
#define AMPGATE_TESTS_SIM_SITE_H

#include "energy/control.h"

#define SIM_EVSES 64
#define SIM_NODES 8

struct sim_car {
	int64_t arrive_s, leave_s;
	double need_wh, got_wh;
	double gain;                  /* drawn over offered */
	int32_t own_ma;               /* its own charger's maximum per phase */
	int phases;
	int delay_s;                  /* from a message to its current */
	bool ignores;                 /* does not follow its first reduction for a minute */
};

struct sim_seat {
	struct sim_car car;
	bool plugged, linked, ignored;
	int64_t unlinked_s, deaf_until_s;
	int32_t told[8];              /* what it was told, by second, for the delay */
	int32_t now_ma;               /* drawn per phase */
	int32_t sends, pauses;
	double wh;
};

struct sim_fuse {
	double heat;                  /* 1: at its rating for long; a conforming device holds 1.13 squared */
	double most_heat;
	int over_5, over_10;          /* seconds of the present episode above 1.05 and 1.10 of the limit */
	int longest_5, longest_10;
	double excess_as;             /* ampere seconds above the limit */
};

struct sim_rules {
	uint64_t seed;
	enum strategy strategy;
	int32_t grid_ma;              /* limit of the grid connection */
	double jump_ma;               /* largest load the building switches */
	int jumps_per_hour;
	int meter_gap_every_s;        /* mean time between losses of the meters; 0: none */
	int link_gap_every_s;         /* of one station's link; 0: none */
	double noise;                 /* of a meter, relative */
};

struct sim {
	struct sim_rules rules;
	struct control_conf conf;
	struct node_conf nodes[SIM_NODES];
	struct meter_conf meters[2];
	struct evse_conf evses[SIM_EVSES];
	char ids[SIM_EVSES][16];
	struct control *control;
	struct sim_seat seats[SIM_EVSES];
	struct sim_fuse fuses[SIM_NODES][3];
	double building[3], switched[3];
	int64_t switch_off_s[3];
	int64_t t_s, gap_until_s;
	uint64_t random;
	int32_t real[SIM_NODES][3];   /* currents this second */
	double needed_wh, got_wh;     /* of the cars that have left */
	int cars;
	int plan_over;                /* ticks in which a plan was above a limit although the building alone was not */
};

/* The garage of etc/examples/garage24.yaml: 22 stations on two rows and two relays. */
void sim_garage(struct sim *s, const struct sim_rules *rules);
void sim_second(struct sim *s);
void sim_close(struct sim *s);
uint32_t sim_below(struct sim *s, uint32_t n); /* the simulation's own dice */

#endif
