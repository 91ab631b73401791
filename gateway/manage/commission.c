/* The checks as they run: each is a small machine on one timer.
 *
 * Easy to get wrong: while one EVSE is lowered to see which phase follows, the balancer would give its current to the others, and the meter would
 * show nothing; so the others are held where they are. All that a check sets (caps with an end, a cut uplink) is taken back whichever way it ends. */
#include "gateway/manage/commission.h"

#include <math.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "config.h"
#include "gateway/manage/view.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/power/balance.h"
#include "gateway/session/session.h"
#include "gateway/session/trace.h"
#include "storage/kept.h"
#include "storage/outbox.h"

#define OWNER "commission"
#define LOOK_US (US_PER_S / 5)
#define CAP_US (120 * US_PER_S) /* caps of a check end by themselves after this */

static const char *const steps[] = { "basics", "network", "grid", "circuits", "meters", "uplink", "stations", "identify", "probe", "limit", "offline", NULL };

bool commission_step_ok(const char *step)
{
	for (size_t i = 0; steps[i]; i++)
		if (strcmp(steps[i], step) == 0)
			return true;
	return false;
}

/* --- evidence --- */

int commission_note(struct gateway *g, const char *step, const char *state, const char *user, const char *note, struct slice data, store_done *done,
                    void *arg)
{
	struct buf json = { 0 }, args = { 0 };
	struct json_writer w;
	char object[64];
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_string(&w, "state", state);
	jw_time(&w, "at", clock_wall_us());
	jw_string(&w, "by", user);
	jw_string(&w, "note", note);
	jw_raw(&w, "data", data.n ? data : SLICE("null"));
	jw_end(&w, '}');
	int err = kept_put(g->store, OWNER, step, buf_view(&json), done, arg);
	snprintf(object, sizeof(object), "commission/%s", step);
	buf_printf(&args, "{\"state\":\"%s\"}", state);
	telemetry_event(g, "commission.done", strcmp(state, "failed") == 0 ? "warning" : "info", object, args.p);
	buf_free(&json);
	buf_free(&args);
	return err;
}

static bool write_step(void *arg, const char *name, struct slice value)
{
	jw_raw(arg, name, value);
	return true;
}

int commission_write(struct gateway *g, struct json_writer *w)
{
	jw_object(w, NULL);
	int err = kept_each(g->store, OWNER, "", write_step, w);
	jw_end(w, '}');
	return err;
}

/* Jobs run in their order: when the last is through, all are. */
int commission_reset(struct gateway *g, store_done *done, void *arg)
{
	int err = 0;
	for (size_t i = 0; steps[i] && !err; i++)
		err = kept_remove(g->store, OWNER, steps[i], steps[i + 1] ? NULL : done, arg);
	return err;
}

static void write_site(struct gateway *g, struct json_writer *w)
{
	size_t at = 0;
	struct session *s;
	jw_string(w, "site", g->conf->site.id);
	jw_string(w, "name", g->conf->site.name);
	jw_string(w, "version", PACKAGE_VERSION);
	jw_time(w, "at", clock_wall_us());
	jw_array(w, "circuits");
	for (size_t i = 0; i < control_nodes(g->control); i++) {
		jw_object(w, NULL);
		view_node(g, (int)i, w);
		jw_end(w, '}');
	}
	jw_end(w, ']');
	jw_array(w, "stations");
	while ((s = map_next(&g->sessions, &at, NULL))) {
		jw_object(w, NULL);
		view_station(s, w);
		jw_string(w, "rotation", s->conf ? s->conf->rotation : NULL);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

int commission_report(struct gateway *g, struct json_writer *w)
{
	struct buf body = { 0 };
	struct json_writer in;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	jw_open(&in, &body);
	jw_object(&in, NULL);
	write_site(g, &in);
	jw_object(&in, "steps");
	int err = kept_each(g->store, OWNER, "", write_step, &in);
	jw_end(&in, '}');
	jw_end(&in, '}');
	SHA256((const unsigned char *)body.p, body.n, digest);
	hex_text(digest, sizeof(digest), hex);
	jw_object(w, NULL);
	jw_string(w, "sha256", hex);
	jw_raw(w, "report", buf_view(&body));
	jw_end(w, '}');
	buf_free(&body);
	return err;
}

/* A task that ends when its evidence is on disk, so that who reads it then finds it. */
struct ending {
	struct task *task;
	enum task_state state;
	struct buf json;
};

static void on_evidence(void *arg, int err, int64_t value)
{
	struct ending *e = arg;
	(void)value;
	if (err)
		log_error(NULL, "what was found at commissioning could not be stored: %s", err_text(err));
	task_end(e->task, e->state, buf_view(&e->json));
	buf_free(&e->json);
	mem_free(e);
}

static void conclude(struct gateway *g, struct task *t, const char *step, const char *user, bool passed, struct buf *json)
{
	struct ending *e = NEW(struct ending);
	*e = (struct ending){ t, passed ? TASK_DONE : TASK_FAILED, *json };
	*json = (struct buf){ 0 };
	task_stopless(t);
	int err = commission_note(g, step, passed ? "passed" : "failed", user, NULL, buf_view(&e->json), on_evidence, e);
	if (err)
		on_evidence(e, err, 0);
}

/* --- meters --- */

struct channel {
	double p, u, i;
	int n;
};

struct metering {
	struct gateway *g;
	struct task *task;
	char *user;
	struct timer timer;
	int64_t begun_us, for_us;
	struct channel *channels; /* three per meter */
};

static void metering_free(struct metering *m)
{
	timer_cancel(&m->timer);
	mem_free(m->channels);
	mem_free(m->user);
	mem_free(m);
}

static void stop_metering(void *arg)
{
	struct metering *m = arg;
	task_end(m->task, TASK_STOPPED, (struct slice){ 0 });
	metering_free(m);
}

/* Which two channels are to be changed over: those that show another phase's current, when they are exactly two. */
static void write_pair(struct json_writer *w, const enum wiring found[3])
{
	int n = 0, at[3];
	for (int i = 0; i < 3; i++)
		if (found[i] == WIRING_SWAPPED || found[i] == WIRING_SWAPPED_REVERSED)
			at[n++] = i + 1;
	jw_array(w, "swap");
	for (int i = 0; n >= 2 && i < n; i++)
		jw_int(w, NULL, at[i]);
	jw_end(w, ']');
}

static bool write_metering(struct metering *m, size_t i, struct json_writer *w)
{
	struct meter_view v;
	enum wiring found[3];
	bool ok = true, any = false;
	control_meter_view(m->g->control, (int)i, clock_mono_us(), &v);
	jw_object(w, NULL);
	jw_string(w, "meter", v.id);
	jw_bool(w, "reads", v.last.at_us && !v.stale);
	jw_array(w, "phases");
	for (int p = 0; p < 3; p++) {
		const struct channel *c = &m->channels[3 * i + (size_t)p];
		double n = c->n, cosine;
		found[p] = c->n ? judge_wiring(c->p / n, c->u / n, c->i / n, &cosine) : (cosine = NAN, WIRING_UNKNOWN);
		ok &= found[p] == WIRING_OK || found[p] == WIRING_UNLOADED || found[p] == WIRING_UNKNOWN;
		any |= found[p] == WIRING_OK;
		jw_object(w, NULL);
		jw_int(w, "phase", p + 1);
		jw_number(w, "u_v", c->n ? c->u / n : NAN, 1);
		jw_number(w, "i_a", c->n ? c->i / n : NAN, 2);
		jw_number(w, "p_w", c->n ? c->p / n : NAN, 0);
		jw_number(w, "cos", cosine, 2);
		jw_string(w, "verdict", wiring_text(found[p]));
		jw_end(w, '}');
	}
	jw_end(w, ']');
	write_pair(w, found);
	jw_bool(w, "ok", ok && v.last.at_us && !v.stale);
	jw_bool(w, "proven", any);
	jw_end(w, '}');
	return ok && v.last.at_us && !v.stale;
}

static void end_metering(struct metering *m)
{
	struct buf json = { 0 };
	struct json_writer w;
	bool ok = control_meters(m->g->control) > 0;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_array(&w, "meters");
	for (size_t i = 0; i < control_meters(m->g->control); i++)
		ok &= write_metering(m, i, &w);
	jw_end(&w, ']');
	jw_end(&w, '}');
	conclude(m->g, m->task, "meters", m->user, ok, &json);
	metering_free(m);
}

static void look_at_meter(struct channel c[3], const ag_meter_sample *s)
{
	for (int p = 0; p < 3; p++) {
		bool known = (s->valid & AG_I) && (s->valid & AG_U) && (s->valid & AG_P) && !isnan(s->i_a[p]) && !isnan(s->u_v[p]) && !isnan(s->p_w[p]);
		if (!known)
			continue;
		c[p].p += s->p_w[p];
		c[p].u += s->u_v[p];
		c[p].i += fabs(s->i_a[p]);
		c[p].n++;
	}
}

static void on_metering(void *arg)
{
	struct metering *m = arg;
	int64_t passed = clock_mono_us() - m->begun_us;
	for (size_t i = 0; i < control_meters(m->g->control); i++) {
		const ag_meter_sample *s = balance_sample((int)i);
		if (s)
			look_at_meter(&m->channels[3 * i], s);
	}
	task_tell(m->task, "baseline", (double)passed / (double)m->for_us);
	if (passed >= m->for_us)
		end_metering(m);
	else
		timer_set(&m->timer, LOOK_US, on_metering, m);
}

struct task *commission_meters(struct gateway *g, const char *user, int64_t for_us)
{
	struct metering *m = NEW(struct metering);
	*m = (struct metering){ .g = g, .user = mem_strdup(user), .begun_us = clock_mono_us(), .for_us = for_us };
	m->channels = mem_new((3 * control_meters(g->control) + 1) * sizeof(*m->channels));
	m->task = task_new("meters", user, stop_metering, m);
	timer_set(&m->timer, LOOK_US, on_metering, m);
	return m->task;
}

/* --- phases --- */

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

static const char *configured_rotation(const struct gateway *g, const char *station)
{
	const struct station_settings *s = settings_station(g->conf, slice_of(station));
	return s ? s->rotation : NULL;
}

static void write_found(struct identifying *d, const struct evse_view *v, const char *why)
{
	const char *words[6], *configured = configured_rotation(d->g, v->station);
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
	cJSON *tree = kept_get(d->g->store, OWNER, "identify", &mem, &value) == 0 ? json_parse(value) : NULL;
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
	conclude(d->g, d->task, "identify", d->user, ok, &d->found);
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
		if ((evse < 0 && v.running && most > STEP_LEAST_MA && settings_station(g->conf, slice_of(v.station)) && v.n_lines == 3) || evse == (int)i)
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

/* --- limit --- */

#define PASS_US (5 * US_PER_S)

struct limited {
	int evse;
	int32_t granted_ma;
	int64_t told_us, below_us; /* since the cap; 0: not yet */
	bool drew_more;
};

struct limiting {
	struct gateway *g;
	struct task *task;
	char *user;
	struct timer timer;
	int node, cap;
	int32_t ma;
	int64_t begun_us, most_us, below_us; /* below: of the circuit */
	struct limited *evses;
	size_t n;
};

static void limiting_free(struct limiting *l)
{
	timer_cancel(&l->timer);
	control_cap_clear(l->g->control, l->cap);
	control_tick(l->g->control, clock_mono_us());
	mem_free(l->evses);
	mem_free(l->user);
	mem_free(l);
}

static void stop_limiting(void *arg)
{
	struct limiting *l = arg;
	task_end(l->task, TASK_STOPPED, (struct slice){ 0 });
	limiting_free(l);
}

static int32_t most_drawn(const struct evse_view *v)
{
	int32_t most = 0;
	for (int p = 0; p < v->n_lines; p++)
		most = v->drawn_ma[p] > most ? v->drawn_ma[p] : most;
	return most;
}

static void end_limiting(struct limiting *l)
{
	struct buf json = { 0 };
	struct json_writer w;
	bool ok = l->below_us && l->below_us <= PASS_US;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_string(&w, "circuit", l->g->conf->circuits[l->node].id);
	jw_number(&w, "limit_a", l->ma / 1000.0, 1);
	jw_number(&w, "below_s", l->below_us ? (double)l->below_us / US_PER_S : NAN, 1);
	jw_array(&w, "stations");
	for (size_t i = 0; i < l->n; i++) {
		struct evse_view v;
		control_evse_view(l->g->control, l->evses[i].evse, &v);
		jw_object(&w, NULL);
		jw_string(&w, "station", v.station);
		jw_int(&w, "evse", v.evse);
		jw_bool(&w, "drew_more", l->evses[i].drew_more);
		jw_number(&w, "told_s", l->evses[i].told_us ? (double)l->evses[i].told_us / US_PER_S : NAN, 1);
		jw_number(&w, "below_s", l->evses[i].below_us ? (double)l->evses[i].below_us / US_PER_S : NAN, 1);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	jw_bool(&w, "ok", ok);
	jw_end(&w, '}');
	conclude(l->g, l->task, "limit", l->user, ok, &json);
	limiting_free(l);
}

static void on_limiting(void *arg)
{
	struct limiting *l = arg;
	int64_t now = clock_mono_us(), passed = now - l->begun_us;
	struct node_view node;
	bool all = true, within = true;
	control_node_view(l->g->control, l->node, &node);
	for (int p = 0; p < 3; p++)
		within &= node.measured.l[p] == MA_NONE || !node.limit.l[p] || node.measured.l[p] <= l->ma + 500;
	if (within && !l->below_us)
		l->below_us = passed;
	for (size_t i = 0; i < l->n; i++) {
		struct limited *e = &l->evses[i];
		struct evse_view v;
		control_evse_view(l->g->control, e->evse, &v);
		if (v.confirmed_ma >= 0 && v.confirmed_ma <= v.grant.ma && !e->told_us)
			e->told_us = passed;
		if (most_drawn(&v) <= v.grant.ma + 500 && !e->below_us)
			e->below_us = passed;
		all &= e->below_us != 0;
	}
	task_tell(l->task, within ? "below" : "lowered", (double)passed / (double)l->most_us);
	if ((all && l->below_us) || passed >= l->most_us)
		end_limiting(l);
	else
		timer_set(&l->timer, LOOK_US / 2, on_limiting, l);
}

static bool hangs_below(const struct gateway *g, int node, int top)
{
	for (const struct circuit_settings *c = &g->conf->circuits[node]; c; c = c->parent)
		if (c - g->conf->circuits == top)
			return true;
	return false;
}

struct task *commission_limit(struct gateway *g, const char *user, int node, int32_t ma, int64_t most_us)
{
	struct limiting *l = NEW(struct limiting);
	size_t n = control_evses(g->control);
	*l = (struct limiting){ .g = g, .user = mem_strdup(user), .node = node, .ma = ma, .most_us = most_us, .begun_us = clock_mono_us() };
	l->evses = mem_new((n + 1) * sizeof(*l->evses));
	l->cap = control_cap_set(g->control, node, -1, ma, "operator", "commissioning", clock_mono_us() + most_us + 10 * US_PER_S);
	control_tick(g->control, clock_mono_us());
	for (size_t i = 0; i < n; i++) {
		struct evse_view v;
		control_evse_view(g->control, (int)i, &v);
		if (hangs_below(g, v.node, node) && v.running)
			l->evses[l->n++] = (struct limited){ .evse = (int)i, .granted_ma = v.grant.ma, .drew_more = most_drawn(&v) > v.grant.ma + 500 };
	}
	l->task = task_new("limit", user, stop_limiting, l);
	timer_set(&l->timer, LOOK_US / 2, on_limiting, l);
	return l->task;
}

/* --- offline --- */

#define DRAIN_MOST_US (180 * US_PER_S)

struct cutting {
	struct gateway *g;
	struct task *task;
	char *user;
	struct timer timer;
	struct uplink *uplink;
	int64_t begun_us, for_us, back_us;
	int64_t most_queued, queued_before;
	struct map sent;          /* "STATION ID" of what was replayed -> anything */
	unsigned replayed, twice;
	struct trace_listener trace;
};

static void cutting_free(struct cutting *c)
{
	timer_cancel(&c->timer);
	uplink_hold(c->uplink, false);
	trace_unlisten(&c->trace);
	map_free(&c->sent);
	mem_free(c->user);
	mem_free(c);
}

static void stop_cutting(void *arg)
{
	struct cutting *c = arg;
	task_end(c->task, TASK_STOPPED, (struct slice){ 0 });
	cutting_free(c);
}

static void on_replayed(void *arg, const struct trace_rec *r)
{
	struct cutting *c = arg;
	char key[160];
	if (r->side != TRACE_CSMS || r->way != TRACE_TX || r->verdict != TRACE_REPLAYED)
		return;
	int n = snprintf(key, sizeof(key), "%.80s %.*s", r->station, (int)(r->id.n < 70 ? r->id.n : 70), r->id.p);
	struct slice name = { key, (size_t)n < sizeof(key) ? (size_t)n : sizeof(key) - 1 };
	c->replayed++;
	c->twice += map_get(&c->sent, name) != NULL;
	if (c->sent.count < 10000)
		map_put(&c->sent, name, c);
}

static void end_cutting(struct cutting *c, bool drained)
{
	struct buf json = { 0 };
	struct json_writer w;
	bool ok = drained && !c->twice;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_string(&w, "uplink", uplink_conf(c->uplink)->id);
	jw_number(&w, "cut_s", (double)c->for_us / US_PER_S, 0);
	jw_int(&w, "queued", c->most_queued);
	jw_int(&w, "delivered", c->replayed - c->twice);
	jw_int(&w, "duplicates", c->twice);
	jw_bool(&w, "drained", drained);
	jw_number(&w, "drain_s", (double)(clock_mono_us() - c->back_us) / US_PER_S, 1);
	jw_bool(&w, "ok", ok);
	jw_end(&w, '}');
	conclude(c->g, c->task, "offline", c->user, ok, &json);
	cutting_free(c);
}

static void on_cutting(void *arg)
{
	struct cutting *c = arg;
	int64_t now = clock_mono_us(), passed = now - c->begun_us, waiting = outbox_count(c->g->store, NULL);
	struct uplink_view v;
	uplink_view(c->uplink, &v);
	timer_set(&c->timer, LOOK_US, on_cutting, c);
	if (!c->back_us) {
		c->most_queued = waiting > c->most_queued ? waiting : c->most_queued;
		task_tell(c->task, "cut", (double)passed / (double)c->for_us);
		if (passed < c->for_us)
			return;
		uplink_hold(c->uplink, false);
		c->back_us = now;
		return;
	}
	task_tell(c->task, "draining", (double)waiting);
	if (v.state == UPLINK_UP && waiting <= c->queued_before)
		end_cutting(c, true);
	else if (now - c->back_us > DRAIN_MOST_US)
		end_cutting(c, false);
}

struct task *commission_offline(struct gateway *g, const char *user, size_t uplink, int64_t for_us)
{
	struct cutting *c = NEW(struct cutting);
	*c = (struct cutting){ .g = g, .user = mem_strdup(user), .uplink = g->uplinks[uplink], .for_us = for_us, .begun_us = clock_mono_us() };
	c->queued_before = 0;
	c->trace = (struct trace_listener){ .see = on_replayed, .arg = c };
	trace_listen(&c->trace);
	uplink_hold(c->uplink, true);
	c->task = task_new("offline", user, stop_cutting, c);
	timer_set(&c->timer, LOOK_US, on_cutting, c);
	return c->task;
}
