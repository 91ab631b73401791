/* Samples of circuits and meters, and of what the grid operator allows. */
#include <math.h>

#include "base/clock.h"
#include "gateway/http/metrics-local.h"
#include "gateway/power/balance.h"
#include "gateway/power/grid-inputs.h"

typedef const struct milliamps *node_part(const struct node_view *v, struct milliamps *room);

static void each_phase(struct writing *w, node_part *part)
{
	for (size_t i = 0; i < control_nodes(w->g->control); i++) {
		struct node_view v;
		struct milliamps room;
		control_node_view(w->g->control, (int)i, &v);
		const struct milliamps *ma = part(&v, &room);
		for (int p = 0; p < 3; p++)
			if (v.limit.l[p])
				metric_sample(w, metric_amps(ma->l[p]), "circuit", v.id, "phase", metric_phases[p], NULL);
	}
}

static const struct milliamps *measured(const struct node_view *v, struct milliamps *room) { (void)room; return &v->measured; }
static const struct milliamps *limit(const struct node_view *v, struct milliamps *room) { (void)room; return &v->limit; }
static const struct milliamps *headroom(const struct node_view *v, struct milliamps *room)
{
	for (int p = 0; p < 3; p++)
		room->l[p] = v->measured.l[p] == MA_NONE ? MA_NONE : v->limit.l[p] - v->measured.l[p];
	return room;
}

void metric_circuit_current(struct writing *w) { each_phase(w, measured); }
void metric_circuit_limit(struct writing *w) { each_phase(w, limit); }
void metric_circuit_headroom(struct writing *w) { each_phase(w, headroom); }

typedef void see_meter(struct writing *w, const struct meter_view *v);

static void each_meter(struct writing *w, see_meter *see)
{
	for (size_t i = 0; i < control_meters(w->g->control); i++) {
		struct meter_view v;
		control_meter_view(w->g->control, (int)i, clock_mono_us(), &v);
		see(w, &v);
	}
}

static void see_meter_up(struct writing *w, const struct meter_view *v) { metric_sample(w, v->last.at_us && !v->stale, "meter", v->id, NULL); }
void metric_meter_up(struct writing *w) { each_meter(w, see_meter_up); }
static void see_meter_age(struct writing *w, const struct meter_view *v)
{
	metric_sample(w, v->last.at_us ? (double)(clock_mono_us() - v->last.at_us) / US_PER_S : NAN, "meter", v->id, NULL);
}
void metric_meter_age(struct writing *w) { each_meter(w, see_meter_age); }
static void see_meter_power(struct writing *w, const struct meter_view *v)
{
	metric_sample(w, v->last.at_us ? v->last.power_w : NAN, "meter", v->id, "phase", "sum", NULL);
}

void metric_meter_power(struct writing *w)
{
	each_meter(w, see_meter_power);
	for (size_t i = 0; i < control_meters(w->g->control); i++) {
		struct meter_view v;
		const ag_meter_sample *s = balance_sample((int)i);
		control_meter_view(w->g->control, (int)i, clock_mono_us(), &v);
		for (int p = 0; s && (s->valid & AG_P) && p < 3; p++)
			metric_sample(w, s->p_w[p], "meter", v.id, "phase", metric_phases[p], NULL);
	}
}
static void see_meter_energy(struct writing *w, const struct meter_view *v)
{
	if (!v->last.at_us)
		return;
	metric_sample(w, v->last.import_wh * JOULES, "meter", v->id, "direction", "import", NULL);
	metric_sample(w, v->last.export_wh * JOULES, "meter", v->id, "direction", "export", NULL);
}
void metric_meter_energy(struct writing *w) { each_meter(w, see_meter_energy); }

/* --- the grid operator --- */

static double watts(int64_t limit_w)
{
	return limit_w == GRID_FREE_W ? NAN : (double)limit_w;
}

void metric_grid_limit(struct writing *w)
{
	struct grid_now now;
	if (grid_inputs_now(&now))
		metric_sample(w, watts(now.limit_w), NULL);
}

void metric_grid_limited(struct writing *w)
{
	struct grid_now now;
	if (grid_inputs_now(&now))
		metric_sample(w, now.limit_w != GRID_FREE_W, NULL);
}

static void see_grid_limit(void *arg, const struct grid_input_view *v) { metric_sample(arg, watts(v->limit_w), "input", v->id, NULL); }
void metric_grid_input_limit(struct writing *w) { grid_inputs_each(see_grid_limit, w); }
static void see_grid_limited(void *arg, const struct grid_input_view *v) { metric_sample(arg, v->limit_w != GRID_FREE_W, "input", v->id, NULL); }
void metric_grid_input_limited(struct writing *w) { grid_inputs_each(see_grid_limited, w); }
static void see_grid_failed(void *arg, const struct grid_input_view *v) { metric_sample(arg, v->fault || v->state == GRID_FAIL_SAFE, "input", v->id, NULL); }
void metric_grid_input_failed(struct writing *w) { grid_inputs_each(see_grid_failed, w); }
