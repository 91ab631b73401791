/* A day of a site: cars that come, take what they may, and leave; a building; meters; fuses that count their heat. One call is one second.
 * Everything random comes from the seed. The cars are engineering assumptions (delays of 1 to 5 s, gain, ramps, a tail), not measurements.
 * One thread. */
#ifndef AMPGATE_GATEWAY_SIM_DAY_H
#define AMPGATE_GATEWAY_SIM_DAY_H

#include <stdio.h>

#include "energy/control.h"
#include "energy/fuse.h"

struct sim_day_conf {
	const struct control_conf *site;
	const struct fuse_settings *const *fuses; /* per node; NULL: none */
	uint64_t seed;
	double sessions;          /* per EVSE and day, on average */
	double building;          /* of the grid's limit, on average over the day */
	int dim_from_s, dim_to_s; /* of each day: the grid operator allows dim_w for charging; both 0: never */
	int64_t dim_w;
	int dim_node;             /* below which it counts */
	int64_t wall_us;          /* wall time of second 0, midnight where the site is */
	void (*second)(void *arg, int64_t now_s); /* before the balancer looks; NULL: nobody limits */
	void *arg;
	FILE *record;             /* a decision log; NULL: none */
};

struct sim_day_node {
	double peak_a[3];
	double over_as;           /* ampere seconds above the limit */
	int longest_s;            /* of an episode above 1.05 of it */
	double most_heat;         /* of its fuse: 1 may open */
};

struct sim_day_sum {
	long long sessions, full, pauses;
	long long orders, renewals; /* limits that changed, and those said again so that they do not run out */
	long long served_s;       /* seconds of all EVSEs together in which a car was plugged in */
	double wanted_wh, got_wh;
	int charging;             /* now */
	double amps[3];           /* of the grid connection, now */
	double charging_w;
};

struct sim_day;
struct sim_day *sim_day_open(const struct sim_day_conf *conf);
struct control *sim_day_control(struct sim_day *d); /* for who limits it */
void sim_day_close(struct sim_day *d);
void sim_day_second(struct sim_day *d);
void sim_day_sum(const struct sim_day *d, struct sim_day_sum *out);
const struct sim_day_node *sim_day_node(const struct sim_day *d, int node);

#endif
