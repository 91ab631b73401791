/* Order of a second: cars come and go, they draw by what they were offered, meters and stations tell, the balancer decides, and its orders
 * count from the next second on. Cars come by a rate per hour of the day with two peaks, in the morning and in the evening; a third of them
 * charge on one phase.
 *
 * The site is judged by its real currents, which the balancer never sees but through meters: their noise is half a percent, and a station
 * tells what its car draws every ten seconds. */
#include "gateway/sim/sim-day.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "energy/record.h"
#include "gateway/conf/settings.h"
#include "station/car.h"

#define DAY_S 86400
#define VOLTS 230.0
#define REPORT_S 10
#define EPISODE 1.05

struct seat {
	const struct evse_conf *conf;
	bool plugged;
	struct car car;
	int64_t leaves_s;
	int32_t offer;
};

struct place {
	struct sim_day_node sum;
	struct fuse_heat heat[3];
	int over_s[3];
	double amps[3];
};

struct sim_day {
	struct sim_day_conf conf;
	struct control *control;
	struct seat *seats;
	struct place *places;
	size_t n_nodes, n_evses;
	uint64_t dice;
	int64_t now_s;
	double building, step_a;
	int64_t step_until_s;
	int dimmed;               /* id of the cap; 0: none */
	struct sim_day_sum sum;
};

/* --- chance --- */

static double chance(struct sim_day *d)
{
	d->dice += 0x9E3779B97F4A7C15u;
	uint64_t z = d->dice;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static double between(struct sim_day *d, double a, double b)
{
	return a + (b - a) * chance(d);
}

/* --- cars --- */

/* Arrivals in an hour as a share of the day's; they add up to 1. */
static const double arrivals[24] = { .01, .005, .005, .005, .005, .01, .03, .08, .10, .06, .04, .04, .05, .04, .04, .04, .06, .09, .10, .07, .05, .03, .02, .02 };

static void arrive(struct sim_day *d, struct seat *s)
{
	bool single = s->conf->n_lines == 1 || chance(d) < 0.33;
	double need_wh = between(d, 5000, 40000);
	struct car_conf car = { .phases = single ? 1 : s->conf->n_lines, .max_ma = chance(d) < 0.7 ? 16000 : 32000, .min_ma = 6000, .need_wh = need_wh,
		.taper_wh = need_wh * between(d, 0.02, 0.1), .delay_us = (int64_t)between(d, 2, 20) * US_PER_S,
		.reaction_us = (int64_t)(1 + 4 * chance(d)) * US_PER_S, .ramp_ma_per_s = (int32_t)between(d, 1000, 8000), .volts = VOLTS };
	int i = (int)(s - d->seats);
	int64_t now_us = d->now_s * US_PER_S;
	car_plug(&s->car, &car);
	s->plugged = true;
	s->offer = 0;
	s->leaves_s = d->now_s + (int64_t)(3600 * between(d, 1, 10));
	d->sum.sessions++;
	d->sum.wanted_wh += need_wh;
	control_evse_tx(d->control, i, true, now_us);
	control_evse_state(d->control, i, EVSE_CHARGING, now_us);
}

static void leave(struct sim_day *d, struct seat *s)
{
	int i = (int)(s - d->seats);
	int64_t now_us = d->now_s * US_PER_S;
	d->sum.full += car_is_full(&s->car);
	s->plugged = false;
	control_evse_state(d->control, i, EVSE_AVAILABLE, now_us);
	control_evse_tx(d->control, i, false, now_us);
}

static void come_and_go(struct sim_day *d)
{
	double rate = d->conf.sessions * arrivals[d->now_s / 3600 % 24] / 3600;
	for (size_t i = 0; i < d->n_evses; i++) {
		struct seat *s = &d->seats[i];
		if (s->plugged && d->now_s >= s->leaves_s)
			leave(d, s);
		else if (!s->plugged && chance(d) < rate)
			arrive(d, s);
	}
}

static void draw(struct sim_day *d)
{
	for (size_t i = 0; i < d->n_evses; i++) {
		struct seat *s = &d->seats[i];
		if (!s->plugged)
			continue;
		double before = s->car.energy_wh;
		car_elapse(&s->car, s->offer, s->offer > 0, US_PER_S);
		d->sum.got_wh += s->car.energy_wh - before;
	}
}

/* --- the building --- */

static double building_a(struct sim_day *d)
{
	double limit = d->conf.site->nodes[0].limit.l[0] / 1000.0, day = 2 * M_PI * (double)(d->now_s % DAY_S) / DAY_S;
	if (d->now_s >= d->step_until_s && chance(d) < 4.0 / 3600) {
		d->step_a = limit * 0.06 * chance(d);
		d->step_until_s = d->now_s + (int64_t)between(d, 20, 900);
	} else if (d->now_s >= d->step_until_s) {
		d->step_a = 0;
	}
	return limit * d->conf.building * (1 - 0.6 * cos(day)) + d->step_a;
}

static bool is_below(const struct sim_day *d, int node, int top)
{
	while (node > top)
		node = d->conf.site->nodes[node].parent;
	return node == top;
}

static void add_up(struct sim_day *d)
{
	double base = building_a(d);
	for (size_t n = 0; n < d->n_nodes; n++)
		for (int l = 0; l < 3; l++)
			d->places[n].amps[l] = n || !d->conf.site->nodes[n].limit.l[l] ? 0 : base * (1 + 0.1 * (l - 1));
	d->sum.charging = 0;
	d->sum.charging_w = 0;
	for (size_t i = 0; i < d->n_evses; i++) {
		const struct seat *s = &d->seats[i];
		d->sum.charging += s->plugged && s->car.ma > 0;
		d->sum.served_s += s->plugged;
		for (int p = 0; s->plugged && p < s->car.conf.phases; p++) {
			d->sum.charging_w += s->car.i_a[p] * VOLTS;
			for (size_t n = 0; n < d->n_nodes; n++)
				if (is_below(d, s->conf->node, (int)n))
					d->places[n].amps[s->conf->lines[p]] += s->car.i_a[p];
		}
	}
}

/* --- judging --- */

static void judge_line(struct sim_day *d, struct place *p, size_t node, int line)
{
	double limit = d->conf.site->nodes[node].limit.l[line] / 1000.0, a = p->amps[line];
	const struct fuse_settings *f = d->conf.fuses ? d->conf.fuses[node] : NULL;
	if (a > p->sum.peak_a[line])
		p->sum.peak_a[line] = a;
	if (a > limit)
		p->sum.over_as += a - limit;
	p->over_s[line] = a > limit * EPISODE ? p->over_s[line] + 1 : 0;
	if (p->over_s[line] > p->sum.longest_s)
		p->sum.longest_s = p->over_s[line];
	if (!f)
		return;
	fuse_heat_step(&p->heat[line], f->type, f->rated_ma, (int64_t)(a * 1000), US_PER_S);
	if ((double)p->heat[line].millionths / 1e6 > p->sum.most_heat)
		p->sum.most_heat = (double)p->heat[line].millionths / 1e6;
}

static void judge(struct sim_day *d)
{
	for (size_t n = 0; n < d->n_nodes; n++)
		for (int l = 0; l < 3; l++)
			judge_line(d, &d->places[n], n, l);
	memcpy(d->sum.amps, d->places[0].amps, sizeof(d->sum.amps));
}

/* --- what the balancer learns --- */

static void tell(struct sim_day *d)
{
	int64_t now_us = d->now_s * US_PER_S;
	for (size_t n = 0; n < d->n_nodes; n++) {
		struct meter_sample s = { .at_us = now_us, .power_w = NAN, .voltage_v = { VOLTS, VOLTS, VOLTS }, .import_wh = NAN, .export_wh = NAN };
		for (int l = 0; l < 3; l++)
			s.ma.l[l] = (int32_t)lrint(d->places[n].amps[l] * 1000 * between(d, 0.995, 1.005));
		if (d->conf.site->nodes[n].meter >= 0)
			control_meter(d->control, d->conf.site->nodes[n].meter, &s);
	}
	for (size_t i = 0; i < d->n_evses; i++) {
		const struct seat *s = &d->seats[i];
		int32_t own[3];
		if (!s->plugged || (d->now_s + (int64_t)i) % REPORT_S)
			continue;
		for (int p = 0; p < 3; p++)
			own[p] = (int32_t)lrint(s->car.i_a[p] * 1000);
		control_evse_draw(d->control, (int)i, own, s->car.energy_wh, now_us);
	}
}

static void dim(struct sim_day *d)
{
	int64_t of_day = d->now_s % DAY_S;
	bool holds = d->conf.dim_to_s > d->conf.dim_from_s && of_day >= d->conf.dim_from_s && of_day < d->conf.dim_to_s;
	struct cap_conf cap = { .node = d->conf.dim_node, .evse = -1, .line = { { MA_NONE, MA_NONE, MA_NONE } }, .power_w = d->conf.dim_w, .devices = true,
				.reason = "grid_operator", .owner = "sim", .until_us = INT64_MAX };
	if (holds && !d->dimmed)
		d->dimmed = control_cap_put(d->control, 0, &cap);
	else if (!holds && d->dimmed) {
		control_cap_clear(d->control, d->dimmed);
		d->dimmed = 0;
	}
}

static void on_send(void *arg, int evse, const struct grant *g)
{
	struct sim_day *d = arg;
	struct seat *s = &d->seats[evse];
	d->sum.orders += s->offer != g->ma;
	d->sum.renewals += s->offer == g->ma;
	d->sum.pauses += s->offer > 0 && !g->ma && s->plugged && !car_is_full(&s->car);
	s->offer = g->ma;
	control_evse_answered(d->control, evse, g->ma, true, d->now_s * US_PER_S);
}

static void on_line(void *arg, const char *line, size_t n)
{
	struct sim_day *d = arg;
	if (fwrite(line, 1, n, d->conf.record) != n)
		d->conf.record = NULL; /* its owner sees that the file has failed */
}

void sim_day_second(struct sim_day *d)
{
	d->now_s++;
	come_and_go(d);
	draw(d);
	add_up(d);
	judge(d);
	dim(d);
	if (d->conf.second)
		d->conf.second(d->conf.arg, d->now_s);
	tell(d);
	control_wall(d->control, d->conf.wall_us, true);
	control_tick(d->control, d->now_s * US_PER_S);
}

struct sim_day *sim_day_open(const struct sim_day_conf *conf)
{
	static const struct control_events events = { on_send };
	struct sim_day *d = NEW(struct sim_day);
	d->conf = *conf;
	d->dice = conf->seed;
	d->n_nodes = conf->site->n_nodes;
	d->n_evses = conf->site->n_evses;
	d->seats = mem_new((d->n_evses + 1) * sizeof(*d->seats));
	d->places = mem_new((d->n_nodes + 1) * sizeof(*d->places));
	d->control = control_open(conf->site, &events, d);
	if (conf->record)
		control_record(d->control, on_line, d);
	for (size_t i = 0; i < d->n_evses; i++) {
		d->seats[i].conf = &conf->site->evses[i];
		control_evse_link(d->control, (int)i, true, US_PER_S);
		control_evse_proved(d->control, (int)i, true);
	}
	return d;
}

struct control *sim_day_control(struct sim_day *d)
{
	return d->control;
}

void sim_day_close(struct sim_day *d)
{
	control_close(d->control);
	mem_free(d->seats);
	mem_free(d->places);
	mem_free(d);
}

void sim_day_sum(const struct sim_day *d, struct sim_day_sum *out)
{
	*out = d->sum;
}

const struct sim_day_node *sim_day_node(const struct sim_day *d, int node)
{
	return &d->places[node].sum;
}
