/* An imagined site: cars at charging points, and the currents that meters of its nodes would see. Pure: it is stepped by time and asks
 * nobody. Currents are amperes per grid phase, import positive; energies watt-hours. What it says is the truth that the rest of the program
 * only learns through meters and stations. One thread. */
#ifndef AMPGATE_GATEWAY_WORLD_H
#define AMPGATE_GATEWAY_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "station/car.h"
#include "station/station.h"

#define WORLD_VOLTS 230.0

struct world;

struct world *world_open(void);
void world_close(struct world *w);

/* Nodes form a tree: a current below is part of the current above. Both return a number from 0. `parent` -1: none. */
int world_node(struct world *w, int parent);
/* A charging point at a node. lines[i] is the grid phase (0..2) that its own phase i is wired to; it has `phases` of them. */
int world_point(struct world *w, int node, const uint8_t lines[3], int phases);

/* What else a node draws: a building, a heater. Holds until it is set again. */
void world_load(struct world *w, int node, const double i_a[3]);

void world_plug(struct world *w, int point, const struct car_conf *car);
void world_unplug(struct world *w, int point);
/* The station's output: its contactor and the current its pilot offers. */
void world_offer(struct world *w, int point, bool closed, int32_t offered_ma);

void world_step(struct world *w, int64_t dt_us);

void world_currents(const struct world *w, int node, double out[3]);
/* What a station at this point reads from its hardware. */
void world_input(const struct world *w, int point, struct evse_input *out);
bool world_is_full(const struct world *w, int point);   /* a car is there and has what it needs */
double world_delivered_wh(const struct world *w, int point); /* since the beginning, to all cars */

/* What happened at a limit: fed with currents as time passes. Tells how often and how long the limit was exceeded, and how long each sudden
 * load took until the currents were at or below the goal, which is lower than the limit by a reserve. Zero-initialise, set limit and goal. */
#define WORLD_JUMPS 64
struct world_guard {
	double limit_a, goal_a;
	double peak_a[3];
	int64_t over_us;               /* above limit_a */
	int64_t jumped_us;             /* when the load jumped that is not yet answered; 0: none */
	bool exceeded;                 /* that jump took a phase above the goal */
	int64_t reactions_us[WORLD_JUMPS];
	int n_reactions;
};
void world_guard_feed(struct world_guard *g, const double i_a[3], int64_t now_us, int64_t dt_us);
void world_guard_jump(struct world_guard *g, int64_t now_us);  /* a load was added just now */
int64_t world_guard_p95_us(const struct world_guard *g);       /* 0: nothing had to react */
int world_guard_worst(const struct world_guard *g);            /* phase 0..2 with the highest peak */

#endif
