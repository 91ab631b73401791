/* From readings to a cap on a circuit.
 *
 *   host (contact, ripple, register) --\
 *   Modbus server, command --------------> grid_says, grid_fails -> grid_step -> cap on the circuit, control_tick
 *   own identity, its lane --------------/
 *
 * Registers of the server (kind server), 32 bits with the high word first:
 *
 *   holding 0, 1   the limit in watts, 0xFFFFFFFF: none; it counts when 1 is written
 *   holding 2      anything written repeats the limit (heartbeat)
 *   input 0, 1     limit in force, 0xFFFFFFFF: none      input 2     state: 1 free, 2 limited, 3 fail-safe
 *   input 3, 4     power of charging below the circuit   input 5, 6  power of the circuit, 0xFFFFFFFF: not known
 *
 * Easy to get wrong: the effect has to be seen as well as the command. So the power that the limit is about goes to energy/grid, which notes
 * when it was at or below.
 *
 * What the CSMS allows comes in amperes per phase and is here the watts of all phases. Phase by phase it holds by the cap of own/identity.c,
 * whoever decides here. While its lane is down a CSMS is silent, though its profiles go on in the box: with stale_after that is the fail-safe. */
#include "gateway/power/grid-inputs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "energy/grid.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/net/modbus-server.h"
#include "gateway/plug/drivers.h"
#include "gateway/power/grid-conf.h"
#include "gateway/power/grid-kept.h"
#include "gateway/session/session.h"

#define STEP_US (100 * US_PER_MS)
#define NO_LIMIT 0xFFFFFFFFu
#define BY_MOST 80

struct source {
	struct gateway *gw;
	const struct grid_input_settings *conf;
	int index;
	int handle;             /* at the host; -1: none */
	struct modbus_server *server;
	modbus_mapping_t *tables;
	/* csms: what it has allowed. */
	bool told;
	int64_t limit_w;
	char by[BY_MOST];       /* the identity and its profile */
	int64_t until_us;       /* wall time; 0: open */
};

static struct {
	struct gateway *gw;
	struct grid *grid;
	struct source **sources;
	size_t n;
	int node, cap;
	struct timer timer;
	bool running;
} state;

/* --- what is allowed --- */

static void apply(void)
{
	struct grid_now now;
	grid_look(state.grid, &now);
	if (now.limit_w == GRID_FREE_W) {
		if (state.cap > 0)
			control_cap_clear(state.gw->control, state.cap);
		state.cap = 0;
	} else {
		struct cap_conf cap = grid_conf_cap(state.gw->conf, &now);
		int id = control_cap_put(state.gw->control, state.cap, &cap);
		if (id < 0)
			log_error(NULL, "the grid operator's limit cannot be set: %s", err_text(id));
		else
			state.cap = id;
	}
	if (state.running)
		control_tick(state.gw->control, clock_mono_us());
}

static bool is_below(int node)
{
	const struct settings *c = state.gw->conf;
	const struct circuit_settings *k = &c->circuits[node];
	while (k && k - c->circuits != state.node)
		k = k->parent;
	return k;
}

/* What charging below the circuit draws, by what stations have reported since that moment; of those that have not, what they may draw. */
static int64_t charging_since(int64_t since_us)
{
	int64_t ma = 0; /* what one feeds back is no answer to a limit of all */
	for (size_t i = 0; i < control_evses(state.gw->control); i++) {
		struct evse_view v;
		control_evse_view(state.gw->control, (int)i, &v);
		bool told = v.drawn_at_us && v.drawn_at_us >= since_us;
		for (int p = 0; is_below(v.node) && p < v.n_lines; p++) {
			int32_t drawn = v.drawn_at_us && v.drawn_ma[p] > 0 ? v.drawn_ma[p] : 0;
			ma += told || !v.running || drawn > v.grant.ma ? drawn : v.grant.ma;
		}
	}
	return ma * state.gw->conf->site.voltage_v / 1000;
}

static int64_t charging_w(void)
{
	return charging_since(0);
}

/* -1: not known. */
static int64_t circuit_w(void)
{
	struct node_view v;
	control_node_view(state.gw->control, state.node, &v);
	return isnan(v.power_w) ? -1 : (int64_t)v.power_w;
}

static void write_u32(uint16_t *at, int64_t value)
{
	uint32_t v = value < 0 || value > 0xFFFFFFFEll ? NO_LIMIT : (uint32_t)value;
	at[0] = (uint16_t)(v >> 16);
	at[1] = (uint16_t)v;
}

static void show_on_server(const struct source *s)
{
	struct grid_now now;
	grid_look(state.grid, &now);
	write_u32(&s->tables->tab_input_registers[0], now.limit_w);
	s->tables->tab_input_registers[2] = (uint16_t)now.state;
	write_u32(&s->tables->tab_input_registers[3], charging_w());
	write_u32(&s->tables->tab_input_registers[5], circuit_w());
}

static void step(void)
{
	int64_t now = clock_mono_us();
	if (grid_step(state.grid, now))
		apply();
}

static void hear_csms(const struct source *s)
{
	const struct session *lane = session_find(state.gw, s->conf->uplink->own_identity);
	int64_t now = clock_mono_us();
	if (!s->told)
		return;
	if (!s->conf->stale_after_us || (lane && session_lane_is_up(lane)))
		grid_says(state.grid, s->index, s->limit_w, 0, now);
	else
		grid_fails(state.grid, s->index, "its CSMS is not connected", now);
}

static void on_step(void *arg)
{
	(void)arg;
	timer_set(&state.timer, STEP_US, on_step, NULL);
	for (size_t i = 0; i < state.n; i++)
		if (state.sources[i]->conf->kind == GRID_CSMS)
			hear_csms(state.sources[i]);
	step();
	struct grid_now now;
	grid_look(state.grid, &now);
	int64_t watts = state.gw->conf->grid->counts == GRID_DEVICES ? charging_since(now.since_us) : circuit_w();
	if (watts >= 0)
		grid_power(state.grid, watts, clock_mono_us());
	for (size_t i = 0; i < state.n; i++)
		if (state.sources[i]->server)
			show_on_server(state.sources[i]);
}

/* --- evidence --- */

static const struct source *csms_named(const char *input)
{
	for (size_t i = 0; input && i < state.n; i++)
		if (state.sources[i]->conf->kind == GRID_CSMS && strcmp(state.sources[i]->conf->id, input) == 0)
			return state.sources[i];
	return NULL;
}

/* Whose limit it is, and until when: a CSMS's has a name and an end. */
static void write_origin(struct json_writer *w, const struct source *s)
{
	jw_string(w, "by", s->by);
	if (s->until_us)
		jw_time(w, "until", s->until_us);
	else
		jw_null(w, "until");
}

static void write_evidence(const struct grid_evidence *e, struct json_writer *w)
{
	const struct source *csms = e->is == GRID_LIMITED ? csms_named(e->input) : NULL;
	jw_object(w, NULL);
	jw_string(w, "input", e->input);
	jw_string(w, "was", grid_state_text(e->was));
	jw_string(w, "state", grid_state_text(e->is));
	if (e->limit_w == GRID_FREE_W)
		jw_null(w, "limit_w");
	else
		jw_int(w, "limit_w", e->limit_w);
	if (e->kind == GRID_LIMIT_OBEYED)
		jw_int(w, "took_ms", e->took_us / US_PER_MS);
	if (e->kind != GRID_INPUT_CHANGED)
		jw_int(w, "charging_w", charging_w());
	if (csms)
		write_origin(w, csms);
	jw_string(w, "why", e->why);
	jw_end(w, '}');
}

static void on_evidence(void *arg, const struct grid_evidence *e)
{
	static const char *const codes[] = { "grid.input", "grid.limit", "grid.obeyed" };
	struct buf args = { 0 }, object = { 0 };
	struct json_writer w;
	(void)arg;
	jw_open(&w, &args);
	write_evidence(e, &w);
	buf_printf(&object, "grid/%s", e->input ? e->input : "all");
	if (e->limit_w == GRID_FREE_W)
		log_info(NULL, "%s %s: %s, no limit", codes[e->kind], e->input ? e->input : "-", grid_state_text(e->is));
	else
		log_info(NULL, "%s %s: %s, %lld W%s%s", codes[e->kind], e->input ? e->input : "-", grid_state_text(e->is), (long long)e->limit_w,
			e->why ? ", " : "", e->why ? e->why : "");
	telemetry_event(state.gw, codes[e->kind], e->is == GRID_FAIL_SAFE ? "warning" : "info", object.p, args.p);
	buf_free(&args);
	buf_free(&object);
}

/* --- sources --- */

static void on_reading(void *arg, const ag_grid_state *s, const char *fault)
{
	struct source *from = arg;
	const struct grid_input_settings *c = from->conf;
	int64_t now = clock_mono_us(), limit_w = GRID_FREE_W;
	if (!state.running)
		return;
	if (!s) {
		grid_fails(state.grid, from->index, fault, now);
		step();
		return;
	}
	if (c->kind == GRID_CONTACT && !(s->known & 1)) {
		grid_fails(state.grid, from->index, "the contact was not read", now);
		step();
		return;
	}
	if (c->kind == GRID_CONTACT) {
		bool closed = s->closed & 1;
		limit_w = closed == (c->active_closed != 0) ? grid_conf_contact_w(state.gw->conf, c) : GRID_FREE_W;
	} else if (c->kind == GRID_RIPPLE) {
		int percent = grid_ripple(s->known, s->closed);
		if (percent < 0) {
			grid_fails(state.grid, from->index, "none of its contacts is closed", now);
			step();
			return;
		}
		limit_w = percent == 100 ? GRID_FREE_W : grid_conf_rated_w(state.gw->conf) * percent / 100;
	} else if (!isnan(s->value)) {
		limit_w = s->value < 1e12 ? (int64_t)s->value : GRID_FREE_W;
	}
	grid_says(state.grid, from->index, limit_w, 0, now);
	step();
}

/* Told once and not again, so it has to be known after a restart, too. A heartbeat says nothing new. */
static void told(struct source *s, int64_t watts, int64_t for_us)
{
	int64_t now = clock_mono_us();
	struct grid_input_view v;
	grid_input_look(state.grid, s->index, &v);
	if (for_us || v.state == GRID_UNKNOWN || v.until_us || v.limit_w != watts)
		grid_kept_put(state.gw->store, s->conf->id, watts, for_us);
	grid_says(state.grid, s->index, watts, for_us ? now + for_us : 0, now);
	step();
}

static void recall(struct source *s)
{
	int64_t now = clock_mono_us(), watts, for_us;
	if ((s->conf->kind == GRID_COMMAND || s->conf->kind == GRID_SERVER) && grid_kept_get(state.gw->store, s->conf->id, &watts, &for_us))
		grid_says(state.grid, s->index, watts, for_us ? now + for_us : 0, now);
}

static void on_written(void *arg, int at, int n)
{
	struct source *s = arg;
	const uint16_t *r = s->tables->tab_registers;
	uint32_t watts = (uint32_t)r[0] << 16 | r[1];
	if (at > 2 || at + n < 2)
		return; /* half a limit: its other word is on the way */
	told(s, watts == NO_LIMIT ? GRID_FREE_W : (int64_t)watts, 0);
}

static int serve(struct source *s)
{
	s->tables = modbus_mapping_new(0, 0, 3, 7);
	if (!s->tables)
		return -ENOMEM;
	write_u32(s->tables->tab_registers, -1);
	int err = modbus_server_open(s->conf->address, s->conf->port, s->tables, &s->server);
	if (err) {
		log_error(NULL, "grid input %s cannot listen on %s port %d: %s", s->conf->id, s->conf->address, s->conf->port, err_text(err));
		return err;
	}
	modbus_server_on_write(s->server, on_written, s);
	show_on_server(s);
	log_info(NULL, "grid input %s listens on %s port %d", s->conf->id, s->conf->address, s->conf->port);
	return 0;
}

/* One that its driver refuses is silent, and so limited in time. */
static int start_source(struct source *s)
{
	switch (s->conf->kind) {
	case GRID_SERVER:
		return serve(s);
	case GRID_COMMAND:
	case GRID_CSMS:
		return 0;
	case GRID_CONTACT:
	case GRID_RIPPLE:
	case GRID_REGISTER:
		break;
	}
	char why[200] = "", fault[240];
	s->handle = drivers_grid(state.gw->host, s->conf, on_reading, s, why, sizeof(why));
	if (s->handle >= 0)
		return 0;
	snprintf(fault, sizeof(fault), "cannot be started: %s", why);
	log_error(NULL, "grid input %s %s", s->conf->id, fault);
	grid_fails(state.grid, s->index, fault, clock_mono_us());
	return 0;
}

static void stop_source(struct source *s)
{
	if (s->server)
		modbus_server_close(s->server);
	if (s->tables)
		modbus_mapping_free(s->tables);
	s->server = NULL;
	s->tables = NULL;
}

static void drop_source(struct source *s)
{
	stop_source(s);
	if (s->handle >= 0)
		host_drop(state.gw->host, s->handle);
	mem_free(s);
}

static struct source *make_source(const struct grid_input_settings *in)
{
	struct source *s = NEW(struct source);
	*s = (struct source){ .gw = state.gw, .conf = in, .handle = -1, .limit_w = GRID_FREE_W };
	return s;
}

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
	state.n = s->grid->n_inputs;
	state.sources = mem_new((state.n + 1) * sizeof(*state.sources));
	for (size_t i = 0; i < state.n; i++) {
		state.sources[i] = make_source(&s->grid->inputs[i]);
		state.sources[i]->index = (int)i;
	}
	state.grid = grid_open(inputs, state.n, on_evidence, NULL, clock_mono_us());
	mem_free(inputs);
}

int grid_inputs_open(struct gateway *g)
{
	const struct settings *s = g->conf;
	int err = 0;
	memset(&state, 0, sizeof(state));
	if (!s->grid)
		return 0;
	state.gw = g;
	state.node = grid_conf_node(s);
	open_machine(s);
	for (size_t i = 0; i < state.n && !err; i++)
		err = start_source(state.sources[i]);
	if (err)
		return err;
	grid_kept_only(g->store, s->grid);
	for (size_t i = 0; i < state.n; i++)
		recall(state.sources[i]);
	state.running = true;
	apply();
	timer_set(&state.timer, STEP_US, on_step, NULL);
	return 0;
}

void grid_inputs_stop(void)
{
	state.running = false;
	timer_cancel(&state.timer);
	for (size_t i = 0; i < state.n; i++)
		stop_source(state.sources[i]);
}

void grid_inputs_free(void)
{
	grid_close(state.grid);
	for (size_t i = 0; i < state.n; i++)
		mem_free(state.sources[i]);
	mem_free(state.sources);
	memset(&state, 0, sizeof(state));
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

static struct source *take_source(struct source **old, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++) {
		struct source *s = old[i];
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
	if (state.cap > 0)
		control_cap_clear(state.gw->control, state.cap);
	for (size_t i = 0; i < state.n; i++)
		if (state.sources[i]->handle >= 0)
			host_drop(state.gw->host, state.sources[i]->handle);
	grid_inputs_free();
}

/* Takes over who is read where it was, and starts the others: one that cannot be started is silent, and so limited in time. */
static void change_sources(const struct settings *next, bool (*moved)(void *arg, const char *input), void *arg)
{
	struct source **old = state.sources;
	size_t n_old = state.n;
	state.n = next->grid->n_inputs;
	state.sources = mem_new((state.n + 1) * sizeof(*state.sources));
	for (size_t i = 0; i < state.n; i++) {
		const struct grid_input_settings *in = &next->grid->inputs[i];
		struct source *s = take_source(old, n_old, in->id);
		if (s && (s->conf->kind != in->kind || ((s->handle >= 0 || s->server) && moved(arg, in->id)))) {
			drop_source(s);
			s = NULL;
		}
		state.sources[i] = s ? s : make_source(in);
		state.sources[i]->conf = in;
		state.sources[i]->index = (int)i;
	}
	for (size_t i = 0; i < n_old; i++)
		if (old[i])
			drop_source(old[i]);
	mem_free(old);
}

static void start_new_sources(void)
{
	for (size_t i = 0; i < state.n; i++) {
		struct source *s = state.sources[i];
		if (s->handle < 0 && !s->server && start_source(s) != 0)
			grid_fails(state.grid, s->index, "it cannot be started", clock_mono_us());
	}
}

void grid_inputs_change(struct gateway *g, bool (*moved)(void *arg, const char *input), void *arg)
{
	if (!state.grid) {
		if (grid_inputs_open(g) != 0)
			log_error(NULL, "the inputs of the grid operator need a restart");
		return;
	}
	grid_kept_only(g->store, g->conf->grid);
	if (!g->conf->grid) {
		close_all();
		return;
	}
	struct grid_input_conf *inputs = describe_inputs(g->conf);
	state.node = grid_conf_node(g->conf);
	change_sources(g->conf, moved, arg);
	grid_change(state.grid, inputs, state.n, clock_mono_us());
	mem_free(inputs);
	start_new_sources();
	step();
}

/* --- commands and views --- */

int grid_inputs_command(const char *input, int64_t watts, int64_t for_us)
{
	for (size_t i = 0; i < state.n; i++) {
		if (strcmp(state.sources[i]->conf->id, input) != 0 || state.sources[i]->conf->kind != GRID_COMMAND)
			continue;
		told(state.sources[i], watts, for_us);
		return 0;
	}
	return ERR_NOT_FOUND;
}

static int64_t watts_of(double amps)
{
	double watts = floor(amps * state.gw->conf->site.voltage_v * __builtin_popcount(state.gw->conf->circuits[state.node].phases));
	return watts < 1e12 ? (int64_t)watts : GRID_FREE_W;
}

void grid_inputs_csms(const char *identity, double amps, const char *by, int64_t until_us)
{
	for (size_t i = 0; state.running && i < state.n; i++) {
		struct source *s = state.sources[i];
		if (s->conf->kind != GRID_CSMS || strcmp(s->conf->uplink->own_identity, identity) != 0)
			continue;
		s->told = true;
		s->limit_w = watts_of(amps);
		snprintf(s->by, sizeof(s->by), "%s", by);
		s->until_us = s->limit_w == GRID_FREE_W || until_us == INT64_MAX ? 0 : until_us;
		hear_csms(s);
		step();
	}
}

static void write_limit(struct json_writer *w, int64_t limit_w)
{
	if (limit_w == GRID_FREE_W)
		jw_null(w, "limit_w");
	else
		jw_int(w, "limit_w", limit_w);
}

static void write_moment(struct json_writer *w, const char *key, int64_t mono_us)
{
	if (mono_us)
		jw_time(w, key, clock_wall_us() - (clock_mono_us() - mono_us));
	else
		jw_null(w, key);
}

static void write_input(struct json_writer *w, int i)
{
	static const char *const kinds[] = { "contact", "ripple", "register", "server", "command", "csms" };
	struct grid_input_view v;
	grid_input_look(state.grid, i, &v);
	jw_object(w, NULL);
	jw_string(w, "id", v.id);
	jw_string(w, "kind", kinds[state.sources[i]->conf->kind]);
	jw_int(w, "priority", state.sources[i]->conf->priority);
	jw_string(w, "state", grid_state_text(v.state));
	write_limit(w, v.limit_w);
	write_moment(w, "since", v.since_us);
	if (v.state == GRID_LIMITED && csms_named(v.id))
		write_origin(w, csms_named(v.id));
	else
		write_moment(w, "until", v.until_us);
	jw_number(w, "heard_s", (double)(clock_mono_us() - v.heard_us) / US_PER_S, 1);
	jw_string(w, "fault", v.fault);
	jw_end(w, '}');
}

void grid_inputs_view(struct json_writer *w)
{
	struct grid_now now;
	grid_look(state.grid, &now);
	jw_string(w, "circuit", state.gw->conf->circuits[state.node].id);
	jw_string(w, "counts", state.gw->conf->grid->counts == GRID_DEVICES ? "devices" : "total");
	jw_string(w, "state", grid_state_text(now.state));
	write_limit(w, now.limit_w);
	jw_string(w, "decided_by", now.input < 0 ? NULL : state.sources[now.input]->conf->id);
	write_moment(w, "since", now.since_us);
	jw_int(w, "charging_w", charging_w());
	jw_int(w, "dimmed_keeps_w", grid_conf_keeps_w(state.gw->conf));
	jw_array(w, "inputs");
	for (size_t i = 0; i < state.n; i++)
		write_input(w, (int)i);
	jw_end(w, ']');
}

bool grid_inputs_there(void)
{
	return state.grid != NULL;
}
