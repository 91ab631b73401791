/* Another configuration for a balancer that runs. A new one is opened beside it and takes over what was learnt; then the two change places, so
 * that whoever holds the balancer keeps holding it. Easy to get wrong: texts and rows of the old site die with it, so no pointer into it may
 * come along. */
#include "energy/control.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "energy/control-local.h"
#include "energy/record-local.h"

static void keep_meter(struct meter *to, const struct meter *from)
{
	const struct meter_conf *conf = to->conf;
	*to = *from;
	to->conf = conf;
}

static void keep_window(struct window *to, const struct window *from)
{
	int64_t limit_w = to->limit_w;
	if (to->length_us != from->length_us)
		return;
	*to = *from;
	to->limit_w = limit_w;
}

static void keep_node(struct junction *to, const struct junction *from)
{
	struct junction n = *from;
	n.conf = to->conf;
	n.meter = to->meter;
	n.sockets = to->sockets;
	n.window = to->window;
	memcpy(n.limit, to->limit, sizeof(n.limit));
	memset(n.cap, 0, sizeof(n.cap));
	memset(n.witness.slots, 0, sizeof(n.witness.slots)); /* EVSEs may stand elsewhere now */
	keep_window(&n.window, &from->window);
	*to = n;
}

static void keep_seat(struct seat *to, const struct seat *from)
{
	const struct evse_conf *conf = to->conf;
	*to = *from;
	to->conf = to->car.conf = conf;
	to->cap = NULL;
	to->lost = NULL;
	to->grant.binding.ref = NULL;
}

static void take_over(struct control *to, const struct control *from)
{
	for (size_t i = 0; i < from->site.parts.n_meters; i++)
		keep_meter(&to->meters[i], &from->meters[i]);
	for (size_t i = 0; i < from->site.parts.n_nodes; i++)
		keep_node(&to->nodes[i], &from->nodes[i]);
	for (size_t i = 0; i < from->site.parts.n_evses; i++)
		keep_seat(&to->seats[i], &from->seats[i]);
	memcpy(to->caps, from->caps, sizeof(to->caps));
	to->caps_end = CAPS_MOST;
	to->last_cap = from->last_cap;
	to->wall = from->wall;
	to->usual = from->usual;
	to->starts_alone = from->starts_alone;
	to->now_us = from->now_us;
}

/* The same for a balancer with the same configuration that has to decide the same: nothing may be lost. */
static void take_all(struct control *to, const struct control *from)
{
	take_over(to, from);
	to->pace = from->pace;
	to->slack_us = from->slack_us;
	for (size_t i = 0; i < to->site.parts.n_nodes; i++)
		memcpy(to->nodes[i].limit, from->nodes[i].limit, sizeof(to->nodes[i].limit));
}

struct control *control_copy(const struct control *c, const struct control_events *events, void *arg)
{
	struct control *copy = control_open(&c->conf, events, arg);
	take_all(copy, c);
	return copy;
}

/* --- as bytes --- */

struct known {
	uint32_t sizes[5];
	uint32_t counts[3];
	struct told_cap caps[CAPS_MOST];
	struct wall wall;
	struct need_usual usual;
	int last_cap;
	struct pace pace;
	bool starts_alone;
	int64_t now_us;
};

static void describe(const struct control *c, struct known *k)
{
	const uint32_t sizes[5] = { sizeof(struct known), sizeof(struct meter), sizeof(struct junction), sizeof(struct seat), sizeof(struct control) };
	memset(k, 0, sizeof(*k));
	memcpy(k->sizes, sizes, sizeof(sizes));
	k->counts[0] = (uint32_t)c->site.parts.n_meters;
	k->counts[1] = (uint32_t)c->site.parts.n_nodes;
	k->counts[2] = (uint32_t)c->site.parts.n_evses;
}

static void forget_addresses(struct seat *s)
{
	s->conf = s->car.conf = NULL;
	s->cap = NULL;
	s->lost = NULL;
	s->conduct = NULL;
	s->grant.binding.reason = s->grant.binding.ref = NULL;
}

void control_known(const struct control *c, struct buf *out)
{
	struct known k;
	describe(c, &k);
	memcpy(k.caps, c->caps, sizeof(k.caps));
	k.wall = c->wall;
	k.usual = c->usual;
	k.last_cap = c->last_cap;
	k.pace = c->pace;
	k.starts_alone = c->starts_alone;
	k.now_us = c->now_us;
	buf_add(out, &k, sizeof(k));
	for (size_t i = 0; i < c->site.parts.n_meters; i++) {
		struct meter m = c->meters[i];
		m.conf = NULL;
		buf_add(out, &m, sizeof(m));
	}
	for (size_t i = 0; i < c->site.parts.n_nodes; i++) {
		struct junction n = c->nodes[i];
		n.conf = NULL;
		n.meter = NULL;
		memset(n.cap, 0, sizeof(n.cap));
		buf_add(out, &n, sizeof(n));
	}
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		struct seat s = c->seats[i];
		forget_addresses(&s);
		buf_add(out, &s, sizeof(s));
	}
}

int control_knows(struct control *c, const void *bytes, size_t n)
{
	struct control from = *c;
	struct known here, k;
	describe(c, &here);
	size_t meters = here.counts[0] * sizeof(struct meter), nodes = here.counts[1] * sizeof(struct junction), seats = here.counts[2] * sizeof(struct seat);
	if (n != sizeof(k) + meters + nodes + seats)
		return ERR_UNSUPPORTED;
	memcpy(&k, bytes, sizeof(k));
	if (memcmp(here.sizes, k.sizes, sizeof(k.sizes)) != 0 || memcmp(here.counts, k.counts, sizeof(k.counts)) != 0)
		return ERR_UNSUPPORTED;
	const char *at = (const char *)bytes + sizeof(k);
	from.meters = mem_new(meters);
	from.nodes = mem_new(nodes);
	from.seats = mem_new(seats);
	memcpy(from.meters, at, meters);
	memcpy(from.nodes, at + meters, nodes);
	memcpy(from.seats, at + meters + nodes, seats);
	memcpy(from.caps, k.caps, sizeof(k.caps));
	from.wall = k.wall;
	from.usual = k.usual;
	from.last_cap = k.last_cap;
	from.pace = k.pace;
	from.starts_alone = k.starts_alone;
	from.now_us = k.now_us;
	take_all(c, &from);
	mem_free(from.meters);
	mem_free(from.nodes);
	mem_free(from.seats);
	return 0;
}

/* --- another configuration --- */

void control_change(struct control *c, const struct control_conf *conf)
{
	assert(conf->n_meters >= c->site.parts.n_meters && conf->n_nodes >= c->site.parts.n_nodes && conf->n_evses >= c->site.parts.n_evses);
	record_change(c, conf);
	struct control *next = control_open(conf, &c->events, c->arg), was = *c;
	take_over(next, c);
	next->record = c->record;
	next->record_arg = c->record_arg;
	*c = *next;
	*next = was;
	control_close(next);
}
