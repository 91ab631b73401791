/* From what the inputs say to a cap on a circuit.
 *
 *   host (contact, ripple, register) --\
 *   Modbus server, command --------------> grid-source.c -> energy/grid -> cap on the circuit, control_tick
 *   own identity, its lane --------------/                       \-> grid-evidence.c
 *
 * Easy to get wrong: the effect has to be seen as well as the command. So the power that the limit is about (grid-power.c) goes to energy/grid,
 * which notes when it was at or below. */
#include "gateway/power/grid-inputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/plug/host.h"
#include "gateway/power/grid-conf.h"
#include "gateway/power/grid-kept.h"
#include "gateway/power/grid-local.h"

#define STEP_US (100 * US_PER_MS)
#define LATE_US (500 * US_PER_MS)
#define OTHERS_ROUND_W 100
#define OTHERS_FALL_W 300

static struct grid_site site;

/* --- what is allowed --- */

static void show(void)
{
	for (size_t i = 0; i < site.n; i++)
		grid_source_show(site.sources[i]);
}

/* Cars get what the others leave, at once where that is less; a meter's last digits move nobody. */
static bool others_moved(void)
{
	int64_t watts = grid_others_w(&site);
	if (watts <= site.others_w && watts > site.others_w - OTHERS_FALL_W)
		return false;
	site.others_w = (watts + OTHERS_ROUND_W - 1) / OTHERS_ROUND_W * OTHERS_ROUND_W;
	return true;
}

static void apply(void)
{
	struct grid_now now;
	others_moved();
	grid_look(site.grid, &now);
	if (now.limit_w == GRID_FREE_W) {
		if (site.cap > 0)
			control_cap_clear(site.gw->control, site.cap);
		site.cap = 0;
	} else {
		struct cap_conf cap = grid_conf_cap(site.gw->conf, &now, site.others_w);
		int id = control_cap_put(site.gw->control, site.cap, &cap);
		if (id < 0)
			log_error(NULL, "the grid operator's limit cannot be set: %s", err_text(id));
		else
			site.cap = id;
	}
	if (site.running)
		control_tick(site.gw->control, clock_mono_us());
	show(); /* whoever has written reads what came of it with the next request */
}

static void look_at_others(void)
{
	struct grid_now now;
	grid_look(site.grid, &now);
	if (others_moved() && now.limit_w != GRID_FREE_W)
		apply();
}

static int64_t ahead_us(void)
{
	return clock_wall_us() - clock_mono_us();
}

static void keep_again(void)
{
	for (size_t i = 0; i < site.n; i++)
		grid_source_keep_again(site.sources[i]);
}

static void look_at_clock(void)
{
	int64_t step_us = ahead_us() - site.ahead_us;
	grid_evidence_clock(&site);
	if (step_us > -US_PER_S && step_us < US_PER_S)
		return;
	site.ahead_us += step_us;
	log_info(NULL, "the clock was set by %lld s: limits of the grid operator go on for as long as they had", (long long)(step_us / US_PER_S));
	keep_again();
}

/* A program that was held up, as by a sleeping machine, has not listened, and finds what was said meanwhile in its mailbox. It has that much time
 * to read it; but not again and again, or nobody would ever be silent on a machine that is always late. */
static void look_for_delay(void)
{
	int64_t now = clock_mono_us(), gap_us = now - site.looked_us;
	bool late = gap_us > LATE_US && !site.held_up;
	if (gap_us < STEP_US && !late)
		return;
	site.looked_us = now;
	if (late)
		grid_held_up(site.grid, now + LATE_US);
	site.held_up = late;
}

void grid_site_step(struct grid_site *g)
{
	look_at_clock();
	look_for_delay();
	if (grid_step(g->grid, clock_mono_us()))
		apply();
}

/* Until a limit is obeyed each station has to say so; from then on what they said last is what is measured. */
static void note_power(void)
{
	struct grid_now now;
	grid_look(site.grid, &now);
	int64_t since_us = now.ordered ? now.since_us : 0;
	int64_t watts = site.gw->conf->grid->counts == GRID_DEVICES ? grid_charging_w(&site, since_us) : grid_circuit_w(&site);
	watts += watts < 0 ? 0 : grid_others_w(&site);
	if (watts >= 0)
		grid_power(site.grid, watts, clock_mono_us());
}

static void on_step(void *arg)
{
	(void)arg;
	timer_set(&site.timer, STEP_US, on_step, NULL);
	if (site.keep_again_us && clock_mono_us() >= site.keep_again_us) {
		site.keep_again_us = INT64_MAX; /* until the answer comes */
		keep_again();
	}
	for (size_t i = 0; i < site.n; i++)
		if (site.sources[i]->conf->kind == GRID_CSMS)
			grid_source_hear_csms(site.sources[i]);
	for (size_t i = 0; i < site.n; i++)
		grid_source_listen_again(site.sources[i]);
	look_at_others();
	grid_site_step(&site);
	note_power();
	show();
}

/* --- start and stop --- */

static struct grid_input_conf *describe_inputs(const struct settings *s)
{
	struct grid_input_conf *inputs = mem_new((s->grid->n_inputs + 1) * sizeof(*inputs));
	for (size_t i = 0; i < s->grid->n_inputs; i++)
		inputs[i] = grid_conf_input(s, &s->grid->inputs[i]);
	return inputs;
}

static void open_machine(const struct settings *s)
{
	struct grid_input_conf *inputs = describe_inputs(s);
	site.n = s->grid->n_inputs;
	site.sources = mem_new((site.n + 1) * sizeof(*site.sources));
	for (size_t i = 0; i < site.n; i++) {
		site.sources[i] = grid_source_new(&site, &s->grid->inputs[i]);
		site.sources[i]->index = (int)i;
	}
	site.grid = grid_open(inputs, site.n, grid_evidence_write, &site, clock_mono_us());
	mem_free(inputs);
}

void grid_inputs_open(struct gateway *g)
{
	const struct settings *s = g->conf;
	memset(&site, 0, sizeof(site));
	if (!s->grid)
		return;
	site.gw = g;
	site.node = grid_conf_node(s);
	site.ahead_us = ahead_us();
	site.looked_us = clock_mono_us();
	open_machine(s);
	for (size_t i = 0; i < site.n; i++)
		grid_source_start(site.sources[i]);
	grid_kept_only(g->store, s->grid);
	for (size_t i = 0; i < site.n; i++)
		grid_source_recall(site.sources[i]);
	site.running = true;
	apply();
	timer_set(&site.timer, STEP_US, on_step, NULL);
}

void grid_inputs_stop(void)
{
	site.running = false;
	timer_cancel(&site.timer);
	for (size_t i = 0; i < site.n; i++)
		grid_source_stop(site.sources[i]);
}

void grid_inputs_free(void)
{
	grid_evidence_forget();
	grid_close(site.grid);
	for (size_t i = 0; i < site.n; i++)
		mem_free(site.sources[i]);
	mem_free(site.sources);
	memset(&site, 0, sizeof(site));
}

/* --- another configuration --- */

static const struct grid_input_settings *csms_of(const struct settings *s, const char *id)
{
	for (size_t i = 0; s->grid && i < s->grid->n_inputs; i++)
		if (s->grid->inputs[i].kind == GRID_CSMS && strcmp(s->grid->inputs[i].id, id) == 0)
			return &s->grid->inputs[i];
	return NULL;
}

bool grid_inputs_can_change(const struct settings *now, const struct settings *next)
{
	for (size_t i = 0; next->grid && i < next->grid->n_inputs; i++) {
		const struct grid_input_settings *in = csms_of(next, next->grid->inputs[i].id), *was = in ? csms_of(now, in->id) : NULL;
		if (in && (!was || strcmp(was->uplink->id, in->uplink->id) != 0))
			return false;
	}
	return true;
}

static struct grid_source *take_source(struct grid_source **old, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++) {
		struct grid_source *s = old[i];
		if (!s || strcmp(s->conf->id, id) != 0)
			continue;
		old[i] = NULL;
		return s;
	}
	return NULL;
}

static void close_all(void)
{
	grid_inputs_stop();
	if (site.cap > 0)
		control_cap_clear(site.gw->control, site.cap);
	for (size_t i = 0; i < site.n; i++)
		if (site.sources[i]->handle >= 0)
			host_drop(site.gw->host, site.sources[i]->handle);
	grid_inputs_free();
}

/* Takes over who is read where it was. */
static void change_sources(const struct settings *next, bool (*moved)(void *arg, const char *input), void *arg)
{
	struct grid_source **old = site.sources;
	size_t n_old = site.n;
	site.n = next->grid->n_inputs;
	site.sources = mem_new((site.n + 1) * sizeof(*site.sources));
	for (size_t i = 0; i < site.n; i++) {
		const struct grid_input_settings *in = &next->grid->inputs[i];
		struct grid_source *s = take_source(old, n_old, in->id);
		if (s && (s->conf->kind != in->kind || ((s->handle >= 0 || s->server) && moved(arg, in->id)))) {
			grid_source_drop(s);
			s = NULL;
		}
		site.sources[i] = s ? s : grid_source_new(&site, in);
		site.sources[i]->conf = in;
		site.sources[i]->index = (int)i;
	}
	for (size_t i = 0; i < n_old; i++)
		if (old[i])
			grid_source_drop(old[i]);
	mem_free(old);
}

static void start_new_sources(void)
{
	for (size_t i = 0; i < site.n; i++) {
		struct grid_source *s = site.sources[i];
		if (s->handle < 0 && !s->server)
			grid_source_start(s);
	}
}

void grid_inputs_change(struct gateway *g, bool (*moved)(void *arg, const char *input), void *arg)
{
	if (!site.grid) {
		grid_inputs_open(g);
		return;
	}
	grid_kept_only(g->store, g->conf->grid);
	if (!g->conf->grid) {
		close_all();
		return;
	}
	struct grid_input_conf *inputs = describe_inputs(g->conf);
	site.node = grid_conf_node(g->conf);
	change_sources(g->conf, moved, arg);
	grid_change(site.grid, inputs, site.n, clock_mono_us());
	mem_free(inputs);
	start_new_sources();
	look_at_others();
	grid_site_step(&site);
}

/* --- commands and views --- */

int grid_inputs_command(const char *input, int64_t watts, int64_t for_us, void (*done)(void *arg, int err), void *arg)
{
	for (size_t i = 0; i < site.n; i++) {
		if (strcmp(site.sources[i]->conf->id, input) != 0 || site.sources[i]->conf->kind != GRID_COMMAND)
			continue;
		grid_source_told(site.sources[i], watts, for_us);
		grid_durable_then(site.gw, done, arg);
		return 0;
	}
	return ERR_NOT_FOUND;
}

static int64_t watts_of(double amps)
{
	double watts = floor(amps * site.gw->conf->site.voltage_v * __builtin_popcount(site.gw->conf->circuits[site.node].phases));
	return watts < 1e12 ? (int64_t)watts : GRID_FREE_W;
}

void grid_inputs_csms(const char *identity, double amps, const char *by, int64_t until_us)
{
	for (size_t i = 0; site.running && i < site.n; i++) {
		struct grid_source *s = site.sources[i];
		if (s->conf->kind != GRID_CSMS || strcmp(s->conf->uplink->own_identity, identity) != 0)
			continue;
		s->told = true;
		s->limit_w = watts_of(amps);
		snprintf(s->by, sizeof(s->by), "%s", by);
		s->until_us = s->limit_w == GRID_FREE_W || until_us == INT64_MAX ? 0 : until_us;
		grid_source_hear_csms(s);
		grid_site_step(&site);
	}
}

void grid_inputs_view(struct json_writer *w)
{
	grid_site_view(&site, w);
}

void grid_inputs_brief(struct json_writer *w)
{
	if (!site.grid) {
		jw_null(w, "grid_operator");
		return;
	}
	jw_object(w, "grid_operator");
	grid_site_brief(&site, w);
	jw_end(w, '}');
}

uint64_t grid_inputs_mark(void)
{
	struct grid_now now;
	if (!site.grid)
		return 0;
	grid_look(site.grid, &now);
	return (uint64_t)now.limit_w * 31 + (uint64_t)now.state * 7 + (uint64_t)(now.input + 1);
}

/* Who decides, or else anybody: one that nobody hears is a fault also while another limits more. */
static int in_fail_safe(void)
{
	struct grid_input_view v;
	struct grid_now now;
	grid_look(site.grid, &now);
	if (now.state == GRID_FAIL_SAFE)
		return now.input;
	for (size_t i = 0; i < site.n; i++) {
		grid_input_look(site.grid, (int)i, &v);
		if (v.state == GRID_FAIL_SAFE)
			return (int)i;
	}
	return -1;
}

bool grid_inputs_fail_safe(char *why, size_t room)
{
	struct grid_input_view v;
	int input = site.grid ? in_fail_safe() : -1;
	if (input < 0)
		return false;
	grid_input_look(site.grid, input, &v);
	snprintf(why, room, "%s: %s", v.id, v.fault ? v.fault : v.state == GRID_UNKNOWN ? "not heard since the start" : "silent");
	return true;
}

bool grid_inputs_now(struct grid_now *out)
{
	if (site.grid)
		grid_look(site.grid, out);
	return site.grid != NULL;
}

void grid_inputs_each(void (*see)(void *arg, const struct grid_input_view *v), void *arg)
{
	for (size_t i = 0; i < site.n; i++) {
		struct grid_input_view v;
		grid_input_look(site.grid, (int)i, &v);
		see(arg, &v);
	}
}

bool grid_inputs_there(void)
{
	return site.grid != NULL;
}
