/* The tree as plain arrays, parents before children, so that one pass up or down visits everything. */
#include "energy/site.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static int broken(char *why, size_t room, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int broken(char *why, size_t room, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, room, fmt, ap);
	va_end(ap);
	return ERR_INVALID;
}

static int check_node(const struct site_parts *s, size_t i, char *why, size_t room)
{
	const struct node_conf *n = &s->nodes[i];
	if (i ? n->parent < 0 || n->parent >= (int)i : n->parent != -1)
		return broken(why, room, "node %s: its parent does not come before it", n->id);
	if (n->meter < -1 || n->meter >= (int)s->n_meters)
		return broken(why, room, "node %s: no such meter", n->id);
	for (int l = 0; l < 3; l++)
		if (n->limit.l[l] < 0 || n->reserve.l[l] < 0 || n->reserve.l[l] > n->limit.l[l])
			return broken(why, room, "node %s: L%d: the reserve is above the limit, or one is negative", n->id, l + 1);
	if (n->power_w < 0 || n->window_us < 0 || n->imbalance_ma < 0)
		return broken(why, room, "node %s: a negative limit", n->id);
	return 0;
}

static int check_fixture(const struct site_parts *s, size_t i, char *why, size_t room)
{
	const struct fixture_conf *f = &s->fixtures[i];
	if (f->node < 0 || f->node >= (int)s->n_nodes || f->meter < -1 || f->meter >= (int)s->n_meters)
		return broken(why, room, "load %s: no such node or meter", f->id);
	for (int l = 0; l < 3; l++)
		if (f->estimate.l[l] < 0)
			return broken(why, room, "load %s: a negative estimate", f->id);
	return 0;
}

static int check_lines(const struct evse_conf *e, char *why, size_t room)
{
	unsigned seen = 0;
	if (e->n_lines < 1 || e->n_lines > 3)
		return broken(why, room, "evse %s: has one to three phases", e->id);
	for (int p = 0; p < e->n_lines; p++) {
		if (e->lines[p] > 2 || seen & (1u << e->lines[p]))
			return broken(why, room, "evse %s: its phases are not on different lines", e->id);
		seen |= 1u << e->lines[p];
	}
	return 0;
}

static int check_evse(const struct site_parts *s, size_t i, char *why, size_t room)
{
	const struct evse_conf *e = &s->evses[i];
	if (e->node < 0 || e->node >= (int)s->n_nodes)
		return broken(why, room, "evse %s: no such node", e->id);
	if (e->min_ma < 0 || e->max_ma <= 0 || e->min_ma > e->max_ma)
		return broken(why, room, "evse %s: its minimum is above its maximum", e->id);
	if (e->fallback_ma < 0 || e->fallback_ma > e->max_ma || e->step_ma < 0 || e->step_ma > e->max_ma)
		return broken(why, room, "evse %s: its fallback or step is above its maximum", e->id);
	return check_lines(e, why, room);
}

int site_check(const struct site_parts *s, char *why, size_t room)
{
	int rc = s->n_nodes ? 0 : broken(why, room, "there is no grid connection");
	for (size_t i = 0; i < s->n_nodes && !rc; i++)
		rc = check_node(s, i, why, room);
	for (size_t i = 0; i < s->n_evses && !rc; i++)
		rc = check_evse(s, i, why, room);
	for (size_t i = 0; i < s->n_fixtures && !rc; i++)
		rc = check_fixture(s, i, why, room);
	return rc;
}

bool site_below(const struct site_parts *s, int node, int top)
{
	while (node > top)
		node = s->nodes[node].parent;
	return node == top;
}

int64_t site_fallback_ma(const struct site_parts *s, int node, int line)
{
	int64_t sum = 0;
	for (size_t i = 0; i < s->n_evses; i++) {
		const struct evse_conf *e = &s->evses[i];
		for (int p = 0; p < e->n_lines; p++)
			if (e->lines[p] == line && site_below(s, e->node, node))
				sum += e->fallback_ma;
	}
	return sum;
}

static char *text_in(struct arena *mem, const char *text)
{
	return text ? arena_text(mem, slice_of(text)) : NULL;
}

static void *array_in(struct arena *mem, const void *from, size_t n, size_t size)
{
	void *to = arena_new(mem, n ? n * size : 1);
	if (n)
		memcpy(to, from, n * size);
	return to;
}

void site_copy(struct site *out, const struct site_parts *from)
{
	memset(out, 0, sizeof(*out));
	out->nodes = array_in(&out->mem, from->nodes, from->n_nodes, sizeof(*from->nodes));
	out->meters = array_in(&out->mem, from->meters, from->n_meters, sizeof(*from->meters));
	out->evses = array_in(&out->mem, from->evses, from->n_evses, sizeof(*from->evses));
	out->fixtures = array_in(&out->mem, from->fixtures, from->n_fixtures, sizeof(*from->fixtures));
	for (size_t i = 0; i < from->n_fixtures; i++)
		out->fixtures[i].id = text_in(&out->mem, from->fixtures[i].id);
	for (size_t i = 0; i < from->n_nodes; i++)
		out->nodes[i].id = text_in(&out->mem, from->nodes[i].id);
	for (size_t i = 0; i < from->n_meters; i++)
		out->meters[i].id = text_in(&out->mem, from->meters[i].id);
	for (size_t i = 0; i < from->n_evses; i++) {
		out->evses[i].id = text_in(&out->mem, from->evses[i].id);
		out->evses[i].station = text_in(&out->mem, from->evses[i].station);
	}
	out->parts = (struct site_parts){ out->nodes, from->n_nodes, out->meters, from->n_meters, out->evses, from->n_evses, out->fixtures,
					  from->n_fixtures };
}

void site_free(struct site *s)
{
	arena_free(&s->mem);
}
