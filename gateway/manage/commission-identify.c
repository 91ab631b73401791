/* The check of the phases: one EVSE after the other is lowered, to see which phases of the meter above follow.
 *
 * Easy to get wrong: while one EVSE is lowered to see which phase follows, the balancer would give its current to the others, and the meter would
 * show nothing; so the others are held where they are. The caps of the check have an end, and are taken back whichever way it ends. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/manage/commission-local.h"
#include "gateway/session/session.h"
#include "storage/kept.h"

#define CAP_US (120 * US_PER_S)        /* caps of a check end by themselves after this */
#define REST_US (2500 * US_PER_MS)     /* before, and after it has settled */
#define QUIET_A 1.5                    /* what the meter may tremble meanwhile; more, and the rest begins anew */
#define QUIET_MOST_US (25 * US_PER_S)
#define SETTLE_MOST_US (20 * US_PER_S)
#define SETTLE_AFTER_US (1500 * US_PER_MS) /* from the station's word that it follows, for meters that are read slowly */
#define STEP_MA 6000
#define STEP_LEAST_MA 3000

enum stage { REST, STEPPING, LOWERED };

struct identifying {
	struct gateway *g;
	struct task *task;
	char *user;
	struct timer timer;
	int *evses;               /* what is still to do, indexes in energy/control */
	size_t n, at;
	enum stage stage;
	int64_t stage_us, moved_us; /* moved: since when the station draws less; 0: it does not */
	int caps[256];
	size_t n_caps;
	int node;                 /* with the meter that is looked at */
	double before_own[3], before_grid[3], after_own[3], after_grid[3];
	double least[3], most[3]; /* of the grid's currents while it rests */
	int64_t begun_us;         /* of this EVSE */
	int n_before, n_after;
	struct buf found;
	struct json_writer w;
	bool contradicted, proven; /* by one station at least */
};

static void drop_caps(struct identifying *d)
{
	for (size_t i = 0; i < d->n_caps; i++)
		control_cap_clear(d->g->control, d->caps[i]);
	d->n_caps = 0;
	control_tick(d->g->control, clock_mono_us());
}

static void identifying_free(struct identifying *d)
{
	timer_cancel(&d->timer);
	drop_caps(d);
	mem_free(d->evses);
	mem_free(d->user);
	buf_free(&d->found);
	mem_free(d);
}

static void stop_identifying(void *arg)
{
	struct identifying *d = arg;
	task_end(d->task, TASK_STOPPED, (struct slice){ 0 });
	identifying_free(d);
}

/* The nearest circuit upwards with a meter of its own; -1: none. */
static int metered_above(const struct gateway *g, int node)
{
	const struct circuit_settings *c = &g->conf->circuits[node];
	while (c && !c->meter)
		c = c->parent;
	return c ? (int)(c - g->conf->circuits) : -1;
}

static void add_cap(struct identifying *d, int evse, int32_t ma)
{
	int id = d->n_caps < 256 ? control_cap_set(d->g->control, -1, evse, ma, "operator", "commissioning", clock_mono_us() + CAP_US) : -1;
	if (id > 0)
		d->caps[d->n_caps++] = id;
}

/* Nobody rises while one is looked at. */
static void hold_all(struct identifying *d)
{
	for (size_t i = 0; i < control_evses(d->g->control); i++) {
		struct evse_view v;
		control_evse_view(d->g->control, (int)i, &v);
		if (v.running && v.grant.ma > 0)
			add_cap(d, (int)i, v.grant.ma);
	}
	control_tick(d->g->control, clock_mono_us());
}

static void begin_rest(struct identifying *d)
{
	d->stage = REST;
	d->stage_us = clock_mono_us();
	d->n_before = d->n_after = 0;
	for (int p = 0; p < 3; p++) {
		d->before_own[p] = d->before_grid[p] = d->after_own[p] = d->after_grid[p] = 0;
		d->least[p] = INFINITY;
		d->most[p] = -INFINITY;
	}
}

static void begin_evse(struct identifying *d)
{
	struct evse_view v;
	control_evse_view(d->g->control, d->evses[d->at], &v);
	d->node = metered_above(d->g, v.node);
	d->moved_us = 0;
	d->begun_us = clock_mono_us();
	hold_all(d);
	begin_rest(d);
}

/* By six amperes where that leaves a current, else to the least one, else to none. */
static int32_t lowered(const struct evse_view *v, int32_t least)
{
	int32_t now = v->confirmed_ma > 0 ? v->confirmed_ma : v->grant.ma;
	for (int p = 0; p < v->n_lines; p++)
		if (v->drawn_ma[p] > 1000 && v->drawn_ma[p] < now)
			now = v->drawn_ma[p];
	if (now - STEP_MA >= least)
		return now - STEP_MA;
	return now - STEP_LEAST_MA >= least ? least : 0;
}

static void step_down(struct identifying *d)
{
	struct evse_view v;
	control_evse_view(d->g->control, d->evses[d->at], &v);
	add_cap(d, d->evses[d->at], lowered(&v, d->g->conf->balancing.min_current_ma));
	control_tick(d->g->control, clock_mono_us());
	d->stage = STEPPING;
	d->stage_us = clock_mono_us();
}

static void look_at_phases(struct identifying *d, const struct evse_view *v, double own[3], double grid[3], int *n)
{
	struct node_view node;
	control_node_view(d->g->control, d->node, &node);
	for (int p = 0; p < 3; p++) {
		double a = node.measured.l[p] == MA_NONE ? 0 : node.measured.l[p] / 1000.0;
		own[p] += v->drawn_ma[p] / 1000.0;
		grid[p] += a;
		d->least[p] = fmin(d->least[p], a);
		d->most[p] = fmax(d->most[p], a);
	}
	++*n;
}

static bool is_quiet(const struct identifying *d)
{
	for (int p = 0; p < 3; p++)
		if (d->most[p] - d->least[p] > QUIET_A)
			return false;
	return true;
}

static const char *configured_rotation(const struct gateway *g, const struct evse_view *v)
{
	const struct station_settings *s = settings_station(g->conf, slice_of(v->station));
	const struct evse_settings *own = settings_own_evse(g->conf, slice_of(v->station), v->evse);
	return s ? s->rotation : own ? own->rotation : NULL;
}

static void write_found(struct identifying *d, const struct evse_view *v, const char *why)
{
	const char *words[6], *configured = configured_rotation(d->g, v);
	const struct evse_settings *box = settings_own_evse(d->g->conf, slice_of(v->station), v->evse);
	double own[3], grid[3];
	bool fits = false;
	for (int p = 0; p < 3; p++) {
		own[p] = d->n_before && d->n_after ? d->before_own[p] / d->n_before - d->after_own[p] / d->n_after : 0;
		grid[p] = d->n_before && d->n_after ? d->before_grid[p] / d->n_before - d->after_grid[p] / d->n_after : 0;
	}
	int n = why ? 0 : judge_rotation(own, grid, words);
	if (n == 6) {
		n = 0;
		why = "the car draws the same on three phases, which shows nothing: take one that charges on one phase";
	}
	jw_object(&d->w, NULL);
	jw_string(&d->w, "station", v->station);
	jw_int(&d->w, "evse", v->evse);
	jw_string(&d->w, "own", box ? box->id : NULL); /* where its rotation is set: evses.ID */
	jw_string(&d->w, "configured", configured);
	jw_array(&d->w, "found");
	for (int i = 0; i < n; i++) {
		jw_string(&d->w, NULL, words[i]);
		fits |= configured && strcmp(words[i], configured) == 0;
	}
	jw_end(&d->w, ']');
	jw_bool(&d->w, "unique", n == 1);
	/* One that fits and several that would: nothing speaks against what is configured. */
	jw_bool(&d->w, "fits", n > 0 && fits);
	jw_array(&d->w, "own_a");
	for (int p = 0; p < 3; p++)
		jw_number(&d->w, NULL, own[p], 1);
	jw_end(&d->w, ']');
	jw_array(&d->w, "grid_a");
	for (int p = 0; p < 3; p++)
		jw_number(&d->w, NULL, grid[p], 1);
	jw_end(&d->w, ']');
	jw_string(&d->w, "circuit", d->node >= 0 ? d->g->conf->circuits[d->node].id : NULL);
	jw_string(&d->w, "detail", why ? why : n ? NULL : "no phase of the meter followed");
	jw_end(&d->w, '}');
	d->contradicted |= n > 0 && !fits;
	d->proven |= n > 0 && fits;
}

static void next_evse(struct identifying *d);

static void evse_done(struct identifying *d, const struct evse_view *v, const char *why)
{
	write_found(d, v, why);
	drop_caps(d);
	d->at++;
	next_evse(d);
}

static void on_identifying(void *arg)
{
	struct identifying *d = arg;
	struct evse_view v;
	char step[80];
	int64_t now = clock_mono_us(), passed = now - d->stage_us;
	static const char *const names[] = { "rest", "stepping", "lowered" };
	control_evse_view(d->g->control, d->evses[d->at], &v);
	snprintf(step, sizeof(step), "%s %.60s", names[d->stage], v.station);
	task_tell(d->task, step, ((double)d->at + 0.33 * d->stage) / (double)d->n);
	timer_set(&d->timer, LOOK_US, on_identifying, d);
	if (d->node < 0) {
		evse_done(d, &v, "no circuit above it has a meter");
	} else if (d->stage == REST) {
		look_at_phases(d, &v, d->before_own, d->before_grid, &d->n_before);
		if (!is_quiet(d) && now - d->begun_us < QUIET_MOST_US)
			begin_rest(d);
		else if (passed >= REST_US)
			step_down(d);
	} else if (d->stage == STEPPING) {
		bool less = false;
		for (int p = 0; p < 3; p++)
			less |= d->before_own[p] / d->n_before - v.drawn_ma[p] / 1000.0 > 1.5;
		if (less && !d->moved_us)
			d->moved_us = now;
		if (d->moved_us && now - d->moved_us >= SETTLE_AFTER_US) {
			d->stage = LOWERED;
			d->stage_us = now;
		} else if (passed > SETTLE_MOST_US) {
			evse_done(d, &v, "the station did not lower its current");
		}
	} else {
		look_at_phases(d, &v, d->after_own, d->after_grid, &d->n_after);
		if (passed >= REST_US)
			evse_done(d, &v, NULL);
	}
}

static bool was_looked_at(const struct identifying *d, struct slice station)
{
	for (size_t i = 0; i < d->n; i++) {
		struct evse_view v;
		control_evse_view(d->g->control, d->evses[i], &v);
		if (slice_is(station, v.station))
			return true;
	}
	return false;
}

/* Stations are often looked at one by one, each with a car of its own: what was found of others before stays. */
static void keep_earlier(struct identifying *d)
{
	struct arena mem = { 0 };
	struct slice value;
	cJSON *tree = kept_get(d->g->store, COMMISSION_OWNER, "identify", &mem, &value) == 0 ? json_parse(value) : NULL;
	const cJSON *one;
	cJSON_ArrayForEach(one, json_at(tree, "data.stations")) {
		if (was_looked_at(d, json_text(one, "station")))
			continue;
		char *text = cJSON_PrintUnformatted(one);
		bool found = json_at(one, "found.0") != NULL, fits = json_bool(one, "fits", false);
		jw_raw(&d->w, NULL, slice_of(text));
		d->contradicted |= found && !fits;
		d->proven |= found && fits;
		cJSON_free(text);
	}
	cJSON_Delete(tree);
	arena_free(&mem);
}

static void end_identifying(struct identifying *d)
{
	keep_earlier(d);
	jw_end(&d->w, ']');
	bool ok = d->proven && !d->contradicted;
	jw_bool(&d->w, "ok", ok);
	jw_end(&d->w, '}');
	commission_conclude(d->g, d->task, "identify", d->user, ok, &d->found);
	identifying_free(d);
}

static void next_evse(struct identifying *d)
{
	if (d->at < d->n)
		begin_evse(d);
	else
		end_identifying(d);
}

struct task *commission_identify(struct gateway *g, const char *user, int evse)
{
	struct identifying *d = NEW(struct identifying);
	size_t n = control_evses(g->control);
	*d = (struct identifying){ .g = g, .user = mem_strdup(user) };
	d->evses = mem_new((n + 1) * sizeof(int));
	for (size_t i = 0; i < n; i++) {
		struct evse_view v;
		control_evse_view(g->control, (int)i, &v);
		int32_t most = 0;
		for (int p = 0; p < v.n_lines; p++)
			most = v.drawn_ma[p] > most ? v.drawn_ma[p] : most;
		if ((evse < 0 && v.running && most > STEP_LEAST_MA && configured_rotation(g, &v) && v.n_lines == 3) || evse == (int)i)
			d->evses[d->n++] = (int)i;
	}
	if (!d->n) {
		identifying_free(d);
		return NULL;
	}
	jw_open(&d->w, &d->found);
	jw_object(&d->w, NULL);
	jw_array(&d->w, "stations");
	d->task = task_new("identify", user, stop_identifying, d);
	begin_evse(d);
	timer_set(&d->timer, LOOK_US, on_identifying, d);
	return d->task;
}
