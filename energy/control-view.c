/* What the balancer tells: views for status and telemetry, and why an EVSE has the limit it has.
 *
 * A chain is made of every cap there is, each with the current it would leave this EVSE if it were alone: a node's cap is what the EVSE has
 * been allocated plus what the node has left on that line. So the smallest is the one that binds, and the next ones tell how much there would
 * be to gain. Ties are settled by order of entry: what was decided last (a wait, a ramp) before what it was decided from. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "energy/control-local.h"

struct chain {
	struct cap *at;
	size_t n;
};

static void add(struct chain *ch, struct cap cap)
{
	size_t i = ch->n;
	if (ch->n == CHAIN_MOST)
		return;
	for (; i > 0 && ch->at[i - 1].value_ma > cap.value_ma; i--)
		ch->at[i] = ch->at[i - 1];
	ch->at[i] = cap;
	ch->n++;
}

static int32_t narrow(int64_t ma)
{
	return ma > ALLOC_MOST_MA ? ALLOC_MOST_MA : ma < 0 ? 0 : (int32_t)ma;
}

static void add_way(const struct control *c, const struct seat *s, struct chain *ch)
{
	switch (s->way) {
	case SEAT_OFFLINE:
		add(ch, (struct cap){ "offline_fallback", s->conf->station, 0, guard_offline_ma(&s->car, s->link_us, c->now_us), s->link_us, 0 });
		break;
	case SEAT_FAULT:
		add(ch, (struct cap){ "fault", s->state == EVSE_FAULTED ? "faulted" : "unavailable", 0, 0, s->state_us, 0 });
		break;
	case SEAT_FREE:
		add(ch, (struct cap){ "ev", NULL, 0, 0, s->state_us, 0 });
		break;
	case SEAT_UNCONFIRMED:
		add(ch, (struct cap){ "unconfirmed", s->conduct ? s->conduct : s->conf->station, 0, s->limit.ma > 0 ? s->limit.ma : 0, s->car.told_us, 0 });
		break;
	case SEAT_SERVED:
		break;
	}
}

/* When the first turn of those who are served ends: no later than then somebody who waits is let in. */
static int64_t next_turn(const struct control *c)
{
	int64_t first = 0;
	if (c->policy->in_turn || c->conf.rotate_every_us <= 0)
		return 0;
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		if (s->way == SEAT_SERVED && s->served_us && (!first || s->served_us + c->conf.rotate_every_us < first))
			first = s->served_us + c->conf.rotate_every_us;
	}
	return first > c->now_us ? first : 0;
}

static void add_meters(const struct control *c, const struct seat *s, struct chain *ch)
{
	if (s->widens)
		add(ch, (struct cap){ "phases", NULL, 0, 0, s->fits_us, 0 });
	else if (s->unshown)
		add(ch, (struct cap){ "phases", NULL, 0, s->min_ma, s->switched_us, s->switched_us + PHASES_SHOW_US });
	if (s->lost)
		add(ch, (struct cap){ "meter_lost", s->lost->meter->conf->id, 0, s->lost_ma, s->lost->guard_since_us, 0 });
	if (s->way != SEAT_SERVED || s->limit.hold != LIMIT_FROZEN)
		return;
	for (int i = s->conf->node; i >= 0; i = c->nodes[i].conf->parent) {
		const struct junction *n = &c->nodes[i];
		if (n->guard == METER_STALE)
			add(ch, (struct cap){ "meter_lost", n->meter->conf->id, 0, s->limit.ma > 0 ? s->limit.ma : 0, n->guard_since_us, 0 });
	}
}

static int64_t counted(const struct seat *s, int room)
{
	if (s->way == SEAT_SERVED)
		return s->take_ma;
	return room < ALLOC_SUM ? s->fixed[room] : room >= ALLOC_UNEVEN ? s->fixed[room - ALLOC_UNEVEN] : 0;
}

static struct cap node_cap(const struct control *c, int node, int room, int32_t value_ma)
{
	static const char *const own[ALLOC_ROOMS] = { "circuit", "circuit", "circuit", "grid_power", "imbalance", "imbalance", "imbalance" };
	const struct junction *n = &c->nodes[node];
	const struct told_cap *told = n->cap[room];
	struct cap cap = { own[room], n->conf->id, room < ALLOC_SUM ? room + 1 : room >= ALLOC_UNEVEN ? room - ALLOC_UNEVEN + 1 : 0, value_ma, 0, 0 };
	if (told) {
		cap.reason = told->reason;
		cap.ref = told->owner[0] ? told->owner : n->conf->id;
		cap.since_us = told->since_us;
		cap.until_us = told->until_us == INT64_MAX ? 0 : told->until_us;
	}
	return cap;
}

static void add_node(const struct control *c, const struct seat *s, int node, int room, struct chain *ch)
{
	const struct junction *n = &c->nodes[node];
	if (n->room[room] == NO_BOUND)
		return;
	int32_t ma = narrow(counted(s, room) + (n->left[room] > 0 ? n->left[room] / alloc_times(control_lines(s), room) : 0));
	if (s->way == SEAT_SERVED)
		ma = car_offer(&s->car, ma);
	if (s->way == SEAT_SERVED && s->share.bound == ALLOC_OWN && ma < s->asked_ma)
		ma = s->asked_ma; /* its own step, not the node, keeps it below what it asked for */
	add(ch, node_cap(c, node, room, ma));
}

static bool below_share(const struct seat *s)
{
	return s->way == SEAT_SERVED && (s->limit.ma > 0 ? s->limit.ma : 0) < s->share.ma;
}

/* Whoever is lowered is told of what did not fit, whatever bounds his share; and below his share, because few are lowered for all, he is held
 * by it until there is room again. */
static bool is_tight(const struct control *c, const struct seat *s)
{
	if (s->way != SEAT_SERVED || s->limit.hold != LIMIT_ROOM || s->tight_node < 0)
		return false;
	return s->limit.cut_us == c->now_us || (below_share(s) && s->limit.cut_us > s->limit.raised_us);
}

static void add_ramp(const struct control *c, const struct seat *s, struct chain *ch)
{
	int32_t ma = s->limit.ma > 0 ? s->limit.ma : 0;
	if (is_tight(c, s))
		add(ch, node_cap(c, s->tight_node, s->tight_room, ma < s->share.ma ? ma : s->share.ma));
	else if (below_share(s) && s->limit.hold != LIMIT_SMALL && !(s->limit.hold == LIMIT_FROZEN && s->frozen)) /* told as meter_lost */
		add(ch, (struct cap){ "ramp", NULL, 0, ma, s->limit.cut_us > s->limit.raised_us ? s->limit.cut_us : s->limit.raised_us, s->limit.until_us });
}

static bool told_as_tight(const struct control *c, const struct seat *s, int node, int room)
{
	return is_tight(c, s) && s->tight_node == node && s->tight_room == room;
}

static void add_nodes(const struct control *c, const struct seat *s, struct chain *ch)
{
	unsigned rooms = alloc_rooms(control_lines(s));
	bool bound = s->way == SEAT_SERVED && s->share.bound == ALLOC_NODE && !told_as_tight(c, s, s->share.node, s->share.line);
	if (bound)
		add_node(c, s, s->share.node, s->share.line, ch);
	for (int i = s->conf->node; i >= 0; i = c->nodes[i].conf->parent)
		for (int r = 0; r < ALLOC_ROOMS; r++)
			if (rooms & (1u << r) && !(bound && s->share.node == i && s->share.line == r) && !told_as_tight(c, s, i, r))
				add_node(c, s, i, r, ch);
}

static void add_told(const struct told_cap *t, struct chain *ch)
{
	add(ch, (struct cap){ t->reason, t->owner[0] ? t->owner : NULL, 0, t->ma, t->since_us, t->until_us == INT64_MAX ? 0 : t->until_us });
}

/* A limit that was found not to fit, or to be somebody else's turn, is kept until what it takes is needed. */
static void keep_offer(const struct seat *s, struct chain *ch)
{
	for (size_t i = 0; i < ch->n && s->place && ch->at[i].value_ma < s->limit.ma; i++)
		ch->at[i].value_ma = s->limit.ma;
}

size_t control_chain(const struct control *c, const struct seat *s, struct cap *out)
{
	struct chain ch = { out, 0 };
	add_way(c, s, &ch);
	if (s->place)
		add(&ch, (struct cap){ "waiting", s->place_text, 0, 0, s->waits_us, next_turn(c) });
	add_meters(c, s, &ch);
	add_ramp(c, s, &ch);
	if (s->cap)
		add_told(s->cap, &ch);
	if (s->profile.ma != MA_NONE)
		add_told(&s->profile, &ch);
	if (s->way == SEAT_SERVED && !s->conf->on_off && s->car.want_ma < s->conf->max_ma)
		add(&ch, (struct cap){ "ev", NULL, 0, s->car.want_ma, s->car.low_since_us, 0 });
	if (s->share.bound == ALLOC_OWN)
		add(&ch, (struct cap){ "evse_max", NULL, 0, s->conf->max_ma, 0, 0 });
	add_nodes(c, s, &ch);
	if (s->share.bound != ALLOC_OWN)
		add(&ch, (struct cap){ "evse_max", NULL, 0, s->conf->max_ma, 0, 0 });
	keep_offer(s, &ch);
	return ch.n;
}

size_t control_why(const struct control *c, int evse, struct cap *out, size_t most)
{
	struct cap chain[CHAIN_MOST];
	assert(evse >= 0 && evse < (int)c->site.parts.n_evses);
	const struct seat *s = &c->seats[evse];
	size_t n = control_chain(c, s, chain);
	chain[0].since_us = s->grant.binding.since_us;
	if (n > most)
		n = most;
	memcpy(out, chain, n * sizeof(*out));
	return n;
}

size_t control_nodes(const struct control *c)
{
	return c->site.parts.n_nodes;
}

size_t control_evses(const struct control *c)
{
	return c->site.parts.n_evses;
}

size_t control_meters(const struct control *c)
{
	return c->site.parts.n_meters;
}

/* Currents of the EVSEs below a node: as reported, and as planned. */
static void sums_below(const struct control *c, int node, int64_t drawn[3], int64_t planned[3])
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct seat *s = &c->seats[i];
		uint8_t lines = control_lines(s);
		if (!site_below(&c->site.parts, s->conf->node, node))
			continue;
		for (int p = 0; p < s->conf->n_lines; p++) {
			int line = s->conf->lines[p];
			int32_t granted = lines & (1u << line) ? car_takes(&s->car, s->grant.ma) : 0;
			drawn[line] += car_fresh(&s->car, c->now_us) ? s->car.drawn[p] : 0;
			planned[line] += s->way == SEAT_SERVED ? granted : s->fixed[line] > granted ? s->fixed[line] : granted;
		}
	}
}

static void count_bound(const struct control *c, struct node_view *out)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++) {
		const struct cap *b = &c->seats[i].grant.binding;
		if (!b->reason || !b->ref || strcmp(b->ref, out->id) ||
		    (strcmp(b->reason, "circuit") && strcmp(b->reason, "grid_power") && strcmp(b->reason, "imbalance")))
			continue;
		out->binding++;
		out->binding_phase = b->phase;
	}
}

static void view_power(const struct control *c, const struct junction *n, struct node_view *out)
{
	int32_t mv = rooms_voltage(c, n);
	int64_t sum = 0;
	for (int l = 0; l < 3; l++)
		sum += out->measured.l[l] == MA_NONE ? 0 : out->measured.l[l];
	out->power_w = out->measured.l[0] == MA_NONE ? NAN : (double)(sum * mv / 1000000);
	if (n->meter && n->guard != METER_LOST && !isnan(n->meter->last.power_w))
		out->power_w = n->meter->last.power_w;
	out->power_limit_w = n->conf->power_w;
	out->power_allowed_w = n->room[ALLOC_SUM] == NO_BOUND || !c->now_us ? -1 : (n->room[ALLOC_SUM] + n->base_sum) * mv / 1000000;
	if (n->cap[ALLOC_SUM] && n->cap[ALLOC_SUM]->devices)
		out->power_allowed_w = n->cap[ALLOC_SUM]->power_w;
	out->window_us = n->conf->power_w ? n->conf->window_us : 0;
	out->window_mean_w = out->window_us ? window_mean(&n->window, c->now_us, &c->wall) : -1;
}

void control_node_view(const struct control *c, int node, struct node_view *out)
{
	assert(node >= 0 && node < (int)c->site.parts.n_nodes);
	const struct junction *n = &c->nodes[node];
	int64_t drawn[3] = { 0 }, planned[3] = { 0 };
	*out = (struct node_view){ .id = n->conf->id, .metered = n->meter, .stale = n->guard != METER_FRESH };
	sums_below(c, node, drawn, planned);
	for (int l = 0; l < 3; l++) {
		out->limit.l[l] = n->limit[l];
		out->planned.l[l] = narrow(n->base[l] + planned[l]);
		if (!n->meter)
			out->measured.l[l] = narrow(drawn[l] + n->base[l]);
		else
			out->measured.l[l] = n->guard == METER_LOST ? MA_NONE : n->meter->last.ma.l[l];
	}
	out->planned_w = (n->base_sum + planned[0] + planned[1] + planned[2]) * rooms_voltage(c, n) / 1000000;
	count_bound(c, out);
	view_power(c, n, out);
}

static int32_t counted_on(const struct control *c, const struct seat *s, int phase)
{
	return s->way == SEAT_SERVED ? car_held(&s->car, phase, c->now_us) : s->fixed[s->conf->lines[phase]];
}

void control_evse_view(const struct control *c, int evse, struct evse_view *out)
{
	assert(evse >= 0 && evse < (int)c->site.parts.n_evses);
	const struct seat *s = &c->seats[evse];
	*out = (struct evse_view){
		.id = s->conf->id,
		.station = s->conf->station,
		.evse = s->conf->evse,
		.node = s->conf->node,
		.state = s->state,
		.online = s->online,
		.running = control_runs(s),
		.waiting = s->place > 0,
		.grant = s->grant,
		.sent_ma = s->car.told_ma,
		.confirmed_ma = s->car.accepted_ma,
		.drawn_ma = { s->car.drawn[0], s->car.drawn[1], s->car.drawn[2] },
		.drawn_at_us = s->car.drawn_us,
		.energy_wh = s->energy_wh,
		.lines = { s->conf->lines[0], s->conf->lines[1], s->conf->lines[2] },
		.n_lines = s->conf->n_lines,
		.phases = car_phases(&s->car),
	};
	for (int p = 0; p < s->conf->n_lines; p++)
		out->counted_ma[p] = counted_on(c, s, p);
}

void control_meter_view(const struct control *c, int meter, int64_t now_us, struct meter_view *out)
{
	assert(meter >= 0 && meter < (int)c->site.parts.n_meters);
	const struct meter *m = &c->meters[meter];
	int64_t contradicted_us = 0;
	bool lies = false;
	char said[METER_FAULT];
	for (size_t i = 0; i < c->site.parts.n_nodes; i++) {
		if (c->nodes[i].meter == m && c->nodes[i].contradicted_us)
			contradicted_us = c->nodes[i].contradicted_us;
		lies = lies || (c->nodes[i].meter == m && (c->nodes[i].hollow_us || witness_lost_for(c, &c->nodes[i], said) > 0));
	}
	*out = (struct meter_view){ .last = m->last, .id = m->conf->id, .fault = m->fault[0] ? m->fault : NULL };
	out->stale = lies || meter_lost_for(m, contradicted_us, now_us) > 0;
	if (out->stale && !out->fault && m->doubt[0])
		out->fault = m->doubt;
	out->age_us = m->last.at_us ? now_us - m->changed_us : INT64_MAX;
}

size_t control_node_caps(const struct control *c, int node, struct cap_conf *out, size_t most)
{
	size_t n = 0;
	for (size_t i = 0; i < c->caps_end && n < most; i++) {
		const struct told_cap *t = &c->caps[i];
		if (!t->id || t->node != node || t->until_us <= c->now_us)
			continue;
		out[n++] = (struct cap_conf){ .node = node, .evse = -1, .line = { { t->line[0], t->line[1], t->line[2] } }, .power_w = t->power_w,
			.devices = t->devices, .surplus = t->surplus, .reason = t->reason, .owner = t->owner, .until_us = t->until_us };
	}
	return n;
}

int control_find_evse(const struct control *c, const char *station, int evse)
{
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		if (c->seats[i].conf->evse == evse && !strcmp(c->seats[i].conf->station, station))
			return (int)i;
	return ERR_NOT_FOUND;
}

int control_find_node(const struct control *c, const char *id)
{
	for (size_t i = 0; i < c->site.parts.n_nodes; i++)
		if (!strcmp(c->nodes[i].conf->id, id))
			return (int)i;
	return ERR_NOT_FOUND;
}

int control_find_meter(const struct control *c, const char *id)
{
	for (size_t i = 0; i < c->site.parts.n_meters; i++)
		if (!strcmp(c->meters[i].conf->id, id))
			return (int)i;
	return ERR_NOT_FOUND;
}
