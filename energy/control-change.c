/* Another configuration for a balancer that runs. A new one is opened beside it and takes over what was learnt; then the two change places, so
 * that whoever holds the balancer keeps holding it. Easy to get wrong: texts and rows of the old site die with it, so no pointer into it may
 * come along. */
#include "energy/control.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "energy/control-local.h"

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
	n.window = to->window;
	memcpy(n.limit, to->limit, sizeof(n.limit));
	memset(n.cap, 0, sizeof(n.cap));
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
	to->last_cap = from->last_cap;
	to->wall = from->wall;
	to->usual = from->usual;
	to->now_us = from->now_us;
}

void control_change(struct control *c, const struct control_conf *conf)
{
	assert(conf->n_meters >= c->site.parts.n_meters && conf->n_nodes >= c->site.parts.n_nodes && conf->n_evses >= c->site.parts.n_evses);
	struct control *next = control_open(conf, &c->events, c->arg), was = *c;
	take_over(next, c);
	*c = *next;
	*next = was;
	control_close(next);
}
