/* The simulated site. A second goes: people come and go, the building switches, cars follow what they were told some seconds ago, fuses
 * warm up, meters are read (or not), stations report, the balancer is stepped. */
#include "tests/sim/site.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define A(amps) ((amps) * 1000)
#define START_S 100
#define VOLTS 230.0
#define FUSE_TAU_S 900.0 /* a coarse thermal element */

uint32_t sim_below(struct sim *s, uint32_t n)
{
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s->random >> 33) % n;
}

static double between(struct sim *s, double low, double high)
{
	return low + (high - low) * sim_below(s, 1000001) / 1e6;
}

static int64_t us(int64_t s)
{
	return (START_S + s) * US_PER_S;
}

static void on_send(void *arg, int evse, const struct grant *g)
{
	struct sim *s = arg;
	struct sim_seat *seat = &s->seats[evse];
	int32_t was = seat->told[s->t_s % 8];
	seat->sends++;
	seat->pauses += was > 0 && !g->ma;
	if (!seat->linked)
		return;
	if (seat->car.ignores && !seat->ignored && g->ma < was) {
		seat->ignored = true;
		seat->deaf_until_s = s->t_s + 60;
	}
	seat->told[s->t_s % 8] = g->ma;
	control_evse_answered(s->control, evse, g->ma, true, us(s->t_s));
}

static struct evse_conf *add_evse(struct sim *s, const char *prefix, int no, int node)
{
	struct evse_conf *e = &s->evses[s->conf.n_evses];
	char *id = s->ids[s->conf.n_evses++];
	snprintf(id, sizeof(s->ids[0]), "%s-%02d", prefix, no);
	*e = (struct evse_conf){ .id = id, .station = id, .evse = 1, .node = node, .n_lines = 3, .min_ma = A(6), .max_ma = A(32), .fallback_ma = A(6),
				 .fallback_after_us = 60 * US_PER_S };
	for (int p = 0; p < 3; p++)
		e->lines[p] = (uint8_t)((p + no) % 3);
	return e;
}

static void garage_tree(struct sim *s)
{
	int32_t g = s->rules.grid_ma;
	s->nodes[0] = (struct node_conf){ .id = "grid", .parent = -1, .limit = { { g, g, g } }, .reserve = { { g / 12, g / 12, g / 12 } }, .meter = 0 };
	s->nodes[1] = (struct node_conf){ .id = "ev-feeder", .parent = 0, .limit = { { A(160), A(160), A(160) } }, .reserve = { { 0 } }, .meter = 1 };
	s->nodes[2] = (struct node_conf){ .id = "row-a", .parent = 1, .limit = { { A(100), A(100), A(100) } }, .reserve = { { 0 } }, .meter = -1 };
	s->nodes[3] = (struct node_conf){ .id = "row-b", .parent = 1, .limit = { { A(100), A(100), A(100) } }, .reserve = { { 0 } }, .meter = -1 };
	s->nodes[4] = (struct node_conf){ .id = "relays", .parent = 1, .limit = { { A(20), 0, 0 } }, .reserve = { { 0 } }, .meter = -1 };
	s->meters[0] = (struct meter_conf){ "main", 3 * US_PER_S };
	s->meters[1] = (struct meter_conf){ "ev", 5 * US_PER_S };
	for (int i = 1; i <= 22; i++)
		add_evse(s, "G", i, i <= 11 ? 2 : 3);
	for (int i = 1; i <= 2; i++) {
		struct evse_conf *e = add_evse(s, "R", i, 4);
		e->lines[0] = 0;
		e->n_lines = 1;
		e->on_off = true;
		e->min_ma = e->max_ma = A(16);
		e->fallback_ma = 0;
	}
}

void sim_garage(struct sim *s, const struct sim_rules *rules)
{
	static const struct control_events events = { on_send };
	memset(s, 0, sizeof(*s));
	s->rules = *rules;
	s->random = rules->seed;
	s->conf = (struct control_conf){ .strategy = rules->strategy, .interval_us = US_PER_S, .increase_after_us = 15 * US_PER_S,
					 .increase_step_ma = A(4), .rotate_every_us = 900 * US_PER_S, .resend_us = 300 * US_PER_S,
					 .on_meter_lost = LOST_FALLBACK, .meter_lost_after_us = 3 * US_PER_S, .nodes = s->nodes, .n_nodes = 5,
					 .meters = s->meters, .n_meters = 2, .evses = s->evses };
	garage_tree(s);
	s->control = control_open(&s->conf, &events, s);
	for (size_t i = 0; i < s->conf.n_evses; i++) {
		s->seats[i].linked = true;
		s->seats[i].car.arrive_s = sim_below(s, 4 * 3600);
		control_evse_link(s->control, (int)i, true, us(0));
	}
	for (int l = 0; l < 3; l++)
		s->building[l] = A(40);
}

void sim_close(struct sim *s)
{
	control_close(s->control);
	s->control = NULL;
}

static void roll_car(struct sim *s, struct sim_car *car, bool relay)
{
	static const int phases[] = { 1, 1, 2, 3, 3, 3 };
	car->leave_s = s->t_s + 3600 + sim_below(s, 9 * 3600);
	car->phases = relay ? 1 : phases[sim_below(s, 6)];
	car->own_ma = car->phases == 3 && sim_below(s, 3) ? A(16) : sim_below(s, 2) ? A(32) : A(20);
	car->need_wh = between(s, 5000, 45000) * (car->phases == 1 ? 0.5 : 1);
	car->got_wh = 0;
	car->gain = between(s, 0.93, 1.0);
	car->delay_s = 1 + (int)sim_below(s, 5);
	car->ignores = !sim_below(s, 33);
}

static void plug(struct sim *s, size_t i)
{
	struct sim_seat *seat = &s->seats[i];
	roll_car(s, &seat->car, s->evses[i].on_off);
	seat->plugged = true;
	seat->ignored = false;
	seat->now_ma = 0;
	for (int k = 0; k < 8; k++)
		seat->told[k] = s->evses[i].fallback_ma;
	if (!seat->linked)
		return;
	control_evse_tx(s->control, (int)i, true, us(s->t_s));
	control_evse_state(s->control, (int)i, EVSE_CHARGING, us(s->t_s));
}

static void unplug(struct sim *s, size_t i)
{
	struct sim_seat *seat = &s->seats[i];
	seat->plugged = false;
	seat->now_ma = 0;
	s->cars++;
	s->needed_wh += seat->car.need_wh;
	s->got_wh += seat->car.got_wh;
	seat->car.arrive_s = s->t_s + 600 + sim_below(s, 3 * 3600);
	if (!seat->linked)
		return;
	control_evse_state(s->control, (int)i, EVSE_AVAILABLE, us(s->t_s));
	control_evse_tx(s->control, (int)i, false, us(s->t_s));
}

static void link_back(struct sim *s, size_t i)
{
	struct sim_seat *seat = &s->seats[i];
	seat->linked = true;
	control_evse_link(s->control, (int)i, true, us(s->t_s));
	control_evse_tx(s->control, (int)i, seat->plugged, us(s->t_s));
	control_evse_state(s->control, (int)i, seat->plugged ? EVSE_CHARGING : EVSE_AVAILABLE, us(s->t_s));
}

static void people(struct sim *s)
{
	for (size_t i = 0; i < s->conf.n_evses; i++) {
		struct sim_seat *seat = &s->seats[i];
		if (!seat->plugged && s->t_s >= seat->car.arrive_s)
			plug(s, i);
		else if (seat->plugged && s->t_s >= seat->car.leave_s)
			unplug(s, i);
		if (!seat->linked && s->t_s - seat->unlinked_s > 180)
			link_back(s, i);
		else if (seat->linked && s->rules.link_gap_every_s && !s->evses[i].on_off && !sim_below(s, (uint32_t)s->rules.link_gap_every_s)) {
			seat->linked = false;
			seat->unlinked_s = s->t_s;
			control_evse_link(s->control, (int)i, false, us(s->t_s));
		}
	}
}

static void switch_building(struct sim *s)
{
	for (int l = 0; l < 3; l++) {
		s->building[l] += between(s, -100, 100) + (A(50) - s->building[l]) * 0.0002;
		if (s->t_s >= s->switch_off_s[l])
			s->switched[l] = 0;
		if (!sim_below(s, 3600) || sim_below(s, 3600) >= (uint32_t)s->rules.jumps_per_hour)
			continue;
		s->switched[l] = between(s, s->rules.jump_ma / 10, s->rules.jump_ma);
		s->switch_off_s[l] = s->t_s + 5 + sim_below(s, 600);
	}
}

/* What the station lets through now: what it was told, some seconds ago; without a link its fallback after a while. */
static int32_t allowed(struct sim *s, size_t i)
{
	struct sim_seat *seat = &s->seats[i];
	if (s->t_s < seat->deaf_until_s)
		return seat->now_ma;
	if (!seat->linked && s->t_s - seat->unlinked_s >= s->evses[i].fallback_after_us / US_PER_S)
		return s->evses[i].fallback_ma;
	return seat->told[(s->t_s + 8 - seat->car.delay_s) % 8];
}

static void charge(struct sim *s, size_t i)
{
	struct sim_seat *seat = &s->seats[i];
	const struct sim_car *car = &seat->car;
	double left = car->need_wh - car->got_wh, taper = left < 0.1 * car->need_wh ? 0.15 + 8.5 * left / car->need_wh : 1;
	int32_t may = allowed(s, i), most = (int32_t)(car->own_ma * taper);
	if (s->evses[i].on_off)
		most = most < A(16) ? most : A(16);
	seat->now_ma = !seat->plugged || may < A(6) || left <= 0 ? 0 : (int32_t)(may * car->gain) < most ? (int32_t)(may * car->gain) : most;
	double wh = VOLTS * seat->now_ma / 1000 * car->phases / 3600;
	seat->car.got_wh += wh;
	seat->wh += wh;
}

static void warm(struct sim_fuse *f, double ma, double limit)
{
	double r = limit > 0 ? ma / limit : ma > 0 ? 2 : 0;
	f->heat += (r * r - f->heat) / FUSE_TAU_S;
	f->most_heat = f->heat > f->most_heat ? f->heat : f->most_heat;
	f->over_5 = r > 1.05 ? f->over_5 + 1 : 0;
	f->over_10 = r > 1.10 ? f->over_10 + 1 : 0;
	f->longest_5 = f->over_5 > f->longest_5 ? f->over_5 : f->longest_5;
	f->longest_10 = f->over_10 > f->longest_10 ? f->over_10 : f->longest_10;
	f->excess_as += ma > limit ? (ma - limit) / 1000 : 0;
}

static void flow(struct sim *s)
{
	memset(s->real, 0, sizeof(s->real));
	for (int l = 0; l < 3; l++)
		s->real[0][l] = (int32_t)(s->building[l] + s->switched[l]);
	for (size_t i = 0; i < s->conf.n_evses; i++) {
		charge(s, i);
		for (int p = 0; p < s->evses[i].n_lines && p < s->seats[i].car.phases; p++)
			for (int n = s->evses[i].node; n >= 0; n = s->nodes[n].parent)
				s->real[n][s->evses[i].lines[p]] += s->seats[i].now_ma;
	}
	for (size_t n = 0; n < s->conf.n_nodes; n++)
		for (int l = 0; l < 3; l++)
			warm(&s->fuses[n][l], s->real[n][l], s->nodes[n].limit.l[l]);
}

static bool read_meter(struct sim *s, int meter, int node)
{
	struct meter_sample m = { .at_us = us(s->t_s), .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
	if (s->t_s < s->gap_until_s || !sim_below(s, 50)) {
		control_meter_failed(s->control, meter, "timeout");
		return false;
	}
	for (int l = 0; l < 3; l++)
		m.ma.l[l] = s->real[node][l] + (int32_t)(s->real[node][l] * between(s, -s->rules.noise, s->rules.noise));
	return control_meter(s->control, meter, &m);
}

static void observe(struct sim *s)
{
	if (s->rules.meter_gap_every_s && s->t_s >= s->gap_until_s && !sim_below(s, (uint32_t)s->rules.meter_gap_every_s))
		s->gap_until_s = s->t_s + 2 + sim_below(s, 300);
	for (size_t i = 0; i < s->conf.n_evses; i++) {
		const struct sim_seat *seat = &s->seats[i];
		if (!seat->linked || (s->t_s + (int64_t)i) % 10)
			continue;
		int32_t own[3] = { 0 };
		for (int p = 0; p < s->evses[i].n_lines && p < seat->car.phases; p++)
			own[p] = seat->now_ma;
		control_evse_draw(s->control, (int)i, own, seat->wh, us(s->t_s));
	}
	read_meter(s, 0, 0);
	read_meter(s, 1, 1);
}

static void check_plan(struct sim *s)
{
	for (size_t n = 0; n < s->conf.n_nodes; n++) {
		struct node_view v;
		control_node_view(s->control, (int)n, &v);
		for (int l = 0; l < 3; l++)
			s->plan_over += v.planned.l[l] > v.limit.l[l] && s->fuses[n][l].over_5 == 0 && s->real[n][l] <= v.limit.l[l];
	}
}

void sim_second(struct sim *s)
{
	s->t_s++;
	for (size_t i = 0; i < s->conf.n_evses; i++)
		s->seats[i].told[s->t_s % 8] = s->seats[i].told[(s->t_s + 7) % 8];
	people(s);
	switch_building(s);
	flow(s);
	observe(s);
	control_tick(s->control, us(s->t_s));
	check_plan(s);
}
