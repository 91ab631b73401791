/* What no single row can say: the circuits as a tree, the phases that a station really uses, the identities and passwords that follow from
 * others. Runs on settings whose rows were all read without an error, so that every required value and reference is there. */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/settings-tables.h"

const struct conf_node *settings_node(const struct settings *s, const char *a, const char *b, const char *c, const char *d)
{
	const char *path[] = { a, b, c, d };
	const struct conf_node *n = s->source->tree;
	for (size_t i = 0; i < 4 && path[i]; i++) {
		const struct conf_node *below = conf_child(n, path[i]);
		if (!below)
			break;
		n = below;
	}
	return n;
}

void settings_wrong(struct conf_report *r, const struct conf_node *n, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	conf_say(r, CONF_ERROR, n->kind == CONF_MAP && n->key ? &n->key_pos : &n->pos, NULL, "%s", text.p);
	buf_free(&text);
}

/* ---- circuits ---- */

/* Parents were sorted before their children; what is left in the wrong order goes round in a circle. */
static bool link_order(struct settings *s, struct conf_report *r)
{
	for (struct circuit_settings *c = s->circuits; c < s->circuits + s->n_circuits; c++) {
		if (!c->parent || c->parent < c)
			continue;
		settings_wrong(r, settings_node(s, "circuits", c->id, "parent", NULL), "circuit '%s' feeds itself", c->id);
		return false;
	}
	return true;
}

static void link_root(struct settings *s, struct conf_report *r)
{
	const struct circuit_settings *root = NULL;
	for (struct circuit_settings *c = s->circuits; c < s->circuits + s->n_circuits; c++) {
		if (c->kind != CIRCUIT_GRID) {
			if (!c->parent)
				settings_wrong(r, settings_node(s, "circuits", c->id, NULL, NULL), "circuit '%s' has no parent", c->id);
			continue;
		}
		if (root)
			settings_wrong(r, settings_node(s, "circuits", c->id, "kind", NULL), "a second grid_connection, '%s' is the first", root->id);
		else if (c->parent)
			settings_wrong(r, settings_node(s, "circuits", c->id, "parent", NULL), "the grid_connection has no parent");
		root = c;
	}
	if (!root)
		settings_wrong(r, settings_node(s, "circuits", NULL, NULL, NULL), "no circuit is of kind grid_connection");
}

static void link_circuit_phases(struct settings *s, struct circuit_settings *c, struct conf_report *r)
{
	uint8_t above = c->parent ? c->parent->phases : PHASE_ALL;
	if (!c->phases)
		c->phases = above;
	for (int p = 0; p < 3; p++) {
		if (c->phases & ~above & 1 << p)
			settings_wrong(r, settings_node(s, "circuits", c->id, "phases", NULL), "L%d is not a phase of circuit '%s'", p + 1, c->parent->id);
		if (!(c->phases & 1 << p))
			c->limit_ma[p] = 0;
		else if (c->reserve_ma >= c->limit_ma[p])
			settings_wrong(r, settings_node(s, "circuits", c->id, "reserve_a", NULL), "reserve_a leaves nothing of limit_a");
	}
}

static void link_circuits(struct settings *s, struct conf_report *r)
{
	if (!link_order(s, r))
		return;
	link_root(s, r);
	for (size_t i = 0; i < s->n_circuits; i++)
		link_circuit_phases(s, &s->circuits[i], r);
}

/* ---- phases of stations and of the box's own EVSEs ---- */

/* In this order the first that fits keeps the phases in theirs. */
static const char *const rotations[] = { "RST", "STR", "RTS", "TRS", "SRT", "TSR" };

/* The grid phases at the first n terminals. */
static uint8_t terminals(const char *rotation, int n)
{
	uint8_t mask = 0;
	for (int i = 0; i < n; i++)
		mask |= (uint8_t)(1 << (rotation[i] - 'R'));
	return mask;
}

static uint8_t first_phases(uint8_t of, int n)
{
	uint8_t mask = 0;
	for (int p = 0; p < 3 && n; p++) {
		if (of & 1 << p) {
			mask |= (uint8_t)(1 << p);
			n--;
		}
	}
	return mask;
}

static int how_many(uint8_t phases)
{
	return __builtin_popcount(phases);
}

/* What a station or an EVSE of the box says of its wiring. */
struct wiring {
	const char *section, *id;
	const struct circuit_settings *circuit;
	uint8_t *phases, *grid_phase;
	const char **rotation;
};

/* From "two phases" to which ones: those at its terminals where the wiring is said, else the first ones of its circuit. */
static uint8_t named_phases(const struct wiring *w)
{
	if (!(*w->phases & PHASES_COUNTED))
		return *w->phases ? *w->phases : w->circuit->phases;
	int n = *w->phases & ~PHASES_COUNTED;
	return *w->rotation ? terminals(*w->rotation, n) : first_phases(w->circuit->phases, n);
}

static const char *rotation_for(uint8_t phases)
{
	for (size_t i = 0; i < sizeof(rotations) / sizeof(rotations[0]); i++)
		if (terminals(rotations[i], how_many(phases)) == phases)
			return rotations[i];
	assert(!"every set of phases is at the first terminals of some rotation");
	return "RST";
}

static void link_phases(struct settings *s, const struct wiring *w, struct conf_report *r)
{
	const struct conf_node *at = settings_node(s, w->section, w->id, "phases", NULL);
	int wanted = *w->phases & PHASES_COUNTED ? *w->phases & ~PHASES_COUNTED : 0;
	uint8_t phases = *w->phases = named_phases(w);
	if (how_many(phases) < wanted)
		settings_wrong(r, at, "circuit '%s' has fewer phases than that", w->circuit->id);
	for (int p = 0; p < 3; p++)
		if (phases & ~w->circuit->phases & 1 << p)
			settings_wrong(r, at, "L%d is not a phase of circuit '%s'", p + 1, w->circuit->id);
	if (!*w->rotation)
		*w->rotation = rotation_for(phases);
	else if (terminals(*w->rotation, how_many(phases)) != phases)
		settings_wrong(r, settings_node(s, w->section, w->id, "rotation", NULL), "rotation %s brings other phases to the %s than 'phases' says", *w->rotation,
			strcmp(w->section, "evses") == 0 ? "EVSE" : "station");
	for (int i = 0; i < 3; i++)
		w->grid_phase[i] = (uint8_t)((*w->rotation)[i] - 'R');
}

/* ---- identities and passwords ---- */

/* What is shown to the CSMS for the station of this identity there; NULL: nothing, or it does not exist and that is said. */
static const char *uplink_password(struct settings *s, const struct uplink_settings *u, const char *uplink_id, struct conf_report *r)
{
	if (!u || !u->password)
		return NULL;
	const char *text = settings_secret_text(s->source, &s->source->mem, u->password, uplink_id);
	if (!text)
		settings_secret_missing(s->source, r, settings_node(s, "uplinks", u->id, "password", NULL), uplink_id);
	return text;
}

/* The CSMS never sees a member of an aggregate, so nothing is shown for it. */
static bool is_member(const struct uplink_settings *u)
{
	return u && u->mode == UPLINK_AGGREGATE;
}

/* Where the currents of direct current come from: the least that gives the minimum, the most that gives the maximum. */
static void link_direct(const struct settings *s, struct station_settings *st)
{
	double ma_per_w = 1000 / (st->efficiency * 3 * s->site.voltage_v);
	if (!st->dc)
		return;
	st->max_current_ma = (int32_t)floor((double)st->max_power_w * ma_per_w);
	st->min_current_ma = (int32_t)ceil((double)st->min_power_w * ma_per_w);
	st->fallback_current_ma = (int32_t)ceil((double)st->fallback_power_w * ma_per_w);
	if (st->min_power_w == st->max_power_w) /* of one power: rounding must not part them */
		st->min_current_ma = st->max_current_ma;
}

static void link_station(struct settings *s, struct station_settings *st, struct conf_report *r)
{
	link_direct(s, st);
	if (!st->min_current_ma && !st->dc)
		st->min_current_ma = s->balancing.min_current_ma;
	if (!st->uplink_id)
		st->uplink_id = st->id;
	link_phases(s, &(struct wiring){ "stations", st->id, st->circuit, &st->phases, st->grid_phase, &st->rotation }, r);
	if (!st->password_relay && !is_member(st->uplink))
		st->uplink_password = uplink_password(s, st->uplink, st->uplink_id, r);
}

/* Its place among the EVSEs of its station. */
static void number_evse(struct settings *s, struct evse_settings *e)
{
	if (!e->station)
		e->station = e->id;
	e->evse = 1;
	for (const struct evse_settings *o = s->evses; o < e; o++)
		e->evse += strcmp(o->station, e->station) == 0;
	if (e->driver != EVSE_SIM && e->driver != EVSE_PLUGIN)
		e->pilot = e->driver == EVSE_PILOT_BOARD || e->driver == EVSE_MODBUS_EVSE;
}

static void link_evse(struct settings *s, struct evse_settings *e, struct conf_report *r)
{
	number_evse(s, e);
	link_phases(s, &(struct wiring){ "evses", e->id, e->circuit, &e->phases, e->grid_phase, &e->rotation }, r);
	if (e->meter)
		((struct meter_settings *)e->meter)->id = e->id;
	if (!is_member(e->uplink))
		e->uplink_password = uplink_password(s, e->uplink, e->station, r);
}

/* ---- uplinks ---- */

static void link_own_identity(struct settings *s, struct uplink_settings *u, struct conf_report *r)
{
	int n;
	if (!u->own_identity)
		return;
	const struct conf_node *node = settings_node(s, "uplinks", u->id, "own_identity", NULL);
	if (settings_station(s, slice_of(u->own_identity)) || settings_own_station(s, slice_of(u->own_identity), &n))
		settings_wrong(r, node, "'%s' is a station already", u->own_identity);
	for (const struct uplink_settings *o = s->uplinks; o < u; o++)
		if (o->own_identity && strcmp(o->own_identity, u->own_identity) == 0)
			settings_wrong(r, node, "'%s' is the identity of uplink '%s' already", u->own_identity, o->id);
	u->own_password = uplink_password(s, u, u->own_identity, r);
}

/* By insertion: qsort does not promise to keep the order of equals, the file's order means something, and they are few. */
static void sort_endpoints(struct endpoint_settings *e, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		for (size_t k = i; k && e[k - 1].priority > e[k].priority; k--) {
			struct endpoint_settings swap = e[k];
			e[k] = e[k - 1];
			e[k - 1] = swap;
		}
	}
}

static void link_uplink(struct settings *s, struct uplink_settings *u, struct conf_report *r)
{
	sort_endpoints(u->endpoints, u->n_endpoints);
	if (!u->n_endpoints)
		settings_wrong(r, settings_node(s, "uplinks", u->id, "endpoints", NULL), "an uplink needs an endpoint");
	if (u->mode == UPLINK_AGGREGATE && u->identity)
		u->group_password = uplink_password(s, u, u->identity, r);
	if (u->reconnect.min_us > u->reconnect.max_us)
		settings_wrong(r, settings_node(s, "uplinks", u->id, "reconnect", "max"), "the longest pause is shorter than the first");
}

/* ---- what feeds the stations of an aggregate ---- */

static bool is_under(const struct circuit_settings *c, const struct circuit_settings *top)
{
	while (c && c != top)
		c = c->parent;
	return c != NULL;
}

/* Whether a circuit feeds all stations of the uplink, and no others. */
bool settings_feeds_only(const struct settings *s, const struct circuit_settings *c, const struct uplink_settings *u)
{
	for (size_t i = 0; i < s->n_stations; i++)
		if (is_under(s->stations[i].circuit, c) != (s->stations[i].uplink == u))
			return false;
	for (size_t i = 0; i < s->n_evses; i++)
		if (is_under(s->evses[i].circuit, c) != (s->evses[i].uplink == u))
			return false;
	return true;
}

/* The one nearest to the stations: it has the smallest fuse and the fewest other loads. Parents stand before their children. */
static void link_group(struct settings *s, struct uplink_settings *u)
{
	for (size_t i = s->n_circuits; i-- > 0 && !u->group_circuit && u->mode == UPLINK_AGGREGATE;)
		if (settings_feeds_only(s, &s->circuits[i], u))
			u->group_circuit = &s->circuits[i];
}

/* ---- the grid ---- */

#define POLLED_STALE_US INT64_C(10000000)

/* Prices in the order of the day. Few, and the order of equals does not matter. */
static void sort_prices(struct price_settings *p, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		for (size_t k = i; k && p[k - 1].from_min > p[k].from_min; k--) {
			struct price_settings swap = p[k];
			p[k] = p[k - 1];
			p[k - 1] = swap;
		}
	}
}

static void link_grid(struct settings *s)
{
	for (size_t i = 0; s->grid && i < s->grid->n_inputs; i++) {
		struct grid_input_settings *in = &s->grid->inputs[i];
		if (!in->stale_after_us && in->kind <= GRID_REGISTER)
			in->stale_after_us = POLLED_STALE_US;
	}
	for (size_t i = 0; i < s->n_tariffs; i++)
		sort_prices(s->tariffs[i].prices, s->tariffs[i].n_prices);
}

void settings_link(struct settings *s, struct conf_report *r)
{
	unsigned before = r->errors;
	link_circuits(s, r);
	bool circle = r->errors > before;
	for (size_t i = 0; i < s->n_uplinks; i++)
		link_uplink(s, &s->uplinks[i], r);
	if (circle)
		return; /* stations could hang on it */
	if (!s->station_defaults.min_current_ma)
		s->station_defaults.min_current_ma = s->balancing.min_current_ma;
	link_direct(s, &s->station_defaults);
	for (size_t i = 0; i < s->n_stations; i++)
		link_station(s, &s->stations[i], r);
	for (size_t i = 0; i < s->n_evses; i++)
		link_evse(s, &s->evses[i], r);
	for (size_t i = 0; i < s->n_uplinks; i++)
		link_group(s, &s->uplinks[i]);
	for (size_t i = 0; i < s->n_uplinks; i++)
		link_own_identity(s, &s->uplinks[i], r);
	link_grid(s);
}
