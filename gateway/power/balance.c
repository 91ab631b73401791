/* From settings to energy/control, and its tick. EVSEs stand in the order of the settings: those of stations, then the box's own. */
#include "gateway/power/balance.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/zone.h"
#include "gateway/http/metrics.h"
#include "gateway/notify.h"
#include "gateway/plug/drivers.h"
#include "gateway/power/announce.h"
#include "gateway/power/decisions.h"
#include "gateway/power/limits.h"
#include "gateway/power/times.h"
#include "gateway/power/vigil.h"

#define RESEND_US (LIMITS_RENEWED_S * US_PER_S)
#define KEPT_US (10 * 60 * US_PER_S)
#define CALM_US (15 * US_PER_S)
#define STEP_MA 4000
#define EARLY_REST_US (100 * US_PER_MS) /* between decisions that cannot wait for the tick, so that stations cannot order one with each message */
#define FALLBACK_AFTER_US (LIMITS_EXPIRY_S * US_PER_S) /* a silent station's live limit ends by itself after this */

struct meter_feed {
	struct gateway *gw;
	int meter;
	ag_meter_sample last; /* valid 0: none */
};

static struct {
	struct timer tick, early;
	int64_t early_us;     /* when the last early one was decided; monotonic */
	struct meter_feed *feeds;
	size_t n_feeds;
	bool running;
} state;

/* --- the site --- */

/* All meters: those of circuits first, then those inside the box's own EVSEs are left to relays.c. */
static int meter_index(const struct settings *c, const struct meter_settings *m)
{
	return m >= c->meters && m < c->meters + c->n_meters ? (int)(m - c->meters) : -1;
}

static void describe_nodes(const struct settings *c, struct node_conf *nodes)
{
	for (size_t i = 0; i < c->n_circuits; i++) {
		const struct circuit_settings *from = &c->circuits[i];
		nodes[i] = (struct node_conf){ .id = from->id, .parent = from->parent ? (int)(from->parent - c->circuits) : -1,
			.meter = from->meter ? meter_index(c, from->meter) : -1,
			.power_w = from->power_limit_w ? from->power_limit_w : from->power_limit_va, .apparent = from->power_limit_va > 0,
			.window_us = from->power_window_us, .imbalance_ma = from->imbalance_ma };
		for (int p = 0; p < 3; p++) {
			nodes[i].limit.l[p] = from->limit_ma[p];
			nodes[i].reserve.l[p] = from->reserve_ma;
		}
	}
}

static void describe_fixtures(const struct settings *c, struct fixture_conf *out)
{
	for (size_t i = 0; i < c->n_loads; i++) {
		const struct load_settings *l = &c->loads[i];
		out[i] = (struct fixture_conf){ .id = l->id, .node = (int)(l->circuit - c->circuits), .kind = l->kind,
			.meter = l->meter ? meter_index(c, l->meter) : -1, .firm = l->firm, .yields = l->yields, .feeds_cars = l->feeds_cars };
		for (int p = 0; p < 3; p++)
			out[i].estimate.l[p] = l->circuit->phases & (1 << p) ? l->estimate_ma[p] : 0;
	}
}

/* Its own phases, from the first on, onto those of the grid. */
static void describe_lines(uint8_t phases, const uint8_t grid_phase[3], struct evse_conf *out)
{
	out->n_lines = (uint8_t)__builtin_popcount(phases);
	memcpy(out->lines, grid_phase, sizeof(out->lines));
}

static void describe_station_evse(const struct settings *c, const struct station_settings *st, int evse, struct arena *mem, struct evse_conf *out)
{
	*out = (struct evse_conf){ .id = arena_printf(mem, "%s/%d", st->id, evse), .station = st->id, .evse = evse,
		.node = (int)(st->circuit - c->circuits), .min_ma = st->min_current_ma, .max_ma = st->max_current_ma,
		.step_ma = st->step_ma, .fallback_ma = st->fallback_current_ma, .fallback_after_us = FALLBACK_AFTER_US, .priority = st->priority };
	describe_lines(st->phases, st->grid_phase, out);
	out->switch_after_us = out->n_lines == 3 ? st->switch_phases_after_us : 0;
}

static void describe_own_evse(const struct settings *c, const struct evse_settings *e, struct arena *mem, struct evse_conf *out)
{
	*out = (struct evse_conf){ .id = arena_printf(mem, "%s/%d", e->station, e->evse), .station = e->station, .evse = e->evse, .node = (int)(e->circuit - c->circuits),
		.min_ma = settings_own_min_ma(e), .max_ma = e->current_ma, .fallback_ma = 0, .on_off = !e->pilot, .fallback_after_us = US_PER_S };
	describe_lines(e->phases, e->grid_phase, out);
	out->switch_after_us = e->switch_phases_after_us;
}

static size_t describe_evses(const struct settings *c, struct arena *mem, struct evse_conf **out)
{
	size_t most = c->n_evses, n = 0;
	for (size_t i = 0; i < c->n_stations; i++)
		most += (size_t)c->stations[i].evses;
	*out = arena_new(mem, (most + 1) * sizeof(**out));
	for (size_t i = 0; i < c->n_stations; i++)
		for (int e = 1; c->stations[i].circuit && e <= c->stations[i].evses; e++)
			describe_station_evse(c, &c->stations[i], e, mem, &(*out)[n++]);
	for (size_t i = 0; i < c->n_evses; i++)
		describe_own_evse(c, &c->evses[i], mem, &(*out)[n++]);
	return n;
}

static void on_tick(void *arg);

static void on_send(void *arg, int evse, const struct grant *grant)
{
	struct gateway *g = arg;
	limits_send(g->limits, evse, grant);
}

static const struct control_events events = { on_send };

/* A share moves with every load of the building and every guess of what is needed. Followed at every step it would turn cars up and down all
 * day for nothing. */
static int64_t rebalance_us(const struct balancing_settings *b)
{
	return b->rebalance_us == DURATION_AUTO ? KEPT_US : b->rebalance_us;
}

/* How limits rise: as somebody said, else as it suits how they are kept. */
static void describe_increase(const struct balancing_settings *b, struct control_conf *out)
{
	bool kept = rebalance_us(b) > 0;
	out->increase_after_us = b->increase.after_us != DURATION_AUTO ? b->increase.after_us : kept ? -1 : CALM_US;
	out->increase_step_ma = b->increase.step_ma != AMPS_AUTO ? b->increase.step_ma : kept ? 0 : STEP_MA;
}

struct control_conf balance_describe(const struct settings *c, struct arena *mem)
{
	struct evse_conf *evses;
	struct node_conf *nodes = arena_new(mem, (c->n_circuits + 1) * sizeof(*nodes));
	struct meter_conf *meters = arena_new(mem, (c->n_meters + 1) * sizeof(*meters));
	struct fixture_conf *fixtures = arena_new(mem, (c->n_loads + 1) * sizeof(*fixtures));
	describe_nodes(c, nodes);
	describe_fixtures(c, fixtures);
	for (size_t i = 0; i < c->n_meters; i++)
		meters[i] = (struct meter_conf){ .id = c->meters[i].id, .stale_after_us = c->meters[i].stale_after_us };
	struct control_conf conf = {
		.strategy = c->balancing.strategy,
		.interval_us = c->balancing.interval_us,
		.rotate_every_us = c->balancing.rotate_every_us,
		.rebalance_us = rebalance_us(&c->balancing),
		.margin = c->balancing.margin == MARGIN_ON || (c->balancing.margin == MARGIN_AUTO && rebalance_us(&c->balancing) > 0),
		.resend_us = RESEND_US,
		.on_meter_lost = c->balancing.on_meter_lost.limit,
		.meter_lost_after_us = c->balancing.on_meter_lost.after_us,
		.meter_lost_ma = c->balancing.on_meter_lost.limit_ma,
		.nodes = nodes,
		.n_nodes = c->n_circuits,
		.meters = meters,
		.n_meters = c->n_meters,
		.n_evses = describe_evses(c, mem, &evses),
		.fixtures = fixtures,
		.n_fixtures = c->n_loads,
		.voltage_mv = c->site.voltage_v * 1000,
	};
	conf.evses = evses;
	describe_increase(&c->balancing, &conf);
	return conf;
}

int balance_open(struct gateway *g)
{
	struct arena mem = { 0 };
	struct control_conf conf = balance_describe(g->conf, &mem);
	g->control = control_open(&conf, &events, g);
	g->limits = limits_open(g);
	g->zone = zone_open(g->conf->site.timezone);
	vigil_open(g);
	arena_free(&mem);
	return 0;
}

/* --- another configuration --- */

bool balance_can_change(const struct settings *now, const struct settings *next)
{
	bool same = now->n_circuits <= next->n_circuits && now->n_meters == next->n_meters;
	for (size_t i = 0; same && i < now->n_circuits; i++)
		same = strcmp(now->circuits[i].id, next->circuits[i].id) == 0;
	for (size_t i = 0; same && i < now->n_meters; i++)
		same = strcmp(now->meters[i].id, next->meters[i].id) == 0;
	return same;
}

static const struct evse_conf *same_evse(const struct evse_conf *all, size_t n, const char *station, int evse)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].evse == evse && strcmp(all[i].station, station) == 0)
			return &all[i];
	return NULL;
}

/* One that has left the configuration keeps its place and is granted nothing; what it may still draw is part of the base load. */
static struct evse_conf left_over(const struct control *c, int evse, struct arena *mem)
{
	struct evse_view v;
	control_evse_view(c, evse, &v);
	struct evse_conf gone = { .id = arena_text(mem, slice_of(v.id)), .station = arena_text(mem, slice_of(v.station)), .evse = v.evse, .node = v.node,
		.n_lines = v.n_lines, .min_ma = 1, .fallback_after_us = FALLBACK_AFTER_US };
	memcpy(gone.lines, v.lines, sizeof(gone.lines));
	return gone;
}

/* Those that were there in their places, then the new ones. */
static void keep_places(const struct control *c, struct control_conf *conf, struct arena *mem)
{
	size_t was = control_evses(c), n = 0;
	struct evse_conf *placed = arena_new(mem, (was + conf->n_evses + 1) * sizeof(*placed));
	for (; n < was; n++) {
		struct evse_view v;
		control_evse_view(c, (int)n, &v);
		const struct evse_conf *same = same_evse(conf->evses, conf->n_evses, v.station, v.evse);
		placed[n] = same ? *same : left_over(c, (int)n, mem);
	}
	for (size_t i = 0; i < conf->n_evses; i++)
		if (!same_evse(placed, was, conf->evses[i].station, conf->evses[i].evse))
			placed[n++] = conf->evses[i];
	conf->evses = placed;
	conf->n_evses = n;
}

int balance_change(struct gateway *g)
{
	struct arena mem = { 0 };
	struct control_conf conf = balance_describe(g->conf, &mem);
	keep_places(g->control, &conf, &mem);
	int err = limits_grow(g->limits, conf.n_evses);
	if (!err)
		control_change(g->control, &conf);
	arena_free(&mem);
	return err;
}

void balance_changed(struct gateway *g)
{
	control_tick(g->control, clock_mono_us());
	timer_set(&state.tick, g->conf->balancing.interval_us, on_tick, g);
}

/* --- feeding and ticking --- */

static void on_tick(void *arg)
{
	struct gateway *g = arg;
	timer_set(&state.tick, g->conf->balancing.interval_us, on_tick, g);
	times_step();
	control_wall(g->control, clock_wall_us() - clock_mono_us(), clock_trusted());
	int64_t began = clock_mono_us();
	control_tick(g->control, began);
	metrics_cycle(g, clock_mono_us() - began);
	decisions_cycle();
	vigil_tick(g);
	announce_tick(g);
	notify_cycle(g);
}

/* Between two ticks. */
static void on_early(void *arg)
{
	struct gateway *g = arg;
	state.early_us = clock_mono_us();
	control_tick(g->control, state.early_us);
}

void balance_soon(struct gateway *g)
{
	int64_t wait = state.early_us + EARLY_REST_US - clock_mono_us();
	if (state.running && !timer_is_set(&state.early))
		timer_set(&state.early, wait > 0 ? wait : 0, on_early, g);
}

/* The meter's own total where it gives one, else the sum over the phases it has. */
static double power_of(const ag_meter_sample *s)
{
	double sum = 0;
	if (s->valid & AG_POWER)
		return s->power_w;
	if (!(s->valid & AG_P))
		return NAN;
	for (int p = 0; p < 3; p++)
		sum += isnan(s->p_w[p]) ? 0 : s->p_w[p];
	return sum;
}

static void on_meter(void *arg, const ag_meter_sample *from, const char *fault)
{
	struct meter_feed *f = arg;
	struct gateway *g = f->gw;
	f->last = from ? *from : (ag_meter_sample){ .valid = 0 };
	bool usable = from && (from->valid & AG_I);
	stats_count("ampgate_meter_requests_total", "meter", g->conf->meters[f->meter].id, "result", usable ? "ok" : "failed", NULL);
	if (!usable) {
		control_meter_failed(g->control, f->meter, fault ? fault : "no currents");
		return;
	}
	struct meter_sample s = { .at_us = from->mono_us ? (int64_t)from->mono_us : clock_mono_us() };
	for (int p = 0; p < 3; p++) {
		s.ma.l[p] = isnan(from->i_a[p]) ? 0 : (int32_t)lrint(from->i_a[p] * 1000);
		s.voltage_v[p] = from->valid & AG_U ? from->u_v[p] : NAN;
	}
	s.power_w = power_of(from);
	s.import_wh = from->valid & AG_IMPORT ? from->import_wh : NAN;
	s.export_wh = from->valid & AG_EXPORT ? from->export_wh : NAN;
	if (control_meter(g->control, f->meter, &s) && state.running)
		control_tick(g->control, clock_mono_us());
}

const ag_meter_sample *balance_sample(int meter)
{
	return (size_t)meter < state.n_feeds && state.feeds && state.feeds[meter].last.valid ? &state.feeds[meter].last : NULL;
}

/* One that its driver refuses is lost, as one that cannot be reached: its guard holds, and everything else runs. */
static void start_feed(struct gateway *g, struct meter_feed *f)
{
	const struct meter_settings *m = &g->conf->meters[f->meter];
	char why[200] = "", fault[240];
	if (drivers_try_meter(g->host, g->conf->models, m, on_meter, f, why, sizeof(why)) >= 0)
		return;
	snprintf(fault, sizeof(fault), "cannot be started: %s", why);
	log_error(NULL, "meter %s %s", m->id, fault);
	control_meter_failed(g->control, f->meter, fault);
}

int balance_start(struct gateway *g)
{
	const struct settings *c = g->conf;
	state.feeds = mem_new((c->n_meters + 1) * sizeof(*state.feeds));
	state.n_feeds = c->n_meters;
	state.running = true;
	for (size_t i = 0; i < c->n_meters; i++) {
		struct meter_feed *f = &state.feeds[i];
		*f = (struct meter_feed){ .gw = g, .meter = (int)i };
		start_feed(g, f);
	}
	vigil_start(g);
	timer_set(&state.tick, c->balancing.interval_us, on_tick, g);
	return times_open(g);
}

void balance_stop(struct gateway *g)
{
	(void)g;
	state.running = false;
	timer_cancel(&state.tick);
	timer_cancel(&state.early);
	times_close();
}

void balance_close(struct gateway *g)
{
	vigil_close();
	limits_close(g->limits);
	control_close(g->control);
	zone_close(&g->zone);
	mem_free(state.feeds);
	state.feeds = NULL;
}
