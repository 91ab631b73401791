/* Whether contracts, fuses, loads, grid inputs, schedules and tariffs fit the circuits and each other. Proofs as in check-electric.c:
 *
 *   proof: grid fallback power 22 x 6 A x 3 phases = 91.1 kW <= 160 kW   ok
 *   proof: row-a fuse C 100 A carries 132 A (its limit and one EVSE that does not obey) for 9 min, answered within 11 s   ok
 *   proof: grid_operator 24 devices keep 47.7 kW while dimmed
 */
#include <arpa/inet.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/plugin.h"
#include "energy/grid.h"
#include "gateway/conf/check-local.h"
#include "gateway/power/below.h"
#include "gateway/power/grid-conf.h"

#define ANSWER_US INT64_C(6000000) /* a station is told, its car follows */

/* ---- circuits ---- */

static void prove_power(struct checking *c, const struct circuit_settings *k, const struct below *b, int limit, const struct conf_node *n)
{
	bool ok = b->fallback_w <= limit;
	if (b->evses && c->proofs)
		buf_printf(c->proofs, "proof: %s fallback power of %d EVSEs = %.1f kW %s %.1f kW   %s\n", k->id, b->evses, (double)b->fallback_w / 1000,
			ok ? "<=" : ">", limit / 1000.0, ok ? "ok" : "FAILED");
	if (!ok)
		settings_wrong(c->report, n, "the fallback currents below circuit '%s' are %.1f kW, more than its %.1f kW", k->id,
			(double)b->fallback_w / 1000, limit / 1000.0);
	if (b->least_w > limit)
		settings_wrong(c->report, n, "no EVSE below circuit '%s' could charge: the smallest needs %lld W", k->id, (long long)b->least_w);
}

static void check_contract(struct checking *c, const struct circuit_settings *k, const struct below *b)
{
	const struct conf_node *n = settings_node(c->s, "circuits", k->id, NULL, NULL);
	const struct conf_node *w = conf_child(n, "power_limit_w"), *va = conf_child(n, "power_limit_va");
	if (k->power_limit_w && k->power_limit_va)
		settings_wrong(c->report, va, "a circuit has power_limit_w or power_limit_va, not both");
	else if (k->power_limit_w || k->power_limit_va)
		prove_power(c, k, b, k->power_limit_w ? k->power_limit_w : k->power_limit_va, w ? w : va);
	else
		check_refuse_keys(c->report, n, "power_window", "without power_limit_w or power_limit_va");
	if (k->power_window_us && INT64_C(3600000000) % k->power_window_us)
		settings_wrong(c->report, conf_child(n, "power_window"), "an hour is no multiple of this");
	if (k->imbalance_ma && b->single_min_ma > k->imbalance_ma)
		settings_wrong(c->report, conf_child(n, "imbalance_a"), "no EVSE on one or two phases could charge: the minimum is %g A",
			b->single_min_ma / 1000.0);
	if (k->imbalance_ma && __builtin_popcount(k->phases) < 2)
		settings_wrong(c->report, conf_child(n, "imbalance_a"), "circuit '%s' has one phase", k->id);
}

/* How long an overload may last before everybody has been told and has followed. */
static int64_t blind_us(const struct settings *s, const struct circuit_settings *k)
{
	int64_t us = s->balancing.interval_us + ANSWER_US;
	while (k && !k->meter)
		k = k->parent;
	return k ? us + k->meter->stale_after_us + s->balancing.on_meter_lost.after_us : us;
}

static void span_text(int64_t us, char *out, size_t room)
{
	if (us == FUSE_NEVER)
		snprintf(out, room, "good");
	else if (us >= 120000000)
		snprintf(out, room, "%lld min", (long long)(us / 60000000));
	else
		snprintf(out, room, "%.3g s", (double)us / 1e6);
}

static void check_fuse(struct checking *c, const struct circuit_settings *k, const struct below *b)
{
	static const char *const names[] = { "gG", "B", "C", "D" };
	const struct conf_node *n = settings_node(c->s, "circuits", k->id, "fuse", NULL);
	int32_t most = 0;
	char carries[24], answered[24];
	if (!k->fuse)
		return;
	for (int p = 0; p < 3; p++)
		most = k->limit_ma[p] > most ? k->limit_ma[p] : most;
	if (most > k->fuse->rated_ma) {
		settings_wrong(c->report, settings_node(c->s, "circuits", k->id, "limit_a", NULL), "limit_a is more than the %g A of its fuse",
			k->fuse->rated_ma / 1000.0);
		return;
	}
	int64_t holds = fuse_holds_us(k->fuse->type, k->fuse->rated_ma, most + b->largest_ma), blind = blind_us(c->s, k);
	bool ok = holds == FUSE_NEVER || holds >= blind;
	span_text(holds, carries, sizeof(carries));
	span_text(blind, answered, sizeof(answered));
	if (b->evses && c->proofs)
		buf_printf(c->proofs, "proof: %s fuse %s %g A carries %g A (its limit and one EVSE that does not obey) for %s, answered within %s   %s\n", k->id,
			names[k->fuse->type], k->fuse->rated_ma / 1000.0, (most + b->largest_ma) / 1000.0, carries, answered, ok ? "ok" : "NOT SURE");
	if (!ok)
		warn_at(c, n, "a larger fuse, a reserve, or a meter with a shorter stale_after", "one EVSE that does not obey could open it before that is answered");
}

/* ---- loads ---- */

static void check_load(struct checking *c, const struct load_settings *l)
{
	const struct conf_node *n = settings_node(c->s, "loads", l->id, NULL, NULL);
	bool estimated = conf_child(n, "estimate_a") != NULL;
	if (l->kind == FIXTURE_LOAD)
		check_refuse_keys(c->report, n, "firm yields feeds_cars", "for a load");
	if (l->kind == FIXTURE_PV)
		check_refuse_keys(c->report, n, "yields feeds_cars estimate_a", "for pv");
	if (!l->meter && (l->kind != FIXTURE_LOAD || !estimated))
		settings_wrong(c->report, n, "missing key 'meter'%s", l->kind == FIXTURE_LOAD ? " or 'estimate_a'" : "");
	for (int p = 0; p < 3; p++) {
		if (l->estimate_ma[p] && l->circuit->phases & 1 << p && l->estimate_ma[p] > l->circuit->limit_ma[p])
			settings_wrong(c->report, conf_child(n, "estimate_a"), "more than circuit '%s' has on L%d", l->circuit->id, p + 1);
	}
}

/* ---- the grid operator ---- */

/* What a plugin's own options say. */
#define PLUGIN_KEYS "input input_100 input_60 input_30 input_0 register register_kind type scale no_limit address"

static void check_place(struct checking *c, const struct grid_input_settings *in, const struct conf_node *n)
{
	if (in->stale_after_us <= in->poll_us)
		settings_wrong(c->report, conf_child(n, "stale_after") ? conf_child(n, "stale_after") : n, "stale_after has to be longer than poll");
	if (in->plugin) {
		check_refuse_keys(c->report, n, "host bus port unit chip line " PLUGIN_KEYS, "with a plugin");
		check_plugin(c->s, c->report, n, in->plugin, in->options, AG_GRID);
		return;
	}
	check_refuse_keys(c->report, n, "options", "without a plugin");
	if (in->chip) {
		check_refuse_keys(c->report, n, "host bus port unit input", "on a GPIO line");
		need(c, n, in->line >= 0, "line", "by 'chip'");
	} else if (in->bus)
		check_refuse_keys(c->report, n, "host port", "on a bus");
	else
		need(c, n, in->host, "host", "unless 'bus' is given");
	if (!in->chip)
		check_refuse_keys(c->report, n, "line", "without 'chip'");
	if (in->kind != GRID_CONTACT)
		check_refuse_keys(c->report, n, "chip", "for this kind");
	check_refuse_keys(c->report, n, "address", "for this kind");
}

#define CONTACT_KEYS "limit_w input active"
#define RIPPLE_KEYS "input_100 input_60 input_30 input_0"
#define REGISTER_KEYS "register register_kind type scale no_limit"
#define PLACE_KEYS "host bus unit poll debounce chip line plugin options"

static void check_contact(struct checking *c, const struct grid_input_settings *in, const struct conf_node *n)
{
	check_place(c, in, n);
	need(c, n, in->input >= 0 || in->chip || in->plugin, "input", "by kind contact");
	check_refuse_keys(c->report, n, RIPPLE_KEYS " " REGISTER_KEYS, "for kind contact");
	if (in->active_closed)
		warn_at(c, conf_child(n, "active"), "use a contact that opens to limit", "a broken wire looks like no limit");
}

static void check_ripple(struct checking *c, const struct grid_input_settings *in, const struct conf_node *n)
{
	check_place(c, in, n);
	if (in->level[1] < 0 && in->level[2] < 0 && in->level[3] < 0)
		settings_wrong(c->report, n, "a ripple receiver needs one of input_60, input_30, input_0");
	check_refuse_keys(c->report, n, CONTACT_KEYS " " REGISTER_KEYS " plugin options", "for kind ripple");
	if (in->level[0] < 0)
		warn_at(c, n, "wire its contact for 100 % too", "without input_100 a broken wire looks like 100 %");
}

/* A register that can never hold what lifts its limit would limit for ever. */
static void check_no_limit(struct checking *c, const struct grid_input_settings *in, const struct conf_node *n)
{
	static const struct {
		const char *name;
		double least, most;
	} types[] = { { "u16", 0, 0xFFFF }, { "u32", 0, 0xFFFFFFFF }, { "s32", INT32_MIN, INT32_MAX }, { "f32", -FLT_MAX, FLT_MAX } };
	const struct grid_no_limit *free = &in->no_limit;
	bool number = free->when == GRID_NO_LIMIT_NUMBER, whole = in->reg_type != GRID_F32;
	bool ok = free->when == GRID_NO_LIMIT_NAN ? !whole : free->when == GRID_NO_LIMIT_NEGATIVE ? types[in->reg_type].least < 0 : true;
	if (number)
		ok = free->number >= types[in->reg_type].least && free->number <= types[in->reg_type].most && (!whole || free->number == floor(free->number));
	if (!ok)
		settings_wrong(c->report, conf_child(n, "no_limit"), "a register of type %s never holds this", types[in->reg_type].name);
}

static void check_register(struct checking *c, const struct grid_input_settings *in, const struct conf_node *n)
{
	check_place(c, in, n);
	need(c, n, in->reg >= 0 || in->plugin, "register", "by kind register");
	check_refuse_keys(c->report, n, CONTACT_KEYS " " RIPPLE_KEYS " debounce", "for kind register");
	check_no_limit(c, in, n);
}

/* Its limit is one of all cars together, so it cannot be weighed against one of a part, or of everything. */
static void check_csms(struct checking *c, const struct grid_input_settings *in, const struct conf_node *n)
{
	const struct grid_settings *g = c->s->grid;
	check_refuse_keys(c->report, n, CONTACT_KEYS " " RIPPLE_KEYS " " REGISTER_KEYS " " PLACE_KEYS " address port", "for kind csms");
	need(c, n, in->uplink, "uplink", "by kind csms");
	if (in->uplink && !in->uplink->own_identity)
		settings_wrong(c->report, conf_child(n, "uplink"), "uplink '%s' has no own_identity that could be told a limit", in->uplink->id);
	if (g->counts != GRID_DEVICES)
		settings_wrong(c->report, conf_child(n, "kind"), "csms limits what cars take: not with counts total");
	if (g->n_others)
		settings_wrong(c->report, conf_child(n, "kind"), "csms limits what cars take: not with others, which share the other limits");
	if (g->circuit && g->circuit->parent)
		settings_wrong(c->report, conf_child(n, "kind"), "csms limits the whole site: not with circuit '%s'", g->circuit->id);
}

/* One that cannot listen is in its fail-safe for ever, so what is certain to fail is not let in. */
static void check_server(struct checking *c, const struct grid_input_settings *in, const struct conf_node *n)
{
	const struct conf_node *port = conf_child(n, "port") ? conf_child(n, "port") : n;
	struct in_addr address;
	check_refuse_keys(c->report, n, CONTACT_KEYS " " RIPPLE_KEYS " " REGISTER_KEYS " " PLACE_KEYS, "for kind server");
	if (inet_pton(AF_INET, in->address, &address) != 1)
		settings_wrong(c->report, conf_child(n, "address"), "'%s' is no IPv4 address", in->address);
	const char *who = check_port_taken(c->s, in->address, in->port);
	if (who)
		settings_wrong(c->report, port, "port %d is taken by %s", in->port, who);
	for (const struct grid_input_settings *o = c->s->grid->inputs; o < in; o++)
		if (o->kind == GRID_SERVER && o->port == in->port)
			settings_wrong(c->report, port, "port %d is taken by input '%s'", in->port, o->id);
}

static void check_input(struct checking *c, const struct grid_input_settings *in)
{
	const struct conf_node *n = settings_node(c->s, "grid_operator", "inputs", in->id, NULL);
	switch (in->kind) {
	case GRID_CONTACT:
		check_contact(c, in, n);
		break;
	case GRID_RIPPLE:
		check_ripple(c, in, n);
		break;
	case GRID_REGISTER:
		check_register(c, in, n);
		break;
	case GRID_SERVER:
		check_server(c, in, n);
		break;
	case GRID_COMMAND:
		check_refuse_keys(c->report, n, CONTACT_KEYS " " RIPPLE_KEYS " " REGISTER_KEYS " " PLACE_KEYS " address port", "for kind command");
		break;
	case GRID_CSMS:
		check_csms(c, in, n);
		break;
	}
	if (in->kind != GRID_CSMS)
		check_refuse_keys(c->report, n, "uplink", "without kind csms");
	if (!in->stale_after_us)
		check_refuse_keys(c->report, n, in->kind == GRID_SERVER ? "hold" : "fail_safe_w hold", "without 'stale_after'");
}

/* Section 14a EnWG is about devices of more than what one keeps: a socket of 3.7 kW brings no share of its own. */
static void check_devices(struct checking *c, const struct circuit_settings *at, int evses, const struct conf_node *n)
{
	const struct grid_settings *g = c->s->grid;
	int large = below_above(c->s, at, g->dim_to_w);
	char hint[40], text[120];
	if (g->devices && g->devices < (int)g->n_others + (evses > 0))
		settings_wrong(c->report, conf_child(n, "devices"), "this is less than the %zu others and the EVSEs, which all are counted here", g->n_others);
	if (g->devices || g->counts != GRID_DEVICES || large == evses)
		return;
	snprintf(hint, sizeof(hint), "devices: %d", large + (int)g->n_others ? large + (int)g->n_others : 1);
	snprintf(text, sizeof(text), "%d of %d EVSEs can take no more than dim_to_w: they are no controllable devices, but are counted", evses - large, evses);
	warn_at(c, n, hint, text);
}

static void check_other(struct checking *c, const struct grid_other_settings *o)
{
	const struct conf_node *n = settings_node(c->s, "grid_operator", "others", o->id, NULL);
	if (o->rated_w <= c->s->grid->dim_to_w)
		settings_wrong(c->report, conf_child(n, "rated_w"), "it takes no more than dim_to_w, so it is no controllable device and is not dimmed: leave it out");
	if (o->dimmed_w > o->rated_w)
		settings_wrong(c->report, conf_child(n, "dimmed_w"), "more than its rated_w");
	if (c->s->grid->counts != GRID_DEVICES)
		check_refuse_keys(c->report, n, "dimmed_w meter", "with counts total, which has it in the total");
}

/* What is kept, and what of it is left for cars where others take what they may and nothing measures them. */
static void prove_dimming(struct checking *c, const struct below *b, const struct conf_node *n)
{
	const struct conf_node *what = conf_child(n, "others") ? conf_child(n, "others") : conf_child(n, "dim_to_w");
	int64_t keeps = grid_conf_keeps_w(c->s), others = grid_conf_others_w(c->s);
	if (c->proofs)
		buf_printf(c->proofs, "proof: grid_operator %d devices keep %.1f kW while dimmed", grid_conf_devices(c->s), (double)keeps / 1000);
	if (c->proofs && others)
		buf_printf(c->proofs, ", of which others may take %.1f kW", (double)others / 1000);
	if (c->proofs)
		buf_puts(c->proofs, "\n");
	if (b->evses && keeps < b->least_w)
		warn_at(c, conf_child(n, "dim_to_w") ? conf_child(n, "dim_to_w") : n, NULL, "this is less than any EVSE needs: charging pauses while dimmed");
	else if (b->evses && keeps - others < b->least_w)
		warn_at(c, what, "dimmed_w where it is dimmed, too", "others may take so much that no EVSE has what it needs: charging pauses while dimmed and they do");
}

static void check_operator(struct checking *c)
{
	const struct grid_settings *g = c->s->grid;
	const struct conf_node *n = settings_node(c->s, "grid_operator", NULL, NULL, NULL);
	if (!g)
		return;
	if (!g->n_inputs) {
		settings_wrong(c->report, n, "missing key 'inputs': without one nobody could tell a limit");
		return;
	}
	for (size_t i = 0; i < g->n_inputs; i++)
		check_input(c, &g->inputs[i]);
	const struct circuit_settings *at = g->circuit ? g->circuit : &c->s->circuits[0];
	struct below b = below_look(c->s, at);
	for (size_t i = 0; i < g->n_others; i++)
		check_other(c, &g->others[i]);
	check_devices(c, at, b.evses, n);
	prove_dimming(c, &b, n);
}

/* ---- schedules and tariffs ---- */

static void check_limits(struct checking *c, const struct conf_node *n, int32_t limit_ma, int charging_w, int import_w)
{
	if (!limit_ma && charging_w < 0 && import_w < 0)
		settings_wrong(c->report, n, "missing key 'limit_a', 'charging_w' or 'import_w'");
}

static void check_times(struct checking *c)
{
	for (size_t i = 0; i < c->s->n_schedules; i++) {
		const struct schedule_settings *t = &c->s->schedules[i];
		const struct conf_node *n = settings_node(c->s, "schedules", t->id, NULL, NULL);
		check_limits(c, n, t->limit_ma, t->charging_w, t->import_w);
		if (t->from_min == t->to_min)
			settings_wrong(c->report, conf_child(n, "to") ? conf_child(n, "to") : n, "it ends when it begins");
		if (!t->days)
			settings_wrong(c->report, conf_child(n, "days"), "there is no day on which it holds");
	}
	for (size_t i = 0; i < c->s->n_tariffs; i++) {
		const struct tariff_settings *t = &c->s->tariffs[i];
		check_limits(c, settings_node(c->s, "tariffs", t->id, NULL, NULL), t->limit_ma, t->charging_w, t->import_w);
	}
}

void check_grid(const struct settings *s, struct conf_report *report, struct buf *proofs)
{
	struct checking c = { s, report, proofs };
	for (size_t i = 0; i < s->n_circuits; i++) {
		struct below b = below_look(s, &s->circuits[i]);
		check_contract(&c, &s->circuits[i], &b);
		check_fuse(&c, &s->circuits[i], &b);
	}
	for (size_t i = 0; i < s->n_loads; i++)
		check_load(&c, &s->loads[i]);
	check_operator(&c);
	check_times(&c);
}
