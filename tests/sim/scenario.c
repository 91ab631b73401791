/* A garage of 150 sockets with rotated phases, a depot of 100 direct-current points, a car park with both kinds, a workplace, and random sites for the safety check.
 *
 * Times of arrival, stays and needs are our own round numbers, near what public charging data shows: at home people come from four in the
 * afternoon and stay the night, at work they come about eight and stay until five, visitors stay an hour or two and take what they get; the
 * middle session takes 10 to 15 kWh. */
#include "tests/sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600

const char *const scenario_names[] = { "garage-very-scarce", "garage-scarce", "garage-moderate", "hard-very-scarce", "hard-scarce", "hard-moderate", "rows-scarce", "rows-moderate", "depot-scarce", "depot-moderate", "mixed-scarce", "mixed-moderate", "workplace", NULL };

static int add_node(struct world_conf *c, const char *id, int parent, double a, bool metered)
{
	struct world_node *n = &c->nodes[c->n_nodes];
	snprintf(n->id, sizeof(n->id), "%s", id);
	n->parent = parent;
	n->limit_a[0] = n->limit_a[1] = n->limit_a[2] = a;
	n->metered = metered;
	return c->n_nodes++;
}

static struct world_evse *add_evse(struct world_conf *c, char prefix, int node, int rotation)
{
	struct world_evse *e = &c->evses[c->n_evses++];
	snprintf(e->id, sizeof(e->id), "%c-%03d", prefix, c->n_evses % 1000);
	e->node = node;
	e->n_lines = 3;
	for (int p = 0; p < 3; p++)
		e->lines[p] = (p + rotation) % 3;
	e->min = e->failsafe = 6;
	e->max = 32;
	e->failsafe_after_s = 60;
	return e;
}

static struct world_session *add_session(struct world_conf *c)
{
	c->sessions = realloc(c->sessions, (size_t)(c->n_sessions + 1) * sizeof(*c->sessions));
	struct world_session *s = &c->sessions[c->n_sessions++];
	memset(s, 0, sizeof(*s));
	return s;
}

static int by_arrival(const void *a, const void *b)
{
	const struct world_session *x = a, *y = b;
	return x->arrive_s != y->arrive_s ? (x->arrive_s > y->arrive_s ? 1 : -1) : x->evse - y->evse;
}

/* The car and what its driver says. */
static void roll_car(struct world_conf *c, struct dice *d, struct world_session *s)
{
	const struct world_evse *e = &c->evses[s->evse];
	double kind = dice_between(d, 0, 1);
	s->phases = kind < 0.3 ? 1 : kind < 0.4 ? 2 : 3;
	s->own_a = s->phases == 1 ? (dice_chance(d, 0.5) ? 16 : 32) : s->phases == 2 ? 16 : dice_chance(d, 0.75) ? 16 : 32;
	s->gain = dice_between(d, 0.93, 1);
	s->delay_s = 1 + (int)dice_below(d, 5);
	s->ramp_a = dice_between(d, 2, 10);
	s->tail = dice_between(d, 0, 0.2);
	s->ignores = dice_chance(d, 0.03);
	s->sleeper = dice_chance(d, 0.03);
	if (e->dc) {
		s->phases = 3;
		s->own_a = e->max * c->amps_per_kw;
		s->gain = 1;
		s->ramp_a = 20;
	}
	if (s->phases > e->n_lines)
		s->phases = e->n_lines;
	if (!e->dc)
		s->own_a = fmin(s->own_a, e->max);
}

static double most_wh(const struct world_conf *c, const struct world_session *s)
{
	double w = c->evses[s->evse].dc ? s->own_a / c->amps_per_kw * 1000 : s->own_a * s->phases * WORLD_VOLTS;
	return w * (double)(s->leave_s - s->arrive_s) / HOUR;
}

static void roll_word(struct dice *d, struct world_session *s, double known, double wrong)
{
	s->told_need_wh = s->told_leave_s = NAN;
	if (!dice_chance(d, known))
		return;
	bool lies = dice_chance(d, wrong);
	s->told_need_wh = round(s->need_wh * (lies ? dice_between(d, 0.5, 1.6) : 1));
	if (dice_chance(d, 0.9))
		s->told_leave_s = (double)s->arrive_s + round((double)(s->leave_s - s->arrive_s) * (lies ? dice_between(d, 0.6, 1.5) : 1));
}

static double clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

/* Who comes to a garage: residents, workers, visitors. */
static void garage_people(struct world_conf *c, struct dice *d, double visitors, double workers)
{
	c->begin_s = 6 * HOUR;
	for (int i = 0; i < c->n_evses; i++) {
		int64_t free_s = c->begin_s;
		while (free_s < c->begin_s + c->length_s - HOUR) {
			struct world_session s = { .evse = i };
			double who = dice_between(d, 0, 1), day = 0;
			double at, stay, kwh;
			if (who < visitors) {
				at = (double)free_s + dice_wait(d, 2.5 * HOUR);
				stay = clamp(dice_wait(d, 1.8 * HOUR), 0.4 * HOUR, 5 * HOUR);
				kwh = clamp(dice_wait(d, 14), 2, 50);
			} else if (who < visitors + workers) {
				at = day + clamp(8.3 + 1.2 * dice_normal(d), 5, 13) * HOUR;
				stay = clamp(8 + 1.8 * dice_normal(d), 2, 12) * HOUR;
				kwh = clamp(16 + 10 * dice_normal(d), 3, 50);
			} else {
				at = day + clamp(17.8 + 2.2 * dice_normal(d), 11, 23.5) * HOUR;
				stay = clamp(12 + 2.5 * dice_normal(d), 3, 18) * HOUR;
				kwh = clamp(22 + 13 * dice_normal(d), 3, 70);
			}
			if (at < (double)free_s) {
				free_s += HOUR / 2;
				continue;
			}
			if (at > (double)(c->begin_s + c->length_s - HOUR / 2))
				break;
			s.arrive_s = (int64_t)at;
			s.leave_s = (int64_t)(at + stay);
			if (s.leave_s > c->begin_s + c->length_s)
				s.leave_s = c->begin_s + c->length_s;
			roll_car(c, d, &s);
			s.need_wh = fmin(kwh * 1000 * (s.phases == 1 ? 0.7 : 1), 0.95 * most_wh(c, &s));
			roll_word(d, &s, 0.5, 0.3);
			*add_session(c) = s;
			free_s = s.leave_s + 300 + (int64_t)dice_wait(d, HOUR);
		}
	}
}

static void usual_faults(struct world_rules *r)
{
	*r = (struct world_rules){ .base_share = 0.22, .base_swing = 0.3, .steps_per_hour = 0.4, .step_share = 0.08, .wander = 0.0006, .meter_noise = 0.003,
				   .meter_gaps = 0.01, .meter_losses_per_day = 2, .meter_freezes_per_day = 0, .link_losses_per_day = 0.3,
				   .caps_per_day = 1, .cap_least = 0.4, .cap_most = 0.8, .report_s = 5, .start_set = 0 };
}

static void garage(struct world_conf *c, struct dice *d, double grid_a)
{
	add_node(c, "grid", -1, grid_a, true);
	for (int r = 0; r < 5; r++) {
		char id[16];
		snprintf(id, sizeof(id), "row-%c", 'a' + r);
		int row = add_node(c, id, 0, 125, false);
		for (int i = 0; i < 30; i++) {
			struct world_evse *e = add_evse(c, 'G', row, i);
			if (dice_chance(d, 0.1))
				e->n_lines = 1;
			else if (dice_chance(d, 0.3))
				e->max = 16;
		}
	}
	usual_faults(&c->rules);
	garage_people(c, d, 0.35, 0.3);
}

/* Six rows that are full before the connection is. The first is wired alike, so that all cars on one phase share a line there; two have no meter. */
static void rows_garage(struct world_conf *c, struct dice *d, double row_a)
{
	add_node(c, "grid", -1, 420, true);
	for (int r = 0; r < 6; r++) {
		char id[16];
		snprintf(id, sizeof(id), "row-%c", 'a' + r);
		int row = add_node(c, id, 0, r % 2 ? row_a * 0.8 : row_a, r > 1);
		for (int i = 0; i < 25; i++)
			add_evse(c, 'G', row, r ? i : 0);
	}
	usual_faults(&c->rules);
	c->rules.returns_set = true;
	garage_people(c, d, 0.35, 0.3);
}

/* Beside a building with a will of its own; stations that report rarely and start cars by themselves, links and meters that are lost often. */
static void hard_garage(struct world_conf *c, struct dice *d, double grid_a)
{
	garage(c, d, grid_a);
	for (int n = 1; n < 3; n++)
		c->nodes[n].metered = true;
	c->rules.base_share = 0.3;
	c->rules.base_swing = 0.4;
	c->rules.steps_per_hour = 2;
	c->rules.step_share = 0.12;
	c->rules.wander = 0.001;
	c->rules.meter_losses_per_day = 4;
	c->rules.meter_freezes_per_day = 1;
	c->rules.meter_gaps = 0.02;
	c->rules.link_losses_per_day = 1;
	c->rules.caps_per_day = 2;
	c->rules.report_s = 15;
	c->rules.start_set = 2;
	c->rules.returns_set = true;
}

static void depot(struct world_conf *c, struct dice *d, double grid_a)
{
	add_node(c, "grid", -1, grid_a, true);
	for (int r = 0; r < 4; r++) {
		char id[16];
		snprintf(id, sizeof(id), "bus-%d", r + 1);
		int bus = add_node(c, id, 0, grid_a * 0.4, r < 2);
		for (int i = 0; i < 25; i++) {
			struct world_evse *e = add_evse(c, 'D', bus, 0);
			e->dc = true;
			e->min = 5;
			e->max = i % 5 ? 50 : 100;
			e->failsafe = 0;
		}
	}
	usual_faults(&c->rules);
	c->rules.base_share = 0.08;
	c->begin_s = 12 * HOUR;
	for (int i = 0; i < c->n_evses; i++) {
		struct world_session s = { .evse = i };
		s.arrive_s = (int64_t)(clamp(18.5 + 1.8 * dice_normal(d), 14, 24) * HOUR);
		s.leave_s = (int64_t)((24 + clamp(6.3 + 1.2 * dice_normal(d), 3, 10)) * HOUR);
		roll_car(c, d, &s);
		s.tail = dice_between(d, 0.02, 0.15);
		s.need_wh = fmin(clamp(150 + 60 * dice_normal(d), 40, 320) * 1000, 0.8 * most_wh(c, &s));
		roll_word(d, &s, 0.95, 0.1);
		*add_session(c) = s;
	}
}

/* Who comes to a strong point stays for half an hour or so and wants what it can give; nobody comes at night. */
static void passers_by(struct world_conf *c, struct dice *d, int evse)
{
	double most_a = c->evses[evse].max * c->amps_per_kw, at = 7.5 * HOUR + dice_wait(d, HOUR / 2);
	while (at < 21.5 * HOUR) {
		struct world_session s = { .evse = evse, .arrive_s = (int64_t)at };
		s.leave_s = s.arrive_s + (int64_t)(clamp(0.6 + 0.25 * dice_normal(d), 0.25, 1.5) * HOUR);
		roll_car(c, d, &s);
		s.own_a = fmin(dice_between(d, 50, 150) * c->amps_per_kw, most_a);
		s.tail = dice_between(d, 0.1, 0.4);
		s.need_wh = fmin(clamp(28 + 12 * dice_normal(d), 8, 60) * 1000, 0.8 * most_wh(c, &s));
		roll_word(d, &s, 0.5, 0.3);
		*add_session(c) = s;
		at = (double)s.leave_s + 300 + dice_wait(d, HOUR * 0.4);
	}
}

/* Two points of direct current beside a garage's sockets on one connection. */
static void mixed(struct world_conf *c, struct dice *d, double grid_a)
{
	add_node(c, "grid", -1, grid_a, true);
	add_node(c, "row", 0, grid_a * 0.8, false);
	for (int i = 0; i < 20; i++)
		add_evse(c, 'G', 1, i)->max = dice_chance(d, 0.3) ? 16 : 32;
	usual_faults(&c->rules);
	garage_people(c, d, 0.35, 0.3);
	for (int i = 0; i < 2; i++) {
		struct world_evse *e = add_evse(c, 'D', 0, 0);
		e->dc = true;
		e->min = 5;
		e->max = dice_chance(d, 0.5) ? 50 : dice_chance(d, 0.5) ? 100 : 150;
		e->failsafe = 0;
		passers_by(c, d, c->n_evses - 1);
	}
}

/* Fifty-four sockets at work: arrivals about eight, the day's end about five, some who only pass by. */
static void workplace(struct world_conf *c, struct dice *d)
{
	add_node(c, "grid", -1, 100, true);
	add_node(c, "transformer", 0, 70, false);
	for (int i = 0; i < 54; i++) {
		struct world_evse *e = add_evse(c, 'W', 1, i);
		e->n_lines = 1;
	}
	usual_faults(&c->rules);
	c->rules.base_share = 0.15;
	for (int i = 0; i < c->n_evses; i++) {
		int64_t free_s = c->begin_s;
		for (int k = 0; k < 3; k++) {
			struct world_session s = { .evse = i };
			double at = k ? (double)free_s + dice_wait(d, 2 * HOUR) : clamp(8.6 + 1.6 * dice_normal(d), 5, 14) * HOUR;
			double stay = dice_chance(d, 0.3) ? dice_wait(d, 2 * HOUR) + 900 : clamp(8 + 1.7 * dice_normal(d), 1, 12) * HOUR;
			if (at > 20 * HOUR || at < (double)free_s || !dice_chance(d, 0.9))
				break;
			s.arrive_s = (int64_t)at;
			s.leave_s = (int64_t)fmin(at + stay, 23.5 * HOUR);
			roll_car(c, d, &s);
			s.phases = 1;
			s.own_a = dice_chance(d, 0.5) ? 32 : 16;
			s.need_wh = fmin(clamp(dice_wait(d, 11), 1, 60) * 1000, most_wh(c, &s));
			roll_word(d, &s, 0.6, 0.4);
			*add_session(c) = s;
			free_s = s.leave_s + 600;
		}
	}
}

/* Days that somebody has written down, one session a line: day, socket from 0, minutes of the day at which it came and left, kWh, and what was
 * said: kWh and minute of leaving, or "-". The seed is the day. */
static bool written_days(struct world_conf *c, struct dice *d, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[160], kwh[24], leave[24];
	int day, socket, from, to;
	double wh;
	if (!f)
		return false;
	add_node(c, "grid", -1, 110, true);
	add_node(c, "transformer", 0, 80, false);
	for (int i = 0; i < 54; i++)
		add_evse(c, 'W', 1, i)->n_lines = 1;
	usual_faults(&c->rules);
	c->rules.base_share = 0.35;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%d %d %d %d %lf %23s %23s", &day, &socket, &from, &to, &wh, kwh, leave) != 7 || day != (int)c->seed || socket >= 54)
			continue;
		struct world_session s = { .evse = socket, .arrive_s = from * 60, .leave_s = to * 60, .need_wh = wh * 1000 };
		roll_car(c, d, &s);
		s.phases = 1;
		s.own_a = dice_chance(d, 0.6) ? 32 : 16;
		s.need_wh = fmin(s.need_wh, 0.98 * most_wh(c, &s));
		s.told_need_wh = *kwh == '-' ? NAN : atof(kwh) * 1000;
		s.told_leave_s = *leave == '-' ? NAN : atof(leave) * 60;
		*add_session(c) = s;
	}
	fclose(f);
	return true;
}

/* Any tree, any rotations, any cars, any faults: for the safety check. */

static int depth_of(const struct world_conf *c, int n)
{
	int depth = 0;
	for (; n >= 0; n = c->nodes[n].parent)
		depth++;
	return depth;
}

static void random_tree(struct world_conf *c, struct dice *d, int n_evses)
{
	int n_nodes = 1 + (int)dice_below(d, 8);
	double grid = n_evses * dice_between(d, 3, 12) + 16;
	add_node(c, "grid", -1, floor(grid), true);
	for (int n = 1; n < n_nodes; n++) {
		char id[16];
		int parent = (int)dice_below(d, (uint32_t)n);
		snprintf(id, sizeof(id), "n%d", n);
		if (depth_of(c, parent) > 5)
			parent = 0;
		add_node(c, id, parent, floor(c->nodes[parent].limit_a[0] * dice_between(d, 0.5, 1)), dice_chance(d, 0.3));
		for (int l = 1; l < 3; l++)
			if (dice_chance(d, 0.2))
				c->nodes[n].limit_a[l] = floor(c->nodes[n].limit_a[l] * dice_between(d, 0.7, 1));
	}
}

static double failsafes_below(const struct world_conf *c, int node, int line)
{
	double sum = 0;
	for (int i = 0; i < c->n_evses; i++)
		for (int p = 0; p < c->evses[i].n_lines; p++)
			for (int n = c->evses[i].node; n >= 0 && c->evses[i].lines[p] == line; n = c->nodes[n].parent)
				if (n == node)
					sum += c->evses[i].failsafe * (c->evses[i].dc ? c->amps_per_kw : 1);
	return sum;
}

/* An installation is only right when what its sockets do by themselves fits beside the building's highest load. */
static void fit_failsafes(struct world_conf *c)
{
	for (int n = 0; n < c->n_nodes; n++)
		for (int l = 0; l < 3; l++) {
			double need = failsafes_below(c, n, l);
			double room = c->nodes[n].limit_a[l] * (n ? 1 : 0.4); /* the rest is for the building */
			if (need > room)
				c->nodes[n].limit_a[l] = ceil(need / (n ? 1 : 0.4));
		}
}

static void random_site(struct world_conf *c, struct dice *d)
{
	int n_evses = 2 + (int)dice_below(d, dice_chance(d, 0.1) ? 22 : 10);
	bool dc = dice_chance(d, 0.15), falls_to_minimum = dice_chance(d, 0.3);
	random_tree(c, d, n_evses);
	for (int i = 0; i < n_evses; i++) {
		struct world_evse *e = add_evse(c, dc ? 'D' : 'G', (int)dice_below(d, (uint32_t)c->n_nodes), (int)dice_below(d, 3));
		if (dice_chance(d, 0.15))
			e->n_lines = 1;
		e->max = dice_chance(d, 0.3) ? 16 : 32;
		e->failsafe = falls_to_minimum ? 6 : 0;
		e->failsafe_after_s = 30 + (int)dice_below(d, 150);
		if (dc) {
			e->dc = true;
			e->n_lines = 3;
			e->min = 2;
			e->max = dice_chance(d, 0.5) ? 11 : 22;
			e->failsafe = 0;
		}
	}
	c->rules = (struct world_rules){ .base_share = dice_between(d, 0.05, 0.3), .base_swing = dice_between(d, 0, 0.4),
					 .steps_per_hour = dice_between(d, 0, 4), .step_share = dice_between(d, 0.02, 0.1),
					 .wander = 0.0006, .meter_noise = dice_between(d, 0, 0.006), .meter_gaps = dice_between(d, 0, 0.03),
					 .meter_losses_per_day = dice_between(d, 0, 5), .meter_freezes_per_day = dice_chance(d, 0.2) ? 1 : 0,
					 .link_losses_per_day = dice_between(d, 0, 2), .caps_per_day = dice_chance(d, 0.5) ? dice_between(d, 0, 3) : 0,
					 .report_s = dice_chance(d, 0.5) ? 5 : 10, .start_set = (int)dice_below(d, 2), .cap_least = 0.4,
					 .cap_most = 0.8 };
	fit_failsafes(c);
	c->period_s = dice_chance(d, 0.1) ? 1 : 5;
	garage_people(c, d, 0.5, 0.25);
}

/* The same with more of everything: deeper trees, limits that differ by line, power limits, all rotations, cars that draw more than they are
 * offered, a building that jumps, caps down to nothing on any node. What the building and the fallbacks need together still fits: no
 * balancer can mend that. */

static void wild_tree(struct world_conf *c, struct dice *d, int n_evses)
{
	int n_nodes = dice_chance(d, 0.15) ? 8 + (int)dice_below(d, 16) : 1 + (int)dice_below(d, 8);
	add_node(c, "grid", -1, floor(n_evses * dice_between(d, 3, 12) + 16), true);
	for (int n = 1; n < n_nodes; n++) {
		char id[16];
		int parent = dice_chance(d, 0.4) ? n - 1 : (int)dice_below(d, (uint32_t)n);
		snprintf(id, sizeof(id), "n%d", n);
		if (depth_of(c, parent) > 6)
			parent = 0;
		add_node(c, id, parent, floor(c->nodes[parent].limit_a[0] * dice_between(d, 0.4, 1.1)), dice_chance(d, 0.3));
	}
	for (int n = 0; n < n_nodes; n++) {
		struct world_node *to = &c->nodes[n];
		for (int l = 0; l < 3; l++)
			if (dice_chance(d, 0.2))
				to->limit_a[l] = floor(to->limit_a[l] * dice_between(d, 0.6, 1));
		if (dice_chance(d, 0.12))
			to->power_w = floor((to->limit_a[0] + to->limit_a[1] + to->limit_a[2]) * WORLD_VOLTS * dice_between(d, 0.5, 1));
		if (dice_chance(d, 0.06))
			to->imbalance_a = 20;
	}
}

static void wild_socket(struct world_conf *c, struct dice *d, bool dc, double failsafe)
{
	struct world_evse *e = add_evse(c, dc ? 'D' : 'G', (int)dice_below(d, (uint32_t)c->n_nodes), (int)dice_below(d, 3));
	if (dice_chance(d, 0.4)) { /* the other way round */
		int second = e->lines[1];
		e->lines[1] = e->lines[2];
		e->lines[2] = second;
	}
	if (dice_chance(d, 0.2))
		e->n_lines = 1;
	e->max = dice_chance(d, 0.3) ? 16 : dice_chance(d, 0.1) ? 63 : 32;
	e->failsafe = failsafe;
	e->failsafe_after_s = 10 + (int)dice_below(d, 290);
	if (dc) {
		e->dc = true;
		e->n_lines = 3;
		e->min = 2;
		e->max = dice_chance(d, 0.5) ? 11 : 22;
		e->failsafe = 0;
	}
}

static void wild_rules(struct world_rules *r, struct dice *d)
{
	*r = (struct world_rules){ .base_share = dice_between(d, 0.02, 0.4), .base_swing = dice_between(d, 0, 0.4), .steps_per_hour = dice_between(d, 0, 10),
				   .step_share = dice_between(d, 0.02, 0.25), .meter_noise = dice_between(d, 0, 0.008), .meter_gaps = dice_between(d, 0, 0.05),
				   .meter_losses_per_day = dice_between(d, 0, 8), .meter_freezes_per_day = dice_chance(d, 0.4) ? dice_between(d, 0, 3) : 0,
				   .link_losses_per_day = dice_between(d, 0, 4), .caps_per_day = dice_chance(d, 0.6) ? dice_between(d, 0, 6) : 0,
				   .cap_least = dice_chance(d, 0.3) ? 0 : 0.3, .cap_most = 0.9, .caps_anywhere = dice_chance(d, 0.5),
				   .report_s = 5 + 5 * (int)dice_below(d, 3), .start_set = (int)dice_below(d, 3) };
	double highest = r->base_share * (1 + r->base_swing) + r->step_share + 0.04;
	if (highest > 0.58)
		r->base_share -= (highest - 0.58) / (1 + r->base_swing);
}

static void wild_site(struct world_conf *c, struct dice *d)
{
	static const double falls_to[] = { 0, 0, 6, 6, 8, 10 };
	int n_evses = 1 + (int)dice_below(d, dice_chance(d, 0.12) ? 40 : 11);
	bool dc = dice_chance(d, 0.12);
	double failsafe = falls_to[dice_below(d, 6)];
	wild_tree(c, d, n_evses);
	for (int i = 0; i < n_evses; i++)
		wild_socket(c, d, dc, failsafe);
	wild_rules(&c->rules, d);
	c->rules.returns_set = c->seed % 2;
	fit_failsafes(c);
	c->period_s = dice_chance(d, 0.08) ? 1 : dice_chance(d, 0.1) ? 10 : 5;
	garage_people(c, d, dice_between(d, 0.2, 0.8), 0.15);
	for (int i = 0; i < c->n_sessions; i++)
		if (!dc && dice_chance(d, 0.04))
			c->sessions[i].gain = dice_between(d, 1.01, 1.12);
}

/* The same where some sockets can change over between one phase and three; few of them ever have to. */
static void wild_switching_site(struct world_conf *c, struct dice *d)
{
	wild_site(c, d);
	for (int i = 0; i < c->n_evses; i++)
		if (!c->evses[i].dc && c->evses[i].n_lines == 3 && dice_chance(d, 0.8))
			c->evses[i].switch_after_s = 120 + (int)dice_below(d, 900);
	for (int i = 0; i < c->n_evses; i++)
		c->evses[i].any_phase = c->seed % 2 && i % 3 == 0 && c->evses[i].switch_after_s;
}

/* Where sockets change over between one phase and three all day: what is left beside the building's jumps is now enough for three phases, now for
 * one, by a limit of power or on a line. Some stations take their time or do not do what they accept, and some lose their link over it. */

static void switching_socket(struct world_conf *c, struct dice *d, double failsafe)
{
	struct world_evse *e = add_evse(c, 'G', (int)dice_below(d, (uint32_t)c->n_nodes), (int)dice_below(d, c->seed % 2 ? 3 : 1));
	e->max = dice_chance(d, 0.5) ? 16 : 32;
	e->failsafe = failsafe;
	e->failsafe_after_s = 10 + (int)dice_below(d, 290);
	if (dice_chance(d, 0.1))
		return;
	e->switch_after_s = 30 + (int)dice_below(d, 300);
	e->any_phase = dice_chance(d, 0.3);
	e->switch_slow_s = dice_chance(d, 0.25) ? 2 + (int)dice_below(d, 40) : 0;
	e->switch_deaf = dice_chance(d, 0.2) ? dice_between(d, 0.05, 1) : 0;
}

/* What is left is enough for all cars on three phases while the building rests, and on one while it does not: by a limit of power, or by that of a
 * line or two. */
static void switching_tree(struct world_conf *c, struct dice *d, int n_evses, bool by_power)
{
	const struct world_rules *r = &c->rules;
	double grid_a = n_evses * 14 + 20, high = 3 * (r->base_share * (1 + r->base_swing) + 0.6 * r->step_share) * grid_a;
	add_node(c, "grid", -1, grid_a, true);
	if (by_power)
		c->nodes[0].power_w = floor((high + n_evses * dice_between(d, 3, 9)) * WORLD_VOLTS);
	for (int l = 1 + (int)dice_below(d, 2); l < 3 && !by_power; l++)
		c->nodes[0].limit_a[l] = floor(n_evses * dice_between(d, 7, 8.5) + 2);
	if (dice_chance(d, 0.5))
		add_node(c, "row", 0, floor(grid_a * dice_between(d, 0.6, 0.9)), dice_chance(d, 0.4));
	if (dice_chance(d, 0.1))
		c->nodes[0].imbalance_a = 20;
}

static void switching_rules(struct world_rules *r, struct dice *d)
{
	wild_rules(r, d);
	r->base_share = dice_between(d, 0.1, 0.22);
	r->base_swing = dice_between(d, 0.2, 0.4);
	r->step_share = dice_between(d, 0.15, 0.23);
	r->steps_per_hour = dice_between(d, 3, 9);
	r->step_mean_s = dice_between(d, 200, 600);
	r->caps_per_day = dice_chance(d, 0.5) ? dice_between(d, 0, 8) : 0;
	r->lost_amid = dice_chance(d, 0.5) ? dice_between(d, 0.02, 0.3) : 0;
}

/* One car after the other; most of them want more than they can get. */
static void switching_people(struct world_conf *c, struct dice *d, int evse)
{
	double at = (double)c->begin_s + dice_wait(d, HOUR);
	while (at < (double)(c->begin_s + c->length_s - HOUR)) {
		struct world_session s = { .evse = evse, .arrive_s = (int64_t)at, .leave_s = (int64_t)(at + dice_between(d, 1, 10) * HOUR) };
		roll_car(c, d, &s);
		if (dice_chance(d, 0.85))
			s.phases = 3;
		if (dice_chance(d, 0.03))
			s.gain = dice_between(d, 1.01, 1.12);
		s.need_wh = most_wh(c, &s) * (dice_chance(d, 0.15) ? dice_between(d, 0.05, 0.4) : 0.95);
		roll_word(d, &s, 0.5, 0.3);
		*add_session(c) = s;
		at = (double)s.leave_s + 60 + dice_wait(d, HOUR / 2);
	}
}

static void switching_site(struct world_conf *c, struct dice *d)
{
	static const double falls_to[] = { 0, 0, 6, 6, 8 };
	int n_evses = 1 + (int)dice_below(d, 6);
	bool by_power = dice_chance(d, 0.6);
	double failsafe = by_power ? falls_to[dice_below(d, 5)] : 0; /* it would not fit on such lines */
	switching_rules(&c->rules, d);
	switching_tree(c, d, n_evses, by_power);
	for (int i = 0; i < n_evses; i++)
		switching_socket(c, d, failsafe);
	c->rules.returns_set = c->seed % 4 > 1;
	fit_failsafes(c);
	c->period_s = dice_chance(d, 0.1) ? 1 : dice_chance(d, 0.1) ? 10 : 5;
	for (int i = 0; i < n_evses; i++)
		switching_people(c, d, i);
}

/* The same sites in a night with a cheap hour: every socket has a car, and most of them begin by their own timers, in the same second. */
static void timers_site(struct world_conf *c, struct dice *d)
{
	wild_site(c, d);
	int64_t cheap_s = c->begin_s + 4 * HOUR + (int64_t)dice_below(d, 10 * HOUR);
	c->n_sessions = 0;
	for (int i = 0; i < c->n_evses; i++) {
		struct world_session *s = add_session(c);
		s->evse = i;
		s->arrive_s = cheap_s - (int64_t)dice_below(d, 3 * HOUR);
		s->leave_s = cheap_s + HOUR + (int64_t)dice_below(d, 8 * HOUR);
		roll_car(c, d, s);
		s->need_wh = fmin(dice_between(d, 5000, 50000), 0.95 * most_wh(c, s));
		roll_word(d, s, 0.5, 0.3);
		if (dice_chance(d, 0.85))
			s->begins_s = cheap_s;
	}
}

/* Wild sites with meters that lie, a few times a day. */
static void lying_site(struct world_conf *c, struct dice *d)
{
	wild_site(c, d);
	c->rules.meter_stiffs_per_day = 2;
	c->rules.meter_dead_lines_per_day = 2;
}

bool scenario_make(struct world_conf *c, const char *name, uint64_t seed)
{
	struct dice d = { seed * 7919 + 17 };
	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->seed = seed;
	c->length_s = 86400;
	c->period_s = 5;
	c->amps_per_kw = 1.5407;
	if (!strcmp(name, "garage-very-scarce"))
		garage(c, &d, 200);
	else if (!strcmp(name, "garage-scarce"))
		garage(c, &d, 280);
	else if (!strcmp(name, "garage-moderate"))
		garage(c, &d, 380);
	else if (!strcmp(name, "hard-very-scarce"))
		hard_garage(c, &d, 220);
	else if (!strcmp(name, "hard-scarce"))
		hard_garage(c, &d, 310);
	else if (!strcmp(name, "hard-moderate"))
		hard_garage(c, &d, 420);
	else if (!strcmp(name, "rows-scarce"))
		rows_garage(c, &d, 50);
	else if (!strcmp(name, "rows-moderate"))
		rows_garage(c, &d, 63);
	else if (!strcmp(name, "depot-scarce"))
		depot(c, &d, 1250);
	else if (!strcmp(name, "depot-moderate"))
		depot(c, &d, 1600);
	else if (!strcmp(name, "mixed-scarce"))
		mixed(c, &d, 125);
	else if (!strcmp(name, "mixed-moderate"))
		mixed(c, &d, 200);
	else if (!strcmp(name, "workplace"))
		workplace(c, &d);
	else if (!strcmp(name, "random"))
		random_site(c, &d);
	else if (!strcmp(name, "wild"))
		wild_site(c, &d);
	else if (!strcmp(name, "wild-switching"))
		wild_switching_site(c, &d);
	else if (!strcmp(name, "switching"))
		switching_site(c, &d);
	else if (!strcmp(name, "lies"))
		lying_site(c, &d);
	else if (!strcmp(name, "timers"))
		timers_site(c, &d);
	else if (!strchr(name, '/') || !written_days(c, &d, name))
		return false;
	qsort(c->sessions, (size_t)c->n_sessions, sizeof(*c->sessions), by_arrival);
	return true;
}

/* Without one kind of ignorance. */
bool scenario_lift(struct world_conf *c, const char *word)
{
	struct world_rules *r = &c->rules;
	for (int i = 0; i < c->n_sessions; i++) {
		struct world_session *s = &c->sessions[i];
		if (!strcmp(word, "people")) {
			s->told_need_wh = s->need_wh;
			s->told_leave_s = (double)s->leave_s;
		} else if (!strcmp(word, "told")) {
			s->told_need_wh = s->told_leave_s = NAN;
		} else if (!strcmp(word, "cars")) {
			s->gain = 1;
			s->tail = 0;
			s->delay_s = 1;
			s->ignores = s->sleeper = false;
		}
	}
	if (!strcmp(word, "building"))
		r->steps_per_hour = r->wander = 0;
	else if (!strcmp(word, "meters"))
		r->meter_noise = r->meter_gaps = r->meter_losses_per_day = r->meter_freezes_per_day = 0;
	else if (!strcmp(word, "links"))
		r->link_losses_per_day = 0;
	else if (!strcmp(word, "caps"))
		r->caps_per_day = 0;
	else
		return !strcmp(word, "people") || !strcmp(word, "told") || !strcmp(word, "cars");
	return true;
}

void scenario_free(struct world_conf *c)
{
	free(c->sessions);
	c->sessions = NULL;
}
