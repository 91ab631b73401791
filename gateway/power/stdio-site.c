/* Nodes come in any order and are put parents first, as the balancer wants them. Several without a parent hang below one without limits, which
 * stands for what connects them and never binds.
 *
 * A DC socket speaks kilowatt; inside everything is current, by the factor the site gives, in tenths of an ampere. Easy to get wrong: between a
 * minimum and a maximum that are close to each other, or the same, there may be no such tenth. Then it counts with the next above, and the
 * set-point is cut to its maximum on the way out. */
#include "gateway/power/stdio-site.h"

#include <math.h>
#include <stdarg.h>

#include "base/clock.h"

#define STALE_LEAST_S 3
#define GRAIN_MA 100
#define MOST_A 10000.0   /* no socket takes more */
#define MOST_S 1e9
#define NEVER (-2)       /* instead of the index of an EVSE that can never charge */

void stdio_note(const struct stdio_talk *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fprintf(t->err, "ampgate: line %zu: ", t->line);
	vfprintf(t->err, fmt, ap);
	fputc('\n', t->err);
	va_end(ap);
}

int stdio_bad(const struct stdio_talk *t, int code, const char *fmt, ...)
{
	va_list ap;
	int n = t->why ? snprintf(t->why, t->room, "line %zu: ", t->line) : 0;
	va_start(ap, fmt);
	if (n > 0 && (size_t)n < t->room)
		vsnprintf(t->why + n, t->room - (size_t)n, fmt, ap);
	va_end(ap);
	return code;
}

double stdio_number(const cJSON *tree, const char *path)
{
	double v = json_number(tree, path, NAN);
	return isfinite(v) ? v : NAN;
}

static double number_or(const cJSON *tree, const char *path, double otherwise)
{
	double v = stdio_number(tree, path);
	return isnan(v) ? otherwise : v;
}

static int32_t to_ma(double amps)
{
	return amps > MOST_A * 100 ? MA_NONE : amps < 0 ? -1 : (int32_t)lrint(amps * 1000);
}

bool stdio_limits(const cJSON *limit, struct milliamps *out)
{
	bool fine = !limit || cJSON_IsNull(limit) || cJSON_IsNumber(limit) || cJSON_IsArray(limit);
	int n = cJSON_IsArray(limit) ? cJSON_GetArraySize(limit) : 1;
	for (int l = 0; l < 3; l++) {
		const cJSON *item = cJSON_IsArray(limit) ? cJSON_GetArrayItem(limit, l < n ? l : n - 1) : limit;
		out->l[l] = cJSON_IsNumber(item) && !isnan(item->valuedouble) ? to_ma(item->valuedouble) : MA_NONE;
		fine = fine && (!item || cJSON_IsNull(item) || cJSON_IsNumber(item));
	}
	return fine;
}

static int index_of(const struct map *m, struct slice id)
{
	return id.p ? (int)(intptr_t)map_get(m, id) - 1 : -1;
}

int stdio_site_node(const struct stdio_site *s, struct slice id)
{
	return index_of(&s->node_by_id, id);
}

int stdio_site_evse(const struct stdio_site *s, struct slice id)
{
	return index_of(&s->evse_by_id, id);
}

/* ---- nodes */

struct reading {
	struct stdio_site *site;
	const struct stdio_talk *talk;
	const cJSON **items;   /* as they come */
	int *parents;          /* by that order; -1: none */
	int *places;           /* where each went; -1: not yet */
	int *way;              /* from a node up to the first that has its place */
	size_t n;
	struct node_conf *nodes;
	struct meter_conf *meters;
	struct evse_conf *evses;
	double amps_per_kw;
};

static int know_nodes(struct reading *r, const cJSON *list)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		struct slice id = json_text(item, "id");
		if (!id.n)
			return stdio_bad(r->talk, ERR_INVALID, "a node without id");
		if (stdio_site_node(r->site, id) >= 0)
			return stdio_bad(r->talk, ERR_INVALID, "two nodes have the id %s", id.p);
		r->items[r->n++] = item;
		map_put(&r->site->node_by_id, id, (void *)(intptr_t)r->n);
	}
	return 0;
}

static int find_parents(struct reading *r, int *roots_out)
{
	*roots_out = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct slice above = json_text(r->items[i], "parent");
		r->places[i] = -1;
		r->parents[i] = above.n ? stdio_site_node(r->site, above) : -1;
		if (above.n && r->parents[i] < 0)
			return stdio_bad(r->talk, ERR_INVALID, "no node %s", above.p);
		*roots_out += r->parents[i] < 0;
	}
	return 0;
}

static int read_node(struct reading *r, int i)
{
	struct stdio_site *s = r->site;
	const cJSON *item = r->items[i];
	struct slice id = json_text(item, "id");
	int place = (int)s->conf.n_nodes++, parent = r->parents[i];
	struct node_conf *n = &r->nodes[place];
	*n = (struct node_conf){ .id = arena_text(&s->mem, id), .parent = parent >= 0 ? r->places[parent] : place ? 0 : -1, .meter = -1 };
	if (!stdio_limits(json_at(item, "limit_a"), &n->limit))
		return stdio_bad(r->talk, ERR_INVALID, "node %s: limit_a is no list of numbers", n->id);
	for (int l = 0; l < 3; l++)
		if (n->limit.l[l] < 0)
			return stdio_bad(r->talk, ERR_INVALID, "node %s: limit_a is below 0", n->id);
	if (json_bool(item, "metered", false)) {
		n->meter = (int)s->conf.n_meters++;
		r->meters[n->meter] = (struct meter_conf){ n->id, (int64_t)(fmax(STALE_LEAST_S, 2 * s->period_s) * US_PER_S) };
	}
	r->places[i] = place;
	return 0;
}

/* Up to the first that has its place, or to the top; then down again. */
static int place_node(struct reading *r, int i)
{
	size_t n = 0;
	int rc = 0;
	for (int at = i; at >= 0 && r->places[at] < 0; at = r->parents[at]) {
		if (n == r->n)
			return stdio_bad(r->talk, ERR_INVALID, "node %s hangs below itself", json_text(r->items[i], "id").p);
		r->way[n++] = at;
	}
	while (n > 0 && !rc)
		rc = read_node(r, r->way[--n]);
	return rc;
}

static int read_nodes(struct reading *r, const cJSON *list)
{
	struct stdio_site *s = r->site;
	int roots = 0, rc = know_nodes(r, list);
	rc = rc ? rc : find_parents(r, &roots);
	if (!rc && roots > 1)
		r->nodes[s->conf.n_nodes++] = (struct node_conf){ .id = "", .parent = -1, .limit = { { MA_NONE, MA_NONE, MA_NONE } }, .meter = -1 };
	for (size_t i = 0; i < r->n && !rc; i++)
		rc = place_node(r, (int)i);
	for (size_t i = 0; i < r->n && !rc; i++)
		map_put(&s->node_by_id, json_text(r->items[i], "id"), (void *)(intptr_t)(r->places[i] + 1));
	return rc;
}

/* ---- EVSEs */

static int read_lines(struct reading *r, const cJSON *list, struct evse_conf *e)
{
	const cJSON *item;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) < 1 || cJSON_GetArraySize(list) > 3)
		return stdio_bad(r->talk, ERR_INVALID, "EVSE %s: lines is a list of one to three", e->id);
	cJSON_ArrayForEach(item, list)
	{
		int line = cJSON_IsNumber(item) ? item->valueint : -1;
		if (line < 0 || line > 2)
			return stdio_bad(r->talk, ERR_INVALID, "EVSE %s: lines are 0, 1 and 2", e->id);
		e->lines[e->n_lines++] = (uint8_t)line;
	}
	return 0;
}

/* In its own unit. */
struct range {
	double min, max, alone, unit;
};

static int read_range(struct reading *r, const cJSON *item, const char *id, struct range *k)
{
	bool direct = slice_is(json_text(item, "kind"), "dc");
	*k = (struct range){ number_or(item, "min", 6), number_or(item, "max", 32), number_or(item, "failsafe", 0), direct ? r->amps_per_kw : 1 };
	if (k->min < 0 || k->max < 0 || k->alone < 0)
		return stdio_bad(r->talk, ERR_INVALID, "EVSE %s: its min, max or failsafe is below 0", id);
	if (direct && !(k->unit > 0 && k->unit <= MOST_A))
		return stdio_bad(r->talk, ERR_INVALID, "EVSE %s: dc_amps_per_kw is not above 0", id);
	if (k->alone > k->max)
		stdio_note(r->talk, "EVSE %s: failsafe is above max, and is taken as max", id);
	if (k->min > k->max)
		stdio_note(r->talk, "EVSE %s: min is above max, and is taken as max", id);
	k->alone = fmin(k->alone, k->max);
	k->min = fmin(k->min, k->max);
	return 0;
}

static void set_range(struct evse_conf *e, const struct range *k)
{
	e->min_ma = (int32_t)ceil(fmin(k->min * k->unit, MOST_A) * 1000 / GRAIN_MA - 1e-6) * GRAIN_MA;
	e->max_ma = to_ma(fmin(k->max * k->unit, MOST_A));
	e->fallback_ma = to_ma(fmin(k->alone * k->unit, MOST_A));
	if (e->max_ma < e->min_ma || e->max_ma < GRAIN_MA)
		e->max_ma = e->min_ma > GRAIN_MA ? e->min_ma : GRAIN_MA;
}

static int read_evse(struct reading *r, const cJSON *item)
{
	struct stdio_site *s = r->site;
	struct slice id = json_text(item, "id");
	struct range k;
	struct evse_conf *e = &r->evses[s->conf.n_evses];
	*e = (struct evse_conf){ .id = arena_text(&s->mem, id), .evse = 1, .node = stdio_site_node(s, json_text(item, "node")) };
	if (!id.n || e->node < 0)
		return stdio_bad(r->talk, ERR_INVALID, "an EVSE without id or node: %.*s", (int)id.n, id.p ? id.p : "");
	if (map_get(&s->evse_by_id, id))
		return stdio_bad(r->talk, ERR_INVALID, "two EVSEs have the id %s", e->id);
	int rc = read_lines(r, json_at(item, "lines"), e);
	rc = rc ? rc : read_range(r, item, e->id, &k);
	if (rc)
		return rc;
	map_put(&s->evse_by_id, id, (void *)(intptr_t)(k.max > 0 ? (int)s->conf.n_evses + 1 : NEVER + 1));
	if (k.max <= 0)
		return 0;
	e->station = e->id;
	set_range(e, &k);
	e->fallback_after_us = (int64_t)(fmax(0, fmin(number_or(item, "failsafe_after_s", 60), MOST_S)) * US_PER_S);
	s->points[s->conf.n_evses] = (struct period_evse){ k.unit, k.min, k.max };
	s->direct[s->conf.n_evses++] = slice_is(json_text(item, "kind"), "dc");
	return 0;
}

/* ---- */

static void take_room(struct reading *r, size_t nodes, size_t evses)
{
	struct arena *mem = &r->site->mem;
	r->items = arena_new(mem, (nodes + 1) * sizeof(*r->items));
	r->parents = arena_new(mem, (nodes + 1) * sizeof(int));
	r->places = arena_new(mem, (nodes + 1) * sizeof(int));
	r->way = arena_new(mem, (nodes + 1) * sizeof(int));
	r->nodes = arena_new(mem, (nodes + 1) * sizeof(*r->nodes));
	r->meters = arena_new(mem, (nodes + 1) * sizeof(*r->meters));
	r->evses = arena_new(mem, (evses + 1) * sizeof(*r->evses));
	r->site->points = arena_new(mem, (evses + 1) * sizeof(*r->site->points));
	r->site->direct = arena_new(mem, evses + 1);
}

int stdio_site_read(struct stdio_site *s, const cJSON *hello, const struct stdio_talk *t)
{
	const cJSON *nodes = json_at(hello, "nodes"), *evses = json_at(hello, "evses"), *item;
	struct reading r = { .site = s, .talk = t, .amps_per_kw = number_or(hello, "dc_amps_per_kw", 1.54) };
	char why[160];
	*s = (struct stdio_site){ .period_s = number_or(hello, "period_s", 1) };
	s->period_s = fmax(0, fmin(s->period_s, MOST_S));
	period_preset(&s->conf, s->period_s);
	take_room(&r, (size_t)cJSON_GetArraySize(nodes), (size_t)cJSON_GetArraySize(evses));
	int rc = read_nodes(&r, nodes);
	cJSON_ArrayForEach(item, evses)
	{
		rc = rc ? rc : read_evse(&r, item);
	}
	s->conf.nodes = r.nodes;
	s->conf.meters = r.meters;
	s->conf.evses = r.evses;
	struct site_parts parts = { r.nodes, s->conf.n_nodes, r.meters, s->conf.n_meters, r.evses, s->conf.n_evses, NULL, 0 };
	if (!rc && site_check(&parts, why, sizeof(why)))
		rc = stdio_bad(t, ERR_INVALID, "the site: %s", why);
	return rc;
}

void stdio_site_free(struct stdio_site *s)
{
	map_free(&s->node_by_id);
	map_free(&s->evse_by_id);
	arena_free(&s->mem);
}
